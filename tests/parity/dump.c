/* SPDX-License-Identifier: Apache-2.0 */
/*
 * dump.c: what the library computes with a model, for another implementation to be compared with (compare.py).
 *
 *   parity_dump new KIND SEED MODEL     makes a model of random weights; the kinds are in a table below
 *   parity_dump run FLOWS DTYPE MODEL OUT
 *                                       runs random flows through it; batch, options, outputs and gradients go to OUT;
 *                                       DTYPE is f32 or bf16, exit 77 where the library does not multiply bf16
 */
#include <math.h>
#include <stdio.h>

#include "model/model_int.h"

enum { MAX_FLOWS = 256, MAX_PACKETS = 8192, MAX_TOKENS = 65536, MAX_TENSORS = 512 };

static int complain(const wsp_error *err)
{
    (void)fprintf(stderr, "parity_dump: %s\n", err->text);
    return 1;
}

/* ---- models ---- */

static const char *const letters[] = {"a", "b", "c", "d", "e"};
static const char *const digits[] = {"0", "1"};
static const wsp_head heads[] = {
    {.name = "letter", .n_labels = 5, .labels = letters, .temperature = 1.5f},
    {.name = "digit", .n_labels = 2, .labels = digits, .temperature = 1},
};

/* Odd sizes on purpose: nothing is a multiple of anything. */
static const struct kind {
    const char *name;
    size_t n_heads;
    wsp_model_config cfg;
} kinds[] = {
    {"both",
     2,
     {.packet_layers = 2,
      .flow_layers = 2,
      .output_layers = 2,
      .conv = 4,
      .chunk = 5,
      .text_first = 11,
      .text_count = 30,
      .ranges = 5,
      .range_first = {0, 1, 17, 40, 60}}},
    {"labels", 2, {.packet_layers = 1, .flow_layers = 3, .conv = 1, .chunk = 64}},
    {"tokens",
     0,
     {.packet_layers = 1, .flow_layers = 1, .output_layers = 1, .conv = 3, .chunk = 1}},
    {"shallow", 1, {.output_layers = 1, .conv = 4, .chunk = 16}},
};

static void randomise(const wsp_model *m, uint64_t seed)
{
    wspi_rng rng;

    wspi_rng_seed(&rng, seed);
    for (size_t i = 0; i < wsp_model_tensor_count(m); i++) {
        wsp_tensor t = wsp_model_tensor(m, i);
        double sigma = strstr(t.name, "conv.weight") ? 0.5
                       : t.rank == 2                 ? 1 / sqrt((double)t.dim[1])
                                                     : 0.3;

        for (size_t j = 0; j < t.count; j++) /* norms stay around 1, decays around their rates */
            t.data[j] =
                (float)((t.rank == 1 ? (double)t.data[j] : 0) + sigma * wspi_rng_normal(&rng));
        if (strstr(t.name, "gate.rate"))
            t.data[0] = 3.5f; /* this head's gate is at its limit now and then */
    }
}

static int make_model(const char *name, const char *seed, const char *path)
{
    const struct kind *k = kinds;
    wsp_model_config cfg;
    wsp_model *m = NULL;
    wsp_error err;
    wsp_status st;

    while (k < kinds + WSPI_COUNT(kinds) && strcmp(k->name, name) != 0)
        k++;
    if (k == kinds + WSPI_COUNT(kinds)) {
        (void)fprintf(stderr, "parity_dump: there is no kind '%s' of model\n", name);
        return 2;
    }
    cfg = k->cfg;
    (void)snprintf(cfg.name, sizeof cfg.name, "%s", k->name);
    cfg.vocab = 61;
    cfg.channels = 24;
    cfg.heads = 3;
    cfg.flow_heads = 3;
    cfg.flow_dk = 5;
    cfg.flow_dv = 7;
    cfg.ff = 41;
    cfg.max_tokens = 19;
    st = wsp_model_new(&m, &cfg, heads, k->n_heads, 1, &err);
    if (st == WSP_OK) {
        randomise(m, strtoull(seed, NULL, 10));
        st = wsp_model_save(m, path, &err);
    }
    wsp_model_free(m);
    return st < 0 ? complain(&err) : 0;
}

