/* SPDX-License-Identifier: Apache-2.0 */
/* app.c: which application protocol a payload is, and the calls that walks are made of. */
#include "token/app/app.h"

#include <strings.h>

static const wspi_app *const apps[] = {
    &wspi_app_dns,    &wspi_app_tls,      &wspi_app_ntp,    &wspi_app_modbus, &wspi_app_http,
    &wspi_app_dhcp,   &wspi_app_quic,     &wspi_app_dnp3,   &wspi_app_s7comm, &wspi_app_stun,
    &wspi_app_ssdp,   &wspi_app_sip,      &wspi_app_rtsp,   &wspi_app_radius, &wspi_app_mqtt,
    &wspi_app_dhcpv6, &wspi_app_coap,     &wspi_app_tftp,   &wspi_app_bacnet, &wspi_app_smtp,
    &wspi_app_pop3,   &wspi_app_imap,     &wspi_app_ftp,    &wspi_app_ssh,    &wspi_app_snmp,
    &wspi_app_ldap,   &wspi_app_kerberos, &wspi_app_syslog, &wspi_app_redis,  &wspi_app_rpc,
    &wspi_app_rtp,    &wspi_app_dtls,     &wspi_app_ike,    &wspi_app_dcerpc, &wspi_app_dcerpc_cl,
    &wspi_app_smb};

const wspi_proto *wspi_proto_of(uint8_t id)
{
    return id < WSPI_LAYER_COUNT ? wspi_protos[id] : &apps[id - WSPI_LAYER_COUNT]->proto;
}

static uint8_t over(uint8_t transport)
{
    return transport == WSPI_TCP ? WSPI_OVER_TCP : WSPI_OVER_UDP;
}

/* Over which transports samples have it. */
static uint8_t sampled_over(const wspi_app *a)
{
    return a->over | a->drawn_over;
}

/* By port, over UDP and over TCP: the first protocol that is at home there, and whether clients of any ask from it. */
static struct {
    uint8_t home, asks;
} of_port[2][UINT16_MAX + 1];

void wspi_app_prepare(void)
{
    for (size_t a = WSPI_COUNT(apps); a-- > 0;)
        for (size_t t = 0; t < 2; t++) {
            if (!(sampled_over(apps[a]) & (t ? WSPI_OVER_TCP : WSPI_OVER_UDP)))
                continue;
            for (size_t i = 0; i < WSPI_COUNT(apps[a]->ports); i++)
                if (apps[a]->ports[i])
                    of_port[t][apps[a]->ports[i]].home = (uint8_t)(WSPI_LAYER_COUNT + a);
            for (size_t i = 0; i < WSPI_COUNT(apps[a]->clients); i++)
                if (apps[a]->clients[i].from)
                    of_port[t][apps[a]->clients[i].from].asks = true;
        }
}

uint8_t wspi_app_of_port(uint16_t port, uint8_t transport)
{
    return of_port[transport == WSPI_TCP][port].home;
}

uint8_t wspi_app_named(const char *name)
{
    for (size_t a = 0; a < WSPI_COUNT(apps); a++)
        if (strcasecmp(apps[a]->proto.name, name) == 0)
            return (uint8_t)(WSPI_LAYER_COUNT + a);
    return 0;
}

uint16_t wspi_app_home(uint8_t app, uint8_t transport)
{
    const wspi_app *a = app ? apps[app - WSPI_LAYER_COUNT] : NULL;

    return a && a->ports_only && sampled_over(a) & over(transport) ? a->ports[0] : 0;
}

bool wspi_app_is_out_of_place(const uint8_t *b, size_t n, uint8_t transport)
{
    for (size_t a = 0; a < WSPI_COUNT(apps); a++)
        if (apps[a]->ports_only && apps[a]->looks && apps[a]->over & over(transport) &&
            apps[a]->looks(b, n))
            return true;
    return false;
}

bool wspi_app_serves(uint16_t port, uint8_t transport)
{
    return wspi_app_of_port(port, transport) != 0 || wspi_browse_port(port, transport);
}

