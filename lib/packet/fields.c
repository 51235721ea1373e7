/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fields.c: the field tables: name, bits, kind, predictor, role of every header field. Coder, decoder, sampler,
 * explain and the documents walk these tables. The order of the rows is the order of coding.
 */
#include "packet/packet_int.h"

#define ROWS(t) .fields = t, .n_fields = WSPI_COUNT(t)

/* IEEE 802.3:  | dst 48 | src 48 | type 16 | */
static const wspi_field eth[] = {
    {"eth.dst", 0, 48, WSPI_K_ADDR, WSPI_P_MIRROR, WSPI_R_MAC_DST, WSPI_ETH_SRC, NULL, 0},
    {"eth.src", 48, 48, WSPI_K_ADDR, WSPI_P_MIRROR, WSPI_R_MAC_SRC, WSPI_ETH_DST, NULL, 0},
    {"eth.type", 96, 16, WSPI_K_AUTO, WSPI_P_CONST, WSPI_R_NONE, 0, NULL, 0},
};

/* IEEE 802.1Q after the tag's ethertype:  | pcp 3 | dei 1 | id 12 | type 16 | */
static const wspi_field vlan[] = {
    {"vlan.pcp", 0, 3, WSPI_K_MAG, WSPI_P_PREV, WSPI_R_NONE, 0, NULL, 3},
    {"vlan.dei", 3, 1, WSPI_K_MAG, WSPI_P_PREV, WSPI_R_NONE, 0, NULL, 1},
    {"vlan.id", 4, 12, WSPI_K_FREE, WSPI_P_MIRROR, WSPI_R_TAG, WSPI_VLAN_ID, NULL, 0},
    {"vlan.type", 16, 16, WSPI_K_AUTO, WSPI_P_CONST, WSPI_R_NONE, 0, NULL, 0},
};

/* LINKTYPE_LINUX_SLL:  | type 16 | arphrd 16 | address length 16 | address 64 | protocol 16 | */
static const wspi_field sll[] = {
    {"sll.type", 0, 16, WSPI_K_MAG, WSPI_P_PREV, WSPI_R_NONE, 0, NULL, 3},
    {"sll.arphrd", 16, 16, WSPI_K_FREE, WSPI_P_PREV, WSPI_R_NONE, 1, NULL, 0},
    {"sll.halen", 32, 16, WSPI_K_FREE, WSPI_P_PREV, WSPI_R_NONE, 6, NULL, 0},
    {"sll.addr", 48, 64, WSPI_K_FREE, WSPI_P_MIRROR, WSPI_R_MAC_SRC, WSPI_SLL_ADDR, NULL, 0},
    {"sll.proto", 112, 16, WSPI_K_AUTO, WSPI_P_CONST, WSPI_R_NONE, 0, NULL, 0},
};

static const wspi_value arp_op[] = {{1, "request"}, {2, "reply"}, {0, NULL}};

/* RFC 826, Ethernet and IPv4 only */
static const wspi_field arp[] = {
    {"arp.htype", 0, 16, WSPI_K_FREE, WSPI_P_CONST, WSPI_R_NONE, 1, NULL, 0},
    {"arp.ptype", 16, 16, WSPI_K_FREE, WSPI_P_CONST, WSPI_R_NONE, 0x0800, NULL, 0},
    {"arp.hlen", 32, 8, WSPI_K_FREE, WSPI_P_CONST, WSPI_R_NONE, 6, NULL, 0},
    {"arp.plen", 40, 8, WSPI_K_FREE, WSPI_P_CONST, WSPI_R_NONE, 4, NULL, 0},
    {"arp.op", 48, 16, WSPI_K_ENUM, WSPI_P_PREV, WSPI_R_NONE, 1, arp_op, 0},
    {"arp.sha", 64, 48, WSPI_K_ADDR, WSPI_P_MIRROR, WSPI_R_MAC_SRC, 7, NULL, 0},
    {"arp.spa", 112, 32, WSPI_K_ADDR, WSPI_P_MIRROR, WSPI_R_IP_SRC, 8, NULL, 0},
    {"arp.tha", 144, 48, WSPI_K_ADDR, WSPI_P_MIRROR, WSPI_R_MAC_DST, 5, NULL, 0},
    {"arp.tpa", 192, 32, WSPI_K_ADDR, WSPI_P_MIRROR, WSPI_R_IP_DST, 6, NULL, 0},
};

