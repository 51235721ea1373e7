/* SPDX-License-Identifier: Apache-2.0 */
/*
 * dhcpv6.c: DHCPv6 over UDP, RFC 8415 8, 9 and 21, with the options of RFC 3646, 4704, 5908, 5970 and others:
 * | type 8 | transaction 24 | options |     a relay's: | type 8 | hops 8 | link 128 | peer 128 | options |
 * option: | code 16 | length 16 | data |; some hold options, a relay's a message. Addresses and what identifies hosts
 * (but for its kind) are opaque.
 */
#include "token/app/dhcpv6_samples.h"

enum {
    TYPE,
    TRANSACTION,
    HOPS,
    OPTION,
    LENGTH,
    NAME,
    FORM,
    REQUESTED,
    DUID,
    HARDWARE,
    NUMBER,
    STATUS,
    ENTERPRISE
};

enum { HEADER = 4, RELAY_HEADER = 34, MAX_DEPTH = 6, MAX_OPTIONS = 80, SHOWN = 16 };
enum { SAMPLED = 48 }; /* tokens of a sample, after which no option comes that need not */
enum { SOLICIT = 1, ADVERTISE = 2, REPLY = 7, RELAY_FORWARD = 12, RELAY_REPLY = 13 };
enum { LAST_TYPE = 36, LAST_OPTION = 255 };
enum { CLIENT = 546, SERVER = 547 }; /* ports */
enum {
    CLIENT_ID = 1,
    SERVER_ID = 2,
    IA_NA = 3,
    ADDRESS = 5,
    REQUEST = 6,
    ELAPSED = 8,
    RELAYED = 9,
    VENDOR_CLASS = 16,
    VENDOR_OPTIONS = 17,
    IA_PD = 25,
    PREFIX = 26
};
enum { FIELDS, RAW };
enum { DUID_TIME = 1, DUID_LINK = 3 };
enum { BROADBAND = 3561, CABLELABS = 4491 };

static const wspi_value type[] = {{1, "solicit"},
                                  {3, "request"},
                                  {5, "renew"},
                                  {11, "information-request"},
                                  {7, "reply"},
                                  {2, "advertise"},
                                  {4, "confirm"},
                                  {6, "rebind"},
                                  {8, "release"},
                                  {9, "decline"},
                                  {10, "reconfigure"},
                                  {RELAY_FORWARD, "relay-forward"},
                                  {RELAY_REPLY, "relay-reply"},
                                  {14, "lease-query"},
                                  {15, "lease-query-reply"},
                                  {20, "dhcpv4-query"},
                                  {21, "dhcpv4-response"},
                                  {0, NULL}};

/* Beside the fields: one more than the time that the client's transaction had taken; 0: not told; or: another one begins. */
enum { TAKEN = ENTERPRISE + 1, BEGINS = 0x20000 };
_Static_assert((int)TAKEN < (int)WSPI_APP_FIELDS, "there is room for it");

