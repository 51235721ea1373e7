/* SPDX-License-Identifier: Apache-2.0 */
/*
 * eth.c: Ethernet, IEEE 802.3:  | destination 48 | source 48 | type 16 |
 * A type up to 1500 is the length of what follows, which begins with LLC.
 */
#include "packet/packet_int.h"

enum { DST, SRC, TYPE };

/* Types without a layer of their own, that say what a frame is. */
static const wspi_value type[] = {
    {0x0800, "ipv4"},     {0x86dd, "ipv6"},      {0x0806, "arp"},       {0x8100, "vlan"},
    {0x88a8, "qinq"},     {0x8847, "mpls"},      {0x8848, "mpls-m"},    {0x8863, "pppoe-d"},
    {0x8864, "pppoe"},    {0x88cc, "lldp"},      {0x888e, "eapol"},     {0x8892, "profinet"},
    {0x88a4, "ethercat"}, {0x88b8, "goose"},     {0x88ba, "sv"},        {0x88f7, "ptp"},
    {0x8902, "cfm"},      {0x9000, "loopback"},  {0x0842, "wol"},       {0x88e5, "macsec"},
    {0x8809, "lacp"},     {0x88e1, "homeplug"},  {0x887b, "homeplug1"}, {0x88e3, "mrp"},
    {0x8035, "rarp"},     {0x809b, "appletalk"}, {0x80f3, "aarp"},      {0x8137, "ipx"},
    {0x6003, "decnet"},   {0x8906, "fcoe"},      {0x8915, "roce"},      {0x893a, "1905"},
    {0x88dc, "wsmp"},     {0x8947, "geonet"},    {0x22f3, "trill"},     {0, NULL}};

static const wspi_field fields[] = {
    {"eth.dst", 0, 48, WSPI_K_ADDR, WSPI_P_MIRROR, WSPI_R_MAC_DST, SRC, NULL, 0},
    {"eth.src", 48, 48, WSPI_K_ADDR, WSPI_P_MIRROR, WSPI_R_MAC_SRC, DST, NULL, 0},
    {"eth.type", 96, 16, WSPI_K_ENUM, WSPI_P_NEXT, WSPI_R_NONE, 0, type, 0},
};

static uint8_t parse(wspi_region *r)
{
    const wspi_layer *l = wspi_peek(r, 14) ? wspi_push(r, WSPI_ETH, 0) : NULL;
    uint8_t next;

    if (!l)
        return WSPI_PAYLOAD;
    if (l->v[TYPE] > 1500) {
        next = wspi_next_by_number(WSPI_S_ETHERTYPE, l->v[TYPE]);
        return next == WSPI_PAYLOAD ? wspi_port_tag(r, l->v[TYPE]) : next;
    }
    wspi_narrow(r, r->off, l->v[TYPE]);
    return WSPI_LLC;
}

static void key(wsp_flow_key *k, const wsp_packet *p, const wspi_layer *l)
{
    wspi_key_addr(k, p->data + l->off, 6, 0, 6);
    k->ethertype = (uint16_t)(l->v[TYPE] > 1500 ? l->v[TYPE] : 1);
}

const wspi_proto wspi_proto_eth = {.name = "eth",
                                   WSPI_FIELDS(fields),
                                   .len = 14,
                                   .space = WSPI_S_ETHERTYPE,
                                   .type = TYPE,
                                   .samples = true,
                                   .parse = parse,
                                   .key = key};
