/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fit.c: the training run: flows in an order that the seed and the epoch alone decide (fit_choose.c), long ones in windows
 * (fit_windows.c), steps of a token budget, checkpoints.
 * Where the next-token loss counts, steps take turns: one reads flows as a classifier does (its mask policy, labels for
 * the heads), the next as a generator does (everything, flow ends, one label of most labelled flows given as condition
 * and never asked for).
 */
#include <math.h>

#include "task/fit_int.h"

wsp_fit_options wsp_fit_options_default(void)
{
    wsp_fit_options o = {.config = NULL,
                         .epochs = 1,
                         .batch_tokens = 8192,
                         .bptt = 256,
                         .accumulate = 1,
                         .val_every = 500,
                         .checkpoint_every = 200};

    o.view = wsp_view_options_default();
    o.train = wsp_train_options_default();
    return o;
}

/* One of a flow's labels, rare ones more often than common ones, as the number of its condition; -1: it has none. */
static int32_t draw_condition(const wspi_fit *f, size_t flow, wspi_rng *r)
{
    const wsp_tokens *t = f->train;
    size_t first = 0; /* condition number of the head's first label */
    int32_t chosen = -1;
    double sum = 0;

    for (size_t h = 0; h < t->n_heads; first += t->n_labels[h++]) {
        int32_t label = t->labels[h][flow];
        double weight;
        if (label < 0)
            continue;
        weight = 1 / sqrt(WSPI_MAX(f->label_flows[first + (size_t)label], 1u));
        sum += weight;
        if (wspi_rng_unit(r) * sum < weight)
            chosen = (int32_t)first + label;
    }
    return chosen;
}

/*
 * Nine of ten labelled flows have one of their labels as their condition; nobody asks for labels then. A window that
 * goes on has it in its state.
 */
static wsp_status set_conditions(wspi_fit *f, uint64_t number)
{
    wspi_batcher *b = &f->batcher;
    wspi_rng r;

    wspi_rng_seed(&r, f->opt->train.seed ^ (number * 0x9e3779b97f4a7c15u));
    WSP_TRY(wspi_grow(&b->condition, &b->cap_condition, b->n_pieces + 1, sizeof *b->condition));
    for (size_t i = 0; i < b->n_pieces; i++) {
        int32_t drawn = -1;

        if (!b->piece[i].window.from) {
            drawn = draw_condition(f, b->piece[i].flow, &r);
            drawn = wspi_rng_below(&r, 10) ? drawn : -1;
        }
        b->condition[i] = drawn;
    }
    b->batch.condition = b->condition;
    return WSP_OK;
}

/*
 * Is the batch of this number for writing, with everything that is written, and conditions? By turns with what heads see;
 * always where there are no heads to train and they would see everything.
 */
static bool is_spoken(const wspi_fit *f, uint64_t number)
{
    const char *policy = wsp_policy_name(wsp_policy_get(f->opt->view.policy));

    if (f->speaks.n_flows == 0)
        return false;
    return number % 2 || (f->opt->train.head_weight <= 0 && strcmp(policy, "everything") == 0);
}

/* Moves on by the run's batch of this number, and makes it if it is this process that computes it. */
static wsp_status next_batch(wspi_fit *f, uint64_t number, unsigned by)
{
    bool speak = is_spoken(f, number);
    wspi_augment change = {.drop = f->opt->token_drop, .skip = f->opt->skip};

    WSP_TRY(wspi_fit_plan(f, speak, number, by));
    if (by != wsp_group_rank(f->opt->train.group))
        return WSP_OK;
    wspi_rng_seed(&change.rng, f->opt->train.seed ^ (number * 0xd1b54a32d192ed03u + 1));
    WSP_TRY(wspi_batcher_make(&f->batcher, speak ? &f->speaks : &f->sees, f->train,
                              speak ? NULL : f->map, f->train->n_heads, speak ? NULL : &change));
    return speak ? set_conditions(f, number) : WSP_OK;
}

/* Batches of a step go round the processes; a round that the batches do not fill leaves the last ones idle. */
static wsp_status one_step(wspi_fit *f, wsp_error *err)
{
    wsp_group *group = f->opt->train.group;
    size_t n = f->opt->accumulate, rank = wsp_group_rank(group), size = wsp_group_size(group);
    wsp_train_stats s;

    for (size_t at = 0; at < n; at += size) {
        bool mine = at + rank < n;
        wsp_status st = WSP_OK;

        for (size_t i = at; st == WSP_OK && i < WSPI_MIN(at + size, n); i++)
            st = next_batch(f, f->pos.step * n + i, (unsigned)(i - at));
        if (st < 0)
            st = wspi_nomem(err, "a batch of flows", f->opt->batch_tokens);
        WSP_TRY(wsp_group_agree(group, st, err));
        WSP_TRY(wsp_trainer_accumulate(f->trainer, mine ? &f->batcher.batch : NULL, NULL, err));
        wspi_fit_tell(f);
    }
    wspi_fit_turn(f);
    WSP_TRY(wsp_trainer_update(f->trainer, &s, err));
    f->pos.step++;
    return wspi_fit_log_step(f, &s, err);
}

