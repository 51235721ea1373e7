/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of lib/task/metrics.c against values computed by hand. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>

#include "wirespeak/score.h"

#define L 3
#define N 8

/* Five known flows (two wrong), one that nobody knows, two from outside. */
static const float prob[N * L] = {
    0.7f, 0.2f,  0.1f,  /* is 0: right */
    0.5f, 0.4f,  0.1f,  /* is 0: right */
    0.3f, 0.6f,  0.1f,  /* is 0, called 1 */
    0.1f, 0.8f,  0.1f,  /* is 1: right */
    0.2f, 0.2f,  0.6f,  /* is 1, called 2 */
    0.0f, 0.0f,  1.0f,  /* unlabelled */
    0.4f, 0.35f, 0.25f, /* outside */
    0.2f, 0.6f,  0.2f,  /* outside */
};
static const int32_t label[N] = {0, 0, 0, 1, 1, WSP_UNLABELLED, WSP_OUTSIDE, WSP_OUTSIDE};
static const wsp_answers answers = {
    .n = N, .n_labels = L, .prob = prob, .label = label, .unknown_below = 0.65};

#define assert_near(a, b) assert_float_equal((float)(a), (float)(b), 1e-6f)

static wsp_metrics *metrics(const wsp_answers *a)
{
    wsp_metrics *m = NULL;

    assert_int_equal(wsp_metrics_new(&m, a), WSP_OK);
    return m;
}

static void scores_by_class_are_those_of_the_definitions(void **state)
{
    wsp_metrics *m = metrics(&answers);

    (void)state;
    assert_int_equal(m->flows, 5);
    assert_int_equal(m->outside, 2);
    assert_int_equal(m->classes, 2);
    assert_int_equal(m->most, 0);
    assert_int_equal(m->label[0].support, 3);
    assert_int_equal(m->label[0].said, 2);
    assert_int_equal(m->label[2].said, 1);
    assert_near(m->label[0].precision, 1);
    assert_near(m->label[0].recall, 2. / 3);
    assert_near(m->label[0].f1, 0.8);
    assert_near(m->label[1].f1, 0.5);
    assert_near(m->label[2].f1, 0);
    assert_near(m->accuracy, 0.6);
    assert_near(m->macro_f1, (0.8 + 0.5) / 2); /* label 2 does not occur */
    assert_near(m->weighted_f1, (3 * 0.8 + 2 * 0.5) / 5);
    assert_near(m->majority_accuracy, 0.6);
    assert_near(m->majority_macro_f1, 0.75 / 2);
    wsp_metrics_free(m);
}

static void a_row_of_the_confusion_matrix_is_what_the_flows_are(void **state)
{
    static const uint32_t cells[L * L] = {2, 1, 0, 0, 1, 1, 0, 0, 0};
    wsp_metrics *m = metrics(&answers);

    (void)state;
    assert_memory_equal(m->confusion, cells, sizeof cells);
    wsp_metrics_free(m);
}

static void confidence_ranks_right_over_wrong_and_known_over_outside(void **state)
{
    wsp_metrics *m = metrics(&answers);

    (void)state;
    assert_near(m->auroc_right, 4. / 6);  /* right .7 .5 .8, wrong .6 .6 */
    assert_near(m->auroc_known, 8. / 10); /* ties count half: .6 .6 against .6 */
    wsp_metrics_free(m);
}

static void calibration_is_that_of_the_definitions(void **state)
{
    wsp_metrics *m = metrics(&answers);
    size_t n = 0;

    (void)state;
    assert_near(m->ece, (0.3 + 0.5 + 1.2 + 0.2) / 5);
    assert_near(m->ece_perfect,
                sqrt(2 / 3.14159265358979323846) *
                    (sqrt(0.7 * 0.3) + sqrt(0.5 * 0.5) + sqrt(2 * 0.6 * 0.4) + sqrt(0.8 * 0.2)) /
                    5);
    assert_near(m->brier, (0.14 + 0.42 + 0.86 + 0.06 + 1.04) / 5);
    assert_near(m->nll, -(log(0.7) + log(0.5) + log(0.3) + log(0.8) + log(0.2)) / 5);
    assert_int_equal(m->reliability[9].n, 2); /* 0.6 of 15 */
    assert_near(m->reliability[9].confidence, 0.6);
    assert_near(m->reliability[9].accuracy, 0);
    for (size_t i = 0; i < WSP_RELIABILITY; i++)
        n += m->reliability[i].n;
    assert_int_equal(n, 5);
    wsp_metrics_free(m);
}

