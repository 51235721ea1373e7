/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of lib/task/split.c: what trains, validates and tests. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>

#include "sets.h"

static void every_class_gives_its_share_of_captures(void **state)
{
    char names[24][16];
    const char *list[24];
    int32_t class[24];
    wsp_split part[24], again[24];
    size_t count[3][3] = {{0}};
    wsp_split_options o = wsp_split_options_default();

    (void)state;
    for (size_t i = 0; i < 24; i++) { /* of class 0: 20, of class 1: 3, of class 2: 1 */
        (void)snprintf(names[i], sizeof names[i], "%zu.pcap", i);
        list[i] = names[i];
        class[i] = i < 20 ? 0 : i < 23 ? 1 : 2;
    }
    assert_int_equal(wsp_split_captures(list, class, 24, &o, part), WSP_OK);
    for (size_t i = 0; i < 24; i++)
        count[class[i]][part[i]]++;
    assert_int_equal(count[0][WSP_SPLIT_TEST], 5);
    assert_int_equal(count[0][WSP_SPLIT_VAL], 2);
    for (size_t p = 0; p < 3; p++)
        assert_int_equal(count[1][p], 1);
    assert_int_equal(count[2][WSP_SPLIT_TRAIN], 1);
    assert_int_equal(wsp_split_captures(list, class, 24, &o, again), WSP_OK);
    assert_memory_equal(part, again, sizeof part);
    o.seed = 2;
    assert_int_equal(wsp_split_captures(list, class, 24, &o, again), WSP_OK);
    assert_memory_not_equal(part, again, sizeof part);
    o.val = o.test = 0.6;
    assert_int_equal(wsp_split_captures(list, class, 24, &o, part), WSP_ERR_ARG);
}

/* In how many of five folds each of n captures is in the test, and in one of them also in validation. */
static void count_folds(const char *const *list, const int32_t *class, size_t n, size_t *tests)
{
    wsp_split_options o = wsp_split_options_default();
    wsp_split part[200];

    o.folds = 5;
    for (o.fold = 1; o.fold <= 5; o.fold++) {
        size_t count[3] = {0};
        assert_int_equal(wsp_split_captures(list, class, n, &o, part), WSP_OK);
        for (size_t i = 0; i < n; i++) {
            tests[i] += part[i] == WSP_SPLIT_TEST;
            count[part[i]]++;
        }
        assert_in_range(count[WSP_SPLIT_TEST], n / 10, n * 3 / 10);
        assert_in_range(count[WSP_SPLIT_VAL], n / 20, n / 5);
    }
}

static void every_capture_is_in_the_test_of_one_fold(void **state)
{
    char names[200][16];
    const char *list[200];
    int32_t class[200];
    size_t tests[200];
    wsp_split_options o = wsp_split_options_default();
    wsp_split part[200];

    (void)state;
    for (size_t i = 0; i < 200; i++) {
        (void)snprintf(names[i], sizeof names[i], "%zu.pcap", i);
        list[i] = names[i];
        class[i] = i < 198 ? (int32_t)(i % 9) : 9;
    }
    for (int with = 0; with < 2; with++) {
        memset(tests, 0, sizeof tests);
        count_folds(list, with ? class : NULL, 200, tests);
        for (size_t i = 0; i < 200; i++)
            assert_int_equal(tests[i], 1);
    }
    o.folds = 5;
    o.fold = 6;
    assert_int_equal(wsp_split_captures(list, class, 200, &o, part), WSP_ERR_ARG);
    o.folds = o.fold = 1;
    assert_int_equal(wsp_split_captures(list, class, 200, &o, part), WSP_ERR_ARG);
    o.folds = 2;
    o.val = 0.6;
    assert_int_equal(wsp_split_captures(list, class, 200, &o, part), WSP_ERR_ARG);
}

/* make_set() with the tokens of flow 2 made those of flow 3: the same but for the capture. */
static wsp_tokens *make_twins(void)
{
    wsp_tokens *t = make_set();

    memcpy(t->ids + t->packet_off[t->flow_off[3]], t->ids + t->packet_off[t->flow_off[2]],
           4 * sizeof *t->ids);
    return t;
}

