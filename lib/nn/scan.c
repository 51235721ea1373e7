/* SPDX-License-Identifier: Apache-2.0 */
/*
 * scan.c: the flow mixer: short causal convolution, decay gate, scalar-gated linear attention (the SSD form of Mamba-2,
 * Dao and Gu, 2024) in chunks, forward and backward, and its recurrent step. Only exponents <= 0 are formed.
 */
#include "nn/ops.h"

#include "nn/fast_int.h"

FAST void wspi_conv_fwd(float *restrict y, const float *restrict x, size_t ldx,
                        const float *restrict past, const float *restrict w,
                        const float *restrict bias, size_t T, size_t C, size_t K)
{
    for (size_t t = 0; t < T; t++) {
        memcpy(y + t * C, bias, C * sizeof *y);
        for (size_t j = 0; j < K; j++) {
            const float *row = t + j >= K - 1 ? x + (t + j - (K - 1)) * ldx
                               : past         ? past + (t + j) * C
                                              : NULL;

            if (row)
                for (size_t c = 0; c < C; c++)
                    y[t * C + c] += w[j * C + c] * row[c];
        }
    }
}

FAST void wspi_conv_bwd(float *restrict dx, float *restrict dw, float *restrict dbias,
                        const float *restrict dy, const float *restrict x, size_t ldx,
                        const float *restrict past, const float *restrict w, size_t T, size_t C,
                        size_t K)
{
    for (size_t t = 0; t < T; t++) {
        for (size_t c = 0; c < C; c++)
            dbias[c] += dy[t * C + c];
        for (size_t j = 0; past && t + j < K - 1; j++)
            for (size_t c = 0; c < C; c++)
                dw[j * C + c] += dy[t * C + c] * past[(t + j) * C + c];
        for (size_t j = t < K - 1 ? K - 1 - t : 0; j < K; j++) {
            size_t row = (t + j - (K - 1)) * ldx;
            for (size_t c = 0; c < C; c++) {
                dw[j * C + c] += dy[t * C + c] * x[row + c];
                dx[row + c] += dy[t * C + c] * w[j * C + c];
            }
        }
    }
}

static float softplus(float x)
{
    return x > 15.0f ? x : log1pf(expf(x));
}

static const float GATE_MIN = -20.0f;

void wspi_gate_fwd(float *g, const float *x, size_t ldx, const float *b, const float *rate,
                   size_t N, size_t H)
{
    for (size_t i = 0; i < N; i++)
        for (size_t h = 0; h < H; h++) {
            float v = -softplus(x[i * ldx + h] + b[h]) * expf(rate[h]);
            g[i * H + h] = v > GATE_MIN ? v : GATE_MIN;
        }
}

void wspi_gate_bwd(float *dx, float *db, float *drate, const float *dg, const float *g,
                   const float *x, size_t ldx, const float *b, const float *rate, size_t N,
                   size_t H)
{
    for (size_t i = 0; i < N; i++)
        for (size_t h = 0; h < H; h++) {
            float gi = g[i * H + h], d;

            if (gi <= GATE_MIN)
                continue;
            d = -dg[i * H + h] * expf(rate[h]) / (1.0f + expf(-x[i * ldx + h] - b[h]));
            dx[i * ldx + h] += d;
            db[h] += d;
            drate[h] += dg[i * H + h] * gi;
        }
}

/* One head's view of a chunk of n rows. */
struct view {
    const float *q, *k, *v;
    size_t n, ld, dk, dv;
    float G[WSPI_MAX_CHUNK], E[WSPI_MAX_CHUNK],
        R[WSPI_MAX_CHUNK]; /* cumulated log gate, e^G, e^(G_n - G) */
};

INLINE void view_make(struct view *c, const float *qkv, const float *g, const wspi_scan *s,
                      size_t h, size_t t0, size_t T)
{
    float sum = 0;

    c->ld = wspi_scan_width(s);
    c->n = T - t0 < s->chunk ? T - t0 : s->chunk;
    c->dk = s->dk;
    c->dv = s->dv;
    c->q = qkv + t0 * c->ld + h * s->dk;
    c->k = c->q + s->H * s->dk;
    c->v = qkv + t0 * c->ld + 2 * s->H * s->dk + h * s->dv;
    for (size_t i = 0; i < c->n; i++)
        c->G[i] = sum += g[(t0 + i) * s->H + h];
    for (size_t i = 0; i < c->n; i++) {
        c->E[i] = expf(c->G[i]);
        c->R[i] = expf(sum - c->G[i]);
    }
}

/* O = diag(e^G) Q S + ((Q K^T) o Gam) V;  S' = e^(G_n) S + (diag(e^(G_n - G)) K)^T V */
INLINE void chunk_fwd(float *o, size_t ldo, float *S, const struct view *c)
{
    for (size_t i = 0; i < c->n; i++) {
        const float *q = c->q + i * c->ld;
        float *oi = o + i * ldo;

        memset(oi, 0, c->dv * sizeof *oi);
        for (size_t d = 0; d < c->dk; d++)
            axpy(oi, c->E[i] * q[d], S + d * c->dv, c->dv);
        for (size_t j = 0; j <= i; j++)
            axpy(oi, dot(q, c->k + j * c->ld, c->dk) * fast_exp(c->G[i] - c->G[j]),
                 c->v + j * c->ld, c->dv);
    }
    for (size_t d = 0; d < c->dk; d++) {
        for (size_t e = 0; e < c->dv; e++)
            S[d * c->dv + e] *= c->E[c->n - 1];
        for (size_t j = 0; j < c->n; j++)
            axpy(S + d * c->dv, c->R[j] * c->k[j * c->ld + d], c->v + j * c->ld, c->dv);
    }
}

