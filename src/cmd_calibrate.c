/* SPDX-License-Identifier: Apache-2.0 */
/* cmd_calibrate.c: temperatures and thresholds of a model's heads, fitted on flows that it was not trained on. */
#include <stdio.h>
#include <stdlib.h>

#include "cli.h"
#include "trained.h"
#include "wirespeak/task.h"

static const cli_rule rules[] = {{"keep", CLI_NEVER_WITH, "like"}, {NULL, CLI_NEVER_WITH, NULL}};

static const cli_page page = {
    .name = "calibrate",
    .operands = "[OPTION]... -m MODEL -w MODEL {VAL.npz | --like=MODEL}",
    .summary =
        "Makes the confidence of a model's answers the share of right ones, and sets the threshold "
        "under which an\n"
        "answer is \"unknown\", on a labelled token file that the model was not trained on. train "
        "--val does the same.\n"
        "Or takes them from a model of the same recipe, for one that has learned from that file, "
        "too.",
    .examples = "  wirespeak calibrate -m model.safetensors -w calibrated.safetensors val.npz\n"
                "  wirespeak calibrate -m all.safetensors -w all.safetensors --like "
                "calibrated.safetensors\n",
    .max_operands = 1,
    .rules = rules,
};

/* like: there are no flows to tell of. */
static void print(const wsp_model *m, const wsp_calibration *c, bool like)
{
    printf("%-20s %8s %12s %14s\n", "head", "flows", "temperature", "unknown below");
    for (size_t h = 0; h < wsp_model_head_count(m); h++) {
        char flows[32] = "-";

        if (!like)
            (void)snprintf(flows, sizeof flows, "%zu", c[h].flows);
        if (c[h].flows)
            printf("%-20s %8s %12.4f %14.4f\n", wsp_model_head(m, h)->name, flows, c[h].temperature,
                   c[h].unknown_below);
        else
            printf("%-20s %8s %12s %14s\n", wsp_model_head(m, h)->name, flows, "as it was",
                   "as it was");
    }
}

/* A model of before heads kept what they were trained on, and contexts of it, gets that from its training set. */
static wsp_status learn_field(wsp_model *m, const char *train, wsp_error *err)
{
    wsp_tokens *t = NULL;
    wsp_status st = wsp_tokens_load(&t, train, err);

    if (st == WSP_OK)
        st = wsp_tokens_background_like(t, m, err);
    if (st == WSP_OK)
        st = wsp_stacks_learn(m, t, err);
    if (st == WSP_OK)
        st = wsp_references_learn(m, t, NULL, err);
    wsp_tokens_free(t);
    return st;
}

/* What was asked for. */
typedef struct job {
    const char *from, *to, *train, *like, *set; /* like or set is NULL */
    double keep;
} job;

static wsp_status fit(wsp_model *m, const job *j, wsp_calibration *c, wsp_error *err)
{
    wsp_tokens *t = NULL;
    wsp_seen seen;
    wsp_status st = wsp_tokens_load(&t, j->set, err);

    if (st == WSP_OK)
        st = wsp_tokens_background_like(t, m, err);
    if (st == WSP_OK)
        st = wsp_seen_of(m, t, &seen, err);
    if (st == WSP_OK)
        trained_warn(&seen, "the flows to calibrate on");
    if (st == WSP_OK)
        st = wsp_calibrate(m, t, j->keep, c, err);
    wsp_tokens_free(t);
    return st;
}

static wsp_status take(wsp_model *m, const job *j, wsp_calibration *c, wsp_error *err)
{
    wsp_model *like = NULL;
    wsp_status st = wsp_model_load(&like, j->like, err);

    if (st == WSP_OK)
        st = wsp_calibrate_like(m, like, c, err);
    wsp_model_free(like);
    return st;
}

static int calibrate(const job *j)
{
    wsp_calibration *c = NULL;
    wsp_model *m = NULL;
    wsp_error err;
    wsp_status st = wsp_model_load(&m, j->from, &err);
    int rc = CLI_OK;

    if (st == WSP_OK && !(c = calloc(wsp_model_head_count(m) + 1, sizeof *c)))
        rc = cli_fail("out of memory");
    if (st == WSP_OK && rc == CLI_OK)
        st = j->like ? take(m, j, c, &err) : fit(m, j, c, &err);
    if (st == WSP_OK && rc == CLI_OK && j->train)
        st = learn_field(m, j->train, &err);
    if (st == WSP_OK && rc == CLI_OK)
        st = wsp_model_save(m, j->to, &err);
    if (st < 0)
        rc = cli_fail_error(&err);
    else if (rc == CLI_OK)
        print(m, c, j->like != NULL);
    free(c);
    wsp_model_free(m);
    return rc;
}

int cmd_calibrate(int argc, char **argv)
{
    job j = {.keep = WSP_KEEP_DEFAULT};
    const cli_option options[] = {
        {.name = "model",
         .letter = 'm',
         .kind = CLI_TEXT,
         .value = &j.from,
         .arg = "MODEL",
         .file = CLI_CHANGES,
         .help = "the model, a .safetensors file"},
        {.name = "write",
         .letter = 'w',
         .kind = CLI_TEXT,
         .value = &j.to,
         .arg = "MODEL",
         .file = CLI_WRITES,
         .help = "the calibrated model; may be the same file"},
        {.name = "keep",
         .kind = CLI_REAL,
         .value = &j.keep,
         .arg = "SHARE",
         .rmax = 1,
         .help =
             "share of the flows of known classes that shall keep\ntheir answer (default 0.95)"},
        {.name = "like",
         .kind = CLI_TEXT,
         .value = &j.like,
         .arg = "MODEL",
         .file = CLI_READS,
         .help = "take both from this model of the same recipe, in the\nplace of a fit"},
        {.name = "trained-on",
         .kind = CLI_TEXT,
         .value = &j.train,
         .arg = "TRAIN.npz",
         .file = CLI_READS,
         .help =
             "take from the training set, too, on which protocols each\nhead was trained (flows "
             "of others are \"unknown\"), and\nthe contexts that enroll needs"},
    };
    int first = cli_parse(&page, options, sizeof options / sizeof options[0], argc, argv);

    if (!j.from)
        return cli_usage(page.name, "which model? give -m MODEL.safetensors");
    if (!j.to)
        return cli_usage(page.name, "where to? give -w MODEL.safetensors");
    if ((first < argc) == (j.like != NULL))
        return cli_usage(page.name,
                         "give a labelled token file or --like MODEL.safetensors, one of them");
    j.set = argv[first];
    return cli_can_write(&j.to, 1) == CLI_OK ? calibrate(&j) : CLI_FAILED;
}
