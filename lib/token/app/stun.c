/* SPDX-License-Identifier: Apache-2.0 */
/*
 * stun.c: STUN over UDP, RFC 8489 5 and 14, with the attributes of TURN (RFC 8656) and ICE (RFC 8445):
 * | type 16 | length 16 | cookie 32 | id 96 | attributes |    attribute: | type 16 | length 16 | value | padding to 4 |
 * The length is that of the attributes. RFC 3489 has no cookie but an id of 128 bits, whose first 32 are in its place.
 * address: | 0 8 | family 8 | port 16 | address 32 or 128 |, in some attributes xor | cookie | id |
 * Ids and keys are opaque. What follows the last attribute that fits, or zeros (a reserved type), is the tail.
 */
#include "token/app/app.h"

enum {
    TYPE,
    COOKIE,
    ID_HIGH,
    ID,
    ATTRIBUTE,
    LENGTH,
    FAMILY,
    PORT,
    ADDRESS,
    ADDRESS6,
    ADDRESS6_IF,
    ERROR,
    PREFERENCE,
    NUMBER,
    USERNAME,
    REALM,
    SOFTWARE,
    PADDING,
    FINGERPRINT,
    TAIL,
    ANSWERED /* no field: the ID of the last response */
};

enum {
    HEADER = 20,
    MAX_ATTRIBUTES = 40,
    MAX_SOFTWARE = 255,
    SHOWN_SOFTWARE = 24,
    SHOWN_REASON = 16
};
enum { MAGIC = 0x2112a442, FINGERPRINT_XOR = 0x5354554e, RESPONSE = 0x100 };
enum { HAVE_4 = 1, HAVE_6 = 2 }; /* mode: a mapped address of this direction is known */
enum { IPV4 = 1, IPV6 = 2 };
enum { INDICATION = 0x010, BINDING = 0x001, RELAY_PORT = 3478 };

/* Samples have the first ones, up to those of channels: SAMPLED. */
enum { SAMPLED = 16 };
static const wspi_value type[] = {{0x0001, "binding-request"},     {0x0101, "binding-success"},
                                  {0x0111, "binding-error"},       {0x0011, "binding-indication"},
                                  {0x0003, "allocate-request"},    {0x0103, "allocate-success"},
                                  {0x0113, "allocate-error"},      {0x0004, "refresh-request"},
                                  {0x0104, "refresh-success"},     {0x0114, "refresh-error"},
                                  {0x0008, "permission-request"},  {0x0108, "permission-success"},
                                  {0x0118, "permission-error"},    {0x0009, "channel-request"},
                                  {0x0109, "channel-success"},     {0x0119, "channel-error"},
                                  {0x0016, "send-indication"},     {0x0017, "data-indication"},
                                  {0x0115, "data-indication-old"}, {0x0002, "secret-request"},
                                  {0x0102, "secret-success"},      {0x0112, "secret-error"},
                                  {0x0800, "whatsapp-0"},          {0x0801, "whatsapp-1"},
                                  {0x0802, "whatsapp-2"},          {0x0804, "whatsapp-4"},
                                  {0x0805, "whatsapp-5"},          {0, NULL}};

enum {
    MAPPED = 0x0001,
    CHANGE_REQUEST = 0x0003,
    INTEGRITY = 0x0008,
    USE_CANDIDATE = 0x0025,
    CONTROLLED = 0x8029,
    CONTROLLING = 0x802a,
    XOR_MAPPED = 0x0020,
    XOR_MAPPED_OLD = 0x8020,
    AT_SOFTWARE = 0x8022,
    AT_FINGERPRINT = 0x8028
};

