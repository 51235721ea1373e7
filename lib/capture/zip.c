/* SPDX-License-Identifier: Apache-2.0 */
/*
 * zip.c: .npz containers: members written deflated (same bytes every time), members read whole and
 * bounded.
 */
#include "capture/input_int.h"

#include <archive_entry.h>
#include <fcntl.h>
#include <unistd.h>

struct wspi_zip_writer {
    wsp_outfile file;
    struct archive *ar;
};

static la_ssize_t on_write(struct archive *ar, void *arg, const void *p, size_t len)
{
    wspi_zip_writer *w = arg;

    if (fwrite(p, 1, len, w->file.fp) == len)
        return (la_ssize_t)len;
    archive_set_error(ar, errno, "cannot write: %s", strerror(errno));
    return -1;
}

static wsp_status zip_fail(wspi_zip_writer *w, wsp_error *err)
{
    const char *why = archive_error_string(w->ar);

    errno = archive_errno(w->ar);
    return wspi_fail(err, WSP_ERR_IO, 0, "%s: %s", w->file.path,
                     why ? why : "cannot write the ZIP file");
}

wsp_status wspi_zip_writer_open(wspi_zip_writer **out, const char *path, bool deflate,
                                wsp_error *err)
{
    wspi_zip_writer *w = calloc(1, sizeof *w);
    wsp_status st;

    *out = NULL;
    if (!w)
        return wspi_nomem(err, "a ZIP writer", sizeof *w);
    st = wsp_outfile_open(&w->file, path, true, err);
    if (st == WSP_OK && !(w->ar = archive_write_new()))
        st = wspi_nomem(err, "a ZIP writer", 1);
    if (st == WSP_OK && (archive_write_set_format_zip(w->ar) != ARCHIVE_OK ||
                         (deflate ? archive_write_zip_set_compression_deflate(w->ar)
                                  : archive_write_zip_set_compression_store(w->ar)) != ARCHIVE_OK ||
                         archive_write_set_bytes_in_last_block(w->ar, 1) != ARCHIVE_OK ||
                         archive_write_open(w->ar, w, NULL, on_write, NULL) != ARCHIVE_OK))
        st = zip_fail(w, err);
    if (st < 0) {
        wspi_zip_writer_discard(w);
        return st;
    }
    *out = w;
    return WSP_OK;
}

static bool write_piece(struct archive *ar, const void *p, size_t len)
{
    const uint8_t *b = p;

    while (len > 0) {
        la_ssize_t n = archive_write_data(ar, b, len);

        if (n <= 0)
            return false;
        b += n;
        len -= (size_t)n;
    }
    return true;
}

static wsp_status begin_member(wspi_zip_writer *w, const char *name, uint64_t len, wsp_error *err)
{
    struct archive_entry *e = archive_entry_new();
    wsp_status st = WSP_OK;

    if (!e)
        return wspi_nomem(err, "a ZIP member", 1);
    archive_entry_set_pathname(e, name);
    archive_entry_set_filetype(e, AE_IFREG);
    archive_entry_set_perm(e, 0644);
    archive_entry_set_size(e, (la_int64_t)len);
    /* no times: the ZIP says 1980, and equal content gives equal files */
    if (archive_write_header(w->ar, e) != ARCHIVE_OK)
        st = zip_fail(w, err);
    archive_entry_free(e);
    return st;
}

wsp_status wspi_zip_writer_add(wspi_zip_writer *w, const char *name, const void *head,
                               size_t head_len, const void *body, size_t body_len, wsp_error *err)
{
    WSP_TRY(begin_member(w, name, head_len + body_len, err));
    if (!write_piece(w->ar, head, head_len) || !write_piece(w->ar, body, body_len) ||
        archive_write_finish_entry(w->ar) != ARCHIVE_OK)
        return zip_fail(w, err);
    return WSP_OK;
}

wsp_status wspi_zip_writer_add_file(wspi_zip_writer *w, const char *name, const void *head,
                                    size_t head_len, FILE *body, uint64_t body_len, wsp_error *err)
{
    uint8_t block[65536];

    WSP_TRY(begin_member(w, name, head_len + body_len, err));
    if (!write_piece(w->ar, head, head_len))
        return zip_fail(w, err);
    while (body_len) {
        size_t n = fread(block, 1, (size_t)WSPI_MIN(body_len, sizeof block), body);
        if (n == 0)
            return wspi_fail(err, WSP_ERR_IO, 0, "%s: what %s is to hold cannot be read again",
                             w->file.path, name);
        if (!write_piece(w->ar, block, n))
            return zip_fail(w, err);
        body_len -= n;
    }
    return archive_write_finish_entry(w->ar) == ARCHIVE_OK ? WSP_OK : zip_fail(w, err);
}

