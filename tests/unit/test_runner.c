/* SPDX-License-Identifier: Apache-2.0 */
/* test_runner.c: inference: equality of batch, packing, streaming and sharing, in both types; speaking. */
#include "models.h"

struct results {
    float *c, *nll, *head[2];
};

static struct results run(const wsp_model *m, const wsp_batch *b)
{
    struct results r = {wspi_new_floats(b->n_packets * 32),
                        wspi_new_floats(b->n_tokens),
                        {wspi_new_floats(b->n_packets * 3), wspi_new_floats(b->n_packets * 2)}};
    wsp_runner *w;

    assert_int_equal(wsp_runner_new(&w, m, WSP_DTYPE_F32, NULL), WSP_OK);
    assert_int_equal(wsp_runner_classify(w, b, r.c, r.head, NULL), WSP_OK);
    assert_int_equal(wsp_runner_nll(w, b, r.nll, NULL), WSP_OK);
    wsp_runner_free(w);
    return r;
}

static void results_clear(struct results *r)
{
    free(r->c);
    free(r->nll);
    free(r->head[0]);
    free(r->head[1]);
}

static void chunk_size_does_not_matter(void **state)
{
    static const uint32_t chunk[] = {7, 16, 64};
    static struct data d;
    struct results want;
    wsp_model *m = model_make(1, 3);

    (void)state;
    data_make(&d, 6, 90, 4);
    want = run(m, &d.b);
    wsp_model_free(m);
    for (size_t i = 0; i < WSPI_COUNT(chunk); i++) {
        struct results got;

        m = model_make(chunk[i], 3);
        got = run(m, &d.b);
        assert_near(got.c, want.c, d.b.n_packets * 32, 1e-4);
        assert_near(got.nll, want.nll, d.b.n_tokens, 1e-4);
        results_clear(&got);
        wsp_model_free(m);
    }
    results_clear(&want);
}

static void packing_equals_separate_flows(void **state)
{
    static struct data d, one;
    wsp_model *m = model_make(16, 3);
    struct results all, got;

    (void)state;
    data_make(&d, 12, 40, 5);
    all = run(m, &d.b);
    for (size_t f = 0; f < d.b.n_flows; f++) {
        size_t p = d.flow[f], n = d.flow[f + 1] - p, t = d.packet[p];

        for (size_t i = 0; i <= n; i++)
            one.packet[i] = d.packet[p + i] - (uint32_t)t;
        one.flow[0] = 0;
        one.flow[1] = (uint32_t)n;
        one.b = (wsp_batch){.n_flows = 1,
                            .n_packets = n,
                            .n_tokens = one.packet[n],
                            .ids = d.ids + t,
                            .packet_off = one.packet,
                            .flow_off = one.flow,
                            .condition = d.condition + f};
        got = run(m, &one.b);
        assert_near(got.c, all.c + p * 32, n * 32, 1e-4);
        assert_near(got.nll, all.nll + t, one.b.n_tokens, 1e-4);
        results_clear(&got);
    }
    results_clear(&all);
    wsp_model_free(m);
}

