/* SPDX-License-Identifier: Apache-2.0 */
/*
 * generate_draw.c: the packets of flows: tokens are drawn one by one from what the grammar allows, with the model's odds; a complete
 * packet is built, coded again as a recorded one would be, and shown to the model before the next. Flows advance
 * together in a number of slots, which the next flows take when one ends, so that the model computes for many at once. Every flow has
 * random numbers of its own, so that neither slots nor threads change what is drawn.
 */
#include <math.h>

#include "task/generate_int.h"

enum { SLOTS = WSPI_FLOWS_AT_ONCE, LONG_PACKET = 160, LONGEST_PACKET = 480, MOST_STARTS = 16 };

/* ---- flows ---- */

typedef struct flow {
    wspi_start start;
    wsp_context *ctx, *trial; /* of the packets so far; scratch of building */
    wsp_filler fill;
    wsp_host hosts[2][WSPI_HOSTS]; /* fill's */
    wspi_rng rng;
    float *state;
    void *memory,
        *plain_memory; /* of the packet in the making; the same without a condition, to guide by */
    uint16_t ids[WSP_MAX_PACKET_TOKENS],
        seen[WSP_MAX_PACKET_TOKENS]; /* drawn; as the model reads */
    size_t n, n_seen, packets;
    unsigned starts; /* how often it has begun */
    bool open, done; /* the flow goes on; its packet is complete */
    wspi_script script;
    wspi_rare rare;
} flow;

struct wspi_speaker {
    const wsp_model *m;
    const wsp_generate_options *o;
    const wsp_model_config *cfg;
    wsp_runner *runner;
    wsp_decoder *decoder;
    wsp_packet *packet;
    wsp_residual *resid;
    flow flows[SLOTS];
    float *context, *gathered; /* [SLOTS][C] */
    float *plain;              /* [C] of a flow without a condition before its first packet */
    float *logits;             /* [2 SLOTS][V] */
    uint8_t *legal;            /* [V] marks of the grammar ... */
    wspi_range marked;         /* ... all in here */
    uint8_t *barred;           /* [V] what is never a rare token */
    wspi_guide guide;
    uint16_t *choices; /* [SLOTS][V] the same as lists */
    uint16_t *wide;    /* [SLOTS][V] and with all tokens that say what a flow is */
    uint16_t *prefix;  /* [SLOTS][max_tokens] */
    wspi_candidate *scratch;
    wspi_frames frames;
    wspi_editor editor;
    int linktype;
    size_t undrawn; /* flows that cannot be gone on with */
};
typedef struct wspi_speaker speaker;

/* From its first packet on. */
static void begin_flow(speaker *g, flow *f)
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
    f->starts++;
    f->open = true;
    f->done = false;
}

static void start_flow(speaker *g, flow *f, const wspi_start *start)
{
    wspi_rng_seed(&f->rng, g->o->seed * 0x9e3779b97f4a7c15u + start->number);
    f->rare = (wspi_rare){.wanted = false};
    /* its own, so that up to its first rare token a flow is what it would be without */
    wspi_rng_seed(&f->rare.rng, ~(g->o->seed * 0x9e3779b97f4a7c15u + start->number));
    f->start = *start;
    f->starts = 0;
    begin_flow(g, f);
}

