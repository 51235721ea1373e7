/* SPDX-License-Identifier: Apache-2.0 */
/*
 * field.c: the primitives of the coder (tokens, residuals) and one coder for each kind of field. Every function works
 * in both directions: encoding reads the value, decoding sets it.
 */
#include "token/app/app.h"

static bool stopped(const wspi_coder *c)
{
    return c->bad || c->need;
}

static void allow(wspi_coder *c, unsigned base, unsigned count)
{
    const uint8_t *usual = wspi_the_vocab.usual + base;

    c->marked.from = WSPI_MIN(c->marked.from, base);
    c->marked.to = WSPI_MAX(c->marked.to, base + count);
    for (unsigned i = 0; i < count; i++)
        c->legal[base + i] |= c->deviations | usual[i];
}

unsigned wspi_must_decode(wspi_coder *c, unsigned base, unsigned count)
{
    unsigned v;

    if (stopped(c))
        return 0;
    if (c->pos == c->n) {
        c->need = true;
        if (c->legal)
            allow(c, base, count);
        return 0;
    }
    v = (unsigned)c->in[c->pos] - base;
    if (c->in[c->pos] < base || v >= count) {
        c->bad = true;
        return 0;
    }
    c->pos++;
    return v;
}

bool wspi_may_decode(wspi_coder *c, unsigned base, unsigned count, bool deviates, unsigned *v)
{
    if (stopped(c))
        return false;
    if (c->pos == c->n) {
        if (c->legal && (c->deviations || !deviates))
            allow(c, base, count);
        return false;
    }
    if (c->in[c->pos] < base || (unsigned)c->in[c->pos] - base >= count)
        return false;
    *v = (unsigned)c->in[c->pos++] - base;
    return true;
}

/* ---- residuals ---- */

static uint64_t filled(wspi_coder *c, uint8_t role, unsigned n)
{
    uint64_t mask = n < 8 ? (UINT64_C(1) << 8 * n) - 1 : UINT64_MAX;

    switch ((enum wspi_role)role) {
    case WSPI_R_MAC_SRC:
    case WSPI_R_MAC_DST:
    case WSPI_R_IP_SRC:
    case WSPI_R_IP_DST:
    case WSPI_R_IP_SRC_LOW:
    case WSPI_R_IP_DST_LOW: return wspi_host_address(c, role, 8 * n, -1) & mask;
    case WSPI_R_PORT_SRC:
        if (c->dir == 0)
            return c->fill->client_port;
        break;
    case WSPI_R_PORT_DST:
        if (c->dir != 0)
            return c->fill->client_port;
        break;
    case WSPI_R_SPELT: return mask; /* no list is that long */
    default: break;
    }
    return wspi_rng_u64(&c->rng) & mask;
}

uint64_t wspi_residual_decode(wspi_coder *c, uint8_t role, unsigned n)
{
    uint64_t v = 0;

    if (stopped(c))
        return 0;
    if (c->fill)
        return filled(c, role, n);
    if ((size_t)(c->res_end - c->res) < n) {
        c->bad = true;
        return 0;
    }
    for (unsigned i = 0; i < n; i++)
        v |= (uint64_t)c->res[i] << 8 * i;
    c->res += n;
    return v;
}

void wspi_residual_bytes(wspi_coder *c, uint8_t *p, size_t n)
{
    if (stopped(c) || n == 0)
        return;
    if (c->enc) {
        wspi_residual_put(c, p, n);
    } else if (c->fill) {
        for (size_t i = 0; i < n; i++)
            p[i] = (uint8_t)(wspi_rng_u64(&c->rng) >> 32);
    } else if ((size_t)(c->res_end - c->res) < n) {
        c->bad = true;
    } else {
        memcpy(p, c->res, n);
        c->res += n;
    }
}

uint64_t wspi_remainder(wspi_coder *c, unsigned bits, uint64_t v)
{
    uint64_t mask = bits ? (UINT64_C(2) << (bits - 1)) - 1 : 0;

    return bits ? wspi_residual(c, WSPI_R_NONE, (bits + 7) / 8, v & mask) & mask : 0;
}

uint64_t wspi_residual_varint(wspi_coder *c, uint64_t v, uint64_t usual)
{
    unsigned n = v ? wspi_log2(v) / 8 + 1 : 0;

    if (c->fill)
        return usual;
    n = (unsigned)wspi_residual(c, WSPI_R_NONE, 1, n);
    if (n > 8) {
        c->bad = true;
        return 0;
    }
    return n ? wspi_residual(c, WSPI_R_NONE, n, v) : 0;
}

/* ---- prediction ---- */

