/* SPDX-License-Identifier: Apache-2.0 */
/* cmd_train.c: trains a model on token files, with a progress line and a log of JSON lines. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli.h"
#include "stop.h"
#include "token_sets.h"
#include "trained.h"
#include "wirespeak/task.h"

static const cli_rule rules[] = {{"checkpoint-every", CLI_ONLY_WITH, "checkpoint"},
                                 {NULL, CLI_ONLY_WITH, NULL}};

static const cli_page page = {
    .name = "train",
    .operands = "[OPTION]... -w MODEL.safetensors TRAIN.npz...",
    .summary = "Trains a model on a token file: next-token prediction over all flows (--lm-weight) "
               "and classification\n"
               "heads from its label columns (--head-weight). Checkpoints survive a kill; --resume "
               "goes on from the last.",
    .examples = "  wirespeak train --config small --val val.npz -w model.safetensors train.npz\n",
    .min_operands = 1,
    .max_operands = -1,
    .rules = rules,
};

typedef struct train_progress {
    FILE *log;
    double bits, heads, last; /* smoothed figures; when the line was last written */
    double val, best;         /* losses of the last validation and of the best one */
    bool show, terminal;
    bool line; /* something stands on the terminal's last line */
    int log_errno;
} train_progress;

static double smooth(double mean, double x)
{
    return mean > 0 ? 0.95 * mean + 0.05 * x : x;
}

/* On a terminal ten times a second at most, one line over the other; elsewhere a line every ten seconds. */
static void show_progress(train_progress *p, const wsp_fit_report *r)
{
    unsigned long left = (unsigned long)r->seconds_left;

    if (r->step < r->steps && r->seconds - p->last < (p->terminal ? 0.1 : 10))
        return;
    p->last = r->seconds;
    p->line = p->terminal;
    (void)fprintf(stderr, "%sstep %" PRIu64 "/%" PRIu64 "  loss %.3f", p->terminal ? "\r" : "",
                  r->step, r->steps, r->stats->loss);
    if (p->bits > 0)
        (void)fprintf(stderr, "  %.2f bits/packet", p->bits);
    if (p->heads > 0)
        (void)fprintf(stderr, "  heads %.3f", p->heads);
    if (p->val > 0)
        (void)fprintf(stderr, "  val %.3f (best %.3f)", p->val, p->best);
    (void)fprintf(stderr, "  %.0f tokens/s  %lu:%02lu:%02lu left%s", r->tokens_per_second,
                  left / 3600, left / 60 % 60, left % 60, p->terminal ? "   " : "\n");
}

static wsp_status report(void *arg, const wsp_fit_report *r)
{
    train_progress *p = arg;

    if (p->log && (fprintf(p->log, "%s\n", r->json) < 0 || fflush(p->log) != 0)) {
        p->log_errno = errno;
        return WSP_ERR_IO;
    }
    if (r->stats) {
        p->bits = smooth(p->bits, r->stats->lm_bits_per_packet);
        if (r->stats->heads.weight > 0)
            p->heads = smooth(p->heads, r->stats->heads.loss);
        if (p->show)
            show_progress(p, r);
    }
    if (r->validation) {
        p->val = r->validation->loss;
        p->best = r->best ? p->val : p->best;
    }
    return stop_asked() ? WSP_EOF : WSP_OK;
}

typedef struct arguments {
    wsp_fit_options opt;
    const char *out, *val, *log, *init, *best_by;
    cli_list background;
    double lr, body_lr, lm, head, dropout, smoothing;
    const char *dtype, *softmax;
    size_t threads;
    bool progress, mpi;
} arguments;

static void warn_of_val(const wsp_model *m, const wsp_tokens *val)
{
    wsp_seen seen;

    if (wsp_seen_of(m, val, &seen, NULL) == WSP_OK)
        trained_warn(&seen, "the validation set");
}

static wsp_status add_background(wsp_tokens *t, const arguments *a, const char *which,
                                 wsp_error *err)
{
    wsp_error why = {.text = ""};
    wsp_status st = token_sets_background(t, &a->background, &why);

    if (st < 0) {
        *err = why;
        (void)snprintf(err->text, sizeof err->text, "%s: %.400s", which, why.text);
    }
    return st;
}

