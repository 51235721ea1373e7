/* SPDX-License-Identifier: Apache-2.0 */
/* http_request.c: reads requests. One page: of a request its first line counts, and where it ends. */
#include "http_request.h"

#include <stdbool.h>
#include <string.h>

/* What is behind a question mark is for other pages. */
static const struct {
    const char *begin;
    http_wish wish;
} lines[] = {
    {"GET /metrics ", HTTP_METRICS}, {"GET /metrics?", HTTP_METRICS}, {"HEAD /metrics ", HTTP_HEAD},
    {"HEAD /metrics?", HTTP_HEAD},   {"HEAD ", HTTP_OTHER_HEAD},
};

/* Headers end with an empty line; the bytes may be anything, so no string functions here. */
static bool is_whole(const char *bytes, size_t len)
{
    return memmem(bytes, len, "\r\n\r\n", 4) || memmem(bytes, len, "\n\n", 2);
}

http_wish http_read(const char *bytes, size_t len)
{
    if (!is_whole(bytes, len))
        return HTTP_MORE;
    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++) {
        size_t n = strlen(lines[i].begin);

        if (len >= n && memcmp(bytes, lines[i].begin, n) == 0)
            return lines[i].wish;
    }
    return HTTP_OTHER;
}
