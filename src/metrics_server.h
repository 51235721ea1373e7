/* SPDX-License-Identifier: Apache-2.0 */
/*
 * metrics_server.h: the figures of tag for Prometheus (text format 0.0.4, over HTTP), on a loopback address or a Unix socket. A
 * thread of its own answers; the tagger only leaves copies of its figures.
 */
#ifndef WSP_METRICS_SERVER_H
#define WSP_METRICS_SERVER_H

#include "outlet.h"

typedef struct metrics metrics;

/* "127.0.0.1:PORT", "[::1]:PORT", "PORT" (of 127.0.0.1) or "unix:SOCKET". Exit status; before privileges are dropped. */
int metrics_open(metrics **out, const char *address, const wsp_feed *feed, outlet *o);
int metrics_start(metrics *m);
void metrics_leave(metrics *m, const wsp_tag_stats *s); /* NULL is fine, also below */
void metrics_close(metrics *m);

#endif
