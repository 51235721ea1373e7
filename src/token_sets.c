/* SPDX-License-Identifier: Apache-2.0 */
/* token_sets.c: token files, joined when there are several. */
#include "token_sets.h"

#include <stdio.h>
#include <stdlib.h>

wsp_status token_sets_load(wsp_tokens **out, const char *const *paths, size_t n, wsp_error *err)
{
    wsp_tokens **set;
    wsp_status st = WSP_OK;

    *out = NULL;
    if (n == 1)
        return wsp_tokens_load(out, paths[0], err);
    set = calloc(n, sizeof *set);
    if (!set) {
        *err = (wsp_error){.status = WSP_ERR_NOMEM};
        (void)snprintf(err->text, sizeof err->text, "out of memory for %zu token files", n);
        return WSP_ERR_NOMEM;
    }
    for (size_t i = 0; i < n && st == WSP_OK; i++)
        st = wsp_tokens_load(&set[i], paths[i], err);
    if (st == WSP_OK)
        st = wsp_tokens_join(out, (const wsp_tokens *const *)set, n, err);
    for (size_t i = 0; i < n; i++)
        wsp_tokens_free(set[i]);
    free(set);
    return st;
}

wsp_status token_sets_background(wsp_tokens *t, const cli_list *heads, wsp_error *err)
{
    wsp_status st = WSP_OK;

    for (size_t i = 0; st == WSP_OK && i < heads->n; i++)
        st = wsp_tokens_background(t, heads->items[i], NULL, err);
    return st;
}
