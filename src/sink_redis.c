/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sink_redis.c: records to a Redis stream: XADD KEY MAXLEN ~ 1000000 * eve RECORD, in pipelines. A server that goes away, or does
 * not answer in time, is looked for again.
 */
#include <errno.h>
#include <hiredis/hiredis.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>

#include "cli.h"
#include "sink.h"

/* How long the answers to a pipeline may take, and each by itself; at the end all of them have no more than LAST_MS. */
enum { PORT = 6379, ANSWER_S = 1, ANSWERS_MS = 5000, LAST_MS = 1000 };

typedef struct server {
    char *host, *key; /* host is a path when it begins with a slash */
    int port;
    redisContext *c;  /* NULL: away */
    int64_t asked_ms; /* when the pipeline began that has answers to come */
    char why[160];    /* what the server says, or why there is none; "": errno tells */
} server;

static void keep_why(server *r, const redisReply *reply)
{
    (void)snprintf(r->why, sizeof r->why, "the server says: %.*s", (int)reply->len, reply->str);
    wsp_make_printable(r->why);
}

static void hang_up(server *r)
{
    redisFree(r->c);
    r->c = NULL;
}

static bool dial(server *r)
{
    const struct timeval patience = {.tv_sec = ANSWER_S};

    r->c = *r->host == '/' ? redisConnectUnixWithTimeout(r->host, patience)
                           : redisConnectWithTimeout(r->host, r->port, patience);
    if (r->c && !r->c->err && redisSetTimeout(r->c, patience) == REDIS_OK)
        return true;
    errno = r->c && r->c->err == REDIS_ERR_IO && errno ? errno : ECONNREFUSED;
    /* that a name is unknown, no errno says */
    (void)snprintf(r->why, sizeof r->why, "%s",
                   r->c && r->c->err == REDIS_ERR_OTHER ? r->c->errstr : "");
    hang_up(r);
    return false;
}

/* HOST[:PORT]/KEY, [ADDRESS]:PORT/KEY, or PATH/KEY of a Unix socket. */
static bool read_target(server *r, const char *target)
{
    const char *slash = strrchr(target, '/');
    char *port, *end;

    if (!slash || slash == target || !slash[1])
        return false;
    r->host = strndup(target, (size_t)(slash - target));
    r->key = strdup(slash + 1);
    r->port = PORT;
    if (!r->host || !r->key || *r->host == '/')
        return true;
    port = strchr(r->host, ':');
    if (*r->host == '[') { /* an IPv6 address, which has colons of its own */
        end = strchr(r->host, ']');
        if (!end || (end[1] && end[1] != ':'))
            return false;
        port = end[1] ? end + 1 : NULL;
        *end = '\0';
    }
    if (port) {
        *port = '\0';
        r->port = (int)strtol(port + 1, &end, 10);
        if (!port[1] || *end || r->port < 1 || r->port > 65535)
            return false;
    }
    if (*r->host == '[')
        memmove(r->host, r->host + 1, strlen(r->host));
    return *r->host != '\0';
}

/* A pipeline as a whole, too: a server that gives a byte now and then would hold up all other outputs, and the end of the program. */
static bool is_late(const sink *s)
{
    const server *r = s->own;

    return sink_now_ms() - r->asked_ms >= (sink_hurries(s) ? LAST_MS : ANSWERS_MS);
}

/* Everything that was appended is sent. */
static bool send_pipeline(const sink *s)
{
    server *r = s->own;
    int sent = 0;

    r->asked_ms = sink_now_ms();
    while (!sent && !is_late(s))
        if (redisBufferWrite(r->c, &sent) != REDIS_OK)
            return false;
    return sent;
}

/* The next answer, for the caller to free. NULL: none in time, or the connection broke, as r->why, c->errstr or errno say. */
static redisReply *next_reply(const sink *s)
{
    server *r = s->own;
    void *reply = NULL;
    bool waited = false;

    errno = 0;
    while (!waited && redisGetReplyFromReader(r->c, &reply) == REDIS_OK && !reply)
        waited = is_late(s) || redisBufferRead(r->c) != REDIS_OK;
    if (waited && (!r->c->err || errno == EAGAIN))
        (void)snprintf(r->why, sizeof r->why, "the server does not answer");
    return reply;
}

