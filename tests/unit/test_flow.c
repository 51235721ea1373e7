/* SPDX-License-Identifier: Apache-2.0 */
/* test_flow.c: keys, directions, timeouts, TCP closing, limits and order of the flow table. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "wirespeak/flow.h"

#define S UINT64_C(1000000000)
enum { FIN = 1, SYN = 2, RST = 4, ACK = 16 };

typedef struct ended {
    size_t n;
    uint64_t id[4096];
    wsp_flow_end end[4096];
} ended;

static ended seen;

static void on_release(void *arg, wsp_flow *flow)
{
    ended *e = arg;

    if (e->n < 4096) {
        e->id[e->n] = flow->id;
        e->end[e->n] = flow->end;
    }
    e->n++;
    free(flow->user);
}

static wsp_flow_table *table(size_t max, uint64_t idle, uint64_t active)
{
    wsp_flow_table_options o = wsp_flow_table_options_default();
    wsp_flow_table *t;

    seen = (ended){0};
    o.max_flows = max;
    o.idle_ns = idle;
    o.active_ns = active;
    o.release = on_release;
    o.arg = &seen;
    assert_int_equal(wsp_flow_table_new(&t, &o), WSP_OK);
    return t;
}

static wsp_flow_key key(uint8_t from, uint16_t sport, uint8_t to, uint16_t dport)
{
    wsp_flow_key k = {.ethertype = 0x0800, .proto = 6, .addr_len = 4};

    k.addr[0][0] = k.addr[1][0] = 10;
    k.addr[0][3] = from;
    k.addr[1][3] = to;
    k.port[0] = sport;
    k.port[1] = dport;
    return k;
}

static wsp_flow *add(wsp_flow_table *t, wsp_flow_key k, uint64_t ns, uint8_t flags, int want_dir)
{
    wsp_flow *f;
    int dir;

    assert_int_equal(wsp_flow_table_add(t, &k, ns, 100, flags, &f, &dir), WSP_OK);
    assert_int_equal(dir, want_dir);
    return f;
}

static void ordering_a_key_is_the_same_from_both_sides(void **state)
{
    wsp_flow_key a = key(1, 5000, 2, 80), b = key(2, 80, 1, 5000), c = key(1, 9, 1, 8);

    (void)state;
    assert_int_equal(wsp_flow_key_order(&a), 0);
    assert_int_equal(wsp_flow_key_order(&b), 1);
    assert_memory_equal(&a, &b, sizeof a);
    assert_int_equal(wsp_flow_key_order(&c), 1);
    assert_int_equal(c.port[0], 8);
    assert_int_equal(wsp_flow_key_order(&c), 0);
}

static void both_directions_are_one_flow_of_the_first_sender(void **state)
{
    wsp_flow_table *t = table(10, 120 * S, 0);
    wsp_flow *f;

    (void)state;
    f = add(t, key(2, 5000, 1, 80), 1 * S, SYN, 0);
    assert_int_equal(f->key.addr[0][3], 2);
    assert_int_equal(f->key.port[1], 80);
    f = add(t, key(1, 80, 2, 5000), 2 * S, SYN | ACK, 1);
    add(t, key(2, 5000, 1, 80), 3 * S, ACK, 0);
    assert_int_equal(f->packets[0], 2);
    assert_int_equal(f->packets[1], 1);
    assert_int_equal(f->bytes[0], 200);
    assert_int_equal(f->first_ns, 1 * S);
    assert_int_equal(f->last_ns, 3 * S);
    assert_int_equal(wsp_flow_table_count(t), 1);
    wsp_flow_table_free(t);
    assert_int_equal(seen.n, 1);
    assert_int_equal(seen.end[0], WSP_FLOW_EOF);
}

static void a_flow_is_as_long_as_its_times_are_apart(void **state)
{
    wsp_flow_table *t = table(10, 120 * S, 0);
    wsp_flow *f;

    (void)state;
    add(t, key(2, 5000, 1, 80), 5 * S, SYN, 0);
    add(t, key(1, 80, 2, 5000), 3 * S, SYN | ACK, 1); /* of another interface, later in the file */
    f = add(t, key(2, 5000, 1, 80), 4 * S, ACK, 0);
    assert_int_equal(f->first_ns, 3 * S);
    assert_int_equal(f->last_ns, 5 * S);
    wsp_flow_table_free(t);
}

