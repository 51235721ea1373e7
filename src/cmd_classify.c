/* SPDX-License-Identifier: Apache-2.0 */
/* cmd_classify.c: what a trained model says of every flow of captures, set by set, so that memory does not grow with them. */
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli.h"
#include "flow_out.h"
#include "progress.h"
#include "ranking.h"

static const cli_page page = {
    .name = "classify",
    .operands = "[OPTION]... -m MODEL FILE...",
    .summary = "Labels every flow of captures (files, folders, archives, - for standard input) "
               "with a trained model.\n"
               "No address, port or name reaches the model. A flow whose best label is not likely "
               "enough is \"unknown\".",
    .examples = "  wirespeak classify -m model.safetensors trace.pcap\n  tcpdump -w - | wirespeak "
                "classify -m model.safetensors -o jsonl -\n  wirespeak classify -m "
                "model.safetensors --summary captures/\n",
    .min_operands = 1,
    .max_operands = -1,
};

/* Flows that are labelled at a time, and flows that are open at a time: with them memory is bounded. */
enum { SET_FLOWS = 32768, OPEN_FLOWS = 200000, STEP_PACKETS = 4096 };
static const size_t OPEN_BYTES = (size_t)256 << 20;

typedef struct shard {
    uint64_t i, n; /* the i-th of n, from 1; n = 0: all flows */
} shard;

/* What is kept of a flow until its set is labelled. */
typedef struct kept {
    wsp_flow flow;
    uint64_t id;
    beside_word ndpi;
} kept;

typedef struct run {
    question q;
    flow_out out;
    bool summary;
    shard shard;
    size_t max_flows;
    ranking rank; /* of the most surprising flows, if asked for */
    kept *kept;   /* [n_kept] flows of the set */
    size_t n_kept, cap_kept;
    uint64_t base; /* flows of the captures before: ids are unique in a run, and those of `label` */
    bool titled;
    int rc; /* of what was printed */
    beside ndpi;
    flow_sums sums;
    progress progress;
    wsp_tokenize_stats stats;
    wsp_runner_stats shared;
    wsp_error err;
} run;

static wsp_input *to_stop; /* by SIGINT and SIGTERM */

static void on_signal(int number)
{
    (void)number;
    wsp_input_stop(to_stop);
}

/* ---- what the tokenizer calls ---- */

static bool start_capture(void *arg, const char *capture)
{
    run *r = arg;

    (void)capture;
    r->base = r->stats.flows;
    if (r->out.ndpi && beside_capture(&r->ndpi, &r->err) < 0)
        r->rc = cli_fail_error(&r->err);
    return true;
}

static wsp_status see_packet(void *arg, size_t capture, int linktype, const wsp_frame *frame,
                             const wsp_packet *packet, const wsp_flow *flow)
{
    run *r = arg;

    (void)capture;
    (void)linktype;
    if (r->rc != CLI_OK)
        return WSP_ERR_IO;
    if (r->stats.packets % STEP_PACKETS == 0)
        progress_step(&r->progress, r->stats.packets, r->stats.flows);
    if (r->shard.n && !flow->user && wsp_flow_key_hash(&flow->key) % r->shard.n + 1 != r->shard.i)
        return WSP_EOF;
    return r->out.ndpi ? beside_packet(&r->ndpi, flow, packet, frame->time_ns) : WSP_OK;
}

static wsp_status keep_flow(void *arg, const wsp_flow *flow, const wsp_tokens *set, size_t index)
{
    run *r = arg;

    (void)set;
    if (index >= r->cap_kept) {
        size_t cap = index + index / 2 + 1024;
        kept *p = realloc(r->kept, cap * sizeof *p);
        if (!p)
            return WSP_ERR_NOMEM;
        r->kept = p;
        r->cap_kept = cap;
    }
    r->kept[index] = (kept){.flow = *flow, .id = r->base + flow->id + 1};
    r->n_kept = index + 1;
    return r->out.ndpi ? beside_end(&r->ndpi, flow, &r->kept[index].ndpi) : WSP_OK;
}

/* ---- sets ---- */

