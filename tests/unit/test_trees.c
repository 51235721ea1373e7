/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of lib/task/trees.c, features.c and trees_baseline.c. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/base.h"
#include "task/features.h"
#include "token/token_int.h"
#include "wirespeak/score.h"

enum { N = 600, ASKED = 200, FEATURES = 4, LABELS = 3 };

/* Label 2 where the third number is high, else 0 or 1 by whether the first two are on the same side; the fourth is noise. */
static void make_rows(float *x, int32_t *label, size_t n, uint64_t seed)
{
    wspi_rng rng;

    wspi_rng_seed(&rng, seed);
    for (size_t i = 0; i < n; i++) {
        float *row = x + i * FEATURES;
        for (size_t f = 0; f < FEATURES; f++)
            row[f] = (float)wspi_rng_unit(&rng);
        label[i] = row[2] > 0.8f ? 2 : (row[0] > 0.5f) == (row[1] > 0.5f);
    }
}

static float train[N * FEATURES], asked[ASKED * FEATURES];
static int32_t label[N], truth[ASKED];

static void ask(wsp_trees_kind kind, uint64_t seed, size_t n_asked, float *prob)
{
    wsp_trees_options opt = wsp_trees_options_default(kind);

    make_rows(train, label, N, 1);
    make_rows(asked, truth, ASKED, 2);
    opt.seed = seed;
    opt.rounds = kind == WSP_FOREST ? 60 : 30;
    assert_int_equal(wsp_trees(&opt, &(wsp_rows){train, N, FEATURES}, label, LABELS,
                               &(wsp_rows){asked, n_asked, FEATURES}, prob),
                     WSP_OK);
}

static size_t right_ones(const float *prob)
{
    size_t right = 0;

    for (size_t i = 0; i < ASKED; i++) {
        const float *p = prob + i * LABELS;
        size_t best = p[1] > p[0] ? 1 : 0;
        best = p[2] > p[best] ? 2 : best;
        right += best == (size_t)truth[i];
        assert_float_equal(p[0] + p[1] + p[2], 1, 1e-5f);
        assert_true(p[0] >= 0 && p[1] >= 0 && p[2] >= 0);
    }
    return right;
}

static void trees_learn_what_no_single_number_tells(void **state)
{
    static float prob[ASKED * LABELS];

    (void)state;
    ask(WSP_FOREST, 1, ASKED, prob);
    assert_in_range(right_ones(prob), ASKED * 93 / 100, ASKED);
    ask(WSP_BOOSTING, 1, ASKED, prob);
    assert_in_range(right_ones(prob), ASKED * 95 / 100, ASKED);
}

static void the_seed_decides_and_which_rows_are_asked_for_does_not(void **state)
{
    static float a[ASKED * LABELS], b[ASKED * LABELS], c[ASKED * LABELS];

    (void)state;
    for (int kind = WSP_FOREST; kind <= WSP_BOOSTING; kind++) {
        ask((wsp_trees_kind)kind, 1, ASKED, a);
        ask((wsp_trees_kind)kind, 1, ASKED, b);
        ask((wsp_trees_kind)kind, 1, ASKED / 10, c);
        assert_memory_equal(a, b, sizeof a);
        assert_memory_equal(a, c, sizeof a / 10);
    }
    ask(WSP_FOREST, 2, ASKED, b);
    assert_memory_not_equal(a, b, sizeof a);
}

/* One number, one border: every tree finds it, and 1000 distinct values are more than there are bins. */
static void a_border_is_found_among_more_values_than_bins(void **state)
{
    static float x[1000], y[2] = {0.25f, 0.75f}, prob[4];
    static int32_t is[1000];
    wsp_trees_options opt = wsp_trees_options_default(WSP_FOREST);

    (void)state;
    for (size_t i = 0; i < 1000; i++) {
        x[i] = (float)i / 1000;
        is[i] = i >= 500;
    }
    assert_int_equal(wsp_trees(&opt, &(wsp_rows){x, 1000, 1}, is, 2, &(wsp_rows){y, 2, 1}, prob),
                     WSP_OK);
    assert_float_equal(prob[0], 1, 1e-6);
    assert_float_equal(prob[3], 1, 1e-6);
}

