/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_http.c: any bytes as a request for tag's page, as they come, byte by byte: once whole, always whole, and the same. */
#include "../../src/http_request.h"
#include "target.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    http_wish before = HTTP_MORE;

    for (size_t n = 0; n <= size && n <= HTTP_REQUEST; n++) {
        char *part = malloc(n + 1); /* of its own, so that a byte too many is seen */
        http_wish now;

        must(part != NULL);
        memcpy(part, data, n);
        part = realloc(part, n ? n : 1);
        now = http_read(part, n);
        must(before == HTTP_MORE || now == before);
        must(now != HTTP_METRICS || (n > 14 && memcmp(data, "GET /metrics", 12) == 0));
        must(now != HTTP_OTHER_HEAD || (n > 6 && memcmp(data, "HEAD ", 5) == 0));
        must(now != HTTP_HEAD || (n > 15 && memcmp(data, "HEAD /metrics", 13) == 0));
        before = now;
        free(part);
    }
    return 0;
}
