/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tls_offer.h: what a client's hello has offered, which the flow remembers, and what of it a server of samples may take. It is read
 * in the same way whether a hello is coded, decoded or drawn, and no token of a recorded one depends on it.
 */
#ifndef WSPI_TLS_OFFER_H
#define WSPI_TLS_OFFER_H

#include "token/app/tls_flight.h"
#include "token/app/tls_hello.h"

/*
 * No fields: what a direction's last hello has, behind what TLS, DTLS and QUIC remember. The first ones are rows of tls_lists.h, a bit
 * each.
 */
enum {
    OFFER_CIPHERS = 20,
    OFFER_EXTENSIONS,
    OFFER_VERSIONS,
    OFFER_GROUPS,
    OFFER_SIGALGS,
    OFFER_PROFILES,
    OFFER_SHARES,  /* groups that there is a key of */
    OFFER_MORE,    /* the version that the hello begins with, and WSPI_OFFER_... */
    OFFER_SESSION, /* in DTLS, of a client, the order of its ciphers */
    OFFER_END = OFFER_SESSION + 4
};
_Static_assert((int)OFFER_END <= (int)WSPI_APP_FIELDS, "there is room for what hellos offer");

/* A hello was read; it has a ticket; names of ALPN; in DTLS, from this bit on, how many ciphers it has. The length of the session's id. */
#define WSPI_OFFER_KNOWN  (UINT64_C(1) << 16)
#define WSPI_OFFER_TICKET (UINT64_C(1) << 17)
enum { WSPI_OFFER_NAMES = 18, WSPI_OFFER_LENGTH = 24, WSPI_OFFER_COUNT = 32 };
enum { WSPI_NAME_H2 = 1, WSPI_NAME_HTTP1 = 2 };

/* ---- what a hello has: the walk tells it as it goes ---- */

void wspi_tls_offer_begin(wspi_coder *c, uint64_t version);
/* A value of the list of field f, an extension among them. */
void wspi_tls_offer_value(wspi_coder *c, unsigned f, uint64_t v);
/* The id of a session, of n bytes from `at` on. */
void wspi_tls_offer_session(wspi_coder *c, size_t at, size_t n);
/* The body of an extension from `at` on, which has been passed. */
void wspi_tls_offer_body(wspi_coder *c, uint64_t type, size_t at, bool client);

/* ---- samples: of field f these rows only ---- */

/* It was told behind token `pos`, or is as predicted, which may not be where that does not fit. */
void wspi_tls_keep(wspi_coder *c, unsigned f, uint64_t rows, size_t pos, bool fits);

/* ---- samples: what clients may offer, so that a server can take it ---- */

/* Rows that the list of field f may not have. */
uint64_t wspi_tls_unfit(const wspi_coder *c, unsigned f, bool client);
/*
 * A client of DTLS says its hello again with the same ciphers, and the same of the other lists (RFC 6347 4.2.1): rows of which one comes next as
 * the nth of the list of field f. false: it says hello for the first time.
 */
bool wspi_tls_again(const wspi_coder *c, unsigned f, size_t nth, uint64_t *rows);
/* The version of the hello of before; 0: it is the first. */
uint64_t wspi_tls_said_version(const wspi_coder *c);
/* Rows of which the list has to have one more; 0: none. */
uint64_t wspi_tls_missing(const wspi_coder *c, unsigned f, bool client);
/* Of a client's extensions the rows that may not be; those that have to be are added to *needs. */
uint64_t wspi_tls_unfit_extensions(const wspi_coder *c, uint64_t *needs);
/* The group that this side has a key of. */
uint16_t wspi_tls_share(const wspi_coder *c, bool client);

/* ---- samples: what the server may take ---- */

/* What the other side's hello has offered; zeros where none is known. */
const uint64_t *wspi_tls_offered(const wspi_coder *c);
/* Versions that a server's hello may begin with, as rows; 0: none is known, or it has to refuse. */
uint64_t wspi_tls_versions(const wspi_coder *c);
/* Must it be 1.3, now that its hello has begun? Then the session's id is the client's (RFC 8446 4.1.3). */
bool wspi_tls_echoes(const wspi_coder *c);
/* The length of the session's id in this side's hello; and the client's id over it, from `at` on. */
size_t wspi_tls_session(const wspi_coder *c);
void wspi_tls_echo(wspi_coder *c, size_t at);
/* A session of TLS up to 1.2 goes on: its id is the client's, where the hello is in this segment. */
void wspi_tls_resume(wspi_coder *c);
/* Ciphers; 0: any. */
uint64_t wspi_tls_suites(const wspi_coder *c);
/* Of the server's extensions the rows that may not be, and those that have to be. */
uint64_t wspi_tls_untaken(const wspi_coder *c, uint64_t *needs);
/* Can nothing that is offered be taken? */
bool wspi_tls_must_refuse(const wspi_coder *c);
/* Is the cipher one of TLS 1.3? */
bool wspi_tls_is_new(uint64_t cipher);
/* Keys and signatures of the messages after the hellos, and whether a ticket was promised. */
void wspi_tls_agree(const wspi_coder *c, const uint64_t *client, const uint64_t *server,
                    wspi_tls_turn *turn);

#endif
