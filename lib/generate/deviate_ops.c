/* SPDX-License-Identifier: Apache-2.0 */
/*
 * deviate_ops.c: the kinds of deviations, one function each: it changes the draft in one place, says which and how, and
 * returns false if the packet has no such place. Places come from the tables of fields and the spans of the payload.
 */
#include <stdio.h>

#include "generate/deviate_int.h"
#include "token/app/app.h"

enum { MOST_PLACES = 640, OPTION_BYTES = 40, MOST_COPIES = 200, ROOM = 1400 };
enum {
    ETHERNET_MOST = 1514
}; /* a frame that was no longer does not become it: it could not be replayed */

/* ---- what the log says ---- */

static void say_number(char *out, size_t len, uint64_t v)
{
    (void)snprintf(out, len, "%llu", (unsigned long long)v);
}

/* At most OPTION_BYTES. */
static void say_bytes(char out[WSP_DEVIATION_TEXT], const uint8_t *b, size_t n)
{
    size_t at = (size_t)snprintf(out, WSP_DEVIATION_TEXT, n ? "0x" : "none");

    for (size_t i = 0; i < n; i++)
        at += (size_t)snprintf(out + at, WSP_DEVIATION_TEXT - at, "%02x", b[i]);
}

static void say_place(wsp_deviation *log, size_t at, size_t bytes)
{
    log->at = (uint32_t)at;
    log->bytes = (uint32_t)bytes;
}

static void say(wsp_deviation *log, const char *field, uint64_t from, uint64_t to)
{
    (void)snprintf(log->field, sizeof log->field, "%s", field);
    say_number(log->from, sizeof log->from, from);
    say_number(log->to, sizeof log->to, to);
}

static bool one_in(wspi_rng *rng, uint64_t n)
{
    return wspi_rng_below(rng, n) == 0;
}

/* ---- places ---- */

/* A field of a layer, or a span of the payload when layer is -1. */
typedef struct place {
    int layer;
    size_t at;
} place;

typedef struct places {
    size_t n;
    place v[MOST_PLACES];
} places;

static void add_place(places *all, int layer, size_t at)
{
    if (all->n < MOST_PLACES)
        all->v[all->n++] = (place){.layer = layer, .at = at};
}

static bool is_type(const wspi_proto *proto, size_t f)
{
    return proto->space && f == proto->type;
}

static bool is_length(const wspi_proto *proto, size_t f)
{
    const wspi_field *d = &proto->fields[f];

    return d->kind == WSPI_K_AUTO && d->role != WSPI_R_CHECKSUM && !is_type(proto, f);
}

static bool is_checksum(const wspi_proto *proto, size_t f)
{
    return proto->fields[f].role == WSPI_R_CHECKSUM;
}

static bool is_value(const wspi_proto *proto, size_t f)
{
    return !is_length(proto, f) && !is_checksum(proto, f);
}

static void header_places(const wspi_draft *d, bool (*fits)(const wspi_proto *, size_t),
                          places *all)
{
    for (size_t i = 0; !d->inside && i < d->p->n_layers; i++) {
        const wspi_proto *proto = wspi_protos[d->p->layers[i].id];
        for (size_t f = 0; f < proto->n_fields; f++)
            if (fits(proto, f))
                add_place(all, (int)i, f);
    }
}

/* Spans of a changed payload may lie behind its end. */
static bool is_there(const wspi_draft *d, const wspi_span *s)
{
    return (size_t)s->at + s->len <= d->payload.len;
}

/* Fields that count what follows, by the end of their names. */
static bool counts(const wspi_span *s)
{
    static const char *const ends[] = {"length",   ".len",         "count",        ".questions",
                                       ".answers", ".authorities", ".additionals", ".quantity"};
    char name[48];
    size_t len;

    if (s->kind == WSPI_SPAN_LENGTH)
        return true;
    if (s->kind != WSPI_SPAN_FIELD)
        return false;
    wspi_span_name(s, name, sizeof name);
    len = strlen(name);
    for (size_t i = 0; i < WSPI_COUNT(ends); i++)
        if (len >= strlen(ends[i]) && strcmp(name + len - strlen(ends[i]), ends[i]) == 0)
            return true;
    return false;
}

