/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ber.c: the walk over messages in BER and DER (X.690): | identifier | length | contents |, with contents that are elements
 * again. Which ones there are say the tables of the protocols (ber.h).
 */
#include "token/app/ber_head.h"

enum { MAX_MESSAGES = 12, MAX_SAMPLED = 3, OTHER = 255, TIME_LEN = 15 };

typedef struct walk {
    wspi_coder *c;
    const wspi_ber_message *m;
    unsigned form, depth;
} walk;

/* The heads of an element and of the explicit tag around it, and where its contents end; when encoding. */
typedef struct spot {
    wspi_ber_head outer, inner;
    size_t end;
} spot;

/* An element that is under way: where its contents begin. */
typedef struct span {
    uint8_t tag, width;
    size_t at, end;
} span;

/* ---- forms ---- */

static unsigned form_of(const wspi_coder *c, const wspi_ber_head *h)
{
    size_t n = 1 + h->width + h->len;
    unsigned f = c->app.mode[c->dir], forms;

    if (n > wspi_app_captured(c))
        return WSPI_FORM_PART;
    forms = wspi_ber_survey(c->pay.in + c->pay.at, n, WSPI_BER_DEPTH);
    if (f > WSPI_FORM_MIXED || !(forms >> f & 1))
        for (f = 0; !(forms >> f & 1);)
            f++;
    return f;
}

/* ---- what is there: encoding ---- */

static const wspi_field *field_of(const walk *w, unsigned f)
{
    return &wspi_proto_of(w->c->pay.app)->fields[f];
}

static uint64_t signed_of(uint64_t v, unsigned bits)
{
    return bits < 64 && v >> (bits - 1) & 1 ? v | UINT64_MAX << bits : v;
}

static uint64_t number_at(const uint8_t *b, size_t n)
{
    return signed_of(wspi_load_be(b, n), (unsigned)(8 * n));
}

/* What the field can hold: ENUM 32 bits with a sign, MAG what is not negative, FREE all. */
static bool integer_fits(const walk *w, const wspi_ber *r, const uint8_t *b, size_t n)
{
    const wspi_field *d = field_of(w, r->field);
    uint64_t v;

    if (n == 0 || n > 8 || (w->form != WSPI_FORM_MIXED && !wspi_ber_minimal(b, n)))
        return false;
    v = number_at(b, n);
    if (d->kind == WSPI_K_MAG)
        return v >> d->width == 0;
    return d->width == 64 || signed_of(v & (((uint64_t)1 << d->width) - 1), d->width) == v;
}

static bool time_fits(const uint8_t *b, size_t n)
{
    for (size_t i = 0; i + 1 < n; i++)
        if (b[i] < '0' || b[i] > '9')
            return false;
    return n == TIME_LEN && b[n - 1] == 'Z';
}

static const wspi_ber *alternative(const wspi_ber *r, uint8_t tag)
{
    for (r = r->in; r->kind != WSPI_BER_END; r++)
        if (r->tag == tag)
            return r;
    return NULL;
}

static bool contents_fit(const walk *w, const wspi_ber *r, const wspi_ber_head *h, const uint8_t *b)
{
    if (r && r->kind == WSPI_BER_CHOICE)
        r = alternative(r, h->tag);
    if (!r)
        return true; /* opaque */
    if (r->kind == WSPI_BER_INT)
        return integer_fits(w, r, b, h->len);
    if (r->kind == WSPI_BER_BITS)
        return h->len == 5 && b[0] == 0;
    if (r->kind == WSPI_BER_TIME)
        return time_fits(b, h->len);
    if (r->kind == WSPI_BER_FIXED || r->kind == WSPI_BER_OCTET)
        return h->len == (r->kind == WSPI_BER_OCTET ? 1 : r->max);
    return r->kind >= WSPI_BER_INT || w->depth < WSPI_BER_DEPTH;
}

