/* SPDX-License-Identifier: Apache-2.0 */
/*
 * gtpu.c: GTP-U, 3GPP TS 29.281 5.1:  | version 3 | PT 1 | reserved 1 | E 1 | S 1 | PN 1 | type 8 | length 16 | teid 32 |
 * with any of E, S, PN:  | sequence 16 | n-pdu 8 | next extension 8 |   extension:  | length 8 | data | next 8 |
 * Tunnel identifiers differ by direction, so they are no part of a flow's identity.
 */
#include "packet/packet_int.h"

enum { VER, PT, RESERVED, FLAGS, TYPE, LENGTH, TEID };
enum { SEQUENCE, NPDU, NEXT };

static const wspi_field gtpu[] = {
    {"gtpu.version", 0, 3, WSPI_K_FREE, WSPI_P_CONST, WSPI_R_NONE, 1, NULL, 0},
    {"gtpu.pt", 3, 1, WSPI_K_FREE, WSPI_P_CONST, WSPI_R_NONE, 1, NULL, 0},
    {"gtpu.reserved", 4, 1, WSPI_K_FREE, WSPI_P_CONST, WSPI_R_NONE, 0, NULL, 0},
    {"gtpu.flags", 5, 3, WSPI_K_MAG, WSPI_P_PREV, WSPI_R_NONE, 0, NULL, 3},
    {"gtpu.type", 8, 8, WSPI_K_FREE, WSPI_P_CONST, WSPI_R_NONE, 255, NULL, 0},
    {"gtpu.length", 16, 16, WSPI_K_AUTO, WSPI_P_CONST, WSPI_R_NONE, 0, NULL, 0},
    {"gtpu.teid", 32, 32, WSPI_K_FREE, WSPI_P_SELF, WSPI_R_TAG, 0, NULL, 0},
};
static const wspi_field opt[] = {
    {"gtpu.sequence", 0, 16, WSPI_K_FREE, WSPI_P_COUNT, WSPI_R_NUMBER, 0, NULL, 0},
    {"gtpu.npdu", 16, 8, WSPI_K_FREE, WSPI_P_SELF, WSPI_R_NUMBER, 0, NULL, 0},
    {"gtpu.next", 24, 8, WSPI_K_MAG, WSPI_P_PREV, WSPI_R_NONE, 0, NULL, 1},
};
static const wspi_field ext[] = {
    {"gtpu.ext.length", 0, 8, WSPI_K_AUTO, WSPI_P_CONST, WSPI_R_NONE, 0, NULL, 0},
};

static uint8_t inner(const wspi_region *r)
{
    const uint8_t *h = wspi_peek(r, 1);

    return h && *h >> 4 == 4 ? WSPI_IPV4 : h && *h >> 4 == 6 ? WSPI_IPV6 : WSPI_PAYLOAD;
}

static uint8_t parse(wspi_region *r)
{
    const wspi_layer *l = wspi_peek(r, 8) ? wspi_push(r, WSPI_GTPU, 0) : NULL;

    if (!l)
        return WSPI_PAYLOAD;
    return l->v[FLAGS] ? (uint8_t)WSPI_GTPU_OPT : inner(r);
}

static uint8_t parse_opt(wspi_region *r)
{
    const wspi_layer *l = wspi_peek(r, 4) ? wspi_push(r, WSPI_GTPU_OPT, 0) : NULL;

    if (!l)
        return WSPI_PAYLOAD;
    return l->v[NEXT] ? (uint8_t)WSPI_GTPU_EXT : inner(r);
}

/* The type of the next extension is the last byte, of a header that may be longer than a layer takes. */
static uint8_t parse_ext(wspi_region *r)
{
    const uint8_t *h = wspi_peek(r, 1);
    uint32_t len = h ? *h * 4u : 0;
    const wspi_layer *l = len && wspi_peek(r, len) ? wspi_push(r, WSPI_GTPU_EXT, len - 1) : NULL;

    if (!l)
        return WSPI_PAYLOAD;
    return h[len - 1] ? (uint8_t)WSPI_GTPU_EXT : inner(r);
}

static bool computed(const wsp_packet *p, const uint8_t *frame, size_t i, size_t f, uint64_t *v)
{
    (void)frame, (void)f;
    *v = wspi_rest(p, i) - 8;
    return *v <= 0xffff;
}

static bool computed_ext(const wsp_packet *p, const uint8_t *frame, size_t i, size_t f, uint64_t *v)
{
    (void)frame, (void)f;
    *v = (1u + p->layers[i].extra_len) / 4;
    return true;
}

static void key(wsp_flow_key *k, const wsp_packet *p, const wspi_layer *l)
{
    (void)p, (void)l;
    wspi_key_scope(k, 2152);
}

const wspi_proto wspi_proto_gtpu = {
    .name = "gtpu", WSPI_FIELDS(gtpu), .len = 8, .parse = parse, .computed = computed, .key = key};
const wspi_proto wspi_proto_gtpu_opt = {
    .name = "gtpu.opt", WSPI_FIELDS(opt), .len = 4, .parse = parse_opt};
const wspi_proto wspi_proto_gtpu_ext = {.name = "gtpu.ext",
                                        WSPI_FIELDS(ext),
                                        .len = 1,
                                        .has_extra = true,
                                        .parse = parse_ext,
                                        .computed = computed_ext};
