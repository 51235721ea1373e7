/* SPDX-License-Identifier: Apache-2.0 */
/*
 * discriminator.c: gradient boosting that tries to tell two sets of flows apart, or learns classes from one and is asked for
 * another's. It sees numbers of the flows and what identity-free leaves of their tokens; or contexts of a model.
 */
#include <math.h>

#include "realism/realism_int.h"
#include "task/features.h"

enum { FOLDS = 5, MOST = 2000, LEAST = 30, CAPTURES = 10, BATCH_TOKENS = 16384 };

/* ---- rows ---- */

/* Chosen flows of two sets, those of the first one before those of the second. */
typedef struct chosen {
    const wsp_traffic *of[2];
    uint32_t *flow[2]; /* [n[s]] numbers in the set */
    size_t n[2];
} chosen;

typedef struct rows {
    float *x; /* [n][features] */
    size_t n, features;
} rows;

/* Tokens of all chosen flows in one set, without anything else. */
static wsp_status join_tokens(const chosen *c, wsp_tokens **out, wsp_error *err)
{
    wsp_tokens *part[2] = {NULL, NULL}, *t = wspi_new_array(1, sizeof *t);
    wsp_status st = t ? WSP_OK : wspi_nomem(err, "flows", 0);
    size_t packets = 0;

    for (size_t s = 0; s < 2 && st == WSP_OK; s++) {
        wsp_selection how = {.flows = c->flow[s], .n = c->n[s], .policy = "identity-free"};
        st = wsp_tokens_select(&part[s], c->of[s]->tokens, &how, err);
    }
    if (st == WSP_OK) {
        t->ids = wspi_new_array(part[0]->n_tokens + part[1]->n_tokens, sizeof *t->ids);
        t->packet_off =
            wspi_new_array(part[0]->n_packets + part[1]->n_packets + 1, sizeof *t->packet_off);
        t->flow_off = wspi_new_array(part[0]->n_flows + part[1]->n_flows + 1, sizeof *t->flow_off);
        if (!t->ids || !t->packet_off || !t->flow_off)
            st = wspi_nomem(err, "flows", part[0]->n_tokens);
    }
    for (size_t s = 0; s < 2 && st == WSP_OK; s++) {
        const wsp_tokens *p = part[s];
        memcpy(t->ids + t->n_tokens, p->ids, p->n_tokens * sizeof *t->ids);
        for (size_t i = 0; i < p->n_packets; i++)
            t->packet_off[++t->n_packets] = t->n_tokens + p->packet_off[i + 1];
        for (size_t i = 0; i < p->n_flows; i++)
            t->flow_off[++t->n_flows] = packets + p->flow_off[i + 1];
        t->n_tokens += p->n_tokens;
        packets = t->n_packets;
    }
    wsp_tokens_free(part[0]);
    wsp_tokens_free(part[1]);
    if (st < 0) {
        wsp_tokens_free(t);
        return st;
    }
    *out = t;
    return WSP_OK;
}

/* Features of the tokens, chosen by the rows that have a label, beside those of the flows. */
static wsp_status token_rows(const chosen *c, const wsp_tokens *t, const int32_t *label,
                             size_t n_labels, rows *out)
{
    wspi_features *f = wspi_new_array(1, sizeof *f);
    size_t own = WSPI_FLOW_FEATURES, n = 0, cells;
    float *x = NULL;
    wsp_status st = f ? wspi_features_choose(f, t, label, n_labels, true) : WSP_ERR_NOMEM;

    *out = (rows){.n = t->n_flows};
    if (st == WSP_OK) {
        n = wspi_features_count(f);
        out->features = n + own;
        x = wspi_mul(n, t->n_flows, &cells) ? wspi_new_array(cells, sizeof *x) : NULL;
        if (wspi_mul(n + own, t->n_flows, &cells))
            out->x = wspi_new_array(cells, sizeof *out->x);
        st = x && out->x ? wspi_features_make(f, t, x) : WSP_ERR_NOMEM;
    }
    for (size_t s = 0, row = 0; s < 2 && st == WSP_OK; s++)
        for (size_t i = 0; i < c->n[s]; i++, row++) {
            float *to = out->x + row * (n + own);
            memcpy(to, c->of[s]->features + (size_t)c->flow[s][i] * own, own * sizeof *to);
            memcpy(to + own, x + row * n, n * sizeof *to);
        }
    free(x);
    free(f);
    return st;
}

/* ---- contexts of a model ---- */

