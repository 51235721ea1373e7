/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tokens_file.c: reads the .npz files that tokens_writer.c writes. It trusts no length, offset or id.
 */
#include <stdio.h>

#include "base/json.h"
#include "capture/capture_int.h"
#include "token/token_int.h"

enum { MAX_NAME = 256, N_COLUMNS = WSPI_COLUMNS };
static const size_t PLAIN_MEMBER = (size_t)1 << 30;

typedef wspi_column column;

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

    wspi_columns_of(l->t, c);
    if (n < 5 || n - 4 >= sizeof stem || strcmp(name + n - 4, ".npy") != 0) {
        free(data);
        return bad(
            l, err,
            "a member is no .npy array (a zip of captures is for explain, classify, tokenize)");
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

/* Strings of an array. *n grows with them, so that they can be freed. */
static wsp_status names_of(char ***names, size_t *n, const json_t *array)
{
    size_t all = json_array_size(array);

    *names = wspi_new_array(all + 1, sizeof **names);
    if (!*names)
        return WSP_ERR_NOMEM;
    while (*n < all) {
        const char *s = json_string_value(json_array_get(array, *n));

        if (!s)
            return WSP_ERR_FORMAT;
        (*names)[*n] = strdup(s);
        if (!(*names)[*n])
            return WSP_ERR_NOMEM;
        ++*n;
    }
    return WSP_OK;
}

static wsp_status read_labels(loader *l, size_t h, const json_t *head, wsp_error *err)
{
    const char *name = json_string_value(json_object_get(head, "name"));
    wsp_tokens *t = l->t;
    wsp_status st;

    if (!name || strlen(name) >= WSP_HEAD_NAME || !wsp_is_printable(name))
        return bad(l, err, "a head without a name");
    t->heads[h] = strdup(name);
    st = t->heads[h]
             ? names_of(&t->label_names[h], &t->n_labels[h], json_object_get(head, "labels"))
             : WSP_ERR_NOMEM;
    if (st == WSP_ERR_NOMEM)
        return wspi_nomem(err, "the labels of a token file", h);
    if (st < 0)
        return bad(l, err, "labels that are no text");
    for (size_t i = 0; i < t->n_labels[h]; i++)
        if (!wsp_is_printable(t->label_names[h][i]))
            return bad(l, err, "a label with control characters");
    return WSP_OK;
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
        t->n_heads = h + 1;
        WSP_TRY(read_labels(l, h, json_array_get(heads, h), err));
    }
    return WSP_OK;
}

static wsp_status take_meta(loader *l, uint8_t *data, size_t len, wsp_error *err)
{
    const json_t *captures;
    const char *format, *version;
    wsp_status st;
    char want[20];
    size_t n;

    st = l->meta || !open_npy(data, len, "|u1", 1, &n)
             ? WSP_ERR_FORMAT
             : wspi_json_read(&l->meta, (const char *)data, n, l->path, err);
    free(data);
    if (st < 0)
        return st == WSP_ERR_NOMEM ? st : bad(l, err, "no description in it");
    format = json_string_value(json_object_get(l->meta, "format"));
    version = json_string_value(json_object_get(l->meta, "vocab_version"));
    captures = json_object_get(l->meta, "captures");
    if (!format || !version || !json_is_array(captures) || l->t->captures)
        return bad(l, err, "no description in it");
    (void)snprintf(want, sizeof want, "%016llx", (unsigned long long)wsp_vocab_version());
    if (strcmp(format, WSPI_TOKENS_FORMAT) != 0 || strcmp(version, want) != 0)
        return wspi_fail(
            err, WSP_ERR_UNSUPPORTED, 0,
            "%s: format %.40s with vocabulary %.20s, this program reads %s with %s; tokenize again",
            l->path, format, version, WSPI_TOKENS_FORMAT, want);
    st = names_of(&l->t->captures, &l->t->n_captures, captures);
    if (st == WSP_ERR_NOMEM)
        return wspi_nomem(err, "the names of captures", json_array_size(captures));
    return st < 0 ? bad(l, err, "a capture's name is no text") : read_heads(l, err);
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

static wsp_status zip_members(void *from, wspi_member_fn *fn, void *arg, wsp_error *err)
{
    wsp_status st = wspi_zip_read(from, PLAIN_MEMBER, fn, arg, err);

    if (st == WSP_ERR_ARG)
        return wspi_fail(err, WSP_ERR_FORMAT, 0,
                         "%s: not a token file (.npz), which wirespeak tokenize and split make",
                         (const char *)from);
    return st;
}

wsp_status wsp_tokens_load(wsp_tokens **out, const char *path, wsp_error *err)
{
    return wspi_tokens_take(out, path, zip_members, (void *)(uintptr_t)path, err);
}

wsp_status wspi_tokens_take(wsp_tokens **out, const char *path, wspi_members_fn *members,
                            void *from, wsp_error *err)
{
    loader l = {.path = path};
    wsp_status st;

    *out = NULL;
    l.t = wspi_new_array(1, sizeof *l.t);
    if (!l.t)
        return wspi_nomem(err, "a token file", sizeof *l.t);
    st = members(from, take_member, &l, err);
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
