/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ring.c: a ring of records for one writer and one reader. Positions only grow; each is written by one side. A record
 * does not wrap: the rest of the block is skipped by a record of kind 0.
 */
#include "live/ring_int.h"

#include <time.h>

enum { NAP_MS = 10, LEAST = 4096 };

/* Naps go by the clock that nobody sets: where the other one is put back an hour, a nap would last an hour. */
static void init_condition(pthread_cond_t *c)
{
    pthread_condattr_t a;

    (void)pthread_condattr_init(&a);
    (void)pthread_condattr_setclock(&a, CLOCK_MONOTONIC);
    (void)pthread_cond_init(c, &a);
    (void)pthread_condattr_destroy(&a);
}

wsp_status wspi_ring_init(wspi_ring *r, size_t size)
{
    size_t n = LEAST;

    memset(r, 0, sizeof *r);
    while (n < size && n < SIZE_MAX / 4)
        n *= 2;
    r->block = malloc(n);
    if (!r->block)
        return WSP_ERR_NOMEM;
    r->size = n;
    (void)pthread_mutex_init(&r->lock, NULL);
    init_condition(&r->data);
    init_condition(&r->space);
    return WSP_OK;
}

void wspi_ring_clear(wspi_ring *r)
{
    if (!r->block)
        return;
    (void)pthread_cond_destroy(&r->space);
    (void)pthread_cond_destroy(&r->data);
    (void)pthread_mutex_destroy(&r->lock);
    free(r->block);
    r->block = NULL;
}

static wspi_ring_record *record_at(const wspi_ring *r, size_t at)
{
    return (wspi_ring_record *)(void *)(r->block + (at & (r->size - 1)));
}

/* Wakes the other side if it sleeps. The flag was set before it looked at our position for the last time. */
static void wake(wspi_ring *r, atomic_bool *sleeps, pthread_cond_t *what)
{
    if (!atomic_load(sleeps))
        return;
    (void)pthread_mutex_lock(&r->lock);
    (void)pthread_cond_signal(what);
    (void)pthread_mutex_unlock(&r->lock);
}

/* Sleeps at most `ms` and until `changes` is no longer what it was. */
static void nap(wspi_ring *r, atomic_bool *sleeps, pthread_cond_t *what, atomic_size_t *changes,
                size_t was, unsigned ms)
{
    struct timespec t;

    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    t.tv_nsec += (long)(ms % 1000) * 1000000;
    t.tv_sec += (time_t)(ms / 1000) + t.tv_nsec / 1000000000;
    t.tv_nsec %= 1000000000;
    (void)pthread_mutex_lock(&r->lock);
    atomic_store(sleeps, true);
    if (atomic_load(changes) == was && !atomic_load(&r->closed))
        (void)pthread_cond_timedwait(what, &r->lock, &t);
    atomic_store(sleeps, false);
    (void)pthread_mutex_unlock(&r->lock);
}

static size_t size_of(uint32_t len)
{
    return (sizeof(wspi_ring_record) + len + 7) & ~(size_t)7;
}

bool wspi_ring_takes(const wspi_ring *r, uint32_t len)
{
    return size_of(len) <= r->size / 4;
}

bool wspi_ring_put(wspi_ring *r, wspi_ring_record *head, const void *bytes)
{
    size_t size = size_of(head->len);
    size_t at = atomic_load_explicit(&r->written, memory_order_relaxed);
    size_t rest = r->size - (at & (r->size - 1)), skip = rest < size ? rest : 0;

    if (!wspi_ring_takes(r, head->len) || at + skip + size - atomic_load(&r->taken) > r->size)
        return false;
    if (skip >= sizeof *head)
        *record_at(r, at) = (wspi_ring_record){.size = (uint32_t)skip};
    head->size = (uint32_t)size;
    memcpy(record_at(r, at + skip), head, sizeof *head);
    if (head->len)
        memcpy(record_at(r, at + skip) + 1, bytes, head->len);
    atomic_store(&r->written, at + skip + size);
    wake(r, &r->reader_sleeps, &r->data);
    return true;
}

void wspi_ring_wait_space(wspi_ring *r)
{
    nap(r, &r->writer_sleeps, &r->space, &r->taken, atomic_load(&r->taken), NAP_MS);
}

/* Only a flag, because signal handlers call it: sleepers look at it when their nap is over. */
void wspi_ring_close(wspi_ring *r)
{
    atomic_store(&r->closed, true);
}

/* The next record, without those that only skip; NULL: none. */
static const wspi_ring_record *look(wspi_ring *r)
{
    for (;;) {
        size_t at = atomic_load_explicit(&r->taken, memory_order_relaxed);
        size_t rest = r->size - (at & (r->size - 1));
        const wspi_ring_record *record = record_at(r, at);

        if (atomic_load(&r->written) == at)
            return NULL;
        if (rest >= sizeof *record && record->kind) {
            r->held = record->size;
            return record;
        }
        atomic_store(&r->taken, at + rest); /* what is left of the block */
    }
}

const wspi_ring_record *wspi_ring_take(wspi_ring *r, unsigned wait_ms, bool *closed)
{
    const wspi_ring_record *record;

    if (r->held) {
        atomic_store(&r->taken, atomic_load_explicit(&r->taken, memory_order_relaxed) + r->held);
        r->held = 0;
        wake(r, &r->writer_sleeps, &r->space);
    }
    for (;;) {
        /* closed first: what was written before it is seen */
        *closed = atomic_load(&r->closed);
        if ((record = look(r)) || *closed || wait_ms == 0)
            return record;
        nap(r, &r->reader_sleeps, &r->data, &r->written, atomic_load(&r->taken),
            WSPI_MIN(wait_ms, (unsigned)NAP_MS));
        wait_ms -= WSPI_MIN(wait_ms, (unsigned)NAP_MS);
    }
}

double wspi_ring_fill(const wspi_ring *r)
{
    /* the reader's position first: it can only make the rest look larger */
    size_t taken = atomic_load(&r->taken);

    return (double)(atomic_load(&r->written) - taken) / (double)r->size;
}
