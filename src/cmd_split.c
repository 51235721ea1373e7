/* SPDX-License-Identifier: Apache-2.0 */
/* cmd_split.c: what is for training, validation and test: names of captures, or three token files. */
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "captures.h"
#include "cli.h"
#include "columns.h"
#include "labelling.h"
#include "token_sets.h"
#include "wirespeak/capture.h"
#include "wirespeak/task.h"

static const cli_rule bonds[] = {
    {"test", CLI_NEVER_WITH, "fold"},
    {"head", CLI_NEVER_WITH, "labels"},
    {"head", CLI_NEVER_WITH, "no-classes"},
    {"draw", CLI_ONLY_WITH, "per-class"},
    {NULL, CLI_ONLY_WITH, NULL},
};

static const cli_page page = {
    .name = "split",
    .operands = "[OPTION]... PATH...",
    .summary =
        "Splits captures into training, validation and test: prints a line for each, or writes "
        "train.npz, val.npz\n"
        "and test.npz into a folder (-w). Where all captures are in sub-folders and there are no "
        "--labels, the\n"
        "sub-folders are the classes; with lists of whole captures, their labels are. A flow "
        "whose tokens, or whose\n"
        "connection, stand in an earlier part leaves the later one.",
    .examples = "  wirespeak split -w parts/ captures/      # captures/CLASS/*.pcap\n"
                "  wirespeak split --by time --labels app=apps.tsv -w parts/ captures/\n"
                "  wirespeak split captures/ | cut -f1 | sort | uniq -c\n",
    .min_operands = 1,
    .max_operands = -1,
    .rules = bonds,
};

/* The largest number of classes that folders can be. */
enum { MAX_CLASSES = 4096, PARTS = 3 };

typedef struct arguments {
    const char *out, *by, *head, *fold, *policy;
    bool no_classes, leaky, skip_bad;
    size_t max_packets;
    cli_list lists;
    wsp_split_options opt;
    const char *const *paths;
    size_t n_paths;
} arguments;

/* ---- sub-folders, or the labels of whole captures, as classes ---- */

typedef struct classes {
    char **names;
    size_t n;
    bool listed; /* by a list: the label columns are the lists', and there is no other */
    int32_t *of; /* [captures], -1: none */
} classes;

static void classes_clear(classes *c)
{
    for (size_t i = 0; i < c->n; i++)
        free(c->names[i]);
    free(c->names);
    free(c->of);
    *c = (classes){.n = 0};
}

/*
 * The name of a capture from the folder on that it was found in: where that lies, and how it was written, says nothing. Of a capture
 * that was named itself, the whole name.
 */
static const char *name_below(const arguments *a, const char *capture)
{
    for (size_t i = 0; i < a->n_paths; i++) {
        size_t n = strlen(a->paths[i]);
        const char *name = capture + n;
        if (strncmp(capture, a->paths[i], n) != 0)
            continue;
        while (*name == '/')
            name++;
        if (*name && (name > capture + n || (n && capture[n - 1] == '/')))
            return name;
    }
    return capture;
}

/* The folder below one of the paths that the capture is in: its name and length; NULL: none. */
static const char *folder_of(const arguments *a, const char *capture, size_t *len)
{
    const char *name = name_below(a, capture), *slash = strchr(name, '/');

    *len = slash ? (size_t)(slash - name) : 0;
    return slash && name != capture ? name : NULL;
}

static int32_t number_of(classes *c, const char *name, size_t len)
{
    for (size_t i = 0; i < c->n; i++)
        if (strlen(c->names[i]) == len && memcmp(c->names[i], name, len) == 0)
            return (int32_t)i;
    if (c->n == MAX_CLASSES || !(c->names[c->n] = strndup(name, len)))
        return -1;
    return (int32_t)c->n++;
}

/* Empties c unless every capture is in a sub-folder and there are two of them at least. */
static wsp_status find_folders(const arguments *a, char *const *captures, size_t n, classes *c)
{
    size_t without = 0, len;

    for (size_t i = 0; i < n; i++) {
        const char *folder = folder_of(a, captures[i], &len);
        without += !folder;
        if (folder && (c->of[i] = number_of(c, folder, len)) < 0)
            return WSP_ERR_LIMIT;
    }
    if (c->n > 1 && without)
        cli_warn("%zu captures are in no sub-folder: sub-folders are not taken for classes",
                 without);
    if (c->n == 1 && !without)
        cli_warn("all captures are in one sub-folder, %s: one class alone is none", c->names[0]);
    if (without || c->n == 1)
        for (; c->n > 0; c->n--)
            free(c->names[c->n - 1]);
    return WSP_OK;
}

