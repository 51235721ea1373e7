/* SPDX-License-Identifier: Apache-2.0 */
/*
 * replicate.c: merges Ethernet captures into a large one of wanted size, every copy of a capture
 * with addresses of its own. Holds the captures once (5,000 packets of each at most) and streams
 * the copies in time order. The same seed gives the same file. Addresses inside tunnels stay.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "wirespeak/capture.h"

#define NS_PER_S   UINT64_C(1000000000)
#define START_NS   (UINT64_C(1700000000) * NS_PER_S)
#define MAX_GAP_NS NS_PER_S
#define GROUP_NS   (120 * NS_PER_S) /* the copies of a group start in so much time */

enum {
    MAX_PACKETS = 5000,
    GROUP_COPIES = 4,
    SHORTEST = 14,
    MAX_LEN = 262144,
    ETHERNET = 1,
    RECORD_HEADER = 16
};

static const char usage[] = "usage: replicate OUT.pcap SIZE SEED CAPTURE|FOLDER...\n"
                            "  OUT.pcap - is standard output; SIZE is bytes (400M, 2G) or copies "
                            "(8x) of all that is read\n";

/* A packet of the corpus, and where its addresses and checksum are: found once for all copies. */
typedef struct packet {
    uint64_t after_ns; /* since the packet before it */
    size_t at;         /* in corpus.data */
    uint32_t caplen, wirelen;
    uint32_t net;   /* offset of the ARP or IP header, 0 = none */
    uint32_t check; /* offset of a checksum that covers the addresses, 0 = none */
    uint16_t type;  /* ethertype of `net` */
    bool udp;       /* a checksum of 0 means none */
    bool routed;    /* the checksum covers another destination: that of a routing header */
} packet;

typedef struct source {
    size_t first, n;
    uint64_t bytes; /* as they will be written */
    uint64_t order; /* the last copy, which is not whole, takes sources in this order */
    bool in_last;
} source;

typedef struct corpus {
    uint8_t *data;
    packet *packets;
    source *sources;
    size_t len, cap, n_packets, cap_packets, n_sources, cap_sources;
    uint64_t bytes;
    size_t bad, other_link, unusable;
} corpus;

typedef struct stream {
    uint64_t time_ns, key;
    uint32_t source, copy;
    size_t next; /* packet */
} stream;

typedef struct merger {
    const corpus *c;
    uint64_t seed, copies; /* whole ones */
    bool last;             /* and one that is not */
    stream *heap;
    size_t n, cap;
    uint64_t packets, bytes, end_ns;
} merger;

/* ---- small things ---- */

