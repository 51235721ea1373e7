/* SPDX-License-Identifier: Apache-2.0 */
/* test_base.c: failing, logging, buffers, growth, the cursor, the random numbers and the files of lib/base. */
#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/base.h"
#include "base/crypto.h"
#include "base/json.h"

/* ---- errors and messages ---- */

static void a_failure_says_what_and_where(void **state)
{
    wsp_error err;

    (void)state;
    errno = ENOSPC;
    assert_int_equal(wspi_fail(&err, WSP_ERR_FORMAT, 24, "block of %u bytes", 7u), WSP_ERR_FORMAT);
    assert_int_equal(err.status, WSP_ERR_FORMAT);
    assert_int_equal(err.sys_errno, 0);
    assert_int_equal(err.offset, 24);
    assert_string_equal(err.text, "block of 7 bytes");
}

static void an_io_failure_keeps_errno(void **state)
{
    wsp_error err;

    (void)state;
    errno = ENOSPC;
    assert_int_equal(wspi_fail(&err, WSP_ERR_IO, 0, "x"), WSP_ERR_IO);
    assert_int_equal(err.sys_errno, ENOSPC);
}

static void a_failure_needs_no_error_struct(void **state)
{
    (void)state;
    assert_int_equal(wspi_fail(NULL, WSP_ERR_LIMIT, 0, "x"), WSP_ERR_LIMIT);
    assert_int_equal(wspi_nomem(NULL, "x", 1), WSP_ERR_NOMEM);
}

static void a_long_message_is_cut_not_overrun(void **state)
{
    char word[2000];
    wsp_error err;

    (void)state;
    memset(word, 'a', sizeof word - 1);
    word[sizeof word - 1] = 0;
    (void)wspi_fail(&err, WSP_ERR_ARG, 0, "%s", word);
    assert_int_equal(strlen(err.text), sizeof err.text - 1);
}

static void every_status_has_its_own_name(void **state)
{
    (void)state;
    for (int a = WSP_ERR_UNSUPPORTED; a <= WSP_EOF; a++) {
        assert_string_not_equal(wsp_status_name((wsp_status)a), "unknown status");
        for (int b = WSP_ERR_UNSUPPORTED; b < a; b++)
            assert_string_not_equal(wsp_status_name((wsp_status)a), wsp_status_name((wsp_status)b));
    }
}

static void count_message(void *arg, wsp_log_level level, const char *text)
{
    int *n = arg;

    assert_int_equal(level, WSP_LOG_WARNING);
    assert_string_equal(text, "two 2");
    (*n)++;
}

static void messages_go_to_the_sink_up_to_the_level(void **state)
{
    int n = 0;

    (void)state;
    wspi_log(WSP_LOG_ERROR, "nobody hears");
    wsp_log_set(count_message, &n, WSP_LOG_WARNING);
    wspi_log(WSP_LOG_WARNING, "two %d", 2);
    wspi_log(WSP_LOG_INFO, "too quiet");
    wsp_log_set(NULL, NULL, WSP_LOG_DEBUG);
    wspi_log(WSP_LOG_WARNING, "nobody hears");
    assert_int_equal(n, 1);
}

/* ---- memory ---- */

static void sizes_that_overflow_are_refused(void **state)
{
    size_t out;

    (void)state;
    assert_true(wspi_mul(3, 5, &out));
    assert_int_equal(out, 15);
    assert_false(wspi_mul(SIZE_MAX, 2, &out));
    assert_null(wspi_new_array(SIZE_MAX / 2, 3));
    assert_null(wspi_new_floats(SIZE_MAX / 4));
    assert_null(wspi_new_floats(SIZE_MAX / 2));
}

static void arrays_start_zeroed_and_may_be_empty(void **state)
{
    uint32_t *a = wspi_new_array(100, sizeof *a);
    float *f = wspi_new_floats(33);
    void *none = wspi_new_array(0, 8);

    (void)state;
    assert_non_null(a);
    assert_non_null(f);
    assert_non_null(none);
    assert_int_equal((uintptr_t)f % 64, 0);
    for (size_t i = 0; i < 100; i++)
        assert_int_equal(a[i], 0);
    for (size_t i = 0; i < 33; i++)
        assert_true(f[i] == 0.0f);
    free(a);
    free(f);
    free(none);
}

