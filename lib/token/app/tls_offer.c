/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tls_offer.c: what hellos offer, and what of it is taken: RFC 8446 4.1.3, 4.2, 4.2.8, 9.2; RFC 5246 7.4.1.3, 7.4.1.4. A server takes
 * a version, a cipher, a group and extensions that were offered, and that go together.
 */
#include "token/app/tls_offer.h"

#include "token/app/tls_lists.h"

enum { EMPTY_RENEGOTIATION = 0x00ff, FALLBACK = 0x5600 }; /* RFC 5746 3.3, RFC 7507 2: no ciphers */
enum { X25519 = 29, P256 = 23, TLS_13 = 0x0304, TLS_12 = 0x0303, SSL_3 = 0x0300 };
enum {
    GROUPS = 10,
    POINT_FORMATS = 11,
    SIGALGS = 13,
    ALPN = 16,
    PADDING = 21,
    TICKET = 35,
    VERSIONS = 43,
    KEY_MODES = 45,
    KEY_SHARE = 51,
    RENEGOTIATION = 65281
};

/* ---- rows ---- */

static uint64_t bit_of(const wspi_value *rows, uint64_t v)
{
    unsigned k = wspi_row_of(rows, v);

    return rows[k].name ? UINT64_C(1) << k : 0;
}

static uint64_t bits_of(const wspi_value *rows, const uint16_t *v, size_t n)
{
    uint64_t bits = 0;

    for (size_t i = 0; i < n; i++)
        bits |= bit_of(rows, v[i]);
    return bits;
}

static bool has_extension(const uint64_t *o, uint64_t type)
{
    return o[OFFER_EXTENSIONS] & bit_of(extension, type);
}

/* What the lists are made of, by field. */
static const struct list {
    const wspi_value *rows;
    unsigned slot;
} lists[FIELDS] = {
    [CIPHER] = {cipher, OFFER_CIPHERS},    [EXTENSION] = {extension, OFFER_EXTENSIONS},
    [OFFERED] = {version, OFFER_VERSIONS}, [GROUP] = {group, OFFER_GROUPS},
    [SIGALG] = {sigalg, OFFER_SIGALGS},    [SRTP] = {profile, OFFER_PROFILES}};

/* ---- suites ---- */

/* Suites that came with TLS 1.2: RFC 5246 A.5, RFC 5288, RFC 5289, RFC 6655, RFC 7251, RFC 7905 and its drafts. */
static const struct {
    uint16_t from, to;
} of_12[] = {{0x003b, 0x0040}, {0x0067, 0x006d}, {0x009c, 0x00a7}, {0xc023, 0xc032},
             {0xc09c, 0xc0af}, {0xcc13, 0xcc15}, {0xcca8, 0xccae}};

bool wspi_tls_is_new(uint64_t v)
{
    return v >> 8 == 0x13;
}

static bool came_with_12(uint64_t v)
{
    for (size_t i = 0; i < WSPI_COUNT(of_12); i++)
        if (v >= of_12[i].from && v <= of_12[i].to)
            return true;
    return false;
}

/* Rows of ciphers by their kinds, and by how keys are agreed on. */
enum kind { OLD = 1, OF_12 = 2, OF_13 = 4 };
static uint64_t of_kinds[(OLD | OF_12 | OF_13) + 1], of_exchange[WSPI_TLS_UNTOLD + 1];

void wspi_tls_prepare(void)
{
    for (unsigned k = 0; cipher[k].name; k++) {
        uint64_t v = cipher[k].value, row = UINT64_C(1) << k;
        unsigned kind = wspi_tls_is_new(v) ? OF_13 : came_with_12(v) ? OF_12 : OLD;

        of_exchange[wspi_tls_exchange((uint16_t)v)] |= row;
        for (unsigned kinds = 0; kinds < WSPI_COUNT(of_kinds); kinds++)
            if (kind & kinds && v != EMPTY_RENEGOTIATION && v != FALLBACK)
                of_kinds[kinds] |= row;
    }
}

static uint64_t suites_of(unsigned kinds)
{
    return of_kinds[kinds];
}

static uint64_t suites_with(unsigned exchanges)
{
    uint64_t rows = 0;

    for (unsigned x = 0; x < WSPI_COUNT(of_exchange); x++)
        rows |= exchanges >> x & 1 ? of_exchange[x] : 0;
    return rows;
}

