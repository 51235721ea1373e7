/* SPDX-License-Identifier: Apache-2.0 */
/* test_windows.c: long flows in windows: losses, gradients, answers; what goes from one window to the next. */
#include "models.h"

#include "model/train_int.h"

static wsp_trainer *trainer_make_at(wsp_model *m, unsigned threads, float rate)
{
    wsp_train_options o = wsp_train_options_default();
    wsp_trainer *t;

    o.threads = threads;
    o.dtype = WSP_DTYPE_F32;
    o.lr = rate;
    o.warmup = 10;
    o.steps = 720; /* of the one that learns */
    assert_int_equal(wsp_trainer_new(&t, m, &o, NULL), WSP_OK);
    return t;
}

static wsp_trainer *trainer_make(wsp_model *m, unsigned threads)
{
    return trainer_make_at(m, threads, 1e-3f);
}

/* The flows' windows of one number, and what goes through them. */
struct windows {
    struct data now;
    wsp_window of[MAX_FLOWS];
    size_t flow[MAX_FLOWS]; /* of the whole data */
    float *carried[MAX_FLOWS];
};

static void windows_make(struct windows *w, const wsp_model *m)
{
    for (size_t f = 0; f < MAX_FLOWS; f++) {
        w->carried[f] = wspi_new_floats(wsp_window_size(m) / sizeof(float));
        assert_non_null(w->carried[f]);
    }
}

static void windows_clear(struct windows *w)
{
    for (size_t f = 0; f < MAX_FLOWS; f++)
        free(w->carried[f]);
}

/* Window `number`, of at most n packets, of flow f of d, to the end of the batch. */
static void add_window(struct windows *w, const struct data *d, size_t f, size_t number, size_t n)
{
    wsp_batch *b = &w->now.b;
    uint32_t from = d->flow[f] + (uint32_t)(number * n),
             to = WSPI_MIN(from + (uint32_t)n, d->flow[f + 1]);

    w->flow[b->n_flows] = f;
    w->of[b->n_flows] = (wsp_window){.from = number ? w->carried[f] : NULL,
                                     .to = to < d->flow[f + 1] ? w->carried[f] : NULL,
                                     .packets = d->flow[f + 1] - d->flow[f]};
    w->now.condition[b->n_flows] = d->condition[f];
    memcpy(w->now.labels + 2 * b->n_flows, d->labels + 2 * f, 2 * sizeof *d->labels);
    for (uint32_t p = from; p < to; p++) {
        uint32_t len = d->packet[p + 1] - d->packet[p];
        memcpy(w->now.ids + b->n_tokens, d->ids + d->packet[p], len * sizeof *d->ids);
        b->n_tokens += len;
        w->now.packet[++b->n_packets] = (uint32_t)b->n_tokens;
    }
    w->now.flow[++b->n_flows] = (uint32_t)b->n_packets;
}

/* All flows that have such a window; false: none has. */
static bool select_windows(struct windows *w, const struct data *d, size_t number, size_t n)
{
    w->now.b = (wsp_batch){.ids = w->now.ids,
                           .packet_off = w->now.packet,
                           .flow_off = w->now.flow,
                           .condition = w->now.condition,
                           .labels = w->now.labels,
                           .windows = w->of};
    w->now.packet[0] = w->now.flow[0] = 0;
    for (size_t f = 0; f < d->b.n_flows; f++)
        if (d->flow[f] + number * n < d->flow[f + 1])
            add_window(w, d, f, number, n);
    return w->now.b.n_flows > 0;
}

static void check_windows(size_t n, unsigned threads)
{
    static struct data d;
    static struct windows w;
    wsp_model *m = model_make_of(7, 3, true);
    wsp_trainer *t = trainer_make(m, threads);
    wsp_train_stats whole, part, sum = {.step = 0};
    int32_t said[2 * MAX_FLOWS], got[2 * MAX_FLOWS];

    data_make(&d, 9, 60, 4);
    windows_make(&w, m);
    assert_int_equal(wsp_trainer_evaluate(t, &d.b, &whole, NULL), WSP_OK);
    memcpy(said, wsp_trainer_answers(t), sizeof(int32_t) * 2 * d.b.n_flows);
    for (size_t k = 0; select_windows(&w, &d, k, n); k++) {
        assert_int_equal(wsp_trainer_evaluate(t, &w.now.b, &part, NULL), WSP_OK);
        wsp_train_stats_add(&sum, &part);
        for (size_t i = 0; i < w.now.b.n_flows; i++)
            if (w.of[i].to)
                assert_int_equal(wsp_trainer_answers(t)[2 * i + 1], -1);
            else
                memcpy(got + 2 * w.flow[i], wsp_trainer_answers(t) + 2 * i, sizeof(int32_t) * 2);
    }
    assert_memory_equal(got, said, sizeof(int32_t) * 2 * d.b.n_flows);
    assert_true(fabs(sum.lm_nats_per_token - whole.lm_nats_per_token) < 1e-5);
    for (size_t h = 0; h < 2; h++) {
        assert_true(fabs(sum.head[h].loss - whole.head[h].loss) < 1e-5);
        assert_true(fabs(sum.head[h].weight - (double)whole.head[h].seen) < 1e-9);
        assert_int_equal(sum.head[h].seen, whole.head[h].seen);
        assert_int_equal(sum.head[h].right, whole.head[h].right);
    }
    assert_int_equal(sum.tokens, whole.tokens);
    assert_int_equal(sum.packets, whole.packets);
    assert_int_equal(sum.flows, whole.flows);
    windows_clear(&w);
    wsp_trainer_free(t);
    wsp_model_free(m);
}

