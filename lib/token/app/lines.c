/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lines.c: SMTP (RFC 5321), POP3 (RFC 1939), IMAP (RFC 3501, 9051) and FTP control connections (RFC 959): one walk, driven by
 * the tables of lines_words.c:
 * command: [ tag SP ] word *( SP item ) CRLF     reply: code ( SP | "-" ) *( item ) CRLF
 * A line, a mail or a literal goes on in the next segments. Where the captured bytes end within a line no token tells of
 * it: both sides know how many bytes there are. Names of people, hosts and files are withheld from classifiers; what
 * passwords are has no text at all.
 */
#include "token/app/lines.h"

#include <stdio.h>

/* The modes of a direction between segments. */
enum { IN_LINE = 1, IN_BODY = 2, AT_START = 4, COUNTS = 8, MODES = 15 /* above: lines_dialog.c */ };
/* A body in a segment. */
enum { GOES_ON, ENDS, ENDS_BEFORE };
enum {
    NAME_SHOWN = 8,
    TEXT_SHOWN = 24,
    MAX_TOKENS = 300,
    MAX_TEXT = 64,   /* tokens before which a line of text begins or goes on: listings are long */
    MAX_SAMPLED = 6, /* lines of a sample */
    MAX_LIST = 12,   /* of one that goes on */
    MAX_ITEMS = 8,   /* of a line that is free text, of a sample */
    MAX_WORD = 40,
    MAX_PHRASES = 6, /* in units of 64 */
    SAMPLED_LINE = 70
};

typedef struct walk {
    wspi_coder *c;
    const wspi_lines *g;
    unsigned mode;
    size_t budget;             /* bytes of names that still get tokens */
    unsigned row, form, place; /* of the line at hand; how many items it has had */
    unsigned lines;            /* samples: complete ones */
    uint64_t said
        [MAX_PHRASES]; /* samples: phrases that lines before have begun with, or whose first word they have */
    bool glued;           /* no space comes before the next item */
    bool hidden;          /* the last item was a name */
    bool sized;           /* the next number is how long a body is */
    uint64_t count;       /* its first number plus one, or 0 */
    uint8_t tag[MAX_TAG]; /* IMAP: the client's last one */
    size_t tag_len;
    wspi_text_line line;
    size_t len, len_2; /* encoding: of the item that was found */
} walk;

static unsigned flags_of(const walk *w)
{
    return w->g->rows[w->row].flags;
}

static void decimal(walk *w, uint64_t v)
{
    char s[24];

    (void)snprintf(s, sizeof s, "%llu", (unsigned long long)v);
    wspi_line_literal(w->c, s, strlen(s));
}

/* ---- bodies ---- */

/* Does the other side agree to a body? A mail may be seen without the server's side. */
static bool agreed(const walk *w)
{
    uint64_t v;

    if (!wspi_app_last(w->c, false, LINE, &v))
        return w->g == &wspi_lines_smtp && !w->c->fill;
    return v < w->g->n_lines && w->g->rows[v].flags & (GOES | FETCHES);
}

/* Samples: lines of letters that have n bytes, 3 or more, and the lone dot. */
static void sampled_body(walk *w, size_t n)
{
    size_t line;

    for (; n && !wspi_app_stopped(w->c); n -= line) {
        line = n <= SAMPLED_LINE ? n : n < SAMPLED_LINE + 3 ? n / 2 : SAMPLED_LINE;
        wspi_app_text(w->c, line - 2, 0, WSPI_TEXT_LINE);
        wspi_line_literal(w->c, "\r\n", 2);
    }
    wspi_line_literal(w->c, ".\r\n", 3);
}

/* Samples: a body ends with its segment; how long it is an answer has said, or the packet, less the lone dot. */
static size_t sampled_len(const walk *w)
{
    size_t n = w->count ? (size_t)w->count - 1 : WSPI_MAX(wspi_app_left(w->c), (size_t)6) - 3;

    return n < 3 ? 3 : n;
}

