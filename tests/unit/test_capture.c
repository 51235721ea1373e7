/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_capture.c: captures from files, folders, archives and pipes; refusals; the pcap writer; ZIP
 * containers.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <archive.h>
#include <archive_entry.h>
#include <dirent.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "capture/capture_int.h"

static char dir[] = "/tmp/wirespeak-test-XXXXXX";

static const char *in_dir(const char *name)
{
    static char path[4][256];
    static unsigned turn;
    char *p = path[turn++ % 4];

    (void)snprintf(p, sizeof path[0], "%s/%s", dir, name);
    return p;
}

static void write_bytes(const char *path, const void *p, size_t len)
{
    FILE *fp = fopen(path, "wb");

    assert_non_null(fp);
    assert_int_equal(fwrite(p, 1, len, fp), len);
    assert_int_equal(fclose(fp), 0);
}

/*
 * n packets of 60 bytes, one nanosecond apart; byte 12..13 say IPv4, so that "ip" matches the even
 * ones only.
 */
static void write_capture(const char *path, unsigned n)
{
    wsp_pcap_writer *w;
    uint8_t data[60] = {0};
    wsp_error err;

    assert_int_equal(wsp_pcap_writer_open(&w, path, 1, &err), WSP_OK);
    for (unsigned i = 0; i < n; i++) {
        wsp_frame f = {
            .time_ns = 1700000000123456789u + i, .caplen = 60, .wirelen = 1500, .data = data};

        data[12] = i % 2 ? 0x86 : 0x08;
        data[13] = i % 2 ? 0xdd : 0x00;
        data[20] = (uint8_t)i;
        assert_int_equal(wsp_pcap_writer_add(w, &f, &err), WSP_OK);
    }
    assert_int_equal(wsp_pcap_writer_close(w, &err), WSP_OK);
}

typedef struct outcome {
    unsigned captures, packets, errors;
    wsp_status last;
    wsp_error err;
    char names[1024];
    size_t skipped;
} outcome;

static outcome read_paths(const char *const *paths, size_t n, const wsp_input_options *opt)
{
    outcome o = {0};
    wsp_input *in;
    wsp_capture_info info;
    wsp_frame f;
    wsp_status st;

    assert_int_equal(wsp_input_new(&in, paths, n, opt, &o.err), WSP_OK);
    while ((st = wsp_input_open_next(in, &info, &o.err)) != WSP_EOF) {
        if (st < 0) {
            o.errors++;
            o.last = st;
            continue;
        }
        o.captures++;
        (void)snprintf(o.names + strlen(o.names), sizeof o.names - strlen(o.names), "%s|",
                       strncmp(info.name, dir, strlen(dir)) == 0 ? info.name + strlen(dir) + 1
                                                                 : info.name);
        while ((st = wsp_input_next(in, &f, &o.err)) == WSP_OK)
            o.packets++;
        if (st < 0) {
            o.errors++;
            o.last = st;
        }
    }
    o.skipped = wsp_input_skipped(in);
    wsp_input_free(in);
    return o;
}

static outcome read_one(const char *path, const wsp_input_options *opt)
{
    return read_paths(&path, 1, opt);
}

typedef struct member {
    const char *name;
    const void *data;
    size_t len;
} member;

/*
 * An archive of these members; filter 0 is no compression; format RAW takes the first member only.
 */
static void write_archive(const char *path, int format, int filter, const member *m, size_t n)
{
    struct archive *a = archive_write_new();

    assert_int_equal(archive_write_set_format(a, format), ARCHIVE_OK);
    if (filter)
        assert_int_equal(archive_write_add_filter(a, filter), ARCHIVE_OK);
    assert_int_equal(archive_write_open_filename(a, path), ARCHIVE_OK);
    for (size_t i = 0; i < n; i++) {
        struct archive_entry *e = archive_entry_new();

        archive_entry_set_pathname(e, m[i].name);
        archive_entry_set_filetype(e, AE_IFREG);
        archive_entry_set_perm(e, 0644);
        archive_entry_set_size(e, (la_int64_t)m[i].len);
        assert_int_equal(archive_write_header(a, e), ARCHIVE_OK);
        assert_int_equal(archive_write_data(a, m[i].data, m[i].len), (la_ssize_t)m[i].len);
        archive_entry_free(e);
    }
    assert_int_equal(archive_write_close(a), ARCHIVE_OK);
    (void)archive_write_free(a);
}

