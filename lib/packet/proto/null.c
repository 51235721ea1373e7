/* SPDX-License-Identifier: Apache-2.0 */
/*
 * null.c: BSD loopback, LINKTYPE_NULL (in the order of bytes of the machine that captured) and LINKTYPE_LOOP (network
 * order):  | address family 32 |
 */
#include "packet/packet_int.h"

/* AF_INET is 2 everywhere, AF_INET6 differs by system. */
static const wspi_value family[] = {{0x02000000, "ipv4"},        {2, "ipv4-be"},
                                    {0x1e000000, "ipv6-darwin"}, {0x1c000000, "ipv6-freebsd"},
                                    {0x18000000, "ipv6-bsd"},    {0x0a000000, "ipv6-linux"},
                                    {30, "ipv6-darwin-be"},      {28, "ipv6-freebsd-be"},
                                    {24, "ipv6-bsd-be"},         {0, NULL}};

static const wspi_field fields[] = {
    {"null.family", 0, 32, WSPI_K_ENUM, WSPI_P_PREV, WSPI_R_NONE, 0x02000000, family, 0},
};

static uint8_t parse(wspi_region *r)
{
    const wspi_layer *l = wspi_peek(r, 4) ? wspi_push(r, WSPI_NULL, 0) : NULL;
    uint64_t f = l ? l->v[0] : 0;

    f |= f >> 24; /* whichever order: families are below 256 */
    switch (f & 0xff) {
    case 2: return WSPI_IPV4;
    case 10:
    case 24:
    case 28:
    case 30: return WSPI_IPV6;
    default: return WSPI_PAYLOAD;
    }
}

const wspi_proto wspi_proto_null = {.name = "null", WSPI_FIELDS(fields), .len = 4, .parse = parse};
