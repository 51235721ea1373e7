/* SPDX-License-Identifier: Apache-2.0 */
/*
 * feed.c: the thread that captures. It copies packets into the ring and does nothing else, so that the kernel's buffers are empty
 * before they are full; what does not fit into the ring is counted. Files go the same way, but wait for room.
 */
#include <poll.h>
#include <pthread.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "capture/device_int.h"
#include "live/ring_int.h"
#include "wirespeak/live.h"

enum { PACKET = 1, SOURCE, FAULT }; /* kinds of records; SOURCE: wirelen is the link type */
enum { LEAST_RING = 2 << 20, MAX_DEVICES = 64, READ = 1024, POLL_MS = 100, RETRY_MS = 1000 };

typedef struct iface {
    wspi_device *device; /* NULL: it has gone, and is tried again */
    char *name;
    int linktype;
    bool told;  /* that it is down */
    bool other; /* told that it came back as another kind of link */
} iface;

struct wsp_feed {
    wsp_feed_options opt;
    char *filter;
    wspi_ring ring;
    pthread_t thread;
    bool started;
    int wakeup; /* an eventfd: ends the thread's poll */
    atomic_bool stop;
    /* interfaces, or files */
    iface *ifaces;
    size_t n_ifaces;
    wsp_input *input;
    /* of the capture thread */
    uint16_t source;
    uint64_t checked_ms, tried_ms;
    atomic_uint_least64_t packets, bytes, kernel_drops, interface_drops, ring_drops, faults, opaque;
    /* of the consumer: where packets come from, of files */
    char *name;
    int linktype;
    uint32_t source_now;
};

wsp_feed_options wsp_feed_options_default(void)
{
    return (wsp_feed_options){.ring = (size_t)64 << 20,
                              .buffer = (size_t)32 << 20,
                              .snaplen = 2048,
                              .retire_ms = 2,
                              .promiscuous = true};
}

static void see_link(wsp_feed *f, const char *name, int linktype)
{
    if (!wsp_packet_link(name, linktype))
        atomic_fetch_add(&f->opaque, 1);
}