static void body(walk *w)
{
    wspi_coder *c = w->c;
    size_t n =
        c->enc ? wspi_body_len(wspi_app_here(w->c), wspi_app_captured(c), w->mode & AT_START) : 0;
    uint64_t v = n == 0 ? GOES_ON : n == wspi_app_left(c) ? ENDS : ENDS_BEFORE;
    bool asked = wspi_asked(c);

    wspi_app_only(c, ENDS, 1);
    v = wspi_app_code(c, BODY, true, GOES_ON, v);
    c->need = c->need || asked;
    if (v == ENDS_BEFORE) {
        n = (size_t)wspi_app_code(c, NUMBER, false, 0, n);
        wspi_app_require(c, n > 0);
    } else {
        n = wspi_app_left(c);
    }
    if (wspi_app_stopped(w->c))
        return;
    if (c->fill)
        sampled_body(w, sampled_len(w));
    else
        wspi_app_opaque(c, n);
    w->mode &= ~(unsigned)AT_START;
    if (v != GOES_ON || c->fill)
        w->mode &= ~(unsigned)IN_BODY;
    else if (wspi_line_done(w->c) && c->pay.wire <= c->pay.end)
        w->mode |= AT_START;
}

/* Bytes that were counted before: a literal, a chunk of a mail. */
static void counted(walk *w)
{
    uint32_t *left = &w->c->app.left[w->c->dir];
    uint32_t n = (uint32_t)WSPI_MIN(*left, wspi_app_left(w->c));

    wspi_app_opaque(w->c, n);
    *left -= n;
    if (*left == 0)
        w->mode &= ~(unsigned)COUNTS;
}

static void count_bytes(walk *w, uint64_t n)
{
    if (n == 0 || n > UINT32_MAX)
        return;
    w->c->app.left[w->c->dir] = (uint32_t)n;
    w->mode |= COUNTS;
}

/* ---- items ---- */

/* "user@host>": bytes before and behind the @. */
static bool mailbox_at(walk *w, const uint8_t *b, size_t n)
{
    const uint8_t *end = memchr(b, '>', n), *at;

    n = end ? (size_t)(end - b) : 0;
    at = n ? memchr(b, '@', n) : NULL;
    for (size_t i = 0; at && i < n; i++)
        if (b[i] <= ' ' || b[i] == 0x7f)
            return false;
    if (!at)
        return false;
    w->len = (size_t)(at - b);
    w->len_2 = n - w->len - 1;
    return true;
}

/* {number}, {number+} at the end of a line that is there; which of them, or 0. */
static unsigned literal_at(const walk *w, const uint8_t *b, size_t n)
{
    uint64_t v;
    size_t len = n > 2 && w->line.next ? wspi_number_at(b + 1, n - 1, &v) : 0;

    if (len == 0 || *b != '{')
        return 0;
    if (len + 2 == n && b[len + 1] == '}')
        return I_LITERAL;
    return len + 3 == n && b[len + 1] == '+' && b[len + 2] == '}' ? I_LITERAL_PLUS : 0;
}

/* Encoding: the item at b. */
static unsigned item_at(walk *w, const uint8_t *b, size_t n)
{
    uint64_t v;
    unsigned k;

    if (*b < ' ' || *b == 0x7f)
        return I_REST;
    if (w->g == &wspi_lines_imap && (k = literal_at(w, b, n)) != 0)
        return k;
    if (w->g == &wspi_lines_ftp && wspi_address_at(b, n, &v))
        return I_ADDRESS;
    if (w->place == 0 && w->g->rows[w->row].script[0] == M_MAIL && mailbox_at(w, b, n))
        return I_MAILBOX;
    if (w->place == 1 && w->g->rows[w->row].script[1] == M_PORT && wspi_number_at(b, n, &v) &&
        v <= 0xffff)
        return I_PORT;
    k = flags_of(w) & SECRET ? 0 : wspi_phrase_at(w->g, b, n);
    if (k)
        return k;
    if (!w->hidden && !(flags_of(w) & SECRET) && wspi_number_at(b, n, &v))
        return I_NUMBER;
    w->len = wspi_name_at(b, n, flags_of(w) & SECRET);
    return I_NAME;
}

