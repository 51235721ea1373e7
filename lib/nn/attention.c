/* SPDX-License-Identifier: Apache-2.0 */
/*
 * attention.c: causal softmax attention inside packets of a ragged batch, for all rows of a packet or for its last alone.
 * Probabilities are recomputed backward. Packets are short, so a head's keys and values stay in the nearest cache; keys
 * are turned into columns of 16, which lets one row of scores be computed 16 keys at a time.
 */
#include <float.h>

#include "nn/ops.h"

#include "nn/fast_int.h"

enum { COLUMN = 16, MOST = WSPI_MAX_T * WSPI_MAX_HEAD_WIDTH };

/* t[n/16][D][16] = rows of x[n][ld], zero beyond the last */
INLINE void columns(float *t, const float *x, size_t ld, size_t n, size_t D)
{
    for (size_t j = 0; j < n; j += COLUMN, t += COLUMN * D) {
        size_t rows = n - j < COLUMN ? n - j : COLUMN;

        if (rows < COLUMN)
            memset(t, 0, COLUMN * D * sizeof *t);
        for (size_t l = 0; l < rows; l++)
            for (size_t d = 0; d < D; d++)
                t[d * COLUMN + l] = x[(j + l) * ld + d];
    }
}

/* Queries at a time: sums that do not wait for one another. */
enum { ROWS = 4 };

/* p[r][j] = row r of q . row j of the columns t, for j < n and up to the end of the last column */
INLINE void dots(float p[ROWS][WSPI_MAX_T], const float *const q[ROWS], const float *t, size_t n,
                 size_t D)
{
    for (size_t j = 0; j < n; j += COLUMN, t += COLUMN * D) {
        lanes s[ROWS] = {{0}};

        for (size_t d = 0; d < D; d++)
            for (size_t r = 0; r < ROWS; r++)
                s[r] += q[r][d] * *lanes_at(t + d * COLUMN);
        for (size_t r = 0; r < ROWS; r++)
            memcpy(p[r] + j, &s[r], sizeof s[r]);
    }
}

/* x[j] = j < n ? x[j] : other, in a column */
INLINE void cut_column(float *x, int n, float other)
{
    for (int k = 0; k < COLUMN; k++)
        x[k] = k < n ? x[k] : other;
}

/* p[0..n) = softmax(p scale), zero behind it up to `end`, a multiple of the column */
INLINE void softmax(float *p, size_t n, size_t end, float scale)
{
    size_t whole = n / COLUMN * COLUMN;
    float max, sum = 0;

    for (size_t j = whole; j < end; j += COLUMN)
        cut_column(p + j, (int)n - (int)j, -FLT_MAX);
    max = maximum(p, end);
    for (size_t j = 0; j < end; j += COLUMN)
        for (size_t k = 0; k < COLUMN; k++)
            p[j + k] = fast_exp((p[j + k] - max) * scale);
    for (size_t j = whole; j < end; j += COLUMN)
        cut_column(p + j, (int)n - (int)j, 0);
    for (size_t j = 0; j < end; j += COLUMN)
        for (size_t k = 0; k < COLUMN; k++)
            sum += p[j + k];
    sum = 1.0f / sum;
    for (size_t j = 0; j < end; j += COLUMN)
        for (size_t k = 0; k < COLUMN; k++)
            p[j + k] *= sum;
}

/* y[r][D] += sum over j < n of p[r][j] x[j][ld] */
INLINE void mix(float *const y[ROWS], float p[ROWS][WSPI_MAX_T], const float *x, size_t ld,
                size_t n, size_t D)
{
    size_t d = 0;

    for (; d + COLUMN <= D; d += COLUMN) {
        lanes s[ROWS] = {{0}};

        for (size_t j = 0; j < n; j++)
            for (size_t r = 0; r < ROWS; r++)
                s[r] += p[r][j] * *lanes_at(x + j * ld + d);
        for (size_t r = 0; r < ROWS; r++) {
            s[r] += *lanes_at(y[r] + d);
            memcpy(y[r] + d, &s[r], sizeof s[r]);
        }
    }
    for (; d < D; d++)
        for (size_t r = 0; r < ROWS; r++)
            for (size_t j = 0; j < n; j++)
                y[r][d] += p[r][j] * x[j * ld + d];
}