static uint64_t now_ms(void)
{
    struct timespec t;

    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

/* ---- capture from interfaces ---- */

static void put_packet(void *arg, const wsp_frame *frame)
{
    wsp_feed *f = arg;
    wspi_ring_record head = {.len = frame->caplen,
                             .wirelen = frame->wirelen,
                             .source = f->source,
                             .kind = PACKET,
                             .time_ns = frame->time_ns};

    atomic_fetch_add_explicit(&f->packets, 1, memory_order_relaxed);
    atomic_fetch_add_explicit(&f->bytes, frame->caplen, memory_order_relaxed);
    if (!wspi_ring_put(&f->ring, &head, frame->data))
        atomic_fetch_add_explicit(&f->ring_drops, 1, memory_order_relaxed);
}

static void count_drops(wsp_feed *f)
{
    for (size_t i = 0; i < f->n_ifaces; i++) {
        uint64_t kernel, interface;

        if (!f->ifaces[i].device)
            continue;
        wspi_device_drops(f->ifaces[i].device, &kernel, &interface);
        atomic_fetch_add(&f->kernel_drops, kernel);
        atomic_fetch_add(&f->interface_drops, interface);
    }
}

static wspi_device_options device_options(const wsp_feed *f, size_t i)
{
    return (wspi_device_options){.buffer = f->opt.buffer,
                                 .snaplen = f->opt.snaplen,
                                 .retire_ms = f->opt.retire_ms,
                                 .promiscuous = f->opt.promiscuous,
                                 /* a group is of one interface */
                                 .fanout = f->opt.fanout ? f->opt.fanout + (uint32_t)i : 0,
                                 .filter = f->filter};
}

/* Said once; what was captured of it and lost before stays counted. */
static void lose(wsp_feed *f, iface *d, const wsp_error *err)
{
    if (!d->told) {
        wspi_log(WSP_LOG_WARNING, "%s; waiting for it to come back", err->text);
        atomic_fetch_add(&f->faults, 1);
    }
    d->told = true;
    count_drops(f);
    wspi_device_close(d->device);
    d->device = NULL;
}

static void lose_what_has_gone(wsp_feed *f)
{
    for (size_t i = 0; i < f->n_ifaces; i++) {
        iface *d = &f->ifaces[i];
        wsp_error err;

        if (!d->device || !wspi_device_gone(d->device))
            continue;
        (void)wspi_fail(&err, WSP_ERR_IO, 0, "%s: the interface has gone", d->name);
        lose(f, d, &err);
    }
}

/* It is tried on: the right one may follow. */
static void leave_alone(iface *d)
{
    if (!d->other)
        wspi_log(WSP_LOG_WARNING,
                 "%s: came back as another kind of link: left alone, until it is the former again",
                 d->name);
    d->other = true;
    wspi_device_close(d->device);
    d->device = NULL;
}

static void try_again(wsp_feed *f, uint64_t now)
{
    if (now - f->tried_ms < RETRY_MS)
        return;
    f->tried_ms = now;
    lose_what_has_gone(f);
    for (size_t i = 0; i < f->n_ifaces; i++) {
        iface *d = &f->ifaces[i];
        wspi_device_options opt = device_options(f, i);
        wsp_error err;

        if (d->device || wspi_device_open(&d->device, d->name, &opt, &err) < 0)
            continue;
        if (wspi_device_linktype(d->device) != d->linktype)
            leave_alone(d);
        else
            d->other = false;
    }
}

/* A link that is down gives an error once, which libpcap keeps to itself, and packets when it is up again. */
static void watch_link(wsp_feed *f, iface *d, bool error, bool packets)
{
    if (error && !d->told) {
        wspi_log(WSP_LOG_WARNING, "%s: the interface is down; waiting for it to come back",
                 d->name);
        atomic_fetch_add(&f->faults, 1);
        d->told = true;
    } else if (packets && d->told) {
        wspi_log(WSP_LOG_WARNING, "%s: packets again", d->name);
        d->told = false;
    }
}

/* Reads what there is at the interfaces that poll found; the ones that fail are lost. */
static void read_ready(wsp_feed *f, const struct pollfd *fds)
{
    for (size_t i = 0; i < f->n_ifaces; i++) {
        iface *d = &f->ifaces[i];
        uint64_t before = atomic_load_explicit(&f->packets, memory_order_relaxed);
        wsp_error err;

        if (!d->device || !fds[i].revents)
            continue;
        f->source = (uint16_t)i;
        if (wspi_device_read(d->device, READ, put_packet, f, &err) < 0)
            lose(f, d, &err);
        else
            watch_link(f, d, fds[i].revents & POLLERR, atomic_load(&f->packets) > before);
    }
}

static void *capture_interfaces(void *arg)
{
    wsp_feed *f = arg;
    struct pollfd fds[MAX_DEVICES + 1];

    while (!atomic_load(&f->stop)) {
        uint64_t now;

        for (size_t i = 0; i < f->n_ifaces; i++)
            fds[i] = (struct pollfd){.fd = f->ifaces[i].device ? wspi_device_fd(f->ifaces[i].device)
                                                               : -1,
                                     .events = POLLIN};
        fds[f->n_ifaces] = (struct pollfd){.fd = f->wakeup, .events = POLLIN};
        if (poll(fds, f->n_ifaces + 1, POLL_MS) > 0)
            read_ready(f, fds);
        now = now_ms();
        if (now - f->checked_ms < POLL_MS)
            continue;
        f->checked_ms = now;
        count_drops(f);
        try_again(f, now);
    }
    count_drops(f);
    wspi_ring_close(&f->ring);
    return NULL;
}

/* ---- the same from files ---- */

/* There will never be room for it. */
static void drop_large(wsp_feed *f, uint32_t len)
{
    if (atomic_fetch_add_explicit(&f->ring_drops, 1, memory_order_relaxed) == 0)
        wspi_log(WSP_LOG_WARNING,
                 "a packet of %u bytes is left out: the ring takes packets of a quarter of it, %zu "
                 "bytes; more such packets are only counted",
                 len, f->ring.size / 4);
}

static bool put_waiting(wsp_feed *f, wspi_ring_record *head, const void *bytes)
{
    while (!wspi_ring_put(&f->ring, head, bytes)) {
        if (atomic_load(&f->stop))
            return false;
        wspi_ring_wait_space(&f->ring);
    }
    return true;
}

static bool put_text(wsp_feed *f, uint16_t kind, uint32_t number, const char *text)
{
    wspi_ring_record head = {.kind = kind, .wirelen = number, .len = (uint32_t)strlen(text) + 1};

    return put_waiting(f, &head, text);
}

static wsp_status pour_capture(wsp_feed *f, wsp_error *err)
{
    wsp_frame frame;
    wsp_status st;

    while ((st = wsp_input_next(f->input, &frame, err)) == WSP_OK) {
        wspi_ring_record head = {.len = frame.caplen,
                                 .wirelen = frame.wirelen,
                                 .kind = PACKET,
                                 .time_ns = frame.time_ns};

        if (!wspi_ring_takes(&f->ring, frame.caplen))
            drop_large(f, frame.caplen);
        else if (!put_waiting(f, &head, frame.data))
            return WSP_EOF;
        atomic_fetch_add_explicit(&f->packets, 1, memory_order_relaxed);
        atomic_fetch_add_explicit(&f->bytes, frame.caplen, memory_order_relaxed);
    }
    return st;
}

static void *read_files(void *arg)
{
    wsp_feed *f = arg;
    wsp_capture_info info;
    wsp_error err;
    wsp_status st = WSP_OK;
    size_t captures = 0;

    while (!atomic_load(&f->stop) && (st = wsp_input_open_next(f->input, &info, &err)) != WSP_EOF) {
        bool opened = st == WSP_OK;

        captures += opened;
        if (opened)
            see_link(f, info.name, info.linktype);
        if (opened && put_text(f, SOURCE, (uint32_t)info.linktype, info.name))
            st = pour_capture(f, &err);
        if (st < 0)
            (void)put_text(f, FAULT, (uint32_t)-st, err.text);
        if (!opened) /* no memory, or nothing at all was a capture */
            break;
    }
    if (st == WSP_EOF && wsp_input_unread(f->input)) {
        (void)wspi_fail(&err, WSP_ERR_FORMAT, 0, "%zu of %zu files could not be read",
                        wsp_input_unread(f->input), wsp_input_unread(f->input) + captures);
        (void)put_text(f, FAULT, (uint32_t)-err.status, err.text);
    }
    wspi_ring_close(&f->ring);
    return NULL;
}

/* ---- the consumer ---- */

static wsp_status take_source(wsp_feed *f, const wspi_ring_record *r, wsp_error *err)
{
    char *name = strdup((const char *)(r + 1));

    if (!name)
        return wspi_nomem(err, "a name", r->len);
    free(f->name);
    f->name = name;
    f->linktype = (int)r->wirelen;
    f->source_now++;
    return WSP_OK;
}

/* LIMIT means here that there is no packet yet: a limit of the input (archives too deep) is a fault of the file. */
static wsp_status take_fault(const wspi_ring_record *r, wsp_error *err)
{
    wsp_status st = (wsp_status) - (int)r->wirelen;

    return wspi_fail(err, st == WSP_ERR_LIMIT ? WSP_ERR_FORMAT : st, 0, "%s",
                     (const char *)(r + 1));
}

wsp_status wsp_feed_next(wsp_feed *f, wsp_feed_packet *p, unsigned wait_ms, wsp_error *err)
{
    const wspi_ring_record *r;
    bool closed;

    while ((r = wspi_ring_take(&f->ring, wait_ms, &closed)) && r->kind != PACKET) {
        if (r->kind == FAULT)
            return take_fault(r, err);
        WSP_TRY(take_source(f, r, err));
    }
    if (!r)
        return closed ? WSP_EOF : wspi_fail(err, WSP_ERR_LIMIT, 0, "no packet in %u ms", wait_ms);
    p->frame = (wsp_frame){.time_ns = r->time_ns,
                           .caplen = r->len,
                           .wirelen = r->wirelen,
                           .data = (const uint8_t *)(r + 1)};
    p->source = f->input ? f->source_now - 1 : r->source;
    p->name = f->input ? f->name : f->ifaces[r->source].name;
    p->linktype = f->input ? f->linktype : f->ifaces[r->source].linktype;
    return WSP_OK;
}

const char *wsp_feed_interface(const wsp_feed *f, uint32_t source)
{
    return source < f->n_ifaces ? f->ifaces[source].name : NULL;
}

double wsp_feed_fill(const wsp_feed *f)
{
    return wspi_ring_fill(&f->ring);
}

wsp_feed_stats wsp_feed_stats_get(const wsp_feed *f)
{
    return (wsp_feed_stats){.packets = atomic_load(&f->packets),
                            .bytes = atomic_load(&f->bytes),
                            .kernel_drops = atomic_load(&f->kernel_drops),
                            .interface_drops = atomic_load(&f->interface_drops),
                            .ring_drops = atomic_load(&f->ring_drops),
                            .faults = atomic_load(&f->faults),
                            .opaque = atomic_load(&f->opaque)};
}

/* ---- making and ending ---- */

static wsp_status feed_new(wsp_feed **out, const wsp_feed_options *opt, wsp_error *err)
{
    wsp_feed *f = wspi_new_array(1, sizeof *f);

    *out = NULL;
    if (!f)
        return wspi_nomem(err, "a feed", sizeof *f);
    f->opt = opt ? *opt : wsp_feed_options_default();
    f->wakeup = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    f->filter = f->opt.filter ? strdup(f->opt.filter) : NULL;
    f->opt.ring = WSPI_MAX(f->opt.ring, (size_t)LEAST_RING);
    if (f->wakeup < 0 || (f->opt.filter && !f->filter) ||
        wspi_ring_init(&f->ring, f->opt.ring) < 0) {
        wsp_feed_free(f);
        return wspi_nomem(err, "a ring of packets", f->opt.ring);
    }
    *out = f;
    return WSP_OK;
}

static wsp_status open_interfaces(wsp_feed *f, const char *const *names, wsp_error *err)
{
    for (size_t i = 0; i < f->n_ifaces; i++) {
        iface *d = &f->ifaces[i];
        wspi_device_options opt = device_options(f, i);

        d->name = strdup(names[i]);
        if (!d->name)
            return wspi_nomem(err, "a name", strlen(names[i]));
        WSP_TRY(wspi_device_open(&d->device, d->name, &opt, err));
        d->linktype = wspi_device_linktype(d->device);
        see_link(f, d->name, d->linktype);
    }
    return WSP_OK;
}

wsp_status wsp_feed_interfaces(wsp_feed **out, const char *const *names, size_t n,
                               const wsp_feed_options *opt, wsp_error *err)
{
    wsp_feed *f;
    wsp_status st;

    *out = NULL;
    if (n == 0 || n > MAX_DEVICES)
        return wspi_fail(err, WSP_ERR_ARG, 0, "%zu interfaces: 1 to %d are possible", n,
                         MAX_DEVICES);
    WSP_TRY(feed_new(&f, opt, err));
    f->ifaces = wspi_new_array(n, sizeof *f->ifaces);
    f->n_ifaces = f->ifaces ? n : 0;
    st = f->ifaces ? open_interfaces(f, names, err) : wspi_nomem(err, "interfaces", n);
    if (st < 0)
        wsp_feed_free(f);
    else
        *out = f;
    return st;
}

wsp_status wsp_feed_files(wsp_feed **out, const char *const *paths, size_t n,
                          const wsp_feed_options *opt, wsp_error *err)
{
    wsp_input_options o = wsp_input_options_default();
    wsp_feed *f;
    wsp_status st;

    *out = NULL;
    WSP_TRY(feed_new(&f, opt, err));
    o.filter = f->filter;
    o.skip_bad = f->opt.skip_bad;
    o.keep_going = !o.skip_bad;
    st = wsp_input_new(&f->input, paths, n, &o, err);
    if (st < 0)
        wsp_feed_free(f);
    else
        *out = f;
    return st;
}

wsp_status wsp_feed_start(wsp_feed *f, wsp_error *err)
{
    int rc;

    if (f->started)
        return wspi_fail(err, WSP_ERR_ARG, 0, "the capture thread runs already");
    rc = pthread_create(&f->thread, NULL, f->input ? read_files : capture_interfaces, f);
    if (rc != 0)
        return wspi_fail(err, WSP_ERR_IO, 0, "cannot start the capture thread: %s", strerror(rc));
    f->started = true;
    return WSP_OK;
}

void wsp_feed_stop(wsp_feed *f)
{
    const uint64_t one = 1;

    atomic_store(&f->stop, true);
    if (f->input)
        wsp_input_stop(f->input);
    /* it can only fail where the thread is awake anyway */
    if (write(f->wakeup, &one, sizeof one) < 0)
        return;
}

void wsp_feed_free(wsp_feed *f)
{
    if (!f)
        return;
    if (f->started) {
        wsp_feed_stop(f);
        (void)pthread_join(f->thread, NULL);
    }
    for (size_t i = 0; i < f->n_ifaces; i++) {
        wspi_device_close(f->ifaces[i].device);
        free(f->ifaces[i].name);
    }
    free(f->ifaces);
    wsp_input_free(f->input);
    wspi_ring_clear(&f->ring);
    if (f->wakeup >= 0)
        (void)close(f->wakeup);
    free(f->filter);
    free(f->name);
    free(f);
}