/* Suites up to 1.2 whose messages after the hellos samples do not have. */
static uint64_t untold(void)
{
    return suites_with(1u << WSPI_TLS_UNTOLD) & ~suites_of(OF_13);
}

/* ---- what a hello has ---- */

static bool in_dtls(const wspi_coder *c)
{
    return (c->pay.within ? c->pay.within : c->pay.app) == WSPI_APP_DTLS;
}

/* Bytes of the payload from `at` on, which have been passed and were captured. */
static const uint8_t *passed(const wspi_coder *c, size_t at, size_t *n)
{
    size_t end = WSPI_MIN(c->pay.at, c->enc ? c->pay.end : c->pay.out->len);
    const uint8_t *b = c->enc ? c->pay.in : c->pay.out->data;

    *n = end > at ? end - at : 0;
    return *n ? b + at : b;
}

static uint64_t *mine(wspi_coder *c)
{
    return c->app.v[c->dir];
}

void wspi_tls_offer_begin(wspi_coder *c, uint64_t v)
{
    memset(mine(c) + OFFER_CIPHERS, 0, (OFFER_END - OFFER_CIPHERS) * sizeof *mine(c));
    mine(c)[OFFER_MORE] = WSPI_OFFER_KNOWN | (v & 0xffff);
}

/* Rows of ciphers in their order, of DTLS, whose clients have to repeat them: so many, of six bits. */
enum { ORDERED = 40, IN_A_WORD = 10, ROW_BITS = 6 };
static unsigned count_of(const uint64_t *o)
{
    return (unsigned)(o[OFFER_MORE] >> WSPI_OFFER_COUNT & 255);
}

static void remember_order(wspi_coder *c, uint64_t v)
{
    unsigned n = count_of(mine(c));

    if (n < ORDERED)
        mine(c)[OFFER_SESSION + n / IN_A_WORD] |= (uint64_t)wspi_row_of(cipher, v)
                                                  << ROW_BITS * (n % IN_A_WORD);
    if (n < 255)
        mine(c)[OFFER_MORE] += UINT64_C(1) << WSPI_OFFER_COUNT;
}

void wspi_tls_offer_value(wspi_coder *c, unsigned f, uint64_t v)
{
    mine(c)[lists[f].slot] |= bit_of(lists[f].rows, v);
    if (f == CIPHER && in_dtls(c))
        remember_order(c, v);
}

void wspi_tls_offer_session(wspi_coder *c, size_t at, size_t n)
{
    size_t have;
    const uint8_t *b = passed(c, at, &have);

    for (size_t i = 0; i < 4; i++)
        mine(c)[OFFER_SESSION + i] = 0;
    for (size_t i = 0; i < WSPI_MIN(WSPI_MIN(have, n), (size_t)32) && !in_dtls(c); i++)
        mine(c)[OFFER_SESSION + i / 8] |= (uint64_t)b[i] << 8 * (i % 8);
    mine(c)[OFFER_MORE] |= (uint64_t)(n & 255) << WSPI_OFFER_LENGTH;
}

/* RFC 7301 3.1: | length 16 | length 8 | name | ... */
static void names(wspi_coder *c, const uint8_t *b, size_t n)
{
    uint64_t *more = &mine(c)[OFFER_MORE];

    for (size_t at = 2; at < n && b[at] < n - at; at += 1u + b[at]) {
        if (b[at] == 2 && memcmp(b + at + 1, "h2", 2) == 0)
            *more |= (uint64_t)WSPI_NAME_H2 << WSPI_OFFER_NAMES;
        if (b[at] == 8 && memcmp(b + at + 1, "http/1.1", 8) == 0)
            *more |= (uint64_t)WSPI_NAME_HTTP1 << WSPI_OFFER_NAMES;
    }
}

/* RFC 8446 4.2.8: | length 16 | group 16 | length 16 | key | ... */
static void shares(wspi_coder *c, const uint8_t *b, size_t n)
{
    for (size_t at = 2; at + 4 <= n; at += 4 + (size_t)wspi_load_be(b + at + 2, 2))
        mine(c)[OFFER_SHARES] |= bit_of(group, wspi_load_be(b + at, 2));
}