/* Nothing to cut by: the answer is how often labels occur. */
static void without_differences_the_answer_is_the_frequency(void **state)
{
    static const float x[8] = {1, 1, 1, 1, 1, 1, 1, 1};
    static const int32_t is[8] = {0, 0, 0, 0, 0, 0, 1, 1};
    float prob[2];

    (void)state;
    for (int kind = WSP_FOREST; kind <= WSP_BOOSTING; kind++) {
        wsp_trees_options opt = wsp_trees_options_default((wsp_trees_kind)kind);
        assert_int_equal(wsp_trees(&opt, &(wsp_rows){x, 8, 1}, is, 2, &(wsp_rows){x, 1, 1}, prob),
                         WSP_OK);
        assert_float_equal(prob[0], 0.75f, kind == WSP_FOREST ? 0.05f : 0.01f);
    }
}

static void rows_that_make_no_sense_are_refused(void **state)
{
    wsp_trees_options opt = wsp_trees_options_default(WSP_FOREST);
    static const int32_t bad[] = {0, 3};
    float prob[LABELS];
    const wsp_rows rows = {train, 2, FEATURES};

    (void)state;
    assert_int_equal(wsp_trees(&opt, &rows, bad, LABELS, &rows, prob), WSP_ERR_ARG);
    assert_int_equal(wsp_trees(&opt, &(wsp_rows){train, 0, FEATURES}, bad, LABELS, &rows, prob),
                     WSP_ERR_ARG);
    assert_int_equal(wsp_trees(&opt, &rows, label, LABELS, &(wsp_rows){train, 1, 2}, prob),
                     WSP_ERR_ARG);
}

/* A flow of two packets: from the client with length bin 5, then from the server with length bin 9 and one text token. */
static void features_are_those_of_the_tokens(void **state)
{
    unsigned start = wspi_group_base(WSPI_T_START), len, text = wspi_group_base(WSPI_T_TEXT);
    uint16_t ids[6];
    uint64_t packet_off[] = {0, 2, 5, 6}, flow_off[] = {0, 3};
    const int32_t is[] = {0};
    size_t n;
    wsp_tokens t = {.n_flows = 1,
                    .n_packets = 3,
                    .n_tokens = 6,
                    .ids = ids,
                    .packet_off = packet_off,
                    .flow_off = flow_off};
    wspi_features f;
    float x[1024];
    const uint8_t *bytes;

    (void)state;
    (void)wsp_vocab_size();
    start = wspi_group_base(WSPI_T_START);
    text = wspi_group_base(WSPI_T_TEXT);
    len = wspi_group_base(WSPI_T_LEN);
    ids[0] = (uint16_t)start;
    ids[1] = (uint16_t)(len + 5);
    ids[2] = (uint16_t)(start + WSPI_STARTS + 3);
    ids[3] = (uint16_t)(len + 9);
    ids[4] = (uint16_t)text;
    ids[5] = wspi_flow_end_token();
    bytes = wspi_text_bytes(0, &n);
    assert_int_equal(wspi_features_choose(&f, &t, is, 2, true), WSP_OK);
    assert_in_range(wspi_features_count(&f), 16 * 6 + 15 + 32, 1024);
    assert_int_equal(wspi_features_make(&f, &t, x), WSP_OK);
    assert_float_equal(x[0], 0, 0); /* direction, length, gap */
    assert_float_equal(x[1], 5, 0);
    assert_float_equal(x[5], 1, 0);
    assert_float_equal(x[6], 9, 0);
    assert_float_equal(x[7], 3, 0);
    assert_float_equal(x[10], -1, 0); /* no third packet */
    assert_float_equal(x[80], 5, 0);  /* signed lengths */
    assert_float_equal(x[81], -9, 0);
    assert_float_equal(x[96], 2, 0); /* packets */
    assert_float_equal(x[16 * 6 + 15], bytes[0], 0);
    f.payload = false;
    assert_int_equal(wspi_features_count(&f), 16 * 6 + 15);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(trees_learn_what_no_single_number_tells),
        cmocka_unit_test(the_seed_decides_and_which_rows_are_asked_for_does_not),
        cmocka_unit_test(a_border_is_found_among_more_values_than_bins),
        cmocka_unit_test(without_differences_the_answer_is_the_frequency),
        cmocka_unit_test(rows_that_make_no_sense_are_refused),
        cmocka_unit_test(features_are_those_of_the_tokens),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