static uint8_t *slurp(const char *path, size_t *len)
{
    uint8_t *data;

    assert_int_equal(wspi_file_read(path, 1u << 24, &data, len, NULL), WSP_OK);
    return data;
}

static void a_written_capture_reads_back_to_the_nanosecond(void **state)
{
    const char *path = in_dir("a.pcap");
    wsp_input *in;
    wsp_capture_info info;
    wsp_frame f;
    wsp_error err;

    (void)state;
    write_capture(path, 3);
    assert_int_equal(wsp_input_new(&in, &path, 1, NULL, &err), WSP_OK);
    assert_int_equal(wsp_input_next(in, &f, &err), WSP_EOF); /* nothing open yet */
    assert_int_equal(wsp_input_open_next(in, &info, &err), WSP_OK);
    assert_string_equal(info.name, path);
    assert_int_equal(info.linktype, 1);
    assert_int_equal(info.snaplen, 262144);
    assert_true(info.nanosecond);
    for (unsigned i = 0; i < 3; i++) {
        assert_int_equal(wsp_input_next(in, &f, &err), WSP_OK);
        assert_int_equal(f.time_ns, 1700000000123456789u + i);
        assert_int_equal(f.caplen, 60);
        assert_int_equal(f.wirelen, 1500);
        assert_int_equal(f.data[20], i);
    }
    assert_int_equal(wsp_input_next(in, &f, &err), WSP_EOF);
    assert_int_equal(wsp_input_next(in, &f, &err), WSP_EOF);
    assert_int_equal(wsp_input_open_next(in, &info, &err), WSP_EOF);
    wsp_input_free(in);
}

static void microseconds_raw_ip_and_years_after_2038_are_understood(void **state)
{
    static const uint8_t bytes[] = {0xa1, 0xb2, 0xc3, 0xd4, 0, 2, 0, 4, 0, 0,   0,    0, 0,   0,
                                    0,    0,    0,    0,    0, 0, 0, 0, 0, 101, 0xf0, 0, 0,   0,
                                    0,    0,    0,    7,    0, 0, 0, 1, 0, 0,   0,    1, 0x45};
    const char *path = in_dir("be.pcap");
    wsp_input *in;
    wsp_capture_info info;
    wsp_frame f;

    (void)state;
    write_bytes(path, bytes, sizeof bytes);
    assert_int_equal(wsp_input_new(&in, &path, 1, NULL, NULL), WSP_OK);
    assert_int_equal(wsp_input_open_next(in, &info, NULL), WSP_OK);
    assert_int_equal(info.linktype, 101);
    assert_int_equal(info.snaplen, 0);
    assert_false(info.nanosecond);
    assert_int_equal(wsp_input_next(in, &f, NULL), WSP_OK);
    assert_int_equal(f.time_ns, UINT64_C(0xf0000000) * 1000000000 + 7000);
    wsp_input_free(in);
}

static void packets_longer_than_the_header_says_are_whole(void **state)
{
    static const uint8_t bytes[] = {
        0xd4, 0xc3, 0xb2, 0xa1, 2, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2,  0,  0,  0,  1,
        0,    0,    0, /* 2 bytes of each */
        1,    0,    0,    0,    0, 0, 0, 0, 5, 0, 0, 0, 5, 0, 0, 0, 11, 12, 13, 14, 15};
    const char *path = in_dir("longer.pcap");
    wsp_input *in;
    wsp_capture_info info;
    wsp_frame f;

    (void)state;
    write_bytes(path, bytes, sizeof bytes);
    assert_int_equal(wsp_input_new(&in, &path, 1, NULL, NULL), WSP_OK);
    assert_int_equal(wsp_input_open_next(in, &info, NULL), WSP_OK);
    assert_int_equal(info.snaplen, 2);
    assert_int_equal(wsp_input_next(in, &f, NULL), WSP_OK);
    assert_int_equal(f.caplen, 5);
    assert_int_equal(f.wirelen, 5);
    assert_int_equal(f.data[4], 15);
    assert_int_equal(wsp_input_next(in, &f, NULL), WSP_EOF);
    wsp_input_free(in);
}

