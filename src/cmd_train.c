/* SPDX-License-Identifier: Apache-2.0 */
/* cmd_train.c: trains a model on token files, with a progress line and metrics as JSON lines. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "cli.h"
#include "wirespeak/task.h"

static const cli_page page = {
    .name = "train",
    .operands = "[OPTION]... -w MODEL.safetensors TRAIN.npz",
    .summary = "Trains a model on a token file: next-token prediction over all flows (--lm-weight) "
               "and classification\n"
               "heads from its label columns (--head-weight). Checkpoints survive a kill; --resume "
               "goes on from the last.",
    .examples = "  wirespeak train --config small --val val.npz -w model.safetensors train.npz\n",
    .min_operands = 1,
    .max_operands = 1,
};

typedef struct progress {
    FILE *metrics;
    double started, tokens, lm, head;
    size_t right, seen;
    bool terminal;
} progress;

static double now(void)
{
    struct timespec t;

    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static wsp_status report(void *arg, const char *json, const wsp_train_stats *s, uint64_t steps)
{
    progress *p = arg;
    double keep = 0.95, seconds = now() - p->started;

    p->tokens += (double)s->tokens;
    p->lm = p->lm ? keep * p->lm + (1 - keep) * s->lm_bits_per_packet : s->lm_bits_per_packet;
    p->head = p->head ? keep * p->head + (1 - keep) * s->head_loss : s->head_loss;
    if (p->metrics)
        (void)fprintf(p->metrics, "%s\n", json);
    if (p->terminal && !cli_is_quiet())
        (void)fprintf(stderr,
                      "\rstep %" PRIu64 "/%" PRIu64
                      "  %.1f bits/packet  head loss %.3f  %.0f tokens/s  %.0f s left   ",
                      s->step, steps, p->lm, p->head, p->tokens / (seconds + 1e-9),
                      s->step ? seconds * (double)(steps - s->step) / (double)s->step : 0.0);
    return p->metrics && ferror(p->metrics) ? WSP_ERR_IO : WSP_OK;
}

static wsp_status train(const char *train_path, const char *val_path, const char *init_path,
                        const char *out, wsp_fit_options *opt, wsp_error *err)
{
    wsp_tokens *set = NULL, *val = NULL;
    wsp_model *init = NULL, *m = NULL;
    wsp_status st = wsp_tokens_load(&set, train_path, err);

    if (st >= 0 && val_path)
        st = wsp_tokens_load(&val, val_path, err);
    if (st >= 0 && init_path)
        st = wsp_model_load(&init, init_path, err);
    opt->init = init;
    if (st >= 0)
        st = wsp_fit(&m, set, val, opt, err);
    if (st >= 0)
        st = wsp_model_save(m, out, err);
    wsp_model_free(m);
    wsp_model_free(init);
    wsp_tokens_free(val);
    wsp_tokens_free(set);
    return st;
}

typedef struct arguments {
    wsp_fit_options opt;
    const char *out, *val, *metrics, *init;
    double lr, lm, head, dropout, smoothing;
    size_t threads;
} arguments;

/* one option a line or two */
/* clang-format off */
static int parse(arguments *a, int argc, char **argv)
{
    wsp_fit_options *o = &a->opt;
    const cli_option options[] = {
        {.name = "write", .letter = 'w', .kind = CLI_TEXT, .value = &a->out, .arg = "MODEL", .help = "the model to write"},
        {.name = "config", .kind = CLI_TEXT, .value = &o->config, .arg = "SIZE", .help = "tiny, small (default) or base"},
        {.name = "init", .kind = CLI_TEXT, .value = &a->init, .arg = "MODEL", .help = "start from the weights of this model"},
        {.name = "val", .kind = CLI_TEXT, .value = &a->val, .arg = "VAL.npz", .help = "calibrate the heads on this set"},
        {.name = "policy", .kind = CLI_TEXT, .value = &o->view.policy, .arg = "NAME", .help = "mask policy (default identity-free)"},
        {.name = "max-packets", .kind = CLI_SIZE, .value = &o->view.max_packets, .arg = "N", .min = 1,
         .help = "packets of a flow that are read (default 24)"},
        {.name = "max-payload", .kind = CLI_SIZE, .value = &o->view.max_payload, .arg = "N",
         .help = "payload bytes of a packet that are read (default 24)"},
        {.name = "epochs", .kind = CLI_REAL, .value = &o->epochs, .arg = "N", .rmin = 0.0001, .rmax = 100000,
         .help = "passes over the flows (default 1)"},
        {.name = "batch-tokens", .kind = CLI_SIZE, .value = &o->batch_tokens, .arg = "N", .min = 1, .help = "tokens of a step (default 8192)"},
        {.name = "lr", .kind = CLI_REAL, .value = &a->lr, .arg = "RATE", .rmin = 1e-9, .rmax = 1, .help = "peak learning rate"},
        {.name = "lm-weight", .kind = CLI_REAL, .value = &a->lm, .arg = "W", .rmax = 1000,
         .help = "weight of the next-token loss (default 1);\nwith 0 only labelled flows are used, and the model\ncannot generate"},
        {.name = "labelled-only", .kind = CLI_FLAG, .value = &o->labelled_only, .help = "leave flows without a label out in any case"},
        {.name = "head-weight", .kind = CLI_REAL, .value = &a->head, .arg = "W", .rmax = 1000, .help = "weight of the heads' loss (default 1)"},
        {.name = "balance", .kind = CLI_REAL, .value = &o->balance, .arg = "P", .rmax = 1,
         .help = "labels count as the power -P of how often they\noccur (default 0: all the same)"},
        {.name = "label-smoothing", .kind = CLI_REAL, .value = &a->smoothing, .arg = "P", .rmax = 0.9,
         .help = "share of the heads' target spread over all labels"},
        {.name = "dropout", .kind = CLI_REAL, .value = &a->dropout, .arg = "P", .rmax = 0.9, .help = "dropout on residual branches"},
        {.name = "seed", .kind = CLI_U64, .value = &o->train.seed, .arg = "N", .help = "seed of weights and order"},
        {.name = "threads", .kind = CLI_SIZE, .value = &a->threads, .arg = "N", .min = 1, .max = 256,
         .help = "workers (default 1: bit-identical runs)"},
        {.name = "checkpoint", .kind = CLI_TEXT, .value = &o->checkpoint, .arg = "FILE", .help = "write checkpoints here"},
        {.name = "checkpoint-every", .kind = CLI_U64, .value = &o->checkpoint_every, .arg = "N", .min = 1,
         .help = "steps between checkpoints (default 200)"},
        {.name = "resume", .kind = CLI_FLAG, .value = &o->resume, .help = "go on from the checkpoint if there is one"},
        {.name = "metrics", .kind = CLI_TEXT, .value = &a->metrics, .arg = "FILE", .help = "append one JSON line a step to this file"},
    };

    return cli_parse(&page, options, sizeof options / sizeof options[0], argc, argv);
}
/* clang-format on */