/* A head that is whole, and written as the message's lengths are; *at moves to its contents. */
static bool head_fits(const walk *w, size_t *at, size_t end, wspi_ber_head *h)
{
    if (*at >= end || !wspi_ber_peek(w->c->pay.in + *at, end - *at, h) ||
        h->len > end - *at - 1 - h->width)
        return false;
    *at += 1u + h->width;
    return w->form == WSPI_FORM_MIXED || h->width == wspi_ber_width(w->form, h->tag, h->len);
}

/* Is what comes next, before `end`, an element as the row says? */
static bool fits(const walk *w, const wspi_ber *r, size_t end, spot *s)
{
    size_t at = w->c->pay.at;

    if (r->outer) {
        if (!head_fits(w, &at, end, &s->outer) || s->outer.tag != r->outer)
            return false;
        end = at + s->outer.len;
    }
    if (!head_fits(w, &at, end, &s->inner) ||
        (r->kind != WSPI_BER_CHOICE && s->inner.tag != r->tag))
        return false;
    s->end = at + s->inner.len;
    return (!r->outer || s->end == end) && contents_fit(w, r, &s->inner, w->c->pay.in + at);
}

/* ---- tokens of the walk itself ---- */

static unsigned element_base(const walk *w)
{
    return wspi_field_base(w->c->pay.app, w->m->element);
}

/* The token of a row, if it is present. */
static bool row_token(walk *w, unsigned token, bool present, bool deviates)
{
    wspi_coder *c = w->c;
    unsigned k = 0;

    if (wspi_app_stopped(c))
        return false;
    if (c->spans && present)
        wspi_spans_field(c->spans, c->pay.app, w->m->element, c->pay.at, token);
    return wspi_may(c, element_base(w) + token, 1, c->enc && present, deviates, &k);
}

/* Tokens of field f that samples may have, by the row. */
static void only_sampled(const walk *w, const wspi_ber *r)
{
    uint8_t from = r->from[w->c->dir], count = r->count[w->c->dir];

    if (r->sampled)
        r->sampled(w->c, &from, &count);
    wspi_app_only(w->c, from, count);
}

/* Grammar: takes back what samples do not have of field f. */
static void bar(walk *w, const wspi_ber *r, unsigned f)
{
    wspi_coder *c = w->c;
    unsigned base = wspi_field_base(c->pay.app, f), n = wspi_field_count(c->pay.app, f);

    for (const uint8_t *k = r->barred; k && *k != OTHER && wspi_asked(c); k++)
        c->legal[base + *k] = 0;
    for (unsigned k = 0; r->may && k < n && wspi_asked(c); k++)
        if (!r->may(c, k))
            c->legal[base + k] = 0;
}

static void opaque(walk *w, const wspi_ber *r, size_t n)
{
    if (w->c->fill && r && r->make && !wspi_app_stopped(w->c))
        r->make(w->c, n);
    else
        wspi_app_opaque(w->c, n);
}

/* The rest, in the place of which the row stands. */
static void opaque_to(walk *w, const wspi_ber *r, size_t end)
{
    wspi_coder *c = w->c;

    if (r)
        only_sampled(w, r);
    opaque(w, r, (size_t)wspi_app_code(c, w->m->length, false, 0, c->enc ? end - c->pay.at : 0));
}

/* ---- lengths ---- */

/* `told`: the tag is passed already. */
static span open_element(walk *w, bool told, uint8_t tag, const wspi_ber_head *h)
{
    wspi_coder *c = w->c;
    span s = {.tag = tag, .width = h->width};

    (void)wspi_app_get(c, h->width + (told ? 0u : 1u));
    if (!told)
        wspi_app_put(c, 1, tag);
    wspi_app_put(c, 1, 0);
    s.at = c->pay.at;
    s.end = s.at + h->len;
    if (c->spans && !wspi_app_stopped(c))
        wspi_spans_length(c->spans, c->pay.app, s.at - h->width, h->width, s.end);
    if (w->form == WSPI_FORM_MIXED && !c->fill)
        s.width = (uint8_t)wspi_residual(c, WSPI_R_NONE, 1, s.width);
    return s;
}

