/* SPDX-License-Identifier: Apache-2.0 */
/* test_industrial.c: S7comm, DNP3 and QUIC messages: round trip of whole, cut and damaged ones, and their tokens; samples. */
#include "tests/unit/wire.h"

/* A connection request; setting up S7; reading two items; the answer. */
static const wire_message s7[] = {
    {BYTES("\x03\x00\x00\x16\x11\xe0\x00\x00\x00\x2e\x00\xc1\x02\x01\x00\xc2\x02\x01\x02\xc0\x01"
           "\x0a"),
     false,
     0,
     {"app=s7comm"}},
    {BYTES("\x03\x00\x00\x19\x02\xf0\x80\x32\x01\x00\x00\x01\x00\x00\x08\x00\x00\xf0\x00\x00\x01"
           "\x00\x03\x01\xe0"),
     false,
     0,
     {"s7.function=setup"}},
    {BYTES("\x03\x00\x00\x2b\x02\xf0\x80\x32\x01\x00\x00\x02\x00\x00\x1a\x00\x00\x04\x02"
           "\x12\x0a\x10\x02\x00\x10\x00\x10\x84\x00\x07\x07\x12\x0a\x10\x02\x00\x01\x00\x10\x84"
           "\x00\x00\x00"),
     false,
     0,
     {"s7.function=read", "s7.item=byte", "s7.count=2"}},
    {BYTES("\x03\x00\x00\x1a\x02\xf0\x80\x32\x03\x00\x00\x02\x00\x00\x02\x00\x05\x00\x00\x04\x01"
           "\xff\x04\x00\x08\x2a"),
     false,
     1,
     {"s7.function=read"}},
};

/* A long header of version 1 (an Initial), the answer, a short header. */
static const wire_message quic[] = {
    {BYTES("\xc3\x00\x00\x00\x01\x08\x01\x02\x03\x04\x05\x06\x07\x08\x00\x00\x40\x0a"
           "abcdefghij"),
     true,
     0,
     {"app=quic", "quic.type=initial", "quic.version=1"}},
    {BYTES("\xc1\x00\x00\x00\x01\x00\x08\x11\x12\x13\x14\x15\x16\x17\x18\x00\x40\x05"
           "klmno"),
     true,
     1,
     {"quic.type=initial"}},
    /* a length of one byte, though two are usual, behind a token whose length has one */
    {BYTES("\xc3\x00\x00\x00\x01\x08\x01\x02\x03\x04\x05\x06\x07\x08\x00\x00\x05vwxyz"),
     true,
     0,
     {"quic.varint=0"}},
    {BYTES("\x45\x11\x12\x13\x14\x15\x16\x17\x18pqrstuvw"), true, 0, {"quic.type=short"}},
};

static void s7_messages_come_back_whole_cut_and_damaged(void **state)
{
    (void)state;
    all_come_back(s7, WSPI_COUNT(s7));
}

static void quic_headers_come_back_whole_cut_and_damaged(void **state)
{
    (void)state;
    all_come_back(quic, WSPI_COUNT(quic));
}

/* 48 bytes or more that begin with 0xc9 were once a message of NTP's version 1. */
static void quic_headers_are_no_ntp_whatever_their_low_bits(void **state)
{
    char b[64] = "\xc0\x00\x00\x00\x01\x08\x01\x02\x03\x04\x05\x06\x07\x08\x00\x00\x40\x2e";

    (void)state;
    for (int low = 0; low < 16; low++) {
        b[0] = (char)(0xc0 | low);
        memcpy(b + 1, "\x00\x00\x00\x01", 4);
        assert_int_equal(app_of_datagram(b, sizeof b), WSPI_APP_QUIC);
        memcpy(b + 1, "\x0a\x1a\x0a\x1a", 4);
        assert_int_equal(app_of_datagram(b, sizeof b), WSPI_APP_QUIC);
    }
}

/* RFC 5905 7.3: a key and a digest of MD5 or SHA-1, bytes that are drawn, behind what the protocol's fields are. */
static void sampled_ntp_has_a_code_where_its_length_says_so(void **state)
{
    static const struct {
        const char *drawn, *text;
        size_t len;
    } all[] = {{"len=48..49", NULL, 48},
               {"len=52..53", NULL, 48},
               {"len=68..71", "text=\\x04\\x00\\x00\\x00", 68},
               {"len=72..75", "text=\\x04\\x00\\x00\\x00", 72}};
    wsp_filler fill = filler_of(1);
    wspi_rng r;
    wire w;

    (void)state;
    wspi_rng_seed(&r, 6);
    wire_open(&w);
    for (size_t i = 0; i < 20 * WSPI_COUNT(all); i++) {
        const char *const asks[] = {"c2s first",          "c2s gap=0",      "stack=eth/ipv4/udp",
                                    "udp.sport=123",      "udp.dport=123",  all[i / 20].drawn,
                                    "ntp.mode=v3-client", "ntp.stratum=2",  "ntp.poll=6",
                                    "payload=binary",     all[i / 20].text, NULL};
        fill.seed = i;
        wire_again(&w);
        sample(&w, &fill, asks, 0, WSPI_APP_NTP, &r);
        assert_int_equal(w.packet->payload_len, all[i / 20].len);
        if (all[i / 20].text)
            assert_named(&w, all[i / 20].text);
    }
    wire_close(&w);
}

