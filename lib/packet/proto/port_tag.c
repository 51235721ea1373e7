/* SPDX-License-Identifier: Apache-2.0 */
/*
 * port_tag.c: tags of virtual ports, between the source address and the type of an Ethernet frame. E-tag, IEEE 802.1BR, 0x893f:
 *     | pcp 3 | dei 1 | ingress 12 | reserved 2 | group 2 | channel 12 | ingress 8 | channel 8 |
 * Cisco's VN-tag, 0x8926:
 *     | to the port 1 | list 1 | destination 14 | looped 1 | reserved 1 | version 2 | source 12 |
 * A tag names ports by direction, so that it is no part of a flow. The frame is the one without it, and without VLAN tags before it:
 * these belong to what it came in.
 */
#include "packet/packet_int.h"

enum { E_TAG = 0x893f, E_TAG_LEN = 6, VN_TAG = 0x8926, VN_TAG_LEN = 4, ADDRESSES = 12, TYPE = 2 };

/* The Ethernet header that is the last layer, or stands before VLAN tags that are; NULL: there is none. */
static const uint8_t *ethernet(const wsp_packet *p)
{
    size_t i = p->n_layers;

    while (i > 0 && p->layers[i - 1].id == WSPI_VLAN)
        i--;
    return i > 0 && p->layers[i - 1].id == WSPI_ETH ? p->data + p->layers[i - 1].off : NULL;
}

/* Behind a header with this type, which was pushed last. */
uint8_t wspi_port_tag(wspi_region *r, uint64_t type)
{
    uint32_t len = type == E_TAG ? E_TAG_LEN : VN_TAG_LEN;
    const uint8_t *tag = wspi_peek(r, len + TYPE);
    const uint8_t *frame = ethernet(r->p);
    uint8_t header[WSPI_ETH_LEN];

    if ((type != E_TAG && type != VN_TAG) || !tag || !frame)
        return WSPI_PAYLOAD;
    memcpy(header, frame, ADDRESSES);
    memcpy(header + ADDRESSES, tag + len, TYPE);
    return wspi_unwrap(r, len + TYPE, header, 0) ? WSPI_ETH : WSPI_PAYLOAD;
}
