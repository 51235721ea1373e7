/* SPDX-License-Identifier: Apache-2.0 */
/* test_names.c: mDNS, LLMNR and NetBIOS names, which have the form of DNS: round trips, predictions by port, samples. */
#include "tests/unit/wire.h"

#define COUNTS(q, an, ad) "\x00" q "\x00" an "\x00\x00\x00" ad
#define SERVICE           "\x04_ipp\x04_tcp\x05local\x00"
#define ENCODED                        \
    "\x20"                             \
    "FAFCEJEOFEEFFCCACACACACACACACAAA" \
    "\x00" /* PRINTER<00> */
#define ANYONE                         \
    "\x20"                             \
    "CKAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA" \
    "\x00"
#define TEN "\x00\x00\x00\x0a"

static const wire_message mdns[] = {
    {BYTES("\x00\x00\x00\x00" COUNTS("\x01", "\x00", "\x00") SERVICE "\x00\x0c\x80\x01"),
     true,
     0,
     {"app=dns", "dns.flags=query-iter", "dns.qtype=PTR", "dns.qclass=IN-flush"}},
    {BYTES("\x00\x00\x84\x00" COUNTS("\x00", "\x02", "\x00") SERVICE
           "\x00\x0c\x00\x01" TEN "\x00\x0b\x08"
           "laserjet"
           "\xc0\x0c"
           "\x08laserjet\xc0\x0c\x00\x01\x80\x01" TEN "\x00\x04\x0a\x00\x00\x02"),
     true,
     1,
     {"dns.flags=answer-auth", "dns.answers=2", "dns.type=PTR", "dns.type=A", "dns.name=labels"}},
    /* two questions, the second one's name ends as the first one's */
    {BYTES("\x00\x00\x00\x00" COUNTS("\x02", "\x00", "\x00") SERVICE
           "\x00\x0c\x80\x01"
           "\x05_ipps\xc0\x11\x00\x0c\x80\x01"),
     true,
     0,
     {"dns.questions=2", "dns.qname=16..19", "dns.qname=8..9"}},
};

static const wire_message llmnr[] = {
    {BYTES("\x12\x34\x00\x00" COUNTS("\x01", "\x00", "\x00") "\x04wpad\x00\x00\x01\x00\x01"),
     true,
     0,
     {"app=dns", "dns.flags=query-iter", "dns.qtype=A"}},
    {BYTES("\x12\x34\x80\x00" COUNTS("\x01", "\x01", "\x00") "\x04wpad\x00\x00\x01\x00\x01"
                                                             "\xc0\x0c\x00\x01\x00\x01" TEN
                                                             "\x00\x04\x0a\x00\x00\x02"),
     true,
     1,
     {"dns.flags=answer-plain", "dns.answers=1", "dns.type=A"}},
};

static const wire_message netbios[] = {
    {BYTES("\x12\x34\x29\x10" COUNTS("\x01", "\x00", "\x01") ENCODED
           "\x00\x20\x00\x01"
           "\xc0\x0c\x00\x20\x00\x01" TEN "\x00\x06\x60\x00\x0a\x00\x00\x01"),
     true,
     0,
     {"app=dns", "dns.flags=register-nb", "dns.qtype=NB", "dns.type=NB", "dns.nb_flags=H"}},
    {BYTES("\x12\x34\x85\x00" COUNTS("\x00", "\x01", "\x00") ENCODED
           "\x00\x20\x00\x01" TEN "\x00\x06\x00\x00\x0a\x00\x00\x01"),
     true,
     1,
     {"dns.flags=answer-aa-rd", "dns.type=NB"}},
    {BYTES("\x12\x35\x00\x10" COUNTS("\x01", "\x00", "\x00") ANYONE "\x00\x21\x00\x01"),
     true,
     0,
     {"dns.flags=query-cd", "dns.qtype=SRV"}},
    {BYTES("\x12\x35\x84\x00" COUNTS("\x00", "\x01", "\x00") ANYONE
           "\x00\x21\x00\x01" TEN "\x00\x41\x01"
           "PRINTER        \x00\x04\x00"
           "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"
           "\0\0\0"),
     true,
     1,
     {"dns.flags=answer-auth", "dns.type=SRV", "dns.nodes=1"}},
    /* two owners, a length that is not of one: the rest is opaque */
    {BYTES("\x12\x36\x85\x00" COUNTS("\x00", "\x01", "\x00") ENCODED
           "\x00\x20\x00\x01" TEN "\x00\x0c\x60\x00\x0a\x00\x00\x01\x60\x00\x0a\x00\x00\x02"),
     true,
     1,
     {"dns.length=12..13"}},
};

