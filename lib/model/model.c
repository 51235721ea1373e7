/* SPDX-License-Identifier: Apache-2.0 */
/* model.c: the table of tensors in one block, fresh weights, metadata, accessors. */
#include <math.h>
#include <stdio.h>

#include "model/model_int.h"

/* A table under construction: the first failure stays. */
struct table {
    wsp_model *m;
    wsp_status st;
};

static size_t add(struct table *t, wspi_init init, const char *name, size_t rows, size_t cols)
{
    wsp_model *m = t->m;
    wspi_entry *e;

    if (t->st < 0 ||
        (t->st = wspi_grow(&m->entry, &m->entries_cap, m->n_entries + 1, sizeof *e)) < 0)
        return 0;
    e = &m->entry[m->n_entries++];
    *e = (wspi_entry){.rank = cols ? 2 : 1, .dim = {rows, cols}, .at = m->n_params, .init = init};
    (void)snprintf(e->name, sizeof e->name, "%s", name);
    e->decay = init == WSPI_INIT_NORMAL || init == WSPI_INIT_RESIDUAL;
    if (!wspi_mul(rows, cols ? cols : 1, &e->count) || e->count > SIZE_MAX / 64 - m->n_params)
        t->st = WSP_ERR_LIMIT;
    else
        m->n_params += e->count;
    return e->at;
}

static size_t add_layer(struct table *t, wspi_init init, const char *stack, size_t layer,
                        const char *name, size_t rows, size_t cols)
{
    char text[64];

    (void)snprintf(text, sizeof text, "%s.%zu.%s", stack, layer, name);
    return add(t, init, text, rows, cols);
}

static wspi_mlp_at add_mlp(struct table *t, const char *stack, size_t l)
{
    size_t C = t->m->cfg.channels, ff = t->m->cfg.ff;
    wspi_mlp_at a;

    a.norm = add_layer(t, WSPI_INIT_ONE, stack, l, "mlp.norm.weight", C, 0);
    a.up = add_layer(t, WSPI_INIT_NORMAL, stack, l, "mlp.up.weight", ff, C);
    a.down = add_layer(t, WSPI_INIT_RESIDUAL, stack, l, "mlp.down.weight", C, ff);
    return a;
}

static void add_blocks(struct table *t, wspi_block_at *at, const char *stack, size_t layers)
{
    size_t C = t->m->cfg.channels;

    for (size_t l = 0; l < layers; l++) {
        at[l].norm = add_layer(t, WSPI_INIT_ONE, stack, l, "attn.norm.weight", C, 0);
        at[l].qkv = add_layer(t, WSPI_INIT_NORMAL, stack, l, "attn.qkv.weight", 3 * C, C);
        at[l].out = add_layer(t, WSPI_INIT_RESIDUAL, stack, l, "attn.out.weight", C, C);
        at[l].mlp = add_mlp(t, stack, l);
    }
}

static void add_mixers(struct table *t)
{
    const wsp_model_config *c = &t->m->cfg;
    size_t C = c->channels, H = c->flow_heads, qkv = H * (2 * c->flow_dk + c->flow_dv),
           V = H * c->flow_dv;

    for (size_t l = 0; l < c->flow_layers; l++) {
        wspi_mix_at *at = &t->m->at.flow[l];
        at->norm = add_layer(t, WSPI_INIT_ONE, "flow", l, "mix.norm.weight", C, 0);
        at->in = add_layer(t, WSPI_INIT_NORMAL, "flow", l, "mix.in.weight", qkv + V + H,
                           C); /* q k v z gate */
        at->conv = add_layer(t, WSPI_INIT_NORMAL, "flow", l, "mix.conv.weight", c->conv, qkv);
        t->m->entry[t->m->n_entries - 1].decay = false;
        at->conv_bias = add_layer(t, WSPI_INIT_ZERO, "flow", l, "mix.conv.bias", qkv, 0);
        at->gate_bias = add_layer(t, WSPI_INIT_ZERO, "flow", l, "mix.gate.bias", H, 0);
        at->gate_rate = add_layer(t, WSPI_INIT_RATE, "flow", l, "mix.gate.rate", H, 0);
        at->head_norm = add_layer(t, WSPI_INIT_ONE, "flow", l, "mix.head_norm.weight", V, 0);
        at->out = add_layer(t, WSPI_INIT_RESIDUAL, "flow", l, "mix.out.weight", C, V);
        at->mlp = add_mlp(t, "flow", l);
    }
}

