/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of lib/task/seen.c: which flows a model was trained on. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>

#include "sets.h"
#include "task/task_int.h"

enum { MANY = 6000 };

static wsp_model *make_model(void)
{
    static const char *const labels[] = {"a", "b"};
    const wsp_head head = {.name = "first", .n_labels = 2, .labels = labels, .temperature = 1};
    wsp_model_config cfg;
    wsp_model *m = NULL;

    assert_int_equal(wsp_model_config_named(&cfg, "tiny"), WSP_OK);
    cfg.vocab = wsp_vocab_size();
    cfg.vocab_version = wsp_vocab_version();
    assert_int_equal(wsp_model_new(&m, &cfg, &head, 1, 1, NULL), WSP_OK);
    assert_int_equal(wsp_model_meta_set(m, "policy", "everything"), WSP_OK);
    return m;
}

/* MANY flows of two packets of two tokens, which count from `first` on; none has a label. */
static wsp_tokens *make_many(size_t first)
{
    wsp_tokens *t = wspi_new_array(1, sizeof *t);

    t->n_flows = MANY;
    t->n_packets = 2 * t->n_flows;
    t->n_tokens = 2 * t->n_packets;
    t->ids = wspi_new_array(t->n_tokens, sizeof *t->ids);
    t->packet_off = wspi_new_array(t->n_packets + 1, sizeof *t->packet_off);
    t->flow_off = wspi_new_array(MANY + 1, sizeof *t->flow_off);
    for (size_t p = 0; p < t->n_packets; p++) {
        t->ids[2 * p] = (uint16_t)(40 + (first + p / 2) % 200);
        t->ids[2 * p + 1] = (uint16_t)(40 + (first + p / 2) / 200);
        t->packet_off[p + 1] = 2 * p + 2;
    }
    for (size_t f = 0; f < MANY; f++)
        t->flow_off[f + 1] = 2 * f + 2;
    return t;
}

static void learn(wsp_model *m, const wsp_model *before, const wsp_tokens *t, bool labelled_only)
{
    const wsp_view_options opt = wsp_view_options_of(m);
    wspi_view v;

    assert_int_equal(wspi_view_make(&v, t, &opt, wsp_model_config_get(m)->max_tokens, false, NULL),
                     WSP_OK);
    assert_int_equal(wspi_seen_learn(m, before, &v, t, labelled_only, NULL), WSP_OK);
    wspi_view_clear(&v);
}

static wsp_seen seen_of(const wsp_model *m, const wsp_tokens *t)
{
    wsp_seen s;

    assert_int_equal(wsp_seen_of(m, t, &s, NULL), WSP_OK);
    return s;
}

static void a_model_knows_the_flows_that_it_was_trained_on(void **state)
{
    wsp_tokens *t = make_set();
    wsp_model *m = make_model();

    (void)state;
    assert_int_equal(seen_of(m, t).flows, 0); /* it does not say */
    learn(m, NULL, t, false);
    assert_int_equal(seen_of(m, t).flows, FLOWS);
    assert_int_equal(seen_of(m, t).seen, FLOWS);
    t->ids[0] = t->ids[2]; /* one token of the first flow is another one */
    assert_int_equal(seen_of(m, t).seen, FLOWS - 1);
    t->labels[0][0] = t->labels[1][0] = -1;
    learn(m, NULL, t, true);
    assert_int_equal(seen_of(m, t).flows, FLOWS);
    assert_int_equal(seen_of(m, t).seen, FLOWS - 1);
    wsp_model_free(m);
    wsp_tokens_free(t);
}

static void of_many_flows_a_sample_tells_the_share(void **state)
{
    wsp_tokens *train = make_many(0), *half = make_many(MANY / 2), *other = make_many(2 * MANY);
    wsp_model *m = make_model(), *next = make_model();
    wsp_seen s;

    (void)state;
    learn(m, NULL, train, false);
    assert_int_equal(strlen(wsp_model_meta_get(m, "seen")), 8 * 1025);
    s = seen_of(m, train);
    assert_true(s.flows == 1024 && s.seen == 1024);
    s = seen_of(m, half);
    assert_in_range(s.flows, 900, 1150);
    assert_in_range(100 * s.seen / s.flows, 45, 55);
    assert_int_equal(seen_of(m, other).seen, 0);
    learn(next, m, other, false); /* trained on from the first one */
    assert_true(seen_of(next, train).seen == seen_of(next, train).flows);
    assert_true(seen_of(next, other).seen == seen_of(next, other).flows);
    assert_in_range(seen_of(next, other).flows, 400, 624);
    wsp_model_free(m);
    wsp_model_free(next);
    wsp_tokens_free(train);
    wsp_tokens_free(half);
    wsp_tokens_free(other);
}

static void damaged_lists_are_refused(void **state)
{
    static const char *const bad[] = {"",
                                      "0000000",
                                      "0000000g",
                                      "00000001"
                                      "00000002",
                                      "ffffffff"
                                      "00000002"
                                      "00000002",
                                      "FFFFFFFF"};
    wsp_tokens *t = make_set();
    wsp_model *m = make_model();
    wsp_seen s;

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        assert_int_equal(wsp_model_meta_set(m, "seen", bad[i]), WSP_OK);
        assert_int_equal(wsp_seen_of(m, t, &s, NULL), WSP_ERR_FORMAT);
    }
    wsp_model_free(m);
    wsp_tokens_free(t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_model_knows_the_flows_that_it_was_trained_on),
        cmocka_unit_test(of_many_flows_a_sample_tells_the_share),
        cmocka_unit_test(damaged_lists_are_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
