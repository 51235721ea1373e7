/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fit.c: the training run: flows in an order that the seed and the epoch alone decide, steps of a token budget,
 * checkpoints, and temperature scaling of the heads on the validation set (Guo et al., 2017).
 * Where the next-token loss counts, steps take turns: one reads flows as a classifier does (its mask policy, labels for
 * the heads), the next as a generator does (everything, flow ends, the label of half of the labelled flows given as
 * condition and never asked for).
 */
#include <math.h>
#include <stdio.h>
#include <unistd.h>

#include "task/task_int.h"

wsp_fit_options wsp_fit_options_default(void)
{
    wsp_fit_options o = {
        .config = "small", .epochs = 1, .batch_tokens = 8192, .checkpoint_every = 200};

    o.view = wsp_view_options_default();
    o.train = wsp_train_options_default();
    return o;
}

/* Where a run stands; saved with the checkpoint. Everything else follows from the seed. */
typedef struct position {
    uint64_t epoch, at, step;
} position;

typedef struct fit {
    const wsp_tokens *train;
    const wsp_fit_options *opt;
    wsp_model *m;
    wsp_trainer *trainer;
    wspi_view sees,
        speaks; /* as a classifier reads; as a generator writes (only with a next-token loss) */
    wspi_batcher batcher;
    uint32_t *order; /* [n_order] */
    size_t n_order;
    int *map; /* [n_heads] the identity: heads are the set's columns */
    uint64_t steps;
    position pos;
} fit;

/* Flows in file order; without a next-token loss, or when asked for, only those that have a label. */
static void choose_flows(fit *f)
{
    f->n_order = 0;
    for (size_t i = 0; i < f->sees.n_flows; i++) {
        bool labelled = f->opt->train.lm_weight > 0 && !f->opt->labelled_only;
        for (size_t h = 0; h < f->train->n_heads; h++)
            labelled = labelled || f->train->labels[h][i] >= 0;
        if (labelled)
            f->order[f->n_order++] = (uint32_t)i;
    }
}

static void shuffle(fit *f)
{
    wspi_rng r;

    wspi_rng_seed(&r, f->opt->train.seed * 1000003u + f->pos.epoch);
    choose_flows(f);
    for (size_t i = f->n_order; i > 1; i--) {
        size_t k = (size_t)wspi_rng_below(&r, i);
        uint32_t swap = f->order[i - 1];
        f->order[i - 1] = f->order[k];
        f->order[k] = swap;
    }
}

static wsp_status make_model(fit *f, wsp_error *err)
{
    const wsp_tokens *t = f->train;
    wsp_head *heads = wspi_new_array(t->n_heads, sizeof *heads);
    wsp_model_config cfg;
    wsp_status st;

    if (!heads)
        return wspi_nomem(err, "heads", t->n_heads);
    for (size_t h = 0; h < t->n_heads; h++) {
        heads[h].n_labels = t->n_labels[h];
        heads[h].labels = (const char *const *)t->label_names[h];
        heads[h].temperature = 1;
        (void)snprintf(heads[h].name, sizeof heads[h].name, "%s", t->heads[h]);
    }
    st = wsp_model_config_named(&cfg, f->opt->config);
    if (st < 0)
        (void)wspi_fail(err, st, 0, "there is no model size '%s': tiny, small or base",
                        f->opt->config);
    cfg.vocab = wsp_vocab_size();
    cfg.vocab_version = wsp_vocab_version();
    if (!(f->opt->train.lm_weight > 0)) /* nothing would train the output stack */
        cfg.output_layers = 0;
    if (st == WSP_OK)
        st = wsp_model_new(&f->m, &cfg, heads, t->n_heads, f->opt->train.seed, err);
    free(heads);
    return st;
}

/* Copies the tensors that both models have with the same shape: the body, and heads of the same labels' number. */
static wsp_status copy_weights(fit *f, wsp_error *err)
{
    const wsp_model *from = f->opt->init;
    size_t copied = 0;

    for (size_t i = 0; from && i < wsp_model_tensor_count(f->m); i++) {
        wsp_tensor to = wsp_model_tensor(f->m, i);
        for (size_t k = 0; k < wsp_model_tensor_count(from); k++) {
            wsp_tensor src = wsp_model_tensor(from, k);
            if (strcmp(src.name, to.name) != 0 || src.count != to.count)
                continue;
            memcpy(to.data, src.data, to.count * sizeof *to.data);
            copied++;
        }
    }
    if (from && copied == 0)
        return wspi_fail(err, WSP_ERR_ARG, 0,
                         "the model to start from has no tensor of this model's shape");
    return WSP_OK;
}

