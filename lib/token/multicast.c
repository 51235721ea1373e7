/* SPDX-License-Identifier: Apache-2.0 */
/*
 * multicast.c: multicast and broadcast destinations of samples. A flow that its class of address sends to a group goes to the group of
 * its port or, as IGMP, to the one that it speaks of; its link address follows (RFC 1112 6.4, RFC 2464 7). No other host's
 * answer belongs to it.
 */
#include "token/token_int.h"

/* IANA's groups of protocols that are spoken to groups, by destination port: IPv4, the end of ff02::, hops if there is one number. */
static const struct group {
    uint16_t port;
    uint32_t v4, v6;
    uint8_t hops;
} groups[] = {
    {5353, 0xe00000fb, 0xfb, 255},  /* mDNS, RFC 6762 3, 11 */
    {5355, 0xe00000fc, 0x10003, 0}, /* LLMNR, RFC 4795 2 */
    {1900, 0xeffffffa, 0xc, 0},     /* SSDP, UPnP Device Architecture 2.0, 1.1 */
    {546, 0, 0x10002, 0},           /* DHCPv6, RFC 8415 7.1 */
    {547, 0, 0x10002, 0},           /**/
    {3702, 0xeffffffa, 0xc, 0},     /* WS-Discovery 1.1, 3.1.1 */
    {123, 0xe0000101, 0x101, 0},    /* NTP, RFC 5905 7.1 */
    {1985, 0xe0000002, 0, 1},       /* HSRP, RFC 2281 4 */
};

enum { BROADCAST = 1, MULTICAST = 2 };                                     /* of wspi_addr_class */
enum { ALL_HOSTS = 0x01, ALL_ROUTERS = 0x02, QUERY = 0x11, LEAVE = 0x17 }; /* IGMP, RFC 2236 */
enum { RECORD = 8, ALL_REPORTS = 0x16 };        /* RFC 3376 4.2.4, 4.2.14 */
#define LOCAL_V4   UINT32_C(0xe0000000)         /* 224.0.0.0/24, RFC 5771 */
#define SITE_V4    UINT32_C(0xef000000)         /* 239.0.0.0/8, RFC 2365 */
#define LINK_V6    UINT64_C(0xff02000000000000) /* RFC 4291 2.7 */
#define LINK_GROUP UINT64_C(0x01005e000001)     /* until the group is known */
#define ALL_MAC    UINT64_C(0xffffffffffff)

bool wspi_cast_may(const wspi_coder *c)
{
    uint8_t up = c->p->layers[c->p->n_layers - 1].id;

    return c->dir == 0 && wspi_own_layers(c->p) == c->p->n_layers && /* RFC 1122 3.2.2 */
           (up == WSPI_UDP || up == WSPI_IGMP || up == WSPI_ICMP || up == WSPI_ICMPV6);
}

uint64_t wspi_cast_addr(unsigned class, unsigned width, uint64_t v)
{
    if (class == MULTICAST)
        return width == 64 ? LINK_V6 : width == 48 ? LINK_GROUP : SITE_V4 | (v & 0xffffff);
    return class != BROADCAST ? v : width == 48 ? ALL_MAC : 0xffffffff;
}

static bool is_group(const wspi_layer *l)
{
    return l->id == WSPI_IPV4 ? l->v[WSPI_IPV4_DST] >> 28 == 14 || l->v[WSPI_IPV4_DST] == 0xffffffff
                              : l->id == WSPI_IPV6 && l->v[WSPI_IPV6_DST] >> 56 == 0xff;
}

/*
 * Protocols of keys, logins and servers that one knows, in the order of ports: DNS (to groups it has other ones), Kerberos, LDAP, QUIC,
 * IKE, RADIUS, NFS, LDAP again, STUN, DTLS, DNP3.
 */
