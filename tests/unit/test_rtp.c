/* SPDX-License-Identifier: Apache-2.0 */
/* test_rtp.c: RTP and RTCP: round trips, tokens, what is taken for it, what stays hidden, samples. */
#include "tests/unit/wire.h"

#define SOURCE                                "\x12\x34\x56\x78"
#define OTHER                                 "\x87\x65\x43\x21"
#define RTP(first, second, seq, time, source) first second seq time source
#define VOICE_12                              "abcdefghijkl"
#define VOICE                                 "abcdefghijklmnopqrstabcdefghijklmnopqrst"

/* Two packets of a voice, one lost, an event, a second source; and back to the first. */
static const wire_message voice[] = {
    {BYTES("\x80\x80\x10\x00\x00\x00\x10\x00" SOURCE VOICE),
     true,
     0,
     {"app=rtp", "rtp.type=pcmu", "rtp.marker=on"}},
    {BYTES("\x80\x00\x10\x01\x00\x00\x10\xa0" SOURCE VOICE),
     true,
     0,
     {"rtp.marker=off", "rtp.step=160..191"}},
    {BYTES("\x80\x00\x10\x03\x00\x00\x11\xe0" SOURCE VOICE), true, 0, {"rtp.lost=1"}},
    {BYTES("\x80\xe5\x10\x04\x00\x00\x12\x80" SOURCE "\x05\x0a\x00\xa0"),
     true,
     0,
     {"rtp.type=101", "rtp.marker=on"}},
    {BYTES("\x90\x60\x20\x00\x00\x00\x00\x01" OTHER "\xbe\xde\x00\x01\x10\xff\x00\x00"
           "abcd"),
     true,
     0,
     {"rtp.stream=new", "rtp.type=96", "rtp.flags=extended", "rtp.profile=one-byte",
      "rtp.element=1", "rtp.length=1"}},
    {BYTES("\xb0\x60\x20\x01\x00\x00\x00\x01" OTHER "\xbe\xde\x00\x01\x10\xff\x00\x00"
           "abcd\x00\x00\x03"),
     true,
     0,
     {"rtp.flags=padded-extended", "rtp.padding=3", "rtp.step=0"}},
    {BYTES("\x82\x00\x10\x05\x00\x00\x13\x20" SOURCE "\x00\x00\x00\x01\x00\x00\x00\x02"
           "abcd"),
     true,
     0,
     {"rtp.stream=second", "rtp.type=pcmu", "rtp.count=2"}},
    {BYTES("\x80\x00\x00\x01\x00\x00\x00\x01" OTHER VOICE), true, 1, {"s2c gap=1"}},
};

#define REPORT                                                                                   \
    "\x81\xc8\x00\x0c" SOURCE "\xe0\x01\x02\x03\x04\x05\x06\x07\x00\x00\x10\x00\x00\x00\x00\x02" \
    "\x00\x00\x01\x40" OTHER "\x00\x00\x00\x00\x00\x00\x10\x01\x00\x00\x00\x03\x00\x00\x00\x00"  \
    "\x00\x00\x00\x00"

static const wire_message control[] = {
    {BYTES(REPORT "\x81\xca\x00\x06" SOURCE "\x01\x04user\x06\x08recorder\x00\x00\x00\x00"),
     true,
     0,
     {"app=rtp", "rtp.stream=rtcp", "rtp.rtcp=sr", "rtp.count=1", "rtp.rtcp=sdes", "rtp.item=cname",
      "rtp.item=tool", "rtp.length=8..11"}},
    {BYTES("\x80\xc9\x00\x01" OTHER "\x8f\xcd\x00\x05" OTHER SOURCE
           "\x00\x01\x00\x02\x00\x00\x00\x00\x20\x00\x00\x00"),
     true,
     1,
     {"rtp.rtcp=rr", "rtp.count=0", "rtp.rtcp=transport-cc", "rtp.length=12..15"}},
    {BYTES("\x81\xce\x00\x02" OTHER SOURCE), true, 1, {"rtp.rtcp=pli"}},
    {BYTES("\x81\xcd\x00\x03" OTHER SOURCE "\x00\x01\x00\x00"), true, 1, {"rtp.rtcp=nack"}},
    {BYTES("\x80\xc9\x00\x01" OTHER "\x80\xcc\x00\x03" OTHER "quiz"
           "\x00\x00\x00\x07"),
     true,
     1,
     {"rtp.rtcp=app", "rtp.length=4..5"}},
    /* encrypted: a tag is behind */
    {BYTES("\x80\xc8\x00\x06" SOURCE "abcdefghijklmnopqrst"
           "\x80\x00\x00\x01"
           "0123456789"),
     true,
     0,
     {"rtp.rtcp=sr", "rtp.tail=12..15"}},
    {BYTES("\x80\xc9\x00\x01" SOURCE "\xa1\xcb\x00\x02" SOURCE "\x00\x00\x00\x04"),
     true,
     0,
     {"rtp.rtcp=bye", "rtp.flags=padded", "rtp.length=4..5"}},
    {BYTES("\x80\x00\x00\x07\x00\x00\x00\x01" SOURCE VOICE), true, 0, {"rtp.stream=new"}},
};

