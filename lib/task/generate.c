/* SPDX-License-Identifier: Apache-2.0 */
/*
 * generate.c: new flows: tokens are drawn one by one from what the grammar allows, with the model's odds; a complete
 * packet is built, coded again as a recorded one would be, and shown to the model before the next. Many flows advance
 * together, so that the model computes for all of them at once. Threads take waves of flows, and draw those of a wave in a
 * number of slots. Every flow has random numbers of its own, so that threads do not change what is drawn.
 */
#include <math.h>
#include <pthread.h>

#include "task/task_int.h"
#include "token/token_int.h"

enum { WAVE = 512, SLOTS = 128, LONG_PACKET = 160, LONGEST_PACKET = 480, MAX_THREADS = 256 };

wsp_generate_options wsp_generate_options_default(void)
{
    return (wsp_generate_options){.flows = 1,
                                  .condition = -1,
                                  .temperature = 1,
                                  .top_p = 1,
                                  .max_packets = 64,
                                  .start_ns = UINT64_C(1700000000000000000),
                                  .rate = 10,
                                  .clients = {10, 0, 0, 0},
                                  .client_bits = 16,
                                  .servers = {198, 51, 100, 0},
                                  .server_bits = 24,
                                  .view = wsp_view_options_default()};
}

/* ---- sampling ---- */

static int by_logit(const void *a, const void *b)
{
    const wspi_candidate *x = a, *y = b;

    if (x->logit != y->logit)
        return x->logit < y->logit ? 1 : -1;
    return (int)x->id - (int)y->id;
}

/* The likeliest first, as many as top_k and top_p leave: how many. */
static size_t cut_candidates(wspi_candidate *c, size_t m, const wsp_generate_options *o)
{
    size_t keep = o->top_k ? WSPI_MIN(o->top_k, m) : m, i = 0;
    double sum = 0, have = 0;

    qsort(c, m, sizeof *c, by_logit);
    if (o->top_p >= 1)
        return keep;
    for (size_t k = 0; k < keep; k++)
        sum += exp((double)(c[k].logit - c[0].logit) / o->temperature);
    while (i < keep && have < sum * o->top_p)
        have += exp((double)(c[i++].logit - c[0].logit) / o->temperature);
    return WSPI_MAX(i, 1u);
}

uint16_t wspi_sample(const float *logits, const uint16_t *legal, size_t m,
                     const wsp_generate_options *o, wspi_candidate *c, wspi_rng *rng)
{
    size_t best = 0;
    double sum = 0, at;

    for (size_t i = 0; i < m; i++) {
        c[i] = (wspi_candidate){logits[legal[i]], legal[i]};
        best = c[i].logit > c[best].logit ? i : best;
    }
    if (m == 1 || o->temperature <= 0)
        return c[best].id;
    if (o->top_k || o->top_p < 1) {
        m = cut_candidates(c, m, o);
        best = 0;
    }
    at = (double)c[best].logit;
    for (size_t i = 0; i < m; i++) { /* odds take the place of logits */
        c[i].logit = (float)exp(((double)c[i].logit - at) / o->temperature);
        sum += (double)c[i].logit;
    }
    at = wspi_rng_unit(rng) * sum;
    for (size_t i = 0; i + 1 < m; i++) {
        if (at < (double)c[i].logit)
            return c[i].id;
        at -= (double)c[i].logit;
    }
    return c[m - 1].id;
}

/* ---- flows ---- */

typedef struct flow {
    uint64_t number;
    wsp_context *ctx, *trial; /* of the packets so far; scratch of building */
    wsp_filler fill;
    wspi_rng rng;
    float *state;
    void *memory; /* of the packet in the making */
    uint16_t ids[WSP_MAX_PACKET_TOKENS],
        seen[WSP_MAX_PACKET_TOKENS]; /* drawn; as the model reads */
    size_t n, n_seen, packets;
    bool open, done; /* the flow goes on; its packet is complete */
} flow;