/* Field f of the last packet of this direction, and of the other; the layer's own fields only. */
static uint64_t mine_of(const wspi_coder *c, uint8_t layer, size_t f)
{
    return wspi_past_value(&c->mine, &wspi_protos[layer]->fields[f]);
}

static uint64_t theirs_of(const wspi_coder *c, uint8_t layer, size_t f)
{
    return wspi_past_value(&c->theirs, &wspi_protos[layer]->fields[f]);
}

static uint64_t predict_flags(const wspi_coder *c)
{
    int pay = c->p->payload_len > 0;

    if (c->ctx->have_flags[c->dir][pay])
        return c->ctx->flags[c->dir][pay];
    if (!c->ctx->seen[0] && !c->ctx->seen[1])
        return WSPI_TH_SYN;
    if (!c->ctx->seen[c->dir] && !pay)
        return WSPI_TH_SYN | WSPI_TH_ACK;
    return pay ? WSPI_TH_PSH | WSPI_TH_ACK : WSPI_TH_ACK;
}

static bool predict_echo(const wspi_coder *c, size_t i, uint64_t *v)
{
    bool mine = c->mine.slot, theirs = c->theirs.slot;
    uint8_t id = c->p->layers[i].id;
    uint64_t type = c->p->layers[i].v[WSPI_ICMP_TYPE];
    bool reply = c->p->layers[i].id == WSPI_ICMP ? type == 0 : type == 129;

    if (reply && theirs) {
        *v = theirs_of(c, id, WSPI_ICMP_SEQ);
        return true;
    }
    if (mine)
        *v = (mine_of(c, id, WSPI_ICMP_SEQ) + 1) & 0xffff;
    return mine;
}

/*
 * The number that names the next layer: the last one of the direction while it stands for that layer (several may), and
 * where nothing is named.
 */
static uint64_t predict_next(const wspi_coder *c, size_t i, size_t f, const wspi_field *d)
{
    uint8_t id = c->p->layers[i].id, next = wspi_next_layer(c->p, i);
    enum wspi_space space = (enum wspi_space)wspi_protos[id]->space;
    uint64_t mine = c->mine.slot ? mine_of(c, id, f) : 0, v;

    if (next != WSPI_LLC && c->mine.slot &&
        (next == WSPI_PAYLOAD || wspi_next_by_number(space, mine) == next))
        return mine;
    if (wspi_next_value(c->p, i, &v))
        return v;
    return c->mine.slot ? mine : c->theirs.slot ? theirs_of(c, id, f) : d->arg;
}

/* The predicted value; false when nothing predicts it. */
static bool predict(const wspi_coder *c, size_t i, unsigned nth, size_t f, uint64_t *v)
{
    uint8_t id = c->p->layers[i].id;
    const wspi_field *d = &wspi_protos[id]->fields[f];
    bool mine = c->mine.slot, theirs = c->theirs.slot;

    switch ((enum wspi_pred)d->pred) {
    case WSPI_P_CONST: *v = d->arg; return true;
    case WSPI_P_PREV: *v = mine ? mine_of(c, id, f) : d->arg; return true;
    case WSPI_P_MIRROR:
        if (mine || theirs)
            *v = mine ? mine_of(c, id, f) : theirs_of(c, id, (size_t)d->arg);
        return mine || theirs;
    case WSPI_P_FLAGS: *v = predict_flags(c); return true;
    case WSPI_P_ECHO: return predict_echo(c, i, v);
    case WSPI_P_SELF:
    case WSPI_P_COUNT:
        if (mine)
            *v = mine_of(c, id, f) + (d->pred == WSPI_P_COUNT);
        if (mine && d->width < 64)
            *v &= (UINT64_C(1) << d->width) - 1;
        return mine;
    case WSPI_P_FRAG: *v = nth ? 0 : c->ctx->next_frag[c->dir]; return true;
    case WSPI_P_NEXT: *v = predict_next(c, i, f, d); return true;
    }
    return false;
}

/* ---- which fields need a look at all ---- */

wspi_masks wspi_field_masks[WSPI_LAYER_COUNT];

static bool plain_kind(const wspi_field *d)
{
    return d->kind == WSPI_K_ENUM || d->kind == WSPI_K_MAG || d->kind == WSPI_K_FREE ||
           d->kind == WSPI_K_ADDR || d->kind == WSPI_K_PORT;
}

