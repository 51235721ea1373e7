/* SPDX-License-Identifier: Apache-2.0 */
/*
 * attention.c: causal softmax attention inside packets of a ragged batch, for all rows of a packet or for its last alone.
 * Probabilities are recomputed backward. Packets are short, so a head's keys and values stay in the nearest cache; keys
 * are turned into columns of 16, which lets one row of scores be computed 16 keys at a time.
 */
#include "nn/ops.h"

#include "nn/fast_int.h"

enum { COLUMN = 16, MOST = WSPI_MAX_T * WSPI_MAX_HEAD_WIDTH };

/* t[n/16][D][16] = rows of x[n][ld], zero beyond the last */
INLINE void columns(float *t, const float *x, size_t ld, size_t n, size_t D)
{
    for (size_t j = 0; j < n; j += COLUMN, t += COLUMN * D)
        for (size_t l = 0; l < COLUMN; l++)
            for (size_t d = 0; d < D; d++)
                t[d * COLUMN + l] = j + l < n ? x[(j + l) * ld + d] : 0.0f;
}

/* p[j] = q . row j of the columns t, for j < n and up to the end of the last column */
INLINE void dots(float *p, const float *q, const float *t, size_t n, size_t D)
{
    for (size_t j = 0; j < n; j += COLUMN, t += COLUMN * D) {
        lanes s = {0};

        for (size_t d = 0; d < D; d++)
            s += q[d] * *lanes_at(t + d * COLUMN);
        memcpy(p + j, &s, sizeof s);
    }
}

/* p[0..n) = softmax(p scale) */
INLINE void softmax(float *p, size_t n, float scale)
{
    float max = maximum(p, n), sum = 0;

    for (size_t j = 0; j < n; j++) {
        p[j] = fast_exp((p[j] - max) * scale);
        sum += p[j];
    }
    sum = 1.0f / sum;
    for (size_t j = 0; j < n; j++)
        p[j] *= sum;
}

/* y[D] += sum over j of p[j] x[j][ld] */
INLINE void mix(float *y, const float *p, const float *x, size_t ld, size_t n, size_t D)
{
    size_t d = 0;

    for (; d + COLUMN <= D; d += COLUMN) {
        lanes s = *lanes_at(y + d);

        for (size_t j = 0; j < n; j++)
            s += p[j] * *lanes_at(x + j * ld + d);
        memcpy(y + d, &s, sizeof s);
    }
    for (; d < D; d++)
        for (size_t j = 0; j < n; j++)
            y[d] += p[j] * x[j * ld + d];
}

INLINE void head_fwd(float *o, const float *qkv, size_t T, size_t C, size_t D)
{
    const float *k = qkv + C, *v = k + C;
    const float scale = 1.0f / sqrtf((float)D);
    size_t ld = 3 * C;
    float p[WSPI_MAX_T], kt[MOST];

    columns(kt, k, ld, T, D);
    for (size_t i = 0; i < T; i++) {
        dots(p, qkv + i * ld, kt, i + 1, D);
        softmax(p, i + 1, scale);
        memset(o + i * C, 0, D * sizeof *o);
        mix(o + i * C, p, v, ld, i + 1, D);
    }
}

INLINE void head_bwd(float *dqkv, const float *d_o, const float *qkv, size_t T, size_t C, size_t D)
{
    const float *k = qkv + C, *v = k + C;
    const float scale = 1.0f / sqrtf((float)D);
    float *dk = dqkv + C, *dv = dk + C;
    size_t ld = 3 * C;
    float p[WSPI_MAX_T], ds[WSPI_MAX_T], kt[MOST], vt[MOST];

    columns(kt, k, ld, T, D);
    columns(vt, v, ld, T, D);
    for (size_t i = 0; i < T; i++) {
        const float *q = qkv + i * ld, *go = d_o + i * C;
        float mean = 0;

        dots(p, q, kt, i + 1, D);
        softmax(p, i + 1, scale);
        dots(ds, go, vt, i + 1, D);
        for (size_t j = 0; j <= i; j++)
            mean += p[j] * ds[j];
        for (size_t j = 0; j <= i; j++)
            ds[j] = p[j] * (ds[j] - mean) * scale;
        mix(dqkv + i * ld, ds, k, ld, i + 1, D);
        for (size_t j = 0; j <= i; j++) {
            axpy(dv + j * ld, p[j], go, D);
            axpy(dk + j * ld, ds[j], q, D);
        }
    }
}

