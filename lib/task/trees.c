/* SPDX-License-Identifier: Apache-2.0 */
/*
 * trees.c: random forest (Breiman, 2001) and gradient boosting (Friedman, 2001; histograms as in LightGBM). As baselines no
 * tree is kept: the rows that are asked for go down each tree while it grows, and branches that none of them takes are
 * not grown. A model's forest is grown whole, and written down. Values are coded into at most 255 bins by the quantiles of the
 * training rows.
 */
#include <math.h>
#include <pthread.h>

#include "task/trees_int.h"
#include "wirespeak/model.h"

enum { BINS = WSPI_BINS };

/* Rows in columns: code [features][n]. */
typedef struct columns {
    uint8_t *code;
    size_t n;
} columns;

typedef struct trees {
    const wsp_trees_options *opt;
    columns train, ask;
    size_t F, L;
    const int32_t *label; /* [train.n] */
    uint32_t *row;        /* [train.n] training rows in the order of branches */
    uint32_t *asked;      /* [ask.n] rows that are asked for, likewise */
    uint32_t *scratch;    /* [larger of both] */
    uint8_t *n_codes;     /* [F] codes are below */
} trees;

/* ---- coding ---- */

static wsp_status code_all(trees *t, const float *train, const float *ask)
{
    float *sorted = wspi_new_array(t->train.n, sizeof *sorted), edge[BINS];
    size_t cells[2];

    if (!wspi_mul(t->F, t->train.n, &cells[0]) || !wspi_mul(t->F, t->ask.n, &cells[1])) {
        free(sorted);
        return WSP_ERR_NOMEM;
    }
    t->train.code = wspi_new_array(cells[0], 1);
    t->ask.code = wspi_new_array(cells[1], 1);
    t->n_codes = wspi_new_array(t->F, 1);
    if (!sorted || !t->train.code || !t->ask.code || !t->n_codes) {
        free(sorted);
        return WSP_ERR_NOMEM;
    }
    for (size_t f = 0; f < t->F; f++) {
        size_t k;
        for (size_t i = 0; i < t->train.n; i++)
            sorted[i] = train[i * t->F + f];
        k = wspi_edges_of(sorted, t->train.n, edge);
        t->n_codes[f] = (uint8_t)(k + 1);
        wspi_code_column(t->train.code + f * t->train.n, t->train.n, train + f, t->F, edge, k);
        wspi_code_column(t->ask.code + f * t->ask.n, t->ask.n, ask + f, t->F, edge, k);
    }
    free(sorted);
    return WSP_OK;
}

/* ---- branches ---- */

/* A branch: its part of the training rows and of the rows that are asked for. */
typedef struct branch {
    size_t from, to, ask_from, ask_to;
} branch;

typedef struct cut {
    size_t feature;
    unsigned code; /* up to it to the left */
    double gain;   /* 0: no cut */
} cut;

/* Stable: those up to the code first. Returns where the others begin. */
static size_t part(uint32_t *row, size_t from, size_t to, const uint8_t *code, unsigned at,
                   uint32_t *scratch)
{
    size_t left = from, right = 0;

    for (size_t i = from; i < to; i++) {
        if (code[row[i]] <= at)
            row[left++] = row[i];
        else
            scratch[right++] = row[i];
    }
    memcpy(row + left, scratch, right * sizeof *row);
    return left;
}

static void part_branch(trees *t, const branch *b, const cut *c, branch *left, branch *right)
{
    size_t mid =
        part(t->row, b->from, b->to, t->train.code + c->feature * t->train.n, c->code, t->scratch);
    size_t ask = part(t->asked, b->ask_from, b->ask_to, t->ask.code + c->feature * t->ask.n,
                      c->code, t->scratch);

    *left = (branch){b->from, mid, b->ask_from, ask};
    *right = (branch){mid, b->to, ask, b->ask_to};
}

/* ---- forest ---- */

typedef struct forest {
    trees *t;
    size_t wanted;       /* features that a branch tries */
    uint32_t *tried;     /* [F] number of the branch that tried it last */
    uint32_t branches;   /* so far */
    uint32_t *sorted;    /* [train.n] rows of a branch in the order of a feature */
    double *all, *below; /* [L] flows of each label in the branch, and to the left of a cut */
    double *sum;         /* [ask.n][L] */
} forest;