static wsp_status context_batch(wsp_runner *r, const wsp_batch *b, float **room, size_t *cap,
                                size_t C, float *x, wsp_error *err)
{
    if (wspi_grow(room, cap, b->n_packets * C + 1, sizeof **room) < 0)
        return wspi_nomem(err, "contexts", b->n_packets * C);
    WSP_TRY(wsp_runner_classify(r, b, *room, NULL, err));
    for (size_t i = 0; i < b->n_flows; i++)
        memcpy(x + i * C, *room + (b->flow_off[i + 1] - 1u) * C, C * sizeof *x);
    return WSP_OK;
}

static wsp_status context_rows(const wsp_model *m, const wsp_tokens *t, rows *out, wsp_error *err)
{
    const wsp_model_config *cfg = wsp_model_config_get(m);
    wsp_view_options o = wsp_view_options_default();
    wspi_batcher b = {.ids = NULL};
    wsp_runner *r = NULL;
    uint32_t *order = wspi_new_array(t->n_flows, sizeof *order);
    float *room = NULL;
    size_t cells = 0, cap = 0, taken = 0;
    wspi_view v;
    wsp_status st;

    *out = (rows){.n = t->n_flows, .features = cfg->channels};
    if (wspi_mul(t->n_flows, out->features, &cells))
        out->x = wspi_new_array(cells, sizeof *out->x);
    o.policy = "everything"; /* the tokens are those of identity-free */
    st = wspi_view_make(&v, t, &o, cfg->max_tokens, false, err);
    if (st == WSP_OK)
        st = wsp_runner_new(&r, m, WSP_DTYPE_AUTO, err);
    if (st == WSP_OK && (!order || !out->x))
        st = wspi_nomem(err, "contexts", cells);
    for (size_t i = 0; st == WSP_OK && i < t->n_flows; i++)
        order[i] = (uint32_t)i;
    for (size_t i = 0; st == WSP_OK && i < t->n_flows; i += taken) {
        if (wspi_batcher_fill(&b, &v, t, order + i, t->n_flows - i, BATCH_TOKENS, NULL, 0, NULL,
                              &taken) < 0)
            st = wspi_nomem(err, "a batch of flows", BATCH_TOKENS);
        else
            st = context_batch(r, &b.batch, &room, &cap, out->features, out->x + i * out->features,
                               err);
    }
    wspi_batcher_clear(&b);
    wspi_view_clear(&v);
    wsp_runner_free(r);
    free(order);
    free(room);
    return st;
}

/* ---- folds ---- */

wsp_discriminate_options wsp_discriminate_options_default(void)
{
    return (wsp_discriminate_options){.most = MOST};
}

/* As many flows of each side, by chance; part gets the fold of each. */
typedef struct contest {
    chosen c;
    uint8_t *part;  /* [flows] */
    int32_t *label; /* [flows] which side */
    int32_t *seen;  /* [flows] the same for those that are learned from, else -1 */
    uint32_t *ask;  /* [flows] rows of the fold */
    float *prob;    /* [flows][2] */
    size_t n;
} contest;

static void contest_clear(contest *k)
{
    free(k->c.flow[0]);
    free(k->c.flow[1]);
    free(k->part);
    free(k->label);
    free(k->seen);
    free(k->ask);
    free(k->prob);
}

/* Places of a set's flows in an order by chance; those with half[i] != side come last, n are left. */
static size_t shuffle(uint32_t *place, size_t n, const uint8_t *half, uint8_t side)
{
    size_t kept = 0;
    wspi_rng rng;

    wspi_rng_seed(&rng, 7);
    for (size_t i = 0; i < n; i++)
        if (!half || half[i] == side)
            place[kept++] = (uint32_t)i;
    wspi_rng_shuffle(&rng, place, kept);
    return kept;
}

static wsp_status contest_fill(contest *k, const wsp_traffic *t[2], uint8_t *part[2],
                               uint32_t *place[2], size_t n)
{
    k->n = 2 * n;
    k->part = wspi_new_array(k->n, 1);
    k->label = wspi_new_array(k->n, sizeof *k->label);
    k->seen = wspi_new_array(k->n, sizeof *k->seen);
    k->ask = wspi_new_array(k->n, sizeof *k->ask);
    k->prob = wspi_new_array(2 * k->n, sizeof *k->prob);
    for (size_t s = 0; s < 2; s++) {
        k->c.of[s] = t[s];
        k->c.n[s] = n;
        k->c.flow[s] = wspi_new_array(n, sizeof **k->c.flow);
    }
    if (!k->part || !k->label || !k->seen || !k->ask || !k->prob || !k->c.flow[0] || !k->c.flow[1])
        return WSP_ERR_NOMEM;
    for (size_t s = 0; s < 2; s++)
        for (size_t i = 0; i < n; i++) {
            k->c.flow[s][i] = t[s]->counted[place[s][i]];
            k->part[s * n + i] = part[s][place[s][i]];
            k->label[s * n + i] = (int32_t)s;
        }
    return WSP_OK;
}