static void mdns_comes_back_whole_cut_and_damaged(void **state)
{
    (void)state;
    all_come_back_at(5353, mdns, WSPI_COUNT(mdns));
}

static void llmnr_comes_back_whole_cut_and_damaged(void **state)
{
    (void)state;
    all_come_back_at(5355, llmnr, WSPI_COUNT(llmnr));
}

static void netbios_names_come_back_whole_cut_and_damaged(void **state)
{
    (void)state;
    all_come_back_at(137, netbios, WSPI_COUNT(netbios));
}

static void no_port_is_in_the_tokens(void **state)
{
    (void)state;
    assert_no_port_told(5353, mdns, WSPI_COUNT(mdns));
    assert_no_port_told(5355, llmnr, WSPI_COUNT(llmnr));
    assert_no_port_told(137, netbios, WSPI_COUNT(netbios));
}

static void what_is_usual_of_a_service_is_not_told(void **state)
{
    wire w;

    (void)state;
    wire_open(&w);
    put_message(&w, &mdns[1], mdns[1].bytes, mdns[1].len);
    assert_null(strstr(w.names, "dns.questions="));
    assert_null(strstr(w.names, "dns.class="));
    wire_again(&w);
    put_message(&w, &netbios[0], netbios[0].bytes, netbios[0].len);
    assert_null(strstr(w.names, "dns.additionals="));
    put_message(&w, &netbios[1], netbios[1].bytes, netbios[1].len);
    assert_null(strstr(w.names, "dns.questions="));
    assert_null(strstr(w.names, "dns.nb_flags="));
    wire_close(&w);
}

/* ---- samples ---- */

static void sampled_at(const char *sport, const char *dport)
{
    const char *const asks_for[] = {
        "c2s first",  "c2s gap=0", "stack=eth/ipv4/udp", "udp.sport=dynamic", dport,
        "len=48..49", NULL};
    const char *const answers_with[] = {"s2c first", "s2c gap=0",         "stack=eth/ipv4/udp",
                                        sport,       "udp.dport=dynamic", "len=48..49",
                                        NULL};

    sample_flows(asks_for, answers_with, WSPI_APP_DNS);
}

static void samples_speak_it_on_all_four_ports(void **state)
{
    (void)state;
    sampled_at("udp.sport=53", "udp.dport=53");
    sampled_at("udp.sport=5353", "udp.dport=5353");
    sampled_at("udp.sport=5355", "udp.dport=5355");
    sampled_at("udp.sport=137", "udp.dport=137");
}

/* The name of a question, n bytes with its root, as samples have it on the port. */
static bool fits(uint16_t port, const uint8_t *b, size_t n)
{
    if (port == 5353)
        return n > 7 && memcmp(b + n - 7, "\5local", 7) == 0;
    if (port == 5355)
        return b[0] == n - 2;
    for (size_t i = 1; i < 33; i++)
        if (b[i] < 'A' || b[i] > 'P')
            return false;
    return b[0] == 32 && n == 34;
}