/* The rows of the branch in the order of their codes. */
static void sort_rows(const forest *f, const branch *b, const uint8_t *code)
{
    uint32_t start[BINS + 2] = {0};

    for (size_t i = b->from; i < b->to; i++)
        start[code[f->t->row[i]] + 1]++;
    for (size_t k = 1; k < BINS + 2; k++)
        start[k] += start[k - 1];
    for (size_t i = b->from; i < b->to; i++)
        f->sorted[start[code[f->t->row[i]]]++] = f->t->row[i];
}

/*
 * The cut with the purest sides: largest sum over sides of (sum over labels of n_label^2) / n, which is least Gini
 * impurity. Moving one row over changes both sums of squares by 2 n_label +- 1. Values that the branch does not have go to
 * the nearer side.
 */
static bool try_feature(const forest *f, const branch *b, size_t feature, double squares, cut *best)
{
    const uint8_t *code = f->t->train.code + feature * f->t->train.n;
    double low = 0, high = squares, n = (double)(b->to - b->from);
    bool varies = false;

    sort_rows(f, b, code);
    memset(f->below, 0, f->t->L * sizeof *f->below);
    for (size_t i = 0; i + 1 < b->to - b->from; i++) {
        int32_t l = f->t->label[f->sorted[i]];
        double left = (double)i + 1, gain;
        high -= 2 * (f->all[l] - f->below[l]) - 1;
        low += 2 * f->below[l] + 1;
        f->below[l]++;
        if (code[f->sorted[i]] == code[f->sorted[i + 1]])
            continue;
        varies = true;
        gain = low / left + high / (n - left);
        if (gain > best->gain)
            *best = (cut){feature, (code[f->sorted[i]] + code[f->sorted[i + 1]]) / 2u, gain};
    }
    return varies;
}

static void count_labels(const forest *f, const branch *b)
{
    memset(f->all, 0, f->t->L * sizeof *f->all);
    for (size_t i = b->from; i < b->to; i++)
        f->all[f->t->label[f->t->row[i]]]++;
}

/* Features are drawn until enough have been tried that are not the same in all rows, or all have. */
static cut find_cut(forest *f, const branch *b, uint64_t key)
{
    cut best = {.gain = 0};
    double squares = 0;
    wspi_rng rng;

    f->branches++;
    wspi_rng_seed(&rng, key);
    for (size_t l = 0; l < f->t->L; l++)
        squares += f->all[l] * f->all[l];
    for (size_t drawn = 0, tried = 0; tried < f->wanted && drawn < f->t->F; drawn++) {
        size_t feature = (size_t)wspi_rng_below(&rng, f->t->F);
        while (f->tried[feature] == f->branches)
            feature = feature + 1 < f->t->F ? feature + 1 : 0;
        f->tried[feature] = f->branches;
        tried += try_feature(f, b, feature, squares, &best);
    }
    return best;
}

static void answer(const forest *f, const branch *b)
{
    double n = (double)(b->to - b->from);

    for (size_t i = b->ask_from; i < b->ask_to; i++)
        for (size_t l = 0; l < f->t->L; l++)
            f->sum[f->t->asked[i] * f->t->L + l] += f->all[l] / n;
}

static bool is_pure(const forest *f, const branch *b)
{
    return f->all[f->t->label[f->t->row[b->from]]] >= (double)(b->to - b->from);
}

/* A branch's own key makes its tree the same, whichever rows are asked for. */
static uint64_t key_of(uint64_t key, bool right)
{
    return (key ^ (right ? 0x9e3779b97f4a7c15u : 0xd1b54a32d192ed03u)) * 0xff51afd7ed558ccdu + 1;
}

