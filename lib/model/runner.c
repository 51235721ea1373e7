/* SPDX-License-Identifier: Apache-2.0 */
/* runner.c: inference: classification, likelihoods, streaming states. */
#include "model/runner_int.h"

/* Likelihoods come in parts of about so many tokens; states step in parts of so many flows; long flows in pieces of so
 * many packets; trees take flows of about so many packets. */
enum {
    PART_TOKENS = 2048,
    PART_STATES = 256,
    PIECE_PACKETS = 1024,
    TREE_PACKETS = 65536,
};

wsp_status wsp_runner_new(wsp_runner **out, const wsp_model *m, wsp_dtype dtype, wsp_error *err)
{
    wsp_runner *r = wspi_new_array(1, sizeof *r);
    wsp_status st;

    *out = NULL;
    if (!r)
        return wspi_nomem(err, "a runner", sizeof *r);
    st = wspi_engine_init(&r->e, m, false, dtype, err);
    r->start = wspi_new_floats(wsp_state_size(m) / sizeof(float));
    r->long_state = wspi_new_floats(wsp_state_size(m) / sizeof(float));
    r->start_context = wspi_new_floats(m->cfg.channels);
    if (st == WSP_OK && (!r->start || !r->long_state || !r->start_context))
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
    wspi_engine_weights_changed(&r->e);
}

wsp_runner_stats wsp_runner_stats_get(const wsp_runner *r)
{
    return r->stats;
}

void wsp_runner_free(wsp_runner *r)
{
    if (!r)
        return;
    wspi_engine_clear(&r->e);
    wspi_share_clear(&r->share);
    free(r->start);
    free(r->long_state);
    free(r->start_context);
    free(r->row);
    free(r->speech);
    free(r->memory);
    free(r->own);
    free(r->dense);
    free(r->row_logits);
    free(r->span);
    free(r->half_embed);
    free(r);
}

wsp_status wspi_runner_done(wsp_runner *r, wsp_error *err)
{
    wsp_status st = wspi_nn_status(r->e.nn);

    return st < 0 ? wspi_fail(err, st, 0, "a matrix product failed: %s", wsp_status_name(st))
                  : WSP_OK;
}

wsp_status wspi_read_packets(wsp_runner *r, wsp_error *err)
{
    r->stats.packets_read += r->e.met.n - r->e.met.n_vectors;
    return wspi_vectors_fwd(&r->e, err);
}

void wspi_head_fwd(wspi_engine *e, size_t h, float *y, const float *c, size_t n)
{
    const wsp_model *m = e->m;
    size_t L = m->head[h].n_labels;

    for (size_t i = 0; i < n; i++)
        memcpy(y + i * L, m->w + m->at.head_b[h], L * sizeof *y);
    wspi_gemm(e->nn, y, c, m->w + m->at.head_w[h], n, L, m->cfg.channels,
              WSPI_TB | WSPI_ADD | WSPI_WEIGHT);
}

/* Flows [f0, f1) go on where their states stand; contexts and logits of their packets. */
static wsp_status go_on(wsp_runner *r, float *const *states, const wsp_batch *b, size_t f0,
                        size_t f1, float *context, float *const *head_logits, wsp_error *err)
{
    wspi_engine *e = &r->e;
    size_t C = e->m->cfg.channels, p = b->flow_off[f0];
    wsp_status st;

    e->state = states;
    st = wspi_engine_select(e, b, f0, f1, false, err);
    if (st == WSP_OK)
        st = wspi_read_packets(r, err);
    if (st == WSP_OK) {
        wspi_rows_fwd(e);
        wspi_flow_fwd(e);
        if (context)
            memcpy(context + p * C, e->c, e->R * C * sizeof *context);
        for (size_t h = 0; head_logits && h < e->m->n_heads; h++)
            if (head_logits[h])
                wspi_head_fwd(e, h, head_logits[h] + p * e->m->head[h].n_labels, e->c, e->R);
        r->stats.packets += e->P;
        r->stats.rows += e->P;
        r->stats.rows_run += e->P;
    }
    e->state = NULL;
    return st;
}

