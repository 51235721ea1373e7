/* SPDX-License-Identifier: Apache-2.0 */
/* nats.c: dialogs of NATS. */
#include "generate/dialog/dialog.h"

/*
 * NATS (client protocol, https://docs.nats.io/reference/reference-protocols/nats-protocol): lines that end with CR LF:
 *
 *     INFO {options} and MSG subject sid size, the bytes on a line of their own         of the server
 *     CONNECT {options}, SUB subject sid, UNSUB sid, and PUB subject size, as with MSG  of the client
 *     PING and PONG                                                                     of both
 */

/* kept: what of this flow was said, subscriptions, and whose PING waits for its PONG */
enum { GREETED, CONNECTED, SUBSCRIBED, PINGED }; /* PINGED + 1: by the server */

enum { SUBJECT, SERVER };

static void subject(const wspi_dialog *d, wspi_pen *p)
{
    char name[WSPI_DIALOG_NAME];

    wspi_dialog_name(d, SUBJECT, name);
    wspi_pen_format(p, "%s.%u", name, 1 + wspi_pen_pick(p, 20));
}

/* Letters that fill what is left of `want` but for `behind`. */
static void filled(wspi_pen *p, size_t want, size_t behind)
{
    enum { LEAST = 4 };
    size_t n = wspi_pen_left(p, want, behind);

    wspi_pen_letters(p, WSPI_MAX(n, (size_t)LEAST));
}

/* Where else a client may connect to may change at any time. */
static void nats_info(wspi_dialog *d, wspi_pen *p, size_t want)
{
    static const char rest[] = ":4222\"],\"proto\":1,\"headers\":true,\"max_payload\":1048576}\r\n";
    char server[WSPI_DIALOG_NAME];

    wspi_dialog_name(d, SERVER, server);
    wspi_pen_format(p, "INFO {\"server_id\":\"%s%08x\",\"server_name\":\"%s\",", server,
                    wspi_dialog_number(d, 1), server);
    wspi_pen_format(p,
                    "\"version\":\"2.%u.%u\",\"go\":\"go1.%u\",\"host\":\"0.0.0.0\",\"port\":4222,",
                    6 + wspi_dialog_number(d, 2) % 5, wspi_dialog_number(d, 3) % 20,
                    16 + wspi_dialog_number(d, 4) % 6);
    wspi_pen_format(p, "\"client_id\":%u,\"connect_urls\":[\"", 4 + wspi_dialog_number(d, 5) % 90);
    filled(p, want, sizeof rest - 1);
    wspi_pen_text(p, rest);
    d->kept[GREETED] = 1;
}

static void nats_connect(wspi_dialog *d, wspi_pen *p, size_t want)
{
    static const char rest[] = "\"}\r\nPING\r\n";

    wspi_pen_text(p, "CONNECT {\"verbose\":false,\"pedantic\":false,\"lang\":\"go\",");
    wspi_pen_text(p, "\"version\":\"1.31.0\",\"protocol\":1,\"name\":\"");
    filled(p, want, sizeof rest - 1);
    wspi_pen_text(p, rest);
    d->kept[CONNECTED] = 1;
    d->kept[PINGED] = 1;
}

enum { LEAST_MESSAGE = 32 }; /* with a subject of any length */

/* Messages until `want` is reached: "PUB subject size" or "MSG subject 1 size", and so many bytes. */
static void nats_messages(const wspi_dialog *d, wspi_pen *p, const char *word, const char *sid,
                          size_t want)
{
    enum { MOST = 400, ENDS = 2 + 2 };
    size_t left, n, end;

    while ((left = wspi_pen_left(p, want, 0)) >= LEAST_MESSAGE && !p->full) {
        end = p->n + (left <= MOST      ? left
                      : left < 2 * MOST ? left / 2
                                        : 80 + wspi_pen_pick(p, 300));
        wspi_pen_text(p, word);
        subject(d, p);
        wspi_pen_text(p, sid);
        n = wspi_pen_left(p, end, 1 + ENDS); /* and its own digits: */
        n -= WSPI_MIN(n, (size_t)(n > 9) + (n > 100) + (n > 1001));
        wspi_pen_format(p, "%zu\r\n", n);
        wspi_pen_prose(p, n);
        wspi_pen_text(p, "\r\n");
    }
}

static void nats_ping(wspi_dialog *d, wspi_pen *p, int dir)
{
    wspi_pen_text(p, "PING\r\n");
    d->kept[PINGED + dir] = 1;
}

/* Of what subjects it would have messages; a PING says when the server has seen it. */
static void nats_subscribe(wspi_dialog *d, wspi_pen *p, size_t want)
{
    enum { PING = 6 };
    char name[WSPI_DIALOG_NAME];

    wspi_dialog_name(d, SUBJECT, name);
    wspi_pen_format(p, "SUB %s.> %u\r\n", name, ++d->kept[SUBSCRIBED]);
    if (wspi_pen_left(p, want, 0) >= PING)
        nats_ping(d, p, 0);
}

static void nats_client(wspi_dialog *d, wspi_pen *p, size_t want)
{
    enum { LEAST_SUB = 18, MOST_SUBSCRIBED = 3 };

    if (want >= LEAST_MESSAGE)
        nats_messages(d, p, "PUB ", " ", want);
    else if (want >= LEAST_SUB && d->kept[SUBSCRIBED] < MOST_SUBSCRIBED)
        nats_subscribe(d, p, want);
    else
        nats_ping(d, p, 0);
}

static void nats_server(wspi_dialog *d, wspi_pen *p, size_t want)
{
    if (want < LEAST_MESSAGE)
        nats_ping(d, p, 1);
    else if (d->kept[SUBSCRIBED] > 0)
        nats_messages(d, p, "MSG ", " 1 ", want);
    else
        nats_info(d, p, want);
}

void wspi_say_nats(wspi_dialog *d, int dir, wspi_pen *p, size_t want)
{
    if (dir == 1 && !d->kept[GREETED]) {
        nats_info(d, p, want);
        return;
    }
    if (!d->kept[GREETED])
        return; /* the server's greeting says how to connect */
    if (dir == 0 && !d->kept[CONNECTED]) {
        nats_connect(d, p, want);
        return;
    }
    if (d->kept[PINGED + !dir]) {
        wspi_pen_text(p, "PONG\r\n");
        d->kept[PINGED + !dir] = 0;
        if (wspi_pen_left(p, want, 0) < LEAST_MESSAGE || (dir == 1 && d->kept[SUBSCRIBED] == 0))
            return;
    }
    (dir == 0 ? nats_client : nats_server)(d, p, want);
}