/* The head whose labels are nDPI's, or the first that is asked. */
static size_t compared_head(const question *q)
{
    for (size_t k = 0; k < q->n; k++)
        if (strcmp(wsp_model_head(q->m, q->head[k])->name, "protocol") == 0)
            return q->head[k];
    return q->head[0];
}

static int compare(run *r, const flow_record *f)
{
    verdict v = answers_verdict(&r->q, f->a, compared_head(&r->q), f->at);

    if (!r->out.ndpi || beside_compare(&r->ndpi, v.label, f->ndpi) == WSP_OK)
        return CLI_OK;
    return cli_fail("no memory for the comparison with nDPI");
}

static int print_flow(run *r, const flow_record *f)
{
    if (r->summary)
        return CLI_OK;
    if (r->rank.n_max)
        return ranking_add(&r->rank, &r->out, f, (double)f->a->surprise[f->at]);
    if (!r->titled)
        (void)flow_out_title(&r->out, stdout);
    r->titled = true;
    return flow_out_flow(&r->out, f, stdout);
}

static void add_stats(wsp_runner_stats *sum, const wsp_runner_stats *more)
{
    sum->packets += more->packets;
    sum->packets_read += more->packets_read;
    sum->rows += more->rows;
    sum->rows_run += more->rows_run;
}

/* Asks the model about a set of flows and prints what it says. */
static wsp_status label_set(void *arg, const wsp_tokens *t)
{
    run *r = arg;
    answers a = {.prob = NULL};

    if (r->rc != CLI_OK)
        return WSP_ERR_IO;
    if (t->n_flows == 0)
        return WSP_OK;
    r->rc = answers_ask(&r->q, t, &a);
    progress_hide(&r->progress);
    for (size_t i = 0; r->rc == CLI_OK && i < t->n_flows && !ferror(stdout); i++) {
        const kept *k = &r->kept[i];
        const flow_record f = {.a = &a,
                               .at = i,
                               .id = k->id,
                               .flow = &k->flow,
                               .capture = t->captures[t->capture[i]],
                               .ndpi = &k->ndpi};
        r->rc = compare(r, &f);
        if (r->rc == CLI_OK)
            r->rc = flow_sums_add(&r->sums, &r->q, &f);
        if (r->rc == CLI_OK)
            r->rc = print_flow(r, &f);
    }
    add_stats(&r->shared, &a.shared);
    answers_clear(&r->q, &a);
    if (ferror(stdout)) /* a full disk, or a reader that has gone: nobody would see the rest */
        r->rc = CLI_FAILED;
    return r->rc == CLI_OK ? WSP_OK : WSP_ERR_IO;
}

/* ---- the run ---- */

static int print_end(run *r)
{
    int rc = CLI_OK;

    if (r->summary)
        rc = flow_sums_print(&r->sums, &r->q, r->out.format);
    else if (!r->titled)
        rc = flow_out_title(&r->out, stdout);
    if (rc == CLI_OK && r->rank.n_max)
        ranking_print(&r->rank, stdout);
    if (rc == CLI_OK && r->summary && r->out.ndpi && r->out.format == OUT_JSONL) {
        json_t *o = beside_summary(&r->ndpi, wsp_model_head(r->q.m, compared_head(&r->q))->name);
        if (!o)
            return cli_fail("no memory for the comparison with nDPI");
        (void)json_dumpf(o, stdout, JSON_COMPACT);
        (void)putchar('\n');
        json_decref(o);
    }
    return rc;
}

/* What was read, what it was, and what was not seen. */
static void note_end(const run *r, size_t skipped)
{
    double s = progress_seconds(&r->progress);
    char brief[512];

    flow_sums_brief(&r->sums, &r->q, brief, sizeof brief);
    cli_note("%" PRIu64 " flows of %" PRIu64 " captures labelled in %.1f s, %.0f packets/s%s%s",
             r->sums.flows, r->stats.captures, s, s > 0 ? (double)r->stats.packets / s : 0.0,
             brief[0] ? ": " : "", brief);
    if (r->out.ndpi)
        beside_report(&r->ndpi, wsp_model_head(r->q.m, compared_head(&r->q))->name);
    if (r->stats.evicted)
        cli_note("%" PRIu64 " flows ended early to bound memory; their later packets are new flows",
                 r->stats.evicted);
    if (skipped)
        cli_note("%zu files were no captures", skipped);
    if (cli_is_verbose())
        cli_note("%" PRIu64 " of %" PRIu64 " packets read, %" PRIu64 " of %" PRIu64
                 " packets of flows computed: the rest was the same",
                 r->shared.packets_read, r->shared.packets, r->shared.rows_run, r->shared.rows);
}

