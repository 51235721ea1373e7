/* SPDX-License-Identifier: Apache-2.0 */
/* context.c: the flow context: what both sides remember of a flow, and how a packet changes it. */
#include "token/token_int.h"

size_t wsp_context_size(void)
{
    return sizeof(wsp_context);
}

void wsp_context_init(wsp_context *ctx, int linktype)
{
    memset(ctx, 0, sizeof *ctx);
    ctx->linktype = linktype;
}

wspi_past wspi_context_past(const wsp_context *ctx, int dir, uint8_t id, unsigned nth)
{
    for (size_t k = 0; k < ctx->n_slots[dir]; k++) {
        const wspi_slot *s = &ctx->slots[dir][k];
        if (s->id == id && s->nth == nth)
            return (wspi_past){s, &ctx->headers[dir][s->at]};
    }
    return (wspi_past){NULL, NULL};
}

/* The slot of this layer, old or new; NULL when there is no room for it (then nothing predicts the layer). */
static wspi_slot *slot_for(wsp_context *ctx, int dir, uint8_t id, unsigned nth, bool *fresh)
{
    size_t n = wspi_protos[id]->len;
    wspi_slot *s = ctx->slots[dir];

    for (size_t k = 0; k < ctx->n_slots[dir]; k++, s++)
        if (s->id == id && s->nth == nth)
            return s;
    if (ctx->n_slots[dir] == WSPI_SLOTS || ctx->n_headers[dir] + n > WSPI_HEADERS)
        return NULL;
    *fresh = true;
    *s = (wspi_slot){.id = id, .nth = (uint8_t)nth, .at = ctx->n_headers[dir]};
    ctx->n_slots[dir]++;
    ctx->n_headers[dir] = (uint8_t)(ctx->n_headers[dir] + n);
    return s;
}

static void keep_stack(wsp_context *ctx, const wspi_stack *st, int dir)
{
    size_t at = 0;

    ctx->last[dir] = *st;
    if (ctx->n_recent && memcmp(&ctx->recent[0], st, sizeof *st) == 0)
        return;
    while (at < ctx->n_recent && memcmp(&ctx->recent[at], st, sizeof *st) != 0)
        at++;
    if (at == ctx->n_recent && ctx->n_recent < WSPI_RECALLS)
        ctx->n_recent++;
    if (at == WSPI_RECALLS)
        at--;
    memmove(&ctx->recent[1], &ctx->recent[0], at * sizeof *st);
    ctx->recent[0] = *st;
}

static void keep_tcp(wsp_context *ctx, const wsp_packet *p, const wspi_layer *l, int dir)
{
    uint8_t flags = (uint8_t)l->v[WSPI_TCP_FLAGS];
    int pay = p->payload_len > 0;
    uint32_t len = p->payload_len + (flags & WSPI_TH_SYN ? 1u : 0) + (flags & WSPI_TH_FIN ? 1u : 0);
    uint32_t next = (uint32_t)l->v[WSPI_TCP_SEQ] + len;

    if (!(flags & (WSPI_TH_SYN | WSPI_TH_FIN | WSPI_TH_RST))) {
        ctx->flags[dir][pay] = flags;
        ctx->have_flags[dir][pay] = true;
    }
    if (!ctx->have_seq[dir] || flags & WSPI_TH_SYN || (int32_t)(next - ctx->next_seq[dir]) > 0)
        ctx->next_seq[dir] = next;
    ctx->have_seq[dir] = true;
    ctx->sent[dir] |= flags & (WSPI_TH_SYN | WSPI_TH_FIN | WSPI_TH_RST);
    if (flags & WSPI_TH_SYN)
        ctx->sent[dir] |= wspi_tcp_offers(p);
}

static void keep_stamp(wsp_context *ctx, const wsp_packet *p, int dir)
{
    ctx->has_stamp[!dir] = false;
    for (size_t i = 0; i < p->n_layers && !ctx->has_stamp[dir]; i++)
        if (p->layers[i].id == WSPI_TCP_TS) {
            ctx->stamp[dir] = (uint32_t)p->layers[i].v[0];
            ctx->has_stamp[dir] = true;
        }
}

