/* SPDX-License-Identifier: Apache-2.0 */
/* tls_hello.h: the fields of TLS, and its hellos. */
#ifndef WSPI_TLS_HELLO_H
#define WSPI_TLS_HELLO_H

#include "token/app/app.h"

enum {
    RECORD,
    PROTOCOL,
    LENGTH,
    HANDSHAKE,
    BODY,
    HELLO,
    SESSION,
    CIPHER,
    EXTENSION,
    EXTLEN,
    OFFERED,
    GROUP,
    SIGALG,
    COOKIE, /* its length; this and the next one are of DTLS only */
    SRTP,
    FIELDS,
    /* No fields: bytes of this direction's message that are still to come, and its type; and */
    MESSAGE_LEFT = FIELDS,
    MESSAGE_TYPE,
    STAPLES /* has the hello of this direction asked for, or promised, the status of the certificate? */
};

enum { MESSAGE_HEAD = 4 };

/* The body of a hello, which follows the head of its message, up to `end`. */
void wspi_tls_say_hello(wspi_coder *c, size_t end, bool client);

#endif