static void length_spans(const wspi_draft *d, places *all)
{
    for (size_t i = 0; i < d->spans.n; i++)
        if (counts(&d->spans.v[i]) && is_there(d, &d->spans.v[i]))
            add_place(all, -1, i);
}

static void value_spans(const wspi_draft *d, places *all)
{
    for (size_t i = 0; i < d->spans.n; i++)
        if (!counts(&d->spans.v[i]) && is_there(d, &d->spans.v[i]))
            add_place(all, -1, i);
}

/* ---- changes ---- */

static void set_field(wspi_draft *d, const place *at, uint64_t v, wsp_deviation *log)
{
    wspi_layer *l = &d->p->layers[at->layer];
    const wspi_field *f = &wspi_protos[l->id]->fields[at->at];

    say(log, f->name, l->v[at->at], v);
    say_place(log, l->off + f->bit / 8u, (f->bit % 8u + f->width + 7u) / 8u);
    l->v[at->at] = v;
    l->autos &= (uint16_t) ~(1u << at->at);
    d->lies = d->lies || is_length(wspi_protos[l->id], at->at);
}

/* Where the span ends: of a mark, where the next one begins. */
static uint32_t span_end(const wspi_draft *d, size_t i)
{
    const wspi_span *s = &d->spans.v[i];

    if (s->kind != WSPI_SPAN_MARK)
        return s->at + s->len;
    while (i < d->spans.n && d->spans.v[i].at <= s->at)
        i++;
    return i < d->spans.n ? d->spans.v[i].at : (uint32_t)d->payload.len;
}

/* Bytes that parsers trip over. */
static uint8_t odd_byte(wspi_rng *rng)
{
    static const uint8_t list[] = {0,    0xff, 0x80, 0x7f, 0xc0, ' ', '\r',
                                   '\n', '.',  '%',  '/',  ':',  '"'};

    return one_in(rng, 3) ? (uint8_t)wspi_rng_u64(rng) : list[wspi_rng_below(rng, sizeof list)];
}

static void set_bytes(wspi_draft *d, wspi_rng *rng, uint32_t at, uint32_t len, wsp_deviation *log)
{
    uint32_t from = at + (uint32_t)wspi_rng_below(rng, len);
    uint32_t n = 1 + (uint32_t)wspi_rng_below(rng, WSPI_MIN(at + len - from, 8u));
    uint8_t *b = d->payload.data;

    say_bytes(log->from, b + from, n);
    say_place(log, d->p->payload_off + from, n);
    for (uint32_t i = from; i < from + n; i++) {
        uint8_t was = b[i];
        while (b[i] == was)
            b[i] = odd_byte(rng);
    }
    say_bytes(log->to, b + from, n);
}

static uint64_t value_at(const wspi_draft *d, uint32_t at, uint32_t len, bool little)
{
    uint64_t v = wspi_bits_get(d->payload.data + at, 0, len * 8);

    return little ? wspi_turned(v, len) : v;
}

static void put_value(wspi_draft *d, uint32_t at, uint32_t len, bool little, uint64_t v)
{
    wspi_bits_put(d->payload.data + at, 0, len * 8, little ? wspi_turned(v, len) : v);
}

