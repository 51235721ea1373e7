/* SPDX-License-Identifier: Apache-2.0 */
/*
 * postgresql.c: dialogs of PostgreSQL: frontend/backend protocol 3.0 (PostgreSQL 15 documentation, chapter 55). Every message but
 * the first is | type 8 | length 32: of itself and what follows | ... |, texts end with a zero byte.
 */
#include "generate/dialog/sql.h"

#include <stdio.h>

/* kept */
enum { PHASE, ASKED, EXTENDED, IN_TRANSACTION, COLUMNS, SENT, MORE };

/* What is asked for beside statements */
enum { COPY = WSPI_SQL_KINDS, COPIED, SYNC };

typedef void turn(wspi_dialog *d, wspi_pen *p, size_t want);

enum { START, TLS_ASKED, PLAIN, STARTED, CLEAR, MD5 };
enum { SCRAM = MD5 + 1, SCRAM_FIRST, SCRAM_CHALLENGED, SCRAM_PROVED, PROVED, READY, COPYING };

static void text_and_zero(wspi_pen *p, const char *s)
{
    wspi_pen_add(p, s, strlen(s) + 1);
}

static void name_and_zero(const wspi_dialog *d, wspi_pen *p, unsigned k)
{
    wspi_sql_name(d, p, k);
    wspi_pen_zeros(p, 1);
}

/* | type 8 | length 32: of itself and what follows |; returns where the length lies. */
static size_t pg_begin(wspi_pen *p, char type)
{
    wspi_pen_add(p, &type, 1);
    wspi_pen_zeros(p, 4);
    return p->n - 4;
}

static void pg_end(wspi_pen *p, size_t at)
{
    wspi_pen_be_at(p, at, p->n - at, 4);
}

static void pg_empty(wspi_pen *p, char type)
{
    pg_end(p, pg_begin(p, type));
}

/* | length 32 | 3.0 32 | name 0 value 0 ... | 0 |, without a type */
static void pg_startup(wspi_dialog *d, wspi_pen *p, size_t want)
{
    enum { PROTOCOL = 3 << 16, ENDS = 2, NAME = 17 };

    wspi_pen_zeros(p, 4);
    wspi_pen_be(p, PROTOCOL, 4);
    text_and_zero(p, "user");
    name_and_zero(d, p, WSPI_SQL_USER);
    text_and_zero(p, "database");
    name_and_zero(d, p, WSPI_SQL_BASE);
    if (wspi_pen_left(p, want, ENDS) > NAME) {
        text_and_zero(p, "application_name");
        wspi_pen_letters(p, wspi_pen_left(p, want, ENDS));
        wspi_pen_zeros(p, 1);
    }
    wspi_pen_zeros(p, 1);
    pg_end(p, 0);
    d->kept[PHASE] = STARTED;
}

/* A client that would have TLS asks for it first: | 8 32 | 80877103 32 |. */
static void pg_start(wspi_dialog *d, wspi_pen *p, size_t want)
{
    enum { TLS = 80877103, LEAST_STARTUP = 32 };

    if (want >= LEAST_STARTUP) {
        pg_startup(d, p, want);
        return;
    }
    wspi_pen_be(p, 8, 4);
    wspi_pen_be(p, TLS, 4);
    d->kept[PHASE] = TLS_ASKED;
}

static void pg_no_tls(wspi_dialog *d, wspi_pen *p, size_t want)
{
    (void)want;
    wspi_pen_text(p, "N");
    d->kept[PHASE] = PLAIN;
}

/* n digits, and a sign that they are not all of a group */
static void base64(wspi_pen *p, size_t n)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

    for (size_t i = 0; i < n; i++)
        wspi_pen_add(p, &digits[wspi_pen_pick(p, sizeof digits - 1)], 1);
    wspi_pen_text(p, "=");
}

/* Of the client, or of both sides; the same in the flow. */
static void nonce(const wspi_dialog *d, wspi_pen *p, unsigned sides)
{
    for (unsigned k = 0; k < 3 * sides; k++)
        wspi_pen_format(p, "%08x", wspi_dialog_number(d, k));
}

