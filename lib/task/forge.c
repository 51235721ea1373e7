/* SPDX-License-Identifier: Apache-2.0 */
/*
 * forge.c: captures with other hosts: what identifies them is mapped by keyed permutations, so that equal values stay
 * equal and different ones different; checksums that were right are right again. It goes by the roles of the field
 * tables and knows of no header but TCP's numbers. What is not a field stays byte for byte, but for names in TLS hellos and
 * addresses in ICMPv6 (forge_ndp.c).
 */
#include "packet/packet_int.h"
#include "task/task_int.h"

struct wsp_forger {
    wsp_forge_options opt;
    int linktype;
    wsp_packet *packet;
    wsp_flow_table *flows;
    wspi_buf frame;
    uint64_t room;   /* packets that had room for a canary */
    uint64_t opaque; /* packets that hold what is not taken apart */
};

wsp_forge_options wsp_forge_options_default(void)
{
    return (wsp_forge_options){.seed = 1, .what = WSP_FORGE_ALL};
}

/* ---- keyed permutations ---- */

static uint64_t mix(uint64_t a, uint64_t b)
{
    uint64_t h = (a ^ b * 0x9e3779b97f4a7c15u) * 0xff51afd7ed558ccdu;

    h = (h ^ h >> 33) * 0xc4ceb9fe1a85ec53u;
    return h ^ h >> 29;
}

/* A permutation of the numbers of an even count of bits: four rounds of a Feistel network. */
static uint64_t feistel(uint64_t key, unsigned bits, uint64_t v)
{
    unsigned half = bits / 2;
    uint64_t mask = (UINT64_C(1) << half) - 1, left = v >> half & mask, right = v & mask;

    for (uint64_t round = 0; round < 4; round++) {
        uint64_t next = left ^ (mix(key + round, right) & mask);
        left = right;
        right = next;
    }
    return left << half | right;
}

/* The same of any count up to 64, that keeps zero where it is: numbers outside, and zero, are passed over. */
static uint64_t permute(uint64_t key, unsigned bits, uint64_t v)
{
    uint64_t mask = bits < 64 ? (UINT64_C(1) << bits) - 1 : UINT64_MAX, out = v & mask;

    if (out == 0)
        return v;
    do
        out = feistel(key, (bits + 1) & ~1u, out);
    while (out > mask || out == 0);
    return (v & ~mask) | out;
}

/* ---- values of a role ---- */

enum {
    KEY_MAC = 1,
    KEY_IP4,
    KEY_NET6,
    KEY_HOST6,
    KEY_PORT,
    KEY_TTL,
    KEY_TAG,
    KEY_SEQ,
    KEY_TS,
    KEY_NAME,
    KEY_NODE
};

static uint64_t key(const wsp_forger *f, uint64_t what)
{
    return mix(f->opt.seed, what);
}

/* The end of an IPv6 address is mapped by itself: the group of those who have it ends so, too (RFC 4291 2.7.1). */
enum { NODE_BITS = 24 };

static uint64_t forge_node(const wsp_forger *f, uint64_t v)
{
    return permute(key(f, KEY_NODE), NODE_BITS, v);
}

/* Groups stay, but for those of solicited nodes; the bit that says who has given the address does, too. */
static uint64_t forge_mac(const wsp_forger *f, uint64_t v)
{
    uint64_t low = v & 0xffffffffff;

    if (v >> NODE_BITS == 0x3333ff)
        return forge_node(f, v);
    if (v >> 40 & 1 || v == 0)
        return v;
    return (v >> 40 & 3) << 40 | (v >> 42) << 42 | permute(key(f, KEY_MAC) + (v >> 40), 40, low);
}

/* Bits of an IPv4 address that may change within its class; 0: none. */
static unsigned free_bits(uint32_t a)
{
    static const struct {
        uint32_t net;
        uint8_t bits;
    } classes[] = {{10, 8}, {0xac1, 12}, {0xc0a8, 16}, {0xa9fe, 16}};

    if (a >> 28 >= 14 || a >> 24 == 127 || a >> 24 == 0)
        return 0;
    for (size_t i = 0; i < WSPI_COUNT(classes); i++)
        if (a >> (32 - classes[i].bits) == classes[i].net)
            return 32u - classes[i].bits;
    return 32;
}

static uint64_t forge_ip4(const wsp_forger *f, uint64_t v)
{
    unsigned bits = free_bits((uint32_t)v);
    uint64_t out = v;

    if (bits == 0)
        return v;
    do /* a public address goes on to a public one */
        out = permute(key(f, KEY_IP4), bits, out);
    while (bits == 32 && free_bits((uint32_t)out) != 32);
    return out;
}

