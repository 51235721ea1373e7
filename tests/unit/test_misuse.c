/* SPDX-License-Identifier: Apache-2.0 */
/* test_misuse.c: arguments that make no sense are refused with a status and in words: no call crashes, hangs or goes on with them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "wirespeak/wirespeak.h"

static const char *const labels[] = {"a", "b"};
static char capture[512];
static wsp_tokens *set;
static wsp_model *model;

static void said(wsp_status st, wsp_status wanted, wsp_error *err)
{
    assert_int_equal(st, wanted);
    assert_int_equal(err->status, wanted);
    assert_true(err->text[0] && wsp_is_printable(err->text));
    memset(err, 0xa5, sizeof *err);
}

static void a_head_has_a_calibration_that_files_can_hold(void **state)
{
    (void)state;
    assert_int_equal(wsp_model_head_calibrate(model, 1, 1, 0), WSP_ERR_ARG);
    assert_int_equal(wsp_model_head_calibrate(model, 0, 0, 0), WSP_ERR_ARG);
    assert_int_equal(wsp_model_head_calibrate(model, 0, INFINITY, 0), WSP_ERR_ARG);
    assert_int_equal(wsp_model_head_calibrate(model, 0, 1, NAN), WSP_ERR_ARG);
    assert_int_equal(wsp_model_head_calibrate(model, 0, 1, 0.25f), WSP_OK);
    assert_true(wsp_model_head(model, 0)->unknown_below == 0.25f);
}

static void what_a_model_does_not_have_is_not_there(void **state)
{
    wsp_model_config cfg = *wsp_model_config_get(model);
    wsp_head head = *wsp_model_head(model, 0);
    wsp_runner *r;
    wsp_model *m;
    wsp_error err;

    (void)state;
    assert_null(wsp_model_tensor(model, wsp_model_tensor_count(model)).name);
    assert_null(wsp_model_head(model, 1));
    said(wsp_runner_new(&r, model, (wsp_dtype)7, &err), WSP_ERR_ARG, &err);
    head.name[0] = '\0';
    said(wsp_model_new(&m, &cfg, &head, 1, 1, &err), WSP_ERR_ARG, &err);
    cfg.name[0] = '\xff'; /* it could not be saved */
    said(wsp_model_new(&m, &cfg, NULL, 0, 1, &err), WSP_ERR_ARG, &err);
}

static void options_out_of_their_range_are_refused(void **state)
{
    wsp_generate_options g = wsp_generate_options_default();
    wsp_fit_options f = wsp_fit_options_default();
    wsp_grow_options w = wsp_grow_options_default();
    wsp_deviate_options d = {.rate = NAN, .kinds = 1};
    wsp_deviator *deviator;
    uint64_t packets;
    wsp_model *m;
    wsp_error err;

    (void)state;
    g.flows = 1;
    g.temperature = -1;
    said(wsp_generate(model, &g, NULL, &packets, &err), WSP_ERR_ARG, &err);
    g.temperature = NAN;
    said(wsp_generate(model, &g, NULL, &packets, &err), WSP_ERR_ARG, &err);
    f.config = "tiny";
    f.epochs = NAN;
    said(wsp_fit(&m, set, NULL, &f, &err), WSP_ERR_ARG, &err);
    f.epochs = 1e30;
    said(wsp_fit(&m, set, NULL, &f, &err), WSP_ERR_ARG, &err);
    f.epochs = 1;
    f.batch_tokens = 0;
    said(wsp_fit(&m, set, NULL, &f, &err), WSP_ERR_ARG, &err);
    f.batch_tokens = 100;
    f.checkpoint = "never-written";
    f.checkpoint_every = 0;
    said(wsp_fit(&m, set, NULL, &f, &err), WSP_ERR_ARG, &err);
    w.trees = WSP_MAX_TREES + 1;
    said(wsp_grow(model, set, &w, NULL, &err), WSP_ERR_ARG, &err);
    assert_int_equal(wsp_deviator_new(&deviator, &d), WSP_ERR_ARG);
    d.rate = 1.5;
    assert_int_equal(wsp_deviator_new(&deviator, &d), WSP_ERR_ARG);
}

