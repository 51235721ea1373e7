/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ping.c: samples of echo (RFC 792, RFC 4443 4.1, 4.2). Who was asked replies, once, and does not ask itself; "the data received in the
 * echo message must be returned", all of it (RFC 1122 3.2.2.6). A flow remembers the first bytes of its last request, and its header
 * says how many there were: what a longer one goes on with are the same bytes again.
 */
#include "token/token_int.h"

enum { REQUEST, REPLY, NEITHER, HEADER = 8 };
static const struct ping {
    uint8_t layer;
    uint8_t type[NEITHER];
} pings[] = {{WSPI_ICMP, {[REQUEST] = 8, [REPLY] = 0}},
             {WSPI_ICMPV6, {[REQUEST] = 128, [REPLY] = 129}}};

/* Which of the two a message of this type is. */
static int kind_of(const struct ping *k, uint64_t type)
{
    return type == k->type[REQUEST] ? REQUEST : type == k->type[REPLY] ? REPLY : NEITHER;
}

/* Is the packet one of the two, with nothing between it and its data? */
static int ping_of(const wsp_packet *p)
{
    const wspi_layer *l = p->n_layers ? &p->layers[p->n_layers - 1] : NULL;

    for (size_t i = 0; l && wspi_own_layers(p) == p->n_layers && i < WSPI_COUNT(pings); i++)
        if (l->id == pings[i].layer)
            return kind_of(&pings[i], l->v[WSPI_ICMP_TYPE]);
    return NEITHER;
}

/* ---- whose turn it is ---- */

/* What the last message of a direction was, and its number. */
static int said(const wsp_context *ctx, int dir, const struct ping *k, uint64_t *number)
{
    const wspi_field *d = wspi_protos[k->layer]->fields;
    wspi_past past = wspi_context_past(ctx, dir, k->layer, 0);

    *number = past.slot ? wspi_past_value(&past, &d[WSPI_ICMP_SEQ]) : 0;
    return past.slot ? kind_of(k, wspi_past_value(&past, &d[WSPI_ICMP_TYPE])) : (int)NEITHER;
}

static bool may_say(const wsp_context *ctx, int dir, const struct ping *k, int what)
{
    uint64_t number[2];
    int mine = said(ctx, dir, k, &number[0]), theirs = said(ctx, !dir, k, &number[1]);

    if (what == REQUEST)
        return mine == REQUEST || (mine == NEITHER && theirs != REQUEST);
    return theirs == REQUEST && (mine != REPLY || number[0] != number[1]);
}

bool wspi_ping_may_speak(const wsp_context *ctx, int dir)
{
    for (size_t i = 0; i < WSPI_COUNT(pings); i++) {
        const struct ping *k = &pings[i];
        uint64_t number;

        if (said(ctx, 0, k, &number) != NEITHER || said(ctx, 1, k, &number) != NEITHER)
            return may_say(ctx, dir, k, REQUEST) || may_say(ctx, dir, k, REPLY);
    }
    return true;
}

/* In the place of a recorded packet whose turn it is not, either will do. */
bool wspi_ping_fits(const wspi_coder *c, uint8_t layer, uint64_t type)
{
    for (size_t i = 0; i < WSPI_COUNT(pings); i++)
        if (pings[i].layer == layer && kind_of(&pings[i], type) != NEITHER)
            return may_say(c->ctx, c->dir, &pings[i], kind_of(&pings[i], type)) ||
                   !wspi_ping_may_speak(c->ctx, c->dir);
    return true;
}

/* ---- data ---- */

/* Bytes that a flow remembers, again and again. */
static void repeat(uint8_t *b, size_t from, size_t n)
{
    for (size_t i = from; i < n; i++)
        b[i] = b[i - WSPI_NAME_MAX];
}

void wspi_ping_keep(wspi_coder *c)
{
    size_t n = c->pay.end;

    if (ping_of(c->p) != REQUEST || n == 0 || n < c->pay.wire || c->pay.more)
        return;
    c->name_at = 0;
    c->name_len = (uint16_t)WSPI_MIN(n, (size_t)WSPI_NAME_MAX);
    if (c->fill && c->pay.out->len >= n)
        repeat(c->pay.out->data, WSPI_NAME_MAX, n);
}

/* How much data the last packet of the other side had, by the header around it; false: that does not tell. */
static bool asked_with(const wspi_coder *c, size_t *n)
{
    const wsp_packet *p = c->p;
    const wspi_layer *ip = p->n_layers > 1 ? &p->layers[p->n_layers - 2] : NULL;
    size_t length = ip && ip->id == WSPI_IPV4 ? (size_t)WSPI_IPV4_LEN : (size_t)WSPI_IPV6_LEN;
    unsigned nth = 0;
    uint64_t header = HEADER, all;
    wspi_past past;

    if (!ip || (ip->id != WSPI_IPV4 && ip->id != WSPI_IPV6))
        return false;
    for (size_t i = 0; i + 2 < p->n_layers; i++)
        nth += p->layers[i].id == ip->id;
    past = wspi_context_past(c->ctx, !c->dir, ip->id, nth);
    if (!past.slot || !(past.slot->autos >> length & 1))
        return false;
    all = wspi_past_value(&past, &wspi_protos[ip->id]->fields[length]);
    if (ip->id == WSPI_IPV4)
        header += 4 * wspi_past_value(&past, &wspi_protos[ip->id]->fields[WSPI_IPV4_IHL]);
    *n = all > header ? (size_t)(all - header) : 0;
    return all >= header;
}

bool wspi_ping_body(wspi_coder *c)
{
    const wsp_context *ctx = c->ctx;
    uint8_t *b;
    size_t n;

    if (!c->fill || ping_of(c->p) != REPLY || !asked_with(c, &n) ||
        (n && ctx->name_len != WSPI_MIN(n, (size_t)WSPI_NAME_MAX)))
        return false;
    b = n ? wspi_payload_room(c, n) : NULL;
    if (b) {
        memcpy(b, ctx->name, ctx->name_len);
        repeat(b, WSPI_NAME_MAX, n);
    }
    c->pay.at = n;
    return true;
}
