/* SPDX-License-Identifier: Apache-2.0 */
/*
 * http_value.c: the parts of lines of HTTP and its dialects: lengths, text, and the values of headers. What is
 * as the flow's last request had it, or as most have it, is implied.
 */
#include "token/app/http.h"

#include <stdio.h>

/* A length field; want == NO_LEN: its token may be missing. */
size_t wspi_http_length(wspi_http_message *w, unsigned f, bool may_miss, size_t n, unsigned from,
                        unsigned count)
{
    uint64_t none = f == REASON ? NO_REASON : NO_LEN;

    wspi_app_require(w->c, !w->c->enc || n <= none);
    wspi_app_only(w->c, from, count);
    n = (size_t)wspi_app_code(w->c, f, may_miss, none, n);
    return n;
}

void wspi_http_text(wspi_http_message *w, size_t n, size_t shown, enum wspi_text_class class)
{
    shown = WSPI_MIN(WSPI_MIN(shown, n), w->budget);
    if (!w->c->fill && wspi_app_captured(w->c) < n) {
        wspi_app_fail(w->c);
        return;
    }
    w->budget -= shown;
    wspi_app_text(w->c, n, shown, class);
}

/* Samples: n bytes like the shape, its %s one or more letters each. For others nobody learns from them. */
void wspi_http_shaped(wspi_http_message *w, size_t n, const char *shape)
{
    wspi_coder *c = w->c;
    size_t holes = 0, spare = strlen(shape);

    if (!c->fill) {
        wspi_app_require(c, wspi_app_captured(c) >= n);
        wspi_app_opaque(c, n);
        return;
    }
    for (const char *s = shape; *s; s++)
        holes += *s == '%';
    spare = n > spare ? n - spare : 0;
    for (; *shape; shape++) {
        size_t letters = holes ? spare / holes : 0;
        if (*shape != '%') {
            wspi_app_put(c, 1, (uint8_t)*shape);
            continue;
        }
        spare -= letters;
        holes--;
        for (letters++; letters; letters--)
            wspi_app_put(c, 1, 'a' + wspi_rng_u64(&c->rng) % 26);
    }
}

/* Samples: of lengths that the shape can have, the first class. */
unsigned wspi_http_shortest(const wspi_http_message *w, unsigned f, const char *shape)
{
    return wspi_bin(strlen(shape), wspi_proto_of(w->c->pay.app)->fields[f].mantissa) + 1;
}

/* ---- the first lines of the flow's last request are remembered: its values mostly come again ---- */

/* The context's memory is of this protocol. */
static bool has_past(const wspi_http_message *w)
{
    const wspi_app_state *s = &w->c->ctx->app;

    return s->id[0] == w->c->pay.app || s->id[1] == w->c->pay.app;
}

/* Reads the remembered line at *at and moves on; false: there is none. */
static bool past_line(const wspi_http_message *w, size_t *at, const char *name,
                      const uint8_t **value, size_t *n)
{
    const wsp_context *s = w->c->ctx;
    const uint8_t *b = s->name + *at, *lf;
    size_t len = strlen(name);

    lf = *at < s->name_len ? memchr(b, '\n', s->name_len - *at) : NULL;
    if (!lf)
        return false;
    *at = (size_t)(lf + 1 - s->name);
    *value = NULL;
    if ((size_t)(lf - b) <= len || b[len] != ':' || memcmp(b, name, len) != 0)
        return true;
    b += len + 1;
    b += *b == ' ';
    lf -= lf > b && lf[-1] == '\r';
    *value = b;
    *n = (size_t)(lf - b);
    return true;
}

/* The value that header k had in the last request, or NULL. Lines mostly come in the same order. */
static const uint8_t *past_value(wspi_http_message *w, unsigned k, size_t *n)
{
    const wsp_context *s = w->c->ctx;
    const uint8_t *value = NULL;
    size_t at = w->past;
    bool used = w->d->rows[k].flags & (w->mode & ANSWER ? ECHO : STAYS);

    if ((!used && !(w->d->flags & REPEATS)) || !has_past(w))
        return NULL;
    for (int round = 0; round < 2 && !value; round++, at = 0)
        while (!value && past_line(w, &at, w->d->headers[k].name, &value, n))
            continue;
    if (value)
        w->past = (size_t)(value + *n - s->name);
    if (value && w->past < s->name_len)
        w->past = (size_t)((const uint8_t *)memchr(s->name + w->past, '\n', s->name_len - w->past) +
                           1 - s->name);
    return used ? value : NULL;
}