bool wspi_app_asks_from(uint16_t port, uint8_t transport)
{
    return of_port[transport == WSPI_TCP][port].asks || wspi_browse_port(port, transport);
}

bool wspi_app_asks(uint16_t from, uint16_t to, uint8_t transport)
{
    uint8_t id = wspi_app_of_port(to, transport);
    const wspi_app *a = id ? apps[id - WSPI_LAYER_COUNT] : NULL;

    if (wspi_browse_port(from, transport) || wspi_browse_port(to, transport))
        return from == to;
    if (!wspi_app_asks_from(from, transport))
        return !a || !a->clients_only;
    for (size_t i = 0; a && i < WSPI_COUNT(a->clients); i++)
        if (a->clients[i].from == from && a->clients[i].to == to)
            return true;
    return false;
}

bool wspi_app_fits(uint8_t app, uint16_t port, uint8_t transport, bool client)
{
    const wspi_app *a = wspi_app_home(app, transport) ? apps[app - WSPI_LAYER_COUNT] : NULL;

    if (!a)
        return true;
    for (size_t i = 0; client && i < WSPI_COUNT(a->clients); i++)
        if (a->clients[i].from == port)
            return true;
    return client ? !wspi_app_asks_from(port, transport)
                  : !wspi_app_serves(port, transport) || wspi_app_of_port(port, transport) == app;
}

bool wspi_app_changes(uint8_t app, size_t f)
{
    return app >= WSPI_LAYER_COUNT && apps[app - WSPI_LAYER_COUNT]->changes >> f & 1;
}

/* ---- turns ---- */

/* What a connection speaks, or will by its ports, if turns matter to it. */
static const wspi_app *on_connection(const wsp_context *ctx)
{
    uint8_t id = ctx->app.id[0] ? ctx->app.id[0] : ctx->app.id[1];
    bool said = ctx->app.seen[0] || ctx->app.seen[1];

    for (int dir = 0; dir < 2 && !id; dir++) {
        wspi_past past = wspi_context_past(ctx, dir, WSPI_TCP, 0);
        for (int f = 0; f < 2 && past.slot && !id; f++)
            id = wspi_app_of_port(
                (uint16_t)wspi_past_value(&past, &wspi_protos[WSPI_TCP]->fields[f]), WSPI_TCP);
    }
    if (id && said && !ctx->app.id[0] && !ctx->app.id[1] &&
        !(apps[id - WSPI_LAYER_COUNT]->drawn_over & WSPI_OVER_TCP))
        return NULL; /* it has spoken something else */
    return id && apps[id - WSPI_LAYER_COUNT]->turns ? apps[id - WSPI_LAYER_COUNT] : NULL;
}

/* Does a client wait for the answer to each payload? */
static bool waits(const wspi_app *a)
{
    return a->rests || a->turns == WSPI_IN_TURN || a->turns == WSPI_SERVER_FIRST;
}

/* RFC 9293 3.6: nothing comes from a side that has ended, so that nobody asks it. */
bool wspi_app_may_speak(const wsp_context *ctx, int dir)
{
    const wspi_app *a = on_connection(ctx);

    if (!a)
        return true;
    if (dir == 0 && ctx->sent[1] & WSPI_TH_FIN && waits(a))
        return false;
    if (!ctx->app.seen[0] && !ctx->app.seen[1])
        return dir == (a->turns == WSPI_SERVER_FIRST);
    return a->may_speak ? a->may_speak(ctx, dir) : a->turns != WSPI_IN_TURN || ctx->spoke != dir;
}

bool wspi_app_has_turns(const wsp_context *ctx)
{
    const wspi_app *a = on_connection(ctx);

    return a && a->strict;
}

bool wspi_app_may_send(const wsp_context *ctx, int dir)
{
    return !wspi_app_has_turns(ctx) || wspi_app_may_speak(ctx, dir);
}

bool wspi_app_may_end(const wsp_context *ctx)
{
    const wspi_app *a = on_connection(ctx);

    if (!a || a->may_end)
        return !a || a->may_end(ctx);
    return ctx->app.seen[0] && ctx->app.seen[1] && (!waits(a) || ctx->spoke == 1);
}

