/* SPDX-License-Identifier: Apache-2.0 */
/*
 * generate_draw.c: the packets of flows: tokens are drawn one by one from what the grammar allows, with the model's odds; a complete
 * packet is built, coded again as a recorded one would be, and shown to the model before the next. Flows advance
 * together in a number of slots, which the next flows take when one ends, so that the model computes for many at once. Every flow has
 * random numbers of its own, so that neither slots nor threads change what is drawn.
 */
#include <math.h>

#include "generate/generate_speaker.h"

enum { LONG_PACKET = 160, LONGEST_PACKET = 480, MOST_TRIES = 16 };

typedef struct wspi_speaker speaker;
typedef wspi_flow_drawn flow;
typedef wspi_asking asking;

void wspi_flow_begin(speaker *g, flow *f)
{
    f->fill = (wsp_filler){.seed = wspi_rng_u64(&f->rng),
                           .start_ns = f->start.start_ns,
                           .service_ports = g->o->service_ports};
    wspi_hosts_draw(&f->fill, f->hosts, g->o, f->start.number, &f->rng);
    if (f->start.from) {
        wspi_script_hosts(&f->fill, g->o->from.flows, f->start.from, g->packet);
        wsp_context_init(f->script.before, g->linktype);
    }
    f->script.begun = false;
    wsp_context_init(f->ctx, g->linktype);
    f->n = f->n_seen = f->packets = 0;
    f->gain = 0;
    f->told = false;
    f->starts++;
    f->open = true;
    f->done = false;
    wspi_dialog_begin(g, f);
}

static void start_flow(speaker *g, flow *f, const wspi_start *start)
{
    wspi_rng_seed(&f->rng, g->o->seed * 0x9e3779b97f4a7c15u + start->number);
    f->rare = (wspi_rare){.clients = g->o->rare_clients, .payloads = g->o->rare_payloads};
    /* its own, so that up to its first rare token a flow is what it would be without */
    wspi_rng_seed(&f->rare.rng, ~(g->o->seed * 0x9e3779b97f4a7c15u + start->number));
    f->start = *start;
    f->starts = f->longer = 0;
    wspi_flow_begin(g, f);
}

/* Sees to what the next packet shall be. */
static wsp_status begin_packet(speaker *g, flow *f, wsp_error *err)
{
    const wsp_from *from = &g->o->from;
    wspi_script *s = &f->script;
    bool drawable = !f->ctx->started || wspi_context_drawable(f->ctx);

    s->begun = true;
    f->walk->n = 0;
    s->step = wspi_script_step(from, f->start.from, f->packets);
    s->count = 0;
    if (s->step == WSPI_STOP || (s->step == WSPI_DRAW && !drawable)) {
        g->undrawn += s->step == WSPI_DRAW;
        f->open = false;
        return WSP_OK;
    }
    if (s->step == WSPI_DRAW)
        return WSP_OK;
    g->infill.met |= s->step == WSPI_INFILL;
    WSP_TRY(wspi_script_read(s, from->flows, f->start.from, f->packets, g->packet, g->resid, err));
    if (s->step == WSPI_INFILL && drawable) {
        g->marked = (wspi_range){0, wsp_vocab_size()}; /* it marks anywhere */
        wspi_script_prefix(s, from, g->decoder, f->ctx, &f->fill, g->legal, f->ids, &f->n);
    }
    if (s->step == WSPI_TELL || !drawable || f->n == s->n) {
        s->step = WSPI_TELL;
        f->n = 0;
        f->done = !from->times || f->packets == 0;
    }
    g->infill.drawn |= s->step == WSPI_INFILL;
    return WSP_OK;
}

/* Of a recorded packet with another gap before it: gaps of its direction. */
static void allow_gaps(const flow *f, uint8_t *legal, wspi_range *marked, bool *done)
{
    unsigned base = wspi_group_base(WSPI_T_START);
    bool back = (unsigned)f->script.ids[0] - base >= WSPI_STARTS;

    *done = f->n == 1;
    *marked = (wspi_range){base, base + 2 * WSPI_STARTS};
    if (!*done)
        memset(legal + base + back * WSPI_STARTS + WSPI_START_GAP, 1, WSPI_GAP_BINS);
}

