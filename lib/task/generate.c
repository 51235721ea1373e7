/* SPDX-License-Identifier: Apache-2.0 */
/*
 * generate.c: new flows: tokens are drawn one by one from what the grammar allows, with the model's odds; a complete
 * packet is built, coded again as a recorded one would be, and shown to the model before the next. Flows advance together
 * in waves, so that the model computes for all of them at once. Every flow has random numbers of its own.
 */
#include <math.h>

#include "task/task_int.h"
#include "token/token_int.h"

enum { WAVE = 64, LONG_PACKET = 160, LONGEST_PACKET = 480 };

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

uint16_t wspi_sample(const float *logits, const uint8_t *legal, size_t n,
                     const wsp_generate_options *o, wspi_candidate *c, wspi_rng *rng)
{
    size_t m = 0, keep;
    double sum = 0, at, weight;

    for (size_t i = 0; i < n; i++)
        if (legal[i])
            c[m++] = (wspi_candidate){logits[i], (uint16_t)i};
    qsort(c, m, sizeof *c, by_logit);
    if (m == 1 || o->temperature <= 0)
        return c[0].id;
    keep = o->top_k ? WSPI_MIN(o->top_k, m) : m;
    for (size_t i = 0; i < keep; i++)
        sum += exp((double)(c[i].logit - c[0].logit) / o->temperature);
    if (o->top_p < 1) {
        double most = sum * o->top_p, have = 0;
        size_t i = 0;
        while (i < keep && have < most)
            have += exp((double)(c[i++].logit - c[0].logit) / o->temperature);
        keep = WSPI_MAX(i, 1u);
        sum = have;
    }
    at = wspi_rng_unit(rng) * sum;
    for (size_t i = 0; i < keep; i++) {
        weight = exp((double)(c[i].logit - c[0].logit) / o->temperature);
        if (at < weight || i + 1 == keep)
            return c[i].id;
        at -= weight;
    }
    return c[0].id;
}

/* ---- flows ---- */

