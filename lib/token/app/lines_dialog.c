/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lines_dialog.c: what samples of SMTP, POP3, IMAP and FTP say when: a mail has a sender before it has recipients, files are
 * fetched behind a login, and an answer is one to its question. A dialog has stages; answers lead from one to another.
 * Whatever is encoded moves the stage too, but no token depends on it.
 */
#include "token/app/lines.h"

#include <strings.h>

/* Of a dialog, in the mode of the server's direction: the stage, and whether enough was said to end the connection. */
enum { STAGE = 4, STAGES = 7, ENOUGH = 0x80 };
/* Stages that all have: nothing was said; greeted; over. SMTP: 2 after HELO, 3 sender, 4 recipients, 5 a mail. The others:
 * 2 named (IMAP: logged in), 3 logged in (IMAP: in a mailbox); FTP: 4 transfer, 5 features told. */
enum {
    NEW,
    GREETED,
    NAMED,
    INSIDE,
    BUSY,
    TOLD,
    OVER,
    SAME,
    NEVER /* as `fails`: no such answer */
};
enum { MAX_ANSWERS = 3 };
#define AT(stage)     (1u << (stage))
#define AT_2(a, b)    (AT(a) | AT(b))
#define AT_3(a, b, c) (AT(a) | AT_2(b, c))
#define ANY_TIME      (AT(GREETED) | AT(NAMED) | AT(INSIDE) | AT(BUSY))

typedef struct turn {
    const char *ask;     /* NULL: the greeting */
    uint8_t when;        /* stages in which it is asked, as bits */
    uint8_t then, fails; /* what an answer of the list leads to, and another one */
    bool enough;
    const char *answers[MAX_ANSWERS]; /* IMAP: behind others, a tagged one ends them (RFC 9051 6) */
} turn;

