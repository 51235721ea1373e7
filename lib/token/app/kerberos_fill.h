/* SPDX-License-Identifier: Apache-2.0 */
/*
 * kerberos_fill.h: parts of Kerberos' messages that no token tells, made up for samples: each about n bytes long, so that the length
 * has the same token.
 */
#ifndef WSPI_KERBEROS_FILL_H
#define WSPI_KERBEROS_FILL_H

#include "token/app/ber.h"

/* The value of data for authentication: a ticket with its use, a time stamp, keys' salts, wishes; of other types nothing. */
void wspi_kerberos_padata(wspi_coder *c, uint64_t type, size_t n);
/* Data of an error: how to authenticate. */
void wspi_kerberos_methods(wspi_coder *c, size_t n);
/* The inside of EncryptedData. */
void wspi_kerberos_encrypted(wspi_coder *c, size_t n);
/* The inside of a list of addresses: the NetBIOS name of the client. */
void wspi_kerberos_addresses(wspi_coder *c, size_t n);
/* One more string of a name; more numbers of ciphers. */
void wspi_kerberos_name(wspi_coder *c, size_t n);
void wspi_kerberos_etypes(wspi_coder *c, size_t n);

#endif
