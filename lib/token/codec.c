/* SPDX-License-Identifier: Apache-2.0 */
/* codec.c: the public calls of the codec: one packet to tokens and residuals, and back. */
#include "token/token_int.h"

#include <stddef.h>

enum { MAX_CAPLEN = 1 << 27 }; /* no capture file format allows more */

struct wsp_residual {
    wspi_buf buf;
};

struct wsp_decoder {
    wsp_packet packet;
    uint8_t *frame;
    size_t cap;
    wspi_buf payload;
};

wsp_status wsp_residual_new(wsp_residual **out)
{
    *out = wspi_new_array(1, sizeof **out);
    if (!*out)
        return WSP_ERR_NOMEM;
    wspi_buf_init(&(*out)->buf, SIZE_MAX / 2);
    return WSP_OK;
}

void wsp_residual_free(wsp_residual *r)
{
    if (r)
        wspi_buf_clear(&r->buf);
    free(r);
}

const uint8_t *wsp_residual_data(const wsp_residual *r, size_t *len)
{
    *len = r->buf.len;
    return r->buf.data;
}

void wsp_residual_reset(wsp_residual *r)
{
    r->buf.len = 0;
}

/* c: zero but for what the caller wants besides. */
static wsp_status encode(wspi_coder *c, wsp_context *ctx, wsp_packet *p, int dir, uint64_t number,
                         uint16_t *ids, size_t *n, wsp_residual *resid)
{
    uint32_t end = p->payload_off + p->payload_len;
    size_t before = resid->buf.len;

    c->enc = true;
    c->ctx = ctx;
    c->p = p;
    c->dir = dir;
    c->out = ids;
    c->res_out = &resid->buf;
    c->number = number;
    *n = 0;
    (void)wsp_vocab_size(); /* lays the vocabulary out */
    WSP_TRY(wspi_buf_reserve(&resid->buf, (size_t)p->caplen + p->wrap.len + WSPI_RESIDUAL_ROOM));
    (void)wspi_code_packet(c);
    if (!c->bad && c->trailer == WSPI_TRAILER_DATA && p->caplen > end)
        wspi_residual_put(c, p->data + end, p->caplen - end);
    if (c->bad) {
        resid->buf.len = before;
        return c->n == WSP_MAX_PACKET_TOKENS ? WSP_ERR_LIMIT : WSP_ERR_NOMEM;
    }
    wspi_context_commit(ctx, c);
    *n = c->n;
    return WSP_OK;
}

wsp_status wsp_encode_packet(wsp_context *ctx, wsp_packet *p, int dir, uint64_t number,
                             uint16_t *ids, size_t *n, wsp_residual *resid)
{
    return wspi_encode_packet(ctx, p, dir, number, ids, n, resid, NULL);
}

/*
 * A packet of very many odd headers, one in the other, would have more tokens than a packet may have: then half of them are told as
 * headers, and the others are payload. false: there is none.
 */
static bool has_fewer_layers(wsp_packet *p)
{
    if (p->n_layers == 0)
        return false;
    wspi_packet_cut(p, p->n_layers / 2);
    return true;
}

wsp_status wspi_encode_packet(wsp_context *ctx, wsp_packet *p, int dir, uint64_t number,
                              uint16_t *ids, size_t *n, wsp_residual *resid, wspi_tally *tally)
{
    wspi_coder c = {.tally = tally};
    wsp_status st = encode(&c, ctx, p, dir, number, ids, n, resid);

    while (st == WSP_ERR_LIMIT && has_fewer_layers(p)) {
        c = (wspi_coder){.tally = NULL}; /* its fields have been counted */
        st = encode(&c, ctx, p, dir, number, ids, n, resid);
    }
    return st;
}

wsp_status wspi_encode_spans(wsp_context *ctx, wsp_packet *p, int dir, uint64_t number,
                             uint16_t *ids, size_t *n, wsp_residual *resid, wspi_spans *spans)
{
    wspi_coder c = {.spans = spans};

    wspi_spans_back(spans, 0);
    return encode(&c, ctx, p, dir, number, ids, n, resid);
}