static void pcapng_says_its_resolution(void **state)
{
    static const uint8_t bytes[] = {
        0x0a, 0x0d, 0x0d, 0x0a, 28,   0,    0,  0, 0x4d, 0x3c, 0x2b, 0x1a, 1, 0, 0,  0, 0xff, 0xff,
        0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 28, 0, 0,    0,    1,    0,    0, 0, 32, 0, 0,    0,
        1,    0,    0,    0,    96,   0,    0,  0, 9,    0,    1,    0,    9, 0, 0,  0, 0,    0,
        0,    0,    32,   0,    0,    0, /* interface */
        6,    0,    0,    0,    36,   0,    0,  0, 0,    0,    0,    0,    1, 0, 0,  0, 5,    0,
        0,    0,    4,    0,    0,    0,    9,  0, 0,    0,    1,    2,    3, 4, 36, 0, 0,    0,
    };
    const char *path = in_dir("a.pcapng");
    wsp_input *in;
    wsp_capture_info info;
    wsp_frame f;

    (void)state;
    write_bytes(path, bytes, sizeof bytes);
    assert_int_equal(wsp_input_new(&in, &path, 1, NULL, NULL), WSP_OK);
    assert_int_equal(wsp_input_open_next(in, &info, NULL), WSP_OK);
    assert_true(info.nanosecond);
    assert_int_equal(info.snaplen, 96);
    assert_int_equal(wsp_input_next(in, &f, NULL), WSP_OK);
    assert_int_equal(f.time_ns, (UINT64_C(1) << 32) + 5);
    assert_int_equal(f.wirelen, 9);
    assert_int_equal(f.data[3], 4);
    assert_int_equal(wsp_input_next(in, &f, NULL), WSP_EOF);
    wsp_input_free(in);
}

static void what_is_no_capture_is_refused_in_one_line(void **state)
{
    outcome o;

    (void)state;
    o = read_one(in_dir("missing"), NULL);
    assert_int_equal(o.last, WSP_ERR_IO);
    assert_non_null(strstr(o.err.text, "No such file"));
    write_bytes(in_dir("empty"), "", 0);
    o = read_one(in_dir("empty"), NULL);
    assert_int_equal(o.last, WSP_ERR_FORMAT);
    assert_non_null(strstr(o.err.text, "the file is empty"));
    write_bytes(in_dir("text"), "hello, world\n", 13);
    o = read_one(in_dir("text"), NULL);
    assert_int_equal(o.last, WSP_ERR_FORMAT);
    assert_non_null(strstr(o.err.text, "not a capture"));
    write_bytes(in_dir("x"), "x", 1);
    assert_int_equal(read_one(in_dir("x"), NULL).last, WSP_ERR_FORMAT);
    write_bytes(in_dir("short"), "\xa1\xb2\xc3\xd4\0\2", 6);
    o = read_one(in_dir("short"), NULL);
    assert_int_equal(o.last, WSP_ERR_FORMAT);
    assert_int_equal(o.errors, 1);
    assert_null(strchr(o.err.text, '\n'));
    write_bytes(in_dir("mtree"), "#mtree\n/etc/passwd type=file contents=/etc/passwd\n", 50);
    assert_non_null(strstr(read_one(in_dir("mtree"), NULL).err.text, "not a capture"));
}

static void a_capture_cut_anywhere_gives_the_packets_before_the_cut(void **state)
{
    const char *path = in_dir("cut.pcap");
    size_t len;
    uint8_t *all;

    (void)state;
    write_capture(in_dir("whole.pcap"), 4);
    all = slurp(in_dir("whole.pcap"), &len);
    assert_int_equal(len, 24 + 4 * 76);
    for (size_t cut = 24; cut <= len; cut++) {
        outcome o;

        write_bytes(path, all, cut);
        o = read_one(path, NULL);
        assert_int_equal(o.packets, (cut - 24) / 76);
        assert_int_equal(o.errors, (cut - 24) % 76 != 0);
        if (o.errors) {
            assert_int_equal(o.last, WSP_ERR_FORMAT);
            assert_non_null(strstr(o.err.text, "truncated"));
            assert_int_equal(o.err.offset, cut);
        }
    }
    free(all);
}

static void folders_are_walked_in_the_order_of_names(void **state)
{
    const wsp_input_options skip = {.skip_bad = true, .max_depth = 3};
    outcome o;

    (void)state;
    assert_int_equal(mkdir(in_dir("walk"), 0755), 0);
    assert_int_equal(mkdir(in_dir("walk/b"), 0755), 0);
    assert_int_equal(mkdir(in_dir("walk/d"), 0755), 0);
    write_capture(in_dir("walk/c.pcap"), 1);
    write_capture(in_dir("walk/a.pcap"), 2);
    write_capture(in_dir("walk/b/z.pcap"), 3);
    write_bytes(in_dir("walk/b/notes.txt"), "no capture", 10);
    assert_int_equal(symlink("..", in_dir("walk/b/loop")), 0);
    assert_int_equal(mkfifo(in_dir("walk/b/fifo"), 0600), 0);
    o = read_one(in_dir("walk/"), NULL);
    assert_string_equal(o.names, "walk/a.pcap|walk/b/z.pcap|walk/c.pcap|");
    assert_int_equal(o.packets, 6);
    assert_int_equal(o.errors, 1);
    o = read_one(in_dir("walk"), &skip);
    assert_int_equal(o.packets, 6);
    assert_int_equal(o.errors, 0);
    assert_int_equal(o.skipped, 1);
}

