/* SPDX-License-Identifier: Apache-2.0 */
/* test_stun.c: STUN messages, those of RFC 5769 among them: round trips, tokens, what stays hidden, samples. */
#include "tests/unit/wire.h"

/* RFC 5769 2.1 to 2.3: all have fingerprints that are right. */
#define REQUEST                                                                                    \
    "\x00\x01\x00\x58\x21\x12\xa4\x42\xb7\xe7\xa7\x01\xbc\x34\xd6\x86\xfa\x87\xdf\xae"             \
    "\x80\x22\x00\x10STUN test client\x00\x24\x00\x04\x6e\x00\x01\xff"                             \
    "\x80\x29\x00\x08\x93\x2f\xf9\xb1\x51\x26\x3b\x36\x00\x06\x00\x09"                             \
    "evtj:h6vY   \x00\x08\x00\x14\x9a\xea\xa7\x0c\xbf\xd8\xcb\x56\x78\x1e\xf2\xb5\xb2\xd3\xf2\x49" \
    "\xc1\xb5\x71\xa2\x80\x28\x00\x04\xe5\x7a\x3b\xcf"
#define ANSWER                                                                                     \
    "\x01\x01\x00\x3c\x21\x12\xa4\x42\xb7\xe7\xa7\x01\xbc\x34\xd6\x86\xfa\x87\xdf\xae"             \
    "\x80\x22\x00\x0btest vector \x00\x20\x00\x08\x00\x01\xa1\x47\xe1\x12\xa6\x43"                 \
    "\x00\x08\x00\x14\x2b\x91\xf5\x99\xfd\x9e\x90\xc3\x8c\x74\x89\xf9\x2a\xf9\xba\x53\xf0\x6b\xe7" \
    "\xd7\x80\x28\x00\x04\xc0\x7d\x4c\x96"
#define ANSWER6                                                                                    \
    "\x01\x01\x00\x48\x21\x12\xa4\x42\xb7\xe7\xa7\x01\xbc\x34\xd6\x86\xfa\x87\xdf\xae"             \
    "\x80\x22\x00\x0btest vector \x00\x20\x00\x14\x00\x02\xa1\x47"                                 \
    "\x01\x13\xa9\xfa\xa5\xd3\xf1\x79\xbc\x25\xf4\xb5\xbe\xd2\xb9\xd9"                             \
    "\x00\x08\x00\x14\xa3\x82\x95\x4e\x4b\xe6\x7b\xf1\x17\x84\xc9\x7c\x82\x92\xc2\x75\xbf\xe3\xed" \
    "\x41\x80\x28\x00\x04\xc8\xfb\x0b\x4c"
/* What is not of the message, then. */
#define ID "\x21\x12\xa4\x42\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0a\x0b\x0c"

static const wire_message ice[] = {
    {BYTES(REQUEST),
     true,
     0,
     {"app=stun", "stun.type=binding-request", "stun.attribute=software", "stun.software=16..23",
      "stun.preference=peer-reflexive", "stun.attribute=ice-controlled", "stun.username=8..11",
      "stun.padding=changed"}},
    {BYTES(ANSWER),
     true,
     1,
     {"stun.type=binding-success", "stun.attribute=xor-mapped-address",
      "stun.attribute=message-integrity", "stun.attribute=fingerprint"}},
    {BYTES(ANSWER6), true, 1, {"stun.family=ipv6"}},
    {BYTES(ANSWER), true, 1, {"stun.type=binding-success"}},
};

static const wire_message turn[] = {
    {BYTES("\x00\x03\x00\x10" ID "\x00\x19\x00\x04\x11\x00\x00\x00\x00\x0d\x00\x04\x00\x00\x0e"
           "\x10"),
     true,
     0,
     {"stun.type=allocate-request", "stun.attribute=requested-transport",
      "stun.number=3072..4095"}},
    {BYTES("\x01\x13\x00\x30" ID "\x00\x09\x00\x10\x00\x00\x04\x01Unauthorized\x00\x14\x00\x09"
           "a.example\x00\x00\x00\x00\x15\x00\x06nonce1\x00\x00"),
     true,
     1,
     {"stun.type=allocate-error", "stun.error=401", "stun.realm=8..11", "stun.length=6"}},
    /* data, as long as what is left; then shorter, and a tail of zeros */
    {BYTES("\x00\x16\x00\x14" ID "\x00\x12\x00\x08\x00\x01\xa1\x47\xe1\x12\xa6\x43\x00\x13\x00\x04"
           "data"),
     true,
     0,
     {"stun.type=send-indication", "stun.attribute=xor-peer-address", "stun.attribute=data"}},
    {BYTES("\x00\x17\x00\x10" ID "\x00\x13\x00\x03"
           "dat\x00\x00\x00\x00\x00\x00\x00\x00\x00"
           "behind"),
     true,
     1,
     {"stun.type=data-indication", "stun.length=3", "stun.tail=8..11", "payload=text"}},
};

