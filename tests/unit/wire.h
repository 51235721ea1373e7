/* SPDX-License-Identifier: Apache-2.0 */
/*
 * wire.h: for tests of application protocols: a flow whose packets are coded, decoded and compared, with their tokens;
 * messages whole, cut and damaged; samples.
 */
#ifndef WSPI_TEST_WIRE_H
#define WSPI_TEST_WIRE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <stdio.h>

#include "token/app/app.h"

enum { HEADERS_TCP = 54, HEADERS_UDP = 42, ROOM = 2048 };

/* One flow: both sides, and what the last packet's tokens are called. */
typedef struct wire {
    wsp_context *enc, *dec;
    wsp_packet *packet;
    wsp_decoder *decoder;
    uint64_t number;
    uint32_t seq[2];
    uint16_t port; /* of the server; 0: 12345 */
    bool
        exact; /* fields of a sampled message are those that were drawn, when they are read again */
    bool same; /* of the last sample: was the protocol read again as it was drawn? */
    char names[16384]; /* " name name ... " */
    char drawn[16384]; /* of a sample: as they were drawn */
} wire;

static inline void wire_open(wire *w)
{
    memset(w, 0, sizeof *w);
    w->enc = wspi_new_array(1, wsp_context_size());
    w->dec = wspi_new_array(1, wsp_context_size());
    assert_non_null(w->enc);
    assert_non_null(w->dec);
    assert_int_equal(wsp_packet_new(&w->packet), WSP_OK);
    assert_int_equal(wsp_decoder_new(&w->decoder), WSP_OK);
    wsp_context_init(w->enc, 1);
    wsp_context_init(w->dec, 1);
}

static inline void wire_again(wire *w)
{
    wsp_context_init(w->enc, 1);
    wsp_context_init(w->dec, 1);
    w->number = w->seq[0] = w->seq[1] = 0;
}

static inline void wire_close(wire *w)
{
    free(w->enc);
    free(w->dec);
    wsp_packet_free(w->packet);
    wsp_decoder_free(w->decoder);
}

static inline void write_names(char *names, size_t size, const uint16_t *ids, size_t n)
{
    size_t at = 1;
    char name[128];

    names[0] = ' ';
    names[1] = 0;
    for (size_t i = 0; i < n; i++) {
        const char *s = wsp_vocab_name(ids[i], name, sizeof name);
        assert_true(at + strlen(s) + 2 < size);
        at += (size_t)snprintf(names + at, size - at, "%s ", s);
    }
}

static inline void keep_names(wire *w, const uint16_t *ids, size_t n)
{
    write_names(w->names, sizeof w->names, ids, n);
}

static inline void assert_named(const wire *w, const char *name)
{
    char s[160];

    (void)snprintf(s, sizeof s, " %s ", name);
    if (!strstr(w->names, s))
        print_message("no '%s' in:%s\n", name, w->names);
    assert_non_null(strstr(w->names, s));
}

static inline void carry(wire *w, const uint8_t *b, uint32_t caplen, uint32_t wirelen, int dir)
{
    wsp_frame f = {.time_ns = w->number, .caplen = caplen, .wirelen = wirelen, .data = b};
    uint16_t ids[WSP_MAX_PACKET_TOKENS];
    wsp_residual *r;
    wsp_decoded out;
    size_t n, used, len;
    const uint8_t *at, *end;

    assert_int_equal(wsp_residual_new(&r), WSP_OK);
    wsp_packet_dissect(w->packet, 1, &f);
    assert_int_equal(wsp_encode_packet(w->enc, w->packet, dir, w->number, ids, &n, r), WSP_OK);
    keep_names(w, ids, n);
    at = wsp_residual_data(r, &len);
    end = at + len;
    assert_int_equal(wsp_decode_packet(w->decoder, w->dec, ids, n, &used, &at, end, &out, NULL),
                     WSP_OK);
    assert_int_equal(used, n);
    assert_ptr_equal(at, end);
    assert_int_equal(out.frame.caplen, caplen);
    assert_int_equal(out.frame.wirelen, wirelen);
    if (caplen)
        assert_memory_equal(out.frame.data, b, caplen);
    assert_memory_equal(w->enc, w->dec, wsp_context_size());
    wsp_residual_free(r);
    w->number++;
}

static inline void put16(uint8_t *b, size_t v)
{
    b[0] = (uint8_t)(v >> 8);
    b[1] = (uint8_t)v;
}

