/* SPDX-License-Identifier: Apache-2.0 */
/* token_sets.h: the token files of a command line, as one set. */
#ifndef WSP_TOKEN_SETS_H
#define WSP_TOKEN_SETS_H

#include "cli.h"
#include "wirespeak/task.h"

/* n files, one at least. *out: the caller's. */
wsp_status token_sets_load(wsp_tokens **out, const char *const *paths, size_t n,
                           wsp_error *err) WSP_MUST_USE;

/* wsp_tokens_background for each of the heads. */
wsp_status token_sets_background(wsp_tokens *t, const cli_list *heads, wsp_error *err) WSP_MUST_USE;

#endif
