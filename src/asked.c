/* SPDX-License-Identifier: Apache-2.0 */
/* asked.c: writes the list of what generated flows were to be. */
#include "asked.h"

#include <arpa/inet.h>
#include <search.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli.h"
#include "wirespeak/flow.h"
#include "wirespeak/packet.h"

struct asked {
    wsp_outfile list;
    char *capture;
    wsp_packet *packet;
    int linktype;
    void *tree; /* hashes of the flows in the list, each in memory of its own */
    bool no_memory;
};

static void free_all(asked *a)
{
    if (!a)
        return;
    wsp_packet_free(a->packet);
    tdestroy(a->tree, free);
    free(a->capture);
    free(a);
}

static int by_hash(const void *a, const void *b)
{
    const uint64_t *x = a, *y = b;

    return (*x > *y) - (*x < *y);
}

/* Two clients of DHCP are one flow to who reads the list, which has no VLANs, from 0.0.0.0 to all: it is what the first was to be. */
static bool is_new(asked *a, wsp_flow_key key)
{
    uint64_t *hash = malloc(sizeof *hash), *const * at;

    key.scope = key.ethertype = 0;
    if (hash)
        *hash = wsp_flow_key_hash(&key);
    at = hash ? tsearch(hash, &a->tree, by_hash) : NULL;
    a->no_memory = a->no_memory || !at;
    if (at && *at == hash)
        return true;
    free(hash);
    return false;
}

wsp_status asked_open(asked **out, const char *path, const char *capture, int linktype,
                      wsp_error *err)
{
    const char *slash = strrchr(capture, '/');
    asked *a = calloc(1, sizeof *a);
    wsp_status st;

    *out = NULL;
    if (a)
        a->linktype = linktype;
    if (a && wsp_packet_new(&a->packet) == WSP_OK)
        a->capture = strdup(slash ? slash + 1 : capture);
    if (!a || !a->capture) {
        free_all(a);
        return cli_no_memory(err);
    }
    st = wsp_outfile_open(&a->list, path, false, err);
    if (st < 0) {
        free_all(a);
        return st;
    }
    (void)fputs("path\tlabel\tl4\tip_a\tport_a\tip_b\tport_b\n", a->list.fp);
    *out = a;
    return WSP_OK;
}

void asked_add(asked *a, const wsp_frame *first, const char *label)
{
    char address[2][INET6_ADDRSTRLEN];
    const wsp_flow_key *key;

    wsp_packet_dissect(a->packet, a->linktype, first);
    key = wsp_packet_key(a->packet);
    if (!label || (key->addr_len != 4 && key->addr_len != 16) || !is_new(a, *key))
        return;
    for (size_t i = 0; i < 2; i++)
        if (!inet_ntop(key->addr_len == 4 ? AF_INET : AF_INET6, key->addr[i], address[i],
                       sizeof address[i]))
            return;
    /* what cannot be written is told when the list is closed */
    (void)fprintf(a->list.fp, "%s\t%s\t%u\t%s\t%u\t%s\t%u\n", a->capture, label, key->proto,
                  address[0], key->port[0], address[1], key->port[1]);
}

wsp_status asked_close(asked *a, wsp_error *err)
{
    wsp_status st = WSP_ERR_NOMEM;

    if (a->no_memory) {
        (void)cli_error(err, st, "no memory for the list of flows");
        wsp_outfile_discard(&a->list);
    } else {
        st = wsp_outfile_commit(&a->list, err);
    }
    free_all(a);
    return st;
}

void asked_discard(asked *a)
{
    if (!a)
        return;
    wsp_outfile_discard(&a->list);
    free_all(a);
}
