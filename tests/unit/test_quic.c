/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_quic.c: Initial packets: keys, protection and its removal by the vectors of RFC 9001 A and RFC 9369 A; reading what is protected; samples, opened
 * again.
 */
#include "tests/unit/wire.h"
#include "token/app/quic_crypto.h"
#include "token/app/quic_hello.h"

static const uint8_t id[] = {0x83, 0x94, 0xc8, 0xf0, 0x3e, 0x51, 0x57, 0x08};

/* RFC 9001 A.2: header, CRYPTO frame, and the end of the packet, which 917 bytes of padding are before. */
static const char client_header[] =
    "\xc0\x00\x00\x00\x01\x08\x83\x94\xc8\xf0\x3e\x51\x57\x08\x00\x00"
    "\x44\x9e\x00\x00\x00\x02";
static const char client_frames[] = "\x06\x00\x40\xf1\x01\x00\x00\xed\x03\x03\xeb\xf8\xfa\x56\xf1"
                                    "\x29\x39\xb9\x58\x4a\x38\x96\x47\x2e"
                                    "\xc4\x0b\xb8\x63\xcf\xd3\xe8\x68\x04\xfe\x3a\x47\xf0\x6a\x2b"
                                    "\x69\x48\x4c\x00\x00\x04\x13\x01\x13"
                                    "\x02\x01\x00\x00\xc0\x00\x00\x00\x10\x00\x0e\x00\x00\x0b\x65"
                                    "\x78\x61\x6d\x70\x6c\x65\x2e\x63\x6f"
                                    "\x6d\xff\x01\x00\x01\x00\x00\x0a\x00\x08\x00\x06\x00\x1d\x00"
                                    "\x17\x00\x18\x00\x10\x00\x07\x00\x05"
                                    "\x04\x61\x6c\x70\x6e\x00\x05\x00\x05\x01\x00\x00\x00\x00\x00"
                                    "\x33\x00\x26\x00\x24\x00\x1d\x00\x20"
                                    "\x93\x70\xb2\xc9\xca\xa4\x7f\xba\xba\xf4\x55\x9f\xed\xba\x75"
                                    "\x3d\xe1\x71\xfa\x71\xf5\x0f\x1c\xe1"
                                    "\x5d\x43\xe9\x94\xec\x74\xd7\x48\x00\x2b\x00\x03\x02\x03\x04"
                                    "\x00\x0d\x00\x10\x00\x0e\x04\x03\x05"
                                    "\x03\x06\x03\x02\x03\x08\x04\x08\x05\x08\x06\x00\x2d\x00\x02"
                                    "\x01\x01\x00\x1c\x00\x02\x40\x01\x00"
                                    "\x39\x00\x32\x04\x08\xff\xff\xff\xff\xff\xff\xff\xff\x05\x04"
                                    "\x80\x00\xff\xff\x07\x04\x80\x00\xff"
                                    "\xff\x08\x01\x10\x01\x04\x80\x00\x75\x30\x09\x01\x10\x0f\x08"
                                    "\x83\x94\xc8\xf0\x3e\x51\x57\x08\x06"
                                    "\x04\x80\x00\xff\xff";
static const char client_begins[] =
    "\xc0\x00\x00\x00\x01\x08\x83\x94\xc8\xf0\x3e\x51\x57\x08\x00\x00\x44\x9e\x7b\x9a\xec\x34"
    "\xd1\xb1\xc9\x8d\xd7\x68\x9f\xb8\xec\x11\xd2\x42\xb1\x23\xdc\x9b";
static const char client_tag[] = "\xe2\x21\xaf\x44\x86\x00\x18\xab\x08\x56\x97\x2e\x19\x4c\xd9\x34";