/* Takes marks away as long as others are left. */
static void forbid_if_others(uint8_t *legal, wspi_range marked, const uint16_t *ids, size_t m)
{
    size_t left = 0, taken = 0;

    for (size_t i = marked.from; i < marked.to; i++)
        left += legal[i];
    for (size_t i = 0; i < m; i++)
        taken += legal[ids[i]];
    for (size_t i = 0; i < m && left > taken; i++)
        legal[ids[i]] = 0;
}

/* A flow that shall have more packets does not end, and TCP does not close while more than a goodbye is wanted. */
static void keep_going(const flow *f, uint8_t *legal, wspi_range marked)
{
    enum { GOODBYE = 3 };
    const wspi_field *d = &wspi_protos[WSPI_TCP]->fields[WSPI_TCP_FLAGS];
    const uint16_t end = (uint16_t)(wspi_group_base(WSPI_T_START) + WSPI_START_END);
    uint16_t closing[32];
    size_t m = 0;

    if (f->packets >= f->start.min_packets)
        return;
    if (f->n == 0)
        forbid_if_others(legal, marked, &end, 1);
    if (f->packets + GOODBYE >= f->start.min_packets)
        return;
    for (size_t k = 0; d->values[k].name && m < WSPI_COUNT(closing); k++)
        if (d->values[k].value & (WSPI_TH_FIN | WSPI_TH_RST))
            closing[m++] = (uint16_t)(wspi_field_base(WSPI_TCP, WSPI_TCP_FLAGS) + k);
    forbid_if_others(legal, marked, closing, m);
}

/* What the grammar allows, less what the model was not trained to go on with: marks of g->legal. */
static wsp_status allowed(speaker *g, flow *f, bool *done, wsp_error *err)
{
    const wspi_script *s = &f->script;
    unsigned start = wspi_group_base(WSPI_T_START), end = wspi_group_base(WSPI_T_END);
    uint8_t *legal = g->legal;
    wspi_range *marked = &g->marked;
    size_t text = 0;

    memset(legal + marked->from, 0, marked->to - marked->from);
    if (s->step == WSPI_TELL) {
        allow_gaps(f, legal, marked, done);
        return WSP_OK;
    }
    WSP_TRY(wspi_grammar_mark(g->decoder, f->ctx, f->ids, f->n, &f->fill, false, f->walk, legal,
                              marked, done, err));
    for (size_t i = 0; i < f->n; i++)
        text += wspi_in_group(f->ids[i], WSPI_T_TEXT);
    if (f->packets == 0)
        legal[start + WSPI_STARTS] = 0; /* it is the client's */
    /* no more than the model reads, and none where a dialog says other words */
    if (legal[end] && (text >= g->o->max_payload || (f->dialog.speaks && !f->dialog.off)))
        memset(legal + wspi_group_base(WSPI_T_TEXT), 0, wspi_group_count(WSPI_T_TEXT));
    if (legal[end] && f->n > LONG_PACKET) {
        memset(legal + marked->from, 0, marked->to - marked->from);
        legal[end] = 1;
    }
    if (s->count && f->n == s->at)
        for (unsigned id = marked->from; id < marked->to; id++)
            legal[id] &= id - s->from < s->count;
    if (f->start.min_packets)
        keep_going(f, legal, *marked);
    return WSP_OK;
}

/* The marked tokens as a list. Most are not: they are looked at 32 at a time. */
static size_t list_marked(uint16_t *list, const uint8_t *mark, wspi_range in)
{
    enum { WIDE = 4 };
    uint64_t any[WIDE];
    size_t m = 0;

    for (size_t i = in.from; i < in.to; i += sizeof any) {
        size_t end = WSPI_MIN(i + sizeof any, (size_t)in.to);

        if (i + sizeof any <= in.to) {
            memcpy(any, mark + i, sizeof any);
            if (!(any[0] | any[1] | any[2] | any[3]))
                continue;
        }
        for (size_t k = i; k < end; k++) { /* no branch: which are marked is hard to foresee */
            list[m] = (uint16_t)k;
            m += mark[k];
        }
    }
    return m;
}

