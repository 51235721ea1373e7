/* SPDX-License-Identifier: Apache-2.0 */
/* backward.c: the three stacks backward, in the reverse order of forward.c. dx holds the residual's gradient. */
#include "model/layers_int.h"

static void zero(float *p, size_t n)
{
    memset(p, 0, n * sizeof *p);
}

/* y = in W^T, W [out][K]: dW += dy^T in, din = dy W (set, not added) */
static void linear_bwd(wspi_engine *e, float *din, const float *dy, const float *in, size_t w,
                       size_t N, size_t out, size_t K)
{
    wspi_linear_bwd(e->nn, e->grad + w, din, dy, in, e->m->w + w, N, out, K);
}

static void residual_bwd(wspi_engine *e, float *din, const float *in, size_t w, size_t N, size_t K,
                         size_t place)
{
    size_t C = e->m->cfg.channels;
    const float *d = e->dx;

    if (e->dropout > 0) {
        memcpy(e->branch, e->dx, N * C * sizeof *d);
        wspi_dropout(e->branch, N * C, e->dropout, wspi_mask_key(e, place));
        d = e->branch;
    }
    linear_bwd(e, din, d, in, w, N, C, K);
}

static void norm_bwd(wspi_engine *e, const float *dy, const float *x, const float *rstd, size_t w,
                     size_t N)
{
    wspi_rmsnorm_bwd(e->dx, e->grad + w, dy, x, e->m->w + w, rstd, N, e->m->cfg.channels);
}

static void mlp_bwd(wspi_engine *e, const wspi_mlp_act *a, const wspi_mlp_at *at, size_t N,
                    size_t place)
{
    size_t C = e->m->cfg.channels, ff = e->m->cfg.ff;

    residual_bwd(e, e->ddeep, a->h, at->down, N, ff, place + WSPI_AT_MLP);
    wspi_gelu_bwd(e->ddeep, a->u, N * ff);
    linear_bwd(e, e->dn, e->ddeep, a->n, at->up, N, ff, C);
    norm_bwd(e, e->dn, a->x, a->rstd, at->norm, N);
}

static void block_bwd(wspi_engine *e, const wspi_block_act *a, const wspi_block_at *at,
                      wspi_ragged r, size_t place)
{
    size_t C = e->m->cfg.channels, N = r.N;

    mlp_bwd(e, &a->mlp, &at->mlp, N, place);
    residual_bwd(e, e->dn, a->o, at->out, N, C, place);
    zero(e->dwide, N * 3 * C);
    wspi_attention_bwd(e->dwide, e->dn, a->qkv, r.off, r.n, e->m->cfg.heads, C);
    linear_bwd(e, e->dn, e->dwide, a->n, at->qkv, N, 3 * C, C);
    norm_bwd(e, e->dn, a->x, a->rstd, at->norm, N);
}

/* y[N][C] gets rows of x[n][C] added at the last rows of the packets. */
static void add_to_last_rows(float *y, const float *x, wspi_ragged r, size_t C)
{
    for (size_t t = 0; t < r.n; t++)
        wspi_add(y + (r.off[t + 1] - 1) * C, x + t * C, C);
}

/* dlast[n][C] -> dx[N][C] */
static void spread(wspi_engine *e, wspi_ragged r)
{
    size_t C = e->m->cfg.channels;

    zero(e->dx, r.N * C);
    add_to_last_rows(e->dx, e->dlast, r, C);
}

