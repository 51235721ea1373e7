/* SPDX-License-Identifier: Apache-2.0 */
/* token_sets.c: token files, joined when there are several. */
#include "token_sets.h"

#include <stdlib.h>

wsp_status token_sets_load(wsp_tokens **out, const char *const *paths, size_t n, wsp_error *err)
{
    wsp_tokens **set;
    wsp_status st = WSP_OK;

    *out = NULL;
    if (n == 1)
        return wsp_tokens_load(out, paths[0], err);
    set = calloc(n, sizeof *set);
    if (!set)
        return cli_error(err, WSP_ERR_NOMEM, "out of memory for %zu token files", n);
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

const wsp_policy *token_sets_policy(const char *command, const char *name)
{
    char names[256];
    size_t len = 0;

    if (!name || wsp_policy_get(name))
        return name ? wsp_policy_get(name) : NULL;
    for (size_t i = 0; wsp_policy_at(i) && len < sizeof names; i++)
        len += (size_t)snprintf(names + len, sizeof names - len, "%s%s", i ? ", " : "",
                                wsp_policy_name(wsp_policy_at(i)));
    cli_die_usage(command, "there is no mask policy '%s': %s", name, names);
}

wsp_status token_sets_mask(wsp_tokens *out, const wsp_tokens *t, const wsp_policy *p)
{
    *out = *t;
    out->ids = calloc(t->n_tokens + 1, sizeof *out->ids);
    out->packet_off = calloc(t->n_packets + 1, sizeof *out->packet_off);
    out->n_tokens = 0;
    if (!out->ids || !out->packet_off) {
        token_sets_unmask(out);
        return WSP_ERR_NOMEM;
    }
    for (size_t f = 0; f < t->n_flows; f++) {
        uint8_t seen = 0;
        for (uint64_t k = t->flow_off[f]; k < t->flow_off[f + 1]; k++) {
            uint64_t from = t->packet_off[k], n = t->packet_off[k + 1] - from;
            out->n_tokens += wsp_policy_apply(p, t->ids + from, (size_t)n, SIZE_MAX, SIZE_MAX,
                                              &seen, out->ids + out->n_tokens);
            out->packet_off[k + 1] = out->n_tokens;
        }
    }
    return WSP_OK;
}

void token_sets_unmask(wsp_tokens *out)
{
    free(out->ids);
    free(out->packet_off);
    *out = (wsp_tokens){.n_flows = 0};
}