/* Begins the flow's packet where it has none. *open: it is not complete, and g->legal has what may come. */
static wsp_status look_on(speaker *g, flow *f, bool *open, wsp_error *err)
{
    *open = false;
    if (!f->open || f->done)
        return WSP_OK;
    if (!f->script.begun) {
        WSP_TRY(begin_packet(g, f, err));
        wspi_rare_begin(&f->rare, f->script.step == WSPI_TELL ? 0 : g->o->rare);
    }
    if (!f->open || f->done)
        return WSP_OK;
    WSP_TRY(allowed(g, f, &f->done, err));
    if (f->done && wspi_rare_again(&f->rare, f->ids, &f->n))
        WSP_TRY(allowed(g, f, &f->done, err));
    *open = !f->done;
    return WSP_OK;
}

/* The flow is asked for in this round: one of these tokens may come. */
static void ask(speaker *g, size_t i, const uint16_t *legal, size_t choices, asking *r)
{
    const flow *f = &g->flows[i];
    const size_t T = g->cfg->max_tokens;
    wsp_prefix *p = &r->prefix[r->n];

    *p = (wsp_prefix){.context = g->context + i * g->cfg->channels,
                      .ids = g->prefix + i * T,
                      .wanted = legal,
                      .n_wanted = choices,
                      .memory = f->memory};
    p->len = (uint32_t)wsp_policy_apply(wsp_policy_get("everything"), f->ids, f->n,
                                        g->o->max_payload, T - 1, NULL, g->prefix + i * T);
    r->legal[r->n] = choices;
    r->flow[r->n++] = i;
}

/* The same, of a flow that begins again where what the model would have cannot be. */
static void ask_what(speaker *g, size_t i, const uint16_t *legal, size_t choices, asking *r)
{
    wsp_prefix *p = &r->prefix[r->n];

    ask(g, i, legal, choices, r);
    p->wanted = g->wide + i * g->cfg->vocab;
    p->n_wanted = wspi_guide_widen(&g->guide, legal, choices, g->wide + i * g->cfg->vocab);
}

/* The flow's packet up to where there is a choice, so that more flows are asked for at once. *choices: 0: it is complete, or its flow over. */
static wsp_status to_choice(speaker *g, flow *f, uint16_t *legal, size_t *choices, wsp_error *err)
{
    bool open;

    for (*choices = 1; *choices == 1;) {
        WSP_TRY(look_on(g, f, &open, err));
        *choices = open ? list_marked(legal, g->legal, g->marked) : 0;
        if (!open)
            return WSP_OK;
        if ((*choices == 0 || f->n >= LONGEST_PACKET) &&
            wspi_rare_undo(&f->rare, f->ids, &f->n, &f->done)) {
            *choices = 1;
            continue;
        }
        if (*choices == 0) { /* its packets have brought it where no sample goes on */
            f->open = false;
            g->undrawn++;
        } else if (f->n >= LONGEST_PACKET) {
            return wspi_fail(err, WSP_ERR_FORMAT, f->n, "a packet has no end after %zu tokens",
                             f->n);
        } else if (*choices == 1) {
            f->ids[f->n++] = legal[0];
        }
    }
    return WSP_OK;
}