bool wspi_cast_lacks(uint16_t port)
{
    static const uint16_t alone[] = {53,   88,   389,  443,  500,  1645, 1646, 1812,
                                     1813, 2049, 3268, 3478, 4433, 4500, 5684, 20000};

    for (size_t i = 0; i < WSPI_COUNT(alone); i++)
        if (alone[i] == port)
            return true;
    return false;
}

bool wspi_cast_of(const wsp_packet *p)
{
    for (size_t i = 0; i < p->n_layers; i++)
        if (p->layers[i].id == WSPI_IPV4 || p->layers[i].id == WSPI_IPV6)
            return is_group(&p->layers[i]);
    return false;
}

/* The group of a port, where the destination is one. */
static void to_port(wspi_layer *ip, uint64_t port)
{
    for (size_t i = 0; i < WSPI_COUNT(groups); i++) {
        if (groups[i].port != port)
            continue;
        if (ip->id == WSPI_IPV6 && groups[i].v6)
            ip->v[WSPI_IPV6_DST_IF] = groups[i].v6;
        else if (ip->id == WSPI_IPV4 && groups[i].v4 && ip->v[WSPI_IPV4_DST] != 0xffffffff)
            ip->v[WSPI_IPV4_DST] = groups[i].v4;
        if (groups[i].hops)
            ip->v[ip->id == WSPI_IPV6 ? (size_t)WSPI_IPV6_HOPS : (size_t)WSPI_IPV4_TTL] =
                groups[i].hops;
    }
}

/* A report of version 3 has as many records as the drawn length has room for. */
static uint32_t records(const wsp_packet *p)
{
    return WSPI_MAX(1u, p->payload_len / RECORD);
}

/* Queries go to all hosts, leaving hosts speak to all routers, reports to their group, or to routers of version 3. */
static void to_igmp(const wsp_packet *p, wspi_layer *ip, wspi_layer *igmp, bool first)
{
    uint64_t group = SITE_V4 | (ip->v[WSPI_IPV4_DST] & 0xffffff), type = igmp->v[WSPI_IGMP_TYPE];

    ip->v[WSPI_IPV4_TTL] = 1; /* RFC 2236 2 */
    igmp->v[WSPI_IGMP_GROUP] = type == QUERY ? 0 : type == WSPI_IGMP_REPORT3 ? records(p) : group;
    if (type == WSPI_IGMP_REPORT3)
        igmp->v[WSPI_IGMP_TIME] = 0; /* RFC 3376 4.2.1 */
    if (first && type == WSPI_IGMP_REPORT3)
        ip->v[WSPI_IPV4_DST] = LOCAL_V4 | ALL_REPORTS;
    else if (first)
        ip->v[WSPI_IPV4_DST] = type == QUERY   ? LOCAL_V4 | ALL_HOSTS
                               : type == LEAVE ? LOCAL_V4 | ALL_ROUTERS
                                               : group;
}

static uint64_t link_address(const wspi_layer *ip)
{
    if (ip->id == WSPI_IPV6)
        return UINT64_C(0x333300000000) | (ip->v[WSPI_IPV6_DST_IF] & 0xffffffff);
    if (ip->v[WSPI_IPV4_DST] == 0xffffffff)
        return ALL_MAC;
    return UINT64_C(0x01005e000000) | (ip->v[WSPI_IPV4_DST] & 0x7fffff);
}

/* Does the packet go to another group than the last one (ndp.c)? */
static bool has_moved(const wsp_context *ctx, const wspi_layer *ip)
{
    wspi_past past = wspi_context_past(ctx, 0, WSPI_IPV6, 0);
    const wspi_field *d = &wspi_protos[WSPI_IPV6]->fields[WSPI_IPV6_DST_IF];

    return ip->id == WSPI_IPV6 && past.slot && wspi_past_value(&past, d) != ip->v[WSPI_IPV6_DST_IF];
}

/* NULL: there is none. */
static wspi_layer *outer_ip(wsp_packet *p)
{
    for (size_t i = 0; i < p->n_layers; i++)
        if (p->layers[i].id == WSPI_IPV4 || p->layers[i].id == WSPI_IPV6)
            return &p->layers[i];
    return NULL;
}

