/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ppp.c: PPP (RFC 1661) and the HDLC framings around it.
 * PPP:  | protocol 16 |    RFC 1662 framing:  | address 8 = ff | control 8 = 03 |
 * Cisco HDLC:  | address 8 | control 8 | ethertype 16 |
 */
#include "packet/packet_int.h"

enum { TYPE = 0 };
enum { CH_ADDRESS, CH_CONTROL, CH_TYPE };

static const wspi_value protocol[] = {
    {0x0021, "ipv4"},       {0x0057, "ipv6"},      {0xc021, "lcp"},    {0x8021, "ipcp"},
    {0xc023, "pap"},        {0xc223, "chap"},      {0x8057, "ipv6cp"}, {0x80fd, "ccp"},
    {0x00fd, "compressed"}, {0x003d, "multilink"}, {0x0281, "mpls"},   {0xc025, "lqr"},
    {0xc227, "eap"},        {0x8281, "mplscp"},    {0x8207, "cdpcp"},  {0, NULL}};
static const wspi_value ethertype[] = {{0x0800, "ipv4"},  {0x86dd, "ipv6"}, {0x8847, "mpls"},
                                       {0x8035, "slarp"}, {0x2000, "cdp"},  {0, NULL}};

static const wspi_field ppp[] = {
    {"ppp.protocol", 0, 16, WSPI_K_ENUM, WSPI_P_NEXT, WSPI_R_NONE, 0xc021, protocol, 0},
};
static const wspi_field hdlc[] = {
    {"hdlc.address", 0, 8, WSPI_K_FREE, WSPI_P_CONST, WSPI_R_NONE, 0xff, NULL, 0},
    {"hdlc.control", 8, 8, WSPI_K_FREE, WSPI_P_CONST, WSPI_R_NONE, 3, NULL, 0},
};
static const wspi_field chdlc[] = {
    {"chdlc.address", 0, 8, WSPI_K_FREE, WSPI_P_PREV, WSPI_R_NONE, 0x0f, NULL, 0},
    {"chdlc.control", 8, 8, WSPI_K_FREE, WSPI_P_CONST, WSPI_R_NONE, 0, NULL, 0},
    {"chdlc.type", 16, 16, WSPI_K_ENUM, WSPI_P_NEXT, WSPI_R_NONE, 0x8035, ethertype, 0},
};

/* On a link of its own an IP packet behind such a field is coded as if alone; in a tunnel it is not parsed. */
static uint8_t parse_compressed(wspi_region *r, const uint8_t *h)
{
    uint8_t next = wspi_next_by_number(WSPI_S_PPP, h[0]), last = wspi_last_layer(r);
    bool link = r->p->wrap.n == 0 && (last == WSPI_PAYLOAD || last == WSPI_HDLC);
    bool ip = (next == WSPI_IPV4 && h[1] >> 4 == 4) || (next == WSPI_IPV6 && h[1] >> 4 == 6);

    return link && ip && wspi_unwrap(r, 1, NULL, 0) ? next : (uint8_t)WSPI_PAYLOAD;
}

/* A protocol field of one byte is odd: it is compressed (RFC 1661 6.5). */
static uint8_t parse_ppp(wspi_region *r)
{
    const uint8_t *h = wspi_peek(r, 2);
    const wspi_layer *l;

    if (h && h[0] & 1)
        return parse_compressed(r, h);
    l = h ? wspi_push(r, WSPI_PPP, 0) : NULL;
    return l ? wspi_next_by_number(WSPI_S_PPP, l->v[TYPE]) : (uint8_t)WSPI_PAYLOAD;
}

/* LINKTYPE_PPP comes with the framing or without. */
static uint8_t parse_hdlc(wspi_region *r)
{
    const uint8_t *h = wspi_peek(r, 2);

    if (h && (h[0] == 0x0f || h[0] == 0x8f) && h[1] == 0)
        return WSPI_CHDLC;
    if (h && h[0] == 0xff && h[1] == 3 && !wspi_push(r, WSPI_HDLC, 0))
        return WSPI_PAYLOAD;
    return WSPI_PPP;
}

static uint8_t parse_chdlc(wspi_region *r)
{
    const wspi_layer *l = wspi_peek(r, 4) ? wspi_push(r, WSPI_CHDLC, 0) : NULL;

    return l ? wspi_next_by_number(WSPI_S_ETHERTYPE, l->v[CH_TYPE]) : (uint8_t)WSPI_PAYLOAD;
}

static void key_ppp(wsp_flow_key *k, const wsp_packet *p, const wspi_layer *l)
{
    (void)p;
    k->ethertype = (uint16_t)l->v[TYPE];
}

static void key_chdlc(wsp_flow_key *k, const wsp_packet *p, const wspi_layer *l)
{
    (void)p;
    k->ethertype = (uint16_t)l->v[CH_TYPE];
}

const wspi_proto wspi_proto_ppp = {.name = "ppp",
                                   WSPI_FIELDS(ppp),
                                   .len = 2,
                                   .space = WSPI_S_PPP,
                                   .type = TYPE,
                                   .parse = parse_ppp,
                                   .key = key_ppp};
const wspi_proto wspi_proto_hdlc = {
    .name = "hdlc", WSPI_FIELDS(hdlc), .len = 2, .parse = parse_hdlc};
const wspi_proto wspi_proto_chdlc = {.name = "chdlc",
                                     WSPI_FIELDS(chdlc),
                                     .len = 4,
                                     .space = WSPI_S_ETHERTYPE,
                                     .type = CH_TYPE,
                                     .parse = parse_chdlc,
                                     .key = key_chdlc};
