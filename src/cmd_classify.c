/* SPDX-License-Identifier: Apache-2.0 */
/* cmd_classify.c: a label, a confidence and the number of packets read for every flow of captures. */
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

typedef struct answer {
    const wsp_flow *flow;
    uint64_t flow_id;
    const char *capture, *label;
    double confidence;
    uint32_t packets;
} answer;

static int print_json(const answer *a, const char *head)
{
    char *capture = eve_printable(a->capture);
    json_t *o = capture ? eve_flow(a->flow, a->flow_id, capture) : NULL;
    json_t *ours = json_pack("{s:s, s:f, s:i, s:{s:{s:s, s:f}}}", "label", a->label, "confidence",
                             a->confidence, "packets", (int)a->packets, "heads", head, "label",
                             a->label, "confidence", a->confidence);
    bool made = json_object_set_new(o, "wirespeak", ours) == 0;

    free(capture);
    if (!made)
        json_decref(o);
    return made && eve_print(o) ? CLI_OK : cli_fail("no memory for a record");
}

static void print_row(const answer *a)
{
    char src[EVE_ENDPOINT_SIZE], dst[EVE_ENDPOINT_SIZE], proto[EVE_PROTO_SIZE];

    eve_endpoint(&a->flow->key, 0, src, sizeof src);
    eve_endpoint(&a->flow->key, 1, dst, sizeof dst);
    eve_proto(&a->flow->key, proto, sizeof proto);
    printf("%-20s %5.1f%% %4" PRIu32 "  %-9s %s -> %s\n", a->label, 100 * a->confidence, a->packets,
           proto, src, dst);
}

static int print_all(const wsp_model *m, size_t head, const wsp_tokens *t, const flows *f,
                     const float *prob, const uint32_t *packets, bool json, double least)
{
    const wsp_head *h = wsp_model_head(m, head);
    size_t base = 0; /* first flow of this capture: ids are unique in a run, and those of `label` */

    if (!json)
        printf("%-20s %6s %4s  %-9s %s\n", "LABEL", "CONF", "PKTS", "PROTO", "FLOW");
    for (size_t i = 0; i < t->n_flows; i++) {
        const float *p = prob + i * h->n_labels;
        size_t best = 0;
        answer a = {
            .flow = &f->items[i], .capture = t->captures[t->capture[i]], .packets = packets[i]};
        if (i > 0 && t->capture[i] != t->capture[i - 1])
            base = i;
        a.flow_id = base + a.flow->id + 1;
        for (size_t l = 1; l < h->n_labels; l++)
            if (p[l] > p[best])
                best = l;
        a.confidence = (double)p[best];
        a.label = a.confidence < least ? "unknown" : h->labels[best];
        if (!json)
            print_row(&a);
        else if (print_json(&a, h->name) != CLI_OK)
            return CLI_FAILED;
    }
    return CLI_OK;
}

static int find_head(const wsp_model *m, const char *name, size_t *head)
{
    for (*head = 0; *head < wsp_model_head_count(m); ++*head)
        if (!name || strcmp(wsp_model_head(m, *head)->name, name) == 0)
            return CLI_OK;
    return cli_fail(name ? "the model has no head '%s'" : "the model has no head to classify with",
                    name);
}

/* What sharing between flows spared. */
static void print_stats(const wsp_runner_stats *s)
{
    cli_note("%" PRIu64 " of %" PRIu64 " packets read, %" PRIu64 " of %" PRIu64
             " packets of flows computed: the rest was the same",
             s->packets_read, s->packets, s->rows_run, s->rows);
}

static int classify(const wsp_model *m, const char *head_name, wsp_input *in,
                    const wsp_classify_options *run, bool json, double least)
{
    flows f = {.n = 0};
    wsp_tokenize_options how = {.keep = true, .max_packets = 64, .on_flow = keep_flow, .arg = &f};
    wsp_tokenize_stats stats;
    wsp_runner_stats shared;
    wsp_tokens *t = NULL;
    uint32_t *packets = NULL;
    float **prob = calloc(wsp_model_head_count(m) + 1, sizeof *prob); /* of the one head only */
    size_t head;
    wsp_error err;
    int rc = find_head(m, head_name, &head);

    if (rc == CLI_OK && wsp_tokenize(in, &how, &t, &stats, &err) < 0)
        rc = cli_fail_error(&err);
    if (rc == CLI_OK) {
        if (prob)
            prob[head] = calloc(t->n_flows + 1, wsp_model_head(m, head)->n_labels * sizeof **prob);
        packets = calloc(t->n_flows + 1, sizeof *packets);
        if (!prob || !prob[head] || !packets)
            rc = cli_fail("no memory for %zu flows", t->n_flows);
        else if (wsp_classify(m, t, run, prob, packets, &shared, &err) < 0)
            rc = cli_fail_error(&err);
        else if (cli_is_verbose())
            print_stats(&shared);
    }
    if (rc == CLI_OK)
        rc = print_all(m, head, t, &f, prob[head], packets, json,
                       least < 0 ? (double)wsp_model_head(m, head)->unknown_below : least);
    if (rc == CLI_OK && stats.broken)
        rc = cli_fail("%" PRIu64 " of %" PRIu64 " captures broke off; what came before is labelled",
                      stats.broken, stats.captures);
    if (prob && head < wsp_model_head_count(m))
        free(prob[head]);
    free(prob);
    free(packets);
    free(f.items);
    wsp_tokens_free(t);
    return rc;
}

int cmd_classify(int argc, char **argv)
{
    static const char *const formats[] = {"table", "jsonl", NULL};
    const char *model = NULL, *head = NULL, *format = "table", *filter = NULL, *dtype = "auto";
    size_t threads = 0;
    double least = -1;
    bool skip_bad = false;
    const cli_option options[] = {
        {.name = "model",
         .letter = 'm',
         .kind = CLI_TEXT,
         .value = &model,
         .arg = "MODEL",
         .help = "the model, a .safetensors file"},
        {.name = "head",
         .kind = CLI_TEXT,
         .value = &head,
         .arg = "NAME",
         .help = "classify with this head (default the first)"},
        {.name = "output",
         .letter = 'o',
         .kind = CLI_CHOICE,
         .value = &format,
         .arg = "FORMAT",
         .choices = formats,
         .help = "table for people, jsonl for programs"},
        {.name = "min-confidence",
         .kind = CLI_REAL,
         .value = &least,
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
    const wsp_classify_options run = {.dtype = cli_dtype(dtype), .threads = (unsigned)threads};
    wsp_model *m = NULL;
    wsp_input *in = NULL;
    wsp_error err;

    if (!model)
        return cli_usage(page.name, "which model? give -m MODEL.safetensors");
    opt.filter = filter;
    opt.skip_bad = skip_bad;
    if (wsp_model_load(&m, model, &err) < 0)
        return cli_fail_error(&err);
    if (wsp_input_new(&in, (const char *const *)(argv + first), (size_t)(argc - first), &opt,
                      &err) < 0)
        rc = cli_fail_error(&err);
    else
        rc = classify(m, head, in, &run, format[0] == 'j', least);
    wsp_input_free(in);
    wsp_model_free(m);
    return rc;
}