static const wspi_value option[] = {{CLIENT_ID, "client-id"},
                                    {ELAPSED, "elapsed"},
                                    {REQUEST, "requested"},
                                    {14, "rapid-commit"},
                                    {IA_NA, "ia-na"},
                                    {SERVER_ID, "server-id"},
                                    {23, "dns"},
                                    {7, "preference"},
                                    {32, "refresh-time"},
                                    {82, "sol-max-rt"},
                                    {4, "ia-ta"},
                                    {ADDRESS, "address"},
                                    {RELAYED, "relayed"},
                                    {11, "authentication"},
                                    {12, "unicast"},
                                    {13, "status"},
                                    {15, "user-class"},
                                    {16, "vendor-class"},
                                    {17, "vendor-options"},
                                    {18, "interface-id"},
                                    {19, "reconfigure"},
                                    {20, "reconfigure-accept"},
                                    {21, "sip-names"},
                                    {22, "sip-addresses"},
                                    {24, "domains"},
                                    {IA_PD, "ia-pd"},
                                    {26, "prefix"},
                                    {27, "nis-servers"},
                                    {28, "nis+servers"},
                                    {29, "nis-domain"},
                                    {30, "nis+domain"},
                                    {31, "sntp"},
                                    {33, "bcmcs-domains"},
                                    {34, "bcmcs-addresses"},
                                    {36, "civic-location"},
                                    {37, "remote-id"},
                                    {38, "subscriber-id"},
                                    {39, "fqdn"},
                                    {40, "pana"},
                                    {41, "posix-timezone"},
                                    {42, "timezone"},
                                    {43, "relay-requested"},
                                    {44, "query"},
                                    {45, "client-data"},
                                    {46, "client-time"},
                                    {47, "relay-data"},
                                    {48, "client-link"},
                                    {51, "lost-server"},
                                    {52, "capwap"},
                                    {53, "relay-id"},
                                    {56, "ntp"},
                                    {57, "access-domain"},
                                    {58, "sip-domains"},
                                    {59, "boot-file"},
                                    {60, "boot-parameters"},
                                    {61, "architecture"},
                                    {62, "network-interface"},
                                    {63, "geolocation"},
                                    {64, "aftr-name"},
                                    {65, "erp-domain"},
                                    {66, "relay-supplied"},
                                    {67, "excluded-prefix"},
                                    {74, "radius"},
                                    {75, "solicitation"},
                                    {79, "link-layer"},
                                    {80, "link-address"},
                                    {83, "inf-max-rt"},
                                    {84, "sol-max"},
                                    {86, "v6-prefix"},
                                    {87, "dhcpv4-message"},
                                    {88, "dhcpv4-servers"},
                                    {94, "s46-mape"},
                                    {95, "s46-mapt"},
                                    {96, "s46-lw"},
                                    {103, "captive-portal"},
                                    {112, "mud"},
                                    {136, "sztp"},
                                    {143, "andsf"},
                                    {144, "v6-dnr"},
                                    {0, NULL}};

static const wspi_value form[] = {{FIELDS, "fields"}, {RAW, "raw"}, {0, NULL}};
static const wspi_value duid[] = {
    {DUID_TIME, "link-time"}, {2, "enterprise"}, {DUID_LINK, "link"}, {4, "uuid"}, {0, NULL}};
static const wspi_value hardware[] = {{1, "ethernet"}, {6, "ieee802"},   {32, "infiniband"},
                                      {27, "eui-64"},  {24, "firewire"}, {0, NULL}};
static const wspi_value status[] = {{0, "success"},     {1, "failure"},     {2, "no-addresses"},
                                    {3, "no-binding"},  {4, "not-on-link"}, {5, "use-multicast"},
                                    {6, "no-prefixes"}, {0, NULL}};
static const wspi_value enterprise[] = {
    {311, "microsoft"}, {9, "cisco"},         {343, "intel"},      {4491, "cablelabs"},
    {2636, "juniper"},  {43793, "systemd"},   {3561, "broadband"}, {40712, "dhcpcd"},
    {2011, "huawei"},   {25461, "palo-alto"}, {674, "dell"},       {11, "hp"},
    {0, NULL}};

static const wspi_field fields[] = {
    [TYPE] = {WSPI_ENUM("dhcpv6.type", 8, type)},
    [TRANSACTION] = {WSPI_FREE("dhcpv6.transaction", 24, WSPI_P_MIRROR, WSPI_R_RENEWED)},
    [HOPS] = {WSPI_MAG("dhcpv6.hops", 8, WSPI_R_NONE, 1)},
    [OPTION] = {WSPI_ENUM("dhcpv6.option", 16, option)},
    [LENGTH] = {WSPI_MAG("dhcpv6.length", 16, WSPI_R_NONE, 2)},
    [NAME] = {WSPI_MAG("dhcpv6.name", 16, WSPI_R_NAME, 0)},
    [FORM] = {WSPI_ENUM("dhcpv6.form", 8, form)},
    [REQUESTED] = {WSPI_ENUM("dhcpv6.requested", 16, option)},
    [DUID] = {WSPI_ENUM("dhcpv6.duid", 16, duid)},
    [HARDWARE] = {WSPI_ENUM("dhcpv6.hardware", 16, hardware)},
    [NUMBER] = {WSPI_MAG("dhcpv6.number", 32, WSPI_R_NONE, 1)},
    [STATUS] = {WSPI_ENUM("dhcpv6.status", 16, status)},
    [ENTERPRISE] = {WSPI_ENUM("dhcpv6.enterprise", 32, enterprise)},
};

