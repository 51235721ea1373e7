/* SPDX-License-Identifier: Apache-2.0 */
/*
 * validate.c: a run's losses and scores on the validation set, as the model reads it. F1 = 2 TP / (2 TP + FP + FN),
 * macro-F1 the mean over the classes that occur in the set; over several heads the mean of theirs.
 */
#include "model/group_int.h"
#include "task/fit_int.h"

wsp_status wspi_same_labels(const wsp_tokens *train, const wsp_tokens *val, wsp_error *err)
{
    if (train->n_heads != val->n_heads)
        return wspi_fail(err, WSP_ERR_ARG, 0,
                         "the validation set has %zu label columns, the training set %zu",
                         val->n_heads, train->n_heads);
    for (size_t h = 0; h < train->n_heads; h++) {
        bool same =
            strcmp(train->heads[h], val->heads[h]) == 0 && train->n_labels[h] == val->n_labels[h];
        for (size_t l = 0; same && l < train->n_labels[h]; l++)
            same = strcmp(train->label_names[h][l], val->label_names[h][l]) == 0;
        if (!same)
            return wspi_fail(err, WSP_ERR_ARG, 0,
                             "the validation set has other labels than the training set in its "
                             "column %s: make both with the same lists",
                             val->heads[h]);
    }
    return WSP_OK;
}

typedef struct tally {
    size_t right, said, is; /* of one class */
} tally;

static double macro_f1(const tally *t, size_t n)
{
    double sum = 0;
    size_t classes = 0;

    for (size_t l = 0; l < n; l++) {
        if (!t[l].is)
            continue;
        sum += 2 * (double)t[l].right / (double)(t[l].said + t[l].is);
        classes++;
    }
    return classes ? sum / (double)classes : 0;
}

/* Tallies of all heads, one after the other, from the answers to a batch. */
static void count(const wspi_fit *f, tally *t)
{
    const wsp_batch *b = &f->batcher.batch;
    const int32_t *said = wsp_trainer_answers(f->trainer);
    size_t H = f->train->n_heads;

    for (size_t h = 0; h < H; t += f->train->n_labels[h++])
        for (size_t i = h; i < b->n_flows * H; i += H) {
            if (said[i] < 0)
                continue;
            t[b->labels[i]].is++;
            t[said[i]].said++;
            t[said[i]].right += said[i] == b->labels[i];
        }
}

static void score(const wspi_fit *f, const tally *t, wspi_validation *v)
{
    size_t n = 0;

    v->macro_f1 = 0;
    for (size_t h = 0; h < f->train->n_heads; t += f->train->n_labels[h++]) {
        v->f1[h] = macro_f1(t, f->train->n_labels[h]);
        if (!v->stats.head[h].seen)
            continue;
        v->macro_f1 += v->f1[h];
        n++;
    }
    v->macro_f1 = n ? v->macro_f1 / (double)n : 0;
}

static bool is_long(const wspi_fit *f, const wspi_piece *p)
{
    return p->to - p->from > f->window;
}

/* What goes from window to window of those of n flows that are long. */
static wsp_status make_room(wspi_fit *f, const uint32_t *order, size_t n)
{
    size_t longs = 0;

    for (size_t i = 0; i < n; i++) {
        const wspi_piece p = wspi_piece_of(&f->val_sees, order[i]);
        longs += is_long(f, &p);
    }
    return wspi_grow(&f->val_carried, &f->val_cap,
                     longs * wsp_window_size(f->m) / sizeof *f->val_carried,
                     sizeof *f->val_carried);
}

/* The windows of this number of those of n flows that have one become the batch's pieces. */
static wsp_status select_windows(wspi_fit *f, const uint32_t *order, size_t n, uint64_t number)
{
    float *carried = f->val_carried;

    f->batcher.n_pieces = 0;
    for (size_t i = 0; i < n; i++) {
        wspi_piece p = wspi_piece_of(&f->val_sees, order[i]);
        uint64_t packets = p.to - p.from, begin = number * f->window;
        float *to = NULL;

        if (is_long(f, &p)) {
            to = carried;
            carried += wsp_window_size(f->m) / sizeof *carried;
            p.window.packets = (uint32_t)packets;
        }
        if (begin >= packets)
            continue;
        p.from += begin;
        p.window.from = number ? to : NULL;
        p.window.to = is_long(f, &p) ? to : NULL;
        p.to = p.from + WSPI_MIN(p.to - p.from, f->window);
        WSP_TRY(wspi_batcher_push(&f->batcher, &p));
    }
    return WSP_OK;
}