/* Encoding: the next item with the space that is before it. */
static unsigned next_item(walk *w)
{
    const uint8_t *b = wspi_app_here(w->c);
    size_t n = w->line.eol - w->c->pay.at;
    unsigned k;

    if (n == 0)
        return I_END;
    if (w->c->n >= (w->row == TEXT ? MAX_TEXT : MAX_TOKENS))
        return I_REST;
    if (w->glued)
        return *b == ' ' ? I_SPACE : item_at(w, b, n);
    if (*b != ' ') {
        k = wspi_phrase_at(w->g, b, n);
        return k && wspi_joins_before(w->g->items[k].name) ? k : I_GLUE;
    }
    if (n == 1 || b[1] == ' ')
        return I_SPACE;
    k = item_at(w, b + 1, n - 1);
    return k > I_SPACE && wspi_joins_before(w->g->items[k].name) ? I_SPACE : k;
}

/* Has the flow been of this protocol? */
static bool spoken(const walk *w)
{
    const wspi_app_state *s = &w->c->ctx->app;

    return s->id[0] == w->c->pay.app || s->id[1] == w->c->pay.app;
}

/* POP3: numbers that answer the last question: "2 320" to STAT, "120 octets" to RETR; 0: it has none. */
static uint64_t answered(const walk *w)
{
    uint64_t v;
    unsigned asked;

    if (!(flags_of(w) & OPENS && flags_of(w) & ANSWERS) || !wspi_app_last(w->c, false, LINE, &v) ||
        v >= w->g->n_lines)
        return 0;
    asked = w->g->rows[v].flags;
    if (!(asked & (PAIRS | FETCHES)))
        return 0;
    return w->place > 1 ? M_END : w->place && asked & FETCHES ? M_OCTETS : M_NUMBER;
}

/* Samples of SMTP: is it the last line of what a server can, each line a word and what belongs to it? */
static bool ends_list(const walk *w)
{
    return w->g == &wspi_lines_smtp && w->lines && w->row && w->g->rows[w->row - 1].flags & MORE;
}

/* Samples of POP3: is it a message's number and its name, which answer UIDL? The item's set, or 0. */
static uint64_t identified(const walk *w)
{
    static const uint64_t says[] = {M_NUMBER, M_NAME};
    const char *ask = wspi_dialog_asked(w->c->ctx, w->c->pay.app);

    if (w->g != &wspi_lines_pop3 || !w->c->fill || !ask || strcmp(ask, "UIDL") != 0 ||
        !(flags_of(w) & OPENS))
        return 0;
    return w->place < WSPI_COUNT(says) ? says[w->place] : M_END;
}

/*
 * Samples: replies of SMTP, POP3 and FTP are codes, the text behind them is for people. Not where a program reads it: a host
 * that greets, addresses, counts, paths.
 */
static bool free_text(const walk *w)
{
    const uint64_t read = M_NAME | M_NUMBER | M_ADDR | M_PORT | M_PATH;
    const uint64_t *script = w->g->rows[w->row].script;

    return w->c->fill && w->g != &wspi_lines_imap && flags_of(w) & ANSWERS && !answered(w) &&
           !ends_list(w) && !identified(w) && !((script[0] | script[1]) & read) &&
           w->place < MAX_ITEMS;
}

static void name(walk *w, size_t n, enum wspi_text_class class)
{
    size_t shown = flags_of(w) & SECRET || w->row == TEXT ? 0 : NAME_SHOWN;
    size_t quoted = w->c->fill && flags_of(w) & SECRET && w->g == &wspi_lines_imap;

    wspi_app_only(w->c, quoted ? 4 : 2, quoted ? 6 : 8); /* up to 31 bytes; clients of IMAP quote */
    n = (size_t)wspi_app_code(w->c, NAME, false, 0, n);
    if (!w->c->fill && wspi_app_captured(w->c) < n) {
        wspi_app_fail(w->c);
        return;
    }
    shown = WSPI_MIN(WSPI_MIN(shown, n), w->budget);
    w->budget -= shown;
    wspi_line_literal(w->c, "\"", quoted);
    wspi_app_text(w->c, n - 2 * quoted, shown, class);
    wspi_line_literal(w->c, "\"", quoted);
}