/*
 * What is in an option: `fixed` bytes in front of the options that it holds, so many numbers among them. len: its
 * length as it is usual, 0 when that varies. Others are opaque.
 */
enum kind {
    K_OPAQUE,
    K_DUID,
    K_IA,      /* an identifier, two times, options */
    K_IA_TA,   /* an identifier, options */
    K_ADDRESS, /* an address, two times, options */
    K_PREFIX,  /* two times, a length, a prefix, options */
    K_LIST,    /* of codes */
    K_NUMBER,
    K_RELAYED,
    K_STATUS,
    K_ENTERPRISE,
    K_NAME,
    K_TEXT
};
static const struct {
    uint8_t kind, len;
} forms[LAST_OPTION + 1] = {
    [CLIENT_ID] = {K_DUID, 14}, [SERVER_ID] = {K_DUID, 14},  [IA_NA] = {K_IA, 12},
    [4] = {K_IA_TA, 4},         [ADDRESS] = {K_ADDRESS, 24}, [REQUEST] = {K_LIST, 0},
    [7] = {K_NUMBER, 1},        [ELAPSED] = {K_NUMBER, 2},   [RELAYED] = {K_RELAYED, 0},
    [13] = {K_STATUS, 0},       [14] = {K_OPAQUE, 0},        [15] = {K_NAME, 0},
    [16] = {K_ENTERPRISE, 0},   [17] = {K_ENTERPRISE, 0},    [18] = {K_NAME, 0},
    [19] = {K_NUMBER, 1},       [23] = {K_OPAQUE, 16},       [24] = {K_NAME, 0},
    [IA_PD] = {K_IA, 12},       [26] = {K_PREFIX, 25},       [29] = {K_NAME, 0},
    [30] = {K_NAME, 0},         [31] = {K_OPAQUE, 16},       [32] = {K_NUMBER, 4},
    [37] = {K_ENTERPRISE, 0},   [38] = {K_NAME, 0},          [39] = {K_NAME, 0},
    [41] = {K_TEXT, 0},         [42] = {K_TEXT, 0},          [43] = {K_LIST, 0},
    [46] = {K_NUMBER, 4},       [53] = {K_DUID, 14},         [57] = {K_NAME, 0},
    [58] = {K_NAME, 0},         [59] = {K_NAME, 0},          [61] = {K_NUMBER, 2},
    [62] = {K_OPAQUE, 3},       [64] = {K_NAME, 0},          [65] = {K_NAME, 0},
    [66] = {K_LIST, 0},         [79] = {K_OPAQUE, 8},        [82] = {K_NUMBER, 4},
    [83] = {K_NUMBER, 4},       [103] = {K_NAME, 0},
};
/*
 * Samples: in which messages an option may be, by bits of their types (RFC 8415 B, RFC 3646 5, RFC 4704 5), those without which
 * a message is none (RFC 8415 16), and its lengths beside the usual one: exact ones, or from the least to the most.
 */
