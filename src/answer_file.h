/* SPDX-License-Identifier: Apache-2.0 */
/* answer_file.h: every answer of a model beside what is right, as JSON lines, for whoever computes scores of their own. */
#ifndef WSP_ANSWER_FILE_H
#define WSP_ANSWER_FILE_H

#include "wirespeak/score.h"

typedef struct answer_file {
    const wsp_model *m;
    const wsp_tokens *t;     /* the set that was asked about */
    const uint32_t *flow;    /* [n_flows] the numbers of its flows */
    const wsp_replies *said; /* of it */
    bool by_capture;         /* the rows are captures */
} answer_file;

/* A line for each head and each row that has a label of that head. The file appears whole or not at all. */
wsp_status answer_file_write(const answer_file *a, const char *path, wsp_error *err);

#endif
