/* SPDX-License-Identifier: Apache-2.0 */
/* cmd_split.c: which captures are for training, validation and test; the rule of tokenize --part. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "cli.h"
#include "wirespeak/capture.h"
#include "wirespeak/task.h"

static const cli_page page = {
    .name = "split",
    .operands = "[OPTION]... FILE...",
    .summary =
        "Prints for every capture whether it is for training, validation or test, the same as "
        "tokenize "
        "--part.\n"
        "Whole captures are split, by a hash of the file name: what else is there moves none.",
    .examples = "  wirespeak split captures/ | cut -f1 | sort | uniq -c\n",
    .min_operands = 1,
    .max_operands = -1,
};

static wsp_status print_parts(wsp_input *in, uint64_t seed, double val, double test,
                              uint64_t count[3], wsp_error *err)
{
    wsp_capture_info info;
    wsp_status st;
    wsp_split part;

    while ((st = wsp_input_open_next(in, &info, err)) == WSP_OK) {
        if (wsp_split_of(info.name, seed, val, test, &part) < 0) {
            (void)snprintf(err->text, sizeof err->text,
                           "--val and --test are together more than 1");
            return WSP_ERR_ARG;
        }
        count[part]++;
        printf("%s\t%s\n", wsp_split_name(part), info.name);
    }
    return st == WSP_EOF ? WSP_OK : st;
}

int cmd_split(int argc, char **argv)
{
    uint64_t seed = 1, count[3] = {0};
    double val = 0.1, test = 0.25;
    wsp_input_options opt = wsp_input_options_default();
    const cli_option options[] = {
        {.name = "val",
         .kind = CLI_REAL,
         .value = &val,
         .arg = "SHARE",
         .rmax = 1,
         .help = "share of captures for validation (default 0.1)"},
        {.name = "test",
         .kind = CLI_REAL,
         .value = &test,
         .arg = "SHARE",
         .rmax = 1,
         .help = "share of captures for the test (default 0.25)"},
        {.name = "seed",
         .kind = CLI_U64,
         .value = &seed,
         .arg = "N",
         .help = "of the split (default 1)"},
        {.name = "skip-bad",
         .kind = CLI_FLAG,
         .value = &opt.skip_bad,
         .help = "warn of files that are no captures and go on"},
    };
    int first = cli_parse(&page, options, sizeof options / sizeof options[0], argc, argv);
    wsp_input *in = NULL;
    wsp_error err;
    wsp_status st;

    if (val + test > 1)
        return cli_usage(page.name, "--val and --test are together more than 1");
    st =
        wsp_input_new(&in, (const char *const *)(argv + first), (size_t)(argc - first), &opt, &err);
    if (st == WSP_OK)
        st = print_parts(in, seed, val, test, count, &err);
    wsp_input_free(in);
    if (st < 0)
        return cli_fail_error(&err);
    cli_note("%" PRIu64 " captures for training, %" PRIu64 " for validation, %" PRIu64 " for test",
             count[WSP_SPLIT_TRAIN], count[WSP_SPLIT_VAL], count[WSP_SPLIT_TEST]);
    return CLI_OK;
}
