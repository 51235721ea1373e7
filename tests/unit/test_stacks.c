/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of what flows are made of, and of the heads' fields: on captures of tests/data, with a model that was not trained. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/base.h"
#include "task/task_int.h"
#include "wirespeak/generate.h"
#include "wirespeak/live.h"
#include "wirespeak/task.h"

static const char *const labels[] = {"a", "b"};

static wsp_model *make_model(void)
{
    const wsp_head heads[] = {{.name = "one", .n_labels = 2, .labels = labels, .temperature = 1},
                              {.name = "two", .n_labels = 2, .labels = labels, .temperature = 1}};
    wsp_model_config cfg;
    wsp_model *m = NULL;

    assert_int_equal(wsp_model_config_named(&cfg, "tiny"), WSP_OK);
    cfg.vocab = wsp_vocab_size();
    cfg.vocab_version = wsp_vocab_version();
    assert_int_equal(wsp_model_new(&m, &cfg, heads, 2, 1, NULL), WSP_OK);
    return m;
}

/* The flows of captures; all have label 0 of head "one", those of the first capture label 1 of head "two". */
static wsp_tokens *read_filtered(const char *const *names, size_t n, const char *filter)
{
    const char *top = getenv("top_srcdir");
    wsp_tokenize_options how = {.keep = true, .drop_residuals = true};
    wsp_input_options opt = wsp_input_options_default();
    char path[4][1024];
    const char *paths[4];
    wsp_tokenize_stats stats;
    wsp_input *in = NULL;
    wsp_tokens *t = NULL;
    int32_t *two;

    for (size_t i = 0; i < n; i++) {
        (void)snprintf(path[i], sizeof path[i], "%s/tests/data/%s.pcap", top ? top : ".", names[i]);
        paths[i] = path[i];
    }
    opt.filter = filter;
    assert_int_equal(wsp_input_new(&in, paths, n, &opt, NULL), WSP_OK);
    assert_int_equal(wsp_tokenize(in, &how, &t, &stats, NULL), WSP_OK);
    wsp_input_free(in);
    two = wspi_new_array(t->n_flows, sizeof *two);
    for (size_t i = 0; i < t->n_flows; i++)
        two[i] = t->capture[i] == 0 ? 1 : -1;
    assert_int_equal(
        wsp_tokens_label(t, "one", labels, 2, wspi_new_array(t->n_flows, sizeof(int32_t)), NULL),
        WSP_OK);
    assert_int_equal(wsp_tokens_label(t, "two", labels, 2, two, NULL), WSP_OK);
    return t;
}

static wsp_tokens *read_set(const char *const *names, size_t n) /* no ARP, ICMPv6 */
{
    return read_filtered(names, n, "udp port 53 or tcp port 80 or tcp port 22 or tcp port 443");
}

/* How many of the set's flows are outside of the field of each head. */
static void count_outside(const wsp_model *m, const wsp_tokens *t, size_t count[2])
{
    uint32_t *outside = wspi_new_array(t->n_flows, sizeof *outside);
    const wsp_wanted want = {.outside = outside};

    count[0] = count[1] = 0;
    assert_int_equal(wsp_ask(m, t, NULL, &want, NULL, NULL), WSP_OK);
    for (size_t i = 0; i < t->n_flows; i++)
        for (size_t h = 0; h < 2; h++)
            count[h] += outside[i] >> h & 1;
    free(outside);
}

static void a_head_knows_the_protocols_of_its_own_training_flows_alone(void **state)
{
    static const char *const names[] = {"dns", "http"};
    wsp_tokens *t = read_set(names, 2);
    wsp_model *m = make_model();
    size_t outside[2], of_http = 0;
    const char *list;

    (void)state;
    count_outside(m, t, outside); /* the model does not say yet */
    assert_int_equal(outside[0], 0);
    assert_int_equal(outside[1], 0);
    assert_int_equal(wsp_stacks_learn(m, t, NULL), WSP_OK);
    list = wsp_model_meta_get(m, "stacks");
    assert_non_null(strstr(list, "\"udp+dns\""));
    assert_non_null(strstr(list, "\"tcp+http\""));
    assert_null(strstr(strstr(list, "\"two\""), "tcp+http"));
    for (size_t i = 0; i < t->n_flows; i++)
        of_http += t->capture[i] == 1;
    count_outside(m, t, outside);
    assert_true(of_http >= 2);
    assert_int_equal(outside[0], 0);
    assert_int_equal(outside[1], of_http);
    wsp_model_free(m);
    wsp_tokens_free(t);
}

