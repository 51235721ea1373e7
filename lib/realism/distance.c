/* SPDX-License-Identifier: Apache-2.0 */
/* distance.c: how far apart the measures of two sets of flows are: Jensen-Shannon divergence, total variation, shift. */
#include <math.h>

#include "realism/realism_int.h"

/* ---- of two counts ---- */

static double sum_of(const double *a, size_t n)
{
    double sum = 0;

    for (size_t i = 0; i < n; i++)
        sum += a[i];
    return sum;
}

/* p log2(p / m) */
static double part(double p, double m)
{
    return p > 0 ? p * log2(p / m) : 0;
}

double wsp_jsd(const double *a, const double *b, size_t n)
{
    double all_a = sum_of(a, n), all_b = sum_of(b, n), sum = 0;

    if (all_a <= 0 || all_b <= 0)
        return (double)NAN;
    for (size_t i = 0; i < n; i++) {
        double p = a[i] / all_a, q = b[i] / all_b, m = (p + q) / 2;
        sum += (part(p, m) + part(q, m)) / 2;
    }
    return WSPI_MIN(WSPI_MAX(sum, 0), 1);
}

static void compare(const wspi_measure *m, const double *a, const double *b, wsp_distance *d)
{
    double all_a = sum_of(a, m->bins), all_b = sum_of(b, m->bins), ahead = 0;

    *d = (wsp_distance){.name = m->name, .kind = m->kind, .n = {(size_t)all_a, (size_t)all_b}};
    d->jsd = d->tvd = all_a > 0 || all_b > 0 ? 1 : (double)NAN;
    d->shift = (double)NAN;
    if (all_a <= 0 || all_b <= 0)
        return;
    d->jsd = wsp_jsd(a, b, m->bins);
    d->tvd = 0;
    if (m->ordered)
        d->shift = 0;
    for (size_t i = 0; i < m->bins; i++) {
        double gap = a[i] / all_a - b[i] / all_b;
        d->tvd += fabs(gap) / 2;
        ahead += gap;
        if (m->ordered)
            d->shift += fabs(ahead);
    }
}

/* ---- of flows ---- */

/* Counts of all bins of all measures, one measure behind the other. */
typedef struct counts {
    size_t at[WSPI_MEASURES + 1];
    double *side[2];
} counts;

static wsp_status counts_make(counts *c, const wspi_measures *t)
{
    c->at[0] = 0;
    for (size_t i = 0; i < t->n; i++)
        c->at[i + 1] = c->at[i] + t->m[i].bins;
    for (size_t s = 0; s < 2; s++)
        c->side[s] = wspi_new_array(c->at[t->n], sizeof **c->side);
    return c->side[0] && c->side[1] ? WSP_OK : WSP_ERR_NOMEM;
}

static void count_flow(const counts *c, double *side, const wsp_traffic *t, uint32_t flow)
{
    for (uint64_t i = t->obs_off[flow]; i < t->obs_off[flow + 1]; i++)
        side[c->at[WSPI_OBS_MEASURE(t->obs[i])] + WSPI_OBS_BIN(t->obs[i])]++;
}

size_t wsp_distance_count(void)
{
    wspi_measures t;

    wspi_measures_make(&t);
    return t.n;
}

wsp_status wsp_distances(const wsp_traffic *a, const wsp_traffic *b, wsp_half half,
                         wsp_distance *out)
{
    const wspi_measures *t = &a->measures;
    uint8_t *which = wspi_new_array(a->n_counted, 1);
    counts c = {.side = {NULL, NULL}};
    wsp_status st = counts_make(&c, t);

    if (st == WSP_OK)
        st = which ? wspi_halves(a, b ? WSP_WHOLE : half, which) : WSP_ERR_NOMEM;
    if (st == WSP_OK) {
        for (size_t i = 0; i < a->n_counted; i++)
            count_flow(&c, c.side[which[i]], a, a->counted[i]);
        for (size_t i = 0; b && i < b->n_counted; i++)
            count_flow(&c, c.side[1], b, b->counted[i]);
        for (size_t i = 0; i < t->n; i++)
            compare(&t->m[i], c.side[0] + c.at[i], c.side[1] + c.at[i], &out[i]);
    }
    free(c.side[0]);
    free(c.side[1]);
    free(which);
    return st;
}

