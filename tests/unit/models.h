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

#endif
