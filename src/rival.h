/* SPDX-License-Identifier: Apache-2.0 */
/* rival.h: what a model says beside what others say of the same flows or captures, and how sure the difference is. */
#ifndef WSP_RIVAL_H
#define WSP_RIVAL_H

#include "wirespeak/score.h"

/*
 * The scores of a head with their intervals, over draws of captures. said [rows of the head]: what another classifier says, a label of the
 * head, n_labels for one that the head has not got, below 0 where it was not asked (these rows are left out); or NULL.
 */
wsp_status rival_spread(const wsp_replies *r, size_t head, const int32_t *said, wsp_spread *out,
                        wsp_error *err);

/*
 * What the head of the same name of another model says of the same set, as above: below 0 where the label is none of its own. False: it has no
 * such head, or nothing to say there.
 */
bool rival_said(const wsp_replies *theirs, const wsp_model *other, const wsp_head *mine,
                int32_t *said);

#endif
