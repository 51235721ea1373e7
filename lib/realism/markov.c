/* SPDX-License-Identifier: Apache-2.0 */
/*
 * markov.c: the baseline of generating: tokens are drawn by how often each followed the two before it in training flows of
 * the class; the first of a packet by how the packet before it began (direction with gap, length). What never followed two
 * falls back on one, then on none, then on anything legal. The grammar masks and builds as it does for models.
 */
#include "generate/generate_int.h"
#include "realism/realism_int.h"

enum {
    TRIES = 8,
    ORDERS = 3,
    LONG_PACKET = 160,
    LONGEST_PACKET = 480,
    NOTHING = 0xffff,
    INSIDE = 0xfffe
};

/* How often a token came in a state; sorted by both, each pair once. */
typedef struct entry {
    uint64_t state;
    uint32_t times;
    uint16_t next;
} entry;

typedef struct chain {
    entry *e;
    size_t n, cap;
} chain;

/* The state of the given order: class, and as many of the last tokens as the order is. */
static uint64_t state_of(int32_t class, unsigned order, uint16_t before, uint16_t last)
{
    const uint32_t v[4] = {(uint32_t) class, order, order > 1 ? before : 0, order > 0 ? last : 0};

    return wspi_fnv1a(v, sizeof v, WSPI_FNV_START);
}

/* The two tokens that the next one goes by. */
typedef struct memory {
    uint16_t start, second;
} memory;

static void look_back(const memory *m, const uint16_t *ids, size_t n, uint16_t *before,
                      uint16_t *last)
{
    *before = n > 1 ? ids[n - 2] : n == 1 ? INSIDE : m->second;
    *last = n > 0 ? ids[n - 1] : m->start;
}

/* ---- learning ---- */

static wsp_status add(chain *c, int32_t class, uint16_t before, uint16_t last, uint16_t next)
{
    WSP_TRY(wspi_grow(&c->e, &c->cap, c->n + ORDERS, sizeof *c->e));
    for (unsigned order = 0; order < ORDERS; order++)
        c->e[c->n++] =
            (entry){.state = state_of(class, order, before, last), .times = 1, .next = next};
    return WSP_OK;
}

static int by_state(const void *a, const void *b)
{
    const entry *x = a, *y = b;

    if (x->state != y->state)
        return x->state < y->state ? -1 : 1;
    return x->next < y->next ? -1 : x->next > y->next;
}

static void collapse(chain *c)
{
    size_t n = 0;

    if (c->n == 0)
        return;
    qsort(c->e, c->n, sizeof *c->e, by_state);
    for (size_t i = 1; i < c->n; i++) {
        if (by_state(&c->e[i], &c->e[n]) == 0)
            c->e[n].times++;
        else
            c->e[++n] = c->e[i];
    }
    c->n = n + 1;
}

static wsp_status learn_flow(chain *c, const wsp_tokens *t, size_t flow, int32_t class,
                             size_t max_payload)
{
    const wsp_policy *all = wsp_policy_get("everything");
    memory m = {NOTHING, NOTHING};
    uint16_t ids[WSP_MAX_PACKET_TOKENS], before, last;

    for (uint64_t p = t->flow_off[flow]; p < t->flow_off[flow + 1]; p++) {
        size_t n = wsp_policy_apply(all, t->ids + t->packet_off[p],
                                    (size_t)(t->packet_off[p + 1] - t->packet_off[p]), max_payload,
                                    WSP_MAX_PACKET_TOKENS, NULL, ids);
        for (size_t i = 0; i < n; i++) {
            look_back(&m, ids, i, &before, &last);
            WSP_TRY(add(c, class, before, last, ids[i]));
        }
        m = (memory){ids[0], n > 1 ? ids[1] : (uint16_t)NOTHING};
    }
    return WSP_OK;
}

/* ---- drawing ---- */