/* RFC 9001 A.3: the server's answer, number 1. */
static const char server_packet[] = "\xcf\x00\x00\x00\x01\x00\x08\xf0\x67\xa5\x50\x2a\x42\x62\xb5"
                                    "\x00\x40\x75\xc0\xd9\x5a\x48\x2c\xd0"
                                    "\x99\x1c\xd2\x5b\x0a\xac\x40\x6a\x58\x16\xb6\x39\x41\x00\xf3"
                                    "\x7a\x1c\x69\x79\x75\x54\x78\x0b\xb3"
                                    "\x8c\xc5\xa9\x9f\x5e\xde\x4c\xf7\x3c\x3e\xc2\x49\x3a\x18\x39"
                                    "\xb3\xdb\xcb\xa3\xf6\xea\x46\xc5\xb7"
                                    "\x68\x4d\xf3\x54\x8e\x7d\xde\xb9\xc3\xbf\x9c\x73\xcc\x3f\x3b"
                                    "\xde\xd7\x4b\x56\x2b\xfb\x19\xfb\x84"
                                    "\x02\x2f\x8e\xf4\xcd\xd9\x37\x95\xd7\x7d\x06\xed\xbb\x7a\xaf"
                                    "\x2f\x58\x89\x18\x50\xab\xbd\xca\x3d"
                                    "\x20\x39\x8c\x27\x64\x56\xcb\xc4\x21\x58\x40\x7d\xd0\x74\xee";
static const char server_frames[] = "\x02\x00\x00\x00\x00\x06\x00\x40\x5a\x02\x00\x00\x56\x03\x03"
                                    "\xee\xfc\xe7\xf7\xb3\x7b\xa1\xd1\x63"
                                    "\x2e\x96\x67\x78\x25\xdd\xf7\x39\x88\xcf\xc7\x98\x25\xdf\x56"
                                    "\x6d\xc5\x43\x0b\x9a\x04\x5a\x12\x00"
                                    "\x13\x01\x00\x00\x2e\x00\x33\x00\x24\x00\x1d\x00\x20\x9d\x3c"
                                    "\x94\x0d\x89\x69\x0b\x84\xd0\x8a\x60"
                                    "\x99\x3c\x14\x4e\xca\x68\x4d\x10\x81\x28\x7c\x83\x4d\x53\x11"
                                    "\xbc\xf3\x2b\xb9\xda\x1a\x00\x2b\x00"
                                    "\x02\x03\x04";

enum { CLIENT_LEN = 1200, NUMBER = 18, ANSWER_LEN = sizeof server_packet - 1 };

static wspi_quic_keys keys_of(uint64_t version, bool server)
{
    wspi_quic_keys k;

    assert_true(wspi_quic_make_keys(&k, version, id, sizeof id, server));
    return k;
}

static void keys_are_those_of_the_standards(void **state)
{
    wspi_quic_keys k = keys_of(1, false);

    (void)state;
    assert_memory_equal(k.key, "\x1f\x36\x96\x13\xdd\x76\xd5\x46\x77\x30\xef\xcb\xe3\xb1\xa2\x2d",
                        16);
    assert_memory_equal(k.iv, "\xfa\x04\x4b\x2f\x42\xa3\xfd\x3b\x46\xfb\x25\x5c", 12);
    assert_memory_equal(k.hp, "\x9f\x50\x44\x9e\x04\xa0\xe8\x10\x28\x3a\x1e\x99\x33\xad\xed\xd2",
                        16);
    k = keys_of(1, true);
    assert_memory_equal(k.key, "\xcf\x3a\x53\x31\x65\x3c\x36\x4c\x88\xf0\xf3\x79\xb6\x06\x7e\x37",
                        16);
    assert_memory_equal(k.iv, "\x0a\xc1\x49\x3c\xa1\x90\x58\x53\xb0\xbb\xa0\x3e", 12);
    assert_memory_equal(k.hp, "\xc2\x06\xb8\xd9\xb9\xf0\xf3\x76\x44\x43\x0b\x49\x0e\xea\xa3\x14",
                        16);
    k = keys_of(0x6b3343cf, false);
    assert_memory_equal(k.key, "\x8b\x1a\x0b\xc1\x21\x28\x42\x90\xa2\x9e\x09\x71\xb5\xcd\x04\x5d",
                        16);
    assert_memory_equal(k.iv, "\x91\xf7\x3e\x23\x51\xd8\xfa\x91\x66\x0e\x90\x9f", 12);
    assert_memory_equal(k.hp, "\x45\xb9\x5e\x15\x23\x5d\x6f\x45\xa6\xb1\x9c\xbc\xb0\x29\x4b\xa9",
                        16);
    assert_false(wspi_quic_make_keys(&k, 0x51303433, id, sizeof id, false));
}

