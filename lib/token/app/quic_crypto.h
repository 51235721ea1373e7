/* SPDX-License-Identifier: Apache-2.0 */
/*
 * quic_crypto.h: the protection of QUIC's Initial packets. Nothing of it is secret: the keys follow from the version and
 * the destination id of the client's first packet, which everybody on the way sees.
 */
#ifndef WSPI_QUIC_CRYPTO_H
#define WSPI_QUIC_CRYPTO_H

#include "base/base.h"

enum { WSPI_QUIC_TAG = 16, WSPI_QUIC_SAMPLE = 4 }; /* bytes; from the number to the header's mask */

/* Of one direction: of the packets, their nonces, and their headers. */
typedef struct wspi_quic_keys {
    uint8_t key[16], iv[12], hp[16];
} wspi_quic_keys;

/* An Initial packet: its bytes, its length, and where its number starts. */
typedef struct wspi_quic_packet {
    uint8_t *b;
    size_t len, number_at;
    size_t number_len; /* 1 to 4 */
    uint64_t number;
} wspi_quic_packet;

/* The keys of the client's or the server's Initials, from the client's first id. false: a version whose salt is not known, or no memory. */
bool wspi_quic_make_keys(wspi_quic_keys *k, uint64_t version, const uint8_t *first,
                         size_t first_len, bool server);

/*
 * Protects a packet in place: header, number and plain frames are there, and room for the tag is behind them. false: it is too
 * short to be protected, or no memory; the bytes are then what they were, or rubbish.
 */
bool wspi_quic_protect(const wspi_quic_keys *k, const wspi_quic_packet *p);

/* Opens a packet in place: number and number_len come out. false: it is not protected with these keys; the bytes are rubbish. */
bool wspi_quic_open(const wspi_quic_keys *k, wspi_quic_packet *p);

#endif
