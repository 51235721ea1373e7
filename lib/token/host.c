/* SPDX-License-Identifier: Apache-2.0 */
/*
 * host.c: the hosts of samples. Whether an address is a private one, or a network card has its maker's, is drawn by the
 * model, since what follows goes with it: servers of one's own network answer sooner. So each side has several hosts, and
 * is the first of them that the packet's addresses fit so far; what no host has is not drawn.
 */
#include "token/token_int.h"

enum { ZERO, BROADCAST, MULTICAST }; /* of wspi_addr_class */

void wspi_hosts_begin(wspi_coder *c)
{
    for (size_t i = 0; i < c->p->n_layers; i++) {
        wspi_layer *l = &c->p->layers[i];
        if (l->id == WSPI_ETH || l->id == WSPI_IPV4 || l->id == WSPI_IPV6)
            memset(l->v, 0, sizeof l->v);
    }
}

static bool is_source(uint8_t role)
{
    return role == WSPI_R_MAC_SRC || role == WSPI_R_IP_SRC || role == WSPI_R_IP_SRC_LOW;
}

/* Of 48, 32 or 64 bits, the network's or the interface's half of an IPv6 address. */
static uint64_t address_of(const wsp_host *h, uint8_t role, unsigned width)
{
    if (role == WSPI_R_MAC_SRC || role == WSPI_R_MAC_DST)
        return wspi_load_be(h->mac, 6);
    if (role == WSPI_R_IP_SRC_LOW || role == WSPI_R_IP_DST_LOW)
        return wspi_load_be(h->ip6 + 8, 8);
    return width == 32 ? wspi_load_be(h->ip, 4) : wspi_load_be(h->ip6, 8);
}

static bool is_group(uint8_t role, unsigned width, uint64_t v)
{
    unsigned class = wspi_addr_class(role, width, v);

    return class == BROADCAST || class == MULTICAST;
}

/* Where packets tell who they are of. */
static const struct told {
    uint8_t layer, src, dst, src_role, dst_role;
} places[] = {
    {WSPI_ETH, WSPI_ETH_SRC, WSPI_ETH_DST, WSPI_R_MAC_SRC, WSPI_R_MAC_DST},
    {WSPI_IPV4, WSPI_IPV4_SRC, WSPI_IPV4_DST, WSPI_R_IP_SRC, WSPI_R_IP_DST},
    {WSPI_IPV6, WSPI_IPV6_SRC, WSPI_IPV6_DST, WSPI_R_IP_SRC, WSPI_R_IP_DST},
};

/* Is the packet, as far as it has come, of this host? Of layers in tunnels the outer ones tell. */
static bool is_of(const wspi_coder *c, const wsp_host *h, bool source)
{
    for (size_t k = 0; k < WSPI_COUNT(places); k++) {
        const struct told *t = &places[k];
        size_t f = source ? t->src : t->dst;
        uint8_t role = source ? t->src_role : t->dst_role;
        unsigned width = wspi_protos[t->layer]->fields[f].width;

        for (size_t i = 0; i < c->p->n_layers; i++) {
            uint64_t v = c->p->layers[i].v[f];
            if (c->p->layers[i].id != t->layer)
                continue;
            if (v && !is_group(role, width, v) && v != address_of(h, role, width))
                return false;
            break;
        }
    }
    return true;
}

/* The i-th host of the side that the role speaks of, the usual one first; NULL after the last. */
static const wsp_host *host_at(const wspi_coder *c, uint8_t role, size_t i)
{
    const wsp_filler *f = c->fill;
    int side = is_source(role) ? c->dir : !c->dir;

    if (i == 0)
        return side ? &f->server : &f->client;
    return i - 1 < f->n_others[side] ? &f->others[side][i - 1] : NULL;
}

/* What the packet has for a link address there, 0: none. */
static uint64_t link_of(const wspi_coder *c, bool source)
{
    const wspi_layer *l = &c->p->layers[0];

    return c->p->n_layers == 0 || l->id != WSPI_ETH ? 0
                                                    : l->v[source ? WSPI_ETH_SRC : WSPI_ETH_DST];
}

static unsigned link_class(const wspi_coder *c)
{
    return wspi_addr_class(WSPI_R_MAC_DST, 48, link_of(c, false));
}

static bool has_layer(const wsp_packet *p, uint8_t id)
{
    for (size_t i = 0; i < p->n_layers; i++)
        if (p->layers[i].id == id)
            return true;
    return false;
}

/* The link address is the first to say so (RFC 1112 6.4); IPv6 has no broadcast (RFC 4291 2). */
static bool may_be_group(const wspi_coder *c, uint8_t role, unsigned class)
{
    if (is_source(role) || !wspi_cast_may(c) || (class == BROADCAST && !has_layer(c->p, WSPI_IPV4)))
        return false;
    return role == WSPI_R_MAC_DST || !link_of(c, false) || link_class(c) == class;
}

