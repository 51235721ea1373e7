/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cmd_eval_generated.c: `eval --generated`: reads real, training and generated captures, measures the generated ones
 * against the real ones, and the real ones against themselves, and fills the table that is printed.
 */
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "baseline.h"
#include "realism.h"

enum {
    MAX_LISTS = 16,
    LEAST_VALUES =
        10, /* a measure counts in the mean if half of the real flows have so many values of it ... */
    RARE = 1000,     /* ... and one in so many packets has one */
    LEAST_FLOWS = 5, /* of a class that is learned */
    MOST_FLOWS = 1000,
    TRAIN = 2, /* columns before those of generated captures */
};

/* What is read and measured. Column 0 is the real flows in halves by flow, 1 in halves by capture. */
typedef struct work {
    const generated_arguments *a;
    const generated_context *c;
    realism_report *r;
    wsp_labels *lists[MAX_LISTS], *asked[MAX_LISTS];
    size_t n_lists, n_asked;
    wsp_model *encoder;
    char folder[32]; /* for captures that tshark reads */
    bool tshark;
    wsp_traffic *real, *train, *part, *set[REALISM_COLUMNS];
    wsp_verbatim *scan[REALISM_COLUMNS];
    wsp_distance *distance[REALISM_COLUMNS];
    const char *wanted; /* part of the split that is read */
} work;

realism_row *realism_add(realism_report *r, const char *section, const char *name,
                         realism_unit unit)
{
    realism_row *row = &r->row[r->n_rows];

    if (r->n_rows == REALISM_ROWS)
        return NULL;
    *row = (realism_row){.section = section, .unit = unit};
    (void)snprintf(row->name, sizeof row->name, "%s", name);
    for (size_t i = 0; i < REALISM_COLUMNS; i++)
        row->v[i] = (double)NAN;
    r->n_rows++;
    return row;
}

static size_t columns_of(const work *w)
{
    return w->r->n_columns;
}

/* ---- reading ---- */

static wsp_status load_lists(work *w, wsp_error *err)
{
    const cli_list *l = w->c->labels;
    size_t head = 0;

    for (size_t i = 0; i < l->n; i++) {
        const char *equals = strchr(l->items[i], '=');
        if (!equals || equals == l->items[i])
            cli_die_usage(w->c->command, "'%s' is not HEAD=FILE", l->items[i]);
        if (i > 0 && ((size_t)(equals - l->items[i]) != head ||
                      strncmp(l->items[i], l->items[0], head) != 0))
            cli_die_usage(w->c->command, "with --generated all --labels are of one head");
        head = (size_t)(equals - l->items[i]);
        if (w->n_lists == MAX_LISTS)
            cli_die_usage(w->c->command, "at most %d lists", MAX_LISTS);
        if (wsp_labels_load(&w->lists[w->n_lists++], equals + 1, err) < 0)
            return err->status;
    }
    for (size_t i = 0; i < w->a->asked.n; i++) {
        if (w->n_asked == MAX_LISTS)
            cli_die_usage(w->c->command, "at most %d lists", MAX_LISTS);
        if (wsp_labels_load(&w->asked[w->n_asked++], w->a->asked.items[i], err) < 0)
            return err->status;
    }
    return WSP_OK;
}

static bool of_part(void *arg, const char *capture)
{
    const work *w = arg;
    wsp_split part = WSP_SPLIT_TRAIN;

    return !w->wanted || (wsp_split_of(capture, w->c->split.seed, w->c->split.val, w->c->split.test,
                                       &part) == WSP_OK &&
                          strcmp(wsp_split_name(part), w->wanted) == 0);
}

/* tshark reads what counts of captures from a file of their own, which is gone afterwards. */
static wsp_status read_set(work *w, const char *const *paths, size_t n,
                           const wsp_traffic_options *how, wsp_traffic **out, tshark_report *shark,
                           wsp_error *err)
{
    wsp_traffic_options opt = *how;
    char pcap[64];
    wsp_input *in = NULL;
    wsp_status st;

    (void)snprintf(pcap, sizeof pcap, "%s/packets.pcap", w->folder);
    opt.max_packets = w->a->max_packets;
    opt.want = of_part;
    opt.arg = w;
    opt.pcap = shark && w->tshark ? pcap : NULL;
    cli_note("reading %s%s ...", paths[0], n > 1 ? " and others" : "");
    st = wsp_input_new(&in, paths, n, NULL, err);
    if (st == WSP_OK)
        st = wsp_traffic_read(out, in, &opt, err);
    wsp_input_free(in);
    if (opt.pcap && st == WSP_OK)
        (void)tshark_look(pcap, shark);
    if (opt.pcap)
        (void)remove(pcap);
    return st;
}

