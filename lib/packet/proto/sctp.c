/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sctp.c: SCTP, RFC 9260:  | source port 16 | destination port 16 | verification tag 32 | checksum 32 |, then chunks:
 * | type 8 | flags 8 | length 16 | value |, to a border of 4 bytes; data:  | tsn 32 | stream 16 | number 16 | ppid 32 |
 * Short control chunks are layers; the first data chunk, or one that is long, is followed by payload.
 */
#include "packet/packet_int.h"

enum { SPORT, DPORT, TAG, CHECKSUM };
enum { TYPE, FLAGS, LENGTH, TSN, STREAM, NUMBER, PPID };

static const wspi_value type[] = {{0, "data"},
                                  {1, "init"},
                                  {2, "init-ack"},
                                  {3, "sack"},
                                  {4, "heartbeat"},
                                  {5, "heartbeat-ack"},
                                  {6, "abort"},
                                  {7, "shutdown"},
                                  {8, "shutdown-ack"},
                                  {9, "error"},
                                  {10, "cookie-echo"},
                                  {11, "cookie-ack"},
                                  {14, "shutdown-complete"},
                                  {192, "forward-tsn"},
                                  {0, NULL}};

static const wspi_value ppid[] = {
    {0, "none"},      {3, "m3ua"},  {2, "m2ua"},    {1, "iua"},          {18, "s1ap"}, {27, "x2ap"},
    {46, "diameter"}, {60, "ngap"}, {51, "webrtc"}, {53, "webrtc-data"}, {0, NULL}};

static const wspi_field sctp[] = {
    {"sctp.sport", 0, 16, WSPI_K_FREE, WSPI_P_MIRROR, WSPI_R_PORT_SRC, DPORT, NULL, 0},
    {"sctp.dport", 16, 16, WSPI_K_FREE, WSPI_P_MIRROR, WSPI_R_PORT_DST, SPORT, NULL, 0},
    {"sctp.tag", 32, 32, WSPI_K_FREE, WSPI_P_SELF, WSPI_R_NUMBER, 0, NULL, 0},
    {"sctp.cksum", 64, 32, WSPI_K_AUTO, WSPI_P_CONST, WSPI_R_CHECKSUM, 0, NULL, 0},
};
static const wspi_field data[] = {
    {"sctp.data.type", 0, 8, WSPI_K_FREE, WSPI_P_CONST, WSPI_R_NONE, 0, NULL, 0},
    {"sctp.data.flags", 8, 8, WSPI_K_MAG, WSPI_P_PREV, WSPI_R_NONE, 3, NULL, 2},
    {"sctp.data.length", 16, 16, WSPI_K_AUTO, WSPI_P_CONST, WSPI_R_NONE, 0, NULL, 0},
    {"sctp.data.tsn", 32, 32, WSPI_K_FREE, WSPI_P_COUNT, WSPI_R_NUMBER, 0, NULL, 0},
    {"sctp.data.stream", 64, 16, WSPI_K_MAG, WSPI_P_PREV, WSPI_R_NONE, 0, NULL, 1},
    {"sctp.data.number", 80, 16, WSPI_K_FREE, WSPI_P_COUNT, WSPI_R_NUMBER, 0, NULL, 0},
    {"sctp.data.ppid", 96, 32, WSPI_K_ENUM, WSPI_P_PREV, WSPI_R_NONE, 0, ppid, 0},
};
static const wspi_field chunk[] = {
    {"sctp.chunk", 0, 8, WSPI_K_ENUM, WSPI_P_PREV, WSPI_R_NONE, 3, type, 0},
    {"sctp.chunk.flags", 8, 8, WSPI_K_MAG, WSPI_P_PREV, WSPI_R_NONE, 0, NULL, 1},
    {"sctp.chunk.length", 16, 16, WSPI_K_MAG, WSPI_P_PREV, WSPI_R_NONE, 16, NULL, 2},
};

static uint8_t parse_sctp(wspi_region *r)
{
    if (!wspi_peek(r, 12) || !wspi_push(r, WSPI_SCTP, 0))
        return WSPI_PAYLOAD;
    return WSPI_SCTP_CHUNK;
}

static uint8_t parse_chunk(wspi_region *r)
{
    const uint8_t *h = wspi_peek(r, 4);
    uint32_t len = h ? ((uint32_t)h[2] << 8 | h[3]) : 0, padded = (len + 3) & ~3u;

    if (!h)
        return WSPI_PAYLOAD;
    if (h[0] == 0)
        return WSPI_SCTP_DATA;
    if (len < 4 || !wspi_peek(r, padded) || !wspi_push(r, WSPI_SCTP_CHUNK, padded - 4))
        return WSPI_PAYLOAD;
    return WSPI_SCTP_CHUNK;
}

static uint8_t parse_data(wspi_region *r)
{
    if (wspi_peek(r, 16))
        (void)wspi_push(r, WSPI_SCTP_DATA, 0);
    return WSPI_PAYLOAD;
}

/* CRC-32C, RFC 9260 appendix A, bit by bit: packets are few. The field itself counts as zero. */
static uint32_t crc32c(const uint8_t *p, size_t len, size_t at)
{
    uint32_t c = UINT32_MAX;

    for (size_t i = 0; i < len; i++) {
        c ^= i >= at && i < at + 4 ? 0u : p[i];
        for (int k = 0; k < 8; k++)
            c = c >> 1 ^ (c & 1 ? 0x82f63b78u : 0u);
    }
    return ~c;
}

static bool computed_sctp(const wsp_packet *p, const uint8_t *frame, size_t i, size_t f,
                          uint64_t *v)
{
    uint32_t len = wspi_rest(p, i), c;

    (void)f;
    if (p->layers[i].off + len > p->caplen)
        return false;
    c = crc32c(frame + p->layers[i].off, len, 8);
    *v = (uint64_t)(c << 24 | (c & 0xff00) << 8 | (c >> 8 & 0xff00) | c >> 24); /* low byte first */
    return true;
}

/* Of the only chunk without padding; otherwise its value is told. */
static bool computed_data(const wsp_packet *p, const uint8_t *frame, size_t i, size_t f,
                          uint64_t *v)
{
    (void)frame, (void)f;
    *v = wspi_rest(p, i);
    return *v <= 0xffff;
}

const wspi_proto wspi_proto_sctp = {.name = "sctp",
                                    WSPI_FIELDS(sctp),
                                    .len = 12,
                                    .parse = parse_sctp,
                                    .computed = computed_sctp,
                                    .key = wspi_key_ports};
const wspi_proto wspi_proto_sctp_data = {.name = "sctp.data",
                                         WSPI_FIELDS(data),
                                         .len = 16,
                                         .parse = parse_data,
                                         .computed = computed_data};
const wspi_proto wspi_proto_sctp_chunk = {
    .name = "sctp.chunk", WSPI_FIELDS(chunk), .len = 4, .has_extra = true, .parse = parse_chunk};