/* The packet of RFC 9001 A.2 before its protection. */
static wspi_quic_packet client_packet(uint8_t b[CLIENT_LEN])
{
    memset(b, 0, CLIENT_LEN);
    memcpy(b, client_header, sizeof client_header - 1);
    memcpy(b + sizeof client_header - 1, client_frames, sizeof client_frames - 1);
    return (wspi_quic_packet){
        .b = b, .len = CLIENT_LEN, .number_at = NUMBER, .number_len = 4, .number = 2};
}

static void the_clients_packet_of_the_standard_is_protected_and_opens(void **state)
{
    uint8_t b[CLIENT_LEN];
    wspi_quic_packet p = client_packet(b), back = {.b = b, .len = CLIENT_LEN, .number_at = NUMBER};
    wspi_quic_keys k = keys_of(1, false);

    (void)state;
    assert_true(wspi_quic_protect(&k, &p));
    assert_memory_equal(b, client_begins, sizeof client_begins - 1);
    assert_memory_equal(b + CLIENT_LEN - WSPI_QUIC_TAG, client_tag, WSPI_QUIC_TAG);
    assert_true(wspi_quic_open(&k, &back));
    assert_int_equal(back.number, 2);
    assert_int_equal(back.number_len, 4);
    assert_memory_equal(b + 1, client_header + 1, sizeof client_header - 2);
    assert_memory_equal(b + sizeof client_header - 1, client_frames, sizeof client_frames - 1);
}

static bool opens(const wspi_quic_keys *k, uint8_t *b, size_t len, wspi_quic_packet *p)
{
    *p = (wspi_quic_packet){.b = b, .len = len, .number_at = NUMBER};
    return wspi_quic_open(k, p);
}

static void the_servers_packet_of_the_standard_opens_and_is_protected_again(void **state)
{
    uint8_t b[ANSWER_LEN];
    wspi_quic_keys k = keys_of(1, true);
    wspi_quic_packet p;

    (void)state;
    memcpy(b, server_packet, sizeof b);
    assert_true(opens(&k, b, sizeof b, &p));
    assert_int_equal(p.number, 1);
    assert_int_equal(p.number_len, 2);
    assert_memory_equal(b + NUMBER + 2, server_frames, sizeof server_frames - 1);
    assert_true(wspi_quic_protect(&k, &p));
    assert_memory_equal(b, server_packet, sizeof b);
}

static void no_prefix_opens_and_none_with_a_bit_changed(void **state)
{
    uint8_t b[ANSWER_LEN];
    wspi_quic_keys k = keys_of(1, true), other = keys_of(1, false);
    wspi_quic_packet p;

    (void)state;
    for (size_t n = 0; n < sizeof b; n++) {
        memcpy(b, server_packet, sizeof b);
        assert_false(opens(&k, b, n, &p));
    }
    for (size_t bit = 0; bit < 8 * sizeof b; bit++) {
        memcpy(b, server_packet, sizeof b);
        b[bit / 8] = (uint8_t)(b[bit / 8] ^ 1 << bit % 8);
        assert_false(opens(&k, b, sizeof b, &p));
    }
    memcpy(b, server_packet, sizeof b);
    assert_false(opens(&other, b, sizeof b, &p));
}

static void packets_too_short_for_a_mask_are_not_protected(void **state)
{
    uint8_t b[CLIENT_LEN];
    wspi_quic_packet p = client_packet(b);
    wspi_quic_keys k = keys_of(1, false);

    (void)state;
    p.len = NUMBER + 4 + 15;
    assert_false(wspi_quic_protect(&k, &p));
    p.len = NUMBER + 4 + 16;
    assert_true(wspi_quic_protect(&k, &p));
}

