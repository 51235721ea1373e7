/* SPDX-License-Identifier: Apache-2.0 */
/* forest.c: the random forest that a model carries: checked, kept, and in files. How it grows and votes is task's. */
#include <math.h>

#include "model/model_int.h"

enum { MAX_EDGES = 255 };
#define MAX_NODES ((size_t)1 << 26)

static const char BAG[] = "forest.bag", EDGE[] = "forest.edge", EDGE_END[] = "forest.edge_end",
                  LABELS[] = "forest.labels", ROOT[] = "forest.root", NODE[] = "forest.node";

/* ---- checks ---- */

static bool edges_are_right(const wsp_forest *f)
{
    uint32_t at = 0;

    for (size_t i = 0; i < f->features; i++) {
        if (f->edge_end[i] < at || f->edge_end[i] - at > MAX_EDGES ||
            f->edge_end[i] > f->edge_end[f->features - 1])
            return false;
        for (; at < f->edge_end[i]; at++)
            if (!isfinite(f->edge[at]))
                return false;
    }
    return true;
}

/* Nodes [from, to) are a walk that goes left first: behind each leaf begins the right side of the last branch that waits for its own. */
static bool tree_is_right(const wsp_forest *f, size_t from, size_t to, uint32_t labels)
{
    const uint32_t *n = f->node + from, *end = f->node + to, *right[WSP_MAX_DEPTH];
    size_t waiting = 0;

    while (n < end) {
        bool far = (*n & WSP_NODE_RIGHT) == 0;
        if (*n >= WSP_NODE_LEAF) {
            if ((*n++ & ~WSP_NODE_LEAF) >= labels)
                return false;
            if (waiting == 0)
                return n == end;
            if (n != right[--waiting])
                return false;
            continue;
        }
        if (*n >> 22 >= f->features || waiting == WSP_MAX_DEPTH || end - n < 2 ||
            (far ? n[1] : *n & WSP_NODE_RIGHT) >= (size_t)(end - n))
            return false;
        right[waiting++] = wsp_node_next(n, true);
        n = wsp_node_next(n, false);
    }
    return false;
}

static bool trees_are_right(const wsp_model *m, const wsp_forest *f)
{
    size_t at = 0; /* trees have no gaps between them */

    for (size_t h = 0; h < m->n_heads; h++) {
        if (f->labels[h] > m->head[h].n_labels)
            return false;
        for (size_t t = 0; f->labels[h] && t < f->trees; t++) {
            size_t next = h * f->trees + t + 1, to = f->n_nodes;
            while (next < m->n_heads * f->trees && !f->labels[next / f->trees])
                next += f->trees;
            if (next < m->n_heads * f->trees)
                to = f->root[next];
            if (f->root[h * f->trees + t] != at || to > f->n_nodes || to < at ||
                !tree_is_right(f, at, to, f->labels[h]))
                return false;
            at = to;
        }
    }
    return at == f->n_nodes;
}

static bool is_right(const wsp_model *m, const wsp_forest *f)
{
    for (size_t i = 0; i < f->n_bag; i++)
        if (f->bag[i] >= m->cfg.vocab)
            return false;
    return f->features <= WSP_MAX_FEATURES && f->n_bag <= f->features && f->trees >= 1 &&
           f->trees <= WSP_MAX_TREES && f->n_nodes <= MAX_NODES && edges_are_right(f) &&
           trees_are_right(m, f);
}

/* ---- keeping ---- */

wsp_forest wsp_model_forest(const wsp_model *m)
{
    return m->forest;
}

static void forest_free(wsp_forest *f)
{
    free((void *)(uintptr_t)f->bag);
    free((void *)(uintptr_t)f->edge_end);
    free((void *)(uintptr_t)f->edge);
    free((void *)(uintptr_t)f->labels);
    free((void *)(uintptr_t)f->root);
    free((void *)(uintptr_t)f->node);
    *f = (wsp_forest){.features = 0};
}

void wspi_model_forget_forest(wsp_model *m)
{
    forest_free(&m->forest);
}

static void *copy(const void *data, size_t n, size_t size, bool *ok)
{
    void *p = wspi_new_array(n, size);

    if (p && n)
        memcpy(p, data, n * size);
    *ok = *ok && p;
    return p;
}