static void media_come_back_whole_cut_and_damaged(void **state)
{
    (void)state;
    all_come_back(voice, WSPI_COUNT(voice));
}

static void control_comes_back_whole_cut_and_damaged(void **state)
{
    (void)state;
    all_come_back(control, WSPI_COUNT(control));
}

/* Number n of a source, whose time goes on by `step`. */
static void put_rtp(wire *w, unsigned second, unsigned n, unsigned time)
{
    char b[52] = "\x80\x00\x00\x00\x00\x00\x00\x00" SOURCE VOICE;
    wire_message m = {b, sizeof b, true, 0, {0}};

    b[1] = (char)second;
    put16((uint8_t *)b + 2, n);
    put16((uint8_t *)b + 4, time >> 16);
    put16((uint8_t *)b + 6, time);
    put_message(w, &m, b, sizeof b);
}

static void assert_quiet(const wire *w)
{
    if (strstr(w->names, "rtp."))
        print_message("%s\n", w->names);
    assert_null(strstr(w->names, "rtp."));
}

/* A voice: nothing but the first step. Frames of several packets: the time steps behind a marked one. Both around 0. */
static void what_goes_on_as_it_did_is_not_told(void **state)
{
    wire w;

    (void)state;
    wire_open(&w);
    for (unsigned n = 0; n < 600; n++) {
        put_rtp(&w, 0, 65300 + n, 160 * n);
        if (n > 1)
            assert_quiet(&w);
    }
    put_rtp(&w, 0, 65300 + 601, 160 * 601); /* one lost */
    assert_named(&w, "rtp.lost=1");
    assert_null(strstr(w.names, "rtp.step"));
    wire_again(&w);
    for (unsigned n = 0; n < 30; n++) {
        put_rtp(&w, n % 3 == 2 ? 0xe0 : 0x60, 100 + n, 3000 * (n / 3));
        if (n > 3 && n % 3 != 2)
            assert_quiet(&w);
    }
    wire_close(&w);
}

/* A report among media, and media behind it; the report's sender is the source. */
static void media_and_control_share_a_port(void **state)
{
    wire w;

    (void)state;
    wire_open(&w);
    put_rtp(&w, 0, 1, 160);
    put_rtp(&w, 0, 2, 320);
    put_message(&w, &control[0], control[0].bytes, control[0].len);
    assert_null(strstr(w.names, "rtp.ssrc"));
    assert_null(strstr(w.names, "app="));
    put_rtp(&w, 0, 3, 480);
    assert_quiet(&w);
    wire_close(&w);
}

static void assert_taken(bool taken, const char *bytes, size_t n)
{
    assert_int_equal(app_of_datagram(bytes, n), taken ? WSPI_APP_RTP : 0);
}

static void what_only_resembles_it_is_not_taken(void **state)
{
    (void)state;
    assert_taken(true, BYTES("\x80\x60\x10\x01\x00\x00\x10\xa0" SOURCE VOICE));
    assert_taken(false, BYTES("\x40\x60\x10\x01\x00\x00\x10\xa0" SOURCE VOICE)); /* version */
    assert_taken(false, BYTES("\x80\x50\x10\x01\x00\x00\x10\xa0" SOURCE VOICE)); /* type */
    assert_taken(false, BYTES("\x81\x60\x10\x01\x00\x00\x10\xa0" SOURCE VOICE)); /* sources */
    assert_taken(false, BYTES("\x80\x60\x10\x01\x00\x00\x10\xa0\x00\x00\x00\x00" VOICE));
    assert_taken(false, BYTES("\x80\x60\x10\x01\x00\x00\x10\xa0" SOURCE));           /* no body */
    assert_taken(false, BYTES("\x90\x60\x10\x01\x00\x00\x10\xa0" SOURCE VOICE));     /* profile */
    assert_taken(false, BYTES("\xa0\x60\x10\x01\x00\x00\x10\xa0" SOURCE "abc\x01")); /* padding */
    assert_taken(false, BYTES("\x80\x00\x02\x00\x00\x09\x00\x00\x01\x0a\x01\x01"
                              "\x82\x00\x01\x00\x00\x01"));                               /* FINS */
    assert_taken(false, BYTES("\x80\x60\x00\x00\x00\x00\x00\x03\x00\x00\x06\x01" VOICE)); /* IAX */
    assert_taken(false, BYTES("\x80\x00\x00\x00\x00\x00\x00\x07" SOURCE VOICE));          /* Mosh */
    assert_taken(true, BYTES("\x80\xc9\x00\x01" SOURCE));
    assert_taken(false, BYTES("\x80\xc9\x00\x02" SOURCE));
    assert_taken(false, BYTES("\x80\xc8\x00\x01" SOURCE VOICE));
    assert_taken(false, BYTES("\x81\xce\x00\x02" SOURCE OTHER "more"));
}