/* Network half: multicast, link-local and what begins with zeros stay; unique local and global ones keep their prefix. */
static uint64_t forge_net6(const wsp_forger *f, uint64_t v)
{
    if (v >> 56 == 0xff || v >> 48 == 0 || v >> 54 == 0x3fa)
        return v;
    return permute(key(f, KEY_NET6), v >> 57 == 0x7e ? 57 : 61, v);
}

static uint64_t forge_host6(const wsp_forger *f, uint64_t net, uint64_t v)
{
    uint64_t node = forge_node(f, v);

    if (net == 0 || (net >> 56 == 0xff && (v >> NODE_BITS & 0xff) != 0xff))
        return v;
    if (net >> 56 == 0xff)
        return node;
    v = permute(key(f, KEY_HOST6) + (node & 0xffffff), 64 - NODE_BITS, v >> NODE_BITS);
    return v << NODE_BITS | (node & 0xffffff);
}

void wspi_forge_ip6(const wsp_forger *f, uint8_t *b, bool whole)
{
    uint64_t net = wspi_bits_get(b, 0, 64);

    wspi_bits_put(b, 0, 64, forge_net6(f, net));
    if (whole)
        wspi_bits_put(b, 64, 64, forge_host6(f, net, wspi_bits_get(b, 64, 64)));
}

void wspi_forge_link(const wsp_forger *f, uint8_t *b)
{
    wspi_bits_put(b, 0, 48, forge_mac(f, wspi_bits_get(b, 0, 48)));
}

/* Reserved values of labels and tags are the lowest ones and the highest. */
static uint64_t forge_tag(const wsp_forger *f, const wspi_field *d, uint64_t v)
{
    uint64_t most = (UINT64_C(1) << d->width) - 1, out = v;

    if (v < 16 || v == most)
        return v;
    do
        out = permute(key(f, KEY_TAG) + d->width, d->width, out);
    while (out < 16 || out == most);
    return out;
}

static uint64_t forge_field(const wsp_forger *f, const wspi_layer *l, size_t i, uint64_t way)
{
    const wspi_field *d = &wspi_protos[l->id]->fields[i];
    uint64_t v = l->v[i];
    unsigned what = f->opt.what;

    switch ((enum wspi_role)d->role) {
    case WSPI_R_MAC_SRC:
    case WSPI_R_MAC_DST: return what & WSP_FORGE_ADDRESSES && d->width == 48 ? forge_mac(f, v) : v;
    case WSPI_R_IP_SRC:
    case WSPI_R_IP_DST:
        if (!(what & WSP_FORGE_ADDRESSES))
            return v;
        return d->width == 32 ? forge_ip4(f, v) : forge_net6(f, v);
    case WSPI_R_IP_SRC_LOW:
    case WSPI_R_IP_DST_LOW: return what & WSP_FORGE_ADDRESSES ? forge_host6(f, l->v[i - 1], v) : v;
    case WSPI_R_PORT_SRC:
    case WSPI_R_PORT_DST: return what & WSP_FORGE_PORTS ? permute(key(f, KEY_PORT), 16, v) : v;
    case WSPI_R_TTL: return what & WSP_FORGE_TTL ? permute(key(f, KEY_TTL) + way, 8, v) : v;
    case WSPI_R_TAG: return what & WSP_FORGE_ADDRESSES ? forge_tag(f, d, v) : v;
    default: return v;
    }
}

/* ---- TCP's numbers ---- */

static uint32_t offset_of(const wsp_forger *f, uint64_t what, uint64_t way)
{
    return (uint32_t)mix(key(f, what), way);
}

static void forge_tcp(const wsp_forger *f, wspi_layer *l, uint64_t way, uint64_t back)
{
    if (!(f->opt.what & WSP_FORGE_NUMBERS))
        return;
    l->v[WSPI_TCP_SEQ] = (uint32_t)(l->v[WSPI_TCP_SEQ] + offset_of(f, KEY_SEQ, way));
    if (l->v[WSPI_TCP_ACK] || l->v[WSPI_TCP_FLAGS] & WSPI_TH_ACK)
        l->v[WSPI_TCP_ACK] = (uint32_t)(l->v[WSPI_TCP_ACK] + offset_of(f, KEY_SEQ, back));
}

