/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tests of lib/task without the model: nDPI's labels on the recorded captures of tests/data, the
 * label table, Community IDs against published values, the split of captures.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/base.h"
#include "task/fit_int.h"
#include "task/label_names.h"
#include "task/task_int.h"
#include "wirespeak/task.h"

#define MAX_FILE       65536
#define MAX_TEST_FLOWS 64

/* ---- a capture, read in the plainest way: little-endian pcap, Ethernet, whole packets ---- */

typedef struct test_flow {
    wsp_flow_key key;
    wsp_labeller_flow *flow;
} test_flow;

typedef struct test_capture {
    uint8_t bytes[MAX_FILE];
    size_t len;
    test_flow flows[MAX_TEST_FLOWS];
    size_t n_flows;
} test_capture;

static void read_capture(test_capture *c, const char *name)
{
    const char *top = getenv("top_srcdir");
    char path[1024];
    FILE *f;

    memset(c, 0, sizeof(*c));
    snprintf(path, sizeof(path), "%s/tests/data/%s.pcap", top ? top : ".", name);
    f = fopen(path, "rb");
    if (!f)
        fail_msg("%s cannot be opened", path);
    c->len = fread(c->bytes, 1, MAX_FILE, f);
    fclose(f);
    assert_in_range(c->len, 24, MAX_FILE - 1);
}

/* The key of an IP packet by its fixed headers; false for fragments and what is not TCP or UDP. */
static bool key_of(const uint8_t *ip, size_t len, wsp_flow_key *key)
{
    bool v4 = ip[0] >> 4 == 4;
    size_t alen = v4 ? 4 : 16, at = v4 ? 12 : 8, ports = v4 ? (size_t)(ip[0] & 15) * 4 : 40;

    memset(key, 0, sizeof(*key));
    key->addr_len = (uint8_t)alen;
    key->proto = v4 ? ip[9] : ip[6];
    if ((key->proto != 6 && key->proto != 17) || len < ports + 4)
        return false;
    for (size_t i = 0; i < 2; i++) {
        memcpy(key->addr[i], ip + at + i * alen, alen);
        key->port[i] = (uint16_t)(ip[ports + 2 * i] << 8 | ip[ports + 2 * i + 1]);
    }
    return true;
}

static bool same_flow(const wsp_flow_key *a, const wsp_flow_key *b)
{
    for (int s = 0; s < 2; s++)
        if (a->proto == b->proto && memcmp(a->addr[0], b->addr[s], 16) == 0 &&
            memcmp(a->addr[1], b->addr[!s], 16) == 0 && a->port[0] == b->port[s] &&
            a->port[1] == b->port[!s])
            return true;
    return false;
}

static test_flow *flow_of(test_capture *c, wsp_labeller *l, const wsp_flow_key *key)
{
    test_flow *f;

    for (size_t i = 0; i < c->n_flows; i++)
        if (same_flow(&c->flows[i].key, key))
            return &c->flows[i];
    assert_true(c->n_flows < MAX_TEST_FLOWS);
    f = &c->flows[c->n_flows++];
    f->key = *key;
    assert_int_equal(wsp_labeller_flow_new(l, &f->flow), WSP_OK);
    return f;
}

/* Shows every TCP and UDP packet of the capture to the labeller, flow by flow. */
static void push_capture(test_capture *c, wsp_labeller *l, const char *name)
{
    wspi_cursor cur;

    read_capture(c, name);
    cur = wspi_cur(c->bytes + 24, c->len - 24);
    while (wspi_cur_left(&cur) >= 16) {
        uint64_t sec = wspi_cur_le32(&cur), usec = wspi_cur_le32(&cur);
        size_t len = wspi_cur_le32(&cur);
        const uint8_t *frame;
        wsp_flow_key key;
        int type;

        (void)wspi_cur_le32(&cur);
        frame = wspi_cur_bytes(&cur, len);
        assert_non_null(frame);
        type = len < 54 ? 0 : frame[12] << 8 | frame[13];
        if ((type == 0x0800 || type == 0x86dd) && key_of(frame + 14, len - 14, &key))
            assert_true(wsp_labeller_push(flow_of(c, l, &key)->flow, frame + 14, len - 14,
                                          sec * 1000000000u + usec * 1000u) >= 0);
    }
}

