/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lines_find.c: the words of SMTP, POP3, IMAP and FTP in bytes: what a line begins with, which of the four it is of, and
 * phrases, numbers and addresses in it.
 */
#include "token/app/lines.h"

enum { MAX_DIGITS = 9, LOOK = 256 };

const wspi_lines *wspi_lines_of(uint8_t app)
{
    static const wspi_lines *const all[] = {&wspi_lines_smtp, &wspi_lines_pop3, &wspi_lines_imap,
                                            &wspi_lines_ftp};

    return all[app - WSPI_APP_SMTP];
}

bool wspi_is_lines(uint8_t app)
{
    return app >= WSPI_APP_SMTP && app <= WSPI_APP_FTP;
}

/* ---- what a line begins with ---- */

/* A word in the case of a form: "MAIL FROM", "mail from", "Mail From", "MAIL From". */
uint8_t wspi_lines_cased(const char *s, size_t i, unsigned form)
{
    bool first = i == 0 || s[i - 1] == ' ';
    bool lower = form == LOWER || (form == TITLE && !first) ||
                 (form == MIXED && !first && memchr(s, ' ', i));

    return lower && s[i] >= 'A' && s[i] <= 'Z' ? (uint8_t)(s[i] | 0x20) : (uint8_t)s[i];
}

static bool is_cased(const uint8_t *b, const char *s, size_t n, unsigned form)
{
    for (size_t i = 0; i < n; i++)
        if (b[i] != wspi_lines_cased(s, i, form))
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

unsigned wspi_lines_row(const wspi_lines *g, const uint8_t *b, size_t n, size_t *tag,
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
        const wspi_lines *g = wspi_lines_of((uint8_t)(WSPI_APP_SMTP + i));
        unsigned form = 0, row;
        size_t tag;
        row = wspi_lines_row(g, b, n, &tag, &form);
        if (row != TEXT && !(g->rows[row].flags & WEAK))
            found |= 1u << i;
    }
    return found;
}

bool wspi_lines_look(const uint8_t *b, size_t n)
{
    return candidates(b, first_line(b, n)) != 0;
}

/*
 * The protocol of a payload that does not go on with what was before, or 0. Many commands and codes are of several
 * protocols: the other direction's decides, then its own; without, such a line is of none (USER is IRC's, too). A flow that
 * has one may have any line of text.
 */
uint8_t wspi_lines_choose(const wspi_coder *c)
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
    if (!wspi_is_lines(mine) && !wspi_is_lines(theirs) && s->seen[!c->dir])
        return 0; /* it answers something else */
    if (wspi_is_lines(mine) && mine == theirs)
        return mine;
    found = candidates(b, n);
    if (wspi_is_lines(theirs) && (found >> (theirs - WSPI_APP_SMTP) & 1))
        return theirs;
    if (wspi_is_lines(mine) && (!found || found >> (mine - WSPI_APP_SMTP) & 1))
        return mine;
    if (!found)
        return wspi_is_lines(theirs) && !s->seen[c->dir] ? theirs : 0;
    if ((theirs == WSPI_APP_SMTP || theirs == WSPI_APP_FTP) && found & either)
        found &= either;
    if (found == either)
        return by_content(b, n);
    return found & (found - 1) ? 0 : (uint8_t)(WSPI_APP_SMTP + __builtin_ctz(found));
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

bool wspi_joins_before(const char *s)
{
    return joins(s, *s, " )]>,.;:|");
}

bool wspi_joins_behind(const char *s)
{
    return joins(s, *s ? s[strlen(s) - 1] : 0, " (<[{=|@");
}

static bool word_byte(uint8_t b)
{
    return (b >= 'a' && b <= 'z') || (b >= 'A' && b <= 'Z') || (b >= '0' && b <= '9') || b >= 0x80;
}

/* Encoding: the longest phrase that [b, b + n) begins with and that ends where a word does, or 0. */
unsigned wspi_phrase_at(const wspi_lines *g, const uint8_t *b, size_t n)
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
size_t wspi_number_at(const uint8_t *b, size_t n, uint64_t *v)
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
size_t wspi_address_at(const uint8_t *b, size_t n, uint64_t *v)
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

