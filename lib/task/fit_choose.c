/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fit_choose.c: the flows that an epoch reads, and their order. A capture with thousands of flows of one label says less
 * of the label than ten captures with a few: so at most so many flows with the same labels may be drawn from a capture.
 * Labels that few flows have may be read again and again.
 */
#include "task/fit_int.h"

size_t wspi_fit_wanted(const wspi_fit *f, const wsp_tokens *t, uint32_t *order)
{
    size_t n = 0;

    for (size_t i = 0; i < t->n_flows; i++) {
        bool wanted = f->opt->train.lm_weight > 0 && !f->opt->labelled_only;
        for (size_t h = 0; h < t->n_heads; h++)
            wanted = wanted || t->labels[h][i] >= 0;
        if (wanted)
            order[n++] = (uint32_t)i;
    }
    return n;
}

/* Less, equal, more: by capture, then by the labels of all heads. */
static int compare(const wsp_tokens *t, uint32_t a, uint32_t b)
{
    if (t->capture[a] != t->capture[b])
        return t->capture[a] < t->capture[b] ? -1 : 1;
    for (size_t h = 0; h < t->n_heads; h++)
        if (t->labels[h][a] != t->labels[h][b])
            return t->labels[h][a] < t->labels[h][b] ? -1 : 1;
    return 0;
}

static int by_group(const void *a, const void *b, void *tokens)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    int c = compare(tokens, x, y);

    return c ? c : (x > y) - (x < y);
}

wsp_status wspi_fit_group(wspi_fit *f, wsp_error *err)
{
    wsp_tokens *t = (wsp_tokens *)(uintptr_t)f->train; /* qsort_r has no const */
    uint32_t group = 0;

    f->group = wspi_new_array(t->n_flows + 1, sizeof *f->group);
    f->drawn = wspi_new_array(t->n_flows + 1, sizeof *f->drawn);
    if (!f->group || !f->drawn)
        return wspi_nomem(err, "groups of flows", t->n_flows * sizeof *f->group);
    for (size_t i = 0; i < t->n_flows; i++)
        f->drawn[i] = (uint32_t)i;
    qsort_r(f->drawn, t->n_flows, sizeof *f->drawn, by_group, t);
    for (size_t i = 0; i < t->n_flows; i++) {
        group += i > 0 && compare(t, f->drawn[i - 1], f->drawn[i]) != 0;
        f->group[f->drawn[i]] = group;
    }
    return WSP_OK;
}

/* The first flows of every group stay, in their order. */
static size_t draw(wspi_fit *f)
{
    size_t n = 0;

    memset(f->drawn, 0, f->train->n_flows * sizeof *f->drawn);
    for (size_t i = 0; i < f->n_order; i++) {
        uint32_t flow = f->order[i];
        if (f->drawn[f->group[flow]]++ < f->opt->per_capture)
            f->order[n++] = flow;
    }
    return n;
}

static size_t all_labels(const wsp_tokens *t)
{
    size_t n = 0;

    for (size_t h = 0; h < t->n_heads; h++)
        n += t->n_labels[h];
    return n;
}

wsp_status wspi_fit_room(wspi_fit *f, wsp_error *err)
{
    size_t labels = all_labels(f->train), extra, n;

    /* what a label's flows are read again comes to less than per_label for each label */
    if (!wspi_mul(f->opt->per_label, labels, &extra))
        return wspi_nomem(err, "the order of flows", f->train->n_flows);
    n = f->train->n_flows + extra;
    f->order = wspi_new_array(n, sizeof *f->order);
    f->label_flows = wspi_new_array(labels + 1, sizeof *f->label_flows);
    if (!f->order || !f->label_flows)
        return wspi_nomem(err, "the order of flows", n);
    return WSP_OK;
}

static void count_labels(wspi_fit *f)
{
    const wsp_tokens *t = f->train;
    uint32_t *count = f->label_flows;

    memset(count, 0, all_labels(t) * sizeof *count);
    for (size_t h = 0; h < t->n_heads; count += t->n_labels[h++])
        for (size_t i = 0; i < f->n_order; i++)
            if (t->labels[h][f->order[i]] >= 0)
                count[t->labels[h][f->order[i]]]++;
}

/* How many flows the rarest of a flow's labels has. */
static size_t rarest(const wspi_fit *f, size_t flow)
{
    const wsp_tokens *t = f->train;
    const uint32_t *count = f->label_flows;
    size_t least = f->opt->per_label;

    for (size_t h = 0; h < t->n_heads; count += t->n_labels[h++])
        if (t->labels[h][flow] >= 0)
            least = WSPI_MIN(least, count[t->labels[h][flow]]);
    return least;
}

/* Flows of rare labels come again, behind the others. */
static size_t repeat(wspi_fit *f)
{
    enum { MOST = 16 };
    size_t n = f->n_order;

    for (size_t i = 0; i < f->n_order; i++) {
        size_t times = f->opt->per_label / rarest(f, f->order[i]);
        for (size_t k = 1; k < WSPI_MIN(times, (size_t)MOST); k++)
            f->order[n++] = f->order[i];
    }
    return n;
}

void wspi_fit_choose(wspi_fit *f)
{
    wspi_rng r;

    f->n_order = wspi_fit_wanted(f, f->train, f->order);
    wspi_rng_seed(&r, f->opt->train.seed * 1000003u + f->pos.epoch);
    wspi_rng_shuffle(&r, f->order, f->n_order);
    if (f->opt->per_capture)
        f->n_order = draw(f);
    count_labels(f);
    if (f->opt->per_label) {
        f->n_order = repeat(f);
        wspi_rng_shuffle(&r, f->order, f->n_order);
    }
}