/* Room for the octets of a length beyond the first, in what is written already. */
static bool insert(wspi_coder *c, size_t at, size_t n)
{
    static const uint8_t zeros[4];
    wspi_buf *out = c->pay.out;

    if (out->len != c->pay.at || at > out->len || (!c->fill && wspi_app_captured(c) < n) ||
        wspi_buf_add(out, zeros, n) < 0)
        return false;
    memmove(out->data + at + n, out->data + at, out->len - n - at);
    c->pay.at += n;
    if (c->name_len && c->name_at >= at)
        c->name_at += n;
    return true;
}

static void close_element(walk *w, const span *s)
{
    wspi_coder *c = w->c;
    size_t len = c->pay.at - s->at;
    unsigned width = s->width;
    uint64_t octets;

    if (wspi_app_stopped(c))
        return;
    if (c->enc) {
        wspi_app_require(c, c->pay.at == s->end);
        return;
    }
    if (w->form != WSPI_FORM_MIXED || c->fill)
        width = wspi_ber_width(w->form, s->tag, len);
    if (!wspi_ber_width_fits(width, len) || !insert(c, s->at, width - 1)) {
        c->bad = true;
        return;
    }
    octets = wspi_ber_octets(width, len);
    for (unsigned i = 0; i < width; i++)
        c->pay.out->data[s->at - 1 + i] = (uint8_t)(octets >> 8 * (width - 1 - i));
}

/* ---- contents ---- */

static bool element(walk *w, const wspi_ber *r, size_t end);
static void value(walk *w, const wspi_ber *r, const spot *s);

static void sequence(walk *w, const wspi_ber *r, size_t end)
{
    for (r = r->in; r->kind != WSPI_BER_END; r++)
        if (!element(w, r, end))
            return;
    if (row_token(w, r->token, w->c->pay.at < end, true))
        opaque_to(w, r, end);
}

static void list(walk *w, const wspi_ber *r, size_t end)
{
    wspi_coder *c = w->c;
    const wspi_ber *last = &r->in[1];
    unsigned n = 0, least = r->min, most = r->most ? r->most : MAX_SAMPLED;
    bool asked, ends = !last->flags;
    spot s = {.end = 0};

    for (; n < r->max && !wspi_app_stopped(c); n++) {
        if (r->each)
            r->each(c, n, &least, &most);
        if (row_token(w, r->in->token, c->enc && fits(w, r->in, end, &s), n >= most)) {
            value(w, r->in, &s);
            continue;
        }
        if (n < WSPI_MAX(least, 1) && wspi_asked(c))
            c->need = true; /* samples have no empty lists */
        break;
    }
    asked = wspi_asked(c);
    ends = ends || n < r->max || (r->each && most <= r->max);
    if (row_token(w, last->token, c->pay.at < end, ends))
        opaque_to(w, last, end);
    else if (asked && !ends && least > r->max)
        c->need = true;
}

/* Of lists in lists every end is told: else an element of the outer one would be taken for one of the inner one. */
static void nest(walk *w, const wspi_ber *r, size_t end)
{
    enum { MORE, ENDS, REST };
    wspi_coder *c = w->c;
    unsigned base = element_base(w) + r->in->token, k;
    spot s = {.end = 0};

    for (unsigned n = 0; !wspi_app_stopped(c); n++) {
        k = c->enc && c->pay.at == end                        ? ENDS
            : c->enc && n < r->max && fits(w, r->in, end, &s) ? MORE
                                                              : REST;
        k = wspi_must(c, base, 3, k);
        if (wspi_asked(c) && c->need && !(r->make && n >= r->max))
            c->legal[base + REST] = 0;
        if (wspi_asked(c) && c->need && (n == 0 || n >= r->max))
            c->legal[base + (n ? MORE : ENDS)] = 0;
        if (wspi_app_stopped(c) || k == ENDS)
            return;
        if (k == REST) {
            opaque_to(w, r, end);
            return;
        }
        value(w, r->in, &s);
    }
}

