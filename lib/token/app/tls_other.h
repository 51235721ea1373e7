/* SPDX-License-Identifier: Apache-2.0 */
/* tls_other.h: numbers that samples of client hellos have where no row of tls_lists.h names them: GREASE, and old ones. */
#ifndef WSPI_TLS_OTHER_H
#define WSPI_TLS_OTHER_H

#include "base/base.h"

enum wspi_tls_list {
    WSPI_TLS_CIPHERS,
    WSPI_TLS_GROUPS,
    WSPI_TLS_VERSIONS,
    WSPI_TLS_EXTENSIONS,
    WSPI_TLS_SIGALGS,
    WSPI_TLS_LISTS
};

/*
 * The nth number without a name in a list of the flow of this seed: reserved values (RFC 8701) where browsers have them, as
 * the `first` of a list and wherever nothing else is to be had; elsewhere ciphers and groups that clients of old have.
 */
uint16_t wspi_tls_other(uint64_t seed, enum wspi_tls_list list, bool first, size_t nth);

/* How many numbers there are that are all different. */
size_t wspi_tls_others(enum wspi_tls_list list);

/* What clients have whose lists are long, in their order; returns how many, 0 where lists are short. */
size_t wspi_tls_usual(enum wspi_tls_list list, const uint16_t **v);

#endif
