/* SPDX-License-Identifier: Apache-2.0 */
/* metrics_server.c: a very small HTTP server that gives one page. */
#include "metrics_server.h"

#include <arpa/inet.h>
#include <errno.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "http_request.h"

enum { PATIENCE_MS = 1000, POLL_MS = 200 };

struct metrics {
    int fd;
    char *path; /* of a Unix socket, to be removed */
    const wsp_feed *feed;
    outlet *out;
    pthread_t thread;
    bool started;
    atomic_bool stop;
    pthread_mutex_t lock;
    wsp_tag_stats tag; /* with the lock */
};

/* ---- the page ---- */

static void counter(FILE *f, const char *name, const char *help, const char *label, uint64_t v)
{
    if (help)
        (void)fprintf(f, "# HELP wirespeak_%s %s\n# TYPE wirespeak_%s counter\n", name, help, name);
    (void)fprintf(f, "wirespeak_%s%s %" PRIu64 "\n", name, label, v);
}

static void gauge(FILE *f, const char *name, const char *help, const char *label, double v)
{
    if (help)
        (void)fprintf(f, "# HELP wirespeak_%s %s\n# TYPE wirespeak_%s gauge\n", name, help, name);
    (void)fprintf(f, "wirespeak_%s%s %.10g\n", name, label, v);
}

static void print_latency(FILE *f, const outlet_stats *o)
{
    uint64_t sum = 0;

    (void)fputs("# HELP wirespeak_decision_latency_seconds From the deciding packet to its written "
                "record.\n# TYPE wirespeak_decision_latency_seconds histogram\n",
                f);
    for (size_t i = 0; i < OUTLET_BINS; i++) {
        sum += o->latency[i];
        if (i % 4 == 3) /* an octave */
            (void)fprintf(f, "wirespeak_decision_latency_seconds_bucket{le=\"%.6g\"} %" PRIu64 "\n",
                          (double)outlet_bin_us(i) / 1e6, sum);
    }
    (void)fprintf(f,
                  "wirespeak_decision_latency_seconds_bucket{le=\"+Inf\"} %" PRIu64 "\n"
                  "wirespeak_decision_latency_seconds_sum %.6f\n"
                  "wirespeak_decision_latency_seconds_count %" PRIu64 "\n",
                  o->latencies, (double)o->latency_sum_us / 1e6, o->latencies);
}

/* A label of Prometheus: quotes and backslashes have a backslash before them. */
static void put_label(FILE *f, const char *metric, const char *label, uint64_t v)
{
    (void)fprintf(f, "wirespeak_%s{label=\"", metric);
    for (; *label; label++) {
        if (*label == '"' || *label == '\\')
            (void)fputc('\\', f);
        (void)fputc(*label, f);
    }
    (void)fprintf(f, "\"} %" PRIu64 "\n", v);
}

static void print_labels(metrics *m, FILE *f)
{
    size_t n;
    outlet_label *l = outlet_labels_get(m->out, &n);

    (void)fputs("# HELP wirespeak_ended_flows_total Flows that ended, by the first head's label.\n"
                "# TYPE wirespeak_ended_flows_total counter\n",
                f);
    for (size_t i = 0; i < n; i++)
        if (l[i].flows)
            put_label(f, "ended_flows_total", l[i].name, l[i].flows);
    (void)fputs("# HELP wirespeak_ended_bytes_total Bytes of flows that ended, likewise.\n"
                "# TYPE wirespeak_ended_bytes_total counter\n",
                f);
    for (size_t i = 0; i < n; i++)
        if (l[i].flows)
            put_label(f, "ended_bytes_total", l[i].name, l[i].bytes);
    free(l);
}