static wsp_status grow_tree(forest *f, uint64_t key)
{
    struct open {
        branch b;
        uint64_t key;
    } *open = NULL;
    size_t n = 0, cap = 0;
    wsp_status st = wspi_grow(&open, &cap, 1, sizeof *open);

    if (st == WSP_OK)
        open[n++] = (struct open){{0, f->t->train.n, 0, f->t->ask.n}, key};
    while (st == WSP_OK && n > 0) {
        struct open at = open[--n];
        cut c = {.gain = 0};
        if (at.b.ask_from == at.b.ask_to)
            continue;
        count_labels(f, &at.b);
        if (!is_pure(f, &at.b))
            c = find_cut(f, &at.b, at.key);
        if (!(c.gain > 0)) {
            answer(f, &at.b);
            continue;
        }
        st = wspi_grow(&open, &cap, n + 2, sizeof *open);
        if (st < 0)
            break;
        part_branch(f->t, &at.b, &c, &open[n].b, &open[n + 1].b);
        open[n].key = key_of(at.key, false);
        open[n + 1].key = key_of(at.key, true);
        n += 2;
    }
    free(open);
    return st;
}

static wsp_status forest_make(forest *f)
{
    f->tried = wspi_new_array(f->t->F, sizeof *f->tried);
    f->sorted = wspi_new_array(f->t->train.n, sizeof *f->sorted);
    f->all = wspi_new_array(f->t->L, sizeof *f->all);
    f->below = wspi_new_array(f->t->L, sizeof *f->below);
    return f->tried && f->sorted && f->all && f->below ? WSP_OK : WSP_ERR_NOMEM;
}

static void forest_clear(forest *f)
{
    free(f->tried);
    free(f->sorted);
    free(f->all);
    free(f->below);
    free(f->sum);
}

static wsp_status grow_forest(trees *t, float *prob)
{
    forest f = {.t = t, .wanted = (size_t)sqrt((double)t->F)};
    size_t cells = t->ask.n * t->L;
    wsp_status st = WSP_OK;
    wspi_rng rng;

    f.sum = wspi_new_array(cells, sizeof *f.sum);
    if (forest_make(&f) < 0 || !f.sum)
        st = WSP_ERR_NOMEM;
    wspi_rng_seed(&rng, t->opt->seed);
    for (size_t k = 0; st == WSP_OK && k < t->opt->rounds; k++) {
        for (size_t i = 0; i < t->train.n; i++) /* drawn with replacement */
            t->row[i] = (uint32_t)wspi_rng_below(&rng, t->train.n);
        for (size_t i = 0; i < t->ask.n; i++)
            t->asked[i] = (uint32_t)i;
        st = grow_tree(&f, wspi_rng_u64(&rng));
    }
    for (size_t i = 0; st == WSP_OK && i < cells; i++)
        prob[i] = (float)(f.sum[i] / (double)t->opt->rounds);
    forest_clear(&f);
    return st;
}

/* ---- a forest that is kept ---- */

/* A branch of fewer rows is not divided: it has a flow or two, in the forms in which they were seen. */
enum { DEEPEST = 200, LEAST_DIVIDED = 4, MAX_THREADS = 256 };

/*
 * What a leaf votes for: the label of one of its rows, so that where rows differ shares of trees are shares of rows. The commonest
 * label would have all trees.
 */
static uint32_t drawn_label(const forest *f, const branch *b, uint64_t key)
{
    return (uint32_t)f->t->label[f->t->row[b->from + (key >> 32) % (b->to - b->from)]];
}

/* Where the left side is too long for the branch to say how far the right one is, a number behind it does, and *right is 0. */
static wsp_status say_distance(wspi_nodes *out, size_t at, size_t *right)
{
    if (*right <= WSP_NODE_RIGHT)
        return WSP_OK;
    WSP_TRY(wspi_grow(&out->node, &out->cap, out->n + 1, sizeof *out->node));
    memmove(out->node + at + 2, out->node + at + 1, (out->n - at - 1) * sizeof *out->node);
    out->node[at + 1] = (uint32_t)(*right + 1);
    out->n++;
    *right = 0;
    return WSP_OK;
}

