/* SPDX-License-Identifier: Apache-2.0 */
/*
 * unseen.h: which units of a corpus show a parser something new: a token that no unit before has had, or one behind another; text
 * aside. Two neighbours are much what a step in a parser's program is.
 */
#ifndef WSP_UNSEEN_H
#define WSP_UNSEEN_H

#include "wirespeak/capture.h"

typedef struct unseen unseen;

/* What has been seen of one unit. Zero is nothing. */
typedef struct unseen_unit {
    void *context; /* of the codec */
    uint64_t packets;
    uint32_t *features; /* tokens and pairs */
    size_t n, cap;
} unseen_unit;

wsp_status unseen_new(unseen **out, int linktype) WSP_MUST_USE;
void unseen_free(unseen *v);
/* The unit's next packet. NOMEM only. */
wsp_status unseen_add(unseen *v, unseen_unit *u, const wsp_frame *frame, int dir) WSP_MUST_USE;
/* Is there something new in the unit, which is complete: a token, or a pair where these count? It is not new any more. */
bool unseen_take(unseen *v, unseen_unit *u, bool pairs);
void unseen_unit_clear(unseen_unit *u);

/*
 * The next of n units to be chosen after those that are: the one with most tokens and pairs that the others have not; SIZE_MAX when
 * none has any. Units that were taken; seen: [unseen_features()] zeros at first.
 */
size_t unseen_features(void);
size_t unseen_best(const unseen_unit *const *unit, size_t n, uint8_t *seen);

#endif
