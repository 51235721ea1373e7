/* SPDX-License-Identifier: Apache-2.0 */
/*
 * dtls.c: DTLS 1.0 and 1.2, RFC 6347 4, what of 1.3 is not encrypted, RFC 9147 4, and the draft that AnyConnect has:
 * record:   | type 8 | version 16 | epoch 16 | sequence 48 | length 16 | fragment |
 * message:  | type 8 | length 24 | number 16 | offset 24 | length of the part 24 | part |
 * verify:   | version 16 | cookie <0..255> |    encrypted, 1.3:  | 001CSLEE | id | sequence 8 or 16 | length 16 | ... |
 * Hellos are in tls_hello.c. A datagram has several records, one record several messages; a message that comes in parts is
 * opaque, and so is whatever is encrypted: records of an epoch after the first. Bytes after the last record are the tail.
 */
#include "token/app/app.h"
#include "token/app/tls_flight.h"
#include "token/app/tls_offer.h"

enum {
    CONTENT,
    EDITION,
    EPOCH,
    SEQUENCE,
    SIZE,
    MESSAGE,
    NUMBER,
    WHOLE,
    OFFSET,
    PART,
    VERIFY,
    COOKIE_SIZE,
    UNIFIED,
    DESCRIPTION,
    LEVEL,
    COLUMNS,
    /* No fields: one more than the last record's and message's types; version and cipher of this side's hello. */
    LAST_RECORD = COLUMNS,
    LAST_MESSAGE,
    AGREED,
    SUITE
};

enum { CHANGE = 20, ALERT, HANDSHAKES, DATA, HEARTBEAT, ACK = 26, ENCRYPTED = 0x20 };
enum { V10 = 0xfeff, V12 = 0xfefd, DRAFT = 0x0100, TLS_10 = 0x0301, TLS_12 = 0x0303 };
enum { HAS_ID = 16, LONG_SEQUENCE = 8, HAS_LENGTH = 4 }; /* RFC 9147 4 */
enum { CLIENT_HELLO = WSPI_TLS_CLIENT_HELLO, SERVER_HELLO = WSPI_TLS_SERVER_HELLO, HELLO_VERIFY };
enum { SEALED = 255, FATAL = 2 };
enum { HEAD = 13, PART_HEAD = 12, LARGEST = (1 << 14) + 2048 }; /* RFC 6347 4.1, RFC 5246 6.2.3 */
/*
 * Samples: no datagram is longer; the least that AES-GCM makes of data, of Finished, and what it makes of an alert (RFC 5288 3,
 * RFC 5246 7.4.9: both with the head of a message).
 */
enum { DATAGRAM = 1400, SEALED_DATA = 25, SEALED_MESSAGE = 48, SEALED_ALERT = 26 };

/* The order of the first four is that of tls_flight.h. */
static const wspi_value content[] = {{DATA, "data"},
                                     {HANDSHAKES, "handshake"},
                                     {CHANGE, "change-cipher"},
                                     {ALERT, "alert"},
                                     {HEARTBEAT, "heartbeat"},
                                     {ACK, "ack"},
                                     {ENCRYPTED, "encrypted"},
                                     {0, NULL}};
/* Samples have the first two. */
static const wspi_value version[] = {{V12, "1.2"}, {V10, "1.0"}, {DRAFT, "draft"}, {0, NULL}};
static const wspi_value message_type[] = {{CLIENT_HELLO, "client-hello"},
                                          {SERVER_HELLO, "server-hello"},
                                          {HELLO_VERIFY, "hello-verify"},
                                          {SEALED, "sealed"},
                                          {WSPI_TLS_CERTIFICATE, "certificate"},
                                          {WSPI_TLS_SERVER_KEY, "server-key"},
                                          {WSPI_TLS_SERVER_DONE, "server-done"},
                                          {WSPI_TLS_CLIENT_KEY, "client-key"},
                                          {WSPI_TLS_TICKET, "ticket"},
                                          {13, "certificate-request"},
                                          {15, "certificate-verify"},
                                          {20, "finished"},
                                          {22, "certificate-status"},
                                          {23, "supplemental"},
                                          {0, "hello-request"},
                                          {0, NULL}};
