/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ike.c: the key exchange of IPsec over UDP, RFC 2408 and 2409 (IKEv1) and RFC 7296 (IKEv2):
 * | initiator 64 | responder 64 | payload 8 | version 8 | exchange 8 | flags 8 | message 32 | length 32 | payloads |
 * payload: | next 8 | 0 8 | length 16 | contents |. RFC 3948: behind 4 bytes of zeros, where there is ESP as well:
 * | SPI 32 | number 32 | opaque |, and keepalives of one byte. Keys, nonces and what is encrypted are opaque.
 */
#include "token/app/ike_lists.h"
#include "token/app/ike_sa.h"

enum { HEADER = 28, MARKER = 4, MAX_PAYLOADS = 60, NAT_T = 4500, LEAST_SEALED = 64 };
enum { SAMPLED_V2 = 7, SAMPLED_VENDORS = 5, SAMPLED_NAT_D = 4 };
#define DOMAIN_IPSEC 1

static const wspi_field fields[] = {
    [FORM] = {WSPI_ENUM("ike.form", 8, form)},
    [EXCHANGE] = {WSPI_ENUM("ike.exchange", 16, exchange)},
    [INITIATOR] = {WSPI_FREE("ike.initiator", 64, WSPI_P_MIRROR, WSPI_R_NUMBER)},
    [RESPONDER] = {WSPI_FREE("ike.responder", 64, WSPI_P_MIRROR, WSPI_R_NUMBER)},
    [FLAGS] = {WSPI_ENUM("ike.flags", 8, flags)},
    [STEP] = {WSPI_ENUM("ike.step", 8, step)},
    [MESSAGE] = {WSPI_FREE("ike.message", 32, WSPI_P_MIRROR, WSPI_R_NUMBER)},
    [LENGTH] = {WSPI_MAG("ike.length", 32, WSPI_R_NONE, 0)},
    [PAYLOAD] = {WSPI_ENUM("ike.payload", 8, payload)},
    [SIZE] = {WSPI_MAG("ike.size", 16, WSPI_R_NONE, 2)},
    [BROKEN] = {WSPI_ENUM("ike.broken", 8, payload)},
    [PROPOSAL] = {WSPI_ENUM("ike.proposal", 16, wspi_ike_proposal)},
    [TRANSFORM] = {WSPI_ENUM("ike.transform", 56, wspi_ike_transform)},
    [NOTIFY] = {WSPI_ENUM("ike.notify", 17, notify)},
    [ABOUT] = {WSPI_FREE("ike.about", 16, WSPI_P_PREV, WSPI_R_NONE)},
    [VENDOR] = {WSPI_ENUM("ike.vendor", 8, vendor)},
    [GROUP] = {WSPI_ENUM("ike.group", 16, group)},
    [IDENTITY] = {WSPI_ENUM("ike.identity", 8, identity)},
    [NAME] = {WSPI_MAG("ike.name", 16, WSPI_R_NAME, 1)},
    [ESP] = {WSPI_FREE("ike.esp", 64, WSPI_P_COUNT, WSPI_R_NUMBER)},
};

/* The message that is walked: what follows its header is known from these. */
typedef struct message {
    size_t start;
    uint64_t exchange, flags, next, initiator, responder, id;
} message;

/* ---- what it looks like ---- */

/* Of IKEv2 by its version. */
static bool is_v2(uint64_t of_exchange)
{
    return of_exchange >> 12 == 2;
}

/* A header: a version with an exchange of its own, and a length that is not less than what there is. */
static bool looks_message(const uint8_t *b, size_t n)
{
    size_t at = n >= MARKER && wspi_load_be(b, MARKER) == 0 ? MARKER : 0;

    return n >= at + HEADER && (b[at + 17] == 0x10 || b[at + 17] == 0x20) &&
           wspi_load_be(b + at + 24, 4) >= n - at && wspi_load_be(b + at + 24, 4) <= UINT16_MAX &&
           wspi_app_is_listed(exchange, wspi_load_be(b + at + 17, 2)) &&
           wspi_load_be(b + at, 8) != 0;
}

