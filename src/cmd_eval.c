/* SPDX-License-Identifier: Apache-2.0 */
/* cmd_eval.c: how good the answers of a model are on a labelled token file: runs it, and hands the scores to the report. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "answer_file.h"
#include "captures.h"
#include "cli.h"
#include "realism.h"
#include "report.h"
#include "rival.h"
#include "said.h"
#include "source.h"
#include "token_sets.h"
#include "trained.h"
#include "wirespeak/task.h"

/* Scores of a model and measures of generated captures have few options in common. */
static const cli_rule rules[] = {
    {"by-capture", CLI_NEVER_WITH, "generated"},
    {"per-class", CLI_NEVER_WITH, "generated"},
    {"final-only", CLI_NEVER_WITH, "generated"},
    {"baselines", CLI_NEVER_WITH, "generated"},
    {"against", CLI_NEVER_WITH, "generated"},
    {"answers", CLI_NEVER_WITH, "generated"},
    {"robust", CLI_NEVER_WITH, "generated"},
    {"dtype", CLI_NEVER_WITH, "generated"},
    {"real", CLI_ONLY_WITH, "generated"},
    {"train", CLI_ONLY_WITH, "generated"},
    {"asked", CLI_ONLY_WITH, "generated"},
    {"canaries", CLI_ONLY_WITH, "generated"},
    {"markov", CLI_ONLY_WITH, "generated"},
    {"bytes", CLI_ONLY_WITH, "generated"},
    {"bytes-seconds", CLI_ONLY_WITH, "bytes"},
    {"bytes-flows", CLI_ONLY_WITH, "bytes"},
    {"max-packets", CLI_ONLY_WITH, "generated"},
    {"common", CLI_ONLY_WITH, "generated"},
    {"all-fields", CLI_ONLY_WITH, "generated"},
    {"seed", CLI_ONLY_WITH, "part"},
    {"val", CLI_ONLY_WITH, "part"},
    {"test", CLI_ONLY_WITH, "part"},
    {NULL, CLI_ONLY_WITH, NULL},
};

static const cli_page page = {
    .name = "eval",
    .operands = "[OPTION]... -m MODEL TEST.npz|CAPTURE...\n"
                "       wirespeak eval [OPTION]... --generated CAPTURE --real CAPTURE",
    .summary =
        "Scores the heads of a model on the label columns of a token file, or on captures with "
        "--labels, beside\n"
        "always saying the commonest class and beside its own answers after the first packets. Use "
        "captures that the model has "
        "not seen.\n"
        "Flows of classes that a head does not know tell how well it says \"unknown\".\n"
        "With --generated: how close generated captures are to real ones, and what they repeat of "
        "training captures.",
    .examples = "  wirespeak eval -m model.safetensors test.npz\n"
                "  wirespeak eval -o json -m model.safetensors test.npz | jq .macro_f1\n"
                "  wirespeak eval --robust --labels app=apps.tsv --part test -m model.safetensors "
                "captures/\n"
                "  wirespeak eval --html scores.html -m model.safetensors test.npz\n"
                "  wirespeak eval -m new.safetensors --against old.safetensors test.npz\n"
                "  wirespeak eval --by-capture --labels family=families.tsv -m model.safetensors "
                "captures/\n"
                "  wirespeak eval --generated new.pcap --real test/ --train train/\n",
    .min_operands = 0,
    .max_operands = -1,
    .rules = rules,
};

typedef struct arguments {
    const char *model, *format, *html, *answers, *dtype;
    cli_list baselines, against;
    size_t threads;
    bool per_class, final_only, robust, by_capture;
    source from;
    generated_arguments generated;
} arguments;

static const size_t early[] = {1, 2, 4, 8, 16};
enum { N_EARLY = sizeof early / sizeof early[0] };

/* A model, the flows that have a label of one of its heads, and what is said of it. */
typedef struct evaluation {
    wsp_model *m;
    wsp_tokens *t;
    uint32_t *flow; /* [flows of t] their numbers in what was read */
    wsp_classify_options run;
    wsp_replies *replies; /* to t */
    wsp_metrics **scores; /* [heads of the model] */
    said said;            /* of t, when it is to be compared; else empty */
    report r;
} evaluation;

