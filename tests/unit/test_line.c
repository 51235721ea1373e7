/* SPDX-License-Identifier: Apache-2.0 */
/* test_line.c: records put together as text are those that jansson makes of trees, byte for byte. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "eve.h"
#include "wirespeak/task.h"

enum { FLAGS = JSON_COMPACT | JSON_REAL_PRECISION(6) };

static const uint64_t S = 1000000000;

/* Frees the value. */
static void assert_prints(linebuf *l, json_t *value)
{
    char *want = json_dumps(value, FLAGS | JSON_ENCODE_ANY);

    assert_non_null(want);
    assert_false(l->failed);
    assert_int_equal(l->len, strlen(want));
    assert_memory_equal(l->text, want, l->len);
    free(want);
    json_decref(value);
    l->len = 0;
}

static void numbers_are_printed_as_jansson_prints_them(void **state)
{
    static const uint64_t whole[] = {0, 9, 10, 4294967296, INT64_MAX};
    static const double real[] = {0,          1,      0.5,     0.123456789, 0.9999999,
                                  0.99999949, 1e-4,   9.99e-5, 1e-5,        1.5e-300,
                                  4e-320,     123456, 1234567, 1e6,         1.25e+100,
                                  -0.25,      -1e-7,  100000,  999999.5};
    linebuf l = {.text = NULL};

    (void)state;
    for (size_t i = 0; i < sizeof whole / sizeof whole[0]; i++) {
        line_number(&l, whole[i]);
        assert_prints(&l, json_integer((json_int_t)whole[i]));
    }
    for (size_t i = 0; i < sizeof real / sizeof real[0]; i++) {
        line_real(&l, real[i]);
        assert_prints(&l, json_real(real[i]));
    }
    for (int i = 0; i <= 20000; i++) {
        line_real(&l, (double)((float)i / 20000.0f));
        assert_prints(&l, json_real((double)((float)i / 20000.0f)));
    }
    line_clear(&l);
}

static void what_json_has_not_got_is_told(void **state)
{
    linebuf l = {.text = NULL};

    (void)state;
    line_real(&l, NAN);
    assert_true(l.failed);
    l.failed = false;
    line_real(&l, -INFINITY);
    assert_true(l.failed);
    line_clear(&l);
}

static void every_byte_is_escaped_as_jansson_escapes_it(void **state)
{
    linebuf l = {.text = NULL};

    (void)state;
    for (unsigned a = 1; a < 256; a++)
        for (unsigned b = 0; b < 256; b++) {
            const char s[] = {'x', (char)a, (char)b, '\0'};
            json_t *j = json_string(s);
            json_error_t err;

            line_text(&l, s);
            if (j) {
                assert_prints(&l, j);
                continue;
            }
            assert_false(l.failed); /* no UTF-8: any string of JSON will do */
            j = json_loadb(l.text, l.len, JSON_DECODE_ANY, &err);
            assert_true(json_is_string(j));
            json_decref(j);
            l.len = 0;
        }
    line_text(&l, "caf\xc3\xa9 \xf0\x9f\x90\x88 \"a\\b\"\n");
    assert_prints(&l, json_string("caf\xc3\xa9 \xf0\x9f\x90\x88 \"a\\b\"\n"));
    line_clear(&l);
}

/* ---- the same record as a tree ---- */

static void put(json_t *object, const char *name, json_t *value)
{
    assert_int_equal(json_object_set_new(object, name, value), 0);
}

static json_t *integer(uint64_t v)
{
    return json_integer((json_int_t)v);
}

static json_t *time_string(uint64_t ns)
{
    time_t sec = (time_t)(ns / S);
    struct tm tm;
    char text[64];
    size_t n = strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S", gmtime_r(&sec, &tm));

    (void)snprintf(text + n, sizeof text - n, ".%06u+0000", (unsigned)(ns / 1000 % 1000000));
    return json_string(text);
}

