/* SPDX-License-Identifier: Apache-2.0 */
/*
 * dissect.c: takes a frame apart into layers. It never fails and never allocates: where a header is cut or wrong, the
 * stack ends and the rest is payload. Then, for who asks, every computed field is compared with what the builder would write.
 */
#include "packet/packet_int.h"

#include "capture/capture_int.h"

const uint8_t *wspi_peek(const wspi_region *r, uint32_t n)
{
    uint32_t known = WSPI_MIN(r->end, r->p->caplen);
    return known >= r->off && known - r->off >= n ? r->p->data + r->off : NULL;
}

/* Fields of the header at h, of which `left` bytes may be read: each is one load of eight bytes where that is inside. */
static void read_fields(wspi_layer *l, const wspi_proto *proto, const uint8_t *h, uint32_t left)
{
    uint8_t copy[WSPI_MAX_HEADER + 8];

    if (left < proto->len + 8u) {
        memset(copy, 0, sizeof copy);
        memcpy(copy, h, proto->len);
        h = copy;
    }
    for (size_t f = 0; f < proto->n_fields; f++)
        l->v[f] = wspi_bits_load(h, proto->fields[f].bit, proto->fields[f].width);
}

const wspi_layer *wspi_push(wspi_region *r, uint8_t id, uint32_t extra)
{
    const wspi_proto *proto = wspi_protos[id];
    const uint8_t *h = r->p->data + r->off;
    uint32_t kept = extra <= WSPI_MAX_EXTRA ? extra : 0;
    wspi_layer *l;

    r->p->too_long |= kept < extra;
    if (r->p->n_layers == WSPI_MAX_LAYERS || (kept < extra && !r->p->passes))
        return NULL;
    l = &r->p->layers[r->p->n_layers++];
    l->id = id;
    l->extra_len = (uint8_t)kept;
    l->autos = 0;
    l->off = r->off;
    read_fields(l, proto, h, r->p->caplen - r->off);
    if (kept)
        memcpy(l->extra, h + proto->len, kept);
    r->off += proto->len + extra;
    return l;
}

void wspi_narrow(wspi_region *r, uint32_t start, uint64_t len)
{
    if (start + len <= r->end && start + len >= r->off)
        r->end = (uint32_t)(start + len);
}

uint8_t wspi_last_layer(const wspi_region *r)
{
    return r->p->n_layers ? r->p->layers[r->p->n_layers - 1].id : (uint8_t)WSPI_PAYLOAD;
}

/* The option at h of at most `left` bytes: its layer, and the length of its variable part; 0 if it is odd. */
static uint8_t option_layer(const uint8_t *h, uint32_t left, const uint8_t *layers, size_t n,
                            uint32_t *extra)
{
    uint8_t id = h[0] < n ? layers[h[0]] : 0;
    const wspi_proto *proto = wspi_protos[id];
    uint32_t len = !id || proto->len == 1 ? 1 : left >= 2 ? h[1] : 0;

    if (!id || len < proto->len || len > left || (len > proto->len && !proto->has_extra))
        return 0;
    *extra = len - proto->len;
    return id;
}

void wspi_push_options(wspi_region *r, uint32_t end, const uint8_t *layers, size_t n, uint8_t raw)
{
    uint64_t seen = 0;
    uint32_t extra = 0;

    while (r->off < end) {
        const uint8_t *h = r->p->data + r->off;
        uint8_t id = option_layer(h, end - r->off, layers, n, &extra);
        bool again = id && wspi_protos[id]->len > 1 && seen >> id & 1;
        if (!id || again || r->p->n_layers + 1 >= WSPI_MAX_LAYERS) {
            (void)wspi_push(r, raw, end - r->off);
            return;
        }
        seen |= UINT64_C(1) << id;
        (void)wspi_push(r, id, extra);
    }
}

/* LINKTYPE_RAW and what libpcap writes for DLT_RAW on some systems. */
static bool is_raw(int linktype)
{
    return linktype == 101 || linktype == 12 || linktype == 14;
}

bool wsp_packet_link(const char *capture, int linktype)
{
    const char *name = wspi_linktype_name(linktype);

    if (is_raw(linktype) || wspi_is_wifi(linktype) || wspi_link_layer(linktype) != WSPI_PAYLOAD)
        return true;
    wspi_log(WSP_LOG_WARNING,
             "%s: link type %d%s%s%s is not taken apart: its packets are one flow without "
             "addresses",
             capture, linktype, name ? " (" : "", name ? name : "", name ? ")" : "");
    return false;
}

