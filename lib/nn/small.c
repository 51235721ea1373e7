/* SPDX-License-Identifier: Apache-2.0 */
/*
 * small.c: products of a few rows that lie apart with a few rows of weights. oneDNN's calls cost more than that, and it
 * would make a primitive for every number of rows.
 */
#include "nn/ops.h"

#include "nn/fast_int.h"

/* Where rows j to j + 3 of those with these numbers are, the last of n again where there are no more. */
INLINE void places(size_t at[4], const uint16_t *number, size_t j, size_t n, size_t C)
{
    for (size_t i = 0; i < 4; i++) {
        size_t k = WSPI_MIN(j + i, n - 1);
        at[i] = (number ? number[k] : k) * C;
    }
}

INLINE void products(float *y, const float *a, rounded b, const uint16_t *rows, size_t n, size_t C)
{
    for (size_t j = 0; j < n; j += 4) {
        size_t at[4];
        float out[4];

        places(at, rows, j, n, C);
        four_rounded(out, a, b, at, C);
        for (size_t i = 0; i < 4 && j + i < n; i++)
            y[j + i] = out[i];
    }
}

FAST void wspi_products(float *y, const float *a, const void *b, bool half, const uint16_t *rows,
                        size_t n, size_t C)
{
    if (half)
        products(y, a, (rounded){b, true}, rows, n, C);
    else
        products(y, a, (rounded){b, false}, rows, n, C);
}

FAST void wspi_small_fwd(float *y, const float *x, const uint32_t *rows, const float *w, size_t n,
                         size_t k, size_t C)
{
    for (size_t i = 0; i < n; i += 4) {
        const float *a[4];
        size_t R = WSPI_MIN(n - i, (size_t)4);

        for (size_t r = 0; r < R; r++)
            a[r] = x + rows[i + r] * C;
        for (size_t j = 0; j < k; j += 4) {
            const float *b[4];
            float out[4][4];
            size_t at[4];

            places(at, NULL, j, k, C);
            for (size_t l = 0; l < 4; l++)
                b[l] = w + at[l];
            if (R == 4)
                four(out, a, b, C, 4);
            else
                for (size_t r = 0; r < R; r++)
                    four(out + r, a + r, b, C, 1);
            for (size_t r = 0; r < R; r++)
                for (size_t l = 0; l < 4 && j + l < k; l++)
                    y[(i + r) * k + j + l] = out[r][l];
        }
    }
}

/* A sum over j of a[i at + j step] b[j], where b are rows of C floats, one behind the other or by their numbers. */
struct sum {
    const float *a, *b;
    const uint32_t *rows;
    size_t at, step, n, C;
};

INLINE const float *row_of(const struct sum *s, size_t j)
{
    return s->b + (s->rows ? s->rows[j] : j) * s->C;
}

/* y[i] += the sums of R rows of a: 32 columns of them stay in registers. */
INLINE void add_sums(float *const *y, const struct sum *s, const float *a, const size_t R)
{
    size_t c = 0;

    for (; c + 32 <= s->C; c += 32) {
        lanes acc[4][2];

        for (size_t r = 0; r < R; r++)
            for (size_t q = 0; q < 2; q++)
                acc[r][q] = *lanes_at(y[r] + c + 16 * q);
        for (size_t j = 0; j < s->n; j++) {
            const float *b = row_of(s, j) + c;

            for (size_t r = 0; r < R; r++)
                for (size_t q = 0; q < 2; q++)
                    acc[r][q] += a[r * s->at + j * s->step] * *lanes_at(b + 16 * q);
        }
        for (size_t r = 0; r < R; r++)
            memcpy(y[r] + c, acc[r], sizeof acc[r]);
    }
    for (size_t j = 0; c < s->C && j < s->n; j++)
        for (size_t r = 0; r < R; r++)
            axpy(y[r] + c, a[r * s->at + j * s->step], row_of(s, j) + c, s->C - c);
}

/* The same for m rows of y, one behind the other or by their numbers. */
INLINE void add_all_sums(float *y, const uint32_t *rows, size_t m, const struct sum *s)
{
    for (size_t i = 0; i < m; i += 4) {
        float *to[4];
        size_t R = WSPI_MIN(m - i, (size_t)4);

        for (size_t r = 0; r < R; r++)
            to[r] = y + (rows ? rows[i + r] : i + r) * s->C;
        if (R == 4)
            add_sums(to, s, s->a + i * s->at, 4);
        else
            for (size_t r = 0; r < R; r++)
                add_sums(to + r, s, s->a + (i + r) * s->at, 1);
    }
}

FAST void wspi_small_bwd(float *dw, float *dx, const float *dy, const float *x,
                         const uint32_t *rows, const float *w, size_t n, size_t k, size_t C)
{
    const struct sum over_w = {.a = dy, .b = w, .at = k, .step = 1, .n = k, .C = C},
                     over_x = {.a = dy, .b = x, .rows = rows, .at = 1, .step = k, .n = n, .C = C};

    add_all_sums(dx, rows, n, &over_w);
    add_all_sums(dw, NULL, k, &over_x);
}
