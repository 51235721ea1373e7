/* SPDX-License-Identifier: Apache-2.0 */
/* sink.c: the table of sinks, what they share, and files. */
#include "sink.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "cli.h"

/* The last one takes what no other does. */
static const sink_kind *const kinds[] = {
    &sink_unix,  &sink_syslog,
#ifdef WITH_REDIS
    &sink_redis,
#endif
#ifdef WITH_KAFKA
    &sink_kafka,
#endif
    &sink_file,
};

/* What this build was made without. */
static const char *const absent[][2] = {
#ifndef WITH_REDIS
    {"redis:", "libhiredis-dev"},
#endif
#ifndef WITH_KAFKA
    {"kafka:", "librdkafka-dev"},
#endif
    {NULL, NULL},
};

enum { PATIENCE_MS = 100, LAST_TIMES = 10, RETRY_MS = 1000 };

static bool begins(const char *target, const char *prefix)
{
    return strncmp(target, prefix, strlen(prefix)) == 0;
}

bool sink_is_known(const char *target)
{
    size_t n = strspn(target, "abcdefghijklmnopqrstuvwxyz0123456789");

    if (*target < 'a' || *target > 'z' || target[n] != ':')
        return true;
    for (size_t i = 0; absent[i][0]; i++)
        if (begins(target, absent[i][0]))
            return true;
    for (size_t i = 0; kinds[i] != &sink_file; i++)
        if (begins(target, kinds[i]->prefix))
            return true;
    return false;
}

int sink_open(sink *s, const char *target)
{
    const sink_kind *kind;
    size_t i = 0;

    for (size_t k = 0; absent[k][0]; k++)
        if (begins(target, absent[k][0]))
            return cli_fail("%s: this program was built without it: configure again with %s",
                            target, absent[k][1]);
    while (!begins(target, kinds[i]->prefix))
        i++;
    kind = kinds[i];
    *s = (sink){.kind = kind, .fd = -1, .target = strdup(target)};
    if (!s->target)
        return cli_fail("no memory for an output");
    return kind->open(s, target + strlen(kind->prefix));
}

int sink_start(sink *s)
{
    return s->kind->start ? s->kind->start(s) : CLI_OK;
}

size_t sink_write(sink *s, const char *lines, size_t len, size_t n)
{
    int64_t start = sink_now_ms(), took;
    size_t lost;

    s->why = NULL;
    lost = s->dead ? n : s->kind->write(s, lines, len, n);
    if (lost && !s->failing && !s->dead)
        (void)cli_fail("%s: %s; records are lost until that is over", s->target,
                       s->why            ? s->why
                       : errno == EAGAIN ? "its reader takes nothing"
                                         : strerror(errno));
    else if (!lost && s->failing && !s->away)
        cli_warn("%s: goes on, after %llu lost records", s->target, (unsigned long long)s->missed);
    took = sink_now_ms() - start;
    if (lost) /* who keeps us waiting leaves the other sinks as much time */
        s->next_ms = start + took + (took > RETRY_MS ? took : RETRY_MS);
    s->failing = lost > 0 || (s->failing && s->away);
    s->missed = s->failing ? s->missed + lost : 0;
    s->lost += lost;
    s->written += n - lost;
    return lost < n ? n - lost : 0;
}

void sink_reopen(sink *s)
{
    if (s->kind->reopen)
        s->kind->reopen(s);
}

uint64_t sink_close(sink *s)
{
    uint64_t lost;

    if (s->kind)
        s->kind->close(s);
    sink_drop_rest(s);
    lost = s->lost;
    free(s->rest);
    free(s->target);
    *s = (sink){.fd = -1};
    return lost;
}