typedef struct generator {
    const wsp_model *m;
    const wsp_generate_options *o;
    const wsp_model_config *cfg;
    wsp_runner *runner;
    wsp_decoder *decoder;
    wsp_packet *packet;
    wsp_residual *resid;
    flow flows[SLOTS];
    float *context, *logits, *gathered; /* [SLOTS][C], [SLOTS][V], [SLOTS][C] */
    uint8_t *legal;                     /* [V] marks of the grammar */
    uint16_t *choices;                  /* [SLOTS][V] the same as lists */
    uint16_t *prefix;                   /* [SLOTS][max_tokens] */
    wspi_candidate *scratch;
    wspi_buf bytes; /* frames, one behind the other */
    wspi_frame_ref *frames;
    size_t n_frames, cap_frames;
} generator;

static uint32_t draw_host(wspi_rng *r, const uint8_t net[4], unsigned bits)
{
    uint32_t base =
        (uint32_t)net[0] << 24 | (uint32_t)net[1] << 16 | (uint32_t)net[2] << 8 | net[3];
    uint32_t hosts = bits >= 32 ? 0 : UINT32_MAX >> bits;

    if (hosts < 3)
        return base;
    return (base & ~hosts) + 1 + (uint32_t)wspi_rng_below(r, hosts - 1);
}

/* The same host always has the same addresses: all are made from the IPv4 address. */
static void set_host(uint32_t ip, uint8_t v4[4], uint8_t v6[16], uint8_t mac[6])
{
    static const uint8_t net[8] = {0x20, 0x01, 0x0d, 0xb8};

    mac[0] = 2;
    mac[1] = 0;
    memcpy(v6, net, sizeof net);
    memset(v6 + 8, 0, 4);
    for (unsigned i = 0; i < 4; i++)
        v4[i] = mac[2 + i] = v6[12 + i] = (uint8_t)(ip >> (24 - 8 * i));
}

static void start_flow(generator *g, flow *f, uint64_t number, uint64_t start_ns)
{
    const wsp_generate_options *o = g->o;

    wspi_rng_seed(&f->rng, o->seed * 0x9e3779b97f4a7c15u + number);
    f->number = number;
    f->fill = (wsp_filler){.seed = wspi_rng_u64(&f->rng), .start_ns = start_ns};
    set_host(draw_host(&f->rng, o->clients, o->client_bits), f->fill.client_ip, f->fill.client_ip6,
             f->fill.client);
    set_host(draw_host(&f->rng, o->servers, o->server_bits), f->fill.server_ip, f->fill.server_ip6,
             f->fill.server);
    f->fill.client_port = (uint16_t)(49152 + wspi_rng_below(&f->rng, 16384));
    wsp_context_init(f->ctx, 1);
    f->n = f->n_seen = f->packets = 0;
    f->open = true;
    f->done = false;
}

/* What the grammar allows, less what the model was not trained to go on with. */
static wsp_status allowed(generator *g, flow *f, uint8_t *legal, bool *done, wsp_error *err)
{
    unsigned start = wspi_group_base(WSPI_T_START), end = wspi_group_base(WSPI_T_END);
    size_t text = 0;

    WSP_TRY(wsp_grammar_next(g->decoder, f->ctx, f->ids, f->n, &f->fill, false, legal, done, err));
    for (size_t i = 0; i < f->n; i++)
        text += wspi_in_group(f->ids[i], WSPI_T_TEXT);
    if (f->packets == 0)
        legal[start + WSPI_STARTS] = 0; /* it is the client's */
    if (legal[end] && text >= g->o->view.max_payload)
        memset(legal + wspi_group_base(WSPI_T_TEXT), 0, wspi_group_count(WSPI_T_TEXT));
    if (legal[end] && f->n > LONG_PACKET) {
        memset(legal, 0, g->cfg->vocab);
        legal[end] = 1;
    }
    return WSP_OK;
}

/* The marked tokens as a list, eight marks at a time. */
static size_t list_marked(uint16_t *list, const uint8_t *mark, size_t n)
{
    size_t m = 0;

    for (size_t i = 0; i < n; i += 8) {
        uint64_t eight = 0;

        memcpy(&eight, mark + i, WSPI_MIN(n - i, sizeof eight));
        for (size_t k = i; eight && k < n && k < i + 8; k++)
            if (mark[k])
                list[m++] = (uint16_t)k;
    }
    return m;
}