static wsp_status contest_make(contest *k, const wsp_traffic *real, const wsp_traffic *other,
                               size_t most, wsp_error *err)
{
    const wsp_traffic *t[2] = {real, other ? other : real};
    uint8_t *half = other ? NULL : wspi_new_array(real->n_counted, 1), *part[2];
    uint32_t *place[2];
    size_t n[2];
    wsp_status st = other || half ? WSP_OK : WSP_ERR_NOMEM;

    *k = (contest){.n = 0};
    for (size_t s = 0; s < 2; s++) {
        part[s] = wspi_new_array(t[s]->n_counted, 1);
        place[s] = wspi_new_array(t[s]->n_counted, sizeof **place);
        if (!part[s] || !place[s])
            st = WSP_ERR_NOMEM;
    }
    if (st == WSP_OK && half)
        st = wspi_halves(real, WSP_HALF_FLOWS, half);
    for (size_t s = 0; s < 2 && st == WSP_OK; s++) {
        st = wspi_parts(t[s], t[s] == real && wspi_captures_of(real) >= CAPTURES, FOLDS, part[s]);
        n[s] = shuffle(place[s], t[s]->n_counted, half, (uint8_t)s);
    }
    if (st == WSP_OK && WSPI_MIN(n[0], n[1]) < LEAST)
        st = wspi_fail(err, WSP_ERR_ARG, 0, "%zu and %zu flows are too few to be told apart", n[0],
                       n[1]);
    else if (st == WSP_OK)
        st = contest_fill(k, t, part, place, WSPI_MIN(most, WSPI_MIN(n[0], n[1])));
    if (st == WSP_ERR_NOMEM)
        st = wspi_nomem(err, "flows to be told apart", real->n_counted);
    for (size_t s = 0; s < 2; s++) {
        free(part[s]);
        free(place[s]);
    }
    free(half);
    return st;
}

/* Learns from the rows that have a label in `seen`, and answers for the others into prob. */
static wsp_status run_fold(contest *k, const rows *r, wsp_error *err)
{
    wsp_trees_options opt = wsp_trees_options_default(WSP_BOOSTING);
    size_t F = r->features, learn = 0, ask = 0;
    float *x = wspi_new_array(r->n * F, sizeof *x), *y = wspi_new_array(r->n * F, sizeof *y);
    float *prob = wspi_new_array(2 * r->n, sizeof *prob);
    int32_t *label = wspi_new_array(r->n, sizeof *label);
    wsp_status st = x && y && prob && label ? WSP_OK : WSP_ERR_NOMEM;

    for (size_t i = 0; st == WSP_OK && i < r->n; i++) {
        bool known = k->seen[i] >= 0;
        memcpy(known ? x + learn * F : y + ask * F, r->x + i * F, F * sizeof *x);
        if (known)
            label[learn++] = k->seen[i];
        else
            k->ask[ask++] = (uint32_t)i;
    }
    if (st == WSP_OK && learn && ask)
        st = wsp_trees(&opt, &(wsp_rows){x, learn, F}, label, 2, &(wsp_rows){y, ask, F}, prob);
    for (size_t i = 0; st == WSP_OK && i < ask; i++)
        memcpy(k->prob + 2 * (size_t)k->ask[i], prob + 2 * i, 2 * sizeof *prob);
    free(x);
    free(y);
    free(prob);
    free(label);
    return st < 0 ? wspi_nomem(err, "rows of flows", r->n * F) : st;
}

static wsp_status run_folds(contest *k, const wsp_model *encoder, wsp_error *err)
{
    wsp_tokens *t = NULL;
    rows contexts = {.x = NULL};
    wsp_status st = join_tokens(&k->c, &t, err);

    if (st == WSP_OK && encoder)
        st = context_rows(encoder, t, &contexts, err);
    for (unsigned fold = 0; fold < FOLDS && st == WSP_OK; fold++) {
        rows r = contexts;
        for (size_t i = 0; i < k->n; i++)
            k->seen[i] = k->part[i] == fold ? -1 : k->label[i];
        if (!encoder && token_rows(&k->c, t, k->seen, 2, &r) < 0)
            st = wspi_nomem(err, "rows of flows", k->n);
        if (st == WSP_OK)
            st = run_fold(k, &r, err);
        if (!encoder)
            free(r.x);
    }
    free(contexts.x);
    wsp_tokens_free(t);
    return st;
}