static void a_buffer_keeps_what_is_added(void **state)
{
    wspi_buf b;

    (void)state;
    wspi_buf_init(&b, 100000);
    for (int i = 0; i < 5000; i++)
        assert_int_equal(wspi_buf_add_u8(&b, (uint8_t)i), WSP_OK);
    assert_int_equal(wspi_buf_add(&b, "x-42", 4), WSP_OK);
    assert_int_equal(wspi_buf_add(&b, NULL, 0), WSP_OK);
    assert_int_equal(b.len, 5004);
    for (int i = 0; i < 5000; i++)
        assert_int_equal(b.data[i], i & 255);
    assert_memory_equal(b.data + 5000, "x-42", 4);
    wspi_buf_clear(&b);
    assert_int_equal(b.len, 0);
    assert_int_equal(wspi_buf_add_u8(&b, 1), WSP_OK);
    wspi_buf_clear(&b);
}

static void a_full_buffer_refuses_and_is_unchanged(void **state)
{
    wspi_buf b;

    (void)state;
    wspi_buf_init(&b, 10);
    assert_int_equal(wspi_buf_add(&b, "0123456789", 10), WSP_OK);
    assert_int_equal(wspi_buf_add_u8(&b, 'x'), WSP_ERR_LIMIT);
    assert_int_equal(wspi_buf_reserve(&b, SIZE_MAX), WSP_ERR_LIMIT);
    assert_int_equal(b.len, 10);
    assert_memory_equal(b.data, "0123456789", 10);
    wspi_buf_clear(&b);
}

static void an_array_grows_and_keeps_its_items(void **state)
{
    uint64_t *a = NULL;
    size_t cap = 0;

    (void)state;
    for (size_t i = 0; i < 1000; i++) {
        assert_int_equal(wspi_grow(&a, &cap, i + 1, sizeof *a), WSP_OK);
        assert_true(cap >= i + 1);
        a[i] = i * i;
    }
    for (size_t i = 0; i < 1000; i++)
        assert_int_equal(a[i], i * i);
    assert_int_equal(wspi_grow(&a, &cap, SIZE_MAX / 4, sizeof *a), WSP_ERR_NOMEM);
    assert_int_equal(a[999], 999 * 999);
    free(a);
}

/* ---- cursor ---- */

static const uint8_t bytes[] = {1, 2, 3, 4, 5, 6, 7, 8, 9};

static void the_cursor_reads_both_byte_orders(void **state)
{
    wspi_cursor c = wspi_cur(bytes, sizeof bytes);

    (void)state;
    assert_int_equal(wspi_cur_u8(&c), 1);
    assert_int_equal(wspi_cur_be16(&c), 0x0203);
    assert_int_equal(wspi_cur_be32(&c), 0x04050607);
    c = wspi_cur(bytes, sizeof bytes);
    assert_int_equal(wspi_cur_le32(&c), 0x04030201);
    c = wspi_cur(bytes, sizeof bytes);
    assert_true(wspi_cur_le64(&c) == 0x0807060504030201u);
    assert_int_equal(wspi_cur_left(&c), 1);
    assert_false(c.bad);
}

static void reading_past_the_end_gives_zero_and_is_remembered(void **state)
{
    (void)state;
    for (size_t len = 0; len < 4; len++) {
        wspi_cursor c = wspi_cur(bytes, len);

        assert_int_equal(wspi_cur_be32(&c), 0);
        assert_true(c.bad);
        assert_int_equal(wspi_cur_left(&c), 0);
        assert_int_equal(wspi_cur_u8(&c), 0);
    }
}

static void a_sub_cursor_cannot_leave_its_part(void **state)
{
    wspi_cursor c = wspi_cur(bytes, sizeof bytes);
    wspi_cursor in = wspi_cur_sub(&c, 3);
    wspi_cursor none;

    (void)state;
    assert_int_equal(wspi_cur_be16(&in), 0x0102);
    assert_int_equal(wspi_cur_be16(&in), 0);
    assert_true(in.bad);
    assert_false(c.bad);
    assert_int_equal(wspi_cur_u8(&c), 4);
    none = wspi_cur_sub(&c, 6);
    assert_true(none.bad);
    assert_true(c.bad);
    assert_int_equal(wspi_cur_left(&none), 0);
}

/* ---- random numbers and hashes ---- */

static void seeding_follows_splitmix64(void **state)
{
    wspi_rng r;

    (void)state;
    wspi_rng_seed(&r, 0);
    assert_true(r.s[0] == 0xe220a8397b1dcdafu);
    assert_true(r.s[1] == 0x6e789e6aa1b965f4u);
    assert_true(r.s[2] == 0x06c45d188009454fu);
    assert_true(r.s[3] == 0xf88bb8a8724c81ecu);
}