/* What a field is expected to be; false: nothing. */
static bool predicted(const walk *w, const wspi_ber *r, uint64_t *want)
{
    const wspi_coder *c = w->c;
    bool mine = c->ctx->app.id[c->dir] == c->pay.app,
         theirs = c->ctx->app.id[!c->dir] == c->pay.app;
    uint64_t ours = c->app.v[c->dir][r->field], others = c->ctx->app.v[!c->dir][r->field];

    *want = r->want;
    if (r->pred == WSPI_BER_LAST)
        *want = mine ? ours : others;
    else if (r->pred == WSPI_BER_ANSWER)
        *want = c->dir && theirs ? others : ours + 1;
    return r->pred == WSPI_BER_AS || (r->pred != WSPI_BER_NEW && (mine || theirs));
}

static uint64_t coded(walk *w, const wspi_ber *r, uint64_t v)
{
    uint64_t want;
    bool known = predicted(w, r, &want);

    only_sampled(w, r);
    v = wspi_app_code(w->c, r->field, known, want, v);
    bar(w, r, r->field);
    return v;
}

static void integer(walk *w, const wspi_ber *r, size_t len)
{
    wspi_coder *c = w->c;
    const wspi_field *d = field_of(w, r->field);
    uint64_t v = signed_of(wspi_app_get(c, len), len ? (unsigned)(8 * len) : 64), want;
    bool begins = r->max && !predicted(w, r, &want);
    size_t n = 1;

    if (d->width < 64)
        v &= ((uint64_t)1 << d->width) - 1;
    v = coded(w, r, v);
    if (d->kind == WSPI_K_ENUM)
        v = signed_of(v, d->width);
    if (c->fill && d->kind == WSPI_K_FREE)
        c->app.v[c->dir][r->field] = v = r->is ? r->is(c) : begins ? 1 + v % r->max : v & INT32_MAX;
    while (n < 8 && signed_of(v & (((uint64_t)1 << 8 * n) - 1), (unsigned)(8 * n)) != v)
        n++;
    if (w->form == WSPI_FORM_MIXED && !c->fill) {
        uint64_t told = wspi_residual(c, WSPI_R_NONE, 1, len);
        wspi_app_require(c, c->enc || (told >= n && told <= 8));
        n = (size_t)told;
    }
    wspi_app_put(c, n, v);
}

static void text(walk *w, const wspi_ber *r, size_t len)
{
    size_t n = (size_t)coded(w, r, len);

    if (w->c->fill && r->make)
        opaque(w, r, n);
    else
        wspi_app_text(w->c, n, r->kind == WSPI_BER_TEXT ? r->max : 0, WSPI_TEXT_NAME);
}

static void literal(wspi_coder *c, const char *s, size_t n)
{
    for (size_t i = 0; i < n && !wspi_app_stopped(c); i++) {
        (void)wspi_app_get(c, 1);
        wspi_app_put(c, 1, (uint8_t)s[i]);
    }
}

static void word(walk *w, const wspi_ber *r, size_t len)
{
    wspi_coder *c = w->c;
    const wspi_value *is = field_of(w, r->field)->values;
    uint64_t k = 0;
    unsigned n = wspi_field_count(c->pay.app, r->field) - 1;

    while (c->enc && k < n &&
           (strlen(is[k].name) != len || memcmp(is[k].name, c->pay.in + c->pay.at, len) != 0))
        k++;
    only_sampled(w, r);
    k = wspi_app_code(c, r->field, false, 0, k < n ? k : OTHER);
    bar(w, r, r->field);
    if (wspi_app_stopped(c))
        return;
    if (k < n)
        literal(c, is[k].name, strlen(is[k].name));
    else
        wspi_app_text(c, (size_t)wspi_app_code(c, r->rest, false, 0, len), r->max, WSPI_TEXT_NAME);
}

