/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ipv6.c: IPv6, RFC 8200:  | version 4 | class 8 | label 20 | length 16 | next 8 | hops 8 | source 128 | destination 128 |
 * Extension headers (hop-by-hop, destination, routing):  | next 8 | length 8 | data |, length in 8 bytes less one;
 * fragment:  | next 8 | reserved 8 | offset 13 | reserved 2 | more 1 | identification 32 |
 */
#include "packet/packet_int.h"

static const wspi_value next[] = {
    {6, "tcp"},    {17, "udp"},       {58, "icmpv6"}, {0, "hop"},    {60, "dest"},  {43, "route"},
    {44, "frag"},  {4, "ipip"},       {41, "ipv6"},   {47, "gre"},   {50, "esp"},   {51, "ah"},
    {59, "none"},  {89, "ospf"},      {103, "pim"},   {112, "vrrp"}, {132, "sctp"}, {1, "icmp"},
    {88, "eigrp"}, {135, "mobility"}, {115, "l2tp"},  {0, NULL}};

static const wspi_field fields[] = {
    {"ipv6.version", 0, 4, WSPI_K_FREE, WSPI_P_CONST, WSPI_R_NONE, 6, NULL, 0},
    {"ipv6.class", 4, 8, WSPI_K_MAG, WSPI_P_PREV, WSPI_R_NONE, 0, NULL, 2},
    {"ipv6.label", 12, 20, WSPI_K_FREE, WSPI_P_PREV, WSPI_R_NUMBER, 0, NULL, 0},
    {"ipv6.len", 32, 16, WSPI_K_AUTO, WSPI_P_CONST, WSPI_R_NONE, 0, NULL, 0},
    {"ipv6.next", 48, 8, WSPI_K_ENUM, WSPI_P_NEXT, WSPI_R_NONE, 59, next, 0},
    {"ipv6.hops", 56, 8, WSPI_K_MAG, WSPI_P_PREV, WSPI_R_TTL, 64, NULL, 3},
    {"ipv6.src", 64, 64, WSPI_K_ADDR, WSPI_P_MIRROR, WSPI_R_IP_SRC, WSPI_IPV6_DST, NULL, 0},
    {"ipv6.src_if", 128, 64, WSPI_K_FREE, WSPI_P_MIRROR, WSPI_R_IP_SRC_LOW, WSPI_IPV6_DST_IF, NULL,
     0},
    {"ipv6.dst", 192, 64, WSPI_K_ADDR, WSPI_P_MIRROR, WSPI_R_IP_DST, WSPI_IPV6_SRC, NULL, 0},
    {"ipv6.dst_if", 256, 64, WSPI_K_FREE, WSPI_P_MIRROR, WSPI_R_IP_DST_LOW, WSPI_IPV6_SRC_IF, NULL,
     0},
};

/* The data of extension headers is residual: routes hold addresses. */
#define EXTENSION(name)                                                       \
    {name ".next", 0, 8, WSPI_K_ENUM, WSPI_P_NEXT, WSPI_R_NONE, 59, next, 0}, \
        {name ".len", 8, 8, WSPI_K_AUTO, WSPI_P_CONST, WSPI_R_NONE, 0, NULL, 0},

static const wspi_field hop[] = {EXTENSION("ipv6.hop")};
static const wspi_field dest[] = {EXTENSION("ipv6.dest")};
static const wspi_field route[] = {EXTENSION("ipv6.route")};
static const wspi_field frag[] = {
    {"ipv6.frag.next", 0, 8, WSPI_K_ENUM, WSPI_P_NEXT, WSPI_R_NONE, 17, next, 0},
    {"ipv6.frag.res", 8, 8, WSPI_K_FREE, WSPI_P_CONST, WSPI_R_NONE, 0, NULL, 0},
    {"ipv6.frag.offset", 16, 13, WSPI_K_MAG, WSPI_P_FRAG, WSPI_R_NONE, 0, NULL, 1},
    {"ipv6.frag.res2", 29, 2, WSPI_K_FREE, WSPI_P_CONST, WSPI_R_NONE, 0, NULL, 0},
    {"ipv6.frag.more", 31, 1, WSPI_K_MAG, WSPI_P_PREV, WSPI_R_NONE, 1, NULL, 1},
    {"ipv6.frag.id", 32, 32, WSPI_K_FREE, WSPI_P_SELF, WSPI_R_NUMBER, 0, NULL, 0},
};

