/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bits.h: what captures take when their tokens and residuals are coded by their frequencies, beside what general
 * compressors make of the same packets. The tokenizer shows it all that it reads; nothing is kept but counts.
 */
#ifndef WSPI_BITS_H
#define WSPI_BITS_H

#include "base/base.h"
#include "wirespeak/token.h"

typedef struct wspi_bits wspi_bits;

wsp_status wspi_bits_new(wspi_bits **out) WSP_MUST_USE;
void wspi_bits_free(wspi_bits *b);

/* A capture begins; its packets, in their order; its flows, each when it has ended. */
wsp_status wspi_bits_capture(wspi_bits *b, int linktype) WSP_MUST_USE;
wsp_status wspi_bits_packet(wspi_bits *b, const wsp_frame *frame) WSP_MUST_USE;
wsp_status wspi_bits_flow(wspi_bits *b, const uint16_t *ids, size_t n, const uint8_t *resid,
                          size_t n_resid) WSP_MUST_USE;

/* The sizes; nothing may be shown after it. */
wsp_status wspi_bits_finish(wspi_bits *b, wsp_sizes *out, wsp_error *err) WSP_MUST_USE;

#endif
