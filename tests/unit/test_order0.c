/* SPDX-License-Identifier: Apache-2.0 */
/* test_order0.c: the adaptive coder: round trips, sizes against the entropy, adaption, refusals. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <math.h>

#include "base/order0.h"

/* What n symbols of an alphabet code to, in bytes; checks that they come back and that counting alone says the same. */
static uint64_t there_and_back(const uint16_t *s, size_t n, uint32_t alphabet)
{
    wspi_order0 *writer, *counter, *reader;
    wspi_buf bytes;
    uint64_t size;

    wspi_buf_init(&bytes, SIZE_MAX / 2);
    assert_int_equal(wspi_order0_new(&writer, alphabet), WSP_OK);
    assert_int_equal(wspi_order0_new(&counter, alphabet), WSP_OK);
    assert_int_equal(wspi_order0_new(&reader, alphabet), WSP_OK);
    wspi_order0_to(writer, &bytes);
    for (size_t i = 0; i < n; i++) {
        assert_int_equal(wspi_order0_put(writer, s[i]), WSP_OK);
        assert_int_equal(wspi_order0_put(counter, s[i]), WSP_OK);
    }
    assert_int_equal(wspi_order0_finish(writer), WSP_OK);
    assert_int_equal(wspi_order0_finish(counter), WSP_OK);
    size = wspi_order0_size(writer);
    assert_int_equal(size, bytes.len);
    assert_int_equal(size, wspi_order0_size(counter));
    wspi_order0_from(reader, bytes.data ? bytes.data : (const uint8_t *)"", bytes.len);
    for (size_t i = 0; i < n; i++) {
        uint32_t got = wspi_order0_get(reader);

        if (got != s[i])
            fail_msg("symbol %zu of %zu: %u instead of %u", i, n, (unsigned)got, (unsigned)s[i]);
    }
    wspi_order0_free(writer);
    wspi_order0_free(counter);
    wspi_order0_free(reader);
    wspi_buf_clear(&bytes);
    return size;
}

/* n symbols below alphabet; the higher skew, the rarer the high ones. */
static uint16_t *draw(size_t n, uint32_t alphabet, double skew, uint64_t seed)
{
    uint16_t *s = wspi_new_array(n, sizeof *s);
    wspi_rng r;

    assert_non_null(s);
    wspi_rng_seed(&r, seed);
    for (size_t i = 0; i < n; i++)
        s[i] = (uint16_t)(alphabet * pow(wspi_rng_unit(&r), skew));
    return s;
}

/* The entropy of the symbols' own shares, in bytes. */
static double entropy(const uint16_t *s, size_t n, uint32_t alphabet)
{
    uint32_t *count = wspi_new_array(alphabet, sizeof *count);
    double bits = 0;

    assert_non_null(count);
    for (size_t i = 0; i < n; i++)
        count[s[i]]++;
    for (uint32_t i = 0; i < alphabet; i++)
        if (count[i])
            bits += count[i] * log2((double)n / count[i]);
    free(count);
    return bits / 8;
}

static void what_is_put_comes_back(void **state)
{
    static const uint32_t alphabets[] = {2, 3, 5, 255, 256, 257, 1000, 4096, 65535, 65536};

    (void)state;
    for (size_t a = 0; a < WSPI_COUNT(alphabets); a++) {
        for (size_t n = 1; n < 200000; n = n * 7 + 1) {
            for (double skew = 1; skew < 40; skew *= 6) {
                uint16_t *s = draw(n, alphabets[a], skew, n + a);

                (void)there_and_back(s, n, alphabets[a]);
                free(s);
            }
        }
    }
}

static void every_short_sequence_comes_back(void **state)
{
    uint16_t s[8];

    (void)state;
    for (unsigned v = 0; v < 6561; v++) { /* 3^8 */
        unsigned left = v;

        for (unsigned i = 0; i < 8; i++, left /= 3)
            s[i] = (uint16_t)(left % 3);
        for (size_t n = 1; n <= 8; n++)
            assert_true(there_and_back(s, n, 3) <= 3);
    }
}

static void nothing_and_an_alphabet_of_one_take_no_bytes(void **state)
{
    uint16_t zeros[1000] = {0};

    (void)state;
    assert_int_equal(there_and_back(zeros, 0, 256), 0);
    assert_int_equal(there_and_back(zeros, 0, 1), 0);
    assert_int_equal(there_and_back(zeros, 1000, 1), 0);
}

