/* SPDX-License-Identifier: Apache-2.0 */
/*
 * background.c: what a head is to call "unknown": flows of captures that have none of its labels (a background class; Dhamija, Guenther
 * and Boult, 2018). A head that has seen its own classes alone calls any flow one of them.
 */
#include "task/task_int.h"

size_t wspi_background_of(const wsp_tokens *t, size_t head)
{
    size_t l = 0;

    while (l < t->n_labels[head] && strcmp(t->label_names[head][l], WSP_UNKNOWN) != 0)
        l++;
    return l;
}

/* The head's label WSP_UNKNOWN, which it gets if it has none; n_labels when there is no memory. */
static size_t make_unknown(wsp_tokens *t, size_t h)
{
    size_t n = t->n_labels[h], cap = n, at = wspi_background_of(t, h);

    if (at == n && wspi_grow(&t->label_names[h], &cap, n + 1, sizeof **t->label_names) == WSP_OK)
        t->n_labels[h] += (t->label_names[h][n] = strdup(WSP_UNKNOWN)) != NULL;
    return at;
}

static int by_name(const void *a, const void *b)
{
    const char *const *const *x = a, *const *const *y = b;
    return strcmp(**x, **y);
}

/* What is so of a capture is so of all of its name. */
static wsp_status share_by_name(const wsp_tokens *t, bool *labelled)
{
    char ***order = wspi_new_array(t->n_captures, sizeof *order);

    if (!order)
        return WSP_ERR_NOMEM;
    for (size_t i = 0; i < t->n_captures; i++)
        order[i] = &t->captures[i];
    qsort(order, t->n_captures, sizeof *order, by_name);
    for (size_t from = 0, to; from < t->n_captures; from = to) {
        bool any = false;
        for (to = from; to < t->n_captures && strcmp(*order[to], *order[from]) == 0; to++)
            any = any || labelled[order[to] - t->captures];
        for (size_t i = from; i < to; i++)
            labelled[order[i] - t->captures] = any;
    }
    free(order);
    return WSP_OK;
}

/*
 * labelled [n_captures]: captures that have a label of the head, in one of their forms: one without its first packets may have lost
 * the flows that do. *known: how many flows have one.
 */
static wsp_status find_labelled(const wsp_tokens *t, size_t h, bool *labelled, size_t *known)
{
    for (size_t i = 0; i < t->n_flows; i++) {
        labelled[t->capture[i]] = labelled[t->capture[i]] || t->labels[h][i] >= 0;
        *known += t->labels[h][i] >= 0;
    }
    return share_by_name(t, labelled);
}

/* *known: flows that have a label of the head; 0, and nothing is done, when the set does not have it. */
static wsp_status add_background(wsp_tokens *t, const char *head, size_t *known, size_t *n)
{
    bool *labelled = wspi_new_array(t->n_captures, sizeof *labelled);
    size_t h = 0, unknown = 0;
    wsp_status st = labelled ? WSP_OK : WSP_ERR_NOMEM;

    while (h < t->n_heads && strcmp(t->heads[h], head) != 0)
        h++;
    *known = *n = 0;
    if (st == WSP_OK && h < t->n_heads)
        st = find_labelled(t, h, labelled, known);
    if (st == WSP_OK && *known) {
        unknown = make_unknown(t, h);
        st = unknown < t->n_labels[h] ? WSP_OK : WSP_ERR_NOMEM;
    }
    for (size_t i = 0; st == WSP_OK && *known && i < t->n_flows; i++) {
        if (!labelled[t->capture[i]])
            t->labels[h][i] = (int32_t)unknown;
        *n += t->labels[h][i] == (int32_t)unknown;
    }
    free(labelled);
    return st;
}

wsp_status wsp_tokens_background(wsp_tokens *t, const char *head, size_t *n, wsp_error *err)
{
    size_t known, flows;

    if (add_background(t, head, &known, &flows) < 0)
        return wspi_nomem(err, "labels", t->n_flows);
    if (n)
        *n = flows;
    return known ? WSP_OK
                 : wspi_fail(err, WSP_ERR_ARG, 0,
                             "no flow has a label of a head \"%s\": what is none of its labels "
                             "cannot be told",
                             head);
}

wsp_status wsp_tokens_background_like(wsp_tokens *t, const wsp_model *m, wsp_error *err)
{
    for (size_t h = 0; h < wsp_model_head_count(m); h++) {
        const wsp_head *head = wsp_model_head(m, h);
        size_t known, n;

        if (head->background < head->n_labels && add_background(t, head->name, &known, &n) < 0)
            return wspi_nomem(err, "labels", t->n_flows);
    }
    return WSP_OK;
}
