/* SPDX-License-Identifier: Apache-2.0 */
/*
 * generate_hosts.c: who the flows are between. A host is an IPv4 address of a pool; its IPv6 and MAC addresses are made
 * from that, so that a host has the same ones in all flows, and no table of hosts is kept.
 */
#include <arpa/inet.h>

#include "task/generate_int.h"

/* Defaults of the two sides, and what stands in for a family that the user's networks lack. */
static const wsp_network default_clients = {{10}, 4, 16}, default_servers = {{198, 51, 100}, 4, 24},
                         any_v4 = {{10}, 4, 8}, any_v6 = {{0x20, 0x01, 0x0d, 0xb8}, 16, 96};

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

static uint64_t load_be(const uint8_t *p, size_t n)
{
    uint64_t v = 0;

    while (n--)
        v = v << 8 | *p++;
    return v;
}

static void store_be(uint8_t *p, size_t n, uint64_t v)
{
    for (; n--; v >>= 8)
        p[n] = (uint8_t)v;
}

/* Hosts of a network less its own address and that of all: as many as 48 bits tell apart at most. */
static uint64_t host_count(const wsp_network *n)
{
    unsigned free_bits = WSPI_MIN(n->len * 8 - n->bits, 48u);

    return free_bits < 2 ? UINT64_C(1) << free_bits : (UINT64_C(1) << free_bits) - 2;
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
    store_be(last, half, (load_be(last, half) & ~mask) | (k + (free_bits >= 2)));
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

typedef struct host {
    uint8_t v4[4], v6[16], mac[6];
} host;

/* Draws an IPv4 network by its size, and a host of it. */
static void draw_v4(const wsp_pool *p, const wsp_network *instead, wspi_rng *rng, uint8_t v4[4])
{
    uint64_t all = 0, at;

    for (size_t i = 0; i < p->n; i++)
        all += p->networks[i].len == 4 ? host_count(&p->networks[i]) : 0;
    if (all == 0) {
        host_address(instead, wspi_rng_below(rng, host_count(instead)), v4);
        return;
    }
    at = wspi_rng_below(rng, all);
    for (size_t i = 0; i < p->n; i++) {
        uint64_t n = p->networks[i].len == 4 ? host_count(&p->networks[i]) : 0;
        if (at < n) {
            host_address(&p->networks[i], at, v4);
            return;
        }
        at -= n;
    }
}

static void draw_host(const wsp_pool *p, const wsp_network *usual, wspi_rng *rng, host *h)
{
    size_t n6;
    const wsp_network *v6;
    uint64_t k;

    (void)of_family(p, 16, 0, &n6);
    draw_v4(p, p->n ? &any_v4 : usual, rng, h->v4);
    k = load_be(h->v4, 4);
    v6 = n6 ? of_family(p, 16, k % n6, &n6) : NULL;
    if (v6)
        host_address(v6, k % host_count(v6), h->v6);
    else
        memcpy(h->v6, any_v6.addr, 12), memcpy(h->v6 + 12, h->v4, 4);
    h->mac[0] = 2;
    h->mac[1] = 0;
    memcpy(h->mac + 2, h->v4, 4);
    memcpy(h->mac, p->mac, p->mac_len);
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

void wspi_hosts_draw(wsp_filler *fill, const wsp_generate_options *o, uint64_t number,
                     wspi_rng *rng)
{
    host client, server;

    draw_host(&o->clients, &default_clients, rng, &client);
    draw_host(&o->servers, &default_servers, rng, &server);
    memcpy(fill->client, client.mac, 6);
    memcpy(fill->client_ip, client.v4, 4);
    memcpy(fill->client_ip6, client.v6, 16);
    memcpy(fill->server, server.mac, 6);
    memcpy(fill->server_ip, server.v4, 4);
    memcpy(fill->server_ip6, server.v6, 16);
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
