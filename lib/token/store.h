/* SPDX-License-Identifier: Apache-2.0 */
/*
 * store.h: what open flows have been coded to, in chunks of a few sizes that are used again when a flow ends: appending
 * never copies what is there, and memory is what the open flows need. One store for all flows of a run.
 */
#ifndef WSPI_STORE_H
#define WSPI_STORE_H

#include "base/base.h"

enum { WSPI_CHUNK_SIZES = 6 };

typedef struct wspi_chunk {
    struct wspi_chunk *next;
    uint32_t len;
    uint8_t size; /* which of the sizes */
    uint8_t data[];
} wspi_chunk;

typedef struct wspi_store {
    wspi_chunk *unused[WSPI_CHUNK_SIZES];
    size_t held; /* bytes of chunks in use */
    struct wspi_slab *slabs;
    size_t slab_used;
} wspi_store;

/* n bytes, far less than a megabyte, that live as long as the store; NULL when there is no memory. */
void *wspi_store_take(wspi_store *s, size_t n) WSP_MUST_USE;

/* A growing row of bytes. Zeroed is empty. */
typedef struct wspi_rope {
    wspi_chunk *first, *last;
} wspi_rope;

wsp_status wspi_rope_add(wspi_store *s, wspi_rope *l, const void *p, size_t n) WSP_MUST_USE;
void wspi_rope_clear(wspi_store *s, wspi_rope *l); /* its chunks go back to the store */
void wspi_store_clear(wspi_store *s);

/* Reads a rope from its start. */
typedef struct wspi_rope_reader {
    const wspi_chunk *chunk;
    uint32_t at;
} wspi_rope_reader;
wspi_rope_reader wspi_rope_read(const wspi_rope *l);
/* The next n bytes into p; false at the end, when nothing is left. */
bool wspi_rope_next(wspi_rope_reader *r, void *p, size_t n);

#endif