static uint64_t number(walk *w)
{
    wspi_coder *c = w->c;
    uint64_t v = 0, least = 0, most = 0;
    unsigned from, end;

    if (c->enc)
        (void)wspi_number_at(wspi_app_here(c), w->line.eol - c->pay.at, &v);
    else if (c->fill)
        wspi_dialog_range(c, w->row, w->place, &least, &most);
    from = most ? wspi_bin(least, 0) : w->sized ? 5 : 1; /* 16 to 1023, up to 65535 */
    end = most ? wspi_bin(most, 0) + 1 : w->sized ? 11 : 17;
    wspi_app_only(c, from, end - from);
    v = wspi_app_code(c, NUMBER, false, 0, v);
    if (most && wspi_bin(v, 0) >= from && wspi_bin(v, 0) < end)
        v = c->app.v[c->dir][NUMBER] = v < least ? least : v > most ? most : v;
    wspi_dialog_counted(c, w->row, w->place, v);
    decimal(w, v);
    return v;
}

/* Samples: not a port of a service. */
static uint64_t port(walk *w, uint64_t v)
{
    v = wspi_app_code(w->c, PORT, false, 0, v);
    return w->c->fill ? v | 0x8000 : v;
}

static void address(walk *w)
{
    uint64_t v = 0, host;
    char s[32];

    if (w->c->enc)
        (void)wspi_address_at(wspi_app_here(w->c), w->line.eol - w->c->pay.at, &v);
    host = wspi_app_code(w->c, HOST, true, wspi_own_address(w->c->p), v >> 16);
    v = host << 16 | port(w, v & 0xffff);
    (void)snprintf(s, sizeof s, "%u,%u,%u,%u,%u,%u", (unsigned)(v >> 40 & 255),
                   (unsigned)(v >> 32 & 255), (unsigned)(v >> 24 & 255), (unsigned)(v >> 16 & 255),
                   (unsigned)(v >> 8 & 255), (unsigned)(v & 255));
    wspi_line_literal(w->c, s, strlen(s));
}

static void port_number(walk *w)
{
    uint64_t v = 0;

    if (w->c->enc)
        (void)wspi_number_at(wspi_app_here(w->c), w->line.eol - w->c->pay.at, &v);
    decimal(w, port(w, v));
}

/* What is left of the line, its end too. */
static void rest_of_line(walk *w)
{
    wspi_coder *c = w->c;
    size_t n = c->enc ? (w->line.next ? w->line.next : w->line.eol) - c->pay.at : 0;

    n = (size_t)wspi_app_code(c, NAME, false, 0, n);
    wspi_app_opaque(c, n);
    if (!wspi_line_done(w->c))
        w->mode |= IN_LINE;
}

static void literal_item(walk *w, bool plus)
{
    uint64_t n;

    wspi_line_literal(w->c, "{", 1);
    n = number(w);
    wspi_line_literal(w->c, "+}", plus ? 2 : 0);
    if (!plus)
        wspi_line_literal(w->c, "}", 1);
    wspi_line_end(w->c, w->form & BARE_LF);
    count_bytes(w, n);
}

