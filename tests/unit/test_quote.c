/* SPDX-License-Identifier: Apache-2.0 */
/* test_quote.c: samples of ICMP's errors: what they quote went the other way. */
#include "tests/unit/wire.h"

static uint16_t pick_in_turn(wishes *how, uint8_t *legal)
{
    const char *one[] = {how->wanted[how->at], NULL};
    uint16_t id = choose(legal, one, how->r);

    how->at += one[0] && strcmp(token_name(id), one[0]) == 0;
    return id;
}

/* A packet of a flow with the wanted tokens, each where it is legal first, in turn; then, may the other side speak? */
static bool draw(wire *w, const wsp_filler *fill, const char *const *wanted, wspi_rng *r,
                 wsp_decoded *out)
{
    uint16_t ids[WSP_MAX_PACKET_TOKENS];

    (void)wire_draw(w, fill, &(wishes){wanted, r, pick_in_turn, 0}, ids, out);
    return may_speak(w, fill, 1);
}

static wsp_filler filler(uint64_t seed)
{
    wsp_filler f = filler_of(seed);

    f.client.ip6[0] = f.server.ip6[0] = 0x20;
    f.client.ip6[15] = 1;
    f.server.ip6[15] = 2;
    return f;
}

/* What is wanted; the bytes of an IP header; type, code and hops of what is quoted (0: any); is all of it there. */
static const struct row {
    const char *wanted[9];
    unsigned header;
    uint8_t type, code, hops;
    bool whole;
} rows[] = {
    {{"c2s first", "len=25", "stack=eth/ipv4/icmp/ipv4/udp", "eth.dst=local", "ipv4.dst=private",
      "icmp.type=unreachable", "icmp.code=3"},
     20,
     3,
     3,
     0,
     true},
    {{"c2s first", "len=0", "stack=eth/ipv4/icmp/ipv4/udp", "eth.dst=local", "ipv4.dst=private",
      "icmp.type=unreachable", "icmp.code=12..13"},
     20,
     3,
     13,
     0,
     false},
    {{"c2s first", "len=0", "stack=eth/ipv4/icmp/ipv4/icmp", "eth.dst=local", "ipv4.dst=private",
      "icmp.type=time-exceeded"},
     20,
     11,
     0,
     1,
     false},
    {{"c2s first", "len=0", "stack=eth/ipv4/icmp/ipv4/tcp", "eth.dst=local", "ipv4.dst=private",
      "icmp.type=unreachable", "icmp.code=10..11"},
     20,
     3,
     10,
     0,
     true},
    {{"c2s first", "len=12", "stack=eth/ipv6/icmpv6/ipv6/udp", "eth.dst=local", "ipv6.dst=public",
      "icmpv6.type=unreachable", "icmpv6.code=4"},
     40,
     1,
     4,
     0,
     true},
    {{"c2s first", "len=12", "stack=eth/ipv6/icmpv6/ipv6/udp", "eth.dst=local", "ipv6.dst=public",
      "icmpv6.type=time-exceeded"},
     40,
     3,
     0,
     1,
     true},
};

static void check(const struct row *row, const wsp_decoded *out)
{
    bool v4 = row->header == 20;
    const uint8_t *ip = out->frame.data + 14, *icmp = ip + row->header, *quoted = icmp + 8;
    size_t src = v4 ? 12 : 8, len = v4 ? 4 : 16, there = out->frame.caplen - 14 - row->header - 8;
    size_t total = v4 ? quoted[2] * 256u + quoted[3] : 40 + quoted[4] * 256u + quoted[5];

    assert_int_equal(icmp[0], row->type);
    assert_int_equal(icmp[1], row->code);
    assert_memory_equal(icmp + 4, "\0\0\0\0", 4);
    assert_memory_equal(quoted + src, ip + src + len, len);
    assert_memory_equal(quoted + src + len, ip + src, len);
    if (row->hops)
        assert_int_equal(quoted[v4 ? 8 : 7], row->hops);
    if (v4)
        assert_int_equal(wspi_fold(wspi_sum16(quoted, 20, SIZE_MAX - 1)), 0);
    if (row->whole)
        assert_int_equal(total, there);
    else
        assert_true(total > there && total <= WSPI_MTU);
}

static void errors_quote_what_their_receiver_sent(void **state)
{
    wspi_rng r;
    wire w;

    (void)state;
    wspi_rng_seed(&r, 8);
    wire_open(&w);
    for (size_t i = 0; i < WSPI_COUNT(rows); i++)
        for (uint64_t seed = 0; seed < 30; seed++) {
            wsp_filler fill = filler(seed);
            wsp_decoded out;

            wire_again(&w);
            assert_false(draw(&w, &fill, rows[i].wanted, &r, &out));
            check(&rows[i], &out);
        }
    wire_close(&w);
}