/* The second answer, a known flow's at 0.5, and the last one, at 0.6, are outside of the field. */
static void answers_that_are_unknown_in_any_case_keep_no_confidence(void **state)
{
    static const uint32_t outside[N] = {0, 2, 0, 0, 0, 0, 5, 2};
    wsp_answers of = answers;
    wsp_metrics *m, *plain = metrics(&answers);

    (void)state;
    of.outside = outside;
    of.bit = 1;
    m = metrics(&of);
    assert_near(m->abstention[50].coverage, 0.8);
    assert_near(m->abstention[50].outside_passed, 0);
    assert_near(m->auroc_known,
                (4 * 2 + 0.5) / 10); /* the two at -1 tie; the others win over both */
    assert_near(m->accuracy, plain->accuracy);
    assert_near(m->ece, plain->ece);
    wsp_metrics_free(m);
    wsp_metrics_free(plain);
}

static void a_threshold_leaves_fewer_flows_and_better_answers(void **state)
{
    wsp_metrics *m = metrics(&answers);
    wsp_abstention a = wsp_abstain(&answers, 0.65);
    double t;

    (void)state;
    assert_near(a.coverage, 0.4);
    assert_near(a.accuracy, 1);
    assert_near(a.outside_passed, 0);
    assert_memory_equal(&m->unknown, &a, sizeof a);
    assert_near(m->abstention[50].threshold, 0.5);
    assert_near(m->abstention[50].coverage, 1);
    assert_near(m->abstention[50].accuracy, 0.6);
    assert_near(m->abstention[50].outside_passed, 0.5);
    assert_near(m->abstention[100].coverage, 0);
    assert_true(isnan(m->abstention[100].accuracy));
    assert_int_equal(wsp_threshold_keeping(&answers, 0.8, &t), WSP_OK);
    assert_near(t, 0.6);
    assert_near(wsp_abstain(&answers, t).coverage, 0.8);
    assert_int_equal(wsp_threshold_keeping(&answers, 0.95, &t), WSP_OK);
    assert_near(t, 0.5);
    assert_near(wsp_abstain(&answers, t).coverage, 1);
    assert_int_equal(wsp_threshold_keeping(&answers, 0, &t), WSP_OK);
    assert_near(t, 0.8);
    assert_int_equal(wsp_threshold_refusing(&answers, 0.5, &t),
                     WSP_OK); /* the one at 0.4, barely */
    assert_near(t, 0.4);
    assert_near(wsp_abstain(&answers, t).outside_passed, 0.5);
    assert_int_equal(wsp_threshold_refusing(&answers, 1, &t), WSP_OK);
    assert_near(t, 0);
    assert_int_equal(wsp_threshold_refusing(&answers, 0.2, &t),
                     WSP_OK); /* a fifth of two is none */
    assert_near(t, 1);
    wsp_metrics_free(m);
}

/* Of ten known flows some are unknown whatever the threshold: they are among those that may be lost, as far as these go. */
static void flows_that_are_lost_anyway_take_no_threshold_to_zero(void **state)
{
    enum { ROWS = 10 };
    float p[ROWS][2];
    int32_t is[ROWS] = {0};
    uint32_t outside[ROWS] = {0};
    wsp_answers a = {
        .n = ROWS, .n_labels = 2, .prob = p[0], .label = is, .outside = outside, .bit = 1};
    double t;

    (void)state;
    for (size_t i = 0; i < ROWS; i++) {
        p[i][0] = 0.55f + 0.04f * (float)i;
        p[i][1] = 1 - p[i][0];
    }
    assert_int_equal(wsp_threshold_keeping(&a, 0.8, &t), WSP_OK);
    assert_near(t, 0.63);
    outside[9] = 2;
    assert_int_equal(wsp_threshold_keeping(&a, 0.8, &t), WSP_OK);
    assert_near(t, 0.59);
    outside[8] = outside[7] =
        2; /* three of ten where two may be lost: of the other seven one may */
    assert_int_equal(wsp_threshold_keeping(&a, 0.8, &t), WSP_OK);
    assert_near(t, 0.59);
    for (size_t i = 0; i < ROWS; i++)
        outside[i] = 2;
    assert_int_equal(wsp_threshold_keeping(&a, 0.8, &t), WSP_OK);
    assert_near(t, 0);
}

