/* SPDX-License-Identifier: Apache-2.0 */
/* route.c: dialogs of routers. */
#include "generate/dialog/dialog.h"

/*
 * BGP-4 (RFC 4271, section 4; capabilities: RFC 5492; AS numbers of four bytes: RFC 6793; communities: RFC 1997):
 *
 *     | 16 bytes of ones | length 16 | type 8 |
 *     OPEN          | version 8 | AS 16 | hold time 16 | router 32 | length 8 | parameters |
 *     UPDATE        | length 16 | withdrawn routes | length 16 | attributes | routes |
 *     ROUTE-REFRESH | family 16 | 0 | subsequent family 8 |
 *     route         | bits 8 | as many of its address, in whole bytes |
 */
enum { OPEN = 1, UPDATE, KEEPALIVE = 4, ROUTE_REFRESH };

enum { HEAD = 19, LEAST_UPDATE = HEAD + 4, LEAST_WITHDRAWN = LEAST_UPDATE + 2, LEAST_ROUTE = 2 };

enum { IPV4 = 1, UNICAST = 1, TRANSITION_AS = 23456 };

/* Numbers of the flow: by side. */
enum { AS = 0, ROUTER = 2, INNER = 4, HOST = 6 };

static size_t bgp_begin(wspi_pen *p, unsigned type)
{
    size_t at = p->n;

    wspi_pen_be(p, UINT64_MAX, 8);
    wspi_pen_be(p, UINT64_MAX, 8);
    wspi_pen_zeros(p, 2);
    wspi_pen_be(p, type, 1);
    return at;
}

static void bgp_end(wspi_pen *p, size_t at)
{
    wspi_pen_be_at(p, at + 16, p->n - at, 2);
}

static void bgp_keepalive(wspi_pen *p)
{
    bgp_end(p, bgp_begin(p, KEEPALIVE));
}

/* Within one AS, or between two. */
static bool one_as(const wspi_dialog *d)
{
    return wspi_dialog_number(d, INNER) % 3 == 0;
}

/* One of four bytes never has a low half that is like the head of a path's segment: readers guess how wide they are by that. */
static uint32_t as_of(const wspi_dialog *d, int dir)
{
    uint32_t k = wspi_dialog_number(d, one_as(d) ? AS : AS + (unsigned)dir);

    return k % 2 ? 64512 + k % 1000 : 131072 + (k % 300000 | 0x1000);
}

/* The capabilities that fit: routes of IPv4, AS of four bytes, refresh, restart, and the host's name. */
static void bgp_open(const wspi_dialog *d, int dir, wspi_pen *p, size_t want)
{
    enum { BGP_4 = 4, HOLD = 180, PARAMETER = 2, RESTART = 0x4002, AS_4 = 0x4104, FQDN = 0x49 };
    uint32_t as = as_of(d, dir);
    char name[WSPI_DIALOG_NAME];
    size_t at = bgp_begin(p, OPEN), parameters;

    wspi_pen_be(p, BGP_4, 1);
    wspi_pen_be(p, as < 65536 ? as : TRANSITION_AS, 2);
    wspi_pen_be(p, HOLD, 2);
    wspi_pen_be(p, 0x0a000000u | wspi_dialog_number(d, ROUTER + (unsigned)dir) >> 8, 4);
    wspi_pen_zeros(p, 1);
    parameters = p->n;
    wspi_pen_be(p, UINT64_C(0x0206010400010001), 8);
    wspi_pen_be(p, PARAMETER << 8 | 6, 2);
    wspi_pen_be(p, AS_4, 2);
    wspi_pen_be(p, as, 4);
    if (wspi_pen_left(p, want, 0) >= 4)
        wspi_pen_be(p, 0x02020200, 4);
    if (wspi_pen_left(p, want, 0) >= 6) {
        wspi_pen_be(p, PARAMETER << 8 | 4, 2);
        wspi_pen_be(p, (uint64_t)RESTART << 16 | 120, 4);
    }
    wspi_dialog_name(d, HOST + (unsigned)dir, name);
    if (wspi_pen_left(p, want, 0) >= 6 + strlen(name)) {
        wspi_pen_be(p, PARAMETER << 8 | (4 + strlen(name)), 2);
        wspi_pen_be(p, FQDN << 8 | (2 + strlen(name)), 2);
        wspi_pen_be(p, strlen(name), 1);
        wspi_pen_text(p, name);
        wspi_pen_zeros(p, 1);
    }
    wspi_pen_be_at(p, parameters - 1, p->n - parameters, 1);
    bgp_end(p, at);
}

