/* SPDX-License-Identifier: Apache-2.0 */
/*
 * realism.h: what eval has to say of generated captures: one table whose columns are sets of flows and whose rows are
 * measures, in three forms: text, JSON, one HTML page.
 */
#ifndef WSP_REALISM_PAGE_H
#define WSP_REALISM_PAGE_H

#include <stdio.h>

#include "cli.h"
#include "tshark.h"
#include "wirespeak/realism.h"

/* Options of eval that are for generated captures alone. */
typedef struct generated_arguments {
    cli_list generated, real, train, asked; /* [NAME=]FILE; FILE; FILE; FILE */
    const char *canaries, *markov, *bytes;
    uint64_t bytes_ns; /* to train */
    size_t bytes_flows;
    size_t max_packets, common;
    bool all_fields;
} generated_arguments;

/* The rest of eval's that count here, too. */
typedef struct generated_context {
    const char *command, *model, *format, *html, *part;
    const cli_list *labels; /* HEAD=FILE */
    wsp_split_options split;
    unsigned threads;
} generated_context;

/* All of `eval --generated`; returns an exit status. */
int eval_generated(const generated_arguments *a, const generated_context *c);

enum { REALISM_COLUMNS = 16, REALISM_ROWS = 512, REALISM_CLASSES = 512 };

/* A set of flows. The first two are real ones against themselves. */
typedef struct realism_column {
    char name[128];
    wsp_traffic_counts counts;
    bool floor; /* two halves of the real captures */
    tshark_report shark;
    wsp_agreement *agreement; /* [n_agreement] */
    size_t n_agreement;
    wsp_copy *copies; /* [n_copies] */
    size_t n_copies;
} realism_column;

typedef enum realism_unit {
    REALISM_SHARE,  /* 0 to 1, smaller is better unless `high` */
    REALISM_NUMBER, /* a count */
    REALISM_SCORE,  /* 0 to 1 */
} realism_unit;

typedef struct realism_row {
    const char *section; /* static */
    char name[56];
    realism_unit unit;
    bool mean, high;           /* a summary of the rows above; larger is better */
    bool detail;               /* in the table only when all are asked for */
    double v[REALISM_COLUMNS]; /* NaN: not measured */
} realism_row;

typedef struct realism_report {
    realism_column column[REALISM_COLUMNS];
    size_t n_columns;
    realism_row row[REALISM_ROWS];
    size_t n_rows;
    size_t common; /* captures that make a copy a common one */
    size_t max_packets;
    bool tshark; /* was there one */
    bool train;  /* were there training captures */
} realism_report;

/* A new row, all of it NaN; NULL when the table is full. */
realism_row *realism_add(realism_report *r, const char *section, const char *name,
                         realism_unit unit);

void realism_table(const realism_report *r, bool all);
bool realism_json(const realism_report *r, FILE *to);
/* Returns an exit status, and says what was wrong. */
int realism_html(const realism_report *r, const char *path);

#endif