wsp_status wsp_discriminate(const wsp_traffic *real, const wsp_traffic *other,
                            const wsp_discriminate_options *opt, wsp_discrimination *out,
                            wsp_error *err)
{
    const wsp_discriminate_options defaults = wsp_discriminate_options_default();
    wsp_metrics *score = NULL;
    contest k;
    wsp_status st;

    opt = opt ? opt : &defaults;
    *out = (wsp_discrimination){.flows = 0};
    st = contest_make(&k, real, other, opt->most, err);
    if (st == WSP_OK)
        st = run_folds(&k, opt->encoder, err);
    if (st == WSP_OK &&
        wsp_metrics_new(
            &score, &(wsp_answers){.n = k.n, .n_labels = 2, .prob = k.prob, .label = k.label}) < 0)
        st = wspi_nomem(err, "scores", k.n);
    if (st == WSP_OK) {
        double z = (score->accuracy - 0.5) / sqrt(0.25 / (double)k.n);
        *out = (wsp_discrimination){.flows = k.n,
                                    .f1 = score->macro_f1,
                                    .accuracy = score->accuracy,
                                    .p = erfc(z / sqrt(2)) / 2};
    }
    wsp_metrics_free(score);
    contest_clear(&k);
    return st;
}

/* ---- classes ---- */

typedef struct lesson {
    chosen c;
    int32_t *label; /* [flows learned from, then those asked for]: number of the class */
    size_t n_labels;
} lesson;

static void lesson_clear(lesson *l)
{
    free(l->c.flow[0]);
    free(l->c.flow[1]);
    free(l->label);
}

static void take_class(lesson *l, size_t side, const wsp_traffic *t, int32_t class, size_t most)
{
    size_t before = l->c.n[side];

    wspi_take_class(t, class, most, l->c.flow[side], &l->c.n[side]);
    for (size_t i = before; i < l->c.n[side]; i++)
        l->label[side * l->c.n[0] + i] = (int32_t)l->n_labels;
}

/* The classes of all sets, numbered as they come. side 0: flows learned from; 1: flows asked for. */
static void take_side(lesson *l, size_t side, const wsp_traffic *from, const wsp_traffic *to,
                      const wsp_traffic *also, size_t least, size_t most)
{
    l->n_labels = 0;
    for (size_t k = 0; k < to->n_names; k++) {
        int32_t own = wspi_class_in(from, to->names[k]),
                other = also ? wspi_class_in(also, to->names[k]) : own;
        size_t n = own < 0 ? 0 : wspi_flows_of(from, own);
        size_t m = other < 0 ? 0 : also ? wspi_flows_of(also, other) : n;
        if (n < least || m < least || wspi_flows_of(to, (int32_t)k) < least)
            continue;
        if (side == 0)
            take_class(l, 0, from, own, WSPI_MIN(most, WSPI_MIN(n, m)));
        else
            take_class(l, 1, to, (int32_t)k, SIZE_MAX);
        l->n_labels++;
    }
}

static wsp_status teach(lesson *l, wsp_trees_kind learner, wsp_transfer *out, wsp_error *err)
{
    wsp_trees_options opt = wsp_trees_options_default(learner);
    size_t learn = l->c.n[0], ask = l->c.n[1];
    int32_t *seen = wspi_new_array(learn + ask, sizeof *seen);
    float *prob = wspi_new_array(ask * l->n_labels, sizeof *prob);
    wsp_metrics *score = NULL;
    wsp_tokens *t = NULL;
    rows r = {.x = NULL};
    wsp_status st = seen && prob ? WSP_OK : WSP_ERR_NOMEM;

    if (st == WSP_OK)
        st = join_tokens(&l->c, &t, err);
    for (size_t i = 0; st == WSP_OK && i < learn + ask; i++)
        seen[i] = i < learn ? l->label[i] : -1;
    if (st == WSP_OK)
        st = token_rows(&l->c, t, seen, l->n_labels, &r);
    if (st == WSP_OK)
        st = wsp_trees(&opt, &(wsp_rows){r.x, learn, r.features}, l->label, l->n_labels,
                       &(wsp_rows){r.x + learn * r.features, ask, r.features}, prob);
    if (st == WSP_OK)
        st = wsp_metrics_new(&score, &(wsp_answers){.n = ask,
                                                    .n_labels = l->n_labels,
                                                    .prob = prob,
                                                    .label = l->label + learn});
    if (st == WSP_OK)
        *out = (wsp_transfer){.classes = l->n_labels,
                              .learned = learn,
                              .asked = ask,
                              .macro_f1 = score->macro_f1,
                              .accuracy = score->accuracy};
    wsp_metrics_free(score);
    wsp_tokens_free(t);
    free(r.x);
    free(seen);
    free(prob);
    return st < 0 ? wspi_nomem(err, "rows of flows", learn + ask) : st;
}

