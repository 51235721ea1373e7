/* SPDX-License-Identifier: Apache-2.0 */
/* replies.c: what a model says of a set, flow by flow or capture by capture, and the scores of it. */
#include "task/task_int.h"

struct wsp_replies {
    wspi_answers flows;
    wspi_polled *polled; /* [heads], of captures; NULL: the rows are flows */
    wsp_answers *rows;   /* [heads], zeros: nothing to score */
    uint32_t *capture;   /* [n_flows] */
};

/* *n: heads that have a capture that can be scored. */
static wsp_status poll_heads(wsp_replies *r, const wsp_model *m, const wsp_tokens *t, size_t *n)
{
    *n = 0;
    r->polled = wspi_new_array(r->flows.n_heads, sizeof *r->polled);
    if (!r->polled)
        return WSP_ERR_NOMEM;
    for (size_t h = 0; h < r->flows.n_heads; h++) {
        wsp_answers of = wspi_answers_of(&r->flows, m, h);
        if (!r->flows.prob[h])
            continue;
        WSP_TRY(wspi_polled_make(&r->polled[h], &of, t, r->flows.outside, h));
        if (!r->polled[h].captures.flows)
            continue;
        r->rows[h] = wspi_polled_answers(&r->polled[h], &of);
        ++*n;
    }
    return WSP_OK;
}

static wsp_status make_rows(wsp_replies *r, const wsp_model *m, const wsp_tokens *t,
                            bool by_capture, wsp_error *err)
{
    size_t scored = 1;

    r->rows = wspi_new_array(r->flows.n_heads, sizeof *r->rows);
    r->capture = wspi_new_array(t->n_flows, sizeof *r->capture);
    if (!r->rows || !r->capture)
        return wspi_nomem(err, "answers", t->n_flows);
    memcpy(r->capture, t->capture, t->n_flows * sizeof *r->capture);
    for (size_t h = 0; !by_capture && h < r->flows.n_heads; h++)
        if (r->flows.prob[h])
            r->rows[h] = wspi_answers_of(&r->flows, m, h);
    if (by_capture && poll_heads(r, m, t, &scored) < 0)
        return wspi_nomem(err, "the answers of captures", t->n_captures);
    return scored ? WSP_OK
                  : wspi_fail(err, WSP_ERR_ARG, 0,
                              "the flows of every capture have different labels: captures "
                              "cannot be scored");
}

wsp_status wsp_replies_new(wsp_replies **out, const wsp_model *m, const wsp_tokens *t,
                           const wsp_classify_options *opt, bool by_capture, wsp_error *err)
{
    wsp_replies *r = wspi_new_array(1, sizeof *r);
    wsp_status st =
        r ? wspi_answers_make(&r->flows, m, t, opt, err) : wspi_nomem(err, "answers", t->n_flows);

    *out = NULL;
    if (st == WSP_OK)
        st = make_rows(r, m, t, by_capture, err);
    if (st == WSP_OK)
        *out = r;
    else
        wsp_replies_free(r);
    return st;
}

const wsp_answers *wsp_replies_get(const wsp_replies *r, size_t head)
{
    return head < r->flows.n_heads && r->rows[head].prob ? &r->rows[head] : NULL;
}

const uint32_t *wsp_replies_capture(const wsp_replies *r, size_t head)
{
    if (head >= r->flows.n_heads)
        return NULL;
    return r->polled ? r->polled[head].capture : r->capture;
}

wsp_captures wsp_replies_captures(const wsp_replies *r, size_t head)
{
    return r->polled && head < r->flows.n_heads ? r->polled[head].captures
                                                : (wsp_captures){.flows = 0};
}

double wsp_replies_seconds(const wsp_replies *r)
{
    return r->flows.seconds;
}

void wsp_replies_free(wsp_replies *r)
{
    if (!r)
        return;
    for (size_t h = 0; r->polled && h < r->flows.n_heads; h++)
        wspi_polled_clear(&r->polled[h]);
    wspi_answers_clear(&r->flows);
    free(r->polled);
    free(r->rows);
    free(r->capture);
    free(r);
}

/* ---- scores ---- */

static wsp_status score_heads(const wsp_replies *r, size_t n, wsp_metrics **metrics,
                              wsp_captures *captures)
{
    for (size_t h = 0; h < n; h++) {
        const wsp_answers *a = wsp_replies_get(r, h);
        if (a)
            WSP_TRY(wsp_metrics_new(&metrics[h], a));
        if (captures)
            captures[h] = wsp_replies_captures(r, h);
    }
    return WSP_OK;
}

static wsp_status score(const wsp_model *m, const wsp_tokens *t, const wsp_classify_options *opt,
                        bool by_capture, wsp_metrics **metrics, wsp_captures *captures,
                        wsp_error *err)
{
    size_t n = wsp_model_head_count(m);
    wsp_replies *r;
    wsp_status st;

    for (size_t h = 0; h < n; h++)
        metrics[h] = NULL;
    WSP_TRY(wsp_replies_new(&r, m, t, opt, by_capture, err));
    st = score_heads(r, n, metrics, captures);
    wsp_replies_free(r);
    for (size_t h = 0; st < 0 && h < n; h++) {
        wsp_metrics_free(metrics[h]);
        metrics[h] = NULL;
    }
    return st < 0 ? wspi_nomem(err, "scores", t->n_flows) : WSP_OK;
}

wsp_status wsp_score(const wsp_model *m, const wsp_tokens *t, const wsp_classify_options *opt,
                     wsp_metrics **metrics, wsp_error *err)
{
    return score(m, t, opt, false, metrics, NULL, err);
}

wsp_status wsp_score_captures(const wsp_model *m, const wsp_tokens *t,
                              const wsp_classify_options *opt, wsp_metrics **metrics,
                              wsp_captures *captures, wsp_error *err)
{
    return score(m, t, opt, true, metrics, captures, err);
}
