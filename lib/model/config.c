/* SPDX-License-Identifier: Apache-2.0 */
/* config.c: the built-in sizes, their limits, the table of tensors, and how both look in a file's metadata. */
#include <math.h>
#include <stdio.h>

#include "model/model_int.h"

static const wsp_model_config named[] = {
    {.name = "tiny",
     .channels = 32,
     .packet_layers = 1,
     .flow_layers = 1,
     .output_layers = 1,
     .heads = 2,
     .flow_heads = 2,
     .flow_dk = 8,
     .flow_dv = 8,
     .ff = 64,
     .max_tokens = 64,
     .conv = 4,
     .chunk = 64},
    {.name = "small",
     .channels = 128,
     .packet_layers = 2,
     .flow_layers = 2,
     .output_layers = 2,
     .heads = 4,
     .flow_heads = 4,
     .flow_dk = 16,
     .flow_dv = 32,
     .ff = 512,
     .max_tokens = 64,
     .conv = 4,
     .chunk = 64},
    {.name = "base",
     .channels = 256,
     .packet_layers = 3,
     .flow_layers = 4,
     .output_layers = 3,
     .heads = 8,
     .flow_heads = 8,
     .flow_dk = 16,
     .flow_dv = 32,
     .ff = 1024,
     .max_tokens = 64,
     .conv = 4,
     .chunk = 64},
};

wsp_status wsp_model_config_named(wsp_model_config *cfg, const char *name)
{
    for (size_t i = 0; i < WSPI_COUNT(named); i++)
        if (strcmp(named[i].name, name) == 0) {
            *cfg = named[i];
            return WSP_OK;
        }
    *cfg = (wsp_model_config){.name = ""};
    return WSP_ERR_ARG;
}

/* The numbers of a configuration: name in the file, place, limits. One whose least value is 0 may be absent: 0. */
static const struct number {
    const char *name;
    size_t at;
    uint32_t min, max;
} numbers[] = {
    {"vocab", offsetof(wsp_model_config, vocab), 1, 65536},
    {"channels", offsetof(wsp_model_config, channels), 1, 8192},
    {"packet_layers", offsetof(wsp_model_config, packet_layers), 0, WSPI_MAX_LAYERS},
    {"flow_layers", offsetof(wsp_model_config, flow_layers), 0, WSPI_MAX_LAYERS},
    {"output_layers", offsetof(wsp_model_config, output_layers), 0, WSPI_MAX_LAYERS},
    {"heads", offsetof(wsp_model_config, heads), 1, 256},
    {"flow_heads", offsetof(wsp_model_config, flow_heads), 1, 256},
    {"flow_dk", offsetof(wsp_model_config, flow_dk), 1, 512},
    {"flow_dv", offsetof(wsp_model_config, flow_dv), 1, 512},
    {"ff", offsetof(wsp_model_config, ff), 1, 65536},
    {"max_tokens", offsetof(wsp_model_config, max_tokens), 1, 128},
    {"conv", offsetof(wsp_model_config, conv), 1, 16},
    {"chunk", offsetof(wsp_model_config, chunk), 1, WSPI_MAX_CHUNK},
    {"text_first", offsetof(wsp_model_config, text_first), 0, 65535},
    {"text_count", offsetof(wsp_model_config, text_count), 0, 65536},
};

static uint32_t number_get(const wsp_model_config *cfg, const struct number *n)
{
    uint32_t v;

    memcpy(&v, (const char *)cfg + n->at, sizeof v);
    return v;
}

/*
 * Of a flow's state, of which thousands are held at once: twelve times that of the largest built-in size. Of weights a file has
 * as many as it has bytes; a state is a product of numbers in it.
 */
enum { MOST_STATE = 1 << 18 };

