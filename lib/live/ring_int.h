/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ring_int.h: packets from one thread to one other through a block of memory of fixed size. The writer never waits unless it asks
 * to; the reader takes packets where they lie.
 */
#ifndef WSPI_RING_INT_H
#define WSPI_RING_INT_H

#include <pthread.h>
#include <stdatomic.h>

#include "base/base.h"

/* What stands before the bytes of every record. `kind` is the users' own, but for 0. */
typedef struct wspi_ring_record {
    uint32_t size; /* of all of it, a multiple of 8 */
    uint32_t len;  /* of the bytes that follow */
    uint32_t wirelen;
    uint16_t source, kind;
    uint64_t time_ns;
} wspi_ring_record;

typedef struct wspi_ring {
    uint8_t *block;
    size_t size; /* a power of two */
    _Alignas(64) atomic_size_t written;
    _Alignas(64) atomic_size_t taken;
    size_t held; /* the reader's: bytes of the record that it has */
    _Alignas(64) atomic_bool reader_sleeps;
    atomic_bool writer_sleeps, closed;
    pthread_mutex_t lock;
    pthread_cond_t data, space;
} wspi_ring;

/* At least `size` bytes; no record may be larger than a quarter of it. */
wsp_status wspi_ring_init(wspi_ring *r, size_t size) WSP_MUST_USE;
void wspi_ring_clear(wspi_ring *r);

/* Whether the ring, when it is empty, takes a record with so many bytes. */
bool wspi_ring_takes(const wspi_ring *r, uint32_t len);
/* The writer: false when there is no room. head->size is filled in. */
bool wspi_ring_put(wspi_ring *r, wspi_ring_record *head, const void *bytes) WSP_MUST_USE;
/* Waits until something was taken, or some milliseconds. */
void wspi_ring_wait_space(wspi_ring *r);
/* No more will come. Safe in a signal handler. */
void wspi_ring_close(wspi_ring *r);

/*
 * The reader: the next record, valid until the next call; NULL: none within wait_ms. *closed: and none will come. The
 * bytes follow the record.
 */
const wspi_ring_record *wspi_ring_take(wspi_ring *r, unsigned wait_ms, bool *closed);

/* Share of the ring that waits to be taken, 0 to 1. */
double wspi_ring_fill(const wspi_ring *r);

#endif
