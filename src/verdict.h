/* SPDX-License-Identifier: Apache-2.0 */
/* verdict.h: what is asked of a model about the flows of a set, and what its heads say. */
#ifndef WSP_VERDICT_H
#define WSP_VERDICT_H

#include "cli.h"
#include "wirespeak/task.h"

/* The heads that answer, the first of them first, how sure they have to be, and what else is wanted. */
typedef struct question {
    const wsp_model *m;
    size_t head[CLI_LIST_MAX], n;
    double least; /* below 0: the head's own threshold */
    bool early;   /* decisions after each packet */
    bool surprise, context;
    wsp_classify_options run;
    size_t max_packets; /* of a flow that the model reads */
} question;

/* Of all flows of a set. */
typedef struct answers {
    float **prob;      /* [heads of the model], NULL for those that are not asked */
    wsp_early **early; /* likewise */
    uint32_t *packets, *outside;
    float *surprise, *context; /* context: [flows][channels of the model] */
    wsp_runner_stats shared;
} answers;

typedef struct verdict {
    const char *head, *label; /* the label, or "unknown" */
    size_t number;            /* of the label; the head's n_labels for "unknown" */
    double confidence;        /* of the likeliest label, also when that is not said */
    bool outside;             /* of the head's field */
} verdict;

/* One of the labels of a head, by rank. */
typedef struct ranked {
    const char *label;
    double confidence;
} ranked;

int answers_ask(const question *q, const wsp_tokens *t, answers *a);
void answers_clear(const question *q, answers *a);

/* The answer that a head's probabilities are, and the k likeliest labels, or all that there are; returns how many. */
verdict verdict_of(const question *q, size_t head, const float *prob, bool outside);
size_t verdict_top(const question *q, size_t head, const float *prob, size_t k, ranked *out);

/* What the head says of a flow, and what it said after packet 0, 1, ... of it. */
verdict answers_verdict(const question *q, const answers *a, size_t head, size_t flow);
verdict answers_early(const question *q, const answers *a, size_t head, size_t flow, size_t packet);
/* The packet (1 is the first) since which the answer has been the last one's. */
uint32_t answers_decided(const question *q, const answers *a, size_t head, size_t flow);
size_t answers_top(const question *q, const answers *a, size_t head, size_t flow, size_t k,
                   ranked *out);

#endif