void wspi_make_masks(void)
{
    for (size_t l = 0; l < WSPI_LAYER_COUNT; l++) {
        wspi_masks m = {0};
        for (size_t f = 0; f < wspi_protos[l]->n_fields; f++) {
            const wspi_field *d = &wspi_protos[l]->fields[f];
            uint16_t bit = (uint16_t)(1u << f);
            if (d->kind == WSPI_K_AUTO)
                m.autos |= bit;
            else if (!plain_kind(d))
                m.special |= bit;
            else if (d->pred == WSPI_P_PREV || d->pred == WSPI_P_MIRROR || d->pred == WSPI_P_SELF)
                m.sticky |= bit;
            else if (d->pred == WSPI_P_CONST)
                m.constant |= bit;
            else if (d->pred == WSPI_P_NEXT)
                m.next |= bit;
            else
                m.special |= bit;
        }
        for (size_t f = 0; f < wspi_protos[l]->n_fields; f++) {
            const wspi_field *d = &wspi_protos[l]->fields[f];
            if ((m.sticky | m.constant | m.next) >> f & 1)
                wspi_bits_put(m.quiet, d->bit, d->width, UINT64_MAX);
            if (m.constant >> f & 1 || (m.sticky >> f & 1 && d->pred == WSPI_P_PREV)) {
                m.usual |= (uint16_t)(1u << f);
                wspi_bits_put(m.first, d->bit, d->width, d->arg);
                wspi_bits_put(m.first_bits, d->bit, d->width, UINT64_MAX);
            }
        }
        wspi_field_masks[l] = m;
    }
}

/* Do two headers of n bytes have the same bits where `mask` has ones? Behind `a` no byte may be read. */
static bool same_bits(const uint8_t *a, const uint8_t *b, const uint8_t *mask, size_t n)
{
    uint64_t x, y, m, differ = 0;
    size_t i = 0;

    for (; i + 8 <= n; i += 8) {
        memcpy(&x, a + i, 8);
        memcpy(&y, b + i, 8);
        memcpy(&m, mask + i, 8);
        differ |= (x ^ y) & m;
    }
    for (; i < n; i++)
        differ |= (uint64_t)((a[i] ^ b[i]) & mask[i]);
    return differ == 0;
}

/*
 * A field that equals the direction's last one says nothing, if that one predicts it; nor does a constant that is and
 * was one, a computed field that is and was, a number that goes on naming the next layer.
 */
uint32_t wspi_fields_to_tell(const wspi_coder *c, size_t i)
{
    const wspi_layer *l = &c->p->layers[i];
    const wspi_masks *m = &wspi_field_masks[l->id];
    const wspi_proto *proto = wspi_protos[l->id];
    const wspi_slot *mine = c->mine.slot;
    bool length = i + 1 < c->p->n_layers && l[1].id == WSPI_LLC; /* of IEEE 802.3, not a type */
    uint32_t differs = 0, tell;

    if (!mine) {
        tell = ((1u << proto->n_fields) - 1) & ~(uint32_t)(m->autos & l->autos);
        return same_bits(c->p->data + l->off, m->first, m->first_bits, proto->len)
                   ? tell & ~(uint32_t)m->usual
                   : tell;
    }
    tell = (m->autos & ~(uint32_t)(l->autos & mine->autos)) | m->special | (length ? m->next : 0u);
    if (!same_bits(c->p->data + l->off, c->mine.header, m->quiet, proto->len))
        for (size_t f = 0; f < proto->n_fields; f++)
            differs |= (uint32_t)(l->v[f] != wspi_past_value(&c->mine, &proto->fields[f])) << f;
    return tell | ((differs | mine->odd) & m->constant) | (differs & (m->sticky | m->next));
}

/* ---- kinds ---- */

/*
 * A computed field as in the direction's last packet. Samples are computed whatever was recorded before them (a capture has what the
 * sender's network card has not filled in yet), but for UDP's checksum, which may be left out.
 */
static unsigned usual_auto(const wspi_coder *c, const wspi_layer *l, size_t f)
{
    const wspi_slot *mine = c->mine.slot;

    if (!mine || mine->autos >> f & 1)
        return WSPI_AUTO_YES;
    if (c->fill && !(l->id == WSPI_UDP && f == WSPI_UDP_CKSUM && mine->zeros >> f & 1))
        return WSPI_AUTO_YES;
    return mine->zeros >> f & 1 ? WSPI_AUTO_ZERO : WSPI_AUTO_VALUE;
}

