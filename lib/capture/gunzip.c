/* SPDX-License-Identifier: Apache-2.0 */
/*
 * gunzip.c: a byte source under gzip (RFC 1952), through zlib. libarchive reads gzip too, but keeps up to 64 KiB of what it has unpacked when the
 * stream breaks off, which of a small capture is all of it; here everything comes out that is there.
 */
#include "capture/input_int.h"

#include <zlib.h>

struct wspi_gunzip {
    wspi_source *from;
    z_stream z;
    bool between; /* members: at the end of one */
    bool done;
    uint8_t block[65536];
};

wsp_status wspi_gunzip_new(wspi_gunzip **out, wspi_source *from)
{
    enum { LARGEST_WINDOW = 15, GZIP = 16 };
    wspi_gunzip *g = calloc(1, sizeof *g);

    *out = NULL;
    if (!g || inflateInit2(&g->z, LARGEST_WINDOW + GZIP) != Z_OK) {
        free(g);
        return WSP_ERR_NOMEM;
    }
    g->from = from;
    *out = g;
    return WSP_OK;
}

void wspi_gunzip_free(wspi_gunzip *g)
{
    if (!g)
        return;
    (void)inflateEnd(&g->z);
    wspi_source_free(g->from);
    free(g);
}

/* The next bytes of the file, behind those that are left: 1 = there are some, 0 = end, -1 = fault. */
static int refill(wspi_gunzip *g, wspi_source *to)
{
    size_t left = g->z.avail_in;
    ssize_t got;

    if (left)
        memmove(g->block, g->z.next_in, left);
    got = wspi_source_read(g->from, g->block + left, sizeof g->block - left);
    if (got < 0) {
        to->fault = g->from->fault;
        to->fatal = g->from->fatal;
        return -1;
    }
    if (got == 0 && !g->between) {
        (void)wspi_fail(&to->fault, WSP_ERR_FORMAT, g->from->pos, "truncated gzip input");
        return -1;
    }
    g->z.next_in = g->block;
    g->z.avail_in = (uInt)(left + (size_t)got);
    return got > 0;
}

/* Members follow each other as if they were one; what else follows is no part of the stream, as for gzip(1). 1 = one does, 0 = none, -1 = fault. */
static int begin_member(wspi_gunzip *g, wspi_source *to)
{
    static const uint8_t magic[] = {0x1f, 0x8b};
    int rc = 1;

    while (rc > 0 && g->z.avail_in < sizeof magic)
        rc = refill(g, to);
    if (rc <= 0)
        return rc;
    g->between = false;
    return memcmp(g->z.next_in, magic, sizeof magic) == 0 && inflateReset(&g->z) == Z_OK;
}

/* 1: as before; 0 = end, -1 = fault. */
static int inflate_some(wspi_gunzip *g, wspi_source *to)
{
    int rc;

    if (g->between && (rc = begin_member(g, to)) <= 0)
        return rc;
    if (g->z.avail_in == 0 && (rc = refill(g, to)) <= 0)
        return rc;
    rc = inflate(&g->z, Z_NO_FLUSH);
    g->between = rc == Z_STREAM_END;
    if (rc == Z_OK || rc == Z_STREAM_END || rc == Z_BUF_ERROR)
        return 1;
    (void)wspi_fail(&to->fault, rc == Z_MEM_ERROR ? WSP_ERR_NOMEM : WSP_ERR_FORMAT, g->from->pos,
                    "damaged gzip input (%s)", g->z.msg ? g->z.msg : "no memory");
    return -1;
}

ssize_t wspi_gunzip_pull(wspi_gunzip *g, void *buf, size_t n, wspi_source *to)
{
    const uInt room = (uInt)WSPI_MIN(n, (size_t)UINT_MAX);
    int more = !g->done;

    g->z.next_out = buf;
    g->z.avail_out = room;
    while (more > 0 && g->z.avail_out == room)
        more = inflate_some(g, to);
    g->done = more <= 0;
    if (g->z.avail_out < room) /* a fault behind it comes with the next call */
        return (ssize_t)(room - g->z.avail_out);
    return more;
}
