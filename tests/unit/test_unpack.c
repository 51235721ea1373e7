/* SPDX-License-Identifier: Apache-2.0 */
/* test_unpack.c: captures in archives and under compression. */
#include "captures.h"

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

/* The bytes of data as a gzip member, for the caller to free. */
static uint8_t *gzip_of(const void *data, size_t n, size_t *len)
{
    const char *path = in_dir("member.gz");
    member m = {"x", data, n};

    write_archive(path, ARCHIVE_FORMAT_RAW, ARCHIVE_FILTER_GZIP, &m, 1);
    return slurp(path, len);
}

/* As for gzip(1), whatever it begins with. */
static void what_follows_the_last_member_is_passed_over(void **state)
{
    static const char *const behind[] = {"x", "\x1f", "\x1fthat begins as members do", "\x8b"};
    const char *path = in_dir("t.gz");
    size_t n, len;
    uint8_t *all, *packed, bytes[8192];
    outcome o;

    (void)state;
    write_capture(in_dir("g.pcap"), 20);
    all = slurp(in_dir("g.pcap"), &n);
    packed = gzip_of(all, n, &len);
    assert_true(len + 100 < sizeof bytes);
    memcpy(bytes, packed, len);
    for (size_t i = 0; i < WSPI_COUNT(behind); i++) {
        memcpy(bytes + len, behind[i], strlen(behind[i]));
        write_bytes(path, bytes, len + strlen(behind[i]));
        o = read_paths(&path, 1, NULL);
        assert_int_equal(o.packets, 20);
        assert_int_equal(o.errors, 0);
    }
    free(packed);
    free(all);
}

/* Also where what is read of the file at once ends between the two bytes that a member begins with. */
static void members_may_begin_anywhere(void **state)
{
    enum { BLOCK = 65536, FLAGS = 3, HEAD = 10, HAS_NAME = 8, FILE_HEAD = 24, AROUND = 80 };
    const char *path = in_dir("t.gz");
    static uint8_t bytes[2 * BLOCK];
    size_t n, len[2];
    uint8_t *all, *packed[2];

    (void)state;
    write_capture(in_dir("g.pcap"), 20);
    all = slurp(in_dir("g.pcap"), &n);
    packed[0] = gzip_of(all, n, &len[0]);
    packed[1] = gzip_of(all + FILE_HEAD, n - FILE_HEAD, &len[1]);
    assert_int_equal(packed[0][FLAGS], 0);
    for (size_t at = BLOCK - AROUND; at < BLOCK + AROUND; at++) { /* a long name of a file */
        size_t name = at - len[0];
        outcome o;

        memcpy(bytes, packed[0], HEAD);
        bytes[FLAGS] = HAS_NAME;
        memset(bytes + HEAD, 'x', name - 1);
        bytes[HEAD + name - 1] = '\0';
        memcpy(bytes + HEAD + name, packed[0] + HEAD, len[0] - HEAD);
        memcpy(bytes + at, packed[1], len[1]);
        write_bytes(path, bytes, at + len[1]);
        o = read_paths(&path, 1, NULL);
        assert_int_equal(o.packets, 40);
        assert_int_equal(o.errors, 0);
    }
    free(packed[0]);
    free(packed[1]);
    free(all);
}

/* The last packet is whole in the stream when only the checksum behind it is missing. */
static void a_cut_gzip_of_a_small_capture_gives_its_packets(void **state)
{
    enum { CHECKSUM_AND_LENGTH = 8 };
    const char *path = in_dir("small.gz");
    member m = {"x", NULL, 0};
    size_t len;
    uint8_t *all;
    outcome o;

    (void)state;
    write_capture(in_dir("g.pcap"), 20);
    m.data = all = slurp(in_dir("g.pcap"), &m.len);
    write_archive(path, ARCHIVE_FORMAT_RAW, ARCHIVE_FILTER_GZIP, &m, 1);
    free(all);
    all = slurp(path, &len);
    write_bytes(path, all, len - CHECKSUM_AND_LENGTH);
    o = read_paths(&path, 1, NULL);
    assert_int_equal(o.packets, 20);
    assert_int_equal(o.errors, 1);
    assert_non_null(strstr(o.err.text, "truncated gzip"));
    all[len - CHECKSUM_AND_LENGTH] ^= 1;
    write_bytes(path, all, len);
    free(all);
    o = read_paths(&path, 1, NULL);
    assert_int_equal(o.packets, 20);
    assert_int_equal(o.errors, 1);
    assert_non_null(strstr(o.err.text, "damaged gzip"));
}

