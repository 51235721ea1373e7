/* SPDX-License-Identifier: Apache-2.0 */
/*
 * dialogs.c: a capture of dialogs (lib/generate/dialog/dialog.h) without a model, for readers to judge.
 *
 *   dialogs OUT.pcap LABEL FLOWS SEED    sides that speak in turns, mostly, and lengths of 1 to 1,448 bytes, drawn at random
 *   dialogs --labels
 *
 * Over TCP from the handshake on, over UDP from the first datagram on; 4 to 23 payloads a flow.
 */
#include <stdio.h>
#include <stdlib.h>

#include "generate/dialog/dialog.h"
#include "wirespeak/capture.h"

enum { IP = 14, L4 = IP + 20, TCP = 6, UDP = 17, SYN = 2, PUSH = 8, ACK = 16, LONGEST = 1448 };

typedef struct talk {
    wsp_pcap_writer *w;
    uint64_t time_ns;
    uint32_t address[2];
    uint16_t port[2];
    uint32_t seq[2];
    uint8_t protocol;
} talk;

static void put(uint8_t *to, uint64_t v, size_t bytes)
{
    for (size_t i = 0; i < bytes; i++)
        to[i] = (uint8_t)(v >> 8 * (bytes - 1 - i));
}

static uint16_t ip_sum(const uint8_t *b)
{
    uint32_t sum = 0;

    for (size_t i = 0; i < 20; i += 2)
        sum += (uint32_t)b[i] << 8 | b[i + 1];
    sum = (sum & 0xffff) + (sum >> 16);
    return (uint16_t) ~(sum + (sum >> 16));
}

/* TCP's checksum is left at 0: readers do not look at it unless they are told to. */
static void packet(talk *t, int dir, uint8_t flags, const uint8_t *payload, size_t n)
{
    uint8_t b[L4 + 20 + WSPI_PEN_ROOM] = {2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 8, 0};
    size_t header = t->protocol == TCP ? 20 : 8;
    wsp_frame f = {
        .data = b, .caplen = (uint32_t)(L4 + header + n), .time_ns = t->time_ns += 1000000};
    wsp_error err;

    f.wirelen = f.caplen;
    b[IP] = 0x45;
    put(b + IP + 2, 20 + header + n, 2);
    put(b + IP + 8, 64, 1);
    put(b + IP + 9, t->protocol, 1);
    put(b + IP + 12, t->address[dir], 4);
    put(b + IP + 16, t->address[!dir], 4);
    put(b + IP + 10, ip_sum(b + IP), 2);
    put(b + L4, t->port[dir], 2);
    put(b + L4 + 2, t->port[!dir], 2);
    if (t->protocol == TCP) {
        put(b + L4 + 4, t->seq[dir], 4);
        put(b + L4 + 8, flags & ACK ? t->seq[!dir] : 0, 4);
        put(b + L4 + 12, 5u << 12 | flags, 2);
        put(b + L4 + 14, 64240, 2);
    } else {
        put(b + L4 + 4, 8 + n, 2);
    }
    if (n)
        memcpy(b + L4 + header, payload, n);
    t->seq[dir] += (uint32_t)n + (flags & SYN ? 1 : 0);
    if (wsp_pcap_writer_add(t->w, &f, &err) < 0)
        exit(1);
}

/* Readers know HSRP by the address of all routers, and none speaks from there. */
static bool to_routers(const wspi_dialog_kind *kind)
{
    return strcmp(kind->label, "HSRP") == 0;
}

static void flow(talk *t, const wspi_dialog_kind *kind, wspi_rng *rng)
{
    wspi_dialog d = {.kind = kind, .seed = wspi_rng_u64(rng), .tcp = t->protocol == TCP};
    size_t payloads = 4 + (size_t)wspi_rng_below(rng, 20);
    int dir = t->protocol == TCP && wspi_rng_below(rng, 2);

    t->port[0] = (uint16_t)(49152 + wspi_rng_below(rng, 10000));
    t->port[1] = kind->port;
    t->address[0]++;
    t->address[1] = to_routers(kind) ? 0xe0000002 : 0x0a800001;
    if (kind->over & WSPI_DIALOG_PEERS)
        t->port[0] = kind->port;
    t->seq[0] = t->seq[1] = 1000;
    if (t->protocol == TCP) {
        packet(t, 0, SYN, NULL, 0);
        packet(t, 1, SYN | ACK, NULL, 0);
        packet(t, 0, ACK, NULL, 0);
    }
    for (size_t i = 0; i < payloads; i++) {
        wspi_pen pen = {.n = 0};
        size_t want = 1 + (size_t)wspi_rng_below(rng, wspi_rng_below(rng, 2) ? LONGEST : 100);
        wspi_rng_seed(&pen.rng, wspi_rng_u64(rng));
        kind->say(&d, dir, &pen, want);
        if (pen.n == 0 && d.tcp) {
            dir = !dir; /* the other waits */
            kind->say(&d, dir, &pen, want);
        }
        if (pen.n == 0 || pen.full) {
            (void)fprintf(stderr, "dialogs: %s, %zu bytes: nothing\n", kind->label, want);
            exit(1);
        }
        d.said[dir]++;
        d.spoke = (uint8_t)dir;
        packet(t, dir, PUSH | ACK, pen.bytes, pen.n);
        dir = wspi_rng_below(rng, 8) ? !dir : dir;
        if (to_routers(kind))
            dir = 0;
    }
}

int main(int argc, char **argv)
{
    const wspi_dialog_kind *kind = argc == 5 ? wspi_dialog_of_label(argv[2]) : NULL;
    talk t = {.time_ns = UINT64_C(1700000000000000000), .address = {0x0a000000}};
    wsp_error err;
    wspi_rng rng;

    for (size_t i = 0; argc == 2 && wspi_dialog_at(i); i++)
        printf("%s\n", wspi_dialog_at(i)->label);
    if (argc == 2)
        return 0;
    if (!kind || wsp_pcap_writer_open(&t.w, argv[1], 1, &err) < 0)
        return 1;
    wspi_rng_seed(&rng, strtoull(argv[4], NULL, 10));
    for (long n = strtol(argv[3], NULL, 10); n > 0; n--) {
        t.protocol =
            kind->over & WSPI_DIALOG_TCP && (n % 2 || !(kind->over & WSPI_DIALOG_UDP)) ? TCP : UDP;
        flow(&t, kind, &rng);
    }
    return wsp_pcap_writer_close(t.w, &err) < 0;
}
