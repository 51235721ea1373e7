/* SPDX-License-Identifier: Apache-2.0 */
/* cmd_tag.c: labels for flows while they run, from interfaces or, the same way, from captures. */
#include <inttypes.h>
#include <net/if.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "captures.h"
#include "clash.h"
#include "cli.h"
#include "guard.h"
#include "metrics_server.h"
#include "outlet.h"
#include "shipped.h"
#include "sink.h"
#include "wirespeak/live.h"
#include "wirespeak/task.h"

/* What is of interfaces does nothing with files, and is not passed over in silence. */
static const cli_rule rules[] = {
    {"fanout", CLI_ONLY_WITH, "interface"},  {"no-promiscuous", CLI_ONLY_WITH, "interface"},
    {"snaplen", CLI_ONLY_WITH, "interface"}, {"buffer", CLI_ONLY_WITH, "interface"},
    {"max-lag", CLI_ONLY_WITH, "interface"}, {"user", CLI_ONLY_WITH, "interface"},
    {"skip-bad", CLI_ONLY_WITH, "read"},     {NULL, CLI_ONLY_WITH, NULL},
};

static const cli_page page = {
    .name = "tag",
    .operands = "[OPTION]... {-i INTERFACE | -r FILE}...",
    .summary =
        "Labels flows while they run. A flow is decided as soon as the model is sure; then its "
        "packets are counted only.\n"
        "Records are JSON lines: a \"tag\" event for each decision, a \"flow\" event for each "
        "flow that ended.",
    .examples = "  wirespeak tag -i eth0\n"
                "  wirespeak tag -i eth0 -w flows.jsonl -f 'not port 22'\n"
                "  wirespeak tag -r capture.pcap\n",
    .min_operands = 0,
    .max_operands = 0,
    .rules = rules,
};

/* Memory that is not the flows': the program, the model, its products and the queue of records. */
enum { OVERHEAD = 160 << 20 };

enum { WAIT_MS = 20, CHECK_NS = 5000000, CHECK_PACKETS = 64, LEAVE_NS = 200000000 };
static const double hold_at = 0.25, shed_at = 0.5, refuse_at = 0.75; /* of the ring */

typedef struct run {
    const char *model, *filter, *dtype, *records, *metrics_at, *user;
    cli_list interfaces, files, heads, targets;
    wsp_feed_options feed_options;
    wsp_tag_options tag_options;
    size_t memory, max_packets, sure_packets, snaplen, fanout;
    uint64_t stats_ns, max_lag_ns;
    bool skip_bad, no_promiscuous, all_packets;
    /* at work */
    wsp_model *m;
    size_t head[CLI_LIST_MAX], n_heads;
    wsp_feed *feed;
    wsp_tagger *tagger;
    outlet *out;
    metrics *metrics;
    uint32_t source;    /* of the last packet of files */
    bool any;           /* there was one */
    bool broken;        /* a capture broke off */
    uint64_t packet_ns; /* time of the last packet */
    uint64_t lag_ns;    /* how long it had waited, at the last check */
    uint64_t ran_ns, shed_ns, told_ns, start_ns, left_ns, watched_ns, watchdog_ns;
    unsigned since_check;
} run;

/* For signal handlers, which have nothing else to go by. */
static wsp_feed *the_feed;
static outlet *the_outlet;
static volatile sig_atomic_t want_summary;

static void on_signal(int sig)
{
    if (sig == SIGUSR1)
        want_summary = 1;
    else if (sig == SIGHUP)
        outlet_reopen(the_outlet);
    else {
        outlet_hurry(the_outlet);
        wsp_feed_stop(the_feed);
    }
}

/* Those that end nothing, while it starts, which may wait for a broker or a reader: files that were opened may have been moved already. */
static void delay_signals(int how)
{
    sigset_t set;

    (void)sigemptyset(&set);
    (void)sigaddset(&set, SIGHUP);
    (void)sigaddset(&set, SIGUSR1);
    (void)sigprocmask(how, &set, NULL);
}

static void catch_signals(run *r)
{
    static const int caught[] = {SIGINT, SIGTERM, SIGHUP, SIGUSR1};
    struct sigaction act = {.sa_handler = on_signal, .sa_flags = SA_RESTART};

    the_feed = r->feed;
    the_outlet = r->out;
    (void)sigemptyset(&act.sa_mask);
    for (size_t i = 0; i < sizeof caught / sizeof caught[0]; i++)
        (void)sigaction(caught[i], &act, NULL);
    act.sa_handler =
        SIG_IGN; /* readers of records may go away, files grow too large: write tells */
    (void)sigaction(SIGPIPE, &act, NULL);
    (void)sigaction(SIGXFSZ, &act, NULL);
    delay_signals(SIG_UNBLOCK);
}