const uint8_t *wspi_http_recall(const wspi_http_message *w, const char *name, size_t *n)
{
    const uint8_t *value = NULL;
    size_t at = 0;

    if (!has_past(w))
        return NULL;
    while (!value && past_line(w, &at, name, &value, n))
        continue;
    return value;
}

/* The end of the remembered line at `at`, if it says nothing that the walk has to know; else `at`. */
static size_t past_end(const wspi_http_message *w, size_t at)
{
    const wsp_context *s = w->c->ctx;
    const uint8_t *b = s->name + at, *lf = NULL, *colon;
    unsigned k;

    if (at < s->name_len)
        lf = memchr(b, '\n', s->name_len - at);
    colon = lf ? memchr(b, ':', (size_t)(lf - b)) : NULL;
    if (!colon)
        return at;
    k = wspi_http_header(w->d, b, (size_t)(colon - b));
    if (k < w->d->n_headers && (w->d->rows[k].kind == K_LENGTH || w->d->rows[k].kind == K_SEQUENCE))
        return at;
    return (size_t)(lf + 1 - s->name);
}

/* Encoding: the lines at hand that are the remembered ones from w->past on; one alone has a token anyway. */
static unsigned count_again(const wspi_http_message *w)
{
    const uint8_t *b = wspi_app_here(w->c), *name = w->c->ctx->name;
    size_t left = wspi_app_captured(w->c), at = w->past, end;
    unsigned n = 0;

    while (n < 255 && (end = past_end(w, at)) != at && end - at <= left &&
           memcmp(b, name + at, end - at) == 0) {
        b += end - at;
        left -= end - at;
        at = end;
        n++;
    }
    return n > 1 ? n : 0;
}

/* How the line of n bytes is written. */
static unsigned form_of(const uint8_t *b, size_t n)
{
    const uint8_t *colon = memchr(b, ':', n);

    return (colon && colon[1] == ' ' ? USUAL : NO_SPACE) |
           (n > 1 && b[n - 2] == '\r' ? USUAL : BARE_LF);
}

unsigned wspi_http_past(const wspi_http_message *w, size_t *at)
{
    const uint8_t *b = w->c->ctx->name + *at, *colon;
    size_t end = has_past(w) ? past_end(w, *at) : *at;

    if (end == *at)
        return H_OTHER;
    colon = memchr(b, ':', end - *at);
    *at = end;
    return colon ? wspi_http_header(w->d, b, (size_t)(colon - b)) : (unsigned)H_OTHER;
}

/* Classes of numbers of lines, from 2 on, that are at most so many. */
static unsigned counts_up_to(const wspi_http_message *w, unsigned most)
{
    unsigned k = 2, m = wspi_proto_of(w->c->pay.app)->fields[AGAIN].mantissa;

    while (wspi_bin_start(k + 1, m) <= most + 1)
        k++;
    return k - 2;
}

unsigned wspi_http_again(wspi_http_message *w, unsigned most)
{
    const uint8_t *name = w->c->ctx->name;
    unsigned n = w->c->enc && has_past(w) ? count_again(w) : 0;
    size_t end, line;

    wspi_app_only(w->c, 2, counts_up_to(w, most));
    n = (unsigned)wspi_app_code(w->c, AGAIN, true, 0, n);
    wspi_app_require(w->c, n == 0 || has_past(w));
    for (unsigned i = 0; i < n && !wspi_app_stopped(w->c); i++) {
        unsigned k;
        line = w->c->pay.at;
        end = w->past;
        k = wspi_http_past(w, &end);
        wspi_http_note(w, k);
        wspi_app_require(w->c, end != w->past);
        if (wspi_app_stopped(w->c))
            break;
        wspi_line_literal(w->c, (const char *)name + w->past, end - w->past);
        w->form = form_of(name + w->past, end - w->past);
        w->past = end;
        wspi_http_mark(w, k, line, true);
        wspi_http_remember(w, w->d->n_headers, line);
    }
    return n;
}

