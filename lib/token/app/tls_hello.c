/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tls_hello.c: hellos of TLS, over TCP, in QUIC and in DTLS. RFC 8446 4.1.2, RFC 5246 7.4.1:
 * hello:  | version 16 | random 256 | session id <0..32> | ciphers <2..2^16> or cipher 16 | compression | extensions |
 * A client's in DTLS has a cookie <0..255> before its ciphers (RFC 6347 4.2.1).
 */
#include "token/app/tls_hello.h"

#include "token/app/quic_hello.h"
#include "token/app/tls_lists.h"
#include "token/app/tls_offer.h"
#include "token/app/tls_other.h"

enum { MAX_LIST = 200, MAX_SAMPLED = 80, MAX_DATAGRAM = 40, LATE = 20 };
enum {
    STATUS_REQUEST = 5,
    KEY_SHARE = 51,
    PADDING = 21,
    PADDED = 512,
    GREASED = 0x0a0a
}; /* RFC 7685 4; RFC 8701, one of many */

static bool in_quic(const wspi_coder *c)
{
    return c->pay.within == WSPI_APP_QUIC;
}

static bool in_dtls(const wspi_coder *c)
{
    return c->pay.within == WSPI_APP_DTLS;
}

/* With 2 more the 1's complement: 0xfeff is 1.0, 0xfefd 1.2, 0xfefc 1.3. It is its own inverse. */
uint16_t wspi_dtls_version(uint64_t v)
{
    return (uint16_t)(0x0200 - v);
}

/* A version's number in tokens, or in bytes. */
static uint64_t turned(const wspi_coder *c, unsigned f, uint64_t v)
{
    return in_dtls(c) && (f == HELLO || f == OFFERED) ? wspi_dtls_version(v) : v;
}

/*
 * Samples: QUIC's TLS is 1.3 (RFC 9001 4.2): its ciphers and version only; first what servers take, of whose group the keys are. Over
 * TCP, versions that have no name come first.
 */
static void only_offered(wspi_coder *c, unsigned f, bool first)
{
    if (in_dtls(c) && f == OFFERED) { /* 1.2, then 1.3 */
        wspi_app_only(c, first ? 0 : 3, 1);
        return;
    }
    if (in_dtls(c) && f == SRTP) { /* a server takes one */
        wspi_app_only(c, 0, first || !c->dir ? 4 : 0);
        return;
    }
    if (!in_quic(c) && (f != OFFERED || first))
        return;
    if (f == CIPHER)
        wspi_app_only(c, !first, first ? 1 : 2);
    else if (f == OFFERED)
        wspi_app_only(c, in_quic(c) ? 3 : 0, in_quic(c) ? first : WSPI_COUNT(version) - 1);
    else if (f == GROUP)
        wspi_app_only(c, !first, first ? 1 : 7);
}

static enum wspi_tls_list list_of(unsigned f)
{
    return f == CIPHER      ? WSPI_TLS_CIPHERS
           : f == GROUP     ? WSPI_TLS_GROUPS
           : f == EXTENSION ? WSPI_TLS_EXTENSIONS
           : f == SIGALG    ? WSPI_TLS_SIGALGS
                            : WSPI_TLS_VERSIONS;
}

/* Samples: what "other" is, if the token that came last says that. */
static uint64_t made_other(const wspi_coder *c, unsigned f, bool first, size_t *nth, uint64_t v)
{
    const wspi_field *d = &wspi_proto_of(c->pay.app)->fields[f];
    unsigned other = wspi_field_base(c->pay.app, f) + wspi_field_count(c->pay.app, f) - 1;

    if (!c->fill || d->role != WSPI_R_REGISTERED || c->pos == 0 || c->in[c->pos - 1] != other)
        return v;
    if (in_dtls(c)) /* no browser */
        first = false;
    return wspi_tls_other(c->fill->seed, list_of(f), first, (*nth)++);
}