static void what_is_no_capture_is_told_and_the_rest_is_read(void **state)
{
    const wsp_input_options opt = {.keep_going = true, .max_depth = 3};
    const char *const paths[] = {"keep/0.txt", "keep/1.pcap", "keep/2.txt", "keep/3.pcap", "keep"};
    const char *here[5];
    wsp_capture_info info;
    wsp_input *in;
    wsp_error err;

    (void)state;
    assert_int_equal(mkdir(in_dir("keep"), 0755), 0);
    for (size_t i = 0; i < 5; i++)
        assert_non_null(here[i] = strdup(in_dir(paths[i])));
    write_bytes(here[0], "no capture", 10);
    write_capture(here[1], 2);
    write_bytes(here[2], "no capture either", 17);
    write_capture(here[3], 3);
    assert_int_equal(wsp_input_new(&in, here, 5, &opt, &err), WSP_OK);
    for (int i = 0; i < 4; i++) /* the folder has both once more */
        assert_int_equal(wsp_input_open_next(in, &info, &err), WSP_OK);
    assert_int_equal(wsp_input_open_next(in, &info, &err), WSP_EOF);
    assert_int_equal(wsp_input_unread(in), 4);
    assert_int_equal(wsp_input_skipped(in), 0);
    wsp_input_free(in);
    for (size_t i = 0; i < 5; i++)
        free((char *)(uintptr_t)here[i]);
}

static void nothing_but_what_is_no_capture_is_an_error(void **state)
{
    const wsp_input_options opt = {.keep_going = true, .max_depth = 3};
    char *text = strdup(in_dir("only.txt")), *none = strdup(in_dir("nowhere"));
    const char *const paths[] = {text, text, none};
    wsp_capture_info info;
    wsp_input *in;
    wsp_error err;

    (void)state;
    write_bytes(text, "no capture", 10);
    assert_int_equal(wsp_input_new(&in, paths, 2, &opt, &err), WSP_OK);
    assert_int_equal(wsp_input_open_next(in, &info, &err), WSP_ERR_FORMAT);
    assert_non_null(strstr(err.text, "only.txt"));
    assert_int_equal(wsp_input_open_next(in, &info, &err), WSP_EOF);
    wsp_input_free(in);
    /* A name that leads nowhere is said before anything is read. */
    assert_int_equal(wsp_input_new(&in, paths, 3, &opt, &err), WSP_ERR_IO);
    assert_non_null(strstr(err.text, "nowhere"));
    assert_null(in);
    free(text);
    free(none);
}

static void every_compression_and_archive_is_read_in_place(void **state)
{
    static const struct {
        const char *name;
        int format, filter;
        const char *names;
    } rows[] = {
        {"p.gz", ARCHIVE_FORMAT_RAW, ARCHIVE_FILTER_GZIP, "p.gz|"},
        {"p.bz2", ARCHIVE_FORMAT_RAW, ARCHIVE_FILTER_BZIP2, "p.bz2|"},
        {"p.xz", ARCHIVE_FORMAT_RAW, ARCHIVE_FILTER_XZ, "p.xz|"},
        {"p.zst", ARCHIVE_FORMAT_RAW, ARCHIVE_FILTER_ZSTD, "p.zst|"},
        {"p.lz4", ARCHIVE_FORMAT_RAW, ARCHIVE_FILTER_LZ4, "p.lz4|"},
        {"p.zip", ARCHIVE_FORMAT_ZIP, 0, "p.zip:a/1.pcap|p.zip:b?2.pcap|"},
        {"p.7z", ARCHIVE_FORMAT_7ZIP, 0, "p.7z:a/1.pcap|p.7z:b?2.pcap|"},
        {"p.tar", ARCHIVE_FORMAT_TAR_PAX_RESTRICTED, 0, "p.tar:a/1.pcap|p.tar:b?2.pcap|"},
        {"p.tgz", ARCHIVE_FORMAT_TAR_USTAR, ARCHIVE_FILTER_GZIP, "p.tgz:a/1.pcap|p.tgz:b?2.pcap|"},
        {"p.cpio", ARCHIVE_FORMAT_CPIO_POSIX, 0, "p.cpio:a/1.pcap|p.cpio:b?2.pcap|"},
    };
    size_t len;
    uint8_t *all;

    (void)state;
    write_capture(in_dir("m.pcap"), 5000); /* more than one block */
    all = slurp(in_dir("m.pcap"), &len);
    for (size_t i = 0; i < WSPI_COUNT(rows); i++) {
        const member m[2] = {{"a/1.pcap", all, len}, {"b\n2.pcap", all, len}};
        bool raw = rows[i].format == ARCHIVE_FORMAT_RAW;
        outcome o;

        write_archive(in_dir(rows[i].name), rows[i].format, rows[i].filter, m, raw ? 1 : 2);
        o = read_one(in_dir(rows[i].name), NULL);
        assert_int_equal(o.errors, 0);
        assert_int_equal(o.packets, raw ? 5000 : 10000);
        assert_string_equal(o.names, rows[i].names);
    }
    free(all);
}

