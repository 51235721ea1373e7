/* SPDX-License-Identifier: Apache-2.0 */
/* engine.c: takes a part of a batch to work on, and lays out its activations in one block that only ever grows. */
#include "model/model_int.h"

/* Inference forgets the packets that it has met when they are so many. */
/* Different packets that are remembered: four times as many are no faster. */
enum { MET_MAX = 16384 };

wsp_status wspi_engine_init(wspi_engine *e, const wsp_model *m, bool train, wsp_dtype dtype,
                            wsp_error *err)
{
    static const wspi_nn_kind kind[] = {[WSP_DTYPE_F32] = WSPI_NN_F32,
                                        [WSP_DTYPE_BF16] = WSPI_NN_BF16,
                                        [WSP_DTYPE_INT8] = WSPI_NN_INT8};

    *e = (wspi_engine){.m = m, .train = train};
    if (train && dtype == WSP_DTYPE_INT8)
        return wspi_fail(err, WSP_ERR_UNSUPPORTED, 0,
                         "int8 is no type to train with: use bf16 or f32");
    if ((unsigned)dtype > WSP_DTYPE_INT8)
        return wspi_fail(err, WSP_ERR_ARG, 0, "there is no type number %d", (int)dtype);
    if (dtype == WSP_DTYPE_AUTO)
        dtype = wspi_nn_prefers_bf16() ? WSP_DTYPE_BF16 : WSP_DTYPE_F32;
    return wspi_nn_new(&e->nn, kind[dtype], err);
}

void wspi_engine_weights_changed(wspi_engine *e)
{
    wspi_nn_weights_changed(e->nn);
    wspi_packets_forget(&e->met);
}

void wspi_engine_clear(wspi_engine *e)
{
    wspi_nn_free(e->nn);
    free(e->poff);
    free(e->roff);
    free(e->condition);
    free(e->chunk0);
    free(e->target);
    free(e->order);
    free(e->row_packet);
    free(e->number);
    free(e->cut);
    free(e->block);
    wspi_windows_clear(&e->windows);
    wspi_packets_clear(&e->met);
}

size_t wspi_state_layer_size(const wsp_model_config *c)
{
    return (size_t)c->flow_heads * ((size_t)c->flow_dk * c->flow_dv +
                                    (size_t)(c->conv - 1) * (2 * c->flow_dk + c->flow_dv));
}

/* The next n floats of the block, 64-byte aligned. Without a block only counts. */
static float *take(wspi_engine *e, size_t n)
{
    float *p = e->block ? e->block + e->used : NULL;

    e->used += (n + 15) & ~(size_t)15;
    return p;
}

/* x: the residual before it, which inference updates in place; NULL: it has one of its own. */
static wspi_mlp_act take_mlp(wspi_engine *e, size_t N, float *x)
{
    size_t C = e->m->cfg.channels, ff = e->m->cfg.ff;
    wspi_mlp_act a = {.x = e->train || !x ? take(e, N * C) : x,
                      .rstd = take(e, N),
                      .n = take(e, N * C),
                      .u = take(e, N * ff)};

    a.h = e->train ? take(e, N * ff) : a.u;
    return a;
}

/* Blocks, and the residual after them. Inference keeps one layer's activations: all layers share them, the residual is
 * updated in place. */
static void take_blocks(wspi_engine *e, wspi_block_act *a, size_t layers, size_t N)
{
    size_t C = e->m->cfg.channels;

    for (size_t l = 0; l <= layers; l++) {
        if (l > 0 && !e->train) {
            a[l] = a[0];
            continue;
        }
        a[l].x = take(e, N * C);
        if (l == layers)
            break;
        a[l].rstd = take(e, N);
        a[l].n = take(e, N * C);
        a[l].qkv = take(e, N * 3 * C);
        a[l].o = take(e, N * C);
        a[l].mlp = take_mlp(e, N, a[l].x);
    }
}

