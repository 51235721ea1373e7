/* SPDX-License-Identifier: Apache-2.0 */
/*
 * enroll.c: a class that a head learns from a few flows, without training. A head is a linear map of the context, so a class is
 * a row of it. Only the new row is fitted, against contexts of known flows that the model carries along: logistic regression
 * with a prior around zero, of what the new label wins from all others together. No other logit changes.
 */
#include <math.h>
#include <stdio.h>

#include "task/task_int.h"

enum { NEWTON_STEPS = 30, FOLDS = 5, EXAMPLES_KEPT = 64 };

/*
 * Measured beside 1 and 0.01, with classes left out of training and enrolled (models/tried.md): a weaker prior takes flows of
 * known classes away, a stronger one finds too few of the new one.
 */
static const double PRIOR = 0.1, BIAS_PRIOR = 1e-3, LARGEST_STEP = 3, CONVERGED = 1e-5;

/* Rows of contexts, what the head's labels have there together (log sum exp of logits), and whether they are of the new class. */
typedef struct samples {
    size_t n, C;
    const float **x;
    double *others, *weight;
    bool *yes;
} samples;

/* The row: C weights and the bias, and room for Newton's method. */
typedef struct row {
    size_t n; /* C + 1 */
    double *w, *gradient, *hessian, bias0;
} row;

static const float *head_tensor(const wsp_model *m, size_t head, const char *what)
{
    char name[48];

    (void)snprintf(name, sizeof name, "head.%zu.%s", head, what);
    for (size_t i = 0; i < wsp_model_tensor_count(m); i++)
        if (strcmp(wsp_model_tensor(m, i).name, name) == 0)
            return wsp_model_tensor(m, i).data;
    return NULL;
}

static double dot(const float *a, const float *b, size_t n)
{
    double sum = 0;

    for (size_t i = 0; i < n; i++)
        sum += (double)a[i] * (double)b[i];
    return sum;
}

static double log_sum_exp(const wsp_model *m, size_t head, const float *context)
{
    size_t L = wsp_model_head(m, head)->n_labels, C = wsp_model_config_get(m)->channels;
    const float *w = head_tensor(m, head, "weight"), *b = head_tensor(m, head, "bias");
    double top = -INFINITY, sum = 0;

    for (int pass = 0; pass < 2; pass++)
        for (size_t l = 0; l < L; l++) {
            double z = dot(w + l * C, context, C) + (double)b[l];
            if (pass == 0)
                top = WSPI_MAX(top, z);
            else
                sum += exp(z - top);
        }
    return top + log(sum);
}

bool wspi_is_enrolled(const wsp_model *m, size_t condition)
{
    size_t C = wsp_model_config_get(m)->channels;

    for (size_t i = 0; i < wsp_model_tensor_count(m); i++) {
        wsp_tensor t = wsp_model_tensor(m, i);
        if (strcmp(t.name, "flow.condition.weight") != 0)
            continue;
        for (size_t c = 0; c < C; c++)
            if (t.data[condition * C + c] != 0)
                return false;
    }
    return true;
}

bool *wspi_enrolled_apart(const wsp_model *m, const wsp_tokens *t)
{
    int32_t *label = wspi_new_array(t->n_flows, sizeof *label);
    size_t H = wsp_model_head_count(m), all = 0, first = 0;
    bool *apart;

    for (size_t h = 0; h < H; h++)
        all += wsp_model_head(m, h)->n_labels;
    apart = label ? wspi_new_array(all, sizeof *apart) : NULL;
    for (size_t l = 0; apart && l < all; l++)
        apart[l] = wspi_is_enrolled(m, l);
    for (size_t h = 0; apart && h < H; first += wsp_model_head(m, h++)->n_labels) {
        (void)wspi_match_taught(m, h, t, label);
        for (size_t i = 0; i < t->n_flows; i++)
            if (label[i] >= 0)
                apart[first + (size_t)label[i]] = false;
    }
    free(label);
    return apart;
}

/* ---- fitting a row ---- */

static double score(const row *r, const float *x)
{
    double z = r->w[r->n - 1];

    for (size_t i = 0; i + 1 < r->n; i++)
        z += r->w[i] * (double)x[i];
    return z;
}

/* Gradient and Hessian (its lower half) of the weighted loss and the prior. */
static void derive(const samples *s, row *r)
{
    size_t n = r->n, C = n - 1;

    for (size_t i = 0; i < n; i++) {
        double prior = i < C ? PRIOR : BIAS_PRIOR;
        memset(r->hessian + i * n, 0, n * sizeof *r->hessian);
        r->hessian[i * n + i] = prior;
        r->gradient[i] = prior * (r->w[i] - (i < C ? 0 : r->bias0));
    }
    for (size_t k = 0; k < s->n; k++) {
        const float *x = s->x[k];
        double p = 1 / (1 + exp(s->others[k] - score(r, x)));
        double g = s->weight[k] * (p - s->yes[k]), h = s->weight[k] * WSPI_MAX(p * (1 - p), 1e-6);

        for (size_t i = 0; i < n; i++) {
            double xi = i < C ? (double)x[i] : 1, *line = r->hessian + i * n;
            r->gradient[i] += g * xi;
            for (size_t j = 0; j <= i && j < C; j++)
                line[j] += h * xi * (double)x[j];
        }
        r->hessian[n * n - 1] += h;
    }
}

