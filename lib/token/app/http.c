/* SPDX-License-Identifier: Apache-2.0 */
/*
 * http.c: the walk of HTTP/1.0 and 1.1, and of what is written like it: SSDP, SIP, RTSP. RFC 9112 2.1, 3, 4, 5:
 * message:  start-line CRLF *( name ":" value CRLF ) CRLF [ body ]
 * request:  method SP target SP version       response:  version SP status SP [ reason ]
 * A head or body goes on in the next segments; a datagram is one message. Where the captured bytes end within a line, its value ends there and
 * no token tells of it: both sides know how many bytes there are.
 */
#include "token/app/http.h"

#include <stdio.h>

/* ---- the walk ---- */

enum { TEXT_SHOWN = 36, BODY_SHOWN = 32, BODY_SAMPLED = 512, MAX_TOKENS = 300 };
enum { JSON_LEAST = 32 };     /* bytes of JSON without a length */
enum { REASONS_SAMPLED = 6 }; /* classes of their lengths: up to 15 bytes */

static uint64_t coded_form(wspi_http_message *w, uint64_t want, uint64_t v)
{
    wspi_app_only(w->c, 0, 0);
    return wspi_app_code(w->c, FORM, true, want, v);
}

/* n bytes that may end a line, nothing of which is understood. */
static void skip(wspi_http_message *w, size_t n)
{
    wspi_app_opaque(w->c, wspi_http_length(w, VALUE, false, n, 0, 0));
    if (!wspi_line_done(w->c))
        w->mode |= IN_LINE;
}

/* ---- start line ---- */

