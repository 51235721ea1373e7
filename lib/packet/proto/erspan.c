/* SPDX-License-Identifier: Apache-2.0 */
/*
 * erspan.c: frames that a switch has mirrored, over GRE (draft-foschiano-erspan). Type I, a GRE header without a sequence, has no
 * header of its own; type II has
 *     | version 4 = 1 | VLAN 12 | class 3 | encapsulation 2 | cut 1 | session 10 | reserved 12 | index 20 |
 * and type III
 *     | version 4 = 2 | VLAN 12 | class 3 | condition 2 | cut 1 | session 10 | time 32 | group 16 |
 *     | payload 1 | frame type 5 | hardware 6 | direction 1 | granularity 2 | optional 1 |    then 8 more bytes if `optional`
 * The mirrored frame is what was seen at a port: the session is no part of its flow.
 */
#include "packet/packet_int.h"

enum { TYPE_2 = 0x88be, TYPE_3 = 0x22eb, HEADER_2 = 8, HEADER_3 = 12, OPTIONAL = 8 };

static bool is_ethernet(const uint8_t *h)
{
    return (h[10] & 0x7c) == 0;
}

/* Bytes of the header; false: it is none. */
static bool header_len(const wspi_region *r, uint16_t type, bool numbered, uint32_t *len)
{
    const uint8_t *h = wspi_peek(r, type == TYPE_3 ? HEADER_3 : numbered ? HEADER_2 : 0);

    if (!h)
        return false;
    *len = 0;
    if (type == TYPE_3) {
        *len = HEADER_3 + (h[11] & 1 ? OPTIONAL : 0);
        return h[0] >> 4 == 2 && is_ethernet(h);
    }
    if (numbered)
        *len = HEADER_2;
    return !numbered || h[0] >> 4 == 1;
}

uint8_t wspi_erspan(wspi_region *r, uint16_t type, bool numbered)
{
    uint32_t len;

    if ((type != TYPE_2 && type != TYPE_3) || !header_len(r, type, numbered, &len) ||
        !wspi_peek(r, len + WSPI_ETH_LEN))
        return WSPI_PAYLOAD;
    return wspi_unwrap(r, len, NULL, 0) ? WSPI_ETH : WSPI_PAYLOAD;
}
