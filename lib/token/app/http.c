/* SPDX-License-Identifier: Apache-2.0 */
/*
 * http.c: HTTP/1.0 and 1.1 over TCP. RFC 9112 2.1, 3, 4, 5:
 * message:  start-line CRLF *( name ":" value CRLF ) CRLF [ body ]
 * request:  method SP target SP version       response:  version SP status SP [ reason ]
 * A head or body goes on in the next segments. Where the captured bytes end within a line, its value ends there and
 * no token tells of it: both sides know how many bytes there are.
 */
#include "token/app/http.h"

#include <stdio.h>

/* ---- the walk ---- */

enum { IN_HEAD = 1, IN_LINE = 2, OPEN = 4, NO_BODY = 8, HAS_LENGTH = 16, ANSWER = 32 };
enum { TEXT_SHOWN = 36, BODY_SHOWN = 32, BODY_SAMPLED = 512, MAX_TOKENS = 300, MAX_SAMPLED = 10 };

typedef struct walk {
    wspi_coder *c;
    unsigned mode;    /* of the message: IN_HEAD ... */
    uint32_t length;  /* of its body */
    unsigned form;    /* of the last line */
    size_t budget;    /* bytes of text that still get tokens */
    uint64_t method;  /* start of the message */
    uint64_t seen[2]; /* samples: headers that are there */
    unsigned lines;   /* samples */
    size_t head;      /* where the lines after a request's first one start, or 0 */
    size_t past;      /* in the remembered lines: behind the last one that was used */
    size_t eol,
        next; /* encoding: end of the line's contents; end of the line, 0 if it is not captured */
} walk;

static bool stopped(const walk *w)
{
    return w->c->bad || w->c->need || w->c->pay.fail;
}

/* Are there captured bytes of this segment to come? A sample's message is whole. */
static bool more(const walk *w)
{
    return w->c->fill || wspi_app_captured(w->c) > 0;
}

static const uint8_t *here(const walk *w)
{
    return w->c->pay.in + w->c->pay.at;
}

static bool is(const uint8_t *b, size_t n, const char *s)
{
    return strlen(s) == n && memcmp(b, s, n) == 0;
}

/* Encoding: the line at hand. */
static void find_line(walk *w)
{
    const uint8_t *b = here(w), *lf = NULL;
    size_t n = wspi_app_captured(w->c);

    if (n)
        lf = memchr(b, '\n', n);
    w->eol = w->c->pay.at + (lf ? (size_t)(lf - b) : n);
    w->next = lf ? w->eol + 1 : 0;
    if (lf && lf > b && lf[-1] == '\r')
        w->eol--;
}

/* Bytes that both sides know: checked or written. */
static void literal(walk *w, const char *s, size_t n)
{
    wspi_coder *c = w->c;
    uint8_t *b;

    if (stopped(w))
        return;
    if (!c->fill && wspi_app_captured(c) < n) {
        wspi_app_fail(c);
    } else if (c->enc) {
        wspi_app_require(c, memcmp(here(w), s, n) == 0);
        c->pay.at += n;
    } else {
        b = wspi_payload_room(c, n);
        if (b)
            memcpy(b, s, n);
        c->pay.at += n;
    }
}

static void end_line(walk *w)
{
    if (w->form & BARE_LF)
        literal(w, "\n", 1);
    else
        literal(w, "\r\n", 2);
}

/* A length field; want == NO_LEN: its token may be missing. */
static size_t length(walk *w, unsigned f, bool may_miss, size_t n, unsigned from, unsigned count)
{
    uint64_t none = f == REASON ? NO_REASON : NO_LEN;

    wspi_app_require(w->c, !w->c->enc || n <= none);
    wspi_app_only(w->c, from, count);
    n = (size_t)wspi_app_code(w->c, f, may_miss, none, n);
    return n;
}

static void text(walk *w, size_t n, size_t shown, enum wspi_text_class class)
{
    shown = WSPI_MIN(WSPI_MIN(shown, n), w->budget);
    if (!w->c->fill && wspi_app_captured(w->c) < n) {
        wspi_app_fail(w->c);
        return;
    }
    w->budget -= shown;
    wspi_app_text(w->c, n, shown, class);
}