/* Samples: rows of the list of field f that may come behind so many numbers without a name. */
static uint64_t fitting(const wspi_coder *c, unsigned f, bool client, size_t others, size_t nth)
{
    uint64_t rows, again;

    if (!wspi_asked(c))
        return UINT64_MAX;
    rows = ~wspi_tls_unfit(c, f, client);
    if (others >= wspi_tls_others(list_of(f)))
        rows &= ~(UINT64_C(1) << (wspi_field_count(c->pay.app, f) - 1));
    if (nth && (nth >= LATE || c->n >= WSPI_READ) && wspi_tls_missing(c, f, client))
        rows &= wspi_tls_missing(c, f, client);
    return client && wspi_tls_again(c, f, nth, &again) ? again : rows;
}

/* ---- what no model has read ---- */

/*
 * Models read the first tokens of a packet (max_tokens of wirespeak/model.h), and half of all clients say more in a hello. There
 * they have no idea how it goes on, but for its length, which they drew first: a sample whose tokens end as late as that has what clients
 * of its kind have, up to that length.
 */
enum { CIPHERS_MOST = 70, AFTER_CIPHERS = 113 };
static bool is_cut(const wspi_coder *c)
{
    return c->fill && c->dir == 0 && !c->pay.within && c->n >= WSPI_READ && c->pos + 1 >= c->n;
}

/* Is v among the numbers of two bytes from `at` on? */
static bool is_listed(const wspi_coder *c, size_t at, uint16_t v)
{
    const wspi_buf *b = c->pay.out;

    for (; at + 2 <= b->len; at += 2)
        if ((b->data[at] << 8 | b->data[at + 1]) == v)
            return true;
    return false;
}

/* The list from `at` on gets what it lacks. Behind ciphers there has to be room for what comes after them. */
static void complete_list(wspi_coder *c, unsigned f, size_t at)
{
    size_t room = wspi_app_left(c), have = (c->pay.at - at) / 2, k;
    const uint16_t *usual;

    k = wspi_tls_usual(list_of(f), &usual);
    if (f == CIPHER) {
        room = room > AFTER_CIPHERS ? room - AFTER_CIPHERS : 0;
        room = WSPI_MIN(room, 2 * (CIPHERS_MOST - WSPI_MIN(have, (size_t)CIPHERS_MOST)));
    }
    for (size_t i = 0; i < k && room >= 2 && !wspi_app_stopped(c); i++)
        if (!is_listed(c, at, usual[i])) {
            wspi_app_put(c, 2, usual[i]);
            wspi_tls_offer_value(c, f, usual[i]);
            room -= 2;
        }
}

/* Samples: a list has nothing twice that has a name. */
static uint64_t row_bit(const wspi_coder *c, unsigned f, uint64_t v)
{
    const wspi_value *rows = wspi_proto_of(c->pay.app)->fields[f].values;
    unsigned k = wspi_row_of(rows, v);

    return rows[k].name ? UINT64_C(1) << k : 0;
}

/* An element that was told: samples have another number where it is "other". Returns its bit of the list. */
static uint64_t put_listed(wspi_coder *c, unsigned f, bool first, size_t *others, uint64_t v)
{
    v = made_other(c, f, first, others, v);
    wspi_app_put(c, 2, turned(c, f, v));
    wspi_tls_offer_value(c, f, v);
    return c->fill ? row_bit(c, f, v) : 0;
}

