/* SPDX-License-Identifier: Apache-2.0 */
/* cmd_embed.c: a vector for every flow of captures, as rows of a NumPy file, and a table that says which flow a row is. */
#include <string.h>

#include "captures.h"
#include "flow_run.h"
#include "shipped.h"

static const cli_page page = {
    .name = "embed",
    .operands = "[OPTION]... -w OUT.npy FILE...",
    .summary = "Writes what the model keeps in mind of every flow of captures (files, folders, "
               "archives, - for "
               "standard\ninput) after its last packet: a row of a NumPy file for each. Standard "
               "output has a "
               "line for\neach row: whose it is, and the label.",
    .examples = "  wirespeak embed -w flows.npy captures/ > flows.csv\n",
    .min_operands = 1,
    .max_operands = -1,
};

typedef struct arguments {
    const char *model, *out, *format, *filter, *password, *dtype, *shard;
    cli_list heads;
    size_t threads, max_flows;
    bool skip_bad, join;
} arguments;

/* clang-format off */
static int parse(arguments *a, int argc, char **argv)
{
    static const char *const formats[] = {"csv", "jsonl", NULL};
    const cli_option options[] = {
        {.name = "model", .letter = 'm', .kind = CLI_TEXT, .value = &a->model, .arg = "MODEL", .file = CLI_READS,
         .help = "the model, a .safetensors file (default the one that is\ninstalled)"},
        {.name = "write", .letter = 'w', .kind = CLI_TEXT, .value = &a->out, .arg = "OUT.npy", .file = CLI_WRITES,
         .help = "write the vectors to this file"},
        {.name = "output", .letter = 'o', .kind = CLI_CHOICE, .value = &a->format, .arg = "FORMAT", .choices = formats,
         .help = "form of the table of flows (default csv)"},
        {.name = "head", .kind = CLI_LIST, .value = &a->heads, .arg = "NAME",
         .help = "labels of this head (default the first);\nmay be repeated; all: of all"},
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
    r->q = (question){.m = m,
                      .least = -1,
                      .context = true,
                      .run = {.dtype = cli_dtype(a->dtype), .threads = (unsigned)a->threads},
                      .max_packets = wsp_view_options_of(m).max_packets};
    r->out = (flow_out){.q = &r->q, .format = a->format[0] == 'j' ? OUT_JSONL : OUT_CSV, .top = 1};
    r->max_flows = a->max_flows;
    if (cli_find_heads(m, &a->heads, r->q.head, &r->q.n) != CLI_OK)
        return CLI_FAILED;
    cli_warn_untrained(a->model, m, r->q.head, r->q.n);
    return CLI_OK;
}

int cmd_embed(int argc, char **argv)
{
    arguments a = {.format = "csv", .dtype = "auto", .max_flows = FLOW_RUN_OPEN};
    int first = parse(&a, argc, argv), rc;
    wsp_input_options opt;
    flow_run r = {.rc = CLI_OK};
    wsp_model *m = NULL;
    wsp_input *in = NULL;

    if (shipped_model(&a.model, page.name, "flows") != CLI_OK)
        return CLI_USAGE;
    if (!a.out || strcmp(a.out, "-") == 0)
        return cli_usage(page.name, "where to? give -w OUT.npy, a file");
    if (a.shard && !flow_run_shard(a.shard, &r.shard))
        return cli_usage(page.name, "--shard is I/N with I from 1 to N, not '%s'", a.shard);
    opt = captures_options(a.filter, a.skip_bad);
    opt.join = a.join;
    opt.password = a.password;
    if (wsp_model_load(&m, a.model, &r.err) < 0)
        return cli_fail_error(&r.err);
    rc = prepare(&r, &a, m);
    if (rc == CLI_OK && wsp_input_new(&in, (const char *const *)(argv + first),
                                      (size_t)(argc - first), &opt, &r.err) < 0)
        rc = captures_refused(page.name, &r.err);
    if (rc == CLI_OK &&
        wsp_npy_writer_open(&r.vectors, a.out, wsp_model_config_get(m)->channels, &r.err) < 0)
        rc = cli_fail_error(&r.err);
    if (rc == CLI_OK)
        rc = flow_run_input(&r, in);
    flow_run_clear(&r);
    wsp_input_free(in);
    wsp_model_free(m);
    return rc;
}