/* The line of header k of a request is complete. Its program's name is long: the others may give way to it. */
void wspi_http_remember(wspi_http_message *w, unsigned k, size_t line)
{
    wspi_coder *c = w->c;

    if (k == w->d->agent && w->head && c->pay.at - w->head > w->d->memory)
        w->head = line;
    if (!(w->mode & ANSWER) && w->head && c->pay.at - w->head <= w->d->memory) {
        c->name_at = w->head;
        c->name_len = (uint16_t)(c->pay.at - w->head);
    }
}

/* ---- samples: Basic authentication (RFC 7617 2) and ranges, made up whole; tokens spell how they begin ---- */

static char letter(wspi_rng *r)
{
    return (char)('a' + wspi_rng_u64(r) % 26);
}

/* User and password with a colon between them, in base64 (RFC 4648 4) of n bytes: a multiple of four. */
static void make_login(char *b, size_t n, wspi_rng *r)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    size_t colon = 1 + (size_t)wspi_rng_below(r, n / 4 * 3 - 2);

    for (size_t i = 0; i < n; i += 4) {
        uint32_t v = 0;
        for (size_t k = 0; k < 3; k++)
            v = v << 8 | (uint8_t)(i / 4 * 3 + k == colon ? ':' : letter(r));
        for (size_t k = 0; k < 4; k++)
            b[i + k] = digits[v >> (18 - 6 * k) & 63];
    }
}

static void make_realm(char *b, size_t n, wspi_rng *r)
{
    static const char begin[] = "realm=\"";

    for (size_t i = 0; i < n; i++)
        b[i] = i + 1 < sizeof begin ? begin[i] : i + 1 == n ? '"' : letter(r);
}

/*
 * RFC 9110 14.1.2: a range from somewhere on, or up to somewhere further than samples are long, so that their file may end before. n
 * bytes of digits with a hyphen behind or among them.
 */
static void make_range(char *b, size_t n, wspi_rng *r)
{
    enum { LAST = 6 }; /* least digits of an end, behind up to four of a beginning */
    size_t from = n > LAST + 1 ? 1 + (size_t)wspi_rng_below(r, WSPI_MIN(n - LAST - 1, 4u)) : n - 1;

    for (size_t i = 0; i < n; i++)
        b[i] = (char)('0' + wspi_rng_below(r, 10));
    b[from] = '-';
    if (from > 1 && b[0] == '0')
        b[0] = '1';
    if (from + 1 < n && b[from + 1] == '0')
        b[from + 1] = '9';
}

typedef struct made_up {
    size_t least, most;
    void (*make)(char *b, size_t n, wspi_rng *r);
} made_up;

enum { MADE_UP_MOST = 63 };
static const made_up a_login = {12, MADE_UP_MOST, make_login},
                     a_realm = {8, MADE_UP_MOST, make_realm}, a_range = {2, 15, make_range};

/* How the value is made up whole, or NULL. */
static const made_up *made_up_of(const wspi_http_message *w, const wspi_http_row *r)
{
    size_t k = (size_t)(r - w->d->rows);

    if (!w->c->fill || r->shape)
        return NULL;
    return k == w->d->login                         ? &a_login
           : k == w->d->realm                       ? &a_realm
           : w->d->rules && k == w->d->rules->range ? &a_range
                                                    : NULL;
}

/* Samples: n bytes, of which tokens of the model's choice spell as many as they do of other values of the header. */
static void given_text(wspi_http_message *w, const wspi_http_row *r, const char *b, size_t n)
{
    size_t shown = WSPI_MIN(WSPI_MIN(r->shown, n), w->budget);

    w->budget -= shown;
    wspi_text_given(w->c, (const uint8_t *)b, shown);
    for (size_t i = shown; i < n; i++)
        wspi_app_put(w->c, 1, (uint8_t)b[i]);
}

static void made_up_text(wspi_http_message *w, const wspi_http_row *r, const made_up *as, size_t n)
{
    char b[MADE_UP_MOST];

    as->make(b, n, &w->c->rng);
    given_text(w, r, b, n);
}

