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

wspi_piece wspi_piece_of(const wspi_view *v, uint32_t flow)
{
    return (wspi_piece){.flow = flow, .from = v->flow_off[flow], .to = v->flow_off[flow + 1]};
}

size_t wspi_piece_tokens(const wspi_view *v, const wspi_piece *p)
{
    return (size_t)(v->packet_off[p->to] - v->packet_off[p->from]);
}

size_t wspi_batcher_span(const wspi_view *v, const uint32_t *order, size_t n, size_t budget,
                         uint64_t packets)
{
    size_t taken = 0;

    for (size_t tokens = 0; taken < n && tokens < budget; taken++) {
        wspi_piece p = wspi_piece_of(v, order[taken]);

        p.to = p.from + WSPI_MIN(p.to - p.from, packets);
        tokens += wspi_piece_tokens(v, &p);
    }
    return taken;
}

uint64_t wspi_late_start(wspi_augment *a, uint64_t from, uint64_t to)
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

/* Of a window it is settled where its flow begins. */
static wsp_status add_piece(wspi_batcher *b, const wspi_view *v, const wspi_piece *p,
                            wspi_augment *a)
{
    wsp_batch *n = &b->batch;
    uint64_t from = a && !p->window.packets ? wspi_late_start(a, p->from, p->to) : p->from;

    WSP_TRY(wspi_grow(&b->ids, &b->cap_ids, n->n_tokens + wspi_piece_tokens(v, p), sizeof *b->ids));
    WSP_TRY(wspi_grow(&b->packet_off, &b->cap_packets, n->n_packets + (size_t)(p->to - from) + 1,
                      sizeof *b->packet_off));
    WSP_TRY(wspi_grow(&b->flow_off, &b->cap_flows, n->n_flows + 2, sizeof *b->flow_off));
    WSP_TRY(wspi_grow(&b->windows, &b->cap_windows, n->n_flows + 1, sizeof *b->windows));
    b->packet_off[0] = b->flow_off[0] = 0;
    for (uint64_t k = from; k < p->to; k++) {
        uint64_t i = v->packet_off[k];
        add_tokens(b, v->ids + i, (size_t)(v->packet_off[k + 1] - i), a);
        b->packet_off[++n->n_packets] = (uint32_t)n->n_tokens;
    }
    b->windows[n->n_flows] = p->window;
    if (p->window.packets)
        n->windows = b->windows;
    b->flow_off[++n->n_flows] = (uint32_t)n->n_packets;
    return WSP_OK;
}

wsp_status wspi_batcher_push(wspi_batcher *b, const wspi_piece *p)
{
    WSP_TRY(wspi_grow(&b->piece, &b->cap_pieces, b->n_pieces + 1, sizeof *b->piece));
    b->piece[b->n_pieces++] = *p;
    return WSP_OK;
}

wsp_status wspi_batcher_make(wspi_batcher *b, const wspi_view *v, const wsp_tokens *t,
                             const int *map, size_t n_heads, wspi_augment *augment)
{
    memset(&b->batch, 0, sizeof b->batch);
    for (size_t i = 0; i < b->n_pieces; i++) {
        WSP_TRY(add_piece(b, v, &b->piece[i], augment));
        if (!map)
            continue;
        WSP_TRY(wspi_grow(&b->labels, &b->cap_labels, (i + 1) * n_heads + 1, sizeof *b->labels));
        for (size_t h = 0; h < n_heads; h++)
            b->labels[i * n_heads + h] = map[h] < 0 ? -1 : t->labels[map[h]][b->piece[i].flow];
    }
    b->batch.ids = b->ids;
    b->batch.packet_off = b->packet_off;
    b->batch.flow_off = b->flow_off;
    b->batch.windows = b->batch.windows ? b->windows : NULL; /* which may have moved */
    b->batch.labels = map ? b->labels : NULL;
    return WSP_OK;
}

wsp_status wspi_batcher_fill(wspi_batcher *b, const wspi_view *v, const wsp_tokens *t,
                             const uint32_t *order, size_t n, size_t budget, const int *map,
                             size_t n_heads, wspi_augment *augment, size_t *taken)
{
    b->n_pieces = 0;
    *taken = wspi_batcher_span(v, order, n, budget, UINT64_MAX);
    for (size_t i = 0; i < *taken; i++) {
        const wspi_piece p = wspi_piece_of(v, order[i]);
        WSP_TRY(wspi_batcher_push(b, &p));
    }
    return wspi_batcher_make(b, v, t, map, n_heads, augment);
}

void wspi_batcher_clear(wspi_batcher *b)
{
    free(b->piece);
    free(b->ids);
    free(b->packet_off);
    free(b->flow_off);
    free(b->labels);
    free(b->condition);
    free(b->windows);
    memset(b, 0, sizeof *b);
}
