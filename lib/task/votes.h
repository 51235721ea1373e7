/* SPDX-License-Identifier: Apache-2.0 */
/* votes.h: what a model's forest adds to the logits of its heads. */
#ifndef WSPI_VOTES_H
#define WSPI_VOTES_H

#include "task/task_int.h"

typedef struct wspi_votes wspi_votes;

/* *out is NULL for a model without a forest. ARG when the forest is not of these features. */
wsp_status wspi_votes_new(wspi_votes **out, const wsp_model *m, wsp_error *err) WSP_MUST_USE;
void wspi_votes_free(wspi_votes *v);

/* The flow that is asked for next: its first n packets, as the model reads them. v may be NULL. */
void wspi_votes_flow(wspi_votes *v, const wspi_said *packet, size_t n);
/* logits of a head: [n_labels] += log of the share of trees that vote so, while packets may follow. v may be NULL. */
void wspi_votes_add(wspi_votes *v, size_t head, float *logits);
/* What is missing when none will: after wspi_votes_add, of the same flow. v may be NULL. */
void wspi_votes_end(wspi_votes *v, size_t head, float *logits);

#endif