static void free_capture(test_capture *c)
{
    for (size_t i = 0; i < c->n_flows; i++)
        wsp_labeller_flow_free(c->flows[i].flow);
}

/* ---- nDPI ---- */

static void the_recorded_captures_get_the_labels_of_the_programs_that_made_them(void **state)
{
    static const struct {
        const char *capture, *label;
        size_t flows, read; /* read: recognised in the packets; the others by their port */
    } rows[] = {{"http", "HTTP", 3, 3}, {"tls", "TLS", 2, 2},      {"dns", "DNS", 9, 9},
                {"ssh", "SSH", 1, 1},   {"ntp", "NTP", 3, 3},      {"redis", "Redis", 7, 4},
                {"snmp", "SNMP", 3, 3}, {"syslog", "Syslog", 3, 3}};
    test_capture *c = malloc(sizeof(*c));

    (void)state;
    assert_non_null(c);
    for (size_t i = 0; i < WSPI_COUNT(rows); i++) {
        wsp_labeller *l;
        size_t read = 0;
        assert_int_equal(wsp_labeller_new(&l, NULL, NULL), WSP_OK);
        push_capture(c, l, rows[i].capture);
        assert_int_equal(c->n_flows, rows[i].flows);
        for (size_t j = 0; j < c->n_flows; j++) {
            wsp_verdict v;
            wsp_labeller_verdict(c->flows[j].flow, &v);
            assert_string_equal(v.protocol, rows[i].label);
            assert_in_range(v.source, WSP_LABEL_PORT, WSP_LABEL_DPI);
            assert_in_range(v.packets, 1, 32);
            assert_true(strlen(v.category) > 0);
            read += v.source == WSP_LABEL_DPI;
        }
        assert_int_equal(read, rows[i].read);
        free_capture(c);
        wsp_labeller_free(l);
    }
    free(c);
}

static void a_verdict_is_final_and_later_packets_are_ignored(void **state)
{
    static const wsp_labeller_options opt = {.max_packets = 1, .guess = false};
    static const uint8_t ip[28] = {0x45, 0, 0, 28,  0, 1, 0, 0,    64,   17,   0,    0, 192,
                                   0,    2, 1, 192, 0, 2, 2, 0xc3, 0x50, 0xc3, 0x51, 0, 8};
    wsp_labeller *l;
    wsp_labeller_flow *f;
    wsp_verdict v[2];

    (void)state;
    assert_int_equal(wsp_labeller_new(&l, &opt, NULL), WSP_OK);
    assert_int_equal(wsp_labeller_flow_new(l, &f), WSP_OK);
    assert_int_equal(wsp_labeller_push(f, ip, sizeof(ip), 0), WSP_EOF);
    wsp_labeller_verdict(f, &v[0]);
    assert_int_equal(wsp_labeller_push(f, ip, sizeof(ip), 1), WSP_EOF);
    wsp_labeller_verdict(f, &v[1]);
    for (int i = 0; i < 2; i++) {
        assert_string_equal(v[i].protocol, "unknown");
        assert_string_equal(v[i].service, "");
        assert_string_equal(v[i].master, "Unknown");
        assert_int_equal(v[i].source, WSP_LABEL_NONE);
        assert_int_equal(v[i].packets, 1);
    }
    wsp_labeller_flow_free(f);
    wsp_labeller_free(l);
}

