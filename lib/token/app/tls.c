/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tls.c: TLS over TCP. RFC 8446 5.1, RFC 5246 6.2:  record:  | type 8 | version 16 | length 16 | fragment |
 * RFC 8446 4, RFC 5246 7.4:  handshake:  | type 8 | length 24 | body |
 * hello:  | version 16 | random 256 | session id <0..32> | ciphers <2..2^16> or cipher 16 | compression | extensions |
 * Records go on in the next segments, messages in the next records: what is left of a message there is opaque, what
 * follows it is read. Whatever is encrypted is opaque.
 */
#include "token/app/app.h"
#include "token/app/quic_hello.h"

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
enum { QUIC_PARAMETERS = 57, QUIC_DRAFT = 0xffa5 }; /* RFC 9001 8.2 */
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
static const wspi_value extension[] = {{10, "groups"},
                                       {13, "sigalgs"},
                                       {23, "extended-master"},
                                       {43, "versions"},
                                       {35, "ticket"},
                                       {18, "sct"},
                                       {0, "server-name"},
                                       {16, "alpn"},
                                       {11, "point-formats"},
                                       {51, "key-share"},
                                       {45, "psk-modes"},
                                       {5, "status"},
                                       {65281, "renegotiation"},
                                       {21, "padding"},
                                       {27, "compress-cert"},
                                       {17513, "alps"},
                                       {17613, "alps-new"},
                                       {13172, "npn"},
                                       {22, "encrypt-then-mac"},
                                       {41, "psk"},
                                       {42, "early-data"},
                                       {30032, "channel-id"},
                                       {15, "heartbeat"},
                                       {28, "record-limit"},
                                       {34, "delegated"},
                                       {65037, "ech"},
                                       {49, "post-auth"},
                                       {50, "sigalgs-cert"},
                                       {44, "cookie"},
                                       {24, "token-binding"},
                                       {1, "max-fragment"},
                                       {0xfe0d, "ech-draft"},
                                       {QUIC_PARAMETERS, "quic-parameters"},
                                       {QUIC_DRAFT, "quic-draft"},
                                       {0, NULL}};
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

/* Over UDP there is TLS in QUIC's packets only. */
static bool in_quic(const wspi_coder *c)
{
    return !wspi_app_is_stream(c);
}

/* Samples in QUIC, whose TLS is 1.3 (RFC 9001 4.2): its ciphers and version only; first what servers take, of whose group the keys are. */
static void only_of_quic(wspi_coder *c, unsigned f, bool first)
{
    if (!in_quic(c))
        return;
    if (f == CIPHER)
        wspi_app_only(c, !first, first ? 1 : 2);
    else if (f == OFFERED)
        wspi_app_only(c, 3, first);
    else if (f == GROUP)
        wspi_app_only(c, !first, first ? 1 : 7);
}

/* Elements of two bytes up to the end of the span; the first is always there. */
static void list(wspi_coder *c, unsigned f, const wspi_app_span *s)
{
    uint64_t v = 0;

    v = wspi_app_get(c, 2);
    only_of_quic(c, f, true);
    v = wspi_app_code(c, f, false, 0, v);
    wspi_app_put(c, 2, v);
    for (int i = 0; i < (c->fill ? MAX_SAMPLED : MAX_LIST); i++) {
        only_of_quic(c, f, false);
        if (!wspi_app_element(c, f, 2, wspi_app_inside(c, s), &v))
            return;
    }
}

static void counted_list(wspi_coder *c, unsigned f, size_t width)
{
    wspi_app_span s = wspi_app_open(c, width);

    list(c, f, &s);
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
    wspi_quic_turn turn = {.seed = c->fill->seed, .server = c->dir, .id = own};
    size_t len;

    if (stopped(c))
        return;
    if (in_quic(c))
        quic_turn(c, &turn, own);
    len = wspi_quic_extension(b, &turn, type);
    if (!len)
        wspi_app_opaque(c, n);
    for (size_t i = 0; i < len; i++)
        wspi_app_put(c, 1, b[i]);
}

/* Types whose body is empty: RFC 7627 5.1, RFC 7366 2, RFC 8446 4.2.6; RFC 6962 3.3.1; RFC 6066 8, RFC 5077 3.2. */
static bool is_empty(uint64_t type, bool client)
{
    return type == 23 || type == 22 || type == 49 ||
           (client ? type == 18 : type == 5 || type == 35);
}