/* All flows in lockstep, those that ended drop out; contexts, heads and next-token likelihoods as in the batch. */
static void check_streaming(bool ranges)
{
    static struct data d, now;
    wsp_model *m = model_make_of(7, 6, ranges);
    size_t C = 32, size = wsp_state_size(m) / sizeof(float);
    struct results want;
    float *states[MAX_FLOWS], *live[MAX_FLOWS], context[MAX_FLOWS * 32], head[MAX_FLOWS * 3],
        logits[VOCAB];
    float *outs[2] = {head, NULL};
    wsp_runner *r;

    data_make(&d, 9, 60, 7);
    want = run(m, &d.b);
    assert_int_equal(wsp_runner_new(&r, m, WSP_DTYPE_F32, NULL), WSP_OK);
    for (size_t f = 0; f < 9; f++)
        states[f] = wspi_new_floats(size);
    assert_int_equal(wsp_state_start(r, states, d.condition, 9, context, NULL), WSP_OK);
    for (size_t f = 0; f < 9; f++) { /* likelihood of the first packet's last token from c_0 */
        uint32_t p = d.flow[f], t = d.packet[p], len = d.packet[p + 1] - t - 1,
                 target = d.ids[t + len];
        float loss;
        const wsp_prefix prefix = {.context = context + f * C, .ids = d.ids + t, .len = len};
        assert_int_equal(wsp_runner_next_token(r, &prefix, 1, logits, NULL), WSP_OK);
        wspi_xent(logits, &loss, &target, NULL, 0, 1, VOCAB);
        assert_near(&loss, want.nll + t + len, 1, 1e-4);
    }
    for (size_t step = 0;; step++) {
        size_t n = 0, N = 0, row[MAX_FLOWS];

        for (size_t f = 0; f < 9; f++)
            if (d.flow[f] + step < d.flow[f + 1]) {
                size_t p = d.flow[f] + step;
                for (size_t i = d.packet[p]; i < d.packet[p + 1]; i++)
                    now.ids[N++] = d.ids[i];
                live[n] = states[f];
                row[n++] = p;
                now.packet[n] = (uint32_t)N;
                now.flow[n] = (uint32_t)n;
            }
        if (n == 0)
            break;
        now.b = (wsp_batch){.n_flows = n,
                            .n_packets = n,
                            .n_tokens = N,
                            .ids = now.ids,
                            .packet_off = now.packet,
                            .flow_off = now.flow};
        assert_int_equal(wsp_state_step(r, live, &now.b, context, outs, NULL), WSP_OK);
        for (size_t i = 0; i < n; i++) {
            assert_near(context + i * C, want.c + row[i] * C, C, 1e-4);
            assert_near(head + i * 3, want.head[0] + row[i] * 3, 3, 1e-4);
        }
    }
    for (size_t f = 0; f < 9; f++)
        free(states[f]);
    wsp_runner_free(r);
    results_clear(&want);
    wsp_model_free(m);
}

static void streaming_equals_the_batch(void **state)
{
    (void)state;
    check_streaming(false);
    check_streaming(true);
}

/* The packets [from, to) of every flow (numbers within the flow) as a batch; row: their places in d. */
static void slice(const struct data *d, struct data *out, size_t from, size_t to, size_t *row,
                  float **states, float **live)
{
    size_t n = 0, P = 0, N = 0;

    for (size_t f = 0; f < d->b.n_flows; f++) {
        size_t end = WSPI_MIN(d->flow[f + 1], d->flow[f] + to);
        if (d->flow[f] + from >= end)
            continue;
        for (size_t p = d->flow[f] + from; p < end; p++) {
            for (size_t i = d->packet[p]; i < d->packet[p + 1]; i++)
                out->ids[N++] = d->ids[i];
            row[P++] = p;
            out->packet[P] = (uint32_t)N;
        }
        live[n++] = states[f];
        out->flow[n] = (uint32_t)P;
    }
    out->b = (wsp_batch){.n_flows = n,
                         .n_packets = P,
                         .n_tokens = N,
                         .ids = out->ids,
                         .packet_off = out->packet,
                         .flow_off = out->flow};
}

/* However the packets are handed over, and whatever the chunks of the scan. */
static void packets_come_in_pieces_of_any_size(void **state)
{
    static const size_t piece[] = {1, 7, 16, 64};
    static const uint32_t chunk[] = {1, 7, 16, 64};
    static struct data d, now;
    size_t row[MAX_PACKETS];

    (void)state;
    data_make(&d, 5, 90, 7);
    for (size_t i = 0; i < WSPI_COUNT(piece) * WSPI_COUNT(chunk); i++) {
        size_t n = piece[i % 4], from = 0;
        wsp_model *m = model_make(chunk[i / 4], 6);
        struct results want = run(m, &d.b);
        float *states[MAX_FLOWS], *live[MAX_FLOWS], *c = wspi_new_floats(MAX_PACKETS * 32);
        wsp_runner *r;

        assert_int_equal(wsp_runner_new(&r, m, WSP_DTYPE_F32, NULL), WSP_OK);
        for (size_t f = 0; f < 5; f++)
            states[f] = wspi_new_floats(wsp_state_size(m) / sizeof(float));
        assert_int_equal(wsp_state_start(r, states, d.condition, 5, NULL, NULL), WSP_OK);
        for (slice(&d, &now, 0, n, row, states, live); now.b.n_flows > 0;
             slice(&d, &now, from, from + n, row, states, live)) {
            assert_int_equal(wsp_state_step(r, live, &now.b, c, NULL, NULL), WSP_OK);
            for (size_t p = 0; p < now.b.n_packets; p++)
                assert_near(c + p * 32, want.c + row[p] * 32, 32, 1e-4);
            from += n;
        }
        for (size_t f = 0; f < 5; f++)
            free(states[f]);
        free(c);
        wsp_runner_free(r);
        results_clear(&want);
        wsp_model_free(m);
    }
}