/* One SYN to port 22: nothing to read yet. */
static void a_port_alone_is_told_apart_as_a_guess_and_guessing_can_be_switched_off(void **state)
{
    static const uint8_t syn[40] = {0x45, 0, 0, 40, 0,   1, 0, 0, 64,   6,    0, 0,
                                    192,  0, 2, 1,  192, 0, 2, 2, 0xc3, 0x50, 0, 22,
                                    0,    0, 0, 1,  0,   0, 0, 0, 0x50, 0x02, 2, 0};
    wsp_labeller_options opt = wsp_labeller_options_default();

    (void)state;
    for (int guess = 0; guess < 2; guess++) {
        wsp_labeller *l;
        wsp_labeller_flow *f;
        wsp_verdict v;

        opt.guess = guess;
        assert_int_equal(wsp_labeller_new(&l, &opt, NULL), WSP_OK);
        assert_int_equal(wsp_labeller_flow_new(l, &f), WSP_OK);
        assert_int_equal(wsp_labeller_push(f, syn, sizeof(syn), 0), WSP_OK);
        wsp_labeller_verdict(f, &v);
        assert_string_equal(v.protocol, guess ? "SSH" : "unknown");
        assert_int_equal(v.source, guess ? WSP_LABEL_PORT : WSP_LABEL_NONE);
        wsp_labeller_flow_free(f);
        wsp_labeller_free(l);
    }
}

static void what_is_not_ip_or_too_short_is_passed_over(void **state)
{
    static const uint8_t bytes[64] = {0x45};
    wsp_labeller *l;
    wsp_labeller_flow *f;
    wsp_verdict v;

    (void)state;
    assert_int_equal(wsp_labeller_new(&l, NULL, NULL), WSP_OK);
    assert_int_equal(wsp_labeller_flow_new(l, &f), WSP_OK);
    for (size_t len = 0; len < 20; len++)
        assert_int_equal(wsp_labeller_push(f, bytes, len, 0), WSP_OK);
    assert_int_equal(wsp_labeller_push(f, bytes + 1, 40, 0), WSP_OK);
    wsp_labeller_verdict(f, &v);
    assert_int_equal(v.packets, 0);
    assert_string_equal(v.protocol, "unknown");
    wsp_labeller_flow_free(f);
    wsp_labeller_free(l);
}

/* An offloaded packet of 70,000 bytes, which nDPI's 16-bit length cannot say. */
static void a_packet_over_64_kib_is_looked_at_in_part(void **state)
{
    size_t len = 70000;
    uint8_t *ip = calloc(1, len);
    wsp_labeller *l;
    wsp_labeller_flow *f;
    wsp_verdict v;

    (void)state;
    assert_non_null(ip);
    memcpy(ip, (const uint8_t[]){0x45, 0, 0xff, 0xff, 0, 1, 0,   0, 64, 6,
                                 0,    0, 192,  0,    2, 1, 192, 0, 2,  2},
           20);
    memcpy(ip + 20, (const uint8_t[]){0xc3, 0x50, 0, 80, 0, 0, 0, 1, 0, 0, 0, 1, 0x50, 0x18, 2, 0},
           16);
    memcpy(ip + 40, "GET / HTTP/1.1\r\nHost: www.example.org\r\n\r\n", 41);
    assert_int_equal(wsp_labeller_new(&l, NULL, NULL), WSP_OK);
    assert_int_equal(wsp_labeller_flow_new(l, &f), WSP_OK);
    assert_true(wsp_labeller_push(f, ip, len, 0) >= 0);
    wsp_labeller_verdict(f, &v);
    assert_string_equal(v.protocol, "HTTP");
    wsp_labeller_flow_free(f);
    wsp_labeller_free(l);
    free(ip);
}

static void a_labeller_that_may_see_no_packet_is_refused(void **state)
{
    static const wsp_labeller_options opt = {.max_packets = 0};
    wsp_labeller *l;
    wsp_error err;

    (void)state;
    assert_int_equal(wsp_labeller_new(&l, &opt, &err), WSP_ERR_ARG);
    assert_null(l);
    assert_int_equal(err.status, WSP_ERR_ARG);
    wsp_labeller_free(NULL);
    wsp_labeller_flow_free(NULL);
    assert_true(strlen(wsp_labeller_version()) > 2);
}

