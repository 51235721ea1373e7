/* SPDX-License-Identifier: Apache-2.0 */
/*
 * browse.c: NetBIOS datagrams of samples. Recorded ones are plain bytes, of which there is no grammar; readers know them by
 * their port, so a sample is a whole one: a host that announces itself, or asks others to. RFC 1002 4.4.1:
 * | type 8 | flags 8 | id 16 | address 32 | port 16 | length 16 | offset 16 | name 272 | name 272 | data |
 * The data is a transaction of SMB to a mailslot (MS-CIFS 2.2.4.33), with a message of MS-BRWS 2.2.
 */
#include "token/app/app.h"

enum {
    PORT = 138,
    DATAGRAM = 14,
    NAME = 34,
    SMB = 86,
    HOST = 32,
    HOST_NAME = 16,
    MESSAGE = DATAGRAM + 2 * NAME + SMB
};
enum { DIRECT_GROUP = 0x11, FIRST = 2 /* and last fragment, of a broadcast node */ };
enum { ANNOUNCES = 1, ASKS = 2, WORKSTATION = 1, SERVER = 2 };

bool wspi_browse_port(uint16_t port, uint8_t transport)
{
    return port == PORT && transport == WSPI_UDP;
}

/* Not what an ICMP error quotes, nor where payloads are as they come. */
static bool is_sampled(const wspi_coder *c)
{
    const wspi_layer *l = &c->p->layers[c->p->n_layers ? c->p->n_layers - 1 : 0];

    return c->fill && !c->fill->service_ports && c->p->n_layers > 0 &&
           wspi_own_layers(c->p) == c->p->n_layers && wspi_browse_port((uint16_t)l->v[1], l->id);
}

static uint64_t source(const wspi_coder *c)
{
    for (size_t i = 0; i < c->p->n_layers; i++)
        if (c->p->layers[i].id == WSPI_IPV4)
            return c->p->layers[i].v[WSPI_IPV4_SRC];
    return 0;
}

static void put_le(wspi_coder *c, size_t n, uint64_t v)
{
    for (; n; n--, v >>= 8)
        wspi_app_put(c, 1, v & 255);
}

static void put_letters(wspi_coder *c, size_t n)
{
    for (; n; n--)
        wspi_app_put(c, 1, 'A' + wspi_rng_u64(&c->rng) % 26);
}

static void put_name(wspi_coder *c)
{
    uint8_t b[NAME];

    wspi_netbios_name(c, b);
    for (size_t i = 0; i < sizeof b; i++)
        wspi_app_put(c, 1, b[i]);
}

static void header(wspi_coder *c, size_t n)
{
    wspi_app_put(c, 1, DIRECT_GROUP);
    wspi_app_put(c, 1, FIRST);
    wspi_app_put(c, 2, 0x8000 | (wspi_rng_u64(&c->rng) & 0xff));
    wspi_app_put(c, 4, source(c));
    wspi_app_put(c, 2, PORT);
    wspi_app_put(c, 2, n - DATAGRAM);
    wspi_app_put(c, 2, 0);
    put_name(c);
    put_name(c);
}

/* All 17 words, then the name of the mailslot; numbers are little-endian. */
static void transaction(wspi_coder *c, size_t n)
{
    static const char slot[] = "\\MAILSLOT\\BROWSE";

    wspi_app_put(c, 5, 0xff534d4225);
    put_le(c, 8, 0);
    put_le(c, 8, 0);
    put_le(c, 8, 0);
    put_le(c, 3, 0);
    wspi_app_put(c, 1, 17);
    put_le(c, 4, n << 16); /* parameters, data */
    put_le(c, 8, 0);
    put_le(c, 4, 1000); /* ms */
    put_le(c, 6, 0);
    put_le(c, 4, n | SMB << 16); /* where the data begins */
    put_le(c, 2, 3);
    put_le(c, 2, 1); /* write, with priority 1, not reliably */
    put_le(c, 2, 1);
    put_le(c, 2, 2);
    put_le(c, 2, sizeof slot + n);
    wspi_app_put_bytes(c, slot, sizeof slot);
}

/* MS-BRWS 2.2.1: with a comment that fills it. */
static void announcement(wspi_coder *c, size_t n)
{
    put_le(c, 2, ANNOUNCES);
    put_le(c, 4, 720000); /* ms until the next one */
    put_letters(c, 8);
    put_le(c, HOST_NAME - 8, 0);
    put_le(c, 2, 0x0105);
    put_le(c, 4, WORKSTATION | SERVER);
    put_le(c, 4, 0xaa55010f);
    put_letters(c, n - HOST - 1);
    put_le(c, 1, 0);
}

/* MS-BRWS 2.2.2 */
static void request(wspi_coder *c, size_t n)
{
    put_le(c, 2, ASKS);
    put_letters(c, n - 3);
    put_le(c, 1, 0);
}

bool wspi_browse(wspi_coder *c)
{
    enum { SHORTEST = 4, LONGEST = 3 + HOST_NAME - 1, MOST = HOST + 44 };
    size_t n = c->pay.wire > MESSAGE ? c->pay.wire - MESSAGE : 0;
    bool announces = n > HOST;

    if (!is_sampled(c))
        return false;
    n = announces ? WSPI_MIN(n, (size_t)MOST)
                  : WSPI_MIN(WSPI_MAX(n, (size_t)SHORTEST), (size_t)LONGEST);
    header(c, MESSAGE + n);
    transaction(c, n);
    if (announces)
        announcement(c, n);
    else
        request(c, n);
    return true;
}