static void what_the_flows_cannot_tell_is_no_number(void **state)
{
    const wsp_answers none = {.n = 0, .n_labels = L, .prob = prob, .label = label};
    const wsp_answers right = {.n = 2, .n_labels = L, .prob = prob, .label = label};
    wsp_metrics *m = metrics(&none);
    double t = 1;

    (void)state;
    assert_true(isnan(m->accuracy) && isnan(m->macro_f1) && isnan(m->ece) && isnan(m->brier));
    assert_true(isnan(m->auroc_right) && isnan(m->auroc_known) && isnan(m->majority_macro_f1));
    wsp_metrics_free(m);
    assert_int_equal(wsp_threshold_keeping(&none, 0.95, &t), WSP_OK);
    assert_near(t, 0);
    m = metrics(&right);
    assert_near(m->accuracy, 1);
    assert_true(isnan(m->auroc_right) && isnan(m->auroc_known));
    wsp_metrics_free(m);
}

static void certain_answers_fall_into_the_last_bin(void **state)
{
    static const float sure[] = {1, 0, 0, 1};
    static const int32_t is[] = {0, 0};
    const wsp_answers a = {.n = 2, .n_labels = 2, .prob = sure, .label = is};
    wsp_metrics *m = metrics(&a);

    (void)state;
    assert_int_equal(m->reliability[WSP_RELIABILITY - 1].n, 2);
    assert_near(m->ece, 0.5);
    assert_near(m->ece_perfect, 0);
    assert_near(m->brier, 1);
    assert_true(isfinite(m->nll)); /* a zero for the right label is not infinitely wrong */
    wsp_metrics_free(m);
}

static void labels_that_are_none_are_refused(void **state)
{
    static const int32_t high[] = {3}, low[] = {-3};
    wsp_answers a = {.n = 1, .n_labels = L, .prob = prob, .label = high};
    wsp_metrics *m;

    (void)state;
    assert_int_equal(wsp_metrics_new(&m, &a), WSP_ERR_ARG);
    assert_null(m);
    a.label = low;
    assert_int_equal(wsp_metrics_new(&m, &a), WSP_ERR_ARG);
    a.n_labels = 0;
    a.n = 0;
    assert_int_equal(wsp_metrics_new(&m, &a), WSP_ERR_ARG);
}

/* Four captures of three flows: the first classifier has the flows of two captures wrong, the second those of one of them, too. */
#define ITEMS 12
static const int32_t is[ITEMS] = {0, 0, 1, 0, 1, 1, 0, 1, 1, 0, 1, -1};
static const int32_t says[2][ITEMS] = {{0, 0, 1, 1, 0, 0, 0, 1, 1, 1, 2, 0},
                                       {0, 0, 1, 0, 1, 1, 0, 1, 1, 1, 2, 0}};
static const uint32_t of[ITEMS] = {0, 0, 0, 1, 1, 1, 2, 2, 2, 7, 7, 7};

static void values_of_a_spread_are_those_of_the_metrics(void **state)
{
    const wsp_trials t = {ITEMS, 2, is, {says[0], says[1]}, of};
    wsp_spread s;

    (void)state;
    assert_int_equal(wsp_spread_of(&t, 500, 1, &s), WSP_OK);
    assert_int_equal(s.items, 11);
    assert_int_equal(s.groups, 4);
    assert_near(s.accuracy[0].value, 6. / 11);
    assert_near(s.accuracy[1].value, 9. / 11);
    assert_near(s.accuracy[2].value, -3. / 11);
    /* of 5 flows of 0: 3 right, 5 called so; of 6 of 1: 3 right, 5 called so. The second: 4 of 4, 5 of 6 */
    assert_near(s.macro_f1[0].value, (2. * 3 / 10 + 2. * 3 / 11) / 2);
    assert_near(s.macro_f1[1].value, (2. * 4 / 9 + 2. * 5 / 12) / 2);
}