/* RFC 3489, as Zoom has it. */
static const wire_message classic[] = {
    {BYTES("\x00\x01\x00\x08"
           "0123456789abcdef\x00\x03\x00\x04\x00\x00\x00\x06"),
     true,
     0,
     {"app=stun", "stun.cookie=changed", "stun.attribute=change-request", "stun.number=6..7"}},
    {BYTES("\x01\x01\x00\x0c"
           "0123456789abcdef\x00\x01\x00\x08\x00\x01\xc3\x50\x0a\x00\x00\x01"),
     true,
     1,
     {"stun.type=binding-success", "stun.attribute=mapped-address"}},
};

static void ice_messages_come_back_whole_cut_and_damaged(void **state)
{
    (void)state;
    all_come_back(ice, WSPI_COUNT(ice));
}

static void turn_messages_come_back_whole_cut_and_damaged(void **state)
{
    (void)state;
    all_come_back(turn, WSPI_COUNT(turn));
}

static void messages_without_a_cookie_come_back_whole_cut_and_damaged(void **state)
{
    (void)state;
    all_come_back(classic, WSPI_COUNT(classic));
}

/* An id of the answer that is the request's, a name and an address as before, a fingerprint that is right. */
static void what_is_as_predicted_is_not_told(void **state)
{
    char wrong[] = ANSWER;
    wire w;

    (void)state;
    wire_open(&w);
    put_message(&w, &ice[0], REQUEST, ice[0].len);
    assert_null(strstr(w.names, "stun.fingerprint"));
    put_message(&w, &ice[1], ANSWER, ice[1].len);
    assert_named(&w, "stun.software=8..11");
    assert_null(strstr(w.names, "stun.id"));
    assert_null(strstr(w.names, "stun.length"));
    put_message(&w, &ice[1], ANSWER, ice[1].len);
    assert_null(strstr(w.names, "stun.software"));
    assert_null(strstr(w.names, "stun.address"));
    assert_null(strstr(w.names, "text="));
    assert_null(strstr(w.names, "stun.fingerprint"));
    wrong[sizeof wrong - 2] ^= 1;
    put_message(&w, &ice[1], wrong, ice[1].len);
    assert_named(&w, "stun.fingerprint=changed");
    put_message(&w, &classic[0], classic[0].bytes, classic[0].len);
    put_message(&w, &classic[1], classic[1].bytes, classic[1].len);
    assert_null(strstr(w.names, "stun.cookie"));
    assert_null(strstr(w.names, "stun.id"));
    wire_close(&w);
}

/* The tokens of `first`, with a fingerprint that is wrong, when n bytes at `at` have other values. */
static void same_names(const char *message, size_t len, int dir, size_t at, size_t n)
{
    wire_message m = {message, len, true, dir, {0}};
    char other[256], first[sizeof((wire *)0)->names];
    wire w;

    wire_open(&w);
    memcpy(other, message, len);
    other[len - 1] ^= 1;
    put_message(&w, &m, other, len);
    memcpy(first, w.names, sizeof first);
    for (size_t i = 0; i < n; i++)
        other[at + i] = (char)(other[at + i] ^ 0x5a);
    wire_again(&w);
    put_message(&w, &m, other, len);
    assert_string_equal(w.names, first);
    wire_close(&w);
}

static void ids_addresses_users_and_keys_are_in_no_token(void **state)
{
    (void)state;
    same_names(REQUEST, sizeof REQUEST - 1, 0, 8, 12);  /* id */
    same_names(REQUEST, sizeof REQUEST - 1, 0, 52, 8);  /* tie breaker */
    same_names(REQUEST, sizeof REQUEST - 1, 0, 64, 9);  /* user */
    same_names(REQUEST, sizeof REQUEST - 1, 0, 80, 20); /* integrity */
    same_names(ANSWER, sizeof ANSWER - 1, 1, 42, 6);    /* port and address */
    same_names(ANSWER6, sizeof ANSWER6 - 1, 1, 42, 18);
}

