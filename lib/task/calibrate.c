/* SPDX-License-Identifier: Apache-2.0 */
/*
 * calibrate.c: temperature scaling of the heads (Guo et al., 2017) and their threshold of "unknown", on flows that were not
 * trained on. Every capture counts the same: flows of one capture go right or wrong together, and one odd capture of many
 * flows would decide alone. The top probability decides what is unknown: the largest logit, the energy of the logits,
 * their entropy and distances between contexts were measured beside it and are not better (models/tried.md).
 */
#include <math.h>
#include <string.h>

#include "task/task_int.h"

/* Answers that are all right, of a few captures, do not say that there is no doubt: logits are doubled at most. */
static const double COLDEST = 0.5, HOTTEST = 20, PASS = 0.02;
static const double LEAST = 1e-20; /* a top probability that can be divided by */
static const double ROUNDING =
    1e-5; /* of probabilities that were rescaled, beside those that classify computes */
enum { SEARCH_STEPS = 40 }; /* golden section: the bracket, e^3.7 wide, shrinks by 0.618 in each */

/* Whether a flow is known, and "unknown" has left its labels enough to tell how they compare. */
static bool counts(const wsp_answers *a, size_t i)
{
    const float *p = a->prob + i * a->n_labels;

    return a->label[i] >= 0 && (double)p[wspi_argmax(p, a->n_labels)] > LEAST;
}

/* [n] 1 / (flows of the flow's capture that count), 0 for the others. */
static double *weigh(const wsp_tokens *val, const wsp_answers *a)
{
    double *w = wspi_new_array(val->n_flows, sizeof *w);
    size_t *count = wspi_new_array(val->n_captures, sizeof *count);

    for (size_t i = 0; w && count && i < val->n_flows; i++)
        count[val->capture[i]] += counts(a, i);
    for (size_t i = 0; w && count && i < val->n_flows; i++)
        w[i] = counts(a, i) ? 1 / (double)count[val->capture[i]] : 0;
    if (!count) {
        free(w);
        w = NULL;
    }
    free(count);
    return w;
}

/*
 * p^(1/T), normalised, is what the softmax makes of the same logits at a temperature T times as high. What a head with a label
 * "unknown" leaves of 1 is the probability of that.
 */
static double rescale(const float *p, size_t L, bool rest, double temperature, float *out)
{
    double top = 0, sum = 0, left = rest;

    for (size_t l = 0; l < L; l++)
        left -= rest ? (double)p[l] : 0;
    left = WSPI_MAX(left, 0);
    top = left;
    for (size_t l = 0; l < L; l++)
        top = WSPI_MAX(top, (double)p[l]);
    sum = pow(left / top, 1 / temperature);
    for (size_t l = 0; l < L; l++)
        sum += pow((double)p[l] / top, 1 / temperature);
    for (size_t l = 0; out && l < L; l++)
        out[l] = (float)(pow((double)p[l] / top, 1 / temperature) / sum);
    return log(top) / temperature + log(sum); /* the logarithm of what p^(1/T) is divided by */
}

/* Of known flows, and that they are known is given: what "unknown" takes does not count. */
static double nll_at(const wsp_answers *a, const double *w, double temperature)
{
    double sum = 0;

    for (size_t i = 0; i < a->n; i++) {
        const float *p = a->prob + i * a->n_labels;
        if (w[i] > 0)
            sum += w[i] * (rescale(p, a->n_labels, false, temperature, NULL) -
                           log(WSPI_MAX((double)p[a->label[i]], 1e-30)) / temperature);
    }
    return sum;
}

static bool any_counts(const wsp_answers *a)
{
    for (size_t i = 0; i < a->n; i++)
        if (counts(a, i))
            return true;
    return false;
}

/*
 * What the temperature is to be multiplied by. The loss has one minimum in its logarithm; where no temperature is better than
 * the one that there is (of a single label, without a flow that counts) that stays, within the bounds.
 */
static double best_factor(const wsp_answers *a, const double *w, double now)
{
    const double golden = (sqrt(5) - 1) / 2;
    double lo = log(COLDEST / now), hi = log(HOTTEST / now), stay = WSPI_MIN(WSPI_MAX(0, lo), hi);
    double x = hi - golden * (hi - lo), y = lo + golden * (hi - lo);
    double at_x = nll_at(a, w, exp(x)), at_y = nll_at(a, w, exp(y));

    if (!any_counts(a))
        return 1;
    for (int i = 0; i < SEARCH_STEPS; i++) {
        if (at_x < at_y) {
            hi = y;
            y = x;
            at_y = at_x;
            x = hi - golden * (hi - lo);
            at_x = nll_at(a, w, exp(x));
        } else {
            lo = x;
            x = y;
            at_x = at_y;
            y = lo + golden * (hi - lo);
            at_y = nll_at(a, w, exp(y));
        }
    }
    x = (lo + hi) / 2;
    return exp(nll_at(a, w, exp(x)) < nll_at(a, w, exp(stay)) ? x : stay);
}