/* RFC 5246 7.2: samples of servers have the first three, of clients the next three. */
enum { BY_SERVER = 3, BY_CLIENT = 3 };
static const wspi_value description[] = {{40, "handshake-failure"},
                                         {70, "protocol-version"},
                                         {80, "internal-error"},
                                         {42, "bad-certificate"},
                                         {46, "certificate-unknown"},
                                         {48, "unknown-ca"},
                                         {0, "close-notify"},
                                         {10, "unexpected-message"},
                                         {20, "bad-record-mac"},
                                         {47, "illegal-parameter"},
                                         {50, "decode-error"},
                                         {51, "decrypt-error"},
                                         {71, "insufficient-security"},
                                         {90, "user-canceled"},
                                         {110, "unsupported-extension"},
                                         {115, "unknown-psk"},
                                         {0, NULL}};

static const wspi_value level[] = {{1, "warning"}, {FATAL, "fatal"}, {0, NULL}};

static const wspi_field fields[] = {
    [CONTENT] = {WSPI_ENUM("dtls.record", 8, content)},
    [EDITION] = {WSPI_ENUM("dtls.version", 16, version)},
    [EPOCH] = {WSPI_MAG("dtls.epoch", 16, WSPI_R_NONE, 0)},
    [SEQUENCE] = {WSPI_FREE("dtls.sequence", 48, WSPI_P_PREV, WSPI_R_NUMBER)},
    [SIZE] = {WSPI_MAG("dtls.length", 16, WSPI_R_NONE, 2)},
    [MESSAGE] = {WSPI_ENUM("dtls.message", 8, message_type)},
    [NUMBER] = {WSPI_MAG("dtls.number", 16, WSPI_R_NONE, 1)},
    [WHOLE] = {WSPI_MAG("dtls.body", 24, WSPI_R_NONE, 1)},
    [OFFSET] = {WSPI_MAG("dtls.offset", 24, WSPI_R_NONE, 0)},
    [PART] = {WSPI_MAG("dtls.part", 24, WSPI_R_NONE, 0)},
    [VERIFY] = {WSPI_ENUM("dtls.verify", 16, version)},
    [COOKIE_SIZE] = {WSPI_MAG("dtls.cookie", 8, WSPI_R_NONE, 2)},
    [UNIFIED] = {WSPI_MAG("dtls.unified", 5, WSPI_R_NONE, 4)},
    [DESCRIPTION] = {WSPI_ENUM("dtls.alert", 8, description)},
    [LEVEL] = {WSPI_ENUM("dtls.level", 8, level)},
};

/* What this side has said so far, and the other one; zeros if that was of another protocol. */
static uint64_t *mine(wspi_coder *c)
{
    return c->app.v[c->dir];
}

static const uint64_t *said_by(const wspi_coder *c, int dir)
{
    static const uint64_t nothing[WSPI_APP_FIELDS];

    return dir == c->dir || c->app.id[dir] == c->pay.app ? c->app.v[dir] : nothing;
}

static const uint64_t *theirs(const wspi_coder *c)
{
    return said_by(c, !c->dir);
}

/* ---- what it looks like ---- */

/* Nothing comes near 256 epochs or 2^40 records. */
static bool looks(const uint8_t *b, size_t n)
{
    uint64_t len;

    if (n < HEAD || b[0] < CHANGE || b[0] > ACK || b[0] == 25 || b[3] != 0 || b[5] != 0 ||
        !wspi_app_is_listed(version, wspi_load_be(b + 1, 2)))
        return false;
    len = wspi_load_be(b + 11, 2);
    return len > 0 && len <= LARGEST && (b[1] == 0xfe || b[0] <= DATA);
}

