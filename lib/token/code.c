/* SPDX-License-Identifier: Apache-2.0 */
/*
 * code.c: the walk over one packet, the same for encoding and decoding:
 *     start len [stack] [frame] {fields of each layer} [payload] end
 * The payload is in payload.c.
 */
#include "token/token_int.h"

#include <assert.h>

enum { PAD_TO = 60 };

/* ---- direction, time, length ---- */

/* Grammar: a flow's first packet has no gap before it, all others have one. */
static void forbid_starts(wspi_coder *c, unsigned base)
{
    bool started = c->ctx->started;

    if (!c->legal || !c->need)
        return;
    for (unsigned d = 0; d < 2; d++)
        for (unsigned t = 0; t < WSPI_STARTS; t++)
            if (started == (t == WSPI_START_FIRST))
                c->legal[base + d * WSPI_STARTS + t] = 0;
    if (!started)
        c->legal[base + WSPI_START_END] = 0;
    wspi_valid_starts(c, base);
}

enum { WRAPPED = 0x80, MADE = 1 };

/*
 * What the frame came in has no token: models read the frame inside as if it had been captured by itself. It is residuals, before
 * a number whose length is never so large: its length and bytes. A sample has none.
 */
static void code_wrap(wspi_coder *c)
{
    wspi_wrap *w = &c->p->wrap;
    bool wrapped = c->enc ? w->len > 0 : !c->fill && c->res < c->res_end && *c->res & WRAPPED;
    uint64_t how = WRAPPED | (w->made ? MADE : 0u);

    if (!wrapped)
        return;
    how = wspi_residual(c, WSPI_R_NONE, 1, how);
    w->len = (uint32_t)wspi_residual(c, WSPI_R_NONE, 2, w->len);
    w->made = how & MADE ? WSPI_ETH_LEN : 0;
    if (c->enc) {
        wspi_residual_put(c, w->frame, w->len);
        return;
    }
    if (how > (WRAPPED | MADE) || w->len < w->made || (size_t)(c->res_end - c->res) < w->len) {
        c->bad = true;
        return;
    }
    w->frame = c->res;
    c->res += w->len;
}

/* Number of the packet in its capture: 0 in a flow's first one is as usual, then one more than the last. */
static uint64_t code_number(wspi_coder *c, uint64_t from, uint64_t usual)
{
    code_wrap(c);
    return from + wspi_residual_varint(c, c->number - from, usual);
}

/* Direction and gap are one token. false: the flow ends here. */
static bool code_start(wspi_coder *c)
{
    wsp_packet *p = c->p;
    unsigned base = wspi_group_base(WSPI_T_START), t = WSPI_START_FIRST;
    uint64_t last = c->ctx->last_ns;
    bool back = c->enc && p->time_ns < last;
    uint64_t gap = back ? last - p->time_ns : p->time_ns - last;

    if (c->ctx->started)
        t = back                   ? (unsigned)WSPI_START_BACK
            : gap >> WSPI_GAP_BITS ? (unsigned)WSPI_START_FAR
                                   : WSPI_START_GAP + wspi_bin(gap, WSPI_GAP_MANTISSA);
    t = wspi_must(c, base, WSPI_START_END + 1, (unsigned)c->dir * WSPI_STARTS + t);
    forbid_starts(c, base);
    if (t == WSPI_START_END)
        return false;
    c->dir = t >= WSPI_STARTS;
    t %= WSPI_STARTS;
    if (!c->enc && !c->need && c->ctx->started == (t == WSPI_START_FIRST))
        c->bad = true;
    if (t == WSPI_START_FIRST) {
        p->time_ns = c->fill ? c->fill->start_ns : wspi_residual(c, WSPI_R_NONE, 8, p->time_ns);
        c->number = code_number(c, 0, 0);
        return true;
    }
    if (t >= WSPI_START_BACK) {
        gap = wspi_residual(c, WSPI_R_NONE, 8, gap);
    } else {
        uint64_t from = wspi_bin_start(t - WSPI_START_GAP, WSPI_GAP_MANTISSA);
        gap = from +
              wspi_remainder(c, wspi_bin_bits(t - WSPI_START_GAP, WSPI_GAP_MANTISSA), gap - from);
    }
    p->time_ns = t == WSPI_START_BACK ? last - gap : last + gap;
    c->number = code_number(c, c->ctx->last_number, 1);
    return true;
}

