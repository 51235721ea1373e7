/* SPDX-License-Identifier: Apache-2.0 */
/* test_squeeze.c: compressors that only count: zeros shrink, noise does not, and more is never less. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "capture/capture_int.h"

enum { LEN = 1 << 20 };

/* The size of len bytes that are added in pieces; the test is skipped when the method is not there. */
static uint64_t squeezed(wspi_squeeze_method how, const uint8_t *p, size_t len, size_t piece)
{
    wspi_squeeze *s;
    uint64_t size;
    wsp_error err;
    wsp_status st = wspi_squeeze_open(&s, how, &err);

    if (st == WSP_ERR_UNSUPPORTED) {
        assert_null(s);
        assert_true(strlen(err.text) > 0);
        skip();
    }
    assert_int_equal(st, WSP_OK);
    for (size_t at = 0; at < len; at += piece)
        assert_int_equal(wspi_squeeze_add(s, p + at, WSPI_MIN(piece, len - at), &err), WSP_OK);
    assert_int_equal(wspi_squeeze_finish(s, &size, &err), WSP_OK);
    wspi_squeeze_free(s);
    return size;
}

static void check_method(wspi_squeeze_method how)
{
    uint8_t *zeros = calloc(1, LEN), *noise = calloc(1, LEN);
    uint64_t last = 0, size;
    wspi_rng r;

    assert_non_null(zeros);
    assert_non_null(noise);
    wspi_rng_seed(&r, 5);
    for (size_t i = 0; i < LEN; i++)
        noise[i] = (uint8_t)wspi_rng_u64(&r);
    assert_true(squeezed(how, zeros, 0, 1) < 64);
    size = squeezed(how, zeros, LEN, 4096);
    assert_true(size > 0 && size < 2000);
    for (size_t len = 1000; len < LEN; len *= 10) {
        size = squeezed(how, noise, len, 333);
        assert_true(size > last && size >= len && size < len + len / 100 + 100);
        last = size;
    }
    assert_int_equal(squeezed(how, noise, 100000, 1), squeezed(how, noise, 100000, 100000));
    memcpy(noise + LEN / 2, noise, LEN / 4); /* beyond the window of gzip only */
    size = squeezed(how, noise, LEN * 3 / 4, 65536);
    assert_true(how == WSPI_SQUEEZE_GZIP ? size > LEN * 3 / 4 : size < LEN * 9 / 16);
    free(zeros);
    free(noise);
}

static void gzip_counts_what_it_would_write(void **state)
{
    (void)state;
    check_method(WSPI_SQUEEZE_GZIP);
}

static void xz_counts_what_it_would_write(void **state)
{
    (void)state;
    check_method(WSPI_SQUEEZE_XZ);
}

static void zstd_counts_what_it_would_write(void **state)
{
    (void)state;
    check_method(WSPI_SQUEEZE_ZSTD);
}

static void a_compressor_may_be_given_up(void **state)
{
    static const uint8_t bytes[100000];

    (void)state;
    for (int i = 0; i < WSPI_SQUEEZE_METHODS; i++) {
        wspi_squeeze *s;

        if (wspi_squeeze_open(&s, (wspi_squeeze_method)i, NULL) == WSP_OK)
            assert_int_equal(wspi_squeeze_add(s, bytes, sizeof bytes, NULL), WSP_OK);
        wspi_squeeze_free(s);
    }
    wspi_squeeze_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gzip_counts_what_it_would_write),
        cmocka_unit_test(xz_counts_what_it_would_write),
        cmocka_unit_test(zstd_counts_what_it_would_write),
        cmocka_unit_test(a_compressor_may_be_given_up),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
