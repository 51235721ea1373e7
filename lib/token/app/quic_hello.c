/* SPDX-License-Identifier: Apache-2.0 */
/*
 * quic_hello.c: what samples say in QUIC's Initial packets: TLS 1.3 hellos (RFC 8446 4.1) in CRYPTO frames, with what QUIC adds to
 * them (RFC 9001 8, RFC 9000 18), acknowledgements, or a PING (RFC 9000 19). And the bodies of extensions, those of TLS over TCP,
 * too. Host names are of RFC 6761's "example".
 */
#include "token/app/quic_hello.h"

enum { FRAME_PING = 1, FRAME_ACK = 2, FRAME_CRYPTO = 6 };
enum { CLIENT_HELLO = 1, SERVER_HELLO = 2 };
enum { DRAFT_FIRST = 0xff, KEY_SHARE = 51, PARAMETERS = 57, PARAMETERS_DRAFT = 0xffa5 };
enum { RANDOM = 32, X25519 = 29 };

typedef struct out {
    uint8_t *b;
    size_t n;
    wspi_rng r;
    const wspi_quic_turn *turn;
} out;

/* Everything that is said is far shorter than the room; a test holds it. */
static void put(out *o, size_t n, uint64_t v)
{
    for (size_t i = n; i-- > 0 && o->n < WSPI_QUIC_FRAMES;)
        o->b[o->n++] = (uint8_t)(v >> 8 * i);
}

static void put_random(out *o, size_t n)
{
    while (n--)
        put(o, 1, wspi_rng_u64(&o->r) >> 32);
}

static void put_text(out *o, const char *s)
{
    while (*s)
        put(o, 1, (uint8_t)*s++);
}

/* RFC 9000 16 */
static void put_varint(out *o, uint64_t v)
{
    unsigned e = v < 64 ? 0 : v < 1 << 14 ? 1 : v < 1 << 30 ? 2 : 3;

    put(o, (size_t)1 << e, v | (uint64_t)e << ((8u << e) - 2));
}

/* A length of `width` bytes in front of what is written until it is closed; returns where. */
static size_t open_length(out *o, size_t width)
{
    put(o, width, 0);
    return o->n;
}

static void close_length(out *o, size_t at, size_t width)
{
    for (size_t i = 0; i < width; i++)
        o->b[at - 1 - i] = (uint8_t)((o->n - at) >> 8 * i);
}

/* One of the n values. */
static uint64_t one_of(out *o, const uint32_t *v, size_t n)
{
    return v[wspi_rng_below(&o->r, n)];
}

/* The first ones of a list, `least` or more. */
static void some_of(out *o, const uint16_t *v, size_t n, size_t least)
{
    size_t take = least + (size_t)wspi_rng_below(&o->r, n - least + 1);

    for (size_t i = 0; i < take; i++)
        put(o, 2, v[i]);
}

/* ---- extensions ---- */

enum { NAME_HEAD = 5, NAME_TAIL = 8, LABEL_MIN = 4, LABEL_MAX = 50 };

/* RFC 6066 3; as long as is wanted, of letters of its own */
static void server_name(out *o)
{
    size_t letters = LABEL_MIN + (size_t)wspi_rng_below(&o->r, 9), list = open_length(o, 2), name;

    if (o->turn->want > NAME_HEAD + NAME_TAIL + LABEL_MIN)
        letters = WSPI_MIN(o->turn->want - NAME_HEAD - NAME_TAIL, (size_t)LABEL_MAX);
    put(o, 1, 0);
    name = open_length(o, 2);
    while (letters--)
        put(o, 1, 'a' + wspi_rng_below(&o->r, 26));
    put_text(o, ".example");
    close_length(o, name, 2);
    close_length(o, list, 2);
}

static void groups(out *o)
{
    static const uint16_t v[] = {X25519, 23, 24, 25};
    size_t at = open_length(o, 2);

    some_of(o, v, WSPI_COUNT(v), 2);
    close_length(o, at, 2);
}

static void signatures(out *o)
{
    static const uint16_t v[] = {0x0403, 0x0804, 0x0401, 0x0503, 0x0805,
                                 0x0501, 0x0806, 0x0601, 0x0201};
    size_t at = open_length(o, 2);

    some_of(o, v, WSPI_COUNT(v), 4);
    close_length(o, at, 2);
}

static void put_name(out *o, const char *s)
{
    size_t name = open_length(o, 1);

    put_text(o, s);
    close_length(o, name, 1);
}

