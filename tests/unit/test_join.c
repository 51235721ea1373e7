/* SPDX-License-Identifier: Apache-2.0 */
/* test_join.c: captures that are read as one: their order, overlaps, archives, link types, breaks, limits. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <archive.h>
#include <archive_entry.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "capture/capture_int.h"

static char dir[64];

static const char *in_dir(const char *name)
{
    static char path[4][256];
    static unsigned turn;
    char *p = path[turn++ % 4];

    (void)snprintf(p, sizeof path[0], "%s/%.180s", dir, name);
    return p;
}

static int start(void **state)
{
    (void)state;
    (void)snprintf(dir, sizeof dir, "/tmp/wirespeak-join-XXXXXX");
    return mkdtemp(dir) ? 0 : -1;
}

static int stop(void **state)
{
    DIR *d = opendir(dir);

    (void)state;
    for (const struct dirent *e; d && (e = readdir(d));)
        (void)unlink(in_dir(e->d_name));
    (void)closedir(d);
    return rmdir(dir);
}

/* Packets at these times (up to a 0), of 60 bytes; the first byte is `mark`. */
static void write_capture(const char *name, int linktype, uint8_t mark, const uint64_t *times)
{
    uint8_t data[60] = {mark};
    wsp_pcap_writer *w;
    wsp_error err;

    assert_int_equal(wsp_pcap_writer_open(&w, in_dir(name), linktype, &err), WSP_OK);
    for (; *times; times++) {
        wsp_frame f = {.time_ns = *times, .caplen = 60, .wirelen = 60, .data = data};
        assert_int_equal(wsp_pcap_writer_add(w, &f, &err), WSP_OK);
    }
    assert_int_equal(wsp_pcap_writer_close(w, &err), WSP_OK);
}

static const char *base_name(const char *path)
{
    const char *slash = path ? strrchr(path, '/') : NULL;

    return slash ? slash + 1 : path ? path : "-";
}

/* A line for each capture: its name and link type, then of each packet mark, time and file; how it ended. */
static const char *read_joined(const char *const *paths, size_t n, const wsp_input_options *how)
{
    static char text[65536];
    wsp_input_options opt = how ? *how : wsp_input_options_default();
    wsp_capture_info info;
    wsp_input *in;
    wsp_frame f;
    wsp_error err;
    wsp_status st;
    size_t at = 0;

    opt.join = true;
    text[0] = '\0';
    assert_int_equal(wsp_input_new(&in, paths, n, &opt, &err), WSP_OK);
    while ((st = wsp_input_open_next(in, &info, &err)) == WSP_OK && at + 400 < sizeof text) {
        at += (size_t)snprintf(text + at, sizeof text - at, "%s%s %d:", at ? "\n" : "",
                               base_name(info.name), info.linktype);
        while ((st = wsp_input_next(in, &f, &err)) == WSP_OK && at + 200 < sizeof text)
            at += (size_t)snprintf(text + at, sizeof text - at, " %c%llu@%s", f.data[0],
                                   (unsigned long long)f.time_ns, base_name(wsp_input_file(in)));
        if (st < 0)
            at += (size_t)snprintf(text + at, sizeof text - at, " broken: %.150s",
                                   base_name(err.text));
    }
    if (st < 0)
        (void)snprintf(text + at, sizeof text - at, "no: %.150s", base_name(err.text));
    assert_int_equal(wsp_input_open_next(in, &info, &err), WSP_EOF);
    wsp_input_free(in);
    return text;
}

static const char *read_folder(void)
{
    const char *path = dir;

    return read_joined(&path, 1, NULL);
}

/* ---- order ---- */

