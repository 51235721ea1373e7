/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tds.c: dialogs of Microsoft SQL Server: Tabular Data Stream 7.4 (MS-TDS, sections 2.2.3, 2.2.6 and 2.2.7):
 *
 *     | type 8 | status 8 | length 16 | process 16 | packet 8 | 0 |, the highest byte first; what follows has the lowest first
 *
 * Texts are UTF-16, and lengths of texts are in characters.
 */
#include "generate/dialog/sql.h"

#include <stdio.h>

enum type { BATCH = 1, CALL = 3, RESPONSE = 4, ATTENTION = 6, LOGIN = 16, PRELOGIN = 18 };
enum { HEAD = 8, LAST = 1 };

/* kept */
enum { PHASE, ASKED, CALLED, TRANSACTION, MORE, PACKET };
enum { START, PRELOGGED, ANSWERED, LOGGED_IN, READY };

/* What is asked for beside statements */
enum { CANCEL = WSPI_SQL_KINDS };

enum { HOST = WSPI_SQL_NAMES, SERVER };

/* Returns where the header lies. */
static size_t tds_begin(wspi_pen *p)
{
    wspi_pen_zeros(p, HEAD);
    return p->n - HEAD;
}

static void tds_end(wspi_dialog *d, wspi_pen *p, enum type type, bool last)
{
    uint32_t process = 51 + wspi_dialog_number(d, SERVER) % 100;

    wspi_pen_be_at(p, 0, type, 1);
    wspi_pen_be_at(p, 1, last ? LAST : 0, 1);
    wspi_pen_be_at(p, 2, p->n, 2);
    wspi_pen_be_at(p, 4, type == RESPONSE ? process : 0, 2);
    wspi_pen_be_at(p, 6, ++d->kept[PACKET] & 0xff, 1);
    if (last)
        d->kept[PACKET] = 0;
}

/* What lies behind `at`, in letters of 16 bits. Returns how many there are. */
static size_t widen(wspi_pen *p, size_t at)
{
    size_t n = p->n - at;

    wspi_pen_zeros(p, n);
    for (size_t i = n; i-- > 0 && !p->full;) {
        p->bytes[at + 2 * i] = p->bytes[at + i];
        p->bytes[at + 2 * i + 1] = 0;
    }
    return n;
}

static void wide(wspi_pen *p, const char *s)
{
    size_t at = p->n;

    wspi_pen_text(p, s);
    widen(p, at);
}

/* | length 8 or 16 | text | */
static void tds_text(wspi_pen *p, const char *s, size_t bytes)
{
    wspi_pen_le(p, strlen(s), bytes);
    wide(p, s);
}

static void tds_name(const wspi_dialog *d, wspi_pen *p, unsigned k)
{
    char name[WSPI_DIALOG_NAME];

    wspi_dialog_name(d, k, name);
    tds_text(p, name, 1);
}

/* ---- logging in ---- */

/* | option 8 | where 16 | length 16 |..., 255, and then what they are; the instance has a free length. */
static void tds_options(wspi_dialog *d, wspi_pen *p, size_t want, bool client)
{
    enum {
        OPTIONS = 5,
        ROW = 5,
        FIXED = HEAD + OPTIONS * ROW + 1 + 6 + 1 + 4 + 1 + 1,
        ENCRYPTION_NOT_SUPPORTED = 2
    };
    size_t instance = client && want > FIXED ? want - FIXED : 0;
    const size_t length[OPTIONS] = {6, 1, instance + 1, client ? 4 : 0, 1};
    size_t where = OPTIONS * ROW + 1;

    tds_begin(p);
    for (size_t i = 0; i < OPTIONS; i++) {
        wspi_pen_be(p, i, 1);
        wspi_pen_be(p, where, 2);
        wspi_pen_be(p, length[i], 2);
        where += length[i];
    }
    wspi_pen_be(p, 0xff, 1);
    wspi_pen_be(p, client ? 17 : 12 + wspi_dialog_number(d, SERVER) % 5, 1); /* version, */
    wspi_pen_be(p, 0, 1);
    wspi_pen_be(p, 1000 + wspi_dialog_number(d, client) % 4000, 2);
    wspi_pen_be(p, 0, 2);
    wspi_pen_be(p, ENCRYPTION_NOT_SUPPORTED, 1);
    wspi_pen_letters(p, instance);
    wspi_pen_zeros(p, 1);
    if (client)
        wspi_pen_be(p, 1000 + wspi_pen_pick(p, 20000), 4); /* thread */
    wspi_pen_zeros(p, 1);                                  /* no multiple results */
    tds_end(d, p, client ? PRELOGIN : RESPONSE, true);
    d->kept[PHASE] = client ? PRELOGGED : ANSWERED;
}

