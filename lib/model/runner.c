/* SPDX-License-Identifier: Apache-2.0 */
/* runner.c: inference: classification, likelihoods, streaming states, next tokens. */
#include "model/model_int.h"

enum { PART_TOKENS = 2048, PART_STATES = 256 };

struct wsp_runner {
    wspi_engine e;
    /* the fresh unconditional state and its context, the same for every flow */
    bool start_known;
    float *start, *start_context;
    uint32_t *row; /* context row of each packet */
    size_t row_cap;
};

wsp_status wsp_runner_new(wsp_runner **out, const wsp_model *m, wsp_error *err)
{
    wsp_runner *r = wspi_new_array(1, sizeof *r);
    wsp_status st;

    *out = NULL;
    if (!r)
        return wspi_nomem(err, "a runner", sizeof *r);
    st = wspi_engine_init(&r->e, m, false, false, err);
    r->start = wspi_new_floats(wsp_state_size(m) / sizeof(float));
    r->start_context = wspi_new_floats(m->cfg.channels);
    if (st == WSP_OK && (!r->start || !r->start_context))
        st = wspi_nomem(err, "a runner", wsp_state_size(m));
    if (st < 0)
        wsp_runner_free(r);
    else
        *out = r;
    return st;
}

void wsp_runner_weights_changed(wsp_runner *r)
{
    r->start_known = false;
}

void wsp_runner_free(wsp_runner *r)
{
    if (!r)
        return;
    wspi_engine_clear(&r->e);
    free(r->start);
    free(r->start_context);
    free(r->row);
    free(r);
}

static wsp_status done(wsp_runner *r, wsp_error *err)
{
    wsp_status st = wspi_nn_status(r->e.nn);

    return st < 0 ? wspi_fail(err, st, 0, "a matrix product failed") : WSP_OK;
}

/* Logits of all heads for n rows of contexts, into rows p.. of the outputs. */
static void heads_fwd(wspi_engine *e, float *const *head_logits, const float *c, size_t p, size_t n)
{
    const wsp_model *m = e->m;

    for (size_t h = 0; head_logits && h < m->n_heads; h++) {
        size_t L = m->head[h].n_labels;
        float *y = head_logits[h] ? head_logits[h] + p * L : NULL;

        if (!y)
            continue;
        for (size_t i = 0; i < n; i++)
            memcpy(y + i * L, m->w + m->at.head_b[h], L * sizeof *y);
        wspi_gemm(e->nn, y, c, m->w + m->at.head_w[h], n, L, m->cfg.channels, WSPI_TB | WSPI_ADD);
    }
}

wsp_status wsp_runner_classify(wsp_runner *r, const wsp_batch *b, float *out,
                               float *const *head_logits, wsp_error *err)
{
    wspi_engine *e = &r->e;
    size_t C = e->m->cfg.channels;

    WSP_TRY(wspi_batch_check(e->m, b, err));
    wspi_nn_single_thread();
    for (size_t f = 0, end; f < b->n_flows; f = end) {
        end = wspi_part_end(b, f, b->n_flows, PART_TOKENS);
        WSP_TRY(wspi_engine_select(e, b, f, end, false, err));
        wspi_packet_fwd(e);
        wspi_flow_fwd(e);
        for (size_t i = 0; i < e->F; i++) {
            const float *c = e->c + (e->roff[i] + 1) * C;
            size_t p = b->flow_off[f + i], n = b->flow_off[f + i + 1] - p;

            if (out)
                memcpy(out + p * C, c, n * C * sizeof *out);
            heads_fwd(e, head_logits, c, p, n);
        }
    }
    return done(r, err);
}

wsp_status wsp_runner_nll(wsp_runner *r, const wsp_batch *b, float *nll, wsp_error *err)
{
    wspi_engine *e = &r->e;
    size_t C = e->m->cfg.channels, V = e->m->cfg.vocab;

    if (!e->m->cfg.output_layers)
        return wspi_fail(err, WSP_ERR_UNSUPPORTED, 0, "the model has no output stack");
    WSP_TRY(wspi_batch_check(e->m, b, err));
    wspi_nn_single_thread();
    for (size_t f = 0, end; f < b->n_flows; f = end) {
        end = wspi_part_end(b, f, b->n_flows, PART_TOKENS);
        WSP_TRY(wspi_engine_select(e, b, f, end, true, err));
        if (wspi_grow(&r->row, &r->row_cap, e->P, sizeof *r->row) < 0)
            return wspi_nomem(err, "context rows", e->P);
        for (size_t i = 0, p = 0; i < e->F; i++)
            for (size_t row = e->roff[i]; row + 1 < e->roff[i + 1]; row++)
                r->row[p++] = (uint32_t)row;
        wspi_packet_fwd(e);
        wspi_flow_fwd(e);
        wspi_output_fwd(e, e->c, r->row, false);
        for (size_t i = 0; i < e->N; i += WSPI_LM_ROWS) {
            size_t n = WSPI_MIN(e->N - i, (size_t)WSPI_LM_ROWS);
            for (size_t j = 0; j < n; j++)
                e->target[j] = e->ids[i + j];
            wspi_gemm(e->nn, e->logits, e->o_n + i * C, e->m->w + e->m->at.embed, n, V, C, WSPI_TB);
            wspi_xent(e->logits, nll + b->packet_off[b->flow_off[f]] + i, e->target, NULL, 0, n, V);
        }
    }
    return done(r, err);
}

