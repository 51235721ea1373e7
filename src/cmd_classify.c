/* SPDX-License-Identifier: Apache-2.0 */
/* cmd_classify.c: a label, a confidence and the number of packets read for every flow of captures. */
#include <ctype.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli.h"
#include "eve.h"
#include "wirespeak/task.h"

static const cli_page page = {
    .name = "classify",
    .operands = "[OPTION]... -m MODEL FILE...",
    .summary = "Labels every flow of captures (files, folders, archives, - for standard input) "
               "with a trained model.\n"
               "No address, port or name reaches the model. A flow whose best label is not likely "
               "enough is \"unknown\".",
    .examples = "  wirespeak classify -m model.safetensors trace.pcap\n  tcpdump -w - | wirespeak "
                "classify -m model.safetensors -o jsonl -\n",
    .min_operands = 1,
    .max_operands = -1,
};

typedef struct flows {
    wsp_flow *items;
    size_t n, cap;
} flows;

static wsp_status keep_flow(void *arg, const wsp_flow *flow, const wsp_tokens *set, size_t index)
{
    flows *f = arg;

    (void)set;
    if (index >= f->cap) {
        size_t cap = index + index / 2 + 1024;
        wsp_flow *p = realloc(f->items, cap * sizeof *p);
        if (!p)
            return WSP_ERR_NOMEM;
        f->items = p;
        f->cap = cap;
    }
    f->items[index] = *flow;
    f->n = index + 1;
    return WSP_OK;
}

/* What is asked of the model: its heads that answer, the first of them first, and how sure they have to be. */
typedef struct question {
    const wsp_model *m;
    size_t head[CLI_LIST_MAX], n;
    double least; /* below 0: the head's own threshold */
    bool json;
    wsp_classify_options run;
} question;

/* Probabilities and packets read of all flows; bit h of outside: made of protocols that head h was not trained on. */
typedef struct answers {
    float **prob; /* [heads of the model], NULL for those that are not asked */
    uint32_t *packets, *outside;
    wsp_runner_stats shared;
} answers;

typedef struct verdict {
    const char *head, *label;
    double confidence;
    bool outside;
} verdict;

static verdict verdict_of(const question *q, size_t head, const answers *a, size_t flow)
{
    const wsp_head *h = wsp_model_head(q->m, head);
    const float *p = a->prob[head] + flow * h->n_labels;
    double least = q->least < 0 ? (double)h->unknown_below : q->least;
    bool outside = a->outside[flow] >> head & 1;
    size_t best = 0;

    for (size_t l = 1; l < h->n_labels; l++)
        if (p[l] > p[best])
            best = l;
    return (verdict){.head = h->name,
                     .label = outside || (double)p[best] < least ? "unknown" : h->labels[best],
                     .confidence = (double)p[best],
                     .outside = outside};
}

/* Label, confidence and packets of the first head, and what each head says. */
static json_t *ours(const question *q, const answers *a, size_t flow)
{
    verdict first = verdict_of(q, q->head[0], a, flow);
    json_t *heads = json_object();
    int lost = heads == NULL;

    for (size_t i = 0; i < q->n; i++) {
        verdict v = verdict_of(q, q->head[i], a, flow);
        json_t *o = json_pack("{s:s, s:f}", "label", v.label, "confidence", v.confidence);
        if (v.outside)
            lost |= json_object_set_new(o, "outside", json_true());
        lost |= json_object_set_new(heads, v.head, o);
    }
    if (lost) {
        json_decref(heads);
        return NULL;
    }
    return json_pack("{s:s, s:f, s:i, s:o}", "label", first.label, "confidence", first.confidence,
                     "packets", (int)a->packets[flow], "heads", heads);
}

static int print_json(const question *q, const answers *a, size_t i, const wsp_flow *flow,
                      uint64_t id, const char *name)
{
    char *capture = eve_printable(name);
    json_t *o = capture ? eve_flow(flow, id, capture) : NULL;
    bool made = json_object_set_new(o, "wirespeak", ours(q, a, i)) == 0;

    free(capture);
    if (!made)
        json_decref(o);
    return made && eve_print(o) ? CLI_OK : cli_fail("no memory for a record");
}

