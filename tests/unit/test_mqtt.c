/* SPDX-License-Identifier: Apache-2.0 */
/* test_mqtt.c: MQTT packets of versions 3.1, 3.1.1 and 5: round trips, tokens, parts, what stays hidden, samples. */
#include "tests/unit/wire.h"

#define CONNECT "\x10\x18\x00\x04MQTT\x04\xc2\x00\x3c\x00\x04this\x00\x02me\x00\x02pw"
#define CONNACK "\x20\x02\x00\x00"
#define SUBSCRIBE              \
    "\x82\x0f\x00\x01\x00\x03" \
    "a/b\x01\x00\x04"          \
    "c/+#\x01"

static const wire_message session[] = {
    {BYTES(CONNECT),
     false,
     0,
     {"app=mqtt", "mqtt.packet=connect", "mqtt.version=3.1.1", "mqtt.connect_flags=clean+password",
      "mqtt.keepalive=48..63", "mqtt.client=4..7", "mqtt.name=2..3"}},
    {BYTES(CONNACK), false, 1, {"mqtt.packet=connack"}},
    {BYTES("\x82\x08\x00\x01\x00\x03"
           "a/b\x01\xc0\x00"),
     false,
     0,
     {"mqtt.packet=subscribe", "mqtt.length=8..11", "mqtt.topic=2..3", "mqtt.qos=1",
      "mqtt.packet=ping"}},
    {BYTES("\x90\x03\x00\x01\x01\xd0\x00"),
     false,
     1,
     {"mqtt.packet=suback", "mqtt.reason=1", "mqtt.packet=pong"}},
    {BYTES("\x32\x0a\x00\x03"
           "a/b\x00\x02xyz"),
     false,
     0,
     {"mqtt.packet=publish-1"}},
    {BYTES("\x40\x02\x00\x02"), false, 1, {"mqtt.packet=puback"}},
    {BYTES("\xe0\x00"), false, 0, {"mqtt.packet=disconnect"}},
};

/* Version 5: properties, a will, reasons. */
static const wire_message five[] = {
    {BYTES("\x10\x2a\x00\x04MQTT\x05\x06\x00\x1e\x08\x11\x00\x00\x0e\x10\x21\x00\x14\x00\x03one"
           "\x05\x18\x00\x00\x00\x05\x00\x04will\x00\x04"
           "gone"),
     false,
     0,
     {"mqtt.version=5", "mqtt.properties=8..15", "mqtt.property=session-expiry",
      "mqtt.number=2048..4095", "mqtt.property=will-delay"}},
    {BYTES("\x20\x06\x00\x00\x03\x22\x00\x0a"), false, 1, {"mqtt.property=alias-maximum"}},
    {BYTES("\x34\x16\x00\x03"
           "a/b\x00\x05\x0c\x26\x00\x01k\x00\x01v\x01\x01\x0b\x80\x01xy"),
     false,
     0,
     {"mqtt.packet=publish-2", "mqtt.property=user", "mqtt.property=subscription-id",
      "mqtt.number=128..255"}},
    {BYTES("\x50\x04\x00\x05\x10\x00"), false, 1, {"mqtt.reason=no-subscribers"}},
    {BYTES("\x62\x02\x00\x05"), false, 0, {"mqtt.packet=pubrel"}},
    {BYTES("\x70\x03\x00\x05\x92"), false, 1, {"mqtt.reason=id-not-found"}},
    {BYTES("\xe0\x02\x8e\x00"), false, 1, {"mqtt.reason=taken-over"}},
};

/* Version 3.1; a packet in three segments, another behind it. */
static const wire_message parts[] = {
    {BYTES("\x10\x10\x00\x06MQIsdp\x03\x02\x00\x1e\x00\x02id"), false, 0, {"mqtt.version=3.1"}},
    {BYTES("\x30\x14\x00\x03"
           "a/b"),
     false,
     0,
     {"mqtt.packet=publish", "mqtt.length=16..23"}},
    {BYTES("middle"), false, 0, {0}},
    {BYTES("the end!!\xc0\x00"), false, 0, {"mqtt.packet=ping"}},
    {BYTES("\x82\x08\x00\x01\x00"), false, 0, {"mqtt.packet=subscribe"}},
    {BYTES("\x03"
           "a/b\x00"),
     false,
     0,
     {0}},
};

static void a_session_comes_back_whole_cut_and_damaged(void **state)
{
    (void)state;
    all_come_back(session, WSPI_COUNT(session));
}

static void version_five_comes_back_whole_cut_and_damaged(void **state)
{
    (void)state;
    all_come_back(five, WSPI_COUNT(five));
}

static void packets_in_parts_come_back_whole_cut_and_damaged(void **state)
{
    (void)state;
    all_come_back(parts, WSPI_COUNT(parts));
}