/* RFC 9293 3.8.6.2.1: of more than a segment takes no small part is sent alone. 536 is what all segments take (3.7.1). */
uint32_t wspi_app_goes_on(const wsp_context *ctx, int dir)
{
    enum { SEGMENT = 536 };
    const wspi_app *a = on_connection(ctx);

    return a && a->goes_on ? WSPI_MIN(a->goes_on(ctx, dir), (uint32_t)SEGMENT) : 0;
}

bool wspi_app_ends_with(const wsp_context *ctx, int dir)
{
    const wspi_app *a = on_connection(ctx);

    return !a || !waits(a) || dir == 1;
}

bool wspi_app_may_stop(const wsp_context *ctx)
{
    return !wspi_app_has_turns(ctx) || wspi_app_may_end(ctx);
}

bool wspi_app_has_answered(const wsp_context *ctx)
{
    const wspi_app *a = ctx->app.id[1] ? apps[ctx->app.id[1] - WSPI_LAYER_COUNT] : NULL;

    return ctx->spoke == 1 && a && a->once && (!a->answers || a->answers(ctx));
}

int wspi_app_owes(const wsp_context *ctx)
{
    bool client = wspi_app_may_speak(ctx, 0), server = wspi_app_may_speak(ctx, 1);
    const wspi_app *a = on_connection(ctx);

    if (client == server || ((client || (a && a->rests)) && wspi_app_may_end(ctx)))
        return -1;
    return server;
}

/* ---- bytes ---- */

void wspi_app_fail(wspi_coder *c)
{
    if (c->need)
        return;
    if (c->enc)
        c->pay.fail = true;
    else
        c->bad = true;
}

void wspi_app_require(wspi_coder *c, bool fits)
{
    if (!fits)
        wspi_app_fail(c);
}

size_t wspi_app_left(const wspi_coder *c)
{
    return c->pay.wire > c->pay.at ? c->pay.wire - c->pay.at : 0;
}

size_t wspi_app_captured(const wspi_coder *c)
{
    return c->pay.end > c->pay.at ? c->pay.end - c->pay.at : 0;
}

uint64_t wspi_app_get(wspi_coder *c, size_t n)
{
    uint64_t v = 0;

    if (!c->enc || wspi_app_stopped(c))
        return 0;
    if (wspi_app_captured(c) < n) {
        wspi_app_fail(c);
        return 0;
    }
    for (size_t i = 0; i < n; i++)
        v = v << 8 | c->pay.in[c->pay.at++];
    if (c->spans)
        wspi_spans_got(c->spans, c->pay.at - n, n, v);
    return v;
}

void wspi_app_put(wspi_coder *c, size_t n, uint64_t v)
{
    uint8_t b[8];

    if (c->enc || wspi_app_stopped(c))
        return;
    if (c->fill ? c->pay.at + n > WSPI_SAMPLE_MOST : wspi_app_captured(c) < n) {
        c->bad = true;
        return;
    }
    for (size_t i = 0; i < n; i++)
        b[i] = (uint8_t)(v >> 8 * (n - 1 - i));
    c->bad = wspi_buf_add(c->pay.out, b, n) < 0;
    c->pay.at += n;
}

void wspi_app_put_bytes(wspi_coder *c, const char *s, size_t n)
{
    for (size_t i = 0; i < n; i++)
        wspi_app_put(c, 1, (uint8_t)s[i]);
}

void wspi_app_literal(wspi_coder *c, const char *s)
{
    for (; *s && !wspi_app_stopped(c); s++) {
        uint64_t v = wspi_app_get(c, 1);
        wspi_app_require(c, !c->enc || v == (uint8_t)*s);
        wspi_app_put(c, 1, (uint8_t)*s);
    }
}

