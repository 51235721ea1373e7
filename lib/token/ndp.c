/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ndp.c: samples of Neighbor Discovery (RFC 4861 4.1, 4.3, 4.4): solicitations of routers and neighbors, advertisements of neighbors.
 *     | type 8 | code 8 | checksum 16 | flags, reserved 32 | target 128 | option: type 8 | length 8 | link address 48 |
 * All of it follows from the addresses: a target is the other host, or the one that speaks. And reports of groups (RFC 3810 5.2):
 *     | type 8 | code 8 | checksum 16 | reserved 16 | records 16 |, of each | type 8 | 0 24 | group 128 |
 */
#include "token/token_int.h"

enum { ROUTER_SOLICIT = 133, NEIGHBOR_SOLICIT = 135, NEIGHBOR_ADVERT = 136 };
enum { SOURCE_LINK = 1, TARGET_LINK = 2 }; /* options, 4.6.1 */
enum { HOPS = 255, SOLICITED = 0x4000, OVERRIDE = 0x2000 };
enum { REPORT1 = 131, REPORT = 143, RECORD = 20, ALL_REPORTS = 0x16 }; /* RFC 3810 5.2.14 */
#define LINK_V6      UINT64_C(0xff02000000000000)
#define NODE_OF(low) (UINT64_C(0x1ff000000) | ((low)&0xffffff)) /* RFC 4291 2.7.1 */
enum { ALL_NODES = 1, ALL_ROUTERS = 2 };                        /* ends of ff02::, RFC 4291 2.7.1 */

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

bool wspi_mld_is(uint64_t type)
{
    return type == REPORT1 || type == REPORT;
}

/* The message's type; 0: the sample is none. */
static uint64_t type_of(const wspi_coder *c)
{
    const wspi_layer *l = c->p->n_layers ? &c->p->layers[c->p->n_layers - 1] : NULL;
    uint64_t type = l && l->id == WSPI_ICMPV6 ? l->v[WSPI_ICMP_TYPE] : 0;

    return c->fill && ip_of(c) && (wspi_ndp_is(type) || wspi_mld_is(type)) ? type : 0;
}

/* As many records as the drawn length has room for. */
static uint32_t records(const wsp_packet *p)
{
    return WSPI_MAX(1u, p->payload_len / RECORD);
}

void wspi_ndp_alert(wspi_layer *l)
{
    static const uint8_t alert[] = {5, 2, 0, 0, 1, 0}; /* RFC 2711 2.1, and padding */

    l->extra_len = sizeof alert;
    memcpy(l->extra, alert, sizeof alert);
}

static void fit_report(wspi_coder *c, wspi_layer *ip, wspi_layer *l)
{
    ip->v[WSPI_IPV6_HOPS] = 1; /* RFC 3810 5 */
    l->v[WSPI_ICMP_CODE] = l->v[WSPI_ICMP_ID] = 0;
    l->v[WSPI_ICMP_SEQ] = l->v[WSPI_ICMP_TYPE] == REPORT ? records(c->p) : 0;
    if (c->ctx->seen[c->dir])
        return;
    ip->v[WSPI_IPV6_DST] = LINK_V6;
    ip->v[WSPI_IPV6_DST_IF] =
        l->v[WSPI_ICMP_TYPE] == REPORT ? (uint64_t)ALL_REPORTS : NODE_OF(ip->v[WSPI_IPV6_SRC_IF]);
}

void wspi_ndp_fit(wspi_coder *c)
{
    uint64_t type = type_of(c), low;
    wspi_layer *ip = ip_of(c), *l;

    if (!type)
        return;
    l = &c->p->layers[c->p->n_layers - 1];
    if (wspi_mld_is(type)) {
        fit_report(c, ip, l);
        return;
    }
    ip->v[WSPI_IPV6_HOPS] = HOPS; /* 7.1.1: it comes from no other network */
    l->v[WSPI_ICMP_CODE] = l->v[WSPI_ICMP_ID] = l->v[WSPI_ICMP_SEQ] = 0;
    if (type == NEIGHBOR_ADVERT)
        l->v[WSPI_ICMP_ID] = is_group(ip) ? OVERRIDE : SOLICITED | OVERRIDE;
    if (!is_group(ip))
        return;
    low = wspi_residual_decode(c, WSPI_R_IP_DST_LOW, 8);
    ip->v[WSPI_IPV6_DST_IF] = type == NEIGHBOR_ADVERT  ? ALL_NODES
                              : type == ROUTER_SOLICIT ? ALL_ROUTERS
                                                       : NODE_OF(low);
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

/* A group that is joined, mostly; left; still there (5.2.12): mDNS, LLMNR, the sender's own one; none has sources. */
static void put_report(wspi_coder *c, const wspi_layer *ip)
{
    static const uint8_t types[] = {4, 4, 4, 4, 4, 3, 3, 2}, from[] = {0, 0, 1, 2};
    const uint64_t known[] = {NODE_OF(ip->v[WSPI_IPV6_SRC_IF]), 0x10003, 0xfb};
    uint64_t r = wspi_rng_u64(&c->rng);
    uint32_t n = records(c->p);
    uint8_t *b = wspi_payload_room(c, (size_t)n * RECORD);

    for (uint32_t i = 0; b && i < n; i++, b += RECORD) {
        put(b, (uint64_t)types[r >> 2 & 7] << 24, 4);
        put(b + 4, LINK_V6, 8);
        put(b + 12,
            i < WSPI_COUNT(known) ? known[(from[r & 3] + i) % WSPI_COUNT(known)]
                                  : NODE_OF((r >> 40) + i),
            8);
    }
    c->pay.at = (size_t)n * RECORD;
}

bool wspi_ndp_body(wspi_coder *c)
{
    uint64_t type = type_of(c);
    const wspi_layer *ip = ip_of(c), *link = &c->p->layers[0];
    size_t target = type == ROUTER_SOLICIT ? 0 : 16, option = link->id == WSPI_ETH ? 8 : 0;
    uint8_t *b;

    if (!type)
        return false;
    if (type == REPORT1)
        target = 16, option = 0;
    if (type == REPORT) {
        put_report(c, ip);
        return true;
    }
    b = wspi_payload_room(c, target + option);
    if (!b)
        return true;
    if (type == REPORT1) { /* RFC 2710 4: the group that it goes to */
        put(b, ip->v[WSPI_IPV6_DST], 8);
        put(b + 8, ip->v[WSPI_IPV6_DST_IF], 8);
    } else if (target)
        put_target(c, ip, type == NEIGHBOR_ADVERT, b);
    if (option) {
        b[target] = type == NEIGHBOR_ADVERT ? TARGET_LINK : SOURCE_LINK;
        b[target + 1] = 1; /* eight bytes */
        put(b + target + 2, link->v[WSPI_ETH_SRC], 6);
    }
    c->pay.at = target + option;
    return true;
}
