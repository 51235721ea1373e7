/* SPDX-License-Identifier: Apache-2.0 */
/* test_group.c: samples that go to multicast groups and to everybody, and the ports of clients. */
#include "tests/unit/wire.h"

static const uint8_t client[] = {2, 0, 0, 0, 0, 1}, server[] = {2, 0, 0, 0, 0, 2};

static wsp_filler filler(uint64_t seed)
{
    wsp_filler f = {.seed = seed,
                    .start_ns = 1,
                    .client.ip = {10, 0, 0, 1},
                    .server.ip = {10, 1, 2, 3},
                    .client.ip6 = {0x20, 1, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1},
                    .server.ip6 = {0x20, 1, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2},
                    .client_port = 50000};

    memcpy(f.client.mac, client, 6);
    memcpy(f.server.mac, server, 6);
    return f;
}

/* A first packet with the wanted tokens where they are legal; then, may the other side speak? */
static bool draw(wire *w, const wsp_filler *fill, const char *const *wanted, wspi_rng *r,
                 wsp_decoded *out)
{
    uint16_t ids[WSP_MAX_PACKET_TOKENS];

    wire_again(w);
    (void)wire_draw(w, fill, &(wishes){.wanted = wanted, .r = r}, ids, out);
    return may_speak(w, fill, 1);
}

/* What the tokens ask for and where the packet goes: link address, address, ports. */
static const struct row {
    const char *wanted[7];
    uint8_t mac[6], len, address[16], ports[4];
    bool answered;
} rows[] = {
    {{"c2s first", "stack=eth/ipv4/udp", "eth.dst=multicast", "ipv4.dst=multicast",
      "udp.sport=5353", "udp.dport=5353"},
     {1, 0, 0x5e, 0, 0, 0xfb},
     4,
     {224, 0, 0, 0xfb},
     {0x14, 0xe9, 0x14, 0xe9},
     false},
    {{"c2s first", "stack=eth/ipv4/udp", "eth.dst=multicast", "ipv4.dst=multicast", "udp.sport=123",
      "udp.dport=123"},
     {1, 0, 0x5e, 0, 1, 1},
     4,
     {224, 0, 1, 1},
     {0, 123, 0, 123},
     false},
    {{"c2s first", "stack=eth/ipv4/udp", "eth.dst=local", "ipv4.dst=private", "udp.sport=dynamic",
      "udp.dport=123"},
     {2, 0, 0, 0, 0, 2},
     4,
     {10, 1, 2, 3},
     {0xc3, 0x50, 0, 123},
     true},
    {{"c2s first", "stack=eth/ipv4/udp", "eth.dst=broadcast", "ipv4.dst=broadcast", "udp.sport=68",
      "udp.dport=67"},
     {255, 255, 255, 255, 255, 255},
     4,
     {255, 255, 255, 255},
     {0, 68, 0, 67},
     false},
    {{"c2s first", "stack=eth/ipv6/udp", "eth.dst=multicast", "ipv6.dst=multicast",
      "udp.sport=dynamic", "udp.dport=123"},
     {0x33, 0x33, 0, 0, 1, 1},
     16,
     {0xff, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 1},
     {0xc3, 0x50, 0, 123},
     false},
};

#define MDNS "\x14\xe9\x14\xe9"

static void groups_follow_from_ports(void **state)
{
    wspi_rng r;
    wire w;

    (void)state;
    wspi_rng_seed(&r, 3);
    wire_open(&w);
    for (size_t i = 0; i < WSPI_COUNT(rows); i++)
        for (uint64_t seed = 0; seed < 30; seed++) {
            const struct row *row = &rows[i];
            wsp_filler fill = filler(seed);
            wsp_decoded out;
            size_t ip = row->len == 4 ? 14 + 16 : 14 + 24, udp = row->len == 4 ? 34 : 54;

            assert_int_equal(draw(&w, &fill, row->wanted, &r, &out), row->answered);
            assert_memory_equal(out.frame.data, row->mac, 6);
            assert_memory_equal(out.frame.data + ip, row->address, row->len);
            assert_memory_equal(out.frame.data + udp, row->ports, 4);
            if (memcmp(row->ports, MDNS, 4) == 0) /* its hops are known (RFC 6762 11) */
                assert_int_equal(out.frame.data[row->len == 4 ? 22 : 21], 255);
        }
    wire_close(&w);
}

