/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tokens_file.c: sets of tokenised flows in a .npz file that numpy.load reads: one .npy member per column
 * (https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html, version 1.0) and "meta", JSON as bytes.
 * The reader trusts no length, offset or id.
 */
#include <jansson.h>
#include <stdio.h>

#include "capture/capture_int.h"
#include "token/token_int.h"

#define FORMAT_NAME "wirespeak-tokens-1"
enum { MAX_NAME = 256 };
static const size_t MAX_MEMBER = (size_t)1 << 36;

/* One column: name, numpy type, bytes of an item, where the pointer and the count are. */
typedef struct column {
    const char *name, *descr;
    size_t size;
    void **data;
    size_t count;
} column;

enum { N_COLUMNS = 8 };

static void columns_of(wsp_tokens *t, column c[N_COLUMNS])
{
    c[0] = (column){"ids", "<u2", 2, (void **)&t->ids, t->n_tokens};
    c[1] = (column){"packet_off", "<u8", 8, (void **)&t->packet_off, t->n_packets + 1};
    c[2] = (column){"flow_off", "<u8", 8, (void **)&t->flow_off, t->n_flows + 1};
    c[3] = (column){"capture", "<u4", 4, (void **)&t->capture, t->n_flows};
    c[4] = (column){"flow_end", "|u1", 1, (void **)&t->flow_end, t->n_flows};
    c[5] = (column){"linktype", "<i4", 4, (void **)&t->linktype, t->n_captures};
    c[6] = (column){"residuals", "|u1", 1, (void **)&t->residuals, t->n_residuals};
    c[7] = (column){"residual_off", "<u8", 8, (void **)&t->residual_off, t->n_flows + 1};
}

static wsp_status add_npy(wspi_zip_writer *w, const char *name, const char *descr, const void *data,
                          size_t size, size_t count, wsp_error *err)
{
    char member[MAX_NAME], head[192];
    int n = snprintf(head + 10, sizeof head - 10,
                     "{'descr': '%s', 'fortran_order': False, 'shape': (%zu,), }", descr, count);
    size_t len = ((size_t)n + 10 + 1 + 63) / 64 * 64;

    memcpy(head, "\x93NUMPY\x01\x00", 8);
    head[8] = (char)((len - 10) & 0xff);
    head[9] = (char)((len - 10) >> 8);
    memset(head + 10 + n, ' ', len - 10 - (size_t)n);
    head[len - 1] = '\n';
    (void)snprintf(member, sizeof member, "%s.npy", name);
    return wspi_zip_writer_add(w, member, head, len, data, size * count, err);
}

/* The name of every token id, in order: so that the file can be read without this program. */
static json_t *vocab_names(void)
{
    json_t *names = json_array();
    char name[96];

    for (uint32_t id = 0; id < wsp_vocab_size(); id++)
        (void)json_array_append_new(names,
                                    json_string(wsp_vocab_name((uint16_t)id, name, sizeof name)));
    return names;
}

static json_t *meta_of(const wsp_tokens *t)
{
    json_t *captures = json_array(), *heads = json_array();
    char version[20];

    for (size_t i = 0; i < t->n_captures; i++) {
        json_t *name = json_string(t->captures[i]);
        (void)json_array_append_new(captures,
                                    name ? name : json_string("(a name that is not UTF-8)"));
    }
    for (size_t h = 0; h < t->n_heads; h++) {
        json_t *labels = json_array();
        for (size_t l = 0; l < t->n_labels[h]; l++)
            (void)json_array_append_new(labels, json_string(t->label_names[h][l]));
        (void)json_array_append_new(heads,
                                    json_pack("{s:s, s:o}", "name", t->heads[h], "labels", labels));
    }
    (void)snprintf(version, sizeof version, "%016llx", (unsigned long long)wsp_vocab_version());
    return json_pack("{s:s, s:s, s:i, s:o, s:s, s:o, s:o}", "format", FORMAT_NAME, "vocab_version",
                     version, "vocab_size", (int)wsp_vocab_size(), "vocab", vocab_names(), "writer",
                     wsp_version(), "captures", captures, "heads", heads);
}