wsp_status wsp_decoder_new(wsp_decoder **out)
{
    *out = wspi_new_array(1, sizeof **out);
    if (!*out)
        return WSP_ERR_NOMEM;
    wspi_buf_init(&(*out)->payload, MAX_CAPLEN);
    return WSP_OK;
}

void wsp_decoder_free(wsp_decoder *d)
{
    if (d) {
        free(d->frame);
        wspi_buf_clear(&d->payload);
    }
    free(d);
}

/* Room for the frame: zeroed, so that what nobody writes (padding, zero payload) is zero. */
static wsp_status frame_room(wsp_decoder *d, size_t len)
{
    if (len > d->cap) {
        uint8_t *p = realloc(d->frame, len);
        if (!p)
            return WSP_ERR_NOMEM;
        d->frame = p;
        d->cap = len;
    }
    if (len)
        memset(d->frame, 0, len);
    return WSP_OK;
}

/* Payload and trailer bytes into the inner frame, then the headers over them. Room for what it came in is left before it. */
static wsp_status build_frame(wsp_decoder *d, wspi_coder *c)
{
    wsp_packet *p = &d->packet;
    uint32_t headers = wspi_headers_len(p), end = headers + p->payload_len;
    uint8_t *inner;

    if (p->caplen > MAX_CAPLEN || headers > p->caplen || d->payload.len > p->caplen - headers ||
        p->caplen < p->wrap.made || p->wirelen > UINT32_MAX - (p->wrap.len - p->wrap.made))
        return WSP_ERR_FORMAT;
    WSP_TRY(frame_room(d, (size_t)wspi_frame_at(p, p->caplen) + 1));
    inner = d->frame + wspi_frame_at(p, 0);
    if (d->payload.len)
        memcpy(inner + headers, d->payload.data, d->payload.len);
    if (c->trailer == WSPI_TRAILER_DATA && p->caplen > end)
        wspi_residual_bytes(c, inner + end, p->caplen - end);
    if (c->bad)
        return WSP_ERR_FORMAT;
    p->data = inner;
    wspi_build(p, inner);
    return WSP_OK;
}

/* What the frame came in goes before it, and over what was made for it. */
static wsp_frame wrap_frame(wsp_decoder *d)
{
    const wsp_packet *p = &d->packet;

    if (p->wrap.len)
        memcpy(d->frame, p->wrap.frame, p->wrap.len);
    return (wsp_frame){.time_ns = p->time_ns,
                       .caplen = wspi_frame_at(p, p->caplen),
                       .wirelen = wspi_frame_at(p, p->wirelen),
                       .data = d->frame};
}

static void packet_reset(wsp_decoder *d, const wsp_context *ctx, wspi_coder *c)
{
    wsp_packet *p = &d->packet;

    d->payload.len = 0;
    d->payload.refused = false;
    c->pay.out = &d->payload;
    p->linktype = ctx->linktype;
    p->time_ns = 0;
    p->caplen = p->payload_len = p->trailer_len = 0;
    p->n_layers = 0;
    p->wrap = (wspi_wrap){.len = 0};
}

/* Why the tokens are none: a walk that gets no memory for the payload stops as if they did not fit. */
static wsp_status no_packet(const wsp_decoder *d, const wspi_coder *c, wsp_error *err)
{
    if (d->payload.refused)
        return wspi_nomem(err, "a payload", d->payload.len);
    return wspi_fail(err, WSP_ERR_FORMAT, c->pos, "token %zu of a packet does not fit the grammar",
                     c->pos);
}

static wsp_status decode(wsp_decoder *d, wsp_context *ctx, wspi_coder *c, wsp_decoded *out,
                         wsp_error *err)
{
    wsp_packet *p = &d->packet;
    wsp_status st;

    (void)wsp_vocab_size();
    packet_reset(d, ctx, c);
    if (!wspi_code_packet(c) && !c->bad && !c->need)
        return WSP_EOF;
    if (c->bad || c->need)
        return no_packet(d, c, err);
    st = build_frame(d, c);
    if (st == WSP_ERR_NOMEM)
        return wspi_nomem(err, "a frame", p->caplen);
    if (st < 0)
        return wspi_fail(err, st, 0,
                         "the residual stream does not fit the tokens (a frame of %u bytes)",
                         p->caplen);
    wspi_context_commit(ctx, c);
    out->frame = wrap_frame(d);
    out->number = c->number;
    out->dir = c->dir;
    return WSP_OK;
}