/* Whether it is computed, then its value if not. A checksum of zero ("none") is a state of its own. */
static void code_auto(wspi_coder *c, size_t i, size_t f)
{
    wspi_layer *l = &c->p->layers[i];
    const wspi_field *d = &wspi_protos[l->id]->fields[f];
    unsigned want = usual_auto(c, l, f);
    unsigned is = l->autos >> f & 1 ? WSPI_AUTO_YES
                  : l->v[f] == 0    ? WSPI_AUTO_ZERO
                                    : WSPI_AUTO_VALUE;

    if (!wspi_may(c, wspi_field_base(l->id, f), 3, c->enc && is != want, false, &is))
        is = want;
    if (is == WSPI_AUTO_VALUE)
        l->v[f] = wspi_residual(c, d->role, (d->width + 7u) / 8, l->v[f]);
    if (c->enc)
        return;
    if (is == WSPI_AUTO_YES)
        l->autos |= (uint16_t)(1u << f);
    else if (is == WSPI_AUTO_ZERO)
        l->v[f] = 0;
}

/* Samples: may the field have this value, after what the flow has had? */
static bool enum_fits(const wspi_coder *c, size_t i, size_t f, uint64_t v)
{
    uint8_t layer = c->p->layers[i].id;

    if ((layer == WSPI_ICMP || layer == WSPI_ICMPV6) && f == WSPI_ICMP_TYPE)
        return wspi_icmp_fits(c, i, v);
    if (layer == WSPI_IGMP)
        return wspi_valid_igmp(c, v);
    return layer != WSPI_TCP || wspi_valid_flags(c, i, (uint8_t)v);
}

static void code_enum(wspi_coder *c, size_t i, size_t f, uint64_t want, uint64_t *v)
{
    uint8_t layer = c->p->layers[i].id;
    const wspi_field *d = &wspi_protos[layer]->fields[f];
    unsigned base = wspi_field_base(layer, f), n = wspi_field_count(layer, f) - 1, k = 0;
    bool judged = wspi_asked(c), unfit = judged && !enum_fits(c, i, f, want);

    if (c->enc)
        while (k < n && d->values[k].value != *v)
            k++;
    if (!wspi_may_unless(c, unfit, base, n + 1, *v != want, false, &k))
        *v = want;
    else if (k == n)
        *v = wspi_residual(c, d->role, (d->width + 7u) / 8, *v);
    else
        *v = d->values[k].value;
    for (k = 0; judged && k < n; k++)
        if (!enum_fits(c, i, f, d->values[k].value))
            c->legal[base + k] = 0;
}

/* Samples: of a bin of TTLs the one that systems send with, if there is one (captures near the sender have little else). */
static uint64_t sampled_ttl(uint64_t first, uint64_t size, uint64_t drawn)
{
    static const uint8_t sent[] = {1, 32, 64, 128, 255};

    for (size_t i = 0; i < WSPI_COUNT(sent); i++)
        if (sent[i] >= first && sent[i] - first < size)
            return sent[i];
    return drawn;
}

static void code_mag(wspi_coder *c, uint8_t layer, size_t f, bool unfit, uint64_t want, uint64_t *v)
{
    unsigned m = wspi_protos[layer]->fields[f].mantissa;
    unsigned bin = wspi_bin(*v, m);

    if (!wspi_may_unless(c, unfit, wspi_field_base(layer, f), wspi_field_count(layer, f),
                         *v != want, false, &bin))
        *v = want;
    else
        *v = wspi_bin_start(bin, m) +
             wspi_remainder(c, wspi_bin_bits(bin, m), *v - (c->enc ? wspi_bin_start(bin, m) : 0));
    if (c->fill && wspi_protos[layer]->fields[f].role == WSPI_R_TTL && *v != want)
        *v = sampled_ttl(wspi_bin_start(bin, m), UINT64_C(1) << wspi_bin_bits(bin, m), *v);
}

/* What fits into a packet of the link behind the headers up to TCP's, without options (RFC 9293 3.7.1). */
static uint64_t segment_of_link(const wsp_packet *p, size_t i)
{
    uint32_t link = p->layers[0].id == WSPI_ETH ? wspi_protos[WSPI_ETH]->len : 0;

    while (i > 0 && p->layers[i].id != WSPI_TCP)
        i--;
    return WSPI_MTU + link - (p->layers[i].off + wspi_protos[p->layers[i].id]->len);
}

/* Samples: a host takes no segments that its link does not carry; bins of larger ones are those of other links. */
static void code_mss(wspi_coder *c, size_t i, size_t f, uint64_t want, uint64_t *v)
{
    enum { TUNNEL = 8 }; /* what is less behind PPPoE */
    unsigned m = wspi_protos[WSPI_TCP_MSS]->fields[f].mantissa;
    uint64_t most = c->fill ? segment_of_link(c->p, i) : UINT16_MAX;
    unsigned bin = wspi_bin(most, m);

    code_mag(c, WSPI_TCP_MSS, f, want > most && wspi_bin(want, m) == bin, want, v);
    if (*v > most && *v != want && wspi_bin(*v, m) == bin)
        *v = most == want ? most - TUNNEL : most;
}