/* "NAME=FILE", or FILE, whose own name stands for it. */
static const char *name_column(realism_column *c, const char *item)
{
    const char *equals = strchr(item, '='), *slash;

    if (equals && equals > item && (size_t)(equals - item) < sizeof c->name) {
        memcpy(c->name, item, (size_t)(equals - item));
        wsp_make_printable(c->name);
        return equals + 1;
    }
    slash = strrchr(item, '/');
    (void)snprintf(c->name, sizeof c->name, "%s", slash ? slash + 1 : item);
    wsp_make_printable(c->name);
    return item;
}

static wsp_status read_real(work *w, wsp_error *err)
{
    const wsp_traffic_options how = {.lists = (const wsp_labels *const *)w->lists,
                                     .n_lists = w->n_lists,
                                     .ndpi = w->n_lists > 0,
                                     .payload = true};
    wsp_status st;

    w->wanted = w->c->part;
    st = read_set(w, w->a->real.items, w->a->real.n, &how, &w->real, &w->r->column[0].shark, err);
    w->wanted = NULL;
    if (st == WSP_OK)
        w->r->column[0].counts = w->r->column[1].counts = wsp_traffic_counts_get(w->real);
    return st;
}

static wsp_status read_generated(work *w, const char *item, wsp_error *err)
{
    const wsp_traffic_options how = {.lists = (const wsp_labels *const *)w->asked,
                                     .n_lists = w->n_asked,
                                     .ndpi = w->n_asked > 0,
                                     .payload = true};
    size_t at = w->r->n_columns;
    realism_column *c = &w->r->column[at];
    const char *path = name_column(c, item);
    wsp_status st;

    w->r->n_columns++;
    st = read_set(w, &path, 1, &how, &w->set[at], &c->shark, err);
    if (st == WSP_OK)
        c->counts = wsp_traffic_counts_get(w->set[at]);
    return st;
}

/* The first generated set says what of each class there shall be, or the real one where it does not. */
static const wsp_traffic *like_whom(const work *w)
{
    return w->r->column[TRAIN + 1].counts.classes ? w->set[TRAIN + 1] : w->real;
}

/* A generator that learns here: its capture is measured like those that were given. */
static wsp_status add_baseline(work *w, const char *name, const char *pcap,
                               const wsp_bytes_options *bytes, wsp_error *err)
{
    const wsp_traffic_options how = {.lists = (const wsp_labels *const *)w->lists,
                                     .n_lists = w->n_lists,
                                     .frames = bytes != NULL};
    char list[4096], item[4096];
    wsp_traffic *train = NULL;
    baseline b = {.pcap = pcap, .list = list, .like = like_whom(w)};
    wsp_status st;

    (void)snprintf(list, sizeof list, "%s.tsv", pcap);
    (void)snprintf(item, sizeof item, "%s=%s", name, pcap);
    w->wanted = w->c->part ? wsp_split_name(WSP_SPLIT_TRAIN) : NULL;
    st = read_set(w, w->a->train.items, w->a->train.n, &how, &train, NULL, err);
    w->wanted = NULL;
    b.train = train;
    b.max_packets = w->a->max_packets;
    if (st == WSP_OK)
        st = bytes ? baseline_bytes(&b, bytes, err) : baseline_markov(&b, err);
    wsp_traffic_free(train);
    if (st == WSP_OK && wsp_traffic_counts_get(b.like).classes && w->n_asked < MAX_LISTS)
        st = wsp_labels_load(&w->asked[w->n_asked++], list, err);
    if (st == WSP_OK)
        st = read_generated(w, item, err);
    if (st == WSP_ERR_ARG) { /* not one packet */
        cli_warn("%s: %s", name, err->text);
        w->r->n_columns--;
        st = WSP_OK;
    }
    return st;
}