/* The packet stack for n packets of N tokens. */
static void take_packets(wspi_engine *e, size_t n, size_t N)
{
    size_t C = e->m->cfg.channels, layers = e->m->cfg.packet_layers;

    take_blocks(e, e->packet, layers > 0 ? layers - 1 : 0, N);
    e->top = (wspi_top_act){.rstd = take(e, N),
                            .n = take(e, N * C),
                            .kv = take(e, N * 2 * C),
                            .last_n = take(e, n * C),
                            .q = take(e, n * C),
                            .o = take(e, n * C),
                            .mlp = take_mlp(e, n, NULL)};
    e->last = take(e, n * C);
    e->last_rstd = take(e, n);
}

static void take_mixers(wspi_engine *e)
{
    const wsp_model_config *c = &e->m->cfg;
    size_t C = c->channels, H = c->flow_heads, qkv = H * (2 * c->flow_dk + c->flow_dv),
           V = H * c->flow_dv;

    for (size_t l = 0; l <= c->flow_layers; l++) {
        wspi_mix_act *a = &e->flow[l];
        if (l > 0 && !e->train) {
            *a = e->flow[0];
            continue;
        }
        a->x = take(e, e->R * C);
        if (l == c->flow_layers)
            break;
        a->rstd = take(e, e->R);
        a->n = take(e, e->R * C);
        a->in = take(e, e->R * (qkv + V + H));
        a->pre = take(e, e->R * qkv);
        a->qkv = take(e, e->R * qkv);
        a->g = take(e, e->R * H);
        a->o = take(e, e->R * V);
        a->rstd_o = take(e, e->R * H);
        a->y = take(e, e->R * V);
        a->saved = e->train ? take(e, e->n_chunks * H * c->flow_dk * c->flow_dv) : NULL;
        a->mlp = take_mlp(e, e->R, a->x);
    }
}

static void layout(wspi_engine *e, bool output)
{
    const wsp_model_config *c = &e->m->cfg;
    size_t C = c->channels, H = c->flow_heads, in = H * (2 * c->flow_dk + 2 * c->flow_dv + 1);
    size_t packet_rows = e->train ? e->met.n_tokens : WSPI_CUT_TOKENS + c->max_tokens;
    size_t packets = e->train ? e->met.n : packet_rows;
    size_t rows = WSPI_MAX(WSPI_MAX(e->N, e->R), packet_rows),
           deep = WSPI_MAX(WSPI_MAX((size_t)c->ff, 3 * C), in), widest = c->vocab;

    e->used = 0;
    for (size_t h = 0; h < e->m->n_heads; h++)
        widest = WSPI_MAX(widest, e->m->head[h].n_labels);
    take_packets(e, packets, packet_rows);
    take_mixers(e);
    e->f_rstd = take(e, e->R);
    e->c = take(e, e->R * C);
    if (output) {
        take_blocks(e, e->output, c->output_layers, e->N);
        e->o_rstd = take(e, e->N);
        e->o_n = take(e, e->N * C);
    }
    e->wc = take(e, rows * C);
    e->branch = take(e, rows * C);
    e->logits = take(e, WSPI_LM_ROWS * widest);
    e->loss = take(e, WSPI_MAX(e->N, (size_t)WSPI_LM_ROWS));
    e->nll = take(e, e->N);
    e->scale = take(e, WSPI_LM_ROWS);
    e->work = take(e, (size_t)c->flow_dk * c->flow_dv);
    if (!e->train)
        return;
    e->dx = take(e, rows * C);
    e->dn = take(e, rows * C);
    e->dc = take(e, e->R * C);
    e->dlast = take(e, packets * C);
    e->dwide = take(e, rows * deep);
    e->ddeep = take(e, rows * deep);
}

static wsp_status make_room(wspi_engine *e, bool output, wsp_error *err)
{
    float *keep = e->block;

    e->block = NULL;
    layout(e, output);
    if (e->used > e->cap) {
        free(keep);
        e->cap = 0;
        e->block = wspi_new_floats(e->used + e->used / 4);
        if (!e->block)
            return wspi_nomem(err, "activations", e->used * sizeof(float));
        e->cap = e->used + e->used / 4;
    } else {
        e->block = keep;
    }
    layout(e, output);
    return WSP_OK;
}