/* An echo of zero is one of nothing, unless the other side's clock stands at zero. */
static void forge_timestamps(const wsp_forger *f, wspi_layer *l, uint64_t way, uint64_t back,
                             bool peer_at_zero)
{
    if (!(f->opt.what & WSP_FORGE_TIMESTAMPS))
        return;
    l->v[0] = (uint32_t)(l->v[0] + offset_of(f, KEY_TS, way));
    if (l->v[1] || peer_at_zero)
        l->v[1] = (uint32_t)(l->v[1] + offset_of(f, KEY_TS, back));
}

/* clocks: bit d says that the clock of direction d stands at zero. */
static void forge_layers(wsp_forger *f, uint64_t way, uint64_t back, int dir, uintptr_t *clocks)
{
    wsp_packet *p = f->packet;
    size_t own = wspi_own_layers(p);

    for (size_t i = 0; i < p->n_layers; i++) {
        wspi_layer *l = &p->layers[i];
        uint64_t v[WSPI_MAX_FIELDS];
        size_t n = wspi_protos[l->id]->n_fields;
        for (size_t k = 0; k < n; k++)
            v[k] = forge_field(f, l, k, way);
        memcpy(l->v, v, n * sizeof *v);
        if (l->id == WSPI_TCP && i < own)
            forge_tcp(f, l, way, back);
        else if (l->id == WSPI_TCP_SACK && i < own && f->opt.what & WSP_FORGE_NUMBERS)
            wspi_sack_move(l, offset_of(f, KEY_SEQ, back));
        if (l->id == WSPI_TCP_TS && i < own) {
            *clocks = (*clocks & ~((uintptr_t)1 << dir)) | (uintptr_t)(v[0] == 0) << dir;
            forge_timestamps(f, l, way, back, *clocks >> !dir & 1);
        }
    }
}

/* ---- names in TLS hellos ---- */

/* The server name in the client hello that begins at b (RFC 8446 4.1.2, RFC 6066 3): *at and *len; false: none there. */
static bool find_name(const uint8_t *b, size_t n, size_t *at, size_t *len)
{
    wspi_cursor c = wspi_cur(b, n), ext;
    uint16_t type;

    if (n < 43 || b[0] != 22 || b[5] != 1)
        return false;
    (void)wspi_cur_bytes(&c, 43);
    (void)wspi_cur_bytes(&c, wspi_cur_u8(&c));
    (void)wspi_cur_bytes(&c, wspi_cur_be16(&c));
    (void)wspi_cur_bytes(&c, wspi_cur_u8(&c));
    (void)wspi_cur_be16(&c);
    while (!c.bad && wspi_cur_left(&c) >= 4) {
        type = wspi_cur_be16(&c);
        ext = wspi_cur_sub(&c, wspi_cur_be16(&c));
        if (type != 0 || ext.bad)
            continue;
        (void)wspi_cur_be16(&ext);
        (void)wspi_cur_u8(&ext);
        *len = wspi_cur_be16(&ext);
        *at = (size_t)(ext.p - b);
        return !ext.bad && *len <= wspi_cur_left(&ext);
    }
    return false;
}

/* The same name becomes the same name. */
static void forge_name(const wsp_forger *f, uint8_t *payload, size_t n)
{
    size_t at, len;
    uint64_t h;

    if (!(f->opt.what & WSP_FORGE_NAMES) || !find_name(payload, n, &at, &len))
        return;
    h = wspi_fnv1a(payload + at, len, key(f, KEY_NAME));
    for (size_t i = at; i < at + len; i++)
        if (payload[i] != '.' && payload[i] != '-')
            payload[i] = (uint8_t)('a' + mix(h, i - at) % 26);
}

/* ---- canaries ---- */

static void plant(wsp_forger *f, uint8_t *payload, size_t n)
{
    const wsp_forge_options *o = &f->opt;
    const char *s;

    if (o->n_plant == 0)
        return;
    s = o->plant[f->room / WSPI_MAX(o->plant_every, 1u) % o->n_plant];
    if (strlen(s) > n)
        return;
    if (f->room++ % WSPI_MAX(o->plant_every, 1u) == 0)
        memcpy(payload, s, strlen(s));
}

/* ---- payload ---- */

/* What stands behind the headers: addresses that ICMPv6 tells of, names, canaries. */
static void forge_payload(wsp_forger *f, uint8_t *payload, size_t n)
{
    const wsp_packet *p = f->packet;
    const wspi_layer *last = p->n_layers ? &p->layers[p->n_layers - 1] : NULL;

    if (last && last->id == WSPI_ICMPV6 && f->opt.what & WSP_FORGE_ADDRESSES)
        wspi_forge_icmpv6(f, last->v[WSPI_ICMP_TYPE], payload, n);
    forge_name(f, payload, n);
    if (!p->fragment) /* the checksum may be in another one */
        plant(f, payload, n);
}

