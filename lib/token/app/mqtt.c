/* SPDX-License-Identifier: Apache-2.0 */
/*
 * mqtt.c: MQTT 3.1, 3.1.1 and 5 over TCP (OASIS MQTT 5.0 2 and 3): packets, one or more in a segment or in several:
 * | type 4 | flags 4 | length 8 to 32, seven bits a byte | what the type has |        a string: | length 16 | bytes |
 * Strings are hidden but for the first characters of topics, which are names too; payloads are opaque.
 */
#include "token/app/app.h"
#include "token/app/mqtt_lists.h"

enum {
    PACKET,
    LENGTH,
    VERSION_OF,
    CONNECT_FLAGS,
    KEEPALIVE,
    CLIENT,
    NAME,
    TOPIC,
    ID,
    ACK,
    QOS,
    SESSION,
    REASON,
    PROPERTIES,
    PROPERTY,
    NUMBER,
    SUBSCRIBED /* no field: a client may be published to */
};

enum { MAX_PACKETS = 64, SHOWN_TOPIC = 12, MQTT_31 = 3, MQTT_5 = 5, LONGEST = 0x0fffffff };
enum {
    CONNECT = 1,
    CONNACK,
    PUBLISH,
    PUBACK,
    PUBREC,
    PUBREL,
    PUBCOMP,
    SUBSCRIBE,
    SUBACK,
    UNSUBSCRIBE,
    UNSUBACK,
    PINGREQ,
    PINGRESP,
    DISCONNECT,
    AUTH
};
enum { WILL = 0x04, PASSWORD = 0x40, USER = 0x80, QOS_BITS = 0x06 };

/* The first byte. Samples: a client begins with the first one, and then has what follows it; a server answers. */
enum {
    S_CONNECT,
    S_SUBSCRIBE,
    S_PUBLISH,
    S_PUBLISH_1,
    S_PING,
    S_CONNACK,
    S_SUBACK,
    S_PUBACK,
    S_PONG
};
static const wspi_value packet[] = {{0x10, "connect"},
                                    {0x82, "subscribe"},
                                    {0x30, "publish"},
                                    {0x32, "publish-1"},
                                    {0xc0, "ping"},
                                    {0x20, "connack"},
                                    {0x90, "suback"},
                                    {0x40, "puback"},
                                    {0xd0, "pong"},
                                    {0x31, "publish-retain"},
                                    {0x33, "publish-1-retain"},
                                    {0x34, "publish-2"},
                                    {0x35, "publish-2-retain"},
                                    {0x3a, "publish-1-again"},
                                    {0x3b, "publish-1-retain-again"},
                                    {0x3c, "publish-2-again"},
                                    {0x3d, "publish-2-retain-again"},
                                    {0x50, "pubrec"},
                                    {0x62, "pubrel"},
                                    {0x70, "pubcomp"},
                                    {0xa2, "unsubscribe"},
                                    {0xb0, "unsuback"},
                                    {0xe0, "disconnect"},
                                    {0xf0, "auth"},
                                    {0, NULL}};

/* What a property is: a number of so many bytes, one of seven bits a byte, or strings. */
enum { P_VARINT = 5, P_STRING, P_PAIR };
static const uint8_t property_forms[0x2b] = {
    [0x01] = 1,        [0x02] = 4,        [0x03] = P_STRING, [0x08] = P_STRING, [0x09] = P_STRING,
    [0x0b] = P_VARINT, [0x11] = 4,        [0x12] = P_STRING, [0x13] = 2,        [0x15] = P_STRING,
    [0x16] = P_STRING, [0x17] = 1,        [0x18] = 4,        [0x19] = 1,        [0x1a] = P_STRING,
    [0x1c] = P_STRING, [0x1f] = P_STRING, [0x21] = 2,        [0x22] = 2,        [0x23] = 2,
    [0x24] = 1,        [0x25] = 1,        [0x26] = P_PAIR,   [0x27] = 4,        [0x28] = 1,
    [0x29] = 1,        [0x2a] = 1};