double wsp_distance_mean(const wsp_distance *d, const wsp_distance *real, wsp_distance_kind kind,
                         size_t least)
{
    size_t n = wsp_distance_count(), rows = 0;
    double sum = 0;

    for (size_t i = 0; i < n; i++)
        if (d[i].kind == kind && real[i].n[0] >= WSPI_MAX(least, 1u)) {
            sum += d[i].jsd;
            rows++;
        }
    return rows ? sum / (double)rows : (double)NAN;
}

/* ---- parts ---- */

size_t wspi_captures_of(const wsp_traffic *t)
{
    uint32_t last = UINT32_MAX;
    size_t n = 0;

    /* flows stand in the order of captures */
    for (size_t i = 0; i < t->n_counted; i++) {
        n += t->tokens->capture[t->counted[i]] != last;
        last = t->tokens->capture[t->counted[i]];
    }
    return n;
}

typedef struct ranked {
    uint64_t hash;
    uint32_t capture;
} ranked;

static int by_hash(const void *a, const void *b)
{
    const ranked *x = a, *y = b;

    if (x->hash != y->hash)
        return x->hash < y->hash ? -1 : 1;
    return x->capture < y->capture ? -1 : x->capture > y->capture;
}

/* Captures by the hash of their names, every k-th to one part. */
static wsp_status parts_of_captures(const wsp_traffic *t, unsigned k, uint8_t *part_of)
{
    ranked *r = wspi_new_array(t->tokens->n_captures, sizeof *r);
    bool *has = wspi_new_array(t->tokens->n_captures, sizeof *has);
    size_t n = 0;

    for (size_t i = 0; has && i < t->n_counted; i++)
        has[t->tokens->capture[t->counted[i]]] = true;
    for (size_t i = 0; r && has && i < t->tokens->n_captures; i++)
        if (has[i])
            r[n++] = (ranked){
                wspi_fnv1a(t->tokens->captures[i], strlen(t->tokens->captures[i]), WSPI_FNV_START),
                (uint32_t)i};
    if (r && has)
        qsort(r, n, sizeof *r, by_hash);
    for (size_t i = 0; i < n; i++)
        part_of[r[i].capture] = (uint8_t)(i % k);
    free(r);
    free(has);
    return r && has ? WSP_OK : WSP_ERR_NOMEM;
}

/* Flows by chance, as many in each part. */
static wsp_status parts_of_flows(size_t n, unsigned k, uint8_t *part_of_flow)
{
    uint32_t *order = wspi_new_array(n, sizeof *order);
    wspi_rng rng;

    if (!order)
        return WSP_ERR_NOMEM;
    wspi_rng_seed(&rng, 1);
    for (size_t i = 0; i < n; i++) { /* a permutation, from the inside out */
        size_t j = (size_t)wspi_rng_below(&rng, i + 1);
        order[i] = order[j];
        order[j] = (uint32_t)i;
    }
    for (size_t i = 0; i < n; i++)
        part_of_flow[order[i]] = (uint8_t)(i % k);
    free(order);
    return WSP_OK;
}

wsp_status wspi_parts(const wsp_traffic *t, bool by_capture, unsigned k, uint8_t *part_of_flow)
{
    uint8_t *of;
    wsp_status st;

    if (!by_capture)
        return parts_of_flows(t->n_counted, k, part_of_flow);
    of = wspi_new_array(t->tokens->n_captures, 1);
    st = of ? parts_of_captures(t, k, of) : WSP_ERR_NOMEM;
    for (size_t i = 0; st == WSP_OK && i < t->n_counted; i++)
        part_of_flow[i] = of[t->tokens->capture[t->counted[i]]];
    free(of);
    return st;
}

wsp_status wspi_halves(const wsp_traffic *t, wsp_half how, uint8_t *half)
{
    if (how == WSP_WHOLE) {
        memset(half, 0, t->n_counted);
        return WSP_OK;
    }
    return wspi_parts(t, how == WSP_HALF_CAPTURES && wspi_captures_of(t) > 1, 2, half);
}
