/* SPDX-License-Identifier: Apache-2.0 */
/* http_request.h: what strangers say to the page for Prometheus. */
#ifndef WSP_HTTP_REQUEST_H
#define WSP_HTTP_REQUEST_H

#include <stddef.h>

enum { HTTP_REQUEST = 4096 }; /* bytes of a request; a longer one gets no answer */

typedef enum http_wish {
    HTTP_MORE,       /* the request is not all there */
    HTTP_METRICS,    /* GET /metrics */
    HTTP_HEAD,       /* HEAD of it: the answer without the page */
    HTTP_OTHER,      /* anything else, which is not there */
    HTTP_OTHER_HEAD, /* HEAD of anything else */
} http_wish;

/* What is asked for in the bytes that have come so far. */
http_wish http_read(const char *bytes, size_t len);

#endif