static uint64_t coded_form(walk *w, uint64_t want, uint64_t v)
{
    wspi_app_only(w->c, 0, 0);
    return wspi_app_code(w->c, FORM, true, want, v);
}

/* The last byte of what was passed ends a line. */
static bool line_done(const walk *w)
{
    const wspi_coder *c = w->c;

    if (stopped(w) || c->pay.at == 0 || (!c->enc && c->pay.out->len == 0))
        return false;
    return (c->enc ? c->pay.in[c->pay.at - 1] : c->pay.out->data[c->pay.out->len - 1]) == '\n';
}

/* n bytes that may end a line, nothing of which is understood. */
static void skip(walk *w, size_t n)
{
    wspi_app_opaque(w->c, length(w, VALUE, false, n, 0, 0));
    if (!line_done(w))
        w->mode |= IN_LINE;
}

/* ---- start line ---- */

/* Called for every payload of a flow that is not known yet: most are told by their first byte. */
static unsigned start_at(const uint8_t *b, size_t n)
{
    const wspi_value *s = wspi_http_starts;

    if (n < 5 || b[0] < 'C' || b[0] > 'U' || b[1] < 'A' || b[1] > 'U')
        return ABSENT;
    for (; s->name; s++) {
        size_t len;
        if (s->name[0] != (char)b[0] || s->name[1] != (char)b[1])
            continue;
        len = strlen(s->name);
        if (n > len + 1 && b[len] == ' ' && memcmp(b, s->name, len) == 0)
            return b[len + 1] > ' ' && b[len + 1] < 0x7f ? s->value : ABSENT;
    }
    return ABSENT;
}

/* A request line that is there says HTTP: SIP and RTSP have methods of the same names. */
bool wspi_http_looks(const uint8_t *b, size_t n)
{
    unsigned k = start_at(b, n);
    const uint8_t *lf = k == ABSENT ? NULL : memchr(b, '\n', n);
    size_t len;

    if (k == ABSENT || k >= RESPONSE)
        return k != ABSENT && b[9] >= '1' && b[9] <= '9';
    if (!lf)
        return true;
    len = (size_t)(lf - b);
    len -= len && b[len - 1] == '\r';
    return len > 9 && memcmp(b + len - 9, " HTTP/1.", 8) == 0;
}

static void version_part(walk *w)
{
    wspi_coder *c = w->c;
    uint64_t k = VERSION_REST, want = 0;

    if (stopped(w) || !more(w))
        return;
    for (unsigned i = 0; c->enc && i < VERSION_REST; i++)
        if (wspi_app_captured(c) >= strlen(wspi_http_versions[i]) &&
            memcmp(here(w), wspi_http_versions[i], strlen(wspi_http_versions[i])) == 0)
            k = i;
    if (!wspi_app_last(c, true, VERSION_OF, &want) || want > 3)
        want = 0;
    wspi_app_only(c, 0, 2);
    k = wspi_app_code(c, VERSION_OF, true, want, k);
    wspi_app_require(c, k <= VERSION_REST);
    if (stopped(w))
        return;
    if (k == VERSION_REST)
        skip(w, (w->next ? w->next : w->eol) - c->pay.at);
    else
        literal(w, wspi_http_versions[k], strlen(wspi_http_versions[k]));
}

static void request_line(walk *w)
{
    wspi_coder *c = w->c;
    size_t n = 0, path = 0;
    bool slash = c->enc && more(w) && *here(w) == '/';
    uint64_t f = coded_form(w, USUAL, slash ? USUAL : NO_SLASH);

    wspi_app_require(c, f == USUAL || f == NO_SLASH);
    if (f == USUAL)
        literal(w, "/", 1);
    if (stopped(w))
        return;
    if (c->enc) {
        find_line(w);
        while (c->pay.at + n < w->eol && here(w)[n] != ' ')
            n++;
        while (path < n && here(w)[path] != '?')
            path++;
    }
    text(w, length(w, TARGET, false, path, 0, 16), 14, WSPI_TEXT_URI);
    path = length(w, QUERY, true, path < n ? n - path - 1 : NO_LEN, 1, 10);
    if (path != NO_LEN) {
        literal(w, "?", 1);
        text(w, path, 6, WSPI_TEXT_URI);
    }
    version_part(w);
}