/* x[n][ld] += p^T y, of n rows */
INLINE void mix_back(float *x, float p[ROWS][WSPI_MAX_T], const float *const y[ROWS], size_t ld,
                     size_t n, size_t D)
{
    size_t d = 0;

    for (; d + COLUMN <= D; d += COLUMN)
        for (size_t j = 0; j < n; j++) {
            lanes s = *lanes_at(x + j * ld + d);
            for (size_t r = 0; r < ROWS; r++)
                s += p[r][j] * *lanes_at(y[r] + d);
            memcpy(x + j * ld + d, &s, sizeof s);
        }
    for (; d < D; d++)
        for (size_t r = 0; r < ROWS; r++)
            for (size_t j = 0; j < n; j++)
                x[j * ld + d] += p[r][j] * y[r][d];
}

/* Queries of a packet from row i on, each with its keys; behind the last row: nothing, read and written aside. */
typedef struct queries {
    float p[ROWS][WSPI_MAX_T];
    float none[WSPI_MAX_HEAD_WIDTH], aside[WSPI_MAX_HEAD_WIDTH];
    size_t n[ROWS];   /* keys */
    size_t keys, end; /* of the last one; up to the end of a column */
} queries;

INLINE void queries_at(queries *q, size_t i, size_t T)
{
    q->keys = i + ROWS < T ? i + ROWS : T;
    q->end = (q->keys + COLUMN - 1) / COLUMN * COLUMN;
    for (size_t r = 0; r < ROWS; r++)
        q->n[r] = i + r < T ? i + r + 1 : q->keys;
}

/* Rows i.. of x[T][ld] for reading, and for adding to. */
INLINE void rows_in(const float *row[ROWS], const queries *q, const float *x, size_t i, size_t T,
                    size_t ld)
{
    for (size_t r = 0; r < ROWS; r++)
        row[r] = i + r < T ? x + (i + r) * ld : q->none;
}

INLINE void rows_out(float *row[ROWS], queries *q, float *x, size_t i, size_t T, size_t ld)
{
    for (size_t r = 0; r < ROWS; r++)
        row[r] = i + r < T ? x + (i + r) * ld : q->aside;
}

INLINE void weigh(queries *w, const float *const q[ROWS], const float *kt, size_t D, float scale)
{
    dots(w->p, q, kt, w->keys, D);
    for (size_t r = 0; r < ROWS; r++)
        softmax(w->p[r], w->n[r], w->end, scale);
}

INLINE void head_fwd(float *o, const float *qkv, size_t T, size_t C, size_t D)
{
    const float *k = qkv + C, *v = k + C;
    const float scale = 1.0f / sqrtf((float)D);
    size_t ld = 3 * C;
    float kt[MOST];
    queries w;

    memset(w.none, 0, D * sizeof *w.none);
    columns(kt, k, ld, T, D);
    for (size_t i = 0; i < T; i += ROWS) {
        const float *q[ROWS];
        float *y[ROWS];

        queries_at(&w, i, T);
        rows_in(q, &w, qkv, i, T, ld);
        rows_out(y, &w, o, i, T, C);
        weigh(&w, q, kt, D, scale);
        for (size_t r = 0; r < ROWS; r++)
            memset(y[r], 0, D * sizeof *y[r]);
        mix(y, w.p, v, ld, w.keys, D);
    }
}

/* ds = p (ds - p . ds) scale */
INLINE void softmax_bwd(float *ds, const float *p, size_t end, float scale)
{
    float mean = 0;

    for (size_t j = 0; j < end; j += COLUMN)
        for (size_t k = 0; k < COLUMN; k++)
            mean += p[j + k] * ds[j + k];
    for (size_t j = 0; j < end; j += COLUMN)
        for (size_t k = 0; k < COLUMN; k++)
            ds[j + k] = p[j + k] * (ds[j + k] - mean) * scale;
}

