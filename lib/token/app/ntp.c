/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ntp.c: NTP, RFC 5905 7.3:  | leap 2 | version 3 | mode 3 | stratum 8 | poll 8 | precision 8 | root delay 32 |
 * | root dispersion 32 | reference id 32 | reference 64 | origin 64 | receive 64 | transmit 64 |
 * A code that authenticates it may follow, plain bytes: | key 32 | digest 128 or 160 |
 */
#include "token/app/app.h"

enum {
    MODE,
    STRATUM,
    POLL,
    PRECISION,
    DELAY,
    DISPERSION,
    REFID,
    REFERENCE,
    ORIGIN,
    RECEIVE,
    TRANSMIT
};

static const wspi_value mode[] = {{0x23, "v4-client"},      {0x24, "v4-server"},
                                  {0x1b, "v3-client"},      {0x1c, "v3-server"},
                                  {0xe3, "v4-client-new"},  {0xdb, "v3-client-new"},
                                  {0x13, "v2-client"},      {0x0b, "v1-client"},
                                  {0x25, "v4-broadcast"},   {0x1d, "v3-broadcast"},
                                  {0x21, "v4-active"},      {0x22, "v4-passive"},
                                  {0x19, "v3-active"},      {0x1a, "v3-passive"},
                                  {0xe4, "v4-server-new"},  {0xdc, "v3-server-new"},
                                  {0xd9, "v3-active-new"},  {0xe1, "v4-active-new"},
                                  {0x64, "v4-server-leap"}, {0, NULL}};

static const wspi_field fields[] = {
    [MODE] = {WSPI_ENUM("ntp.mode", 8, mode), .pred = WSPI_P_PREV},
    [STRATUM] = {WSPI_MAG("ntp.stratum", 8, WSPI_R_NONE, 2), .pred = WSPI_P_PREV},
    [POLL] = {WSPI_MAG("ntp.poll", 8, WSPI_R_NONE, 2), .pred = WSPI_P_PREV},
    [PRECISION] = {WSPI_MAG("ntp.precision", 8, WSPI_R_NONE, 2), .pred = WSPI_P_PREV},
    [DELAY] = {WSPI_MAG("ntp.delay", 32, WSPI_R_NONE, 0), .pred = WSPI_P_PREV},
    [DISPERSION] = {WSPI_MAG("ntp.dispersion", 32, WSPI_R_NONE, 0), .pred = WSPI_P_PREV},
    [REFID] = {WSPI_FREE("ntp.refid", 32, WSPI_P_PREV, WSPI_R_NUMBER)},
    [REFERENCE] = {WSPI_FREE("ntp.reference", 64, WSPI_P_PREV, WSPI_R_NUMBER)},
    [ORIGIN] = {WSPI_FREE("ntp.origin", 64, WSPI_P_MIRROR, WSPI_R_NUMBER), .arg = TRANSMIT},
    [RECEIVE] = {WSPI_FREE("ntp.receive", 64, WSPI_P_CONST, WSPI_R_NUMBER)},
    [TRANSMIT] = {WSPI_FREE("ntp.transmit", 64, WSPI_P_CONST, WSPI_R_NUMBER)},
};

enum { UNSYNCHRONISED = 16 /* stratum */, LONGEST_POLL = 20 };

/*
 * QUIC's long header: version 1 would be a precision of a second and a root delay of more than four minutes, one of the versions that
 * are kept to exercise (RFC 9000 15) a precision of 1024 seconds.
 */
static bool is_quic(const uint8_t *b)
{
    uint64_t v = wspi_load_be(b + 1, 4);

    return b[0] & 0x80 && (v == 1 || (v & 0x0f0f0f0f) == 0x0a0a0a0a);
}

static bool looks(const uint8_t *b, size_t n)
{
    unsigned version = b[0] >> 3 & 7, m = b[0] & 7;

    return n >= 48 && version >= 1 && version <= 4 && m >= 1 && m <= 5 && b[1] <= UNSYNCHRONISED &&
           b[2] < LONGEST_POLL && !is_quic(b) &&
           (b[0] & 0xf8) != 0x50; /* a leap second in version 2: that is CoAP */
}

/* Samples: what is drawn long enough has a code behind it, of MD5 or SHA-1; the bytes are drawn as recorded ones are. */
static void sampled_code(wspi_coder *c)
{
    static const uint8_t sizes[] = {24, 20};

    for (size_t k = 0; c->fill && !c->pay.more && k < WSPI_COUNT(sizes); k++)
        if (wspi_app_left(c) >= sizes[k]) {
            c->pay.more = true;
            c->pay.end = c->pay.at + sizes[k];
        }
}

