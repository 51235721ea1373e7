/* SPDX-License-Identifier: Apache-2.0 */
/* http.c: reads requests. One page, one method: of a request its first line counts, and where it ends. */
#include "http.h"

#include <stdbool.h>
#include <string.h>

static const char WANTED[] = "GET /metrics ";

/* Headers end with an empty line; the bytes may be anything, so no string functions here. */
static bool is_whole(const char *bytes, size_t len)
{
    return memmem(bytes, len, "\r\n\r\n", 4) || memmem(bytes, len, "\n\n", 2);
}

http_wish http_read(const char *bytes, size_t len)
{
    if (!is_whole(bytes, len))
        return HTTP_MORE;
    return len >= sizeof WANTED - 1 && memcmp(bytes, WANTED, sizeof WANTED - 1) == 0 ? HTTP_METRICS
                                                                                     : HTTP_OTHER;
}
