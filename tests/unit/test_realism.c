/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of how generated captures are measured: bins and divergences with known answers, planted faults, planted copies. */
#include <math.h>

#include "capture/capture_int.h"
#include "realism/realism_int.h"
#include "wire.h"

/* ---- captures in memory ---- */

typedef struct capture {
    wspi_buf bytes;
    uint64_t now;
    uint16_t port; /* of the client of the flow at hand */
} capture;

static void capture_open(capture *c)
{
    uint8_t head[WSPI_PCAP_FILE_HEAD];

    *c = (capture){.now = 1700000000000000000u, .port = 40000};
    wspi_buf_init(&c->bytes, 64 << 20);
    wspi_pcap_file_head(head, 1);
    assert_int_equal(wspi_buf_add(&c->bytes, head, sizeof head), WSP_OK);
}

static void add_frame(capture *c, uint8_t *b, uint32_t len)
{
    wsp_frame f = {.time_ns = c->now, .caplen = len, .wirelen = len, .data = b};
    uint8_t head[WSPI_PCAP_PACKET_HEAD];

    put16(b + 24, 0);
    put16(b + 24, wspi_fold(wspi_sum16(b + 14, 20, 10)));
    wspi_pcap_packet_head(head, &f);
    assert_int_equal(wspi_buf_add(&c->bytes, head, sizeof head), WSP_OK);
    assert_int_equal(wspi_buf_add(&c->bytes, b, len), WSP_OK);
    c->now += 1000000;
}

static void udp(capture *c, const void *payload, size_t n, int dir)
{
    uint8_t b[ROOM];

    put_headers(b, 8 + n, 17, dir);
    put16(b + 34, dir ? 12345 : c->port);
    put16(b + 36, dir ? c->port : 12345);
    put16(b + 38, 8 + n);
    put16(b + 40, 0);
    memcpy(b + HEADERS_UDP, payload, n);
    add_frame(c, b, (uint32_t)(HEADERS_UDP + n));
}

static void tcp(capture *c, int dir, uint8_t flags, uint32_t seq, uint32_t ack, size_t n)
{
    uint8_t b[ROOM];

    put_headers(b, 20 + n, 6, dir);
    put16(b + 34, dir ? 12345 : c->port);
    put16(b + 36, dir ? c->port : 12345);
    put16(b + 38, seq >> 16);
    put16(b + 40, seq & 0xffff);
    put16(b + 42, ack >> 16);
    put16(b + 44, ack & 0xffff);
    put16(b + 46, 0x5000u | flags);
    put16(b + 48, 0xfaf0);
    memset(b + HEADERS_TCP, 'x', n);
    add_frame(c, b, (uint32_t)(HEADERS_TCP + n));
}

static wsp_traffic *read_with(capture *c, wsp_traffic_options *opt, wsp_status want)
{
    wsp_traffic *t = NULL;
    wsp_input *in = NULL;
    wsp_error err;

    assert_int_equal(
        wspi_input_from_memory(&in, "test.pcap", c->bytes.data, c->bytes.len, NULL, &err), WSP_OK);
    assert_int_equal(wsp_traffic_read(&t, in, opt, &err), want);
    wsp_input_free(in);
    wspi_buf_clear(&c->bytes);
    return t;
}

static wsp_traffic *read_back(capture *c)
{
    wsp_traffic_options opt = wsp_traffic_options_default();

    opt.payload = true;
    return read_with(c, &opt, WSP_OK);
}

/* n flows of a question and an answer of so many random bytes. */
static wsp_traffic *make_flows(size_t n, size_t asked, size_t answered, uint64_t seed)
{
    uint8_t payload[1024];
    capture c;
    wspi_rng rng;

    wspi_rng_seed(&rng, seed);
    capture_open(&c);
    for (size_t i = 0; i < n; i++, c.port++) {
        for (size_t k = 0; k < sizeof payload; k++)
            payload[k] = (uint8_t)wspi_rng_u64(&rng);
        udp(&c, payload, asked + (size_t)wspi_rng_below(&rng, 8), 0);
        udp(&c, payload + 100, answered + (size_t)wspi_rng_below(&rng, 8), 1);
    }
    return read_back(&c);
}

/* ---- divergences and bins ---- */

