/* SPDX-License-Identifier: Apache-2.0 */
/*
 * crowd_int.h: which kinds of flows begin in crowds, so that a flood is given up before the traffic beside it. The kind of a
 * flow is what its first packet looks like from outside: transport, TCP flags, length.
 */
#ifndef WSPI_CROWD_H
#define WSPI_CROWD_H

#include "base/base.h"

enum { WSPI_CROWD_KINDS = 1024 };

/* Of the flows that began lately; all 0 to begin with. */
typedef struct wspi_crowd {
    uint32_t of_kind[WSPI_CROWD_KINDS]; /* by a hash of the kind */
    uint32_t all, crowded;              /* flows; those of kinds that were crowds when they began */
} wspi_crowd;

/* A flow begins. true: flows of its kind are a crowd, more than one in 16 of those that began lately. */
bool wspi_crowd_add(wspi_crowd *c, uint8_t transport, uint8_t tcp_flags, uint32_t wirelen);

/* Are most of the flows that began lately of crowds? */
bool wspi_crowd_rules(const wspi_crowd *c);

#endif
