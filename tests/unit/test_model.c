/* SPDX-License-Identifier: Apache-2.0 */
/* test_model.c: the whole model: gradients, files, training. */
#include "models.h"

#include <stdio.h>
#include <unistd.h>

#include "model/train_int.h"

static wsp_trainer *trainer_make(wsp_model *m, unsigned threads, float dropout)
{
    wsp_train_options o = wsp_train_options_default();
    wsp_trainer *t;

    o.threads = threads;
    o.dtype = WSP_DTYPE_F32;
    o.dropout = dropout;
    o.label_smoothing = 0.1f;
    o.warmup = 5;
    o.steps = 200;
    o.lr = 5e-3f;
    assert_int_equal(wsp_trainer_new(&t, m, &o, NULL), WSP_OK);
    return t;
}

static void check_model(bool ranges)
{
    static struct data d;
    wsp_model *m = model_make_of(5, 1, ranges);
    wsp_trainer *t = trainer_make(m, 1, 0);
    const float weight[] = {0.5f, 2.0f, 1.5f};
    wspi_rng rng;

    wspi_rng_seed(&rng, 9);
    data_make(&d, 9, 12, 2);
    assert_int_equal(wsp_trainer_label_weights(t, 0, weight, NULL), WSP_OK);
    for (size_t i = 0; i < wsp_model_parameters(m); i++) /* away from symmetric starts */
        m->w[i] += (float)(0.1 * wspi_rng_normal(&rng));
    assert_int_equal(wsp_trainer_accumulate(t, &d.b, NULL, NULL), WSP_OK);
    for (size_t i = 0; i < wsp_model_tensor_count(m); i++)
        check_slope(t, &d.b, wsp_model_tensor(m, i), &rng);
    wsp_trainer_free(t);
    assert_null(wsp_model_tensor(m, 0).grad);
    wsp_model_free(m);
}

static void every_tensor_has_the_right_gradient(void **state)
{
    (void)state;
    check_model(false);
    check_model(true);
}

static void *slurp(const char *path, size_t *len)
{
    void *p;

    assert_int_equal(wspi_read_file(&p, len, path, NULL), WSP_OK);
    return p;
}

static void saved_models_load_and_save_to_the_same_bytes(void **state)
{
    wsp_model *m = model_make_of(16, 8, true), *n;
    size_t a_len, b_len;
    void *a, *b;

    (void)state;
    assert_int_equal(wsp_model_meta_set(m, "card", "\"quotes\" and \xc3\xa4"), WSP_OK);
    assert_int_equal(wsp_model_meta_set(m, "config", "x"), WSP_ERR_ARG);
    assert_int_equal(wsp_model_save(m, "test_model_a.safetensors", NULL), WSP_OK);
    assert_int_equal(wsp_model_load(&n, "test_model_a.safetensors", NULL), WSP_OK);
    assert_int_equal(wsp_model_save(n, "test_model_b.safetensors", NULL), WSP_OK);
    a = slurp("test_model_a.safetensors", &a_len);
    b = slurp("test_model_b.safetensors", &b_len);
    assert_int_equal(a_len, b_len);
    assert_memory_equal(a, b, a_len);
    assert_string_equal(wsp_model_meta_get(n, "card"), "\"quotes\" and \xc3\xa4");
    assert_string_equal(wsp_model_head(n, 1)->labels[1], "1");
    assert_true(wsp_model_head(n, 0)->temperature == 1.25f);
    assert_true(wsp_model_config_get(n)->vocab_version == 0x123456789abcdef0u);
    assert_int_equal(wsp_model_config_get(n)->ranges, 5);
    assert_int_equal(wsp_model_config_get(n)->range_first[4], 31);
    free(a);
    free(b);
    wsp_model_free(m);
    wsp_model_free(n);
    (void)unlink("test_model_a.safetensors");
    (void)unlink("test_model_b.safetensors");
}

