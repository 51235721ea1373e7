/* SPDX-License-Identifier: Apache-2.0 */
/*
 * valid.c: what samples may have beyond the marks of the vocabulary. A TCP connection is opened, used and closed as
 * RFC 9293 has it (3.3.2), options of a SYN stand on one and are answered if they were offered (RFC 7323, RFC 2018),
 * and nothing is said twice. Sequence numbers need no rule: they are computed. ARP carries nothing, IGMP its reports of version 3.
 */
#include "token/app/app.h"

static bool is_icmp(uint8_t id)
{
    return id == WSPI_ICMP || id == WSPI_ICMPV6;
}

/* What an error quotes is not the flow's. */
static bool has_layer(const wspi_stack *st, uint8_t id)
{
    for (size_t i = 0; i < st->n; i++)
        if (st->id[i] == id || is_icmp(st->id[i]))
            return st->id[i] == id;
    return false;
}

static bool quotes(const wspi_stack *st)
{
    for (size_t i = 0; i + 1 < st->n; i++)
        if (is_icmp(st->id[i]))
            return true;
    return false;
}

/* What an option offers on a SYN, or 0. */
static uint8_t offer_of(uint8_t id)
{
    return id == WSPI_TCP_TS       ? WSPI_OFFERS_TS
           : id == WSPI_TCP_WSCALE ? WSPI_OFFERS_SCALE
           : id == WSPI_TCP_SACKOK ? WSPI_OFFERS_SACK
                                   : 0;
}

static bool of_syn(uint8_t id)
{
    return id == WSPI_TCP_MSS || id == WSPI_TCP_WSCALE || id == WSPI_TCP_SACKOK;
}

uint8_t wspi_tcp_offers(const wsp_packet *p)
{
    uint8_t offers = 0;

    for (size_t i = 0; i < p->n_layers; i++)
        offers |= offer_of(p->layers[i].id);
    return offers;
}

/* Flags of the direction's last packet, 0 when there was none. */
static unsigned last_flags(const wsp_context *ctx, int dir)
{
    wspi_past past = wspi_context_past(ctx, dir, WSPI_TCP, 0);

    return past.slot
               ? (unsigned)wspi_past_value(&past, &wspi_protos[WSPI_TCP]->fields[WSPI_TCP_FLAGS])
               : 0;
}

/* Has this direction acknowledged all that the other has sent? */
static bool all_acked(const wsp_context *ctx, int dir)
{
    wspi_past past = wspi_context_past(ctx, dir, WSPI_TCP, 0);

    return past.slot && last_flags(ctx, dir) & WSPI_TH_ACK && ctx->have_seq[!dir] &&
           wspi_past_value(&past, &wspi_protos[WSPI_TCP]->fields[WSPI_TCP_ACK]) ==
               ctx->next_seq[!dir];
}

/* Has the flow packets, of this layer? */
static bool is_of(const wsp_context *ctx, uint8_t id)
{
    return ctx->started && has_layer(&ctx->last[ctx->seen[0] ? 0 : 1], id);
}

/* A direction that has said SYN waits for the answer: SYN to SYN-ACK, SYN-ACK to anything. */
static bool waits(const wsp_context *ctx, int dir)
{
    unsigned mine = last_flags(ctx, dir), theirs = last_flags(ctx, !dir);

    if (!(mine & WSPI_TH_SYN))
        return false;
    return !ctx->seen[!dir] || (mine & WSPI_TH_ACK && theirs & WSPI_TH_SYN);
}

static bool may_send(const wsp_context *ctx, int dir)
{
    if ((ctx->sent[0] | ctx->sent[1]) & WSPI_TH_RST || waits(ctx, dir))
        return false;
    return !(ctx->sent[dir] & WSPI_TH_FIN) || !all_acked(ctx, dir);
}

/* Is the next packet the answer to a SYN? */
static bool answers_syn(const wsp_context *ctx, int dir)
{
    unsigned theirs = last_flags(ctx, !dir);

    return !ctx->seen[dir] && theirs & WSPI_TH_SYN && !(theirs & WSPI_TH_ACK);
}

/*
 * The direction that is to speak on a connection that is open, with no end in sight, or -1. The other one, and it itself,
 * may acknowledge before, but nothing else.
 */
static int owes(const wsp_context *ctx)
{
    unsigned both = ctx->sent[0] & ctx->sent[1], any = ctx->sent[0] | ctx->sent[1];

    if (!is_of(ctx, WSPI_TCP) || !(both & WSPI_TH_SYN) || any & (WSPI_TH_FIN | WSPI_TH_RST) ||
        waits(ctx, 1))
        return -1;
    return wspi_app_owes(ctx);
}