static const wspi_field fields[] = {
    [PACKET] = {WSPI_ENUM("mqtt.packet", 8, packet)},
    [LENGTH] = {WSPI_MAG("mqtt.length", 28, WSPI_R_NONE, 1)},
    [VERSION_OF] = {WSPI_ENUM("mqtt.version", 8, version)},
    [CONNECT_FLAGS] = {WSPI_ENUM("mqtt.connect_flags", 8, connect_flags)},
    [KEEPALIVE] = {WSPI_MAG("mqtt.keepalive", 16, WSPI_R_NONE, 1)},
    [CLIENT] = {WSPI_MAG("mqtt.client", 16, WSPI_R_NAME, 0)},
    [NAME] = {WSPI_MAG("mqtt.name", 16, WSPI_R_NAME, 0)},
    [TOPIC] = {WSPI_MAG("mqtt.topic", 16, WSPI_R_NAME, 0)},
    [ID] = {WSPI_FREE("mqtt.id", 16, WSPI_P_COUNT, WSPI_R_NUMBER)},
    [ACK] = {WSPI_FREE("mqtt.ack", 16, WSPI_P_MIRROR, WSPI_R_NUMBER)},
    [QOS] = {WSPI_ENUM("mqtt.qos", 8, qos)},
    [SESSION] = {WSPI_ENUM("mqtt.session", 8, session)},
    [REASON] = {WSPI_ENUM("mqtt.reason", 8, reason)},
    [PROPERTIES] = {WSPI_MAG("mqtt.properties", 28, WSPI_R_NONE, 0)},
    [PROPERTY] = {WSPI_ENUM("mqtt.property", 8, property)},
    [NUMBER] = {WSPI_MAG("mqtt.number", 32, WSPI_R_NONE, 0)},
};

/* ---- what it looks like ---- */

/* The number of seven bits a byte at b, as short as it can be; 0 when it is not whole, else its bytes. */
static size_t varint_at(const uint8_t *b, size_t n, uint32_t *v)
{
    *v = 0;
    for (size_t i = 0; i < n && i < 4; i++) {
        *v |= (uint32_t)(b[i] & 0x7f) << 7 * i;
        if (!(b[i] & 0x80))
            return i && b[i] == 0 ? 0 : i + 1;
    }
    return 0;
}

static size_t varint_len(uint64_t v)
{
    return v < 1u << 7 ? 1 : v < 1u << 14 ? 2 : v < 1u << 21 ? 3 : 4;
}

/* Flags that a type has, and the least of what follows the length. 0xff: any. */
static const struct {
    uint8_t flags, least;
    uint16_t most; /* 0: any number */
} rules[16] = {
    [0] = {0xfe, 0, 0},       [CONNECT] = {0, 12, 0},    [CONNACK] = {0, 2, 2048},
    [PUBLISH] = {0xff, 3, 0}, [PUBACK] = {0, 2, 1024},   [PUBREC] = {0, 2, 1024},
    [PUBREL] = {2, 2, 1024},  [PUBCOMP] = {0, 2, 1024},  [SUBSCRIBE] = {2, 6, 0},
    [SUBACK] = {0, 3, 0},     [UNSUBSCRIBE] = {2, 5, 0}, [UNSUBACK] = {0, 2, 0},
    [PINGREQ] = {0, 0, 1},    [PINGRESP] = {0, 0, 1},    [DISCONNECT] = {0, 0, 1024},
    [AUTH] = {0, 0, 0},
};

static bool is_connect(const uint8_t *b, size_t n)
{
    return n >= 8 && (memcmp(b, "\0\4MQTT", 6) == 0 || memcmp(b, "\0\6MQIsdp", 8) == 0);
}