static void pg_parameter(wspi_pen *p, const char *name, const char *value)
{
    size_t at = pg_begin(p, 'S');

    text_and_zero(p, name);
    text_and_zero(p, value);
    pg_end(p, at);
}

static void pg_ready(const wspi_dialog *d, wspi_pen *p)
{
    size_t at = pg_begin(p, 'Z');

    wspi_pen_text(p, d->kept[IN_TRANSACTION] ? "T" : "I");
    pg_end(p, at);
}

/* The end of a login: parameters, the key for cancelling, ready. */
static void pg_welcome(wspi_dialog *d, wspi_pen *p, size_t want)
{
    enum { ENDS = 13 + 6, APPLICATION_NAME = 5 + 17 + 1 };
    static const char *const parameters[][2] = {
        {"client_encoding", "UTF8"}, {"DateStyle", "ISO, MDY"},
        {"in_hot_standby", "off"},   {"default_transaction_read_only", "off"},
        {"integer_datetimes", "on"}, {"IntervalStyle", "postgres"},
        {"is_superuser", "off"},     {"server_encoding", "UTF8"},
        {"TimeZone", "Etc/UTC"},     {"standard_conforming_strings", "on"},
    };
    char version[16];
    size_t at = pg_begin(p, 'R');

    wspi_pen_zeros(p, 4);
    pg_end(p, at);
    (void)snprintf(version, sizeof version, "%u.%u", 11 + wspi_dialog_number(d, 1) % 6,
                   1 + wspi_dialog_number(d, 2) % 12);
    pg_parameter(p, "server_version", version);
    for (size_t i = 0; i < WSPI_COUNT(parameters); i++)
        if (wspi_pen_left(p, want, ENDS + APPLICATION_NAME) >=
            7 + strlen(parameters[i][0]) + strlen(parameters[i][1]))
            pg_parameter(p, parameters[i][0], parameters[i][1]);
    if (wspi_pen_left(p, want, ENDS) >= APPLICATION_NAME) {
        at = pg_begin(p, 'S');
        text_and_zero(p, "application_name");
        wspi_pen_letters(p, wspi_pen_left(p, want, ENDS + 1));
        wspi_pen_zeros(p, 1);
        pg_end(p, at);
    }
    at = pg_begin(p, 'K');
    wspi_pen_be(p, 100 + wspi_pen_pick(p, 30000), 4);
    wspi_pen_random(p, 4);
    pg_end(p, at);
    pg_ready(d, p);
    d->kept[PHASE] = READY;
}

/* 'R': how the client shall prove who it is; of those whose message is not too long, the strongest. Or not at all. */
static void pg_demand(wspi_dialog *d, wspi_pen *p, size_t want)
{
    enum {
        CLEARTEXT = 3,
        MD5_SALTED = 5,
        SASL = 10,
        LEAST_SALTED = 13,
        LEAST_SASL = 24,
        TRUST = 60
    };
    size_t at;

    if (want >= TRUST) {
        pg_welcome(d, p, want);
        return;
    }
    at = pg_begin(p, 'R');
    wspi_pen_be(p, want < LEAST_SALTED ? CLEARTEXT : want < LEAST_SASL ? MD5_SALTED : SASL, 4);
    d->kept[PHASE] = want < LEAST_SALTED ? CLEAR : want < LEAST_SASL ? MD5 : SCRAM;
    if (d->kept[PHASE] == MD5)
        wspi_pen_random(p, 4);
    if (d->kept[PHASE] == SCRAM)
        wspi_pen_add(p, "SCRAM-SHA-256\0", 15);
    pg_end(p, at);
}

static void pg_password(wspi_dialog *d, wspi_pen *p, size_t want)
{
    size_t at = pg_begin(p, 'p');

    if (d->kept[PHASE] == MD5) {
        wspi_pen_text(p, "md5");
        for (unsigned k = 0; k < 4; k++)
            wspi_pen_format(p, "%08x", (unsigned)wspi_rng_u64(&p->rng));
    } else {
        wspi_pen_letters(p, WSPI_MAX(wspi_pen_left(p, want, 1), 4u));
    }
    wspi_pen_zeros(p, 1);
    pg_end(p, at);
    d->kept[PHASE] = PROVED;
}

