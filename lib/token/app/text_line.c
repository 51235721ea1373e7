/* SPDX-License-Identifier: Apache-2.0 */
/* text_line.c: the line at hand, literals, and ends of lines. */
#include "token/app/text_line.h"

wspi_text_line wspi_line_find(const wspi_coder *c)
{
    size_t n = wspi_app_captured(c);
    const uint8_t *b = wspi_app_here(c), *lf = n ? memchr(b, '\n', n) : NULL;
    wspi_text_line l = {.eol = c->pay.at + (lf ? (size_t)(lf - b) : n)};

    if (!lf)
        return l;
    l.next = l.eol + 1;
    l.eol -= lf > b && lf[-1] == '\r';
    return l;
}

void wspi_line_literal(wspi_coder *c, const char *s, size_t n)
{
    uint8_t *b;

    if (wspi_app_stopped(c))
        return;
    if (!c->fill && wspi_app_captured(c) < n) {
        wspi_app_fail(c);
    } else if (c->enc) {
        wspi_app_require(c, memcmp(wspi_app_here(c), s, n) == 0);
        c->pay.at += n;
    } else {
        b = wspi_payload_room(c, n);
        if (b)
            memcpy(b, s, n);
        c->pay.at += n;
    }
}

void wspi_line_end(wspi_coder *c, bool bare)
{
    if (bare)
        wspi_line_literal(c, "\n", 1);
    else
        wspi_line_literal(c, "\r\n", 2);
}

bool wspi_line_done(const wspi_coder *c)
{
    if (wspi_app_stopped(c) || c->pay.at == 0 || (!c->enc && c->pay.out->len == 0))
        return false;
    return (c->enc ? c->pay.in[WSPI_MIN(c->pay.at, c->pay.end) - 1]
                   : c->pay.out->data[c->pay.out->len - 1]) == '\n';
}