void wspi_tls_offer_body(wspi_coder *c, uint64_t type, size_t at, bool client)
{
    size_t n;
    const uint8_t *b = passed(c, at, &n);

    if (type == ALPN)
        names(c, b, n);
    else if (type == KEY_SHARE && client)
        shares(c, b, n);
    else if (type == TICKET && n)
        mine(c)[OFFER_MORE] |= WSPI_OFFER_TICKET;
}

/* ---- what clients offer ---- */

static uint64_t hello_of(const uint64_t *o)
{
    return o[OFFER_MORE] & 0xffff;
}

/* Groups that keys are made up of. */
static const uint16_t known_groups[] = {X25519, P256, 24, 25, 30}, usual_groups[] = {X25519, P256};

/* Suites that go with the version that the client's hello has; in DTLS samples are up to 1.2. */
static uint64_t usable(const wspi_coder *c, const uint64_t *o)
{
    uint64_t rows = suites_of(hello_of(o) == TLS_12 ? OLD | OF_12 : OLD) & ~untold();

    return hello_of(o) == TLS_12 && !in_dtls(c) ? rows | suites_of(OF_13) : rows;
}

/* Versions that a client can offer with its ciphers. */
static uint64_t offerable(const uint64_t *o)
{
    uint64_t rows = 0;

    if (o[OFFER_CIPHERS] & suites_of(OF_13))
        rows |= bit_of(version, TLS_13);
    if (o[OFFER_CIPHERS] & suites_of(OF_12 | OLD))
        rows |= bit_of(version, TLS_12);
    if (o[OFFER_CIPHERS] & suites_of(OLD))
        rows |= bit_of(version, 0x0302) | bit_of(version, 0x0301);
    return rows;
}

/* Is TLS 1.3 all that it can offer, or has it a key for it already? */
static bool wants_13(const uint64_t *o)
{
    return !(o[OFFER_CIPHERS] & suites_of(OLD | OF_12)) || has_extension(o, KEY_SHARE) ||
           has_extension(o, KEY_MODES);
}

uint64_t wspi_tls_unfit(const wspi_coder *c, unsigned f, bool client)
{
    const uint64_t *o = c->app.v[c->dir];

    if (!c->fill || (!client && f != SRTP))
        return 0;
    if (f == SRTP && !client)
        return wspi_tls_offered(c)[OFFER_PROFILES] ? ~wspi_tls_offered(c)[OFFER_PROFILES] : 0;
    if (f == CIPHER && hello_of(o) != TLS_12)
        return suites_of(OF_13);
    if (f == OFFERED)
        return ((UINT64_C(1) << wspi_row_of(version, UINT64_MAX)) - 1) & ~offerable(o);
    return 0;
}

/* The client's hello of before; NULL: it has none, or it is none of DTLS. */
static const uint64_t *hello_before(const wspi_coder *c)
{
    const wspi_app_state *before = &c->ctx->app;
    bool known =
        before->id[c->dir] == WSPI_APP_DTLS && before->v[c->dir][OFFER_MORE] & WSPI_OFFER_KNOWN;

    return c->fill && in_dtls(c) && known ? before->v[c->dir] : NULL;
}

uint64_t wspi_tls_said_version(const wspi_coder *c)
{
    return hello_before(c) ? hello_of(hello_before(c)) : 0;
}

bool wspi_tls_again(const wspi_coder *c, unsigned f, size_t nth, uint64_t *rows)
{
    const uint64_t *o = hello_before(c);

    if (!o || !o[lists[f].slot])
        return false;
    *rows = o[lists[f].slot];
    if (f != CIPHER)
        return true;
    if (nth >= count_of(o))
        *rows = 0;
    else if (nth < ORDERED)
        *rows = UINT64_C(1) << (o[OFFER_SESSION + nth / IN_A_WORD] >> ROW_BITS * (nth % IN_A_WORD) &
                                ((1u << ROW_BITS) - 1));
    return true;
}