/* The flows of a capture vote together: of those that have a flow with a label, all are wanted. */
static bool add_their_captures(const wsp_tokens *t, bool *has)
{
    bool *known = calloc(t->n_captures + 1, sizeof *known);

    for (size_t i = 0; known && i < t->n_flows; i++)
        known[t->capture[i]] = known[t->capture[i]] || has[i];
    for (size_t i = 0; known && i < t->n_flows; i++)
        has[i] = known[t->capture[i]];
    free(known);
    return known != NULL;
}

/* Of the whole set only what can be scored. *chosen (may be NULL): the numbers of these flows. */
static wsp_status take_labelled(const evaluation *e, wsp_tokens **out, uint32_t **chosen,
                                const wsp_tokens *all, wsp_error *err)
{
    size_t n_heads = wsp_model_head_count(e->m);
    uint32_t *flows = calloc(all->n_flows + 1, sizeof *flows);
    int32_t *label = calloc(all->n_flows + 1, sizeof *label);
    bool *has = calloc(all->n_flows + 1, sizeof *has);
    wsp_selection s = {.flows = flows};
    bool room = flows && label && has;
    wsp_status st;

    for (size_t h = 0; room && h < n_heads; h++)
        if (wsp_match_labels(e->m, h, all, label))
            for (size_t i = 0; i < all->n_flows; i++)
                has[i] = has[i] || label[i] != WSP_UNLABELLED;
    if (room && e->r.by_capture)
        room = add_their_captures(all, has);
    for (size_t i = 0; room && i < all->n_flows; i++)
        if (has[i])
            flows[s.n++] = (uint32_t)i;
    if (room && s.n == 0) /* for whoever says that nothing can be scored, and why */
        s.flows = NULL;
    st = room ? wsp_tokens_select(out, all, &s, err) : cli_no_memory(err);
    free(has);
    free(label);
    if (chosen)
        *chosen = flows;
    else
        free(flows);
    return st;
}

static void free_scores(wsp_metrics **scores, size_t n)
{
    for (size_t h = 0; scores && h < n; h++)
        wsp_metrics_free(scores[h]);
    free(scores);
}

static report_head *report_of(evaluation *e, size_t head)
{
    for (size_t i = 0; i < e->r.n_heads; i++)
        if (e->r.heads[i].head == wsp_model_head(e->m, head))
            return &e->r.heads[i];
    return NULL;
}

static wsp_status score_set(const evaluation *e, const wsp_tokens *t, wsp_metrics **scores,
                            wsp_error *err)
{
    return e->r.by_capture ? wsp_score_captures(e->m, t, &e->run, scores, NULL, err)
                           : wsp_score(e->m, t, &e->run, scores, err);
}

/*
 * What the answers are under other circumstances: a row for each head that has flows there. `other`, what is said of the same
 * flows then, or NULL.
 */
static wsp_status add_rows(evaluation *e, const wsp_tokens *t, const report_row *row,
                           const said *other, wsp_error *err)
{
    report_row r = *row;
    size_t n = wsp_model_head_count(e->m);
    wsp_metrics **scores = calloc(n + 1, sizeof *scores);
    int32_t *is = calloc(e->t->n_flows + 1, sizeof *is);
    wsp_status st = scores && is ? score_set(e, t, scores, err) : cli_no_memory(err);

    for (size_t h = 0; st == WSP_OK && h < n; h++) {
        if (!scores[h] || !report_of(e, h))
            continue;
        r.compared = other != NULL;
        (void)wsp_match_labels(e->m, h, e->t, is);
        r.moved = other ? said_moved(&e->said, other, h, is) : 0;
        report_add(report_of(e, h), &r, scores[h]);
    }
    free_scores(scores, n);
    free(is);
    return st == WSP_ERR_ARG ? WSP_OK : st; /* ARG: no flow that could be scored is left */
}

static wsp_status add_selected(evaluation *e, const wsp_selection *s, const report_row *row,
                               wsp_error *err)
{
    wsp_tokens *part = NULL;
    wsp_status st = wsp_tokens_select(&part, e->t, s, err);

    if (st == WSP_OK)
        st = add_rows(e, part, row, NULL, err);
    wsp_tokens_free(part);
    return st;
}

