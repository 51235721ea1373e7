/* SPDX-License-Identifier: Apache-2.0 */
/* squeeze.c: how many bytes gzip, xz and zstd make of a stream, through libarchive's filters; nothing is stored. */
#include "capture/capture_int.h"

#include <archive.h>
#include <archive_entry.h>

struct wspi_squeeze {
    struct archive *ar;
    const char *name;
    uint64_t size;
    size_t n;
    uint8_t block[65536]; /* so that packets do not go one by one */
};

static const struct {
    const char *name, *level;
    int (*add)(struct archive *);
} methods[WSPI_SQUEEZE_METHODS] = {
    [WSPI_SQUEEZE_GZIP] = {"gzip", "9", archive_write_add_filter_gzip},
    [WSPI_SQUEEZE_XZ] = {"xz", "6", archive_write_add_filter_xz},
    [WSPI_SQUEEZE_ZSTD] = {"zstd", "19", archive_write_add_filter_zstd},
};

static la_ssize_t on_write(struct archive *ar, void *arg, const void *p, size_t len)
{
    wspi_squeeze *s = arg;

    (void)ar;
    (void)p;
    s->size += len;
    return (la_ssize_t)len;
}

/* `st` unless memory ran out, which must not look like a method that is not there. */
static wsp_status squeeze_fail(wspi_squeeze *s, wsp_status st, wsp_error *err)
{
    const char *why = archive_error_string(s->ar);

    errno = archive_errno(s->ar);
    return wspi_fail(err, errno == ENOMEM ? WSP_ERR_NOMEM : st, s->size, "%s: %s", s->name,
                     why ? why : "libarchive cannot compress");
}

/* The one file that the raw format holds; its bytes are the stream. */
static bool start_file(struct archive *ar)
{
    struct archive_entry *e = archive_entry_new();
    bool good;

    if (!e)
        return false;
    archive_entry_set_pathname(e, "stream");
    archive_entry_set_filetype(e, AE_IFREG);
    good = archive_write_header(ar, e) == ARCHIVE_OK;
    archive_entry_free(e);
    return good;
}

wsp_status wspi_squeeze_open(wspi_squeeze **out, wspi_squeeze_method how, wsp_error *err)
{
    wspi_squeeze *s = calloc(1, sizeof *s);
    wsp_status st = WSP_OK;

    *out = NULL;
    if (!s || !(s->ar = archive_write_new())) {
        free(s);
        return wspi_nomem(err, "a compressor", sizeof *s);
    }
    s->name = methods[how].name;
    /* ARCHIVE_WARN would mean that an outside program does it */
    if (methods[how].add(s->ar) != ARCHIVE_OK ||
        archive_write_set_format_raw(s->ar) != ARCHIVE_OK ||
        archive_write_set_filter_option(s->ar, s->name, "compression-level", methods[how].level) !=
            ARCHIVE_OK ||
        archive_write_set_bytes_per_block(s->ar, 0) != ARCHIVE_OK || /* no padding at the end */
        archive_write_open(s->ar, s, NULL, on_write, NULL) != ARCHIVE_OK || !start_file(s->ar))
        st = squeeze_fail(s, WSP_ERR_UNSUPPORTED, err);
    if (st < 0) {
        wspi_squeeze_free(s);
        return st;
    }
    *out = s;
    return WSP_OK;
}

static wsp_status flush(wspi_squeeze *s, wsp_error *err)
{
    const uint8_t *p = s->block;

    while (s->n) {
        la_ssize_t got = archive_write_data(s->ar, p, s->n);

        if (got <= 0)
            return squeeze_fail(s, WSP_ERR_IO, err);
        p += got;
        s->n -= (size_t)got;
    }
    return WSP_OK;
}

wsp_status wspi_squeeze_add(wspi_squeeze *s, const void *p, size_t len, wsp_error *err)
{
    const uint8_t *b = p;

    while (len) {
        size_t n = WSPI_MIN(len, sizeof s->block - s->n);

        memcpy(s->block + s->n, b, n);
        s->n += n;
        b += n;
        len -= n;
        if (s->n == sizeof s->block)
            WSP_TRY(flush(s, err));
    }
    return WSP_OK;
}

wsp_status wspi_squeeze_finish(wspi_squeeze *s, uint64_t *size, wsp_error *err)
{
    *size = 0;
    WSP_TRY(flush(s, err));
    if (archive_write_close(s->ar) != ARCHIVE_OK)
        return squeeze_fail(s, WSP_ERR_IO, err);
    *size = s->size;
    return WSP_OK;
}

void wspi_squeeze_free(wspi_squeeze *s)
{
    if (!s)
        return;
    /* This closes it as well. Failing it first would be faster, but then libarchive loses the filter's memory. */
    (void)archive_write_free(s->ar);
    free(s);
}
