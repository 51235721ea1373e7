/* SPDX-License-Identifier: Apache-2.0 */
/*
 * http_samples.c: what samples of HTTP and its dialects may have: which headers stand in a head, and what a message owes to those
 * before it.
 */
#include "token/app/http.h"

#include <strings.h>

/* Lines of a head, and bytes behind which it ends. With a line of the longest value it still is one segment. */
enum { MAX_SAMPLED = 14, HEAD_SAMPLED = 900, JSON_ROOM = 128 /* of JSON in the head's segment */ };

static uint64_t status_of(const wspi_http_message *w)
{
    return w->c->app.v[w->c->dir][STATUS];
}

/* ---- which headers ---- */

/* Samples: the headers that the message needs, then ABSENT. */
static const uint8_t *needs(const wspi_http_message *w)
{
    const wspi_http_dialect *d = w->d;
    uint64_t asked = w->method;

    if (w->c->dir && !wspi_app_last(w->c, false, START, &asked))
        asked = 0;
    return (w->c->dir ? d->answers : d->asks)[asked < d->starts_sampled ? asked : 0];
}

/* RFC 9110 15.5.2, 15.4, 15.3.7: a status that says nothing without a header. The first one that is not there, or ABSENT. */
static unsigned by_status(const wspi_http_message *w)
{
    const wspi_http_need *need = w->d->rules && w->mode & ANSWER ? w->d->rules->by_status : NULL;

    for (; need && need->status; need++)
        if (need->status == status_of(w) && !wspi_http_has(w, need->header))
            return need->header;
    return ABSENT;
}

/* RFC 9112 6.3: without a length the body goes on until the connection ends, which cannot last then. */
static bool wants_length(const wspi_http_message *w)
{
    return w->d->flags & UNTIL_CLOSE && w->mode & ANSWER && w->marks & LASTS &&
           !(w->mode & (NO_BODY | HAS_LENGTH)) && !wspi_http_has(w, w->d->sized);
}

/* What the message needs beside what all of its kind do, or ABSENT. */
static unsigned wanted(const wspi_http_message *w)
{
    const wspi_http_rules *r = w->d->rules;
    unsigned k = by_status(w);

    if (k == ABSENT && wants_length(w))
        k = w->d->sized;
    return k == ABSENT && r && r->has_to_have ? r->has_to_have(w) : k;
}

/* The first of them that is not there yet, or ABSENT. */
static unsigned missing(const wspi_http_message *w)
{
    const uint8_t *need = needs(w);

    while (*need != ABSENT && wspi_http_has(w, *need))
        need++;
    return *need == ABSENT ? wanted(w) : *need;
}

/* Is header k the first that is missing, or any of those where the order is free? */
static bool is_missing(const wspi_http_message *w, unsigned k)
{
    const uint8_t *need = needs(w);
    const uint64_t *alike;

    if (k == wanted(w) && k == w->d->typed)
        return true; /* it comes before the length */
    if (!(w->d->flags & FREELY) || k >= w->d->n_headers || k == wanted(w))
        return k == missing(w);
    alike = w->d->words->alike[k];
    while (*need != ABSENT && !(alike[*need / 64] >> *need % 64 & 1))
        need++;
    return *need != ABSENT && !wspi_http_has(w, k);
}

/* Headers that are needed and not there. */
static unsigned n_missing(const wspi_http_message *w)
{
    unsigned n = wanted(w) != ABSENT;

    for (const uint8_t *need = needs(w); *need != ABSENT; need++)
        n += !wspi_http_has(w, *need);
    return n;
}

static bool is_of_bodies(const wspi_http_dialect *d, uint64_t method)
{
    return method >= d->bodies[0] && method - d->bodies[0] < d->bodies[1];
}

/*
 * RFC 3264 4: who agrees to a session describes it, too. Its type says how long the body may be. RFC 9110 8.6: of HTTP, an answer that
 * can have no content has no length.
 */
static bool may_have_body(const wspi_http_message *w)
{
    const wspi_http_dialect *d = w->d;
    uint64_t asked = NEVER, status = status_of(w);

    if (d->session && wspi_http_has(w, d->sized))
        return false;
    if (!w->c->dir)
        return is_of_bodies(d, w->method);
    if (!d->session)
        return !(d->flags & UNTIL_CLOSE) || (status >= 200 && status != 204);
    return wspi_app_last(w->c, false, START, &asked) && is_of_bodies(d, asked) &&
           (status == 200 || status == 183);
}

/* Is the header one of other statuses alone? */
static bool is_out_of_place(const wspi_http_message *w, unsigned k)
{
    const wspi_http_need *need = w->d->rules ? w->d->rules->by_status : NULL;
    bool alone = false;

    for (; need && need->status; need++) {
        if (need->header == k && need->status == status_of(w))
            return false;
        alone |= need->header == k && need->alone;
    }
    return alone;
}

/* A header that is not needed. No line comes twice, and a length is of a message that may have a body. */
static bool may_come(const wspi_http_message *w, unsigned k)
{
    const wspi_http_dialect *d = w->d;
    bool asks = !w->c->dir,
         of_body = wspi_http_is_alike(d, k, d->sized) || wspi_http_is_alike(d, k, d->typed);

    if (k > d->n_headers)
        return d->flags & OTHERS;
    return !wspi_http_has(w, k) && d->rows[k].flags & (asks ? ASKS : ANSWERS) &&
           (!of_body || may_have_body(w)) && (asks || !is_out_of_place(w, k));
}

