/* SPDX-License-Identifier: Apache-2.0 */
/* sql.c: statements that databases are asked with, and how many rows an answer has. */
#include "generate/dialog/sql.h"

/* '@' stands for the flow's table, '#' for a column. What is variable comes between opening and close; without a close, nothing. */
typedef struct statement {
    wspi_sql asks;
    const char *opening, *close;
} statement;

static const statement statements[] = {
    {WSPI_SQL_COMMIT, "COMMIT", ""},
    {WSPI_SQL_BEGIN, "BEGIN TRANSACTION", ""},
    {WSPI_SQL_ROWS, "SELECT # FROM @", ""},
    {WSPI_SQL_ROWS, "SELECT id, # FROM @ WHERE # = '", "'"},
    {WSPI_SQL_ROWS, "SELECT # FROM @ WHERE id > 100 AND # LIKE '", "%' ORDER BY id"},
    {WSPI_SQL_INSERT, "INSERT INTO @ (id, #) VALUES (DEFAULT, '", "')"},
    {WSPI_SQL_UPDATE, "UPDATE @ SET # = '", "' WHERE id = 17"},
    {WSPI_SQL_DELETE, "DELETE FROM @ WHERE # = '", "'"},
};

/* Between them comes the mark of a parameter. */
static const statement prepared[] = {
    {WSPI_SQL_ROWS, "SELECT * FROM @ WHERE # = ", ""},
    {WSPI_SQL_ROWS, "SELECT id, # FROM @ WHERE # = ", " ORDER BY id"},
    {WSPI_SQL_INSERT, "INSERT INTO @ (#) VALUES (", ")"},
    {WSPI_SQL_UPDATE, "UPDATE @ SET # = ", " WHERE id = 4"},
    {WSPI_SQL_DELETE, "DELETE FROM @ WHERE # = ", ""},
};

void wspi_sql_name(const wspi_dialog *d, wspi_pen *p, unsigned k)
{
    char name[WSPI_DIALOG_NAME];

    wspi_dialog_name(d, k, name);
    wspi_pen_text(p, name);
}

void wspi_sql_words(const wspi_dialog *d, wspi_pen *p, const char *s)
{
    for (; *s; s++)
        if (*s == '@' || *s == '#')
            wspi_sql_name(d, p, *s == '@' ? WSPI_SQL_TABLE : WSPI_SQL_COLUMN);
        else
            wspi_pen_add(p, s, 1);
}

wspi_sql wspi_sql_statement(const wspi_dialog *d, wspi_pen *p, size_t n)
{
    enum { SLACK = 3, LEAST_CONSTANT = 10 }; /* of one that has no variable part */
    size_t at = p->n, first = wspi_pen_pick(p, WSPI_COUNT(statements));

    for (size_t i = 0; i < WSPI_COUNT(statements); i++) {
        const statement *s = &statements[(first + i) % WSPI_COUNT(statements)];
        size_t close = strlen(s->close), used;
        wspi_sql_words(d, p, s->opening);
        used = p->n - at + close;
        if (close ? used < n : used <= n && n <= used + SLACK) {
            if (close)
                wspi_pen_prose(p, n - used);
            wspi_pen_text(p, s->close);
            return s->asks;
        }
        p->n = at;
    }
    if (n < LEAST_CONSTANT) {
        wspi_pen_text(p, "COMMIT");
        return WSPI_SQL_COMMIT;
    }
    wspi_pen_text(p, "SELECT '");
    wspi_pen_prose(p, n - LEAST_CONSTANT + 1);
    wspi_pen_text(p, "'");
    return WSPI_SQL_ROWS;
}

wspi_sql wspi_sql_prepared(const wspi_dialog *d, wspi_pen *p, const char *mark)
{
    const statement *s = &prepared[wspi_pen_pick(p, WSPI_COUNT(prepared))];

    wspi_sql_words(d, p, s->opening);
    wspi_pen_text(p, mark);
    wspi_sql_words(d, p, s->close);
    return s->asks;
}

size_t wspi_sql_row(wspi_pen *p, size_t left, size_t least)
{
    enum { MOST = 200, VARIES = 100 };

    if (left < least || p->full)
        return 0;
    return left <= MOST ? left : left < 2 * MOST ? left / 2 : least + wspi_pen_pick(p, VARIES);
}
