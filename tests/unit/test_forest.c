/* SPDX-License-Identifier: Apache-2.0 */
/* test_forest.c: the forest of a model: what it may be, how it goes through files, and how it grows. */
#include "models.h"

#include <stdio.h>
#include <unistd.h>

#include "task/excerpt.h"
#include "task/trees_int.h"

#define LEAF(l)             (WSP_NODE_LEAF | (l))
#define BRANCH(f, c, right) ((uint32_t)(f) << 22 | (uint32_t)(c) << 14 | (right))

/* Three features, the last of them a token; two trees for "letter", one branch each, none for "digit". */
struct forest {
    wsp_forest f;
    uint16_t bag[1];
    uint32_t edge_end[3], labels[2], root[4], node[6];
    float edge[4];
};

static void forest_make(struct forest *o)
{
    *o = (struct forest){
        .bag = {7},
        .edge_end = {1, 3, 4},
        .edge = {0.5f, -1, 2, 0.5f},
        .labels = {3, 0},
        .root = {0, 3, 0, 0},
        .node = {BRANCH(0, 0, 2), LEAF(2), LEAF(1), BRANCH(2, 0, 2), LEAF(0), LEAF(1)}};
    o->f = (wsp_forest){.features = 3,
                        .n_bag = 1,
                        .bag = o->bag,
                        .edge_end = o->edge_end,
                        .edge = o->edge,
                        .trees = 2,
                        .labels = o->labels,
                        .root = o->root,
                        .n_nodes = 6,
                        .node = o->node};
}

static wsp_model *tiny_model(void)
{
    wsp_model_config cfg;
    wsp_model *m;
    wsp_error err;

    assert_int_equal(wsp_model_config_named(&cfg, "tiny"), WSP_OK);
    cfg.vocab = VOCAB;
    assert_int_equal(wsp_model_new(&m, &cfg, heads, 2, 3, &err), WSP_OK);
    return m;
}

static void same(const wsp_forest *a, const wsp_forest *b)
{
    assert_int_equal(a->features, b->features);
    assert_int_equal(a->n_bag, b->n_bag);
    assert_int_equal(a->trees, b->trees);
    assert_int_equal(a->n_nodes, b->n_nodes);
    assert_memory_equal(a->bag, b->bag, a->n_bag * sizeof *a->bag);
    assert_memory_equal(a->edge_end, b->edge_end, a->features * sizeof *a->edge_end);
    assert_memory_equal(a->edge, b->edge, a->edge_end[a->features - 1] * sizeof *a->edge);
    assert_memory_equal(a->labels, b->labels, 2 * sizeof *a->labels);
    assert_memory_equal(a->root, b->root, 2 * a->trees * sizeof *a->root);
    assert_memory_equal(a->node, b->node, a->n_nodes * sizeof *a->node);
}

static void a_forest_goes_with_its_model(void **state)
{
    char path[] = "/tmp/wirespeak-forest-XXXXXX";
    int fd = mkstemp(path);
    wsp_model *m = tiny_model(), *back, *larger;
    float *w = calloc(m->cfg.channels, sizeof *w);
    struct forest o;
    wsp_error err;

    (void)state;
    assert_true(fd >= 0);
    forest_make(&o);
    assert_int_equal(wsp_model_forest(m).features, 0);
    assert_int_equal(wsp_model_forest_set(m, &o.f, &err), WSP_OK);
    assert_int_equal(wsp_model_save(m, path, &err), WSP_OK);
    assert_int_equal(wsp_model_load(&back, path, &err), WSP_OK);
    same(&o.f, &back->forest);
    assert_int_equal(wsp_model_add_label(&larger, back, 0, "d", w, 0, &err), WSP_OK);
    same(&o.f, &larger->forest); /* it knows nothing of the new label */
    assert_int_equal(wsp_model_forest_set(back, &(wsp_forest){.features = 0}, &err), WSP_OK);
    assert_int_equal(wsp_model_forest(back).features, 0);
    (void)close(fd);
    (void)unlink(path);
    free(w);
    wsp_model_free(m);
    wsp_model_free(back);
    wsp_model_free(larger);
}

