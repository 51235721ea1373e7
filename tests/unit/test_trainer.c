/* SPDX-License-Identifier: Apache-2.0 */
/* test_trainer.c: what surrounds the gradients: figures that add up, answers, weights put aside, checkpoints. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <math.h>
#include <stdio.h>
#include <unistd.h>

#include "model/train_int.h"

enum { VOCAB = 20, FLOWS = 6, PACKETS = 3, TOKENS = 4, N_PACKETS = FLOWS * PACKETS };

static const char FILE_NAME[] = "test_trainer.safetensors";
static const char *const letters[] = {"a", "b", "c"};
static const char *const digits[] = {"0", "1"};
static const wsp_head heads[] = {
    {.name = "letter", .n_labels = 3, .labels = letters, .temperature = 1},
    {.name = "digit", .n_labels = 2, .labels = digits, .temperature = 1},
};

struct data {
    wsp_batch b;
    uint16_t ids[N_PACKETS * TOKENS];
    uint32_t packet[N_PACKETS + 1], flow[FLOWS + 1];
    int32_t labels[FLOWS * 2];
};

static void data_make(struct data *d, uint64_t seed)
{
    wspi_rng rng;

    wspi_rng_seed(&rng, seed);
    for (size_t i = 0; i < N_PACKETS * TOKENS; i++)
        d->ids[i] = (uint16_t)wspi_rng_below(&rng, VOCAB);
    for (uint32_t p = 0; p <= N_PACKETS; p++)
        d->packet[p] = p * TOKENS;
    for (uint32_t f = 0; f <= FLOWS; f++)
        d->flow[f] = f * PACKETS;
    for (size_t f = 0; f < FLOWS; f++) {
        d->labels[2 * f] = (int32_t)wspi_rng_below(&rng, 4) - 1;
        d->labels[2 * f + 1] = (int32_t)wspi_rng_below(&rng, 2);
    }
    d->b = (wsp_batch){.n_flows = FLOWS,
                       .n_packets = N_PACKETS,
                       .n_tokens = N_PACKETS * TOKENS,
                       .ids = d->ids,
                       .packet_off = d->packet,
                       .flow_off = d->flow,
                       .labels = d->labels};
}

struct run {
    wsp_model *m;
    wsp_trainer *t;
    size_t size; /* bytes of the weights */
};

static wsp_train_options usual_options(unsigned threads, float dropout)
{
    wsp_train_options o = wsp_train_options_default();

    o.threads = threads;
    o.dropout = dropout;
    o.warmup = 2;
    o.steps = 50;
    return o;
}

static struct run run_make_of(uint64_t seed, const wsp_train_options *o)
{
    wsp_model_config cfg;
    struct run r;

    assert_int_equal(wsp_model_config_named(&cfg, "tiny"), WSP_OK);
    cfg.vocab = VOCAB;
    assert_int_equal(wsp_model_new(&r.m, &cfg, heads, 2, seed, NULL), WSP_OK);
    assert_int_equal(wsp_trainer_new(&r.t, r.m, o, NULL), WSP_OK);
    r.size = wsp_model_parameters(r.m) * sizeof(float);
    return r;
}

static struct run run_make_with(uint64_t seed, unsigned threads, float dropout)
{
    wsp_train_options o = usual_options(threads, dropout);

    return run_make_of(seed, &o);
}

static struct run run_make(uint64_t seed, unsigned threads)
{
    return run_make_with(seed, threads, 0.1f);
}

static void run_clear(struct run *r)
{
    wsp_trainer_free(r->t);
    wsp_model_free(r->m);
}

static void step(const struct run *r, const struct data *d)
{
    assert_int_equal(wsp_trainer_accumulate(r->t, &d->b, NULL, NULL), WSP_OK);
    assert_int_equal(wsp_trainer_update(r->t, NULL, NULL), WSP_OK);
}

static float *copy_of(const struct run *r)
{
    float *w = malloc(r->size);

    assert_non_null(w);
    memcpy(w, r->m->w, r->size);
    return w;
}

