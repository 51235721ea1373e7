/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of what eval is made of: parts of a set, labels joined by name, scores of a model. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/base.h"
#include "sets.h"
#include "task/task_int.h"
#include "token/token_int.h"
#include "wirespeak/score.h"

static wsp_model *model_of(const wsp_head *heads, size_t n)
{
    wsp_model_config cfg;
    wsp_model *m = NULL;

    assert_int_equal(wsp_model_config_named(&cfg, "tiny"), WSP_OK);
    cfg.vocab = wsp_vocab_size();
    cfg.vocab_version = wsp_vocab_version();
    assert_int_equal(wsp_model_new(&m, &cfg, heads, n, 1, NULL), WSP_OK);
    return m;
}

/* Head "first" with the labels a, b, c; head "other", which no set has. */
static wsp_model *make_model(void)
{
    static const char *const labels[] = {"a", "b", "c"};
    const wsp_head heads[] = {
        {.name = "first", .n_labels = 3, .labels = labels, .temperature = 1, .unknown_below = 0.5f},
        {.name = "other", .n_labels = 2, .labels = labels, .temperature = 1}};

    return model_of(heads, 2);
}

static wsp_tokens *select_of(const wsp_tokens *t, const wsp_selection *s)
{
    wsp_tokens *out = NULL;

    assert_int_equal(wsp_tokens_select(&out, t, s, NULL), WSP_OK);
    return out;
}

static void a_part_has_the_chosen_flows_in_the_chosen_order(void **state)
{
    static const uint32_t flows[] = {2, 0};
    wsp_tokens *t = make_set(), *part = select_of(t, &(wsp_selection){.flows = flows, .n = 2});

    (void)state;
    assert_int_equal(part->n_flows, 2);
    assert_int_equal(part->n_packets, 5);
    assert_int_equal(part->flow_off[1], 2);
    assert_memory_equal(part->ids, t->ids + t->packet_off[4], 4 * sizeof *t->ids);
    assert_memory_equal(part->ids + 4, t->ids, 6 * sizeof *t->ids);
    assert_int_equal(part->labels[0][0], 2);
    assert_int_equal(part->labels[0][1], 0);
    assert_string_equal(part->label_names[0][2], "new");
    assert_int_equal(part->n_captures, 2); /* the one without a chosen flow is not there */
    assert_string_equal(part->captures[part->capture[0]], "two");
    assert_int_equal(part->linktype[part->capture[0]], 2);
    assert_string_equal(part->captures[part->capture[1]], "zero");
    wsp_tokens_free(part);
    wsp_tokens_free(t);
}

static void a_part_can_be_the_first_packets_or_what_a_policy_leaves(void **state)
{
    wsp_tokens *t = make_set(), *part = select_of(t, &(wsp_selection){.max_packets = 1});

    (void)state;
    assert_int_equal(part->n_flows, FLOWS);
    assert_int_equal(part->n_packets, FLOWS);
    assert_int_equal(part->ids[2], t->ids[6]); /* the second flow's first token */
    wsp_tokens_free(part);
    t->ids[1] = (uint16_t)wspi_group_base(WSPI_T_KIND); /* of payload */
    part = select_of(t, &(wsp_selection){.policy = "headers-only"});
    assert_int_equal(part->n_packets, t->n_packets);
    assert_in_range(part->n_tokens, t->n_packets, t->n_tokens - 1);
    wsp_tokens_free(part);
    wsp_tokens_free(t);
}

static void flows_and_policies_that_are_not_there_are_refused(void **state)
{
    static const uint32_t flows[] = {FLOWS};
    wsp_tokens *t = make_set(), *part;

    (void)state;
    assert_int_equal(wsp_tokens_select(&part, t, &(wsp_selection){.flows = flows, .n = 1}, NULL),
                     WSP_ERR_ARG);
    assert_null(part);
    assert_int_equal(wsp_tokens_select(&part, t, &(wsp_selection){.policy = "none"}, NULL),
                     WSP_ERR_ARG);
    wsp_tokens_free(t);
}

