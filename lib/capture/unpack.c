/* SPDX-License-Identifier: Apache-2.0 */
/*
 * unpack.c: archives and compressed files as a stream of members, through libarchive; nothing is
 * written to disk.
 */
#include "capture/input_int.h"

#include <archive_entry.h>
#include <ctype.h>
#include <locale.h>

#define BLOCK_LEN 65536

struct wspi_unpack {
    struct archive *ar;
    wspi_source *src;
    char *name;   /* the archive's own, for messages */
    char *member; /* of the current member */
    size_t members;
    bool started, done, zip_only;
    locale_t utf8; /* or 0: not on this system */
    uint8_t block[BLOCK_LEN];
};

/* libarchive drops what it has when a read fails: gzip that breaks off ends the archive there, and next_header says why it ends. */
static la_ssize_t on_read(struct archive *ar, void *arg, const void **out)
{
    wspi_unpack *u = arg;
    ssize_t got = wspi_source_read(u->src, u->block, sizeof u->block);

    if (got < 0 && u->src->fault.status == WSP_ERR_FORMAT)
        got = 0;
    if (got < 0)
        archive_set_error(ar, u->src->fault.sys_errno ? u->src->fault.sys_errno : EIO, "%s",
                          u->src->fault.text);
    *out = u->block;
    return (la_ssize_t)got;
}

static la_int64_t on_seek(struct archive *ar, void *arg, la_int64_t off, int whence)
{
    wspi_unpack *u = arg;
    int64_t to = wspi_source_seek(u->src, off, whence);

    (void)ar;
    return to < 0 ? ARCHIVE_FATAL : to;
}

/*
 * Every format and compression that libarchive reads by itself. Left out on purpose: mtree, whose
 * text may name other files of the disk, and the filters that start outside programs (lrzip, grzip,
 * lzop).
 */
static void allow_all(struct archive *ar)
{
    static int (*const table[])(struct archive *) = {
        archive_read_support_filter_bzip2, archive_read_support_filter_compress,
        archive_read_support_filter_gzip,  archive_read_support_filter_lz4,
        archive_read_support_filter_lzip,  archive_read_support_filter_lzma,
        archive_read_support_filter_rpm,   archive_read_support_filter_xz,
        archive_read_support_filter_zstd,  archive_read_support_format_7zip,
        archive_read_support_format_ar,    archive_read_support_format_cab,
        archive_read_support_format_cpio,  archive_read_support_format_iso9660,
        archive_read_support_format_lha,   archive_read_support_format_rar,
        archive_read_support_format_rar5,  archive_read_support_format_tar,
        archive_read_support_format_warc,  archive_read_support_format_xar,
        archive_read_support_format_zip,   archive_read_support_format_raw,
    };

    for (size_t i = 0; i < WSPI_COUNT(table); i++)
        (void)table[i](ar); /* a library built without one just does not know it */
}

static wsp_status archive_fail(wspi_unpack *u, wsp_error *err)
{
    const char *why = u->src->fault.status < 0 ? u->src->fault.text : archive_error_string(u->ar);

    u->done = true;
    return wspi_fail(err, u->src->fault.status == WSP_ERR_IO ? WSP_ERR_IO : WSP_ERR_FORMAT,
                     u->src->pos, "%s: %s", u->name, why ? why : "the archive is damaged");
}

wsp_status wspi_unpack_open(wspi_unpack **out, wspi_source *src, const char *name, bool zip_only,
                            const char *password, wsp_error *err)
{
    static const uint8_t magic_7z[6] = {'7', 'z', 0xbc, 0xaf, 0x27, 0x1c};
    wspi_unpack *u;
    wsp_status st;

    *out = NULL;
    if (!src->seekable && wspi_source_peek(src, 6) == 6 && memcmp(src->head, magic_7z, 6) == 0)
        return wspi_fail(err, WSP_ERR_UNSUPPORTED, 0,
                         "%s: a 7z archive can only be read from a file of its own, not from a "
                         "pipe or another archive",
                         name);
    u = calloc(1, sizeof *u);
    if (!u || !(u->name = strdup(name)) || !(u->ar = archive_read_new())) {
        if (u)
            free(u->name);
        free(u);
        return wspi_nomem(err, "an archive reader", sizeof *u);
    }
    u->utf8 = newlocale(LC_CTYPE_MASK, "C.UTF-8", (locale_t)0);
    u->src = src;
    u->zip_only = zip_only;
    if (password)
        (void)archive_read_add_passphrase(u->ar, password);
    if (zip_only)
        (void)archive_read_support_format_zip(u->ar);
    else
        allow_all(u->ar);
    if (src->seekable)
        (void)archive_read_set_seek_callback(u->ar, on_seek);
    (void)archive_read_set_read_callback(u->ar, on_read);
    (void)archive_read_set_callback_data(u->ar, u);
    if (archive_read_open1(u->ar) < ARCHIVE_WARN) {
        st = archive_fail(u, err);
        u->src = NULL; /* stays the caller's */
        wspi_unpack_free(u);
        return st;
    }
    *out = u;
    return WSP_OK;
}

