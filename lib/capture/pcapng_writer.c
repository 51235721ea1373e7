/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pcapng_writer.c: pcapng files with nanoseconds, several interfaces and packet comments, little-endian on every machine. Format:
 * https://www.ietf.org/archive/id/draft-ietf-opsawg-pcapng-02.html. Writes what it is given: no check of packets.
 *
 *     block: type 32 | length 32 | body, padded to 32 bits | options | length 32      option: code 16 | length 16 | value, padded
 */
#include "capture/capture_int.h"

enum {
    SECTION = 0x0a0d0d0a,
    INTERFACE = 1,
    PACKET = 6,
    OPT_END = 0,
    OPT_COMMENT = 1,
    OPT_DESCRIPTION = 3, /* of an interface */
    OPT_PROGRAM = 4,     /* of a section */
    OPT_RESOLUTION = 9,  /* of an interface: 10^-n seconds */
    MAX_OPTION = 65535,
};

struct wsp_pcapng_writer {
    wsp_outfile file;
    wspi_buf block;
    uint32_t *most; /* [interfaces] bytes of a packet */
    size_t most_cap;
    uint32_t interfaces;
    uint64_t packets;
};

static wsp_status put(wspi_buf *b, uint64_t v, size_t bytes)
{
    uint8_t p[8];

    for (size_t i = 0; i < bytes; i++)
        p[i] = (uint8_t)(v >> 8 * i);
    return wspi_buf_add(b, p, bytes);
}

static wsp_status put_padded(wspi_buf *b, const void *p, size_t len)
{
    WSP_TRY(wspi_buf_add(b, p, len));
    return put(b, 0, (4 - len % 4) % 4);
}

static wsp_status put_option(wspi_buf *b, unsigned code, const void *p, size_t len)
{
    len = WSPI_MIN(len, (size_t)MAX_OPTION);
    WSP_TRY(put(b, code, 2));
    WSP_TRY(put(b, len, 2));
    return put_padded(b, p, len);
}

static wsp_status start_block(wspi_buf *b, uint32_t type)
{
    b->len = 0;
    WSP_TRY(put(b, type, 4));
    return put(b, 0, 4); /* the length, when it is known */
}

static wsp_status write_block(wsp_pcapng_writer *w, wsp_error *err)
{
    wspi_buf *b = &w->block;
    uint32_t len = (uint32_t)b->len + 4;

    if (put(b, len, 4) < 0)
        return wspi_nomem(err, "a block", b->len);
    for (size_t i = 0; i < 4; i++)
        b->data[4 + i] = (uint8_t)(len >> 8 * i);
    if (fwrite(b->data, 1, b->len, w->file.fp) == b->len)
        return WSP_OK;
    return wspi_fail(err, WSP_ERR_IO, 0, "%s: cannot write after %llu packets: %s", w->file.path,
                     (unsigned long long)w->packets, strerror(errno));
}

static wsp_status make_section(wspi_buf *b)
{
    static const char program[] = "wirespeak " PACKAGE_VERSION;

    WSP_TRY(start_block(b, SECTION));
    WSP_TRY(put(b, 0x1a2b3c4d, 4));
    WSP_TRY(put(b, 1, 4));          /* version 1.0 */
    WSP_TRY(put(b, UINT64_MAX, 8)); /* length of the section: not told */
    WSP_TRY(put_option(b, OPT_PROGRAM, program, sizeof program - 1));
    return put(b, OPT_END, 4);
}

wsp_status wsp_pcapng_writer_open(wsp_pcapng_writer **out, const char *path, wsp_error *err)
{
    wsp_pcapng_writer *w = calloc(1, sizeof *w);
    wsp_status st;

    *out = NULL;
    if (!w)
        return wspi_nomem(err, "a pcapng writer", sizeof *w);
    wspi_buf_init(&w->block, (size_t)1 << 28);
    st = wsp_outfile_open(&w->file, path, true, err);
    if (st == WSP_OK)
        st = make_section(&w->block) < 0 ? wspi_nomem(err, "a block", 0) : write_block(w, err);
    if (st < 0) {
        wsp_pcapng_writer_discard(w);
        return st;
    }
    *out = w;
    return WSP_OK;
}

static wsp_status make_interface(wspi_buf *b, int linktype, const char *name)
{
    static const uint8_t nanoseconds = 9;

    WSP_TRY(start_block(b, INTERFACE));
    WSP_TRY(put(b, (uint64_t)linktype, 4));
    WSP_TRY(put(b, wspi_linktype_most(linktype), 4));
    WSP_TRY(put_option(b, OPT_DESCRIPTION, name, strlen(name)));
    WSP_TRY(put_option(b, OPT_RESOLUTION, &nanoseconds, 1));
    return put(b, OPT_END, 4);
}

wsp_status wsp_pcapng_writer_interface(wsp_pcapng_writer *w, int linktype, const char *name,
                                       uint32_t *id, wsp_error *err)
{
    if (linktype < 0 || linktype > 0xffff)
        return wspi_fail(err, WSP_ERR_ARG, 0, "%s: link type %d is outside 0..65535", w->file.path,
                         linktype);
    if (make_interface(&w->block, linktype, name) < 0 ||
        wspi_grow(&w->most, &w->most_cap, w->interfaces + 1, sizeof *w->most) < 0)
        return wspi_nomem(err, "a block", w->block.len);
    w->most[w->interfaces] = wspi_linktype_most(linktype);
    *id = w->interfaces++;
    return write_block(w, err);
}

static wsp_status make_packet(wspi_buf *b, uint32_t interface, const wsp_frame *f,
                              const char *const *comments, size_t n)
{
    WSP_TRY(start_block(b, PACKET));
    WSP_TRY(put(b, interface, 4));
    WSP_TRY(put(b, f->time_ns >> 32, 4));
    WSP_TRY(put(b, f->time_ns, 4));
    WSP_TRY(put(b, f->caplen, 4));
    WSP_TRY(put(b, f->wirelen, 4));
    WSP_TRY(put_padded(b, f->data, f->caplen));
    for (size_t i = 0; i < n; i++)
        WSP_TRY(put_option(b, OPT_COMMENT, comments[i], strlen(comments[i])));
    return n ? put(b, OPT_END, 4) : WSP_OK;
}

wsp_status wsp_pcapng_writer_add(wsp_pcapng_writer *w, uint32_t interface, const wsp_frame *frame,
                                 const char *const *comments, size_t n, wsp_error *err)
{
    if (interface >= w->interfaces)
        return wspi_fail(err, WSP_ERR_ARG, 0, "%s: there is no interface %u", w->file.path,
                         interface);
    if (frame->caplen > w->most[interface])
        return wspi_fail(err, WSP_ERR_LIMIT, 0,
                         "%s: a packet of %u bytes; readers take %u of this link type at most",
                         w->file.path, frame->caplen, w->most[interface]);
    if (make_packet(&w->block, interface, frame, comments, n) < 0)
        return wspi_nomem(err, "a block", w->block.len);
    WSP_TRY(write_block(w, err));
    w->packets++;
    return WSP_OK;
}

wsp_status wsp_pcapng_writer_close(wsp_pcapng_writer *w, wsp_error *err)
{
    wsp_status st = wsp_outfile_commit(&w->file, err);

    wspi_buf_clear(&w->block);
    free(w->most);
    free(w);
    return st;
}

void wsp_pcapng_writer_discard(wsp_pcapng_writer *w)
{
    if (!w)
        return;
    wsp_outfile_discard(&w->file);
    wspi_buf_clear(&w->block);
    free(w->most);
    free(w);
}
