/* SPDX-License-Identifier: Apache-2.0 */
/*
 * novelty.c: how varied flows are, whether they lie where real ones do, and how near each is to a training flow. Nearest
 * flows are looked for among those that share most runs of six tokens, then told apart by edits.
 */
#include <math.h>

#include "realism/realism_int.h"

enum {
    SAMPLE = 1000,
    NEIGHBOURS = 5,
    SHINGLE = 6,
    POSTINGS = 64, /* flows of a shingle that are looked at */
    CANDIDATES = 8,
    LONGEST = 256,
};

static uint64_t hash_tokens(const uint16_t *ids, size_t n)
{
    return wspi_fnv1a(ids, n * sizeof *ids, WSPI_FNV_START);
}

/* ---- samples ---- */

/* Every k-th of the flows that count, so that there are at most SAMPLE. */
static size_t sample_of(const wsp_traffic *t, size_t *step)
{
    *step = (t->n_counted + SAMPLE - 1) / SAMPLE;
    *step = WSPI_MAX(*step, 1u);
    return (t->n_counted + *step - 1) / *step;
}

static wsp_status tokens_of(const wsp_traffic *t, wsp_tokens **out)
{
    const wsp_selection s = {.flows = t->counted, .n = t->n_counted, .policy = "identity-free"};
    wsp_error err;

    return wsp_tokens_select(out, t->tokens, &s, &err);
}

static const uint16_t *flow_tokens(const wsp_tokens *t, size_t flow, size_t *n)
{
    uint64_t from = t->packet_off[t->flow_off[flow]], to = t->packet_off[t->flow_off[flow + 1]];

    *n = (size_t)(to - from);
    return t->ids + from;
}

static int by_u64(const void *a, const void *b)
{
    const uint64_t *x = a, *y = b;
    return *x < *y ? -1 : *x > *y;
}

static size_t distinct_of(uint64_t *v, size_t n)
{
    size_t distinct = n > 0;

    qsort(v, n, sizeof *v, by_u64);
    for (size_t i = 1; i < n; i++)
        distinct += v[i] != v[i - 1];
    return distinct;
}

/* ---- variety ---- */

/* Observations of flags in their order; direction is in that of the networks' roles, which come with each packet. */
static uint64_t flag_sequence(const wsp_traffic *t, uint32_t flow)
{
    uint64_t hash = WSPI_FNV_START, dir = 0;
    bool any = false;

    for (uint64_t i = t->obs_off[flow]; i < t->obs_off[flow + 1]; i++) {
        uint32_t bin = WSPI_OBS_BIN(t->obs[i]);
        if (WSPI_OBS_MEASURE(t->obs[i]) == WSPI_M_SRC)
            dir = bin >> 16;
        if (WSPI_OBS_MEASURE(t->obs[i]) != WSPI_M_FLAGS)
            continue;
        bin |= (uint32_t)dir << 8;
        hash = wspi_fnv1a(&bin, sizeof bin, hash);
        any = true;
    }
    return any ? hash : 0;
}

static wsp_status count_variety(const wsp_traffic *t, wsp_diversity *out)
{
    wsp_tokens *tokens = NULL;
    uint64_t *hash = wspi_new_array(t->n_counted, sizeof *hash);
    wsp_status st = hash ? tokens_of(t, &tokens) : WSP_ERR_NOMEM;

    for (size_t i = 0; st == WSP_OK && i < t->n_counted; i++) {
        size_t n;
        const uint16_t *ids = flow_tokens(tokens, i, &n);
        hash[i] = hash_tokens(ids, n);
    }
    if (st == WSP_OK) {
        size_t n = 0;
        out->distinct = (double)distinct_of(hash, t->n_counted) / (double)t->n_counted;
        for (size_t i = 0; i < t->n_counted; i++) {
            hash[n] = flag_sequence(t, t->counted[i]);
            n += hash[n] != 0;
        }
        out->patterns = distinct_of(hash, n);
    }
    wsp_tokens_free(tokens);
    free(hash);
    return st;
}

/* ---- neighbours ---- */

