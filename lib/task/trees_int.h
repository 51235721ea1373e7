/* SPDX-License-Identifier: Apache-2.0 */
/* trees_int.h: trees that are kept: rows as codes, and a forest that grows on them. */
#ifndef WSPI_TREES_INT_H
#define WSPI_TREES_INT_H

#include "base/base.h"
#include "wirespeak/score.h"

enum { WSPI_BINS = 255 };

/* Upper edges of n values, which are sorted: between such as differ, about the same number in each bin. edge: [WSPI_BINS - 1]. How many. */
size_t wspi_edges_of(float *sorted, size_t n, float *edge);
/* Codes of a column of n rows, `step` values apart, by its k edges. */
void wspi_code_column(uint8_t *code, size_t n, const float *x, size_t step, const float *edge,
                      size_t k);

/* Rows by columns, as codes: how many of a feature's edges a value is above. */
typedef struct wspi_coded {
    size_t n, features; /* those that were added */
    uint8_t *code;      /* [features][n] */
    uint32_t *edge_end; /* [features] in edge */
    float *edge;        /* quantiles of the rows */
    float *sorted;      /* [n] of the column at hand */
} wspi_coded;

/* Room for them; then each column in turn, whose values are `step` floats from each other. */
wsp_status wspi_coded_make(wspi_coded *c, size_t n, size_t features) WSP_MUST_USE;
void wspi_coded_add(wspi_coded *c, const float *x, size_t step);
void wspi_coded_clear(wspi_coded *c);
/* Of one value, by n ascending edges. */
uint8_t wspi_code_of(float v, const float *edge, size_t n);

/* Nodes as in wsp_forest. */
typedef struct wspi_nodes {
    uint32_t *node;
    size_t n, cap;
} wspi_nodes;

/* Rows [n], of which a tree draws so many. */
typedef struct wspi_drawn {
    const uint32_t *row;
    size_t n, draws;
} wspi_drawn;

/* Rows to grow on, those of a background apart, and what they are: label [rows of the coded ones], below n_labels for all of them. */
typedef struct wspi_sample {
    wspi_drawn of, background;
    const int32_t *label;
    size_t n_labels;
} wspi_sample;

/*
 * Grows trees, each on rows that it draws with replacement. threads: 0: as many as the machine has CPUs; the trees are the same
 * for any number. root [trees]: where each begins in `out`, to which they are added.
 */
wsp_status wspi_forest_grow(const wspi_coded *c, const wspi_sample *from, size_t trees,
                            uint64_t seed, unsigned threads, uint32_t *root,
                            wspi_nodes *out) WSP_MUST_USE;

#endif