/* Ethernet and IPv4 headers of a packet with n bytes behind them. */
static inline void put_headers(uint8_t *b, size_t n, uint8_t protocol, int dir)
{
    static const uint8_t mac[2][6] = {{2, 0, 0, 0, 0, 1}, {2, 0, 0, 0, 0, 2}};

    memset(b, 0, HEADERS_TCP);
    memcpy(b, mac[!dir], 6);
    memcpy(b + 6, mac[dir], 6);
    put16(b + 12, 0x0800);
    b[14] = 0x45;
    put16(b + 16, 20 + n);
    b[22] = 64;
    b[23] = protocol;
    b[26] = b[30] = 10;
    b[29] = (uint8_t)(1 + dir);
    b[33] = (uint8_t)(2 - dir);
}

static inline void put_ports(const wire *w, uint8_t *b, int dir)
{
    put16(b + (dir ? 34 : 36), w->port ? w->port : 12345);
    put16(b + (dir ? 36 : 34), 50000);
}

/* A segment of n bytes, `captured` of them captured. */
static inline void segment(wire *w, const char *s, size_t n, size_t captured, int dir, bool tell)
{
    uint8_t b[ROOM];

    assert_true(HEADERS_TCP + n <= sizeof b);
    put_headers(b, 20 + n, 6, dir);
    put_ports(w, b, dir);
    put16(b + 38, w->seq[dir] >> 16);
    put16(b + 40, w->seq[dir]);
    put16(b + 42, w->seq[!dir] >> 16);
    put16(b + 44, w->seq[!dir]);
    put16(b + 46, 0x5018);
    put16(b + 48, 0xfaf0);
    memcpy(b + HEADERS_TCP, s, n);
    carry(w, b, (uint32_t)(HEADERS_TCP + (tell ? captured : n)), (uint32_t)(HEADERS_TCP + n), dir);
    w->seq[dir] += (uint32_t)n;
}

/* A datagram of n bytes, `captured` of them captured. */
static inline void datagram_of(wire *w, const char *s, size_t n, size_t captured, int dir)
{
    uint8_t b[ROOM];

    assert_true(HEADERS_UDP + n <= sizeof b);
    put_headers(b, 8 + n, 17, dir);
    put_ports(w, b, dir);
    put16(b + 38, 8 + n);
    put16(b + 40, 0);
    memcpy(b + HEADERS_UDP, s, n);
    carry(w, b, (uint32_t)(HEADERS_UDP + captured), (uint32_t)(HEADERS_UDP + n), dir);
}

/* ---- recorded messages ---- */

typedef struct wire_message {
    const char *bytes;
    size_t len;
    bool datagram;
    int dir;
    const char *names[8]; /* of tokens that must be there */
} wire_message;

#define BYTES(s) s, sizeof(s) - 1

static inline void put_message(wire *w, const wire_message *s, const char *bytes, size_t captured)
{
    if (s->datagram)
        datagram_of(w, bytes, s->len, captured, s->dir);
    else
        segment(w, bytes, s->len, captured, s->dir, true);
}

/* The flow of all messages has the tokens that it must; each comes back whole, cut at every byte, with every bit changed. */
static inline void all_come_back_at(uint16_t port, const wire_message *all, size_t n)
{
    char damaged[1024];
    wire w;

    wire_open(&w);
    w.port = port;
    for (size_t i = 0; i < n; i++) {
        put_message(&w, &all[i], all[i].bytes, all[i].len);
        for (size_t k = 0; k < WSPI_COUNT(all[i].names) && all[i].names[k]; k++)
            assert_named(&w, all[i].names[k]);
    }
    for (size_t i = 0; i < n; i++) /* every message cut at every byte, in the flow's middle */
        for (size_t cut = 0; cut <= all[i].len; cut++) {
            wire_again(&w);
            for (size_t k = 0; k < i; k++)
                put_message(&w, &all[k], all[k].bytes, all[k].len);
            put_message(&w, &all[i], all[i].bytes, cut);
            put_message(&w, &all[n - 1], all[n - 1].bytes, all[n - 1].len);
        }
    for (size_t i = 0; i < n; i++) /* and with every byte changed */
        for (size_t at = 0; at < all[i].len; at++)
            for (unsigned bit = 0; bit < 8; bit++) {
                wire_again(&w);
                memcpy(damaged, all[i].bytes, all[i].len);
                damaged[at] = (char)(damaged[at] ^ (1 << bit));
                for (size_t k = 0; k < i; k++)
                    put_message(&w, &all[k], all[k].bytes, all[k].len);
                put_message(&w, &all[i], damaged, all[i].len);
            }
    wire_close(&w);
}

