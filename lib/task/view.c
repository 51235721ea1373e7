/* SPDX-License-Identifier: Apache-2.0 */
/* view.c: a set of tokens as the model reads it (mask policy, cuts), and ragged batches of chosen flows. */
#include "task/task_int.h"
#include "token/token_int.h"

wsp_view_options wsp_view_options_default(void)
{
    return (wsp_view_options){.policy = NULL, .max_packets = 24, .max_payload = 24};
}

uint16_t wspi_flow_end_token(void)
{
    (void)wsp_vocab_size(); /* lays the vocabulary out */
    return (uint16_t)(wspi_group_base(WSPI_T_START) + WSPI_START_END);
}

wsp_status wspi_view_make(wspi_view *v, const wsp_tokens *t, const wsp_view_options *opt,
                          size_t max_tokens, bool flow_ends, wsp_error *err)
{
    const uint16_t end = wspi_flow_end_token();
    const wsp_policy *policy = wsp_policy_get(opt->policy);
    size_t packets = 0, ids = 0;

    memset(v, 0, sizeof *v);
    if (!policy)
        return wspi_fail(err, WSP_ERR_ARG, 0, "there is no mask policy '%s'", opt->policy);
    v->ids = wspi_new_array(t->n_tokens + 1, sizeof *v->ids);
    v->packet_off = wspi_new_array(t->n_packets + 1, sizeof *v->packet_off);
    v->flow_off = wspi_new_array(t->n_flows + 1, sizeof *v->flow_off);
    if (!v->ids || !v->packet_off || !v->flow_off) {
        wspi_view_clear(v);
        return wspi_nomem(err, "the model's view of the flows", t->n_tokens * sizeof *v->ids);
    }
    for (size_t f = 0; f < t->n_flows; f++) {
        uint8_t seen = 0;
        for (uint64_t p = t->flow_off[f];
             p < t->flow_off[f + 1] && p < t->flow_off[f] + opt->max_packets; p++) {
            size_t n = (size_t)(t->packet_off[p + 1] - t->packet_off[p]);
            if (!flow_ends && n == 1 && t->ids[t->packet_off[p]] == end)
                continue;
            ids += wsp_policy_apply(policy, t->ids + t->packet_off[p], n, opt->max_payload,
                                    max_tokens, &seen, v->ids + ids);
            v->packet_off[++packets] = ids;
        }
        v->flow_off[f + 1] = packets;
    }
    v->n_flows = t->n_flows;
    return WSP_OK;
}

void wspi_view_clear(wspi_view *v)
{
    free(v->ids);
    free(v->packet_off);
    free(v->flow_off);
    memset(v, 0, sizeof *v);
}

static size_t tokens_of(const wspi_view *v, size_t flow)
{
    return (size_t)(v->packet_off[v->flow_off[flow + 1]] - v->packet_off[v->flow_off[flow]]);
}

size_t wspi_batcher_span(const wspi_view *v, const uint32_t *order, size_t n, size_t budget)
{
    size_t taken = 0;

    for (size_t tokens = 0; taken < n && tokens < budget; taken++)
        tokens += tokens_of(v, order[taken]);
    return taken;
}

/* The packet at which a flow begins: as a capture that began late would have it. */
static uint64_t late_start(wspi_augment *a, uint64_t from, uint64_t to)
{
    if (to - from < 2 || wspi_rng_unit(&a->rng) >= a->skip)
        return from;
    return from + 1 + wspi_rng_below(&a->rng, WSPI_MIN(to - from - 1, (uint64_t)WSPI_SKIP_MOST));
}

/* n tokens of a packet to the end of the batch, some of them left out, but never all. */
static void add_tokens(wspi_batcher *b, const uint16_t *ids, size_t n, wspi_augment *a)
{
    size_t *at = &b->batch.n_tokens, before = *at;

    if (!a || !(a->drop > 0)) {
        memcpy(b->ids + *at, ids, n * sizeof *ids);
        *at += n;
        return;
    }
    for (size_t i = 0; i < n; i++)
        if (wspi_rng_unit(&a->rng) >= a->drop)
            b->ids[(*at)++] = ids[i];
    if (*at == before)
        b->ids[(*at)++] = ids[0];
}

static wsp_status add_flow(wspi_batcher *b, const wspi_view *v, size_t flow, wspi_augment *a)
{
    wsp_batch *n = &b->batch;
    uint64_t to = v->flow_off[flow + 1],
             from = a ? late_start(a, v->flow_off[flow], to) : v->flow_off[flow];

    WSP_TRY(wspi_grow(&b->ids, &b->cap_ids, n->n_tokens + tokens_of(v, flow), sizeof *b->ids));
    WSP_TRY(wspi_grow(&b->packet_off, &b->cap_packets, n->n_packets + (size_t)(to - from) + 1,
                      sizeof *b->packet_off));
    WSP_TRY(wspi_grow(&b->flow_off, &b->cap_flows, n->n_flows + 2, sizeof *b->flow_off));
    b->packet_off[0] = b->flow_off[0] = 0;
    for (uint64_t p = from; p < to; p++) {
        uint64_t i = v->packet_off[p];
        add_tokens(b, v->ids + i, (size_t)(v->packet_off[p + 1] - i), a);
        b->packet_off[++n->n_packets] = (uint32_t)n->n_tokens;
    }
    b->flow_off[++n->n_flows] = (uint32_t)n->n_packets;
    return WSP_OK;
}

wsp_status wspi_batcher_fill(wspi_batcher *b, const wspi_view *v, const wsp_tokens *t,
                             const uint32_t *order, size_t n, size_t budget, const int *map,
                             size_t n_heads, wspi_augment *augment, size_t *taken)
{
    memset(&b->batch, 0, sizeof b->batch);
    *taken = wspi_batcher_span(v, order, n, budget);
    for (size_t i = 0; i < *taken; i++) {
        size_t flow = order[i];
        WSP_TRY(add_flow(b, v, flow, augment));
        if (!map)
            continue;
        WSP_TRY(wspi_grow(&b->labels, &b->cap_labels, b->batch.n_flows * n_heads + 1,
                          sizeof *b->labels));
        for (size_t h = 0; h < n_heads; h++)
            b->labels[(b->batch.n_flows - 1) * n_heads + h] =
                map[h] < 0 ? -1 : t->labels[map[h]][flow];
    }
    b->batch.ids = b->ids;
    b->batch.packet_off = b->packet_off;
    b->batch.flow_off = b->flow_off;
    b->batch.labels = map ? b->labels : NULL;
    return WSP_OK;
}

void wspi_batcher_clear(wspi_batcher *b)
{
    free(b->ids);
    free(b->packet_off);
    free(b->flow_off);
    free(b->labels);
    free(b->condition);
    memset(b, 0, sizeof *b);
}