/* Records of 1.3 have nothing that tells them but what was said before. */
static bool takes(const wspi_coder *c)
{
    const uint8_t *id = c->ctx->app.id;

    return looks(c->pay.in, c->pay.end) || ((c->pay.in[0] & 0xe0) == ENCRYPTED && c->pay.end > 4 &&
                                            (id[0] == WSPI_APP_DTLS || id[1] == WSPI_APP_DTLS));
}

/* ---- samples: turns ---- */

/* The client's mode is how far the handshake is, if it is one of this protocol. */
static bool has_stage(const wspi_coder *c)
{
    return c->dir == 0 || c->app.id[0] == c->pay.app;
}

static unsigned stage_of(const wspi_coder *c)
{
    return has_stage(c) ? c->app.mode[0] & 15u : (unsigned)WSPI_TLS_NEW;
}

static wspi_tls_turn turn_of(const wspi_coder *c)
{
    const uint64_t *server = said_by(c, 1);
    wspi_tls_turn turn = {.seed = c->fill ? c->fill->seed : 0,
                          .start_ns = c->fill ? c->fill->start_ns : 0,
                          .cipher = (uint16_t)server[SUITE],
                          .version = (uint16_t)server[AGREED],
                          .server = c->dir};

    wspi_tls_agree(c, said_by(c, 0), server, &turn);
    return turn;
}

/* A client that is asked to show a cookie begins again. Whatever is encoded moves the stage, too, but no token depends on it. */
static void move_on(wspi_coder *c, unsigned type)
{
    wspi_tls_turn turn = turn_of(c);

    if (has_stage(c))
        c->app.mode[0] =
            type == HELLO_VERIFY ? WSPI_TLS_NEW : (uint8_t)wspi_tls_after(stage_of(c), &turn, type);
}

static bool is_hidden(const wspi_coder *c)
{
    const uint64_t *v = c->app.v[c->dir];

    return v[EPOCH] > 0 || v[LAST_RECORD] == CHANGE + 1;
}

/* The least length of a message's body; those that are not made up by tls_flight.c are hellos. */
static size_t least_body(const wspi_coder *c, uint64_t type)
{
    wspi_tls_turn turn = turn_of(c);
    size_t len = 0;

    (void)wspi_tls_body_len(&turn, (unsigned)type, 0, &len);
    return len;
}

/* May this side say this message now, `at` bytes into the datagram? A client says its hello again while no server has answered it. */
static bool may_say(const wspi_coder *c, uint64_t type, size_t at)
{
    unsigned stage = stage_of(c);
    wspi_tls_turn turn = turn_of(c);

    if (type == CLIENT_HELLO)
        return c->dir == 0 && stage <= WSPI_TLS_KEYED && at <= HEAD;
    if (type == HELLO_VERIFY)
        return c->dir == 1 && stage == WSPI_TLS_ASKED && theirs(c)[COOKIE_SIZE] == 0;
    if (type == SERVER_HELLO && wspi_tls_must_refuse(c))
        return false;
    return wspi_tls_may_say(stage, &turn, (unsigned)type) &&
           at + PART_HEAD + least_body(c, type) <= DATAGRAM;
}

/* In a record that begins here. */
static bool may_say_any(const wspi_coder *c)
{
    for (const wspi_value *t = message_type; t->name; t++)
        if (may_say(c, t->value, c->pay.at + HEAD))
            return true;
    return false;
}

/* Has the server said hello, and did nobody begin again? */
static bool server_hello(const wspi_coder *c)
{
    return said_by(c, 1)[OFFER_MORE] & WSPI_OFFER_KNOWN;
}