static void random_numbers_are_xoshiro256starstar(void **state)
{
    wspi_rng r = {{1, 2, 3, 4}};

    (void)state;
    assert_true(wspi_rng_u64(&r) == 11520u);
    assert_true(wspi_rng_u64(&r) == 0u);
    assert_true(wspi_rng_u64(&r) == 1509978240u);
    assert_true(wspi_rng_u64(&r) == 1215971899390074240u);
}

static void random_draws_stay_in_their_range(void **state)
{
    unsigned seen[7] = {0};
    double sum = 0, squares = 0;
    wspi_rng r;

    (void)state;
    wspi_rng_seed(&r, 42);
    for (int i = 0; i < 70000; i++) {
        double u = wspi_rng_unit(&r);
        double z = wspi_rng_normal(&r);

        assert_true(u >= 0 && u < 1);
        seen[wspi_rng_below(&r, 7)]++;
        sum += z;
        squares += z * z;
    }
    for (int i = 0; i < 7; i++)
        assert_in_range(seen[i], 9500, 10500);
    assert_true(sum / 70000 > -0.02 && sum / 70000 < 0.02);
    assert_true(squares / 70000 > 0.98 && squares / 70000 < 1.02);
    assert_int_equal(wspi_rng_below(&r, 1), 0);
}

static void fnv1a_gives_the_published_values(void **state)
{
    (void)state;
    assert_true(wspi_fnv1a("", 0, WSPI_FNV_START) == 0xcbf29ce484222325u);
    assert_true(wspi_fnv1a("a", 1, WSPI_FNV_START) == 0xaf63dc4c8601ec8cu);
    assert_true(wspi_fnv1a("foobar", 6, WSPI_FNV_START) == 0x85944171f73967e8u);
}

static void log2_rounds_down(void **state)
{
    (void)state;
    assert_int_equal(wspi_log2(1), 0);
    assert_int_equal(wspi_log2(255), 7);
    assert_int_equal(wspi_log2(256), 8);
    assert_int_equal(wspi_log2(UINT64_MAX), 63);
}

/* ---- files that appear whole or not at all ---- */

static char folder[] = "/tmp/wirespeak-base-XXXXXX";

static const char *in_folder(const char *name)
{
    static char path[2][128];
    static unsigned k;

    (void)snprintf(path[++k & 1], sizeof path[0], "%s/%s", folder, name);
    return path[k & 1];
}

static void put(const char *name, const char *text)
{
    wsp_outfile f;

    assert_int_equal(wsp_outfile_open(&f, in_folder(name), false, NULL), WSP_OK);
    assert_true(fputs(text, f.fp) >= 0);
    assert_int_equal(wsp_outfile_commit(&f, NULL), WSP_OK);
}

static void assert_holds(const char *name, const char *text)
{
    char got[64] = "";
    FILE *f = fopen(in_folder(name), "r");

    assert_non_null(f);
    assert_int_equal(fread(got, 1, sizeof got - 1, f), strlen(text));
    assert_string_equal(got, text);
    (void)fclose(f);
}

static size_t names_in_folder(void)
{
    DIR *d = opendir(folder);
    size_t n = 0;

    assert_non_null(d);
    while (readdir(d))
        n++;
    (void)closedir(d);
    return n - 2;
}

static int empty_folder(void **state)
{
    (void)state;
    for (const char *const *p = (const char *const[]){"a", "link", "pipe", NULL}; *p; p++)
        (void)unlink(in_folder(*p));
    return rmdir(folder);
}

static int make_folder(void **state)
{
    (void)state;
    return mkdtemp(folder) ? 0 : -1;
}

static void a_file_appears_when_it_is_whole(void **state)
{
    wsp_outfile f;

    (void)state;
    put("a", "old");
    assert_int_equal(wsp_outfile_open(&f, in_folder("a"), false, NULL), WSP_OK);
    assert_true(fputs("half", f.fp) >= 0 && fflush(f.fp) == 0);
    assert_holds("a", "old");
    wsp_outfile_discard(&f);
    wsp_outfile_discard(&f);
    assert_holds("a", "old");
    assert_int_equal(names_in_folder(), 1);
    put("a", "new");
    assert_holds("a", "new");
    assert_int_equal(names_in_folder(), 1);
}

static void standard_output_is_no_file(void **state)
{
    wsp_outfile f;

    (void)state;
    assert_int_equal(wsp_outfile_open(&f, "-", false, NULL), WSP_ERR_IO);
    assert_int_equal(access("-", F_OK), -1);
    assert_int_equal(wsp_outfile_open(&f, "-", true, NULL), WSP_OK);
    wsp_outfile_discard(&f);
}