/* How the last message of a direction was carried; ESP and keepalives come only where one was marked. */
static bool is_marked(const wspi_coder *c, int dir)
{
    return c->ctx->app.id[dir] == WSPI_APP_IKE && c->ctx->app.mode[dir] > PLAIN + 1;
}

static bool takes(const wspi_coder *c)
{
    const uint8_t *b = c->pay.in;
    size_t n = c->pay.end;

    if (looks_message(b, n))
        return true;
    if (!is_marked(c, 0) && !is_marked(c, 1))
        return false;
    return n >= 8 ? wspi_load_be(b, MARKER) != 0 : n == 1 && *b == 0xff && c->pay.wire == 1;
}

/* ---- what was said before ---- */

/* A field of the last message of a direction, 0 if there was none. */
static uint64_t said(const wspi_coder *c, int dir, unsigned f)
{
    return c->ctx->app.id[dir] == c->pay.app ? c->ctx->app.v[dir][f] : 0;
}

/* Who said something last. */
static int speaker(const wspi_coder *c)
{
    int d = c->ctx->spoke ? 1 : 0;

    return said(c, d, EXCHANGE) ? d : !d;
}

static uint64_t either(const wspi_coder *c, unsigned f)
{
    uint64_t v = said(c, speaker(c), f);

    return v ? v : said(c, !speaker(c), f);
}

/* Is it this direction's turn to answer a request of the same exchange? */
static bool is_asked(const wspi_coder *c, uint64_t of_exchange)
{
    return speaker(c) != c->dir && said(c, !c->dir, EXCHANGE) == of_exchange &&
           !(said(c, !c->dir, FLAGS) & RESPONSE) && c->ctx->app.mode[!c->dir] != ESP_IN_UDP + 1;
}

/* ---- the header ---- */

/* Samples: the port says how, and ESP comes when both sides have spoken. What is recorded is told the same way on every port. */
static uint64_t carried(wspi_coder *c, uint64_t is)
{
    const wspi_layer *l = &c->p->layers[c->p->n_layers - 1];
    bool nat_t = c->fill && l->id == WSPI_UDP && (l->v[0] == NAT_T || l->v[1] == NAT_T);
    uint8_t *mode = c->app.mode, was = mode[c->dir];

    if (!was && c->ctx->app.id[!c->dir] == c->pay.app)
        was = mode[!c->dir];
    if (!was)
        was = nat_t ? MARKED + 1 : PLAIN + 1;
    if (nat_t && is_marked(c, 0) && is_marked(c, 1))
        wspi_app_only(c, MARKED, KEEPALIVE - MARKED + 1);
    else
        wspi_app_only(c, 0, 0);
    is = wspi_app_code(c, FORM, true, was - 1u, is);
    if (is < KEEPALIVE)
        mode[c->dir] = (uint8_t)(is + 1);
    return is;
}

/* Samples: servers answer, clients go on to what comes next. */
static void only_exchanged(wspi_coder *c)
{
    unsigned heard = wspi_row_of(exchange, said(c, !c->dir, EXCHANGE)),
             mine = wspi_row_of(exchange, said(c, c->dir, EXCHANGE));

    if (c->dir && said(c, 0, EXCHANGE))
        wspi_app_only(c, heard, 1);
    else if (mine > AT_LATER + 1)
        wspi_app_only(c, 0, AT_MAIN + 1);
    else if (heard != mine)
        wspi_app_only(c, mine, 1);
    else if (mine == AT_SA_INIT)
        wspi_app_only(c, AT_AUTH, 1);
    else if (mine == AT_MAIN)
        wspi_app_only(c, AT_MAIN, 2);
    else if (mine < AT_AUTH)
        wspi_app_only(c, AT_QUICK, 1);
    else
        wspi_app_only(c, AT_LATER, 2);
}