/* false: the line ends with it, or the protocol has no such item (addresses are FTP's). */
static bool coded_as(walk *w, unsigned k)
{
    const char *s = k >= FIRST_PHRASE ? w->g->items[k].name : "-";
    uint64_t v;

    if ((k == I_ADDRESS || k == I_PORT) && wspi_proto_of(w->c->pay.app)->n_fields <= PORT) {
        wspi_app_fail(w->c);
        return false;
    }
    if (!w->glued && !(k == I_REST) && !wspi_joins_before(s))
        wspi_line_literal(w->c, " ", 1);
    w->glued = k >= FIRST_PHRASE && wspi_joins_behind(s);
    w->hidden = k == I_NAME || k == I_MAILBOX;
    switch (k) {
    case I_NAME: name(w, w->len, free_text(w) ? WSPI_TEXT_FIELD : WSPI_TEXT_NAME); return true;
    case I_NUMBER:
        v = number(w);
        w->count = w->count ? w->count : v + 1;
        return true;
    case I_MAILBOX:
        name(w, w->len, WSPI_TEXT_NAME);
        wspi_line_literal(w->c, "@", 1);
        name(w, w->len_2, WSPI_TEXT_NAME);
        wspi_line_literal(w->c, ">", 1);
        return true;
    case I_ADDRESS: address(w); return true;
    case I_PORT: port_number(w); return true;
    case I_REST: rest_of_line(w); return false;
    case I_LITERAL:
    case I_LITERAL_PLUS: literal_item(w, k == I_LITERAL_PLUS); return false;
    default: wspi_line_literal(w->c, s, strlen(s)); return true;
    }
}

/* What may come at this place of the line: samples keep to it, others mostly do. */
static uint64_t set_here(const walk *w)
{
    uint64_t set = answered(w);

    if (w->row == TEXT)
        return M_NAME | M_END;
    if (set == 0 && w->place < SCRIPT)
        set = w->g->rows[w->row].script[w->place];
    if (set & M_GREET && set != M_GREET)
        set = spoken(w) ? set & ~M_GREET : M_GREET;
    return set ? set : M_END;
}

/* Samples: does the text of item k fit what it answers? `any`: the line is one for people. */
static bool text_fits(const walk *w, unsigned k, bool any)
{
    const wsp_context *ctx = w->c->ctx;
    bool tagged = flags_of(w) & TAGGED;

    if (k < FIRST_PHRASE || k >= w->g->n_items || !w->c->dir)
        return true;
    return (!tagged || wspi_dialog_names(ctx, w->c->pay.app, w->g->items[k].name)) &&
           (!(tagged || any) || wspi_dialog_speaks(ctx, w->c->pay.app, w->row, k));
}

/* Samples: nothing that begins with the same word comes again: SIZE 10240000 is a SIZE. */
static void now_said(walk *w, unsigned k)
{
    const char *s = w->g->items[k].name;
    size_t n = strcspn(s, " =");

    for (unsigned i = FIRST_PHRASE; n && i < w->g->n_items; i++)
        if (strncmp(w->g->items[i].name, s, n) == 0 && strcspn(w->g->items[i].name, " =") == n)
            w->said[i / 64] |= UINT64_C(1) << i % 64;
}

static unsigned coded_item(walk *w, unsigned k)
{
    wspi_coder *c = w->c;
    uint64_t set = set_here(w), is = identified(w),
             fits = is ? is : wspi_list_set(w->g, w->row, w->lines, set);
    unsigned want = wspi_expected_item(set), base = wspi_field_base(c->pay.app, ITEM),
             count = wspi_field_count(c->pay.app, ITEM);
    bool asked = wspi_asked(c), any = free_text(w), list = !is && fits != set;

    k = (unsigned)wspi_app_code(c, ITEM, true, want, k);
    if (wspi_app_stopped(w->c))
        return I_END;
    if (asked) {
        for (unsigned i = 0; i < count; i++)
            if (i == want || (list && w->said[i / 64] >> i % 64 & 1) || !text_fits(w, i, any) ||
                !(wspi_item_fits(w->g, fits, i) ||
                  (any && wspi_item_is_word(w->g, i, w->place == 0))))
                c->legal[base + i] = 0;
        c->need = !wspi_item_fits(w->g, is ? is : set, want);
    }
    if (k >= w->g->n_items)
        wspi_app_fail(c);
    else if (k >= FIRST_PHRASE && list)
        now_said(w, k);
    return k;
}

