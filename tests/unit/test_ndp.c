/* SPDX-License-Identifier: Apache-2.0 */
/* test_ndp.c: samples of Neighbor Discovery: what follows from their addresses; and of echo, whose replies return what was sent. */
#include "tests/unit/wire.h"

enum { IP = 14, ICMP = IP + 40, BODY = ICMP + 8 };

/* A packet of a flow with the wanted tokens where they are legal. */
static void draw(wire *w, const wsp_filler *fill, const char *const *wanted, wspi_rng *r,
                 wsp_decoded *out)
{
    uint16_t ids[WSP_MAX_PACKET_TOKENS];

    (void)wire_draw(w, fill, &(wishes){.wanted = wanted, .r = r}, ids, out);
}

/* What is wanted; where it goes, its type, its flags; is there a target, and is it the sender; its option. */
static const struct row {
    const char *wanted[6];
    uint8_t mac[6], dst[16], type, flags;
    bool target, own;
    uint8_t option;
} rows[] = {
    {{"c2s first", "stack=eth/ipv6/icmpv6", "eth.dst=multicast", "ipv6.dst=multicast",
      "icmpv6.type=neighbor-solicit"},
     {0x33, 0x33, 0xff, 0, 0, 2},
     {0xff, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0xff, 0, 0, 2},
     135,
     0,
     true,
     false,
     1},
    {{"c2s first", "stack=eth/ipv6/icmpv6", "eth.dst=multicast", "ipv6.dst=multicast",
      "icmpv6.type=router-solicit"},
     {0x33, 0x33, 0, 0, 0, 2},
     {0xff, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2},
     133,
     0,
     false,
     false,
     1},
    {{"c2s first", "stack=eth/ipv6/icmpv6", "eth.dst=multicast", "ipv6.dst=multicast",
      "icmpv6.type=neighbor-advert"},
     {0x33, 0x33, 0, 0, 0, 1},
     {0xff, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1},
     136,
     0x20,
     true,
     true,
     2},
    {{"c2s first", "stack=eth/ipv6/icmpv6", "eth.dst=local", "ipv6.dst=public",
      "icmpv6.type=neighbor-advert"},
     {2, 2},
     {0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2},
     136,
     0x60,
     true,
     true,
     2},
    {{"c2s first", "stack=eth/ipv6/icmpv6", "eth.dst=local", "ipv6.dst=public",
      "icmpv6.type=neighbor-solicit"},
     {2, 2},
     {0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2},
     135,
     0,
     true,
     false,
     1},
};

static wsp_filler filler_v6(uint64_t seed)
{
    static const uint8_t network[] = {0x20, 1, 0x0d, 0xb8};
    wsp_filler f = filler_of(seed);

    memcpy(f.client.ip6, network, sizeof network);
    memcpy(f.server.ip6, network, sizeof network);
    f.client.ip6[15] = 1;
    f.server.ip6[15] = 2;
    return f;
}

static void check(const struct row *row, const wsp_filler *f, const wsp_decoded *out)
{
    const uint8_t *b = out->frame.data, *option = b + BODY + (row->target ? 16 : 0);

    assert_int_equal(out->frame.caplen, (size_t)(option - b) + 8);
    assert_memory_equal(b, row->mac, 6);
    assert_int_equal(b[IP + 5], out->frame.caplen - ICMP);
    assert_int_equal(b[IP + 7], 255);
    assert_memory_equal(b + IP + 24, row->dst, 16);
    assert_int_equal(b[ICMP], row->type);
    assert_int_equal(b[ICMP + 1], 0);
    assert_int_equal(b[ICMP + 4], row->flags);
    assert_memory_equal(b + ICMP + 5, "\0\0\0", 3);
    if (row->target)
        assert_memory_equal(b + BODY, row->own ? f->client.ip6 : f->server.ip6, 16);
    assert_int_equal(option[0], row->option);
    assert_int_equal(option[1], 1);
    assert_memory_equal(option + 2, f->client.mac, 6);
}

