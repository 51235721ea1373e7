/* SPDX-License-Identifier: Apache-2.0 */
/* cmd_tokenize.c: captures to a token file, or what coding them costs. */
#include <inttypes.h>
#include <stdio.h>

#include "cli.h"
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

int cmd_tokenize(int argc, char **argv)
{
    static const char *const formats[] = {"table", "json", NULL};
    const char *out = NULL, *format = "table", *filter = NULL;
    bool stats_only = false, skip_bad = false, drop = false;
    const cli_option options[] = {
        {.name = "write",
         .letter = 'w',
         .kind = CLI_TEXT,
         .value = &out,
         .arg = "OUT.npz",
         .help = "write the tokens to this file"},
        {.name = "stats",
         .kind = CLI_FLAG,
         .value = &stats_only,
         .help = "print counts and tokens per packet by layer"},
        {.name = "output",
         .letter = 'o',
         .kind = CLI_CHOICE,
         .value = &format,
         .arg = "FORMAT",
         .choices = formats,
         .help = "format of --stats"},
        {.name = "filter",
         .letter = 'f',
         .kind = CLI_TEXT,
         .value = &filter,
         .arg = "BPF",
         .help = "only packets that match this pcap filter"},
        {.name = "drop-residuals",
         .kind = CLI_FLAG,
         .value = &drop,
         .help = "leave the residuals out: no addresses, no way back to packets"},
        {.name = "skip-bad",
         .kind = CLI_FLAG,
         .value = &skip_bad,
         .help = "skip what is no capture, with a warning"},
    };
    int first = cli_parse(&page, options, sizeof options / sizeof options[0], argc, argv);
    wsp_input_options opt = wsp_input_options_default();
    wsp_tokenize_options how = {.keep = false};
    wsp_tokenize_stats stats;
    wsp_tokens *tokens = NULL;
    wsp_input *in = NULL;
    wsp_error err;
    wsp_status st;

    if (!out && !stats_only)
        return cli_usage(page.name, "nothing to do: give -w OUT.npz, or --stats");
    how.keep = out != NULL;
    opt.skip_bad = skip_bad;
    opt.filter = filter;
    st =
        wsp_input_new(&in, (const char *const *)(argv + first), (size_t)(argc - first), &opt, &err);
    if (st == WSP_OK)
        st = wsp_tokenize(in, &how, &tokens, &stats, &err);
    if (st >= 0 && out)
        st = wsp_tokens_save(tokens, out, drop, &err);
    if (st >= 0 && stats_only) {
        if (format[0] == 'j')
            print_json(&stats);
        else
            print_table(&stats);
    } else if (st >= 0) {
        cli_note("%" PRIu64 " packets of %" PRIu64
                 " flows, %.2f + %.2f tokens per packet, written to %s",
                 stats.packets, stats.flows, per(stats.header_tokens, stats.packets),
                 per(stats.payload_tokens, stats.packets), out);
    }
    wsp_tokens_free(tokens);
    wsp_input_free(in);
    if (st < 0)
        return cli_fail_error(&err);
    if (stats.broken)
        return cli_fail("%" PRIu64 " of %" PRIu64 " captures broke off; what came before is kept",
                        stats.broken, stats.captures);
    return CLI_OK;
}
