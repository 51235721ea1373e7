/* SPDX-License-Identifier: Apache-2.0 */
/*
 * split.c: what trains and what tests: captures by a hash of the name, the same on every machine, whatever else is in the
 * data set; or hosts, or times; and no flow in a later part whose tokens, or whose connection, stand in an earlier one.
 */
#include "base/base.h"
#include "wirespeak/task.h"

/*
 * A number in [0, 1) from name and seed. FNV-1a mixes its last bytes badly; the seeded generator
 * spreads them.
 */
static double unit_of_name(const char *name, uint64_t seed)
{
    wspi_rng rng;

    wspi_rng_seed(&rng,
                  wspi_fnv1a(name, strlen(name), WSPI_FNV_START) ^ seed * 0x9e3779b97f4a7c15u);
    return wspi_rng_unit(&rng);
}

static bool shares_fit(const wsp_split_options *o)
{
    double test = o->folds ? 1.0 / (double)o->folds : o->test;

    return o->val >= 0 && test >= 0 && o->val + test <= 1 && o->folds != 1 &&
           (!o->folds || (o->fold >= 1 && o->fold <= o->folds));
}

/* The part of what stands at u in [0, 1). A fold begins at its own piece of that, the test, and goes round. */
static wsp_split part_of(double u, const wsp_split_options *o)
{
    size_t piece, at;
    double test;

    if (!o->folds)
        return u < o->test            ? WSP_SPLIT_TEST
               : u < o->test + o->val ? WSP_SPLIT_VAL
                                      : WSP_SPLIT_TRAIN;
    test = 1.0 / (double)o->folds;
    piece = (size_t)(u * (double)o->folds);
    at = (piece + o->folds - (o->fold - 1)) % o->folds;
    if (at == 0)
        return WSP_SPLIT_TEST;
    u += ((double)at - (double)piece) * test;
    return u < test + o->val ? WSP_SPLIT_VAL : WSP_SPLIT_TRAIN;
}

static wsp_split part_of_name(const char *capture, const wsp_split_options *o)
{
    const char *slash = strrchr(capture, '/');

    return part_of(unit_of_name(slash ? slash + 1 : capture, o->seed), o);
}

wsp_status wsp_split_of(const char *capture, uint64_t seed, double val, double test, wsp_split *out)
{
    const wsp_split_options o = {.seed = seed, .val = val, .test = test};
    bool fit = shares_fit(&o);

    *out = fit ? part_of_name(capture, &o) : WSP_SPLIT_TRAIN;
    return fit ? WSP_OK : WSP_ERR_ARG;
}

const char *wsp_split_name(wsp_split split)
{
    static const char *const names[] = {"train", "val", "test"};

    return (unsigned)split < WSPI_COUNT(names) ? names[split] : "train";
}

/* ---- flows into parts ---- */

wsp_split_options wsp_split_options_default(void)
{
    return (wsp_split_options){
        .by = WSP_BY_CAPTURE, .seed = 1, .val = 0.1, .test = 0.25, .draw = 1};
}

/* A capture of a class, in the order in which the class gives them to test, validation and training. */
typedef struct ranked {
    int32_t class;
    double u;
    size_t capture;
} ranked;

static int by_class_and_rank(const void *a, const void *b)
{
    const ranked *x = a, *y = b;

    if (x->class != y->class)
        return x->class < y->class ? -1 : 1;
    if (x->u < y->u || x->u > y->u)
        return x->u < y->u ? -1 : 1;
    return x->capture < y->capture ? -1 : x->capture > y->capture;
}

/* How many of n captures: the nearest number, at least one where training keeps one too. */
static size_t share_of(double share, size_t n, size_t others)
{
    size_t k = (size_t)(share * (double)n + 0.5);

    if (n <= others + 1 || !(share > 0))
        return 0;
    return WSPI_MIN(WSPI_MAX(k, (size_t)1), n - others - 1);
}

/* Captures of one class from `from` to `to`. A fold begins with its own piece of them and goes round. */
static void split_class(const ranked *from, const ranked *to, const wsp_split_options *o,
                        wsp_split *part)
{
    size_t n = (size_t)(to - from), start = o->folds ? n * (o->fold - 1) / o->folds : 0;
    size_t test = o->folds ? n * o->fold / o->folds - start : share_of(o->test, n, 0);
    size_t val = share_of(o->val, n, test);

    for (size_t i = 0; i < n; i++)
        part[from[(start + i) % n].capture] = i < test         ? WSP_SPLIT_TEST
                                              : i < test + val ? WSP_SPLIT_VAL
                                                               : WSP_SPLIT_TRAIN;
}

