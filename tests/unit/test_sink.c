/* SPDX-License-Identifier: Apache-2.0 */
/* test_sink.c: a socket's reader that goes away is looked for again, whatever becomes of the clock meanwhile. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
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
static const atomic_bool hurry;

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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_clock_that_is_put_back_keeps_no_reader_away),
    };

    (void)signal(SIGPIPE, SIG_IGN); /* as tag does */
    return cmocka_run_group_tests(tests, NULL, NULL);
}
