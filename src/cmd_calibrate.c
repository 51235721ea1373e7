/* SPDX-License-Identifier: Apache-2.0 */
/* cmd_calibrate.c: temperatures and thresholds of a model's heads, fitted on flows that it was not trained on. */
#include <stdio.h>
#include <stdlib.h>

#include "cli.h"
#include "wirespeak/task.h"

static const cli_page page = {
    .name = "calibrate",
    .operands = "[OPTION]... -m MODEL -w MODEL VAL.npz",
    .summary =
        "Makes the confidence of a model's answers the share of right ones, and sets the threshold "
        "under which an\n"
        "answer is \"unknown\", on a labelled token file that the model was not trained on. train "
        "--val does the same.",
    .examples = "  wirespeak calibrate -m model.safetensors -w calibrated.safetensors val.npz\n",
    .min_operands = 1,
    .max_operands = 1,
};

static void print(const wsp_model *m, const wsp_calibration *c)
{
    printf("%-20s %8s %12s %14s\n", "head", "flows", "temperature", "unknown below");
    for (size_t h = 0; h < wsp_model_head_count(m); h++) {
        if (c[h].flows)
            printf("%-20s %8zu %12.4f %14.4f\n", wsp_model_head(m, h)->name, c[h].flows,
                   c[h].temperature, c[h].unknown_below);
        else
            printf("%-20s %8d %12s %14s\n", wsp_model_head(m, h)->name, 0, "as it was",
                   "as it was");
    }
}

/* A model of before heads kept what they were trained on, and contexts of it, gets that from its training set. */
static wsp_status learn_field(wsp_model *m, const char *train, wsp_error *err)
{
    wsp_tokens *t = NULL;
    wsp_status st = wsp_tokens_load(&t, train, err);

    if (st == WSP_OK)
        st = wsp_stacks_learn(m, t, err);
    if (st == WSP_OK)
        st = wsp_references_learn(m, t, NULL, err);
    wsp_tokens_free(t);
    return st;
}

static int calibrate(const char *from, const char *to, const char *set, const char *train,
                     double keep)
{
    wsp_calibration *c = NULL;
    wsp_model *m = NULL;
    wsp_tokens *t = NULL;
    wsp_error err;
    wsp_status st = wsp_model_load(&m, from, &err);
    int rc = CLI_OK;

    if (st == WSP_OK)
        st = wsp_tokens_load(&t, set, &err);
    if (st == WSP_OK && !(c = calloc(wsp_model_head_count(m) + 1, sizeof *c)))
        rc = cli_fail("out of memory");
    if (st == WSP_OK && rc == CLI_OK)
        st = wsp_calibrate(m, t, keep, c, &err);
    if (st == WSP_OK && rc == CLI_OK && train)
        st = learn_field(m, train, &err);
    if (st == WSP_OK && rc == CLI_OK)
        st = wsp_model_save(m, to, &err);
    if (st < 0)
        rc = cli_fail_error(&err);
    else if (rc == CLI_OK)
        print(m, c);
    free(c);
    wsp_tokens_free(t);
    wsp_model_free(m);
    return rc;
}

int cmd_calibrate(int argc, char **argv)
{
    const char *from = NULL, *to = NULL, *train = NULL;
    double keep = WSP_KEEP_DEFAULT;
    const cli_option options[] = {
        {.name = "model",
         .letter = 'm',
         .kind = CLI_TEXT,
         .value = &from,
         .arg = "MODEL",
         .help = "the model, a .safetensors file"},
        {.name = "write",
         .letter = 'w',
         .kind = CLI_TEXT,
         .value = &to,
         .arg = "MODEL",
         .help = "the calibrated model; may be the same file"},
        {.name = "keep",
         .kind = CLI_REAL,
         .value = &keep,
         .arg = "SHARE",
         .rmax = 1,
         .help =
             "share of the flows of known classes that shall keep\ntheir answer (default 0.95)"},
        {.name = "trained-on",
         .kind = CLI_TEXT,
         .value = &train,
         .arg = "TRAIN.npz",
         .help =
             "take from the training set, too, on which protocols each\nhead was trained (flows "
             "of others are \"unknown\"), and\nthe contexts that enroll needs"},
    };
    int first = cli_parse(&page, options, sizeof options / sizeof options[0], argc, argv);

    if (!from)
        return cli_usage(page.name, "which model? give -m MODEL.safetensors");
    if (!to)
        return cli_usage(page.name, "where to? give -w MODEL.safetensors");
    return calibrate(from, to, argv[first], train, keep);
}