static wsp_status reserve(wspi_engine *e, size_t P, size_t F, size_t N, size_t R, wsp_error *err)
{
    if (wspi_grow(&e->poff, &e->poff_cap, P + 1, sizeof *e->poff) < 0 ||
        wspi_grow(&e->roff, &e->roff_cap, F + 1, sizeof *e->roff) < 0 ||
        wspi_grow(&e->row_packet, &e->row_cap, R, sizeof *e->row_packet) < 0 ||
        wspi_grow(&e->number, &e->number_cap, P, sizeof *e->number) < 0 ||
        wspi_grow(&e->condition, &e->cond_cap, F, sizeof *e->condition) < 0 ||
        wspi_grow(&e->chunk0, &e->chunk_cap, F, sizeof *e->chunk0) < 0 ||
        wspi_grow(&e->target, &e->target_cap, WSPI_MAX(N, R), sizeof *e->target) < 0 ||
        wspi_grow(&e->order, &e->order_cap, N, sizeof *e->order) < 0)
        return wspi_nomem(err, "offsets of a batch", P + F);
    e->P = P;
    e->F = F;
    e->N = N;
    e->R = R;
    e->n_chunks = 0;
    return WSP_OK;
}

wsp_status wspi_engine_number_packets(wspi_engine *e, const wsp_batch *b, size_t p0, size_t n,
                                      uint32_t *number, wsp_error *err)
{
    /* training looks at the packets of its part alone, and needs their activations */
    if (e->train || e->met.n > MET_MAX)
        wspi_packets_forget(&e->met);
    for (size_t i = 0; i < n; i++) {
        uint32_t from = b->packet_off[p0 + i], len = b->packet_off[p0 + i + 1] - from;

        if (wspi_packets_number(&e->met, b->ids + from, len, number + i) < 0)
            return wspi_nomem(err, "the packets of a batch", n);
    }
    if (wspi_grow(&e->met.vector, &e->met.vector_cap, e->met.n * e->m->cfg.channels,
                  sizeof *e->met.vector) < 0)
        return wspi_nomem(err, "vectors of packets", e->met.n * e->m->cfg.channels);
    return WSP_OK;
}

wsp_status wspi_engine_select(wspi_engine *e, const wsp_batch *b, size_t f0, size_t f1, bool output,
                              wsp_error *err)
{
    size_t p0 = b->flow_off[f0], p1 = b->flow_off[f1], t0 = b->packet_off[p0],
           start = e->state ? 0 : 1;

    WSP_TRY(reserve(e, p1 - p0, f1 - f0, b->packet_off[p1] - t0, p1 - p0 + start * (f1 - f0), err));
    e->ids = b->ids + t0;
    for (size_t i = 0; i <= e->P; i++)
        e->poff[i] = b->packet_off[p0 + i] - (uint32_t)t0;
    for (size_t f = 0; f <= e->F; f++)
        e->roff[f] = (uint32_t)(b->flow_off[f0 + f] - p0 + start * f);
    WSP_TRY(wspi_engine_number_packets(e, b, p0, e->P, e->number, err));
    if (e->train)
        WSP_TRY(wspi_windows_select(e, b, f0, err));
    for (size_t f = 0, p = 0; f < e->F; f++) {
        size_t row = e->roff[f];
        bool goes_on = wspi_window_goes_on(e, f);

        e->condition[f] = b->condition && !goes_on ? b->condition[f0 + f] : -1;
        e->chunk0[f] = e->n_chunks;
        e->n_chunks += (e->roff[f + 1] - row + e->m->cfg.chunk - 1) / e->m->cfg.chunk;
        if (start)
            e->row_packet[row++] = goes_on ? WSPI_ROW_PAST : WSPI_ROW_START;
        for (; row < e->roff[f + 1]; row++)
            e->row_packet[row] = (int32_t)e->number[p++];
    }
    return make_room(e, output, err);
}