/* Lengths of packets that end their segment; numbers that count, and those of acknowledgements. */
static void what_is_as_predicted_is_not_told(void **state)
{
    wire w;

    (void)state;
    wire_open(&w);
    for (size_t i = 0; i < WSPI_COUNT(session); i++) {
        put_message(&w, &session[i], session[i].bytes, session[i].len);
        if (i != 2 && i != 3)
            assert_null(strstr(w.names, "mqtt.length"));
        assert_null(strstr(w.names, "mqtt.id"));
        assert_null(strstr(w.names, "mqtt.ack"));
        assert_null(strstr(w.names, "payload="));
    }
    wire_close(&w);
}

static void a_number_that_is_not_the_next_one_is_told(void **state)
{
    static const wire_message more[] = {
        {BYTES("\x32\x09\x00\x03"
               "a/b\x00\x09"
               "xy"),
         false,
         0,
         {0}},
        {BYTES("\x40\x02\x00\x08"), false, 1, {0}},
    };
    wire w;

    (void)state;
    wire_open(&w);
    for (size_t i = 0; i < 6; i++)
        put_message(&w, &session[i], session[i].bytes, session[i].len);
    put_message(&w, &more[0], more[0].bytes, more[0].len);
    assert_named(&w, "mqtt.id=changed");
    put_message(&w, &more[1], more[1].bytes, more[1].len);
    assert_named(&w, "mqtt.ack=changed");
    wire_close(&w);
}

static void names_are_in_no_token_that_is_not_a_name(void **state)
{
    char other[] = CONNECT, first[sizeof((wire *)0)->names];
    wire w;

    (void)state;
    wire_open(&w);
    put_message(&w, &session[0], other, session[0].len);
    memcpy(first, w.names, sizeof first);
    for (size_t i = 14; i < sizeof other - 1; i++)
        if (other[i] >= 'a')
            other[i] = 'q';
    wire_again(&w);
    put_message(&w, &session[0], other, session[0].len);
    assert_string_equal(w.names, first);
    wire_close(&w);
}

static uint8_t app_of(const char *bytes, size_t n)
{
    wire_message m = {bytes, n, false, 0, {0}};
    uint8_t app;
    wire w;

    wire_open(&w);
    put_message(&w, &m, bytes, n);
    app = w.enc->app.id[0];
    wire_close(&w);
    return app;
}

/* A flow that is seen from its middle on needs more than a first byte and a length. */
static void other_payloads_are_not_taken(void **state)
{
    (void)state;
    assert_int_equal(app_of(BYTES(CONNECT)), WSPI_APP_MQTT);
    assert_int_equal(app_of(BYTES(SUBSCRIBE)), WSPI_APP_MQTT);
    assert_int_equal(app_of(BYTES("\x30\x06\x00\x03"
                                  "a/bx")),
                     WSPI_APP_MQTT);
    assert_int_not_equal(app_of(BYTES("\x30\x06\x00\x03"
                                      "a/bx.")),
                         WSPI_APP_MQTT);
    assert_int_not_equal(app_of(BYTES("\x30\x06\x00\x03"
                                      "a\x01/x")),
                         WSPI_APP_MQTT);
    assert_int_not_equal(app_of(BYTES(CONNACK)), WSPI_APP_MQTT);
    assert_int_not_equal(app_of(BYTES("\xc0\x00")), WSPI_APP_MQTT);
    assert_int_not_equal(app_of(BYTES("\x30\x0c\x02\x01\x01\x60\x07\x02\x01\x03\x04\x00\x80\x00")),
                         WSPI_APP_MQTT); /* LDAP */
}

static void sampled_mqtt_is_mqtt(void **state)
{
    static const char *const asks_for[] = {
        "c2s first",      "c2s gap=0",  "stack=eth/ipv4/tcp", "tcp.sport=dynamic",
        "tcp.dport=1883", "len=80..83", "tcp.flags=PA",       NULL};
    static const char *const answers_with[] = {
        "s2c first",         "s2c gap=0",  "stack=eth/ipv4/tcp", "tcp.sport=1883",
        "tcp.dport=dynamic", "len=80..83", "tcp.flags=PA",       NULL};

    (void)state;
    sample_flows(asks_for, answers_with, WSPI_APP_MQTT);
}

/* Who may speak, and end, after a message of `dir`. */
static void after(wire *w, const char *bytes, size_t n, int dir, bool client, bool server)
{
    segment(w, bytes, n, n, dir, true);
    assert_int_equal(wspi_app_may_speak(w->enc, 0), client);
    assert_int_equal(wspi_app_may_speak(w->enc, 1), server);
    assert_int_equal(wspi_app_owes(w->enc), client ? -1 : 1);
    if (w->enc->app.seen[1])
        assert_int_equal(wspi_app_may_end(w->enc), client);
    assert_false(wspi_app_ends_with(w->enc, 0));
}

