/* SPDX-License-Identifier: Apache-2.0 */
/* features.h: flows as rows of numbers for tree classifiers. */
#ifndef WSPI_FEATURES_H
#define WSPI_FEATURES_H

#include "task/task_int.h"
#include "token/token_int.h"

enum { WSPI_BAG = 768, WSPI_FEATURES_MAX = 1023 };

/* Which numbers; chosen on training flows alone. */
typedef struct wspi_features {
    bool payload;           /* bytes and tokens of payloads, too */
    uint16_t bag[WSPI_BAG]; /* [n_bag] tokens that are counted */
    size_t n_bag;
    uint16_t place[WSPI_VOCAB_MAX]; /* 1 + where in the bag a token is, 0: it is not counted */
} wspi_features;

/* label [n_flows], < 0: left out. The set holds what a policy has left of the tokens. */
wsp_status wspi_features_choose(wspi_features *f, const wsp_tokens *t, const int32_t *label,
                                size_t n_labels, bool payload) WSP_MUST_USE;
/* With that bag. */
void wspi_features_set(wspi_features *f, bool payload, const uint16_t *bag, size_t n_bag);
size_t wspi_features_count(const wspi_features *f);
/* A flow of a set, packet by packet, in memory that grows and is reused. */
wsp_status wspi_said_of(const wsp_tokens *t, size_t flow, wspi_said **packet, size_t *cap,
                        size_t *n) WSP_MUST_USE;
/* Of a flow's first n packets. x: [count] */
void wspi_features_flow(const wspi_features *f, const wspi_said *packet, size_t n, float *x);
/* x: [n_flows][count] */
wsp_status wspi_features_make(const wspi_features *f, const wsp_tokens *t, float *x) WSP_MUST_USE;

#endif
