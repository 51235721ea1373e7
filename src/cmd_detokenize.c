/* SPDX-License-Identifier: Apache-2.0 */
/* cmd_detokenize.c: a token file back to the capture it was made from. */
#include <inttypes.h>
#include <stdio.h>

#include "cli.h"
#include "wirespeak/token.h"

static const cli_page page = {
    .name = "detokenize",
    .operands = "[OPTION]... -w OUT.pcap IN.npz",
    .summary = "Turns a token file with its residuals back into a capture: the same packets, "
               "lengths, nanosecond times\n"
               "and order. The result is a nanosecond pcap file.",
    .examples = "  wirespeak detokenize -w again.pcap flows.npz\n",
    .min_operands = 1,
    .max_operands = 1,
};

int cmd_detokenize(int argc, char **argv)
{
    const char *out = NULL;
    size_t number = 0;
    const cli_option options[] = {
        {.name = "write",
         .letter = 'w',
         .kind = CLI_TEXT,
         .value = &out,
         .arg = "OUT.pcap",
         .file = CLI_WRITES,
         .help = "the capture to write; - is standard output"},
        {.name = "capture",
         .kind = CLI_SIZE,
         .value = &number,
         .arg = "N",
         .help = "which capture of the set, counted from 1; needed when it has several"},
    };
    int first = cli_parse(&page, options, sizeof options / sizeof options[0], argc, argv);
    wsp_pcap_writer *w = NULL;
    wsp_tokens *t = NULL;
    uint64_t packets = 0;
    wsp_error err;
    wsp_status st;

    if (!out)
        return cli_usage(page.name, "where to? give -w OUT.pcap");
    st = wsp_tokens_load(&t, argv[first], &err);
    if (st < 0)
        return cli_fail_error(&err);
    if (!t->residual_off) {
        wsp_tokens_free(t);
        return cli_fail("%s was written without residuals: tokens alone cannot be turned back",
                        argv[first]);
    }
    if (t->n_captures == 0) {
        wsp_tokens_free(t);
        return cli_fail("%s holds no capture", argv[first]);
    }
    if ((number == 0 && t->n_captures != 1) || number > t->n_captures) {
        st = (wsp_status)cli_fail("%s holds %zu captures: choose one with --capture 1..%zu",
                                  argv[first], t->n_captures, t->n_captures);
        wsp_tokens_free(t);
        return (int)st;
    }
    number = number ? number - 1 : 0;
    st = wsp_pcap_writer_open(&w, out, t->linktype[number], &err);
    if (st == WSP_OK)
        st = wsp_detokenize(t, number, w, &packets, &err);
    if (st == WSP_OK) {
        st = wsp_pcap_writer_close(w, &err);
        w = NULL;
    }
    wsp_pcap_writer_discard(w);
    wsp_tokens_free(t);
    if (st ==
        WSP_ERR_FORMAT) /* of what was read: other errors are the writer's, which names its file */
        return cli_fail("%s: %s", argv[first], err.text);
    if (st < 0)
        return cli_fail_error(&err);
    cli_note("%" PRIu64 " packets written to %s", packets, out);
    return CLI_OK;
}