wsp_status wsp_split_captures(const char *const *names, const int32_t *class_of, size_t n,
                              const wsp_split_options *opt, wsp_split *part)
{
    ranked *order;

    if (!shares_fit(opt))
        return WSP_ERR_ARG;
    if (!class_of) {
        for (size_t i = 0; i < n; i++)
            part[i] = part_of_name(names[i], opt);
        return WSP_OK;
    }
    order = wspi_new_array(n, sizeof *order);
    if (!order)
        return WSP_ERR_NOMEM;
    for (size_t i = 0; i < n; i++)
        order[i] = (ranked){class_of[i], unit_of_name(names[i], opt->seed), i};
    qsort(order, n, sizeof *order, by_class_and_rank);
    for (size_t from = 0, to; from < n; from = to) {
        for (to = from; to < n && order[to].class == order[from].class; to++)
            ;
        split_class(order + from, order + to, opt, part);
    }
    free(order);
    return WSP_OK;
}

static bool is_private(const uint8_t *a, uint8_t len)
{
    if (len == 4)
        return a[0] == 10 || (a[0] == 172 && a[1] >> 4 == 1) || (a[0] == 192 && a[1] == 168) ||
               (a[0] == 169 && a[1] == 254);
    if (len == 6)
        return !(a[0] & 1); /* no group */
    return len != 16 || a[0] >> 1 == 0x7e || (a[0] == 0xfe && a[1] >> 6 == 2);
}

wsp_split_flow wsp_split_flow_of(const wsp_flow *f)
{
    const wsp_flow_key *k = &f->key;
    bool mine[2] = {is_private(k->addr[0], k->addr_len), is_private(k->addr[1], k->addr_len)};
    wsp_split_flow out = {.connection = wsp_flow_key_hash(k) | 1, /* 0 is none */
                          .first_ns = f->first_ns,
                          .last_ns = f->last_ns};

    out.host = wspi_fnv1a(k->addr[mine[1] && !mine[0]], sizeof k->addr[0], WSPI_FNV_START);
    out.peer =
        mine[0] && mine[1] ? wspi_fnv1a(k->addr[1], sizeof k->addr[1], WSPI_FNV_START) : out.host;
    return out;
}

static wsp_split part_of_host(uint64_t host, const wsp_split_options *o)
{
    wspi_rng rng;

    wspi_rng_seed(&rng, host ^ o->seed * 0x9e3779b97f4a7c15u);
    return part_of(wspi_rng_unit(&rng), o);
}

static int by_number(const void *a, const void *b)
{
    const uint64_t *x = a, *y = b;
    return *x < *y ? -1 : *x > *y;
}

/* Training is what ended before the first border, the test what began at the second one or later. */
static wsp_status split_by_time(const wsp_split_flow *f, size_t n, const wsp_split_options *o,
                                int8_t *part)
{
    uint64_t *start = wspi_new_array(n + 1, sizeof *start), border[2];

    if (!start)
        return WSP_ERR_NOMEM;
    for (size_t i = 0; i < n; i++)
        start[i] = f[i].first_ns;
    qsort(start, n, sizeof *start, by_number);
    start[n] = UINT64_MAX;
    border[0] = start[(size_t)((1 - o->val - o->test) * (double)n + 0.5)];
    border[1] = start[(size_t)((1 - o->test) * (double)n + 0.5)];
    for (size_t i = 0; i < n; i++) {
        bool over[2] = {f[i].first_ns < border[0] && f[i].last_ns >= border[0],
                        f[i].first_ns < border[1] && f[i].last_ns >= border[1]};
        part[i] = over[0] || over[1]          ? WSP_SPLIT_LEFT_OUT
                  : f[i].first_ns < border[0] ? WSP_SPLIT_TRAIN
                  : f[i].first_ns < border[1] ? WSP_SPLIT_VAL
                                              : WSP_SPLIT_TEST;
    }
    free(start);
    return WSP_OK;
}

static wsp_status assign(const wsp_tokens *t, const wsp_split_flow *f, const wsp_split *captures,
                         const wsp_split_options *o, int8_t *part)
{
    wspi_rng rng;

    if (o->by == WSP_BY_TIME)
        return split_by_time(f, t->n_flows, o, part);
    wspi_rng_seed(&rng, o->seed);
    for (size_t i = 0; i < t->n_flows; i++) {
        if (o->by == WSP_BY_CAPTURE)
            part[i] = (int8_t)captures[t->capture[i]];
        else if (o->by == WSP_BY_FLOW)
            part[i] = (int8_t)part_of(wspi_rng_unit(&rng), o);
        else
            part[i] = (int8_t)(part_of_host(f[i].host, o) == part_of_host(f[i].peer, o)
                                   ? (int)part_of_host(f[i].host, o)
                                   : WSP_SPLIT_LEFT_OUT);
    }
    return WSP_OK;
}

/* ---- the same flow on both sides of the border ---- */

