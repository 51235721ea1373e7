/* SPDX-License-Identifier: Apache-2.0 */
/*
 * icmp.c: ICMP (RFC 792) and ICMPv6 (RFC 4443):  | type 8 | code 8 | checksum 16 | rest of header 32 |
 * The rest is identifier 16 and sequence 16 of an echo. Errors quote the packet that they are about: its headers are
 * layers too, but no part of the flow's identity (wspi_own_layers).
 */
#include "packet/packet_int.h"

static const wspi_value icmp_type[] = {{0, "echo-reply"},
                                       {3, "unreachable"},
                                       {4, "source-quench"},
                                       {5, "redirect"},
                                       {8, "echo"},
                                       {9, "router-advert"},
                                       {10, "router-solicit"},
                                       {11, "time-exceeded"},
                                       {12, "parameter"},
                                       {13, "timestamp"},
                                       {14, "timestamp-reply"},
                                       {17, "mask"},
                                       {18, "mask-reply"},
                                       {0, NULL}};
static const wspi_value icmpv6_type[] = {{1, "unreachable"},
                                         {2, "too-big"},
                                         {3, "time-exceeded"},
                                         {4, "parameter"},
                                         {128, "echo"},
                                         {129, "echo-reply"},
                                         {130, "mld-query"},
                                         {131, "mld-report"},
                                         {132, "mld-done"},
                                         {133, "router-solicit"},
                                         {134, "router-advert"},
                                         {135, "neighbor-solicit"},
                                         {136, "neighbor-advert"},
                                         {137, "redirect"},
                                         {143, "mld2-report"},
                                         {155, "rpl"},
                                         {0, NULL}};

static const wspi_field icmp[] = {
    {"icmp.type", 0, 8, WSPI_K_ENUM, WSPI_P_PREV, WSPI_R_NONE, 8, icmp_type, 0},
    {"icmp.code", 8, 8, WSPI_K_MAG, WSPI_P_PREV, WSPI_R_NONE, 0, NULL, 2},
    {"icmp.cksum", 16, 16, WSPI_K_AUTO, WSPI_P_CONST, WSPI_R_CHECKSUM, 0, NULL, 0},
    {"icmp.id", 32, 16, WSPI_K_FREE, WSPI_P_MIRROR, WSPI_R_NUMBER, WSPI_ICMP_ID, NULL, 0},
    {"icmp.seq", 48, 16, WSPI_K_FREE, WSPI_P_ECHO, WSPI_R_NUMBER, 0, NULL, 0},
};
static const wspi_field icmpv6[] = {
    {"icmpv6.type", 0, 8, WSPI_K_ENUM, WSPI_P_PREV, WSPI_R_NONE, 128, icmpv6_type, 0},
    {"icmpv6.code", 8, 8, WSPI_K_MAG, WSPI_P_PREV, WSPI_R_NONE, 0, NULL, 2},
    {"icmpv6.cksum", 16, 16, WSPI_K_AUTO, WSPI_P_CONST, WSPI_R_CHECKSUM, 0, NULL, 0},
    {"icmpv6.id", 32, 16, WSPI_K_FREE, WSPI_P_MIRROR, WSPI_R_NUMBER, WSPI_ICMP_ID, NULL, 0},
    {"icmpv6.seq", 48, 16, WSPI_K_FREE, WSPI_P_ECHO, WSPI_R_NUMBER, 0, NULL, 0},
};

/* Errors are not about errors: a quoted packet quotes nothing. */
static uint8_t parse(wspi_region *r, uint8_t id, uint32_t error_types, uint8_t quoted)
{
    bool inner = wspi_own_layers(r->p) < r->p->n_layers;
    const wspi_layer *l = wspi_peek(r, 8) ? wspi_push(r, id, 0) : NULL;
    bool error = l && l->v[WSPI_ICMP_TYPE] < 32 && error_types >> l->v[WSPI_ICMP_TYPE] & 1;

    return error && !inner && !r->p->fragment ? quoted : (uint8_t)WSPI_PAYLOAD;
}

static uint8_t parse_icmp(wspi_region *r)
{
    return parse(r, WSPI_ICMP, 1u << 3 | 1u << 4 | 1u << 5 | 1u << 11 | 1u << 12, WSPI_IPV4);
}

static uint8_t parse_icmpv6(wspi_region *r)
{
    return parse(r, WSPI_ICMPV6, 1u << 1 | 1u << 2 | 1u << 3 | 1u << 4, WSPI_IPV6);
}

static bool computed_icmp(const wsp_packet *p, const uint8_t *frame, size_t i, size_t f,
                          uint64_t *v)
{
    (void)f;
    return wspi_transport_sum(p, frame, i, 2, false, v);
}

static bool computed_icmpv6(const wsp_packet *p, const uint8_t *frame, size_t i, size_t f,
                            uint64_t *v)
{
    (void)f;
    return wspi_transport_sum(p, frame, i, 2, true, v);
}

/* The identifier of an echo stands for both ports. */
static void key_echo(wsp_flow_key *k, const wspi_layer *l, unsigned echo, unsigned reply)
{
    if (l->v[WSPI_ICMP_TYPE] == echo || l->v[WSPI_ICMP_TYPE] == reply)
        k->port[0] = k->port[1] = (uint16_t)l->v[WSPI_ICMP_ID];
}

static void key_icmp(wsp_flow_key *k, const wsp_packet *p, const wspi_layer *l)
{
    if (!p->fragment)
        key_echo(k, l, 8, 0);
}

static void key_icmpv6(wsp_flow_key *k, const wsp_packet *p, const wspi_layer *l)
{
    if (!p->fragment)
        key_echo(k, l, 128, 129);
}

const wspi_proto wspi_proto_icmp = {.name = "icmp",
                                    WSPI_FIELDS(icmp),
                                    .len = 8,
                                    .samples = true,
                                    .ends = true,
                                    .parse = parse_icmp,
                                    .computed = computed_icmp,
                                    .key = key_icmp};
const wspi_proto wspi_proto_icmpv6 = {.name = "icmpv6",
                                      WSPI_FIELDS(icmpv6),
                                      .len = 8,
                                      .samples = true,
                                      .ends = true,
                                      .parse = parse_icmpv6,
                                      .computed = computed_icmpv6,
                                      .key = key_icmpv6};