/* The SPIs: as in the flow's last message. The responder's is zero at first, and unknown in the answer. */
static void spis(wspi_coder *c, message *m)
{
    uint64_t i = either(c, INITIATOR), r = either(c, RESPONDER);
    bool known = true;

    m->initiator = wspi_app_code(c, INITIATOR, i != 0, i, m->initiator);
    if (m->initiator != i)
        r = 0;
    else if (!r)
        known = said(c, c->dir, INITIATOR) == i;
    m->responder = wspi_app_code(c, RESPONDER, known, r, m->responder);
}

static uint64_t flags_wanted(const wspi_coder *c, const message *m)
{
    int last = speaker(c);
    uint64_t mine = said(c, c->dir, FLAGS), other = said(c, !c->dir, FLAGS), role = INITIATOR_FLAG;

    if (!is_v2(m->exchange)) {
        if (m->exchange == QUICK || m->exchange == TRANSACTION || m->exchange == NEW_GROUP)
            return ENCRYPTED;
        return m->exchange == INFORMATIONAL || m->exchange == said(c, last, EXCHANGE)
                   ? said(c, last, FLAGS) & ENCRYPTED
                   : 0;
    }
    if (is_v2(said(c, c->dir, EXCHANGE)))
        role = mine & INITIATOR_FLAG;
    else if (is_v2(said(c, !c->dir, EXCHANGE)))
        role = ~other & INITIATOR_FLAG;
    if (last == c->dir && said(c, c->dir, EXCHANGE) == m->exchange)
        return mine;
    return is_asked(c, m->exchange) ? role | RESPONSE : role;
}

/* The number that a step leads to, and the step that is predicted. */
static uint64_t after(const wspi_coder *c, const message *m, uint64_t way)
{
    int of = !is_v2(m->exchange) ? speaker(c) : m->flags & RESPONSE ? !c->dir : c->dir;

    return way == ZERO ? 0 : (said(c, of, MESSAGE) + (way == NEXT)) & UINT32_MAX;
}

static uint64_t step_wanted(const wspi_coder *c, const message *m)
{
    if (!is_v2(m->exchange)) {
        if (m->exchange == MAIN || m->exchange == AGGRESSIVE || m->exchange == 0x1001)
            return ZERO;
        return said(c, speaker(c), EXCHANGE) == m->exchange ? SAME : NEW;
    }
    if (m->flags & RESPONSE)
        return SAME;
    if (m->exchange == SA_INIT || !said(c, c->dir, EXCHANGE))
        return ZERO;
    return said(c, c->dir, FLAGS) & RESPONSE ? ZERO : NEXT;
}

/* The step that leads to v: the wanted one if it does. */
static uint64_t step_to(const wspi_coder *c, const message *m, uint64_t want)
{
    if (want != NEW && after(c, m, want) == m->id)
        return want;
    for (uint64_t way = ZERO; way < NEW; way++)
        if (after(c, m, way) == m->id)
            return way;
    return NEW;
}

static void message_id(wspi_coder *c, message *m)
{
    uint64_t want = step_wanted(c, m), way;

    wspi_app_only(c, 0, 0);
    way = wspi_app_code(c, STEP, true, want, c->enc ? step_to(c, m, want) : 0);
    if (way >= NEW)
        m->id = wspi_app_code(c, MESSAGE, false, 0, m->id);
    else
        m->id = c->app.v[c->dir][MESSAGE] = after(c, m, way);
}

static void header(wspi_coder *c, message *m)
{
    uint64_t len, all = wspi_app_left(c);

    m->start = c->pay.at;
    m->initiator = wspi_app_get(c, 8);
    m->responder = wspi_app_get(c, 8);
    m->next = wspi_app_get(c, 1);
    m->exchange = wspi_app_get(c, 2);
    m->flags = wspi_app_get(c, 1);
    m->id = wspi_app_get(c, 4);
    len = wspi_app_get(c, 4);
    only_exchanged(c);
    m->exchange = wspi_app_code(c, EXCHANGE, false, 0, m->exchange);
    spis(c, m);
    wspi_app_only(c, 0, 0);
    m->flags = wspi_app_code(c, FLAGS, true, flags_wanted(c, m), m->flags);
    message_id(c, m);
    wspi_app_only(c, 0, 0);
    len = wspi_app_code(c, LENGTH, true, all, len);
    wspi_app_put(c, 8, m->initiator);
    wspi_app_put(c, 8, m->responder);
    wspi_app_put(c, 1, 0);
    wspi_app_put(c, 2, m->exchange);
    wspi_app_put(c, 1, m->flags);
    wspi_app_put(c, 4, m->id);
    wspi_app_put(c, 4, len);
}

