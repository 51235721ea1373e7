/* SPDX-License-Identifier: Apache-2.0 */
/* sample.c: draws one token of several by their odds: temperature, top-k, top-p. */
#include <math.h>

#include "generate/generate_int.h"

static int by_logit(const void *a, const void *b)
{
    const wspi_candidate *x = a, *y = b;

    if (x->logit != y->logit)
        return x->logit < y->logit ? 1 : -1;
    return (int)x->id - (int)y->id;
}

/* Of candidates in order: how many of the likeliest have this share of the odds. */
static size_t count_share(const wspi_candidate *c, size_t m, double temperature, double share)
{
    double sum = 0, have = 0;
    size_t i = 0;

    for (size_t k = 0; k < m; k++)
        sum += exp((double)(c[k].logit - c[0].logit) / temperature);
    while (i < m && have < sum * share)
        have += exp((double)(c[i++].logit - c[0].logit) / temperature);
    return WSPI_MAX(i, 1u);
}

size_t wspi_nucleus(wspi_candidate *c, size_t m, double temperature, double share)
{
    qsort(c, m, sizeof *c, by_logit);
    return count_share(c, m, temperature, share);
}

/* The likeliest first, as many as top_k and top_p leave: how many. */
static size_t cut_candidates(wspi_candidate *c, size_t m, const wsp_generate_options *o)
{
    size_t keep = o->top_k ? WSPI_MIN(o->top_k, m) : m;

    qsort(c, m, sizeof *c, by_logit);
    return o->top_p >= 1 ? keep : count_share(c, keep, o->temperature, o->top_p);
}

uint16_t wspi_sample(const float *logits, const uint16_t *legal, size_t m,
                     const wsp_generate_options *o, wspi_candidate *c, wspi_rng *rng)
{
    size_t best = 0;
    double sum = 0, at;

    for (size_t i = 0; i < m; i++) {
        c[i] = (wspi_candidate){logits[legal[i]], legal[i]};
        best = c[i].logit > c[best].logit ? i : best;
    }
    if (m == 1 || o->temperature <= 0)
        return c[best].id;
    if (o->top_k || o->top_p < 1) {
        m = cut_candidates(c, m, o);
        best = 0;
    }
    at = (double)c[best].logit;
    for (size_t i = 0; i < m; i++) { /* odds take the place of logits */
        c[i].logit = (float)exp(((double)c[i].logit - at) / o->temperature);
        sum += (double)c[i].logit;
    }
    at = wspi_rng_unit(rng) * sum;
    for (size_t i = 0; i + 1 < m; i++) {
        if (at < (double)c[i].logit)
            return c[i].id;
        at -= (double)c[i].logit;
    }
    return c[m - 1].id;
}