/* Elements of two bytes up to the end of the span; the first is always there. */
static void list(wspi_coder *c, unsigned f, const wspi_app_span *s, bool client)
{
    int most = !c->fill ? MAX_LIST : c->pay.within ? MAX_DATAGRAM - 1 : MAX_SAMPLED;
    uint64_t v = turned(c, f, wspi_app_get(c, 2)), seen, again;
    size_t others = 0;

    only_offered(c, f, true);
    v = wspi_app_code(c, f, false, 0, v);
    wspi_app_keep(c, f, fitting(c, f, client, 0, 0));
    if (wspi_app_stopped(c))
        return;
    seen = put_listed(c, f, true, &others, v);
    others = in_dtls(c) ? others : 0;
    for (int i = 0; i < most; i++) {
        bool there = wspi_app_inside(c, s), more;

        only_offered(c, f, false);
        v = c->enc && there ? turned(c, f, wspi_app_get(c, 2)) : 0;
        more = wspi_app_next(c, f, there, &v);
        wspi_app_keep(c, f, ~seen & fitting(c, f, client, others, (size_t)i + 1));
        if (!more && wspi_asked(c) &&
            (wspi_tls_missing(c, f, client) ||
             (client && wspi_tls_again(c, f, (size_t)i + 1, &again) && again & ~seen)))
            c->need = true;
        if (!more)
            break;
        seen |= put_listed(c, f, false, &others, v);
    }
    if (is_cut(c))
        complete_list(c, f, s->at);
}

static void counted_list(wspi_coder *c, unsigned f, size_t width, bool client)
{
    wspi_app_span s = wspi_app_open(c, width);

    list(c, f, &s, client);
    wspi_app_close(c, s);
}

/* What an extension's body needs of the header of the payload's first packet, which is QUIC's. */
static void quic_turn(const wspi_coder *c, wspi_quic_turn *turn, uint8_t own[UINT8_MAX])
{
    const uint8_t *h = c->pay.out->data;
    size_t len = c->pay.out->len, id = len > 6 ? 7 + (size_t)h[5] : len;

    for (size_t i = 1; i < 5 && i < len; i++)
        turn->version = turn->version << 8 | h[i];
    if (id < len && h[id - 1] <= len - id) {
        turn->id_len = h[id - 1];
        memcpy(own, h + id, turn->id_len);
    }
}

/* Samples: bytes that readers understand, whatever length was told; n of any if there are none for this type. */
static void made_up(wspi_coder *c, uint64_t type, size_t n)
{
    uint8_t b[WSPI_QUIC_FRAMES], own[UINT8_MAX];
    wspi_quic_turn turn = {.seed = c->fill->seed,
                           .server = c->dir,
                           .id = own,
                           .want = in_dtls(c) ? 0 : n, /* the same when it is said again */
                           .group = wspi_tls_share(c, !c->dir)};
    size_t len;

    if (wspi_app_stopped(c))
        return;
    if (c->dir)
        turn.names = wspi_tls_offered(c)[OFFER_MORE] >> WSPI_OFFER_NAMES & 3;
    if (in_quic(c))
        quic_turn(c, &turn, own);
    len = wspi_quic_extension(b, &turn, type);
    if (!len)
        wspi_app_opaque(c, n);
    for (size_t i = 0; i < len; i++)
        wspi_app_put(c, 1, b[i]);
}

/*
 * Types whose body is empty: RFC 7627 5.1, RFC 7366 2, RFC 8446 4.2.6; RFC 6962 3.3.1, and drafts of next-protocol and channel-id;
 * RFC 6066 3 and 8, RFC 5077 3.2.
 */
static bool is_empty(uint64_t type, bool client)
{
    return type == 23 || type == 22 || type == 49 ||
           (client ? type == 18 || type == 13172 || type == 30032
                   : type == 0 || type == 5 || type == 35);
}

static bool is_named(uint64_t type)
{
    return extension[wspi_row_of(extension, type)].name;
}

/* Classes of lengths that a body may have: below 256 bytes, of padding below 512; none or a byte of GREASE (RFC 8701 3.1). */
static unsigned lengths_of(uint64_t type, bool client)
{
    if (!is_named(type))
        return 2;
    if (is_empty(type, client))
        return type != 23 && type != 35 && type != 18;
    return type == PADDING ? 18 : 16;
}

