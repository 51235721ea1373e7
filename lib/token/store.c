/* SPDX-License-Identifier: Apache-2.0 */
/* store.c: ropes of chunks. A flow's first chunk is small, the next ones larger: most flows are short. */
#include "token/store.h"

enum { SLAB = 1 << 20 };

struct wspi_slab {
    struct wspi_slab *next;
};

void *wspi_store_take(wspi_store *s, size_t n)
{
    void *p;

    n = (n + 63) & ~(size_t)63;
    if (!s->slabs || SLAB - s->slab_used < n) {
        struct wspi_slab *slab = aligned_alloc(64, SLAB);
        if (!slab)
            return NULL;
        slab->next = s->slabs;
        s->slabs = slab;
        s->slab_used = 64;
    }
    p = (uint8_t *)s->slabs + s->slab_used;
    s->slab_used += n;
    return p;
}

static const uint32_t sizes[WSPI_CHUNK_SIZES] = {256, 512, 1024, 2048, 8192, 32768};

static uint32_t room(const wspi_chunk *c)
{
    return sizes[c->size] - (uint32_t)sizeof *c - c->len;
}

static wspi_chunk *new_chunk(wspi_store *s, wspi_rope *l)
{
    uint8_t size = !l->last                               ? 0
                   : l->last->size < WSPI_CHUNK_SIZES - 1 ? (uint8_t)(l->last->size + 1)
                                                          : l->last->size;
    wspi_chunk *c = s->unused[size];

    if (c)
        s->unused[size] = c->next;
    else
        c = wspi_store_take(s, sizes[size]);
    if (!c)
        return NULL;
    *c = (wspi_chunk){.size = size};
    s->held += sizes[size];
    if (l->last)
        l->last->next = c;
    else
        l->first = c;
    l->last = c;
    return c;
}

wsp_status wspi_rope_add(wspi_store *s, wspi_rope *l, const void *p, size_t n)
{
    const uint8_t *b = p;

    while (n) {
        wspi_chunk *c = l->last && room(l->last) ? l->last : new_chunk(s, l);
        uint32_t k;
        if (!c)
            return WSP_ERR_NOMEM;
        k = (uint32_t)WSPI_MIN(n, (size_t)room(c));
        memcpy(c->data + c->len, b, k);
        c->len += k;
        b += k;
        n -= k;
    }
    return WSP_OK;
}

void wspi_rope_clear(wspi_store *s, wspi_rope *l)
{
    for (wspi_chunk *c = l->first, *next; c; c = next) {
        next = c->next;
        c->next = s->unused[c->size];
        s->unused[c->size] = c;
        s->held -= sizes[c->size];
    }
    *l = (wspi_rope){NULL, NULL};
}

void wspi_store_clear(wspi_store *s)
{
    for (struct wspi_slab *slab = s->slabs, *next; slab; slab = next) {
        next = slab->next;
        free(slab);
    }
    *s = (wspi_store){.held = 0};
}

wspi_rope_reader wspi_rope_read(const wspi_rope *l)
{
    return (wspi_rope_reader){.chunk = l->first};
}

bool wspi_rope_next(wspi_rope_reader *r, void *p, size_t n)
{
    uint8_t *b = p;

    while (n) {
        uint32_t k;
        while (r->chunk && r->at == r->chunk->len)
            *r = (wspi_rope_reader){.chunk = r->chunk->next};
        if (!r->chunk)
            return false;
        k = (uint32_t)WSPI_MIN(n, (size_t)(r->chunk->len - r->at));
        memcpy(b, r->chunk->data + r->at, k);
        r->at += k;
        b += k;
        n -= k;
    }
    return true;
}