/* false: the mark has no bytes. */
static bool set_span(wspi_draft *d, wspi_rng *rng, size_t i, wsp_deviation *log)
{
    const wspi_span *s = &d->spans.v[i];
    uint32_t end = span_end(d, i), len = end > s->at ? end - s->at : 0;
    uint64_t v, to;

    if (len == 0 || end > d->payload.len)
        return false;
    wspi_span_name(s, log->field, sizeof log->field);
    if ((s->kind == WSPI_SPAN_FIELD || s->kind == WSPI_SPAN_LENGTH) && len <= 8) {
        v = value_at(d, s->at, len, s->little);
        to = s->kind == WSPI_SPAN_FIELD && !one_in(rng, 3)
                 ? wspi_odd_listed(rng, &wspi_proto_of(s->app)->fields[s->field], v)
                 : v;
        if (to == v || (len < 8 && to >> len * 8))
            to = wspi_odd_value(rng, len * 8, v);
        put_value(d, s->at, len, s->little, to);
        say_place(log, d->p->payload_off + s->at, len);
        say_number(log->from, sizeof log->from, v);
        say_number(log->to, sizeof log->to, to);
    } else {
        set_bytes(d, rng, s->at, len, log);
    }
    return true;
}

/* ---- a payload that no table knows ---- */

enum { HEAD_LOOK = 32, LEAST_LENGTH = 8 };

static bool is_plain(const wspi_draft *d)
{
    return d->spans.n == 0 && d->payload.len > 0 && d->cut == 0;
}

/* Bytes of its beginning, where types, lengths and words are. */
static bool set_plain(wspi_draft *d, wspi_rng *rng, wsp_deviation *log)
{
    if (!is_plain(d))
        return false;
    (void)snprintf(log->field, sizeof log->field, "payload");
    set_bytes(d, rng, 0, (uint32_t)WSPI_MIN(d->payload.len, (size_t)HEAD_LOOK), log);
    return true;
}

/* Is a number of len bytes at this place as many as there are from there on, behind it, or in all? */
static bool says_length(const wspi_draft *d, uint32_t at, uint32_t len, bool little)
{
    uint64_t v = value_at(d, at, len, little), all = d->payload.len;

    return v >= LEAST_LENGTH && (v == all || v == all - at || v == all - at - len);
}

/* What of its beginning must be its length. */
static bool set_plain_length(wspi_draft *d, wspi_rng *rng, wsp_deviation *log)
{
    struct {
        uint32_t at, len;
        bool little;
    } found[8], *f;
    size_t n = 0;
    uint64_t v, to;

    for (uint32_t len = 4; is_plain(d) && len >= 2; len--)
        for (uint32_t at = 0; at < HEAD_LOOK && at + len <= d->payload.len; at++)
            for (int little = 0; little < 2 && n < WSPI_COUNT(found); little++)
                if (says_length(d, at, len, little)) {
                    found[n].at = at;
                    found[n].len = len;
                    found[n++].little = little;
                }
    if (n == 0)
        return false;
    f = &found[wspi_rng_below(rng, n)];
    v = value_at(d, f->at, f->len, f->little);
    to = wspi_odd_value(rng, f->len * 8, v);
    put_value(d, f->at, f->len, f->little, to);
    (void)snprintf(log->field, sizeof log->field, "payload");
    say_place(log, d->p->payload_off + f->at, f->len);
    say_number(log->from, sizeof log->from, v);
    say_number(log->to, sizeof log->to, to);
    return true;
}

/* One of the places; the payload's and the headers' have the same odds. */
static bool change_place(wspi_draft *d, wspi_rng *rng, places *headers, const places *spans,
                         bool (*plain)(wspi_draft *, wspi_rng *, wsp_deviation *),
                         wsp_deviation *log)
{
    const place *at;

    if ((headers->n == 0 || one_in(rng, 2)) && plain(d, rng, log))
        return true;
    for (unsigned tries = 0; spans->n && (headers->n == 0 || one_in(rng, 2)) && tries < 8; tries++)
        if (set_span(d, rng, spans->v[wspi_rng_below(rng, spans->n)].at, log))
            return true;
    if (headers->n == 0)
        return false;
    at = &headers->v[wspi_rng_below(rng, headers->n)];
    set_field(d, at, wspi_odd_field(rng, &d->p->layers[at->layer], at->at), log);
    return true;
}

static bool deviate_value(wspi_draft *d, bool early, wspi_rng *rng, wsp_deviation *log)
{
    places headers = {.n = 0}, spans = {.n = 0};

    (void)early;
    header_places(d, is_value, &headers);
    value_spans(d, &spans);
    return change_place(d, rng, &headers, &spans, set_plain, log);
}