static void messages_follow_from_their_addresses(void **state)
{
    wspi_rng r;
    wire w;

    (void)state;
    wspi_rng_seed(&r, 6);
    wire_open(&w);
    for (size_t i = 0; i < WSPI_COUNT(rows); i++)
        for (uint64_t seed = 0; seed < 20; seed++) {
            wsp_filler fill = filler_v6(seed);
            wsp_decoded out;

            wire_again(&w);
            draw(&w, &fill, rows[i].wanted, &r, &out);
            check(&rows[i], &fill, &out);
        }
    wire_close(&w);
}

/* An echo's identifier is part of its flow. */
static void a_flow_has_echo_or_neighbors(void **state)
{
    static const char *const first[][6] = {{"c2s first", "stack=eth/ipv6/icmpv6", "eth.dst=local",
                                            "ipv6.dst=public", "icmpv6.type=neighbor-solicit"},
                                           {"c2s first", "stack=eth/ipv6/icmpv6", "eth.dst=local",
                                            "ipv6.dst=public", "icmpv6.type=echo"}};
    static const char *const other[][5] = {
        {"s2c gap=0", "icmpv6.type=echo-reply", "icmpv6.type=echo"},
        {"s2c gap=0", "icmpv6.type=neighbor-advert", "icmpv6.type=neighbor-solicit"}};
    wspi_rng r;
    wire w;

    (void)state;
    wspi_rng_seed(&r, 7);
    wire_open(&w);
    for (size_t i = 0; i < WSPI_COUNT(first); i++)
        for (uint64_t seed = 0; seed < 20; seed++) {
            wsp_filler fill = filler_v6(seed);
            wsp_decoded out;

            wire_again(&w);
            draw(&w, &fill, first[i], &r, &out);
            draw(&w, &fill, other[i], &r, &out);
            assert_int_equal(wspi_ndp_is(out.frame.data[ICMP]), i == 0);
        }
    wire_close(&w);
}

/* RFC 792, RFC 4443 4.2: whatever length and bytes a model would have for it. */
static void replies_return_the_data_of_their_requests(void **state)
{
    static const char *const asks[][8] = {{"c2s first", "len=56..57", "stack=eth/ipv6/icmpv6",
                                           "eth.dst=local", "ipv6.dst=public", "icmpv6.type=echo",
                                           "payload=binary"},
                                          {"c2s first", "len=32..33", "stack=eth/ipv4/icmp",
                                           "eth.dst=local", "ipv4.dst=private", "payload=random"}};
    static const char *const tells[][4] = {{"s2c gap=0", "len=8", "icmpv6.type=echo-reply"},
                                           {"s2c gap=0", "len=8", "icmp.type=echo-reply"}};
    static const size_t header[] = {IP + 40, IP + 20};
    enum { TYPE_LEN = 8 };
    wspi_rng r;
    wire w;

    (void)state;
    wspi_rng_seed(&r, 9);
    wire_open(&w);
    for (size_t i = 0; i < WSPI_COUNT(asks); i++)
        for (uint64_t seed = 0; seed < 20; seed++) {
            wsp_filler fill = filler_v6(seed);
            uint8_t data[64];
            wsp_decoded out;
            size_t n;

            wire_again(&w);
            draw(&w, &fill, asks[i], &r, &out);
            n = out.frame.caplen - header[i] - TYPE_LEN;
            assert_in_range(n, 32, 57);
            memcpy(data, out.frame.data + header[i] + TYPE_LEN, n);
            draw(&w, &fill, tells[i], &r, &out);
            assert_int_equal(out.frame.caplen - header[i] - TYPE_LEN, n);
            assert_memory_equal(out.frame.data + header[i] + TYPE_LEN, data, n);
        }
    wire_close(&w);
}

