/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ndp.c: samples of Neighbor Discovery (RFC 4861 4.1, 4.3, 4.4): solicitations of routers and neighbors, advertisements of neighbors.
 *     | type 8 | code 8 | checksum 16 | flags, reserved 32 | target 128 | option: type 8 | length 8 | link address 48 |
 * All of it follows from the addresses: a target is the other host, or the one that speaks.
 */
#include "token/token_int.h"

enum { ROUTER_SOLICIT = 133, NEIGHBOR_SOLICIT = 135, NEIGHBOR_ADVERT = 136 };
enum { SOURCE_LINK = 1, TARGET_LINK = 2 }; /* options, 4.6.1 */
enum { HOPS = 255, SOLICITED = 0x4000, OVERRIDE = 0x2000 };
enum { ALL_NODES = 1, ALL_ROUTERS = 2 }; /* ends of ff02::, RFC 4291 2.7.1 */

static wspi_layer *ip_of(const wspi_coder *c)
{
    for (size_t i = 0; i < c->p->n_layers; i++)
        if (c->p->layers[i].id == WSPI_IPV6)
            return &c->p->layers[i];
    return NULL;
}

static bool is_group(const wspi_layer *ip)
{
    return ip->v[WSPI_IPV6_DST] >> 56 == 0xff;
}

bool wspi_ndp_is(uint64_t type)
{
    return type == ROUTER_SOLICIT || type == NEIGHBOR_SOLICIT || type == NEIGHBOR_ADVERT;
}

/* The message's type; 0: the sample is none. */
static uint64_t type_of(const wspi_coder *c)
{
    const wspi_layer *l = c->p->n_layers ? &c->p->layers[c->p->n_layers - 1] : NULL;

    return c->fill && l && l->id == WSPI_ICMPV6 && ip_of(c) && wspi_ndp_is(l->v[WSPI_ICMP_TYPE])
               ? l->v[WSPI_ICMP_TYPE]
               : 0;
}

void wspi_ndp_fit(wspi_coder *c)
{
    uint64_t type = type_of(c), low;
    wspi_layer *ip = ip_of(c), *l;

    if (!type)
        return;
    l = &c->p->layers[c->p->n_layers - 1];
    ip->v[WSPI_IPV6_HOPS] = HOPS; /* 7.1.1: it comes from no other network */
    l->v[WSPI_ICMP_CODE] = l->v[WSPI_ICMP_ID] = l->v[WSPI_ICMP_SEQ] = 0;
    if (type == NEIGHBOR_ADVERT)
        l->v[WSPI_ICMP_ID] = is_group(ip) ? OVERRIDE : SOLICITED | OVERRIDE;
    if (!is_group(ip))
        return;
    low = wspi_residual_decode(c, WSPI_R_IP_DST_LOW, 8);
    ip->v[WSPI_IPV6_DST_IF] = type == NEIGHBOR_ADVERT  ? ALL_NODES
                              : type == ROUTER_SOLICIT ? ALL_ROUTERS
                                                       : 0x1ff000000 | (low & 0xffffff);
}

static void put(uint8_t *b, uint64_t v, size_t n)
{
    for (size_t i = 0; i < n; i++)
        b[i] = (uint8_t)(v >> 8 * (n - 1 - i));
}

/* Who speaks, or is looked for: behind a group, the other host, of the sender's network. */
static void put_target(wspi_coder *c, const wspi_layer *ip, bool own, uint8_t b[16])
{
    bool group = is_group(ip);
    uint64_t low = group ? wspi_residual_decode(c, WSPI_R_IP_DST_LOW, 8) : ip->v[WSPI_IPV6_DST_IF];

    put(b, own || group ? ip->v[WSPI_IPV6_SRC] : ip->v[WSPI_IPV6_DST], 8);
    put(b + 8, own ? ip->v[WSPI_IPV6_SRC_IF] : low, 8);
}

bool wspi_ndp_body(wspi_coder *c)
{
    uint64_t type = type_of(c);
    const wspi_layer *ip = ip_of(c), *link = &c->p->layers[0];
    size_t target = type == ROUTER_SOLICIT ? 0 : 16, option = link->id == WSPI_ETH ? 8 : 0;
    uint8_t *b;

    if (!type)
        return false;
    b = wspi_payload_room(c, target + option);
    if (!b)
        return true;
    if (target)
        put_target(c, ip, type == NEIGHBOR_ADVERT, b);
    if (option) {
        b[target] = type == NEIGHBOR_ADVERT ? TARGET_LINK : SOURCE_LINK;
        b[target + 1] = 1; /* eight bytes */
        put(b + target + 2, link->v[WSPI_ETH_SRC], 6);
    }
    c->pay.at = target + option;
    return true;
}
