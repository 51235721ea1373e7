/* SPDX-License-Identifier: Apache-2.0 */
/* test_bacnet.c: BACnet/IP messages: round trips, tokens, what stays hidden, samples. */
#include "tests/unit/wire.h"

#define I_AM "\xc4\x02\x00\x04\xd2\x22\x05\xc4\x91\x00\x21\x0f"

static const wire_message reading[] = {
    {BYTES("\x81\x0b\x00\x0c\x01\x20\xff\xff\x00\xff\x10\x08"),
     true,
     0,
     {"app=bacnet", "bacnet.function=broadcast", "bacnet.control=to", "bacnet.address_length=0",
      "bacnet.apdu=announce", "bacnet.unconfirmed=who-is"}},
    {BYTES("\x81\x0b\x00\x14\x01\x00\x10\x00" I_AM),
     true,
     1,
     {"bacnet.unconfirmed=i-am", "bacnet.object=device", "bacnet.number=1024..1535",
      "bacnet.segmentation=both", "bacnet.number=12..15"}},
    {BYTES("\x81\x0a\x00\x11\x01\x04\x02\x75\x07\x0c\x0c\x02\x00\x04\xd2\x19\x4d"),
     true,
     0,
     {"bacnet.apdu=request", "bacnet.size=1476-many", "bacnet.confirmed=read-property",
      "bacnet.object=device", "bacnet.property=name"}},
    {BYTES("\x81\x0a\x00\x15\x01\x00\x30\x07\x0c\x0c\x02\x00\x04\xd2\x19\x4d\x3e\x75\x01\x00\x3f"),
     true,
     1,
     {"bacnet.apdu=complex-ack", "bacnet.property=name"}},
    {BYTES("\x81\x0a\x00\x0d\x01\x00\x50\x08\x0c\x91\x02\x91\x20"),
     true,
     1,
     {"bacnet.apdu=error", "bacnet.invoke=changed"}},
};

/* Forwarded, with addresses of other networks; segments; a message of the network; a result; other values. */
static const wire_message odd[] = {
    {BYTES("\x81\x04\x00\x1d\x0a\x00\x00\x01\xba\xc0\x01\x28\xff\xff\x00\x00\x05\x01\x2a\xfe\x10"
           "\x08\x09\x01\x1a\xff\xff\x01\x02"),
     true,
     0,
     {"bacnet.function=forwarded", "bacnet.control=to+from", "bacnet.address_length=1",
      "bacnet.hops=192..255"}},
    {BYTES("\x81\x0a\x00\x0d\x01\x00\x3c\x05\x02\x04\x0e\x01\x02"),
     true,
     1,
     {"bacnet.apdu=complex-ack-more", "bacnet.window=4..5", "bacnet.confirmed=read-properties"}},
    {BYTES("\x81\x0b\x00\x09\x01\x80\x01\x00\x05"), true, 0, {"bacnet.message=i-am-router"}},
    {BYTES("\x81\x00\x00\x06\x00\x30"), true, 1, {"bacnet.function=result"}},
    {BYTES("\x81\x0a\x00\x0c\x01\x04\x02\x75\x09\x0c\x0c\x02"), true, 0, {"bacnet.values=opaque"}},
    {BYTES("\x81\x0a\x00\x09\x01\x00\x60\x09\x09"), true, 1, {"bacnet.reason=8..9"}},
};

static void messages_come_back_whole_cut_and_damaged(void **state)
{
    (void)state;
    all_come_back(reading, WSPI_COUNT(reading));
}

static void odd_messages_come_back_whole_cut_and_damaged(void **state)
{
    (void)state;
    all_come_back(odd, WSPI_COUNT(odd));
}

static void what_is_as_predicted_is_not_told(void **state)
{
    wire w;

    (void)state;
    wire_open(&w);
    for (size_t i = 0; i < 4; i++) {
        put_message(&w, &reading[i], reading[i].bytes, reading[i].len);
        assert_null(strstr(w.names, "bacnet.invoke"));
        assert_null(strstr(w.names, "bacnet.values"));
        assert_null(strstr(w.names, "bacnet.network"));
        assert_null(strstr(w.names, "bacnet.hops"));
    }
    wire_close(&w);
}

static void numbers_of_devices_are_in_no_token(void **state)
{
    (void)state;
    assert_hidden(&reading[1], 11, 2);
}