typedef struct flow {
    wsp_context *ctx, *trial; /* of the packets so far; scratch of building */
    wsp_filler fill;
    wspi_rng rng;
    float *state;
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
    flow flows[WAVE];
    size_t n;
    float *context, *logits, *gathered; /* [WAVE][C], [WAVE][V], [WAVE][C] */
    float **heads;
    uint8_t *legal; /* [WAVE][V] */
    uint16_t *prefix;
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

static wsp_status start_flow(generator *g, flow *f, uint64_t number, uint64_t start_ns)
{
    const wsp_generate_options *o = g->o;

    wspi_rng_seed(&f->rng, o->seed * 0x9e3779b97f4a7c15u + number);
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
    return WSP_OK;
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

static size_t only_choice(const uint8_t *legal, size_t n, uint16_t *id)
{
    size_t choices = 0;

    for (size_t i = 0; i < n && choices < 2; i++)
        if (legal[i]) {
            choices++;
            *id = (uint16_t)i;
        }
    return choices;
}

/* One more token for every flow of the wave whose packet is not complete; *left counts them. */
static wsp_status draw_tokens(generator *g, size_t *left, wsp_error *err)
{
    const size_t v = g->cfg->vocab, width = g->cfg->channels;
    size_t asked[WAVE], n = 0;
    uint32_t len[WAVE];

    *left = 0;
    for (size_t i = 0; i < g->n; i++) {
        flow *f = &g->flows[i];
        uint8_t *legal = g->legal + i * v;
        uint16_t id = 0;
        size_t choices;
        if (!f->open || f->done)
            continue;
        WSP_TRY(allowed(g, f, legal, &f->done, err));
        if (f->done)
            continue;
        ++*left;
        choices = only_choice(legal, v, &id);
        if (choices == 0 || f->n >= LONGEST_PACKET)
            return wspi_fail(err, WSP_ERR_FORMAT, f->n, "the grammar leaves no token after %zu",
                             f->n);
        if (choices == 1) {
            f->ids[f->n++] = id;
            continue;
        }
        memcpy(g->gathered + n * width, g->context + i * width, width * sizeof *g->gathered);
        len[n] = (uint32_t)wsp_policy_apply(wsp_policy_get("everything"), f->ids, f->n,
                                            g->o->view.max_payload, g->cfg->max_tokens - 1, NULL,
                                            g->prefix + n * g->cfg->max_tokens);
        asked[n++] = i;
    }
    if (n == 0)
        return WSP_OK;
    WSP_TRY(wsp_runner_next_token(g->runner, g->gathered, g->prefix, g->cfg->max_tokens, len, n,
                                  g->logits, err));
    for (size_t k = 0; k < n; k++) {
        flow *f = &g->flows[asked[k]];
        f->ids[f->n++] =
            wspi_sample(g->logits + k * v, g->legal + asked[k] * v, v, g->o, g->scratch, &f->rng);
    }
    return WSP_OK;
}

static wsp_status keep_frame(generator *g, const wsp_frame *frame)
{
    WSP_TRY(wspi_grow(&g->frames, &g->cap_frames, g->n_frames + 1, sizeof *g->frames));
    g->frames[g->n_frames] = (wspi_frame_ref){
        .time_ns = frame->time_ns, .at = g->bytes.len, .len = frame->caplen, .number = g->n_frames};
    g->n_frames++;
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
    if (keep_frame(g, &out.frame) < 0)
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

/* Shows the new packets to the model. */
static wsp_status advance(generator *g, wsp_error *err)
{
    const size_t width = g->cfg->channels;
    uint32_t packet_off[WAVE + 1] = {0}, flow_off[WAVE + 1] = {0};
    float *states[WAVE];
    size_t at[WAVE], n = 0, tokens = 0;
    wsp_batch b = {.packet_off = packet_off, .flow_off = flow_off, .ids = g->prefix};

    for (size_t i = 0; i < g->n; i++) {
        flow *f = &g->flows[i];
        if (!f->open)
            continue;
        memcpy(g->prefix + tokens, f->seen, f->n_seen * sizeof *f->seen);
        tokens += f->n_seen;
        states[n] = f->state;
        at[n++] = i;
        packet_off[n] = (uint32_t)tokens;
        flow_off[n] = (uint32_t)n;
    }
    if (n == 0)
        return WSP_OK;
    b.n_flows = b.n_packets = n;
    b.n_tokens = tokens;
    WSP_TRY(wsp_state_step(g->runner, states, &b, g->gathered, g->heads, err));
    for (size_t k = 0; k < n; k++)
        memcpy(g->context + at[k] * width, g->gathered + k * width, width * sizeof *g->context);
    return WSP_OK;
}

static wsp_status run_wave(generator *g, uint64_t first, size_t n, wspi_rng *arrivals,
                           uint64_t *clock, wsp_error *err)
{
    int32_t condition[WAVE];
    float *states[WAVE];
    size_t left, open = n;

    g->n = n;
    for (size_t i = 0; i < n; i++) {
        *clock += (uint64_t)(-log(1 - wspi_rng_unit(arrivals)) / g->o->rate * 1e9);
        WSP_TRY(start_flow(g, &g->flows[i], first + i, *clock));
        condition[i] = g->o->condition;
        states[i] = g->flows[i].state;
    }
    WSP_TRY(wsp_state_start(g->runner, states, condition, n, g->context, err));
    while (open) {
        do
            WSP_TRY(draw_tokens(g, &left, err));
        while (left);
        open = 0;
        for (size_t i = 0; i < n; i++) {
            if (g->flows[i].open)
                WSP_TRY(finish_packet(g, &g->flows[i], err));
            open += g->flows[i].open;
        }
        WSP_TRY(advance(g, err));
    }
    return WSP_OK;
}

static int by_time(const void *a, const void *b)
{
    const wspi_frame_ref *x = a, *y = b;

    if (x->time_ns != y->time_ns)
        return x->time_ns < y->time_ns ? -1 : 1;
    return x->number < y->number ? -1 : 1;
}

static wsp_status write_frames(generator *g, wsp_pcap_writer *w, wsp_error *err)
{
    qsort(g->frames, g->n_frames, sizeof *g->frames, by_time);
    for (size_t i = 0; i < g->n_frames; i++) {
        wsp_frame f = {.time_ns = g->frames[i].time_ns,
                       .caplen = g->frames[i].len,
                       .wirelen = g->frames[i].len,
                       .data = g->bytes.data + g->frames[i].at};
        WSP_TRY(wsp_pcap_writer_add(w, &f, err));
    }
    return WSP_OK;
}

static wsp_status make(generator *g, wsp_error *err)
{
    const size_t v = g->cfg->vocab, width = g->cfg->channels, tokens = g->cfg->max_tokens;
    bool ok;

    wspi_buf_init(&g->bytes, SIZE_MAX / 2);
    g->context = wspi_new_array(WAVE * width, sizeof *g->context);
    g->gathered = wspi_new_array(WAVE * width, sizeof *g->gathered);
    g->logits = wspi_new_array(WAVE * v, sizeof *g->logits);
    g->legal = wspi_new_array(WAVE * v, 1);
    g->prefix = wspi_new_array(WAVE * tokens, sizeof *g->prefix);
    g->scratch = wspi_new_array(v, sizeof *g->scratch);
    g->heads = wspi_new_array(wsp_model_head_count(g->m) + 1, sizeof *g->heads);
    ok = g->context && g->gathered && g->logits && g->legal && g->prefix && g->scratch && g->heads;
    for (size_t i = 0; i < WAVE && ok; i++) {
        g->flows[i].ctx = wspi_new_array(1, wsp_context_size());
        g->flows[i].trial = wspi_new_array(1, wsp_context_size());
        g->flows[i].state = wspi_new_array(1, wsp_state_size(g->m));
        ok = g->flows[i].ctx && g->flows[i].trial && g->flows[i].state;
    }
    for (size_t h = 0; h < wsp_model_head_count(g->m) && ok; h++) {
        g->heads[h] = wspi_new_array(WAVE * wsp_model_head(g->m, h)->n_labels, sizeof(float));
        ok = g->heads[h] != NULL;
    }
    if (!ok || wsp_decoder_new(&g->decoder) < 0 || wsp_packet_new(&g->packet) < 0 ||
        wsp_residual_new(&g->resid) < 0)
        return wspi_nomem(err, "a wave of flows", WAVE);
    /* the same traffic for a seed whatever the CPU has */
    return wsp_runner_new(&g->runner, g->m, WSP_DTYPE_F32, err);
}

static void clear(generator *g)
{
    for (size_t i = 0; i < WAVE; i++) {
        free(g->flows[i].ctx);
        free(g->flows[i].trial);
        free(g->flows[i].state);
    }
    for (size_t h = 0; g->heads && h < wsp_model_head_count(g->m); h++)
        free(g->heads[h]);
    free(g->heads);
    free(g->context);
    free(g->gathered);
    free(g->logits);
    free(g->legal);
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

wsp_status wsp_generate(const wsp_model *m, const wsp_generate_options *o, wsp_pcap_writer *w,
                        uint64_t *packets, wsp_error *err)
{
    generator *g;
    uint64_t clock = o->start_ns;
    wspi_rng arrivals;
    wsp_status st;

    *packets = 0;
    WSP_TRY(check(m, o, err));
    g = wspi_new_array(1, sizeof *g);
    if (!g)
        return wspi_nomem(err, "a wave of flows", WAVE);
    g->m = m;
    g->o = o;
    g->cfg = wsp_model_config_get(m);
    wspi_rng_seed(&arrivals, o->seed);
    st = make(g, err);
    for (uint64_t i = 0; i < o->flows && st == WSP_OK; i += WAVE) {
        st = run_wave(g, i, (size_t)WSPI_MIN(o->flows - i, (uint64_t)WAVE), &arrivals, &clock, err);
        if (st == WSP_OK && o->report)
            st = o->report(o->arg, WSPI_MIN(i + WAVE, o->flows), g->n_frames);
    }
    if (st == WSP_OK)
        st = write_frames(g, w, err);
    *packets = g->n_frames;
    clear(g);
    free(g);
    return st;
}