/* ---- a batch ---- */

struct data {
    wsp_batch b;
    uint16_t ids[MAX_TOKENS];
    uint32_t packet[MAX_PACKETS + 1], flow[MAX_FLOWS + 1];
    int32_t condition[MAX_FLOWS], labels[MAX_FLOWS * WSPI_MAX_HEADS];
};

static void add_packet(struct data *d, const wsp_model_config *c, size_t n, wspi_rng *rng)
{
    while (n-- > 0)
        d->ids[d->b.n_tokens++] = (uint16_t)wspi_rng_below(rng, c->vocab);
    d->packet[++d->b.n_packets] = (uint32_t)d->b.n_tokens;
}

/* Flow 0 is longer than a chunk, flow 1 has the longest packet; a flow in three has a condition, some have no label. */
static void data_make(struct data *d, const wsp_model *m, size_t flows)
{
    const wsp_model_config *c = wsp_model_config_get(m);
    size_t n_heads = wsp_model_head_count(m);
    wspi_rng rng;

    wspi_rng_seed(&rng, 11);
    for (size_t f = 0; f < flows; f++) {
        size_t n = f == 0 ? 70 : 1 + wspi_rng_below(&rng, 9), conditions = 0;

        for (size_t p = 0; p < n; p++)
            add_packet(d, c, f == 1 && p == 0 ? c->max_tokens : 1 + wspi_rng_below(&rng, 6), &rng);
        d->flow[f + 1] = (uint32_t)d->b.n_packets;
        for (size_t h = 0; h < n_heads; h++) {
            size_t n_labels = wsp_model_head(m, h)->n_labels;
            conditions += n_labels;
            d->labels[f * n_heads + h] = (int32_t)wspi_rng_below(&rng, n_labels + 1) - 1;
        }
        d->condition[f] = f % 3 == 1 && conditions ? (int32_t)wspi_rng_below(&rng, conditions) : -1;
    }
    d->b.n_flows = flows;
    d->b.ids = d->ids;
    d->b.packet_off = d->packet;
    d->b.flow_off = d->flow;
    d->b.condition = d->condition;
    d->b.labels = n_heads ? d->labels : NULL;
}

/* ---- what is written ---- */

enum { MAX_OUT = MAX_TENSORS + 2 * WSPI_MAX_HEADS + 10 };

struct out {
    wspi_st_tensor tensor[MAX_OUT];
    char name[MAX_OUT][80];
    void *own[MAX_OUT];
    size_t n;
    json_t *meta;
};

static const void *put(struct out *o, const char *name, const char *dtype, const void *data,
                       size_t rows, size_t cols)
{
    size_t i = o->n++, size = dtype[1] == '1' ? 2 : 4; /* U16, U32, I32, F32 */

    (void)snprintf(o->name[i], sizeof o->name[i], "%s", name);
    o->tensor[i] = (wspi_st_tensor){.name = o->name[i],
                                    .dtype = dtype,
                                    .rank = cols ? 2 : 1,
                                    .dim = {rows, cols},
                                    .data = data,
                                    .len = rows * (cols ? cols : 1) * size};
    return data;
}

/* The same with memory for the numbers, which lives as long as o. */
static float *put_new(struct out *o, const char *name, size_t rows, size_t cols)
{
    float *p = wspi_new_floats(rows * (cols ? cols : 1));

    o->own[o->n] = p;
    if (p)
        (void)put(o, name, "F32", p, rows, cols);
    return p;
}

static void put_number(struct out *o, const char *key, double value)
{
    char text[40];

    (void)snprintf(text, sizeof text, "%.17g", value);
    (void)json_object_set_new(o->meta, key, json_string(text));
}

static void put_batch(struct out *o, const wsp_batch *b, size_t n_heads)
{
    (void)put(o, "batch.ids", "U16", b->ids, b->n_tokens, 0);
    (void)put(o, "batch.packet_off", "U32", b->packet_off, b->n_packets + 1, 0);
    (void)put(o, "batch.flow_off", "U32", b->flow_off, b->n_flows + 1, 0);
    (void)put(o, "batch.condition", "I32", b->condition, b->n_flows, 0);
    if (b->labels)
        (void)put(o, "batch.labels", "I32", b->labels, b->n_flows, n_heads);
}

