/* SPDX-License-Identifier: Apache-2.0 */
/* fit_setup.c: what a training run starts with: model, views of the sets, weights of labels, the number of steps. */
#include <math.h>
#include <stdio.h>

#include "task/fit_int.h"
#include "token/token_int.h"

/* Heads that are never trained are there for their labels, which conditions name: what they say is unknown. */
static const float NOTHING_LEARNED = 2;

/* So that steps are a number: no run takes so long. */
static const double MOST_EPOCHS = 1e9;

static const char *size_of(const wsp_fit_options *o)
{
    return o->config ? o->config : o->init ? wsp_model_config_get(o->init)->name : "small";
}

static wsp_status make_model(wspi_fit *f, wsp_error *err)
{
    const wsp_tokens *t = f->train;
    wsp_head *heads = wspi_new_array(t->n_heads, sizeof *heads);
    wsp_model_config cfg;
    wsp_status st;

    if (!heads)
        return wspi_nomem(err, "heads", t->n_heads);
    for (size_t h = 0; h < t->n_heads; h++)
        if (t->n_labels[h] == 0) {
            free(heads);
            return wspi_fail(err, WSP_ERR_ARG, 0,
                             "head %s has no labels: make the set without its list, which is empty",
                             t->heads[h]);
        }
    for (size_t h = 0; h < t->n_heads; h++) {
        heads[h].n_labels = t->n_labels[h];
        heads[h].labels = (const char *const *)t->label_names[h];
        heads[h].temperature = 1;
        heads[h].unknown_below = f->opt->train.head_weight > 0 ? 0 : NOTHING_LEARNED;
        if ((size_t)snprintf(heads[h].name, sizeof heads[h].name, "%s", t->heads[h]) >=
            sizeof heads[h].name) {
            free(heads);
            return wspi_fail(err, WSP_ERR_ARG, 0, "head %s: the name is too long for a model",
                             t->heads[h]);
        }
    }
    st = wsp_model_config_named(&cfg, size_of(f->opt));
    if (st < 0)
        (void)wspi_fail(err, st, 0, "there is no model size '%s': tiny, small or base",
                        size_of(f->opt));
    cfg.vocab = wsp_vocab_size();
    cfg.vocab_version = wsp_vocab_version();
    cfg.text_first = wspi_group_base(WSPI_T_TEXT);
    cfg.text_count = wspi_group_count(WSPI_T_TEXT);
    if (!f->opt->flat_softmax)
        cfg.ranges = (uint32_t)wsp_vocab_ranges(cfg.range_first, WSP_MAX_RANGES);
    if (!(f->opt->train.lm_weight > 0)) /* nothing would train the output stack */
        cfg.output_layers = cfg.ranges = 0;
    if (st == WSP_OK)
        st = wsp_model_new(&f->m, &cfg, heads, t->n_heads, f->opt->train.seed, err);
    free(heads);
    return st;
}

/* What is learned is in the body: a few vectors that happen to be as long as ours are no start. */
static bool same_body(const wsp_model_config *a, const wsp_model_config *b)
{
    return a->channels == b->channels && a->ff == b->ff && a->heads == b->heads &&
           a->packet_layers == b->packet_layers && a->flow_layers == b->flow_layers;
}

/* Copies the tensors that both models have with the same shape: the body, and heads of the same labels' number. */
static wsp_status copy_weights(wspi_fit *f, wsp_error *err)
{
    const wsp_model *from = f->opt->init;

    if (from) /* its embedding has a row for each token, which has to stand for the same */
        WSP_TRY(wspi_vocab_check(from, err));
    if (from && !same_body(wsp_model_config_get(from), wsp_model_config_get(f->m)))
        return wspi_fail(err, WSP_ERR_ARG, 0,
                         "the model to start from is of another size (%s) than this one (%s)",
                         wsp_model_config_get(from)->name, size_of(f->opt));
    for (size_t i = 0; from && i < wsp_model_tensor_count(f->m); i++) {
        wsp_tensor to = wsp_model_tensor(f->m, i);
        for (size_t k = 0; k < wsp_model_tensor_count(from); k++) {
            wsp_tensor src = wsp_model_tensor(from, k);
            if (strcmp(src.name, to.name) != 0 || src.count != to.count)
                continue;
            memcpy(to.data, src.data, to.count * sizeof *to.data);
        }
    }
    return WSP_OK;
}

static wsp_status describe(wspi_fit *f)
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

static wsp_status make_views(wspi_fit *f, wsp_error *err)
{
    size_t max_tokens = wsp_model_config_get(f->m)->max_tokens;
    wsp_view_options all = f->opt->view;

    all.policy = "everything";
    WSP_TRY(wspi_view_make(&f->sees, f->train, &f->opt->view, max_tokens, false, err));
    if (f->val)
        WSP_TRY(wspi_view_make(&f->val_sees, f->val, &f->opt->view, max_tokens, false, err));
    if (f->opt->train.lm_weight > 0)
        WSP_TRY(wspi_view_make(&f->speaks, f->train, &all, max_tokens, true, err));
    return WSP_OK;
}

/* In an epoch a head's background counts as much as its other labels together at most: few flows of all that there are, are theirs. */
static float background_share(const wspi_fit *f, size_t h, size_t background)
{
    const int32_t *label = f->train->labels[h];
    size_t known = 0, others = 0;

    for (size_t i = 0; i < f->n_order; i++) {
        known += label[f->order[i]] >= 0 && label[f->order[i]] != (int32_t)background;
        others += label[f->order[i]] == (int32_t)background;
    }
    return others > known ? (float)known / (float)others : 1;
}

