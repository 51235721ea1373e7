/* SPDX-License-Identifier: Apache-2.0 */
/* test_dtls.c: DTLS records and messages of our own making: round trips, tokens, what stays hidden, samples. */
#include "tests/unit/wire.h"

#define RANDOM  "0123456789abcdefghijklmnopqrstuv"
#define COOKIE  "sixteenbytes1234"
#define CIPHERS "\x00\x04\xc0\x2b\xc0\x2f\x01\x00"
#define SRTP    "\x00\x17\x00\x00\x00\x0e\x00\x05\x00\x02\x00\x01\x00"

/* RFC 6347 4.1: a record's head of the first epoch; 4.2.2: a message's, all in one part, below 256 bytes */
#define RECORD(type, version, sequence, len) \
    type version "\x00\x00\x00\x00\x00\x00\x00" sequence "\x00" len
#define PART(type, len, number) type "\x00\x00" len "\x00" number "\x00\x00\x00\x00\x00" len

#define ASK                                    \
    RECORD("\x16", "\xfe\xff", "\x00", "\x47") \
    PART("\x01", "\x3b", "\x00") "\xfe\xfd" RANDOM "\x00\x00" CIPHERS "\x00\x0d" SRTP
#define VERIFY                                 \
    RECORD("\x16", "\xfe\xff", "\x00", "\x1f") \
    PART("\x03", "\x13", "\x00") "\xfe\xff\x10" COOKIE
#define ASK_AGAIN                              \
    RECORD("\x16", "\xfe\xff", "\x01", "\x57") \
    PART("\x01", "\x4b", "\x01") "\xfe\xfd" RANDOM "\x00\x10" COOKIE CIPHERS "\x00\x0d" SRTP
#define ANSWER                                                                          \
    RECORD("\x16", "\xfe\xfd", "\x01", "\x32")                                          \
    PART("\x02", "\x26", "\x01")                                                        \
    "\xfe\xfd" RANDOM "\x00\xc0\x2b\x00" RECORD("\x16", "\xfe\xfd", "\x02", "\x11")     \
        PART("\x0c", "\x05", "\x02") "share" RECORD("\x16", "\xfe\xfd", "\x03", "\x0c") \
            PART("\x0e", "\x00", "\x03")
#define KEYS                                                                        \
    RECORD("\x16", "\xfe\xfd", "\x02", "\x13")                                      \
    PART("\x10", "\x07", "\x02")                                                    \
    "keykey!" RECORD("\x14", "\xfe\xfd", "\x03",                                    \
                     "\x01") "\x01"                                                 \
                             "\x16\xfe\xfd\x00\x01\x00\x00\x00\x00\x00\x00\x00\x18" \
                             "finished in cipher text!"
#define TALK                                               \
    "\x17\xfe\xfd\x00\x01\x00\x00\x00\x00\x00\x01\x00\x1a" \
    "data in cipher text, 26 b."

static const wire_message handshake[] = {
    {BYTES(ASK),
     true,
     0,
     {"app=dtls", "dtls.record=handshake", "dtls.message=client-hello", "tls.cipher=RSA-AES128-GCM",
      "tls.ext=extended-master", "tls.ext=use-srtp", "tls.srtp=aes-80"}},
    {BYTES(VERIFY),
     true,
     1,
     {"dtls.version=1.0", "dtls.message=hello-verify", "dtls.cookie=16..19"}},
    {BYTES(ASK_AGAIN), true, 0, {"dtls.message=client-hello"}},
    {BYTES(ANSWER),
     true,
     1,
     {"dtls.message=server-hello", "tls.cipher=ECDSA-AES128-GCM", "dtls.message=server-key",
      "dtls.message=server-done", "dtls.length=48..55"}},
    {BYTES(KEYS), true, 0, {"dtls.message=client-key", "dtls.record=change-cipher"}},
    {BYTES(TALK), true, 0, {"dtls.record=data"}},
};

