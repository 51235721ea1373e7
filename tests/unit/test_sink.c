/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_sink.c: a socket's reader that goes away is looked for again, whatever becomes of the clock meanwhile; readers that are there
 * and take nothing leave the other outputs their time, and let the program end.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "sink.h"

/* What is added to the clock that can be set, and to the one that cannot. */
static time_t set_by_s, passed_s;

int clock_gettime(clockid_t clock, struct timespec *t)
{
    int rc = (int)syscall(SYS_clock_gettime, clock, t);

    t->tv_sec += passed_s + (clock == CLOCK_REALTIME ? set_by_s : 0);
    return rc;
}

time_t time(time_t *t)
{
    struct timespec now;

    (void)clock_gettime(CLOCK_REALTIME, &now);
    if (t)
        *t = now.tv_sec;
    return now.tv_sec;
}

static const char line[] = "{}\n";
static atomic_bool hurry;

static int listen_at(const char *path)
{
    struct sockaddr_un addr = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    memcpy(addr.sun_path, path, strlen(path) + 1);
    (void)unlink(path);
    assert_true(fd >= 0);
    assert_int_equal(bind(fd, (const struct sockaddr *)&addr, sizeof addr), 0);
    assert_int_equal(listen(fd, 1), 0);
    return fd;
}

static void put(sink *s)
{
    sink_write(s, line, strlen(line), 1);
}

static void a_clock_that_is_put_back_keeps_no_reader_away(void **state)
{
    char target[] = "unix:/tmp/wirespeak-sink-XXXXXX", *path = target + strlen("unix:");
    int unused = mkstemp(path), fd = listen_at(path);
    sink s;

    (void)state;
    assert_int_equal(sink_open(&s, target), 0);
    s.hurry = &hurry;
    put(&s);
    assert_int_equal(s.written, 1);
    (void)close(fd);
    put(&s); /* hangs up */
    put(&s); /* looks for it: nobody is there */
    assert_int_equal(s.lost, 2);
    fd = listen_at(path);
    put(&s); /* not yet */
    assert_int_equal(s.lost, 3);
    set_by_s = -3600;
    passed_s = 2;
    put(&s);
    assert_int_equal(s.lost, 3);
    assert_int_equal(s.written, 2);
    assert_int_equal(sink_close(&s), 3);
    (void)close(fd);
    (void)unlink(path);
    (void)close(unused);
}

/* Milliseconds that so many writes take. */
static int64_t time_of(sink *s, const char *lines, size_t n, unsigned times)
{
    int64_t start = sink_now_ms();

    while (times--)
        sink_write(s, lines, strlen(lines), n);
    return sink_now_ms() - start;
}

static void a_reader_that_takes_nothing_costs_the_other_outputs_a_second(void **state)
{
    enum { LINES = 30000 };
    char target[] = "/tmp/wirespeak-sink-XXXXXX", some[4096];
    int unused = mkstemp(target), fd;
    char *lines = calloc(LINES, 3);
    uint64_t lost;
    sink s;

    (void)state;
    assert_non_null(lines);
    for (size_t i = 0; i < LINES - 1; i++)
        memcpy(lines + 3 * i, line, 3);
    (void)unlink(target);
    assert_int_equal(mkfifo(target, 0600), 0);
    fd = open(target, O_RDWR | O_NONBLOCK | O_CLOEXEC);
    assert_true(fd >= 0);
    assert_int_equal(sink_open(&s, target), 0);
    s.hurry = &hurry;
    s.shared = true;
    assert_true(time_of(&s, lines, LINES - 1, 5) < 2000);
    lost = s.lost;
    assert_true(lost > 4 * (LINES - 1));
    while (read(fd, some, sizeof some) > 0)
        ;
    put(&s);
    assert_int_equal(s.lost, lost); /* it takes them again */
    assert_false(s.failing);
    (void)sink_close(&s);
    free(lines);
    (void)close(fd);
    (void)close(unused);
    (void)unlink(target);
}

static void a_reader_that_was_restarted_meanwhile_costs_nothing(void **state)
{
    char target[] = "unix:/tmp/wirespeak-sink-XXXXXX", *path = target + strlen("unix:");
    int unused = mkstemp(path), fd = listen_at(path);
    sink s;

    (void)state;
    assert_int_equal(sink_open(&s, target), 0);
    s.hurry = &hurry;
    (void)close(accept(fd, NULL, NULL));
    put(&s);
    assert_int_equal(s.lost, 0);
    assert_int_equal(s.written, 1);
    (void)sink_close(&s);
    (void)close(fd);
    (void)unlink(path);
    (void)close(unused);
}

