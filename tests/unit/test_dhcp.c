/* SPDX-License-Identifier: Apache-2.0 */
/* test_dhcp.c: DHCP messages: round trip of whole, cut and damaged ones, their tokens, samples. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "token/app/app.h"

#include "tests/unit/wire.h"

static const uint8_t asks[] = {53,  1,   1,   61,  7,  1,   2,   0,   0,   0,   0,   1,   12,  4,
                               'h', 'o', 's', 't', 60, 8,   'M', 'S', 'F', 'T', ' ', '5', '.', '0',
                               55,  4,   1,   3,   6,  200, 255, 0,   0,   0,   0,   0};
static const uint8_t acks[] = {53,  1,   5,   54,  4,   10,  0, 0, 2,   51, 4, 0, 1,  0x51, 0x80,
                               1,   4,   255, 255, 255, 0,   3, 4, 10,  0,  0, 2, 15, 3,    'l',
                               'a', 'n', 26,  2,   5,   220, 0, 0, 224, 2,  1, 2, 255};

/* A message of DHCP with these options, `captured` bytes of it and its headers; 0: all. */
static void datagram(wire *w, const uint8_t *options, size_t n, size_t captured, int dir)
{
    uint8_t b[ROOM] = {0}, *m = b + HEADERS_UDP;
    size_t len = HEADERS_UDP + 240 + n;

    put_headers(b, 8 + 240 + n, 17, dir);
    put16(b + 34, dir ? 67 : 68);
    put16(b + 36, dir ? 68 : 67);
    put16(b + 38, 8 + 240 + n);
    m[0] = (uint8_t)(1 + dir);
    m[1] = 1;
    m[2] = 6;
    put16(m + 4, 0xbeef);
    m[16] = dir ? 10 : 0;
    m[28] = 2;
    m[33] = 1;
    if (dir)
        memcpy(m + 108, "boot", 4);
    put16(m + 236, 0x6382);
    put16(m + 238, 0x5363);
    memcpy(m + 240, options, n);
    carry(w, b, (uint32_t)(captured ? captured : len), (uint32_t)len, dir);
}

static void dhcp_messages_have_the_tokens_that_are_expected(void **state)
{
    static const char *const asked[] = {"app=dhcp",
                                        "dhcp.op=request",
                                        "dhcp.message=discover",
                                        "dhcp.name=4..5",
                                        "dhcp.option=host-name",
                                        "dhcp.option=parameters",
                                        "dhcp.length=8..9",
                                        "dhcp.requested=subnet-mask",
                                        "dhcp.requested=other"};
    static const char *const answered[] = {
        "dhcp.op=reply",          "dhcp.message=ack",   "dhcp.areas=file",
        "dhcp.option=lease-time", "dhcp.option=router", "dhcp.option=pad",
        "dhcp.option=mtu",        "dhcp.option=end",    "dhcp.number=65536..98303"};
    wire w;

    (void)state;
    wire_open(&w);
    datagram(&w, asks, sizeof asks, 0, 0);
    for (size_t i = 0; i < WSPI_COUNT(asked); i++)
        assert_named(&w, asked[i]);
    datagram(&w, acks, sizeof acks, 0, 1);
    for (size_t i = 0; i < WSPI_COUNT(answered); i++)
        assert_named(&w, answered[i]);
    datagram(&w, asks, sizeof asks, 0, 0);
    assert_named(&w, "dhcp.option=parameters");
    assert_null(strstr(w.names, "dhcp.requested")); /* as the last time */
    wire_close(&w);
}

static void dhcp_comes_back_cut_and_damaged(void **state)
{
    uint8_t b[sizeof acks];
    wspi_rng r;
    wire w;

    (void)state;
    wspi_rng_seed(&r, 6);
    wire_open(&w);
    for (size_t n = 1; n <= HEADERS_UDP + 240 + sizeof asks; n++) {
        wire_again(&w);
        datagram(&w, asks, sizeof asks, n, 0);
        datagram(&w, acks, sizeof acks, n, 1);
        datagram(&w, asks, sizeof asks, 0, 0);
        datagram(&w, asks, n % sizeof asks, 0, 0);
        datagram(&w, acks, n % sizeof acks, 0, 1);
    }
    for (int i = 0; i < 20000; i++) {
        memcpy(b, i & 1 ? asks : acks, sizeof asks);
        for (int k = 0; k < 3; k++)
            b[wspi_rng_below(&r, sizeof asks)] = (uint8_t)wspi_rng_u64(&r);
        datagram(&w, b, sizeof asks, 0, i & 1);
    }
    wire_close(&w);
}

/* ---- samples ---- */

static void sampled_dhcp_is_dhcp(void **state)
{
    static const char *const asks_for[] = {
        "c2s first",    "c2s gap=0", "stack=eth/ipv4/udp", "udp.sport=68", "udp.dport=67",
        "len=288..303", NULL};
    static const char *const answers_with[] = {
        "s2c first",    "s2c gap=0", "stack=eth/ipv4/udp", "udp.sport=67", "udp.dport=68",
        "len=288..303", NULL};

    (void)state;
    sample_flows(asks_for, answers_with, WSPI_APP_DHCP);
}