static wsp_status config_check(const wsp_model_config *cfg, wsp_error *err)
{
    for (size_t i = 0; i < WSPI_COUNT(numbers); i++) {
        uint32_t v = number_get(cfg, &numbers[i]);
        if (v < numbers[i].min || v > numbers[i].max)
            return wspi_fail(err, WSP_ERR_ARG, 0,
                             "model configuration: %s is %u, allowed are %u to %u", numbers[i].name,
                             v, numbers[i].min, numbers[i].max);
    }
    if (cfg->text_first + cfg->text_count > cfg->vocab)
        return wspi_fail(err, WSP_ERR_ARG, 0,
                         "model configuration: text ids up to %u in a vocabulary of %u",
                         cfg->text_first + cfg->text_count, cfg->vocab);
    if (cfg->channels % cfg->heads)
        return wspi_fail(err, WSP_ERR_ARG, 0,
                         "model configuration: %u channels do not divide into %u heads",
                         cfg->channels, cfg->heads);
    if (cfg->channels / cfg->heads > WSPI_MAX_HEAD_WIDTH)
        return wspi_fail(err, WSP_ERR_ARG, 0,
                         "model configuration: heads of %u channels, at most %d are allowed: take "
                         "more heads",
                         cfg->channels / cfg->heads, WSPI_MAX_HEAD_WIDTH);
    if (cfg->flow_layers * wspi_state_layer_size(cfg) > MOST_STATE)
        return wspi_fail(err, WSP_ERR_ARG, 0,
                         "model configuration: the state of a flow has %zu numbers, at most %d are "
                         "allowed: take smaller keys and values, or less heads or layers",
                         cfg->flow_layers * wspi_state_layer_size(cfg), MOST_STATE);
    if (cfg->ranges > WSP_MAX_RANGES || (cfg->ranges > 0 && cfg->range_first[0] != 0))
        return wspi_fail(
            err, WSP_ERR_ARG, 0,
            "model configuration: %u ranges, at most %d are allowed, the first of them "
            "from token 0",
            cfg->ranges, WSP_MAX_RANGES);
    for (uint32_t r = 1; r < cfg->ranges; r++)
        if (cfg->range_first[r] <= cfg->range_first[r - 1] || cfg->range_first[r] >= cfg->vocab)
            return wspi_fail(err, WSP_ERR_ARG, 0,
                             "model configuration: range %u begins at token %u, which is not above "
                             "the one before or not below %u",
                             r, cfg->range_first[r], cfg->vocab);
    if (!memchr(cfg->name, 0, sizeof cfg->name) || !wsp_is_printable(cfg->name))
        return wspi_fail(err, WSP_ERR_ARG, 0,
                         "model configuration: the name is not terminated, or not printable");
    return WSP_OK;
}

static json_t *ranges_to_json(const wsp_model_config *cfg)
{
    json_t *a = json_array();

    for (uint32_t r = 0; r < cfg->ranges; r++)
        if (json_array_append_new(a, json_integer(cfg->range_first[r]))) {
            json_decref(a);
            return NULL;
        }
    return a;
}

/* Files without ranges have one step. */
static wsp_status ranges_from_json(wsp_model_config *cfg, const json_t *a, wsp_error *err)
{
    size_t n = json_array_size(a);

    if (!a)
        return WSP_OK;
    if (n < 1 || n > WSP_MAX_RANGES)
        return wspi_fail(err, WSP_ERR_FORMAT, 0,
                         "the model's configuration has %zu ranges, allowed are 1 to %d", n,
                         WSP_MAX_RANGES);
    cfg->ranges = (uint32_t)n;
    for (size_t r = 0; r < n; r++) {
        const json_t *v = json_array_get(a, r);

        if (!json_is_integer(v) || json_integer_value(v) < 0 || json_integer_value(v) > UINT16_MAX)
            return wspi_fail(err, WSP_ERR_FORMAT, 0,
                             "range %zu of the model's configuration does not begin at a token", r);
        cfg->range_first[r] = (uint16_t)json_integer_value(v);
    }
    return WSP_OK;
}

json_t *wspi_config_to_json(const wsp_model_config *cfg)
{
    json_t *o = json_object();
    char version[24];

    (void)snprintf(version, sizeof version, "%016llx", (unsigned long long)cfg->vocab_version);
    if (json_object_set_new(o, "name", json_string(cfg->name)) ||
        json_object_set_new(o, "vocab_version", json_string(version)))
        goto fail;
    for (size_t i = 0; i < WSPI_COUNT(numbers); i++)
        if (json_object_set_new(o, numbers[i].name, json_integer(number_get(cfg, &numbers[i]))))
            goto fail;
    if (cfg->ranges > 0 && json_object_set_new(o, "ranges", ranges_to_json(cfg)))
        goto fail;
    return o;
fail:
    json_decref(o);
    return NULL;
}

