/* SPDX-License-Identifier: Apache-2.0 */
/* calibrate.c: temperature scaling of the heads on the validation set (Guo et al., 2017). */
#include <math.h>

#include "task/fit_int.h"

static double nll_at(const float *prob, const int32_t *label, size_t n, size_t L,
                     double temperature)
{
    double sum = 0;

    for (size_t i = 0; i < n; i++) {
        double z = 0, mine;
        if (label[i] < 0)
            continue;
        for (size_t l = 0; l < L; l++) /* prob^(1/T), normalised, is the softmax at temperature T */
            z += pow((double)prob[i * L + l] + 1e-12, 1 / temperature);
        mine = pow((double)prob[i * L + (size_t)label[i]] + 1e-12, 1 / temperature);
        sum -= log(mine / z);
    }
    return sum;
}

static float best_temperature(const float *prob, const int32_t *label, size_t n, size_t L)
{
    double best = 1, least = nll_at(prob, label, n, L, 1);

    for (double t = 0.4; t < 4; t *= 1.05) {
        double v = nll_at(prob, label, n, L, t);
        if (v < least) {
            least = v;
            best = t;
        }
    }
    return (float)best;
}

/* Room for the probabilities of every head; the caller frees what is there. */
static wsp_status make_room(const wsp_model *m, const wsp_tokens *val, float **prob, wsp_error *err)
{
    for (size_t h = 0; h < wsp_model_head_count(m); h++) {
        size_t L = wsp_model_head(m, h)->n_labels;

        if (h >= val->n_heads || val->n_labels[h] != L)
            return wspi_fail(err, WSP_ERR_ARG, 0,
                             "the validation set has other labels than the training set");
        prob[h] = wspi_new_array(val->n_flows, L * sizeof **prob);
        if (!prob[h])
            return wspi_nomem(err, "the validation set", val->n_flows);
    }
    return WSP_OK;
}

wsp_status wspi_calibrate(wsp_model *m, const wsp_tokens *val, wsp_error *err)
{
    size_t n_heads = wsp_model_head_count(m);
    float **prob = wspi_new_array(n_heads, sizeof *prob);
    uint32_t *packets = wspi_new_array(val->n_flows, sizeof *packets);
    wsp_status st = prob && packets ? make_room(m, val, prob, err)
                                    : wspi_nomem(err, "the validation set", val->n_flows);

    if (st == WSP_OK)
        st = wsp_classify(m, val, NULL, prob, packets, NULL, err);
    for (size_t h = 0; st == WSP_OK && h < n_heads; h++)
        wsp_model_head_calibrate(
            m, h,
            best_temperature(prob[h], val->labels[h], val->n_flows, wsp_model_head(m, h)->n_labels),
            0.5f);
    for (size_t h = 0; prob && h < n_heads; h++)
        free(prob[h]);
    free(prob);
    free(packets);
    return st;
}
