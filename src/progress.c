/* SPDX-License-Identifier: Apache-2.0 */
/* progress.c: how far a run over an input is. */
#include "progress.h"

#include <inttypes.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "cli.h"

static const double EVERY = 0.3; /* seconds */

static double now(void)
{
    struct timespec t;

    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

void progress_start(progress *p, wsp_input *in)
{
    *p = (progress){.in = in, .show = isatty(2) && !cli_is_quiet(), .began = now()};
    p->last = p->began;
}

double progress_seconds(const progress *p)
{
    return now() - p->began;
}

void progress_step(progress *p, uint64_t packets, uint64_t flows)
{
    double t = p->show ? now() : p->last, rate, left;
    uint64_t done, all;

    if (!p->show || t - p->last < EVERY)
        return;
    p->last = t;
    wsp_input_progress(p->in, &done, &all);
    rate = (double)done / (t - p->began);
    (void)fprintf(stderr, "\r\033[K%.1f MB", (double)done / 1e6);
    if (all)
        (void)fprintf(stderr, " of %.1f (%.0f%%)", (double)all / 1e6,
                      100 * (double)done / (double)(all > done ? all : done));
    (void)fprintf(stderr, ", %.1f MB/s, %" PRIu64 " packets, %" PRIu64 " flows", rate / 1e6,
                  packets, flows);
    if (all > done && rate > 0) {
        left = (double)(all - done) / rate;
        (void)fprintf(stderr, ", %d:%02d left", (int)(left / 60), (int)left % 60);
    }
    (void)fflush(stderr);
}

void progress_hide(progress *p)
{
    if (p->show && p->last > p->began)
        (void)fputs("\r\033[K", stderr);
}