static void the_label_table_is_sorted_and_one_name_is_of_one_kind(void **state)
{
    bool service;

    (void)state;
    for (size_t i = 1; i < WSPI_COUNT(label_rows); i++)
        assert_true(strcmp(label_rows[i - 1].ndpi, label_rows[i].ndpi) < 0);
    for (size_t i = 0; i < WSPI_COUNT(label_rows); i++) {
        assert_string_equal(wsp_label_name(label_rows[i].ndpi, &service), label_rows[i].ours);
        for (size_t j = 0; j < i; j++)
            if (strcmp(label_rows[i].ours, label_rows[j].ours) == 0)
                assert_int_equal(label_rows[i].kind, label_rows[j].kind);
    }
    assert_string_equal(wsp_label_name("DCE_RPC", &service), wsp_label_name("DCERPC", NULL));
    assert_false(service);
    assert_string_equal(wsp_label_name("NetFlix", &service), "Netflix");
    assert_true(service);
    assert_null(wsp_label_name("NoSuchProtocol", &service));
    assert_true(wsp_label_same("FTP_CONTROL", "FTP"));
    assert_true(wsp_label_same("ICMPV6", "icmpv6"));
    assert_true(wsp_label_same("NoSuchProtocol", "nosuchprotocol"));
    assert_false(wsp_label_same("FTP_CONTROL", "FTP_DATA"));
    assert_string_equal(wsp_label_source_name(WSP_LABEL_DPI), "dpi");
}

static void a_verdict_is_what_any_of_its_names_say(void **state)
{
    const wsp_verdict
        v = {.protocol = "TLS", .service = "Netflix", .master = "TLS", .app = "NetFlix"},
        smb = {.protocol = "NetBIOS", .service = "", .master = "NetBIOS", .app = "SMBv23"};

    (void)state;
    assert_true(wsp_verdict_is(&v, "tls"));
    assert_true(wsp_verdict_is(&v, "NetFlix"));
    assert_false(wsp_verdict_is(&v, "HTTP"));
    assert_true(wsp_verdict_is(&smb, "NetBIOS"));
    assert_true(wsp_verdict_is(&smb, "SMBv1")); /* both are SMB */
    assert_false(wsp_verdict_is(&smb, ""));
}

/* ---- Community ID: values of the specification's baseline ---- */

typedef struct id_case {
    const char *src, *dst;
    uint16_t sport, dport; /* ICMP: type and code */
    uint8_t proto;
    uint16_t seed;
    const char *id;
} id_case;

static void id_of(const id_case *c, bool swap, char *buf)
{
    bool icmp = c->proto == 1 || c->proto == 58, v6 = strchr(c->src, ':');
    wsp_flow_key key = {.proto = c->proto, .addr_len = v6 ? 16 : 4};

    assert_int_equal(inet_pton(v6 ? AF_INET6 : AF_INET, c->src, key.addr[swap]), 1);
    assert_int_equal(inet_pton(v6 ? AF_INET6 : AF_INET, c->dst, key.addr[!swap]), 1);
    key.port[swap] = icmp ? 77 : c->sport;
    key.port[!swap] = icmp ? 77 : c->dport;
    assert_int_equal(wsp_community_id(&key, (uint8_t)c->sport, (uint8_t)c->dport, c->seed, buf),
                     WSP_OK);
}