static void archives_in_archives_are_opened_to_the_given_depth(void **state)
{
    wsp_input_options opt = wsp_input_options_default();
    size_t len;
    uint8_t *all;
    member m = {"in.pcap", NULL, 0};
    outcome o;

    (void)state;
    write_capture(in_dir("n.pcap"), 7);
    m.data = all = slurp(in_dir("n.pcap"), &m.len);
    write_archive(in_dir("n1.zip"), ARCHIVE_FORMAT_ZIP, 0, &m, 1);
    free(all);
    m = (member){"n1.zip", NULL, 0};
    m.data = all = slurp(in_dir("n1.zip"), &len);
    m.len = len;
    write_archive(in_dir("n2.tgz"), ARCHIVE_FORMAT_TAR_USTAR, ARCHIVE_FILTER_GZIP, &m, 1);
    free(all);
    o = read_one(in_dir("n2.tgz"), &opt);
    assert_int_equal(o.packets, 7);
    assert_string_equal(o.names, "n2.tgz:n1.zip:in.pcap|");
    opt.max_depth = 1;
    o = read_one(in_dir("n2.tgz"), &opt);
    assert_int_equal(o.last, WSP_ERR_LIMIT);
    assert_int_equal(o.packets, 0);
}

static void a_cut_gzip_gives_one_error_and_goes_on(void **state)
{
    const char *paths[2];
    size_t len;
    uint8_t *all;
    member m = {"x", NULL, 0};
    outcome o;

    (void)state;
    write_capture(in_dir("g.pcap"), 20000);
    m.data = all = slurp(in_dir("g.pcap"), &m.len);
    write_archive(in_dir("g.gz"), ARCHIVE_FORMAT_RAW, ARCHIVE_FILTER_GZIP, &m, 1);
    free(all);
    all = slurp(in_dir("g.gz"), &len);
    write_bytes(in_dir("cut.gz"), all, len / 2);
    free(all);
    write_capture(in_dir("ok.pcap"), 2);
    paths[0] = in_dir("cut.gz");
    paths[1] = in_dir("ok.pcap");
    o = read_paths(paths, 2, NULL);
    assert_int_equal(o.captures, 2);
    assert_int_equal(o.errors, 1);
    assert_int_equal(o.last, WSP_ERR_FORMAT);
    assert_non_null(strstr(o.err.text, "truncated gzip"));
    assert_true(o.packets > 1000);
}

static void a_filter_picks_packets_and_a_wrong_one_is_refused(void **state)
{
    wsp_input_options opt = wsp_input_options_default();
    const char *path = in_dir("f.pcap");
    wsp_input *in;
    wsp_error err;

    (void)state;
    write_capture(path, 9);
    opt.filter = "ip";
    assert_int_equal(read_one(path, &opt).packets, 5);
    opt.filter = "ip and (";
    assert_int_equal(wsp_input_new(&in, &path, 1, &opt, &err), WSP_ERR_ARG);
    assert_null(in);
    opt.filter = "wlan type mgt"; /* right, but not for Ethernet */
    assert_int_equal(read_one(path, &opt).last, WSP_ERR_UNSUPPORTED);
}