static void a_syn_ack_first_makes_its_receiver_the_initiator(void **state)
{
    wsp_flow_table *t = table(10, 120 * S, 0);
    wsp_flow *f = add(t, key(1, 80, 2, 5000), S, SYN | ACK, 1);
    wsp_flow_key self = key(7, 7, 7, 7);

    (void)state;
    assert_int_equal(f->key.addr[0][3], 2);
    assert_int_equal(f->key.port[0], 5000);
    add(t, key(2, 5000, 1, 80), S, ACK, 0);
    add(t, self, S, SYN | ACK, 0); /* no sides to tell apart */
    wsp_flow_table_free(t);
}

static void scope_and_protocol_tell_flows_apart(void **state)
{
    wsp_flow_table *t = table(10, 120 * S, 0);
    wsp_flow_key a = key(1, 1, 2, 2), b = a, c = a;

    (void)state;
    b.scope = 7;
    c.proto = 17;
    add(t, a, S, 0, 0);
    add(t, b, S, 0, 0);
    add(t, c, S, RST, 0); /* not TCP: these bits mean nothing */
    assert_int_equal(wsp_flow_table_count(t), 3);
    assert_int_equal(add(t, c, S, 0, 0)->end, WSP_FLOW_OPEN);
    wsp_flow_table_free(t);
}

static void idle_flows_end_when_time_goes_on(void **state)
{
    wsp_flow_table *t = table(10, 10 * S, 0);

    (void)state;
    add(t, key(1, 1, 2, 2), 0, 0, 0);
    add(t, key(3, 1, 2, 2), 5 * S, 0, 0);
    add(t, key(1, 1, 2, 2), 10 * S, 0, 0); /* exactly the timeout is not over it */
    assert_int_equal(seen.n, 0);
    add(t, key(4, 1, 2, 2), 16 * S, 0, 0);
    assert_int_equal(seen.n, 1);
    assert_int_equal(seen.id[0], 1);
    assert_int_equal(seen.end[0], WSP_FLOW_IDLE);
    assert_int_equal(add(t, key(1, 1, 2, 2), 40 * S, 0, 0)->id, 3);
    assert_int_equal(seen.n, 3);
    wsp_flow_table_free(t);
}

static void an_idle_flow_ends_even_behind_one_from_the_future(void **state)
{
    wsp_flow_table *t = table(10, 10 * S, 0);

    (void)state;
    add(t, key(1, 1, 2, 2), 1000 * S, 0, 0);
    add(t, key(3, 1, 2, 2), 5 * S, 0, 0); /* the clock ran back */
    assert_int_equal(add(t, key(3, 1, 2, 2), 30 * S, 0, 0)->id, 2);
    assert_int_equal(seen.n, 1);
    assert_int_equal(seen.id[0], 1);
    wsp_flow_table_free(t);
}

static void packets_far_from_the_others_hide_no_idle_flow(void **state)
{
    wsp_flow_table *t = table(1000, 10 * S, 0);

    (void)state;
    add(t, key(1, 1, 2, 2), 200000 * S, 0, 0); /* two with a clock ahead */
    add(t, key(1, 2, 2, 2), 100000 * S, 0, 0);
    for (uint16_t i = 0; i < 100; i++)
        add(t, key(3, i, 2, 2), 5 * S * i, 0, 0);
    assert_int_equal(wsp_flow_table_count(t), 2 + 3); /* those of the last ten seconds */
    assert_int_equal(seen.id[96], 98);
    add(t, key(1, 3, 2, 2), 0, 0, 0); /* and one behind, which ends nothing */
    assert_int_equal(wsp_flow_table_count(t), 6);
    wsp_flow_table_expire(t, 1000 * S);
    wsp_flow_table_expire(t, 1000 * S); /* past the first one ahead, then past the second one */
    wsp_flow_table_expire(t, 1000 * S);
    assert_int_equal(wsp_flow_table_count(t), 2);
    wsp_flow_table_free(t);
}

