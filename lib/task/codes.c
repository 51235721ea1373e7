/* SPDX-License-Identifier: Apache-2.0 */
/* codes.c: values of features as codes of a byte, by the quantiles of the training rows: what trees are grown on, and asked. */
#include "task/trees_int.h"

static int by_value(const void *a, const void *b)
{
    const float *x = a, *y = b;
    return *x < *y ? -1 : *x > *y;
}

/* Upper edges of the bins: between values that differ, at most WSPI_BINS - 1, about the same number of rows in each. */
size_t wspi_edges_of(float *sorted, size_t n, float *edge)
{
    size_t distinct = n > 0, k = 0;

    qsort(sorted, n, sizeof *sorted, by_value);
    for (size_t i = 1; i < n; i++)
        distinct += sorted[i] > sorted[i - 1];
    if (distinct <= WSPI_BINS) {
        for (size_t i = 1; i < n; i++)
            if (sorted[i] > sorted[i - 1])
                edge[k++] = (sorted[i] + sorted[i - 1]) / 2;
        return k;
    }
    for (size_t b = 1; b < WSPI_BINS; b++) {
        size_t at = b * n / WSPI_BINS;
        if (sorted[at] > sorted[at - 1] && (k == 0 || sorted[at] > edge[k - 1]))
            edge[k++] = (sorted[at] + sorted[at - 1]) / 2;
    }
    return k;
}

uint8_t wspi_code_of(float v, const float *edge, size_t k)
{
    size_t lo = 0, hi = k;

    while (lo < hi) {
        size_t mid = (lo + hi) / 2;
        if (v > edge[mid])
            lo = mid + 1;
        else
            hi = mid;
    }
    return (uint8_t)lo;
}

void wspi_code_column(uint8_t *code, size_t n, const float *x, size_t step, const float *edge,
                      size_t k)
{
    for (size_t i = 0; i < n; i++)
        code[i] = wspi_code_of(x[i * step], edge, k);
}

wsp_status wspi_coded_make(wspi_coded *c, size_t n, size_t features)
{
    size_t cells;

    *c = (wspi_coded){.n = n};
    if (wspi_mul(features, n, &cells))
        c->code = wspi_new_array(cells, 1);
    c->edge_end = wspi_new_array(features, sizeof *c->edge_end);
    c->edge = wspi_new_array(features * WSPI_BINS, sizeof *c->edge);
    c->sorted = wspi_new_array(n, sizeof *c->sorted);
    if (c->code && c->edge_end && c->edge && c->sorted)
        return WSP_OK;
    wspi_coded_clear(c);
    return WSP_ERR_NOMEM;
}

void wspi_coded_add(wspi_coded *c, const float *x, size_t step)
{
    size_t f = c->features++, at = f ? c->edge_end[f - 1] : 0, k;

    for (size_t i = 0; i < c->n; i++)
        c->sorted[i] = x[i * step];
    k = wspi_edges_of(c->sorted, c->n, c->edge + at);
    wspi_code_column(c->code + f * c->n, c->n, x, step, c->edge + at, k);
    c->edge_end[f] = (uint32_t)(at + k);
}

void wspi_coded_clear(wspi_coded *c)
{
    free(c->code);
    free(c->edge_end);
    free(c->edge);
    free(c->sorted);
    *c = (wspi_coded){.n = 0};
}