/* Writes the branch's nodes down. */
static wsp_status record_branch(forest *f, const branch *b, uint64_t key, unsigned depth,
                                wspi_nodes *out)
{
    size_t at = out->n, right;
    uint32_t leaf;
    branch side[2];
    cut c = {.gain = 0};

    WSP_TRY(wspi_grow(&out->node, &out->cap, at + 1, sizeof *out->node));
    count_labels(f, b);
    leaf = WSP_NODE_LEAF | drawn_label(f, b, key);
    out->node[out->n++] = leaf;
    if (b->to - b->from >= LEAST_DIVIDED && !is_pure(f, b) && depth < DEEPEST)
        c = find_cut(f, b, key);
    if (!(c.gain > 0))
        return WSP_OK;
    part_branch(f->t, b, &c, &side[0], &side[1]);
    WSP_TRY(record_branch(f, &side[0], key_of(key, false), depth + 1, out));
    right = out->n - at;
    WSP_TRY(say_distance(out, at, &right));
    WSP_TRY(record_branch(f, &side[1], key_of(key, true), depth + 1, out));
    out->node[at] = (uint32_t)(c.feature << 22 | (size_t)c.code << 14 | right);
    return WSP_OK;
}

/* Trees that grow at once, each by itself, so that they are the same whichever thread has them. */
typedef struct grove {
    const wspi_coded *c;
    const wspi_sample *from;
    size_t wanted, next; /* trees; the first that nobody has taken */
    uint64_t seed;
    wspi_nodes *tree; /* [wanted] */
    pthread_mutex_t lock;
    wsp_status st; /* of the first that failed */
} grove;

static void draw_rows(wspi_rng *rng, const wspi_drawn *from, uint32_t *row)
{
    for (size_t i = 0; i < from->draws; i++)
        row[i] = from->row[wspi_rng_below(rng, from->n)];
}

static size_t draws_of(const wspi_sample *s)
{
    return s->of.draws + s->background.draws;
}

static wsp_status grow_one(const grove *g, forest *f, size_t k)
{
    const branch all = {0, draws_of(g->from), 0, 0};
    wspi_rng rng;

    wspi_rng_seed(&rng, g->seed + k * 0x9e3779b97f4a7c15u);
    draw_rows(&rng, &g->from->of, f->t->row);
    draw_rows(&rng, &g->from->background, f->t->row + g->from->of.draws);
    return record_branch(f, &all, wspi_rng_u64(&rng), 0, &g->tree[k]);
}

/* The number of a tree that is still to grow, or no less than all. */
static size_t take_tree(grove *g, wsp_status st)
{
    size_t k;

    (void)pthread_mutex_lock(&g->lock);
    if (g->st == WSP_OK)
        g->st = st;
    k = g->st == WSP_OK ? g->next++ : g->wanted;
    (void)pthread_mutex_unlock(&g->lock);
    return k;
}

static void *grove_main(void *arg)
{
    grove *g = arg;
    trees t = {.train = {g->c->code, g->c->n},
               .F = g->c->features,
               .L = g->from->n_labels,
               .label = g->from->label};
    forest f = {.t = &t, .wanted = (size_t)sqrt((double)g->c->features)};
    wsp_status st = WSP_OK;
    size_t k;

    t.row = wspi_new_array(draws_of(g->from), sizeof *t.row);
    t.asked = wspi_new_array(1, sizeof *t.asked);
    t.scratch = wspi_new_array(draws_of(g->from), sizeof *t.scratch);
    if (!t.row || !t.asked || !t.scratch || forest_make(&f) < 0)
        st = WSP_ERR_NOMEM;
    while ((k = take_tree(g, st)) < g->wanted)
        st = grow_one(g, &f, k);
    forest_clear(&f);
    free(t.row);
    free(t.asked);
    free(t.scratch);
    return NULL;
}

/* The trees one behind the other. */
static wsp_status join_trees(const grove *g, uint32_t *root, wspi_nodes *out)
{
    for (size_t k = 0; k < g->wanted; k++) {
        const wspi_nodes *t = &g->tree[k];

        WSP_TRY(wspi_grow(&out->node, &out->cap, out->n + t->n, sizeof *out->node));
        memcpy(out->node + out->n, t->node, t->n * sizeof *out->node);
        root[k] = (uint32_t)out->n;
        out->n += t->n;
    }
    return WSP_OK;
}

