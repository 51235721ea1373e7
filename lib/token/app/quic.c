/* SPDX-License-Identifier: Apache-2.0 */
/*
 * quic.c: QUIC over UDP, its headers; what they protect is opaque, but for Initials. RFC 9000 17.2, 17.3 and RFC 9369 3.2:
 * long:   | 1 | 1 | type 2 | low 4 | version 32 | n 8 | destination id | n 8 | source id | rest |, where rest is of
 *   initial:  | n varint | token | n varint | packet |    0-rtt, handshake:  | n varint | packet |    retry:  | token |
 * version negotiation:  | 1 | low 7 | 0 32 | n 8 | destination id | n 8 | source id | versions 32 ... |
 * short:  | 0 | 1 | low 6 | destination id | packet |, whose lengths only the flow's long headers tell
 * Google's QUIC before the standard:  Q046:  | 1 | 1 | type 2 | low 4 | version 32 | n 4 | n 4 | ids | packet |
 *   Q043 and older:  | 0 | 0 | number length 2 | id 1 | nonce 1 | reset 1 | version 1 | id 64 | version 32 | packet |
 * A datagram may hold several long headers, then a short one or zeros. Ids are opaque; their lengths are expected to be
 * those that the other side has asked for.
 * Everybody can open Initials (quic_crypto.c): their frames are told (quic_frames.c), if what is told gives the same bytes again. What
 * samples say there that no token says is in quic_hello.c; the rest of a sample is as random as it looks.
 */
#include "token/app/app.h"
#include "token/app/quic_frames.h"
#include "token/app/quic_initial.h"

enum {
    INITIAL,
    ZERO_RTT,
    HANDSHAKE,
    RETRY,
    NEGOTIATION,
    SHORT,
    PADDING,
    PUBLIC,
    ANONYMOUS,
    OPENING
};

enum { MAX_CID = 20, LEAST_CID = 4, PUBLIC_CID = 8, MAX_PACKETS = 12, MAX_VERSIONS = 32 };
/* RFC 9000 14.1: a datagram that begins a connection; the least that another packet behind the first takes. */
enum { LEAST_DATAGRAM = 1200, LEAST_MORE = 72 };
enum { V1 = 1, V2 = 0x6b3343cf, Q043 = 0x51303433, Q046 = 0x51303436, Q050 = 0x51303530 };

static const wspi_value type[] = {{INITIAL, "initial"},
                                  {ZERO_RTT, "0-rtt"},
                                  {HANDSHAKE, "handshake"},
                                  {RETRY, "retry"},
                                  {NEGOTIATION, "version-negotiation"},
                                  {SHORT, "short"},
                                  {PADDING, "padding"},
                                  {PUBLIC, "public"},
                                  {ANONYMOUS, "public-no-id"},
                                  {OPENING, "public-version"},
                                  {0, NULL}};

/* Samples take the first three: their Initials can be protected. */
static const wspi_value version[] = {{V1, "1"},
                                     {V2, "2"},
                                     {0xff00001d, "draft-29"},
                                     {0xff00001b, "draft-27"},
                                     {0xff00001c, "draft-28"},
                                     {0xff000020, "draft-32"},
                                     {0xff000022, "draft-34"},
                                     {0xff000017, "draft-23"},
                                     {0xff000018, "draft-24"},
                                     {0xff000019, "draft-25"},
                                     {0xff000016, "draft-22"},
                                     {0xfaceb001, "mvfst-1"},
                                     {0xfaceb002, "mvfst-2"},
                                     {Q050, "Q050"},
                                     {Q046, "Q046"},
                                     {Q043, "Q043"},
                                     {0x51303339, "Q039"},
                                     {0x51303335, "Q035"},
                                     {0x54303531, "T051"},
                                     {0x54303530, "T050"},
                                     {0, NULL}};

static const wspi_value frame[] = {{WSPI_QUIC_PADDING, "padding"},
                                   {WSPI_QUIC_CRYPTO, "crypto"},
                                   {WSPI_QUIC_CLIENT_HELLO, "client-hello"},
                                   {WSPI_QUIC_SERVER_HELLO, "server-hello"},
                                   {WSPI_QUIC_ACK, "ack"},
                                   {WSPI_QUIC_PING, "ping"},
                                   {WSPI_QUIC_ACK_ECN, "ack-ecn"},
                                   {WSPI_QUIC_CLOSE, "close"},
                                   {0, NULL}};

