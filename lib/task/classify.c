/* SPDX-License-Identifier: Apache-2.0 */
/* classify.c: probabilities of heads for the flows of a set. */
#include <math.h>

#include "task/task_int.h"

enum { BATCH_TOKENS = 16384 };

static size_t meta_number(const wsp_model *m, const char *key, size_t otherwise)
{
    const char *text = wsp_model_meta_get(m, key);
    unsigned long v = text ? strtoul(text, NULL, 10) : 0;

    return v ? v : otherwise;
}

/* What the model was trained to see; defaults where its file does not say. */
static wsp_view_options view_of(const wsp_model *m)
{
    wsp_view_options o = wsp_view_options_default();

    o.policy = wsp_model_meta_get(m, "policy");
    o.max_packets = meta_number(m, "max_packets", o.max_packets);
    o.max_payload = meta_number(m, "max_payload", o.max_payload);
    return o;
}

/* softmax(logits / temperature) */
static void probabilities(float *prob, const float *logits, size_t n, float temperature)
{
    float top = logits[0];
    double sum = 0;

    for (size_t i = 1; i < n; i++)
        top = WSPI_MAX(top, logits[i]);
    for (size_t i = 0; i < n; i++) {
        prob[i] = expf((logits[i] - top) / temperature);
        sum += (double)prob[i];
    }
    for (size_t i = 0; i < n; i++)
        prob[i] = (float)((double)prob[i] / sum);
}

typedef struct scratch {
    wspi_batcher batcher;
    float *context;
    size_t cap_context;
    float **logits; /* [heads of the model], NULL for those that nobody wants */
    size_t *cap_logits;
} scratch;

static void scratch_clear(scratch *s, size_t n_heads)
{
    wspi_batcher_clear(&s->batcher);
    free(s->context);
    for (size_t h = 0; s->logits && h < n_heads; h++)
        free(s->logits[h]);
    free(s->logits);
    free(s->cap_logits);
}

static wsp_status run_batch(wsp_runner *r, const wsp_model *m, float *const *prob, scratch *s,
                            wsp_error *err)
{
    const wsp_batch *b = &s->batcher.batch;
    size_t C = wsp_model_config_get(m)->channels;
    wsp_status st = wspi_grow(&s->context, &s->cap_context, b->n_packets * C, sizeof *s->context);

    for (size_t h = 0; st == WSP_OK && h < wsp_model_head_count(m); h++)
        if (prob[h])
            st = wspi_grow(&s->logits[h], &s->cap_logits[h],
                           b->n_packets * wsp_model_head(m, h)->n_labels, sizeof **s->logits);
    if (st < 0)
        return wspi_nomem(err, "a batch of flows", b->n_packets * C * sizeof *s->context);
    return wsp_runner_classify(r, b, s->context, s->logits, err);
}

/* Head by head, the probabilities after the last packets of the batch's flows, which are flows `at` on. */
static void take_answers(const wsp_model *m, const scratch *s, size_t at, size_t n,
                         float *const *prob)
{
    for (size_t h = 0; h < wsp_model_head_count(m); h++) {
        const wsp_head *head = wsp_model_head(m, h);
        size_t L = head->n_labels;

        for (size_t i = 0; prob[h] && i < n; i++)
            probabilities(prob[h] + (at + i) * L,
                          s->logits[h] + (s->batcher.flow_off[i + 1] - 1u) * L, L,
                          head->temperature);
    }
}

static wsp_status classify_all(wsp_runner *r, const wsp_model *m, const wsp_tokens *t,
                               const wspi_view *v, const uint32_t *order, scratch *s,
                               float *const *prob, uint32_t *packets, wsp_error *err)
{
    for (size_t at = 0, taken; at < t->n_flows; at += taken) {
        if (wspi_batcher_fill(&s->batcher, v, t, order + at, t->n_flows - at, BATCH_TOKENS, NULL, 0,
                              &taken) < 0)
            return wspi_nomem(err, "a batch of flows", BATCH_TOKENS);
        WSP_TRY(run_batch(r, m, prob, s, err));
        for (size_t i = 0; i < taken; i++)
            packets[at + i] = s->batcher.flow_off[i + 1] - s->batcher.flow_off[i];
        take_answers(m, s, at, taken, prob);
    }
    return WSP_OK;
}

wsp_status wsp_classify(const wsp_model *m, const wsp_tokens *t, float *const *prob,
                        uint32_t *packets, wsp_error *err)
{
    wsp_view_options o = view_of(m);
    size_t n_heads = wsp_model_head_count(m);
    scratch s = {.context = NULL};
    uint32_t *order;
    wsp_runner *r = NULL;
    wspi_view v;
    wsp_status st;

    if (wsp_model_config_get(m)->vocab_version != wsp_vocab_version())
        return wspi_fail(err, WSP_ERR_UNSUPPORTED, 0,
                         "the model was trained with another vocabulary (%016llx, this program has "
                         "%016llx): train it again",
                         (unsigned long long)wsp_model_config_get(m)->vocab_version,
                         (unsigned long long)wsp_vocab_version());
    WSP_TRY(wspi_view_make(&v, t, &o, wsp_model_config_get(m)->max_tokens, false, err));
    order = wspi_new_array(t->n_flows, sizeof *order);
    s.logits = wspi_new_array(n_heads, sizeof *s.logits);
    s.cap_logits = wspi_new_array(n_heads, sizeof *s.cap_logits);
    st = order && s.logits && s.cap_logits ? wsp_runner_new(&r, m, err)
                                           : wspi_nomem(err, "flows", t->n_flows);
    for (size_t i = 0; order && i < t->n_flows; i++)
        order[i] = (uint32_t)i;
    if (st == WSP_OK)
        st = classify_all(r, m, t, &v, order, &s, prob, packets, err);
    wsp_runner_free(r);
    scratch_clear(&s, n_heads);
    wspi_view_clear(&v);
    free(order);
    return st;
}