/* Can a packet begin so? *len: with its head. */
static bool packet_looks(const uint8_t *b, size_t n, size_t *len)
{
    unsigned type = b[0] >> 4, flags = b[0] & 15;
    uint32_t left;
    size_t head = varint_at(b + 1, n - 1, &left);

    *len = 1 + head + left;
    if (!head || (rules[type].flags != 0xff && flags != rules[type].flags) ||
        left < rules[type].least || (rules[type].most && left > rules[type].most))
        return false;
    b += 1 + head;
    n -= 1 + head;
    if (type == CONNECT)
        return is_connect(b, n);
    if ((type == PINGREQ || type == PINGRESP) && left)
        return false;
    return type != PUBLISH ||
           ((flags & QOS_BITS) != QOS_BITS && n >= 2 && ((size_t)b[0] << 8 | b[1]) + 2 <= left);
}

static bool looks(const uint8_t *b, size_t n)
{
    size_t len;

    return packet_looks(b, n, &len);
}

/*
 * A flow whose connection was not seen begins with a PUBLISH or SUBSCRIBE whose topic is text, in packets that fill the
 * segment: a first byte and a length are not enough.
 */
static bool is_sure(const uint8_t *b, size_t n)
{
    unsigned type = b[0] >> 4;
    size_t at = 0, len = 0, text, topic;
    uint32_t left;

    if (type == CONNECT)
        return true;
    if (type != PUBLISH && type != SUBSCRIBE)
        return false;
    text = 1 + varint_at(b + 1, n - 1, &left) + (type == SUBSCRIBE ? 2 : 0);
    topic = text + 2 <= n ? (size_t)b[text] << 8 | b[text + 1] : 0;
    if (topic == 0 || text + 2 + topic > n)
        return false;
    for (size_t i = text + 2; i < text + 2 + topic; i++)
        if (b[i] < 0x20 || b[i] == 0x7f)
            return false;
    for (; at < n; at += len)
        if (!packet_looks(b + at, n - at, &len))
            return false;
    return at == n;
}

/* ---- parts ---- */

/* A packet under the walk: where it ends, if that is known (not for a filler). */
typedef struct body {
    wspi_coder *c;
    size_t end;
    unsigned version;
    size_t contents; /* samples: where they begin */
} body;

/* Bytes of the packet that are here. */
static size_t here(const body *w)
{
    size_t end = WSPI_MIN(w->end, w->c->pay.end), at = w->c->pay.at;

    return w->c->fill ? SIZE_MAX : end > at ? end - at : 0;
}

static bool has(const body *w, size_t n)
{
    return !wspi_app_stopped(w->c) && here(w) >= n;
}

/* What is left of the packet, as far as it is in this segment. */
static void rest(const body *w)
{
    wspi_coder *c = w->c;

    if (wspi_app_stopped(c) || c->fill)
        return;
    wspi_app_require(c, c->pay.at <= w->end);
    if (!wspi_app_stopped(c))
        wspi_app_opaque(c, WSPI_MIN(w->end - c->pay.at, wspi_app_left(c)));
}

/* Field f, a number of seven bits a byte. */
static uint64_t varint(wspi_coder *c, unsigned f, bool known, uint64_t want)
{
    uint32_t v = 0;
    size_t n = c->enc && !wspi_app_stopped(c)
                   ? varint_at(c->pay.in + c->pay.at, wspi_app_captured(c), &v)
                   : 1;
    uint64_t value;

    wspi_app_require(c, n > 0);
    (void)wspi_app_get(c, n);
    value = wspi_app_code(c, f, known, want, v);
    for (size_t i = 0; i < varint_len(value); i++)
        wspi_app_put(c, 1, (value >> 7 * i & 0x7f) | (i + 1 < varint_len(value) ? 0x80 : 0));
    return value;
}

/* A string: its length is field f, its first `shown` bytes are text. false: it is not all here. */
static bool string(body *w, unsigned f, size_t shown)
{
    wspi_coder *c = w->c;
    uint64_t n;

    if (!has(w, 2))
        return false;
    wspi_app_only(c, 3, 3); /* 4 to 31 bytes */
    n = wspi_app_field(c, f, 2, false, 0);
    if (!has(w, n))
        return false;
    wspi_app_text(c, (size_t)n, shown, WSPI_TEXT_NAME);
    return true;
}

