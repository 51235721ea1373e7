/* SPDX-License-Identifier: Apache-2.0 */
/* score.c: the answers of a model beside the labels of a set, joined by names, and their scores. */
#include <time.h>

#include "task/task_int.h"

static int32_t number_of(const wsp_head *h, const char *name, bool taught)
{
    for (size_t l = 0; l < h->n_labels; l++)
        if ((taught || l != h->background) && strcmp(h->labels[l], name) == 0)
            return (int32_t)l;
    return WSP_OUTSIDE;
}

static size_t match(const wsp_model *m, size_t head, const wsp_tokens *t, bool taught,
                    int32_t *label)
{
    const wsp_head *h = wsp_model_head(m, head);
    size_t c = 0, known = 0, last = SIZE_MAX;
    int32_t as = WSP_OUTSIDE;

    while (c < t->n_heads && strcmp(t->heads[c], h->name) != 0)
        c++;
    for (size_t i = 0; i < t->n_flows; i++) {
        label[i] = WSP_UNLABELLED;
        if (c == t->n_heads || t->labels[c][i] < 0)
            continue;
        if ((size_t)t->labels[c][i] != last) { /* flows of one label mostly follow each other */
            last = (size_t)t->labels[c][i];
            as = number_of(h, t->label_names[c][last], taught);
        }
        label[i] = as;
        known += as >= 0;
    }
    return known;
}

size_t wsp_match_labels(const wsp_model *m, size_t head, const wsp_tokens *t, int32_t *label)
{
    return match(m, head, t, false, label);
}

size_t wspi_match_taught(const wsp_model *m, size_t head, const wsp_tokens *t, int32_t *label)
{
    return match(m, head, t, true, label);
}

static double now(void)
{
    struct timespec t;

    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

/* Room for the answers of every head that has something to score; *n = how many heads those are. */
static wsp_status make_room(wspi_answers *a, const wsp_model *m, const wsp_tokens *t, size_t *n,
                            wsp_error *err)
{
    for (size_t h = *n = 0; h < a->n_heads; h++) {
        size_t cells;
        a->label[h] = wspi_new_array(t->n_flows, sizeof **a->label);
        if (!a->label[h])
            return wspi_nomem(err, "labels", t->n_flows);
        if (!wsp_match_labels(m, h, t, a->label[h]))
            continue;
        if (wspi_mul(t->n_flows, wsp_model_head(m, h)->n_labels, &cells))
            a->prob[h] = wspi_new_array(cells, sizeof **a->prob);
        if (!a->prob[h])
            return wspi_nomem(err, "answers", t->n_flows);
        ++*n;
    }
    return WSP_OK;
}

wsp_status wspi_answers_make(wspi_answers *a, const wsp_model *m, const wsp_tokens *t,
                             const wsp_classify_options *opt, wsp_error *err)
{
    size_t scored = 0;
    wsp_status st;

    *a = (wspi_answers){.n_heads = wsp_model_head_count(m), .n_flows = t->n_flows};
    a->prob = wspi_new_array(a->n_heads, sizeof *a->prob);
    a->label = wspi_new_array(a->n_heads, sizeof *a->label);
    a->outside = wspi_new_array(t->n_flows, sizeof *a->outside);
    st = a->outside && a->prob && a->label ? make_room(a, m, t, &scored, err)
                                           : wspi_nomem(err, "answers", t->n_flows);
    if (st == WSP_OK && scored == 0)
        st = wspi_fail(err, WSP_ERR_ARG, 0,
                       "no flow has a label of one of the model's heads (tokenize --labels)");
    a->seconds = -now();
    if (st == WSP_OK)
        st = wsp_ask(m, t, opt, &(wsp_wanted){.prob = a->prob, .outside = a->outside}, NULL, err);
    a->seconds += now();
    if (st < 0)
        wspi_answers_clear(a);
    return st;
}

wsp_answers wspi_answers_of(const wspi_answers *a, const wsp_model *m, size_t head)
{
    return (wsp_answers){.n = a->n_flows,
                         .n_labels = wsp_model_head(m, head)->n_labels,
                         .prob = a->prob[head],
                         .label = a->label[head],
                         .unknown_below = (double)wsp_model_head(m, head)->unknown_below,
                         .outside = a->outside,
                         .bit = (unsigned)head};
}

void wspi_answers_clear(wspi_answers *a)
{
    for (size_t h = 0; h < a->n_heads; h++) {
        if (a->prob)
            free(a->prob[h]);
        if (a->label)
            free(a->label[h]);
    }
    free(a->prob);
    free(a->label);
    free(a->outside);
    memset(a, 0, sizeof *a);
}

static void drop_metrics(wsp_metrics **metrics, size_t n)
{
    for (size_t h = 0; h < n; h++) {
        wsp_metrics_free(metrics[h]);
        metrics[h] = NULL;
    }
}

wsp_status wsp_score(const wsp_model *m, const wsp_tokens *t, const wsp_classify_options *opt,
                     wsp_metrics **metrics, double *seconds, wsp_error *err)
{
    size_t n = wsp_model_head_count(m);
    wspi_answers a;
    wsp_status st;

    for (size_t h = 0; h < n; h++)
        metrics[h] = NULL;
    WSP_TRY(wspi_answers_make(&a, m, t, opt, err));
    st = WSP_OK;
    for (size_t h = 0; st == WSP_OK && h < n; h++) {
        wsp_answers of = wspi_answers_of(&a, m, h);
        if (a.prob[h])
            st = wsp_metrics_new(&metrics[h], &of);
    }
    if (seconds)
        *seconds = a.seconds;
    wspi_answers_clear(&a);
    if (st < 0) {
        drop_metrics(metrics, n);
        return wspi_nomem(err, "scores", t->n_flows);
    }
    return WSP_OK;
}

/* No metrics where no capture can be scored. */
static wsp_status score_polled(const wspi_answers *a, const wsp_model *m, size_t head,
                               const wsp_tokens *t, wsp_metrics **out, wsp_captures *captures)
{
    wsp_answers of = wspi_answers_of(a, m, head), together;
    wspi_polled p;
    wsp_status st = wspi_polled_make(&p, &of, t, a->outside, head);

    together = wspi_polled_answers(&p, &of);
    *captures = p.captures;
    if (st == WSP_OK && p.captures.flows)
        st = wsp_metrics_new(out, &together);
    wspi_polled_clear(&p);
    return st;
}

wsp_status wsp_score_captures(const wsp_model *m, const wsp_tokens *t,
                              const wsp_classify_options *opt, wsp_metrics **metrics,
                              wsp_captures *captures, double *seconds, wsp_error *err)
{
    size_t n = wsp_model_head_count(m), scored = 0;
    wspi_answers a;
    wsp_status st = WSP_OK;

    for (size_t h = 0; h < n; h++)
        metrics[h] = NULL;
    WSP_TRY(wspi_answers_make(&a, m, t, opt, err));
    for (size_t h = 0; st == WSP_OK && h < n; h++) {
        wsp_captures c = {.flows = 0};
        if (a.prob[h])
            st = score_polled(&a, m, h, t, &metrics[h], &c);
        if (captures)
            captures[h] = c;
        scored += metrics[h] != NULL;
    }
    if (seconds)
        *seconds = a.seconds;
    wspi_answers_clear(&a);
    if (st == WSP_OK && scored)
        return WSP_OK;
    drop_metrics(metrics, n);
    return st < 0 ? wspi_nomem(err, "scores", t->n_flows)
                  : wspi_fail(err, WSP_ERR_ARG, 0,
                              "the flows of every capture have different labels: captures "
                              "cannot be scored");
}
