/* SPDX-License-Identifier: Apache-2.0 */
/*
 * quic_initial.c: QUIC's Initial packets behind their headers (RFC 9000 17.2.2, RFC 9001 5): number, frames and tag, opened and
 * protected. What is told is the open packet, of which a decoder makes the protected one. Of a sample its frames are drawn, or, where tokens
 * do not tell of them, made up.
 */
#include "token/app/quic_initial.h"
#include "token/app/quic_crypto.h"
#include "token/app/quic_hello.h"

/* In this direction the packet under the walk counts; what another protocol has left there does not. */
bool wspi_quic_have(const wspi_coder *c, int dir, unsigned what)
{
    return (dir == c->dir || c->ctx->app.id[dir] == c->pay.app) && c->app.mode[dir] & what;
}

/* ---- lengths ---- */

/* Writes a length over the one at [at, from): it is as wide. */
static void set_length(wspi_coder *c, size_t at, size_t from, size_t n)
{
    size_t width = from - at;
    uint64_t v = n | (uint64_t)(width == 2 ? 1 : width == 4 ? 2 : 3) << (8 * width - 2);

    for (size_t i = 0; i < width && width > 1 && n < (size_t)1 << 14; i++)
        c->pay.out->data[at + i] = (uint8_t)(v >> 8 * (width - 1 - i));
}

size_t wspi_quic_refit(wspi_coder *c, size_t at, size_t n, size_t least)
{
    n = WSPI_MAX(WSPI_MIN(n, wspi_app_left(c)), least);
    if (!wspi_app_stopped(c))
        set_length(c, at, c->pay.at, n);
    return n;
}

/* ---- decoding and samples ---- */

/* The keys of this direction; the flow knows the client's first id. */
static bool initial_keys(const wspi_coder *c, uint64_t v, wspi_quic_keys *k)
{
    const uint8_t *first = c->ctx->name;
    size_t n = c->ctx->name_len;

    if (c->name_len) {
        first = (c->enc ? c->pay.in : c->pay.out->data) + c->name_at;
        n = c->name_len;
    }
    return wspi_quic_have(c, 0, HAVE_IDS) && wspi_quic_make_keys(k, v, first, n, c->dir == 1);
}

/* Decoding: protects the packet from p->start on, whose tag has room at its end. */
static void protect(wspi_coder *c, const wspi_quic_initial *p, uint64_t number, size_t number_len)
{
    wspi_quic_packet packet = {.b = c->pay.out->data + p->start,
                               .len = c->pay.at - p->start,
                               .number_at = p->at - p->start,
                               .number_len = number_len,
                               .number = number};
    wspi_quic_keys k;

    wspi_app_require(c,
                     initial_keys(c, c->app.v[c->dir][VER], &k) && wspi_quic_protect(&k, &packet));
}

/* Decoding: n zeros, which are the tag's room, or padding before it. */
static uint8_t *zeros(wspi_coder *c, size_t n)
{
    uint8_t *b = wspi_app_stopped(c) ? NULL : wspi_payload_room(c, n);

    if (!b)
        return NULL;
    memset(b, 0, n);
    c->pay.at += n;
    return b;
}

/* A side's numbers are those of the flow's packets, but its first is 0, so that the other knows what to acknowledge. */
static uint64_t sampled_number(const wspi_coder *c, const wspi_quic_initial *p)
{
    return p->again ? c->number & UINT32_MAX : 0;
}

static size_t sampled_number_len(uint64_t number)
{
    return number >> 15 ? 4 : 2;
}

/* Samples: says what a sample says in an Initial of n bytes, of which the tokens do not tell. */
static void say(wspi_coder *c, const wspi_quic_initial *p, size_t n)
{
    uint64_t number = sampled_number(c, p);
    size_t number_len = sampled_number_len(number), n_frames;
    uint8_t frames[WSPI_QUIC_FRAMES], *b;
    wspi_quic_turn turn = {.seed = c->fill->seed,
                           .version = c->app.v[c->dir][VER],
                           .server = c->dir,
                           .first = !p->again,
                           .heard = wspi_quic_have(c, !c->dir, HAVE_IDS),
                           .id = c->pay.out->data + p->id_at,
                           .id_len = (size_t)c->app.v[c->dir][SCIDLEN]};
    wspi_quic_keys k;

    if (wspi_app_stopped(c))
        return;
    n_frames = wspi_quic_frames(frames, &turn);
    n = wspi_quic_refit(c, p->length_at, n,
                        WSPI_MAX(number_len + n_frames + WSPI_QUIC_TAG, (size_t)LEAST_PACKET));
    if (!initial_keys(c, turn.version, &k)) {
        wspi_app_opaque(c, n);
        return;
    }
    b = zeros(c, n);
    if (!b)
        return;
    memcpy(b + number_len, frames, n_frames);
    c->pay.out->data[p->start] &= 0xf0;
    protect(c, p, number, number_len);
}

