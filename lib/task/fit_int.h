/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fit_int.h: a training run: fit_setup.c makes it, fit_choose.c orders its flows, fit_windows.c says what a batch has of
 * them, fit.c runs it, validate.c scores it, fit_state.c saves it and takes it up again, fit_log.c tells of it.
 */
#ifndef WSPI_FIT_INT_H
#define WSPI_FIT_INT_H

#include "task/task_int.h"

/* Where a run stands; saved with the checkpoint. Everything else follows from the seed. */
typedef struct wspi_position {
    uint64_t epoch, at, step;
    uint64_t best_step, since; /* of the best validation (0: none yet); validations after it */
    double best;               /* its score: less is better */
} wspi_position;

/* Figures of the whole validation set. loss: as in training, but by token and by label, not by batch. */
typedef struct wspi_validation {
    wsp_train_stats stats;
    double macro_f1, f1[WSP_MAX_HEADS];
} wspi_validation;

/* A long flow that is trained in windows, between two of them. */
typedef struct wspi_open {
    uint32_t flow;
    uint64_t begin, at, end; /* packets of the view: where it is read from, the next one, the end */
    float *carried; /* what the last window left; the same in all processes after a round */
    unsigned by;    /* the process that computes it */
    bool moved;     /* which has not told the others yet */
} wspi_open;

/* Those that are read alike, oldest first. */
typedef struct wspi_queue {
    wspi_open *open;
    size_t n, cap;
    size_t next,
        ready; /* the next whose turn it is; those from `ready` on have come in this step */
} wspi_queue;

typedef struct wspi_fit {
    const wsp_tokens *train, *val;
    const wsp_fit_options *opt;
    wsp_model *m;
    wsp_trainer *trainer;
    wspi_view sees;     /* as a classifier reads */
    wspi_view speaks;   /* as a generator writes; only with a next-token loss */
    wspi_view val_sees; /* the validation set; empty without one */
    wspi_batcher batcher;
    uint64_t window;     /* packets of a window */
    wspi_queue queue[2]; /* of flows as a classifier reads them, as a generator writes them */
    float *told;         /* [processes] what windows left, while processes exchange it */
    float *val_carried;  /* the same of the flows of a batch of validation */
    size_t val_cap;
    uint32_t *order, *val_order; /* [n_order], [n_val] flows that are used */
    uint32_t *group, *drawn;     /* with per_capture: [flows] the group of each, and scratch */
    uint32_t *label_flows;       /* [labels of all heads] flows of an epoch that have it */
    size_t n_order, n_val;
    int *map; /* [n_heads] the identity: heads are the set's columns */
    uint64_t steps, train_hash, val_hash,
        init_hash; /* what can be learned of the sets and of the model to start from; 0: none */
    wspi_position pos;
    /* for the log: seconds of a monotonic clock, and what this process has done */
    double started, last;
    uint64_t steps_here;
    double tokens_here;
} wspi_fit;

/* Makes everything but the position; what is made is the caller's to clear, also on failure. */
wsp_status wspi_fit_start(wspi_fit *f, wsp_error *err) WSP_MUST_USE;

/* Flows of a set in file order; without a next-token loss, or when asked for, only those that have a label. */
size_t wspi_fit_wanted(const wspi_fit *f, const wsp_tokens *t, uint32_t *order);
/* Groups of flows for per_capture: those of a capture that have the same labels. */
wsp_status wspi_fit_group(wspi_fit *f, wsp_error *err) WSP_MUST_USE;
/* Makes room for the order of an epoch. */
wsp_status wspi_fit_room(wspi_fit *f, wsp_error *err) WSP_MUST_USE;
/* Fills `order` with the flows of the epoch in its order. */
void wspi_fit_choose(wspi_fit *f);

/*
 * Pieces of the run's batch of this number, to be computed by process `by`: first windows of flows that go on, then new
 * flows, until the budget is reached. Nothing else moves a run on.
 */
wsp_status wspi_fit_plan(wspi_fit *f, bool speaks, uint64_t number, unsigned by) WSP_MUST_USE;
/* Everybody, after a round of batches: what their windows left. */
void wspi_fit_tell(wspi_fit *f);
/* Before and after each step: what was begun in it may go on, what has ended is forgotten. */
void wspi_fit_turn(wspi_fit *f);
/* Flow `flow` is taken up again; *carried is to be filled. FORMAT when there is no such place. */
wsp_status wspi_fit_reopen(wspi_fit *f, size_t kind, const wspi_open *o,
                           float **carried) WSP_MUST_USE;
void wspi_fit_close(wspi_fit *f);

/* Both sets have the same label columns. */
wsp_status wspi_same_labels(const wsp_tokens *train, const wsp_tokens *val,
                            wsp_error *err) WSP_MUST_USE;

wsp_status wspi_fit_validate(wspi_fit *f, wspi_validation *v, wsp_error *err) WSP_MUST_USE;

void wspi_fit_hash_data(wspi_fit *f);

/* The checkpoint; resume does nothing where there is none yet. */
wsp_status wspi_fit_save(const wspi_fit *f, wsp_error *err) WSP_MUST_USE;
wsp_status wspi_fit_resume(wspi_fit *f, wsp_error *err) WSP_MUST_USE;

/* Everybody, with the status so far: an error when another process of the group has other data, options or weights. */
wsp_status wspi_fit_agree(const wspi_fit *f, wsp_status st, wsp_error *err) WSP_MUST_USE;

/* Rows of the log, to the caller's report function (fit_log.c). EOF: the caller of any process wants
 * to stop. */
wsp_status wspi_fit_log_start(wspi_fit *f, wsp_error *err) WSP_MUST_USE;
wsp_status wspi_fit_log_step(wspi_fit *f, const wsp_train_stats *s, wsp_error *err) WSP_MUST_USE;
wsp_status wspi_fit_log_validation(wspi_fit *f, const wspi_validation *v, bool best,
                                   wsp_error *err) WSP_MUST_USE;
wsp_status wspi_fit_log_end(wspi_fit *f, wsp_error *err) WSP_MUST_USE;

#endif
