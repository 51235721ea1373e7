/* SPDX-License-Identifier: Apache-2.0 */
/*
 * speak.c: packets in the making: logits of their next tokens, or tokens drawn with the model's odds, which needs fewer
 * of them.
 */
#include <math.h>

#include "model/runner_int.h"

/* Of the logits of one step, less than one in DENSE are computed one by one. */
enum { DENSE = 8 };

size_t wsp_memory_size(const wsp_model *m)
{
    const wsp_model_config *c = &m->cfg;
    size_t floats =
        2 * (size_t)c->channels + 2 * (size_t)c->output_layers * c->max_tokens * c->channels;

    /* rows, then floats, then ids */
    return sizeof(uint32_t) + floats * sizeof(float) + c->max_tokens * sizeof(uint16_t);
}

/* The parts of a caller's block. */
static wspi_memory memory_open(const wsp_model *m, void *block)
{
    const wsp_model_config *c = &m->cfg;
    size_t C = c->channels, layer = c->max_tokens * C;
    float *at = (float *)((uint32_t *)block + 1);
    wspi_memory memory = {.rows = *(uint32_t *)block, .context = at, .added = at + C};

    at += 2 * C;
    for (size_t l = 0; l < c->output_layers; l++, at += 2 * layer) {
        memory.keys[l] = at;
        memory.values[l] = at + layer;
    }
    memory.ids = (uint16_t *)at;
    return memory;
}

/* How much of the prefix the memory has, less the last row, which is asked for now. */
static void keep_common(const wsp_model *m, wspi_speech *s)
{
    wspi_memory *k = s->memory;
    uint32_t same = 0;

    if (k->rows > 0 && memcmp(k->context, s->context, m->cfg.channels * sizeof(float)) == 0) {
        while (same + 1 < k->rows && same < s->len && k->ids[same] == s->ids[same])
            same++;
        k->rows = WSPI_MIN(same + 1, s->len);
    } else {
        k->rows = 0;
    }
    if (k->rows == 0)
        memcpy(k->context, s->context, m->cfg.channels * sizeof(float));
    if (s->len > 0) /* the first token has no prefix, and its pointer may be NULL */
        memcpy(k->ids, s->ids, s->len * sizeof *k->ids);
}

/* Whether the wanted tokens are tokens, in ascending order. */
static wsp_status wanted_check(const wsp_model *m, const wsp_prefix *p, wsp_error *err)
{
    for (size_t j = 0; p->wanted && j < p->n_wanted; j++)
        if (p->wanted[j] >= m->cfg.vocab || (j > 0 && p->wanted[j] <= p->wanted[j - 1]))
            return wspi_fail(err, WSP_ERR_ARG, j,
                             "wanted token %u is not below %u, or not above the one before",
                             p->wanted[j], m->cfg.vocab);
    return WSP_OK;
}

static wsp_status prefixes_check(const wsp_model *m, const wsp_prefix *p, size_t n, wsp_error *err)
{
    if (!m->cfg.output_layers)
        return wspi_fail(err, WSP_ERR_UNSUPPORTED, 0, "the model has no output stack");
    for (size_t i = 0; i < n; i++) {
        if (p[i].len >= m->cfg.max_tokens)
            return wspi_fail(err, WSP_ERR_ARG, 0, "a prefix of %u tokens is too long", p[i].len);
        for (size_t j = 0; j < p[i].len; j++)
            if (p[i].ids[j] >= m->cfg.vocab)
                return wspi_fail(err, WSP_ERR_ARG, 0, "token %u is not below %u", p[i].ids[j],
                                 m->cfg.vocab);
        WSP_TRY(wanted_check(m, &p[i], err));
    }
    return WSP_OK;
}

/* Room for n speeches, with memories of our own where the caller has none. */
static wsp_status speech_room(wsp_runner *r, const wsp_prefix *p, size_t n)
{
    size_t size = (wsp_memory_size(r->e.m) + 63) / 64 * 64, own = 0;

    for (size_t i = 0; i < n; i++)
        own += !p[i].memory;
    WSP_TRY(wspi_grow(&r->speech, &r->speech_cap, n, sizeof *r->speech));
    WSP_TRY(wspi_grow(&r->memory, &r->memory_cap, n, sizeof *r->memory));
    WSP_TRY(wspi_grow(&r->own, &r->own_cap, own * size, 1));
    own = 0;
    for (size_t i = 0; i < n; i++) {
        void *block = p[i].memory ? p[i].memory : r->own + own++ * size;

        if (!p[i].memory)
            memset(block, 0, sizeof(uint32_t));
        r->memory[i] = memory_open(r->e.m, block);
        r->speech[i] = (wspi_speech){
            .memory = &r->memory[i], .context = p[i].context, .ids = p[i].ids, .len = p[i].len};
    }
    return WSP_OK;
}

