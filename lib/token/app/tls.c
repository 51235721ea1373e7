/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tls.c: TLS over TCP. RFC 8446 5.1, RFC 5246 6.2:  record:  | type 8 | version 16 | length 16 | fragment |
 * RFC 8446 4, RFC 5246 7.4:  handshake:  | type 8 | length 24 | body |
 * hello:  | version 16 | random 256 | session id <0..32> | ciphers <2..2^16> or cipher 16 | compression | extensions |
 * Records go on in the next segments, messages in the next records: what is left of a message there is opaque, what
 * follows it is read. Whatever is encrypted is opaque.
 */
#include "token/app/app.h"

enum {
    RECORD,
    PROTOCOL,
    LENGTH,
    HANDSHAKE,
    BODY,
    HELLO,
    SESSION,
    CIPHER,
    EXTENSION,
    EXTLEN,
    OFFERED,
    GROUP,
    SIGALG,
    FIELDS,
    MESSAGE_LEFT =
        FIELDS /* no field: bytes of a message that are still to come, of this direction */
};

enum { CCS = 20, ALERT, HANDSHAKES, DATA };
enum {
    CLIENT_HELLO = 1,
    SERVER_HELLO = 2,
    SEALED =
        255, /* no handshake types: an encrypted message, and hellos that this record does not hold whole */
    CLIENT_HELLO_CUT = 254,
    SERVER_HELLO_CUT = 253
};
enum { MAX_LIST = 200, MAX_SAMPLED = 40 };
enum {
    HIDDEN = 1,
    IN_HANDSHAKE = 2
}; /* mode: the cipher is changed; the record that is left is of messages */

static const wspi_value record[] = {{DATA, "data"},         {HANDSHAKES, "handshake"},
                                    {CCS, "change-cipher"}, {ALERT, "alert"},
                                    {24, "heartbeat"},      {0, NULL}};
static const wspi_value version[] = {{0x0303, "1.2"}, {0x0301, "1.0"},  {0x0302, "1.1"},
                                     {0x0304, "1.3"}, {0x0300, "ssl3"}, {0, NULL}};
static const wspi_value handshake[] = {{CLIENT_HELLO, "client-hello"},
                                       {SERVER_HELLO, "server-hello"},
                                       {SEALED, "sealed"},
                                       {11, "certificate"},
                                       {12, "server-key"},
                                       {14, "server-done"},
                                       {16, "client-key"},
                                       {4, "ticket"},
                                       {22, "certificate-status"},
                                       {13, "certificate-request"},
                                       {15, "certificate-verify"},
                                       {20, "finished"},
                                       {0, "hello-request"},
                                       {8, "encrypted-extensions"},
                                       {67, "next-protocol"},
                                       {CLIENT_HELLO_CUT, "client-hello-cut"},
                                       {SERVER_HELLO_CUT, "server-hello-cut"},
                                       {0, NULL}};
static const wspi_value cipher[] = {{0x1301, "AES128-GCM"},
                                    {0x1302, "AES256-GCM"},
                                    {0x1303, "CHACHA20"},
                                    {0xc02b, "ECDSA-AES128-GCM"},
                                    {0xc02f, "RSA-AES128-GCM"},
                                    {0xc02c, "ECDSA-AES256-GCM"},
                                    {0xc030, "RSA-AES256-GCM"},
                                    {0xcca9, "ECDSA-CHACHA20"},
                                    {0xcca8, "RSA-CHACHA20"},
                                    {0xc013, "ECDHE-RSA-AES128"},
                                    {0xc014, "ECDHE-RSA-AES256"},
                                    {0x009c, "9c"},
                                    {0x009d, "9d"},
                                    {0x002f, "2f"},
                                    {0x0035, "35"},
                                    {0xc009, "c009"},
                                    {0xc00a, "c00a"},
                                    {0xc023, "c023"},
                                    {0xc024, "c024"},
                                    {0xc027, "c027"},
                                    {0xc028, "c028"},
                                    {0x000a, "0a"},
                                    {0x0033, "33"},
                                    {0x0039, "39"},
                                    {0x009e, "9e"},
                                    {0x009f, "9f"},
                                    {0x0067, "67"},
                                    {0x006b, "6b"},
                                    {0x003c, "3c"},
                                    {0x003d, "3d"},
                                    {0xccaa, "ccaa"},
                                    {0x00ff, "scsv"},
                                    {0x5600, "fallback"},
                                    {0x0005, "05"},
                                    {0x0004, "04"},
                                    {0xc011, "c011"},
                                    {0xc007, "c007"},
                                    {0xc012, "c012"},
                                    {0xc008, "c008"},
                                    {0x0032, "32"},
                                    {0x0038, "38"},
                                    {0x0013, "13"},
                                    {0x0016, "16"},
                                    {0x0041, "41"},
                                    {0x0084, "84"},
                                    {0xcc14, "cc14"},
                                    {0xcc13, "cc13"},
                                    {0x0040, "40"},
                                    {0x006a, "6a"},
                                    {0xc09c, "c09c"},
                                    {0xc09d, "c09d"},
                                    {0xc0ac, "c0ac"},
                                    {0xc0ad, "c0ad"},
                                    {0x1304, "AES128-CCM"},
                                    {0, NULL}};