enum { F = WSPI_FLOW_FEATURES };

/* Rows of logarithms: features grow by orders of magnitude. */
static void take_row(const wsp_traffic *t, size_t i, float *row)
{
    const float *x = t->features + (size_t)t->counted[i] * F;

    for (size_t f = 0; f < F; f++)
        row[f] = x[f] < 0 ? -1 : log1pf(x[f] < 1 ? x[f] * 1000 : 1000 + x[f]);
}

typedef struct cloud {
    float *x; /* [n][F] */
    size_t n;
} cloud;

/* The flows of one half (which = NULL: all), at most SAMPLE. */
static wsp_status cloud_make(cloud *c, const wsp_traffic *t, const uint8_t *which, uint8_t half)
{
    size_t have = 0, step, taken = 0;

    *c = (cloud){.x = wspi_new_array((size_t)SAMPLE * F, sizeof *c->x)};
    if (!c->x)
        return WSP_ERR_NOMEM;
    for (size_t i = 0; i < t->n_counted; i++)
        have += !which || which[i] == half;
    step = WSPI_MAX((have + SAMPLE - 1) / SAMPLE, 1u);
    for (size_t i = 0; i < t->n_counted; i++) {
        if (which && which[i] != half)
            continue;
        if (taken++ % step == 0)
            take_row(t, i, c->x + c->n++ * F);
    }
    return WSP_OK;
}

/* Both by the deviations of the real one. */
static void scale(cloud *real, cloud *other)
{
    for (size_t f = 0; f < F; f++) {
        double sum = 0, squares = 0, n = (double)WSPI_MAX(real->n, 1u), deviation;
        for (size_t i = 0; i < real->n; i++) {
            double v = (double)real->x[i * F + f];
            sum += v;
            squares += v * v;
        }
        deviation = sqrt(WSPI_MAX(squares / n - sum * sum / (n * n), 0));
        for (size_t i = 0; i < real->n; i++)
            real->x[i * F + f] /= (float)WSPI_MAX(deviation, 1e-3);
        for (size_t i = 0; i < other->n; i++)
            other->x[i * F + f] /= (float)WSPI_MAX(deviation, 1e-3);
    }
}

static float distance(const float *a, const float *b)
{
    float d = 0;

    for (size_t f = 0; f < F; f++)
        d += (a[f] - b[f]) * (a[f] - b[f]);
    return d;
}

/* Distance of row i to its fifth neighbour. */
static float reach_of(const cloud *c, size_t i)
{
    float best[NEIGHBOURS];

    for (size_t k = 0; k < NEIGHBOURS; k++)
        best[k] = INFINITY;
    for (size_t j = 0; j < c->n; j++) {
        float d = i == j ? INFINITY : distance(c->x + i * F, c->x + j * F);
        for (size_t k = 0; k < NEIGHBOURS; k++)
            if (d < best[k]) {
                float t = best[k];
                best[k] = d;
                d = t;
            }
    }
    return best[NEIGHBOURS - 1];
}

static wsp_status count_neighbours(const cloud *real, const cloud *other, wsp_diversity *out)
{
    float *reach = wspi_new_array(real->n, sizeof *reach);
    size_t covered = 0, inside = 0;

    if (!reach)
        return WSP_ERR_NOMEM;
    for (size_t i = 0; i < real->n; i++) {
        bool any = false;
        reach[i] = reach_of(real, i);
        for (size_t j = 0; j < other->n && !any; j++)
            any = distance(real->x + i * F, other->x + j * F) <= reach[i];
        covered += any;
    }
    for (size_t j = 0; j < other->n; j++) {
        bool any = false;
        for (size_t i = 0; i < real->n && !any; i++)
            any = distance(real->x + i * F, other->x + j * F) <= reach[i];
        inside += any;
    }
    out->coverage = out->precision = (double)NAN;
    if (real->n > NEIGHBOURS && other->n) {
        out->coverage = (double)covered / (double)real->n;
        out->precision = (double)inside / (double)other->n;
    }
    free(reach);
    return WSP_OK;
}