static wsp_status add_columns(wspi_zip_writer *w, wsp_tokens *t, bool drop_residuals,
                              wsp_error *err)
{
    column c[N_COLUMNS];
    char name[MAX_NAME];

    columns_of(t, c);
    for (size_t i = 0; i < N_COLUMNS - (drop_residuals ? 2u : 0u); i++)
        WSP_TRY(add_npy(w, c[i].name, c[i].descr, *c[i].data, c[i].size, c[i].count, err));
    for (size_t h = 0; h < t->n_heads; h++) {
        (void)snprintf(name, sizeof name, "label_%s", t->heads[h]);
        WSP_TRY(add_npy(w, name, "<i4", t->labels[h], 4, t->n_flows, err));
    }
    return WSP_OK;
}

wsp_status wsp_tokens_save(const wsp_tokens *t, const char *path, bool drop_residuals,
                           wsp_error *err)
{
    wsp_tokens view = *t; /* the columns are read through the same table as they are loaded */
    wspi_zip_writer *w = NULL;
    json_t *meta = meta_of(t);
    char *text = meta ? json_dumps(meta, JSON_COMPACT) : NULL;
    wsp_status st = WSP_OK;

    json_decref(meta);
    if (!text)
        return wspi_nomem(err, "the description of a token file", 0);
    st = wspi_zip_writer_open(&w, path, err);
    if (st == WSP_OK)
        st = add_npy(w, "meta", "|u1", text, 1, strlen(text), err);
    if (st == WSP_OK)
        st = add_columns(w, &view, drop_residuals, err);
    free(text);
    if (st < 0) {
        wspi_zip_writer_discard(w);
        return st;
    }
    return wspi_zip_writer_close(w, err);
}

/* ---- loading ---- */

typedef struct loader {
    const char *path;
    wsp_tokens *t;
    json_t *meta;
    size_t label_count;
    size_t count[N_COLUMNS]; /* items of each column + 1; 0 = not seen */
} loader;

static wsp_status bad(const loader *l, wsp_error *err, const char *what)
{
    return wspi_fail(err, WSP_ERR_FORMAT, 0, "%s: not a usable token file: %s", l->path, what);
}

/* Checks the .npy header for type and a one-dimensional shape; moves the items to the front of the block. */
static bool open_npy(uint8_t *data, size_t len, const char *descr, size_t size, size_t *count)
{
    char head[256], want[64];
    const char *shape;
    size_t hlen;

    if (len < 10 || memcmp(data, "\x93NUMPY\x01\x00", 8) != 0)
        return false;
    hlen = (size_t)data[8] | (size_t)data[9] << 8;
    if (hlen >= sizeof head || hlen + 10 > len)
        return false;
    memcpy(head, data + 10, hlen);
    head[hlen] = 0;
    (void)snprintf(want, sizeof want, "'descr': '%s'", descr);
    shape = strstr(head, "'shape': (");
    if (!strstr(head, want) || !strstr(head, "'fortran_order': False") || !shape)
        return false;
    *count = strtoull(shape + 10, NULL, 10);
    if (*count > SIZE_MAX / size || *count * size != len - 10 - hlen)
        return false;
    memmove(data, data + 10 + hlen, *count * size);
    return true;
}

static wsp_status take_label(loader *l, const char *name, uint8_t *data, size_t len, wsp_error *err)
{
    for (size_t h = 0; l->t->heads && h < l->t->n_heads; h++)
        if (strcmp(l->t->heads[h], name) == 0 && !l->t->labels[h]) {
            size_t n;
            if (!open_npy(data, len, "<i4", 4, &n) || (l->label_count && n + 1 != l->label_count))
                break;
            l->label_count = n + 1;
            l->t->labels[h] = (int32_t *)(void *)data;
            return WSP_OK;
        }
    free(data);
    return bad(l, err, "a label column that its description does not name, or of another length");
}

static wsp_status take_meta(loader *l, uint8_t *data, size_t len, wsp_error *err);