static void labels_are_joined_by_name_and_others_are_outside(void **state)
{
    wsp_tokens *t = make_set();
    wsp_model *m = make_model();
    int32_t label[FLOWS];

    (void)state;
    assert_int_equal(wsp_match_labels(m, 0, t, label), 2);
    assert_int_equal(label[0], 2);
    assert_int_equal(label[1], 0);
    assert_int_equal(label[2], WSP_OUTSIDE);
    assert_int_equal(label[3], WSP_UNLABELLED);
    assert_int_equal(wsp_match_labels(m, 1, t, label), 0);
    assert_int_equal(label[0], WSP_UNLABELLED);
    wsp_model_free(m);
    wsp_tokens_free(t);
}

static void only_heads_that_have_labels_are_scored(void **state)
{
    wsp_tokens *t = make_set();
    wsp_model *m = make_model();
    wsp_metrics *score[2];

    (void)state;
    assert_int_equal(wsp_score(m, t, NULL, score, NULL), WSP_OK);
    assert_non_null(score[0]);
    assert_null(score[1]);
    assert_int_equal(score[0]->flows, 2);
    assert_int_equal(score[0]->outside, 1);
    assert_int_equal(score[0]->classes, 2);
    wsp_metrics_free(score[0]);
    t->labels[0][0] = t->labels[0][1] = -1;
    assert_int_equal(wsp_score(m, t, NULL, score, NULL), WSP_ERR_ARG);
    wsp_model_free(m);
    wsp_tokens_free(t);
}

/* Odds of the head's three labels by its bias alone: 8 : 1 : 1. */
static void set_bias(wsp_model *m)
{
    for (size_t i = 0; i < wsp_model_tensor_count(m); i++) {
        wsp_tensor t = wsp_model_tensor(m, i);
        if (strncmp(t.name, "head.0.", 7) != 0 && strncmp(t.name, "head.first.", 11) != 0)
            continue;
        memset(t.data, 0, t.count * sizeof *t.data);
        if (t.rank == 1)
            t.data[0] = logf(8);
    }
}

/* Two captures: of one all three flows are right (and say nothing), of the other none is. */
static wsp_tokens *make_lopsided_set(void)
{
    static const int32_t labels[FLOWS] = {1, 1, 1, 0}; /* a, a, a, c */
    wsp_tokens *t = make_set();

    memcpy(t->labels[0], labels, sizeof labels);
    t->capture[2] = 0;
    t->capture[3] = 1;
    return t;
}

static void every_capture_counts_the_same_in_the_temperature(void **state)
{
    wsp_tokens *t = make_lopsided_set();
    wsp_model *m = make_model();
    wsp_calibration c[2];
    wsp_metrics *score[2];

    (void)state;
    set_bias(m);
    assert_int_equal(wsp_calibrate(m, t, 0.95, c, NULL), WSP_OK);
    assert_int_equal(c[0].flows, 4);
    assert_int_equal(c[1].flows, 0);
    /* half of the captures right: p(a) = 1/2, so 8^(1/T) = 2; by flows it would be 3/4 */
    assert_float_equal(c[0].temperature, 3, 1e-3);
    assert_float_equal(c[0].unknown_below, 0.5, 1e-4);
    assert_float_equal(wsp_model_head(m, 0)->temperature, 3, 1e-3);
    assert_float_equal(wsp_model_head(m, 1)->temperature, 1, 0);
    assert_int_equal(wsp_score(m, t, NULL, score, NULL), WSP_OK);
    assert_float_equal(score[0]->unknown.coverage, 1, 0);
    wsp_metrics_free(score[0]);
    assert_int_equal(wsp_calibrate(m, t, 0.95, c, NULL), WSP_OK); /* fitted again: the same */
    assert_float_equal(c[0].temperature, 3, 1e-3);
    wsp_model_free(m);
    wsp_tokens_free(t);
}

/* Fits the head three times on flows that are all `a`: the temperatures. */
static void fit_again(const wsp_head *head, double temperature[3])
{
    static const int32_t labels[FLOWS] = {1, 1, 1, 1};
    wsp_tokens *t = make_set();
    wsp_model *m = model_of(head, 1);
    wsp_calibration c;

    memcpy(t->labels[0], labels, sizeof labels);
    set_bias(m);
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(wsp_calibrate(m, t, 0.95, &c, NULL), WSP_OK);
        assert_int_equal(c.flows, FLOWS);
        temperature[i] = c.temperature;
    }
    wsp_model_free(m);
    wsp_tokens_free(t);
}