wsp_status wspi_model_table(wsp_model *m, wsp_error *err)
{
    struct table t = {.m = m, .st = WSP_OK};
    wspi_layout *at = &m->at;
    const wsp_model_config *c = &m->cfg;
    size_t C = c->channels;

    at->embed = add(&t, WSPI_INIT_NORMAL, "embed.weight", c->vocab, C);
    at->packet_position = add(&t, WSPI_INIT_NORMAL, "packet.position.weight", c->max_tokens, C);
    if (c->text_count)
        at->packet_text =
            add(&t, WSPI_INIT_NORMAL, "packet.text_position.weight", c->max_tokens, C);
    add_blocks(&t, at->packet, "packet", c->packet_layers);
    at->packet_norm = add(&t, WSPI_INIT_ONE, "packet.norm.weight", C, 0);
    at->start = add(&t, WSPI_INIT_NORMAL, "flow.start", C, 0);
    if (m->n_conditions)
        at->condition = add(&t, WSPI_INIT_NORMAL, "flow.condition.weight", m->n_conditions, C);
    if (t.st == WSP_OK)
        add_mixers(&t);
    at->flow_norm = add(&t, WSPI_INIT_ONE, "flow.norm.weight", C, 0);
    for (size_t h = 0; h < m->n_heads; h++) {
        at->head_w[h] =
            add_layer(&t, WSPI_INIT_NORMAL, "head", h, "weight", m->head[h].n_labels, C);
        at->head_b[h] = add_layer(&t, WSPI_INIT_ZERO, "head", h, "bias", m->head[h].n_labels, 0);
        for (size_t k = 1; k <= 2 && t.st == WSP_OK; k++)
            m->entry[m->n_entries - k].head = true;
    }
    if (c->output_layers) {
        at->bos = add(&t, WSPI_INIT_NORMAL, "output.start", C, 0);
        at->output_position = add(&t, WSPI_INIT_NORMAL, "output.position.weight", c->max_tokens, C);
        if (c->text_count)
            at->output_text =
                add(&t, WSPI_INIT_NORMAL, "output.text_position.weight", c->max_tokens, C);
        at->output_context = add(&t, WSPI_INIT_NORMAL, "output.context.weight", C, C);
        add_blocks(&t, at->output, "output", c->output_layers);
        at->output_norm = add(&t, WSPI_INIT_ONE, "output.norm.weight", C, 0);
        if (c->ranges)
            at->output_range = add(&t, WSPI_INIT_NORMAL, "output.range.weight", c->ranges, C);
    }
    return t.st < 0 ? wspi_fail(err, t.st, 0, "the model's table of tensors does not fit") : WSP_OK;
}

wsp_status wspi_model_alloc(wsp_model *m, wsp_error *err)
{
    m->w = wspi_new_floats(m->n_params);
    return m->w ? WSP_OK : wspi_nomem(err, "a model's weights", m->n_params * sizeof *m->w);
}

/* Embeddings and inner weights N(0, 0.02); weights into the residual smaller; heads' decay from 0.1 down to 1e-4. */
static void entry_init(const wsp_model *m, const wspi_entry *e, wspi_rng *rng)
{
    size_t layers = m->cfg.packet_layers + m->cfg.flow_layers + m->cfg.output_layers;
    double sigma =
        e->init == WSPI_INIT_RESIDUAL ? 0.02 / sqrt(2.0 * (double)WSPI_MAX(layers, 1)) : 0.02;
    double H = (double)m->cfg.flow_heads;

    if (strstr(e->name, "conv.weight"))
        sigma = 0.5;
    else if (strstr(e->name, "mix.in") || strstr(e->name, "attn.qkv") || strstr(e->name, "context"))
        sigma = 1.0 / sqrt((double)m->cfg.channels) * 0.7;
    for (size_t i = 0; i < e->count; i++)
        switch (e->init) {
        case WSPI_INIT_NORMAL:
        case WSPI_INIT_RESIDUAL: m->w[e->at + i] = (float)(sigma * wspi_rng_normal(rng)); break;
        case WSPI_INIT_ONE: m->w[e->at + i] = 1.0f; break;
        case WSPI_INIT_ZERO: m->w[e->at + i] = 0.0f; break;
        case WSPI_INIT_RATE: /* softplus(0) = ln 2 */
            m->w[e->at + i] = (float)log((H > 1 ? pow(10, -1 - 3 * (double)i / (H - 1)) : 1e-3) /
                                         0.6931471805599453);
            break;
        }
}