static bool has_background(const wspi_fit *f)
{
    for (size_t h = 0; h < f->train->n_heads; h++)
        if (wspi_background_of(f->train, h) < f->train->n_labels[h])
            return true;
    return false;
}

/* weight[h][l] = n(h, l)^-balance, and its mean over all labels of the set is 1: a rare class of a small head counts most. */
static wsp_status weigh(wspi_fit *f, wsp_error *err)
{
    const wsp_tokens *t = f->train;
    wsp_status st = WSP_OK;
    double sum = 0, all = 0;

    for (int pass = 0; pass < 2; pass++)
        for (size_t h = 0; st == WSP_OK && h < t->n_heads; h++) {
            size_t background = wspi_background_of(f->train, h);
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
            if (background < t->n_labels[h])
                w[background] *= background_share(f, h, background);
            if (pass == 1)
                st = wsp_trainer_label_weights(f->trainer, h, w, err);
            free(w);
        }
    return st;
}

/* Which flows are used, and from their tokens the number of steps. */
static wsp_status make_orders(wspi_fit *f, wsp_error *err)
{
    size_t H = f->train->n_heads, n_val = f->val ? f->val->n_flows : 0;
    double tokens = 0;

    WSP_TRY(wspi_fit_room(f, err));
    f->val_order = wspi_new_array(n_val, sizeof *f->val_order);
    f->map = wspi_new_array(H, sizeof *f->map);
    if (!f->val_order || !f->map)
        return wspi_nomem(err, "the order of flows", n_val);
    for (size_t h = 0; h < H; h++)
        f->map[h] = (int)h;
    if (f->opt->per_capture)
        WSP_TRY(wspi_fit_group(f, err));
    wspi_fit_choose(f);
    f->n_val = f->val ? wspi_fit_wanted(f, f->val, f->val_order) : 0;
    if (f->n_order == 0)
        return wspi_fail(
            err, WSP_ERR_ARG, 0,
            f->train->n_flows
                ? "no flow has a label, and others are read for the next-token loss alone"
                : "there are no flows to train on");
    if (f->val && f->n_val == 0)
        return wspi_fail(err, WSP_ERR_ARG, 0, "there are no flows to validate on");
    for (size_t i = 0; i < f->n_order; i++)
        tokens += (double)(f->sees.packet_off[f->sees.flow_off[f->order[i] + 1]] -
                           f->sees.packet_off[f->sees.flow_off[f->order[i]]]);
    f->steps = (uint64_t)ceil(f->opt->epochs * tokens /
                              ((double)f->opt->batch_tokens * (double)f->opt->accumulate));
    f->steps = WSPI_MAX(f->steps, 1u);
    return WSP_OK;
}

wsp_status wspi_fit_start(wspi_fit *f, wsp_error *err)
{
    wsp_train_options train = f->opt->train;
    unsigned n = wsp_group_size(train.group);
    wsp_status st = f->val ? wspi_same_labels(f->train, f->val, err) : WSP_OK;

    if (st == WSP_OK && (!(f->opt->epochs >= 0 && f->opt->epochs <= MOST_EPOCHS) ||
                         f->opt->batch_tokens == 0 || f->opt->view.max_packets == 0))
        st =
            wspi_fail(err, WSP_ERR_ARG, 0,
                      "%g epochs, batches of %zu tokens, flows of %zu packets: 0 to %g, 1 or more, "
                      "1 or more",
                      f->opt->epochs, f->opt->batch_tokens, f->opt->view.max_packets, MOST_EPOCHS);
    if (st == WSP_OK && f->opt->checkpoint && f->opt->checkpoint_every == 0)
        st = wspi_fail(err, WSP_ERR_ARG, 0, "a checkpoint every 0 steps: 1 or more");
    if (st == WSP_OK && f->opt->accumulate < n)
        st = wspi_fail(err, WSP_ERR_ARG, 0,
                       "%zu batches a step leave some of the %u processes without work: accumulate "
                       "%u or more",
                       f->opt->accumulate, n, n);
    if (st == WSP_OK)
        st = make_model(f, err);
    if (st == WSP_OK)
        st = copy_weights(f, err);
    if (st == WSP_OK)
        st = make_views(f, err);
    if (st < 0)
        return st;
    if (describe(f) < 0 || wspi_stacks_learn(f->m, &f->sees, f->train) < 0)
        return wspi_nomem(err, "the model's description", 0);
    WSP_TRY(wspi_seen_learn(f->m, f->opt->init, &f->sees, f->train,
                            f->opt->labelled_only || !(train.lm_weight > 0), err));
    wspi_fit_hash_data(f);
    WSP_TRY(make_orders(f, err));
    f->window = f->opt->bptt ? f->opt->bptt : UINT32_MAX;
    f->told = wspi_new_floats((n + 1) * wsp_window_size(f->m) / sizeof *f->told);
    if (!f->told)
        return wspi_nomem(err, "states of windows", (n + 1) * wsp_window_size(f->m));
    train.steps = f->steps;
    train.warmup = WSPI_MIN(train.warmup, f->steps / 10 + 1);
    WSP_TRY(wsp_trainer_new(&f->trainer, f->m, &train, err));
    return f->opt->balance > 0 || has_background(f) ? weigh(f, err) : WSP_OK;
}