static void a_flow_that_stands_in_an_earlier_part_leaves_the_later_one(void **state)
{
    static const wsp_split captures[] = {WSP_SPLIT_TEST, WSP_SPLIT_TRAIN, WSP_SPLIT_TRAIN};
    static const wsp_split_flow flows[FLOWS];
    wsp_tokens *t = make_twins();
    wsp_split_options o = wsp_split_options_default();
    wsp_split_stats s;
    int8_t part[FLOWS];

    (void)state;
    assert_int_equal(wsp_split_flows(t, flows, captures, &o, part, &s), WSP_OK);
    assert_int_equal(part[2], WSP_SPLIT_TRAIN);
    assert_int_equal(part[3], WSP_SPLIT_LEFT_OUT);
    assert_int_equal(s.duplicates[WSP_SPLIT_TEST], 1);
    assert_int_equal(s.flows[WSP_SPLIT_TEST], 2);
    o.keep_duplicates = true;
    assert_int_equal(wsp_split_flows(t, flows, captures, &o, part, &s), WSP_OK);
    assert_int_equal(part[3], WSP_SPLIT_TEST);
    wsp_tokens_free(t);
}

/* Flows 0 and 1 are of training, 2 of validation, 3 of the test: {connection, first, last}, in seconds. */
static void split_legs(const uint64_t (*legs)[3], int8_t *part, wsp_split_stats *s)
{
    static const wsp_split captures[] = {WSP_SPLIT_TRAIN, WSP_SPLIT_VAL, WSP_SPLIT_TEST};
    static const uint32_t of[FLOWS] = {0, 0, 1, 2};
    const wsp_split_options o = wsp_split_options_default();
    wsp_split_flow flows[FLOWS] = {{0}};
    wsp_tokens *t = make_set();

    memcpy(t->capture, of, sizeof of);
    for (size_t i = 0; i < FLOWS; i++)
        flows[i] = (wsp_split_flow){.connection = legs[i][0],
                                    .first_ns = legs[i][1] * UINT64_C(1000000000),
                                    .last_ns = legs[i][2] * UINT64_C(1000000000)};
    assert_int_equal(wsp_split_flows(t, flows, captures, &o, part, s), WSP_OK);
    assert_int_equal(part[0], WSP_SPLIT_TRAIN);
    assert_int_equal(part[1], WSP_SPLIT_TRAIN);
    wsp_tokens_free(t);
}

static void a_connection_that_stands_in_an_earlier_part_leaves_the_later_one(void **state)
{
    static const uint64_t same_time[FLOWS]
                                   [3] = {{7, 0, 900}, {7, 10, 20}, {7, 300, 301}, {7, 400, 401}},
                   parts[FLOWS][3] = {{7, 100, 200}, {9, 0, 9}, {7, 300, 301}, {7, 50, 60}},
                   chain[FLOWS][3] = {{7, 0, 10}, {9, 0, 9}, {7, 100, 200}, {7, 310, 311}},
                   later[FLOWS][3] = {{7, 0, 10}, {9, 900, 901}, {7, 900, 901}, {7, 500, 501}},
                   unknown[FLOWS][3] = {{0, 0, 1}, {0, 0, 1}, {0, 0, 1}, {0, 0, 1}};
    wsp_split_stats s;
    int8_t part[FLOWS];

    (void)state;
    split_legs(same_time, part, &s); /* the training flow that ends later counts */
    assert_true(part[2] == WSP_SPLIT_LEFT_OUT && part[3] == WSP_SPLIT_LEFT_OUT);
    assert_true(s.connected[WSP_SPLIT_VAL] == 1 && s.connected[WSP_SPLIT_TEST] == 1);
    assert_true(s.pairs == 2 && s.most == 1 && s.pair[0] == 0);
    split_legs(parts, part, &s); /* before and behind */
    assert_true(part[2] == WSP_SPLIT_LEFT_OUT && part[3] == WSP_SPLIT_LEFT_OUT);
    split_legs(chain, part, &s); /* the last one by the one between, which leaves itself */
    assert_true(part[2] == WSP_SPLIT_LEFT_OUT && part[3] == WSP_SPLIT_LEFT_OUT);
    split_legs(later, part, &s);
    assert_true(part[2] == WSP_SPLIT_VAL && part[3] == WSP_SPLIT_TEST && s.pairs == 0);
    split_legs(unknown, part, &s);
    assert_true(part[2] == WSP_SPLIT_VAL && part[3] == WSP_SPLIT_TEST);
}

static void few_training_flows_of_each_class_can_be_asked_for(void **state)
{
    static const wsp_split captures[] = {WSP_SPLIT_TRAIN, WSP_SPLIT_TRAIN, WSP_SPLIT_TRAIN};
    static const wsp_split_flow flows[FLOWS];
    static const int32_t same[FLOWS] = {1, 1, 1, -1}, none[FLOWS] = {-1, -1, -1, -1};
    wsp_tokens *t = make_set();
    wsp_split_options o = wsp_split_options_default();
    wsp_split_stats s;
    int8_t part[FLOWS];
    bool other = false;
    size_t kept = 0;

    (void)state;
    memcpy(t->labels[0], same, sizeof same);
    memcpy(t->labels[1], none, sizeof none);
    o.per_class = 2;
    for (uint64_t seed = 0; seed < 20; seed++) {
        o.draw = seed;
        assert_int_equal(wsp_split_flows(t, flows, captures, &o, part, &s), WSP_OK);
        assert_int_equal(s.flows[WSP_SPLIT_TRAIN], 2);
        assert_int_equal(part[3], WSP_SPLIT_LEFT_OUT); /* no label */
        other = other || (seed > 0 && (size_t)(part[0] == WSP_SPLIT_TRAIN) != kept);
        kept = part[0] == WSP_SPLIT_TRAIN;
    }
    assert_true(other); /* the seed decides which */
    wsp_tokens_free(t);
}

