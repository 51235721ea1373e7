/* SPDX-License-Identifier: Apache-2.0 */
/* test_pcapng.c: pcapng streams of all kinds of blocks: both byte orders, sections, resolutions, link types; cut and wrong ones. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "capture/capture_int.h"

enum { SECTION = 0x0a0d0d0a, INTERFACE = 1, OLD = 2, SIMPLE = 3, NAMES = 4, PACKET = 6 };

static const uint64_t S = 1000000000;
static wspi_buf file;
static bool big; /* the byte order of what is added */

static void add(uint64_t v, size_t bytes)
{
    uint8_t p[8];

    for (size_t i = 0; i < bytes; i++)
        p[big ? bytes - 1 - i : i] = (uint8_t)(v >> 8 * i);
    assert_int_equal(wspi_buf_add(&file, p, bytes), WSP_OK);
}

static size_t begin(uint32_t type)
{
    size_t at = file.len;

    add(type, 4);
    add(0, 4);
    return at;
}

static void end(size_t at)
{
    uint32_t len = (uint32_t)(file.len - at) + 4;

    add(len, 4);
    memcpy(file.data + at + 4, file.data + file.len - 4, 4);
}

static void option(unsigned code, uint64_t v, size_t bytes)
{
    add(code, 2);
    add(bytes, 2);
    add(v, bytes);
    add(0, (4 - bytes % 4) % 4);
}

static void section(bool big_endian)
{
    size_t at;

    big = big_endian;
    at = begin(SECTION);
    add(0x1a2b3c4d, 4);
    add(1, 2);
    add(0, 2);
    add(UINT64_MAX, 8);
    end(at);
}

/* resolution 0: none told; offset 0: none. */
static void interface(unsigned linktype, uint32_t snaplen, unsigned resolution, int64_t offset)
{
    size_t at = begin(INTERFACE);

    add(linktype, 2);
    add(0, 2);
    add(snaplen, 4);
    option(2, 0x30687465, 4); /* a name, which is nothing to us */
    if (resolution)
        option(9, resolution, 1);
    if (offset)
        option(14, (uint64_t)offset, 8);
    option(0, 0, 0);
    end(at);
}

static void bytes(uint8_t first, size_t n)
{
    for (size_t i = 0; i < n; i++)
        add((uint8_t)(first + i), 1);
    add(0, (4 - n % 4) % 4);
}

static void packet(uint32_t id, uint64_t ticks, uint8_t first, uint32_t n)
{
    size_t at = begin(PACKET);

    add(id, 4);
    add(ticks >> 32, 4);
    add(ticks & UINT32_MAX, 4);
    add(n, 4);
    add(n + 1, 4);
    bytes(first, n);
    option(1, 0x21, 1); /* a comment */
    end(at);
}

static void old_packet(uint16_t id, uint64_t ticks, uint8_t first, uint32_t n)
{
    size_t at = begin(OLD);

    add(id, 2);
    add(7, 2);
    add(ticks >> 32, 4);
    add(ticks & UINT32_MAX, 4);
    add(n, 4);
    add(n + 1, 4);
    bytes(first, n);
    end(at);
}

static void simple_packet(uint8_t first, uint32_t n, uint32_t wirelen)
{
    size_t at = begin(SIMPLE);

    add(wirelen, 4);
    bytes(first, n);
    end(at);
}

static void other_block(void)
{
    size_t at = begin(NAMES);

    add(0, 4);
    end(at);
}

/* ---- reading ---- */

/* One line a capture: link type, then for each packet its time, lengths and first byte; how it ended. */
static const char *read_bytes(const void *p, size_t len, const wsp_input_options *opt)
{
    static char text[4096];
    wsp_capture_info info;
    wsp_input *in;
    wsp_frame f;
    wsp_error err;
    wsp_status st;
    size_t at = 0;

    text[0] = '\0';
    assert_int_equal(wspi_input_from_memory(&in, "x.pcapng", p, len, opt, &err), WSP_OK);
    while ((st = wsp_input_open_next(in, &info, &err)) != WSP_EOF && at + 200 < sizeof text) {
        at += (size_t)snprintf(text + at, sizeof text - at, "%s", at ? "\n" : "");
        if (st < 0) {
            at += (size_t)snprintf(text + at, sizeof text - at, "no: %.100s", err.text);
            continue;
        }
        assert_string_equal(info.name, "x.pcapng");
        at += (size_t)snprintf(text + at, sizeof text - at, "%d:", info.linktype);
        while ((st = wsp_input_next(in, &f, &err)) == WSP_OK && at + 200 < sizeof text)
            at += (size_t)snprintf(text + at, sizeof text - at, " %llu/%u/%u/%u",
                                   (unsigned long long)f.time_ns, f.caplen, f.wirelen,
                                   f.caplen ? f.data[0] : 0);
        if (st < 0)
            at += (size_t)snprintf(text + at, sizeof text - at, " broken: %.100s", err.text);
    }
    wsp_input_free(in);
    return text;
}