static void a_file_keeps_permissions_and_links(void **state)
{
    struct stat sb;

    (void)state;
    put("a", "old");
    assert_int_equal(chmod(in_folder("a"), 0640), 0);
    assert_int_equal(symlink("a", in_folder("link")), 0);
    put("link", "new");
    assert_holds("a", "new");
    assert_int_equal(lstat(in_folder("link"), &sb), 0);
    assert_true(S_ISLNK(sb.st_mode));
    assert_int_equal(stat(in_folder("a"), &sb), 0);
    assert_int_equal(sb.st_mode & 0777, 0640);
}

static void a_link_to_nothing_is_not_replaced(void **state)
{
    struct stat sb;
    wsp_outfile f;
    wsp_error err;

    (void)state;
    (void)unlink(in_folder("link"));
    assert_int_equal(symlink("nothing", in_folder("link")), 0);
    assert_int_equal(wsp_outfile_open(&f, in_folder("link"), true, &err), WSP_ERR_IO);
    assert_non_null(strstr(err.text, "a link to what is not there"));
    assert_int_equal(lstat(in_folder("link"), &sb), 0);
    assert_true(S_ISLNK(sb.st_mode));
}

static void what_is_no_file_is_not_replaced(void **state)
{
    struct stat sb;
    wsp_outfile f;
    wsp_error err;

    (void)state;
    assert_int_equal(mkfifo(in_folder("pipe"), 0600), 0);
    assert_int_equal(wsp_outfile_open(&f, in_folder("pipe"), false, &err), WSP_ERR_IO);
    assert_non_null(strstr(err.text, "pipe: cannot be written"));
    assert_int_equal(wsp_outfile_open(&f, folder, true, &err), WSP_ERR_IO);
    assert_int_equal(wsp_outfile_open(&f, in_folder("no/a"), false, &err), WSP_ERR_IO);
    assert_int_equal(stat(in_folder("pipe"), &sb), 0);
    assert_true(S_ISFIFO(sb.st_mode));
    assert_int_equal(wsp_outfile_open(&f, "/dev/null", true, &err), WSP_OK);
    assert_int_equal(wsp_outfile_commit(&f, &err), WSP_OK);
}

static void a_full_disk_is_told_at_the_end(void **state)
{
    wsp_outfile f;
    wsp_error err;

    (void)state;
    if (access("/dev/full", W_OK) != 0)
        skip();
    assert_int_equal(wsp_outfile_open(&f, "/dev/full", true, &err), WSP_OK);
    (void)fputs("text", f.fp);
    assert_int_equal(wsp_outfile_commit(&f, &err), WSP_ERR_IO);
    assert_int_equal(err.sys_errno, ENOSPC);
}

static void what_is_no_letter_is_a_question_mark(void **state)
{
    static const struct {
        const char *text, *shown;
    } of[] = {
        {"", ""},
        {" ~az", " ~az"},
        {"a\nb\t\x1b[31m\a\x7f", "a?b??[31m??"},
        {"caf\xc3\xa9 \xe2\x82\xac \xf0\x9f\x90\x88 \xef\xbf\xbd", NULL},
        {"\xc2\xa0\xed\x9f\xbf\xee\x80\x80\xf4\x8f\xbf\xbf", NULL},
        {"\xc2\x9b"
         "31m \xc2\x80",
         "??31m ??"}, /* control characters behind ASCII */
        {"\xc0\xaf \xe0\x9f\xbf \xf0\x8f\xbf\xbf", "?? ??? ????"}, /* longer than need be */
        {"\xed\xa0\x80 \xf4\x90\x80\x80 \xff", "??? ???? ?"},
        {"\xe9t\xe9", "?t?"},
        {"\xe2\x82", "??"}, /* cut off */
        {"\xf0\x9f\x90\n", "????"},
    };
    wsp_error err;

    (void)state;
    for (size_t i = 0; i < sizeof of / sizeof of[0]; i++) {
        char text[64];

        (void)snprintf(text, sizeof text, "%s", of[i].text);
        assert_int_equal(wsp_is_printable(text), !of[i].shown || !*text || i == 1);
        wsp_make_printable(text);
        assert_string_equal(text, of[i].shown ? of[i].shown : of[i].text);
        assert_true(wsp_is_printable(text));
    }
    (void)wspi_fail(&err, WSP_ERR_IO, 0, "%s: gone", "a\nb");
    assert_string_equal(err.text, "a?b: gone");
}

