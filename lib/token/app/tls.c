/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tls.c: TLS over TCP. RFC 8446 5.1, RFC 5246 6.2:  record:  | type 8 | version 16 | length 16 | fragment |
 * RFC 8446 4, RFC 5246 7.4:  handshake:  | type 8 | length 24 | body |
 * Hellos are in tls_hello.c.
 * Records go on in the next segments, messages in the next records: what is left of a message there is opaque, what
 * follows it is read. Whatever is encrypted is opaque.
 */
#include "token/app/app.h"
#include "token/app/tls_flight.h"
#include "token/app/tls_hello.h"
#include "token/app/tls_lists.h"
#include "token/app/tls_offer.h"

enum {
    HIDDEN = 1,
    IN_HANDSHAKE = 2,
    UNFINISHED = 4,
    STAGE = 4
}; /* mode: the cipher is changed; the record that is left is of messages; nothing was said with the new cipher; the client's: from this bit on, how far they are */
enum { RECORD_HEAD = 5, FULL = 1300 };
enum { FATAL = 2, CLOSE_NOTIFY = 0x0100 }; /* the level, and level and description */
/* RFC 8446 5.2; a message, Finished, and an alert as AES-GCM makes them in TLS 1.2 (RFC 5288 3, RFC 5246 7.4.9, 7.2) */
enum { SEALED_MIN = 17, SEALED_MAX = (1 << 14) + 256, SEALED_LEAST = 40, SEALED_ALERT = 26 };

static const wspi_field fields[] = {
    [RECORD] = {WSPI_ENUM("tls.record", 8, record)},
    [PROTOCOL] = {WSPI_ENUM("tls.version", 16, version), .pred = WSPI_P_PREV, .arg = 0x0303},
    [LENGTH] = {WSPI_MAG("tls.length", 16, WSPI_R_NONE, 2)},
    [HANDSHAKE] = {WSPI_ENUM("tls.handshake", 8, handshake)},
    [BODY] = {WSPI_MAG("tls.body", 24, WSPI_R_NONE, 1)},
    [HELLO] = {WSPI_ENUM("tls.hello", 16, version), .arg = 0x0303},
    [SESSION] = {WSPI_MAG("tls.session", 8, WSPI_R_NONE, 0), .arg = 32},
    [CIPHER] = {WSPI_ENUM("tls.cipher", 16, cipher), .role = WSPI_R_REGISTERED},
    [EXTENSION] = {WSPI_ENUM("tls.ext", 16, extension), .role = WSPI_R_REGISTERED},
    [EXTLEN] = {WSPI_MAG("tls.extlen", 16, WSPI_R_NONE, 1)},
    [OFFERED] = {WSPI_ENUM("tls.offered", 16, version), .role = WSPI_R_REGISTERED},
    [GROUP] = {WSPI_ENUM("tls.group", 16, group), .role = WSPI_R_REGISTERED},
    [SIGALG] = {WSPI_ENUM("tls.sigalg", 16, sigalg)},
    [COOKIE] = {WSPI_MAG("tls.cookie", 8, WSPI_R_NONE, 2)},
    [SRTP] = {WSPI_ENUM("tls.srtp", 16, profile)},
};

