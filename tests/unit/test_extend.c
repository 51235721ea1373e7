/* SPDX-License-Identifier: Apache-2.0 */
/* test_extend.c: a label more changes nothing else of a model; reference contexts go with its file. */
#include "models.h"

#include <stdio.h>
#include <unistd.h>

static wsp_model *make(uint32_t output_layers)
{
    wsp_model_config cfg;
    wsp_model *m;
    wsp_error err;

    assert_int_equal(wsp_model_config_named(&cfg, "tiny"), WSP_OK);
    cfg.vocab = VOCAB;
    cfg.output_layers = output_layers;
    assert_int_equal(wsp_model_new(&m, &cfg, heads, 2, 3, &err), WSP_OK);
    return m;
}

static void logits_of(const wsp_model *m, const struct data *d, float *letter, float *digit)
{
    float *const out[] = {letter, digit};
    wsp_runner *r;
    wsp_error err;

    assert_int_equal(wsp_runner_new(&r, m, WSP_DTYPE_F32, &err), WSP_OK);
    assert_int_equal(wsp_runner_classify(r, &d->b, NULL, out, &err), WSP_OK);
    wsp_runner_free(r);
}

static void a_label_more_leaves_the_other_logits_as_they_were(void **state)
{
    enum { MOST = MAX_PACKETS };
    static struct data d;
    static float letter[2][MOST * 4], digit[2][MOST * 2];
    wsp_model *m = make(1), *larger;
    size_t C = m->cfg.channels;
    float *w = calloc(C, sizeof *w);
    wsp_error err;

    (void)state;
    data_make(&d, 4, 20, 7);
    d.b.condition = d.condition; /* rows of later conditions must have moved with their labels */
    for (size_t i = 0; i < d.b.n_flows; i++)
        d.condition[i] = i == 0 ? 1 : -1;
    logits_of(m, &d, letter[0], digit[0]);
    for (size_t i = 0; i < C; i++)
        w[i] = 0.01f * (float)i;
    assert_int_equal(wsp_model_add_label(&larger, m, 0, "d", w, 0.5f, &err), WSP_OK);
    assert_int_equal(wsp_model_head(larger, 0)->n_labels, 4);
    assert_string_equal(wsp_model_head(larger, 0)->labels[3], "d");
    logits_of(larger, &d, letter[1], digit[1]);
    for (size_t p = 0; p < d.b.n_packets; p++) {
        for (size_t l = 0; l < 3; l++)
            assert_true(fabsf(letter[0][p * 3 + l] - letter[1][p * 4 + l]) < 1e-6f);
        for (size_t l = 0; l < 2; l++)
            assert_true(fabsf(digit[0][p * 2 + l] - digit[1][p * 2 + l]) < 1e-6f);
    }
    free(w);
    wsp_model_free(larger);
    wsp_model_free(m);
}

/* The condition of a label of a later head is that of the same label, one row further. */
static void conditions_follow_their_labels(void **state)
{
    wsp_model *m = make(0), *larger;
    size_t C = m->cfg.channels;
    float *w = calloc(C, sizeof *w);
    const float *old = m->w + m->at.condition, *new;
    wsp_error err;

    (void)state;
    assert_int_equal(wsp_model_add_label(&larger, m, 0, "d", w, 0, &err), WSP_OK);
    new = larger->w + larger->at.condition;
    assert_memory_equal(new, old, 3 * C * sizeof *old);
    for (size_t i = 0; i < C; i++)
        assert_true(new[3 * C + i] == 0);
    assert_memory_equal(new + 4 * C, old + 3 * C, 2 * C * sizeof *old);
    free(w);
    wsp_model_free(larger);
    wsp_model_free(m);
}

static void a_label_that_is_there_is_refused(void **state)
{
    wsp_model *m = make(0), *larger;
    float *w = calloc(m->cfg.channels, sizeof *w);
    wsp_error err;

    (void)state;
    assert_int_equal(wsp_model_add_label(&larger, m, 0, "b", w, 0, &err), WSP_ERR_ARG);
    assert_null(larger);
    assert_int_equal(wsp_model_add_label(&larger, m, 2, "e", w, 0, &err), WSP_ERR_ARG);
    free(w);
    wsp_model_free(m);
}

static void *slurp(const char *path, size_t *len)
{
    FILE *f = fopen(path, "rb");
    void *p;

    assert_non_null(f);
    assert_int_equal(fseek(f, 0, SEEK_END), 0);
    *len = (size_t)ftell(f);
    rewind(f);
    p = malloc(*len);
    assert_non_null(p);
    assert_int_equal(fread(p, 1, *len, f), *len);
    (void)fclose(f);
    return p;
}

static void references_go_with_the_file(void **state)
{
    char path[] = "/tmp/wsp-extend-XXXXXX";
    wsp_model *m = make(0), *again;
    size_t C = m->cfg.channels, len;
    float *context = calloc(3 * C, sizeof *context);
    const int32_t label[] = {0, -1, 2, 1, -1, 0}, wrong[] = {0, -1, 3, 1, -1, 0};
    wsp_references r;
    wsp_error err;
    uint8_t *bytes;

    (void)state;
    for (size_t i = 0; i < 3 * C; i++)
        context[i] = (float)i - 5;
    assert_int_equal(wsp_model_references_set(m, &(wsp_references){3, context, wrong}, &err),
                     WSP_ERR_ARG);
    assert_int_equal(wsp_model_references_set(m, &(wsp_references){3, context, label}, &err),
                     WSP_OK);
    (void)close(mkstemp(path));
    assert_int_equal(wsp_model_save(m, path, &err), WSP_OK);
    assert_int_equal(wsp_model_load(&again, path, &err), WSP_OK);
    r = wsp_model_references(again);
    assert_int_equal(r.n, 3);
    assert_memory_equal(r.context, context, 3 * C * sizeof *context);
    assert_memory_equal(r.label, label, sizeof label);
    wsp_model_free(again);

    bytes = slurp(path, &len);
    for (size_t i = 0; i < 6; i++) { /* the labels stand last: each becomes one that no head has */
        const float none = 7;
        uint8_t *at = bytes + len - 4 * (i + 1), old[4];
        memcpy(old, at, 4);
        memcpy(at, &none, 4);
        assert_int_equal(wsp_model_load_memory(&again, bytes, len, &err), WSP_ERR_FORMAT);
        memcpy(at, old, 4);
    }
    assert_int_equal(wsp_model_load_memory(&again, bytes, len, &err), WSP_OK);
    wsp_model_free(again);
    free(bytes);
    (void)unlink(path);
    free(context);
    wsp_model_free(m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_label_more_leaves_the_other_logits_as_they_were),
        cmocka_unit_test(conditions_follow_their_labels),
        cmocka_unit_test(a_label_that_is_there_is_refused),
        cmocka_unit_test(references_go_with_the_file),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
