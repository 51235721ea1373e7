/* SPDX-License-Identifier: Apache-2.0 */
/*
 * dissect.c: takes a frame apart into layers. It never fails and never allocates: where a header is cut or wrong, the
 * stack ends and the rest is payload. Then every computed field is compared with what the builder would write.
 */
#include "packet/packet_int.h"

/* The region that is still to be parsed: [off, end) on the wire, of which the bytes below caplen are known. */
typedef struct region {
    wsp_packet *p;
    uint32_t off, end;
} region;

/* Next n header bytes if they are captured and inside the region, else NULL. */
static const uint8_t *peek(const region *r, uint32_t n)
{
    uint32_t known = WSPI_MIN(r->end, r->p->caplen);
    return known >= r->off && known - r->off >= n ? r->p->data + r->off : NULL;
}

/* Appends a layer of fixed header plus `extra` bytes, reads its fields and moves on. NULL when the stack is full. */
static wspi_layer *push(region *r, uint8_t id, uint32_t extra)
{
    const wspi_proto *proto = &wspi_protos[id];
    const uint8_t *h = r->p->data + r->off;
    wspi_layer *l;

    if (r->p->n_layers == WSPI_MAX_LAYERS || extra > WSPI_MAX_EXTRA)
        return NULL;
    l = &r->p->layers[r->p->n_layers++];
    l->id = id;
    l->extra_len = (uint8_t)extra;
    l->autos = 0;
    l->off = r->off;
    for (size_t f = 0; f < proto->n_fields; f++)
        l->v[f] = wspi_bits_get(h, proto->fields[f].bit, proto->fields[f].width);
    if (extra)
        memcpy(l->extra, h + proto->len, extra);
    r->off += proto->len + extra;
    return l;
}

static uint8_t next_by_number(uint8_t id, uint64_t number)
{
    uint64_t n;

    for (uint8_t next = 0; next < WSPI_PAYLOAD; next++)
        if (wspi_may_follow(id, next) && wspi_next_number(id, next, &n) && n == number)
            return next;
    return WSPI_PAYLOAD;
}

static uint8_t link_header(region *r, uint8_t id, size_t type)
{
    const wspi_layer *l = peek(r, wspi_protos[id].len) ? push(r, id, 0) : NULL;
    return l ? next_by_number(id, l->v[type]) : (uint8_t)WSPI_PAYLOAD;
}

static uint8_t arp_header(region *r)
{
    const uint8_t *h = peek(r, 28);

    if (h && h[4] == 6 && h[5] == 4)
        (void)push(r, WSPI_ARP, 0);
    return WSPI_PAYLOAD;
}

static uint8_t ipv4_header(region *r)
{
    const uint8_t *h = peek(r, 20);
    uint32_t start = r->off;
    const wspi_layer *l;
    uint32_t header, total;

    if (!h || h[0] >> 4 != 4 || (h[0] & 15) < 5 || !peek(r, (uint32_t)(h[0] & 15) * 4))
        return WSPI_PAYLOAD;
    header = (uint32_t)(h[0] & 15) * 4;
    if (r->p->n_layers + 2 > WSPI_MAX_LAYERS)
        return WSPI_PAYLOAD;
    l = push(r, WSPI_IPV4, 0);
    if (header > 20)
        (void)push(r, WSPI_IPV4_OPTIONS, header - 20);
    total = (uint32_t)l->v[WSPI_IPV4_LEN];
    if (total >= header && start + total <= r->end)
        r->end = start + total;
    if (l->v[WSPI_IPV4_FRAG] || l->v[WSPI_IPV4_FLAGS] & 1)
        return WSPI_PAYLOAD;
    return next_by_number(WSPI_IPV4, l->v[WSPI_IPV4_PROTO]);
}

static uint8_t ipv6_header(region *r)
{
    const uint8_t *h = peek(r, 40);
    uint32_t start = r->off;
    const wspi_layer *l;
    uint32_t total;

    if (!h || h[0] >> 4 != 6)
        return WSPI_PAYLOAD;
    l = push(r, WSPI_IPV6, 0);
    if (!l)
        return WSPI_PAYLOAD;
    total = 40 + (uint32_t)l->v[WSPI_IPV6_LEN];
    if (start + total <= r->end)
        r->end = start + total;
    return next_by_number(WSPI_IPV6, l->v[WSPI_IPV6_NEXT]);
}