static void status_line(walk *w)
{
    wspi_coder *c = w->c;
    const char *usual;
    uint64_t v;
    char digits[4];
    size_t n = 0;

    if (c->enc)
        find_line(w);
    w->form = (unsigned)coded_form(w, USUAL, c->enc && w->next == w->eol + 1 ? BARE_LF : USUAL);
    v = wspi_app_get(c, 3);
    v = ((v >> 16 & 255) - '0') * 100 + ((v >> 8 & 255) - '0') * 10 + (v & 255) - '0';
    wspi_app_require(c, !c->enc || (v >= 100 && v <= 999));
    wspi_app_only(c, 0, STATUSES_SAMPLED);
    v = wspi_app_code(c, STATUS, false, 0, v);
    wspi_app_require(c, v >= 100 && v <= 999 && (w->form == USUAL || w->form == BARE_LF));
    if (stopped(w))
        return;
    (void)snprintf(digits, sizeof digits, "%03u", (unsigned)v % 1000);
    if (c->enc)
        wspi_app_require(c, memcmp(here(w) - 3, digits, 3) == 0 && c->pay.at <= w->eol);
    for (int i = 0; i < 3; i++)
        wspi_app_put(c, 1, (uint8_t)digits[i]);
    if (v < 200 || v == 204 || v == 304)
        w->mode |= NO_BODY;
    if (!more(w))
        w->mode |= IN_LINE;
    if (stopped(w) || !more(w))
        return;
    usual = " ";
    for (unsigned i = 0; wspi_http_statuses[i].name; i++)
        if (wspi_http_statuses[i].value == v)
            usual = wspi_http_statuses[i].name + 3;
    if (c->enc && !is(here(w), w->eol - c->pay.at, usual))
        n = w->eol - c->pay.at;
    else
        n = NO_REASON;
    wspi_app_require(c, !c->enc || w->eol - c->pay.at < NO_REASON);
    n = length(w, REASON, true, n, 0, 0);
    if (n == NO_REASON)
        literal(w, usual, strlen(usual));
    else
        text(w, n, 8, WSPI_TEXT_ANY);
    if (more(w))
        end_line(w);
    else
        w->mode |= IN_LINE;
}

static bool start_line(walk *w, bool must)
{
    wspi_coder *c = w->c;
    uint64_t k = ABSENT, asked;

    if (c->enc && c->n < MAX_TOKENS)
        k = start_at(here(w), wspi_app_captured(c));
    wspi_app_require(c, !must || !c->enc || k != ABSENT);
    wspi_app_only(c, c->dir ? RESPONSE : 0, c->dir ? 1 : REQUESTS_SAMPLED);
    k = wspi_app_code(c, START, !must, ABSENT, k);
    if (stopped(w) || k == ABSENT)
        return false;
    if (k >= RESPONSE + 2) {
        wspi_app_fail(c);
        return false;
    }
    *w = (walk){.c = c, .mode = IN_HEAD, .budget = TEXT_SHOWN, .method = k};
    literal(w, wspi_http_starts[k].name, strlen(wspi_http_starts[k].name));
    literal(w, " ", 1);
    if (k < RESPONSE) {
        request_line(w);
        if (!more(w) && !line_done(w))
            w->mode |= IN_LINE;
        w->head = c->pay.at;
        return true;
    }
    w->mode |= ANSWER;
    if (wspi_app_last(c, false, START, &asked) && (asked == HEAD || asked == CONNECT))
        w->mode |= NO_BODY;
    status_line(w);
    return true;
}