static const wspi_field fields[] = {
    [TYPE] = {WSPI_ENUM("quic.type", 8, type)},
    [LOW] = {WSPI_FREE("quic.low", 8, WSPI_P_CONST, WSPI_R_NUMBER)},
    [VER] = {WSPI_ENUM("quic.version", 32, version), .pred = WSPI_P_MIRROR},
    [DCIDLEN] = {WSPI_MAG("quic.dcidlen", 5, WSPI_R_NONE, 3), .pred = WSPI_P_MIRROR},
    [SCIDLEN] = {WSPI_MAG("quic.scidlen", 5, WSPI_R_NONE, 3), .pred = WSPI_P_PREV},
    [TOKEN] = {WSPI_MAG("quic.token", 16, WSPI_R_NONE, 1), .pred = WSPI_P_PREV},
    [LENGTH] = {WSPI_MAG("quic.length", 16, WSPI_R_NONE, 2)},
    [VARINT] = {WSPI_MAG("quic.varint", 2, WSPI_R_NONE, 1)},
    [FRAME] = {WSPI_ENUM("quic.frame", 16, frame)},
    [RUN] = {WSPI_MAG("quic.padding", 16, WSPI_R_NONE, 1)},
};

/* ---- what it looks like ---- */

static bool is_google(uint64_t v)
{
    return v >> 24 == 'Q' && (v >> 16 & 255) == '0' && (v >> 8 & 255) >= '2' &&
           (v >> 8 & 255) <= '4' && (v & 255) >= '0' && (v & 255) <= '9';
}

/* Google's before it had the long header of the standard's drafts. */
static bool is_public(uint64_t v)
{
    return is_google(v) && v <= Q043;
}

/* A version whose long header is that of the standard, or of Q046. RFC 9000 15 keeps 0x?a?a?a?a to exercise. */
static bool is_long_version(uint64_t v)
{
    return v == V1 || v == V2 || (v >= 0xff000016 && v <= 0xff0000ff) || v >> 4 == 0xfaceb00 ||
           v == Q050 || v == 0x54303530 || v == 0x54303531 || v == Q046 ||
           (v & 0x0f0f0f0f) == 0x0a0a0a0a;
}

/* Bytes of the two ids and their lengths at b[5], or 0 when they do not fit n. */
static size_t ids_len(const uint8_t *b, size_t n, bool nibbled)
{
    size_t d, s;

    if (nibbled) {
        d = n > 5 && b[5] >> 4 ? (b[5] >> 4) + 3u : 0;
        s = n > 5 && b[5] & 15 ? (b[5] & 15) + 3u : 0;
        return n > 5 && n >= 6 + d + s ? 1 + d + s : 0;
    }
    d = n > 5 ? b[5] : MAX_CID + 1;
    s = d <= MAX_CID && n > 6 + d ? b[6 + d] : MAX_CID + 1;
    return d <= MAX_CID && s <= MAX_CID && n >= 7 + d + s ? 2 + d + s : 0;
}

static bool looks_long(const uint8_t *b, size_t n)
{
    uint64_t v = n >= 7 ? wspi_load_be(b + 1, 4) : 0;
    size_t ids;

    if (n < 7 || !(b[0] & 0x80))
        return false;
    ids = ids_len(b, n, v == Q046);
    if (!ids)
        return false;
    if (v == 0) /* a list of versions, one of them a known one */
        return n >= 9 + ids && (n - 5 - ids) % 4 == 0 && n <= 5 + ids + MAX_VERSIONS * 4 &&
               (is_long_version(wspi_load_be(b + 5 + ids, 4)) ||
                is_long_version(wspi_load_be(b + n - 4, 4)) ||
                is_google(wspi_load_be(b + 5 + ids, 4)));
    return b[0] & 0x40 && is_long_version(v);
}

static bool looks_opening(const uint8_t *b, size_t n)
{
    return n >= 14 && (b[0] & 0xcb) == 0x09 && is_public(wspi_load_be(b + 9, 4));
}

/* Headers without a version are only possible; the walk takes them where the flow is known to be QUIC. */
static bool looks(const uint8_t *b, size_t n)
{
    return looks_long(b, n) || looks_opening(b, n) || (n >= 9 && (b[0] & 0xc0) == 0x40) ||
           (n >= 9 && (b[0] & 0xc3) == 0);
}