static const turn smtp[] = {
    {NULL, AT(NEW), GREETED, SAME, false, {"220 "}},
    {"EHLO", AT(GREETED), 2, SAME, true, {"250-", "250 "}},
    {"HELO", AT(GREETED), 2, SAME, true, {"250 "}},
    {"MAIL FROM:<", AT(2), 3, SAME, true, {"250 "}},
    {"RCPT TO:<", AT_2(3, 4), 4, SAME, true, {"250 "}},
    {"DATA", AT(4), 5, SAME, true, {"354 "}},
    {"DATA", AT(5), 2, 2, true, {"250 "}}, /* the mail was sent */
    {"RSET", AT_3(2, 3, 4), 2, SAME, true, {"250 "}},
    {"NOOP", AT_3(2, 3, 4), SAME, SAME, true, {"250 "}},
    {"VRFY", AT_3(2, 3, 4), SAME, SAME, true, {"252 "}},
    {"HELP", AT_3(2, 3, 4), SAME, SAME, true, {"214 "}},
    {"QUIT", ANY_TIME, OVER, NEVER, true, {"221 "}},
};
static const turn pop3[] = {
    {NULL, AT(NEW), GREETED, SAME, false, {"+OK"}},
    {"USER", AT(GREETED), NAMED, NEVER, false, {"+OK"}},
    {"PASS", AT(NAMED), INSIDE, GREETED, true, {"+OK"}},
    {"STAT", AT(INSIDE), SAME, SAME, true, {"+OK"}},
    {"LIST", AT(INSIDE), SAME, SAME, true, {"+OK"}},
    {"UIDL", AT(INSIDE), SAME, SAME, true, {"+OK"}},
    {"RETR", AT(INSIDE), SAME, SAME, true, {"+OK"}},
    {"TOP", AT(INSIDE), SAME, SAME, true, {"+OK"}},
    {"DELE", AT(INSIDE), SAME, SAME, true, {"+OK"}},
    {"NOOP", AT(INSIDE), SAME, SAME, true, {"+OK"}},
    {"RSET", AT(INSIDE), SAME, SAME, true, {"+OK"}},
    {"QUIT", ANY_TIME, OVER, NEVER, true, {"+OK"}},
};
static const turn imap[] = {
    {NULL, AT(NEW), GREETED, SAME, false, {"* OK"}},
    {"CAPABILITY", ANY_TIME, SAME, SAME, true, {"* CAPABILITY", "OK"}},
    {"NOOP", ANY_TIME, SAME, SAME, true, {"OK"}},
    {"LOGIN", AT(GREETED), NAMED, SAME, true, {"OK"}},
    {"LIST", AT_2(NAMED, INSIDE), SAME, SAME, true, {"OK", "* LIST"}},
    {"LSUB", AT_2(NAMED, INSIDE), SAME, SAME, true, {"OK", "* LSUB"}},
    {"STATUS", AT_2(NAMED, INSIDE), SAME, SAME, true, {"OK"}},
    {"CREATE", AT_2(NAMED, INSIDE), SAME, SAME, true, {"OK"}},
    {"DELETE", AT_2(NAMED, INSIDE), SAME, SAME, true, {"OK"}},
    {"SUBSCRIBE", AT_2(NAMED, INSIDE), SAME, SAME, true, {"OK"}},
    {"SELECT", AT_2(NAMED, INSIDE), INSIDE, NAMED, true, {"* FLAGS", "*", "OK"}},
    {"EXAMINE", AT_2(NAMED, INSIDE), INSIDE, NAMED, true, {"* FLAGS", "*", "OK"}},
    {"CHECK", AT(INSIDE), SAME, SAME, true, {"OK"}},
    {"CLOSE", AT(INSIDE), NAMED, SAME, true, {"OK"}},
    {"EXPUNGE", AT(INSIDE), SAME, SAME, true, {"OK", "*"}},
    {"SEARCH", AT(INSIDE), SAME, SAME, true, {"* SEARCH", "OK"}},
    {"UID SEARCH", AT(INSIDE), SAME, SAME, true, {"* SEARCH", "OK"}},
    {"FETCH", AT(INSIDE), SAME, SAME, true, {"OK", "*"}},
    {"UID FETCH", AT(INSIDE), SAME, SAME, true, {"OK", "*"}},
    {"STORE", AT(INSIDE), SAME, SAME, true, {"OK", "*"}},
    {"UID STORE", AT(INSIDE), SAME, SAME, true, {"OK", "*"}},
    {"COPY", AT(INSIDE), SAME, SAME, true, {"OK"}},
    {"LOGOUT", ANY_TIME, OVER, NEVER, true, {"* BYE", "OK"}},
};
static const turn ftp[] = {
    {NULL, AT(NEW), GREETED, SAME, false, {"220 "}},
    {"FEAT", AT(GREETED), TOLD, TOLD, false, {"211-", "211 "}},
    {"USER", AT_2(GREETED, TOLD), NAMED, NEVER, false, {"331 "}},
    {"PASS", AT(NAMED), INSIDE, GREETED, true, {"230 "}},
    {"FEAT", AT(INSIDE), SAME, SAME, true, {"211-", "211 "}},
    {"SYST", AT(INSIDE), SAME, SAME, true, {"215 "}},
    {"HELP", AT(INSIDE), SAME, SAME, true, {"214 "}},
    {"STAT", AT(INSIDE), SAME, SAME, true, {"211-", "211 "}},
    {"NOOP", AT(INSIDE), SAME, SAME, true, {"200 "}},
    {"OPTS UTF8 ON", AT(INSIDE), SAME, SAME, true, {"200 ", "202 "}},
    {"TYPE I", AT(INSIDE), SAME, SAME, true, {"200 "}},
    {"TYPE A", AT(INSIDE), SAME, SAME, true, {"200 "}},
    {"PWD", AT(INSIDE), SAME, SAME, true, {"257 "}},
    {"CWD", AT(INSIDE), SAME, SAME, true, {"250 "}},
    {"CDUP", AT(INSIDE), SAME, SAME, true, {"250 "}},
    {"PORT", AT(INSIDE), SAME, SAME, true, {"200 "}},
    {"PASV", AT(INSIDE), SAME, SAME, true, {"227 "}},
    {"EPSV", AT(INSIDE), SAME, SAME, true, {"229 "}},
    {"SIZE", AT(INSIDE), SAME, SAME, true, {"213 "}},
    {"MDTM", AT(INSIDE), SAME, SAME, true, {"213 "}},
    {"MLST", AT(INSIDE), SAME, SAME, true, {"250 "}},
    {"REST", AT(INSIDE), SAME, SAME, true, {"350 "}},
    {"RNFR", AT(INSIDE), SAME, SAME, true, {"350 "}},
    {"DELE", AT(INSIDE), SAME, SAME, true, {"250 "}},
    {"RMD", AT(INSIDE), SAME, SAME, true, {"250 "}},
    {"MKD", AT(INSIDE), SAME, SAME, true, {"257 "}},
    {"ABOR", AT(INSIDE), SAME, SAME, true, {"225 ", "226 "}},
    {"LIST", AT(INSIDE), BUSY, SAME, true, {"150 ", "125 "}},
    {"NLST", AT(INSIDE), BUSY, SAME, true, {"150 ", "125 "}},
    {"MLSD", AT(INSIDE), BUSY, SAME, true, {"150 ", "125 "}},
    {"RETR", AT(INSIDE), BUSY, SAME, true, {"150 ", "125 "}},
    {"STOR", AT(INSIDE), BUSY, SAME, true, {"150 ", "125 "}},
    {"LIST", AT(BUSY), INSIDE, INSIDE, true, {"226 "}},
    {"NLST", AT(BUSY), INSIDE, INSIDE, true, {"226 "}},
    {"MLSD", AT(BUSY), INSIDE, INSIDE, true, {"226 "}},
    {"RETR", AT(BUSY), INSIDE, INSIDE, true, {"226 "}},
    {"STOR", AT(BUSY), INSIDE, INSIDE, true, {"226 "}},
    {"QUIT", ANY_TIME, OVER, NEVER, true, {"221 "}},
};