/* Sees to what the next packet shall be. */
static wsp_status begin_packet(speaker *g, flow *f, wsp_error *err)
{
    const wsp_from *from = &g->o->from;
    wspi_script *s = &f->script;
    bool drawable = !f->ctx->started || wspi_context_drawable(f->ctx);

    s->begun = true;
    s->step = wspi_script_step(from, f->start.from, f->packets);
    s->count = 0;
    if (s->step == WSPI_STOP || (s->step == WSPI_DRAW && !drawable)) {
        g->undrawn += s->step == WSPI_DRAW;
        f->open = false;
        return WSP_OK;
    }
    if (s->step == WSPI_DRAW)
        return WSP_OK;
    WSP_TRY(wspi_script_read(s, from->flows, f->start.from, f->packets, g->packet, g->resid, err));
    if (s->step == WSPI_INFILL && drawable) {
        g->marked = (wspi_range){0, wsp_vocab_size()}; /* it marks anywhere */
        WSP_TRY(wspi_script_prefix(s, from, g->decoder, f->ctx, &f->fill, g->legal, f->ids, &f->n,
                                   err));
    }
    if (s->step == WSPI_TELL || !drawable || f->n == s->n) {
        s->step = WSPI_TELL;
        f->n = 0;
        f->done = !from->times || f->packets == 0;
    }
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
    WSP_TRY(wspi_grammar_mark(g->decoder, f->ctx, f->ids, f->n, &f->fill, false, legal, marked,
                              done, err));
    for (size_t i = 0; i < f->n; i++)
        text += wspi_in_group(f->ids[i], WSPI_T_TEXT);
    if (f->packets == 0)
        legal[start + WSPI_STARTS] = 0; /* it is the client's */
    if (legal[end] && text >= g->o->max_payload)
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
        for (size_t k = i; k < end; k++)
            if (mark[k])
                list[m++] = (uint16_t)k;
    }
    return m;
}

/* Random numbers of the flows that are asked for a token. */
typedef struct dice {
    flow *flows;
    const size_t *asked;
} dice;

static double throw_dice(void *arg, size_t i)
{
    const dice *d = arg;

    return wspi_rng_unit(&d->flows[d->asked[i]].rng);
}

/* Is the flow's next token drawn by what its condition changes? In its first packet, where there is such a choice. */
static bool is_guided(const speaker *g, const flow *f, const uint16_t *legal, size_t n)
{
    return g->o->guide > 0 && f->start.condition >= 0 && f->packets == 0 &&
           wspi_guide_any(&g->guide, legal, n);
}

/* Logits of the flows `asked`, guided by their conditions. */
static wsp_status guided_logits(speaker *g, wsp_prefix *prefix, const size_t *asked, size_t n,
                                wsp_error *err)
{
    const size_t v = g->cfg->vocab;

    for (size_t k = 0; k < n; k++) {
        prefix[n + k] = prefix[k];
        prefix[n + k].context = g->plain;
        prefix[n + k].memory = g->flows[asked[k]].plain_memory;
    }
    WSP_TRY(wsp_runner_next_token(g->runner, prefix, 2 * n, g->logits, err));
    for (size_t k = 0; k < n; k++)
        wspi_guide_push(&g->guide, g->o->guide, g->logits + k * v, g->logits + (n + k) * v,
                        prefix[k].wanted, prefix[k].n_wanted);
    return WSP_OK;
}

/* Flows that a token is to be drawn for, with what the model is asked for them. */
typedef struct asking {
    size_t flow[SLOTS], n;
    size_t legal[SLOTS]; /* how many tokens may come: the first of g->choices of its slot */
    wsp_prefix
        prefix[2 * SLOTS]; /* twice: guided ones are asked for without their condition, too */
} asking;

static void put_token(flow *f, uint16_t token)
{
    wspi_rare_saw(&f->rare, f->n);
    f->ids[f->n++] = token;
}

static void sample_tokens(speaker *g, const asking *r)
{
    for (size_t k = 0; k < r->n; k++) {
        flow *f = &g->flows[r->flow[k]];
        put_token(f, wspi_sample(g->logits + k * g->cfg->vocab, r->prefix[k].wanted,
                                 r->prefix[k].n_wanted, g->o, g->scratch, &f->rng));
    }
}