static void put_ends(json_t *o, const wsp_flow_key *key)
{
    static const char *const ip[2] = {"src_ip", "dest_ip"}, *const mac[2] = {"src_mac", "dest_mac"};
    static const char *const port[2] = {"src_port", "dest_port"};
    json_t *ether = key->addr_len == 6 ? json_object() : NULL;
    char text[EVE_ADDRESS_SIZE];

    for (int side = 0; side < 2; side++) {
        eve_address(key, side, text, sizeof text);
        if (key->addr_len == 4 || key->addr_len == 16)
            put(o, ip[side], json_string(text));
        else if (ether)
            put(ether, mac[side], json_string(text));
        if (eve_has_ports(key))
            put(o, port[side], json_integer(key->port[side]));
    }
    if (ether)
        put(o, "ether", ether);
}

static json_t *tcp_tree(const uint8_t flags[2])
{
    static const char *const names[8] = {"fin", "syn", "rst", "psh", "ack", "urg", "ecn", "cwr"};
    json_t *tcp = json_object();

    put(tcp, "tcp_flags", json_sprintf("%02x", flags[0] | flags[1]));
    put(tcp, "tcp_flags_ts", json_sprintf("%02x", flags[0]));
    put(tcp, "tcp_flags_tc", json_sprintf("%02x", flags[1]));
    for (size_t i = 0; i < 8; i++)
        if ((flags[0] | flags[1]) >> i & 1)
            put(tcp, names[i], json_true());
    return tcp;
}

static json_t *tree(const wsp_flow *f, const eve_event *e, const char *community)
{
    char proto[EVE_PROTO_SIZE];
    json_t *o = json_object(), *flow = json_object();
    bool both = f->packets[0] && f->packets[1];

    put(o, "timestamp", time_string(e->time_ns));
    put(o, "event_type", json_string(e->type));
    put(o, "flow_id", integer(e->flow_id));
    if (e->capture)
        put(o, "pcap_filename", json_string(e->capture));
    if (f->n_vlans)
        put(o, "vlan", json_array());
    for (size_t i = 0; i < f->n_vlans; i++)
        assert_int_equal(json_array_append_new(json_object_get(o, "vlan"), integer(f->vlan[i])), 0);
    put_ends(o, &f->key);
    eve_proto(&f->key, proto, sizeof proto);
    put(o, "proto", json_string(proto));
    if (f->icmp_seen[0]) {
        put(o, "icmp_type", json_integer(f->icmp_type[0]));
        put(o, "icmp_code", json_integer(f->icmp_code[0]));
    }
    if (f->icmp_seen[1]) {
        put(o, "response_icmp_type", json_integer(f->icmp_type[1]));
        put(o, "response_icmp_code", json_integer(f->icmp_code[1]));
    }
    if (community)
        put(o, "community_id", json_string(community));
    put(flow, "pkts_toserver", integer(f->packets[0]));
    put(flow, "pkts_toclient", integer(f->packets[1]));
    put(flow, "bytes_toserver", integer(f->bytes[0]));
    put(flow, "bytes_toclient", integer(f->bytes[1]));
    put(flow, "start", time_string(f->first_ns));
    if (!e->goes_on)
        put(flow, "end", time_string(f->last_ns));
    put(flow, "age", integer((f->last_ns - f->first_ns) / S));
    put(flow, "state",
        json_string(f->end == WSP_FLOW_CLOSED ? "closed"
                    : both                    ? "established"
                                              : "new"));
    if (!e->goes_on)
        put(flow, "reason",
            json_string(f->end == WSP_FLOW_EVICTED || f->end == WSP_FLOW_ACTIVE ? "forced"
                        : f->end == WSP_FLOW_EOF                                ? "shutdown"
                                                                                : "timeout"));
    put(o, "flow", flow);
    if (f->key.proto == 6)
        put(o, "tcp", tcp_tree(f->tcp_flags));
    return o;
}