/* ---- the first lines of the flow's last request are remembered: its values mostly come again ---- */

/* Reads the remembered line at *at and moves on; false: there is none. */
static bool past_line(const walk *w, size_t *at, const char *name, const uint8_t **value, size_t *n)
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
static const uint8_t *past_value(walk *w, unsigned k, size_t *n)
{
    const wsp_context *s = w->c->ctx;
    const uint8_t *value = NULL;
    size_t at = w->past;

    if (w->mode & ANSWER || !(wspi_http_rows[k].flags & STAYS) ||
        (s->app.id[0] != w->c->pay.app && s->app.id[1] != w->c->pay.app))
        return NULL;
    for (int round = 0; round < 2 && !value; round++, at = 0)
        while (!value && past_line(w, &at, wspi_http_headers[k].name, &value, n))
            continue;
    if (value)
        w->past = (size_t)(value + *n - s->name);
    if (value && w->past < s->name_len)
        w->past = (size_t)((const uint8_t *)memchr(s->name + w->past, '\n', s->name_len - w->past) +
                           1 - s->name);
    return value;
}

/* The line of header k of a request is complete. Its program's name is long: the others may give way to it. */
static void remember(walk *w, unsigned k, size_t line)
{
    wspi_coder *c = w->c;

    if (k == H_USER_AGENT && w->head && c->pay.at - w->head > sizeof c->ctx->name)
        w->head = line;
    if (!(w->mode & ANSWER) && w->head && c->pay.at - w->head <= sizeof c->ctx->name) {
        c->name_at = w->head;
        c->name_len = (uint16_t)(c->pay.at - w->head);
    }
}

/* ---- values: a token when it is a common one, nothing when it is implied, else its length and text ---- */

/* The common beginning of a value of n bytes; how many of them are left. */
static bool prefix_of(walk *w, const wspi_http_row *r, size_t *n)
{
    wspi_coder *c = w->c;
    size_t len;
    uint64_t k = ABSENT;

    if (c->enc && *n != NO_LEN)
        k = wspi_http_prefix(here(w), *n);
    wspi_app_only(c, 0, r == &wspi_http_rows[H_USER_AGENT] ? AGENTS_SAMPLED : 0);
    k = wspi_app_code(c, PREFIX, true, ABSENT, k);
    if (stopped(w) || k >= PREFIXES)
        return false;
    len = strlen(wspi_http_prefixes[k].name);
    literal(w, wspi_http_prefixes[k].name, len);
    *n -= c->enc ? len : 0;
    return true;
}

/* false: it is implied, which it can be where a length says so to nobody. */
static bool spelled(walk *w, const wspi_http_row *r, size_t n, bool implied)
{
    unsigned f = r->kind == K_WHO ? IDENTITY : VALUE;
    unsigned count = r->count || r->kind > K_WHO ? 0 : f == VALUE ? 12 : 4;

    implied = !prefix_of(w, r, &n) && implied;
    n = length(w, f, implied, n, 4, count);
    if (stopped(w) || (implied && n == NO_LEN))
        return false;
    text(w, n, r->shown,
         r == &wspi_http_rows[H_HOST] ? WSPI_TEXT_NAME
         : f == VALUE                 ? WSPI_TEXT_LINE
                                      : WSPI_TEXT_WORD);
    return true;
}

/* What is implied: the value of the flow's last request, or the most common one. */
static void text_value(walk *w, const wspi_http_row *r, const uint8_t *last, size_t len, size_t n)
{
    if (!last && r->flags & KNOWN) {
        last = (const uint8_t *)wspi_http_commons[r->from].name;
        len = strlen(wspi_http_commons[r->from].name);
    }
    if (last && w->c->enc && n == len && memcmp(here(w), last, n) == 0)
        n = NO_LEN;
    if (!spelled(w, r, n, last) && !stopped(w))
        literal(w, (const char *)last, len);
}