/* A token for each of the flows. By the model's own odds the runner draws it, which computes less. */
static wsp_status choose_tokens(speaker *g, asking *r, wsp_error *err)
{
    const wsp_generate_options *o = g->o;
    uint16_t token[SLOTS];
    dice d = {g->flows, r->flow};

    if (r->n == 0)
        return WSP_OK;
    if (o->temperature != 1 || o->top_k || o->top_p < 1) {
        WSP_TRY(wsp_runner_next_token(g->runner, r->prefix, r->n, g->logits, err));
        sample_tokens(g, r);
        return WSP_OK;
    }
    WSP_TRY(wsp_runner_draw_token(g->runner, r->prefix, r->n, throw_dice, &d, token, err));
    for (size_t k = 0; k < r->n; k++)
        put_token(&g->flows[r->flow[k]], token[k]);
    return WSP_OK;
}

static int by_id(const void *a, const void *b)
{
    return *(const uint16_t *)a - *(const uint16_t *)b;
}

/*
 * A token that says what the flow is, drawn from all there are. One that no sample can have does not leave its odds to the
 * others, of which the model thinks little: the flow begins again, so that flows have the odds that they have among those that samples
 * can be. A flow that never can is drawn by what is left.
 */
static void choose_what(speaker *g, const asking *r, size_t k)
{
    const wsp_prefix *p = &r->prefix[k];
    const uint16_t *legal = g->choices + r->flow[k] * g->cfg->vocab;
    float *logits = g->logits + k * g->cfg->vocab;
    flow *f = &g->flows[r->flow[k]];
    uint16_t token = wspi_sample(logits, p->wanted, p->n_wanted, g->o, g->scratch, &f->rng);

    if (bsearch(&token, legal, r->legal[k], sizeof token, by_id))
        put_token(f, token);
    else if (f->starts < MOST_STARTS)
        begin_flow(g, f);
    else
        put_token(f, wspi_sample(logits, legal, r->legal[k], g->o, g->scratch, &f->rng));
}

static wsp_status choose_guided(speaker *g, asking *r, wsp_error *err)
{
    if (r->n == 0)
        return WSP_OK;
    WSP_TRY(guided_logits(g, r->prefix, r->flow, r->n, err));
    for (size_t k = 0; k < r->n; k++)
        choose_what(g, r, k);
    return WSP_OK;
}

/* A rare token for each of the flows, by the model's own odds; where there is none, the one that was drawn stays. */
static wsp_status choose_rare(speaker *g, const asking *r, wsp_error *err)
{
    if (r->n == 0)
        return WSP_OK;
    WSP_TRY(wsp_runner_next_token(g->runner, r->prefix, r->n, g->logits, err));
    for (size_t k = 0; k < r->n; k++) {
        flow *f = &g->flows[r->flow[k]];
        const wsp_prefix *p = &r->prefix[k];

        if (wspi_rare_sample(&f->rare, g->logits + k * g->cfg->vocab, p->wanted, p->n_wanted,
                             g->barred, f->ids[f->n], g->scratch))
            f->ids[f->n] = f->rare.swap.to;
        f->n++;
    }
    return WSP_OK;
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
        else if (is_guided(g, f, legal, choices))
            ask_what(g, i, legal, choices, &guided);
        else
            ask(g, i, legal, choices, &usual);
    }
    WSP_TRY(choose_tokens(g, &usual, err));
    WSP_TRY(choose_guided(g, &guided, err));
    return choose_rare(g, &rare, err);
}

static wsp_status keep_frame(speaker *g, const flow *f, const wsp_frame *frame)
{
    wspi_frames *to = &g->frames;

    WSP_TRY(wspi_grow(&to->ref, &to->cap, to->n + 1, sizeof *to->ref));
    to->ref[to->n++] = (wspi_frame_ref){.time_ns = frame->time_ns,
                                        .in = &to->bytes,
                                        .at = to->bytes.len,
                                        .len = frame->caplen,
                                        .wirelen = frame->wirelen,
                                        .packet = (uint32_t)f->packets,
                                        .flow = f->start.number,
                                        .condition = f->start.condition,
                                        .swap = f->rare.swap};
    return wspi_buf_add(&to->bytes, frame->data, frame->caplen);
}

