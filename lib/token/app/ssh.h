/* SPDX-License-Identifier: Apache-2.0 */
/* ssh.h: the tables of names of SSH's lists. */
#ifndef WSPI_SSH_H
#define WSPI_SSH_H

#include "token/app/app.h"

/* What name-lists are of. */
enum wspi_ssh_kind {
    WSPI_SSH_KEX,
    WSPI_SSH_HOST_KEY,
    WSPI_SSH_CIPHER,
    WSPI_SSH_MAC,
    WSPI_SSH_COMPRESSION,
    WSPI_SSH_KINDS
};

/* Rows behind the whole lists, before the names. */
enum { SSH_EMPTY, SSH_CUT, SSH_OTHER_WAY, SSH_UNKNOWN, SSH_SPECIALS };

/* Rows: whole lists, the special ones, single names. A row's value is its place. */
typedef struct wspi_ssh_names {
    const wspi_value *rows;
    const char *const *lists;
    unsigned n_lists, n;
} wspi_ssh_names;

extern const wspi_value wspi_ssh_kex_rows[], wspi_ssh_host_key_rows[], wspi_ssh_cipher_rows[],
    wspi_ssh_mac_rows[], wspi_ssh_compression_rows[];
extern const wspi_ssh_names wspi_ssh_kinds[WSPI_SSH_KINDS];

/*
 * What a direction has offered that depends on it is in app.v behind the fields: a key exchange that adds a key of another kind to
 * X25519's, called so; samples do not agree on it, since readers do not know its messages.
 */
enum { SSH_OFFERS = 16, SSH_OFFERS_HYBRID = 1 };
#define SSH_HYBRID "sntrup761x25519-sha512@openssh.com"

/* Of the names from `at` up to here: which one is this (0: none)? */
unsigned wspi_ssh_has(const wspi_coder *c, size_t at, const char *name);

/* ---- samples: ssh_samples.c ---- */

/* Rows that may come next of a list that begins at `at` (0: that has nothing yet); may it end? */
uint64_t wspi_ssh_sampled(const wspi_coder *c, unsigned kind, size_t at);
bool wspi_ssh_may_end(const wspi_coder *c, unsigned kind, size_t at);

#endif