static void a_temperature_has_its_bounds_however_often_it_is_fitted(void **state)
{
    static const char *const labels[] = {"a", "b"};
    wsp_head head = {.name = "first", .n_labels = 2, .labels = labels, .temperature = 1};
    double got[3];

    (void)state;
    fit_again(&head, got); /* all right: the colder the better */
    for (size_t i = 0; i < 3; i++)
        assert_float_equal(got[i], 0.5, 1e-3);
    head.n_labels = 1;
    fit_again(&head, got); /* right at any temperature */
    for (size_t i = 0; i < 3; i++)
        assert_float_equal(got[i], 1, 1e-6);
    head.temperature = 1000; /* of a file that has left them */
    fit_again(&head, got);
    assert_float_equal(got[2], 20, 1e-3);
}

/* ---- whole captures ---- */

static void a_flow_that_says_more_has_more_of_a_vote(void **state)
{
    static const float sure[] = {0.8f, 0.1f, 0.1f}, doubts[] = {0.2f, 0.5f, 0.3f};
    double w[2] = {0}, sum;
    wsp_poll p = {.n_labels = 0};
    float prob[3];

    (void)state;
    for (size_t l = 0; l < 3; l++) {
        w[0] += (double)sure[l] * log(3 * (double)sure[l]);
        w[1] += (double)doubts[l] * log(3 * (double)doubts[l]);
    }
    sum = w[0] + 2 * w[1];
    assert_int_equal(wsp_poll_add(&p, sure, 3, false), WSP_OK);
    assert_int_equal(wsp_poll_add(&p, doubts, 3, false), WSP_OK);
    assert_int_equal(wsp_poll_add(&p, doubts, 3, false), WSP_OK);
    wsp_poll_answer(&p, prob);
    for (size_t l = 0; l < 3; l++)
        assert_float_equal(
            prob[l], (float)((w[0] * (double)sure[l] + 2 * w[1] * (double)doubts[l]) / sum), 1e-5f);
    assert_true(prob[0] > prob[1]); /* though two of three say otherwise */
    assert_int_equal(p.flows, 3);
    assert_int_equal(p.said[0], 1);
    assert_int_equal(p.said[1], 2);
    wsp_poll_clear(&p);
}

static void a_flow_outside_of_the_field_votes_only_among_its_like(void **state)
{
    static const float in[] = {0.6f, 0.4f}, out[] = {0.01f, 0.99f}, nothing[] = {0.5f, 0.5f};
    wsp_poll p = {.n_labels = 0};
    float prob[2];

    (void)state;
    assert_int_equal(wsp_poll_add(&p, out, 2, true), WSP_OK);
    wsp_poll_answer(&p, prob);
    assert_float_equal(prob[1], 0.99f, 1e-6f);
    assert_int_equal(p.votes, 0);
    assert_int_equal(wsp_poll_add(&p, in, 2, false), WSP_OK);
    wsp_poll_answer(&p, prob);
    assert_float_equal(prob[0], 0.6f, 1e-6f);
    assert_int_equal(p.votes, 1);
    assert_int_equal(p.flows, 2);
    wsp_poll_clear(&p);
    assert_int_equal(wsp_poll_add(&p, nothing, 2, false), WSP_OK);
    wsp_poll_answer(&p, prob);
    assert_float_equal(prob[0], 0.5f, 1e-6f);
    wsp_poll_clear(&p);
}