/* "head=label" by the first list that is of whole captures and has this one; false: none. */
static bool listed_class(const labelling *l, const char *capture, char *buf, size_t size)
{
    for (size_t i = 0; i < l->n; i++) {
        int32_t label = wsp_labels_find(l->lists[i], capture, NULL);
        if (label < 0)
            continue;
        (void)snprintf(buf, size, "%s=%s", l->head[i], wsp_labels_name(l->lists[i], label));
        return true;
    }
    return false;
}

/* Captures that no list has are a class of their own, without a name. */
static wsp_status find_listed(const labelling *l, char *const *captures, size_t n, classes *c)
{
    char name[512];

    c->listed = true;
    for (size_t i = 0; i < n; i++) {
        c->of[i] = -1;
        if (listed_class(l, captures[i], name, sizeof name) &&
            (c->of[i] = number_of(c, name, strlen(name))) < 0)
            return WSP_ERR_LIMIT;
    }
    return WSP_OK;
}

/* c->n = 0: there are no classes. */
static wsp_status find_classes(const arguments *a, const labelling *l, char *const *captures,
                               size_t n, classes *c)
{
    *c = (classes){.names = calloc(MAX_CLASSES, sizeof *c->names),
                   .of = calloc(n + 1, sizeof *c->of)};
    if (!c->names || !c->of)
        return WSP_ERR_NOMEM;
    if (a->no_classes)
        return WSP_OK;
    return l->n ? find_listed(l, captures, n, c) : find_folders(a, captures, n, c);
}

static wsp_status part_captures(const arguments *a, const labelling *l, char *const *captures,
                                size_t n, classes *c, wsp_split *part, wsp_error *err)
{
    const char **names = calloc(n + 1, sizeof *names);
    wsp_status st = names ? WSP_OK : cli_no_memory(err);

    for (size_t i = 0; st == WSP_OK && i < n; i++)
        names[i] = name_below(a, captures[i]);
    if (st == WSP_OK)
        st = cli_error(err, find_classes(a, l, captures, n, c),
                       "too many classes, or no memory for them");
    if (st == WSP_OK)
        st = cli_error(err, wsp_split_captures(names, c->n ? c->of : NULL, n, &a->opt, part),
                       "the captures could not be split");
    free(names);
    return st;
}

/* ---- names alone ---- */

typedef struct names {
    char **items;
    size_t n, cap;
} names;

static wsp_status add_name(names *l, const char *name)
{
    if (cli_grow(&l->items, &l->cap, l->n + 1, sizeof *l->items) < 0)
        return WSP_ERR_NOMEM;
    l->items[l->n] = strdup(name);
    return l->items[l->n++] ? WSP_OK : WSP_ERR_NOMEM;
}

static wsp_status list_captures(wsp_input *in, names *l, wsp_error *err)
{
    wsp_capture_info info;
    wsp_status st;

    while ((st = wsp_input_open_next(in, &info, err)) == WSP_OK)
        if (add_name(l, info.name) < 0)
            return cli_error(err, WSP_ERR_NOMEM, "no memory for the names of captures");
    return st == WSP_EOF ? WSP_OK : st;
}

static wsp_status print_parts(const arguments *a, wsp_input *in, wsp_error *err)
{
    size_t count[PARTS] = {0};
    names l = {.n = 0};
    classes c = {.n = 0};
    labelling lists = {.n = 0};
    wsp_split *part = NULL;
    wsp_status st = labelling_load(&lists, page.name, &a->lists, err);

    if (st == WSP_OK)
        st = list_captures(in, &l, err);
    if (st == WSP_OK && !(part = calloc(l.n + 1, sizeof *part)))
        st = cli_no_memory(err);
    if (st == WSP_OK)
        st = part_captures(a, &lists, l.items, l.n, &c, part, err);
    for (size_t i = 0; st == WSP_OK && i < c.n; i++)
        wsp_make_printable(c.names[i]);
    for (size_t i = 0; st == WSP_OK && i < l.n; i++) {
        count[part[i]]++;
        wsp_make_printable(l.items[i]);
        printf("%s\t%s", wsp_split_name(part[i]), l.items[i]);
        printf(c.n ? "\t%s\n" : "\n", c.n && c.of[i] >= 0 ? c.names[c.of[i]] : "");
    }
    if (st == WSP_OK)
        cli_note("%zu captures for training, %zu for validation, %zu for test",
                 count[WSP_SPLIT_TRAIN], count[WSP_SPLIT_VAL], count[WSP_SPLIT_TEST]);
    for (size_t i = 0; i < l.n; i++)
        free(l.items[i]);
    free(l.items);
    free(part);
    classes_clear(&c);
    labelling_clear(&lists);
    return st;
}

