/* SPDX-License-Identifier: Apache-2.0 */
/* cmd_tokenize.c: captures to a token file, or what coding them costs. */
#include <inttypes.h>
#include <stdio.h>

#include "cli.h"
#include <stdlib.h>
#include <string.h>

#include "wirespeak/task.h"
#include "wirespeak/token.h"

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
};

static double per(uint64_t n, uint64_t of)
{
    return of ? (double)n / (double)of : 0.0;
}

static void print_json(const wsp_tokenize_stats *s)
{
    printf("{\"captures\":%" PRIu64 ",\"broken\":%" PRIu64 ",\"packets\":%" PRIu64
           ",\"flows\":%" PRIu64 ",\"bytes\":%" PRIu64,
           s->captures, s->broken, s->packets, s->flows, s->bytes);
    printf(",\"residual_bytes\":%" PRIu64
           ",\"tokens_per_packet\":{\"header\":%.4f,\"payload\":%.4f},\"layers\":{",
           s->residual_bytes, per(s->header_tokens, s->packets),
           per(s->payload_tokens, s->packets));
    printf("\"frame\":%.4f", per(s->frame_tokens, s->packets));
    for (size_t i = 0; wsp_layer_name(i); i++)
        if (s->layer_tokens[i])
            printf(",\"%s\":%.4f", wsp_layer_name(i), per(s->layer_tokens[i], s->packets));
    printf("}}\n");
}

static void print_table(const wsp_tokenize_stats *s)
{
    printf("captures          %10" PRIu64 "\n", s->captures);
    printf("broken off        %10" PRIu64 "\n", s->broken);
    printf("flows             %10" PRIu64 "\n", s->flows);
    printf("packets           %10" PRIu64 "\n", s->packets);
    printf("bytes             %10" PRIu64 "\n", s->bytes);
    printf("residual bytes    %10" PRIu64 "\n", s->residual_bytes);
    printf("tokens per packet %10.2f header + %.2f payload\n", per(s->header_tokens, s->packets),
           per(s->payload_tokens, s->packets));
    printf("  %-15s %10.3f  (direction, time, length, stack, end)\n", "frame",
           per(s->frame_tokens, s->packets));
    for (size_t i = 0; wsp_layer_name(i); i++)
        if (s->layer_tokens[i])
            printf("  %-15s %10.3f\n", wsp_layer_name(i), per(s->layer_tokens[i], s->packets));
}

/* The label lists of the command line, and the column of each that grows with the flows. */
typedef struct labelling {
    size_t n, cap;
    char head[CLI_LIST_MAX][32];
    wsp_labels *lists[CLI_LIST_MAX];
    int32_t *columns[CLI_LIST_MAX];
    const char *part;
    uint64_t seed;
    double val, test;
} labelling;

static bool wanted(void *arg, const char *capture)
{
    const labelling *l = arg;
    wsp_split split = WSP_SPLIT_TRAIN;

    return !l->part || (wsp_split_of(capture, l->seed, l->val, l->test, &split) == WSP_OK &&
                        strcmp(wsp_split_name(split), l->part) == 0);
}

static wsp_status label_flow(void *arg, const wsp_flow *flow, const wsp_tokens *set, size_t index)
{
    labelling *l = arg;

    if (index >= l->cap) {
        l->cap = index + index / 2 + 1024;
        for (size_t i = 0; i < l->n; i++) {
            int32_t *p = realloc(l->columns[i], l->cap * sizeof *p);
            if (!p)
                return WSP_ERR_NOMEM;
            l->columns[i] = p;
        }
    }
    for (size_t i = 0; i < l->n; i++)
        l->columns[i][index] =
            wsp_labels_find(l->lists[i], set->captures[set->capture[index]], &flow->key);
    return WSP_OK;
}

static wsp_status load_lists(labelling *l, const cli_list *list, wsp_error *err)
{
    for (size_t i = 0; i < list->n; i++) {
        const char *equals = strchr(list->items[i], '=');
        wsp_status st;
        if (!equals || equals == list->items[i] || equals - list->items[i] > 31)
            cli_die_usage(page.name, "'%s' is not HEAD=FILE", list->items[i]);
        memcpy(l->head[i], list->items[i], (size_t)(equals - list->items[i]));
        st = wsp_labels_load(&l->lists[i], equals + 1, err);
        if (st < 0)
            return st;
        l->n = i + 1;
    }
    return WSP_OK;
}

static wsp_status attach(labelling *l, wsp_tokens *t, wsp_error *err)
{
    for (size_t i = 0; i < l->n; i++) {
        int32_t *column = l->columns[i] ? l->columns[i] : calloc(1, sizeof *column);
        wsp_status st = wsp_labels_attach(l->lists[i], t, l->head[i], column, err);
        l->columns[i] = NULL;
        if (st < 0)
            return st;
    }
    return WSP_OK;
}