static void captures_are_scored_as_one_and_all_their_flows_vote(void **state)
{
    wsp_tokens *t = make_lopsided_set();
    wsp_model *m = make_model();
    wsp_captures c[2];
    wsp_metrics *score[2];

    (void)state;
    set_bias(m); /* every answer is a */
    t->labels[0][1] = -1;
    assert_int_equal(wsp_score_captures(m, t, NULL, score, c, NULL), WSP_OK);
    assert_null(score[1]);
    assert_int_equal(score[0]->flows, 2); /* captures */
    assert_int_equal(c[0].flows, 4);
    assert_int_equal(c[0].mixed, 0);
    assert_float_equal(score[0]->accuracy, 0.5, 1e-6);
    assert_float_equal(score[0]->label[0].f1, 2. / 3, 1e-6);
    assert_int_equal(score[0]->confusion[2 * 3 + 0], 1); /* c, called a */
    wsp_metrics_free(score[0]);
    wsp_model_free(m);
    wsp_tokens_free(t);
}

static void replies_have_a_row_for_each_flow_or_capture(void **state)
{
    wsp_tokens *t = make_lopsided_set();
    wsp_model *m = make_model();

    (void)state;
    for (int by_capture = 0; by_capture < 2; by_capture++) {
        wsp_replies *r;
        const wsp_answers *a;
        assert_int_equal(wsp_replies_new(&r, m, t, NULL, by_capture, NULL), WSP_OK);
        assert_null(wsp_replies_get(r, 1));
        a = wsp_replies_get(r, 0);
        assert_int_equal(a->n, by_capture ? 2 : t->n_flows); /* the third has no flow */
        for (size_t i = 0; i < a->n; i++)
            assert_int_equal(wsp_replies_capture(r, 0)[i], by_capture ? i : t->capture[i]);
        assert_int_equal(wsp_replies_captures(r, 0).flows, by_capture ? t->n_flows : 0);
        assert_true(wsp_replies_seconds(r) >= 0);
        wsp_replies_free(r);
    }
    wsp_model_free(m);
    wsp_tokens_free(t);
}

static void a_capture_whose_flows_have_different_labels_is_left_out_and_counted(void **state)
{
    wsp_tokens *t = make_lopsided_set();
    wsp_model *m = make_model();
    wsp_captures c[2];
    wsp_metrics *score[2];

    (void)state;
    t->labels[0][1] = 0;
    assert_int_equal(wsp_score_captures(m, t, NULL, score, c, NULL), WSP_OK);
    assert_int_equal(score[0]->flows, 1);
    assert_int_equal(c[0].flows, 1);
    assert_int_equal(c[0].mixed, 1);
    wsp_metrics_free(score[0]);
    t->labels[0][3] = -1; /* no other capture is left */
    assert_int_equal(wsp_score_captures(m, t, NULL, score, c, NULL), WSP_ERR_ARG);
    assert_null(score[0]);
    t->labels[0][0] = t->labels[0][2] = 2; /* "new", from outside, beside one that is known */
    assert_int_equal(wsp_score_captures(m, t, NULL, score, c, NULL), WSP_ERR_ARG);
    wsp_model_free(m);
    wsp_tokens_free(t);
}

/* ---- what a head calls unknown ---- */

static void captures_without_a_label_of_the_head_are_its_background(void **state)
{
    wsp_tokens *t = make_set(); /* captures 0, 0, 2, 0; labels c, a, new and none */
    size_t n = 0;

    (void)state;
    t->labels[0][2] = -1;
    assert_int_equal(wsp_tokens_background(t, "first", &n, NULL), WSP_OK);
    assert_int_equal(n, 1);
    assert_int_equal(t->n_labels[0], 4);
    assert_string_equal(t->label_names[0][3], WSP_UNKNOWN);
    assert_int_equal(t->labels[0][0], 0);
    assert_int_equal(t->labels[0][2], 3);
    assert_int_equal(t->labels[0][3],
                     -1); /* others of its capture have labels: it may be one of those */
    assert_int_equal(t->n_labels[1], 3);
    assert_int_equal(wsp_tokens_background(t, "first", &n, NULL), WSP_OK); /* the same again */
    assert_int_equal(n, 1);
    assert_int_equal(t->n_labels[0], 4);
    t->labels[0][2] = -1;
    free(t->captures[2]);
    t->captures[2] = strdup("zero"); /* another form of the capture that has labels */
    assert_int_equal(wsp_tokens_background(t, "first", &n, NULL), WSP_OK);
    assert_int_equal(n, 0);
    assert_int_equal(t->labels[0][2], -1);
    assert_int_equal(wsp_tokens_background(t, "third", &n, NULL), WSP_ERR_ARG);
    memset(t->labels[1], 0xff, FLOWS * sizeof **t->labels);
    assert_int_equal(wsp_tokens_background(t, "second", &n, NULL), WSP_ERR_ARG);
    assert_int_equal(t->n_labels[1], 3);
    wsp_tokens_free(t);
}