static const wspi_value attribute[] = {{XOR_MAPPED, "xor-mapped-address"},
                                       {AT_SOFTWARE, "software"},
                                       {AT_FINGERPRINT, "fingerprint"},
                                       {MAPPED, "mapped-address"},
                                       {0x0002, "response-address"},
                                       {0x0003, "change-request"},
                                       {0x0004, "source-address"},
                                       {0x0005, "changed-address"},
                                       {0x0006, "username"},
                                       {0x0008, "message-integrity"},
                                       {0x0009, "error-code"},
                                       {0x000a, "unknown-attributes"},
                                       {0x000b, "reflected-from"},
                                       {0x000c, "channel-number"},
                                       {0x000d, "lifetime"},
                                       {0x000f, "turn-cookie"},
                                       {0x0010, "bandwidth"},
                                       {0x0011, "destination-address"},
                                       {0x0012, "xor-peer-address"},
                                       {0x0013, "data"},
                                       {0x0014, "realm"},
                                       {0x0015, "nonce"},
                                       {0x0016, "xor-relayed-address"},
                                       {0x0017, "requested-family"},
                                       {0x0018, "even-port"},
                                       {0x0019, "requested-transport"},
                                       {0x001a, "dont-fragment"},
                                       {0x001c, "message-integrity-sha256"},
                                       {0x001d, "password-algorithm"},
                                       {0x001e, "userhash"},
                                       {0x0022, "reservation-token"},
                                       {0x0024, "priority"},
                                       {0x0025, "use-candidate"},
                                       {0x0026, "padding"},
                                       {0x0027, "response-port"},
                                       {0x002a, "connection-id"},
                                       {0x4000, "whatsapp-0"},
                                       {0x4002, "whatsapp-2"},
                                       {0x4003, "whatsapp-3"},
                                       {0x4004, "whatsapp-4"},
                                       {0x4007, "whatsapp-7"},
                                       {0x8002, "password-algorithms"},
                                       {0x8006, "ms-alternate-server"},
                                       {0x8008, "ms-version"},
                                       {XOR_MAPPED_OLD, "xor-mapped-address-old"},
                                       {0x8023, "alternate-server"},
                                       {0x8027, "cache-timeout"},
                                       {0x8029, "ice-controlled"},
                                       {0x802a, "ice-controlling"},
                                       {0x802b, "response-origin"},
                                       {0x802c, "other-address"},
                                       {0x8050, "ms-sequence-number"},
                                       {0x8054, "ms-candidate"},
                                       {0x8055, "ms-service-quality"},
                                       {0x8070, "ms-implementation"},
                                       {0xc057, "network-info"},
                                       {0, NULL}};

static const wspi_value family[] = {{IPV4, "ipv4"}, {IPV6, "ipv6"}, {0, NULL}};

/* Class and number as in the attribute: | 0 21 | class 3 | number 8 |. */
static const wspi_value error[] = {
    {0x401, "401"}, {0x426, "438"}, {0x400, "400"}, {0x414, "420"}, {0x403, "403"}, {0x425, "437"},
    {0x429, "441"}, {0x42a, "442"}, {0x42b, "443"}, {0x428, "440"}, {0x41e, "430"}, {0x456, "486"},
    {0x457, "487"}, {0x300, "300"}, {0x500, "500"}, {0x508, "508"}, {0, NULL}};

/* The first byte of a priority, RFC 8445 5.1.2.1: what kind of candidate it is. */
static const wspi_value preference[] = {
    {126, "host"},  {110, "peer-reflexive"}, {100, "server-reflexive"},
    {0, "relayed"}, {1, "relayed-tcp"},      {2, "relayed-udp"},
    {0, NULL}};

static const wspi_field fields[] = {
    [TYPE] = {WSPI_ENUM("stun.type", 16, type)},
    [COOKIE] = {WSPI_FREE("stun.cookie", 32, WSPI_P_CONST, WSPI_R_NUMBER), .arg = MAGIC},
    [ID_HIGH] = {WSPI_FREE("stun.id_high", 32, WSPI_P_MIRROR, WSPI_R_NUMBER)},
    [ID] = {WSPI_FREE("stun.id", 64, WSPI_P_MIRROR, WSPI_R_NUMBER)},
    [ATTRIBUTE] = {WSPI_ENUM("stun.attribute", 16, attribute)},
    [LENGTH] = {WSPI_MAG("stun.length", 16, WSPI_R_NONE, 2)},
    [FAMILY] = {WSPI_ENUM("stun.family", 16, family)},
    [PORT] = {WSPI_FREE("stun.port", 16, WSPI_P_PREV, WSPI_R_PORT_DST)},
    [ADDRESS] = {WSPI_FREE("stun.address", 32, WSPI_P_PREV, WSPI_R_IP_DST)},
    [ADDRESS6] = {WSPI_FREE("stun.address6", 64, WSPI_P_PREV, WSPI_R_IP_DST)},
    [ADDRESS6_IF] = {WSPI_FREE("stun.address6_if", 64, WSPI_P_PREV, WSPI_R_IP_DST_LOW)},
    [ERROR] = {WSPI_ENUM("stun.error", 32, error)},
    [PREFERENCE] = {WSPI_ENUM("stun.preference", 8, preference), .pred = WSPI_P_PREV},
    [NUMBER] = {WSPI_MAG("stun.number", 32, WSPI_R_NONE, 1)},
    [USERNAME] = {WSPI_MAG("stun.username", 16, WSPI_R_NAME, 1), .pred = WSPI_P_PREV},
    [REALM] = {WSPI_MAG("stun.realm", 16, WSPI_R_NAME, 1), .pred = WSPI_P_PREV},
    [SOFTWARE] = {WSPI_MAG("stun.software", 16, WSPI_R_NONE, 1), .pred = WSPI_P_PREV},
    [PADDING] = {WSPI_FREE("stun.padding", 24, WSPI_P_CONST, WSPI_R_NONE)},
    [FINGERPRINT] = {WSPI_FREE("stun.fingerprint", 32, WSPI_P_CONST, WSPI_R_CHECKSUM)},
    [TAIL] = {WSPI_MAG("stun.tail", 16, WSPI_R_NONE, 1)},
};