/* ---- values: a token when it is a common one, nothing when it is implied, else its length and text ---- */

/*
 * The common beginning of a value of n bytes, or the value of the request; how many of them are left. Samples: a response
 * has something behind the request's value where it is TAGGED.
 */
static bool prefix_of(wspi_http_message *w, const wspi_http_row *r, const uint8_t *last, size_t len,
                      size_t *n)
{
    wspi_coder *c = w->c;
    const wspi_http_dialect *d = w->d;
    bool echo = last && w->mode & ANSWER, tag = echo && r->flags & TAGGED, must;
    uint64_t k = ABSENT;

    if (r->flags & BARE)
        return false;
    if (c->enc && *n != NO_LEN)
        k = echo && *n > len && memcmp(wspi_app_here(w->c), last, len) == 0
                ? d->n_prefixes
                : wspi_http_prefix(d, wspi_app_here(w->c), *n);
    must = tag ? c->fill != NULL
               : !last && wspi_asked(c) &&
                     (made_up_of(w, r) || (r->kind == K_WHO && r->shape && r->n_begins));
    wspi_app_only(c, tag ? d->n_prefixes : r->begins, tag ? 1 : r->n_begins);
    k = wspi_app_code(c, PREFIX, !must, ABSENT, k);
    if (wspi_app_stopped(w->c) || k > d->n_prefixes || (k == d->n_prefixes && !echo))
        return false;
    if (k < d->n_prefixes) {
        last = (const uint8_t *)d->prefixes[k].name;
        len = strlen(d->prefixes[k].name);
    }
    wspi_line_literal(w->c, (const char *)last, len);
    *n -= c->enc ? len : 0;
    return true;
}

/* Samples: classes of lengths that a value may have, from *from on. One label of a host's name has at most 63 bytes. */
static unsigned spelled_lengths(const wspi_http_message *w, const wspi_http_row *r, unsigned f,
                                unsigned *from)
{
    unsigned m = wspi_proto_of(w->c->pay.app)->fields[f].mantissa;
    bool host = r == w->d->rows + w->d->host;
    const made_up *as = made_up_of(w, r);

    *from = host ? 4 : f == VALUE ? 1 : 2;
    if (as) {
        *from = wspi_bin(as->least, m);
        return wspi_bin(as->most, m) + 1 - *from;
    }
    if ((r->count && !(r->flags & SPELT)) || r->kind > K_WHO)
        return 0;
    return wspi_bin(host ? 47 : f == VALUE ? 255 : 511, m) + 1 - *from;
}

static enum wspi_text_class class_of(const wspi_http_message *w, const wspi_http_row *r)
{
    if (r == w->d->rows + w->d->host)
        return WSPI_TEXT_NAME;
    if (r->kind == K_LIST)
        return WSPI_TEXT_LIST;
    return r->kind == K_WHO || w->form & NO_SPACE ? WSPI_TEXT_WORD : WSPI_TEXT_LINE;
}

/* false: it is implied, which it can be where a length says so to nobody. last: the value that it may begin with, or NULL. */
static bool spelled(wspi_http_message *w, const wspi_http_row *r, const uint8_t *last, size_t len,
                    size_t n, bool implied)
{
    unsigned f = r->kind == K_WHO ? IDENTITY : VALUE, count, from;
    bool prefix = prefix_of(w, r, last, len, &n);
    const made_up *as = made_up_of(w, r);
    const char *shape = prefix && r->flags & TAGGED ? ";tag=%" : r->shape;

    implied = !prefix && implied;
    count = spelled_lengths(w, r, f, &from);
    if (shape) {
        from = wspi_http_shortest(w, f, shape);
        count = implied && w->mode & ANSWER ? 0 : f == VALUE ? VALUES_SAMPLED : LENGTHS_SAMPLED;
    }
    if (as && !prefix)
        count = 0;
    n = wspi_http_length(w, f, implied, n, from, count);
    if (wspi_app_stopped(w->c) || (implied && n == NO_LEN))
        return false;
    if (as == &a_login)
        n -= n % 4; /* classes of lengths begin with a multiple of it */
    if (shape)
        wspi_http_shaped(w, n, shape);
    else if (as && prefix && n >= as->least && n <= as->most)
        made_up_text(w, r, as, n);
    else
        wspi_http_text(w, n, r->shown, class_of(w, r));
    return true;
}