/* Of 200 sampled messages of clients: numbers, flags, names as the service has them. */
static void questions_at(uint16_t port, const char *dport)
{
    const char *const wanted[] = {"c2s first",
                                  "stack=eth/ipv4/udp",
                                  "len=48..49",
                                  "ipv4.src=private",
                                  "udp.sport=dynamic",
                                  dport,
                                  NULL};
    wsp_filler fill = {.start_ns = 1, .client.ip = {10, 0, 0, 1}, .server.ip = {10, 0, 0, 2}};
    uint16_t ids[WSP_MAX_PACKET_TOKENS];
    wsp_decoded out;
    wspi_rng r;
    wire w;

    wspi_rng_seed(&r, 3);
    wire_open(&w);
    for (fill.seed = 0; fill.seed < 200; fill.seed++) {
        const uint8_t *b;
        wire_again(&w);
        (void)wire_draw(&w, &fill, &(wishes){.wanted = wanted, .r = &r}, ids, &out);
        b = out.frame.data + HEADERS_UDP;
        if (port == 5353)
            assert_int_equal(b[0] | b[1], 0);
        if (!(b[2] >> 7))
            assert_true(b[5] == 1 && fits(port, b + 12, qname_len(b + 12)));
        else
            assert_true(port != 5355 && b[2] == (port == 137 ? 0x85 : 0x84) && b[5] == 0 &&
                        b[7] > 0);
        if (port == 5355)
            assert_int_equal(b[2] | b[3], 0);
        if (port == 137 && b[2] >> 3 == 5)
            assert_int_equal(b[11], 1);
    }
    wire_close(&w);
}

static void sampled_questions_are_those_of_their_service(void **state)
{
    (void)state;
    questions_at(5353, "udp.dport=5353");
    questions_at(5355, "udp.dport=5355");
    questions_at(137, "udp.dport=137");
}

/* Where the message's first name has its second label, or its root. */
static uint8_t parent(const uint8_t *message)
{
    return (uint8_t)(message[12] ? 13 + message[12] : 12);
}

/* RFC 1035 4.1.4: an alias whose data is a pointer alone, to the domain that the question's name is in. */
static void sampled_names_may_be_pointers_to_the_parent(void **state)
{
    static const char *const asks[] = {"c2s first",
                                       "c2s gap=0",
                                       "stack=eth/ipv4/udp",
                                       "udp.dport=53",
                                       "udp.sport=dynamic",
                                       "len=48..49",
                                       "dns.flags=query",
                                       "dns.qname=24..27",
                                       "text=\\x03com\\x00",
                                       "dns.qtype=A",
                                       NULL};
    static const char *const answers[] = {
        "s2c first",         "s2c gap=0",        "stack=eth/ipv4/udp", "udp.sport=53",
        "udp.dport=dynamic", "dns.flags=answer", "dns.name=pointer",   "dns.type=CNAME",
        "dns.length=2",      "dns.answers=1",    "len=48..49",         NULL};
    wsp_filler fill = {.start_ns = 1, .client.ip = {10, 0, 0, 1}, .server.ip = {10, 0, 0, 2}};
    unsigned pointers = 0;
    wspi_rng r;
    wire w;

    (void)state;
    wspi_rng_seed(&r, 5);
    wire_open(&w);
    for (fill.seed = 0; fill.seed < 40; fill.seed++) {
        const uint8_t *b;
        wire_again(&w);
        sample(&w, &fill, asks, 0, WSPI_APP_DNS, &r);
        b = w.packet->data + w.packet->payload_off;
        if (b[parent(b)] == 0) /* that is the root */
            continue;
        pointers++;
        sample(&w, &fill, answers, 1, WSPI_APP_DNS, &r);
        assert_named(&w, "dns.length=2");
        b = w.packet->data + w.packet->payload_off;
        b += w.packet->payload_len - 2;
        assert_int_equal(b[0], 0xc0);
        assert_int_equal(b[1], parent(w.packet->data + w.packet->payload_off));
    }
    assert_true(pointers >= 20);
    wire_close(&w);
}

