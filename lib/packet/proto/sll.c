/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sll.c: Linux cooked captures. LINKTYPE_LINUX_SLL:
 * | packet type 16 | arphrd 16 | address length 16 | address 64 | protocol 16 |
 * LINKTYPE_LINUX_SLL2:
 * | protocol 16 | reserved 16 | interface 32 | arphrd 16 | packet type 8 | address length 8 | address 64 |
 */
#include "packet/packet_int.h"

enum { SLL_TYPE, SLL_ARPHRD, SLL_HALEN, SLL_ADDR, SLL_PROTO };
enum { SLL2_PROTO, SLL2_RESERVED, SLL2_IFINDEX, SLL2_ARPHRD, SLL2_TYPE, SLL2_HALEN, SLL2_ADDR };

static const wspi_value proto[] = {{0x0800, "ipv4"},  {0x86dd, "ipv6"},  {0x0806, "arp"},
                                   {0x8100, "vlan"},  {0x88cc, "lldp"},  {0x888e, "eapol"},
                                   {0x0004, "llc"},   {0x8864, "pppoe"}, {0x000c, "can"},
                                   {0x000d, "canfd"}, {0, NULL}};

static const wspi_field sll[] = {
    {"sll.type", 0, 16, WSPI_K_MAG, WSPI_P_PREV, WSPI_R_NONE, 0, NULL, 1},
    {"sll.arphrd", 16, 16, WSPI_K_FREE, WSPI_P_PREV, WSPI_R_NONE, 1, NULL, 0},
    {"sll.halen", 32, 16, WSPI_K_FREE, WSPI_P_PREV, WSPI_R_NONE, 6, NULL, 0},
    {"sll.addr", 48, 64, WSPI_K_FREE, WSPI_P_MIRROR, WSPI_R_MAC_SRC, SLL_ADDR, NULL, 0},
    {"sll.proto", 112, 16, WSPI_K_ENUM, WSPI_P_NEXT, WSPI_R_NONE, 0, proto, 0},
};

static const wspi_field sll2[] = {
    {"sll2.proto", 0, 16, WSPI_K_ENUM, WSPI_P_NEXT, WSPI_R_NONE, 0, proto, 0},
    {"sll2.reserved", 16, 16, WSPI_K_FREE, WSPI_P_CONST, WSPI_R_NONE, 0, NULL, 0},
    {"sll2.ifindex", 32, 32, WSPI_K_FREE, WSPI_P_MIRROR, WSPI_R_TAG, SLL2_IFINDEX, NULL, 0},
    {"sll2.arphrd", 64, 16, WSPI_K_FREE, WSPI_P_PREV, WSPI_R_NONE, 1, NULL, 0},
    {"sll2.type", 80, 8, WSPI_K_MAG, WSPI_P_PREV, WSPI_R_NONE, 0, NULL, 1},
    {"sll2.halen", 88, 8, WSPI_K_FREE, WSPI_P_PREV, WSPI_R_NONE, 6, NULL, 0},
    {"sll2.addr", 96, 64, WSPI_K_FREE, WSPI_P_MIRROR, WSPI_R_MAC_SRC, SLL2_ADDR, NULL, 0},
};

static uint8_t parse_sll(wspi_region *r)
{
    const wspi_layer *l = wspi_peek(r, 16) ? wspi_push(r, WSPI_SLL, 0) : NULL;
    return l ? wspi_next_by_number(WSPI_S_ETHERTYPE, l->v[SLL_PROTO]) : (uint8_t)WSPI_PAYLOAD;
}

static uint8_t parse_sll2(wspi_region *r)
{
    const wspi_layer *l = wspi_peek(r, 20) ? wspi_push(r, WSPI_SLL2, 0) : NULL;
    return l ? wspi_next_by_number(WSPI_S_ETHERTYPE, l->v[SLL2_PROTO]) : (uint8_t)WSPI_PAYLOAD;
}

static void key_sll(wsp_flow_key *k, const wsp_packet *p, const wspi_layer *l)
{
    (void)p;
    k->ethertype = (uint16_t)l->v[SLL_PROTO];
}

static void key_sll2(wsp_flow_key *k, const wsp_packet *p, const wspi_layer *l)
{
    (void)p;
    k->ethertype = (uint16_t)l->v[SLL2_PROTO];
}

const wspi_proto wspi_proto_sll = {.name = "sll",
                                   WSPI_FIELDS(sll),
                                   .len = 16,
                                   .space = WSPI_S_ETHERTYPE,
                                   .type = SLL_PROTO,
                                   .parse = parse_sll,
                                   .key = key_sll};
const wspi_proto wspi_proto_sll2 = {.name = "sll2",
                                    WSPI_FIELDS(sll2),
                                    .len = 20,
                                    .space = WSPI_S_ETHERTYPE,
                                    .type = SLL2_PROTO,
                                    .parse = parse_sll2,
                                    .key = key_sll2};