static void print_page(metrics *m, FILE *f)
{
    wsp_feed_stats w = wsp_feed_stats_get(m->feed);
    outlet_stats o = outlet_stats_get(m->out);
    wsp_tag_stats t;

    (void)pthread_mutex_lock(&m->lock);
    t = m->tag;
    (void)pthread_mutex_unlock(&m->lock);
    counter(f, "packets_total", "Packets captured.", "", w.packets);
    counter(f, "bytes_total", "Bytes captured.", "", w.bytes);
    counter(f, "drops_total", "Packets lost, by where.", "{stage=\"kernel\"}", w.kernel_drops);
    counter(f, "drops_total", NULL, "{stage=\"interface\"}", w.interface_drops);
    counter(f, "drops_total", NULL, "{stage=\"ring\"}", w.ring_drops);
    counter(f, "interface_faults_total", "Times that an interface was away.", "", w.faults);
    counter(f, "flows_total", "Flows that began.", "", t.flows);
    gauge(f, "flows", "Flows that are open.", "{state=\"all\"}", (double)t.flows_now);
    gauge(f, "flows", NULL, "{state=\"undecided\"}", (double)t.undecided_now);
    counter(f, "decisions_total", "Flows decided, by what.", "{by=\"model\"}", t.by_model);
    counter(f, "decisions_total", NULL, "{by=\"prefix\"}", t.by_prefix);
    counter(f, "decisions_total", NULL, "{by=\"end\"}", t.at_end);
    counter(f, "updates_total", "Changed labels.", "", t.updates);
    counter(f, "shed_total", "Flows given up, by why.", "{why=\"time\"}", t.shed_time);
    counter(f, "shed_total", NULL, "{why=\"memory\"}", t.shed_memory);
    counter(f, "evictions_total", "Flows ended because the table was full.", "", t.evicted);
    counter(f, "records_total", "Records made.", "", o.records);
    counter(f, "records_lost_total", "Records that no output took.", "", o.lost);
    gauge(f, "memory_bytes", "Memory of flows and beginnings.", "", (double)t.memory_now);
    gauge(f, "ring_fill_ratio", "Share of the ring that waits.", "", wsp_feed_fill(m->feed));
    print_labels(m, f);
    print_latency(f, &o);
}

/* ---- serving ---- */

static bool ready(int fd, short what, int ms)
{
    struct pollfd p = {.fd = fd, .events = what};

    return poll(&p, 1, ms) > 0 && (p.revents & what);
}