/* ---- what is computed ---- */

/* Logits for the last token of every packet, as a sampler asks for them: from the context before the packet. */
static wsp_status next_tokens(struct out *o, wsp_runner *r, const wsp_model *m, const wsp_batch *b,
                              const float *start, const float *context, wsp_error *err)
{
    const wsp_model_config *c = wsp_model_config_get(m);
    size_t C = c->channels, P = b->n_packets;
    float *logits = put_new(o, "next", P, c->vocab);
    wsp_prefix *prefix = wspi_new_array(P, sizeof *prefix);
    wsp_status st = WSP_ERR_NOMEM;

    if (logits && prefix) {
        for (size_t f = 0; f < b->n_flows; f++)
            for (size_t p = b->flow_off[f]; p < b->flow_off[f + 1]; p++)
                prefix[p] = (wsp_prefix){.context = p == b->flow_off[f] ? start + f * C
                                                                        : context + (p - 1) * C,
                                         .ids = b->ids + b->packet_off[p],
                                         .len = b->packet_off[p + 1] - b->packet_off[p] - 1};
        st = wsp_runner_next_token(r, prefix, P, logits, err);
    }
    free(prefix);
    return st;
}

/* Contexts of fresh states: what a flow starts with. */
static wsp_status starts(wsp_runner *r, const wsp_model *m, const wsp_batch *b, float *context,
                         wsp_error *err)
{
    size_t size = wsp_state_size(m) / sizeof(float) + 1;
    float *block = wspi_new_floats(size * b->n_flows),
          **state = wspi_new_array(b->n_flows, sizeof *state);
    wsp_status st = WSP_ERR_NOMEM;

    if (block && state) {
        for (size_t f = 0; f < b->n_flows; f++)
            state[f] = block + f * size;
        st = wsp_state_start(r, state, b->condition, b->n_flows, context, err);
    }
    free(block);
    free(state);
    return st;
}

static wsp_status infer(struct out *o, const wsp_model *m, const wsp_batch *b, wsp_dtype dtype,
                        wsp_error *err)
{
    const wsp_model_config *c = wsp_model_config_get(m);
    float *context = put_new(o, "context", b->n_packets, c->channels),
          *start = put_new(o, "start", b->n_flows, c->channels), *logits[WSPI_MAX_HEADS], *nll;
    wsp_runner *r = NULL;
    wsp_status st = wsp_runner_new(&r, m, dtype, err);

    for (size_t h = 0; h < wsp_model_head_count(m); h++) {
        char name[64];
        (void)snprintf(name, sizeof name, "head.%zu", h);
        logits[h] = put_new(o, name, b->n_packets, wsp_model_head(m, h)->n_labels);
        st = logits[h] ? st : WSP_ERR_NOMEM;
    }
    if (!context || !start)
        st = WSP_ERR_NOMEM;
    if (st == WSP_OK)
        st = wsp_runner_classify(r, b, context, logits, err);
    if (st == WSP_OK)
        st = starts(r, m, b, start, err);
    if (st == WSP_OK && c->output_layers) {
        nll = put_new(o, "nll", b->n_tokens, 0);
        st = nll ? wsp_runner_nll(r, b, nll, err) : WSP_ERR_NOMEM;
        if (st == WSP_OK)
            st = next_tokens(o, r, m, b, start, context, err);
    }
    wsp_runner_free(r);
    return st;
}

static void put_gradients(struct out *o, const wsp_model *m)
{
    for (size_t i = 0; i < wsp_model_tensor_count(m); i++) {
        wsp_tensor t = wsp_model_tensor(m, i);
        char name[80];

        (void)snprintf(name, sizeof name, "grad.%s", t.name);
        (void)put(o, name, "F32", t.grad, t.dim[0], t.rank == 2 ? t.dim[1] : 0);
    }
}