/* Samples: a host sends with the same number of hops, and allows fragments or not (RFC 1122 3.2.1.7, RFC 6864 4.1), all the time. */
static void keep_to_host(const wspi_coder *c, uint8_t layer, size_t f)
{
    unsigned base = wspi_field_base(layer, f);
    bool stays = wspi_protos[layer]->fields[f].role == WSPI_R_TTL ||
                 (layer == WSPI_IPV4 && f == WSPI_IPV4_FLAGS);

    if (stays && c->mine.slot)
        memset(c->legal + base, 0, wspi_field_count(layer, f));
}

/* Samples: the codes of errors are those of their type, and a flow's stays. */
static void code_icmp(wspi_coder *c, size_t i, uint64_t want, uint64_t *v)
{
    uint8_t id = c->p->layers[i].id;
    unsigned base = wspi_field_base(id, WSPI_ICMP_CODE), n = wspi_field_count(id, WSPI_ICMP_CODE),
             is = wspi_bin(want, wspi_protos[id]->fields[WSPI_ICMP_CODE].mantissa);
    bool judged = wspi_asked(c), unfit = judged && !wspi_icmp_code_fits(c, i, is);

    code_mag(c, id, WSPI_ICMP_CODE, unfit, want, v);
    for (unsigned k = 0; judged && k < n; k++)
        if (!wspi_icmp_code_fits(c, i, k) || ((k == is || c->mine.slot) && !unfit))
            c->legal[base + k] = 0;
}

/* Samples: bins of which no value is large enough. */
static void forbid_below(wspi_coder *c, unsigned base, unsigned m, uint64_t least)
{
    for (unsigned k = 0; k < wspi_bin(least, m); k++)
        c->legal[base + k] = 0;
}

/*
 * Samples: a window is closed by a reset only, an acknowledgement that says nothing else changes it, and none ends before the
 * last one did.
 */
static void code_window(wspi_coder *c, size_t i, uint64_t want, uint64_t *v)
{
    bool open = wspi_asked(c) && !(c->p->layers[i].v[WSPI_TCP_FLAGS] & WSPI_TH_RST),
         update = c->fill && wspi_tells_window(c, i);
    unsigned base = wspi_field_base(WSPI_TCP, WSPI_TCP_WINDOW);
    unsigned m = wspi_protos[WSPI_TCP]->fields[WSPI_TCP_WINDOW].mantissa, bin = wspi_bin(want, m);
    uint64_t least = c->fill ? WSPI_MIN(wspi_valid_window(c, i), (uint64_t)UINT16_MAX) : 0;

    code_mag(c, WSPI_TCP, WSPI_TCP_WINDOW, (open && (want == 0 || want < least)) || update, want,
             v);
    if (open)
        forbid_below(c, base, m, WSPI_MAX(least, (uint64_t)1));
    if (open && update && wspi_bin_bits(bin, m) == 0)
        c->legal[base + bin] = 0;
    *v = WSPI_MAX(*v, least);
    if (update && *v == want && wspi_bin_bits(bin, m))
        *v += *v < UINT16_MAX ? 1 : (uint64_t)-1;
}

/*
 * Samples: another port where a protocol without a grammar is at home, since readers that go by ports would find its payload
 * malformed. What is said stays what was meant, as of a server that listens elsewhere. A protocol that is asked for, and is known
 * by its port alone, has that in the place of one that says nothing. Few protocols have a port for clients.
 */
static unsigned sampled_port(const wspi_coder *c, uint8_t layer, bool source, unsigned t)
{
    uint16_t port = t >= WSPI_PORT_CLASSES ? wspi_port_at(t - WSPI_PORT_CLASSES) : 0;
    bool spoken = source ? wspi_app_asks_from(port, layer)
                         : wspi_app_serves(port, layer) ||
                               (c->fill->serves && c->fill->serves(port, layer == WSPI_TCP));

    if (c->fill->service_ports || spoken)
        return t;
    port = source ? 0 : wspi_app_home(c->fill->app, layer);
    return port ? wspi_port_token(port) : WSPI_PORT_DYNAMIC;
}