/* Twelve flows, all beginnings of one: as many steps as the longest has packets. */
static void flows_that_begin_alike_are_computed_once(void **state)
{
    static struct data d;
    wsp_model *m = model_make(16, 3);
    size_t N = 0, P = 0, C = 32;
    float *c = wspi_new_floats(MAX_PACKETS * C);
    struct results one;
    wsp_runner_stats s;
    wsp_runner *r;

    (void)state;
    for (size_t f = 0; f < 12; f++) {
        for (size_t p = 0; p <= f; p++) { /* packets 3 and 7 are equal */
            d.ids[N++] = (uint16_t)(p == 7 ? 3 : p);
            d.ids[N++] = 5;
            d.packet[++P] = (uint32_t)N;
        }
        d.flow[f + 1] = (uint32_t)P;
    }
    d.b = (wsp_batch){.n_flows = 12,
                      .n_packets = P,
                      .n_tokens = N,
                      .ids = d.ids,
                      .packet_off = d.packet,
                      .flow_off = d.flow};
    assert_int_equal(wsp_runner_new(&r, m, WSP_DTYPE_F32, NULL), WSP_OK);
    assert_int_equal(wsp_runner_classify(r, &d.b, c, NULL, NULL), WSP_OK);
    s = wsp_runner_stats_get(r);
    assert_int_equal(s.packets, P);
    assert_int_equal(s.packets_read, 11);
    assert_int_equal(s.rows, P);
    assert_int_equal(s.rows_run, 12);
    one = run(m, &d.b);
    for (size_t f = 0; f < 12; f++) /* every flow says what the longest says at that packet */
        assert_near(c + d.flow[f] * C, c + d.flow[11] * C, (f + 1) * C, 1e-7);
    assert_near(c, one.c, P * C, 1e-7);
    /* other starts are other flows */
    for (size_t f = 0; f < 12; f++)
        d.condition[f] = (int32_t)(f % 2);
    d.b.condition = d.condition;
    assert_int_equal(wsp_runner_classify(r, &d.b, c, NULL, NULL), WSP_OK);
    s = wsp_runner_stats_get(r);
    assert_int_equal(s.packets_read, 11);
    assert_int_equal(s.rows_run, 12 + 12 + 11);
    results_clear(&one);
    wsp_runner_free(r);
    wsp_model_free(m);
    free(c);
}

static void changed_weights_change_what_a_runner_says(void **state)
{
    static struct data d;
    wsp_model *m = model_make(16, 3);
    float *c = wspi_new_floats(MAX_PACKETS * 32);
    struct results want;
    wsp_runner *r;

    (void)state;
    data_make(&d, 6, 20, 4);
    assert_int_equal(wsp_runner_new(&r, m, WSP_DTYPE_F32, NULL), WSP_OK);
    assert_int_equal(wsp_runner_classify(r, &d.b, c, NULL, NULL), WSP_OK);
    for (size_t i = 0; i < wsp_model_parameters(m); i++)
        m->w[i] = 1.25f * m->w[i] + 0.01f;
    wsp_runner_weights_changed(r);
    assert_int_equal(wsp_runner_classify(r, &d.b, c, NULL, NULL), WSP_OK);
    want = run(m, &d.b);
    assert_near(c, want.c, d.b.n_packets * 32, 1e-5);
    results_clear(&want);
    wsp_runner_free(r);
    wsp_model_free(m);
    free(c);
}