/* What is in an attribute and how long it is; others, and those of another length, are opaque. */
enum kind {
    K_OPAQUE,
    K_MAPPED, /* as long as the family of the packet's addresses has it */
    K_USERNAME,
    K_REALM,
    K_SOFTWARE,
    K_ERROR,
    K_PRIORITY,
    K_NUMBER,
    K_FINGERPRINT,
    K_DATA /* as long as what is left */
};
enum { VARIES = -1 };
typedef struct form {
    uint16_t type;
    uint8_t kind;
    int16_t len;
    uint32_t want; /* of a NUMBER */
} form;
static const form forms[] = {
    {XOR_MAPPED, K_MAPPED, 0, 0},
    {MAPPED, K_MAPPED, 0, 0},
    {XOR_MAPPED_OLD, K_MAPPED, 0, 0},
    {AT_SOFTWARE, K_SOFTWARE, VARIES, 0},
    {AT_FINGERPRINT, K_FINGERPRINT, 4, 0},
    {0x0006, K_USERNAME, VARIES, 0},
    {0x0014, K_REALM, VARIES, 0},
    {0x0009, K_ERROR, VARIES, 0},
    {0x0013, K_DATA, 0, 0},
    {0x0024, K_PRIORITY, 4, 0},
    {0x0003, K_NUMBER, 4, 0},
    {0x000c, K_NUMBER, 4, 0x40000000},
    {0x000d, K_NUMBER, 4, 600},
    {0x000f, K_NUMBER, 4, 0x72c64bc6},
    {0x0010, K_NUMBER, 4, 0},
    {0x0017, K_NUMBER, 4, 0x01000000},
    {0x0018, K_NUMBER, 1, 0x80},
    {0x0019, K_NUMBER, 4, 0x11000000},
    {0x0027, K_NUMBER, 4, 0},
    {0x8008, K_NUMBER, 4, 1},
    {0x8027, K_NUMBER, 4, 0},
    {0x8070, K_NUMBER, 4, 2},
    {0xc057, K_NUMBER, 4, 0},
    {0x0002, K_OPAQUE, 8, 0},
    {0x0004, K_OPAQUE, 8, 0},
    {0x0005, K_OPAQUE, 8, 0},
    {0x0008, K_OPAQUE, 20, 0},
    {0x000b, K_OPAQUE, 8, 0},
    {0x0011, K_OPAQUE, 8, 0},
    {0x0012, K_OPAQUE, 8, 0},
    {0x0016, K_OPAQUE, 8, 0},
    {0x001a, K_OPAQUE, 0, 0},
    {0x001c, K_OPAQUE, 32, 0},
    {0x001e, K_OPAQUE, 32, 0},
    {0x0022, K_OPAQUE, 8, 0},
    {0x0025, K_OPAQUE, 0, 0},
    {0x002a, K_OPAQUE, 4, 0},
    {0x4002, K_OPAQUE, 8, 0},
    {0x8023, K_OPAQUE, 8, 0},
    {0x8029, K_OPAQUE, 8, 0},
    {0x802a, K_OPAQUE, 8, 0},
    {0x802b, K_OPAQUE, 8, 0},
    {0x802c, K_OPAQUE, 8, 0},
    {0x8050, K_OPAQUE, 24, 0},
    {0x8055, K_OPAQUE, 4, 0},
};

/*
 * Samples: in which messages an attribute may be, by bits of the first types, and those that have to have it; lengths from the least
 * to the most where they vary, or else bins of the number that are not the usual one; what an opaque one is made of.
 */
