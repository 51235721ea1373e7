/* SPDX-License-Identifier: Apache-2.0 */
/*
 * community.c: Community ID version 1: base64 of the SHA-1 (RFC 3174) of seed, ordered addresses,
 * protocol and ordered ports, https://github.com/corelight/community-id-spec.
 *
 *     seed 16 | address | address | proto 8 | 0 8 | port 16 | port 16   (ports if any)
 */
#include "base/crypto.h"
#include "wirespeak/task.h"

enum { PROTO_ICMP = 1, PROTO_TCP = 6, PROTO_UDP = 17, PROTO_ICMP6 = 58, PROTO_SCTP = 132 };

#define MAX_TUPLE 40u /* 2 + 16 + 16 + 2 + 4 */

/* 28 characters and a NUL. */
static void base64_digest(const uint8_t digest[WSPI_SHA1_SIZE], char *out)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

    for (size_t i = 0; i < WSPI_SHA1_SIZE; i += 3) {
        uint32_t third = i + 2 < WSPI_SHA1_SIZE ? digest[i + 2] : 0;
        uint32_t v = (uint32_t)digest[i] << 16 | (uint32_t)digest[i + 1] << 8 | third;
        *out++ = digits[v >> 18];
        *out++ = digits[v >> 12 & 63];
        *out++ = digits[v >> 6 & 63];
        *out++ = i + 2 < WSPI_SHA1_SIZE ? digits[v & 63] : '=';
    }
    *out = '\0';
}

/*
 * The ICMP type that answers `type`, or -1: then there is no other direction, and the code stands
 * in.
 */
static int icmp_answer(uint8_t proto, uint8_t type)
{
    static const uint8_t pairs4[][2] = {{8, 0}, {10, 9}, {13, 14}, {15, 16}, {17, 18}};
    static const uint8_t pairs6[][2] = {{128, 129}, {130, 131}, {133, 134},
                                        {135, 136}, {139, 140}, {144, 145}};
    const uint8_t(*pairs)[2] = proto == PROTO_ICMP ? pairs4 : pairs6;
    size_t n = proto == PROTO_ICMP ? WSPI_COUNT(pairs4) : WSPI_COUNT(pairs6);

    for (size_t i = 0; i < n; i++) {
        if (pairs[i][0] == type)
            return pairs[i][1];
        if (pairs[i][1] == type)
            return pairs[i][0];
    }
    return -1;
}

/*
 * Fills both ports and returns whether the protocol has any; one-way ICMP keeps its direction in
 * the id.
 */
static bool tuple_ports(const wsp_flow_key *key, uint8_t icmp_type, uint8_t icmp_code,
                        uint16_t port[2], bool *one_way)
{
    int answer;

    *one_way = false;
    port[0] = key->port[0];
    port[1] = key->port[1];
    if (key->proto == PROTO_TCP || key->proto == PROTO_UDP || key->proto == PROTO_SCTP)
        return true;
    if (key->proto != PROTO_ICMP && key->proto != PROTO_ICMP6) {
        port[0] = port[1] = 0;
        return false;
    }
    answer = icmp_answer(key->proto, icmp_type);
    *one_way = answer < 0;
    port[0] = icmp_type;
    port[1] = answer < 0 ? icmp_code : (uint16_t)answer;
    return true;
}

wsp_status wsp_community_id(const wsp_flow_key *key, uint8_t icmp_type, uint8_t icmp_code,
                            uint16_t seed, char buf[WSP_COMMUNITY_ID_SIZE])
{
    uint8_t msg[MAX_TUPLE], digest[WSPI_SHA1_SIZE];
    uint16_t port[2];
    size_t alen = key->addr_len, len = 0;
    bool one_way, has_ports;
    int order, first;

    buf[0] = '\0';
    if (alen != 4 && alen != 16)
        return WSP_ERR_UNSUPPORTED;
    has_ports = tuple_ports(key, icmp_type, icmp_code, port, &one_way);
    order = memcmp(key->addr[0], key->addr[1], alen);
    first = !one_way && (order > 0 || (order == 0 && port[0] > port[1]));
    msg[len++] = (uint8_t)(seed >> 8);
    msg[len++] = (uint8_t)seed;
    for (int i = 0; i < 2; i++, len += alen)
        memcpy(msg + len, key->addr[first ^ i], alen);
    msg[len++] = key->proto;
    msg[len++] = 0;
    for (int i = 0; i < 2 && has_ports; i++) {
        msg[len++] = (uint8_t)(port[first ^ i] >> 8);
        msg[len++] = (uint8_t)port[first ^ i];
    }
    if (!wspi_sha1(msg, len, digest))
        return WSP_ERR_UNSUPPORTED;
    buf[0] = '1';
    buf[1] = ':';
    base64_digest(digest, buf + 2);
    return WSP_OK;
}