static void date_value(walk *w, const wspi_http_row *r, size_t n)
{
    char s[DATE_LEN + 1];
    uint64_t secs = 0;

    if (w->c->enc && n == DATE_LEN && wspi_http_date_read(here(w), &secs))
        n = NO_LEN;
    if (spelled(w, r, n, true) || stopped(w))
        return;
    secs = wspi_app_code(w->c, DATE, false, 0, secs);
    wspi_http_date_write(s, (uint32_t)secs);
    literal(w, s, DATE_LEN);
}

static void number_value(walk *w, const wspi_http_row *r, size_t n)
{
    uint64_t v = w->c->enc ? wspi_http_decimal(here(w), n) : 0;
    char s[16];

    wspi_app_only(w->c, 0, 15);
    v = wspi_app_code(w->c, NUMBER, true, NO_NUMBER, v);
    if (v == NO_NUMBER) {
        (void)spelled(w, r, n, false);
        return;
    }
    (void)snprintf(s, sizeof s, "%llu", (unsigned long long)v);
    literal(w, s, strlen(s));
    if (r->kind == K_LENGTH) {
        w->mode |= HAS_LENGTH;
        w->length = (uint32_t)WSPI_MIN(v, UINT32_MAX - 2u);
    }
}

/* Encoding: the common value of n bytes, or ABSENT when it is not one, is implied or has a token as a number. */
static unsigned common_of(const walk *w, const wspi_http_row *r, const uint8_t *last, size_t len,
                          size_t n)
{
    unsigned k;

    if (last && len == n && memcmp(here(w), last, n) == 0)
        return ABSENT;
    k = wspi_http_common(here(w), n);
    if ((!last && r->flags & KNOWN && r->from == k) ||
        ((r->kind == K_NUMBER || r->kind == K_LENGTH) &&
         wspi_http_decimal(here(w), n) != NO_NUMBER))
        return ABSENT;
    return k;
}

/* The value of header k, of n bytes when encoding. */
static void value(walk *w, unsigned k, size_t n)
{
    wspi_coder *c = w->c;
    const wspi_http_row *r = &wspi_http_rows[WSPI_MIN(k, H_END)];
    size_t len = 0;
    const uint8_t *last = k < H_END ? past_value(w, k, &len) : NULL;
    uint64_t v = ABSENT;

    wspi_app_require(c, !c->enc || n < NO_LEN);
    if (stopped(w))
        return;
    if (c->enc)
        v = common_of(w, r, last, len, n);
    wspi_app_only(c, r->from, r->count);
    v = wspi_app_code(c, COMMON, true, ABSENT, v);
    if (v < COMMON_COUNT)
        literal(w, wspi_http_commons[v].name, strlen(wspi_http_commons[v].name));
    else if (r->kind == K_DATE)
        date_value(w, r, n);
    else if (r->kind == K_NUMBER || r->kind == K_LENGTH)
        number_value(w, r, n);
    else
        text_value(w, r, last, len, n);
    if ((k == H_TRANSFER || k == H_TRANSFER_2) && (v == ABSENT || v == C_CHUNKED))
        w->mode |= OPEN;
}

/* ---- header lines ---- */

/*
 * Samples: a request has a host, a response the length of its body, as else it would go on until the connection ends.
 * No line comes twice, and a length is of a request that may have a body.
 */
static bool sampled(const walk *w, unsigned k)
{
    bool asks = !w->c->dir, host = w->seen[0] >> H_HOST & 1, sized = w->seen[0] >> H_LENGTH & 1;

    if (asks && !host)
        return k == H_HOST;
    if (!asks && !sized && w->lines + 1 >= MAX_SAMPLED)
        return k == H_LENGTH;
    if (k == H_END)
        return asks || sized;
    return k < H_END && w->lines < MAX_SAMPLED && !(w->seen[k / 64] >> k % 64 & 1) &&
           wspi_http_rows[k].flags & (asks ? ASKS : ANSWERS) &&
           (!asks || (k != H_LENGTH && k != H_TYPE) || w->method == POST || w->method == PUT);
}