static void code_length(wspi_coder *c)
{
    uint64_t len = c->p->payload_len;
    unsigned t = len >> WSPI_LEN_BITS ? WSPI_LEN_BINS : wspi_bin(len, WSPI_LEN_MANTISSA);

    t = wspi_must(c, wspi_group_base(WSPI_T_LEN), WSPI_LEN_BINS + 1, t);
    wspi_valid_lengths(c, wspi_group_base(WSPI_T_LEN));
    if (t == WSPI_LEN_BINS)
        len = wspi_residual(c, WSPI_R_NONE, 4, len);
    else
        len = wspi_bin_start(t, WSPI_LEN_MANTISSA) +
              wspi_remainder(c, wspi_bin_bits(t, WSPI_LEN_MANTISSA),
                             len - wspi_bin_start(t, WSPI_LEN_MANTISSA));
    c->p->payload_len = (uint32_t)len;
}

/* ---- stack ---- */

static bool same_stack(const wsp_packet *p, const wspi_stack *st)
{
    if (p->n_layers != st->n)
        return false;
    for (size_t i = 0; i < st->n; i++)
        if (p->layers[i].id != st->id[i])
            return false;
    return true;
}

static void set_stack(wsp_packet *p, const wspi_stack *st, size_t n)
{
    p->n_layers = n;
    for (size_t i = 0; i < n; i++)
        p->layers[i].id = st->id[i];
}

/* In a sampled stack, TCP options end on a 4-byte border. */
static bool options_aligned(const wsp_packet *p)
{
    return wspi_headers_len(p) % 4 == (p->n_layers && p->layers[0].id == WSPI_ETH ? 14u % 4 : 0u);
}

static bool has_layer(const wspi_stack *st, uint8_t id)
{
    return memchr(st->id, id, st->n) != NULL;
}

/* Would the stack with one more layer be one that TCP's state allows? */
static bool may_add(const wspi_coder *c, wspi_stack st, uint8_t id)
{
    if (st.n == WSPI_STACK_MAX)
        return false;
    st.id[st.n++] = id;
    return wspi_valid_stack(c, &st, false);
}

/* Can the list still end on its border with at most three NOPs in all, whatever options come? More look damaged. */
static bool can_align(const wspi_coder *c, const wspi_stack *st)
{
    static const uint8_t others[] = {WSPI_TCP_MSS, WSPI_TCP_WSCALE, WSPI_TCP_SACKOK, WSPI_TCP_TS};
    unsigned len = 0, nops = 0;

    for (size_t i = 0; i < st->n; i++) {
        nops += st->id[i] == WSPI_TCP_NOP;
        len += wspi_is_part(st->id[i], WSPI_TCP) ? wspi_protos[st->id[i]]->len : 0;
    }
    for (unsigned set = 0; set < 1u << WSPI_COUNT(others); set++) {
        wspi_stack more = *st;
        unsigned all = len;
        bool ok = true;

        for (size_t k = 0; k < WSPI_COUNT(others) && ok; k++) {
            if (!(set >> k & 1))
                continue;
            ok = !has_layer(&more, others[k]) && more.n < WSPI_STACK_MAX;
            if (ok)
                more.id[more.n++] = others[k];
            all += wspi_protos[others[k]]->len;
        }
        if (ok && nops + (4 - all % 4) % 4 <= 3 && wspi_valid_stack(c, &more, true))
            return true;
    }
    return false;
}

/* Grammar: does another layer, or the end of the list, leave a stack that TCP's state allows? */
static bool layer_fits(const wspi_coder *c, uint8_t id)
{
    const wsp_packet *p = c->p;
    wspi_stack st = {.n = 0};

    for (size_t i = 0; i < p->n_layers && st.n < WSPI_STACK_MAX; i++)
        st.id[st.n++] = p->layers[i].id;
    if (id == WSPI_PAYLOAD)
        return wspi_valid_stack(c, &st, true);
    if (!may_add(c, st, id) || !wspi_is_part(id, WSPI_TCP))
        return may_add(c, st, id);
    st.id[st.n++] = id;
    return can_align(c, &st);
}

