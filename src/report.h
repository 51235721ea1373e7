/* SPDX-License-Identifier: Apache-2.0 */
/* report.h: what eval has to say of a model, and its three forms: table, JSON lines, one HTML page. */
#ifndef WSP_REPORT_H
#define WSP_REPORT_H

#include <stdio.h>

#include "wirespeak/task.h"

/* Why there is a row beside the model's own. */
typedef enum report_kind {
    REPORT_BASELINE, /* another classifier on the same flows */
    REPORT_EARLY,    /* the model after the first packets */
    REPORT_KINDS,
} report_kind;

typedef struct report_row {
    report_kind kind;
    char name[40];
    size_t packets; /* of REPORT_EARLY; 0 = all */
    size_t flows;
    double accuracy, macro_f1;
} report_row;

enum { REPORT_ROWS = 32 };

/* One head. */
typedef struct report_head {
    const wsp_head *head;     /* borrowed */
    const wsp_metrics *score; /* borrowed */
    report_row rows[REPORT_ROWS];
    size_t n_rows;
} report_head;

typedef struct report {
    const char *model, *test; /* names of files */
    size_t parameters, flows; /* flows that the model has read */
    double seconds;           /* that it took */
    report_head *heads;
    size_t n_heads;
} report;

/* Beyond REPORT_ROWS: nothing. */
void report_add(report_head *h, report_kind kind, const char *name, size_t packets,
                const wsp_metrics *score);

void report_table(const report *r, bool per_class);

/* One object a line for each head. */
bool report_json(const report *r, FILE *to);

/* A page that needs nothing else. Returns an exit status and says what was wrong. */
int report_html(const report *r, const char *path);

#endif