static void a_background_makes_no_protocol_known(void **state)
{
    static const char *const names[] = {"dns", "http"};
    wsp_tokens *t = read_set(names, 2);
    wsp_model *m = make_model();
    size_t outside[2], background = 0;

    (void)state;
    assert_int_equal(wsp_tokens_background(t, "two", &background, NULL), WSP_OK);
    assert_true(background >= 2);
    assert_int_equal(wsp_stacks_learn(m, t, NULL), WSP_OK);
    count_outside(m, t, outside);
    assert_int_equal(outside[1], background);
    wsp_model_free(m);
    wsp_tokens_free(t);
}

static void what_was_seen_once_is_not_known(void **state)
{
    static const char *const names[] = {"ssh", "dns"};
    wsp_tokens *t = read_set(names, 2);
    wsp_model *m = make_model();
    size_t outside[2], ssh = 0;

    (void)state;
    for (size_t i = 0; i < t->n_flows; i++)
        ssh += t->capture[i] == 0;
    assert_int_equal(ssh, 1);
    assert_int_equal(wsp_stacks_learn(m, t, NULL), WSP_OK);
    count_outside(m, t, outside);
    assert_int_equal(outside[0], 1);
    assert_int_equal(outside[1], t->n_flows);
    wsp_model_free(m);
    wsp_tokens_free(t);
}

/* Of three flows of HTTP, all of which have a label, and seven attempts to connect, of which so many have one: how many are outside? */
static size_t silent_outside(size_t labelled)
{
    static const char *const names[] = {"http", "redis"};
    wsp_tokens *t = read_filtered(names, 2, "tcp port 80 or tcp[13] & 2 != 0");
    wsp_model *m = make_model();
    size_t outside[2], silent = 0;

    for (size_t i = 0; i < t->n_flows; i++)
        if (t->capture[i] == 1 && silent++ < labelled)
            t->labels[1][i] = 0;
    assert_int_equal(silent, 7);
    assert_int_equal(wsp_stacks_learn(m, t, NULL), WSP_OK);
    count_outside(m, t, outside);
    assert_int_equal(outside[0], 0); /* all of them have a label of the other head */
    assert_int_equal(strstr(wsp_model_meta_get(m, "stacks"), "\"tcp+silent\"") != NULL, 1);
    wsp_model_free(m);
    wsp_tokens_free(t);
    return outside[1];
}

static void tcp_that_says_nothing_is_known_where_labels_are_of_that(void **state)
{
    (void)state;
    assert_int_equal(silent_outside(0), 7);
    assert_int_equal(silent_outside(3), 7); /* a DPI that goes by ports */
    assert_int_equal(silent_outside(4), 0); /* scans */
}

static void the_view_decides_what_a_flow_is_made_of(void **state)
{
    static const char *const names[] = {"dns", "http"}, *const other[] = {"tls"};
    wsp_tokens *t = read_set(names, 2), *tls = read_set(other, 1);
    wsp_model *m = make_model();
    size_t outside[2];

    (void)state;
    assert_int_equal(wsp_stacks_learn(m, t, NULL), WSP_OK);
    count_outside(m, tls, outside);
    assert_int_equal(outside[0], tls->n_flows);
    assert_int_equal(wsp_model_meta_set(m, "policy", "headers-only"), WSP_OK);
    assert_int_equal(wsp_stacks_learn(m, t, NULL), WSP_OK);
    count_outside(m, tls, outside); /* TCP as that of HTTP */
    assert_int_equal(outside[0], 0);
    assert_int_equal(outside[1], tls->n_flows);
    wsp_model_free(m);
    wsp_tokens_free(tls);
    wsp_tokens_free(t);
}