static void tds_prelogin(wspi_dialog *d, wspi_pen *p, size_t want)
{
    tds_options(d, p, want, true);
}

static void tds_prelogged(wspi_dialog *d, wspi_pen *p, size_t want)
{
    tds_options(d, p, want, false);
}

static void hide(wspi_pen *p, size_t at)
{
    for (; at < p->n; at++)
        p->bytes[at] = (uint8_t)((p->bytes[at] << 4 | p->bytes[at] >> 4) ^ 0xa5);
}

/* Where and how long the text that begins at `start` is, in a table behind the fixed part. */
static void tds_place(wspi_pen *p, size_t row, size_t start)
{
    enum { TABLE = HEAD + 36 };

    wspi_pen_le_at(p, TABLE + 4 * row, start - HEAD, 2);
    wspi_pen_le_at(p, TABLE + 4 * row + 2, (p->n - start) / 2, 2);
}

static size_t name_size(const wspi_dialog *d, unsigned k)
{
    char name[WSPI_DIALOG_NAME];

    wspi_dialog_name(d, k, name);
    return strlen(name);
}

/* | length 32 | version, packet size, client's version, process, connection 32 | options | where texts are, and how long | texts | */
static void tds_login(wspi_dialog *d, wspi_pen *p, size_t want)
{
    enum { FIXED = 94, VERSION_7_4 = 0x74000004, OPTIONS = 0x3e0, US_ENGLISH = 0x409, LEAST = 4 };
    enum {
        HOST_NAME,
        USER_NAME,
        PASSWORD,
        APPLICATION,
        SERVER_NAME,
        EXTENSION,
        DRIVER,
        LANGUAGE,
        DATABASE,
        PLACES = 12
    };
    static const int8_t named[PLACES] = {[HOST_NAME] = HOST,
                                         [USER_NAME] = WSPI_SQL_USER,
                                         [SERVER_NAME] = SERVER,
                                         [DATABASE] = WSPI_SQL_BASE};
    static const uint8_t order[] = {HOST_NAME,   USER_NAME, PASSWORD, APPLICATION,
                                    SERVER_NAME, DRIVER,    DATABASE};
    size_t behind = 2 * (name_size(d, SERVER) + 4 + name_size(d, WSPI_SQL_BASE));
    size_t at = tds_begin(p) + HEAD, start;

    wspi_pen_zeros(p, FIXED);
    wspi_pen_le_at(p, at + 4, VERSION_7_4, 4);
    wspi_pen_le_at(p, at + 8, 4096, 4);
    wspi_pen_le_at(p, at + 12, 7, 4);
    wspi_pen_le_at(p, at + 16, 1000 + wspi_pen_pick(p, 20000), 4);
    wspi_pen_le_at(p, at + 24, OPTIONS, 4);
    wspi_pen_le_at(p, at + 32, US_ENGLISH, 4);
    for (size_t i = 0; i < WSPI_COUNT(order); i++) {
        start = p->n;
        if (order[i] == PASSWORD)
            wspi_pen_letters(p, 8);
        else if (order[i] == DRIVER)
            wspi_pen_text(p, "ODBC");
        else if (order[i] == APPLICATION)
            wspi_pen_letters(p, WSPI_MAX(wspi_pen_left(p, want, behind) / 2, (size_t)LEAST));
        else
            wspi_sql_name(d, p, (unsigned)named[order[i]]);
        widen(p, start);
        tds_place(p, order[i], start);
        if (order[i] == PASSWORD)
            hide(p, start);
    }
    wspi_pen_le_at(p, at, p->n - at, 4);
    tds_end(d, p, LOGIN, true);
    d->kept[PHASE] = LOGGED_IN;
}

/* ---- tokens of an answer ---- */

enum token {
    COLUMNS = 0x81,
    ERROR = 0xaa,
    INFO = 0xab,
    LOGIN_ACK = 0xad,
    CHANGE = 0xe3,
    DONE = 0xfd,
    DONE_CALL = 0xfe,
    DONE_IN_CALL = 0xff
};
enum { TOKEN_HEAD = 3, DONE_SIZE = 13, STATUS_SIZE = 5, ROW_TOKEN = 0xd1, STATUS_TOKEN = 0x79 };
enum { DONE_MORE = 1, DONE_ERROR = 2, DONE_COUNT = 0x10, DONE_ATTENTION = 0x20 };