/* before: the header of the direction's last packet, or NULL */
static void keep_ipid(wsp_context *ctx, const wspi_layer *l, const wspi_past *before, int dir)
{
    uint16_t delta;
    unsigned mode = ctx->ipid_mode[dir];

    if (!before) {
        ctx->ipid_mode[dir] = l->v[WSPI_IPV4_ID] ? WSPI_IPID_NEAR : WSPI_IPID_SAME;
        return;
    }
    delta = (uint16_t)(l->v[WSPI_IPV4_ID] -
                       wspi_past_value(before, &wspi_protos[WSPI_IPV4]->fields[WSPI_IPV4_ID]));
    if (mode == WSPI_IPID_SAME ? delta != 0 : mode == WSPI_IPID_NEAR ? delta > 255 : delta <= 16)
        ctx->ipid_mode[dir] = delta == 0    ? WSPI_IPID_SAME
                              : delta < 256 ? WSPI_IPID_NEAR
                                            : WSPI_IPID_FREE;
}

/* After a fragment with more to come, the next one starts where it ended. */
static void keep_fragment(wsp_context *ctx, const wsp_packet *p, const wspi_layer *l, int dir)
{
    bool v4 = l->id == WSPI_IPV4;
    bool more = v4 ? l->v[WSPI_IPV4_FLAGS] & 1 : l->v[WSPI_FRAG_MORE];
    uint64_t at = v4 ? l->v[WSPI_IPV4_FRAG] : l->v[WSPI_FRAG_OFFSET];
    size_t i = (size_t)(l - p->layers);
    uint32_t header = v4 ? wspi_header_with_parts(p, i) : 8;

    ctx->next_frag[dir] = more ? (uint16_t)((at + (wspi_rest(p, i) - header) / 8) & 0x1fff) : 0;
}

static void keep_layer(wsp_context *ctx, const wsp_packet *p, const wspi_layer *l, unsigned nth,
                       int dir)
{
    const wspi_proto *proto = wspi_protos[l->id];
    const wspi_masks *m = &wspi_field_masks[l->id];
    bool fresh = false;
    wspi_slot *s = slot_for(ctx, dir, l->id, nth, &fresh);
    wspi_past past = {s, s ? &ctx->headers[dir][s->at] : NULL};

    if (!s)
        return;
    if (l->id == WSPI_IPV4 && nth == 0)
        keep_ipid(ctx, l, fresh ? NULL : &past, dir);
    if ((l->id == WSPI_IPV4 || l->id == WSPI_IPV6_FRAG) && nth == 0)
        keep_fragment(ctx, p, l, dir);
    if (l->id == WSPI_TCP)
        keep_tcp(ctx, p, l, dir);
    s->autos = l->autos;
    s->zeros = s->odd = 0;
    for (unsigned rest = m->autos & ~(unsigned)l->autos; rest; rest &= rest - 1)
        if (l->v[__builtin_ctz(rest)] == 0)
            s->zeros |= (uint16_t)(rest & -rest);
    for (unsigned rest = m->constant; rest; rest &= rest - 1)
        if (l->v[__builtin_ctz(rest)] != proto->fields[__builtin_ctz(rest)].arg)
            s->odd |= (uint16_t)(rest & -rest);
    memcpy(&ctx->headers[dir][s->at], p->data + l->off, proto->len);
}

/* Slots and stacks of the packet's layers. */
static void keep_layers(wsp_context *ctx, const wsp_packet *p, int dir)
{
    wspi_stack st = {.n = (uint8_t)WSPI_MIN(p->n_layers, WSPI_STACK_MAX)};
    uint8_t count[WSPI_LAYER_COUNT] = {0};

    for (size_t i = 0; i < p->n_layers; i++) {
        const wspi_layer *l = &p->layers[i];
        if (i < WSPI_STACK_MAX)
            st.id[i] = l->id;
        if (wspi_protos[l->id]->n_fields)
            keep_layer(ctx, p, l, count[l->id], dir);
        count[l->id]++;
    }
    if (p->n_layers <= WSPI_STACK_MAX)
        keep_stack(ctx, &st, dir);
}

void wspi_context_commit(wsp_context *ctx, const wspi_coder *c)
{
    const wsp_packet *p = c->p;
    int dir = c->dir;

    keep_layers(ctx, p, dir);
    keep_stamp(ctx, p, dir);
    ctx->started = true;
    ctx->seen[dir] = true;
    ctx->last_ns = ctx->sent_ns[dir] = p->time_ns;
    ctx->last_number = c->number;
    ctx->snap = c->snap;
    ctx->trailer[dir] = c->trailer;
    if (!p->payload_len)
        return;
    ctx->spoke = (uint8_t)dir;
    wspi_app_copy(&ctx->app, &c->app);
    if (c->name_len) {
        ctx->name_len = c->name_len;
        memcpy(ctx->name, (c->enc ? c->pay.in : c->pay.out->data) + c->name_at, c->name_len);
    }
}