static bool looks(const uint8_t *b, size_t n)
{
    return n >= 5 && b[0] >= CCS && b[0] <= 24 && b[1] == 3 && b[2] <= 4 && (b[3] < 0x48) &&
           (b[3] | b[4]);
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

/* What the fragment [at, end) begins with: the row of its message's type; the row of SEALED when it can be none. */
static unsigned next_message(const wspi_coder *c, size_t end)
{
    const uint8_t *b = c->pay.in + c->pay.at;
    unsigned k;

    if (end - c->pay.at < 4 || wspi_app_captured(c) < 4 || b[1] != 0)
        return wspi_row_of(handshake, SEALED);
    k = type_index(b[0]);
    if (!handshake[k].name)
        return wspi_row_of(handshake, SEALED);
    if ((b[0] == CLIENT_HELLO || b[0] == SERVER_HELLO) &&
        ((size_t)b[2] << 8 | b[3]) > end - c->pay.at - 4)
        return wspi_row_of(handshake, b[0] == CLIENT_HELLO ? CLIENT_HELLO_CUT : SERVER_HELLO_CUT);
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
    wspi_tls_turn turn = {.seed = c->fill ? c->fill->seed : 0,
                          .start_ns = c->fill ? c->fill->start_ns : 0,
                          .cipher = (uint16_t)server[CIPHER],
                          .version = (uint16_t)server[HELLO],
                          .server = c->dir,
                          .secret = server[OFFERED] == 0x0304,
                          .staples = server[STAPLES]};

    wspi_tls_agree(c, c->app.v[0], server, &turn);
    return turn;
}

/* Whatever is encoded moves the stage, too, but no token depends on it. */
static void move_on(wspi_coder *c, unsigned type)
{
    wspi_tls_turn turn = turn_of(c);
    unsigned stage = wspi_tls_after(stage_of(&c->app), &turn, type);

    if (c->fill && c->dir && stage_of(&c->app) == WSPI_TLS_ANSWERED &&
        (type == WSPI_TLS_TICKET || type == WSPI_TLS_CHANGE))
        wspi_tls_resume(c);
    c->app.mode[0] = (uint8_t)((c->app.mode[0] & ((1u << STAGE) - 1)) | stage << STAGE);
}

/* Samples between the hellos and the change of the cipher: messages of which all is made up. */
static bool in_flight(const wspi_coder *c)
{
    unsigned stage = stage_of(&c->app);
    wspi_tls_turn turn = turn_of(c);

    return c->fill && !(c->app.mode[c->dir] & HIDDEN) &&
           (wspi_tls_speaker(stage) == c->dir || wspi_tls_has_more(stage, &turn));
}

/* No record follows when it is the other side's turn, or at the end of a segment that is as long as segments are. */
static bool is_enough(const wspi_coder *c)
{
    bool turn = c->app.mode[c->dir] & HIDDEN || wspi_tls_speaker(stage_of(&c->app)) != !c->dir;
    size_t least = RECORD_HEAD + (in_flight(c) ? MESSAGE_HEAD : SEALED_LEAST);

    return c->fill && (!turn || stage_of(&c->app) == WSPI_TLS_REFUSED ||
                       (c->pay.at >= FULL && wspi_app_left(c) < least));
}

static bool goes_on(const wsp_context *ctx, int dir)
{
    return ctx->app.left[dir] && ctx->app.mode[dir] & IN_HANDSHAKE;
}

/* In the other side's turn, which it will not take: it has closed the connection. All that is left to say is an alert. */
static bool is_left_alone(const wsp_context *ctx, unsigned stage, int dir)
{
    return wspi_tls_speaker(stage) == !dir && ctx->sent[!dir] & WSPI_TH_FIN;
}

static bool may_speak(const wsp_context *ctx, int dir)
{
    int speaker = wspi_tls_speaker(stage_of(&ctx->app));

    if (goes_on(ctx, 0) || goes_on(ctx, 1))
        return goes_on(ctx, dir);
    return speaker == -1 || speaker == dir || is_left_alone(ctx, stage_of(&ctx->app), dir);
}

/* Not in the middle of a message. */
static bool may_end(const wsp_context *ctx)
{
    return ctx->app.seen[0] && ctx->app.seen[1] && !goes_on(ctx, 0) && !goes_on(ctx, 1);
}

/* Has the server said hello in this connection? */
static bool server_hello(const wspi_coder *c)
{
    return (c->dir || c->app.id[1] == c->pay.app) && c->app.v[1][OFFER_MORE] & WSPI_OFFER_KNOWN;
}

/* Samples up to 1.2: Finished comes first with the new cipher, and before it the cipher changes, as the other side's has (RFC 5246 7.4.9); 0: as it may be. */
static unsigned changes(const wspi_coder *c)
{
    const uint8_t *mode = c->app.mode;

    if (mode[c->dir] & HIDDEN)
        return mode[c->dir] & UNFINISHED ? (unsigned)WSPI_TLS_IS_MESSAGE : 0;
    return mode[!c->dir] & HIDDEN && stage_of(&c->app) == WSPI_TLS_OPEN
               ? (unsigned)WSPI_TLS_IS_CHANGE
               : 0;
}

/* Samples: the records that this side may have now. After the hellos of TLS 1.3 all is data (RFC 8446 5), or pleases middleboxes. */
static unsigned in_turn(const wspi_coder *c)
{
    unsigned rows = WSPI_TLS_IS_DATA | WSPI_TLS_IS_MESSAGE | WSPI_TLS_IS_CHANGE | WSPI_TLS_IS_ALERT;
    unsigned stage = stage_of(&c->app);
    wspi_tls_turn turn = turn_of(c);

    if (!turn.secret && server_hello(c) && changes(c))
        return changes(c);
    if (!(c->app.mode[c->dir] & HIDDEN))
        rows = is_left_alone(c->ctx, stage, c->dir) ||
                       (stage == WSPI_TLS_ASKED && c->dir && wspi_tls_must_refuse(c))
                   ? (unsigned)WSPI_TLS_IS_ALERT
                   : wspi_tls_records(stage, &turn);
    else
        rows &= ~(unsigned)WSPI_TLS_IS_CHANGE; /* it has changed */
    return turn.secret ? rows & (WSPI_TLS_IS_DATA | WSPI_TLS_IS_CHANGE) : rows;
}

/* Samples: what no reader looks into. Alerts are sealed but for those of a handshake. */
static bool is_sealed(const wspi_coder *c, uint64_t type)
{
    bool hidden = c->app.mode[c->dir] & HIDDEN;
    unsigned stage = stage_of(&c->app);

    if (type == ALERT)
        return hidden ||
               (!wspi_tls_may_refuse(stage, c->dir) && !is_left_alone(c->ctx, stage, c->dir));
    return type == DATA || (type == HANDSHAKES && hidden);
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

    if (wspi_app_stopped(c) || n == 0)
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
    if (wspi_app_stopped(c))
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
    wspi_tls_turn turn = turn_of(c);

    for (unsigned i = 0; asked && i < n; i++) {
        bool may = wspi_tls_may_say(stage, &turn, (unsigned)handshake[i].value);
        any |= may;
        if (!may && handshake[i].value != SEALED)
            c->legal[base + i] = 0;
    }
    if (asked && any && stage != WSPI_TLS_NEW)
        c->legal[base + wspi_row_of(handshake, SEALED)] = 0;
}

/* A hello, or a message whose body no token tells, up to `end`. */
static void body_of(wspi_coder *c, uint64_t form, size_t end)
{
    size_t room = end > c->pay.at + 3 ? end - c->pay.at - 3 : 0;

    if (form == CLIENT_HELLO || form == SERVER_HELLO) {
        wspi_app_span s = wspi_app_open(c, 3);
        wspi_app_require(c, !c->enc || s.end <= end);
        wspi_tls_say_hello(c, s.end, form == CLIENT_HELLO);
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
    if (!wspi_app_stopped(c))
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
    if (!wspi_app_stopped(c))
        one_message(c, k, end);
}

/* Samples: is there another one in this record? It begins in this segment, and none goes on in another record. */
static bool another(wspi_coder *c, unsigned *k)
{
    unsigned base = wspi_field_base(c->pay.app, HANDSHAKE);
    unsigned n = wspi_field_count(c->pay.app, HANDSHAKE) - 1;
    wspi_tls_turn turn = turn_of(c);
    bool more;

    if (wspi_app_stopped(c) || !in_flight(c) || c->app.v[c->dir][MESSAGE_LEFT] ||
        wspi_app_left(c) < MESSAGE_HEAD || !wspi_tls_has_more(stage_of(&c->app), &turn))
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
    while (!wspi_app_stopped(c) && c->pay.at < end)
        message(c, end);
}

/* ---- records ---- */

/* An alert that can be read, whole in this segment; nothing follows one that is fatal or says goodbye (RFC 5246 7.2). */
static void plain_alert(wspi_coder *c)
{
    wspi_tls_turn turn = turn_of(c);
    const uint8_t *b;

    if (c->fill)
        wspi_app_put(c, 2,
                     wspi_tls_may_refuse(stage_of(&c->app), c->dir) ? wspi_tls_refusal(&turn)
                                                                    : CLOSE_NOTIFY);
    else
        wspi_app_opaque(c, 2);
    if (wspi_app_stopped(c))
        return;
    b = (c->enc ? c->pay.in : c->pay.out->data) + c->pay.at - 2;
    if (b[0] == FATAL || b[1] == (CLOSE_NOTIFY & 0xff))
        move_on(c, WSPI_TLS_FATAL);
}

/* The fragment up to `end`, of which this segment holds what is before `here`. */
static void fragment(wspi_coder *c, uint64_t type, size_t end)
{
    size_t here = WSPI_MIN(end, c->pay.at + wspi_app_left(c));
    bool hidden = c->app.mode[c->dir] & HIDDEN;

    c->app.mode[c->dir] &= (uint8_t)~UNFINISHED;
    if (type == CCS) {
        c->app.mode[c->dir] |= HIDDEN | UNFINISHED;
        move_on(c, WSPI_TLS_CHANGE);
    }
    c->app.mode[c->dir] = (uint8_t)((c->app.mode[c->dir] & ~IN_HANDSHAKE) |
                                    (type == HANDSHAKES && !hidden ? IN_HANDSHAKE : 0));
    if (type == HANDSHAKES && !hidden && c->fill)
        sampled_messages(c, end);
    else if (type == HANDSHAKES && !hidden)
        messages(c, here);
    else if (type == ALERT && !hidden && end - c->pay.at == 2 &&
             (c->fill || wspi_app_captured(c) >= 2))
        plain_alert(c);
    else if (here > c->pay.at)
        wspi_app_opaque(c, here - c->pay.at);
    if (!wspi_app_stopped(c) && !c->fill)
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
    if (!c->fill || wspi_app_stopped(c) || have == *len)
        return;
    if (have < *len && c->pay.at >= c->pay.wire && !(c->app.mode[c->dir] & IN_HANDSHAKE))
        return; /* it goes on in the next segment */
    *len = have;
    c->pay.out->data[start - 2] = (uint8_t)(have >> 8);
    c->pay.out->data[start - 1] = (uint8_t)have;
}

/*
 * Samples: 1.2, and 1.0, which most clients begin with; of a server's hello what is offered; from it on what it says (RFC 5246 E.1,
 * RFC 8446 5.1).
 */
static uint64_t versions_of_record(const wspi_coder *c, uint64_t type)
{
    const uint64_t *server = c->app.v[1];
    unsigned stage = stage_of(&c->app), agreed = wspi_row_of(version, server[OFFER_MORE] & 0xffff);
    uint64_t rows = 0;

    if (stage == WSPI_TLS_ASKED && c->dir && type == HANDSHAKES)
        rows = wspi_tls_versions(c);
    else if (stage > WSPI_TLS_ASKED && server_hello(c) && version[agreed].name)
        rows = UINT64_C(1) << agreed;
    return rows ? rows : 3;
}

/* The version of the last record, of either side. */
static void record_version(wspi_coder *c, uint64_t type)
{
    uint64_t want = 0x0303, rows;
    size_t pos = c->pos;
    bool known = wspi_app_last(c, true, PROTOCOL, &want);

    if (!known)
        known = wspi_app_last(c, false, PROTOCOL, &want);
    if (c->fill && (want < 0x0300 || want > 0x0304)) /* said by bytes that looked like a record */
        want = 0x0303;
    want = known ? want : 0x0303;
    rows = c->fill ? versions_of_record(c, type) : 0;
    want = wspi_app_field(c, PROTOCOL, 2, true, want);
    wspi_tls_keep(c, PROTOCOL, rows, pos, rows >> wspi_row_of(version, want) & 1);
}

/* Samples: of the class that was told what is nearest to the segment's length; an alert that no length was told of is usual. */
static uint64_t alert_length(const wspi_coder *c, uint64_t len)
{
    unsigned m = fields[LENGTH].mantissa, class = wspi_bin(len, m);
    uint64_t left = wspi_app_left(c) > 2 ? wspi_app_left(c) - 2 : 0,
             least = wspi_bin_start(class, m);

    if (len < SEALED_MIN)
        return SEALED_ALERT;
    return WSPI_MIN(WSPI_MAX(left, least), wspi_bin_start(class + 1, m) - 1);
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
    if (type == ALERT && is_sealed(c, type))
        len = alert_length(c, len);
    if (len != rest)
        len = WSPI_MIN(WSPI_MAX(len, (uint64_t)SEALED_MIN), (uint64_t)SEALED_MAX);
    end = c->pay.at + 2 + (size_t)len;
    if (c->pay.wire < end && (len == rest || (type != DATA && end <= FULL)))
        c->pay.wire = c->pay.end = end;
    return len;
}

static void one_record(wspi_coder *c, uint64_t type)
{
    uint64_t len, rest;
    size_t start;

    record_version(c, type);
    len = wspi_app_get(c, 2);
    rest = wspi_app_left(c) >= (c->enc ? 0u : 2u) ? wspi_app_left(c) - (c->enc ? 0u : 2u) : 0;
    if (c->fill && rest < SEALED_MIN)
        rest = SEALED_LEAST;
    if (type == CCS || type == ALERT)
        rest = type == CCS ? 1 : 2;
    if (!is_sealed(c, type) && !(type == HANDSHAKES && in_flight(c)))
        wspi_app_only(c, 0, 0);
    len = wspi_app_code(c, LENGTH, true, rest, len);
    if (c->fill)
        len = sampled_length(c, type, rest, len);
    wspi_app_put(c, 2, len);
    start = c->pay.at;
    fragment(c, type, start + (size_t)len);
    refit(c, start, &len);
    if (!wspi_app_stopped(c) && start + len > c->pay.at)
        c->app.left[c->dir] = (uint32_t)(start + len - c->pay.at);
}

static void walk(wspi_coder *c)
{
    uint32_t *left = &c->app.left[c->dir];
    uint64_t type = 0;
    uint32_t n = (uint32_t)WSPI_MIN(*left, wspi_app_left(c));
    bool more;

    *left -= n;
    if (n && c->app.mode[c->dir] & IN_HANDSHAKE && !c->fill)
        messages(c, n);
    else
        rest_of_record(c, n);
    while (!wspi_app_stopped(c) && *left == 0) {
        if (c->pay.at == 0) { /* the first record is always there */
            type = wspi_app_field(c, RECORD, 1, false, 0);
            wspi_app_keep(c, RECORD, in_turn(c));
        } else {
            if (is_enough(c))
                return;
            more = wspi_app_element(c, RECORD, 1, wspi_app_captured(c) > 0, &type);
            wspi_app_keep(c, RECORD, in_turn(c));
            if (!more)
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
