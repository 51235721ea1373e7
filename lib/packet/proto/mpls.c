/* SPDX-License-Identifier: Apache-2.0 */
/*
 * mpls.c: MPLS label stack entries, RFC 3032:  | label 20 | class 3 | bottom 1 | ttl 8 |
 * Labels differ by direction, so they are no part of a flow's identity. What follows the bottom is known by its first
 * four bits: IPv4 or IPv6; anything else is payload.
 */
#include "packet/packet_int.h"

enum { LABEL, CLASS, BOTTOM, TTL };

static const wspi_field fields[] = {
    {"mpls.label", 0, 20, WSPI_K_FREE, WSPI_P_SELF, WSPI_R_TAG, 0, NULL, 0},
    {"mpls.class", 20, 3, WSPI_K_MAG, WSPI_P_PREV, WSPI_R_NONE, 0, NULL, 3},
    {"mpls.bottom", 23, 1, WSPI_K_AUTO, WSPI_P_CONST, WSPI_R_NONE, 0, NULL, 0},
    {"mpls.ttl", 24, 8, WSPI_K_MAG, WSPI_P_PREV, WSPI_R_TTL, 64, NULL, 3},
};

static uint8_t parse(wspi_region *r)
{
    const wspi_layer *l = wspi_peek(r, 4) ? wspi_push(r, WSPI_MPLS, 0) : NULL;
    const uint8_t *inner;

    if (!l)
        return WSPI_PAYLOAD;
    if (!l->v[BOTTOM])
        return WSPI_MPLS;
    inner = wspi_peek(r, 1);
    return inner && *inner >> 4 == 4   ? WSPI_IPV4
           : inner && *inner >> 4 == 6 ? WSPI_IPV6
                                       : WSPI_PAYLOAD;
}

static bool computed(const wsp_packet *p, const uint8_t *frame, size_t i, size_t f, uint64_t *v)
{
    (void)frame, (void)f;
    *v = wspi_next_layer(p, i) != WSPI_MPLS;
    return true;
}

const wspi_proto wspi_proto_mpls = {
    .name = "mpls", WSPI_FIELDS(fields), .len = 4, .parse = parse, .computed = computed};