wsp_status wsp_diversity_of(const wsp_traffic *real, const wsp_traffic *other, wsp_diversity *out)
{
    uint8_t *half = other ? NULL : wspi_new_array(real->n_counted, 1);
    cloud a = {.x = NULL}, b = {.x = NULL};
    wsp_status st = other || half ? WSP_OK : WSP_ERR_NOMEM;

    *out = (wsp_diversity){.distinct = 0};
    if (st == WSP_OK && half)
        st = wspi_halves(real, WSP_HALF_FLOWS, half);
    if (st == WSP_OK)
        st = count_variety(other ? other : real, out);
    if (st == WSP_OK)
        st = cloud_make(&a, real, half, 0);
    if (st == WSP_OK)
        st = cloud_make(&b, other ? other : real, half, 1);
    if (st == WSP_OK) {
        scale(&a, &b);
        st = count_neighbours(&a, &b, out);
    }
    free(a.x);
    free(b.x);
    free(half);
    return st;
}

/* ---- the nearest training flow ---- */

typedef struct posting {
    uint64_t hash;
    uint32_t flow;
} posting;

typedef struct library {
    wsp_tokens *tokens;
    posting *shingle; /* [n] by hash */
    size_t n;
    uint64_t *whole; /* [flows] hashes of all tokens, sorted */
    uint16_t *votes; /* [flows] of the flow at hand */
    uint32_t *touched;
    size_t n_touched;
} library;

static int by_posting(const void *a, const void *b)
{
    const posting *x = a, *y = b;

    if (x->hash != y->hash)
        return x->hash < y->hash ? -1 : 1;
    return x->flow < y->flow ? -1 : x->flow > y->flow;
}

/* Shingles of a flow; a flow of fewer tokens is one. */
static size_t shingle_count(size_t n)
{
    return n >= SHINGLE ? n - SHINGLE + 1 : n > 0;
}

static uint64_t shingle_at(const uint16_t *ids, size_t n, size_t i)
{
    return hash_tokens(ids + i, WSPI_MIN(n, (size_t)SHINGLE));
}

static void library_clear(library *l)
{
    wsp_tokens_free(l->tokens);
    free(l->shingle);
    free(l->whole);
    free(l->votes);
    free(l->touched);
}

static wsp_status library_make(library *l, const wsp_traffic *train)
{
    size_t total = 0, len;

    *l = (library){.n = 0};
    WSP_TRY(tokens_of(train, &l->tokens));
    for (size_t i = 0; i < l->tokens->n_flows; i++) {
        (void)flow_tokens(l->tokens, i, &len);
        total += shingle_count(WSPI_MIN(len, (size_t)LONGEST));
    }
    l->shingle = wspi_new_array(total, sizeof *l->shingle);
    l->whole = wspi_new_array(l->tokens->n_flows, sizeof *l->whole);
    l->votes = wspi_new_array(l->tokens->n_flows, sizeof *l->votes);
    l->touched = wspi_new_array(l->tokens->n_flows, sizeof *l->touched);
    if (!l->shingle || !l->whole || !l->votes || !l->touched)
        return WSP_ERR_NOMEM;
    for (size_t i = 0; i < l->tokens->n_flows; i++) {
        const uint16_t *ids = flow_tokens(l->tokens, i, &len);
        l->whole[i] = hash_tokens(ids, len);
        len = WSPI_MIN(len, (size_t)LONGEST);
        for (size_t k = 0; k < shingle_count(len); k++)
            l->shingle[l->n++] = (posting){shingle_at(ids, len, k), (uint32_t)i};
    }
    qsort(l->shingle, l->n, sizeof *l->shingle, by_posting);
    qsort(l->whole, l->tokens->n_flows, sizeof *l->whole, by_u64);
    return WSP_OK;
}

static size_t lower(const library *l, uint64_t hash)
{
    size_t lo = 0, hi = l->n;

    while (lo < hi) {
        size_t mid = (lo + hi) / 2;
        if (l->shingle[mid].hash < hash)
            lo = mid + 1;
        else
            hi = mid;
    }
    return lo;
}