/* Training captures are looked through for the payloads of all sets, and of the real one to compare with. */
static wsp_status read_train(work *w, wsp_error *err)
{
    wsp_verbatim *scan[REALISM_COLUMNS];
    wsp_traffic_options how = {
        .lists = (const wsp_labels *const *)w->lists, .n_lists = w->n_lists, .scan = scan};
    wsp_status st = wsp_verbatim_new(&w->scan[0], w->real, err);

    for (size_t i = TRAIN + 1; i < columns_of(w) && st == WSP_OK; i++)
        st = wsp_verbatim_new(&w->scan[i], w->set[i], err);
    for (size_t i = 0; i < columns_of(w); i++)
        if (w->scan[i])
            scan[how.n_scan++] = w->scan[i];
    w->wanted = w->c->part ? wsp_split_name(WSP_SPLIT_TRAIN) : NULL;
    if (st == WSP_OK)
        st = read_set(w, w->a->train.items, w->a->train.n, &how, &w->train, NULL, err);
    w->wanted = NULL;
    if (st == WSP_OK && w->n_lists)
        st = wsp_traffic_part(&w->part, w->train, w->real, err);
    if (st == WSP_OK) {
        w->set[TRAIN] = w->part ? w->part : w->train;
        w->r->column[TRAIN].counts = wsp_traffic_counts_get(w->set[TRAIN]);
    }
    return st;
}

/* ---- measuring ---- */

static wsp_status measure_distances(work *w, wsp_error *err)
{
    wsp_status st = WSP_OK;

    for (size_t i = 0; i < columns_of(w) && st == WSP_OK; i++) {
        if (i >= TRAIN && !w->set[i])
            continue;
        w->distance[i] = calloc(wsp_distance_count(), sizeof *w->distance[i]);
        if (!w->distance[i])
            return cli_no_memory(err);
        st = wsp_distances(w->real, i < TRAIN ? NULL : w->set[i],
                           i == 0 ? WSP_HALF_FLOWS : WSP_HALF_CAPTURES, w->distance[i]);
    }
    return cli_error(err, st, "out of memory for the distances");
}

static const struct {
    wsp_distance_kind kind;
    const char *section, *mean;
} kinds[WSP_DISTANCE_KINDS] = {
    {WSP_DISTANCE_HEADER, "header fields", "mean of header fields"},
    {WSP_DISTANCE_ADDRESS, "networks", NULL},
    {WSP_DISTANCE_FIELD, "protocol fields", "mean of protocol fields"},
    {WSP_DISTANCE_IDENTITY, "addresses and tags", NULL},
    {WSP_DISTANCE_FLOW, "flows", "mean of flow features"},
};

static size_t least_values(const work *w)
{
    size_t packets = w->r->column[0].counts.packets / 2 / RARE;

    return packets > LEAST_VALUES ? packets : LEAST_VALUES;
}

static void add_mean(work *w, size_t kind)
{
    realism_row *row = realism_add(w->r, kinds[kind].section, kinds[kind].mean, REALISM_SHARE);

    for (size_t i = 0; row && i < columns_of(w); i++)
        if (w->distance[i])
            row->v[i] = wsp_distance_mean(w->distance[i], w->distance[0], kinds[kind].kind,
                                          least_values(w));
    if (row)
        row->mean = true;
}

static void add_distances(work *w, size_t kind)
{
    const wsp_distance *real = w->distance[0];

    for (size_t d = 0; d < wsp_distance_count(); d++) {
        realism_row *row;
        if (real[d].kind != kinds[kind].kind || real[d].n[0] < least_values(w))
            continue;
        row = realism_add(w->r, kinds[kind].section, real[d].name, REALISM_SHARE);
        for (size_t i = 0; row && i < columns_of(w); i++)
            if (w->distance[i])
                row->v[i] = w->distance[i][d].jsd;
        if (row)
            row->detail = kind == WSP_DISTANCE_FIELD || kind == WSP_DISTANCE_IDENTITY;
    }
    if (kinds[kind].mean)
        add_mean(w, kind);
}