static void one_symbol_again_and_again_takes_next_to_nothing(void **state)
{
    uint16_t *s = wspi_new_array(1000000, sizeof *s);

    (void)state;
    assert_non_null(s);
    assert_true(there_and_back(s, 1000000, 256) < 200); /* the first, the last and one between */
    for (size_t i = 0; i < 1000000; i++)
        s[i] = 255;
    assert_true(there_and_back(s, 1000000, 256) < 200);
    for (size_t i = 0; i < 1000000; i++)
        s[i] = 128;
    assert_true(there_and_back(s, 1000000, 256) < 200);
    free(s);
}

static void long_inputs_come_within_one_percent_of_their_entropy(void **state)
{
    static const struct {
        uint32_t alphabet;
        size_t n;
        double skew;
    } table[] = {{256, 1000000, 1},  {256, 1000000, 3},   {256, 1000000, 20}, {2, 1000000, 1.5},
                 {4000, 3000000, 5}, {65536, 5000000, 4}, {65536, 5000000, 1}};

    (void)state;
    for (size_t i = 0; i < WSPI_COUNT(table); i++) {
        uint16_t *s = draw(table[i].n, table[i].alphabet, table[i].skew, 7);
        double least = entropy(s, table[i].n, table[i].alphabet);
        double size = (double)there_and_back(s, table[i].n, table[i].alphabet);

        if (size < 0.99 * least || size > 1.01 * least)
            fail_msg("alphabet %u, skew %g: %.0f bytes, entropy %.0f", (unsigned)table[i].alphabet,
                     table[i].skew, size, least);
        free(s);
    }
}

/* Half zeros to 15, then half 128 to 143: the whole has 5 bits a symbol, each half 4. */
static void the_coder_adapts_to_what_changes(void **state)
{
    size_t half = 2000000;
    uint16_t *s = wspi_new_array(2 * half, sizeof *s);
    double size;
    wspi_rng r;

    (void)state;
    assert_non_null(s);
    wspi_rng_seed(&r, 1);
    for (size_t i = 0; i < 2 * half; i++)
        s[i] = (uint16_t)(wspi_rng_below(&r, 16) + (i < half ? 0 : 128));
    size = (double)there_and_back(s, 2 * half, 256);
    assert_true(size < 0.88 * entropy(s, 2 * half, 256));
    free(s);
}

static void foreign_bytes_give_symbols_of_the_alphabet(void **state)
{
    uint8_t bytes[600];
    wspi_rng r;

    (void)state;
    wspi_rng_seed(&r, 3);
    for (unsigned turn = 0; turn < 200; turn++) {
        uint32_t alphabet = 1 + (uint32_t)wspi_rng_below(&r, 300);
        wspi_order0 *o;

        for (size_t i = 0; i < sizeof bytes; i++)
            bytes[i] = turn == 0 ? 0xff : turn == 1 ? 0 : (uint8_t)wspi_rng_u64(&r);
        assert_int_equal(wspi_order0_new(&o, alphabet), WSP_OK);
        wspi_order0_from(o, bytes, turn % sizeof bytes);
        for (unsigned i = 0; i < 1000; i++)
            assert_true(wspi_order0_get(o) < alphabet);
        wspi_order0_free(o);
    }
}

static void what_cannot_be_is_refused(void **state)
{
    wspi_order0 *o;
    wspi_buf small;
    wsp_status st = WSP_OK;

    (void)state;
    assert_int_equal(wspi_order0_new(&o, 0), WSP_ERR_ARG);
    assert_null(o);
    assert_int_equal(wspi_order0_new(&o, WSPI_ORDER0_MAX + 1), WSP_ERR_ARG);
    assert_int_equal(wspi_order0_new(&o, 10), WSP_OK);
    assert_int_equal(wspi_order0_put(o, 10), WSP_ERR_ARG);
    wspi_buf_init(&small, 4);
    wspi_order0_to(o, &small);
    for (uint32_t i = 0; i < 100 && st == WSP_OK; i++)
        st = wspi_order0_put(o, i * 7 % 10);
    assert_int_equal(st, WSP_ERR_LIMIT);
    wspi_order0_free(o);
    wspi_order0_free(NULL);
    wspi_buf_clear(&small);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_put_comes_back),
        cmocka_unit_test(every_short_sequence_comes_back),
        cmocka_unit_test(nothing_and_an_alphabet_of_one_take_no_bytes),
        cmocka_unit_test(one_symbol_again_and_again_takes_next_to_nothing),
        cmocka_unit_test(long_inputs_come_within_one_percent_of_their_entropy),
        cmocka_unit_test(the_coder_adapts_to_what_changes),
        cmocka_unit_test(foreign_bytes_give_symbols_of_the_alphabet),
        cmocka_unit_test(what_cannot_be_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
