/* SPDX-License-Identifier: Apache-2.0 */
/*
 * kerberos_samples.h: parts of Kerberos' messages that no token tells, made up for samples: each about n bytes long, so that the length
 * has the same token.
 */
#ifndef WSPI_KERBEROS_SAMPLES_H
#define WSPI_KERBEROS_SAMPLES_H

#include "token/app/ber.h"

/* The value of data for authentication: a ticket with its use, a time stamp, keys' salts, wishes; of other types nothing. */
void wspi_kerberos_padata(wspi_coder *c, uint64_t type, size_t n);
/* Data of an error: how to authenticate. */
void wspi_kerberos_methods(wspi_coder *c, size_t n);
/* The inside of EncryptedData. */
void wspi_kerberos_encrypted(wspi_coder *c, size_t n);
/* The inside of a list of addresses: the NetBIOS name of the client. */
void wspi_kerberos_addresses(wspi_coder *c, size_t n);

/*
 * Who speaks of whom is the same in all messages of a flow: a client of a realm asks for tickets for its tickets, or for a service on a
 * host (RFC 4120 6.2, 7.3). The bytes of a name.
 */
enum wspi_kerberos_who {
    WSPI_KERBEROS_REALM,
    WSPI_KERBEROS_CLIENT,
    WSPI_KERBEROS_TICKETS,
    WSPI_KERBEROS_SERVICE,
    WSPI_KERBEROS_HOST
};
enum { WSPI_KERBEROS_LONGEST = 24 };
size_t wspi_kerberos_who(const wspi_coder *c, enum wspi_kerberos_who who,
                         char s[WSPI_KERBEROS_LONGEST]);
/* Times, as numbers of 14 digits: now, the end of tickets and of their renewal. Microseconds of now. */
uint64_t wspi_kerberos_now(const wspi_coder *c);
uint64_t wspi_kerberos_till(const wspi_coder *c);
uint64_t wspi_kerberos_renew(const wspi_coder *c);
uint64_t wspi_kerberos_micros(const wspi_coder *c);

#endif
