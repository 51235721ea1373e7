/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bytes.c: the other baseline of generating: a model of bytes as TrafficGPT (arXiv 2403.05822) is one. 260 tokens: the
 * bytes, the start of a packet, the link type, the end of a flow and of a packet; each packet is its start, its link type,
 * the gap as the eight bytes of a floating-point number, and all its bytes. Softmax attention inside blocks of 128 tokens,
 * linear attention without gates from block to block, at the sizes of our small model, and conditions by class, which
 * TrafficGPT has not. Nothing is masked and nothing is computed: a packet that does not parse is drawn again.
 */
#include <math.h>
#include <stdio.h>
#include <time.h>

#include "generate/generate_int.h"
#include "realism/realism_int.h"

enum { START = 256, LINK, FLOW_END, PACKET_END, VOCAB };
enum {
    BLOCK = 128,
    MOST = 3072, /* tokens of a flow */
    GAP = 8,
    LONGEST = 1600, /* bytes of a packet that is drawn */
    BATCH = 8192,
    TRIALS = 4, /* steps that are timed */
    SLOTS = 64,
    RETRIES = 8,
};

/* ---- flows as bytes ---- */

typedef struct corpus {
    uint16_t *ids;
    uint32_t *block_off; /* [blocks + 1] */
    uint32_t *flow_off;  /* [flows + 1] in blocks */
    int32_t *class;
    size_t n_ids, n_blocks, n_flows, cap[4];
} corpus;

static void corpus_clear(corpus *c)
{
    free(c->ids);
    free(c->block_off);
    free(c->flow_off);
    free(c->class);
}

static size_t put_gap(uint16_t *to, uint64_t gap_ns)
{
    double seconds = (double)gap_ns * 1e-9;
    uint64_t bits;

    memcpy(&bits, &seconds, sizeof bits);
    for (size_t i = 0; i < GAP; i++)
        to[i] = (uint16_t)(bits >> (56 - 8 * i) & 0xff);
    return GAP;
}

/* The tokens of a packet, as many as there is room for. */
static size_t put_packet(uint16_t *to, size_t room, const wspi_raw *p)
{
    uint16_t head[2 + GAP];
    size_t n = 0;

    head[0] = START;
    head[1] = LINK;
    (void)put_gap(head + 2, p->gap_ns);
    for (size_t i = 0; i < 2 + GAP && n < room; i++)
        to[n++] = head[i];
    for (size_t i = 0; i < p->len && n < room; i++)
        to[n++] = p->data[i];
    if (n < room)
        to[n++] = PACKET_END;
    return n;
}

static wsp_status add_block(corpus *c, const uint16_t *ids, size_t n)
{
    WSP_TRY(wspi_grow(&c->ids, &c->cap[0], c->n_ids + n, sizeof *c->ids));
    WSP_TRY(wspi_grow(&c->block_off, &c->cap[1], c->n_blocks + 2, sizeof *c->block_off));
    memcpy(c->ids + c->n_ids, ids, n * sizeof *ids);
    c->n_ids += n;
    c->block_off[0] = 0;
    c->block_off[++c->n_blocks] = (uint32_t)c->n_ids;
    return WSP_OK;
}

/* A block ends after BLOCK tokens and after a packet. */
static wsp_status add_flow(corpus *c, const wsp_traffic *t, uint32_t flow, int32_t class)
{
    uint16_t ids[LONGEST + 16];
    const uint16_t end = FLOW_END;
    size_t at = (size_t)t->raw_off[flow], left = MOST;
    wspi_raw p;

    while (left > 0 && wspi_raw_next(t, flow, &at, &p)) {
        size_t n = put_packet(ids, WSPI_MIN(left, WSPI_COUNT(ids)), &p);
        for (size_t i = 0; i < n; i += BLOCK)
            WSP_TRY(add_block(c, ids + i, WSPI_MIN(n - i, (size_t)BLOCK)));
        left -= n;
    }
    if (left > 0)
        WSP_TRY(add_block(c, &end, 1));
    WSP_TRY(wspi_grow(&c->flow_off, &c->cap[2], c->n_flows + 2, sizeof *c->flow_off));
    WSP_TRY(wspi_grow(&c->class, &c->cap[3], c->n_flows + 1, sizeof *c->class));
    c->flow_off[0] = 0;
    c->class[c->n_flows++] = class;
    c->flow_off[c->n_flows] = (uint32_t)c->n_blocks;
    return WSP_OK;
}

