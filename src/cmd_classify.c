/* SPDX-License-Identifier: Apache-2.0 */
/* cmd_classify.c: what a trained model says of every flow of captures. */
#include <string.h>

#include "captures.h"
#include "flow_run.h"
#include "shipped.h"

/* Some are of flows, some of classes, some of whole captures or hosts. */
static const cli_rule rules[] = {
    {"summary", CLI_NEVER_WITH, "by-capture"},    {"rank", CLI_NEVER_WITH, "by-capture"},
    {"per-packet", CLI_NEVER_WITH, "by-capture"}, {"surprise", CLI_NEVER_WITH, "by-capture"},
    {"ndpi", CLI_NEVER_WITH, "by-capture"},       {"shard", CLI_NEVER_WITH, "by-capture"},
    {"summary", CLI_NEVER_WITH, "by-host"},       {"rank", CLI_NEVER_WITH, "by-host"},
    {"per-packet", CLI_NEVER_WITH, "by-host"},    {"surprise", CLI_NEVER_WITH, "by-host"},
    {"ndpi", CLI_NEVER_WITH, "by-host"},          {"shard", CLI_NEVER_WITH, "by-host"},
    {"by-capture", CLI_NEVER_WITH, "by-host"},    {"rank", CLI_NEVER_WITH, "summary"},
    {"top", CLI_NEVER_WITH, "summary"},           {"only", CLI_NEVER_WITH, "by-capture"},
    {"only", CLI_NEVER_WITH, "by-host"},          {NULL, CLI_NEVER_WITH, NULL},
};

static const cli_page page = {
    .name = "classify",
    .operands = "[OPTION]... FILE...",
    .summary = "Labels every flow of captures (files, folders, archives, - for standard input) "
               "with a trained model.\n"
               "No address, port or name reaches the model. A flow whose best label is not likely "
               "enough is \"unknown\".",
    .examples = "  wirespeak classify trace.pcap\n  tcpdump -r trace.pcap -w - "
                "tcp | wirespeak classify -o jsonl -\n  tcpdump -U -w - | "
                "wirespeak tag -r -    (a pipe that goes on)\n  wirespeak classify --summary "
                "captures/\n  wirespeak classify --by-capture --head device captures/\n  wirespeak "
                "classify --by-host --head device lan.pcap\n  wirespeak classify --only "
                "malware:malware -w malware.pcapng captures/\n",
    .min_operands = 1,
    .max_operands = -1,
    .rules = rules,
};

/* ---- the command line ---- */

typedef struct arguments {
    const char *model, *out, *format, *filter, *password, *dtype, *shard;
    cli_list heads, only;
    size_t threads, top, rank, max_flows;
    double least;
    bool skip_bad, join, summary, by_capture, by_host, early, surprise, ndpi;
} arguments;

static out_format format_of(const char *word)
{
    return word[0] == 't' ? OUT_TABLE : word[0] == 'j' ? OUT_JSONL : OUT_CSV;
}

/* clang-format off */
static int parse(arguments *a, int argc, char **argv)
{
    static const char *const formats[] = {"table", "jsonl", "csv", NULL};
    const cli_option options[] = {
        {.name = "model", .letter = 'm', .kind = CLI_TEXT, .value = &a->model, .arg = "MODEL", .file = CLI_READS,
         .help = "the model, a .safetensors file (default the one that is\ninstalled)"},
        {.name = "head", .kind = CLI_LIST, .value = &a->heads, .arg = "NAME",
         .help = "classify with this head (default the first);\nmay be repeated; all: with all"},
        {.name = "output", .letter = 'o', .kind = CLI_CHOICE, .value = &a->format, .arg = "FORMAT", .choices = formats,
         .help = "table for people, jsonl and csv for programs"},
        {.name = "write", .letter = 'w', .kind = CLI_TEXT, .value = &a->out, .arg = "OUT.pcapng", .file = CLI_WRITES,
         .help = "write the packets again, with labels as comments"},
        {.name = "only", .kind = CLI_LIST, .value = &a->only, .arg = "[HEAD:]LABEL",
         .help = "only the flows that are called so, also with -w; may\nbe repeated"},
        {.name = "summary", .kind = CLI_FLAG, .value = &a->summary,
         .help = "flows, packets and bytes by class, not flow by flow"},
        {.name = "by-capture", .kind = CLI_FLAG, .value = &a->by_capture,
         .help = "one answer for each capture, by the votes of its flows"},
        {.name = "by-host", .kind = CLI_FLAG, .value = &a->by_host,
         .help = "one answer for each host, by the votes of the flows that\nit opened"},
        {.name = "min-confidence", .kind = CLI_REAL, .value = &a->least, .arg = "P", .rmax = 1,
         .help = "below it a flow is \"unknown\" (default the model's)"},
        {.name = "top", .kind = CLI_SIZE, .value = &a->top, .arg = "K", .min = 1, .max = 65536,
         .help = "the K likeliest labels of each head"},
        {.name = "per-packet", .kind = CLI_FLAG, .value = &a->early, .help = "what was said after each packet, too"},
        {.name = "surprise", .kind = CLI_FLAG, .value = &a->surprise,
         .help = "bits a packet takes under the model: high for what it\nhas not seen the like of"},
        {.name = "rank", .kind = CLI_SIZE, .value = &a->rank, .arg = "N", .min = 1, .max = 1000000,
         .help = "only the N most surprising flows, the most first"},
        {.name = "ndpi", .kind = CLI_FLAG, .value = &a->ndpi,
         .help = "nDPI's word beside ours, and how often they disagree"},
        {.name = "shard", .kind = CLI_TEXT, .value = &a->shard, .arg = "I/N",
         .help = "only the flows of part I of N (from 1), by a hash of\naddresses and ports"},
        {.name = "max-flows", .kind = CLI_SIZE, .value = &a->max_flows, .arg = "N", .min = 1,
         .help = "flows open at a time; beyond, the least recently used\nends (default 200000)"},
        {.name = "threads", .kind = CLI_SIZE, .value = &a->threads, .arg = "N", .min = 1, .max = 256, .zero = "all CPUs",
         .help = "compute with N threads (default 0: all CPUs)"},
        {.name = "dtype", .kind = CLI_CHOICE, .value = &a->dtype, .arg = "TYPE", .choices = cli_dtypes,
         .help = "of matrix products: auto is bf16 where the CPU has AMX, else f32"},
        {.name = "filter", .letter = 'f', .kind = CLI_TEXT, .value = &a->filter, .arg = "BPF",
         .help = "only packets that match this pcap filter"},
        {.name = "join", .kind = CLI_FLAG, .value = &a->join, .help = CAPTURES_JOIN},
        {.name = "password", .kind = CLI_TEXT, .value = &a->password, .arg = "TEXT", .help = CAPTURES_PASSWORD},
        {.name = "skip-bad", .kind = CLI_FLAG, .value = &a->skip_bad,
         .help = "skip what is no capture, with a warning"},
    };

    return cli_parse(&page, options, sizeof options / sizeof options[0], argc, argv);
}
/* clang-format on */