/* ---- payloads ---- */

/* What nobody can read, to the end of the datagram. Samples: as long as is aimed at, in whole blocks. */
static void sealed(wspi_coder *c)
{
    size_t left = wspi_app_left(c);

    wspi_app_opaque(c, c->fill ? WSPI_MAX(left & ~(size_t)15, (size_t)LEAST_SEALED) : left);
}

/* Samples: a size that all of these payloads may have, 16 to 63 bytes. */
static void only_sizes(wspi_coder *c)
{
    unsigned from = wspi_bin(16, 2);

    wspi_app_only(c, from, wspi_bin(64, 2) - from);
}

static void key_exchange(wspi_coder *c, size_t n)
{
    uint64_t is;
    size_t want;

    wspi_app_only(c, 0, GROUPS_BY_SAMPLES);
    is = wspi_app_field(c, GROUP, 2, false, 0);
    wspi_ike_fixed(c, 2, 0);
    want = is < WSPI_COUNT(group_lens) ? group_lens[is] : 0;
    wspi_app_only(c, 0, 0);
    wspi_ike_sized(c, want > 0, want, n - 4);
}

static size_t usual_len(uint64_t type)
{
    size_t len = 0;

    for (size_t i = 0; i < WSPI_COUNT(notify_lens); i++)
        if (notify_lens[i].type == type)
            len = notify_lens[i].len;
    return len;
}

/* What it is about (protocol, length of the SPI) is as in the notification before it. */
static void notification(wspi_coder *c, bool v2, size_t n)
{
    uint64_t about, type;
    size_t head = v2 ? 4 : 8;

    if (!v2)
        wspi_ike_fixed(c, 4, DOMAIN_IPSEC);
    about = wspi_app_get(c, 2);
    type = wspi_app_get(c, 2) | (v2 ? 0 : 0x10000);
    wspi_app_only(c, 0, BY_SAMPLES);
    type = wspi_app_code(c, NOTIFY, false, 0, type);
    about = wspi_app_code(c, ABOUT, true, c->app.v[c->dir][ABOUT], about);
    wspi_app_put(c, 2, about);
    wspi_app_put(c, 2, type);
    wspi_app_opaque(c, about & 255);
    n -= c->enc ? head + (about & 255) : 0;
    wspi_app_only(c, 0, 0);
    n = (size_t)wspi_app_code(c, SIZE, true, usual_len(type), n);
    if (type == INVALID_KE && n == 2)
        (void)wspi_app_field(c, GROUP, 2, false, 0);
    else
        wspi_app_opaque(c, n);
}

static uint64_t vendor_of(const uint8_t *b, size_t n)
{
    for (size_t i = 0; i < WSPI_COUNT(vendor_bytes); i++)
        if (vendor_bytes[i].len == n && memcmp(vendor_bytes[i].bytes, b, n) == 0)
            return i + 1;
    return UNLISTED;
}

static void vendor_id(wspi_coder *c, size_t n)
{
    uint64_t is = c->enc ? vendor_of(c->pay.in + c->pay.at, n) : 0;

    wspi_app_only(c, 0, VENDORS_BY_SAMPLES);
    is = wspi_app_code(c, VENDOR, false, 0, is);
    if (is == UNLISTED || is > WSPI_COUNT(vendor_bytes)) {
        wspi_ike_sized(c, false, 0, n);
        return;
    }
    for (size_t i = 0; i < vendor_bytes[is - 1].len; i++)
        wspi_ike_fixed(c, 1, (uint8_t)vendor_bytes[is - 1].bytes[i]);
}