static void standard_input_may_be_compressed(void **state)
{
    member m = {"x", NULL, 0};
    uint8_t *all;
    int saved = dup(STDIN_FILENO);
    outcome o;

    (void)state;
    write_capture(in_dir("s.pcap"), 11);
    m.data = all = slurp(in_dir("s.pcap"), &m.len);
    write_archive(in_dir("s.gz"), ARCHIVE_FORMAT_RAW, ARCHIVE_FILTER_GZIP, &m, 1);
    free(all);
    assert_non_null(freopen(in_dir("s.gz"), "rb", stdin));
    o = read_one("-", NULL);
    assert_int_equal(o.packets, 11);
    assert_string_equal(o.names, "-|");
    (void)dup2(saved, STDIN_FILENO);
    (void)close(saved);
}

static void *stop_soon(void *in)
{
    const struct timespec soon = {.tv_nsec = 200000000};

    (void)nanosleep(&soon, NULL);
    wsp_input_stop(in);
    return NULL;
}

/* Opens `path`, counts its packets until the input is stopped from beside; returns what the last call gave. */
static wsp_status read_until_stopped(const char *path, unsigned *packets)
{
    const wsp_input_options opt = {.max_depth = 1, .keep_going = true};
    wsp_capture_info info;
    pthread_t beside;
    wsp_input *in;
    wsp_error err;
    wsp_frame f;
    wsp_status st;

    *packets = 0;
    assert_int_equal(wsp_input_new(&in, &path, 1, &opt, &err), WSP_OK);
    assert_int_equal(pthread_create(&beside, NULL, stop_soon, in), 0);
    st = wsp_input_open_next(in, &info, &err);
    while (st == WSP_OK && (st = wsp_input_next(in, &f, &err)) == WSP_OK)
        ++*packets;
    assert_int_equal(pthread_join(beside, NULL), 0);
    assert_int_equal(wsp_input_open_next(in, &info, &err), WSP_EOF);
    assert_int_equal(wsp_input_unread(in), 0);
    wsp_input_free(in);
    return st;
}

static void a_pipe_that_is_quiet_can_be_stopped(void **state)
{
    const char *path = in_dir("quiet");
    unsigned packets;
    size_t len;
    uint8_t *all;
    int fd;

    (void)state;
    assert_int_equal(mkfifo(path, 0600), 0);
    assert_int_equal(read_until_stopped(path, &packets), WSP_EOF); /* nobody writes */
    write_capture(in_dir("q.pcap"), 5);
    all = slurp(in_dir("q.pcap"), &len);
    fd = open(path, O_RDWR | O_CLOEXEC);
    assert_true(fd >= 0);
    assert_int_equal(read_until_stopped(path, &packets), WSP_EOF); /* nothing is written */
    assert_int_equal(write(fd, all, len), len);
    assert_int_equal(read_until_stopped(path, &packets), WSP_EOF);
    assert_int_equal(packets, 5);
    assert_int_equal(write(fd, all, len - 1), len - 1); /* that a packet is cut is not its fault */
    assert_int_equal(read_until_stopped(path, &packets), WSP_EOF);
    assert_int_equal(packets, 4);
    (void)close(fd);
    free(all);
}

static void an_unfinished_file_never_shows_under_its_name(void **state)
{
    const char *path = in_dir("atomic.pcap");
    wsp_pcap_writer *w;
    struct stat sb;
    size_t len;
    uint8_t *all;

    (void)state;
    write_bytes(path, "old", 3);
    assert_int_equal(chmod(path, 0640), 0);
    assert_int_equal(wsp_pcap_writer_open(&w, path, 1, NULL), WSP_OK);
    all = slurp(path, &len);
    assert_int_equal(len, 3);
    free(all);
    wsp_pcap_writer_discard(w);
    assert_int_equal(stat(path, &sb), 0);
    assert_int_equal(sb.st_size, 3);
    write_capture(path, 1);
    assert_int_equal(stat(path, &sb), 0);
    assert_int_equal(sb.st_size, 100);
    assert_int_equal(sb.st_mode & 0777, 0640);
    wsp_pcap_writer_discard(NULL);
}

