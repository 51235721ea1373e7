/* SPDX-License-Identifier: Apache-2.0 */
/* test_dhcpv6.c: DHCPv6 messages, relayed ones among them: round trips, tokens, what stays hidden, samples. */
#include "tests/unit/wire.h"

#define DUID_TIME "\x00\x01\x00\x0e\x00\x01\x00\x01\x1c\x39\xcf\x88\x08\x00\x27\xfe\x8f\x95"
#define DUID_LINK "\x00\x02\x00\x0a\x00\x03\x00\x01\x08\x00\x27\xd4\x10\xbb"
#define ADDRESS   "\x20\x01\x0d\xb8\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x77"
#define LEASE     "\x00\x05\x00\x18" ADDRESS "\x00\x00\x01\x77\x00\x00\x02\x58"

static const wire_message lease[] = {
    {BYTES("\x01\x10\x08\x74" DUID_TIME "\x00\x06\x00\x04\x00\x17\x00\x18\x00\x08\x00\x02\x00\x00"
           "\x00\x19\x00\x0c\x27\xfe\x8f\x95\x00\x00\x0e\x10\x00\x00\x15\x18"),
     true,
     0,
     {"app=dhcpv6", "dhcpv6.type=solicit", "dhcpv6.duid=link-time", "dhcpv6.requested=dns",
      "dhcpv6.length=4", "dhcpv6.option=elapsed", "dhcpv6.option=ia-pd",
      "dhcpv6.number=3072..4095"}},
    {BYTES("\x02\x10\x08\x74" DUID_TIME DUID_LINK
           "\x00\x03\x00\x28\x27\xfe\x8f\x95\x00\x00\x00\x00\x00\x00\x00\x00" LEASE
           "\x00\x0d\x00\x06\x00\x00Good\x00\x18\x00\x0a\x02lo\x05local\x00\x00\x0e\x00\x00"),
     true,
     1,
     {"dhcpv6.type=advertise", "dhcpv6.duid=link", "dhcpv6.length=40..47", "dhcpv6.option=address",
      "dhcpv6.status=success", "dhcpv6.name=8..15", "dhcpv6.option=rapid-commit"}},
    /* the same list, in another transaction */
    {BYTES("\x03\x10\x08\x75\x00\x06\x00\x04\x00\x17\x00\x18"
           "\x00\x10\x00\x0e\x00\x00\x01\x37\x00\x08MSFT 5.0\x00\x27\x00\x05\x00\x03pc\x00"),
     true,
     0,
     {"dhcpv6.transaction=changed", "dhcpv6.enterprise=microsoft", "dhcpv6.option=fqdn"}},
};

/* A relayed message; options in an option that do not fill it; bytes behind the last option. */
static const wire_message odd[] = {
    {BYTES("\x0c\x01" ADDRESS ADDRESS "\x00\x12\x00\x03"
           "if1\x00\x09\x00\x0a\x0b\x10\x08\x74\x00\x08\x00\x02\x00\x07"),
     true,
     0,
     {"dhcpv6.type=relay-forward", "dhcpv6.hops=1", "dhcpv6.option=relayed",
      "dhcpv6.type=information-request", "dhcpv6.number=6..7"}},
    {BYTES(
         "\x07\x10\x08\x74\x00\x03\x00\x0e\x27\xfe\x8f\x95\x00\x00\x00\x00\x00\x00\x00\x00\x00\x0d"
         "\x00\x08\x00\x02\xff\xff"),
     true,
     1,
     {"dhcpv6.form=raw", "dhcpv6.length=14..15"}},
    {BYTES("\x0d\x00" ADDRESS ADDRESS "\x00\x09\x00\x03\x07\x00\x01"),
     true,
     1,
     {"dhcpv6.length=3"}},
};

static void messages_come_back_whole_cut_and_damaged(void **state)
{
    (void)state;
    all_come_back(lease, WSPI_COUNT(lease));
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
    put_message(&w, &lease[0], lease[0].bytes, lease[0].len);
    put_message(&w, &lease[1], lease[1].bytes, lease[1].len);
    assert_null(strstr(w.names, "dhcpv6.transaction"));
    assert_null(strstr(w.names, "dhcpv6.form"));
    put_message(&w, &lease[2], lease[2].bytes, lease[2].len);
    assert_named(&w, "dhcpv6.option=requested");
    assert_null(strstr(w.names, "dhcpv6.requested"));
    wire_close(&w);
}