static void captures_are_one_in_the_order_of_their_times(void **state)
{
    (void)state;
    write_capture("a.pcap", 1, 'c', (const uint64_t[]){50, 60, 0});
    write_capture("b.pcap", 1, 'a', (const uint64_t[]){10, 20, 0});
    write_capture("c.pcap", 1, 'b', (const uint64_t[]){30, 40, 0});
    assert_string_equal(read_folder(), "b.pcap 1: a10@b.pcap a20@b.pcap b30@c.pcap b40@c.pcap "
                                       "c50@a.pcap c60@a.pcap");
}

static void captures_that_overlap_are_merged_packet_by_packet(void **state)
{
    (void)state;
    write_capture("a.pcap", 1, 'a', (const uint64_t[]){10, 30, 50, 0});
    write_capture("b.pcap", 1, 'b', (const uint64_t[]){20, 40, 60, 0});
    write_capture("c.pcap", 1, 'c', (const uint64_t[]){35, 0});
    assert_string_equal(read_folder(), "a.pcap 1: a10@a.pcap b20@b.pcap a30@a.pcap c35@c.pcap "
                                       "b40@b.pcap a50@a.pcap b60@b.pcap");
}

static void of_equal_times_the_capture_that_began_first_comes_first(void **state)
{
    const char *paths[2];

    (void)state;
    write_capture("a.pcap", 1, 'a', (const uint64_t[]){10, 10, 20, 0});
    write_capture("b.pcap", 1, 'b', (const uint64_t[]){5, 10, 10, 0});
    assert_string_equal(read_folder(), "b.pcap 1: b5@b.pcap b10@b.pcap b10@b.pcap a10@a.pcap "
                                       "a10@a.pcap a20@a.pcap");
    write_capture("b.pcap", 1, 'b', (const uint64_t[]){10, 30, 0});
    paths[0] = in_dir("b.pcap");
    paths[1] = in_dir("a.pcap");
    assert_string_equal(read_joined(paths, 2, NULL), "b.pcap 1: b10@b.pcap a10@a.pcap a10@a.pcap "
                                                     "a20@a.pcap b30@b.pcap");
}

static void packets_of_one_capture_keep_their_order(void **state)
{
    (void)state;
    write_capture("a.pcap", 1, 'a', (const uint64_t[]){10, 40, 20, 50, 0});
    write_capture("b.pcap", 1, 'b', (const uint64_t[]){30, 60, 0});
    assert_string_equal(read_folder(), "a.pcap 1: a10@a.pcap b30@b.pcap a40@a.pcap a20@a.pcap "
                                       "a50@a.pcap b60@b.pcap");
}

static void captures_without_packets_are_passed_over(void **state)
{
    (void)state;
    write_capture("a.pcap", 101, 'a', (const uint64_t[]){0});
    write_capture("b.pcap", 1, 'b', (const uint64_t[]){10, 0});
    write_capture("c.pcap", 1, 'c', (const uint64_t[]){0});
    assert_string_equal(read_folder(), "b.pcap 1: b10@b.pcap");
}

static void if_there_is_no_packet_there_is_one_empty_capture(void **state)
{
    (void)state;
    write_capture("a.pcap", 101, 'a', (const uint64_t[]){0});
    write_capture("b.pcap", 1, 'b', (const uint64_t[]){0});
    assert_string_equal(read_folder(), "a.pcap 101:");
}

static void a_filter_leaves_the_order_alone(void **state)
{
    wsp_input_options opt = wsp_input_options_default();
    const char *path = dir;

    (void)state;
    write_capture("a.pcap", 1, 'a', (const uint64_t[]){10, 30, 0});
    write_capture("b.pcap", 1, 'b', (const uint64_t[]){20, 40, 0});
    opt.filter = "ether[0] = 0x62";
    assert_string_equal(read_joined(&path, 1, &opt), "a.pcap 1: b20@b.pcap b40@b.pcap");
}

/* ---- link types ---- */

