/* SPDX-License-Identifier: Apache-2.0 */
/*
 * deviate_int.h: a packet as a draft: its layers, payload and trailer may be changed, then it becomes a frame again, in
 * which all is computed that was computed before and is not said to be wrong. And the deviations of a draft.
 */
#ifndef WSPI_DEVIATE_INT_H
#define WSPI_DEVIATE_INT_H

#include "base/base.h"
#include "token/token_int.h"
#include "wirespeak/deviate.h"

enum { WSPI_DRAFT_MAX = 65535 }; /* bytes of a frame that a deviation makes */

typedef struct wspi_draft {
    wsp_packet *p; /* layers; clear a bit of autos and the field keeps what it is given */
    wsp_residual *resid;
    wspi_spans spans;          /* of the payload as it was read */
    wspi_buf payload, trailer; /* captured bytes */
    uint32_t cut, trailer_cut; /* bytes of them that were on the wire and not captured */
    wspi_buf frame, second;    /* what wspi_draft_build made; a frame that comes right after it */
    uint32_t wirelen;
    bool built;  /* a deviation has made the frame itself */
    bool inside; /* for deviations: the payload alone may be changed */
    bool lies;   /* a length of a header is not right: checksums are over what it tells */
    bool hold;   /* it wants to come after the flow's next packet */
} wspi_draft;

wsp_status wspi_draft_init(wspi_draft *d) WSP_MUST_USE;
void wspi_draft_clear(wspi_draft *d);
/* Reads the frame. NOMEM only. */
wsp_status wspi_draft_read(wspi_draft *d, int linktype, const wsp_frame *frame) WSP_MUST_USE;
/* Codes it against the context, which moves on, and so finds the spans; before anything is changed. */
wsp_status wspi_draft_find(wspi_draft *d, wsp_context *ctx, int dir, uint64_t number) WSP_MUST_USE;
/* Makes d->frame. */
wsp_status wspi_draft_build(wspi_draft *d) WSP_MUST_USE;
/*
 * Other bytes in the place of [from, to) of the payload; lengths around them grow with it, or shrink. Spans behind them are
 * wrong then: there are none any more. false: no room for more than there was.
 */
bool wspi_draft_replace(wspi_draft *d, uint32_t from, uint32_t to, const uint8_t *bytes, size_t n);
/* Writes the checksums that are computed over as much as the lengths of headers say, right or wrong, where readers go by these. */
void wspi_sum_as_told(wsp_packet *p, uint8_t *frame);
/* The innermost own layer of this kind; NULL: there is none. */
wspi_layer *wspi_draft_layer(const wspi_draft *d, uint8_t id);

/* Kinds below this one are placed in packets that are there. */
enum { WSPI_PLACED = WSP_DEVIATE_RARE };

/* Makes one deviation of this kind, a placed one: false when the packet has no place for it. early: one of the first of its flow. */
bool wspi_deviate(wspi_draft *d, wsp_deviation_kind kind, bool early, wspi_rng *rng,
                  wsp_deviation *log);

/* Another value of a field of `width` bits: an edge of its range, or near to what it was, or anything. */
uint64_t wspi_odd_value(wspi_rng *rng, unsigned width, uint64_t v);
/* One of the values that the field's table lists; v: it lists none. */
uint64_t wspi_odd_listed(wspi_rng *rng, const wspi_field *d, uint64_t v);
/* Another value of a header field: also the numbers that its table or its space lists. */
uint64_t wspi_odd_field(wspi_rng *rng, const wspi_layer *l, size_t f);

#endif
