/* SPDX-License-Identifier: Apache-2.0 */
/* crowd.c: counts of the flows that began lately, by kind. */
#include "live/crowd_int.h"

/* Everything is halved when so many flows are counted: what was a crowd is forgotten after some thousand others. */
enum { WINDOW = 4096, SHARE = 16 };

static void forget(wspi_crowd *c)
{
    for (size_t i = 0; i < WSPI_CROWD_KINDS; i++)
        c->of_kind[i] /= 2;
    c->all /= 2;
    c->crowded /= 2;
}

bool wspi_crowd_add(wspi_crowd *c, uint8_t transport, uint8_t tcp_flags, uint32_t wirelen)
{
    uint32_t kind = wirelen << 16 ^ (uint32_t)transport << 8 ^ tcp_flags;
    uint32_t *n = &c->of_kind[(kind * UINT32_C(0x9e3779b1)) >> 22]; /* 10 bits */
    bool crowd;

    if (c->all >= WINDOW)
        forget(c);
    ++*n;
    c->all++;
    crowd = *n * SHARE > c->all;
    c->crowded += crowd;
    return crowd;
}

bool wspi_crowd_rules(const wspi_crowd *c)
{
    return c->crowded * 2 > c->all;
}
