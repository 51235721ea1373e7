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
enum { IN_LINE = 1, IN_BODY = 2, AT_START = 4, COUNTS = 8 };
/* A body in a segment. */
enum { GOES_ON, ENDS, ENDS_BEFORE };
enum { LOWER = 1, TITLE, MIXED, CASES, BARE_LF = CASES };
enum {
    NAME_SHOWN = 8,
    TEXT_SHOWN = 24,
    MAX_TOKENS = 300,
    MAX_TEXT = 64,   /* tokens before which a line of text begins or goes on: listings are long */
    MAX_SAMPLED = 6, /* lines of a sample */
    MAX_WORD = 40,
    MAX_TAG = 32,
    MAX_DIGITS = 9,
    SAMPLED_LINE = 70,
    LOOK = 256
};

typedef struct walk {
    wspi_coder *c;
    const wspi_lines *g;
    unsigned mode;
    size_t budget;             /* bytes of names that still get tokens */
    unsigned row, form, place; /* of the line at hand; how many items it has had */
    unsigned lines;            /* samples: complete ones */
    bool glued;                /* no space comes before the next item */
    bool hidden;               /* the last item was a name */
    bool sized;                /* the next number is how long a body is */
    uint64_t count;            /* its first number plus one, or 0 */
    uint8_t tag[MAX_TAG];      /* IMAP: the client's last one */
    size_t tag_len;
    size_t eol,
        next; /* encoding: end of the line's contents; end of the line, 0 if it is not captured */
    size_t len, len_2; /* encoding: of the item that was found */
} walk;

static bool stopped(const walk *w)
{
    return w->c->bad || w->c->need || w->c->pay.fail;
}

static bool more(const walk *w)
{
    return w->c->fill || wspi_app_captured(w->c) > 0;
}

static const uint8_t *here(const walk *w)
{
    return w->c->pay.in + w->c->pay.at;
}

static unsigned flags_of(const walk *w)
{
    return w->g->rows[w->row].flags;
}

static const wspi_lines *lines_of(uint8_t app)
{
    static const wspi_lines *const all[] = {&wspi_lines_smtp, &wspi_lines_pop3, &wspi_lines_imap,
                                            &wspi_lines_ftp};

    return all[app - WSPI_APP_SMTP];
}

static bool is_line_app(uint8_t app)
{
    return app >= WSPI_APP_SMTP && app <= WSPI_APP_FTP;
}

