/* SPDX-License-Identifier: Apache-2.0 */
/* quic_hello.h: what samples say in QUIC's Initial packets, before it is protected, and in extensions of TLS. */
#ifndef WSPI_QUIC_HELLO_H
#define WSPI_QUIC_HELLO_H

#include "base/base.h"

enum { WSPI_QUIC_FRAMES = 512 }; /* no sample says more, padding aside */

/* Who speaks, and when. */
typedef struct wspi_quic_turn {
    uint64_t seed,
        version; /* of the flow: with the same seed a side says the same again; 0: TLS over TCP */
    bool server;
    bool first;        /* it has not said hello yet */
    bool heard;        /* the other side has sent its first Initial, whose number is 0 */
    const uint8_t *id; /* its own, which the client's hello repeats (RFC 9000 7.3) */
    size_t id_len;
    uint16_t group; /* that it has a key of; 0: X25519 */
    unsigned names; /* of ALPN over TCP, that a client has offered: 1 HTTP/2, 2 HTTP/1.1; 0: any */
    size_t want; /* how long the body of an extension should be, where that can be chosen; 0: any */
} wspi_quic_turn;

/* The frames of this turn into b; returns how many bytes. PADDING may follow. */
size_t wspi_quic_frames(uint8_t b[WSPI_QUIC_FRAMES], const wspi_quic_turn *turn);

/*
 * The body of an extension that a hello of this turn has; returns its length, or 0 if it is none that can be made up. What a client supports, but
 * for keys, may be told otherwise: see tls.c.
 */
size_t wspi_quic_extension(uint8_t b[WSPI_QUIC_FRAMES], const wspi_quic_turn *turn, uint64_t type);

#endif
