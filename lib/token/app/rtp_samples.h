/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rtp_samples.h: parts of RTCP that no token tells, made up for samples: sources and their names are those of a flow's direction, what is
 * reported is of the other one (RFC 3550 6.4.1, 6.5.1).
 */
#ifndef WSPI_RTP_SAMPLES_H
#define WSPI_RTP_SAMPLES_H

#include "token/app/app.h"

/* The source of a direction of which no packet has said it yet. */
uint32_t wspi_rtp_source(const wspi_coder *c, int dir);

/* | NTP time 64 | RTP time 32 | packets 32 | bytes 32 |: the packet's time, and counters that go with it. */
void wspi_rtp_clock(wspi_coder *c, uint32_t sender, uint32_t time);

/* What a direction has heard of the other: its source, the last number of its media, if there are any, and when its last report came. */
typedef struct wspi_rtp_heard {
    uint32_t source;
    uint16_t seq;
    bool media;
    uint64_t report_ns; /* 0: none did */
} wspi_rtp_heard;
/* | source 32 | lost 8, 24 | last number 32 | jitter 32 | last report 32 | since then 32 | */
void wspi_rtp_report(wspi_coder *c, const wspi_rtp_heard *h);

/* The name of a direction's source: "user@host". */
enum { WSPI_RTP_NAME = 24 };
size_t wspi_rtp_name(const wspi_coder *c, char s[WSPI_RTP_NAME]);

#endif
