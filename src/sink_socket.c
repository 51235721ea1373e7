/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sink_socket.c: records to a Unix socket that somebody listens at (a stream of lines, or a datagram a record), and to syslog, which is
 * such a socket. A reader that goes away is looked for again every second.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "cli.h"
#include "sink.h"

enum { DAEMON_NOTICE = 3 << 3 | 5, HEAD = 64 };

typedef struct where {
    struct sockaddr_un addr;
    bool datagrams, syslog;
} where;

static bool open_socket(sink *s, int type)
{
    const where *w = s->own;
    int fd = socket(AF_UNIX, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

    if (fd >= 0 && connect(fd, (const struct sockaddr *)&w->addr, sizeof w->addr) == 0) {
        s->fd = fd;
        return true;
    }
    if (fd >= 0) {
        int why = errno;
        (void)close(fd);
        errno = why;
    }
    return false;
}

static bool dial(sink *s)
{
    where *w = s->own;

    w->datagrams = w->syslog || !open_socket(s, SOCK_STREAM);
    return s->fd >= 0 || ((w->syslog || errno == EPROTOTYPE) && open_socket(s, SOCK_DGRAM));
}

static void hang_up(sink *s)
{
    if (s->fd >= 0)
        (void)close(s->fd);
    s->fd = -1;
    sink_drop_rest(s);
}

static int open_at(sink *s, const char *path, bool syslog)
{
    where *w = calloc(1, sizeof *w);

    if (!w)
        return cli_fail("no memory for an output");
    s->own = w;
    w->addr.sun_family = AF_UNIX;
    w->syslog = syslog;
    if (strlen(path) >= sizeof w->addr.sun_path)
        return cli_usage("tag", "%s: a socket's path has less than %zu bytes", path,
                         sizeof w->addr.sun_path);
    memcpy(w->addr.sun_path, path, strlen(path) + 1);
    return dial(s) ? CLI_OK : cli_fail("%s: %s", path, strerror(errno));
}

static int unix_open(sink *s, const char *target)
{
    return open_at(s, target, false);
}

static int syslog_open(sink *s, const char *target)
{
    return open_at(s, *target ? target : "/dev/log", true);
}

/* <PRI>Mon dd hh:mm:ss TAG: text, as local programs write it (RFC 3164, without the host). */
static bool send_line(sink *s, const char *line, size_t len)
{
    const where *w = s->own;
    char head[HEAD] = "";
    struct iovec part[2] = {{.iov_base = head}, {.iov_len = len}};
    const struct msghdr m = {.msg_iov = part, .msg_iovlen = 2};
    time_t now = time(NULL);
    struct tm tm;
    size_t at = 0;

    part[1].iov_base = (char *)(uintptr_t)line; /* sendmsg only reads it */
    if (w->syslog && localtime_r(&now, &tm)) {
        at = (size_t)snprintf(head, sizeof head, "<%d>", DAEMON_NOTICE);
        at += strftime(head + at, sizeof head - at, "%b %e %H:%M:%S ", &tm);
        at += (size_t)snprintf(head + at, sizeof head - at, "wirespeak[%d]: ", (int)getpid());
    }
    part[0].iov_len = at;
    while (sendmsg(s->fd, &m, MSG_NOSIGNAL) < 0) {
        if (errno == EINTR || ((errno == EAGAIN || errno == ENOBUFS) && sink_wait(s)))
            continue;
        return false;
    }
    return true;
}

static size_t send_lines(sink *s, const char *lines, size_t len, size_t n)
{
    size_t sent = 0;

    for (size_t at = 0; at < len;) {
        const char *end = memchr(lines + at, '\n', len - at);
        size_t line = (size_t)(end - (lines + at));

        if (!send_line(s, lines + at, line))
            break;
        sent++;
        at += line + 1;
    }
    return n - sent;
}

static bool gone(int why)
{
    return why == EPIPE || why == ECONNRESET || why == ECONNREFUSED || why == ENOTCONN;
}

static size_t socket_write(sink *s, const char *lines, size_t len, size_t n)
{
    where *w = s->own;
    bool ended = s->fd >= 0 && !w->datagrams && sink_hung_up(s->fd, 0);
    size_t lost;

    if (ended)
        hang_up(s);
    if (s->fd < 0) {
        errno = ENOTCONN;
        if ((!ended && !sink_due(s)) || !dial(s))
            return n;
    }
    lost = w->datagrams ? send_lines(s, lines, len, n) : sink_write_fd(s, lines, len, n);
    if (lost && gone(errno)) {
        int why = errno;
        hang_up(s);
        errno = why;
    }
    return lost;
}

static void socket_close(sink *s)
{
    hang_up(s);
    free(s->own);
}

const sink_kind sink_unix = {
    .prefix = "unix:", .open = unix_open, .write = socket_write, .close = socket_close};
const sink_kind sink_syslog = {
    .prefix = "syslog:", .open = syslog_open, .write = socket_write, .close = socket_close};