wsp_status wsp_transfer_score(wsp_trees_kind learner, const wsp_traffic *from,
                              const wsp_traffic *to, const wsp_traffic *also, size_t least,
                              size_t most, wsp_transfer *out, wsp_error *err)
{
    lesson l = {.c = {.of = {from, to}}};
    wsp_status st = WSP_OK;

    *out = (wsp_transfer){.classes = 0};
    l.c.flow[0] = wspi_new_array(from->n_counted, sizeof **l.c.flow);
    l.c.flow[1] = wspi_new_array(to->n_counted, sizeof **l.c.flow);
    l.label = wspi_new_array(from->n_counted + to->n_counted, sizeof *l.label);
    if (!l.c.flow[0] || !l.c.flow[1] || !l.label)
        st = wspi_nomem(err, "classes", from->n_counted);
    if (st == WSP_OK) {
        take_side(&l, 0, from, to, also, least, most);
        take_side(&l, 1, from, to, also, least, most);
        if (l.n_labels < 2)
            st = wspi_fail(err, WSP_ERR_ARG, 0,
                           "fewer than two classes have %zu flows on all sides", least);
    }
    if (st == WSP_OK)
        st = teach(&l, learner, out, err);
    lesson_clear(&l);
    return st;
}

/* ---- nDPI ---- */

/* What the flow was called as its class, or else; what was asked of nDPI may be whose traffic it is, not its protocol. */
static const char *called(const wsp_traffic *t, uint32_t flow, bool service)
{
    return service ? t->service[flow] : t->said[flow];
}

typedef struct tally {
    const char *name;
    size_t n;
} tally;

enum { NAMES = 64 };

/* The name other than its own that most flows of the class were given. `own` is our name of it. */
static void mostly_other(const wsp_traffic *t, int32_t class, const char *own, bool service,
                         wsp_agreement *row)
{
    tally names[NAMES];
    size_t n = 0;

    for (size_t i = 0; i < t->n_counted; i++) {
        uint32_t flow = t->counted[i];
        const char *name = called(t, flow, service);
        size_t k = 0;
        name = name ? name : t->said[flow];
        if (t->label[flow] != class || !name || strcmp(name, own) == 0)
            continue;
        while (k < n && strcmp(names[k].name, name) != 0)
            k++;
        if (k == NAMES)
            continue;
        if (k == n)
            names[n++] = (tally){.name = name};
        if (++names[k].n > row->n_other) {
            row->other = name;
            row->n_other = names[k].n;
        }
    }
}

static void count_class(const wsp_traffic *t, int32_t class, wsp_agreement *row)
{
    bool service = false;
    const char *own = wsp_label_name(row->name, &service); /* lists have names of other releases */

    own = own ? own : row->name;
    for (size_t i = 0; i < t->n_counted; i++) {
        uint32_t flow = t->counted[i];
        const char *said = called(t, flow, service), *guess = t->guessed[flow];
        if (t->label[flow] != class)
            continue;
        row->flows++;
        row->named += t->said[flow] != NULL;
        row->right += said && strcmp(said, own) == 0;
        row->guessed += (said && strcmp(said, own) == 0) || (guess && strcmp(guess, own) == 0);
    }
    mostly_other(t, class, own, service, row);
}

static int by_flows(const void *a, const void *b)
{
    const wsp_agreement *x = a, *y = b;

    if (x->flows != y->flows)
        return x->flows > y->flows ? -1 : 1;
    return strcmp(x->name, y->name);
}

wsp_status wsp_traffic_agreement(const wsp_traffic *t, wsp_agreement **out, size_t *n)
{
    wsp_agreement *row_of = wspi_new_array(t->n_names, sizeof *row_of);

    *out = row_of;
    *n = 0;
    if (!row_of)
        return WSP_ERR_NOMEM;
    for (size_t k = 0; k < t->n_names; k++) {
        wsp_agreement row = {.name = t->names[k]};
        count_class(t, (int32_t)k, &row);
        if (row.flows > 0)
            row_of[(*n)++] = row;
    }
    qsort(row_of, *n, sizeof *row_of, by_flows);
    return WSP_OK;
}