/* gradient = hessian^-1 gradient, by Cholesky's decomposition in place; the prior keeps it positive. */
static void solve(row *r)
{
    size_t n = r->n;
    double *a = r->hessian, *g = r->gradient;

    for (size_t j = 0; j < n; j++)
        for (size_t i = j; i < n; i++) {
            double sum = a[i * n + j];
            for (size_t k = 0; k < j; k++)
                sum -= a[i * n + k] * a[j * n + k];
            a[i * n + j] = i == j ? sqrt(sum) : sum / a[j * n + j];
        }
    for (size_t i = 0; i < n; i++) {
        for (size_t k = 0; k < i; k++)
            g[i] -= a[i * n + k] * g[k];
        g[i] /= a[i * n + i];
    }
    for (size_t i = n; i-- > 0;) {
        for (size_t k = i + 1; k < n; k++)
            g[i] -= a[k * n + i] * g[k];
        g[i] /= a[i * n + i];
    }
}

static void fit(const samples *s, row *r)
{
    for (size_t i = 0; i + 1 < r->n; i++)
        r->w[i] = 0;
    r->w[r->n - 1] = r->bias0;
    for (int step = 0; step < NEWTON_STEPS; step++) {
        double longest = 0, scale;

        derive(s, r);
        solve(r);
        for (size_t i = 0; i < r->n; i++)
            longest = WSPI_MAX(longest, fabs(r->gradient[i]));
        scale = longest > LARGEST_STEP ? LARGEST_STEP / longest : 1;
        for (size_t i = 0; i < r->n; i++)
            r->w[i] -= scale * r->gradient[i];
        if (longest < CONVERGED)
            break;
    }
}

static wsp_status row_make(row *r, const wsp_model *m, size_t head)
{
    const float *bias = head_tensor(m, head, "bias");
    size_t L = wsp_model_head(m, head)->n_labels, n = wsp_model_config_get(m)->channels + 1;

    *r = (row){.n = n,
               .w = wspi_new_array(n, sizeof *r->w),
               .gradient = wspi_new_array(n, sizeof *r->gradient),
               .hessian = wspi_new_array(n * n, sizeof *r->hessian)};
    for (size_t l = 0; l < L; l++)
        r->bias0 += (double)bias[l] / (double)L;
    return r->w && r->gradient && r->hessian ? WSP_OK : WSP_ERR_NOMEM;
}

static void row_clear(row *r)
{
    free(r->w);
    free(r->gradient);
    free(r->hessian);
}

/* ---- what it is fitted on ---- */

static void samples_clear(samples *s)
{
    free(s->x);
    free(s->others);
    free(s->weight);
    free(s->yes);
}

/* The examples first, then the references that have a label of the head. */
static wsp_status samples_make(samples *s, const wsp_model *m, size_t head, const float *examples,
                               size_t n)
{
    const wsp_references r = wsp_model_references(m);
    size_t H = wsp_model_head_count(m), room = n + r.n;

    *s = (samples){.C = wsp_model_config_get(m)->channels,
                   .x = wspi_new_array(room, sizeof *s->x),
                   .others = wspi_new_array(room, sizeof *s->others),
                   .weight = wspi_new_array(room, sizeof *s->weight),
                   .yes = wspi_new_array(room, sizeof *s->yes)};
    if (!s->x || !s->others || !s->weight || !s->yes)
        return WSP_ERR_NOMEM;
    for (size_t i = 0; i < room; i++) {
        if (i >= n && r.label[(i - n) * H + head] < 0)
            continue;
        s->x[s->n] = i < n ? examples + i * s->C : r.context + (i - n) * s->C;
        s->others[s->n] = log_sum_exp(m, head, s->x[s->n]);
        s->yes[s->n++] = i < n;
    }
    return WSP_OK;
}

/* Known flows count 1 each; examples [from, to) count nothing, the others together as much as known flows of a class on average. */
static void weigh(samples *s, size_t n, size_t n_labels, size_t from, size_t to)
{
    double known = (double)(s->n - n), used = (double)(n - (to - from));

    for (size_t i = 0; i < s->n; i++)
        s->weight[i] = i >= n ? 1 : i >= from && i < to ? 0 : known / (double)n_labels / used;
}

/* How many of the examples [from, to), or of the references, the new label wins. */
static size_t won(const samples *s, const row *r, size_t from, size_t to)
{
    size_t n = 0;

    for (size_t i = from; i < to; i++)
        n += score(r, s->x[i]) > s->others[i];
    return n;
}

