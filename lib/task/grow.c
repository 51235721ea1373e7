/* SPDX-License-Identifier: Apache-2.0 */
/*
 * grow.c: the forest of a model, from its training set: features of the flows as the model reads them, one code of values
 * for all heads, and trees for each head on the flows that have its label. Trees are asked after every packet, and of flows that
 * were under way when the capture began, so every flow is a row as it is, and one as it may be seen in part.
 */
#include "task/features.h"
#include "task/trees_int.h"

wsp_grow_options wsp_grow_options_default(void)
{
    return (wsp_grow_options){.trees = 64, .seed = 1};
}

enum {
    EARLY = 8,
    ROWS = 3
}; /* packets of a flow that is not over, at most; rows of a flow, at most */

/* Packets of a flow of the set that are a row: [from, to). */
typedef struct excerpt {
    uint32_t flow, from, to;
} excerpt;

/* A run: what the set's flows look like to the model, and what becomes of it. */
typedef struct grower {
    wsp_model *m;
    const wsp_grow_options *opt;
    wspi_view view;
    wsp_tokens seen; /* the view as a set: its arrays are the view's */
    int32_t *label;  /* [heads][n_flows] */
    excerpt *of;     /* [n] of the flows with any label */
    int32_t *known;  /* [n] labels of one head */
    uint32_t *row;   /* [n] rows of one head */
    wspi_features features;
    wspi_coded coded; /* [n] rows */
    uint32_t *labels, *root;
    wspi_nodes nodes;
    size_t n;
} grower;

static void grower_clear(grower *g)
{
    wspi_view_clear(&g->view);
    wspi_coded_clear(&g->coded);
    free(g->label);
    free(g->of);
    free(g->known);
    free(g->row);
    free(g->labels);
    free(g->root);
    free(g->nodes.node);
    free(g);
}

static bool has_label(const grower *g, size_t flow)
{
    for (size_t h = 0; h < wsp_model_head_count(g->m); h++)
        if (g->label[h * g->seen.n_flows + flow] >= 0)
            return true;
    return false;
}

/* The first packets of a flow of n, two at least: half as often one more, since every flow is asked about after its first packet. */
static excerpt early_part(uint32_t flow, uint32_t n, wspi_rng *rng)
{
    uint32_t to = 1;

    while (to < WSPI_MIN(n - 1, (uint32_t)EARLY) && wspi_rng_below(rng, 2))
        to++;
    return (excerpt){flow, 0, to};
}

/* What is left of it for who comes late. */
static excerpt late_part(uint32_t flow, uint32_t n, wspi_rng *rng)
{
    return (excerpt){
        flow, 1 + (uint32_t)wspi_rng_below(rng, WSPI_MIN(n - 1, (uint32_t)WSPI_SKIP_MOST)), n};
}

static wsp_status choose_rows(grower *g, const wsp_tokens *t, wsp_error *err)
{
    size_t H = wsp_model_head_count(g->m);
    wspi_rng rng;

    g->label = wspi_new_array(H * t->n_flows, sizeof *g->label);
    g->of = wspi_new_array(ROWS * t->n_flows, sizeof *g->of);
    if (!g->label || !g->of)
        return wspi_nomem(err, "labels", H * t->n_flows);
    for (size_t h = 0; h < H; h++)
        (void)wsp_match_labels(g->m, h, t, g->label + h * t->n_flows);
    wspi_rng_seed(&rng, g->opt->seed);
    for (size_t i = 0; i < t->n_flows; i++) {
        uint32_t n = (uint32_t)wsp_tokens_packets(&g->seen, i);
        if (!has_label(g, i))
            continue;
        g->of[g->n++] = (excerpt){(uint32_t)i, 0, n};
        if (n == 1)
            continue;
        g->of[g->n++] = early_part((uint32_t)i, n, &rng);
        if (wspi_rng_below(&rng, 2))
            g->of[g->n++] = late_part((uint32_t)i, n, &rng);
    }
    return g->n ? WSP_OK
                : wspi_fail(err, WSP_ERR_ARG, 0, "no flow has a label that the model knows");
}

/* The bag of all heads: the best token of each, the second best of each, ... */
static wsp_status choose_bag(grower *g)
{
    size_t H = wsp_model_head_count(g->m), n = 0;
    wspi_features *own = wspi_new_array(H, sizeof *own);
    uint8_t *taken = wspi_new_array(wsp_vocab_size(), 1);
    uint16_t bag[WSPI_BAG];
    wsp_status st = own && taken ? WSP_OK : WSP_ERR_NOMEM;

    for (size_t h = 0; st == WSP_OK && h < H; h++)
        st = wspi_features_choose(&own[h], &g->seen, g->label + h * g->seen.n_flows,
                                  wsp_model_head(g->m, h)->n_labels, true);
    for (size_t rank = 0; st == WSP_OK && rank < WSPI_BAG; rank++)
        for (size_t h = 0; h < H && n < WSPI_BAG; h++)
            if (rank < own[h].n_bag && !taken[own[h].bag[rank]]) {
                taken[own[h].bag[rank]] = 1;
                bag[n++] = own[h].bag[rank];
            }
    if (st == WSP_OK)
        wspi_features_set(&g->features, true, bag, n);
    free(own);
    free(taken);
    return st;
}