static void sha1_is_that_of_the_rfc(void **state)
{
    static const struct {
        const char *text;
        uint8_t hash[WSPI_SHA1_SIZE];
    } cases[] = {
        {"abc", {0xa9, 0x99, 0x3e, 0x36, 0x47, 0x06, 0x81, 0x6a, 0xba, 0x3e,
                 0x25, 0x71, 0x78, 0x50, 0xc2, 0x6c, 0x9c, 0xd0, 0xd8, 0x9d}},
        {"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
         {0x84, 0x98, 0x3e, 0x44, 0x1c, 0x3b, 0xd2, 0x6e, 0xba, 0xae,
          0x4a, 0xa1, 0xf9, 0x51, 0x29, 0xe5, 0xe5, 0x46, 0x70, 0xf1}},
    };
    uint8_t hash[WSPI_SHA1_SIZE];

    (void)state;
    for (size_t i = 0; i < WSPI_COUNT(cases); i++) {
        assert_true(wspi_sha1(cases[i].text, strlen(cases[i].text), hash));
        assert_memory_equal(hash, cases[i].hash, sizeof hash);
    }
}

/* n times a piece between two ends. */
static wsp_status read_json_of(const char *begin, const char *piece, size_t n, const char *end)
{
    size_t k = strlen(piece), len = strlen(begin) + n * k + strlen(end);
    char *text = malloc(len), *to = text + strlen(begin);
    json_t *o;
    wsp_status st;

    memcpy(text, begin, strlen(begin));
    for (size_t i = 0; i < n; i++, to += k)
        memcpy(to, piece, k);
    memcpy(to, end, strlen(end));
    st = wspi_json_read(&o, text, len, "x", NULL);
    assert_true((st == WSP_OK) == (o != NULL));
    json_decref(o);
    free(text);
    return st;
}

static void json_that_would_take_all_memory_is_refused(void **state)
{
    enum { NESTS = 1 << 19, VALUES = 1 << 22 };

    (void)state;
    assert_int_equal(read_json_of("[", "{},", 9, "1]"), WSP_OK);
    assert_int_equal(read_json_of("[", "{},", NESTS, "1]"), WSP_ERR_FORMAT);
    assert_int_equal(read_json_of("[", "0,", VALUES + 1, "1]"), WSP_ERR_FORMAT);
    assert_int_equal(read_json_of("[\"\\\"", "[", NESTS, "\"]"), WSP_OK); /* text is text */
    assert_int_equal(read_json_of("[\"", "[", NESTS, "\\"), WSP_ERR_FORMAT);
    assert_int_equal(read_json_of("{", "\"a\":1", 1, ",\"a\":1}"), WSP_ERR_FORMAT);
    assert_int_equal(read_json_of("", "", 0, ""), WSP_ERR_FORMAT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_failure_says_what_and_where),
        cmocka_unit_test(an_io_failure_keeps_errno),
        cmocka_unit_test(a_failure_needs_no_error_struct),
        cmocka_unit_test(a_long_message_is_cut_not_overrun),
        cmocka_unit_test(every_status_has_its_own_name),
        cmocka_unit_test(messages_go_to_the_sink_up_to_the_level),
        cmocka_unit_test(sizes_that_overflow_are_refused),
        cmocka_unit_test(arrays_start_zeroed_and_may_be_empty),
        cmocka_unit_test(a_buffer_keeps_what_is_added),
        cmocka_unit_test(a_full_buffer_refuses_and_is_unchanged),
        cmocka_unit_test(an_array_grows_and_keeps_its_items),
        cmocka_unit_test(the_cursor_reads_both_byte_orders),
        cmocka_unit_test(reading_past_the_end_gives_zero_and_is_remembered),
        cmocka_unit_test(a_sub_cursor_cannot_leave_its_part),
        cmocka_unit_test(seeding_follows_splitmix64),
        cmocka_unit_test(random_numbers_are_xoshiro256starstar),
        cmocka_unit_test(random_draws_stay_in_their_range),
        cmocka_unit_test(fnv1a_gives_the_published_values),
        cmocka_unit_test(log2_rounds_down),
        cmocka_unit_test(a_file_appears_when_it_is_whole),
        cmocka_unit_test(standard_output_is_no_file),
        cmocka_unit_test(a_file_keeps_permissions_and_links),
        cmocka_unit_test(a_link_to_nothing_is_not_replaced),
        cmocka_unit_test(what_is_no_file_is_not_replaced),
        cmocka_unit_test(a_full_disk_is_told_at_the_end),
        cmocka_unit_test(what_is_no_letter_is_a_question_mark),
        cmocka_unit_test(sha1_is_that_of_the_rfc),
        cmocka_unit_test(json_that_would_take_all_memory_is_refused),
    };

    return cmocka_run_group_tests(tests, make_folder, empty_folder);
}
