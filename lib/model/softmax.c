/* SPDX-License-Identifier: Apache-2.0 */
/*
 * softmax.c: what comes next: likelihoods of tokens and their gradients. In one step over the whole vocabulary, or in
 * two: the range of the token among all ranges, and the token among those of its range (Goodman, 2001). There rows whose
 * tokens are of one range share that part of the embedding.
 */
#include "model/model_int.h"

/* Loss of n rows x against target among the k rows of the weights at w; with scale also their gradients, dx set. */
static void rows_loss(wspi_engine *e, float *loss, float *dx, const float *x,
                      const uint32_t *target, size_t w, size_t n, size_t k, float scale)
{
    size_t C = e->m->cfg.channels;

    for (size_t i = 0; i < n; i += WSPI_LM_ROWS, x += WSPI_LM_ROWS * C) {
        size_t m = WSPI_MIN(n - i, (size_t)WSPI_LM_ROWS);

        wspi_gemm(e->nn, e->logits, x, e->m->w + w, m, k, C, WSPI_TB | WSPI_WEIGHT);
        wspi_xent(e->logits, loss + i, target + i, scale > 0 ? e->scale : NULL, 0, m, k);
        if (scale > 0)
            wspi_linear_bwd(e->nn, e->grad + w, dx + i * C, e->logits, x, e->m->w + w, m, k, C);
    }
}

/* Rows by the ranges of their tokens: those of range r are order[range_at[r]..range_at[r + 1]]. */
static void sort_rows(wspi_engine *e)
{
    const uint16_t *range = e->m->range_of;
    uint32_t *at = e->range_at, R = e->m->cfg.ranges;

    memset(at, 0, (R + 1) * sizeof *at);
    for (size_t i = 0; i < e->N; i++)
        at[range[e->ids[i]]]++;
    for (uint32_t r = 1; r <= R; r++)
        at[r] += at[r - 1];
    for (size_t i = e->N; i-- > 0;)
        e->order[--at[range[e->ids[i]]]] = (uint32_t)i;
}

/* The second step for the rows of one range, a few at a time, where they lie. */
static void range_loss(wspi_engine *e, float *nll, uint32_t r, float scale)
{
    const wsp_model_config *cfg = &e->m->cfg;
    size_t C = cfg->channels, first = cfg->range_first[r], k = wspi_range_size(cfg, r),
           w = e->m->at.embed + first * C;

    for (uint32_t i = e->range_at[r], end = e->range_at[r + 1]; k > 1 && i < end;) {
        const uint32_t *row = e->order + i;
        size_t n = WSPI_MIN(end - i, (uint32_t)WSPI_LM_ROWS);

        for (size_t j = 0; j < n; j++)
            e->target[j] = (uint32_t)(e->ids[row[j]] - first);
        wspi_small_fwd(e->logits, e->o_n, row, e->m->w + w, n, k, C);
        wspi_xent(e->logits, e->loss, e->target, scale > 0 ? e->scale : NULL, 0, n, k);
        for (size_t j = 0; j < n; j++)
            nll[row[j]] += e->loss[j];
        if (scale > 0)
            wspi_small_bwd(e->grad + w, e->dn, e->logits, e->o_n, row, e->m->w + w, n, k, C);
        i += (uint32_t)n;
    }
}

void wspi_next_loss(wspi_engine *e, float *nll, float scale)
{
    const wsp_model_config *cfg = &e->m->cfg;

    for (size_t i = 0; i < WSPI_LM_ROWS; i++)
        e->scale[i] = scale;
    for (size_t i = 0; i < e->N; i++)
        e->target[i] = cfg->ranges ? e->m->range_of[e->ids[i]] : e->ids[i];
    rows_loss(e, nll, e->dn, e->o_n, e->target,
              cfg->ranges ? e->m->at.output_range : e->m->at.embed, e->N,
              cfg->ranges ? cfg->ranges : cfg->vocab, scale);
    if (!cfg->ranges)
        return;
    sort_rows(e);
    for (uint32_t r = 0; r < cfg->ranges; r++)
        range_loss(e, nll, r, scale);
}