static void the_active_timeout_cuts_long_flows(void **state)
{
    wsp_flow_table *t = table(10, 0, 30 * S);

    (void)state;
    for (uint64_t i = 0; i <= 61; i++)
        add(t, key(1, 1, 2, 2), i * S, 0, 0);
    assert_int_equal(seen.n, 1);
    assert_int_equal(seen.end[0], WSP_FLOW_ACTIVE);
    add(t, key(1, 1, 2, 2), 62 * S, 0, 0);
    assert_int_equal(seen.n, 2);
    wsp_flow_table_free(t);
}

static void fin_both_ways_and_the_last_ack_close(void **state)
{
    wsp_flow_table *t = table(10, 120 * S, 0);
    wsp_flow_key a = key(1, 5000, 2, 80), b = key(2, 80, 1, 5000);

    (void)state;
    add(t, a, 1 * S, SYN, 0);
    add(t, b, 1 * S, SYN | ACK, 1);
    add(t, a, 2 * S, FIN | ACK, 0);
    add(t, b, 2 * S, ACK, 1);
    add(t, a, 2 * S, ACK, 0);
    assert_int_equal(add(t, b, 3 * S, FIN | ACK, 1)->end, WSP_FLOW_OPEN);
    assert_int_equal(add(t, b, 3 * S, FIN | ACK, 1)->end, WSP_FLOW_OPEN); /* sent again */
    assert_int_equal(add(t, a, 4 * S, ACK, 0)->end, WSP_FLOW_CLOSED);
    assert_int_equal(add(t, b, 5 * S, ACK, 1)->id, 0); /* late packets stay here */
    assert_int_equal(seen.n, 0);
    assert_int_equal(add(t, b, 6 * S, SYN, 0)->id, 1); /* a new connection, the other way round */
    assert_int_equal(seen.n, 1);
    assert_int_equal(seen.end[0], WSP_FLOW_CLOSED);
    wsp_flow_table_free(t);
}

static void tcp_flags_are_kept_by_direction_and_of_tcp_alone(void **state)
{
    wsp_flow_table *t = table(10, 120 * S, 0);
    wsp_flow_key a = key(1, 5000, 2, 80), b = key(2, 80, 1, 5000);
    const wsp_flow *f = add(t, b, 1 * S, SYN | ACK, 1); /* the question was not captured */

    (void)state;
    assert_int_equal(f->tcp_flags[0], 0);
    assert_int_equal(f->tcp_flags[1], SYN | ACK);
    add(t, a, 2 * S, ACK, 0);
    add(t, a, 2 * S, FIN | ACK | 0x80, 0);
    assert_int_equal(f->tcp_flags[0], FIN | ACK | 0x80);
    assert_int_equal(f->tcp_flags[1], SYN | ACK);
    a.proto = 17;
    f = add(t, a, 3 * S, SYN, 0);
    assert_int_equal(f->tcp_flags[0] | f->tcp_flags[1], 0);
    wsp_flow_table_free(t);
}

static void rst_closes_and_idle_releases_it_as_closed(void **state)
{
    wsp_flow_table *t = table(10, 10 * S, 0);

    (void)state;
    add(t, key(1, 5000, 2, 80), 1 * S, SYN, 0);
    assert_int_equal(add(t, key(2, 80, 1, 5000), 1 * S, RST | ACK, 1)->end, WSP_FLOW_CLOSED);
    assert_int_equal(add(t, key(1, 5000, 2, 80), 2 * S, ACK, 0)->id, 0);
    assert_int_equal(add(t, key(2, 80, 1, 5000), 3 * S, SYN | ACK, 1)->id, 0); /* not a new SYN */
    add(t, key(9, 9, 8, 8), 60 * S, 0, 0);
    assert_int_equal(seen.n, 1);
    assert_int_equal(seen.end[0], WSP_FLOW_CLOSED);
    wsp_flow_table_free(t);
}