/* ---- what the flow has told ---- */

static bool flow_version(const wspi_coder *c, uint64_t *v)
{
    int dir = wspi_quic_have(c, c->dir, HAVE_VER) ? c->dir : !c->dir;

    *v = c->app.v[dir][VER];
    return wspi_quic_have(c, dir, HAVE_VER);
}

static bool flow_is_public(const wspi_coder *c)
{
    uint64_t v;

    return flow_version(c, &v) && is_public(v);
}

/* Packets go to the id that the other side has as its source. */
static uint64_t dcid_len(wspi_coder *c, uint64_t n)
{
    bool told = wspi_quic_have(c, !c->dir, HAVE_IDS);
    uint64_t want = told ? c->app.v[!c->dir][SCIDLEN] : c->app.v[c->dir][DCIDLEN];

    if (told || wspi_quic_have(c, c->dir, HAVE_IDS))
        wspi_app_only(c, 0, 0);
    else
        wspi_app_only(c, 8, 10); /* RFC 9000 7.2: a client begins with 8 bytes or more */
    n = wspi_app_code(c, DCIDLEN, told || wspi_quic_have(c, c->dir, HAVE_IDS), want, n);
    wspi_app_require(c, n <= MAX_CID);
    return n;
}

/* Samples: none, or so many bytes that no two connections have the same id by chance. */
static void forbid_short_ids(wspi_coder *c)
{
    unsigned base = wspi_field_base(c->pay.app, SCIDLEN);

    for (unsigned k = 1; c->legal && !c->deviations && k < LEAST_CID; k++)
        c->legal[base + k] = 0;
}

static uint64_t scid_len(wspi_coder *c, uint64_t n)
{
    uint64_t want = c->app.v[c->dir][SCIDLEN];

    wspi_app_only(c, 0, wspi_quic_have(c, c->dir, HAVE_IDS) ? 0 : 18);
    n = wspi_app_code(c, SCIDLEN, wspi_quic_have(c, c->dir, HAVE_IDS), want, n);
    forbid_short_ids(c);
    wspi_app_require(c, n <= MAX_CID);
    return n;
}

/* The id of whom: one that the client makes up for its first packets, then those of the two sides. */
enum { FIRST_ID, CLIENT_ID, SERVER_ID };

static unsigned whose(const wspi_coder *c)
{
    return c->dir ? CLIENT_ID : wspi_quic_have(c, 1, HAVE_IDS) ? SERVER_ID : FIRST_ID;
}

/* An id; of a sample it is the same wherever the flow has it. */
static void put_id(wspi_coder *c, size_t n, unsigned of)
{
    wspi_rng r;

    if (!c->fill) {
        wspi_app_opaque(c, n);
        return;
    }
    wspi_rng_seed(&r, c->fill->seed ^ (of + 1) * UINT64_C(0x71756963));
    while (n-- && !wspi_app_stopped(c))
        wspi_app_put(c, 1, wspi_rng_u64(&r) & 255);
}

static void long_ids(wspi_coder *c)
{
    uint64_t n = dcid_len(c, wspi_app_get(c, 1));

    wspi_app_put(c, 1, n);
    put_id(c, (size_t)n, whose(c));
    n = scid_len(c, wspi_app_get(c, 1));
    wspi_app_put(c, 1, n);
    put_id(c, (size_t)n, c->dir ? SERVER_ID : CLIENT_ID);
    c->app.mode[c->dir] |= HAVE_IDS;
}

/* The destination of the client's first packets, from which the keys of Initials follow: the flow's name. */
static void keep_first_id(wspi_coder *c, size_t at, bool captured)
{
    if (c->dir || wspi_quic_have(c, 1, HAVE_IDS) || !captured || wspi_app_stopped(c))
        return;
    c->name_at = at;
    c->name_len = (uint16_t)c->app.v[0][DCIDLEN];
}

/* Q046: | n 4 | n 4 |, of 0 or 3 more. */
static void nibbled_ids(wspi_coder *c)
{
    uint64_t b = wspi_app_get(c, 1), d = b >> 4, s = b & 15;

    d = dcid_len(c, d ? d + 3 : 0);
    s = scid_len(c, s ? s + 3 : 0);
    wspi_app_require(c, (d == 0 || d > 3) && (s == 0 || s > 3) && d <= 18 && s <= 18);
    wspi_app_put(c, 1, (d ? d - 3 : 0) << 4 | (s ? s - 3 : 0));
    wspi_app_opaque(c, (size_t)(d + s));
    c->app.mode[c->dir] |= HAVE_IDS;
}