static const id_case id_cases[] = {
    {"128.232.110.120", "66.35.250.204", 34855, 80, 6, 0, "1:LQU9qZlK+B5F3KDmev6m5PMibrg="},
    {"128.232.110.120", "66.35.250.204", 34855, 80, 6, 1, "1:3V71V58M3Ksw/yuFALMcW0LAHvc="},
    {"192.168.1.52", "8.8.8.8", 54585, 53, 17, 0, "1:d/FP5EW3wiY1vCndhwleRRKHowQ="},
    {"192.168.0.89", "192.168.0.1", 8, 0, 1, 0, "1:X0snYXpgwiv9TZtqg64sgzUn6Dk="},
    {"192.168.170.8", "192.168.170.56", 7, 80, 132, 0, "1:jQgCxbku+pNGw8WPbEc/TS/uTpQ="},
    {"fe80::200:86ff:fe05:80da", "fe80::260:97ff:fe07:69ea", 135, 0, 58, 0,
     "1:dGHyGvjMfljg6Bppwm3bg0LO8TY="},
};

static void community_ids_are_those_of_the_specification(void **state)
{
    char buf[WSP_COMMUNITY_ID_SIZE];

    (void)state;
    for (size_t i = 0; i < WSPI_COUNT(id_cases); i++) {
        id_of(&id_cases[i], false, buf);
        assert_string_equal(buf, id_cases[i].id);
    }
}

static void both_directions_have_one_community_id_except_one_way_icmp(void **state)
{
    static const id_case echo_reply = {"192.168.0.1", "192.168.0.89", 0, 0, 1, 0, NULL};
    static const id_case unreachable = {"192.168.0.1", "192.168.0.89", 3, 1, 1, 0, NULL};
    char a[WSP_COMMUNITY_ID_SIZE], b[WSP_COMMUNITY_ID_SIZE];

    (void)state;
    for (size_t i = 0; i < 3; i++) {
        id_of(&id_cases[i], true, a);
        assert_string_equal(a, id_cases[i].id);
    }
    id_of(&echo_reply, false, a);
    assert_string_equal(a, id_cases[3].id);
    id_of(&unreachable, false, a);
    id_of(&unreachable, true, b);
    assert_string_not_equal(a, b);
}

static void a_flow_that_is_not_of_ip_has_no_community_id(void **state)
{
    wsp_flow_key key = {.ethertype = 0x0806, .addr_len = 6};
    char buf[WSP_COMMUNITY_ID_SIZE] = "x";

    (void)state;
    assert_int_equal(wsp_community_id(&key, 0, 0, 0, buf), WSP_ERR_UNSUPPORTED);
    assert_string_equal(buf, "");
}

/* ---- split ---- */

static void the_split_follows_the_fractions_and_only_name_and_seed_decide(void **state)
{
    int count[3] = {0}, moved = 0, n = 20000;

    (void)state;
    for (int i = 0; i < n; i++) {
        char name[64], path[96];
        wsp_split a, b, c;

        snprintf(name, sizeof(name), "capture-%d.pcap", i);
        snprintf(path, sizeof(path), "some/where/%s", name);
        assert_int_equal(wsp_split_of(name, 7, 0.1, 0.2, &a), WSP_OK);
        assert_int_equal(wsp_split_of(path, 7, 0.1, 0.2, &b), WSP_OK);
        assert_int_equal(wsp_split_of(name, 8, 0.1, 0.2, &c), WSP_OK);
        assert_int_equal(a, b);
        count[a]++;
        moved += a != c;
    }
    assert_true(abs(count[WSP_SPLIT_TRAIN] - 14000) < 300);
    assert_true(abs(count[WSP_SPLIT_VAL] - 2000) < 200);
    assert_true(abs(count[WSP_SPLIT_TEST] - 4000) < 250);
    assert_true(abs(moved - 9200) < 400); /* 1 - 0.7^2 - 0.1^2 - 0.2^2 = 0.46 of them */
}

/*
 * Data sets and models made on one machine must mean the same on another: these values never
 * change.
 */