static uint64_t mix(uint64_t x) /* the finisher of splitmix64 */
{
    x += UINT64_C(0x9e3779b97f4a7c15);
    x = (x ^ x >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    x = (x ^ x >> 27) * UINT64_C(0x94d049bb133111eb);
    return x ^ x >> 31;
}

static unsigned get16(const uint8_t *p)
{
    return (unsigned)p[0] << 8 | p[1];
}

static uint64_t get(const uint8_t *p, size_t n)
{
    uint64_t v = 0;
    for (size_t i = 0; i < n; i++)
        v = v << 8 | p[i];
    return v;
}

static void put(uint8_t *p, size_t n, uint64_t v)
{
    while (n-- > 0) {
        p[n] = (uint8_t)v;
        v >>= 8;
    }
}

/* Grows an array to hold `need` items; false: no memory. */
static bool grow(void *array, size_t *cap, size_t need, size_t size)
{
    void *old, *p;
    size_t n = need + need / 2 + 64;

    if (need <= *cap)
        return true;
    memcpy(&old, array, sizeof old);
    p = n < SIZE_MAX / size ? realloc(old, n * size) : NULL;
    if (!p)
        return false;
    memcpy(array, &p, sizeof p);
    *cap = n;
    return true;
}

/* ---- reading ---- */

/* Offset of the checksum over the pseudo header in a header of this protocol, 0 = it has none. */
static uint32_t check_of(uint8_t proto, uint16_t type)
{
    bool six = type == 0x86dd;

    switch (proto) {
    case 6: return 16;
    case 17:
    case 136: return 6;
    case 58: return six ? 2 : 0;
    case 89: return six ? 12 : 0; /* OSPF */
    case 103: return six ? 2 : 0; /* PIM */
    default: return 0;
    }
}

static void find_check(packet *p, uint32_t at, uint32_t end, uint8_t proto)
{
    uint32_t off = check_of(proto, p->type);

    if (off && at + off + 2 <= end)
        p->check = at + off;
    p->udp = proto == 17 || proto == 136;
}

static void find_ipv4(packet *p, const uint8_t *h)
{
    uint32_t header = (uint32_t)(h[0] & 15) * 4, total = get16(h + 2), end = p->caplen;

    if (total >= header && p->net + total < end)
        end = p->net + total;
    if (header >= 20 && (get16(h + 6) & 0x1fff) == 0)
        find_check(p, p->net + header, end, h[9]);
}

/* IPv6: options, routing, fragment, authentication */
static bool is_extension(uint8_t proto)
{
    return proto == 0 || proto == 43 || proto == 44 || proto == 51 || proto == 60;
}

static void find_ipv6(packet *p, const uint8_t *data)
{
    uint8_t proto = data[p->net + 6];
    uint32_t at = p->net + 40;

    while (at + 8 <= p->caplen && is_extension(proto)) {
        const uint8_t *h = data + at;
        if (proto == 44 && get16(h + 2) >> 3)
            return;
        p->routed |= proto == 43 && h[3] > 0;
        at += proto == 44 ? 8u : proto == 51 ? (h[1] + 2u) * 4 : (h[1] + 1u) * 8;
        proto = h[0];
    }
    find_check(p, at, p->caplen, proto);
}

/* Where the addresses are; `data` is the frame. */
static void find(packet *p, const uint8_t *data)
{
    uint32_t at = 12;

    while (at + 6 <= p->caplen &&
           (get16(data + at) == 0x8100 || get16(data + at) == 0x88a8 || get16(data + at) == 0x9100))
        at += 4;
    if (at + 2 > p->caplen)
        return;
    p->type = (uint16_t)get16(data + at);
    p->net = at + 2;
    if (p->type == 0x0800 && p->net + 20 <= p->caplen && data[p->net] >> 4 == 4)
        find_ipv4(p, data + p->net);
    else if (p->type == 0x86dd && p->net + 40 <= p->caplen && data[p->net] >> 4 == 6)
        find_ipv6(p, data);
    else if (p->type != 0x0806 || p->net + 28 > p->caplen || get16(data + p->net + 4) != 0x0604)
        p->net = 0;
}

static bool keep(corpus *c, const wsp_frame *f, uint64_t after_ns)
{
    packet *p;

    if (!grow(&c->packets, &c->cap_packets, c->n_packets + 1, sizeof *c->packets) ||
        !grow(&c->data, &c->cap, c->len + f->caplen + 1, 1))
        return false;
    p = &c->packets[c->n_packets++];
    *p = (packet){.after_ns = after_ns, .at = c->len, .caplen = f->caplen, .wirelen = f->wirelen};
    memcpy(c->data + c->len, f->data, f->caplen);
    c->len += f->caplen;
    find(p, f->data);
    return true;
}

/* The packets of the open capture: those before a fault are good. false: no memory. */
static bool read_capture(corpus *c, wsp_input *in)
{
    source s = {.first = c->n_packets};
    uint64_t last = 0;
    wsp_error err;
    wsp_frame f;

    while (s.n < MAX_PACKETS && wsp_input_next(in, &f, &err) == WSP_OK) {
        uint64_t gap = s.n > 0 && f.time_ns > last ? f.time_ns - last : 0;
        last = f.time_ns;
        /* What tools refuse to send or to read, or a lie: tcpreplay stops at others. */
        if (f.caplen < SHORTEST || f.wirelen < f.caplen || f.caplen > MAX_LEN ||
            f.wirelen > MAX_LEN) {
            c->unusable++;
            continue;
        }
        if (!keep(c, &f, gap < MAX_GAP_NS ? gap : MAX_GAP_NS))
            return false;
        s.n++;
        s.bytes += f.caplen + RECORD_HEADER;
    }
    if (s.n == 0)
        return true;
    if (!grow(&c->sources, &c->cap_sources, c->n_sources + 1, sizeof *c->sources))
        return false;
    c->sources[c->n_sources++] = s;
    c->bytes += s.bytes;
    return true;
}

static wsp_status read_all(corpus *c, const char *const *paths, size_t n, wsp_error *err)
{
    wsp_input_options opt = wsp_input_options_default();
    wsp_capture_info info;
    wsp_input *in;
    wsp_status st;

    opt.skip_bad = true;
    st = wsp_input_new(&in, paths, n, &opt, err);
    if (st < 0)
        return st;
    while ((st = wsp_input_open_next(in, &info, err)) == WSP_OK) {
        if (info.linktype != ETHERNET) {
            c->other_link++;
        } else if (!read_capture(c, in)) {
            (void)snprintf(err->text, sizeof err->text, "no memory after %zu bytes", c->len);
            st = WSP_ERR_NOMEM;
            break;
        }
    }
    c->bad = wsp_input_skipped(in);
    wsp_input_free(in);
    return st;
}

/* ---- rewriting ---- */

static void map_mac(uint8_t *a, uint64_t key)
{
    uint64_t v = get(a, 6);

    if (a[0] & 1 || v == 0)
        return;
    put(a + 1, 5, mix(key ^ v));
    a[0] = 2; /* locally administered */
}

static void map_ipv4(uint8_t *a, uint64_t key)
{
    if (a[0] == 0 || a[0] == 127 || a[0] >= 224)
        return;
    put(a + 1, 3, mix(key ^ get(a, 4)));
    a[0] = 10;
}

static void map_ipv6(uint8_t *a, uint64_t key)
{
    uint64_t high = get(a, 8), low = get(a + 8, 8), v = mix(mix(key ^ high) ^ low);

    if (a[0] == 0xff || (high == 0 && low <= 1))
        return;
    put(a, 8, v);
    put(a + 8, 8, mix(v));
    a[0] = 0xfd;
}

/* What the words of an address add to a checksum when they become other words (RFC 1624). */
static uint32_t change(const uint8_t *was, const uint8_t *is, size_t len)
{
    uint32_t sum = 0;

    for (size_t i = 0; i < len; i += 2)
        sum += (0xffff ^ get16(was + i)) + get16(is + i);
    return sum;
}

static uint16_t changed(unsigned check, uint32_t by)
{
    uint32_t sum = (0xffff ^ check) + by;

    sum = (sum & 0xffff) + (sum >> 16);
    sum = (sum & 0xffff) + (sum >> 16);
    return (uint16_t)~sum;
}

static void rewrite_ip(uint8_t *data, const packet *p, uint64_t key)
{
    size_t len = p->type == 0x0800 ? 4 : 16;
    uint8_t *src = data + p->net + (len == 4 ? 12 : 8), *dst = src + len;
    uint8_t was[32];
    uint32_t by[2];

    memcpy(was, src, 2 * len);
    if (len == 4) {
        map_ipv4(src, key);
        map_ipv4(dst, key);
    } else {
        map_ipv6(src, key);
        map_ipv6(dst, key);
    }
    by[0] = change(was, src, len);
    by[1] = change(was + len, dst, len);
    if (len == 4)
        put(data + p->net + 10, 2, changed(get16(data + p->net + 10), by[0] + by[1]));
    if (p->check && !(p->udp && get16(data + p->check) == 0)) {
        uint16_t v = changed(get16(data + p->check), by[0] + (p->routed ? 0 : by[1]));
        put(data + p->check, 2, p->udp && v == 0 ? 0xffff : v);
    }
}

static void rewrite(uint8_t *data, const packet *p, uint64_t key)
{
    if (p->caplen >= 12) {
        map_mac(data, key);
        map_mac(data + 6, key);
    }
    if (p->net && p->type == 0x0806) {
        uint8_t *arp = data + p->net;
        map_mac(arp + 8, key);
        map_ipv4(arp + 14, key);
        map_mac(arp + 18, key);
        map_ipv4(arp + 24, key);
    } else if (p->net) {
        rewrite_ip(data, p, key);
    }
}

/* ---- merging ---- */

static bool before(const stream *a, const stream *b)
{
    if (a->time_ns != b->time_ns)
        return a->time_ns < b->time_ns;
    return a->copy != b->copy ? a->copy < b->copy : a->source < b->source;
}

/* Puts s where the free place `i` of the heap may move down to. */
static void sift_down(stream *heap, size_t n, size_t i, stream s)
{
    for (size_t child = 2 * i + 1; child < n; child = 2 * i + 1) {
        if (child + 1 < n && before(&heap[child + 1], &heap[child]))
            child++;
        if (!before(&heap[child], &s))
            break;
        heap[i] = heap[child];
        i = child;
    }
    heap[i] = s;
}

static bool push(merger *m, stream s)
{
    size_t i = m->n;

    if (!grow(&m->heap, &m->cap, m->n + 1, sizeof *m->heap))
        return false;
    m->n++;
    for (; i > 0 && before(&s, &m->heap[(i - 1) / 2]); i = (i - 1) / 2)
        m->heap[i] = m->heap[(i - 1) / 2];
    m->heap[i] = s;
    return true;
}

static bool push_group(merger *m, uint64_t group)
{
    for (uint64_t copy = group * GROUP_COPIES; copy < (group + 1) * GROUP_COPIES; copy++)
        for (size_t i = 0; i < m->c->n_sources; i++) {
            uint64_t key = mix(m->seed ^ mix(copy << 32 | i));
            stream s = {.time_ns = START_NS + group * GROUP_NS + mix(key) % GROUP_NS,
                        .key = key,
                        .source = (uint32_t)i,
                        .copy = (uint32_t)copy,
                        .next = m->c->sources[i].first};
            bool wanted =
                copy < m->copies || (copy == m->copies && m->last && m->c->sources[i].in_last);
            if (wanted && !push(m, s))
                return false;
        }
    return true;
}

/* Writes the packet of the first stream, and moves the stream on. */
static wsp_status step(merger *m, wsp_pcap_writer *w, uint8_t *scratch, wsp_error *err)
{
    stream s = m->heap[0];
    const source *of = &m->c->sources[s.source];
    const packet *p = &m->c->packets[s.next++];
    wsp_frame f = {
        .time_ns = s.time_ns, .caplen = p->caplen, .wirelen = p->wirelen, .data = scratch};

    memcpy(scratch, m->c->data + p->at, p->caplen);
    rewrite(scratch, p, s.key);
    m->packets++;
    m->bytes += p->caplen;
    m->end_ns = s.time_ns;
    if (s.next < of->first + of->n)
        s.time_ns += m->c->packets[s.next].after_ns;
    else
        s = m->heap[--m->n];
    if (m->n)
        sift_down(m->heap, m->n, 0, s);
    return wsp_pcap_writer_add(w, &f, err);
}

static wsp_status merge(merger *m, wsp_pcap_writer *w, wsp_error *err)
{
    static uint8_t scratch[MAX_LEN];
    uint64_t group = 0, groups = (m->copies + m->last + GROUP_COPIES - 1) / GROUP_COPIES;
    wsp_status st = WSP_OK;

    while (st == WSP_OK && (m->n || group < groups)) {
        if (group < groups && (!m->n || m->heap[0].time_ns >= START_NS + group * GROUP_NS)) {
            if (!push_group(m, group++)) {
                (void)snprintf(err->text, sizeof err->text, "no memory for %zu streams", m->n);
                st = WSP_ERR_NOMEM;
            }
        } else {
            st = step(m, w, scratch, err);
        }
    }
    return st;
}

/* ---- the program ---- */

static int by_order(const void *a, const void *b)
{
    const source *const *x = a, *const *y = b;
    return (*x)->order < (*y)->order ? -1 : (*x)->order > (*y)->order;
}

/* Sources until `rest` bytes are together, for the last copy. */
static bool choose_last(corpus *c, uint64_t seed, uint64_t rest)
{
    source **sorted = malloc((c->n_sources + 1) * sizeof *sorted);

    if (!sorted)
        return false;
    for (size_t i = 0; i < c->n_sources; i++) {
        c->sources[i].order = mix(seed ^ mix(i));
        sorted[i] = &c->sources[i];
    }
    qsort(sorted, c->n_sources, sizeof(source *), by_order);
    for (size_t i = 0; i < c->n_sources && rest; i++) {
        sorted[i]->in_last = true;
        rest -= sorted[i]->bytes < rest ? sorted[i]->bytes : rest;
    }
    free(sorted);
    return true;
}

/* 400M -> bytes; 8x -> copies. false: neither. */
static bool parse_size(const char *text, uint64_t *n, bool *is_copies)
{
    static const struct {
        const char *suffix;
        uint64_t unit;
    } units[] = {{"", 1}, {"x", 1}, {"k", 1000}, {"M", 1000000}, {"G", 1000000000}};
    char *end;

    *n = strtoull(text, &end, 10);
    for (size_t i = 0; i < sizeof units / sizeof units[0]; i++)
        if (end != text && strcmp(end, units[i].suffix) == 0) {
            *is_copies = units[i].suffix[0] == 'x';
            *n *= units[i].unit;
            return *n > 0;
        }
    return false;
}

static int fail(const char *what)
{
    (void)fprintf(stderr, "replicate: %s\n", what);
    return 1;
}

static void summary(const corpus *c, const merger *m)
{
    (void)fprintf(
        stderr,
        "replicate: %zu captures of %zu packets (left out: %zu of other link types, %zu bad "
        "ones, %zu packets too short or too long), %" PRIu64 "%s copies: %" PRIu64
        " packets, %.1f MB, %.0f s\n",
        c->n_sources, c->n_packets, c->other_link, c->bad, c->unusable, m->copies,
        m->last ? " and a part" : "", m->packets, (double)m->bytes / 1e6,
        (double)(m->end_ns - START_NS) / 1e9);
}

int main(int argc, char **argv)
{
    wsp_error err = {.text = ""};
    corpus c = {.len = 0};
    merger m = {.c = &c};
    wsp_pcap_writer *w;
    bool is_copies;
    uint64_t size;

    if (argc < 5 || !parse_size(argv[2], &size, &is_copies)) {
        (void)fputs(usage, stderr);
        return 2;
    }
    m.seed = mix(strtoull(argv[3], NULL, 10));
    if (read_all(&c, (const char *const *)(argv + 4), (size_t)(argc - 4), &err) < 0)
        return fail(err.text);
    if (c.n_sources == 0)
        return fail("no Ethernet packets in these captures");
    m.copies = is_copies ? size : size / c.bytes;
    m.last = !is_copies && size % c.bytes > 0;
    if (m.copies >= UINT32_MAX || (m.last && !choose_last(&c, m.seed, size % c.bytes)))
        return fail("too many copies");
    if (wsp_pcap_writer_open(&w, argv[1], ETHERNET, &err) < 0)
        return fail(err.text);
    if (merge(&m, w, &err) < 0) {
        wsp_pcap_writer_discard(w);
        return fail(err.text);
    }
    if (wsp_pcap_writer_close(w, &err) < 0)
        return fail(err.text);
    summary(&c, &m);
    free(m.heap);
    free(c.data);
    free(c.packets);
    free(c.sources);
    return 0;
}