/* The CRC of IEEE 1815: polynomial 0x3d65, reflected, inverted. */
static void put_crc(char *b, size_t n)
{
    unsigned crc = 0;

    for (size_t i = 0; i < n; i++) {
        crc ^= (uint8_t)b[i];
        for (int k = 0; k < 8; k++)
            crc = crc >> 1 ^ (crc & 1 ? 0xa6bcu : 0u);
    }
    crc = ~crc;
    b[n] = (char)(crc & 255);
    b[n + 1] = (char)(crc >> 8 & 255);
}

/* A request to read all classes: link header, then transport, control, function and four objects. */
static void dnp3_requests_come_back_whole_cut_and_damaged(void **state)
{
    static const char user[] = "\xc0\xc1\x01\x3c\x02\x06\x3c\x03\x06\x3c\x04\x06\x3c\x01\x06";
    char b[64] = "\x05\x64\x14\xc4\x01\x00\x02\x00";
    wire_message request = {b, 0, false, 0, {"app=dnp3"}};

    (void)state;
    put_crc(b, 8);
    memcpy(b + 10, user, sizeof user - 1);
    put_crc(b + 10, sizeof user - 1);
    request.len = 10 + sizeof user - 1 + 2;
    all_come_back(&request, 1);
}

/* And are answered by who was asked: addresses and numbers are those of the question. */
static void sampled_dnp3_is_dnp3(void **state)
{
    static const char *const asks_for[] = {"c2s first",
                                           "c2s gap=0",
                                           "stack=eth/ipv4/tcp",
                                           "tcp.sport=dynamic",
                                           "tcp.dport=20000",
                                           "tcp.flags=PA",
                                           "len=20",
                                           NULL};
    static const char *const answers_with[] = {
        "s2c first",    "s2c gap=0",         "stack=eth/ipv4/tcp", "tcp.sport=20000",
        "tcp.flags=PA", "tcp.dport=dynamic", "len=80..83",         NULL};

    (void)state;
    sample_flows(asks_for, answers_with, WSPI_APP_DNP3);
}

/* ---- S7comm ---- */

/* The bytes of what was asked for: return codes, then values of the items' sizes, to even bytes but for the last one. */
static size_t s7_values(const uint8_t *job, bool codes)
{
    size_t n = 0;

    for (unsigned i = 0; i < job[18]; i++) {
        const uint8_t *item = job + 19 + (size_t)12 * i;
        size_t one = item[3] <= 2 ? 1 : item[3] == 4 ? 2 : 4;
        size_t len = one * ((size_t)item[4] << 8 | item[5]);
        n += codes ? 1 : 4 + len + (len % 2 && i + 1u < job[18]);
    }
    return n;
}

static size_t be16(const uint8_t *b)
{
    return (size_t)b[0] << 8 | b[1];
}

/* A connection first, then a set-up; what answers is of what was asked, with values of its items. */
static void check_s7(const uint8_t *b, size_t n, const uint8_t *asked, int turn)
{
    assert_int_equal(be16(b + 2), n);
    if (turn < 2) {
        assert_int_equal(b[5], turn ? 0xd0 : 0xe0);
        assert_int_equal(n, 22);
        assert_true(!asked || be16(b + 6) == be16(asked + 8)); /* for its reference */
        assert_true(!asked || memcmp(b + 11, asked + 11, 8) == 0);
        return;
    }
    assert_int_equal(b[5], 0xf0);
    if (turn < 4)
        assert_int_equal(b[asked ? 19 : 17], 0xf0);
    if (asked) {
        assert_memory_equal(b + 11, asked + 11, 2); /* the reference */
        assert_int_equal(b[19], asked[17]);
        assert_true(b[19] != 0xf0 || memcmp(b + 21, asked + 19, 6) == 0);
        assert_true(b[19] == 0xf0 || be16(b + 15) == s7_values(asked, b[19] == 5));
    } else {
        assert_true(b[17] != 5 || be16(b + 15) == s7_values(b, false));
    }
}

