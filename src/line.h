/* SPDX-License-Identifier: Apache-2.0 */
/*
 * line.h: lines of JSON put together as text, for records that come by the million: a tree of jansson takes six times as
 * long. Names of members, brackets and commas are the caller's; values are put by their type, as jansson prints them with
 * JSON_COMPACT and JSON_REAL_PRECISION(6).
 */
#ifndef WIRESPEAK_LINE_H
#define WIRESPEAK_LINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Zeros: empty. Several lines may follow each other. */
typedef struct linebuf {
    char *text; /* [len], no NUL */
    size_t len, cap;
    bool
        failed; /* no memory, or a value that JSON has not got: what was put since then is not complete */
} linebuf;

/* Text as it is: JSON already. */
void line_raw(linebuf *l, const char *text, size_t len);
#define LINE(l, literal) line_raw(l, literal, sizeof literal - 1)

void line_number(linebuf *l, uint64_t v);
void line_real(linebuf *l, double v);
/* A string in quotes. What is neither UTF-8 nor printable is '?' if jansson does not take it. */
void line_text(linebuf *l, const char *s);

void line_clear(linebuf *l);

#endif