enum {
    B_REQ = 1 << 0,
    B_OK = 1 << 1,
    B_ERR = 1 << 2,
    A_REQ = 1 << 4,
    A_OK = 1 << 5,
    R_REQ = 1 << 7,
    R_OK = 1 << 8,
    P_REQ = 1 << 10,
    C_REQ = 1 << 13,
    OF_RELAYS = A_REQ | R_REQ | P_REQ | C_REQ,
    OF_ERRORS = B_ERR | 1 << 6 | 1 << 9 | 1 << 12 | 1 << 15,
    OF_ALL = (1 << SAMPLED) - 1,
    SIGNED = OF_ALL & ~(1 << 3)
};
enum made { RANDOM, TEXT, ADDRESS_XOR, ADDRESS_PLAIN };
typedef struct sample {
    uint16_t type, in, needed;
    uint8_t from, to, made;
} sample;
static const sample samples[] = {
    {XOR_MAPPED, B_OK | A_OK, B_OK | A_OK, 0, 0, 0},
    {MAPPED, B_OK, 0, 0, 0, 0},
    {AT_SOFTWARE, OF_ALL, 0, 0, 0, 0},
    {AT_FINGERPRINT, OF_ALL, 0, 0, 0, 0},
    {CHANGE_REQUEST, B_REQ, 0, 4, 6, 0},
    {0x0004, B_OK, 0, 0, 0, ADDRESS_PLAIN},
    {0x0005, B_OK, 0, 0, 0, ADDRESS_PLAIN},
    {0x0006, B_REQ | OF_RELAYS, 0, 4, 95, TEXT},
    {INTEGRITY, SIGNED, 0, 0, 0, RANDOM},
    {0x0009, OF_ERRORS, OF_ERRORS, 4, 63, 0},
    {0x000c, C_REQ, C_REQ, 0, 0, 0},
    {0x000d, A_REQ | A_OK | R_REQ | R_OK, A_OK | R_OK, 0, 26, 0},
    {0x0012, P_REQ | C_REQ, P_REQ | C_REQ, 0, 0, ADDRESS_XOR},
    {0x0014, OF_RELAYS | OF_ERRORS, 0, 4, 63, TEXT},
    {0x0015, OF_RELAYS | OF_ERRORS, 0, 8, 111, TEXT},
    {0x0016, A_OK, A_OK, 0, 0, ADDRESS_XOR},
    {0x0018, A_REQ, 0, 0, 1, 0},
    {0x0019, A_REQ, A_REQ, 0, 0, 0},
    {0x001a, A_REQ, 0, 0, 0, 0},
    {0x0022, A_OK, 0, 0, 0, RANDOM},
    {0x0024, B_REQ, 0, 0, 0, 0},
    {USE_CANDIDATE, B_REQ, 0, 0, 0, 0},
    {CONTROLLED, B_REQ, 0, 0, 0, RANDOM},
    {CONTROLLING, B_REQ, 0, 0, 0, RANDOM},
    {0x802b, B_OK, 0, 0, 0, ADDRESS_PLAIN},
    {0x802c, B_OK, 0, 0, 0, ADDRESS_PLAIN},
    {0xc057, B_REQ, 0, 1, 48, 0},
};
static const sample no_sample = {0, 0, 0, 0, 0, 0};

/* ---- what it looks like ---- */

static size_t padding_of(uint64_t len)
{
    return (size_t)(0 - len) & 3;
}

/* Of the attribute at b, which has n bytes of the message: with its padding, or 0 when it does not fit. */
static size_t attribute_len(const uint8_t *b, size_t n)
{
    uint64_t len = n >= 4 ? wspi_load_be(b + 2, 2) : 0;

    return n >= 4 && 4 + len + padding_of(len) <= n ? (size_t)(4 + len + padding_of(len)) : 0;
}

/* Without a cookie: a known type, and attributes that fill the datagram. */
static bool looks_classic(const uint8_t *b, size_t n)
{
    uint64_t t = wspi_load_be(b, 2) & ~(uint64_t)0x110;
    size_t at = HEADER, len = 1;

    if ((t != 1 && t != 2) || wspi_load_be(b + 2, 2) != n - HEADER)
        return false;
    for (; at < n && len; at += len)
        len = attribute_len(b + at, n - at);
    return at == n;
}

static bool looks(const uint8_t *b, size_t n)
{
    return n >= HEADER && b[0] < 0x40 && (wspi_load_be(b + 4, 4) == MAGIC || looks_classic(b, n));
}

