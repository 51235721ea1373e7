/* SPDX-License-Identifier: Apache-2.0 */
/*
 * generate_rare.c: one token of a packet that the model finds improbable. The packet is drawn whole first, so that every
 * draw of it has the same chance to be the one; then it is drawn again from there on, with the other token.
 */
#include <math.h>
#include <stdio.h>

#include "generate/generate_int.h"

enum { MOST_TRIES = 8, LONGEST_GAP_S = 60 };
static const double USUAL = 0.9; /* tokens that have this share of the odds together are not rare */

/* ---- which draw ---- */

/* Does it begin a packet of the server? */
static bool is_servers(uint16_t start)
{
    const unsigned base = wspi_group_base(WSPI_T_START);

    return start >= base + WSPI_STARTS && start < base + 2 * WSPI_STARTS;
}

void wspi_rare_begin(wspi_rare *r, double share)
{
    r->wanted = share > 0 && wspi_rng_unit(&r->rng) < share;
    r->tries = 0;
    r->n = r->draws = 0;
    r->swap = (wspi_swap){.from = 0};
}

void wspi_rare_saw(wspi_rare *r, size_t at)
{
    if (r->wanted && r->n == 0)
        r->place[r->draws++] = (uint16_t)at;
}

/* Places where a rare token would not show are none. Where it is told whose payload it is, a field of a header may be drawn as well. */
static void keep_shown(wspi_rare *r, const uint16_t *ids, size_t n)
{
    size_t kept = 0, payload = 0;

    while (payload < n && !wspi_guide_ends(ids[payload]))
        payload++;
    for (size_t i = 0; i < r->draws; i++)
        if (!(r->payloads && r->place[i] <= payload) && !(r->clients && is_servers(ids[0])))
            r->place[kept++] = r->place[i];
    r->draws = kept;
}

bool wspi_rare_again(wspi_rare *r, uint16_t *ids, size_t *n)
{
    if (!r->wanted || wspi_swapped(&r->swap))
        return false;
    if (r->n == 0) {
        memcpy(r->draft, ids, *n * sizeof *ids);
        r->n = *n;
        keep_shown(r, ids, *n);
    }
    memcpy(ids, r->draft, r->n * sizeof *ids);
    *n = r->n;
    r->wanted = r->draws > 0 && ids[0] != wspi_group_base(WSPI_T_START) + WSPI_START_END &&
                r->tries++ < MOST_TRIES;
    if (r->wanted)
        *n = r->place[wspi_rng_below(&r->rng, r->draws)];
    return r->wanted;
}

bool wspi_rare_looks(const wspi_rare *r, size_t at)
{
    return r->wanted && !wspi_swapped(&r->swap) && at < r->n;
}

bool wspi_rare_undo(wspi_rare *r, uint16_t *ids, size_t *n, bool *done)
{
    if (!wspi_swapped(&r->swap))
        return false;
    r->swap = (wspi_swap){.from = 0};
    *done = !wspi_rare_again(r, ids, n);
    return true;
}

static size_t count_of(uint16_t id, const uint16_t *ids, size_t n)
{
    size_t count = 0;

    for (size_t i = 0; i < n; i++)
        count += ids[i] == id;
    return count;
}

/* Text is not coded as it was drawn: what was one token may be a part of another. */
static bool has_text(const wsp_frame *f, uint16_t id)
{
    size_t n;
    const uint8_t *s = wspi_text_bytes(id - wspi_group_base(WSPI_T_TEXT), &n);

    for (size_t at = 0; at + n <= f->caplen; at++)
        if (memcmp(f->data + at, s, n) == 0)
            return true;
    return false;
}

bool wspi_rare_came(const wspi_swap *s, const uint16_t *ids, size_t n, const uint16_t *seen,
                    size_t n_seen, const wsp_frame *frame)
{
    if (!wspi_swapped(s))
        return true;
    return wspi_in_group(s->to, WSPI_T_TEXT)
               ? has_text(frame, s->to)
               : count_of(s->to, seen, n_seen) >= count_of(s->to, ids, n);
}

