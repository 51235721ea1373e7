/* SPDX-License-Identifier: Apache-2.0 */
/*
 * generate_script.c: flows that begin with, or consist of, recorded packets. A recorded packet is coded against the
 * recorded ones before it; its tokens are then told after whatever came before it in the new flow, so that sequence
 * numbers, acknowledgements and all that is computed follow.
 */
#include "generate/generate_int.h"

enum wspi_doing wspi_script_step(const wsp_from *from, const wspi_told_flow *told, size_t packets)
{
    if (!told)
        return WSPI_DRAW;
    if (packets >= from->after)
        return WSPI_DRAW;
    if (packets >= told->n)
        return from->after == SIZE_MAX ? WSPI_STOP : WSPI_DRAW;
    return packets + 1 == from->infill ? WSPI_INFILL : WSPI_TELL;
}

void wspi_script_hosts(wsp_filler *fill, const wsp_prompt *p, const wspi_told_flow *told,
                       wsp_packet *scratch)
{
    const wspi_told_packet *first = &told->packet[0];
    const wsp_frame frame = {.time_ns = first->time_ns,
                             .caplen = first->len,
                             .wirelen = first->wirelen,
                             .data = p->bytes.data + first->at};
    const wsp_flow_key *key;
    int client = first->dir; /* the side of the packet that is the flow's client */

    wspi_dissect_wraps(scratch, p->linktype, &frame, 0);
    key = wsp_packet_key(scratch);
    fill->start_ns = first->time_ns;
    fill->n_others[0] = fill->n_others[1] = 0;
    if (scratch->n_layers && scratch->layers[0].id == WSPI_ETH) {
        memcpy(fill->client.mac, frame.data + (client ? 0 : 6), 6);
        memcpy(fill->server.mac, frame.data + (client ? 6 : 0), 6);
    }
    if (key->addr_len == 4) {
        memcpy(fill->client.ip, key->addr[client], 4);
        memcpy(fill->server.ip, key->addr[!client], 4);
    } else if (key->addr_len == 16) {
        memcpy(fill->client.ip6, key->addr[client], 16);
        memcpy(fill->server.ip6, key->addr[!client], 16);
    }
    if (key->port[client])
        fill->client_port = key->port[client];
}

wsp_status wspi_script_read(wspi_script *s, const wsp_prompt *p, const wspi_told_flow *told,
                            size_t number, wsp_packet *scratch, wsp_residual *resid, wsp_error *err)
{
    const wspi_told_packet *t = &told->packet[number];
    const wsp_frame frame = {.time_ns = t->time_ns,
                             .caplen = t->len,
                             .wirelen = t->wirelen,
                             .data = p->bytes.data + t->at};
    uint64_t last = number ? told->packet[number - 1].time_ns : t->time_ns;
    const uint8_t *bytes;
    size_t n;

    memcpy(s->next_seq, s->before->next_seq, sizeof s->next_seq);

    s->gap_ns = t->time_ns > last ? t->time_ns - last : 0;
    wspi_dissect_wraps(scratch, p->linktype, &frame, 0);
    wsp_residual_reset(resid);
    if (wsp_encode_packet(s->before, scratch, t->dir, number, s->ids, &s->n, resid) < 0)
        return wspi_nomem(err, "a packet", t->len);
    bytes = wsp_residual_data(resid, &n);
    s->resid.len = 0;
    if (wspi_buf_add(&s->resid, bytes, n) < 0)
        return wspi_nomem(err, "a packet", n);
    return WSP_OK;
}

/* ---- what the codec cannot carry over ---- */

static wsp_frame frame_of(const wsp_prompt *p, const wspi_told_packet *t)
{
    return (wsp_frame){.time_ns = t->time_ns,
                       .caplen = t->len,
                       .wirelen = t->wirelen,
                       .data = p->bytes.data + t->at};
}

/* The new frame as e->packet, the recorded one as e->other. */
static wsp_status take_both(wspi_editor *e, const wsp_prompt *p, const wspi_told_packet *told,
                            wsp_frame *frame)
{
    const wsp_frame recorded = frame_of(p, told);

    if (!e->other)
        WSP_TRY(wsp_packet_new(&e->other));
    wspi_dissect_wraps(e->other, p->linktype, &recorded, 0);
    return wspi_editor_take(e, p->linktype, frame);
}

wsp_status wspi_move_frame(wspi_editor *e, const wsp_prompt *p, const wspi_told_packet *told,
                           const wsp_context *now, const wspi_script *s, wsp_frame *frame)
{
    int dir = told->dir;

    *frame = frame_of(p, told);
    WSP_TRY(wspi_editor_take(e, p->linktype, frame));
    wspi_tcp_move(e->packet, now->next_seq[dir] - s->next_seq[dir],
                  now->next_seq[!dir] - s->next_seq[!dir]);
    wspi_editor_build(e, frame);
    return WSP_OK;
}