static bool ended(const wspi_fit *f)
{
    return f->pos.step >= f->steps || (f->opt->patience && f->pos.since >= f->opt->patience);
}

static bool validation_is_due(const wspi_fit *f)
{
    return f->val && f->opt->val_every &&
           (f->pos.step % f->opt->val_every == 0 || f->pos.step == f->steps);
}

/* One process writes, all learn how that went. */
static wsp_status save(const wspi_fit *f, wsp_error *err)
{
    wsp_group *group = f->opt->train.group;
    wsp_status st = wsp_group_rank(group) == 0 ? wspi_fit_save(f, err) : WSP_OK;

    return wsp_group_agree(group, st, err);
}

/* Scores the model, and keeps its weights when it is the best so far. */
static wsp_status validate(wspi_fit *f, wsp_error *err)
{
    wspi_validation v;
    double score;
    bool best;

    WSP_TRY(wspi_fit_validate(f, &v, err));
    score = f->opt->best_by_f1 ? -v.macro_f1 : v.stats.loss;
    best = f->pos.best_step == 0 || score < f->pos.best;
    f->pos.since++;
    if (best) {
        f->pos.best = score;
        f->pos.best_step = f->pos.step;
        f->pos.since = 0;
        WSP_TRY(wsp_trainer_keep(f->trainer, err));
    }
    return wspi_fit_log_validation(f, &v, best, err);
}

/*
 * Until the last step, until validations have not got better for long enough, or until the caller says stop (EOF). A
 * checkpoint is the last thing in all cases.
 */
static wsp_status run(wspi_fit *f, wsp_error *err)
{
    wsp_status st;

    wspi_fit_choose(f);
    st = wspi_fit_log_start(f, err);
    while (st == WSP_OK && !ended(f)) {
        st = one_step(f, err);
        if (st >= 0 && validation_is_due(f)) {
            wsp_status stop = st;
            st = validate(f, err);
            st = st < 0 ? st : WSPI_MAX(st, stop);
        }
        if (st == WSP_OK && f->opt->checkpoint &&
            (f->pos.step % f->opt->checkpoint_every == 0 || ended(f)))
            st = save(f, err);
    }
    if (st == WSP_EOF && f->opt->checkpoint)
        WSP_TRY(save(f, err));
    if (st == WSP_OK && f->pos.best_step)
        WSP_TRY(wsp_trainer_restore(f->trainer, err));
    return st == WSP_OK ? wspi_fit_log_end(f, err) : st;
}

static void clear(wspi_fit *f)
{
    wsp_trainer_free(f->trainer);
    wspi_fit_close(f);
    wspi_batcher_clear(&f->batcher);
    wspi_view_clear(&f->sees);
    wspi_view_clear(&f->speaks);
    wspi_view_clear(&f->val_sees);
    free(f->order);
    free(f->label_flows);
    free(f->group);
    free(f->drawn);
    free(f->val_order);
    free(f->map);
}

/* Contexts of some training flows, for wsp_enroll. */
static wsp_status remember(const wspi_fit *f, wsp_error *err)
{
    const wsp_classify_options how = {.dtype = f->opt->train.dtype,
                                      .threads = f->opt->train.threads};

    return wsp_references_learn(f->m, f->train, &how, err);
}

wsp_status wsp_fit(wsp_model **out, const wsp_tokens *train, const wsp_tokens *val,
                   const wsp_fit_options *opt, wsp_error *err)
{
    wspi_fit f = {.train = train, .val = val, .opt = opt};
    wsp_status st = wspi_fit_start(&f, err);

    *out = NULL;
    if (st == WSP_OK)
        st = wspi_fit_resume(&f, err);
    st = wspi_fit_agree(&f, st, err);
    if (st == WSP_OK)
        st = run(&f, err);
    if (st == WSP_OK && train->n_heads)
        st = wsp_group_agree(opt->train.group, remember(&f, err), err);
    if (st == WSP_OK && val && opt->train.head_weight > 0) /* else there is nothing to calibrate */
        st = wsp_group_agree(opt->train.group, wsp_calibrate(f.m, val, WSP_KEEP_DEFAULT, NULL, err),
                             err);
    clear(&f);
    if (st == WSP_OK)
        *out = f.m;
    else
        wsp_model_free(f.m);
    return st;
}