/* Flow f in pieces, so that a flow of any length needs the memory of one piece. */
static wsp_status go_on_in_pieces(wsp_runner *r, float *const *state, const wsp_batch *b, size_t f,
                                  float *context, float *const *head_logits, wsp_error *err)
{
    for (uint32_t p = b->flow_off[f], end = b->flow_off[f + 1]; p < end;) {
        const uint32_t piece[] = {p, WSPI_MIN(end, p + (uint32_t)PIECE_PACKETS)};
        const wsp_batch part = {
            .n_flows = 1, .ids = b->ids, .packet_off = b->packet_off, .flow_off = piece};

        WSP_TRY(go_on(r, state, &part, 0, 1, context, head_logits, err));
        p = piece[1];
    }
    return WSP_OK;
}

/* End of a run of flows for one tree that starts at f0; f0 itself where that flow is too long for any. */
static size_t tree_end(const wsp_batch *b, size_t f0)
{
    size_t f = f0;

    while (f < b->n_flows && b->flow_off[f + 1] - b->flow_off[f] <= WSPI_TREE_DEPTH &&
           b->flow_off[f + 1] - b->flow_off[f0] <= TREE_PACKETS)
        f++;
    return f;
}

wsp_status wsp_runner_classify(wsp_runner *r, const wsp_batch *b, float *out,
                               float *const *head_logits, wsp_error *err)
{
    WSP_TRY(wspi_batch_check(r->e.m, b, err));
    for (size_t f = 0, end; f < b->n_flows; f = end) {
        end = tree_end(b, f);
        if (end > f) {
            WSP_TRY(wspi_share_classify(r, b, f, end, out, head_logits, err));
            continue;
        }
        end = f + 1;
        WSP_TRY(wsp_state_start(r, &r->long_state, b->condition ? b->condition + f : NULL, 1, NULL,
                                err));
        WSP_TRY(go_on_in_pieces(r, &r->long_state, b, f, out, head_logits, err));
    }
    return wspi_runner_done(r, err);
}

wsp_status wsp_runner_nll(wsp_runner *r, const wsp_batch *b, float *nll, wsp_error *err)
{
    wspi_engine *e = &r->e;

    if (!e->m->cfg.output_layers)
        return wspi_fail(err, WSP_ERR_UNSUPPORTED, 0, "the model has no output stack");
    WSP_TRY(wspi_batch_check(e->m, b, err));
    for (size_t f = 0, end; f < b->n_flows; f = end) {
        end = wspi_part_end(b, f, b->n_flows, PART_TOKENS);
        WSP_TRY(wspi_engine_select(e, b, f, end, true, err));
        if (wspi_grow(&r->row, &r->row_cap, e->P, sizeof *r->row) < 0)
            return wspi_nomem(err, "context rows", e->P);
        for (size_t i = 0, p = 0; i < e->F; i++)
            for (size_t row = e->roff[i]; row + 1 < e->roff[i + 1]; row++)
                r->row[p++] = (uint32_t)row;
        WSP_TRY(wspi_read_packets(r, err));
        wspi_rows_fwd(e);
        wspi_flow_fwd(e);
        wspi_output_fwd(e, r->row);
        wspi_next_loss(e, nll + b->packet_off[b->flow_off[f]], 0);
    }
    return wspi_runner_done(r, err);
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
        wspi_rows_fwd(e);
        wspi_flow_fwd(e);
        if (context)
            memcpy(context, e->c, n * e->m->cfg.channels * sizeof *context);
        st = wspi_runner_done(r, err);
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
    WSP_TRY(wspi_batch_check(r->e.m, b, err));
    for (size_t f = 0, end; f < b->n_flows; f = end) {
        end = wspi_part_end(b, f, WSPI_MIN(b->n_flows, f + PART_STATES), PART_TOKENS);
        if (end == f + 1)
            WSP_TRY(go_on_in_pieces(r, states + f, b, f, context, head_logits, err));
        else
            WSP_TRY(go_on(r, states + f, b, f, end, context, head_logits, err));
    }
    return wspi_runner_done(r, err);
}