INLINE void head_bwd(float *dqkv, const float *d_o, const float *qkv, size_t T, size_t C, size_t D)
{
    const float *k = qkv + C, *v = k + C;
    const float scale = 1.0f / sqrtf((float)D);
    size_t ld = 3 * C;
    float ds[ROWS][WSPI_MAX_T], kt[MOST], vt[MOST];
    queries w;

    memset(w.none, 0, D * sizeof *w.none);
    memset(w.aside, 0, D * sizeof *w.aside);
    columns(kt, k, ld, T, D);
    columns(vt, v, ld, T, D);
    for (size_t i = 0; i < T; i += ROWS) {
        const float *q[ROWS], *go[ROWS];
        float *dq[ROWS];

        queries_at(&w, i, T);
        rows_in(q, &w, qkv, i, T, ld);
        rows_in(go, &w, d_o, i, T, C);
        rows_out(dq, &w, dqkv, i, T, ld);
        weigh(&w, q, kt, D, scale);
        dots(ds, go, vt, w.keys, D);
        for (size_t r = 0; r < ROWS; r++)
            softmax_bwd(ds[r], w.p[r], w.end, scale);
        mix(dq, ds, k, ld, w.keys, D);
        mix_back(dqkv + 2 * C, w.p, go, ld, w.keys, D);
        mix_back(dqkv + C, ds, q, ld, w.keys, D);
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

/* Whole floats. */
INLINE rounded floats(const float *x)
{
    return (rounded){x, false};
}

/* The last row's scores and probabilities: one query, so keys are read as they lie. */
INLINE void last_row(float *p, const float *q, rounded k, size_t ld, size_t T, size_t D)
{
    for (size_t j = 0; j < T; j += 4) {
        size_t at[4];

        for (size_t i = 0; i < 4; i++)
            at[i] = WSPI_MIN(j + i, T - 1) * ld;
        four_rounded(p + j, q, k, at, D);
    }
    softmax(p, T, (T + COLUMN - 1) / COLUMN * COLUMN, 1.0f / sqrtf((float)D));
}

/* *y += p x[i .. i + 16) */
INLINE void add_lanes(lanes *y, float p, rounded x, size_t i)
{
    lanes v;

    rounded_lanes(&v, x, i);
    *y += p * v;
}

/* y[D] += sum over j of p[j] x[j][ld]: two rows and two columns at a time, so that no sum waits for the one before. */
INLINE void mix_one(float *y, const float *p, rounded x, size_t ld, size_t n, size_t D)
{
    size_t d = 0;

    for (; d + 2 * COLUMN <= D; d += 2 * COLUMN) {
        lanes s[4] = {*lanes_at(y + d), *lanes_at(y + d + COLUMN)};
        size_t j = 0;

        for (; j + 2 <= n; j += 2)
            for (size_t k = 0; k < 4; k++)
                add_lanes(&s[k], p[j + k / 2], x, (j + k / 2) * ld + d + k % 2 * COLUMN);
        for (size_t k = 0; k < 2; k++) {
            if (j < n)
                add_lanes(&s[k], p[j], x, j * ld + d + k * COLUMN);
            s[k] += s[k + 2];
        }
        memcpy(y + d, s, 2 * sizeof *s);
    }
    for (; d + COLUMN <= D; d += COLUMN) {
        lanes s = *lanes_at(y + d);

        for (size_t j = 0; j < n; j++)
            add_lanes(&s, p[j], x, j * ld + d);
        memcpy(y + d, &s, sizeof s);
    }
    for (; d < D; d++)
        for (size_t j = 0; j < n; j++)
            y[d] += p[j] * rounded_one(x, j * ld + d);
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

            last_row(p, q + at, floats(k), ld, T, D);
            mix_one(o + at, p, floats(k + C), ld, T, D);
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

            last_row(p, q + at, floats(k), ld, T, D);
            for (size_t j = 0; j < T; j++) {
                ds[j] = dot(d_o + at, v + j * ld, D);
                mean += p[j] * ds[j];
            }
            for (size_t j = 0; j < T; j++) {
                ds[j] = p[j] * (ds[j] - mean) * scale;
                axpy(dv + j * ld, p[j], d_o + at, D);
                axpy(dk + j * ld, ds[j], q + at, D);
            }
            mix_one(dq + at, ds, floats(k), ld, T, D);
        }
}

INLINE void keep_row(void *rows, size_t at, const float *x, size_t C, bool half)
{
    if (half)
        wspi_to_bf16((uint16_t *)rows + at * C, x, C);
    else
        memcpy((float *)rows + at * C, x, C * sizeof *x);
}

INLINE void step(float *o, void *keys, void *values, const float *qkv, size_t past, size_t n,
                 size_t H, size_t C, const bool half)
{
    size_t D = C / H;
    float p[WSPI_MAX_T];

    memset(o, 0, n * C * sizeof *o);
    for (size_t i = 0; i < n; i++) {
        const float *q = qkv + i * 3 * C;
        size_t T = past + i + 1;

        keep_row(keys, T - 1, q + C, C, half);
        keep_row(values, T - 1, q + 2 * C, C, half);
        for (size_t h = 0; h < H; h++) {
            last_row(p, q + h * D, rounded_at((rounded){keys, half}, h * D), C, T, D);
            mix_one(o + i * C + h * D, p, rounded_at((rounded){values, half}, h * D), C, T, D);
        }
    }
}

FAST void wspi_attention_step(float *o, void *keys, void *values, bool half, const float *qkv,
                              size_t past, size_t n, size_t H, size_t C)
{
    if (half)
        step(o, keys, values, qkv, past, n, H, C, true);
    else
        step(o, keys, values, qkv, past, n, H, C, false);
}