static void print_row(const question *q, const answers *a, size_t i, const wsp_flow *flow)
{
    char src[EVE_ENDPOINT_SIZE], dst[EVE_ENDPOINT_SIZE], proto[EVE_PROTO_SIZE];

    eve_endpoint(&flow->key, 0, src, sizeof src);
    eve_endpoint(&flow->key, 1, dst, sizeof dst);
    eve_proto(&flow->key, proto, sizeof proto);
    for (size_t k = 0; k < q->n; k++) {
        verdict v = verdict_of(q, q->head[k], a, i);
        printf("%-20s %5.1f%% ", v.label, 100 * v.confidence);
    }
    printf("%4" PRIu32 "  %-9s %s -> %s\n", a->packets[i], proto, src, dst);
}

static void print_title(const question *q)
{
    for (size_t k = 0; k < q->n; k++) {
        char name[40];

        (void)snprintf(name, sizeof name, "%s",
                       q->n > 1 ? wsp_model_head(q->m, q->head[k])->name : "label");
        for (char *c = name; *c; c++)
            *c = (char)toupper((unsigned char)*c);
        printf("%-20s %6s ", name, "CONF");
    }
    printf("%4s  %-9s %s\n", "PKTS", "PROTO", "FLOW");
}

static int print_all(const question *q, const wsp_tokens *t, const flows *f, const answers *a)
{
    size_t base = 0; /* first flow of this capture: ids are unique in a run, and those of `label` */

    if (!q->json)
        print_title(q);
    for (size_t i = 0; i < t->n_flows; i++) {
        if (i > 0 && t->capture[i] != t->capture[i - 1])
            base = i;
        if (!q->json)
            print_row(q, a, i, &f->items[i]);
        else if (print_json(q, a, i, &f->items[i], base + f->items[i].id + 1,
                            t->captures[t->capture[i]]) != CLI_OK)
            return CLI_FAILED;
    }
    return CLI_OK;
}

/* What sharing between flows spared. */
static void print_stats(const wsp_runner_stats *s)
{
    cli_note("%" PRIu64 " of %" PRIu64 " packets read, %" PRIu64 " of %" PRIu64
             " packets of flows computed: the rest was the same",
             s->packets_read, s->packets, s->rows_run, s->rows);
}

static int ask(const question *q, const wsp_tokens *t, answers *a)
{
    wsp_wanted want;
    bool room;
    wsp_error err;

    a->prob = calloc(wsp_model_head_count(q->m) + 1, sizeof *a->prob);
    a->packets = calloc(t->n_flows + 1, sizeof *a->packets);
    a->outside = calloc(t->n_flows + 1, sizeof *a->outside);
    room = a->prob && a->packets && a->outside;
    for (size_t k = 0; room && k < q->n; k++) {
        size_t h = q->head[k];
        a->prob[h] = calloc(t->n_flows + 1, wsp_model_head(q->m, h)->n_labels * sizeof(float));
        room = a->prob[h] != NULL;
    }
    if (!room)
        return cli_fail("no memory for %zu flows", t->n_flows);
    want = (wsp_wanted){.prob = a->prob, .packets = a->packets, .outside = a->outside};
    if (wsp_ask(q->m, t, &q->run, &want, &a->shared, &err) < 0)
        return cli_fail_error(&err);
    if (cli_is_verbose())
        print_stats(&a->shared);
    return CLI_OK;
}

static void answers_clear(const question *q, answers *a)
{
    for (size_t h = 0; a->prob && h < wsp_model_head_count(q->m); h++)
        free(a->prob[h]);
    free(a->prob);
    free(a->packets);
    free(a->outside);
}