/* Inputs of products keep 8 bits: contexts, which are of size 1, differ by a few hundredths. */
static void int8_is_near_float32_and_no_type_to_train_with(void **state)
{
    static struct data d;
    wsp_model *m = model_make(64, 3);
    size_t C = wsp_model_config_get(m)->channels;
    float *c = wspi_new_floats(MAX_PACKETS * C);
    wsp_train_options o = wsp_train_options_default();
    struct results want = {0};
    wsp_runner *r;
    wsp_trainer *t;

    (void)state;
    data_make(&d, 6, 20, 4);
    o.dtype = WSP_DTYPE_INT8;
    assert_int_equal(wsp_trainer_new(&t, m, &o, NULL), WSP_ERR_UNSUPPORTED);
    assert_null(t);
    if (wspi_nn_has_int8()) {
        double off = 0;

        want = run(m, &d.b);
        assert_int_equal(wsp_runner_new(&r, m, WSP_DTYPE_INT8, NULL), WSP_OK);
        assert_int_equal(wsp_runner_classify(r, &d.b, c, NULL, NULL), WSP_OK);
        for (size_t i = 0; i < d.b.n_packets * C; i++)
            off = fmax(off, fabs((double)c[i] - (double)want.c[i]));
        assert_true(off > 1e-6 && off < 0.3);
        results_clear(&want);
        wsp_runner_free(r);
    } else {
        assert_int_equal(wsp_runner_new(&r, m, WSP_DTYPE_INT8, NULL), WSP_ERR_UNSUPPORTED);
    }
    wsp_model_free(m);
    free(c);
}

static void bfloat16_is_near_float32_or_refused(void **state)
{
    static struct data d;
    wsp_model *m = model_make(16, 3);
    float *c = wspi_new_floats(MAX_PACKETS * 32);
    struct results want = {0};
    wsp_runner *r;
    wsp_trainer *t;
    wsp_train_options o = wsp_train_options_default();

    (void)state;
    data_make(&d, 6, 20, 4);
    o.dtype = WSP_DTYPE_BF16;
    if (wspi_nn_has_bf16()) {
        double off = 0;
        wsp_train_stats s;

        want = run(m, &d.b);
        assert_int_equal(wsp_runner_new(&r, m, WSP_DTYPE_BF16, NULL), WSP_OK);
        assert_int_equal(wsp_runner_classify(r, &d.b, c, NULL, NULL), WSP_OK);
        for (size_t i = 0; i < d.b.n_packets * 32; i++)
            off = fmax(off, fabs((double)c[i] - (double)want.c[i]));
        assert_true(off > 1e-6 && off < 0.1);
        assert_int_equal(wsp_trainer_new(&t, m, &o, NULL), WSP_OK);
        for (size_t i = 0; i < 60; i++) {
            assert_int_equal(wsp_trainer_accumulate(t, &d.b, &s, NULL), WSP_OK);
            if (i == 0)
                off = s.loss;
            assert_int_equal(wsp_trainer_update(t, &s, NULL), WSP_OK);
        }
        assert_true(s.loss < 0.9 * off);
        wsp_trainer_free(t);
        results_clear(&want);
        wsp_runner_free(r);
    } else {
        assert_int_equal(wsp_runner_new(&r, m, WSP_DTYPE_BF16, NULL), WSP_ERR_UNSUPPORTED);
        assert_int_equal(wsp_trainer_new(&t, m, &o, NULL), WSP_ERR_UNSUPPORTED);
    }
    wsp_model_free(m);
    free(c);
}

