/* SPDX-License-Identifier: Apache-2.0 */
/* protos.c: all layers, one row each (their tables are in proto/), and the numbers by which headers name the next one. */
#include "packet/packet_int.h"

extern const wspi_proto wspi_proto_eth, wspi_proto_llc, wspi_proto_snap, wspi_proto_vlan,
    wspi_proto_sll, wspi_proto_sll2, wspi_proto_null, wspi_proto_hdlc, wspi_proto_chdlc,
    wspi_proto_ppp, wspi_proto_pppoe, wspi_proto_mpls, wspi_proto_arp, wspi_proto_ipv4,
    wspi_proto_ipv4_eol, wspi_proto_ipv4_nop, wspi_proto_ipv4_alert, wspi_proto_ipv4_route,
    wspi_proto_ipv4_rawopt, wspi_proto_ipv6, wspi_proto_ipv6_hop, wspi_proto_ipv6_dest,
    wspi_proto_ipv6_route, wspi_proto_ipv6_frag, wspi_proto_ah, wspi_proto_esp, wspi_proto_icmp,
    wspi_proto_icmpv6, wspi_proto_igmp, wspi_proto_udp, wspi_proto_tcp, wspi_proto_tcp_eol,
    wspi_proto_tcp_nop, wspi_proto_tcp_mss, wspi_proto_tcp_wscale, wspi_proto_tcp_sackok,
    wspi_proto_tcp_sack, wspi_proto_tcp_ts, wspi_proto_tcp_rawopt, wspi_proto_sctp,
    wspi_proto_sctp_data, wspi_proto_sctp_chunk, wspi_proto_gre, wspi_proto_gre_sum,
    wspi_proto_gre_key, wspi_proto_gre_seq, wspi_proto_gre_ack, wspi_proto_vxlan, wspi_proto_gtpu,
    wspi_proto_gtpu_opt, wspi_proto_gtpu_ext;

static const wspi_proto payload = {.name = "payload"};

const wspi_proto *const wspi_protos[WSPI_LAYER_COUNT] = {
    [WSPI_ETH] = &wspi_proto_eth,
    [WSPI_LLC] = &wspi_proto_llc,
    [WSPI_SNAP] = &wspi_proto_snap,
    [WSPI_VLAN] = &wspi_proto_vlan,
    [WSPI_SLL] = &wspi_proto_sll,
    [WSPI_SLL2] = &wspi_proto_sll2,
    [WSPI_NULL] = &wspi_proto_null,
    [WSPI_HDLC] = &wspi_proto_hdlc,
    [WSPI_CHDLC] = &wspi_proto_chdlc,
    [WSPI_PPP] = &wspi_proto_ppp,
    [WSPI_PPPOE] = &wspi_proto_pppoe,
    [WSPI_MPLS] = &wspi_proto_mpls,
    [WSPI_ARP] = &wspi_proto_arp,
    [WSPI_IPV4] = &wspi_proto_ipv4,
    [WSPI_IPV4_EOL] = &wspi_proto_ipv4_eol,
    [WSPI_IPV4_NOP] = &wspi_proto_ipv4_nop,
    [WSPI_IPV4_ALERT] = &wspi_proto_ipv4_alert,
    [WSPI_IPV4_ROUTE] = &wspi_proto_ipv4_route,
    [WSPI_IPV4_RAWOPT] = &wspi_proto_ipv4_rawopt,
    [WSPI_IPV6] = &wspi_proto_ipv6,
    [WSPI_IPV6_HOP] = &wspi_proto_ipv6_hop,
    [WSPI_IPV6_DEST] = &wspi_proto_ipv6_dest,
    [WSPI_IPV6_ROUTE] = &wspi_proto_ipv6_route,
    [WSPI_IPV6_FRAG] = &wspi_proto_ipv6_frag,
    [WSPI_AH] = &wspi_proto_ah,
    [WSPI_ESP] = &wspi_proto_esp,
    [WSPI_ICMP] = &wspi_proto_icmp,
    [WSPI_ICMPV6] = &wspi_proto_icmpv6,
    [WSPI_IGMP] = &wspi_proto_igmp,
    [WSPI_UDP] = &wspi_proto_udp,
    [WSPI_TCP] = &wspi_proto_tcp,
    [WSPI_TCP_EOL] = &wspi_proto_tcp_eol,
    [WSPI_TCP_NOP] = &wspi_proto_tcp_nop,
    [WSPI_TCP_MSS] = &wspi_proto_tcp_mss,
    [WSPI_TCP_WSCALE] = &wspi_proto_tcp_wscale,
    [WSPI_TCP_SACKOK] = &wspi_proto_tcp_sackok,
    [WSPI_TCP_SACK] = &wspi_proto_tcp_sack,
    [WSPI_TCP_TS] = &wspi_proto_tcp_ts,
    [WSPI_TCP_RAWOPT] = &wspi_proto_tcp_rawopt,
    [WSPI_SCTP] = &wspi_proto_sctp,
    [WSPI_SCTP_DATA] = &wspi_proto_sctp_data,
    [WSPI_SCTP_CHUNK] = &wspi_proto_sctp_chunk,
    [WSPI_GRE] = &wspi_proto_gre,
    [WSPI_GRE_SUM] = &wspi_proto_gre_sum,
    [WSPI_GRE_KEY] = &wspi_proto_gre_key,
    [WSPI_GRE_SEQ] = &wspi_proto_gre_seq,
    [WSPI_GRE_ACK] = &wspi_proto_gre_ack,
    [WSPI_VXLAN] = &wspi_proto_vxlan,
    [WSPI_GTPU] = &wspi_proto_gtpu,
    [WSPI_GTPU_OPT] = &wspi_proto_gtpu_opt,
    [WSPI_GTPU_EXT] = &wspi_proto_gtpu_ext,
    [WSPI_PAYLOAD] = &payload,
};

