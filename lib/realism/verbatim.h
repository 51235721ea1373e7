/* SPDX-License-Identifier: Apache-2.0 */
/* verbatim.h: payload bytes of some captures, looked for in others. */
#ifndef WSPI_VERBATIM_H
#define WSPI_VERBATIM_H

#include "wirespeak/realism.h"

/* Marks what stands in this payload, too. `capture`: any number but 0 that tells captures apart, the same ones in a row. */
wsp_status wspi_verbatim_scan(wsp_verbatim *v, size_t capture, const uint8_t *data,
                              size_t len) WSP_MUST_USE;

#endif