size_t wspi_name_at(const uint8_t *b, size_t n, bool secret)
{
    size_t len = 0;

    while (len < n && b[len] > ' ' && b[len] != 0x7f &&
           (secret || len == 0 || !strchr(")]>\"", b[len])))
        len++;
    return len;
}

uint64_t wspi_own_address(const wsp_packet *p)
{
    for (size_t i = p->n_layers; i-- > 0;)
        if (p->layers[i].id == WSPI_IPV4)
            return p->layers[i].v[WSPI_IPV4_SRC];
    return 0;
}

unsigned wspi_expected_item(uint64_t set)
{
    return set == M_NAME ? I_NAME : set == M_NUMBER ? I_NUMBER : set == M_MAIL ? I_MAILBOX : I_END;
}

bool wspi_item_fits(const wspi_lines *g, uint64_t set, unsigned k)
{
    static const uint64_t special[FIRST_PHRASE] = {
        [I_END] = M_END,      [I_NAME] = M_NAME,    [I_NUMBER] = M_NUMBER,
        [I_MAILBOX] = M_MAIL, [I_ADDRESS] = M_ADDR, [I_PORT] = M_PORT};

    return k < g->n_items && set & (k < FIRST_PHRASE ? special[k] : g->sets[k]);
}

bool wspi_row_greets(const wspi_line_row *r)
{
    return r->script[0] == M_GREET || r->script[1] == M_GREET;
}

/* RFC 5321 4.1.1.1: the server's name, then what it can; the last line has no hyphen behind its code. */
uint64_t wspi_list_set(const wspi_lines *g, unsigned row, unsigned lines, uint64_t set)
{
    bool of_list = g->rows[row].flags & MORE && set == (M_NAME | M_MORE),
         last = row && lines && g->rows[row - 1].flags & MORE && set == M_DONE;

    if (!of_list && !last)
        return set;
    return lines ? M_MORE : M_NAME;
}

bool wspi_item_is_word(const wspi_lines *g, unsigned k, bool first)
{
    if (k < FIRST_PHRASE || k >= g->n_items)
        return k == I_NAME || k == I_NUMBER;
    return k > I_SPACE && !(first && wspi_joins_before(g->items[k].name));
}

/* ---- what goes on ---- */

size_t wspi_body_len(const uint8_t *b, size_t n, bool start)
{
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

void wspi_next_tag(uint8_t tag[MAX_TAG], size_t *len)
{
    size_t i = *len;

    if (i == 0) {
        memcpy(tag, "A1", 2);
        *len = 2;
        return;
    }
    while (i > 0 && tag[i - 1] == '9')
        tag[--i] = '0';
    if (i > 0 && tag[i - 1] >= '0' && tag[i - 1] < '9') {
        tag[i - 1]++;
    } else if (i < *len && *len < MAX_TAG) {
        memmove(tag + i + 1, tag + i, *len - i);
        tag[i] = '1';
        ++*len;
    }
}

bool wspi_lines_may_speak(const wsp_context *ctx, int dir)
{
    const wspi_app_state *s = &ctx->app;
    uint8_t app = wspi_is_lines(s->id[1]) ? s->id[1] : s->id[0];
    uint64_t v = s->v[1][LINE];
    unsigned flags;

    if (!wspi_is_lines(app))
        return true;
    if (wspi_dialog_is_over(ctx, app))
        return false;
    if (ctx->spoke == 0)
        return dir == 1;
    flags =
        app == s->id[1] && v < wspi_lines_of(app)->n_lines ? wspi_lines_of(app)->rows[v].flags : 0;
    return (dir == 1) == (flags & (AND | LATER) && !(flags & FIRST));
}

bool wspi_lines_may_end(const wsp_context *ctx)
{
    uint8_t app = wspi_is_lines(ctx->app.id[1]) ? ctx->app.id[1] : ctx->app.id[0];

    return wspi_is_lines(app) && wspi_dialog_may_end(ctx, app) &&
           (wspi_dialog_is_over(ctx, app) || wspi_lines_may_speak(ctx, 0));
}