static wsp_status describe(fit *f)
{
    char n[24];
    const wsp_policy *p = wsp_policy_get(f->opt->view.policy);

    WSP_TRY(wsp_model_meta_set(f->m, "policy", wsp_policy_name(p)));
    (void)snprintf(n, sizeof n, "%zu", f->opt->view.max_packets);
    WSP_TRY(wsp_model_meta_set(f->m, "max_packets", n));
    (void)snprintf(n, sizeof n, "%zu", f->opt->view.max_payload);
    WSP_TRY(wsp_model_meta_set(f->m, "max_payload", n));
    (void)snprintf(n, sizeof n, "%llu", (unsigned long long)f->opt->train.seed);
    return wsp_model_meta_set(f->m, "seed", n);
}

static wsp_status make_views(fit *f, wsp_error *err)
{
    size_t max_tokens = wsp_model_config_get(f->m)->max_tokens;
    wsp_view_options all = f->opt->view;

    all.policy = "everything";
    WSP_TRY(wspi_view_make(&f->sees, f->train, &f->opt->view, max_tokens, false, err));
    if (f->opt->train.lm_weight > 0)
        WSP_TRY(wspi_view_make(&f->speaks, f->train, &all, max_tokens, true, err));
    return WSP_OK;
}

/* weight[h][l] = n(h, l)^-balance, and its mean over all labels of the set is 1: a rare class of a small head counts most. */
static wsp_status balance(fit *f, wsp_error *err)
{
    const wsp_tokens *t = f->train;
    wsp_status st = WSP_OK;
    double sum = 0, all = 0;

    for (int pass = 0; pass < 2; pass++)
        for (size_t h = 0; st == WSP_OK && h < t->n_heads; h++) {
            float *w = wspi_new_array(t->n_labels[h], sizeof *w);
            if (!w)
                return wspi_nomem(err, "weights of labels", t->n_labels[h] * sizeof *w);
            for (size_t i = 0; i < t->n_flows; i++)
                if (t->labels[h][i] >= 0)
                    w[t->labels[h][i]]++;
            for (size_t l = 0; l < t->n_labels[h]; l++) {
                double n = (double)w[l], weight = n > 0 ? pow(n, -f->opt->balance) : 1;
                if (pass == 0) {
                    all += n;
                    sum += n * weight;
                }
                w[l] = (float)(weight * all / (sum > 0 ? sum : 1));
            }
            if (pass == 1)
                st = wsp_trainer_label_weights(f->trainer, h, w, err);
            free(w);
        }
    return st;
}

static wsp_status start(fit *f, wsp_error *err)
{
    wsp_train_options train = f->opt->train;
    double tokens = 0;
    wsp_status st = make_model(f, err);

    if (st == WSP_OK)
        st = copy_weights(f, err);
    if (st == WSP_OK)
        st = make_views(f, err);
    if (st < 0)
        return st;
    if (describe(f) < 0)
        return wspi_nomem(err, "the model's description", 0);
    f->order = wspi_new_array(f->sees.n_flows, sizeof *f->order);
    f->map = wspi_new_array(f->train->n_heads, sizeof *f->map);
    if (!f->order || !f->map)
        return wspi_nomem(err, "the order of flows", f->sees.n_flows);
    for (size_t h = 0; h < f->train->n_heads; h++)
        f->map[h] = (int)h;
    choose_flows(f);
    if (f->n_order == 0)
        return wspi_fail(err, WSP_ERR_ARG, 0, "there are no flows to train on");
    for (size_t i = 0; i < f->n_order; i++)
        tokens += (double)(f->sees.packet_off[f->sees.flow_off[f->order[i] + 1]] -
                           f->sees.packet_off[f->sees.flow_off[f->order[i]]]);
    f->steps = (uint64_t)ceil(f->opt->epochs * tokens / (double)f->opt->batch_tokens);
    f->steps = WSPI_MAX(f->steps, 1u);
    train.steps = f->steps;
    train.warmup = WSPI_MIN(train.warmup, f->steps / 10 + 1);
    WSP_TRY(wsp_trainer_new(&f->trainer, f->m, &train, err));
    return f->opt->balance > 0 ? balance(f, err) : WSP_OK;
}