static void labelling_clear(labelling *l)
{
    for (size_t i = 0; i < l->n; i++) {
        wsp_labels_free(l->lists[i]);
        free(l->columns[i]);
    }
}

typedef struct arguments {
    const char *out, *format, *filter;
    bool stats_only, skip_bad, drop;
    size_t max_packets;
    cli_list lists;
} arguments;

/* clang-format off: one option a line or two */
static int parse(arguments *a, labelling *l, int argc, char **argv)
{
    static const char *const formats[] = {"table", "json", NULL};
    static const char *const parts[] = {"train", "val", "test", NULL};
    const cli_option options[] = {
        {.name = "write", .letter = 'w', .kind = CLI_TEXT, .value = &a->out, .arg = "OUT.npz", .help = "write the tokens to this file"},
        {.name = "stats", .kind = CLI_FLAG, .value = &a->stats_only, .help = "print counts and tokens per packet by layer"},
        {.name = "output", .letter = 'o', .kind = CLI_CHOICE, .value = &a->format, .arg = "FORMAT", .choices = formats,
         .help = "format of --stats"},
        {.name = "filter", .letter = 'f', .kind = CLI_TEXT, .value = &a->filter, .arg = "BPF",
         .help = "only packets that match this pcap filter"},
        {.name = "drop-residuals", .kind = CLI_FLAG, .value = &a->drop,
         .help = "leave the residuals out: no addresses, no way back to packets"},
        {.name = "skip-bad", .kind = CLI_FLAG, .value = &a->skip_bad, .help = "skip what is no capture, with a warning"},
        {.name = "labels", .kind = CLI_LIST, .value = &a->lists, .arg = "HEAD=FILE",
         .help = "add a label column from a tab-separated list"},
        {.name = "part", .kind = CLI_CHOICE, .value = &l->part, .arg = "PART", .choices = parts,
         .help = "only the captures of this part of the split by capture"},
        {.name = "seed", .kind = CLI_U64, .value = &l->seed, .arg = "N", .help = "seed of the split"},
        {.name = "val", .kind = CLI_REAL, .value = &l->val, .arg = "SHARE", .rmax = 1,
         .help = "share of captures for validation (default 0.1)"},
        {.name = "test", .kind = CLI_REAL, .value = &l->test, .arg = "SHARE", .rmax = 1,
         .help = "share of captures for the test (default 0.25)"},
        {.name = "max-packets", .kind = CLI_SIZE, .value = &a->max_packets, .arg = "N",
         .help = "packets of a flow that are kept (training data; no way back)"},
    };

    return cli_parse(&page, options, sizeof options / sizeof options[0], argc, argv);
}
/* clang-format on */

static wsp_status tokenize(const arguments *a, labelling *l, const char *const *paths, size_t n,
                           wsp_tokenize_stats *stats, wsp_error *err)
{
    wsp_tokenize_options how = {.keep = a->out != NULL,
                                .max_packets = a->max_packets,
                                .want = wanted,
                                .on_flow = label_flow,
                                .arg = l};
    wsp_input_options opt = wsp_input_options_default();
    wsp_tokens *tokens = NULL;
    wsp_input *in = NULL;
    wsp_status st;

    opt.skip_bad = a->skip_bad;
    opt.filter = a->filter;
    st = wsp_input_new(&in, paths, n, &opt, err);
    if (st == WSP_OK)
        st = load_lists(l, &a->lists, err);
    if (st == WSP_OK)
        st = wsp_tokenize(in, &how, &tokens, stats, err);
    if (st >= 0 && a->out)
        st = attach(l, tokens, err);
    if (st >= 0 && a->out)
        st = wsp_tokens_save(tokens, a->out, a->drop, err);
    wsp_tokens_free(tokens);
    wsp_input_free(in);
    return st;
}

int cmd_tokenize(int argc, char **argv)
{
    labelling labels = {.seed = 1, .val = 0.1, .test = 0.25};
    arguments a = {.format = "table"};
    int first = parse(&a, &labels, argc, argv);
    wsp_tokenize_stats s;
    wsp_error err;
    wsp_status st;

    if (!a.out && !a.stats_only)
        return cli_usage(page.name, "nothing to do: give -w OUT.npz, or --stats");
    st = tokenize(&a, &labels, (const char *const *)(argv + first), (size_t)(argc - first), &s, &err);
    labelling_clear(&labels);
    if (st < 0)
        return cli_fail_error(&err);
    if (a.stats_only && a.format[0] == 'j')
        print_json(&s);
    else if (a.stats_only)
        print_table(&s);
    else
        cli_note("%" PRIu64 " packets of %" PRIu64 " flows, %.2f + %.2f tokens per packet, written to %s",
                 s.packets, s.flows, per(s.header_tokens, s.packets), per(s.payload_tokens, s.packets), a.out);
    if (s.broken)
        return cli_fail("%" PRIu64 " of %" PRIu64 " captures broke off; what came before is kept", s.broken, s.captures);
    return CLI_OK;
}