static void divergences_have_their_known_values(void **state)
{
    const double one[4] = {7, 0, 0, 0}, half[4] = {2, 2, 0, 0}, other[4] = {0, 0, 1, 1};
    const double none[4] = {0, 0, 0, 0}, quarter[4] = {1, 3, 0, 0};

    (void)state;
    assert_float_equal(wsp_jsd(one, one, 4), 0, 1e-12);
    assert_float_equal(wsp_jsd(half, other, 4), 1, 1e-12);
    /* (1, 0) and (1/2, 1/2), by hand: (log2(4/3) + 1/2 log2(2/3) + 1/2) / 2 */
    assert_float_equal(wsp_jsd(one, half, 4), 0.311278, 1e-6);
    assert_float_equal(wsp_jsd(half, one, 4), 0.311278, 1e-6);
    assert_float_equal(wsp_jsd(quarter, half, 4), 0.048795, 1e-6);
    assert_true(isnan(wsp_jsd(one, none, 4)));
}

static void bins_have_their_edges_where_they_should(void **state)
{
    static const struct {
        wspi_binning how;
        double v;
        uint32_t bin;
    } at[] = {
        {WSPI_BIN_SIZE, 0, 1},         {WSPI_BIN_SIZE, 15, 1},
        {WSPI_BIN_SIZE, 16, 2},        {WSPI_BIN_SIZE, 1514, 95},
        {WSPI_BIN_SIZE, 1e9, 4097},    {WSPI_BIN_TIME, 0, 1},
        {WSPI_BIN_TIME, 0.99e-6, 1},   {WSPI_BIN_TIME, 1e-6, 2},
        {WSPI_BIN_TIME, 1e-3, 15}, /* a third of the decades: 13.3 bins */
        {WSPI_BIN_TIME, 999, 41},      {WSPI_BIN_TIME, 1000, 42},
        {WSPI_BIN_TIME, 1e9, 42},      {WSPI_BIN_PORT, 32767, 32767},
        {WSPI_BIN_PORT, 32768, 32768}, {WSPI_BIN_PORT, 65535, 32768},
        {WSPI_BIN_OCTAVE, 0, 0},       {WSPI_BIN_OCTAVE, 1, 1},
        {WSPI_BIN_OCTAVE, 2, 2},       {WSPI_BIN_OCTAVE, 3, 2},
        {WSPI_BIN_OCTAVE, 65535, 16},  {WSPI_BIN_SHARE, 0, 0},
        {WSPI_BIN_SHARE, 0.05, 1},     {WSPI_BIN_SHARE, 1, 20},
        {WSPI_BIN_COUNT, 4095, 4095},  {WSPI_BIN_COUNT, 1e7, 4096},
    };
    wspi_measures t;

    (void)state;
    for (size_t i = 0; i < WSPI_COUNT(at); i++)
        assert_int_equal(wspi_bin_of(at[i].how, at[i].v), at[i].bin);
    assert_int_equal(wspi_bin_of(WSPI_BIN_TIME, (double)NAN), 0);
    assert_int_equal(wspi_bin_of(WSPI_BIN_SIZE, (double)NAN), 0);
    assert_int_equal(wspi_bin_of(WSPI_BIN_SHARE, (double)NAN), 21);
    wspi_measures_make(&t);
    for (size_t i = 0; i < t.n; i++) { /* an observation has room for every measure and bin */
        assert_true(t.m[i].bins > 1 && t.m[i].bins <= UINT32_C(1) << 22);
        assert_true(i < UINT32_C(1) << 10);
    }
}

static const wsp_distance *named(const wsp_distance *d, const char *name)
{
    size_t n = wsp_distance_count();

    for (size_t i = 0; i < n; i++)
        if (strcmp(d[i].name, name) == 0)
            return &d[i];
    fail_msg("no measure %s", name);
    return NULL;
}

static void a_set_is_at_distance_zero_from_itself_and_apart_from_another(void **state)
{
    wsp_traffic *a = make_flows(60, 40, 80, 1), *b = make_flows(40, 40, 800, 2);
    wsp_distance *d = wspi_new_array(wsp_distance_count(), sizeof *d);
    wsp_distance *e = wspi_new_array(wsp_distance_count(), sizeof *e);

    (void)state;
    assert_int_equal(wsp_distances(a, a, WSP_WHOLE, d), WSP_OK);
    for (size_t i = 0; i < wsp_distance_count(); i++)
        if (d[i].n[0])
            assert_float_equal(d[i].jsd, 0, 1e-12);
        else
            assert_true(isnan(d[i].jsd));
    assert_int_equal(wsp_distances(a, b, WSP_WHOLE, e), WSP_OK);
    /* all answers differ, no question does: half of the packets lie elsewhere */
    assert_float_equal(named(e, "length")->tvd, 0.5, 1e-9);
    assert_float_equal(named(e, "median size in")->jsd, 1, 1e-9);
    assert_true(named(e, "median size in")->shift > 40); /* 720 bytes, in bins of 16 */
    assert_float_equal(named(e, "packets")->jsd, 0, 1e-12);
    assert_int_equal(named(e, "packets")->n[0], 60);
    assert_int_equal(named(e, "length")->n[1], 80);
    assert_float_equal(named(e, "destination port")->jsd, 0, 1e-9); /* 12345, and a client's */
    assert_true(isnan(named(e, "TCP flags")->jsd));
    assert_true(wsp_distance_mean(e, d, WSP_DISTANCE_HEADER, 1) > 0.05);
    assert_true(isnan(wsp_distance_mean(e, d, WSP_DISTANCE_HEADER, 1000)));
    free(d);
    free(e);
    wsp_traffic_free(a);
    wsp_traffic_free(b);
}