/* Each part of the examples is asked when the others have taught. */
static size_t cross_check(samples *s, size_t n, size_t n_labels, row *r)
{
    size_t folds = WSPI_MIN(n, (size_t)FOLDS), found = 0;

    for (size_t k = 0; folds > 1 && k < folds; k++) {
        size_t from = n * k / folds, to = n * (k + 1) / folds;
        weigh(s, n, n_labels, from, to);
        fit(s, r);
        found += won(s, r, from, to);
    }
    return found;
}

/* ---- the model ---- */

/* The examples become references, so that what is enrolled next is told from them. */
static wsp_status remember(wsp_model *m, size_t head, int32_t label, const float *examples,
                           size_t n, wsp_error *err)
{
    const wsp_references old = wsp_model_references(m);
    size_t H = wsp_model_head_count(m), C = wsp_model_config_get(m)->channels;
    size_t more = WSPI_MIN(WSPI_MIN(n, (size_t)EXAMPLES_KEPT), WSP_MAX_REFERENCES - old.n);
    float *context = wspi_new_array((old.n + more) * C, sizeof *context);
    int32_t *labels = wspi_new_array((old.n + more) * H, sizeof *labels);
    wsp_status st;

    if (context && labels) {
        memcpy(context, old.context, old.n * C * sizeof *context);
        memcpy(context + old.n * C, examples, more * C * sizeof *context);
        memcpy(labels, old.label, old.n * H * sizeof *labels);
        for (size_t i = old.n * H; i < (old.n + more) * H; i++)
            labels[i] = i % H == head ? label : WSP_UNLABELLED;
        st = wsp_model_references_set(m, &(wsp_references){old.n + more, context, labels}, err);
    } else {
        st = wspi_nomem(err, "reference contexts", old.n + more);
    }
    free(context);
    free(labels);
    return st;
}

static wsp_status add(wsp_model **out, const wsp_model *m, size_t head, const char *label,
                      const row *r, wsp_error *err)
{
    float *w = wspi_new_array(r->n, sizeof *w);
    wsp_status st;

    if (!w)
        return wspi_nomem(err, "a row of a head", r->n);
    for (size_t i = 0; i < r->n; i++)
        w[i] = (float)r->w[i];
    st = wsp_model_add_label(out, m, head, label, w, w[r->n - 1], err);
    free(w);
    return st;
}

static wsp_status enroll(wsp_model **out, const wsp_model *m, size_t head, const char *label,
                         const float *examples, size_t n, wsp_enrollment *e, wsp_error *err)
{
    size_t L = wsp_model_head(m, head)->n_labels;
    samples s = {.n = 0};
    row r = {.n = 0};
    wsp_status st =
        samples_make(&s, m, head, examples, n) == WSP_OK ? row_make(&r, m, head) : WSP_ERR_NOMEM;

    if (st < 0)
        (void)wspi_nomem(err, "examples and reference contexts", s.n);
    if (st == WSP_OK && s.n == n)
        st = wspi_fail(err, WSP_ERR_ARG, 0,
                       "the model carries no contexts of known flows of head %s to tell the "
                       "examples from: wirespeak calibrate --trained-on TRAIN.npz adds them",
                       wsp_model_head(m, head)->name);
    if (st == WSP_OK) {
        *e = (wsp_enrollment){.examples = n, .known = s.n - n};
        e->found = cross_check(&s, n, L, &r);
        weigh(&s, n, L, 0, 0);
        fit(&s, &r);
        e->lost = won(&s, &r, n, s.n);
        st = add(out, m, head, label, &r, err);
    }
    samples_clear(&s);
    row_clear(&r);
    return st;
}

wsp_status wsp_enroll(wsp_model **out, const wsp_model *m, size_t head, const char *label,
                      const wsp_tokens *examples, wsp_enrollment *e, wsp_error *err)
{
    size_t C = wsp_model_config_get(m)->channels, n = examples->n_flows;
    float *context;
    wsp_status st;

    *out = NULL;
    if (head >= wsp_model_head_count(m) || n == 0)
        return wspi_fail(err, WSP_ERR_ARG, 0,
                         n ? "the model has no such head" : "there is no flow to learn from");
    context = wspi_new_array(n * C, sizeof *context);
    if (!context)
        return wspi_nomem(err, "contexts of examples", n * C);
    st = wsp_ask(m, examples, NULL, &(wsp_wanted){.context = context}, NULL, err);
    if (st == WSP_OK)
        st = enroll(out, m, head, label, context, n, e, err);
    if (st == WSP_OK)
        st = remember(*out, head, (int32_t)wsp_model_head(m, head)->n_labels, context, n, err);
    if (st == WSP_OK)
        st = wspi_stacks_extend(*out, head, examples, err);
    free(context);
    if (st < 0) {
        wsp_model_free(*out);
        *out = NULL;
    }
    return st;
}
