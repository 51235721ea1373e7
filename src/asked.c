/* SPDX-License-Identifier: Apache-2.0 */
/* asked.c: writes the list of what generated flows were to be, beside its name first. */
#include "asked.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli.h"
#include "wirespeak/packet.h"

struct asked {
    FILE *f;
    char *path, *temporary, *capture;
    wsp_packet *packet;
};

static wsp_status failed(wsp_error *err, const char *path)
{
    *err = (wsp_error){.status = WSP_ERR_IO, .sys_errno = errno};
    (void)snprintf(err->text, sizeof err->text, "%s: cannot be written: %s", path, strerror(errno));
    return WSP_ERR_IO;
}

static void free_all(asked *a)
{
    if (!a)
        return;
    wsp_packet_free(a->packet);
    free(a->path);
    free(a->temporary);
    free(a->capture);
    free(a);
}

wsp_status asked_open(asked **out, const char *path, const char *capture, wsp_error *err)
{
    const char *slash = strrchr(capture, '/');
    size_t n = strlen(path) + 32;
    asked *a = calloc(1, sizeof *a);

    *out = NULL;
    if (a && wsp_packet_new(&a->packet) == WSP_OK) {
        a->path = strdup(path);
        a->temporary = malloc(n);
        a->capture = strdup(slash ? slash + 1 : capture);
    }
    if (!a || !a->path || !a->temporary || !a->capture) {
        free_all(a);
        *err = (wsp_error){.status = WSP_ERR_NOMEM, .text = "out of memory"};
        return WSP_ERR_NOMEM;
    }
    (void)snprintf(a->temporary, n, "%s.%ld.tmp", path, (long)getpid());
    a->f = cli_is_replaceable(path) ? fopen(a->temporary, "we") : NULL;
    if (!a->f) {
        wsp_status st = failed(err, path);
        free_all(a);
        return st;
    }
    (void)fputs("path\tlabel\tl4\tip_a\tport_a\tip_b\tport_b\n", a->f);
    *out = a;
    return WSP_OK;
}

wsp_status asked_add(asked *a, const wsp_frame *first, const char *label, wsp_error *err)
{
    char address[2][INET6_ADDRSTRLEN];
    const wsp_flow_key *key;

    wsp_packet_dissect(a->packet, 1, first);
    key = wsp_packet_key(a->packet);
    if (!label || (key->addr_len != 4 && key->addr_len != 16))
        return WSP_OK;
    for (size_t i = 0; i < 2; i++)
        if (!inet_ntop(key->addr_len == 4 ? AF_INET : AF_INET6, key->addr[i], address[i],
                       sizeof address[i]))
            return WSP_OK;
    if (fprintf(a->f, "%s\t%s\t%u\t%s\t%u\t%s\t%u\n", a->capture, label, key->proto, address[0],
                key->port[0], address[1], key->port[1]) < 0)
        return failed(err, a->path);
    return WSP_OK;
}

wsp_status asked_close(asked *a, wsp_error *err)
{
    wsp_status st = WSP_OK;
    bool written = !ferror(a->f);

    written = fclose(a->f) == 0 && written && rename(a->temporary, a->path) == 0;
    if (!written) {
        st = failed(err, a->path);
        (void)remove(a->temporary);
    }
    free_all(a);
    return st;
}

void asked_discard(asked *a)
{
    if (!a)
        return;
    (void)fclose(a->f);
    (void)remove(a->temporary);
    free_all(a);
}