static wsp_status take_member(void *arg, const char *name, uint8_t *data, size_t len,
                              wsp_error *err)
{
    loader *l = arg;
    column c[N_COLUMNS];
    size_t n = strlen(name);
    char stem[MAX_NAME];

    columns_of(l->t, c);
    if (n < 5 || n - 4 >= sizeof stem || strcmp(name + n - 4, ".npy") != 0) {
        free(data);
        return bad(l, err, "a member that is no .npy array");
    }
    memcpy(stem, name, n - 4);
    stem[n - 4] = 0;
    if (strcmp(stem, "meta") == 0)
        return take_meta(l, data, len, err);
    if (strncmp(stem, "label_", 6) == 0)
        return take_label(l, stem + 6, data, len, err);
    for (size_t i = 0; i < N_COLUMNS; i++)
        if (strcmp(stem, c[i].name) == 0 && !l->count[i]) {
            if (!open_npy(data, len, c[i].descr, c[i].size, &n))
                break;
            *c[i].data = data;
            l->count[i] = n + 1;
            return WSP_OK;
        }
    free(data);
    return bad(l, err, "a column that is unknown, repeated or of another type");
}

static char **names_of(const json_t *array, size_t n)
{
    char **names = wspi_new_array(n + 1, sizeof *names);

    for (size_t i = 0; names && i < n; i++) {
        const char *s = json_string_value(json_array_get(array, i));
        names[i] = s ? strdup(s) : NULL;
        if (!names[i]) {
            while (i-- > 0)
                free(names[i]);
            free(names);
            return NULL;
        }
    }
    return names;
}

static wsp_status read_heads(loader *l, wsp_error *err)
{
    const json_t *heads = json_object_get(l->meta, "heads");
    size_t n = json_array_size(heads);
    wsp_tokens *t = l->t;

    t->heads = wspi_new_array(n + 1, sizeof *t->heads);
    t->n_labels = wspi_new_array(n + 1, sizeof *t->n_labels);
    t->label_names = wspi_new_array(n + 1, sizeof *t->label_names);
    t->labels = wspi_new_array(n + 1, sizeof *t->labels);
    if (!t->heads || !t->n_labels || !t->label_names || !t->labels)
        return wspi_nomem(err, "the labels of a token file", n);
    for (size_t h = 0; h < n; h++) {
        const json_t *head = json_array_get(heads, h), *labels = json_object_get(head, "labels");
        const char *name = json_string_value(json_object_get(head, "name"));
        t->heads[h] = name && strlen(name) < 64 ? strdup(name) : NULL;
        t->n_heads = h + 1;
        t->label_names[h] = t->heads[h] ? names_of(labels, json_array_size(labels)) : NULL;
        if (!t->label_names[h])
            return bad(l, err, "a head without a name or with labels that are no text");
        t->n_labels[h] = json_array_size(labels);
    }
    return WSP_OK;
}

static wsp_status take_meta(loader *l, uint8_t *data, size_t len, wsp_error *err)
{
    const json_t *captures;
    const char *format, *version;
    char want[20];
    size_t n;

    if (!l->meta && open_npy(data, len, "|u1", 1, &n))
        l->meta = json_loadb((const char *)data, n, JSON_REJECT_DUPLICATES, NULL);
    free(data);
    format = json_string_value(json_object_get(l->meta, "format"));
    version = json_string_value(json_object_get(l->meta, "vocab_version"));
    captures = json_object_get(l->meta, "captures");
    if (!format || !version || !json_is_array(captures) || l->t->captures)
        return bad(l, err, "no description in it");
    (void)snprintf(want, sizeof want, "%016llx", (unsigned long long)wsp_vocab_version());
    if (strcmp(format, FORMAT_NAME) != 0 || strcmp(version, want) != 0)
        return wspi_fail(
            err, WSP_ERR_UNSUPPORTED, 0,
            "%s: format %.40s with vocabulary %.20s, this program reads %s with %s; tokenize again",
            l->path, format, version, FORMAT_NAME, want);
    l->t->captures = names_of(captures, json_array_size(captures));
    if (!l->t->captures)
        return bad(l, err, "a capture's name is no text");
    l->t->n_captures = json_array_size(captures);
    return read_heads(l, err);
}