enum {
    SOL = 1 << 1,
    ADV = 1 << 2,
    REQ = 1 << 3,
    CON = 1 << 4,
    REN = 1 << 5,
    REB = 1 << 6,
    REP = 1 << 7,
    REL = 1 << 8,
    DEC = 1 << 9,
    INF = 1 << 11,
    OF_SERVER = ADV | REP,
    ASKS = SOL | REQ | REN | REB | INF,
    OF_CLIENT = ASKS | CON | REL | DEC,
    TO_ONE = REQ | REN | REL | DEC,
    OF_LEASE = TO_ONE | SOL | REB | OF_SERVER,
    OF_ALL = OF_CLIENT | OF_SERVER
};
static const struct {
    uint16_t in, needed;
    uint8_t exact[2], least, most;
} sampled[LAST_OPTION + 1] = {
    [CLIENT_ID] = {OF_ALL, OF_ALL & ~INF, {10, 18}, 0, 0},
    [SERVER_ID] = {OF_SERVER | TO_ONE, OF_SERVER | TO_ONE, {10, 18}, 0, 0},
    [IA_NA] = {OF_LEASE | CON, 0, {40, 0}, 0, 0},
    [4] = {OF_LEASE | CON, 0, {32, 0}, 0, 0},
    [REQUEST] = {ASKS, 0, {0, 0}, 2, 27},
    [7] = {ADV, 0, {0, 0}, 0, 0},
    [ELAPSED] = {OF_CLIENT, OF_CLIENT, {0, 0}, 0, 0},
    [13] = {OF_SERVER, 0, {0, 0}, 2, 31},
    [14] = {SOL | REP, 0, {0, 0}, 0, 0},
    [15] = {OF_ALL, 0, {0, 0}, 4, 31},
    [VENDOR_CLASS] = {OF_ALL, 0, {0, 0}, 8, 55},
    [VENDOR_OPTIONS] = {OF_ALL, 0, {4, 0}, 9, 55},
    [20] = {ASKS | OF_SERVER, 0, {0, 0}, 0, 0},
    [21] = {OF_SERVER, 0, {0, 0}, 8, 63},
    [22] = {OF_SERVER, 0, {16, 32}, 0, 0},
    [23] = {OF_SERVER, 0, {32, 48}, 0, 0},
    [24] = {OF_SERVER, 0, {0, 0}, WSPI_DHCPV6_NAME, 63},
    [IA_PD] = {OF_LEASE, 0, {41, 0}, 0, 0},
    [31] = {OF_SERVER, 0, {32, 48}, 0, 0},
    [32] = {REP, 0, {0, 0}, 0, 0},
    [39] = {OF_SERVER | SOL | REQ | REN | REB, 0, {0, 0}, WSPI_DHCPV6_NAME + 1, 63},
    [56] = {OF_SERVER, 0, {20, 60}, 0, 0},
    [59] = {OF_SERVER, 0, {0, 0}, 16, 63},
    [82] = {OF_SERVER, 0, {0, 0}, 0, 0},
    [83] = {REP, 0, {0, 0}, 0, 0},
};
/* What may be asked for, by IANA's registry. */
static const uint8_t asked_for[] = {17, 21, 22, 23, 24, 27, 28, 29, 30, 31,  32,  33,  34,
                                    36, 39, 40, 41, 42, 51, 52, 56, 57, 58,  59,  60,  63,
                                    64, 65, 67, 82, 83, 88, 94, 95, 96, 103, 136, 143, 144};

/* Bytes of the value before the options in it. */
static const uint8_t before_options[] = {
    [K_IA] = 12, [K_IA_TA] = 4, [K_ADDRESS] = 24, [K_PREFIX] = 25};

static enum kind kind_of(uint64_t code)
{
    return code <= LAST_OPTION ? (enum kind)forms[code].kind : K_OPAQUE;
}

/* ---- what it looks like ---- */

static size_t header_len(uint8_t first)
{
    return first == RELAY_FORWARD || first == RELAY_REPLY ? RELAY_HEADER : HEADER;
}

/* Bytes of the option at b, which has n bytes of what holds it, or 0 when it does not fit. */
static size_t option_len(const uint8_t *b, size_t n)
{
    size_t len = n >= 4 ? 4 + (size_t)wspi_load_be(b + 2, 2) : 0;

    return len <= n ? len : 0;
}

/* Do options fill n bytes? */
static bool are_options(const uint8_t *b, size_t n)
{
    size_t at = 0, len = 1;

    for (; at < n && len; at += len)
        len = option_len(b + at, n - at);
    return at == n;
}

/* There is no magic number: a known type, and options that fill the datagram or go on to where the capture cuts it. */
static bool looks(const uint8_t *b, size_t n)
{
    size_t at = header_len(b[0]), options = 0;
    bool known = false;

    if (b[0] == 0 || b[0] > LAST_TYPE || n < at + 4)
        return false;
    for (; at + 4 <= n; options++) {
        uint64_t code = wspi_load_be(b + at, 2);
        if (code == 0 || code > LAST_OPTION)
            return false;
        known = known || kind_of(code) != K_OPAQUE;
        at += 4 + (size_t)wspi_load_be(b + at + 2, 2);
    }
    return known && (at == n || (options > 1 && at > n));
}

/* ---- options ---- */

static void options(wspi_coder *c, size_t end, unsigned depth, uint64_t holder);
static bool message(wspi_coder *c, size_t end, unsigned depth);

/* What no token tells: samples make up something for the option. */
static void contents(wspi_coder *c, uint64_t code, size_t n)
{
    if (c->fill)
        wspi_dhcpv6_fill(c, code, n);
    else
        wspi_app_opaque(c, n);
}

