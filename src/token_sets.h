/* SPDX-License-Identifier: Apache-2.0 */
/* token_sets.h: the token files of a command line, as one set. */
#ifndef WSP_TOKEN_SETS_H
#define WSP_TOKEN_SETS_H

#include "cli.h"
#include "wirespeak/task.h"

/* n files, one at least. *out: the caller's. */
wsp_status token_sets_load(wsp_tokens **out, const char *const *paths, size_t n,
                           wsp_error *err) WSP_MUST_USE;

/* The policy of that name, or a usage error of the command. NULL for no name. */
const wsp_policy *token_sets_policy(const char *command, const char *name);

/* *out: t as the policy leaves it, with arrays of its own for ids and packet_off alone (token_sets_unmask), the others borrowed. */
wsp_status token_sets_mask(wsp_tokens *out, const wsp_tokens *t, const wsp_policy *p) WSP_MUST_USE;
void token_sets_unmask(wsp_tokens *out);

/* wsp_tokens_background for each of the heads. */
wsp_status token_sets_background(wsp_tokens *t, const cli_list *heads, wsp_error *err) WSP_MUST_USE;

#endif
