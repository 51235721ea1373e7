/* SPDX-License-Identifier: Apache-2.0 */
/* generate_choose.c: one token for each of several flows: by the model's own odds, by what a condition gains, rare ones. */
#include <math.h>

#include "generate/generate_speaker.h"

enum { MOST_STARTS = 16 };

typedef struct wspi_speaker speaker;
typedef wspi_flow_drawn flow;
typedef wspi_asking asking;

/* Random numbers of the flows that are asked for a token. */
typedef struct dice {
    flow *flows;
    const size_t *asked;
} dice;

static double throw_dice(void *arg, size_t i)
{
    const dice *d = arg;

    return wspi_rng_unit(&d->flows[d->asked[i]].rng);
}

static void put_token(flow *f, uint16_t token)
{
    wspi_rare_saw(&f->rare, f->n);
    f->ids[f->n++] = token;
}

static void sample_tokens(speaker *g, const asking *r)
{
    for (size_t k = 0; k < r->n; k++) {
        flow *f = &g->flows[r->flow[k]];
        put_token(f, wspi_sample(g->logits + k * g->cfg->vocab, r->prefix[k].wanted,
                                 r->prefix[k].n_wanted, g->o, g->scratch, &f->rng));
    }
}

/* By the model's own odds the runner draws it, which computes less. */
wsp_status wspi_choose(speaker *g, asking *r, wsp_error *err)
{
    const wsp_generate_options *o = g->o;
    uint16_t token[SLOTS];
    dice d = {g->flows, r->flow};

    if (r->n == 0)
        return WSP_OK;
    if (o->temperature != 1 || o->top_k || o->top_p < 1) {
        WSP_TRY(wsp_runner_next_token(g->runner, r->prefix, r->n, g->logits, err));
        sample_tokens(g, r);
        return WSP_OK;
    }
    WSP_TRY(wsp_runner_draw_token(g->runner, r->prefix, r->n, throw_dice, &d, token, err));
    for (size_t k = 0; k < r->n; k++)
        put_token(&g->flows[r->flow[k]], token[k]);
    return WSP_OK;
}

static int by_id(const void *a, const void *b)
{
    return *(const uint16_t *)a - *(const uint16_t *)b;
}

/* By the model's own odds; where there is no rare one, the token that was drawn stays. */
wsp_status wspi_choose_rare(speaker *g, const asking *r, wsp_error *err)
{
    if (r->n == 0)
        return WSP_OK;
    WSP_TRY(wsp_runner_next_token(g->runner, r->prefix, r->n, g->logits, err));
    for (size_t k = 0; k < r->n; k++) {
        flow *f = &g->flows[r->flow[k]];
        const wsp_prefix *p = &r->prefix[k];

        if (wspi_rare_sample(&f->rare, g->logits + k * g->cfg->vocab, p->wanted, p->n_wanted,
                             g->barred, f->ids[f->n], g->scratch))
            f->ids[f->n] = f->rare.swap.to;
        f->n++;
    }
    return WSP_OK;
}

/* Logits of the flows `asked`, and behind them those without their conditions. */
static wsp_status both_logits(speaker *g, wsp_prefix *prefix, const size_t *asked, size_t n,
                              wsp_error *err)
{
    for (size_t k = 0; k < n; k++) {
        prefix[n + k] = prefix[k];
        prefix[n + k].context = g->plain;
        prefix[n + k].memory = g->flows[asked[k]].plain_memory;
    }
    return wsp_runner_next_token(g->runner, prefix, 2 * n, g->logits, err);
}

/* ---- guidance ---- */

bool wspi_is_guided(const speaker *g, const flow *f)
{
    return g->o->guide > 0 && f->start.condition >= 0 && f->packets == 0 && !f->told;
}

/*
 * A token that says what the flow is may be drawn from all there are. One that no sample can have does not leave its odds to the
 * others, of which the model thinks little: the flow begins again, so that flows have the odds that they have among those that samples
 * can be. A flow that never can is drawn by what is left.
 */
static void choose_guided(speaker *g, const asking *r, size_t k)
{
    const size_t v = g->cfg->vocab;
    const wsp_prefix *p = &r->prefix[k];
    const uint16_t *legal = g->choices + r->flow[k] * v;
    const float *with = g->logits + k * v, *without = with + r->n * v;
    flow *f = &g->flows[r->flow[k]];
    float common =
        wspi_guide_push(&g->guide, g->o->guide, with, without, p->wanted, p->n_wanted, g->pushed);
    uint16_t token = wspi_sample(g->pushed, p->wanted, p->n_wanted, g->o, g->scratch, &f->rng);

    if (bsearch(&token, legal, r->legal[k], sizeof token, by_id)) {
        if (f->rare.n == 0) /* a packet that is drawn again has gained already */
            f->gain += (double)(with[token] - without[token] - common);
        f->told = wspi_guide_ends(token);
        put_token(f, token);
    } else if (f->starts < MOST_STARTS) {
        wspi_flow_begin(g, f);
    } else {
        put_token(f, wspi_sample(g->pushed, legal, r->legal[k], g->o, g->scratch, &f->rng));
    }
    if (f->told)
        (void)wspi_follows(g, f);
}

wsp_status wspi_choose_guided(speaker *g, asking *r, wsp_error *err)
{
    if (r->n == 0)
        return WSP_OK;
    WSP_TRY(both_logits(g, r->prefix, r->flow, r->n, err));
    for (size_t k = 0; k < r->n; k++)
        choose_guided(g, r, k);
    return WSP_OK;
}

bool wspi_follows(speaker *g, flow *f)
{
    double less;

    if (!g->usual_gain || f->starts >= MOST_STARTS)
        return true;
    less = f->gain - (double)g->usual_gain[f->start.condition];
    if (less >= 0 || wspi_rng_unit(&f->rng) < exp(g->o->guide * less))
        return true;
    wspi_flow_begin(g, f);
    return false;
}