/* ---- varints ---- */

/* Samples: a length that is in the datagram; of one that has to be full the rest has room for another packet. */
static uint64_t within_datagram(const wspi_coder *c, uint64_t v, uint64_t most)
{
    if (v > most || (c->pay.wire >= LEAST_DATAGRAM && most - v < LEAST_MORE))
        return most;
    return v;
}

/*
 * A varint (RFC 9000 16) that is field f. It is as wide as it must be, or 1 << usual bytes if that is more; another width
 * is told for one varint of a packet only, or it could not be said for which.
 */
static uint64_t varint(wspi_coder *c, unsigned f, uint64_t want, unsigned usual, bool tell_width)
{
    uint64_t v = wspi_app_get(c, 1), width = v >> 6;
    unsigned least;

    v &= 63;
    for (unsigned i = 1; i < 1u << width; i++)
        v = v << 8 | wspi_app_get(c, 1);
    wspi_app_require(c, v < 1u << 16);
    v = wspi_app_code(c, f, true, want, v);
    if (c->fill && tell_width)
        v = within_datagram(c, v, want);
    least = v < 64 ? 0 : v < 1u << 14 ? 1 : 2;
    if (tell_width)
        wspi_app_only(c, 0, 0);
    if (tell_width)
        width = wspi_app_code(c, VARINT, true, WSPI_MAX(least, usual), width);
    wspi_app_require(c, tell_width ? width >= least : !c->enc || width == least);
    width = tell_width ? width : least;
    wspi_app_put(c, (size_t)1 << width, v | width << ((8u << width) - 2));
    return v;
}

/* ---- samples ---- */

/* Is the datagram filled up that begins with this packet: a client's Initial, or the server's first (RFC 9000 14.1)? */
static bool is_full(const wspi_coder *c, uint64_t t)
{
    return c->fill && t == INITIAL && !(c->dir && wspi_quic_have(c, c->dir, HAVE_IDS));
}

static void grow(wspi_coder *c)
{
    c->pay.wire = WSPI_MAX(c->pay.wire, (size_t)LEAST_DATAGRAM);
    c->pay.end = WSPI_MAX(c->pay.end, (size_t)LEAST_DATAGRAM);
}

/* Types of which `types` has no bit are not sampled here. */
static void forbid_types(wspi_coder *c, unsigned types)
{
    unsigned base = wspi_field_base(c->pay.app, TYPE), n = wspi_field_count(c->pay.app, TYPE);

    for (unsigned k = 0; c->legal && !c->deviations && k < n; k++)
        if (!(types >> k & 1))
            c->legal[base + k] = 0;
}

/* Each side begins with an Initial, the client before the server; other headers come when both have begun. */
static unsigned first_types(const wspi_coder *c)
{
    unsigned later = 1u << HANDSHAKE | 1u << SHORT;

    if (!wspi_quic_have(c, 0, HAVE_IDS))
        return c->dir ? 1u << SHORT : 1u << INITIAL;
    return 1u << INITIAL | (wspi_quic_have(c, 1, HAVE_IDS) ? later : 0);
}

/* Behind another packet: none where no whole one has room. */
static unsigned next_types(const wspi_coder *c)
{
    return wspi_app_left(c) < LEAST_MORE ? 0 : 1u << HANDSHAKE | 1u << SHORT;
}

/* ---- packets ---- */

/* Bits of the first byte that are no part of the type. */
static void low_bits(wspi_coder *c, uint64_t b, unsigned mask, unsigned high)
{
    wspi_app_put(c, 1, high | (wspi_app_code(c, LOW, false, 0, b & mask) & mask));
}

/* Number of a type on the wire: version 2 counts from retry on. */
static unsigned wire_type(uint64_t t, uint64_t v)
{
    return (unsigned)(v == V2 ? (t + 1) & 3 : t);
}