static void identifiers_and_addresses_are_in_no_token(void **state)
{
    (void)state;
    assert_hidden(&lease[1], 1, 3);   /* transaction */
    assert_hidden(&lease[1], 12, 10); /* the client: time, address */
    assert_hidden(&lease[1], 30, 6);  /* the server */
    assert_hidden(&lease[1], 40, 4);  /* the association */
    assert_hidden(&lease[1], 56, 16); /* the address */
}

static void other_payloads_are_not_taken(void **state)
{
    (void)state;
    assert_int_equal(app_of_datagram(BYTES("\x0b\x01\x02\x03\x00\x08\x00\x02\x00\x00")),
                     WSPI_APP_DHCPV6);
    assert_int_not_equal(app_of_datagram(BYTES("\x0b\x01\x02\x03\x00\x08\x00\x03\x00\x00")),
                         WSPI_APP_DHCPV6);
    assert_int_not_equal(app_of_datagram(BYTES("\x0b\x01\x02\x03\x01\x08\x00\x02\x00\x00")),
                         WSPI_APP_DHCPV6);
    assert_int_not_equal(app_of_datagram(BYTES("\x0b\x01\x02\x03\x00\xc8\x00\x02\x00\x00")),
                         WSPI_APP_DHCPV6);
    assert_int_not_equal(app_of_datagram(BYTES("\x0b\x01\x02\x03")), WSPI_APP_DHCPV6);
}

static const char *const asks_for[] = {
    "c2s first",  "c2s gap=0", "stack=eth/ipv4/udp", "udp.sport=546", "udp.dport=547",
    "len=80..83", NULL};
static const char *const answers_with[] = {
    "s2c first",  "s2c gap=0", "stack=eth/ipv4/udp", "udp.sport=547", "udp.dport=546",
    "len=80..83", NULL};

static void sampled_dhcpv6_is_dhcpv6(void **state)
{
    (void)state;
    sample_flows(asks_for, answers_with, WSPI_APP_DHCPV6);
}

/* RFC 8415 16 and B: options fill the message, none is there twice, and who says it is told. */
static void assert_is_message(const uint8_t *b, size_t n, bool server)
{
    static const bool to_one[] = {
        [2] = true, [3] = true, [5] = true, [7] = true, [8] = true, [9] = true};
    bool had[256] = {false};
    size_t at = 4;

    assert_true(n >= 4 && *b <= 11);
    assert_int_equal(*b == 2 || *b == 7, server);
    while (at < n) {
        assert_true(n - at >= 4 && b[at] == 0 && !had[b[at + 1]]);
        had[b[at + 1]] = true;
        at += 4 + (size_t)(b[at + 2] << 8 | b[at + 3]);
    }
    assert_int_equal(at, n);
    assert_true(had[1] || *b == 11);
    assert_int_equal(had[2], *b < WSPI_COUNT(to_one) && to_one[*b]);
    assert_int_equal(had[8], !server);
}

static void assert_sampled(const wire *w, int dir)
{
    assert_is_message(w->packet->data + HEADERS_UDP, w->packet->payload_len, dir == 1);
}

static void sampled_messages_have_the_options_of_their_type_and_are_read_as_drawn(void **state)
{
    (void)state;
    sample_exact(150, 4, asks_for, answers_with, WSPI_APP_DHCPV6, assert_sampled);
}

/* Answers to what was sent to a group are a flow of their own. */
static void a_flow_from_the_port_of_servers_is_a_servers(void **state)
{
    static const char *const says[] = {
        "c2s first",  "c2s gap=0", "stack=eth/ipv4/udp", "udp.sport=547", "udp.dport=546",
        "len=80..83", NULL};
    wsp_filler fill = filler_of(1);
    wspi_rng r;
    wire w;

    (void)state;
    wspi_rng_seed(&r, 16);
    wire_open(&w);
    for (int k = 0; k < 10; k++) {
        wire_again(&w);
        sample(&w, &fill, says, 0, WSPI_APP_DHCPV6, &r);
        assert_sampled(&w, 1);
    }
    wire_close(&w);
}

