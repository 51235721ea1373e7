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
#include "token/app/tls_flight.h"
#include "token/app/tls_values.h"

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
    /* No fields: bytes of this direction's message that are still to come, and its type. */
    MESSAGE_LEFT = FIELDS,
    MESSAGE_TYPE
};

enum { MAX_LIST = 200, MAX_SAMPLED = 40 };
enum {
    HIDDEN = 1,
    IN_HANDSHAKE = 2,
    STAGE = 4
}; /* mode: the cipher is changed; the record that is left is of messages; the client's: from this bit on, how far they are */
enum { RECORD_HEAD = 5, MESSAGE_HEAD = 4, FULL = 1300 };
enum { SEALED_LEAST = 48, SEALED_MIN = 17, SEALED_MAX = (1 << 14) + 256 }; /* RFC 8446 5.2 */

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

/* ---- turns ---- */

static unsigned stage_of(const wspi_app_state *s)
{
    return s->mode[0] >> STAGE;
}

static wspi_tls_turn turn_of(const wspi_coder *c)
{
    const uint64_t *server = c->app.v[1];

    return (wspi_tls_turn){.seed = c->fill ? c->fill->seed : 0,
                           .start_ns = c->fill ? c->fill->start_ns : 0,
                           .cipher = (uint16_t)server[CIPHER],
                           .version = (uint16_t)server[HELLO],
                           .server = c->dir,
                           .secret = server[OFFERED] == 0x0304};
}

/* Whatever is encoded moves the stage, too, but no token depends on it. */
static void move_on(wspi_coder *c, unsigned type)
{
    wspi_tls_turn turn = turn_of(c);
    unsigned stage = wspi_tls_after(stage_of(&c->app), &turn, type);

    c->app.mode[0] = (uint8_t)((c->app.mode[0] & ((1u << STAGE) - 1)) | stage << STAGE);
}

/* Samples between the hellos and the change of the cipher: messages of which all is made up. */
static bool in_flight(const wspi_coder *c)
{
    unsigned stage = stage_of(&c->app);

    return c->fill && !(c->app.mode[c->dir] & HIDDEN) &&
           (wspi_tls_speaker(stage) == c->dir || wspi_tls_has_more(stage, c->dir));
}

/* No record follows when it is the other side's turn, or at the end of a segment that is as long as segments are. */
static bool is_enough(const wspi_coder *c)
{
    bool turn = c->app.mode[c->dir] & HIDDEN || wspi_tls_speaker(stage_of(&c->app)) != !c->dir;
    size_t least = RECORD_HEAD + (in_flight(c) ? MESSAGE_HEAD : SEALED_LEAST);

    return c->fill && (!turn || (c->pay.at >= FULL && wspi_app_left(c) < least));
}

static bool goes_on(const wsp_context *ctx, int dir)
{
    return ctx->app.left[dir] && ctx->app.mode[dir] & IN_HANDSHAKE;
}

static bool may_speak(const wsp_context *ctx, int dir)
{
    int speaker = wspi_tls_speaker(stage_of(&ctx->app));

    if (goes_on(ctx, 0) || goes_on(ctx, 1))
        return goes_on(ctx, dir);
    return speaker < 0 || speaker == dir;
}

/* Not in the middle of a message. */
static bool may_end(const wsp_context *ctx)
{
    return ctx->app.seen[0] && ctx->app.seen[1] && !goes_on(ctx, 0) && !goes_on(ctx, 1);
}

/* Samples: the records that this side may have now. */
static void only_in_turn(wspi_coder *c)
{
    unsigned from = 0, count = 3;

    if (!(c->app.mode[c->dir] & HIDDEN))
        wspi_tls_records(stage_of(&c->app), c->dir, &from, &count);
    wspi_app_only(c, from, count);
}

/* ---- messages ---- */

static void put_bytes(wspi_coder *c, const uint8_t *from, size_t n)
{
    uint8_t *b = wspi_payload_room(c, n);

    if (b)
        memcpy(b, from, n);
    c->pay.at += n;
}

/* Samples: the next n bytes of this direction's message, of which MESSAGE_LEFT are still to come. */
static void say_more(wspi_coder *c, size_t n)
{
    uint64_t *v = c->app.v[c->dir];
    wspi_tls_turn turn = turn_of(c);
    unsigned type = (unsigned)v[MESSAGE_TYPE];
    uint8_t body[WSPI_TLS_BODY_MAX];
    size_t len = (size_t)v[BODY], fits = 0;

    if (stopped(c) || n == 0)
        return;
    if (v[MESSAGE_LEFT] <= len && wspi_tls_body_len(&turn, type, len, &fits) && fits == len) {
        wspi_tls_body(body, &turn, type, len);
        put_bytes(c, body + len - (size_t)v[MESSAGE_LEFT], n);
    } else {
        wspi_app_opaque(c, n);
    }
    v[MESSAGE_LEFT] -= n;
}

