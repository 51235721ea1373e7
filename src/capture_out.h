/* SPDX-License-Identifier: Apache-2.0 */
/* capture_out.h: one answer for each capture, or host, of a run, by the votes of its flows: a row, a JSON object or a line of CSV. */
#ifndef WSP_CAPTURE_OUT_H
#define WSP_CAPTURE_OUT_H

#include "flow_out.h"

/* One capture, as far as its flows have been seen. */
typedef struct capture_votes {
    char *given, *name; /* as it is called, and fit to be printed */
    bool more; /* another link type of the file before it (pcapng): a row of both, and zeros here */
    uint64_t flows, packets, bytes;
    wsp_poll *head; /* [heads of the question] */
} capture_votes;

/* Captures that are not printed yet. Zeros: none. */
typedef struct capture_out {
    capture_votes *open; /* [n] the first is capture `first` of the run */
    size_t n, cap, first;
    bool titled, hosts; /* hosts: what votes is counted for are not captures */
} capture_out;

/* The next capture begins. All return an exit status. */
int capture_out_begin(capture_out *c, const flow_out *o, const char *name);
/* A flow of capture 0, 1, ... of the run, which is not printed yet. */
int capture_out_flow(capture_out *c, const flow_out *o, const flow_record *r, size_t capture);
/* Prints those that have ended: all but the last `going`. */
int capture_out_print(capture_out *c, const flow_out *o, size_t going, FILE *to);
void capture_out_clear(capture_out *c, const flow_out *o);

#endif
