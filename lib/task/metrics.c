/* SPDX-License-Identifier: Apache-2.0 */
/* metrics.c: scores of answers: by class, calibration (Guo et al., 2017), ranking, abstention. */
#include <math.h>

#include "base/base.h"
#include "wirespeak/score.h"

static const double UNLIKELY = 1e-12; /* what a probability of zero counts as in the log */

static double ratio(double a, double b)
{
    return b > 0 ? a / b : 0;
}

/* ---- ranking ---- */

typedef struct ranked {
    float score;
    bool yes;
} ranked;

static int by_score(const void *a, const void *b)
{
    const ranked *x = a, *y = b;
    return x->score < y->score ? -1 : x->score > y->score;
}

/* Mann and Whitney: U / (n_yes n_no), from the sum of ranks, where equal scores share their mean rank. */
static double area(ranked *r, size_t n)
{
    double ranks = 0, yes = 0, no;

    qsort(r, n, sizeof *r, by_score);
    for (size_t from = 0, to; from < n; from = to) {
        double mean;
        for (to = from; to < n && r[to].score <= r[from].score; to++)
            ;
        mean = ((double)from + 1 + (double)to) / 2;
        for (size_t i = from; i < to; i++) {
            ranks += r[i].yes ? mean : 0;
            yes += r[i].yes;
        }
    }
    no = (double)n - yes;
    return yes > 0 && no > 0 ? (ranks - yes * (yes + 1) / 2) / (yes * no) : (double)NAN;
}

/* The top probability, or less than any for answers that are "unknown" in any case. */
static float confidence(const wsp_answers *a, size_t i, size_t said)
{
    return a->outside && a->outside[i] >> a->bit & 1 ? -1 : a->prob[i * a->n_labels + said];
}

static void rank(wsp_metrics *m, const wsp_answers *a, ranked *r)
{
    size_t n = 0;

    for (size_t i = 0; i < a->n; i++) {
        const float *p = a->prob + i * a->n_labels;
        size_t said = wspi_argmax(p, a->n_labels);
        if (a->label[i] >= 0)
            r[n++] = (ranked){p[said], said == (size_t)a->label[i]};
    }
    m->auroc_right = n ? area(r, n) : (double)NAN;
    n = 0;
    for (size_t i = 0; i < a->n; i++) {
        const float *p = a->prob + i * a->n_labels;
        if (a->label[i] != WSP_UNLABELLED)
            r[n++] = (ranked){confidence(a, i, wspi_argmax(p, a->n_labels)), a->label[i] >= 0};
    }
    m->auroc_known = n ? area(r, n) : (double)NAN;
}

size_t wsp_answers_said(const wsp_answers *a, size_t i)
{
    return wspi_argmax(a->prob + i * a->n_labels, a->n_labels);
}

/* ---- by class ---- */

static void count(wsp_metrics *m, const wsp_answers *a)
{
    for (size_t i = 0; i < a->n; i++) {
        size_t said, is = (size_t)a->label[i];
        m->outside += a->label[i] == WSP_OUTSIDE;
        if (a->label[i] < 0)
            continue;
        said = wspi_argmax(a->prob + i * a->n_labels, a->n_labels);
        m->flows++;
        m->label[is].support++;
        m->label[said].said++;
        m->label[is].right += said == is;
        m->confusion[is * a->n_labels + said]++;
    }
}

static void score_classes(wsp_metrics *m)
{
    double right = 0, macro = 0, weighted = 0, n = (double)m->flows, most;

    for (size_t l = 0; l < m->n_labels; l++) {
        wsp_class_score *c = &m->label[l];
        c->precision = ratio((double)c->right, (double)c->said);
        c->recall = ratio((double)c->right, (double)c->support);
        c->f1 = ratio(2 * (double)c->right, (double)(c->said + c->support));
        right += (double)c->right;
        weighted += (double)c->support * c->f1;
        macro += c->support ? c->f1 : 0;
        m->classes += c->support > 0;
        if (c->support > m->label[m->most].support)
            m->most = l;
    }
    most = (double)m->label[m->most].support;
    m->accuracy = n > 0 ? right / n : (double)NAN;
    m->macro_f1 = n > 0 ? macro / (double)m->classes : (double)NAN;
    m->weighted_f1 = n > 0 ? weighted / n : (double)NAN;
    m->majority_accuracy = n > 0 ? most / n : (double)NAN;
    m->majority_macro_f1 = n > 0 ? 2 * most / (n + most) / (double)m->classes : (double)NAN;
}