/* Samples: padding up to a length of n, or what is there if it is more; then the tag. */
static void close_sample(wspi_coder *c, const wspi_quic_initial *p, size_t n)
{
    size_t have = c->pay.at - p->at + WSPI_QUIC_TAG;

    n = WSPI_MAX(n, (size_t)LEAST_PACKET);
    if (have < n)
        (void)zeros(c, n - have);
    (void)zeros(c, WSPI_QUIC_TAG);
    if (wspi_app_stopped(c))
        return;
    set_length(c, p->length_at, p->at, c->pay.at - p->at);
    protect(c, p, sampled_number(c, p), sampled_number_len(sampled_number(c, p)));
}

/* Decoding: the tag, and the protection of what is written. */
static void close_packet(wspi_coder *c, const wspi_quic_initial *p, size_t number_len)
{
    (void)zeros(c, WSPI_QUIC_TAG);
    if (!wspi_app_stopped(c))
        protect(c, p, wspi_load_be(c->pay.out->data + p->at, number_len), number_len);
}

/* Number and frames as they are when the packet is open: false if they are not told. Then the tag, which decoding makes again. */
static bool open_frames(wspi_coder *c, const wspi_quic_initial *p, size_t n, bool hellos)
{
    wspi_quic_body body = {
        .hellos = hellos, .first = !p->again, .heard = wspi_quic_have(c, !c->dir, HAVE_IDS)};
    wspi_quic_keys k;

    if (c->fill && !initial_keys(c, c->app.v[c->dir][VER], &k))
        return false;
    body.number_len = ((c->enc ? c->pay.in : c->pay.out->data)[p->start] & 3) + 1u;
    if (c->fill) {
        body.number_len = sampled_number_len(sampled_number(c, p));
        c->pay.out->data[p->start] &= 0xf0;
    }
    body.end = p->at + WSPI_MAX(n, body.number_len + WSPI_QUIC_TAG) - WSPI_QUIC_TAG;
    if (!wspi_quic_code_frames(c, &body))
        return false;
    if (c->enc)
        c->pay.at += WSPI_QUIC_TAG;
    else if (wspi_app_stopped(c))
        return true;
    else if (c->fill)
        close_sample(c, p, n);
    else
        close_packet(c, p, body.number_len);
    return true;
}

void wspi_quic_initial_rest(wspi_coder *c, const wspi_quic_initial *p, size_t n,
                            enum wspi_quic_form form)
{
    bool whole = c->fill || (n >= LEAST_PACKET && n <= wspi_app_captured(c));

    if (wspi_app_stopped(c) || (whole && form != SEALED && open_frames(c, p, n, form == FIELDS)))
        return;
    if (c->fill)
        say(c, p, n);
    else if (c->enc && form != SEALED)
        wspi_app_fail(c);
    else
        wspi_app_opaque(c, WSPI_MIN(n, wspi_app_left(c)));
}

/* ---- encoding ---- */

/* A varint at b[*at]; *at passes it. More than there is: it does not fit. */
static size_t varint_at(const uint8_t *b, size_t n, size_t *at)
{
    size_t width = *at < n ? (size_t)1 << (b[*at] >> 6) : n + 1, v;

    if (width > n || *at > n - width)
        return n + 1;
    v = b[*at] & 63u;
    for (size_t i = 1; i < width; i++)
        v = v << 8 | b[*at + i];
    *at += width;
    return WSPI_MIN(v, n + 1);
}

/* The packet at b; false if it is not all there. Q046's ids are of another form, and it has no keys. */
static bool find_number(const uint8_t *b, size_t n, wspi_quic_packet *p)
{
    size_t at = n > 6 ? 6 + (size_t)b[5] : n, token, len;

    if (at >= n)
        return false;
    at += 1 + (size_t)b[at];
    token = varint_at(b, n, &at);
    if (at > n || token > n - at)
        return false;
    at += token;
    len = varint_at(b, n, &at);
    if (at > n || len > n - at || len < LEAST_PACKET)
        return false;
    p->number_at = at;
    p->len = at + len;
    return true;
}

/* The keys of the Initial at b, before the walk has passed it. */
static bool keys_ahead(const wspi_coder *c, const uint8_t *b, wspi_quic_keys *k)
{
    if (c->dir == 0 && !wspi_quic_have(c, 1, HAVE_IDS))
        return b[5] && wspi_quic_make_keys(k, wspi_load_be(b + 1, 4), b + 6, b[5], false);
    return initial_keys(c, wspi_load_be(b + 1, 4), k);
}

bool wspi_quic_open_ahead(const wspi_coder *c, uint8_t copy[WSPI_QUIC_MAX_OPEN])
{
    const uint8_t *in = c->pay.in + c->pay.at;
    wspi_quic_packet p = {.b = copy + c->pay.at};
    uint8_t again[WSPI_QUIC_MAX_OPEN];
    wspi_quic_keys k;

    if (c->pay.end > WSPI_QUIC_MAX_OPEN || !find_number(in, wspi_app_captured(c), &p) ||
        !keys_ahead(c, in, &k))
        return false;
    memcpy(copy, c->pay.in, c->pay.end);
    if (!wspi_quic_open(&k, &p))
        return false;
    memcpy(again, p.b, p.len);
    p.b = again;
    return wspi_quic_protect(&k, &p) && memcmp(again, in, p.len) == 0;
}