/* n bytes of a record that began before, of no message that is read. */
static void rest_of_record(wspi_coder *c, size_t n)
{
    uint64_t left = c->app.v[c->dir][MESSAGE_LEFT];
    size_t said = 0;

    if (c->fill && c->app.mode[c->dir] & IN_HANDSHAKE)
        said = (size_t)WSPI_MIN(left, (uint64_t)n);
    say_more(c, said);
    wspi_app_opaque(c, n - said);
}

/*
 * Samples: what the model draws is how long it should be. What a segment has no room for goes on in the next one; what is
 * short makes it longer.
 */
static void sampled_body(wspi_coder *c, uint64_t type, size_t room)
{
    size_t want = (size_t)wspi_app_code(c, BODY, true, room, 0), len = want;
    wspi_tls_turn turn = turn_of(c);

    if (!wspi_tls_body_len(&turn, (unsigned)type, want, &len))
        len = WSPI_MIN(want, (size_t)WSPI_TLS_BODY_MAX);
    wspi_app_put(c, 3, len);
    if (stopped(c))
        return;
    c->app.v[c->dir][BODY] = c->app.v[c->dir][MESSAGE_LEFT] = len;
    if (type != WSPI_TLS_CERTIFICATE && len > wspi_app_left(c) && c->pay.at + len <= FULL)
        c->pay.wire = c->pay.end = c->pay.at + len;
    say_more(c, WSPI_MIN(len, wspi_app_left(c)));
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

/* Samples: what this side may say now, or else what is sealed; connections that are seen from the middle begin so. */
static void forbid_messages(wspi_coder *c, unsigned base, unsigned n)
{
    unsigned stage = stage_of(&c->app);
    bool asked = c->legal && c->pos == c->n && !c->deviations, any = false;

    for (unsigned i = 0; asked && i < n; i++) {
        bool may = wspi_tls_may_say(stage, c->dir, handshake[i].value);
        any |= may;
        if (!may && handshake[i].value != SEALED)
            c->legal[base + i] = 0;
    }
    if (asked && any && stage != WSPI_TLS_NEW)
        c->legal[base + index_of_form(SEALED)] = 0;
}

/* A hello, or a message whose body no token tells, up to `end`. */
static void body_of(wspi_coder *c, uint64_t form, size_t end)
{
    size_t room = end > c->pay.at + 3 ? end - c->pay.at - 3 : 0;

    if (form == CLIENT_HELLO || form == SERVER_HELLO) {
        wspi_app_span s = wspi_app_open(c, 3);
        wspi_app_require(c, !c->enc || s.end <= end);
        hello(c, s.end, form == CLIENT_HELLO);
        wspi_app_close(c, s);
    } else if (c->fill) {
        sampled_body(c, form, room);
    } else {
        other_body(c, room);
    }
}

/* The message of row k, or what is sealed up to `end`. */
static void one_message(wspi_coder *c, unsigned k, size_t end)
{
    uint64_t form = handshake[k].value;

    c->app.v[c->dir][MESSAGE_TYPE] = form;
    if (form == SEALED) {
        wspi_app_opaque(c, end > c->pay.at ? end - c->pay.at : 40);
        return;
    }
    (void)wspi_app_get(c, 1);
    wspi_app_put(c, 1,
                 form == CLIENT_HELLO_CUT   ? CLIENT_HELLO
                 : form == SERVER_HELLO_CUT ? SERVER_HELLO
                                            : form);
    body_of(c, form, end);
    if (!stopped(c))
        move_on(c, (unsigned)form);
}

/* One message, or what is sealed up to `end`. */
static void message(wspi_coder *c, size_t end)
{
    unsigned base = wspi_field_base(c->pay.app, HANDSHAKE);
    unsigned n = wspi_field_count(c->pay.app, HANDSHAKE) - 1, k = 0;

    if (c->enc)
        k = next_message(c, end);
    k = wspi_must(c, base, n, k);
    if (c->need)
        forbid_messages(c, base, n);
    if (!stopped(c))
        one_message(c, k, end);
}

/* Samples: is there another one in this record? It begins in this segment, and none goes on in another record. */
static bool another(wspi_coder *c, unsigned *k)
{
    unsigned base = wspi_field_base(c->pay.app, HANDSHAKE);
    unsigned n = wspi_field_count(c->pay.app, HANDSHAKE) - 1;
    bool more;

    if (stopped(c) || !in_flight(c) || c->app.v[c->dir][MESSAGE_LEFT] ||
        wspi_app_left(c) < MESSAGE_HEAD || !wspi_tls_has_more(stage_of(&c->app), c->dir))
        return false;
    more = wspi_may(c, base, n, false, false, k);
    if (!more)
        forbid_messages(c, base, n);
    return more && handshake[*k].value != SEALED;
}

/* Samples: the record should end at `end`, if its messages have not come so far before. */
static void sampled_messages(wspi_coder *c, size_t end)
{
    size_t here = c->pay.at + wspi_app_left(c);
    unsigned k = 0;

    c->app.v[c->dir][MESSAGE_LEFT] = 0;
    message(c, in_flight(c) ? WSPI_MIN(end, here) : end);
    while (another(c, &k))
        one_message(c, k, end > c->pay.at + MESSAGE_HEAD && end < here ? end : here);
}

/* Messages of a handshake record up to `end`, after the rest of one that began before. */
static void messages(wspi_coder *c, size_t end)
{
    uint64_t *left = &c->app.v[c->dir][MESSAGE_LEFT];
    size_t rest;

    if (*left && end > c->pay.at) {
        rest = (size_t)WSPI_MIN(*left, (uint64_t)(end - c->pay.at));
        *left -= rest;
        wspi_app_opaque(c, rest);
    }
    while (!stopped(c) && c->pay.at < end)
        message(c, end);
}

/* ---- records ---- */

/* The fragment up to `end`, of which this segment holds what is before `here`. */
static void fragment(wspi_coder *c, uint64_t type, size_t end)
{
    size_t here = WSPI_MIN(end, c->pay.at + wspi_app_left(c));
    bool hidden = c->app.mode[c->dir] & HIDDEN;

    if (type == CCS) {
        c->app.mode[c->dir] |= HIDDEN;
        move_on(c, WSPI_TLS_CHANGE);
    }
    c->app.mode[c->dir] = (uint8_t)((c->app.mode[c->dir] & ~IN_HANDSHAKE) |
                                    (type == HANDSHAKES && !hidden ? IN_HANDSHAKE : 0));
    if (type == HANDSHAKES && !hidden && c->fill)
        sampled_messages(c, end);
    else if (type == HANDSHAKES && !hidden)
        messages(c, here);
    else if (here > c->pay.at)
        wspi_app_opaque(c, here - c->pay.at);
    if (!stopped(c) && !c->fill)
        wspi_app_require(c, c->pay.at == here);
}

/*
 * A sample's record is as long as its contents, and what the next segments have of its last message; of what has no contents
 * of its own, as the length says.
 */
static void refit(wspi_coder *c, size_t start, uint64_t *len)
{
    size_t have = c->pay.at - start;

    if (c->app.mode[c->dir] & IN_HANDSHAKE)
        have += (size_t)c->app.v[c->dir][MESSAGE_LEFT];
    if (!c->fill || stopped(c) || have == *len)
        return;
    if (have < *len && c->pay.at >= c->pay.wire && !(c->app.mode[c->dir] & IN_HANDSHAKE))
        return; /* it goes on in the next segment */
    *len = have;
    c->pay.out->data[start - 2] = (uint8_t)(have >> 8);
    c->pay.out->data[start - 1] = (uint8_t)have;
}

/* The version of the last record, of either side. */
static void record_version(wspi_coder *c)
{
    uint64_t want = 0x0303;
    bool known = wspi_app_last(c, true, PROTOCOL, &want);

    if (!known)
        known = wspi_app_last(c, false, PROTOCOL, &want);
    if (c->fill && (want < 0x0300 || want > 0x0304)) /* said by bytes that looked like a record */
        want = 0x0303;
    wspi_app_only(c, 0, 2); /* 1.2, and 1.0, which most clients begin with */
    (void)wspi_app_field(c, PROTOCOL, 2, true, known ? want : 0x0303);
}

/*
 * Samples: messages that can be read have lengths of their own, what is sealed as was told: data that the segment has no
 * room for goes on in the next ones; sealed messages, which are short, make it longer.
 */
static uint64_t sampled_length(wspi_coder *c, uint64_t type, uint64_t rest, uint64_t len)
{
    size_t end;

    if (type == HANDSHAKES && in_flight(c))
        return len;
    if (len != rest)
        len = WSPI_MIN(WSPI_MAX(len, (uint64_t)SEALED_MIN), (uint64_t)SEALED_MAX);
    end = c->pay.at + 2 + (size_t)len;
    if (c->pay.wire < end && (len == rest || (type != DATA && end <= FULL)))
        c->pay.wire = c->pay.end = end;
    return len;
}

static void one_record(wspi_coder *c, uint64_t type)
{
    bool sealed = type == DATA || (type == HANDSHAKES && c->app.mode[c->dir] & HIDDEN);
    uint64_t len, rest;
    size_t start;

    record_version(c);
    len = wspi_app_get(c, 2);
    rest = wspi_app_left(c) >= (c->enc ? 0u : 2u) ? wspi_app_left(c) - (c->enc ? 0u : 2u) : 0;
    if (c->fill && rest < SEALED_LEAST)
        rest = SEALED_LEAST;
    if (type == CCS || type == ALERT)
        rest = type == CCS ? 1 : 2;
    if (!sealed && !(type == HANDSHAKES && in_flight(c)))
        wspi_app_only(c, 0, 0);
    len = wspi_app_code(c, LENGTH, true, rest, len);
    if (c->fill)
        len = sampled_length(c, type, rest, len);
    wspi_app_put(c, 2, len);
    start = c->pay.at;
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
        rest_of_record(c, n);
    while (!stopped(c) && *left == 0) {
        if (c->pay.at == 0) { /* the first record is always there */
            only_in_turn(c);
            type = wspi_app_field(c, RECORD, 1, false, 0);
        } else {
            if (is_enough(c))
                return;
            only_in_turn(c);
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
    .may_speak = may_speak,
    .may_end = may_end,
};
