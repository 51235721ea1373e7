/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ipsec.c: IP security. Authentication header, RFC 4302:
 * | next 8 | length 8 | reserved 16 | spi 32 | sequence 32 | check value |, length in 4 bytes less two
 * Encapsulating payload, RFC 4303:  | spi 32 | sequence 32 | encrypted |
 */
#include "packet/packet_int.h"

enum { NEXT, LENGTH, RESERVED, SPI, SEQUENCE };

static const wspi_value next[] = {{6, "tcp"},     {17, "udp"},  {1, "icmp"},
                                  {4, "ipip"},    {41, "ipv6"}, {50, "esp"},
                                  {58, "icmpv6"}, {89, "ospf"}, {0, NULL}};

static const wspi_field ah[] = {
    {"ah.next", 0, 8, WSPI_K_ENUM, WSPI_P_NEXT, WSPI_R_NONE, 6, next, 0},
    {"ah.length", 8, 8, WSPI_K_AUTO, WSPI_P_CONST, WSPI_R_NONE, 0, NULL, 0},
    {"ah.reserved", 16, 16, WSPI_K_FREE, WSPI_P_CONST, WSPI_R_NONE, 0, NULL, 0},
    {"ah.spi", 32, 32, WSPI_K_FREE, WSPI_P_SELF, WSPI_R_NUMBER, 0, NULL, 0},
    {"ah.sequence", 64, 32, WSPI_K_FREE, WSPI_P_COUNT, WSPI_R_NUMBER, 0, NULL, 0},
};
static const wspi_field esp[] = {
    {"esp.spi", 0, 32, WSPI_K_FREE, WSPI_P_SELF, WSPI_R_NUMBER, 0, NULL, 0},
    {"esp.sequence", 32, 32, WSPI_K_FREE, WSPI_P_COUNT, WSPI_R_NUMBER, 0, NULL, 0},
};

static uint8_t parse_ah(wspi_region *r)
{
    const uint8_t *h = wspi_peek(r, 12);
    uint32_t len = h ? ((uint32_t)h[1] + 2) * 4 : 0;
    const wspi_layer *l = len >= 12 && wspi_peek(r, len) ? wspi_push(r, WSPI_AH, len - 12) : NULL;

    return l ? wspi_next_by_number(WSPI_S_IP, l->v[NEXT]) : (uint8_t)WSPI_PAYLOAD;
}

static uint8_t parse_esp(wspi_region *r)
{
    if (wspi_peek(r, 8))
        (void)wspi_push(r, WSPI_ESP, 0);
    return WSPI_PAYLOAD;
}

static bool computed_ah(const wsp_packet *p, const uint8_t *frame, size_t i, size_t f, uint64_t *v)
{
    (void)frame, (void)f;
    *v = (12u + p->layers[i].extra_len) / 4 - 2;
    return true;
}

static void key_ah(wsp_flow_key *k, const wsp_packet *p, const wspi_layer *l)
{
    if (!wspi_in_fragment(p, l))
        k->proto = (uint8_t)l->v[NEXT];
}

const wspi_proto wspi_proto_ah = {.name = "ah",
                                  WSPI_FIELDS(ah),
                                  .len = 12,
                                  .has_extra = true,
                                  .space = WSPI_S_IP,
                                  .type = NEXT,
                                  .parse = parse_ah,
                                  .computed = computed_ah,
                                  .key = key_ah};
const wspi_proto wspi_proto_esp = {.name = "esp", WSPI_FIELDS(esp), .len = 8, .parse = parse_esp};