/* One more token for every open flow whose packet is not complete; *left counts them. */
static wsp_status draw_tokens(generator *g, size_t *left, wsp_error *err)
{
    const size_t v = g->cfg->vocab, T = g->cfg->max_tokens;
    size_t asked[SLOTS], n = 0;
    wsp_prefix prefix[SLOTS];

    *left = 0;
    for (size_t i = 0; i < SLOTS; i++) {
        flow *f = &g->flows[i];
        uint16_t *legal = g->choices + i * v;
        size_t choices;
        if (!f->open || f->done)
            continue;
        WSP_TRY(allowed(g, f, g->legal, &f->done, err));
        if (f->done)
            continue;
        ++*left;
        choices = list_marked(legal, g->legal, v);
        if (choices == 0 || f->n >= LONGEST_PACKET)
            return wspi_fail(err, WSP_ERR_FORMAT, f->n, "the grammar leaves no token after %zu",
                             f->n);
        if (choices == 1) {
            f->ids[f->n++] = legal[0];
            continue;
        }
        prefix[n] = (wsp_prefix){.context = g->context + i * g->cfg->channels,
                                 .ids = g->prefix + i * T,
                                 .wanted = legal,
                                 .n_wanted = choices,
                                 .memory = f->memory};
        prefix[n].len =
            (uint32_t)wsp_policy_apply(wsp_policy_get("everything"), f->ids, f->n,
                                       g->o->view.max_payload, T - 1, NULL, g->prefix + i * T);
        asked[n++] = i;
    }
    if (n == 0)
        return WSP_OK;
    WSP_TRY(wsp_runner_next_token(g->runner, prefix, n, g->logits, err));
    for (size_t k = 0; k < n; k++) {
        flow *f = &g->flows[asked[k]];
        f->ids[f->n++] = wspi_sample(g->logits + k * v, prefix[k].wanted, prefix[k].n_wanted, g->o,
                                     g->scratch, &f->rng);
    }
    return WSP_OK;
}

static wsp_status keep_frame(generator *g, const flow *f, const wsp_frame *frame)
{
    WSP_TRY(wspi_grow(&g->frames, &g->cap_frames, g->n_frames + 1, sizeof *g->frames));
    g->frames[g->n_frames++] = (wspi_frame_ref){.time_ns = frame->time_ns,
                                                .in = &g->bytes,
                                                .at = g->bytes.len,
                                                .len = frame->caplen,
                                                .packet = (uint32_t)f->packets,
                                                .flow = f->number};
    return wspi_buf_add(&g->bytes, frame->data, frame->caplen);
}

/* The packet of the drawn tokens is built on a copy of the context; the encoder moves the real one on. */
static wsp_status finish_packet(generator *g, flow *f, wsp_error *err)
{
    wsp_decoded out;
    wsp_status st;
    size_t n;

    memcpy(f->trial, f->ctx, wsp_context_size());
    st = wsp_grammar_build(g->decoder, f->trial, f->ids, f->n, &f->fill, &out, err);
    if (st == WSP_EOF) {
        f->open = false;
        return WSP_OK;
    }
    WSP_TRY(st);
    if (keep_frame(g, f, &out.frame) < 0)
        return wspi_nomem(err, "the packets", g->n_frames);
    wsp_packet_dissect(g->packet, 1, &out.frame);
    wsp_residual_reset(g->resid);
    if (wsp_encode_packet(f->ctx, g->packet, out.dir, out.number, f->seen, &n, g->resid) < 0)
        return wspi_nomem(err, "a packet", out.frame.caplen);
    f->n_seen = wsp_policy_apply(wsp_policy_get("everything"), f->seen, n, g->o->view.max_payload,
                                 g->cfg->max_tokens, NULL, f->seen);
    f->packets++;
    f->n = 0;
    f->done = false;
    f->open = f->packets < g->o->max_packets;
    return WSP_OK;
}