static bool deviate_length(wspi_draft *d, bool early, wspi_rng *rng, wsp_deviation *log)
{
    places headers = {.n = 0}, spans = {.n = 0};

    (void)early;
    header_places(d, is_length, &headers);
    length_spans(d, &spans);
    return change_place(d, rng, &headers, &spans, set_plain_length, log);
}

/* Not zero, which may mean that there is none. */
static bool deviate_checksum(wspi_draft *d, bool early, wspi_rng *rng, wsp_deviation *log)
{
    places all = {.n = 0};
    const place *at;
    uint64_t v, to;

    (void)early;
    header_places(d, is_checksum, &all);
    if (all.n == 0)
        return false;
    at = &all.v[wspi_rng_below(rng, all.n)];
    v = d->p->layers[at->layer].v[at->at];
    do
        to = v ^ (1 + wspi_rng_below(rng, 0xfffe));
    while (to == 0);
    set_field(d, at, to, log);
    return true;
}

/* ---- overlaps ---- */

/* The same packet with other bytes, from before or inside the segment on. */
static bool overlap_segment(wspi_draft *d, wspi_layer *l, wspi_rng *rng, wsp_deviation *log)
{
    uint64_t seq = l->v[WSPI_TCP_SEQ];
    uint32_t len = (uint32_t)d->payload.len, n = 1 + (uint32_t)wspi_rng_below(rng, len);
    int64_t from = (int64_t)wspi_rng_below(rng, len + (uint64_t)n) - n;
    wspi_buf whole = d->payload;
    wsp_status st;

    say(log, "tcp.seq", (uint32_t)(seq + len), (uint32_t)(seq + (uint64_t)from));
    wspi_buf_init(&d->payload, SIZE_MAX / 2);
    st = wspi_buf_add(&d->payload, whole.data + len - n, n);
    for (uint32_t i = 0; st == WSP_OK && i < n; i++)
        d->payload.data[i] ^= 0x55;
    l->v[WSPI_TCP_SEQ] = (uint32_t)(seq + (uint64_t)from);
    if (st == WSP_OK)
        st = wspi_draft_build(d);
    if (st == WSP_OK)
        st = wspi_buf_add(&d->second, d->frame.data, d->frame.len);
    say_place(log, d->p->payload_off, n);
    wspi_buf_clear(&d->payload);
    d->payload = whole;
    l->v[WSPI_TCP_SEQ] = seq;
    return st == WSP_OK && wspi_draft_build(d) == WSP_OK;
}

/* Bytes [from, to) of what follows the IPv4 header at `ip`, behind the headers of `whole`, as a fragment. */
static wsp_status fragment(wspi_buf *out, const wspi_buf *whole, uint32_t ip, uint32_t header,
                           uint32_t from, uint32_t to, bool more)
{
    uint8_t *h;

    out->len = 0;
    WSP_TRY(wspi_buf_add(out, whole->data, ip + header));
    WSP_TRY(wspi_buf_add(out, whole->data + ip + header + from, to - from));
    h = out->data + ip;
    wspi_bits_put(h, 16, 16, header + to - from);
    wspi_bits_put(h, 48, 16, (more ? 0x2000u : 0u) | from / 8);
    wspi_bits_put(h, 80, 16, wspi_fold(wspi_sum16(h, header, 10)));
    return WSP_OK;
}

/* A value of field f of layer i that the packet's other parts decide, 0: none do. */
static uint64_t decided(const wsp_packet *p, const uint8_t *frame, size_t i, size_t f)
{
    uint64_t v = 0;

    if (is_type(wspi_protos[p->layers[i].id], f))
        return wspi_next_value(p, i, &v) ? v : 0;
    return wspi_auto_value(p, frame, i, f, &v) ? v : 0;
}