/* Odds of the labels by their biases alone: unknown 4, a 2, c 1, whatever the flow. */
static wsp_model *make_doubtful_model(void)
{
    static const char *const labels[] = {WSP_UNKNOWN, "a", "c"};
    static const float odds[] = {4, 2, 1};
    const wsp_head head = {.name = "first", .n_labels = 3, .labels = labels, .temperature = 1};
    wsp_model *m = model_of(&head, 1);

    assert_int_equal(wsp_model_head(m, 0)->background, 0);
    set_bias(m);
    for (size_t i = 0; i < wsp_model_tensor_count(m); i++) {
        wsp_tensor t = wsp_model_tensor(m, i);
        for (size_t l = 0; strcmp(t.name, "head.0.bias") == 0 && l < 3; l++)
            t.data[l] = logf(odds[l]);
    }
    return m;
}

static void unknown_is_no_answer_but_takes_its_share(void **state)
{
    wsp_tokens *t = make_set();
    wsp_model *m = make_doubtful_model();
    float prob[FLOWS * 3], *probs[] = {prob};
    wsp_early early[FLOWS * 24], *earlies[] = {early};
    const wsp_wanted want = {.prob = probs, .early = earlies};

    (void)state;
    assert_int_equal(wsp_ask(m, t, NULL, &want, NULL, NULL), WSP_OK);
    for (size_t i = 0; i < FLOWS; i++) {
        const wsp_early *last = early + i * 24 + wsp_tokens_packets(t, i) - 1;
        assert_float_equal(prob[i * 3], 0, 0);
        assert_float_equal(prob[i * 3 + 1], 2. / 7, 1e-5);
        assert_float_equal(prob[i * 3 + 2], 1. / 7, 1e-5);
        assert_int_equal(last->label, 1);
        assert_memory_equal(&last->confidence, &prob[i * 3 + 1], sizeof(float)); /* to the bit */
    }
    wsp_model_free(m);
    wsp_tokens_free(t);
}

static void an_answer_is_unknown_by_its_field_its_confidence_or_its_label(void **state)
{
    const wsp_head h = {.n_labels = 3, .unknown_below = 0.7f, .background = 2};
    const wsp_early sure = {.confidence = 0.7f, .label = 1};
    wsp_early outside = sure, doubtful = sure, rest = sure;

    (void)state;
    outside.outside = true;
    doubtful.confidence = 0.69f;
    rest.label = 2;
    for (int own = 0; own < 2; own++) {
        double least = own ? -1 : 0.695;
        assert_false(wsp_is_unknown(&h, sure, least));
        assert_true(wsp_is_unknown(&h, outside, least));
        assert_true(wsp_is_unknown(&h, doubtful, least));
        assert_true(wsp_is_unknown(&h, rest, least));
    }
    assert_false(wsp_is_unknown(&h, doubtful, 0)); /* no threshold at all */
    assert_true(wsp_is_unknown(&h, rest, 0));
    assert_true(wsp_is_unknown(&h, sure, 0.7)); /* 0.7f is a bit less */
}

static void the_likeliest_of_equal_probabilities_is_the_first(void **state)
{
    const wsp_head h = {.n_labels = 4, .background = 0};
    const float prob[2][4] = {{0, 0.25f, 0.5f, 0.5f}, {0, 0, 0, 0}};
    wsp_early said = wsp_likeliest(&h, prob[0], true);

    (void)state;
    assert_int_equal(said.label, 2);
    assert_float_equal(said.confidence, 0.5f, 0);
    assert_true(said.outside);
    said = wsp_likeliest(&h, prob[1], false);
    assert_false(said.outside);
    assert_true(wsp_is_unknown(&h, said, 0)); /* the background has all */
}

