/* SPDX-License-Identifier: Apache-2.0 */
/*
 * quote.c: samples of errors (RFC 792, RFC 4443 3), which quote the packet that they are about:
 *     | type 8 | code 8 | checksum 16 | unused 32 | IP header | the first bytes behind it, 8 or more |
 * It went the other way (host.c). Hosts quote all of a short packet, routers its headers: then lengths and checksums are those of
 * more than is there. Segments of TCP are always quoted whole: readers check their checksum all the same.
 */
#include "token/token_int.h"

enum { WHOLE_MOST = 500 };     /* 576 bytes with all headers, RFC 1812 4.3.2.3 */
enum { CUT_MOST = 512 };       /* bytes that are not quoted */
enum { FIRST_SERVICE = 1024 }; /* ports below are those of services */

/* Errors by type: codes (bits) that ask for nothing in the unused word; those of them that a packet's destination itself sends. */
static const struct error {
    uint8_t layer, type;
    bool exceeded; /* the packet had no hops left */
    uint32_t codes, own;
} errors[] = {
    {WSPI_ICMP, 3, false, 1 << 0 | 1 << 1 | 1 << 2 | 1 << 3 | 1 << 9 | 1 << 10 | 1 << 13,
     1 << 2 | 1 << 3},
    {WSPI_ICMP, 11, true, 1 << 0, 0},
    {WSPI_ICMPV6, 1, false, 1 << 0 | 1 << 1 | 1 << 3 | 1 << 4, 1 << 4},
    {WSPI_ICMPV6, 3, true, 1 << 0, 0},
};

static const struct error *error_of(uint8_t layer, uint64_t type)
{
    for (size_t k = 0; k < WSPI_COUNT(errors); k++)
        if (errors[k].layer == layer && errors[k].type == type)
            return &errors[k];
    return NULL;
}

static bool is_echo(uint8_t layer, uint64_t type)
{
    return layer == WSPI_ICMP ? type == 0 || type == 8 : type / 2 == 64;
}

bool wspi_icmp_sampled(uint8_t layer, uint64_t type)
{
    return is_echo(layer, type) || error_of(layer, type) ||
           (layer == WSPI_ICMPV6 && (wspi_ndp_is(type) || wspi_mld_is(type)));
}

bool wspi_icmp_belongs(uint8_t layer, uint8_t before, bool quotes, uint64_t type)
{
    bool report = layer == WSPI_ICMPV6 && wspi_mld_is(type);

    return (error_of(layer, type) != NULL) == quotes && report == (before == WSPI_IPV6_HOP);
}

bool wspi_icmp_fits(const wspi_coder *c, size_t i, uint64_t type)
{
    const wsp_packet *p = c->p;
    size_t own = wspi_own_layers(p);
    uint8_t id = p->layers[i].id;

    if (i >= own)
        return is_echo(id, type); /* errors are not about errors */
    return wspi_icmp_belongs(id, i ? p->layers[i - 1].id : id, own < p->n_layers, type) &&
           wspi_ping_fits(c, id, type) && (id != WSPI_ICMPV6 || wspi_valid_icmpv6(c, type));
}

/* The code that a bin stands for, -1: none. */
static int code_of(const struct error *e, unsigned bin, unsigned mantissa)
{
    uint64_t from = wspi_bin_start(bin, mantissa),
             to = from + (UINT64_C(1) << wspi_bin_bits(bin, mantissa));

    for (uint64_t v = from; v < to && v < 32; v++)
        if (e->codes >> v & 1)
            return (int)v;
    return -1;
}

static unsigned mantissa_of(uint8_t layer)
{
    return wspi_protos[layer]->fields[WSPI_ICMP_CODE].mantissa;
}

bool wspi_icmp_code_sampled(uint8_t layer, unsigned bin)
{
    for (size_t k = 0; k < WSPI_COUNT(errors); k++)
        if (errors[k].layer == layer && code_of(&errors[k], bin, mantissa_of(layer)) >= 0)
            return true;
    return false;
}

bool wspi_icmp_code_fits(const wspi_coder *c, size_t i, unsigned bin)
{
    const wspi_layer *l = &c->p->layers[i];
    const struct error *e = error_of(l->id, l->v[WSPI_ICMP_TYPE]);

    return e ? code_of(e, bin, mantissa_of(l->id)) >= 0 : bin == 0;
}

/* The header of the error that quotes something; NULL: the packet is none. */
static wspi_layer *quoting(const wspi_coder *c)
{
    size_t own = wspi_own_layers(c->p);
    wspi_layer *l = own ? (wspi_layer *)&c->p->layers[own - 1] : NULL;

    return own < c->p->n_layers && error_of(l->id, l->v[WSPI_ICMP_TYPE]) ? l : NULL;
}

bool wspi_quote_to_sender(const wspi_coder *c)
{
    const wspi_layer *l = quoting(c);

    return l && error_of(l->id, l->v[WSPI_ICMP_TYPE])->own >> (l->v[WSPI_ICMP_CODE] & 31) & 1;
}