/* Grammar: takes back what may not follow the layers so far. Options end on their border and come once. */
static void forbid_layers(wspi_coder *c)
{
    const wsp_packet *p = c->p;
    unsigned base = wspi_group_base(WSPI_T_LAYER);
    uint8_t last = p->n_layers ? p->layers[p->n_layers - 1].id : 0;
    bool options = p->n_layers && (last == WSPI_TCP || wspi_is_part(last, WSPI_TCP));
    size_t own = wspi_own_layers(p);

    if (!c->legal || !c->need || c->deviations)
        return;
    for (uint8_t id = 0; id < WSPI_LAYER_COUNT; id++) {
        bool ok = p->n_layers ? wspi_may_follow(last, id) : id == wspi_link_layer(c->ctx->linktype);
        bool quoted = c->dir == 0 && wspi_quote_may(p, id);
        if (id == WSPI_PAYLOAD && options)
            ok = options_aligned(p);
        else if (own < p->n_layers || quoted)
            ok = quoted;
        ok = ok && layer_fits(c, id);
        for (size_t i = own < p->n_layers ? own : quoted ? p->n_layers : 0; i < p->n_layers; i++)
            if (p->layers[i].id == id && id != WSPI_TCP_NOP)
                ok = false;
        if (!ok)
            c->legal[base + id] = 0;
    }
}

static void code_stack_list(wspi_coder *c, size_t from)
{
    unsigned base = wspi_group_base(WSPI_T_LAYER);
    wsp_packet *p = c->p;
    size_t n = c->enc ? p->n_layers : WSPI_MAX_LAYERS;

    for (size_t i = from; i <= n && !c->bad && !c->need; i++) {
        unsigned id = c->enc && i < n ? p->layers[i].id : (unsigned)WSPI_PAYLOAD;
        if (!c->enc)
            p->n_layers = i;
        id = wspi_must(c, base, WSPI_LAYER_COUNT, id);
        forbid_layers(c);
        if (id == WSPI_PAYLOAD)
            return;
        if (!c->enc && i < n)
            p->layers[i] = (wspi_layer){.id = (uint8_t)id};
    }
    if (!c->enc && !c->need)
        c->bad = true; /* longer than any packet's */
}

/* The i-th stack that a token can name: recent ones of the flow, then common ones; NULL when there is none. */
static const wspi_stack *named_stack(const wsp_context *ctx, unsigned i)
{
    if (i < WSPI_RECALLS)
        return i < ctx->n_recent ? &ctx->recent[i] : NULL;
    return wspi_common_stack(i - WSPI_RECALLS);
}

static unsigned find_stack(const wsp_context *ctx, const wsp_packet *p)
{
    uint8_t id[WSPI_STACK_MAX];

    for (unsigned i = 0; i < ctx->n_recent; i++)
        if (same_stack(p, &ctx->recent[i]))
            return i;
    for (size_t i = 0; i < p->n_layers && i < WSPI_STACK_MAX; i++)
        id[i] = p->layers[i].id;
    return WSPI_RECALLS + (unsigned)(p->n_layers <= WSPI_STACK_MAX
                                         ? wspi_find_common_stack(id, p->n_layers)
                                         : wspi_common_stacks());
}

/* Are these the same layers, options aside? */
static bool same_but_options(const wspi_stack *a, const wspi_stack *b)
{
    size_t i = 0, k = 0;

    for (;;) {
        while (i < a->n && wspi_protos[a->id[i]]->part_of)
            i++;
        while (k < b->n && wspi_protos[b->id[k]]->part_of)
            k++;
        if (i == a->n || k == b->n)
            return i == a->n && k == b->n;
        if (a->id[i++] != b->id[k++])
            return false;
    }
}

/* Pairs of layers that no table of numbers has, or samples have in a named stack only: errors and what they quote, reports of MLD. */
static bool is_odd_pair(uint8_t id, uint8_t next)
{
    static const uint8_t pairs[][2] = {{WSPI_ICMP, WSPI_IPV4},
                                       {WSPI_ICMPV6, WSPI_IPV6},
                                       {WSPI_IPV6, WSPI_IPV6_HOP},
                                       {WSPI_IPV6_HOP, WSPI_ICMPV6}};

    for (size_t k = 0; k < WSPI_COUNT(pairs); k++)
        if (pairs[k][0] == id && pairs[k][1] == next)
            return true;
    return false;
}