/* The answers become those at the fitted temperature, so that the threshold is of what classify will say. */
static wsp_status calibrate_head(wsp_model *m, size_t head, wspi_answers *answers,
                                 const wsp_tokens *val, double keep, wsp_calibration *out)
{
    wsp_answers a = wspi_answers_of(answers, m, head);
    bool rest = wsp_model_head(m, head)->background < a.n_labels;
    double now = (double)wsp_model_head(m, head)->temperature, *w = weigh(val, &a), t, threshold,
           enough = 1;
    wsp_status st;

    if (!w)
        return WSP_ERR_NOMEM;
    t = best_factor(&a, w, now);
    free(w);
    for (size_t i = 0; i < a.n; i++)
        (void)rescale(a.prob + i * a.n_labels, a.n_labels, rest, t,
                      answers->prob[head] + i * a.n_labels);
    st = wsp_threshold_keeping(&a, keep, &threshold);
    if (st == WSP_OK && rest)
        st = wsp_threshold_refusing(&a, PASS, &enough);
    if (st < 0)
        return st;
    /* a lower one that is enough keeps more of the known flows of captures that are a bit different */
    threshold = WSPI_MIN(threshold * (1 - ROUNDING), enough * (1 + ROUNDING));
    t *= now;
    st = wsp_model_head_calibrate(m, head, (float)t, (float)threshold);
    for (size_t i = 0; i < a.n; i++)
        out->flows += a.label[i] >= 0;
    out->temperature = t;
    out->unknown_below = threshold;
    return WSP_OK;
}

wsp_status wsp_calibrate(wsp_model *m, const wsp_tokens *val, double keep,
                         wsp_calibration *calibrations, wsp_error *err)
{
    size_t n_heads = wsp_model_head_count(m);
    wspi_answers answers;
    wsp_status st = WSP_OK;

    if (!(keep >= 0 && keep <= 1))
        return wspi_fail(err, WSP_ERR_ARG, 0, "%g is no share of flows", keep);
    if (n_heads == 0)
        return WSP_OK;
    WSP_TRY(wspi_answers_make(&answers, m, val, NULL, err));
    for (size_t h = 0; st == WSP_OK && h < n_heads; h++) {
        wsp_calibration c = {.flows = 0};
        if (answers.prob[h])
            st = calibrate_head(m, h, &answers, val, keep, &c);
        if (calibrations)
            calibrations[h] = c;
    }
    wspi_answers_clear(&answers);
    return st < 0 ? wspi_nomem(err, "the validation set", val->n_flows) : WSP_OK;
}

static const wsp_head *head_like(const wsp_model *like, const wsp_head *head)
{
    for (size_t h = 0; h < wsp_model_head_count(like); h++)
        if (strcmp(wsp_model_head(like, h)->name, head->name) == 0)
            return wsp_model_head(like, h);
    return NULL;
}

static bool same_labels(const wsp_head *a, const wsp_head *b)
{
    bool same = a->n_labels == b->n_labels;

    for (size_t l = 0; same && l < a->n_labels; l++)
        same = strcmp(a->labels[l], b->labels[l]) == 0;
    return same;
}

wsp_status wsp_calibrate_like(wsp_model *m, const wsp_model *like, wsp_calibration *calibrations,
                              wsp_error *err)
{
    size_t joined = 0;

    for (size_t h = 0; h < wsp_model_head_count(m); h++) {
        const wsp_head *head = wsp_model_head(m, h), *other = head_like(like, head);
        if (other && !same_labels(head, other))
            return wspi_fail(err, WSP_ERR_ARG, h, "head \"%s\" has other labels there", head->name);
        joined += other != NULL;
    }
    if (joined == 0)
        return wspi_fail(err, WSP_ERR_ARG, 0, "the models have no head of the same name");
    for (size_t h = 0; h < wsp_model_head_count(m); h++) {
        const wsp_head *other = head_like(like, wsp_model_head(m, h));

        if (other)
            WSP_TRY(wsp_model_head_calibrate(m, h, other->temperature, other->unknown_below));
        if (calibrations)
            calibrations[h] = other ? (wsp_calibration){1, (double)other->temperature,
                                                        (double)other->unknown_below}
                                    : (wsp_calibration){.flows = 0};
    }
    return WSP_OK;
}