static uint8_t parse(wspi_region *r)
{
    const uint8_t *h = wspi_peek(r, 40);
    uint32_t start = r->off;
    const wspi_layer *l;

    if (!h || h[0] >> 4 != 6)
        return WSPI_PAYLOAD;
    l = wspi_push(r, WSPI_IPV6, 0);
    if (!l)
        return WSPI_PAYLOAD;
    wspi_narrow(r, start, 40 + l->v[WSPI_IPV6_LEN]);
    return wspi_next_by_number(WSPI_S_IP, l->v[WSPI_IPV6_NEXT]);
}

static uint8_t extension(wspi_region *r, uint8_t id)
{
    const uint8_t *h = wspi_peek(r, 2);
    uint32_t len = h ? 8 + (uint32_t)h[1] * 8 : 0;
    const wspi_layer *l = h && wspi_peek(r, len) ? wspi_push(r, id, len - 2) : NULL;

    return l ? wspi_next_by_number(WSPI_S_IP, l->v[WSPI_IPV6_PART_NEXT]) : (uint8_t)WSPI_PAYLOAD;
}

static uint8_t parse_hop(wspi_region *r)
{
    return extension(r, WSPI_IPV6_HOP);
}

static uint8_t parse_dest(wspi_region *r)
{
    return extension(r, WSPI_IPV6_DEST);
}

static uint8_t parse_route(wspi_region *r)
{
    return extension(r, WSPI_IPV6_ROUTE);
}

static uint8_t parse_frag(wspi_region *r)
{
    const wspi_layer *l = wspi_peek(r, 8) ? wspi_push(r, WSPI_IPV6_FRAG, 0) : NULL;

    if (!l)
        return WSPI_PAYLOAD;
    r->p->fragment = l->v[WSPI_FRAG_OFFSET] || l->v[WSPI_FRAG_MORE];
    return l->v[WSPI_FRAG_OFFSET] ? (uint8_t)WSPI_PAYLOAD
                                  : wspi_next_by_number(WSPI_S_IP, l->v[WSPI_FRAG_NEXT]);
}

static bool computed(const wsp_packet *p, const uint8_t *frame, size_t i, size_t f, uint64_t *v)
{
    (void)frame, (void)f;
    *v = wspi_rest(p, i) - 40;
    return *v <= 0xffff;
}

static bool computed_extension(const wsp_packet *p, const uint8_t *frame, size_t i, size_t f,
                               uint64_t *v)
{
    uint32_t len = 2 + (uint32_t)p->layers[i].extra_len;

    (void)frame, (void)f;
    *v = len / 8 - 1;
    return len >= 8;
}

static void key(wsp_flow_key *k, const wsp_packet *p, const wspi_layer *l)
{
    wspi_key_addr(k, p->data + l->off, 8, 24, 16);
    k->ethertype = 0x86dd;
    k->proto = (uint8_t)l->v[WSPI_IPV6_NEXT];
}

static void key_extension(wsp_flow_key *k, const wsp_packet *p, const wspi_layer *l)
{
    if (!wspi_in_fragment(p, l))
        k->proto = (uint8_t)l->v[WSPI_IPV6_PART_NEXT];
}

const wspi_proto wspi_proto_ipv6 = {.name = "ipv6",
                                    WSPI_FIELDS(fields),
                                    .len = 40,
                                    .space = WSPI_S_IP,
                                    .type = WSPI_IPV6_NEXT,
                                    .samples = true,
                                    .parse = parse,
                                    .computed = computed,
                                    .key = key};

#define HEADER(t)                                                                                 \
    WSPI_FIELDS(t), .len = 2, .has_extra = true, .space = WSPI_S_IP, .type = WSPI_IPV6_PART_NEXT, \
                    .computed = computed_extension, .key = key_extension
const wspi_proto wspi_proto_ipv6_hop = {.name = "ipv6.hop", HEADER(hop), .parse = parse_hop};
const wspi_proto wspi_proto_ipv6_dest = {.name = "ipv6.dest", HEADER(dest), .parse = parse_dest};
const wspi_proto wspi_proto_ipv6_route = {
    .name = "ipv6.route", HEADER(route), .parse = parse_route};
const wspi_proto wspi_proto_ipv6_frag = {.name = "ipv6.frag",
                                         WSPI_FIELDS(frag),
                                         .len = 8,
                                         .space = WSPI_S_IP,
                                         .type = WSPI_FRAG_NEXT,
                                         .parse = parse_frag,
                                         .key = key_extension};