wsp_status wsp_model_forest_set(wsp_model *m, const wsp_forest *f, wsp_error *err)
{
    wsp_forest own = *f;
    bool ok = true;

    if (f->features == 0) {
        wspi_model_forget_forest(m);
        return WSP_OK;
    }
    if (!is_right(m, f))
        return wspi_fail(err, WSP_ERR_ARG, 0, "a forest that is not of this model");
    own.bag = copy(f->bag, f->n_bag, sizeof *f->bag, &ok);
    own.edge_end = copy(f->edge_end, f->features, sizeof *f->edge_end, &ok);
    own.edge = copy(f->edge, f->edge_end[f->features - 1], sizeof *f->edge, &ok);
    own.labels = copy(f->labels, m->n_heads, sizeof *f->labels, &ok);
    own.root = copy(f->root, m->n_heads * f->trees, sizeof *f->root, &ok);
    own.node = copy(f->node, f->n_nodes, sizeof *f->node, &ok);
    if (!ok) {
        forest_free(&own);
        return wspi_nomem(err, "a forest", f->n_nodes * sizeof *f->node);
    }
    wspi_model_forget_forest(m);
    m->forest = own;
    return WSP_OK;
}

/* ---- in files: numbers as little-endian bytes, since tensors are F32 or U8 ---- */

static wspi_st_tensor bytes(const char *name, const void *data, size_t n, size_t size)
{
    return (wspi_st_tensor){
        .name = name, .dtype = "U8", .rank = 2, .dim = {n, size}, .data = data, .len = n * size};
}

void wspi_forest_list(const wsp_model *m, wspi_st_tensor *t)
{
    const wsp_forest *f = &m->forest;
    size_t n_edges = f->edge_end[f->features - 1];

    t[0] = (wspi_st_tensor){.name = EDGE,
                            .dtype = "F32",
                            .rank = 1,
                            .dim = {n_edges},
                            .data = f->edge,
                            .len = n_edges * sizeof *f->edge};
    t[1] = bytes(EDGE_END, f->edge_end, f->features, sizeof *f->edge_end);
    t[2] = bytes(LABELS, f->labels, m->n_heads, sizeof *f->labels);
    t[3] = bytes(ROOT, f->root, m->n_heads * f->trees, sizeof *f->root);
    t[4] = bytes(NODE, f->node, f->n_nodes, sizeof *f->node);
    t[5] = bytes(BAG, f->bag, f->n_bag, sizeof *f->bag);
}

size_t wspi_forest_tensors(const wspi_st_file *f)
{
    size_t n = 0;

    for (size_t i = 0; i < f->n; i++)
        n += strncmp(f->tensor[i].name, "forest.", strlen("forest.")) == 0;
    return n;
}

/* Aligned and owned, from a tensor of reals (size 0) or of numbers of that size; *n is how many. *ok: there was memory. */
static void *numbers(const wspi_st_file *f, const char *name, size_t size, size_t *n, bool *ok)
{
    const wspi_st_tensor *t = wspi_st_find(f, name);

    *n = 0;
    if (!t || t->dtype[0] != (size ? 'U' : 'F') || t->rank != (size ? 2u : 1u) ||
        (size && t->dim[1] != size))
        return NULL;
    size = size ? size : sizeof(float);
    *n = t->dim[0];
    return copy(t->data, *n, size, ok);
}

wsp_status wspi_forest_load(wsp_model *m, const wspi_st_file *f, wsp_error *err)
{
    wsp_forest o = {.features = 0};
    size_t n_edges, n_labels, n_roots;
    wsp_status st = WSP_ERR_FORMAT;
    bool ok = true;

    if (wspi_forest_tensors(f) == 0)
        return WSP_OK;
    o.edge = numbers(f, EDGE, 0, &n_edges, &ok);
    o.edge_end = numbers(f, EDGE_END, sizeof *o.edge_end, &o.features, &ok);
    o.labels = numbers(f, LABELS, sizeof *o.labels, &n_labels, &ok);
    o.root = numbers(f, ROOT, sizeof *o.root, &n_roots, &ok);
    o.node = numbers(f, NODE, sizeof *o.node, &o.n_nodes, &ok);
    o.bag = numbers(f, BAG, sizeof *o.bag, &o.n_bag, &ok);
    if (wspi_forest_tensors(f) == WSPI_FOREST_TENSORS && o.edge && o.edge_end && o.labels &&
        o.root && o.node && o.bag && o.features && n_labels == m->n_heads && n_labels &&
        n_roots % n_labels == 0 && o.edge_end[o.features - 1] == n_edges) {
        o.trees = n_roots / n_labels;
        st = wsp_model_forest_set(m, &o, err);
    }
    forest_free(&o);
    if (!ok)
        return wspi_nomem(err, "a forest", f->n_data);
    return st == WSP_OK || st == WSP_ERR_NOMEM
               ? st
               : wspi_fail(err, WSP_ERR_FORMAT, 8, "the forest's tensors do not fit together");
}
