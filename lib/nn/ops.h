/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ops.h: the arithmetic of the network. Convention: outputs, inputs, sizes; row-major float32; a *_bwd function ADDS to
 * gradients unless its comment says "in place". N rows, C channels, H heads, T rows of one sequence.
 */
#ifndef WSPI_NN_OPS_H
#define WSPI_NN_OPS_H

#include "base/base.h"

/* ---- matrix products: one context per thread, each with its own oneDNN primitives ---- */

typedef struct wspi_nn wspi_nn;

/*
 * How products are computed: in float32; with inputs rounded to bfloat16 and sums in float32; products of weights that
 * are stored [N][K] with inputs rounded to bytes and exact sums, others in float32; or by the reference (tests). Relative
 * errors of one product against the reference: 1e-5, 1e-2, 3e-2, 0.
 */
typedef enum wspi_nn_kind {
    WSPI_NN_F32,
    WSPI_NN_BF16, /* refused where wspi_nn_has_bf16() is false */
    WSPI_NN_INT8, /* refused where wspi_nn_has_int8() is false */
    WSPI_NN_PLAIN,
} wspi_nn_kind;

bool wspi_nn_has_bf16(
    void); /* the CPU multiplies bfloat16 itself; emulated it would be slower than float32 */
bool wspi_nn_prefers_bf16(void); /* it has tiles for that (AMX); without them float32 is faster */
bool wspi_nn_has_int8(void);     /* the CPU sums products of bytes itself */
wsp_status wspi_nn_new(wspi_nn **out, wspi_nn_kind kind, wsp_error *err);
bool wspi_nn_rounds(const wspi_nn *nn); /* what products take: bfloat16 or bytes */
void wspi_nn_free(wspi_nn *nn);

/* Packed copies of weights are made again when they are used next. */
void wspi_nn_weights_changed(wspi_nn *nn);

/* The first failure of any product since the last call, which is then forgotten. Check once after a whole pass. */
wsp_status wspi_nn_status(wspi_nn *nn);

/*
 * For benchmarks: GFLOP/s that oneDNN itself reaches with packed weights at 512 x 512 x 512 in the context's type, inputs
 * converted before: the mean over so many seconds of this thread's processor time. 0 without memory. Not for WSPI_NN_PLAIN.
 */
double wspi_nn_peak(wspi_nn *nn, double seconds);

enum {
    WSPI_TA = 1,  /* a is stored [K][M] */
    WSPI_TB = 2,  /* b is stored [N][K]; not together with WSPI_TA */
    WSPI_ADD = 4, /* add to y */
    WSPI_WEIGHT =
        8, /* b is known by its address and keeps its values until wspi_nn_weights_changed; without WSPI_TA */
};

/* y[M][N] = a[M][K] b[K][N]. Any of the sizes may be 0. The ragged size is M, or K with WSPI_TA. */
void wspi_gemm(wspi_nn *nn, float *y, const float *a, const float *b, size_t M, size_t N, size_t K,
               unsigned flags);
/* y = in w^T with w [out][K], backward: dw[out][K] += dy[N][out]^T in[N][K]; din[N][K] = dy w (set). w: a WSPI_WEIGHT */
void wspi_linear_bwd(wspi_nn *nn, float *dw, float *din, const float *dy, const float *in,
                     const float *w, size_t N, size_t out, size_t K);
void wspi_ref_gemm(float *y, const float *a, const float *b, size_t M, size_t N, size_t K,
                   unsigned flags);

/* ---- bytes ---- */

/* y = round(x / scale) in [-127, 127]; scale [N] = largest |x| of the row / 127 */
void wspi_to_int8(int8_t *y, float *scale, const float *x, size_t N, size_t C);
/* y[M][N] = or += row[M] column[N] sum[M][N] */
void wspi_from_int8(float *y, const int32_t *sum, const float *row, const float *column, size_t M,
                    size_t N, bool add);

/* ---- norms and pointwise ---- */