static wsp_status score_head(evaluation *e, size_t h, wsp_error *err)
{
    const wsp_answers *a = wsp_replies_get(e->replies, h);
    report_head *to = &e->r.heads[e->r.n_heads];
    wsp_captures captures = wsp_replies_captures(e->replies, h);

    if (!a && captures.mixed)
        cli_note("%s: no score, as the flows of all %zu captures have different labels",
                 wsp_model_head(e->m, h)->name, captures.mixed);
    if (!a)
        return WSP_OK;
    if (wsp_metrics_new(&e->scores[h], a) < 0)
        return cli_no_memory(err);
    *to = (report_head){.head = wsp_model_head(e->m, h),
                        .score = e->scores[h],
                        .unit = e->r.by_capture ? "captures" : "flows",
                        .captures = captures};
    e->r.n_heads++;
    return rival_spread(e->replies, h, NULL, &to->spread, err);
}

static wsp_status score(evaluation *e, wsp_error *err)
{
    size_t n = wsp_model_head_count(e->m);
    wsp_status st = wsp_replies_new(&e->replies, e->m, e->t, &e->run, e->r.by_capture, err);

    if (st < 0)
        return st;
    e->scores = calloc(n + 1, sizeof *e->scores);
    e->r.heads = calloc(n + 1, sizeof *e->r.heads);
    if (!e->scores || !e->r.heads)
        return cli_no_memory(err);
    for (size_t h = 0; st == WSP_OK && h < n; h++)
        st = score_head(e, h, err);
    e->r.seconds = wsp_replies_seconds(e->replies);
    e->r.parameters = wsp_model_parameters(e->m);
    e->r.flows = e->t->n_flows;
    return st;
}

static wsp_status add_early(evaluation *e, wsp_error *err)
{
    wsp_status st = WSP_OK;

    for (size_t i = 0; st == WSP_OK && i < N_EARLY; i++) {
        report_row row = {.kind = REPORT_EARLY, .packets = early[i]};
        (void)snprintf(row.name, sizeof row.name, "after %zu packet%s", early[i],
                       early[i] > 1 ? "s" : "");
        e->run.first = early[i];
        st = add_rows(e, e->t, &row, NULL, err);
    }
    e->run.first = 0;
    return st;
}

/* ---- worse circumstances ---- */

static const char *const changes[] = {"forged", "snaplen=64", "headers", "skip=10",
                                      "lost=5", "client",     "server"};
static const char *const policies[] = {"headers-only", "sizes-only"};

/* The flows that have packets left when the first n of each are missing, as they are in the whole captures. */
static wsp_status add_long_flows(evaluation *e, uint64_t n, wsp_error *err)
{
    report_row row = {.kind = REPORT_CHANGE};
    uint32_t *flows = calloc(e->t->n_flows + 1, sizeof *flows);
    wsp_selection s = {.flows = flows};
    wsp_status st;

    if (!flows)
        return cli_no_memory(err);
    (void)snprintf(row.name, sizeof row.name, "whole flows of over %zu packets", (size_t)n);
    for (size_t i = 0; i < e->t->n_flows; i++)
        if (wsp_tokens_packets(e->t, i) > n)
            flows[s.n++] = (uint32_t)i;
    st = s.n ? add_selected(e, &s, &row, err) : WSP_OK;
    free(flows);
    return st;
}

/* Flows keep their order when what changes is in packets; when packets are missing, flows may be. */
static bool same_flows(const wsp_tokens *a, const wsp_tokens *b)
{
    if (a->n_flows != b->n_flows)
        return false;
    for (size_t i = 0; i < a->n_flows; i++)
        if (strcmp(a->captures[a->capture[i]], b->captures[b->capture[i]]) != 0 ||
            wsp_tokens_packets(a, i) != wsp_tokens_packets(b, i))
            return false;
    return true;
}

/* The rows of a change, with how many labels it moved where flows are scored and are the same ones. */
static wsp_status compare(evaluation *e, const wsp_tokens *all, const report_row *row,
                          wsp_error *err)
{
    wsp_tokens *t = NULL;
    said other = {.n_heads = 0};
    wsp_status st = take_labelled(e, &t, NULL, all, err);
    bool same = st == WSP_OK && !e->r.by_capture && same_flows(e->t, t);

    if (same && !e->said.label)
        st = said_make(&e->said, e->m, e->t, &e->run, err);
    if (same && st == WSP_OK)
        st = said_make(&other, e->m, t, &e->run, err);
    if (st == WSP_OK)
        st = add_rows(e, t, row, same ? &other : NULL, err);
    said_clear(&other);
    wsp_tokens_free(t);
    return st;
}