/* ---- values ---- */

/* CRC-32 of IEEE 802.3: polynomial 0x04c11db7, reflected; r is the register. */
static uint32_t crc_add(uint32_t r, const uint8_t *b, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        r ^= b[i];
        for (int k = 0; k < 8; k++)
            r = r & 1 ? r >> 1 ^ 0xedb88320 : r >> 1;
    }
    return r;
}

/* RFC 8489 14.7: of the message before this attribute, its length as if this attribute were the last one. */
static uint64_t fingerprint(const wspi_coder *c)
{
    const uint8_t *b = c->enc ? c->pay.in : c->pay.out->data;
    size_t end = c->pay.at - 4, len = c->pay.at + 4 - HEADER;
    uint8_t length[2] = {(uint8_t)(len >> 8), (uint8_t)len};
    uint32_t r = UINT32_MAX;

    if (!c->enc && c->pay.out->len < end)
        return 0;
    r = crc_add(r, b, 2);
    r = crc_add(r, length, 2);
    r = crc_add(r, b + 4, end - 4);
    return ~r ^ FINGERPRINT_XOR;
}

static uint64_t family_of_packet(const wspi_coder *c)
{
    for (size_t i = c->p->n_layers; i-- > 0;)
        if (c->p->layers[i].id == WSPI_IPV4 || c->p->layers[i].id == WSPI_IPV6)
            return c->p->layers[i].id == WSPI_IPV4 ? IPV4 : IPV6;
    return IPV4;
}

/* n bytes, on the wire xor `with`: as the last one of this direction. */
static void masked(wspi_coder *c, unsigned f, size_t n, bool known, uint64_t with)
{
    uint64_t v = wspi_app_get(c, n) ^ with;

    wspi_app_put(c, n, wspi_app_code(c, f, known, c->app.v[c->dir][f], v) ^ with);
}

/* An address of n bytes, its family and port among them. */
static void mapped(wspi_coder *c, bool xored, size_t n)
{
    const uint64_t *v = c->app.v[c->dir];
    uint64_t cookie = xored ? v[COOKIE] : 0, high = xored ? v[COOKIE] << 32 | v[ID_HIGH] : 0,
             low = xored ? v[ID] : 0, is;
    uint8_t *mode = &c->app.mode[c->dir];

    wspi_app_only(c, 0, 0);
    is = wspi_app_field(c, FAMILY, 2, true, family_of_packet(c));
    if (is == IPV4 && n == 8) {
        masked(c, PORT, 2, *mode, cookie >> 16);
        masked(c, ADDRESS, 4, *mode & HAVE_4, cookie);
        *mode |= HAVE_4;
    } else if (is == IPV6 && n == 20) {
        masked(c, PORT, 2, *mode, cookie >> 16);
        masked(c, ADDRESS6, 8, *mode & HAVE_6, high);
        masked(c, ADDRESS6_IF, 8, *mode & HAVE_6, low);
        *mode |= HAVE_6;
    } else {
        wspi_app_opaque(c, n - 2);
    }
}

/* ---- what samples have that no token tells ---- */

static size_t row_of(uint64_t t)
{
    size_t k = 0;

    while (k < WSPI_COUNT(samples) && samples[k].type != t)
        k++;
    return k;
}

static const sample *sample_of(uint64_t t)
{
    size_t k = row_of(t);

    return k < WSPI_COUNT(samples) ? &samples[k] : &no_sample;
}

/* A transport address of documentation (RFC 5737). */
static void made_address(wspi_coder *c, uint64_t cookie)
{
    uint64_t port = 49152 + wspi_rng_below(&c->rng, 16384),
             host = 0xcb007101 + wspi_rng_below(&c->rng, 254);

    wspi_app_put(c, 2, IPV4);
    wspi_app_put(c, 2, port ^ cookie >> 16);
    wspi_app_put(c, 4, host ^ cookie);
}

static void made_text(wspi_coder *c, size_t n)
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyz012345";

    for (; n && !wspi_app_stopped(c); n--)
        wspi_app_put(c, 1, (uint8_t)letters[wspi_rng_below(&c->rng, sizeof letters - 1)]);
}

/* An opaque attribute of n bytes. */
static void hidden(wspi_coder *c, uint64_t t, size_t n)
{
    enum made made = (enum made)sample_of(t)->made;

    if (c->fill && made == TEXT)
        made_text(c, n);
    else if (c->fill && made != RANDOM && n == 8)
        made_address(c, made == ADDRESS_XOR ? c->app.v[c->dir][COOKIE] : 0);
    else
        wspi_app_opaque(c, n);
}