static int classify(run *r, wsp_input *in)
{
    wsp_tokenize_options how = {.keep = true,
                                .drop_residuals = true,
                                .only_kept = true,
                                .max_packets = r->q.max_packets,
                                .max_flows = r->max_flows,
                                .max_open_bytes = OPEN_BYTES,
                                .drain_flows = SET_FLOWS,
                                .want = start_capture,
                                .on_packet = see_packet,
                                .on_flow = keep_flow,
                                .drain = label_set,
                                .arg = r};
    struct sigaction act = {.sa_handler = on_signal}, old[2];
    wsp_tokens *t = NULL;
    wsp_status st;

    to_stop = in;
    (void)sigaction(SIGINT, &act, &old[0]);
    (void)sigaction(SIGTERM, &act, &old[1]);
    progress_start(&r->progress, in);
    st = wsp_tokenize(in, &how, &t, &r->stats, &r->err);
    progress_hide(&r->progress);
    (void)sigaction(SIGINT, &old[0], NULL);
    (void)sigaction(SIGTERM, &old[1], NULL);
    wsp_tokens_free(t);
    if (r->rc != CLI_OK)
        return r->rc;
    r->rc = print_end(r);
    if (st < 0)
        return cli_fail_error(&r->err);
    note_end(r, wsp_input_skipped(in));
    if (r->rc == CLI_OK && r->stats.broken)
        r->rc =
            cli_fail("%" PRIu64 " of %" PRIu64 " captures broke off; what came before is labelled",
                     r->stats.broken, r->stats.captures);
    if (r->rc == CLI_OK && wsp_input_stopped(in))
        r->rc = cli_fail("ended by a signal; what came before is labelled");
    return r->rc;
}

static void clear(run *r)
{
    ranking_clear(&r->rank);
    flow_sums_clear(&r->sums);
    beside_clear(&r->ndpi);
    free(r->kept);
}

/* ---- the command line ---- */

typedef struct arguments {
    const char *model, *format, *filter, *dtype, *shard;
    cli_list heads;
    size_t threads, top, rank, max_flows;
    double least;
    bool skip_bad, summary, early, surprise, ndpi;
} arguments;

/* "I/N" with I from 1 to N. */
static bool parse_shard(const char *text, shard *s)
{
    int used = 0;

    return sscanf(text, "%" SCNu64 "/%" SCNu64 "%n", &s->i, &s->n, &used) == 2 && !text[used] &&
           text[0] != '-' && s->i >= 1 && s->i <= s->n && s->n <= 1000000;
}

static out_format format_of(const char *word)
{
    return word[0] == 't' ? OUT_TABLE : word[0] == 'j' ? OUT_JSONL : OUT_CSV;
}