static void packets_of_other_link_types_are_captures_of_the_same_name(void **state)
{
    (void)state;
    write_capture("a.pcap", 1, 'a', (const uint64_t[]){10, 50, 0});
    write_capture("b.pcap", 101, 'b', (const uint64_t[]){20, 30, 0});
    write_capture("c.pcap", 101, 'c', (const uint64_t[]){40, 0});
    write_capture("d.pcap", 113, 'd', (const uint64_t[]){25, 0});
    assert_string_equal(read_folder(), "a.pcap 1: a10@a.pcap a50@a.pcap\n"
                                       "a.pcap 101: b20@b.pcap b30@b.pcap c40@c.pcap\n"
                                       "a.pcap 113: d25@d.pcap");
}

static void pcapng_captures_give_all_their_link_types(void **state)
{
    const uint8_t data[4] = {'n'};
    wsp_pcapng_writer *w;
    wsp_error err;
    uint32_t id[2];

    (void)state;
    assert_int_equal(wsp_pcapng_writer_open(&w, in_dir("n.pcapng"), &err), WSP_OK);
    assert_int_equal(wsp_pcapng_writer_interface(w, 101, "tun0", &id[0], &err), WSP_OK);
    assert_int_equal(wsp_pcapng_writer_interface(w, 1, "eth0", &id[1], &err), WSP_OK);
    for (uint64_t i = 0; i < 4; i++) {
        wsp_frame f = {.time_ns = 20 + 20 * i, .caplen = 4, .wirelen = 4, .data = data};
        assert_int_equal(wsp_pcapng_writer_add(w, id[i % 2], &f, NULL, 0, &err), WSP_OK);
    }
    assert_int_equal(wsp_pcapng_writer_close(w, &err), WSP_OK);
    write_capture("a.pcap", 1, 'a', (const uint64_t[]){10, 50, 0});
    assert_string_equal(read_folder(), "a.pcap 1: a10@a.pcap n40@n.pcapng a50@a.pcap n80@n.pcapng\n"
                                       "a.pcap 101: n20@n.pcapng n60@n.pcapng");
}

/* ---- archives ---- */

/* Files of the folder into a compressed tar, in this order, and away. */
static void pack(const char *name, const char *const *members, size_t n)
{
    struct archive *a = archive_write_new();

    assert_non_null(a);
    assert_int_equal(archive_write_add_filter_gzip(a), ARCHIVE_OK);
    assert_int_equal(archive_write_set_format_ustar(a), ARCHIVE_OK);
    assert_int_equal(archive_write_open_filename(a, in_dir(name)), ARCHIVE_OK);
    for (size_t i = 0; i < n; i++) {
        struct archive_entry *e = archive_entry_new();
        uint8_t *data;
        wsp_error err;
        size_t len;

        assert_int_equal(wspi_file_read(in_dir(members[i]), 1 << 20, &data, &len, &err), WSP_OK);
        archive_entry_set_pathname(e, members[i]);
        archive_entry_set_size(e, (int64_t)len);
        archive_entry_set_filetype(e, AE_IFREG);
        archive_entry_set_perm(e, 0644);
        assert_int_equal(archive_write_header(a, e), ARCHIVE_OK);
        assert_int_equal(archive_write_data(a, data, len), len);
        archive_entry_free(e);
        free(data);
        assert_int_equal(unlink(in_dir(members[i])), 0);
    }
    assert_int_equal(archive_write_close(a), ARCHIVE_OK);
    assert_int_equal(archive_write_free(a), ARCHIVE_OK);
}