static wsp_status add_change(evaluation *e, source *from, const char *how, wsp_error *err)
{
    report_row row = {.kind = REPORT_CHANGE};
    wsp_tokens *t = NULL;
    wsp_change change;
    wsp_status st = wsp_change_parse(how, &change);

    (void)snprintf(row.name, sizeof row.name, "%s", how);
    if (st == WSP_OK)
        st = source_read(from, &change, &t, err);
    if (st == WSP_OK && !e->r.by_capture)
        st = source_ndpi(from, &change, &row.ndpi, err);
    if (st == WSP_OK && change.kind == WSP_CHANGE_SKIP)
        st = add_long_flows(e, change.n, err);
    if (st == WSP_OK)
        st = compare(e, t, &row, err);
    wsp_tokens_free(t);
    return st;
}

static wsp_status add_circumstances(evaluation *e, source *from, wsp_error *err)
{
    wsp_status st = WSP_OK;

    if (from->captures) {
        if (!e->r.by_capture) /* nDPI names flows */
            st = source_ndpi(from, &(wsp_change){.kind = WSP_CHANGE_NONE}, &e->r.ndpi, err);
        for (size_t i = 0; st == WSP_OK && i < sizeof changes / sizeof changes[0]; i++)
            st = add_change(e, from, changes[i], err);
    }
    for (size_t i = 0; st == WSP_OK && i < sizeof policies / sizeof policies[0]; i++) {
        report_row row = {.kind = REPORT_CHANGE};
        (void)snprintf(row.name, sizeof row.name, "tokens of %s", policies[i]);
        st = add_selected(e, &(wsp_selection){.policy = policies[i]}, &row, err);
    }
    return st;
}

/* ---- trees ---- */

static const struct {
    const char *name;
    wsp_trees_kind kind;
    bool payload;
} trees[] = {{"random forest, headers", WSP_FOREST, false},
             {"random forest, payload", WSP_FOREST, true},
             {"gradient boosting, headers", WSP_BOOSTING, false},
             {"gradient boosting, payload", WSP_BOOSTING, true}};

static wsp_status add_trees(evaluation *e, const wsp_tokens *train, size_t head, wsp_error *err)
{
    int32_t *other_says = calloc(e->t->n_flows + 1, sizeof *other_says);
    wsp_status st = other_says ? WSP_OK : cli_no_memory(err);

    for (size_t i = 0; st == WSP_OK && i < sizeof trees / sizeof trees[0]; i++) {
        const wsp_baseline b = {.kind = trees[i].kind,
                                .payload = trees[i].payload,
                                .seed = 1,
                                .by_capture = e->r.by_capture};
        report_row row = {.kind = REPORT_BASELINE, .paired = true};
        wsp_metrics *score = NULL;
        (void)snprintf(row.name, sizeof row.name, "%s", trees[i].name);
        cli_note("%s: %s ...", wsp_model_head(e->m, head)->name, trees[i].name);
        st = wsp_baseline_score(e->m, head, train, e->t, &b, other_says, &score, err);
        if (st == WSP_OK)
            st = rival_spread(e->replies, head, other_says, &row.spread, err);
        if (st == WSP_OK)
            report_add(report_of(e, head), &row, score);
        wsp_metrics_free(score);
    }
    free(other_says);
    return st;
}

static wsp_status add_baselines(evaluation *e, const cli_list *sets, wsp_error *err)
{
    wsp_tokens *train = NULL;
    wsp_status st = token_sets_load(&train, sets->items, sets->n, err);

    for (size_t h = 0; st == WSP_OK && h < wsp_model_head_count(e->m); h++)
        if (report_of(e, h))
            st = add_trees(e, train, h, err);
    wsp_tokens_free(train);
    return st;
}

/* ---- other models ---- */