wsp_status wspi_config_from_json(wsp_model_config *cfg, const char *text, wsp_error *err)
{
    wsp_status st = WSP_ERR_FORMAT;
    const char *name, *version;
    json_t *o;

    memset(cfg, 0, sizeof *cfg);
    WSP_TRY(wspi_json_read(&o, text, strlen(text), "the model's configuration", err));
    name = json_string_value(json_object_get(o, "name"));
    version = json_string_value(json_object_get(o, "vocab_version"));
    if (!name || strlen(name) >= sizeof cfg->name || !version || strlen(version) != 16 ||
        strspn(version, "0123456789abcdef") != 16) {
        (void)wspi_fail(err, st, 0, "the model's configuration has no valid name or vocab_version");
        goto out;
    }
    memcpy(cfg->name, name, strlen(name) + 1);
    cfg->vocab_version = strtoull(version, NULL, 16);
    for (size_t i = 0; i < WSPI_COUNT(numbers); i++) {
        json_t *v = json_object_get(o, numbers[i].name);
        uint32_t n = (uint32_t)json_integer_value(v);
        if (!v && numbers[i].min == 0)
            continue;
        if (!json_is_integer(v) || json_integer_value(v) < 0 ||
            json_integer_value(v) > UINT32_MAX) {
            (void)wspi_fail(err, st, 0, "the model's configuration has no valid %s",
                            numbers[i].name);
            goto out;
        }
        memcpy((char *)cfg + numbers[i].at, &n, sizeof n);
    }
    st = ranges_from_json(cfg, json_object_get(o, "ranges"), err);
    if (st == WSP_OK)
        st = wspi_of_file(config_check(cfg, err), err);
out:
    json_decref(o);
    return st;
}

static wsp_status heads_check(const wsp_head *h, size_t n, wsp_error *err)
{
    if (n > WSPI_MAX_HEADS)
        return wspi_fail(err, WSP_ERR_ARG, 0, "%zu heads, at most %d are allowed", n,
                         WSPI_MAX_HEADS);
    for (size_t i = 0; i < n; i++) {
        if (!memchr(h[i].name, 0, sizeof h[i].name) || !h[i].name[0] ||
            !wsp_is_printable(h[i].name) || h[i].n_labels < 1 || h[i].n_labels > 65536)
            return wspi_fail(err, WSP_ERR_ARG, 0, "head %zu: no name, or %zu labels", i,
                             h[i].n_labels);
        for (size_t j = 0; j < h[i].n_labels; j++)
            if (!wsp_is_printable(h[i].labels[j]))
                return wspi_fail(err, WSP_ERR_ARG, 0,
                                 "head %s: the label '%s' has control characters, or is not UTF-8",
                                 h[i].name, h[i].labels[j]);
        if (!(h[i].temperature > 0) || !isfinite(h[i].temperature) || !isfinite(h[i].unknown_below))
            return wspi_fail(err, WSP_ERR_ARG, 0, "head %s: bad calibration", h[i].name);
        for (size_t j = 0; j < i; j++)
            if (strcmp(h[i].name, h[j].name) == 0)
                return wspi_fail(err, WSP_ERR_ARG, 0, "two heads are named %s", h[i].name);
    }
    return WSP_OK;
}

static wsp_status head_copy(wsp_head *to, const wsp_head *from)
{
    char **labels = wspi_new_array(from->n_labels, sizeof *labels);

    *to = *from;
    to->labels = (const char *const *)labels;
    to->background = from->n_labels;
    if (!labels)
        return WSP_ERR_NOMEM;
    for (size_t i = 0; i < from->n_labels; i++) {
        if (!(labels[i] = strdup(from->labels[i])))
            return WSP_ERR_NOMEM;
        if (strcmp(labels[i], WSP_UNKNOWN) == 0)
            to->background = i;
    }
    return WSP_OK;
}

static wsp_status make_ranges(wsp_model *m)
{
    const wsp_model_config *c = &m->cfg;

    if (!c->ranges)
        return WSP_OK;
    m->range_of = wspi_new_array(c->vocab, sizeof *m->range_of);
    if (!m->range_of)
        return WSP_ERR_NOMEM;
    for (uint32_t id = 0, r = 0; id < c->vocab; id++) {
        r += r + 1 < c->ranges && id == c->range_first[r + 1];
        m->range_of[id] = (uint16_t)r;
    }
    return WSP_OK;
}