FAST void wspi_scan_step(float *o, float *state, const float *qkv, const float *g,
                         const wspi_scan *s)
{
    for (size_t h = 0; h < s->H; h++) {
        const float *q = qkv + h * s->dk, *k = q + s->H * s->dk,
                    *v = qkv + 2 * s->H * s->dk + h * s->dv;
        float *S = state + h * s->dk * s->dv, *oh = o + h * s->dv, a = expf(g[h]);

        memset(oh, 0, s->dv * sizeof *oh);
        for (size_t d = 0; d < s->dk; d++)
            for (size_t e = 0; e < s->dv; e++) {
                float *at = S + d * s->dv + e;
                *at = a * *at + k[d] * v[e];
                oh[e] += q[d] * *at;
            }
    }
}

FAST void wspi_scan_fwd(float *o, float *state, float *saved, float *work, const float *qkv,
                        const float *g, const wspi_scan *s, size_t T)
{
    size_t size = s->dk * s->dv;
    struct view c;

    if (state && !saved && T == 1) {
        wspi_scan_step(o, state, qkv, g, s);
        return;
    }
    for (size_t h = 0; h < s->H; h++) {
        float *S = state ? state + h * size : work;

        if (!state)
            memset(S, 0, size * sizeof *S);
        for (size_t t = 0; t < T; t += s->chunk) {
            if (saved)
                memcpy(saved + (t / s->chunk * s->H + h) * size, S, size * sizeof *S);
            view_make(&c, qkv, g, s, h, t, T);
            chunk_fwd(o + (t * s->H + h) * s->dv, s->H * s->dv, S, &c);
        }
    }
}

/* The part of the gradients that stays inside the chunk, and that of reading S. dq, dk, dv have the layout of q, k, v. */
INLINE void chunk_bwd_out(float *dq, float *dk, float *dv, float *dG, const float *d_o, size_t ldo,
                          const float *S, const struct view *c)
{
    for (size_t i = 0; i < c->n; i++) {
        const float *q = c->q + i * c->ld, *go = d_o + i * ldo;

        for (size_t d = 0; d < c->dk; d++) {
            float t = c->E[i] * dot(S + d * c->dv, go, c->dv);
            dq[i * c->ld + d] += t;
            dG[i] += t * q[d];
        }
        for (size_t j = 0; j <= i; j++) {
            const float *k = c->k + j * c->ld;
            float gam = fast_exp(c->G[i] - c->G[j]), qk = dot(q, k, c->dk);
            float p = dot(go, c->v + j * c->ld, c->dv) * gam;

            axpy(dv + j * c->ld, qk * gam, go, c->dv);
            axpy(dq + i * c->ld, p, k, c->dk);
            axpy(dk + j * c->ld, p, q, c->dk);
            dG[i] += p * qk;
            dG[j] -= p * qk;
        }
    }
}

/* The part that comes through S'; dS becomes the gradient of S. */
INLINE void chunk_bwd_state(float *dk, float *dv, float *dG, float *dS, const float *d_o,
                            size_t ldo, const float *S, const struct view *c)
{
    size_t last = c->n - 1;

    for (size_t j = 0; j < c->n; j++) {
        const float *k = c->k + j * c->ld, *v = c->v + j * c->ld;

        for (size_t d = 0; d < c->dk; d++) {
            float t = c->R[j] * dot(dS + d * c->dv, v, c->dv);
            dk[j * c->ld + d] += t;
            dG[j] -= t * k[d];
            dG[last] += t * k[d];
            axpy(dv + j * c->ld, c->R[j] * k[d], dS + d * c->dv, c->dv);
        }
    }
    dG[last] += c->E[last] * dot(S, dS, c->dk * c->dv);
    for (size_t d = 0; d < c->dk; d++) {
        for (size_t e = 0; e < c->dv; e++)
            dS[d * c->dv + e] *= c->E[last];
        for (size_t i = 0; i < c->n; i++)
            axpy(dS + d * c->dv, c->E[i] * c->q[i * c->ld + d], d_o + i * ldo, c->dv);
    }
}

FAST void wspi_scan_bwd(float *dqkv, float *dg, float *work, const float *d_o, const float *qkv,
                        const float *g, const float *saved, const wspi_scan *s, size_t T)
{
    size_t size = s->dk * s->dv, chunks = (T + s->chunk - 1) / s->chunk, ldo = s->H * s->dv;
    float dG[WSPI_MAX_CHUNK];
    struct view c;

    for (size_t h = 0; h < s->H; h++) {
        memset(work, 0, size * sizeof *work);
        for (size_t n = chunks; n-- > 0;) {
            size_t t = n * s->chunk;
            const float *S = saved + (n * s->H + h) * size, *go = d_o + t * ldo + h * s->dv;
            float *dq, *dk, *dv, sum = 0;

            view_make(&c, qkv, g, s, h, t, T);
            dq = dqkv + (c.q - qkv);
            dk = dqkv + (c.k - qkv);
            dv = dqkv + (c.v - qkv);
            memset(dG, 0, sizeof dG);
            chunk_bwd_out(dq, dk, dv, dG, go, ldo, S, &c);
            chunk_bwd_state(dk, dv, dG, work, go, ldo, S, &c);
            for (size_t i = c.n; i-- > 0;)
                dg[(t + i) * s->H + h] += sum += dG[i];
        }
    }
}
