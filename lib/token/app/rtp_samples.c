/* SPDX-License-Identifier: Apache-2.0 */
/* rtp_samples.c: parts of RTCP that no token tells, made up for samples. */
#include "token/app/rtp_samples.h"

enum { OF_SOURCE, OF_NAME = 2, OF_HEARD = 4 }; /* of either direction */
enum { PACKET_NS = 20000000, BYTES = 160 };

static uint64_t since_start(const wspi_coder *c)
{
    uint64_t now = c->p->time_ns;

    return now - WSPI_MIN(c->fill->start_ns, now);
}

uint32_t wspi_rtp_source(const wspi_coder *c, int dir)
{
    wspi_rng r = wspi_app_of_flow(c, OF_SOURCE + (uint64_t)dir);

    return (uint32_t)wspi_rng_u64(&r);
}

void wspi_rtp_clock(wspi_coder *c, uint32_t sender, uint32_t time)
{
    uint32_t sent = (uint32_t)(sender % 1000 + since_start(c) / PACKET_NS);

    wspi_app_put(c, 8, wspi_app_ntp_time(c->p->time_ns));
    wspi_app_put(c, 4, time);
    wspi_app_put(c, 4, sent);
    wspi_app_put(c, 4, (uint32_t)(sent * BYTES));
}

/* Nothing was lost since the last report, little before; where media are of another flow they come one by one. */
void wspi_rtp_report(wspi_coder *c, const wspi_rtp_heard *h)
{
    enum { SECOND = 1000000000, LOST = 4, JITTER = 200 };
    wspi_rng r = wspi_app_of_flow(c, OF_HEARD + (uint64_t)c->dir);
    uint32_t first = (uint16_t)wspi_rng_u64(&r);
    uint64_t gone = h->report_ns ? c->p->time_ns - h->report_ns : 0;

    wspi_app_put(c, 4, h->source);
    wspi_app_put(c, 4, wspi_rng_below(&r, LOST));
    wspi_app_put(c, 4, h->media ? h->seq : (uint32_t)(first + since_start(c) / PACKET_NS));
    wspi_app_put(c, 4, wspi_rng_below(&r, JITTER) + wspi_rng_below(&c->rng, JITTER / 4));
    wspi_app_put(c, 4, h->report_ns ? wspi_app_ntp_time(h->report_ns) >> 16 & UINT32_MAX : 0);
    wspi_app_put(c, 4, (gone / SECOND << 16 | (gone % SECOND << 16) / SECOND) & UINT32_MAX);
}

size_t wspi_rtp_name(const wspi_coder *c, char s[WSPI_RTP_NAME])
{
    static const char end[] = ".example";
    wspi_rng r = wspi_app_of_flow(c, OF_NAME + (uint64_t)c->dir);
    size_t user = 4 + (size_t)wspi_rng_below(&r, 3),
           n = user + 1 + 4 + (size_t)wspi_rng_below(&r, 3);

    for (size_t i = 0; i < n; i++)
        s[i] = i == user ? '@' : (char)('a' + wspi_rng_below(&r, 26));
    memcpy(s + n, end, sizeof end - 1);
    return n + sizeof end - 1;
}