/* Prefixes that grow, shrink, change and start anew: a memory saves work and changes nothing. */
static void check_memory(bool ranges)
{
    enum { STEPS = 300, MOST = 12 };
    static struct data d;
    wsp_model *m = model_make_of(16, 6, ranges);
    float *context = wspi_new_floats(2 * 3 * 32), *logits = wspi_new_floats(3 * VOCAB),
          *want = wspi_new_floats(3 * VOCAB);
    void *memory[3];
    uint16_t ids[3][MOST];
    uint16_t wanted[VOCAB];
    wsp_prefix p[3] = {{.context = NULL}};
    wspi_rng rng;
    wsp_runner *r;

    wspi_rng_seed(&rng, 5);
    data_make(&d, 2, 3, 1);
    assert_int_equal(wsp_runner_new(&r, m, WSP_DTYPE_F32, NULL), WSP_OK);
    for (size_t i = 0; i < 2 * 3 * 32; i++)
        context[i] = (float)wspi_rng_normal(&rng);
    for (size_t i = 0; i < 3; i++) {
        memory[i] = wspi_new_array(1, wsp_memory_size(m));
        p[i] = (wsp_prefix){.context = context + i * 32, .ids = ids[i], .memory = memory[i]};
    }
    for (size_t step = 0; step < STEPS; step++) {
        for (size_t i = 0; i < 3; i++) {
            size_t what = wspi_rng_below(&rng, 8);

            if (what == 0) /* another packet */
                p[i].context = context + (i + 3 * wspi_rng_below(&rng, 2)) * 32;
            if (what <= 1)
                p[i].len = 0;
            else if (what == 2 && p[i].len > 0)
                ids[i][wspi_rng_below(&rng, p[i].len)] = (uint16_t)wspi_rng_below(&rng, VOCAB);
            else if (what == 3)
                p[i].len -= p[i].len > 0;
            for (size_t k = wspi_rng_below(&rng, 3); k-- > 0 && p[i].len < MOST;)
                ids[i][p[i].len++] = (uint16_t)wspi_rng_below(&rng, VOCAB);
        }
        assert_int_equal(wsp_runner_next_token(r, p, 3, logits, NULL), WSP_OK);
        for (size_t i = 0; i < 3; i++)
            p[i].memory = NULL;
        assert_int_equal(wsp_runner_next_token(r, p, 3, want, NULL), WSP_OK);
        assert_near(logits, want, 3 * VOCAB, 1e-5);
        for (size_t i = 0; i < 3; i++)
            p[i].memory = memory[i];
    }
    /* what is not wanted is not computed: few tokens, and many */
    for (size_t k = 2; k < VOCAB; k += VOCAB - 4) {
        for (size_t j = 0; j < VOCAB; j++) {
            wanted[j] = (uint16_t)j;
            logits[j] = 77;
        }
        p[0].wanted = wanted;
        p[0].n_wanted = k;
        assert_int_equal(wsp_runner_next_token(r, p, 1, logits, NULL), WSP_OK);
        assert_near(logits, want, k, 1e-5);
        if (k == 2)
            assert_true(logits[k] == 77 && logits[VOCAB - 1] == 77);
    }
    for (uint16_t wrong = 0; wrong <= VOCAB; wrong += VOCAB) { /* not ascending; not a token */
        wanted[1] = wrong;
        assert_int_equal(wsp_runner_next_token(r, p, 1, logits, NULL), WSP_ERR_ARG);
    }
    wanted[1] = 1;
    p[0].len = 64;
    assert_int_equal(wsp_runner_next_token(r, p, 1, logits, NULL), WSP_ERR_ARG);
    for (size_t i = 0; i < 3; i++)
        free(memory[i]);
    free(context);
    free(logits);
    free(want);
    wsp_runner_free(r);
    wsp_model_free(m);
}

static void a_memory_changes_no_next_token(void **state)
{
    (void)state;
    check_memory(false);
    check_memory(true);
}

static double unit_of(void *arg, size_t i)
{
    return wspi_rng_unit((wspi_rng *)arg + i);
}