static void captures_are_drawn_and_not_flows(void **state)
{
    const wsp_trials t = {ITEMS, 2, is, {says[0], says[1]}, of};
    wsp_spread s, again, other;

    (void)state;
    assert_int_equal(wsp_spread_of(&t, 2000, 1, &s), WSP_OK);
    /* nothing but the two wrong captures, or none of them, is drawn in 1 of 16 cases each */
    assert_near(s.accuracy[0].low, 0);
    assert_near(s.accuracy[0].high, 1);
    assert_true(s.accuracy[1].low < 9. / 11 && s.accuracy[1].low > 0);
    assert_near(s.accuracy[2].high, 0); /* the second is never worse */
    assert_true(s.accuracy[2].low < -3. / 11);
    assert_int_equal(wsp_spread_of(&t, 2000, 1, &again), WSP_OK);
    assert_memory_equal(&s, &again, sizeof s);
    assert_int_equal(
        wsp_spread_of(&(wsp_trials){ITEMS, 2, is, {says[0], NULL}, of}, 2000, 1, &other), WSP_OK);
    assert_near(other.macro_f1[0].low, s.macro_f1[0].low);
    assert_true(isnan(other.macro_f1[1].value) && isnan(other.macro_f1[2].high));
}

/* Of n independent answers, accuracy has the interval of the binomial distribution. */
static void an_interval_is_as_wide_as_chance_is(void **state)
{
    enum { MANY = 400 };
    int32_t truth[MANY] = {0}, said[MANY];
    uint32_t group[MANY];
    wsp_spread s;

    (void)state;
    for (uint32_t i = 0; i < MANY; i++) {
        said[i] = i % 4 == 0;
        group[i] = i;
    }
    assert_int_equal(wsp_spread_of(&(wsp_trials){MANY, 2, truth, {said, NULL}, group}, 4000, 3, &s),
                     WSP_OK);
    assert_float_equal((float)s.accuracy[0].low, 0.75f - 1.96f * sqrtf(.75f * .25f / MANY), 4e-3f);
    assert_float_equal((float)s.accuracy[0].high, 0.75f + 1.96f * sqrtf(.75f * .25f / MANY), 4e-3f);
}

static void a_single_capture_has_no_interval(void **state)
{
    static const uint32_t one[ITEMS];
    static const int32_t bad[ITEMS] = {3};
    const wsp_trials t = {ITEMS, 2, is, {says[0], NULL}, one};
    wsp_spread s;

    (void)state;
    assert_int_equal(wsp_spread_of(&t, 100, 1, &s), WSP_OK);
    assert_int_equal(s.groups, 1);
    assert_true(isnan(s.accuracy[0].low) && isnan(s.macro_f1[0].high));
    assert_int_equal(wsp_spread_of(&(wsp_trials){ITEMS, 2, is, {bad, NULL}, of}, 100, 1, &s),
                     WSP_ERR_ARG);
    assert_int_equal(wsp_spread_of(&(wsp_trials){0, 2, is, {says[0], NULL}, of}, 100, 1, &s),
                     WSP_OK);
    assert_int_equal(s.items, 0);
    assert_true(isnan(s.accuracy[0].value));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(scores_by_class_are_those_of_the_definitions),
        cmocka_unit_test(a_row_of_the_confusion_matrix_is_what_the_flows_are),
        cmocka_unit_test(confidence_ranks_right_over_wrong_and_known_over_outside),
        cmocka_unit_test(answers_that_are_unknown_in_any_case_keep_no_confidence),
        cmocka_unit_test(calibration_is_that_of_the_definitions),
        cmocka_unit_test(a_threshold_leaves_fewer_flows_and_better_answers),
        cmocka_unit_test(flows_that_are_lost_anyway_take_no_threshold_to_zero),
        cmocka_unit_test(what_the_flows_cannot_tell_is_no_number),
        cmocka_unit_test(certain_answers_fall_into_the_last_bin),
        cmocka_unit_test(labels_that_are_none_are_refused),
        cmocka_unit_test(values_of_a_spread_are_those_of_the_metrics),
        cmocka_unit_test(captures_are_drawn_and_not_flows),
        cmocka_unit_test(an_interval_is_as_wide_as_chance_is),
        cmocka_unit_test(a_single_capture_has_no_interval),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
