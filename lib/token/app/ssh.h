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
    unsigned sampled; /* lists that samples may have */
} wspi_ssh_names;

extern const wspi_value wspi_ssh_kex_rows[], wspi_ssh_host_key_rows[], wspi_ssh_cipher_rows[],
    wspi_ssh_mac_rows[], wspi_ssh_compression_rows[];
extern const wspi_ssh_names wspi_ssh_kinds[WSPI_SSH_KINDS];

#endif
