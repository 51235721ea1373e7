/* SPDX-License-Identifier: Apache-2.0 */
/* trained.h: tells when a set that should be new to a model is not. */
#ifndef WSP_TRAINED_H
#define WSP_TRAINED_H

#include "wirespeak/score.h"

/* Share of the flows that the model was trained on; NaN where it does not say. */
double trained_share(const wsp_seen *s);

/* A warning when that is most of them. what: "these flows" ... */
void trained_warn(const wsp_seen *s, const char *what);

#endif