/* A body that tokens tell the length of; of padding it is what is left of `room`. */
static void opaque_body(wspi_coder *c, uint64_t type, size_t n, bool client, size_t room)
{
    if (!c->fill)
        wspi_app_opaque(c, n);
    else if (client && (type == PADDING || !is_named(type)))
        for (n = type == PADDING ? room : n; n; n--)
            wspi_app_put(c, 1, 0);
    else
        made_up(c, type, n);
}

/* RFC 5764 4.1.1: profiles, and an identifier of the master key, which nobody has. */
static void srtp(wspi_coder *c, const wspi_app_span *s, bool client)
{
    size_t n;

    counted_list(c, SRTP, 2, client);
    wspi_app_only(c, 0, 0);
    n = (size_t)wspi_app_code(c, EXTLEN, true, 1, c->enc ? s->end - c->pay.at : 0);
    if (c->fill)
        wspi_app_put(c, 1, 0);
    else
        wspi_app_opaque(c, n);
}

static void extension_body(wspi_coder *c, uint64_t type, const wspi_app_span *s, bool client,
                           size_t room)
{
    size_t n;

    if (type == 10 && client) {
        counted_list(c, GROUP, 2, true);
    } else if (type == 13 && client) {
        counted_list(c, SIGALG, 2, true);
    } else if (type == 43 && client) {
        counted_list(c, OFFERED, 1, true);
    } else if (type == 14 && in_dtls(c)) {
        srtp(c, s, client);
    } else if (type == 43) {
        uint64_t v = turned(c, OFFERED, wspi_app_get(c, 2));

        wspi_app_only(c, 0, 0);
        v = wspi_app_code(c, OFFERED, true, 0x0304, v);
        wspi_app_put(c, 2, turned(c, OFFERED, v));
    } else {
        bool known = type == 23 || type == 35 || type == 18;

        wspi_app_only(c, 0, lengths_of(type, client));
        n = (size_t)wspi_app_code(c, EXTLEN, known, 0, c->enc ? s->end - s->at : 0);
        opaque_body(c, type, n, client, room);
    }
}

/* What a hello in QUIC has to have, and what else a sample's has. */
static const uint16_t quic_needs[] = {10, 13, 16, QUIC_PARAMETERS, 43, 51}, quic_may[] = {0, 45};
enum { SERVER_NEEDS = 4 }; /* where those begin that are a server's too */
/* What samples have over TCP. */
static const uint16_t client_may[] = {10, 13, 23,    43,    35,    18,    0,       16,
                                      11, 51, 45,    5,     27,    65281, 22,      49,
                                      28, 15, 13172, 17513, 30032, 65037, PADDING, GREASED},
                      server_may[] = {23, 11, 65281, 5, 16, 35, 43, 51, 28, 0, 15};
/* And in DTLS, up to 1.2: what follows of 1.3 is not made up. */
static const uint16_t dtls_may[] = {10, 13, 23, 43, 35, 0, 11, 51, 45, 5, 65281, 22, 28, 15, 14},
                      dtls_server_may[] = {23, 11, 65281, 35, 28, 15, 14};

/* Bits of rows. */
static uint64_t rows_of(const wspi_coder *c, const uint16_t *types, size_t n)
{
    bool draft = c->pay.out->len > 1 && c->pay.out->data[1] == 0xff;
    uint64_t rows = 0;

    for (size_t i = 0; i < n; i++)
        rows |= UINT64_C(1) << wspi_row_of(
                    extension, types[i] == QUIC_PARAMETERS && draft ? QUIC_DRAFT : types[i]);
    return rows;
}