/* Of n bytes, in samples from 2^min on, or from 0, and below 2^max. */
static uint64_t number(wspi_coder *c, size_t n, unsigned min, unsigned max)
{
    wspi_app_only(c, 2 * min, max ? 2 * (max - min) : 1);
    return wspi_app_field(c, NUMBER, n, false, 0);
}

/* Samples: the kind of identifier that is of so many bytes; the usual one has times. */
static void only_duid(wspi_coder *c, size_t n)
{
    static const struct {
        uint8_t len, from, count;
    } kinds[] = {{8, 2, 1}, {16, 1, 3}};

    for (size_t k = 0; k < WSPI_COUNT(kinds); k++)
        if (kinds[k].len == n - 2) {
            wspi_app_only(c, kinds[k].from, kinds[k].count);
            return;
        }
    wspi_app_only(c, 0, 1);
}

/* A kind, for hardware addresses that of the hardware, and the identifier. */
static void identifier(wspi_coder *c, uint64_t code, size_t n)
{
    uint64_t kind;

    if (n < 2) {
        wspi_app_opaque(c, n);
        return;
    }
    only_duid(c, n);
    kind = wspi_app_field(c, DUID, 2, false, 0);
    n -= 2;
    if ((kind == DUID_TIME || kind == DUID_LINK) && n >= 2) {
        wspi_app_only(c, 0, 0);
        (void)wspi_app_field(c, HARDWARE, 2, true, 1);
        n -= 2;
    }
    contents(c, code, n);
}

/* Two times: in samples the first one is open, or before the second one (RFC 8415 14.2, 21.6). */
static void times(wspi_coder *c)
{
    uint64_t first = number(c, 4, 0, 31);

    number(c, 4, first ? wspi_log2(first) + 1 : 0, 32);
}

/* What is in front of the options. */
static void fixed_part(wspi_coder *c, enum kind kind, uint64_t code)
{
    if (kind == K_ADDRESS)
        contents(c, code, 16);
    else if (kind != K_PREFIX)
        contents(c, code, 4);
    if (kind != K_IA_TA)
        times(c);
    if (kind != K_PREFIX)
        return;
    number(c, 1, 5, 7);
    contents(c, code, 16);
}

/* Samples: what may be asked for, once. */
static void only_asked_for(wspi_coder *c, const bool *seen)
{
    for (unsigned k = 0; wspi_asked(c) && option[k].name; k++)
        if (option[k].value > LAST_OPTION || seen[option[k].value] ||
            !memchr(asked_for, (int)option[k].value, sizeof asked_for))
            wspi_app_take_back(c, REQUESTED, k);
}

/* Codes, until fewer than two bytes are left. */
static void list(wspi_coder *c, size_t n)
{
    bool seen[LAST_OPTION + 1] = {false};
    uint64_t code;

    for (; n >= 2 && !wspi_app_stopped(c); n -= 2) {
        code = wspi_app_code(c, REQUESTED, false, 0, wspi_app_get(c, 2));
        only_asked_for(c, seen);
        wspi_app_put(c, 2, code);
        seen[WSPI_MIN(code, (uint64_t)LAST_OPTION)] = true;
    }
    wspi_app_opaque(c, n);
}

/* Which holds a message or options, at least `first` bytes, that fill it; `raw` tells that they do not. */
static bool holds(wspi_coder *c, size_t n, bool relayed, size_t first, unsigned depth)
{
    const uint8_t *b = c->enc ? c->pay.in + c->pay.at : NULL;
    uint64_t is = FIELDS;

    if (n < first || depth == MAX_DEPTH)
        return false;
    if (c->enc && relayed)
        first = header_len(*b);
    if (c->enc && (n < first || !are_options(b + first, n - first)))
        is = RAW;
    wspi_app_only(c, 0, 0);
    return wspi_app_code(c, FORM, true, FIELDS, is) != RAW;
}

/* Samples: options that the vendor's readers take apart are not made up. */
static void enterprise_of(wspi_coder *c, uint64_t code)
{
    uint64_t v = wspi_app_code(c, ENTERPRISE, false, 0, wspi_app_get(c, 4));

    for (unsigned k = 0; code == VENDOR_OPTIONS && wspi_asked(c) && enterprise[k].name; k++)
        if (enterprise[k].value == CABLELABS || enterprise[k].value == BROADBAND)
            wspi_app_take_back(c, ENTERPRISE, k);
    wspi_app_put(c, 4, v);
}

