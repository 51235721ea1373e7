/* SPDX-License-Identifier: Apache-2.0 */
/* trees_int.h: trees that are kept: rows as codes, and a forest that grows on them. */
#ifndef WSPI_TREES_INT_H
#define WSPI_TREES_INT_H

#include "base/base.h"
#include "wirespeak/task.h"

/* Rows by columns, as codes: how many of a feature's edges a value is above. */
typedef struct wspi_coded {
    size_t n, features;
    uint8_t *code;      /* [features][n] */
    uint32_t *edge_end; /* [features] in edge */
    float *edge;        /* quantiles of the rows */
} wspi_coded;

wsp_status wspi_coded_make(wspi_coded *c, const wsp_rows *rows) WSP_MUST_USE;
void wspi_coded_clear(wspi_coded *c);
/* Of one value, by n ascending edges. */
uint8_t wspi_code_of(float v, const float *edge, size_t n);

/* Nodes as in wsp_forest. */
typedef struct wspi_nodes {
    uint32_t *node;
    size_t n, cap;
} wspi_nodes;

/*
 * Grows trees on rows that are drawn with replacement from `row` [n_rows]. label: [c->n], of the rows of `row` below n_labels.
 * root [trees]: where each begins in `out`, to which they are added.
 */
wsp_status wspi_forest_grow(const wspi_coded *c, const uint32_t *row, size_t n_rows,
                            const int32_t *label, size_t n_labels, size_t trees, uint64_t seed,
                            uint32_t *root, wspi_nodes *out) WSP_MUST_USE;

#endif
