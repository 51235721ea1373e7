/* SPDX-License-Identifier: Apache-2.0 */
/* report.h: what eval has to say of a model, and its three forms: table, JSON lines, one HTML page. */
#ifndef WSP_REPORT_H
#define WSP_REPORT_H

#include <stdio.h>

#include "wirespeak/score.h"

/* Why there is a row beside the model's own. */
typedef enum report_kind {
    REPORT_BASELINE, /* another classifier on the same flows */
    REPORT_EARLY,    /* the model after the first packets */
    REPORT_CHANGE,   /* the model on changed captures or tokens */
    REPORT_RIVAL,    /* another model on the same flows */
    REPORT_KINDS,
} report_kind;

typedef struct report_row {
    report_kind kind;
    char name[40];
    const char *model; /* of REPORT_RIVAL, its file. Borrowed */
    size_t packets;    /* of REPORT_EARLY; 0 = all */
    size_t flows;      /* or captures */
    double accuracy, macro_f1;
    bool paired;         /* of REPORT_BASELINE and REPORT_RIVAL, row by row with the model: */
    wsp_spread spread;   /* how far the model is before it */
    bool compared;       /* of REPORT_CHANGE, flow by flow with the captures as they are: */
    size_t moved;        /* so many get another label */
    wsp_label_rate ndpi; /* of REPORT_CHANGE, what nDPI names then; zeros: not asked */
} report_row;

enum { REPORT_ROWS = 32 };

/* One head. */
typedef struct report_head {
    const wsp_head *head;     /* borrowed */
    const wsp_metrics *score; /* borrowed */
    const char *unit;         /* what is scored: "flows" or "captures" */
    wsp_captures captures;    /* of the latter */
    wsp_spread spread;        /* of its scores */
    report_row rows[REPORT_ROWS];
    size_t n_rows;
} report_head;

typedef struct report {
    const char *model, *test; /* names of files */
    size_t parameters, flows; /* flows that the model has read */
    bool by_capture;          /* captures are scored, not flows */
    double seconds;           /* that it took */
    wsp_label_rate ndpi;      /* what nDPI names of them; zeros: not asked */
    wsp_seen seen;            /* how many of them the model was trained on */
    report_head *heads;
    size_t n_heads;
} report;

/* A row with its scores filled in; beyond REPORT_ROWS: nothing. */
void report_add(report_head *h, const report_row *row, const wsp_metrics *score);

/* A row with the scores that its spread has of the second classifier. */
void report_add_spread(report_head *h, const report_row *row);

/* Shares of the flows of nDPI's: those that it names, those that it names right; NaN when it was not asked. */
double report_told(const wsp_label_rate *r);
double report_right(const wsp_label_rate *r);

/* Only the head that nDPI's protocols are beside has something to compare. */
bool report_speaks_of_ndpi(const report *r, const report_head *h);

void report_table(const report *r, bool per_class);

/* One object a line for each head. */
bool report_json(const report *r, FILE *to);

/* A page that needs nothing else. Returns an exit status and says what was wrong. */
int report_html(const report *r, const char *path);

#endif