static void a_repeated_syn_of_an_open_flow_is_the_same_flow(void **state)
{
    wsp_flow_table *t = table(10, 120 * S, 0);

    (void)state;
    add(t, key(1, 5000, 2, 80), 1 * S, SYN, 0);
    assert_int_equal(add(t, key(1, 5000, 2, 80), 2 * S, SYN, 0)->id, 0);
    wsp_flow_table_free(t);
}

static void a_full_table_drops_the_least_recently_used(void **state)
{
    wsp_flow_table *t = table(3, 0, 0);

    (void)state;
    add(t, key(1, 1, 9, 9), 1, 0, 0);
    add(t, key(2, 1, 9, 9), 2, 0, 0);
    add(t, key(3, 1, 9, 9), 3, 0, 0);
    add(t, key(1, 1, 9, 9), 4, 0, 0);
    add(t, key(4, 1, 9, 9), 5, 0, 0);
    assert_int_equal(seen.n, 1);
    assert_int_equal(seen.id[0], 1);
    assert_int_equal(seen.end[0], WSP_FLOW_EVICTED);
    assert_int_equal(wsp_flow_table_evictions(t), 1);
    assert_int_equal(wsp_flow_table_count(t), 3);
    wsp_flow_table_flush(t);
    assert_int_equal(seen.id[1], 0);
    assert_int_equal(seen.id[2], 2);
    assert_int_equal(seen.id[3], 3);
    assert_int_equal(add(t, key(1, 1, 9, 9), 6, 0, 0)->id, 4);
    wsp_flow_table_free(t);
}

static void many_flows_are_found_again_and_released_once(void **state)
{
    wsp_flow_table *t = table(1000000, 0, 0);

    (void)state;
    for (int round = 0; round < 3; round++)
        for (unsigned i = 0; i < 3000; i++) {
            wsp_flow *f = add(t, key(1, (uint16_t)i, 2, 80), 1, 0, 0);

            assert_int_equal(f->id, i);
            if (!f->user)
                f->user = malloc(8); /* freed by the release */
        }
    assert_int_equal(wsp_flow_table_count(t), 3000);
    wsp_flow_table_free(t);
    assert_int_equal(seen.n, 3000);
    for (size_t i = 0; i < 3000; i++)
        assert_int_equal(seen.id[i], i);
}

static void a_table_of_no_flows_is_refused(void **state)
{
    wsp_flow_table_options o = wsp_flow_table_options_default();
    wsp_flow_table *t;

    (void)state;
    o.max_flows = 0;
    assert_int_equal(wsp_flow_table_new(&t, &o), WSP_ERR_ARG);
    assert_null(t);
    wsp_flow_table_free(NULL);
}

/* Shards of a capture are made on several machines: the number is part of the contract. */
static void the_hash_of_a_key_is_the_same_from_both_sides_and_for_ever(void **state)
{
    size_t shard[7] = {0};

    (void)state;
    for (uint16_t i = 0; i < 7000; i++) {
        wsp_flow_key a = key(1, (uint16_t)(1024 + i), 2, 443),
                     b = key(2, 443, 1, (uint16_t)(1024 + i));
        uint64_t h = wsp_flow_key_hash(&a);
        assert_int_equal(h, wsp_flow_key_hash(&b));
        shard[h % 7]++;
    }
    for (size_t i = 0; i < 7; i++)
        assert_in_range(shard[i], 900, 1100);
    {
        wsp_flow_key k = key(1, 40000, 2, 443);
        assert_int_equal(wsp_flow_key_hash(&k), UINT64_C(0xf50cdd1d87582218));
    }
}

/* ---- keys of packets: IPv6 headers between the address and the ports ---- */

/* Ethernet and IPv6 from ::1 to ::2, whose next header is `next`. */
static size_t put_ipv6(uint8_t *b, uint8_t next)
{
    memset(b, 0, 54);
    b[12] = 0x86;
    b[13] = 0xdd;
    b[14] = 0x60;
    b[20] = next;
    b[21] = 64;
    b[37] = 1;
    b[53] = 2;
    return 54;
}

/* A header of `len` bytes as options (60) and routes (43) have; 51: an authentication header. */
static size_t put_extension(uint8_t *b, uint8_t kind, uint8_t next, size_t len)
{
    memset(b, 0, len);
    b[0] = next;
    b[1] = (uint8_t)(kind == 51 ? len / 4 - 2 : len / 8 - 1);
    return len;
}