static void scores_are_of_what_is_there(void **state)
{
    const float none[] = {NAN, 0.5f}, right[] = {0.5f, 0.5f};
    const int32_t label[] = {0};
    wsp_answers a = {.n = 1, .n_labels = 2, .prob = none, .label = label};
    const wsp_baseline b = {.kind = WSP_FOREST, .rounds = 1};
    wsp_replies *r;
    wsp_metrics *m;
    wsp_error err;

    (void)state;
    assert_int_equal(wsp_metrics_new(&m, &a), WSP_ERR_ARG);
    a.prob = right;
    assert_int_equal(wsp_metrics_new(&m, &a), WSP_OK);
    wsp_metrics_free(m);
    said(wsp_baseline_score(model, 1, set, set, &b, NULL, &m, &err), WSP_ERR_ARG, &err);
    assert_int_equal(wsp_replies_new(&r, model, set, NULL, false, NULL), WSP_OK);
    assert_non_null(wsp_replies_get(r, 0));
    assert_null(wsp_replies_get(r, 1));
    assert_null(wsp_replies_capture(r, 1));
    assert_int_equal(wsp_replies_captures(r, 1).flows, 0);
    wsp_replies_free(r);
}

static void a_feed_starts_once_and_says_that_nothing_came(void **state)
{
    const char *const paths[] = {capture};
    wsp_feed_packet p;
    wsp_feed *f;
    wsp_error err;

    (void)state;
    assert_int_equal(wsp_feed_files(&f, paths, 1, NULL, NULL), WSP_OK);
    memset(&err, 0xa5, sizeof err);
    said(wsp_feed_next(f, &p, 1, &err), WSP_ERR_LIMIT, &err);
    assert_int_equal(wsp_feed_start(f, NULL), WSP_OK);
    said(wsp_feed_start(f, &err), WSP_ERR_ARG, &err);
    wsp_feed_free(f);
}

static void texts_that_name_nothing_are_refused(void **state)
{
    wsp_pcap_writer *w;
    wsp_edit e;
    wsp_error err;

    (void)state;
    said(wsp_pcap_writer_open(&w, "", 1, &err), WSP_ERR_IO, &err); /* not when all is written */
    said(wsp_edit_parse("99999999999999999999:ipv4.ttl=1", &e, &err), WSP_ERR_ARG, &err);
}

static int start(void **state)
{
    const char *top = getenv("top_srcdir"), *const paths[] = {capture};
    const wsp_tokenize_options o = {.keep = true};
    const wsp_head head = {.name = "one", .n_labels = 2, .labels = labels, .temperature = 1};
    wsp_tokenize_stats stats;
    wsp_model_config cfg;
    wsp_input *in;
    wsp_status st;

    (void)state;
    (void)snprintf(capture, sizeof capture, "%s/tests/data/ping.pcap", top ? top : ".");
    if (wsp_input_new(&in, paths, 1, NULL, NULL) < 0)
        return -1;
    st = wsp_tokenize(in, &o, &set, &stats, NULL);
    wsp_input_free(in);
    if (st < 0 || wsp_model_config_named(&cfg, "tiny") < 0)
        return -1;
    cfg.vocab = wsp_vocab_size();
    cfg.vocab_version = wsp_vocab_version();
    st = wsp_tokens_label(set, "one", labels, 2, calloc(set->n_flows, sizeof(int32_t)), NULL);
    return st < 0 || wsp_model_new(&model, &cfg, &head, 1, 1, NULL) < 0 ? -1 : 0;
}

static int end(void **state)
{
    (void)state;
    wsp_tokens_free(set);
    wsp_model_free(model);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_head_has_a_calibration_that_files_can_hold),
        cmocka_unit_test(what_a_model_does_not_have_is_not_there),
        cmocka_unit_test(options_out_of_their_range_are_refused),
        cmocka_unit_test(scores_are_of_what_is_there),
        cmocka_unit_test(a_feed_starts_once_and_says_that_nothing_came),
        cmocka_unit_test(texts_that_name_nothing_are_refused),
    };

    return cmocka_run_group_tests(tests, start, end);
}