static void members_of_archives_are_joined_in_any_order(void **state)
{
    static const char *const forward[] = {"a", "b", "c"}, *const mixed[] = {"e", "d", "f", "g"};

    (void)state;
    write_capture("a", 1, 'a', (const uint64_t[]){10, 15, 0});
    write_capture("b", 1, 'b', (const uint64_t[]){20, 0});
    write_capture("c", 1, 'c', (const uint64_t[]){70, 0});
    pack("1.tgz", forward, 3);
    write_capture("d", 1, 'd', (const uint64_t[]){30, 80, 0});
    write_capture("e", 1, 'e', (const uint64_t[]){40, 0});
    write_capture("f", 1, 'f', (const uint64_t[]){50, 0});
    write_capture("g", 1, 'g', (const uint64_t[]){25, 65, 0});
    pack("2.tgz", mixed, 4);
    write_capture("3.pcap", 1, 'p', (const uint64_t[]){60, 0});
    assert_string_equal(
        read_folder(),
        "1.tgz:a 1: a10@1.tgz:a a15@1.tgz:a b20@1.tgz:b g25@2.tgz:g d30@2.tgz:d e40@2.tgz:e "
        "f50@2.tgz:f p60@3.pcap g65@2.tgz:g c70@1.tgz:c d80@2.tgz:d");
}

/* Members in the order of time backwards: to read from the front for each would be to read it forty times. */
static void an_archive_is_read_once_whatever_its_order(void **state)
{
    enum { MEMBERS = 40 };
    static char names[MEMBERS][8];
    const char *members[MEMBERS], *path;
    wsp_input_options opt = wsp_input_options_default();
    uint64_t done, all;
    wsp_capture_info info;
    wsp_input *in;
    wsp_frame f;
    wsp_error err;

    (void)state;
    for (unsigned i = 0; i < MEMBERS; i++) {
        (void)snprintf(names[i], sizeof names[i], "n%02u", i);
        members[MEMBERS - 1 - i] = names[i];
        write_capture(names[i], i % 3 ? 1 : 101, (uint8_t)('A' + i),
                      (const uint64_t[]){100 * (i + 1), 100 * (i + 1) + 120, 0}); /* they overlap */
    }
    pack("r.tgz", members, MEMBERS);
    path = in_dir("r.tgz");
    opt.join = true;
    assert_int_equal(wsp_input_new(&in, &path, 1, &opt, &err), WSP_OK);
    assert_int_equal(wsp_input_open_next(in, &info, &err), WSP_OK);
    for (uint64_t last = 0; wsp_input_next(in, &f, &err) == WSP_OK; last = f.time_ns)
        assert_true(f.time_ns >= last);
    assert_int_equal(info.linktype, 101);
    assert_int_equal(wsp_input_open_next(in, &info, &err), WSP_OK);
    assert_int_equal(info.linktype, 1);
    for (unsigned i = 0; i < 2 * (MEMBERS - (MEMBERS + 2) / 3); i++) {
        assert_int_equal(wsp_input_next(in, &f, &err), WSP_OK);
        assert_memory_equal(names[f.data[0] - 'A'], strchr(base_name(wsp_input_file(in)), ':') + 1,
                            4);
    }
    assert_int_equal(wsp_input_next(in, &f, &err), WSP_EOF);
    wsp_input_progress(in, &done, &all);
    assert_true(done <= 2 * all);
    wsp_input_free(in);
}

static void what_breaks_off_while_it_waits_is_told_in_its_turn(void **state)
{
    static const char *const members[] = {"c", "b", "a"};

    (void)state;
    write_capture("a", 1, 'a', (const uint64_t[]){10, 0});
    write_capture("b", 1, 'b', (const uint64_t[]){20, 30, 0});
    assert_int_equal(truncate(in_dir("b"), 24 + 2 * (16 + 60) - 5), 0);
    write_capture("c", 1, 'c', (const uint64_t[]){40, 0});
    pack("r.tgz", members, 3);
    assert_non_null(strstr(read_folder(), "r.tgz:a 1: a10@r.tgz:a b20@r.tgz:b c40@r.tgz:c broken: "
                                          "r.tgz:b: "));
}

/* ---- what is wrong ---- */

static void cut(const char *name, off_t by)
{
    struct stat sb;

    assert_int_equal(stat(in_dir(name), &sb), 0);
    assert_int_equal(truncate(in_dir(name), sb.st_size - by), 0);
}