/* Samples: the rows that a hello may have, whose bodies can be made up, and those that it needs. */
static void sampled_rows(const wspi_coder *c, bool client, uint64_t *may, uint64_t *needs)
{
    size_t from = client ? 0 : SERVER_NEEDS;

    *may = UINT64_MAX;
    *needs = 0;
    if (!c->fill)
        return;
    if (in_dtls(c)) {
        *may = client ? rows_of(c, dtls_may, WSPI_COUNT(dtls_may))
                      : rows_of(c, dtls_server_may, WSPI_COUNT(dtls_server_may));
        return;
    }
    if (!in_quic(c)) {
        *may = client ? rows_of(c, client_may, WSPI_COUNT(client_may))
                      : rows_of(c, server_may, WSPI_COUNT(server_may));
        if (!client && !c->app.v[0][STAPLES]) /* RFC 6066 8 */
            *may &= ~(UINT64_C(1) << wspi_row_of(extension, STATUS_REQUEST));
        return;
    }
    *needs = rows_of(c, quic_needs + from, WSPI_COUNT(quic_needs) - from);
    *may = *needs | (client ? rows_of(c, quic_may, WSPI_COUNT(quic_may)) : 0);
}

/* Samples: no type twice, but two of GREASE, as browsers have; nothing comes after padding. */
enum { ONCE = 63 };
static void note(uint64_t *seen, uint64_t type)
{
    if (type == PADDING)
        *seen = UINT64_MAX;
    else if (!is_named(type) && !(*seen >> ONCE))
        *seen |= UINT64_C(1) << ONCE;
    else
        *seen |= UINT64_C(1) << wspi_row_of(extension, type);
}

static bool next_extension(wspi_coder *c, bool client, bool there, size_t room, uint64_t *seen,
                           uint64_t *type)
{
    size_t nth = *seen >> ONCE;
    uint64_t may, needs;
    bool more;

    sampled_rows(c, client, &may, &needs);
    if (wspi_asked(c))
        may &= ~(client ? wspi_tls_unfit_extensions(c, &needs) : wspi_tls_untaken(c, &needs));
    if (c->n >= WSPI_READ && needs & ~*seen) /* models have no idea any more */
        may &= needs;
    if (room == 0)
        *seen |= UINT64_C(1) << wspi_row_of(extension, PADDING);
    if (c->enc && there)
        *type = wspi_app_get(c, 2);
    more = wspi_app_next(c, EXTENSION, there, type);
    wspi_app_keep(c, EXTENSION, may & ~*seen);
    if (!more && needs & ~*seen && wspi_asked(c))
        c->need = true;
    if (!more)
        return false;
    if (client)
        *type = made_other(c, EXTENSION, false, &nth, *type);
    wspi_tls_offer_value(c, EXTENSION, *type);
    wspi_app_put(c, 2, *type);
    note(seen, *type);
    return !wspi_app_stopped(c);
}

/* Bytes that an extension's body may have so that the hello from `start` on is no longer than padding makes it. */
static size_t room_for_padding(const wspi_coder *c, size_t start)
{
    size_t at = c->pay.at - start + 4;

    return at < PADDED ? PADDED - at : 0;
}

/* The body of an extension that no token told of. */
static void untold_body(wspi_coder *c, uint64_t type, size_t pad)
{
    wspi_app_span s;

    if (type == 10 || type == 13) {
        s = wspi_app_open(c, 2);
        complete_list(c, type == 10 ? GROUP : SIGALG, s.at);
        wspi_app_close(c, s);
    } else if (type == 43) {
        wspi_app_put(c, 5, UINT64_C(0x0403040303));
        wspi_tls_offer_value(c, OFFERED, 0x0304);
        wspi_tls_offer_value(c, OFFERED, 0x0303);
    } else if (type == 35) {
        wspi_app_opaque(c, wspi_app_left(c));
    } else {
        opaque_body(c, type, is_named(type) ? 4 : 1, true, pad);
    }
}

