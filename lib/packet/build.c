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

static uint32_t layer_len(const wspi_layer *l)
{
    return wspi_protos[l->id]->len + (uint32_t)l->extra_len;
}

uint32_t wspi_headers_len(const wsp_packet *p)
{
    uint32_t n = 0;

    for (size_t i = 0; i < p->n_layers; i++)
        n += layer_len(&p->layers[i]);
    return n;
}

uint32_t wspi_header_with_parts(const wsp_packet *p, size_t i)
{
    uint32_t n = layer_len(&p->layers[i]);
    uint8_t id = p->layers[i].id;

    for (size_t k = i + 1; k < p->n_layers && wspi_is_part(p->layers[k].id, id); k++)
        n += layer_len(&p->layers[k]);
    return n;
}

uint8_t wspi_next_layer(const wsp_packet *p, size_t i)
{
    size_t k = i + 1;

    while (k < p->n_layers && wspi_is_part(p->layers[k].id, p->layers[i].id))
        k++;
    return k < p->n_layers ? p->layers[k].id : (uint8_t)WSPI_PAYLOAD;
}

bool wspi_has_part(const wsp_packet *p, size_t i, uint8_t id)
{
    for (size_t k = i + 1; k < p->n_layers && wspi_is_part(p->layers[k].id, p->layers[i].id); k++)
        if (p->layers[k].id == id)
            return true;
    return false;
}

uint32_t wspi_rest(const wsp_packet *p, size_t i)
{
    return p->payload_off + p->payload_len - p->layers[i].off;
}

bool wspi_next_value(const wsp_packet *p, size_t i, uint64_t *v)
{
    const wspi_proto *proto = wspi_protos[p->layers[i].id];
    uint8_t next = wspi_next_layer(p, i);

    if (next == WSPI_LLC && proto->space == WSPI_S_ETHERTYPE) {
        *v = wspi_rest(p, i) - wspi_header_with_parts(p, i);
        return *v <= 1500;
    }
    return proto->space && next != WSPI_PAYLOAD &&
           wspi_next_number((enum wspi_space)proto->space, next, v);
}

/* An IP header behind an ICMP header is quoted. */
size_t wspi_own_layers(const wsp_packet *p)
{
    for (size_t i = 0; i + 1 < p->n_layers; i++)
        if (p->layers[i].id == WSPI_ICMP || p->layers[i].id == WSPI_ICMPV6)
            return i + 1;
    return p->n_layers;
}

uint32_t wspi_sum16(const uint8_t *p, size_t len, size_t skip)
{
    uint64_t s = 0, w;
    uint32_t tail = 0;
    size_t i = 0;

    for (; i + 8 <= len; i += 8) { /* in the machine's order: turned once, at the end */
        memcpy(&w, p + i, 8);
        s += (w & 0xffffffff) + (w >> 32);
    }
    while (s >> 16)
        s = (s & 0xffff) + (s >> 16);
    s = wspi_from_be16((uint16_t)s);
    for (; i + 1 < len; i += 2)
        tail += (uint32_t)p[i] << 8 | p[i + 1];
    if (len & 1)
        tail += (uint32_t)p[len - 1] << 8;
    s += tail;
    if (skip + 1 < len)
        s += 0xffff ^ ((uint32_t)p[skip] << 8 | p[skip + 1]);
    while (s >> 16)
        s = (s & 0xffff) + (s >> 16);
    return (uint32_t)s;
}

uint16_t wspi_fold(uint32_t sum)
{
    while (sum >> 16)
        sum = (sum & 0xffff) + (sum >> 16);
    return (uint16_t)~sum;
}

/* The addresses of the IP header around layer i, the protocol's number and the length; false: there is none. */
static bool pseudo_sum(const wsp_packet *p, const uint8_t *frame, size_t i, uint32_t len,
                       uint32_t *sum)
{
    size_t ip = i;
    uint64_t proto;

    while (ip > 0 && p->layers[ip].id != WSPI_IPV4 && p->layers[ip].id != WSPI_IPV6)
        ip--;
    if (p->layers[ip].id != WSPI_IPV4 && p->layers[ip].id != WSPI_IPV6)
        return false;
    if (!wspi_next_number(WSPI_S_IP, p->layers[i].id, &proto))
        return false;
    *sum = p->layers[ip].id == WSPI_IPV4
               ? wspi_sum16(frame + p->layers[ip].off + 12, 8, SIZE_MAX - 1)
               : wspi_sum16(frame + p->layers[ip].off + 8, 32, SIZE_MAX - 1);
    *sum += (uint32_t)proto + (len & 0xffff) + (len >> 16);
    return true;
}

bool wspi_transport_sum(const wsp_packet *p, const uint8_t *frame, size_t i, size_t at, bool pseudo,
                        uint64_t *v)
{
    uint32_t len = wspi_rest(p, i), sum = 0;

    if (p->layers[i].off + (uint64_t)len > p->caplen || p->fragment)
        return false;
    if (pseudo && !pseudo_sum(p, frame, i, len, &sum))
        return false;
    *v = wspi_fold(sum + wspi_sum16(frame + p->layers[i].off, len, at));
    return true;
}

bool wspi_auto_value(const wsp_packet *p, const uint8_t *frame, size_t i, size_t f, uint64_t *v)
{
    const wspi_proto *proto = wspi_protos[p->layers[i].id];

    return proto->computed && proto->computed(p, frame, i, f, v);
}

/* Kind and length bytes of options, which their layers imply. */
static void put_option_head(const wspi_layer *l, const wspi_proto *proto, uint8_t *h)
{
    if (!proto->option)
        return;
    h[0] = proto->kind;
    if (layer_len(l) > 1)
        h[1] = (uint8_t)layer_len(l);
}

static void put_layer(const wspi_layer *l, uint8_t *out)
{
    const wspi_proto *proto = wspi_protos[l->id];
    uint8_t *h = out + l->off;

    put_option_head(l, proto, h);
    for (size_t f = 0; f < proto->n_fields; f++)
        wspi_bits_put(h, proto->fields[f].bit, proto->fields[f].width, l->v[f]);
    if (l->extra_len)
        memcpy(h + proto->len, l->extra, l->extra_len);
}

static void put_computed(wsp_packet *p, uint8_t *out, size_t i, bool checksums)
{
    wspi_layer *l = &p->layers[i];
    const wspi_proto *proto = wspi_protos[l->id];
    uint64_t v;

    for (size_t f = 0; f < proto->n_fields; f++) {
        const wspi_field *d = &proto->fields[f];
        if (!(l->autos >> f & 1) || (d->role == WSPI_R_CHECKSUM) != checksums ||
            !wspi_auto_value(p, out, i, f, &v))
            continue;
        l->v[f] = v;
        wspi_bits_put(out + l->off, d->bit, d->width, v);
    }
}

void wspi_build(wsp_packet *p, uint8_t *out)
{
    for (size_t i = 0; i < p->n_layers; i++)
        put_layer(&p->layers[i], out);
    for (size_t i = 0; i < p->n_layers; i++)
        put_computed(p, out, i, false);
    for (size_t i = p->n_layers; i-- > 0;) /* innermost first: outer checksums cover inner ones */
        put_computed(p, out, i, true);
}