/* ---- token files ---- */

typedef struct collected {
    labelling labels;
    wsp_split_flow *flows;
    size_t n, cap;
} collected;

static wsp_status collect(void *arg, const wsp_flow *flow, const wsp_tokens *set, size_t at)
{
    collected *k = arg;

    if (cli_grow(&k->flows, &k->cap, at + 1, sizeof *k->flows) < 0)
        return WSP_ERR_NOMEM;
    k->flows[at] = wsp_split_flow_of(flow);
    return labelling_flow(&k->labels, set->captures[set->capture[at]], &flow->key);
}

static wsp_status label_by_class(const arguments *a, wsp_tokens *t, const classes *c,
                                 wsp_error *err)
{
    int32_t *column = calloc(t->n_flows + 1, sizeof *column);

    if (!column)
        return cli_no_memory(err);
    for (size_t i = 0; i < t->n_flows; i++)
        column[i] = c->of[t->capture[i]];
    return wsp_tokens_label(t, a->head, (const char *const *)c->names, c->n, column, err);
}

/* count [labels][PARTS] of a head. */
static void count_labels(const wsp_tokens *t, size_t head, const int8_t *part,
                         size_t (*count)[PARTS])
{
    for (size_t i = 0; i < t->n_flows; i++)
        if (t->labels[head][i] >= 0 && part[i] != WSP_SPLIT_LEFT_OUT)
            count[t->labels[head][i]][part[i]]++;
}

/* Labels whose captures all have one link type, where other labels have another: the frame alone tells them apart. */
static void warn_of_links(const wsp_tokens *t, size_t head)
{
    int *link = calloc(t->n_labels[head] + 1, sizeof *link); /* link type + 1; -1: several */
    int seen = 0;
    bool mixed = false, apart = false;

    for (size_t i = 0; link && i < t->n_flows; i++) {
        int32_t l = t->labels[head][i];
        int type = t->linktype[t->capture[i]] + 1;
        if (l < 0)
            continue;
        mixed = mixed || (seen && seen != type);
        seen = type;
        link[l] = link[l] == 0 || link[l] == type ? type : -1;
    }
    for (size_t l = 0; link && l < t->n_labels[head]; l++)
        apart = apart || link[l] < 0;
    if (link && mixed && !apart)
        cli_warn(
            "%s: no class was captured with more than one link type, but the classes differ in it: "
            "frames alone give some away",
            t->heads[head]);
    free(link);
}

static void print_head(const wsp_tokens *t, size_t head, const int8_t *part)
{
    size_t n = t->n_labels[head], lost[PARTS] = {0};
    size_t(*count)[PARTS] = calloc(n + 1, sizeof *count);

    if (!count)
        return;
    count_labels(t, head, part, count);
    printf("\n%-28s %9s %9s %9s\n", t->heads[head], "train", "val", "test");
    for (size_t l = 0; l < n; l++) {
        printf("%-*s %9zu %9zu %9zu\n", columns_pad(t->label_names[head][l], 28),
               t->label_names[head][l], count[l][WSP_SPLIT_TRAIN], count[l][WSP_SPLIT_VAL],
               count[l][WSP_SPLIT_TEST]);
        for (size_t p = 0; p < PARTS; p++)
            lost[p] += count[l][p] == 0;
    }
    for (size_t p = 0; p < PARTS; p++)
        if (lost[p])
            cli_warn("%s: %zu of %zu classes have no flow in %s", t->heads[head], lost[p], n,
                     wsp_split_name((wsp_split)p));
    warn_of_links(t, head);
    free(count);
}