static wsp_status add_rival_head(evaluation *e, size_t head, const report_row *named,
                                 const wsp_model *other, const wsp_replies *theirs, wsp_error *err)
{
    int32_t *other_says = calloc(e->t->n_flows + 1, sizeof *other_says);
    const wsp_head *mine = wsp_model_head(e->m, head);
    report_row row = *named;
    wsp_status st = other_says ? WSP_OK : cli_no_memory(err);

    if (st == WSP_OK && !rival_said(theirs, other, mine, other_says)) {
        cli_warn("%s: no head \"%s\" that knows any of these labels: not compared", row.model,
                 mine->name);
        free(other_says);
        return WSP_OK;
    }
    if (st == WSP_OK)
        st = rival_spread(e->replies, head, other_says, &row.spread, err);
    if (st == WSP_OK)
        report_add_spread(report_of(e, head), &row);
    free(other_says);
    return st;
}

static void say_of_whom(wsp_error *err, const char *path)
{
    char text[sizeof err->text];

    (void)snprintf(text, sizeof text, "%s", err->text);
    (void)snprintf(err->text, sizeof err->text, "%.200s: %.300s", path, text);
}

static wsp_status add_rival(evaluation *e, const char *path, wsp_error *err)
{
    const char *slash = strrchr(path, '/');
    report_row row = {.kind = REPORT_RIVAL, .model = path, .paired = true};
    wsp_model *other = NULL;
    wsp_replies *theirs = NULL;
    wsp_status st = wsp_model_load(&other, path, err);

    (void)snprintf(row.name, sizeof row.name, "%s", slash ? slash + 1 : path);
    if (st == WSP_OK)
        st = wsp_replies_new(&theirs, other, e->t, &e->run, e->r.by_capture, err);
    if (st == WSP_ERR_ARG)
        say_of_whom(err, path);
    for (size_t h = 0; st == WSP_OK && h < wsp_model_head_count(e->m); h++)
        if (report_of(e, h))
            st = add_rival_head(e, h, &row, other, theirs, err);
    wsp_replies_free(theirs);
    wsp_model_free(other);
    return st;
}

static int write_answers(const evaluation *e, const char *path)
{
    const answer_file a = {e->m, e->t, e->flow, e->replies, e->r.by_capture};
    wsp_error err;

    return answer_file_write(&a, path, &err) < 0 ? cli_fail_error(&err) : CLI_OK;
}

static int print(const evaluation *e, const arguments *a)
{
    if (a->format[0] == 't')
        report_table(&e->r, a->per_class);
    else if (!report_json(&e->r, stdout))
        return cli_fail("the report could not be written");
    if (a->answers && write_answers(e, a->answers) != CLI_OK)
        return CLI_FAILED;
    return a->html ? report_html(&e->r, a->html) : CLI_OK;
}