size_t wsp_state_size(const wsp_model *m)
{
    return m->cfg.flow_layers * wspi_state_layer_size(&m->cfg) * sizeof(float);
}

static wsp_status start_part(wsp_runner *r, float *const *states, const int32_t *condition,
                             size_t n, float *context, wsp_error *err)
{
    wspi_engine *e = &r->e;
    wsp_status st;

    for (size_t i = 0; i < n; i++)
        memset(states[i], 0, wsp_state_size(e->m));
    e->state = states;
    st = wspi_engine_select_start(e, condition, n, err);
    if (st == WSP_OK) {
        wspi_packet_fwd(e);
        wspi_flow_fwd(e);
        if (context)
            memcpy(context, e->c, n * e->m->cfg.channels * sizeof *context);
        st = done(r, err);
    }
    e->state = NULL;
    return st;
}

wsp_status wsp_state_start(wsp_runner *r, float *const *states, const int32_t *condition, size_t n,
                           float *context, wsp_error *err)
{
    const wsp_model *m = r->e.m;
    size_t C = m->cfg.channels;

    for (size_t i = 0; condition && i < n; i++)
        if (condition[i] < -1 || condition[i] >= (int64_t)m->n_conditions)
            return wspi_fail(err, WSP_ERR_ARG, 0, "condition %d is unknown", condition[i]);
    wspi_nn_single_thread();
    if (!r->start_known)
        WSP_TRY(start_part(r, &r->start, NULL, 1, r->start_context, err));
    r->start_known = true;
    for (size_t i = 0; i < n; i++) {
        if (condition && condition[i] >= 0) {
            WSP_TRY(
                start_part(r, states + i, condition + i, 1, context ? context + i * C : NULL, err));
            continue;
        }
        memcpy(states[i], r->start, wsp_state_size(m));
        if (context)
            memcpy(context + i * C, r->start_context, C * sizeof *context);
    }
    return WSP_OK;
}

wsp_status wsp_state_step(wsp_runner *r, float *const *states, const wsp_batch *b, float *context,
                          float *const *head_logits, wsp_error *err)
{
    wspi_engine *e = &r->e;
    size_t C = e->m->cfg.channels;
    wsp_status st = WSP_OK;

    WSP_TRY(wspi_batch_check(e->m, b, err));
    if (b->n_flows != b->n_packets)
        return wspi_fail(err, WSP_ERR_ARG, 0, "a streaming step takes one packet of each flow");
    wspi_nn_single_thread();
    for (size_t f = 0; f < b->n_flows && st == WSP_OK; f += PART_STATES) {
        size_t end = WSPI_MIN(b->n_flows, f + PART_STATES);

        e->state = states + f;
        st = wspi_engine_select(e, b, f, end, false, err);
        if (st < 0)
            break;
        wspi_packet_fwd(e);
        wspi_flow_fwd(e);
        if (context)
            memcpy(context + f * C, e->c, e->F * C * sizeof *context);
        heads_fwd(e, head_logits, e->c, f, e->F);
    }
    e->state = NULL;
    return st < 0 ? st : done(r, err);
}

wsp_status wsp_runner_next_token(wsp_runner *r, const float *context, const uint16_t *ids,
                                 size_t stride, const uint32_t *len, size_t n, float *logits,
                                 wsp_error *err)
{
    wspi_engine *e = &r->e;
    size_t C = e->m->cfg.channels, V = e->m->cfg.vocab;

    if (!e->m->cfg.output_layers)
        return wspi_fail(err, WSP_ERR_UNSUPPORTED, 0, "the model has no output stack");
    for (size_t i = 0; i < n; i++) {
        if (len[i] >= e->m->cfg.max_tokens || len[i] > stride)
            return wspi_fail(err, WSP_ERR_ARG, 0, "a prefix of %u tokens is too long", len[i]);
        for (size_t j = 0; j < len[i]; j++)
            if (ids[i * stride + j] >= V)
                return wspi_fail(err, WSP_ERR_ARG, 0, "token %u is not below %zu",
                                 ids[i * stride + j], V);
    }
    if (n == 0)
        return WSP_OK;
    wspi_nn_single_thread();
    if (wspi_grow(&r->row, &r->row_cap, n, sizeof *r->row) < 0)
        return wspi_nomem(err, "context rows", n);
    WSP_TRY(wspi_engine_select_prefix(e, ids, stride, len, n, err));
    for (size_t i = 0; i < n; i++)
        r->row[i] = (uint32_t)i;
    wspi_output_fwd(e, context, r->row, true);
    for (size_t i = 0; i < n; i++)
        memcpy(e->branch + i * C, e->o_n + (e->poff[i + 1] - 1) * C, C * sizeof(float));
    wspi_gemm(e->nn, logits, e->branch, e->m->w + e->m->at.embed, n, V, C, WSPI_TB);
    return done(r, err);
}