/* The ports of QUIC, DNS, RADIUS and STUN are not those of a group (RFC 9000 9.6). */
static void no_group_has_a_port_of_two_hosts(void **state)
{
    static const char *const ports[] = {"udp.dport=443", "udp.dport=53", "udp.dport=1812",
                                        "udp.dport=3478"};
    wspi_rng r;
    wire w;

    (void)state;
    wspi_rng_seed(&r, 4);
    wire_open(&w);
    for (size_t i = 0; i < WSPI_COUNT(ports); i++)
        for (uint64_t seed = 0; seed < 20; seed++) {
            const char *wanted[] = {"c2s first",
                                    seed % 2 ? "stack=eth/ipv6/udp" : "stack=eth/ipv4/udp",
                                    "eth.dst=multicast",
                                    seed % 2 ? "ipv6.dst=multicast" : "ipv4.dst=multicast",
                                    "udp.sport=dynamic",
                                    ports[i],
                                    NULL};
            unsigned port = (unsigned)strtoul(strchr(ports[i], '=') + 1, NULL, 10), at;
            wsp_filler fill = filler(seed);
            wsp_decoded out;

            assert_false(draw(&w, &fill, wanted, &r, &out));
            at = seed % 2 ? 54 : 34;
            assert_int_not_equal(out.frame.data[at + 2] << 8 | out.frame.data[at + 3], port);
        }
    wire_close(&w);
}

static void igmp_goes_where_its_type_says(void **state)
{
    static const struct {
        const char *wanted[6];
        uint8_t type, to[4];
    } types[] = {{{"c2s first", "stack=eth/ipv4/igmp", "eth.dst=multicast", "ipv4.dst=multicast",
                   "igmp.type=query"},
                  0x11,
                  {224, 0, 0, 1}},
                 {{"c2s first", "stack=eth/ipv4/igmp", "eth.dst=multicast", "ipv4.dst=multicast",
                   "igmp.type=leave"},
                  0x17,
                  {224, 0, 0, 2}},
                 {{"c2s first", "stack=eth/ipv4/igmp", "eth.dst=multicast", "ipv4.dst=multicast",
                   "igmp.type=report1"},
                  0x12,
                  {239, 1, 2, 3}}};
    wspi_rng r;
    wire w;

    (void)state;
    wspi_rng_seed(&r, 4);
    wire_open(&w);
    for (size_t i = 0; i < WSPI_COUNT(types); i++)
        for (uint64_t seed = 0; seed < 30; seed++) {
            wsp_filler fill = filler(seed);
            wsp_decoded out;

            assert_false(draw(&w, &fill, types[i].wanted, &r, &out));
            assert_int_equal(out.frame.data[34], types[i].type);
            assert_memory_equal(out.frame.data + 30, types[i].to, 4);
            if (types[i].type == 0x11)
                assert_memory_equal(out.frame.data + 38, "\0\0\0\0", 4);
            else
                assert_memory_equal(out.frame.data + 38, "\xef\x01\x02\x03", 4);
            assert_int_equal(out.frame.data[17] + 14u + out.frame.data[16] * 256u, 42);
        }
    wire_close(&w);
}

/* As many records as the length has room for, one at least; the next one is a report, too. */
static void reports_of_version_3_have_records(void **state)
{
    static const struct {
        const char *wanted[7];
        size_t records;
    } rows3[] = {{{"c2s first", "len=8", "stack=eth/ipv4+alert/igmp", "eth.dst=multicast",
                   "ipv4.dst=multicast", "igmp.type=report3"},
                  1},
                 {{"c2s first", "len=24", "stack=eth/ipv4+alert/igmp", "eth.dst=multicast",
                   "ipv4.dst=multicast", "igmp.type=report3"},
                  3},
                 {{"c2s first", "len=0", "stack=eth/ipv4+alert/igmp", "eth.dst=multicast",
                   "ipv4.dst=multicast", "igmp.type=report3"},
                  1}};
    wspi_rng r;
    wire w;

    (void)state;
    wspi_rng_seed(&r, 5);
    wire_open(&w);
    for (size_t i = 0; i < WSPI_COUNT(rows3); i++)
        for (uint64_t seed = 0; seed < 30; seed++) {
            wsp_filler fill = filler(seed);
            wsp_decoded out;
            const uint8_t *b, *igmp;

            assert_false(draw(&w, &fill, rows3[i].wanted, &r, &out));
            b = out.frame.data;
            igmp = b + 14 + 24;
            assert_memory_equal(b, "\x01\x00\x5e\x00\x00\x16", 6);
            assert_int_equal(b[22], 1);
            assert_memory_equal(b + 30, "\xe0\x00\x00\x16", 4);
            assert_int_equal(b[17], 24 + 8 + 8 * rows3[i].records);
            assert_memory_equal(igmp, "\x22\x00", 2);
            assert_int_equal(igmp[7], rows3[i].records);
            for (size_t k = 1; k <= rows3[i].records; k++) {
                assert_in_range(igmp[8 * k], 2, 4);
                assert_memory_equal(igmp + 8 * k + 1, "\0\0\0", 3);
                assert_int_equal(igmp[8 * k + 4] >> 4, 14);
            }
            assert_true(wspi_igmp_reports(w.dec, 0));
        }
    wire_close(&w);
}

