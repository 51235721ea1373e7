/* SPDX-License-Identifier: Apache-2.0 */
/*
 * text_line.h: lines of text that end with LF or CRLF, for the walks of http.c and lines.c. A line may go on in the next segment, and the
 * captured bytes may end within one.
 */
#ifndef WSPI_TEXT_LINE_H
#define WSPI_TEXT_LINE_H

#include "token/app/app.h"

/* The line at hand, when encoding: where its contents end; where the next one starts, or 0 if the end is not captured. */
typedef struct wspi_text_line {
    size_t eol, next;
} wspi_text_line;

wspi_text_line wspi_line_find(const wspi_coder *c);

/* Are there captured bytes of this payload to come? A sample's lines are whole. */
static inline bool wspi_line_more(const wspi_coder *c)
{
    return c->fill || wspi_app_captured(c) > 0;
}

/* Bytes that both sides know: checked or written. */
void wspi_line_literal(wspi_coder *c, const char *s, size_t n);
/* The end of a line, LF alone if `bare`. */
void wspi_line_end(wspi_coder *c, bool bare);
/* Does the last captured byte of what was passed end a line? */
bool wspi_line_done(const wspi_coder *c);

#endif