/* A part without flows, of which a share was asked for: nothing can be trained, or scored. */
static void warn_of_empty(const arguments *a, const wsp_tokens *t, const wsp_split_stats *s)
{
    const double share[PARTS] = {[WSP_SPLIT_TRAIN] = 1 - a->opt.val - a->opt.test,
                                 [WSP_SPLIT_VAL] = a->opt.val,
                                 [WSP_SPLIT_TEST] = a->opt.test};
    char empty[32] = "", why[96] = "";
    size_t len = 0, repeated = 0;

    for (size_t p = 0; p < PARTS; p++) {
        if (s->flows[p] || share[p] < 1e-9)
            continue;
        len += (size_t)snprintf(empty + len, sizeof empty - len, "%s%s", len ? ", " : "",
                                wsp_split_name((wsp_split)p));
        repeated += s->duplicates[p] + s->connected[p];
    }
    if (repeated)
        (void)snprintf(why, sizeof why, ": what was there stands in an earlier part");
    else if (a->opt.by == WSP_BY_CAPTURE)
        (void)snprintf(why, sizeof why, ": of %zu captures each is in one part, see --by",
                       t->n_captures);
    if (len)
        cli_warn("no flow is in %s%s", empty, why);
}

/* Captures of different parts that show the same connections are no independent ones. */
static void warn_of_pairs(const wsp_tokens *t, const wsp_split_stats *s)
{
    char more[64] = "";

    if (s->pairs > 1)
        (void)snprintf(more, sizeof more, " (one of %zu such pairs)", s->pairs);
    if (s->pairs)
        cli_warn(
            "%s and %s%s have connections in common, as copies and parts of one recording have: "
            "the flows of later parts are left out",
            t->captures[s->pair[0]], t->captures[s->pair[1]], more);
}

static void print_split(const arguments *a, const wsp_tokens *t, const int8_t *part,
                        const wsp_split_stats *s)
{
    printf("%-28s %9s %9s %9s\n", "", "train", "val", "test");
    printf("%-28s %9zu %9zu %9zu\n", "flows", s->flows[WSP_SPLIT_TRAIN], s->flows[WSP_SPLIT_VAL],
           s->flows[WSP_SPLIT_TEST]);
    if (!a->opt.keep_duplicates)
        printf("%-28s %9zu %9zu %9zu\n", "left out as duplicates", s->duplicates[WSP_SPLIT_TRAIN],
               s->duplicates[WSP_SPLIT_VAL], s->duplicates[WSP_SPLIT_TEST]);
    if (!a->opt.keep_duplicates && a->opt.by == WSP_BY_CAPTURE)
        printf("%-28s %9zu %9zu %9zu\n", "left out as connected", s->connected[WSP_SPLIT_TRAIN],
               s->connected[WSP_SPLIT_VAL], s->connected[WSP_SPLIT_TEST]);
    if (a->opt.by == WSP_BY_HOST || a->opt.by == WSP_BY_TIME)
        printf("left out as they are of two parts: %zu flows\n", s->crossing);
    for (size_t h = 0; h < t->n_heads; h++)
        print_head(t, h, part);
}

static wsp_status write_part(const arguments *a, const wsp_tokens *t, const int8_t *part,
                             wsp_split which, wsp_error *err)
{
    uint32_t *flows = calloc(t->n_flows + 1, sizeof *flows);
    size_t len = strlen(a->out) + 16;
    char *path = malloc(len);
    wsp_selection s = {.flows = flows};
    wsp_tokens *chosen = NULL;
    wsp_status st = WSP_OK;

    if (!flows || !path)
        st = cli_no_memory(err);
    for (size_t i = 0; flows && i < t->n_flows; i++)
        if (part[i] == (int8_t)which)
            flows[s.n++] = (uint32_t)i;
    if (st == WSP_OK)
        st = wsp_tokens_select(&chosen, t, &s, err);
    if (st == WSP_OK) {
        (void)snprintf(path, len, "%s/%s.npz", a->out, wsp_split_name(which));
        st = wsp_tokens_save(chosen, path, true, err);
    }
    wsp_tokens_free(chosen);
    free(path);
    free(flows);
    return st;
}