/* Samples take the first six: what is in them can be made up. */
static const wspi_value extension[] = {
    {10, "groups"},           {13, "sigalgs"},       {23, "extended-master"},
    {43, "versions"},         {35, "ticket"},        {18, "sct"},
    {0, "server-name"},       {16, "alpn"},          {11, "point-formats"},
    {51, "key-share"},        {45, "psk-modes"},     {5, "status"},
    {65281, "renegotiation"}, {21, "padding"},       {27, "compress-cert"},
    {17513, "alps"},          {17613, "alps-new"},   {13172, "npn"},
    {22, "encrypt-then-mac"}, {41, "psk"},           {42, "early-data"},
    {30032, "channel-id"},    {15, "heartbeat"},     {28, "record-limit"},
    {34, "delegated"},        {65037, "ech"},        {49, "post-auth"},
    {50, "sigalgs-cert"},     {44, "cookie"},        {24, "token-binding"},
    {1, "max-fragment"},      {0xfe0d, "ech-draft"}, {0, NULL}};
static const wspi_value group[] = {
    {29, "x25519"},     {23, "p256"},          {24, "p384"},
    {25, "p521"},       {30, "x448"},          {256, "ffdhe2048"},
    {257, "ffdhe3072"}, {4588, "x25519mlkem"}, {25497, "x25519kyber"},
    {22, "k256"},       {26, "bp256"},         {27, "bp384"},
    {28, "bp512"},      {258, "ffdhe4096"},    {259, "ffdhe6144"},
    {260, "ffdhe8192"}, {19, "p192"},          {21, "p224"},
    {14, "k571"},       {13, "b571"},          {11, "k409"},
    {12, "b409"},       {9, "k283"},           {10, "b283"},
    {0, NULL}};
static const wspi_value sigalg[] = {{0x0403, "ecdsa-256"},
                                    {0x0804, "pss-256"},
                                    {0x0401, "rsa-256"},
                                    {0x0503, "ecdsa-384"},
                                    {0x0805, "pss-384"},
                                    {0x0501, "rsa-384"},
                                    {0x0806, "pss-512"},
                                    {0x0601, "rsa-512"},
                                    {0x0603, "ecdsa-512"},
                                    {0x0201, "rsa-sha1"},
                                    {0x0203, "ecdsa-sha1"},
                                    {0x0807, "ed25519"},
                                    {0x0808, "ed448"},
                                    {0x0202, "dsa-sha1"},
                                    {0x0402, "dsa-256"},
                                    {0x0301, "rsa-224"},
                                    {0x0303, "ecdsa-224"},
                                    {0x0302, "dsa-224"},
                                    {0x0502, "dsa-384"},
                                    {0x0602, "dsa-512"},
                                    {0x0809, "pss2-256"},
                                    {0x080a, "pss2-384"},
                                    {0x080b, "pss2-512"},
                                    {0x0101, "rsa-md5"},
                                    {0, NULL}};

