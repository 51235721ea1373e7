/* SPDX-License-Identifier: Apache-2.0 */
/*
 * safetensors.c: reads and writes https://github.com/huggingface/safetensors: u64 LE length of the header, a JSON
 * object {"__metadata__": {string: string}, name: {"dtype", "shape", "data_offsets"}}, then the data without gaps.
 * The reader trusts nothing and allocates in proportion to the file only.
 */
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "model/model_int.h"

#define MAX_HEADER ((uint64_t)16 << 20)
#define MAX_FILE   ((uint64_t)16 << 30)
enum { MAX_TENSORS = 100000 };

static wsp_status bad(wsp_error *err, const char *name, const char *why)
{
    return wspi_fail(err, WSP_ERR_FORMAT, 8, "safetensors: tensor %.80s: %s", name, why);
}

static wsp_status get_size(size_t *out, const json_t *v)
{
    if (!json_is_integer(v) || json_integer_value(v) < 0)
        return WSP_ERR_FORMAT;
    *out = (size_t)json_integer_value(v);
    return WSP_OK;
}

static wsp_status parse_tensor(wspi_st_tensor *t, const char *name, const json_t *o,
                               const uint8_t *data, size_t n_data, wsp_error *err)
{
    const json_t *shape = json_object_get(o, "shape"),
                 *offsets = json_object_get(o, "data_offsets");
    size_t begin, end, size;

    *t = (wspi_st_tensor){.name = name, .dtype = json_string_value(json_object_get(o, "dtype"))};
    if (!t->dtype || json_object_size(o) != 3 || !json_is_array(shape) ||
        json_array_size(offsets) != 2)
        return bad(err, name, "not exactly dtype, shape and data_offsets");
    if (strcmp(t->dtype, "F32") != 0 && strcmp(t->dtype, "U8") != 0)
        return bad(err, name, "neither F32 nor U8");
    t->rank = json_array_size(shape);
    if (t->rank > WSPI_COUNT(t->dim))
        return bad(err, name, "more than 4 dimensions");
    size = t->dtype[0] == 'F' ? sizeof(float) : 1;
    for (size_t i = 0; i < t->rank; i++)
        if (get_size(&t->dim[i], json_array_get(shape, i)) < 0 || !wspi_mul(size, t->dim[i], &size))
            return bad(err, name, "bad shape");
    if (get_size(&begin, json_array_get(offsets, 0)) < 0 ||
        get_size(&end, json_array_get(offsets, 1)) < 0 || begin > end || end > n_data)
        return bad(err, name, "data_offsets leave the file, which may be cut short");
    if (end - begin != size)
        return bad(err, name, "data_offsets do not fit the shape");
    t->data = data + begin;
    t->len = size;
    return WSP_OK;
}

static int by_place(const void *a, const void *b)
{
    const wspi_st_tensor *x = a, *y = b;

    if (x->data != y->data)
        return (uintptr_t)x->data < (uintptr_t)y->data ? -1 : 1;
    return (x->len > y->len) - (x->len < y->len);
}

static wsp_status parse_header(wspi_st_file *f, const uint8_t *data, wsp_error *err)
{
    const char *name;
    json_t *v, *s;
    const char *key;
    const uint8_t *at = data;

    if (json_object_size(f->header) > MAX_TENSORS)
        return wspi_fail(err, WSP_ERR_FORMAT, 8, "safetensors: more than %d tensors", MAX_TENSORS);
    f->tensor = wspi_new_array(json_object_size(f->header), sizeof *f->tensor);
    if (!f->tensor)
        return wspi_nomem(err, "a table of tensors", json_object_size(f->header));
    json_object_foreach(f->header, name, v)
    {
        if (strcmp(name, "__metadata__") == 0)
            f->meta = v;
        else
            WSP_TRY(parse_tensor(&f->tensor[f->n++], name, v, data, f->n_data, err));
    }
    if (f->meta && !json_is_object(f->meta))
        return wspi_fail(err, WSP_ERR_FORMAT, 8, "safetensors: __metadata__ is not an object");
    json_object_foreach(f->meta, key, s) if (!json_is_string(s)) return wspi_fail(
        err, WSP_ERR_FORMAT, 8, "safetensors: metadata %.80s is not a string", key);
    qsort(f->tensor, f->n, sizeof *f->tensor, by_place);
    for (size_t i = 0; i < f->n; i++) {
        if (f->tensor[i].data != at)
            return bad(err, f->tensor[i].name, "overlaps another, or there is a gap before it");
        at += f->tensor[i].len;
    }
    if (at != data + f->n_data)
        return wspi_fail(err, WSP_ERR_FORMAT, 0, "safetensors: %zu bytes behind the last tensor",
                         (size_t)(data + f->n_data - at));
    return WSP_OK;
}