/* ---- reading ---- */

/* A client's first packet with these frames, and zeros behind them up to `pad` bytes of frames. */
static wire_message protected(uint8_t b[ROOM], const void *frames, size_t n, size_t pad)
{
    size_t len = 4 + WSPI_MAX(n, pad) + WSPI_QUIC_TAG;
    wspi_quic_packet p = {.b = b, .number_at = NUMBER, .number_len = 4, .number = 2};
    wspi_quic_keys k = keys_of(1, false);

    p.len = NUMBER + len;
    assert_true(p.len <= ROOM);
    memset(b, 0, ROOM);
    memcpy(b, client_header, NUMBER);
    put16(b + 16, 0x4000 | len);
    memcpy(b + NUMBER + 4, frames, n);
    assert_true(wspi_quic_protect(&k, &p));
    return (wire_message){(const char *)b, p.len, true, 0, {0}};
}

static void carry_frames(wire *w, const void *frames, size_t n, size_t pad)
{
    uint8_t b[ROOM];
    wire_message m = protected(b, frames, n, pad);

    wire_again(w);
    put_message(w, &m, m.bytes, m.len);
}

static void hellos_come_back_whole_cut_and_damaged(void **state)
{
    uint8_t b[ROOM];
    wire_message m[2] = {protected(b, client_frames, sizeof client_frames - 1, 280),
                         {BYTES(server_packet), true, 1, {0}}};
    static const char *const names[2][6] = {{"quic.frame=client-hello", "tls.cipher=AES128-GCM",
                                             "tls.ext=alpn", "tls.group=x25519",
                                             "tls.ext=quic-parameters", "quic.frame=padding"},
                                            {"quic.frame=ack", "quic.frame=server-hello",
                                             "tls.cipher=AES128-GCM", "tls.ext=key-share"}};

    (void)state;
    for (int i = 0; i < 2; i++)
        memcpy(m[i].names, names[i], sizeof names[i]);
    all_come_back(m, 2);
}

/* Names, randoms, keys and ids of the hello are in no token. */
static void host_names_are_in_no_token(void **state)
{
    static const size_t hidden[][2] = {{10, 32}, {62, 11}, {120, 32}};
    char other[sizeof client_frames], first[sizeof((wire *)0)->names];
    wire w;

    (void)state;
    wire_open(&w);
    carry_frames(&w, client_frames, sizeof client_frames - 1, 0);
    memcpy(first, w.names, sizeof first);
    assert_named(&w, "quic.frame=client-hello");
    for (size_t i = 0; i < WSPI_COUNT(hidden); i++) {
        memcpy(other, client_frames, sizeof other);
        for (size_t k = 0; k < hidden[i][1]; k++)
            other[hidden[i][0] + k] = (char)(other[hidden[i][0] + k] ^ 0x15);
        carry_frames(&w, other, sizeof client_frames - 1, 0);
        assert_string_equal(w.names, first);
    }
    wire_close(&w);
}

/* Every frame that is read; some that are not, and what does not fit. */
static const struct {
    const char *bytes;
    size_t len;
    const char *name; /* of a token, or NULL: sealed */
} plain[] = {
    {BYTES("\x01\x01\x01"), "quic.frame=ping"},
    {BYTES("\x02\x05\x40\x64\x01\x00\x02\x03"), "quic.frame=ack"},
    {BYTES("\x03\x05\x40\x64\x00\x00\x01\x02\x03"), "quic.frame=ack-ecn"},
    {BYTES("\x06\x40\x64\x04"
           "abcd"),
     "quic.frame=crypto"},
    {BYTES("\x06\x00\x40\x08\x01\x00\x00\x01"
           "abcd"),
     "quic.frame=crypto"},
    {BYTES("\x1c\x0a\x06\x03why"), "quic.frame=close"},
    {BYTES("\x00\x00\x01\x00\x00"), "quic.frame=padding"},
    {BYTES("\x02\x05\x00\x80\xff\xff\xff\x00\x00\x00"), NULL},
    {BYTES("\x06\x00\x7f\xff"
           "abcd"),
     NULL},
    {BYTES("\x06\x00\xff\xff\xff\xff\xff\xff\xff\xff"), NULL},
    {BYTES("\x30"
           "datagram"),
     NULL},
    {BYTES("\x01\x01\x01\x01\xc0"), NULL},
};

