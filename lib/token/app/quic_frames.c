/* SPDX-License-Identifier: Apache-2.0 */
/*
 * quic_frames.c: what is in QUIC's Initial packets: RFC 9000 12.4, 19:
 *   | number 8..32 | frames |:  padding  | 0 | ... |   ping  | 1 |   ack  | 2 or 3 | numbers ... |
 *   crypto  | 6 | offset | length | data |   close  | 1c | error | type | length | reason |;  numbers are varints
 * A CRYPTO frame that is one whole hello has TLS's fields. Other numbers and data are opaque.
 */
#include "token/app/quic_frames.h"

enum { MAX_FRAMES = 64, MAX_RANGES = 32, MESSAGE = 4, HELLO_HEAD = 4 };

static const uint8_t *bytes_at(const wspi_coder *c, size_t at)
{
    return (c->enc ? c->pay.in : c->pay.out->data) + at;
}

/* A varint that nobody learns from: its first byte says how long it is, to both sides. */
static uint64_t number(wspi_coder *c)
{
    size_t at = c->pay.at, n;
    uint64_t v;

    if (c->fill) {
        v = wspi_rng_u64(&c->rng) & 63;
        wspi_app_put(c, 1, v);
        return v;
    }
    wspi_app_require(c, wspi_app_captured(c) >= 1);
    wspi_app_opaque(c, 1);
    if (wspi_app_stopped(c))
        return 0;
    n = (size_t)1 << (*bytes_at(c, at) >> 6);
    wspi_app_require(c, wspi_app_captured(c) >= n - 1);
    wspi_app_opaque(c, n - 1);
    if (wspi_app_stopped(c))
        return 0;
    v = *bytes_at(c, at) & 63u;
    for (size_t i = 1; i < n; i++)
        v = v << 8 | *bytes_at(c, at + i);
    return v;
}

/* Up to the end of the packet, if nothing else is told. */
static void padding(wspi_coder *c, size_t end)
{
    size_t left = end > c->pay.at ? end - c->pay.at : 1, n = 0;
    uint8_t *b;

    while (c->enc && n < left && c->pay.in[c->pay.at + n] == 0)
        n++;
    wspi_app_only(c, 0, 0);
    n = (size_t)wspi_app_code(c, WSPI_QUIC_RUN, true, left, n);
    wspi_app_require(c, n > 0 && (c->fill || n <= left));
    if (wspi_app_stopped(c))
        return;
    b = c->enc ? NULL : wspi_payload_room(c, n);
    if (b)
        memset(b, 0, n);
    c->pay.at += n;
}

static void nothing(wspi_coder *c, size_t end)
{
    (void)c;
    (void)end;
}

static void ack(wspi_coder *c, size_t end)
{
    uint64_t ranges;

    (void)end;
    if (c->fill) { /* of the other side's first, whose number is 0 */
        wspi_app_put(c, 4, (wspi_rng_u64(&c->rng) & 63) << 16);
        return;
    }
    (void)number(c);
    (void)number(c);
    ranges = number(c);
    wspi_app_require(c, ranges <= MAX_RANGES);
    for (uint64_t i = 0; i < 1 + 2 * ranges && !wspi_app_stopped(c); i++)
        (void)number(c);
}

static void ack_ecn(wspi_coder *c, size_t end)
{
    ack(c, end);
    for (int i = 0; i < 3; i++)
        (void)number(c);
}

/* A length, and as many bytes. */
static void data(wspi_coder *c, size_t end)
{
    uint64_t n = number(c);

    wspi_app_require(c, c->fill || (c->pay.at <= end && n <= end - c->pay.at));
    wspi_app_opaque(c, (size_t)n);
}

static void crypto(wspi_coder *c, size_t end)
{
    (void)number(c);
    data(c, end);
}

static void closing(wspi_coder *c, size_t end)
{
    (void)number(c);
    (void)number(c);
    data(c, end);
}

/* The offset is 0, the length a varint of two bytes: so they write it, and other hellos are opaque. */
static void hello(wspi_coder *c, bool client)
{
    uint64_t len = wspi_app_get(c, 3);
    size_t from;

    wspi_app_put(c, 3, 0);
    from = c->pay.at;
    wspi_tls_hello(c, from + (size_t)(len & 0x3fff), client);
    if (wspi_app_stopped(c))
        return;
    if (c->enc) {
        wspi_app_require(c, c->pay.at - from == (len & 0x3fff));
        return;
    }
    len = c->pay.at - from;
    wspi_app_require(c, len < 1 << 14);
    c->pay.out->data[from - 2] = (uint8_t)(0x40 | len >> 8);
    c->pay.out->data[from - 1] = (uint8_t)len;
}

