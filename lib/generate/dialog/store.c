/* SPDX-License-Identifier: Apache-2.0 */
/* store.c: dialogs of databases and caches. */
#include "generate/dialog/sql.h"

/* ---- MySQL: the client/server protocol of MySQL and MariaDB, version 10 ---- */

enum mysql_command {
    NO_COMMAND,
    INIT_DB = 2,
    QUERY = 3,
    PING = 14,
    LOGIN = 256 /* is none, but waits as one */
};

enum { MYSQL_HEAD = 4, UTF8 = 33, AUTOCOMMIT = 2 };

/* kept: the number of the next packet of this exchange, the command that waits, whether it asks for rows, and some have been sent */
enum { SEQUENCE, COMMAND, ROWS, MORE };

/* | length 24 | sequence 8 |; returns where it lies. */
static size_t mysql_begin(wspi_pen *p)
{
    wspi_pen_zeros(p, MYSQL_HEAD);
    return p->n - MYSQL_HEAD;
}

static void mysql_end(wspi_dialog *d, wspi_pen *p, size_t at)
{
    wspi_pen_le_at(p, at, p->n - at - MYSQL_HEAD, 3);
    wspi_pen_le_at(p, at + 3, d->kept[SEQUENCE]++ & 0xff, 1);
}

static void mysql_greeting(wspi_dialog *d, wspi_pen *p)
{
    enum { CAPABILITIES = 0xf7fe, ABOVE = 0x81bf, SALT = 21 };
    size_t at = mysql_begin(p);

    wspi_pen_le(p, 10, 1);
    wspi_pen_format(p, "%u.%u.%u-MariaDB-%u", 10, 3 + wspi_dialog_number(d, 0) % 9,
                    wspi_dialog_number(d, 1) % 30, 1 + wspi_dialog_number(d, 2) % 3);
    wspi_pen_zeros(p, 1);
    wspi_pen_le(p, 8 + wspi_pen_pick(p, 5000), 4); /* thread */
    wspi_pen_letters(p, 8);
    wspi_pen_zeros(p, 1);
    wspi_pen_le(p, CAPABILITIES, 2);
    wspi_pen_le(p, UTF8, 1);
    wspi_pen_le(p, AUTOCOMMIT, 2);
    wspi_pen_le(p, ABOVE, 2);
    wspi_pen_le(p, SALT, 1);
    wspi_pen_zeros(p, 10);
    wspi_pen_letters(p, 12);
    wspi_pen_zeros(p, 1);
    wspi_pen_text(p, "mysql_native_password");
    wspi_pen_zeros(p, 1);
    mysql_end(d, p, at);
}

/* The answer to the greeting: SQL 4.1, secure connection, a database. */
static void mysql_login(wspi_dialog *d, wspi_pen *p)
{
    enum { CAPABILITIES = 0x28a20d, SCRAMBLE = 20 };
    char user[WSPI_DIALOG_NAME], base[WSPI_DIALOG_NAME];
    size_t at = mysql_begin(p);

    wspi_dialog_name(d, 0, user);
    wspi_dialog_name(d, 1, base);
    wspi_pen_le(p, CAPABILITIES, 4);
    wspi_pen_le(p, 1 << 24, 4); /* longest packet */
    wspi_pen_le(p, UTF8, 1);
    wspi_pen_zeros(p, 23);
    wspi_pen_add(p, user, strlen(user) + 1);
    wspi_pen_le(p, SCRAMBLE, 1);
    wspi_pen_random(p, SCRAMBLE);
    wspi_pen_add(p, base, strlen(base) + 1);
    wspi_pen_text(p, "mysql_native_password");
    wspi_pen_zeros(p, 1);
    mysql_end(d, p, at);
    d->kept[COMMAND] = LOGIN;
}

