/* SPDX-License-Identifier: Apache-2.0 */
/*
 * build.c: the way back from fields to bytes, and the values that a builder computes: types, lengths, checksums.
 * Dissecting compares with the same functions, so what it calls computed is rebuilt exactly.
 */
#include "packet/packet_int.h"

uint64_t wspi_bits_get(const uint8_t *p, unsigned bit, unsigned width)
{
    uint64_t v = 0;
    unsigned end = bit + width;

    for (unsigned b = bit & ~7u; b < end; b += 8) {
        uint8_t byte = p[b / 8];
        if (b < bit)
            byte = (uint8_t)(byte & (0xffu >> (bit - b)));
        if (b + 8 > end)
            v = v << (end - b) | (uint64_t)(byte >> (b + 8 - end));
        else
            v = v << 8 | byte;
    }
    return v;
}

void wspi_bits_put(uint8_t *p, unsigned bit, unsigned width, uint64_t v)
{
    unsigned end = bit + width;

    for (unsigned b = (end - 1) & ~7u;; b -= 8) {
        unsigned lo = b + 8 > end ? b + 8 - end : 0; /* bits of this byte after the field */
        unsigned hi = b < bit ? bit - b : 0;         /* bits of this byte before it */
        unsigned mask = (0xffu >> hi) & (0xffu << lo) & 0xffu;
        p[b / 8] = (uint8_t)((p[b / 8] & ~mask) | ((unsigned)(v << lo) & mask));
        v >>= 8 - lo;
        if (b <= bit)
            break;
    }
}

/* Type numbers: IEEE 802 numbers and IANA protocol numbers. */
static const struct {
    uint8_t next;
    uint16_t ethertype, proto;
} numbers[] = {
    {WSPI_IPV4, 0x0800, 0}, {WSPI_ARP, 0x0806, 0}, {WSPI_VLAN, 0x8100, 0}, {WSPI_IPV6, 0x86dd, 0},
    {WSPI_ICMP, 0, 1},      {WSPI_TCP, 0, 6},      {WSPI_UDP, 0, 17},      {WSPI_ICMPV6, 0, 58},
};

bool wspi_next_number(uint8_t id, uint8_t next, uint64_t *number)
{
    bool link = id == WSPI_ETH || id == WSPI_VLAN || id == WSPI_SLL;
    bool ip = id == WSPI_IPV4 || id == WSPI_IPV6;

    for (size_t i = 0; i < WSPI_COUNT(numbers); i++) {
        uint16_t n = link ? numbers[i].ethertype : ip ? numbers[i].proto : 0;
        if (numbers[i].next == next && n) {
            *number = n;
            return true;
        }
    }
    return false;
}

static bool is_tcp_option(uint8_t id)
{
    return id >= WSPI_TCP_EOL && id <= WSPI_TCP_RAWOPT;
}

bool wspi_may_follow(uint8_t id, uint8_t next)
{
    uint64_t n;

    if (next == WSPI_PAYLOAD)
        return true;
    if (id == WSPI_IPV4_OPTIONS)
        id = WSPI_IPV4;
    else if (id == WSPI_IPV4 && next == WSPI_IPV4_OPTIONS)
        return true;
    if (id == WSPI_TCP || is_tcp_option(id))
        return is_tcp_option(next);
    if ((id == WSPI_IPV4 && next == WSPI_ICMPV6) || (id == WSPI_IPV6 && next == WSPI_ICMP))
        return false;
    return wspi_next_number(id, next, &n);
}

static uint32_t layer_len(const wspi_layer *l)
{
    return wspi_protos[l->id].len + (uint32_t)l->extra_len;
}

uint32_t wspi_headers_len(const wsp_packet *p)
{
    uint32_t n = 0;

    for (size_t i = 0; i < p->n_layers; i++)
        n += layer_len(&p->layers[i]);
    return n;
}

/* Header of layer i with its options, which are the layers after it. */
static uint32_t header_with_options(const wsp_packet *p, size_t i)
{
    uint32_t n = layer_len(&p->layers[i]);
    uint8_t id = p->layers[i].id;

    for (size_t k = i + 1; k < p->n_layers; k++) {
        uint8_t o = p->layers[k].id;
        if (!(id == WSPI_TCP ? is_tcp_option(o) : o == WSPI_IPV4_OPTIONS))
            break;
        n += layer_len(&p->layers[k]);
    }
    return n;
}

/* Layer that a type field of layer i names: the next one that is not an option. */
static uint8_t next_layer(const wsp_packet *p, size_t i)
{
    size_t k = i + 1;

    while (k < p->n_layers && p->layers[k].id == WSPI_IPV4_OPTIONS)
        k++;
    return k < p->n_layers ? p->layers[k].id : (uint8_t)WSPI_PAYLOAD;
}

/* RFC 1071 sum over bytes; `skip` is the offset of the 16-bit checksum field itself. */
static uint32_t sum16(const uint8_t *p, size_t len, size_t skip)
{
    uint64_t s = 0;

    for (size_t i = 0; i + 1 < len; i += 2)
        if (i != skip)
            s += (uint64_t)(p[i] << 8 | p[i + 1]);
    if (len & 1)
        s += (uint64_t)(p[len - 1] << 8);
    while (s >> 16)
        s = (s & 0xffff) + (s >> 16);
    return (uint32_t)s;
}