/* The records that this side may have now: out of turn, as of a connection that was seen from the middle, data. */
static unsigned in_turn(const wspi_coder *c)
{
    unsigned stage = stage_of(c), rows = WSPI_TLS_IS_DATA;
    int speaker = wspi_tls_speaker(stage);
    wspi_tls_turn turn = turn_of(c);

    if (c->app.v[c->dir][LAST_RECORD] == CHANGE + 1) /* Finished (RFC 5246 7.4.9) */
        return WSPI_TLS_IS_MESSAGE;
    if (is_hidden(c))
        return WSPI_TLS_IS_DATA | WSPI_TLS_IS_MESSAGE | WSPI_TLS_IS_ALERT;
    if (stage == WSPI_TLS_OPEN && theirs(c)[LAST_RECORD] && server_hello(c))
        return WSPI_TLS_IS_CHANGE;
    if (stage == WSPI_TLS_OPEN)
        return WSPI_TLS_IS_DATA | WSPI_TLS_IS_CHANGE;
    if (stage == WSPI_TLS_NEW && !c->dir)
        return WSPI_TLS_IS_MESSAGE;
    if (speaker == c->dir || (c->dir && stage == WSPI_TLS_CHANGED))
        rows = wspi_tls_records(stage, &turn);
    else if (!c->dir && stage <= WSPI_TLS_KEYED)
        rows = WSPI_TLS_IS_MESSAGE;
    return may_say_any(c) ? rows : rows & ~(unsigned)WSPI_TLS_IS_MESSAGE;
}

/* No record follows when it is the other side's turn, or what is sealed has no room; messages have as much as they need. */
static bool is_enough(const wspi_coder *c)
{
    unsigned stage = stage_of(c), rows = in_turn(c);
    bool turn = is_hidden(c) || stage == WSPI_TLS_OPEN || wspi_tls_speaker(stage) == c->dir ||
                (c->dir && stage == WSPI_TLS_CHANGED);

    if (!c->fill)
        return false;
    return !turn || rows == 0 || c->pay.at + HEAD + SEALED_MESSAGE > DATAGRAM ||
           (is_hidden(c) && c->app.v[c->dir][LAST_RECORD] != CHANGE + 1 &&
            wspi_app_left(c) < HEAD + SEALED_MESSAGE);
}

/* ---- messages ---- */

/* A sample's datagram is as long as what is in it. */
static void make_room(wspi_coder *c, size_t n)
{
    if (c->fill && wspi_app_left(c) < n)
        c->pay.wire = c->pay.end = c->pay.at + n;
}

static void put_bytes(wspi_coder *c, const uint8_t *from, size_t n)
{
    uint8_t *b = wspi_app_stopped(c) ? NULL : wspi_payload_room(c, n);

    if (b)
        memcpy(b, from, n);
    c->pay.at += n;
}

static void put_at(const wspi_coder *c, size_t at, size_t n, uint64_t v)
{
    for (size_t i = 0; i < n && at + n <= c->pay.out->len; i++)
        c->pay.out->data[at + i] = (uint8_t)(v >> 8 * (n - 1 - i));
}

/* The version that the server's hello is likely to agree on, and a client's to ask for: what the record says, but of clients 1.2. */
static wspi_dtls_hello likely_hello(const wspi_coder *c, bool client)
{
    const uint64_t *v = c->app.v[c->dir];
    bool draft = v[EDITION] == DRAFT;

    return (wspi_dtls_hello){.version = client && !draft ? TLS_12 : wspi_dtls_version(v[EDITION]),
                             .cookie = client ? (uint8_t)theirs(c)[COOKIE_SIZE] : 0,
                             .may_be_old =
                                 client && v[EDITION] == V10 && theirs(c)[LAST_RECORD] == 0};
}

static void hello(wspi_coder *c, size_t end, bool client)
{
    wspi_dtls_hello h = likely_hello(c, client);

    wspi_dtls_say_hello(c, end, client, &h);
    mine(c)[AGREED] = h.version;
    mine(c)[SUITE] = h.cipher;
    mine(c)[COOKIE_SIZE] = client ? h.cookie : mine(c)[COOKIE_SIZE];
}

/* The cookie is kept for the client's next hello. */
static void verify(wspi_coder *c)
{
    uint64_t n;

    wspi_app_only(c, 0, 0);
    (void)wspi_app_field(c, VERIFY, 2, true, mine(c)[EDITION]);
    wspi_app_only(c, 12, 4); /* 16 to 31: 1.0 has at most 32 (RFC 4347 4.2.1) */
    n = wspi_app_field(c, COOKIE_SIZE, 1, false, 0);
    if (!wspi_app_stopped(c) && n && (c->fill || wspi_app_captured(c) >= n)) {
        c->name_at = c->pay.at;
        c->name_len = (uint16_t)n;
    }
    wspi_app_opaque(c, (size_t)n);
}