/* Half as far to read, row by row as tokens ask for them. */
static wsp_status half_embedding(wsp_runner *r)
{
    size_t n = (size_t)r->e.m->cfg.vocab * r->e.m->cfg.channels;

    if (r->half_embed || !wspi_nn_rounds(r->e.nn))
        return WSP_OK;
    r->half_embed = wspi_new_array(n, sizeof *r->half_embed);
    if (!r->half_embed)
        return WSP_ERR_NOMEM;
    wspi_to_bf16(r->half_embed, r->e.m->w + r->e.m->at.embed, n);
    return WSP_OK;
}

/* Runs the packets' last rows through the output stack: e->o_n [n][C]. */
static wsp_status speak(wsp_runner *r, const wsp_prefix *p, size_t n, wsp_error *err)
{
    wspi_engine *e = &r->e;
    size_t V = e->m->cfg.vocab;

    if (speech_room(r, p, n) < 0)
        return wspi_nomem(err, "packets in the making", n * wsp_memory_size(e->m));
    if (wspi_grow(&r->dense, &r->dense_cap, n * V, sizeof *r->dense) < 0 ||
        wspi_grow(&r->row, &r->row_cap, n, sizeof *r->row) < 0 ||
        wspi_grow(&r->row_logits, &r->row_logits_cap, V, sizeof *r->row_logits) < 0 ||
        wspi_grow(&r->span, &r->span_cap, e->m->cfg.ranges, sizeof *r->span) < 0 ||
        half_embedding(r) < 0)
        return wspi_nomem(err, "logits", n * V * sizeof *r->dense);
    for (size_t i = 0; i < n; i++)
        keep_common(e->m, &r->speech[i]);
    WSP_TRY(wspi_engine_select_speech(e, r->speech, n, err));
    wspi_speech_fwd(e, r->speech);
    for (size_t i = 0; i < n; i++)
        if (p[i].memory)
            *(uint32_t *)p[i].memory = p[i].len + 1;
    return WSP_OK;
}

static size_t wanted_count(const wsp_model *m, const wsp_prefix *p)
{
    return p->wanted ? p->n_wanted : m->cfg.vocab;
}

static uint16_t wanted_token(const wsp_prefix *p, size_t j)
{
    return p->wanted ? p->wanted[j] : (uint16_t)j;
}

/* ---- one step ---- */

static bool sparse(const wsp_model *m, const wsp_prefix *p)
{
    return p->wanted && p->n_wanted * DENSE < m->cfg.vocab;
}

/* Rows where much is wanted in one product; row[] says which. How many. */
static size_t dense_fwd(wsp_runner *r, const wsp_prefix *p, size_t n)
{
    wspi_engine *e = &r->e;
    size_t C = e->m->cfg.channels, dense = 0;

    for (size_t i = 0; i < n; i++)
        if (!sparse(e->m, &p[i])) {
            memcpy(e->branch + dense * C, e->o_n + i * C, C * sizeof *e->branch);
            r->row[dense++] = (uint32_t)i;
        }
    wspi_gemm(e->nn, r->dense, e->branch, e->m->w + e->m->at.embed, dense, e->m->cfg.vocab, C,
              WSPI_TB | WSPI_WEIGHT);
    return dense;
}

/* y[n] = logits of the tokens with these numbers behind `first`, or NULL: of the first n */
static void token_logits(const wsp_runner *r, float *y, size_t i, size_t first,
                         const uint16_t *tokens, size_t n)
{
    const wspi_engine *e = &r->e;
    size_t C = e->m->cfg.channels;

    if (r->half_embed)
        wspi_products(y, e->o_n + i * C, r->half_embed + first * C, true, tokens, n, C);
    else
        wspi_products(y, e->o_n + i * C, e->m->w + e->m->at.embed + first * C, false, tokens, n, C);
}

/* y[j] = logit of wanted token j, each by itself */
static void sparse_fwd(const wsp_runner *r, float *y, const wsp_prefix *p, size_t i)
{
    token_logits(r, y, i, 0, p->wanted, wanted_count(r->e.m, p));
}