static void hidden_text(wspi_coder *c, size_t n, enum wspi_text_class class)
{
    if (!c->fill) {
        wspi_app_opaque(c, n);
        return;
    }
    for (; n && !wspi_app_stopped(c); n--)
        wspi_app_put(c, 1,
                     class == WSPI_TEXT_ANY ? wspi_rng_u64(&c->rng) & 255
                                            : 'a' + wspi_rng_u64(&c->rng) % 26);
}

void wspi_app_text(wspi_coder *c, size_t n, size_t shown, enum wspi_text_class class)
{
    shown = WSPI_MIN(shown, n);
    if (wspi_app_stopped(c))
        return;
    if (c->spans)
        wspi_spans_bytes(c->spans, WSPI_SPAN_TEXT, c->pay.app, c->pay.at, shown);
    if (!c->fill && wspi_app_captured(c) < shown)
        wspi_app_fail(c);
    else
        wspi_text_exact(c, shown, class);
    hidden_text(c, n - shown, class);
}

void wspi_app_opaque(wspi_coder *c, size_t n)
{
    size_t captured = c->fill ? n : WSPI_MIN(n, wspi_app_captured(c));

    if (wspi_app_stopped(c))
        return;
    if (!c->fill && n > wspi_app_left(c)) {
        wspi_app_fail(c);
        return;
    }
    if (c->spans)
        wspi_spans_bytes(c->spans, WSPI_SPAN_OPAQUE, c->pay.app, c->pay.at, captured);
    wspi_payload_bytes(c, captured);
    c->pay.at += n - captured;
}

wspi_app_span wspi_app_open(wspi_coder *c, size_t width)
{
    uint64_t len = wspi_app_get(c, width);
    wspi_app_span s;

    wspi_app_put(c, width, 0);
    s = (wspi_app_span){.at = c->pay.at, .end = c->pay.at + (size_t)len, .width = width};
    if (c->spans)
        wspi_spans_length(c->spans, c->pay.app, s.at - width, width, s.end);
    return s;
}

void wspi_app_close(wspi_coder *c, wspi_app_span s)
{
    uint64_t len = c->pay.at - s.at;

    if (wspi_app_stopped(c))
        return;
    if (c->enc) {
        wspi_app_require(c, c->pay.at == s.end);
        return;
    }
    if (s.at > c->pay.out->len || s.width > s.at || (s.width < 8 && len >> 8 * s.width)) {
        c->bad = true;
        return;
    }
    for (size_t i = 0; i < s.width; i++)
        c->pay.out->data[s.at - 1 - i] = (uint8_t)(len >> 8 * i);
}

bool wspi_app_inside(const wspi_coder *c, const wspi_app_span *s)
{
    return c->pay.at < s->end;
}

/* ---- fields ---- */

static unsigned index_of(const wspi_field *d, unsigned n, uint64_t v)
{
    unsigned k = 0;

    if (d->kind == WSPI_K_MAG)
        return wspi_bin(v, d->mantissa);
    if (d->kind == WSPI_K_ENUM && v < n && d->values[v].value == v)
        return (unsigned)v; /* long lists are in order */
    while (k < n && d->kind == WSPI_K_ENUM && d->values[k].value != v)
        k++;
    return k;
}

/* The value of token k of a field. */
static uint64_t value_of(wspi_coder *c, const wspi_field *d, unsigned last, unsigned k, uint64_t v)
{
    uint64_t start;

    if (d->kind == WSPI_K_ENUM && k < last)
        return d->values[k].value;
    if (d->kind != WSPI_K_MAG)
        return wspi_residual(c, d->role, (d->width + 7u) / 8, v);
    start = wspi_bin_start(k, d->mantissa);
    return start + wspi_remainder(c, wspi_bin_bits(k, d->mantissa), c->enc ? v - start : 0);
}

/* Grammar: takes back what samples may not use here. */
static void forbid(wspi_coder *c, unsigned base, unsigned n)
{
    for (unsigned k = 0; c->legal && c->pay.only && k < n && !c->deviations; k++)
        if (k < c->pay.from || k - c->pay.from >= c->pay.count)
            c->legal[base + k] = 0;
    c->pay.only = false;
}