/* Samples: a body of a length that it can have, as near to the datagram's as can be. */
static void made_up(wspi_coder *c, uint64_t type)
{
    wspi_tls_turn turn = turn_of(c);
    uint8_t body[WSPI_TLS_BODY_MAX];
    size_t most = c->pay.at < DATAGRAM ? DATAGRAM - c->pay.at : 0, len = 0;

    if (wspi_app_stopped(c) ||
        !wspi_tls_body_len(&turn, (unsigned)type, WSPI_MIN(wspi_app_left(c), most), &len))
        return;
    wspi_tls_body(body, &turn, (unsigned)type, len);
    make_room(c, len);
    put_bytes(c, body, len);
}

/* `part` bytes of a message, which are all of it if it is not in parts. */
static void body_of(wspi_coder *c, uint64_t type, size_t part, bool whole)
{
    size_t end = c->pay.at + part;
    bool readable = whole && (c->fill || wspi_app_captured(c) >= part);

    if (readable && (type == CLIENT_HELLO || type == SERVER_HELLO))
        hello(c, end, type == CLIENT_HELLO);
    else if (readable && type == HELLO_VERIFY)
        verify(c);
    else if (c->fill)
        made_up(c, type);
    else
        wspi_app_opaque(c, part);
    wspi_app_require(c, c->fill || c->pay.at == end);
}

typedef struct part {
    uint64_t whole, number, offset, len;
} part;

/* The next part of the last message, or the next message, of which this record has all; a client's hello is its first or follows a cookie. */
static part likely_part(const wspi_coder *c, uint64_t type)
{
    const uint64_t *v = c->app.v[c->dir];
    uint64_t end = v[OFFSET] + v[PART];

    if (v[LAST_MESSAGE] == type + 1 && end < v[WHOLE])
        return (part){v[WHOLE], v[NUMBER], end, 0};
    if (type == CLIENT_HELLO)
        return (part){.number = theirs(c)[LAST_MESSAGE] == HELLO_VERIFY + 1 ||
                                theirs(c)[LAST_MESSAGE] == SERVER_HELLO + 1}; /* a retry, of 1.3 */
    return (part){.number = v[LAST_MESSAGE] ? (v[NUMBER] + 1) & 0xffff : 0};
}

/* The head of a message's part in a record that has `room` bytes after it. */
static part head_of_part(wspi_coder *c, uint64_t type, size_t room)
{
    part like = likely_part(c, type), is;
    uint64_t left;

    (void)wspi_app_get(c, 1);
    is.whole = wspi_app_get(c, 3);
    is.number = wspi_app_get(c, 2);
    is.offset = wspi_app_get(c, 3);
    is.len = wspi_app_get(c, 3);
    wspi_app_only(c, 0, 0);
    is.number = wspi_app_code(c, NUMBER, true, like.number, is.number);
    wspi_app_only(c, 0, 0);
    is.offset = wspi_app_code(c, OFFSET, true, like.offset, is.offset);
    wspi_app_only(c, 0, 0);
    is.whole = wspi_app_code(c, WHOLE, true, like.whole ? like.whole : is.offset + room, is.whole);
    left = is.whole > is.offset ? is.whole - is.offset : 0;
    wspi_app_only(c, 0, 0);
    is.len = wspi_app_code(c, PART, true, WSPI_MIN(left, (uint64_t)room), is.len);
    wspi_app_put(c, 1, type);
    wspi_app_put(c, 3, is.whole);
    wspi_app_put(c, 2, is.number);
    wspi_app_put(c, 3, is.offset);
    wspi_app_put(c, 3, is.len);
    return is;
}