/* ---- calibration ---- */

/* What the labels have together: the rest is the probability of something else. */
static double mass(const float *p, size_t n)
{
    double sum = 0;

    for (size_t l = 0; l < n; l++)
        sum += (double)p[l];
    return sum > 0 ? sum : 1;
}

/* Of n flows with confidences p, sum p (1 - p) is the variance of right ones; a normal deviate is 0.8 of its deviation off. */
static double chance(const double variance[WSP_RELIABILITY])
{
    static const double pi = 3.14159265358979323846;
    double sum = 0;

    for (size_t b = 0; b < WSP_RELIABILITY; b++)
        sum += sqrt(2 / pi * variance[b]);
    return sum;
}

/* That a flow is known is given here. */
static void calibration(wsp_metrics *m, const wsp_answers *a)
{
    double ece = 0, brier = 0, nll = 0, n = (double)m->flows, variance[WSP_RELIABILITY] = {0};

    for (size_t i = 0; i < a->n; i++) {
        const float *p = a->prob + i * a->n_labels;
        size_t said = wspi_argmax(p, a->n_labels), bin;
        double known, top;
        if (a->label[i] < 0)
            continue;
        known = mass(p, a->n_labels);
        top = (double)p[said] / known;
        bin = (size_t)(top * WSP_RELIABILITY);
        bin = WSPI_MIN(bin, (size_t)WSP_RELIABILITY - 1);
        m->reliability[bin].n++;
        variance[bin] += WSPI_MAX(top * (1 - top), 0);
        m->reliability[bin].confidence += top;
        m->reliability[bin].accuracy += said == (size_t)a->label[i];
        nll -= log(WSPI_MAX((double)p[a->label[i]] / known, UNLIKELY));
        for (size_t l = 0; l < a->n_labels; l++) {
            double off = (double)p[l] / known - (l == (size_t)a->label[i]);
            brier += off * off;
        }
    }
    for (size_t b = 0; b < WSP_RELIABILITY; b++) {
        wsp_reliability_bin *bin = &m->reliability[b];
        ece += fabs(bin->confidence - bin->accuracy);
        bin->confidence = ratio(bin->confidence, (double)bin->n);
        bin->accuracy = ratio(bin->accuracy, (double)bin->n);
    }
    m->ece = n > 0 ? ece / n : (double)NAN;
    m->ece_perfect = n > 0 ? chance(variance) / n : (double)NAN;
    m->brier = n > 0 ? brier / n : (double)NAN;
    m->nll = n > 0 ? nll / n : (double)NAN;
}

/* ---- abstention ---- */

wsp_abstention wsp_abstain(const wsp_answers *a, double threshold)
{
    double known = 0, kept = 0, right = 0, outside = 0, passed = 0;

    for (size_t i = 0; i < a->n; i++) {
        const float *p = a->prob + i * a->n_labels;
        size_t said = wspi_argmax(p, a->n_labels);
        bool keeps = (double)confidence(a, i, said) >= threshold;
        if (a->label[i] == WSP_OUTSIDE) {
            outside++;
            passed += keeps;
        } else if (a->label[i] >= 0) {
            known++;
            kept += keeps;
            right += keeps && said == (size_t)a->label[i];
        }
    }
    return (wsp_abstention){.threshold = threshold,
                            .coverage = known > 0 ? kept / known : (double)NAN,
                            .accuracy = kept > 0 ? right / kept : (double)NAN,
                            .outside_passed = outside > 0 ? passed / outside : (double)NAN};
}

static int by_value(const void *a, const void *b)
{
    const float *x = a, *y = b;
    return *x < *y ? -1 : *x > *y;
}