/* one option a line or two */
/* clang-format off */
static int parse(arguments *a, int argc, char **argv)
{
    static const char *const formats[] = {"table", "json", NULL};
    static const char *const parts[] = {"train", "val", "test", NULL};
    generated_arguments *g = &a->generated;
    const cli_option options[] = {
        {.name = "model", .letter = 'm', .kind = CLI_TEXT, .value = &a->model, .arg = "MODEL", .file = CLI_READS, .help = "the model, a .safetensors file"},
        {.name = "output", .letter = 'o', .kind = CLI_CHOICE, .value = &a->format, .arg = "FORMAT", .choices = formats,
         .help = "table for people, json for programs (a line a head)"},
        {.name = "html", .kind = CLI_TEXT, .value = &a->html, .arg = "FILE", .file = CLI_WRITES,
         .help = "also write a page with pictures, which needs nothing else"},
        {.name = "threads", .kind = CLI_SIZE, .value = &a->threads, .arg = "N", .min = 1, .max = 256, .zero = "all CPUs",
         .help = "compute with N threads (default 0: all CPUs)"},
        {.name = "dtype", .kind = CLI_CHOICE, .value = &a->dtype, .arg = "TYPE", .choices = cli_dtypes,
         .help = "of matrix products: auto is bf16 where the CPU has AMX, else f32"},
        {.name = "per-class", .kind = CLI_FLAG, .value = &a->per_class,
         .help = "precision, recall, F1 and confusions of every class in the table"},
        {.name = "by-capture", .kind = CLI_FLAG, .value = &a->by_capture,
         .help = "score whole captures: their flows vote together"},
        {.name = "final-only", .kind = CLI_FLAG, .value = &a->final_only, .help = "only the answers after the last packet"},
        {.name = "background", .kind = CLI_LIST, .value = &a->from.background, .arg = "HEAD",
         .help = "captures that have none of this head's labels are\nunknown to it; may be repeated"},
        {.name = "baselines", .kind = CLI_LIST, .value = &a->baselines, .arg = "TRAIN.npz", .file = CLI_READS,
         .help = "also a random forest and gradient boosting that learn\nfrom these flows under the model's mask policy; may\nbe repeated"},
        {.name = "against", .kind = CLI_LIST, .value = &a->against, .arg = "MODEL", .file = CLI_READS,
         .help = "also this model on the same flows, and the interval of the\ndifference; may be repeated"},
        {.name = "answers", .kind = CLI_TEXT, .value = &a->answers, .arg = "FILE", .file = CLI_WRITES,
         .help = "write every answer beside its label, as JSON lines"},
        {.name = "robust", .kind = CLI_FLAG, .value = &a->robust,
         .help = "also what headers and sizes alone give; of captures also\n"
                 "the scores when they are forged, cut or begin late,\nand how much nDPI can name then"},
        {.name = NULL, .kind = CLI_HEADING, .help = "Captures"},
        {.name = "labels", .kind = CLI_LIST, .value = &a->from.lists, .arg = "HEAD=FILE", .file = CLI_READS_LIST,
         .help = "what their flows are: a tab-separated list"},
        {.name = "part", .kind = CLI_CHOICE, .value = &a->from.part, .arg = "PART", .choices = parts,
         .help = "only the captures of this part, by their names\nalone: as split --no-classes, tokenize --part"},
        {.name = "seed", .kind = CLI_U64, .value = &a->from.split.seed, .arg = "N", .help = "seed of the split (default 1)"},
        {.name = "val", .kind = CLI_REAL, .value = &a->from.split.val, .arg = "SHARE", .rmax = 1,
         .help = "share of captures for validation (default 0.1)"},
        {.name = "test", .kind = CLI_REAL, .value = &a->from.split.test, .arg = "SHARE", .rmax = 1,
         .help = "share of captures for the test (default 0.25)"},
        {.name = NULL, .kind = CLI_HEADING, .help = "Generated captures"},
        {.name = "generated", .kind = CLI_LIST, .value = &g->generated, .arg = "[NAME=]CAPTURE", .file = CLI_READS, .help = "what is measured; may be repeated"},
        {.name = "real", .kind = CLI_LIST, .value = &g->real, .arg = "CAPTURE", .file = CLI_READS,
         .help = "what it should be like (with --part: that part); may be repeated"},
        {.name = "train", .kind = CLI_LIST, .value = &g->train, .arg = "CAPTURE", .file = CLI_READS,
         .help = "what the generator learned from (with --part: the part train);\nmay be repeated"},
        {.name = "asked", .kind = CLI_LIST, .value = &g->asked, .arg = "FILE", .file = CLI_READS_LIST,
         .help = "what the generated flows should be: lists as those of --labels;\nmay be repeated"},
        {.name = "canaries", .kind = CLI_TEXT, .value = &g->canaries, .arg = "FILE", .file = CLI_READS_LIST,
         .help = "strings, one a line, that stand in training captures: count them"},
        {.name = "markov", .kind = CLI_TEXT, .value = &g->markov, .arg = "OUT.pcap", .file = CLI_WRITES,
         .help = "also a sampler that knows how often tokens follow each other in\ntraining flows; writes its capture, and its list to OUT.pcap.tsv"},
        {.name = "bytes", .kind = CLI_TEXT, .value = &g->bytes, .arg = "OUT.pcap", .file = CLI_WRITES,
         .help = "also a model of bytes in the way of TrafficGPT, which is trained on the\ntraining flows first; writes likewise"},
        {.name = "bytes-seconds", .kind = CLI_SECONDS, .value = &g->bytes_ns, .arg = "SECONDS",
         .help = "train it for about so long (default 600)"},
        {.name = "bytes-flows", .kind = CLI_SIZE, .value = &g->bytes_flows, .arg = "N", .min = 1, .max = 1000000,
         .help = "have it draw at most N flows (default 1000)"},
        {.name = "max-packets", .kind = CLI_SIZE, .value = &g->max_packets, .arg = "N", .min = 1, .max = 100000,
         .help = "the first N packets of each flow count (default 24)"},
        {.name = "common", .kind = CLI_SIZE, .value = &g->common, .arg = "N", .min = 1, .max = 1000000,
         .help = "payload that N training captures have is nobody's own (default 3)"},
        {.name = "all-fields", .kind = CLI_FLAG, .value = &g->all_fields, .help = "every field of every protocol in the table"},
    };

    return cli_parse(&page, options, sizeof options / sizeof options[0], argc, argv);
}
/* clang-format on */