/* RFC 7301 3.1. Over TCP, HTTP/2 and HTTP/1.1, of which a server takes one, and some clients offer one. */
static void alpn(out *o)
{
    size_t list = open_length(o, 2), want = o->turn->want;
    bool old = want >= 8 && want < 12, both = !o->turn->server && (want < 4 || want >= 12);

    if (o->turn->names == 1 || o->turn->names == 2)
        old = o->turn->names == 2;
    if (o->turn->version) {
        put_name(o, o->turn->version >> 24 == DRAFT_FIRST ? "h3-29" : "h3");
    } else {
        if (!old)
            put_name(o, "h2");
        if (old || both)
            put_name(o, "http/1.1");
    }
    close_length(o, list, 2);
}

/* RFC 8422 5.1.2: uncompressed; of more room, what RFC 4492 had, too */
static void point_formats(out *o)
{
    if (o->turn->want >= 4)
        put(o, 4, 0x03000102);
    else
        put(o, 2, 0x0100);
}

/* RFC 6520 2: it may be asked */
static void heartbeat(out *o)
{
    put(o, 1, 1);
}

/* draft-vvv-tls-alps-01 4: a list as ALPN's */
static void settings(out *o)
{
    size_t list = open_length(o, 2);

    put_name(o, "h2");
    close_length(o, list, 2);
}

/* RFC 9849 6.2, GREASE: HKDF-SHA256, AES-128-GCM, a key and what is sealed with nothing in it */
static void hidden_hello(out *o)
{
    size_t sealed = 144 + 32 * (size_t)wspi_rng_below(&o->r, 4);

    put(o, 5, 0x00010001);
    put_random(o, 1);
    put(o, 2, RANDOM);
    put_random(o, RANDOM);
    put(o, 2, sealed);
    put_random(o, sealed);
}

/* RFC 5746 3.2: of a first handshake, empty */
static void renegotiation(out *o)
{
    put(o, 1, 0);
}

/* RFC 6066 8: OCSP, of nobody in particular */
static void status(out *o)
{
    put(o, 5, UINT64_C(1) << 32);
}

/* RFC 8879 3: Brotli */
static void compression(out *o)
{
    put(o, 3, 0x020002);
}

/* RFC 8449 4 */
static void record_limit(out *o)
{
    put(o, 2, 0x4001);
}

/* RFC 8446 4.2.8.1, 4.2.8.2: points of NIST's curves are uncompressed */
static void put_share(out *o)
{
    static const struct {
        uint16_t group, len;
    } keys[] = {{23, 65}, {24, 97}, {25, 133}, {30, 56}, {X25519, RANDOM}};
    size_t k = 0;

    while (keys[k].group != o->turn->group && keys[k].group != X25519)
        k++;
    put(o, 2, keys[k].group);
    put(o, 2, keys[k].len);
    if (keys[k].len % 2)
        put(o, 1, 4);
    put_random(o, keys[k].len & ~(size_t)1);
}

static void key_share(out *o)
{
    size_t list = open_length(o, 2);

    put_share(o);
    close_length(o, list, 2);
}

static void key_modes(out *o)
{
    put(o, 2, 0x0101);
}

static void versions(out *o)
{
    put(o, 3, 0x020304);
}

static void parameter(out *o, uint64_t id, uint64_t v)
{
    size_t at;

    put_varint(o, id);
    at = open_length(o, 1);
    put_varint(o, v);
    close_length(o, at, 1);
}

/* RFC 9000 18.2: idle time, datagram and flow limits; then what the client's id is. */
static void parameters(out *o)
{
    static const uint32_t idle[] = {30000, 60000, 120000}, udp[] = {1350, 1472, 1500, 65527},
                          data[] = {1 << 20, 10 << 20, 15 << 20, 24 << 20},
                          stream[] = {256 << 10, 1 << 20, 6 << 20, 12 << 20},
                          count[] = {3, 16, 100, 103};
    uint64_t window = one_of(o, stream, WSPI_COUNT(stream));

    parameter(o, 1, one_of(o, idle, WSPI_COUNT(idle)));
    parameter(o, 3, one_of(o, udp, WSPI_COUNT(udp)));
    parameter(o, 4, one_of(o, data, WSPI_COUNT(data)));
    for (uint64_t id = 5; id <= 7; id++)
        parameter(o, id, window);
    parameter(o, 8, one_of(o, count + 1, WSPI_COUNT(count) - 1));
    parameter(o, 9, one_of(o, count, WSPI_COUNT(count)));
    parameter(o, 14, 2 + wspi_rng_below(&o->r, 7));
    put_varint(o, 15);
    put_varint(o, o->turn->id_len);
    for (size_t i = 0; i < o->turn->id_len; i++)
        put(o, 1, o->turn->id[i]);
}