/* Nobody answers a log. */
static bool is_told(const wsp_context *ctx)
{
    return ctx->app.id[0] == WSPI_APP_SYSLOG;
}

/* Datagrams of a protocol whose turns are theirs, too. */
static void keep_turns(wspi_coder *c, unsigned base)
{
    if (!wspi_app_may_stop(c->ctx))
        c->legal[base + WSPI_START_END] = 0;
    for (int d = 0; d < 2; d++)
        if (!wspi_app_may_send(c->ctx, d))
            memset(c->legal + base + (size_t)d * WSPI_STARTS, 0, WSPI_STARTS);
}

void wspi_valid_starts(wspi_coder *c, unsigned base)
{
    const wsp_context *ctx = c->ctx;
    int speaker = owes(ctx);

    if (((wspi_app_has_answered(ctx) || is_told(ctx)) && is_of(ctx, WSPI_UDP)) ||
        wspi_cast_asked(ctx) || (ctx->started && quotes(&ctx->last[0])))
        memset(c->legal + base + WSPI_STARTS, 0, WSPI_STARTS);
    for (int d = 0; d < 2; d++)
        if (!wspi_ping_may_speak(ctx, d))
            memset(c->legal + base + (size_t)d * WSPI_STARTS, 0, WSPI_STARTS);
    if (is_of(ctx, WSPI_UDP))
        keep_turns(c, base);
    if (!is_of(ctx, WSPI_TCP))
        return;
    if (speaker >= 0)
        c->legal[base + WSPI_START_END] = 0;
    for (int d = 0; d < 2; d++)
        if (!may_send(ctx, d) || (speaker == !d && all_acked(ctx, d)))
            memset(c->legal + base + (size_t)d * WSPI_STARTS, 0, WSPI_STARTS);
}

void wspi_valid_lengths(wspi_coder *c, unsigned base)
{
    const wsp_context *ctx = c->ctx;
    unsigned least =
        is_of(ctx, WSPI_TCP) ? wspi_bin(wspi_app_goes_on(ctx, c->dir), WSPI_LEN_MANTISSA) : 0;

    if (!c->legal || c->deviations || !c->need || !ctx->started)
        return;
    if (least)
        memset(c->legal + base + 1, 0, least - 1);
    if (is_of(ctx, WSPI_ARP) || (is_of(ctx, WSPI_IGMP) && !wspi_igmp_reports(ctx, c->dir)) ||
        (is_of(ctx, WSPI_TCP) && (ctx->sent[c->dir] & WSPI_TH_FIN || answers_syn(ctx, c->dir) ||
                                  !wspi_app_may_speak(ctx, c->dir))))
        memset(c->legal + base + 1, 0, WSPI_LEN_BINS);
    else if ((owes(ctx) == c->dir && all_acked(ctx, c->dir)) ||
             (is_of(ctx, WSPI_UDP) && wspi_app_has_turns(ctx)))
        c->legal[base] = 0;
    for (unsigned k = WSPI_LEN_BINS, most = wspi_valid_segment(ctx, c->dir); most && k > 1; k--)
        if (wspi_bin_start(k - 1, WSPI_LEN_MANTISSA) > most)
            c->legal[base + k - 1] = 0;
}

/* ---- options ---- */

/* Can this packet be a SYN or SYN-ACK? An empty first one of a flow is. */
static bool can_be_syn(const wspi_coder *c)
{
    return c->p->payload_len == 0 && (!c->ctx->started || answers_syn(c->ctx, c->dir));
}

/* Time stamps stand on all segments of a connection (1) or on none (0); -1: either. */
static int wants_timestamps(const wspi_coder *c)
{
    const wsp_context *ctx = c->ctx;
    const uint8_t *sent = ctx->sent;

    if (can_be_syn(c))
        return !ctx->started || sent[!c->dir] & WSPI_OFFERS_TS ? -1 : 0;
    if (sent[0] & sent[1] & WSPI_TH_SYN)
        return (sent[0] & sent[1] & WSPI_OFFERS_TS) != 0;
    return ctx->seen[c->dir] ? has_layer(&ctx->last[c->dir], WSPI_TCP_TS) : -1;
}

bool wspi_valid_stack(const wspi_coder *c, const wspi_stack *st, bool whole)
{
    bool syn = can_be_syn(c), has = has_layer(st, WSPI_TCP_TS);
    int want;

    if (has_layer(st, WSPI_ARP) && c->p->payload_len > 0)
        return false;
    if (!has_layer(st, WSPI_TCP))
        return true;
    for (size_t i = 0; i < st->n; i++)
        if ((of_syn(st->id[i]) && !syn) ||
            (syn && c->ctx->started && offer_of(st->id[i]) & ~c->ctx->sent[!c->dir]))
            return false;
    want = wants_timestamps(c);
    return want < 0 || has == want || (!whole && !has);
}

