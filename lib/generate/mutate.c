/* SPDX-License-Identifier: Apache-2.0 */
/*
 * mutate.c: a mutator for fuzzers over the codec. Each call takes one packet of the input, changes it a few times, and
 * writes the input again. What decides between mutations is their cost as well: drawing from the grammar is the dearest.
 */
#include "generate/mutate_int.h"

#include <stdio.h>

enum { TABLE_BITS = 16, MOST_TOKENS = 160, LOOK_BACK = 4, MOST_CHANGES = 4, RESAMPLE = 12 };
enum { GROWN_MOST = WSPI_DRAFT_MAX / 2 }; /* bytes of a payload */

static bool one_in(wsp_mutator *m, uint64_t n)
{
    return wspi_rng_below(&m->rng, n) == 0;
}

/* For names of files: what was done, and to what, joined by +. What has no room is left out, whole. */
static void did(wsp_mutator *m, const char *what, const char *field)
{
    size_t len = strlen(m->did), need = strlen(what) + strlen(field) + 3;

    if (len + need <= sizeof m->did)
        (void)snprintf(m->did + len, need, "%s%s%s%s", len ? "+" : "", what, *field ? "=" : "",
                       field);
}

/* ---- new ends of packets ---- */

static uint8_t *pair(wsp_mutator *m, uint16_t a, uint16_t b)
{
    uint32_t h = ((uint32_t)a << 16 | b) * 0x9e3779b1u;

    return &m->follows[h >> (32 - TABLE_BITS)];
}

static void learn(wsp_mutator *m, const uint16_t *ids, size_t n)
{
    for (size_t i = 1; i < n; i++) {
        uint8_t *p = pair(m, ids[i - 1], ids[i]);
        *p = (uint8_t)(*p + (*p < 255));
    }
}

/* Few of the thousands of tokens are legal: the others are passed over eight at a time. */
static size_t list_legal(wsp_mutator *m)
{
    size_t n = 0, size = wsp_vocab_size();
    uint64_t eight;

    for (size_t i = 0; i < size; i += 8) {
        memcpy(&eight, m->legal + i, 8);
        for (size_t k = i; eight && k < i + 8; k++)
            if (m->legal[k])
                m->choices[n++] = (uint16_t)k;
    }
    return n;
}

/* One of the legal tokens; those that have followed `last` before are likelier. */
static uint16_t draw(wsp_mutator *m, uint16_t last)
{
    size_t n = list_legal(m);
    uint32_t total = 0;
    uint64_t at;

    for (size_t i = 0; i < n; i++)
        m->weights[i] = total += 1u + 8u * *pair(m, last, m->choices[i]);
    at = wspi_rng_below(&m->rng, WSPI_MAX(total, 1u));
    for (size_t i = 0; i < n; i++)
        if (at < m->weights[i])
            return m->choices[i];
    return 0;
}

/* The addresses of the packet's sender and receiver are the filler's. */
static wsp_filler filler_of(wsp_mutator *m, int dir)
{
    const wsp_flow_key *key = wsp_packet_key(m->draft.p);
    wsp_filler f = {.seed = wspi_rng_u64(&m->rng),
                    .start_ns = m->draft.p->time_ns,
                    .client.mac = {2, 0, 0, 0, 0, 1},
                    .server.mac = {2, 0, 0, 0, 0, 2},
                    .client_port = key->port[dir],
                    .service_ports = true};

    memcpy(f.client.ip, key->addr[dir], 4);
    memcpy(f.server.ip, key->addr[!dir], 4);
    memcpy(f.client.ip6, key->addr[dir], 16);
    memcpy(f.server.ip6, key->addr[!dir], 16);
    return f;
}

/* The packet at work keeps its first tokens; the others are drawn. false: the grammar does not know its beginning. */
static bool resample(wsp_mutator *m, uint16_t *ids, size_t n, int dir, wsp_frame *out)
{
    bool deviations = one_in(m, 2), done = false;
    wsp_filler fill = filler_of(m, dir);
    wsp_decoded decoded;
    size_t k = 1 + wspi_rng_below(&m->rng, n > 1 ? n - 1 : 1);

    while (!done) {
        if (wsp_grammar_next(m->decoder, m->ctx, ids, k, &fill, deviations, m->legal, &done, NULL) <
            0)
            return false;
        if (done)
            break;
        if (k == MOST_TOKENS)
            return false;
        ids[k] = draw(m, ids[k - 1]);
        k++;
    }
    memcpy(m->trial, m->ctx, wsp_context_size());
    if (wsp_grammar_build(m->decoder, m->trial, ids, k, &fill, &decoded, NULL) != WSP_OK)
        return false;
    *out = decoded.frame;
    did(m, "drawn", "");
    return true;
}