static wsp_status resume(fit *f, wsp_error *err)
{
    void *extra = NULL;
    size_t len;
    wsp_status st;

    if (!f->opt->resume || !f->opt->checkpoint || access(f->opt->checkpoint, F_OK) != 0)
        return WSP_OK;
    st = wsp_trainer_load(f->trainer, f->opt->checkpoint, &extra, &len, err);
    if (st == WSP_OK && len != sizeof f->pos)
        st = wspi_fail(err, WSP_ERR_FORMAT, 0, "%s: not a checkpoint of this kind of run",
                       f->opt->checkpoint);
    if (st == WSP_OK)
        memcpy(&f->pos, extra, sizeof f->pos);
    if (st == WSP_OK && f->pos.at > f->n_order)
        st =
            wspi_fail(err, WSP_ERR_FORMAT, 0, "%s: a checkpoint of other data", f->opt->checkpoint);
    free(extra);
    return st;
}

static wsp_status report(const fit *f, const wsp_train_stats *s)
{
    char json[512];

    if (!f->opt->report)
        return WSP_OK;
    (void)snprintf(
        json, sizeof json,
        "{\"step\":%llu,\"steps\":%llu,\"epoch\":%llu,\"loss\":%.6f,\"lm_nats_per_token\":%.6f,"
        "\"lm_bits_per_packet\":%.4f,\"head_loss\":%.6f,\"head_seen\":%zu,\"head_right\":%zu,"
        "\"grad_norm\":%.4f,\"lr\":%.8f,\"tokens\":%zu}",
        (unsigned long long)f->pos.step, (unsigned long long)f->steps,
        (unsigned long long)f->pos.epoch, s->loss, s->lm_nats_per_token, s->lm_bits_per_packet,
        s->head_loss, s->head_seen, s->head_right, s->grad_norm, s->lr, s->tokens);
    return f->opt->report(f->opt->arg, json, s, f->steps);
}

/* Half of the labelled flows get the label of one head as their condition; nobody asks for it then. */
static wsp_status set_conditions(fit *f, size_t taken)
{
    wspi_batcher *b = &f->batcher;
    wspi_rng r;

    wspi_rng_seed(&r, f->opt->train.seed ^ (f->pos.step * 0x9e3779b97f4a7c15u));
    WSP_TRY(wspi_grow(&b->condition, &b->cap_condition, taken + 1, sizeof *b->condition));
    for (size_t i = 0; i < taken; i++) {
        int32_t first = 0; /* condition number of the head's first label */
        b->condition[i] = -1;
        for (size_t h = 0; h < f->train->n_heads; h++) {
            int32_t label = f->train->labels[h][f->order[f->pos.at + i]];
            if (label >= 0 && wspi_rng_u64(&r) & 1)
                b->condition[i] = first + label;
            first += (int32_t)f->train->n_labels[h];
        }
    }
    b->batch.condition = b->condition;
    return WSP_OK;
}

static wsp_status next_batch(fit *f, size_t *taken)
{
    bool speak = f->speaks.n_flows && f->pos.step % 2;
    const uint32_t *order = f->order + f->pos.at;

    WSP_TRY(wspi_batcher_fill(&f->batcher, speak ? &f->speaks : &f->sees, f->train, order,
                              f->n_order - f->pos.at, f->opt->batch_tokens, speak ? NULL : f->map,
                              f->train->n_heads, taken));
    return speak ? set_conditions(f, *taken) : WSP_OK;
}

static wsp_status one_step(fit *f, wsp_error *err)
{
    wsp_train_stats s = {.step = 0};
    size_t taken;

    if (f->pos.at >= f->n_order) {
        f->pos.at = 0;
        f->pos.epoch++;
        shuffle(f);
    }
    if (next_batch(f, &taken) < 0)
        return wspi_nomem(err, "a batch of flows", f->opt->batch_tokens);
    WSP_TRY(wsp_trainer_accumulate(f->trainer, &f->batcher.batch, &s, err));
    WSP_TRY(wsp_trainer_update(f->trainer, &s, err));
    f->pos.at += taken;
    f->pos.step++;
    return report(f, &s);
}