static void answers_are_those_that_the_figures_count(void **state)
{
    struct run r = run_make(1, 2);
    struct data d;
    wsp_train_stats s;
    const int32_t *said;
    size_t seen[2] = {0}, right[2] = {0};

    (void)state;
    data_make(&d, 1);
    for (size_t i = 0; i < 20; i++)
        step(&r, &d);
    assert_int_equal(wsp_trainer_evaluate(r.t, &d.b, &s, NULL), WSP_OK);
    said = wsp_trainer_answers(r.t);
    for (size_t i = 0; i < 2 * FLOWS; i++) {
        if (d.labels[i] < 0) {
            assert_int_equal(said[i], -1);
            continue;
        }
        assert_in_range(said[i], 0, heads[i % 2].n_labels - 1);
        seen[i % 2]++;
        right[i % 2] += said[i] == d.labels[i];
    }
    for (size_t h = 0; h < 2; h++) {
        assert_int_equal(s.head[h].seen, seen[h]);
        assert_int_equal(s.head[h].right, right[h]);
    }
    assert_int_equal(s.heads.seen, seen[0] + seen[1]);
    assert_true(right[0] + right[1] > FLOWS);
    d.b.labels = NULL;
    assert_int_equal(wsp_trainer_evaluate(r.t, &d.b, &s, NULL), WSP_OK);
    assert_null(wsp_trainer_answers(r.t));
    run_clear(&r);
}

static void figures_of_batches_add_up(void **state)
{
    struct run r = run_make(2, 1);
    struct data d[2];
    wsp_train_stats a, b, sum = {.step = 7};

    (void)state;
    data_make(&d[0], 1);
    data_make(&d[1], 2);
    d[1].b.n_flows = 2; /* not as many as the other has */
    d[1].b.n_packets = 2 * PACKETS;
    d[1].b.n_tokens = 2 * PACKETS * TOKENS;
    assert_int_equal(wsp_trainer_evaluate(r.t, &d[0].b, &a, NULL), WSP_OK);
    assert_int_equal(wsp_trainer_evaluate(r.t, &d[1].b, &b, NULL), WSP_OK);
    wsp_train_stats_add(&sum, &a);
    wsp_train_stats_add(&sum, &b);
    wsp_train_stats_add(&sum, &(wsp_train_stats){.step = 9});
    assert_int_equal(sum.step, 7);
    assert_int_equal(sum.batches, 2);
    assert_int_equal(sum.tokens, a.tokens + b.tokens);
    assert_int_equal(sum.heads.seen, a.heads.seen + b.heads.seen);
    assert_true(fabs(sum.loss - (a.loss + b.loss) / 2) < 1e-9);
    assert_true(fabs(sum.lm_nats_per_token * (double)sum.tokens -
                     a.lm_nats_per_token * (double)a.tokens -
                     b.lm_nats_per_token * (double)b.tokens) < 1e-9);
    assert_true(fabs(sum.head[1].loss * (double)sum.head[1].seen -
                     a.head[1].loss * (double)a.head[1].seen -
                     b.head[1].loss * (double)b.head[1].seen) < 1e-9);
    run_clear(&r);
}

