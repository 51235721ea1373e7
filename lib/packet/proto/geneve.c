/* SPDX-License-Identifier: Apache-2.0 */
/*
 * geneve.c: Geneve, RFC 8926, over UDP:
 * | version 2 | options' length in 4 bytes 6 | control 1 | critical 1 | reserved 6 | type 16 | network 24 | reserved 8 | options
 * It wraps an Ethernet frame or an IP packet. The network is part of a flow's identity, as VXLAN's is.
 */
#include "packet/packet_int.h"

enum { HEADER = 8, ETHERNET = 0x6558, PORT = 6081 };

/* An IP packet of this version that ends where the datagram does. */
static bool is_ip(const uint8_t *b, uint32_t left, unsigned version)
{
    uint32_t len = version == 4 ? (uint32_t)b[2] << 8 | b[3] : ((uint32_t)b[4] << 8 | b[5]) + 40;

    return b[0] >> 4 == version && len == left;
}

/* The layer of what is inside, by header and content: ports are not asked. */
static uint8_t inner_layer(uint16_t type, const uint8_t *b, uint32_t left)
{
    if (type == ETHERNET)
        return wspi_next_by_number(WSPI_S_ETHERTYPE, (uint64_t)b[12] << 8 | b[13]) == WSPI_PAYLOAD
                   ? WSPI_PAYLOAD
                   : WSPI_ETH;
    if (type == 0x0800 && is_ip(b, left, 4))
        return WSPI_IPV4;
    return type == 0x86dd && is_ip(b, left, 6) ? WSPI_IPV6 : WSPI_PAYLOAD;
}

uint8_t wspi_geneve(wspi_region *r)
{
    const uint8_t *h = wspi_peek(r, HEADER);
    uint32_t len, network;
    uint8_t inner;

    if (!h || h[0] >> 6 || h[1] & 0x3f || h[7])
        return WSPI_PAYLOAD;
    len = HEADER + (h[0] & 0x3fu) * 4;
    if (!wspi_peek(r, len + WSPI_ETH_LEN))
        return WSPI_PAYLOAD;
    inner = inner_layer((uint16_t)(h[2] << 8 | h[3]), h + len, r->end - r->off - len);
    network = (uint32_t)h[4] << 16 | (uint32_t)h[5] << 8 | h[6];
    return inner != WSPI_PAYLOAD && wspi_unwrap(r, len, NULL, network + PORT)
               ? inner
               : (uint8_t)WSPI_PAYLOAD;
}