/* A batch of n flows, the long ones window by window beside one another: figures of all of it. */
static wsp_status run_flows(wspi_fit *f, const uint32_t *order, size_t n, wsp_train_stats *s,
                            tally *t, wsp_error *err)
{
    if (make_room(f, order, n) < 0)
        return wspi_nomem(err, "states of windows", n);
    for (uint64_t k = 0;; k++) {
        wsp_train_stats more;

        if (select_windows(f, order, n, k) < 0)
            return wspi_nomem(err, "a batch of flows", f->opt->batch_tokens);
        if (k > 0 && f->batcher.n_pieces == 0)
            return WSP_OK;
        if (wspi_batcher_make(&f->batcher, &f->val_sees, f->val, f->map, f->train->n_heads, NULL) <
            0)
            return wspi_nomem(err, "a batch of flows", f->opt->batch_tokens);
        WSP_TRY(wsp_trainer_evaluate(f->trainer, &f->batcher.batch, k ? &more : s, err));
        if (k > 0)
            wsp_train_stats_add(s, &more);
        count(f, t);
    }
}

/* The batch of this process in a round, which begins at flow *at; *at becomes the next round's. */
static wsp_status run_batch(wspi_fit *f, size_t *at, wsp_train_stats *s, tally *t, wsp_error *err)
{
    wsp_group *group = f->opt->train.group;
    size_t mine = f->n_val, n = 0, from = *at;

    for (unsigned i = 0; i < wsp_group_size(group); i++) {
        size_t span = wspi_batcher_span(&f->val_sees, f->val_order + *at, f->n_val - *at,
                                        f->opt->batch_tokens, f->window);
        if (i == wsp_group_rank(group)) {
            mine = *at;
            n = span;
        }
        *at += span;
    }
    *s = (wsp_train_stats){.step = from};
    return n ? run_flows(f, f->val_order + mine, n, s, t, err) : WSP_OK;
}

/* Batches go round the processes as in training; figures are added up in the order of batches. */
static wsp_status run_all(wspi_fit *f, wspi_validation *v, tally *t, wsp_train_stats *round,
                          wsp_error *err)
{
    wsp_group *group = f->opt->train.group;
    wsp_train_stats mine;

    for (size_t at = 0; at < f->n_val;) {
        WSP_TRY(wsp_group_agree(group, run_batch(f, &at, &mine, t, err), err));
        wspi_group_gather(group, round, &mine, sizeof mine);
        for (unsigned i = 0; i < wsp_group_size(group); i++)
            wsp_train_stats_add(&v->stats, &round[i]);
    }
    return WSP_OK;
}

/* The tallies of all processes together. */
static wsp_status share_tallies(const wspi_fit *f, tally *t, size_t classes, wsp_error *err)
{
    wsp_group *group = f->opt->train.group;
    unsigned n = wsp_group_size(group);
    tally *all;

    if (!group)
        return WSP_OK;
    all = wspi_new_array(n * classes, sizeof *all);
    WSP_TRY(wsp_group_agree(group, all ? WSP_OK : wspi_nomem(err, "scores", n * classes), err));
    wspi_group_gather(group, all, t, classes * sizeof *t);
    memset(t, 0, classes * sizeof *t);
    for (size_t i = 0; i < n * classes; i++) {
        t[i % classes].right += all[i].right;
        t[i % classes].said += all[i].said;
        t[i % classes].is += all[i].is;
    }
    free(all);
    return WSP_OK;
}

wsp_status wspi_fit_validate(wspi_fit *f, wspi_validation *v, wsp_error *err)
{
    wsp_group *group = f->opt->train.group;
    wsp_train_stats *round = wspi_new_array(wsp_group_size(group), sizeof *round);
    size_t classes = 0;
    tally *t;
    wsp_status st;

    memset(v, 0, sizeof *v);
    for (size_t h = 0; h < f->train->n_heads; h++)
        classes += f->train->n_labels[h];
    t = wspi_new_array(classes, sizeof *t);
    st = t && round ? WSP_OK : wspi_nomem(err, "scores", classes * sizeof *t);
    st = wsp_group_agree(group, st, err);
    if (st == WSP_OK)
        st = run_all(f, v, t, round, err);
    if (st == WSP_OK)
        st = share_tallies(f, t, classes, err);
    if (st == WSP_OK)
        score(f, t, v);
    free(t);
    free(round);
    v->stats.loss = (double)f->opt->train.lm_weight * v->stats.lm_nats_per_token +
                    (double)f->opt->train.head_weight * v->stats.heads.loss;
    return st;
}