/* That is what lets processes share the batches of a step. */
static void a_sum_of_gradients_is_that_of_whole_batches_in_order(void **state)
{
    struct run r = run_make_with(1, 2, 0);
    struct data d[3];
    size_t n = r.size / sizeof(float);
    float *sum = wspi_new_floats(n);
    wsp_train_stats s, total = {.step = 0};

    (void)state;
    assert_non_null(sum);
    for (size_t i = 0; i < 3; i++) {
        struct run one = run_make_with(1, 2, 0);
        data_make(&d[i], i + 1);
        assert_int_equal(wsp_trainer_accumulate(one.t, &d[i].b, &s, NULL), WSP_OK);
        wsp_train_stats_add(&total, &s);
        for (size_t k = 0; k < n; k++)
            sum[k] += one.m->grad[k];
        run_clear(&one);
        assert_int_equal(wsp_trainer_accumulate(r.t, &d[i].b, NULL, NULL), WSP_OK);
    }
    for (size_t k = 0; k < n; k++)
        assert_true(sum[k] == r.m->grad[k]);
    assert_int_equal(wsp_trainer_save(r.t, FILE_NAME, NULL, 0, NULL), WSP_ERR_ARG);
    assert_int_equal(wsp_trainer_update(r.t, &s, NULL), WSP_OK);
    assert_int_equal(s.step, 1);
    assert_int_equal(s.batches, 3);
    assert_int_equal(s.tokens, total.tokens);
    assert_true(s.loss == total.loss && s.heads.loss == total.heads.loss);
    assert_true(s.grad_norm > 0 && s.lr > 0);
    for (size_t k = 0; k < n; k++)
        assert_true(r.m->grad[k] == 0);
    assert_int_equal(wsp_trainer_update(r.t, NULL, NULL), WSP_ERR_ARG);
    free(sum);
    run_clear(&r);
}

static void as_many_threads_give_the_same_bits(void **state)
{
    struct run a = run_make(1, 3), b = run_make(1, 3);
    struct data d;

    (void)state;
    data_make(&d, 1);
    for (size_t i = 0; i < 20; i++) {
        step(&a, &d);
        step(&b, &d);
    }
    assert_memory_equal(a.m->w, b.m->w, a.size);
    run_clear(&a);
    run_clear(&b);
}

static void a_process_by_itself_is_a_group_that_agrees(void **state)
{
    struct run r = run_make(1, 1);
    wsp_error err;

    (void)state;
    assert_int_equal(wsp_group_rank(NULL), 0);
    assert_int_equal(wsp_group_size(NULL), 1);
    assert_int_equal(wsp_group_agree(NULL, WSP_EOF, NULL), WSP_EOF);
    assert_int_equal(wsp_group_agree(NULL, WSP_ERR_IO, NULL), WSP_ERR_IO);
    assert_int_equal(wsp_trainer_accumulate(r.t, NULL, NULL, &err), WSP_ERR_ARG);
    run_clear(&r);
}

static void weights_put_aside_come_back_from_a_checkpoint_too(void **state)
{
    struct run r = run_make(1, 1), other = run_make(2, 1);
    struct data d;
    float *kept, *last;

    (void)state;
    data_make(&d, 1);
    assert_int_equal(wsp_trainer_restore(r.t, NULL), WSP_ERR_ARG);
    step(&r, &d);
    assert_int_equal(wsp_trainer_keep(r.t, NULL), WSP_OK);
    kept = copy_of(&r);
    step(&r, &d);
    last = copy_of(&r);
    assert_memory_not_equal(kept, last, r.size);
    assert_int_equal(wsp_trainer_save(r.t, FILE_NAME, NULL, 0, NULL), WSP_OK);
    assert_int_equal(wsp_trainer_restore(r.t, NULL), WSP_OK);
    assert_memory_equal(r.m->w, kept, r.size);
    assert_int_equal(wsp_trainer_load(other.t, FILE_NAME, NULL, NULL, NULL), WSP_OK);
    assert_memory_equal(other.m->w, last, r.size);
    assert_int_equal(wsp_trainer_restore(other.t, NULL), WSP_OK);
    assert_memory_equal(other.m->w, kept, r.size);
    (void)unlink(FILE_NAME);
    free(kept);
    free(last);
    run_clear(&r);
    run_clear(&other);
}

static void write_file(const void *data, size_t len)
{
    FILE *f = fopen(FILE_NAME, "wb");

    assert_non_null(f);
    assert_int_equal(fwrite(data, 1, len, f), len);
    assert_int_equal(fclose(f), 0);
}

/* Refused with a line that names the file, and the trainer is what it was. */
static void assert_refused(const struct run *r, const float *was)
{
    wsp_error err;
    void *extra;
    size_t len;

    assert_int_equal(wsp_trainer_load(r->t, FILE_NAME, &extra, &len, &err), WSP_ERR_FORMAT);
    assert_non_null(strstr(err.text, FILE_NAME));
    assert_null(extra);
    assert_int_equal(wsp_trainer_step_count(r->t), 1);
    assert_memory_equal(r->m->w, was, r->size);
}