static void the_split_is_the_same_for_ever(void **state)
{
    static const char *const names[] = {"a.pcap", "b.pcap", "c.pcap", "d.pcap",
                                        "e.pcap", "f.pcap", "g.pcap", "h.pcap"};
    char got[WSPI_COUNT(names) + 1] = "";

    (void)state;
    for (size_t i = 0; i < WSPI_COUNT(names); i++) {
        wsp_split s;
        assert_int_equal(wsp_split_of(names[i], 1, 0.3, 0.3, &s), WSP_OK);
        got[i] = wsp_split_name(s)[1];
    }
    assert_string_equal(got, "rareeeea");
}

static void fractions_that_make_no_sense_are_refused(void **state)
{
    static const double bad[][2] = {{-0.1, 0.1}, {0.1, -0.1}, {0.6, 0.6}, {NAN, 0.1}, {0.1, NAN}};
    wsp_split s;

    (void)state;
    for (size_t i = 0; i < WSPI_COUNT(bad); i++)
        assert_int_equal(wsp_split_of("x", 1, bad[i][0], bad[i][1], &s), WSP_ERR_ARG);
    assert_int_equal(wsp_split_of("x", 1, 0, 1, &s), WSP_OK);
    assert_int_equal(s, WSP_SPLIT_TEST);
    assert_int_equal(wsp_split_of("x", 1, 0, 0, &s), WSP_OK);
    assert_int_equal(s, WSP_SPLIT_TRAIN);
}

/* ---- what training reads ---- */

enum { FLOWS = 60 };

/* Captures 0 (50 flows of label 0, five of label 1) and 1 (five of label 0). */
static void draw_epoch(uint64_t epoch, size_t per_capture, uint32_t *order, size_t *n)
{
    static uint32_t capture[FLOWS];
    static int32_t label[FLOWS];
    static size_t n_labels[] = {2};
    int32_t *labels[] = {label};
    wsp_tokens t = {
        .n_flows = FLOWS, .n_heads = 1, .capture = capture, .labels = labels, .n_labels = n_labels};
    wsp_fit_options o = wsp_fit_options_default();
    wspi_fit f = {.train = &t, .opt = &o, .pos = {.epoch = epoch}};

    for (size_t i = 0; i < FLOWS; i++) {
        capture[i] = i >= 55;
        label[i] = i >= 50 && i < 55;
    }
    o.per_capture = per_capture;
    assert_int_equal(wspi_fit_room(&f, NULL), WSP_OK);
    assert_int_equal(wspi_fit_group(&f, NULL), WSP_OK);
    wspi_fit_choose(&f);
    *n = f.n_order;
    memcpy(order, f.order, f.n_order * sizeof *order);
    free(f.order);
    free(f.label_flows);
    free(f.group);
    free(f.drawn);
}

static void an_epoch_reads_so_many_flows_of_a_capture_and_label_and_others_the_next_time(
    void **state)
{
    uint32_t a[FLOWS], b[FLOWS];
    size_t n, m, count[3] = {0}, same = 0;

    (void)state;
    draw_epoch(0, 4, a, &n);
    draw_epoch(1, 4, b, &m);
    assert_int_equal(n, 12);
    assert_int_equal(m, 12);
    for (size_t i = 0; i < n; i++) {
        count[a[i] < 50 ? 0 : a[i] < 55 ? 1 : 2]++;
        for (size_t k = 0; k < m; k++)
            same += a[i] == b[k];
    }
    for (size_t g = 0; g < 3; g++)
        assert_int_equal(count[g], 4);
    assert_in_range(same, 0, 11);
    draw_epoch(0, 0, a, &n);
    assert_int_equal(n, FLOWS);
}

