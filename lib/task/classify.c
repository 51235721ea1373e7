/* SPDX-License-Identifier: Apache-2.0 */
/* classify.c: probabilities of a head for the flows of a set. */
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
    float *context, *logits;
    size_t cap_context, cap_logits;
    float **heads; /* one pointer per head of the model, NULL but for ours */
} scratch;

static wsp_status run_batch(wsp_runner *r, const wsp_model *m, size_t head, scratch *s,
                            wsp_error *err)
{
    const wsp_batch *b = &s->batcher.batch;
    size_t C = wsp_model_config_get(m)->channels, L = wsp_model_head(m, head)->n_labels;

    if (wspi_grow(&s->context, &s->cap_context, b->n_packets * C, sizeof *s->context) < 0 ||
        wspi_grow(&s->logits, &s->cap_logits, b->n_packets * L, sizeof *s->logits) < 0)
        return wspi_nomem(err, "a batch of flows", b->n_packets * (C + L) * sizeof *s->logits);
    s->heads[head] = s->logits;
    return wsp_runner_classify(r, b, s->context, s->heads, err);
}

static wsp_status classify_all(wsp_runner *r, const wsp_model *m, const wsp_tokens *t, size_t head,
                               const wspi_view *v, const uint32_t *order, scratch *s, float *prob,
                               uint32_t *packets, wsp_error *err)
{
    const wsp_head *h = wsp_model_head(m, head);

    for (size_t at = 0, taken; at < t->n_flows; at += taken) {
        if (wspi_batcher_fill(&s->batcher, v, t, order + at, t->n_flows - at, BATCH_TOKENS, NULL, 0,
                              &taken) < 0)
            return wspi_nomem(err, "a batch of flows", BATCH_TOKENS);
        WSP_TRY(run_batch(r, m, head, s, err));
        for (size_t i = 0; i < taken; i++) {
            size_t last = s->batcher.flow_off[i + 1] - 1u;
            packets[at + i] = s->batcher.flow_off[i + 1] - s->batcher.flow_off[i];
            probabilities(prob + (at + i) * h->n_labels, s->logits + last * h->n_labels,
                          h->n_labels, h->temperature);
        }
    }
    return WSP_OK;
}

wsp_status wsp_classify(const wsp_model *m, const wsp_tokens *t, size_t head, float *prob,
                        uint32_t *packets, wsp_error *err)
{
    wsp_view_options o = view_of(m);
    scratch s = {.context = NULL};
    uint32_t *order;
    wsp_runner *r = NULL;
    wspi_view v;
    wsp_status st;

    if (head >= wsp_model_head_count(m))
        return wspi_fail(err, WSP_ERR_ARG, 0, "the model has no head number %zu", head);
    if (wsp_model_config_get(m)->vocab_version != wsp_vocab_version())
        return wspi_fail(err, WSP_ERR_UNSUPPORTED, 0,
                         "the model was trained with another vocabulary (%016llx, this program has "
                         "%016llx): train it again",
                         (unsigned long long)wsp_model_config_get(m)->vocab_version,
                         (unsigned long long)wsp_vocab_version());
    WSP_TRY(wspi_view_make(&v, t, &o, wsp_model_config_get(m)->max_tokens, false, err));
    order = wspi_new_array(t->n_flows, sizeof *order);
    s.heads = wspi_new_array(wsp_model_head_count(m), sizeof *s.heads);
    st = order && s.heads ? wsp_runner_new(&r, m, err) : wspi_nomem(err, "flows", t->n_flows);
    for (size_t i = 0; order && i < t->n_flows; i++)
        order[i] = (uint32_t)i;
    if (st == WSP_OK)
        st = classify_all(r, m, t, head, &v, order, &s, prob, packets, err);
    wsp_runner_free(r);
    wspi_batcher_clear(&s.batcher);
    wspi_view_clear(&v);
    free(s.context);
    free(s.logits);
    free(s.heads);
    free(order);
    return st;
}