static void what_leads_astray_is_refused(void **state)
{
    wsp_model *m = tiny_model();
    struct forest o;
    wsp_error err;

    (void)state;
#define REFUSED(change)                                                     \
    do {                                                                    \
        forest_make(&o);                                                    \
        change;                                                             \
        assert_int_equal(wsp_model_forest_set(m, &o.f, &err), WSP_ERR_ARG); \
    } while (0)
    REFUSED(o.node[1] = LEAF(3));         /* a label that the trees do not know */
    REFUSED(o.labels[0] = 4);             /* that the head has not */
    REFUSED(o.node[0] = BRANCH(3, 0, 2)); /* a feature that there is not */
    REFUSED(o.node[0] = BRANCH(0, 0, 3)); /* into the next tree */
    REFUSED(o.node[0] = BRANCH(0, 0, 0)); /* in a circle */
    REFUSED(o.node[5] = BRANCH(0, 0, 1)); /* past the last node */
    REFUSED(o.root[1] = 2);               /* into the middle of a tree */
    REFUSED(o.root[1] = 9);
    REFUSED(o.f.n_nodes = 5);
    REFUSED(o.f.trees = 0);
    REFUSED(o.bag[0] = VOCAB);
    REFUSED(o.f.n_bag = 4);
    REFUSED(o.edge[3] = NAN);
    REFUSED(o.edge_end[0] = 4; o.edge_end[1] = 3);
    REFUSED(o.edge_end[0] = 200);
    REFUSED(o.f.features = WSP_MAX_FEATURES + 1);
#undef REFUSED
    assert_int_equal(wsp_model_forest(m).features, 0);
    wsp_model_free(m);
}

/* ---- files that lie ---- */

static uint8_t *read_whole(const char *path, size_t *len)
{
    FILE *f = fopen(path, "rb");
    uint8_t *data = malloc(1 << 20);

    assert_true(f && data);
    *len = fread(data, 1, 1 << 20, f);
    assert_true(*len > 8 && *len < 1 << 20);
    (void)fclose(f);
    return data;
}

/* Where the bytes of a tensor are in a file, to be changed. */
static uint8_t *tensor_in(uint8_t *data, size_t len, const char *name)
{
    const wspi_st_tensor *t;
    wspi_st_file f;
    uint8_t *at;

    assert_int_equal(wspi_st_parse(&f, data, len, NULL), WSP_OK);
    t = wspi_st_find(&f, name);
    assert_non_null(t);
    at = data + ((const uint8_t *)t->data - data);
    wspi_st_clear(&f);
    return at;
}

/* A model with a forest as a file, whose 32-bit number `at` of a tensor is `value` (16-bit for the bag). */
static wsp_status load_with(const uint8_t *file, size_t len, const char *name, size_t at,
                            uint32_t value)
{
    uint8_t *copy = malloc(len), *to;
    size_t size = strcmp(name, "forest.bag") == 0 ? 2 : 4;
    wsp_model *m = NULL;
    wsp_error err;
    wsp_status st;

    assert_non_null(copy);
    memcpy(copy, file, len);
    to = tensor_in(copy, len, name) + at * size;
    for (size_t i = 0; i < size; i++)
        to[i] = (uint8_t)(value >> 8 * i);
    st = wsp_model_load_memory(&m, copy, len, &err);
    assert_true(st == WSP_OK ? m != NULL : !m && err.text[0]);
    wsp_model_free(m);
    free(copy);
    return st;
}

static void tensors_that_lie_are_refused_at_load(void **state)
{
    static const struct {
        const char *name;
        size_t at;
        uint32_t value;
    } lie[] = {{"forest.bag", 0, VOCAB}, /* the first token that there is not */
               {"forest.bag", 0, 0xffff},
               {"forest.labels", 0, 4}, /* more labels than the head has */
               {"forest.labels", 0, UINT32_MAX},
               {"forest.labels", 1, 1}, /* trees of a head that has none */
               {"forest.root", 1, 2},
               {"forest.root", 0, UINT32_MAX},
               {"forest.node", 0, BRANCH(3, 0, 2)}, /* a feature that there is not */
               {"forest.node", 0, BRANCH(0, 0, 3)}, /* into the next tree */
               {"forest.node", 0, 0},               /* in a circle */
               {"forest.node", 5, BRANCH(0, 0, 1)}, /* past the last node */
               {"forest.node", 0, BRANCH(0, 0, 1)}, /* its right side is its left one */
               {"forest.node", 1, BRANCH(0, 0, 1)}, /* a leaf is missing */
               {"forest.node", 1, LEAF(3)},
               {"forest.edge_end", 0, 4},
               {"forest.edge_end", 2, 5},
               {"forest.edge_end", 2, UINT32_MAX},
               {"forest.edge", 3, 0x7fc00000}}; /* not a number */
    char path[] = "/tmp/wirespeak-forest-XXXXXX";
    int fd = mkstemp(path);
    wsp_model *m = tiny_model();
    struct forest o;
    uint8_t *file;
    size_t len;

    (void)state;
    assert_true(fd >= 0);
    forest_make(&o);
    assert_int_equal(wsp_model_forest_set(m, &o.f, NULL), WSP_OK);
    assert_int_equal(wsp_model_save(m, path, NULL), WSP_OK);
    file = read_whole(path, &len);
    assert_int_equal(load_with(file, len, "forest.bag", 0, VOCAB - 1), WSP_OK);
    for (size_t i = 0; i < WSPI_COUNT(lie); i++)
        assert_int_equal(load_with(file, len, lie[i].name, lie[i].at, lie[i].value),
                         WSP_ERR_FORMAT);
    (void)close(fd);
    (void)unlink(path);
    free(file);
    wsp_model_free(m);
}

