/* SPDX-License-Identifier: Apache-2.0 */
/* beside.h: what nDPI says of the flows that the model labels, and how often the two disagree. */
#ifndef WSP_BESIDE_H
#define WSP_BESIDE_H

#include <jansson.h>

#include "line.h"
#include "wirespeak/task.h"

/* nDPI's side. Zeros: nothing yet. */
typedef struct beside {
    wsp_labeller *labeller;   /* one a capture: nDPI remembers across flows */
    wsp_labeller_flow **flow; /* [cap] open flows of the capture by id */
    size_t cap;
    char **word; /* [n_words] every string that nDPI said, once */
    size_t n_words, cap_words;
    struct beside_pair *pair; /* [n_pairs] flows by our label and theirs */
    size_t n_pairs, cap_pairs;
} beside;

/* What nDPI said of a flow; strings live as long as the beside. Zeros: it saw no IP. */
typedef struct beside_word {
    const char *protocol, *service, *master, *app, *category, *source;
    uint32_t packets;
} beside_word;

wsp_status beside_capture(beside *b, wsp_error *err);
wsp_status beside_packet(beside *b, const wsp_flow *flow, const wsp_packet *p, uint64_t time_ns);
wsp_status beside_end(beside *b, const wsp_flow *flow, beside_word *out);
void beside_clear(beside *b);

/* Its member "ndpi" of a record, after a comma. */
void beside_put(linebuf *l, const beside_word *w);

/* Counts a flow for the comparison; ours is a label that lives as long. */
wsp_status beside_compare(beside *b, const char *ours, const beside_word *w);
/* In a few lines on standard error: how many flows both name, on how many they disagree, and how. */
void beside_report(const beside *b, const char *head);
/* The same as an object. NULL: no memory. */
json_t *beside_summary(const beside *b, const char *head);

#endif