static void flows_of_rare_labels_come_again_in_an_epoch_but_not_too_often(void **state)
{
    static uint32_t capture[FLOWS];
    static int32_t first[FLOWS], second[FLOWS];
    static size_t n_labels[] = {2, 2};
    int32_t *labels[] = {first, second};
    wsp_tokens t = {
        .n_flows = FLOWS, .n_heads = 2, .capture = capture, .labels = labels, .n_labels = n_labels};
    wsp_fit_options o = wsp_fit_options_default();
    wspi_fit f = {.train = &t, .opt = &o};
    size_t times[FLOWS] = {0};

    (void)state;
    for (size_t i = 0; i < FLOWS; i++) {
        first[i] = i < 6;            /* six flows have label 1 of the first head */
        second[i] = i == 0 ? 1 : -1; /* one that of the second, whose label 0 nobody has */
    }
    o.per_label = 40;
    assert_int_equal(wspi_fit_room(&f, NULL), WSP_OK);
    wspi_fit_choose(&f);
    for (size_t i = 0; i < f.n_order; i++)
        times[f.order[i]]++;
    assert_int_equal(times[0], 16);
    for (size_t i = 1; i < FLOWS; i++)
        assert_int_equal(times[i], i < 6 ? 6 : 1);
    o.per_label = 0;
    wspi_fit_choose(&f);
    assert_int_equal(f.n_order, FLOWS);
    free(f.order);
    free(f.label_flows);
}

static void a_changed_flow_loses_tokens_and_first_packets_but_no_packet_all_of_its_tokens(
    void **state)
{
    uint16_t ids[40];
    uint64_t packet_off[21], flow_off[] = {0, 20};
    const uint32_t order[] = {0};
    wspi_view v = {.n_flows = 1, .ids = ids, .packet_off = packet_off, .flow_off = flow_off};
    wspi_augment a = {.drop = 0.5, .skip = 1};
    wspi_batcher b = {.ids = NULL};
    size_t taken;

    (void)state;
    for (size_t i = 0; i < 40; i++)
        ids[i] = (uint16_t)i; /* packet p has 2p and 2p + 1 */
    for (size_t p = 0; p <= 20; p++)
        packet_off[p] = 2 * p;
    wspi_rng_seed(&a.rng, 1);
    for (int round = 0; round < 50; round++) {
        assert_int_equal(wspi_batcher_fill(&b, &v, NULL, order, 1, 100, NULL, 0, &a, &taken),
                         WSP_OK);
        assert_in_range(b.batch.n_packets, 10, 19); /* 1 to 10 are gone */
        assert_in_range(b.batch.n_tokens, b.batch.n_packets, 2 * b.batch.n_packets);
        for (size_t p = 0; p < b.batch.n_packets; p++) {
            assert_true(b.packet_off[p + 1] > b.packet_off[p]);
            for (size_t i = b.packet_off[p]; i < b.packet_off[p + 1]; i++)
                assert_int_equal(b.ids[i] / 2, 20 - b.batch.n_packets + p);
        }
    }
    assert_int_equal(wspi_batcher_fill(&b, &v, NULL, order, 1, 100, NULL, 0, NULL, &taken), WSP_OK);
    assert_int_equal(b.batch.n_tokens, 40);
    wspi_batcher_clear(&b);
}

/* ---- sets of tokens as one ---- */

#define TEXT(s) ((char[]){s})

