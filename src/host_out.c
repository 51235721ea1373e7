/* SPDX-License-Identifier: Apache-2.0 */
/* host_out.c: hosts by their addresses. What they are, is voted on and printed as captures are. */
#include "host_out.h"

#include <search.h>
#include <stdlib.h>
#include <string.h>

#include "eve.h"

typedef struct host {
    char name[EVE_ADDRESS_SIZE];
    size_t row;
} host;

static int by_name(const void *a, const void *b)
{
    const host *x = a, *y = b;

    return strcmp(x->name, y->name);
}

/* A new host: NULL when there is no memory, which is told. */
static const host *add_host(host_out *h, const flow_out *o, const char *name)
{
    host *new = calloc(1, sizeof *new);

    h->rows.hosts = true;
    if (!new || capture_out_begin(&h->rows, o, name) != CLI_OK) {
        free(new);
        return NULL;
    }
    (void)memcpy(new->name, name, strlen(name) + 1);
    new->row = h->rows.n - 1;
    if (!tsearch(new, &h->tree, by_name)) {
        free(new);
        return NULL;
    }
    return new;
}

/* Packets without addresses are of no host. */
int host_out_flow(host_out *h, const flow_out *o, const flow_record *r)
{
    host key = {.row = 0};
    const host *const *found, *at;

    eve_address(&r->flow->key, 0, key.name, sizeof key.name);
    if (!key.name[0])
        return CLI_OK;
    found = tfind(&key, &h->tree, by_name);
    if (!found && h->rows.n == HOST_OUT_MOST) {
        h->left_out++;
        return CLI_OK;
    }
    at = found ? *found : add_host(h, o, key.name);
    return at ? capture_out_flow(&h->rows, o, r, at->row) : cli_fail("no memory for a host");
}

static int by_flows(const void *a, const void *b)
{
    const capture_votes *x = a, *y = b;

    return x->flows != y->flows ? (x->flows < y->flows) - (x->flows > y->flows)
                                : strcmp(x->name, y->name);
}

int host_out_print(host_out *h, const flow_out *o, FILE *to)
{
    h->rows.hosts = true;
    if (h->rows.n)
        qsort(h->rows.open, h->rows.n, sizeof *h->rows.open, by_flows);
    if (h->left_out)
        cli_warn("%llu flows of hosts beyond the first %d are left out",
                 (unsigned long long)h->left_out, HOST_OUT_MOST);
    return capture_out_print(&h->rows, o, 0, to);
}

void host_out_clear(host_out *h, const flow_out *o)
{
    tdestroy(h->tree, free);
    capture_out_clear(&h->rows, o);
    *h = (host_out){.tree = NULL};
}