/* The longest listed beginning of an object identifier. */
static uint64_t known_oid(const wspi_ber *r, unsigned n, const uint8_t *b, size_t len)
{
    uint64_t best = OTHER;

    for (unsigned k = 0; k < n; k++)
        if (r->oids[k].len <= len && memcmp(b, r->oids[k].bytes, r->oids[k].len) == 0 &&
            (best == OTHER || r->oids[k].len > r->oids[best].len))
            best = k;
    return best;
}

/* What follows a listed beginning. Samples: octets below 0x80, each of which is a number of its own, or those that are given. */
static void arcs(walk *w, const wspi_ber *r, uint64_t k, size_t len)
{
    enum { MOST = 7 /* bins: up to 11 bytes */ };
    wspi_coder *c = w->c;
    unsigned m = field_of(w, r->rest)->mantissa;
    uint8_t b[WSPI_BER_ARCS];
    size_t n = c->fill && r->given ? r->given(c, k, b) : SIZE_MAX, shown = WSPI_MIN(n, r->max);
    bool given = n <= sizeof b;

    wspi_app_only(c, given ? wspi_bin(n, m) : 0, given ? 1 : MOST);
    len = (size_t)wspi_app_code(c, r->rest, false, 0, len);
    if (!given || wspi_bin(len, m) != wspi_bin(n, m)) {
        wspi_app_text(c, len, r->max, WSPI_TEXT_ARCS);
        return;
    }
    wspi_text_given(c, b, shown);
    for (; shown < n; shown++)
        wspi_app_put(c, 1, b[shown]);
}

static void oid(walk *w, const wspi_ber *r, size_t len)
{
    wspi_coder *c = w->c;
    unsigned n = wspi_field_count(c->pay.app, r->field) - 1;
    uint64_t k = c->enc ? known_oid(r, n, c->pay.in + c->pay.at, len) : 0;
    size_t end = c->pay.at + len;

    only_sampled(w, r);
    k = wspi_app_code(c, r->field, false, 0, k);
    bar(w, r, r->field);
    if (wspi_app_stopped(c))
        return;
    if (k < n)
        literal(c, r->oids[k].bytes, r->oids[k].len);
    arcs(w, r, k, c->enc ? end - c->pay.at : 0);
}

static void time_of(walk *w, const wspi_ber *r)
{
    wspi_coder *c = w->c;
    uint64_t v = 0, tens = 10000000000000;

    for (size_t i = 0; i + 1 < TIME_LEN && c->enc; i++)
        v = v * 10 + (wspi_app_get(c, 1) - '0');
    v = coded(w, r, v);
    if (c->fill && r->is)
        v = r->is(c);
    wspi_app_require(c, v / tens < 10);
    for (; tens; tens /= 10)
        wspi_app_put(c, 1, '0' + v / tens % 10);
    (void)wspi_app_get(c, 1);
    wspi_app_put(c, 1, 'Z');
}

static void octets(walk *w, const wspi_ber *r, size_t n)
{
    uint64_t v = coded(w, r, wspi_app_get(w->c, n));

    wspi_app_put(w->c, n, v);
}

static void contents(walk *w, const wspi_ber *r, size_t len)
{
    size_t end = w->c->pay.at + len;

    if (!r) {
        opaque_to(w, NULL, end);
        return;
    }
    switch ((enum wspi_ber_kind)r->kind) {
    case WSPI_BER_SEQ: sequence(w, r, end); break;
    case WSPI_BER_LIST: list(w, r, end); break;
    case WSPI_BER_NEST: nest(w, r, end); break;
    case WSPI_BER_INT: integer(w, r, len); break;
    case WSPI_BER_OCTET: octets(w, r, 1); break;
    case WSPI_BER_BITS:
        literal(w->c, "", 1); /* no bit is unused */
        octets(w, r, 4);
        break;
    case WSPI_BER_OPAQUE: opaque(w, r, (size_t)coded(w, r, len)); break;
    case WSPI_BER_TEXT:
    case WSPI_BER_NAME: text(w, r, len); break;
    case WSPI_BER_WORD: word(w, r, len); break;
    case WSPI_BER_OID: oid(w, r, len); break;
    case WSPI_BER_FIXED: opaque(w, r, r->max); break;
    case WSPI_BER_TIME: time_of(w, r); break;
    case WSPI_BER_CHOICE:
    case WSPI_BER_END: wspi_app_fail(w->c); break;
    }
}

