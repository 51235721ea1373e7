/* SPDX-License-Identifier: Apache-2.0 */
/* forward.c: the three stacks forward. Everything backward needs stays in the engine's activations. */
#include "model/layers_int.h"

/* out = x + dropout(in W^T), W [C][K] */
static void residual(wspi_engine *e, float *out, const float *x, const float *in, size_t w,
                     size_t N, size_t K, size_t place)
{
    size_t C = e->m->cfg.channels;

    if (out != x)
        memcpy(out, x, N * C * sizeof *out);
    if (e->dropout > 0) {
        wspi_gemm(e->nn, e->branch, in, e->m->w + w, N, C, K, WSPI_TB | WSPI_WEIGHT);
        wspi_dropout(e->branch, N * C, e->dropout, wspi_mask_key(e, place));
        wspi_add(out, e->branch, N * C);
    } else {
        wspi_gemm(e->nn, out, in, e->m->w + w, N, C, K, WSPI_TB | WSPI_ADD | WSPI_WEIGHT);
    }
}

static void mlp_fwd(wspi_engine *e, float *out, const wspi_mlp_act *a, const wspi_mlp_at *at,
                    size_t N, size_t place)
{
    size_t C = e->m->cfg.channels, ff = e->m->cfg.ff;
    const float *w = e->m->w;

    wspi_rmsnorm_fwd(a->n, a->rstd, a->x, w + at->norm, N, C);
    wspi_gemm(e->nn, a->u, a->n, w + at->up, N, ff, C, WSPI_TB | WSPI_WEIGHT);
    wspi_gelu_fwd(a->h, a->u, N * ff);
    residual(e, out, a->x, a->h, at->down, N, ff, place + WSPI_AT_MLP);
}

static void block_fwd(wspi_engine *e, float *out, const wspi_block_act *a, const wspi_block_at *at,
                      wspi_ragged r, size_t place)
{
    size_t C = e->m->cfg.channels, N = r.N;
    const float *w = e->m->w;

    wspi_rmsnorm_fwd(a->n, a->rstd, a->x, w + at->norm, N, C);
    wspi_gemm(e->nn, a->qkv, a->n, w + at->qkv, N, 3 * C, C, WSPI_TB | WSPI_WEIGHT);
    wspi_attention_fwd(a->o, a->qkv, r.off, r.n, e->m->cfg.heads, C);
    residual(e, a->mlp.x, a->x, a->o, at->out, N, C, place);
    mlp_fwd(e, out, &a->mlp, &at->mlp, N, place);
}

/* y[n][C] = last rows of x[N][C] */
static void last_rows(float *y, const float *x, wspi_ragged r, size_t C)
{
    for (size_t t = 0; t < r.n; t++)
        memcpy(y + t * C, x + (r.off[t + 1] - 1) * C, C * sizeof *y);
}

/* The top layer of the packet stack: of every packet, only the last row goes on. x [N][C] -> out [n][C] */
static void top_fwd(wspi_engine *e, float *out, const float *x, const wspi_block_at *at,
                    wspi_ragged r, size_t place)
{
    const wspi_top_act *a = &e->top;
    size_t C = e->m->cfg.channels;
    const float *w = e->m->w;

    wspi_rmsnorm_fwd(a->n, a->rstd, x, w + at->norm, r.N, C);
    wspi_gemm(e->nn, a->kv, a->n, w + at->qkv + C * C, r.N, 2 * C, C, WSPI_TB | WSPI_WEIGHT);
    last_rows(a->last_n, a->n, r, C);
    wspi_gemm(e->nn, a->q, a->last_n, w + at->qkv, r.n, C, C, WSPI_TB | WSPI_WEIGHT);
    wspi_last_attention_fwd(a->o, a->q, a->kv, r.off, r.n, e->m->cfg.heads, C);
    last_rows(a->mlp.x, x, r, C);
    residual(e, a->mlp.x, a->mlp.x, a->o, at->out, r.n, C, place);
    mlp_fwd(e, out, &a->mlp, &at->mlp, r.n, place);
}

