/* SPDX-License-Identifier: Apache-2.0 */
/* tls_flight.h: what samples of TLS up to 1.2 say between the hellos and the change of the cipher, and when. */
#ifndef WSPI_TLS_FLIGHT_H
#define WSPI_TLS_FLIGHT_H

#include "base/base.h"

/* Handshake types (RFC 5246 7.4, RFC 5077 3.3), and what is none: a change of the cipher, an alert that ends it (7.2). */
enum {
    WSPI_TLS_CLIENT_HELLO = 1,
    WSPI_TLS_SERVER_HELLO = 2,
    WSPI_TLS_TICKET = 4,
    WSPI_TLS_CERTIFICATE = 11,
    WSPI_TLS_SERVER_KEY = 12,
    WSPI_TLS_SERVER_DONE = 14,
    WSPI_TLS_CLIENT_KEY = 16,
    WSPI_TLS_STATUS = 22, /* RFC 6066 8 */
    WSPI_TLS_CHANGE = 256,
    WSPI_TLS_FATAL
};
enum { WSPI_TLS_BODY_MAX = 8192 };

/* How far a handshake is. OPEN: nothing more is told, as after the hellos of TLS 1.3. REFUSED: nobody says any more. */
enum wspi_tls_stage {
    WSPI_TLS_NEW,
    WSPI_TLS_ASKED,
    WSPI_TLS_ANSWERED,
    WSPI_TLS_CERTIFIED,
    WSPI_TLS_KEYED,
    WSPI_TLS_DONE,
    WSPI_TLS_CLIENT_KEYED,
    WSPI_TLS_CHANGED,
    WSPI_TLS_TICKETED,
    WSPI_TLS_OPEN,
    WSPI_TLS_REFUSED,
    WSPI_TLS_STAPLING /* behind a certificate whose status comes next */
};

/* Who speaks in which connection. */
typedef struct wspi_tls_turn {
    uint64_t seed, start_ns;  /* of the flow: with the same seed the same is said again */
    uint16_t cipher, version; /* of the server's hello */
    bool server;
    bool secret;               /* it has chosen TLS 1.3 */
    bool staples;              /* it says that a status comes behind its certificate */
    bool not_p256, not_x25519; /* curves that the client does not know */
    uint16_t rsa, ecdsa;       /* how it is signed, of what the client knows; 0: any */
    bool tickets;              /* the server promises a ticket */
    bool resumes;              /* it may go on with a session of before */
} wspi_tls_turn;

/* How keys are agreed on. */
enum wspi_tls_exchange {
    WSPI_TLS_ECDHE, /* signed with RSA */
    WSPI_TLS_ECDHE_ECDSA,
    WSPI_TLS_DHE,
    WSPI_TLS_RSA,
    WSPI_TLS_UNTOLD
};
unsigned wspi_tls_exchange(uint16_t cipher);

/* May this message come now? Any of those that are not hellos? */
bool wspi_tls_may_say(unsigned stage, const wspi_tls_turn *turn, unsigned type);
bool wspi_tls_has_more(unsigned stage, const wspi_tls_turn *turn);
/* The stage after it. Real handshakes have messages of other types, and in other places: they change nothing. */
unsigned wspi_tls_after(unsigned stage, const wspi_tls_turn *turn, unsigned type);

/* Whose turn is it (-1: anybody's; -2: nobody's)? */
int wspi_tls_speaker(unsigned stage);
/* Records of a side whose cipher is not changed, as bits. */
enum {
    WSPI_TLS_IS_DATA = 1,
    WSPI_TLS_IS_MESSAGE = 2,
    WSPI_TLS_IS_CHANGE = 4,
    WSPI_TLS_IS_ALERT = 8
};
unsigned wspi_tls_records(unsigned stage, const wspi_tls_turn *turn);
/* May this side refuse what the other has said? With which alert (level, description: RFC 5246 7.2)? */
bool wspi_tls_may_refuse(unsigned stage, bool server);
uint16_t wspi_tls_refusal(const wspi_tls_turn *turn);

/* The length of the body that is as near as can be to what is wanted; false: it is of no type that is made up. */
bool wspi_tls_body_len(const wspi_tls_turn *turn, unsigned type, size_t want, size_t *len);
void wspi_tls_body(uint8_t b[WSPI_TLS_BODY_MAX], const wspi_tls_turn *turn, unsigned type,
                   size_t len);

#endif
