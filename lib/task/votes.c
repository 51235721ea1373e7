/* SPDX-License-Identifier: Apache-2.0 */
/*
 * votes.c: a model's forest votes beside its heads. Network and trees go wrong in different flows, so the product of what
 * they say (Hinton, 2002: a product of experts) is better than either: the logarithm of the share of trees that vote for a
 * label is added to its logit, before temperature and softmax. Shares of trees are about as sure as they should be, logits
 * of networks that know their training flows by heart are not (temperatures of heads without trees are 1.5 in the mean),
 * so votes count 1.5 times. Trees know nothing of labels that came later (wirespeak-enroll(1)): these get what the label with
 * most votes gets, so that the network decides. After the first packets trees take long flows for short ones, of which they have
 * seen more: while packets may follow, votes count n / 8 of that after n, and in full when the flow is over, or from 8 packets on.
 */
#include <math.h>

#include "task/features.h"
#include "task/trees_int.h"
#include "task/votes.h"

struct wspi_votes {
    const wsp_model *m;
    wsp_forest forest;
    wspi_features features;
    float x[WSPI_FEATURES_MAX];
    uint8_t code[WSPI_FEATURES_MAX]; /* of the flow at hand */
    float weight;                    /* of the votes, by its packets, while others may follow */
    uint32_t *count;                 /* [most labels of a head] */
};

static const float NO_VOTE = 0.003f; /* the share that a label has without any */
static const float WEIGHT = 1.5f;    /* of votes in full */
static const float IN_FULL = 8;      /* packets */

wsp_status wspi_votes_new(wspi_votes **out, const wsp_model *m, wsp_error *err)
{
    wsp_forest f = wsp_model_forest(m);
    size_t most = 1;
    bool ours;
    wspi_votes *v;

    *out = NULL;
    if (f.features == 0)
        return WSP_OK;
    for (size_t h = 0; h < wsp_model_head_count(m); h++)
        most = WSPI_MAX(most, wsp_model_head(m, h)->n_labels);
    v = wspi_new_array(1, sizeof *v);
    if (!v || !(v->count = wspi_new_array(most, sizeof *v->count))) {
        free(v);
        return wspi_nomem(err, "votes", most);
    }
    v->m = m;
    v->forest = f;
    ours = f.n_bag <= WSPI_BAG;
    for (size_t i = 0; i < f.n_bag; i++) /* a file may claim more tokens than there are */
        ours = ours && f.bag[i] < wsp_vocab_size();
    if (ours)
        wspi_features_set(&v->features, true, f.bag, f.n_bag);
    if (!ours || wspi_features_count(&v->features) != f.features) {
        wspi_votes_free(v);
        return wspi_fail(err, WSP_ERR_ARG, 0, "the model's forest is of other features");
    }
    *out = v;
    return WSP_OK;
}

void wspi_votes_free(wspi_votes *v)
{
    if (!v)
        return;
    free(v->count);
    free(v);
}

void wspi_votes_flow(wspi_votes *v, const wspi_said *packet, size_t n)
{
    size_t from = 0;

    if (!v)
        return;
    v->weight = WEIGHT * fminf(1, (float)n / IN_FULL);
    wspi_features_flow(&v->features, packet, n, v->x);
    for (size_t i = 0; i < v->forest.features; i++) {
        size_t to = v->forest.edge_end[i];
        v->code[i] = wspi_code_of(v->x[i], v->forest.edge + from, to - from);
        from = to;
    }
}

static uint32_t ask_tree(const wspi_votes *v, uint32_t root)
{
    const uint32_t *n = v->forest.node + root;

    while (*n < WSP_NODE_LEAF)
        n = wsp_node_next(n, v->code[*n >> 22] > (*n >> 14 & 255));
    return *n & ~WSP_NODE_LEAF;
}

static void add(wspi_votes *v, size_t head, float weight, float *logits)
{
    size_t labels, known = v->forest.labels[head], trees;
    uint32_t most = 0;

    if (known == 0)
        return;
    labels = wsp_model_head(v->m, head)->n_labels;
    trees = v->forest.trees;
    memset(v->count, 0, known * sizeof *v->count);
    for (size_t t = 0; t < trees; t++)
        v->count[ask_tree(v, v->forest.root[head * trees + t])]++;
    for (size_t l = 0; l < known; l++)
        most = WSPI_MAX(most, v->count[l]);
    for (size_t l = 0; l < labels; l++)
        logits[l] +=
            weight * logf((float)(l < known ? v->count[l] : most) / (float)trees + NO_VOTE);
}

void wspi_votes_add(wspi_votes *v, size_t head, float *logits)
{
    if (v)
        add(v, head, v->weight, logits);
}

void wspi_votes_end(wspi_votes *v, size_t head, float *logits)
{
    if (v && v->weight < WEIGHT)
        add(v, head, WEIGHT - v->weight, logits);
}
