/* SPDX-License-Identifier: Apache-2.0 */
/* features.h: flows as rows of numbers for tree classifiers. */
#ifndef WSPI_FEATURES_H
#define WSPI_FEATURES_H

#include "task/task_int.h"

enum { WSPI_BAG = 768 };

/* Which numbers; chosen on training flows alone. */
typedef struct wspi_features {
    bool payload;           /* bytes and tokens of payloads, too */
    uint16_t bag[WSPI_BAG]; /* [n_bag] tokens that are counted */
    size_t n_bag;
} wspi_features;

/* label [n_flows], < 0: left out. The set holds what a policy has left of the tokens. */
wsp_status wspi_features_choose(wspi_features *f, const wsp_tokens *t, const int32_t *label,
                                size_t n_labels, bool payload) WSP_MUST_USE;
size_t wspi_features_count(const wspi_features *f);
/* x: [n_flows][count] */
wsp_status wspi_features_make(const wspi_features *f, const wsp_tokens *t, float *x) WSP_MUST_USE;

#endif