/* Grammar: what is predicted is not told. A bin of several values may have another one. */
static void forbid_predicted(wspi_coder *c, const wspi_field *d, unsigned base, unsigned last,
                             uint64_t want)
{
    unsigned k = index_of(d, last, want);

    if ((d->kind == WSPI_K_ENUM && k < last) ||
        (d->kind == WSPI_K_MAG && wspi_bin_bits(k, d->mantissa) == 0))
        c->legal[base + k] = 0;
}

uint64_t wspi_app_code(wspi_coder *c, unsigned f, bool known, uint64_t want, uint64_t v)
{
    const wspi_field *d = &wspi_proto_of(c->pay.app)->fields[f];
    unsigned base = wspi_field_base(c->pay.app, f), n = wspi_field_count(c->pay.app, f);
    unsigned last = d->kind == WSPI_K_ENUM ? n - 1 : 0, k = c->enc ? index_of(d, last, v) : 0;
    bool free = d->kind == WSPI_K_FREE;

    if (wspi_app_stopped(c))
        return 0;
    if (c->spans)
        wspi_spans_field(c->spans, c->pay.app, f, c->pay.at, v);
    if (known && !wspi_may(c, base, n, v != want, free && d->role != WSPI_R_RENEWED, &k)) {
        v = want;
    } else {
        if (!known && !free)
            k = wspi_must(c, base, n, k);
        v = value_of(c, d, last, k, v);
        if (c->fill && known && free && v == want)
            v ^= 1; /* another one */
    }
    forbid(c, base, n);
    if (known && wspi_asked(c))
        forbid_predicted(c, d, base, last, want);
    if (d->width < 64)
        v &= (UINT64_C(1) << d->width) - 1;
    if (!wspi_app_stopped(c))
        c->app.v[c->dir][f] = v;
    return v;
}

uint64_t wspi_app_field(wspi_coder *c, unsigned f, size_t n, bool known, uint64_t want)
{
    uint64_t v = wspi_app_code(c, f, known, want, wspi_app_get(c, n));

    wspi_app_put(c, n, v);
    return v;
}

bool wspi_app_next(wspi_coder *c, unsigned f, bool there, uint64_t *v)
{
    const wspi_field *d = &wspi_proto_of(c->pay.app)->fields[f];
    unsigned base = wspi_field_base(c->pay.app, f), count = wspi_field_count(c->pay.app, f), k = 0;

    if (wspi_app_stopped(c))
        return false;
    if (c->enc && there)
        k = index_of(d, count - 1, *v);
    if (c->spans && there)
        wspi_spans_field(c->spans, c->pay.app, f, c->pay.at, *v);
    there = wspi_may(c, base, count, there, false, &k);
    forbid(c, base, count);
    if (there)
        *v = value_of(c, d, count - 1, k, *v);
    return there && !wspi_app_stopped(c);
}

bool wspi_app_element(wspi_coder *c, unsigned f, size_t n, bool there, uint64_t *v)
{
    if (c->enc && there)
        *v = wspi_app_get(c, n);
    if (!wspi_app_next(c, f, there, v))
        return false;
    wspi_app_put(c, n, *v);
    return !wspi_app_stopped(c);
}

void wspi_app_only(wspi_coder *c, unsigned from, unsigned count)
{
    c->pay.only = true;
    c->pay.from = from;
    c->pay.count = count;
}

bool wspi_app_last(const wspi_coder *c, bool mine, unsigned f, uint64_t *v)
{
    int dir = mine ? c->dir : !c->dir;

    *v = c->ctx->app.v[dir][f];
    return c->ctx->app.id[dir] == c->pay.app;
}

void wspi_app_keep(const wspi_coder *c, unsigned f, uint64_t rows)
{
    unsigned base = wspi_field_base(c->pay.app, f), n = wspi_field_count(c->pay.app, f);

    for (unsigned k = 0; wspi_asked(c) && k < n; k++)
        if (!(rows >> k & 1))
            c->legal[base + k] = 0;
}

void wspi_app_take_back(const wspi_coder *c, unsigned f, unsigned k)
{
    if (wspi_asked(c))
        c->legal[wspi_field_base(c->pay.app, f) + k] = 0;
}