/* A message in parts, two messages in one record, an alert, one that is sealed, a heartbeat, a jump, and bytes after a record. */
static const wire_message more[] = {
    {BYTES(RECORD("\x16", "\xfe\xfd", "\x00",
                  "\x14") "\x0b\x00\x01\x00\x00\x00\x00\x00\x00\x00\x00\x08"
                          "certific"),
     true,
     1,
     {"dtls.message=certificate", "dtls.body=256..383"}},
    {BYTES(RECORD("\x16", "\xfe\xfd", "\x01",
                  "\x14") "\x0b\x00\x01\x00\x00\x00\x00\x00\x08\x00\x00\x08"
                          "ates and"),
     true,
     1,
     {"dtls.message=certificate"}},
    {BYTES(RECORD("\x16", "\xfe\xfd", "\x02", "\x1e") PART("\x0e", "\x00", "\x01")
               PART("\x00", "\x06", "\x02") "hello?"),
     true,
     1,
     {"dtls.body=0", "dtls.message=hello-request", "dtls.message=server-done"}},
    {BYTES(RECORD("\x15", "\xfe\xfd", "\x00", "\x02") "\x02\x28"),
     true,
     0,
     {"dtls.record=alert", "dtls.alert=handshake-failure"}},
    {BYTES("\x18\xfe\xfd\x00\x02\x00\x00\x00\x00\x07\x01\x00\x06"
           "beat.. and more"),
     true,
     0,
     {"dtls.record=heartbeat", "dtls.epoch=2..3", "dtls.sequence=changed", "dtls.length=6"}},
};

/* RFC 9147 4: a hello of 1.3, records with a short and a long number, one with an id. */
static const wire_message later[] = {
    {BYTES(RECORD("\x16", "\xfe\xfd", "\x00", "\x3a")
               PART("\x02", "\x2e", "\x00") "\xfe\xfd" RANDOM
                                            "\x00\x13\x01\x00\x00\x06\x00\x2b\x00\x02\xfe\xfc"
                                            "\x2e\x12\x34\x00\x05"
                                            "words"),
     true,
     1,
     {"tls.cipher=AES128-GCM", "tls.ext=versions", "dtls.record=encrypted", "dtls.length=56..63"}},
    {BYTES("\x2f\x12\x34\x00\x05"
           "words"
           "\x23\x12"
           "the rest"),
     true,
     1,
     {"dtls.record=encrypted", "dtls.unified=15", "dtls.unified=3"}},
    {BYTES("\x3f\x12\x34\x00\x05"
           "words"),
     true,
     0,
     {"dtls.unified=31"}},
};

/* What AnyConnect has: the version of a draft. */
static const wire_message draft[] = {
    {BYTES(RECORD("\x16", "\x01\x00", "\x00", "\x36")
               PART("\x01", "\x2a", "\x00") "\x01\x00" RANDOM "\x00\x00\x00\x02\x00\x2f\x01\x00"),
     true,
     0,
     {"dtls.version=draft"}},
};

static void a_handshake_comes_back_whole_cut_and_damaged(void **state)
{
    (void)state;
    all_come_back(handshake, WSPI_COUNT(handshake));
}

static void other_records_come_back_whole_cut_and_damaged(void **state)
{
    (void)state;
    all_come_back(more, WSPI_COUNT(more));
    all_come_back(later, WSPI_COUNT(later));
}

static void say(wire *w, const wire_message *m, size_t n)
{
    for (size_t i = 0; i < n; i++)
        put_message(w, &m[i], m[i].bytes, m[i].len);
}

/* Numbers that count, cookies that are shown again, versions that were agreed on, lengths of what is last. */
static void what_is_as_predicted_is_not_told(void **state)
{
    static const char *const untold[] = {"dtls.epoch",  "dtls.sequence", "dtls.number",
                                         "dtls.offset", "dtls.body",     "dtls.part",
                                         " tls.cookie", "tls.hello",     "tls.session"};
    wire w;

    (void)state;
    wire_open(&w);
    for (size_t n = 1; n <= WSPI_COUNT(handshake); n++) {
        wire_again(&w);
        say(&w, handshake, n);
        for (size_t i = 0; i < WSPI_COUNT(untold); i++)
            assert_null(strstr(w.names, untold[i]));
        assert_true(n == 2 || n == 4 || !strstr(w.names, "dtls.version"));
    }
    assert_null(strstr(w.names, "dtls.length"));
    wire_close(&w);
}

static void the_draft_of_anyconnect_is_read(void **state)
{
    wire w;

    (void)state;
    wire_open(&w);
    say(&w, draft, 1);
    assert_named(&w, "dtls.version=draft");
    wire_close(&w);
}

static void randoms_cookies_and_keys_are_in_no_token(void **state)
{
    (void)state;
    assert_hidden(&handshake[0], 27, 32);
    assert_hidden(&handshake[1], 28, 16);
    assert_hidden(&handshake[5], 13, 26);
}