/* ---- samples: values that follow from what was said ---- */

/* The token of a beginning that the value has, which is passed; else none comes. *n: bytes of the value, then those left. */
static const char *due_beginning(wspi_http_message *w, const wspi_http_row *r, const uint8_t *last,
                                 size_t len, const char *b, size_t *n)
{
    const wspi_http_dialect *d = w->d;
    bool echo = last && w->mode & ANSWER && *n > len && memcmp(b, last, len) == 0;
    unsigned k = echo ? d->n_prefixes : wspi_http_prefix(d, (const uint8_t *)b, *n);

    if (r->flags & BARE)
        return b;
    wspi_app_only(w->c, k, k != ABSENT);
    (void)wspi_app_code(w->c, PREFIX, k == ABSENT, ABSENT, k);
    if (k == ABSENT)
        return b;
    len = echo ? len : strlen(d->prefixes[k].name);
    wspi_line_literal(w->c, b, len);
    *n -= len;
    return b + len;
}

/* The n bytes at b: nothing tells of them where they are those of the last request. */
static void due_value(wspi_http_message *w, const wspi_http_row *r, const uint8_t *last, size_t len,
                      const char *b, size_t n)
{
    unsigned f = r->kind == K_WHO ? IDENTITY : VALUE,
             m = wspi_proto_of(w->c->pay.app)->fields[f].mantissa;
    bool implied = last && n == len && memcmp(b, last, n) == 0;
    size_t told;

    if (implied) {
        wspi_app_only(w->c, 0, 0);
        if (!(r->flags & BARE))
            (void)wspi_app_code(w->c, PREFIX, true, ABSENT, ABSENT);
    } else {
        b = due_beginning(w, r, last, len, b, &n);
    }
    told = wspi_http_length(w, f, implied, implied ? NO_LEN : n, wspi_bin(n, m), !implied);
    if (!wspi_app_stopped(w->c) && !implied && wspi_bin(told, m) != wspi_bin(n, m))
        wspi_http_text(w, told, r->shown, class_of(w, r)); /* a deviation */
    else if (!wspi_app_stopped(w->c))
        given_text(w, r, b, n);
}

/* What is implied: the value of the flow's last request, or the most common one. */
static void text_value(wspi_http_message *w, const wspi_http_row *r, const uint8_t *last,
                       size_t len, size_t n)
{
    const uint8_t *past = last;
    size_t past_len = len;

    if (!last && r->flags & KNOWN) {
        last = (const uint8_t *)w->d->commons[r->from].name;
        len = strlen(w->d->commons[r->from].name);
    }
    if (last && w->c->enc && n == len && memcmp(wspi_app_here(w->c), last, n) == 0)
        n = NO_LEN;
    if (!spelled(w, r, past, past_len, n, last) && !wspi_app_stopped(w->c))
        wspi_line_literal(w->c, (const char *)last, len);
}

static bool is_date(const wspi_http_row *r)
{
    return r->kind >= K_DATE && r->kind <= K_LATER;
}

/* Samples: RFC 9110 6.6.1 and 8.8.2: a message is of now, a thing up to two years older, and fresh for 12 days at most. */
static uint64_t date_of(wspi_coder *c, uint8_t kind)
{
    enum { SECOND = 1000000000, AGE = 1 << 26, FRESH = 1 << 20 };
    uint64_t now = c->p->time_ns / SECOND, r = wspi_rng_u64(&c->rng);

    return kind == K_EARLIER ? now - WSPI_MIN(now, r % AGE)
           : kind == K_LATER ? now + r % FRESH
                             : now;
}

static void date_value(wspi_http_message *w, const wspi_http_row *r, size_t n)
{
    char s[DATE_LEN + 1];
    uint64_t secs = 0;

    if (w->c->enc && n == DATE_LEN && wspi_http_date_read(wspi_app_here(w->c), &secs))
        n = NO_LEN;
    if (spelled(w, r, NULL, 0, n, true) || wspi_app_stopped(w->c))
        return;
    secs = wspi_app_code(w->c, DATE, false, 0, secs);
    if (w->c->fill && !wspi_app_stopped(w->c))
        secs = date_of(w->c, r->kind);
    wspi_http_date_write(s, (uint32_t)secs);
    wspi_line_literal(w->c, s, DATE_LEN);
}