/* | token 8 | length 16 |; returns where the length lies. */
static size_t token_begin(wspi_pen *p, enum token token)
{
    wspi_pen_le(p, token, 1);
    wspi_pen_zeros(p, 2);
    return p->n - 2;
}

static void token_end(wspi_pen *p, size_t at)
{
    wspi_pen_le_at(p, at, p->n - at - 2, 2);
}

/* | status 16 | command 16 | rows 64 | */
static void tds_done(wspi_pen *p, enum token token, unsigned status, unsigned command,
                     uint64_t rows)
{
    wspi_pen_le(p, token, 1);
    wspi_pen_le(p, status, 2);
    wspi_pen_le(p, command, 2);
    wspi_pen_le(p, rows, 8);
}

/* | number 32 | state 8 | severity 8 | text | server | procedure | line 32 |; without a text, prose that fills it up to `end`. */
static void tds_message(const wspi_dialog *d, wspi_pen *p, enum token token, unsigned number,
                        const char *s, size_t end)
{
    enum { LINE = 4, LEAST = 4, INFORMS = 0, FAILS = 16 };
    char server[WSPI_DIALOG_NAME];
    size_t at = token_begin(p, token), text, n;

    wspi_dialog_name(d, SERVER, server);
    wspi_pen_le(p, number, 4);
    wspi_pen_le(p, 1, 1);
    wspi_pen_le(p, token == ERROR ? FAILS : INFORMS, 1);
    wspi_pen_zeros(p, 2);
    text = p->n;
    if (s)
        wspi_pen_text(p, s);
    else
        wspi_pen_prose(
            p, WSPI_MAX(wspi_pen_left(p, end, 2 + 2 * strlen(server) + LINE) / 2, (size_t)LEAST));
    n = widen(p, text);
    wspi_pen_le_at(p, text - 2, n, 2);
    tds_text(p, server, 1);
    wspi_pen_le(p, 0, 1);
    wspi_pen_le(p, 1, LINE);
    token_end(p, at);
}

/* What is other now: | what 8 | to | from | */
static void tds_change(wspi_pen *p, unsigned what, const char *to, const char *from)
{
    size_t at = token_begin(p, CHANGE);

    wspi_pen_le(p, what, 1);
    tds_text(p, to, 1);
    tds_text(p, from, 1);
    token_end(p, at);
}

static void tds_transaction(wspi_pen *p, uint64_t id, bool begins)
{
    enum { BEGIN = 8, COMMIT = 9, SIZE = 8 };
    size_t at = token_begin(p, CHANGE);

    wspi_pen_le(p, begins ? BEGIN : COMMIT, 1);
    wspi_pen_le(p, begins ? SIZE : 0, 1);
    if (begins)
        wspi_pen_le(p, id, SIZE);
    wspi_pen_le(p, begins ? 0 : SIZE, 1);
    if (!begins)
        wspi_pen_le(p, id, SIZE);
    token_end(p, at);
}

static void tds_welcome(wspi_dialog *d, wspi_pen *p, size_t want)
{
    enum { DATABASE = 1, PACKET_SIZE = 4, VERSION_7_4 = 0x74000004, CONTEXT = 5701, LEAST = 60 };
    char base[WSPI_DIALOG_NAME], text[64];
    size_t at;

    wspi_dialog_name(d, WSPI_SQL_BASE, base);
    (void)snprintf(text, sizeof text, "Changed database context to '%s'.", base);
    tds_begin(p);
    tds_change(p, DATABASE, base, "master");
    tds_message(d, p, INFO, CONTEXT, text, 0);
    at = token_begin(p, LOGIN_ACK);
    wspi_pen_le(p, 1, 1);
    wspi_pen_be(p, VERSION_7_4, 4);
    tds_text(p, "Microsoft SQL Server", 1);
    wspi_pen_be(p,
                (12 + wspi_dialog_number(d, SERVER) % 5) << 24 |
                    (1000 + wspi_dialog_number(d, 0) % 4000),
                4);
    token_end(p, at);
    tds_change(p, PACKET_SIZE, "4096", "4096");
    if (wspi_pen_left(p, want, DONE_SIZE) > LEAST)
        tds_message(d, p, INFO, 0, NULL, want - DONE_SIZE);
    tds_done(p, DONE, 0, 0, 0);
    tds_end(d, p, RESPONSE, true);
    d->kept[PHASE] = READY;
}