/* Samples: the ports that a client may have, and ask; of other protocols than was asked for none. */
static void forbid_ports(wspi_coder *c, uint8_t layer, bool source, unsigned base, unsigned n)
{
    enum { DHCP_CLIENT = 68 };
    bool nobody = wspi_host_is_nobody(c), to_group = layer == WSPI_UDP && wspi_cast_of(c->p);
    uint16_t from = 0;

    for (size_t i = 0; i < c->p->n_layers && !source; i++)
        if (c->p->layers[i].id == layer)
            from = (uint16_t)c->p->layers[i].v[0];
    for (unsigned t = 0; t < n; t++) {
        uint16_t port = t >= WSPI_PORT_CLASSES ? wspi_port_at(t - WSPI_PORT_CLASSES) : 0;
        if ((source ? (port && !wspi_app_asks_from(port, layer)) || (nobody && port != DHCP_CLIENT)
                    : !wspi_app_asks(from, port, layer)) ||
            (port && !wspi_app_fits(c->fill->app, port, layer, source)) ||
            (to_group && wspi_cast_lacks(port)))
            c->legal[base + t] = 0;
    }
}

/* Samples: numbers that a sender is free to change: the flow label (RFC 6437), the sequence of pings (RFC 792, RFC 4443). */
static bool may_change(const wspi_coder *c, uint8_t layer, size_t f)
{
    enum { PING = 8, PING6 = 128 };
    const wspi_layer *l = &c->p->layers[c->p->n_layers - 1];

    if (layer == WSPI_IPV6)
        return f == WSPI_IPV6_LABEL;
    return (layer == WSPI_ICMP || layer == WSPI_ICMPV6) && f == WSPI_ICMP_SEQ && l->id == layer &&
           l->v[WSPI_ICMP_TYPE] == (layer == WSPI_ICMP ? PING : PING6);
}

/* FREE, ADDR, PORT: equal to the prediction, or a token (a class) and the value in the residuals. */
static void code_opaque(wspi_coder *c, uint8_t layer, size_t f, bool known, uint64_t want,
                        uint64_t *v)
{
    const wspi_field *d = &wspi_protos[layer]->fields[f];
    unsigned base = wspi_field_base(layer, f), n = wspi_field_count(layer, f);
    unsigned t = d->kind == WSPI_K_PORT   ? wspi_port_token((uint16_t)*v)
                 : d->kind == WSPI_K_ADDR ? wspi_addr_class(d->role, d->width, *v)
                                          : 0;

    if (known) {
        if (!wspi_may(c, base, n, *v != want, !may_change(c, layer, f), &t)) {
            *v = want;
            return;
        }
    } else if (d->kind != WSPI_K_FREE) {
        bool asked = c->fill && wspi_asked(c);
        t = wspi_must(c, base, n, t);
        if (asked && d->kind == WSPI_K_PORT && !c->fill->service_ports)
            forbid_ports(c, layer, d->role == WSPI_R_PORT_SRC, base, n);
        if (asked && d->kind == WSPI_K_ADDR && layer != WSPI_ARP)
            wspi_host_classes(c, d->role, d->width, base);
        if (d->kind == WSPI_K_PORT && c->fill)
            t = sampled_port(c, layer, d->role == WSPI_R_PORT_SRC, t);
    }
    if (d->kind == WSPI_K_PORT && t >= WSPI_PORT_CLASSES)
        *v = wspi_port_at(t - WSPI_PORT_CLASSES);
    else if (d->kind == WSPI_K_ADDR && c->fill && !stopped(c))
        *v = wspi_host_address(c, d->role, d->width, (int)t);
    else
        *v = wspi_residual(c, d->role, (d->width + 7u) / 8, *v);
    if (c->fill && d->kind == WSPI_K_PORT && t == WSPI_PORT_DYNAMIC &&
        d->role == (c->dir ? WSPI_R_PORT_SRC : WSPI_R_PORT_DST))
        /* of the server: dynamic (RFC 6335), from 60416 on, below which tshark knows protocols by their ports */
        *v = 0xec00 + *v % 0x1400;
}

/* Samples: less than all may be acknowledged. */
static void forbid_acks(wspi_coder *c, size_t i, unsigned base)
{
    for (unsigned e = 0; e < WSPI_SEQ_BINS; e++)
        if (!wspi_valid_unacked(c, e))
            c->legal[base + e] = 0;
    if (!wspi_valid_same_ack(c, i))
        c->legal[base + WSPI_ACK_SAME] = 0;
}

/*
 * A 32-bit number near a known one: log bins of the distance, back then ahead, or that of `same`, which has a token. Samples:
 * `less` says that the distance may be one that is left to be acknowledged.
 */
