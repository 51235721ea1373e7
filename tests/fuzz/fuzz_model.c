/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fuzz_model.c: the loader of model files on arbitrary bytes. A model that is accepted is asked: whatever its sizes, answers
 * are computed, and walks through its trees end in leaves that are labels.
 */
#include "model/model_int.h"
#include "target.h"

enum { MOST = 1 << 18, WALKS = 8 }; /* parameters of models that are asked */

static void walk(const wsp_forest *f, const uint32_t *node, uint32_t labels, wspi_rng *r)
{
    while (*node < WSP_NODE_LEAF) {
        must(*node >> 22 < f->features);
        node = wsp_node_next(node, wspi_rng_below(r, 2));
        must(node < f->node + f->n_nodes);
    }
    must((*node & ~WSP_NODE_LEAF) < labels);
}

static void walk_all(const wsp_model *m)
{
    const wsp_forest f = wsp_model_forest(m);
    wspi_rng r;

    wspi_rng_seed(&r, 1);
    for (size_t h = 0; f.features && h < wsp_model_head_count(m); h++)
        for (size_t t = 0; f.labels[h] && t < f.trees; t++)
            for (int i = 0; i < WALKS; i++)
                walk(&f, f.node + f.root[h * f.trees + t], f.labels[h], &r);
    for (size_t i = 0; i < f.n_bag; i++)
        must(f.bag[i] < wsp_model_config_get(m)->vocab);
}

/* Two flows, of three packets and of one. */
static void ask(const wsp_model *m, wsp_dtype dtype)
{
    const uint32_t packet_off[] = {0, 1, 2, 3, 4}, flow_off[] = {0, 3, 4};
    const uint16_t last = (uint16_t)(wsp_model_config_get(m)->vocab - 1),
                   ids[] = {0, last, 0, last};
    const wsp_batch b = {.n_flows = 2,
                         .n_packets = 4,
                         .n_tokens = 4,
                         .ids = ids,
                         .packet_off = packet_off,
                         .flow_off = flow_off};
    float *out = calloc(4, wsp_model_config_get(m)->channels * sizeof *out), nll[4];
    float *logits[WSP_MAX_HEADS] = {NULL};
    wsp_runner *r;
    wsp_error err;

    for (size_t h = 0; h < wsp_model_head_count(m); h++)
        logits[h] = calloc(4, wsp_model_head(m, h)->n_labels * sizeof(float));
    if (wsp_runner_new(&r, m, dtype, &err) == WSP_OK) {
        must(wsp_runner_classify(r, &b, out, logits, &err) == WSP_OK);
        if (wsp_model_config_get(m)->output_layers)
            must(wsp_runner_nll(r, &b, nll, &err) == WSP_OK);
        wsp_runner_free(r);
    } else
        must(dtype != WSP_DTYPE_F32); /* which all machines have */
    for (size_t h = 0; h < wsp_model_head_count(m); h++)
        free(logits[h]);
    free(out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const wsp_dtype dtypes[] = {WSP_DTYPE_F32, WSP_DTYPE_BF16, WSP_DTYPE_INT8};
    wsp_model *m;
    wsp_error err = {.text = ""};

    if (wsp_model_load_memory(&m, data, size, &err) < 0) {
        must(!m && err.text[0]);
        return 0;
    }
    walk_all(m);
    if (m->n_params <= MOST)
        for (size_t i = 0; i < WSPI_COUNT(dtypes); i++)
            ask(m, dtypes[i]);
    wsp_model_free(m);
    return 0;
}