/*
 * Samples: the topic of the client's last subscription (*n bytes), which a server publishes to; NULL: it is not remembered, or
 * one of wildcards.
 */
static const uint8_t *subscribed(const wspi_coder *c, size_t *n)
{
    const wsp_context *ctx = c->ctx;

    *n = ctx->name_len;
    if (!c->fill || c->dir != 1 || !ctx->app.v[0][SUBSCRIBED] || *n == 0)
        return NULL;
    return memchr(ctx->name, '+', *n) || memchr(ctx->name, '#', *n) ? NULL : ctx->name;
}

/* The topic of a PUBLISH. MQTT 5.0 3.3.4: a server's is one that was subscribed to; those of samples have no wildcards. */
static bool topic(body *w)
{
    wspi_coder *c = w->c;
    size_t n, shown;
    const uint8_t *b = subscribed(c, &n);
    uint64_t told;

    if (!b)
        return string(w, TOPIC, SHOWN_TOPIC);
    shown = WSPI_MIN(n, (size_t)SHOWN_TOPIC);
    wspi_app_only(c, wspi_bin(n, 0), 1);
    told = wspi_app_code(c, TOPIC, false, 0, 0);
    if (wspi_bin(told, 0) != wspi_bin(n, 0)) { /* a deviation */
        wspi_app_put(c, 2, told);
        wspi_app_text(c, (size_t)told, SHOWN_TOPIC, WSPI_TEXT_NAME);
        return !wspi_app_stopped(c);
    }
    wspi_app_put(c, 2, n);
    if (!wspi_app_stopped(c))
        wspi_text_given(c, b, shown);
    if (!wspi_app_stopped(c))
        wspi_app_put_bytes(c, (const char *)b + shown, n - shown);
    return !wspi_app_stopped(c);
}

static bool one_property(body *w)
{
    wspi_coder *c = w->c;
    uint64_t id = wspi_app_field(c, PROPERTY, 1, false, 0);
    unsigned form = id < WSPI_COUNT(property_forms) ? property_forms[id] : 0;

    if (form == 0)
        return false;
    if (form == P_STRING)
        return string(w, NAME, 0);
    if (form == P_PAIR)
        return string(w, NAME, 0) && string(w, NAME, 0);
    if (form == P_VARINT && has(w, 1))
        (void)varint(c, NUMBER, false, 0);
    else if (form < P_VARINT && has(w, form))
        (void)wspi_app_field(c, NUMBER, form, false, 0);
    else
        return false;
    return true;
}

/* Properties of version 5; samples have none. false: they are not all here, or end elsewhere. */
static bool properties(body *w)
{
    body p = *w;
    bool fits = true;
    uint64_t n;

    if (w->version != MQTT_5)
        return true;
    if (!has(w, 1))
        return false;
    wspi_app_only(w->c, 0, 0);
    n = varint(w->c, PROPERTIES, true, 0);
    p.end = w->c->pay.at + (size_t)n;
    if (w->c->fill || !has(w, n))
        return w->c->fill != NULL;
    while (fits && !wspi_app_stopped(w->c) && w->c->pay.at < p.end)
        fits = one_property(&p);
    rest(&p);
    return !wspi_app_stopped(w->c);
}

/* A number of this side: one more than the last one. */
static bool own_id(body *w)
{
    uint64_t want;
    bool known = wspi_app_last(w->c, true, ID, &want) && want;

    if (!has(w, 2))
        return false;
    (void)wspi_app_field(w->c, ID, 2, known, want % 0xffff + 1);
    return true;
}

/* The number of what is acknowledged: `f` of the peer. */
static bool peer_id(body *w, unsigned f)
{
    uint64_t want;
    bool known = wspi_app_last(w->c, false, f, &want);

    if (!has(w, 2))
        return false;
    (void)wspi_app_field(w->c, ACK, 2, known, want);
    return true;
}