/* Offsets start at 0, never fall, and end at `end`. */
static bool offsets_fit(const uint64_t *off, size_t n, size_t end)
{
    if (off[0] != 0 || off[n] != end)
        return false;
    for (size_t i = 0; i < n; i++)
        if (off[i] > off[i + 1])
            return false;
    return true;
}

static const char *misfit(loader *l)
{
    wsp_tokens *t = l->t;

    for (size_t i = 0; i < 6; i++)
        if (!l->count[i])
            return "a column is missing";
    if (l->count[1] < 2 || l->count[2] < 2 || !l->count[6] != !l->count[7])
        return "an offset column is missing or empty";
    t->n_tokens = l->count[0] - 1;
    t->n_packets = l->count[1] - 2;
    t->n_flows = l->count[2] - 2;
    if (l->count[3] != t->n_flows + 1 || l->count[4] != t->n_flows + 1 ||
        l->count[5] != t->n_captures + 1 || (l->count[7] && l->count[7] != t->n_flows + 2) ||
        (l->label_count && l->label_count != t->n_flows + 1))
        return "its columns differ in length";
    t->n_residuals = l->count[6] ? l->count[6] - 1 : 0;
    if (!offsets_fit(t->packet_off, t->n_packets, t->n_tokens) ||
        !offsets_fit(t->flow_off, t->n_flows, t->n_packets) ||
        (t->residual_off && !offsets_fit(t->residual_off, t->n_flows, t->n_residuals)))
        return "its offsets do not fit";
    for (size_t i = 0; i < t->n_tokens; i++)
        if (t->ids[i] >= wsp_vocab_size())
            return "a token id is beyond the vocabulary";
    for (size_t i = 0; i < t->n_flows; i++)
        if (t->capture[i] >= t->n_captures)
            return "a flow belongs to no capture";
    for (size_t h = 0; h < t->n_heads; h++)
        for (size_t i = 0; i < t->n_flows; i++)
            if (!t->labels[h] || t->labels[h][i] < -1 || t->labels[h][i] >= (int64_t)t->n_labels[h])
                return "a label is missing or beyond its head";
    return NULL;
}

wsp_status wsp_tokens_load(wsp_tokens **out, const char *path, wsp_error *err)
{
    loader l = {.path = path};
    wsp_status st;

    *out = NULL;
    l.t = wspi_new_array(1, sizeof *l.t);
    if (!l.t)
        return wspi_nomem(err, "a token file", sizeof *l.t);
    st = wspi_zip_read(path, MAX_MEMBER, take_member, &l, err);
    if (st == WSP_OK && !l.t->captures)
        st = bad(&l, err, "no description in it");
    if (st == WSP_OK) {
        const char *what = misfit(&l);
        st = what ? bad(&l, err, what) : WSP_OK;
    }
    json_decref(l.meta);
    if (st < 0) {
        wsp_tokens_free(l.t);
        return st;
    }
    *out = l.t;
    return WSP_OK;
}

static void free_names(char **names, size_t n)
{
    for (size_t i = 0; names && i < n; i++)
        free(names[i]);
    free(names);
}

void wsp_tokens_free(wsp_tokens *t)
{
    if (!t)
        return;
    for (size_t h = 0; h < t->n_heads; h++) {
        free_names(t->label_names ? t->label_names[h] : NULL, t->n_labels ? t->n_labels[h] : 0);
        if (t->labels)
            free(t->labels[h]);
    }
    free_names(t->heads, t->n_heads);
    free_names(t->captures, t->n_captures);
    free(t->n_labels);
    free(t->label_names);
    free(t->labels);
    free(t->ids);
    free(t->packet_off);
    free(t->flow_off);
    free(t->residuals);
    free(t->residual_off);
    free(t->capture);
    free(t->flow_end);
    free(t->linktype);
    free(t);
}