/* ---- bytes ---- */

/* A few bytes of b changed, moved or copied within it; its length stays. */
static void disturb(wsp_mutator *m, uint8_t *b, size_t n)
{
    static const uint8_t edges[] = {0, 1, 0x7f, 0x80, 0xff, 0x20, 0x0a, 0xc0};
    size_t at = wspi_rng_below(&m->rng, n), len, from;

    switch (wspi_rng_below(&m->rng, 5)) {
    case 0: b[at] ^= (uint8_t)(1u << wspi_rng_below(&m->rng, 8)); break;
    case 1: b[at] = edges[wspi_rng_below(&m->rng, sizeof edges)]; break;
    case 2: b[at] = (uint8_t)(b[at] + wspi_rng_below(&m->rng, 33) - 16); break;
    case 3: b[at] = (uint8_t)wspi_rng_u64(&m->rng); break;
    default:
        len = 1 + wspi_rng_below(&m->rng, WSPI_MIN(n - at, (size_t)16));
        from = wspi_rng_below(&m->rng, n - len + 1);
        memmove(b + at, b + from, len);
    }
}

/* The payload grows by a copy of a part of itself, or loses a part. */
static bool resize(wsp_mutator *m, wspi_buf *b)
{
    size_t at = wspi_rng_below(&m->rng, b->len),
           len = 1 + wspi_rng_below(&m->rng, WSPI_MIN(b->len - at, (size_t)64));

    if (one_in(m, 2)) {
        memmove(b->data + at, b->data + at + len, b->len - at - len);
        b->len -= len;
        return true;
    }
    if (b->len + len > GROWN_MOST || wspi_buf_reserve(b, len) < 0)
        return false;
    memmove(b->data + at + len, b->data + at, b->len - at);
    b->len += len;
    return true;
}

/* ---- mutations of the draft ---- */

static bool havoc_payload(wsp_mutator *m)
{
    wspi_buf *b = &m->draft.payload;
    size_t n = 1 + wspi_rng_below(&m->rng, 8);

    if (b->len == 0)
        return false;
    if (one_in(m, 3))
        (void)resize(m, b);
    for (; b->len && n; n--)
        disturb(m, b->data, b->len);
    did(m, "havoc", "");
    return true;
}

/* The payload of a packet of the other input, whole or from the middle of ours on. */
static bool splice_payload(wsp_mutator *m)
{
    wspi_buf *b = &m->draft.payload;
    const uint8_t *data;
    size_t caplen, wirelen, keep = 0, from = 0;
    wsp_packet *p;
    wsp_frame f;
    bool ok;

    if (m->other.n == 0 || wsp_packet_new(&p) < 0)
        return false;
    f = wspi_input_frame(&m->other, wspi_rng_below(&m->rng, m->other.n));
    wsp_packet_dissect(p, m->other.linktype, &f);
    wsp_packet_payload(p, &data, &caplen, &wirelen);
    if (b->len && one_in(m, 2)) {
        keep = wspi_rng_below(&m->rng, b->len);
        from = WSPI_MIN(keep, caplen);
    }
    ok = caplen > from && caplen < GROWN_MOST;
    if (ok) {
        b->len = keep;
        ok = wspi_buf_add(b, data + from, caplen - from) == WSP_OK;
    }
    wsp_packet_free(p);
    if (ok)
        did(m, "splice", "");
    return ok;
}

/* The parts of a packet of the other input, coded as the first one of a flow. */
static bool open_other(wsp_mutator *m)
{
    wspi_draft *d = &m->theirs;
    wsp_frame f;

    if (m->other.n == 0)
        return false;
    f = wspi_input_frame(&m->other, wspi_rng_below(&m->rng, m->other.n));
    wsp_context_init(m->trial, m->other.linktype);
    return wspi_draft_read(d, m->other.linktype, &f) == WSP_OK &&
           wspi_draft_find(d, m->trial, 0, 0) == WSP_OK;
}

/* The bytes of part i, up to where the next one begins. false: there are none. */
static bool part(const wspi_draft *d, size_t i, uint32_t *from, uint32_t *to)
{
    *from = d->spans.v[i].at;
    *to = (uint32_t)d->payload.len;
    for (size_t k = 0; k < d->spans.n; k++)
        if (d->spans.v[k].at > *from)
            *to = WSPI_MIN(*to, d->spans.v[k].at);
    return *from < *to;
}