/* SCRAM-SHA-256 (RFC 5802, section 5; RFC 7677): the client's nonce, */
static void scram_first(wspi_dialog *d, wspi_pen *p, size_t want)
{
    enum { RESPONSE = 8 + 24 };
    size_t at = pg_begin(p, 'p');

    (void)want;
    text_and_zero(p, "SCRAM-SHA-256");
    wspi_pen_be(p, RESPONSE, 4);
    wspi_pen_text(p, "n,,n=,r=");
    nonce(d, p, 1);
    pg_end(p, at);
    d->kept[PHASE] = SCRAM_FIRST;
}

/* the server's behind it, with salt and rounds, */
static void scram_challenge(wspi_dialog *d, wspi_pen *p, size_t want)
{
    size_t at = pg_begin(p, 'R');

    (void)want;
    wspi_pen_be(p, 11, 4);
    wspi_pen_text(p, "r=");
    nonce(d, p, 2);
    wspi_pen_text(p, ",s=");
    base64(p, 22);
    wspi_pen_text(p, "=,i=4096");
    pg_end(p, at);
    d->kept[PHASE] = SCRAM_CHALLENGED;
}

/* and proofs of either. */
static void scram_proof(wspi_dialog *d, wspi_pen *p, size_t want)
{
    size_t at = pg_begin(p, 'p');

    (void)want;
    wspi_pen_text(p, "c=biws,r=");
    nonce(d, p, 2);
    wspi_pen_text(p, ",p=");
    base64(p, 43);
    pg_end(p, at);
    d->kept[PHASE] = SCRAM_PROVED;
}

static void scram_final(wspi_dialog *d, wspi_pen *p, size_t want)
{
    size_t at = pg_begin(p, 'R');

    wspi_pen_be(p, 12, 4);
    wspi_pen_text(p, "v=");
    base64(p, 43);
    pg_end(p, at);
    pg_welcome(d, p, want);
}

/* 'N': a server may say so at any time. */
static void pg_notice(wspi_dialog *d, wspi_pen *p, size_t want)
{
    size_t at = pg_begin(p, 'N');

    (void)d;
    text_and_zero(p, "SNOTICE");
    text_and_zero(p, "VNOTICE");
    text_and_zero(p, "C00000");
    wspi_pen_text(p, "M");
    wspi_pen_prose(p, WSPI_MAX(wspi_pen_left(p, want, 2), 8u));
    wspi_pen_zeros(p, 2);
    pg_end(p, at);
}

/* A statement, its parameter, what it gives, execute, synchronize: Parse, Bind, Describe, Execute, Sync. */
static void pg_extended(wspi_dialog *d, wspi_pen *p, size_t want)
{
    enum { ENDS = 2 + 7 + 10 + 5 };
    size_t at = pg_begin(p, 'P'), value;

    wspi_pen_zeros(p, 1);
    d->kept[ASKED] = wspi_sql_prepared(d, p, "$1");
    wspi_pen_zeros(p, 1 + 2);
    pg_end(p, at);
    at = pg_begin(p, 'B');
    wspi_pen_zeros(p, 2 + 2); /* portal, statement, formats */
    wspi_pen_be(p, 1, 2);
    value = wspi_pen_left(p, want, 4 + ENDS);
    wspi_pen_be(p, value, 4);
    wspi_pen_prose(p, value);
    wspi_pen_zeros(p, 2);
    pg_end(p, at);
    at = pg_begin(p, 'D');
    wspi_pen_add(p, "P", 2);
    pg_end(p, at);
    at = pg_begin(p, 'E');
    wspi_pen_zeros(p, 1 + 4);
    pg_end(p, at);
    pg_empty(p, 'S');
    d->kept[EXTENDED] = 1;
}