static void other_payloads_are_not_taken(void **state)
{
    char b[sizeof TALK] = TALK;

    (void)state;
    assert_int_equal(app_of_datagram(BYTES(TALK)), WSPI_APP_DTLS);
    b[0] = '\x1b';
    assert_int_not_equal(app_of_datagram(b, sizeof b - 1), WSPI_APP_DTLS);
    b[0] = '\x17';
    b[2] = '\xfe';
    assert_int_not_equal(app_of_datagram(b, sizeof b - 1), WSPI_APP_DTLS);
    b[2] = '\xfd';
    b[12] = '\x1b'; /* longer than the datagram */
    assert_int_not_equal(app_of_datagram(b, sizeof b - 1), WSPI_APP_DTLS);
    assert_int_not_equal(app_of_datagram(BYTES("\x2f\x12\x34\x00\x05words")), WSPI_APP_DTLS);
}

static const char *const client[] = {
    "c2s first",    "c2s gap=0", "stack=eth/ipv4/udp", "udp.sport=dynamic", "udp.dport=5684",
    "len=256..271", NULL};
static const char *const server[] = {
    "s2c first",    "s2c gap=0", "stack=eth/ipv4/udp", "udp.sport=5684", "udp.dport=dynamic",
    "len=256..271", NULL};

static void sampled_dtls_is_dtls(void **state)
{
    (void)state;
    sample_flows(client, server, WSPI_APP_DTLS);
}

static void samples_shake_hands(void **state)
{
    static const char *const asks[] = {
        "c2s first",      "c2s gap=0",    "stack=eth/ipv4/udp",    "udp.sport=dynamic",
        "udp.dport=5684", "len=256..271", "dtls.record=handshake", NULL};
    static const char *const answers[] = {"s2c first",
                                          "s2c gap=0",
                                          "stack=eth/ipv4/udp",
                                          "udp.sport=5684",
                                          "udp.dport=dynamic",
                                          "len=256..271",
                                          "dtls.record=handshake",
                                          "dtls.message=server-hello",
                                          "dtls.message=certificate",
                                          NULL};

    (void)state;
    sample_has(asks, answers, WSPI_APP_DTLS, "dtls.message=client-hello",
               "dtls.message=server-hello");
}

/* Where a record with messages may begin, one of them has room: a draw that has none would fail. */
static void a_flight_ends_where_no_message_has_room(void **state)
{
    static const char *const asks[] = {
        "c2s first",      "c2s gap=0",    "stack=eth/ipv4/udp",    "udp.sport=dynamic",
        "udp.dport=5684", "len=256..271", "dtls.record=handshake", NULL};
    static const char *const lengths[] = {"len=1024..1087", "len=1088..1151", "len=1152..1215",
                                          "len=1216..1279", "len=1280..1343", "len=1344..1407",
                                          "len=1408..1471"};
    const char *answers[] = {"s2c first",
                             "s2c gap=0",
                             "stack=eth/ipv4/udp",
                             "udp.sport=5684",
                             "udp.dport=dynamic",
                             "dtls.record=handshake",
                             "dtls.message=server-hello",
                             "dtls.message=certificate",
                             NULL,
                             NULL};
    wspi_rng r;
    wire w;

    (void)state;
    wspi_rng_seed(&r, 18);
    wire_open(&w);
    for (uint64_t flow = 0; flow < 280; flow++) {
        wsp_filler fill = filler_of(flow);

        answers[WSPI_COUNT(answers) - 2] = lengths[flow % WSPI_COUNT(lengths)];
        wire_again(&w);
        sample(&w, &fill, asks, 0, WSPI_APP_DTLS, &r);
        for (int i = 0; i < 3 && may_speak(&w, &fill, 1); i++)
            sample(&w, &fill, answers, 1, WSPI_APP_DTLS, &r);
    }
    wire_close(&w);
}

static void no_port_is_in_the_tokens(void **state)
{
    (void)state;
    assert_no_port_told(4433, handshake, WSPI_COUNT(handshake));
    assert_no_port_told(5684, draft, WSPI_COUNT(draft));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_port_is_in_the_tokens),
        cmocka_unit_test(a_handshake_comes_back_whole_cut_and_damaged),
        cmocka_unit_test(other_records_come_back_whole_cut_and_damaged),
        cmocka_unit_test(what_is_as_predicted_is_not_told),
        cmocka_unit_test(the_draft_of_anyconnect_is_read),
        cmocka_unit_test(randoms_cookies_and_keys_are_in_no_token),
        cmocka_unit_test(other_payloads_are_not_taken),
        cmocka_unit_test(sampled_dtls_is_dtls),
        cmocka_unit_test(samples_shake_hands),
        cmocka_unit_test(a_flight_ends_where_no_message_has_room),
    };

    (void)wsp_vocab_size();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