static const char *const asks_for[] = {
    "c2s first", "c2s gap=0", "stack=eth/ipv4/udp", "udp.sport=dynamic", "udp.dport=3478",
    "len=28",    NULL};
static const char *const answers_with[] = {
    "s2c first",  "s2c gap=0", "stack=eth/ipv4/udp", "udp.sport=3478", "udp.dport=dynamic",
    "len=80..83", NULL};

static void sampled_stun_is_stun(void **state)
{
    (void)state;
    sample_flows(asks_for, answers_with, WSPI_APP_STUN);
}

/* Attributes that a type of message has to have: RFC 8489 6.3, RFC 8656 7 to 12. */
static const struct {
    uint16_t type, attribute;
} needed[] = {{0x0103, 0x0020}, {0x0103, 0x0016}, {0x0103, 0x000d}, {0x0111, 0x0009},
              {0x0113, 0x0009}, {0x0114, 0x0009}, {0x0118, 0x0009}, {0x0119, 0x0009},
              {0x0003, 0x0019}, {0x0008, 0x0012}, {0x0009, 0x0012}, {0x0009, 0x000c}};

static bool has_attribute(const uint8_t *b, size_t n, unsigned type)
{
    for (size_t at = 20; at < n; at += 4 + ((size_t)(b[at + 2] << 8 | b[at + 3]) + 3) / 4 * 4)
        if ((unsigned)(b[at] << 8 | b[at + 1]) == type)
            return true;
    return false;
}

/* Attributes fill the message, the fingerprint is the last one, and only that follows a signature. */
static void assert_is_message(const uint8_t *b, size_t n, uint16_t asked)
{
    uint16_t type = (uint16_t)(b[0] << 8 | b[1]);
    size_t at = 20;
    unsigned is = 0;

    assert_int_equal(b[2] << 8 | b[3], n - 20);
    while (at < n) {
        assert_true(n - at >= 4 && is != 0x8028);
        assert_true(is != 0x0008 || (b[at] << 8 | b[at + 1]) == 0x8028);
        is = (unsigned)(b[at] << 8 | b[at + 1]);
        at += 4 + ((size_t)(b[at + 2] << 8 | b[at + 3]) + 3) / 4 * 4;
    }
    assert_int_equal(at, n);
    for (size_t k = 0; k < WSPI_COUNT(needed); k++)
        assert_true(needed[k].type != type || has_attribute(b, n, needed[k].attribute));
    if (type == 0x0101)
        assert_true(has_attribute(b, n, 0x0020) || has_attribute(b, n, 0x0001));
    assert_false(has_attribute(b, n, 0x8029) && has_attribute(b, n, 0x802a));
    if (type & 0x100)
        assert_int_equal(type & ~0x110, asked);
}

static void sampled_messages_have_what_their_type_needs_and_are_read_as_drawn(void **state)
{
    wspi_rng r;
    wire w;

    (void)state;
    wspi_rng_seed(&r, 15);
    wire_open(&w);
    w.exact = true;
    for (uint64_t flow = 0; flow < 200; flow++) {
        wsp_filler fill = filler_of(flow);
        uint16_t asked = 0;
        wire_again(&w);
        for (int k = 0; k < 6; k++) {
            sample(&w, &fill, k % 2 ? answers_with : asks_for, k % 2, WSPI_APP_STUN, &r);
            const uint8_t *b = w.packet->data + HEADERS_UDP;
            assert_is_message(b, w.packet->payload_len, asked);
            asked = (uint16_t)(b[0] << 8 | b[1]);
        }
    }
    wire_close(&w);
}