static unsigned coded_header(walk *w, unsigned k)
{
    unsigned base = wspi_field_base(w->c->pay.app, HEADER),
             count = wspi_field_count(w->c->pay.app, HEADER);

    k = (unsigned)wspi_app_code(w->c, HEADER, false, 0, k);
    for (unsigned i = 0; w->c->legal && w->c->need && !w->c->deviations && i < count; i++)
        if (!sampled(w, i))
            w->c->legal[base + i] = 0;
    if (stopped(w))
        return H_END;
    if (k < H_END)
        w->seen[k / 64] |= UINT64_C(1) << k % 64;
    w->lines++;
    return k > H_END ? H_OTHER : k;
}

/* Encoding: what the line is like. *name: bytes of its name. */
static uint64_t form_of(walk *w, size_t *name)
{
    const wspi_coder *c = w->c;
    const uint8_t *b = here(w), *colon;
    size_t n;

    if (c->pay.at == 0 && wspi_http_looks(b, c->pay.end))
        return ANEW;
    if (c->n >= MAX_TOKENS || (*b >= 0x7f || (*b < 0x20 && *b != '\r' && *b != '\n' && *b != '\t')))
        return REST;
    find_line(w);
    n = w->eol - c->pay.at;
    colon = n ? memchr(b, ':', n) : NULL;
    *name = colon ? (size_t)(colon - b) : 0;
    if (w->next && n == 0)
        return (w->form & NO_SPACE) | (w->next - w->eol == 1 ? BARE_LF : USUAL);
    if (*name == 0)
        return w->next ? RAW : CUT;
    return (*name + 1 < n && colon[1] == ' ' ? USUAL : NO_SPACE) |
           ((w->next ? w->next - w->eol == 1 : w->form & BARE_LF) ? BARE_LF : USUAL);
}

/* A line of the head, or what stands for one; false: the head is over. */
static bool named_line(walk *w, size_t name)
{
    wspi_coder *c = w->c;
    size_t line = c->pay.at;
    bool blank = c->enc && w->eol == line;
    unsigned k = c->enc && !blank ? wspi_http_header(here(w), name) : H_END;

    k = coded_header(w, k);
    if (stopped(w))
        return false;
    if (k == H_END) {
        end_line(w);
        w->mode &= ~(unsigned)IN_HEAD;
        return false;
    }
    if (k == H_OTHER)
        text(w, length(w, NAME, false, name, 0, 0), 12, WSPI_TEXT_WORD);
    else
        literal(w, wspi_http_headers[k].name, strlen(wspi_http_headers[k].name));
    literal(w, ": ", w->form & NO_SPACE ? 1 : 2);
    value(w, k, c->enc ? w->eol - c->pay.at : 0);
    if (stopped(w))
        return false;
    if (more(w)) {
        end_line(w);
        remember(w, k, line);
    } else {
        w->mode |= IN_LINE;
        w->mode &= ~(unsigned)HAS_LENGTH;
    }
    return true;
}

static bool head_line(walk *w)
{
    wspi_coder *c = w->c;
    size_t name = 0;
    uint64_t f = coded_form(w, w->form, c->enc ? form_of(w, &name) : 0);

    if (stopped(w))
        return false;
    if (f <= COMPACT) {
        w->form = (unsigned)f;
        return named_line(w, name);
    }
    if (f == RAW) {
        skip(w, c->enc ? w->next - c->pay.at : 0);
    } else if (f == CUT || f == REST) {
        w->mode |= IN_LINE;
        if (f == REST)
            w->mode = OPEN | ANSWER;
        wspi_app_opaque(c, wspi_app_captured(c));
    } else {
        wspi_app_require(c, f == ANEW && c->pay.at == 0);
        return !stopped(w) && start_line(w, true);
    }
    return w->mode & IN_HEAD;
}

/* ---- body ---- */

static bool textual(const uint8_t *b, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if ((b[i] < 0x20 || b[i] > 0x7e) && b[i] != '\r' && b[i] != '\n' && b[i] != '\t')
            return false;
    return n > 0;
}

