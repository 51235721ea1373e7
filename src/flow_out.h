/* SPDX-License-Identifier: Apache-2.0 */
/* flow_out.h: labelled flows as a table, as JSON lines with Suricata's names or as CSV; the same by class. */
#ifndef WSP_FLOW_OUT_H
#define WSP_FLOW_OUT_H

#include <stdio.h>

#include "beside.h"
#include "line.h"
#include "verdict.h"

typedef enum out_format { OUT_TABLE, OUT_JSONL, OUT_CSV } out_format;

/* How flows are printed: the question says which heads there are. */
typedef struct flow_out {
    const question *q;
    out_format format;
    size_t top;    /* so many labels of each head, 1: the likeliest alone */
    ranked *ranks; /* [top] room for them, of one head at a time; NULL: top is 1 */
    bool ndpi;     /* its word beside ours */
    linebuf *line; /* where records are made, one at a time */
} flow_out;

/* One flow; all is borrowed. */
typedef struct flow_record {
    const answers *a;
    size_t at;   /* in the answers */
    uint64_t id; /* unique in a run */
    const wsp_flow *flow;
    const char *capture; /* its name, fit to be printed */
    const beside_word *ndpi;
} flow_record;

/* Makes ranks for what is asked, of no more labels than the largest head has; an exit status. free() them. */
int flow_out_make_room(flow_out *o);

/* The line above the first flow; JSON lines have none. */
int flow_out_title(const flow_out *o, FILE *to);
/* Returns an exit status. A full disk shows when the stream is closed. */
int flow_out_flow(const flow_out *o, const flow_record *r, FILE *to);

/* A value as RFC 4180 quotes it. */
void flow_out_csv_text(FILE *to, const char *s);
/* Titles of the columns that each head of a table has, and of what stands behind each. */
void flow_out_table_heads(const flow_out *o, FILE *to, const char *behind);

/* Flows by the labels of each head. Zeros: none yet. */
typedef struct class_tally {
    uint64_t flows, packets, bytes;
    double confidence;
} class_tally;
typedef struct flow_sums {
    class_tally
        *of[CLI_LIST_MAX]; /* [heads of the question] of [n_labels + 1], the last is "unknown" */
    uint64_t flows, packets, bytes;
} flow_sums;

int flow_sums_add(flow_sums *s, const question *q, const flow_record *r);
/* One line a class, the most flows first. */
int flow_sums_print(const flow_sums *s, const question *q, out_format format);
/* "12 DNS, 3 TLS, 1 unknown": the most frequent answers of the first head. */
void flow_sums_brief(const flow_sums *s, const question *q, char *buf, size_t size);
void flow_sums_clear(flow_sums *s);

#endif