static wsp_status split_set(const arguments *a, wsp_tokens *t, collected *k, wsp_error *err)
{
    wsp_split *captures = calloc(t->n_captures + 1, sizeof *captures);
    int8_t *part = calloc(t->n_flows + 1, sizeof *part);
    classes c = {.n = 0};
    wsp_split_stats stats;
    wsp_status st = captures && part ? part_captures(a, &k->labels, t->captures, t->n_captures, &c,
                                                     captures, err)
                                     : cli_no_memory(err);

    if (st == WSP_OK)
        st =
            c.n && !c.listed ? label_by_class(a, t, &c, err) : labelling_attach(&k->labels, t, err);
    if (st == WSP_OK)
        st = cli_error(err, wsp_split_flows(t, k->flows, captures, &a->opt, part, &stats),
                       "no memory to split the flows");
    for (size_t p = 0; st == WSP_OK && p < PARTS; p++)
        st = write_part(a, t, part, (wsp_split)p, err);
    if (st == WSP_OK) {
        print_split(a, t, part, &stats);
        warn_of_empty(a, t, &stats);
        warn_of_pairs(t, &stats);
    }
    if (st == WSP_OK && !t->n_heads)
        cli_note("no flow has a label: there are no --labels, and no classes: these are "
                 "sub-folders of what is named (CORPUS, not CORPUS/*)");
    classes_clear(&c);
    free(captures);
    free(part);
    return st;
}

/* The set becomes what the policy leaves of it. */
static wsp_status mask(wsp_tokens **t, const char *policy, wsp_error *err)
{
    wsp_tokens *left;
    wsp_status st = wsp_tokens_select(&left, *t, &(wsp_selection){.policy = policy}, err);

    if (st == WSP_OK) {
        wsp_tokens_free(*t);
        *t = left;
    }
    return st;
}

/* *rc: the exit status if nothing failed. */
static wsp_status write_parts(const arguments *a, wsp_input *in, int *rc, wsp_error *err)
{
    collected k = {.n = 0};
    wsp_tokenize_options how = {.keep = true,
                                .drop_residuals = true,
                                .max_packets = a->max_packets,
                                .on_flow = collect,
                                .arg = &k};
    wsp_tokenize_stats stats;
    wsp_tokens *t = NULL;
    wsp_status st = labelling_load(&k.labels, page.name, &a->lists, err);
    bool made = st == WSP_OK && mkdir(a->out, 0777) == 0;

    if (st == WSP_OK && !made && errno != EEXIST) {
        st = cli_error(err, WSP_ERR_IO, "%s: the folder cannot be made: %s", a->out,
                       strerror(errno));
    }
    if (st == WSP_OK)
        st = wsp_tokenize(in, &how, &t, &stats, err);
    if (st == WSP_OK)
        labelling_tell(&k.labels, &a->lists);
    if (st == WSP_OK && a->policy)
        st = mask(&t, a->policy, err);
    if (st == WSP_OK)
        st = split_set(a, t, &k, err);
    if (st == WSP_OK)
        *rc = captures_end(&stats, "there");
    if (st < 0 && made)
        (void)rmdir(a->out); /* unless a part is in it already */
    wsp_tokens_free(t);
    labelling_clear(&k.labels);
    free(k.flows);
    return st;
}

/* ---- the command ---- */

static const char *const part_files[] = {"train.npz", "val.npz", "test.npz", NULL};
static const char *const rules[] = {"capture", "host", "time", "flow", NULL};

/* one option a line or two */
/* clang-format off */
static int parse(arguments *a, int argc, char **argv)
{
    const cli_option options[] = {
        {.name = "write", .letter = 'w', .kind = CLI_TEXT, .value = &a->out, .arg = "DIR", .file = CLI_WRITES, .choices = part_files,
         .help = "write train.npz, val.npz and test.npz into this folder"},
        {.name = "by", .kind = CLI_CHOICE, .value = &a->by, .arg = "RULE", .choices = rules,
         .help = "what stays together: capture (default), host, time;\nflow needs --leaky"},
        {.name = "labels", .kind = CLI_LIST, .value = &a->lists, .arg = "HEAD=FILE", .file = CLI_READS_LIST,
         .help = "add a label column from a tab-separated list"},
        {.name = "head", .kind = CLI_TEXT, .value = &a->head, .arg = "NAME",
         .help = "name of the column that sub-folders make (default class)"},
        {.name = "no-classes", .kind = CLI_FLAG, .value = &a->no_classes, .help = "sub-folders and labels of captures are no classes"},
        {.name = "val", .kind = CLI_REAL, .value = &a->opt.val, .arg = "SHARE", .rmax = 1,
         .help = "share for validation (default 0.1)"},
        {.name = "test", .kind = CLI_REAL, .value = &a->opt.test, .arg = "SHARE", .rmax = 1,
         .help = "share for the test (default 0.25)"},
        {.name = "fold", .kind = CLI_TEXT, .value = &a->fold, .arg = "I/N",
         .help = "cross-validation: the test is the I-th of N equal pieces"},
        {.name = "seed", .kind = CLI_U64, .value = &a->opt.seed, .arg = "N", .help = "of the split (default 1)"},
        {.name = "per-class", .kind = CLI_SIZE, .value = &a->opt.per_class, .arg = "N", .min = 1,
         .help = "only N training flows of each class (few-shot); with\nseveral heads frequent classes have more"},
        {.name = "draw", .kind = CLI_U64, .value = &a->opt.draw, .arg = "N", .help = "seed of what --per-class draws (default 1)"},
        {.name = "keep-duplicates", .kind = CLI_FLAG, .value = &a->opt.keep_duplicates,
         .help = "also flows whose tokens or connections stand in an earlier part"},
        {.name = "leaky", .kind = CLI_FLAG, .value = &a->leaky,
         .help = "allow what makes scores look better than they are"},
        {.name = "max-packets", .kind = CLI_SIZE, .value = &a->max_packets, .arg = "N", .min = 1, .zero = "all",
         .help = "packets of a flow that are kept (default 24; 0 = all)"},
        {.name = "policy", .kind = CLI_TEXT, .value = &a->policy, .arg = "NAME",
         .help = "write what this mask policy leaves, for models of your own;\nflows that are alike then count as duplicates"},
        {.name = "skip-bad", .kind = CLI_FLAG, .value = &a->skip_bad, .help = "warn of files that are no captures and go on"},
    };

    return cli_parse(&page, options, sizeof options / sizeof options[0], argc, argv);
}
/* clang-format on */