/* ---- checksums ---- */

/* Those that end in a pseudo header's sum, or not; GRE's begins a layer before its own. */
static const struct {
    uint8_t id;
    bool pseudo;
} sums[] = {{WSPI_TCP, true},   {WSPI_UDP, true},   {WSPI_ICMPV6, true},
            {WSPI_ICMP, false}, {WSPI_IGMP, false}, {WSPI_GRE_SUM, false}};

/* Sum of what layer i's checksum covers of this frame, as far as it was captured. */
static uint32_t covered_sum(const wsp_packet *p, const uint8_t *frame, size_t i, bool pseudo)
{
    size_t from = p->layers[i - (p->layers[i].id == WSPI_GRE_SUM)].off, ip = i;
    size_t end = WSPI_MIN(p->caplen, p->payload_off + p->payload_len);
    uint32_t sum = wspi_sum16(frame + from, end - from, SIZE_MAX - 1);

    while (ip > 0 && p->layers[ip].id != WSPI_IPV4 && p->layers[ip].id != WSPI_IPV6)
        ip--;
    frame += p->layers[ip].off;
    if (pseudo && p->layers[ip].id == WSPI_IPV4)
        sum += wspi_sum16(frame + 12, 8, SIZE_MAX - 1);
    if (pseudo && p->layers[ip].id == WSPI_IPV6)
        sum += wspi_sum16(frame + 8, 32, SIZE_MAX - 1);
    return sum;
}

/* The checksum of layer i moved by what has changed (RFC 1624 3): right stays right and wrong wrong. */
static uint64_t moved_sum(const wsp_packet *p, const uint8_t *frame, size_t i, bool pseudo,
                          uint64_t sum)
{
    uint32_t before = wspi_fold(covered_sum(p, p->data, i, pseudo)); /* negated, as it is wanted */
    uint32_t after = 0xffffu ^ wspi_fold(covered_sum(p, frame, i, pseudo));

    if ((before ^ after) == 0xffff) /* nothing has changed */
        return sum;
    sum = wspi_fold((0xffff ^ (uint32_t)sum) + before + after);
    return sum || p->layers[i].id != WSPI_UDP ? sum : 0xffff;
}

/* Of fragments and of what was cut a sum cannot be computed. Returns whether that was so; UDP's zero is none. */
static bool move_sum(wsp_packet *p, uint8_t *frame, size_t i, bool pseudo)
{
    wspi_layer *l = &p->layers[i];
    const wspi_field *fields = wspi_protos[l->id]->fields;
    size_t k = 0;
    uint64_t v;

    while (fields[k].role != WSPI_R_CHECKSUM)
        k++;
    if ((l->id == WSPI_UDP && l->v[k] == 0) || wspi_auto_value(p, frame, i, k, &v))
        return false;
    l->v[k] = moved_sum(p, frame, i, pseudo, l->v[k]);
    wspi_bits_put(frame + l->off, fields[k].bit, fields[k].width, l->v[k]);
    return true;
}

/* The innermost first: outer ones cover it. */
static bool move_sums(wsp_packet *p, uint8_t *frame)
{
    bool any = false;

    for (size_t i = p->n_layers; i-- > 0;)
        for (size_t s = 0; s < WSPI_COUNT(sums); s++)
            if (p->layers[i].id == sums[s].id && move_sum(p, frame, i, sums[s].pseudo))
                any = true;
    return any;
}

/* A checksum that was wrong must not have become right. */
static void keep_wrong(const wsp_packet *p, uint8_t *frame)
{
    for (size_t i = 0; i < p->n_layers; i++) {
        const wspi_layer *l = &p->layers[i];
        for (size_t k = 0; k < wspi_protos[l->id]->n_fields; k++) {
            const wspi_field *d = &wspi_protos[l->id]->fields[k];
            uint64_t v;
            if (d->role != WSPI_R_CHECKSUM || d->kind != WSPI_K_AUTO || l->autos >> k & 1 ||
                l->v[k] == 0 || !wspi_auto_value(p, frame, i, k, &v) || v != l->v[k])
                continue;
            wspi_bits_put(frame + l->off, d->bit, d->width, v ^ 0x1234);
        }
    }
}

/* ---- frames ---- */