/* What is there of an archive under gzip comes out, and why it ends is said once. */
static void a_cut_archive_under_gzip_gives_what_is_there(void **state)
{
    enum { RECORD = 512, CHECKSUM_AND_LENGTH = 8 };
    const char *tar = in_dir("two.tar"), *path = in_dir("two.tgz");
    size_t whole, len, ends;
    uint8_t *all, *part;
    member m[2] = {{"a.pcap", NULL, 0}, {"b.pcap", NULL, 0}};
    outcome o;

    (void)state;
    write_capture(in_dir("g.pcap"), 20);
    m[0].data = m[1].data = all = slurp(in_dir("g.pcap"), &m[0].len);
    m[1].len = m[0].len;
    ends = RECORD + (m[0].len + RECORD - 1) / RECORD * RECORD;
    write_archive(tar, ARCHIVE_FORMAT_TAR_USTAR, ARCHIVE_FILTER_NONE, m, 2);
    free(all);
    all = slurp(tar, &whole);
    for (int inside = 0; inside < 2; inside++) { /* at the end of the first member, in the second */
        member raw = {"x", all, inside ? ends + RECORD + m[0].len / 2 : ends};

        write_archive(path, ARCHIVE_FORMAT_RAW, ARCHIVE_FILTER_GZIP, &raw, 1);
        part = slurp(path, &len);
        write_bytes(path, part, len - CHECKSUM_AND_LENGTH);
        free(part);
        o = read_paths(&path, 1, NULL);
        assert_int_equal(o.errors, 1);
        assert_in_range(o.packets, inside ? 25 : 20, inside ? 35 : 20);
        assert_true(inside || strstr(o.err.text, "truncated gzip"));
    }
    free(all);
}

/* A capture under gzip in an archive that breaks off: its end is the archive's, and said once. */
static void gzip_in_a_cut_archive_is_one_error(void **state)
{
    const char *path = in_dir("cut.tar");
    size_t len;
    uint8_t *all, *gz;
    member m = {"x", NULL, 0}, in = {"in.gz", NULL, 0};
    outcome o;

    (void)state;
    write_capture(in_dir("g.pcap"), 20);
    m.data = all = slurp(in_dir("g.pcap"), &m.len);
    write_archive(in_dir("g.gz"), ARCHIVE_FORMAT_RAW, ARCHIVE_FILTER_GZIP, &m, 1);
    in.data = gz = slurp(in_dir("g.gz"), &in.len);
    write_archive(path, ARCHIVE_FORMAT_TAR_USTAR, ARCHIVE_FILTER_NONE, &in, 1);
    free(all);
    all = slurp(path, &len);
    write_bytes(path, all, 512 + in.len * 3 / 4);
    o = read_paths(&path, 1, NULL);
    assert_int_equal(o.errors, 1);
    assert_true(o.packets > 0);
    free(all);
    free(gz);
}

/* As gzip(1): members are one stream, and what is behind them is none of it. */
static void gzip_members_follow_each_other(void **state)
{
    const char *path = in_dir("members.gz");
    uint8_t *all, joined[8192] = {0};
    size_t whole, at = 0;
    outcome o;

    (void)state;
    write_capture(in_dir("g.pcap"), 20);
    all = slurp(in_dir("g.pcap"), &whole);
    for (size_t k = 0, half = whole / 2, len; k < 2; k++, at += len) {
        member of = {"x", all + k * half, k ? whole - half : half};
        uint8_t *part;

        write_archive(path, ARCHIVE_FORMAT_RAW, ARCHIVE_FILTER_GZIP, &of, 1);
        part = slurp(path, &len);
        assert_true(at + len + 512 < sizeof joined);
        memcpy(joined + at, part, len);
        free(part);
    }
    free(all);
    write_bytes(path, joined, at + 512);
    o = read_paths(&path, 1, NULL);
    assert_int_equal(o.packets, 20);
    assert_int_equal(o.errors, 0);
}