typedef struct print {
    uint64_t hash;
    uint32_t flow;
    int8_t part;
} print;

static int by_hash_and_part(const void *a, const void *b)
{
    const print *x = a, *y = b;

    if (x->hash != y->hash)
        return x->hash < y->hash ? -1 : 1;
    return x->part < y->part ? -1 : x->part > y->part;
}

/* Training first: a flow whose tokens stand in an earlier part leaves the later one. */
static wsp_status drop_duplicates(const wsp_tokens *t, int8_t *part, wsp_split_stats *stats)
{
    print *p = wspi_new_array(t->n_flows, sizeof *p);
    size_t n = 0;

    if (!p)
        return WSP_ERR_NOMEM;
    for (size_t i = 0; i < t->n_flows; i++) {
        uint64_t from = t->packet_off[t->flow_off[i]], to = t->packet_off[t->flow_off[i + 1]];
        if (part[i] != WSP_SPLIT_LEFT_OUT)
            p[n++] = (print){
                wspi_fnv1a(t->ids + from, (size_t)(to - from) * sizeof *t->ids, WSPI_FNV_START),
                (uint32_t)i, part[i]};
    }
    qsort(p, n, sizeof *p, by_hash_and_part);
    for (size_t i = 0, first = 0; i < n; i++) {
        if (p[i].hash != p[first].hash)
            first = i;
        if (p[i].part == p[first].part)
            continue;
        stats->duplicates[p[i].part]++;
        part[p[i].flow] = WSP_SPLIT_LEFT_OUT;
    }
    free(p);
    return WSP_OK;
}

/* ---- the same connection on both sides of the border ---- */

typedef struct leg {
    uint64_t connection, first_ns, last_ns;
    uint32_t flow, capture;
    int8_t part;
    uint32_t
        other; /* the capture of a flow of the connection that an earlier part has, or NO_CAPTURE */
} leg;

#define NO_CAPTURE UINT32_MAX

static int by_connection_and_time(const void *a, const void *b)
{
    const leg *x = a, *y = b;

    if (x->connection != y->connection)
        return x->connection < y->connection ? -1 : 1;
    if (x->first_ns != y->first_ns)
        return x->first_ns < y->first_ns ? -1 : 1;
    return x->flow < y->flow ? -1 : x->flow > y->flow;
}

/*
 * Legs that would be one flow in one capture, in the order of their beginnings: those of the earliest part stay, the others are of the
 * connection of one that stays, the last before them or the first.
 */
static void join_run(leg *l, size_t n)
{
    const leg *stays = l;

    for (size_t i = 1; i < n; i++)
        stays = l[i].part < stays->part ? &l[i] : stays;
    for (size_t i = 0, part = (size_t)stays->part; i < n; i++) {
        if ((size_t)l[i].part == part)
            stays = &l[i];
        else
            l[i].other = stays->capture;
    }
}

/* The legs of one connection, in the same order: a run ends where nothing follows for so long that a flow would have ended. */
static void join_legs(leg *l, size_t n, uint64_t idle_ns)
{
    for (size_t i = 0, end; i < n; i = end) {
        uint64_t last_ns = l[i].last_ns;

        for (end = i + 1;
             end < n && (l[end].first_ns <= last_ns || l[end].first_ns - last_ns <= idle_ns); end++)
            last_ns = WSPI_MAX(last_ns, l[end].last_ns);
        join_run(l + i, end - i);
    }
}

static int by_pair(const void *a, const void *b)
{
    const leg *x = a, *y = b;

    if (x->other != y->other)
        return x->other < y->other ? -1 : 1;
    return x->capture < y->capture ? -1 : x->capture > y->capture;
}

/* Only legs that have another one are left. */
static void count_pairs(leg *l, size_t n, wsp_split_stats *stats)
{
    qsort(l, n, sizeof *l, by_pair);
    for (size_t i = 0, first = 0; i < n; i++) {
        if (by_pair(&l[i], &l[first]) != 0)
            first = i;
        stats->pairs += i == first;
        if (i + 1 - first <= stats->most)
            continue;
        stats->most = i + 1 - first;
        stats->pair[0] = l[i].other;
        stats->pair[1] = l[i].capture;
    }
}

/*
 * Marks [n_flows] of the flows of later parts that one capture would have had as one with a flow of an earlier part: copies of captures,
 * also cut or filtered ones, parts of a recording, and what was recorded at two places.
 */
