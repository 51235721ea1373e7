/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ping.c: samples of echo replies (RFC 792, RFC 4443 4.2): "the data received in the echo message must be returned". A flow remembers the
 * data of its last request that has any; of WSPI_NAME_MAX bytes and more it is drawn on both sides.
 */
#include "token/token_int.h"

enum { REQUEST, REPLY, NEITHER };
static const struct {
    uint8_t layer;
    uint8_t type[NEITHER];
} pings[] = {{WSPI_ICMP, {[REQUEST] = 8, [REPLY] = 0}},
             {WSPI_ICMPV6, {[REQUEST] = 128, [REPLY] = 129}}};

/* Is the packet one of the two, with nothing between it and its data? */
static int ping_of(const wsp_packet *p)
{
    const wspi_layer *l = p->n_layers ? &p->layers[p->n_layers - 1] : NULL;

    for (size_t i = 0; l && wspi_own_layers(p) == p->n_layers && i < WSPI_COUNT(pings); i++)
        for (int k = 0; k < NEITHER; k++)
            if (l->id == pings[i].layer && l->v[WSPI_ICMP_TYPE] == pings[i].type[k])
                return k;
    return NEITHER;
}

void wspi_ping_keep(wspi_coder *c)
{
    size_t n = c->pay.end;

    if (ping_of(c->p) != REQUEST || n == 0 || n < c->pay.wire || c->pay.more)
        return;
    c->name_at = 0;
    c->name_len = (uint16_t)WSPI_MIN(n, (size_t)WSPI_NAME_MAX);
}

bool wspi_ping_body(wspi_coder *c)
{
    const wsp_context *ctx = c->ctx;
    uint8_t *b;

    if (!c->fill || ping_of(c->p) != REPLY || !ctx->name_len || ctx->name_len == WSPI_NAME_MAX)
        return false;
    b = wspi_payload_room(c, ctx->name_len);
    if (b)
        memcpy(b, ctx->name, ctx->name_len);
    c->pay.at = ctx->name_len;
    return true;
}
