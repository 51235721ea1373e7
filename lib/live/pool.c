/* SPDX-License-Identifier: Apache-2.0 */
/* pool.c: items of one size that are used again; a limit that is never passed. */
#include "live/pool_int.h"

enum { BLOCK_BYTES = 256 << 10 };

struct wspi_pool_block {
    wspi_pool_block *next;
    _Alignas(64) uint8_t data[];
};

void wspi_pool_init(wspi_pool *p, size_t size, size_t max)
{
    *p = (wspi_pool){.size = (size + 63) & ~(size_t)63, .max = max};
}

static wsp_status stock(wspi_pool *p)
{
    size_t n = WSPI_MAX(BLOCK_BYTES / p->size, (size_t)1);
    wspi_pool_block *b;

    n = WSPI_MIN(n, p->max - p->made);
    b = aligned_alloc(64, sizeof *b + n * p->size);
    if (!b)
        return WSP_ERR_NOMEM;
    /* all of its pages now: else memory creeps for as long as items are used for the first time */
    memset(b->data, 0, n * p->size);
    b->next = p->blocks;
    p->blocks = b;
    p->made += n;
    for (size_t i = n; i-- > 0;) {
        void **item = (void *)(b->data + i * p->size);
        *item = p->unused;
        p->unused = item;
    }
    return WSP_OK;
}

void *wspi_pool_take(wspi_pool *p)
{
    void **item;

    if (!p->unused && (p->made == p->max || stock(p) < 0))
        return NULL;
    item = p->unused;
    p->unused = *item;
    p->used++;
    return item;
}

void wspi_pool_give(wspi_pool *p, void *item)
{
    if (!item)
        return;
    *(void **)item = p->unused;
    p->unused = item;
    p->used--;
}

void wspi_pool_clear(wspi_pool *p)
{
    for (wspi_pool_block *b = p->blocks, *next; b; b = next) {
        next = b->next;
        free(b);
    }
    *p = (wspi_pool){.size = p->size, .max = p->max};
}