static bool reason_code(body *w, bool known)
{
    if (!has(w, 1))
        return false;
    wspi_app_only(w->c, 0, known ? 0 : 1);
    (void)wspi_app_field(w->c, REASON, 1, known, 0);
    return true;
}

/* ---- packets ---- */

/* Protocol name and version. */
static void protocol(body *w)
{
    wspi_coder *c = w->c;
    bool old = c->enc && !wspi_app_stopped(c) && has(w, 4) && c->pay.in[c->pay.at + 1] == 6;
    size_t n = old ? 6 : 4;
    uint64_t v = 0, got[2];
    static const uint64_t words[2][2] = {{0x00044d51, 0x5454}, {0x00064d51, 0x49736470}};

    got[0] = wspi_app_get(c, 4);
    got[1] = wspi_app_get(c, n - 2);
    wspi_app_require(c, !c->enc || (got[0] == words[old][0] && got[1] == words[old][1]));
    v = wspi_app_get(c, 1);
    wspi_app_require(c, !c->enc || old == (v == MQTT_31));
    wspi_app_only(c, 0, 2);
    v = wspi_app_code(c, VERSION_OF, false, 0, v);
    old = v == MQTT_31;
    wspi_app_put(c, 4, words[old][0]);
    wspi_app_put(c, old ? 4 : 2, words[old][1]);
    wspi_app_put(c, 1, v);
    w->version = (unsigned)v;
    c->app.mode[c->dir] = (uint8_t)v;
}

static void connect_packet(body *w)
{
    uint64_t is;

    if (!has(w, 12))
        return;
    protocol(w);
    wspi_app_only(w->c, 0, 2);
    is = wspi_app_field(w->c, CONNECT_FLAGS, 1, false, 0);
    wspi_app_only(w->c, 9, 6); /* 24 seconds to three minutes */
    if (!has(w, 2))
        return;
    (void)wspi_app_field(w->c, KEEPALIVE, 2, false, 0);
    if (!properties(w) || !string(w, CLIENT, 0))
        return;
    if (is & WILL && (!properties(w) || !string(w, TOPIC, SHOWN_TOPIC) || !string(w, NAME, 0)))
        return;
    if (is & USER && !string(w, NAME, 0))
        return;
    if (is & PASSWORD)
        (void)string(w, NAME, 0);
}

static void connack(body *w)
{
    if (!has(w, 2))
        return;
    wspi_app_only(w->c, 0, 0);
    (void)wspi_app_field(w->c, SESSION, 1, true, 0);
    if (reason_code(w, true))
        (void)properties(w);
}

static void publish(body *w, uint64_t first)
{
    wspi_coder *c = w->c;
    size_t n;

    if (!topic(w) || (first & QOS_BITS && !own_id(w)) || !properties(w) || !c->fill)
        return;
    n = wspi_app_left(c);
    if (c->pay.at + n - w->contents > 127) /* a length of two bytes: there is room for one */
        n -= n > 0;
    wspi_app_opaque(c, n ? n : 1);
}

/* PUBACK and its like: a reason and properties are optional in version 5. */
static void acknowledge(body *w, unsigned type)
{
    if (!peer_id(w, type == PUBREL || type == PUBCOMP ? ACK : ID) || w->c->fill || !here(w))
        return;
    if (reason_code(w, true) && here(w))
        (void)properties(w);
}

/* Topics, in a subscription each with its quality of service; samples have one. */
static void topics(body *w, unsigned type)
{
    wspi_coder *c = w->c;
    size_t at;

    if (type == SUBSCRIBE)
        c->app.v[c->dir][SUBSCRIBED] = true;
    if (!own_id(w) || !properties(w))
        return;
    do {
        at = c->pay.at + 2;
        if (!string(w, TOPIC, SHOWN_TOPIC))
            return;
        if (type == SUBSCRIBE && !wspi_app_stopped(c) && c->pay.at - at <= WSPI_NAME_MAX) {
            c->name_at = at;
            c->name_len = (uint16_t)(c->pay.at - at);
        }
        if (type == SUBSCRIBE && has(w, 1)) {
            wspi_app_only(w->c, 0, 2);
            (void)wspi_app_field(w->c, QOS, 1, false, 0);
        }
    } while (!w->c->fill && !wspi_app_stopped(w->c) && here(w));
}