static void decisions_packet_by_packet_end_with_that_of_the_flow(void **state)
{
    static const char *const names[] = {"http"};
    wsp_tokens *t = read_set(names, 1);
    wsp_model *m = make_model();
    size_t P = wsp_view_options_of(m).max_packets;
    float *prob[2] = {wspi_new_floats(2 * t->n_flows), NULL};
    wsp_early *early[2] = {wspi_new_array(t->n_flows * P, sizeof(wsp_early)), NULL};
    uint32_t *packets = wspi_new_array(t->n_flows, sizeof *packets);
    float *surprise = wspi_new_floats(t->n_flows);
    const wsp_wanted want = {
        .prob = prob, .early = early, .packets = packets, .surprise = surprise};

    (void)state;
    assert_int_equal(wsp_stacks_learn(m, t, NULL), WSP_OK);
    assert_int_equal(wsp_ask(m, t, NULL, &want, NULL, NULL), WSP_OK);
    for (size_t i = 0; i < t->n_flows; i++) {
        wsp_early last = early[0][i * P + packets[i] - 1];
        assert_true(packets[i] > 3);
        assert_float_equal(last.confidence, prob[0][2 * i + last.label], 1e-6);
        assert_true(last.confidence >= 0.5f);
        assert_true(early[0][i * P].outside); /* a SYN is not HTTP yet */
        assert_false(last.outside);
        assert_true(surprise[i] > 1 && surprise[i] < 10000);
    }
    free(prob[0]);
    free(early[0]);
    free(packets);
    free(surprise);
    wsp_model_free(m);
    wsp_tokens_free(t);
}

static void a_damaged_list_is_refused(void **state)
{
    static const char *const bad[] = {"",
                                      "[]",
                                      "{\"one\":1}",
                                      "{\"one\":[1]}",
                                      "{\"one\":[\"tcp+nonsense\"]}",
                                      "{\"one\":[\"+\"]}",
                                      "{\"one\":[\"\"],",
                                      "{\"one\":[\"tcp++dns\"]}",
                                      "{\"one\":[\"silent\"]}",
                                      "{\"one\":[\"udp+silent\"]}",
                                      "{\"one\":[\"tcp+silent+tls\"]}"};
    wsp_model *m = make_model();
    wsp_stacks *s = NULL;
    wsp_error err;

    (void)state;
    for (size_t i = 0; i < WSPI_COUNT(bad); i++) {
        assert_int_equal(wsp_model_meta_set(m, "stacks", bad[i]), WSP_OK);
        assert_int_equal(wsp_stacks_new(&s, m, &err), WSP_ERR_FORMAT);
        assert_null(s);
    }
    assert_int_equal(
        wsp_model_meta_set(m, "stacks", "{\"one\":[\"none\",\"tcp+tls\"],\"far\":[\"tcp\"]}"),
        WSP_OK);
    assert_int_equal(wsp_stacks_new(&s, m, &err), WSP_OK);
    assert_false(wsp_stacks_know(s, 0, &(wsp_stack){.layers = {1}}));
    assert_true(wsp_stacks_know(s, 0, &(wsp_stack){.layers = {0}}));
    assert_true(wsp_stacks_know(s, 1, &(wsp_stack){.layers = {1}}));
    wsp_stacks_free(s);
    wsp_model_free(m);
}

/* ---- what a file may say ---- */

static void a_file_cannot_ask_for_any_amount_of_room(void **state)
{
    static const struct {
        const char *text;
        size_t read;
    } row[] = {{"32", 32},
               {"4096", 4096},
               {"4097", 4096},
               {"4294967296", 4096}, /* 0 in 32 bits */
               {"2305843009213693952", 4096},
               {"99999999999999999999999", 4096},
               {"-1", 4096},
               {"0", 24},
               {"", 24},
               {"many", 24}};
    wsp_model *m = make_model();

    (void)state;
    for (size_t i = 0; i < WSPI_COUNT(row); i++) {
        assert_int_equal(wsp_model_meta_set(m, "max_packets", row[i].text), WSP_OK);
        assert_int_equal(wsp_model_meta_set(m, "max_payload", row[i].text), WSP_OK);
        assert_int_equal(wsp_view_options_of(m).max_packets, row[i].read);
        assert_int_equal(wsp_view_options_of(m).max_payload, row[i].read);
    }
    wsp_model_free(m);
}

static void refused_everywhere(const wsp_model *m, const wsp_tokens *t)
{
    wsp_generate_options how = wsp_generate_options_default();
    uint32_t *packets = wspi_new_array(t->n_flows, sizeof *packets);
    wsp_tagger *tagger = NULL;
    wsp_error err;
    uint64_t n;

    how.flows = 1;
    assert_int_equal(wsp_ask(m, t, NULL, &(wsp_wanted){.packets = packets}, NULL, &err),
                     WSP_ERR_UNSUPPORTED);
    assert_int_equal(wsp_tagger_new(&tagger, m, NULL, &err), WSP_ERR_UNSUPPORTED);
    assert_null(tagger);
    assert_int_equal(wsp_generate(m, &how, NULL, &n, &err), WSP_ERR_UNSUPPORTED);
    free(packets);
}