/* y = x * rstd * w, rstd[N] = 1 / sqrt(mean(x^2) + 1e-6) */
void wspi_rmsnorm_fwd(float *y, float *rstd, const float *x, const float *w, size_t N, size_t C);
void wspi_rmsnorm_bwd(float *dx, float *dw, const float *dy, const float *x, const float *w,
                      const float *rstd, size_t N, size_t C);

/* y[N][C] = rmsnorm over each of H groups of x[N][C], times w[C], times silu(z[N][ldz]); rstd [N][H] */
void wspi_gated_norm_fwd(float *y, float *rstd, const float *x, const float *z, size_t ldz,
                         const float *w, size_t N, size_t H, size_t C);
void wspi_gated_norm_bwd(float *dx, float *dz, float *dw, const float *dy, const float *x,
                         const float *z, size_t ldz, const float *w, const float *rstd, size_t N,
                         size_t H, size_t C);

/* GELU, tanh form. bwd in place: d *= gelu'(x). The same for SiLU. ref_: with libm. */
void wspi_gelu_fwd(float *y, const float *x, size_t n);
void wspi_gelu_bwd(float *d, const float *x, size_t n);
void wspi_silu_fwd(float *y, const float *x, size_t n);
void wspi_silu_bwd(float *d, const float *x, size_t n);
void wspi_ref_gelu_fwd(float *y, const float *x, size_t n);
void wspi_ref_silu_fwd(float *y, const float *x, size_t n);

void wspi_add(float *y, const float *x, size_t n); /* y += x */
double wspi_squares(const float *x, size_t n);     /* their sum */

/* AdamW (Loshchilov and Hutter, 2019): what all weights of a step share. unbias: 1 / (1 - beta^step). */
typedef struct wspi_adamw {
    float beta1, beta2, eps, unbias1, unbias2, scale; /* scale: of the gradients */
} wspi_adamw;
/* One step of n weights with gradients g, which are 0 afterwards, and the moments a and b. decay: rate included. */
void wspi_adamw_step(float *w, float *g, float *a, float *b, size_t n, const wspi_adamw *o,
                     float rate, float decay);

void wspi_to_bf16(uint16_t *restrict y, const float *restrict x,
                  size_t n); /* to nearest, ties to even; NaN stays NaN */
void wspi_dropout(float *x, size_t n, float p,
                  uint64_t key); /* in place; the same call is its own gradient */

/*
 * Softmax and cross-entropy of logits[N][V] against target[N]: loss[N], nll without smoothing is smooth = 0.
 * With scale (per row): logits become their gradients times scale[row], in place. Without, they are spent.
 */
void wspi_xent(float *logits, float *loss, const uint32_t *target, const float *scale, float smooth,
               size_t N, size_t V);
/* x[n] = exp(x - *max), where *max is the largest of them; returns their sum. n may not be 0. */
float wspi_odds(float *x, size_t n, float *max);
void wspi_ref_xent(float *dlogits, float *loss, const float *logits, uint32_t target, float smooth,
                   size_t V);

/* ---- causal softmax attention inside ragged packets ---- */

/* o[N][C] from qkv[N][3C]; packet i is rows off[i]..off[i+1]; H heads of C / H channels */
enum { WSPI_MAX_T = 256, WSPI_MAX_HEAD_WIDTH = 128 }; /* rows of a packet, channels of a head */
void wspi_attention_fwd(float *o, const float *qkv, const uint32_t *off, size_t n, size_t H,
                        size_t C);
void wspi_attention_bwd(float *dqkv, const float *d_o, const float *qkv, const uint32_t *off,
                        size_t n, size_t H, size_t C);
void wspi_ref_attention_fwd(float *o, const float *qkv, const uint32_t *off, size_t n, size_t H,
                            size_t C);

/* The same for the last row of each packet alone: o[n][C] from q[n][C] and kv[N][2C]. */
void wspi_last_attention_fwd(float *o, const float *q, const float *kv, const uint32_t *off,
                             size_t n, size_t H, size_t C);