static void one_step_logits(wsp_runner *r, const wsp_prefix *p, size_t n, float *logits)
{
    size_t V = r->e.m->cfg.vocab, dense = dense_fwd(r, p, n);

    for (size_t k = 0; k < dense; k++)
        memcpy(logits + r->row[k] * V, r->dense + k * V, V * sizeof *logits);
    for (size_t i = 0; i < n; i++) {
        if (!sparse(r->e.m, &p[i]))
            continue;
        sparse_fwd(r, r->row_logits, &p[i], i);
        for (size_t j = 0; j < p[i].n_wanted; j++)
            logits[i * V + p[i].wanted[j]] = r->row_logits[j];
    }
}

/* ---- two steps ---- */

/* The ranges that hold wanted tokens. How many. */
static size_t spans_make(wsp_runner *r, const wsp_prefix *p)
{
    const wsp_model *m = r->e.m;
    size_t n = 0, all = wanted_count(m, p);
    uint32_t last = UINT32_MAX;

    for (uint32_t j = 0; j < all; j++) {
        uint32_t range = m->range_of[wanted_token(p, j)];

        if (range != last) {
            r->span[n] =
                (wspi_wanted_range){.first = m->cfg.range_first[range], .range = range, .from = j};
            r->span[n++].n = wspi_range_size(&m->cfg, range);
            last = range;
        }
        r->span[n - 1].to = j + 1;
    }
    return n;
}

static float range_logit(const wspi_engine *e, const wspi_wanted_range *s, size_t i)
{
    size_t C = e->m->cfg.channels;
    float y;

    wspi_products(&y, e->o_n + i * C, e->m->w + e->m->at.output_range + s->range * C, false, NULL,
                  1, C);
    return y;
}

/* Logits of all tokens of the range, at their places in row_logits, which is returned from there. */
static float *inside(wsp_runner *r, const wspi_wanted_range *s, size_t i)
{
    float *y = r->row_logits + s->first;

    token_logits(r, y, i, s->first, NULL, s->n);
    return y;
}

/* ln P(range) + ln P(token | range), but for what is the same for all ranges */
static void two_step_logits(wsp_runner *r, const wsp_prefix *p, size_t i, float *logits)
{
    size_t n = spans_make(r, p);

    for (size_t k = 0; k < n; k++) {
        const wspi_wanted_range *s = &r->span[k];
        float *y = inside(r, s, i), max, add = range_logit(&r->e, s, i);

        for (uint32_t j = s->from; j < s->to; j++)
            logits[wanted_token(p, j)] = y[wanted_token(p, j) - s->first];
        add -= logf(wspi_odds(y, s->n, &max)) + max;
        for (uint32_t j = s->from; j < s->to; j++)
            logits[wanted_token(p, j)] += add;
    }
}

/* ---- drawing ---- */

typedef struct chance {
    wsp_unit_fn *unit;
    void *arg;
    size_t i; /* the packet */
} chance;

static double random_of(const chance *c)
{
    return c->unit(c->arg, c->i);
}

/* One of n by their odds, which sum to `sum`. */
static size_t pick(const float *odds, size_t n, double sum, const chance *c)
{
    double at = random_of(c) * sum;

    for (size_t j = 0; j + 1 < n; j++) {
        if (at < (double)odds[j])
            return j;
        at -= (double)odds[j];
    }
    return n - 1;
}

/* Of tokens by the logits y[n], which are spent. */
static size_t draw(float *y, size_t n, const chance *c)
{
    float max, sum = wspi_odds(y, n, &max);

    return pick(y, n, (double)sum, c);
}

static void draw_in_one_step(wsp_runner *r, const wsp_prefix *p, size_t n, const chance *c0,
                             uint16_t *token)
{
    const wsp_model *m = r->e.m;
    size_t dense = dense_fwd(r, p, n);

    for (size_t k = 0; k < dense; k++) {
        const wsp_prefix *of = &p[r->row[k]];
        const float *y = r->dense + k * m->cfg.vocab;
        chance c = {c0->unit, c0->arg, r->row[k]};
        size_t all = wanted_count(m, of);

        for (size_t j = 0; j < all; j++)
            r->row_logits[j] = y[wanted_token(of, j)];
        token[r->row[k]] = wanted_token(of, draw(r->row_logits, all, &c));
    }
    for (size_t i = 0; i < n; i++) {
        chance c = {c0->unit, c0->arg, i};

        if (!sparse(m, &p[i]))
            continue;
        sparse_fwd(r, r->row_logits, &p[i], i);
        token[i] = p[i].wanted[draw(r->row_logits, p[i].n_wanted, &c)];
    }
}

