/* SPDX-License-Identifier: Apache-2.0 */
/*
 * int8.c: rows of numbers as bytes with a scale each, symmetric about zero, and products of such rows as numbers again. A
 * scale of its own for each row keeps a row's result from depending on the rows beside it.
 */
#include "nn/ops.h"

#include <float.h>

#include "nn/fast_int.h"

/* Largest |x|. Numbers without their sign are in the order of their bits, which compilers vectorise. NaN is the largest. */
INLINE float largest(const float *x, size_t n)
{
    uint32_t top = 0, bits;
    float y;

    for (size_t i = 0; i < n; i++) {
        memcpy(&bits, x + i, sizeof bits);
        bits &= 0x7fffffffu;
        top = bits > top ? bits : top;
    }
    memcpy(&y, &top, sizeof y);
    return y;
}

FAST void wspi_to_int8(int8_t *restrict y, float *restrict scale, const float *restrict x, size_t N,
                       size_t C)
{
    for (size_t i = 0; i < N; i++, x += C, y += C) {
        float top = largest(x, C), s = top > 127 * FLT_MIN ? 127.0f / top : 0;

        scale[i] = top / 127.0f;
        for (size_t c = 0; c < C; c++) {
            float v = rintf(x[c] * s); /* within 127 of 0, or NaN */
            y[c] = (int8_t)(int32_t)(v >= -127.0f ? v : -127.0f);
        }
    }
}

FAST void wspi_from_int8(float *restrict y, const int32_t *restrict sum, const float *restrict row,
                         const float *restrict column, size_t M, size_t N, bool add)
{
    for (size_t i = 0; i < M; i++, sum += N, y += N) {
        float r = row[i];

        if (add)
            for (size_t j = 0; j < N; j++)
                y[j] += r * column[j] * (float)sum[j];
        else
            for (size_t j = 0; j < N; j++)
                y[j] = r * column[j] * (float)sum[j];
    }
}
