/* SPDX-License-Identifier: Apache-2.0 */
/*
 * coding.c: how long flows are when an arithmetic coder asks a model what comes next. What the model does not read (packets
 * beyond its first ones, text beyond its first tokens) is coded by frequencies, with what a reader needs to know where it
 * stands: how many packets of a flow the model tells, and where a packet's other tokens end.
 */
#include "base/order0.h"
#include "task/task_int.h"
#include "token/token_int.h"

struct wsp_coding {
    const wsp_model *m;
    wsp_classify_options opt;
    wsp_view_options view;
    size_t max_tokens;
    wspi_order0 *rest, *counts;
    wsp_coded coded;
};

wsp_status wsp_coding_new(wsp_coding **out, const wsp_model *m, const wsp_classify_options *opt,
                          wsp_error *err)
{
    wsp_coding *c = wspi_new_array(1, sizeof *c);
    wsp_status st = WSP_ERR_NOMEM;

    *out = NULL;
    if (c) {
        c->m = m;
        c->opt = opt ? *opt : (wsp_classify_options){.threads = 0};
        c->view = wsp_view_options_of(m);
        c->view.policy = "everything";
        c->max_tokens = wsp_model_config_get(m)->max_tokens;
        st = wspi_order0_new(&c->rest, wsp_vocab_size());
        if (st == WSP_OK)
            st = wspi_order0_new(&c->counts, WSP_MAX_READ + 1);
    }
    if (st < 0) {
        wsp_coding_free(c);
        return wspi_nomem(err, "coders", 1);
    }
    *out = c;
    return WSP_OK;
}

void wsp_coding_free(wsp_coding *c)
{
    if (!c)
        return;
    wspi_order0_free(c->rest);
    wspi_order0_free(c->counts);
    free(c);
}

static wsp_status put_rest(wsp_coding *c, uint16_t id)
{
    c->coded.rest++;
    return wspi_order0_put(c->rest, id);
}

/* Tokens of a packet that the model was not shown, closed by flow.end, which no packet has; nothing where there can be none. */
static wsp_status put_cut(wsp_coding *c, const uint16_t *ids, size_t n, const uint16_t *kept,
                          size_t n_kept)
{
    size_t text = 0, at = 0;

    for (size_t i = 0; i < n_kept; i++)
        text += wspi_in_group(kept[i], WSPI_T_TEXT);
    if (text < c->view.max_payload && n_kept < c->max_tokens)
        return WSP_OK;
    for (size_t i = 0; i < n; i++) {
        bool last = i + 1 == n; /* the end of a packet is kept whatever is cut before */
        if (at < n_kept && ids[i] == kept[at] && (last || at + 1 < n_kept))
            at++;
        else
            WSP_TRY(put_rest(c, ids[i]));
    }
    return put_rest(c, wspi_flow_end_token());
}

/* One flow but for what the model tells of it. */
static wsp_status put_flow(wsp_coding *c, const wsp_tokens *t, const wspi_view *v, size_t flow)
{
    const uint16_t end = wspi_flow_end_token();
    uint64_t p = t->flow_off[flow], told = v->flow_off[flow + 1] - v->flow_off[flow];

    WSP_TRY(wspi_order0_put(c->counts, (uint32_t)told));
    for (uint64_t k = v->flow_off[flow]; k < v->flow_off[flow + 1]; k++, p++) {
        size_t n = (size_t)(v->packet_off[k + 1] - v->packet_off[k]);
        c->coded.told += n;
        WSP_TRY(put_cut(c, t->ids + t->packet_off[p],
                        (size_t)(t->packet_off[p + 1] - t->packet_off[p]),
                        v->ids + v->packet_off[k], n));
    }
    for (uint64_t i = t->packet_off[p]; i < t->packet_off[t->flow_off[flow + 1]]; i++)
        if (t->ids[i] != end)
            WSP_TRY(put_rest(c, t->ids[i]));
    return put_rest(c, end);
}

wsp_status wsp_coding_add(wsp_coding *c, const wsp_tokens *t, wsp_error *err)
{
    float *surprise = wspi_new_array(t->n_flows, sizeof *surprise);
    uint32_t *packets = wspi_new_array(t->n_flows, sizeof *packets);
    wspi_view v = {.n_flows = 0};
    wsp_status st = surprise && packets ? WSP_OK : wspi_nomem(err, "surprises", t->n_flows);

    if (st == WSP_OK)
        st = wspi_view_make(&v, t, &c->view, c->max_tokens, false, err);
    if (st == WSP_OK)
        st = wsp_ask(c->m, t, &c->opt, &(wsp_wanted){.surprise = surprise, .packets = packets},
                     NULL, err);
    for (size_t i = 0; st == WSP_OK && i < t->n_flows; i++) {
        if (packets[i])
            c->coded.model_bits += (double)surprise[i] * packets[i];
        st = put_flow(c, t, &v, i);
        if (st < 0)
            (void)wspi_fail(err, st, 0, "flow %zu cannot be coded", i);
    }
    wspi_view_clear(&v);
    free(surprise);
    free(packets);
    return st;
}

wsp_status wsp_coding_finish(wsp_coding *c, wsp_coded *out)
{
    WSP_TRY(wspi_order0_finish(c->rest));
    WSP_TRY(wspi_order0_finish(c->counts));
    c->coded.rest_bytes = wspi_order0_size(c->rest) + wspi_order0_size(c->counts);
    *out = c->coded;
    return WSP_OK;
}
