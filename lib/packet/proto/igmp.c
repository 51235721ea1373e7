/* SPDX-License-Identifier: Apache-2.0 */
/*
 * igmp.c: IGMP, RFC 2236, and the first eight bytes of version 3, RFC 3376:
 * | type 8 | maximum response time 8 | checksum 16 | group 32 |   (version 3 reports: reserved 16, records 16)
 */
#include "packet/packet_int.h"

static const wspi_value type[] = {{0x11, "query"},   {0x16, "report"},  {0x17, "leave"},
                                  {0x22, "report3"}, {0x12, "report1"}, {0x13, "dvmrp"},
                                  {0x14, "pim1"},    {0, NULL}};

static const wspi_field fields[] = {
    {"igmp.type", 0, 8, WSPI_K_ENUM, WSPI_P_PREV, WSPI_R_NONE, 0x16, type, 0},
    {"igmp.time", 8, 8, WSPI_K_MAG, WSPI_P_PREV, WSPI_R_NONE, 0, NULL, 2},
    {"igmp.cksum", 16, 16, WSPI_K_AUTO, WSPI_P_CONST, WSPI_R_CHECKSUM, 0, NULL, 0},
    {"igmp.group", 32, 32, WSPI_K_FREE, WSPI_P_SELF, WSPI_R_IP_DST, 0, NULL, 0},
};

static uint8_t parse(wspi_region *r)
{
    if (wspi_peek(r, 8))
        (void)wspi_push(r, WSPI_IGMP, 0);
    return WSPI_PAYLOAD;
}

static bool computed(const wsp_packet *p, const uint8_t *frame, size_t i, size_t f, uint64_t *v)
{
    (void)f;
    return wspi_transport_sum(p, frame, i, 2, false, v);
}

const wspi_proto wspi_proto_igmp = {.name = "igmp",
                                    WSPI_FIELDS(fields),
                                    .len = 8,
                                    .samples = true,
                                    .ends = true,
                                    .parse = parse,
                                    .computed = computed};