/* Does a header in front of layer `end` say how much is behind it? It would say it of the whole packet, whatever the fragments are. */
static bool is_counted(wsp_packet *p, const uint8_t *frame, size_t end)
{
    const uint32_t whole = p->payload_len;
    bool counted = false;

    for (size_t i = 0; i < end; i++)
        for (size_t f = 0; f < wspi_protos[p->layers[i].id]->n_fields; f++) {
            uint64_t v = decided(p, frame, i, f);
            p->payload_len = whole + 8;
            counted |= decided(p, frame, i, f) != v;
            p->payload_len = whole;
        }
    return counted;
}

/* Two fragments, of which the second begins inside the first, where it has other bytes. */
static bool overlap_fragment(wspi_draft *d, wspi_rng *rng, wsp_deviation *log)
{
    uint32_t ip = 0, header = 0, rest = 0, split, back;
    wspi_buf whole;
    bool ok;

    for (size_t i = 0; i < d->p->n_layers && header == 0; i++)
        if (d->p->layers[i].id == WSPI_IPV4) {
            if (is_counted(d->p, d->frame.data, i))
                return false;
            ip = d->p->layers[i].off;
            header = wspi_header_with_parts(d->p, i);
            rest = wspi_rest(d->p, i) - header;
        }
    if (header == 0 || rest < 24 || d->p->fragment || d->cut || ip + header + rest > d->frame.len)
        return false;
    split = 16 + 8 * (uint32_t)wspi_rng_below(rng, (rest - 16) / 8);
    back = split - 8 * (1 + (uint32_t)wspi_rng_below(rng, split / 8 - 1));
    say(log, "ipv4.frag", split / 8, back / 8);
    say_place(log, ip + header, split - back);
    whole = d->frame;
    wspi_buf_init(&d->frame, SIZE_MAX / 2);
    ok = fragment(&d->frame, &whole, ip, header, 0, split, true) == WSP_OK;
    for (uint32_t i = back; i < split; i++)
        whole.data[ip + header + i] ^= 0x55;
    ok = ok && fragment(&d->second, &whole, ip, header, back, rest, false) == WSP_OK;
    wspi_buf_clear(&whole);
    d->wirelen = (uint32_t)d->frame.len;
    d->built = true;
    return ok;
}

static bool deviate_overlap(wspi_draft *d, bool early, wspi_rng *rng, wsp_deviation *log)
{
    wspi_layer *l = wspi_draft_layer(d, WSPI_TCP);

    (void)early;
    if (d->inside)
        return false;
    if (l && d->payload.len && !d->p->fragment && !d->cut && !one_in(rng, 4))
        return overlap_segment(d, l, rng, log);
    return wspi_draft_build(d) == WSP_OK && overlap_fragment(d, rng, log);
}

/* ---- order, cuts ---- */

static bool deviate_order(wspi_draft *d, bool early, wspi_rng *rng, wsp_deviation *log)
{
    if (!early || (d->inside && d->payload.len == 0) || wspi_draft_build(d) < 0)
        return false;
    (void)snprintf(log->field, sizeof log->field, "frame");
    say_place(log, 0, d->frame.len);
    if (d->inside || one_in(rng, 2)) {
        (void)snprintf(log->from, sizeof log->from, "once");
        (void)snprintf(log->to, sizeof log->to, "again");
        return wspi_buf_add(&d->second, d->frame.data, d->frame.len) == WSP_OK;
    }
    (void)snprintf(log->from, sizeof log->from, "before the next one");
    (void)snprintf(log->to, sizeof log->to, "after it");
    return d->hold = true;
}

/* Where the link header ends: a network takes no frame that is cut before (an IP packet by itself has none). */
static uint32_t link_end(const wsp_packet *p)
{
    bool link = p->n_layers && p->layers[0].id != WSPI_IPV4 && p->layers[0].id != WSPI_IPV6;

    return link ? wspi_header_with_parts(p, 0) : 0;
}