/* ---- flags ---- */

static bool has_syn_options(const wsp_packet *p)
{
    for (size_t i = 0; i < p->n_layers; i++)
        if (of_syn(p->layers[i].id))
            return true;
    return false;
}

enum { S = WSPI_TH_SYN, A = WSPI_TH_ACK, P = WSPI_TH_PSH, F = WSPI_TH_FIN, R = WSPI_TH_RST };

/* Of a connection that opens or is open. */
static bool may_be_quoted(const wsp_packet *p, uint8_t flags)
{
    bool opens = has_syn_options(p);

    if (flags == S)
        return opens || p->payload_len == 0;
    return !opens && (flags == A || (flags == (P | A) && p->payload_len));
}

bool wspi_valid_flags(const wspi_coder *c, size_t i, uint8_t flags)
{
    const wsp_context *ctx = c->ctx;
    bool empty = c->p->payload_len == 0;

    if (i >= wspi_own_layers(c->p))
        return may_be_quoted(c->p, flags);
    if (i + 1 < wspi_own_layers(c->p) && wspi_next_layer(c->p, i) != WSPI_PAYLOAD)
        return true;
    if (!ctx->started && empty)
        return flags == S;
    if (answers_syn(ctx, c->dir))
        return flags == (S | A) || (flags == (R | A) && !has_syn_options(c->p));
    if (flags & S || (flags & R && !empty) || (flags & P && empty))
        return false;
    if (ctx->sent[c->dir] & F)
        return flags == A || flags == (R | A) || flags == R;
    if (flags & F && !empty && !wspi_app_ends_with(ctx, c->dir))
        return false;
    if (flags & (F | R) && !(ctx->sent[!c->dir] & F) && !wspi_app_may_end(ctx) &&
        (flags & F || ctx->app.seen[0] || ctx->app.seen[1]))
        return false;
    return flags & A || (flags == R && ctx->seen[c->dir]);
}

bool wspi_valid_igmp(const wspi_coder *c, uint64_t type)
{
    wspi_past past = wspi_context_past(c->ctx, c->dir, WSPI_IGMP, 0);
    bool report = type == WSPI_IGMP_REPORT3;

    return past.slot ? report == wspi_igmp_reports(c->ctx, c->dir) : !report || c->dir == 0;
}

bool wspi_valid_icmpv6(const wspi_coder *c, uint64_t type)
{
    for (int dir = 0; dir < 2; dir++) {
        wspi_past past = wspi_context_past(c->ctx, dir, WSPI_ICMPV6, 0);
        const wspi_field *d = &wspi_protos[WSPI_ICMPV6]->fields[WSPI_ICMP_TYPE];
        uint64_t before = past.slot ? wspi_past_value(&past, d) : type;
        bool stays = wspi_mld_is(type) || (dir == c->dir && wspi_cast_asked(c->ctx));
        if (wspi_ndp_is(before) != wspi_ndp_is(type) || (stays && before != type))
            return false;
    }
    return true;
}

bool wspi_tells_window(const wspi_coder *c, size_t i)
{
    uint64_t flags = c->p->layers[i].v[WSPI_TCP_FLAGS];

    return c->p->payload_len == 0 && flags == A && is_of(c->ctx, WSPI_TCP) &&
           c->ctx->seen[c->dir] && (all_acked(c->ctx, c->dir) || !c->ctx->have_seq[!c->dir]);
}

/* ---- numbers that are not the latest ---- */

/* Where the peer is, where its last segment began, and what was acknowledged last. */
typedef struct acks {
    uint32_t all, seq, last;
} acks;

/* false: the direction has acknowledged nothing yet. */
static bool acks_of(const wsp_context *ctx, int dir, acks *a)
{
    const wspi_field *d = wspi_protos[WSPI_TCP]->fields;
    wspi_past mine = wspi_context_past(ctx, dir, WSPI_TCP, 0),
              theirs = wspi_context_past(ctx, !dir, WSPI_TCP, 0);

    if (!mine.slot || !theirs.slot || !ctx->have_seq[!dir] || !(last_flags(ctx, dir) & A))
        return false;
    a->all = ctx->next_seq[!dir];
    a->last = (uint32_t)wspi_past_value(&mine, &d[WSPI_TCP_ACK]);
    a->seq = (uint32_t)wspi_past_value(&theirs, &d[WSPI_TCP_SEQ]);
    return true;
}