/* Rows of the embedding lie far apart: they are asked for in time. */
enum { AHEAD = 4 };

static void fetch(const float *row, size_t C)
{
    for (size_t c = 0; c < C; c += 16)
        __builtin_prefetch(row + c);
}

/* vector[n][C] of the packets whose tokens begin at ids */
static void packets_fwd(wspi_engine *e, float *vector, const uint16_t *ids, wspi_ragged r)
{
    const wsp_model_config *cfg = &e->m->cfg;
    const wspi_layout *at = &e->m->at;
    const float *w = e->m->w;
    size_t C = cfg->channels, top = cfg->packet_layers > 0 ? cfg->packet_layers - 1 : 0;

    for (size_t t = 0; t < r.n; t++)
        for (size_t i = r.off[t]; i < r.off[t + 1]; i++) {
            float *x = e->packet[0].x + i * C;
            if (i + AHEAD < r.N)
                fetch(w + at->embed + ids[i + AHEAD] * C, C);
            memcpy(x, w + at->embed + ids[i] * C, C * sizeof *x);
            wspi_add(x, w + at->packet_position + (i - r.off[t]) * C, C);
            if (wspi_is_text(cfg, ids[i]))
                wspi_add(
                    x, w + at->packet_text + wspi_text_place(cfg, ids + r.off[t], i - r.off[t]) * C,
                    C);
        }
    for (size_t l = 0; l < top; l++)
        block_fwd(e, e->packet[l + 1].x, &e->packet[l], &at->packet[l], r, WSPI_AT_PACKET + l);
    if (cfg->packet_layers > 0)
        top_fwd(e, e->last, e->packet[top].x, &at->packet[top], r, WSPI_AT_PACKET + top);
    else
        last_rows(e->last, e->packet[0].x, r, C);
    wspi_rmsnorm_fwd(vector, e->last_rstd, e->last, w + at->packet_norm, r.n, C);
}

void wspi_packet_fwd(wspi_engine *e)
{
    packets_fwd(e, e->met.vector, e->met.ids,
                (wspi_ragged){.off = e->met.off, .n = e->met.n, .N = e->met.n_tokens});
}

wsp_status wspi_vectors_fwd(wspi_engine *e, wsp_error *err)
{
    wspi_packets *p = &e->met;

    while (p->n_vectors < p->n) {
        size_t from = p->n_vectors, end = from;
        uint32_t base = p->off[from];

        while (end < p->n && (end == from || p->off[end + 1] - base <= WSPI_CUT_TOKENS))
            end++;
        if (wspi_grow(&e->cut, &e->cut_cap, end - from + 1, sizeof *e->cut) < 0)
            return wspi_nomem(err, "offsets of packets", end - from);
        for (size_t i = from; i <= end; i++)
            e->cut[i - from] = p->off[i] - base;
        packets_fwd(e, p->vector + from * e->m->cfg.channels, p->ids + base,
                    (wspi_ragged){.off = e->cut, .n = end - from, .N = p->off[end] - base});
        p->n_vectors = end;
    }
    return WSP_OK;
}

void wspi_rows_fwd(wspi_engine *e)
{
    const float *w = e->m->w;
    size_t C = e->m->cfg.channels;

    for (size_t f = 0; f < e->F; f++)
        for (size_t r = e->roff[f]; r < e->roff[f + 1]; r++) {
            float *row = e->flow[0].x + r * C;

            if (e->row_packet[r] == WSPI_ROW_PAST) {
                memset(row, 0, C * sizeof *row);
                continue;
            }
            memcpy(row,
                   e->row_packet[r] < 0 ? w + e->m->at.start
                                        : e->met.vector + (size_t)e->row_packet[r] * C,
                   C * sizeof *row);
            if (e->row_packet[r] < 0 && e->condition[f] >= 0)
                wspi_add(row, w + e->m->at.condition + (size_t)e->condition[f] * C, C);
        }
}

