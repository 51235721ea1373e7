/* SPDX-License-Identifier: Apache-2.0 */
/*
 * vlan.c: IEEE 802.1Q, behind the ethertype that announces the tag:  | pcp 3 | dei 1 | id 12 | type 16 |
 * The outer tag of 802.1ad (QinQ) is the same layer: the type in front of it says which.
 */
#include "packet/packet_int.h"

static const wspi_value type[] = {
    {0x0800, "ipv4"},     {0x86dd, "ipv6"},  {0x0806, "arp"},     {0x8100, "vlan"},
    {0x8847, "mpls"},     {0x8864, "pppoe"}, {0x8863, "pppoe-d"}, {0x88cc, "lldp"},
    {0x8892, "profinet"}, {0x88b8, "goose"}, {0x88ba, "sv"},      {0x88f7, "ptp"},
    {0x8902, "cfm"},      {0x888e, "eapol"}, {0x88a8, "qinq"},    {0, NULL}};

static const wspi_field fields[] = {
    {"vlan.pcp", 0, 3, WSPI_K_MAG, WSPI_P_PREV, WSPI_R_NONE, 0, NULL, 3},
    {"vlan.dei", 3, 1, WSPI_K_MAG, WSPI_P_PREV, WSPI_R_NONE, 0, NULL, 1},
    {"vlan.id", 4, 12, WSPI_K_FREE, WSPI_P_MIRROR, WSPI_R_TAG, WSPI_VLAN_ID, NULL, 0},
    {"vlan.type", 16, 16, WSPI_K_ENUM, WSPI_P_NEXT, WSPI_R_NONE, 0, type, 0},
};

static uint8_t parse(wspi_region *r)
{
    const wspi_layer *l = wspi_peek(r, 4) ? wspi_push(r, WSPI_VLAN, 0) : NULL;
    uint8_t next;

    if (!l)
        return WSPI_PAYLOAD;
    if (l->v[WSPI_VLAN_TYPE] > 1500) {
        next = wspi_next_by_number(WSPI_S_ETHERTYPE, l->v[WSPI_VLAN_TYPE]);
        return next == WSPI_PAYLOAD ? wspi_port_tag(r, l->v[WSPI_VLAN_TYPE]) : next;
    }
    wspi_narrow(r, r->off, l->v[WSPI_VLAN_TYPE]);
    return WSPI_LLC;
}

static void key(wsp_flow_key *k, const wsp_packet *p, const wspi_layer *l)
{
    (void)p;
    k->ethertype = (uint16_t)(l->v[WSPI_VLAN_TYPE] > 1500 ? l->v[WSPI_VLAN_TYPE] : 1);
    wspi_key_scope(k, l->v[WSPI_VLAN_ID] + 1);
}

const wspi_proto wspi_proto_vlan = {.name = "vlan",
                                    WSPI_FIELDS(fields),
                                    .len = 4,
                                    .space = WSPI_S_ETHERTYPE,
                                    .type = WSPI_VLAN_TYPE,
                                    .samples = true,
                                    .parse = parse,
                                    .key = key};