/* Samples: a message goes on from the last one of its transaction by the time between them, and the first one begins with 0 (RFC 8415 21.9). */
static void elapsed(wspi_coder *c)
{
    enum { HUNDREDTH = 10000000, M = 1 };
    uint64_t *taken = &c->app.v[c->dir][TAKEN], want = 0, v,
             last = WSPI_MIN(c->ctx->sent_ns[c->dir], c->p->time_ns);

    if (*taken && *taken != BEGINS)
        want = WSPI_MIN(*taken - 1 + (c->p->time_ns - last) / HUNDREDTH, (uint64_t)UINT16_MAX);
    if (*taken && c->fill)
        wspi_app_only(c, wspi_bin(want, M), 1);
    else
        wspi_app_only(c, 0, 32);
    v = wspi_app_code(c, NUMBER, false, 0, wspi_app_get(c, 2));
    if (*taken && c->fill && wspi_bin(v, M) == wspi_bin(want, M))
        c->app.v[c->dir][NUMBER] = v = want;
    wspi_app_put(c, 2, v);
    *taken = v + 1;
}

/* Retransmission times are a minute to a day: RFC 8415 21.24. */
static void number_of(wspi_coder *c, uint64_t code, size_t n)
{
    bool most = code == 82 || code == 83;

    if (code == ELAPSED && n == 2) {
        elapsed(c);
        return;
    }
    (void)number(c, n, most ? 6 : 0, most ? 16 : 8 * (unsigned)n);
}

/* The value, n bytes that are all captured; false: it is none of these. */
static bool structured(wspi_coder *c, uint64_t code, size_t n, unsigned depth)
{
    enum kind kind = kind_of(code);
    size_t end = c->pay.at + n;

    switch (kind) {
    case K_IA:
    case K_IA_TA:
    case K_ADDRESS:
    case K_PREFIX:
        if (!holds(c, n, false, before_options[kind], depth))
            return false;
        fixed_part(c, kind, code);
        options(c, end, depth + 1, code);
        return true;
    case K_RELAYED: return holds(c, n, true, HEADER, depth) && message(c, end, depth + 1);
    case K_DUID: identifier(c, code, n); return true;
    case K_LIST: list(c, n); return true;
    case K_NUMBER:
        if (n == 0 || n > 4)
            return false;
        number_of(c, code, n);
        return true;
    case K_STATUS:
        if (n < 2)
            return false;
        (void)wspi_app_field(c, STATUS, 2, false, 0);
        wspi_app_text(c, n - 2, SHOWN, WSPI_TEXT_LINE);
        return true;
    case K_ENTERPRISE:
        if (n < 4)
            return false;
        enterprise_of(c, code);
        contents(c, code, n - 4);
        return true;
    case K_TEXT: wspi_app_text(c, n, SHOWN, WSPI_TEXT_LINE); return true;
    default: return false;
    }
}

/* Samples: may the option have a length of bin k of the field? Lists of codes are even. */
static bool may_be_long(uint64_t code, unsigned m, unsigned k)
{
    uint64_t from = wspi_bin_start(k, m), step = UINT64_C(1) << wspi_bin_bits(k, m);

    for (size_t i = 0; i < WSPI_COUNT(sampled[code].exact); i++)
        if (sampled[code].exact[i] && wspi_bin(sampled[code].exact[i], m) == k)
            return true;
    return from <= sampled[code].most && from + step > sampled[code].least && sampled[code].most &&
           (code != REQUEST || step > 1 || from % 2 == 0);
}

static void only_lengths(wspi_coder *c, unsigned f, uint64_t code)
{
    for (unsigned k = 0; wspi_asked(c) && k < wspi_field_count(c->pay.app, f); k++)
        if (code > LAST_OPTION || !may_be_long(code, fields[f].mantissa, k))
            wspi_app_take_back(c, f, k);
}

/*
 * Samples: a length of the same bin as n that the option may have, the same one whenever the flow has it; n where it has none, as
 * in a packet whose first tokens are recorded ones.
 */
