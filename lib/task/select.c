/* SPDX-License-Identifier: Apache-2.0 */
/* select.c: a part of a set of tokens as a set of its own: chosen flows, their first packets, what a policy leaves. */
#include "task/task_int.h"

void wspi_free_names(char **names, size_t n)
{
    for (size_t i = 0; names && i < n; i++)
        free(names[i]);
    free(names);
}

char **wspi_copy_names(const char *const *names, size_t n)
{
    char **out = wspi_new_array(n, sizeof *out);

    for (size_t i = 0; out && i < n; i++)
        if (!(out[i] = strdup(names[i]))) {
            wspi_free_names(out, i);
            return NULL;
        }
    return out;
}

/* Label columns, which are still empty, and room for the captures. */
static wsp_status copy_frame(wsp_tokens *to, const wsp_tokens *t, size_t n_flows)
{
    to->n_heads = t->n_heads;
    to->captures = wspi_new_array(t->n_captures, sizeof *to->captures);
    to->linktype = wspi_new_array(t->n_captures, sizeof *to->linktype);
    to->heads = wspi_copy_names((const char *const *)t->heads, t->n_heads);
    to->n_labels = wspi_new_array(t->n_heads, sizeof *to->n_labels);
    to->label_names = wspi_new_array(t->n_heads, sizeof *to->label_names);
    to->labels = wspi_new_array(t->n_heads, sizeof *to->labels);
    if (!to->captures || !to->linktype || !to->heads || !to->n_labels || !to->label_names ||
        !to->labels)
        return WSP_ERR_NOMEM;
    for (size_t h = 0; h < t->n_heads; h++) {
        to->label_names[h] =
            wspi_copy_names((const char *const *)t->label_names[h], t->n_labels[h]);
        to->n_labels[h] = t->n_labels[h];
        to->labels[h] = wspi_new_array(n_flows, sizeof **to->labels);
        if (!to->label_names[h] || !to->labels[h])
            return WSP_ERR_NOMEM;
    }
    return WSP_OK;
}

typedef struct cut {
    const wsp_selection *s;
    const wsp_policy *policy;
    uint32_t *number; /* [captures] in the new set + 1; 0: not there yet */
} cut;

static uint64_t last_packet(const wsp_tokens *t, size_t flow, const cut *c)
{
    uint64_t from = t->flow_off[flow], to = t->flow_off[flow + 1];

    return c->s->max_packets && to - from > c->s->max_packets ? from + c->s->max_packets : to;
}

static wsp_status make_room(wsp_tokens *to, const wsp_tokens *t, const cut *c, size_t n)
{
    size_t packets = 0, ids = 0;

    for (size_t i = 0; i < n; i++) {
        size_t f = c->s->flows ? c->s->flows[i] : i;
        uint64_t from = t->flow_off[f], end = last_packet(t, f, c);
        packets += (size_t)(end - from);
        ids += (size_t)(t->packet_off[end] - t->packet_off[from]);
    }
    to->ids = wspi_new_array(ids, sizeof *to->ids);
    to->packet_off = wspi_new_array(packets + 1, sizeof *to->packet_off);
    to->flow_off = wspi_new_array(n + 1, sizeof *to->flow_off);
    to->capture = wspi_new_array(n, sizeof *to->capture);
    to->flow_end = wspi_new_array(n, sizeof *to->flow_end);
    return to->ids && to->packet_off && to->flow_off && to->capture && to->flow_end ? WSP_OK
                                                                                    : WSP_ERR_NOMEM;
}

/* The flow's capture is in the new set: as far as it was not, it comes after those that are. */
static wsp_status take_capture(wsp_tokens *to, const wsp_tokens *t, size_t f, const cut *c)
{
    uint32_t *number = &c->number[t->capture[f]];

    if (!*number) {
        to->captures[to->n_captures] = strdup(t->captures[t->capture[f]]);
        if (!to->captures[to->n_captures])
            return WSP_ERR_NOMEM;
        to->linktype[to->n_captures++] = t->linktype[t->capture[f]];
        *number = (uint32_t)to->n_captures;
    }
    to->capture[to->n_flows] = *number - 1;
    return WSP_OK;
}

static void add_flow(wsp_tokens *to, const wsp_tokens *t, size_t f, const cut *c)
{
    uint64_t end = last_packet(t, f, c);
    uint8_t seen = 0;

    for (uint64_t p = t->flow_off[f]; p < end; p++) {
        to->n_tokens += wsp_policy_apply(c->policy, t->ids + t->packet_off[p],
                                         (size_t)(t->packet_off[p + 1] - t->packet_off[p]),
                                         SIZE_MAX, SIZE_MAX, &seen, to->ids + to->n_tokens);
        to->packet_off[++to->n_packets] = to->n_tokens;
    }
    to->flow_end[to->n_flows] = t->flow_end[f];
    for (size_t h = 0; h < t->n_heads; h++)
        to->labels[h][to->n_flows] = t->labels[h][f];
    to->n_flows++;
    to->flow_off[to->n_flows] = to->n_packets;
}

wsp_status wsp_tokens_select(wsp_tokens **out, const wsp_tokens *t, const wsp_selection *s,
                             wsp_error *err)
{
    cut c = {.s = s, .policy = wsp_policy_get(s->policy ? s->policy : "everything")};
    size_t n = s->flows ? s->n : t->n_flows;
    wsp_tokens *to;
    wsp_status st;

    *out = NULL;
    if (!c.policy)
        return wspi_fail(err, WSP_ERR_ARG, 0, "there is no mask policy '%s'", s->policy);
    for (size_t i = 0; s->flows && i < n; i++)
        if (s->flows[i] >= t->n_flows)
            return wspi_fail(err, WSP_ERR_ARG, 0, "there is no flow %u among %zu", s->flows[i],
                             t->n_flows);
    to = wspi_new_array(1, sizeof *to);
    c.number = wspi_new_array(t->n_captures, sizeof *c.number);
    st = to && c.number && copy_frame(to, t, n) == WSP_OK ? make_room(to, t, &c, n) : WSP_ERR_NOMEM;
    for (size_t i = 0; st == WSP_OK && i < n; i++) {
        st = take_capture(to, t, s->flows ? s->flows[i] : i, &c);
        if (st == WSP_OK)
            add_flow(to, t, s->flows ? s->flows[i] : i, &c);
    }
    free(c.number);
    if (st < 0) {
        wsp_tokens_free(to);
        return wspi_nomem(err, "a part of a set of flows", n);
    }
    *out = to;
    return WSP_OK;
}

size_t wsp_tokens_packets(const wsp_tokens *t, size_t flow)
{
    uint64_t from = t->flow_off[flow], to = t->flow_off[flow + 1];
    uint64_t last = to > from ? t->packet_off[to - 1] : 0;
    bool end = to > from && t->packet_off[to] == last + 1 && t->ids[last] == wspi_flow_end_token();

    return (size_t)(to - from) - end;
}