static void a_flow_in_windows_has_the_loss_of_the_whole_one(void **state)
{
    static const size_t length[] = {1, 2, 7, 16, 64};

    (void)state;
    for (size_t i = 0; i < WSPI_COUNT(length); i++)
        for (unsigned threads = 1; threads <= 3; threads += 2)
            check_windows(length[i], threads);
}

/* A model away from symmetric starts. */
static wsp_model *model_shaken(uint32_t chunk, wspi_rng *rng)
{
    wsp_model *m = model_make_of(chunk, 1, true);

    wspi_rng_seed(rng, 9);
    for (size_t i = 0; i < wsp_model_parameters(m); i++)
        m->w[i] += (float)(0.1 * wspi_rng_normal(rng));
    return m;
}

/* Windows that begin, go on and end, and whole flows, all in one batch; what they begin with is held fast. */
static void every_tensor_has_the_right_gradient(void **state)
{
    static struct data d;
    static struct windows w;
    static const size_t length[] = {2, 5, 9};
    float *aside = NULL;

    (void)state;
    for (size_t i = 0; i < WSPI_COUNT(length); i++) {
        wspi_rng rng;
        wsp_model *m = model_shaken(5, &rng);
        wsp_trainer *t = trainer_make(m, 1);
        size_t goes_on = 0;

        data_make(&d, 16, 30, 2);
        windows_make(&w, m);
        aside = wspi_new_floats(wsp_window_size(m) / sizeof(float));
        for (size_t k = 0; k < 2; k++) { /* the states that the third windows begin with */
            assert_true(select_windows(&w, &d, k, length[i]));
            assert_int_equal(wsp_trainer_evaluate(t, &w.now.b, NULL, NULL), WSP_OK);
        }
        assert_true(select_windows(&w, &d, 2, length[i]));
        for (size_t f = 0; f < w.now.b.n_flows; f++) {
            w.of[f].to = w.of[f].to ? aside : NULL;
            w.of[f].from = f % 4 ? w.of[f].from : NULL;
            goes_on += w.of[f].from != NULL;
        }
        w.of[0] = (wsp_window){.from = NULL};
        assert_true(goes_on > 2);
        assert_int_equal(wsp_trainer_accumulate(t, &w.now.b, NULL, NULL), WSP_OK);
        for (size_t k = 0; k < wsp_model_tensor_count(m); k++)
            check_slope(t, &w.now.b, wsp_model_tensor(m, k), &rng);
        free(aside);
        windows_clear(&w);
        wsp_trainer_free(t);
        wsp_model_free(m);
    }
}

/* NULL, zeros: the same bits. A first window as long as its flow: the same, but for how a state is kept. */
static void a_window_of_a_whole_flow_is_the_flow(void **state)
{
    static struct data d;
    static wsp_window none[MAX_FLOWS], first[MAX_FLOWS];
    const wsp_window *const of[] = {NULL, none, first};
    float *grad[3];
    wsp_model *m = model_make_of(7, 1, true);
    size_t n = wsp_model_parameters(m);
    float *to = wspi_new_floats(MAX_FLOWS * wsp_window_size(m) / sizeof(float));

    (void)state;
    data_make(&d, 9, 40, 2);
    for (size_t f = 0; f < MAX_FLOWS; f++)
        first[f].to = to + f * wsp_window_size(m) / sizeof(float);
    for (size_t i = 0; i < 3; i++) {
        wsp_trainer *t = trainer_make(m, 2);

        d.b.windows = of[i];
        assert_int_equal(wsp_trainer_accumulate(t, &d.b, NULL, NULL), WSP_OK);
        grad[i] = wspi_new_floats(n);
        memcpy(grad[i], m->grad, n * sizeof **grad);
        wsp_trainer_free(t);
    }
    assert_memory_equal(grad[1], grad[0], n * sizeof **grad);
    assert_near(grad[2], grad[0], n, 1e-6);
    for (size_t i = 0; i < 3; i++)
        free(grad[i]);
    free(to);
    wsp_model_free(m);
}

