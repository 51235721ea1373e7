/* SPDX-License-Identifier: Apache-2.0 */
/* cmd_eval.c: how good the answers of a model are on a labelled token file: runs it, and hands the scores to the report. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli.h"
#include "report.h"
#include "wirespeak/task.h"

static const cli_page page = {
    .name = "eval",
    .operands = "[OPTION]... -m MODEL TEST.npz",
    .summary =
        "Scores the heads of a model on the label columns of a token file, beside always saying "
        "the commonest\n"
        "class and beside its own answers after the first packets. Use captures that the model has "
        "not seen.\n"
        "Flows of classes that a head does not know tell how well it says \"unknown\".",
    .examples = "  wirespeak eval -m model.safetensors test.npz\n"
                "  wirespeak eval -o json -m model.safetensors test.npz | jq .macro_f1\n"
                "  wirespeak eval --html scores.html -m model.safetensors test.npz\n",
    .min_operands = 1,
    .max_operands = 1,
};

typedef struct arguments {
    const char *model, *format, *html, *dtype;
    size_t threads;
    bool per_class, final_only;
} arguments;

static const size_t early[] = {1, 2, 4, 8, 16};
enum { N_EARLY = sizeof early / sizeof early[0] };

/* A model, the flows that have a label of one of its heads, and what is said of it. */
typedef struct evaluation {
    wsp_model *m;
    wsp_tokens *t;
    wsp_classify_options run;
    wsp_metrics **scores; /* [heads of the model] */
    report r;
} evaluation;

static wsp_status out_of_memory(wsp_error *err)
{
    *err = (wsp_error){.status = WSP_ERR_NOMEM};
    (void)snprintf(err->text, sizeof err->text, "out of memory");
    return WSP_ERR_NOMEM;
}

/* Of the whole set only what can be scored. */
static wsp_status take_labelled(evaluation *e, const wsp_tokens *all, wsp_error *err)
{
    size_t n_heads = wsp_model_head_count(e->m);
    uint32_t *flows = calloc(all->n_flows + 1, sizeof *flows);
    int32_t *label = calloc(all->n_flows + 1, sizeof *label);
    bool *has = calloc(all->n_flows + 1, sizeof *has);
    wsp_selection s = {.flows = flows};
    wsp_status st;

    for (size_t h = 0; flows && label && has && h < n_heads; h++)
        if (wsp_match_labels(e->m, h, all, label))
            for (size_t i = 0; i < all->n_flows; i++)
                has[i] = has[i] || label[i] != WSP_UNLABELLED;
    for (size_t i = 0; flows && has && i < all->n_flows; i++)
        if (has[i])
            flows[s.n++] = (uint32_t)i;
    st = flows && label && has ? wsp_tokens_select(&e->t, all, &s, err) : out_of_memory(err);
    free(has);
    free(label);
    free(flows);
    return st;
}

static void free_scores(wsp_metrics **scores, size_t n)
{
    for (size_t h = 0; scores && h < n; h++)
        wsp_metrics_free(scores[h]);
    free(scores);
}

/* What the answers are under other circumstances: one row for each head. */
static wsp_status add_rows(evaluation *e, report_kind kind, const char *name,
                           const wsp_selection *s, wsp_error *err)
{
    size_t n = wsp_model_head_count(e->m), at = 0;
    wsp_metrics **scores = calloc(n + 1, sizeof *scores);
    wsp_tokens *part = NULL;
    wsp_status st = scores ? wsp_tokens_select(&part, e->t, s, err) : out_of_memory(err);

    if (st == WSP_OK)
        st = wsp_score(e->m, part, &e->run, scores, NULL, err);
    for (size_t h = 0; st == WSP_OK && h < n; h++)
        if (scores[h])
            report_add(&e->r.heads[at++], kind, name, s->max_packets, scores[h]);
    free_scores(scores, n);
    wsp_tokens_free(part);
    return st;
}