/* Behind plain bytes a packet has to begin something; behind those of another protocol, but STUN's, it is none. */
static void what_went_before_counts(void **state)
{
    static const wire_message plain = {BYTES("\x16\x80 something else"), true, 0, {0}};
    static const wire_message stun = {
        BYTES("\x00\x01\x00\x00\x21\x12\xa4\x42" VOICE_12), true, 0, {0}};
    static const wire_message coap = {BYTES("\x40\x01\x00\x01\xb1q"), true, 0, {0}};
    wire w;

    (void)state;
    wire_open(&w);
    put_message(&w, &plain, plain.bytes, plain.len);
    put_rtp(&w, 0x60, 1, 160);
    assert_int_equal(w.enc->app.id[0], 0);
    put_rtp(&w, 0xe0, 2, 320);
    assert_named(&w, "app=rtp");
    put_message(&w, &stun, stun.bytes, stun.len);
    assert_named(&w, "app=stun");
    put_rtp(&w, 0x60, 3, 480);
    assert_named(&w, "app=rtp");
    wire_again(&w);
    put_message(&w, &coap, coap.bytes, coap.len);
    assert_named(&w, "app=coap");
    put_rtp(&w, 0xe0, 1, 160);
    assert_int_equal(w.enc->app.id[0], 0);
    wire_close(&w);
}

static void sources_clocks_and_names_are_in_no_token(void **state)
{
    (void)state;
    assert_hidden(&voice[0], 2, 50);
    assert_hidden(&control[0], 8, 20 + 24); /* clocks, amounts, the report */
    assert_hidden(&control[0], 62, 4);
}

static void sampled_rtp_is_rtp(void **state)
{
    static const char *const asks_for[] = {
        "c2s first",    "c2s gap=0", "stack=eth/ipv4/udp", "udp.sport=dynamic", "udp.dport=5004",
        "len=160..167", NULL};
    static const char *const answers_with[] = {
        "s2c first", "s2c gap=0", "stack=eth/ipv4/udp", "udp.sport=5004", "udp.dport=dynamic",
        "len=16",    NULL};

    (void)state;
    sample_flows(asks_for, answers_with, WSPI_APP_RTP);
}

/* A voice that is answered, and its report. */
static void samples_are_of_one_source_that_counts(void **state)
{
    static const char *const talks[] = {
        "c2s first",    "c2s gap=0", "stack=eth/ipv4/udp", "udp.sport=dynamic", "udp.dport=5004",
        "len=160..167", "app=rtp",   "rtp.type=pcmu",      "rtp.step=160..191", "rtp.marker=on",
        "end",          NULL};
    static const char *const reports[] = {
        "c2s gap=0",     "len=64..67",     "rtp.stream=rtcp", "rtp.rtcp=sr",
        "rtp.rtcp=sdes", "rtp.item=cname", "rtp.name=16..31", NULL};
    wsp_filler fill = filler_of(1);
    wspi_rng r;
    wire w;

    (void)state;
    wspi_rng_seed(&r, 14);
    wire_open(&w);
    sample(&w, &fill, talks, 0, WSPI_APP_RTP, &r);
    assert_named(&w, "rtp.type=pcmu");
    sample(&w, &fill, talks, 0, WSPI_APP_RTP, &r);
    assert_named(&w, "rtp.step=160..191");
    for (int k = 0; k < 100; k++) {
        sample(&w, &fill, talks, 0, WSPI_APP_RTP, &r);
        assert_null(strstr(w.names, "rtp.lost"));
        assert_null(strstr(w.names, "rtp.stream"));
        assert_null(strstr(w.names, "app="));
    }
    sample(&w, &fill, reports, 0, WSPI_APP_RTP, &r);
    assert_named(&w, "rtp.rtcp=sdes");
    assert_null(strstr(w.names, "rtp.ssrc"));
    assert_true(!strstr(w.names, "rtp.length") || strstr(w.names, "rtp.item=tool"));
    wire_close(&w);
}