wsp_status wsp_forger_new(wsp_forger **out, int linktype, const wsp_forge_options *opt)
{
    wsp_forger *f = wspi_new_array(1, sizeof *f);

    *out = f;
    if (!f)
        return WSP_ERR_NOMEM;
    f->opt = opt ? *opt : wsp_forge_options_default();
    f->linktype = linktype;
    wspi_buf_init(&f->frame, SIZE_MAX / 2);
    if (wsp_packet_new(&f->packet) < 0 || wsp_flow_table_new(&f->flows, NULL) < 0) {
        wsp_forger_free(f);
        *out = NULL;
        return WSP_ERR_NOMEM;
    }
    return WSP_OK;
}

/* Does no table take apart what stands behind the headers? What is encrypted (ESP) shows no address. */
static bool is_opaque(const wsp_packet *p)
{
    static const uint8_t ends[] = {WSPI_ARP, WSPI_ESP, WSPI_ICMP, WSPI_ICMPV6,    WSPI_IGMP,
                                   WSPI_UDP, WSPI_TCP, WSPI_SCTP, WSPI_SCTP_DATA, WSPI_SCTP_CHUNK};
    size_t i = p->n_layers;

    if (p->payload_len == 0 || p->fragment)
        return false;
    while (i > 0 && wspi_protos[p->layers[i - 1].id]->part_of)
        i--;
    for (size_t k = 0; i > 0 && k < WSPI_COUNT(ends); k++)
        if (p->layers[i - 1].id == ends[k])
            return false;
    return true;
}

/* The headers of the packet into the forged frame; what was made for a wrap stands for bytes that stay. */
static void build(wsp_forger *f)
{
    wsp_packet *p = f->packet;
    uint8_t made[WSPI_ETH_LEN], *frame;

    if (!p->n_layers)
        return;
    frame = f->frame.data + wspi_frame_at(p, 0);
    memcpy(made, frame, p->wrap.made);
    wspi_build(p, frame);
    if (move_sums(p, frame))
        wspi_build(p, frame);
    keep_wrong(p, frame);
    memcpy(frame, made, p->wrap.made);
}

/* What the frame came in, the innermost wrap first: its checksums are over what it wraps. A radio's addresses are in no layer. */
static void forge_wraps(wsp_forger *f, const wsp_frame *in, uint64_t way, uint64_t back, int dir)
{
    wsp_packet *p = f->packet;
    uintptr_t clocks = 0;
    uint32_t at[4];

    if (f->opt.what & WSP_FORGE_ADDRESSES)
        for (size_t n = wspi_wifi_addresses(p, at); n-- > 0;)
            wspi_forge_link(f, f->frame.data + at[n]);
    for (uint8_t n = p->wrap.n; n-- > 0;) {
        wspi_dissect_wraps(p, f->linktype, in, n);
        forge_layers(f, way, back, dir, &clocks);
        build(f);
    }
}

wsp_status wsp_forger_frame(wsp_forger *f, const wsp_frame *in, wsp_frame *out)
{
    wsp_packet *p = f->packet;
    uint64_t way, back;
    uint32_t payload_end;
    uintptr_t clocks;
    wsp_flow *flow;
    int dir;

    wsp_packet_dissect(p, f->linktype, in);
    WSP_TRY(wsp_flow_table_add(f->flows, wsp_packet_key(p), in->time_ns, in->wirelen,
                               wsp_packet_tcp_flags(p), &flow, &dir));
    way = mix(flow->id * 2 + (unsigned)dir, 3);
    back = mix(flow->id * 2 + !dir, 3);
    f->opaque += is_opaque(p);
    f->frame.len = 0;
    WSP_TRY(wspi_buf_add(&f->frame, in->data, in->caplen));
    payload_end = WSPI_MIN(p->caplen, p->payload_off + p->payload_len);
    if (payload_end > p->payload_off)
        forge_payload(f, f->frame.data + wspi_frame_at(p, p->payload_off),
                      payload_end - p->payload_off);
    clocks = (uintptr_t)flow->user;
    forge_layers(f, way, back, dir, &clocks);
    flow->user = (void *)clocks;
    build(f);
    if (p->wrap.n)
        forge_wraps(f, in, way, back, dir);
    *out = *in;
    out->data = f->frame.data ? f->frame.data : in->data;
    return WSP_OK;
}

uint64_t wsp_forger_opaque(const wsp_forger *f)
{
    return f->opaque;
}

void wsp_forger_free(wsp_forger *f)
{
    if (!f)
        return;
    wsp_packet_free(f->packet);
    wsp_flow_table_free(f->flows);
    wspi_buf_clear(&f->frame);
    free(f);
}
