/* SPDX-License-Identifier: Apache-2.0 */
/*
 * gre.c: GRE, RFC 2784, RFC 2890, and version 1 of RFC 2637 (PPTP):
 * | C 1 | R 1 | K 1 | S 1 | strict 1 | recursion 3 | A 1 | flags 4 | version 3 | type 16 |
 * then, as C, K, S and A say:  | checksum 16 | reserved 16 |  | key 32 |  | sequence 32 |  | acknowledgement 32 |
 */
#include "packet/packet_int.h"

enum { SUM, ROUTE, KEY, SEQ, STRICT, RECUR, ACK, FLAGS, VER, TYPE };

static const wspi_value type[] = {{0x0800, "ipv4"},    {0x86dd, "ipv6"}, {0x6558, "eth"},
                                  {0x880b, "ppp"},     {0x8847, "mpls"}, {0x88be, "erspan"},
                                  {0x22eb, "erspan3"}, {0x883e, "wccp"}, {0x0806, "arp"},
                                  {0x2001, "nhrp"},    {0, NULL}};

static const wspi_field gre[] = {
    {"gre.sum", 0, 1, WSPI_K_AUTO, WSPI_P_CONST, WSPI_R_NONE, 0, NULL, 0},
    {"gre.route", 1, 1, WSPI_K_FREE, WSPI_P_CONST, WSPI_R_NONE, 0, NULL, 0},
    {"gre.key", 2, 1, WSPI_K_AUTO, WSPI_P_CONST, WSPI_R_NONE, 0, NULL, 0},
    {"gre.seq", 3, 1, WSPI_K_AUTO, WSPI_P_CONST, WSPI_R_NONE, 0, NULL, 0},
    {"gre.strict", 4, 1, WSPI_K_FREE, WSPI_P_CONST, WSPI_R_NONE, 0, NULL, 0},
    {"gre.recursion", 5, 3, WSPI_K_FREE, WSPI_P_CONST, WSPI_R_NONE, 0, NULL, 0},
    {"gre.ack", 8, 1, WSPI_K_AUTO, WSPI_P_CONST, WSPI_R_NONE, 0, NULL, 0},
    {"gre.flags", 9, 4, WSPI_K_FREE, WSPI_P_CONST, WSPI_R_NONE, 0, NULL, 0},
    {"gre.version", 13, 3, WSPI_K_MAG, WSPI_P_PREV, WSPI_R_NONE, 0, NULL, 2},
    {"gre.type", 16, 16, WSPI_K_ENUM, WSPI_P_NEXT, WSPI_R_NONE, 0x880b, type, 0},
};
static const wspi_field sum[] = {
    {"gre.cksum", 0, 16, WSPI_K_AUTO, WSPI_P_CONST, WSPI_R_CHECKSUM, 0, NULL, 0},
    {"gre.reserved", 16, 16, WSPI_K_FREE, WSPI_P_CONST, WSPI_R_NONE, 0, NULL, 0},
};
static const wspi_field key[] = {
    {"gre.key.value", 0, 32, WSPI_K_FREE, WSPI_P_MIRROR, WSPI_R_TAG, 0, NULL, 0},
};
static const wspi_field seq[] = {
    {"gre.seq.value", 0, 32, WSPI_K_FREE, WSPI_P_COUNT, WSPI_R_NUMBER, 0, NULL, 0},
};
static const wspi_field ack[] = {
    {"gre.ack.value", 0, 32, WSPI_K_FREE, WSPI_P_SELF, WSPI_R_NUMBER, 0, NULL, 0},
};

static uint8_t parse(wspi_region *r)
{
    const uint8_t *h = wspi_peek(r, 4);
    bool parts[] = {h && h[0] & 0x80, h && h[0] & 0x20, h && h[0] & 0x10, h && h[1] & 0x80};
    uint32_t len = 4;
    const wspi_layer *l;
    uint8_t next;

    for (size_t i = 0; i < WSPI_COUNT(parts); i++)
        len += parts[i] ? 4 : 0;
    if (!h || h[0] & 0x40 || !wspi_peek(r, len) || r->p->n_layers + 5 > WSPI_MAX_LAYERS)
        return WSPI_PAYLOAD;
    l = wspi_push(r, WSPI_GRE, 0);
    for (uint8_t i = 0; i < WSPI_COUNT(parts); i++)
        if (parts[i])
            (void)wspi_push(r, (uint8_t)(WSPI_GRE_SUM + i), 0);
    next = wspi_next_by_number(WSPI_S_ETHERTYPE, l->v[TYPE]);
    return next == WSPI_PAYLOAD && l->v[VER] == 0
               ? wspi_erspan(r, (uint16_t)l->v[TYPE], parts[WSPI_GRE_SEQ - WSPI_GRE_SUM])
               : next;
}

static bool computed(const wsp_packet *p, const uint8_t *frame, size_t i, size_t f, uint64_t *v)
{
    (void)frame;
    *v = wspi_has_part(p, i,
                       f == SUM   ? WSPI_GRE_SUM
                       : f == KEY ? WSPI_GRE_KEY
                       : f == SEQ ? WSPI_GRE_SEQ
                                  : WSPI_GRE_ACK);
    return true;
}

/* Over the GRE header, which is the layer before, and all that follows. */
static bool computed_sum(const wsp_packet *p, const uint8_t *frame, size_t i, size_t f, uint64_t *v)
{
    uint32_t from, len;

    (void)f;
    if (i == 0 || p->layers[i - 1].id != WSPI_GRE)
        return false;
    from = p->layers[i - 1].off;
    len = wspi_rest(p, i - 1);
    if (from + len > p->caplen)
        return false;
    *v = wspi_fold(wspi_sum16(frame + from, len, 4));
    return true;
}

static void key_gre(wsp_flow_key *k, const wsp_packet *p, const wspi_layer *l)
{
    (void)p;
    if (l->v[VER] == 0)
        k->ethertype = (uint16_t)l->v[TYPE];
    wspi_key_scope(k, 47);
}

const wspi_proto wspi_proto_gre = {.name = "gre",
                                   WSPI_FIELDS(gre),
                                   .len = 4,
                                   .space = WSPI_S_ETHERTYPE,
                                   .type = TYPE,
                                   .parse = parse,
                                   .computed = computed,
                                   .key = key_gre};
const wspi_proto wspi_proto_gre_sum = {.name = "gre.sum",
                                       WSPI_FIELDS(sum),
                                       .len = 4,
                                       .part_of = WSPI_GRE + 1,
                                       .computed = computed_sum};
const wspi_proto wspi_proto_gre_key = {
    .name = "gre.key", WSPI_FIELDS(key), .len = 4, .part_of = WSPI_GRE + 1};
const wspi_proto wspi_proto_gre_seq = {
    .name = "gre.seq", WSPI_FIELDS(seq), .len = 4, .part_of = WSPI_GRE + 1};
const wspi_proto wspi_proto_gre_ack = {
    .name = "gre.ack", WSPI_FIELDS(ack), .len = 4, .part_of = WSPI_GRE + 1};