static void a_capture_that_breaks_off_is_told_at_the_end_of_all(void **state)
{
    const char *text;

    (void)state;
    write_capture("a.pcap", 1, 'a', (const uint64_t[]){10, 20, 0});
    write_capture("b.pcap", 1, 'b', (const uint64_t[]){30, 40, 0});
    write_capture("c.pcap", 1, 'c', (const uint64_t[]){50, 0});
    cut("a.pcap", 5);
    text = read_folder();
    assert_ptr_equal(strstr(text, "a.pcap 1: a10@a.pcap b30@b.pcap b40@b.pcap c50@c.pcap broken: "
                                  "a.pcap: after 1 packets: "),
                     text);
    cut("c.pcap", 59 + 16); /* not even one */
    assert_non_null(strstr(read_folder(), "a.pcap 1: a10@a.pcap b30@b.pcap b40@b.pcap broken: "
                                          "c.pcap: after 0 packets: "));
}

static void what_is_no_capture_is_counted_once(void **state)
{
    const char *path = dir;
    wsp_input_options opt = wsp_input_options_default();
    wsp_capture_info info;
    wsp_input *in;
    wsp_error err;
    FILE *fp;

    (void)state;
    write_capture("a.pcap", 1, 'a', (const uint64_t[]){10, 0});
    fp = fopen(in_dir("b.txt"), "w");
    assert_non_null(fp);
    assert_true(fputs("not a capture", fp) >= 0);
    assert_int_equal(fclose(fp), 0);
    assert_non_null(strstr(read_folder(), "no: b.txt: "));
    opt.keep_going = true;
    assert_string_equal(read_joined(&path, 1, &opt), "a.pcap 1: a10@a.pcap");
    opt.join = true;
    assert_int_equal(wsp_input_new(&in, &path, 1, &opt, &err), WSP_OK);
    assert_int_equal(wsp_input_open_next(in, &info, &err), WSP_OK);
    assert_int_equal(wsp_input_unread(in), 1);
    assert_int_equal(wsp_input_joined(in), 1);
    wsp_input_free(in);
    opt.keep_going = false;
    opt.skip_bad = true;
    assert_int_equal(wsp_input_new(&in, &path, 1, &opt, &err), WSP_OK);
    assert_int_equal(wsp_input_open_next(in, &info, &err), WSP_OK);
    assert_int_equal(wsp_input_skipped(in), 1);
    wsp_input_free(in);
}

static void a_folder_without_a_capture_is_refused(void **state)
{
    (void)state;
    assert_non_null(strstr(read_folder(), "there is no capture in it"));
}

/* The folder as one capture, of which nothing is read yet. */
static wsp_input *open_joined(wsp_error *err)
{
    wsp_input_options opt = wsp_input_options_default();
    const char *path = dir;
    wsp_capture_info info;
    wsp_input *in;

    opt.join = true;
    assert_int_equal(wsp_input_new(&in, &path, 1, &opt, err), WSP_OK);
    assert_int_equal(wsp_input_open_next(in, &info, err), WSP_OK);
    return in;
}

static void a_capture_that_has_gone_is_told(void **state)
{
    wsp_input *in;
    wsp_frame f;
    wsp_error err;

    (void)state;
    write_capture("a.pcap", 1, 'a', (const uint64_t[]){10, 0});
    write_capture("b.pcap", 1, 'b', (const uint64_t[]){20, 0});
    in = open_joined(&err);
    assert_int_equal(unlink(in_dir("b.pcap")), 0);
    assert_int_equal(wsp_input_next(in, &f, &err), WSP_OK);
    assert_int_equal(wsp_input_next(in, &f, &err), WSP_ERR_IO);
    assert_non_null(strstr(err.text, "b.pcap"));
    wsp_input_free(in);
}