static void pg_ask(wspi_dialog *d, wspi_pen *p, size_t want)
{
    enum { LEAST_QUERY = 5 + 6 + 1, LEAST_COPY = 28, MOST_COPY = 34, LEAST_EXTENDED = 130 };
    size_t at;

    d->kept[EXTENDED] = 0;
    if (want < LEAST_QUERY) {
        pg_empty(p, 'S'); /* the answer is only that it is ready */
        d->kept[ASKED] = SYNC;
    } else if (want >= LEAST_EXTENDED && wspi_pen_pick(p, 3) == 0) {
        pg_extended(d, p, want);
    } else {
        at = pg_begin(p, 'Q');
        if (want >= LEAST_COPY && want < MOST_COPY) {
            wspi_sql_words(d, p, "COPY @ FROM STDIN");
            d->kept[ASKED] = COPY;
        } else {
            d->kept[ASKED] = wspi_sql_statement(d, p, want - p->n - 1);
        }
        wspi_pen_zeros(p, 1);
        pg_end(p, at);
    }
}

/* | name 0 | table 32 | column 16 | type 32 | size 16 | modifier 32 | format 16 | */
static void pg_column(const wspi_dialog *d, wspi_pen *p, unsigned number, unsigned type, int size)
{
    if (number == 1 && type == 23)
        text_and_zero(p, "id");
    else
        name_and_zero(d, p, WSPI_SQL_COLUMN);
    wspi_pen_be(p, 16384 + wspi_dialog_number(d, WSPI_SQL_TABLE) % 5000, 4);
    wspi_pen_be(p, number, 2);
    wspi_pen_be(p, type, 4);
    wspi_pen_be(p, (uint64_t)size, 2);
    wspi_pen_be(p, UINT32_MAX, 4);
    wspi_pen_zeros(p, 2);
}

static void pg_complete(wspi_pen *p, const char *tag)
{
    size_t at = pg_begin(p, 'C');

    text_and_zero(p, tag);
    pg_end(p, at);
}

/* Of how many bytes the end of a result is: "SELECT rows", and that it is ready. */
static size_t pg_end_of(uint32_t rows)
{
    enum { ENDS = 5 + 7 + 1 + 6 };
    size_t digits = 1;

    for (; rows >= 10; rows /= 10)
        digits++;
    return ENDS + digits;
}

static void pg_row(const wspi_dialog *d, wspi_pen *p, size_t n)
{
    size_t end = p->n + n, at = pg_begin(p, 'D');

    wspi_pen_be(p, d->kept[COLUMNS], 2);
    if (d->kept[COLUMNS] > 1) {
        wspi_pen_be(p, 4, 4);
        wspi_pen_format(p, "%4u", 1000 + wspi_pen_pick(p, 9000));
    }
    n = wspi_pen_left(p, end, 4);
    wspi_pen_be(p, n, 4);
    wspi_pen_prose(p, n);
    pg_end(p, at);
}

static void pg_description(wspi_dialog *d, wspi_pen *p, size_t want)
{
    enum { TEXT = 25, INT4 = 23, WIDE = 140 };
    size_t at = pg_begin(p, 'T');

    d->kept[COLUMNS] = want < WIDE ? 1 : 2;
    wspi_pen_be(p, d->kept[COLUMNS], 2);
    if (d->kept[COLUMNS] > 1)
        pg_column(d, p, 1, INT4, 4);
    pg_column(d, p, d->kept[COLUMNS], TEXT, -1);
    pg_end(p, at);
    d->kept[SENT] = 0;
}

/*
 * A result of an integer and a text, the text alone where there is little room: description, rows, how many there were. One that fills
 * a segment goes on in the next.
 */
static void pg_rows(wspi_dialog *d, wspi_pen *p, size_t want)
{
    enum { FULL = 1300, LEAST = 24 };
    bool last = want < FULL || (d->kept[MORE] && d->spoke == 0);
    char tag[24];
    size_t n;

    if (!d->kept[MORE])
        pg_description(d, p, want);
    while ((n = wspi_sql_row(p, wspi_pen_left(p, want, last ? pg_end_of(d->kept[SENT] + 1) : 0),
                             LEAST)) > 0) {
        pg_row(d, p, n);
        d->kept[SENT]++;
    }
    d->kept[MORE] = !last;
    if (!last)
        return;
    (void)snprintf(tag, sizeof tag, "SELECT %u", d->kept[SENT]);
    pg_complete(p, tag);
    pg_ready(d, p);
}