wsp_status wspi_model_make(wsp_model **out, const wsp_model_config *cfg, const wsp_head *heads,
                           size_t n_heads, wsp_error *err)
{
    wsp_model *m;
    wsp_status st;

    *out = NULL;
    WSP_TRY(config_check(cfg, err));
    WSP_TRY(heads_check(heads, n_heads, err));
    m = wspi_new_array(1, sizeof *m);
    if (!m)
        return wspi_nomem(err, "a model", sizeof *m);
    m->cfg = *cfg;
    m->meta = json_object();
    st = m->meta ? make_ranges(m) : WSP_ERR_NOMEM;
    for (size_t i = 0; i < n_heads && st == WSP_OK; i++) {
        m->n_heads = i + 1;
        m->n_conditions += heads[i].n_labels;
        st = head_copy(&m->head[i], &heads[i]);
    }
    if (st == WSP_OK)
        st = wspi_model_table(m, err);
    else
        (void)wspi_nomem(err, "a model's heads", 0);
    if (st < 0)
        wsp_model_free(m);
    else
        *out = m;
    return st;
}

enum { NUMBER = 32 };

/* Digits that give the same float back. */
static bool number_text(char text[NUMBER], float v)
{
    return wspi_number_write(text, NUMBER, 9, (double)v);
}

/* A whole text that is one number. */
static bool text_number(const char *text, float *v)
{
    const char *end;
    double d;
    bool good = text && wspi_number_read(text, &end, &d) && !*end;

    *v = good ? (float)d : 0;
    return good;
}

json_t *wspi_heads_to_json(const wsp_model *m)
{
    json_t *a = json_array();

    for (size_t i = 0; i < m->n_heads; i++) {
        json_t *h = json_object(), *labels = json_array();
        char temperature[NUMBER], unknown_below[NUMBER];

        for (size_t j = 0; j < m->head[i].n_labels; j++)
            if (json_array_append_new(labels, json_string(m->head[i].labels[j])))
                goto fail;
        if (json_object_set_new(h, "name", json_string(m->head[i].name)) ||
            json_object_set_new(h, "labels", labels))
            goto fail;
        if (!number_text(temperature, m->head[i].temperature) ||
            !number_text(unknown_below, m->head[i].unknown_below) ||
            json_object_set_new(h, "temperature", json_string(temperature)) ||
            json_object_set_new(h, "unknown_below", json_string(unknown_below)) ||
            json_array_append_new(a, h))
            goto fail;
        continue;
    fail:
        json_decref(a);
        return NULL;
    }
    return a;
}

/* One head of the array; labels are borrowed from the JSON. */
static wsp_status head_from_json(wsp_head *h, const json_t *o, wsp_error *err)
{
    const char *name = json_string_value(json_object_get(o, "name"));
    const char *t = json_string_value(json_object_get(o, "temperature"));
    const char *u = json_string_value(json_object_get(o, "unknown_below"));
    const json_t *labels = json_object_get(o, "labels");
    size_t n = json_array_size(labels);
    const char **list;

    if (!name || strlen(name) >= sizeof h->name || n < 1 || !text_number(t, &h->temperature) ||
        !text_number(u, &h->unknown_below))
        return wspi_fail(err, WSP_ERR_FORMAT, 0,
                         "a head of the model has no valid name, labels or calibration");
    memcpy(h->name, name, strlen(name) + 1);
    h->n_labels = n;
    h->labels = list = wspi_new_array(n, sizeof *list);
    if (!list)
        return wspi_nomem(err, "labels", n);
    for (size_t i = 0; i < n; i++)
        if (!(list[i] = json_string_value(json_array_get(labels, i))))
            return wspi_fail(err, WSP_ERR_FORMAT, 0, "label %zu of head %s is not a string", i,
                             name);
    return WSP_OK;
}

wsp_status wspi_heads_from_json(wsp_model **out, const wsp_model_config *cfg, const char *text,
                                wsp_error *err)
{
    wsp_head head[WSPI_MAX_HEADS] = {{.n_labels = 0}};
    wsp_status st = WSP_OK;
    json_t *a;
    size_t n;

    *out = NULL;
    WSP_TRY(wspi_json_read(&a, text, strlen(text), "the model's list of heads", err));
    n = json_array_size(a);
    if (!json_is_array(a) || n > WSPI_MAX_HEADS)
        st = wspi_fail(err, WSP_ERR_FORMAT, 0, "the model's list of heads is not valid");
    for (size_t i = 0; i < n && st == WSP_OK; i++)
        st = head_from_json(&head[i], json_array_get(a, i), err);
    if (st == WSP_OK)
        st = wspi_model_make(out, cfg, head, n, err);
    st = wspi_of_file(st, err);
    for (size_t i = 0; i < n && i < WSPI_MAX_HEADS; i++)
        free((void *)(uintptr_t)head[i].labels);
    json_decref(a);
    return st;
}
