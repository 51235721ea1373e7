/* SPDX-License-Identifier: Apache-2.0 */
/* verdict.c: asks a model about the flows of a set, and reads its heads' answers. */
#include "verdict.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* ---- asking ---- */

static bool make_room(const question *q, size_t n_flows, answers *a)
{
    size_t heads = wsp_model_head_count(q->m), n = n_flows + 1;
    bool room;

    a->prob = calloc(heads + 1, sizeof *a->prob);
    a->early = calloc(heads + 1, sizeof *a->early);
    a->packets = calloc(n, sizeof *a->packets);
    a->outside = calloc(n, sizeof *a->outside);
    a->surprise = q->surprise ? calloc(n, sizeof *a->surprise) : NULL;
    a->context =
        q->context ? calloc(n, wsp_model_config_get(q->m)->channels * sizeof(float)) : NULL;
    room = a->prob && a->early && a->packets && a->outside && (!q->surprise || a->surprise) &&
           (!q->context || a->context);
    for (size_t k = 0; room && k < q->n; k++) {
        size_t h = q->head[k];
        a->prob[h] = calloc(n, wsp_model_head(q->m, h)->n_labels * sizeof(float));
        a->early[h] = q->early ? calloc(n, q->max_packets * sizeof(wsp_early)) : NULL;
        room = a->prob[h] && (!q->early || a->early[h]);
    }
    return room;
}

int answers_ask(const question *q, const wsp_tokens *t, answers *a)
{
    wsp_wanted want;
    wsp_error err;

    if (!make_room(q, t->n_flows, a))
        return cli_fail("no memory for %zu flows", t->n_flows);
    want = (wsp_wanted){.prob = a->prob,
                        .early = a->early,
                        .packets = a->packets,
                        .outside = a->outside,
                        .context = a->context,
                        .surprise = a->surprise};
    return wsp_ask(q->m, t, &q->run, &want, &a->shared, &err) < 0 ? cli_fail_error(&err) : CLI_OK;
}

void answers_clear(const question *q, answers *a)
{
    for (size_t h = 0; h < wsp_model_head_count(q->m); h++) {
        if (a->prob)
            free(a->prob[h]);
        if (a->early)
            free(a->early[h]);
    }
    free(a->prob);
    free(a->early);
    free(a->packets);
    free(a->outside);
    free(a->surprise);
    free(a->context);
    *a = (answers){.prob = NULL};
}

/* ---- reading ---- */

static verdict judge(const question *q, size_t head, wsp_early said)
{
    const wsp_head *h = wsp_model_head(q->m, head);
    bool unknown = wsp_is_unknown(h, said, q->least);

    return (verdict){.head = h->name,
                     .label = unknown ? "unknown" : h->labels[said.label],
                     .number = unknown ? h->n_labels : said.label,
                     .confidence = (double)said.confidence,
                     .outside = said.outside};
}

verdict verdict_of(const question *q, size_t head, const float *prob, bool outside)
{
    return judge(q, head, wsp_likeliest(wsp_model_head(q->m, head), prob, outside));
}

verdict answers_verdict(const question *q, const answers *a, size_t head, size_t flow)
{
    size_t L = wsp_model_head(q->m, head)->n_labels;

    return verdict_of(q, head, a->prob[head] + flow * L, a->outside[flow] >> head & 1);
}

verdict answers_early(const question *q, const answers *a, size_t head, size_t flow, size_t packet)
{
    return judge(q, head, a->early[head][flow * q->max_packets + packet]);
}

uint32_t answers_decided(const question *q, const answers *a, size_t head, size_t flow)
{
    uint32_t n = a->packets[flow];
    const char *last = answers_early(q, a, head, flow, n - 1).label;

    while (n > 1 && strcmp(answers_early(q, a, head, flow, n - 2).label, last) == 0)
        n--;
    return n;
}

size_t verdict_top(const question *q, size_t head, const float *prob, size_t k, ranked *out)
{
    const wsp_head *h = wsp_model_head(q->m, head);
    size_t n = 0;

    for (size_t l = 0; l < h->n_labels; l++) {
        size_t at = n;

        while (at > 0 && (double)prob[l] > out[at - 1].confidence)
            at--;
        if (at == k || l == h->background)
            continue;
        n += n < k;
        memmove(out + at + 1, out + at, (n - 1 - at) * sizeof *out);
        out[at] = (ranked){h->labels[l], (double)prob[l]};
    }
    return n;
}

size_t answers_top(const question *q, const answers *a, size_t head, size_t flow, size_t k,
                   ranked *out)
{
    size_t L = wsp_model_head(q->m, head)->n_labels;

    return verdict_top(q, head, a->prob[head] + flow * L, k, out);
}