/* What all processes of a group do; the first one writes the model, and all learn whether it could. */
static wsp_status train(arguments *a, char *const *sets, int n, wsp_error *err)
{
    wsp_group *group = a->opt.train.group;
    wsp_tokens *set = NULL, *val = NULL;
    wsp_model *init = NULL, *m = NULL;
    wsp_status st = token_sets_load(&set, (const char *const *)sets, (size_t)n, err);

    if (st >= 0)
        st = add_background(set, a, "the training set", err);
    if (st >= 0 && a->val)
        st = wsp_tokens_load(&val, a->val, err);
    if (st >= 0 && val)
        st = add_background(val, a, "the validation set", err);
    if (st >= 0 && a->init)
        st = wsp_model_load(&init, a->init, err);
    a->opt.init = init;
    st = wsp_group_agree(group, st, err);
    if (st >= 0)
        st = wsp_fit(&m, set, val, &a->opt, err);
    if (st == WSP_OK && val && wsp_group_rank(group) == 0)
        warn_of_val(m, val);
    if (st == WSP_OK) {
        st = wsp_group_rank(group) == 0 ? wsp_model_save(m, a->out, err) : WSP_OK;
        st = wsp_group_agree(group, st, err);
    }
    wsp_model_free(m);
    wsp_model_free(init);
    wsp_tokens_free(val);
    wsp_tokens_free(set);
    return st;
}