/* The record of the flow, with what a head says behind it. */
static void check_flow(const wsp_flow *f, const eve_event *e)
{
    char community[WSP_COMMUNITY_ID_SIZE];
    linebuf l = {.text = NULL};
    bool ip = f->key.addr_len == 4 || f->key.addr_len == 16;
    json_t *o;

    if (ip)
        assert_int_equal(wsp_community_id(&f->key, f->icmp_type[0], f->icmp_code[0], 0, community),
                         WSP_OK);
    o = tree(f, e, ip ? community : NULL);
    put(o, "wirespeak", json_pack("{s:s, s:f}", "label", "a \"label\"", "confidence", 0.75));
    eve_flow(&l, f, e);
    LINE(&l, ",\"wirespeak\":");
    eve_answer(&l, "a \"label\"", 0.75);
    LINE(&l, "}}");
    assert_prints(&l, o);
    line_clear(&l);
}

static void records_of_flows_are_those_of_trees(void **state)
{
    static const uint64_t times[] = {0, 951782400 * UINT64_C(1000000000), UINT64_MAX,
                                     1767225599999999999, 4107542399123456789};
    wsp_flow flows[] = {
        {.key = {.addr_len = 4,
                 .proto = 6,
                 .port = {40000, 443},
                 .addr = {{10, 0, 0, 1}, {255, 255, 255, 255}}},
         .tcp_flags = {0xdb, 0x25}},
        {.key =
             {.addr_len = 4, .proto = 6, .port = {1, 2}, .addr = {{10, 0, 0, 1}, {10, 0, 0, 2}}}},
        {.key = {.addr_len = 16,
                 .proto = 17,
                 .port = {53, 65535},
                 .addr = {{0x20, 1, 0xd, 0xb8}, {0xfe, 0x80}}}},
        {.key = {.addr_len = 4, .proto = 1},
         .icmp_seen = {true},
         .icmp_type = {8},
         .icmp_code = {255}},
        {.key = {.addr_len = 16, .proto = 58},
         .icmp_seen = {true, true},
         .icmp_type = {135, 136},
         .icmp_code = {0, 7}},
        {.key = {.addr_len = 4, .proto = 253}, .n_vlans = 1, .vlan = {5}},
        {.key = {.addr_len = 16, .proto = 253}, .n_vlans = 3, .vlan = {100, 0, 4095}},
        {.key = {.addr_len = 6,
                 .ethertype = 0x0806,
                 .addr = {{2, 0, 0, 0, 0, 1}, {255, 255, 255, 255, 255, 255}}}},
        {.key = {.addr_len = 6, .ethertype = 0x9999}},
        {.key = {.addr_len = 6, .ethertype = 0x26}},
        {.key = {.addr_len = 0}},
    };

    (void)state;
    for (size_t i = 0; i < sizeof flows / sizeof flows[0]; i++)
        for (size_t t = 0; t < sizeof times / sizeof times[0]; t++)
            for (int end = WSP_FLOW_OPEN; end <= WSP_FLOW_EOF; end++) {
                const eve_event file = {"flow", times[t], i * t, "a \xc3\xa9/\"b\".pcap", false};
                const eve_event live = {"tag", times[t] / 2, UINT64_C(1) << 40, NULL, true};
                wsp_flow *f = &flows[i];

                f->end = (wsp_flow_end)end;
                f->first_ns = times[t] / 3;
                f->last_ns = times[t];
                f->packets[0] = t;
                f->packets[1] = (uint64_t)end;
                f->bytes[0] = times[t] >> 1;
                f->bytes[1] = 60;
                check_flow(f, &file);
                check_flow(f, &live);
            }
}

static void a_line_follows_the_one_before(void **state)
{
    linebuf l = {.text = NULL};

    (void)state;
    for (unsigned i = 0; i < 10000; i++) {
        line_number(&l, i % 10);
        LINE(&l, "\n");
    }
    assert_false(l.failed);
    assert_int_equal(l.len, 20000);
    for (unsigned i = 0; i < 10000; i++)
        assert_true(l.text[2 * i] == (char)('0' + i % 10) && l.text[2 * i + 1] == '\n');
    line_clear(&l);
    assert_null(l.text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers_are_printed_as_jansson_prints_them),
        cmocka_unit_test(what_json_has_not_got_is_told),
        cmocka_unit_test(every_byte_is_escaped_as_jansson_escapes_it),
        cmocka_unit_test(records_of_flows_are_those_of_trees),
        cmocka_unit_test(a_line_follows_the_one_before),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