static int classify(const question *q, wsp_input *in)
{
    flows f = {.n = 0};
    wsp_tokenize_options how = {.keep = true, .max_packets = 64, .on_flow = keep_flow, .arg = &f};
    wsp_tokenize_stats stats;
    wsp_tokens *t = NULL;
    answers a = {.prob = NULL};
    wsp_error err;
    int rc = CLI_OK;

    if (wsp_tokenize(in, &how, &t, &stats, &err) < 0)
        rc = cli_fail_error(&err);
    if (rc == CLI_OK)
        rc = ask(q, t, &a);
    if (rc == CLI_OK)
        rc = print_all(q, t, &f, &a);
    if (rc == CLI_OK && stats.broken)
        rc = cli_fail("%" PRIu64 " of %" PRIu64 " captures broke off; what came before is labelled",
                      stats.broken, stats.captures);
    answers_clear(q, &a);
    free(f.items);
    wsp_tokens_free(t);
    return rc;
}

int cmd_classify(int argc, char **argv)
{
    static const char *const formats[] = {"table", "jsonl", NULL};
    const char *model = NULL, *format = "table", *filter = NULL, *dtype = "auto";
    cli_list heads = {.n = 0};
    size_t threads = 0;
    question q = {.least = -1};
    bool skip_bad = false;
    const cli_option options[] = {
        {.name = "model",
         .letter = 'm',
         .kind = CLI_TEXT,
         .value = &model,
         .arg = "MODEL",
         .help = "the model, a .safetensors file"},
        {.name = "head",
         .kind = CLI_LIST,
         .value = &heads,
         .arg = "NAME",
         .help = "classify with this head (default the first);\nmay be repeated; all: with all"},
        {.name = "output",
         .letter = 'o',
         .kind = CLI_CHOICE,
         .value = &format,
         .arg = "FORMAT",
         .choices = formats,
         .help = "table for people, jsonl for programs"},
        {.name = "min-confidence",
         .kind = CLI_REAL,
         .value = &q.least,
         .arg = "P",
         .rmin = -1,
         .rmax = 1,
         .help = "below it a flow is \"unknown\" (default the model's)"},
        {.name = "threads",
         .kind = CLI_SIZE,
         .value = &threads,
         .arg = "N",
         .min = 0,
         .max = 256,
         .help = "compute with N threads (default 0: all CPUs)"},
        {.name = "dtype",
         .kind = CLI_CHOICE,
         .value = &dtype,
         .arg = "TYPE",
         .choices = cli_dtypes,
         .help = "of matrix products: auto is bf16 where the CPU has it"},
        {.name = "filter",
         .letter = 'f',
         .kind = CLI_TEXT,
         .value = &filter,
         .arg = "BPF",
         .help = "only packets that match this pcap filter"},
        {.name = "skip-bad",
         .kind = CLI_FLAG,
         .value = &skip_bad,
         .help = "skip what is no capture, with a warning"},
    };
    int first = cli_parse(&page, options, sizeof options / sizeof options[0], argc, argv), rc;
    wsp_input_options opt = wsp_input_options_default();
    wsp_model *m = NULL;
    wsp_input *in = NULL;
    wsp_error err;

    if (!model)
        return cli_usage(page.name, "which model? give -m MODEL.safetensors");
    opt.filter = filter;
    opt.skip_bad = skip_bad;
    if (wsp_model_load(&m, model, &err) < 0)
        return cli_fail_error(&err);
    q.m = m;
    q.json = format[0] == 'j';
    q.run = (wsp_classify_options){.dtype = cli_dtype(dtype), .threads = (unsigned)threads};
    rc = cli_find_heads(m, &heads, q.head, &q.n);
    if (rc == CLI_OK && wsp_input_new(&in, (const char *const *)(argv + first),
                                      (size_t)(argc - first), &opt, &err) < 0)
        rc = cli_fail_error(&err);
    if (rc == CLI_OK)
        rc = classify(&q, in);
    wsp_input_free(in);
    wsp_model_free(m);
    return rc;
}
