/* SPDX-License-Identifier: Apache-2.0 */
/* test_coap.c: CoAP messages, those of RFC 7252 A among them: round trips, tokens, what stays hidden, samples. */
#include "tests/unit/wire.h"

/* RFC 7252 A, figures 16 and 17. */
#define GET     "\x40\x01\x7d\x34\xbbtemperature"
#define CONTENT "\x60\x45\x7d\x34\xff\x32\x32\x2e\x33\x20\x43"

static const wire_message plain[] = {
    {BYTES(GET),
     true,
     0,
     {"app=coap", "coap.type=con", "coap.code=get", "coap.token_length=0", "coap.option=uri-path",
      "coap.path=8..11"}},
    {BYTES(CONTENT), true, 1, {"coap.type=ack", "coap.code=content", "coap.option=payload"}},
};

/* Observing with a token; extended numbers and lengths; a number of more bytes than it needs; an empty message. */
static const wire_message more[] = {
    {BYTES("\x44\x01\x00\x01tokn\x37"
           "example\x30\x10\x47sensors\x0b"
           "temperature\x41\x50\xd1\xe6\x1a"),
     true,
     0,
     {"coap.token_length=4", "coap.option=uri-host", "coap.host=4..7", "coap.option=observe",
      "coap.option=uri-path", "coap.option=uri-query", "coap.option=no-response"}},
    {BYTES("\x64\x45\x00\x01tokn\x61\x05\x61\x3c\x22\x00\x3c\xff{}"),
     true,
     1,
     {"coap.number=4..5", "coap.format=cbor", "coap.length=2", "coap.option=max-age"}},
    {BYTES("\x54\x45\x33\x01tokn\x61\x06\xff{}"), true, 1, {"coap.type=non", "coap.number=6..7"}},
    {BYTES("\x70\x00\x33\x01"), true, 0, {"coap.type=reset", "coap.code=empty"}},
};

static void messages_come_back_whole_cut_and_damaged(void **state)
{
    (void)state;
    all_come_back(plain, WSPI_COUNT(plain));
}

static void options_of_all_sizes_come_back_whole_cut_and_damaged(void **state)
{
    (void)state;
    all_come_back(more, WSPI_COUNT(more));
}

/* A value of 300 bytes: both extensions of a length. */
static void a_long_value_comes_back(void **state)
{
    char b[400] = "\x40\x01\x7d\x35\x3e\x00\x1f";
    wire_message m = {b, 7 + 300, true, 0, {0}};
    wire w;

    (void)state;
    memset(b + 7, 'a', 300);
    wire_open(&w);
    put_message(&w, &m, b, m.len); /* too long for a host: not CoAP */
    assert_null(strstr(w.names, "coap"));
    b[4] = '\xde'; /* proxy-uri, 35 */
    b[5] = 35 - 13;
    b[6] = 0;
    b[7] = 300 - 269;
    m.len = 8 + 300;
    memset(b + 8, 'a', 300);
    wire_again(&w);
    put_message(&w, &m, b, m.len);
    assert_named(&w, "coap.option=proxy-uri");
    assert_named(&w, "coap.host=256..511");
    wire_close(&w);
}

static void what_is_as_predicted_is_not_told(void **state)
{
    wire w;

    (void)state;
    wire_open(&w);
    put_message(&w, &plain[0], plain[0].bytes, plain[0].len);
    put_message(&w, &plain[1], plain[1].bytes, plain[1].len);
    assert_null(strstr(w.names, "coap.id"));
    assert_null(strstr(w.names, "coap.token_length"));
    put_message(&w, &more[0], more[0].bytes, more[0].len);
    assert_named(&w, "coap.id=changed");
    put_message(&w, &more[1], more[1].bytes, more[1].len);
    assert_null(strstr(w.names, "coap.id"));
    assert_null(strstr(w.names, "coap.token"));
    wire_close(&w);
}

static void ids_tokens_and_hosts_are_in_no_token(void **state)
{
    (void)state;
    assert_hidden(&more[0], 2, 2); /* id */
    assert_hidden(&more[0], 4, 4); /* token */
    assert_hidden(&more[0], 9, 7); /* host */
}