static const char *read_file(void)
{
    return read_bytes(file.data, file.len, NULL);
}

static int start(void **state)
{
    (void)state;
    wspi_buf_clear(&file);
    wspi_buf_init(&file, (size_t)1 << 26);
    return 0;
}

static int stop(void **state)
{
    (void)state;
    wspi_buf_clear(&file);
    return 0;
}

/* Sections of both byte orders, and every kind of block. */
static void add_all_kinds(void)
{
    section(false);
    other_block();
    interface(1, 0, 0, 0);
    packet(0, 5000000, 10, 61);
    interface(1, 64, 9, 0);
    packet(1, 7 * S + 1, 20, 60);
    old_packet(1, 8 * S, 30, 3);
    other_block();
    section(true);
    interface(1, 50, 9, 100);
    simple_packet(40, 50, 900);
    packet(0, 9 * S, 50, 0);
    old_packet(0, 10 * S, 60, 2);
}

static const char all_kinds[] =
    "1: 5000000000/61/62/10 7000000001/60/61/20 8000000000/3/4/30 0/50/900/40 "
    "109000000000/0/1/0 110000000000/2/3/60";

static void every_kind_of_block_is_read_in_both_byte_orders(void **state)
{
    (void)state;
    add_all_kinds();
    assert_string_equal(read_file(), all_kinds);
}

static void times_have_the_interfaces_resolution_and_offset(void **state)
{
    static const struct {
        unsigned resolution;
        int64_t offset;
        uint64_t ticks, ns;
    } rows[] = {
        {0, 0, 1234567, 1234567000},
        {6, -1, 1234567, 234567000},
        {3, 0, 1234, 1234000000},
        {9, 10, 1, 10000000001},
        {12, 0, 1234567891234, 1234567891},
        {19, 0, UINT64_C(15000000000000000000), 1500000000},
        {0x80 | 1, 0, 3, 1500000000},
        {0x80 | 32, 0, UINT64_C(1) << 31, 500000000},
        {0x80 | 63, 0, UINT64_C(3) << 62, 1500000000},
        {0x80, 0, 7, 7000000000},
        {6, -2, 1999999, 0},           /* before 1970 */
        {6, INT64_MAX, 1, UINT64_MAX}, /* never */
        {6, INT64_MIN, UINT64_MAX, 0},
        {3, 0, UINT64_MAX, UINT64_MAX},
        {6, 0, UINT64_MAX, UINT64_MAX},
    };

    (void)state;
    for (size_t i = 0; i < WSPI_COUNT(rows); i++) {
        char want[64];

        (void)start(NULL);
        section(i % 2);
        interface(1, 0, rows[i].resolution, rows[i].offset);
        packet(0, rows[i].ticks, 1, 4);
        (void)snprintf(want, sizeof want, "1: %llu/4/5/1", (unsigned long long)rows[i].ns);
        assert_string_equal(read_file(), want);
    }
}

static void add_mixed(void)
{
    section(false);
    interface(1, 0, 9, 0);
    interface(101, 0, 6, 0);
    packet(0, 1, 10, 20);
    packet(1, 2, 20, 21);
    interface(113, 0, 9, 0);
    packet(2, 3, 30, 22);
    packet(0, 4, 11, 23);
    packet(1, 5, 21, 24);
    section(true);
    interface(101, 0, 9, 0);
    packet(0, 6, 22, 25);
}

static void each_link_type_is_a_capture_of_its_own(void **state)
{
    (void)state;
    add_mixed();
    assert_string_equal(read_file(), "1: 1/20/21/10 4/23/24/11\n"
                                     "101: 2000/21/22/20 5000/24/25/21 6/25/26/22\n"
                                     "113: 3/22/23/30");
}