/* A server that answers to all is a flow of its own, which begins with it; the address is that of whom it speaks to. */
static void a_sampled_dhcp_server_may_speak_alone(void **state)
{
    static const char *const tells[] = {"c2s first",
                                        "c2s gap=0",
                                        "stack=eth/ipv4/udp",
                                        "udp.sport=67",
                                        "udp.dport=68",
                                        "len=320..335",
                                        "dhcp.ciaddr=changed",
                                        "dhcp.siaddr=changed",
                                        "dhcp.message=ack",
                                        "dhcp.option=fqdn",
                                        "dhcp.name=16..23",
                                        "text=\\x03\\xff\\xff",
                                        NULL};
    static const char *const says[] = {"dhcp.op=reply",       "dhcp.ciaddr=changed",
                                       "dhcp.siaddr=changed", "dhcp.message=ack",
                                       "dhcp.option=fqdn",    "text=\\x03\\xff\\xff"};
    wsp_filler fill = filler_of(1);
    wspi_rng r;
    wire w;

    (void)state;
    wspi_rng_seed(&r, 6);
    wire_open(&w);
    for (fill.seed = 0; fill.seed < 20; fill.seed++) {
        const uint8_t *b;
        wire_again(&w);
        sample(&w, &fill, tells, 0, WSPI_APP_DHCP, &r);
        for (size_t k = 0; k < WSPI_COUNT(says); k++)
            assert_named(&w, says[k]);
        b = w.packet->data + w.packet->payload_off;
        assert_true(w.packet->payload_len >= 320);
        assert_memory_equal(b + 12, fill.server.ip, 4);
        assert_memory_equal(b + 16, fill.server.ip, 4);
        assert_memory_equal(b + 20, fill.client.ip, 4);
    }
    wire_close(&w);
}

/* The contents of an option, NULL: it is not there. */
static const uint8_t *find_option(const wire *w, uint8_t type, size_t n)
{
    const uint8_t *b = w->packet->data + w->packet->payload_off;

    for (size_t at = 240; at + 2 + n <= w->packet->payload_len && b[at] != 255;
         at += 2u + b[at + 1])
        if (b[at] == type && b[at + 1] == n)
            return b + at + 2;
    return NULL;
}

/* RFC 2132 9.7, 9.14: identifiers are the server's address and the client's hardware address; addresses are of the network. */
static void sampled_dhcp_tells_who_is_who(void **state)
{
    static const char *const discovers[] = {"c2s first",
                                            "c2s gap=0",
                                            "stack=eth/ipv4/udp",
                                            "udp.sport=68",
                                            "udp.dport=67",
                                            "len=288..303",
                                            "dhcp.message=discover",
                                            "dhcp.option=client-id",
                                            "dhcp.option=requested-address",
                                            NULL};
    static const char *const tells[] = {"s2c gap=0",
                                        "len=288..303",
                                        "dhcp.message=ack",
                                        "dhcp.option=server-id",
                                        "dhcp.option=router",
                                        "dhcp.option=broadcast",
                                        NULL};
    wsp_filler fill = filler_of(1);
    wspi_rng r;
    wire w;

    (void)state;
    wspi_rng_seed(&r, 6);
    wire_open(&w);
    for (fill.seed = 0; fill.seed < 20; fill.seed++) {
        const uint8_t *b;

        wire_again(&w);
        sample(&w, &fill, discovers, 0, WSPI_APP_DHCP, &r);
        assert_non_null(b = find_option(&w, 61, 7));
        assert_int_equal(b[0], 1);
        assert_memory_equal(b + 1, w.packet->data + w.packet->payload_off + 28, 6);
        b = w.packet->data + w.packet->payload_off;
        if (wspi_zeros(b + 12, 4)) { /* else it has an address */
            assert_non_null(b = find_option(&w, 50, 4));
            assert_memory_equal(b, fill.client.ip, 4);
        }
        sample(&w, &fill, tells, 1, WSPI_APP_DHCP, &r);
        assert_non_null(b = find_option(&w, 54, 4));
        assert_memory_equal(b, fill.server.ip, 4);
        assert_non_null(b = find_option(&w, 3, 4));
        assert_memory_equal(b, fill.server.ip, 4);
        assert_non_null(b = find_option(&w, 28, 4));
        assert_int_equal(b[0], fill.server.ip[0]);
        assert_int_equal(b[3], 255);
    }
    wire_close(&w);
}