/* What a sample may have, with the type of its message. */
static const char *const may_have[][2][5] = {
    {{"dhcpv6.type=solicit", "dhcpv6.option=fqdn", "dhcpv6.name=16..31"}, {NULL}},
    {{"dhcpv6.type=solicit", "dhcpv6.option=vendor-class", "dhcpv6.length=14..15",
      "dhcpv6.enterprise=microsoft"},
     {NULL}},
    {{"dhcpv6.type=solicit", "dhcpv6.option=requested", "dhcpv6.length=8..9",
      "dhcpv6.requested=vendor-options"},
     {NULL}},
    {{"dhcpv6.type=solicit", "dhcpv6.length=8..9", "dhcpv6.option=requested",
      "dhcpv6.requested=domains"},
     {NULL}},
    {{"dhcpv6.type=request", "dhcpv6.option=ia-na", "dhcpv6.length=40..47",
      "dhcpv6.option=address"},
     {NULL}},
    {{"dhcpv6.type=release", "dhcpv6.option=ia-pd", "dhcpv6.length=40..47", "dhcpv6.option=prefix"},
     {NULL}},
    {{"dhcpv6.type=decline", "dhcpv6.length=10..11", "dhcpv6.duid=link"}, {NULL}},
    {{"dhcpv6.type=rebind", "dhcpv6.option=user-class"}, {NULL}},
    {{"dhcpv6.type=confirm", "dhcpv6.option=vendor-options", "dhcpv6.length=14..15"}, {NULL}},
    {{"dhcpv6.type=solicit"}, {"dhcpv6.type=advertise", "dhcpv6.option=preference"}},
    {{"dhcpv6.type=renew"}, {"dhcpv6.type=reply", "dhcpv6.option=status", "dhcpv6.status=success"}},
    {{"dhcpv6.type=renew"}, {"dhcpv6.type=reply", "dhcpv6.option=ntp", "dhcpv6.length=56..63"}},
    {{"dhcpv6.type=renew"}, {"dhcpv6.type=reply", "dhcpv6.option=domains"}},
    {{"dhcpv6.type=renew"}, {"dhcpv6.type=reply", "dhcpv6.option=boot-file"}},
};

/* The names of a packet's first tokens, and more. */
static void join(const char *out[16], const char *const *first, const char *const more[5])
{
    size_t n = 0;

    while (*first)
        out[n++] = *first++;
    for (size_t i = 0; i < 5 && more[i]; i++)
        out[n++] = more[i];
    out[n] = NULL;
}

static void sampled_messages_may_have_what_recorded_ones_have(void **state)
{
    const char *asks[16], *answers[16];

    (void)state;
    for (size_t k = 0; k < WSPI_COUNT(may_have); k++) {
        join(asks, asks_for, may_have[k][0]);
        join(answers, answers_with, may_have[k][1]);
        for (size_t i = 0; i < 5 && (may_have[k][0][i] || may_have[k][1][i]); i++)
            sample_has(asks, answers, WSPI_APP_DHCPV6, may_have[k][0][i], may_have[k][1][i]);
    }
}

/* A client may begin another exchange, whose number its answer has. */
static void sampled_exchanges_have_numbers_of_their_own(void **state)
{
    static const char *const another[] = {"dhcpv6.transaction=changed", "c2s gap=0", "len=80..83",
                                          NULL};
    static const char *const answers[] = {"dhcpv6.transaction=changed", "s2c gap=0", "len=80..83",
                                          NULL};
    wsp_filler fill = filler_of(1);
    wspi_rng r;
    wire w;

    (void)state;
    wspi_rng_seed(&r, 17);
    wire_open(&w);
    w.exact = true;
    sample(&w, &fill, asks_for, 0, WSPI_APP_DHCPV6, &r);
    sample(&w, &fill, answers_with, 1, WSPI_APP_DHCPV6, &r);
    for (int k = 0; k < 10; k++) {
        uint8_t id[3];
        sample(&w, &fill, another, 0, WSPI_APP_DHCPV6, &r);
        assert_named(&w, "dhcpv6.transaction=changed");
        memcpy(id, w.packet->data + HEADERS_UDP + 1, sizeof id);
        sample(&w, &fill, answers, 1, WSPI_APP_DHCPV6, &r);
        assert_memory_equal(id, w.packet->data + HEADERS_UDP + 1, sizeof id);
    }
    wire_close(&w);
}

