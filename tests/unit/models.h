/* SPDX-License-Identifier: Apache-2.0 */
/* models.h: small models and random batches for the tests of the engine. */
#ifndef WSPI_TEST_MODELS_H
#define WSPI_TEST_MODELS_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <math.h>

#include "model/model_int.h"

enum { VOCAB = 50, MAX_FLOWS = 16, MAX_PACKETS = 600, MAX_TOKENS = 6000 };

static const char *const letters[] = {"a", "b", "c"};
static const char *const digits[] = {"0", "1"};
static const wsp_head heads[] = {
    {.name = "letter",
     .n_labels = 3,
     .labels = letters,
     .temperature = 1.25f,
     .unknown_below = 0.3f},
    {.name = "digit", .n_labels = 2, .labels = digits, .temperature = 1},
};

/* A batch and its memory. */
struct data {
    wsp_batch b;
    uint16_t ids[MAX_TOKENS];
    uint32_t packet[MAX_PACKETS + 1], flow[MAX_FLOWS + 1];
    int32_t condition[MAX_FLOWS], labels[MAX_FLOWS * 2];
};

static inline void data_make(struct data *d, size_t flows, size_t packets, uint64_t seed)
{
    wspi_rng rng;
    size_t P = 0, N = 0;

    wspi_rng_seed(&rng, seed);
    d->packet[0] = d->flow[0] = 0;
    for (size_t f = 0; f < flows; f++) {
        size_t n = 1 + wspi_rng_below(&rng, packets);
        for (size_t p = 0; p < n; p++) {
            size_t k = 1 + wspi_rng_below(&rng, 9);
            while (k-- > 0)
                d->ids[N++] = (uint16_t)wspi_rng_below(&rng, VOCAB);
            d->packet[++P] = (uint32_t)N;
        }
        d->flow[f + 1] = (uint32_t)P;
        d->condition[f] = (int32_t)wspi_rng_below(&rng, 6) - 1;
        d->labels[2 * f] = (int32_t)wspi_rng_below(&rng, 4) - 1;
        d->labels[2 * f + 1] = (int32_t)wspi_rng_below(&rng, 2);
    }
    d->b = (wsp_batch){.n_flows = flows,
                       .n_packets = P,
                       .n_tokens = N,
                       .ids = d->ids,
                       .packet_off = d->packet,
                       .flow_off = d->flow,
                       .condition = d->condition,
                       .labels = d->labels};
}

/* A model whose softmax has one step, or two: ranges of one token, of many, and of all that is left. */
static inline wsp_model *model_make_of(uint32_t chunk, uint64_t seed, bool ranges)
{
    static const uint16_t first[] = {0, 1, 2, 20, 31};
    wsp_model_config cfg;
    wsp_model *m;

    assert_int_equal(wsp_model_config_named(&cfg, "tiny"), WSP_OK);
    cfg.vocab = VOCAB;
    cfg.vocab_version = 0x123456789abcdef0u;
    cfg.chunk = chunk;
    cfg.flow_layers = 2;
    cfg.text_first = 3;
    cfg.text_count = VOCAB / 2;
    cfg.ranges = ranges ? WSPI_COUNT(first) : 0;
    memcpy(cfg.range_first, first, sizeof first);
    assert_int_equal(wsp_model_new(&m, &cfg, heads, 2, seed, NULL), WSP_OK);
    return m;
}

static inline wsp_model *model_make(uint32_t chunk, uint64_t seed)
{
    return model_make_of(chunk, seed, false);
}

static inline void assert_near(const float *a, const float *b, size_t n, double tolerance)
{
    for (size_t i = 0; i < n; i++)
        if (!(fabs((double)a[i] - (double)b[i]) <= tolerance))
            fail_msg("[%zu]: %g and %g", i, (double)a[i], (double)b[i]);
}

static inline double loss_of(wsp_trainer *t, const wsp_batch *b)
{
    wsp_train_stats s;

    assert_int_equal(wsp_trainer_evaluate(t, b, &s, NULL), WSP_OK);
    return s.loss;
}

/* Slope of the loss along dir from w, from differences over several distances: their rounding is evened out. */
static inline double slope_of(wsp_trainer *t, const wsp_batch *b, wsp_tensor x, const float *w,
                              const float *dir, double step)
{
    enum { TIMES = 16 };
    double sum = 0;

    for (size_t k = 0; k < 2 * TIMES; k++) {
        double by = (k % 2 ? -step : step) * (1 + (double)(k / 2) / TIMES);

        for (size_t i = 0; i < x.count; i++)
            x.data[i] = w[i] + (float)by * dir[i];
        sum += loss_of(t, b) / (2 * by * TIMES);
    }
    memcpy(x.data, w, x.count * sizeof *w);
    return sum;
}

/* Along a direction of tensor x, the gradient's with a random one mixed in. */
static inline void check_slope(wsp_trainer *t, const wsp_batch *b, wsp_tensor x, wspi_rng *rng)
{
    float *keep = wspi_new_floats(x.count), *dir = wspi_new_floats(x.count);
    double norm = 0, expected = 0, size = 0, step, slope;

    for (size_t i = 0; i < x.count; i++)
        norm += (double)x.grad[i] * (double)x.grad[i];
    norm = sqrt(norm);
    assert_true(norm > 1e-7);
    for (size_t i = 0; i < x.count; i++) {
        double noise = wspi_rng_normal(rng) / sqrt((double)x.count);
        keep[i] = x.data[i];
        dir[i] = (float)((double)x.grad[i] / norm + noise);
        size += (double)dir[i] * (double)dir[i];
    }
    step = fmin(1e-3, 1e-4 / norm + 2e-4) /
           sqrt(size); /* the norms of almost empty states bend the loss */
    for (size_t i = 0; i < x.count; i++)
        expected += (double)x.grad[i] * (double)dir[i];
    slope = slope_of(t, b, x, keep, dir, step * 2 / 3);
    if (fabs(slope - expected) > 0.02 * fabs(expected) + 6e-5) /* losses are rounded to float32 */
        fail_msg("%s: gradient %g, finite difference %g", x.name, expected, slope);
    free(keep);
    free(dir);
}

#endif