/* Shows the n new packets, of the flows `at`, to the model. */
static wsp_status advance(generator *g, const size_t *at, size_t n, wsp_error *err)
{
    const size_t width = g->cfg->channels;
    uint32_t packet_off[SLOTS + 1] = {0}, flow_off[SLOTS + 1] = {0};
    float *states[SLOTS];
    size_t tokens = 0;
    wsp_batch b = {.packet_off = packet_off, .flow_off = flow_off, .ids = g->prefix};

    for (size_t k = 0; k < n; k++) {
        flow *f = &g->flows[at[k]];

        memcpy(g->prefix + tokens, f->seen, f->n_seen * sizeof *f->seen);
        tokens += f->n_seen;
        states[k] = f->state;
        packet_off[k + 1] = (uint32_t)tokens;
        flow_off[k + 1] = (uint32_t)(k + 1);
    }
    if (n == 0)
        return WSP_OK;
    b.n_flows = b.n_packets = n;
    b.n_tokens = tokens;
    WSP_TRY(wsp_state_step(g->runner, states, &b, g->gathered, NULL, err));
    for (size_t k = 0; k < n; k++)
        memcpy(g->context + at[k] * width, g->gathered + k * width, width * sizeof *g->context);
    return WSP_OK;
}

static wsp_status finish_packets(generator *g, wsp_error *err)
{
    size_t at[SLOTS], n = 0;

    for (size_t i = 0; i < SLOTS; i++) {
        flow *f = &g->flows[i];

        if (!f->open || !f->done)
            continue;
        WSP_TRY(finish_packet(g, f, err));
        if (f->open)
            at[n++] = i;
    }
    return advance(g, at, n, err);
}

/* A run of flows that one thread draws: their numbers and when they start. */
typedef struct wave {
    uint64_t first;
    size_t n;
    uint64_t start_ns[WAVE];
} wave;

/* Free slots take the next flows of the wave; *taken counts those that have begun. */
static wsp_status start_flows(generator *g, const wave *w, size_t *taken, wsp_error *err)
{
    const size_t width = g->cfg->channels;
    int32_t condition[SLOTS];
    float *states[SLOTS];
    size_t at[SLOTS], n = 0;

    for (size_t i = 0; i < SLOTS && *taken < w->n; i++) {
        if (g->flows[i].open)
            continue;
        start_flow(g, &g->flows[i], w->first + *taken, w->start_ns[*taken]);
        condition[n] = g->o->condition;
        states[n] = g->flows[i].state;
        at[n++] = i;
        ++*taken;
    }
    if (n == 0)
        return WSP_OK;
    WSP_TRY(wsp_state_start(g->runner, states, condition, n, g->gathered, err));
    for (size_t k = 0; k < n; k++)
        memcpy(g->context + at[k] * width, g->gathered + k * width, width * sizeof *g->context);
    return WSP_OK;
}

static wsp_status run_wave(generator *g, const wave *w, wsp_error *err)
{
    size_t taken = 0, drawing, open;

    for (size_t i = 0; i < SLOTS; i++)
        g->flows[i].open = false;
    do {
        WSP_TRY(start_flows(g, w, &taken, err));
        open = 0;
        for (size_t i = 0; i < SLOTS; i++)
            open += g->flows[i].open;
        /* long packets go on being drawn while the others' are finished: the model computes for many at once */
        do
            WSP_TRY(draw_tokens(g, &drawing, err));
        while (drawing > open / 2);
        WSP_TRY(finish_packets(g, err));
    } while (open > 0);
    return WSP_OK;
}