/* One more token for every open flow whose packet is not complete; *left counts them. */
static wsp_status draw_tokens(speaker *g, size_t *left, wsp_error *err)
{
    asking usual = {.n = 0}, guided = {.n = 0}, rare = {.n = 0};

    *left = 0;
    for (size_t i = 0; i < SLOTS; i++) {
        flow *f = &g->flows[i];
        uint16_t *legal = g->choices + i * g->cfg->vocab;
        size_t choices;

        WSP_TRY(to_choice(g, f, legal, &choices, err));
        if (choices == 0)
            continue;
        ++*left;
        if (wspi_rare_looks(&f->rare, f->n))
            ask(g, i, legal, choices, &rare);
        else if (!wspi_is_guided(g, f))
            ask(g, i, legal, choices, &usual);
        else if (wspi_guide_any(&g->guide, legal, choices))
            ask_what(g, i, legal, choices, &guided);
        else
            ask(g, i, legal, choices, &guided);
    }
    WSP_TRY(wspi_choose(g, &usual, err));
    WSP_TRY(wspi_choose_guided(g, &guided, err));
    return wspi_choose_rare(g, &rare, err);
}

/* What the payload is, of a packet with these tokens. */
static enum wspi_content said_by(const uint16_t *ids, size_t n)
{
    const unsigned none = wspi_group_base(WSPI_T_APP);

    for (size_t i = 0; i < n; i++) {
        enum wspi_group of = (enum wspi_group)wspi_the_vocab.group_of[ids[i]];
        if (of == WSPI_T_APP && ids[i] != none)
            return WSPI_CONTENT_MESSAGE;
        if (of == WSPI_T_KIND)
            return WSPI_CONTENT_BYTES;
    }
    return WSPI_CONTENT_NONE;
}

/* The same, of a segment or a datagram. */
static enum wspi_content content_of(const wsp_packet *p, const uint16_t *ids, size_t n)
{
    bool ports = false, quoted = false;

    for (size_t i = 0; i < p->n_layers; i++) {
        ports |= p->layers[i].id == WSPI_TCP || p->layers[i].id == WSPI_UDP;
        quoted |= p->layers[i].id == WSPI_ICMP || p->layers[i].id == WSPI_ICMPV6;
    }
    return ports && !quoted ? said_by(ids, n) : WSPI_CONTENT_NONE;
}

/* Packets of a capture that have one time stay in its order, and what is drawn is where the recorded one was, or behind the last. */
static size_t place_of(const flow *f)
{
    const wspi_told_flow *told = f->start.from;

    return told ? told->packet[WSPI_MIN(f->packets, told->n - 1)].at : 0;
}

/* A packet with n tokens, which are in f->seen. */
static wsp_status keep_frame(speaker *g, const flow *f, size_t n, const wsp_frame *frame)
{
    wspi_frames *to = &g->frames;
    enum wspi_content content = WSPI_CONTENT_NONE;

    if (f->says && g->packet->payload_len > 0)
        content = WSPI_CONTENT_MESSAGE;
    else if (f->script.step == WSPI_DRAW)
        content = content_of(g->packet, f->seen, n);
    WSP_TRY(wspi_grow(&to->ref, &to->cap, to->n + 1, sizeof *to->ref));
    to->ref[to->n++] = (wspi_frame_ref){.time_ns = frame->time_ns,
                                        .in = &to->bytes,
                                        .at = to->bytes.len,
                                        .len = frame->caplen,
                                        .wirelen = frame->wirelen,
                                        .packet = (uint32_t)f->packets,
                                        .place = place_of(f),
                                        .flow = f->start.number,
                                        .condition = f->start.condition,
                                        .content = content,
                                        .swap = f->rare.swap};
    return wspi_buf_add(&to->bytes, frame->data, frame->caplen);
}

/* What a packet is told with, after what the new flow has before it: false where that says another thing, or needs less or more. */
static bool decodes(speaker *g, flow *f, wsp_decoded *out)
{
    const wspi_script *s = &f->script;
    const uint8_t *resid = s->resid.data, *end = resid + s->resid.len;
    size_t used;

    return wsp_decode_packet(g->decoder, f->trial, s->ids, s->n, &used, &resid, end, out, NULL) ==
               WSP_OK &&
           used == s->n && resid == end;
}