static inline void all_come_back(const wire_message *all, size_t n)
{
    all_come_back_at(0, all, n);
}

/* Without the tokens of ports. */
static inline void forget_ports(wire *w)
{
    char *word;

    while ((word = strstr(w->names, "port=")) != NULL) {
        char *end = strchr(word, ' ');
        while (*word != ' ')
            word--;
        memmove(word, end, strlen(end) + 1);
    }
}

/* What is recorded is told in the same way on every port: ports would be in the tokens, else. */
static inline void assert_no_port_told(uint16_t port, const wire_message *all, size_t n)
{
    wire w, other;

    wire_open(&w);
    wire_open(&other);
    w.port = port;
    other.port = 40000;
    for (size_t k = 0; k < n; k++) {
        put_message(&w, &all[k], all[k].bytes, all[k].len);
        put_message(&other, &all[k], all[k].bytes, all[k].len);
        forget_ports(&w);
        forget_ports(&other);
        assert_string_equal(w.names, other.names);
    }
    wire_close(&w);
    wire_close(&other);
}

/* The tokens are the same when n bytes at `at` of the message have other values. */
static inline void assert_hidden(const wire_message *m, size_t at, size_t n)
{
    char other[512], first[sizeof((wire *)0)->names];
    wire w;

    assert_true(m->len <= sizeof other && at + n <= m->len);
    wire_open(&w);
    memcpy(other, m->bytes, m->len);
    put_message(&w, m, other, m->len);
    memcpy(first, w.names, sizeof first);
    for (size_t i = 0; i < n; i++)
        other[at + i] = (char)(other[at + i] ^ 0x15);
    wire_again(&w);
    put_message(&w, m, other, m->len);
    assert_string_equal(w.names, first);
    wire_close(&w);
}

/* The application protocol that a datagram of a new flow is taken for. */
static inline uint8_t app_of_datagram(const char *bytes, size_t n)
{
    wire_message m = {bytes, n, true, 0, {0}};
    uint8_t app;
    wire w;

    wire_open(&w);
    put_message(&w, &m, bytes, n);
    app = w.enc->app.id[0];
    wire_close(&w);
    return app;
}

/* ---- samples ---- */

static inline bool is_one_of(const char *s, const char *const *names)
{
    while (*names && strcmp(s, *names) != 0)
        names++;
    return *names != NULL;
}

/* The name of a token; all are made once, since every draw looks at those of all legal tokens. */
static inline const char *token_name(uint16_t id)
{
    static char all[WSPI_VOCAB_MAX][96];

    if (!*all[0])
        for (unsigned i = 0; i < wsp_vocab_size(); i++) {
            char name[128];
            (void)snprintf(all[i], sizeof all[i], "%s",
                           wsp_vocab_name((uint16_t)i, name, sizeof name));
        }
    return all[id];
}

/* The first legal token from `i` on, or n where there is none: few are legal, so eight are looked at at once. */
static inline size_t next_legal(const uint8_t *legal, size_t i, size_t n)
{
    uint64_t eight;

    for (; i + sizeof eight <= n; i += sizeof eight) {
        memcpy(&eight, legal + i, sizeof eight);
        if (eight)
            break;
    }
    while (i < n && !legal[i])
        i++;
    return i;
}

/* Takes a legal token at random, one of the wanted names where it is legal. */
static inline uint16_t choose(const uint8_t *legal, const char *const *wanted, wspi_rng *r)
{
    uint16_t choices[WSPI_VOCAB_MAX];
    size_t m = 0, n = wsp_vocab_size();

    for (size_t i = next_legal(legal, 0, n); i < n; i = next_legal(legal, i + 1, n)) {
        if (is_one_of(token_name((uint16_t)i), wanted))
            return (uint16_t)i;
        choices[m++] = (uint16_t)i;
    }
    assert_true(m > 0);
    return choices[wspi_rng_below(r, m)];
}

static inline uint16_t token_of(const char *name)
{
    for (unsigned i = 0; i < wsp_vocab_size(); i++)
        if (strcmp(token_name((uint16_t)i), name) == 0)
            return (uint16_t)i;
    fail_msg("no token %s", name);
    return 0;
}

/* Groups do not answer. */
static inline void to_a_host(uint8_t *legal)
{
    static const char *const groups[] = {"eth.dst=multicast", "eth.dst=broadcast",
                                         "ipv4.dst=multicast", "ipv4.dst=broadcast",
                                         "ipv6.dst=multicast"};
    static uint16_t id[sizeof groups / sizeof groups[0]];

    for (size_t i = 0; i < sizeof groups / sizeof groups[0]; i++) {
        if (!id[i])
            id[i] = token_of(groups[i]);
        legal[id[i]] = 0;
    }
}