/* What the rules say against it, of a header that is in the list. */
static bool is_ruled_out(const wspi_http_message *w, unsigned k)
{
    const wspi_http_rules *r = w->d->rules;

    if (k >= w->d->n_headers || !r)
        return false;
    if (w->agent != ABSENT && k != w->agent && wspi_http_is_alike(w->d, k, w->d->agent))
        return true;
    return r->may_have && !r->may_have(w, k);
}

/* What is needed is there in the end. Behind the length of a body most have nothing else. */
bool wspi_http_sampled(const wspi_http_message *w, unsigned k)
{
    const wspi_http_dialect *d = w->d;
    bool full = w->c->pay.at >= HEAD_SAMPLED - (w->mode & JSON ? JSON_ROOM : 0u),
         first = !w->c->dir || d->flags & ORDERED,
         named = w->agent >= d->n_headers || wspi_http_has(w, w->agent);
    unsigned need = missing(w), lacks = n_missing(w);

    if (k == d->n_headers)
        return need == ABSENT && named && !w->turned;
    if (is_ruled_out(w, k))
        return false;
    if ((need != ABSENT && is_missing(w, k)) || (!named && k == w->agent))
        return true;
    if (full || w->lines + lacks + !named >= MAX_SAMPLED ||
        (need != ABSENT && first && lacks > d->mixed))
        return false;
    return (need == ABSENT || !d->session || !wspi_http_has(w, d->sized)) && may_come(w, k);
}

/* ---- what a message owes to those before it ---- */

unsigned wspi_http_agent(const wspi_http_message *w)
{
    const wspi_http_dialect *d = w->d;
    uint64_t before;
    size_t n;

    if (w->c->dir || d->agent >= d->n_headers || !wspi_app_last(w->c, true, MESSAGES, &before) ||
        before == 0)
        return ABSENT;
    for (unsigned k = 0; k < d->n_headers; k++)
        if (wspi_http_is_alike(d, k, d->agent) && wspi_http_recall(w, d->headers[k].name, &n))
            return k;
    return NEVER;
}

void wspi_http_keep_starts(const wspi_http_message *w)
{
    const wspi_http_rules *r = w->d->rules;
    uint64_t rows = 0;

    if (!r || !r->may_start || !wspi_asked(w->c))
        return;
    for (unsigned k = 0; k < w->d->n_starts; k++)
        rows |= (uint64_t)r->may_start(w, k) << k;
    wspi_app_keep(w->c, START, rows);
}

void wspi_http_keep_statuses(const wspi_http_message *w)
{
    const wspi_http_rules *r = w->d->rules;
    const wspi_value *s = w->d->statuses;
    uint64_t rows = 0;

    if (!r || !r->may_answer || !wspi_asked(w->c))
        return;
    for (unsigned k = 0; s[k].name; k++)
        rows |= (uint64_t)r->may_answer(w, (unsigned)s[k].value) << k;
    wspi_app_keep(w->c, STATUS, rows);
}

/* RFC 9110 15.2: what informs is not the answer yet, but for another protocol's beginning. */
void wspi_http_count(const wspi_http_message *w)
{
    wspi_app_state *s = &w->c->app;
    int dir = w->c->dir;
    uint64_t *v = &s->v[dir][MESSAGES], status = s->v[dir][STATUS];

    if (wspi_app_stopped(w->c))
        return;
    if (!(w->mode & ANSWER))
        ++*v;
    else if (s->id[!dir] == w->c->pay.app && (status >= 200 || status == 101))
        *v += *v < s->v[!dir][MESSAGES];
}

/* Does the connection last behind the message? Its header says it, or another one that says for how long. */
static unsigned lasting(const wspi_http_rules *r, unsigned k, const uint8_t *b, size_t n)
{
    static const char keep[] = "keep-alive", close[] = "close";

    if (k == r->alive)
        return LASTS;
    if (k != r->lasts)
        return 0;
    if (n == sizeof keep - 1 && strncasecmp((const char *)b, keep, n) == 0)
        return LASTS;
    return n == sizeof close - 1 && strncasecmp((const char *)b, close, n) == 0 ? CLOSES : 0;
}

void wspi_http_keep_commons(const wspi_http_message *w, unsigned k)
{
    const wspi_http_rules *r = w->d->rules;
    const wspi_value *common = w->d->commons;
    const wspi_app_state *s = &w->c->ctx->app;
    bool others = s->v[0][MESSAGES] > s->v[1][MESSAGES] + 1,
         ends = s->v[0][MARKS] & CLOSES && !others;

    if (!r || k != r->lasts || !(w->mode & ANSWER))
        return;
    for (unsigned i = 0; i < w->d->n_commons; i++) {
        unsigned says = lasting(r, k, (const uint8_t *)common[i].name, strlen(common[i].name));
        if (ends ? says != CLOSES : says == CLOSES && (others || wspi_http_has(w, r->alive)))
            wspi_app_take_back(w->c, COMMON, i);
    }
    w->c->need |= ends; /* a text could say anything */
}

void wspi_http_mark(wspi_http_message *w, unsigned k, size_t at, bool again)
{
    const wspi_coder *c = w->c;
    const wspi_http_rules *r = w->d->rules;
    const uint8_t *b = c->enc ? c->pay.in : c->pay.out->data;

    if (!r || k >= w->d->n_headers || wspi_app_stopped(w->c))
        return;
    w->marks |= lasting(r, k, b + at, c->pay.at - at);
    for (unsigned i = 0; r->marked && r->marked[i] != ABSENT; i++)
        if (r->marked[i] == k)
            w->marks |= 1u << i;
    if (r->noted)
        r->noted(w, k, at, again);
}
