/* SPDX-License-Identifier: Apache-2.0 */
/* line.c: JSON as text. What has to be escaped, jansson escapes. */
#include "line.h"

#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "eve.h"

enum { ROOM = 4096 };

void line_raw(linebuf *l, const char *text, size_t len)
{
    if (l->cap - l->len < len) {
        size_t cap = 2 * (l->len + len) + ROOM;
        char *p = realloc(l->text, cap);

        if (!p) {
            l->failed = true;
            return;
        }
        l->text = p;
        l->cap = cap;
    }
    memcpy(l->text + l->len, text, len);
    l->len += len;
}

void line_number(linebuf *l, uint64_t v)
{
    char text[20], *p = text + sizeof text;

    do
        *--p = (char)('0' + v % 10);
    while (v /= 10);
    line_raw(l, p, (size_t)(text + sizeof text - p));
}

/* printf's six digits; a number without fraction gets one, and an exponent has neither a plus nor zeros in front. */
void line_real(linebuf *l, double v)
{
    char text[32], *e;
    size_t len;

    if (!isfinite(v)) {
        l->failed = true;
        return;
    }
    len = (size_t)snprintf(text, sizeof text - 2, "%.6g", v);
    e = memchr(text, 'e', len);
    if (!e) {
        line_raw(l, text, len);
        if (!memchr(text, '.', len))
            LINE(l, ".0");
        return;
    }
    line_raw(l, text, (size_t)(e + 1 - text) + (e[1] == '-'));
    for (e += 2; *e == '0'; e++)
        ;
    line_raw(l, e, len - (size_t)(e - text));
}

static void put_escaped(linebuf *l, const char *s)
{
    json_t *j = json_string(s);
    char *text;

    if (!j) {
        char *printable = eve_printable(s);
        j = printable ? json_string(printable) : NULL;
        free(printable);
    }
    text = j ? json_dumps(j, JSON_COMPACT | JSON_ENCODE_ANY) : NULL;
    json_decref(j);
    if (text)
        line_raw(l, text, strlen(text));
    else
        l->failed = true;
    free(text);
}

void line_text(linebuf *l, const char *s)
{
    size_t n = 0;

    while (s[n] >= ' ' && s[n] < 127 && s[n] != '"' && s[n] != '\\')
        n++;
    if (s[n]) {
        put_escaped(l, s);
        return;
    }
    LINE(l, "\"");
    line_raw(l, s, n);
    LINE(l, "\"");
}

void line_clear(linebuf *l)
{
    free(l->text);
    *l = (linebuf){.text = NULL};
}