/* ---- attributes ---- */

static const form *form_of(uint64_t t)
{
    static const form other = {0, K_OPAQUE, VARIES, 0};

    for (size_t i = 0; i < WSPI_COUNT(forms); i++)
        if (forms[i].type == t)
            return &forms[i];
    return &other;
}

/* A length of field f; samples have those of the attribute, and none in the place of one that is the usual one. */
static uint64_t varied_length(wspi_coder *c, unsigned f, uint64_t t, bool known, uint64_t want)
{
    const sample *is = sample_of(t);
    unsigned m = fields[f].mantissa, from = wspi_bin(is->from, m);
    uint64_t n = wspi_app_get(c, 2);

    wspi_app_only(c, from, is->to ? wspi_bin(is->to, m) - from + 1 : 0);
    n = wspi_app_code(c, f, known, want, n);
    if (known)
        wspi_app_take_back(c, f, wspi_bin(want, m));
    wspi_app_put(c, 2, n);
    return n;
}

/* The length of an attribute whose length is a field of its own: as the last one of this direction. */
static uint64_t length_as_last(wspi_coder *c, unsigned f, uint64_t t)
{
    uint64_t want;
    bool known = wspi_app_last(c, true, f, &want) && want;

    return varied_length(c, f, t, known, want);
}

/*
 * What the software is called is the same in the next message of the flow, which remembers it: no length then, as a
 * name that is told is not empty.
 */
static void software(wspi_coder *c)
{
    const wsp_context *s = c->ctx;
    bool known = s->name_len && s->name_len <= MAX_SOFTWARE &&
                 (s->app.id[0] == c->pay.app || s->app.id[1] == c->pay.app);
    uint64_t n = wspi_app_get(c, 2), told = n;
    size_t at = c->pay.at + (c->enc ? 0 : 2);

    wspi_app_require(c, !c->enc || (n > 0 && n <= MAX_SOFTWARE));
    if (c->enc && known && n == s->name_len && wspi_app_captured(c) >= n &&
        memcmp(c->pay.in + at, s->name, n) == 0)
        told = 0;
    wspi_app_only(c, 4, 8);
    told = wspi_app_code(c, SOFTWARE, known, 0, told);
    wspi_app_require(c, told <= MAX_SOFTWARE && (told > 0 || known));
    if (wspi_app_stopped(c))
        return;
    n = told ? told : s->name_len;
    wspi_app_put(c, 2, n);
    if (!c->fill && wspi_app_captured(c) < n) {
        wspi_app_opaque(c, n);
        return;
    }
    if (told)
        wspi_app_text(c, n, SHOWN_SOFTWARE, WSPI_TEXT_LINE);
    for (uint64_t i = 0; !told && i < n && !wspi_app_stopped(c); i++) {
        (void)wspi_app_get(c, 1);
        wspi_app_put(c, 1, s->name[i]);
    }
    c->name_at = at;
    c->name_len = (uint16_t)n;
}

/* The length of any other attribute. */
static uint64_t length(wspi_coder *c, const form *is, uint64_t t)
{
    size_t left = wspi_app_left(c), want = (size_t)WSPI_MAX(is->len, 0);

    if (is->kind == K_MAPPED)
        want = family_of_packet(c) == IPV6 ? 20 : 8;
    if (is->kind == K_DATA)
        want = left > 2 ? WSPI_MIN(left - 2, (size_t)UINT16_MAX) : 0;
    if (is->len == VARIES)
        return varied_length(c, LENGTH, t, false, 0);
    wspi_app_only(c, 0, 0);
    return wspi_app_field(c, LENGTH, 2, true, want);
}

static void error_code(wspi_coder *c, size_t n)
{
    (void)wspi_app_field(c, ERROR, 4, false, 0);
    wspi_app_text(c, n - 4, SHOWN_REASON, WSPI_TEXT_LINE);
}

static void priority(wspi_coder *c)
{
    uint64_t want;
    bool known = wspi_app_last(c, true, PREFERENCE, &want);

    (void)wspi_app_field(c, PREFERENCE, 1, known, want);
    wspi_app_opaque(c, 3);
}

