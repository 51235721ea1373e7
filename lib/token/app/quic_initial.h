/* SPDX-License-Identifier: Apache-2.0 */
/* quic_initial.h: QUIC's Initial packets behind their headers, and what quic.c and quic_initial.c share. Private to them. */
#ifndef WSPI_QUIC_INITIAL_H
#define WSPI_QUIC_INITIAL_H

#include "token/app/quic_frames.h"

enum { TYPE, LOW, VER, DCIDLEN, SCIDLEN, TOKEN, LENGTH, VARINT, FRAME = WSPI_QUIC_FRAME, RUN };
enum { HAVE_VER = 1, HAVE_IDS = 2 }; /* mode: what a direction's long headers have told */
enum { LEAST_PACKET = 21 };          /* bytes that can be protected */
enum { WSPI_QUIC_MAX_OPEN = 4096 };  /* of a payload whose Initials are opened */

/* How an Initial is told: with the fields of hellos, as frames, as the bytes that it looks like. */
enum wspi_quic_form { FIELDS, FRAMES, SEALED };

/* One under the walk: where it starts, its sender's id, its length, its number; the direction had a long header before. */
typedef struct wspi_quic_initial {
    size_t start, id_at, length_at, at;
    bool again;
} wspi_quic_initial;

/* Has a direction told this? */
bool wspi_quic_have(const wspi_coder *c, int dir, unsigned what);

/* Samples: the length at [at, c->pay.at) becomes one that is in the datagram and not less than `least`. */
size_t wspi_quic_refit(wspi_coder *c, size_t at, size_t n, size_t least);

/* Encoding: opens the Initial that comes next in a copy of the payload. Only if protecting it again gives the same bytes. */
bool wspi_quic_open_ahead(const wspi_coder *c, uint8_t copy[WSPI_QUIC_MAX_OPEN]);

/* The n bytes from p->at on. Encoding in a form that is not sealed: the payload is open. */
void wspi_quic_initial_rest(wspi_coder *c, const wspi_quic_initial *p, size_t n,
                            enum wspi_quic_form form);

#endif