static void frames_come_back(void **state)
{
    wire w;

    (void)state;
    wire_open(&w);
    for (size_t i = 0; i < WSPI_COUNT(plain); i++) {
        carry_frames(&w, plain[i].bytes, plain[i].len, 0);
        assert_named(&w, "quic.type=initial");
        if (plain[i].name)
            assert_named(&w, plain[i].name);
        else
            assert_null(strstr(w.names, "quic.frame"));
        carry_frames(&w, plain[i].bytes, plain[i].len, 100);
    }
    wire_close(&w);
}

static void every_prefix_and_flipped_bit_of_frames_comes_back(void **state)
{
    char b[sizeof client_frames];
    wire w;

    (void)state;
    wire_open(&w);
    for (size_t n = 1; n < sizeof client_frames; n++)
        carry_frames(&w, client_frames, n, n % 2 ? 0 : 300);
    for (size_t bit = 0; bit < 8 * (sizeof client_frames - 1); bit++) {
        memcpy(b, client_frames, sizeof b);
        b[bit / 8] = (char)(b[bit / 8] ^ 1 << bit % 8);
        carry_frames(&w, b, sizeof b - 1, 260);
    }
    for (size_t i = 0; i < WSPI_COUNT(plain); i++)
        for (size_t bit = 0; bit < 8 * plain[i].len; bit++) {
            memcpy(b, plain[i].bytes, plain[i].len);
            b[bit / 8] = (char)(b[bit / 8] ^ 1 << bit % 8);
            carry_frames(&w, b, plain[i].len, bit % 2 ? 0 : 40);
        }
    wire_close(&w);
}

/* Reserved bits of the first byte are protected with the rest, and come back. */
static void reserved_bits_come_back(void **state)
{
    uint8_t b[CLIENT_LEN];
    wspi_quic_packet p = client_packet(b);
    wspi_quic_keys k = keys_of(1, false);
    wire_message m = {(const char *)b, CLIENT_LEN, true, 0, {0}};
    wire w;

    (void)state;
    b[0] |= 0x0c;
    assert_true(wspi_quic_protect(&k, &p));
    wire_open(&w);
    put_message(&w, &m, m.bytes, m.len);
    assert_named(&w, "quic.frame=client-hello");
    wire_close(&w);
}

/* Q046 has the lengths of its ids in one byte, which is no length of one id. */
static void headers_of_other_forms_come_back(void **state)
{
    static const wire_message m = {BYTES("\xc0Q046\xff"
                                         "destination 18 byt"
                                         "source id 18 bytes"
                                         "packet"),
                                   true,
                                   0,
                                   {"quic.version=Q046"}};
    static const wire_message brief = {BYTES("\xc0Q046\x50"
                                             "8 bytes."),
                                       true,
                                       0,
                                       {"app=quic"}};

    (void)state;
    all_come_back(&m, 1);
    all_come_back(&brief, 1);
}

/* Two Initials in a datagram, a cut one, and what is behind them. */
static void coalesced_initials_come_back(void **state)
{
    uint8_t b[ROOM], one[ROOM];
    wire_message m = protected(one, client_frames, sizeof client_frames - 1, 0), all;
    wire w;

    (void)state;
    memcpy(b, one, m.len);
    memcpy(b + m.len, one, m.len);
    memcpy(b + 2 * m.len,
           "\x41"
           "short header",
           13);
    all = (wire_message){(const char *)b, 2 * m.len + 13, true, 0, {0}};
    wire_open(&w);
    for (size_t cut = 0; cut <= all.len; cut++) {
        wire_again(&w);
        put_message(&w, &all, all.bytes, cut);
    }
    assert_named(&w, "quic.type=short");
    wire_close(&w);
}