static const wspi_field fields[] = {
    [RECORD] = {"tls.record", 0, 8, WSPI_K_ENUM, WSPI_P_CONST, WSPI_R_NONE, 0, record, 0},
    [PROTOCOL] = {"tls.version", 0, 16, WSPI_K_ENUM, WSPI_P_PREV, WSPI_R_NONE, 0x0303, version, 0},
    [LENGTH] = {"tls.length", 0, 16, WSPI_K_MAG, WSPI_P_CONST, WSPI_R_NONE, 0, NULL, 2},
    [HANDSHAKE] = {"tls.handshake", 0, 8, WSPI_K_ENUM, WSPI_P_CONST, WSPI_R_NONE, 0, handshake, 0},
    [BODY] = {"tls.body", 0, 24, WSPI_K_MAG, WSPI_P_CONST, WSPI_R_NONE, 0, NULL, 1},
    [HELLO] = {"tls.hello", 0, 16, WSPI_K_ENUM, WSPI_P_CONST, WSPI_R_NONE, 0x0303, version, 0},
    [SESSION] = {"tls.session", 0, 8, WSPI_K_MAG, WSPI_P_CONST, WSPI_R_NONE, 32, NULL, 0},
    [CIPHER] = {"tls.cipher", 0, 16, WSPI_K_ENUM, WSPI_P_CONST, WSPI_R_NONE, 0, cipher, 0},
    [EXTENSION] = {"tls.ext", 0, 16, WSPI_K_ENUM, WSPI_P_CONST, WSPI_R_NONE, 0, extension, 0},
    [EXTLEN] = {"tls.extlen", 0, 16, WSPI_K_MAG, WSPI_P_CONST, WSPI_R_NONE, 0, NULL, 1},
    [OFFERED] = {"tls.offered", 0, 16, WSPI_K_ENUM, WSPI_P_CONST, WSPI_R_NONE, 0, version, 0},
    [GROUP] = {"tls.group", 0, 16, WSPI_K_ENUM, WSPI_P_CONST, WSPI_R_NONE, 0, group, 0},
    [SIGALG] = {"tls.sigalg", 0, 16, WSPI_K_ENUM, WSPI_P_CONST, WSPI_R_NONE, 0, sigalg, 0},
};

static bool looks(const uint8_t *b, size_t n)
{
    return n >= 5 && b[0] >= CCS && b[0] <= 24 && b[1] == 3 && b[2] <= 4 && (b[3] < 0x48) &&
           (b[3] | b[4]);
}

static bool stopped(const wspi_coder *c)
{
    return c->bad || c->need || c->pay.fail;
}

/* ---- hellos ---- */

/* Elements of two bytes up to the end of the span; the first is always there. */
static void list(wspi_coder *c, unsigned f, const wspi_app_span *s)
{
    uint64_t v = 0;

    v = wspi_app_get(c, 2);
    v = wspi_app_code(c, f, false, 0, v);
    wspi_app_put(c, 2, v);
    for (int i = 0; i < (c->fill ? MAX_SAMPLED : MAX_LIST); i++)
        if (!wspi_app_element(c, f, 2, wspi_app_inside(c, s), &v))
            return;
}

static void counted_list(wspi_coder *c, unsigned f, size_t width)
{
    wspi_app_span s = wspi_app_open(c, width);

    list(c, f, &s);
    wspi_app_close(c, s);
}

static void extension_body(wspi_coder *c, uint64_t type, const wspi_app_span *s, bool client)
{
    if (type == 10 && client)
        counted_list(c, GROUP, 2);
    else if (type == 13 && client)
        counted_list(c, SIGALG, 2);
    else if (type == 43 && client)
        counted_list(c, OFFERED, 1);
    else if (type == 43)
        (void)wspi_app_field(c, OFFERED, 2, true, 0x0304);
    else {
        /* RFC 7627 5.1, RFC 6962 3.3.1: empty */
        wspi_app_only(c, 0, type == 23 || (type == 18 && client) ? 0 : 14);
        wspi_app_opaque(c, (size_t)wspi_app_code(c, EXTLEN, type == 23 || type == 35 || type == 18,
                                                 0, c->enc ? s->end - s->at : 0));
    }
}

/* Samples: the types whose bodies can be made up, of a server the empty one only, and no type twice. */
static bool next_extension(wspi_coder *c, bool client, bool there, uint64_t *seen, uint64_t *type)
{
    unsigned base = wspi_field_base(c->pay.app, EXTENSION), k;
    unsigned n = wspi_field_count(c->pay.app, EXTENSION);
    bool more;

    wspi_app_only(c, client ? 0 : 2, client ? 6 : 1);
    more = wspi_app_element(c, EXTENSION, 2, there, type);
    for (k = 0; c->legal && !c->deviations && k < n; k++)
        if (*seen >> k & 1)
            c->legal[base + k] = 0;
    for (k = 0; more && k + 1 < n && extension[k].value != *type; k++)
        ;
    *seen |= UINT64_C(1) << k;
    return more;
}

/* The block is left out when there is no extension; an empty block is not of this form. */
static void extensions(wspi_coder *c, size_t end, bool client)
{
    uint64_t seen = 0, type = 0;
    wspi_app_span all, s;
    size_t n = 0;

    bool room = c->enc ? c->pay.at < end : c->fill || wspi_app_captured(c) >= 2;

    if (stopped(c) || !room)
        return;
    all = wspi_app_open(c, 2);
    while (next_extension(c, client, wspi_app_inside(c, &all), &seen, &type)) {
        s = wspi_app_open(c, 2);
        extension_body(c, type, &s, client);
        wspi_app_close(c, s);
        n++;
    }
    if (n) {
        wspi_app_close(c, all);
    } else if (c->enc) {
        wspi_app_fail(c);
    } else if (!stopped(c)) {
        c->pay.out->len -= 2;
        c->pay.at -= 2;
    }
}