/* ---- clocks of samples ---- */

/*
 * Whom a sample follows. Behind times that are numbers of records in DNS stands no label, lest zeros further on be taken for records: an
 * address of class A or B, or letters.
 */
static void reference_id(wspi_coder *c)
{
    uint64_t want, v, spans = c->app.v[c->dir][DELAY] | c->app.v[c->dir][DISPERSION];
    bool known = wspi_app_last(c, true, REFID, &want);

    v = wspi_app_code(c, REFID, known, want, wspi_app_get(c, 4));
    if (c->fill && !known && (spans & 0xff00ff00) == 0 && (v >> 31 & 1) == (v >> 30 & 1))
        c->app.v[c->dir][REFID] = v ^= UINT64_C(1) << 30;
    wspi_app_put(c, 4, v);
}

enum { ACTIVE = 1, CLIENT = 3, BROADCAST = 5 };

/* A time of [from, to], with all the bits of a fraction; to, where that is not later. */
static uint64_t between(wspi_coder *c, uint64_t from, uint64_t to)
{
    return to > from ? from + wspi_rng_u64(&c->rng) % (to - from) : to;
}

/*
 * RFC 5905 7.3: the clock was set, a message came, this one leaves: each at its time, the packet's. A client has got none before its first
 * one; who broadcasts gets none, and a server answers the last one. 0: there is no such time.
 */
static uint64_t clock_of(wspi_coder *c, unsigned f, unsigned of)
{
    static const uint64_t second = UINT64_C(1) << 32;
    const uint64_t now = wspi_app_ntp_time(c->p->time_ns), stratum = c->app.v[c->dir][STRATUM],
                   received = c->app.v[c->dir][RECEIVE];
    bool asks = of == CLIENT || of == ACTIVE, heard = of != BROADCAST && c->ctx->seen[!c->dir];
    uint64_t then = heard ? wspi_app_ntp_time(c->ctx->sent_ns[!c->dir]) : now;

    switch (f) {
    case REFERENCE:
        if (stratum == 0 || stratum >= UNSYNCHRONISED)
            return 0;
        return between(c, then - 1024 * second, then - second);
    case RECEIVE:
        if (asks || of == BROADCAST)
            return heard ? then : 0;
        return between(c, WSPI_MAX(heard ? then : 0, now - second / (heard ? 2 : 1024)), now);
    case TRANSMIT:
        if (asks || !received)
            return now;
        return between(c, received, WSPI_MIN(now, received + second / 2048));
    default: return 0; /* origin, of nobody's message */
    }
}

/* One of the four times; samples have what nothing predicts from the clock. */
static void time_field(wspi_coder *c, unsigned f, bool known, uint64_t want)
{
    uint64_t v = wspi_app_code(c, f, known, want, wspi_app_get(c, 8));

    if (c->fill && !known && !c->bad && !c->need)
        c->app.v[c->dir][f] = v = clock_of(c, f, c->app.v[c->dir][MODE] & 7);
    wspi_app_put(c, 8, v);
}

/* Samples: how many tokens they have of a field, listed modes and what `looks` takes. */
static unsigned sampled(unsigned f)
{
    return f == MODE ? WSPI_COUNT(mode) - 1
                     : wspi_bin(f == POLL ? LONGEST_POLL : UNSYNCHRONISED, 2);
}

static void walk(wspi_coder *c)
{
    uint64_t want;

    for (unsigned f = MODE; f <= PRECISION; f++) {
        bool known = wspi_app_last(c, true, f, &want);
        if (f != PRECISION)
            wspi_app_only(c, 0, sampled(f));
        (void)wspi_app_field(c, f, 1, known, want);
    }
    for (unsigned f = DELAY; f <= DISPERSION; f++) {
        bool known = wspi_app_last(c, true, f, &want);
        (void)wspi_app_field(c, f, 4, true, known ? want : 0);
    }
    reference_id(c);
    for (unsigned f = REFERENCE; f <= TRANSMIT; f++) {
        bool known = f == ORIGIN ? wspi_app_last(c, false, TRANSMIT, &want)
                                 : f == REFERENCE && wspi_app_last(c, true, f, &want);
        time_field(c, f, known, want);
    }
    sampled_code(c);
}

const wspi_app wspi_app_ntp = {
    .proto = {.name = "ntp", .fields = fields, .n_fields = WSPI_COUNT(fields)},
    .over = WSPI_OVER_UDP,
    .looks = looks,
    .walk = walk,
    .ports = {123},
    .clients = {{123, 123}},
    .ports_only = true, /* elsewhere readers take some for DNS */
};
