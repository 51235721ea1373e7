/* SPDX-License-Identifier: Apache-2.0 */
/* excerpt.c: parts of flows, drawn. */
#include "task/excerpt.h"

/* The first packets of a flow of n, two at least: half as often one more, since every flow is asked about after its first packet. */
static wspi_excerpt early_part(uint32_t flow, uint32_t n, wspi_rng *rng)
{
    uint32_t to = 1;

    while (to < WSPI_MIN(n - 1, (uint32_t)WSPI_EXCERPT_EARLY) && wspi_rng_below(rng, 2))
        to++;
    return (wspi_excerpt){flow, 0, to};
}

/* What is left of it for who comes late. */
static wspi_excerpt late_part(uint32_t flow, uint32_t n, wspi_rng *rng)
{
    return (wspi_excerpt){
        flow, 1 + (uint32_t)wspi_rng_below(rng, WSPI_MIN(n - 1, (uint32_t)WSPI_SKIP_MOST)), n};
}

size_t wspi_excerpts(wspi_excerpt *out, uint32_t flow, uint32_t n, wspi_rng *rng)
{
    size_t k = 0;

    if (n == 0) /* of a damaged file */
        return 0;
    out[k++] = (wspi_excerpt){flow, 0, n};
    if (n == 1)
        return k;
    out[k++] = early_part(flow, n, rng);
    if (wspi_rng_below(rng, 2))
        out[k++] = late_part(flow, n, rng);
    return k;
}