/* Algorithms that go with the ciphers. */
static uint64_t usual_signatures(const uint64_t *o)
{
    unsigned rsa = 1u << WSPI_TLS_ECDHE | 1u << WSPI_TLS_DHE | 1u << WSPI_TLS_RSA;
    uint64_t new = suites_of(OF_13), rows = 0;

    if (o[OFFER_CIPHERS] & (suites_with(rsa) | new))
        rows |= bit_of(sigalg, 0x0401) | bit_of(sigalg, 0x0804);
    if (o[OFFER_CIPHERS] & (suites_with(1u << WSPI_TLS_ECDHE_ECDSA) | new))
        rows |= bit_of(sigalg, 0x0403);
    return rows;
}

/* RFC 8446 4.2.8: keys are of groups that are offered, too. */
static uint64_t missing_group(const uint64_t *o)
{
    uint64_t rows =
        o[OFFER_SHARES] ? o[OFFER_SHARES] : bits_of(group, usual_groups, WSPI_COUNT(usual_groups));

    return o[OFFER_GROUPS] & rows ? 0 : rows;
}

uint64_t wspi_tls_missing(const wspi_coder *c, unsigned f, bool client)
{
    const uint64_t *o = c->app.v[c->dir];
    uint64_t rows = 0;

    if (!c->fill || !client || hello_before(c))
        return 0;
    if (f == GROUP)
        return missing_group(o);
    if (f == CIPHER)
        rows = usable(c, o);
    else if (f == OFFERED)
        rows = wants_13(o) ? bit_of(version, TLS_13) : offerable(o);
    else if (f == SIGALG)
        rows = usual_signatures(o);
    return o[lists[f].slot] & rows ? 0 : rows;
}

/* RFC 8446 4.1.2: a client of 1.3 begins with 1.2; 9.2: what it has to have. */
uint64_t wspi_tls_unfit_extensions(const wspi_coder *c, uint64_t *needs)
{
    static const uint16_t of_13[] = {VERSIONS, KEY_MODES, KEY_SHARE},
                          with_13[] = {GROUPS, SIGALGS, KEY_SHARE};
    const uint64_t *o = c->app.v[c->dir];
    uint64_t unfit = 0;

    if (hello_before(c)) {
        *needs = hello_before(c)[OFFER_EXTENSIONS];
        return ~*needs;
    }
    if (hello_of(o) != TLS_12)
        return bits_of(extension, of_13, WSPI_COUNT(of_13));
    if (!(o[OFFER_CIPHERS] & suites_of(OF_13)) ||
        (has_extension(o, VERSIONS) && !(o[OFFER_VERSIONS] & bit_of(version, TLS_13))))
        unfit = bits_of(extension, of_13 + 1, WSPI_COUNT(of_13) - 1);
    if (wants_13(o))
        *needs |= bit_of(extension, VERSIONS);
    if (o[OFFER_VERSIONS] & bit_of(version, TLS_13))
        *needs |= bits_of(extension, with_13, WSPI_COUNT(with_13));
    if (*needs & ~o[OFFER_EXTENSIONS])
        unfit |= bit_of(extension, PADDING); /* it is the last one */
    return unfit;
}

uint16_t wspi_tls_share(const wspi_coder *c, bool client)
{
    const uint64_t *o = client ? c->app.v[c->dir] : wspi_tls_offered(c);
    uint64_t rows = client ? o[OFFER_GROUPS] : o[OFFER_GROUPS] & o[OFFER_SHARES];

    for (size_t i = 0; i < WSPI_COUNT(known_groups); i++)
        if (rows & bit_of(group, known_groups[i]))
            return known_groups[i];
    return X25519;
}

/* ---- what servers take ---- */

const uint64_t *wspi_tls_offered(const wspi_coder *c)
{
    static const uint64_t nothing[WSPI_APP_FIELDS];
    uint8_t app = c->pay.within ? c->pay.within : c->pay.app;

    return c->app.id[!c->dir] == app ? c->app.v[!c->dir] : nothing;
}

/* RFC 8446 4.2.1: what a list of versions does not have is not offered; without one, all up to that of the hello. */
static uint64_t old_versions(const uint64_t *o)
{
    uint64_t rows = 0;

    if (has_extension(o, VERSIONS))
        return o[OFFER_VERSIONS] & ~bit_of(version, TLS_13);
    for (unsigned k = 0; version[k].name; k++)
        if (version[k].value <= WSPI_MIN(hello_of(o), (uint64_t)TLS_12) &&
            (version[k].value != SSL_3 || hello_of(o) == SSL_3))
            rows |= UINT64_C(1) << k;
    return rows;
}

