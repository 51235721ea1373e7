/* SPDX-License-Identifier: Apache-2.0 */
/* metrics.c: a very small HTTP server that gives one page. */
#include "metrics.h"

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
#include <sys/un.h>
#include <unistd.h>

enum { REQUEST = 4096, PATIENCE_MS = 1000, POLL_MS = 200 };

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
    print_latency(f, &o);
}

/* ---- serving ---- */

static bool ready(int fd, short what, int ms)
{
    struct pollfd p = {.fd = fd, .events = what};

    return poll(&p, 1, ms) > 0 && (p.revents & what);
}

static void send_all(int fd, const char *p, size_t len)
{
    while (len > 0 && ready(fd, POLLOUT, PATIENCE_MS)) {
        ssize_t n = send(fd, p, len, MSG_NOSIGNAL);

        if (n <= 0)
            return;
        p += n;
        len -= (size_t)n;
    }
}

/* Reads up to the empty line; a slow or long request gets no answer. */
static bool read_request(int fd, char *request, size_t size)
{
    size_t len = 0;

    while (len + 1 < size && ready(fd, POLLIN, PATIENCE_MS)) {
        ssize_t n = recv(fd, request + len, size - 1 - len, 0);

        if (n <= 0)
            return false;
        len += (size_t)n;
        request[len] = '\0';
        if (strstr(request, "\r\n\r\n") || strstr(request, "\n\n"))
            return true;
    }
    return false;
}

static void answer(metrics *m, int fd)
{
    char request[REQUEST], head[256], *page = NULL;
    size_t len = 0;
    bool found;
    FILE *f;

    if (!read_request(fd, request, sizeof request) || !(f = open_memstream(&page, &len)))
        return;
    found = strncmp(request, "GET /metrics ", 13) == 0;
    if (found)
        print_page(m, f);
    else
        (void)fputs("GET /metrics\n", f);
    if (fclose(f) == 0) {
        (void)snprintf(head, sizeof head,
                       "HTTP/1.1 %s\r\nContent-Type: text/plain; version=0.0.4\r\n"
                       "Content-Length: %zu\r\nConnection: close\r\n\r\n",
                       found ? "200 OK" : "404 Not Found", len);
        send_all(fd, head, strlen(head));
        send_all(fd, page, len);
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

static int listen_unix(metrics *m, const char *path, const char *text)
{
    struct sockaddr_un addr = {.sun_family = AF_UNIX};
    int rc;

    if (strlen(path) >= sizeof addr.sun_path)
        return cli_fail("--metrics %s: a socket's path has less than %zu bytes", text,
                        sizeof addr.sun_path);
    memcpy(addr.sun_path, path, strlen(path) + 1);
    rc = listen_at(m, (const struct sockaddr *)&addr, sizeof addr, text);
    if (rc == CLI_OK && !(m->path = strdup(path)))
        return cli_fail("no memory for a name");
    return rc;
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

    if (!*digits || *end || port == 0 || port > 65535)
        return cli_fail("--metrics %s: write it PORT, 127.0.0.1:PORT, [::1]:PORT or unix:SOCKET",
                        text);
    v4.sin_port = v6.sin6_port = htons((uint16_t)port);
    if (host == 0 || strncmp(text, "127.0.0.1", host) == 0 || strncmp(text, "localhost", host) == 0)
        return listen_at(m, (const struct sockaddr *)&v4, sizeof v4, text);
    if (strncmp(text, "[::1]", host) == 0)
        return listen_at(m, (const struct sockaddr *)&v6, sizeof v6, text);
    return cli_fail("--metrics %s: only loopback addresses, or a Unix socket", text);
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