/* | format 8: text | columns 16 | their formats 16 |; what is copied in follows from the client. */
static void pg_copy_in(wspi_dialog *d, wspi_pen *p)
{
    size_t at = pg_begin(p, 'G');

    wspi_pen_zeros(p, 1);
    wspi_pen_be(p, 1, 2);
    wspi_pen_zeros(p, 2);
    pg_end(p, at);
    d->kept[PHASE] = COPYING;
}

static void pg_copy(wspi_dialog *d, wspi_pen *p, size_t want)
{
    enum { DONE = 5 };
    bool last = wspi_pen_pick(p, 3) == 0;
    size_t at = pg_begin(p, 'd');

    wspi_pen_prose(p, WSPI_MAX(wspi_pen_left(p, want, last ? 1 + DONE : 1), 1u));
    wspi_pen_text(p, "\n");
    pg_end(p, at);
    if (last) {
        pg_empty(p, 'c');
        d->kept[PHASE] = READY;
        d->kept[ASKED] = COPIED;
    }
}

static void pg_answer(wspi_dialog *d, wspi_pen *p, size_t want)
{
    static const char *const tags[] = {
        [WSPI_SQL_BEGIN] = "BEGIN",       [WSPI_SQL_COMMIT] = "COMMIT",
        [WSPI_SQL_INSERT] = "INSERT 0 1", [WSPI_SQL_UPDATE] = "UPDATE 1",
        [WSPI_SQL_DELETE] = "DELETE 1",   [COPIED] = "COPY 10",
    };
    uint32_t asked = d->kept[ASKED];

    if (asked == WSPI_SQL_BEGIN || asked == WSPI_SQL_COMMIT)
        d->kept[IN_TRANSACTION] = asked == WSPI_SQL_BEGIN;
    if (d->kept[EXTENDED]) {
        pg_empty(p, '1');
        pg_empty(p, '2');
        if (asked != WSPI_SQL_ROWS)
            pg_empty(p, 'n');
    }
    d->kept[ASKED] = WSPI_SQL_NOTHING;
    if (asked == WSPI_SQL_ROWS) {
        pg_rows(d, p, want);
        return;
    }
    if (asked != SYNC)
        pg_complete(p, tags[asked]);
    pg_ready(d, p);
}

static void pg_answer_or_notice(wspi_dialog *d, wspi_pen *p, size_t want)
{
    if (d->kept[MORE])
        pg_rows(d, p, want);
    else if (d->kept[ASKED] == WSPI_SQL_NOTHING)
        pg_notice(d, p, want);
    else if (d->kept[ASKED] == COPY)
        pg_copy_in(d, p);
    else
        pg_answer(d, p, want);
}

void wspi_say_postgresql(wspi_dialog *d, int dir, wspi_pen *p, size_t want)
{
    static turn *const turns[][2] = {
        [START] = {pg_start, NULL},
        [TLS_ASKED] = {NULL, pg_no_tls},
        [PLAIN] = {pg_startup, NULL},
        [STARTED] = {NULL, pg_demand},
        [CLEAR] = {pg_password, pg_notice},
        [MD5] = {pg_password, pg_notice},
        [SCRAM] = {scram_first, pg_notice},
        [SCRAM_FIRST] = {NULL, scram_challenge},
        [SCRAM_CHALLENGED] = {scram_proof, pg_notice},
        [SCRAM_PROVED] = {NULL, scram_final},
        [PROVED] = {NULL, pg_welcome},
        [READY] = {pg_ask, pg_answer_or_notice},
        [COPYING] = {pg_copy, pg_notice},
    };

    if (turns[d->kept[PHASE]][dir])
        turns[d->kept[PHASE]][dir](d, p, want);
}
