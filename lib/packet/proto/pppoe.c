/* SPDX-License-Identifier: Apache-2.0 */
/* pppoe.c: PPP over Ethernet, RFC 2516:  | version 4 | type 4 | code 8 | session 16 | length 16 | */
#include "packet/packet_int.h"

enum { VER, TYPE, CODE, SESSION, LENGTH };

static const wspi_value code[] = {{0, "session"}, {0x09, "padi"}, {0x07, "pado"}, {0x19, "padr"},
                                  {0x65, "pads"}, {0xa7, "padt"}, {0, NULL}};

static const wspi_field fields[] = {
    {"pppoe.version", 0, 4, WSPI_K_FREE, WSPI_P_CONST, WSPI_R_NONE, 1, NULL, 0},
    {"pppoe.type", 4, 4, WSPI_K_FREE, WSPI_P_CONST, WSPI_R_NONE, 1, NULL, 0},
    {"pppoe.code", 8, 8, WSPI_K_ENUM, WSPI_P_PREV, WSPI_R_NONE, 0, code, 0},
    {"pppoe.session", 16, 16, WSPI_K_FREE, WSPI_P_MIRROR, WSPI_R_TAG, SESSION, NULL, 0},
    {"pppoe.length", 32, 16, WSPI_K_AUTO, WSPI_P_CONST, WSPI_R_NONE, 0, NULL, 0},
};

static uint8_t parse(wspi_region *r)
{
    const wspi_layer *l = wspi_peek(r, 6) ? wspi_push(r, WSPI_PPPOE, 0) : NULL;

    if (!l)
        return WSPI_PAYLOAD;
    wspi_narrow(r, r->off, l->v[LENGTH]);
    return l->v[CODE] == 0 ? WSPI_PPP : WSPI_PAYLOAD;
}

static bool computed(const wsp_packet *p, const uint8_t *frame, size_t i, size_t f, uint64_t *v)
{
    (void)frame, (void)f;
    *v = wspi_rest(p, i) - 6;
    return *v <= 0xffff;
}

static void key(wsp_flow_key *k, const wsp_packet *p, const wspi_layer *l)
{
    (void)p;
    wspi_key_scope(k, l->v[SESSION] + 1);
}

const wspi_proto wspi_proto_pppoe = {.name = "pppoe",
                                     WSPI_FIELDS(fields),
                                     .len = 6,
                                     .parse = parse,
                                     .computed = computed,
                                     .key = key};