/* Called for every payload of a flow that is not known yet: most are told by their first byte. */
static unsigned start_at(const wspi_http_dialect *d, const uint8_t *b, size_t n)
{
    const wspi_value *s = d->starts;

    if (n < 5 || !(d->words->begins[b[0]] & 1) || !(d->words->begins[b[1]] & 2))
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

/* A request line that is there says which dialect: they have methods of the same names. */
bool wspi_http_begins(const wspi_http_dialect *d, const uint8_t *b, size_t n)
{
    unsigned k = start_at(d, b, n);
    const uint8_t *lf = k == ABSENT ? NULL : memchr(b, '\n', n);
    size_t len = k == ABSENT ? 0 : strlen(d->starts[k].name) + 1, version = strlen(d->version);

    if (k == ABSENT || k >= d->response)
        return k != ABSENT && b[len] >= '1' && b[len] <= '9';
    if (!lf)
        return d == &wspi_http ||
               (n - len >= strlen(d->target) && memcmp(b + len, d->target, strlen(d->target)) == 0);
    len = (size_t)(lf - b);
    len -= len && b[len - 1] == '\r';
    len -= len && b[len - 1] == ' ' && d->flags & REPEATS;
    return len > version + d->digits &&
           memcmp(b + len - version - d->digits, d->version, version) == 0;
}

static void version_part(wspi_http_message *w)
{
    wspi_coder *c = w->c;
    const wspi_http_dialect *d = w->d;
    uint64_t k = d->n_versions, want = 0;

    if (wspi_app_stopped(w->c) || !wspi_line_more(w->c))
        return;
    for (unsigned i = 0; c->enc && i < d->n_versions; i++)
        if (wspi_app_captured(c) >= strlen(d->versions[i]) &&
            memcmp(wspi_app_here(w->c), d->versions[i], strlen(d->versions[i])) == 0)
            k = i;
    if (!wspi_app_last(c, true, VERSION_OF, &want) || want >= d->n_versions)
        want = 0;
    wspi_app_only(c, 0, d->versions_sampled);
    k = wspi_app_code(c, VERSION_OF, true, want, k);
    wspi_app_require(c, k <= d->n_versions);
    if (wspi_app_stopped(w->c))
        return;
    if (k == d->n_versions)
        skip(w, (w->line.next ? w->line.next : w->line.eol) - c->pay.at);
    else
        wspi_line_literal(w->c, d->versions[k], strlen(d->versions[k]));
}

/* Samples: a target that is known already, or one of the shape. */
static void shaped_target(wspi_http_message *w, size_t n)
{
    const wspi_http_dialect *d = w->d;
    unsigned m = wspi_proto_of(w->c->pay.app)->fields[TARGET].mantissa;
    size_t at = w->c->pay.at, known = 0;
    char due[WSPI_HTTP_DUE];
    bool must = false;

    if (w->c->fill && d->rules)
        known = d->rules->target(w, due, &must);
    n = wspi_http_length(w, TARGET, false, n,
                         must ? wspi_bin(known, m) : wspi_http_shortest(w, TARGET, d->target_shape),
                         must ? 1 : LENGTHS_SAMPLED);
    if (known && wspi_bin(known, m) == wspi_bin(n, m))
        wspi_line_literal(w->c, due, known);
    else
        wspi_http_shaped(w, n, d->target_shape);
    if (d->rules && !wspi_app_stopped(w->c))
        d->rules->noted(w, d->n_headers, at, false);
}

static void target_part(wspi_http_message *w, size_t n)
{
    const wspi_http_dialect *d = w->d;

    if (d->flags & ONE_TARGET) {
        wspi_app_only(w->c, 0, 0);
        n = (size_t)wspi_app_code(w->c, TARGET, true, 0, n);
        wspi_http_shaped(w, n, d->target_shape);
    } else if (d->target_shape) {
        shaped_target(w, n);
    } else {
        wspi_http_text(w, wspi_http_length(w, TARGET, false, n, 0, 28), 14, WSPI_TEXT_URI);
    }
}

static void request_line(wspi_http_message *w)
{
    wspi_coder *c = w->c;
    size_t n = 0, path = 0, begin = strlen(w->d->target);
    bool usual = c->enc && wspi_app_captured(c) >= begin &&
                 memcmp(wspi_app_here(w->c), w->d->target, begin) == 0;
    uint64_t f = USUAL;

    /* of one target: nothing would stand between this form and that of the next line */
    if (!(w->d->flags & ONE_TARGET))
        f = coded_form(w, USUAL, usual ? USUAL : NO_SLASH);
    wspi_app_require(c, f == USUAL || f == NO_SLASH);
    if (f == USUAL)
        wspi_line_literal(w->c, w->d->target, begin);
    if (wspi_app_stopped(w->c))
        return;
    if (c->enc) {
        w->line = wspi_line_find(w->c);
        while (c->pay.at + n < w->line.eol && wspi_app_here(w->c)[n] != ' ')
            n++;
        while (path < n && wspi_app_here(w->c)[path] != '?')
            path++;
    }
    target_part(w, path);
    path = wspi_http_length(w, QUERY, true, path < n ? n - path - 1 : NO_LEN, 1,
                            w->d->target_shape ? 0 : 14);
    if (path != NO_LEN) {
        wspi_line_literal(w->c, "?", 1);
        if (w->d->target_shape)
            wspi_http_shaped(w, path, "");
        else
            wspi_http_text(w, path, 6, WSPI_TEXT_URI);
    }
    version_part(w);
}

/* Samples: a phrase that was spelled, and is the usual one after all, would be implied. */
static void keep_from_usual(wspi_http_message *w, size_t n, const char *usual)
{
    uint8_t *b;

    if (!w->c->fill || wspi_app_stopped(w->c) || n == NO_REASON)
        return;
    b = w->c->pay.out->data + w->c->pay.out->len - n;
    if (wspi_http_is(b, n, usual))
        b[n - 1] ^= 0x20;
}

static void status_line(wspi_http_message *w)
{
    wspi_coder *c = w->c;
    const char *usual;
    uint64_t v;
    char digits[4];
    size_t n = 0;

    if (c->enc)
        w->line = wspi_line_find(w->c);
    w->form =
        (unsigned)coded_form(w, USUAL, c->enc && w->line.next == w->line.eol + 1 ? BARE_LF : USUAL);
    v = wspi_app_get(c, 3);
    v = ((v >> 16 & 255) - '0') * 100 + ((v >> 8 & 255) - '0') * 10 + (v & 255) - '0';
    wspi_app_require(c, !c->enc || (v >= 100 && v <= 999));
    wspi_app_only(c, 0, w->d->statuses_sampled);
    v = wspi_app_code(c, STATUS, false, 0, v);
    wspi_http_keep_statuses(w);
    wspi_app_require(c, v >= 100 && v <= 999 && (w->form == USUAL || w->form == BARE_LF));
    if (wspi_app_stopped(w->c))
        return;
    (void)snprintf(digits, sizeof digits, "%03u", (unsigned)v % 1000);
    if (c->enc)
        wspi_app_require(c, memcmp(wspi_app_here(w->c) - 3, digits, 3) == 0 &&
                                c->pay.at <= w->line.eol);
    for (int i = 0; i < 3; i++)
        wspi_app_put(c, 1, (uint8_t)digits[i]);
    if (w->d->flags & UNTIL_CLOSE && (v < 200 || v == 204 || v == 304))
        w->mode |= NO_BODY;
    if (!wspi_line_more(w->c))
        w->mode |= IN_LINE;
    if (wspi_app_stopped(w->c) || !wspi_line_more(w->c))
        return;
    usual = " ";
    for (const wspi_value *s = w->d->statuses; s->name; s++)
        if (s->value == v)
            usual = s->name + 3;
    if (c->enc && !wspi_http_is(wspi_app_here(w->c), w->line.eol - c->pay.at, usual))
        n = w->line.eol - c->pay.at;
    else
        n = NO_REASON;
    wspi_app_require(c, !c->enc || w->line.eol - c->pay.at < NO_REASON);
    n = wspi_http_length(w, REASON, true, n, 2, w->d->flags & UNTIL_CLOSE ? REASONS_SAMPLED : 0);
    if (n == NO_REASON)
        wspi_line_literal(w->c, usual, strlen(usual));
    else
        wspi_http_text(w, n, 8, WSPI_TEXT_REASON);
    keep_from_usual(w, n, usual);
    if (wspi_line_more(w->c))
        wspi_line_end(w->c, w->form & BARE_LF);
    else
        w->mode |= IN_LINE;
}

static bool start_line(wspi_http_message *w, bool must)
{
    wspi_coder *c = w->c;
    const wspi_http_dialect *d = w->d;
    uint64_t k = ABSENT, asked;

    if (c->enc && c->n < MAX_TOKENS)
        k = start_at(d, wspi_app_here(w->c), wspi_app_captured(c));
    wspi_app_require(c, !must || !c->enc || k != ABSENT);
    wspi_app_only(c, c->dir ? d->response : 0, c->dir ? d->answers_sampled : d->starts_sampled);
    k = wspi_app_code(c, START, !must, ABSENT, k);
    wspi_http_keep_starts(w);
    if (wspi_app_stopped(w->c) || k == ABSENT)
        return false;
    if (k >= d->n_starts) {
        wspi_app_fail(c);
        return false;
    }
    *w = (wspi_http_message){
        .c = c, .d = d, .mode = IN_HEAD, .budget = TEXT_SHOWN, .method = k, .agent = ABSENT};
    if (c->fill && d->rules)
        w->agent = wspi_http_agent(w);
    wspi_line_literal(w->c, d->starts[k].name, strlen(d->starts[k].name));
    wspi_line_literal(w->c, " ", 1);
    if (k < d->response) {
        request_line(w);
        if (!wspi_line_more(w->c) && !wspi_line_done(w->c))
            w->mode |= IN_LINE;
        w->head = c->pay.at;
        wspi_http_count(w);
        return true;
    }
    w->mode |= ANSWER;
    if (wspi_app_last(c, false, START, &asked) &&
        (asked == d->bodyless[0] || asked == d->bodyless[1]))
        w->mode |= NO_BODY;
    status_line(w);
    wspi_http_count(w);
    return true;
}

/* ---- header lines ---- */

static unsigned coded_header(wspi_http_message *w, unsigned k)
{
    unsigned base = wspi_field_base(w->c->pay.app, HEADER),
             count = wspi_field_count(w->c->pay.app, HEADER);

    k = (unsigned)wspi_app_code(w->c, HEADER, false, 0, k);
    for (unsigned i = 0; w->c->legal && w->c->need && !w->c->deviations && i < count; i++)
        if (!wspi_http_sampled(w, i))
            w->c->legal[base + i] = 0;
    if (wspi_app_stopped(w->c))
        return w->d->n_headers;
    wspi_http_note(w, k);
    return k > w->d->n_headers ? (unsigned)H_OTHER : k;
}

/* Encoding: what the line is like. *name: bytes of its name. */
static uint64_t form_of(wspi_http_message *w, size_t *name)
{
    const wspi_coder *c = w->c;
    const uint8_t *b = wspi_app_here(w->c), *colon;
    size_t n;

    if (c->pay.at == 0 && wspi_http_begins(w->d, b, c->pay.end))
        return ANEW;
    if (c->n >= MAX_TOKENS || (*b >= 0x7f || (*b < 0x20 && *b != '\r' && *b != '\n' && *b != '\t')))
        return REST;
    w->line = wspi_line_find(w->c);
    n = w->line.eol - c->pay.at;
    colon = n ? memchr(b, ':', n) : NULL;
    *name = colon ? (size_t)(colon - b) : 0;
    if (w->line.next && n == 0)
        return (w->form & NO_SPACE) | (w->line.next - w->line.eol == 1 ? BARE_LF : USUAL);
    if (*name == 0)
        return w->line.next ? RAW : CUT;
    return (*name + 1 < n && colon[1] == ' ' ? USUAL : NO_SPACE) |
           ((w->line.next ? w->line.next - w->line.eol == 1 : w->form & BARE_LF) ? BARE_LF : USUAL);
}

/* Samples: a name that was spelled, and is in the list after all, would be another header: no name there ends so. */
static void keep_from_list(wspi_http_message *w, size_t n)
{
    uint8_t *b;

    if (!w->c->fill || wspi_app_stopped(w->c))
        return;
    b = w->c->pay.out->data + w->c->pay.out->len - n;
    if (wspi_http_header(w->d, b, n) < w->d->n_headers)
        b[n - 1] = '0';
}

/* The name of a header that is not in the list. */
static void other_name(wspi_http_message *w, size_t n)
{
    n = wspi_http_length(w, NAME, false, n, 4, 6); /* samples: 4 to 31 bytes */
    wspi_http_text(w, n, 12, w->d->flags & OTHERS ? WSPI_TEXT_FIELD : WSPI_TEXT_WORD);
    keep_from_list(w, n);
}

/* A line of the head, or what stands for one; false: the head is over. */
static bool named_line(wspi_http_message *w, size_t name)
{
    wspi_coder *c = w->c;
    size_t line = c->pay.at;
    bool blank = c->enc && w->line.eol == line;
    unsigned k =
        c->enc && !blank ? wspi_http_header(w->d, wspi_app_here(w->c), name) : w->d->n_headers;

    k = coded_header(w, k);
    if (wspi_app_stopped(w->c))
        return false;
    if (k == w->d->n_headers) {
        wspi_line_end(w->c, w->form & BARE_LF);
        w->mode &= ~(unsigned)IN_HEAD;
        return false;
    }
    if (k == H_OTHER)
        other_name(w, name);
    else
        wspi_line_literal(w->c, w->d->headers[k].name, strlen(w->d->headers[k].name));
    wspi_line_literal(w->c, ": ", w->form & NO_SPACE ? 1 : 2);
    wspi_http_value(w, k, c->enc ? w->line.eol - c->pay.at : 0);
    if (wspi_app_stopped(w->c))
        return false;
    if (wspi_line_more(w->c)) {
        wspi_line_end(w->c, w->form & BARE_LF);
        wspi_http_remember(w, k, line);
    } else {
        w->mode |= IN_LINE;
        w->mode &= ~(unsigned)HAS_LENGTH;
    }
    return true;
}

/* Samples: lines that may come again, up to the first that may not. */
static unsigned may_repeat(const wspi_http_message *w)
{
    const wspi_http_rules *r = w->d->rules;
    wspi_http_message then = *w;
    size_t at = w->past;
    unsigned n = 0, k;

    for (; (k = wspi_http_past(w, &at)) < w->d->n_headers && wspi_http_sampled(&then, k); n++) {
        if (r && !r->may_repeat(&then, k))
            break;
        wspi_http_note(&then, k);
        if (r)
            r->noted(&then, k, w->c->pay.at, true);
    }
    return n;
}

/* Samples: a line of the head may follow, which may be written with a space or without. */
static bool may_turn(const wspi_http_message *w)
{
    bool any = w->form <= NO_SPACE && wspi_http_sampled(w, H_OTHER);

    for (unsigned k = 0; w->form <= NO_SPACE && !any && k < w->d->n_headers; k++)
        any = wspi_http_sampled(w, k);
    return any;
}

/* Samples of SIP and RTSP keep to one form. */
static uint64_t line_form(wspi_http_message *w, uint64_t v)
{
    bool may = w->d->mixed && !w->d->session && wspi_asked(w->c) && may_turn(w);

    wspi_app_only(w->c, w->form ^ NO_SPACE, may);
    return wspi_app_code(w->c, FORM, true, w->form, v);
}

static bool head_line(wspi_http_message *w)
{
    wspi_coder *c = w->c;
    size_t name = 0;
    uint64_t f;

    if (w->d->flags & REPEATS && wspi_http_again(w, wspi_asked(c) ? may_repeat(w) : 0))
        return true;
    f = line_form(w, c->enc ? form_of(w, &name) : 0);
    if (wspi_app_stopped(w->c))
        return false;
    if (f <= COMPACT) {
        w->turned = f != w->form;
        w->form = (unsigned)f;
        return named_line(w, name);
    }
    if (f == RAW) {
        skip(w, c->enc ? w->line.next - c->pay.at : 0);
    } else if (f == CUT || f == REST) {
        w->mode |= IN_LINE;
        if (f == REST)
            w->mode = OPEN | ANSWER;
        wspi_app_opaque(c, wspi_app_captured(c));
    } else {
        wspi_app_require(c, f == ANEW && c->pay.at == 0);
        return !wspi_app_stopped(w->c) && start_line(w, true);
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

/*
 * Samples: readers take a text that begins like XML for XML, which it would not be for long, and look for two digits behind each
 * percent sign of a form. Of the last n bytes.
 */
static void hide_from_readers(wspi_http_message *w, size_t n)
{
    uint8_t *b;

    if (!w->c->fill || wspi_app_stopped(w->c) || n == 0)
        return;
    b = w->c->pay.out->data + w->c->pay.out->len - n;
    if (n > 1 && b[0] == '<' && b[1] == '?')
        b[1] = '!';
    for (size_t i = 0; i < n; i++)
        if (b[i] == '%')
            b[i] = '&';
}

/* Samples: the text of JSON is whole in this segment; blanks go on behind it. */
static bool is_json(const wspi_http_message *w)
{
    return w->c->fill && w->mode & JSON;
}

static bool has_shape(const wspi_http_message *w)
{
    return is_json(w) || wspi_http_has_session(w);
}

static void shaped_body(wspi_http_message *w, size_t n, size_t shown)
{
    if (is_json(w))
        wspi_text_json(w->c, n, shown);
    else if (n >= strlen(w->d->session))
        wspi_http_shaped(w, n, w->d->session);
    else
        wspi_app_text(w->c, n, 0, WSPI_TEXT_BODY);
}

static size_t shape_room(const wspi_http_message *w)
{
    size_t full = WSPI_LEN_SAMPLED - WSPI_MIN(w->c->pay.at, WSPI_LEN_SAMPLED - 1u),
           n = w->mode & HAS_LENGTH ? w->length : wspi_app_left(w->c);

    return WSPI_MIN(full, WSPI_MAX(n, (size_t)JSON_LEAST));
}

/* Samples: a byte that no text has shows what it is. */
static void opaque_body(wspi_http_message *w, size_t n)
{
    wspi_app_opaque(w->c, n);
    if (!w->c->fill || wspi_app_stopped(w->c))
        return;
    hide_from_readers(w, n);
    w->c->pay.out->data[w->c->pay.out->len - n] |= 0x80;
}

/* The body's bytes in this segment; the others are counted in left. */
static void first_of_body(wspi_http_message *w)
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
        *left = w->mode & ANSWER && w->d->flags & UNTIL_CLOSE ? UINT32_MAX : 0;
    if (!(w->mode & HAS_LENGTH) && !c->fill && !wspi_app_is_stream(c))
        *left = (uint32_t)wspi_app_left(c);
    n = WSPI_MIN(*left, has_shape(w) ? shape_room(w) : wspi_app_left(c));
    if (c->fill && !wspi_app_is_stream(c)) /* a datagram is as long as what it carries */
        n = *left = WSPI_MIN(*left, (uint32_t)BODY_SAMPLED);
    if (n == 0 || wspi_app_stopped(w->c))
        return;
    shown = WSPI_MIN(n, BODY_SHOWN);
    if (!c->fill)
        shown = WSPI_MIN(shown, wspi_app_captured(c));
    wspi_app_only(c, 0, 1);
    if (!wspi_app_code(c, BODY, !(has_shape(w) && wspi_asked(c)), 0,
                       c->enc && textual(wspi_app_here(w->c), shown)))
        opaque_body(w, n);
    else if (has_shape(w))
        shaped_body(w, n, shown);
    else /* SDP says who and where at once */
        wspi_app_text(c, n, w->d->flags & REPEATS ? 0 : shown, WSPI_TEXT_BODY);
    if (*left != UINT32_MAX)
        *left -= (uint32_t)n;
}

/* ---- messages and their parts in a segment ---- */

static void blanks(wspi_http_message *w, size_t n)
{
    while (n--)
        wspi_app_put(w->c, 1, ' ');
}

/* What the last segment left open. */
static void resume(wspi_http_message *w)
{
    wspi_coder *c = w->c;
    uint32_t *left = &c->app.left[c->dir], n;
    size_t line;

    w->mode = c->app.mode[c->dir];
    w->marks = (unsigned)c->app.v[c->dir][MARKS];
    if (w->mode & IN_HEAD)
        w->length = *left - (*left > 0);
    if (*left == 0 || (w->mode & (IN_HEAD | IN_LINE)) == IN_HEAD)
        return;
    if (coded_form(w, USUAL,
                   c->enc && wspi_http_begins(w->d, c->pay.in, c->pay.end) ? ANEW : USUAL) !=
        USUAL) {
        *left = 0;
        w->mode = 0;
    } else if (w->mode & IN_LINE) {
        if (c->enc)
            w->line = wspi_line_find(w->c);
        line = c->enc ? (w->line.next ? w->line.next : w->line.eol) - c->pay.at : 0;
        w->mode &= ~(unsigned)IN_LINE;
        skip(w, line);
    } else {
        n = (uint32_t)WSPI_MIN(*left, wspi_app_left(c));
        if (is_json(w))
            blanks(w, n);
        else
            wspi_app_opaque(c, n);
        hide_from_readers(w, n);
        if (*left != UINT32_MAX)
            *left -= n;
    }
}

static void finish(wspi_http_message *w)
{
    wspi_coder *c = w->c;

    c->app.v[c->dir][MARKS] = w->marks;
    if (!wspi_app_is_stream(c)) {
        c->app.left[c->dir] = c->app.mode[c->dir] = 0;
        return;
    }
    if (w->mode & IN_HEAD && c->pay.wire > c->pay.end && !c->fill)
        w->mode = OPEN; /* bytes that were not captured: any part of the message may be next */
    if (w->mode & IN_HEAD)
        c->app.left[c->dir] = w->length + 1;
    else if (w->mode & OPEN)
        c->app.left[c->dir] = UINT32_MAX;
    c->app.mode[c->dir] = (uint8_t)(w->mode & (IN_HEAD | IN_LINE) ? w->mode
                                    : c->app.left[c->dir]         ? w->mode & JSON
                                                                  : 0);
}

/* Samples: some servers send the status alone. The segment is to be as long as that. */
static bool stands_alone(const wspi_http_message *w)
{
    const wspi_coder *c = w->c;

    return c->fill && w->d->flags & APART && w->mode & ANSWER && w->lines == 0 && c->pay.at &&
           c->pay.at == c->pay.wire;
}

void wspi_http_walk(wspi_coder *c, const wspi_http_dialect *d)
{
    wspi_http_message w = {.c = c, .d = d, .budget = TEXT_SHOWN, .agent = ABSENT};

    resume(&w);
    while (!wspi_app_stopped(w.c) && (c->fill ? c->pay.at == 0 : wspi_app_captured(c) > 0)) {
        if (!(w.mode & IN_HEAD) && !start_line(&w, c->pay.at == 0))
            break;
        while (!wspi_app_stopped(w.c) && wspi_line_more(w.c) && w.mode & IN_HEAD &&
               !stands_alone(&w))
            (void)head_line(&w);
        if (wspi_app_stopped(w.c))
            return;
        if (!(w.mode & IN_HEAD)) {
            first_of_body(&w);
            w.mode &= JSON;
        }
    }
    finish(&w);
}
