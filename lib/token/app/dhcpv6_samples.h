/* SPDX-License-Identifier: Apache-2.0 */
/* dhcpv6_samples.h: contents of DHCPv6's options that no token tells, made up for samples. */
#ifndef WSPI_DHCPV6_SAMPLES_H
#define WSPI_DHCPV6_SAMPLES_H

#include "token/app/app.h"

enum { WSPI_DHCPV6_NAME = 5 }; /* bytes of a name at least */

/*
 * The next n bytes of the payload: what is hidden of option `code`, behind its told fields. They are the same whenever a flow
 * has them, as a host's name and identifier are.
 */
void wspi_dhcpv6_fill(wspi_coder *c, uint64_t code, size_t n);

#endif
