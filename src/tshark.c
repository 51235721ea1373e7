/* SPDX-License-Identifier: Apache-2.0 */
/* tshark.c: runs tshark over a capture, and counts malformed packets, bad checksums and what its expert says. */
#include "tshark.h"

#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cli.h"

extern char **environ;

enum { SEVERITY_WARNING = 0x600000, SEVERITY_ERROR = 0x800000, COLUMNS = 8 };

/* Columns of its output, in this order. */
static const char *const fields[COLUMNS] = {
    "_ws.malformed",        "ip.checksum.status", "tcp.checksum.status", "udp.checksum.status",
    "icmp.checksum.status", "tcp.analysis.flags", "_ws.expert.severity", "_ws.expert.message"};
enum { MALFORMED, SUM_FIRST, SUM_LAST = 4, ANALYSIS, SEVERITY, MESSAGE };

static bool start(const char *const *argv, int *out, pid_t *pid)
{
    posix_spawn_file_actions_t actions;
    int ends[2];
    bool ok;

    if (pipe2(ends, O_CLOEXEC) < 0)
        return false;
    (void)posix_spawn_file_actions_init(&actions);
    (void)posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO);
    (void)posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
    (void)posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    /* posix_spawn changes none of its strings */
    ok = posix_spawnp(pid, argv[0], &actions, NULL, (char *const *)(uintptr_t)argv, environ) == 0;
    (void)posix_spawn_file_actions_destroy(&actions);
    (void)close(ends[1]);
    if (!ok)
        (void)close(ends[0]);
    *out = ends[0];
    return ok;
}

static bool finish(pid_t pid)
{
    int status;

    return waitpid(pid, &status, 0) == pid && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

bool tshark_is_there(void)
{
    static const char *const argv[] = {"tshark", "--version", NULL};
    char rest[4096];
    pid_t pid;
    int out;

    if (!start(argv, &out, &pid))
        return false;
    while (read(out, rest, sizeof rest) > 0)
        ;
    (void)close(out);
    return finish(pid);
}

/* ---- one line ---- */

/* Cuts text at each `at`, in place. */
static size_t cut(char *text, char at, char **parts, size_t most)
{
    size_t n = 0;

    while (n < most) {
        char *end = strchr(text, at);
        parts[n++] = text;
        if (!end)
            break;
        *end = 0;
        text = end + 1;
    }
    return n;
}

/* What differs between packets of one message is left out: numbers, and what stands behind a colon or bracket. */
static void shorten(char *text)
{
    size_t n = strcspn(text, ":([0123456789\"");

    while (n > 0 && text[n - 1] == ' ')
        n--;
    if (n > 8)
        text[n] = 0;
}

static void count_message(tshark_report *r, char *text, bool error, bool tcp)
{
    size_t i = 0;

    shorten(text);
    while (i < r->n && strcmp(r->messages[i].text, text) != 0)
        i++;
    if (i == r->n) {
        if (cli_grow(&r->messages, &r->cap, r->n + 1, sizeof *r->messages) < 0)
            cli_die("out of memory");
        r->messages[r->n++] = (tshark_message){.text = strdup(text), .error = error, .tcp = tcp};
        if (!r->messages[i].text)
            cli_die("out of memory");
    }
    r->messages[i].packets++;
}

static void count_line(tshark_report *r, char *line)
{
    enum { MOST = 64 };
    char *column[COLUMNS] = {NULL}, *severity[MOST], *message[MOST];
    size_t n = cut(line, '\t', column, COLUMNS), s, m;
    bool bad = false, error = false, tcp;

    r->packets++;
    if (n < COLUMNS)
        return;
    r->malformed += column[MALFORMED][0] != 0;
    for (size_t i = SUM_FIRST; i <= SUM_LAST; i++)
        bad =
            bad || strchr(column[i], '0') != NULL; /* 0 bad, 1 good, 2 not verified, 3 not there */
    r->checksums += bad;
    tcp = column[ANALYSIS][0] != 0;
    r->tcp += tcp;
    s = cut(column[SEVERITY], '|', severity, MOST);
    m = cut(column[MESSAGE], '|', message, MOST);
    for (size_t i = 0; i < s && i < m; i++) {
        unsigned long v = strtoul(severity[i], NULL, 0);
        error = error || v >= SEVERITY_ERROR;
        if (v >= SEVERITY_WARNING)
            count_message(r, message[i], v >= SEVERITY_ERROR, tcp);
    }
    r->errors += error;
}

static int by_packets(const void *a, const void *b)
{
    const tshark_message *x = a, *y = b;

    if (x->packets != y->packets)
        return x->packets > y->packets ? -1 : 1;
    return strcmp(x->text, y->text);
}

bool tshark_look(const char *pcap, tshark_report *r)
{
    const char *argv[48] = {"tshark", "-n",
                            "-r",     pcap,
                            "-o",     "ip.check_checksum:TRUE",
                            "-o",     "tcp.check_checksum:TRUE",
                            "-o",     "udp.check_checksum:TRUE",
                            "-T",     "fields",
                            "-E",     "separator=/t",
                            "-E",     "aggregator=|"};
    size_t n = 16, room = 0;
    char *line = NULL;
    FILE *f;
    pid_t pid;
    int out;

    *r = (tshark_report){.ran = false};
    for (size_t i = 0; i < COLUMNS; i++) {
        argv[n++] = "-e";
        argv[n++] = fields[i];
    }
    if (!start(argv, &out, &pid) || !(f = fdopen(out, "r"))) {
        cli_warn("tshark could not be started: its checks are left out");
        return false;
    }
    for (ssize_t len; (len = getline(&line, &room, f)) > 0;) {
        if (line[len - 1] == '\n')
            line[len - 1] = 0;
        count_line(r, line);
    }
    free(line);
    (void)fclose(f);
    r->ran = finish(pid);
    if (!r->ran)
        cli_warn("tshark failed on %s: its checks are left out", pcap);
    if (r->n)
        qsort(r->messages, r->n, sizeof *r->messages, by_packets);
    return r->ran;
}

void tshark_clear(tshark_report *r)
{
    for (size_t i = 0; i < r->n; i++)
        free(r->messages[i].text);
    free(r->messages);
    *r = (tshark_report){.ran = false};
}