static size_t put_fragment(uint8_t *b, uint8_t next, unsigned offset, bool more)
{
    memset(b, 0, 8);
    b[0] = next;
    b[2] = (uint8_t)(offset >> 8);
    b[3] = (uint8_t)(offset | more);
    b[7] = 7;
    return 8;
}

static size_t put_tcp(uint8_t *b, uint16_t sport, uint8_t flags)
{
    memset(b, 0, 20);
    b[0] = (uint8_t)(sport >> 8);
    b[1] = (uint8_t)sport;
    b[3] = 80;
    b[12] = 0x50;
    b[13] = flags;
    return 20;
}

/* Its key and TCP flags. */
static wsp_flow_key key_of(wsp_packet *p, uint8_t *b, size_t len, uint8_t *flags)
{
    wsp_frame f = {.caplen = (uint32_t)len, .wirelen = (uint32_t)len, .data = b};

    b[18] = (uint8_t)((len - 54) >> 8);
    b[19] = (uint8_t)(len - 54);
    wsp_packet_dissect(p, 1, &f);
    *flags = wsp_packet_tcp_flags(p);
    return *wsp_packet_key(p);
}

static void ports_behind_headers_of_any_length_are_known(void **state)
{
    static const size_t lengths[][2] = {{60, 8},  {60, 40}, {60, 48}, {60, 2048},
                                        {43, 24}, {43, 56}, {43, 72}, {51, 24},
                                        {51, 52}, {51, 60}, {51, 76}, {0, 64}};
    uint8_t b[4096], flags;
    wsp_packet *p;
    wsp_flow_key k;

    (void)state;
    assert_int_equal(wsp_packet_new(&p), WSP_OK);
    for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
        uint8_t kind = (uint8_t)lengths[i][0];
        size_t n = put_ipv6(b, kind);

        n += put_extension(b + n, kind, 60, lengths[i][1]); /* and a short one behind it */
        n += put_extension(b + n, 60, 6, 8);
        n += put_tcp(b + n, 1000, SYN);
        k = key_of(p, b, n, &flags);
        assert_int_equal(k.proto, 6);
        assert_int_equal(k.addr_len, 16);
        assert_int_equal(k.port[0], 1000);
        assert_int_equal(k.port[1], 80);
        assert_int_equal(flags, SYN);
        k = key_of(p, b, n - 40, &flags); /* cut in a header: as far as it goes */
        assert_int_equal(k.port[0], 0);
        assert_int_equal(flags, 0);
    }
    wsp_packet_free(p);
}

/* Ethernet, IPv4, UDP and GTP-U with one extension of `len` bytes, then IPv4 and UDP from port `sport`. */
static size_t put_gtpu(uint8_t *b, size_t len, uint16_t sport)
{
    size_t n = 14 + 20 + 8, inner = n + 12 + len, end = inner + 20 + 8;

    memset(b, 0, inner);
    memset(b + n + 12, 1, len);
    b[12] = 8;
    memcpy(b + inner, "\x45\0\0\x1c\0\0\0\0\x40\x11\0\0\1\1\1\1\2\2\2\2", 20);
    memcpy(b + 14, b + inner, 20);
    b[16] = (uint8_t)((end - 14) >> 8);
    b[17] = (uint8_t)(end - 14);
    b[38] = (uint8_t)((end - 34) >> 8);
    b[39] = (uint8_t)(end - 34);
    b[n] = 0x34; /* version 1, with an extension */
    b[n + 1] = 0xff;
    b[n + 2] = (uint8_t)((end - n - 8) >> 8);
    b[n + 3] = (uint8_t)(end - n - 8);
    b[n + 11] = 0x85;
    b[n + 12] = (uint8_t)(len / 4);
    b[inner - 1] = 0; /* no other one follows */
    memset(b + inner + 20, 0, 8);
    b[inner + 20] = (uint8_t)(sport >> 8);
    b[inner + 21] = (uint8_t)sport;
    b[inner + 23] = 53;
    b[inner + 25] = 8;
    return end;
}