/* Layer of the option at h of at most `left` bytes and the length of its variable part; PAYLOAD if it is odd. */
static uint8_t option_layer(const uint8_t *h, uint32_t left, uint32_t *extra)
{
    uint8_t len = left >= 2 ? h[1] : 0;

    *extra = 0;
    if (h[0] == 0)
        return WSPI_TCP_EOL;
    if (h[0] == 1)
        return WSPI_TCP_NOP;
    if (len > left)
        return WSPI_PAYLOAD;
    if (h[0] == 2 && len == 4)
        return WSPI_TCP_MSS;
    if (h[0] == 3 && len == 3)
        return WSPI_TCP_WSCALE;
    if (h[0] == 4 && len == 2)
        return WSPI_TCP_SACKOK;
    if (h[0] == 8 && len == 10)
        return WSPI_TCP_TS;
    *extra = (uint32_t)len - 2;
    return h[0] == 5 && len >= 10 && (len - 2) % 8 == 0 ? WSPI_TCP_SACK : WSPI_PAYLOAD;
}

/* Options up to `end`, each a layer; from the first odd or repeated one on they are one raw layer. */
static void tcp_options(region *r, uint32_t end)
{
    uint32_t seen = 0, extra;

    while (r->off < end) {
        const uint8_t *h = r->p->data + r->off;
        uint8_t id = option_layer(h, end - r->off, &extra);
        bool again = id != WSPI_TCP_NOP && id != WSPI_TCP_EOL && seen >> (id - WSPI_TCP) & 1;
        if (id == WSPI_PAYLOAD || again || r->p->n_layers + 1 >= WSPI_MAX_LAYERS) {
            (void)push(r, WSPI_TCP_RAWOPT, end - r->off);
            return;
        }
        seen |= 1u << (id - WSPI_TCP);
        (void)push(r, id, extra);
    }
}

static uint8_t tcp_header(region *r)
{
    const uint8_t *h = peek(r, 20);
    uint32_t header;

    if (!h || h[12] >> 4 < 5 || r->p->n_layers + 2 > WSPI_MAX_LAYERS)
        return WSPI_PAYLOAD;
    header = (uint32_t)(h[12] >> 4) * 4;
    if (!peek(r, header))
        return WSPI_PAYLOAD;
    (void)push(r, WSPI_TCP, 0);
    tcp_options(r, r->off + header - 20);
    return WSPI_PAYLOAD;
}

static uint8_t header(region *r, uint8_t id)
{
    switch (id) {
    case WSPI_ETH: return link_header(r, id, WSPI_ETH_TYPE);
    case WSPI_VLAN: return link_header(r, id, WSPI_VLAN_TYPE);
    case WSPI_SLL: return link_header(r, id, WSPI_SLL_PROTO);
    case WSPI_ARP: return arp_header(r);
    case WSPI_IPV4: return ipv4_header(r);
    case WSPI_IPV6: return ipv6_header(r);
    case WSPI_TCP: return tcp_header(r);
    default: /* UDP, ICMP, ICMPv6 */
        if (peek(r, 8))
            (void)push(r, id, 0);
        return WSPI_PAYLOAD;
    }
}

uint8_t wspi_link_layer(int linktype)
{
    switch (linktype) {
    case 1: return WSPI_ETH;
    case 113: return WSPI_SLL;
    case 228: return WSPI_IPV4;
    case 229: return WSPI_IPV6;
    default: return WSPI_PAYLOAD;
    }
}

/* LINKTYPE_RAW and what libpcap writes for DLT_RAW on some systems: the version nibble decides. */
static uint8_t first_layer(int linktype, const wsp_packet *p)
{
    if (linktype == 101 || linktype == 12 || linktype == 14)
        return p->caplen == 0 ? WSPI_PAYLOAD : p->data[0] >> 4 == 6 ? WSPI_IPV6 : WSPI_IPV4;
    return wspi_link_layer(linktype);
}

static void mark_autos(wsp_packet *p)
{
    uint64_t v;

    for (size_t i = 0; i < p->n_layers; i++) {
        wspi_layer *l = &p->layers[i];
        const wspi_proto *proto = &wspi_protos[l->id];
        for (size_t f = 0; f < proto->n_fields; f++)
            if (proto->fields[f].kind == WSPI_K_AUTO && wspi_auto_value(p, p->data, i, f, &v) &&
                v == l->v[f])
                l->autos |= (uint16_t)(1u << f);
    }
}