/* Lengths of headers are right, so it is the message that ends; or the capture has cut the packet. */
static bool deviate_truncate(wspi_draft *d, bool early, wspi_rng *rng, wsp_deviation *log)
{
    uint32_t len = (uint32_t)d->payload.len, to, least = WSPI_MAX(link_end(d->p), 1u);

    (void)early;
    if (d->inside && len < 2)
        return false;
    if (!d->inside && (len < 2 || one_in(rng, 4))) {
        if (wspi_draft_build(d) < 0 || d->frame.len <= least)
            return false;
        len = (uint32_t)d->frame.len;
        to = least + (uint32_t)wspi_rng_below(rng, len - least);
        say(log, "frame", len, to);
        say_place(log, to, 0);
        d->frame.len = to;
        return d->built = true;
    }
    to = d->spans.n ? d->spans.v[wspi_rng_below(rng, d->spans.n)].at : 0;
    if (to == 0 || to >= len || one_in(rng, 2))
        to = 1 + (uint32_t)wspi_rng_below(rng, len - 1);
    say(log, "payload", len, to);
    say_place(log, d->p->payload_off + to, 0);
    d->payload.len = to;
    d->trailer.len = d->cut = d->trailer_cut = 0;
    return true;
}

/* ---- options ---- */

/* Kinds that a header has, and one that it has not; lengths: right, nothing, too long. */
static void fill_options(wspi_rng *rng, uint8_t b[OPTION_BYTES])
{
    static const uint8_t kinds[] = {0,  1,  2,  3,   4,   5,   7,   8,  19,
                                    30, 34, 68, 131, 137, 148, 253, 255};
    static const uint8_t lengths[] = {0, 1, 2, 3, 4, 8, 10, 11, 18, 34, 40, 255};
    bool same = one_in(rng, 2);
    uint8_t kind = kinds[wspi_rng_below(rng, sizeof kinds)],
            len = lengths[wspi_rng_below(rng, sizeof lengths)];

    for (size_t i = 0; i < OPTION_BYTES;) {
        size_t step = kind < 2 ? 1 : WSPI_MAX(len, 2);
        for (size_t k = 0; k < step && i + k < OPTION_BYTES; k++)
            b[i + k] = k == 0 ? kind : k == 1 ? len : (uint8_t)wspi_rng_u64(rng);
        i += step;
        if (!same) {
            kind = kinds[wspi_rng_below(rng, sizeof kinds)];
            len = lengths[wspi_rng_below(rng, sizeof lengths)];
        }
    }
}

/* By how many bytes the frame that is built may grow. */
static size_t room_in(const wspi_draft *d)
{
    size_t most = d->frame.len > ETHERNET_MOST ? WSPI_DRAFT_MAX : ETHERNET_MOST;

    return most - WSPI_MIN(d->frame.len, most);
}

/* The options of layer i become OPTION_BYTES of any. */
static bool bomb_header(wspi_draft *d, size_t i, uint8_t raw, wspi_rng *rng, wsp_deviation *log)
{
    wsp_packet *p = d->p;
    size_t end = i + 1;
    uint32_t at = wspi_protos[p->layers[i].id]->len, len = wspi_header_with_parts(p, i) - at;

    (void)snprintf(log->field, sizeof log->field, "%s", wspi_protos[raw]->name);
    if (wspi_draft_build(d) < 0 || room_in(d) < OPTION_BYTES - len)
        return false;
    say_place(log, p->layers[i].off + at, OPTION_BYTES);
    say_bytes(log->from, d->frame.data + p->layers[i].off + at, len);
    while (end < p->n_layers && wspi_is_part(p->layers[end].id, p->layers[i].id))
        end++;
    if (p->n_layers + 2 > WSPI_MAX_LAYERS)
        return false;
    memmove(p->layers + i + 2, p->layers + end, (p->n_layers - end) * sizeof *p->layers);
    p->n_layers = p->n_layers - (end - i - 1) + 1;
    p->layers[i + 1] = (wspi_layer){.id = raw, .extra_len = OPTION_BYTES};
    fill_options(rng, p->layers[i + 1].extra);
    say_bytes(log->to, p->layers[i + 1].extra, OPTION_BYTES);
    return true;
}