wsp_status wspi_forest_grow(const wspi_coded *c, const wspi_sample *from, size_t trees_wanted,
                            uint64_t seed, unsigned threads, uint32_t *root, wspi_nodes *out)
{
    grove g = {.c = c, .from = from, .wanted = trees_wanted, .seed = seed, .st = WSP_OK};
    pthread_t thread[MAX_THREADS];
    unsigned started = 0;
    wsp_status st;

    g.tree = wspi_new_array(trees_wanted, sizeof *g.tree);
    if (!g.tree)
        return WSP_ERR_NOMEM;
    (void)pthread_mutex_init(&g.lock, NULL);
    threads = wspi_thread_count(threads, MAX_THREADS);
    /* the caller is a worker too; when the system refuses threads, the others do the work */
    while (started + 1 < threads && pthread_create(&thread[started], NULL, grove_main, &g) == 0)
        started++;
    (void)grove_main(&g);
    while (started > 0)
        (void)pthread_join(thread[--started], NULL);
    st = g.st == WSP_OK ? join_trees(&g, root, out) : g.st;
    for (size_t k = 0; k < trees_wanted; k++)
        free(g.tree[k].node);
    free(g.tree);
    (void)pthread_mutex_destroy(&g.lock);
    return st;
}

/* ---- boosting ---- */

enum { LEAVES = 31, LEAST_ROWS = 20, MOST_FEATURES = 64 };
static const double RATE = 0.1, RIDGE = 1, LEAST_CURVE = 1e-3;

typedef struct bin {
    double slope, curve; /* sums of first and second derivatives of the loss */
    double n;
} bin;

typedef struct leaf {
    branch b;
    bin all;
    bin *bins; /* [chosen features][BINS + 1] */
    cut best;
} leaf;

typedef struct booster {
    trees *t;
    size_t n_chosen;
    uint32_t *chosen;          /* [n_chosen] features of the tree at work */
    double *slope, *curve;     /* [train.n] */
    bin *ordered;              /* [train.n] the same in the order of a branch */
    double *score, *ask_score; /* [rows][L] */
    bin *memory;               /* of all leaves' bins */
    leaf leaves[LEAVES];
    size_t n_leaves;
} booster;

static double worth_of(double slope, double curve)
{
    return slope * slope / (curve + RIDGE);
}

static void fill_bins(const booster *o, leaf *l)
{
    const uint32_t *row = o->t->row;

    memset(l->bins, 0, o->n_chosen * (BINS + 1) * sizeof *l->bins);
    for (size_t i = l->b.from; i < l->b.to; i++)
        o->ordered[i] = (bin){o->slope[row[i]], o->curve[row[i]], 1};
    for (size_t k = 0; k < o->n_chosen; k++) {
        const uint8_t *code = o->t->train.code + o->chosen[k] * o->t->train.n;
        bin *bins = l->bins + k * (BINS + 1);
        for (size_t i = l->b.from; i < l->b.to; i++) {
            bin *at = &bins[code[row[i]]];
            at->slope += o->ordered[i].slope;
            at->curve += o->ordered[i].curve;
            at->n++;
        }
    }
}

static void find_best(const booster *o, leaf *l)
{
    double whole;

    l->all = (bin){0, 0, 0};
    for (size_t c = 0; c <= BINS; c++) { /* any feature has all rows */
        l->all.slope += l->bins[c].slope;
        l->all.curve += l->bins[c].curve;
        l->all.n += l->bins[c].n;
    }
    l->best = (cut){.gain = 0};
    whole = worth_of(l->all.slope, l->all.curve);
    for (size_t k = 0; k < o->n_chosen; k++) {
        bin left = {0, 0, 0};
        for (unsigned c = 0; c + 1u < o->t->n_codes[o->chosen[k]]; c++) {
            const bin *at = &l->bins[k * (BINS + 1) + c];
            double gain, curve;
            left.slope += at->slope;
            left.curve += at->curve;
            left.n += at->n;
            curve = l->all.curve - left.curve;
            if (left.n < LEAST_ROWS || l->all.n - left.n < LEAST_ROWS || left.curve < LEAST_CURVE ||
                curve < LEAST_CURVE)
                continue;
            gain = worth_of(left.slope, left.curve) + worth_of(l->all.slope - left.slope, curve) -
                   whole;
            if (gain > l->best.gain)
                l->best = (cut){o->chosen[k], c, gain};
        }
    }
}