/* A client with two network cards, the second one in two networks. */
static const wsp_host others[] = {
    {.mac = {0, 0x16, 0x3e, 0, 0, 2}, .ip = {10, 0, 0, 2}, .ip6 = {0xfe, 0x80, [15] = 2}},
    {.mac = {0, 0x16, 0x3e, 0, 0, 2}, .ip = {198, 18, 0, 2}, .ip6 = {0x20, 1, 13, 0xb8, [15] = 3}},
};

static const struct choice {
    const char *wanted[8];
    uint8_t mac[6], len, address[16];
} choices[] = {
    {{"c2s first", "stack=eth/ipv4/udp", "eth.dst=local", "eth.src=local", "ipv4.src=public"},
     {2, 0, 0, 0, 0, 1},
     4,
     {10, 0, 0, 1}}, /* the first card is in no public network */
    {{"c2s first", "stack=eth/ipv4/udp", "eth.dst=local", "eth.src=public", "ipv4.src=private"},
     {0, 0x16, 0x3e, 0, 0, 2},
     4,
     {10, 0, 0, 2}},
    {{"c2s first", "stack=eth/ipv4/udp", "eth.dst=local", "eth.src=public", "ipv4.src=public"},
     {0, 0x16, 0x3e, 0, 0, 2},
     4,
     {198, 18, 0, 2}},
    {{"c2s first", "stack=eth/ipv6/udp", "eth.dst=local", "eth.src=public", "ipv6.src=linklocal"},
     {0, 0x16, 0x3e, 0, 0, 2},
     16,
     {0xfe, 0x80, [15] = 2}},
    {{"c2s first", "stack=eth/ipv6/udp", "eth.dst=local", "eth.src=public", "ipv6.src=public"},
     {0, 0x16, 0x3e, 0, 0, 2},
     16,
     {0x20, 1, 13, 0xb8, [15] = 3}},
    {{"c2s first", "stack=eth/ipv4/udp", "eth.dst=broadcast", "eth.src=local", "ipv4.src=zero",
      "udp.sport=dynamic"},
     {2, 0, 0, 0, 0, 1},
     4,
     {0}}, /* who has no address yet asks for one */
};

static void hosts_are_of_the_classes_that_are_drawn(void **state)
{
    wspi_rng r;
    wire w;

    (void)state;
    wspi_rng_seed(&r, 5);
    wire_open(&w);
    for (size_t i = 0; i < WSPI_COUNT(choices); i++)
        for (uint64_t seed = 0; seed < 30; seed++) {
            const struct choice *k = &choices[i];
            wsp_filler fill = filler(seed);
            wsp_decoded out;

            fill.others[0] = others;
            fill.n_others[0] = WSPI_COUNT(others);
            (void)draw(&w, &fill, k->wanted, &r, &out);
            assert_memory_equal(out.frame.data + 6, k->mac, 6);
            assert_memory_equal(out.frame.data + (k->len == 4 ? 14 + 12 : 14 + 8), k->address,
                                k->len);
            if (i + 1 == WSPI_COUNT(choices))
                assert_memory_equal(out.frame.data + 30, "\xff\xff\xff\xff\0\x44\0\x43", 8);
        }
    wire_close(&w);
}

/* RFC 3376 4: it has an IPv4 header; IPv6 has MLD. */
static void igmp_is_in_ipv4_only(void **state)
{
    (void)state;
    assert_true(wspi_may_follow(WSPI_IPV4, WSPI_IGMP));
    assert_false(wspi_may_follow(WSPI_IPV6, WSPI_IGMP));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(igmp_is_in_ipv4_only),
        cmocka_unit_test(hosts_are_of_the_classes_that_are_drawn),
        cmocka_unit_test(groups_follow_from_ports),
        cmocka_unit_test(no_group_has_a_port_of_two_hosts),
        cmocka_unit_test(igmp_goes_where_its_type_says),
        cmocka_unit_test(reports_of_version_3_have_records),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