static wsp_status make(generator *g, const wsp_model *m, const wsp_generate_options *o,
                       wsp_error *err)
{
    const wsp_model_config *cfg = wsp_model_config_get(m);
    const size_t v = cfg->vocab, width = cfg->channels, tokens = cfg->max_tokens;
    bool ok;

    g->m = m;
    g->o = o;
    g->cfg = cfg;

    wspi_buf_init(&g->bytes, SIZE_MAX / 2);
    g->context = wspi_new_array(SLOTS * width, sizeof *g->context);
    g->gathered = wspi_new_array(SLOTS * width, sizeof *g->gathered);
    g->logits = wspi_new_array(SLOTS * v, sizeof *g->logits);
    g->legal = wspi_new_array(v, 1);
    g->choices = wspi_new_array(SLOTS * v, sizeof *g->choices);
    g->prefix = wspi_new_array(SLOTS * tokens, sizeof *g->prefix);
    g->scratch = wspi_new_array(v, sizeof *g->scratch);
    ok =
        g->context && g->gathered && g->logits && g->legal && g->choices && g->prefix && g->scratch;
    for (size_t i = 0; i < SLOTS && ok; i++) {
        g->flows[i].ctx = wspi_new_array(1, wsp_context_size());
        g->flows[i].trial = wspi_new_array(1, wsp_context_size());
        g->flows[i].state = wspi_new_array(1, wsp_state_size(g->m));
        g->flows[i].memory = wspi_new_array(1, wsp_memory_size(g->m));
        ok = g->flows[i].ctx && g->flows[i].trial && g->flows[i].state && g->flows[i].memory;
    }
    if (!ok || wsp_decoder_new(&g->decoder) < 0 || wsp_packet_new(&g->packet) < 0 ||
        wsp_residual_new(&g->resid) < 0)
        return wspi_nomem(err, "a wave of flows", SLOTS);
    /* the same traffic for a seed whatever the CPU has */
    return wsp_runner_new(&g->runner, g->m, WSP_DTYPE_F32, err);
}

static void clear(generator *g)
{
    for (size_t i = 0; i < SLOTS; i++) {
        free(g->flows[i].ctx);
        free(g->flows[i].trial);
        free(g->flows[i].state);
        free(g->flows[i].memory);
    }
    free(g->context);
    free(g->gathered);
    free(g->logits);
    free(g->legal);
    free(g->choices);
    free(g->prefix);
    free(g->scratch);
    free(g->frames);
    wspi_buf_clear(&g->bytes);
    wsp_decoder_free(g->decoder);
    wsp_packet_free(g->packet);
    wsp_residual_free(g->resid);
    wsp_runner_free(g->runner);
}

static wsp_status check(const wsp_model *m, const wsp_generate_options *o, wsp_error *err)
{
    const wsp_model_config *cfg = wsp_model_config_get(m);

    if (cfg->vocab_version != wsp_vocab_version())
        return wspi_fail(err, WSP_ERR_UNSUPPORTED, 0,
                         "the model was trained with another vocabulary (%016llx, this program "
                         "has %016llx): train it again",
                         (unsigned long long)cfg->vocab_version,
                         (unsigned long long)wsp_vocab_version());
    if (cfg->output_layers == 0)
        return wspi_fail(err, WSP_ERR_UNSUPPORTED, 0,
                         "the model has no output stack to speak with");
    if (o->rate <= 0 || o->top_p <= 0 || o->max_packets == 0 || o->client_bits > 32 ||
        o->server_bits > 32)
        return wspi_fail(err, WSP_ERR_ARG, 0, "an option is out of its range");
    return WSP_OK;
}

/* ---- threads ---- */

/* What all threads share. */
typedef struct job {
    const wsp_model *m;
    const wsp_generate_options *o;
    generator *generators; /* one for each thread */
    unsigned threads;
    pthread_mutex_t lock;
    uint64_t next, done, packets,
        clock_ns; /* flows taken and made, packets made, start of the last flow */
    wspi_rng arrivals;
    wsp_status st; /* of the first that failed, with err */
    wsp_error err;
} job;

typedef struct worker {
    job *j;
    generator *g;
    pthread_t thread;
} worker;

/* The next flows that nobody has taken, with their starts: waves are taken in order, so starts are always the same. */
static bool take_wave(job *j, wave *w)
{
    (void)pthread_mutex_lock(&j->lock);
    w->first = j->next;
    w->n = j->st == WSP_OK ? (size_t)WSPI_MIN(j->o->flows - j->next, (uint64_t)WAVE) : 0;
    for (size_t i = 0; i < w->n; i++) {
        j->clock_ns += (uint64_t)(-log(1 - wspi_rng_unit(&j->arrivals)) / j->o->rate * 1e9);
        w->start_ns[i] = j->clock_ns;
    }
    j->next += w->n;
    (void)pthread_mutex_unlock(&j->lock);
    return w->n > 0;
}