/* The body at a share of the rate: it moves by that share; at none the heads alone learn, in the same gradients. */
static void the_body_learns_at_its_share_of_the_rate(void **state)
{
    wsp_train_options o = usual_options(1, 0);
    struct run whole, slow, probe;
    float *was;
    struct data d;

    (void)state;
    data_make(&d, 1);
    o.lm_weight = 0;
    o.clip = 0;
    whole = run_make_of(1, &o);
    o.body_lr = 0.25f;
    slow = run_make_of(1, &o);
    o.body_lr = 0;
    probe = run_make_of(1, &o);
    was = copy_of(&whole);
    step(&whole, &d);
    step(&slow, &d);
    step(&probe, &d);
    for (size_t k = 0; k < whole.m->n_entries; k++) {
        const wspi_entry *e = &whole.m->entry[k];
        bool moved = false;

        assert_int_equal(e->head, strncmp(e->name, "head.", 5) == 0);
        for (size_t i = e->at; i < e->at + e->count; i++) {
            float by = whole.m->w[i] - was[i];

            assert_true(fabsf((slow.m->w[i] - was[i]) - (e->head ? by : by / 4)) < 1e-6f);
            assert_true(probe.m->w[i] == (e->head ? whole.m->w[i] : was[i]));
            moved |= by < 0 || by > 0;
        }
        assert_true(moved || !e->head);
    }
    o.lm_weight = 1;
    wsp_trainer_free(probe.t);
    assert_int_equal(wsp_trainer_new(&probe.t, probe.m, &o, NULL), WSP_ERR_ARG);
    run_clear(&whole);
    run_clear(&slow);
    wsp_model_free(probe.m);
    free(was);
}

static void damaged_checkpoints_are_refused_and_change_nothing(void **state)
{
    struct run r = run_make(1, 1), other = run_make(2, 1);
    struct data d;
    uint8_t *file;
    size_t len, header;
    void *p;
    float *was;

    (void)state;
    data_make(&d, 1);
    step(&r, &d);
    step(&r, &d);
    step(&other, &d);
    was = copy_of(&other);
    assert_int_equal(wsp_trainer_save(r.t, FILE_NAME, "extra", 5, NULL), WSP_OK);
    assert_int_equal(wspi_read_file(&p, &len, FILE_NAME, NULL), WSP_OK);
    file = p;
    header = 8 + (size_t)file[0] + ((size_t)file[1] << 8);
    for (size_t i = 0; i < 16; i++) { /* cut, then with a bit turned, at places all over the data */
        size_t at = header + (len - header) * i / 16;
        write_file(file, at);
        assert_refused(&other, was);
        file[at] ^= 1;
        write_file(file, len);
        assert_refused(&other, was);
        file[at] ^= 1;
    }
    assert_int_equal(wsp_model_save(r.m, FILE_NAME, NULL), WSP_OK);
    assert_refused(&other, was); /* a model is none */
    write_file(file, len);
    assert_int_equal(wsp_trainer_load(other.t, FILE_NAME, NULL, NULL, NULL), WSP_OK);
    assert_memory_equal(other.m->w, r.m->w, r.size);
    (void)unlink(FILE_NAME);
    free(was);
    free(p);
    run_clear(&r);
    run_clear(&other);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(answers_are_those_that_the_figures_count),
        cmocka_unit_test(figures_of_batches_add_up),
        cmocka_unit_test(a_sum_of_gradients_is_that_of_whole_batches_in_order),
        cmocka_unit_test(as_many_threads_give_the_same_bits),
        cmocka_unit_test(a_process_by_itself_is_a_group_that_agrees),
        cmocka_unit_test(weights_put_aside_come_back_from_a_checkpoint_too),
        cmocka_unit_test(the_body_learns_at_its_share_of_the_rate),
        cmocka_unit_test(damaged_checkpoints_are_refused_and_change_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
