/* SPDX-License-Identifier: Apache-2.0 */
/*
 * overlay.c: tunnels over UDP that are taken off. Geneve, RFC 8926:
 *     | version 2 | options' length in 4 bytes 6 | control 1 | critical 1 | reserved 6 | type 16 | network 24 | reserved 8 | options
 * VXLAN-GPE, draft-ietf-nvo3-vxlan-gpe:
 *     | flags 8 | reserved 16 | what follows 8 | network 24 | reserved 8 |
 * TZSP, which sensors send what they see in:
 *     | version 8 | packet 8 | what follows 16 |  then  | tag 8 | length 8 | value |  until a tag that is the last
 * They wrap Ethernet frames or IP packets. A network is part of a flow's identity, as VXLAN's is; what a sensor saw has none.
 */
#include "packet/packet_int.h"

enum { ETHERNET = 0x6558, IPV4 = 0x0800, IPV6 = 0x86dd, HEADER = 8 };

/* Bytes before what it wraps, whose type is an ethertype or ETHERNET; what it adds to the key, or 0. */
typedef struct overlay {
    uint32_t len;
    uint16_t type;
    uint32_t scope;
} overlay;

static uint32_t network_of(const uint8_t *h)
{
    return (uint32_t)h[4] << 16 | (uint32_t)h[5] << 8 | h[6];
}

static bool read_geneve(const wspi_region *r, overlay *out)
{
    enum { PORT = 6081 };
    const uint8_t *h = wspi_peek(r, HEADER);

    if (!h || h[0] >> 6 || h[1] & 0x3f || h[7])
        return false;
    *out =
        (overlay){HEADER + (h[0] & 0x3fu) * 4, (uint16_t)(h[2] << 8 | h[3]), network_of(h) + PORT};
    return true;
}

static bool read_vxlan_gpe(const wspi_region *r, overlay *out)
{
    enum { PORT = 4790, NETWORK_AND_NEXT = 0x0c };
    static const uint16_t next[] = {0, IPV4, IPV6, ETHERNET};
    const uint8_t *h = wspi_peek(r, HEADER);

    if (!h || h[0] != NETWORK_AND_NEXT || h[1] | h[2] | h[7] || h[3] >= WSPI_COUNT(next))
        return false;
    *out = (overlay){HEADER, next[h[3]], network_of(h) + PORT};
    return true;
}

static bool read_tzsp(const wspi_region *r, overlay *out)
{
    enum { START = 4, PAD = 0, LAST = 1 };
    static const uint8_t start[START] = {1, 0, 0, 1}; /* a frame that was received, of Ethernet */
    const uint8_t *h = wspi_peek(r, START);
    uint32_t at = START;

    if (!h || memcmp(h, start, START) != 0)
        return false;
    while ((h = wspi_peek(r, at + 2)) != NULL && h[at] != LAST)
        at += h[at] == PAD ? 1 : 2u + h[at + 1];
    *out = (overlay){at + 1, ETHERNET, 0};
    return h != NULL;
}

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
    if (type == IPV4 && is_ip(b, left, 4))
        return WSPI_IPV4;
    return type == IPV6 && is_ip(b, left, 6) ? WSPI_IPV6 : WSPI_PAYLOAD;
}

uint8_t wspi_overlay(wspi_region *r)
{
    static bool (*const read[])(const wspi_region *, overlay *) = {read_geneve, read_vxlan_gpe,
                                                                   read_tzsp};

    for (size_t i = 0; i < WSPI_COUNT(read); i++) {
        overlay o;
        const uint8_t *h;
        uint8_t inner;
        if (!read[i](r, &o) || (h = wspi_peek(r, o.len + WSPI_ETH_LEN)) == NULL)
            continue;
        inner = inner_layer(o.type, h + o.len, r->end - r->off - o.len);
        if (inner != WSPI_PAYLOAD && wspi_unwrap(r, o.len, NULL, o.scope))
            return inner;
    }
    return WSPI_PAYLOAD;
}
