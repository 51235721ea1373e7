/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tcp.c: TCP, RFC 9293:  | source port 16 | destination port 16 | sequence 32 | acknowledgement 32 | offset 4 |
 *                        | reserved 4 | flags 8 | window 16 | checksum 16 | urgent 16 | options |
 * Options (RFC 9293 3.1, RFC 7323, RFC 2018):  | kind 8 | length 8 | data |; their kind and length are implied by the layer
 */
#include "packet/packet_int.h"

static const wspi_value flags[] = {
    {0x02, "S"},   {0x12, "SA"},  {0x10, "A"},   {0x18, "PA"},   {0x11, "FA"},  {0x19, "FPA"},
    {0x04, "R"},   {0x14, "RA"},  {0x01, "F"},   {0x00, "none"}, {0x29, "FPU"}, {0xc2, "SEW"},
    {0x52, "SAE"}, {0x30, "UA"},  {0x38, "UPA"}, {0x1c, "RPA"},  {0x50, "AE"},  {0x58, "PAE"},
    {0x90, "AW"},  {0x98, "PAW"}, {0, NULL}};

static const wspi_field fields[] = {
    {"tcp.sport", 0, 16, WSPI_K_PORT, WSPI_P_MIRROR, WSPI_R_PORT_SRC, WSPI_TCP_DPORT, NULL, 0},
    {"tcp.dport", 16, 16, WSPI_K_PORT, WSPI_P_MIRROR, WSPI_R_PORT_DST, WSPI_TCP_SPORT, NULL, 0},
    {"tcp.flags", 104, 8, WSPI_K_ENUM, WSPI_P_FLAGS, WSPI_R_NONE, 0, flags, 0},
    {"tcp.seq", 32, 32, WSPI_K_SEQ, WSPI_P_CONST, WSPI_R_NONE, 0, NULL, 0},
    {"tcp.ack", 64, 32, WSPI_K_ACK, WSPI_P_CONST, WSPI_R_NONE, 0, NULL, 0},
    {"tcp.doff", 96, 4, WSPI_K_AUTO, WSPI_P_CONST, WSPI_R_NONE, 0, NULL, 0},
    {"tcp.res", 100, 4, WSPI_K_MAG, WSPI_P_PREV, WSPI_R_NONE, 0, NULL, 4},
    {"tcp.window", 112, 16, WSPI_K_MAG, WSPI_P_PREV, WSPI_R_NONE, 0, NULL, 3},
    {"tcp.cksum", 128, 16, WSPI_K_AUTO, WSPI_P_CONST, WSPI_R_CHECKSUM, 0, NULL, 0},
    {"tcp.urg", 144, 16, WSPI_K_MAG, WSPI_P_CONST, WSPI_R_NONE, 0, NULL, 0},
};

static const wspi_field mss[] = {
    {"tcp.mss", 16, 16, WSPI_K_MAG, WSPI_P_PREV, WSPI_R_NONE, 1460, NULL, 3},
};
static const wspi_field wscale[] = {
    {"tcp.wscale", 16, 8, WSPI_K_MAG, WSPI_P_PREV, WSPI_R_NONE, 7, NULL, 3},
};
static const wspi_field ts[] = {
    {"tcp.tsval", 16, 32, WSPI_K_TSVAL, WSPI_P_PREV, WSPI_R_NUMBER, 0, NULL, 0},
    {"tcp.tsecr", 48, 32, WSPI_K_TSECR, WSPI_P_PREV, WSPI_R_NUMBER, 0, NULL, 0},
};

static const uint8_t options[] = {
    WSPI_TCP_EOL, WSPI_TCP_NOP, WSPI_TCP_MSS, WSPI_TCP_WSCALE, WSPI_TCP_SACKOK, WSPI_TCP_SACK, 0, 0,
    WSPI_TCP_TS};

/* Options that the capture cut are read as far as they go: ports and flags of a short capture are still those of TCP. */
static uint8_t parse(wspi_region *r)
{
    const uint8_t *h = wspi_peek(r, 20);
    uint32_t header = h ? (uint32_t)(h[12] >> 4) * 4 : 0, end = r->off + header;

    if (!h || header < 20 || end > r->end || r->p->n_layers + 2 > WSPI_MAX_LAYERS)
        return WSPI_PAYLOAD;
    (void)wspi_push(r, WSPI_TCP, 0);
    if (header > 20)
        wspi_push_options(r, WSPI_MIN(end, r->p->caplen), options, WSPI_COUNT(options),
                          WSPI_TCP_RAWOPT);
    return WSPI_PAYLOAD;
}

static bool computed(const wsp_packet *p, const uint8_t *frame, size_t i, size_t f, uint64_t *v)
{
    if (f == WSPI_TCP_CKSUM)
        return wspi_transport_sum(p, frame, i, 16, true, v);
    *v = wspi_header_with_parts(p, i) / 4;
    return *v <= 15;
}

void wspi_sack_move(wspi_layer *l, uint32_t ack)
{
    for (size_t at = 0; at + 4 <= l->extra_len; at += 4) {
        uint64_t edge = wspi_bits_get(l->extra, (unsigned)at * 8, 32);
        wspi_bits_put(l->extra, (unsigned)at * 8, 32, (uint32_t)(edge + ack));
    }
}

void wspi_tcp_move(wsp_packet *p, uint32_t seq, uint32_t ack)
{
    for (size_t i = 0; i < wspi_own_layers(p); i++) {
        wspi_layer *l = &p->layers[i];

        if (l->id == WSPI_TCP_SACK)
            wspi_sack_move(l, ack);
        if (l->id != WSPI_TCP)
            continue;
        l->v[WSPI_TCP_SEQ] = (uint32_t)(l->v[WSPI_TCP_SEQ] + seq);
        if (l->v[WSPI_TCP_FLAGS] & WSPI_TH_ACK)
            l->v[WSPI_TCP_ACK] = (uint32_t)(l->v[WSPI_TCP_ACK] + ack);
    }
}

const wspi_proto wspi_proto_tcp = {.name = "tcp",
                                   WSPI_FIELDS(fields),
                                   .len = 20,
                                   .samples = true,
                                   .parse = parse,
                                   .computed = computed,
                                   .key = wspi_key_ports};

#define OPTION .part_of = WSPI_TCP + 1, .option = true
const wspi_proto wspi_proto_tcp_eol = {.name = "tcp.opt.eol", .len = 1, OPTION, .kind = 0};
const wspi_proto wspi_proto_tcp_nop = {
    .name = "tcp.opt.nop", .len = 1, OPTION, .kind = 1, .samples = true};
const wspi_proto wspi_proto_tcp_mss = {
    .name = "tcp.opt.mss", WSPI_FIELDS(mss), .len = 4, OPTION, .kind = 2, .samples = true};
const wspi_proto wspi_proto_tcp_wscale = {
    .name = "tcp.opt.wscale", WSPI_FIELDS(wscale), .len = 3, OPTION, .kind = 3, .samples = true};
const wspi_proto wspi_proto_tcp_sackok = {
    .name = "tcp.opt.sackok", .len = 2, OPTION, .kind = 4, .samples = true};
const wspi_proto wspi_proto_tcp_sack = {
    .name = "tcp.opt.sack", .len = 2, .has_extra = true, OPTION, .kind = 5};
const wspi_proto wspi_proto_tcp_ts = {
    .name = "tcp.opt.ts", WSPI_FIELDS(ts), .len = 10, OPTION, .kind = 8, .samples = true};
const wspi_proto wspi_proto_tcp_rawopt = {
    .name = "tcp.opt.raw", .has_extra = true, .part_of = WSPI_TCP + 1};
