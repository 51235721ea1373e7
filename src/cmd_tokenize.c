/* SPDX-License-Identifier: Apache-2.0 */
/* cmd_tokenize.c: captures to a token file, or what coding them costs. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "captures.h"
#include "cli.h"
#include "labelling.h"
#include "token_sets.h"
#include "wirespeak/token.h"

static const cli_rule rules[] = {
    {"policy", CLI_ONLY_WITH, "write"}, {"seed", CLI_ONLY_WITH, "part"},
    {"val", CLI_ONLY_WITH, "part"},     {"test", CLI_ONLY_WITH, "part"},
    {"output", CLI_ONLY_WITH, "stats"}, {NULL, CLI_ONLY_WITH, NULL},
};

static const cli_page page = {
    .name = "tokenize",
    .operands = "[OPTION]... FILE...",
    .summary = "Turns captures (files, folders, archives, - for standard input) into tokens and "
               "residuals, losslessly,\n"
               "and writes them as a .npz file that numpy.load reads; or shows what coding costs "
               "(--stats).",
    .examples =
        "  wirespeak tokenize -w flows.npz trace.pcap\n  wirespeak tokenize --stats captures/\n",
    .min_operands = 1,
    .max_operands = -1,
    .rules = rules,
};

/* What open flows may take before the least recently used one ends: memory stays bounded whatever the capture. */
static const size_t MAX_OPEN_BYTES = (size_t)2 << 30;

static double per(uint64_t n, uint64_t of)
{
    return of ? (double)n / (double)of : 0.0;
}

/* The sizes with their names, for both forms of the statistics. */
typedef struct size_row {
    const char *name;
    uint64_t size; /* or WSP_SIZE_UNKNOWN */
} size_row;

enum { SIZE_ROWS = 5 };

static void size_rows(size_row *rows, const wsp_sizes *z)
{
    rows[0] = (size_row){"raw", z->raw};
    rows[1] = (size_row){"order0", z->tokens + z->residuals};
    rows[2] = (size_row){"gzip", z->gzip};
    rows[3] = (size_row){"xz", z->xz};
    rows[4] = (size_row){"zstd", z->zstd};
}

/* Bytes of the tokens when a model tells them. */
static uint64_t coded_bytes(const wsp_coded *c)
{
    return (uint64_t)(c->model_bits / 8 + 0.5) + c->rest_bytes;
}

static void print_json_coded(const wsp_sizes *z, const wsp_coded *c)
{
    uint64_t total = coded_bytes(c) + z->residuals;

    printf(",\"model\":{\"told\":%" PRIu64 ",\"told_tokens\":%" PRIu64 ",\"rest\":%" PRIu64
           ",\"rest_tokens\":%" PRIu64 ",\"residuals\":%" PRIu64 ",\"total\":%" PRIu64
           ",\"bits_per_packet\":%.4f}",
           coded_bytes(c) - c->rest_bytes, c->told, c->rest_bytes, c->rest, z->residuals, total,
           8 * per(total, z->packets));
}

static void print_json_sizes(const wsp_sizes *z, const wsp_coded *c)
{
    uint64_t total = z->tokens + z->residuals;
    size_row rows[SIZE_ROWS];

    size_rows(rows, z);
    printf(",\"bits\":{\"packets\":%" PRIu64 ",\"raw\":%" PRIu64, z->packets, z->raw);
    printf(",\"order0\":{\"tokens\":%" PRIu64 ",\"residuals\":%" PRIu64 ",\"total\":%" PRIu64
           ",\"token_share\":%.4f,\"residual_share\":%.4f}",
           z->tokens, z->residuals, total, per(z->tokens, total), per(z->residuals, total));
    for (size_t i = 2; i < SIZE_ROWS; i++) {
        if (rows[i].size == WSP_SIZE_UNKNOWN)
            printf(",\"%s\":null", rows[i].name);
        else
            printf(",\"%s\":%" PRIu64, rows[i].name, rows[i].size);
    }
    if (c)
        print_json_coded(z, c);
    printf(",\"bits_per_packet\":{");
    for (size_t i = 0; i < SIZE_ROWS; i++) {
        printf("%s\"%s\":", i ? "," : "", rows[i].name);
        if (rows[i].size == WSP_SIZE_UNKNOWN)
            printf("null");
        else
            printf("%.4f", 8 * per(rows[i].size, z->packets));
    }
    printf("}}");
}