/* A recorded packet after what the new flow has before it. */
static wsp_status tell_packet(speaker *g, flow *f, wsp_decoded *out, wsp_error *err)
{
    const wspi_told_packet *told = &f->start.from->packet[f->packets];
    const wspi_script *s = &f->script;

    if (!decodes(g, f, out)) {
        /* its payload does not go on with what the new flow has said: it stays, and only its numbers are moved */
        *out = (wsp_decoded){.dir = told->dir, .number = f->packets};
        if (wspi_move_frame(&g->editor, g->o->from.flows, told, f->ctx, s, &out->frame) < 0)
            return wspi_nomem(err, "a packet", told->len);
        out->frame.time_ns = f->ctx->last_ns + s->gap_ns;
    } else if (wspi_move_sack(&g->editor, g->o->from.flows, told, &out->frame) < 0) {
        return wspi_nomem(err, "a packet", told->len);
    }
    if (f->n == 1) { /* with a gap that was drawn */
        unsigned bin = (f->ids[0] - wspi_group_base(WSPI_T_START)) % WSPI_STARTS - WSPI_START_GAP;
        unsigned bits = wspi_bin_bits(bin, WSPI_GAP_MANTISSA);
        out->frame.time_ns = f->ctx->last_ns + wspi_bin_start(bin, WSPI_GAP_MANTISSA) +
                             wspi_rng_below(&f->rng, UINT64_C(1) << bits);
    }
    return WSP_OK;
}

/* The packet of the drawn tokens, or of the capture, is built on a copy of the context. EOF: the flow ends. */
static wsp_status build_packet(speaker *g, flow *f, wsp_decoded *out, wsp_error *err)
{
    const wspi_script *s = &f->script;
    wsp_status st;

    memcpy(f->trial, f->ctx, wsp_context_size());
    st = s->step == WSPI_TELL
             ? tell_packet(g, f, out, err)
             : wsp_grammar_build(g->decoder, f->trial, f->ids, f->n, &f->fill, out, err);
    if (st != WSP_OK)
        return st;
    if (s->step == WSPI_INFILL && f->packets > 0)
        out->frame.time_ns = f->ctx->last_ns + s->gap_ns;
    st = s->step == WSPI_INFILL && !f->ctx->started
             ? wspi_keep_ends(&g->editor, g->o->from.flows, &f->start.from->packet[f->packets],
                              &out->frame)
             : WSP_OK;
    f->dialog_tried = f->dialog;
    f->says = false;
    if (st == WSP_OK && s->step == WSPI_DRAW)
        st = wspi_dialog_frame(g, f, said_by(f->ids, f->n), out->dir, &out->frame);
    if (st == WSP_OK)
        st = wspi_edit_frame(&g->editor, g->o->edits, g->o->n_edits, g->linktype, f->packets + 1,
                             &out->frame);
    return st < 0 ? wspi_nomem(err, "a packet", out->frame.caplen) : WSP_OK;
}

/*
 * Has it more than a packet of the link has room for, or than the other side takes in a segment (if that is a usual one: RFC 9293 3.7.1)?
 * An answer of DNS has as many records as it has said, however long they become, and is drawn again then: most that a model draws fit,
 * so that a packet that is too long so often stays what it is.
 */
static bool is_too_long(const speaker *g, const flow *f, const wsp_decoded *out)
{
    enum { LEAST_SEGMENT = 536 };
    const wsp_packet *p = g->packet;
    uint32_t segment = wspi_valid_segment(f->ctx, out->dir);

    if (f->script.step != WSPI_DRAW || f->longer >= MOST_TRIES)
        return false;
    if (segment >= LEAST_SEGMENT && p->payload_len > segment)
        return true;
    for (size_t i = 0; i < p->n_layers; i++)
        if (p->layers[i].id == WSPI_IPV4 || p->layers[i].id == WSPI_IPV6)
            return out->frame.wirelen - p->layers[i].off > WSPI_MTU;
    return false;
}

/* A dialog's side that has to wait, or its message that the codec would go on with as one of a protocol that it has a grammar of. */
static bool is_out_of_place(const speaker *g, const flow *f, size_t n)
{
    return f->says && f->longer < MOST_TRIES &&
           (g->packet->payload_len == 0 || said_by(f->seen, n) == WSPI_CONTENT_MESSAGE);
}

