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

const wspi_slot *wspi_context_slot(const wsp_context *ctx, int dir, uint8_t id, unsigned nth)
{
    for (size_t k = 0; k < WSPI_SLOTS; k++) {
        const wspi_slot *s = &ctx->slots[dir][k];
        if (s->used && s->id == id && s->nth == nth)
            return s;
    }
    return NULL;
}

/* The slot of this layer; a free one; NULL when all are taken by others (then nothing predicts the layer). */
static wspi_slot *slot_for(wsp_context *ctx, int dir, uint8_t id, unsigned nth)
{
    for (size_t k = 0; k < WSPI_SLOTS; k++) {
        wspi_slot *s = &ctx->slots[dir][k];
        if (!s->used || (s->id == id && s->nth == nth))
            return s;
    }
    return NULL;
}

static void keep_stack(wsp_context *ctx, const wspi_stack *st, int dir)
{
    size_t at = 0;

    ctx->last[dir] = *st;
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
}

static void keep_ipid(wsp_context *ctx, const wspi_layer *l, const wspi_slot *before, int dir)
{
    uint16_t delta;
    unsigned mode = ctx->ipid_mode[dir];

    if (!before->used) {
        ctx->ipid_mode[dir] = l->v[WSPI_IPV4_ID] ? WSPI_IPID_NEAR : WSPI_IPID_SAME;
        return;
    }
    delta = (uint16_t)(l->v[WSPI_IPV4_ID] - before->v[WSPI_IPV4_ID]);
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
    wspi_slot *s = slot_for(ctx, dir, l->id, nth);

    if (!s)
        return;
    if (l->id == WSPI_IPV4 && nth == 0)
        keep_ipid(ctx, l, s, dir);
    if ((l->id == WSPI_IPV4 || l->id == WSPI_IPV6_FRAG) && nth == 0)
        keep_fragment(ctx, p, l, dir);
    if (l->id == WSPI_TCP)
        keep_tcp(ctx, p, l, dir);
    s->used = true;
    s->id = l->id;
    s->nth = (uint8_t)nth;
    s->autos = l->autos;
    s->zeros = 0;
    for (size_t f = 0; f < wspi_protos[l->id]->n_fields; f++)
        if (!(l->autos >> f & 1) && l->v[f] == 0)
            s->zeros |= (uint16_t)(1u << f);
    memcpy(s->v, l->v, wspi_protos[l->id]->n_fields * sizeof s->v[0]);
}

void wspi_context_commit(wsp_context *ctx, const wspi_coder *c)
{
    const wsp_packet *p = c->p;
    int dir = c->dir;
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
    ctx->started = true;
    ctx->seen[dir] = true;
    ctx->last_ns = p->time_ns;
    ctx->last_number = c->number;
    ctx->snap = c->snap;
    ctx->trailer[dir] = c->trailer;
    if (p->payload_len)
        ctx->app = c->app;
}
