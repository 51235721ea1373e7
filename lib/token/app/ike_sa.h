/* SPDX-License-Identifier: Apache-2.0 */
/* ike_sa.h: the payload of IKE that offers algorithms, and the fields of the protocol. */
#ifndef WSPI_IKE_SA_H
#define WSPI_IKE_SA_H

#include "token/app/app.h"

enum wspi_ike_field {
    FORM,
    EXCHANGE,
    INITIATOR,
    RESPONDER,
    FLAGS,
    STEP,
    MESSAGE,
    LENGTH,
    PAYLOAD,
    SIZE,
    BROKEN,
    PROPOSAL,
    TRANSFORM,
    NOTIFY,
    ABOUT,
    VENDOR,
    GROUP,
    IDENTITY,
    NAME,
    ESP
};

extern const wspi_value wspi_ike_proposal[], wspi_ike_transform[];

/* The contents of an SA payload, n bytes when encoding, of version 2 or 1. */
void wspi_ike_sa(wspi_coder *c, bool v2, size_t n);

/* n bytes whose number is told unless it is `want`. */
void wspi_ike_sized(wspi_coder *c, bool known, size_t want, size_t n);

/* n bytes that are `v`; a byte of what is put already. */
void wspi_ike_fixed(wspi_coder *c, size_t n, uint64_t v);
void wspi_ike_set(wspi_coder *c, size_t at, size_t n, uint64_t v);

#endif