static void items(walk *w)
{
    unsigned k;

    w->glued = flags_of(w) & GLUED || w->row == TEXT;
    w->hidden = false;
    w->count = 0;
    for (w->place = 0;; w->place++) {
        if (!wspi_line_more(w->c)) {
            w->mode |= IN_LINE;
            return;
        }
        k = coded_item(w, w->c->enc ? next_item(w) : 0);
        if (wspi_app_stopped(w->c))
            return;
        if (k == I_END) {
            wspi_line_end(w->c, w->form & BARE_LF);
            return;
        }
        w->sized = answered(w) == M_NUMBER && agreed(w);
        if (!coded_as(w, k) || wspi_app_stopped(w->c))
            return;
    }
}

/* ---- tags ---- */

static void take_tag(walk *w)
{
    const wsp_context *s = w->c->ctx;

    if (spoken(w) && s->name_len <= MAX_TAG) {
        w->tag_len = s->name_len;
        memcpy(w->tag, s->name, s->name_len);
    }
}

/* A tag of n bytes, when encoding, and the space behind it. */
static void coded_tag(walk *w, size_t n)
{
    wspi_coder *c = w->c;
    bool asks = !(flags_of(w) & ANSWERS);
    size_t at = c->pay.at;
    uint64_t other = 0;

    if (asks)
        wspi_next_tag(w->tag, &w->tag_len);
    if (c->enc)
        other = n != w->tag_len || memcmp(wspi_app_here(w->c), w->tag, n) != 0;
    wspi_app_only(c, 0, 0);
    other = wspi_app_code(c, TAG, true, 0, other);
    if (other) {
        n = (size_t)wspi_app_code(c, NAME, false, 0, n);
        wspi_app_require(c, n <= MAX_TAG && (c->fill || n <= wspi_app_captured(c)));
        if (!wspi_app_stopped(w->c))
            wspi_app_text(c, n, WSPI_MIN(n, (size_t)NAME_SHOWN), WSPI_TEXT_WORD);
    } else {
        n = w->tag_len;
        wspi_line_literal(w->c, (const char *)w->tag, n);
    }
    wspi_line_literal(w->c, " ", 1);
    if (wspi_app_stopped(w->c) || !asks)
        return;
    c->name_at = at;
    c->name_len = (uint16_t)n;
    memcpy(w->tag, (c->enc ? c->pay.in : c->pay.out->data) + at, n);
    w->tag_len = n;
}

/* ---- lines ---- */

/*
 * Samples: may the line be of this row? The first one of a flow says which protocol it is; a code that goes on is followed by
 * itself or its end.
 */
static bool row_fits(const walk *w, unsigned k)
{
    unsigned flags = k < w->g->n_lines ? w->g->rows[k].flags : 0;

    if (w->lines && flags_of(w) & MORE)
        return k == w->row + 1 ||
               (k == w->row && w->lines < (w->g == &wspi_lines_smtp ? MAX_LIST : MAX_SAMPLED));
    if (!(flags & (w->c->dir ? ANSWERS : ASKS)) || (!spoken(w) && !(flags & FIRST)) ||
        (w->lines && flags & FIRST))
        return false;
    if (k >= FIRST_LINE && !wspi_dialog_fits(w->c->ctx, w->c->pay.app, w->c->dir, k))
        return false;
    if (w->c->dir && !w->lines && wspi_dialog_lacks(w->c->ctx, w->c->pay.app, k))
        return false;
    if (flags & GOES)
        return w->c->ctx->app.mode[0] & IN_BODY;
    if (wspi_row_greets(&w->g->rows[k]) && w->c->ctx->app.id[1] == w->c->pay.app)
        return false;
    if (flags & TAGGED && flags & ANSWERS)
        return w->tag_len > 0;
    return !(w->g->rows[k].script[1] & M_ADDR || w->g->rows[k].script[0] & M_ADDR) ||
           wspi_own_address(w->c->p);
}