static int64_t now_ms(void)
{
    struct timespec t;

    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/*
 * The patience is for a request, or a page, as a whole: who sends or takes it byte by byte would hold up all others, and the end of
 * the program.
 */
static bool ready_by(int fd, short what, int64_t end)
{
    int64_t left = end - now_ms();

    return left > 0 && ready(fd, what, (int)left);
}

static void send_all(int fd, const char *p, size_t len, int64_t end)
{
    while (len > 0 && ready_by(fd, POLLOUT, end)) {
        ssize_t n = send(fd, p, len, MSG_NOSIGNAL);

        if (n <= 0)
            return;
        p += n;
        len -= (size_t)n;
    }
}

/* HTTP_MORE: a slow, long or broken request, which gets no answer. */
static http_wish read_request(int fd)
{
    int64_t end = now_ms() + PATIENCE_MS;
    http_wish wish = HTTP_MORE;
    char request[HTTP_REQUEST];
    size_t len = 0;

    while (wish == HTTP_MORE && len < sizeof request && ready_by(fd, POLLIN, end)) {
        ssize_t n = recv(fd, request + len, sizeof request - len, 0);

        if (n <= 0)
            return HTTP_MORE;
        len += (size_t)n;
        wish = http_read(request, len);
    }
    return wish;
}

static void answer(metrics *m, int fd)
{
    char head[256], *page = NULL;
    size_t len = 0;
    http_wish wish = read_request(fd);
    bool found = wish == HTTP_METRICS || wish == HTTP_HEAD;
    bool body = wish != HTTP_HEAD && wish != HTTP_OTHER_HEAD;
    int64_t end;
    FILE *f;

    if (wish == HTTP_MORE || !(f = open_memstream(&page, &len)))
        return;
    if (found)
        print_page(m, f);
    else
        (void)fputs("GET /metrics\n", f);
    if (fclose(f) == 0) {
        (void)snprintf(head, sizeof head,
                       "HTTP/1.1 %s\r\nContent-Type: text/plain; version=0.0.4\r\n"
                       "Content-Length: %zu\r\nConnection: close\r\n\r\n",
                       found ? "200 OK" : "404 Not Found", len);
        end = now_ms() + PATIENCE_MS;
        send_all(fd, head, strlen(head), end);
        if (body)
            send_all(fd, page, len, end);
    }
    free(page);
}

static void *metrics_main(void *arg)
{
    metrics *m = arg;

    while (!atomic_load(&m->stop)) {
        int fd = ready(m->fd, POLLIN, POLL_MS)
                     ? accept4(m->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK)
                     : -1;

        if (fd < 0)
            continue;
        answer(m, fd);
        (void)close(fd);
    }
    return NULL;
}

/* ---- making ---- */

static int listen_at(metrics *m, const struct sockaddr *addr, socklen_t len, const char *text)
{
    const int yes = 1;

    m->fd = socket(addr->sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (m->fd < 0 || setsockopt(m->fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes) < 0 ||
        bind(m->fd, addr, len) < 0 || listen(m->fd, 8) < 0)
        return cli_fail("--metrics %s: %s", text, strerror(errno));
    return CLI_OK;
}

/*
 * Where nobody listens any more: the program was killed, or became a user (--user) who may not remove what root has made. A path that is
 * no socket is left alone: connecting to it fails in the same way.
 */
static void remove_stale(const struct sockaddr_un *addr)
{
    struct stat sb;
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

    if (fd < 0)
        return;
    if (lstat(addr->sun_path, &sb) == 0 && S_ISSOCK(sb.st_mode) &&
        connect(fd, (const struct sockaddr *)addr, sizeof *addr) < 0 && errno == ECONNREFUSED)
        (void)unlink(addr->sun_path);
    (void)close(fd);
}

static int listen_unix(metrics *m, const char *path, const char *text)
{
    struct sockaddr_un addr = {.sun_family = AF_UNIX};
    int rc;

    if (strlen(path) >= sizeof addr.sun_path)
        return cli_usage("tag", "--metrics %s: a socket's path has less than %zu bytes", text,
                         sizeof addr.sun_path);
    memcpy(addr.sun_path, path, strlen(path) + 1);
    remove_stale(&addr);
    rc = listen_at(m, (const struct sockaddr *)&addr, sizeof addr, text);
    if (rc == CLI_OK && !(m->path = strdup(path)))
        return cli_fail("no memory for a name");
    return rc;
}

static bool is_host(const char *text, size_t len, const char *name)
{
    return strlen(name) == len && memcmp(text, name, len) == 0;
}

/* Only to this machine: the page tells what the network does, and asks for no password. */
static int listen_tcp(metrics *m, const char *text)
{
    const char *colon = strrchr(text, ':'), *digits = colon ? colon + 1 : text;
    struct sockaddr_in v4 = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    struct sockaddr_in6 v6 = {.sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT};
    size_t host = colon ? (size_t)(colon - text) : 0;
    char *end;
    unsigned long port = strtoul(digits, &end, 10);

    if (*digits < '0' || *digits > '9' || *end || port == 0 || port > 65535)
        return cli_usage(
            "tag", "--metrics %s: write it PORT, 127.0.0.1:PORT, [::1]:PORT or unix:SOCKET", text);
    v4.sin_port = v6.sin6_port = htons((uint16_t)port);
    if (!colon || is_host(text, host, "127.0.0.1") || is_host(text, host, "localhost"))
        return listen_at(m, (const struct sockaddr *)&v4, sizeof v4, text);
    if (is_host(text, host, "[::1]"))
        return listen_at(m, (const struct sockaddr *)&v6, sizeof v6, text);
    return cli_usage("tag", "--metrics %s: only loopback addresses, or a Unix socket", text);
}

int metrics_open(metrics **out, const char *address, const wsp_feed *feed, outlet *o)
{
    metrics *m = calloc(1, sizeof *m);

    *out = m;
    if (!m)
        return cli_fail("no memory for --metrics");
    m->fd = -1;
    m->feed = feed;
    m->out = o;
    (void)pthread_mutex_init(&m->lock, NULL);
    return strncmp(address, "unix:", 5) == 0 ? listen_unix(m, address + 5, address)
                                             : listen_tcp(m, address);
}

int metrics_start(metrics *m)
{
    if (pthread_create(&m->thread, NULL, metrics_main, m) != 0)
        return cli_fail("cannot start the thread of --metrics");
    m->started = true;
    return CLI_OK;
}

void metrics_leave(metrics *m, const wsp_tag_stats *s)
{
    if (!m)
        return;
    (void)pthread_mutex_lock(&m->lock);
    m->tag = *s;
    (void)pthread_mutex_unlock(&m->lock);
}

void metrics_close(metrics *m)
{
    if (!m)
        return;
    atomic_store(&m->stop, true);
    if (m->started)
        (void)pthread_join(m->thread, NULL);
    if (m->fd >= 0)
        (void)close(m->fd);
    if (m->path)
        (void)unlink(m->path);
    free(m->path);
    (void)pthread_mutex_destroy(&m->lock);
    free(m);
}
