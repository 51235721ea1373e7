/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fit_state.c: checkpoints of a run. With the trainer's state goes a JSON text: where the run stands, and all that
 * decides what comes next (options, the data's hashes). A run goes on only where these are the same.
 */
#include <stdio.h>
#include <unistd.h>

#include "base/json.h"
#include "model/group_int.h"
#include "task/fit_int.h"

static const char FORMAT[] = "wirespeak-fit-1";
static const size_t JSON_FLAGS = JSON_COMPACT | JSON_REAL_PRECISION(17); /* doubles come back */

/* What a model can learn of a set: ids, borders, labels; and where flows are drawn by captures, whose they are. */
static uint64_t hash_of(const wsp_tokens *t, bool captures)
{
    uint64_t h = wspi_fnv1a(t->ids, t->n_tokens * sizeof *t->ids, WSPI_FNV_START);

    h = wspi_fnv1a(t->packet_off, (t->n_packets + 1) * sizeof *t->packet_off, h);
    h = wspi_fnv1a(t->flow_off, (t->n_flows + 1) * sizeof *t->flow_off, h);
    for (size_t i = 0; i < t->n_heads; i++)
        h = wspi_fnv1a(t->labels[i], t->n_flows * sizeof **t->labels, h);
    if (captures)
        h = wspi_fnv1a(t->capture, t->n_flows * sizeof *t->capture, h);
    return h;
}

/* What comes from a model that a run starts from: its weights, and what it says of the flows that it has seen. */
static uint64_t hash_of_model(const wsp_model *m)
{
    uint64_t h = WSPI_FNV_START;

    for (size_t i = 0; i < wsp_model_tensor_count(m); i++) {
        wsp_tensor t = wsp_model_tensor(m, i);
        h = wspi_fnv1a(t.name, strlen(t.name), h);
        h = wspi_fnv1a(t.data, t.count * sizeof *t.data, h);
    }
    for (size_t i = 0; i < wsp_model_meta_count(m); i++) {
        const char *value = wsp_model_meta_get(m, wsp_model_meta_key(m, i));
        h = wspi_fnv1a(value, strlen(value), h);
    }
    return h;
}

void wspi_fit_hash_data(wspi_fit *f)
{
    f->init_hash = f->opt->init ? hash_of_model(f->opt->init) : 0;
    f->train_hash = hash_of(f->train, f->opt->per_capture > 0);
    f->val_hash = f->val ? hash_of(f->val, false) : 0;
}

static int put_hash(json_t *o, const char *key, uint64_t hash)
{
    char hex[24] = "none";

    if (hash)
        (void)snprintf(hex, sizeof hex, "%016llx", (unsigned long long)hash);
    return json_object_set_new(o, key, json_string(hex));
}

/* Everything that the weights after any step depend on, but for the number of threads. NULL without memory. */
static json_t *run_json(const wspi_fit *f)
{
    const wsp_fit_options *o = f->opt;
    const wsp_train_options *t = &o->train;
    const struct {
        const char *name;
        double value;
    } number[] = {
        {"max-packets", (double)o->view.max_packets},
        {"max-payload", (double)o->view.max_payload},
        {"batch-tokens", (double)o->batch_tokens},
        {"bptt", (double)o->bptt},
        {"accumulate", (double)o->accumulate},
        {"epochs", o->epochs},
        {"lr", (double)t->lr},
        {"lr-min", (double)t->lr_min},
        {"body-lr", (double)t->body_lr},
        {"warmup", (double)t->warmup},
        {"beta1", (double)t->beta1},
        {"beta2", (double)t->beta2},
        {"eps", (double)t->eps},
        {"weight-decay", (double)t->weight_decay},
        {"clip", (double)t->clip},
        {"lm-weight", (double)t->lm_weight},
        {"head-weight", (double)t->head_weight},
        {"label-smoothing", (double)t->label_smoothing},
        {"dropout", (double)t->dropout},
        {"balance", o->balance},
        {"labelled-only", o->labelled_only},
        {"per-capture", (double)o->per_capture},
        {"per-label", (double)o->per_label},
        {"token-drop", o->token_drop},
        {"skip", o->skip},
        {"val-every", (double)o->val_every},
        {"patience", (double)o->patience},
        {"best-by-f1", o->best_by_f1},
        {"flat-softmax", o->flat_softmax},
        {"dtype", (double)t->dtype},
    };
    json_t *run = json_object();
    int lost = put_hash(run, "training data", f->train_hash) |
               put_hash(run, "validation data", f->val_hash) |
               put_hash(run, "model to start from", f->init_hash);

    lost |= json_object_set_new(run, "seed", json_integer((json_int_t)t->seed));
    lost |= json_object_set_new(run, "policy",
                                json_string(wsp_policy_name(wsp_policy_get(o->view.policy))));
    for (size_t i = 0; i < WSPI_COUNT(number); i++)
        lost |= json_object_set_new(run, number[i].name, json_real(number[i].value));
    if (lost) {
        json_decref(run);
        return NULL;
    }
    return run;
}

/* Flows between two windows: rows of kind, flow, begin, at, end. NULL without memory. */
static json_t *open_json(const wspi_fit *f)
{
    json_t *rows = json_array();
    int lost = !rows;

    for (size_t k = 0; k < WSPI_COUNT(f->queue); k++)
        for (size_t i = 0; i < f->queue[k].n; i++) {
            const wspi_open *o = &f->queue[k].open[i];
            lost |= json_array_append_new(rows, json_pack("[I, I, I, I, I]", (json_int_t)k,
                                                          (json_int_t)o->flow, (json_int_t)o->begin,
                                                          (json_int_t)o->at, (json_int_t)o->end));
        }
    if (!lost)
        return rows;
    json_decref(rows);
    return NULL;
}

/* The text, a zero byte, and what the last windows of open flows left, in the order of their rows. */
static void *with_states(const wspi_fit *f, const char *text, size_t *len)
{
    size_t size = wsp_window_size(f->m);
    char *bytes, *at;

    *len = strlen(text) + 1 + (f->queue[0].n + f->queue[1].n) * size;
    bytes = at = wspi_new_array(*len, 1);
    if (!bytes)
        return NULL;
    memcpy(at, text, strlen(text) + 1);
    at += strlen(text) + 1;
    for (size_t k = 0; k < WSPI_COUNT(f->queue); k++)
        for (size_t i = 0; i < f->queue[k].n; i++, at += size)
            memcpy(at, f->queue[k].open[i].carried, size);
    return bytes;
}

wsp_status wspi_fit_save(const wspi_fit *f, wsp_error *err)
{
    const wspi_position *p = &f->pos;
    json_t *state =
        json_pack("{s:s, s:o?, s:o?, s:{s:I, s:I, s:I, s:I, s:I, s:f}}", "format", FORMAT, "run",
                  run_json(f), "open", open_json(f), "position", "epoch", (json_int_t)p->epoch,
                  "at", (json_int_t)p->at, "step", (json_int_t)p->step, "best_step",
                  (json_int_t)p->best_step, "since", (json_int_t)p->since, "best", p->best);
    bool whole = json_is_object(json_object_get(state, "run")) &&
                 json_is_array(json_object_get(state, "open"));
    char *text = whole ? json_dumps(state, JSON_FLAGS) : NULL;
    size_t len = 0;
    void *bytes = text ? with_states(f, text, &len) : NULL;
    wsp_status st = bytes ? wsp_trainer_save(f->trainer, f->opt->checkpoint, bytes, len, err)
                          : wspi_nomem(err, "a checkpoint", 0);

    json_decref(state);
    free(text);
    free(bytes);
    return st;
}

static bool get_count(const json_t *o, const char *key, uint64_t *out)
{
    const json_t *v = json_object_get(o, key);

    if (!json_is_integer(v) || json_integer_value(v) < 0)
        return false;
    *out = (uint64_t)json_integer_value(v);
    return true;
}

static bool get_position(const wspi_fit *f, const json_t *state, wspi_position *p)
{
    const json_t *o = json_object_get(state, "position"), *best = json_object_get(o, "best");
    const char *format = json_string_value(json_object_get(state, "format"));

    p->best = json_number_value(best);
    return format && strcmp(format, FORMAT) == 0 && get_count(o, "epoch", &p->epoch) &&
           get_count(o, "at", &p->at) && get_count(o, "step", &p->step) &&
           get_count(o, "best_step", &p->best_step) && get_count(o, "since", &p->since) &&
           json_is_number(best) && p->at <= f->n_order && p->step <= f->steps &&
           p->step == wsp_trainer_step_count(f->trainer);
}

/* The first option or set that is not what it was in the run that wrote the checkpoint. */
static wsp_status same_run(const wspi_fit *f, const json_t *theirs, wsp_error *err)
{
    json_t *mine = run_json(f), *value;
    wsp_status st = mine ? WSP_OK : wspi_nomem(err, "options", 0);
    const char *key;

    json_object_foreach(mine, key, value)
    {
        const json_t *was = json_object_get(theirs, key);
        char *a, *b;

        if (json_equal(value, was) || st < 0)
            continue;
        a = json_dumps(was, JSON_ENCODE_ANY | JSON_REAL_PRECISION(7));
        b = json_dumps(value, JSON_ENCODE_ANY | JSON_REAL_PRECISION(7));
        st = wspi_fail(err, WSP_ERR_ARG, 0,
                       "%s: a checkpoint of another run (%s was %s and is %s): go on with its data "
                       "and options, or start anew with another file",
                       f->opt->checkpoint, key, a ? a : "absent", b ? b : "?");
        free(a);
        free(b);
    }
    json_decref(mine);
    return st;
}

/* A row of "open", and the kind of its queue, 2 where it has none. */
static size_t get_open(const json_t *row, wspi_open *o)
{
    uint64_t v[5];

    for (size_t i = 0; i < WSPI_COUNT(v); i++) {
        const json_t *n = json_array_get(row, i);

        if (!json_is_integer(n) || json_integer_value(n) < 0)
            return 2;
        v[i] = (uint64_t)json_integer_value(n);
    }
    if (v[1] > UINT32_MAX || v[0] > 1)
        return 2;
    *o = (wspi_open){.flow = (uint32_t)v[1], .begin = v[2], .at = v[3], .end = v[4]};
    return (size_t)v[0];
}

/* Flows between two windows, with their states behind the text. */
static bool get_windows(wspi_fit *f, const json_t *state, const char *bytes, size_t len)
{
    const json_t *rows = json_object_get(state, "open"), *row;
    size_t size = wsp_window_size(f->m), n = json_array_size(rows), at = strlen(bytes) + 1, i;

    if (!json_is_array(rows) || len != at + n * size)
        return false;
    json_array_foreach(rows, i, row)
    {
        wspi_open o;
        float *carried;
        size_t kind = get_open(row, &o);

        if (kind > 1 || wspi_fit_reopen(f, kind, &o, &carried) < 0)
            return false;
        memcpy(carried, bytes + at + i * size, size);
    }
    wspi_fit_turn(f);
    return true;
}

wsp_status wspi_fit_resume(wspi_fit *f, wsp_error *err)
{
    void *text = NULL;
    size_t len;
    json_t *state;
    wsp_status st;

    if (!f->opt->resume || !f->opt->checkpoint || access(f->opt->checkpoint, F_OK) != 0)
        return WSP_OK;
    WSP_TRY(wsp_trainer_load(f->trainer, f->opt->checkpoint, &text, &len, err));
    st = wspi_json_read(&state, text, strlen(text), f->opt->checkpoint,
                        err); /* ends with a zero byte */
    if (st == WSP_OK)
        st = same_run(f, json_object_get(state, "run"), err);
    if (st == WSP_OK && !(get_position(f, state, &f->pos) && get_windows(f, state, text, len)))
        st = wspi_fail(err, WSP_ERR_FORMAT, 0, "%s: not a checkpoint of a training run",
                       f->opt->checkpoint);
    json_decref(state);
    free(text);
    return st;
}

/* What must be the same in all processes before the first step. */
typedef struct fingerprint {
    uint64_t run, weights, step;
} fingerprint;

static wsp_status take_fingerprint(const wspi_fit *f, fingerprint *p, wsp_error *err)
{
    json_t *run = run_json(f);
    char *text = run ? json_dumps(run, JSON_FLAGS) : NULL;

    json_decref(run);
    if (!text)
        return wspi_nomem(err, "options", 0);
    p->run = wspi_fnv1a(text, strlen(text), WSPI_FNV_START);
    p->weights = WSPI_FNV_START;
    p->step = f->pos.step;
    for (size_t i = 0; i < wsp_model_tensor_count(f->m); i++) {
        wsp_tensor t = wsp_model_tensor(f->m, i);
        p->weights = wspi_fnv1a(t.data, t.count * sizeof *t.data, p->weights);
    }
    free(text);
    return WSP_OK;
}

wsp_status wspi_fit_agree(const wspi_fit *f, wsp_status st, wsp_error *err)
{
    wsp_group *group = f->opt->train.group;
    unsigned n = wsp_group_size(group);
    fingerprint mine = {0}, *all;

    if (!group)
        return st;
    if (st == WSP_OK)
        st = take_fingerprint(f, &mine, err);
    all = wspi_new_array(n, sizeof *all);
    if (!all && st == WSP_OK)
        st = wspi_nomem(err, "fingerprints", n * sizeof *all);
    st = wsp_group_agree(group, st, err);
    if (st == WSP_OK) {
        wspi_group_gather(group, all, &mine, sizeof mine);
        for (unsigned i = 1; st == WSP_OK && i < n; i++) {
            if (all[i].step != all[0].step)
                st = wspi_fail(err, WSP_ERR_ARG, 0,
                               "process %u stands at step %llu and process 0 at %llu: all need to "
                               "see the checkpoint",
                               i, (unsigned long long)all[i].step, (unsigned long long)all[0].step);
            else if (all[i].run != all[0].run || all[i].weights != all[0].weights)
                st = wspi_fail(err, WSP_ERR_ARG, 0,
                               "process %u has other data, options or weights than process 0", i);
        }
    }
    free(all);
    return st;
}