static wsp_status evaluate(evaluation *e, arguments *a, wsp_error *err)
{
    wsp_tokens *all = NULL;
    wsp_status st = wsp_model_load(&e->m, a->model, err);

    if (st >= 0)
        st = source_open(&a->from, err);
    if (st >= 0)
        st = source_read(&a->from, &(wsp_change){.kind = WSP_CHANGE_NONE}, &all, err);
    if (st >= 0)
        st = take_labelled(e, &e->t, &e->flow, all, err);
    wsp_tokens_free(all);
    if (st >= 0)
        st = score(e, err);
    if (st >= 0)
        st = wsp_seen_of(e->m, e->t, &e->r.seen, err);
    if (st >= 0)
        trained_warn(&e->r.seen, "these flows");
    if (st >= 0 && !a->final_only)
        st = add_early(e, err);
    for (size_t i = 0; st >= 0 && i < a->against.n; i++)
        st = add_rival(e, a->against.items[i], err);
    if (st >= 0 && a->baselines.n)
        st = add_baselines(e, &a->baselines, err);
    if (st >= 0 && a->robust)
        st = add_circumstances(e, &a->from, err);
    return st;
}

static int run_generated(const arguments *a)
{
    const generated_context c = {.command = page.name,
                                 .model = a->model,
                                 .format = a->format,
                                 .html = a->html,
                                 .part = a->from.part,
                                 .labels = &a->from.lists,
                                 .split = a->from.split,
                                 .threads = (unsigned)a->threads};

    return eval_generated(&a->generated, &c);
}

int cmd_eval(int argc, char **argv)
{
    arguments a = {.format = "table",
                   .dtype = "auto",
                   .from = {.split = wsp_split_options_default()},
                   .generated = {.max_packets = 24,
                                 .common = 3,
                                 .bytes_ns = UINT64_C(600000000000),
                                 .bytes_flows = 1000}};
    int first = parse(&a, argc, argv);
    const char *const made[] = {a.html, a.answers, a.generated.markov, a.generated.bytes};
    evaluation e = {.r = {.model = a.model, .test = argv[first]}};
    int rc = cli_can_write(made, sizeof made / sizeof made[0]);
    wsp_error err;

    if (rc != CLI_OK)
        return rc;
    if (a.generated.generated.n)
        return first < argc ? cli_usage(page.name, "with --generated there are no operands")
                            : run_generated(&a);
    if (first == argc)
        return cli_usage(page.name, "on what? give a token file or captures");
    if (!a.model)
        return cli_usage(page.name, "which model? give -m MODEL.safetensors");
    rc = source_take(&a.from, page.name, argv + first, argc - first);
    if (rc != CLI_OK)
        return rc;
    e.r.by_capture = a.by_capture;
    e.run = (wsp_classify_options){.dtype = cli_dtype(a.dtype), .threads = (unsigned)a.threads};
    rc = evaluate(&e, &a, &err) < 0 ? cli_fail_error(&err) : print(&e, &a);
    if (rc == CLI_OK)
        rc = captures_end(&a.from.stats, "scored");
    said_clear(&e.said);
    free_scores(e.scores, e.m ? wsp_model_head_count(e.m) : 0);
    free(e.r.heads);
    free(e.flow);
    wsp_replies_free(e.replies);
    wsp_tokens_free(e.t);
    wsp_model_free(e.m);
    source_close(&a.from);
    return rc;
}