/* n bytes of routes, 2 at least: most of 17 to 24 bits. */
static void routes(wspi_pen *p, size_t n)
{
    static const uint8_t sizes[] = {3, 4, 4, 4, 4, 4, 5};

    while (n > 0 && !p->full) {
        size_t size = n <= 5 ? n : sizes[wspi_pen_pick(p, WSPI_COUNT(sizes))];
        unsigned spared, bits;
        uint32_t address = (1 + wspi_pen_pick(p, 223)) << 24 | (uint32_t)wspi_rng_u64(&p->rng) >> 8;

        size -= n - size == 1; /* one byte is no route */
        spared = size > 2 ? wspi_pen_pick(p, 4) * wspi_pen_pick(p, 2) : 0;
        bits = 8 * (unsigned)(size - 1) - spared;
        wspi_pen_be(p, bits, 1);
        wspi_pen_be(p, address >> (32 - bits) << spared, size - 1);
        n -= size;
    }
}

/* | 2: in order | how many | AS |... */
static void as_path(const wspi_dialog *d, int dir, wspi_pen *p, unsigned n)
{
    enum { AS_PATH = 0x4002, IN_ORDER = 2 };

    wspi_pen_be(p, AS_PATH, 2);
    wspi_pen_be(p, n ? 2 + 4 * n : 0, 1);
    if (n)
        wspi_pen_be(p, IN_ORDER << 8 | n, 2);
    for (unsigned k = 0; k < n; k++)
        wspi_pen_be(p, k == 0 && !one_as(d) ? as_of(d, dir) : 1000 + wspi_pen_pick(p, 60000), 4);
}

static void attributes(const wspi_dialog *d, int dir, wspi_pen *p, unsigned ases,
                       unsigned communities)
{
    enum { ORIGIN = 0x4001, NEXT_HOP = 0x4003, LOCAL_PREFERENCE = 0x4005, COMMUNITIES = 0xc008 };

    wspi_pen_be(p, ORIGIN << 16 | 1 << 8 | (wspi_pen_pick(p, 4) ? 0 : 2), 4);
    as_path(d, dir, p, ases);
    wspi_pen_be(p, NEXT_HOP << 8 | 4, 3);
    wspi_pen_be(p, 0x0a000000u | wspi_dialog_number(d, ROUTER + (unsigned)dir) >> 8, 4);
    if (one_as(d)) {
        wspi_pen_be(p, LOCAL_PREFERENCE << 8 | 4, 3);
        wspi_pen_be(p, 100, 4);
    }
    if (communities == 0)
        return;
    wspi_pen_be(p, COMMUNITIES << 8 | 4 * communities, 3);
    for (unsigned k = 0; k < communities; k++)
        wspi_pen_be(p, (uint64_t)(1000 + wspi_pen_pick(p, 60000)) << 16 | wspi_pen_pick(p, 2000),
                    4);
}

/* Of n bytes just, LEAST_WITHDRAWN at least: routes that are gone, or, where there is room for attributes, new ones. */
static void bgp_update(const wspi_dialog *d, int dir, wspi_pen *p, size_t n)
{
    enum { ATTRIBUTES = 4 + 3 + 7 + 7, SEGMENT = 2 + 4, ROOM = 60 };
    size_t at = bgp_begin(p, UPDATE), from;
    size_t fit = n > LEAST_UPDATE + LEAST_ROUTE + ATTRIBUTES + SEGMENT
                     ? (n - LEAST_UPDATE - LEAST_ROUTE - ATTRIBUTES - SEGMENT) / 4
                     : 0;

    if (n < ROOM) {
        wspi_pen_be(p, n - LEAST_UPDATE, 2);
        routes(p, n - LEAST_UPDATE);
        wspi_pen_zeros(p, 2);
    } else {
        unsigned ases = wspi_pen_pick(p, (unsigned)WSPI_MIN(fit, (size_t)5));
        unsigned communities = fit > 12 && wspi_pen_pick(p, 2) ? 1 + wspi_pen_pick(p, 4) : 0;
        wspi_pen_zeros(p, 4);
        from = p->n;
        attributes(d, dir, p, one_as(d) ? ases : 1 + ases, communities);
        wspi_pen_be_at(p, from - 2, p->n - from, 2);
        routes(p, n - (p->n - at));
    }
    bgp_end(p, at);
}

/* What is left when sides know each other: updates, and what is short enough for the rest. */
static void bgp_talk(const wspi_dialog *d, int dir, wspi_pen *p, size_t want)
{
    enum { LONGEST = 260, REFRESH = HEAD + 4 };
    size_t left;

    while ((left = wspi_pen_left(p, want, 0)) >= LEAST_WITHDRAWN && !p->full) {
        size_t own = left;
        if (left > LONGEST)
            own = left / 2 < LONGEST ? left / 2 : LONGEST - wspi_pen_pick(p, LONGEST / 2);
        bgp_update(d, dir, p, own);
    }
    if (left >= REFRESH) {
        size_t at = bgp_begin(p, ROUTE_REFRESH);
        wspi_pen_be(p, IPV4 << 16 | UNICAST, 4);
        bgp_end(p, at);
    } else if (left >= HEAD || p->n == 0) {
        bgp_keepalive(p);
    }
}