static void print_part(const char *name, uint64_t bytes, uint64_t total, const char *of)
{
    printf("    %-13s %10" PRIu64 " %8.2f%% of %s\n", name, bytes, 100 * per(bytes, total), of);
}

static void print_table_coded(const wsp_sizes *z, const wsp_coded *c)
{
    uint64_t total = coded_bytes(c) + z->residuals;

    printf("  %-15s %10" PRIu64 " %8.2f%% %12.2f  (tokens by the model + residuals)\n", "model",
           total, 100 * per(total, z->raw), 8 * per(total, z->packets));
    print_part("told", coded_bytes(c) - c->rest_bytes, total, "model");
    print_part("other tokens", c->rest_bytes, total, "model");
    print_part("residuals", z->residuals, total, "model");
}

static void print_table_sizes(const wsp_sizes *z, const wsp_coded *c)
{
    static const char *const what[SIZE_ROWS] = {"as pcap files", "tokens + residuals", "level 9",
                                                "level 6", "level 19"};
    uint64_t total = z->tokens + z->residuals;
    size_row rows[SIZE_ROWS];

    size_rows(rows, z);
    printf("%-17s %10s %9s %12s\n", "size", "bytes", "of raw", "bits/packet");
    for (size_t i = 0; i < SIZE_ROWS; i++) {
        if (rows[i].size == WSP_SIZE_UNKNOWN) {
            printf("  %-15s not available: libarchive has been built without it\n", rows[i].name);
            continue;
        }
        printf("  %-15s %10" PRIu64 " %8.2f%% %12.2f  (%s)\n", rows[i].name, rows[i].size,
               100 * per(rows[i].size, z->raw), 8 * per(rows[i].size, z->packets), what[i]);
        if (i == 1) {
            print_part("tokens", z->tokens, total, "order0");
            print_part("residuals", z->residuals, total, "order0");
            if (c)
                print_table_coded(z, c);
        }
    }
}

static void print_json_predictions(const wsp_prediction *p)
{
    printf(",\"predictors\":{");
    for (size_t i = 0, n = 0; i < wsp_prediction_count(); i++)
        if (p[i].seen)
            printf("%s\"%s\":{\"seen\":%" PRIu64 ",\"told\":%" PRIu64 ",\"remainder\":%" PRIu64 "}",
                   n++ ? "," : "", p[i].field, p[i].seen, p[i].told, p[i].remainder);
    printf("}");
}

static void print_table_predictions(const wsp_prediction *p)
{
    printf("%-20s %-26s %10s %9s %9s %9s\n", "field", "predictor", "packets", "as it is", "token",
           "remainder");
    for (size_t i = 0; i < wsp_prediction_count(); i++)
        if (p[i].seen)
            printf("%-20s %-26s %10" PRIu64 " %8.2f%% %8.2f%% %8.2f%%\n", p[i].field,
                   p[i].predictor, p[i].seen,
                   100 * per(p[i].seen - p[i].told - p[i].remainder, p[i].seen),
                   100 * per(p[i].told, p[i].seen), 100 * per(p[i].remainder, p[i].seen));
}

static void print_json(const wsp_tokenize_stats *s, bool sizes, const wsp_coded *coded,
                       const wsp_prediction *predictions)
{
    printf("{\"captures\":%" PRIu64 ",\"broken\":%" PRIu64 ",\"packets\":%" PRIu64
           ",\"flows\":%" PRIu64 ",\"bytes\":%" PRIu64,
           s->captures, s->broken, s->packets, s->flows, s->bytes);
    printf(",\"residual_bytes\":%" PRIu64, s->residual_bytes);
    printf(",\"tokens_per_packet\":{\"header\":%.4f,\"payload\":%.4f,\"application\":%.4f}",
           per(s->header_tokens, s->packets), per(s->payload_tokens, s->packets),
           per(s->app_tokens, s->packets));
    printf(",\"layers\":{");
    printf("\"frame\":%.4f", per(s->frame_tokens, s->packets));
    for (size_t i = 0; wsp_layer_name(i); i++)
        if (s->layer_tokens[i])
            printf(",\"%s\":%.4f", wsp_layer_name(i), per(s->layer_tokens[i], s->packets));
    printf("}");
    if (predictions)
        print_json_predictions(predictions);
    if (sizes)
        print_json_sizes(&s->sizes, coded);
    printf("}\n");
}

