/* SPDX-License-Identifier: Apache-2.0 */
/* lines_words.c: the tables of SMTP, POP3, IMAP and FTP, from the lists of their words: so that enumerations and rows agree. */
#include "token/app/lines.h"

#include "token/app/lines_ftp.h"
#include "token/app/lines_imap.h"
#include "token/app/lines_pop3.h"
#include "token/app/lines_smtp.h"

static const wspi_value form[] = {{0, "upper"},    {1, "lower"},    {2, "title"},
                                  {3, "mixed"},    {4, "upper-lf"}, {5, "lower-lf"},
                                  {6, "title-lf"}, {7, "mixed-lf"}, {0, NULL}};
static const wspi_value body[] = {{0, "goes-on"}, {1, "ends"}, {2, "ends-before"}, {0, NULL}};
static const wspi_value tag[] = {{0, "next"}, {1, "spelled"}, {0, NULL}};

#define WORD(number, word, ...)           {number, word},
#define ROW(number, word, flags, a, b, c) {flags, {a, b, c}},
#define SET(number, word, sets)           sets,
#define FIELDS(p, lines, items)                                                             \
    [LINE] = {WSPI_ENUM(p ".line", 16, lines)}, [ITEM] = {WSPI_ENUM(p ".item", 16, items)}, \
    [FORM] = {WSPI_ENUM(p ".form", 8, form), .pred = WSPI_P_PREV},                          \
    [NAME] = {WSPI_MAG(p ".name", 16, WSPI_R_NAME, 1)},                                     \
    [NUMBER] = {WSPI_MAG(p ".number", 32, WSPI_R_NONE, 0)},                                 \
    [BODY] = {WSPI_ENUM(p ".body", 8, body)}
#define TABLES(p, P)                                                  \
    static const wspi_value p##_lines[] = {P##_LINES(WORD){0, NULL}}; \
    static const wspi_value p##_items[] = {P##_ITEMS(WORD){0, NULL}}; \
    static const wspi_line_row p##_rows[] = {P##_LINES(ROW)};         \
    static const uint64_t p##_sets[] = {P##_ITEMS(SET)};              \
    const wspi_lines wspi_lines_##p = {                               \
        p##_lines, p##_items, p##_rows, p##_sets, WSPI_COUNT(p##_rows), WSPI_COUNT(p##_sets)}

TABLES(smtp, WSPI_SMTP);
TABLES(pop3, WSPI_POP3);
TABLES(imap, WSPI_IMAP);
TABLES(ftp, WSPI_FTP);

const wspi_field wspi_smtp_fields[COMMON_FIELDS] = {FIELDS("smtp", smtp_lines, smtp_items)};
const wspi_field wspi_pop3_fields[COMMON_FIELDS] = {FIELDS("pop3", pop3_lines, pop3_items)};
const wspi_field wspi_imap_fields[TAG + 1] = {
    FIELDS("imap", imap_lines, imap_items),
    [TAG] = {WSPI_ENUM("imap.tag", 8, tag)},
};
const wspi_field wspi_ftp_fields[PORT + 1] = {
    FIELDS("ftp", ftp_lines, ftp_items),
    [HOST] = {WSPI_FREE("ftp.host", 32, WSPI_P_CONST, WSPI_R_IP_SRC)},
    [PORT] = {WSPI_FREE("ftp.port", 16, WSPI_P_CONST, WSPI_R_NUMBER)},
};