wsp_status wsp_decode_packet(wsp_decoder *d, wsp_context *ctx, const uint16_t *ids, size_t n,
                             size_t *used, const uint8_t **resid, const uint8_t *resid_end,
                             wsp_decoded *out, wsp_error *err)
{
    wspi_coder c = {
        .ctx = ctx, .p = &d->packet, .in = ids, .n = n, .res = *resid, .res_end = resid_end};
    wsp_status st = decode(d, ctx, &c, out, err);

    *used = c.pos;
    *resid = c.res;
    return st;
}

/* ---- grammar ---- */

/* The filler's random numbers depend on the flow and the packet only: trying a prefix twice gives the same values. */
static wspi_coder filled_coder(wsp_decoder *d, const wsp_context *ctx, const uint16_t *ids,
                               size_t n, const wsp_filler *fill)
{
    wspi_coder c = {.ctx = ctx, .p = &d->packet, .in = ids, .n = n, .fill = fill};

    wspi_rng_seed(&c.rng, fill->seed + ctx->last_number * 0x9e3779b97f4a7c15u + ctx->started);
    return c;
}

static void copy_packet(wsp_packet *to, const wsp_packet *from)
{
    memcpy(to, from, offsetof(wsp_packet, layers) + from->n_layers * sizeof *from->layers);
}

/* Has the walk the headers of these tokens? */
static bool has_headers(const wspi_walk *w, const uint16_t *ids, size_t n)
{
    return w && w->n && w->n <= n && memcmp(w->ids, ids, w->n * sizeof *ids) == 0;
}

static void resume(wsp_decoder *d, const wspi_walk *w, wspi_coder *c)
{
    wspi_coder now = *c;

    *c = w->coder;
    c->in = now.in;
    c->n = now.n;
    c->legal = now.legal;
    copy_packet(&d->packet, &w->packet);
}

static void keep_headers(wspi_walk *w, const wspi_coder *c)
{
    w->n = 0;
    if (c->bad || c->need || c->pos == c->n)
        return;
    w->n = c->pos + 1; /* the next one says that the headers end */
    memcpy(w->ids, c->in, w->n * sizeof *w->ids);
    w->coder = *c;
    copy_packet(&w->packet, c->p);
}

wsp_status wspi_grammar_mark(wsp_decoder *d, const wsp_context *ctx, const uint16_t *ids, size_t n,
                             const wsp_filler *fill, bool deviations, wspi_walk *walk,
                             uint8_t *legal, wspi_range *marked, bool *done, wsp_error *err)
{
    wspi_coder c = filled_coder(d, ctx, ids, n, fill);
    bool is_one = true;

    c.legal = legal;
    c.marked.from = wsp_vocab_size();
    c.deviations = deviations;
    packet_reset(d, ctx, &c);
    if (has_headers(walk, ids, n)) {
        resume(d, walk, &c);
    } else {
        is_one = wspi_code_headers(&c);
        if (walk)
            keep_headers(walk, &c);
    }
    if (is_one)
        wspi_code_rest(&c);
    *marked = (wspi_range){WSPI_MIN(c.marked.from, c.marked.to), c.marked.to};
    *done = !c.bad && !c.need && c.pos == n;
    if (c.bad || (!c.need && c.pos < n))
        return no_packet(d, &c, err);
    return WSP_OK;
}

wsp_status wsp_grammar_next(wsp_decoder *d, const wsp_context *ctx, const uint16_t *ids, size_t n,
                            const wsp_filler *fill, bool deviations, uint8_t *legal, bool *done,
                            wsp_error *err)
{
    wspi_range marked;

    memset(legal, 0, wsp_vocab_size());
    return wspi_grammar_mark(d, ctx, ids, n, fill, deviations, NULL, legal, &marked, done, err);
}

wsp_status wsp_grammar_build(wsp_decoder *d, wsp_context *ctx, const uint16_t *ids, size_t n,
                             const wsp_filler *fill, wsp_decoded *out, wsp_error *err)
{
    wspi_coder c = filled_coder(d, ctx, ids, n, fill);

    return decode(d, ctx, &c, out, err);
}