static void print_table(const wsp_tokenize_stats *s, bool sizes, const wsp_coded *coded,
                        const wsp_prediction *predictions)
{
    printf("captures          %10" PRIu64 "\n", s->captures);
    printf("broken off        %10" PRIu64 "\n", s->broken);
    printf("flows             %10" PRIu64 "\n", s->flows);
    printf("packets           %10" PRIu64 "\n", s->packets);
    printf("bytes             %10" PRIu64 "\n", s->bytes);
    printf("residual bytes    %10" PRIu64 "\n", s->residual_bytes);
    printf("tokens per packet %10.2f header + %.2f payload (of the header tokens %.2f are fields "
           "of application protocols)\n",
           per(s->header_tokens, s->packets), per(s->payload_tokens, s->packets),
           per(s->app_tokens, s->packets));
    printf("  %-15s %10.3f  (direction, time, length, stack, end)\n", "frame",
           per(s->frame_tokens, s->packets));
    for (size_t i = 0; wsp_layer_name(i); i++)
        if (s->layer_tokens[i])
            printf("  %-15s %10.3f\n", wsp_layer_name(i), per(s->layer_tokens[i], s->packets));
    if (predictions)
        print_table_predictions(predictions);
    if (sizes)
        print_table_sizes(&s->sizes, coded);
}

/* What happens to the captures and flows on their way. */
typedef struct job {
    labelling labels;
    wsp_tokens_writer *writer;
    wsp_error failed;     /* why flows were not taken over: the tokenizer knows only that */
    wsp_changer *changer; /* or NULL */
    wsp_model *model;     /* that tells the tokens, or NULL */
    wsp_coding *coding;
    wsp_coded coded;
    bool refused; /* what was named, before anything was read */
    const char *part;
    const wsp_policy *policy; /* what is written; NULL: everything */
    uint64_t left;            /* tokens that it has left */
    uint64_t seed;
    double val, test;
} job;

static bool wanted(void *arg, const char *capture)
{
    const job *j = arg;
    wsp_split split = WSP_SPLIT_TRAIN;

    return !j->part || (wsp_split_of(capture, j->seed, j->val, j->test, &split) == WSP_OK &&
                        strcmp(wsp_split_name(split), j->part) == 0);
}

static wsp_status label_flow(void *arg, const wsp_flow *flow, const wsp_tokens *set, size_t at)
{
    job *j = arg;
    wsp_flow_key key = j->changer ? wsp_changer_key(j->changer, &flow->key) : flow->key;

    (void)set;
    (void)at;
    return labelling_flow(&j->labels, flow->file, &key);
}

static wsp_status change(void *arg, size_t capture, int linktype, const wsp_frame *in,
                         wsp_frame *out)
{
    job *j = arg;

    return wsp_changer_frame(j->changer, capture, linktype, in, out);
}

static wsp_status write_flows(void *arg, const wsp_tokens *set)
{
    job *j = arg;
    wsp_tokens left;
    wsp_status st;

    if (!j->policy)
        return wsp_tokens_writer_add(j->writer, set, &j->failed);
    if (token_sets_mask(&left, set, j->policy) < 0)
        return WSP_ERR_NOMEM;
    st = wsp_tokens_writer_add(j->writer, &left, &j->failed);
    j->left += left.n_tokens;
    token_sets_unmask(&left);
    return st;
}

static wsp_status code_flows(void *arg, const wsp_tokens *set)
{
    job *j = arg;

    return wsp_coding_add(j->coding, set, &j->failed);
}

typedef struct arguments {
    const char *out, *format, *filter, *password, *change, *model, *policy;
    bool stats_only, sizes, skip_bad, join, drop, compress, predictions;
    size_t max_packets, max_flows;
    cli_list lists;
} arguments;

