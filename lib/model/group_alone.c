/* SPDX-License-Identifier: Apache-2.0 */
/* group_alone.c: builds without MPI: nobody can join a group, so every group is NULL, one process. */
#include "model/group_int.h"

wsp_status wsp_group_join(wsp_group **out, wsp_error *err)
{
    *out = NULL;
    return wspi_fail(err, WSP_ERR_UNSUPPORTED, 0,
                     "this build has no MPI: configure it with --with-mpi");
}

unsigned wsp_group_rank(const wsp_group *g)
{
    (void)g;
    return 0;
}

unsigned wsp_group_size(const wsp_group *g)
{
    (void)g;
    return 1;
}

wsp_status wsp_group_agree(wsp_group *g, wsp_status st, wsp_error *err)
{
    (void)g;
    (void)err;
    return st;
}

void wsp_group_leave(wsp_group *g)
{
    (void)g;
}

void wspi_group_gather(wsp_group *g, void *all, const void *mine, size_t size)
{
    (void)g;
    memcpy(all, mine, size);
}

wsp_status wspi_group_add(wsp_group *g, float *sum, const float *mine, const bool *present,
                          bool first, size_t n, wsp_error *err)
{
    (void)g;
    (void)sum;
    (void)mine;
    (void)present;
    (void)first;
    (void)n;
    return wspi_fail(err, WSP_ERR_UNSUPPORTED, 0, "nobody is in a group here");
}

void wspi_group_collect(wsp_group *g, float *sum, size_t n)
{
    (void)g;
    (void)sum;
    (void)n;
}