static void a_filter_is_of_each_link_type(void **state)
{
    wsp_input_options opt = wsp_input_options_default();

    (void)state;
    add_mixed();
    opt.filter = "len >= 24";
    assert_string_equal(read_bytes(file.data, file.len, &opt),
                        "1: 4/23/24/11\n101: 5000/24/25/21 6/25/26/22\n113:");
    opt.filter = "ether src 10:11:12:13:14:15";
    assert_non_null(
        strstr(read_bytes(file.data, file.len, &opt),
               "\nno: x.pcapng: the filter \"ether src 10:11:12:13:14:15\" does not fit "
               "its link type RAW"));
}

static void what_came_before_a_break_is_there_of_all_link_types(void **state)
{
    (void)state;
    add_mixed();
    assert_string_equal(read_bytes(file.data, file.len - 3, NULL),
                        "1: 1/20/21/10 4/23/24/11 broken: x.pcapng: after 5 packets: a block ends "
                        "after 57 of 60 bytes\n"
                        "101: 2000/21/22/20 5000/24/25/21\n113: 3/22/23/30");
}

/* A prefix gives the first packets of the whole, and no others. */
static void every_prefix_is_safe(void **state)
{
    (void)state;
    add_all_kinds();
    for (size_t n = 0; n < file.len; n++) {
        uint8_t *copy = malloc(n + 1); /* so that a read beyond is seen */
        const char *text;
        size_t same = 0;

        assert_non_null(copy);
        memcpy(copy, file.data, n);
        text = read_bytes(copy, n, NULL);
        while (text[same] && text[same] == all_kinds[same])
            same++;
        assert_true(text[same] == '\0' || strncmp(text + same, " broken: ", 9) == 0 ||
                    strncmp(text + same, "broken: ", 8) == 0 || strncmp(text, "no: ", 4) == 0);
        free(copy);
    }
}

static void every_changed_byte_is_safe(void **state)
{
    (void)state;
    add_mixed();
    for (size_t i = 0; i < file.len; i++)
        for (unsigned bit = 0; bit < 8; bit++) {
            file.data[i] ^= (uint8_t)(1u << bit);
            (void)read_file();
            file.data[i] ^= (uint8_t)(1u << bit);
        }
}

static void assert_said(const char *why)
{
    const char *text = read_file();

    if (!strstr(text, why))
        fail_msg("\"%s\" does not say \"%s\"", text, why);
    (void)start(NULL);
}

static void wrong_files_are_refused_with_the_reason(void **state)
{
    (void)state;
    section(false);
    assert_said("no: x.pcapng: it ends before the first interface");
    section(false);
    simple_packet(1, 4, 4);
    assert_said("no: x.pcapng: a packet before the first interface");
    section(false);
    file.data[12] = 2; /* the major version */
    assert_said("no: x.pcapng: version 2 of pcapng");
    section(false);
    file.data[8] = 0;
    assert_said("no: x.pcapng: a section with an unknown byte order, 0x003c2b1a");
    section(false);
    interface(1, 0, 64 + 30, 0);
    assert_said("no: x.pcapng: an interface with a resolution of 0x5e");
    section(false);
    interface(1, 0, 6, 0);
    packet(1, 0, 1, 4);
    assert_said("1: broken: x.pcapng: after 0 packets: a packet of interface 1, and there are 1");
    section(false);
    interface(1, 0, 6, 0);
    section(false); /* which forgets it */
    simple_packet(1, 4, 4);
    assert_said("broken: x.pcapng: after 0 packets: a packet of interface 0, and there are 0");
    section(false);
    interface(1, 0, 6, 0);
    simple_packet(1, 4, 5000);
    assert_said("broken: x.pcapng: after 0 packets: a packet of 5000 bytes in a block of");
    section(false);
    interface(1, 0, 6, 0);
    packet(0, 0, 1, 4);
    file.data[file.len - 1] = 1;
    assert_said("the two lengths of a block of 44 bytes differ");
    section(false);
    interface(1, 0, 6, 0);
    add(6, 4);
    add(UINT32_MAX - 3, 4);
    assert_said("a block of 4294967292 bytes");
    section(false);
    interface(1, 0, 6, 0);
    add(6, 4);
    add(14, 4);
    assert_said("a block of 14 bytes");
}

static void too_many_link_types_end_a_capture(void **state)
{
    const char *text;

    (void)state;
    section(false);
    interface(1, 0, 6, 0);
    for (unsigned i = 0; i < 20; i++) {
        interface(200 + i, 0, 6, 0);
        packet(i + 1, 1, 1, 4);
    }
    text = read_file();
    assert_non_null(strstr(text, "1: broken: x.pcapng: more than 17 link types"));
    assert_non_null(strstr(text, "\n200: 1000/4/5/1"));
    assert_non_null(strstr(text, "\n215: 1000/4/5/1"));
    assert_null(strstr(text, "\n216:"));
}