static void other_payloads_are_not_taken(void **state)
{
    (void)state;
    assert_int_equal(app_of_datagram(reading[0].bytes, reading[0].len), WSPI_APP_BACNET);
    assert_int_not_equal(app_of_datagram(BYTES("\x81\x0a\x00\x09\x01\x00\x10\x08")),
                         WSPI_APP_BACNET);
    assert_int_not_equal(app_of_datagram(BYTES("\x81\x0a\x00\x07\x01\x00\x10\x08")),
                         WSPI_APP_BACNET);
    assert_int_not_equal(app_of_datagram(BYTES("\x81\x0a\x00\x08\x02\x00\x10\x08")),
                         WSPI_APP_BACNET);
    assert_int_not_equal(app_of_datagram(BYTES("\x80\x0a\x00\x08\x01\x00\x10\x08")),
                         WSPI_APP_BACNET);
}

static const char *const asks_for[] = {
    "c2s first",  "c2s gap=0", "stack=eth/ipv4/udp", "udp.sport=dynamic", "udp.dport=47808",
    "len=80..83", NULL};
static const char *const answers_with[] = {
    "s2c first",  "s2c gap=0", "stack=eth/ipv4/udp", "udp.sport=47808", "udp.dport=dynamic",
    "len=80..83", NULL};

static void sampled_bacnet_is_bacnet(void **state)
{
    (void)state;
    sample_flows(asks_for, answers_with, WSPI_APP_BACNET);
}

/* Tagged values fill n bytes, and what is opened is closed: ASHRAE 135 20.2. */
static void assert_tagged(const uint8_t *b, size_t n)
{
    unsigned depth = 0;
    size_t at = 0;

    while (at < n) {
        unsigned rest = b[at] & 15, type = b[at] >> 4;
        at++;
        if (rest == 14 || (rest == 15 && depth)) {
            depth += rest == 14 ? 1 : -1u;
        } else if ((rest & 7) == 5) {
            assert_true(at < n && b[at] < 254);
            at += 1 + (size_t)b[at];
        } else if (rest > 1 || type != 1) { /* a boolean is its tag */
            at += rest & 7;
        }
        assert_true(at <= n);
    }
    assert_int_equal(depth, 0);
}

/* Where the values of a message's service begin; n: it has none. */
static size_t values_at(const uint8_t *b, size_t n)
{
    static const uint8_t before[] = {4, 2, 3, 3, 0, 3, 0, 0};
    size_t at = (b[1] == 4 ? 10 : 4) + 2;

    if (b[1] == 0 || b[1] == 5)
        return n;
    at += b[at - 1] & 0x20 ? 4 : 0;
    return before[b[at] >> 4] ? at + before[b[at] >> 4] : n;
}

static void assert_values(const wire *w, int dir)
{
    const uint8_t *b = w->packet->data + HEADERS_UDP;
    size_t n = w->packet->payload_len, at = values_at(b, n);

    (void)dir;
    assert_int_equal(b[2] << 8 | b[3], n);
    assert_tagged(b + at, n - at);
}

static void sampled_messages_have_whole_values_and_are_read_as_drawn(void **state)
{
    static const char *const lengths[] = {"len=17", "len=24", "len=25", "len=36..37",
                                          "len=400..415"};
    const char *asks[WSPI_COUNT(asks_for)], *answers[WSPI_COUNT(answers_with)];

    (void)state;
    memcpy(asks, asks_for, sizeof asks_for);
    memcpy(answers, answers_with, sizeof answers_with);
    for (size_t i = 0; i < WSPI_COUNT(lengths); i++) {
        asks[5] = answers[5] = lengths[i];
        sample_exact(60, 4, asks, answers, WSPI_APP_BACNET, assert_values);
    }
}

