/* SPDX-License-Identifier: Apache-2.0 */
/* snmp_fill.h: parts of SNMP's messages that no token tells, made up for samples. */
#ifndef WSPI_SNMP_FILL_H
#define WSPI_SNMP_FILL_H

#include "token/app/ber.h"

/* An engine's identifier of n bytes, from 6 on, or none. */
void wspi_snmp_engine(wspi_coder *c, size_t n);
/* n bytes of bindings, from 16 on, with values or without. */
void wspi_snmp_bindings(wspi_coder *c, size_t n, bool values);

#endif
