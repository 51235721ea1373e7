/* SPDX-License-Identifier: Apache-2.0 */
/* labelling.h: label lists of a command line (HEAD=FILE), and the label columns that grow with the flows. */
#ifndef WSP_LABELLING_H
#define WSP_LABELLING_H

#include "cli.h"
#include "wirespeak/task.h"

/* Zeros: no lists. */
typedef struct labelling {
    size_t n, cap, flows;
    size_t all, joined[CLI_LIST_MAX]; /* flows of the run, and those of them in each list */
    char head[CLI_LIST_MAX][WSP_HEAD_NAME];
    wsp_labels *lists[CLI_LIST_MAX];
    int32_t *columns[CLI_LIST_MAX];
} labelling;

/* A name that no head can have ends the program as a mistake in the use of `command`. */
void labelling_check_head(const char *command, const char *name);

/* Loads the lists; what is no HEAD=FILE ends the program as a mistake in the use of `command`. */
wsp_status labelling_load(labelling *l, const char *command, const cli_list *list, wsp_error *err);

/* The next flow of the run, with its key as the lists have it. */
wsp_status labelling_flow(labelling *l, const char *capture, const wsp_flow_key *key);

/* Columns for the flows so far, which are all of the set's; the next flow is the first of another set. */
wsp_status labelling_attach(labelling *l, wsp_tokens *t, wsp_error *err);

/* Warns of lists that have no flow of the run: their paths are others, it seems. */
void labelling_tell(const labelling *l, const cli_list *list);

void labelling_clear(labelling *l);

#endif
