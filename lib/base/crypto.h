/* SPDX-License-Identifier: Apache-2.0 */
/* crypto.h: libgcrypt set up, and a hash for identifiers. */
#ifndef WSPI_CRYPTO_H
#define WSPI_CRYPTO_H

#include "base/base.h"

enum { WSPI_SHA1_SIZE = 20 };

/* Sets libgcrypt up, once a process; by any thread, before any other call of libgcrypt. false: it cannot be used. */
bool wspi_crypto_ready(void);

/* SHA-1 (RFC 3174) of n bytes. It guards nothing: it is for identifiers that are defined by it. false: libgcrypt cannot be used. */
bool wspi_sha1(const void *p, size_t n, uint8_t out[WSPI_SHA1_SIZE]) WSP_MUST_USE;

#endif