wsp_status wsp_model_new(wsp_model **out, const wsp_model_config *cfg, const wsp_head *heads,
                         size_t n_heads, uint64_t seed, wsp_error *err)
{
    wspi_rng rng;
    wsp_model *m;
    wsp_status st;

    WSP_TRY(wspi_model_make(out, cfg, heads, n_heads, err));
    m = *out;
    if ((st = wspi_model_alloc(m, err)) < 0) {
        wsp_model_free(m);
        *out = NULL;
        return st;
    }
    wspi_rng_seed(&rng, seed);
    for (size_t i = 0; i < m->n_entries; i++)
        entry_init(m, &m->entry[i], &rng);
    return WSP_OK;
}

void wsp_model_free(wsp_model *m)
{
    if (!m)
        return;
    for (size_t i = 0; i < m->n_heads; i++) {
        for (size_t j = 0; m->head[i].labels && j < m->head[i].n_labels; j++)
            free((void *)(uintptr_t)m->head[i].labels[j]);
        free((void *)(uintptr_t)m->head[i].labels);
    }
    wspi_model_forget_references(m);
    wspi_model_forget_forest(m);
    json_decref(m->meta);
    free(m->range_of);
    free(m->entry);
    free(m->w);
    free(m);
}

const wsp_model_config *wsp_model_config_get(const wsp_model *m)
{
    return &m->cfg;
}

size_t wsp_model_head_count(const wsp_model *m)
{
    return m->n_heads;
}

const wsp_head *wsp_model_head(const wsp_model *m, size_t i)
{
    return i < m->n_heads ? &m->head[i] : NULL;
}

wsp_status wsp_model_head_calibrate(wsp_model *m, size_t i, float temperature, float unknown_below)
{
    if (i >= m->n_heads || !(temperature > 0) || !isfinite(temperature) || !isfinite(unknown_below))
        return WSP_ERR_ARG;
    m->head[i].temperature = temperature;
    m->head[i].unknown_below = unknown_below;
    return WSP_OK;
}

size_t wsp_model_parameters(const wsp_model *m)
{
    return m->n_params;
}

size_t wsp_model_tensor_count(const wsp_model *m)
{
    return m->n_entries;
}

wsp_tensor wsp_model_tensor(const wsp_model *m, size_t i)
{
    const wspi_entry *e = &m->entry[i];
    wsp_tensor t = {.name = NULL};

    if (i >= m->n_entries)
        return t;
    t = (wsp_tensor){.name = e->name, .rank = e->rank, .count = e->count, .data = m->w + e->at};
    memcpy(t.dim, e->dim, sizeof t.dim);
    t.grad = m->grad ? m->grad + e->at : NULL;
    return t;
}

bool wspi_meta_reserved(const char *key)
{
    return !key[0] || strcmp(key, "config") == 0 || strcmp(key, "heads") == 0 ||
           strcmp(key, "format") == 0 || strncmp(key, "trainer.", 8) == 0;
}

wsp_status wsp_model_meta_set(wsp_model *m, const char *key, const char *value)
{
    if (wspi_meta_reserved(key))
        return WSP_ERR_ARG;
    return json_object_set_new(m->meta, key, json_string(value)) ? WSP_ERR_ARG : WSP_OK;
}

const char *wsp_model_meta_get(const wsp_model *m, const char *key)
{
    return json_string_value(json_object_get(m->meta, key));
}

size_t wsp_model_meta_count(const wsp_model *m)
{
    return json_object_size(m->meta);
}

const char *wsp_model_meta_key(const wsp_model *m, size_t i)
{
    void *it = json_object_iter(m->meta);

    while (it && i-- > 0)
        it = json_object_iter_next(m->meta, it);
    return it ? json_object_iter_key(it) : NULL;
}