static wsp_status run(fit *f, wsp_error *err)
{
    const char *path = f->opt->checkpoint;
    wsp_status st = WSP_OK;

    shuffle(f);
    while (st >= 0 && f->pos.step < f->steps) {
        st = one_step(f, err);
        if (path && st >= 0 &&
            (f->pos.step % f->opt->checkpoint_every == 0 || f->pos.step == f->steps))
            st = wsp_trainer_save(f->trainer, path, &f->pos, sizeof f->pos, err);
    }
    return st;
}

/* ---- calibration ---- */

static double nll_at(const float *prob, const int32_t *label, size_t n, size_t L,
                     double temperature)
{
    double sum = 0;

    for (size_t i = 0; i < n; i++) {
        double z = 0, mine;
        if (label[i] < 0)
            continue;
        for (size_t l = 0; l < L; l++) /* prob^(1/T), normalised, is the softmax at temperature T */
            z += pow((double)prob[i * L + l] + 1e-12, 1 / temperature);
        mine = pow((double)prob[i * L + (size_t)label[i]] + 1e-12, 1 / temperature);
        sum -= log(mine / z);
    }
    return sum;
}

static float best_temperature(const float *prob, const int32_t *label, size_t n, size_t L)
{
    double best = 1, least = nll_at(prob, label, n, L, 1);

    for (double t = 0.4; t < 4; t *= 1.05) {
        double v = nll_at(prob, label, n, L, t);
        if (v < least) {
            least = v;
            best = t;
        }
    }
    return (float)best;
}

/* Room for the probabilities of every head; the caller frees what is there. */
static wsp_status make_room(const fit *f, const wsp_tokens *val, float **prob, wsp_error *err)
{
    for (size_t h = 0; h < wsp_model_head_count(f->m); h++) {
        size_t L = wsp_model_head(f->m, h)->n_labels;

        if (h >= val->n_heads || val->n_labels[h] != L)
            return wspi_fail(err, WSP_ERR_ARG, 0,
                             "the validation set has other labels than the training set");
        prob[h] = wspi_new_array(val->n_flows, L * sizeof **prob);
        if (!prob[h])
            return wspi_nomem(err, "the validation set", val->n_flows);
    }
    return WSP_OK;
}

static wsp_status calibrate(fit *f, const wsp_tokens *val, wsp_error *err)
{
    size_t n_heads = wsp_model_head_count(f->m);
    float **prob = wspi_new_array(n_heads, sizeof *prob);
    uint32_t *packets = wspi_new_array(val->n_flows, sizeof *packets);
    wsp_status st = prob && packets ? make_room(f, val, prob, err)
                                    : wspi_nomem(err, "the validation set", val->n_flows);

    if (st == WSP_OK)
        st = wsp_classify(f->m, val, prob, packets, err);
    for (size_t h = 0; st == WSP_OK && h < n_heads; h++)
        wsp_model_head_calibrate(f->m, h,
                                 best_temperature(prob[h], val->labels[h], val->n_flows,
                                                  wsp_model_head(f->m, h)->n_labels),
                                 0.5f);
    for (size_t h = 0; prob && h < n_heads; h++)
        free(prob[h]);
    free(prob);
    free(packets);
    return st;
}

wsp_status wsp_fit(wsp_model **out, const wsp_tokens *train, const wsp_tokens *val,
                   const wsp_fit_options *opt, wsp_error *err)
{
    fit f = {.train = train, .opt = opt};
    wsp_status st = start(&f, err);

    *out = NULL;
    if (st == WSP_OK)
        st = resume(&f, err);
    if (st == WSP_OK)
        st = run(&f, err);
    if (st >= 0 && val)
        st = calibrate(&f, val, err);
    wsp_trainer_free(f.trainer);
    wspi_batcher_clear(&f.batcher);
    wspi_view_clear(&f.sees);
    wspi_view_clear(&f.speaks);
    free(f.order);
    free(f.map);
    if (st < 0) {
        wsp_model_free(f.m);
        return st;
    }
    *out = f.m;
    return WSP_OK;
}