static uint64_t sampled_len(const wspi_coder *c, unsigned f, uint64_t code, uint64_t n)
{
    unsigned m = fields[f].mantissa, k = wspi_bin(n, m);
    uint64_t from = wspi_bin_start(k, m), end = from + (UINT64_C(1) << wspi_bin_bits(k, m));

    for (size_t i = 0; i < WSPI_COUNT(sampled[code].exact); i++)
        if (sampled[code].exact[i] && wspi_bin(sampled[code].exact[i], m) == k)
            return sampled[code].exact[i];
    from = WSPI_MAX(from, (uint64_t)sampled[code].least);
    return sampled[code].most && from < end ? from + (c->fill->seed >> 8) % (end - from) : n;
}

/*
 * The list of what is asked for tells systems apart and is the same in the next message of the flow, which remembers
 * it: no length then, as a list that is told is not empty.
 */
static void requested(wspi_coder *c)
{
    const wsp_context *s = c->ctx;
    bool known = s->name_len && s->name_len < 256 &&
                 (s->app.id[0] == c->pay.app || s->app.id[1] == c->pay.app);
    uint64_t n = wspi_app_get(c, 2), told = n;
    size_t at = c->pay.at + (c->enc ? 0 : 2);

    wspi_app_require(c, !c->enc || n > 0);
    if (c->enc && known && n == s->name_len && wspi_app_captured(c) >= n &&
        memcmp(c->pay.in + at, s->name, n) == 0)
        told = 0;
    told = wspi_app_code(c, LENGTH, known, 0, told);
    only_lengths(c, LENGTH, REQUEST);
    wspi_app_require(c, told > 0 || known);
    if (wspi_app_stopped(c))
        return;
    if (c->fill)
        told &= ~UINT64_C(1);
    n = told ? told : s->name_len;
    wspi_app_put(c, 2, n);
    if (!c->fill && wspi_app_captured(c) < n) {
        wspi_app_opaque(c, (size_t)n);
        return;
    }
    if (told)
        list(c, (size_t)n);
    for (uint64_t i = 0; !told && i < n && !wspi_app_stopped(c); i++) {
        (void)wspi_app_get(c, 1);
        wspi_app_put(c, 1, s->name[i]);
    }
    if (n < 256) {
        c->name_at = at;
        c->name_len = (uint16_t)n;
    }
}

static void one_option(wspi_coder *c, uint64_t code, unsigned depth)
{
    unsigned want = code <= LAST_OPTION ? forms[code].len : 0;
    unsigned f = kind_of(code) == K_NAME ? NAME : LENGTH;
    bool known = want > 0 || code == 14 || code == 20;
    uint64_t n;

    if (code == REQUEST) {
        requested(c);
        return;
    }
    n = wspi_app_code(c, f, known, want, wspi_app_get(c, 2));
    only_lengths(c, f, code);
    if (c->fill && code <= LAST_OPTION && (!known || n != want))
        n = sampled_len(c, f, code, n);
    wspi_app_put(c, 2, n);
    if (wspi_app_stopped(c))
        return;
    if (!c->fill && wspi_app_captured(c) < n)
        wspi_app_opaque(c, (size_t)n);
    else if (!structured(c, code, (size_t)n, depth))
        contents(c, code, (size_t)n);
}

/* ---- which options samples have ---- */

/* What a message has had, and what holds its options: an association has one address or prefix, and that only. */
typedef struct list_of {
    bool seen[LAST_OPTION + 1];
    uint64_t holder; /* 0: the message */
    uint8_t type;
} list_of;

static bool may_have(const wspi_coder *c, const list_of *l, uint64_t code)
{
    if (code > LAST_OPTION || l->seen[code])
        return false;
    if (l->holder)
        return code == (l->holder == IA_PD ? PREFIX : ADDRESS);
    return sampled[code].in >> l->type & 1 &&
           (c->pos < SAMPLED || sampled[code].needed >> l->type & 1);
}

/* Has the message, or the association, all that it has to have? */
static bool has_all(const list_of *l)
{
    for (size_t code = 0; code <= LAST_OPTION && !l->holder; code++)
        if (sampled[code].needed >> l->type & 1 && !l->seen[code])
            return false;
    return !l->holder;
}

