/* SPDX-License-Identifier: Apache-2.0 */
/* references.c: contexts of some training flows of every label, which the model's file carries along: enrolling compares with them. */
#include "task/task_int.h"

enum { PER_LABEL = 16 };

/* The flows in an order of chance, the same at every call. */
static uint32_t *shuffled(size_t n)
{
    uint32_t *order = wspi_new_array(n, sizeof *order);
    wspi_rng rng;

    wspi_rng_seed(&rng, 1);
    for (size_t i = 0; order && i < n; i++) {
        size_t k = (size_t)wspi_rng_below(&rng, i + 1);
        order[i] = order[k];
        order[k] = (uint32_t)i;
    }
    return order;
}

/* want[i] becomes true for PER_LABEL flows of every label of the head. */
static wsp_status choose(const int32_t *label, size_t n_labels, const uint32_t *order, size_t n,
                         bool *want)
{
    size_t *count = wspi_new_array(n_labels, sizeof *count);

    if (!count)
        return WSP_ERR_NOMEM;
    for (size_t i = 0; i < n; i++) {
        int32_t l = label[order[i]];
        if (l >= 0 && count[l] < PER_LABEL) {
            count[l]++;
            want[order[i]] = true;
        }
    }
    free(count);
    return WSP_OK;
}

/* Labels of the model's heads for all flows: [heads][n_flows], and which flows are wanted. */
static wsp_status choose_all(const wsp_model *m, const wsp_tokens *t, int32_t *label, bool *want)
{
    uint32_t *order = shuffled(t->n_flows);
    wsp_status st = order ? WSP_OK : WSP_ERR_NOMEM;

    for (size_t h = 0; st == WSP_OK && h < wsp_model_head_count(m); h++) {
        (void)wspi_match_taught(m, h, t, label + h * t->n_flows);
        st =
            choose(label + h * t->n_flows, wsp_model_head(m, h)->n_labels, order, t->n_flows, want);
    }
    free(order);
    return st;
}

/* What was enrolled was learned of examples that no training set has: their contexts stay. How many rows there are then. */
static size_t keep_enrolled(const wsp_model *m, const bool *apart, float *context, int32_t *of,
                            size_t n)
{
    const wsp_references r = wsp_model_references(m);
    size_t H = wsp_model_head_count(m), C = wsp_model_config_get(m)->channels;

    for (size_t i = 0; i < r.n && n < WSP_MAX_REFERENCES; i++) {
        bool stays = false;
        size_t first = 0;

        for (size_t h = 0; h < H; first += wsp_model_head(m, h++)->n_labels) {
            int32_t l = r.label[i * H + h];
            stays = stays || (l >= 0 && apart[first + (size_t)l]);
        }
        if (!stays)
            continue;
        memcpy(context + n * C, r.context + i * C, C * sizeof *context);
        memcpy(of + n++ * H, r.label + i * H, H * sizeof *of);
    }
    return n;
}

static wsp_status keep(wsp_model *m, const wsp_tokens *t, const uint32_t *flow, size_t n,
                       const int32_t *label, const wsp_classify_options *opt, wsp_error *err)
{
    size_t H = wsp_model_head_count(m), C = wsp_model_config_get(m)->channels,
           room = n + wsp_model_references(m).n;
    float *context = wspi_new_array(room * C, sizeof *context);
    int32_t *of = wspi_new_array(room * H, sizeof *of);
    bool *apart = wspi_enrolled_apart(m, t);
    wsp_tokens *some = NULL;
    wsp_status st = context && of && apart
                        ? wsp_tokens_select(&some, t, &(wsp_selection){.flows = flow, .n = n}, err)
                        : wspi_nomem(err, "reference contexts", n * C);

    if (st == WSP_OK)
        st = wsp_ask(m, some, opt, &(wsp_wanted){.context = context}, NULL, err);
    for (size_t i = 0; st == WSP_OK && i < n; i++)
        for (size_t h = 0; h < H; h++)
            of[i * H + h] = WSPI_MAX(label[h * t->n_flows + flow[i]], WSP_UNLABELLED);
    if (st == WSP_OK)
        st = wsp_model_references_set(
            m, &(wsp_references){keep_enrolled(m, apart, context, of, n), context, of}, err);
    wsp_tokens_free(some);
    free(apart);
    free(context);
    free(of);
    return st;
}

wsp_status wsp_references_learn(wsp_model *m, const wsp_tokens *train,
                                const wsp_classify_options *opt, wsp_error *err)
{
    size_t H = wsp_model_head_count(m), n = 0, cells;
    int32_t *label = NULL;
    bool *want = wspi_new_array(train->n_flows, sizeof *want);
    uint32_t *flow = wspi_new_array(train->n_flows, sizeof *flow);
    wsp_status st = WSP_ERR_NOMEM;

    if (wspi_mul(H, train->n_flows, &cells))
        label = wspi_new_array(cells, sizeof *label);
    if (want && flow && label)
        st = choose_all(m, train, label, want);
    if (st < 0)
        (void)wspi_nomem(err, "reference contexts", train->n_flows);
    for (size_t i = 0; st == WSP_OK && i < train->n_flows && n < WSP_MAX_REFERENCES; i++)
        if (want[i])
            flow[n++] = (uint32_t)i;
    if (st == WSP_OK && n)
        st = keep(m, train, flow, n, label, opt, err);
    free(label);
    free(want);
    free(flow);
    return st;
}
