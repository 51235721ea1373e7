/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ipv4.c: IPv4, RFC 791:  | version 4 | ihl 4 | tos 8 | length 16 | id 16 | flags 3 | fragment offset 13 |
 *                         | ttl 8 | protocol 8 | checksum 16 | source 32 | destination 32 | options |
 * Options:  | kind 8 | length 8 | data |, end (0) and no-operation (1) without length.
 */
#include "packet/packet_int.h"

static const wspi_value protocol[] = {
    {6, "tcp"},   {17, "udp"},     {1, "icmp"},      {2, "igmp"},   {4, "ipip"},
    {41, "ipv6"}, {47, "gre"},     {50, "esp"},      {51, "ah"},    {58, "icmpv6"},
    {89, "ospf"}, {88, "eigrp"},   {103, "pim"},     {112, "vrrp"}, {132, "sctp"},
    {46, "rsvp"}, {115, "l2tp"},   {136, "udplite"}, {8, "egp"},    {9, "igp"},
    {33, "dccp"}, {108, "ipcomp"}, {137, "mpls"},    {0, "hop"},    {255, "reserved"},
    {0, NULL}};

static const wspi_field fields[] = {
    {"ipv4.version", 0, 4, WSPI_K_FREE, WSPI_P_CONST, WSPI_R_NONE, 4, NULL, 0},
    {"ipv4.ihl", 4, 4, WSPI_K_AUTO, WSPI_P_CONST, WSPI_R_NONE, 0, NULL, 0},
    {"ipv4.tos", 8, 8, WSPI_K_MAG, WSPI_P_PREV, WSPI_R_NONE, 0, NULL, 2},
    {"ipv4.len", 16, 16, WSPI_K_AUTO, WSPI_P_CONST, WSPI_R_NONE, 0, NULL, 0},
    {"ipv4.id", 32, 16, WSPI_K_IPID, WSPI_P_PREV, WSPI_R_NUMBER, 0, NULL, 0},
    {"ipv4.flags", 48, 3, WSPI_K_MAG, WSPI_P_PREV, WSPI_R_NONE, 2, NULL, 3},
    {"ipv4.frag", 51, 13, WSPI_K_MAG, WSPI_P_FRAG, WSPI_R_NONE, 0, NULL, 1},
    {"ipv4.ttl", 64, 8, WSPI_K_MAG, WSPI_P_PREV, WSPI_R_TTL, 64, NULL, 3},
    {"ipv4.proto", 72, 8, WSPI_K_ENUM, WSPI_P_NEXT, WSPI_R_NONE, 17, protocol, 0},
    {"ipv4.cksum", 80, 16, WSPI_K_AUTO, WSPI_P_CONST, WSPI_R_CHECKSUM, 0, NULL, 0},
    {"ipv4.src", 96, 32, WSPI_K_ADDR, WSPI_P_MIRROR, WSPI_R_IP_SRC, WSPI_IPV4_DST, NULL, 0},
    {"ipv4.dst", 128, 32, WSPI_K_ADDR, WSPI_P_MIRROR, WSPI_R_IP_DST, WSPI_IPV4_SRC, NULL, 0},
};

/* Options. Routes and time stamps hold addresses and clocks: their data is residual. */
static const wspi_field alert[] = {
    {"ipv4.alert", 16, 16, WSPI_K_FREE, WSPI_P_PREV, WSPI_R_NONE, 0, NULL, 0},
};
static const wspi_field route[] = {
    {"ipv4.route", 16, 8, WSPI_K_MAG, WSPI_P_PREV, WSPI_R_NONE, 4, NULL, 2},
};

static const uint8_t options[] = {
    [0] = WSPI_IPV4_EOL, [1] = WSPI_IPV4_NOP, [7] = WSPI_IPV4_ROUTE, [148] = WSPI_IPV4_ALERT};

static uint8_t parse(wspi_region *r)
{
    const uint8_t *h = wspi_peek(r, 20);
    uint32_t start = r->off, header = h ? (uint32_t)(h[0] & 15) * 4 : 0;
    const wspi_layer *l;

    if (!h || h[0] >> 4 != 4 || header < 20 || !wspi_peek(r, header) ||
        r->p->n_layers + 2 > WSPI_MAX_LAYERS)
        return WSPI_PAYLOAD;
    l = wspi_push(r, WSPI_IPV4, 0);
    if (header > 20)
        wspi_push_options(r, start + header, options, WSPI_COUNT(options), WSPI_IPV4_RAWOPT);
    if (l->v[WSPI_IPV4_LEN] >= header)
        wspi_narrow(r, start, l->v[WSPI_IPV4_LEN]);
    if (l->v[WSPI_IPV4_FRAG] || l->v[WSPI_IPV4_FLAGS] & 1)
        r->p->fragment = true;
    return l->v[WSPI_IPV4_FRAG] ? (uint8_t)WSPI_PAYLOAD
                                : wspi_next_by_number(WSPI_S_IP, l->v[WSPI_IPV4_PROTO]);
}

static bool computed(const wsp_packet *p, const uint8_t *frame, size_t i, size_t f, uint64_t *v)
{
    const wspi_layer *l = &p->layers[i];
    uint32_t header = wspi_header_with_parts(p, i);

    switch (f) {
    case WSPI_IPV4_IHL: *v = header / 4; return header <= 60;
    case WSPI_IPV4_LEN: *v = wspi_rest(p, i); return *v <= 0xffff;
    case WSPI_IPV4_CKSUM: *v = wspi_fold(wspi_sum16(frame + l->off, header, 10)); return true;
    default: return false;
    }
}

static void key(wsp_flow_key *k, const wsp_packet *p, const wspi_layer *l)
{
    wspi_key_addr(k, p->data + l->off, 12, 16, 4);
    k->ethertype = 0x0800;
    k->proto = (uint8_t)l->v[WSPI_IPV4_PROTO];
}

const wspi_proto wspi_proto_ipv4 = {.name = "ipv4",
                                    WSPI_FIELDS(fields),
                                    .len = 20,
                                    .space = WSPI_S_IP,
                                    .type = WSPI_IPV4_PROTO,
                                    .samples = true,
                                    .parse = parse,
                                    .computed = computed,
                                    .key = key};

#define OPTION .part_of = WSPI_IPV4 + 1, .option = true
const wspi_proto wspi_proto_ipv4_eol = {.name = "ipv4.opt.eol", .len = 1, OPTION, .kind = 0};
const wspi_proto wspi_proto_ipv4_nop = {.name = "ipv4.opt.nop", .len = 1, OPTION, .kind = 1};
const wspi_proto wspi_proto_ipv4_alert = {
    .name = "ipv4.opt.alert", WSPI_FIELDS(alert), .len = 4, OPTION, .kind = 148, .samples = true};
const wspi_proto wspi_proto_ipv4_route = {
    .name = "ipv4.opt.route", WSPI_FIELDS(route), .len = 3, .has_extra = true, OPTION, .kind = 7};
const wspi_proto wspi_proto_ipv4_rawopt = {
    .name = "ipv4.opt.raw", .has_extra = true, .part_of = WSPI_IPV4 + 1};