void wsp_packet_dissect(wsp_packet *p, int linktype, const wsp_frame *frame)
{
    region r = {.p = p};
    uint8_t id;

    p->linktype = linktype;
    p->time_ns = frame->time_ns;
    p->caplen = frame->caplen;
    p->wirelen = frame->wirelen;
    p->wire = WSPI_MAX(frame->caplen, frame->wirelen);
    p->data = frame->data;
    p->n_layers = 0;
    r.end = p->wire;
    id = first_layer(linktype, p);
    while (id != WSPI_PAYLOAD)
        id = header(&r, id);
    p->payload_off = r.off;
    p->payload_len = r.end - r.off;
    p->trailer_len = p->wire - r.end;
    mark_autos(p);
    wspi_key_fill(p);
}

/* ---- key ---- */

static void key_addr(wsp_flow_key *k, const uint8_t *h, size_t src, size_t dst, uint8_t len)
{
    memset(k->addr, 0, sizeof k->addr);
    memcpy(k->addr[0], h + src, len);
    memcpy(k->addr[1], h + dst, len);
    k->addr_len = len;
}

static bool echo_type(uint8_t id, uint64_t type)
{
    return id == WSPI_ICMP ? type == 0 || type == 8 : type == 128 || type == 129;
}

static void key_layer(wsp_flow_key *k, const wsp_packet *p, const wspi_layer *l)
{
    const uint8_t *h = p->data + l->off;

    switch (l->id) {
    case WSPI_ETH:
        key_addr(k, h, 6, 0, 6);
        k->ethertype = (uint16_t)l->v[WSPI_ETH_TYPE];
        break;
    case WSPI_VLAN:
        k->ethertype = (uint16_t)l->v[WSPI_VLAN_TYPE];
        k->scope = k->scope * 4099 + (uint32_t)l->v[WSPI_VLAN_ID] + 1;
        break;
    case WSPI_SLL: k->ethertype = (uint16_t)l->v[WSPI_SLL_PROTO]; break;
    case WSPI_IPV4:
        key_addr(k, h, 12, 16, 4);
        k->ethertype = 0x0800;
        k->proto = (uint8_t)l->v[WSPI_IPV4_PROTO];
        break;
    case WSPI_IPV6:
        key_addr(k, h, 8, 24, 16);
        k->ethertype = 0x86dd;
        k->proto = (uint8_t)l->v[WSPI_IPV6_NEXT];
        break;
    case WSPI_TCP:
    case WSPI_UDP: /* the two tables start with the same fields */
        k->port[0] = (uint16_t)l->v[WSPI_TCP_SPORT];
        k->port[1] = (uint16_t)l->v[WSPI_TCP_DPORT];
        break;
    case WSPI_ICMP:
    case WSPI_ICMPV6:
        if (echo_type(l->id, l->v[WSPI_ICMP_TYPE]))
            k->port[0] = k->port[1] = (uint16_t)l->v[WSPI_ICMP_ID];
        break;
    default: break;
    }
}

void wspi_key_fill(wsp_packet *p)
{
    memset(&p->key, 0, sizeof p->key);
    for (size_t i = 0; i < p->n_layers; i++)
        key_layer(&p->key, p, &p->layers[i]);
}

/* ---- public access ---- */

wsp_status wsp_packet_new(wsp_packet **out)
{
    *out = wspi_new_array(1, sizeof **out);
    return *out ? WSP_OK : WSP_ERR_NOMEM;
}

void wsp_packet_free(wsp_packet *p)
{
    free(p);
}

const wsp_flow_key *wsp_packet_key(const wsp_packet *p)
{
    return &p->key;
}

uint8_t wsp_packet_tcp_flags(const wsp_packet *p)
{
    for (size_t i = 0; i < p->n_layers; i++)
        if (p->layers[i].id == WSPI_TCP)
            return (uint8_t)p->layers[i].v[WSPI_TCP_FLAGS];
    return 0;
}

bool wsp_packet_ip(const wsp_packet *p, const uint8_t **ip, size_t *len)
{
    for (size_t i = p->n_layers; i-- > 0;) {
        const wspi_layer *l = &p->layers[i];
        if (l->id != WSPI_IPV4 && l->id != WSPI_IPV6)
            continue;
        *ip = p->data + l->off;
        *len = WSPI_MIN(p->caplen, p->payload_off + p->payload_len) - l->off;
        return true;
    }
    return false;
}

void wsp_packet_payload(const wsp_packet *p, const uint8_t **data, size_t *caplen, size_t *wirelen)
{
    uint32_t end = WSPI_MIN(p->caplen, p->payload_off + p->payload_len);

    *data = p->data + p->payload_off;
    *caplen = end > p->payload_off ? end - p->payload_off : 0;
    *wirelen = p->payload_len;
}