/* One of the other message's parts of the same field, in the place of ours or before it: a name for a name, a header line. */
static bool splice_part(wsp_mutator *m)
{
    wspi_draft *d = &m->draft;
    const wspi_span *s, *found = NULL;
    uint32_t from, to, theirs = 0, their_end = 0, a, b;
    char name[48];

    if (d->spans.n == 0 || d->cut || !open_other(m))
        return false;
    s = &d->spans.v[wspi_rng_below(&m->rng, d->spans.n)];
    if (!part(d, (size_t)(s - d->spans.v), &from, &to))
        return false;
    for (size_t i = 0, n = 0; i < m->theirs.spans.n; i++) {
        const wspi_span *o = &m->theirs.spans.v[i];
        if (o->app == s->app && o->field == s->field && o->kind == s->kind &&
            part(&m->theirs, i, &a, &b) && one_in(m, ++n)) {
            found = o;
            theirs = a;
            their_end = b;
        }
    }
    if (!found)
        return false;
    if (one_in(m, 4))
        to = from;
    wspi_span_name(s, name, sizeof name);
    if (!wspi_draft_replace(d, from, to, m->theirs.payload.data + theirs, their_end - theirs))
        return false;
    did(m, "part", name);
    return true;
}

/* What comes next, by its number in a header or by a port: the bytes behind it are read as another protocol's. */
static bool rename_next(wsp_mutator *m)
{
    wsp_packet *p = m->draft.p;
    size_t own = wspi_own_layers(p);

    for (unsigned tries = 0; own && tries < 8; tries++) {
        wspi_layer *l = &p->layers[wspi_rng_below(&m->rng, own)];
        const wspi_proto *proto = wspi_protos[l->id];
        size_t f = wspi_rng_below(&m->rng, proto->n_fields ? proto->n_fields : 1);

        if (proto->n_fields == 0 ||
            !(proto->fields[f].kind == WSPI_K_PORT || (proto->space && f == proto->type)))
            continue;
        l->v[f] = one_in(m, 3) ? wspi_rng_below(&m->rng, 1024) : wspi_odd_field(&m->rng, l, f);
        if (proto->fields[f].width < 64)
            l->v[f] &= (UINT64_C(1) << proto->fields[f].width) - 1;
        l->autos &= (uint16_t) ~(1u << f);
        did(m, "next", proto->fields[f].name);
        return true;
    }
    return false;
}

static bool by_deviation(wsp_mutator *m, wsp_deviation_kind kind)
{
    wsp_deviation log;

    m->draft.inside = m->opt.form == WSP_MUTATE_PAYLOAD;
    if (!wspi_deviate(&m->draft, kind, true, &m->rng, &log))
        return false;
    did(m, wsp_deviation_name(kind), log.field);
    return true;
}

static bool by_value(wsp_mutator *m)
{
    return by_deviation(m, WSP_DEVIATE_VALUE);
}
static bool by_length(wsp_mutator *m)
{
    return by_deviation(m, WSP_DEVIATE_LENGTH);
}
static bool by_checksum(wsp_mutator *m)
{
    return by_deviation(m, WSP_DEVIATE_CHECKSUM);
}
static bool by_overlap(wsp_mutator *m)
{
    return by_deviation(m, WSP_DEVIATE_OVERLAP);
}
static bool by_cut(wsp_mutator *m)
{
    return by_deviation(m, WSP_DEVIATE_TRUNCATE);
}
static bool by_options(wsp_mutator *m)
{
    return by_deviation(m, WSP_DEVIATE_OPTIONS);
}

/* headers: it may change bytes that a payload's input has not got. */
static const struct {
    bool (*make)(wsp_mutator *m);
    bool headers;
    unsigned weight;
} changes[] = {
    {by_value, true, 6},     {by_length, true, 2},      {by_checksum, true, 1},
    {by_overlap, true, 1},   {by_cut, true, 2},         {by_options, true, 2},
    {rename_next, true, 5},  {havoc_payload, false, 6}, {splice_payload, false, 2},
    {splice_part, false, 4},
};

/* Deviations of a payload alone. */
static bool change_payload(wsp_mutator *m)
{
    static const wsp_deviation_kind kinds[] = {WSP_DEVIATE_VALUE, WSP_DEVIATE_VALUE,
                                               WSP_DEVIATE_LENGTH, WSP_DEVIATE_OPTIONS};

    if (m->draft.spans.n == 0 || one_in(m, 3))
        return one_in(m, 3) ? splice_payload(m) : havoc_payload(m);
    if (m->other.n && one_in(m, 4))
        return splice_part(m);
    return by_deviation(m, kinds[wspi_rng_below(&m->rng, WSPI_COUNT(kinds))]);
}