/* What samples may have, each with the type of its message and of the one before. */
static void sampled_messages_may_have_what_recorded_ones_have(void **state)
{
    static const char *const check[] = {"c2s first",
                                        "c2s gap=0",
                                        "stack=eth/ipv4/udp",
                                        "udp.sport=dynamic",
                                        "udp.dport=3478",
                                        "len=28",
                                        "stun.type=binding-request",
                                        "stun.attribute=username",
                                        "stun.attribute=ice-controlling",
                                        "stun.attribute=priority",
                                        "stun.preference=peer-reflexive",
                                        NULL};
    static const char *const relay[] = {"c2s first",
                                        "c2s gap=0",
                                        "stack=eth/ipv4/udp",
                                        "udp.sport=dynamic",
                                        "udp.dport=3478",
                                        "len=28",
                                        "stun.type=allocate-request",
                                        "stun.attribute=realm",
                                        "stun.attribute=nonce",
                                        "stun.length=16..19",
                                        NULL};
    static const char *const refuses[] = {"s2c first",
                                          "s2c gap=0",
                                          "stack=eth/ipv4/udp",
                                          "udp.sport=3478",
                                          "udp.dport=dynamic",
                                          "len=48..49",
                                          "stun.type=allocate-error",
                                          "stun.error=401",
                                          NULL};
    static const char *const grants[] = {"s2c first",
                                         "s2c gap=0",
                                         "stack=eth/ipv4/udp",
                                         "udp.sport=3478",
                                         "udp.dport=dynamic",
                                         "len=48..49",
                                         "stun.type=allocate-success",
                                         "stun.number=48..63",
                                         NULL};
    static const char *const tells[] = {"s2c first",
                                        "s2c gap=0",
                                        "stack=eth/ipv4/udp",
                                        "udp.sport=3478",
                                        "udp.dport=dynamic",
                                        "len=48..49",
                                        "stun.type=binding-success",
                                        "stun.attribute=mapped-address",
                                        "stun.attribute=response-origin",
                                        "stun.attribute=other-address",
                                        NULL};

    (void)state;
    for (size_t k = 6; check[k]; k++)
        sample_has(check, tells, WSPI_APP_STUN, check[k],
                   k - 6 < 4 ? tells[k] : "stun.type=binding-success");
    for (size_t k = 6; relay[k]; k++) {
        sample_has(relay, refuses, WSPI_APP_STUN, relay[k], "stun.error=401");
        sample_has(relay, grants, WSPI_APP_STUN, relay[k], "stun.attribute=xor-relayed-address");
    }
}

/* Where no connectivity is checked, and at a relay always, a server waits for a question; elsewhere it asks, and does not answer again. */
static void a_question_is_answered_once(void **state)
{
    static const char *const checks[] = {"c2s first",
                                         "c2s gap=0",
                                         "stack=eth/ipv4/udp",
                                         "udp.sport=dynamic",
                                         "udp.dport=dynamic",
                                         "app=stun",
                                         "len=28",
                                         "stun.type=binding-request",
                                         "stun.attribute=priority",
                                         "stun.preference=peer-reflexive",
                                         NULL};
    static const char *const replies[] = {"s2c first",
                                          "s2c gap=0",
                                          "stack=eth/ipv4/udp",
                                          "udp.sport=dynamic",
                                          "udp.dport=dynamic",
                                          "app=stun",
                                          "len=28",
                                          "stun.type=binding-success",
                                          NULL};
    wspi_rng r;
    wire w;

    (void)state;
    wspi_rng_seed(&r, 16);
    wire_open(&w);
    for (uint64_t flow = 0; flow < 20; flow++) {
        wsp_filler fill = filler_of(flow);
        wire_again(&w);
        sample(&w, &fill, asks_for, 0, WSPI_APP_STUN, &r);
        sample(&w, &fill, answers_with, 1, WSPI_APP_STUN, &r);
        if (w.enc->app.v[1][0] & 0x100)
            assert_false(may_speak(&w, &fill, 1));
        wire_again(&w);
        sample(&w, &fill, checks, 0, WSPI_APP_STUN, &r);
        sample(&w, &fill, replies, 1, WSPI_APP_STUN, &r);
        assert_named(&w, "stun.type=binding-success");
        assert_true(may_speak(&w, &fill, 1));
        sample(&w, &fill, replies, 1, WSPI_APP_STUN, &r);
        assert_null(strstr(w.names, "stun.type=binding-success"));
    }
    wire_close(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ice_messages_come_back_whole_cut_and_damaged),
        cmocka_unit_test(turn_messages_come_back_whole_cut_and_damaged),
        cmocka_unit_test(messages_without_a_cookie_come_back_whole_cut_and_damaged),
        cmocka_unit_test(what_is_as_predicted_is_not_told),
        cmocka_unit_test(ids_addresses_users_and_keys_are_in_no_token),
        cmocka_unit_test(sampled_stun_is_stun),
        cmocka_unit_test(sampled_messages_have_what_their_type_needs_and_are_read_as_drawn),
        cmocka_unit_test(sampled_messages_may_have_what_recorded_ones_have),
        cmocka_unit_test(a_question_is_answered_once),
    };

    (void)wsp_vocab_size();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