/*
 * Would it take a record? An entry with the id 0-0 is never made: a server that would make another one says so (ERR), one that is full,
 * wants a password or has other reasons gives these. Whether the key is another's, it does not look at then: its length tells, to those who
 * may read.
 */
static bool is_refusal(const redisReply *reply, bool of_length)
{
    if (reply->type != REDIS_REPLY_ERROR)
        return false;
    if (of_length)
        return strncmp(reply->str, "WRONGTYPE ", 10) == 0;
    return strncmp(reply->str, "ERR ", 4) != 0 || strstr(reply->str, "unknown command");
}

static int try_record(const sink *s, server *r)
{
    bool sent =
        redisAppendCommand(r->c, "XADD %s MAXLEN ~ 1000000 0-0 eve -", r->key) == REDIS_OK &&
        redisAppendCommand(r->c, "XLEN %s", r->key) == REDIS_OK && send_pipeline(s);

    for (int i = 0; i < 2; i++) {
        redisReply *reply = sent ? next_reply(s) : NULL;

        if (!reply)
            return cli_fail("%s: %s", s->target, *r->why ? r->why : r->c->errstr);
        if (!*r->why && is_refusal(reply, i == 1))
            keep_why(r, reply);
        freeReplyObject(reply);
    }
    return *r->why ? cli_fail("%s: %s", s->target, r->why) : CLI_OK;
}

static int redis_open(sink *s, const char *target)
{
    server *r = calloc(1, sizeof *r);

    s->own = r;
    if (!r)
        return cli_fail("no memory for an output");
    if (!read_target(r, target))
        return cli_usage("tag", "%s: write it redis:HOST[:PORT]/STREAM or redis:SOCKET/STREAM",
                         s->target);
    if (!r->host || !r->key)
        return cli_fail("no memory for an output");
    return dial(r) ? try_record(s, r)
                   : cli_fail("%s: %s", s->target, *r->why ? r->why : strerror(errno));
}

/* Answers to n commands; how many of them were good. */
static size_t collect(const sink *s, size_t n)
{
    server *r = s->own;
    bool whole = send_pipeline(s);
    size_t good = 0;

    for (size_t i = 0; whole && i < n; i++) {
        redisReply *reply = next_reply(s);

        whole = reply != NULL;
        if (!whole)
            break;
        if (reply->type != REDIS_REPLY_ERROR)
            good++;
        else if (!*r->why)
            keep_why(r, reply);
        freeReplyObject(reply);
    }
    if (!whole) /* answers that come late would be taken for those of others */
        hang_up(r);
    return good;
}

/* There is a connection. One that the server ended while nothing was asked (it was restarted, or has a timeout) is made anew at once. */
static bool is_connected(sink *s)
{
    server *r = s->own;
    bool ended = r->c && sink_hung_up(r->c->fd, POLLRDHUP);

    if (ended)
        hang_up(r);
    if (r->c)
        return true;
    errno = ENOTCONN;
    if (!ended && !sink_due(s))
        return false;
    if (dial(r))
        return true;
    s->why = *r->why ? r->why : NULL;
    return false;
}

static size_t redis_write(sink *s, const char *lines, size_t len, size_t n)
{
    server *r = s->own;
    size_t good, asked = 0;

    if (!is_connected(s))
        return n;
    for (size_t at = 0; at < len; asked++) {
        const char *end = memchr(lines + at, '\n', len - at);
        size_t line = (size_t)(end - (lines + at));

        if (redisAppendCommand(r->c, "XADD %s MAXLEN ~ 1000000 * eve %b", r->key, lines + at,
                               line) != REDIS_OK)
            break;
        at += line + 1;
    }
    errno = 0;
    r->why[0] = '\0';
    good = collect(s, asked);
    s->why = *r->why ? r->why : NULL;
    errno = errno ? errno : ECONNRESET;
    return n - good;
}

static void redis_close(sink *s)
{
    server *r = s->own;

    if (!r)
        return;
    redisFree(r->c);
    free(r->host);
    free(r->key);
    free(r);
}

const sink_kind sink_redis = {
    .prefix = "redis:", .open = redis_open, .write = redis_write, .close = redis_close};