/* RFC 9293 3.1: the end of TCP's options, behind which there is nothing but zeros, each of which reads as an end. */
static bool pads(const wspi_stack *st, size_t i)
{
    if (st->id[i] != WSPI_TCP && !wspi_is_part(st->id[i], WSPI_TCP))
        return false;
    while (++i < st->n)
        if (st->id[i] != WSPI_TCP_EOL)
            return false;
    return st->id[st->n - 1] == WSPI_TCP_EOL;
}

/* In which directions samples can have a stack whose layers can all be made up, a bit each. */
enum { TO_SERVER = 1, TO_BOTH = 3 };

static unsigned sampled_to(const wspi_stack *st)
{
    unsigned odd = 0;

    for (size_t i = 0; i < st->n; i++) {
        uint8_t next = i + 1 < st->n ? st->id[i + 1] : (uint8_t)WSPI_PAYLOAD;
        bool pair = is_odd_pair(st->id[i], next);
        odd |= pair ? 1u << (st->id[i] == WSPI_IPV6 || st->id[i] == WSPI_IPV6_HOP) : 0;
        if (!pair && !pads(st, i) && !wspi_may_follow(st->id[i], next))
            return 0;
    }
    if (odd == 3) /* no error is about a report */
        return 0;
    return odd ? TO_SERVER : TO_BOTH; /* nobody answers them */
}

static bool begins_as(const wspi_stack *st, int linktype)
{
    return st->n && st->id[0] == wspi_link_layer(linktype);
}

/* Can samples have this stack, and does it begin as the link type says? */
static bool sampled_stack(const wspi_stack *st, int linktype, int dir)
{
    return begins_as(st, linktype) && sampled_to(st) >> dir & 1;
}

/* Of the common stacks: where samples can have them, and the first that is the same but for options. */
static struct {
    uint8_t to, stem;
} of_stack[UINT8_MAX];

void wspi_stacks_prepare(void)
{
    assert(wspi_common_stacks() < WSPI_COUNT(of_stack));
    for (size_t k = 0; k < wspi_common_stacks(); k++) {
        size_t i = 0;
        while (!same_but_options(wspi_common_stack(i), wspi_common_stack(k)))
            i++;
        of_stack[k].stem = (uint8_t)i;
        of_stack[k].to = (uint8_t)sampled_to(wspi_common_stack(k));
    }
}

/* The first common stack that is the same but for options; their number if none is. */
static size_t stem_of(const wspi_stack *st)
{
    size_t k = 0;

    while (k < wspi_common_stacks() &&
           (of_stack[k].stem != k || !same_but_options(wspi_common_stack(k), st)))
        k++;
    return k;
}

/* Is the last ICMP or ICMPv6 message of a direction of a type that samples have? */
static bool sampled_icmp(const wsp_context *ctx, int dir, uint8_t id)
{
    const wspi_field *d = &wspi_protos[id]->fields[WSPI_ICMP_TYPE];
    wspi_past past = wspi_context_past(ctx, dir, id, 0);
    const wspi_stack *st = &ctx->last[dir];
    uint64_t type = past.slot ? wspi_past_value(&past, d) : 0;
    size_t i = 0;

    while (i < st->n && st->id[i] != id)
        i++;
    return !past.slot || (i < st->n && wspi_icmp_sampled(id, type) &&
                          wspi_icmp_belongs(id, i ? st->id[i - 1] : id, i + 1 < st->n, type));
}

bool wspi_context_drawable(const wsp_context *ctx)
{
    for (int dir = 0; dir < 2; dir++)
        if (!sampled_icmp(ctx, dir, WSPI_ICMP) || !sampled_icmp(ctx, dir, WSPI_ICMPV6))
            return false;
    for (int dir = 0; dir < 2; dir++)
        if (ctx->next_frag[dir] ||
            (ctx->seen[dir] && !sampled_stack(&ctx->last[dir], ctx->linktype, dir)))
            return false;
    return ctx->snap == 0;
}

