/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fit_windows.c: what a batch has of which flows. A flow of more packets than a window has is open until its last window:
 * it goes on in batches of the same kind, which read it alike, by one window a step at most, so that processes can share
 * the batches of a step. Flows that go on come before new ones: a batch begins none before all that wait have had their
 * turn, so that no more are open than the batches of a step have windows.
 */
#include "model/group_int.h"
#include "task/fit_int.h"

static size_t size_of(const wspi_fit *f)
{
    return wsp_window_size(f->m);
}

/* The queue of a kind gets another flow, which *carried is the memory of. */
static wsp_status open_flow(const wspi_fit *f, wspi_queue *q, const wspi_open *o)
{
    float *carried = wspi_new_floats(size_of(f) / sizeof *carried);

    if (!carried || wspi_grow(&q->open, &q->cap, q->n + 1, sizeof *q->open) < 0) {
        free(carried);
        return WSP_ERR_NOMEM;
    }
    q->open[q->n] = *o;
    q->open[q->n++].carried = carried;
    return WSP_OK;
}

wsp_status wspi_fit_reopen(wspi_fit *f, size_t kind, const wspi_open *o, float **carried)
{
    const wspi_view *v = kind ? &f->speaks : &f->sees;
    wspi_queue *q = &f->queue[kind];

    if (o->flow >= v->n_flows || o->begin < v->flow_off[o->flow] || o->at <= o->begin ||
        o->end <= o->at || o->end != v->flow_off[o->flow + 1])
        return WSP_ERR_FORMAT;
    WSP_TRY(open_flow(f, q, o));
    *carried = q->open[q->n - 1].carried;
    return WSP_OK;
}

/* The next window of an open flow goes into the batch. */
static wsp_status add_window(wspi_fit *f, wspi_open *o, unsigned by)
{
    uint64_t to = o->at + WSPI_MIN(o->end - o->at, f->window);
    const wspi_piece p = {.flow = o->flow,
                          .from = o->at,
                          .to = to,
                          .window = {.from = o->at > o->begin ? o->carried : NULL,
                                     .to = to < o->end ? o->carried : NULL,
                                     .packets = (uint32_t)(o->end - o->begin)}};

    o->at = to;
    o->by = by;
    o->moved = to < o->end;
    return wspi_batcher_push(&f->batcher, &p);
}

/* Where a long flow begins is drawn by itself: every process knows it, whoever computes the batch. */
static uint64_t draw_begin(const wspi_fit *f, const wspi_piece *p, uint64_t number)
{
    uint64_t where[3] = {f->opt->train.seed, number, p->flow};
    wspi_augment a = {.skip = f->opt->skip};

    wspi_rng_seed(&a.rng, wspi_fnv1a(where, sizeof where, WSPI_FNV_START));
    return wspi_late_start(&a, p->from, p->to);
}

/* A new flow, or its first window. */
static wsp_status begin_flow(wspi_fit *f, bool speaks, uint32_t flow, uint64_t number, unsigned by)
{
    const wspi_view *v = speaks ? &f->speaks : &f->sees;
    wspi_queue *q = &f->queue[speaks];
    wspi_piece p = wspi_piece_of(v, flow);
    wspi_open o;

    if (p.to - p.from <= f->window)
        return wspi_batcher_push(&f->batcher, &p);
    if (!speaks)
        p.from = draw_begin(f, &p, number);
    if (p.to - p.from <= f->window) {
        p.window.packets = (uint32_t)(p.to - p.from);
        return wspi_batcher_push(&f->batcher, &p);
    }
    o = (wspi_open){.flow = flow, .begin = p.from, .at = p.from, .end = p.to};
    WSP_TRY(open_flow(f, q, &o));
    return add_window(f, &q->open[q->n - 1], by);
}

wsp_status wspi_fit_plan(wspi_fit *f, bool speaks, uint64_t number, unsigned by)
{
    const wspi_view *v = speaks ? &f->speaks : &f->sees;
    wspi_batcher *b = &f->batcher;
    wspi_queue *q = &f->queue[speaks];
    size_t tokens = 0, budget = f->opt->batch_tokens;

    b->n_pieces = 0;
    for (; q->next < q->ready && tokens < budget; q->next++) {
        WSP_TRY(add_window(f, &q->open[q->next], by));
        tokens += wspi_piece_tokens(v, &b->piece[b->n_pieces - 1]);
    }
    if (tokens < budget && f->pos.at >= f->n_order) {
        f->pos.at = 0;
        f->pos.epoch++;
        wspi_fit_choose(f);
    }
    for (; tokens < budget && f->pos.at < f->n_order; f->pos.at++) {
        WSP_TRY(begin_flow(f, speaks, f->order[f->pos.at], number, by));
        tokens += wspi_piece_tokens(v, &b->piece[b->n_pieces - 1]);
    }
    return WSP_OK;
}

/* The first open flow that a process has not told of, or NULL. */
static wspi_open *untold(wspi_fit *f, unsigned by)
{
    for (size_t k = 0; k < WSPI_COUNT(f->queue); k++)
        for (size_t i = 0; i < f->queue[k].n; i++)
            if (f->queue[k].open[i].moved && f->queue[k].open[i].by == by)
                return &f->queue[k].open[i];
    return NULL;
}

/* One flow of each process; false: nobody had one. */
static bool tell_one(wspi_fit *f)
{
    wsp_group *group = f->opt->train.group;
    size_t n = size_of(f) / sizeof *f->told;
    unsigned rank = wsp_group_rank(group), size = wsp_group_size(group);
    const wspi_open *mine = untold(f, rank);
    bool any = false;

    for (unsigned r = 0; r < size; r++)
        any = any || untold(f, r);
    if (!any)
        return false;
    wspi_group_gather(group, f->told, mine ? mine->carried : f->told + size * n, size_of(f));
    for (unsigned r = 0; r < size; r++) {
        wspi_open *o = untold(f, r);

        if (!o)
            continue;
        memcpy(o->carried, f->told + r * n, size_of(f));
        o->moved = false;
    }
    return true;
}

void wspi_fit_tell(wspi_fit *f)
{
    while (f->opt->train.group && tell_one(f))
        ;
}

void wspi_fit_turn(wspi_fit *f)
{
    for (size_t k = 0; k < WSPI_COUNT(f->queue); k++) {
        wspi_queue *q = &f->queue[k];
        size_t n = 0;

        for (size_t i = 0; i < q->n; i++)
            if (q->open[i].at < q->open[i].end)
                q->open[n++] = q->open[i];
            else
                free(q->open[i].carried);
        q->n = q->ready = n;
        q->next = 0;
    }
}

void wspi_fit_close(wspi_fit *f)
{
    for (size_t k = 0; k < WSPI_COUNT(f->queue); k++) {
        for (size_t i = 0; i < f->queue[k].n; i++)
            free(f->queue[k].open[i].carried);
        free(f->queue[k].open);
    }
    free(f->told);
    free(f->val_carried);
}
