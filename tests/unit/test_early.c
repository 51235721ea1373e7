/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of lib/task/classify.c: what a model with trees says of flows that are under way, and in the end. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "task/task_int.h"

enum { WHOLE = 24 };

static wsp_model *shipped(const char *max_packets)
{
    const char *top = getenv("top_srcdir");
    wsp_model *m = NULL;
    char path[4096];

    (void)snprintf(path, sizeof path, "%s/models/flows.safetensors", top ? top : ".");
    assert_int_equal(wsp_model_load(&m, path, NULL), WSP_OK);
    assert_true(wsp_model_forest(m).features > 0);
    if (max_packets)
        assert_int_equal(wsp_model_meta_set(m, "max_packets", max_packets), WSP_OK);
    return m;
}

static wsp_tokens *read_data(void)
{
    static const char *const names[] = {"dns", "http", "ssh", "tls", "snmp"};
    const wsp_tokenize_options how = {.keep = true, .max_packets = 64};
    const char *top = getenv("top_srcdir"), *paths[WSPI_COUNT(names)];
    char path[WSPI_COUNT(names)][4096];
    wsp_tokenize_stats stats;
    wsp_tokens *t = NULL;
    wsp_input *in;

    for (size_t i = 0; i < WSPI_COUNT(names); i++) {
        (void)snprintf(path[i], sizeof path[i], "%s/tests/data/%s.pcap", top ? top : ".", names[i]);
        paths[i] = path[i];
    }
    assert_int_equal(wsp_input_new(&in, paths, WSPI_COUNT(names), NULL, NULL), WSP_OK);
    assert_int_equal(wsp_tokenize(in, &how, &t, &stats, NULL), WSP_OK);
    wsp_input_free(in);
    return t;
}

/* What the first head says of every flow after its first packets (0: in the end), [n_flows][n_labels]. */
static float *ask(const wsp_model *m, const wsp_tokens *t, size_t first)
{
    const wsp_classify_options o = {.dtype = WSP_DTYPE_F32, .threads = 1, .first = first};
    float *prob[WSP_MAX_HEADS] = {
        calloc(t->n_flows * wsp_model_head(m, 0)->n_labels, sizeof(float))};

    assert_int_equal(wsp_classify(m, t, &o, prob, NULL, NULL, NULL), WSP_OK);
    return prob[0];
}

static void assert_says(const wsp_head *h, const float *prob, wsp_early said)
{
    wsp_early is = wsp_likeliest(h, prob, false);

    assert_int_equal(is.label, said.label);
    assert_true(fabsf(is.confidence - said.confidence) < 1e-4f);
}

/* Scores after so many packets are of what is said then: trees count less while others are to come. */
static void the_first_packets_say_what_is_said_after_them(void **state)
{
    wsp_model *m = shipped(NULL);
    wsp_tokens *t = read_data();
    const wsp_head *h = wsp_model_head(m, 0);
    wsp_early *early[WSP_MAX_HEADS] = {calloc(t->n_flows * WHOLE, sizeof(wsp_early))};
    const wsp_wanted want = {.early = early};
    const wsp_classify_options o = {.dtype = WSP_DTYPE_F32, .threads = 1};
    float *end = ask(m, t, 0);
    size_t open = 0, over = 0;

    (void)state;
    assert_int_equal(wsp_ask(m, t, &o, &want, NULL, NULL), WSP_OK);
    for (size_t first = 1; first <= 9; first++) {
        float *prob = ask(m, t, first);
        for (size_t i = 0; i < t->n_flows; i++)
            if (wsp_tokens_packets(t, i) > first) {
                assert_says(h, prob + i * h->n_labels, early[0][i * WHOLE + first - 1]);
                open++;
            } else {
                assert_says(h, prob + i * h->n_labels,
                            wsp_likeliest(h, end + i * h->n_labels, false));
                over++;
            }
        free(prob);
    }
    assert_true(open > 50 && over > 50);
    free(early[0]);
    free(end);
    wsp_tokens_free(t);
    wsp_model_free(m);
}

/* A model that reads no further packet has said its last word. */
static void an_answer_is_final_where_the_model_stops_reading(void **state)
{
    wsp_model *two = shipped("2"), *three = shipped("3");
    wsp_tokens *t = read_data();
    const wsp_head *h = wsp_model_head(two, 0);
    wsp_early *early[WSP_MAX_HEADS] = {calloc(t->n_flows * 2, sizeof(wsp_early))};
    const wsp_wanted want = {.early = early};
    float *a = ask(two, t, 0), *b = ask(three, t, 0);
    size_t n = 0;

    (void)state;
    assert_int_equal(wsp_ask(two, t, NULL, &want, NULL, NULL), WSP_OK);
    for (size_t i = 0; i < t->n_flows; i++) {
        size_t packets = wsp_tokens_packets(t, i);

        if (packets >= 2) /* the last one that is read */
            assert_says(h, a + i * h->n_labels, early[0][i * 2 + 1]);
        if (packets == 2) { /* over for both */
            assert_says(h, a + i * h->n_labels, wsp_likeliest(h, b + i * h->n_labels, false));
            n++;
        }
    }
    assert_true(n > 0);
    free(early[0]);
    free(a);
    free(b);
    wsp_tokens_free(t);
    wsp_model_free(two);
    wsp_model_free(three);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_first_packets_say_what_is_said_after_them),
        cmocka_unit_test(an_answer_is_final_where_the_model_stops_reading),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