/* ---- which token ---- */

void wspi_rare_bar(uint8_t *barred, size_t vocab, bool clients)
{
    const unsigned start = wspi_group_base(WSPI_T_START);

    memset(barred, 0, vocab);
    barred[start + WSPI_START_END] = 1;
    if (clients)
        memset(barred + start + WSPI_STARTS, 1, WSPI_STARTS);
    for (unsigned bin = 0; bin < WSPI_GAP_BINS; bin++)
        if (wspi_bin_start(bin, WSPI_GAP_MANTISSA) >= LONGEST_GAP_S * UINT64_C(1000000000))
            for (unsigned dir = 0; dir < 2; dir++)
                barred[start + dir * WSPI_STARTS + WSPI_START_GAP + bin] = 1;
}

/* How likely this candidate is among all, c[0] being the likeliest. */
static float odds_of(const wspi_candidate *c, size_t m, float logit)
{
    double sum = 0;

    for (size_t i = 0; i < m; i++)
        sum += exp((double)(c[i].logit - c[0].logit));
    return (float)(exp((double)(logit - c[0].logit)) / sum);
}

bool wspi_rare_sample(wspi_rare *r, const float *logits, const uint16_t *legal, size_t m,
                      const uint8_t *barred, uint16_t drawn, wspi_candidate *c)
{
    size_t usual, n = 0;
    const wspi_candidate *rare = NULL;

    for (size_t i = 0; i < m; i++)
        c[i] = (wspi_candidate){logits[legal[i]], legal[i]};
    usual = wspi_nucleus(c, m, 1, USUAL);
    for (size_t i = usual; i < m; i++)
        if (!barred[c[i].id] && c[i].id != drawn && wspi_rng_below(&r->rng, ++n) == 0)
            rare = &c[i];
    if (!rare)
        return false;
    r->swap = (wspi_swap){.from = drawn,
                          .to = rare->id,
                          .from_odds = odds_of(c, m, logits[drawn]),
                          .to_odds = odds_of(c, m, rare->logit)};
    return true;
}

/* ---- what the log says ---- */

/* A token's name in two: "tcp.flags", "SYN". Starts have other equals signs; words alone are both. */
typedef struct told {
    char name[WSP_DEVIATION_TEXT];
    const char *field, *value;
} told;

static void tell(told *t, uint16_t id)
{
    char *eq = strchr(wsp_vocab_name(id, t->name, sizeof t->name), '=');
    bool start = wspi_in_group(id, WSPI_T_START);

    t->field = start ? "start" : t->name;
    t->value = start || !eq ? t->name : eq + 1;
    if (!start && eq)
        *eq = '\0';
}

enum { CHANCE = 16 };

/* A chance in a line of the log: nothing where there is no memory for it. */
static const char *chance(char text[CHANCE], float odds)
{
    if (!wspi_number_write(text, CHANCE, 2, (double)odds))
        text[0] = 0;
    return text;
}

void wspi_rare_say(const wspi_swap *s, wsp_deviation *out)
{
    told from, to;
    char p[CHANCE];
    bool same;

    tell(&from, s->from);
    tell(&to, s->to);
    same = strcmp(from.field, to.field) == 0;
    out->kind = WSP_DEVIATE_RARE;
    (void)snprintf(out->field, sizeof out->field, "%s", to.field);
    /* what was drawn first may be of a field further on: then this one was as predicted */
    (void)snprintf(out->from, sizeof out->from, "%s%s%s p=%s", same ? "" : from.field,
                   same || from.value == from.field ? "" : "=",
                   same || from.value != from.field ? from.value : "", chance(p, s->from_odds));
    (void)snprintf(out->to, sizeof out->to, "%s p=%s", to.value, chance(p, s->to_odds));
}