/* Encoding: the line at hand. */
static void find_line(walk *w)
{
    const uint8_t *b = here(w), *lf = memchr(b, '\n', wspi_app_captured(w->c));

    w->eol = w->c->pay.at + (lf ? (size_t)(lf - b) : wspi_app_captured(w->c));
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

static void decimal(walk *w, uint64_t v)
{
    char s[24];

    (void)snprintf(s, sizeof s, "%llu", (unsigned long long)v);
    literal(w, s, strlen(s));
}

static void end_line(walk *w)
{
    if (w->form & BARE_LF)
        literal(w, "\n", 1);
    else
        literal(w, "\r\n", 2);
}

/* The last byte of what was passed ends a line. */
static bool line_done(const walk *w)
{
    const wspi_coder *c = w->c;

    if (stopped(w) || c->pay.at == 0 || (!c->enc && c->pay.out->len == 0))
        return false;
    return (c->enc ? c->pay.in[WSPI_MIN(c->pay.at, c->pay.end) - 1]
                   : c->pay.out->data[c->pay.out->len - 1]) == '\n';
}

/* ---- what a line begins with ---- */

/* A word in the case of a form: "MAIL FROM", "mail from", "Mail From", "MAIL From". */
static uint8_t cased(const char *s, size_t i, unsigned form)
{
    bool first = i == 0 || s[i - 1] == ' ';
    bool lower = form == LOWER || (form == TITLE && !first) ||
                 (form == MIXED && !first && memchr(s, ' ', i));

    return lower && s[i] >= 'A' && s[i] <= 'Z' ? (uint8_t)(s[i] | 0x20) : (uint8_t)s[i];
}

static bool is_cased(const uint8_t *b, const char *s, size_t n, unsigned form)
{
    for (size_t i = 0; i < n; i++)
        if (b[i] != cased(s, i, form))
            return false;
    return true;
}

/* The case of the word in b, `form` if that is one; CASES: it is another word. */
static unsigned case_of(const uint8_t *b, const char *s, size_t n, unsigned form)
{
    unsigned k = 0;

    if (is_cased(b, s, n, form))
        return form;
    while (k < CASES && !is_cased(b, s, n, k))
        k++;
    return k;
}

/* The row that [b, b + n) begins with, the longest one, or TEXT. *form: the expected case, then the one it has. */
static unsigned find_row(const wspi_lines *g, const uint8_t *b, size_t n, unsigned tagged,
                         unsigned *form)
{
    unsigned best = TEXT, expects = *form, f;
    size_t longest = 0, len;

    for (unsigned k = FIRST_LINE; n && k < g->n_lines; k++) {
        const char *s = g->lines[k].name;
        if ((b[0] | 0x20) != ((uint8_t)s[0] | 0x20) || (g->rows[k].flags & TAGGED) != tagged)
            continue;
        len = strlen(s);
        if (len <= longest || len > n || (!(g->rows[k].flags & GLUED) && len < n && b[len] != ' '))
            continue;
        f = case_of(b, s, len, expects);
        if (f == CASES)
            continue;
        best = k;
        longest = len;
        *form = f;
    }
    return best;
}

/* Bytes of the tag that the line begins with, if a command or an answer follows it; its row. */
static size_t find_tag(const wspi_lines *g, const uint8_t *b, size_t n, unsigned *row,
                       unsigned *form)
{
    size_t len = 0;

    while (len < n && len <= MAX_TAG && b[len] > ' ' && b[len] < 0x7f)
        len++;
    if (len == 0 || len > MAX_TAG || len + 1 >= n || b[len] != ' ' || *b == '*' || *b == '+')
        return 0;
    *row = find_row(g, b + len + 1, n - len - 1, TAGGED, form);
    return *row == TEXT ? 0 : len;
}

static unsigned begins_with(const wspi_lines *g, const uint8_t *b, size_t n, size_t *tag,
                            unsigned *form)
{
    unsigned row = find_row(g, b, n, 0, form);

    *tag = row == TEXT && g == &wspi_lines_imap ? find_tag(g, b, n, &row, form) : 0;
    return row;
}

/* ---- which of the four ---- */

static bool has(const uint8_t *b, size_t n, const char *word)
{
    size_t len = strlen(word);

    for (size_t i = 0; i + len <= n; i++)
        if (memcmp(b + i, word, len) == 0)
            return true;
    return false;
}

/* A code and text that SMTP and FTP may have: a greeting of SMTP begins with the name of its host. */
static uint8_t by_content(const uint8_t *b, size_t n)
{
    size_t word = WSPI_MIN(n, 4);

    if (has(b, n, "SMTP") || has(b, n, "smtp"))
        return WSPI_APP_SMTP;
    if (has(b, n, "FTP") || has(b, n, "ftp"))
        return WSPI_APP_FTP;
    while (word < n && b[word] != ' ' && b[word] != '\r' && b[word] != '\n')
        word++;
    return word > 4 && memchr(b + 4, '.', word - 5) ? WSPI_APP_SMTP : WSPI_APP_FTP;
}

static size_t first_line(const uint8_t *b, size_t n)
{
    const uint8_t *lf;

    n = WSPI_MIN(n, (size_t)LOOK);
    lf = memchr(b, '\n', n);
    if (!lf)
        return n;
    n = (size_t)(lf - b);
    return n - (n && b[n - 1] == '\r');
}

/* The four as bits: what the first line can be. */
static unsigned candidates(const uint8_t *b, size_t n)
{
    unsigned found = 0;

    for (unsigned i = 0; i < 4; i++) {
        const wspi_lines *g = lines_of((uint8_t)(WSPI_APP_SMTP + i));
        unsigned form = 0, row;
        size_t tag;
        row = begins_with(g, b, n, &tag, &form);
        if (row != TEXT && !(g->rows[row].flags & WEAK))
            found |= 1u << i;
    }
    return found;
}

/*
 * The protocol of a payload that does not go on with what was before, or 0. Many commands and codes are of several
 * protocols: the other direction's decides, then its own. A flow that has one may have any line of text.
 */
static uint8_t choose(const wspi_coder *c)
{
    const wspi_app_state *s = &c->ctx->app;
    const uint8_t *b = c->pay.in;
    size_t n = first_line(b, c->pay.end);
    uint8_t mine = s->seen[c->dir] ? s->id[c->dir] : 0,
            theirs = s->seen[!c->dir] ? s->id[!c->dir] : 0;
    const unsigned either =
        1u | 1u << (WSPI_APP_FTP - WSPI_APP_SMTP); /* they have the same codes */
    unsigned found;

    for (size_t i = 0; i < WSPI_MIN(n, 8); i++)
        if ((b[i] < 0x20 || b[i] > 0x7e) && b[i] != '\t')
            return 0;
    if (!is_line_app(mine) && !is_line_app(theirs) && s->seen[!c->dir])
        return 0; /* it answers something else */
    if (is_line_app(mine) && mine == theirs)
        return mine;
    found = candidates(b, n);
    if (is_line_app(theirs) && (found >> (theirs - WSPI_APP_SMTP) & 1))
        return theirs;
    if (is_line_app(mine) && (!found || found >> (mine - WSPI_APP_SMTP) & 1))
        return mine;
    if (!found)
        return is_line_app(theirs) && !s->seen[c->dir] ? theirs : 0;
    if ((theirs == WSPI_APP_SMTP || theirs == WSPI_APP_FTP) && found & either)
        found &= either;
    if (found == either)
        return by_content(b, n);
    return (uint8_t)(WSPI_APP_SMTP + __builtin_ctz(found));
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

/* Encoding: bytes up to the lone dot and with it, 0 if there is none. */
static size_t body_len(const walk *w)
{
    const uint8_t *b = here(w);
    size_t n = wspi_app_captured(w->c);
    bool start = w->mode & AT_START;

    for (size_t i = 0; i + 1 < n; i++) {
        if (start && b[i] == '.') {
            if (b[i + 1] == '\n')
                return i + 2;
            if (i + 2 < n && b[i + 1] == '\r' && b[i + 2] == '\n')
                return i + 3;
        }
        start = b[i] == '\n';
    }
    return 0;
}

/* Samples: lines of letters that have n bytes, 3 or more, and the lone dot. */
static void sampled_body(walk *w, size_t n)
{
    size_t line;

    for (; n && !stopped(w); n -= line) {
        line = n <= SAMPLED_LINE ? n : n < SAMPLED_LINE + 3 ? n / 2 : SAMPLED_LINE;
        wspi_app_text(w->c, line - 2, 0, WSPI_TEXT_LINE);
        literal(w, "\r\n", 2);
    }
    literal(w, ".\r\n", 3);
}

/* Samples: a body ends with its segment; how long it is an answer has said, or the packet. */
static size_t sampled_len(const walk *w)
{
    size_t n = w->count ? (size_t)w->count - 1 : wspi_app_left(w->c);

    return n < 3 ? 3 : n;
}

static void body(walk *w)
{
    wspi_coder *c = w->c;
    size_t n = c->enc ? body_len(w) : 0;
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
    if (stopped(w))
        return;
    if (c->fill)
        sampled_body(w, sampled_len(w));
    else
        wspi_app_opaque(c, n);
    w->mode &= ~(unsigned)AT_START;
    if (v != GOES_ON || c->fill)
        w->mode &= ~(unsigned)IN_BODY;
    else if (line_done(w) && c->pay.wire <= c->pay.end)
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

/* Has it quotation marks that are not closed in it? */
static bool half_quoted(const char *s, char mark)
{
    bool half = false;

    for (; *s; s++)
        half ^= *s == mark;
    return half;
}

/* Does no space come before, or behind, a phrase? */
static bool joins(const char *s, char edge, const char *marks)
{
    return !*s || strchr(marks, edge) || ((edge == '"' || edge == '\'') && half_quoted(s, edge));
}

static bool joins_before(const char *s)
{
    return joins(s, *s, " )]>,.;:|");
}

static bool joins_behind(const char *s)
{
    return joins(s, *s ? s[strlen(s) - 1] : 0, " (<[{=|@");
}

static bool word_byte(uint8_t b)
{
    return (b >= 'a' && b <= 'z') || (b >= 'A' && b <= 'Z') || (b >= '0' && b <= '9') || b >= 0x80;
}

/* Encoding: the longest phrase that [b, b + n) begins with and that ends where a word does, or 0. */
static unsigned phrase_at(const wspi_lines *g, const uint8_t *b, size_t n)
{
    unsigned best = 0;
    size_t longest = 0, len;

    for (unsigned k = I_SPACE + 1; k < g->n_items; k++) {
        const char *s = g->items[k].name;
        if ((uint8_t)s[0] != b[0])
            continue;
        len = strlen(s);
        if (len > longest && len <= n && memcmp(b, s, len) == 0 &&
            (len == n || !word_byte(b[len - 1]) || !word_byte(b[len]))) {
            best = k;
            longest = len;
        }
    }
    return best;
}

/* Digits of a number at b, 0 if it is none: part of a name, or with zeros in front. */
static size_t number_at(const uint8_t *b, size_t n, uint64_t *v)
{
    size_t len = 0;

    *v = 0;
    for (; len < n && b[len] >= '0' && b[len] <= '9' && len <= MAX_DIGITS; len++)
        *v = *v * 10 + (b[len] - '0');
    if (len == 0 || len > MAX_DIGITS || (len > 1 && b[0] == '0'))
        return 0;
    if (len < n && (word_byte(b[len]) || strchr("-_@", b[len])))
        return 0;
    if (len + 1 < n && strchr(".,/:", b[len]) && word_byte(b[len + 1]))
        return 0;
    return len;
}

/* h1,h2,h3,h4,p1,p2 */
static size_t address_at(const uint8_t *b, size_t n, uint64_t *v)
{
    size_t at = 0;

    *v = 0;
    for (int i = 0; i < 6; i++) {
        unsigned part = 0;
        size_t from = at;
        for (; at < n && at < from + 3 && b[at] >= '0' && b[at] <= '9'; at++)
            part = part * 10 + (b[at] - '0');
        if (at == from || part > 255 || (at > from + 1 && b[from] == '0') ||
            (i < 5 && (at == n || b[at++] != ',')))
            return 0;
        *v = *v << 8 | part;
    }
    return at == n || !word_byte(b[at]) ? at : 0;
}

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
    size_t len = n > 2 && w->next ? number_at(b + 1, n - 1, &v) : 0;

    if (len == 0 || *b != '{')
        return 0;
    if (len + 2 == n && b[len + 1] == '}')
        return I_LITERAL;
    return len + 3 == n && b[len + 1] == '+' && b[len + 2] == '}' ? I_LITERAL_PLUS : 0;
}

static size_t name_len(const walk *w, const uint8_t *b, size_t n)
{
    bool secret = flags_of(w) & SECRET;
    size_t len = 0;

    while (len < n && b[len] > ' ' && b[len] != 0x7f &&
           (secret || len == 0 || !strchr(")]>\"", b[len])))
        len++;
    return len;
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
    if (w->g == &wspi_lines_ftp && address_at(b, n, &v))
        return I_ADDRESS;
    if (w->place == 0 && w->g->rows[w->row].script[0] == M_MAIL && mailbox_at(w, b, n))
        return I_MAILBOX;
    if (w->place == 1 && w->g->rows[w->row].script[1] == M_PORT && number_at(b, n, &v) &&
        v <= 0xffff)
        return I_PORT;
    k = flags_of(w) & SECRET ? 0 : phrase_at(w->g, b, n);
    if (k)
        return k;
    if (!w->hidden && !(flags_of(w) & SECRET) && number_at(b, n, &v))
        return I_NUMBER;
    w->len = name_len(w, b, n);
    return I_NAME;
}

/* Encoding: the next item with the space that is before it. */
static unsigned next_item(walk *w)
{
    const uint8_t *b = here(w);
    size_t n = w->eol - w->c->pay.at;
    unsigned k;

    if (n == 0)
        return I_END;
    if (w->c->n >= (w->row == TEXT ? MAX_TEXT : MAX_TOKENS))
        return I_REST;
    if (w->glued)
        return *b == ' ' ? I_SPACE : item_at(w, b, n);
    if (*b != ' ') {
        k = phrase_at(w->g, b, n);
        return k && joins_before(w->g->items[k].name) ? k : I_GLUE;
    }
    if (n == 1 || b[1] == ' ')
        return I_SPACE;
    k = item_at(w, b + 1, n - 1);
    return k > I_SPACE && joins_before(w->g->items[k].name) ? I_SPACE : k;
}

static void name(walk *w, size_t n, enum wspi_text_class class)
{
    size_t shown = flags_of(w) & SECRET || w->row == TEXT ? 0 : NAME_SHOWN;

    wspi_app_only(w->c, 4, 4); /* 4 to 15 bytes */
    n = (size_t)wspi_app_code(w->c, NAME, false, 0, n);
    if (!w->c->fill && wspi_app_captured(w->c) < n) {
        wspi_app_fail(w->c);
        return;
    }
    shown = WSPI_MIN(WSPI_MIN(shown, n), w->budget);
    w->budget -= shown;
    wspi_app_text(w->c, n, shown, class);
}

static uint64_t number(walk *w)
{
    uint64_t v = 0;

    if (w->c->enc)
        (void)number_at(here(w), w->eol - w->c->pay.at, &v);
    wspi_app_only(w->c, w->sized ? 5 : 1, w->sized ? 6 : 16); /* 16 to 1023, up to 65535 */
    v = wspi_app_code(w->c, NUMBER, false, 0, v);
    decimal(w, v);
    return v;
}

static uint64_t own_address(const walk *w)
{
    const wsp_packet *p = w->c->p;

    for (size_t i = p->n_layers; i-- > 0;)
        if (p->layers[i].id == WSPI_IPV4)
            return p->layers[i].v[WSPI_IPV4_SRC];
    return 0;
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
        (void)address_at(here(w), w->eol - w->c->pay.at, &v);
    host = wspi_app_code(w->c, HOST, true, own_address(w), v >> 16);
    v = host << 16 | port(w, v & 0xffff);
    (void)snprintf(s, sizeof s, "%u,%u,%u,%u,%u,%u", (unsigned)(v >> 40 & 255),
                   (unsigned)(v >> 32 & 255), (unsigned)(v >> 24 & 255), (unsigned)(v >> 16 & 255),
                   (unsigned)(v >> 8 & 255), (unsigned)(v & 255));
    literal(w, s, strlen(s));
}

static void port_number(walk *w)
{
    uint64_t v = 0;

    if (w->c->enc)
        (void)number_at(here(w), w->eol - w->c->pay.at, &v);
    decimal(w, port(w, v));
}

/* What is left of the line, its end too. */
static void rest_of_line(walk *w)
{
    wspi_coder *c = w->c;
    size_t n = c->enc ? (w->next ? w->next : w->eol) - c->pay.at : 0;

    n = (size_t)wspi_app_code(c, NAME, false, 0, n);
    wspi_app_opaque(c, n);
    if (!line_done(w))
        w->mode |= IN_LINE;
}

static void literal_item(walk *w, bool plus)
{
    uint64_t n;

    literal(w, "{", 1);
    n = number(w);
    literal(w, "+}", plus ? 2 : 0);
    if (!plus)
        literal(w, "}", 1);
    end_line(w);
    count_bytes(w, n);
}

/* false: the line ends with it. */
static bool coded_as(walk *w, unsigned k)
{
    const char *s = k >= FIRST_PHRASE ? w->g->items[k].name : "-";
    uint64_t v;

    if (!w->glued && !(k == I_REST) && !joins_before(s))
        literal(w, " ", 1);
    w->glued = k >= FIRST_PHRASE && joins_behind(s);
    w->hidden = k == I_NAME || k == I_MAILBOX;
    switch (k) {
    case I_NAME: name(w, w->len, WSPI_TEXT_NAME); return true;
    case I_NUMBER:
        v = number(w);
        w->count = w->count ? w->count : v + 1;
        return true;
    case I_MAILBOX:
        name(w, w->len, WSPI_TEXT_NAME);
        literal(w, "@", 1);
        name(w, w->len_2, WSPI_TEXT_NAME);
        literal(w, ">", 1);
        return true;
    case I_ADDRESS: address(w); return true;
    case I_PORT: port_number(w); return true;
    case I_REST: rest_of_line(w); return false;
    case I_LITERAL:
    case I_LITERAL_PLUS: literal_item(w, k == I_LITERAL_PLUS); return false;
    default: literal(w, s, strlen(s)); return true;
    }
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

static unsigned expected_item(uint64_t set)
{
    return set == M_NAME ? I_NAME : set == M_NUMBER ? I_NUMBER : set == M_MAIL ? I_MAILBOX : I_END;
}

static bool item_fits(const walk *w, uint64_t set, unsigned k)
{
    static const uint64_t special[FIRST_PHRASE] = {
        [I_END] = M_END,      [I_NAME] = M_NAME,    [I_NUMBER] = M_NUMBER,
        [I_MAILBOX] = M_MAIL, [I_ADDRESS] = M_ADDR, [I_PORT] = M_PORT};

    return k < w->g->n_items && set & (k < FIRST_PHRASE ? special[k] : w->g->sets[k]);
}

static unsigned coded_item(walk *w, unsigned k)
{
    wspi_coder *c = w->c;
    uint64_t set = set_here(w);
    unsigned want = expected_item(set), base = wspi_field_base(c->pay.app, ITEM),
             count = wspi_field_count(c->pay.app, ITEM);
    bool asked = wspi_asked(c);

    k = (unsigned)wspi_app_code(c, ITEM, true, want, k);
    if (stopped(w))
        return I_END;
    if (asked) {
        for (unsigned i = 0; i < count; i++)
            if (i == want || !item_fits(w, set, i))
                c->legal[base + i] = 0;
        c->need = !item_fits(w, set, want);
    }
    if (k >= w->g->n_items)
        wspi_app_fail(c);
    return k;
}

static void items(walk *w)
{
    unsigned k;

    w->glued = flags_of(w) & GLUED || w->row == TEXT;
    w->hidden = false;
    w->count = 0;
    for (w->place = 0;; w->place++) {
        if (!more(w)) {
            w->mode |= IN_LINE;
            return;
        }
        k = coded_item(w, w->c->enc ? next_item(w) : 0);
        if (stopped(w))
            return;
        if (k == I_END) {
            end_line(w);
            return;
        }
        w->sized = answered(w) == M_NUMBER && agreed(w);
        if (!coded_as(w, k) || stopped(w))
            return;
    }
}

/* ---- tags ---- */

/* The client counts: A1, A2; a0009, a0010. */
static void next_tag(walk *w)
{
    size_t i = w->tag_len;

    if (i == 0) {
        memcpy(w->tag, "A1", 2);
        w->tag_len = 2;
        return;
    }
    while (i > 0 && w->tag[i - 1] == '9')
        w->tag[--i] = '0';
    if (i > 0 && w->tag[i - 1] >= '0' && w->tag[i - 1] < '9') {
        w->tag[i - 1]++;
    } else if (i < w->tag_len && w->tag_len < MAX_TAG) {
        memmove(w->tag + i + 1, w->tag + i, w->tag_len - i);
        w->tag[i] = '1';
        w->tag_len++;
    }
}

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
        next_tag(w);
    if (c->enc)
        other = n != w->tag_len || memcmp(here(w), w->tag, n) != 0;
    wspi_app_only(c, 0, 0);
    other = wspi_app_code(c, TAG, true, 0, other);
    if (other) {
        n = (size_t)wspi_app_code(c, NAME, false, 0, n);
        wspi_app_require(c, n <= MAX_TAG && (c->fill || n <= wspi_app_captured(c)));
        if (!stopped(w))
            wspi_app_text(c, n, WSPI_MIN(n, (size_t)NAME_SHOWN), WSPI_TEXT_WORD);
    } else {
        n = w->tag_len;
        literal(w, (const char *)w->tag, n);
    }
    literal(w, " ", 1);
    if (stopped(w) || !asks)
        return;
    c->name_at = at;
    c->name_len = (uint16_t)n;
    memcpy(w->tag, (c->enc ? c->pay.in : c->pay.out->data) + at, n);
    w->tag_len = n;
}

/* ---- lines ---- */

/* Is the line a greeting and nothing else? */
static bool greets(const wspi_line_row *r)
{
    return r->script[0] == M_GREET || r->script[1] == M_GREET;
}

/*
 * Samples: may the line be of this row? The first one of a flow says which protocol it is; a code that goes on is followed by
 * itself or its end.
 */
static bool row_fits(const walk *w, unsigned k)
{
    unsigned flags = k < w->g->n_lines ? w->g->rows[k].flags : 0;

    if (w->lines && flags_of(w) & MORE)
        return k == w->row + 1 || (k == w->row && w->lines < MAX_SAMPLED);
    if (!(flags & (w->c->dir ? ANSWERS : ASKS)) || (!spoken(w) && !(flags & FIRST)) ||
        (w->lines && flags & FIRST))
        return false;
    if (flags & GOES)
        return w->c->ctx->app.mode[0] & IN_BODY;
    if (greets(&w->g->rows[k]) && w->c->ctx->app.id[1] == w->c->pay.app)
        return false;
    if (flags & TAGGED && flags & ANSWERS)
        return w->tag_len > 0;
    return !(w->g->rows[k].script[1] & M_ADDR || w->g->rows[k].script[0] & M_ADDR) ||
           own_address(w);
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
    if (!stopped(w))
        w->row = (unsigned)v;
    return !stopped(w);
}

/* Encoding: row, case and end of the line at hand. */
static unsigned read_line(walk *w, bool resumed, size_t *tag, unsigned *form)
{
    unsigned row = TEXT, kase = w->form & (CASES - 1);

    find_line(w);
    if (!resumed)
        row = begins_with(w->g, here(w), w->eol - w->c->pay.at, tag, &kase);
    if (w->c->n >= (row == TEXT ? MAX_TEXT : MAX_TOKENS))
        row = REST;
    *form =
        kase | (w->next ? (w->next - w->eol == 1 ? (unsigned)BARE_LF : 0u) : (w->form & BARE_LF));
    return row;
}

static void write_word(walk *w)
{
    const char *s = w->row < FIRST_LINE ? "" : w->g->lines[w->row].name;
    char word[MAX_WORD];
    size_t n = WSPI_MIN(strlen(s), sizeof word);

    for (size_t i = 0; i < n; i++)
        word[i] = (char)cased(s, i, w->form & (CASES - 1));
    literal(w, word, n);
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

    if (stopped(w))
        return false;
    if (c->enc)
        row = read_line(w, resumed, &tag, &form);
    if (resumed)
        w->row = TEXT;
    else if (!coded_row(w, row))
        return false;
    if (w->row == REST) {
        wspi_app_opaque(c, wspi_app_captured(c));
        w->mode |= line_done(w) ? 0 : IN_LINE;
        return true;
    }
    wspi_app_only(c, 0, 0);
    w->form = (unsigned)wspi_app_code(c, FORM, true, w->form, form);
    wspi_app_require(c, w->form < 2 * CASES);
    if (stopped(w))
        return false;
    if (flags_of(w) & TAGGED)
        coded_tag(w, tag);
    write_word(w);
    items(w);
    if (!stopped(w))
        after_line(w);
    return !stopped(w);
}

/* ---- segments ---- */

static void resume(walk *w)
{
    wspi_coder *c = w->c;
    uint64_t form;

    if (wspi_app_last(c, true, FORM, &form) && form < 2 * CASES)
        w->form = (unsigned)form;
    w->mode = c->app.mode[c->dir];
    if (c->fill)
        w->mode &= IN_BODY | AT_START;
    if (w->mode & IN_BODY && !agreed(w))
        w->mode &= ~(unsigned)(IN_BODY | AT_START);
    if (w->g == &wspi_lines_imap)
        take_tag(w);
    if (w->mode & IN_LINE && more(w)) {
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

bool wspi_lines_may_speak(const wsp_context *ctx, int dir)
{
    const wspi_app_state *s = &ctx->app;
    uint8_t app = is_line_app(s->id[1]) ? s->id[1] : s->id[0];
    uint64_t v = s->v[1][LINE];
    unsigned flags;

    if (!is_line_app(app))
        return true;
    if (ctx->spoke == 0)
        return dir == 1;
    flags = app == s->id[1] && v < lines_of(app)->n_lines ? lines_of(app)->rows[v].flags : 0;
    return (dir == 1) == (flags & (AND | LATER) && !(flags & FIRST));
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
}

static void walk_segment(wspi_coder *c)
{
    walk w = {.c = c, .g = lines_of(c->pay.app), .budget = TEXT_SHOWN};

    resume(&w);
    while (!stopped(&w) && again(&w)) {
        if (w.mode & COUNTS && !c->fill) {
            counted(&w);
        } else if (w.mode & IN_BODY && agreed(&w)) {
            body(&w);
            w.lines = 0;
        } else if (!line(&w, false)) {
            break;
        }
    }
    if (!stopped(&w))
        finish(&w);
}

/* ---- the four ---- */

static bool takes_smtp(const wspi_coder *c)
{
    return choose(c) == WSPI_APP_SMTP;
}

static bool takes_pop3(const wspi_coder *c)
{
    return choose(c) == WSPI_APP_POP3;
}

static bool takes_imap(const wspi_coder *c)
{
    return choose(c) == WSPI_APP_IMAP;
}

static bool takes_ftp(const wspi_coder *c)
{
    return choose(c) == WSPI_APP_FTP;
}

#define APP(p, ...)                                                                      \
    const wspi_app wspi_app_##p = {.proto = {.name = #p,                                 \
                                             .fields = wspi_##p##_fields,                \
                                             .n_fields = WSPI_COUNT(wspi_##p##_fields)}, \
                                   .over = WSPI_OVER_TCP,                                \
                                   .takes = takes_##p,                                   \
                                   .walk = walk_segment,                                 \
                                   .ports = {__VA_ARGS__},                               \
                                   .ports_only = true}

APP(smtp, 25, 587);
APP(pop3, 110);
APP(imap, 143);
APP(ftp, 21);
