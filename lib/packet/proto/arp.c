/* SPDX-License-Identifier: Apache-2.0 */
/*
 * arp.c: ARP for Ethernet and IPv4, RFC 826:  | hardware type 16 | protocol type 16 | hardware length 8 |
 * | protocol length 8 | operation 16 | sender MAC 48 | sender IP 32 | target MAC 48 | target IP 32 |
 */
#include "packet/packet_int.h"

enum { HTYPE, PTYPE, HLEN, PLEN, OP, SHA, SPA, THA, TPA };

static const wspi_value op[] = {
    {1, "request"}, {2, "reply"}, {3, "rarp"}, {4, "rarp-reply"}, {0, NULL}};

static const wspi_field fields[] = {
    {"arp.htype", 0, 16, WSPI_K_FREE, WSPI_P_CONST, WSPI_R_NONE, 1, NULL, 0},
    {"arp.ptype", 16, 16, WSPI_K_FREE, WSPI_P_CONST, WSPI_R_NONE, 0x0800, NULL, 0},
    {"arp.hlen", 32, 8, WSPI_K_FREE, WSPI_P_CONST, WSPI_R_NONE, 6, NULL, 0},
    {"arp.plen", 40, 8, WSPI_K_FREE, WSPI_P_CONST, WSPI_R_NONE, 4, NULL, 0},
    {"arp.op", 48, 16, WSPI_K_ENUM, WSPI_P_PREV, WSPI_R_NONE, 1, op, 0},
    {"arp.sha", 64, 48, WSPI_K_ADDR, WSPI_P_MIRROR, WSPI_R_MAC_SRC, THA, NULL, 0},
    {"arp.spa", 112, 32, WSPI_K_ADDR, WSPI_P_MIRROR, WSPI_R_IP_SRC, TPA, NULL, 0},
    {"arp.tha", 144, 48, WSPI_K_ADDR, WSPI_P_MIRROR, WSPI_R_MAC_DST, SHA, NULL, 0},
    {"arp.tpa", 192, 32, WSPI_K_ADDR, WSPI_P_MIRROR, WSPI_R_IP_DST, SPA, NULL, 0},
};

static uint8_t parse(wspi_region *r)
{
    const uint8_t *h = wspi_peek(r, 28);

    if (h && h[4] == 6 && h[5] == 4)
        (void)wspi_push(r, WSPI_ARP, 0);
    return WSPI_PAYLOAD;
}

const wspi_proto wspi_proto_arp = {
    .name = "arp", WSPI_FIELDS(fields), .len = 28, .samples = true, .ends = true, .parse = parse};