/* How a packet is drawn: a wanted token where it is legal, else any, or what `pick` says, which may count in `at`. */
typedef struct wishes {
    const char *const *wanted; /* ends with NULL */
    wspi_rng *r;
    uint16_t (*pick)(struct wishes *how, uint8_t *legal);
    size_t at;
} wishes;

/* Draws a packet of the flow, whose bytes are lent until the next one; returns the number of its tokens. */
static inline size_t wire_draw(wire *w, const wsp_filler *fill, wishes *how,
                               uint16_t ids[WSP_MAX_PACKET_TOKENS], wsp_decoded *out)
{
    uint8_t *legal = wspi_new_array(wsp_vocab_size(), 1);
    bool done = false;
    size_t n = 0;

    assert_non_null(legal);
    for (;;) {
        assert_int_equal(
            wsp_grammar_next(w->decoder, w->dec, ids, n, fill, false, legal, &done, NULL), WSP_OK);
        if (done)
            break;
        assert_true(n < WSP_MAX_PACKET_TOKENS);
        ids[n++] = how->pick ? how->pick(how, legal) : choose(legal, how->wanted, how->r);
    }
    free(legal);
    assert_int_equal(wsp_grammar_build(w->decoder, w->dec, ids, n, fill, out, NULL), WSP_OK);
    return n;
}

static inline uint16_t pick_to_a_host(wishes *how, uint8_t *legal)
{
    to_a_host(legal);
    return choose(legal, how->wanted, how->r);
}

/* May a packet that begins with these n tokens go on with this one? */
static inline bool may_go_on(wire *w, const wsp_filler *fill, const uint16_t *ids, size_t n,
                             uint16_t id)
{
    uint8_t *legal = wspi_new_array(wsp_vocab_size(), 1);
    bool done = false, may;

    assert_non_null(legal);
    assert_int_equal(wsp_grammar_next(w->decoder, w->dec, ids, n, fill, false, legal, &done, NULL),
                     WSP_OK);
    may = !done && legal[id];
    free(legal);
    return may;
}

/* Bytes of a name of DNS that has no pointer. */
static inline size_t qname_len(const uint8_t *b)
{
    size_t n = 0;

    while (b[n])
        n += b[n] + 1u;
    return n + 1;
}

/* The tokens of a protocol's fields in one list are those in another. */
static inline void assert_same_fields(const uint16_t *a, size_t n, const uint16_t *b, size_t m,
                                      uint8_t app)
{
    size_t i = 0, k = 0, f;
    uint8_t layer;

    for (;;) {
        while (i < n && !(wspi_token_field(a[i], &layer, &f) && layer == app))
            i++;
        while (k < m && !(wspi_token_field(b[k], &layer, &f) && layer == app))
            k++;
        if (i == n || k == m)
            break;
        assert_string_equal(token_name(a[i++]), token_name(b[k++]));
    }
    assert_int_equal(n - i, 0);
    assert_int_equal(m - k, 0);
}

/* Where the tokens of an application protocol begin. */
static inline size_t app_from(const uint16_t *ids, size_t n)
{
    uint8_t layer;
    size_t k = 0, f;

    while (k < n && !wspi_in_group(ids[k], WSPI_T_APP) &&
           !(wspi_token_field(ids[k], &layer, &f) && layer >= WSPI_LAYER_COUNT))
        k++;
    return k;
}

static inline bool same_app(const uint16_t *a, size_t na, const uint16_t *b, size_t nb)
{
    size_t from = app_from(a, na), at = app_from(b, nb);

    return na - from == nb - at && memcmp(a + from, b + at, (na - from) * sizeof *a) == 0;
}

/* A sampled packet of the flow is of the protocol (0: of none) when it is read again. */
static inline void sample_by(wire *w, const wsp_filler *fill, wishes *how, int dir, uint8_t app)
{
    uint16_t ids[WSP_MAX_PACKET_TOKENS], seen[WSP_MAX_PACKET_TOKENS];
    wsp_residual *resid;
    wsp_decoded out;
    size_t n = wire_draw(w, fill, how, ids, &out), m;

    write_names(w->drawn, sizeof w->drawn, ids, n);
    assert_int_equal(out.dir, dir);
    wsp_packet_dissect(w->packet, 1, &out.frame);
    assert_int_equal(wsp_residual_new(&resid), WSP_OK);
    assert_int_equal(wsp_encode_packet(w->enc, w->packet, dir, w->number++, seen, &m, resid),
                     WSP_OK);
    w->same = same_app(ids, n, seen, m);
    keep_names(w, seen, m);
    assert_int_equal(w->enc->app.id[dir], app);
    if (w->exact)
        assert_same_fields(ids, n, seen, m, app);
    wsp_residual_free(resid);
}

