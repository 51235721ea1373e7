/* SPDX-License-Identifier: Apache-2.0 */
/*
 * verbatim.c: every 16 bytes in a row of some payloads, in a hash table, and in how many other captures each of them
 * stands. Bytes that are all the same say nothing and are left out.
 */
#include "realism/verbatim.h"
#include "realism/realism_int.h"

enum { BYTES = WSP_VERBATIM_BYTES, FILTER_BITS = 28 };

typedef struct slot {
    uint64_t hash;     /* 0: free */
    uint32_t captures; /* that have these bytes, too */
    uint32_t last;     /* of them */
} slot;

struct wsp_verbatim {
    const wsp_traffic *of;
    slot *slots; /* a power of two, at most two thirds full */
    size_t mask;
    uint8_t *filter; /* bits by hash: most bytes that are looked up are not there */
};

static uint64_t hash_at(const uint8_t *p)
{
    uint64_t a, b, h;

    memcpy(&a, p, 8);
    memcpy(&b, p + 8, 8);
    h = (a ^ 0x9e3779b97f4a7c15u) * 0xff51afd7ed558ccdu;
    h = (h ^ h >> 32 ^ b) * 0xc4ceb9fe1a85ec53u;
    h ^= h >> 29;
    return h ? h : 1;
}

/* All bytes the same: padding. */
static bool is_flat(const uint8_t *p)
{
    return memcmp(p, p + 1, BYTES - 1) == 0;
}

static bool in_filter(const wsp_verbatim *v, uint64_t hash)
{
    uint64_t bit = hash >> (64 - FILTER_BITS);

    return v->filter[bit >> 3] >> (bit & 7) & 1;
}

static slot *find(const wsp_verbatim *v, uint64_t hash)
{
    size_t i = (size_t)hash & v->mask;

    while (v->slots[i].hash && v->slots[i].hash != hash)
        i = (i + 1) & v->mask;
    return &v->slots[i];
}

/* ---- payloads one after the other: the length (4 bytes), the bytes ---- */

typedef struct packets {
    const wspi_buf *in;
    size_t at;
} packets;

static const uint8_t *next_packet(packets *p, size_t *len)
{
    uint32_t n;

    if (p->at >= p->in->len)
        return NULL;
    memcpy(&n, p->in->data + p->at, sizeof n);
    p->at += sizeof n + n;
    *len = n;
    return p->in->data + p->at - n;
}

static void add_packet(wsp_verbatim *v, const uint8_t *data, size_t len)
{
    for (size_t i = 0; i + BYTES <= len; i++) {
        uint64_t hash = hash_at(data + i), bit = hash >> (64 - FILTER_BITS);
        if (is_flat(data + i))
            continue;
        find(v, hash)->hash = hash;
        v->filter[bit >> 3] |= (uint8_t)(1u << (bit & 7));
    }
}

wsp_status wsp_verbatim_new(wsp_verbatim **out, const wsp_traffic *of, wsp_error *err)
{
    wsp_verbatim *v = wspi_new_array(1, sizeof *v);
    packets p = {.in = &of->payload};
    size_t slots = 1024, len;

    *out = NULL;
    while (slots / 3 * 2 < of->payload.len + 1)
        slots *= 2;
    if (v) {
        *v = (wsp_verbatim){.of = of,
                            .slots = wspi_new_array(slots, sizeof *v->slots),
                            .mask = slots - 1,
                            .filter = wspi_new_array((size_t)1 << (FILTER_BITS - 3), 1)};
    }
    if (!v || !v->slots || !v->filter) {
        wsp_verbatim_free(v);
        return wspi_nomem(err, "payload bytes", slots * sizeof(slot));
    }
    for (const uint8_t *data; (data = next_packet(&p, &len));)
        add_packet(v, data, len);
    *out = v;
    return WSP_OK;
}

void wsp_verbatim_free(wsp_verbatim *v)
{
    if (!v)
        return;
    free(v->slots);
    free(v->filter);
    free(v);
}

wsp_status wspi_verbatim_scan(wsp_verbatim *v, size_t capture, const uint8_t *data, size_t len)
{
    for (size_t i = 0; i + BYTES <= len; i++) {
        uint64_t hash = hash_at(data + i);
        slot *s;
        if (!in_filter(v, hash))
            continue;
        s = find(v, hash);
        if (s->hash && s->last != (uint32_t)capture) {
            s->last = (uint32_t)capture;
            s->captures++;
        }
    }
    return WSP_OK;
}

