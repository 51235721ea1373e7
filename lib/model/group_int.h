/* SPDX-License-Identifier: Apache-2.0 */
/*
 * group_int.h: what a group of training processes exchanges. group_mpi.c does it with MPI, group_alone.c stands in
 * where there is none. A group that is NULL is one process.
 */
#ifndef WSPI_GROUP_INT_H
#define WSPI_GROUP_INT_H

#include "base/base.h"
#include "wirespeak/model.h"

/* Everybody: `size` bytes of each process, in the order of ranks, to all of them. */
void wspi_group_gather(wsp_group *g, void *all, const void *mine, size_t size);

/*
 * Everybody: sum[n] += mine[n] of the first present process, then of the next, and so on; first: the sum starts with
 * the first one's. The result is there in slices, one in each process, until they are collected. g is not NULL.
 */
wsp_status wspi_group_add(wsp_group *g, float *sum, const float *mine, const bool *present,
                          bool first, size_t n, wsp_error *err) WSP_MUST_USE;
void wspi_group_collect(wsp_group *g, float *sum, size_t n);

#endif
