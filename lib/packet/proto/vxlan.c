/* SPDX-License-Identifier: Apache-2.0 */
/* vxlan.c: VXLAN, RFC 7348:  | flags 8 | reserved 24 | network 24 | reserved 8 |, then an Ethernet frame */
#include "packet/packet_int.h"

enum { FLAGS, RESERVED, NETWORK, RESERVED2 };

static const wspi_field fields[] = {
    {"vxlan.flags", 0, 8, WSPI_K_FREE, WSPI_P_CONST, WSPI_R_NONE, 8, NULL, 0},
    {"vxlan.reserved", 8, 24, WSPI_K_FREE, WSPI_P_CONST, WSPI_R_NONE, 0, NULL, 0},
    {"vxlan.network", 32, 24, WSPI_K_FREE, WSPI_P_MIRROR, WSPI_R_TAG, NETWORK, NULL, 0},
    {"vxlan.reserved2", 56, 8, WSPI_K_FREE, WSPI_P_CONST, WSPI_R_NONE, 0, NULL, 0},
};

static uint8_t parse(wspi_region *r)
{
    return wspi_peek(r, 8) && wspi_push(r, WSPI_VXLAN, 0) ? WSPI_ETH : WSPI_PAYLOAD;
}

static void key(wsp_flow_key *k, const wsp_packet *p, const wspi_layer *l)
{
    (void)p;
    wspi_key_scope(k, l->v[NETWORK] + 4789);
}

const wspi_proto wspi_proto_vxlan = {
    .name = "vxlan", WSPI_FIELDS(fields), .len = 8, .parse = parse, .key = key};