static double share(size_t part, size_t all)
{
    return all ? (double)part / (double)all : (double)NAN;
}

static const wsp_traffic *traffic_of(const work *w, size_t column)
{
    return column == 0 ? w->real : column <= TRAIN ? NULL : w->set[column];
}

static void add_validity(work *w)
{
    for (unsigned f = 0; f < WSP_FAULTS; f++) {
        realism_row *row =
            realism_add(w->r, "validity: share of packets", wsp_fault_name(f), REALISM_SHARE);
        for (size_t i = 0; row && i < columns_of(w); i++) {
            const wsp_traffic *t = traffic_of(w, i);
            if (t)
                row->v[i] = share(wsp_traffic_faults(t, f), f == WSP_FAULT_NO_SYN
                                                                ? w->r->column[i].counts.flows
                                                                : w->r->column[i].counts.packets);
        }
    }
}

static void add_tshark(work *w)
{
    static const char *const names[] = {"malformed", "bad checksum", "expert: error",
                                        "TCP analysis"};

    for (size_t k = 0; w->tshark && k < sizeof names / sizeof names[0]; k++) {
        realism_row *row =
            realism_add(w->r, "validity by tshark: share of packets", names[k], REALISM_SHARE);
        for (size_t i = 0; row && i < columns_of(w); i++) {
            const tshark_report *s = &w->r->column[i].shark;
            const size_t n[] = {s->malformed, s->checksums, s->errors, s->tcp};
            if (s->ran)
                row->v[i] = share(n[k], s->packets);
        }
    }
}

static wsp_status add_ndpi(work *w, wsp_error *err)
{
    realism_row *right = NULL, *named = NULL, *guessed = NULL;

    for (size_t i = 0; i < columns_of(w); i++) {
        const wsp_traffic *t = traffic_of(w, i);
        realism_column *c = &w->r->column[i];
        size_t n[4] = {0};
        if (!t || c->counts.classes == 0)
            continue;
        if (wsp_traffic_agreement(t, &c->agreement, &c->n_agreement) < 0)
            return cli_no_memory(err);
        for (size_t k = 0; k < c->n_agreement; k++) {
            n[0] += c->agreement[k].flows;
            n[1] += c->agreement[k].right;
            n[2] += c->agreement[k].named;
            n[3] += c->agreement[k].guessed;
        }
        if (!right) {
            right = realism_add(w->r, "nDPI: share of flows", "named as asked", REALISM_SCORE);
            named = realism_add(w->r, "nDPI: share of flows", "named at all", REALISM_SCORE);
            guessed =
                realism_add(w->r, "nDPI: share of flows", "as asked, by port too", REALISM_SCORE);
        }
        if (!right || !named || !guessed)
            return WSP_OK;
        right->high = named->high = guessed->high = true;
        right->v[i] = share(n[1], n[0]);
        named->v[i] = share(n[2], n[0]);
        guessed->v[i] = share(n[3], n[0]);
    }
    return WSP_OK;
}

static wsp_status add_discriminator(work *w, const wsp_model *encoder, const char *by,
                                    wsp_error *err)
{
    wsp_discriminate_options opt = wsp_discriminate_options_default();
    char name[56];
    realism_row *f1, *p;
    wsp_status st = WSP_OK;

    opt.encoder = encoder;
    (void)snprintf(name, sizeof name, "macro-F1, %s", by);
    f1 =
        realism_add(w->r, "told apart by gradient boosting (0.5: not at all)", name, REALISM_SCORE);
    (void)snprintf(name, sizeof name, "p-value, %s", by);
    p = realism_add(w->r, "told apart by gradient boosting (0.5: not at all)", name, REALISM_SCORE);
    for (size_t i = 0; f1 && p && i < columns_of(w) && st == WSP_OK; i++) {
        wsp_discrimination d;
        if (i == 1 || (i >= TRAIN && !w->set[i]))
            continue;
        cli_note("telling %s from real flows by %s ...", w->r->column[i].name, by);
        st = wsp_discriminate(w->real, i < TRAIN ? NULL : w->set[i], &opt, &d, err);
        if (st == WSP_ERR_ARG) { /* too few flows */
            cli_warn("%s: %s", w->r->column[i].name, err->text);
            st = WSP_OK;
            continue;
        }
        f1->v[i] = d.f1;
        p->v[i] = d.p;
    }
    return st;
}

