/* SPDX-License-Identifier: Apache-2.0 */
/*
 * generate_hosts.c: who the flows are between. A host is an IPv4 address of a pool; its IPv6 and MAC addresses are made
 * from that, so that a host has the same ones in all flows, and no table of hosts is kept. Each side has some to choose from.
 */
#include <arpa/inet.h>

#include "generate/generate_int.h"

/*
 * Where hosts of the two sides are by default: of their own network, with the link's IPv6 address, and elsewhere (RFC 2544, RFC
 * 5737, RFC 3849). A host is the same number in both, and has one MAC address.
 */
static const struct home {
    wsp_network near, far;
} homes[2] = {{{{10, 0}, 4, 16}, {{198, 18}, 4, 16}}, {{{10, 1}, 4, 24}, {{198, 51, 100}, 4, 24}}};

/* What stands in for a family that the user's networks lack. */
static const wsp_network any_v4 = {{10}, 4, 8}, any_v6 = {{0x20, 0x01, 0x0d, 0xb8}, 16, 96},
                         link_v6 = {{0xfe, 0x80}, 16, 64};

wsp_status wsp_network_parse(const char *text, wsp_network *out)
{
    char addr[64];
    const char *slash = strchr(text, '/');
    size_t len = slash ? (size_t)(slash - text) : strlen(text);
    char *end = NULL;
    wsp_network n = {.len = memchr(text, ':', len) ? 16 : 4};
    unsigned long bits = slash ? strtoul(slash + 1, &end, 10) : n.len * 8;

    if (len >= sizeof addr || bits > n.len * 8 ||
        (slash && (end == slash + 1 || *end || slash[1] < '0' || slash[1] > '9')))
        return WSP_ERR_ARG;
    memcpy(addr, text, len);
    addr[len] = '\0';
    if (inet_pton(n.len == 4 ? AF_INET : AF_INET6, addr, n.addr) != 1)
        return WSP_ERR_ARG;
    n.bits = (unsigned)bits;
    *out = n;
    return WSP_OK;
}

static void store_be(uint8_t *p, size_t n, uint64_t v)
{
    for (; n--; v >>= 8)
        p[n] = (uint8_t)v;
}

/* Has the network an address of its own and one of all, which no host has? */
static bool has_ends(const wsp_network *n)
{
    return n->len * 8u - n->bits >= 2;
}

/* Hosts of a network, without its ends: as many as 48 bits tell apart at most. */
static uint64_t host_count(const wsp_network *n)
{
    unsigned free_bits = WSPI_MIN(n->len * 8 - n->bits, 48u);

    return (UINT64_C(1) << free_bits) - (has_ends(n) ? 2 : 0);
}

/* The address of host number k of a network. */
static void host_address(const wsp_network *n, uint64_t k, uint8_t *out)
{
    unsigned free_bits = n->len * 8 - n->bits, low = WSPI_MIN(free_bits, 64u);
    size_t half = WSPI_MIN((size_t)n->len, (size_t)8);
    uint64_t mask = low == 0 ? 0 : UINT64_MAX >> (64 - low);
    uint8_t *last = out + n->len - half;

    memcpy(out, n->addr, n->len);
    if (free_bits > 64) /* the bits between the prefix and the last half */
        for (unsigned b = n->bits; b < 64; b++)
            out[b / 8] &= (uint8_t) ~(0x80u >> b % 8);
    store_be(last, half, (wspi_load_be(last, half) & ~mask) | (k + has_ends(n)));
}

/* The networks of one family, in their order; the k-th, or how many there are. */
static const wsp_network *of_family(const wsp_pool *p, uint8_t len, uint64_t k, size_t *count)
{
    const wsp_network *found = NULL;

    *count = 0;
    for (size_t i = 0; i < p->n; i++)
        if (p->networks[i].len == len && (*count)++ == k)
            found = &p->networks[i];
    return found;
}

/* A network of IPv4 by its size, or `instead`, and the number of a host of it. */
static const wsp_network *draw_v4(const wsp_pool *p, wspi_rng *rng, uint64_t *number)
{
    uint64_t all = 0;

    for (size_t i = 0; i < p->n; i++)
        all += p->networks[i].len == 4 ? host_count(&p->networks[i]) : 0;
    if (all == 0) {
        *number = wspi_rng_below(rng, host_count(&any_v4));
        return &any_v4;
    }
    *number = wspi_rng_below(rng, all);
    for (size_t i = 0;; i++) {
        uint64_t n = p->networks[i].len == 4 ? host_count(&p->networks[i]) : 0;
        if (*number < n)
            return &p->networks[i];
        *number -= n;
    }
}