/* The body's bytes in this segment; the others are counted in left. */
static void first_of_body(walk *w)
{
    wspi_coder *c = w->c;
    uint32_t *left = &c->app.left[c->dir];
    size_t n, shown;

    if (w->mode & NO_BODY)
        *left = 0;
    else if (w->mode & OPEN)
        *left = UINT32_MAX;
    else if (w->mode & HAS_LENGTH)
        *left = w->length;
    else
        *left = w->mode & ANSWER && !c->fill ? UINT32_MAX : 0;
    if (c->fill)
        *left = WSPI_MIN(*left, (uint32_t)BODY_SAMPLED);
    n = c->fill ? *left : WSPI_MIN(*left, wspi_app_left(c));
    if (n == 0 || stopped(w))
        return;
    shown = WSPI_MIN(n, BODY_SHOWN);
    if (!c->fill)
        shown = WSPI_MIN(shown, wspi_app_captured(c));
    if (wspi_app_code(c, BODY, true, 0, c->enc && textual(here(w), shown)))
        wspi_app_text(c, shown, shown, WSPI_TEXT_LINE);
    else
        shown = 0;
    wspi_app_opaque(c, n - shown);
    if (*left != UINT32_MAX)
        *left -= (uint32_t)n;
}

/* ---- messages and their parts in a segment ---- */

/* What the last segment left open. */
static void resume(walk *w)
{
    wspi_coder *c = w->c;
    uint32_t *left = &c->app.left[c->dir], n;
    size_t line;

    w->mode = c->app.mode[c->dir];
    if (w->mode & IN_HEAD)
        w->length = *left - (*left > 0);
    if (*left == 0 || (w->mode & (IN_HEAD | IN_LINE)) == IN_HEAD)
        return;
    if (coded_form(w, USUAL, c->enc && wspi_http_looks(c->pay.in, c->pay.end) ? ANEW : USUAL) !=
        USUAL) {
        *left = 0;
        w->mode = 0;
    } else if (w->mode & IN_LINE) {
        if (c->enc)
            find_line(w);
        line = c->enc ? (w->next ? w->next : w->eol) - c->pay.at : 0;
        w->mode &= ~(unsigned)IN_LINE;
        skip(w, line);
    } else {
        n = (uint32_t)WSPI_MIN(*left, wspi_app_left(c));
        wspi_app_opaque(c, n);
        if (*left != UINT32_MAX)
            *left -= n;
    }
}

static void finish(walk *w)
{
    wspi_coder *c = w->c;

    if (w->mode & IN_HEAD && c->pay.wire > c->pay.end && !c->fill)
        w->mode = OPEN; /* bytes that were not captured: any part of the message may be next */
    if (w->mode & IN_HEAD)
        c->app.left[c->dir] = w->length + 1;
    else if (w->mode & OPEN)
        c->app.left[c->dir] = UINT32_MAX;
    c->app.mode[c->dir] = (uint8_t)(w->mode & (IN_HEAD | IN_LINE) ? w->mode : 0);
}

static void walk_segment(wspi_coder *c)
{
    walk w = {.c = c, .budget = TEXT_SHOWN};

    resume(&w);
    while (!stopped(&w) && (c->fill ? c->pay.at == 0 : wspi_app_captured(c) > 0)) {
        if (!(w.mode & IN_HEAD) && !start_line(&w, c->pay.at == 0))
            break;
        while (!stopped(&w) && more(&w) && w.mode & IN_HEAD)
            (void)head_line(&w);
        if (stopped(&w))
            return;
        if (!(w.mode & IN_HEAD)) {
            first_of_body(&w);
            w.mode = 0;
        }
    }
    finish(&w);
}

const wspi_app wspi_app_http = {
    .proto = {.name = "http", .fields = wspi_http_fields, .n_fields = PREFIX + 1},
    .over = WSPI_OVER_TCP,
    .looks = wspi_http_looks,
    .walk = walk_segment,
    .ports = {80, 8080, 8000, 3128},
    .ports_only =
        true, /* on other ports: readers take what follows on the connection for HTTP too */
};