/* Of raw IP the version nibble decides. */
static uint8_t first_layer(int linktype, wspi_region *r)
{
    const wsp_packet *p = r->p;

    if (wspi_is_wifi(linktype))
        return wspi_wifi(r, linktype);
    if (is_raw(linktype))
        return p->caplen == 0 ? WSPI_PAYLOAD : p->data[0] >> 4 == 6 ? WSPI_IPV6 : WSPI_IPV4;
    return wspi_link_layer(linktype);
}

void wsp_packet_check(wsp_packet *p)
{
    uint64_t v;

    for (size_t i = 0; i < p->n_layers && !p->checked; i++) {
        wspi_layer *l = &p->layers[i];
        const wspi_proto *proto = wspi_protos[l->id];
        if (!proto->computed)
            continue;
        for (size_t f = 0; f < proto->n_fields; f++)
            if (proto->fields[f].kind == WSPI_K_AUTO && wspi_auto_value(p, p->data, i, f, &v) &&
                v == l->v[f])
                l->autos |= (uint16_t)(1u << f);
    }
    p->checked = true;
}

void wspi_packet_cut(wsp_packet *p, size_t n)
{
    while (n && n < p->n_layers && wspi_protos[p->layers[n].id]->part_of)
        n--;
    if (n >= p->n_layers)
        return;
    p->payload_len += p->payload_off - p->layers[n].off;
    p->payload_off = p->layers[n].off;
    p->n_layers = n;
    for (size_t i = 0; i < n; i++)
        p->layers[i].autos = 0;
    p->checked = false;
    wsp_packet_check(p);
}

static void walk(wsp_packet *p, int linktype, const wsp_frame *frame, uint8_t most, bool passes)
{
    wspi_region r = {.p = p};
    uint8_t id;

    p->linktype = linktype;
    p->time_ns = frame->time_ns;
    p->caplen = frame->caplen;
    p->wirelen = frame->wirelen;
    p->wire = WSPI_MAX(frame->caplen, frame->wirelen);
    p->data = frame->data;
    p->n_layers = 0;
    p->fragment = p->checked = p->too_long = false;
    p->passes = passes;
    p->far_flags = 0;
    p->far_icmp = NULL;
    p->wrap = (wspi_wrap){.frame = frame->data, .most = most};
    r.end = p->wire;
    id = first_layer(linktype, &r);
    while (id != WSPI_PAYLOAD)
        id = wspi_protos[id]->parse(&r);
    p->payload_off = r.off;
    p->payload_len = r.end - r.off;
    p->trailer_len = p->wire - r.end;
    wspi_key_fill(p);
}

static bool is_icmp(uint8_t id)
{
    return id == WSPI_ICMP || id == WSPI_ICMPV6;
}

static bool goes_on_with_icmp(const wspi_layer *l)
{
    if ((l->id == WSPI_IPV4 && l->v[WSPI_IPV4_FRAG]) ||
        (l->id == WSPI_IPV6_FRAG && l->v[WSPI_FRAG_OFFSET]))
        return false;
    return is_icmp(wspi_next_by_number(WSPI_S_IP, l->v[wspi_protos[l->id]->type]));
}

/* Type and code, behind whatever headers of IP, or NULL. A header that the capture cut, or of which the packet has less, is no layer. */
static const uint8_t *icmp_header(const wsp_packet *p)
{
    size_t n = wspi_own_layers(p), i = n;

    if (n && is_icmp(p->layers[n - 1].id))
        return p->data + p->layers[n - 1].off;
    if (p->payload_len < 2 || p->payload_off + 2 > p->caplen)
        return NULL;
    while (i && wspi_protos[p->layers[i - 1].id]->space != WSPI_S_IP) /* options of IPv4 */
        i--;
    return i && goes_on_with_icmp(&p->layers[i - 1]) ? p->data + p->payload_off : NULL;
}

/*
 * Routes of IPv6, long options and check values are no layers, but what is behind them tells flows apart. The layers, and so the tokens,
 * are those in front of them; the key is that of a second walk, which takes no more wraps off, as they share the room.
 */
static void look_past(wsp_packet *p, int linktype, const wsp_frame *frame)
{
    wsp_packet far;

    far.room = p->room;
    walk(&far, linktype, frame, p->wrap.n, true);
    p->key = far.key;
    p->far_flags = wsp_packet_tcp_flags(&far);
    p->far_icmp = icmp_header(&far);
}