static wsp_status code_rows(grower *g)
{
    size_t F = wspi_features_count(&g->features), cells, cap = 0;
    wspi_said *packet = NULL;
    float *x = NULL;
    wsp_status st = WSP_OK;

    if (wspi_mul(F, g->n, &cells))
        x = wspi_new_array(cells, sizeof *x);
    if (!x)
        return WSP_ERR_NOMEM;
    for (size_t i = 0; st == WSP_OK && i < g->n; i++) {
        const excerpt *e = &g->of[i];
        size_t n;
        st = wspi_said_of(&g->seen, e->flow, &packet, &cap, &n);
        if (st == WSP_OK)
            wspi_features_flow(&g->features, packet + e->from, e->to - e->from, x + i * F);
    }
    if (st == WSP_OK)
        st = wspi_coded_make(&g->coded, &(wsp_rows){x, g->n, F});
    free(packet);
    free(x);
    return st;
}

static bool is_whole(const grower *g, const excerpt *e)
{
    return e->from == 0 && e->to == wsp_tokens_packets(&g->seen, e->flow);
}

static wsp_status grow_head(grower *g, size_t h, wsp_grown *grown)
{
    size_t L = wsp_model_head(g->m, h)->n_labels, n = 0, flows = 0, before = g->nodes.n;
    wsp_status st = WSP_OK;

    for (size_t i = 0; i < g->n; i++) {
        g->known[i] = g->label[h * g->seen.n_flows + g->of[i].flow];
        if (g->known[i] < 0)
            continue;
        g->row[n++] = (uint32_t)i;
        flows += is_whole(g, &g->of[i]);
    }
    g->labels[h] = n ? (uint32_t)L : 0;
    if (n)
        st = wspi_forest_grow(&g->coded, &(wspi_sample){g->row, n, flows, g->known, L},
                              g->opt->trees, g->opt->seed * 1000003u + h, g->opt->threads,
                              g->root + h * g->opt->trees, &g->nodes);
    if (grown)
        *grown = (wsp_grown){.flows = flows, .nodes = g->nodes.n - before};
    return st;
}

static wsp_status grow(grower *g, wsp_grown *grown)
{
    size_t H = wsp_model_head_count(g->m);

    WSP_TRY(choose_bag(g));
    WSP_TRY(code_rows(g));
    g->known = wspi_new_array(g->n, sizeof *g->known);
    g->row = wspi_new_array(g->n, sizeof *g->row);
    g->labels = wspi_new_array(H, sizeof *g->labels);
    g->root = wspi_new_array(H * g->opt->trees, sizeof *g->root);
    if (!g->known || !g->row || !g->labels || !g->root)
        return WSP_ERR_NOMEM;
    for (size_t h = 0; h < H; h++)
        WSP_TRY(grow_head(g, h, grown ? &grown[h] : NULL));
    return WSP_OK;
}

static wsp_status keep(grower *g, wsp_error *err)
{
    const wsp_forest f = {.features = g->coded.features,
                          .n_bag = g->features.n_bag,
                          .bag = g->features.bag,
                          .edge_end = g->coded.edge_end,
                          .edge = g->coded.edge,
                          .trees = g->opt->trees,
                          .labels = g->labels,
                          .root = g->root,
                          .n_nodes = g->nodes.n,
                          .node = g->nodes.node};

    return wsp_model_forest_set(g->m, &f, err);
}

wsp_status wsp_grow(wsp_model *m, const wsp_tokens *train, const wsp_grow_options *opt,
                    wsp_grown *grown, wsp_error *err)
{
    const wsp_grow_options defaults = wsp_grow_options_default();
    wsp_view_options o = wsp_view_options_of(m);
    grower *g;
    wsp_status st;

    WSP_TRY(wspi_vocab_check(m, err));
    g = wspi_new_array(1, sizeof *g);
    if (!g)
        return wspi_nomem(err, "a forest", sizeof *g);
    g->m = m;
    g->opt = opt ? opt : &defaults;
    st = wspi_view_make(&g->view, train, &o, wsp_model_config_get(m)->max_tokens, false, err);
    g->seen = (wsp_tokens){.n_flows = g->view.n_flows,
                           .ids = g->view.ids,
                           .packet_off = g->view.packet_off,
                           .flow_off = g->view.flow_off};
    if (st == WSP_OK)
        st = choose_rows(g, train, err);
    if (st == WSP_OK && (st = grow(g, grown)) < 0)
        st = wspi_nomem(err, "a forest", g->n * sizeof(float));
    if (st == WSP_OK)
        st = keep(g, err);
    grower_clear(g);
    return st;
}