static void pipes_are_refused(void **state)
{
    wsp_input_options opt = wsp_input_options_default();
    const char *paths[] = {"-", NULL};
    wsp_input *in;
    wsp_error err;

    (void)state;
    opt.join = true;
    assert_int_equal(wsp_input_new(&in, paths, 1, &opt, &err), WSP_ERR_ARG);
    assert_int_equal(mkfifo(in_dir("pipe"), 0600), 0);
    paths[0] = in_dir("pipe");
    assert_int_equal(wsp_input_new(&in, paths, 1, &opt, &err), WSP_ERR_ARG);
    assert_non_null(strstr(err.text, "only once"));
}

static void so_many_captures_at_one_time_are_refused(void **state)
{
    char name[32];
    const char *text;

    (void)state;
    for (unsigned i = 0; i < 129; i++) {
        (void)snprintf(name, sizeof name, "%03u.pcap", i);
        write_capture(name, 1, 'x', (const uint64_t[]){10 + i, 1000, 0});
    }
    text = read_folder();
    assert_non_null(strstr(text, " x137@127.pcap broken: 128.pcap: the times of more than 128"));
    write_capture("128.pcap", 1, 'x', (const uint64_t[]){1001, 0});
    assert_null(strstr(read_folder(), "broken"));
}

static void a_stopped_input_ends(void **state)
{
    wsp_capture_info info;
    wsp_input *in;
    wsp_frame f;
    wsp_error err;

    (void)state;
    write_capture("a.pcap", 1, 'a', (const uint64_t[]){10, 20, 0});
    in = open_joined(&err);
    assert_int_equal(wsp_input_next(in, &f, &err), WSP_OK);
    wsp_input_stop(in);
    assert_int_equal(wsp_input_next(in, &f, &err), WSP_EOF);
    assert_int_equal(wsp_input_open_next(in, &info, &err), WSP_EOF);
    wsp_input_free(in);
}

static void progress_counts_every_file_once(void **state)
{
    wsp_input_options opt = wsp_input_options_default();
    const char *path = dir;
    uint64_t done, all;
    wsp_capture_info info;
    wsp_input *in;
    wsp_frame f;
    wsp_error err;

    (void)state;
    opt.join = true;
    write_capture("a.pcap", 1, 'a', (const uint64_t[]){10, 20, 0});
    write_capture("b.pcap", 1, 'b', (const uint64_t[]){30, 0});
    assert_int_equal(wsp_input_new(&in, &path, 1, &opt, &err), WSP_OK);
    assert_int_equal(wsp_input_open_next(in, &info, &err), WSP_OK);
    while (wsp_input_next(in, &f, &err) == WSP_OK)
        ;
    wsp_input_progress(in, &done, &all);
    assert_int_equal(all, 2 * 24 + 3 * (16 + 60));
    assert_int_equal(done, all);
    wsp_input_free(in);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, start, stop)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(captures_are_one_in_the_order_of_their_times),
        TEST(captures_that_overlap_are_merged_packet_by_packet),
        TEST(of_equal_times_the_capture_that_began_first_comes_first),
        TEST(packets_of_one_capture_keep_their_order),
        TEST(captures_without_packets_are_passed_over),
        TEST(if_there_is_no_packet_there_is_one_empty_capture),
        TEST(a_filter_leaves_the_order_alone),
        TEST(packets_of_other_link_types_are_captures_of_the_same_name),
        TEST(pcapng_captures_give_all_their_link_types),
        TEST(members_of_archives_are_joined_in_any_order),
        TEST(an_archive_is_read_once_whatever_its_order),
        TEST(what_breaks_off_while_it_waits_is_told_in_its_turn),
        TEST(a_capture_that_breaks_off_is_told_at_the_end_of_all),
        TEST(what_is_no_capture_is_counted_once),
        TEST(a_folder_without_a_capture_is_refused),
        TEST(a_capture_that_has_gone_is_told),
        TEST(pipes_are_refused),
        TEST(so_many_captures_at_one_time_are_refused),
        TEST(a_stopped_input_ends),
        TEST(progress_counts_every_file_once),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