static bool change(wsp_mutator *m)
{
    unsigned total = 0, at;
    size_t i = 0;

    if (m->opt.form == WSP_MUTATE_PAYLOAD)
        return change_payload(m);
    for (i = 0; i < WSPI_COUNT(changes); i++)
        total += changes[i].weight;
    at = (unsigned)wspi_rng_below(&m->rng, total);
    for (i = 0; at >= changes[i].weight; i++)
        at -= changes[i].weight;
    return changes[i].make(m);
}

/* ---- inputs ---- */

static int direction(const wsp_packet *p, const wsp_flow_key *first)
{
    return memcmp(wsp_packet_key(p)->addr[0], first->addr[0], sizeof first->addr[0]) != 0 ||
           wsp_packet_key(p)->port[0] != first->port[0];
}

bool wspi_mutator_open(wsp_mutator *m, size_t k, uint16_t *ids, size_t *n, int *dir)
{
    wspi_draft *d = &m->draft;
    wsp_flow_key first = {.proto = 0};
    wsp_frame f;

    wsp_context_init(m->ctx, m->in.linktype);
    for (size_t i = k > LOOK_BACK ? k - LOOK_BACK : 0; i <= k; i++) {
        bool begins = i == 0 || i + LOOK_BACK == k;
        f = wspi_input_frame(&m->in, i);
        if (wspi_draft_read(d, m->in.linktype, &f) < 0)
            return false;
        if (begins)
            first = *wsp_packet_key(d->p);
        *dir = direction(d->p, &first);
        if (i == k)
            memcpy(m->trial, m->ctx, wsp_context_size());
        wsp_residual_reset(d->resid);
        if (wspi_encode_spans(i == k ? m->trial : m->ctx, d->p, *dir, i, ids, n, d->resid,
                              &d->spans) < 0)
            return false;
    }
    return true;
}

void wspi_mutator_close(wsp_mutator *m, size_t k)
{
    wspi_draft *d = &m->draft;
    wsp_frame f = {.time_ns = m->in.v[k].time_ns};

    if (!d->built && wspi_draft_build(d) < 0)
        return;
    f.caplen = (uint32_t)d->frame.len;
    f.wirelen = WSPI_MAX(d->wirelen, f.caplen);
    f.data = d->frame.data;
    (void)wspi_input_replace(&m->in, k, &f);
    f.caplen = f.wirelen = (uint32_t)d->second.len;
    f.data = d->second.data;
    if (f.caplen)
        (void)wspi_input_insert(&m->in, k + 1, &f);
}

static bool change_packet(wsp_mutator *m, size_t k, bool new_input)
{
    uint16_t ids[WSP_MAX_PACKET_TOKENS];
    size_t n, changes_left = 1 + wspi_rng_below(&m->rng, MOST_CHANGES);
    wsp_frame f;
    int dir = 0;
    bool ok = false;

    if (!wspi_mutator_open(m, k, ids, &n, &dir))
        return false;
    if (new_input)
        learn(m, ids, n);
    if (one_in(m, RESAMPLE) && n < MOST_TOKENS && resample(m, ids, n, dir, &f)) {
        f.time_ns = m->in.v[k].time_ns;
        if (m->opt.form != WSP_MUTATE_PAYLOAD)
            return wspi_input_replace(&m->in, k, &f);
        wsp_packet_dissect(m->draft.p, 1, &f);
        m->in.headers = WSPI_MIN(m->draft.p->payload_off, f.caplen);
        return wspi_input_replace(&m->in, k, &f);
    }
    for (; changes_left && !m->draft.built; changes_left--)
        ok = change(m) || ok;
    if (ok)
        wspi_mutator_close(m, k);
    return ok;
}

/* Packets in another order, twice, away, or from the other input; another link type. */
static bool change_list(wsp_mutator *m)
{
    static const int linktypes[] = {0,   1,   6,   7,   8,   9,   10,  11,  12,  50,  51,  99,
                                    100, 101, 104, 105, 106, 107, 108, 109, 113, 117, 119, 122,
                                    127, 129, 138, 140, 141, 147, 149, 163, 165, 177, 178, 182,
                                    187, 192, 195, 201, 204, 220, 224, 226, 228, 229, 235, 239,
                                    240, 245, 248, 249, 253, 256, 266, 271, 276};
    wspi_input *in = &m->in;
    size_t k = wspi_rng_below(&m->rng, in->n), j = wspi_rng_below(&m->rng, in->n);
    wspi_packet_ref r = in->v[k];
    wsp_frame f;

    did(m, "packets", "");
    switch (wspi_rng_below(&m->rng, 5)) {
    case 0:
        in->v[k] = in->v[j];
        in->v[j] = r;
        return k != j;
    case 1:
        if (in->n > 1)
            wspi_input_remove(in, k);
        return true;
    case 2: return wspi_input_repeat(in, j, k);
    case 3: in->linktype = linktypes[wspi_rng_below(&m->rng, WSPI_COUNT(linktypes))]; return true;
    default:
        if (m->other.n == 0 || m->other.linktype != in->linktype)
            return false;
        f = wspi_input_frame(&m->other, wspi_rng_below(&m->rng, m->other.n));
        return wspi_input_insert(in, j, &f);
    }
}