/* IEEE 802 numbers, IANA protocol numbers, PPP protocol numbers. The first row of a layer is what it is written as. */
static const struct {
    uint8_t space;
    uint16_t number;
    uint8_t layer;
} numbers[] = {
    {WSPI_S_ETHERTYPE, 0x0800, WSPI_IPV4},
    {WSPI_S_ETHERTYPE, 0x86dd, WSPI_IPV6},
    {WSPI_S_ETHERTYPE, 0x8100, WSPI_VLAN},
    {WSPI_S_ETHERTYPE, 0x0806, WSPI_ARP},
    {WSPI_S_ETHERTYPE, 0x88a8, WSPI_VLAN},
    {WSPI_S_ETHERTYPE, 0x9100, WSPI_VLAN},
    {WSPI_S_ETHERTYPE, 0x8847, WSPI_MPLS},
    {WSPI_S_ETHERTYPE, 0x8848, WSPI_MPLS},
    {WSPI_S_ETHERTYPE, 0x8864, WSPI_PPPOE},
    {WSPI_S_ETHERTYPE, 0x8863, WSPI_PPPOE},
    {WSPI_S_ETHERTYPE, 0x6558, WSPI_ETH},
    {WSPI_S_ETHERTYPE, 0x880b, WSPI_PPP},
    {WSPI_S_IP, 6, WSPI_TCP},
    {WSPI_S_IP, 17, WSPI_UDP},
    {WSPI_S_IP, 1, WSPI_ICMP},
    {WSPI_S_IP, 58, WSPI_ICMPV6},
    {WSPI_S_IP, 2, WSPI_IGMP},
    {WSPI_S_IP, 47, WSPI_GRE},
    {WSPI_S_IP, 4, WSPI_IPV4},
    {WSPI_S_IP, 41, WSPI_IPV6},
    {WSPI_S_IP, 132, WSPI_SCTP},
    {WSPI_S_IP, 50, WSPI_ESP},
    {WSPI_S_IP, 51, WSPI_AH},
    {WSPI_S_IP, 0, WSPI_IPV6_HOP},
    {WSPI_S_IP, 43, WSPI_IPV6_ROUTE},
    {WSPI_S_IP, 44, WSPI_IPV6_FRAG},
    {WSPI_S_IP, 60, WSPI_IPV6_DEST},
    {WSPI_S_PPP, 0x0021, WSPI_IPV4},
    {WSPI_S_PPP, 0x0057, WSPI_IPV6},
    {WSPI_S_PPP, 0x0281, WSPI_MPLS},
};

bool wspi_next_number(enum wspi_space space, uint8_t next, uint64_t *number)
{
    for (size_t i = 0; i < WSPI_COUNT(numbers); i++)
        if (numbers[i].layer == next && numbers[i].space == (uint8_t)space) {
            *number = numbers[i].number;
            return true;
        }
    return false;
}

uint8_t wspi_next_by_number(enum wspi_space space, uint64_t number)
{
    for (size_t i = 0; i < WSPI_COUNT(numbers); i++)
        if (numbers[i].number == number && numbers[i].space == (uint8_t)space)
            return numbers[i].layer;
    return WSPI_PAYLOAD;
}

bool wspi_is_part(uint8_t id, uint8_t of)
{
    return wspi_protos[id]->part_of == of + 1;
}

bool wspi_may_follow(uint8_t id, uint8_t next)
{
    const wspi_proto *proto = wspi_protos[id];
    uint64_t n;

    if (proto->part_of)
        proto = wspi_protos[id = (uint8_t)(proto->part_of - 1)];
    if (next == WSPI_PAYLOAD)
        return proto->ends || id == WSPI_TCP;
    if (!wspi_protos[next]->samples)
        return false;
    if (wspi_is_part(next, id))
        return true;
    if ((id == WSPI_IPV4 && next == WSPI_ICMPV6) ||
        (id == WSPI_IPV6 && (next == WSPI_ICMP || next == WSPI_IGMP)))
        return false;
    return proto->space && wspi_next_number((enum wspi_space)proto->space, next, &n);
}

uint8_t wspi_link_layer(int linktype)
{
    switch (linktype) {
    case 1: return WSPI_ETH;
    case 0:
    case 108: return WSPI_NULL;
    case 9:
    case 50: return WSPI_HDLC;
    case 51: return WSPI_PPPOE;
    case 104: return WSPI_CHDLC;
    case 113: return WSPI_SLL;
    case 219: return WSPI_MPLS;
    case 228: return WSPI_IPV4;
    case 229: return WSPI_IPV6;
    case 276: return WSPI_SLL2;
    default: return WSPI_PAYLOAD;
    }
}
