/* SPDX-License-Identifier: Apache-2.0 */
/*
 * spread.c: how far scores can be believed: the bootstrap (Efron, 1979) over captures. Flows of one capture go right or wrong
 * together, so captures are what is drawn; two classifiers are compared on the same draws.
 */
#include <math.h>

#include "base/base.h"
#include "wirespeak/score.h"

/* So many items of a group are the same label and were called the same. */
typedef struct cell {
    uint32_t group;
    int32_t is, said[2];
    size_t n;
} cell;

/* What a draw has of a label, for one classifier; the last label of `said` is something else. */
typedef struct tally {
    size_t said, right;
} tally;

typedef struct bootstrap {
    size_t n_labels, n_groups, n_cells, sides;
    cell *cells;   /* in the order of groups */
    size_t *first; /* [n_groups + 1] in cells */
    size_t *support;
    tally *tally[2]; /* [n_labels + 1] */
} bootstrap;

static int by_group(const void *a, const void *b)
{
    const cell *x = a, *y = b;
    const int64_t order[] = {(int64_t)x->group - y->group, (int64_t)x->is - y->is,
                             (int64_t)x->said[0] - y->said[0], (int64_t)x->said[1] - y->said[1]};

    for (size_t i = 0; i < WSPI_COUNT(order); i++)
        if (order[i])
            return order[i] < 0 ? -1 : 1;
    return 0;
}

static void bootstrap_clear(bootstrap *b)
{
    free(b->cells);
    free(b->first);
    free(b->support);
    free(b->tally[0]);
    free(b->tally[1]);
}

static bool labels_are_right(const wsp_trials *t, size_t sides)
{
    for (size_t i = 0; i < t->n; i++) {
        if (t->is[i] >= (int64_t)t->n_labels)
            return false;
        for (size_t s = 0; t->is[i] >= 0 && s < sides; s++)
            if (t->said[s][i] < 0 || t->said[s][i] > (int64_t)t->n_labels)
                return false;
    }
    return true;
}

/* Equal items of a group become one cell. */
static void fill(bootstrap *b, const wsp_trials *t)
{
    size_t n = 0;

    for (size_t i = 0; i < t->n; i++)
        if (t->is[i] >= 0)
            b->cells[n++] =
                (cell){t->group[i], t->is[i], {t->said[0][i], b->sides > 1 ? t->said[1][i] : 0}, 1};
    qsort(b->cells, n, sizeof *b->cells, by_group);
    for (size_t i = 0; i < n; i++) {
        cell *last = b->n_cells ? &b->cells[b->n_cells - 1] : NULL;
        if (last && by_group(last, &b->cells[i]) == 0) {
            last->n++;
            continue;
        }
        if (!last || last->group != b->cells[i].group)
            b->first[b->n_groups++] = b->n_cells;
        b->cells[b->n_cells++] = b->cells[i];
    }
    b->first[b->n_groups] = b->n_cells;
}

static wsp_status bootstrap_make(bootstrap *b, const wsp_trials *t)
{
    *b = (bootstrap){.n_labels = t->n_labels, .sides = t->said[1] ? 2 : 1};
    if (!labels_are_right(t, b->sides))
        return WSP_ERR_ARG;
    b->cells = wspi_new_array(t->n, sizeof *b->cells);
    b->first = wspi_new_array(t->n + 1, sizeof *b->first);
    b->support = wspi_new_array(t->n_labels + 1, sizeof *b->support);
    for (size_t s = 0; s < 2; s++)
        b->tally[s] = wspi_new_array(t->n_labels + 1, sizeof *b->tally[s]);
    if (!b->cells || !b->first || !b->support || !b->tally[0] || !b->tally[1])
        return WSP_ERR_NOMEM;
    fill(b, t);
    return WSP_OK;
}

static void begin(bootstrap *b)
{
    memset(b->support, 0, (b->n_labels + 1) * sizeof *b->support);
    for (size_t s = 0; s < b->sides; s++)
        memset(b->tally[s], 0, (b->n_labels + 1) * sizeof *b->tally[s]);
}