/* one option a line or two */
/* clang-format off */
static int parse(arguments *a, int argc, char **argv)
{
    wsp_fit_options *o = &a->opt;
    static const char *const scores[] = {"loss", "f1", NULL}, *const softmaxes[] = {"grouped", "flat", NULL};
    static const char *const sizes[] = {"tiny", "small", "base", NULL};
    const cli_option options[] = {
        {.name = "write", .letter = 'w', .kind = CLI_TEXT, .value = &a->out, .arg = "MODEL", .file = CLI_WRITES, .help = "the model to write"},
        {.name = "config", .kind = CLI_CHOICE, .value = &o->config, .arg = "SIZE", .choices = sizes,
         .help = "of the model; default: that of --init, else small"},
        {.name = "softmax", .kind = CLI_CHOICE, .value = &a->softmax, .arg = "FORM", .choices = softmaxes,
         .help = "of the next token: in two steps, or in one over\nthe whole vocabulary"},
        {.name = "init", .kind = CLI_TEXT, .value = &a->init, .arg = "MODEL", .file = CLI_READS, .help = "start from the weights of this model"},
        {.name = "val", .kind = CLI_TEXT, .value = &a->val, .arg = "VAL.npz", .file = CLI_READS, .help = "validate on this set, keep the best weights,\ncalibrate the heads"},
        {.name = "policy", .kind = CLI_TEXT, .value = &o->view.policy, .arg = "NAME", .help = "mask policy (default identity-free)"},
        {.name = "max-packets", .kind = CLI_SIZE, .value = &o->view.max_packets, .arg = "N", .min = 1, .max = WSP_MAX_TRAIN,
         .help = "packets of a flow that are read (default 24)"},
        {.name = "max-payload", .kind = CLI_SIZE, .value = &o->view.max_payload, .arg = "N", .max = WSP_MAX_READ,
         .help = "text tokens of a packet that are read, a byte or a\nstring of up to 16 each (default 24)"},
        {.name = "epochs", .kind = CLI_REAL, .value = &o->epochs, .arg = "N", .rmin = 0.0001, .rmax = 100000,
         .help = "passes over the flows (default 1)"},
        {.name = "batch-tokens", .kind = CLI_SIZE, .value = &o->batch_tokens, .arg = "N", .min = 1, .help = "tokens of a batch (default 8192)"},
        {.name = "bptt", .kind = CLI_SIZE, .value = &o->bptt, .arg = "N", .min = 1, .max = WSP_MAX_TRAIN, .zero = "whole flows",
         .help = "train flows of more packets in windows of N, each\nfrom the state that the one before left (default\n256; 0: whole)"},
        {.name = "accumulate", .kind = CLI_SIZE, .value = &o->accumulate, .arg = "N", .min = 1, .max = 1000000,
         .help = "batches of a step, their gradients averaged\n(default 1)"},
        {.name = "val-every", .kind = CLI_U64, .value = &o->val_every, .arg = "N",
         .help = "steps between validations (default 500); 0: none,\nand the last weights are kept"},
        {.name = "patience", .kind = CLI_U64, .value = &o->patience, .arg = "N",
         .help = "end after so many validations that were no better\n(default 0: never)"},
        {.name = "best-by", .kind = CLI_CHOICE, .value = &a->best_by, .arg = "WHAT", .choices = scores, .help = "which validation is the best"},
        {.name = "lr", .kind = CLI_REAL, .value = &a->lr, .arg = "RATE", .rmin = 1e-9, .rmax = 1, .help = "peak learning rate (default 0.001)"},
        {.name = "body-lr", .kind = CLI_REAL, .value = &a->body_lr, .arg = "SHARE", .rmax = 10,
         .help = "of all but the heads, as a share of it (default 1);\n0: the heads alone learn, with --lm-weight 0"},
        {.name = "lm-weight", .kind = CLI_REAL, .value = &a->lm, .arg = "W", .rmax = 1000,
         .help = "weight of the next-token loss (default 1);\nwith 0 only labelled flows are used, and the model\ncannot generate"},
        {.name = "labelled-only", .kind = CLI_FLAG, .value = &o->labelled_only, .help = "leave flows without a label out in any case"},
        {.name = "head-weight", .kind = CLI_REAL, .value = &a->head, .arg = "W", .rmax = 1000, .help = "weight of the heads' loss (default 1)"},
        {.name = "background", .kind = CLI_LIST, .value = &a->background, .arg = "HEAD",
         .help = "this head learns to say \"unknown\" of captures that\nhave none of its labels; may be repeated"},
        {.name = "balance", .kind = CLI_REAL, .value = &o->balance, .arg = "P", .rmax = 1,
         .help = "labels count as the power -P of how often they\noccur (default 0: all the same)"},
        {.name = "per-capture", .kind = CLI_SIZE, .value = &o->per_capture, .arg = "N",
         .help = "flows of a capture with the same labels that an\nepoch reads (default 0: all)"},
        {.name = "per-label", .kind = CLI_SIZE, .value = &o->per_label, .arg = "N", .max = 100000,
         .help = "flows of a label that an epoch reads at least:\nthose of rarer ones again (default 0)"},
        {.name = "token-drop", .kind = CLI_REAL, .value = &o->token_drop, .arg = "P", .rmax = 0.9,
         .help = "share of tokens that the heads' steps leave out"},
        {.name = "skip", .kind = CLI_REAL, .value = &o->skip, .arg = "P", .rmax = 1,
         .help = "share of flows that the heads' steps read from a\nlater packet on"},
        {.name = "label-smoothing", .kind = CLI_REAL, .value = &a->smoothing, .arg = "P", .rmax = 0.9,
         .help = "share of the heads' target spread over all labels"},
        {.name = "dropout", .kind = CLI_REAL, .value = &a->dropout, .arg = "P", .rmax = 0.9, .help = "dropout on residual branches"},
        {.name = "seed", .kind = CLI_U64, .value = &o->train.seed, .arg = "N", .help = "seed of weights and order (default 1)"},
        {.name = "threads", .kind = CLI_SIZE, .value = &a->threads, .arg = "N", .min = 1, .max = 256,
         .help = "workers (default 1: bit-identical runs)"},
        {.name = "dtype", .kind = CLI_CHOICE, .value = &a->dtype, .arg = "TYPE", .choices = cli_train_dtypes,
         .help = "of matrix products: auto is bf16 where the CPU has AMX, else f32"},
        {.name = "mpi", .kind = CLI_FLAG, .value = &a->mpi, .help = "one of the processes that mpirun started: the\nbatches of a step go round them"},
        {.name = "checkpoint", .kind = CLI_TEXT, .value = &o->checkpoint, .arg = "FILE", .file = CLI_WRITES, .help = "write checkpoints here"},
        {.name = "checkpoint-every", .kind = CLI_U64, .value = &o->checkpoint_every, .arg = "N", .min = 1,
         .help = "steps between checkpoints (default 200)"},
        {.name = "resume", .kind = CLI_FLAG, .value = &o->resume, .help = "go on from the checkpoint if there is one"},
        {.name = "log", .kind = CLI_TEXT, .value = &a->log, .arg = "FILE", .file = CLI_WRITES, .help = "write one JSON object a step to this file"},
        {.name = "progress", .kind = CLI_FLAG, .value = &a->progress, .help = "tell of progress where there is no terminal, too"},
    };

    return cli_parse(&page, options, sizeof options / sizeof options[0], argc, argv);
}
/* clang-format on */

/* A run that goes on adds to its log. */
static int open_outputs(const arguments *a, train_progress *p)
{
    const char *const made[] = {a->out, a->opt.checkpoint};
    int rc = cli_can_write(made, sizeof made / sizeof made[0]);

    if (rc != CLI_OK)
        return rc;
    if (a->log && strcmp(a->log, "-") == 0)
        return cli_fail("-: standard output has something else: name a file (./- is one)");
    if (a->log && !(p->log = fopen(a->log, a->opt.resume ? "a" : "w")))
        return cli_fail("%s: cannot be written: %s", a->log, strerror(errno));
    return CLI_OK;
}