/* ---- asking ---- */

/* All headers: | length 32 | length 32 | 2: a transaction 16 | which 64 | requests 32 | */
static void tds_headers(const wspi_dialog *d, wspi_pen *p)
{
    wspi_pen_le(p, 22, 4);
    wspi_pen_le(p, 18, 4);
    wspi_pen_le(p, 2, 2);
    wspi_pen_le(p, d->kept[TRANSACTION], 8);
    wspi_pen_le(p, 1, 4);
}

/* | 8000 16 | collation | */
static void tds_type(wspi_pen *p, unsigned type)
{
    static const uint8_t latin[] = {0x09, 0x04, 0xd0, 0x00, 0x34};

    wspi_pen_le(p, type, 1);
    wspi_pen_le(p, 8000, 2);
    wspi_pen_add(p, latin, sizeof latin);
}

enum { VARCHAR = 0xa7, INT = 0x38, NVARCHAR = 0xe7 };

/* sp_executesql: a statement, the types of its parameters, and one. */
static void tds_call(wspi_dialog *d, wspi_pen *p, size_t want)
{
    enum { BY_NUMBER = 0xffff, EXECUTE_SQL = 10, NAMELESS = 2 };
    size_t at, n;

    tds_begin(p);
    tds_headers(d, p);
    wspi_pen_le(p, BY_NUMBER, 2);
    wspi_pen_le(p, EXECUTE_SQL, 2);
    wspi_pen_le(p, 0, 2);
    for (int k = 0; k < 2; k++) {
        wspi_pen_zeros(p, NAMELESS);
        tds_type(p, NVARCHAR);
        wspi_pen_zeros(p, 2);
        at = p->n;
        if (k == 0)
            d->kept[ASKED] = wspi_sql_prepared(d, p, "@P0");
        else
            wspi_pen_text(p, "@P0 varchar(8000)");
        n = widen(p, at);
        wspi_pen_le_at(p, at - 2, 2 * n, 2);
    }
    wspi_pen_zeros(p, NAMELESS);
    tds_type(p, VARCHAR);
    n = wspi_pen_left(p, want, 2);
    wspi_pen_le(p, n, 2);
    wspi_pen_prose(p, n);
    tds_end(d, p, CALL, true);
    d->kept[CALLED] = 1;
}

/* One request at a time: who cannot wait for the answer cancels it, once. */
static void tds_ask(wspi_dialog *d, wspi_pen *p, size_t want)
{
    enum { LEAST_CALL = 330 };
    size_t at;

    if (d->kept[ASKED] == CANCEL)
        return;
    if (d->kept[ASKED] != WSPI_SQL_NOTHING) {
        tds_begin(p);
        tds_end(d, p, ATTENTION, true);
        d->kept[ASKED] = CANCEL;
        return;
    }
    if (want >= LEAST_CALL && wspi_pen_pick(p, 2)) {
        tds_call(d, p, want);
        return;
    }
    tds_begin(p);
    tds_headers(d, p);
    at = p->n;
    d->kept[ASKED] = wspi_sql_statement(d, p, wspi_pen_left(p, want, 0) / 2);
    widen(p, at);
    tds_end(d, p, BATCH, true);
    d->kept[CALLED] = 0;
}

/* ---- answering ---- */

static void tds_columns(const wspi_dialog *d, wspi_pen *p)
{
    enum { COLUMNS_OF = 2, NULLABLE = 9 };

    wspi_pen_le(p, COLUMNS, 1);
    wspi_pen_le(p, COLUMNS_OF, 2);
    wspi_pen_zeros(p, 4);
    wspi_pen_le(p, NULLABLE - 1, 2);
    wspi_pen_le(p, INT, 1);
    tds_text(p, "id", 1);
    wspi_pen_zeros(p, 4);
    wspi_pen_le(p, NULLABLE, 2);
    tds_type(p, VARCHAR);
    tds_name(d, p, WSPI_SQL_COLUMN);
}