static void report(job *j, size_t flows, size_t packets, wsp_status st, const wsp_error *err)
{
    (void)pthread_mutex_lock(&j->lock);
    j->done += flows;
    j->packets += packets;
    if (st == WSP_OK && j->st == WSP_OK && j->o->report)
        st = j->o->report(j->o->arg, j->done, j->packets);
    if (st < 0 && j->st == WSP_OK) {
        j->st = st;
        j->err = *err;
    }
    (void)pthread_mutex_unlock(&j->lock);
}

static void *worker_main(void *arg)
{
    const worker *me = arg;
    wsp_error err = {.status = WSP_OK};
    wave w;

    while (take_wave(me->j, &w)) {
        size_t before = me->g->n_frames;
        wsp_status st = run_wave(me->g, &w, &err);

        report(me->j, w.n, me->g->n_frames - before, st, &err);
    }
    return NULL;
}

static wsp_status job_run(job *j, wsp_error *err)
{
    worker w[MAX_THREADS];
    unsigned n = 0;

    for (unsigned i = 0; i < j->threads; i++)
        w[i] = (worker){.j = j, .g = &j->generators[i]};
    /* the caller is a worker too; when the system refuses threads, the others do the work */
    while (n + 1 < j->threads &&
           pthread_create(&w[n + 1].thread, NULL, worker_main, &w[n + 1]) == 0)
        n++;
    (void)worker_main(&w[0]);
    for (; n > 0; n--)
        (void)pthread_join(w[n].thread, NULL);
    if (j->st < 0 && err)
        *err = j->err;
    return j->st;
}

/* ---- the capture ---- */

static int by_time(const void *a, const void *b)
{
    const wspi_frame_ref *x = a, *y = b;

    if (x->time_ns != y->time_ns)
        return x->time_ns < y->time_ns ? -1 : 1;
    if (x->flow != y->flow)
        return x->flow < y->flow ? -1 : 1;
    return x->packet < y->packet ? -1 : 1;
}

static wsp_status write_frames(const job *j, wsp_pcap_writer *w, wsp_error *err)
{
    wspi_frame_ref *all = wspi_new_array((size_t)j->packets, sizeof *all);
    wsp_status st = WSP_OK;
    size_t n = 0;

    if (!all)
        return wspi_nomem(err, "the packets", (size_t)j->packets);
    for (unsigned i = 0; i < j->threads; i++) {
        const generator *g = &j->generators[i];

        if (g->n_frames > 0)
            memcpy(all + n, g->frames, g->n_frames * sizeof *all);
        n += g->n_frames;
    }
    qsort(all, n, sizeof *all, by_time);
    for (size_t i = 0; i < n && st == WSP_OK; i++) {
        wsp_frame f = {.time_ns = all[i].time_ns,
                       .caplen = all[i].len,
                       .wirelen = all[i].len,
                       .data = all[i].in->data + all[i].at};
        st = wsp_pcap_writer_add(w, &f, err);
    }
    free(all);
    return st;
}

wsp_status wsp_generate(const wsp_model *m, const wsp_generate_options *o, wsp_pcap_writer *w,
                        uint64_t *packets, wsp_error *err)
{
    job j = {.m = m,
             .o = o,
             .clock_ns = o->start_ns,
             .threads = wspi_thread_count(o->threads, MAX_THREADS),
             .st = WSP_OK};
    wsp_status st = WSP_OK;

    *packets = 0;
    WSP_TRY(check(m, o, err));
    j.threads = (unsigned)WSPI_MIN((uint64_t)j.threads, (o->flows + WAVE - 1) / WAVE + 1);
    j.generators = wspi_new_array(j.threads, sizeof *j.generators);
    if (!j.generators)
        return wspi_nomem(err, "generators", j.threads);
    for (unsigned i = 0; i < j.threads && st == WSP_OK; i++)
        st = make(&j.generators[i], m, o, err);
    wspi_rng_seed(&j.arrivals, o->seed);
    (void)pthread_mutex_init(&j.lock, NULL);
    if (st == WSP_OK)
        st = job_run(&j, err);
    if (st == WSP_OK)
        st = write_frames(&j, w, err);
    *packets = j.packets;
    (void)pthread_mutex_destroy(&j.lock);
    for (unsigned i = 0; i < j.threads; i++)
        clear(&j.generators[i]);
    free(j.generators);
    return st;
}