/* Twice, since what the first walk left in memory must not be read by the second. */
static void flows_behind_gtpu_extensions_of_any_length_have_their_ports(void **state)
{
    uint8_t b[2048];
    wsp_packet *p;

    (void)state;
    assert_int_equal(wsp_packet_new(&p), WSP_OK);
    for (size_t len = 4; len <= 1020; len += 4)
        for (uint16_t sport = 1000; sport < 1002; sport++) {
            uint32_t n = (uint32_t)put_gtpu(b, len, sport);
            wsp_frame f = {.caplen = n, .wirelen = n, .data = b};
            wsp_packet_dissect(p, 1, &f);
            assert_int_equal(wsp_packet_key(p)->port[0], sport);
            assert_int_equal(wsp_packet_key(p)->port[1], 53);
            assert_int_equal(wsp_packet_key(p)->addr[0][0], 1);
        }
    wsp_packet_free(p);
}

static void packets_behind_a_long_route_are_flows_of_their_own(void **state)
{
    uint8_t b[512], flags;
    size_t n = put_ipv6(b, 43);
    wsp_packet *p;
    wsp_flow_key k;

    (void)state;
    assert_int_equal(wsp_packet_new(&p), WSP_OK);
    n += put_extension(b + n, 43, 41, 56);
    (void)put_ipv6(b + n - 14, 6); /* of its 54 bytes the first 14 are the link: the route again */
    (void)put_extension(b + 54, 43, 41, 56);
    b[n + 23] = 9;
    b[n + 5] = 20;
    n += 40;
    n += put_tcp(b + n, 2000, ACK);
    k = key_of(p, b, n, &flags);
    assert_int_equal(k.addr[0][15], 9);
    assert_int_equal(k.addr[1][15], 2);
    assert_int_equal(k.port[0], 2000);
    assert_int_equal(flags, ACK);
    wsp_packet_free(p);
}

static void all_fragments_of_a_datagram_have_one_key(void **state)
{
    static const size_t options[] = {8, 64};
    uint8_t b[512], flags;
    wsp_packet *p;
    wsp_flow_key first, later;

    (void)state;
    assert_int_equal(wsp_packet_new(&p), WSP_OK);
    for (size_t i = 0; i < 2; i++) {
        size_t n = put_ipv6(b, 44);

        n += put_fragment(b + n, 60, 0, true);
        n += put_extension(b + n, 60, 6, options[i]);
        n += put_tcp(b + n, 1000, SYN);
        first = key_of(p, b, n, &flags);
        n = put_ipv6(b, 44);
        n += put_fragment(b + n, 60, 96, false);
        memset(b + n, 'x', 40);
        later = key_of(p, b, n + 40, &flags);
        assert_int_equal(first.port[0], 0);
        assert_memory_equal(&first, &later, sizeof first);
        n = put_ipv6(b, 44); /* one that is none: atomic */
        n += put_fragment(b + n, 60, 0, false);
        n += put_extension(b + n, 60, 6, options[i]);
        n += put_tcp(b + n, 1000, SYN);
        first = key_of(p, b, n, &flags);
        assert_int_equal(first.proto, 6);
        assert_int_equal(first.port[0], 1000);
    }
    wsp_packet_free(p);
}

/* The flow of a packet of `len` bytes, with what it notes. */
static wsp_flow noted(wsp_packet *p, uint8_t *b, size_t len)
{
    wsp_flow f = {.id = 0};
    uint8_t flags;

    f.key = key_of(p, b, len, &flags);
    wsp_flow_note(&f, p, 0);
    return f;
}