static void forbid_rows(const walk *w)
{
    wspi_coder *c = w->c;
    unsigned base = wspi_field_base(c->pay.app, LINE), n = wspi_field_count(c->pay.app, LINE);

    for (unsigned i = 0; c->legal && !c->deviations && i < n; i++)
        if (c->legal[base + i] && !row_fits(w, i))
            c->legal[base + i] = 0;
}

/* The row; false: a sample has no further line. */
static bool coded_row(walk *w, unsigned k)
{
    wspi_coder *c = w->c;
    uint64_t v = k;

    if (c->fill && w->lines && flags_of(w) & AND) {
        bool there = wspi_app_next(c, LINE, false, &v);
        forbid_rows(w);
        if (!there)
            return false;
        c->app.v[c->dir][LINE] = v;
    } else {
        v = wspi_app_code(c, LINE, false, 0, v);
        if (c->need)
            forbid_rows(w);
    }
    wspi_app_require(c, v < w->g->n_lines);
    if (!wspi_app_stopped(w->c))
        w->row = (unsigned)v;
    return !wspi_app_stopped(w->c);
}

/* Encoding: row, case and end of the line at hand. */
static unsigned read_line(walk *w, bool resumed, size_t *tag, unsigned *form)
{
    unsigned row = TEXT, kase = w->form & (CASES - 1);

    w->line = wspi_line_find(w->c);
    if (!resumed)
        row = wspi_lines_row(w->g, wspi_app_here(w->c), w->line.eol - w->c->pay.at, tag, &kase);
    if (w->c->n >= (row == TEXT ? MAX_TEXT : MAX_TOKENS))
        row = REST;
    *form = kase | (w->line.next ? (w->line.next - w->line.eol == 1 ? (unsigned)BARE_LF : 0u)
                                 : (w->form & BARE_LF));
    return row;
}

static void write_word(walk *w)
{
    const char *s = w->row < FIRST_LINE ? "" : w->g->lines[w->row].name;
    char word[MAX_WORD];
    size_t n = WSPI_MIN(strlen(s), sizeof word);

    for (size_t i = 0; i < n; i++)
        word[i] = (char)wspi_lines_cased(s, i, w->form & (CASES - 1));
    wspi_line_literal(w->c, word, n);
}

/* A line is complete: what it says of the bytes behind it. */
static void after_line(walk *w)
{
    unsigned flags = flags_of(w);

    w->lines++;
    if (w->mode & (IN_LINE | COUNTS))
        return;
    if (flags & COUNTED && w->count)
        count_bytes(w, w->count - 1);
    if (flags & OPENS && (flags & ASKS || agreed(w)))
        w->mode |= IN_BODY | AT_START;
}

/* A line, or the rest of one; false: a sample has no further one. */
static bool line(walk *w, bool resumed)
{
    wspi_coder *c = w->c;
    size_t tag = 0;
    unsigned row = TEXT, form = 0;

    if (wspi_app_stopped(w->c))
        return false;
    if (c->enc)
        row = read_line(w, resumed, &tag, &form);
    if (resumed)
        w->row = TEXT;
    else if (!coded_row(w, row))
        return false;
    if (w->row == REST) {
        wspi_app_opaque(c, wspi_app_captured(c));
        w->mode |= wspi_line_done(w->c) ? 0 : IN_LINE;
        return true;
    }
    /* samples: commands are in small letters, or large ones again (RFC 5321 2.4, RFC 959 5.3, RFC 1939 3) */
    wspi_app_only(c, w->form ^ LOWER,
                  w->g != &wspi_lines_imap && w->form <= LOWER && flags_of(w) & ASKS);
    w->form = (unsigned)wspi_app_code(c, FORM, true, w->form, form);
    wspi_app_require(c, w->form < 2 * CASES);
    if (wspi_app_stopped(w->c))
        return false;
    if (flags_of(w) & TAGGED)
        coded_tag(w, tag);
    write_word(w);
    items(w);
    if (!wspi_app_stopped(w->c))
        after_line(w);
    return !wspi_app_stopped(w->c);
}