/* Samples: the lowest bit of what shall change is reserved (RFC 5780 7.2). */
static void number(wspi_coder *c, const form *is, size_t n)
{
    const sample *s = sample_of(is->type);
    uint64_t v = wspi_app_get(c, n);

    wspi_app_only(c, s->from, s->to - s->from);
    v = wspi_app_code(c, NUMBER, true, is->want, v);
    wspi_app_take_back(c, NUMBER, wspi_bin(is->want, fields[NUMBER].mantissa));
    wspi_app_put(c, n, c->fill && is->type == CHANGE_REQUEST ? v & 6 : v);
}

static void contents(wspi_coder *c, const form *is, uint64_t t, size_t n)
{
    enum kind kind = (enum kind)is->kind;

    if ((!c->fill && wspi_app_captured(c) < n) || (kind == K_ERROR && n < 4) ||
        (kind == K_MAPPED && n < 2) ||
        (kind >= K_PRIORITY && kind <= K_FINGERPRINT && n != (size_t)is->len))
        kind = K_OPAQUE;
    switch (kind) {
    case K_MAPPED: mapped(c, is->type != MAPPED, n); break;
    case K_ERROR: error_code(c, n); break;
    case K_PRIORITY: priority(c); break;
    case K_NUMBER: number(c, is, n); break;
    case K_FINGERPRINT: (void)wspi_app_field(c, FINGERPRINT, 4, true, fingerprint(c)); break;
    default: hidden(c, t, n);
    }
}

static void one_attribute(wspi_coder *c, uint64_t t)
{
    const form *is = form_of(t);
    size_t start = c->pay.at + 2, pad;

    if (is->kind == K_SOFTWARE)
        software(c);
    else if (is->kind == K_USERNAME)
        hidden(c, t, length_as_last(c, USERNAME, t));
    else if (is->kind == K_REALM)
        hidden(c, t, length_as_last(c, REALM, t));
    else
        contents(c, is, t, length(c, is, t));
    if (wspi_app_stopped(c))
        return;
    pad = padding_of(c->pay.at - start);
    if (pad && (c->fill || wspi_app_captured(c) >= pad))
        (void)wspi_app_field(c, PADDING, pad, true, 0);
    else
        wspi_app_opaque(c, pad);
}

/* The number of a type in the list, or SAMPLED. */
static unsigned type_row(uint64_t t)
{
    unsigned k = 0;

    while (k < SAMPLED && type[k].value != t)
        k++;
    return k;
}

/* Has a message all that it has to have? An old server tells the address as it is. */
static bool has_all(unsigned row, const bool *seen)
{
    for (size_t k = 0; k < WSPI_COUNT(samples); k++)
        if (samples[k].needed >> row & 1 && !seen[k] &&
            !(samples[k].type == XOR_MAPPED && seen[row_of(MAPPED)]))
            return false;
    return true;
}

/* No attribute twice; a signature and a fingerprint are the end of it (RFC 8489 14.5, 14.7); one side controls. */
static bool may_have(unsigned row, const bool *seen, uint64_t t)
{
    size_t k = row_of(t);

    if (k == WSPI_COUNT(samples) || !(samples[k].in >> row & 1) || seen[k] ||
        seen[row_of(AT_FINGERPRINT)])
        return false;
    if (t == AT_FINGERPRINT || t == INTEGRITY)
        return has_all(row, seen) && !(t == INTEGRITY && seen[row_of(INTEGRITY)]);
    if (seen[row_of(INTEGRITY)])
        return false;
    if (t == CONTROLLING)
        return !seen[row_of(CONTROLLED)];
    return t != CONTROLLED || (!seen[row_of(CONTROLLING)] && !seen[row_of(USE_CANDIDATE)]);
}

static void only_sampled(wspi_coder *c, const bool *seen)
{
    unsigned row = type_row(c->app.v[c->dir][TYPE]);

    if (!wspi_asked(c))
        return;
    for (unsigned k = 0; attribute[k].name; k++)
        if (!may_have(row, seen, attribute[k].value))
            wspi_app_take_back(c, ATTRIBUTE, k);
    if (!has_all(row, seen))
        c->need = true;
}

static void attributes(wspi_coder *c, size_t end)
{
    bool seen[WSPI_COUNT(samples) + 1] = {false};
    uint64_t t = 0;

    for (unsigned n = 0; n < MAX_ATTRIBUTES && !wspi_app_stopped(c); n++) {
        bool there = c->enc && wspi_app_captured(c) >= 4 &&
                     attribute_len(c->pay.in + c->pay.at, end - c->pay.at) > 0 &&
                     wspi_load_be(c->pay.in + c->pay.at, 2) > 0;
        if (!wspi_app_element(c, ATTRIBUTE, 2, there, &t)) {
            only_sampled(c, seen);
            return;
        }
        seen[row_of(t)] = true;
        one_attribute(c, t);
    }
}