/* How often tokens are drawn against the odds that their logits are. */
static void check_draws(const wsp_model *m, const float *context, const uint16_t *wanted,
                        size_t n_wanted)
{
    enum { DRAWS = 20000 };
    float logits[2 * VOCAB], max;
    double sum, chi = 0;
    size_t seen[VOCAB] = {0}, n = wanted ? n_wanted : VOCAB;
    wsp_prefix p[2] = {{.context = context, .wanted = wanted, .n_wanted = n_wanted}};
    uint16_t token[2];
    wspi_rng rng[2];
    wsp_runner *r;

    p[1] = p[0];
    wspi_rng_seed(&rng[0], 1);
    wspi_rng_seed(&rng[1], 2);
    assert_int_equal(wsp_runner_new(&r, m, WSP_DTYPE_F32, NULL), WSP_OK);
    assert_int_equal(wsp_runner_next_token(r, p, 1, logits, NULL), WSP_OK);
    for (size_t k = 0; k < DRAWS / 2; k++) {
        assert_int_equal(wsp_runner_draw_token(r, p, 2, unit_of, rng, token, NULL), WSP_OK);
        seen[token[0]]++;
        seen[token[1]]++;
    }
    for (size_t j = 0; j < n; j++)
        logits[VOCAB + j] = logits[wanted ? wanted[j] : j];
    sum = (double)wspi_odds(logits + VOCAB, n, &max);
    for (size_t j = 0; j < n; j++) {
        double want = DRAWS * (double)logits[VOCAB + j] / sum, d;

        d = (double)seen[wanted ? wanted[j] : j] - want;
        chi += d * d / fmax(want, 1);
        seen[wanted ? wanted[j] : j] = 0;
    }
    for (size_t j = 0; j < VOCAB; j++)
        assert_int_equal(seen[j], 0); /* nothing but wanted tokens */
    /* of n - 1 degrees of freedom: the mean and six deviations */
    if (chi > (double)n + 6 * sqrt(2.0 * (double)n))
        fail_msg("chi square of %zu tokens: %g", n, chi);
    wsp_runner_free(r);
}

static void draws_are_as_likely_as_the_logits_say(void **state)
{
    /* ranges in whole, in part, one alone; few tokens and many */
    static const uint16_t some[] = {0, 1, 2, 3, 4, 5, 20, 21, 31, 40, 49}, inside[] = {3, 7, 19},
                          one[] = {33};
    float context[32];
    wspi_rng rng;

    (void)state;
    wspi_rng_seed(&rng, 3);
    for (size_t i = 0; i < 32; i++)
        context[i] = (float)wspi_rng_normal(&rng);
    for (int ranges = 0; ranges < 2; ranges++) {
        wsp_model *m = model_make_of(16, 6, ranges);

        for (size_t i = 0; i < wsp_model_parameters(m); i++) /* uneven odds */
            m->w[i] += (float)(0.2 * wspi_rng_normal(&rng));
        check_draws(m, context, NULL, 0);
        check_draws(m, context, some, WSPI_COUNT(some));
        check_draws(m, context, inside, WSPI_COUNT(inside));
        check_draws(m, context, one, WSPI_COUNT(one));
        wsp_model_free(m);
    }
}

static void wrong_batches_are_refused(void **state)
{
    static struct data d;
    wsp_model *m = model_make(16, 8);
    float *c = wspi_new_floats(MAX_PACKETS * 32);
    wsp_runner *r;

    (void)state;
    assert_int_equal(wsp_runner_new(&r, m, WSP_DTYPE_F32, NULL), WSP_OK);
    data_make(&d, 3, 5, 1);
    d.ids[1] = VOCAB;
    assert_int_equal(wsp_runner_classify(r, &d.b, c, NULL, NULL), WSP_ERR_ARG);
    data_make(&d, 3, 5, 1);
    d.packet[1] = 0;
    assert_int_equal(wsp_runner_classify(r, &d.b, c, NULL, NULL), WSP_ERR_ARG);
    data_make(&d, 3, 5, 1);
    d.flow[1] = 9999;
    assert_int_equal(wsp_runner_classify(r, &d.b, c, NULL, NULL), WSP_ERR_ARG);
    data_make(&d, 3, 5, 1);
    d.condition[2] = 5;
    assert_int_equal(wsp_runner_classify(r, &d.b, c, NULL, NULL), WSP_ERR_ARG);
    wsp_runner_free(r);
    wsp_model_free(m);
    free(c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(chunk_size_does_not_matter),
        cmocka_unit_test(packing_equals_separate_flows),
        cmocka_unit_test(streaming_equals_the_batch),
        cmocka_unit_test(packets_come_in_pieces_of_any_size),
        cmocka_unit_test(flows_that_begin_alike_are_computed_once),
        cmocka_unit_test(changed_weights_change_what_a_runner_says),
        cmocka_unit_test(int8_is_near_float32_and_no_type_to_train_with),
        cmocka_unit_test(bfloat16_is_near_float32_or_refused),
        cmocka_unit_test(a_memory_changes_no_next_token),
        cmocka_unit_test(draws_are_as_likely_as_the_logits_say),
        cmocka_unit_test(wrong_batches_are_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