/* The row of the message that the bytes before `end` begin with, or of SEALED. */
static unsigned next_message(const wspi_coder *c, size_t end)
{
    const uint8_t *b = c->pay.in + c->pay.at;
    unsigned sealed = wspi_row_of(message_type, SEALED), k;

    if (end - c->pay.at < PART_HEAD || wspi_app_captured(c) < PART_HEAD)
        return sealed;
    k = wspi_row_of(message_type, b[0]);
    if (!message_type[k].name || wspi_load_be(b + 9, 3) > end - c->pay.at - PART_HEAD ||
        wspi_load_be(b + 6, 3) + wspi_load_be(b + 9, 3) > wspi_load_be(b + 1, 3))
        return sealed;
    return k;
}

static void one_message(wspi_coder *c, uint64_t type, size_t end)
{
    size_t start = c->pay.at, room = end > start + PART_HEAD ? end - start - PART_HEAD : 0, len;
    part is = head_of_part(c, type, room);

    wspi_app_require(c, c->fill || (is.len <= room && is.offset + is.len <= is.whole));
    if (wspi_app_stopped(c))
        return;
    body_of(c, type, (size_t)is.len, c->fill || is.len == is.whole);
    if (wspi_app_stopped(c))
        return;
    len = c->pay.at - start - PART_HEAD;
    if (c->fill) {
        put_at(c, start + 1, 3, len);
        put_at(c, start + 9, 3, len);
        mine(c)[WHOLE] = mine(c)[PART] = len;
    }
    mine(c)[LAST_MESSAGE] = type + 1;
    if (is.offset + is.len == is.whole || c->fill)
        move_on(c, (unsigned)type);
}

/* Samples: may the server agree on this version? */
static bool is_offered(const wspi_coder *c, uint64_t edition)
{
    static const uint16_t rows[] = {TLS_12, TLS_10};
    uint64_t may = wspi_tls_versions(c);

    for (unsigned k = 0; k < WSPI_COUNT(rows); k++)
        if (wspi_dtls_version(edition) == rows[k])
            return may == 0 || may >> k & 1;
    return false;
}

/* One message, or what is none up to `end`. */
static void message(wspi_coder *c, size_t end)
{
    unsigned base = wspi_field_base(c->pay.app, MESSAGE), k = 0;
    uint64_t rows = 0, hello = UINT64_C(1) << wspi_row_of(message_type, SERVER_HELLO);

    for (unsigned i = 0; message_type[i].name; i++)
        rows |= (uint64_t)may_say(c, message_type[i].value, c->pay.at) << i;
    if (rows & ~hello && c->dir && !is_offered(c, mine(c)[EDITION]))
        rows &= ~hello;
    if (c->enc)
        k = next_message(c, end);
    k = wspi_must(c, base, wspi_field_count(c->pay.app, MESSAGE) - 1, k);
    if (c->need)
        wspi_app_keep(c, MESSAGE, rows);
    if (wspi_app_stopped(c))
        return;
    if (message_type[k].value == SEALED)
        wspi_app_opaque(c, end > c->pay.at ? end - c->pay.at : SEALED_MESSAGE);
    else
        one_message(c, message_type[k].value, end);
}

/* ---- records ---- */

static void plain_alert(wspi_coder *c)
{
    uint64_t how = wspi_app_get(c, 1), v = wspi_app_get(c, 1);

    wspi_app_only(c, c->dir ? 0 : BY_SERVER, c->dir ? BY_SERVER : BY_CLIENT);
    v = wspi_app_code(c, DESCRIPTION, false, 0, v);
    wspi_app_only(c, 0, 0);
    how = wspi_app_code(c, LEVEL, true, v ? FATAL : 1, how);
    wspi_app_put(c, 1, how);
    wspi_app_put(c, 1, v);
    if (how == FATAL)
        move_on(c, WSPI_TLS_FATAL);
}