/* A recorded packet after what the new flow has before it. */
static wsp_status tell_packet(speaker *g, flow *f, wsp_decoded *out, wsp_error *err)
{
    const wspi_told_packet *told = &f->start.from->packet[f->packets];
    const wspi_script *s = &f->script;
    const uint8_t *resid = s->resid.data;
    size_t used;

    if (wsp_decode_packet(g->decoder, f->trial, s->ids, s->n, &used, &resid, resid + s->resid.len,
                          out, NULL) != WSP_OK) {
        /* its payload does not go on with what the new flow has said: it stays, and only its numbers are moved */
        *out = (wsp_decoded){.dir = told->dir, .number = f->packets};
        if (wspi_move_frame(&g->editor, g->o->from.flows, told, f->ctx, s, &out->frame) < 0)
            return wspi_nomem(err, "a packet", told->len);
        out->frame.time_ns = f->ctx->last_ns + s->gap_ns;
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
    if (st == WSP_OK)
        st = wspi_edit_frame(&g->editor, g->o->edits, g->o->n_edits, g->linktype, f->packets + 1,
                             &out->frame);
    return st < 0 ? wspi_nomem(err, "a packet", out->frame.caplen) : WSP_OK;
}

/*
 * The encoder moves the context on, as it would after a recorded packet. A packet that has not got its rare token, since
 * what is written follows other rules (a pool's address, a message's own length), is drawn again: *told is false then.
 */
static wsp_status finish_packet(speaker *g, flow *f, bool *told, wsp_error *err)
{
    wsp_decoded out;
    wsp_status st = build_packet(g, f, &out, err);
    wsp_context *now = f->ctx;
    size_t n;

    *told = st == WSP_OK;
    f->open = st == WSP_OK;
    if (st != WSP_OK)
        return st == WSP_EOF ? WSP_OK : st;
    wsp_packet_dissect(g->packet, g->linktype, &out.frame);
    wsp_residual_reset(g->resid);
    memcpy(f->trial, now, wsp_context_size());
    if (wsp_encode_packet(f->trial, g->packet, out.dir, out.number, f->seen, &n, g->resid) < 0)
        return wspi_nomem(err, "a packet", out.frame.caplen);
    if (!wspi_rare_came(&f->rare.swap, f->ids, f->n, f->seen, n, &out.frame)) {
        *told = !wspi_rare_undo(&f->rare, f->ids, &f->n, &f->done);
        return WSP_OK;
    }
    f->ctx = f->trial;
    f->trial = now;
    if (keep_frame(g, f, &out.frame) < 0)
        return wspi_nomem(err, "the packets", g->frames.n);
    f->n_seen = wsp_policy_apply(wsp_policy_get("everything"), f->seen, n, g->o->max_payload,
                                 g->cfg->max_tokens, NULL, f->seen);
    f->packets++;
    f->n = 0;
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
static wsp_status start_flows(speaker *g, const wspi_source *from, size_t slots, wsp_error *err)
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

/* Where a flow begins that nothing is said of. */
static wsp_status start_plain(speaker *g, wsp_error *err)
{
    float *state = g->flows[0].state; /* of no flow yet */

    return wsp_state_start(g->runner, &state, NULL, 1, g->plain, err);
}

static size_t open_flows(const speaker *g)
{
    size_t n = 0;

    for (size_t i = 0; i < SLOTS; i++)
        n += g->flows[i].open;
    return n;
}

wsp_status wspi_speaker_run(wspi_speaker *g, const wspi_source *from, size_t slots, wsp_error *err)
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

static wsp_status make(speaker *g, const wsp_model *m, const wsp_generate_options *o,
                       wsp_error *err)
{
    const wsp_model_config *cfg = wsp_model_config_get(m);
    const size_t v = cfg->vocab, width = cfg->channels, tokens = cfg->max_tokens;
    bool ok;

    g->m = m;
    g->o = o;
    g->cfg = cfg;
    g->linktype = o->from.flows ? wsp_prompt_linktype(o->from.flows) : 1;
    wspi_buf_init(&g->frames.bytes, SIZE_MAX / 2);
    g->context = wspi_new_array(SLOTS * width, sizeof *g->context);
    g->plain = wspi_new_array(width, sizeof *g->plain);
    g->gathered = wspi_new_array(SLOTS * width, sizeof *g->gathered);
    g->logits = wspi_new_array(2 * SLOTS * v, sizeof *g->logits);
    g->legal = wspi_new_array(v, 1);
    g->barred = wspi_new_array(v, 1);
    g->choices = wspi_new_array(SLOTS * v, sizeof *g->choices);
    g->wide = wspi_new_array(SLOTS * v, sizeof *g->wide);
    g->prefix = wspi_new_array(SLOTS * tokens, sizeof *g->prefix);
    g->scratch = wspi_new_array(v, sizeof *g->scratch);
    ok = g->plain && g->context && g->gathered && g->logits && g->legal && g->barred &&
         g->choices && g->wide && g->prefix && g->scratch &&
         wspi_guide_make(&g->guide, v) == WSP_OK;
    if (ok)
        wspi_rare_bar(g->barred, v);
    for (size_t i = 0; i < SLOTS && ok; i++) {
        g->flows[i].ctx = wspi_new_array(1, wsp_context_size());
        g->flows[i].trial = wspi_new_array(1, wsp_context_size());
        g->flows[i].state = wspi_new_array(1, wsp_state_size(g->m));
        g->flows[i].memory = wspi_new_array(1, wsp_memory_size(g->m));
        g->flows[i].plain_memory = wspi_new_array(1, wsp_memory_size(g->m));
        g->flows[i].script.before = wspi_new_array(1, wsp_context_size());
        wspi_buf_init(&g->flows[i].script.resid, SIZE_MAX / 2);
        ok = g->flows[i].ctx && g->flows[i].trial && g->flows[i].state && g->flows[i].memory &&
             g->flows[i].script.before && g->flows[i].plain_memory;
    }
    if (!ok || wsp_decoder_new(&g->decoder) < 0 || wsp_packet_new(&g->packet) < 0 ||
        wsp_residual_new(&g->resid) < 0)
        return wspi_nomem(err, "flows", SLOTS);
    WSP_TRY(wsp_runner_new(&g->runner, g->m, o->dtype, err));
    return start_plain(g, err);
}

void wspi_speaker_free(wspi_speaker *g)
{
    if (!g)
        return;
    for (size_t i = 0; i < SLOTS; i++) {
        free(g->flows[i].ctx);
        free(g->flows[i].trial);
        free(g->flows[i].state);
        free(g->flows[i].memory);
        free(g->flows[i].plain_memory);
        free(g->flows[i].script.before);
        wspi_buf_clear(&g->flows[i].script.resid);
    }
    free(g->context);
    free(g->gathered);
    free(g->plain);
    free(g->logits);
    free(g->legal);
    free(g->barred);
    wspi_guide_clear(&g->guide);
    free(g->choices);
    free(g->wide);
    free(g->prefix);
    free(g->scratch);
    free(g->frames.ref);
    wspi_buf_clear(&g->frames.bytes);
    wsp_decoder_free(g->decoder);
    wsp_packet_free(g->packet);
    wsp_residual_free(g->resid);
    wspi_editor_clear(&g->editor);
    wsp_runner_free(g->runner);
    free(g);
}

wsp_status wspi_speaker_new(wspi_speaker **out, const wsp_model *m, const wsp_generate_options *o,
                            wsp_error *err)
{
    wspi_speaker *g = wspi_new_array(1, sizeof *g);
    wsp_status st;

    *out = NULL;
    if (!g)
        return wspi_nomem(err, "flows", SLOTS);
    st = make(g, m, o, err);
    if (st < 0)
        wspi_speaker_free(g);
    else
        *out = g;
    return st;
}

const wspi_frames *wspi_speaker_frames(const wspi_speaker *g)
{
    return &g->frames;
}

size_t wspi_speaker_undrawn(const wspi_speaker *g)
{
    return g->undrawn;
}