/* dx: [n][C] before, [N][C] after */
static void top_bwd(wspi_engine *e, const float *x, const wspi_block_at *at, wspi_ragged r,
                    size_t place)
{
    const wspi_top_act *a = &e->top;
    size_t C = e->m->cfg.channels;
    float *dq = e->ddeep, *dkv = e->dwide;

    mlp_bwd(e, &a->mlp, &at->mlp, r.n, place);
    residual_bwd(e, e->dn, a->o, at->out, r.n, C, place);
    memcpy(e->dlast, e->dx, r.n * C * sizeof *e->dx);
    spread(e, r);
    zero(dq, r.n * C);
    zero(dkv, r.N * 2 * C);
    wspi_last_attention_bwd(dq, dkv, e->dn, a->q, a->kv, r.off, r.n, e->m->cfg.heads, C);
    linear_bwd(e, e->branch, dq, a->last_n, at->qkv, r.n, C, C);
    linear_bwd(e, e->dn, dkv, a->n, at->qkv + C * C, r.N, 2 * C, C);
    add_to_last_rows(e->dn, e->branch, r, C);
    norm_bwd(e, e->dn, x, a->rstd, at->norm, r.N);
}

void wspi_output_bwd(wspi_engine *e, const uint32_t *context_row)
{
    const wsp_model_config *cfg = &e->m->cfg;
    const wspi_layout *at = &e->m->at;
    size_t C = cfg->channels, L = cfg->output_layers;

    zero(e->dx, e->N * C);
    norm_bwd(e, e->dn, e->output[L].x, e->o_rstd, at->output_norm, e->N);
    for (size_t l = L; l-- > 0;)
        block_bwd(e, &e->output[l], &at->output[l],
                  (wspi_ragged){.off = e->poff, .n = e->P, .N = e->N}, WSPI_AT_OUTPUT + l);
    zero(e->branch, e->R * C);
    for (size_t t = 0; t < e->P; t++)
        for (size_t i = e->poff[t]; i < e->poff[t + 1]; i++) {
            const float *d = e->dx + i * C;
            size_t before = i == e->poff[t] ? at->bos : at->embed + e->ids[i - 1] * C;

            wspi_add(e->grad + before, d, C);
            wspi_add(e->grad + at->output_position + (i - e->poff[t]) * C, d, C);
            if (i > e->poff[t] && wspi_is_text(cfg, e->ids[i - 1]))
                wspi_add(e->grad + at->output_text +
                             wspi_text_place(cfg, e->ids + e->poff[t], i - 1 - e->poff[t]) * C,
                         d, C);
            wspi_add(e->branch + context_row[t] * C, d, C);
        }
    wspi_gemm(e->nn, e->grad + at->output_context, e->branch, e->c, C, C, e->R, WSPI_TA | WSPI_ADD);
    wspi_gemm(e->nn, e->dc, e->branch, e->m->w + at->output_context, e->R, C, C,
              WSPI_ADD | WSPI_WEIGHT);
}

/* Buffers of the layer that are no longer needed become gradients: y that of o, rstd_o that of g. */
static void mix_bwd(wspi_engine *e, size_t l)
{
    const wsp_model_config *c = &e->m->cfg;
    const wspi_mix_act *a = &e->flow[l];
    const wspi_mix_at *at = &e->m->at.flow[l];
    const float *w = e->m->w;
    wspi_scan s = {c->flow_heads, c->flow_dk, c->flow_dv, c->chunk};
    size_t C = c->channels, H = s.H, Q = wspi_scan_width(&s), V = H * s.dv, in = Q + V + H,
           S = H * s.dk * s.dv;
    float *d_o = a->y, *dg = a->rstd_o, *dqkv = e->ddeep, *din = e->dwide;

    mlp_bwd(e, &a->mlp, &at->mlp, e->R, WSPI_AT_FLOW + l);
    residual_bwd(e, e->ddeep, a->y, at->out, e->R, V, WSPI_AT_FLOW + l);
    zero(d_o, e->R * V);
    zero(din, e->R * in);
    wspi_gated_norm_bwd(d_o, din + Q, e->grad + at->head_norm, e->ddeep, a->o, a->in + Q, in,
                        w + at->head_norm, a->rstd_o, e->R, H, V);
    zero(dg, e->R * H);
    zero(dqkv, e->R * Q);
    for (size_t f = 0; f < e->F; f++) {
        size_t r = wspi_first_row(e, f), T = e->roff[f + 1] - r;

        wspi_scan_bwd(dqkv + r * Q, dg + r * H, e->work, d_o + r * V, a->qkv + r * Q, a->g + r * H,
                      a->saved + e->chunk0[f] * S, &s, T);
        wspi_silu_bwd(dqkv + r * Q, a->pre + r * Q, T * Q);
        wspi_conv_bwd(din + r * in, e->grad + at->conv, e->grad + at->conv_bias, dqkv + r * Q,
                      a->in + r * in, in, wspi_window_history(e, f, l), w + at->conv, T, Q,
                      c->conv);
    }
    wspi_gate_bwd(din + Q + V, e->grad + at->gate_bias, e->grad + at->gate_rate, dg, a->g,
                  a->in + Q + V, in, w + at->gate_bias, w + at->gate_rate, e->R, H);
    linear_bwd(e, e->dn, din, a->n, at->in, e->R, in, C);
    norm_bwd(e, e->dn, a->x, a->rstd, at->norm, e->R);
}