typedef struct learning {
    realism_row *own, *train, *ratio, *classes;
} learning;

static learning add_learning_rows(work *w, const char *learner)
{
    static const char *const section = "learning the classes from them, asked for real flows";
    static const char *const what[] = {"macro-F1", "of as many training flows", "ratio", "classes"};
    realism_row *row[4];

    for (size_t k = 0; k < 4; k++) {
        char name[64];
        (void)snprintf(name, sizeof name, "%s: %s", learner, what[k]);
        row[k] = realism_add(w->r, section, name, k == 3 ? REALISM_NUMBER : REALISM_SCORE);
        if (row[k])
            row[k]->high = k < 3;
    }
    return (learning){row[0], row[1], row[2], row[3]};
}

/* Trees that learn from a set, asked for the real flows; beside them trees that learn as many flows of training captures. */
static wsp_status add_learning(work *w, const char *name, wsp_trees_kind learner, wsp_error *err)
{
    const learning l = add_learning_rows(w, name);

    for (size_t i = TRAIN + 1; l.own && l.train && l.ratio && l.classes && i < columns_of(w); i++) {
        wsp_transfer synthetic, real = {.classes = 0};
        wsp_status st;
        if (w->r->column[i].counts.classes == 0)
            continue;
        cli_note("learning the classes from %s: %s ...", w->r->column[i].name, name);
        st = wsp_transfer_score(learner, w->set[i], w->real, w->train, LEAST_FLOWS, MOST_FLOWS,
                                &synthetic, err);
        if (st == WSP_OK && w->train)
            st = wsp_transfer_score(learner, w->train, w->real, w->set[i], LEAST_FLOWS, MOST_FLOWS,
                                    &real, err);
        if (st == WSP_ERR_ARG) {
            cli_warn("%s: %s", w->r->column[i].name, err->text);
            continue;
        }
        if (st < 0)
            return st;
        l.own->v[i] = synthetic.macro_f1;
        l.classes->v[i] = (double)synthetic.classes;
        if (w->train) {
            l.train->v[i] = real.macro_f1;
            l.ratio->v[i] = real.macro_f1 > 0 ? synthetic.macro_f1 / real.macro_f1 : (double)NAN;
        }
    }
    return WSP_OK;
}

static wsp_status add_diversity(work *w, wsp_error *err)
{
    realism_row *distinct = realism_add(w->r, "variety", "different flows (tokens)", REALISM_SCORE);
    realism_row *patterns = realism_add(w->r, "variety", "sequences of TCP flags", REALISM_NUMBER);
    realism_row *coverage =
        realism_add(w->r, "variety", "real flows with one of these near", REALISM_SCORE);
    realism_row *precision =
        realism_add(w->r, "variety", "of these near a real flow", REALISM_SCORE);

    for (size_t i = 0; distinct && patterns && coverage && precision && i < columns_of(w); i++) {
        wsp_diversity d;
        if (i == 1 || (i >= TRAIN && !w->set[i]))
            continue;
        if (wsp_diversity_of(w->real, i < TRAIN ? NULL : w->set[i], &d) < 0)
            return cli_no_memory(err);
        distinct->v[i] = d.distinct;
        patterns->v[i] = (double)d.patterns;
        coverage->v[i] = d.coverage;
        precision->v[i] = d.precision;
        distinct->high = coverage->high = precision->high = true;
    }
    return WSP_OK;
}

static wsp_status add_nearness(work *w, wsp_error *err)
{
    static const char *const section = "nearest training flow (edits of tokens)";
    realism_row *equal = realism_add(w->r, section, "equal to one", REALISM_SHARE);
    realism_row *low = realism_add(w->r, section, "distance, 5 % quantile", REALISM_SCORE);
    realism_row *median = realism_add(w->r, section, "distance, median", REALISM_SCORE);

    for (size_t i = 0; equal && low && median && i < columns_of(w); i++) {
        const wsp_traffic *t = traffic_of(w, i);
        wsp_nearness n;
        if (!t)
            continue;
        cli_note("looking for the training flows nearest to %s ...", w->r->column[i].name);
        if (wsp_nearness_of(t, w->train, &n) < 0)
            return cli_no_memory(err);
        equal->v[i] = n.equal;
        low->v[i] = n.low;
        median->v[i] = n.median;
    }
    return WSP_OK;
}

