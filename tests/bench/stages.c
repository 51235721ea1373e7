/* SPDX-License-Identifier: Apache-2.0 */
/*
 * stages.c: where the time of tokenize goes: loops over the same capture, each with one step more,
 * in turns, one thread. Every run is a process of its own, so that its memory is its own, too.
 * usage: stages CAPTURE [ROUNDS]
 */
#include <inttypes.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/base.h"
#include "wirespeak/capture.h"
#include "wirespeak/flow.h"
#include "wirespeak/packet.h"
#include "wirespeak/token.h"

enum { MAX_ROUNDS = 101 };

/* Every stage does what those before it do; the last two are wsp_tokenize itself, without and with
 * keeping what it codes. */
enum stage { READ, DISSECT, FLOW, ENCODE, COUNT, KEEP, STAGES };

static const char *const names[STAGES] = {"wsp_input_next",       "+ wsp_packet_dissect",
                                          "+ wsp_flow_table_add", "+ wsp_encode_packet",
                                          "wsp_tokenize, counts", "wsp_tokenize, arrays"};

typedef struct result {
    double wall, cpu;
    uint64_t packets, bytes, flows;
} result;

typedef struct row {
    double wall[MAX_ROUNDS], cpu[MAX_ROUNDS];
    long peak_kb;
    result last;
} row;