static wsp_status score(evaluation *e, wsp_error *err)
{
    size_t n = wsp_model_head_count(e->m);
    wsp_status st;

    e->scores = calloc(n + 1, sizeof *e->scores);
    e->r.heads = calloc(n + 1, sizeof *e->r.heads);
    if (!e->scores || !e->r.heads)
        return out_of_memory(err);
    st = wsp_score(e->m, e->t, &e->run, e->scores, &e->r.seconds, err);
    for (size_t h = 0; st == WSP_OK && h < n; h++)
        if (e->scores[h])
            e->r.heads[e->r.n_heads++] =
                (report_head){.head = wsp_model_head(e->m, h), .score = e->scores[h]};
    e->r.parameters = wsp_model_parameters(e->m);
    e->r.flows = e->t->n_flows;
    return st;
}

static wsp_status add_early(evaluation *e, wsp_error *err)
{
    wsp_status st = WSP_OK;

    for (size_t i = 0; st == WSP_OK && i < N_EARLY; i++) {
        char name[40];
        (void)snprintf(name, sizeof name, "after %zu packet%s", early[i], early[i] > 1 ? "s" : "");
        st = add_rows(e, REPORT_EARLY, name, &(wsp_selection){.max_packets = early[i]}, err);
    }
    return st;
}

static int print(const evaluation *e, const arguments *a)
{
    if (a->format[0] == 't')
        report_table(&e->r, a->per_class);
    else if (!report_json(&e->r, stdout))
        return cli_fail("the report could not be written");
    return a->html ? report_html(&e->r, a->html) : CLI_OK;
}

int cmd_eval(int argc, char **argv)
{
    static const char *const formats[] = {"table", "json", NULL};
    arguments a = {.format = "table", .dtype = "auto"};
    const cli_option options[] = {
        {.name = "model",
         .letter = 'm',
         .kind = CLI_TEXT,
         .value = &a.model,
         .arg = "MODEL",
         .help = "the model, a .safetensors file"},
        {.name = "output",
         .letter = 'o',
         .kind = CLI_CHOICE,
         .value = &a.format,
         .arg = "FORMAT",
         .choices = formats,
         .help = "table for people, json for programs (a line a head)"},
        {.name = "html",
         .kind = CLI_TEXT,
         .value = &a.html,
         .arg = "FILE",
         .help = "also write a page with pictures, which needs nothing else"},
        {.name = "threads",
         .kind = CLI_SIZE,
         .value = &a.threads,
         .arg = "N",
         .min = 0,
         .max = 256,
         .help = "compute with N threads (default 0: all CPUs)"},
        {.name = "dtype",
         .kind = CLI_CHOICE,
         .value = &a.dtype,
         .arg = "TYPE",
         .choices = cli_dtypes,
         .help = "of matrix products: auto is bf16 where the CPU has it"},
        {.name = "per-class",
         .kind = CLI_FLAG,
         .value = &a.per_class,
         .help = "precision, recall and F1 of every class in the table"},
        {.name = "final-only",
         .kind = CLI_FLAG,
         .value = &a.final_only,
         .help = "only the answers after the last packet"},
    };
    int first = cli_parse(&page, options, sizeof options / sizeof options[0], argc, argv), rc;
    evaluation e = {.r = {.model = a.model, .test = argv[first]}};
    wsp_tokens *all = NULL;
    wsp_error err;
    wsp_status st;

    if (!a.model)
        return cli_usage(page.name, "which model? give -m MODEL.safetensors");
    e.run = (wsp_classify_options){.dtype = cli_dtype(a.dtype), .threads = (unsigned)a.threads};
    st = wsp_model_load(&e.m, a.model, &err);
    if (st >= 0)
        st = wsp_tokens_load(&all, argv[first], &err);
    if (st >= 0)
        st = take_labelled(&e, all, &err);
    wsp_tokens_free(all);
    if (st >= 0)
        st = score(&e, &err);
    if (st >= 0 && !a.final_only)
        st = add_early(&e, &err);
    rc = st < 0 ? cli_fail_error(&err) : print(&e, &a);
    free_scores(e.scores, e.m ? wsp_model_head_count(e.m) : 0);
    free(e.r.heads);
    wsp_tokens_free(e.t);
    wsp_model_free(e.m);
    return rc;
}