static void code_near(wspi_coder *c, uint8_t layer, size_t f, uint32_t want, bool has_same,
                      uint32_t same, bool less, uint64_t *v)
{
    unsigned base = wspi_field_base(layer, f), n = wspi_field_count(layer, f);
    int64_t delta = (int32_t)((uint32_t)*v - want);
    uint64_t size = (uint64_t)(delta < 0 ? -delta : delta);
    unsigned e = size ? wspi_log2(size) : 0;
    unsigned t = has_same && same == *v ? WSPI_ACK_SAME : delta < 0 ? e : WSPI_SEQ_BINS + e;

    if (!wspi_may(c, base, n, c->enc && delta != 0, !less, &t)) {
        *v = want;
        return;
    }
    if (t == WSPI_ACK_SAME) {
        *v = same;
        return;
    }
    e = t % WSPI_SEQ_BINS;
    size = (UINT64_C(1) << e) + wspi_remainder(c, e, size - (c->enc ? UINT64_C(1) << e : 0));
    if (less && t < WSPI_SEQ_BINS && wspi_valid_unacked(c, e))
        size = wspi_valid_unacked(c, e);
    *v = t < WSPI_SEQ_BINS ? want - (uint32_t)size : want + (uint32_t)size;
}

static void code_seq(wspi_coder *c, size_t f, uint64_t *v)
{
    if (c->ctx->have_seq[c->dir])
        code_near(c, WSPI_TCP, f, c->ctx->next_seq[c->dir], false, 0, false, v);
    else if (c->theirs.slot && theirs_of(c, WSPI_TCP, WSPI_TCP_FLAGS) & WSPI_TH_ACK)
        code_near(c, WSPI_TCP, f, (uint32_t)theirs_of(c, WSPI_TCP, WSPI_TCP_ACK), false, 0, false,
                  v);
    else
        *v = wspi_residual(c, WSPI_R_NUMBER, 4, *v);
}

/* Without the flag zero is expected; another value is the last one again, or arbitrary: the token of the longest distance. */
static void code_no_ack(wspi_coder *c, size_t f, bool mine, uint64_t same, uint64_t *v)
{
    unsigned t = mine && same == *v ? (unsigned)WSPI_ACK_SAME : 2 * WSPI_SEQ_BINS - 1;

    if (!wspi_may(c, wspi_field_base(WSPI_TCP, f), wspi_field_count(WSPI_TCP, f), c->enc && *v != 0,
                  true, &t))
        *v = 0;
    else if (t == WSPI_ACK_SAME)
        *v = same;
    else
        *v = wspi_residual(c, WSPI_R_NUMBER, 4, *v);
}

/* A last packet without the flag says nothing of where the peer is. */
static void code_ack(wspi_coder *c, size_t i, size_t f, uint64_t *v)
{
    bool has_ack = c->p->layers[i].v[WSPI_TCP_FLAGS] & WSPI_TH_ACK, mine = c->mine.slot;
    bool had = mine && mine_of(c, WSPI_TCP, WSPI_TCP_FLAGS) & WSPI_TH_ACK;
    bool asked = wspi_asked(c) && !c->need;
    uint32_t same = mine ? (uint32_t)mine_of(c, WSPI_TCP, f) : 0;

    if (!has_ack)
        code_no_ack(c, f, mine, same, v);
    else if (c->ctx->have_seq[!c->dir])
        code_near(c, WSPI_TCP, f, c->ctx->next_seq[!c->dir], had, same, c->fill, v);
    else if (had)
        code_near(c, WSPI_TCP, f, same, false, 0, false, v);
    else
        *v = wspi_residual(c, WSPI_R_NUMBER, 4, *v);
    if (asked)
        forbid_acks(c, i, wspi_field_base(WSPI_TCP, f));
}

static bool ipid_fits(unsigned mode, uint16_t delta)
{
    return mode == WSPI_IPID_SAME   ? delta == 0
           : mode == WSPI_IPID_NEAR ? delta < 256
                                    : delta != 0 && delta > 16;
}

/* The mode of the last packet stands while it can say the value; "free" gives way to a small step at once. */
static void code_ipid(wspi_coder *c, size_t f, uint64_t *v)
{
    uint64_t mine = c->mine.slot ? mine_of(c, WSPI_IPV4, f) : 0;
    unsigned want = c->ctx->ipid_mode[c->dir], is;
    uint16_t delta;

    if (!c->mine.slot) {
        *v = wspi_residual(c, WSPI_R_NUMBER, 2, *v);
        return;
    }
    delta = (uint16_t)(*v - mine);
    is = ipid_fits(want, delta)             ? want
         : ipid_fits(WSPI_IPID_SAME, delta) ? WSPI_IPID_SAME
         : ipid_fits(WSPI_IPID_NEAR, delta) ? WSPI_IPID_NEAR
                                            : WSPI_IPID_FREE;
    if (!wspi_may(c, wspi_field_base(WSPI_IPV4, f), 3, c->enc && is != want, false, &is))
        is = want;
    if (is == WSPI_IPID_FREE)
        *v = wspi_residual(c, WSPI_R_NUMBER, 2, *v);
    else if (is == WSPI_IPID_NEAR)
        *v = (uint16_t)(mine + (c->fill ? 1 : wspi_residual(c, WSPI_R_NUMBER, 1, delta)));
    else
        *v = mine;
}