void wspi_last_attention_bwd(float *dq, float *dkv, const float *d_o, const float *q,
                             const float *kv, const uint32_t *off, size_t n, size_t H, size_t C);

/*
 * The rows of one packet that follow `past` others: o[n][C] from qkv[n][3C]. keys, values: [past + n][C], where those of
 * the new rows are added, as floats or as bfloat16 (half): rows of many packets come from far caches.
 */
void wspi_attention_step(float *o, void *keys, void *values, bool half, const float *qkv,
                         size_t past, size_t n, size_t H, size_t C);

/*
 * y[n] = a . the rows of b[][C] with these numbers; rows NULL: 0 to n - 1. b are floats, or bfloat16 (half). A product does not
 * depend on its neighbours.
 */
void wspi_products(float *y, const float *a, const void *b, bool half, const uint16_t *rows,
                   size_t n, size_t C);

/*
 * Few rows of x[][C], those with the n numbers in `rows`, and weights w[k][C], in float32: y[n][k] = x w^T; backward dw
 * += dy^T x, and dx, at the rows that x has, += dy w.
 */
void wspi_small_fwd(float *y, const float *x, const uint32_t *rows, const float *w, size_t n,
                    size_t k, size_t C);
void wspi_small_bwd(float *dw, float *dx, const float *dy, const float *x, const uint32_t *rows,
                    const float *w, size_t n, size_t k, size_t C);

/* ---- the flow mixer ---- */

/* y[T][C] = causal depthwise convolution of x[T][ldx] with w[K][C] and bias[C]; rows before the first are `past`
 * ([K-1][C], oldest first), which get no gradient, or zero when NULL. */
void wspi_conv_fwd(float *y, const float *x, size_t ldx, const float *past, const float *w,
                   const float *bias, size_t T, size_t C, size_t K);
void wspi_conv_bwd(float *dx, float *dw, float *dbias, const float *dy, const float *x, size_t ldx,
                   const float *past, const float *w, size_t T, size_t C, size_t K);

/* log gate g[N][H] = max(-softplus(x[N][ldx] + b) * exp(rate), -20) */
void wspi_gate_fwd(float *g, const float *x, size_t ldx, const float *b, const float *rate,
                   size_t N, size_t H);
void wspi_gate_bwd(float *dx, float *db, float *drate, const float *dg, const float *g,
                   const float *x, size_t ldx, const float *b, const float *rate, size_t N,
                   size_t H);

/* Scalar-gated linear attention: S_t = e^g_t S_(t-1) + k_t v_t^T, o_t = S_t^T q_t, per head. qkv row: q[H][dk] k[H][dk]
 * v[H][dv]; o[T][H][dv]; g[T][H]; chunk <= WSPI_MAX_CHUNK. */
enum { WSPI_MAX_CHUNK = 256 };
typedef struct wspi_scan {
    size_t H, dk, dv, chunk;
} wspi_scan;

static inline size_t wspi_scan_width(const wspi_scan *s)
{
    return s->H * (2 * s->dk + s->dv);
}

/* state: [H][dk][dv], read and updated; NULL: zero. saved: states at chunk starts, [ceil(T / chunk)][H][dk][dv], needed
 * by bwd, or NULL. work: >= dk * dv floats */
void wspi_scan_fwd(float *o, float *state, float *saved, float *work, const float *qkv,
                   const float *g, const wspi_scan *s, size_t T);
/* The state that the rows began with gets no gradient. work: >= dk * dv floats */
void wspi_scan_bwd(float *dqkv, float *dg, float *work, const float *d_o, const float *qkv,
                   const float *g, const float *saved, const wspi_scan *s, size_t T);
/* One row: state[H][dk][dv] is updated. */
void wspi_scan_step(float *o, float *state, const float *qkv, const float *g, const wspi_scan *s);

#endif