/* ---- elements ---- */

/* The tag of a choice. */
static uint8_t tag_of(walk *w, const wspi_ber *r)
{
    uint64_t tag = wspi_app_get(w->c, 1);

    only_sampled(w, r);
    tag = wspi_app_code(w->c, r->field, false, 0, tag);
    bar(w, r, r->field);
    wspi_app_put(w->c, 1, tag);
    return (uint8_t)tag;
}

static void value(walk *w, const wspi_ber *r, const spot *s)
{
    wspi_coder *c = w->c;
    bool choice = r->kind == WSPI_BER_CHOICE;
    uint8_t tag = r->tag;
    span outer = {0}, inner;

    if (w->depth == WSPI_BER_DEPTH) {
        wspi_app_fail(c);
        return;
    }
    w->depth++;
    if (r->outer)
        outer = open_element(w, false, r->outer, &s->outer);
    if (choice)
        tag = tag_of(w, r);
    inner = open_element(w, choice, tag, &s->inner);
    if (!wspi_app_stopped(c))
        contents(w, choice ? alternative(r, tag) : r, s->inner.len);
    if (r->took && !wspi_app_stopped(c))
        r->took(c, inner.at);
    close_element(w, &inner);
    if (r->outer)
        close_element(w, &outer);
    w->depth--;
}

/* The row's element of a sequence; false: the sequence ended. */
static bool element(walk *w, const wspi_ber *r, size_t end)
{
    wspi_coder *c = w->c;
    spot s = {.end = 0};
    bool optional = r->flags, there, asked = wspi_asked(c);

    if (wspi_app_stopped(c) || (r->when && !r->when(c)))
        return !wspi_app_stopped(c);
    there = c->enc && fits(w, r, end, &s);
    there = row_token(w, r->token, there == optional,
                      !(r->flags & (WSPI_BER_SAMPLED | WSPI_BER_USUAL)));
    if (asked && r->flags & WSPI_BER_USUAL && !there)
        c->need = true;
    if (there == optional) {
        value(w, r, &s);
    } else if (!optional) {
        opaque_to(w, NULL, end);
        return false;
    }
    return !wspi_app_stopped(c);
}

/* ---- messages ---- */

/* n bytes, of which those that are not here come in the next segments. */
static void opaque_here(wspi_coder *c, size_t n)
{
    size_t here = WSPI_MIN(n, wspi_app_left(c));

    wspi_app_opaque(c, here);
    if (wspi_app_is_stream(c) && !wspi_app_stopped(c))
        c->app.left[c->dir] = (uint32_t)(n - here);
}

/* The beginning of a message: first elements that are single values, the tag of a choice, then all that is here. */
static void part(walk *w, const wspi_ber_head *h)
{
    wspi_coder *c = w->c;
    const wspi_ber *r = w->m->row;
    uint64_t width, len, tag = r->kind == WSPI_BER_CHOICE ? tag_of(w, r) : wspi_app_get(c, 1);
    size_t end;
    spot s = {.end = 0};

    if (r->kind != WSPI_BER_CHOICE)
        wspi_app_put(c, 1, r->tag);
    wspi_app_require(c, !c->enc || r->kind == WSPI_BER_CHOICE || tag == r->tag);
    (void)wspi_app_get(c, h->width);
    width = wspi_residual(c, WSPI_R_NONE, 1, h->width);
    len = wspi_app_code(c, w->m->length, false, 0, h->len);
    wspi_app_require(c, wspi_ber_width_fits((unsigned)width, (size_t)len));
    if (wspi_app_stopped(c))
        return;
    wspi_app_put(c, (size_t)width, wspi_ber_octets((unsigned)width, (size_t)len));
    end = c->pay.at + (size_t)len;
    w->form = WSPI_FORM_MIXED;
    for (r = r->kind == WSPI_BER_SEQ ? r->in : NULL; r && !wspi_app_stopped(c); r++) {
        if (r->when && !r->when(c))
            continue;
        if (r->kind == WSPI_BER_CHOICE && wspi_app_captured(c))
            (void)tag_of(w, r);
        if (r->kind < WSPI_BER_INT ||
            row_token(w, r->token, c->enc && !fits(w, r, WSPI_MIN(end, c->pay.end), &s), true))
            break;
        value(w, r, &s);
    }
    wspi_app_require(c, end >= c->pay.at);
    if (wspi_app_stopped(c))
        return;
    opaque_here(c, end - c->pay.at);
}

