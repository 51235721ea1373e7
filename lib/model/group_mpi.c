/* SPDX-License-Identifier: Apache-2.0 */
/*
 * group_mpi.c: the group over MPI, and the only file that knows MPI. A failing call of MPI ends all processes, with
 * MPI's own message. Sums are not MPI's, whose order is not fixed: each process adds up its slice of the floats in the
 * order of ranks.
 */
#include <limits.h>
#include <mpi.h>

#include "model/group_int.h"

struct wsp_group {
    unsigned rank, size;
    int *send, *send_at, *receive, *receive_at; /* [size] counts and places of slices */
    float *slices;                              /* of all processes, of this one's part */
    size_t cap;
};

wsp_status wsp_group_join(wsp_group **out, wsp_error *err)
{
    wsp_group *g = wspi_new_array(1, sizeof *g);
    int got, rank, size;

    *out = NULL;
    if (!g)
        return wspi_nomem(err, "a group", sizeof *g);
    (void)MPI_Init_thread(NULL, NULL, MPI_THREAD_FUNNELED, &got);
    (void)MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    (void)MPI_Comm_size(MPI_COMM_WORLD, &size);
    g->rank = (unsigned)rank;
    g->size = (unsigned)size;
    *out = g;
    g->send = wspi_new_array(4 * g->size, sizeof *g->send);
    if (!g->send || got < MPI_THREAD_FUNNELED) {
        wsp_status st = g->send
                            ? wspi_fail(err, WSP_ERR_UNSUPPORTED, 0, "this MPI knows no threads")
                            : wspi_nomem(err, "a group", 4 * g->size * sizeof *g->send);
        wsp_group_leave(g);
        *out = NULL;
        return st;
    }
    g->send_at = g->send + g->size;
    g->receive = g->send_at + g->size;
    g->receive_at = g->receive + g->size;
    return WSP_OK;
}

void wsp_group_leave(wsp_group *g)
{
    if (!g)
        return;
    (void)MPI_Finalize();
    free(g->send);
    free(g->slices);
    free(g);
}

unsigned wsp_group_rank(const wsp_group *g)
{
    return g ? g->rank : 0;
}

unsigned wsp_group_size(const wsp_group *g)
{
    return g ? g->size : 1;
}

/* As a number that is the less the worse it is, so that one minimum decides. */
static int badness(wsp_status st)
{
    return st < 0 ? (int)st : 1 - (int)st;
}

wsp_status wsp_group_agree(wsp_group *g, wsp_status st, wsp_error *err)
{
    struct {
        int value, rank;
    } mine, worst;
    wsp_error theirs = {.status = st};

    if (!g)
        return st;
    mine.value = badness(st);
    mine.rank = (int)g->rank;
    (void)MPI_Allreduce(&mine, &worst, 1, MPI_2INT, MPI_MINLOC, MPI_COMM_WORLD);
    if (worst.value >= 0)
        return worst.value ? WSP_OK : WSP_EOF;
    if (err && st < 0)
        theirs = *err;
    (void)MPI_Bcast(&theirs, (int)sizeof theirs, MPI_BYTE, worst.rank, MPI_COMM_WORLD);
    if (worst.rank == 0 && err)
        *err = theirs;
    else
        (void)wspi_fail(err, theirs.status, theirs.offset, "process %d: %.450s", worst.rank,
                        theirs.text);
    return (wsp_status)worst.value;
}

void wspi_group_gather(wsp_group *g, void *all, const void *mine, size_t size)
{
    if (!g) {
        memcpy(all, mine, size);
        return;
    }
    assert(size <= INT_MAX);
    (void)MPI_Allgather(mine, (int)size, MPI_BYTE, all, (int)size, MPI_BYTE, MPI_COMM_WORLD);
}

/* Where the slice of process r begins. */
static size_t slice(const wsp_group *g, unsigned r, size_t n)
{
    return n / g->size * r + WSPI_MIN((size_t)r, n % g->size);
}

wsp_status wspi_group_add(wsp_group *g, float *sum, const float *mine, const bool *present,
                          bool first, size_t n, wsp_error *err)
{
    size_t from = slice(g, g->rank, n), len = slice(g, g->rank + 1, n) - from;
    wsp_status st = WSP_OK;

    if (n > INT_MAX || len * g->size > INT_MAX)
        st = wspi_fail(err, WSP_ERR_LIMIT, 0, "%zu parameters are too many for MPI", n);
    else if (wspi_grow(&g->slices, &g->cap, len * g->size + 1, sizeof *g->slices) < 0)
        st = wspi_nomem(err, "slices of gradients", len * g->size * sizeof *g->slices);
    st = wsp_group_agree(g, st, err);
    if (st < 0)
        return st;
    for (unsigned r = 0; r < g->size; r++) {
        g->send_at[r] = (int)slice(g, r, n);
        g->send[r] = present[g->rank] ? (int)slice(g, r + 1, n) - g->send_at[r] : 0;
        g->receive_at[r] = (int)(len * r);
        g->receive[r] = present[r] ? (int)len : 0;
    }
    (void)MPI_Alltoallv(mine, g->send, g->send_at, MPI_FLOAT, g->slices, g->receive, g->receive_at,
                        MPI_FLOAT, MPI_COMM_WORLD);
    for (unsigned r = 0; r < g->size; r++) {
        const float *theirs = g->slices + len * r;
        if (!present[r])
            continue;
        for (size_t i = 0; i < len; i++)
            sum[from + i] = first ? theirs[i] : sum[from + i] + theirs[i];
        first = false;
    }
    return WSP_OK;
}

void wspi_group_collect(wsp_group *g, float *sum, size_t n)
{
    if (!g)
        return;
    for (unsigned r = 0; r < g->size; r++) {
        g->receive_at[r] = (int)slice(g, r, n);
        g->receive[r] = (int)slice(g, r + 1, n) - g->receive_at[r];
    }
    (void)MPI_Allgatherv(MPI_IN_PLACE, 0, MPI_DATATYPE_NULL, sum, g->receive, g->receive_at,
                         MPI_FLOAT, MPI_COMM_WORLD);
}