static void to_link(wsp_packet *p, const wspi_layer *ip)
{
    if (is_group(ip) && p->layers[0].id == WSPI_ETH)
        p->layers[0].v[WSPI_ETH_DST] = link_address(ip);
}

void wspi_cast_settle(wsp_packet *p)
{
    wspi_layer *ip = outer_ip(p), *up = &p->layers[p->n_layers - 1];

    if (!ip || !is_group(ip) || up->id != WSPI_UDP)
        return;
    to_port(ip, up->v[WSPI_UDP_DPORT]);
    to_link(p, ip);
}

void wspi_cast_fit(wspi_coder *c)
{
    wsp_packet *p = c->p;
    bool first = !c->ctx->seen[c->dir];
    wspi_layer *ip = outer_ip(p), *up;

    if (!ip || c->dir != 0)
        return;
    up = &p->layers[p->n_layers - 1];
    if (up->id == WSPI_IGMP && ip->id == WSPI_IPV4)
        to_igmp(p, ip, up, first);
    else if (first)
        wspi_cast_settle(p);
    if (first || has_moved(c->ctx, ip))
        to_link(p, ip);
}

bool wspi_cast_asked(const wsp_context *ctx)
{
    wspi_past v4 = wspi_context_past(ctx, 0, WSPI_IPV4, 0);
    wspi_past v6 = wspi_context_past(ctx, 0, WSPI_IPV6, 0);
    wspi_layer l = {.id = v4.slot ? WSPI_IPV4 : WSPI_IPV6};

    if (v4.slot)
        l.v[WSPI_IPV4_DST] = wspi_past_value(&v4, &wspi_protos[WSPI_IPV4]->fields[WSPI_IPV4_DST]);
    else if (v6.slot)
        l.v[WSPI_IPV6_DST] = wspi_past_value(&v6, &wspi_protos[WSPI_IPV6]->fields[WSPI_IPV6_DST]);
    return is_group(&l);
}

bool wspi_igmp_reports(const wsp_context *ctx, int dir)
{
    wspi_past past = wspi_context_past(ctx, dir, WSPI_IGMP, 0);

    return past.slot && wspi_past_value(&past, &wspi_protos[WSPI_IGMP]->fields[WSPI_IGMP_TYPE]) ==
                            WSPI_IGMP_REPORT3;
}

/* RFC 3376 4.2.12: a group that is joined, mostly; left; still there. None has sources. */
bool wspi_cast_body(wspi_coder *c)
{
    static const uint8_t types[] = {4, 4, 4, 4, 4, 3, 3, 2}, from[] = {0, 0, 1, 2};
    static const uint32_t known[] = {0xe00000fb, 0xeffffffa, 0xe00000fc}; /* as in groups */
    const wspi_layer *l = c->p->n_layers ? &c->p->layers[c->p->n_layers - 1] : NULL;
    uint32_t n = records(c->p);
    uint64_t r;
    uint8_t *b;

    if (!c->fill || !l || l->id != WSPI_IGMP || l->v[WSPI_IGMP_TYPE] != WSPI_IGMP_REPORT3)
        return false;
    r = wspi_rng_u64(&c->rng);
    b = wspi_payload_room(c, (size_t)n * RECORD);
    for (uint32_t i = 0; b && i < n; i++, b += RECORD) {
        uint32_t group = i < WSPI_COUNT(known) ? known[(from[r & 3] + i) % WSPI_COUNT(known)]
                                               : (uint32_t)(SITE_V4 | (((r >> 40) + i) & 0xffffff));
        memset(b, 0, RECORD);
        b[0] = types[r >> 2 & 7];
        for (size_t k = 0; k < 4; k++)
            b[4 + k] = (uint8_t)(group >> (24 - 8 * k));
    }
    c->pay.at = (size_t)n * RECORD;
    return true;
}