static void sampled_s7_answers_what_was_asked(void **state)
{
    static const char *const sends[2][8] = {
        {"c2s first", "c2s gap=0", "stack=eth/ipv4/tcp", "tcp.sport=dynamic", "tcp.dport=102",
         "len=30", "tcp.flags=PA", NULL},
        {"s2c first", "s2c gap=0", "stack=eth/ipv4/tcp", "tcp.sport=102", "tcp.dport=dynamic",
         "len=30", "tcp.flags=PA", NULL}};
    unsigned reads = 0, writes = 0;
    uint8_t asked[600];
    wspi_rng r;
    wire w;

    (void)state;
    wspi_rng_seed(&r, 23);
    wire_open(&w);
    for (uint64_t flow = 0; flow < 60; flow++) {
        wsp_filler fill = filler_of(flow);
        wire_again(&w);
        for (int k = 0; k < 12; k++) {
            const uint8_t *b;
            size_t n;
            sample(&w, &fill, sends[k % 2], k % 2, WSPI_APP_S7COMM, &r);
            b = w.packet->data + w.packet->payload_off;
            n = w.packet->payload_len;
            check_s7(b, n, k % 2 ? asked : NULL, k);
            assert_true(n <= sizeof asked);
            memcpy(asked, b, n);
            reads += k > 3 && b[k % 2 ? 19 : 17] == 4;
            writes += k > 3 && b[k % 2 ? 19 : 17] == 5;
        }
    }
    assert_true(reads > 20 && writes > 20);
    wire_close(&w);
}

/* ---- Modbus ---- */

/* Application Protocol V1.1b3 6: the quantity of what is read or written, and the bytes that it takes. */
static void check_modbus(const uint8_t *b, size_t n, const uint8_t *asked)
{
    unsigned fn = b[7] & 0x7f,
             quantity = (unsigned)(asked ? asked : b)[10] << 8 | (asked ? asked : b)[11];
    bool coils = fn <= 2 || fn == 15, reads = fn <= 4;
    unsigned bytes = coils ? (quantity + 7) / 8 : 2 * quantity;

    assert_int_equal(b[4] << 8 | b[5], n - 6);
    assert_true(fn >= 1 && (fn <= 6 || fn == 15 || fn == 16));
    if (asked)
        assert_int_equal(fn, asked[7]);
    if (asked && b[7] & 0x80) {
        assert_int_equal(n, 9);
        assert_in_range(b[8], 1, 4);
    } else if (asked && reads) {
        assert_int_equal(b[8], bytes);
        assert_int_equal(n, 9 + bytes);
    } else if (asked) {
        assert_memory_equal(b + 8, asked + 8, 4);
        assert_int_equal(n, 12);
    } else if (fn == 5) {
        assert_true(quantity == 0 || quantity == 0xff00);
    } else if (fn != 6) {
        assert_in_range(quantity, 1, coils ? 1968 : 123);
        assert_int_equal(n, fn >= 15 ? 13 + bytes : 12);
    }
}

static void sampled_modbus_reads_and_writes(void **state)
{
    static const char *const sends[2][8] = {
        {"c2s first", "c2s gap=0", "stack=eth/ipv4/tcp", "tcp.sport=dynamic", "tcp.dport=502",
         "len=12", "tcp.flags=PA", NULL},
        {"s2c first", "s2c gap=0", "stack=eth/ipv4/tcp", "tcp.sport=502", "tcp.dport=dynamic",
         "len=12", "tcp.flags=PA", NULL}};
    static const char *const has[] = {
        "modbus.function=read-holding",    "modbus.function=write-coil",
        "modbus.function=write-registers", "modbus.function=err-coils-w",
        "modbus.quantity=57344..65535",    "modbus.function=write-register"};
    bool seen[WSPI_COUNT(has)] = {false};
    uint8_t asked[300];
    wspi_rng r;
    wire w;

    (void)state;
    wspi_rng_seed(&r, 19);
    wire_open(&w);
    for (uint64_t flow = 0; flow < 60; flow++) {
        wsp_filler fill = filler_of(flow);
        wire_again(&w);
        for (int k = 0; k < 10; k++) {
            const uint8_t *b;
            sample(&w, &fill, sends[k % 2], k % 2, WSPI_APP_MODBUS, &r);
            assert_true(w.same);
            b = w.packet->data + w.packet->payload_off;
            check_modbus(b, w.packet->payload_len, k % 2 ? asked : NULL);
            memcpy(asked, b, WSPI_MIN(w.packet->payload_len, sizeof asked));
            for (size_t i = 0; i < WSPI_COUNT(has); i++)
                seen[i] |= strstr(w.names, has[i]) != NULL;
        }
    }
    for (size_t i = 0; i < WSPI_COUNT(has); i++)
        assert_true(seen[i]);
    wire_close(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(s7_messages_come_back_whole_cut_and_damaged),
        cmocka_unit_test(quic_headers_come_back_whole_cut_and_damaged),
        cmocka_unit_test(quic_headers_are_no_ntp_whatever_their_low_bits),
        cmocka_unit_test(sampled_ntp_has_a_code_where_its_length_says_so),
        cmocka_unit_test(dnp3_requests_come_back_whole_cut_and_damaged),
        cmocka_unit_test(sampled_dnp3_is_dnp3),
        cmocka_unit_test(sampled_s7_answers_what_was_asked),
        cmocka_unit_test(sampled_modbus_reads_and_writes),
    };

    (void)wsp_vocab_size();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