static void halves_of_one_set_are_near_each_other(void **state)
{
    wsp_traffic *a = make_flows(200, 40, 80, 1);
    wsp_distance *d = wspi_new_array(wsp_distance_count(), sizeof *d);

    (void)state;
    assert_int_equal(wsp_distances(a, NULL, WSP_HALF_FLOWS, d), WSP_OK);
    assert_int_equal(named(d, "packets")->n[0], 100);
    assert_int_equal(named(d, "packets")->n[1], 100);
    assert_true(named(d, "length")->jsd < 0.05);
    /* one capture cannot be halved: its flows are */
    assert_int_equal(wsp_distances(a, NULL, WSP_HALF_CAPTURES, d), WSP_OK);
    assert_int_equal(named(d, "packets")->n[0], 100);
    free(d);
    wsp_traffic_free(a);
}

static void packets_beyond_the_limit_do_not_count(void **state)
{
    wsp_traffic_options opt = wsp_traffic_options_default();
    wsp_distance *d = wspi_new_array(wsp_distance_count(), sizeof *d);
    wsp_traffic *t;
    capture c;

    (void)state;
    capture_open(&c);
    for (size_t i = 0; i < 10; i++)
        udp(&c, "some payload", 12, i & 1);
    opt.max_packets = 4;
    t = read_with(&c, &opt, WSP_OK);
    assert_int_equal(wsp_distances(t, t, WSP_WHOLE, d), WSP_OK);
    assert_int_equal(named(d, "length")->n[0], 4);
    assert_int_equal(named(d, "gap")->n[0], 3);
    assert_int_equal(wsp_traffic_counts_get(t).packets, 4);
    free(d);
    wsp_traffic_free(t);
}

static void captures_without_packets_are_refused(void **state)
{
    wsp_traffic_options opt = wsp_traffic_options_default();
    capture c;

    (void)state;
    capture_open(&c);
    assert_null(read_with(&c, &opt, WSP_ERR_ARG));
}

/* ---- validity ---- */

enum { A = WSPI_TH_ACK, S = WSPI_TH_SYN, F = WSPI_TH_FIN, R = WSPI_TH_RST };

static void shake_hands(capture *c)
{
    tcp(c, 0, S, 999, 0, 0);
    tcp(c, 1, S | A, 4999, 1000, 0);
    tcp(c, 0, A, 1000, 5000, 0);
}

/* Faults of TCP after a handshake and two segments, when one more packet comes; all checksums of TCP are wrong here. */
static void expect_faults(int dir, uint8_t flags, uint32_t seq, uint32_t ack, size_t n,
                          wsp_fault fault, size_t times)
{
    wsp_traffic *t;
    capture c;

    capture_open(&c);
    shake_hands(&c);
    tcp(&c, 0, A, 1000, 5000, 100);
    tcp(&c, 1, A, 5000, 1100, 50);
    tcp(&c, dir, flags, seq, ack, n);
    t = read_back(&c);
    for (unsigned f = WSP_FAULT_LENGTH; f < WSP_FAULTS; f++)
        assert_int_equal(wsp_traffic_faults(t, f), f == fault ? times : 0);
    wsp_traffic_free(t);
}

static void faults_of_tcp_are_told_apart(void **state)
{
    (void)state;
    expect_faults(0, A, 1100, 5050, 10, WSP_FAULTS, 0); /* as it should be */
    expect_faults(0, A, 1200, 5050, 10, WSP_FAULT_GAP, 1);
    expect_faults(0, A, 1000, 5050, 100, WSP_FAULT_BACK, 1);
    expect_faults(0, A, 1099, 5050, 1, WSP_FAULTS, 0); /* a keep-alive */
    expect_faults(0, A, 1100, 6000, 10, WSP_FAULT_ACK_AHEAD, 1);
    expect_faults(0, A, 1100, 4000, 10, WSP_FAULT_ACK_BACK, 1);
    expect_faults(1, F | A, 5050, 1100, 0, WSP_FAULTS, 0);
    expect_faults(1, R, 5050, 0, 0, WSP_FAULTS, 0);
}