static void errors_of_writing_are_reported(void **state)
{
    static uint8_t big[4096];
    wsp_frame f = {.caplen = sizeof big, .wirelen = sizeof big, .data = big};
    wsp_pcap_writer *w;
    wspi_zip_writer *z;
    wsp_error err;
    wsp_status st;

    (void)state;
    assert_int_equal(wsp_pcap_writer_open(&w, in_dir("no/such/folder.pcap"), 1, &err), WSP_ERR_IO);
    assert_null(w);
    assert_int_equal(wsp_pcap_writer_open(&w, dir, 1, &err), WSP_ERR_IO);
    assert_int_equal(wsp_pcap_writer_open(&w, in_dir("l.pcap"), 70000, &err), WSP_ERR_ARG);
    assert_int_equal(wsp_pcap_writer_open(&w, "/dev/full", 1, &err), WSP_OK);
    assert_int_equal(wsp_pcap_writer_close(w, &err), WSP_ERR_IO);
    assert_non_null(strstr(err.text, "No space left"));
    assert_int_equal(wsp_pcap_writer_open(&w, "/dev/full", 1, &err), WSP_OK);
    assert_int_equal(wsp_pcap_writer_add(w, &f, &err) < 0 || wsp_pcap_writer_add(w, &f, &err) < 0,
                     1);
    assert_int_equal(wsp_pcap_writer_close(w, &err), WSP_ERR_IO);
    st = wspi_zip_writer_open(&z, "/dev/full", true, &err);
    assert_int_equal(st, WSP_OK);
    st = wspi_zip_writer_add(z, "a", big, sizeof big, NULL, 0, &err);
    assert_true(wspi_zip_writer_close(z, &err) == WSP_ERR_IO || st == WSP_ERR_IO);
    assert_int_equal(wsp_pcap_writer_open(&w, in_dir("late.pcap"), 1, &err), WSP_OK);
    f.time_ns = UINT64_MAX;
    assert_int_equal(wsp_pcap_writer_add(w, &f, &err), WSP_ERR_LIMIT);
    wsp_pcap_writer_discard(w);
    assert_int_equal(access(in_dir("late.pcap"), F_OK), -1);
}

typedef struct unzipped {
    unsigned n;
    size_t total;
    char names[64];
    uint8_t first;
} unzipped;

static wsp_status on_member(void *arg, const char *name, uint8_t *data, size_t len, wsp_error *err)
{
    unzipped *u = arg;

    (void)err;
    (void)snprintf(u->names + strlen(u->names), sizeof u->names - strlen(u->names), "%s|", name);
    u->n++;
    u->total += len;
    if (len)
        u->first = data[0];
    free(data);
    return WSP_OK;
}

static void zip_members_come_back_and_are_bounded(void **state)
{
    static uint8_t body[200000];
    const char *path = in_dir("z.npz");
    unzipped u = {0};
    wspi_zip_writer *z;
    wsp_error err;
    wspi_rng rng;
    size_t len, len2;
    uint8_t *all, *again;

    (void)state;
    memset(body, 'b', sizeof body);
    for (int round = 0; round < 2; round++) {
        assert_int_equal(wspi_zip_writer_open(&z, round ? in_dir("z2.npz") : path, true, &err),
                         WSP_OK);
        assert_int_equal(wspi_zip_writer_add(z, "empty.npy", NULL, 0, NULL, 0, &err), WSP_OK);
        assert_int_equal(wspi_zip_writer_add(z, "a.npy", "head", 4, body, sizeof body, &err),
                         WSP_OK);
        assert_int_equal(wspi_zip_writer_close(z, &err), WSP_OK);
    }
    all = slurp(path, &len);
    again = slurp(in_dir("z2.npz"), &len2);
    assert_int_equal(len, len2);
    assert_int_equal(memcmp(all, again, len), 0);
    assert_int_equal(wspi_zip_read(path, 200004, on_member, &u, &err), WSP_OK);
    assert_string_equal(u.names, "empty.npy|a.npy|");
    assert_int_equal(u.total, 200004);
    assert_int_equal(u.first, 'h');
    assert_int_equal(wspi_zip_read(path, 200003, on_member, &u, &err), WSP_ERR_LIMIT);
    assert_int_equal(wspi_zip_writer_open(&z, in_dir("z4.npz"), true, &err), WSP_OK);
    for (int i = 0; i < 2; i++)
        assert_int_equal(wspi_zip_writer_add(z, i ? "a" : "b", NULL, 0, body, sizeof body, &err),
                         WSP_OK);
    assert_int_equal(wspi_zip_writer_close(z, &err), WSP_OK);
    assert_int_equal(wspi_zip_read(in_dir("z4.npz"), 400000, on_member, &u, &err), WSP_OK);
    assert_int_equal(wspi_zip_read(in_dir("z4.npz"), 399999, on_member, &u, &err), WSP_ERR_LIMIT);
    wspi_rng_seed(&rng, 1); /* what does not come from little may be long */
    for (size_t i = 0; i < sizeof body; i++)
        body[i] = (uint8_t)wspi_rng_u64(&rng);
    assert_int_equal(wspi_zip_writer_open(&z, in_dir("z3.npz"), true, &err), WSP_OK);
    assert_int_equal(wspi_zip_writer_add(z, "a.npy", "head", 4, body, sizeof body, &err), WSP_OK);
    assert_int_equal(wspi_zip_writer_close(z, &err), WSP_OK);
    assert_int_equal(wspi_zip_read(in_dir("z3.npz"), 100, on_member, &u, &err), WSP_OK);
    for (size_t cut = 0; cut < len; cut += 7) {
        write_bytes(in_dir("zcut.npz"), all, cut);
        u = (unzipped){0};
        if (wspi_zip_read(in_dir("zcut.npz"), 1u << 20, on_member, &u, &err) == WSP_OK)
            assert_int_equal(u.n, 2); /* only the directory at the end was cut */
    }
    assert_int_equal(wspi_zip_read(in_dir("text"), 100, on_member, &u, &err), WSP_ERR_ARG);
    assert_int_equal(wspi_zip_read(in_dir("missing"), 100, on_member, &u, &err), WSP_ERR_IO);
    free(all);
    free(again);
}