/*
 * RFC 791:  | version 4 | ihl 4 | tos 8 | length 16 | id 16 | flags 3 | fragment offset 13 |
 *           | ttl 8 | protocol 8 | checksum 16 | source 32 | destination 32 |
 */
static const wspi_field ipv4[] = {
    {"ipv4.version", 0, 4, WSPI_K_FREE, WSPI_P_CONST, WSPI_R_NONE, 4, NULL, 0},
    {"ipv4.ihl", 4, 4, WSPI_K_AUTO, WSPI_P_CONST, WSPI_R_NONE, 0, NULL, 0},
    {"ipv4.tos", 8, 8, WSPI_K_MAG, WSPI_P_PREV, WSPI_R_NONE, 0, NULL, 4},
    {"ipv4.len", 16, 16, WSPI_K_AUTO, WSPI_P_CONST, WSPI_R_NONE, 0, NULL, 0},
    {"ipv4.id", 32, 16, WSPI_K_IPID, WSPI_P_PREV, WSPI_R_NUMBER, 0, NULL, 0},
    {"ipv4.flags", 48, 3, WSPI_K_MAG, WSPI_P_PREV, WSPI_R_NONE, 2, NULL, 3},
    {"ipv4.frag", 51, 13, WSPI_K_MAG, WSPI_P_CONST, WSPI_R_NONE, 0, NULL, 1},
    {"ipv4.ttl", 64, 8, WSPI_K_MAG, WSPI_P_PREV, WSPI_R_TTL, 64, NULL, 3},
    {"ipv4.proto", 72, 8, WSPI_K_AUTO, WSPI_P_CONST, WSPI_R_NONE, 0, NULL, 0},
    {"ipv4.cksum", 80, 16, WSPI_K_AUTO, WSPI_P_CONST, WSPI_R_CHECKSUM, 0, NULL, 0},
    {"ipv4.src", 96, 32, WSPI_K_ADDR, WSPI_P_MIRROR, WSPI_R_IP_SRC, WSPI_IPV4_DST, NULL, 0},
    {"ipv4.dst", 128, 32, WSPI_K_ADDR, WSPI_P_MIRROR, WSPI_R_IP_DST, WSPI_IPV4_SRC, NULL, 0},
};

/* RFC 8200:  | version 4 | class 8 | label 20 | length 16 | next 8 | hops 8 | source 128 | destination 128 | */
static const wspi_field ipv6[] = {
    {"ipv6.version", 0, 4, WSPI_K_FREE, WSPI_P_CONST, WSPI_R_NONE, 6, NULL, 0},
    {"ipv6.class", 4, 8, WSPI_K_MAG, WSPI_P_PREV, WSPI_R_NONE, 0, NULL, 4},
    {"ipv6.label", 12, 20, WSPI_K_FREE, WSPI_P_PREV, WSPI_R_NUMBER, 0, NULL, 0},
    {"ipv6.len", 32, 16, WSPI_K_AUTO, WSPI_P_CONST, WSPI_R_NONE, 0, NULL, 0},
    {"ipv6.next", 48, 8, WSPI_K_AUTO, WSPI_P_CONST, WSPI_R_NONE, 0, NULL, 0},
    {"ipv6.hops", 56, 8, WSPI_K_MAG, WSPI_P_PREV, WSPI_R_TTL, 64, NULL, 3},
    {"ipv6.src", 64, 64, WSPI_K_ADDR, WSPI_P_MIRROR, WSPI_R_IP_SRC, WSPI_IPV6_DST, NULL, 0},
    {"ipv6.src_if", 128, 64, WSPI_K_FREE, WSPI_P_MIRROR, WSPI_R_IP_SRC_LOW, WSPI_IPV6_DST_IF, NULL, 0},
    {"ipv6.dst", 192, 64, WSPI_K_ADDR, WSPI_P_MIRROR, WSPI_R_IP_DST, WSPI_IPV6_SRC, NULL, 0},
    {"ipv6.dst_if", 256, 64, WSPI_K_FREE, WSPI_P_MIRROR, WSPI_R_IP_DST_LOW, WSPI_IPV6_SRC_IF, NULL, 0},
};