static double now(clockid_t clock)
{
    struct timespec t;

    (void)clock_gettime(clock, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* ---- the stages ---- */

typedef struct loop {
    enum stage stage;
    int linktype;
    wsp_packet *packet;
    wsp_flow_table *table;
    wsp_residual *resid;
    result *r;
} loop;

static void release(void *arg, wsp_flow *flow)
{
    loop *l = arg;

    l->r->flows++;
    free(flow->user);
}

static wsp_status one(loop *l, const wsp_frame *frame)
{
    uint16_t ids[WSP_MAX_PACKET_TOKENS];
    wsp_flow *flow;
    size_t n;
    int dir;

    if (l->stage < DISSECT)
        return WSP_OK;
    wsp_packet_dissect(l->packet, l->linktype, frame);
    if (l->stage < FLOW)
        return WSP_OK;
    WSP_TRY(wsp_flow_table_add(l->table, wsp_packet_key(l->packet), frame->time_ns, frame->wirelen,
                               wsp_packet_tcp_flags(l->packet), &flow, &dir));
    if (l->stage < ENCODE)
        return WSP_OK;
    if (!flow->user) {
        flow->user = wspi_new_array(1, wsp_context_size());
        if (!flow->user)
            return WSP_ERR_NOMEM;
        wsp_context_init(flow->user, l->linktype);
    }
    WSP_TRY(wsp_encode_packet(flow->user, l->packet, dir, l->r->packets, ids, &n, l->resid));
    wsp_residual_reset(l->resid);
    return WSP_OK;
}

static wsp_status run_loop(loop *l, wsp_input *in, wsp_error *err)
{
    wsp_flow_table_options opt = wsp_flow_table_options_default();
    wsp_capture_info info;
    wsp_frame frame;
    wsp_status st;

    opt.release = release;
    opt.arg = l;
    WSP_TRY(wsp_packet_new(&l->packet));
    WSP_TRY(wsp_residual_new(&l->resid));
    WSP_TRY(wsp_flow_table_new(&l->table, &opt));
    WSP_TRY(wsp_input_open_next(in, &info, err));
    l->linktype = info.linktype;
    while ((st = wsp_input_next(in, &frame, err)) == WSP_OK) {
        WSP_TRY(one(l, &frame));
        l->r->packets++;
        l->r->bytes += frame.caplen;
    }
    wsp_flow_table_free(l->table);
    wsp_residual_free(l->resid);
    wsp_packet_free(l->packet);
    return st;
}

/* As a writer would, but the arrays go nowhere. */
static wsp_status drain(void *arg, const wsp_tokens *set)
{
    (void)arg, (void)set;
    return WSP_OK;
}

static wsp_status run_whole(bool keep, wsp_input *in, result *r, wsp_error *err)
{
    wsp_tokenize_options opt = {.keep = keep, .drain = keep ? drain : NULL};
    wsp_tokenize_stats s;
    wsp_tokens *t = NULL;

    WSP_TRY(wsp_tokenize(in, &opt, &t, &s, err));
    wsp_tokens_free(t);
    r->packets = s.packets;
    r->bytes = s.bytes;
    r->flows = s.flows;
    return WSP_OK;
}

static wsp_status run_stage(enum stage stage, const char *path, result *r, wsp_error *err)
{
    double wall = now(CLOCK_MONOTONIC), cpu = now(CLOCK_PROCESS_CPUTIME_ID);
    loop l = {.stage = stage, .r = r};
    wsp_input *in = NULL;
    wsp_status st = wsp_input_new(&in, &path, 1, NULL, err);

    if (st == WSP_OK)
        st = stage < COUNT ? run_loop(&l, in, err) : run_whole(stage == KEEP, in, r, err);
    wsp_input_free(in);
    r->wall = now(CLOCK_MONOTONIC) - wall;
    r->cpu = now(CLOCK_PROCESS_CPUTIME_ID) - cpu;
    return st;
}

/* ---- processes ---- */

static void child(enum stage stage, const char *path, int fd)
{
    wsp_error err = {.text = ""};
    result r = {.wall = 0};
    wsp_status st = run_stage(stage, path, &r, &err);

    if (st < 0)
        (void)fprintf(stderr, "stages: %s: %s %s\n", names[stage], wsp_status_name(st), err.text);
    _exit(st < 0 || write(fd, &r, sizeof r) != (ssize_t)sizeof r);
}

static bool measure(enum stage stage, const char *path, int round, row *to)
{
    struct rusage u;
    int fd[2], status;
    bool got;
    pid_t pid;

    if (pipe(fd) != 0)
        return false;
    pid = fork();
    if (pid == 0)
        child(stage, path, fd[1]);
    (void)close(fd[1]);
    got = pid > 0 && read(fd[0], &to->last, sizeof to->last) == (ssize_t)sizeof to->last;
    (void)close(fd[0]);
    if (pid < 0 || wait4(pid, &status, 0, &u) != pid || !got)
        return false;
    to->wall[round] = to->last.wall;
    to->cpu[round] = to->last.cpu;
    to->peak_kb = WSPI_MAX(to->peak_kb, u.ru_maxrss);
    return true;
}

/* ---- the table ---- */

static int by_value(const void *a, const void *b)
{
    const double *x = a, *y = b;
    return *x < *y ? -1 : *x > *y;
}

static void print(row *rows, int rounds)
{
    const result *all = &rows[KEEP].last;
    double packets = (double)all->packets, before = 0;

    printf("stages: %" PRIu64 " packets, %" PRIu64 " flows, %.1f MB, %d rounds, a context has %zu "
           "bytes; packets/s, ns and MB/s are of the best round\n\n",
           all->packets, all->flows, (double)all->bytes / 1e6, rounds, wsp_context_size());
    printf("%-22s %8s %8s %8s %11s %9s %9s %8s %8s\n", "stage", "best s", "median s", "cpu s",
           "packets/s", "ns/packet", "more ns", "MB/s", "peak MB");
    for (int i = 0; i < STAGES; i++) {
        row *r = &rows[i];
        double ns;
        qsort(r->wall, (size_t)rounds, sizeof r->wall[0], by_value);
        qsort(r->cpu, (size_t)rounds, sizeof r->cpu[0], by_value);
        ns = packets > 0 ? r->wall[0] * 1e9 / packets : 0;
        printf("%-22s %8.3f %8.3f %8.3f %11.0f %9.1f %9.1f %8.0f %8.1f\n", names[i], r->wall[0],
               r->wall[rounds / 2], r->cpu[0], packets / r->wall[0], ns, ns - before,
               (double)all->bytes / r->wall[0] / 1e6, (double)r->peak_kb / 1e3);
        before = ns;
    }
}

int main(int argc, char **argv)
{
    static row rows[STAGES];
    int rounds = argc > 2 ? (int)strtol(argv[2], NULL, 10) : 5;

    if (argc < 2 || rounds < 1 || rounds > MAX_ROUNDS) {
        (void)fputs("usage: stages CAPTURE [ROUNDS]\n", stderr);
        return 2;
    }
    for (int round = 0; round < rounds; round++)
        for (int i = 0; i < STAGES; i++)
            if (!measure((enum stage)i, argv[1], round, &rows[i]))
                return 1;
    print(rows, rounds);
    return 0;
}