/* RFC 1122 3.2.2.6: all of it, also where a flow does not remember all; nothing where there was nothing. */
static void replies_return_long_and_empty_data(void **state)
{
    static const char *const asks[][7] = {
        {"c2s first", "len=32..33", "stack=eth/ipv4/icmp", "eth.dst=local", "ipv4.dst=private",
         "payload=random"},
        {"c2s gap=0", "len=1024..1087", "icmp.type=echo", "payload=random"},
        {"c2s gap=0", "len=0", "icmp.type=echo"}};
    static const char *const tell[4] = {"s2c gap=0", "len=8", "icmp.type=echo-reply"};
    enum { TYPE = IP + 20, DATA = TYPE + 8 };
    wspi_rng r;
    wire w;

    (void)state;
    wspi_rng_seed(&r, 9);
    wire_open(&w);
    for (size_t i = 0; i < WSPI_COUNT(asks); i++) {
        wsp_filler fill = filler_v6(1);
        uint8_t asked[2048];
        wsp_decoded out;
        size_t n;

        wire_again(&w);
        for (size_t k = 0; k <= i; k++)
            draw(&w, &fill, asks[k], &r, &out);
        n = out.frame.caplen;
        assert_true(n <= sizeof asked && (i != 1 || n >= DATA + 1024) && (i != 2 || n == DATA));
        memcpy(asked, out.frame.data, n);
        draw(&w, &fill, tell, &r, &out);
        assert_int_equal(out.frame.data[TYPE], 0);
        assert_int_equal(out.frame.caplen, n);
        assert_memory_equal(out.frame.data + DATA, asked + DATA, n - DATA);
        assert_memory_equal(out.frame.data + TYPE + 4, asked + TYPE + 4, 4);
    }
    wire_close(&w);
}

/* RFC 792: a reply is to a request that has none yet, whoever begins; who is asked does not ask. */
static void who_replies_was_asked(void **state)
{
    static const char *const turns[][7] = {
        {"c2s first", "len=8", "stack=eth/ipv4/icmp", "eth.dst=local", "ipv4.dst=private",
         "icmp.type=echo-reply"},
        {"c2s first", "len=8", "stack=eth/ipv6/icmpv6", "eth.dst=local", "ipv6.dst=public",
         "icmpv6.type=echo"},
        {"s2c first", "len=8", "stack=eth/ipv4/icmp", "eth.dst=local", "ipv4.dst=private",
         "icmp.type=echo-reply"}};
    static const char *const again[] = {"c2s gap=0", "len=8", "icmp.type=echo-reply",
                                        "icmpv6.type=echo-reply", NULL};
    static const char *const back[] = {"s2c gap=0", "len=8", "icmp.type=echo", "icmpv6.type=echo",
                                       NULL};
    wspi_rng r;
    wire w;

    (void)state;
    wspi_rng_seed(&r, 10);
    wire_open(&w);
    for (size_t i = 0; i < WSPI_COUNT(turns); i++)
        for (uint64_t seed = 0; seed < 20; seed++) {
            wsp_filler fill = filler_v6(seed);
            size_t at = i == 1 ? ICMP : IP + 20;
            uint8_t ask = i == 1 ? 128 : 8, tell = i == 1 ? 129 : 0;
            bool server = i == 2;
            wsp_decoded out;

            wire_again(&w);
            draw(&w, &fill, turns[i], &r, &out);
            assert_int_equal(out.frame.data[at], ask);
            draw(&w, &fill, server ? back : again, &r, &out);
            assert_int_equal(out.frame.data[at], ask); /* once more */
            assert_true(may_speak(&w, &fill, !server));
            draw(&w, &fill, server ? again : back, &r, &out);
            assert_int_equal(out.frame.data[at], tell);
            assert_false(may_speak(&w, &fill, !server)); /* it has said it */
            assert_true(may_speak(&w, &fill, server));
        }
    wire_close(&w);
}