/* ---- growing ---- */

static uint32_t ask(const wspi_coded *c, const uint32_t *n, size_t row)
{
    while (*n < WSP_NODE_LEAF)
        n = wsp_node_next(n, c->code[(*n >> 22) * c->n + row] > (*n >> 14 & 255));
    return *n & ~WSP_NODE_LEAF;
}

/* Of three numbers the second decides: below 0, below 1, above. */
static void grown_trees_say_what_they_were_told(void **state)
{
    enum { N = 300, TREES = 20 };
    static float x[N * 3];
    static int32_t label[N];
    static uint32_t row[N];
    uint32_t root[TREES];
    wspi_nodes nodes[2] = {{NULL}, {NULL}};
    wspi_coded c;
    wspi_rng r;
    size_t right = 0;

    (void)state;
    wspi_rng_seed(&r, 3);
    for (uint32_t i = 0; i < N; i++) {
        for (int k = 0; k < 3; k++)
            x[i * 3 + (uint32_t)k] = (float)(wspi_rng_unit(&r) * 3 - 1);
        label[i] = x[i * 3 + 1] < 0 ? 0 : x[i * 3 + 1] < 1 ? 1 : 2;
        row[i] = i;
    }
    assert_int_equal(wspi_coded_make(&c, N, 3), WSP_OK);
    for (size_t f = 0; f < 3; f++)
        wspi_coded_add(&c, x + f, 3);
    for (unsigned k = 0; k < 2; k++)
        assert_int_equal(
            wspi_forest_grow(&c, &(wspi_sample){.of = {row, N, N}, .label = label, .n_labels = 3},
                             TREES, 5, k == 0 ? 1 : 3, root, &nodes[k]),
            WSP_OK);
    assert_int_equal(nodes[0].n,
                     nodes[1].n); /* the same seed, the same trees, by one thread or several */
    assert_memory_equal(nodes[0].node, nodes[1].node, nodes[0].n * sizeof *nodes[0].node);
    for (size_t i = 0; i < N; i++) {
        size_t votes[3] = {0};
        for (size_t t = 0; t < TREES; t++)
            votes[ask(&c, nodes[0].node + root[t], i)]++;
        right += votes[label[i]] > TREES / 2;
    }
    assert_int_equal(right, N);
    assert_true(c.edge_end[0] <= 254 && c.edge_end[2] == c.edge_end[1] + c.edge_end[0]);
    free(nodes[0].node);
    free(nodes[1].node);
    wspi_coded_clear(&c);
}