static bool takes_13(const wspi_coder *c, const uint64_t *o)
{
    return !in_dtls(c) && o[OFFER_VERSIONS] & bit_of(version, TLS_13) && hello_of(o) == TLS_12 &&
           o[OFFER_GROUPS] & o[OFFER_SHARES] &
               bits_of(group, known_groups, WSPI_COUNT(known_groups));
}

/* Suites whose keys and signatures the client knows (RFC 8422 5.1, RFC 5246 7.4.1.4.1), if there are such. */
static uint64_t agreeable(const uint64_t *o, uint64_t rows)
{
    static const uint16_t ecdsa[] = {0x0403, 0x0503, 0x0603, 0x0203},
                          rsa[] = {0x0401, 0x0804, 0x0501, 0x0601, 0x0201};
    unsigned without = 0;
    uint64_t left;

    if (has_extension(o, GROUPS) &&
        !(o[OFFER_GROUPS] & bits_of(group, usual_groups, WSPI_COUNT(usual_groups))))
        without |= 1u << WSPI_TLS_ECDHE | 1u << WSPI_TLS_ECDHE_ECDSA;
    if (has_extension(o, SIGALGS) &&
        !(o[OFFER_SIGALGS] & bits_of(sigalg, ecdsa, WSPI_COUNT(ecdsa))))
        without |= 1u << WSPI_TLS_ECDHE_ECDSA;
    if (has_extension(o, SIGALGS) && !(o[OFFER_SIGALGS] & bits_of(sigalg, rsa, WSPI_COUNT(rsa))))
        without |= 1u << WSPI_TLS_ECDHE | 1u << WSPI_TLS_DHE;
    left = rows & ~suites_with(without) & ~untold();
    return left ? left : rows;
}

/* Suites that a server may take whose hello begins with this version. */
static uint64_t suites_for(const wspi_coder *c, const uint64_t *o, uint64_t v)
{
    uint64_t rows = 0;

    if (v == TLS_12 && takes_13(c, o))
        rows |= suites_of(OF_13);
    if (old_versions(o) & bit_of(version, v))
        rows |= suites_of(v == TLS_12 ? OLD | OF_12 : OLD);
    return agreeable(o, rows & o[OFFER_CIPHERS]);
}

uint64_t wspi_tls_versions(const wspi_coder *c)
{
    const uint64_t *o = wspi_tls_offered(c);
    uint64_t rows = 0;

    for (unsigned k = 0; version[k].name; k++)
        if (version[k].value <= TLS_12 && suites_for(c, o, version[k].value))
            rows |= UINT64_C(1) << k;
    return rows;
}

/* Of the server's hello that has begun. */
static uint64_t suites(const wspi_coder *c)
{
    return suites_for(c, wspi_tls_offered(c), hello_of(c->app.v[c->dir]));
}

static unsigned session_len(const uint64_t *o)
{
    return (unsigned)(o[OFFER_MORE] >> WSPI_OFFER_LENGTH & 255);
}

bool wspi_tls_echoes(const wspi_coder *c)
{
    uint64_t rows = suites(c);

    return rows && !(rows & ~suites_of(OF_13));
}

uint64_t wspi_tls_suites(const wspi_coder *c)
{
    uint64_t rows = suites(c);

    return session_len(c->app.v[c->dir]) == session_len(wspi_tls_offered(c))
               ? rows
               : rows & ~suites_of(OF_13);
}

size_t wspi_tls_session(const wspi_coder *c)
{
    return session_len(c->app.v[c->dir]);
}

void wspi_tls_echo(wspi_coder *c, size_t at)
{
    const uint64_t *o = wspi_tls_offered(c);
    size_t n = WSPI_MIN(session_len(o), 32u);

    if (wspi_tls_session(c) != session_len(o) || at + n > c->pay.out->len)
        return;
    for (size_t i = 0; i < n; i++)
        c->pay.out->data[at + i] = (uint8_t)(o[OFFER_SESSION + i / 8] >> 8 * (i % 8));
    wspi_tls_offer_session(c, at, n);
}