/* ---- segments ---- */

static void resume(walk *w)
{
    wspi_coder *c = w->c;
    uint64_t form;

    if (wspi_app_last(c, true, FORM, &form) && form < 2 * CASES)
        w->form = (unsigned)form;
    w->mode = c->app.mode[c->dir] & MODES;
    if (c->fill)
        w->mode &= IN_BODY | AT_START;
    if (w->mode & IN_BODY && !agreed(w))
        w->mode &= ~(unsigned)(IN_BODY | AT_START);
    if (w->g == &wspi_lines_imap)
        take_tag(w);
    if (w->mode & IN_LINE && wspi_line_more(w->c)) {
        w->mode &= ~(unsigned)IN_LINE;
        (void)line(w, true);
    }
}

/* Does the payload go on? A sample's does if it has to, or may. */
static bool again(const walk *w)
{
    const wspi_coder *c = w->c;

    if (!c->fill)
        return wspi_app_captured(c) > 0;
    return c->pay.at == 0 ||
           (w->lines && (flags_of(w) & MORE || (flags_of(w) & AND && w->lines < MAX_SAMPLED) ||
                         (w->mode & IN_BODY && agreed(w))));
}

static void finish(walk *w)
{
    wspi_coder *c = w->c;
    uint32_t *left = &c->app.left[c->dir];

    if (!c->fill && c->pay.wire > c->pay.end && !(w->mode & COUNTS))
        w->mode &= IN_BODY; /* bytes that were not captured: a line may begin anywhere */
    if (!(w->mode & COUNTS))
        *left = w->mode != 0; /* it goes on, whatever it looks like */
    c->app.mode[c->dir] = (uint8_t)w->mode;
    if (c->dir == 1)
        c->app.mode[1] |= wspi_dialog_after(c->ctx, c->pay.app, c->app.v[1][LINE]);
}

static void walk_segment(wspi_coder *c)
{
    walk w = {.c = c, .g = wspi_lines_of(c->pay.app), .budget = TEXT_SHOWN};

    resume(&w);
    while (!wspi_app_stopped(w.c) && again(&w)) {
        if (w.mode & COUNTS && !c->fill) {
            counted(&w);
        } else if (w.mode & IN_BODY && agreed(&w)) {
            body(&w);
            w.lines = 0;
        } else if (!line(&w, false)) {
            break;
        }
    }
    if (!wspi_app_stopped(w.c))
        finish(&w);
}

/* ---- the four ---- */

static bool takes_smtp(const wspi_coder *c)
{
    return wspi_lines_choose(c) == WSPI_APP_SMTP;
}

static bool takes_pop3(const wspi_coder *c)
{
    return wspi_lines_choose(c) == WSPI_APP_POP3;
}

static bool takes_imap(const wspi_coder *c)
{
    return wspi_lines_choose(c) == WSPI_APP_IMAP;
}

static bool takes_ftp(const wspi_coder *c)
{
    return wspi_lines_choose(c) == WSPI_APP_FTP;
}

#define APP(p, ...)                                                                      \
    const wspi_app wspi_app_##p = {.proto = {.name = #p,                                 \
                                             .fields = wspi_##p##_fields,                \
                                             .n_fields = WSPI_COUNT(wspi_##p##_fields)}, \
                                   .over = WSPI_OVER_TCP,                                \
                                   .looks = wspi_lines_look,                             \
                                   .takes = takes_##p,                                   \
                                   .walk = walk_segment,                                 \
                                   .ports = {__VA_ARGS__},                               \
                                   .ports_only = true,                                   \
                                   .turns = WSPI_SERVER_FIRST,                           \
                                   .may_speak = wspi_lines_may_speak,                    \
                                   .may_end = wspi_lines_may_end}

APP(smtp, 25, 587);
APP(pop3, 110);
APP(imap, 143);
APP(ftp, 21);