wsp_status wspi_zip_writer_close(wspi_zip_writer *w, wsp_error *err)
{
    wsp_status st = WSP_OK;

    if (archive_write_close(w->ar) != ARCHIVE_OK)
        st = zip_fail(w, err);
    if (st == WSP_OK)
        st = wsp_outfile_commit(&w->file, err);
    wspi_zip_writer_discard(w);
    return st;
}

void wspi_zip_writer_discard(wspi_zip_writer *w)
{
    if (!w)
        return;
    if (w->ar && w->file.fp)
        (void)archive_write_fail(w->ar); /* else free() would still write the end of the file */
    (void)archive_write_free(w->ar);
    wsp_outfile_discard(&w->file);
    free(w);
}

/* ---- reading ---- */

/* What the members may have together by now: so many bytes, or what the file, read so far, may well expand to. */
static size_t allowed(wspi_unpack *u, size_t plain)
{
    enum { RATIO = 32 }; /* tokens come down to a tenth */
    int64_t read = archive_filter_bytes(wspi_unpack_archive(u), -1);
    size_t all = read > 0 && (uint64_t)read < SIZE_MAX / RATIO ? (size_t)read * RATIO : 0;

    return WSPI_MAX(plain, all);
}

/* before: bytes of the members before it. */
static wsp_status read_member(wspi_unpack *u, wspi_source *src, wspi_buf *b, size_t before,
                              const char *path, const char *name, size_t plain, wsp_error *err)
{
    wsp_status st = WSP_OK;
    ssize_t got = 1;

    while (st == WSP_OK && got > 0) {
        size_t most = allowed(u, plain), had = before + b->len;
        size_t more = had < most ? WSPI_MIN(65536, most - had) : 0;
        uint8_t extra;

        if (more == 0) { /* full: one byte more would be too many */
            got = wspi_source_read(src, &extra, 1);
            if (got > 0)
                return wspi_fail(
                    err, WSP_ERR_LIMIT, 0,
                    "%s: up to member %s it has more than %zu bytes: more than such a file would",
                    path, name, most);
            break;
        }
        st = wspi_buf_reserve(b, more);
        if (st == WSP_OK)
            got = wspi_source_read(src, b->data + b->len, more);
        if (st == WSP_OK && got > 0)
            b->len += (size_t)got;
    }
    if (st < 0)
        return wspi_nomem(err, name, b->len);
    if (got < 0)
        return wspi_fail(err, WSP_ERR_FORMAT, b->len, "%s: member %s: %s", path, name,
                         src->fault.text);
    return WSP_OK;
}

/* *sum: bytes of the members so far. */
static wsp_status hand_over(wspi_unpack *u, const char *path, const char *name, size_t plain,
                            size_t *sum, wspi_zip_member_fn *fn, void *arg, wsp_error *err)
{
    wspi_source *src = wspi_source_member(wspi_unpack_archive(u));
    wsp_status st;
    wspi_buf b;

    if (!src)
        return wspi_nomem(err, name, 1);
    wspi_buf_init(&b, SIZE_MAX / 2);
    st = read_member(u, src, &b, *sum, path, name, plain, err);
    wspi_source_free(src);
    if (st == WSP_OK && !b.data && !(b.data = malloc(1)))
        st = wspi_nomem(err, name, 1);
    if (st < 0) {
        wspi_buf_clear(&b);
        return st;
    }
    *sum += b.len;
    return fn(arg, name, b.data, b.len, err);
}

wsp_status wspi_zip_read(const char *path, size_t plain, wspi_zip_member_fn *fn, void *arg,
                         wsp_error *err)
{
    bool std = strcmp(path, "-") == 0;
    int fd = std ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC);
    const char *name;
    wspi_source *src;
    wspi_unpack *u;
    wsp_status st;
    size_t sum = 0;

    if (fd < 0)
        return wspi_fail(err, WSP_ERR_IO, 0, "%s: %s", path, strerror(errno));
    src = wspi_source_fd(fd, !std);
    if (!src) {
        if (!std)
            (void)close(fd);
        return wspi_nomem(err, path, sizeof *src);
    }
    if (wspi_source_peek(src, 4) < 4 || src->head[0] != 'P' || src->head[1] != 'K')
        st = wspi_fail(err, WSP_ERR_ARG, 0, "%s: not a ZIP file", path);
    else
        st = wspi_unpack_open(&u, src, path, true, NULL, err);
    if (st < 0) {
        wspi_source_free(src);
        return st;
    }
    while ((st = wspi_unpack_next(u, &name, err)) == WSP_OK) {
        st = hand_over(u, path, name, plain, &sum, fn, arg, err);
        if (st < 0)
            break;
    }
    wspi_unpack_free(u);
    return st < 0 ? st : WSP_OK;
}
