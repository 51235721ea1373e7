/* SPDX-License-Identifier: Apache-2.0 */
/* said.h: the labels that the heads of a model give to flows, "unknown" among them, to compare one reading with another. */
#ifndef WSP_SAID_H
#define WSP_SAID_H

#include "wirespeak/task.h"

typedef struct said {
    size_t n_heads, n_flows;
    int32_t *label; /* [n_heads][n_flows], -1: unknown */
} said;

/* As classify would say it. Clear it in any case. */
wsp_status said_make(said *s, const wsp_model *m, const wsp_tokens *t,
                     const wsp_classify_options *opt, wsp_error *err);
void said_clear(said *s);

/* How many of the flows with is[i] >= 0 have another label from a head in b than in a; both are of the same flows. */
size_t said_moved(const said *a, const said *b, size_t head, const int32_t *is);

#endif