/* RFC 2464 7: what is sent to a group stays with it, and has its link address. */
static void messages_to_a_group_stay_with_it(void **state)
{
    static const char *const other[] = {"c2s gap=0", "icmpv6.type=neighbor-advert",
                                        "icmpv6.type=router-solicit", NULL};
    wspi_rng r;
    wire w;

    (void)state;
    wspi_rng_seed(&r, 11);
    wire_open(&w);
    for (size_t i = 0; i < 3; i++) /* the rows that go to groups */
        for (uint64_t seed = 0; seed < 20; seed++) {
            wsp_filler fill = filler_v6(seed);
            wsp_decoded out;

            wire_again(&w);
            draw(&w, &fill, rows[i].wanted, &r, &out);
            draw(&w, &fill, other, &r, &out);
            check(&rows[i], &fill, &out);
        }
    wire_close(&w);
}

/* RFC 3810, RFC 2710: from behind a router alert, with one hop, to the group of reports, or to the group itself. */
static void reports_of_groups_have_records(void **state)
{
    static const struct {
        const char *wanted[7];
        uint8_t type, records, len, end[4];
    } reports[] = {{{"c2s first", "len=20", "stack=eth/ipv6/ipv6.hop/icmpv6", "eth.dst=multicast",
                     "ipv6.dst=multicast", "icmpv6.type=mld2-report"},
                    143,
                    1,
                    20,
                    {0, 0, 0, 0x16}},
                   {{"c2s first", "len=40..41", "stack=eth/ipv6/ipv6.hop/icmpv6",
                     "eth.dst=multicast", "ipv6.dst=multicast", "icmpv6.type=mld2-report"},
                    143,
                    2,
                    40,
                    {0, 0, 0, 0x16}},
                   {{"c2s first", "len=16", "stack=eth/ipv6/ipv6.hop/icmpv6", "eth.dst=multicast",
                     "ipv6.dst=multicast", "icmpv6.type=mld-report"},
                    131,
                    0,
                    16,
                    {0xff, 0, 0, 1}}};
    enum { MLD = ICMP + 8 };
    wspi_rng r;
    wire w;

    (void)state;
    wspi_rng_seed(&r, 8);
    wire_open(&w);
    for (size_t i = 0; i < WSPI_COUNT(reports); i++)
        for (uint64_t seed = 0; seed < 20; seed++) {
            wsp_filler fill = filler_v6(seed);
            wsp_decoded out;
            const uint8_t *b;

            wire_again(&w);
            draw(&w, &fill, reports[i].wanted, &r, &out);
            b = out.frame.data;
            assert_int_equal(out.frame.caplen, MLD + 8 + reports[i].len);
            assert_memory_equal(b, "\x33\x33", 2);
            assert_memory_equal(b + 2, reports[i].end, 4);
            assert_int_equal(b[IP + 7], 1);
            assert_memory_equal(b + IP + 24, "\xff\x02", 2);
            assert_memory_equal(b + IP + 36, reports[i].end, 4);
            assert_memory_equal(b + ICMP, "\x3a\x00\x05\x02\x00\x00\x01\x00", 8);
            assert_int_equal(b[MLD], reports[i].type);
            assert_int_equal(b[MLD + 7], reports[i].records);
            for (size_t k = 0; k < reports[i].records; k++)
                assert_memory_equal(b + MLD + 8 + 20 * k + 4, "\xff\x02", 2);
        }
    wire_close(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(messages_follow_from_their_addresses),
        cmocka_unit_test(a_flow_has_echo_or_neighbors),
        cmocka_unit_test(replies_return_the_data_of_their_requests),
        cmocka_unit_test(replies_return_long_and_empty_data),
        cmocka_unit_test(who_replies_was_asked),
        cmocka_unit_test(messages_to_a_group_stay_with_it),
        cmocka_unit_test(reports_of_groups_have_records),
    };

    (void)wsp_vocab_size();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