static void draw_again(speaker *g, flow *f)
{
    f->longer++;
    f->n = 0;
    f->done = f->script.begun = false;
    if (f->packets == 0)
        wspi_flow_begin(g, f);
}

/*
 * The encoder moves the context on, as it would after a recorded packet. A packet that has not got its rare token, since
 * what is written follows other rules (a pool's address, a message's own length), is drawn again: *told is false then.
 */
static wsp_status finish_packet(speaker *g, flow *f, bool *told, wsp_error *err)
{
    wsp_decoded out;
    wsp_context *now = f->ctx;
    wsp_status st;
    size_t n;

    *told = !wspi_is_guided(g, f) || wspi_follows(g, f); /* it has said all by its headers */
    if (!*told)
        return WSP_OK;
    st = build_packet(g, f, &out, err);
    *told = st == WSP_OK;
    f->open = st == WSP_OK;
    if (st != WSP_OK)
        return st == WSP_EOF ? WSP_OK : st;
    wspi_dissect_wraps(g->packet, g->linktype, &out.frame, 0);
    if (is_too_long(g, f, &out)) {
        draw_again(g, f);
        *told = false;
        return WSP_OK;
    }
    wsp_residual_reset(g->resid);
    memcpy(f->trial, now, wsp_context_size());
    if (wsp_encode_packet(f->trial, g->packet, out.dir, out.number, f->seen, &n, g->resid) < 0)
        return wspi_nomem(err, "a packet", out.frame.caplen);
    if ((f->says && wspi_in_group(f->rare.swap.to, WSPI_T_TEXT)) || /* what was drawn is not said */
        !wspi_rare_came(&f->rare.swap, f->ids, f->n, f->seen, n, &out.frame)) {
        *told = !wspi_rare_undo(&f->rare, f->ids, &f->n, &f->done);
        return WSP_OK;
    }
    if (is_out_of_place(g, f, n)) {
        draw_again(g, f);
        *told = false;
        return WSP_OK;
    }
    f->ctx = f->trial;
    f->trial = now;
    wspi_dialog_keep(f, !f->says && said_by(f->seen, n) == WSPI_CONTENT_MESSAGE,
                     g->packet->payload_len > 0, out.dir);
    if (keep_frame(g, f, n, &out.frame) < 0)
        return wspi_nomem(err, "the packets", g->frames.n);
    f->n_seen = wsp_policy_apply(wsp_policy_get("everything"), f->seen, n, g->o->max_payload,
                                 g->cfg->max_tokens, NULL, f->seen);
    f->packets++;
    f->n = f->longer = 0;
    f->done = f->script.begun = false;
    f->open = f->packets < f->start.max_packets;
    return WSP_OK;
}

/* Shows the n new packets, of the flows `at`, to the model. */
static wsp_status advance(speaker *g, const size_t *at, size_t n, wsp_error *err)
{
    const size_t width = g->cfg->channels;
    uint32_t packet_off[SLOTS + 1] = {0}, flow_off[SLOTS + 1] = {0};
    float *states[SLOTS];
    wsp_batch b = {.packet_off = packet_off,
                   .flow_off = flow_off,
                   .ids = g->prefix,
                   .n_flows = n,
                   .n_packets = n};

    for (size_t k = 0; k < n; k++) {
        flow *f = &g->flows[at[k]];

        memcpy(g->prefix + b.n_tokens, f->seen, f->n_seen * sizeof *f->seen);
        b.n_tokens += f->n_seen;
        states[k] = f->state;
        packet_off[k + 1] = (uint32_t)b.n_tokens;
        flow_off[k + 1] = (uint32_t)(k + 1);
    }
    if (n == 0)
        return WSP_OK;
    WSP_TRY(wsp_state_step(g->runner, states, &b, g->gathered, NULL, err));
    for (size_t k = 0; k < n; k++)
        memcpy(g->context + at[k] * width, g->gathered + k * width, width * sizeof *g->context);
    return WSP_OK;
}