/* Keeps the member's name, one line whatever it holds. */
static wsp_status keep_name(wspi_unpack *u, struct archive_entry *e, wsp_error *err)
{
    const char *name = archive_entry_pathname(e);

    if (!name)
        name = archive_entry_pathname_utf8(e); /* not convertible to the locale's letters */
    free(u->member);
    u->member = strdup(name && *name ? name : "unnamed");
    if (!u->member)
        return wspi_nomem(err, "a member's name", 1);
    for (char *p = u->member; *p; p++)
        if (iscntrl((unsigned char)*p))
            *p = '?';
    return WSP_OK;
}

static bool ends_with(const char *name, const char *tail)
{
    size_t n = strlen(name), t = strlen(tail);

    return n >= t && strcmp(name + n - t, tail) == 0;
}

/* Token files (.npz) are zips of arrays: where captures are looked for, that is said once and not of every array. */
static bool is_arrays(const wspi_unpack *u, struct archive_entry *e)
{
    const char *member = archive_entry_pathname(e);

    return !u->zip_only && !u->started && member && ends_with(u->name, ".npz") &&
           ends_with(member, ".npy");
}

static wsp_status next_header(wspi_unpack *u, struct archive_entry **e, wsp_error *err)
{
    int rc, tries = 0;

    do
        rc = archive_read_next_header(u->ar, e);
    while (rc == ARCHIVE_RETRY && ++tries < 10);
    if (rc == ARCHIVE_EOF && u->src->fault.status < 0)
        return archive_fail(u, err);
    if (rc == ARCHIVE_EOF) {
        u->done = true;
        if (u->members == 0 && !u->zip_only)
            return wspi_fail(err, WSP_ERR_FORMAT, 0, "%s: the archive holds no file", u->name);
        return WSP_EOF;
    }
    if (!u->started && !u->zip_only && rc >= ARCHIVE_WARN &&
        archive_format(u->ar) == ARCHIVE_FORMAT_RAW &&
        archive_filter_code(u->ar, 0) == ARCHIVE_FILTER_NONE) {
        u->done = true;
        return wspi_fail(err, WSP_ERR_FORMAT, 0, "%s: not a capture (pcap, pcapng) nor an archive",
                         u->name);
    }
    if (rc >= ARCHIVE_WARN && is_arrays(u, *e)) {
        u->done = true;
        return wspi_fail(err, WSP_ERR_FORMAT, 0,
                         "%s: a token file (.npz), no capture: train and eval read it, and "
                         "detokenize makes captures of it",
                         u->name);
    }
    u->started = true;
    return rc < ARCHIVE_WARN ? archive_fail(u, err) : WSP_OK;
}

static wsp_status next_member(wspi_unpack *u, const char **member, wsp_error *err)
{
    struct archive_entry *e = NULL;
    wsp_status st;

    for (;;) {
        if (u->done)
            return WSP_EOF;
        st = next_header(u, &e, err);
        if (st != WSP_OK)
            return st;
        if (archive_format(u->ar) == ARCHIVE_FORMAT_RAW) {
            u->members++;
            return WSP_OK;
        }
        if (archive_entry_filetype(e) != AE_IFREG || archive_entry_hardlink(e))
            continue;
        u->members++;
        WSP_TRY(keep_name(u, e, err));
        *member = u->member;
        return WSP_OK;
    }
}

/* libarchive gives no name that the locale has no letters for, and nobody has set one. */
wsp_status wspi_unpack_next(wspi_unpack *u, const char **member, wsp_error *err)
{
    locale_t before = u->utf8 ? uselocale(u->utf8) : (locale_t)0;
    wsp_status st;

    *member = NULL;
    st = next_member(u, member, err);
    if (before)
        (void)uselocale(before);
    return st;
}

struct archive *wspi_unpack_archive(wspi_unpack *u)
{
    return u->ar;
}

void wspi_unpack_stop(wspi_unpack *u)
{
    u->done = true;
}

void wspi_unpack_free(wspi_unpack *u)
{
    if (!u)
        return;
    (void)archive_read_free(u->ar);
    if (u->utf8)
        freelocale(u->utf8);
    wspi_source_free(u->src);
    free(u->name);
    free(u->member);
    free(u);
}