/* The rest of a packet that is not quoted: its length and its checksum are of all of it. */
static void cut(wspi_layer *l, size_t f, uint64_t v)
{
    l->autos &= (uint16_t) ~(1u << f);
    l->v[f] = v;
}

static size_t length_of(uint8_t id)
{
    return id == WSPI_IPV4 ? (size_t)WSPI_IPV4_LEN : (size_t)WSPI_IPV6_LEN;
}

/* Has the flow quoted packets that were longer? */
static bool was_cut(const wspi_coder *c, uint8_t id)
{
    wspi_past past = wspi_context_past(c->ctx, c->dir, id, 1);

    return past.slot && !(past.slot->autos >> length_of(id) & 1);
}

static void set_auto(wspi_layer *l, size_t f)
{
    l->autos |= (uint16_t)(1u << f);
}

/* Readers that go by ports would read what is quoted of a service's payload. */
static void fit_ports(wspi_coder *c, wspi_layer *l)
{
    for (size_t f = WSPI_UDP_SPORT; c->p->payload_len && f <= WSPI_UDP_DPORT; f++)
        if (l->v[f] < FIRST_SERVICE || wspi_port_token((uint16_t)l->v[f]) >= WSPI_PORT_CLASSES)
            l->v[f] = 0xec00 + wspi_rng_u64(&c->rng) % 0x1400;
}

/* What is behind the quoted IP header; `left` bytes of it are not there. */
static void fit_transport(wspi_coder *c, wspi_layer *l, uint64_t rest, uint64_t left)
{
    size_t sum = l->id == WSPI_UDP   ? WSPI_UDP_CKSUM
                 : l->id == WSPI_TCP ? WSPI_TCP_CKSUM
                                     : WSPI_ICMP_CKSUM;

    if (l->id == WSPI_TCP)
        set_auto(l, WSPI_TCP_DOFF);
    if (l->id == WSPI_UDP)
        set_auto(l, WSPI_UDP_LEN);
    set_auto(l, sum);
    if (l->id == WSPI_UDP && left)
        cut(l, WSPI_UDP_LEN, rest + left);
    if (left)
        cut(l, sum, 1 + wspi_rng_u64(&c->rng) % 0xfffe);
    if (l->id == WSPI_UDP || l->id == WSPI_TCP)
        fit_ports(c, l);
}

static void fit_ip(wspi_layer *ip, uint64_t rest, uint64_t left, bool exceeded)
{
    bool v4 = ip->id == WSPI_IPV4;

    if (v4) {
        set_auto(ip, WSPI_IPV4_IHL);
        set_auto(ip, WSPI_IPV4_CKSUM);
    }
    set_auto(ip, length_of(ip->id));
    if (left)
        cut(ip, length_of(ip->id), rest + left + (v4 ? wspi_protos[WSPI_IPV4]->len : 0u));
    if (exceeded)
        ip->v[v4 ? (size_t)WSPI_IPV4_TTL : (size_t)WSPI_IPV6_HOPS] = 1;
}

static bool is_transport(uint8_t id)
{
    return id == WSPI_UDP || id == WSPI_TCP || id == WSPI_ICMP || id == WSPI_ICMPV6;
}

bool wspi_quote_may(const wsp_packet *p, uint8_t next)
{
    size_t own = wspi_own_layers(p), n = p->n_layers;
    uint8_t last = n ? p->layers[n - 1].id : (uint8_t)WSPI_PAYLOAD;

    if (own == n) /* what is quoted begins */
        return (last == WSPI_ICMP && next == WSPI_IPV4) ||
               (last == WSPI_ICMPV6 && next == WSPI_IPV6);
    return wspi_may_follow(last, next) &&
           (next == WSPI_PAYLOAD || is_transport(next) || wspi_is_part(next, WSPI_TCP));
}

void wspi_quote_fit(wspi_coder *c)
{
    wsp_packet *p = c->p;
    wspi_layer *l = quoting(c), *ip;
    uint64_t rest, left = 0;
    const struct error *e;
    int code;

    if (!l)
        return;
    ip = l + 1;
    e = error_of(l->id, l->v[WSPI_ICMP_TYPE]);
    code = code_of(e, wspi_bin(l->v[WSPI_ICMP_CODE], mantissa_of(l->id)), mantissa_of(l->id));
    if (code >= 0)
        l->v[WSPI_ICMP_CODE] = (uint64_t)code;
    l->v[WSPI_ICMP_ID] = l->v[WSPI_ICMP_SEQ] = 0;
    if (wspi_own_layers(p) + 2 > p->n_layers || (ip->id != WSPI_IPV4 && ip->id != WSPI_IPV6) ||
        !is_transport(ip[1].id))
        return;
    rest = wspi_rest(p, wspi_own_layers(p) + 1);
    if (ip[1].id != WSPI_TCP &&
        (p->payload_len == 0 || p->payload_len > WHOLE_MOST || was_cut(c, ip->id)))
        left = 1 + wspi_rng_u64(&c->rng) % WSPI_MIN((uint64_t)CUT_MOST, WSPI_MTU - rest % WSPI_MTU);
    fit_ip(ip, rest, left, e->exceeded);
    fit_transport(c, &ip[1], rest, left);
}