static const wspi_layer *own_layer(const wsp_packet *p, uint8_t id)
{
    for (size_t i = 0; i < wspi_own_layers(p); i++)
        if (p->layers[i].id == id)
            return &p->layers[i];
    return NULL;
}

wsp_status wspi_move_sack(wspi_editor *e, const wsp_prompt *p, const wspi_told_packet *told,
                          wsp_frame *frame)
{
    const wspi_layer *now, *then;
    uint32_t by;

    WSP_TRY(take_both(e, p, told, frame));
    now = own_layer(e->packet, WSPI_TCP);
    then = own_layer(e->other, WSPI_TCP);
    by = now && then ? (uint32_t)(now->v[WSPI_TCP_ACK] - then->v[WSPI_TCP_ACK]) : 0;
    if (by == 0)
        return WSP_OK;
    for (size_t i = 0; i < wspi_own_layers(e->packet); i++)
        if (e->packet->layers[i].id == WSPI_TCP_SACK)
            wspi_sack_move(&e->packet->layers[i], by);
    wspi_editor_build(e, frame);
    return WSP_OK;
}

static bool is_end(const wspi_field *d)
{
    return d->kind == WSPI_K_ADDR || d->kind == WSPI_K_PORT || d->role == WSPI_R_IP_SRC_LOW ||
           d->role == WSPI_R_IP_DST_LOW;
}

/* The layer of `in` that is the n-th of its kind where layer i of p is the n-th of this kind, or NULL: IP in IP has two of one. */
static const wspi_layer *same_layer(const wsp_packet *in, const wsp_packet *p, size_t i)
{
    size_t before = 0;

    for (size_t k = 0; k < i; k++)
        before += p->layers[k].id == p->layers[i].id;
    for (size_t k = 0; k < in->n_layers; k++)
        if (in->layers[k].id == p->layers[i].id && before-- == 0)
            return &in->layers[k];
    return NULL;
}

wsp_status wspi_keep_ends(wspi_editor *e, const wsp_prompt *p, const wspi_told_packet *told,
                          wsp_frame *frame)
{
    WSP_TRY(take_both(e, p, told, frame));
    for (size_t i = 0; i < e->packet->n_layers; i++) {
        wspi_layer *l = &e->packet->layers[i];
        const wspi_layer *recorded = same_layer(e->other, e->packet, i);
        const wspi_proto *proto = wspi_protos[l->id];

        for (size_t f = 0; recorded && f < proto->n_fields; f++)
            if (is_end(&proto->fields[f]))
                l->v[f] = recorded->v[f];
    }
    wspi_editor_build(e, frame);
    return WSP_OK;
}

/* ---- infill ---- */

/* The tokens of a packet that stay when it is drawn anew: of a flow's first one the headers up to addresses and ports. */
static size_t kept_tokens(const wspi_script *s, bool started)
{
    size_t n = s->n > 0, f;
    uint8_t layer;

    for (size_t i = 0; !started && i < s->n; i++)
        if (wspi_token_field(s->ids[i], &layer, &f) && layer < WSPI_LAYER_COUNT &&
            is_end(&wspi_protos[layer]->fields[f]))
            n = i + 1;
    return n;
}

void wspi_script_prefix(wspi_script *s, const wsp_from *from, wsp_decoder *d,
                        const wsp_context *ctx, const wsp_filler *fill, uint8_t *legal,
                        uint16_t *ids, size_t *n)
{
    unsigned base = wspi_field_base(from->field.layer, from->field.field);
    unsigned count = wspi_field_count(from->field.layer, from->field.field);
    bool done = false;

    memcpy(ids, s->ids, s->n * sizeof *ids);
    *n = kept_tokens(s, ctx->started);
    s->count = 0;
    if (wsp_grammar_next(d, ctx, ids, *n, fill, false, legal, &done, NULL) < 0)
        *n = 1; /* headers that samples do not have */
    /* to the end of the packet, or of what samples have */
    for (size_t i = *n; from->infill_field && i < s->n && !done; i++) {
        if (wsp_grammar_next(d, ctx, ids, i, fill, false, legal, &done, NULL) < 0)
            break;
        if (memchr(legal + base, 1, count)) {
            *n = s->at = i;
            s->from = base;
            s->count = count;
            return;
        }
    }
    if (from->infill_field)
        *n = s->n; /* the packet has no such field: it stays */
}