static void answers(body *w)
{
    if (!peer_id(w, ID) || !properties(w))
        return;
    do {
        if (!reason_code(w, false))
            return;
    } while (!w->c->fill && !wspi_app_stopped(w->c) && here(w));
}

static void reason_only(body *w)
{
    if (w->c->fill || !here(w))
        return;
    if (reason_code(w, true) && here(w))
        (void)properties(w);
}

static void contents(body *w, uint64_t first)
{
    unsigned type = (unsigned)first >> 4;

    switch (type) {
    case CONNECT: connect_packet(w); break;
    case CONNACK: connack(w); break;
    case PUBLISH: publish(w, first); break;
    case PUBACK:
    case PUBREC:
    case PUBREL:
    case PUBCOMP: acknowledge(w, type); break;
    case SUBSCRIBE:
    case UNSUBSCRIBE: topics(w, type); break;
    case SUBACK:
    case UNSUBACK: answers(w); break;
    case DISCONNECT:
    case AUTH: reason_only(w); break;
    default: break;
    }
}

/* The version of the connection: what this side has said, or the other. 3.1.1 where nobody has. */
static unsigned version_of(const wspi_coder *c)
{
    const wspi_app_state *s = &c->ctx->app;

    if (c->app.mode[c->dir])
        return c->app.mode[c->dir];
    return s->id[!c->dir] == c->pay.app && s->mode[!c->dir] ? s->mode[!c->dir] : 4;
}

/* The rest of the segment, less the length itself: what a packet that ends with it has. */
static uint64_t usual_length(const wspi_coder *c)
{
    size_t left = WSPI_MIN(wspi_app_left(c), (size_t)LONGEST);

    for (size_t n = 1; n <= 4 && n <= left; n++)
        if (varint_len(left - n) == n)
            return left - n;
    return 0;
}

/* A sample's length, now that it is known: one byte was left for it at `at`. */
static void set_length(wspi_coder *c, size_t at)
{
    size_t n = c->pay.at - at - 1;
    uint8_t *b;

    if (n >= 1u << 14) {
        c->bad = true;
        return;
    }
    if (n >= 1u << 7) {
        wspi_app_put(c, 1, 0);
        if (wspi_app_stopped(c))
            return;
        b = c->pay.out->data + at;
        memmove(b + 2, b + 1, n);
        b[0] = (uint8_t)(n | 0x80);
        b[1] = (uint8_t)(n >> 7);
    } else {
        c->pay.out->data[at] = (uint8_t)n;
    }
}

/* A packet whose first byte has been coded. */
static void one_packet(wspi_coder *c, uint64_t first)
{
    body w = {.c = c, .version = version_of(c)};
    unsigned type = (unsigned)first >> 4;
    size_t at = c->pay.at;
    uint64_t n;

    if (wspi_app_stopped(c))
        return;
    if (c->fill) {
        wspi_app_put(c, 1, 0);
        w.contents = c->pay.at;
        contents(&w, first);
        if (!wspi_app_stopped(c))
            set_length(c, at);
        return;
    }
    n = usual_length(c);
    if (type >= PUBACK && type <= PUBCOMP && w.version != MQTT_5)
        n = 2;
    if (type == PINGREQ || type == PINGRESP)
        n = 0;
    n = varint(c, LENGTH, true, n);
    w.end = c->pay.at + (size_t)n;
    contents(&w, first);
    rest(&w);
    if (!wspi_app_stopped(c) && w.end > c->pay.at)
        c->app.left[c->dir] = (uint32_t)(w.end - c->pay.at);
}

/* ---- segments ---- */

