/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tokens_writer.c: sets of tokenised flows into a .npz file that numpy.load reads: one .npy member per column
 * (https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html, version 1.0) and "meta", JSON as bytes. Sets
 * come one after the other; each column waits in a file of its own, because a ZIP takes its members one by one.
 */
#include <jansson.h>
#include <stdio.h>

#include "capture/capture_int.h"
#include "token/token_int.h"

enum { MAX_NAME = 256, BLOCK = 8192 };

struct wsp_tokens_writer {
    char *path;
    bool drop_residuals, compress;
    FILE *spool[WSPI_COLUMNS]; /* NULL: the column is not written, or is known at the end only */
    uint64_t items[WSPI_COLUMNS];
    uint64_t n_flows, n_packets, n_tokens, n_residuals;
};

void wspi_columns_of(wsp_tokens *t, wspi_column c[WSPI_COLUMNS])
{
    c[WSPI_C_IDS] = (wspi_column){"ids", "<u2", 2, (void **)&t->ids, t->n_tokens};
    c[WSPI_C_PACKET_OFF] =
        (wspi_column){"packet_off", "<u8", 8, (void **)&t->packet_off, t->n_packets + 1};
    c[WSPI_C_FLOW_OFF] = (wspi_column){"flow_off", "<u8", 8, (void **)&t->flow_off, t->n_flows + 1};
    c[WSPI_C_CAPTURE] = (wspi_column){"capture", "<u4", 4, (void **)&t->capture, t->n_flows};
    c[WSPI_C_FLOW_END] = (wspi_column){"flow_end", "|u1", 1, (void **)&t->flow_end, t->n_flows};
    c[WSPI_C_LINKTYPE] = (wspi_column){"linktype", "<i4", 4, (void **)&t->linktype, t->n_captures};
    c[WSPI_C_RESIDUALS] =
        (wspi_column){"residuals", "|u1", 1, (void **)&t->residuals, t->n_residuals};
    c[WSPI_C_RESIDUAL_OFF] =
        (wspi_column){"residual_off", "<u8", 8, (void **)&t->residual_off, t->n_flows + 1};
}

static bool written(const wsp_tokens_writer *w, size_t column)
{
    return column != WSPI_C_LINKTYPE &&
           !(w->drop_residuals && (column == WSPI_C_RESIDUALS || column == WSPI_C_RESIDUAL_OFF));
}

static wsp_status spool_fail(const wsp_tokens_writer *w, wsp_error *err)
{
    return wspi_fail(err, WSP_ERR_IO, 0, "%s: cannot write what it will hold: %s", w->path,
                     strerror(errno));
}

wsp_status wsp_tokens_writer_open(wsp_tokens_writer **out, const char *path, bool drop_residuals,
                                  bool compress, wsp_error *err)
{
    wsp_tokens_writer *w = wspi_new_array(1, sizeof *w);

    *out = NULL;
    if (!w || !(w->path = strdup(path))) {
        free(w);
        return wspi_nomem(err, "a token file", strlen(path));
    }
    w->drop_residuals = drop_residuals;
    w->compress = compress;
    for (size_t i = 0; i < WSPI_COLUMNS; i++)
        if (written(w, i) && !(w->spool[i] = wspi_spool_open(path))) {
            wsp_status st = spool_fail(w, err);
            wsp_tokens_writer_free(w);
            return st;
        }
    *out = w;
    return WSP_OK;
}

void wsp_tokens_writer_free(wsp_tokens_writer *w)
{
    if (!w)
        return;
    for (size_t i = 0; i < WSPI_COLUMNS; i++)
        if (w->spool[i])
            (void)fclose(w->spool[i]);
    free(w->path);
    free(w);
}

/* Offsets without their first 0, which the first set gives, moved on by what came before. */
static bool put_offsets(FILE *fp, const uint64_t *off, uint64_t n, uint64_t base)
{
    uint64_t block[BLOCK];

    for (uint64_t i = 0; i < n;) {
        size_t k = 0;
        for (; k < BLOCK && i < n; k++, i++)
            block[k] = off[i] + base;
        if (fwrite(block, sizeof *block, k, fp) != k)
            return false;
    }
    return true;
}