static void extension_body(wspi_coder *c, uint64_t type, const wspi_app_span *s, bool client)
{
    bool known;
    size_t n;

    if (type == 10 && client) {
        counted_list(c, GROUP, 2);
    } else if (type == 13 && client) {
        counted_list(c, SIGALG, 2);
    } else if (type == 43 && client) {
        counted_list(c, OFFERED, 1);
    } else if (type == 43) {
        wspi_app_only(c, 0, 0);
        (void)wspi_app_field(c, OFFERED, 2, true, 0x0304);
    } else {
        known = type == 23 || type == 35 || type == 18;
        wspi_app_only(c, 0, !is_empty(type, client) ? 14 : known ? 0 : 1);
        n = (size_t)wspi_app_code(c, EXTLEN, known, 0, c->enc ? s->end - s->at : 0);
        if (c->fill)
            made_up(c, type, n);
        else
            wspi_app_opaque(c, n);
    }
}

/* What a hello in QUIC has to have, and what else a sample's has. */
static const uint16_t quic_needs[] = {10, 13, 16, QUIC_PARAMETERS, 43, 51}, quic_may[] = {0, 45};
enum { SERVER_NEEDS = 4 }; /* where those begin that are a server's too */
/* What samples have over TCP. */
static const uint16_t client_may[] = {10, 13, 23, 43, 35,    18, 0,  16, 11,
                                      51, 45, 5,  27, 65281, 22, 49, 28},
                      server_may[] = {23, 11, 65281, 5, 16, 35, 43, 51, 28};

static unsigned row_of(uint64_t type)
{
    unsigned k = 0;

    while (extension[k].name && extension[k].value != type)
        k++;
    return k;
}

/* Bits of rows. */
static uint64_t rows_of(const wspi_coder *c, const uint16_t *types, size_t n)
{
    bool draft = c->pay.out->len > 1 && c->pay.out->data[1] == 0xff;
    uint64_t rows = 0;

    for (size_t i = 0; i < n; i++)
        rows |= UINT64_C(1) << row_of(types[i] == QUIC_PARAMETERS && draft ? QUIC_DRAFT : types[i]);
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
    if (!in_quic(c)) {
        *may = client ? rows_of(c, client_may, WSPI_COUNT(client_may))
                      : rows_of(c, server_may, WSPI_COUNT(server_may));
        return;
    }
    *needs = rows_of(c, quic_needs + from, WSPI_COUNT(quic_needs) - from);
    *may = *needs | (client ? rows_of(c, quic_may, WSPI_COUNT(quic_may)) : 0);
}

/* Samples: no type twice. */
static bool next_extension(wspi_coder *c, bool client, bool there, uint64_t *seen, uint64_t *type)
{
    unsigned base = wspi_field_base(c->pay.app, EXTENSION);
    unsigned n = wspi_field_count(c->pay.app, EXTENSION);
    uint64_t may, needs;
    bool more;

    sampled_rows(c, client, &may, &needs);
    more = wspi_app_element(c, EXTENSION, 2, there, type);
    for (unsigned k = 0; c->legal && !c->deviations && k < n; k++)
        if (!(may & ~*seen & UINT64_C(1) << k))
            c->legal[base + k] = 0;
    if (!more && needs & ~*seen && c->legal && c->pos == c->n && !c->deviations)
        c->need = true;
    if (more)
        *seen |= UINT64_C(1) << row_of(*type);
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

    if (in_quic(c))
        wspi_app_only(c, 0, 0);
    (void)wspi_app_field(c, HELLO, 2, true, 0x0303);
    wspi_app_opaque(c, 32);
    wspi_app_only(c, 0, !in_quic(c)); /* RFC 9001 8.4: none in QUIC */
    wspi_app_opaque(c, (size_t)wspi_app_field(c, SESSION, 1, true, in_quic(c) ? 0 : 32));
    if (client) {
        counted_list(c, CIPHER, 2);
    } else {
        only_of_quic(c, CIPHER, true);
        (void)wspi_app_field(c, CIPHER, 2, false, 0);
    }
    compression = wspi_app_get(c, client ? 2 : 1);
    wspi_app_require(c, !c->enc || compression == (client ? 0x0100u : 0));
    wspi_app_put(c, client ? 2 : 1, client ? 0x0100 : 0);
    extensions(c, end, client);
}

void wspi_tls_hello(wspi_coder *c, size_t end, bool client)
{
    uint64_t kept[WSPI_MAX_FIELDS];
    uint8_t app = c->pay.app;
    wspi_app_span s;

    memcpy(kept, c->app.v[c->dir], sizeof kept);
    c->pay.app = WSPI_APP_TLS;
    (void)wspi_app_get(c, 1);
    wspi_app_put(c, 1, client ? CLIENT_HELLO : SERVER_HELLO);
    s = wspi_app_open(c, 3);
    wspi_app_require(c, !c->enc || s.end <= end);
    hello(c, s.end, client);
    wspi_app_close(c, s);
    c->pay.app = app;
    memcpy(c->app.v[c->dir], kept, sizeof kept);
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
    wspi_app_only(c, 0, 2); /* 1.2, and 1.0, which most clients begin with */
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