/* Grammar: can the named stack come after a flow's last one, whose stem that is? */
static bool may_be_next(const wspi_coder *c, unsigned i, const wspi_stack *want, size_t stem)
{
    const wspi_stack *st = named_stack(c->ctx, i);
    size_t k = i - WSPI_RECALLS;

    if (i < WSPI_RECALLS)
        return (!c->ctx->started || same_but_options(st, want)) &&
               sampled_stack(st, c->ctx->linktype, c->dir) && wspi_valid_stack(c, st, true);
    return (!c->ctx->started || of_stack[k].stem == stem) && of_stack[k].to >> c->dir & 1 &&
           begins_as(st, c->ctx->linktype) && wspi_valid_stack(c, st, true);
}

/* Grammar: a sample's stack is a common one at first, then differs in its options at most. */
static void forbid_stacks(wspi_coder *c, const wspi_stack *want)
{
    unsigned base = wspi_group_base(WSPI_T_STACK), n = wspi_group_count(WSPI_T_STACK);
    size_t stem;

    if (!c->legal || c->pos != c->n || c->bad)
        return;
    stem = c->ctx->started ? stem_of(want) : 0;
    for (unsigned i = 0; i < n; i++)
        if (!named_stack(c->ctx, i) || (!c->deviations && !may_be_next(c, i, want, stem)))
            c->legal[base + i] = 0;
}

/* Grammar: other options than those of the last stack: what is before them is kept. */
static void keep_to_tcp(wspi_coder *c, const wspi_stack *want)
{
    unsigned base = wspi_group_base(WSPI_T_KEEP);

    for (unsigned keep = 0; keep < WSPI_KEEPS; keep++)
        if (keep == 0 || keep > want->n || want->id[keep - 1] != WSPI_TCP)
            c->legal[base + keep] = 0;
}

static void code_stack(wspi_coder *c)
{
    const wsp_context *ctx = c->ctx;
    wsp_packet *p = c->p;
    const wspi_stack *want = ctx->seen[c->dir] ? &ctx->last[c->dir] : &ctx->last[!c->dir];
    unsigned named = 0, keep = 0, n_named = wspi_group_count(WSPI_T_STACK);
    bool same = c->enc && ctx->started && same_stack(p, want), unfit;

    if (c->enc && !same) {
        named = find_stack(ctx, p);
        while (ctx->started && keep < WSPI_KEEPS - 1 && keep < want->n && keep < p->n_layers &&
               want->id[keep] == p->layers[keep].id)
            keep++;
    } else if (!c->enc) {
        p->n_layers = 0;
    }
    if (wspi_may(c, wspi_group_base(WSPI_T_STACK), n_named, c->enc && !same && named < n_named,
                 false, &named)) {
        const wspi_stack *st = named_stack(ctx, named);
        c->bad = c->bad || !st;
        if (!c->enc && st)
            set_stack(p, st, st->n);
        return;
    }
    forbid_stacks(c, want);
    unfit = wspi_asked(c) && ctx->started && !wspi_valid_stack(c, want, true);
    if (!ctx->started)
        keep = wspi_must(c, wspi_group_base(WSPI_T_KEEP), 1, 0);
    else if (!wspi_may_unless(c, unfit, wspi_group_base(WSPI_T_KEEP), WSPI_KEEPS, !same, true,
                              &keep)) {
        if (unfit)
            keep_to_tcp(c, want);
        if (!c->enc)
            set_stack(p, want, want->n);
        return;
    }
    if (c->bad || c->need)
        return;
    if (!c->enc && keep > want->n) {
        c->bad = true;
        return;
    }
    if (!c->enc)
        set_stack(p, want, keep);
    code_stack_list(c, keep);
}

/* ---- frame: captured length, odd wire length, trailer ---- */

static uint32_t pad_len(const wsp_packet *p, uint32_t before)
{
    bool ethernet = p->n_layers && p->layers[0].id == WSPI_ETH;
    return ethernet && before < PAD_TO ? PAD_TO - before : 0;
}