/* one option a line or two */
/* clang-format off */
static int parse(arguments *a, job *j, int argc, char **argv)
{
    static const char *const formats[] = {"table", "json", NULL};
    static const char *const parts[] = {"train", "val", "test", NULL};
    const cli_option options[] = {
        {.name = "write", .letter = 'w', .kind = CLI_TEXT, .value = &a->out, .arg = "OUT.npz", .file = CLI_WRITES, .help = "write the tokens to this file"},
        {.name = "stats", .kind = CLI_FLAG, .value = &a->stats_only, .help = "print counts and tokens per packet by layer"},
        {.name = "bits", .kind = CLI_FLAG, .value = &a->sizes,
         .help = "with --stats: also sizes, entropy-coded and by gzip, xz and zstd (slow)"},
        {.name = "model", .letter = 'm', .kind = CLI_TEXT, .value = &a->model, .arg = "MODEL", .file = CLI_READS,
         .help = "with --bits: also when the output stack of this model\ntells the tokens"},
        {.name = "output", .letter = 'o', .kind = CLI_CHOICE, .value = &a->format, .arg = "FORMAT", .choices = formats,
         .help = "format of --stats"},
        {.name = "filter", .letter = 'f', .kind = CLI_TEXT, .value = &a->filter, .arg = "BPF",
         .help = "only packets that match this pcap filter"},
        {.name = "join", .kind = CLI_FLAG, .value = &a->join, .help = CAPTURES_JOIN},
        {.name = "password", .kind = CLI_TEXT, .value = &a->password, .arg = "TEXT", .help = CAPTURES_PASSWORD},
        {.name = "drop-residuals", .kind = CLI_FLAG, .value = &a->drop,
         .help = "leave the residuals out: no addresses, no way back to packets"},
        {.name = "policy", .kind = CLI_TEXT, .value = &a->policy, .arg = "NAME",
         .help = "write what this mask policy leaves, for models of your\nown; without residuals"},
        {.name = "compress", .letter = 'z', .kind = CLI_FLAG, .value = &a->compress, .help = "deflate the file"},
        {.name = "predictors", .kind = CLI_FLAG, .value = &a->predictions,
         .help = "with --stats: also how often each header field was as predicted"},
        {.name = "max-flows", .kind = CLI_SIZE, .value = &a->max_flows, .arg = "N",
         .help = "flows open at a time; beyond, the least recently used ends (default 1000000)"},
        {.name = "skip-bad", .kind = CLI_FLAG, .value = &a->skip_bad, .help = "skip what is no capture, with a warning"},
        {.name = "labels", .kind = CLI_LIST, .value = &a->lists, .arg = "HEAD=FILE", .file = CLI_READS_LIST,
         .help = "add a label column from a tab-separated list"},
        {.name = "part", .kind = CLI_CHOICE, .value = &j->part, .arg = "PART", .choices = parts,
         .help = "only the captures of this part, by their names\nalone: as split --no-classes"},
        {.name = "seed", .kind = CLI_U64, .value = &j->seed, .arg = "N", .help = "seed of the split (default 1)"},
        {.name = "val", .kind = CLI_REAL, .value = &j->val, .arg = "SHARE", .rmax = 1,
         .help = "share of captures for validation (default 0.1)"},
        {.name = "test", .kind = CLI_REAL, .value = &j->test, .arg = "SHARE", .rmax = 1,
         .help = "share of captures for the test (default 0.25)"},
        {.name = "change", .kind = CLI_TEXT, .value = &a->change, .arg = "HOW",
         .help = "as it would look: forged, headers, snaplen=N, skip=N,\nlost=N (of 100 packets), client or server (one way)"},
        {.name = "max-packets", .kind = CLI_SIZE, .value = &a->max_packets, .arg = "N",
         .help = "packets of a flow that are kept (training data; no way back)"},
    };

    return cli_parse(&page, options, sizeof options / sizeof options[0], argc, argv);
}
/* clang-format on */

static wsp_status start_coding(const arguments *a, job *j, wsp_error *err)
{
    wsp_status st = wsp_model_load(&j->model, a->model, err);

    return st == WSP_OK ? wsp_coding_new(&j->coding, j->model, NULL, err) : st;
}

static wsp_status tokenize(const arguments *a, job *j, const char *const *paths, size_t n,
                           wsp_prediction *predictions, wsp_tokenize_stats *stats, wsp_error *err)
{
    wsp_tokenize_options how = {.keep = a->out || a->model,
                                .sizes = a->sizes,
                                .drop_residuals = a->drop,
                                .max_packets = a->max_packets,
                                .max_flows = a->max_flows,
                                .max_open_bytes = MAX_OPEN_BYTES,
                                .predictions = predictions,
                                .want = wanted,
                                .change = j->changer ? change : NULL,
                                .on_flow = label_flow,
                                .drain = a->out     ? write_flows
                                         : a->model ? code_flows
                                                    : NULL,
                                .arg = j};
    wsp_input_options opt = wsp_input_options_default();
    wsp_tokens *tokens = NULL;
    wsp_input *in = NULL;
    wsp_status st;

    opt = captures_options(a->filter, a->skip_bad);
    opt.join = a->join;
    opt.password = a->password;
    st = wsp_input_new(&in, paths, n, &opt, err);
    j->refused = st < 0;
    if (st == WSP_OK)
        st = labelling_load(&j->labels, page.name, &a->lists, err);
    if (st == WSP_OK && a->out)
        st = wsp_tokens_writer_open(&j->writer, a->out, a->drop, a->compress, err);
    if (st == WSP_OK && a->model)
        st = start_coding(a, j, err);
    if (st == WSP_OK)
        st = wsp_tokenize(in, &how, &tokens, stats, err);
    if (st < 0 && j->failed.status < 0)
        *err = j->failed;
    if (st >= 0 && a->model)
        st = wsp_coding_finish(j->coding, &j->coded);
    if (st >= 0 && a->out)
        st = labelling_attach(&j->labels, tokens, err);
    if (st >= 0 && a->out)
        st = wsp_tokens_writer_finish(j->writer, tokens, err);
    wsp_tokens_writer_free(j->writer);
    wsp_tokens_free(tokens);
    wsp_input_free(in);
    return st;
}