/* A protocol and a port are between the kind of an identity and the identity itself. */
static void identify(wspi_coder *c, size_t n)
{
    wspi_app_only(c, 0, 1);
    (void)wspi_app_field(c, IDENTITY, 1, false, 0);
    wspi_app_opaque(c, 3);
    wspi_app_only(c, 4, 4);
    wspi_app_text(c, (size_t)wspi_app_code(c, NAME, false, 0, n - 4), 0, WSPI_TEXT_NAME);
}

/* The contents of a payload, n bytes when encoding, which fit (`holds`). */
static void contents(wspi_coder *c, uint64_t type, size_t n)
{
    switch (type) {
    case SA:
    case V1_SA: wspi_ike_sa(c, type == SA, n); break;
    case KE: key_exchange(c, n); break;
    case NOTIFICATION:
    case V1_NOTIFY: notification(c, type == NOTIFICATION, n); break;
    case VENDOR_ID:
    case V1_VENDOR: vendor_id(c, n); break;
    case V1_ID: identify(c, n); break;
    case V1_NAT_D:
    case V1_NAT_D_DRAFT:
        wspi_app_only(c, 0, 0);
        wspi_ike_sized(c, true, 20, n);
        break;
    case SK:
    case SKF:
    case V1_FRAGMENT:
        wspi_app_only(c, 0, 0);
        if (c->fill)
            sealed(c);
        else
            wspi_ike_sized(c, true, wspi_app_left(c) & UINT16_MAX, n);
        break;
    default: only_sizes(c); wspi_ike_sized(c, false, 0, n);
    }
}

/* Encoding: is a whole payload of this type next, in a form that `contents` can take? */
static bool holds(const wspi_coder *c, uint64_t type)
{
    const uint8_t *b = c->pay.in + c->pay.at, *in = b + 4;
    size_t n = wspi_app_captured(c), len = n >= 4 ? (size_t)wspi_load_be(b + 2, 2) : 0;

    if (type == 0 || len < 4 || len > n || b[1])
        return false;
    n = len - 4;
    switch (type) {
    case KE: return n >= 4 && in[2] == 0 && in[3] == 0;
    case NOTIFICATION: return n >= 4 && n - 4 >= in[1];
    case V1_NOTIFY: return n >= 8 && wspi_load_be(in, 4) == DOMAIN_IPSEC && n - 8 >= in[5];
    case V1_ID: return n >= 4;
    default: return true;
    }
}

/* Samples: what the exchange needs first, in its order; then some of what may follow. Is one needed? */
static bool only_carried(wspi_coder *c, const message *m, unsigned n)
{
    bool first = said(c, c->dir, EXCHANGE) != m->exchange;
    unsigned needed = 1, from = AT_SK, more = 0, more_from = 0, most = 0;

    if (m->exchange == SA_INIT) {
        needed = 3;
        from = AT_SA;
        more_from = AT_NOTIFY;
        more = 2;
        most = SAMPLED_V2;
    } else if (m->exchange == AGGRESSIVE || (m->exchange == MAIN && first)) {
        needed = m->exchange == MAIN ? 1 : 4;
        from = AT_V1_SA;
        more_from = AT_V1_VENDOR;
        more = 1;
        most = needed + SAMPLED_VENDORS;
    } else if (m->exchange == MAIN) {
        needed = 2;
        from = AT_V1_KE;
        more_from = AT_V1_NAT_D;
        more = 1;
        most = SAMPLED_NAT_D;
    }
    if (n < needed)
        wspi_app_only(c, from + n, 1);
    else
        wspi_app_only(c, more_from, n < most ? more : 0);
    return n < needed;
}