/* Every term of the loss counts, each by a weight of its own. */
static wsp_status train(struct out *o, wsp_trainer **t, wsp_model *m, const wsp_batch *b,
                        wsp_dtype dtype, wsp_error *err)
{
    wsp_train_options opt = wsp_train_options_default();
    wsp_train_stats stats;

    opt.lm_weight = wsp_model_config_get(m)->output_layers ? 0.7f : 0;
    opt.head_weight = 1.3f;
    opt.label_smoothing = 0.1f;
    opt.dtype = dtype;
    WSP_TRY(wsp_trainer_new(t, m, &opt, err));
    for (size_t h = 0; h < wsp_model_head_count(m); h++) {
        size_t n = wsp_model_head(m, h)->n_labels;
        char name[64];
        float *w;

        (void)snprintf(name, sizeof name, "label_weight.%zu", h);
        w = put_new(o, name, n, 0);
        if (!w)
            return WSP_ERR_NOMEM;
        for (size_t l = 0; l < n; l++)
            w[l] = 0.5f + (float)(l % 5) * 0.25f;
        WSP_TRY(wsp_trainer_label_weights(*t, h, w, err));
    }
    WSP_TRY(wsp_trainer_accumulate(*t, b, &stats, err));
    put_gradients(o, m);
    put_number(o, "lm_weight", (double)opt.lm_weight);
    put_number(o, "head_weight", (double)opt.head_weight);
    put_number(o, "label_smoothing", (double)opt.label_smoothing);
    put_number(o, "lm", stats.lm_nats_per_token);
    put_number(o, "head", stats.heads.loss);
    put_number(o, "loss", stats.loss);
    return WSP_OK;
}

static int run(const char *flows, const char *type, const char *path, const char *to)
{
    static struct data d;
    static struct out o;
    size_t n = strtoul(flows, NULL, 10);
    wsp_dtype dtype = strcmp(type, "bf16") == 0 ? WSP_DTYPE_BF16 : WSP_DTYPE_F32;
    wsp_error err = {.text = "no memory"};
    wsp_model *m = NULL;
    wsp_trainer *t = NULL;
    wsp_status st;

    if (n < 1 || n > MAX_FLOWS) {
        (void)fprintf(stderr, "parity_dump: %s flows, allowed are 1 to %d\n", flows, MAX_FLOWS);
        return 2;
    }
    o.meta = json_object();
    (void)json_object_set_new(o.meta, "dtype", json_string(type));
    st = wsp_model_load(&m, path, &err);
    if (st == WSP_OK && wsp_model_tensor_count(m) > MAX_TENSORS)
        st = wspi_fail(&err, WSP_ERR_LIMIT, 0, "%s: more than %d tensors", path, MAX_TENSORS);
    if (st == WSP_OK) {
        data_make(&d, m, n);
        put_batch(&o, &d.b, wsp_model_head_count(m));
        st = infer(&o, m, &d.b, dtype, &err);
    }
    if (st == WSP_OK)
        st = train(&o, &t, m, &d.b, dtype, &err);
    if (st == WSP_OK)
        st = wspi_st_write(to, o.meta, o.tensor, o.n, &err);
    wsp_trainer_free(t);
    wsp_model_free(m);
    json_decref(o.meta);
    for (size_t i = 0; i < o.n; i++)
        free(o.own[i]);
    if (st == WSP_ERR_UNSUPPORTED && dtype == WSP_DTYPE_BF16)
        return 77;
    return st < 0 ? complain(&err) : 0;
}

int main(int argc, char **argv)
{
    if (argc == 5 && strcmp(argv[1], "new") == 0)
        return make_model(argv[2], argv[3], argv[4]);
    if (argc == 6 && strcmp(argv[1], "run") == 0 &&
        (strcmp(argv[3], "f32") == 0 || strcmp(argv[3], "bf16") == 0))
        return run(argv[2], argv[3], argv[4], argv[5]);
    (void)fprintf(stderr,
                  "usage: parity_dump new KIND SEED MODEL | run FLOWS f32|bf16 MODEL OUT\n");
    return 2;
}