/* What does not parse. */
static wsp_status change_bytes(wsp_mutator *m, const uint8_t *in, size_t len, size_t max)
{
    m->out.len = 0;
    did(m, "bytes", "");
    WSP_TRY(wspi_buf_add(&m->out, in, WSPI_MIN(len, max)));
    for (size_t n = 1 + wspi_rng_below(&m->rng, 8); n && m->out.len; n--)
        disturb(m, m->out.data, m->out.len);
    return WSP_OK;
}

wsp_status wsp_mutator_mutate(wsp_mutator *m, const uint8_t *in, size_t len, const uint8_t *other,
                              size_t other_len, size_t max, const uint8_t **out, size_t *out_len)
{
    wsp_mutator_options *o = &m->opt;
    uint64_t hash = wspi_fnv1a(in, WSPI_MIN(len, (size_t)4096), WSPI_FNV_START + len);
    bool ok, new_input = hash != m->learned;
    wsp_status st;

    m->learned = hash;
    m->did[0] = 0;
    m->other.n = 0;
    if (other)
        (void)wspi_input_read(&m->other, o->form, o->port, o->stream, other, other_len);
    ok = wspi_input_read(&m->in, o->form, o->port, o->stream, in, len);
    for (unsigned tries = 0; ok && tries < 4; tries++) {
        bool list = o->form == WSP_MUTATE_PCAP && one_in(m, 8);
        m->did[0] = 0;
        if (list ? change_list(m) : change_packet(m, wspi_rng_below(&m->rng, m->in.n), new_input))
            break;
    }
    st = ok ? wspi_input_write(&m->in, max, &m->out) : change_bytes(m, in, len, max);
    if (st == WSP_OK && m->out.len == 0)
        st = change_bytes(m, in, len, max);
    *out = m->out.data;
    *out_len = m->out.len;
    return st;
}

wsp_status wsp_mutator_new(wsp_mutator **out, const wsp_mutator_options *opt)
{
    wsp_mutator *m = wspi_new_array(1, sizeof *m);

    *out = NULL;
    if (!m)
        return WSP_ERR_NOMEM;
    m->opt = *opt;
    wspi_rng_seed(&m->rng, opt->seed);
    wspi_buf_init(&m->out, SIZE_MAX / 2);
    wspi_buf_init(&m->trim.best, SIZE_MAX / 2);
    m->ctx = wspi_new_array(1, wsp_context_size());
    m->trial = wspi_new_array(1, wsp_context_size());
    m->legal = wspi_new_array(wsp_vocab_size() + 8u, 1);
    m->choices = wspi_new_array(wsp_vocab_size(), sizeof *m->choices);
    m->weights = wspi_new_array(wsp_vocab_size(), sizeof *m->weights);
    m->follows = wspi_new_array(1u << TABLE_BITS, 1);
    if (wspi_draft_init(&m->draft) < 0 || wspi_draft_init(&m->theirs) < 0 ||
        wsp_decoder_new(&m->decoder) < 0 || !m->ctx || !m->trial || !m->legal || !m->choices ||
        !m->weights || !m->follows) {
        wsp_mutator_free(m);
        return WSP_ERR_NOMEM;
    }
    *out = m;
    return WSP_OK;
}

void wsp_mutator_seed(wsp_mutator *m, uint64_t seed)
{
    wspi_rng_seed(&m->rng, seed);
}

const char *wsp_mutator_did(const wsp_mutator *m)
{
    return m->did;
}

void wsp_mutator_free(wsp_mutator *m)
{
    if (!m)
        return;
    wspi_draft_clear(&m->draft);
    wspi_draft_clear(&m->theirs);
    wsp_decoder_free(m->decoder);
    wspi_buf_clear(&m->in.bytes);
    wspi_buf_clear(&m->other.bytes);
    wspi_buf_clear(&m->out);
    wspi_buf_clear(&m->trim.best);
    free(m->ctx);
    free(m->trial);
    free(m->legal);
    free(m->choices);
    free(m->weights);
    free(m->follows);
    free(m);
}