/* Whoever has a name says so to who asked all: its answer is a flow without a question (RFC 1002 4.2.13). */
static void a_sampled_netbios_answer_may_come_alone(void **state)
{
    static const char *const tells[] = {
        "c2s first",     "c2s gap=0",  "stack=eth/ipv4/udp",     "udp.sport=137",
        "udp.dport=137", "len=62..63", "dns.flags=answer-aa-rd", NULL};
    static const char *const says[] = {"dns.flags=answer-aa-rd", "dns.questions=0", "dns.answers=1",
                                       "dns.length=32..39"};
    wsp_filler fill = filler_of(1);
    wspi_rng r;
    wire w;

    (void)state;
    wspi_rng_seed(&r, 6);
    wire_open(&w);
    for (fill.seed = 0; fill.seed < 40; fill.seed++) {
        const uint8_t *b;
        wire_again(&w);
        sample(&w, &fill, tells, 0, WSPI_APP_DNS, &r);
        for (size_t k = 0; k < WSPI_COUNT(says); k++)
            assert_named(&w, says[k]);
        b = w.packet->data + w.packet->payload_off;
        assert_int_equal(w.packet->payload_len, 62);
        assert_int_equal(b[12], 32);
        assert_int_equal(b[47], 32); /* NB */
    }
    wire_close(&w);
}

/* RFC 1002 4.4.1: samples at the port of datagrams are whole ones, as long as was drawn where there can be any. */
static void sampled_netbios_datagrams_are_whole(void **state)
{
    static const struct {
        const char *drawn;
        size_t from, to;
        uint8_t says; /* MS-BRWS: a host announces itself, or asks others to */
    } all[] = {{"len=4", 172, 172, 2},
               {"len=184..191", 184, 186, 2},
               {"len=216..223", 216, 223, 1},
               {"len=1024..1087", 244, 244, 1}};
    wsp_filler fill = filler_of(1);
    wspi_rng r;
    wire w;

    (void)state;
    wspi_rng_seed(&r, 6);
    wire_open(&w);
    for (fill.seed = 0; fill.seed < 10 * WSPI_COUNT(all); fill.seed++) {
        size_t i = fill.seed / 10;
        const char *const tells[] = {
            "c2s first",  "c2s gap=0", "stack=eth/ipv4/udp", "udp.sport=138", "udp.dport=138",
            all[i].drawn, NULL};
        const uint8_t *b;
        wire_again(&w);
        sample(&w, &fill, tells, 0, 0, &r);
        assert_named(&w, "udp.sport=138");
        assert_named(&w, "udp.dport=138");
        b = w.packet->data + w.packet->payload_off;
        assert_int_equal(b[0], 0x11);
        assert_memory_equal(b + 4, fill.client.ip, 4);
        assert_int_equal(b[10] << 8 | b[11], w.packet->payload_len - 14);
        assert_int_equal(qname_len(b + 14), 34);
        assert_int_equal(qname_len(b + 48), 34);
        assert_memory_equal(b + 82, "\xffSMB\x25", 5);
        assert_int_equal(b[168], all[i].says);
        assert_in_range(w.packet->payload_len, all[i].from, all[i].to);
    }
    wire_close(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(mdns_comes_back_whole_cut_and_damaged),
        cmocka_unit_test(llmnr_comes_back_whole_cut_and_damaged),
        cmocka_unit_test(netbios_names_come_back_whole_cut_and_damaged),
        cmocka_unit_test(no_port_is_in_the_tokens),
        cmocka_unit_test(what_is_usual_of_a_service_is_not_told),
        cmocka_unit_test(samples_speak_it_on_all_four_ports),
        cmocka_unit_test(sampled_questions_are_those_of_their_service),
        cmocka_unit_test(sampled_names_may_be_pointers_to_the_parent),
        cmocka_unit_test(a_sampled_netbios_answer_may_come_alone),
        cmocka_unit_test(sampled_netbios_datagrams_are_whole),
    };

    (void)wsp_vocab_size();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
