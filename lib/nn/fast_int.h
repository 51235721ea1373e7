/* SPDX-License-Identifier: Apache-2.0 */
/* fast_int.h: compiler settings of the fast kernels, and a vectorisable exp. Include it after all other headers. */
#ifndef WSPI_NN_FAST_INT_H
#define WSPI_NN_FAST_INT_H

#include <math.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#if defined(__GNUC__) && !defined(__clang__)
/* Sums may be reordered; NaN and infinity keep their meaning. */
#pragma GCC optimize("O3", "no-math-errno", "no-trapping-math", "no-signed-zeros", \
                     "associative-math", "fp-contract=fast")
#endif

/* ifunc resolvers run before the sanitizers are ready */
#if defined(__GNUC__) && !defined(__clang__) && defined(__x86_64__) && defined(__linux__) && \
    !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
#define FAST __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))
#else
#define FAST
#endif

/* Before a loop whose arrays are the same or apart. */
#if defined(__GNUC__) && !defined(__clang__)
#define EACH_BY_ITSELF _Pragma("GCC ivdep")
#elif defined(__clang__)
#define EACH_BY_ITSELF _Pragma("clang loop vectorize(assume_safety)")
#else
#define EACH_BY_ITSELF
#endif

#define INLINE static inline __attribute__((always_inline))

/* e^x to 2 ulp or so for x in [-87, 88], clamped outside: 2^n times a polynomial on [-ln2/2, ln2/2] */
INLINE float fast_exp(float x)
{
    float n, r, p;
    int32_t bits;

    x = x < -87.0f ? -87.0f : x;
    x = x > 88.0f ? 88.0f : x;
    n = rintf(x * 1.44269504f);
    r = x - n * 0.693145752f - n * 1.42860677e-6f;
    p = 1.0f +
        r * (1.0f +
             r * (0.5f + r * (0.166666667f +
                              r * (0.0416666679f + r * (0.00833333377f + r * 0.00138888892f)))));
    n = n > -126.0f
            ? n
            : -126.0f; /* of NaN, which stays one in p: as a number of 32 bits it is undefined */
    bits = ((int32_t)n + 127) * (1 << 23);
    memcpy(&n, &bits, sizeof n);
    return p * n;
}

INLINE float fast_sigmoid(float x)
{
    return 1.0f / (1.0f + fast_exp(-x));
}

INLINE float dot(const float *a, const float *b, size_t n)
{
    float s = 0;

    for (size_t i = 0; i < n; i++)
        s += a[i] * b[i];
    return s;
}

/* y += a x */
INLINE void axpy(float *restrict y, float a, const float *restrict x, size_t n)
{
    for (size_t i = 0; i < n; i++)
        y[i] += a * x[i];
}

/* 16 floats that the compiler keeps in registers, as wide as the CPU's; they may lie anywhere. */
typedef float lanes __attribute__((vector_size(64), aligned(4), may_alias));

INLINE const lanes *lanes_at(const float *x)
{
    return (const lanes *)(const void *)x;
}

/* Rows that only products read: floats, or bfloat16, which are their upper halves. */
typedef struct rounded {
    const void *x;
    bool half;
} rounded;

INLINE rounded rounded_at(rounded r, size_t i)
{
    return (rounded){r.half ? (const void *)((const uint16_t *)r.x + i)
                            : (const void *)((const float *)r.x + i),
                     r.half};
}

/* *y = r[i .. i + 16): a vector that is returned would be of another ABI for each CPU. */
INLINE void rounded_lanes(lanes *y, rounded r, size_t i)
{
    typedef uint16_t halves __attribute__((vector_size(32), aligned(2), may_alias));
    typedef uint32_t words __attribute__((vector_size(64)));

    r = rounded_at(r, i);
    *y = r.half ? (lanes)(__builtin_convertvector(*(const halves *)r.x, words) << 16)
                : *lanes_at(r.x);
}

INLINE float rounded_one(rounded r, size_t i)
{
    uint32_t u;
    float y;

    r = rounded_at(r, i);
    if (!r.half)
        return *(const float *)r.x;
    u = (uint32_t) * (const uint16_t *)r.x << 16;
    memcpy(&y, &u, sizeof y);
    return y;
}

/* Sums of the 16 lanes of four vectors. */
INLINE void sums(float *y, const lanes *v)
{
    typedef float half __attribute__((vector_size(32)));
    typedef float quarter __attribute__((vector_size(16)));

    for (size_t i = 0; i < 4; i++) {
        half h[2];
        quarter q[2];

        memcpy(h, v + i, sizeof h);
        h[0] += h[1];
        memcpy(q, h, sizeof q);
        q[0] += q[1];
        y[i] = (q[0][0] + q[0][1]) + (q[0][2] + q[0][3]);
    }
}

/* y[r][i] = a[r] . b[i] for four b and R rows: each part of b is loaded once for all rows. */
INLINE void four(float (*y)[4], const float *const *a, const float *const *b, size_t C,
                 const size_t R)
{
    lanes s[4][4] = {{{0}}};
    size_t c = 0;

    for (; c + 16 <= C; c += 16)
        for (size_t r = 0; r < R; r++)
            for (size_t i = 0; i < 4; i++)
                s[r][i] += *lanes_at(a[r] + c) * *lanes_at(b[i] + c);
    for (size_t r = 0; r < R; r++) {
        sums(y[r], s[r]);
        for (size_t k = c; k < C; k++)
            for (size_t i = 0; i < 4; i++)
                y[r][i] += a[r][k] * b[i][k];
    }
}

/* y[i] = a . the D numbers of b from at[i] on, four times */
INLINE void four_rounded(float y[4], const float *a, rounded b, const size_t at[4], size_t D)
{
    lanes s[4] = {{0}}, part;
    size_t d = 0;

    for (; d + 16 <= D; d += 16)
        for (size_t i = 0; i < 4; i++) {
            rounded_lanes(&part, b, at[i] + d);
            s[i] += *lanes_at(a + d) * part;
        }
    sums(y, s);
    for (; d < D; d++)
        for (size_t i = 0; i < 4; i++)
            y[i] += a[d] * rounded_one(b, at[i] + d);
}

/* In 16 lanes: without them the order of comparisons keeps the compiler from vectorising. */
INLINE float maximum(const float *x, size_t n)
{
    float lane[16], max;
    size_t i;

    for (size_t k = 0; k < 16; k++)
        lane[k] = x[0];
    for (i = 0; i + 16 <= n; i += 16)
        for (size_t k = 0; k < 16; k++)
            lane[k] = x[i + k] > lane[k] ? x[i + k] : lane[k];
    for (size_t w = 8; w > 0; w /= 2)
        for (size_t k = 0; k < w; k++)
            lane[k] = lane[k + w] > lane[k] ? lane[k + w] : lane[k];
    max = lane[0];
    for (; i < n; i++)
        max = x[i] > max ? x[i] : max;
    return max;
}

#endif