static void an_error_that_follows_is_of_the_same_flow(void **state)
{
    static const char *const next[] = {"c2s gap=0", "len=25", NULL};
    wspi_rng r;
    wire w;

    (void)state;
    wspi_rng_seed(&r, 9);
    wire_open(&w);
    for (uint64_t seed = 0; seed < 50; seed++) {
        wsp_filler fill = filler(seed);
        wsp_decoded out;

        wire_again(&w);
        (void)draw(&w, &fill, rows[0].wanted, &r, &out);
        assert_false(draw(&w, &fill, next, &r, &out));
        assert_true(out.frame.data[34] == 3 || out.frame.data[34] == 11);
        assert_memory_equal(out.frame.data + 42 + 12, out.frame.data + 14 + 16, 4);
    }
    wire_close(&w);
}

/* What tells the host of a router: of a port, the destination itself, of a host, another one of its side. */
static void routers_speak_of_other_hosts(void **state)
{
    static const wsp_host others[] = {{.mac = {2, 1}, .ip = {99, 1, 2, 3}}};
    static const char *const wanted[][12] = {
        {"c2s first", "stack=eth/ipv4/icmp/ipv4/udp", "eth.dst=local", "ipv4.src=private",
         "ipv4.dst=private", "icmp.type=unreachable", "icmp.code=3", "ipv4.dst=public", NULL},
        {"c2s first", "stack=eth/ipv4/icmp/ipv4/udp", "eth.dst=local", "ipv4.src=private",
         "ipv4.dst=private", "icmp.type=unreachable", "icmp.code=1", "ipv4.dst=public", NULL}};
    wspi_rng r;
    wire w;

    (void)state;
    wspi_rng_seed(&r, 10);
    wire_open(&w);
    for (size_t i = 0; i < WSPI_COUNT(wanted); i++)
        for (uint64_t seed = 0; seed < 20; seed++) {
            wsp_filler fill = filler(seed);
            wsp_decoded out;

            fill.others[0] = others;
            fill.n_others[0] = 1;
            wire_again(&w);
            (void)draw(&w, &fill, wanted[i], &r, &out);
            assert_memory_equal(out.frame.data + 26, fill.client.ip, 4);
            assert_true(memcmp(out.frame.data + 42 + 16, fill.client.ip, 4) == 0 ||
                        (i == 1 && memcmp(out.frame.data + 42 + 16, others[0].ip, 4) == 0));
        }
    wire_close(&w);
}

static void what_quotes_nothing_is_no_error(void **state)
{
    static const char *const wanted[][5] = {
        {"c2s first", "stack=eth/ipv4/icmp", "eth.dst=local", "icmp.type=unreachable"},
        {"c2s first", "stack=eth/ipv6/icmpv6", "eth.dst=local", "icmpv6.type=unreachable"},
        {"c2s first", "stack=eth/ipv6/icmpv6", "eth.dst=local", "icmpv6.type=mld2-report"}};
    wspi_rng r;
    wire w;

    (void)state;
    wspi_rng_seed(&r, 11);
    wire_open(&w);
    for (size_t i = 0; i < WSPI_COUNT(wanted); i++)
        for (uint64_t seed = 0; seed < 20; seed++) {
            wsp_filler fill = filler(seed);
            wsp_decoded out;
            uint8_t type;

            wire_again(&w);
            (void)draw(&w, &fill, wanted[i], &r, &out);
            type = out.frame.data[14 + (i ? 40 : 20)];
            assert_true(i ? type / 2 == 64 || wspi_ndp_is(type) : type == 0 || type == 8);
            assert_int_equal(out.frame.data[14 + (i ? 40 : 20) + 1], 0);
        }
    wire_close(&w);
}

/* Options are listed; what is quoted of a connection opens it. */
static void segments_may_be_quoted_with_options(void **state)
{
    static const char *const wanted[] = {"c2s first",
                                         "len=0",
                                         "stack.keep=0",
                                         "layer=eth",
                                         "layer=ipv4",
                                         "layer=icmp",
                                         "layer=ipv4",
                                         "layer=tcp",
                                         "layer=tcp.opt.mss",
                                         "layer=payload",
                                         "eth.dst=local",
                                         "ipv4.dst=private",
                                         "icmp.type=unreachable",
                                         NULL};
    wspi_rng r;
    wire w;

    (void)state;
    wspi_rng_seed(&r, 12);
    wire_open(&w);
    for (uint64_t seed = 0; seed < 50; seed++) {
        wsp_filler fill = filler(seed);
        wsp_decoded out;
        const uint8_t *b;

        wire_again(&w);
        assert_false(draw(&w, &fill, wanted, &r, &out));
        b = out.frame.data;
        assert_int_equal(b[34], 3);
        assert_int_equal(b[42 + 9], 6);
        assert_int_equal(b[42 + 3], 44); /* all of it */
        assert_memory_equal(b + 42 + 12, b + 14 + 16, 4);
        assert_int_equal(b[62 + 12] >> 4, 6);
        assert_true(b[62 + 13] & WSPI_TH_SYN);
    }
    wire_close(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(errors_quote_what_their_receiver_sent),
        cmocka_unit_test(an_error_that_follows_is_of_the_same_flow),
        cmocka_unit_test(routers_speak_of_other_hosts),
        cmocka_unit_test(what_quotes_nothing_is_no_error),
        cmocka_unit_test(segments_may_be_quoted_with_options),
    };

    (void)wsp_vocab_size();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