/* clang-format off: a table of options reads as rows */
static int parse(arguments *a, int argc, char **argv)
{
    static const char *const formats[] = {"table", "jsonl", "csv", NULL};
    const cli_option options[] = {
        {.name = "model",
         .letter = 'm',
         .kind = CLI_TEXT,
         .value = &a->model,
         .arg = "MODEL",
         .help = "the model, a .safetensors file"},
        {.name = "head",
         .kind = CLI_LIST,
         .value = &a->heads,
         .arg = "NAME",
         .help = "classify with this head (default the first);\nmay be repeated; all: with all"},
        {.name = "output",
         .letter = 'o',
         .kind = CLI_CHOICE,
         .value = &a->format,
         .arg = "FORMAT",
         .choices = formats,
         .help = "table for people, jsonl and csv for programs"},
        {.name = "summary",
         .kind = CLI_FLAG,
         .value = &a->summary,
         .help = "flows, packets and bytes by class, not flow by flow"},
        {.name = "min-confidence",
         .kind = CLI_REAL,
         .value = &a->least,
         .arg = "P",
         .rmin = -1,
         .rmax = 1,
         .help = "below it a flow is \"unknown\" (default the model's)"},
        {.name = "top",
         .kind = CLI_SIZE,
         .value = &a->top,
         .arg = "K",
         .min = 1,
         .max = CLI_LIST_MAX - 1,
         .help = "the K likeliest labels of each head"},
        {.name = "per-packet",
         .kind = CLI_FLAG,
         .value = &a->early,
         .help = "what was said after each packet, too"},
        {.name = "surprise",
         .kind = CLI_FLAG,
         .value = &a->surprise,
         .help = "bits a packet takes under the model: high for what it\nhas not seen the like of"},
        {.name = "rank",
         .kind = CLI_SIZE,
         .value = &a->rank,
         .arg = "N",
         .min = 1,
         .max = 1000000,
         .help = "only the N most surprising flows, the most first"},
        {.name = "ndpi",
         .kind = CLI_FLAG,
         .value = &a->ndpi,
         .help = "nDPI's word beside ours, and how often they disagree"},
        {.name = "shard",
         .kind = CLI_TEXT,
         .value = &a->shard,
         .arg = "I/N",
         .help = "only the flows of part I of N (from 1), by a hash of\naddresses and ports"},
        {.name = "max-flows",
         .kind = CLI_SIZE,
         .value = &a->max_flows,
         .arg = "N",
         .min = 1,
         .help = "flows open at a time; beyond, the least recently used\nends (default 200000)"},
        {.name = "threads",
         .kind = CLI_SIZE,
         .value = &a->threads,
         .arg = "N",
         .min = 0,
         .max = 256,
         .help = "compute with N threads (default 0: all CPUs)"},
        {.name = "dtype",
         .kind = CLI_CHOICE,
         .value = &a->dtype,
         .arg = "TYPE",
         .choices = cli_dtypes,
         .help = "of matrix products: auto is bf16 where the CPU has it"},
        {.name = "filter",
         .letter = 'f',
         .kind = CLI_TEXT,
         .value = &a->filter,
         .arg = "BPF",
         .help = "only packets that match this pcap filter"},
        {.name = "skip-bad",
         .kind = CLI_FLAG,
         .value = &a->skip_bad,
         .help = "skip what is no capture, with a warning"},
    };

    return cli_parse(&page, options, sizeof options / sizeof options[0], argc, argv);
}
/* clang-format on */

static int prepare(run *r, const arguments *a, const wsp_model *m)
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
    r->max_flows = a->max_flows;
    r->rank.n_max = a->rank;
    if (r->q.surprise && wsp_model_config_get(m)->output_layers == 0)
        return cli_fail("%s has no output stack, so that nothing can surprise it: train one with "
                        "--lm-weight above 0",
                        a->model);
    return cli_find_heads(m, &a->heads, r->q.head, &r->q.n);
}

int cmd_classify(int argc, char **argv)
{
    arguments a = {
        .format = "table", .dtype = "auto", .least = -1, .top = 1, .max_flows = OPEN_FLOWS};
    int first = parse(&a, argc, argv), rc;
    wsp_input_options opt = wsp_input_options_default();
    run r = {.rc = CLI_OK};
    wsp_model *m = NULL;
    wsp_input *in = NULL;

    if (!a.model)
        return cli_usage(page.name, "which model? give -m MODEL.safetensors");
    if (a.shard && !parse_shard(a.shard, &r.shard))
        return cli_usage(page.name, "--shard is I/N with I from 1 to N, not '%s'", a.shard);
    if (a.rank && a.summary)
        return cli_usage(page.name, "--rank prints flows, --summary prints none");
    opt.filter = a.filter;
    opt.skip_bad = a.skip_bad;
    if (wsp_model_load(&m, a.model, &r.err) < 0)
        return cli_fail_error(&r.err);
    rc = prepare(&r, &a, m);
    if (rc == CLI_OK && wsp_input_new(&in, (const char *const *)(argv + first),
                                      (size_t)(argc - first), &opt, &r.err) < 0)
        rc = cli_fail_error(&r.err);
    if (rc == CLI_OK)
        rc = classify(&r, in);
    clear(&r);
    wsp_input_free(in);
    wsp_model_free(m);
    return rc;
}