static void add_group(bootstrap *b, size_t group)
{
    for (size_t i = b->first[group]; i < b->first[group + 1]; i++) {
        const cell *c = &b->cells[i];
        b->support[c->is] += c->n;
        for (size_t s = 0; s < b->sides; s++) {
            b->tally[s][c->said[s]].said += c->n;
            b->tally[s][c->is].right += c->said[s] == c->is ? c->n : 0;
        }
    }
}

/* value [2]: accuracy and mean F1 of the classes that occur, as in wsp_metrics. */
static void score(const bootstrap *b, size_t side, double *value)
{
    double all = 0, right = 0, f1 = 0, classes = 0;

    for (size_t l = 0; l < b->n_labels; l++) {
        const tally *t = &b->tally[side][l];
        if (!b->support[l])
            continue;
        classes++;
        all += (double)b->support[l];
        right += (double)t->right;
        f1 += 2 * (double)t->right / (double)(t->said + b->support[l]);
    }
    value[0] = all > 0 ? right / all : (double)NAN;
    value[1] = all > 0 ? f1 / classes : (double)NAN;
}

/* value [3][2]: of the first, of the second, of the first less the second. */
static void score_all(const bootstrap *b, double value[3][2])
{
    score(b, 0, value[0]);
    if (b->sides < 2)
        return;
    score(b, 1, value[1]);
    for (size_t k = 0; k < 2; k++)
        value[2][k] = value[0][k] - value[1][k];
}

static int by_value(const void *a, const void *b)
{
    const double *x = a, *y = b;
    return (*x > *y) - (*x < *y);
}

/* The values of all draws, sorted here: the middle 95 % of them. */
static void take_interval(double *values, size_t draws, wsp_estimate *out)
{
    size_t tail = (size_t)(0.025 * (double)draws);

    qsort(values, draws, sizeof *values, by_value);
    out->low = values[tail];
    out->high = values[draws - 1 - tail];
}

static void whole(bootstrap *b, wsp_spread *out)
{
    double value[3][2] = {{NAN, NAN}, {NAN, NAN}, {NAN, NAN}};

    begin(b);
    for (size_t g = 0; g < b->n_groups; g++)
        add_group(b, g);
    score_all(b, value);
    *out = (wsp_spread){.groups = b->n_groups};
    for (size_t l = 0; l < b->n_labels; l++)
        out->items += b->support[l];
    for (size_t w = 0; w < 3; w++) {
        out->accuracy[w] = (wsp_estimate){value[w][0], (double)NAN, (double)NAN};
        out->macro_f1[w] = (wsp_estimate){value[w][1], (double)NAN, (double)NAN};
    }
}

/* values [3][2][draws] */
static void draw_all(bootstrap *b, size_t draws, uint64_t seed, double *values)
{
    double value[3][2] = {{0}};
    wspi_rng rng;

    wspi_rng_seed(&rng, seed);
    for (size_t d = 0; d < draws; d++) {
        begin(b);
        for (size_t g = 0; g < b->n_groups; g++)
            add_group(b, (size_t)wspi_rng_below(&rng, b->n_groups));
        score_all(b, value);
        for (size_t w = 0; w < 3; w++)
            for (size_t k = 0; k < 2; k++)
                values[(2 * w + k) * draws + d] = value[w][k];
    }
}

wsp_status wsp_spread_of(const wsp_trials *t, size_t draws, uint64_t seed, wsp_spread *out)
{
    double *values = NULL;
    size_t cells;
    bootstrap b;
    wsp_status st = bootstrap_make(&b, t);

    if (st == WSP_OK && wspi_mul(draws, 6, &cells))
        values = wspi_new_array(cells, sizeof *values);
    if (st == WSP_OK && !values)
        st = WSP_ERR_NOMEM;
    if (st == WSP_OK)
        whole(&b, out);
    if (st == WSP_OK && b.n_groups > 1 && draws) {
        draw_all(&b, draws, seed, values);
        for (size_t w = 0; w < (b.sides > 1 ? 3u : 1u); w++) {
            take_interval(values + 2 * w * draws, draws, &out->accuracy[w]);
            take_interval(values + (2 * w + 1) * draws, draws, &out->macro_f1[w]);
        }
    }
    free(values);
    bootstrap_clear(&b);
    return st;
}