static void a_flow_over_the_border_of_time_is_left_out(void **state)
{
    static const wsp_split_flow flows[FLOWS] = {{.first_ns = 30, .last_ns = 31},
                                                {.first_ns = 10, .last_ns = 35},
                                                {0},
                                                {.first_ns = 20, .last_ns = 20}};
    wsp_tokens *t = make_set();
    wsp_split_options o = {.by = WSP_BY_TIME, .test = 0.25};
    wsp_split_stats s;
    int8_t part[FLOWS];

    (void)state;
    assert_int_equal(wsp_split_flows(t, flows, NULL, &o, part, &s), WSP_OK);
    assert_int_equal(part[0], WSP_SPLIT_TEST);
    assert_int_equal(part[1], WSP_SPLIT_LEFT_OUT);
    assert_int_equal(part[2], WSP_SPLIT_TRAIN);
    assert_int_equal(part[3], WSP_SPLIT_TRAIN);
    assert_int_equal(s.crossing, 1);
    wsp_tokens_free(t);
}

static wsp_split_flow flow_between(uint8_t a, uint8_t b)
{
    wsp_flow f = {.key = {.addr = {{a, 1, 2, 3}, {b, 4, 5, 6}}, .addr_len = 4}};

    return wsp_split_flow_of(&f);
}

static void the_host_of_a_flow_is_its_private_side(void **state)
{
    (void)state;
    assert_int_equal(flow_between(10, 8).host, flow_between(10, 9).host);
    wsp_flow back = {.key = {.addr = {{8, 4, 5, 6}, {10, 1, 2, 3}}, .addr_len = 4}};
    assert_int_equal(flow_between(10, 8).host, wsp_split_flow_of(&back).host);
    assert_int_equal(flow_between(10, 8).host, flow_between(10, 8).peer);
    assert_int_not_equal(flow_between(10, 10).host, flow_between(10, 10).peer);
    assert_int_equal(flow_between(9, 8).host, flow_between(9, 7).host); /* the initiator */
    assert_int_not_equal(flow_between(9, 8).host, flow_between(7, 8).host);
}

static void hosts_of_two_parts_share_no_flow(void **state)
{
    enum { MANY = 200 };
    wsp_split_flow flows[FLOWS];
    wsp_tokens *t = make_set();
    wsp_split_options o = {.by = WSP_BY_HOST, .test = 0.5, .keep_duplicates = true};
    wsp_split_stats s;
    int8_t part[FLOWS];
    size_t crossing = 0, test = 0;

    (void)state;
    for (uint64_t seed = 0; seed < MANY; seed++) {
        o.seed = seed;
        for (size_t i = 0; i < FLOWS; i++)
            flows[i] = (wsp_split_flow){.host = 1 + i / 2, .peer = i == 1 ? 2 : 1 + i / 2};
        assert_int_equal(wsp_split_flows(t, flows, NULL, &o, part, &s), WSP_OK);
        assert_int_equal(part[2], part[3]);
        assert_int_equal(part[1] == WSP_SPLIT_LEFT_OUT, part[0] != part[2]);
        crossing += s.crossing;
        test += part[0] == WSP_SPLIT_TEST;
    }
    assert_in_range(crossing, MANY / 3, 2 * MANY / 3);
    assert_in_range(test, MANY / 3, 2 * MANY / 3);
    wsp_tokens_free(t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_class_gives_its_share_of_captures),
        cmocka_unit_test(every_capture_is_in_the_test_of_one_fold),
        cmocka_unit_test(a_flow_that_stands_in_an_earlier_part_leaves_the_later_one),
        cmocka_unit_test(a_connection_that_stands_in_an_earlier_part_leaves_the_later_one),
        cmocka_unit_test(few_training_flows_of_each_class_can_be_asked_for),
        cmocka_unit_test(a_flow_over_the_border_of_time_is_left_out),
        cmocka_unit_test(the_host_of_a_flow_is_its_private_side),
        cmocka_unit_test(hosts_of_two_parts_share_no_flow),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
