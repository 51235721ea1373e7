/* SPDX-License-Identifier: Apache-2.0 */
/* join.c: several sets of tokens as one, to train on: flows one after the other, heads and labels told by their names. */
#include "token/token_int.h"

/* Where the name is among n, or n when it is not. */
static size_t place_of(char *const *names, size_t n, const char *name)
{
    size_t i = 0;

    while (i < n && strcmp(names[i], name) != 0)
        i++;
    return i;
}

/* The place of the name among *n, which it joins if it is new; n: a list that has room. */
static wsp_status join_name(char **names, size_t *n, const char *name, size_t *place)
{
    *place = place_of(names, *n, name);
    if (*place < *n)
        return WSP_OK;
    names[*n] = strdup(name);
    if (!names[*n])
        return WSP_ERR_NOMEM;
    ++*n;
    return WSP_OK;
}

/* Everything that is counted, of all sets; heads and labels as many as there can be. */
typedef struct totals {
    size_t heads, labels;
    wsp_tokens n;
} totals;

static totals add_up(const wsp_tokens *const *set, size_t sets)
{
    totals sum = {.heads = 0};

    for (size_t s = 0; s < sets; s++) {
        const wsp_tokens *t = set[s];

        sum.n.n_captures += t->n_captures;
        sum.n.n_flows += t->n_flows;
        sum.n.n_packets += t->n_packets;
        sum.n.n_tokens += t->n_tokens;
        sum.heads += t->n_heads;
        for (size_t h = 0; h < t->n_heads; h++)
            sum.labels += t->n_labels[h];
    }
    return sum;
}

static wsp_status make_room(wsp_tokens *to, const totals *sum)
{
    const wsp_tokens *n = &sum->n;

    to->ids = wspi_new_array(n->n_tokens, sizeof *to->ids);
    to->packet_off = wspi_new_array(n->n_packets + 1, sizeof *to->packet_off);
    to->flow_off = wspi_new_array(n->n_flows + 1, sizeof *to->flow_off);
    to->residual_off = wspi_new_array(n->n_flows + 1, sizeof *to->residual_off);
    to->capture = wspi_new_array(n->n_flows, sizeof *to->capture);
    to->flow_end = wspi_new_array(n->n_flows, sizeof *to->flow_end);
    to->captures = wspi_new_array(n->n_captures, sizeof *to->captures);
    to->linktype = wspi_new_array(n->n_captures, sizeof *to->linktype);
    to->heads = wspi_new_array(sum->heads, sizeof *to->heads);
    to->n_labels = wspi_new_array(sum->heads, sizeof *to->n_labels);
    to->label_names = wspi_new_array(sum->heads, sizeof *to->label_names);
    to->labels = wspi_new_array(sum->heads, sizeof *to->labels);
    return to->ids && to->packet_off && to->flow_off && to->residual_off && to->capture &&
                   to->flow_end && to->captures && to->linktype && to->heads && to->n_labels &&
                   to->label_names && to->labels
               ? WSP_OK
               : WSP_ERR_NOMEM;
}

/* A column for the head, none of whose flows are labelled yet, unless there is one. */
static wsp_status join_head(wsp_tokens *to, const char *name, const totals *sum, size_t *place)
{
    size_t before = to->n_heads;

    WSP_TRY(join_name(to->heads, &to->n_heads, name, place));
    if (to->n_heads == before)
        return WSP_OK;
    to->label_names[*place] = wspi_new_array(sum->labels, sizeof **to->label_names);
    to->labels[*place] = wspi_new_array(sum->n.n_flows, sizeof **to->labels);
    if (!to->label_names[*place] || !to->labels[*place])
        return WSP_ERR_NOMEM;
    for (size_t i = 0; i < sum->n.n_flows; i++)
        to->labels[*place][i] = -1;
    return WSP_OK;
}

static wsp_status add_labels(wsp_tokens *to, const wsp_tokens *t, const totals *sum)
{
    for (size_t h = 0; h < t->n_heads; h++) {
        size_t at, *number = wspi_new_array(t->n_labels[h], sizeof *number);
        wsp_status st = number ? join_head(to, t->heads[h], sum, &at) : WSP_ERR_NOMEM;

        for (size_t l = 0; st == WSP_OK && l < t->n_labels[h]; l++)
            st =
                join_name(to->label_names[at], &to->n_labels[at], t->label_names[h][l], &number[l]);
        for (size_t i = 0; st == WSP_OK && i < t->n_flows; i++)
            if (t->labels[h][i] >= 0)
                to->labels[at][to->n_flows + i] = (int32_t)number[t->labels[h][i]];
        free(number);
        WSP_TRY(st);
    }
    return WSP_OK;
}

static wsp_status add_captures(wsp_tokens *to, const wsp_tokens *t)
{
    for (size_t i = 0; i < t->n_flows; i++)
        to->capture[to->n_flows + i] = (uint32_t)(to->n_captures + t->capture[i]);
    for (size_t i = 0; i < t->n_captures; i++) {
        to->captures[to->n_captures] = strdup(t->captures[i]);
        if (!to->captures[to->n_captures])
            return WSP_ERR_NOMEM;
        to->linktype[to->n_captures++] = t->linktype[i];
    }
    return WSP_OK;
}

static void add_flows(wsp_tokens *to, const wsp_tokens *t)
{
    if (t->n_tokens)
        memcpy(to->ids + to->n_tokens, t->ids, t->n_tokens * sizeof *t->ids);
    if (t->n_flows)
        memcpy(to->flow_end + to->n_flows, t->flow_end, t->n_flows);
    for (size_t i = 1; i <= t->n_packets; i++)
        to->packet_off[to->n_packets + i] = to->n_tokens + t->packet_off[i];
    for (size_t i = 1; i <= t->n_flows; i++)
        to->flow_off[to->n_flows + i] = to->n_packets + t->flow_off[i];
    to->n_tokens += t->n_tokens;
    to->n_packets += t->n_packets;
    to->n_flows += t->n_flows;
}

wsp_status wsp_tokens_join(wsp_tokens **out, const wsp_tokens *const *set, size_t sets,
                           wsp_error *err)
{
    const totals sum = add_up(set, sets);
    wsp_tokens *to = wspi_new_array(1, sizeof *to);
    wsp_status st = to ? make_room(to, &sum) : WSP_ERR_NOMEM;

    *out = NULL;
    for (size_t s = 0; st == WSP_OK && s < sets; s++) {
        st = add_labels(to, set[s], &sum);
        if (st == WSP_OK)
            st = add_captures(to, set[s]);
        if (st == WSP_OK)
            add_flows(to, set[s]);
    }
    if (st < 0) {
        wsp_tokens_free(to);
        return wspi_nomem(err, "sets of flows as one", sum.n.n_tokens * sizeof *to->ids);
    }
    *out = to;
    return WSP_OK;
}