/* Labels that nothing tells: trees grow as large as they can, with left sides that are longer than a branch can say. */
static void large_trees_are_whole(void **state)
{
    enum { N = 150000, TREES = 2, LABELS = 3 };
    float *x = malloc(N * 3 * sizeof *x);
    int32_t *label = malloc(N * sizeof *label);
    uint32_t *row = malloc(N * sizeof *row), root[TREES * 2] = {0}, labels[2] = {LABELS, 0};
    wspi_nodes nodes = {NULL};
    wsp_model *m = tiny_model();
    wspi_coded c;
    wspi_rng r;
    size_t right = 0, far = 0;
    wsp_forest f;

    (void)state;
    assert_true(x && label && row);
    wspi_rng_seed(&r, 4);
    for (uint32_t i = 0; i < N; i++) {
        for (uint32_t k = 0; k < 3; k++)
            x[i * 3 + k] = (float)wspi_rng_unit(&r);
        label[i] = (int32_t)wspi_rng_below(&r, LABELS);
        row[i] = i;
    }
    assert_int_equal(wspi_coded_make(&c, N, 3), WSP_OK);
    for (size_t k = 0; k < 3; k++)
        wspi_coded_add(&c, x + k, 3);
    assert_int_equal(
        wspi_forest_grow(&c, &(wspi_sample){.of = {row, N, N}, .label = label, .n_labels = LABELS},
                         TREES, 5, 1, root, &nodes),
        WSP_OK);
    for (size_t t = 0; t < TREES; t++)
        far += nodes.node[root[t]] < WSP_NODE_LEAF && !(nodes.node[root[t]] & WSP_NODE_RIGHT);
    for (size_t i = 0; i < N; i++)
        right += ask(&c, nodes.node + root[0], i) == (uint32_t)label[i];
    assert_true(far > 0);
    assert_true(nodes.n > TREES * 3 * WSP_NODE_RIGHT);
    assert_true(right > N / 2); /* it has learned its rows by heart: by chance a third would be */
    f = (wsp_forest){.features = 3,
                     .edge_end = c.edge_end,
                     .edge = c.edge,
                     .trees = TREES,
                     .labels = labels,
                     .root = root,
                     .n_nodes = nodes.n,
                     .node = nodes.node};
    assert_int_equal(wsp_model_forest_set(m, &f, NULL), WSP_OK);
    nodes.node[root[0] + 1]++; /* a distance that is wrong */
    assert_int_equal(wsp_model_forest_set(m, &f, NULL), WSP_ERR_ARG);
    wsp_model_free(m);
    free(nodes.node);
    wspi_coded_clear(&c);
    free(x);
    free(label);
    free(row);
}

/* Whole first, then the beginning, mostly of one packet, then every other time what is left for who comes late. */
static void flows_are_seen_whole_early_and_late(void **state)
{
    enum { DRAWS = 4000, LONG = 24 };
    static const uint32_t packets[] = {1, 2, 3, LONG};
    wspi_excerpt none[WSPI_EXCERPTS];
    wspi_rng r;

    (void)state;
    wspi_rng_seed(&r, 6);
    assert_int_equal(wspi_excerpts(none, 0, 0, &r), 0);
    for (size_t k = 0; k < WSPI_COUNT(packets); k++) {
        uint32_t n = packets[k];
        size_t of_one = 0, late = 0, longest = 0, latest = 0;

        for (unsigned i = 0; i < DRAWS; i++) {
            wspi_excerpt e[WSPI_EXCERPTS];
            size_t rows = wspi_excerpts(e, i, n, &r);

            assert_true(e[0].flow == i && e[0].from == 0 && e[0].to == n);
            assert_true(n == 1 ? rows == 1 : rows == 2 || rows == 3);
            if (n == 1)
                continue;
            assert_true(e[1].flow == i && e[1].from == 0 && e[1].to > 0 && e[1].to < n);
            of_one += e[1].to == 1;
            longest = WSPI_MAX(longest, e[1].to);
            late += rows == 3;
            if (rows < 3)
                continue;
            assert_true(e[2].flow == i && e[2].from > 0 && e[2].from < n && e[2].to == n);
            latest = WSPI_MAX(latest, e[2].from);
        }
        if (n == 1)
            continue;
        assert_true(late > DRAWS * 9 / 20 && late < DRAWS * 11 / 20);
        assert_int_equal(longest, WSPI_MIN(n - 1, (uint32_t)WSPI_EXCERPT_EARLY));
        assert_int_equal(latest, WSPI_MIN(n - 1, (uint32_t)WSPI_SKIP_MOST));
        if (n == LONG)
            assert_true(of_one > DRAWS * 9 / 20 && of_one < DRAWS * 11 / 20);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_forest_goes_with_its_model),
        cmocka_unit_test(what_leads_astray_is_refused),
        cmocka_unit_test(tensors_that_lie_are_refused_at_load),
        cmocka_unit_test(grown_trees_say_what_they_were_told),
        cmocka_unit_test(large_trees_are_whole),
        cmocka_unit_test(flows_are_seen_whole_early_and_late),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