/* ---- the message ---- */

static void transaction(wspi_coder *c, bool response)
{
    uint64_t high, id, want = MAGIC, want_high = 0, want_id = 0;
    bool known = response && wspi_app_last(c, false, COOKIE, &want) &&
                 wspi_app_last(c, false, ID_HIGH, &want_high) &&
                 wspi_app_last(c, false, ID, &want_id);

    (void)wspi_app_field(c, COOKIE, 4, true, known ? want : MAGIC);
    high = wspi_app_get(c, 4);
    id = wspi_app_code(c, ID, known, want_id, wspi_app_get(c, 8));
    high = wspi_app_code(c, ID_HIGH, known && id == want_id, want_high, high);
    wspi_app_put(c, 4, high);
    wspi_app_put(c, 8, id);
    if (response)
        c->app.v[c->dir][ANSWERED] = id;
}

/* The length, now that it is known. */
static void set_length(wspi_coder *c)
{
    size_t len = c->pay.at - HEADER;

    if (c->enc || wspi_app_stopped(c))
        return;
    if (len > UINT16_MAX) {
        c->bad = true;
        return;
    }
    c->pay.out->data[2] = (uint8_t)(len >> 8);
    c->pay.out->data[3] = (uint8_t)len;
}

/* Has this side answered what the other one asked last? */
static bool has_answered(const wspi_coder *c)
{
    uint64_t mine, asked;

    return wspi_app_last(c, true, ANSWERED, &mine) && mine && wspi_app_last(c, false, ID, &asked) &&
           mine == asked;
}

/*
 * Samples: who was asked answers once, of the same method; relays are asked by clients, and ask nobody; connectivity is checked from both
 * sides (RFC 8445 7.2).
 */
static bool may_say(const wspi_coder *c, uint64_t t)
{
    uint64_t asked, method = t & ~(uint64_t)(RESPONSE | INDICATION);
    const uint64_t *port = c->p->layers[c->p->n_layers - 1].v;

    if (t & RESPONSE)
        return wspi_app_last(c, false, TYPE, &asked) && asked == method && !has_answered(c);
    if (t & INDICATION || c->dir == 0)
        return true;
    return method == BINDING && port[0] != RELAY_PORT && port[1] != RELAY_PORT;
}

static uint64_t type_of(wspi_coder *c)
{
    uint64_t t = wspi_app_code(c, TYPE, false, 0, wspi_app_get(c, 2));

    for (unsigned k = 0; type[k].name; k++)
        if (k >= SAMPLED || !may_say(c, type[k].value))
            wspi_app_take_back(c, TYPE, k);
    wspi_app_put(c, 2, t);
    return t;
}

static void walk(wspi_coder *c)
{
    uint64_t t = type_of(c);
    size_t end;

    end = HEADER + (size_t)wspi_app_get(c, 2);
    wspi_app_require(c, t < 0x4000 && (!c->enc || end <= c->pay.wire));
    wspi_app_put(c, 2, 0);
    transaction(c, t & RESPONSE);
    if (wspi_app_stopped(c))
        return;
    attributes(c, end);
    wspi_app_only(c, 0, 0);
    wspi_app_opaque(c, wspi_app_code(c, TAIL, true, 0, c->enc ? end - c->pay.at : 0));
    set_length(c);
}

static bool is_relay(const wsp_context *ctx)
{
    wspi_past past = wspi_context_past(ctx, 1, WSPI_UDP, 0);

    return past.slot && wspi_past_value(&past, &wspi_protos[WSPI_UDP]->fields[0]) == RELAY_PORT;
}

/* Samples: where connectivity is checked, which has a priority, a server goes on to ask. */
static bool answers(const wsp_context *ctx)
{
    bool checked = ctx->app.v[0][PREFERENCE] || ctx->app.v[1][PREFERENCE];

    return ctx->app.v[1][TYPE] & RESPONSE && (!checked || is_relay(ctx));
}

const wspi_app wspi_app_stun = {
    .proto = {.name = "stun", .fields = fields, .n_fields = WSPI_COUNT(fields)},
    .over = WSPI_OVER_UDP,
    .looks = looks,
    .walk = walk,
    .ports = {3478},
    .once = true,
    .answers = answers,
};