uint64_t wspi_app_either(wspi_coder *c, unsigned f, bool must, uint64_t want, uint64_t other)
{
    unsigned base = wspi_field_base(c->pay.app, f), k = 0;

    if (other == want) { /* nothing tells them apart */
        wspi_app_only(c, 0, 0);
        return wspi_app_code(c, f, true, want, want);
    }
    if (must)
        (void)wspi_must(c, base, 1, 0);
    else if (!wspi_may(c, base, 1, false, false, &k))
        other = want;
    if (wspi_app_stopped(c))
        return 0;
    return c->app.v[c->dir][f] = other;
}

wspi_rng wspi_app_of_flow(const wspi_coder *c, uint64_t what)
{
    wspi_rng r;

    wspi_rng_seed(&r, c->fill->seed ^ (what + 1) * 0xd1342543de82ef95u);
    return r;
}

uint64_t wspi_app_ntp_time(uint64_t ns)
{
    enum { SECOND = 1000000000 };
    const uint64_t since = UINT64_C(2208988800);

    return (ns / SECOND + since) << 32 | (ns % SECOND << 32) / SECOND;
}

/* ---- which protocol ---- */

/* TCP or UDP as the innermost header; what an ICMP error quotes does not count. */
static const wspi_layer *transport_of(const wsp_packet *p)
{
    if (wspi_own_layers(p) < p->n_layers)
        return NULL;
    for (size_t i = p->n_layers; i-- > 0;)
        if (p->layers[i].id == WSPI_TCP || p->layers[i].id == WSPI_UDP)
            return &p->layers[i];
    return NULL;
}

bool wspi_app_is_stream(const wspi_coder *c)
{
    return c->p->layers[c->p->n_layers - 1].id != WSPI_UDP;
}

/* Segments that do not continue their stream are plain bytes and change nothing. */
static bool in_order(const wspi_coder *c, const wspi_layer *l)
{
    return l->id != WSPI_TCP || !c->ctx->have_seq[c->dir] ||
           (uint32_t)l->v[WSPI_TCP_SEQ] == c->ctx->next_seq[c->dir];
}

/* The protocol's walk; false: the payload does not fit, and nothing has happened. */
static bool try_app(wspi_coder *c, unsigned want, uint8_t id)
{
    size_t n = c->n, resid = c->enc ? c->res_out->len : 0, at = c->pay.at;
    size_t spans = c->spans ? c->spans->n : 0;
    unsigned t = id ? id - WSPI_LAYER_COUNT + 1u : 0;

    if (c->enc)
        (void)wspi_may(c, wspi_group_base(WSPI_T_APP), WSPI_COUNT(apps) + 1, t != want, false, &t);
    c->pay.app = id;
    wspi_app_copy(&c->app, &c->ctx->app);
    c->name_len = 0;
    if (c->app.id[c->dir] != id) { /* another protocol's memory means nothing */
        c->app.left[c->dir] = 0;
        c->app.mode[c->dir] = 0;
        memset(c->app.v[c->dir], 0, sizeof c->app.v[c->dir]);
    }
    if (id)
        apps[id - WSPI_LAYER_COUNT]->walk(c);
    c->app.id[c->dir] = id;
    if (!c->enc || (!c->pay.fail && !c->bad && c->n < WSPI_APP_TOKENS))
        return true;
    c->n = n;
    if (c->spans)
        wspi_spans_back(c->spans, spans);
    c->res_out->len = resid;
    c->pay.at = at;
    c->pay.fail = false;
    c->bad = false;
    return false;
}

static uint8_t expected(const wspi_coder *c)
{
    const wspi_app_state *s = &c->ctx->app;

    return s->seen[c->dir] ? s->id[c->dir] : s->id[!c->dir];
}

static bool candidate(const wspi_coder *c, const wspi_layer *l, uint8_t id)
{
    const wspi_app *a = apps[id - WSPI_LAYER_COUNT];
    bool inside = c->ctx->app.id[c->dir] == id && c->ctx->app.left[c->dir];

    return a->over & over(l->id) &&
           (inside || (a->takes ? a->takes(c) : a->looks(c->pay.in, c->pay.end)));
}

