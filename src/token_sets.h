/* SPDX-License-Identifier: Apache-2.0 */
/* token_sets.h: the token files of a command line, as one set. */
#ifndef WSP_TOKEN_SETS_H
#define WSP_TOKEN_SETS_H

#include "wirespeak/token.h"

/* n files, one at least. *out: the caller's. */
wsp_status token_sets_load(wsp_tokens **out, const char *const *paths, size_t n,
                           wsp_error *err) WSP_MUST_USE;

#endif