/* What a window leaves is what a stream of the same packets is at: its context, and its state. */
static void a_window_leaves_the_state_of_a_stream(void **state)
{
    static struct data d;
    wsp_model *m = model_make_of(7, 3, false);
    wsp_trainer *t = trainer_make(m, 1);
    size_t C = m->cfg.channels, size = wsp_state_size(m) / sizeof(float);
    float *left = wspi_new_floats(C + size), *stream = wspi_new_floats(size),
          *context = wspi_new_floats(MAX_PACKETS * C);
    wsp_window window = {.to = left};
    wsp_runner *r;

    (void)state;
    data_make(&d, 1, 40, 3);
    assert_int_equal(wsp_window_size(m), (C + size) * sizeof(float));
    assert_int_equal(wsp_runner_new(&r, m, WSP_DTYPE_F32, NULL), WSP_OK);
    assert_int_equal(wsp_state_start(r, &stream, d.condition, 1, NULL, NULL), WSP_OK);
    assert_int_equal(wsp_state_step(r, &stream, &d.b, context, NULL, NULL), WSP_OK);
    d.b.windows = &window;
    assert_int_equal(wsp_trainer_evaluate(t, &d.b, NULL, NULL), WSP_OK);
    assert_near(left, context + (d.b.n_packets - 1) * C, C, 1e-4);
    assert_near(left + C, stream, size, 1e-4);
    wsp_runner_free(r);
    free(left);
    free(stream);
    free(context);
    wsp_trainer_free(t);
    wsp_model_free(m);
}

/* Every packet of a flow says the same, one of many things: told once, it is known in the flow's other windows. */
static void make_echoes(struct data *d, uint64_t seed)
{
    enum { FLOWS = 16, PACKETS = 12, TOKENS = 2, THINGS = 8 };
    wspi_rng rng;

    wspi_rng_seed(&rng, seed);
    *d = (struct data){.b = {.n_flows = FLOWS,
                             .n_packets = FLOWS * PACKETS,
                             .n_tokens = FLOWS * PACKETS * TOKENS}};
    for (size_t f = 0; f < FLOWS; f++) {
        uint16_t said = (uint16_t)(10 + wspi_rng_below(&rng, THINGS));

        d->flow[f + 1] = (uint32_t)((f + 1) * PACKETS);
        d->condition[f] = d->labels[2 * f] = d->labels[2 * f + 1] = -1;
        for (size_t p = f * PACKETS; p < (f + 1) * PACKETS; p++) {
            d->packet[p + 1] = (uint32_t)((p + 1) * TOKENS);
            d->ids[p * TOKENS] = 1;
            d->ids[p * TOKENS + 1] = said;
        }
    }
}

/* Mean nats of a token in windows of three packets, after training in such windows, all of them fresh or carried. */
static double echo_loss(bool carry)
{
    enum { SETS = 180 };
    static struct data d;
    static struct windows w;
    wsp_model *m = model_make(16, 1);
    wsp_trainer *t = trainer_make_at(m, 1, 0.02f);
    wsp_train_stats sum = {.step = 0};

    windows_make(&w, m);
    for (size_t i = 0; i <= SETS; i++) {
        make_echoes(&d, i);
        for (size_t k = 0; select_windows(&w, &d, k, 3); k++) {
            wsp_train_stats s;

            w.now.b.windows = carry ? w.of : NULL;
            if (i == SETS) {
                assert_int_equal(wsp_trainer_evaluate(t, &w.now.b, &s, NULL), WSP_OK);
                wsp_train_stats_add(&sum, &s);
                continue;
            }
            assert_int_equal(wsp_trainer_accumulate(t, &w.now.b, NULL, NULL), WSP_OK);
            assert_int_equal(wsp_trainer_update(t, NULL, NULL), WSP_OK);
        }
    }
    windows_clear(&w);
    wsp_trainer_free(t);
    wsp_model_free(m);
    return sum.lm_nats_per_token;
}

static void what_an_earlier_window_said_is_remembered(void **state)
{
    double carried = echo_loss(true), fresh = echo_loss(false);

    (void)state;
    print_message("nats per token: %.3f, and %.3f with fresh windows\n", carried, fresh);
    assert_true(carried < 0.6 * fresh && fresh < 0.5);
}

static void a_window_longer_than_its_flow_is_refused(void **state)
{
    static struct data d;
    wsp_model *m = model_make(16, 1);
    wsp_trainer *t = trainer_make(m, 1);
    wsp_window window[MAX_FLOWS] = {{.packets = 0}};
    wsp_error err;

    (void)state;
    data_make(&d, 3, 9, 1);
    d.b.windows = window;
    window[1].packets = d.flow[2] - d.flow[1];
    assert_int_equal(wsp_trainer_evaluate(t, &d.b, NULL, &err), WSP_OK);
    window[1].packets--;
    assert_int_equal(window[1].packets ? wsp_trainer_evaluate(t, &d.b, NULL, &err) : WSP_ERR_ARG,
                     WSP_ERR_ARG);
    wsp_trainer_free(t);
    wsp_model_free(m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_flow_in_windows_has_the_loss_of_the_whole_one),
        cmocka_unit_test(every_tensor_has_the_right_gradient),
        cmocka_unit_test(a_window_of_a_whole_flow_is_the_flow),
        cmocka_unit_test(a_window_leaves_the_state_of_a_stream),
        cmocka_unit_test(what_an_earlier_window_said_is_remembered),
        cmocka_unit_test(a_window_longer_than_its_flow_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
