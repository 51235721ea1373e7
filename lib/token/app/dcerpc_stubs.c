/* SPDX-License-Identifier: Apache-2.0 */
/*
 * dcerpc_stubs.c: the stub of ept_map (C706 appendix O) in NDR (14.3) and NDR64 ([MS-RPCE] 2.2.5), whose pointers and counts have
 * 8 bytes in the place of 4, little-endian:
 * call:    | pointer | object 128 | pointer | count | length 32 | tower | to a multiple of 4 | handle 160 | most 32 |
 * answer:  | handle 160 | towers 32 | most | offset | count | pointer | count | length 32 | tower | to a multiple of 4 | state 32 |
 */
#include "token/app/dcerpc.h"

enum { OBJECT = 16, HANDLE = 20, MOST = 4, PORT_AT = 64 };
#define NOT_REGISTERED UINT32_C(0x16c9a0d6)

/* A tower of five floors (C706 appendix L): SAMR, NDR, connections, TCP on the mapper's port, any host. */
static const uint8_t tower[] = {
    5,    0,    19,   0,    13,   0x78, 0x57, 0x34, 0x12, 0x34, 0x12, 0xcd, 0xab, 0xef, 0,
    1,    0x23, 0x45, 0x67, 0x89, 0xac, 1,    0,    2,    0,    0,    0,    19,   0,    13,
    4,    0x5d, 0x88, 0x8a, 0xeb, 0x1c, 0xc9, 0x11, 0x9f, 0xe8, 8,    0,    0x2b, 0x10, 0x48,
    0x60, 2,    0,    2,    0,    0,    0,    1,    0,    11,   2,    0,    0,    0,    1,
    0,    7,    2,    0,    0,    135,  1,    0,    9,    4,    0,    0,    0,    0,    0};

typedef struct out {
    uint8_t *b;
    size_t n;
    bool wide;
} out;

static void put(out *o, size_t n, uint64_t v)
{
    for (size_t i = 0; i < n; i++)
        o->b[o->n++] = i < 8 ? (uint8_t)(v >> 8 * i) : 0;
}

static void align(out *o, size_t n)
{
    put(o, (0 - o->n) & (n - 1), 0);
}

/* A pointer, or a count. */
static void put_size(out *o, uint64_t v)
{
    size_t n = o->wide ? 8 : 4;

    align(o, n);
    put(o, n, v);
}

static void put_tower(out *o, uint16_t port)
{
    put_size(o, sizeof tower);
    put(o, 4, sizeof tower);
    memcpy(o->b + o->n, tower, sizeof tower);
    if (port) {
        o->b[o->n + PORT_AT] = (uint8_t)(port >> 8);
        o->b[o->n + PORT_AT + 1] = (uint8_t)port;
    }
    o->n += sizeof tower;
    align(o, 4);
}

static void call(out *o)
{
    put_size(o, 1);
    put(o, OBJECT, 0);
    put_size(o, 2);
    put_tower(o, 0);
    put(o, HANDLE, 0);
    put(o, 4, MOST);
}

static void answer(out *o, uint16_t port)
{
    put(o, HANDLE, 0);
    put(o, 4, port != 0);
    put_size(o, MOST);
    put_size(o, 0);
    put_size(o, port != 0);
    if (port) {
        put_size(o, 3);
        put_tower(o, port);
    }
    put(o, 4, port ? 0 : NOT_REGISTERED);
}

size_t wspi_dce_map_stub(uint8_t b[WSPI_DCE_MAP_MOST], bool wide, bool answers, uint16_t port)
{
    out o = {.b = b, .wide = wide};

    if (answers)
        answer(&o, port);
    else
        call(&o);
    return o.n;
}