static size_t first_of(const chain *c, uint64_t state)
{
    size_t lo = 0, hi = c->n;

    while (lo < hi) {
        size_t mid = (lo + hi) / 2;
        if (c->e[mid].state < state)
            lo = mid + 1;
        else
            hi = mid;
    }
    return lo;
}

/* A legal token that followed in training; false when none did. */
static bool draw_from(const chain *c, uint64_t state, const uint8_t *legal, wspi_rng *rng,
                      uint16_t *id)
{
    size_t from = first_of(c, state);
    uint64_t sum = 0, at;

    for (size_t i = from; i < c->n && c->e[i].state == state; i++)
        sum += legal[c->e[i].next] ? c->e[i].times : 0;
    if (sum == 0)
        return false;
    at = wspi_rng_below(rng, sum);
    for (size_t i = from;; i++) {
        if (!legal[c->e[i].next])
            continue;
        *id = c->e[i].next;
        if (at < c->e[i].times)
            return true;
        at -= c->e[i].times;
    }
}

static bool draw_any(const uint8_t *legal, wspi_rng *rng, uint16_t *id)
{
    size_t n = 0, pick;

    for (uint32_t i = 0; i < wsp_vocab_size(); i++)
        n += legal[i];
    if (n == 0)
        return false;
    pick = (size_t)wspi_rng_below(rng, n);
    for (uint32_t i = 0;; i++)
        if (legal[i] && pick-- == 0) {
            *id = (uint16_t)i;
            return true;
        }
}

typedef struct sampler {
    const chain *c;
    const wsp_generate_options *o;
    wsp_decoder *decoder;
    wsp_packet *packet;
    wsp_residual *resid;
    wsp_context *ctx, *trial;
    uint8_t *legal;
    wspi_frames frames;
    wsp_filler fill;
    wsp_host hosts[2][WSPI_HOSTS]; /* fill's */
    wspi_rng rng;
} sampler;

/* As for models: the client begins, payload text is cut, long packets end. */
static wsp_status mask(sampler *s, const uint16_t *ids, size_t n, size_t packets, bool *done,
                       wsp_error *err)
{
    unsigned start = wspi_group_base(WSPI_T_START), end = wspi_group_base(WSPI_T_END);
    size_t text = 0;

    WSP_TRY(wsp_grammar_next(s->decoder, s->ctx, ids, n, &s->fill, false, s->legal, done, err));
    for (size_t i = 0; i < n; i++)
        text += wspi_in_group(ids[i], WSPI_T_TEXT);
    if (packets == 0)
        s->legal[start + WSPI_STARTS] = 0;
    if (s->legal[end] && text >= s->o->max_payload)
        memset(s->legal + wspi_group_base(WSPI_T_TEXT), 0, wspi_group_count(WSPI_T_TEXT));
    if (s->legal[end] && n > LONG_PACKET) {
        memset(s->legal, 0, wsp_vocab_size());
        s->legal[end] = 1;
    }
    return WSP_OK;
}

/* WSP_EOF: the grammar led to where nothing may follow. */
static wsp_status try_packet(sampler *s, int32_t class, const memory *m, size_t packets,
                             uint16_t *ids, size_t *n, wsp_error *err)
{
    uint16_t before, last;
    bool done = false, found;

    for (*n = 0; *n < LONGEST_PACKET; ++*n) {
        WSP_TRY(mask(s, ids, *n, packets, &done, err));
        if (done)
            return WSP_OK;
        look_back(m, ids, *n, &before, &last);
        found = false;
        for (unsigned order = ORDERS; order-- > 0 && !found;)
            found =
                draw_from(s->c, state_of(class, order, before, last), s->legal, &s->rng, &ids[*n]);
        if (!found && !draw_any(s->legal, &s->rng, &ids[*n]))
            break;
    }
    return WSP_EOF;
}