/* A file may claim our vocabulary and have more tokens, or fewer, than it. */
static void a_model_of_another_number_of_tokens_is_refused(void **state)
{
    static const char *const names[] = {"http"};
    const wsp_head head = {.name = "one", .n_labels = 2, .labels = labels, .temperature = 1};
    const uint32_t size = (uint32_t)wsp_vocab_size(), vocab[] = {500, size - 1, size + 1};
    wsp_tokens *t = read_set(names, 1);

    (void)state;
    for (size_t i = 0; i < WSPI_COUNT(vocab); i++) {
        wsp_model_config cfg;
        wsp_model *m;

        assert_int_equal(wsp_model_config_named(&cfg, "tiny"), WSP_OK);
        cfg.vocab = vocab[i];
        cfg.vocab_version = wsp_vocab_version();
        assert_int_equal(wsp_model_new(&m, &cfg, &head, 1, 1, NULL), WSP_OK);
        refused_everywhere(m, t);
        wsp_model_free(m);
    }
    wsp_tokens_free(t);
}

static void on_record(void *arg, const wsp_tag_record *r)
{
    size_t *n = arg;

    for (size_t i = 0; i < r->n_answers; i++)
        assert_true(r->answers[i].confidence >= 0 && r->answers[i].confidence <= 1);
    *n += r->n_answers;
}

static size_t tag_one_packet(const wsp_model *m)
{
    const uint8_t bytes[60] = {2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 8, 6};
    const wsp_frame f = {.time_ns = 1, .caplen = 60, .wirelen = 60, .data = bytes};
    wsp_tag_options o = wsp_tag_options_default();
    wsp_tagger *t;
    size_t n = 0;

    o.record = on_record;
    o.arg = &n;
    assert_int_equal(wsp_tagger_new(&t, m, &o, NULL), WSP_OK);
    assert_int_equal(wsp_tagger_push(t, 0, 1, &f, NULL), WSP_OK);
    assert_int_equal(wsp_tagger_flush(t, NULL), WSP_OK);
    wsp_tagger_free(t);
    return n;
}

/* Weights that a file may have, whose products are no numbers: answers still are. */
static void confidences_are_numbers_whatever_the_weights(void **state)
{
    static const char *const names[] = {"http"};
    wsp_tokens *t = read_set(names, 1);
    wsp_model *m = make_model();
    size_t P = wsp_view_options_of(m).max_packets;
    float *prob[2] = {wspi_new_floats(2 * t->n_flows), NULL};
    wsp_early *early[2] = {wspi_new_array(t->n_flows * P, sizeof(wsp_early)), NULL};

    (void)state;
    for (size_t i = 0; i < wsp_model_tensor_count(m); i++)
        for (size_t k = 0; k < wsp_model_tensor(m, i).count; k++)
            wsp_model_tensor(m, i).data[k] = 3e38f;
    assert_int_equal(wsp_ask(m, t, NULL, &(wsp_wanted){.prob = prob, .early = early}, NULL, NULL),
                     WSP_OK);
    for (size_t i = 0; i < 2 * t->n_flows; i++)
        assert_true(prob[0][i] >= 0 && prob[0][i] <= 1);
    for (size_t i = 0; i < t->n_flows * P; i++)
        assert_true(early[0][i].confidence >= 0 && early[0][i].confidence <= 1);
    assert_int_equal(tag_one_packet(m), 1);
    free(prob[0]);
    free(early[0]);
    wsp_model_free(m);
    wsp_tokens_free(t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_head_knows_the_protocols_of_its_own_training_flows_alone),
        cmocka_unit_test(a_background_makes_no_protocol_known),
        cmocka_unit_test(what_was_seen_once_is_not_known),
        cmocka_unit_test(tcp_that_says_nothing_is_known_where_labels_are_of_that),
        cmocka_unit_test(the_view_decides_what_a_flow_is_made_of),
        cmocka_unit_test(decisions_packet_by_packet_end_with_that_of_the_flow),
        cmocka_unit_test(a_damaged_list_is_refused),
        cmocka_unit_test(a_file_cannot_ask_for_any_amount_of_room),
        cmocka_unit_test(a_model_of_another_number_of_tokens_is_refused),
        cmocka_unit_test(confidences_are_numbers_whatever_the_weights),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