static bool sealed_here(const wspi_coder *c)
{
    return c->enc && wspi_ber_sealed(c->pay.in + c->pay.at, wspi_app_captured(c));
}

/* Only in a flow that has had messages: a buffer alone could be anything. */
static void sealed(walk *w)
{
    wspi_coder *c = w->c;
    uint64_t n = wspi_app_get(c, 4);

    wspi_app_require(c, c->ctx->app.id[0] == c->pay.app || c->ctx->app.id[1] == c->pay.app);
    n = wspi_app_code(c, w->m->length, false, 0, n);
    wspi_app_put(c, 4, n);
    opaque_here(c, (size_t)n);
}

void wspi_ber_one(wspi_coder *c, const wspi_ber_message *m)
{
    walk w = {.c = c, .m = m};
    spot s = {.end = 0};
    bool whole = c->enc && wspi_ber_peek(c->pay.in + c->pay.at, wspi_app_captured(c), &s.inner);

    if (m->sealed && row_token(&w, m->sealed, sealed_here(c), true)) {
        sealed(&w);
        return;
    }
    wspi_app_require(c, !c->enc || whole);
    if (wspi_app_stopped(c))
        return;
    wspi_app_only(c, 0, m->forms);
    w.form = (unsigned)wspi_app_code(c, m->form, true, c->app.mode[c->dir],
                                     c->enc ? form_of(c, &s.inner) : 0);
    if (w.form == WSPI_FORM_PART) {
        part(&w, &s.inner);
        return;
    }
    wspi_app_require(c, w.form < WSPI_FORM_PART && (!c->enc || fits(&w, m->row, c->pay.end, &s)));
    if (wspi_app_stopped(c))
        return;
    c->app.mode[c->dir] = (uint8_t)w.form;
    value(&w, m->row, &s);
}

/* Is there another message behind what was coded? */
static bool more(wspi_coder *c, const wspi_ber_message *m)
{
    walk w = {.c = c, .m = m};
    wspi_ber_head h;
    bool there = false;

    if (wspi_app_stopped(c))
        return false;
    if (c->fill)
        return m->goes_on && m->goes_on(c);
    if (c->app.left[c->dir] || !wspi_app_captured(c))
        return false;
    if (c->enc)
        there = (m->sealed && sealed_here(c)) ||
                (wspi_ber_peek(c->pay.in + c->pay.at, wspi_app_captured(c), &h) &&
                 h.tag == m->row->tag);
    return !row_token(&w, m->rest, c->enc && !there, true) && !wspi_app_stopped(c);
}

bool wspi_ber_continued(wspi_coder *c)
{
    uint32_t *left = &c->app.left[c->dir];
    uint32_t n = (uint32_t)WSPI_MIN(*left, wspi_app_left(c));

    *left -= n;
    wspi_app_opaque(c, n);
    return n > 0;
}

void wspi_ber_all(wspi_coder *c, const wspi_ber_message *m)
{
    if (wspi_ber_continued(c) && !more(c, m))
        return;
    for (unsigned n = 0; n < MAX_MESSAGES && !wspi_app_stopped(c); n++) {
        wspi_ber_one(c, m);
        if (!more(c, m))
            return;
    }
}