/* In the order of their numbers. `begun`: the stage of a connection whose beginning was not seen. */
static const struct {
    const turn *turns;
    size_t n;
    uint8_t begun;
    uint8_t owes;         /* the stage in which the client has to go on, or NEVER */
    const char *stranger; /* the error that nobody has who is logged in, or NULL */
} dialogs[] = {{smtp, WSPI_COUNT(smtp), GREETED, 5, NULL},
               {pop3, WSPI_COUNT(pop3), INSIDE, NEVER, NULL},
               {imap, WSPI_COUNT(imap), INSIDE, NEVER, NULL},
               {ftp, WSPI_COUNT(ftp), INSIDE, NEVER, "530 "}};

static unsigned stage_of(const wsp_context *ctx, uint8_t app)
{
    unsigned stage = ctx->app.id[1] == app ? ctx->app.mode[1] >> STAGE & STAGES : NEW;

    return stage == NEW && ctx->app.id[0] == app ? dialogs[app - WSPI_APP_SMTP].begun : stage;
}

/* The word of a line, or NULL. */
static const char *word_of(uint8_t app, uint64_t row)
{
    const wspi_lines *g = wspi_lines_of(app);

    return row >= FIRST_LINE && row < g->n_lines ? g->lines[row].name : NULL;
}

bool wspi_dialog_is_over(const wsp_context *ctx, uint8_t app)
{
    return stage_of(ctx, app) == OVER;
}

bool wspi_dialog_may_end(const wsp_context *ctx, uint8_t app)
{
    return ctx->app.id[1] == app && ctx->app.mode[1] & ENOUGH &&
           stage_of(ctx, app) != dialogs[app - WSPI_APP_SMTP].owes;
}

const char *wspi_dialog_asked(const wsp_context *ctx, uint8_t app)
{
    return ctx->app.id[0] == app ? word_of(app, ctx->app.v[0][LINE]) : NULL;
}

/* What the server answers now, or NULL when it is no question of the table. */
static const turn *asked(const wsp_context *ctx, uint8_t app, unsigned stage)
{
    const char *ask = wspi_dialog_asked(ctx, app);
    const turn *t = dialogs[app - WSPI_APP_SMTP].turns;

    for (size_t i = 0; i < dialogs[app - WSPI_APP_SMTP].n; i++, t++)
        if (t->when >> stage & 1 && (ask ? t->ask && strcmp(ask, t->ask) == 0 : !t->ask))
            return t;
    return NULL;
}