static const wspi_value icmp_type[] = {
    {0, "echo-reply"}, {3, "unreachable"},   {4, "source-quench"},    {5, "redirect"},
    {8, "echo"},       {9, "router-advert"}, {10, "router-solicit"},  {11, "time-exceeded"},
    {12, "parameter"}, {13, "timestamp"},    {14, "timestamp-reply"}, {0, NULL}};
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
                                         {0, NULL}};

/* RFC 792:  | type 8 | code 8 | checksum 16 | identifier 16 | sequence 16 |  (the last two: rest of header) */
static const wspi_field icmp[] = {
    {"icmp.type", 0, 8, WSPI_K_ENUM, WSPI_P_PREV, WSPI_R_NONE, 8, icmp_type, 0},
    {"icmp.code", 8, 8, WSPI_K_MAG, WSPI_P_PREV, WSPI_R_NONE, 0, NULL, 4},
    {"icmp.cksum", 16, 16, WSPI_K_AUTO, WSPI_P_CONST, WSPI_R_CHECKSUM, 0, NULL, 0},
    {"icmp.id", 32, 16, WSPI_K_FREE, WSPI_P_MIRROR, WSPI_R_NUMBER, WSPI_ICMP_ID, NULL, 0},
    {"icmp.seq", 48, 16, WSPI_K_FREE, WSPI_P_ECHO, WSPI_R_NUMBER, 0, NULL, 0},
};

/* RFC 4443, the same layout */
static const wspi_field icmpv6[] = {
    {"icmpv6.type", 0, 8, WSPI_K_ENUM, WSPI_P_PREV, WSPI_R_NONE, 128, icmpv6_type, 0},
    {"icmpv6.code", 8, 8, WSPI_K_MAG, WSPI_P_PREV, WSPI_R_NONE, 0, NULL, 4},
    {"icmpv6.cksum", 16, 16, WSPI_K_AUTO, WSPI_P_CONST, WSPI_R_CHECKSUM, 0, NULL, 0},
    {"icmpv6.id", 32, 16, WSPI_K_FREE, WSPI_P_MIRROR, WSPI_R_NUMBER, WSPI_ICMP_ID, NULL, 0},
    {"icmpv6.seq", 48, 16, WSPI_K_FREE, WSPI_P_ECHO, WSPI_R_NUMBER, 0, NULL, 0},
};

/* RFC 768:  | source port 16 | destination port 16 | length 16 | checksum 16 | */
static const wspi_field udp[] = {
    {"udp.sport", 0, 16, WSPI_K_PORT, WSPI_P_MIRROR, WSPI_R_PORT_SRC, WSPI_UDP_DPORT, NULL, 0},
    {"udp.dport", 16, 16, WSPI_K_PORT, WSPI_P_MIRROR, WSPI_R_PORT_DST, WSPI_UDP_SPORT, NULL, 0},
    {"udp.len", 32, 16, WSPI_K_AUTO, WSPI_P_CONST, WSPI_R_NONE, 0, NULL, 0},
    {"udp.cksum", 48, 16, WSPI_K_AUTO, WSPI_P_CONST, WSPI_R_CHECKSUM, 0, NULL, 0},
};

static const wspi_value tcp_flags[] = {
    {0x02, "S"},   {0x12, "SA"},  {0x10, "A"},   {0x18, "PA"},   {0x11, "FA"},  {0x19, "FPA"},
    {0x04, "R"},   {0x14, "RA"},  {0x01, "F"},   {0x00, "none"}, {0x29, "FPU"}, {0xc2, "SEW"},
    {0x52, "SAE"}, {0x30, "UA"},  {0x38, "UPA"}, {0x1c, "RPA"},  {0x50, "AE"},  {0x58, "PAE"},
    {0x90, "AW"},  {0x98, "PAW"}, {0, NULL}};

/*
 * RFC 9293:  | source port 16 | destination port 16 | sequence 32 | acknowledgement 32 | offset 4 | reserved 4 |
 *            | flags 8 | window 16 | checksum 16 | urgent 16 |
 */
