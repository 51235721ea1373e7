/* SPDX-License-Identifier: Apache-2.0 */
/*
 * race.c: runs commands in turns, several rounds, and prints a tab-separated row of each: name,
 * least and median wall seconds, least processor seconds, peak resident kB. Their output is lost.
 * usage: race ROUNDS -- NAME COMMAND [ARGUMENT]... [-- NAME COMMAND [ARGUMENT]...]...
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { MAX_RUNNERS = 32, MAX_ROUNDS = 101 };

typedef struct runner {
    char *name, **argv;
    double wall[MAX_ROUNDS], cpu[MAX_ROUNDS];
    long peak_kb;
} runner;

static double now(void)
{
    struct timespec t;

    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static double seconds(struct timeval t)
{
    return (double)t.tv_sec + (double)t.tv_usec / 1e6;
}

static void become(char **argv)
{
    int null = open("/dev/null", O_RDWR);

    if (null < 0 || dup2(null, 0) < 0 || dup2(null, 1) < 0 || dup2(null, 2) < 0)
        _exit(126);
    (void)execvp(argv[0], argv);
    _exit(127);
}

/* One run; its exit status, or -1. */
static int run(runner *r, int round)
{
    double start = now();
    struct rusage u;
    int status;
    pid_t pid = fork();

    if (pid == 0)
        become(r->argv);
    if (pid < 0 || wait4(pid, &status, 0, &u) != pid)
        return -1;
    r->wall[round] = now() - start;
    r->cpu[round] = seconds(u.ru_utime) + seconds(u.ru_stime);
    if (u.ru_maxrss > r->peak_kb)
        r->peak_kb = u.ru_maxrss;
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

/* The runners of the command line, whose "--" become NULL; returns how many, 0: a bad line. */
static int parse(runner *r, char **argv)
{
    int n = 0;

    for (; *argv; argv++) {
        if (strcmp(*argv, "--") != 0)
            continue;
        *argv = NULL;
        if (n == MAX_RUNNERS || !argv[1] || !argv[2])
            return 0;
        r[n].name = argv[1];
        r[n++].argv = argv + 2;
    }
    return n;
}

static int by_value(const void *a, const void *b)
{
    const double *x = a, *y = b;
    return *x < *y ? -1 : *x > *y;
}

int main(int argc, char **argv)
{
    static runner r[MAX_RUNNERS];
    int rounds = argc > 1 ? (int)strtol(argv[1], NULL, 10) : 0;
    int n = argc > 2 ? parse(r, argv + 2) : 0;

    if (rounds < 1 || rounds > MAX_ROUNDS || n == 0) {
        (void)fputs("usage: race ROUNDS -- NAME COMMAND [ARGUMENT]... [-- ...]\n", stderr);
        return 2;
    }
    for (int round = 0; round < rounds; round++)
        for (int i = 0; i < n; i++) {
            int status = run(&r[i], round);
            if (status != 0) {
                (void)fprintf(stderr, "race: %s: exit %d\n", r[i].name, status);
                return 1;
            }
        }
    for (int i = 0; i < n; i++) {
        qsort(r[i].wall, (size_t)rounds, sizeof r[i].wall[0], by_value);
        qsort(r[i].cpu, (size_t)rounds, sizeof r[i].cpu[0], by_value);
        printf("%s\t%.6f\t%.6f\t%.6f\t%ld\n", r[i].name, r[i].wall[0], r[i].wall[rounds / 2],
               r[i].cpu[0], r[i].peak_kb);
    }
    return 0;
}