static void only_options(wspi_coder *c, const list_of *l)
{
    if (!wspi_asked(c))
        return;
    for (unsigned k = 0; option[k].name; k++)
        if (!may_have(c, l, option[k].value))
            wspi_app_take_back(c, OPTION, k);
    if (!has_all(l))
        c->need = true;
}

/* Up to `end`, as far as options fit: what does not is opaque. Only in the outermost message may there be such bytes. */
static void options(wspi_coder *c, size_t end, unsigned depth, uint64_t holder)
{
    list_of l = {.holder = holder, .type = (uint8_t)(c->app.v[c->dir][TYPE] & 15)};
    bool filling = c->fill && depth == 0;
    uint64_t code = 0;

    for (unsigned n = 0;
         n < MAX_OPTIONS && !wspi_app_stopped(c) && (filling || c->pay.at + 4 <= end); n++) {
        bool there = c->enc && wspi_app_captured(c) >= 4 &&
                     option_len(c->pay.in + c->pay.at, end - c->pay.at) > 0;
        there = wspi_app_element(c, OPTION, 2, there, &code);
        if (!there) {
            only_options(c, &l);
            break;
        }
        l.seen[WSPI_MIN(code, (uint64_t)LAST_OPTION)] = true;
        one_option(c, code, depth);
    }
    if (filling || wspi_app_stopped(c))
        return;
    wspi_app_require(c, c->fill || (c->pay.at <= end && (depth == 0 || c->pay.at == end)));
    if (!wspi_app_stopped(c) && c->pay.at < end)
        wspi_app_opaque(c, end - c->pay.at);
}

/* ---- the message ---- */

static void transaction(wspi_coder *c, bool answer)
{
    uint64_t want, v;
    bool known = wspi_app_last(c, !answer, TRANSACTION, &want) && want;

    v = wspi_app_get(c, 3);
    wspi_app_only(c, 0, !answer);
    v = wspi_app_code(c, TRANSACTION, known, want, v);
    if (!answer && known && v != want)
        c->app.v[c->dir][TAKEN] = BEGINS;
    if (c->fill && !(known && v == want)) /* small ones with some types could be NTP */
        c->app.v[c->dir][TRANSACTION] = v |= 0x800000;
    wspi_app_put(c, 3, v);
}

/* Samples: answers go from the server's port to the client's; those to a group's question are flows of their own. */
static bool by_server(const wspi_coder *c)
{
    const uint64_t *port = c->p->layers[c->p->n_layers - 1].v;

    if (port[0] == SERVER && port[1] == CLIENT)
        return true;
    return c->dir && !(port[0] == CLIENT && port[1] == SERVER);
}

/* Samples: advertisements answer solicitations. */
static bool may_say(const wspi_coder *c, uint64_t is)
{
    uint64_t asked;

    if (!by_server(c))
        return is <= 11 && OF_CLIENT >> is & 1;
    return is == REPLY ||
           (is == ADVERTISE && (!wspi_app_last(c, false, TYPE, &asked) || asked == SOLICIT));
}

static uint64_t type_of(wspi_coder *c)
{
    uint64_t is = wspi_app_code(c, TYPE, false, 0, wspi_app_get(c, 1));

    for (unsigned k = 0; wspi_asked(c) && type[k].name; k++)
        if (!may_say(c, type[k].value))
            wspi_app_take_back(c, TYPE, k);
    wspi_app_put(c, 1, is);
    return is;
}

static bool message(wspi_coder *c, size_t end, unsigned depth)
{
    uint64_t is = type_of(c);

    if (is == RELAY_FORWARD || is == RELAY_REPLY) {
        (void)wspi_app_field(c, HOPS, 1, true, 0);
        wspi_app_opaque(c, 32);
    } else {
        transaction(c, c->dir == 1);
    }
    options(c, end, depth, 0);
    return true;
}

static void walk(wspi_coder *c)
{
    (void)message(c, c->pay.wire, 0);
}

const wspi_app wspi_app_dhcpv6 = {
    .proto = {.name = "dhcpv6", .fields = fields, .n_fields = WSPI_COUNT(fields)},
    .over = WSPI_OVER_UDP,
    .looks = looks,
    .walk = walk,
    .ports = {546, 547},
    .ports_only = true,
    .clients = {{546, 547}, {547, 546}, {547, 547}},
    .clients_only = true,
};
