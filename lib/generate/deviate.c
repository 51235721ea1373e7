/* SPDX-License-Identifier: Apache-2.0 */
/*
 * deviate.c: packets of a capture, some of them with a deviation. Which packets deviate and how depends on the seed and
 * the packet's number alone.
 */
#include <stdio.h>

#include "generate/deviate_int.h"
#include "task/task_int.h"
#include "wirespeak/flow.h"

enum { EARLY = 6 }; /* packets of a flow that its handshake is among */

/* A packet that waits for the next one of its flow. */
typedef struct held {
    wspi_buf bytes;
    uint32_t wirelen;
    uint64_t flow;
    int dir;
    bool there;
    wsp_deviation log;
} held;

typedef struct flow_state {
    wsp_context *ctx;
    uint32_t shift[2]; /* how much the stream of a direction has grown */
    uint32_t packets;
    bool turned; /* the flow table takes its server for its initiator */
    held held;
} flow_state;

struct wsp_deviator {
    wsp_deviate_options opt;
    double rate; /* of packets that have no deviation yet */
    wsp_flow_table *flows;
    wspi_draft draft;
    uint64_t number, out; /* packets that came and went */
    held *late;           /* of flows that have ended */
    size_t n_late, cap_late;
};

/* ---- RATE[:KIND[,KIND]...] ---- */

wsp_status wsp_deviate_parse(const char *text, double *rate, unsigned *kinds)
{
    const char *end;
    bool number = wspi_number_read(text, &end, rate);
    size_t len, k;

    *kinds = (1u << WSP_DEVIATIONS) - 1;
    if (!number || !(*rate >= 0 && *rate <= 1) || (*end && *end != ':'))
        return WSP_ERR_ARG;
    if (!*end)
        return WSP_OK;
    *kinds = 0;
    for (const char *word = end + 1;; word += len + 1) {
        len = strcspn(word, ",");
        for (k = 0; k < WSP_DEVIATIONS; k++)
            if (strlen(wsp_deviation_name(k)) == len &&
                memcmp(wsp_deviation_name(k), word, len) == 0)
                break;
        if (k == WSP_DEVIATIONS)
            return WSP_ERR_ARG;
        *kinds |= 1u << k;
        if (!word[len])
            return WSP_OK;
    }
}

double wsp_deviate_rare(double rate, unsigned kinds)
{
    unsigned n = 0;

    for (unsigned k = 0; k < WSP_DEVIATIONS; k++)
        n += kinds >> k & 1;
    return kinds >> WSP_DEVIATE_RARE & 1 ? rate / n : 0;
}

/* ---- flows ---- */

static void held_clear(held *h)
{
    wspi_buf_clear(&h->bytes);
    h->there = false;
}

/* A flow that ends while its packet waits leaves it behind. */
static void release(void *arg, wsp_flow *flow)
{
    wsp_deviator *d = arg;
    flow_state *s = flow->user;

    if (!s)
        return;
    if (s->held.there &&
        wspi_grow(&d->late, &d->cap_late, d->n_late + 1, sizeof *d->late) == WSP_OK)
        d->late[d->n_late++] = s->held;
    else
        held_clear(&s->held);
    free(s->ctx);
    free(s);
    flow->user = NULL;
}

static flow_state *state_of(wsp_flow *flow, int linktype, const wsp_packet *packet)
{
    flow_state *s = flow->user;

    if (s)
        return s;
    s = wspi_new_array(1, sizeof *s);
    if (!s)
        return NULL;
    s->ctx = wspi_new_array(1, wsp_context_size());
    if (!s->ctx) {
        free(s);
        return NULL;
    }
    wsp_context_init(s->ctx, linktype);
    s->turned = wspi_server_first(packet);
    wspi_buf_init(&s->held.bytes, SIZE_MAX / 2);
    return flow->user = s;
}

wsp_status wsp_deviator_new(wsp_deviator **out, const wsp_deviate_options *opt)
{
    wsp_flow_table_options flows = wsp_flow_table_options_default();
    wsp_deviator *d;
    double rare;

    *out = NULL;
    if (!(opt->rate >= 0 && opt->rate <= 1))
        return WSP_ERR_ARG;
    d = wspi_new_array(1, sizeof *d);
    if (!d)
        return WSP_ERR_NOMEM;
    d->opt = *opt;
    rare = wsp_deviate_rare(opt->rate, opt->kinds);
    d->rate = rare < 1 ? (opt->rate - rare) / (1 - rare) : 0;
    flows.release = release;
    flows.arg = d;
    if (wspi_draft_init(&d->draft) < 0 || wsp_flow_table_new(&d->flows, &flows) < 0) {
        wsp_deviator_free(d);
        return WSP_ERR_NOMEM;
    }
    *out = d;
    return WSP_OK;
}

void wsp_deviator_free(wsp_deviator *d)
{
    if (!d)
        return;
    wsp_flow_table_free(d->flows);
    for (size_t i = 0; i < d->n_late; i++)
        held_clear(&d->late[i]);
    free(d->late);
    wspi_draft_clear(&d->draft);
    free(d);
}

/* ---- packets out ---- */

static wsp_status put(wsp_deviator *d, const wsp_frame *frame, uint64_t flow, int dir,
                      wsp_deviation *log, wsp_error *err)
{
    d->out++;
    if (log && d->opt.log) {
        log->packet = d->out;
        log->flow = flow;
        WSP_TRY(d->opt.log(d->opt.arg, log, err));
    }
    return d->opt.packet(d->opt.arg, frame, flow, dir, err);
}