/* The smaller side is counted, the other is what is left of the whole. */
static void split_leaf(booster *o, leaf *l)
{
    leaf *other = &o->leaves[o->n_leaves++];
    branch left, right;
    bool left_small;

    part_branch(o->t, &l->b, &l->best, &left, &right);
    left_small = left.to - left.from < right.to - right.from;
    other->b = left_small ? left : right;
    l->b = left_small ? right : left;
    fill_bins(o, other);
    for (size_t i = 0; i < o->n_chosen * (BINS + 1); i++) {
        l->bins[i].slope -= other->bins[i].slope;
        l->bins[i].curve -= other->bins[i].curve;
        l->bins[i].n -= other->bins[i].n;
    }
    find_best(o, l);
    find_best(o, other);
}

static void add_leaf(const booster *o, const leaf *l, size_t label)
{
    double step = -RATE * l->all.slope / (l->all.curve + RIDGE);
    size_t L = o->t->L;

    for (size_t i = l->b.from; i < l->b.to; i++)
        o->score[o->t->row[i] * L + label] += step;
    for (size_t i = l->b.ask_from; i < l->b.ask_to; i++)
        o->ask_score[o->t->asked[i] * L + label] += step;
}

static void boost_label(booster *o, size_t label)
{
    trees *t = o->t;

    for (size_t i = 0; i < t->train.n; i++)
        t->row[i] = (uint32_t)i;
    for (size_t i = 0; i < t->ask.n; i++)
        t->asked[i] = (uint32_t)i;
    o->n_leaves = 1;
    o->leaves[0].b = (branch){0, t->train.n, 0, t->ask.n};
    fill_bins(o, &o->leaves[0]);
    find_best(o, &o->leaves[0]);
    while (o->n_leaves < LEAVES) {
        leaf *most = &o->leaves[0];
        for (size_t i = 1; i < o->n_leaves; i++)
            if (o->leaves[i].best.gain > most->best.gain)
                most = &o->leaves[i];
        if (!(most->best.gain > 0))
            break;
        split_leaf(o, most);
    }
    for (size_t i = 0; i < o->n_leaves; i++)
        add_leaf(o, &o->leaves[i], label);
}

static void softmax(const double *score, size_t L, double *p)
{
    double top = score[0], sum = 0;

    for (size_t l = 1; l < L; l++)
        top = WSPI_MAX(top, score[l]);
    for (size_t l = 0; l < L; l++)
        sum += p[l] = exp(score[l] - top);
    for (size_t l = 0; l < L; l++)
        p[l] /= sum;
}

/* p [train.n][L]: probabilities of the round's start, which all labels' trees go by. */
static void boost_round(booster *o, double *p, const double *size, wspi_rng *rng)
{
    trees *t = o->t;

    for (size_t i = 0; i < t->train.n; i++)
        softmax(o->score + i * t->L, t->L, p + i * t->L);
    for (size_t label = 0; label < t->L; label++) {
        if (size[label] <= 0)
            continue;
        for (size_t k = 0; k < o->n_chosen; k++) /* drawn anew for each tree when there are many */
            o->chosen[k] = (uint32_t)(o->n_chosen < t->F ? wspi_rng_below(rng, t->F) : k);
        for (size_t i = 0; i < t->train.n; i++) {
            double q = p[i * t->L + label];
            o->slope[i] = q - ((size_t)t->label[i] == label);
            o->curve[i] = q * (1 - q);
        }
        boost_label(o, label);
    }
}

static void booster_clear(booster *o)
{
    free(o->chosen);
    free(o->slope);
    free(o->curve);
    free(o->ordered);
    free(o->score);
    free(o->ask_score);
    free(o->memory);
}