static void flows_that_should_be_unknown_are_from_outside(void **state)
{
    wsp_tokens *t = make_set();
    wsp_model *m = make_doubtful_model();
    wsp_metrics *score = NULL;
    int32_t label[FLOWS];

    (void)state;
    t->labels[0][2] = -1;
    assert_int_equal(wsp_tokens_background(t, "first", NULL, NULL), WSP_OK);
    assert_int_equal(wsp_match_labels(m, 0, t, label), 2);
    assert_int_equal(label[2], WSP_OUTSIDE);
    assert_int_equal(wspi_match_taught(m, 0, t, label), 3);
    assert_int_equal(label[2], 0);
    assert_int_equal(wsp_score(m, t, NULL, &score, NULL), WSP_OK);
    assert_int_equal(score->flows, 2);
    assert_int_equal(score->outside, 1);
    assert_float_equal(score->accuracy, 0.5, 1e-9); /* a for c and for a */
    wsp_metrics_free(score);
    wsp_model_free(m);
    wsp_tokens_free(t);
}

static void a_temperature_takes_as_given_that_a_flow_is_known(void **state)
{
    wsp_tokens *t = make_set();
    wsp_model *m = make_doubtful_model();
    wsp_metrics *score = NULL;
    wsp_calibration c;

    (void)state;
    t->labels[0][0] = 0;
    t->labels[0][2] = 1; /* one capture is a, the other half a and half c */
    assert_int_equal(wsp_calibrate(m, t, 1, &c, NULL), WSP_OK);
    assert_int_equal(c.flows, 3);
    /* p(a) = 3/4 of a and c, so 2^(1/T) = 3; of all, where 4^(1/T) is 9, 3/13 */
    assert_float_equal(c.temperature, 0.63093f, 1e-3); /* log 2 / log 3 */
    assert_float_equal(c.unknown_below, 3. / 13, 1e-3);
    assert_int_equal(wsp_score(m, t, NULL, &score, NULL), WSP_OK);
    assert_float_equal(score->ece, 0.08333f, 1e-3); /* 3/4 said, 2/3 right */
    assert_float_equal(score->unknown.coverage, 1, 0);
    wsp_metrics_free(score);
    wsp_model_free(m);
    wsp_tokens_free(t);
}

static void a_temperature_is_not_fitted_on_flows_that_are_wholly_unknown(void **state)
{
    wsp_tokens *t = make_set();
    wsp_model *m = make_doubtful_model();
    wsp_calibration c;

    (void)state;
    for (size_t i = 0; i < wsp_model_tensor_count(m); i++) {
        wsp_tensor bias = wsp_model_tensor(m, i);
        if (strcmp(bias.name, "head.0.bias") == 0)
            bias.data[0] = 300; /* e^-300 is no float: the labels have 0 of 1 */
    }
    assert_int_equal(wsp_calibrate(m, t, 0.95, &c, NULL), WSP_OK);
    assert_int_equal(c.flows, 2);
    assert_float_equal(c.temperature, 1, 1e-9f);
    assert_float_equal(c.unknown_below, 0, 1e-9f);
    wsp_model_free(m);
    wsp_tokens_free(t);
}

/* Sixty times the four flows, of which the least sure one is of captures without a label. */
static wsp_tokens *make_large_set(const wsp_model *m)
{
    enum { TIMES = 60 };
    wsp_tokens *t = make_set(), *set[TIMES], *all = NULL;
    float prob[FLOWS * 3], *probs[] = {prob}, top[FLOWS];
    const wsp_wanted want = {.prob = probs};
    size_t low = 0;

    assert_int_equal(wsp_ask(m, t, NULL, &want, NULL, NULL), WSP_OK);
    for (size_t i = 0; i < FLOWS; i++) {
        top[i] = fmaxf(prob[i * 3 + 1], prob[i * 3 + 2]);
        low = top[i] < top[low] ? i : low;
    }
    for (size_t i = 0; i < FLOWS; i++) {
        t->capture[i] = i == low ? 2 : 0;
        t->labels[0][i] = i == low ? -1 : 1;
        assert_true(i == low || top[i] > top[low]);
    }
    for (size_t i = 0; i < TIMES; i++)
        set[i] = t;
    assert_int_equal(wsp_tokens_join(&all, (const wsp_tokens *const *)set, TIMES, NULL), WSP_OK);
    wsp_tokens_free(t);
    return all;
}