static void icmp_behind_headers_of_any_length_has_type_and_code(void **state)
{
    static const size_t lengths[][2] = {{0, 8},   {60, 8},  {60, 2048}, {43, 24},
                                        {43, 72}, {51, 24}, {51, 76},   {44, 8}};
    static const uint8_t mld[8] = {143, 3};
    uint8_t b[4096];
    wsp_packet *p;
    wsp_flow f;

    (void)state;
    assert_int_equal(wsp_packet_new(&p), WSP_OK);
    for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
        uint8_t kind = (uint8_t)lengths[i][0];
        size_t n = put_ipv6(b, kind);

        n += kind == 44 ? put_fragment(b + n, 58, 0, false)
                        : put_extension(b + n, kind, 58, lengths[i][1]);
        memcpy(b + n, mld, sizeof mld);
        f = noted(p, b, n + sizeof mld);
        assert_int_equal(f.key.proto, 58);
        assert_true(f.icmp_seen[0]);
        assert_int_equal(f.icmp_type[0], 143);
        assert_int_equal(f.icmp_code[0], 3);
        f = noted(p, b, n + 1); /* cut in its header */
        assert_false(f.icmp_seen[0]);
    }
    for (size_t len = 2; len <= 8; len++) { /* a short one, at once behind IPv6 */
        memcpy(b + put_ipv6(b, 58), mld, sizeof mld);
        f = noted(p, b, 54 + len);
        assert_true(f.icmp_seen[0]);
        assert_int_equal(f.icmp_type[0], 143);
    }
    wsp_packet_free(p);
}

static void of_fragments_of_icmp_the_first_alone_has_a_type(void **state)
{
    static const uint8_t echo[8] = {8};
    uint8_t b[128];
    wsp_packet *p;
    wsp_flow f;

    (void)state;
    assert_int_equal(wsp_packet_new(&p), WSP_OK);
    for (uint8_t offset = 0; offset < 2; offset++) {
        wsp_frame frame = {.caplen = 42, .wirelen = 42, .data = b};

        memset(b, 0, sizeof b);
        b[12] = 8;
        b[14] = 0x45;
        b[17] = 28;
        b[20] = 0x20; /* more come */
        b[21] = offset;
        b[23] = 1;
        memcpy(b + 34, echo, sizeof echo);
        wsp_packet_dissect(p, 1, &frame);
        f = (wsp_flow){.key = *wsp_packet_key(p)};
        wsp_flow_note(&f, p, 0);
        assert_int_equal(f.key.proto, 1);
        assert_int_equal(f.icmp_seen[0], offset == 0);
        assert_int_equal(f.icmp_type[0], offset == 0 ? 8 : 0);
    }
    wsp_packet_free(p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ordering_a_key_is_the_same_from_both_sides),
        cmocka_unit_test(the_hash_of_a_key_is_the_same_from_both_sides_and_for_ever),
        cmocka_unit_test(both_directions_are_one_flow_of_the_first_sender),
        cmocka_unit_test(a_flow_is_as_long_as_its_times_are_apart),
        cmocka_unit_test(a_syn_ack_first_makes_its_receiver_the_initiator),
        cmocka_unit_test(scope_and_protocol_tell_flows_apart),
        cmocka_unit_test(idle_flows_end_when_time_goes_on),
        cmocka_unit_test(an_idle_flow_ends_even_behind_one_from_the_future),
        cmocka_unit_test(packets_far_from_the_others_hide_no_idle_flow),
        cmocka_unit_test(the_active_timeout_cuts_long_flows),
        cmocka_unit_test(fin_both_ways_and_the_last_ack_close),
        cmocka_unit_test(tcp_flags_are_kept_by_direction_and_of_tcp_alone),
        cmocka_unit_test(rst_closes_and_idle_releases_it_as_closed),
        cmocka_unit_test(a_repeated_syn_of_an_open_flow_is_the_same_flow),
        cmocka_unit_test(a_full_table_drops_the_least_recently_used),
        cmocka_unit_test(many_flows_are_found_again_and_released_once),
        cmocka_unit_test(ports_behind_headers_of_any_length_are_known),
        cmocka_unit_test(flows_behind_gtpu_extensions_of_any_length_have_their_ports),
        cmocka_unit_test(packets_behind_a_long_route_are_flows_of_their_own),
        cmocka_unit_test(all_fragments_of_a_datagram_have_one_key),
        cmocka_unit_test(icmp_behind_headers_of_any_length_has_type_and_code),
        cmocka_unit_test(of_fragments_of_icmp_the_first_alone_has_a_type),
        cmocka_unit_test(a_table_of_no_flows_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