/* A caller that goes on before the end of a capture misses what it has not reached. */
static void a_capture_that_is_not_read_leaves_nothing(void **state)
{
    wsp_capture_info info;
    wsp_input *in;

    (void)state;
    add_mixed();
    assert_int_equal(wspi_input_from_memory(&in, "x", file.data, file.len, NULL, NULL), WSP_OK);
    assert_int_equal(wsp_input_open_next(in, &info, NULL), WSP_OK);
    assert_int_equal(wsp_input_open_next(in, &info, NULL), WSP_EOF);
    wsp_input_free(in);
}

/* As in pcap: messages of some links are longer than any packet of Ethernet, and than blocks otherwise are. */
static void how_long_packets_may_be_depends_on_the_link(void **state)
{
    static const char *const path = "test_pcapng.pcapng";
    static const struct {
        int linktype;
        uint32_t most;
    } links[] = {{1, 262144}, {231, 128 << 20}, {249, 1 << 20}, {279, 8 << 20}};
    const uint32_t room = 20 << 20;
    uint8_t *data = wspi_new_array(room, 1);
    uint32_t id[WSPI_COUNT(links)];
    wsp_frame f = {.data = data}, back;
    wsp_capture_info info;
    wsp_pcapng_writer *w;
    wsp_input *in;

    (void)state;
    assert_non_null(data);
    assert_int_equal(wsp_pcapng_writer_open(&w, path, NULL), WSP_OK);
    for (size_t i = 0; i < WSPI_COUNT(links); i++) {
        assert_int_equal(wsp_pcapng_writer_interface(w, links[i].linktype, "x", &id[i], NULL),
                         WSP_OK);
        f.caplen = f.wirelen = links[i].most + 1;
        assert_int_equal(wsp_pcapng_writer_add(w, id[i], &f, NULL, 0, NULL), WSP_ERR_LIMIT);
        f.caplen = f.wirelen = WSPI_MIN(links[i].most, room);
        data[f.caplen - 1] = (uint8_t)(i + 1);
        assert_int_equal(wsp_pcapng_writer_add(w, id[i], &f, NULL, 0, NULL), WSP_OK);
    }
    assert_int_equal(wsp_pcapng_writer_close(w, NULL), WSP_OK);
    assert_int_equal(wsp_input_new(&in, &path, 1, NULL, NULL), WSP_OK);
    for (size_t i = 0; i < WSPI_COUNT(links); i++) {
        assert_int_equal(wsp_input_open_next(in, &info, NULL), WSP_OK);
        assert_int_equal(info.linktype, links[i].linktype);
        assert_int_equal(info.snaplen, links[i].most);
        assert_int_equal(wsp_input_next(in, &back, NULL), WSP_OK);
        assert_int_equal(back.caplen, WSPI_MIN(links[i].most, room));
        assert_int_equal(back.data[back.caplen - 1], i + 1);
        assert_int_equal(wsp_input_next(in, &back, NULL), WSP_EOF);
    }
    assert_int_equal(wsp_input_open_next(in, &info, NULL), WSP_EOF);
    wsp_input_free(in);
    assert_int_equal(remove(path), 0);
    free(data);
}

static void a_packet_longer_than_its_link_has_ends_the_capture(void **state)
{
    (void)state;
    for (unsigned linktype = 1; linktype <= 249; linktype += 248) {
        section(false);
        interface(linktype, 0, 6, 0);
        packet(0, 1, 1, 262145);
        if (linktype == 1)
            assert_said("broken: x.pcapng: after 0 packets: a packet of 262145 bytes");
        else
            assert_string_equal(read_file(), "249: 1000/262145/262146/1");
    }
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, start, stop)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(every_kind_of_block_is_read_in_both_byte_orders),
        TEST(times_have_the_interfaces_resolution_and_offset),
        TEST(each_link_type_is_a_capture_of_its_own),
        TEST(a_filter_is_of_each_link_type),
        TEST(what_came_before_a_break_is_there_of_all_link_types),
        TEST(every_prefix_is_safe),
        TEST(every_changed_byte_is_safe),
        TEST(wrong_files_are_refused_with_the_reason),
        TEST(too_many_link_types_end_a_capture),
        TEST(a_capture_that_is_not_read_leaves_nothing),
        TEST(how_long_packets_may_be_depends_on_the_link),
        TEST(a_packet_longer_than_its_link_has_ends_the_capture),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