/* Hundredths of a second; -1: the message has no such option. */
static long elapsed_of(const wire *w)
{
    const uint8_t *b = w->packet->data + w->packet->payload_off;
    size_t n = w->packet->payload_len;

    for (size_t at = 4; at + 4 <= n; at += 4u + b[at + 3])
        if (b[at] == 0 && b[at + 1] == 8)
            return b[at + 4] << 8 | b[at + 5];
    return -1;
}

/* RFC 8415 21.9: what a message says of the time since the first one of its transaction is what the clock says. */
static void sampled_messages_tell_the_time_that_has_passed(void **state)
{
    static const char *const again[] = {"c2s gap=1073741824..1610612735", "len=80..83", NULL};
    static const char *const another[] = {"dhcpv6.transaction=changed",
                                          "c2s gap=16777216..25165823", "len=80..83", NULL};
    wspi_rng r;
    wire w;

    (void)state;
    wspi_rng_seed(&r, 21);
    wire_open(&w);
    for (uint64_t flow = 0; flow < 20; flow++) {
        wsp_filler fill = filler_of(flow);
        long before, now;
        uint64_t at;

        wire_again(&w);
        sample(&w, &fill, asks_for, 0, WSPI_APP_DHCPV6, &r);
        for (int k = 0; k < 4; k++) {
            before = elapsed_of(&w);
            at = w.packet->time_ns;
            sample(&w, &fill, k == 3 ? another : again, 0, WSPI_APP_DHCPV6, &r);
            now = elapsed_of(&w);
            assert_true(before >= 0 && now >= 0);
            if (strstr(w.names, " dhcpv6.transaction=changed "))
                assert_int_equal(now, 0);
            else
                assert_int_equal(
                    now, WSPI_MIN(before + (long)((w.packet->time_ns - at) / 10000000), 0xffffL));
        }
    }
    wire_close(&w);
}

static const uint8_t like[] = {32, 'x', 'i', 'd',
                               0,  1,   0,   0}; /* a client's identifier of no bytes */

static uint16_t pick_like(wishes *how, uint8_t *legal)
{
    const unsigned text = wspi_group_base(WSPI_T_TEXT);

    if (how->at < sizeof like && legal[text + like[how->at]])
        return (uint16_t)(text + like[how->at++]);
    return choose(legal, how->wanted, how->r);
}

/* A plain datagram that began like a message would go on as a flow of DHCPv6, on ports where readers take it for DNS. */
static void sampled_plain_bytes_are_not_taken_for_it(void **state)
{
    static const char *const plain[] = {
        "c2s first",         "c2s gap=0",         "stack=eth/ipv4/udp",
        "udp.sport=dynamic", "udp.dport=dynamic", "len=8",
        "app=none",          "payload=binary",    NULL};
    wsp_filler fill = filler_of(1);
    uint16_t ids[WSP_MAX_PACKET_TOKENS];
    wsp_decoded out;
    wspi_rng r;
    wishes how = {plain, &r, pick_like, 0};
    wire w;

    (void)state;
    wspi_rng_seed(&r, 1);
    wire_open(&w);
    (void)wire_draw(&w, &fill, &how, ids, &out);
    assert_int_equal(how.at, sizeof like);
    assert_int_equal(app_of_datagram((const char *)out.frame.data + HEADERS_UDP, sizeof like), 0);
    assert_int_equal(app_of_datagram((const char *)like, sizeof like), WSPI_APP_DHCPV6);
    wire_close(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(messages_come_back_whole_cut_and_damaged),
        cmocka_unit_test(odd_messages_come_back_whole_cut_and_damaged),
        cmocka_unit_test(what_is_as_predicted_is_not_told),
        cmocka_unit_test(identifiers_and_addresses_are_in_no_token),
        cmocka_unit_test(other_payloads_are_not_taken),
        cmocka_unit_test(sampled_dhcpv6_is_dhcpv6),
        cmocka_unit_test(sampled_messages_have_the_options_of_their_type_and_are_read_as_drawn),
        cmocka_unit_test(a_flow_from_the_port_of_servers_is_a_servers),
        cmocka_unit_test(sampled_messages_may_have_what_recorded_ones_have),
        cmocka_unit_test(sampled_exchanges_have_numbers_of_their_own),
        cmocka_unit_test(sampled_messages_tell_the_time_that_has_passed),
        cmocka_unit_test(sampled_plain_bytes_are_not_taken_for_it),
    };

    (void)wsp_vocab_size();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