/* Ciphers that this libarchive has; the old one is in all of them. */
static bool write_encrypted(const char *path, const char *cipher, const char *password,
                            const member *m)
{
    struct archive *a = archive_write_new();

    assert_int_equal(archive_write_set_format(a, ARCHIVE_FORMAT_ZIP), ARCHIVE_OK);
    assert_int_equal(archive_write_set_passphrase(a, password), ARCHIVE_OK);
    if (archive_write_set_options(a, cipher) != ARCHIVE_OK) {
        assert_string_not_equal(cipher, "zip:encryption=zipcrypt");
        (void)archive_write_free(a);
        return false;
    }
    fill_archive(a, path, m, 1);
    return true;
}

static void encrypted_zips_are_read_with_their_password(void **state)
{
    static const char *const ciphers[] = {"zip:encryption=zipcrypt", "zip:encryption=aes256"};
    wsp_input_options opt = wsp_input_options_default();
    char path[512];
    member m = {"sample.pcap", NULL, 0};
    wsp_input *in;
    wsp_error err;
    uint8_t *all;
    outcome o;

    (void)state;
    write_capture(in_dir("e.pcap"), 3000);
    m.data = all = slurp(in_dir("e.pcap"), &m.len);
    (void)snprintf(path, sizeof path, "%s", in_dir("e.zip"));
    for (size_t i = 0; i < WSPI_COUNT(ciphers); i++) {
        const char *const paths[] = {path};
        if (!write_encrypted(path, ciphers[i], "infected", &m))
            continue;
        o = read_one(path, NULL);
        assert_int_equal(o.packets, 0);
        assert_int_equal(o.err.status, WSP_ERR_FORMAT);
        assert_non_null(strstr(o.err.text, "e.zip:sample.pcap: it is encrypted, and no password"));
        for (unsigned wrong = 0; wrong < 500; wrong++) { /* some pass the cipher's own check */
            char word[16];
            (void)snprintf(word, sizeof word, "%u", wrong);
            opt.password = word;
            o = read_one(path, &opt);
            assert_int_equal(o.packets, 0);
            assert_non_null(strstr(o.err.text, "with another password"));
        }
        opt.password = "infected";
        o = read_one(path, &opt);
        assert_int_equal(o.errors, 0);
        assert_int_equal(o.packets, 3000);
        opt.join = true; /* it is opened by inputs of its own */
        o = read_one(path, &opt);
        assert_int_equal(o.packets, 3000);
        opt.join = false;
        opt.password = "";
        assert_int_equal(wsp_input_new(&in, paths, 1, &opt, &err), WSP_ERR_ARG);
    }
    free(all);
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_compression_and_archive_is_read_in_place),
        cmocka_unit_test(archives_in_archives_are_opened_to_the_given_depth),
        cmocka_unit_test(a_cut_gzip_gives_one_error_and_goes_on),
        cmocka_unit_test(what_follows_the_last_member_is_passed_over),
        cmocka_unit_test(members_may_begin_anywhere),
        cmocka_unit_test(a_cut_gzip_of_a_small_capture_gives_its_packets),
        cmocka_unit_test(a_cut_archive_under_gzip_gives_what_is_there),
        cmocka_unit_test(gzip_in_a_cut_archive_is_one_error),
        cmocka_unit_test(gzip_members_follow_each_other),
        cmocka_unit_test(encrypted_zips_are_read_with_their_password),
        cmocka_unit_test(standard_input_may_be_compressed),
    };

    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