/* Heads of 32, the usual width, get loops of known length. */
FAST void wspi_attention_fwd(float *o, const float *qkv, const uint32_t *off, size_t n, size_t H,
                             size_t C)
{
    size_t D = C / H;

    for (size_t t = 0; t < n; t++)
        for (size_t h = 0; h < H; h++) {
            size_t T = off[t + 1] - off[t], at = h * D;

            if (D == 32)
                head_fwd(o + off[t] * C + at, qkv + off[t] * 3 * C + at, T, C, 32);
            else
                head_fwd(o + off[t] * C + at, qkv + off[t] * 3 * C + at, T, C, D);
        }
}

FAST void wspi_attention_bwd(float *dqkv, const float *d_o, const float *qkv, const uint32_t *off,
                             size_t n, size_t H, size_t C)
{
    size_t D = C / H;

    for (size_t t = 0; t < n; t++)
        for (size_t h = 0; h < H; h++) {
            size_t T = off[t + 1] - off[t], at = off[t] * 3 * C + h * D, out = off[t] * C + h * D;

            if (D == 32)
                head_bwd(dqkv + at, d_o + out, qkv + at, T, C, 32);
            else
                head_bwd(dqkv + at, d_o + out, qkv + at, T, C, D);
        }
}

/* The last row's scores and probabilities: one query, so keys are read as they lie. */
INLINE void last_row(float *p, const float *q, const float *k, size_t ld, size_t T, size_t D)
{
    for (size_t j = 0; j < T; j++)
        p[j] = dot(q, k + j * ld, D);
    softmax(p, T, 1.0f / sqrtf((float)D));
}

FAST void wspi_last_attention_fwd(float *o, const float *q, const float *kv, const uint32_t *off,
                                  size_t n, size_t H, size_t C)
{
    size_t D = C / H, ld = 2 * C;
    float p[WSPI_MAX_T];

    memset(o, 0, n * C * sizeof *o);
    for (size_t t = 0; t < n; t++)
        for (size_t h = 0; h < H; h++) {
            const float *k = kv + off[t] * ld + h * D;
            size_t T = off[t + 1] - off[t], at = t * C + h * D;

            last_row(p, q + at, k, ld, T, D);
            mix(o + at, p, k + C, ld, T, D);
        }
}

FAST void wspi_last_attention_bwd(float *dq, float *dkv, const float *d_o, const float *q,
                                  const float *kv, const uint32_t *off, size_t n, size_t H,
                                  size_t C)
{
    size_t D = C / H, ld = 2 * C;
    float p[WSPI_MAX_T], ds[WSPI_MAX_T], scale = 1.0f / sqrtf((float)D);

    for (size_t t = 0; t < n; t++)
        for (size_t h = 0; h < H; h++) {
            size_t T = off[t + 1] - off[t], at = t * C + h * D, from = off[t] * ld + h * D;
            const float *k = kv + from, *v = k + C;
            float *dk = dkv + from, *dv = dk + C, mean = 0;

            last_row(p, q + at, k, ld, T, D);
            for (size_t j = 0; j < T; j++) {
                ds[j] = dot(d_o + at, v + j * ld, D);
                mean += p[j] * ds[j];
            }
            for (size_t j = 0; j < T; j++) {
                ds[j] = p[j] * (ds[j] - mean) * scale;
                axpy(dv + j * ld, p[j], d_o + at, D);
                axpy(dk + j * ld, ds[j], q + at, D);
            }
            mix(dq + at, ds, k, ld, T, D);
        }
}

FAST void wspi_attention_step(float *o, float *keys, float *values, const float *qkv, size_t past,
                              size_t n, size_t H, size_t C)
{
    size_t D = C / H;
    float p[WSPI_MAX_T];

    memset(o, 0, n * C * sizeof *o);
    for (size_t i = 0; i < n; i++) {
        const float *q = qkv + i * 3 * C;
        size_t T = past + i + 1;

        memcpy(keys + (T - 1) * C, q + C, C * sizeof *keys);
        memcpy(values + (T - 1) * C, q + 2 * C, C * sizeof *values);
        for (size_t h = 0; h < H; h++) {
            last_row(p, q + h * D, keys + h * D, C, T, D);
            mix(o + i * C + h * D, p, values + h * D, C, T, D);
        }
    }
}
