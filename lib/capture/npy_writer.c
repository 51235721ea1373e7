/* SPDX-License-Identifier: Apache-2.0 */
/* npy_writer.c: NumPy .npy files of float32 rows whose number is known at the end: the header has room for any. */
#include "capture/capture_int.h"

enum {
    HEAD = 128
}; /* magic 6 | version 1.0 | length 16 | a Python dictionary, padded with spaces, and a newline */

struct wsp_npy_writer {
    wsp_outfile file;
    size_t columns;
    uint64_t rows;
};

static wsp_status write_fail(const wsp_npy_writer *w, wsp_error *err)
{
    return wspi_fail(err, WSP_ERR_IO, 0, "%s: cannot write after %llu rows: %s", w->file.path,
                     (unsigned long long)w->rows, strerror(errno));
}

static wsp_status write_head(const wsp_npy_writer *w, wsp_error *err)
{
    char head[HEAD + 1];
    const char order = wspi_to_le64(1) == 1 ? '<' : '>';

    memset(head, ' ', sizeof head);
    memcpy(head, "\x93NUMPY\x01\x00\x76\x00", 10);
    head[10 + snprintf(head + 10, HEAD - 10,
                       "{'descr': '%cf4', 'fortran_order': False, 'shape': (%llu, %zu), }", order,
                       (unsigned long long)w->rows, w->columns)] = ' ';
    head[HEAD - 1] = '\n';
    return fwrite(head, HEAD, 1, w->file.fp) == 1 ? WSP_OK : write_fail(w, err);
}

wsp_status wsp_npy_writer_open(wsp_npy_writer **out, const char *path, size_t columns,
                               wsp_error *err)
{
    wsp_npy_writer *w = calloc(1, sizeof *w);
    wsp_status st;

    *out = NULL;
    if (!w)
        return wspi_nomem(err, "a .npy writer", sizeof *w);
    w->columns = columns;
    st = wsp_outfile_open(&w->file, path, true, err);
    if (st == WSP_OK && fseeko(w->file.fp, 0, SEEK_SET) != 0)
        st = wspi_fail(err, WSP_ERR_IO, 0,
                       "%s: the number of rows is known last, which needs a file", path);
    if (st == WSP_OK)
        st = write_head(w, err);
    if (st < 0) {
        wsp_npy_writer_discard(w);
        return st;
    }
    *out = w;
    return WSP_OK;
}

wsp_status wsp_npy_writer_add(wsp_npy_writer *w, const float *rows, size_t n, wsp_error *err)
{
    if (n && fwrite(rows, w->columns * sizeof *rows, n, w->file.fp) != n)
        return write_fail(w, err);
    w->rows += n;
    return WSP_OK;
}

wsp_status wsp_npy_writer_close(wsp_npy_writer *w, wsp_error *err)
{
    wsp_status st = fseeko(w->file.fp, 0, SEEK_SET) == 0 ? write_head(w, err) : write_fail(w, err);

    if (st == WSP_OK)
        st = wsp_outfile_commit(&w->file, err);
    wsp_outfile_discard(&w->file);
    free(w);
    return st;
}

void wsp_npy_writer_discard(wsp_npy_writer *w)
{
    if (!w)
        return;
    wsp_outfile_discard(&w->file);
    free(w);
}
