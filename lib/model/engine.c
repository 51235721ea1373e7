/* SPDX-License-Identifier: Apache-2.0 */
/* engine.c: takes a part of a batch to work on, and lays out its activations in one block that only ever grows. */
#include "model/model_int.h"

wsp_status wspi_engine_init(wspi_engine *e, const wsp_model *m, bool train, bool plain,
                            wsp_error *err)
{
    *e = (wspi_engine){.m = m, .train = train};
    return wspi_nn_new(&e->nn, plain, err);
}

void wspi_engine_clear(wspi_engine *e)
{
    wspi_nn_free(e->nn);
    free(e->poff);
    free(e->roff);
    free(e->condition);
    free(e->chunk0);
    free(e->target);
    free(e->block);
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

static wspi_mlp_act take_mlp(wspi_engine *e, size_t N)
{
    size_t C = e->m->cfg.channels, ff = e->m->cfg.ff;

    return (wspi_mlp_act){.x = take(e, N * C),
                          .rstd = take(e, N),
                          .n = take(e, N * C),
                          .u = take(e, N * ff),
                          .h = take(e, N * ff)};
}

/* Inference keeps one layer's activations: all layers share them, the residual is updated in place. */
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
        a[l].mlp = take_mlp(e, N);
    }
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
        a->mlp = take_mlp(e, e->R);
    }
}

static void layout(wspi_engine *e, bool output)
{
    const wsp_model_config *c = &e->m->cfg;
    size_t C = c->channels, H = c->flow_heads, in = H * (2 * c->flow_dk + 2 * c->flow_dv + 1);
    size_t rows = WSPI_MAX(e->N, e->R), deep = WSPI_MAX(WSPI_MAX((size_t)c->ff, 3 * C), in);
    size_t widest = c->vocab;

    e->used = 0;
    for (size_t h = 0; h < e->m->n_heads; h++)
        widest = WSPI_MAX(widest, e->m->head[h].n_labels);
    take_blocks(e, e->packet, c->packet_layers, e->N);
    e->p_rstd = take(e, e->N);
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
    e->loss = take(e, WSPI_LM_ROWS);
    e->scale = take(e, WSPI_LM_ROWS);
    e->work = take(e, (size_t)c->flow_dk * c->flow_dv);
    if (!e->train)
        return;
    e->dx = take(e, rows * C);
    e->dn = take(e, rows * C);
    e->dc = take(e, e->R * C);
    e->dwide = take(e, rows * WSPI_MAX(deep, C));
    e->ddeep = take(e, rows * WSPI_MAX(deep, C));
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

static wsp_status reserve(wspi_engine *e, size_t P, size_t F, size_t N, wsp_error *err)
{
    if (wspi_grow(&e->poff, &e->poff_cap, P + 1, sizeof *e->poff) < 0 ||
        wspi_grow(&e->roff, &e->roff_cap, F + 1, sizeof *e->roff) < 0 ||
        wspi_grow(&e->condition, &e->cond_cap, F, sizeof *e->condition) < 0 ||
        wspi_grow(&e->chunk0, &e->chunk_cap, F, sizeof *e->chunk0) < 0 ||
        wspi_grow(&e->target, &e->target_cap, WSPI_MAX(N, P + F), sizeof *e->target) < 0)
        return wspi_nomem(err, "offsets of a batch", P + F);
    e->P = P;
    e->F = F;
    e->N = N;
    e->n_chunks = 0;
    return WSP_OK;
}

wsp_status wspi_engine_select(wspi_engine *e, const wsp_batch *b, size_t f0, size_t f1, bool output,
                              wsp_error *err)
{
    size_t p0 = b->flow_off[f0], p1 = b->flow_off[f1], t0 = b->packet_off[p0],
           start = e->state ? 0 : 1;

    WSP_TRY(reserve(e, p1 - p0, f1 - f0, b->packet_off[p1] - t0, err));
    e->ids = b->ids + t0;
    e->R = e->P + start * e->F;
    for (size_t i = 0; i <= e->P; i++)
        e->poff[i] = b->packet_off[p0 + i] - (uint32_t)t0;
    for (size_t f = 0; f <= e->F; f++)
        e->roff[f] = (uint32_t)(b->flow_off[f0 + f] - p0 + start * f);
    for (size_t f = 0; f < e->F; f++) {
        e->condition[f] = b->condition ? b->condition[f0 + f] : -1;
        e->chunk0[f] = e->n_chunks;
        e->n_chunks += (e->roff[f + 1] - e->roff[f] + e->m->cfg.chunk - 1) / e->m->cfg.chunk;
    }
    return make_room(e, output, err);
}

wsp_status wspi_engine_select_start(wspi_engine *e, const int32_t *condition, size_t n,
                                    wsp_error *err)
{
    WSP_TRY(reserve(e, 0, n, 0, err));
    e->R = n;
    for (size_t f = 0; f <= n; f++)
        e->roff[f] = (uint32_t)f;
    for (size_t f = 0; f < n; f++)
        e->condition[f] = condition ? condition[f] : -1;
    return make_room(e, false, err);
}

wsp_status wspi_engine_select_prefix(wspi_engine *e, const uint16_t *ids, size_t stride,
                                     const uint32_t *len, size_t n, wsp_error *err)
{
    size_t N = 0;

    for (size_t i = 0; i < n; i++)
        N += len[i] + 1;
    WSP_TRY(reserve(e, n, 0, N, err));
    e->R = n;
    e->poff[0] = 0;
    for (size_t i = 0; i < n; i++) {
        e->poff[i + 1] = e->poff[i] + len[i] + 1;
        for (size_t j = 0; j < len[i]; j++)
            e->target[e->poff[i] + j] = ids[i * stride + j];
    }
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