/* ---- samples ---- */

static void what_samples_say_has_room(void **state)
{
    uint8_t b[WSPI_QUIC_FRAMES], long_id[20] = {0};
    wspi_quic_turn t = {.version = 1, .first = true, .heard = true, .id = long_id, .id_len = 20};

    (void)state;
    for (t.seed = 0; t.seed < 20000; t.seed++)
        assert_true(wspi_quic_frames(b, &t) < sizeof b);
}

/* The payload of the sampled packet that the wire has read last. */
static uint8_t *payload(const wire *w, size_t *n, uint8_t copy[ROOM])
{
    *n = w->packet->payload_len;
    assert_true(*n <= ROOM);
    memcpy(copy, w->packet->data + w->packet->payload_off, *n);
    return copy;
}

/* The Initial that a sampled payload begins with opens; its frames. */
static uint8_t *open_sample(const wspi_quic_keys *k, uint8_t *b, size_t n, wspi_quic_packet *p)
{
    size_t at = 6 + (size_t)b[5];

    assert_true(at < n);
    at += 1 + (size_t)b[at]; /* no token: one byte of zero, two of length */
    assert_true(at + 3 < n);
    assert_int_equal(b[at], 0);
    *p = (wspi_quic_packet){.b = b, .number_at = at + 3};
    p->len = at + 3 + ((size_t)(b[at + 1] & 0x3f) << 8 | b[at + 2]);
    assert_true(p->len <= n);
    assert_true(wspi_quic_open(k, p));
    return b + p->number_at + p->number_len;
}

static const char *const opens_with[] = {"c2s first",
                                         "c2s gap=0",
                                         "stack=eth/ipv4/udp",
                                         "udp.sport=dynamic",
                                         "udp.dport=443",
                                         "len=1216..1279",
                                         "app=quic",
                                         "quic.type=initial",
                                         "quic.version=1",
                                         "quic.dcidlen=8",
                                         "quic.scidlen=5",
                                         "ipv4.ihl=yes",
                                         NULL};
static const char *const answers[] = {"s2c first",
                                      "s2c gap=0",
                                      "stack=eth/ipv4/udp",
                                      "udp.sport=443",
                                      "udp.dport=dynamic",
                                      "len=1216..1279",
                                      "app=quic",
                                      "quic.type=initial",
                                      "quic.scidlen=8",
                                      "quic.frame=ack",
                                      NULL};

static void begin(wire *w, wsp_filler *fill, uint64_t flow)
{
    *fill = (wsp_filler){.seed = flow,
                         .start_ns = 1,
                         .client.mac = {2, 1},
                         .server.mac = {2, 2},
                         .client.ip = {10, 0, 0, 1},
                         .server.ip = {10, 0, 0, 2},
                         .client_port = (uint16_t)(50000 + flow)};
    wire_again(w);
}

static void sampled_connections_begin_with_hellos_that_open(void **state)
{
    uint8_t copy[ROOM], answer[ROOM], *b, *frames;
    wspi_quic_keys client, server;
    wspi_quic_packet p;
    wsp_filler fill;
    wspi_rng r;
    size_t n;
    wire w;

    (void)state;
    wspi_rng_seed(&r, 7);
    wire_open(&w);
    for (uint64_t flow = 0; flow < 40; flow++) {
        begin(&w, &fill, flow);
        sample(&w, &fill, opens_with, 0, WSPI_APP_QUIC, &r);
        b = payload(&w, &n, copy);
        assert_true(n >= 1200);
        assert_true(wspi_quic_make_keys(&client, 1, b + 6, b[5], false));
        assert_true(wspi_quic_make_keys(&server, 1, b + 6, b[5], true));
        frames = open_sample(&client, b, n, &p);
        assert_int_equal(p.len, n);
        assert_int_equal(p.number, 0);
        assert_memory_equal(frames, "\x06\x00", 2);
        assert_int_equal(frames[4], 1); /* client hello */
        sample(&w, &fill, answers, 1, WSPI_APP_QUIC, &r);
        (void)payload(&w, &n, answer);
        frames = open_sample(&server, answer, n, &p);
        assert_memory_equal(frames, "\x02\x00", 2);
        assert_non_null(memmem(frames, 64, "\x06\x00\x40\x5a\x02", 5)); /* server hello */
        assert_memory_equal(answer + 5, b + 6 + b[5],
                            1 + (size_t)b[6 + b[5]]); /* to the client's id */
    }
    wire_close(&w);
}