static void data_behind_the_end_and_flows_without_beginning_are_faults(void **state)
{
    wsp_traffic *t;
    capture c;

    (void)state;
    capture_open(&c);
    shake_hands(&c);
    tcp(&c, 0, F | A, 1000, 5000, 20);
    tcp(&c, 0, A, 1021, 5000, 20); /* behind its own end */
    tcp(&c, 1, A, 5000, 1021, 20); /* the other side may go on */
    c.port++;
    tcp(&c, 0, A, 1000, 5000, 10);
    t = read_back(&c);
    assert_int_equal(wsp_traffic_faults(t, WSP_FAULT_AFTER_FIN), 1);
    assert_int_equal(wsp_traffic_faults(t, WSP_FAULT_NO_SYN), 1);
    assert_int_equal(wsp_traffic_faults(t, WSP_FAULT_CHECKSUM), 7); /* nobody summed TCP here */
    assert_int_equal(wsp_traffic_faults(t, WSP_FAULT_LENGTH), 0);
    wsp_traffic_free(t);
}

static void a_missing_checksum_of_udp_is_none_and_a_wrong_length_is_one(void **state)
{
    uint8_t b[ROOM];
    wsp_traffic *t;
    capture c;

    (void)state;
    capture_open(&c);
    udp(&c, "payload", 7, 0);
    put_headers(b, 8 + 7, 17, 1);
    put16(b + 34, 12345);
    put16(b + 36, c.port);
    put16(b + 38, 8 + 5); /* two bytes short */
    put16(b + 40, 0);
    memcpy(b + HEADERS_UDP, "payload", 7);
    add_frame(&c, b, HEADERS_UDP + 7);
    t = read_back(&c);
    assert_int_equal(wsp_traffic_faults(t, WSP_FAULT_CHECKSUM), 0);
    assert_int_equal(wsp_traffic_faults(t, WSP_FAULT_LENGTH), 1);
    wsp_traffic_free(t);
}

/* ---- copies ---- */

static const char secret[] = "correct horse battery staple, said nobody";

static wsp_traffic *with_payload(const char *s)
{
    capture c;

    capture_open(&c);
    udp(&c, s, strlen(s), 0);
    udp(&c, "0123456789abcdefghijklmnopq", 27, 1);
    return read_back(&c);
}

/* What `in` has of the payload of `of`. */
static wsp_verbatim_found look(const wsp_traffic *of, const char *in, size_t times, size_t common,
                               wsp_copy **copies)
{
    wsp_traffic_options opt = wsp_traffic_options_default();
    wsp_verbatim_found found;
    wsp_verbatim *v;
    wsp_error err;

    assert_int_equal(wsp_verbatim_new(&v, of, &err), WSP_OK);
    opt.scan = &v;
    opt.n_scan = 1;
    for (size_t i = 0; i < times; i++) { /* one capture after the other, as one file is one */
        capture c;
        capture_open(&c);
        udp(&c, in, strlen(in), 0);
        wsp_traffic_free(read_with(&c, &opt, WSP_OK));
    }
    assert_int_equal(wsp_verbatim_result(v, common, &found, copies), WSP_OK);
    wsp_verbatim_free(v);
    return found;
}

static void a_planted_copy_is_found_whole_and_is_rare(void **state)
{
    wsp_traffic *t = with_payload("GET horse battery staple, said no");
    wsp_verbatim_found f;
    wsp_copy *copies;

    (void)state;
    f = look(t, secret, 1, 3, &copies);
    assert_int_equal(f.packets, 2);
    assert_int_equal(f.copied_packets, 1);
    assert_int_equal(f.rare_packets, 1);
    assert_int_equal(f.copies, 1);
    assert_int_equal(copies[0].len, strlen(" horse battery staple, said no"));
    assert_memory_equal(copies[0].data, " horse battery staple, said no", copies[0].len);
    assert_int_equal(copies[0].captures, 1);
    free(copies);
    f = look(t, secret, 1, 1, &copies); /* one capture makes it common */
    assert_int_equal(f.copied_packets, 1);
    assert_int_equal(f.rare_packets, 0);
    free(copies);
    wsp_traffic_free(t);
}