/* Conv history of a streaming state: the last K - 1 rows of past[K - 1] and x[T][ldx]. */
static void history_push(float *past, const float *x, size_t ldx, size_t T, size_t K, size_t width)
{
    size_t keep = T < K - 1 ? K - 1 - T : 0;

    memmove(past, past + (K - 1 - keep) * width, keep * width * sizeof *past);
    for (size_t i = keep; i < K - 1; i++)
        memcpy(past + i * width, x + (T + i - (K - 1)) * ldx, width * sizeof *past);
}

static void mix_fwd(wspi_engine *e, size_t l, float *out)
{
    const wsp_model_config *c = &e->m->cfg;
    const wspi_mix_act *a = &e->flow[l];
    const wspi_mix_at *at = &e->m->at.flow[l];
    const float *w = e->m->w;
    wspi_scan s = {c->flow_heads, c->flow_dk, c->flow_dv, c->chunk};
    size_t C = c->channels, H = s.H, Q = wspi_scan_width(&s), V = H * s.dv, in = Q + V + H,
           S = H * s.dk * s.dv;

    wspi_rmsnorm_fwd(a->n, a->rstd, a->x, w + at->norm, e->R, C);
    wspi_gemm(e->nn, a->in, a->n, w + at->in, e->R, in, C, WSPI_TB | WSPI_WEIGHT);
    wspi_gate_fwd(a->g, a->in + Q + V, in, w + at->gate_bias, w + at->gate_rate, e->R, H);
    for (size_t f = 0; f < e->F; f++) {
        size_t r = wspi_first_row(e, f), T = e->roff[f + 1] - r;
        float *state =
            e->state ? e->state[f] + l * wspi_state_layer_size(c) : wspi_window_state(e, f, l);

        memset(a->o + e->roff[f] * V, 0, (r - e->roff[f]) * V * sizeof *a->o);
        wspi_conv_fwd(a->pre + r * Q, a->in + r * in, in, state ? state + S : NULL, w + at->conv,
                      w + at->conv_bias, T, Q, c->conv);
        wspi_silu_fwd(a->qkv + r * Q, a->pre + r * Q, T * Q);
        if (state)
            history_push(state + S, a->in + r * in, in, T, c->conv, Q);
        wspi_scan_fwd(a->o + r * V, state, a->saved ? a->saved + e->chunk0[f] * S : NULL, e->work,
                      a->qkv + r * Q, a->g + r * H, &s, T);
    }
    wspi_gated_norm_fwd(a->y, a->rstd_o, a->o, a->in + Q, in, w + at->head_norm, e->R, H, V);
    residual(e, a->mlp.x, a->x, a->y, at->out, e->R, V, WSPI_AT_FLOW + l);
    mlp_fwd(e, out, &a->mlp, &at->mlp, e->R, WSPI_AT_FLOW + l);
}

void wspi_flow_fwd(wspi_engine *e)
{
    size_t L = e->m->cfg.flow_layers;

    for (size_t l = 0; l < L; l++)
        mix_fwd(e, l, e->flow[l + 1].x);
    wspi_rmsnorm_fwd(e->c, e->f_rstd, e->flow[L].x, e->m->w + e->m->at.flow_norm, e->R,
                     e->m->cfg.channels);
    wspi_windows_pass(e);
}

/* x[C] = what the output stack reads at row `at` of a packet: the token before, the place, the context */
static void output_row(wspi_engine *e, float *x, const uint16_t *ids, size_t at,
                       const float *context)
{
    const wsp_model_config *cfg = &e->m->cfg;
    const wspi_layout *l = &e->m->at;
    const float *w = e->m->w;
    size_t C = cfg->channels;

    memcpy(x, w + (at == 0 ? l->bos : l->embed + ids[at - 1] * C), C * sizeof *x);
    wspi_add(x, w + l->output_position + at * C, C);
    if (at > 0 && wspi_is_text(cfg, ids[at - 1]))
        wspi_add(x, w + l->output_text + wspi_text_place(cfg, ids, at - 1) * C, C);
    wspi_add(x, context, C);
}