/*
 * Samples: bytes of a body. Of a session; of one that goes on in other segments, but no further than a flow can say it before it ends;
 * of a datagram's.
 */
enum { SESSION_LEAST = 128, SESSION_MOST = 511, STREAM_MOST = 1 << 15, DATAGRAM_CLASSES = 15 };

/* RFC 9110 14.4: a part has a byte at least. */
static void keep_lengths(wspi_http_message *w)
{
    unsigned m = wspi_proto_of(w->c->pay.app)->fields[NUMBER].mantissa, from, end;
    bool part = w->mode & ANSWER && w->c->app.v[w->c->dir][STATUS] == 206;

    from = wspi_http_has_session(w) ? wspi_bin(SESSION_LEAST, m) : part;
    end = wspi_http_has_session(w)   ? wspi_bin(SESSION_MOST, m) + 1
          : wspi_app_is_stream(w->c) ? wspi_bin(STREAM_MOST - 1, m) + 1
                                     : (unsigned)DATAGRAM_CLASSES;
    wspi_app_only(w->c, from, end - from);
}

static void number_value(wspi_http_message *w, const wspi_http_row *r, size_t n)
{
    uint64_t v = w->c->enc ? wspi_http_decimal(wspi_app_here(w->c), n) : 0;
    char s[16];

    if (r->kind == K_LENGTH && (r->count == 0 || wspi_http_has_session(w)))
        keep_lengths(w);
    else
        wspi_app_only(w->c, r->from, r->count ? r->count : DATAGRAM_CLASSES);
    v = wspi_app_code(w->c, NUMBER, true, NO_NUMBER, v);
    if (v == NO_NUMBER) {
        (void)spelled(w, r, NULL, 0, n, false);
        return;
    }
    (void)snprintf(s, sizeof s, "%llu", (unsigned long long)v);
    wspi_line_literal(w->c, s, strlen(s));
    if (r->kind == K_LENGTH) {
        w->mode |= HAS_LENGTH;
        w->length = (uint32_t)WSPI_MIN(v, UINT32_MAX - 2u);
    }
}

/* The method that the number of a request names: its own, or that of the request that is answered. */
static const char *sequence_method(const wspi_http_message *w)
{
    uint64_t k = w->method;

    if (w->mode & ANSWER && (!wspi_app_last(w->c, false, START, &k) || k >= w->d->response))
        k = 0;
    return w->d->starts[WSPI_MIN(k, w->d->n_starts - 1u)].name;
}

/* Encoding: the number in front of n bytes, NO_NUMBER if they are not as told. */
static uint64_t sequence_read(const wspi_http_message *w, const char *method, size_t n)
{
    const uint8_t *b = wspi_app_here(w->c);
    size_t digits = 0, rest;

    while (digits < n && b[digits] != ' ')
        digits++;
    rest = n - digits;
    if (!(w->d->flags & METHOD_TOLD))
        return rest ? NO_NUMBER : wspi_http_decimal(b, digits);
    if (rest < 2 || !wspi_http_is(b + digits + 1, rest - 1, method))
        return NO_NUMBER;
    return wspi_http_decimal(b, digits);
}

enum {
    FIRST_SEQUENCES = 15
}; /* samples: classes of a flow's first number, from 2 on, below 2^16 */