/* RFC 9293 3.10.7.4: up to a segment's end, behind the last acknowledgement. What came before the last one was as long. */
uint32_t wspi_valid_unacked(const wspi_coder *c, unsigned e)
{
    uint32_t least = UINT32_C(1) << WSPI_MIN(e, 16u), size, one;
    acks a;

    if (!acks_of(c->ctx, c->dir, &a))
        return 0;
    one = a.all - a.seq;
    if (one == 0 || one > UINT16_MAX || e > 16)
        return 0;
    size = (least + one - 1) / one * one;
    return size < 2 * least && size < a.all - a.last ? size : 0;
}

/* What crosses on the way. Without data or an end it would be a duplicate, which tells of a loss (RFC 5681 2). */
bool wspi_valid_same_ack(const wspi_coder *c, size_t i)
{
    uint64_t flags = c->p->layers[i].v[WSPI_TCP_FLAGS];
    acks a;

    if (flags & (S | R) || !acks_of(c->ctx, c->dir, &a) || a.last == a.all)
        return false;
    return flags & F || (c->p->payload_len && c->ctx->app.seen[c->dir]);
}

/* RFC 7323 4.3: a stamp is taken over from a segment that is here, and begins where the last acknowledgement ends, or before. */
bool wspi_valid_same_echo(const wspi_coder *c)
{
    const wspi_layer *l = NULL;
    acks a;

    for (size_t i = 0; i < wspi_own_layers(c->p); i++)
        if (c->p->layers[i].id == WSPI_TCP)
            l = &c->p->layers[i];
    if (!l || l->v[WSPI_TCP_FLAGS] & S || !acks_of(c->ctx, c->dir, &a))
        return false;
    return (uint32_t)l->v[WSPI_TCP_ACK] == a.last || (int32_t)(a.seq - a.last) > 0;
}

/* RFC 7323 4.3: of several segments that are acknowledged together, the first one's. */
bool wspi_valid_first_echo(const wspi_coder *c, uint32_t *stamp)
{
    *stamp = c->ctx->stamp[!c->dir];
    return c->ctx->has_stamp[!c->dir] && c->ctx->seen[c->dir];
}

/* ---- windows and segments ---- */

/* The only field of an option. */
enum { OPTION_VALUE };

static uint64_t last_of(const wsp_context *ctx, int dir, uint8_t layer, size_t f)
{
    wspi_past past = wspi_context_past(ctx, dir, layer, 0);

    return past.slot ? wspi_past_value(&past, &wspi_protos[layer]->fields[f]) : 0;
}

/* RFC 7323 2.3: windows are scaled if both offered it. */
static unsigned scale_of(const wsp_context *ctx, int dir)
{
    const uint64_t most = 14;
    uint64_t shift = last_of(ctx, dir, WSPI_TCP_WSCALE, OPTION_VALUE);

    return ctx->sent[0] & ctx->sent[1] & WSPI_OFFERS_SCALE ? (unsigned)WSPI_MIN(shift, most) : 0;
}

/* RFC 9293 3.8.6: what a receiver has allowed to be sent it does not take back: up to where the last window ended. */
uint64_t wspi_valid_window(const wspi_coder *c, size_t i)
{
    const wspi_layer *l = &c->p->layers[i];
    unsigned before = last_flags(c->ctx, c->dir), scale = scale_of(c->ctx, c->dir);
    uint64_t window = last_of(c->ctx, c->dir, WSPI_TCP, WSPI_TCP_WINDOW);
    uint32_t more;

    if (i >= wspi_own_layers(c->p) || !(l->v[WSPI_TCP_FLAGS] & before & A) ||
        l->v[WSPI_TCP_FLAGS] & (S | R))
        return 0;
    more = (uint32_t)(l->v[WSPI_TCP_ACK] - last_of(c->ctx, c->dir, WSPI_TCP, WSPI_TCP_ACK));
    window <<= before & S ? 0 : scale; /* a SYN's is not */
    return more < window ? (window - more) >> scale : 0;
}

/* RFC 9293 3.7.1: what the peer takes in a segment, less the options of all segments; 0: it has not said. */
uint32_t wspi_valid_segment(const wsp_context *ctx, int dir)
{
    enum { STAMPS = 12 };
    uint64_t mss = is_of(ctx, WSPI_TCP) ? last_of(ctx, !dir, WSPI_TCP_MSS, OPTION_VALUE) : 0;
    uint64_t options = ctx->sent[0] & ctx->sent[1] & WSPI_OFFERS_TS ? STAMPS : 0;

    return mss > options ? (uint32_t)(mss - options) : 0;
}

bool wspi_may_unless(wspi_coder *c, bool unfit, unsigned base, unsigned count, bool present,
                     bool deviates, unsigned *v)
{
    if (!unfit || !wspi_asked(c))
        return wspi_may(c, base, count, present, deviates, v);
    (void)wspi_must(c, base, count, *v);
    return false;
}