/* A client has the version that the server has agreed on, which is the server's own from its hello on, and before it the client's. */
static uint64_t likely_version(const wspi_coder *c, uint64_t type)
{
    const uint64_t *v = c->app.v[c->dir], *w = theirs(c);
    const uint64_t *client = c->dir ? w : v, *server = c->dir ? v : w;

    if (server[LAST_RECORD] && server[LAST_MESSAGE] != HELLO_VERIFY + 1)
        return server[EDITION];
    if (c->dir && client[AGREED])
        return wspi_dtls_version(client[AGREED]);
    if (client[LAST_RECORD])
        return client[EDITION];
    return type == DATA ? V12 : V10;
}

/* Samples: which version comes is told before both sides have one. */
static void record_version(wspi_coder *c, uint64_t type)
{
    const uint64_t *client = said_by(c, 0), *server = said_by(c, 1);
    bool open = c->dir ? stage_of(c) == WSPI_TLS_ASKED && client[AGREED] != TLS_10
                       : !client[LAST_RECORD] && !server[LAST_RECORD];

    if (c->dir && type == HANDSHAKES && client[COOKIE_SIZE] && !is_offered(c, V10))
        open = false;
    wspi_app_only(c, 0, open ? 2 : 0);
    (void)wspi_app_field(c, EDITION, 2, true, likely_version(c, type));
}

/* Data is of the second epoch or a later one; a change of the cipher ends an epoch, and numbers begin again (RFC 6347 4.1). */
static void numbers(wspi_coder *c, uint64_t type)
{
    const uint64_t *v = mine(c);
    uint64_t last = v[EPOCH], next = v[LAST_RECORD] ? v[SEQUENCE] + 1 : 0, epoch = last;

    epoch += v[LAST_RECORD] == CHANGE + 1;
    if (type == DATA && epoch == 0)
        epoch = 1;
    wspi_app_only(c, 0, 0);
    epoch = wspi_app_field(c, EPOCH, 2, true, epoch & 0xffff);
    (void)wspi_app_field(c, SEQUENCE, 6, true, epoch == last ? next & 0xffffffffffff : 0);
}

/* Samples: what is sealed has the length that was told, or the datagram's; messages have their own. */
static uint64_t sampled_length(wspi_coder *c, uint64_t type, uint64_t len)
{
    size_t most = c->pay.at + 2 < DATAGRAM ? DATAGRAM - c->pay.at - 2 : 0;

    if (mine(c)[EPOCH] == 0)
        return len;
    if (type == ALERT)
        return SEALED_ALERT;
    len = WSPI_MIN(len, (uint64_t)most);
    return WSPI_MAX(len, (uint64_t)(type == DATA ? SEALED_DATA : SEALED_MESSAGE));
}

/* The length of a record: what is left of the datagram if it has no length of its own. */
static size_t record_length(wspi_coder *c, uint64_t type)
{
    uint64_t len = wspi_app_get(c, 2), rest = wspi_app_left(c);
    bool plain = type != ENCRYPTED && mine(c)[EPOCH] == 0;

    rest -= c->enc ? 0 : WSPI_MIN(rest, (uint64_t)2);
    if (plain && (type == CHANGE || type == ALERT))
        rest = type == ALERT ? 2 : mine(c)[EDITION] == DRAFT ? 3 : 1;
    if (plain || type == ALERT)
        wspi_app_only(c, 0, 0);
    len = wspi_app_code(c, SIZE, true, rest, len);
    if (c->fill)
        len = sampled_length(c, type, len);
    wspi_app_put(c, 2, len);
    if (c->fill && !(plain && type == HANDSHAKES))
        make_room(c, (size_t)len);
    wspi_app_require(c, c->fill || len <= wspi_app_left(c));
    return (size_t)len;
}

static void fragment(wspi_coder *c, uint64_t type, size_t end)
{
    bool plain = mine(c)[EPOCH] == 0;

    if (plain && type == HANDSHAKES) {
        do
            message(c, end);
        while (!wspi_app_stopped(c) && !c->fill && c->pay.at < end);
    } else if (plain && type == ALERT && end - c->pay.at == 2 &&
               (c->fill || wspi_app_captured(c) >= 2)) {
        plain_alert(c);
    } else if (type == CHANGE && c->fill) {
        wspi_app_put(c, 1, 1);
    } else {
        wspi_app_opaque(c, end - c->pay.at);
    }
    if (type == CHANGE && !wspi_app_stopped(c))
        move_on(c, WSPI_TLS_CHANGE);
}