/* RFC 3261 8.1.1.5: one more than the last request's, or that of the request that is answered, or, of samples, confirmed. */
static void sequence_value(wspi_http_message *w, const wspi_http_row *r, size_t n)
{
    wspi_coder *c = w->c;
    const char *method = sequence_method(w);
    bool answer = w->mode & ANSWER, first, same;
    uint64_t v = 0, want = 0, before;
    char s[16];

    (void)wspi_app_last(c, !answer, SEQUENCE, &want);
    first = !answer && want == 0;
    same = !first && wspi_http_confirms(w);
    before = want;
    want = want >= NO_NUMBER - 1 ? 1 : answer && want ? want : want + 1;
    if (c->enc)
        v = sequence_read(w, method, n);
    wspi_app_only(c, same ? wspi_bin(before, 0) : 2, same ? 1 : first ? FIRST_SEQUENCES : 0);
    v = wspi_app_code(c, SEQUENCE, !same, want, v);
    if (same && wspi_bin(v, 0) == wspi_bin(before, 0))
        c->app.v[c->dir][SEQUENCE] = v = before;
    if (v == NO_NUMBER) {
        (void)spelled(w, r, NULL, 0, n, false);
        return;
    }
    (void)snprintf(s, sizeof s, "%llu", (unsigned long long)v);
    wspi_line_literal(w->c, s, strlen(s));
    if (w->d->flags & METHOD_TOLD) {
        wspi_line_literal(w->c, " ", 1);
        wspi_line_literal(w->c, method, strlen(method));
    }
}

/* Encoding: the common value of n bytes, or ABSENT when it is not one, is implied or has a token as a number. */
static unsigned common_of(const wspi_http_message *w, const wspi_http_row *r, const uint8_t *last,
                          size_t len, size_t n)
{
    unsigned k;

    if (last && len == n && memcmp(wspi_app_here(w->c), last, n) == 0)
        return ABSENT;
    k = wspi_http_common(w->d, wspi_app_here(w->c), n);
    if ((!last && r->flags & KNOWN && r->from == k) || r->kind == K_SEQUENCE ||
        ((r->kind == K_NUMBER || r->kind == K_LENGTH) &&
         wspi_http_decimal(wspi_app_here(w->c), n) != NO_NUMBER))
        return ABSENT;
    return k;
}

/* The type of the body that begins at `at`: JSON, if nothing of it was left out. */
static void note_type(wspi_http_message *w, size_t at)
{
    static const char json[] = "application/json";
    const wspi_coder *c = w->c;
    const uint8_t *b = c->enc ? c->pay.in : c->pay.out->data;

    if (c->pay.at - at >= sizeof json - 1 && memcmp(b + at, json, sizeof json - 1) == 0)
        w->mode |= JSON;
}

/* The value of header k, of n bytes when encoding. */
void wspi_http_value(wspi_http_message *w, unsigned k, size_t n)
{
    wspi_coder *c = w->c;
    const wspi_http_dialect *d = w->d;
    const wspi_http_row *r = &d->rows[WSPI_MIN(k, d->n_headers)];
    size_t len = 0, at = c->pay.at;
    const uint8_t *last = k < d->n_headers ? past_value(w, k, &len) : NULL;
    char due[WSPI_HTTP_DUE];
    size_t n_due =
        c->fill && d->rules && d->rules->due && k < d->n_headers ? d->rules->due(w, k, due) : 0;
    uint64_t v = ABSENT;
    bool asked;

    if (last && c->fill && d->rules && d->rules->is_fresh && d->rules->is_fresh(w, k))
        last = NULL;
    wspi_app_require(c, !c->enc || n < NO_LEN);
    if (wspi_app_stopped(w->c))
        return;
    if (c->enc)
        v = common_of(w, r, last, len, n);
    asked = wspi_asked(c);
    wspi_app_only(c, r->from, n_due || (r->kind > K_WHO && !is_date(r)) ? 0 : r->count);
    v = wspi_app_code(c, COMMON, true, ABSENT, v);
    if (asked)
        wspi_http_keep_commons(w, k);
    if (v < d->n_commons)
        wspi_line_literal(w->c, d->commons[v].name, strlen(d->commons[v].name));
    else if (is_date(r))
        date_value(w, r, n);
    else if (r->kind == K_NUMBER || r->kind == K_LENGTH)
        number_value(w, r, n);
    else if (r->kind == K_SEQUENCE)
        sequence_value(w, r, n);
    else if (n_due)
        due_value(w, r, last, len, due, n_due);
    else
        text_value(w, r, last, len, n);
    if ((k == d->coded[0] || k == d->coded[1]) && (v == ABSENT || v == r->from))
        w->mode |= OPEN;
    if (r->kind == K_TYPE && !wspi_app_stopped(w->c))
        note_type(w, at);
    wspi_http_mark(w, k, at, false);
}