static int prepare(flow_run *r, const arguments *a, const wsp_model *m)
{
    r->q.m = m;
    r->q.least = a->least;
    r->q.early = a->early;
    r->q.surprise = a->surprise || a->rank;
    r->q.run =
        (wsp_classify_options){.dtype = cli_dtype(a->dtype), .threads = (unsigned)a->threads};
    r->q.max_packets = wsp_view_options_of(m).max_packets;
    r->out = (flow_out){.q = &r->q, .format = format_of(a->format), .top = a->top, .ndpi = a->ndpi};
    r->summary = a->summary;
    r->by_capture = a->by_capture;
    r->by_host = a->by_host;
    r->max_flows = a->max_flows;
    r->rank.n_max = a->rank;
    if (r->q.surprise && wsp_model_config_get(m)->output_layers == 0)
        return cli_fail("%s has no output stack, so that nothing can surprise it: "
                        "models/generator.safetensors has one, and so has what train makes with "
                        "--lm-weight above 0",
                        a->model);
    if (cli_find_heads(m, &a->heads, r->q.head, &r->q.n) != CLI_OK)
        return CLI_FAILED;
    if (only_find(&r->only, &a->only, &r->q) != CLI_OK)
        return CLI_FAILED;
    if (a->least < 0)
        cli_warn_untrained(a->model, m, r->q.head, r->q.n);
    return flow_out_make_room(&r->out);
}

int cmd_classify(int argc, char **argv)
{
    arguments a = {
        .format = "table", .dtype = "auto", .least = -1, .top = 1, .max_flows = FLOW_RUN_OPEN};
    int first = parse(&a, argc, argv), rc;
    wsp_input_options opt;
    flow_run r = {.rc = CLI_OK};
    wsp_model *m = NULL;
    wsp_input *in = NULL;

    if (shipped_model(&a.model, page.name, a.surprise || a.rank ? "generator" : "flows") != CLI_OK)
        return CLI_USAGE;
    if (a.shard && !flow_run_shard(a.shard, &r.shard))
        return cli_usage(page.name, "--shard is I/N with I from 1 to N, not '%s'", a.shard);
    if (a.summary && !a.out && (a.early || a.surprise))
        return cli_usage(page.name, "--summary prints no flow, so that --%s needs -w OUT.pcapng",
                         a.early ? "per-packet" : "surprise");
    if (a.out && strcmp(a.out, "-") == 0)
        return cli_usage(page.name, "standard output has the labels: -w needs a file");
    opt = captures_options(a.filter, a.skip_bad);
    opt.join = a.join;
    opt.password = a.password;
    if (wsp_model_load(&m, a.model, &r.err) < 0)
        return cli_fail_error(&r.err);
    rc = prepare(&r, &a, m);
    if (rc == CLI_OK && wsp_input_new(&in, (const char *const *)(argv + first),
                                      (size_t)(argc - first), &opt, &r.err) < 0)
        rc = captures_refused(page.name, &r.err);
    if (rc == CLI_OK && a.out && wsp_annotator_open(&r.annotator, a.out, r.only.n > 0, &r.err) < 0)
        rc = cli_fail_error(&r.err);
    if (rc == CLI_OK)
        rc = flow_run_input(&r, in);
    flow_run_clear(&r);
    wsp_input_free(in);
    wsp_model_free(m);
    return rc;
}