/* A question waits for its answer, which comes once; who has not subscribed, or has ended, is sent nothing else. */
static void each_question_has_one_answer(void **state)
{
    static const char hello[] = "\x30\x06\x00\x03"
                                "a/bx",
                      asked[] = "\x32\x0a\x00\x03"
                                "a/b\x00\x02xyz";
    wire w;

    (void)state;
    wire_open(&w);
    after(&w, BYTES(CONNECT), 0, false, true);
    after(&w, BYTES(CONNACK), 1, true, false);
    after(&w, BYTES(hello), 0, true, false);
    after(&w, BYTES("\xc0\x00"), 0, false, true);
    after(&w, BYTES("\xd0\x00"), 1, true, false);
    after(&w, BYTES(SUBSCRIBE), 0, false, true);
    after(&w, BYTES("\x90\x04\x00\x01\x01\x01"), 1, true, true);
    after(&w, BYTES(hello), 1, true, true);
    after(&w, BYTES(asked), 0, false, true);
    after(&w, BYTES("\x40\x02\x00\x02"), 1, true, true);
    w.enc->sent[0] |= WSPI_TH_FIN;
    assert_false(wspi_app_may_speak(w.enc, 1));
    wire_close(&w);
}

/* What a server sends unasked is no second answer. */
static void a_second_packet_of_a_server_is_no_answer(void **state)
{
    static const char *const how[] = {
        "s2c first",         "s2c gap=0",  "stack=eth/ipv4/tcp", "tcp.sport=1883",
        "tcp.dport=dynamic", "len=80..83", "tcp.flags=PA",       NULL};
    wsp_filler fill = filler_of(1);
    wspi_rng r;
    wire w;

    (void)state;
    wspi_rng_seed(&r, 1);
    wire_open(&w);
    w.port = 1883;
    segment(&w, BYTES(CONNECT), sizeof CONNECT - 1, 0, true);
    segment(&w, BYTES(CONNACK), sizeof CONNACK - 1, 1, true);
    segment(&w, BYTES(SUBSCRIBE), sizeof SUBSCRIBE - 1, 0, true);
    sample(&w, &fill, how, 1, WSPI_APP_MQTT, &r);
    assert_named(&w, "mqtt.packet=suback");
    sample(&w, &fill, how, 1, WSPI_APP_MQTT, &r);
    assert_named(&w, "mqtt.packet=publish");
    wire_close(&w);
}

/* MQTT 5.0 3.3.4: a server publishes to who has subscribed. */
static void a_sampled_server_publishes_to_the_topic_of_the_subscription(void **state)
{
    static const char *const lamps[] = {"home/kitchen/lamp-7", "a"};
    static const char *const how[] = {
        "s2c first",         "s2c gap=0",  "stack=eth/ipv4/tcp", "tcp.sport=1883",
        "tcp.dport=dynamic", "len=80..83", "tcp.flags=PA",       NULL};
    wspi_rng r;
    wire w;

    (void)state;
    wspi_rng_seed(&r, 3);
    wire_open(&w);
    for (uint64_t flow = 0; flow < 10; flow++) {
        wsp_filler fill = filler_of(flow);
        char asked[64] = "\x82.\0\1\0";
        const char *lamp = lamps[flow % 2];
        size_t n = strlen(lamp);

        asked[1] = (char)(n + 5);
        asked[5] = (char)n;
        memcpy(asked + 6, lamp, n + 1); /* at most once */
        wire_again(&w);
        w.port = 1883;
        segment(&w, BYTES(CONNECT), sizeof CONNECT - 1, 0, true);
        segment(&w, BYTES(CONNACK), sizeof CONNACK - 1, 1, true);
        segment(&w, asked, n + 7, n + 7, 0, true);
        segment(&w, BYTES("\x90\x03\0\1\0"), 5, 1, true);
        sample(&w, &fill, how, 1, WSPI_APP_MQTT, &r);
        assert_named(&w, "mqtt.packet=publish");
        assert_memory_equal(w.packet->data + w.packet->payload_off + 2, asked + 4, n + 2);
    }
    wire_close(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_session_comes_back_whole_cut_and_damaged),
        cmocka_unit_test(version_five_comes_back_whole_cut_and_damaged),
        cmocka_unit_test(packets_in_parts_come_back_whole_cut_and_damaged),
        cmocka_unit_test(what_is_as_predicted_is_not_told),
        cmocka_unit_test(a_number_that_is_not_the_next_one_is_told),
        cmocka_unit_test(names_are_in_no_token_that_is_not_a_name),
        cmocka_unit_test(other_payloads_are_not_taken),
        cmocka_unit_test(sampled_mqtt_is_mqtt),
        cmocka_unit_test(each_question_has_one_answer),
        cmocka_unit_test(a_second_packet_of_a_server_is_no_answer),
        cmocka_unit_test(a_sampled_server_publishes_to_the_topic_of_the_subscription),
    };

    (void)wsp_vocab_size();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