/* What a sample may have, and so what its answer has. */
static void sampled_messages_may_have_what_recorded_ones_have(void **state)
{
    static const char *const read[] = {"c2s first",
                                       "c2s gap=0",
                                       "stack=eth/ipv4/udp",
                                       "udp.sport=dynamic",
                                       "udp.dport=47808",
                                       "len=17",
                                       "bacnet.function=unicast",
                                       "bacnet.control=local+reply",
                                       "bacnet.apdu=request-single",
                                       "bacnet.size=1476",
                                       "bacnet.confirmed=read-property",
                                       "bacnet.property=model",
                                       NULL};
    static const char *const value[] = {"s2c first",
                                        "s2c gap=0",
                                        "stack=eth/ipv4/udp",
                                        "udp.sport=47808",
                                        "udp.dport=dynamic",
                                        "len=31",
                                        "bacnet.function=unicast",
                                        "bacnet.apdu=complex-ack",
                                        NULL};
    static const char *const many[] = {"c2s first",
                                       "c2s gap=0",
                                       "stack=eth/ipv4/udp",
                                       "udp.sport=dynamic",
                                       "udp.dport=47808",
                                       "len=19",
                                       "bacnet.function=unicast",
                                       "bacnet.control=local+reply",
                                       "bacnet.confirmed=read-properties",
                                       NULL};
    static const char *const all[] = {"c2s first",
                                      "c2s gap=0",
                                      "stack=eth/ipv4/udp",
                                      "udp.sport=dynamic",
                                      "udp.dport=47808",
                                      "len=25",
                                      "bacnet.function=broadcast",
                                      "bacnet.control=to",
                                      "bacnet.unconfirmed=i-am",
                                      "bacnet.values=opaque",
                                      NULL};
    static const char *const enrol[] = {
        "c2s first",       "c2s gap=0", "stack=eth/ipv4/udp",       "udp.sport=dynamic",
        "udp.dport=47808", "len=6",     "bacnet.function=register", NULL};
    static const char *const done[] = {
        "s2c first",         "s2c gap=0", "stack=eth/ipv4/udp",     "udp.sport=47808",
        "udp.dport=dynamic", "len=6",     "bacnet.function=result", NULL};

    (void)state;
    sample_has(read, value, WSPI_APP_BACNET, "bacnet.size=1476", "bacnet.property=model");
    sample_has(read, value, WSPI_APP_BACNET, "len=17", "len=31");
    sample_has(many, value, WSPI_APP_BACNET, "len=19", "bacnet.confirmed=read-properties");
    sample_has(all, answers_with, WSPI_APP_BACNET, "bacnet.address_length=0", NULL);
    sample_has(all, answers_with, WSPI_APP_BACNET, "len=25", NULL);
    sample_has(enrol, done, WSPI_APP_BACNET, "bacnet.function=register", "len=6");
}

/* Who has answered waits for the next request; who has announced may go on. */
static void a_request_is_answered_once(void **state)
{
    static const char *const read[] = {"c2s first",
                                       "c2s gap=0",
                                       "stack=eth/ipv4/udp",
                                       "udp.sport=dynamic",
                                       "udp.dport=47808",
                                       "len=17",
                                       "bacnet.function=unicast",
                                       "bacnet.control=local+reply",
                                       "bacnet.apdu=request-single",
                                       "bacnet.confirmed=read-property",
                                       NULL};
    static const char *const announces[] = {"c2s first",
                                            "c2s gap=0",
                                            "stack=eth/ipv4/udp",
                                            "udp.sport=dynamic",
                                            "udp.dport=47808",
                                            "len=25",
                                            "bacnet.function=broadcast",
                                            "bacnet.control=to",
                                            "bacnet.unconfirmed=who-is",
                                            NULL};
    wspi_rng r;
    wire w;

    (void)state;
    wspi_rng_seed(&r, 14);
    wire_open(&w);
    for (uint64_t flow = 0; flow < 10; flow++) {
        wsp_filler fill = filler_of(flow);
        wire_again(&w);
        sample(&w, &fill, read, 0, WSPI_APP_BACNET, &r);
        assert_true(may_speak(&w, &fill, 1));
        sample(&w, &fill, answers_with, 1, WSPI_APP_BACNET, &r);
        assert_false(may_speak(&w, &fill, 1));
        assert_true(may_speak(&w, &fill, 0));
        wire_again(&w);
        sample(&w, &fill, announces, 0, WSPI_APP_BACNET, &r);
        sample(&w, &fill, answers_with, 1, WSPI_APP_BACNET, &r);
        assert_true(may_speak(&w, &fill, 1));
    }
    wire_close(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(messages_come_back_whole_cut_and_damaged),
        cmocka_unit_test(odd_messages_come_back_whole_cut_and_damaged),
        cmocka_unit_test(what_is_as_predicted_is_not_told),
        cmocka_unit_test(numbers_of_devices_are_in_no_token),
        cmocka_unit_test(other_payloads_are_not_taken),
        cmocka_unit_test(sampled_bacnet_is_bacnet),
        cmocka_unit_test(sampled_messages_have_whole_values_and_are_read_as_drawn),
        cmocka_unit_test(sampled_messages_may_have_what_recorded_ones_have),
        cmocka_unit_test(a_request_is_answered_once),
    };

    (void)wsp_vocab_size();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