static uint16_t fold(uint32_t s)
{
    while (s >> 16)
        s = (s & 0xffff) + (s >> 16);
    return (uint16_t)~s;
}

static bool transport_checksum(const wsp_packet *p, const uint8_t *frame, size_t i, uint64_t *v)
{
    const wspi_layer *l = &p->layers[i];
    uint32_t end = p->payload_off + p->payload_len;
    uint32_t len = end - l->off;
    uint32_t s = 0;
    size_t ip = i;
    size_t skip = l->id == WSPI_TCP ? 16 : l->id == WSPI_UDP ? 6 : 2;

    if (end > p->caplen)
        return false;
    while (ip > 0 && p->layers[ip].id != WSPI_IPV4 && p->layers[ip].id != WSPI_IPV6)
        ip--;
    if (l->id != WSPI_ICMP) {
        const uint8_t *h = frame + p->layers[ip].off;
        uint64_t proto;
        if (p->layers[ip].id == WSPI_IPV4)
            s = sum16(h + 12, 8, SIZE_MAX);
        else if (p->layers[ip].id == WSPI_IPV6)
            s = sum16(h + 8, 32, SIZE_MAX);
        else
            return false;
        if (!wspi_next_number(p->layers[ip].id, l->id, &proto))
            return false;
        s += (uint32_t)proto + (len & 0xffff) + (len >> 16);
    }
    *v = fold(s + sum16(frame + l->off, len, skip));
    if (l->id == WSPI_UDP && *v == 0)
        *v = 0xffff;
    return true;
}

static bool auto_ipv4(const wsp_packet *p, const uint8_t *frame, size_t i, size_t f, uint64_t *v)
{
    const wspi_layer *l = &p->layers[i];
    uint32_t header = header_with_options(p, i);

    switch (f) {
    case WSPI_IPV4_IHL: *v = header / 4; return header <= 60;
    case WSPI_IPV4_LEN: *v = p->payload_off + p->payload_len - l->off; return *v <= 0xffff;
    case WSPI_IPV4_PROTO: return wspi_next_number(l->id, next_layer(p, i), v);
    case WSPI_IPV4_CKSUM: *v = fold(sum16(frame + l->off, header, 10)); return true;
    default: return false;
    }
}

bool wspi_auto_value(const wsp_packet *p, const uint8_t *frame, size_t i, size_t f, uint64_t *v)
{
    const wspi_layer *l = &p->layers[i];
    uint32_t rest = p->payload_off + p->payload_len - l->off;

    switch (l->id) {
    case WSPI_ETH:
    case WSPI_VLAN:
    case WSPI_SLL: return wspi_next_number(l->id, next_layer(p, i), v);
    case WSPI_IPV4: return auto_ipv4(p, frame, i, f, v);
    case WSPI_IPV6:
        if (f == WSPI_IPV6_NEXT)
            return wspi_next_number(l->id, next_layer(p, i), v);
        *v = rest - 40;
        return *v <= 0xffff;
    case WSPI_UDP:
        if (f == WSPI_UDP_CKSUM)
            return transport_checksum(p, frame, i, v);
        *v = rest;
        return *v <= 0xffff;
    case WSPI_TCP:
        if (f == WSPI_TCP_CKSUM)
            return transport_checksum(p, frame, i, v);
        *v = header_with_options(p, i) / 4;
        return *v <= 15;
    default: return transport_checksum(p, frame, i, v); /* ICMP, ICMPv6 */
    }
}

/* Kind and length bytes of TCP options, which their layers imply. */
static void put_option_head(const wspi_layer *l, uint8_t *h)
{
    static const uint8_t kind[] = {
        [WSPI_TCP_EOL] = 0,    [WSPI_TCP_NOP] = 1,  [WSPI_TCP_MSS] = 2, [WSPI_TCP_WSCALE] = 3,
        [WSPI_TCP_SACKOK] = 4, [WSPI_TCP_SACK] = 5, [WSPI_TCP_TS] = 8};

    if (!is_tcp_option(l->id) || l->id == WSPI_TCP_RAWOPT)
        return;
    h[0] = kind[l->id];
    if (layer_len(l) > 1)
        h[1] = (uint8_t)layer_len(l);
}

static void put_layer(const wspi_layer *l, uint8_t *out)
{
    const wspi_proto *proto = &wspi_protos[l->id];
    uint8_t *h = out + l->off;

    put_option_head(l, h);
    for (size_t f = 0; f < proto->n_fields; f++)
        wspi_bits_put(h, proto->fields[f].bit, proto->fields[f].width, l->v[f]);
    if (l->extra_len)
        memcpy(h + proto->len, l->extra, l->extra_len);
}

void wspi_build(wsp_packet *p, uint8_t *out)
{
    uint64_t v;

    for (size_t i = 0; i < p->n_layers; i++)
        put_layer(&p->layers[i], out);
    for (size_t i = p->n_layers; i-- > 0;) { /* innermost first: outer checksums cover inner ones */
        wspi_layer *l = &p->layers[i];
        const wspi_proto *proto = &wspi_protos[l->id];
        for (size_t f = 0; f < proto->n_fields; f++) {
            if (!(l->autos >> f & 1) || !wspi_auto_value(p, out, i, f, &v))
                continue;
            l->v[f] = v;
            wspi_bits_put(out + l->off, proto->fields[f].bit, proto->fields[f].width, v);
        }
    }
}
