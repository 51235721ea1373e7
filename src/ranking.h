/* SPDX-License-Identifier: Apache-2.0 */
/* ranking.h: the n records with the highest score of a run that has any number of them. */
#ifndef WSP_RANKING_H
#define WSP_RANKING_H

#include "flow_out.h"

typedef struct ranking_item {
    double score;
    uint64_t number; /* decides between equal scores: the first stays */
    char *text;
} ranking_item;

/* Zeros but for n_max: none yet. */
typedef struct ranking {
    size_t n_max, n;
    uint64_t seen;
    ranking_item *items; /* a heap, the lowest score on top */
} ranking;

/* Keeps the record, as it is printed, if it is one of the n. Returns an exit status. */
int ranking_add(ranking *k, const flow_out *o, const flow_record *r, double score);
/* The highest first; then it is empty. */
void ranking_print(ranking *k, FILE *to);
void ranking_clear(ranking *k);

#endif