static unsigned trailer_mode(const wsp_packet *p, uint32_t before, unsigned want)
{
    uint32_t end = p->payload_off + p->payload_len;
    bool blank = p->caplen <= end || wspi_zeros(p->data + end, p->caplen - end);
    bool pads = blank && p->trailer_len == pad_len(p, before);

    if (p->trailer_len == 0 && (want == WSPI_TRAILER_NONE || !pads))
        return WSPI_TRAILER_NONE;
    return pads ? WSPI_TRAILER_PAD : WSPI_TRAILER_DATA;
}

/* Captured length of a frame: snap is one more than the bytes kept, 0 for all of them. */
static uint32_t cut_to(uint64_t wire, uint32_t snap)
{
    return snap && snap - 1 < wire ? snap - 1 : (uint32_t)wire;
}

static void code_frame(wspi_coder *c)
{
    wsp_packet *p = c->p;
    uint64_t before = (uint64_t)wspi_headers_len(p) + p->payload_len, wire;
    unsigned want = c->ctx->trailer[c->dir], mode = 0, cut, none = 0;
    uint32_t snap = c->ctx->snap;
    bool fits;

    if (c->enc)
        mode = trailer_mode(p, (uint32_t)before, want);
    if (!wspi_may(c, wspi_group_base(WSPI_T_TRAILER), 3, mode != want, false, &mode))
        mode = want;
    if (c->fill && mode == WSPI_TRAILER_DATA)
        mode = WSPI_TRAILER_PAD; /* nobody knows the data of a recorded packet's direction */
    c->trailer = (uint8_t)mode;
    if (mode == WSPI_TRAILER_DATA)
        p->trailer_len = (uint32_t)wspi_residual(c, WSPI_R_NONE, 4, p->trailer_len);
    else if (!c->enc)
        p->trailer_len =
            mode == WSPI_TRAILER_PAD && before < PAD_TO ? pad_len(p, (uint32_t)before) : 0;
    wire = before + p->trailer_len;
    if (wire > UINT32_MAX) {
        c->bad = true;
        return;
    }
    fits = p->caplen == cut_to(wire, snap);
    cut = p->caplen < wire;
    if (wspi_may(c, wspi_group_base(WSPI_T_SNAP), 2, c->enc && !fits, true, &cut))
        snap = cut ? (uint32_t)wspi_residual(c, WSPI_R_NONE, 4, p->caplen) + 1 : 0;
    c->snap = snap;
    if (!c->enc) {
        p->wire = p->wirelen = (uint32_t)wire;
        p->caplen = cut_to(wire, snap);
    }
    if (wspi_may(c, wspi_group_base(WSPI_T_ORIG), 1, c->enc && p->wirelen < p->wire, true, &none))
        p->wirelen = (uint32_t)wspi_residual(c, WSPI_R_NONE, 4, p->wirelen);
}

/* ---- layers ---- */

static void code_extra(wspi_coder *c, wspi_layer *l)
{
    uint64_t n = wspi_residual(c, WSPI_R_NONE, 1, l->extra_len);

    if (n > WSPI_MAX_EXTRA) {
        c->bad = true;
        return;
    }
    l->extra_len = (uint8_t)n;
    wspi_residual_bytes(c, l->extra, n);
}

/* Variable parts first: lengths and checks of the frame depend on them. */
static void code_extras(wspi_coder *c)
{
    wsp_packet *p = c->p;

    for (size_t i = 0; i < p->n_layers && !c->bad && !c->need; i++) {
        if (!c->enc)
            p->layers[i] = (wspi_layer){.id = p->layers[i].id};
        if (c->fill && p->layers[i].id == WSPI_IPV6_HOP)
            wspi_ndp_alert(&p->layers[i]);
        else if (wspi_protos[p->layers[i].id]->has_extra)
            code_extra(c, &p->layers[i]);
    }
}

/* Samples: the longest payloads are those of full segments, as the peer takes them, and no datagram is longer than Ethernet takes. */
static void fit_length(wsp_packet *p, uint32_t segment)
{
    uint32_t link = p->n_layers && p->layers[0].id == WSPI_ETH ? wspi_protos[WSPI_ETH]->len : 0;
    uint32_t most = WSPI_MTU + link - wspi_headers_len(p);
    unsigned bin = wspi_bin(p->payload_len, WSPI_LEN_MANTISSA);
    bool tcp = false;

    for (size_t i = 0; i < p->n_layers; i++)
        tcp |= p->layers[i].id == WSPI_TCP;
    if (bin == wspi_bin(WSPI_LEN_SAMPLED, WSPI_LEN_MANTISSA))
        p->payload_len = tcp ? most : WSPI_MIN(p->payload_len, most);
    if (tcp && segment)
        p->payload_len = WSPI_MIN(p->payload_len, segment);
}