/* What 1.3 has when the keys are known; how long an id is was agreed on, so that it and what follows is opaque. */
static void encrypted(wspi_coder *c)
{
    uint64_t want = mine(c)[UNIFIED] ? mine(c)[UNIFIED] : LONG_SEQUENCE | HAS_LENGTH | 2;
    uint64_t bits = wspi_app_code(c, UNIFIED, true, want, wspi_app_get(c, 1) & 0x1f);

    wspi_app_put(c, 1, ENCRYPTED | bits);
    if (bits & HAS_ID || wspi_app_stopped(c)) {
        wspi_app_opaque(c, wspi_app_left(c));
        return;
    }
    wspi_app_opaque(c, bits & LONG_SEQUENCE ? 2 : 1);
    if (bits & HAS_LENGTH)
        wspi_app_opaque(c, record_length(c, ENCRYPTED));
    else
        wspi_app_opaque(c, wspi_app_left(c));
}

static void one_record(wspi_coder *c, uint64_t type)
{
    size_t start, len;

    if (type == ENCRYPTED) {
        encrypted(c);
        return;
    }
    (void)wspi_app_get(c, 1);
    wspi_app_put(c, 1, type);
    record_version(c, type);
    numbers(c, type);
    len = record_length(c, type);
    start = c->pay.at;
    if (wspi_app_stopped(c))
        return;
    fragment(c, type, start + len);
    if (c->fill && !wspi_app_stopped(c))
        put_at(c, start - 2, 2, c->pay.at - start);
    mine(c)[LAST_RECORD] = type + 1;
}

/* Does a record come next, all of whose head was captured, and which is in the datagram? */
static bool next_record(const wspi_coder *c, uint64_t *type)
{
    const uint8_t *b = c->pay.in + c->pay.at;
    size_t n = wspi_app_captured(c), at = 3;

    if (n > 4 && (b[0] & 0xe0) == ENCRYPTED) {
        *type = ENCRYPTED;
        at -= !(b[0] & LONG_SEQUENCE);
        return b[0] & HAS_ID || !(b[0] & HAS_LENGTH) ||
               at + 2 + wspi_load_be(b + at, 2) <= wspi_app_left(c);
    }
    *type = n ? b[0] : 0;
    return looks(b, n) && HEAD + wspi_load_be(b + 11, 2) <= wspi_app_left(c);
}

/* A record has to come first; a datagram without a whole one is none of DTLS. */
static void walk(wspi_coder *c)
{
    uint64_t type = 0;
    bool there = c->enc && next_record(c, &type), more;

    wspi_app_require(c, !c->enc || there);
    type = wspi_app_code(c, CONTENT, false, 0, type);
    wspi_app_keep(c, CONTENT, in_turn(c));
    while (!wspi_app_stopped(c)) {
        wspi_app_require(c, wspi_app_is_listed(content, type));
        one_record(c, type);
        if (wspi_app_stopped(c) || is_enough(c))
            break;
        there = c->enc && next_record(c, &type);
        more = wspi_app_next(c, CONTENT, there, &type);
        wspi_app_keep(c, CONTENT, in_turn(c));
        if (!more && !c->dir && stage_of(c) == WSPI_TLS_CLIENT_KEYED && wspi_asked(c))
            c->need = true; /* the cipher changes in the same datagram */
        if (!more)
            break;
    }
    if (!c->fill && !wspi_app_stopped(c))
        wspi_app_opaque(c, wspi_app_left(c));
}

const wspi_app wspi_app_dtls = {
    .proto = {.name = "dtls", .fields = fields, .n_fields = WSPI_COUNT(fields)},
    .over = WSPI_OVER_UDP,
    .takes = takes,
    .walk = walk,
    .ports = {4433, 5684},
};