wsp_status wspi_engine_select_start(wspi_engine *e, const int32_t *condition, size_t n,
                                    wsp_error *err)
{
    WSP_TRY(reserve(e, 0, n, 0, n, err));
    for (size_t f = 0; f <= n; f++)
        e->roff[f] = (uint32_t)f;
    for (size_t f = 0; f < n; f++) {
        e->row_packet[f] = WSPI_ROW_START;
        e->condition[f] = condition ? condition[f] : -1;
    }
    return make_room(e, false, err);
}

wsp_status wspi_engine_select_rows(wspi_engine *e, const uint32_t *packet, size_t n, wsp_error *err)
{
    WSP_TRY(reserve(e, n, n, 0, n, err));
    for (size_t f = 0; f <= n; f++)
        e->roff[f] = (uint32_t)f;
    for (size_t f = 0; f < n; f++)
        e->row_packet[f] = (int32_t)packet[f];
    return make_room(e, false, err);
}

wsp_status wspi_engine_select_speech(wspi_engine *e, const wspi_speech *s, size_t n, wsp_error *err)
{
    size_t N = 0;

    for (size_t i = 0; i < n; i++)
        N += s[i].len + 1 - s[i].memory->rows;
    WSP_TRY(reserve(e, n, 0, N, n, err));
    e->poff[0] = 0;
    for (size_t i = 0; i < n; i++)
        e->poff[i + 1] = e->poff[i] + s[i].len + 1 - s[i].memory->rows;
    return make_room(e, true, err);
}

size_t wspi_part_end(const wsp_batch *b, size_t f0, size_t end, size_t budget)
{
    size_t f = f0 + 1, start = b->packet_off[b->flow_off[f0]];

    while (f < end && b->packet_off[b->flow_off[f + 1]] - start <= budget)
        f++;
    return f;
}

wsp_status wspi_batch_check(const wsp_model *m, const wsp_batch *b, wsp_error *err)
{
    if (b->n_flows == 0)
        return wspi_fail(err, WSP_ERR_ARG, 0, "a batch without flows");
    if (b->flow_off[0] != 0 || b->packet_off[0] != 0 || b->flow_off[b->n_flows] != b->n_packets ||
        b->packet_off[b->n_packets] != b->n_tokens)
        return wspi_fail(err, WSP_ERR_ARG, 0, "a batch's offsets do not span it");
    for (size_t f = 0; f < b->n_flows; f++) {
        if (b->flow_off[f + 1] <= b->flow_off[f] || b->flow_off[f + 1] > b->n_packets)
            return wspi_fail(err, WSP_ERR_ARG, 0, "flow %zu of a batch has no packets", f);
        if (b->condition && (b->condition[f] < -1 || b->condition[f] >= (int64_t)m->n_conditions))
            return wspi_fail(err, WSP_ERR_ARG, 0, "condition %d of flow %zu is unknown",
                             b->condition[f], f);
        if (b->windows && b->windows[f].packets &&
            b->windows[f].packets < b->flow_off[f + 1] - b->flow_off[f])
            return wspi_fail(err, WSP_ERR_ARG, 0, "a window of flow %zu is longer than the flow",
                             f);
        for (size_t h = 0; b->labels && h < m->n_heads; h++) {
            int32_t l = b->labels[f * m->n_heads + h];
            if (l < -1 || l >= (int64_t)m->head[h].n_labels)
                return wspi_fail(err, WSP_ERR_ARG, 0, "label %d of flow %zu is unknown", l, f);
        }
    }
    for (size_t p = 0; p < b->n_packets; p++)
        if (b->packet_off[p + 1] <= b->packet_off[p] || b->packet_off[p + 1] > b->n_tokens ||
            b->packet_off[p + 1] - b->packet_off[p] > m->cfg.max_tokens)
            return wspi_fail(err, WSP_ERR_ARG, 0, "packet %zu of a batch has no tokens or too many",
                             p);
    for (size_t i = 0; i < b->n_tokens; i++)
        if (b->ids[i] >= m->cfg.vocab)
            return wspi_fail(err, WSP_ERR_ARG, 0, "token %u is not below %u", b->ids[i],
                             m->cfg.vocab);
    return WSP_OK;
}