static void a_file_is_read_whole_up_to_its_limit(void **state)
{
    uint8_t *data;
    size_t len;
    wsp_error err;

    (void)state;
    write_bytes(in_dir("r"), "12345", 5);
    assert_int_equal(wspi_file_read(in_dir("r"), 5, &data, &len, &err), WSP_OK);
    assert_memory_equal(data, "12345", 5);
    free(data);
    assert_int_equal(wspi_file_read(in_dir("r"), 4, &data, &len, &err), WSP_ERR_LIMIT);
    assert_null(data);
    assert_int_equal(wspi_file_read(dir, 4, &data, &len, &err), WSP_ERR_IO);
}

static int make_folder(void **state)
{
    (void)state;
    return mkdtemp(dir) ? 0 : -1;
}

static void remove_tree(const char *path)
{
    struct stat sb;
    char *paths[256];
    size_t n = 0;
    DIR *d;

    if (lstat(path, &sb) < 0 || !S_ISDIR(sb.st_mode) || !(d = opendir(path))) {
        (void)unlink(path);
        return;
    }
    for (const struct dirent *e; n < 256 && (e = readdir(d));) {
        size_t len = strlen(path) + strlen(e->d_name) + 2;

        if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0)
            continue;
        paths[n] = malloc(len);
        if (paths[n])
            (void)snprintf(paths[n++], len, "%s/%s", path, e->d_name);
    }
    (void)closedir(d);
    for (size_t i = 0; i < n; i++) {
        remove_tree(paths[i]);
        free(paths[i]);
    }
    (void)rmdir(path);
}

static int remove_folder(void **state)
{
    (void)state;
    remove_tree(dir);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_written_capture_reads_back_to_the_nanosecond),
        cmocka_unit_test(microseconds_raw_ip_and_years_after_2038_are_understood),
        cmocka_unit_test(packets_longer_than_the_header_says_are_whole),
        cmocka_unit_test(pcapng_says_its_resolution),
        cmocka_unit_test(what_is_no_capture_is_refused_in_one_line),
        cmocka_unit_test(a_capture_cut_anywhere_gives_the_packets_before_the_cut),
        cmocka_unit_test(folders_are_walked_in_the_order_of_names),
        cmocka_unit_test(what_is_no_capture_is_told_and_the_rest_is_read),
        cmocka_unit_test(nothing_but_what_is_no_capture_is_an_error),
        cmocka_unit_test(every_compression_and_archive_is_read_in_place),
        cmocka_unit_test(archives_in_archives_are_opened_to_the_given_depth),
        cmocka_unit_test(a_cut_gzip_gives_one_error_and_goes_on),
        cmocka_unit_test(a_filter_picks_packets_and_a_wrong_one_is_refused),
        cmocka_unit_test(standard_input_may_be_compressed),
        cmocka_unit_test(a_pipe_that_is_quiet_can_be_stopped),
        cmocka_unit_test(an_unfinished_file_never_shows_under_its_name),
        cmocka_unit_test(errors_of_writing_are_reported),
        cmocka_unit_test(zip_members_come_back_and_are_bounded),
        cmocka_unit_test(a_file_is_read_whole_up_to_its_limit),
    };

    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