/* ---- what was found ---- */

typedef struct run {
    uint64_t hash;
    const uint8_t *data;
    uint32_t len, captures, times; /* the fewest captures of any 16 bytes of it */
} run;

typedef struct runs {
    run *r;
    size_t n, cap;
} runs;

/* The longest run that begins at `at`; 0: none does. */
static size_t run_at(const wsp_verbatim *v, const uint8_t *data, size_t len, size_t at,
                     uint32_t *captures)
{
    size_t end = at;

    *captures = UINT32_MAX;
    for (; end + BYTES <= len && !is_flat(data + end); end++) {
        const slot *s = find(v, hash_at(data + end));
        if (s->captures == 0)
            break;
        *captures = WSPI_MIN(*captures, s->captures);
    }
    return end > at ? end - at + BYTES - 1 : 0;
}

/* Counts a packet; its runs go to the list. */
static wsp_status count_packet(const wsp_verbatim *v, const uint8_t *data, size_t len,
                               size_t common, wsp_verbatim_found *f, runs *list)
{
    bool any = false, rare = false;

    f->packets++;
    f->bytes += len;
    for (size_t i = 0; i + BYTES <= len;) {
        uint32_t captures;
        size_t n = run_at(v, data, len, i, &captures);
        if (n == 0) {
            i++;
            continue;
        }
        WSP_TRY(wspi_grow(&list->r, &list->cap, list->n + 1, sizeof *list->r));
        list->r[list->n++] = (run){.hash = wspi_fnv1a(data + i, n, WSPI_FNV_START),
                                   .data = data + i,
                                   .len = (uint32_t)n,
                                   .captures = captures,
                                   .times = 1};
        f->copied_bytes += n;
        any = true;
        rare = rare || captures < common;
        i += n;
    }
    f->copied_packets += any;
    f->rare_packets += rare;
    return WSP_OK;
}

static int by_hash(const void *a, const void *b)
{
    const run *x = a, *y = b;
    return x->hash < y->hash ? -1 : x->hash > y->hash;
}

static int by_rarity(const void *a, const void *b)
{
    const run *x = a, *y = b;

    if (x->captures != y->captures)
        return x->captures < y->captures ? -1 : 1;
    if (x->times != y->times)
        return x->times > y->times ? -1 : 1;
    return by_hash(a, b);
}

/* Equal runs become one. */
static void collapse(runs *l)
{
    size_t n = 0;

    if (l->n == 0)
        return;
    qsort(l->r, l->n, sizeof *l->r, by_hash);
    for (size_t i = 1; i < l->n; i++) {
        if (l->r[i].hash == l->r[n].hash)
            l->r[n].times++;
        else
            l->r[++n] = l->r[i];
    }
    l->n = n + 1;
    qsort(l->r, l->n, sizeof *l->r, by_rarity);
}

wsp_status wsp_verbatim_result(const wsp_verbatim *v, size_t common, wsp_verbatim_found *found,
                               wsp_copy **copies)
{
    packets p = {.in = &v->of->payload};
    runs list = {.n = 0};
    wsp_status st = WSP_OK;
    size_t len;

    *found = (wsp_verbatim_found){.packets = 0};
    *copies = NULL;
    for (const uint8_t *data; st == WSP_OK && (data = next_packet(&p, &len));)
        st = count_packet(v, data, len, common, found, &list);
    if (st == WSP_OK) {
        collapse(&list);
        *copies = wspi_new_array(list.n, sizeof **copies);
        st = *copies ? WSP_OK : WSP_ERR_NOMEM;
    }
    for (size_t i = 0; st == WSP_OK && i < list.n; i++) {
        (*copies)[i] = (wsp_copy){.data = list.r[i].data,
                                  .len = list.r[i].len,
                                  .times = list.r[i].times,
                                  .captures = list.r[i].captures};
        found->rare += list.r[i].captures < common;
    }
    found->copies = list.n;
    free(list.r);
    return st;
}

/* ---- given bytes ---- */

size_t wsp_traffic_find(const wsp_traffic *t, const void *bytes, size_t len)
{
    packets p = {.in = &t->payload};
    size_t n = 0, here;

    for (const uint8_t *data; (data = next_packet(&p, &here));)
        n += memmem(data, here, bytes, len) != NULL;
    return n;
}