wsp_status wspi_st_parse(wspi_st_file *f, const void *data, size_t len, wsp_error *err)
{
    wspi_cursor c = wspi_cur(data, len);
    uint64_t n = wspi_cur_le64(&c);
    const uint8_t *header;

    *f = (wspi_st_file){.n = 0};
    if (c.bad || n > MAX_HEADER || n > wspi_cur_left(&c))
        return wspi_fail(err, WSP_ERR_FORMAT, 0,
                         "not a .safetensors file, or cut short: the header length is wrong");
    header = wspi_cur_bytes(&c, (size_t)n);
    WSP_TRY(
        wspi_json_read(&f->header, (const char *)header, (size_t)n, "safetensors: header", err));
    if (!json_is_object(f->header))
        return wspi_fail(err, WSP_ERR_FORMAT, 8, "safetensors: the header is not an object");
    f->n_data = wspi_cur_left(&c);
    return parse_header(f, c.p, err);
}

void wspi_st_clear(wspi_st_file *f)
{
    json_decref(f->header);
    free(f->tensor);
    *f = (wspi_st_file){.n = 0};
}

const wspi_st_tensor *wspi_st_find(const wspi_st_file *f, const char *name)
{
    for (size_t i = 0; i < f->n; i++)
        if (strcmp(f->tensor[i].name, name) == 0)
            return &f->tensor[i];
    return NULL;
}

static json_t *make_header(json_t *meta, const wspi_st_tensor *t, size_t n)
{
    json_t *o = json_object();
    size_t at = 0;

    if (json_object_set(o, "__metadata__", meta))
        goto fail;
    for (size_t i = 0; i < n; i++) {
        json_t *shape = json_array(), *e;

        for (size_t j = 0; j < t[i].rank; j++)
            if (json_array_append_new(shape, json_integer((json_int_t)t[i].dim[j]))) {
                json_decref(shape);
                goto fail;
            }
        e = json_pack("{s:s, s:o, s:[I, I]}", "dtype", t[i].dtype, "shape", shape, "data_offsets",
                      (json_int_t)at, (json_int_t)(at + t[i].len));
        if (json_object_set_new(o, t[i].name, e))
            goto fail;
        at += t[i].len;
    }
    return o;
fail:
    json_decref(o);
    return NULL;
}

/* Header padded with spaces to a multiple of 8, then the data. What cannot be written is told when the file is closed. */
static void write_parts(FILE *f, const char *header, const wspi_st_tensor *t, size_t n)
{
    size_t len = strlen(header), padded = (len + 7) & ~(size_t)7;
    uint8_t head[8];

    for (int i = 0; i < 8; i++)
        head[i] = (uint8_t)((uint64_t)padded >> 8 * i);
    (void)fwrite(head, 1, sizeof head, f);
    (void)fwrite(header, 1, len, f);
    (void)fwrite("       ", 1, padded - len, f);
    for (size_t i = 0; i < n; i++)
        if (t[i].len > 0) /* an empty one has no data to point at */
            (void)fwrite(t[i].data, 1, t[i].len, f);
}

wsp_status wspi_st_write(const char *path, json_t *meta, const wspi_st_tensor *t, size_t n,
                         wsp_error *err)
{
    json_t *o = make_header(meta, t, n);
    char *header = o ? json_dumps(o, JSON_COMPACT) : NULL;
    wsp_outfile f;
    wsp_status st =
        header ? wsp_outfile_open(&f, path, false, err) : wspi_nomem(err, "a file's header", n);

    if (st == WSP_OK) {
        write_parts(f.fp, header, t, n);
        st = wsp_outfile_commit(&f, err);
    }
    json_decref(o);
    free(header);
    return st;
}

wsp_status wspi_of_file(wsp_status st, wsp_error *err)
{
    if (st != WSP_ERR_ARG)
        return st;
    if (err)
        err->status = WSP_ERR_FORMAT;
    return WSP_ERR_FORMAT;
}

wsp_status wspi_read_file(void **out, size_t *len, const char *path, wsp_error *err)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    wsp_status st = WSP_OK;
    struct stat sb;
    uint8_t *p = NULL;
    size_t at = 0;

    *out = NULL;
    if (fd < 0)
        return wspi_fail(err, WSP_ERR_IO, 0, "%s: %s", path, strerror(errno));
    if (fstat(fd, &sb) != 0 || !S_ISREG(sb.st_mode) || (uint64_t)sb.st_size > MAX_FILE)
        st = wspi_fail(err, WSP_ERR_FORMAT, 0, "%s: not a regular file, or too large", path);
    else if (!(p = malloc((size_t)sb.st_size + 1)))
        st = wspi_nomem(err, path, (size_t)sb.st_size);
    while (st == WSP_OK && at < (size_t)sb.st_size) {
        ssize_t n = read(fd, p + at, (size_t)sb.st_size - at);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            st = wspi_fail(err, WSP_ERR_IO, at, "%s: %s", path,
                           n < 0 ? strerror(errno) : "became shorter");
        else
            at += (size_t)n;
    }
    close(fd);
    if (st < 0) {
        free(p);
        return st;
    }
    *out = p;
    *len = at;
    return WSP_OK;
}
