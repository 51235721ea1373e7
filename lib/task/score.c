/* SPDX-License-Identifier: Apache-2.0 */
/* score.c: the answers of a model beside the labels of a set, joined by names. */
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

/* "a, b" of n names, as many as there is room for. */
static void list_names(char *text, size_t size, size_t n, const char *(*name)(const void *, size_t),
                       const void *arg)
{
    size_t len = 0;

    (void)snprintf(text, size, "none");
    for (size_t i = 0; i < n && len < size; i++)
        len += (size_t)snprintf(text + len, size - len, "%s%s", i ? ", " : "", name(arg, i));
}

static const char *head_of_model(const void *m, size_t i)
{
    return wsp_model_head(m, i)->name;
}

static const char *head_of_set(const void *t, size_t i)
{
    return ((const wsp_tokens *)t)->heads[i];
}

/* A column of the set that has the name of a head; n_heads: none. */
static size_t common_column(const wsp_model *m, const wsp_tokens *t)
{
    size_t c = 0;

    for (; c < t->n_heads; c++)
        for (size_t h = 0; h < wsp_model_head_count(m); h++)
            if (strcmp(wsp_model_head(m, h)->name, t->heads[c]) == 0)
                return c;
    return c;
}

static wsp_status nothing_to_score(const wsp_model *m, const wsp_tokens *t, wsp_error *err)
{
    char mine[80], theirs[80];
    size_t c = common_column(m, t), n = 0;

    for (size_t i = 0; c < t->n_heads && i < t->n_flows; i++)
        n += t->labels[c][i] >= 0;
    if (n)
        return wspi_fail(err, WSP_ERR_ARG, 0,
                         "none of the labels in column %s (%zu flows have one) is known to the "
                         "model's head of this name",
                         t->heads[c], n);
    if (c < t->n_heads)
        return wspi_fail(err, WSP_ERR_ARG, 0,
                         "none of the %zu flows has a label in column %s: does the list name these "
                         "captures?",
                         t->n_flows, t->heads[c]);

    list_names(mine, sizeof mine, wsp_model_head_count(m), head_of_model, m);
    list_names(theirs, sizeof theirs, t->n_heads, head_of_set, t);
    return wspi_fail(err, WSP_ERR_ARG, 0,
                     "no flow has a label of one of the model's heads (%s); label columns: %s",
                     mine, theirs);
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
        st = nothing_to_score(m, t, err);
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