static bool put_column(wsp_tokens_writer *w, size_t i, const wspi_column *c)
{
    const uint64_t base[WSPI_COLUMNS] = {[WSPI_C_PACKET_OFF] = w->n_tokens,
                                         [WSPI_C_FLOW_OFF] = w->n_packets,
                                         [WSPI_C_RESIDUAL_OFF] = w->n_residuals};
    bool offsets = i == WSPI_C_PACKET_OFF || i == WSPI_C_FLOW_OFF || i == WSPI_C_RESIDUAL_OFF;
    uint64_t skip = offsets && w->items[i] ? 1 : 0, n = c->count - skip;

    w->items[i] += n;
    if (offsets)
        return put_offsets(w->spool[i], (const uint64_t *)*c->data + skip, n, base[i]);
    return n == 0 || fwrite(*c->data, c->size, n, w->spool[i]) == n;
}

wsp_status wsp_tokens_writer_add(wsp_tokens_writer *w, const wsp_tokens *t, wsp_error *err)
{
    wsp_tokens all = *t;
    wspi_column c[WSPI_COLUMNS];

    wspi_columns_of(&all, c);
    for (size_t i = 0; i < WSPI_COLUMNS; i++)
        if (w->spool[i] && !put_column(w, i, &c[i]))
            return spool_fail(w, err);
    w->n_flows += t->n_flows;
    w->n_packets += t->n_packets;
    w->n_tokens += t->n_tokens;
    w->n_residuals += t->n_residuals;
    return WSP_OK;
}

/* ---- the file ---- */

static size_t npy_head(char head[192], const char *descr, uint64_t count)
{
    int n =
        snprintf(head + 10, 192 - 10, "{'descr': '%s', 'fortran_order': False, 'shape': (%llu,), }",
                 descr, (unsigned long long)count);
    size_t len = ((size_t)n + 10 + 1 + 63) / 64 * 64;

    memcpy(head, "\x93NUMPY\x01\x00", 8);
    head[8] = (char)((len - 10) & 0xff);
    head[9] = (char)((len - 10) >> 8);
    memset(head + 10 + n, ' ', len - 10 - (size_t)n);
    head[len - 1] = '\n';
    return len;
}

static wsp_status add_npy(wspi_zip_writer *z, const char *name, const char *descr, const void *data,
                          size_t size, size_t count, wsp_error *err)
{
    char member[MAX_NAME], head[192];
    size_t len = npy_head(head, descr, count);

    (void)snprintf(member, sizeof member, "%.200s.npy", name);
    return wspi_zip_writer_add(z, member, head, len, data, size * count, err);
}

/* ---- the description: NULL is without memory, and goes through to its end ---- */

static json_t *with(json_t *array, json_t *item)
{
    if (json_array_append_new(array, item) == 0)
        return array;
    json_decref(array);
    return NULL;
}

/* The name of every token id, in order: so that the file can be read without this program. */
static json_t *vocab_names(void)
{
    json_t *names = json_array();
    char name[96];

    for (uint32_t id = 0; id < wsp_vocab_size(); id++)
        names = with(names, json_string(wsp_vocab_name((uint16_t)id, name, sizeof name)));
    return names;
}

static json_t *capture_names(const wsp_tokens *t)
{
    json_t *captures = json_array();

    for (size_t i = 0; i < t->n_captures; i++) {
        json_t *name = json_string(t->captures[i]);
        captures = with(captures, name ? name : json_string("(a name that is not UTF-8)"));
    }
    return captures;
}

static json_t *heads_json(const wsp_tokens *t)
{
    json_t *heads = json_array();

    for (size_t h = 0; h < t->n_heads; h++) {
        json_t *labels = json_array();
        for (size_t l = 0; l < t->n_labels[h]; l++)
            labels = with(labels, json_string(t->label_names[h][l]));
        heads = with(heads, json_pack("{s:s, s:o}", "name", t->heads[h], "labels", labels));
    }
    return heads;
}