static wsp_status add_copies(work *w, wsp_error *err)
{
    static const char *const section = "payload of 16 bytes or more that training captures have";
    realism_row *any = realism_add(w->r, section, "packets with such a copy", REALISM_SHARE);
    realism_row *rare = realism_add(w->r, section, "packets with a rare one", REALISM_SHARE);
    realism_row *n_any = realism_add(w->r, section, "different copies", REALISM_NUMBER);
    realism_row *n_rare = realism_add(w->r, section, "different rare ones", REALISM_NUMBER);

    for (size_t i = 0; any && rare && n_any && n_rare && i < columns_of(w); i++) {
        realism_column *c = &w->r->column[i];
        wsp_verbatim_found f;
        if (!w->scan[i])
            continue;
        if (wsp_verbatim_result(w->scan[i], w->a->common, &f, &c->copies) < 0)
            return cli_no_memory(err);
        c->n_copies = f.copies;
        any->v[i] = share(f.copied_packets, f.packets);
        rare->v[i] = share(f.rare_packets, f.packets);
        n_any->v[i] = (double)f.copies;
        n_rare->v[i] = (double)f.rare;
    }
    return WSP_OK;
}

/* Lines of a file: each is looked for in whole, and its first eight bytes. */
static wsp_status add_canaries(work *w, wsp_error *err)
{
    realism_row *whole = realism_add(w->r, "canaries", "packets with one", REALISM_NUMBER);
    realism_row *begun =
        realism_add(w->r, "canaries", "packets with the first 8 bytes of one", REALISM_NUMBER);
    FILE *f = fopen(w->a->canaries, "re");
    char *line = NULL;
    size_t room = 0, lines = 0;

    if (!f)
        return cli_error(err, WSP_ERR_IO, "%s: %s", w->a->canaries, strerror(errno));
    for (ssize_t len; whole && begun && (len = getline(&line, &room, f)) > 0;) {
        size_t n = (size_t)len - (line[len - 1] == '\n');
        if (n < 8)
            continue;
        lines++;
        for (size_t i = 0; i < columns_of(w); i++) {
            const wsp_traffic *t = traffic_of(w, i);
            if (!t)
                continue;
            whole->v[i] = (lines > 1 ? whole->v[i] : 0) + (double)wsp_traffic_find(t, line, n);
            begun->v[i] = (lines > 1 ? begun->v[i] : 0) + (double)wsp_traffic_find(t, line, 8);
        }
    }
    free(line);
    (void)fclose(f);
    return lines ? WSP_OK
                 : cli_error(err, WSP_ERR_FORMAT, "%s: no line of 8 characters or more",
                             w->a->canaries);
}

static wsp_status measure(work *w, wsp_error *err)
{
    wsp_status st = measure_distances(w, err);

    if (st < 0)
        return st;
    for (size_t k = 0; k < WSP_DISTANCE_KINDS; k++)
        add_distances(w, k);
    add_validity(w);
    add_tshark(w);
    st = add_ndpi(w, err);
    if (st == WSP_OK)
        st = add_discriminator(w, NULL, "numbers of flows", err);
    if (st == WSP_OK && w->encoder)
        st = add_discriminator(w, w->encoder, "the model's contexts", err);
    if (st == WSP_OK && w->n_asked && w->n_lists)
        st = add_learning(w, "forest", WSP_FOREST, err);
    if (st == WSP_OK && w->n_asked && w->n_lists)
        st = add_learning(w, "boosting", WSP_BOOSTING, err);
    if (st == WSP_OK)
        st = add_diversity(w, err);
    if (st == WSP_OK && w->train)
        st = add_nearness(w, err);
    if (st == WSP_OK && w->train)
        st = add_copies(w, err);
    if (st == WSP_OK && w->a->canaries)
        st = add_canaries(w, err);
    return st;
}

/* ---- all of it ---- */