static void encode_app(wspi_coder *c, const wspi_layer *l, uint8_t last)
{
    unsigned want = last ? last - WSPI_LAYER_COUNT + 1u : 0;

    if (last && candidate(c, l, last) && try_app(c, want, last))
        return;
    for (unsigned round = 0; round < 2; round++)
        for (uint8_t id = WSPI_LAYER_COUNT; id < WSPI_APP_END; id++)
            if (id != last && apps[id - WSPI_LAYER_COUNT]->certain == !round &&
                candidate(c, l, id) && try_app(c, want, id))
                return;
    (void)try_app(c, want, 0);
}

/* Samples: what a server on a port of no protocol speaks, if that is asked for. */
static uint8_t asked_app(const wspi_coder *c, const wspi_layer *l)
{
    const wspi_app *a = c->fill->app ? apps[c->fill->app - WSPI_LAYER_COUNT] : NULL;

    return a && !a->ports_only && a->over & over(l->id) ? c->fill->app : 0;
}

/* Samples: a server whose payloads the caller writes speaks nothing else. */
static bool others_serve(const wspi_coder *c, const wspi_layer *l)
{
    return c->fill->serves && (c->fill->serves((uint16_t)l->v[0], l->id == WSPI_TCP) ||
                               c->fill->serves((uint16_t)l->v[1], l->id == WSPI_TCP));
}

/*
 * Samples: where a port has its protocol the payload is of it; elsewhere any of the same transport, or none. A flow that
 * has spoken a protocol goes on with it.
 */
static unsigned sample_app(wspi_coder *c, const wspi_layer *l, unsigned want)
{
    unsigned base = wspi_group_base(WSPI_T_APP), n = WSPI_COUNT(apps) + 1, t = want;
    uint8_t usual = wspi_app_of_port((uint16_t)l->v[0], l->id);

    if (!usual)
        usual = wspi_app_of_port((uint16_t)l->v[1], l->id);
    if (!usual)
        usual = c->ctx->app.id[c->dir] ? c->ctx->app.id[c->dir] : c->ctx->app.id[!c->dir];
    if (!usual && !others_serve(c, l))
        usual = asked_app(c, l);
    if (usual && want != usual - WSPI_LAYER_COUNT + 1u)
        return usual - WSPI_LAYER_COUNT + 1u +
               wspi_must(c, base + usual - WSPI_LAYER_COUNT + 1u, 1, 0);
    if (usual || others_serve(c, l))
        return want;
    if (!wspi_may(c, base, n, false, false, &t))
        t = want;
    for (unsigned k = 0; c->legal && k < n; k++)
        if (k == want || (k && (apps[k - 1]->ports_only || !(apps[k - 1]->over & over(l->id)))))
            c->legal[base + k] = 0;
    return t;
}

void wspi_code_app(wspi_coder *c)
{
    const wspi_layer *l = transport_of(c->p);
    uint8_t last = expected(c);
    unsigned want = last ? last - WSPI_LAYER_COUNT + 1u : 0, t = want;

    if (!l || c->bad || c->need || (!c->fill && (!in_order(c, l) || c->pay.end == 0)))
        return;
    if (c->enc) {
        encode_app(c, l, last);
        c->app.seen[c->dir] = true;
        return;
    }
    if (c->fill && c->legal && !c->deviations)
        t = sample_app(c, l, want);
    else if (!wspi_may(c, wspi_group_base(WSPI_T_APP), WSPI_COUNT(apps) + 1, false, false, &t))
        t = want;
    if (c->bad || c->need)
        return;
    c->bad = t && !((c->fill ? sampled_over(apps[t - 1]) : apps[t - 1]->over) & over(l->id));
    if (c->bad)
        return;
    (void)try_app(c, want, t ? (uint8_t)(WSPI_LAYER_COUNT + t - 1) : 0);
    c->app.seen[c->dir] = true;
}