static void hello(wspi_coder *c, size_t end, bool client)
{
    uint64_t compression;

    (void)wspi_app_field(c, HELLO, 2, true, 0x0303);
    wspi_app_opaque(c, 32);
    wspi_app_only(c, 0, 1);
    wspi_app_opaque(c, (size_t)wspi_app_field(c, SESSION, 1, true, 32));
    if (client)
        counted_list(c, CIPHER, 2);
    else
        (void)wspi_app_field(c, CIPHER, 2, false, 0);
    compression = wspi_app_get(c, client ? 2 : 1);
    wspi_app_require(c, !c->enc || compression == (client ? 0x0100u : 0));
    wspi_app_put(c, client ? 2 : 1, client ? 0x0100 : 0);
    extensions(c, end, client);
}

/* ---- handshake messages ---- */

static unsigned type_index(uint64_t type)
{
    unsigned k = 0;

    while (handshake[k].name &&
           (handshake[k].value != type || handshake[k].value >= SERVER_HELLO_CUT))
        k++;
    return k;
}

static unsigned index_of_form(uint64_t form)
{
    unsigned k = 0;

    while (handshake[k].value != form)
        k++;
    return k;
}

/* What the fragment [at, end) begins with: the row of its message's type; the row of SEALED when it can be none. */
static unsigned next_message(const wspi_coder *c, size_t end)
{
    const uint8_t *b = c->pay.in + c->pay.at;
    unsigned k;

    if (end - c->pay.at < 4 || wspi_app_captured(c) < 4 || b[1] != 0)
        return index_of_form(SEALED);
    k = type_index(b[0]);
    if (!handshake[k].name)
        return index_of_form(SEALED);
    if ((b[0] == CLIENT_HELLO || b[0] == SERVER_HELLO) &&
        ((size_t)b[2] << 8 | b[3]) > end - c->pay.at - 4)
        return index_of_form(b[0] == CLIENT_HELLO ? CLIENT_HELLO_CUT : SERVER_HELLO_CUT);
    return k;
}

/* A message whose body is opaque; `room` bytes after its length are in this record and segment. */
static void other_body(wspi_coder *c, size_t room)
{
    uint64_t len = wspi_app_get(c, 3), here;

    len = wspi_app_code(c, BODY, true, room, len);
    wspi_app_put(c, 3, len);
    here = WSPI_MIN(len, room);
    wspi_app_opaque(c, (size_t)here);
    c->app.v[c->dir][MESSAGE_LEFT] = len - here;
}

/* Samples: the hello of this side, or sealed. */
static void forbid_messages(wspi_coder *c, unsigned base, unsigned n)
{
    if (c->legal && c->need && !c->deviations)
        for (unsigned i = 0; i < n; i++)
            if (i != (c->dir ? 1u : 0u) && handshake[i].value != SEALED)
                c->legal[base + i] = 0;
}

/* One message, or what is sealed up to `end`. */
static void message(wspi_coder *c, size_t end)
{
    unsigned base = wspi_field_base(c->pay.app, HANDSHAKE);
    unsigned n = wspi_field_count(c->pay.app, HANDSHAKE) - 1, k = 0;
    uint64_t form;

    if (c->enc)
        k = next_message(c, end);
    k = wspi_must(c, base, n, k);
    forbid_messages(c, base, n);
    if (stopped(c))
        return;
    form = handshake[k].value;
    if (form == SEALED) {
        wspi_app_opaque(c, end > c->pay.at ? end - c->pay.at : 40);
        return;
    }
    (void)wspi_app_get(c, 1);
    wspi_app_put(c, 1,
                 form == CLIENT_HELLO_CUT   ? CLIENT_HELLO
                 : form == SERVER_HELLO_CUT ? SERVER_HELLO
                                            : form);
    if (form == CLIENT_HELLO || form == SERVER_HELLO) {
        wspi_app_span s = wspi_app_open(c, 3);
        wspi_app_require(c, !c->enc || s.end <= end);
        hello(c, s.end, form == CLIENT_HELLO);
        wspi_app_close(c, s);
    } else {
        other_body(c, end > c->pay.at + 3 ? end - c->pay.at - 3 : 0);
    }
}

