/* SPDX-License-Identifier: Apache-2.0 */
/* trained.c: flows that a model has seen. Other captures have some of them too, which is no leak: only most of them is told. */
#include "trained.h"

#include <math.h>

#include "cli.h"

static const double MOST = 0.6;

double trained_share(const wsp_seen *s)
{
    return s->flows ? (double)s->seen / (double)s->flows : (double)NAN;
}

void trained_warn(const wsp_seen *s, const char *what)
{
    if (trained_share(s) > MOST)
        cli_warn("the model was trained on about %.0f %% of %s: figures of them say little (see "
                 "wirespeak split)",
                 100 * trained_share(s), what);
}