/* A client of DHCP that has no address yet (RFC 2131 4.1). */
static bool may_be_nobody(const wspi_coder *c, uint8_t role)
{
    return role == WSPI_R_IP_SRC && c->dir == 0 && has_layer(c->p, WSPI_UDP) &&
           link_class(c) == BROADCAST;
}

bool wspi_host_is_nobody(const wspi_coder *c)
{
    for (size_t i = 0; may_be_nobody(c, WSPI_R_IP_SRC) && i < c->p->n_layers; i++)
        if (c->p->layers[i].id == WSPI_IPV4)
            return c->p->layers[i].v[WSPI_IPV4_SRC] == 0;
    return false;
}

static bool is_quoted(const wspi_coder *c)
{
    return c->layer < c->p->n_layers && c->layer >= wspi_own_layers(c->p);
}

static uint8_t other_way(uint8_t role)
{
    return role == WSPI_R_IP_SRC       ? WSPI_R_IP_DST
           : role == WSPI_R_IP_DST     ? WSPI_R_IP_SRC
           : role == WSPI_R_IP_SRC_LOW ? WSPI_R_IP_DST_LOW
                                       : WSPI_R_IP_SRC_LOW;
}

/* What the first header of the kind has in its field of a role. */
static uint64_t outer_value(const wspi_coder *c, uint8_t id, uint8_t role)
{
    const wspi_proto *proto = wspi_protos[id];
    size_t i = 0, f = 0;

    while (c->p->layers[i].id != id)
        i++;
    while (f + 1 < proto->n_fields && proto->fields[f].role != role)
        f++;
    return c->p->layers[i].v[f];
}

/*
 * What an error quotes went the other way: from where the error goes, to its sender or, if that is a router, to a host of its
 * side.
 */
static uint64_t quoted_address(const wspi_coder *c, uint8_t role, unsigned width, int class)
{
    const wspi_layer *ip = &c->p->layers[c->layer];
    const wsp_host *h;

    for (size_t i = 0;
         !is_source(role) && !wspi_quote_to_sender(c) && (h = host_at(c, other_way(role), i));
         i++) {
        uint64_t v = address_of(h, role, width);
        if (role == WSPI_R_IP_DST_LOW
                ? address_of(h, WSPI_R_IP_DST, 64) == ip->v[WSPI_IPV6_DST]
                : class < 0 || wspi_addr_class(role, width, v) == (unsigned)class)
            return v;
    }
    return outer_value(c, ip->id, other_way(role));
}

uint64_t wspi_host_address(const wspi_coder *c, uint8_t role, unsigned width, int class)
{
    const wsp_host *h, *found = NULL;

    if (is_quoted(c))
        return quoted_address(c, role, width, class);
    if (class == ZERO && may_be_nobody(c, role))
        return 0;
    if (class == BROADCAST || class == MULTICAST)
        return wspi_cast_addr((unsigned)class, width, address_of(host_at(c, role, 0), role, width));
    for (size_t i = 0; (h = host_at(c, role, i)) && !found; i++)
        if (is_of(c, h, is_source(role)) &&
            (class < 0 ||
             wspi_addr_class(role, width, address_of(h, role, width)) == (unsigned)class))
            found = h;
    return address_of(found ? found : host_at(c, role, 0), role, width);
}

void wspi_host_classes(wspi_coder *c, uint8_t role, unsigned width, unsigned base)
{
    bool to_group =
        role == WSPI_R_IP_DST && (link_class(c) == BROADCAST || link_class(c) == MULTICAST);
    uint8_t may[WSPI_ADDR_CLASSES] = {0};
    const wsp_host *h;
    unsigned left = 0;
    bool quoted = is_quoted(c);

    for (unsigned k = 0; quoted && k < WSPI_ADDR_CLASSES; k++)
        may[wspi_addr_class(role, width, quoted_address(c, role, width, (int)k))] = 1;
    for (size_t i = 0; !quoted && !to_group && (h = host_at(c, role, i)); i++)
        if (is_of(c, h, is_source(role)))
            may[wspi_addr_class(role, width, address_of(h, role, width))] = 1;
    may[ZERO] |= !quoted && width == 32 && may_be_nobody(c, role);
    may[BROADCAST] |= !quoted && may_be_group(c, role, BROADCAST);
    may[MULTICAST] |= !quoted && may_be_group(c, role, MULTICAST);
    for (unsigned k = 0; k < WSPI_ADDR_CLASSES; k++)
        left += may[k] && c->legal[base + k];
    for (unsigned k = 0; left && k < WSPI_ADDR_CLASSES; k++)
        c->legal[base + k] &= may[k];
}