/* Every second host has a network card of a maker (the one of Xen's machines, which nobody else has), others a given address. */
static void mac_of(const wsp_pool *p, const uint8_t v4[4], uint8_t mac[6])
{
    static const uint8_t maker[] = {0x00, 0x16, 0x3e};

    mac[0] = 2;
    mac[1] = 0;
    memcpy(mac + 2, v4, 4);
    if (!(v4[3] & 1))
        memcpy(mac, maker, sizeof maker);
    memcpy(mac, p->mac, p->mac_len);
}

static void v6_of(const wsp_network *prefix, const uint8_t v4[4], uint8_t v6[16])
{
    memcpy(v6, prefix->addr, 12);
    memcpy(v6 + 12, v4, 4);
}

/* Number k of the user's network v4. */
static void host_of_pool(const wsp_pool *p, const wsp_network *v4, uint64_t k, wsp_host *h)
{
    const wsp_network *v6;
    uint64_t number;
    size_t n6;

    host_address(v4, k, h->ip);
    number = wspi_load_be(h->ip, 4);
    (void)of_family(p, 16, 0, &n6);
    v6 = n6 ? of_family(p, 16, number % n6, &n6) : NULL;
    if (v6)
        host_address(v6, (number - has_ends(v6)) % host_count(v6), h->ip6); /* ends as that does */
    else
        v6_of(&any_v6, h->ip, h->ip6);
    mac_of(p, h->ip, h->mac);
}

/* Number k of a side, near and far. */
static size_t host_of_home(const wsp_pool *p, const struct home *home, uint64_t k, wsp_host h[2])
{
    host_address(&home->near, k, h[0].ip);
    v6_of(&link_v6, h[0].ip, h[0].ip6);
    host_address(&home->far, k, h[1].ip);
    v6_of(&any_v6, h[1].ip, h[1].ip6);
    mac_of(p, h[0].ip, h[0].mac);
    memcpy(h[1].mac, h[0].mac, sizeof h[1].mac);
    return 2;
}

/* A host and its neighbour, which has the other kind of network card. */
static size_t draw_side(const wsp_pool *p, const struct home *home, wspi_rng *rng,
                        wsp_host h[WSPI_HOSTS])
{
    const wsp_network *v4 = &home->near;
    uint64_t k = 0;
    size_t n = 0;

    if (p->n)
        v4 = draw_v4(p, rng, &k);
    else
        k = wspi_rng_below(rng, host_count(v4));
    for (uint64_t i = 0; i < 2; i++) {
        uint64_t number = k ^ i;
        if (number >= host_count(v4) || (i && p->mac_len))
            break;
        if (p->n)
            host_of_pool(p, v4, number, &h[n++]);
        else
            n += host_of_home(p, home, number, h + n);
    }
    return n;
}

/*
 * Ports go round their range by steps that have no divisor in common with it, so that a client does not meet itself
 * before all of them have been used.
 */
static uint16_t draw_port(const wsp_generate_options *o, uint64_t number)
{
    uint64_t n = (uint64_t)o->port_last - o->port_first + 1, step = n * 618 / 1000 | 1, a, b, r;

    for (;; step += 2) {
        for (a = n, b = step; b; a = b, b = r)
            r = a % b;
        if (a == 1)
            break;
    }
    return (uint16_t)(o->port_first + (number % n * step + o->seed % n) % n);
}

void wspi_hosts_draw(wsp_filler *fill, wsp_host hosts[2][WSPI_HOSTS], const wsp_generate_options *o,
                     uint64_t number, wspi_rng *rng)
{
    const wsp_pool *const pools[2] = {&o->clients, &o->servers};

    for (size_t side = 0; side < 2; side++) {
        fill->n_others[side] = draw_side(pools[side], &homes[side], rng, hosts[side]) - 1;
        fill->others[side] = hosts[side] + 1;
        *(side ? &fill->server : &fill->client) = hosts[side][0];
    }
    fill->client_port = draw_port(o, number);
}

static bool pool_fits(const wsp_pool *p)
{
    for (size_t i = 0; i < p->n; i++)
        if ((p->networks[i].len != 4 && p->networks[i].len != 16) ||
            p->networks[i].bits > p->networks[i].len * 8u)
            return false;
    return p->mac_len <= 6;
}

wsp_status wspi_pools_check(const wsp_generate_options *o, wsp_error *err)
{
    if (!pool_fits(&o->clients) || !pool_fits(&o->servers))
        return wspi_fail(err, WSP_ERR_ARG, 0, "a network of hosts is none");
    if (o->port_first == 0 || o->port_last < o->port_first)
        return wspi_fail(err, WSP_ERR_ARG, 0, "ports %u to %u are no range", o->port_first,
                         o->port_last);
    return WSP_OK;
}