/* Confidences of the known flows, or of those from outside, the least first; returns how many. */
static size_t confidences(const wsp_answers *a, bool known, float *top)
{
    size_t n = 0;

    for (size_t i = 0; i < a->n; i++) {
        const float *p = a->prob + i * a->n_labels;
        if (known ? a->label[i] >= 0 : a->label[i] == WSP_OUTSIDE)
            top[n++] = WSPI_MAX(confidence(a, i, wspi_argmax(p, a->n_labels)), 0);
    }
    qsort(top, n, sizeof *top, by_value);
    return n;
}

static size_t share_of(double share, size_t n)
{
    return (size_t)floor(share * (double)n + 1e-9); /* 1e-9: 0.05 of 100 is 5, not 4 */
}

/* Known flows whose answer no threshold keeps. */
static size_t unknown_anyway(const wsp_answers *a)
{
    size_t n = 0;

    for (size_t i = 0; i < a->n; i++)
        n += a->label[i] >= 0 && confidence(a, i, 0) < 0;
    return n;
}

wsp_status wsp_threshold_keeping(const wsp_answers *a, double keep, double *threshold)
{
    float *top = wspi_new_array(a->n, sizeof *top);
    size_t n, lost, gone;

    *threshold = 0;
    if (!top)
        return WSP_ERR_NOMEM;
    n = confidences(a, true, top);
    lost = share_of(1 - keep, n);
    gone = WSPI_MIN(n, unknown_anyway(a));
    if (gone > lost)
        lost = gone + share_of(1 - keep, n - gone);
    if (n)
        *threshold = (double)top[WSPI_MIN(lost, n - 1)];
    free(top);
    return WSP_OK;
}

wsp_status wsp_threshold_refusing(const wsp_answers *a, double pass, double *threshold)
{
    float *top = wspi_new_array(a->n, sizeof *top);
    size_t n, passing;

    *threshold = 1;
    if (!top)
        return WSP_ERR_NOMEM;
    n = confidences(a, false, top);
    passing = share_of(pass, n);
    if (passing > 0)
        *threshold = passing < n ? (double)nextafterf(top[n - passing - 1], 2) : 0;
    free(top);
    return WSP_OK;
}

/* ---- all ---- */

static bool answers_are_right(const wsp_answers *a)
{
    for (size_t i = 0; i < a->n; i++)
        if (a->label[i] < WSP_OUTSIDE || a->label[i] >= (int64_t)a->n_labels)
            return false;
    for (size_t i = 0; i < a->n * a->n_labels; i++)
        if (!(a->prob[i] >= 0)) /* what is no number has no rank */
            return false;
    return a->n_labels > 0;
}

wsp_status wsp_metrics_new(wsp_metrics **out, const wsp_answers *a)
{
    wsp_metrics *m;
    ranked *r;
    size_t cells;

    *out = NULL;
    if (!answers_are_right(a))
        return WSP_ERR_ARG;
    if (!wspi_mul(a->n_labels, a->n_labels, &cells))
        return WSP_ERR_NOMEM;
    m = wspi_new_array(1, sizeof *m);
    r = wspi_new_array(a->n, sizeof *r);
    if (m) {
        m->n_labels = a->n_labels;
        m->label = wspi_new_array(a->n_labels, sizeof *m->label);
        m->confusion = wspi_new_array(cells, sizeof *m->confusion);
    }
    if (!m || !r || !m->label || !m->confusion) {
        free(r);
        wsp_metrics_free(m);
        return WSP_ERR_NOMEM;
    }
    count(m, a);
    score_classes(m);
    calibration(m, a);
    rank(m, a, r);
    m->unknown = wsp_abstain(a, a->unknown_below);
    for (size_t i = 0; i < WSP_THRESHOLDS; i++)
        m->abstention[i] = wsp_abstain(a, (double)i / (WSP_THRESHOLDS - 1));
    free(r);
    *out = m;
    return WSP_OK;
}

void wsp_metrics_free(wsp_metrics *m)
{
    if (!m)
        return;
    free(m->label);
    free(m->confusion);
    free(m);
}