/* Whatever is drawn in a flow that has begun is read as it was meant: 3,000 packets of both directions. */
static void random_samples_are_rtp(void **state)
{
    static const char *const begins[] = {
        "c2s first",  "c2s gap=0", "stack=eth/ipv4/udp", "udp.sport=dynamic", "udp.dport=5004",
        "len=40..41", NULL};
    static const char *const answers[] = {"s2c first", "s2c gap=0", "stack=eth/ipv4/udp",
                                          "len=200..207", NULL};
    wspi_rng r;
    wire w;

    (void)state;
    wspi_rng_seed(&r, 15);
    wire_open(&w);
    for (uint64_t flow = 0; flow < 500; flow++) {
        wsp_filler fill = filler_of(flow);
        wire_again(&w);
        for (int k = 0; k < 6; k++)
            sample(&w, &fill, k % 3 == 2 ? answers : begins, k % 3 == 2, WSPI_APP_RTP, &r);
    }
    wire_close(&w);
}

static void no_port_is_in_the_tokens(void **state)
{
    (void)state;
    assert_no_port_told(5004, voice, WSPI_COUNT(voice));
    assert_no_port_told(5004, control, WSPI_COUNT(control));
}

/* RFC 3550 6.4.1, 6.5.1: a report is of the other side's source, and of its last report; names stay. */
static void check_reports(const wire *w, int dir)
{
    enum { SR = 200, SR_LEN = 28, BLOCK = 24 };
    static uint8_t source[2][4], stamp[2][4], name[2][40];
    static bool known[2], reported[2];
    const uint8_t *b = w->packet->data + HEADERS_UDP, *block = b + (b[1] == SR ? SR_LEN : 8),
                  *text = b + 4 * ((size_t)b[2] << 8 | b[3]) + 4 + 8;

    if (w->number == 1)
        memset(known, 0, sizeof known), memset(reported, 0, sizeof reported);
    if (known[dir])
        assert_memory_equal(b + 4, source[dir], 4);
    memcpy(source[dir], b + 4, 4);
    if (b[0] & 31 && known[!dir]) {
        static const uint8_t none[4];
        assert_memory_equal(block, source[!dir], 4);
        assert_memory_equal(block + 16, reported[!dir] ? stamp[!dir] : none, 4);
    } else if (b[0] & 31) {
        memcpy(source[!dir], block, 4);
    }
    known[!dir] |= b[0] & 31;
    if (b[1] == SR)
        memcpy(stamp[dir], b + 10, 4);
    reported[dir] |= b[1] == SR;
    assert_int_equal(*text, 1); /* its name */
    assert_in_range(text[1], 17, 24);
    if (known[dir] && name[dir][0])
        assert_true(w->number <= 2 || memcmp(text, name[dir], text[1]) == 0);
    memcpy(name[dir], text, text[1] + 2u);
    known[dir] = true;
}

static void sampled_reports_are_of_the_other_side(void **state)
{
    static const char *const sends[2][8] = {
        {"c2s first", "c2s gap=0", "stack=eth/ipv4/udp", "udp.sport=dynamic", "udp.dport=5004",
         "rtp.stream=rtcp", "len=80..83", NULL},
        {"s2c first", "s2c gap=0", "stack=eth/ipv4/udp", "udp.sport=5004", "udp.dport=dynamic",
         "rtp.stream=rtcp", "len=80..83", NULL}};

    (void)state;
    sample_exact(60, 8, sends[0], sends[1], WSPI_APP_RTP, check_reports);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_port_is_in_the_tokens),
        cmocka_unit_test(media_come_back_whole_cut_and_damaged),
        cmocka_unit_test(control_comes_back_whole_cut_and_damaged),
        cmocka_unit_test(what_goes_on_as_it_did_is_not_told),
        cmocka_unit_test(media_and_control_share_a_port),
        cmocka_unit_test(what_only_resembles_it_is_not_taken),
        cmocka_unit_test(sources_clocks_and_names_are_in_no_token),
        cmocka_unit_test(what_went_before_counts),
        cmocka_unit_test(sampled_rtp_is_rtp),
        cmocka_unit_test(sampled_reports_are_of_the_other_side),
        cmocka_unit_test(random_samples_are_rtp),
        cmocka_unit_test(samples_are_of_one_source_that_counts),
    };

    (void)wsp_vocab_size();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