#ifdef WITH_REDIS
/* A server that answers what it is asked at the start, then nothing, or a byte now and then. */
typedef struct dumb {
    int fd;
    bool drips;
    atomic_bool stop;
} dumb;

static void *serve(void *arg)
{
    dumb *d = arg;
    char some[4096];
    int fd = accept(d->fd, NULL, NULL);
    bool asked = recv(fd, some, sizeof some, 0) > 0;

    /* to the entry that nobody makes, and the stream's length */
    if (asked && send(fd, "-ERR no\r\n:0\r\n", 13, MSG_NOSIGNAL) == 13)
        (void)!send(fd, "$9999\r\n", 7, MSG_NOSIGNAL);
    while (!atomic_load(&d->stop)) {
        (void)usleep(20000);
        if (d->drips)
            (void)!send(fd, "x", 1, MSG_NOSIGNAL);
    }
    (void)close(fd);
    return NULL;
}

/* How long writes to such a server take, of which all are lost. */
static int64_t time_of_dumb(bool drips, bool ends, unsigned times)
{
    char target[] = "redis:/tmp/wirespeak-sink-XXXXXX/stream", *path = target + strlen("redis:"),
         *slash = strrchr(target, '/');
    dumb d = {.drips = drips};
    pthread_t thread;
    int64_t took;
    int unused;
    sink s;

    *slash = '\0';
    unused = mkstemp(path);
    d.fd = listen_at(path);
    *slash = '/';
    assert_int_equal(pthread_create(&thread, NULL, serve, &d), 0);
    assert_int_equal(sink_open(&s, target), 0);
    s.hurry = &hurry;
    atomic_store(&hurry, ends);
    took = time_of(&s, line, 1, times);
    assert_int_equal(s.lost, times);
    assert_int_equal(sink_close(&s), times);
    atomic_store(&hurry, false);
    atomic_store(&d.stop, true);
    (void)pthread_join(thread, NULL);
    (void)close(d.fd);
    (void)close(unused);
    *slash = '\0';
    (void)unlink(path);
    return took;
}

static void a_server_that_does_not_answer_leaves_the_other_outputs_their_time(void **state)
{
    (void)state;
    assert_true(time_of_dumb(false, false, 4) < 2000);
}

static void one_that_answers_byte_by_byte_lets_the_program_end(void **state)
{
    (void)state;
    assert_true(time_of_dumb(true, true, 2) < 2000);
}

/* Answers the first of two clients what it asks at the start, the other one's record, and hangs up. */
static void *answer_two(void *arg)
{
    int fd = *(const int *)arg;
    char some[4096];

    for (int i = 0; i < 2; i++) {
        int client = accept(fd, NULL, NULL);

        if (recv(client, some, sizeof some, 0) > 0)
            (void)!send(client, ":1\r\n:1\r\n", i ? 4 : 8, MSG_NOSIGNAL);
        (void)close(client);
    }
    return NULL;
}

static void a_server_that_was_restarted_meanwhile_costs_nothing(void **state)
{
    char target[] = "redis:/tmp/wirespeak-sink-XXXXXX/stream", *path = target + strlen("redis:"),
         *slash = strrchr(target, '/');
    pthread_t thread;
    int fd, unused;
    sink s;

    (void)state;
    *slash = '\0';
    unused = mkstemp(path);
    fd = listen_at(path);
    *slash = '/';
    assert_int_equal(pthread_create(&thread, NULL, answer_two, &fd), 0);
    assert_int_equal(sink_open(&s, target), 0);
    s.hurry = &hurry;
    (void)usleep(50000); /* it hangs up */
    put(&s);
    assert_int_equal(s.lost, 0);
    assert_int_equal(s.written, 1);
    (void)pthread_join(thread, NULL);
    (void)sink_close(&s);
    (void)close(fd);
    (void)close(unused);
    *slash = '\0';
    (void)unlink(path);
}
#endif

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_clock_that_is_put_back_keeps_no_reader_away),
        cmocka_unit_test(a_reader_that_takes_nothing_costs_the_other_outputs_a_second),
        cmocka_unit_test(a_reader_that_was_restarted_meanwhile_costs_nothing),
#ifdef WITH_REDIS
        cmocka_unit_test(a_server_that_was_restarted_meanwhile_costs_nothing),
        cmocka_unit_test(a_server_that_does_not_answer_leaves_the_other_outputs_their_time),
        cmocka_unit_test(one_that_answers_byte_by_byte_lets_the_program_end),
#endif
    };

    (void)signal(SIGPIPE, SIG_IGN); /* as tag does */
    return cmocka_run_group_tests(tests, NULL, NULL);
}