static void client_hello(wspi_coder *c, size_t end)
{
    (void)end;
    hello(c, true);
}

static void server_hello(wspi_coder *c, size_t end)
{
    (void)end;
    hello(c, false);
}

static const struct frame {
    enum wspi_quic_frame type;
    void (*body)(wspi_coder *c, size_t end);
} frames[] = {{WSPI_QUIC_PADDING, padding},
              {WSPI_QUIC_PING, nothing},
              {WSPI_QUIC_ACK, ack},
              {WSPI_QUIC_ACK_ECN, ack_ecn},
              {WSPI_QUIC_CRYPTO, crypto},
              {WSPI_QUIC_CLOSE, closing},
              {WSPI_QUIC_CLIENT_HELLO, client_hello},
              {WSPI_QUIC_SERVER_HELLO, server_hello}};

/* One frame; the type byte of padding is one of its zeros. */
static void one_frame(wspi_coder *c, uint64_t type, size_t end)
{
    size_t i = 0;

    while (i < WSPI_COUNT(frames) && frames[i].type != type)
        i++;
    if (i == WSPI_COUNT(frames)) {
        wspi_app_fail(c);
        return;
    }
    if (type != WSPI_QUIC_PADDING) {
        (void)wspi_app_get(c, 1);
        wspi_app_put(c, 1, type & 255);
    }
    frames[i].body(c, end);
    wspi_app_require(c, c->fill || c->pay.at <= end);
}

/* Encoding: the frame that comes next. A hello's message fills its frame. */
static uint64_t frame_ahead(const wspi_coder *c, size_t at, size_t end, bool hellos)
{
    const uint8_t *b = c->pay.in + at;
    size_t n = end - at, len;

    if (*b != WSPI_QUIC_CRYPTO || !hellos || n < HELLO_HEAD + MESSAGE || b[1] || b[2] >> 6 != 1)
        return *b;
    len = (size_t)(b[2] & 63) << 8 | b[3];
    if (b[4] < 1 || b[4] > 2 || b[5] || len > n - HELLO_HEAD || len < MESSAGE ||
        ((size_t)b[6] << 8 | b[7]) != len - MESSAGE)
        return *b;
    return (uint64_t)b[4] << 8 | WSPI_QUIC_CRYPTO;
}

/* ---- samples ---- */

enum { NONE_YET = 0xffff };

/* May a sample have the frame after the last one? A hello comes alone, or after the acknowledgement of one. */
static bool sampled(const wspi_coder *c, const wspi_quic_body *body, uint64_t last, uint64_t type)
{
    uint64_t hello = c->dir ? WSPI_QUIC_SERVER_HELLO : WSPI_QUIC_CLIENT_HELLO;

    if (last == NONE_YET)
        return body->first ? type == hello || (body->heard && type == WSPI_QUIC_ACK)
                           : type == (body->heard ? WSPI_QUIC_ACK : WSPI_QUIC_PING);
    if (last == WSPI_QUIC_ACK && body->first)
        return type == hello;
    return last != WSPI_QUIC_PADDING && type == WSPI_QUIC_PADDING;
}

/* Grammar: takes back other frames; where one has to be there, a token is needed. */
static void forbid_frames(wspi_coder *c, const wspi_quic_body *body, uint64_t last, bool more)
{
    const wspi_field *d = &wspi_proto_of(c->pay.app)->fields[WSPI_QUIC_FRAME];
    unsigned base = wspi_field_base(c->pay.app, WSPI_QUIC_FRAME);

    if (!c->legal || c->deviations)
        return;
    for (unsigned k = 0; d->values[k].name; k++)
        if (!sampled(c, body, last, d->values[k].value))
            c->legal[base + k] = 0;
    if (!more && c->pos == c->n && !sampled(c, body, last, WSPI_QUIC_PADDING) &&
        last != WSPI_QUIC_PADDING)
        c->need = true;
}

/* ---- all of them ---- */

bool wspi_quic_code_frames(wspi_coder *c, const wspi_quic_body *body)
{
    uint64_t type = 0, last = NONE_YET;
    bool more;

    for (int i = 0; i < MAX_FRAMES && !wspi_app_stopped(c); i++) {
        size_t at = c->pay.at + (i ? 0 : body->number_len);
        bool there = c->enc && at < body->end;

        if (there)
            type = frame_ahead(c, at, body->end, body->hellos);
        more = wspi_app_next(c, WSPI_QUIC_FRAME, there, &type);
        forbid_frames(c, body, last, more);
        if (!more)
            return i > 0 || c->need;
        if (!i)
            wspi_app_opaque(c, body->number_len);
        one_frame(c, type, body->end);
        last = type;
    }
    wspi_app_require(c, c->fill || c->pay.at == body->end);
    return true;
}
