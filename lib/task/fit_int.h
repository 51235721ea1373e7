/* SPDX-License-Identifier: Apache-2.0 */
/* fit_int.h: a training run: fit.c runs it, fit_setup.c makes it, fit_log.c tells of it, calibrate.c ends it. */
#ifndef WSPI_FIT_INT_H
#define WSPI_FIT_INT_H

#include "task/task_int.h"

/* Where a run stands; saved with the checkpoint. Everything else follows from the seed. */
typedef struct wspi_position {
    uint64_t epoch, at, step;
} wspi_position;

typedef struct wspi_fit {
    const wsp_tokens *train, *val;
    const wsp_fit_options *opt;
    wsp_model *m;
    wsp_trainer *trainer;
    wspi_view sees;   /* as a classifier reads */
    wspi_view speaks; /* as a generator writes; only with a next-token loss */
    wspi_batcher batcher;
    uint32_t *order; /* [n_order] */
    size_t n_order;
    int *map; /* [n_heads] the identity: heads are the set's columns */
    uint64_t steps;
    wspi_position pos;
    /* for the log: seconds of a monotonic clock, and what this process has done */
    double started, last;
    uint64_t steps_here;
    double tokens_here;
} wspi_fit;

/* Makes everything but the position; what is made is the caller's to clear, also on failure. */
wsp_status wspi_fit_start(wspi_fit *f, wsp_error *err) WSP_MUST_USE;

/* Flows in file order; without a next-token loss, or when asked for, only those that have a label. */
void wspi_fit_choose(wspi_fit *f);

/* Rows of the log, to the caller's report function (fit_log.c). EOF: the caller wants to stop. */
wsp_status wspi_fit_log_start(wspi_fit *f, wsp_error *err) WSP_MUST_USE;
wsp_status wspi_fit_log_step(wspi_fit *f, const wsp_train_stats *s, wsp_error *err) WSP_MUST_USE;
wsp_status wspi_fit_log_end(wspi_fit *f, wsp_error *err) WSP_MUST_USE;

/* Temperatures of the model's heads with the least loss on the set. */
wsp_status wspi_calibrate(wsp_model *m, const wsp_tokens *val, wsp_error *err) WSP_MUST_USE;

#endif