/* Behind the heads of record and message, version and random: where the id is of a hello that the segment begins with. */
enum { HELLO_SESSION = 5 + MESSAGE_HEAD + 2 + 32 + 1 };
static bool begins_with_hello(const wspi_coder *c)
{
    size_t n;
    const uint8_t *b = passed(c, 0, &n);

    return c->pay.app == WSPI_APP_TLS && n > HELLO_SESSION && b[0] == HANDSHAKES &&
           b[5] == SERVER_HELLO;
}

void wspi_tls_resume(wspi_coder *c)
{
    if (begins_with_hello(c))
        wspi_tls_echo(c, HELLO_SESSION);
}

uint64_t wspi_tls_untaken(const wspi_coder *c, uint64_t *needs)
{
    static const uint16_t of_13[] = {VERSIONS, KEY_SHARE};
    const uint64_t *o = wspi_tls_offered(c);
    uint64_t chosen = c->app.v[c->dir][CIPHER], may = o[OFFER_EXTENSIONS];
    uint64_t rows_of_13 = bits_of(extension, of_13, WSPI_COUNT(of_13));
    unsigned exchange = wspi_tls_exchange((uint16_t)chosen);

    if (!(o[OFFER_MORE] & WSPI_OFFER_KNOWN))
        return 0;
    if (wspi_tls_is_new(chosen)) {
        *needs |= rows_of_13;
        return ~rows_of_13;
    }
    may &= ~rows_of_13;
    if (o[OFFER_CIPHERS] & bit_of(cipher, EMPTY_RENEGOTIATION)) /* RFC 5746 3.6 */
        may |= bit_of(extension, RENEGOTIATION);
    if (exchange != WSPI_TLS_ECDHE && exchange != WSPI_TLS_ECDHE_ECDSA) /* RFC 8422 5.2 */
        may &= ~bit_of(extension, POINT_FORMATS);
    if (!(o[OFFER_MORE] >> WSPI_OFFER_NAMES & (WSPI_NAME_H2 | WSPI_NAME_HTTP1)))
        may &= ~bit_of(extension, ALPN);
    if (hello_of(c->app.v[c->dir]) == SSL_3) /* which has none; RFC 5746 4.5 */
        may &= bit_of(extension, RENEGOTIATION);
    return ~may;
}

void wspi_tls_keep(wspi_coder *c, unsigned f, uint64_t rows, size_t pos, bool fits)
{
    wspi_app_keep(c, f, rows);
    if (!fits && c->pos == pos && wspi_asked(c))
        c->need = true;
}

bool wspi_tls_must_refuse(const wspi_coder *c)
{
    return wspi_tls_offered(c)[OFFER_MORE] & WSPI_OFFER_KNOWN && !wspi_tls_versions(c);
}

/* ---- what follows of it ---- */

/* The first one of these that was offered; 0: no list was. */
static uint16_t first_of(uint64_t rows, const uint16_t *v, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (rows & bit_of(sigalg, v[i]))
            return v[i];
    return 0;
}

void wspi_tls_agree(const wspi_coder *c, const uint64_t *client, const uint64_t *server,
                    wspi_tls_turn *turn)
{
    static const uint16_t rsa[2][5] = {{0x0401, 0x0804, 0x0501, 0x0601, 0x0201},
                                       {0x0804, 0x0401, 0x0501, 0x0601, 0x0201}},
                          ecdsa[] = {0x0403, 0x0503, 0x0603, 0x0203};
    uint64_t groups = client[OFFER_GROUPS];

    if (!c->fill)
        return;
    turn->not_x25519 = groups && !(groups & bit_of(group, X25519));
    turn->not_p256 = groups && !(groups & bit_of(group, P256));
    turn->rsa = first_of(client[OFFER_SIGALGS], rsa[c->fill->seed & 1], WSPI_COUNT(rsa[0]));
    turn->ecdsa = first_of(client[OFFER_SIGALGS], ecdsa, WSPI_COUNT(ecdsa));
    turn->tickets = has_extension(server, TICKET);
    if (session_len(client) == session_len(server))
        turn->resumes = session_len(client)
                            ? begins_with_hello(c) ||
                                  memcmp(client + OFFER_SESSION, server + OFFER_SESSION, 32) == 0
                            : client[OFFER_MORE] & WSPI_OFFER_TICKET;
}