/* Messages of a handshake record up to `end`, after the rest of one that began before. */
static void messages(wspi_coder *c, size_t end)
{
    uint64_t *left = &c->app.v[c->dir][MESSAGE_LEFT];
    bool first = true;
    size_t rest;

    if (*left && !c->fill && end > c->pay.at) {
        rest = (size_t)WSPI_MIN(*left, (uint64_t)(end - c->pay.at));
        *left -= rest;
        wspi_app_opaque(c, rest);
    }
    for (; !stopped(c) && (c->fill ? first : c->pay.at < end); first = false)
        message(c, end);
}

/* ---- records ---- */

/* The fragment up to `end`, of which this segment holds what is before `here`. */
static void fragment(wspi_coder *c, uint64_t type, size_t end)
{
    size_t here = WSPI_MIN(end, c->pay.at + wspi_app_left(c));
    bool hidden = c->app.mode[c->dir] & HIDDEN;

    if (type == CCS)
        c->app.mode[c->dir] |= HIDDEN;
    c->app.mode[c->dir] = (uint8_t)((c->app.mode[c->dir] & ~IN_HANDSHAKE) |
                                    (type == HANDSHAKES && !hidden ? IN_HANDSHAKE : 0));
    if (type == HANDSHAKES && !hidden)
        messages(c, here);
    else if (here > c->pay.at)
        wspi_app_opaque(c, here - c->pay.at);
    if (!stopped(c) && !c->fill)
        wspi_app_require(c, c->pay.at == here);
}

/* A sample's record is as long as its contents; of what has no contents of its own, as the length says. */
static void refit(wspi_coder *c, size_t start, uint64_t *len)
{
    size_t have = c->pay.at - start;

    if (!c->fill || stopped(c) || have == *len)
        return;
    if (have < *len && c->pay.at >= c->pay.wire)
        return; /* it goes on in the next segment */
    *len = have;
    c->pay.out->data[start - 2] = (uint8_t)(have >> 8);
    c->pay.out->data[start - 1] = (uint8_t)have;
}

static void one_record(wspi_coder *c, uint64_t type)
{
    uint64_t want = 0x0303, len, rest;
    bool known;
    size_t start;

    known = wspi_app_last(c, true, PROTOCOL, &want);
    if (!known)
        known = wspi_app_last(c, false, PROTOCOL, &want);
    if (c->fill && (want < 0x0300 || want > 0x0304)) /* said by bytes that looked like a record */
        want = 0x0303;
    wspi_app_only(c, 0, 1);
    (void)wspi_app_field(c, PROTOCOL, 2, true, known ? want : 0x0303);
    len = wspi_app_get(c, 2);
    rest = wspi_app_left(c) >= (c->enc ? 0u : 2u) ? wspi_app_left(c) - (c->enc ? 0u : 2u) : 0;
    if (c->fill && rest < 48)
        rest = 48;
    if (type == CCS || type == ALERT)
        rest = type == CCS ? 1 : 2;
    wspi_app_only(c, 0, 0);
    len = wspi_app_code(c, LENGTH, true, rest, len);
    wspi_app_put(c, 2, len);
    start = c->pay.at;
    if (c->fill && c->pay.wire < start + len)
        c->pay.wire = c->pay.end = start + (size_t)len;
    fragment(c, type, start + (size_t)len);
    refit(c, start, &len);
    if (!stopped(c) && start + len > c->pay.at)
        c->app.left[c->dir] = (uint32_t)(start + len - c->pay.at);
}

static void walk(wspi_coder *c)
{
    uint32_t *left = &c->app.left[c->dir];
    uint64_t type = 0;
    uint32_t n = (uint32_t)WSPI_MIN(*left, wspi_app_left(c));

    *left -= n;
    if (n && c->app.mode[c->dir] & IN_HANDSHAKE && !c->fill)
        messages(c, n);
    else
        wspi_app_opaque(c, n);
    while (!stopped(c) && *left == 0) {
        if (c->pay.at == 0) { /* the first record is always there */
            wspi_app_only(c, 0, 3);
            type = wspi_app_field(c, RECORD, 1, false, 0);
        } else {
            wspi_app_only(c, 0, 3);
            if (!wspi_app_element(c, RECORD, 1, wspi_app_captured(c) > 0, &type))
                return;
        }
        if (c->fill)
            wspi_app_require(c, type >= CCS && type <= 24);
        one_record(c, type);
    }
}

const wspi_app wspi_app_tls = {
    .proto = {.name = "tls", .fields = fields, .n_fields = WSPI_COUNT(fields)},
    .over = WSPI_OVER_TCP,
    .looks = looks,
    .walk = walk,
    .ports = {443, 8443},
    .turns = WSPI_CLIENT_FIRST,
};