/* One more extension, if it fits; lists have what they have to. */
static bool add_extension(wspi_coder *c, uint64_t type, size_t pad, uint64_t *seen)
{
    size_t at = c->pay.at, len = c->pay.out->len, nth = *seen >> ONCE;
    wspi_app_span s;

    wspi_app_put(c, 2,
                 is_named(type) ? type
                                : wspi_tls_other(c->fill->seed, WSPI_TLS_EXTENSIONS, false, nth));
    s = wspi_app_open(c, 2);
    untold_body(c, type, pad);
    wspi_app_close(c, s);
    if (wspi_app_stopped(c))
        return false;
    if (type == 43 && c->pay.at > c->pay.wire) /* keys need it */
        c->pay.wire = c->pay.end = c->pay.at;
    if (c->pay.at > c->pay.wire || (type == 10 && wspi_tls_missing(c, GROUP, true)) ||
        (type == 13 && wspi_tls_missing(c, SIGALG, true))) {
        c->pay.at = at;
        c->pay.out->len = len;
        return false;
    }
    note(seen, type);
    wspi_tls_offer_value(c, EXTENSION, type);
    wspi_tls_offer_body(c, type, s.at, true);
    c->app.v[c->dir][STAPLES] |= type == STATUS_REQUEST;
    return true;
}

/* Which clients have an extension: those of TLS up to 1.2, of 1.3, browsers. */
enum { OLD = 1, NEW = 2, BROWSER = 4, ANY = 7 };
static const struct usual {
    uint16_t type;
    uint8_t who;
} usual[] = {{11, ANY}, {10, ANY},     {13, ANY},          {51, NEW}, {43, NEW},
             {45, NEW}, {27, BROWSER}, {GREASED, BROWSER}, {15, OLD}};

/* Does a client have it that has no such yet? What is of 1.3 comes behind a key (RFC 8446 9.2). */
static bool is_usual(const wspi_coder *c, const struct usual *u, uint64_t seen)
{
    static const uint16_t with_key[] = {10, 13};
    uint64_t needs = 0, unfit = wspi_tls_unfit_extensions(c, &needs);
    uint64_t key = UINT64_C(1) << wspi_row_of(extension, KEY_SHARE);
    uint64_t with = rows_of(c, with_key, WSPI_COUNT(with_key));
    uint8_t who = seen >> ONCE ? NEW | BROWSER : unfit & key ? OLD : NEW;

    if (!(u->who & who) || (seen | unfit) >> wspi_row_of(extension, u->type) & 1)
        return false;
    return u->who != NEW || (u->type == KEY_SHARE ? (seen & with) == with : (seen & key) != 0);
}

/* Then padding where clients pad, or a ticket; `start` is the hello's. Returns how many were added. */
static size_t complete_extensions(wspi_coder *c, size_t start, uint64_t seen)
{
    size_t n = 0, pad;

    if (!is_cut(c) || wspi_app_stopped(c))
        return 0;
    for (size_t i = 0; i < WSPI_COUNT(usual); i++)
        if (is_usual(c, &usual[i], seen))
            n += add_extension(c, usual[i].type, 0, &seen);
    pad = room_for_padding(c, start);
    if (pad && c->pay.wire >= start + PADDED - MESSAGE_HEAD && c->pay.wire < start + PADDED + 32)
        n += add_extension(c, PADDING, WSPI_MIN(pad, wspi_app_left(c) - 4), &seen);
    else if (wspi_app_left(c) >= 4 && !(seen >> wspi_row_of(extension, 35) & 1))
        n += add_extension(c, 35, 0, &seen);
    return n;
}

/* The block is left out when there is no extension; an empty block is not of this form. */
static void extensions(wspi_coder *c, size_t start, size_t end, bool client)
{
    uint64_t seen = 0, type = 0, *staples = &c->app.v[c->dir][STAPLES];
    wspi_app_span all, s;
    size_t n = 0, pad;

    bool room = c->enc ? c->pay.at < end : c->fill || wspi_app_captured(c) >= 2;

    *staples = 0;
    if (wspi_app_stopped(c) || !room)
        return;
    all = wspi_app_open(c, 2);
    pad = room_for_padding(c, start);
    while (next_extension(c, client, wspi_app_inside(c, &all), pad, &seen, &type)) {
        s = wspi_app_open(c, 2);
        extension_body(c, type, &s, client, pad);
        wspi_tls_offer_body(c, type, s.at, client);
        *staples |= type == STATUS_REQUEST;
        wspi_app_close(c, s);
        pad = room_for_padding(c, start);
        n++;
    }
    n += complete_extensions(c, start, seen);
    if (n) {
        wspi_app_close(c, all);
    } else if (c->enc) {
        wspi_app_fail(c);
    } else if (!wspi_app_stopped(c)) {
        c->pay.out->len -= 2;
        c->pay.at -= 2;
    }
}