static json_t *meta_of(const wsp_tokens *t)
{
    char version[20];

    (void)snprintf(version, sizeof version, "%016llx", (unsigned long long)wsp_vocab_version());
    return json_pack("{s:s, s:s, s:i, s:o, s:s, s:o, s:o}", "format", WSPI_TOKENS_FORMAT,
                     "vocab_version", version, "vocab_size", (int)wsp_vocab_size(), "vocab",
                     vocab_names(), "writer", wsp_version(), "captures", capture_names(t), "heads",
                     heads_json(t));
}

/* What no reader would take is not written: sets are put together by hand, too. */
static wsp_status check_names(const wsp_tokens *t, const char *path, wsp_error *err)
{
    for (size_t h = 0; h < t->n_heads; h++) {
        bool good = strlen(t->heads[h]) < WSP_HEAD_NAME && wsp_is_printable(t->heads[h]);

        for (size_t l = 0; good && l < t->n_labels[h]; l++)
            good = wsp_is_printable(t->label_names[h][l]);
        if (!good)
            return wspi_fail(err, WSP_ERR_ARG, 0,
                             "%s: the name of head '%s' is too long, or it or a label is not "
                             "printable",
                             path, t->heads[h]);
    }
    return WSP_OK;
}

static wsp_status add_spool(wsp_tokens_writer *w, wspi_zip_writer *z, size_t i,
                            const wspi_column *c, wsp_error *err)
{
    char member[MAX_NAME], head[192];
    size_t len = npy_head(head, c->descr, w->items[i]);

    (void)snprintf(member, sizeof member, "%.200s.npy", c->name);
    if (fflush(w->spool[i]) != 0 || fseek(w->spool[i], 0, SEEK_SET) != 0)
        return spool_fail(w, err);
    return wspi_zip_writer_add_file(z, member, head, len, w->spool[i], w->items[i] * c->size, err);
}

static wsp_status add_columns(wsp_tokens_writer *w, wspi_zip_writer *z, wsp_tokens *t,
                              wsp_error *err)
{
    wspi_column c[WSPI_COLUMNS];
    char name[MAX_NAME];

    wspi_columns_of(t, c);
    for (size_t i = 0; i < WSPI_COLUMNS; i++)
        if (w->spool[i])
            WSP_TRY(add_spool(w, z, i, &c[i], err));
        else if (i == WSPI_C_LINKTYPE)
            WSP_TRY(add_npy(z, c[i].name, c[i].descr, *c[i].data, c[i].size, c[i].count, err));
    for (size_t h = 0; h < t->n_heads; h++) {
        (void)snprintf(name, sizeof name, "label_%.200s", t->heads[h]);
        WSP_TRY(add_npy(z, name, "<i4", t->labels[h], 4, (size_t)w->n_flows, err));
    }
    return WSP_OK;
}

wsp_status wsp_tokens_writer_finish(wsp_tokens_writer *w, const wsp_tokens *t, wsp_error *err)
{
    wsp_tokens view = *t; /* the columns are read through the same table as they are loaded */
    wspi_zip_writer *z = NULL;
    wsp_status st = check_names(t, w->path, err);
    json_t *meta;
    char *text;

    WSP_TRY(st);
    meta = meta_of(t);
    text = meta ? json_dumps(meta, JSON_COMPACT) : NULL;
    json_decref(meta);
    if (!text)
        return wspi_nomem(err, "the description of a token file", 0);
    st = wspi_zip_writer_open(&z, w->path, w->compress, err);
    if (st == WSP_OK)
        st = add_npy(z, "meta", "|u1", text, 1, strlen(text), err);
    if (st == WSP_OK)
        st = add_columns(w, z, &view, err);
    free(text);
    if (st < 0) {
        wspi_zip_writer_discard(z);
        return st;
    }
    return wspi_zip_writer_close(z, err);
}

wsp_status wsp_tokens_save(const wsp_tokens *t, const char *path, bool drop_residuals,
                           wsp_error *err)
{
    wsp_tokens_writer *w;
    wsp_status st;

    WSP_TRY(wsp_tokens_writer_open(&w, path, drop_residuals, false, err));
    st = wsp_tokens_writer_add(w, t, err);
    if (st == WSP_OK)
        st = wsp_tokens_writer_finish(w, t, err);
    wsp_tokens_writer_free(w);
    return st;
}
