/* SPDX-License-Identifier: Apache-2.0 */
/*
 * spans.c: where in a payload the walk of an application protocol found its fields. A walk may read several numbers
 * before it says which fields they are, so the last ones are kept until a field of their value comes.
 */
#include "token/app/app.h"

#include <stdio.h>

static void add(wspi_spans *s, wspi_span span)
{
    if (s->n < WSPI_MAX_SPANS)
        s->v[s->n++] = span;
}

void wspi_spans_back(wspi_spans *s, size_t n)
{
    s->n = n;
    s->field = 0;
    s->newest = false;
    memset(s->gets, 0, sizeof s->gets);
}

void wspi_spans_got(wspi_spans *s, size_t at, size_t len, uint64_t v)
{
    memmove(s->gets + 1, s->gets, (WSPI_SPAN_GETS - 1) * sizeof *s->gets);
    s->gets[0].v = v;
    s->gets[0].at = (uint32_t)at;
    s->gets[0].len = (uint32_t)len;
    s->gets[0].little = false;
}

void wspi_spans_little(wspi_spans *s, uint64_t v)
{
    s->gets[0].v = v;
    s->gets[0].little = true;
}

void wspi_spans_field(wspi_spans *s, uint8_t app, unsigned field, size_t at, uint64_t v)
{
    wspi_span span = {
        .kind = WSPI_SPAN_MARK, .app = app, .field = (uint8_t)field, .at = (uint32_t)at};

    s->field = (uint8_t)field;
    for (size_t k = 0; k < WSPI_SPAN_GETS; k++) {
        size_t i = s->newest ? k : WSPI_SPAN_GETS - 1 - k;
        if (s->gets[i].len == 0 || s->gets[i].v != v)
            continue;
        span.kind = WSPI_SPAN_FIELD;
        span.at = s->gets[i].at;
        span.len = s->gets[i].len;
        span.little = s->gets[i].little;
        s->gets[i].len = 0;
        break;
    }
    s->newest = false;
    add(s, span);
}

void wspi_spans_length(wspi_spans *s, uint8_t app, size_t at, size_t width, size_t end)
{
    s->gets[0].len = 0;
    add(s, (wspi_span){.kind = WSPI_SPAN_LENGTH,
                       .app = app,
                       .field = s->field,
                       .at = (uint32_t)at,
                       .len = (uint32_t)width,
                       .end = (uint32_t)end});
}

void wspi_spans_bytes(wspi_spans *s, enum wspi_span_kind kind, uint8_t app, size_t at, size_t len)
{
    if (len)
        add(s, (wspi_span){.kind = (uint8_t)kind,
                           .app = app,
                           .field = s->field,
                           .at = (uint32_t)at,
                           .len = (uint32_t)len});
}

void wspi_span_name(const wspi_span *s, char *buf, size_t len)
{
    const wspi_proto *proto = wspi_proto_of(s->app);

    if (s->kind == WSPI_SPAN_LENGTH)
        (void)snprintf(buf, len, "%s.length", proto->name);
    else
        (void)snprintf(buf, len, "%s%s", proto->fields[s->field].name,
                       s->kind == WSPI_SPAN_TEXT     ? ":text"
                       : s->kind == WSPI_SPAN_OPAQUE ? ":bytes"
                                                     : "");
}
