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

/* An open packet behind its header. */
typedef struct wspi_quic_body {
    size_t number_len, end;
    bool hellos;       /* encoding: hellos are fields */
    bool first, heard; /* samples: the side says hello; the other has said so */
} wspi_quic_body;

/* Its number and frames up to the end; false: there is no token of a frame, and nothing has happened. */
bool wspi_quic_code_frames(wspi_coder *c, const wspi_quic_body *body);

#endif