/* I/N. */
static bool take_fold(const char *text, wsp_split_options *o)
{
    char end;
    unsigned i, n;

    if (!isdigit((unsigned char)text[0]) || sscanf(text, "%5u/%5u%c", &i, &n, &end) != 2)
        return false;
    o->fold = i;
    o->folds = n;
    return n >= 2 && i >= 1 && i <= n;
}

static int check(arguments *a)
{
    while (strcmp(rules[a->opt.by], a->by) != 0)
        a->opt.by++;
    if (a->fold && !take_fold(a->fold, &a->opt))
        return cli_usage(page.name, "--fold is I/N with N from 2 on and I from 1 to N, not '%s'",
                         a->fold);
    if (a->fold && a->opt.by == WSP_BY_TIME)
        return cli_usage(page.name, "--by time has one test, which comes last: no --fold");
    if (a->fold && a->opt.val + 1.0 / (double)a->opt.folds > 1)
        return cli_usage(page.name, "--val and one of %zu folds are together more than 1",
                         a->opt.folds);
    if (!a->fold && a->opt.val + a->opt.test > 1)
        return cli_usage(page.name, "--val and --test are together more than 1");
    (void)token_sets_policy(page.name, a->policy);
    labelling_check_head(page.name, a->head);
    if (a->policy && !a->out)
        return cli_usage(page.name, "--policy is of the tokens that are written: give -w DIR");
    if (a->opt.per_class && !a->out)
        return cli_usage(page.name, "--per-class thins flows, not captures: give -w DIR");
    if (a->opt.by != WSP_BY_CAPTURE && !a->out)
        return cli_usage(page.name, "--by %s splits flows, not captures: give -w DIR", a->by);
    if (a->opt.by == WSP_BY_FLOW && !a->leaky)
        return cli_usage(page.name, "--by flow tests on sessions that were trained on, its scores "
                                    "mean nothing; --leaky does it all the same");
    if (a->opt.by == WSP_BY_FLOW)
        cli_warn("this split leaks: flows of one session are in training and test");
    if (a->opt.keep_duplicates)
        cli_warn("flows of the test that were trained on, token for token, stay");
    return CLI_OK;
}

int cmd_split(int argc, char **argv)
{
    arguments a = {
        .by = rules[0], .head = "class", .max_packets = 24, .opt = wsp_split_options_default()};
    int first = parse(&a, argc, argv), rc = check(&a);
    wsp_input_options opt = wsp_input_options_default();
    wsp_input *in = NULL;
    wsp_error err;
    wsp_status st;

    if (rc != CLI_OK)
        return rc;
    a.paths = (const char *const *)(argv + first);
    a.n_paths = (size_t)(argc - first);
    opt.skip_bad = a.skip_bad;
    st = wsp_input_new(&in, a.paths, a.n_paths, &opt, &err);
    if (st == WSP_OK)
        st = a.out ? write_parts(&a, in, &rc, &err) : print_parts(&a, in, &err);
    wsp_input_free(in);
    return st < 0 ? cli_fail_error(&err) : rc;
}
