/* SPDX-License-Identifier: Apache-2.0 */
/*
 * llc.c: IEEE 802.2 LLC, unnumbered frames:  | dsap 8 | ssap 8 | control 8 |
 * and its SNAP extension:                     | oui 24 | type 16 |
 */
#include "packet/packet_int.h"

enum { DSAP, SSAP, CONTROL };
enum { OUI, TYPE };
enum { SNAP_SAP = 0xaa, UNNUMBERED = 3 };

static const wspi_value sap[] = {
    {0x42, "stp"},    {SNAP_SAP, "snap"}, {0xe0, "ipx"}, {0xf0, "netbios"}, {0xfe, "osi"},
    {0xff, "global"}, {0x00, "null"},     {0x06, "ip"},  {0x04, "sna"},     {0, NULL}};
static const wspi_value type[] = {{0x0800, "ipv4"}, {0x86dd, "ipv6"}, {0x0806, "arp"},
                                  {0x2000, "cdp"},  {0x2003, "vtp"},  {0x2004, "dtp"},
                                  {0x010b, "pvst"}, {0x0111, "udld"}, {0x809b, "appletalk"},
                                  {0x80f3, "aarp"}, {0, NULL}};

static const wspi_field llc[] = {
    {"llc.dsap", 0, 8, WSPI_K_ENUM, WSPI_P_PREV, WSPI_R_NONE, 0x42, sap, 0},
    {"llc.ssap", 8, 8, WSPI_K_ENUM, WSPI_P_PREV, WSPI_R_NONE, 0x42, sap, 0},
    {"llc.control", 16, 8, WSPI_K_MAG, WSPI_P_PREV, WSPI_R_NONE, UNNUMBERED, NULL, 1},
};

static const wspi_field snap[] = {
    {"snap.oui", 0, 24, WSPI_K_FREE, WSPI_P_PREV, WSPI_R_NONE, 0, NULL, 0},
    {"snap.type", 24, 16, WSPI_K_ENUM, WSPI_P_NEXT, WSPI_R_NONE, 0x2000, type, 0},
};

static uint8_t parse_llc(wspi_region *r)
{
    const uint8_t *h = wspi_peek(r, 3);
    const wspi_layer *l = h && (h[2] & 3) == UNNUMBERED ? wspi_push(r, WSPI_LLC, 0) : NULL;

    return l && l->v[DSAP] == SNAP_SAP && l->v[SSAP] == SNAP_SAP ? WSPI_SNAP : WSPI_PAYLOAD;
}

static uint8_t parse_snap(wspi_region *r)
{
    const wspi_layer *l = wspi_peek(r, 5) ? wspi_push(r, WSPI_SNAP, 0) : NULL;

    if (!l || (l->v[OUI] != 0 && l->v[OUI] != 0xf8))
        return WSPI_PAYLOAD;
    return wspi_next_by_number(WSPI_S_ETHERTYPE, l->v[TYPE]);
}

static void key_llc(wsp_flow_key *k, const wsp_packet *p, const wspi_layer *l)
{
    (void)p;
    k->proto = (uint8_t)l->v[DSAP];
}

static void key_snap(wsp_flow_key *k, const wsp_packet *p, const wspi_layer *l)
{
    (void)p;
    k->proto = 0;
    k->ethertype = (uint16_t)l->v[TYPE];
}

const wspi_proto wspi_proto_llc = {
    .name = "llc", WSPI_FIELDS(llc), .len = 3, .parse = parse_llc, .key = key_llc};
const wspi_proto wspi_proto_snap = {.name = "snap",
                                    WSPI_FIELDS(snap),
                                    .len = 5,
                                    .space = WSPI_S_ETHERTYPE,
                                    .type = TYPE,
                                    .parse = parse_snap,
                                    .key = key_snap};
