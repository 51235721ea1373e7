/* SPDX-License-Identifier: Apache-2.0 */
/* test_capture.c: captures from files, folders and pipes; refusals; the pcap writer; ZIP containers. */
#include <pthread.h>
#include <time.h>

#include "captures.h"

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
        cmocka_unit_test(a_filter_picks_packets_and_a_wrong_one_is_refused),
        cmocka_unit_test(a_pipe_that_is_quiet_can_be_stopped),
        cmocka_unit_test(an_unfinished_file_never_shows_under_its_name),
        cmocka_unit_test(errors_of_writing_are_reported),
        cmocka_unit_test(zip_members_come_back_and_are_bounded),
        cmocka_unit_test(a_file_is_read_whole_up_to_its_limit),
    };

    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
