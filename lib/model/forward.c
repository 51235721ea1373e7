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
        wspi_gemm(e->nn, e->branch, in, e->m->w + w, N, C, K, WSPI_TB);
        wspi_dropout(e->branch, N * C, e->dropout, wspi_mask_key(e, place));
        wspi_add(out, e->branch, N * C);
    } else {
        wspi_gemm(e->nn, out, in, e->m->w + w, N, C, K, WSPI_TB | WSPI_ADD);
    }
}

static void mlp_fwd(wspi_engine *e, float *out, const wspi_mlp_act *a, const wspi_mlp_at *at,
                    size_t N, size_t place)
{
    size_t C = e->m->cfg.channels, ff = e->m->cfg.ff;
    const float *w = e->m->w;

    wspi_rmsnorm_fwd(a->n, a->rstd, a->x, w + at->norm, N, C);
    wspi_gemm(e->nn, a->u, a->n, w + at->up, N, ff, C, WSPI_TB);
    wspi_gelu_fwd(a->h, a->u, N * ff);
    residual(e, out, a->x, a->h, at->down, N, ff, place + WSPI_AT_MLP);
}

static void block_fwd(wspi_engine *e, float *out, const wspi_block_act *a, const wspi_block_at *at,
                      size_t place)
{
    size_t C = e->m->cfg.channels, N = e->N;
    const float *w = e->m->w;

    wspi_rmsnorm_fwd(a->n, a->rstd, a->x, w + at->norm, N, C);
    wspi_gemm(e->nn, a->qkv, a->n, w + at->qkv, N, 3 * C, C, WSPI_TB);
    wspi_attention_fwd(a->o, a->qkv, e->poff, e->P, e->m->cfg.heads, C);
    residual(e, a->mlp.x, a->x, a->o, at->out, N, C, place);
    mlp_fwd(e, out, &a->mlp, &at->mlp, N, place);
}

void wspi_packet_fwd(wspi_engine *e)
{
    const wsp_model_config *cfg = &e->m->cfg;
    const wspi_layout *at = &e->m->at;
    const float *w = e->m->w;
    size_t C = cfg->channels, L = cfg->packet_layers, p = 0;

    for (size_t t = 0; t < e->P; t++)
        for (size_t i = e->poff[t]; i < e->poff[t + 1]; i++) {
            memcpy(e->packet[0].x + i * C, w + at->embed + e->ids[i] * C, C * sizeof *w);
            wspi_add(e->packet[0].x + i * C, w + at->packet_position + (i - e->poff[t]) * C, C);
        }
    for (size_t l = 0; l < L; l++)
        block_fwd(e, e->packet[l + 1].x, &e->packet[l], &at->packet[l], WSPI_AT_PACKET + l);
    for (size_t f = 0; f < e->F; f++) {
        size_t r = e->roff[f];
        if (!e->state || e->P == 0) {
            float *row = e->flow[0].x + r++ * C;
            memcpy(row, w + at->start, C * sizeof *w);
            if (e->condition[f] >= 0)
                wspi_add(row, w + at->condition + (size_t)e->condition[f] * C, C);
        }
        for (; r < e->roff[f + 1]; r++, p++)
            wspi_rmsnorm_fwd(e->flow[0].x + r * C, e->p_rstd + p,
                             e->packet[L].x + (e->poff[p + 1] - 1) * C, w + at->packet_norm, 1, C);
    }
}

/* Conv history of a streaming state: drops the oldest row, takes the newest. */
static void history_push(float *past, const float *row, size_t K, size_t width)
{
    if (K < 2)
        return;
    memmove(past, past + width, (K - 2) * width * sizeof *past);
    memcpy(past + (K - 2) * width, row, width * sizeof *past);
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
    wspi_gemm(e->nn, a->in, a->n, w + at->in, e->R, in, C, WSPI_TB);
    wspi_gate_fwd(a->g, a->in + Q + V, in, w + at->gate_bias, w + at->gate_rate, e->R, H);
    for (size_t f = 0; f < e->F; f++) {
        size_t r = e->roff[f], T = e->roff[f + 1] - r;
        float *state = e->state ? e->state[f] + l * wspi_state_layer_size(c) : NULL;

        wspi_conv_fwd(a->pre + r * Q, a->in + r * in, in, state ? state + S : NULL, w + at->conv,
                      w + at->conv_bias, T, Q, c->conv);
        wspi_silu_fwd(a->qkv + r * Q, a->pre + r * Q, T * Q);
        if (state) {
            history_push(state + S, a->in + r * in, c->conv, Q);
            wspi_scan_step(a->o + r * V, state, a->qkv + r * Q, a->g + r * H, &s);
        } else {
            wspi_scan_fwd(a->o + r * V, a->saved ? a->saved + e->chunk0[f] * S : NULL, e->work,
                          a->qkv + r * Q, a->g + r * H, &s, T);
        }
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
}

void wspi_output_fwd(wspi_engine *e, const float *context, const uint32_t *context_row, bool prefix)
{
    const wspi_layout *at = &e->m->at;
    const float *w = e->m->w;
    size_t C = e->m->cfg.channels, L = e->m->cfg.output_layers;

    wspi_gemm(e->nn, e->wc, context, w + at->output_context, e->R, C, C, WSPI_TB);
    for (size_t t = 0; t < e->P; t++)
        for (size_t i = e->poff[t]; i < e->poff[t + 1]; i++) {
            float *x = e->output[0].x + i * C;
            size_t before = i == e->poff[t] ? 0 : prefix ? e->target[i - 1] : e->ids[i - 1];

            memcpy(x, w + (i == e->poff[t] ? at->bos : at->embed + before * C), C * sizeof *x);
            wspi_add(x, w + at->output_position + (i - e->poff[t]) * C, C);
            wspi_add(x, e->wc + context_row[t] * C, C);
        }
    for (size_t l = 0; l < L; l++)
        block_fwd(e, e->output[l + 1].x, &e->output[l], &at->output[l], WSPI_AT_OUTPUT + l);
    wspi_rmsnorm_fwd(e->o_n, e->o_rstd, e->output[L].x, w + at->output_norm, e->N, C);
}