static size_t pick_span(const wsp_runner *r, size_t n, const chance *c)
{
    double sum = 0, at;

    for (size_t k = 0; k < n; k++)
        sum += (double)r->span[k].odds;
    at = random_of(c) * sum;
    for (size_t k = 0; k + 1 < n; k++) {
        if (at < (double)r->span[k].odds)
            return k;
        at -= (double)r->span[k].odds;
    }
    return n - 1;
}

/* The odds of the range's tokens become known: of how many parts of them the wanted ones are. */
static float look_inside(wsp_runner *r, const wsp_prefix *p, wspi_wanted_range *s, size_t i)
{
    float *y = inside(r, s, i), max, sum = wspi_odds(y, s->n, &max), wanted = 0;

    s->known = true;
    if (s->to - s->from == s->n)
        return 1;
    for (uint32_t j = s->from; j < s->to; j++)
        wanted += y[wanted_token(p, j) - s->first];
    return wanted / sum;
}

static uint16_t draw_inside(const wsp_runner *r, const wsp_prefix *p, const wspi_wanted_range *s,
                            const chance *c)
{
    const float *y = r->row_logits + s->first;
    double sum = 0, at;

    for (uint32_t j = s->from; j < s->to; j++)
        sum += (double)y[wanted_token(p, j) - s->first];
    at = random_of(c) * sum;
    for (uint32_t j = s->from; j + 1 < s->to; j++) {
        double odds = (double)y[wanted_token(p, j) - s->first];
        if (at < odds)
            return wanted_token(p, j);
        at -= odds;
    }
    return wanted_token(p, s->to - 1);
}

/* The odds of ranges that hold wanted tokens, as if all their tokens were wanted. */
static void span_odds(wsp_runner *r, size_t n, size_t i)
{
    float max = -INFINITY;

    for (size_t k = 0; k < n; k++) {
        r->span[k].odds = range_logit(&r->e, &r->span[k], i);
        max = fmaxf(max, r->span[k].odds);
    }
    for (size_t k = 0; k < n; k++)
        r->span[k].odds = expf(r->span[k].odds - max);
}

/*
 * A range is drawn by odds that are as high as they could be: those of all its tokens. It stands with the probability
 * that a token of it is a wanted one; else its odds are put right, and another one is drawn. That gives every wanted
 * token its own probability, and most ranges are never looked into.
 */
static uint16_t draw_in_two_steps(wsp_runner *r, const wsp_prefix *p, const chance *c)
{
    size_t n = spans_make(r, p);

    span_odds(r, n, c->i);
    for (;;) {
        wspi_wanted_range *s = &r->span[n > 1 ? pick_span(r, n, c) : 0];

        if (!s->known) {
            float share = look_inside(r, p, s, c->i);

            s->odds *= share;
            if (n > 1 && share < 1 && random_of(c) >= (double)share)
                continue;
        }
        return draw_inside(r, p, s, c);
    }
}

/* ---- the calls ---- */

wsp_status wsp_runner_next_token(wsp_runner *r, const wsp_prefix *p, size_t n, float *logits,
                                 wsp_error *err)
{
    const wsp_model_config *cfg = &r->e.m->cfg;

    WSP_TRY(prefixes_check(r->e.m, p, n, err));
    if (n == 0)
        return WSP_OK;
    WSP_TRY(speak(r, p, n, err));
    if (!cfg->ranges)
        one_step_logits(r, p, n, logits);
    for (size_t i = 0; cfg->ranges && i < n; i++)
        two_step_logits(r, &p[i], i, logits + i * cfg->vocab);
    return wspi_runner_done(r, err);
}

wsp_status wsp_runner_draw_token(wsp_runner *r, const wsp_prefix *p, size_t n, wsp_unit_fn *unit,
                                 void *arg, uint16_t *token, wsp_error *err)
{
    WSP_TRY(prefixes_check(r->e.m, p, n, err));
    for (size_t i = 0; i < n; i++)
        if (wanted_count(r->e.m, &p[i]) == 0)
            return wspi_fail(err, WSP_ERR_ARG, i, "no token is wanted of packet %zu", i);
    if (n == 0)
        return WSP_OK;
    WSP_TRY(speak(r, p, n, err));
    if (!r->e.m->cfg.ranges)
        draw_in_one_step(r, p, n, &(chance){unit, arg, 0}, token);
    for (size_t i = 0; r->e.m->cfg.ranges && i < n; i++)
        token[i] = draw_in_two_steps(r, &p[i], &(chance){unit, arg, i});
    return wspi_runner_done(r, err);
}