static void mysql_ok(wspi_dialog *d, wspi_pen *p, unsigned rows)
{
    size_t at = mysql_begin(p);

    wspi_pen_le(p, 0, 1);
    wspi_pen_le(p, rows, 1);
    wspi_pen_le(p, 0, 1);
    wspi_pen_le(p, AUTOCOMMIT, 2);
    wspi_pen_le(p, 0, 2);
    mysql_end(d, p, at);
}

/* One column of a result: | catalog, schema, table, table, column, column | 12 | charset 16 | length 32 | type 8 | flags 16 | 0 | 0 16 | */
static void mysql_column(wspi_dialog *d, wspi_pen *p)
{
    enum { VARCHAR = 0xfd, WIDTH = 765 };
    char name[3][WSPI_DIALOG_NAME];
    size_t at = mysql_begin(p);

    for (unsigned k = 0; k < 3; k++)
        wspi_dialog_name(d, 1 + k, name[k]);
    wspi_pen_text(p, "\003def");
    for (unsigned k = 0; k < 5; k++) {
        const char *s = name[(k + 1) / 2];
        wspi_pen_le(p, strlen(s), 1);
        wspi_pen_text(p, s);
    }
    wspi_pen_le(p, 12, 1);
    wspi_pen_le(p, UTF8, 2);
    wspi_pen_le(p, WIDTH, 4);
    wspi_pen_le(p, VARCHAR, 1);
    wspi_pen_zeros(p, 5);
    mysql_end(d, p, at);
}

static void mysql_eof(wspi_dialog *d, wspi_pen *p)
{
    size_t at = mysql_begin(p);

    wspi_pen_le(p, 0xfe, 1);
    wspi_pen_le(p, 0, 2);
    wspi_pen_le(p, AUTOCOMMIT, 2);
    mysql_end(d, p, at);
}

/* How many columns, what they are, an end. */
static void mysql_columns(wspi_dialog *d, wspi_pen *p)
{
    size_t at = mysql_begin(p);

    wspi_pen_le(p, 1, 1);
    mysql_end(d, p, at);
    mysql_column(d, p);
    mysql_eof(d, p);
}

/* A column and rows of text, that are shorter than 251 bytes, and an end. A result that fills a segment goes on in the next. */
static void mysql_rows(wspi_dialog *d, wspi_pen *p, size_t want)
{
    enum { LAST = 9, ROW = MYSQL_HEAD + 1, FULL = 1300 };
    bool last = want < FULL;
    size_t n;

    if (!d->kept[MORE])
        mysql_columns(d, p);
    while ((n = wspi_sql_row(p, wspi_pen_left(p, want, last ? LAST : 0), ROW + 1)) > 0) {
        size_t at = mysql_begin(p);
        wspi_pen_le(p, n - ROW, 1);
        wspi_pen_prose(p, n - ROW);
        mysql_end(d, p, at);
    }
    d->kept[MORE] = !last;
    if (last)
        mysql_eof(d, p);
}

static void mysql_query(wspi_dialog *d, wspi_pen *p, size_t want)
{
    enum { LEAST = MYSQL_HEAD + 1, LEAST_NAME = 4, LEAST_STATEMENT = 12 };
    size_t at;

    d->kept[SEQUENCE] = 0;
    at = mysql_begin(p);
    if (want < LEAST + LEAST_NAME) {
        d->kept[COMMAND] = PING;
        wspi_pen_le(p, PING, 1);
    } else if (want < LEAST + LEAST_STATEMENT) {
        d->kept[COMMAND] = INIT_DB;
        wspi_pen_le(p, INIT_DB, 1);
        wspi_pen_letters(p, want - LEAST);
    } else {
        d->kept[COMMAND] = QUERY;
        wspi_pen_le(p, QUERY, 1);
        d->kept[ROWS] = wspi_sql_statement(d, p, want - LEAST) == WSPI_SQL_ROWS;
    }
    mysql_end(d, p, at);
}