/* A chain of extension headers behind layer i, each of one pad option. */
static bool bomb_ipv6(wspi_draft *d, size_t i, wspi_rng *rng, wsp_deviation *log)
{
    static const uint8_t pad[] = {1, 4, 0, 0, 0, 0};
    wsp_packet *p = d->p;
    const size_t each = 2 + sizeof pad;
    size_t n = 2 + wspi_rng_below(rng, 23);
    uint8_t id = one_in(rng, 2) ? WSPI_IPV6_HOP : WSPI_IPV6_DEST;
    uint64_t number = 0, next = p->layers[i].v[WSPI_IPV6_NEXT];

    if (wspi_draft_build(d) < 0 || room_in(d) < n * each || p->n_layers + n > WSPI_MAX_LAYERS ||
        !wspi_next_number(WSPI_S_IP, id, &number))
        return false;
    say_place(log, p->layers[i].off + wspi_protos[WSPI_IPV6]->len, n * each);
    memmove(p->layers + i + 1 + n, p->layers + i + 1, (p->n_layers - i - 1) * sizeof *p->layers);
    p->n_layers += n;
    for (size_t k = 0; k < n; k++) {
        wspi_layer *l = &p->layers[i + 1 + k];
        *l = (wspi_layer){.id = id, .extra_len = sizeof pad, .autos = 1u << WSPI_IPV6_PART_LEN};
        l->v[WSPI_IPV6_PART_NEXT] = k + 1 < n ? number : next;
        memcpy(l->extra, pad, sizeof pad);
    }
    p->layers[i].v[WSPI_IPV6_NEXT] = number;
    p->layers[i].autos &= (uint16_t) ~(1u << WSPI_IPV6_NEXT);
    say(log, wspi_protos[id]->name, 0, n);
    return true;
}

static void add_to(uint8_t *b, uint32_t width, uint64_t more)
{
    wspi_bits_put(b, 0, width * 8, wspi_bits_get(b, 0, width * 8) + more);
}

/* Lengths around the bytes at `at` grow by `bytes`. */
static void grow_lengths(wspi_draft *d, uint32_t at, uint32_t end, uint64_t bytes)
{
    for (size_t i = 0; i < d->spans.n; i++) {
        const wspi_span *s = &d->spans.v[i];
        if (s->kind == WSPI_SPAN_LENGTH && s->at + s->len <= at && s->end >= end && is_there(d, s))
            add_to(d->payload.data + s->at, s->len, bytes);
    }
}

bool wspi_draft_replace(wspi_draft *d, uint32_t from, uint32_t to, const uint8_t *bytes, size_t n)
{
    wspi_buf *b = &d->payload;
    size_t behind = b->len - to;

    if ((n > to - from && from + n + behind > WSPI_DRAFT_MAX / 2) || wspi_buf_reserve(b, n) < 0)
        return false;
    grow_lengths(d, from, to, (uint64_t)n - (to - from));
    memmove(b->data + from + n, b->data + to, behind);
    if (n)
        memcpy(b->data + from, bytes, n);
    b->len = from + n + behind;
    wspi_spans_back(&d->spans, 0);
    return true;
}

/* Elements that the message counts somewhere. */
static void grow_counts(wspi_draft *d, const char *element, uint64_t n)
{
    static const char *const counted[][2] = {{"dns.name", "dns.additionals"},
                                             {"dns.qname", "dns.questions"}};
    char name[48];

    for (size_t i = 0; i < d->spans.n; i++)
        for (size_t k = 0; k < WSPI_COUNT(counted); k++) {
            const wspi_span *s = &d->spans.v[i];
            wspi_span_name(s, name, sizeof name);
            if (s->kind == WSPI_SPAN_FIELD && is_there(d, s) &&
                strcmp(element, counted[k][0]) == 0 && strcmp(name, counted[k][1]) == 0)
                add_to(d->payload.data + s->at, s->len, n);
        }
}