static void other_payloads_are_not_taken(void **state)
{
    (void)state;
    assert_int_equal(app_of_datagram(BYTES("\x40\x01\x7d\x34")), WSPI_APP_COAP);
    assert_int_not_equal(app_of_datagram(BYTES("\x00\x01\x7d\x34")), WSPI_APP_COAP);
    assert_int_not_equal(app_of_datagram(BYTES("\x49\x01\x7d\x34"
                                               "123456789")),
                         WSPI_APP_COAP);
    assert_int_not_equal(app_of_datagram(BYTES("\x40\x3f\x7d\x34")), WSPI_APP_COAP);
    assert_int_not_equal(app_of_datagram(BYTES("\x40\x01\x7d\x34\xff")), WSPI_APP_COAP);
    assert_int_not_equal(app_of_datagram(BYTES("\x40\x01\x7d\x34\xff{}")), WSPI_APP_COAP);
    assert_int_not_equal(app_of_datagram(BYTES("\x40\x01\x7d\x34\x21x")),
                         WSPI_APP_COAP); /* option 2 */
    assert_int_not_equal(app_of_datagram(BYTES("\x40\x01\x7d\x34\xbctemperature")), WSPI_APP_COAP);
    assert_int_not_equal(app_of_datagram(BYTES("\x40\x00\x7d\x34more")), WSPI_APP_COAP);
}

static void sampled_coap_is_coap(void **state)
{
    static const char *const asks_for[] = {
        "c2s first",  "c2s gap=0", "stack=eth/ipv4/udp", "udp.sport=dynamic", "udp.dport=5683",
        "len=80..83", NULL};
    static const char *const answers_with[] = {
        "s2c first",  "s2c gap=0", "stack=eth/ipv4/udp", "udp.sport=5683", "udp.dport=dynamic",
        "len=80..83", NULL};

    (void)state;
    sample_flows(asks_for, answers_with, WSPI_APP_COAP);
}

/* Has the message [b, b + n) a payload? Its options have short heads and lengths. */
static bool has_payload(const uint8_t *b, size_t n)
{
    size_t at = 4 + (b[0] & 15u);

    while (at < n && b[at] != 0xff)
        at += 1u + (b[at] >> 4 == 13) + ((b[at] & 15) == 13 ? 14u + b[at + 1] : b[at] & 15u);
    return at < n;
}

/* RFC 7252 5.8, 5.5 */
static void check_code(const wire *w, int dir)
{
    static const uint8_t answers[] = {0x45, 0x44, 0x44, 0x42};
    static uint8_t asked;
    uint8_t is = w->packet->data[HEADERS_UDP + 1];

    if (dir == 0) {
        asked = is;
        assert_false((is == 1 || is == 4) &&
                     has_payload(w->packet->data + HEADERS_UDP, w->packet->payload_len));
    } else {
        assert_true(is == 0x84 || is == answers[asked - 1]);
    }
}

static void sampled_answers_are_of_what_was_asked(void **state)
{
    static const char *const asks_for[] = {
        "c2s first",  "c2s gap=0", "stack=eth/ipv4/udp", "udp.sport=dynamic", "udp.dport=5683",
        "len=80..83", NULL};
    static const char *const answers_with[] = {
        "s2c first",  "s2c gap=0", "stack=eth/ipv4/udp", "udp.sport=5683", "udp.dport=dynamic",
        "len=80..83", NULL};

    (void)state;
    sample_exact(60, 6, asks_for, answers_with, WSPI_APP_COAP, check_code);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(messages_come_back_whole_cut_and_damaged),
        cmocka_unit_test(options_of_all_sizes_come_back_whole_cut_and_damaged),
        cmocka_unit_test(a_long_value_comes_back),
        cmocka_unit_test(what_is_as_predicted_is_not_told),
        cmocka_unit_test(ids_tokens_and_hosts_are_in_no_token),
        cmocka_unit_test(other_payloads_are_not_taken),
        cmocka_unit_test(sampled_coap_is_coap),
        cmocka_unit_test(sampled_answers_are_of_what_was_asked),
    };

    (void)wsp_vocab_size();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