/* Of a shingle that many flows have, flows all over the list vote. */
static void vote(library *l, uint64_t hash)
{
    size_t from = lower(l, hash), to = hash == UINT64_MAX ? l->n : lower(l, hash + 1);
    size_t step = WSPI_MAX((to - from) / POSTINGS, 1u);

    for (size_t i = from; i < to; i += step) {
        uint32_t flow = l->shingle[i].flow;
        if (l->votes[flow] == 0)
            l->touched[l->n_touched++] = flow;
        if (l->votes[flow] < UINT16_MAX)
            l->votes[flow]++;
    }
}

static size_t edits(const uint16_t *a, size_t n, const uint16_t *b, size_t m)
{
    uint16_t row[LONGEST + 1];

    for (size_t j = 0; j <= m; j++)
        row[j] = (uint16_t)j;
    for (size_t i = 1; i <= n; i++) {
        uint16_t diagonal = row[0];
        row[0] = (uint16_t)i;
        for (size_t j = 1; j <= m; j++) {
            uint16_t replaced = (uint16_t)(diagonal + (a[i - 1] != b[j - 1]));
            uint16_t moved = (uint16_t)(WSPI_MIN(row[j], row[j - 1]) + 1);
            diagonal = row[j];
            row[j] = WSPI_MIN(replaced, moved);
        }
    }
    return row[m];
}

static double distance_to(const library *l, const uint16_t *ids, size_t n, uint32_t flow)
{
    size_t m;
    const uint16_t *other = flow_tokens(l->tokens, flow, &m);

    m = WSPI_MIN(m, (size_t)LONGEST);
    return n || m ? (double)edits(ids, n, other, m) / (double)WSPI_MAX(n, m) : 0;
}

/* The least distance to the flows with the most votes; 1 when none has any. */
static double nearest(library *l, const uint16_t *ids, size_t n)
{
    double best = 1;

    l->n_touched = 0;
    for (size_t k = 0; k < shingle_count(n); k++)
        vote(l, shingle_at(ids, n, k));
    for (size_t c = 0; c < CANDIDATES && best > 0; c++) {
        uint32_t most = UINT32_MAX;
        for (size_t i = 0; i < l->n_touched; i++)
            if (l->votes[l->touched[i]] &&
                (most == UINT32_MAX || l->votes[l->touched[i]] > l->votes[most]))
                most = l->touched[i];
        if (most == UINT32_MAX)
            break;
        l->votes[most] = 0;
        best = WSPI_MIN(best, distance_to(l, ids, n, most));
    }
    for (size_t i = 0; i < l->n_touched; i++)
        l->votes[l->touched[i]] = 0;
    return best;
}

static int by_number(const void *a, const void *b)
{
    const double *x = a, *y = b;
    return *x < *y ? -1 : *x > *y;
}

wsp_status wsp_nearness_of(const wsp_traffic *t, const wsp_traffic *train, wsp_nearness *out)
{
    size_t step, n = sample_of(t, &step), equal = 0;
    double *d = wspi_new_array(n, sizeof *d);
    wsp_tokens *tokens = NULL;
    library l;
    wsp_status st = library_make(&l, train);

    *out = (wsp_nearness){.flows = n};
    if (st == WSP_OK)
        st = d ? tokens_of(t, &tokens) : WSP_ERR_NOMEM;
    for (size_t i = 0; st == WSP_OK && i < n; i++) {
        size_t len;
        const uint16_t *ids = flow_tokens(tokens, i * step, &len);
        uint64_t hash = hash_tokens(ids, len);
        bool same = bsearch(&hash, l.whole, l.tokens->n_flows, sizeof *l.whole, by_u64) != NULL;
        equal += same;
        d[i] = same ? 0 : nearest(&l, ids, WSPI_MIN(len, (size_t)LONGEST));
    }
    if (st == WSP_OK) {
        qsort(d, n, sizeof *d, by_number);
        out->equal = (double)equal / (double)n;
        out->low = d[(n - 1) / 20];
        out->median = d[(n - 1) / 2];
    }
    wsp_tokens_free(tokens);
    library_clear(&l);
    free(d);
    return st;
}