/* What is in the file: fewer packets than were read where flows are cut short, and the tokens that a policy has left. */
static void print_kept(const wsp_tokenize_stats *s, const job *j, const char *out)
{
    char read[48] = "", tokens[64];

    if (s->kept < s->packets)
        (void)snprintf(read, sizeof read, "the first %" PRIu64 " of ", s->kept);
    if (j->policy)
        (void)snprintf(tokens, sizeof tokens, "%.2f", per(j->left, s->packets));
    else
        (void)snprintf(tokens, sizeof tokens, "%.2f + %.2f", per(s->header_tokens, s->packets),
                       per(s->payload_tokens, s->packets));
    cli_note("%s%" PRIu64 " packets of %" PRIu64 " flows, %s tokens per packet, written to %s%s",
             read, s->packets, s->flows, tokens, out, j->policy ? ", without residuals" : "");
}

int cmd_tokenize(int argc, char **argv)
{
    job j = {.seed = 1, .val = 0.1, .test = 0.25};
    arguments a = {.format = "table"};
    int first = parse(&a, &j, argc, argv);
    wsp_prediction *predictions = NULL;
    wsp_tokenize_stats s;
    wsp_change how;
    wsp_error err;
    wsp_status st;

    if (!a.out && !a.stats_only)
        return cli_usage(page.name, "nothing to do: give -w OUT.npz, or --stats");
    if (j.val + j.test > 1)
        return cli_usage(page.name, "--val and --test are together more than 1");
    if (a.sizes && !a.stats_only)
        return cli_usage(page.name, "--bits is a part of --stats");
    if (a.model && (!a.sizes || a.out))
        return cli_usage(page.name, "--model is for --stats --bits");
    if (a.predictions && !a.stats_only)
        return cli_usage(page.name, "--predictors is a part of --stats");
    j.policy = token_sets_policy(page.name, a.policy);
    a.drop = a.drop || j.policy;
    if (a.change && wsp_change_parse(a.change, &how) < 0)
        return cli_usage(page.name,
                         "--change is forged, headers, snaplen=N, skip=N, lost=N (1 to 99), client "
                         "or server, not '%s'",
                         a.change);
    if (a.change && wsp_changer_new(&j.changer, &how) < 0)
        return cli_fail("out of memory");
    if (a.sizes)
        cli_note("compressing the packets with gzip -9, xz -6 and zstd -19 as well: a few "
                 "megabytes a second");
    if (a.predictions && !(predictions = calloc(wsp_prediction_count(), sizeof *predictions)))
        return cli_fail("out of memory");
    st = tokenize(&a, &j, (const char *const *)(argv + first), (size_t)(argc - first), predictions,
                  &s, &err);
    if (st == WSP_OK)
        labelling_tell(&j.labels, &a.lists);
    labelling_clear(&j.labels);
    wsp_changer_free(j.changer);
    wsp_coding_free(j.coding);
    wsp_model_free(j.model);
    if (st < 0) {
        free(predictions);
        return j.refused ? captures_refused(page.name, &err) : cli_fail_error(&err);
    }
    if (a.stats_only && a.format[0] == 'j')
        print_json(&s, a.sizes, a.model ? &j.coded : NULL, predictions);
    else if (a.stats_only)
        print_table(&s, a.sizes, a.model ? &j.coded : NULL, predictions);
    else
        print_kept(&s, &j, a.out);
    free(predictions);
    if (s.evicted)
        cli_note("%" PRIu64 " flows ended early to bound memory; their later packets are new flows",
                 s.evicted);
    return captures_end(&s, "kept");
}