/* Samples: a client says the cookie that it was given. */
static void cookie(wspi_coder *c, wspi_dtls_hello *hello)
{
    size_t n;

    wspi_app_only(c, 0, 0);
    n = (size_t)wspi_app_field(c, COOKIE, 1, true, hello->cookie);
    hello->cookie = (uint8_t)n;
    if (!c->fill || c->ctx->name_len != n)
        wspi_app_opaque(c, n);
    else
        for (size_t i = 0; i < n; i++)
            wspi_app_put(c, 1, c->ctx->name[i]);
}

/* Samples over TCP: versions up to 1.2, of servers those that are offered, as the record says. */
static void fit_version(wspi_coder *c, bool client, size_t pos, uint64_t v)
{
    uint64_t rows = client ? 0 : wspi_tls_versions(c);

    rows &= UINT64_C(1) << wspi_row_of(version, c->app.v[c->dir][PROTOCOL]);
    if (!rows)
        rows = ~(UINT64_C(1) << wspi_row_of(version, 0x0304)) &
               ((UINT64_C(1) << (WSPI_COUNT(version) - 1)) - 1);
    wspi_tls_keep(c, HELLO, rows, pos, rows >> wspi_row_of(version, v) & 1);
}

/* Samples: of DTLS a client says the same when it is asked again (RFC 6347 4.2.1). */
static void random_bytes(wspi_coder *c, bool client)
{
    wspi_rng r;

    if (!c->fill || !client || !in_dtls(c)) {
        wspi_app_opaque(c, 32);
        return;
    }
    wspi_rng_seed(&r, c->fill->seed ^ UINT64_C(0x72616e646f6d));
    for (int i = 0; i < 32; i++)
        wspi_app_put(c, 1, wspi_rng_u64(&r) & 255);
}

/* Its length; that of a server of 1.3 is the client's (RFC 8446 4.1.3). None in QUIC (RFC 9001 8.4). */
static size_t session_length(wspi_coder *c, bool client)
{
    uint64_t n = wspi_app_get(c, 1), want = c->pay.within ? 0 : 32;
    size_t pos = c->pos,
           theirs = (size_t)(wspi_tls_offered(c)[OFFER_MORE] >> WSPI_OFFER_LENGTH & 255);
    bool echoes = c->fill && !client && wspi_tls_echoes(c);

    wspi_app_only(c, 0, !c->pay.within && (!echoes || theirs == 0));
    n = wspi_app_code(c, SESSION, true, want, n);
    if (echoes)
        wspi_tls_keep(c, SESSION, theirs ? 0 : 1, pos, theirs || want == 0);
    if (echoes)
        n = theirs;
    wspi_app_put(c, 1, n);
    return (size_t)n;
}

