/* SPDX-License-Identifier: Apache-2.0 */
/* flow_run.h: a run over an input that asks a model about its flows, set by set, so that memory does not grow with the input. */
#ifndef WSP_FLOW_RUN_H
#define WSP_FLOW_RUN_H

#include "capture_out.h"
#include "flow_out.h"
#include "host_out.h"
#include "only.h"
#include "progress.h"
#include "ranking.h"

/* Flows that are open at a time, if nobody says otherwise. */
enum { FLOW_RUN_OPEN = 200000 };

typedef struct shard {
    uint64_t i, n; /* the i-th of n, from 1; n = 0: all flows */
} shard;

/* What is kept of a flow until its set is labelled. */
typedef struct kept {
    wsp_flow flow;
    uint64_t id;
    beside_word ndpi;
} kept;

/* The first rows are the command's to fill. */
typedef struct flow_run {
    question q;
    flow_out out;
    bool summary, by_capture, by_host;
    only only; /* flows that are told; the others are read and left out */
    shard shard;
    size_t max_flows;
    ranking rank;             /* of the most surprising flows, if asked for */
    wsp_annotator *annotator; /* or NULL; both files are the run's to end */
    wsp_npy_writer *vectors;
    /* of the run itself */
    kept *kept; /* [n_kept] flows of the set */
    size_t n_kept, cap_kept;
    uint64_t base; /* flows of the captures before: ids are unique in a run, and those of `label` */
    char *name;    /* of the capture at work, fit to be printed; only for the annotator */
    size_t n_captures; /* that have an interface in its file */
    capture_out captures;
    host_out hosts;
    bool titled;
    linebuf line;           /* records are made in it */
    const char *shown_file; /* where the flow at hand begins */
    char *shown;            /* its name, fit to be printed */
    int rc;                 /* of what was printed */
    uint64_t left_out;      /* flows */
    beside ndpi;
    flow_sums sums;
    progress progress;
    wsp_tokenize_stats stats;
    wsp_runner_stats shared;
    wsp_error err;
} flow_run;

/* "I/N" with I from 1 to N. */
bool flow_run_shard(const char *text, shard *s);

/* Reads the input to its end and prints what was asked for. Returns an exit status. */
int flow_run_input(flow_run *r, wsp_input *in);
void flow_run_clear(flow_run *r);

#endif