/* Samples: clocks of hosts count milliseconds. */
static uint64_t elapsed_ms(const wspi_coder *c)
{
    return (c->p->time_ns - c->ctx->sent_ns[c->dir]) / 1000000;
}

static void code_tsval(wspi_coder *c, size_t f, uint64_t *v)
{
    uint64_t mine = c->mine.slot ? mine_of(c, WSPI_TCP_TS, f) : 0;
    uint32_t delta;
    unsigned t = 0;

    if (!c->mine.slot) {
        *v = wspi_residual(c, WSPI_R_NUMBER, 4, *v);
        return;
    }
    delta = (uint32_t)(*v - mine);
    if (wspi_may(c, wspi_field_base(WSPI_TCP_TS, f), 1, c->enc && delta >> 31, true, &t))
        *v = wspi_residual(c, WSPI_R_NUMBER, 4, *v);
    else
        *v = (uint32_t)(mine + wspi_residual_varint(c, delta, elapsed_ms(c)));
}

/* Samples echo the peer's last stamp, or as before, or the first one of several that are acknowledged together. */
static void code_tsecr(wspi_coder *c, size_t f, uint64_t *v)
{
    unsigned base = wspi_field_base(WSPI_TCP_TS, f), t;
    bool known = c->mine.slot, asked = wspi_asked(c) && !c->need;
    uint64_t mine = known ? mine_of(c, WSPI_TCP_TS, f) : 0;
    uint64_t want = c->theirs.slot ? theirs_of(c, WSPI_TCP_TS, 0) : 0; /* row 0 is TSval */
    uint32_t stamp;
    bool still = c->fill && known && mine != want && wspi_valid_same_echo(c);
    bool first =
        c->fill && wspi_valid_first_echo(c, &stamp) && stamp != want && !(known && stamp == mine);

    t = !(known && mine == *v);
    if (!wspi_may(c, base, 2, *v != want, !still && !first, &t))
        *v = want;
    else if (t == 0 && known)
        *v = mine;
    else
        *v = first ? stamp : wspi_residual(c, WSPI_R_NUMBER, 4, *v);
    if (asked) {
        c->legal[base] &= still;
        c->legal[base + 1] &= first;
    }
}

void wspi_code_field(wspi_coder *c, size_t i, unsigned nth, size_t f)
{
    wspi_layer *l = &c->p->layers[i];
    const wspi_field *d = &wspi_protos[l->id]->fields[f];
    uint64_t *v = &l->v[f];
    uint64_t want = 0;
    bool known;

    if (stopped(c))
        return;
    known = predict(c, i, nth, f, &want);
    switch ((enum wspi_kind)d->kind) {
    case WSPI_K_AUTO: code_auto(c, i, f); break;
    case WSPI_K_ENUM: code_enum(c, i, f, want, v); break;
    case WSPI_K_MAG:
        if (l->id == WSPI_TCP && f == WSPI_TCP_WINDOW)
            code_window(c, i, want, v);
        else if ((l->id == WSPI_ICMP || l->id == WSPI_ICMPV6) && f == WSPI_ICMP_CODE)
            code_icmp(c, i, want, v);
        else if (l->id == WSPI_TCP_MSS)
            code_mss(c, i, f, want, v);
        else
            code_mag(c, l->id, f, false, want, v);
        if (wspi_asked(c))
            keep_to_host(c, l->id, f);
        break;
    case WSPI_K_FREE:
    case WSPI_K_ADDR:
    case WSPI_K_PORT: code_opaque(c, l->id, f, known, want, v); break;
    case WSPI_K_SEQ: code_seq(c, f, v); break;
    case WSPI_K_ACK: code_ack(c, i, f, v); break;
    case WSPI_K_IPID: code_ipid(c, f, v); break;
    case WSPI_K_TSVAL: code_tsval(c, f, v); break;
    case WSPI_K_TSECR: code_tsecr(c, f, v); break;
    }
    if (!c->enc && d->width < 64)
        *v &= (UINT64_C(1) << d->width) - 1;
}
