/* SPDX-License-Identifier: Apache-2.0 */
/* pool_int.h: items of one size, taken and given back, of which there are never more than a limit. */
#ifndef WSPI_POOL_INT_H
#define WSPI_POOL_INT_H

#include "base/base.h"

typedef struct wspi_pool_block wspi_pool_block;

typedef struct wspi_pool {
    size_t size, max;  /* bytes of an item, number of items */
    size_t made, used; /* items */
    void *unused;
    wspi_pool_block *blocks;
} wspi_pool;

void wspi_pool_init(wspi_pool *p, size_t size, size_t max);
/* 64-byte aligned, not cleared; NULL: the limit is reached, or there is no memory. */
void *wspi_pool_take(wspi_pool *p) WSP_MUST_USE;
void wspi_pool_give(wspi_pool *p, void *item); /* NULL is fine */
void wspi_pool_clear(wspi_pool *p);            /* frees all, items in use too */

#endif
