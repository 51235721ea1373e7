/* SPDX-License-Identifier: Apache-2.0 */
/* sql.h: what the dialogs of databases that are asked in SQL have in common. */
#ifndef WSPI_DIALOG_SQL_H
#define WSPI_DIALOG_SQL_H

#include "generate/dialog/dialog.h"

/* What a statement asks for, and so which answer it gets. */
typedef enum wspi_sql {
    WSPI_SQL_NOTHING,
    WSPI_SQL_ROWS,
    WSPI_SQL_BEGIN,
    WSPI_SQL_COMMIT,
    WSPI_SQL_INSERT,
    WSPI_SQL_UPDATE,
    WSPI_SQL_DELETE,
    WSPI_SQL_KINDS
} wspi_sql;

/* Names of a flow; who asks for more begins behind them. */
enum { WSPI_SQL_USER, WSPI_SQL_BASE, WSPI_SQL_TABLE, WSPI_SQL_COLUMN, WSPI_SQL_NAMES };

void wspi_sql_name(const wspi_dialog *d, wspi_pen *p, unsigned k);
/* Text, '@' of which stands for the flow's table, and '#' for a column. */
void wspi_sql_words(const wspi_dialog *d, wspi_pen *p, const char *s);
/* A statement of n characters, or up to 3 less; of 6, where n is less than 10. Returns what it asks for. */
wspi_sql wspi_sql_statement(const wspi_dialog *d, wspi_pen *p, size_t n);
/* A statement with a parameter in the place of `mark`. */
wspi_sql wspi_sql_prepared(const wspi_dialog *d, wspi_pen *p, const char *mark);
/* How long the next row is, where `left` bytes remain for rows: so that they are used up. 0: no more rows. */
size_t wspi_sql_row(wspi_pen *p, size_t left, size_t least);

#endif