static wsp_status find_connected(const wsp_tokens *t, const wsp_split_flow *f, const int8_t *part,
                                 bool *connected, wsp_split_stats *stats)
{
    const uint64_t idle_ns = wsp_flow_table_options_default().idle_ns;
    leg *l = wspi_new_array(t->n_flows, sizeof *l);
    size_t n = 0, left = 0;

    if (!l)
        return WSP_ERR_NOMEM;
    for (size_t i = 0; i < t->n_flows; i++)
        if (part[i] != WSP_SPLIT_LEFT_OUT && f[i].connection)
            l[n++] = (leg){.connection = f[i].connection,
                           .first_ns = f[i].first_ns,
                           .last_ns = f[i].last_ns,
                           .flow = (uint32_t)i,
                           .capture = t->capture[i],
                           .part = part[i],
                           .other = NO_CAPTURE};
    qsort(l, n, sizeof *l, by_connection_and_time);
    for (size_t i = 0, end; i < n; i = end) {
        for (end = i + 1; end < n && l[end].connection == l[i].connection;)
            end++;
        join_legs(l + i, end - i, idle_ns);
    }
    for (size_t i = 0; i < n; i++)
        if (l[i].other != NO_CAPTURE) {
            connected[l[i].flow] = true;
            l[left++] = l[i];
        }
    count_pairs(l, left, stats);
    free(l);
    return WSP_OK;
}

/* What is a duplicate as well counts as one. */
static wsp_status drop_repeated(const wsp_tokens *t, const wsp_split_flow *f, wsp_split_by by,
                                int8_t *part, wsp_split_stats *stats)
{
    bool *connected = wspi_new_array(t->n_flows, sizeof *connected);
    wsp_status st = connected ? WSP_OK : WSP_ERR_NOMEM;

    if (st == WSP_OK && by == WSP_BY_CAPTURE)
        st = find_connected(t, f, part, connected, stats);
    if (st == WSP_OK)
        st = drop_duplicates(t, part, stats);
    for (size_t i = 0; st == WSP_OK && i < t->n_flows; i++)
        if (connected[i] && part[i] != WSP_SPLIT_LEFT_OUT) {
            stats->connected[part[i]]++;
            part[i] = WSP_SPLIT_LEFT_OUT;
        }
    free(connected);
    return st;
}

/* ---- few flows of each class ---- */

/* Whether a label of the flow still has room; if so, all its labels have one more. */
static bool takes_room(const wsp_tokens *t, size_t flow, size_t **count, size_t most)
{
    bool room = false;

    for (size_t h = 0; h < t->n_heads; h++)
        room = room || (t->labels[h][flow] >= 0 && count[h][t->labels[h][flow]] < most);
    for (size_t h = 0; room && h < t->n_heads; h++)
        if (t->labels[h][flow] >= 0)
            count[h][t->labels[h][flow]]++;
    return room;
}

static wsp_status thin(const wsp_tokens *t, const wsp_split_options *o, int8_t *part)
{
    uint32_t *flow = wspi_new_array(t->n_flows, sizeof *flow);
    size_t **count = wspi_new_array(t->n_heads, sizeof *count), n = 0;
    wsp_status st = flow && count ? WSP_OK : WSP_ERR_NOMEM;
    wspi_rng rng;

    wspi_rng_seed(&rng, o->draw);
    for (size_t h = 0; st == WSP_OK && h < t->n_heads; h++)
        if (!(count[h] = wspi_new_array(t->n_labels[h], sizeof **count)))
            st = WSP_ERR_NOMEM;
    for (size_t i = 0; st == WSP_OK && i < t->n_flows; i++)
        if (part[i] == WSP_SPLIT_TRAIN)
            flow[n++] = (uint32_t)i;
    if (st == WSP_OK)
        wspi_rng_shuffle(&rng, flow, n);
    for (size_t i = 0; st == WSP_OK && i < n; i++)
        if (!takes_room(t, flow[i], count, o->per_class))
            part[flow[i]] = WSP_SPLIT_LEFT_OUT;
    for (size_t h = 0; count && h < t->n_heads; h++)
        free(count[h]);
    free(count);
    free(flow);
    return st;
}

wsp_status wsp_split_flows(const wsp_tokens *t, const wsp_split_flow *flows,
                           const wsp_split *captures, const wsp_split_options *opt, int8_t *part,
                           wsp_split_stats *stats)
{
    memset(stats, 0, sizeof *stats);
    if (!shares_fit(opt) || (opt->folds && opt->by == WSP_BY_TIME))
        return WSP_ERR_ARG;
    WSP_TRY(assign(t, flows, captures, opt, part));
    for (size_t i = 0; i < t->n_flows; i++)
        stats->crossing += part[i] == WSP_SPLIT_LEFT_OUT;
    if (!opt->keep_duplicates)
        WSP_TRY(drop_repeated(t, flows, opt->by, part, stats));
    if (opt->per_class)
        WSP_TRY(thin(t, opt, part));
    for (size_t i = 0; i < t->n_flows; i++)
        if (part[i] != WSP_SPLIT_LEFT_OUT)
            stats->flows[part[i]]++;
    return WSP_OK;
}
