/* SPDX-License-Identifier: Apache-2.0 */
/*
 * grow.c: the forest of a model, from its training set: features of the flows as the model reads them, one code of values
 * for all heads, and trees for each head on the flows that have its label.
 */
#include "task/excerpt.h"
#include "task/features.h"
#include "task/trees_int.h"

wsp_grow_options wsp_grow_options_default(void)
{
    return (wsp_grow_options){.trees = 64, .seed = 1};
}

enum { COLUMNS = 128 }; /* whose values are in memory at once */

/* A run: what the set's flows look like to the model, and what becomes of it. */
typedef struct grower {
    wsp_model *m;
    const wsp_grow_options *opt;
    wspi_view view;
    wsp_tokens seen;  /* the view as a set: its arrays are the view's */
    int32_t *label;   /* [heads][n_flows] */
    wspi_excerpt *of; /* [n] of the flows with any label */
    int32_t *known;   /* [n] labels of one head */
    uint32_t *row;    /* [n] rows of one head */
    wspi_features features;
    wspi_coded coded; /* [n] rows */
    uint32_t *labels, *root;
    bool *apart; /* labels of all heads that were enrolled, and of which the set has no flow */
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
    free(g->apart);
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

static wsp_status choose_rows(grower *g, const wsp_tokens *t, wsp_error *err)
{
    size_t H = wsp_model_head_count(g->m);
    wspi_rng rng;

    g->label = wspi_new_array(H * t->n_flows, sizeof *g->label);
    g->of = wspi_new_array(WSPI_EXCERPTS * t->n_flows, sizeof *g->of);
    g->apart = wspi_enrolled_apart(g->m, t);
    if (!g->label || !g->of || !g->apart)
        return wspi_nomem(err, "labels", H * t->n_flows);
    for (size_t h = 0; h < H; h++)
        (void)wspi_match_taught(g->m, h, t, g->label + h * t->n_flows);
    wspi_rng_seed(&rng, g->opt->seed);
    for (size_t i = 0; i < t->n_flows; i++) {
        if (has_label(g, i))
            g->n += wspi_excerpts(g->of + g->n, (uint32_t)i,
                                  (uint32_t)wsp_tokens_packets(&g->seen, i), &rng);
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

/* Values of all rows are many times their codes: some columns at a time, although each time all are counted. */
static wsp_status code_columns(grower *g, float *own, float *x, size_t from, size_t n)
{
    wspi_said *packet = NULL;
    size_t cap = 0;
    wsp_status st = WSP_OK;

    for (size_t i = 0; st == WSP_OK && i < g->n; i++) {
        const wspi_excerpt *e = &g->of[i];
        size_t packets;
        st = wspi_said_of(&g->seen, e->flow, &packet, &cap, &packets);
        if (st < 0)
            break;
        wspi_features_flow(&g->features, packet + e->from, e->to - e->from, own);
        memcpy(x + i * n, own + from, n * sizeof *x);
    }
    for (size_t k = 0; st == WSP_OK && k < n; k++)
        wspi_coded_add(&g->coded, x + k, n);
    free(packet);
    return st;
}

static wsp_status code_rows(grower *g)
{
    size_t F = wspi_features_count(&g->features), cells;
    float *own = wspi_new_array(F, sizeof *own), *x = NULL;
    wsp_status st = wspi_coded_make(&g->coded, g->n, F);

    if (st == WSP_OK && wspi_mul(g->n, COLUMNS, &cells))
        x = wspi_new_array(cells, sizeof *x);
    if (st == WSP_OK && (!own || !x))
        st = WSP_ERR_NOMEM;
    for (size_t f = 0; st == WSP_OK && f < F; f += COLUMNS)
        st = code_columns(g, own, x, f, WSPI_MIN(F - f, (size_t)COLUMNS));
    free(own);
    free(x);
    return st;
}

static bool is_whole(const grower *g, const wspi_excerpt *e)
{
    return e->from == 0 && e->to == wsp_tokens_packets(&g->seen, e->flow);
}

/* How many of a head's labels trees know: those that came later stand behind the others, and votes leave them to the network. */
static size_t labels_known(const grower *g, size_t h)
{
    const bool *apart = g->apart;
    size_t n = wsp_model_head(g->m, h)->n_labels;

    while (h-- > 0)
        apart += wsp_model_head(g->m, h)->n_labels;
    while (n > 0 && apart[n - 1])
        n--;
    return n;
}

/*
 * The rows of a head: those of its flows in front, those of its background from behind, of which a tree draws no more than of the others:
 * there may be any number of flows that the head does not know.
 */
static wspi_sample rows_of(const grower *g, size_t h)
{
    const wsp_head *head = wsp_model_head(g->m, h);
    wspi_sample s = {.of = {.row = g->row}, .label = g->known, .n_labels = labels_known(g, h)};

    for (size_t i = 0; i < g->n; i++) {
        int32_t label = g->label[h * g->seen.n_flows + g->of[i].flow];
        wspi_drawn *part = label == (int32_t)head->background ? &s.background : &s.of;

        g->known[i] = label;
        if (label < 0)
            continue;
        part->n++;
        part->draws += is_whole(g, &g->of[i]);
        g->row[part == &s.of ? part->n - 1 : g->n - part->n] = (uint32_t)i;
    }
    s.background.row = g->row + g->n - s.background.n;
    s.background.draws = WSPI_MIN(s.background.draws, s.of.draws);
    return s;
}

static wsp_status grow_head(grower *g, size_t h, wsp_grown *grown)
{
    const wspi_sample s = rows_of(g, h);
    size_t before = g->nodes.n;
    wsp_status st = WSP_OK;

    g->labels[h] = s.of.n ? (uint32_t)s.n_labels : 0;
    if (s.of.n)
        st = wspi_forest_grow(&g->coded, &s, g->opt->trees, g->opt->seed * 1000003u + h,
                              g->opt->threads, g->root + h * g->opt->trees, &g->nodes);
    if (grown)
        *grown = (wsp_grown){.flows = s.of.draws, .nodes = g->nodes.n - before};
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
    if (opt && (opt->trees < 1 || opt->trees > WSP_MAX_TREES))
        return wspi_fail(err, WSP_ERR_ARG, 0, "%zu trees, allowed are 1 to %d", opt->trees,
                         WSP_MAX_TREES);
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