/* An element of the message, up to the next one of its kind, many times. */
static bool bomb_message(wspi_draft *d, wspi_rng *rng, wsp_deviation *log)
{
    size_t i = wspi_rng_below(rng, d->spans.n), next = i + 1;
    const wspi_span *s = &d->spans.v[i];
    uint32_t end, len, room = d->payload.len < ROOM ? ROOM - (uint32_t)d->payload.len : 0;
    uint64_t copies;
    uint8_t *b;

    while (next < d->spans.n && (d->spans.v[next].field != s->field ||
                                 d->spans.v[next].kind != s->kind || d->spans.v[next].at <= s->at))
        next++;
    end = next < d->spans.n ? d->spans.v[next].at : (uint32_t)d->payload.len;
    len = end > s->at ? end - s->at : 0;
    if (len == 0 || end > d->payload.len || room < len)
        return false;
    copies = 1 + wspi_rng_below(rng, WSPI_MIN(room / len, (uint32_t)MOST_COPIES));
    wspi_span_name(s, log->field, sizeof log->field);
    grow_lengths(d, s->at, end, copies * len);
    grow_counts(d, log->field, copies);
    say_place(log, d->p->payload_off + end, copies * len);
    if (wspi_buf_reserve(&d->payload, copies * len) < 0)
        return false;
    b = d->payload.data;
    memmove(b + end + copies * len, b + end, d->payload.len - end);
    for (uint64_t k = 0; k < copies; k++)
        memcpy(b + end + k * len, b + s->at, len);
    d->payload.len += copies * len;
    (void)snprintf(log->from, sizeof log->from, "once");
    (void)snprintf(log->to, sizeof log->to, "%llu times", (unsigned long long)copies + 1);
    return true;
}

static bool deviate_options(wspi_draft *d, bool early, wspi_rng *rng, wsp_deviation *log)
{
    size_t own = wspi_own_layers(d->p), at[WSPI_MAX_LAYERS], n = 0, i;

    (void)early;
    if (d->spans.n && d->cut == 0 && (d->inside || one_in(rng, 2)) && bomb_message(d, rng, log))
        return true;
    if (d->inside)
        return false;
    for (i = 0; i < own; i++)
        if (d->p->layers[i].id == WSPI_TCP || d->p->layers[i].id == WSPI_IPV4 ||
            d->p->layers[i].id == WSPI_IPV6)
            at[n++] = i;
    if (n == 0)
        return false;
    i = at[wspi_rng_below(rng, n)];
    if (d->p->layers[i].id == WSPI_IPV6)
        return bomb_ipv6(d, i, rng, log);
    return bomb_header(d, i, d->p->layers[i].id == WSPI_TCP ? WSPI_TCP_RAWOPT : WSPI_IPV4_RAWOPT,
                       rng, log);
}

/* ---- the table ---- */

static const struct {
    const char *name;
    bool (*make)(wspi_draft *d, bool early, wspi_rng *rng, wsp_deviation *log);
} kinds[WSP_DEVIATIONS] = {
    /* without make: not placed */
    [WSP_DEVIATE_VALUE] = {"value", deviate_value},
    [WSP_DEVIATE_CHECKSUM] = {"checksum", deviate_checksum},
    [WSP_DEVIATE_LENGTH] = {"length", deviate_length},
    [WSP_DEVIATE_OVERLAP] = {"overlap", deviate_overlap},
    [WSP_DEVIATE_ORDER] = {"order", deviate_order},
    [WSP_DEVIATE_TRUNCATE] = {"truncate", deviate_truncate},
    [WSP_DEVIATE_OPTIONS] = {"options", deviate_options},
    [WSP_DEVIATE_RARE] = {"rare", NULL},
};

const char *wsp_deviation_name(size_t kind)
{
    return kind < WSP_DEVIATIONS ? kinds[kind].name : NULL;
}

bool wspi_deviate(wspi_draft *d, wsp_deviation_kind kind, bool early, wspi_rng *rng,
                  wsp_deviation *log)
{
    log->kind = kind;
    return kinds[kind].make(d, early, rng, log);
}