/* And a client tells its own address, and asks for what servers never send. */
static void a_sampled_dhcp_client_may_have_an_address(void **state)
{
    static const char *const wants[] = {"c2s first",
                                        "c2s gap=0",
                                        "stack=eth/ipv4/udp",
                                        "udp.sport=68",
                                        "udp.dport=67",
                                        "len=288..303",
                                        "dhcp.ciaddr=changed",
                                        "dhcp.message=inform",
                                        "dhcp.option=parameters",
                                        "dhcp.length=16..19",
                                        "dhcp.requested=netbios-scope",
                                        NULL};
    wsp_filler fill = filler_of(1);
    wspi_rng r;
    wire w;

    (void)state;
    wspi_rng_seed(&r, 6);
    wire_open(&w);
    for (fill.seed = 0; fill.seed < 20; fill.seed++) {
        wire_again(&w);
        sample(&w, &fill, wants, 0, WSPI_APP_DHCP, &r);
        for (size_t k = 6; k < 11; k++)
            assert_named(&w, wants[k]);
        assert_memory_equal(w.packet->data + w.packet->payload_off + 12, fill.client.ip, 4);
    }
    wire_close(&w);
}

static uint64_t number_in(const wire *w, uint8_t type)
{
    const uint8_t *b = find_option(w, type, 4);

    assert_non_null(b);
    return wspi_load_be(b, 4);
}

/* RFC 2131 4.4.5, RFC 2132 3.5: a lease is renewed, then rebound, then over; the router is in the client's network, whoever serves. */
static void sampled_leases_are_of_a_piece(void **state)
{
    static const char *const gives[] = {"c2s first",
                                        "c2s gap=0",
                                        "stack=eth/ipv4/udp",
                                        "udp.sport=67",
                                        "udp.dport=68",
                                        "len=320..335",
                                        "dhcp.message=ack",
                                        "dhcp.option=rebinding-time",
                                        "dhcp.option=lease-time",
                                        "dhcp.option=renewal-time",
                                        "dhcp.option=server-id",
                                        "dhcp.option=router",
                                        "dhcp.option=broadcast",
                                        NULL};
    wsp_filler fill = filler_of(1);
    wspi_rng r;
    wire w;

    (void)state;
    wspi_rng_seed(&r, 7);
    wire_open(&w);
    memcpy(fill.server.ip, (uint8_t[]){10, 0, 7, 1}, 4); /* another network */
    for (fill.seed = 0; fill.seed < 20; fill.seed++) {
        const uint8_t *b;
        uint64_t lease, client, mask = 0xffffff00;

        wire_again(&w);
        sample(&w, &fill, gives, 0, WSPI_APP_DHCP, &r);
        lease = number_in(&w, 51);
        assert_true(lease < 8 ||
                    (number_in(&w, 58) < number_in(&w, 59) && number_in(&w, 59) < lease));
        (void)number_in(&w, 54);
        b = w.packet->data + w.packet->payload_off;
        client = wspi_load_be(b + 16, 4) ? wspi_load_be(b + 16, 4) : wspi_load_be(b + 12, 4);
        if (find_option(&w, 1, 4))
            mask = number_in(&w, 1);
        if (!client || mask > 0xfffffffc)
            continue;
        assert_int_equal(number_in(&w, 3) & mask, client & mask);
        assert_int_not_equal(number_in(&w, 3), client);
        assert_int_equal(number_in(&w, 28), client | (~mask & 0xffffffff));
    }
    wire_close(&w);
}

/* 4.4.1: who asks for an address says which one, and DISCOVER names no server. */
static void a_sampled_dhcp_client_asks_for_an_address(void **state)
{
    static const char *const asks_for[][9] = {
        {"c2s first", "c2s gap=0", "stack=eth/ipv4/udp", "udp.sport=68", "udp.dport=67",
         "len=288..303", "dhcp.message=request", "dhcp.option=end", NULL},
        {"c2s first", "c2s gap=0", "stack=eth/ipv4/udp", "udp.sport=68", "udp.dport=67",
         "len=288..303", "dhcp.message=discover", "dhcp.option=server-id", NULL}};
    wsp_filler fill = filler_of(1);
    wspi_rng r;
    wire w;

    (void)state;
    wspi_rng_seed(&r, 8);
    wire_open(&w);
    for (fill.seed = 0; fill.seed < 40; fill.seed++) {
        const uint8_t *b;
        bool has_one;

        wire_again(&w);
        sample(&w, &fill, asks_for[fill.seed % 2], 0, WSPI_APP_DHCP, &r);
        b = w.packet->data + w.packet->payload_off;
        has_one = !wspi_zeros(b + 12, 4);
        if (b[242] == 3)
            assert_true(has_one == !find_option(&w, 50, 4));
        if (b[242] == 1 || (b[242] == 3 && has_one))
            assert_null(find_option(&w, 54, 4));
    }
    wire_close(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(dhcp_messages_have_the_tokens_that_are_expected),
        cmocka_unit_test(dhcp_comes_back_cut_and_damaged),
        cmocka_unit_test(sampled_dhcp_is_dhcp),
        cmocka_unit_test(a_sampled_dhcp_server_may_speak_alone),
        cmocka_unit_test(sampled_dhcp_tells_who_is_who),
        cmocka_unit_test(a_sampled_dhcp_client_may_have_an_address),
        cmocka_unit_test(sampled_leases_are_of_a_piece),
        cmocka_unit_test(a_sampled_dhcp_client_asks_for_an_address),
    };

    (void)wsp_vocab_size();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
