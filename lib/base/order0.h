/* SPDX-License-Identifier: Apache-2.0 */
/*
 * order0.h: an adaptive arithmetic coder of order 0. Every symbol is coded by how often it came before, whatever
 * stands beside it: what is left is the entropy of the symbols, as bytes.
 */
#ifndef WSPI_ORDER0_H
#define WSPI_ORDER0_H

#include "base/base.h"

/*
 * One stream of symbols 0..n-1, written or read. Both sides learn the same counts, so the stream holds nothing but
 * the symbols; how many they are is for the caller to know. A handle is used one way.
 */
typedef struct wspi_order0 wspi_order0;

enum { WSPI_ORDER0_MAX = 65536 };

/* n: 1..WSPI_ORDER0_MAX, else ARG. */
wsp_status wspi_order0_new(wspi_order0 **out, uint32_t n) WSP_MUST_USE;
void wspi_order0_free(wspi_order0 *o);

/* Where coded bytes go (borrowed). Without it, or with NULL, they are counted and dropped. */
void wspi_order0_to(wspi_order0 *o, wspi_buf *to);
/* ARG for a symbol that is not below n; LIMIT or NOMEM of the buffer: the stream is lost then. */
wsp_status wspi_order0_put(wspi_order0 *o, uint32_t symbol) WSP_MUST_USE;
/* Writes what is still held back; nothing may be put after it. */
wsp_status wspi_order0_finish(wspi_order0 *o) WSP_MUST_USE;
/* Bytes of the stream so far; all of them after wspi_order0_finish. */
uint64_t wspi_order0_size(const wspi_order0 *o);

/* Reads a finished stream (borrowed). Any bytes are fine: foreign ones give some symbols below n. */
void wspi_order0_from(wspi_order0 *o, const uint8_t *p, size_t len);
uint32_t wspi_order0_get(wspi_order0 *o);

#endif