static void a_threshold_is_no_higher_than_what_keeps_the_background_out(void **state)
{
    static const char *const labels[] = {WSP_UNKNOWN, "a", "c"};
    const wsp_head head = {.name = "first", .n_labels = 3, .labels = labels, .temperature = 1};
    wsp_model *m = model_of(&head, 1);
    wsp_tokens *t = make_large_set(m);
    wsp_metrics *score = NULL;
    wsp_calibration before, c;

    (void)state;
    assert_int_equal(wsp_calibrate(m, t, 0.95, &before, NULL),
                     WSP_OK); /* none from outside: what keeps 95 of 100 */
    assert_int_equal(wsp_score(m, t, NULL, &score, NULL), WSP_OK);
    assert_float_equal(score->unknown.coverage, 1, 0); /* a third of them are the least sure */
    wsp_metrics_free(score);
    assert_int_equal(wsp_tokens_background_like(t, m, NULL), WSP_OK);
    assert_int_equal(wsp_calibrate(m, t, 0.95, &c, NULL), WSP_OK);
    assert_true(c.unknown_below < before.unknown_below);
    assert_int_equal(wsp_score(m, t, NULL, &score, NULL), WSP_OK);
    assert_int_equal(score->outside, 60);
    assert_float_equal(score->unknown.coverage, 1, 0);
    assert_float_equal(score->unknown.outside_passed, 0, 0);
    wsp_metrics_free(score);
    wsp_model_free(m);
    wsp_tokens_free(t);
}

static void what_cannot_be_calibrated_is_refused(void **state)
{
    wsp_tokens *t = make_set();
    wsp_model *m = make_model();

    (void)state;
    assert_int_equal(wsp_calibrate(m, t, 1.5, NULL, NULL), WSP_ERR_ARG);
    t->labels[0][0] = t->labels[0][1] = -1;
    assert_int_equal(wsp_calibrate(m, t, 0.95, NULL, NULL), WSP_ERR_ARG);
    wsp_model_free(m);
    wsp_tokens_free(t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_part_has_the_chosen_flows_in_the_chosen_order),
        cmocka_unit_test(a_part_can_be_the_first_packets_or_what_a_policy_leaves),
        cmocka_unit_test(flows_and_policies_that_are_not_there_are_refused),
        cmocka_unit_test(labels_are_joined_by_name_and_others_are_outside),
        cmocka_unit_test(only_heads_that_have_labels_are_scored),
        cmocka_unit_test(every_capture_counts_the_same_in_the_temperature),
        cmocka_unit_test(captures_without_a_label_of_the_head_are_its_background),
        cmocka_unit_test(unknown_is_no_answer_but_takes_its_share),
        cmocka_unit_test(an_answer_is_unknown_by_its_field_its_confidence_or_its_label),
        cmocka_unit_test(the_likeliest_of_equal_probabilities_is_the_first),
        cmocka_unit_test(flows_that_should_be_unknown_are_from_outside),
        cmocka_unit_test(a_temperature_takes_as_given_that_a_flow_is_known),
        cmocka_unit_test(a_temperature_is_not_fitted_on_flows_that_are_wholly_unknown),
        cmocka_unit_test(a_threshold_is_no_higher_than_what_keeps_the_background_out),
        cmocka_unit_test(what_cannot_be_calibrated_is_refused),
        cmocka_unit_test(a_temperature_has_its_bounds_however_often_it_is_fitted),
        cmocka_unit_test(a_flow_that_says_more_has_more_of_a_vote),
        cmocka_unit_test(a_flow_outside_of_the_field_votes_only_among_its_like),
        cmocka_unit_test(captures_are_scored_as_one_and_all_their_flows_vote),
        cmocka_unit_test(replies_have_a_row_for_each_flow_or_capture),
        cmocka_unit_test(a_capture_whose_flows_have_different_labels_is_left_out_and_counted),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