/* Two packets of the first, one of the second; heads in another order, labels numbered otherwise. */
static void joined_sets_have_all_flows_and_one_number_for_a_label(void **state)
{
    uint16_t ids[2][3] = {{1, 2, 3}, {4, 5, 0}};
    uint64_t packets[2][3] = {{0, 2, 3}, {0, 2, 0}}, flows[2][2] = {{0, 2}, {0, 1}};
    uint8_t ends[1] = {1};
    uint32_t captures[1] = {0};
    int link[1] = {1};
    char *name[1] = {TEXT("a.pcap")},
         *heads[2][2] = {{TEXT("app"), NULL}, {TEXT("tool"), TEXT("app")}};
    char *apps[2][2] = {{TEXT("web"), TEXT("mail")}, {TEXT("mail"), TEXT("chat")}},
         *tools[1] = {TEXT("curl")};
    size_t n_labels[2][2] = {{2, 0}, {1, 2}};
    char **labels[2][2] = {{apps[0], NULL}, {tools, apps[1]}};
    int32_t one[3][1] = {{1}, {0}, {0}}, *columns[2][2] = {{one[0], NULL}, {one[1], one[2]}};
    wsp_tokens set[2], *joined;
    const wsp_tokens *const both[] = {&set[0], &set[1]};
    wsp_error err;

    (void)state;
    for (int s = 0; s < 2; s++)
        set[s] = (wsp_tokens){.n_captures = 1,
                              .n_flows = 1,
                              .n_packets = s ? 1 : 2,
                              .n_tokens = s ? 2 : 3,
                              .ids = ids[s],
                              .packet_off = packets[s],
                              .flow_off = flows[s],
                              .capture = captures,
                              .flow_end = ends,
                              .captures = name,
                              .linktype = link,
                              .n_heads = s ? 2 : 1,
                              .heads = heads[s],
                              .n_labels = n_labels[s],
                              .label_names = labels[s],
                              .labels = columns[s]};
    assert_int_equal(wsp_tokens_join(&joined, both, 2, &err), WSP_OK);
    assert_int_equal(joined->n_flows, 2);
    assert_int_equal(joined->n_packets, 3);
    assert_int_equal(joined->n_tokens, 5);
    for (uint16_t i = 0; i < 5; i++)
        assert_int_equal(joined->ids[i], i + 1);
    assert_int_equal(joined->packet_off[3], 5);
    assert_int_equal(joined->flow_off[1], 2);
    assert_int_equal(joined->flow_off[2], 3);
    assert_int_equal(joined->n_captures, 2);
    assert_int_equal(joined->capture[1], 1);
    assert_string_equal(joined->captures[1], "a.pcap");
    assert_int_equal(joined->n_heads, 2);
    assert_string_equal(joined->heads[0], "app");
    assert_int_equal(joined->n_labels[0], 3);
    assert_string_equal(joined->label_names[0][2], "chat");
    assert_int_equal(joined->labels[0][0], 1); /* mail in both */
    assert_int_equal(joined->labels[0][1], 1);
    assert_int_equal(joined->labels[1][0], -1);
    assert_int_equal(joined->labels[1][1], 0);
    wsp_tokens_free(joined);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_recorded_captures_get_the_labels_of_the_programs_that_made_them),
        cmocka_unit_test(a_verdict_is_final_and_later_packets_are_ignored),
        cmocka_unit_test(a_port_alone_is_told_apart_as_a_guess_and_guessing_can_be_switched_off),
        cmocka_unit_test(what_is_not_ip_or_too_short_is_passed_over),
        cmocka_unit_test(a_packet_over_64_kib_is_looked_at_in_part),
        cmocka_unit_test(a_labeller_that_may_see_no_packet_is_refused),
        cmocka_unit_test(the_label_table_is_sorted_and_one_name_is_of_one_kind),
        cmocka_unit_test(a_verdict_is_what_any_of_its_names_say),
        cmocka_unit_test(community_ids_are_those_of_the_specification),
        cmocka_unit_test(both_directions_have_one_community_id_except_one_way_icmp),
        cmocka_unit_test(a_flow_that_is_not_of_ip_has_no_community_id),
        cmocka_unit_test(the_split_follows_the_fractions_and_only_name_and_seed_decide),
        cmocka_unit_test(the_split_is_the_same_for_ever),
        cmocka_unit_test(fractions_that_make_no_sense_are_refused),
        cmocka_unit_test(
            an_epoch_reads_so_many_flows_of_a_capture_and_label_and_others_the_next_time),
        cmocka_unit_test(joined_sets_have_all_flows_and_one_number_for_a_label),
        cmocka_unit_test(flows_of_rare_labels_come_again_in_an_epoch_but_not_too_often),
        cmocka_unit_test(
            a_changed_flow_loses_tokens_and_first_packets_but_no_packet_all_of_its_tokens),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