static void mysql_ask(wspi_dialog *d, wspi_pen *p, size_t want)
{
    if (d->said[1] == 0 || d->kept[COMMAND] != NO_COMMAND)
        return; /* the server greets first, and a client waits for each answer */
    if (d->said[0] == 0)
        mysql_login(d, p);
    else
        mysql_query(d, p, want);
}

static void mysql_answer(wspi_dialog *d, wspi_pen *p, size_t want)
{
    uint32_t command = d->kept[COMMAND];

    if (d->said[1] == 0)
        mysql_greeting(d, p);
    else if (command == QUERY && d->kept[ROWS])
        mysql_rows(d, p, want);
    else if (command != NO_COMMAND)
        mysql_ok(d, p, command == QUERY);
    if (!d->kept[MORE])
        d->kept[COMMAND] = NO_COMMAND;
}

void wspi_say_mysql(wspi_dialog *d, int dir, wspi_pen *p, size_t want)
{
    (dir == 0 ? mysql_ask : mysql_answer)(d, p, want);
}

/* ---- memcached: text, doc/protocol.txt ---- */

enum memcached_asked { GET = 1, SET, STATS };

static void key(const wspi_dialog *d, wspi_pen *p, unsigned k)
{
    char name[WSPI_DIALOG_NAME];

    wspi_dialog_name(d, k, name);
    wspi_pen_format(p, "%s:%u", name, wspi_dialog_number(d, k) % 1000);
}

/* kept: what was asked, of which key */
enum { ASKED, KEY };

/* "VALUE key 0 n\r\n" or "set key 0 ttl n\r\n", then n bytes. */
static void memcached_value(const wspi_dialog *d, wspi_pen *p, const char *word, const char *ttl,
                            size_t want, size_t behind)
{
    size_t n;

    wspi_pen_text(p, word);
    key(d, p, d->kept[KEY]);
    wspi_pen_text(p, ttl);
    n = wspi_pen_left(p, want, behind + 1 + 2 + 2); /* and its own digits: */
    n -= WSPI_MIN(n, (size_t)(n > 9) + (n > 100) + (n > 1001));
    n = WSPI_MAX(n, 1u);
    wspi_pen_format(p, "%zu\r\n", n);
    wspi_pen_prose(p, n);
    wspi_pen_text(p, "\r\n");
}

static void memcached_ask(wspi_dialog *d, wspi_pen *p, size_t want)
{
    enum { LEAST_SET = 40 };

    d->kept[KEY] = wspi_pen_pick(p, 5);
    if (want >= LEAST_SET) {
        d->kept[ASKED] = SET;
        memcached_value(d, p, "set ", " 0 3600 ", want, 0);
    } else if (want < 12) {
        d->kept[ASKED] = STATS;
        wspi_pen_text(p, "stats\r\n");
    } else {
        d->kept[ASKED] = GET;
        wspi_pen_text(p, "get ");
        key(d, p, d->kept[KEY]);
        wspi_pen_text(p, "\r\n");
    }
}

void wspi_say_memcached(wspi_dialog *d, int dir, wspi_pen *p, size_t want)
{
    enum { END = 5, LEAST_VALUE = 40 };

    if (dir == 0) {
        memcached_ask(d, p, want);
    } else if (d->kept[ASKED] == SET) {
        wspi_pen_text(p, "STORED\r\n");
    } else if (d->kept[ASKED] == GET) {
        if (want >= LEAST_VALUE)
            memcached_value(d, p, "VALUE ", " 0 ", want, END);
        wspi_pen_text(p, "END\r\n");
    } else {
        wspi_pen_format(p, "STAT pid %u\r\n", wspi_dialog_number(d, 9) % 30000);
        for (unsigned k = 0; wspi_pen_left(p, want, END) > 24 && k < 40; k++) {
            wspi_pen_text(p, "STAT ");
            wspi_pen_letters(p, 4 + wspi_pen_pick(p, 8));
            wspi_pen_format(p, " %u\r\n", wspi_pen_pick(p, 100000));
        }
        wspi_pen_text(p, "END\r\n");
    }
}