static int tell_end(const arguments *a, train_progress *p, wsp_status st, const wsp_error *err)
{
    if (p->line)
        (void)fputc('\n', stderr);
    if (p->log && fclose(p->log) != 0 && !p->log_errno)
        p->log_errno = errno;
    if (p->log_errno)
        return cli_fail("%s: the log cannot be written: %s", a->log, strerror(p->log_errno));
    if (st == WSP_EOF && a->opt.checkpoint)
        return cli_fail("stopped by a signal; %s holds all of it: --resume goes on from there",
                        a->opt.checkpoint);
    if (st == WSP_EOF)
        return cli_fail("stopped by a signal; without --checkpoint nothing is kept");
    if (st < 0)
        return cli_fail_error(err);
    cli_note("model written to %s", a->out);
    return CLI_OK;
}

/* The first process alone writes and speaks. */
static int run(arguments *a, char *const *sets, int n)
{
    wsp_group *group = a->opt.train.group;
    train_progress p = {.terminal = isatty(2) != 0};
    bool first = wsp_group_rank(group) == 0;
    wsp_error err = {.text = ""};
    wsp_status st = WSP_OK;
    int rc = CLI_OK;

    a->opt.arg = &p;
    p.show = first && (p.terminal || a->progress) && !cli_is_quiet();
    if (first)
        rc = open_outputs(a, &p);
    st = wsp_group_agree(group, rc == CLI_OK ? WSP_OK : WSP_ERR_IO, &err);
    if (st == WSP_OK) {
        st = train(a, sets, n, &err);
        rc = first ? tell_end(a, &p, st, &err) : CLI_OK;
    }
    return st == WSP_OK ? rc : CLI_FAILED;
}

/* What the command line says, where the options of the library are of another type. */
static void fill_options(arguments *a)
{
    wsp_train_options *t = &a->opt.train;

    t->lr = (float)a->lr;
    t->lr_min = (float)a->lr / 20;
    t->body_lr = (float)a->body_lr;
    t->lm_weight = (float)a->lm;
    t->head_weight = (float)a->head;
    t->dropout = (float)a->dropout;
    t->label_smoothing = (float)a->smoothing;
    t->threads = (unsigned)a->threads;
    t->dtype = cli_dtype(a->dtype);
    a->opt.best_by_f1 = a->best_by[0] == 'f';
    a->opt.flat_softmax = a->softmax[0] == 'f';
    a->opt.report = report;
}

int cmd_train(int argc, char **argv)
{
    arguments a = {.opt = wsp_fit_options_default(),
                   .body_lr = 1,
                   .lm = 1,
                   .head = 1,
                   .threads = 1,
                   .best_by = "loss",
                   .softmax = "grouped",
                   .dtype = "auto"};
    wsp_error err;
    int first, rc;

    a.lr = (double)a.opt.train.lr;
    first = parse(&a, argc, argv);
    if (!a.out)
        return cli_usage(page.name, "where to? give -w MODEL.safetensors");
    if (a.opt.patience && !(a.val && a.opt.val_every))
        return cli_usage(page.name, "--patience needs validations: --val FILE and --val-every N");
    if (a.best_by[0] == 'f' && !(a.val && a.opt.val_every))
        return cli_usage(page.name, "--best-by f1 needs validations: --val FILE and --val-every N");
    if (a.opt.resume && !a.opt.checkpoint)
        return cli_usage(page.name, "--resume needs --checkpoint FILE");
    (void)token_sets_policy(page.name, a.opt.view.policy);
    if (!(a.lm > 0) && !(a.head > 0))
        return cli_usage(page.name, "--lm-weight 0 and --head-weight 0 leave nothing to learn");
    if (!(a.body_lr > 0) && a.lm > 0)
        return cli_usage(page.name, "--body-lr 0 trains the heads alone: give --lm-weight 0");
    if (!a.mpi && getenv("OMPI_COMM_WORLD_SIZE"))
        return cli_usage(page.name, "mpirun started this: give --mpi");
    fill_options(&a);
    if (a.mpi && wsp_group_join(&a.opt.train.group, &err) < 0)
        return cli_fail_error(&err);
    stop_on_signals(); /* between two steps */
    rc = run(&a, argv + first, argc - first);
    wsp_group_leave(a.opt.train.group);
    return rc;
}