/* The end of an answer: of a call also what it returns. */
static void tds_finish(wspi_dialog *d, wspi_pen *p, unsigned status, uint64_t rows)
{
    enum { EXECUTE = 0xe0 };
    static const uint8_t commands[] = {[WSPI_SQL_ROWS] = 0xc1,
                                       [WSPI_SQL_BEGIN] = 0xd4,
                                       [WSPI_SQL_COMMIT] = 0xd5,
                                       [WSPI_SQL_INSERT] = 0xc3,
                                       [WSPI_SQL_DELETE] = 0xc4,
                                       [WSPI_SQL_UPDATE] = 0xc5,
                                       [CANCEL] = 0};
    unsigned command = commands[d->kept[ASKED]];

    if (d->kept[CALLED]) {
        tds_done(p, DONE_IN_CALL, status | DONE_MORE, command, rows);
        wspi_pen_le(p, STATUS_TOKEN, 1);
        wspi_pen_zeros(p, 4);
        tds_done(p, DONE_CALL, 0, EXECUTE, 0);
    } else {
        tds_done(p, DONE, status, command, rows);
    }
    d->kept[ASKED] = WSPI_SQL_NOTHING;
    d->kept[CALLED] = 0;
}

/* A result that fills a segment goes on in the next, as a further packet of this answer. */
static void tds_rows(wspi_dialog *d, wspi_pen *p, size_t want)
{
    enum { FULL = 1300, LEAST = 20 };
    bool last = want < FULL;
    size_t ends = !last ? 0 : d->kept[CALLED] ? 2 * DONE_SIZE + STATUS_SIZE : DONE_SIZE, n;

    if (!d->kept[MORE])
        tds_columns(d, p);
    while ((n = wspi_sql_row(p, wspi_pen_left(p, want, ends), LEAST)) > 0) {
        size_t end = p->n + n;
        wspi_pen_le(p, ROW_TOKEN, 1);
        wspi_pen_le(p, 1000 + wspi_pen_pick(p, 9000), 4);
        n = wspi_pen_left(p, end, 2);
        wspi_pen_le(p, n, 2);
        wspi_pen_prose(p, n);
        d->kept[MORE]++;
    }
    if (last) {
        tds_finish(d, p, DONE_COUNT, d->kept[MORE]);
        d->kept[MORE] = 0;
    }
    tds_end(d, p, RESPONSE, last);
}

/* It begins or commits; committing what was not begun fails. */
static unsigned tds_transact(wspi_dialog *d, wspi_pen *p)
{
    enum { NOTHING_BEGUN = 3902 };
    bool begins = d->kept[ASKED] == WSPI_SQL_BEGIN;

    if (begins && !d->kept[TRANSACTION]) {
        d->kept[TRANSACTION] = 1 + wspi_pen_pick(p, 1 << 20);
        tds_transaction(p, d->kept[TRANSACTION], true);
    } else if (!begins && d->kept[TRANSACTION]) {
        tds_transaction(p, d->kept[TRANSACTION], false);
        d->kept[TRANSACTION] = 0;
    } else if (!begins) {
        tds_message(d, p, ERROR, NOTHING_BEGUN,
                    "The COMMIT TRANSACTION request has no corresponding BEGIN TRANSACTION.", 0);
        return DONE_ERROR;
    }
    return 0;
}

/* A server that is not asked is silent. */
static void tds_answer(wspi_dialog *d, wspi_pen *p, size_t want)
{
    uint32_t asked = d->kept[ASKED];
    unsigned status = asked == CANCEL ? DONE_ATTENTION : DONE_COUNT;

    if (asked == WSPI_SQL_NOTHING)
        return;
    tds_begin(p);
    if (asked == WSPI_SQL_ROWS) {
        tds_rows(d, p, want);
        return;
    }
    if (asked == WSPI_SQL_BEGIN || asked == WSPI_SQL_COMMIT)
        status = tds_transact(d, p);
    else if (asked == CANCEL)
        d->kept[MORE] = d->kept[CALLED] = 0;
    tds_finish(d, p, status, status == DONE_COUNT);
    tds_end(d, p, RESPONSE, true);
}

void wspi_say_tds(wspi_dialog *d, int dir, wspi_pen *p, size_t want)
{
    static void (*const turns[][2])(wspi_dialog * d, wspi_pen * p, size_t want) = {
        [START] = {tds_prelogin, NULL},  [PRELOGGED] = {NULL, tds_prelogged},
        [ANSWERED] = {tds_login, NULL},  [LOGGED_IN] = {NULL, tds_welcome},
        [READY] = {tds_ask, tds_answer},
    };

    if (turns[d->kept[PHASE]][dir])
        turns[d->kept[PHASE]][dir](d, p, want);
}