static void corrupt_files_are_refused(void **state)
{
    static const char *const header[] = {
        "",
        "[]",
        "{",
        "{\"a\":1}",
        "{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,8]}}",
        "{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]},"
        "\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]}}",
        "{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]},"
        "\"b\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[4,8]}}",
        "{\"a\":{\"dtype\":\"F32\",\"shape\":[4611686018427387905],\"data_offsets\":[0,4]}}",
        "{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[4,8]}}",
        "{\"a\":{\"dtype\":\"F32\",\"shape\":[-1],\"data_offsets\":[8,4]}}",
        "{\"__metadata__\":{\"format\":1},\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":["
        "0,8]}}",
        "{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]}}",
    };
    wsp_model *m = model_make(16, 8), *n;
    uint8_t *p, file[1024];
    size_t len;

    (void)state;
    for (size_t i = 0; i < WSPI_COUNT(header); i++) {
        size_t k = strlen(header[i]);
        memset(file, 0, sizeof file);
        file[0] = (uint8_t)k;
        file[1] = (uint8_t)(k >> 8);
        memcpy(file + 8, header[i], k);
        assert_int_equal(wsp_model_load_memory(&n, file, 16 + k, NULL), WSP_ERR_FORMAT);
        assert_null(n);
    }
    assert_int_equal(wsp_model_save(m, "test_model_c.safetensors", NULL), WSP_OK);
    p = slurp("test_model_c.safetensors", &len);
    for (size_t i = 0; i < len; i += i < 64 ? 1 : 997) /* every kind of truncation */
        assert_int_equal(wsp_model_load_memory(&n, p, i, NULL), WSP_ERR_FORMAT);
    memset(p + len - 4, 0xff, 4); /* not a number */
    assert_int_equal(wsp_model_load_memory(&n, p, len, NULL), WSP_ERR_FORMAT);
    free(p);
    (void)unlink("test_model_c.safetensors");
    wsp_model_free(m);
}

/* Ranges ascend from token 0 and hold at least one token each. */
static void wrong_ranges_are_refused(void **state)
{
    static const uint16_t wrong[][3] = {{1, 2, 3}, {0, 5, 5}, {0, 6, 5}, {0, 5, VOCAB}};
    static const char *const text[] = {"[1,2,3,20,31]",
                                       "[0,2,2,20,31]",
                                       "[0,2,1,20,31]",
                                       "[0,1,2,20,50]",
                                       "[0,1,2,20,-1]",
                                       "[]",
                                       "7"};
    const char *const right = "[0,1,2,20,31]";
    wsp_model *m = model_make_of(16, 1, true), *n;
    wsp_model_config cfg = m->cfg;
    wsp_error err;
    size_t len;
    char *file, *at;

    (void)state;
    for (size_t i = 0; i < WSPI_COUNT(wrong); i++) {
        cfg.ranges = 3;
        memcpy(cfg.range_first, wrong[i], sizeof wrong[i]);
        assert_int_equal(wsp_model_new(&n, &cfg, heads, 2, 1, NULL), WSP_ERR_ARG);
    }
    cfg.ranges = WSP_MAX_RANGES + 1;
    assert_int_equal(wsp_model_new(&n, &cfg, heads, 2, 1, NULL), WSP_ERR_ARG);
    assert_int_equal(wsp_model_save(m, "test_model_r.safetensors", NULL), WSP_OK);
    file = slurp("test_model_r.safetensors", &len);
    at = memmem(file, len, right, strlen(right));
    assert_non_null(at);
    for (size_t i = 0; i < WSPI_COUNT(text); i++) {
        memset(at, ' ', strlen(right));
        memcpy(at, text[i], strlen(text[i]));
        assert_int_equal(wsp_model_load_memory(&n, file, len, &err), WSP_ERR_FORMAT);
        assert_int_equal(err.status, WSP_ERR_FORMAT);
    }
    memcpy(at, right, strlen(right));
    assert_int_equal(wsp_model_load_memory(&n, file, len, NULL), WSP_OK);
    wsp_model_free(n);
    free(file);
    (void)unlink("test_model_r.safetensors");
    wsp_model_free(m);
}

/* A few megabytes of weights may ask for a state of gigabytes. */
static void a_state_that_no_flow_can_have_is_refused(void **state)
{
    wsp_model *m = model_make(16, 1), *n;
    wsp_model_config cfg = m->cfg;

    (void)state;
    cfg.conv = 1;
    cfg.channels = cfg.heads = 1;
    cfg.flow_layers = 2;
    cfg.flow_heads = 2;
    cfg.flow_dk = cfg.flow_dv = 256;
    assert_int_equal(wsp_model_new(&n, &cfg, heads, 2, 1, NULL), WSP_OK);
    assert_int_equal(wsp_state_size(n), sizeof(float) << 18);
    wsp_model_free(n);
    cfg.flow_dv++;
    assert_int_equal(wsp_model_new(&n, &cfg, heads, 2, 1, NULL), WSP_ERR_ARG);
    wsp_model_free(m);
}

static void train(wsp_trainer *t, const struct data *d, size_t steps)
{
    while (steps-- > 0) {
        assert_int_equal(wsp_trainer_accumulate(t, &d[steps % 2].b, NULL, NULL), WSP_OK);
        assert_int_equal(wsp_trainer_update(t, NULL, NULL), WSP_OK);
    }
}

static void one_thread_trains_to_the_same_bits_and_resumes_exactly(void **state)
{
    static struct data d[2];
    wsp_model *a = model_make(16, 1), *b = model_make(16, 1), *c = model_make(16, 99);
    wsp_trainer *ta = trainer_make(a, 1, 0.1f), *tb = trainer_make(b, 1, 0.1f),
                *tc = trainer_make(c, 1, 0.1f);
    size_t size = wsp_model_parameters(a) * sizeof(float), len;
    void *extra;

    (void)state;
    data_make(&d[0], 8, 9, 1);
    data_make(&d[1], 8, 9, 2);
    train(ta, d, 8);
    train(tb, d, 4);
    assert_int_equal(wsp_trainer_save(tb, "test_model_d.safetensors", "position", 8, NULL), WSP_OK);
    assert_int_equal(wsp_trainer_load(tc, "test_model_d.safetensors", &extra, &len, NULL), WSP_OK);
    assert_int_equal(len, 8);
    assert_memory_equal(extra, "position", 8);
    assert_int_equal(wsp_trainer_step_count(tc), 4);
    train(tb, d, 4);
    train(tc, d, 4);
    assert_memory_equal(a->w, b->w, size);
    assert_memory_equal(a->w, c->w, size);
    free(extra);
    (void)unlink("test_model_d.safetensors");
    wsp_trainer_free(ta);
    wsp_trainer_free(tb);
    wsp_trainer_free(tc);
    wsp_model_free(a);
    wsp_model_free(b);
    wsp_model_free(c);
}

static void three_threads_give_the_gradient_of_one(void **state)
{
    static struct data d;
    wsp_model *a = model_make_of(16, 1, true), *b = model_make_of(16, 1, true);
    wsp_trainer *ta = trainer_make(a, 1, 0), *tb = trainer_make(b, 3, 0);
    wsp_train_stats sa, sb;

    (void)state;
    data_make(&d, 11, 9, 1);
    assert_int_equal(wsp_trainer_accumulate(ta, &d.b, &sa, NULL), WSP_OK);
    assert_int_equal(wsp_trainer_accumulate(tb, &d.b, &sb, NULL), WSP_OK);
    assert_near(b->grad, a->grad, wsp_model_parameters(a), 2e-5);
    assert_true(fabs(sa.loss - sb.loss) < 1e-5);
    assert_int_equal(sa.heads.right, sb.heads.right);
    wsp_trainer_free(ta);
    wsp_trainer_free(tb);
    wsp_model_free(a);
    wsp_model_free(b);
}

static void labels_count_as_much_as_their_weights_say(void **state)
{
    static struct data d;
    const float doubled[] = {2, 2, 2}, nothing[] = {0, 0, 0};
    wsp_model *m = model_make(16, 1);
    wsp_trainer *t = trainer_make(m, 1, 0);
    wsp_train_stats plain, twice, none, again;

    (void)state;
    data_make(&d, 11, 9, 1);
    assert_int_equal(wsp_trainer_label_weights(t, 1, nothing, NULL), WSP_OK); /* head 0 alone */
    assert_int_equal(wsp_trainer_evaluate(t, &d.b, &plain, NULL), WSP_OK);
    assert_int_equal(wsp_trainer_label_weights(t, 0, doubled, NULL), WSP_OK);
    assert_int_equal(wsp_trainer_evaluate(t, &d.b, &twice, NULL), WSP_OK);
    assert_int_equal(wsp_trainer_label_weights(t, 0, nothing, NULL), WSP_OK);
    assert_int_equal(wsp_trainer_evaluate(t, &d.b, &none, NULL), WSP_OK);
    assert_int_equal(wsp_trainer_label_weights(t, 0, NULL, NULL), WSP_OK);
    assert_int_equal(wsp_trainer_evaluate(t, &d.b, &again, NULL), WSP_OK);
    assert_true(plain.heads.loss > 0.01);
    assert_true(fabs(twice.heads.loss - 2 * plain.heads.loss) < 1e-5);
    assert_true(fabs(none.heads.loss) < 1e-9 && fabs(again.heads.loss - plain.heads.loss) < 1e-9);
    assert_int_equal(wsp_trainer_label_weights(t, 2, NULL, NULL), WSP_ERR_ARG);
    wsp_trainer_free(t);
    wsp_model_free(m);
}

static void a_tiny_model_learns_a_toy_set_by_heart(void **state)
{
    static struct data d;
    wsp_model *m = model_make(16, 1);
    wsp_trainer *t = trainer_make(m, 2, 0);
    wsp_train_stats s;

    (void)state;
    data_make(&d, 6, 3, 1);
    for (size_t i = 0; i < 6; i++)
        d.condition[i] = -1;
    for (size_t i = 0; i < 150; i++) {
        assert_int_equal(wsp_trainer_accumulate(t, &d.b, &s, NULL), WSP_OK);
        assert_int_equal(wsp_trainer_update(t, &s, NULL), WSP_OK);
    }
    assert_int_equal(wsp_trainer_evaluate(t, &d.b, &s, NULL), WSP_OK);
    print_message("nats per token %.3f, head loss %.3f, right %zu of %zu\n", s.lm_nats_per_token,
                  s.heads.loss, s.heads.right, s.heads.seen);
    assert_true(s.lm_nats_per_token < 0.6);
    assert_int_equal(s.heads.right, s.heads.seen);
    wsp_trainer_free(t);
    wsp_model_free(m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_tensor_has_the_right_gradient),
        cmocka_unit_test(saved_models_load_and_save_to_the_same_bytes),
        cmocka_unit_test(corrupt_files_are_refused),
        cmocka_unit_test(wrong_ranges_are_refused),
        cmocka_unit_test(a_state_that_no_flow_can_have_is_refused),
        cmocka_unit_test(one_thread_trains_to_the_same_bits_and_resumes_exactly),
        cmocka_unit_test(three_threads_give_the_gradient_of_one),
        cmocka_unit_test(labels_count_as_much_as_their_weights_say),
        cmocka_unit_test(a_tiny_model_learns_a_toy_set_by_heart),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