static wsp_status booster_make(booster *o, trees *t)
{
    size_t bins;

    *o = (booster){.t = t, .n_chosen = WSPI_MIN(t->F, (size_t)MOST_FEATURES)};
    bins = o->n_chosen * (BINS + 1);
    o->chosen = wspi_new_array(o->n_chosen, sizeof *o->chosen);
    o->slope = wspi_new_array(t->train.n, sizeof *o->slope);
    o->curve = wspi_new_array(t->train.n, sizeof *o->curve);
    o->ordered = wspi_new_array(t->train.n, sizeof *o->ordered);
    o->score = wspi_new_array(t->train.n * t->L, sizeof *o->score);
    o->ask_score = wspi_new_array(t->ask.n * t->L, sizeof *o->ask_score);
    o->memory = wspi_new_array(bins * LEAVES, sizeof *o->memory);
    if (!o->chosen || !o->slope || !o->curve || !o->ordered || !o->score || !o->ask_score ||
        !o->memory)
        return WSP_ERR_NOMEM;
    for (size_t i = 0; i < LEAVES; i++)
        o->leaves[i].bins = o->memory + i * bins;
    return WSP_OK;
}

/* Scores start at the logarithm of how often a label occurs. */
static void start_scores(booster *o, const double *size)
{
    trees *t = o->t;

    for (size_t l = 0; l < t->L; l++) {
        double start = log(WSPI_MAX(size[l], 1e-9) / (double)t->train.n);
        for (size_t i = 0; i < t->train.n; i++)
            o->score[i * t->L + l] = start;
        for (size_t i = 0; i < t->ask.n; i++)
            o->ask_score[i * t->L + l] = start;
    }
}

static wsp_status boost(trees *t, float *prob)
{
    booster o;
    double *p = wspi_new_array(t->train.n * t->L, sizeof *p);
    double *size = wspi_new_array(t->L, sizeof *size), *q = wspi_new_array(t->L, sizeof *q);
    wsp_status st = booster_make(&o, t);
    wspi_rng rng;

    if (!p || !size || !q)
        st = WSP_ERR_NOMEM;
    if (st == WSP_OK) {
        for (size_t i = 0; i < t->train.n; i++)
            size[t->label[i]]++;
        start_scores(&o, size);
        wspi_rng_seed(&rng, t->opt->seed);
        for (size_t k = 0; k < t->opt->rounds; k++)
            boost_round(&o, p, size, &rng);
        for (size_t i = 0; i < t->ask.n; i++) {
            softmax(o.ask_score + i * t->L, t->L, q);
            for (size_t l = 0; l < t->L; l++)
                prob[i * t->L + l] = (float)q[l];
        }
    }
    booster_clear(&o);
    free(p);
    free(size);
    free(q);
    return st;
}

/* ---- both ---- */

wsp_trees_options wsp_trees_options_default(wsp_trees_kind kind)
{
    return (wsp_trees_options){.kind = kind, .rounds = kind == WSP_FOREST ? 400 : 100, .seed = 1};
}

wsp_status wsp_trees(const wsp_trees_options *opt, const wsp_rows *train, const int32_t *label,
                     size_t n_labels, const wsp_rows *ask, float *prob)
{
    trees t = {.opt = opt,
               .train.n = train->n,
               .ask.n = ask->n,
               .F = train->features,
               .L = n_labels,
               .label = label};
    wsp_status st;

    if (train->n == 0 || train->features == 0 || ask->features != train->features ||
        n_labels == 0 || opt->rounds == 0 || train->n > UINT32_MAX || ask->n > UINT32_MAX)
        return WSP_ERR_ARG;
    for (size_t i = 0; i < train->n; i++)
        if (label[i] < 0 || (size_t)label[i] >= n_labels)
            return WSP_ERR_ARG;
    t.row = wspi_new_array(train->n, sizeof *t.row);
    t.asked = wspi_new_array(ask->n, sizeof *t.asked);
    t.scratch = wspi_new_array(WSPI_MAX(train->n, ask->n), sizeof *t.scratch);
    st = t.row && t.asked && t.scratch ? code_all(&t, train->x, ask->x) : WSP_ERR_NOMEM;
    if (st == WSP_OK)
        st = opt->kind == WSP_FOREST ? grow_forest(&t, prob) : boost(&t, prob);
    free(t.row);
    free(t.asked);
    free(t.scratch);
    free(t.train.code);
    free(t.ask.code);
    free(t.n_codes);
    return st;
}
