/* SPDX-License-Identifier: Apache-2.0 */
/*
 * poll.c: one answer for all flows of a capture: the mean of their probabilities, weighted by how much each of them says. Chatter
 * that all captures have says little and decides little. Measured beside plain means, products and majorities (models/tried.md).
 */
#include <math.h>

#include "task/task_int.h"

static const double LEAST = 1e-9; /* so that flows that say nothing at all have a mean, too */

/* Kullback-Leibler divergence from equal odds, in nats: 0 says nothing, log n names a label. */
static double says(const float *prob, size_t n)
{
    double sum = 0;

    for (size_t l = 0; l < n; l++)
        if (prob[l] > 0)
            sum += (double)prob[l] * log((double)prob[l] * (double)n);
    return WSPI_MAX(sum, 0) + LEAST;
}

wsp_status wsp_poll_add(wsp_poll *p, const float *prob, size_t n_labels, bool outside)
{
    double weight = says(prob, n_labels);
    size_t cells;

    if (!p->sum) {
        if (!wspi_mul(2, n_labels, &cells))
            return WSP_ERR_NOMEM;
        p->sum = wspi_new_array(cells, sizeof *p->sum);
        p->said = wspi_new_array(n_labels, sizeof *p->said);
        p->n_labels = n_labels;
    }
    if (!p->sum || !p->said)
        return WSP_ERR_NOMEM;
    for (size_t l = 0; l < n_labels; l++)
        p->sum[(outside ? n_labels : 0) + l] += weight * (double)prob[l];
    p->weight[outside] += weight;
    p->flows++;
    p->votes += !outside;
    if (!outside)
        p->said[wspi_argmax(prob, n_labels)]++;
    return WSP_OK;
}

void wsp_poll_answer(const wsp_poll *p, float *prob)
{
    const double *sum = p->votes ? p->sum : p->sum + p->n_labels;

    for (size_t l = 0; l < p->n_labels; l++)
        prob[l] = (float)(sum[l] / p->weight[p->votes == 0]);
}

void wsp_poll_clear(wsp_poll *p)
{
    free(p->sum);
    free(p->said);
    *p = (wsp_poll){.n_labels = 0};
}

/* ---- all captures of a set ---- */

/* What a capture is, by its flows so far and the next one's label; *mixed when that is another one. */
static int32_t join_labels(int32_t is, int32_t next, bool *mixed)
{
    *mixed = *mixed || (is != WSP_UNLABELLED && next != WSP_UNLABELLED && is != next);
    return is == WSP_UNLABELLED ? next : is;
}

static wsp_status ask_flows(const wsp_answers *a, const wsp_tokens *t, const uint32_t *outside,
                            size_t head, wsp_poll *polls)
{
    for (size_t i = 0; i < a->n; i++)
        WSP_TRY(wsp_poll_add(&polls[t->capture[i]], a->prob + i * a->n_labels, a->n_labels,
                             outside && outside[i] >> head & 1));
    return WSP_OK;
}

/* Captures with flows, in their order; a capture whose flows have different labels has none. */
static void take_captures(const wsp_answers *a, const wsp_tokens *t, const wsp_poll *polls,
                          bool *mixed, int32_t *is, wspi_polled *out)
{
    for (size_t i = 0; i < a->n; i++)
        is[t->capture[i]] = join_labels(is[t->capture[i]], a->label[i], &mixed[t->capture[i]]);
    for (size_t c = 0; c < t->n_captures; c++) {
        if (!polls[c].flows)
            continue;
        out->captures.mixed += mixed[c];
        out->label[out->n] = mixed[c] ? WSP_UNLABELLED : is[c];
        if (out->label[out->n] >= 0)
            out->captures.flows += polls[c].flows;
        wsp_poll_answer(&polls[c], out->prob + out->n * a->n_labels);
        out->capture[out->n] = (uint32_t)c;
        out->outside[out->n] = polls[c].votes == 0;
        out->n++;
    }
}

wsp_status wspi_polled_make(wspi_polled *out, const wsp_answers *a, const wsp_tokens *t,
                            const uint32_t *outside, size_t head)
{
    wsp_poll *polls = wspi_new_array(t->n_captures, sizeof *polls);
    bool *mixed = wspi_new_array(t->n_captures, sizeof *mixed);
    int32_t *is = wspi_new_array(t->n_captures, sizeof *is);
    size_t cells;
    wsp_status st = WSP_ERR_NOMEM;

    *out = (wspi_polled){.label = wspi_new_array(t->n_captures, sizeof *out->label),
                         .capture = wspi_new_array(t->n_captures, sizeof *out->capture),
                         .outside = wspi_new_array(t->n_captures, sizeof *out->outside)};
    if (wspi_mul(t->n_captures, a->n_labels, &cells))
        out->prob = wspi_new_array(cells, sizeof *out->prob);
    if (polls && mixed && is && out->label && out->prob && out->capture && out->outside)
        st = ask_flows(a, t, outside, head, polls);
    for (size_t c = 0; st == WSP_OK && c < t->n_captures; c++)
        is[c] = WSP_UNLABELLED;
    if (st == WSP_OK)
        take_captures(a, t, polls, mixed, is, out);
    for (size_t c = 0; polls && c < t->n_captures; c++)
        wsp_poll_clear(&polls[c]);
    free(polls);
    free(mixed);
    free(is);
    return st;
}

wsp_answers wspi_polled_answers(const wspi_polled *p, const wsp_answers *flows)
{
    return (wsp_answers){.n = p->n,
                         .n_labels = flows->n_labels,
                         .prob = p->prob,
                         .label = p->label,
                         .unknown_below = flows->unknown_below,
                         .outside = p->outside};
}

void wspi_polled_clear(wspi_polled *p)
{
    free(p->prob);
    free(p->label);
    free(p->capture);
    free(p->outside);
    *p = (wspi_polled){.n = 0};
}