/* Either side opens, then says that it heard the other's OPEN, then tells its routes. */
void wspi_say_bgp(wspi_dialog *d, int dir, wspi_pen *p, size_t want)
{
    if (d->said[dir] == 0) {
        bgp_open(d, dir, p, want);
        if (d->said[!dir] == 0 || wspi_pen_left(p, want, 0) < HEAD)
            return;
        d->kept[dir] = 1;
        bgp_keepalive(p);
        return;
    }
    if (!d->kept[dir] || d->said[!dir] == 0)
        bgp_keepalive(p);
    d->kept[dir] = d->said[!dir] > 0;
    if (d->kept[dir] && d->said[!dir] > 1)
        bgp_talk(d, dir, p, want);
    else if (p->n == 0)
        bgp_keepalive(p);
}

/*
 * HSRP, version 1 (RFC 2281, section 5); and its authentication by MD5, as tshark has it:
 *
 *     | 0 | says 8 | state 8 | hello 8 | hold 8 | priority 8 | group 8 | 0 | password 64 | IPv4 of the group |
 *     | type 8, 4 | length 8 | algorithm 8, 1 | 0 | flags 16 | IPv4 of the sender | key 32 | digest 128 |
 */
enum { HSRP_HELLO = 0, HSRP_COUP = 1, HSRP_SPEAK = 4, HSRP_STANDBY = 8, HSRP_ACTIVE = 16 };

/*
 * One router is active, and says so; the other, who has less priority, stands by. Of four flows one begins with a router that
 * speaks first, and takes over then or waits.
 */
static void hsrp_state(const wspi_dialog *d, int dir, wspi_pen *p)
{
    enum { SPEAKS = 3 };
    bool active = (wspi_dialog_number(d, 0) + (unsigned)dir) % 2,
         late = wspi_dialog_number(d, 1) % 4 == 0;

    if (late && d->said[dir] < SPEAKS) {
        wspi_pen_be(p, HSRP_HELLO, 1);
        wspi_pen_be(p, HSRP_SPEAK, 1);
    } else {
        wspi_pen_be(p, late && active && d->said[dir] == SPEAKS ? HSRP_COUP : HSRP_HELLO, 1);
        wspi_pen_be(p, active ? HSRP_ACTIVE : HSRP_STANDBY, 1);
    }
}

/* The same of what is the same. */
static void hsrp_digest(const wspi_dialog *d, int dir, wspi_pen *p, uint32_t network)
{
    enum { MD5_TLV = 4, MD5_SIZE = 28, MD5 = 1, DIGEST = 16 };
    unsigned what = 100 * (1 + (unsigned)dir) + 8 * p->bytes[1] + 4 * p->bytes[2];

    wspi_pen_be(p, MD5_TLV, 1);
    wspi_pen_be(p, MD5_SIZE, 1);
    wspi_pen_be(p, MD5, 1);
    wspi_pen_zeros(p, 3);
    wspi_pen_be(p, network | (2 + (unsigned)dir), 4);
    wspi_pen_zeros(p, 4);
    for (unsigned i = 0; i < DIGEST / 4; i++)
        wspi_pen_be(p, wspi_dialog_number(d, what + i), 4);
}

void wspi_say_hsrp(wspi_dialog *d, int dir, wspi_pen *p, size_t want)
{
    enum { WITH_DIGEST = 50, HELLO_TIME = 3, HOLD_TIME = 10 };
    bool active = (wspi_dialog_number(d, 0) + (unsigned)dir) % 2;
    uint32_t network = 0x0a000000 | (wspi_dialog_number(d, 2) & 0xffff00);

    wspi_pen_zeros(p, 1);
    hsrp_state(d, dir, p);
    wspi_pen_be(p, HELLO_TIME, 1);
    wspi_pen_be(p, HOLD_TIME, 1);
    wspi_pen_be(p, active ? 110 : 100, 1);
    wspi_pen_be(p, wspi_dialog_number(d, 3) % 20, 1);
    wspi_pen_zeros(p, 1);
    if (want >= WITH_DIGEST)
        wspi_pen_zeros(p, 8);
    else
        wspi_pen_add(p, "cisco\0\0\0", 8);
    wspi_pen_be(p, network | 1, 4);
    if (want >= WITH_DIGEST)
        hsrp_digest(d, dir, p, network);
}
