/* SPDX-License-Identifier: Apache-2.0 */
/*
 * udp.c: UDP, RFC 768:  | source port 16 | destination port 16 | length 16 | checksum 16 |
 * Tunnels over it are known by their headers, not by ports: VXLAN (RFC 7348), GTP-U (3GPP TS 29.281), those of overlay.c.
 */
#include "packet/packet_int.h"

static const wspi_field fields[] = {
    {"udp.sport", 0, 16, WSPI_K_PORT, WSPI_P_MIRROR, WSPI_R_PORT_SRC, WSPI_UDP_DPORT, NULL, 0},
    {"udp.dport", 16, 16, WSPI_K_PORT, WSPI_P_MIRROR, WSPI_R_PORT_DST, WSPI_UDP_SPORT, NULL, 0},
    {"udp.len", 32, 16, WSPI_K_AUTO, WSPI_P_CONST, WSPI_R_NONE, 0, NULL, 0},
    {"udp.cksum", 48, 16, WSPI_K_AUTO, WSPI_P_CONST, WSPI_R_CHECKSUM, 0, NULL, 0},
};

/* Eight fixed bytes but for the identifier, then a frame of a known type. */
static bool looks_vxlan(const wspi_region *r)
{
    const uint8_t *h = wspi_peek(r, 22);

    return h && h[0] == 0x08 && !(h[1] | h[2] | h[3] | h[7]) &&
           wspi_next_by_number(WSPI_S_ETHERTYPE, (uint64_t)h[20] << 8 | h[21]) != WSPI_PAYLOAD;
}

/* Version 1, a user packet whose length is the datagram's, and an IP packet inside. */
static bool looks_gtpu(const wspi_region *r)
{
    const uint8_t *h = wspi_peek(r, 9);

    return h && h[0] >> 4 == 3 && h[1] == 0xff &&
           ((uint32_t)h[2] << 8 | h[3]) + 8 == r->end - r->off &&
           (h[0] & 7 || h[8] >> 4 == 4 || h[8] >> 4 == 6);
}

static uint8_t parse(wspi_region *r)
{
    if (!wspi_peek(r, 8) || !wspi_push(r, WSPI_UDP, 0) || r->p->fragment)
        return WSPI_PAYLOAD;
    return looks_vxlan(r) ? WSPI_VXLAN : looks_gtpu(r) ? WSPI_GTPU : wspi_overlay(r);
}

/* A sum of zero is sent as all ones: zero means that there is none. */
static bool computed(const wsp_packet *p, const uint8_t *frame, size_t i, size_t f, uint64_t *v)
{
    if (f == WSPI_UDP_LEN) {
        *v = wspi_rest(p, i);
        return *v <= 0xffff;
    }
    if (!wspi_transport_sum(p, frame, i, 6, true, v))
        return false;
    *v = *v ? *v : 0xffff;
    return true;
}

const wspi_proto wspi_proto_udp = {.name = "udp",
                                   WSPI_FIELDS(fields),
                                   .len = 8,
                                   .samples = true,
                                   .ends = true,
                                   .parse = parse,
                                   .computed = computed,
                                   .key = wspi_key_ports};
