/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tls_cert.h: X.509 certificates that samples show, of any length that one can have, and what is said of them by OCSP. Nobody has
 * their keys.
 */
#ifndef WSPI_TLS_CERT_H
#define WSPI_TLS_CERT_H

#include "base/base.h"

enum {
    WSPI_CERT_MIN_EC = 480,
    WSPI_CERT_MIN_RSA = 880,
    WSPI_CERT_MAX = 8192,
    WSPI_STATUS_MAX = 4096
};

typedef struct wspi_cert {
    uint64_t seed;     /* of the chain: with the same seed it is the same certificate again */
    uint64_t start_ns; /* a time at which it is valid */
    unsigned level;    /* 0: of the server; n: of who signed that of n - 1 */
    bool ec;           /* P-256, ECDSA; else RSA with 2048 bits */
} wspi_cert;

/* The certificate in DER (X.690 10) into b: `len` bytes, from WSPI_CERT_MIN_EC or _RSA to WSPI_CERT_MAX. */
void wspi_cert_make(uint8_t *b, size_t len, const wspi_cert *cert);

/* OCSP's answer (RFC 6960 4.2.1) that the chain's server may be trusted, of a length that is near to what is wanted. */
size_t wspi_cert_status_len(size_t want, const wspi_cert *cert);
void wspi_cert_status_make(uint8_t *b, size_t len, const wspi_cert *cert);

#endif