/* What frequencies alone put together can be a dead end where a model hardly gets: then once more. */
static wsp_status draw_packet(sampler *s, int32_t class, const memory *m, size_t packets,
                              uint16_t *ids, size_t *n, wsp_error *err)
{
    wsp_status st = WSP_EOF;

    for (size_t i = 0; i < TRIES && st == WSP_EOF; i++)
        st = try_packet(s, class, m, packets, ids, n, err);
    return st;
}

static wsp_status keep(sampler *s, const wspi_start *start, const wsp_frame *f, size_t packets)
{
    wspi_frames *to = &s->frames;

    WSP_TRY(wspi_grow(&to->ref, &to->cap, to->n + 1, sizeof *to->ref));
    to->ref[to->n++] = (wspi_frame_ref){.time_ns = f->time_ns,
                                        .in = &to->bytes,
                                        .at = to->bytes.len,
                                        .len = f->caplen,
                                        .packet = (uint32_t)packets,
                                        .flow = start->number,
                                        .condition = start->condition};
    return wspi_buf_add(&to->bytes, f->data, f->caplen);
}

static wsp_status draw_flow(sampler *s, const wspi_start *start, wsp_error *err)
{
    memory m = {NOTHING, NOTHING};

    wspi_rng_seed(&s->rng, s->o->seed * 0x9e3779b97f4a7c15u + start->number);
    s->fill = (wsp_filler){.seed = wspi_rng_u64(&s->rng), .start_ns = start->start_ns};
    wspi_hosts_draw(&s->fill, s->hosts, s->o, start->number, &s->rng);
    wsp_context_init(s->ctx, 1);
    for (size_t packets = 0; packets < start->max_packets; packets++) {
        uint16_t ids[WSP_MAX_PACKET_TOKENS];
        wsp_decoded out;
        wsp_status st;
        size_t n;
        st = draw_packet(s, start->condition, &m, packets, ids, &n, err);
        if (st != WSP_OK)
            return st == WSP_EOF ? WSP_OK : st;
        m = (memory){ids[0], n > 1 ? ids[1] : (uint16_t)NOTHING};
        memcpy(s->trial, s->ctx, wsp_context_size());
        st = wsp_grammar_build(s->decoder, s->trial, ids, n, &s->fill, &out, err);
        if (st == WSP_EOF)
            return WSP_OK;
        WSP_TRY(st);
        if (keep(s, start, &out.frame, packets) < 0)
            return wspi_nomem(err, "the packets", s->frames.n);
        wsp_packet_dissect(s->packet, 1, &out.frame);
        wsp_residual_reset(s->resid);
        st = wsp_encode_packet(s->ctx, s->packet, out.dir, out.number, ids, &n, s->resid);
        if (st < 0)
            return wspi_fail(err, st, 0, "a packet: %s", wsp_status_name(st));
    }
    return WSP_OK;
}

/* ---- flows of all classes ---- */

static int by_time(const void *a, const void *b)
{
    const wspi_frame_ref *x = a, *y = b;

    if (x->time_ns != y->time_ns)
        return x->time_ns < y->time_ns ? -1 : 1;
    if (x->flow != y->flow)
        return x->flow < y->flow ? -1 : 1;
    return x->packet < y->packet ? -1 : 1;
}

wsp_status wspi_write_frames(const wspi_frames *f, const wsp_generate_options *o,
                             wsp_pcap_writer *w, wsp_error *err)
{
    wsp_status st = WSP_OK;

    if (f->n)
        qsort(f->ref, f->n, sizeof *f->ref, by_time);
    for (size_t i = 0; i < f->n && st == WSP_OK; i++) {
        const wspi_frame_ref *r = &f->ref[i];
        wsp_frame frame = {.time_ns = r->time_ns,
                           .caplen = r->len,
                           .wirelen = r->len,
                           .data = r->in->data + r->at};
        if (r->packet == 0 && o->begins)
            st = o->begins(o->begins_arg, &frame, r->condition, err);
        if (st == WSP_OK)
            st = wsp_pcap_writer_add(w, &frame, err);
    }
    return st;
}