static wsp_status finish_packets(speaker *g, wsp_error *err)
{
    size_t at[SLOTS], n = 0;

    for (size_t i = 0; i < SLOTS; i++) {
        flow *f = &g->flows[i];

        bool told;

        if (!f->open || !f->done)
            continue;
        WSP_TRY(finish_packet(g, f, &told, err));
        if (told && f->open)
            at[n++] = i;
    }
    return advance(g, at, n, err);
}

/* Free ones of the first slots take the next flows. */
static wsp_status start_flows(speaker *g, const wspi_supply *from, size_t slots, wsp_error *err)
{
    const size_t width = g->cfg->channels;
    int32_t condition[SLOTS];
    float *states[SLOTS];
    size_t at[SLOTS], n = 0;
    wspi_start start;

    for (size_t i = 0; i < slots; i++) {
        flow *f = &g->flows[i];

        if (f->open || !from->next(from->arg, &start))
            continue;
        start_flow(g, f, &start);
        condition[n] = start.condition;
        states[n] = f->state;
        at[n++] = i;
    }
    if (n == 0)
        return WSP_OK;
    WSP_TRY(wsp_state_start(g->runner, states, condition, n, g->gathered, err));
    for (size_t k = 0; k < n; k++)
        memcpy(g->context + at[k] * width, g->gathered + k * width, width * sizeof *g->context);
    return WSP_OK;
}

static size_t open_flows(const speaker *g)
{
    size_t n = 0;

    for (size_t i = 0; i < SLOTS; i++)
        n += g->flows[i].open;
    return n;
}

wsp_status wspi_speaker_run(wspi_speaker *g, const wspi_supply *from, size_t slots, wsp_error *err)
{
    for (;;) {
        size_t open, drawing, made = g->frames.n;

        WSP_TRY(start_flows(g, from, slots, err));
        open = open_flows(g);
        if (open == 0)
            return WSP_OK;
        /* long packets go on being drawn while the others' are finished: the model computes for many at once */
        do
            WSP_TRY(draw_tokens(g, &drawing, err));
        while (drawing > open / 2);
        WSP_TRY(finish_packets(g, err));
        WSP_TRY(from->made(from->arg, open - open_flows(g), g->frames.n - made, err));
    }
}

/* ---- trials ---- */

enum { TRIALS = 48 };

typedef struct trials {
    int32_t condition;
    uint64_t n;
} trials;

static bool next_trial(void *arg, wspi_start *out)
{
    trials *t = arg;

    if (t->n == TRIALS)
        return false;
    *out = (wspi_start){.number = UINT64_MAX - t->n++, .condition = t->condition, .max_packets = 1};
    return true;
}

static int by_gain(const void *a, const void *b)
{
    const float *x = a, *y = b;

    return *x < *y ? -1 : *x > *y;
}

wsp_status wspi_speaker_try(speaker *g, int32_t condition, float *gain, wsp_error *err)
{
    trials t = {.condition = condition};
    wspi_supply from = {.next = next_trial, .arg = &t};
    float gains[TRIALS];
    size_t n = 0, left = 1;

    WSP_TRY(start_flows(g, &from, TRIALS, err));
    while (left > 0) {
        WSP_TRY(draw_tokens(g, &left, err));
        for (size_t i = 0; i < TRIALS; i++)
            g->flows[i].open &= !g->flows[i].told;
    }
    for (size_t i = 0; i < TRIALS; i++) {
        if (g->flows[i].told || g->flows[i].done)
            gains[n++] = (float)g->flows[i].gain;
        g->flows[i].open = false;
    }
    qsort(gains, n, sizeof *gains, by_gain);
    *gain = n ? gains[n * 3 / 4] : -INFINITY;
    g->undrawn = 0;
    g->editor.set = 0;
    return WSP_OK;
}

void wspi_speaker_guide(speaker *g, const float *usual_gain)
{
    g->usual_gain = usual_gain;
}