static void place_layers(wsp_packet *p)
{
    uint32_t off = 0;

    for (size_t i = 0; i < p->n_layers; i++) {
        p->layers[i].off = off;
        off += wspi_protos[p->layers[i].id]->len + (uint32_t)p->layers[i].extra_len;
    }
    p->payload_off = off;
}

static void code_one(wspi_coder *c, size_t i, unsigned nth, size_t f)
{
    uint8_t id = c->p->layers[i].id;
    size_t n = c->n, len = c->tally ? c->res_out->len : 0;

    wspi_code_field(c, i, nth, f);
    if (!c->tally)
        return;
    c->tally->told[id][f] += c->n > n;
    c->tally->remainder[id][f] += c->n == n && c->res_out->len > len;
}

static void code_layers(wspi_coder *c)
{
    uint8_t count[WSPI_LAYER_COUNT] = {0};

    for (size_t i = 0; i < c->p->n_layers && !c->bad && !c->need; i++) {
        uint8_t id = c->p->layers[i].id;
        unsigned nth = count[id]++;
        size_t n = wspi_protos[id]->n_fields;
        if (n == 0)
            continue;
        c->layer = i;
        if (nth)
            (void)wspi_must(c, wspi_group_base(WSPI_T_AGAIN), 1, 0);
        c->mine = wspi_context_past(c->ctx, c->dir, id, nth);
        c->theirs = wspi_context_past(c->ctx, !c->dir, id, nth);
        if (c->tally)
            c->tally->seen[id]++;
        for (uint32_t f = c->enc ? wspi_fields_to_tell(c, i) : (1u << n) - 1; f; f &= f - 1)
            code_one(c, i, nth, (size_t)__builtin_ctz(f));
    }
}

/* A sample's payload is as long as its protocol made it: the frame follows. */
static void refit(wspi_coder *c)
{
    wsp_packet *p = c->p;
    uint32_t before = wspi_headers_len(p) + (uint32_t)c->pay.at;

    p->payload_len = (uint32_t)c->pay.at;
    p->trailer_len = c->trailer == WSPI_TRAILER_PAD ? pad_len(p, before) : 0;
    p->wire = p->wirelen = p->caplen = before + p->trailer_len;
}

bool wspi_code_headers(wspi_coder *c)
{
    wsp_packet *p = c->p;

    if (!code_start(c))
        return false;
    code_length(c);
    code_stack(c);
    code_extras(c);
    if (!c->enc)
        place_layers(p);
    if (c->fill)
        fit_length(p, wspi_valid_segment(c->ctx, c->dir));
    code_frame(c);
    if (c->bad || c->need)
        return true;
    if (c->fill)
        wspi_hosts_begin(c);
    code_layers(c);
    if (c->fill && !c->bad && !c->need) {
        wspi_ndp_fit(c);
        wspi_quote_fit(c);
        wspi_cast_fit(c);
    }
    c->pay.in = c->enc ? p->data + p->payload_off : NULL;
    c->pay.wire = p->payload_len;
    c->pay.end =
        p->caplen > p->payload_off ? WSPI_MIN(p->caplen - p->payload_off, p->payload_len) : 0;
    return true;
}

void wspi_code_rest(wspi_coder *c)
{
    const wsp_packet *p = c->p;

    if (c->bad || c->need)
        return;
    wspi_code_payload(c);
    if (c->fill && c->pay.at != p->payload_len && !c->bad && !c->need)
        refit(c);
    (void)wspi_must(c, wspi_group_base(WSPI_T_END), 1, 0);
}

bool wspi_code_packet(wspi_coder *c)
{
    bool is_one = wspi_code_headers(c);

    if (is_one)
        wspi_code_rest(c);
    return is_one;
}