static void fifteen_bytes_and_padding_are_no_copy(void **state)
{
    wsp_traffic *t = with_payload("xx battery staple,yyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy");
    wsp_verbatim_found f;
    wsp_copy *copies;

    (void)state;
    f = look(t, "tery staple,yyyy.battery staple.yyyyyyyyyyyyyyyyyyyyyy", 1, 3, &copies);
    assert_int_equal(f.copied_packets, 1); /* "tery staple,yyyy" has sixteen */
    assert_int_equal(copies[0].len, 16);
    free(copies);
    f = look(t, "ery staple,yyyy!yyyyyyyyyyyyyyyyyyyyyy", 1, 3, &copies);
    assert_int_equal(f.copied_packets, 0);
    free(copies);
    wsp_traffic_free(t);
}

static void given_bytes_are_counted_by_packet(void **state)
{
    wsp_traffic *t = with_payload(secret);

    (void)state;
    assert_int_equal(wsp_traffic_find(t, secret, strlen(secret)), 1);
    assert_int_equal(wsp_traffic_find(t, "bcdef", 5), 1);
    assert_int_equal(wsp_traffic_find(t, "e", 1), 2);
    assert_int_equal(wsp_traffic_find(t, "horses", 6), 0);
    wsp_traffic_free(t);
}

static void flows_that_were_learned_by_heart_are_near(void **state)
{
    wsp_traffic *a = make_flows(30, 40, 80, 1), *b = make_flows(30, 300, 700, 2);
    wsp_nearness same, other;

    (void)state;
    assert_int_equal(wsp_nearness_of(a, a, &same), WSP_OK);
    assert_int_equal(same.flows, 30);
    assert_float_equal(same.equal, 1, 1e-9);
    assert_float_equal(same.median, 0, 1e-9);
    assert_int_equal(wsp_nearness_of(b, a, &other), WSP_OK);
    assert_float_equal(other.equal, 0, 1e-9);
    assert_true(other.low > 0.05);
    wsp_traffic_free(a);
    wsp_traffic_free(b);
}

/* ---- what trees can tell ---- */

static void trees_tell_other_flows_from_real_ones_and_not_real_from_real(void **state)
{
    wsp_traffic *a = make_flows(200, 40, 80, 1), *b = make_flows(100, 40, 600, 2);
    wsp_traffic *few = make_flows(5, 40, 80, 3), *some = make_flows(29, 40, 80, 4);
    wsp_discrimination d;
    wsp_diversity v;
    wsp_error err;

    (void)state;
    assert_int_equal(wsp_discriminate(a, b, NULL, &d, &err), WSP_OK);
    assert_int_equal(d.flows, 200); /* as many of each */
    assert_true(d.f1 > 0.98);
    assert_true(d.p < 1e-6);
    assert_int_equal(wsp_discriminate(a, NULL, NULL, &d, &err), WSP_OK);
    assert_true(d.f1 > 0.3 && d.f1 < 0.7);
    assert_true(d.p > 1e-4);
    assert_int_equal(wsp_discriminate(a, some, NULL, &d, &err), WSP_ERR_ARG);
    assert_int_equal(wsp_discriminate(some, NULL, NULL, &d, &err), WSP_ERR_ARG); /* halves */
    assert_int_equal(wsp_diversity_of(a, b, &v), WSP_OK);
    assert_true(v.coverage < 0.1 && v.precision < 0.1);
    assert_int_equal(wsp_diversity_of(a, NULL, &v), WSP_OK);
    assert_true(v.coverage > 0.8 && v.precision > 0.8);
    assert_int_equal(wsp_diversity_of(few, b, &v), WSP_OK); /* none has five neighbours */
    assert_true(isnan(v.coverage) && isnan(v.precision));
    wsp_traffic_free(some);
    wsp_traffic_free(a);
    wsp_traffic_free(b);
    wsp_traffic_free(few);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(divergences_have_their_known_values),
        cmocka_unit_test(bins_have_their_edges_where_they_should),
        cmocka_unit_test(a_set_is_at_distance_zero_from_itself_and_apart_from_another),
        cmocka_unit_test(halves_of_one_set_are_near_each_other),
        cmocka_unit_test(packets_beyond_the_limit_do_not_count),
        cmocka_unit_test(captures_without_packets_are_refused),
        cmocka_unit_test(faults_of_tcp_are_told_apart),
        cmocka_unit_test(data_behind_the_end_and_flows_without_beginning_are_faults),
        cmocka_unit_test(a_missing_checksum_of_udp_is_none_and_a_wrong_length_is_one),
        cmocka_unit_test(a_planted_copy_is_found_whole_and_is_rare),
        cmocka_unit_test(fifteen_bytes_and_padding_are_no_copy),
        cmocka_unit_test(given_bytes_are_counted_by_packet),
        cmocka_unit_test(flows_that_were_learned_by_heart_are_near),
        cmocka_unit_test(trees_tell_other_flows_from_real_ones_and_not_real_from_real),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