static wsp_status put_held(wsp_deviator *d, held *h, uint64_t time_ns, wsp_error *err)
{
    wsp_frame f = {.time_ns = time_ns,
                   .caplen = (uint32_t)h->bytes.len,
                   .wirelen = h->wirelen,
                   .data = h->bytes.data};
    wsp_status st = put(d, &f, h->flow, h->dir, &h->log, err);

    held_clear(h);
    return st;
}

static wsp_status put_late(wsp_deviator *d, uint64_t time_ns, wsp_error *err)
{
    while (d->n_late > 0)
        WSP_TRY(put_held(d, &d->late[--d->n_late], time_ns, err));
    return WSP_OK;
}

/* ---- one packet ---- */

/* Kinds in any order until the packet has a place for one. */
static bool deviate(wsp_deviator *d, const flow_state *s, wspi_rng *rng, wsp_deviation *log)
{
    unsigned left = d->opt.kinds & ((1u << WSPI_PLACED) - 1);

    while (left) {
        unsigned k = (unsigned)wspi_rng_below(rng, WSPI_PLACED);
        if (!(left >> k & 1))
            continue;
        left &= ~(1u << k);
        if (wspi_deviate(&d->draft, (wsp_deviation_kind)k, s->packets <= EARLY, rng, log))
            return true;
    }
    return false;
}

/* What waits comes after this packet; what wants to wait does so when nothing else does. */
static wsp_status give_on(wsp_deviator *d, flow_state *s, const wsp_flow *flow, int dir,
                          uint64_t time_ns, wsp_deviation *log, wsp_error *err)
{
    wspi_draft *draft = &d->draft;
    bool waits = draft->hold && !s->held.there, second = draft->second.len > 0;
    wsp_frame f = {.time_ns = time_ns,
                   .caplen = (uint32_t)draft->frame.len,
                   .wirelen = WSPI_MAX(draft->wirelen, (uint32_t)draft->frame.len),
                   .data = draft->frame.data};

    if (waits) {
        if (wspi_buf_add(&s->held.bytes, f.data, f.caplen) < 0)
            return wspi_nomem(err, "a packet", f.caplen);
        s->held.wirelen = f.wirelen;
        s->held.flow = flow->id;
        s->held.dir = dir;
        s->held.log = *log;
        s->held.there = true;
        return WSP_OK;
    }
    WSP_TRY(put(d, &f, flow->id, dir, second || draft->hold ? NULL : log, err));
    if (second) {
        f = (wsp_frame){.time_ns = time_ns,
                        .caplen = (uint32_t)draft->second.len,
                        .wirelen = (uint32_t)draft->second.len,
                        .data = draft->second.data};
        WSP_TRY(put(d, &f, flow->id, dir, log, err));
    }
    return s->held.there ? put_held(d, &s->held, time_ns, err) : WSP_OK;
}

wsp_status wsp_deviator_add(wsp_deviator *d, const wsp_frame *frame, const wsp_deviation *has,
                            wsp_error *err)
{
    wspi_draft *draft = &d->draft;
    wsp_deviation log = has ? *has : (wsp_deviation){.packet = 0};
    bool deviates = has;
    uint64_t number = d->number++;
    size_t before;
    flow_state *s;
    wsp_flow *flow;
    wspi_rng rng;
    int dir;

    wspi_rng_seed(&rng, d->opt.seed ^ (number + 1) * 0x9e3779b97f4a7c15u);
    if (wspi_draft_read(draft, d->opt.linktype, frame) < 0 ||
        wsp_flow_table_add(d->flows, wsp_packet_key(draft->p), frame->time_ns, frame->wirelen,
                           wsp_packet_tcp_flags(draft->p), &flow, &dir) < 0)
        return wspi_nomem(err, "a packet", frame->caplen);
    WSP_TRY(put_late(d, frame->time_ns, err));
    s = state_of(flow, d->opt.linktype, draft->p);
    if (!s)
        return wspi_nomem(err, "a flow", sizeof *s);
    dir ^= s->turned;
    if (wspi_draft_find(draft, s->ctx, dir, number) < 0)
        return wspi_nomem(err, "a flow", sizeof *s);
    s->packets++;
    before = draft->payload.len;
    /* the stream has grown before this packet: its numbers follow */
    wspi_tcp_move(draft->p, s->shift[dir], s->shift[!dir]);
    if (wspi_draft_build(draft) < 0)
        return wspi_nomem(err, "a packet", frame->caplen);
    draft->inside = d->opt.payloads;
    if (!has && !(d->opt.clients && dir) && wspi_rng_unit(&rng) < d->rate)
        deviates = deviate(d, s, &rng, &log);
    if (!has && deviates && !draft->built && wspi_draft_build(draft) < 0)
        return wspi_nomem(err, "a packet", frame->caplen);
    s->shift[dir] += (uint32_t)(draft->payload.len - before);
    return give_on(d, s, flow, dir, frame->time_ns, deviates ? &log : NULL, err);
}

wsp_status wsp_deviator_finish(wsp_deviator *d, wsp_error *err)
{
    uint64_t now = d->draft.p->time_ns;

    wsp_flow_table_flush(d->flows);
    return put_late(d, now, err);
}