static wsp_status corpus_make(corpus *c, const wsp_traffic *t, wsp_error *err)
{
    *c = (corpus){.n_flows = 0};
    for (size_t i = 0; i < t->n_counted; i++) {
        uint32_t flow = t->counted[i];
        if (t->raw_off[flow + 1] > t->raw_off[flow] && add_flow(c, t, flow, t->label[flow]) < 0)
            return wspi_nomem(err, "bytes of flows", c->n_ids);
    }
    return c->n_flows ? WSP_OK
                      : wspi_fail(err, WSP_ERR_ARG, 0, "no flow of these captures is of Ethernet");
}

/* ---- learning ---- */

/* Processor time of each thread: what else the machine does shall not count. */
static double seconds_now(const wsp_bytes_options *o)
{
    struct timespec t;

    (void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return ((double)t.tv_sec + (double)t.tv_nsec * 1e-9) / WSPI_MAX(o->threads, 1u);
}

/* Gates that stay open: log gate = -softplus(x) e^rate. */
static void open_gates(wsp_model *m)
{
    for (size_t i = 0; i < wsp_model_tensor_count(m); i++) {
        wsp_tensor t = wsp_model_tensor(m, i);
        if (strstr(t.name, "gate_rate"))
            for (size_t k = 0; k < t.count; k++)
                t.data[k] = -60;
    }
}

static wsp_status make_model(wsp_model **out, const wsp_traffic *train, wsp_error *err)
{
    wsp_head head = {.name = "class",
                     .n_labels = train->n_names,
                     .labels = (const char *const *)train->names,
                     .temperature = 1};
    wsp_model_config cfg;

    WSP_TRY(wsp_model_config_named(&cfg, "small"));
    cfg.vocab = VOCAB;
    cfg.vocab_version = wspi_fnv1a("bytes", 5, WSPI_FNV_START);
    cfg.max_tokens = BLOCK;
    cfg.conv = 1;
    cfg.text_first = cfg.text_count = 0;
    (void)snprintf(cfg.name, sizeof cfg.name, "bytes");
    WSP_TRY(wsp_model_new(out, &cfg, &head, train->n_names ? 1 : 0, 1, err));
    open_gates(*out);
    return WSP_OK;
}

typedef struct lessons {
    const corpus *c;
    uint32_t *order;
    size_t next;
    wspi_rng rng;
    uint16_t *ids; /* of the batch at hand */
    uint32_t *block_off, *flow_off;
    int32_t *condition;
    size_t cap[4];
    wsp_batch b;
} lessons;

static void shuffle(lessons *l)
{
    wspi_rng_shuffle(&l->rng, l->order, l->c->n_flows);
    l->next = 0;
}

static wsp_status add_to_batch(lessons *l, uint32_t flow)
{
    const corpus *c = l->c;
    size_t from = c->flow_off[flow], to = c->flow_off[flow + 1];
    size_t n = c->block_off[to] - c->block_off[from];
    wsp_batch *b = &l->b;

    WSP_TRY(wspi_grow(&l->ids, &l->cap[0], b->n_tokens + n, sizeof *l->ids));
    WSP_TRY(
        wspi_grow(&l->block_off, &l->cap[1], b->n_packets + (to - from) + 1, sizeof *l->block_off));
    WSP_TRY(wspi_grow(&l->flow_off, &l->cap[2], b->n_flows + 2, sizeof *l->flow_off));
    WSP_TRY(wspi_grow(&l->condition, &l->cap[3], b->n_flows + 1, sizeof *l->condition));
    l->block_off[0] = l->flow_off[0] = 0;
    memcpy(l->ids + b->n_tokens, c->ids + c->block_off[from], n * sizeof *l->ids);
    for (size_t i = from; i < to; i++)
        l->block_off[++b->n_packets] =
            (uint32_t)(b->n_tokens + c->block_off[i + 1] - c->block_off[from]);
    l->condition[b->n_flows++] = c->class[flow];
    l->flow_off[b->n_flows] = (uint32_t)b->n_packets;
    b->n_tokens += n;
    return WSP_OK;
}

static wsp_status next_batch(lessons *l)
{
    l->b = (wsp_batch){.n_flows = 0};
    while (l->b.n_tokens < BATCH) {
        if (l->next == l->c->n_flows)
            shuffle(l);
        WSP_TRY(add_to_batch(l, l->order[l->next++]));
    }
    l->b.ids = l->ids;
    l->b.packet_off = l->block_off;
    l->b.flow_off = l->flow_off;
    l->b.condition = l->condition;
    return WSP_OK;
}

static wsp_status step(wsp_trainer *t, lessons *l, wsp_train_stats *stats, wsp_error *err)
{
    if (next_batch(l) < 0)
        return wspi_nomem(err, "a batch of bytes", BATCH);
    WSP_TRY(wsp_trainer_accumulate(t, &l->b, NULL, err));
    return wsp_trainer_update(t, stats, err);
}

/* Trains for about as long as is allowed: the number of steps, which the learning rate goes by, is estimated first. */
static wsp_status train_for(wsp_model *m, lessons *l, const wsp_bytes_options *o,
                            wsp_bytes_stats *stats, wsp_error *err)
{
    wsp_train_options opt = wsp_train_options_default();
    wsp_train_stats s = {.step = 0};
    wsp_trainer *t = NULL;
    double begin = seconds_now(o), left;
    wsp_status st = WSP_OK;

    opt.threads = o->threads;
    opt.lr = 1.5e-3f;
    opt.lm_weight = 1;
    opt.head_weight = 0;
    for (int round = 0; round < 2 && st == WSP_OK; round++) {
        double start = seconds_now(o);
        opt.steps = round ? opt.steps : TRIALS;
        opt.warmup = opt.steps / 10;
        st = wsp_trainer_new(&t, m, &opt, err);
        for (uint64_t k = 0; k < opt.steps && st == WSP_OK; k++) {
            if (round && seconds_now(o) - begin > 1.2 * o->seconds)
                break; /* steps were slower than those that were timed */
            st = step(t, l, &s, err);
            stats->steps++;
            stats->tokens += l->b.n_tokens;
        }
        wsp_trainer_free(t);
        t = NULL;
        left = o->seconds - (seconds_now(o) - begin);
        opt.steps = (uint64_t)WSPI_MAX(left / ((seconds_now(o) - start) / TRIALS), 1.0);
    }
    stats->seconds = seconds_now(o) - begin;
    stats->nats_per_token = s.lm_nats_per_token;
    return st;
}

static wsp_status learn(wsp_model *m, const corpus *c, const wsp_bytes_options *o,
                        wsp_bytes_stats *stats, wsp_error *err)
{
    lessons l = {.c = c, .order = wspi_new_array(c->n_flows, sizeof *l.order)};
    wsp_status st = l.order ? WSP_OK : wspi_nomem(err, "flows", c->n_flows);

    wspi_rng_seed(&l.rng, o->seed);
    for (size_t i = 0; st == WSP_OK && i < c->n_flows; i++)
        l.order[i] = (uint32_t)i;
    if (st == WSP_OK) {
        shuffle(&l);
        st = train_for(m, &l, o, stats, err);
    }
    free(l.order);
    free(l.ids);
    free(l.block_off);
    free(l.flow_off);
    free(l.condition);
    return st;
}

/* ---- drawing ---- */

/* A flow in the making, and where it stood when its packet began. */
typedef struct flow {
    wspi_start start;
    wspi_rng rng;
    float *state, *kept_state, *kept_context;
    void *memory;
    uint16_t block[BLOCK];
    size_t n, at, tokens, packets, retries; /* tokens of the block, of the packet, of the flow */
    uint8_t gap[GAP], bytes[LONGEST];
    size_t len;
    uint64_t now_ns;
    bool open, full; /* it goes on; its block is complete */
} flow;

typedef struct speaker {
    wsp_model *m;
    wsp_runner *runner;
    wsp_packet *packet;
    flow *flows; /* [SLOTS] */
    float *context, *logits, *gathered;
    size_t C;
    wspi_frames frames;
    wsp_bytes_stats *stats;
} speaker;

static uint16_t draw(const float *logits, wspi_rng *rng)
{
    double p[VOCAB], sum = 0, at;
    float top = logits[0];

    for (size_t i = 1; i < VOCAB; i++)
        top = WSPI_MAX(top, logits[i]);
    for (size_t i = 0; i < VOCAB; i++)
        sum += p[i] = exp((double)(logits[i] - top));
    at = wspi_rng_unit(rng) * sum;
    for (size_t i = 0; i + 1 < VOCAB; i++) {
        if (at < p[i])
            return (uint16_t)i;
        at -= p[i];
    }
    return VOCAB - 1;
}

static bool parses(speaker *g, const flow *f)
{
    wsp_frame frame = {.caplen = (uint32_t)f->len, .wirelen = (uint32_t)f->len, .data = f->bytes};

    wsp_packet_dissect(g->packet, 1, &frame);
    return g->packet->n_layers > 1;
}

static double gap_of(const flow *f)
{
    uint64_t bits = 0;
    double seconds;

    for (size_t i = 0; i < GAP; i++)
        bits = bits << 8 | f->gap[i];
    memcpy(&seconds, &bits, sizeof seconds);
    return seconds;
}

static wsp_status keep_packet(speaker *g, flow *f)
{
    wspi_frames *to = &g->frames;

    WSP_TRY(wspi_grow(&to->ref, &to->cap, to->n + 1, sizeof *to->ref));
    to->ref[to->n++] = (wspi_frame_ref){.time_ns = f->now_ns,
                                        .in = &to->bytes,
                                        .at = to->bytes.len,
                                        .len = (uint32_t)f->len,
                                        .packet = (uint32_t)f->packets,
                                        .flow = f->start.number,
                                        .condition = f->start.condition};
    return wspi_buf_add(&to->bytes, f->bytes, f->len);
}

/* What came is no packet: back to where it began. */
static void again(speaker *g, flow *f, size_t slot)
{
    g->stats->discarded++;
    memcpy(f->state, f->kept_state, wsp_state_size(g->m));
    memcpy(g->context + slot * g->C, f->kept_context, g->C * sizeof *g->context);
    f->n = f->at = f->len = 0;
    f->full = false;
    f->open = ++f->retries < RETRIES;
}

static wsp_status end_packet(speaker *g, flow *f, size_t slot)
{
    double gap = gap_of(f);

    if (!(gap >= 0 && gap < 1e6) || f->len < 14 || !parses(g, f)) {
        again(g, f, slot);
        return WSP_OK;
    }
    f->now_ns += f->packets ? (uint64_t)(gap * 1e9) : 0;
    WSP_TRY(keep_packet(g, f));
    f->packets++;
    f->full = true; /* the block ends with its packet */
    f->at = f->len = 0;
    f->open = f->packets < f->start.max_packets && f->tokens < MOST;
    return WSP_OK;
}

/* One more token of the flow in a slot. */
static wsp_status take_token(speaker *g, flow *f, size_t slot, uint16_t id)
{
    size_t at = f->at++;

    f->block[f->n++] = id;
    f->tokens++;
    f->full = f->n == BLOCK;
    if (at == 0 && id == FLOW_END) {
        f->open = false;
        return WSP_OK;
    }
    if (id == PACKET_END && at >= 2 + GAP)
        return end_packet(g, f, slot);
    if (at == 0 ? id != START : at == 1 ? id != LINK : id > 255) {
        again(g, f, slot);
        return WSP_OK;
    }
    if (at >= 2 && at < 2 + GAP)
        f->gap[at - 2] = (uint8_t)id;
    else if (at >= 2 && f->len < LONGEST)
        f->bytes[f->len++] = (uint8_t)id;
    else if (at >= 2)
        again(g, f, slot);
    if (f->tokens >= 2 * MOST)
        f->open = false;
    return WSP_OK;
}

static wsp_status draw_tokens(speaker *g, wsp_error *err)
{
    wsp_prefix prefix[SLOTS];
    size_t slot[SLOTS], n = 0;

    for (size_t i = 0; i < SLOTS; i++) {
        flow *f = &g->flows[i];
        if (!f->open || f->full)
            continue;
        prefix[n] = (wsp_prefix){.context = g->context + i * g->C,
                                 .ids = f->block,
                                 .len = (uint32_t)f->n,
                                 .memory = f->memory};
        slot[n++] = i;
    }
    if (n == 0)
        return WSP_OK;
    WSP_TRY(wsp_runner_next_token(g->runner, prefix, n, g->logits, err));
    for (size_t k = 0; k < n; k++) {
        flow *f = &g->flows[slot[k]];
        if (take_token(g, f, slot[k], draw(g->logits + k * VOCAB, &f->rng)) < 0)
            return wspi_nomem(err, "the packets", g->frames.n);
    }
    return WSP_OK;
}

/* Shows complete blocks to the model. */
static wsp_status advance(speaker *g, wsp_error *err)
{
    uint32_t block_off[SLOTS + 1] = {0}, flow_off[SLOTS + 1] = {0};
    uint16_t ids[SLOTS * BLOCK];
    float *states[SLOTS];
    size_t slot[SLOTS], n = 0, tokens = 0;
    wsp_batch b = {.ids = ids, .packet_off = block_off, .flow_off = flow_off};

    for (size_t i = 0; i < SLOTS; i++) {
        flow *f = &g->flows[i];
        if (!f->open || !f->full)
            continue;
        memcpy(ids + tokens, f->block, f->n * sizeof *ids);
        tokens += f->n;
        states[n] = f->state;
        slot[n++] = i;
        block_off[n] = (uint32_t)tokens;
        flow_off[n] = (uint32_t)n;
    }
    if (n == 0)
        return WSP_OK;
    b.n_flows = b.n_packets = n;
    b.n_tokens = tokens;
    WSP_TRY(wsp_state_step(g->runner, states, &b, g->gathered, NULL, err));
    for (size_t k = 0; k < n; k++) {
        flow *f = &g->flows[slot[k]];
        memcpy(g->context + slot[k] * g->C, g->gathered + k * g->C, g->C * sizeof *g->context);
        f->n = 0;
        f->full = false;
        if (f->at == 0) { /* a packet begins here */
            memcpy(f->kept_state, f->state, wsp_state_size(g->m));
            memcpy(f->kept_context, g->gathered + k * g->C, g->C * sizeof *g->context);
            f->retries = 0;
        }
    }
    return WSP_OK;
}

static wsp_status start_flow(speaker *g, size_t slot, const wspi_start *start, uint64_t seed,
                             wsp_error *err)
{
    flow *f = &g->flows[slot];
    float *state = f->state;
    int32_t condition = start->condition;

    wspi_rng_seed(&f->rng, seed * 0x9e3779b97f4a7c15u + start->number);
    f->start = *start;
    f->now_ns = start->start_ns;
    f->n = f->at = f->tokens = f->packets = f->retries = f->len = 0;
    f->open = true;
    f->full = false;
    WSP_TRY(wsp_state_start(g->runner, &state, &condition, 1, f->kept_context, err));
    memcpy(f->kept_state, f->state, wsp_state_size(g->m));
    memcpy(g->context + slot * g->C, f->kept_context, g->C * sizeof *g->context);
    return WSP_OK;
}

static wsp_status draw_all(speaker *g, const int32_t *class, size_t n,
                           const wsp_generate_options *opt, wsp_error *err)
{
    wsp_generate_options o = *opt;
    wspi_plan plan;
    size_t taken = 0, open;

    o.flows = n;
    o.n_mix = 0;
    wspi_plan_init(&plan, &o);
    do {
        open = 0;
        for (size_t i = 0; i < SLOTS; i++) {
            wspi_start start;
            if (!g->flows[i].open && taken < n && wspi_plan_next(&plan, &start)) {
                start.condition = class[taken++];
                WSP_TRY(start_flow(g, i, &start, o.seed, err));
            }
            open += g->flows[i].open;
        }
        WSP_TRY(draw_tokens(g, err));
        WSP_TRY(advance(g, err));
    } while (open > 0);
    return WSP_OK;
}

static void speaker_clear(speaker *g)
{
    for (size_t i = 0; g->flows && i < SLOTS; i++) {
        free(g->flows[i].state);
        free(g->flows[i].kept_state);
        free(g->flows[i].kept_context);
        free(g->flows[i].memory);
    }
    free(g->flows);
    free(g->context);
    free(g->logits);
    free(g->gathered);
    free(g->frames.ref);
    wspi_buf_clear(&g->frames.bytes);
    wsp_packet_free(g->packet);
    wsp_runner_free(g->runner);
}

static wsp_status speaker_make(speaker *g, wsp_model *m, wsp_bytes_stats *stats, wsp_error *err)
{
    bool ok;

    *g = (speaker){.m = m, .C = wsp_model_config_get(m)->channels, .stats = stats};
    wspi_buf_init(&g->frames.bytes, SIZE_MAX / 2);
    g->flows = wspi_new_array(SLOTS, sizeof *g->flows);
    g->context = wspi_new_array(SLOTS * g->C, sizeof *g->context);
    g->gathered = wspi_new_array(SLOTS * g->C, sizeof *g->gathered);
    g->logits = wspi_new_array((size_t)SLOTS * VOCAB, sizeof *g->logits);
    ok = g->flows && g->context && g->gathered && g->logits;
    for (size_t i = 0; i < SLOTS && ok; i++) {
        flow *f = &g->flows[i];
        f->state = wspi_new_array(1, wsp_state_size(m));
        f->kept_state = wspi_new_array(1, wsp_state_size(m));
        f->kept_context = wspi_new_array(g->C, sizeof *f->kept_context);
        f->memory = wspi_new_array(1, wsp_memory_size(m));
        ok = f->state && f->kept_state && f->kept_context && f->memory;
    }
    if (!ok || wsp_packet_new(&g->packet) < 0)
        return wspi_nomem(err, "flows of bytes", SLOTS);
    return wsp_runner_new(&g->runner, m, WSP_DTYPE_F32, err);
}

wsp_status wsp_bytes(const wsp_traffic *train, const wsp_traffic *like, const wsp_bytes_options *o,
                     const wsp_generate_options *how, wsp_pcap_writer *w, wsp_bytes_stats *stats,
                     wsp_error *err)
{
    int32_t *class = wspi_new_array(like->n_counted, sizeof *class);
    wsp_model *m = NULL;
    speaker g = {.m = NULL};
    corpus c;
    size_t n = 0;
    wsp_status st = corpus_make(&c, train, err);

    *stats = (wsp_bytes_stats){.steps = 0};
    if (st == WSP_OK)
        st = class ? wspi_classes_like(train, like, class, &n, err)
                   : wspi_nomem(err, "flows", like->n_counted);
    if (st == WSP_OK)
        st = make_model(&m, train, err);
    if (st == WSP_OK)
        st = learn(m, &c, o, stats, err);
    if (st == WSP_OK)
        st = speaker_make(&g, m, stats, err);
    if (st == WSP_OK) {
        size_t every = WSPI_MAX((n + o->flows - 1) / WSPI_MAX(o->flows, 1u), 1u), k = 0;
        for (size_t i = 0; i < n; i += every)
            class[k++] = class[i];
        stats->flows = k;
        stats->parameters = wsp_model_parameters(m);
        st = draw_all(&g, class, k, how, err);
    }
    if (st == WSP_OK)
        st = wspi_write_frames(&g.frames, how, w, err);
    speaker_clear(&g);
    wsp_model_free(m);
    corpus_clear(&c);
    free(class);
    return st;
}