/* RFC 9000 14.1: whatever lengths are drawn, another packet follows up to 1200 bytes. */
static void datagrams_with_initials_are_full(void **state)
{
    static const char *const goes_on[] = {"c2s gap=0",
                                          "len=1216..1279",
                                          "app=quic",
                                          "quic.type=initial",
                                          "quic.length=32..39",
                                          "quic.length=512..639",
                                          "quic.type=handshake",
                                          NULL};
    static const char *const answers_briefly[] = {"s2c first",
                                                  "s2c gap=0",
                                                  "stack=eth/ipv4/udp",
                                                  "udp.sport=443",
                                                  "udp.dport=dynamic",
                                                  "len=1216..1279",
                                                  "app=quic",
                                                  "quic.type=initial",
                                                  "quic.scidlen=8",
                                                  "quic.length=256..319",
                                                  NULL};
    unsigned shorter = 0;
    wsp_filler fill;
    wspi_rng r;
    wire w;

    (void)state;
    wspi_rng_seed(&r, 8);
    wire_open(&w);
    for (uint64_t flow = 0; flow < 40; flow++) {
        begin(&w, &fill, flow);
        sample(&w, &fill, opens_with, 0, WSPI_APP_QUIC, &r);
        sample(&w, &fill, answers_briefly, 1, WSPI_APP_QUIC, &r);
        assert_true(w.packet->payload_len >= 1200);
        for (int k = 0; k < 3; k++) {
            sample(&w, &fill, goes_on, 0, WSPI_APP_QUIC, &r);
            assert_true(w.packet->payload_len >= 1200);
            shorter += strstr(w.drawn, "quic.type=handshake") != NULL;
        }
    }
    assert_true(shorter > 20);
    wire_close(&w);
}

static void sampled_quic_is_quic(void **state)
{
    static const char *const asks_for[] = {
        "c2s first",      "c2s gap=0", "stack=eth/ipv4/udp", "udp.sport=dynamic", "udp.dport=443",
        "len=1216..1279", NULL};
    static const char *const answers_with[] = {
        "s2c first",      "s2c gap=0", "stack=eth/ipv4/udp", "udp.sport=443", "udp.dport=dynamic",
        "len=1216..1279", NULL};

    (void)state;
    sample_flows(asks_for, answers_with, WSPI_APP_QUIC);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keys_are_those_of_the_standards),
        cmocka_unit_test(the_clients_packet_of_the_standard_is_protected_and_opens),
        cmocka_unit_test(the_servers_packet_of_the_standard_opens_and_is_protected_again),
        cmocka_unit_test(no_prefix_opens_and_none_with_a_bit_changed),
        cmocka_unit_test(packets_too_short_for_a_mask_are_not_protected),
        cmocka_unit_test(hellos_come_back_whole_cut_and_damaged),
        cmocka_unit_test(host_names_are_in_no_token),
        cmocka_unit_test(frames_come_back),
        cmocka_unit_test(every_prefix_and_flipped_bit_of_frames_comes_back),
        cmocka_unit_test(reserved_bits_come_back),
        cmocka_unit_test(headers_of_other_forms_come_back),
        cmocka_unit_test(coalesced_initials_come_back),
        cmocka_unit_test(what_samples_say_has_room),
        cmocka_unit_test(sampled_connections_begin_with_hellos_that_open),
        cmocka_unit_test(datagrams_with_initials_are_full),
        cmocka_unit_test(sampled_quic_is_quic),
    };

    (void)wsp_vocab_size();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