/* What a long header has behind its ids. */
static void long_rest(wspi_coder *c, uint64_t t, wspi_quic_initial *p, enum wspi_quic_form form)
{
    bool begins = t == INITIAL && !wspi_quic_have(c, !c->dir, HAVE_IDS);
    uint64_t left;

    p->id_at = c->pay.at - WSPI_MIN(c->pay.at, (size_t)c->app.v[c->dir][SCIDLEN]);
    if (t == INITIAL) {
        wspi_app_only(c, 0, 0);
        left = varint(c, TOKEN, p->again ? c->app.v[c->dir][TOKEN] : 0, 0, false);
        wspi_app_opaque(c, (size_t)left);
    }
    p->length_at = c->pay.at;
    left = wspi_app_left(c) > 2 ? wspi_app_left(c) - 2 : 0;
    if (begins)
        wspi_app_only(c, 0, 0);
    left = varint(c, LENGTH, left, 1, true);
    p->at = c->pay.at;
    if (t == INITIAL)
        wspi_quic_initial_rest(c, p, (size_t)left, form);
    else if (c->fill)
        wspi_app_opaque(c, wspi_quic_refit(c, p->length_at, (size_t)left, LEAST_PACKET));
    else
        wspi_app_opaque(c, WSPI_MIN((size_t)left, wspi_app_left(c)));
}

static void long_packet(wspi_coder *c, uint64_t t, enum wspi_quic_form form)
{
    wspi_quic_initial p = {.start = c->pay.at, .again = wspi_quic_have(c, c->dir, HAVE_IDS)};
    uint64_t b = wspi_app_get(c, 1), v = wspi_app_get(c, 4), want;
    bool known = flow_version(c, &want), captured;

    if (is_full(c, t))
        grow(c);
    wspi_app_only(c, 0, known ? 0 : 3);
    v = wspi_app_code(c, VER, known, want, v);
    c->app.mode[c->dir] |= HAVE_VER;
    low_bits(c, b, 15, 0xc0 | wire_type(t, v) << 4);
    wspi_app_put(c, 4, v);
    captured = c->fill || wspi_app_captured(c) > MAX_CID;
    if (v == Q046)
        nibbled_ids(c);
    else
        long_ids(c);
    if (v == Q046 || t == RETRY) {
        wspi_app_opaque(c, wspi_app_left(c));
        return;
    }
    if (t == INITIAL)
        keep_first_id(c, p.start + 6, captured);
    long_rest(c, t, &p, form);
}

/* ---- reading Initials ---- */

/* The walk over a packet in one form; false: it does not fit, and nothing has happened. */
static bool try_form(wspi_coder *c, enum wspi_quic_form form)
{
    size_t n = c->n, resid = c->res_out->len, at = c->pay.at, name_at = c->name_at;
    uint16_t name_len = c->name_len;
    wspi_app_state app = c->app;

    long_packet(c, INITIAL, form);
    if (!wspi_app_stopped(c) && c->n < WSPI_APP_TOKENS)
        return true;
    c->n = n;
    c->res_out->len = resid;
    c->pay.at = at;
    c->name_at = name_at;
    c->name_len = name_len;
    c->app = app;
    c->pay.fail = c->bad = false;
    return false;
}

/* Encoding: with the fields of its hello, as frames, or as what it looks like. Where parts are asked for, they are those of the wire. */
static void initial_packet(wspi_coder *c)
{
    uint8_t copy[WSPI_QUIC_MAX_OPEN];
    const uint8_t *in = c->pay.in;
    bool done = false;

    if (c->enc && !c->spans && wspi_quic_open_ahead(c, copy)) {
        c->pay.in = copy;
        for (unsigned form = FIELDS; form < SEALED && !done; form++)
            done = try_form(c, (enum wspi_quic_form)form);
        c->pay.in = in;
    }
    if (!done)
        long_packet(c, INITIAL, c->enc ? SEALED : FIELDS);
}

/* ---- the other packets ---- */

static void negotiation(wspi_coder *c)
{
    uint64_t b = wspi_app_get(c, 1), v = wspi_app_get(c, 4);

    low_bits(c, b, 0x7f, 0x80);
    wspi_app_put(c, 4, 0);
    long_ids(c);
    for (int i = 0; i < MAX_VERSIONS; i++)
        if (!wspi_app_element(c, VER, 4, wspi_app_captured(c) >= 4, &v))
            return;
}