int cmd_train(int argc, char **argv)
{
    arguments a = {.opt = wsp_fit_options_default(), .lm = 1, .head = 1, .threads = 1};
    progress p = {.metrics = NULL};
    wsp_error err;
    wsp_status st;
    int first;

    a.lr = (double)a.opt.train.lr;
    first = parse(&a, argc, argv);
    if (!a.out)
        return cli_usage(page.name, "where to? give -w MODEL.safetensors");
    if (a.opt.resume && !a.opt.checkpoint)
        return cli_usage(page.name, "--resume needs --checkpoint FILE");
    a.opt.train.lr = (float)a.lr;
    a.opt.train.lr_min = (float)a.lr / 20;
    a.opt.train.lm_weight = (float)a.lm;
    a.opt.train.head_weight = (float)a.head;
    a.opt.train.dropout = (float)a.dropout;
    a.opt.train.label_smoothing = (float)a.smoothing;
    a.opt.train.threads = (unsigned)a.threads;
    a.opt.report = report;
    a.opt.arg = &p;
    p.started = now();
    p.terminal = isatty(2) != 0;
    if (a.metrics && !(p.metrics = fopen(a.metrics, "a")))
        return cli_fail("%s: cannot be opened for the metrics", a.metrics);
    st = train(argv[first], a.val, a.init, a.out, &a.opt, &err);
    if (p.terminal && !cli_is_quiet())
        (void)fputc('\n', stderr);
    if (p.metrics && fclose(p.metrics) != 0 && st >= 0)
        return cli_fail("%s: the metrics could not be written", a.metrics);
    if (st < 0)
        return cli_fail_error(&err);
    cli_note("model written to %s after %.0f s", a.out, now() - p.started);
    return CLI_OK;
}