void wspi_flow_bwd(wspi_engine *e)
{
    const wspi_layout *at = &e->m->at;
    size_t C = e->m->cfg.channels, L = e->m->cfg.flow_layers;

    for (size_t f = 0; f < e->F; f++) /* no gradient goes to the window before */
        if (wspi_first_row(e, f) > e->roff[f])
            zero(e->dc + e->roff[f] * C, C);
    zero(e->dx, e->R * C);
    norm_bwd(e, e->dc, e->flow[L].x, e->f_rstd, at->flow_norm, e->R);
    for (size_t l = L; l-- > 0;)
        mix_bwd(e, l);
    for (size_t f = 0; f < e->F; f++) {
        const float *d = e->dx + e->roff[f] * C; /* zero where a window goes on */
        wspi_add(e->grad + at->start, d, C);
        if (e->condition[f] >= 0)
            wspi_add(e->grad + at->condition + (size_t)e->condition[f] * C, d, C);
    }
    memcpy(e->wc, e->dx, e->R * C * sizeof *e->wc);
}

void wspi_packet_bwd(wspi_engine *e)
{
    const wspi_layout *at = &e->m->at;
    const wspi_packets *p = &e->met;
    wspi_ragged r = {.off = p->off, .n = p->n, .N = p->n_tokens};
    size_t C = e->m->cfg.channels, layers = e->m->cfg.packet_layers,
           top = layers > 0 ? layers - 1 : 0;

    zero(e->dlast, r.n * C);
    for (size_t i = 0; i < e->R; i++)
        if (e->row_packet[i] >= 0)
            wspi_add(e->dlast + (size_t)e->row_packet[i] * C, e->wc + i * C, C);
    zero(e->dx, r.n * C);
    wspi_rmsnorm_bwd(e->dx, e->grad + at->packet_norm, e->dlast, e->last, e->m->w + at->packet_norm,
                     e->last_rstd, r.n, C);
    if (layers > 0) {
        top_bwd(e, e->packet[top].x, &at->packet[top], r, WSPI_AT_PACKET + top);
    } else {
        memcpy(e->dlast, e->dx, r.n * C * sizeof *e->dx);
        spread(e, r);
    }
    for (size_t l = top; l-- > 0;)
        block_bwd(e, &e->packet[l], &at->packet[l], r, WSPI_AT_PACKET + l);
    for (size_t t = 0; t < r.n; t++)
        for (size_t i = r.off[t]; i < r.off[t + 1]; i++) {
            wspi_add(e->grad + at->embed + p->ids[i] * C, e->dx + i * C, C);
            wspi_add(e->grad + at->packet_position + (i - r.off[t]) * C, e->dx + i * C, C);
            if (wspi_is_text(&e->m->cfg, p->ids[i]))
                wspi_add(e->grad + at->packet_text +
                             wspi_text_place(&e->m->cfg, p->ids + r.off[t], i - r.off[t]) * C,
                         e->dx + i * C, C);
        }
}