static wsp_status sampler_make(sampler *s, const chain *c, const wsp_generate_options *o,
                               wsp_error *err)
{
    *s = (sampler){.c = c,
                   .o = o,
                   .ctx = wspi_new_array(1, wsp_context_size()),
                   .trial = wspi_new_array(1, wsp_context_size()),
                   .legal = wspi_new_array(wsp_vocab_size(), 1)};
    wspi_buf_init(&s->frames.bytes, SIZE_MAX / 2);
    if (!s->ctx || !s->trial || !s->legal || wsp_decoder_new(&s->decoder) < 0 ||
        wsp_packet_new(&s->packet) < 0 || wsp_residual_new(&s->resid) < 0)
        return wspi_nomem(err, "a sampler", wsp_context_size());
    return WSP_OK;
}

static void sampler_clear(sampler *s)
{
    wsp_decoder_free(s->decoder);
    wsp_packet_free(s->packet);
    wsp_residual_free(s->resid);
    free(s->ctx);
    free(s->trial);
    free(s->legal);
    free(s->frames.ref);
    wspi_buf_clear(&s->frames.bytes);
}

wsp_status wspi_classes_like(const wsp_traffic *train, const wsp_traffic *like, int32_t *class,
                             size_t *n, wsp_error *err)
{
    *n = 0;
    for (size_t i = 0; i < like->n_counted; i++) {
        int32_t own = like->label[like->counted[i]];
        int32_t theirs = own < 0 ? -1 : wspi_class_in(train, like->names[own]);
        if (own < 0 || theirs >= 0)
            class[(*n)++] = theirs;
    }
    return *n ? WSP_OK
              : wspi_fail(err, WSP_ERR_ARG, 0, "no class of the flows is in the training captures");
}

static wsp_status learn(chain *c, const wsp_traffic *train, bool classes, size_t max_payload,
                        wsp_error *err)
{
    for (size_t i = 0; i < train->n_counted; i++) {
        uint32_t flow = train->counted[i];
        if (learn_flow(c, train->tokens, flow, classes ? train->label[flow] : -1, max_payload) < 0)
            return wspi_nomem(err, "the chain", c->n * sizeof *c->e);
    }
    collapse(c);
    return WSP_OK;
}

static wsp_status draw_all(sampler *s, const int32_t *class, size_t n, wsp_error *err)
{
    wsp_generate_options o = *s->o;
    wspi_plan plan;
    wspi_start start;
    wsp_status st = WSP_OK;

    o.flows = n;
    o.n_mix = 0;
    wspi_plan_init(&plan, &o);
    for (size_t i = 0; i < n && st == WSP_OK; i++) {
        if (!wspi_plan_next(&plan, &start))
            break;
        start.condition = class[i];
        st = draw_flow(s, &start, err);
    }
    return st;
}

wsp_status wsp_markov(const wsp_traffic *train, const wsp_traffic *like,
                      const wsp_generate_options *o, wsp_pcap_writer *w, wsp_error *err)
{
    int32_t *class = wspi_new_array(like->n_counted, sizeof *class);
    chain c = {.n = 0};
    sampler s;
    size_t n;
    wsp_status st = sampler_make(&s, &c, o, err);

    if (st == WSP_OK)
        st = class ? wspi_classes_like(train, like, class, &n, err)
                   : wspi_nomem(err, "flows", like->n_counted);
    if (st == WSP_OK)
        st = learn(&c, train, class[0] >= 0, o->max_payload, err);
    if (st == WSP_OK)
        st = draw_all(&s, class, n, err);
    if (st == WSP_OK)
        st = wspi_write_frames(&s.frames, o, w, err);
    sampler_clear(&s);
    free(c.e);
    free(class);
    return st;
}

const char *wsp_traffic_class(const wsp_traffic *t, int32_t class)
{
    return class >= 0 && (size_t) class < t->n_names ? t->names[class] : NULL;
}