static void take_apart(wsp_packet *p, int linktype, const wsp_frame *frame, uint8_t most)
{
    walk(p, linktype, frame, most, false);
    if (p->too_long)
        look_past(p, linktype, frame);
}

void wsp_packet_peek(wsp_packet *p, int linktype, const wsp_frame *frame)
{
    take_apart(p, linktype, frame, WSPI_MAX_WRAPS);
}

void wsp_packet_dissect(wsp_packet *p, int linktype, const wsp_frame *frame)
{
    wsp_packet_peek(p, linktype, frame);
    wsp_packet_check(p);
}

void wspi_dissect_wraps(wsp_packet *p, int linktype, const wsp_frame *frame, uint8_t most)
{
    take_apart(p, linktype, frame, most);
    wsp_packet_check(p);
}

/* ---- key ---- */

void wspi_key_addr(wsp_flow_key *k, const uint8_t *header, size_t src, size_t dst, uint8_t len)
{
    memset(k->addr, 0, sizeof k->addr);
    memcpy(k->addr[0], header + src, len);
    memcpy(k->addr[1], header + dst, len);
    k->addr_len = len;
    k->port[0] = k->port[1] = 0; /* those of a tunnel are not the inner packet's */
}

void wspi_key_ports(wsp_flow_key *k, const wsp_packet *p, const wspi_layer *l)
{
    if (p->fragment)
        return;
    k->port[0] = (uint16_t)l->v[0];
    k->port[1] = (uint16_t)l->v[1];
}

bool wspi_in_fragment(const wsp_packet *p, const wspi_layer *l)
{
    while (l-- > p->layers)
        switch (l->id) {
        case WSPI_IPV6_FRAG: return l->v[WSPI_FRAG_OFFSET] || l->v[WSPI_FRAG_MORE];
        case WSPI_IPV4: return l->v[WSPI_IPV4_FRAG] || l->v[WSPI_IPV4_FLAGS] & 1;
        case WSPI_IPV6: return false;
        default: break;
        }
    return false;
}

void wspi_key_scope(wsp_flow_key *k, uint64_t id)
{
    k->scope = k->scope * 4099 + (uint32_t)id;
}

void wspi_key_fill(wsp_packet *p)
{
    size_t n = wspi_own_layers(p);

    memset(&p->key, 0, sizeof p->key);
    p->key.scope = p->wrap.scope;
    for (size_t i = 0; i < n; i++)
        if (wspi_protos[p->layers[i].id]->key)
            wspi_protos[p->layers[i].id]->key(&p->key, p, &p->layers[i]);
}

/* ---- public access ---- */

wsp_status wsp_packet_new(wsp_packet **out)
{
    *out = wspi_new_array(1, sizeof **out);
    if (!*out)
        return WSP_ERR_NOMEM;
    (*out)->room = wspi_new_array(WSPI_MADE_FRAME, 1);
    if ((*out)->room)
        return WSP_OK;
    free(*out);
    *out = NULL;
    return WSP_ERR_NOMEM;
}

void wsp_packet_free(wsp_packet *p)
{
    if (p)
        free(p->room);
    free(p);
}

const wsp_flow_key *wsp_packet_key(const wsp_packet *p)
{
    return &p->key;
}

uint8_t wsp_packet_tcp_flags(const wsp_packet *p)
{
    for (size_t i = wspi_own_layers(p); i-- > 0;)
        if (p->layers[i].id == WSPI_TCP)
            return (uint8_t)p->layers[i].v[WSPI_TCP_FLAGS];
    return p->far_flags;
}

bool wsp_packet_icmp(const wsp_packet *p, uint8_t *type, uint8_t *code)
{
    const uint8_t *h = icmp_header(p);

    if (!h)
        h = p->far_icmp;
    if (!h)
        return false;
    *type = h[0];
    *code = h[1];
    return true;
}

size_t wsp_packet_vlans(const wsp_packet *p, uint16_t *vlan, size_t room)
{
    size_t n = 0, layers = wspi_own_layers(p);

    for (; n < p->wrap.n_vlans && n < room; n++)
        vlan[n] = p->wrap.vlan[n];
    for (size_t i = 0; i < layers && n < room; i++)
        if (p->layers[i].id == WSPI_VLAN)
            vlan[n++] = (uint16_t)p->layers[i].v[WSPI_VLAN_ID];
    return n;
}

bool wsp_packet_ip(const wsp_packet *p, const uint8_t **ip, size_t *len)
{
    for (size_t i = wspi_own_layers(p); i-- > 0;) {
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
