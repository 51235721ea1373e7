/* SPDX-License-Identifier: Apache-2.0 */
/*
 * softmax.c: what comes next: likelihoods of tokens and their gradients. In one step over the whole vocabulary, or in
 * two: the range of the token among all ranges, and the token among those of its range (Goodman, 2001). Then rows whose
 * tokens are of one range share a product with that part of the embedding.
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

/* The second step for the rows of one range. */
static void range_loss(wspi_engine *e, float *nll, uint32_t r, float scale)
{
    const wsp_model_config *cfg = &e->m->cfg;
    const uint32_t *row = e->order + e->range_at[r];
    size_t C = cfg->channels, n = e->range_at[r + 1] - e->range_at[r], first = cfg->range_first[r],
           k = wspi_range_size(cfg, r);

    if (n == 0 || k == 1)
        return;
    for (size_t i = 0; i < n; i++) {
        memcpy(e->branch + i * C, e->o_n + row[i] * C, C * sizeof *e->branch);
        e->target[i] = (uint32_t)(e->ids[row[i]] - first);
    }
    rows_loss(e, e->loss, e->ddeep, e->branch, e->target, e->m->at.embed + first * C, n, k, scale);
    for (size_t i = 0; i < n; i++) {
        nll[row[i]] += e->loss[i];
        if (scale > 0)
            wspi_add(e->dn + row[i] * C, e->ddeep + i * C, C);
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