/* The end is near: what the handler uses may go, once the threads have ended that may be in it. */
static void let_go_of_signals(void)
{
    (void)signal(SIGHUP, SIG_IGN);
    (void)signal(SIGUSR1, SIG_IGN);
    (void)signal(SIGINT, SIG_DFL);
    (void)signal(SIGTERM, SIG_DFL);
}

static uint64_t clock_ns(clockid_t clock)
{
    struct timespec t;

    (void)clock_gettime(clock, &t);
    return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

static bool is_live(const run *r)
{
    return r->interfaces.n > 0;
}

/* ---- summaries ---- */

static void print_summary(const run *r, const outlet_stats *o)
{
    wsp_feed_stats f = wsp_feed_stats_get(r->feed);
    wsp_tag_stats t = wsp_tagger_stats(r->tagger);
    double s = (double)(clock_ns(CLOCK_MONOTONIC) - r->start_ns) / 1e9;

    cli_note("%" PRIu64 " packets in %.1f s (%.0f a second); lost: %" PRIu64
             " by the kernel, %" PRIu64 " by interfaces, %" PRIu64 " between the threads",
             f.packets, s, s > 0 ? (double)f.packets / s : 0, f.kernel_drops, f.interface_drops,
             f.ring_drops);
    cli_note("%" PRIu64 " flows: %" PRIu64 " decided by the model, %" PRIu64
             " by what others began with, %" PRIu64 " ended before, %" PRIu64
             " not yet decided; %" PRIu64 " changes of mind",
             t.flows, t.by_model, t.by_prefix, t.at_end, t.undecided_now, t.updates);
    cli_note("%" PRIu64 " flows given up for lack of time, %" PRIu64 " for lack of memory; %" PRIu64
             " ended early because the table was full",
             t.shed_time, t.shed_memory, t.evicted);
    cli_note("%" PRIu64 " records, %" PRIu64 " lost; %" PRIu64 " times an interface was away",
             o->records, o->lost, f.faults);
    if (f.opaque > 1)
        cli_note("%" PRIu64 " captures have a link type that is not taken apart", f.opaque);
    if (o->latencies)
        cli_note(
            "from the deciding packet to its record: half within %.1f ms, 99 %% within %.1f ms",
            (double)outlet_latency_us(o, 0.5) / 1e3, (double)outlet_latency_us(o, 0.99) / 1e3);
    if (cli_is_verbose())
        cli_note("%" PRIu64 " packets read by the model's rules, %" PRIu64
                 " of them known before, %" PRIu64
                 " computed again; %zu beginnings, %zu states, %zu MiB",
                 t.rows, t.rows_known, t.rows_again, t.beginnings_now, t.states_now,
                 t.memory_now >> 20);
}

/* ---- the loop ---- */

static void on_record(void *arg, const wsp_tag_record *record)
{
    const run *r = arg;

    outlet_put(r->out, record);
}

/* Another capture begins: flows end with their capture, as in classify. */
static int change_source(run *r, const wsp_feed_packet *p)
{
    wsp_error err;

    if (is_live(r) || (r->any && p->source == r->source))
        return CLI_OK;
    if (r->any && wsp_tagger_flush(r->tagger, &err) < 0)
        return cli_fail_error(&err);
    r->any = true;
    r->source = p->source;
    return outlet_source(r->out, p->source, p->name);
}

/*
 * Packets must not wait. When they wait for too long, the model does, and flows that begin meanwhile are given up. When packets
 * wait ever longer all the same, no flows are begun, then flows are given up, the oldest first. A delay that shrinks by itself (the
 * machine did something else for a while) costs no flow that is read.
 */
static void relieve(run *r, uint64_t now, bool idle)
{
    uint64_t clock = clock_ns(CLOCK_REALTIME);
    uint64_t lag = !idle && clock > r->packet_ns ? clock - r->packet_ns : 0;
    double fill = wsp_feed_fill(r->feed);
    bool grows = lag >= r->lag_ns, soon = lag <= r->max_lag_ns / 2 && fill < hold_at;

    if (lag > r->max_lag_ns || fill >= hold_at)
        wsp_tagger_hold(r->tagger, true);
    else if (soon)
        wsp_tagger_hold(r->tagger, false);
    if (now - r->shed_ns < CHECK_NS)
        return;
    r->shed_ns = now;
    r->lag_ns = lag;
    if ((grows && lag > 4 * r->max_lag_ns) || fill >= shed_at)
        wsp_tagger_shed(r->tagger);
    if ((grows && lag > 2 * r->max_lag_ns) || fill >= refuse_at)
        wsp_tagger_admit(r->tagger, false);
    else if (soon)
        wsp_tagger_admit(r->tagger, true);
}

/* Prometheus and systemd. */
static void tell_watchers(run *r, uint64_t now)
{
    if (now - r->left_ns >= LEAVE_NS) {
        wsp_tag_stats s = wsp_tagger_stats(r->tagger);

        metrics_leave(r->metrics, &s);
        r->left_ns = now;
    }
    if (r->watchdog_ns && now - r->watched_ns >= r->watchdog_ns) {
        guard_notify("WATCHDOG=1");
        r->watched_ns = now;
    }
}

/* Time goes on without packets, too; what packets say of it lags behind by no more than a second. */
static int look_around(run *r, bool idle)
{
    uint64_t now = clock_ns(CLOCK_MONOTONIC);
    outlet_stats out = outlet_stats_get(r->out);
    wsp_error err;

    if (is_live(r))
        relieve(r, now, idle);
    if ((idle || now - r->ran_ns >= CHECK_NS) && wsp_tagger_waiting(r->tagger)) {
        r->ran_ns = now;
        if (wsp_tagger_step(r->tagger, &err) < 0)
            return cli_fail_error(&err);
    }
    if (idle && is_live(r) &&
        wsp_tagger_expire(r->tagger, clock_ns(CLOCK_REALTIME) - 1000000000, &err) < 0)
        return cli_fail_error(&err);
    tell_watchers(r, now);
    if (want_summary || (r->stats_ns && now - r->told_ns >= r->stats_ns)) {
        want_summary = 0;
        r->told_ns = now;
        print_summary(r, &out);
    }
    if (out.failed)
        wsp_feed_stop(r->feed);
    return CLI_OK;
}

/* One packet, or a little rest. EOF: the end. */
static wsp_status step(run *r, int *rc)
{
    bool waiting = wsp_tagger_waiting(r->tagger) > 0;
    wsp_feed_packet p;
    wsp_error err;
    wsp_status st = wsp_feed_next(r->feed, &p, waiting ? 0 : WAIT_MS, &err);

    if (st == WSP_OK) {
        r->packet_ns = p.frame.time_ns;
        *rc = change_source(r, &p);
        if (*rc == CLI_OK && wsp_tagger_push(r->tagger, p.source, p.linktype, &p.frame, &err) < 0)
            *rc = cli_fail_error(&err);
    } else if (st < 0 && st != WSP_ERR_LIMIT) {
        (void)cli_fail_error(&err);
        r->broken = true;
    }
    if (*rc == CLI_OK && (st == WSP_ERR_LIMIT || ++r->since_check >= CHECK_PACKETS)) {
        r->since_check = 0;
        *rc = look_around(r, st == WSP_ERR_LIMIT);
    }
    return st;
}

static int work(run *r)
{
    wsp_error err;
    int rc = CLI_OK;

    r->start_ns = r->told_ns = clock_ns(CLOCK_MONOTONIC);
    r->watchdog_ns = guard_watchdog_ns();
    if (wsp_feed_start(r->feed, &err) < 0)
        return cli_fail_error(&err);
    guard_notify("READY=1");
    while (rc == CLI_OK && step(r, &rc) != WSP_EOF)
        ;
    guard_notify("STOPPING=1");
    outlet_wait(r->out);
    if (rc == CLI_OK && wsp_tagger_flush(r->tagger, &err) < 0)
        rc = cli_fail_error(&err);
    return rc;
}

/* ---- beginning and end ---- */

/* Other programs take files for -i. */
static void hint_at_files(const cli_list *names)
{
    for (size_t i = 0; i < names->n; i++)
        if (access(names->items[i], R_OK) == 0)
            cli_warn("%s is a file: -r %s reads it", names->items[i], names->items[i]);
}

static int open_feed(run *r)
{
    const cli_list *names = is_live(r) ? &r->interfaces : &r->files;
    wsp_error err;
    wsp_status st;

    r->feed_options.filter = r->filter;
    r->feed_options.skip_bad = r->skip_bad;
    r->feed_options.promiscuous = !r->no_promiscuous;
    r->feed_options.snaplen = (uint32_t)r->snaplen;
    r->feed_options.fanout = (uint32_t)r->fanout;
    st = (is_live(r) ? wsp_feed_interfaces : wsp_feed_files)(&r->feed, names->items, names->n,
                                                             &r->feed_options, &err);
    if (st == WSP_ERR_IO && is_live(r))
        hint_at_files(names);
    return st < 0 ? captures_refused(page.name, &err) : CLI_OK;
}

static int open_outlet(run *r)
{
    const outlet_options o = {.m = r->m,
                              .heads = r->head,
                              .n_heads = r->n_heads,
                              .targets = &r->targets,
                              .live = is_live(r),
                              .decisions = r->records[0] != 'e',
                              .ends = r->records[0] != 'd'};
    int rc = outlet_open(&r->out, &o);

    for (uint32_t i = 0; rc == CLI_OK && is_live(r) && i < r->interfaces.n; i++)
        rc = outlet_source(r->out, i, wsp_feed_interface(r->feed, i));
    return rc;
}

static int open_tagger(run *r)
{
    wsp_tag_options *o = &r->tag_options;
    size_t taken = OVERHEAD + r->feed_options.ring;
    wsp_error err;

    o->heads = r->head;
    o->n_heads = r->n_heads;
    o->run = (uint32_t)r->sure_packets;
    o->max_packets = (uint32_t)r->max_packets;
    o->dtype = cli_dtype(r->dtype);
    o->memory = r->memory > taken ? r->memory - taken : 0;
    o->record = on_record;
    o->arg = r;
    if (r->all_packets)
        o->sure = 2; /* which no probability is */
    switch (wsp_tagger_new(&r->tagger, r->m, o, &err)) {
    case WSP_OK: return CLI_OK;
    case WSP_ERR_LIMIT:
        return cli_fail("--memory: of %zu MiB the program and its ring take %zu: %s",
                        r->memory >> 20, taken >> 20, err.text);
    default: return cli_fail_error(&err);
    }
}

static int tag(run *r)
{
    outlet_stats last;
    wsp_error err;
    int rc, closed;

    delay_signals(SIG_BLOCK);
    if (wsp_model_load(&r->m, r->model, &err) < 0)
        return cli_fail_error(&err);
    rc = cli_find_heads(r->m, &r->heads, r->head, &r->n_heads);
    if (rc == CLI_OK && r->tag_options.min_confidence < 0)
        cli_warn_untrained(r->model, r->m, r->head, r->n_heads);
    if (rc == CLI_OK)
        rc = open_feed(r);
    if (rc == CLI_OK)
        rc = open_outlet(r);
    if (rc == CLI_OK)
        rc = open_tagger(r);
    if (rc == CLI_OK && r->metrics_at)
        rc = metrics_open(&r->metrics, r->metrics_at, r->feed, r->out);
    if (rc == CLI_OK && is_live(r))
        rc = guard_drop(r->user);
    if (rc == CLI_OK)
        catch_signals(r);
    if (rc == CLI_OK)
        rc = outlet_start(r->out);
    if (rc == CLI_OK && r->metrics)
        rc = metrics_start(r->metrics);
    if (rc == CLI_OK)
        rc = work(r);
    metrics_close(r->metrics);
    closed = outlet_close(r->out, &last);
    let_go_of_signals();
    if (r->start_ns && !(r->broken && wsp_feed_stats_get(r->feed).packets == 0))
        print_summary(r, &last);
    wsp_tagger_free(r->tagger);
    wsp_feed_free(r->feed);
    outlet_free(r->out);
    wsp_model_free(r->m);
    if (rc == CLI_OK && r->broken)
        rc = CLI_FAILED;
    return rc == CLI_OK ? closed : rc;
}

/* ---- options: each function puts its rows and says how many ---- */

static size_t decision_options(run *r, cli_option *o)
{
    const cli_option rows[] = {
        {.name = "model",
         .letter = 'm',
         .kind = CLI_TEXT,
         .value = &r->model,
         .arg = "MODEL",
         .file = CLI_READS,
         .help = "the model, a .safetensors file (default the one that is\ninstalled)"},
        {.name = "interface",
         .letter = 'i',
         .kind = CLI_LIST,
         .value = &r->interfaces,
         .arg = "NAME",
         .help = "capture from this interface; may be repeated; any: all"},
        {.name = "read",
         .letter = 'r',
         .kind = CLI_LIST,
         .value = &r->files,
         .arg = "FILE",
         .file = CLI_READS,
         .help = "or read a capture (file, folder, archive, -) the same way"},
        {.kind = CLI_HEADING, .help = "Decisions:"},
        {.name = "head",
         .kind = CLI_LIST,
         .value = &r->heads,
         .arg = "NAME",
         .help = "ask this head (default the first), the first one decides;\nmay be repeated; all: "
                 "all"},
        {.name = "sure",
         .kind = CLI_REAL,
         .value = &r->tag_options.sure,
         .arg = "P",
         .rmax = 1,
         .help = "sure is a label of at least this probability (0.9;\n0: any)"},
        {.name = "sure-packets",
         .kind = CLI_SIZE,
         .value = &r->sure_packets,
         .arg = "N",
         .min = 1,
         .max = 1000,
         .help = "in N packets in a row (2)"},
        {.name = "max-packets",
         .kind = CLI_SIZE,
         .value = &r->max_packets,
         .arg = "N",
         .min = 1,
         .max = 65535,
         .zero = "what the model was trained with",
         .help = "decide after N packets in any case (0: as trained)"},
        {.name = "all-packets",
         .kind = CLI_FLAG,
         .value = &r->all_packets,
         .help = "never be sure before: the answers of classify"},
        {.name = "follow",
         .kind = CLI_FLAG,
         .value = &r->tag_options.follow,
         .help = "read on after a decision and tell when it changes"},
        {.name = "min-confidence",
         .kind = CLI_REAL,
         .value = &r->tag_options.min_confidence,
         .arg = "P",
         .rmax = 1,
         .help = "below it a flow is \"unknown\" (default the model's)"},
        {.name = "dtype",
         .kind = CLI_CHOICE,
         .value = &r->dtype,
         .arg = "TYPE",
         .choices = cli_dtypes,
         .help = "of matrix products: auto is bf16 where the CPU has AMX, else f32"},
    };

    memcpy(o, rows, sizeof rows);
    return sizeof rows / sizeof rows[0];
}

static size_t capture_options(run *r, cli_option *o)
{
    const cli_option rows[] = {
        {.kind = CLI_HEADING, .help = "Flows:"},
        {.name = "memory",
         .kind = CLI_SIZE,
         .value = &r->memory,
         .arg = "SIZE",
         .min = 1,
         .help = "take no more than this, all in all (1Gi)"},
        {.name = "idle",
         .kind = CLI_SECONDS,
         .value = &r->tag_options.idle_ns,
         .arg = "SECONDS",
         .help = "a flow ends after so long without a packet (120; 0: never)"},
        {.name = "active",
         .kind = CLI_SECONDS,
         .value = &r->tag_options.active_ns,
         .arg = "SECONDS",
         .help = "and after so long in any case (1800, files: 0, never)"},
        {.name = "max-lag",
         .kind = CLI_SECONDS,
         .value = &r->max_lag_ns,
         .arg = "SECONDS",
         .rmin = 0.001,
         .rmax = 3600,
         .help = "packets that wait longer come before the model (0.01)"},
        {.kind = CLI_HEADING, .help = "Capture:"},
        {.name = "filter",
         .letter = 'f',
         .kind = CLI_TEXT,
         .value = &r->filter,
         .arg = "BPF",
         .help = "only packets that match this pcap filter"},
        {.name = "snaplen",
         .kind = CLI_SIZE,
         .value = &r->snaplen,
         .arg = "BYTES",
         .min = 64,
         .max = 262144,
         .help = "capture so much of a packet (2048)"},
        {.name = "buffer",
         .kind = CLI_SIZE,
         .value = &r->feed_options.buffer,
         .arg = "SIZE",
         .min = 65536,
         .max = INT32_MAX,
         .help = "the kernel's, for each interface (32Mi)"},
        {.name = "ring",
         .kind = CLI_SIZE,
         .value = &r->feed_options.ring,
         .arg = "SIZE",
         .min = 2097152,
         .max = UINT64_C(1) << 32,
         .help = "between capture and model (64Mi)"},
        {.name = "fanout",
         .kind = CLI_SIZE,
         .value = &r->fanout,
         .arg = "GROUP",
         .min = 1,
         .max = 65535,
         .help = "share the packets with the processes of this group"},
        {.name = "no-promiscuous",
         .kind = CLI_FLAG,
         .value = &r->no_promiscuous,
         .help = "only packets for this machine"},
        {.name = "skip-bad",
         .kind = CLI_FLAG,
         .value = &r->skip_bad,
         .help = "with -r: skip what is no capture, with a warning"},
    };

    memcpy(o, rows, sizeof rows);
    return sizeof rows / sizeof rows[0];
}

static size_t record_options(run *r, cli_option *o)
{
    static const char *const records[] = {"all", "decisions", "ends", NULL};
    const cli_option rows[] = {
        {.name = "user",
         .kind = CLI_TEXT,
         .value = &r->user,
         .arg = "NAME",
         .help = "become this user when everything is open"},
        {.kind = CLI_HEADING, .help = "Records:"},
        {.name = "write",
         .letter = 'w',
         .kind = CLI_LIST,
         .value = &r->targets,
         .arg = "TARGET",
         .file = CLI_WRITES,
         .help = "a file, or - (the default), unix:SOCKET, syslog:,\n"
                 "redis:HOST/STREAM, kafka:BROKER/TOPIC; may be repeated"},
        {.name = "records",
         .kind = CLI_CHOICE,
         .value = &r->records,
         .arg = "WHICH",
         .choices = records,
         .help = "all, decisions only, or ends of flows only"},
        {.name = "stats",
         .kind = CLI_SECONDS,
         .value = &r->stats_ns,
         .arg = "SECONDS",
         .help = "print a summary so often (default 0: at the end)"},
        {.name = "metrics",
         .kind = CLI_TEXT,
         .value = &r->metrics_at,
         .arg = "ADDRESS",
         .help = "figures for Prometheus at this loopback PORT or unix:SOCKET"},
    };

    memcpy(o, rows, sizeof rows);
    return sizeof rows / sizeof rows[0];
}

static bool has(const cli_list *l, size_t n, const char *name)
{
    for (size_t i = 0; i < n; i++)
        if (strcmp(l->items[i], name) == 0)
            return true;
    return false;
}

/* By another name: two writers that add to one file. */
static bool is_one_file(const cli_list *l, size_t n, const char *path)
{
    for (size_t i = 0; i < n; i++)
        if (clash_same(l->items[i], path))
            return true;
    return false;
}

/* By another name: Linux has some for most, as ens3 and enp0s3. */
static bool is_one_interface(const cli_list *l, size_t n, const char *name)
{
    unsigned index = if_nametoindex(name);

    for (size_t i = 0; index && i < n; i++)
        if (if_nametoindex(l->items[i]) == index)
            return true;
    return false;
}

static int check_lists(const run *r)
{
    const cli_list *i = &r->interfaces, *w = &r->targets;

    for (size_t k = 0; k < i->n; k++)
        if (has(i, k, i->items[k]) || is_one_interface(i, k, i->items[k]))
            return cli_usage(page.name, "-i %s: given twice, its packets would count twice",
                             i->items[k]);
    if (i->n > 1 && has(i, i->n, "any"))
        return cli_usage(page.name, "-i any: all interfaces, their packets would count twice");
    for (size_t k = 0; k < w->n; k++)
        if (!sink_is_known(w->items[k]))
            return cli_usage(page.name,
                             "-w %s: no such kind of target; a file of this name is ./%s",
                             w->items[k], w->items[k]);
        else if (has(w, k, w->items[k]) || is_one_file(w, k, w->items[k]))
            return cli_usage(page.name, "-w %s: given twice, it would have each record twice",
                             w->items[k]);
    return CLI_OK;
}

int cmd_tag(int argc, char **argv)
{
    cli_option options[40];
    run r = {.records = "all",
             .dtype = "auto",
             .sure_packets = 2,
             .memory = (size_t)1 << 30,
             .max_lag_ns = 10000000,
             .feed_options = wsp_feed_options_default(),
             .tag_options = wsp_tag_options_default()};
    size_t n;
    int rc;

    r.snaplen = r.feed_options.snaplen;
    r.tag_options.active_ns = UINT64_MAX;
    n = decision_options(&r, options);
    n += capture_options(&r, options + n);
    n += record_options(&r, options + n);
    (void)cli_parse(&page, options, n, argc, argv);
    if (shipped_model(&r.model, page.name, "flows") != CLI_OK)
        return CLI_USAGE;
    if ((r.interfaces.n == 0) == (r.files.n == 0))
        return cli_usage(page.name, "packets from where? either -i INTERFACE or -r FILE");
    rc = check_lists(&r);
    if (rc != CLI_OK)
        return rc;
    if (r.tag_options.active_ns == UINT64_MAX)
        r.tag_options.active_ns = is_live(&r) ? wsp_tag_options_default().active_ns : 0;
    return tag(&r);
}