static inline void sample(wire *w, const wsp_filler *fill, const char *const *wanted, int dir,
                          uint8_t app, wspi_rng *r)
{
    sample_by(w, fill, &(wishes){wanted, r, pick_to_a_host, 0}, dir, app);
}

/* Those of the wanted tokens that were drawn are there when the sample is read again; text may be in other tokens. */
static inline void assert_seen_as_drawn(const wire *w, const char *const *wanted, size_t n)
{
    char s[160];

    for (size_t k = 0; k < n && wanted[k]; k++) {
        (void)snprintf(s, sizeof s, " %s ", wanted[k]);
        if (strncmp(wanted[k], "text=", 5) != 0 && strstr(w->drawn, s))
            assert_named(w, wanted[k]);
    }
}

/* May this side speak next? */
static inline bool may_speak(wire *w, const wsp_filler *fill, size_t dir)
{
    uint8_t *legal = wspi_new_array(wsp_vocab_size(), 1);
    bool done, any = false;

    assert_non_null(legal);
    assert_int_equal(wsp_grammar_next(w->decoder, w->dec, NULL, 0, fill, false, legal, &done, NULL),
                     WSP_OK);
    for (unsigned i = 0; i < WSPI_STARTS; i++)
        any |= legal[wspi_group_base(WSPI_T_START) + dir * WSPI_STARTS + i];
    free(legal);
    return any;
}

static inline wsp_filler filler_of(uint64_t flow)
{
    return (wsp_filler){.seed = flow,
                        .start_ns = 1,
                        .client.mac = {2, 1},
                        .server.mac = {2, 2},
                        .client.ip = {10, 0, 0, 1},
                        .server.ip = {10, 0, 0, 2},
                        .client_port = (uint16_t)(50000 + flow)};
}

/* Samples of a question and its answer may have these tokens (NULL: any), and do when they are read again. */
static inline void sample_has(const char *const *asks_for, const char *const *answers_with,
                              uint8_t app, const char *asked, const char *answered)
{
    wspi_rng r;
    wire w;

    wspi_rng_seed(&r, 13);
    wire_open(&w);
    for (uint64_t flow = 0; flow < 10; flow++) {
        wsp_filler fill = filler_of(flow);
        wire_again(&w);
        sample(&w, &fill, asks_for, 0, app, &r);
        if (asked)
            assert_named(&w, asked);
        sample(&w, &fill, answers_with, 1, app, &r);
        if (answered)
            assert_named(&w, answered);
    }
    wire_close(&w);
}

/* Flows of questions and answers by turns, whose fields are read as they were drawn, each packet looked at. */
static inline void sample_exact(size_t flows, int turns, const char *const *asks_for,
                                const char *const *answers_with, uint8_t app,
                                void (*check)(const wire *w, int dir))
{
    wspi_rng r;
    wire w;

    wspi_rng_seed(&r, 15);
    wire_open(&w);
    w.exact = true;
    for (uint64_t flow = 0; flow < flows; flow++) {
        wsp_filler fill = filler_of(flow);
        wire_again(&w);
        for (int k = 0; k < turns; k++) {
            sample(&w, &fill, k % 2 ? answers_with : asks_for, k % 2, app, &r);
            check(&w, k % 2);
        }
    }
    wire_close(&w);
}

/* Flows of up to three questions with their answers, each packet of `app` when it is read again. */
static inline void sample_flows(const char *const *asks_for, const char *const *answers_with,
                                uint8_t app)
{
    wspi_rng r;
    wire w;

    wspi_rng_seed(&r, 12);
    wire_open(&w);
    for (uint64_t flow = 0; flow < 60; flow++) {
        wsp_filler fill = filler_of(flow);
        wire_again(&w);
        for (int k = 0; k < 3 && may_speak(&w, &fill, 0); k++) {
            sample(&w, &fill, asks_for, 0, app, &r);
            while (may_speak(&w, &fill, 1)) {
                sample(&w, &fill, answers_with, 1, app, &r);
                if (may_speak(&w, &fill, 0))
                    break;
            }
        }
    }
    wire_close(&w);
}

#endif
