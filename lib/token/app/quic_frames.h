/* SPDX-License-Identifier: Apache-2.0 */
/* quic_frames.h: the frames of QUIC's Initial packets, which everybody can open. */
#ifndef WSPI_QUIC_FRAMES_H
#define WSPI_QUIC_FRAMES_H

#include "token/app/app.h"

enum { WSPI_QUIC_FRAME = 8, WSPI_QUIC_RUN }; /* fields of quic.c that belong to frames */

/* Values of the first: types of frames, and CRYPTO frames that hold one hello and nothing else. */
enum wspi_quic_frame {
    WSPI_QUIC_PADDING = 0,
    WSPI_QUIC_PING = 1,
    WSPI_QUIC_ACK = 2,
    WSPI_QUIC_ACK_ECN = 3,
    WSPI_QUIC_CRYPTO = 6,
    WSPI_QUIC_CLOSE = 0x1c,
    WSPI_QUIC_CLIENT_HELLO = 0x106,
    WSPI_QUIC_SERVER_HELLO = 0x206
};

/*
 * A number of number_len bytes and frames up to `end`; false: there is no token of a frame, and nothing has happened. `hellos`: when
 * encoding, hellos are fields.
 */
bool wspi_quic_code_frames(wspi_coder *c, size_t number_len, size_t end, bool hellos);

#endif