/* Bodies that a client's hello and a server's have; NULL: none, or it is empty. Hellos in QUIC that tokens do not tell of have the first ones. */
enum { QUIC_HAS = 8 };
static const struct extension {
    uint16_t type;
    void (*client)(out *o);
    void (*server)(out *o);
} extensions[] = {{0, server_name, NULL},
                  {10, groups, NULL},
                  {13, signatures, NULL},
                  {16, alpn, alpn},
                  {KEY_SHARE, key_share, put_share},
                  {45, key_modes, NULL},
                  {43, versions, NULL},
                  {PARAMETERS, parameters, NULL},
                  {11, point_formats, point_formats},
                  {65281, renegotiation, renegotiation},
                  {5, status, NULL},
                  {27, compression, NULL},
                  {28, record_limit, record_limit},
                  {15, heartbeat, heartbeat},
                  {17513, settings, NULL},
                  {65037, hidden_hello, NULL}};

/* The drafts' number of the transport parameters is another. */
static uint16_t type_of(const out *o, const struct extension *e)
{
    return e->type == PARAMETERS && o->turn->version >> 24 == DRAFT_FIRST ? PARAMETERS_DRAFT
                                                                          : e->type;
}

/* In any order, as browsers do. */
static void put_extensions(out *o)
{
    uint32_t order[QUIC_HAS];
    size_t all = open_length(o, 2);

    for (uint32_t i = 0; i < WSPI_COUNT(order); i++)
        order[i] = i;
    wspi_rng_shuffle(&o->r, order, WSPI_COUNT(order));
    for (size_t i = 0; i < WSPI_COUNT(order); i++) {
        const struct extension *e = &extensions[order[i]];
        size_t body;

        put(o, 2, type_of(o, e));
        body = open_length(o, 2);
        e->client(o);
        close_length(o, body, 2);
    }
    close_length(o, all, 2);
}

/* ---- hellos ---- */

/* No session id: QUIC has no middlebox to please (RFC 9001 8.4). */
static void start_hello(out *o)
{
    put(o, 2, 0x0303);
    put_random(o, RANDOM);
    put(o, 1, 0);
}

static void client_hello(out *o)
{
    static const uint16_t ciphers[] = {0x1301, 0x1302, 0x1303};
    size_t at;

    start_hello(o);
    at = open_length(o, 2);
    some_of(o, ciphers, WSPI_COUNT(ciphers), 1);
    close_length(o, at, 2);
    put(o, 2, 0x0100);
    put_extensions(o);
}

size_t wspi_quic_extension(uint8_t b[WSPI_QUIC_FRAMES], const wspi_quic_turn *turn, uint64_t type)
{
    out o = {.b = b, .turn = turn};

    wspi_rng_seed(&o.r, turn->seed + type * 4 + 2 + turn->server);
    for (size_t i = 0; i < WSPI_COUNT(extensions); i++) {
        void (*body)(out *) = turn->server ? extensions[i].server : extensions[i].client;
        if (body && type_of(&o, &extensions[i]) == type)
            body(&o);
    }
    return o.n;
}

static void server_hello(out *o)
{
    size_t all, body;

    start_hello(o);
    put(o, 2, 0x1301);
    put(o, 1, 0);
    all = open_length(o, 2);
    put(o, 6, 0x002b00020304);
    put(o, 2, KEY_SHARE);
    body = open_length(o, 2);
    put_share(o);
    close_length(o, body, 2);
    close_length(o, all, 2);
}

/* ---- frames ---- */

/* Of its first packet, whose number is 0, and after which it says no more that is acknowledged here. */
static void put_ack(out *o)
{
    put(o, 1, FRAME_ACK);
    put_varint(o, 0);
    put_varint(o, wspi_rng_below(&o->r, 500));
    put_varint(o, 0);
    put_varint(o, 0);
}

static void put_crypto(out *o)
{
    size_t frame, message;

    put(o, 1, FRAME_CRYPTO);
    put_varint(o, 0);
    frame = open_length(o, 2);
    put(o, 1, o->turn->server ? SERVER_HELLO : CLIENT_HELLO);
    message = open_length(o, 3);
    if (o->turn->server)
        server_hello(o);
    else
        client_hello(o);
    close_length(o, message, 3);
    close_length(o, frame, 2);
    o->b[frame - 2] |= 0x40; /* a varint of two bytes */
}

size_t wspi_quic_frames(uint8_t b[WSPI_QUIC_FRAMES], const wspi_quic_turn *turn)
{
    out o = {.b = b, .turn = turn};

    wspi_rng_seed(&o.r, turn->seed + turn->server);
    if (turn->heard)
        put_ack(&o);
    if (turn->first)
        put_crypto(&o);
    else if (!turn->heard)
        put(&o, 1, FRAME_PING);
    return o.n;
}
