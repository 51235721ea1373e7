/* SPDX-License-Identifier: Apache-2.0 */
/* progress.h: one line on a terminal that says how far a run over an input is, how fast, and how long it still takes. */
#ifndef WSP_PROGRESS_H
#define WSP_PROGRESS_H

#include "wirespeak/capture.h"

/* Zeros: no line yet. */
typedef struct progress {
    wsp_input *in; /* borrowed */
    bool show;
    double began, last;
} progress;

/* Shows a line only where standard error is a terminal and nobody asked for quiet. */
void progress_start(progress *p, wsp_input *in);
/* Writes the line, a few times a second at most; cheap enough to be called now and then. */
void progress_step(progress *p, uint64_t packets, uint64_t flows);
/* Takes the line away, so that what is printed next does not hang on to it. */
void progress_hide(progress *p);
/* Seconds since the start. */
double progress_seconds(const progress *p);

#endif