/* Samples: the row of the server's packet that answers one of a client; S_CONNECT: none does. */
static unsigned answer_to(uint64_t asked)
{
    static const uint8_t answers[16] = {
        [CONNECT] = S_CONNACK, [SUBSCRIBE] = S_SUBACK, [PINGREQ] = S_PONG};

    return asked == packet[S_PUBLISH_1].value ? S_PUBACK : answers[asked >> 4 & 15];
}

/* Samples: the row of the answer that the client waits for, S_CONNECT if there is none. */
static unsigned due(const wsp_context *ctx)
{
    return ctx->spoke == 0 && ctx->app.seen[0] ? answer_to(ctx->app.v[0][PACKET]) : S_CONNECT;
}

/*
 * Samples: each question has one answer before the next one, so that its number is that of the last packet; what else a server
 * says is for who has subscribed (MQTT 5.0 3.3.4) and is still there.
 */
static bool may_speak(const wsp_context *ctx, int dir)
{
    if (ctx->app.id[0] != WSPI_APP_MQTT)
        return true;
    if (due(ctx))
        return dir == 1;
    return dir == 0 || (ctx->app.v[0][SUBSCRIBED] && !(ctx->sent[0] & WSPI_TH_FIN));
}

static bool may_end(const wsp_context *ctx)
{
    return ctx->app.seen[0] && ctx->app.seen[1] && (ctx->app.id[0] != WSPI_APP_MQTT || !due(ctx));
}

/* Samples: a connection, then what it is for. */
static void only_sampled(wspi_coder *c)
{
    uint64_t last = 0;
    bool spoke = wspi_app_last(c, true, PACKET, &last);

    if (c->dir == 0)
        wspi_app_only(c, spoke ? S_SUBSCRIBE : S_CONNECT, spoke ? S_CONNACK - S_SUBSCRIBE : 1);
    else if (c->ctx->app.id[0] != c->pay.app)
        wspi_app_only(c, S_CONNACK, 1);
    else
        wspi_app_only(c, due(c->ctx) ? due(c->ctx) : S_PUBLISH, 1);
}

/* The first byte of the next packet, when encoding, if there is one whose head is here. */
static uint64_t ahead(const wspi_coder *c, bool *there)
{
    size_t len;

    *there = c->enc && !wspi_app_stopped(c) && wspi_app_captured(c) >= 2 &&
             packet_looks(c->pay.in + c->pay.at, wspi_app_captured(c), &len);
    return *there ? c->pay.in[c->pay.at] : 0;
}

static bool known_flow(const wspi_coder *c)
{
    const wspi_app_state *s = &c->ctx->app;

    return s->id[0] == c->pay.app || s->id[1] == c->pay.app ||
           is_sure(c->pay.in, wspi_app_captured(c));
}

static void walk(wspi_coder *c)
{
    uint32_t *left = &c->app.left[c->dir];
    uint32_t n = c->fill ? 0 : (uint32_t)WSPI_MIN(*left, wspi_app_left(c));
    uint64_t first;
    bool there;

    *left -= n;
    wspi_app_opaque(c, n);
    if (n == 0) {
        first = ahead(c, &there);
        wspi_app_require(c, !c->enc || (there && known_flow(c)));
        only_sampled(c);
        one_packet(c, wspi_app_field(c, PACKET, 1, false, 0));
    }
    for (int i = 0; i < MAX_PACKETS && !wspi_app_stopped(c) && *left == 0; i++) {
        first = ahead(c, &there);
        wspi_app_only(c, 0, 0);
        if (!wspi_app_element(c, PACKET, 1, there, &first))
            return;
        one_packet(c, first);
    }
}

const wspi_app wspi_app_mqtt = {
    .proto = {.name = "mqtt", .fields = fields, .n_fields = WSPI_COUNT(fields)},
    .over = WSPI_OVER_TCP,
    .looks = looks,
    .walk = walk,
    .ports = {1883},
    .turns = WSPI_CLIENT_FIRST,
    .may_speak = may_speak,
    .may_end = may_end,
    .rests = true,
};