/* Version, random and session, which TLS 1.3 over TCP fills to please middleboxes (RFC 8446 D.4). */
static void start_hello(wspi_coder *c, bool client, wspi_dtls_hello *hello)
{
    uint64_t v = turned(c, HELLO, wspi_app_get(c, 2));
    uint64_t again = client ? wspi_tls_said_version(c) : 0;
    size_t pos = c->pos, n;

    if (in_quic(c) || hello)
        wspi_app_only(c, 1, hello && (hello->may_be_old || again == 0x0301));
    v = wspi_app_code(c, HELLO, true, hello ? hello->version : 0x0303, v);
    if (!c->pay.within)
        fit_version(c, client, pos, v);
    else if (again == 0x0301 || again == 0x0303)
        wspi_tls_keep(c, HELLO, UINT64_C(1) << wspi_row_of(version, again), pos, v == again);
    wspi_tls_offer_begin(c, v);
    wspi_app_put(c, 2, turned(c, HELLO, v));
    random_bytes(c, client);
    n = session_length(c, client);
    wspi_app_opaque(c, n);
    if (!wspi_app_stopped(c))
        wspi_tls_offer_session(c, c->pay.at - n, n);
    if (hello)
        hello->version = (uint16_t)v;
}

/* What the server takes: samples, in QUIC of 1.3, in DTLS up to 1.2, of what is offered if that is known. */
static void chosen_cipher(wspi_coder *c)
{
    uint64_t rows = wspi_tls_suites(c), v;
    size_t session = c->pay.at - (size_t)wspi_tls_session(c);

    if (!rows && in_dtls(c))
        wspi_app_only(c, wspi_row_of(cipher, 0xc02b),
                      wspi_row_of(cipher, 0x00ff) - wspi_row_of(cipher, 0xc02b));
    else
        wspi_app_only(c, 0, !rows && in_quic(c) ? 1 : WSPI_COUNT(cipher) - 1);
    v = wspi_app_field(c, CIPHER, 2, false, 0);
    wspi_app_keep(c, CIPHER, rows ? rows : UINT64_MAX);
    if (c->fill && rows && !wspi_app_stopped(c) && wspi_tls_is_new(v))
        wspi_tls_echo(c, session);
}

static void say_hello(wspi_coder *c, size_t end, bool client, wspi_dtls_hello *hello)
{
    size_t start = c->pay.at - MESSAGE_HEAD;
    uint64_t compression;

    start_hello(c, client, hello);
    if (client && hello)
        cookie(c, hello);
    if (client)
        counted_list(c, CIPHER, 2, true);
    else
        chosen_cipher(c);
    compression = wspi_app_get(c, client ? 2 : 1);
    wspi_app_require(c, !c->enc || compression == (client ? 0x0100u : 0));
    wspi_app_put(c, client ? 2 : 1, client ? 0x0100 : 0);
    if (hello)
        hello->cipher = (uint16_t)c->app.v[c->dir][CIPHER];
    extensions(c, start, end, client);
}

void wspi_tls_say_hello(wspi_coder *c, size_t end, bool client)
{
    say_hello(c, end, client, NULL);
}

/* Tokens of TLS in a message of another protocol, whose memory they leave as it was; in DTLS without the message's head. */
static void within(wspi_coder *c, size_t end, bool client, wspi_dtls_hello *hello)
{
    uint64_t kept[WSPI_APP_FIELDS];
    uint8_t app = c->pay.app;
    wspi_app_span s = {.end = end};

    memcpy(kept, c->app.v[c->dir], sizeof kept);
    c->pay.within = app;
    c->pay.app = WSPI_APP_TLS;
    if (!hello) {
        (void)wspi_app_get(c, 1);
        wspi_app_put(c, 1, client ? CLIENT_HELLO : SERVER_HELLO);
        s = wspi_app_open(c, 3);
        wspi_app_require(c, !c->enc || s.end <= end);
    }
    say_hello(c, s.end, client, hello);
    if (!hello)
        wspi_app_close(c, s);
    c->pay.app = app;
    c->pay.within = 0;
    memcpy(c->app.v[c->dir], kept, OFFER_CIPHERS * sizeof *kept); /* what is offered stays */
}

void wspi_dtls_say_hello(wspi_coder *c, size_t end, bool client, wspi_dtls_hello *hello)
{
    within(c, end, client, hello);
}

void wspi_tls_hello(wspi_coder *c, size_t end, bool client)
{
    within(c, end, client, NULL);
}
