/* SPDX-License-Identifier: Apache-2.0 */
/*
 * flood.c: captures that are hard on a table of flows: a flood of TCP SYNs from spoofed addresses, and TCP connections that stay
 * open and say a little now and then. The same arguments give the same file.
 * usage: flood OUT.pcap syn FLOWS | flood OUT.pcap drip FLOWS ROUNDS
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "wirespeak/capture.h"

#define START_NS (UINT64_C(1700000000) * 1000000000)

enum { LEN = 60, SYN = 2, ACK = 16, PSH = 8, PER_PACKET_NS = 2000 };

static uint64_t mix(uint64_t x) /* the finisher of splitmix64 */
{
    x += UINT64_C(0x9e3779b97f4a7c15);
    x = (x ^ x >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    x = (x ^ x >> 27) * UINT64_C(0x94d049bb133111eb);
    return x ^ x >> 31;
}

static void put16(uint8_t *p, unsigned v)
{
    p[0] = (uint8_t)(v >> 8);
    p[1] = (uint8_t)v;
}

static void put32(uint8_t *p, uint32_t v)
{
    put16(p, v >> 16);
    put16(p + 2, v & 0xffff);
}

static uint32_t sum16(const uint8_t *p, size_t len, uint32_t sum)
{
    for (size_t i = 0; i + 1 < len; i += 2)
        sum += (uint32_t)p[i] << 8 | p[i + 1];
    return sum;
}

static unsigned fold(uint32_t sum)
{
    sum = (sum & 0xffff) + (sum >> 16);
    return ~((sum & 0xffff) + (sum >> 16)) & 0xffff;
}

/* A segment of 6 payload bytes at most; back: from the server. */
static void make(uint8_t p[LEN], uint64_t flow, unsigned flags, bool back, uint32_t seq)
{
    uint64_t h = mix(flow);
    uint8_t *ip = p + 14, *tcp = p + 34;

    memset(p, 0, LEN);
    memcpy(p, "\x02\0\0\0\0\x01\x02\0\0\0\0\x02\x08\0", 14);
    ip[0] = 0x45;
    put16(ip + 2, LEN - 14);
    put16(ip + 4, (unsigned)(h >> 48));
    ip[8] = 64;
    ip[9] = 6;
    put32(ip + (back ? 16 : 12),
          0x0b000000u | (uint32_t)(h & 0xffffff) | (uint32_t)(h >> 24 & 7) << 24);
    put32(ip + (back ? 12 : 16), 0x0a000001);
    put16(ip + 10, fold(sum16(ip, 20, 0)));
    put16(tcp + (back ? 2 : 0), 1024 + (unsigned)(flow % 60000));
    put16(tcp + (back ? 0 : 2), 80);
    put32(tcp + 4, (uint32_t)(h >> 32) + seq);
    put32(tcp + 8, flags & ACK ? (uint32_t)(h >> 16) + seq : 0);
    tcp[12] = 0x50;
    tcp[13] = (uint8_t)flags;
    put16(tcp + 14, 64240);
    if (flags & PSH)
        memcpy(tcp + 20, "X-a: b", 6);
    else
        put16(ip + 2, 40);
    put16(ip + 10, 0);
    put16(ip + 10, fold(sum16(ip, 20, 0)));
    put16(tcp + 16,
          fold(sum16(tcp, flags & PSH ? 26 : 20, sum16(ip + 12, 8, 6 + (flags & PSH ? 26 : 20)))));
}

static wsp_status write_round(wsp_pcap_writer *w, uint64_t flows, uint64_t round, wsp_error *err)
{
    static const struct {
        unsigned flags;
        bool back;
    } steps[] = {{SYN, false}, {SYN | ACK, true}, {ACK, false}, {ACK | PSH, false}};
    uint64_t step = round < 3 ? round : 3;
    uint8_t bytes[LEN];

    for (uint64_t i = 0; i < flows; i++) {
        wsp_frame f = {.time_ns = START_NS + (round * flows + i) * PER_PACKET_NS,
                       .caplen = LEN,
                       .wirelen = LEN,
                       .data = bytes};
        wsp_status st;

        make(bytes, i, steps[step].flags, steps[step].back,
             (uint32_t)(round > 3 ? (round - 3) * 6 : 0));
        st = wsp_pcap_writer_add(w, &f, err);
        if (st < 0)
            return st;
    }
    return WSP_OK;
}

int main(int argc, char **argv)
{
    uint64_t flows = argc > 3 ? strtoull(argv[3], NULL, 10) : 0, rounds = 1;
    wsp_status st = WSP_OK;
    wsp_pcap_writer *w;
    wsp_error err;

    if (argc > 4)
        rounds = strtoull(argv[4], NULL, 10);
    if (flows == 0 || rounds == 0 ||
        (strcmp(argv[2], "syn") != 0 && strcmp(argv[2], "drip") != 0)) {
        (void)fputs("usage: flood OUT.pcap syn FLOWS | flood OUT.pcap drip FLOWS ROUNDS\n", stderr);
        return 2;
    }
    if (wsp_pcap_writer_open(&w, argv[1], 1, &err) < 0) {
        (void)fprintf(stderr, "flood: %s\n", err.text);
        return 1;
    }
    for (uint64_t r = 0; st == WSP_OK && r < rounds; r++)
        st = write_round(w, flows, r, &err);
    if (st == WSP_OK)
        st = wsp_pcap_writer_close(w, &err);
    else
        wsp_pcap_writer_discard(w);
    if (st < 0)
        (void)fprintf(stderr, "flood: %s\n", err.text);
    return st < 0;
}