void wspi_output_fwd(wspi_engine *e, const uint32_t *context_row)
{
    const wspi_layout *at = &e->m->at;
    const float *w = e->m->w;
    size_t C = e->m->cfg.channels, L = e->m->cfg.output_layers;

    wspi_gemm(e->nn, e->wc, e->c, w + at->output_context, e->R, C, C, WSPI_TB | WSPI_WEIGHT);
    for (size_t t = 0; t < e->P; t++)
        for (size_t i = e->poff[t]; i < e->poff[t + 1]; i++)
            output_row(e, e->output[0].x + i * C, e->ids + e->poff[t], i - e->poff[t],
                       e->wc + context_row[t] * C);
    for (size_t l = 0; l < L; l++)
        block_fwd(e, e->output[l + 1].x, &e->output[l], &at->output[l],
                  (wspi_ragged){.off = e->poff, .n = e->P, .N = e->N}, WSPI_AT_OUTPUT + l);
    wspi_rmsnorm_fwd(e->o_n, e->o_rstd, e->output[L].x, w + at->output_norm, e->N, C);
}

/* What the contexts of new packets add to their rows. */
static void contexts_add(wspi_engine *e, const wspi_speech *s)
{
    size_t C = e->m->cfg.channels, n = 0;

    for (size_t i = 0; i < e->P; i++)
        if (s[i].memory->rows == 0)
            memcpy(e->branch + n++ * C, s[i].context, C * sizeof *e->branch);
    wspi_gemm(e->nn, e->wc, e->branch, e->m->w + e->m->at.output_context, n, C, C,
              WSPI_TB | WSPI_WEIGHT);
    n = 0;
    for (size_t i = 0; i < e->P; i++)
        if (s[i].memory->rows == 0)
            memcpy(s[i].memory->added, e->wc + n++ * C, C * sizeof *e->wc);
}

/* A block of the output stack for new rows, that look at the rows before in the packets' memories. */
static void speech_block_fwd(wspi_engine *e, float *out, const wspi_block_act *a, size_t l,
                             const wspi_speech *s)
{
    const wspi_block_at *at = &e->m->at.output[l];
    size_t C = e->m->cfg.channels, N = e->N;
    const float *w = e->m->w;
    bool half = wspi_nn_rounds(e->nn);

    wspi_rmsnorm_fwd(a->n, a->rstd, a->x, w + at->norm, N, C);
    wspi_gemm(e->nn, a->qkv, a->n, w + at->qkv, N, 3 * C, C, WSPI_TB | WSPI_WEIGHT);
    for (size_t i = 0; i < e->P; i++)
        wspi_attention_step(a->o + e->poff[i] * C, s[i].memory->keys[l], s[i].memory->values[l],
                            half, a->qkv + e->poff[i] * 3 * C, s[i].memory->rows,
                            e->poff[i + 1] - e->poff[i], e->m->cfg.heads, C);
    residual(e, a->mlp.x, a->x, a->o, at->out, N, C, WSPI_AT_OUTPUT + l);
    mlp_fwd(e, out, &a->mlp, &at->mlp, N, WSPI_AT_OUTPUT + l);
}

void wspi_speech_fwd(wspi_engine *e, const wspi_speech *s)
{
    size_t C = e->m->cfg.channels, L = e->m->cfg.output_layers;

    contexts_add(e, s);
    for (size_t i = 0; i < e->P; i++)
        for (size_t r = e->poff[i]; r < e->poff[i + 1]; r++)
            output_row(e, e->output[0].x + r * C, s[i].ids, s[i].memory->rows + r - e->poff[i],
                       s[i].memory->added);
    for (size_t l = 0; l < L; l++)
        speech_block_fwd(e, e->output[l + 1].x, &e->output[l], l, s);
    last_rows(e->branch, e->output[L].x, (wspi_ragged){.off = e->poff, .n = e->P, .N = e->N}, C);
    wspi_rmsnorm_fwd(e->o_n, e->o_rstd, e->branch, e->m->w + e->m->at.output_norm, e->P, C);
}