static wsp_status read_all(work *w, wsp_error *err)
{
    wsp_status st = load_lists(w, err);

    (void)snprintf(w->folder, sizeof w->folder, "/tmp/wirespeak-XXXXXX");
    w->tshark = tshark_is_there();
    w->r->tshark = w->tshark;
    if (!w->tshark)
        cli_note("there is no tshark here: its checks are left out");
    else if (!mkdtemp(w->folder))
        return cli_error(err, WSP_ERR_IO, "no folder could be made in /tmp for tshark");
    if (st == WSP_OK && w->c->model)
        st = wsp_model_load(&w->encoder, w->c->model, err);
    if (st == WSP_OK)
        st = read_real(w, err);
    for (size_t i = 0; i < w->a->generated.n && st == WSP_OK; i++)
        st = read_generated(w, w->a->generated.items[i], err);
    if (st == WSP_OK && w->a->markov)
        st = add_baseline(w, "Markov", w->a->markov, NULL, err);
    if (st == WSP_OK && w->a->bytes) {
        const wsp_bytes_options bytes = {.seconds = (double)w->a->bytes_ns * 1e-9,
                                         .flows = w->a->bytes_flows,
                                         .seed = 1,
                                         .threads = w->c->threads ? w->c->threads : 2};
        st = add_baseline(w, "bytes", w->a->bytes, &bytes, err);
    }
    if (st == WSP_OK && w->a->train.n)
        st = read_train(w, err);
    return st;
}

static void clear(work *w)
{
    if (w->tshark)
        (void)rmdir(w->folder);
    for (size_t i = 0; i < REALISM_COLUMNS; i++) {
        realism_column *c = &w->r->column[i];
        wsp_verbatim_free(w->scan[i]);
        free(w->distance[i]);
        tshark_clear(&c->shark);
        free(c->agreement);
        free(c->copies);
        if (i > TRAIN)
            wsp_traffic_free(w->set[i]);
    }
    wsp_traffic_free(w->part);
    wsp_traffic_free(w->train);
    wsp_traffic_free(w->real);
    wsp_model_free(w->encoder);
    for (size_t i = 0; i < MAX_LISTS; i++) {
        wsp_labels_free(w->lists[i]);
        wsp_labels_free(w->asked[i]);
    }
    free(w->r);
}

static int print(const work *w)
{
    if (w->c->format[0] == 't')
        realism_table(w->r, w->a->all_fields);
    else if (!realism_json(w->r, stdout))
        return cli_fail("the report could not be written");
    return w->c->html ? realism_html(w->r, w->c->html) : CLI_OK;
}

int eval_generated(const generated_arguments *a, const generated_context *c)
{
    work w = {.a = a, .c = c};
    wsp_error err = {.text = "out of memory"};
    int rc;

    if (a->real.n == 0)
        return cli_usage(c->command, "what are real ones? give --real CAPTURE");
    if ((a->markov || a->bytes) && a->train.n == 0)
        return cli_usage(c->command, "--markov and --bytes learn from captures: give --train");
    if (a->generated.n > REALISM_COLUMNS - TRAIN - 3)
        return cli_usage(c->command, "at most %d --generated", REALISM_COLUMNS - TRAIN - 3);
    if (c->split.val + c->split.test > 1)
        return cli_usage(c->command, "--val and --test are together more than 1");
    w.r = calloc(1, sizeof *w.r);
    if (!w.r)
        return cli_fail("out of memory");
    w.r->n_columns = TRAIN + 1;
    w.r->common = a->common;
    w.r->max_packets = a->max_packets;
    w.r->train = a->train.n > 0;
    (void)snprintf(w.r->column[0].name, sizeof w.r->column[0].name, "real, by flow");
    (void)snprintf(w.r->column[1].name, sizeof w.r->column[1].name, "real, by capture");
    (void)snprintf(w.r->column[TRAIN].name, sizeof w.r->column[TRAIN].name, "training");
    w.r->column[0].floor = w.r->column[1].floor = true;
    if (read_all(&w, &err) == WSP_OK && measure(&w, &err) == WSP_OK)
        rc = print(&w);
    else
        rc = cli_fail_error(&err);
    clear(&w);
    return rc;
}
