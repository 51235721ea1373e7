/* SPDX-License-Identifier: Apache-2.0 */
/* tls.c: TLS 1.3 (RFC 8446) inside of others' dialogs: hellos, and records of what cannot be read. */
#include "generate/dialog/dialog.h"

enum { TLS_HANDSHAKE = 22, TLS_DATA = 23, TLS_RECORD = 5 };

/* | type | 3 3 | length 16 | random bytes |, up to `want`. */
static void tls_data(wspi_pen *p, size_t want)
{
    enum { LEAST = 17 };
    size_t n = WSPI_MAX(wspi_pen_left(p, want, TLS_RECORD), (size_t)LEAST);

    wspi_pen_be(p, TLS_DATA, 1);
    wspi_pen_be(p, 0x0303, 2);
    wspi_pen_be(p, n, 2);
    wspi_pen_random(p, n);
}

/* An extension with these bytes: | type 16 | length 16 | bytes |. */
static void tls_extension(wspi_pen *p, unsigned type, const char *bytes, size_t n)
{
    wspi_pen_be(p, type, 2);
    wspi_pen_be(p, n, 2);
    wspi_pen_add(p, bytes, n);
}

/* A client's or a server's hello; what it then leaves of `want` is padding (RFC 7685), or data under the new keys. */
static void tls_greet(wspi_pen *p, int dir, size_t want)
{
    enum {
        PADDING = 21,
        GROUPS = 10,
        ALGORITHMS = 13,
        VERSIONS = 43,
        SHARES = 51,
        KEY = 32,
        HEAD = 4
    };
    size_t record = p->n, body, list;

    wspi_pen_be(p, TLS_HANDSHAKE, 1);
    wspi_pen_be(p, dir ? 0x0303 : 0x0301, 2);
    wspi_pen_zeros(p, 2);
    body = p->n;
    wspi_pen_be(p, dir ? 2 : 1, 1);
    wspi_pen_zeros(p, 3);
    wspi_pen_be(p, 0x0303, 2);
    wspi_pen_random(p, 32);
    wspi_pen_zeros(p, 1); /* no session */
    wspi_pen_add(p, dir ? "\x13\x01\0" : "\0\x04\x13\x01\x13\x02\x01\0", dir ? 3 : 8);
    list = p->n;
    wspi_pen_zeros(p, 2);
    if (!dir)
        tls_extension(p, GROUPS, "\0\2\0\x1d", 4);
    if (!dir)
        tls_extension(p, ALGORITHMS, "\0\4\4\3\x08\4", 6);
    tls_extension(p, VERSIONS, dir ? "\3\4" : "\2\3\4", dir ? 2 : 3);
    wspi_pen_be(p, SHARES, 2);
    wspi_pen_be(p, KEY + HEAD + (dir ? 0 : 2), 2);
    if (!dir)
        wspi_pen_be(p, KEY + HEAD, 2);
    wspi_pen_be(p, 0x001d, 2);
    wspi_pen_be(p, KEY, 2);
    wspi_pen_random(p, KEY);
    if (!dir && wspi_pen_left(p, want, HEAD) > 0) {
        size_t n = wspi_pen_left(p, want, HEAD);
        wspi_pen_be(p, PADDING, 2);
        wspi_pen_be(p, n, 2);
        wspi_pen_zeros(p, n);
    }
    wspi_pen_be_at(p, list, p->n - list - 2, 2);
    wspi_pen_be_at(p, body + 1, p->n - body - 4, 3);
    wspi_pen_be_at(p, record + 3, p->n - body, 2);
    if (dir && wspi_pen_left(p, want, TLS_RECORD) > 17)
        tls_data(p, want);
}

void wspi_pen_tls(wspi_pen *p, int dir, bool first, size_t want)
{
    if (first)
        tls_greet(p, dir, want);
    else
        tls_data(p, want);
}