/* A payload; its type was told. Returns the type of the next one when encoding. */
static uint64_t one_payload(wspi_coder *c, uint64_t type)
{
    size_t at = c->pay.at;
    uint64_t next = wspi_app_get(c, 1), len;

    (void)wspi_app_get(c, 1);
    len = wspi_app_get(c, 2);
    wspi_app_put(c, 4, 0);
    contents(c, type, c->enc ? (size_t)len - 4 : 0);
    wspi_app_require(c, c->enc ? c->pay.at - at == len : c->pay.at - at <= UINT16_MAX);
    wspi_ike_set(c, at + 2, 2, c->pay.at - at);
    return next;
}

/*
 * Each payload has the type of the next one, the header that of the first; an encrypted one that of what is in it, and
 * ends the list. What does not fit ends it as well: its type is told and it is opaque.
 */
static void payloads(wspi_coder *c, const message *m)
{
    size_t link = m->start + 16;
    uint64_t type = m->next, is;

    for (unsigned n = 0; n < MAX_PAYLOADS && !wspi_app_stopped(c); n++) {
        bool must = only_carried(c, m, n);
        is = type;
        if (!wspi_app_next(c, PAYLOAD, c->enc && holds(c, type), &is)) {
            if (must && wspi_asked(c))
                c->need = true;
            break;
        }
        wspi_ike_set(c, link, 1, is);
        link = c->pay.at;
        type = one_payload(c, is);
        if (is == SK || is == SKF) {
            wspi_app_only(c, 0, AT_SK);
            wspi_ike_set(c, link, 1, wspi_app_code(c, PAYLOAD, false, 0, type));
            return;
        }
    }
    wspi_app_only(c, 0, 0);
    wspi_ike_set(c, link, 1, wspi_app_code(c, BROKEN, true, 0, type));
}

/* ---- the datagram ---- */

static void one_message(wspi_coder *c)
{
    message m;

    header(c, &m);
    if (wspi_app_stopped(c))
        return;
    if (!is_v2(m.exchange) && m.flags & ENCRYPTED) {
        wspi_app_only(c, AT_V1_HASH, 1);
        wspi_ike_set(c, m.start + 16, 1, wspi_app_code(c, PAYLOAD, false, 0, m.next));
        sealed(c);
    } else {
        payloads(c, &m);
    }
    if (c->fill)
        wspi_ike_set(c, m.start + 24, 4, c->pay.at - m.start);
    else
        sealed(c);
}

/* SPI and number as one: the direction's last and one more. */
static void esp(wspi_coder *c)
{
    uint64_t v = wspi_app_get(c, 8), was = c->app.v[c->dir][ESP], want = was ? NEXT : NEW,
             way = NEW;

    if (c->enc && was && v - was < 2)
        way = v == was ? SAME : NEXT;
    wspi_app_only(c, 0, 0);
    way = wspi_app_code(c, STEP, true, want, way);
    v = way >= NEW ? wspi_app_code(c, ESP, false, 0, v) : was + (way == NEXT);
    c->app.v[c->dir][ESP] = v;
    wspi_app_put(c, 8, v);
    sealed(c);
}

static void walk(wspi_coder *c)
{
    const uint8_t *b = c->pay.in;
    uint64_t is = PLAIN;

    if (c->enc && !looks_message(b, c->pay.end))
        is = c->pay.end == 1 ? KEEPALIVE : ESP_IN_UDP;
    else if (c->enc && wspi_load_be(b, MARKER) == 0)
        is = MARKED;
    is = carried(c, is);
    if (is == MARKED)
        wspi_ike_fixed(c, MARKER, 0);
    if (is == KEEPALIVE)
        wspi_ike_fixed(c, 1, 0xff);
    else if (is == ESP_IN_UDP)
        esp(c);
    else
        one_message(c);
}

const wspi_app wspi_app_ike = {
    .proto = {.name = "ike", .fields = fields, .n_fields = WSPI_COUNT(fields)},
    .over = WSPI_OVER_UDP,
    .takes = takes,
    .certain = true,
    .walk = walk,
    .ports = {500, NAT_T},
    .ports_only = true,
    .clients = {{500, 500}, {NAT_T, NAT_T}},
};