static bool is_answer(const turn *t, const char *word)
{
    for (size_t i = 0; word && i < MAX_ANSWERS && t->answers[i]; i++)
        if (strcmp(t->answers[i], word) == 0)
            return true;
    return false;
}

/* Is the word an error that may answer? */
static bool is_error(const wsp_context *ctx, uint8_t app, const turn *t, unsigned row)
{
    const char *stranger = dialogs[app - WSPI_APP_SMTP].stranger;

    if (!t->ask || t->fails == NEVER || wspi_lines_of(app)->rows[row].script[0] != M_ERROR)
        return false;
    return !stranger || strcmp(stranger, word_of(app, row)) != 0 ||
           !(AT_2(INSIDE, BUSY) >> stage_of(ctx, app) & 1);
}

/* May the other side ask this, the server answer so? Errors answer all but a greeting. */
bool wspi_dialog_fits(const wsp_context *ctx, uint8_t app, int dir, unsigned row)
{
    unsigned stage = stage_of(ctx, app);
    const char *word = word_of(app, row);
    const turn *t;

    if (!word)
        return true;
    if (dir == 1) {
        t = asked(ctx, app, stage);
        return !t || is_answer(t, word) || is_error(ctx, app, t, row);
    }
    if (ctx->app.id[0] != app && ctx->app.id[1] != app)
        return true;
    t = dialogs[app - WSPI_APP_SMTP].turns;
    for (size_t i = 0; i < dialogs[app - WSPI_APP_SMTP].n; i++, t++)
        if (t->when >> stage & 1 && t->ask && strcmp(word, t->ask) == 0)
            return t->then != OVER || wspi_dialog_may_end(ctx, app);
    return false;
}

bool wspi_dialog_lacks(const wsp_context *ctx, uint8_t app, unsigned row)
{
    const turn *t = asked(ctx, app, stage_of(ctx, app));
    const char *word = word_of(app, row);

    return ctx->spoke == 0 && word && t && wspi_lines_of(app)->rows[row].flags & TAGGED &&
           is_answer(t, word) && strcmp(t->answers[0], word) != 0;
}

bool wspi_dialog_names(const wsp_context *ctx, uint8_t app, const char *text)
{
    const wspi_lines *g = wspi_lines_of(app);
    const char *ask = wspi_dialog_asked(ctx, app), *s = strchr(text, ']');
    size_t n;

    s = s ? s + 1 + (s[1] == ' ')
          : text; /* behind a code of its own: [READ-WRITE] SELECT completed */
    n = strcspn(s, " .");
    if (ask && strncmp(ask, "UID ", 4) == 0)
        ask += 4;
    if (!ask || (strlen(ask) == n && strncasecmp(ask, s, n) == 0))
        return true;
    for (unsigned k = FIRST_LINE; k < g->n_lines; k++)
        if (g->rows[k].flags & ASKS && strlen(g->lines[k].name) == n &&
            strncasecmp(g->lines[k].name, s, n) == 0)
            return false;
    return true;
}

/* RFC 9051 2.2.2: what has no tag is not the end of an answer, of a goodbye neither. */
static bool goes_on(uint8_t app, uint64_t row, const turn *t)
{
    return app == WSPI_APP_IMAP && t->ask && row < wspi_lines_of(app)->n_lines &&
           !(wspi_lines_of(app)->rows[row].flags & TAGGED);
}

uint8_t wspi_dialog_after(const wsp_context *ctx, uint8_t app, uint64_t row)
{
    unsigned stage = stage_of(ctx, app), to;
    const turn *t = asked(ctx, app, stage);
    uint8_t enough = ctx->app.id[1] == app ? ctx->app.mode[1] & ENOUGH : 0;
    bool good;

    if (!t || goes_on(app, row, t))
        return (uint8_t)(enough | stage << STAGE);
    good = is_answer(t, word_of(app, row));
    to = good ? t->then : t->fails;
    if (t->enough)
        enough = ENOUGH;
    return (uint8_t)(enough | (to >= SAME ? stage : to) << STAGE);
}
