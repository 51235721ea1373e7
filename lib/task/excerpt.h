/* SPDX-License-Identifier: Apache-2.0 */
/*
 * excerpt.h: which packets of a flow trees grow on. They are asked after every packet, and of flows that were under way when the
 * capture began, so every flow is a row as it is, and one or two as it may be seen in part.
 */
#ifndef WSPI_EXCERPT_H
#define WSPI_EXCERPT_H

#include "task/task_int.h"

/* Packets [from, to) of a flow of a set. */
typedef struct wspi_excerpt {
    uint32_t flow, from, to;
} wspi_excerpt;

enum { WSPI_EXCERPTS = 3, WSPI_EXCERPT_EARLY = 8 };

/*
 * Nothing of a flow without packets, else the flow of n packets whole; if it has others than the first, its first ones (half as often one more, at most
 * WSPI_EXCERPT_EARLY and not all); and every other time what is left without up to WSPI_SKIP_MOST of them. out:
 * [WSPI_EXCERPTS]. Returns how many.
 */
size_t wspi_excerpts(wspi_excerpt *out, uint32_t flow, uint32_t n, wspi_rng *rng);

#endif
