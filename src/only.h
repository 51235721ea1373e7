/* SPDX-License-Identifier: Apache-2.0 */
/* only.h: the answers that somebody wants to see the flows of, and no other flows. */
#ifndef WSP_ONLY_H
#define WSP_ONLY_H

#include "verdict.h"

/* Labels of heads; the head's n_labels is "unknown". n = 0: all flows are wanted. */
typedef struct only {
    struct {
        size_t head, label;
    } of[CLI_LIST_MAX];
    size_t n;
} only;

/*
 * Each word is "HEAD:LABEL", or a label: that of the first head that is asked and has it ("unknown": all have it), else that of the one
 * head of the model that has it. These heads are asked, too. Returns an exit status.
 */
int only_find(only *o, const cli_list *words, question *q);

/* Is the flow's answer one of them? */
bool only_wants(const only *o, const question *q, const answers *a, size_t flow);

#endif