static const wspi_field tcp[] = {
    {"tcp.sport", 0, 16, WSPI_K_PORT, WSPI_P_MIRROR, WSPI_R_PORT_SRC, WSPI_TCP_DPORT, NULL, 0},
    {"tcp.dport", 16, 16, WSPI_K_PORT, WSPI_P_MIRROR, WSPI_R_PORT_DST, WSPI_TCP_SPORT, NULL, 0},
    {"tcp.flags", 104, 8, WSPI_K_ENUM, WSPI_P_FLAGS, WSPI_R_NONE, 0, tcp_flags, 0},
    {"tcp.seq", 32, 32, WSPI_K_SEQ, WSPI_P_CONST, WSPI_R_NONE, 0, NULL, 0},
    {"tcp.ack", 64, 32, WSPI_K_ACK, WSPI_P_CONST, WSPI_R_NONE, 0, NULL, 0},
    {"tcp.doff", 96, 4, WSPI_K_AUTO, WSPI_P_CONST, WSPI_R_NONE, 0, NULL, 0},
    {"tcp.res", 100, 4, WSPI_K_MAG, WSPI_P_PREV, WSPI_R_NONE, 0, NULL, 4},
    {"tcp.window", 112, 16, WSPI_K_MAG, WSPI_P_PREV, WSPI_R_NONE, 0, NULL, 3},
    {"tcp.cksum", 128, 16, WSPI_K_AUTO, WSPI_P_CONST, WSPI_R_CHECKSUM, 0, NULL, 0},
    {"tcp.urg", 144, 16, WSPI_K_MAG, WSPI_P_CONST, WSPI_R_NONE, 0, NULL, 0},
};

/* TCP options (RFC 9293 3.1, RFC 7323, RFC 2018): kind and length are implied by the layer */
static const wspi_field tcp_mss[] = {
    {"tcp.mss", 16, 16, WSPI_K_MAG, WSPI_P_PREV, WSPI_R_NONE, 1460, NULL, 4},
};
static const wspi_field tcp_wscale[] = {
    {"tcp.wscale", 16, 8, WSPI_K_MAG, WSPI_P_PREV, WSPI_R_NONE, 7, NULL, 4},
};
static const wspi_field tcp_ts[] = {
    {"tcp.tsval", 16, 32, WSPI_K_TSVAL, WSPI_P_PREV, WSPI_R_NUMBER, 0, NULL, 0},
    {"tcp.tsecr", 48, 32, WSPI_K_TSECR, WSPI_P_PREV, WSPI_R_NUMBER, 0, NULL, 0},
};

const wspi_proto wspi_protos[WSPI_LAYER_COUNT] = {
    [WSPI_ETH] = {"eth", 14, false, ROWS(eth)},
    [WSPI_VLAN] = {"vlan", 4, false, ROWS(vlan)},
    [WSPI_SLL] = {"sll", 16, false, ROWS(sll)},
    [WSPI_ARP] = {"arp", 28, false, ROWS(arp)},
    [WSPI_IPV4] = {"ipv4", 20, false, ROWS(ipv4)},
    [WSPI_IPV4_OPTIONS] = {"ipv4.options", 0, true, NULL, 0},
    [WSPI_IPV6] = {"ipv6", 40, false, ROWS(ipv6)},
    [WSPI_ICMP] = {"icmp", 8, false, ROWS(icmp)},
    [WSPI_ICMPV6] = {"icmpv6", 8, false, ROWS(icmpv6)},
    [WSPI_UDP] = {"udp", 8, false, ROWS(udp)},
    [WSPI_TCP] = {"tcp", 20, false, ROWS(tcp)},
    [WSPI_TCP_EOL] = {"tcp.opt.eol", 1, false, NULL, 0},
    [WSPI_TCP_NOP] = {"tcp.opt.nop", 1, false, NULL, 0},
    [WSPI_TCP_MSS] = {"tcp.opt.mss", 4, false, ROWS(tcp_mss)},
    [WSPI_TCP_WSCALE] = {"tcp.opt.wscale", 3, false, ROWS(tcp_wscale)},
    [WSPI_TCP_SACKOK] = {"tcp.opt.sackok", 2, false, NULL, 0},
    [WSPI_TCP_SACK] = {"tcp.opt.sack", 2, true, NULL, 0},
    [WSPI_TCP_TS] = {"tcp.opt.ts", 10, false, ROWS(tcp_ts)},
    [WSPI_TCP_RAWOPT] = {"tcp.opt.raw", 0, true, NULL, 0},
    [WSPI_PAYLOAD] = {"payload", 0, false, NULL, 0},
};