/* A clock that is put back would keep the reader away until it is there again. */
int64_t sink_now_ms(void)
{
    struct timespec now;

    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

bool sink_hurries(const sink *s)
{
    return s->hurry && atomic_load(s->hurry);
}

bool sink_due(const sink *s)
{
    return !(s->failing && sink_hurries(s)) && sink_now_ms() >= s->next_ms;
}

bool sink_hung_up(int fd, short how)
{
    struct pollfd p = {.fd = fd, .events = how};

    return poll(&p, 1, 0) > 0 && (p.revents & (POLLHUP | POLLERR | how));
}

/* ---- writing to file descriptors ---- */

/*
 * What a reader that has gone gives is for write to tell. At the end, and while other sinks wait, one that takes nothing gets a second,
 * and no more of it.
 */
bool sink_wait(const sink *s)
{
    struct pollfd p = {.fd = s->fd, .events = POLLOUT};

    for (unsigned times = 0;;) {
        bool hurry = s->shared || sink_hurries(s);
        int rc = poll(&p, 1, hurry && s->failing ? 0 : PATIENCE_MS);

        errno = EAGAIN;
        if (rc > 0)
            return s->waits || (p.revents & POLLOUT);
        if (!s->waits || (hurry && (s->failing || ++times == LAST_TIMES)))
            return false;
    }
}

/* A pipe that can be written to has room for PIPE_BUF bytes: with more, write would wait. 0: nobody takes anything. */
static ssize_t push_part(const sink *s, const char *p, size_t len)
{
    if (!s->waits)
        return write(s->fd, p, len);
    return sink_wait(s) ? write(s->fd, p, len < PIPE_BUF ? len : PIPE_BUF) : 0;
}

/* Writes all it can; returns how much. */
static size_t push(const sink *s, const char *p, size_t len)
{
    size_t done = 0;

    while (done < len) {
        ssize_t n = push_part(s, p + done, len - done);

        if (n > 0)
            done += (size_t)n;
        else if (n == 0 || (errno != EINTR && (errno != EAGAIN || !sink_wait(s))))
            break;
    }
    return done;
}

static bool push_rest(sink *s)
{
    size_t done = push(s, s->rest, s->n_rest);

    memmove(s->rest, s->rest + done, s->n_rest - done);
    s->n_rest -= done;
    return s->n_rest == 0;
}

void sink_drop_rest(sink *s)
{
    s->lost += s->n_rest > 0;
    s->written -= s->n_rest > 0;
    s->n_rest = 0;
}

size_t sink_write_fd(sink *s, const char *lines, size_t len, size_t n)
{
    size_t done, end, whole = 0;
    char *rest;

    if (s->n_rest && !push_rest(s))
        return n;
    errno = 0;
    done = push(s, lines, len);
    if (done == len)
        return 0;
    for (size_t i = 0; i < done; i++)
        whole += lines[i] == '\n';
    for (end = done; end > 0 && lines[end - 1] != '\n'; end--)
        ;
    if (end == done)
        return n - whole;
    /* a line was cut: the rest of it comes first next time */
    end = (size_t)((const char *)memchr(lines + done, '\n', len - done) - lines) + 1;
    rest = realloc(s->rest, end - done);
    if (rest) {
        s->rest = rest;
        s->n_rest = end - done;
        memcpy(rest, lines + done, s->n_rest);
        whole++;
    }
    return n - whole;
}

/* ---- files and standard output ---- */

/* At the start a FIFO waits for its reader; when it is opened again, packets come, and a signal ends nothing here. */
static int open_path(const char *path, bool again)
{
    return open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | (again ? O_NONBLOCK : 0), 0640);
}

static bool is_waited_for(int fd)
{
    struct stat sb;

    return fstat(fd, &sb) == 0 && !S_ISREG(sb.st_mode);
}

/* A program that was killed, or a disk that was full, leaves half a line: what follows must not become part of it. */
static void end_cut_line(const sink *s)
{
    int fd = s->waits ? -1 : open(s->target, O_RDONLY | O_CLOEXEC);
    struct stat sb;
    char last = '\n';

    if (fd < 0)
        return;
    if (fstat(fd, &sb) == 0 && sb.st_size > 0 && pread(fd, &last, 1, sb.st_size - 1) == 1 &&
        last != '\n' && write(s->fd, "\n", 1) != 1)
        cli_warn("%s: it ends with half a line: %s", s->target, strerror(errno));
    (void)close(fd);
}

static int file_open(sink *s, const char *target)
{
    if (strcmp(target, "-") == 0) {
        s->fd = STDOUT_FILENO;
        s->waits = is_waited_for(s->fd);
        free(s->target);
        s->target = strdup("standard output");
        return s->target ? CLI_OK : cli_fail("no memory for an output");
    }
    s->fd = open_path(target, false);
    if (s->fd < 0)
        return cli_fail("%s: %s", target, strerror(errno));
    s->waits = is_waited_for(s->fd);
    end_cut_line(s);
    return CLI_OK;
}

static size_t file_write(sink *s, const char *lines, size_t len, size_t n)
{
    size_t lost = sink_write_fd(s, lines, len, n);

    if (lost && errno == EPIPE)
        s->dead = true;
    if (s->dead)
        cli_warn("%s: the reader has gone", s->target);
    return lost;
}

/* The old file stays in use where a new one cannot be had: rotation must not end the records. */
static void file_reopen(sink *s)
{
    int fd = s->fd == STDOUT_FILENO ? -1 : open_path(s->target, true);

    if (s->fd == STDOUT_FILENO)
        return;
    if (fd < 0) {
        cli_warn("%s: %s; the old file stays in use", s->target, strerror(errno));
        return;
    }
    if (s->n_rest) /* a line that was cut ends in the file where it began, if that has room again */
        (void)push_rest(s);
    sink_drop_rest(s);
    (void)close(s->fd);
    s->fd = fd;
    s->waits = is_waited_for(fd);
    s->dead = false;
    end_cut_line(s);
}

static void file_close(sink *s)
{
    if (s->fd > STDERR_FILENO)
        (void)close(s->fd);
}

const sink_kind sink_file = {.prefix = "",
                             .open = file_open,
                             .write = file_write,
                             .reopen = file_reopen,
                             .close = file_close};