static void short_packet(wspi_coder *c)
{
    size_t n = (size_t)c->app.v[!c->dir][SCIDLEN], least;

    low_bits(c, wspi_app_get(c, 1), 0x3f, 0x40);
    if (c->fill && wspi_quic_have(c, !c->dir, HAVE_IDS))
        put_id(c, WSPI_MIN(n, (size_t)MAX_CID), whose(c));
    least = c->fill ? LEAST_PACKET : 0;
    wspi_app_opaque(c, WSPI_MAX(wspi_app_left(c), least));
}

static void public_packet(wspi_coder *c, uint64_t t)
{
    uint64_t want;
    bool known = flow_version(c, &want);

    low_bits(c, wspi_app_get(c, 1), 0x34, t == OPENING ? 9 : t == PUBLIC ? 8 : 0);
    if (t != ANONYMOUS)
        wspi_app_opaque(c, PUBLIC_CID);
    if (t == OPENING) {
        (void)wspi_app_field(c, VER, 4, known, want);
        c->app.mode[c->dir] |= HAVE_VER;
    }
    wspi_app_opaque(c, wspi_app_left(c));
}

static void padding(wspi_coder *c)
{
    size_t captured = wspi_app_captured(c), left = wspi_app_left(c);

    for (size_t i = 0; i < captured && !wspi_app_stopped(c); i++)
        wspi_app_put(c, 1, wspi_app_get(c, 1));
    c->pay.at += wspi_app_stopped(c) ? 0 : left - captured;
}

static void packet(wspi_coder *c, uint64_t t)
{
    if (t == INITIAL)
        initial_packet(c);
    else if (t <= RETRY)
        long_packet(c, t, SEALED);
    else if (t == NEGOTIATION)
        negotiation(c);
    else if (t == SHORT)
        short_packet(c);
    else if (t == PADDING)
        padding(c);
    else if (t <= OPENING)
        public_packet(c, t);
    else
        wspi_app_fail(c);
}

/* Encoding: the type of what comes next, or -1. What has no version is QUIC only in a flow that is. */
static int type_ahead(const wspi_coder *c, bool first, bool known)
{
    const uint8_t *b = c->pay.in + c->pay.at;
    size_t n = wspi_app_captured(c);
    bool public = flow_is_public(c);

    if (n == 0)
        return -1;
    if (looks_long(b, n) && wspi_load_be(b + 1, 4))
        return ((b[0] >> 4 & 3) + (wspi_load_be(b + 1, 4) == V2 ? 3 : 0)) & 3;
    if (first && looks_long(b, n))
        return NEGOTIATION;
    if (first && looks_opening(b, n))
        return OPENING;
    if (first && known && public && n > PUBLIC_CID && (b[0] & 0xc3) == 0)
        return b[0] & 8 ? PUBLIC : ANONYMOUS;
    if (known && !public && (b[0] & 0xc0) == 0x40)
        return SHORT;
    return !first && wspi_zeros(b, n) ? PADDING : -1;
}

static void walk(wspi_coder *c)
{
    bool known = c->ctx->app.id[0] == c->pay.app || c->ctx->app.id[1] == c->pay.app, again, more;
    int ahead = c->enc ? type_ahead(c, true, known) : 0;
    uint64_t t = 0, want = 0;
    unsigned types;
    bool full;

    wspi_app_require(c, ahead >= 0);
    again = wspi_app_last(c, true, TYPE, &want) && (want == SHORT || want >= PUBLIC);
    t = wspi_app_code(c, TYPE, again, want, (uint64_t)ahead);
    forbid_types(c, first_types(c));
    full = is_full(c, t);
    packet(c, t);
    for (int i = 0; i < MAX_PACKETS && t <= HANDSHAKE && !wspi_app_stopped(c); i++) {
        ahead = c->enc ? type_ahead(c, false, true) : 0;
        t = (uint64_t)ahead;
        more = wspi_app_next(c, TYPE, ahead >= 0, &t);
        types = next_types(c);
        if (full && i == MAX_PACKETS - 1) /* which takes all that is left */
            types &= 1u << SHORT;
        forbid_types(c, types);
        if (!more && full && c->pay.at < LEAST_DATAGRAM && types && wspi_asked(c))
            c->need = true;
        if (!more)
            return;
        packet(c, t);
    }
}

const wspi_app wspi_app_quic = {
    .proto = {.name = "quic", .fields = fields, .n_fields = WSPI_COUNT(fields)},
    .over = WSPI_OVER_UDP,
    .looks = looks,
    .walk = walk,
    .ports = {443},
};
