/* SPDX-License-Identifier: Apache-2.0 */
/* test_deviate.c: deviations: nothing else changes, the log tells the truth, a seed gives the same again. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <stdio.h>

#include "generate/deviate_int.h"

enum { MOST = 4096 };

/* What went in or came out of one capture. */
typedef struct run {
    size_t n, n_logs, n_in;
    wspi_buf bytes[MOST];
    uint32_t wirelen[MOST];
    wsp_deviation log[MOST];
    int linktype;
} run;

static wsp_status take(void *arg, const wsp_frame *f, uint64_t flow, int dir, wsp_error *err)
{
    run *r = arg;

    (void)flow, (void)err;
    assert_in_range(dir, 0, 1);
    assert_true(r->n < MOST);
    assert_true(f->wirelen >= f->caplen);
    wspi_buf_init(&r->bytes[r->n], SIZE_MAX / 2);
    r->wirelen[r->n] = f->wirelen;
    return wspi_buf_add(&r->bytes[r->n++], f->data, f->caplen);
}

static wsp_status note(void *arg, const wsp_deviation *d, wsp_error *err)
{
    run *r = arg;

    (void)err;
    assert_int_equal(d->packet, r->n + 1);
    r->log[r->n_logs++] = *d;
    return WSP_OK;
}

static void clear(run *r)
{
    for (size_t i = 0; i < r->n; i++)
        wspi_buf_clear(&r->bytes[i]);
    free(r);
}

/* The captures of tests/data that are whole. */
static const char *const captures[] = {"dns.pcap", "tls.pcap", "ssh.pcap", "smb.pcap"};

/* Every rare-th packet comes with a deviation; 0: none does. */
static run *deviate_some(const char *capture, const char *what, uint64_t seed, size_t rare)
{
    const wsp_deviation has = {.packet = 99999, .kind = WSP_DEVIATE_RARE, .field = "ipv4.ttl"};
    run *r = wspi_new_array(1, sizeof *r);
    wsp_deviate_options opt = {.seed = seed, .packet = take, .log = note, .arg = r};
    char path[512];
    const char *paths[] = {path};
    wsp_deviator *d = NULL;
    wsp_capture_info info;
    wsp_error err = {.status = WSP_OK};
    wsp_input *in;
    wsp_frame f;

    assert_non_null(r);
    (void)snprintf(path, sizeof path, "%s/tests/data/%s", getenv("srcdir") ? getenv("srcdir") : ".",
                   capture);
    assert_int_equal(wsp_input_new(&in, paths, 1, NULL, &err), WSP_OK);
    assert_int_equal(wsp_input_open_next(in, &info, &err), WSP_OK);
    r->linktype = opt.linktype = info.linktype;
    assert_int_equal(wsp_deviate_parse(what, &opt.rate, &opt.kinds), WSP_OK);
    assert_int_equal(wsp_deviator_new(&d, &opt), WSP_OK);
    while (wsp_input_next(in, &f, &err) == WSP_OK) {
        r->n_in++;
        assert_int_equal(wsp_deviator_add(d, &f, rare && r->n_in % rare == 0 ? &has : NULL, &err),
                         WSP_OK);
    }
    assert_int_equal(wsp_deviator_finish(d, &err), WSP_OK);
    wsp_deviator_free(d);
    wsp_input_free(in);
    assert_true(r->n_in > 0);
    return r;
}

static run *deviate(const char *capture, const char *what, uint64_t seed)
{
    return deviate_some(capture, what, seed, 0);
}

static bool same(const run *a, size_t i, const run *b, size_t k)
{
    return a->bytes[i].len == b->bytes[k].len && a->wirelen[i] == b->wirelen[k] &&
           memcmp(a->bytes[i].data, b->bytes[k].data, a->bytes[i].len) == 0;
}

static void rates_and_kinds_are_read(void **state)
{
    unsigned kinds;
    double rate;

    (void)state;
    assert_int_equal(wsp_deviate_parse("0.25", &rate, &kinds), WSP_OK);
    assert_true(rate > 0.24 && rate < 0.26);
    assert_int_equal(kinds, (1u << WSP_DEVIATIONS) - 1);
    assert_int_equal(wsp_deviate_parse("1:checksum,options", &rate, &kinds), WSP_OK);
    assert_int_equal(kinds, 1u << WSP_DEVIATE_CHECKSUM | 1u << WSP_DEVIATE_OPTIONS);
    assert_int_equal(wsp_deviate_parse("0.1:", &rate, &kinds), WSP_ERR_ARG);
    assert_int_equal(wsp_deviate_parse("0.1:check", &rate, &kinds), WSP_ERR_ARG);
    assert_int_equal(wsp_deviate_parse("0.1:value,", &rate, &kinds), WSP_ERR_ARG);
    assert_int_equal(wsp_deviate_parse("2", &rate, &kinds), WSP_ERR_ARG);
    assert_int_equal(wsp_deviate_parse("nan", &rate, &kinds), WSP_ERR_ARG);
    assert_int_equal(wsp_deviate_parse("value", &rate, &kinds), WSP_ERR_ARG);
}

static void rare_packets_have_an_even_share_of_the_kinds(void **state)
{
    unsigned kinds;
    double rate;

    (void)state;
    assert_int_equal(wsp_deviate_parse("0.4", &rate, &kinds), WSP_OK);
    assert_float_equal(wsp_deviate_rare(rate, kinds), 0.05, 1e-9);
    assert_int_equal(wsp_deviate_parse("0.4:rare", &rate, &kinds), WSP_OK);
    assert_int_equal(kinds, 1u << WSP_DEVIATE_RARE);
    assert_float_equal(wsp_deviate_rare(rate, kinds), 0.4, 1e-9);
    assert_int_equal(wsp_deviate_parse("0.4:value", &rate, &kinds), WSP_OK);
    assert_float_equal(wsp_deviate_rare(rate, kinds), 0, 1e-9);
}

static void a_seed_gives_the_same_again(void **state)
{
    run *a = deviate("dns.pcap", "0.5", 7), *b = deviate("dns.pcap", "0.5", 7),
        *c = deviate("dns.pcap", "0.5", 8);
    bool differ = a->n != c->n;

    (void)state;
    assert_int_equal(a->n, b->n);
    assert_int_equal(a->n_logs, b->n_logs);
    for (size_t i = 0; i < a->n; i++)
        assert_true(same(a, i, b, i));
    for (size_t i = 0; i < a->n && i < c->n; i++)
        differ = differ || !same(a, i, c, i);
    assert_true(differ);
    clear(a);
    clear(b);
    clear(c);
}

/* Kinds that leave the number of packets and the lengths of streams as they are. */
static void what_is_not_logged_is_unchanged(void **state)
{
    (void)state;
    for (size_t i = 0; i < WSPI_COUNT(captures); i++) {
        run *plain = deviate(captures[i], "0", 1),
            *some = deviate(captures[i], "0.3:value,checksum,length", 1);
        size_t k = 0, changed = 0;

        assert_int_equal(plain->n, plain->n_in);
        assert_int_equal(plain->n_logs, 0);
        assert_int_equal(some->n, plain->n);
        for (size_t p = 0; p < some->n; p++) {
            bool logged = k < some->n_logs && some->log[k].packet == p + 1;
            assert_int_equal(same(some, p, plain, p), !logged);
            k += logged;
            changed += logged;
        }
        assert_int_equal(k, some->n_logs);
        assert_true(changed > 0 && changed < some->n);
        clear(plain);
        clear(some);
    }
}

/* Packets of other flows come out between, so that the numbers of the log are not those that came in. */
static void packets_that_deviate_already_are_logged_and_left_as_they_are(void **state)
{
    (void)state;
    for (size_t i = 0; i < WSPI_COUNT(captures); i++) {
        run *plain = deviate(captures[i], "0", 1),
            *r = deviate_some(captures[i], "1:order,rare", 1, 3);
        size_t rare = 0, others = 0;

        for (size_t k = 0; k < r->n_logs; k++) {
            others += r->log[k].kind != WSP_DEVIATE_RARE;
            if (r->log[k].kind != WSP_DEVIATE_RARE)
                continue;
            assert_string_equal(r->log[k].field, "ipv4.ttl");
            assert_true(same(r, r->log[k].packet - 1, plain, 3 * ++rare - 1));
        }
        assert_int_equal(rare, plain->n / 3);
        assert_true(others > 0);
        clear(plain);
        clear(r);
    }
}

/* The deviator's part and the rare packets make up the rate. */
static void a_rate_is_shared_with_rare_packets(void **state)
{
    size_t in = 0, logs = 0;

    (void)state;
    for (size_t i = 0; i < WSPI_COUNT(captures); i++) {
        run *all = deviate_some(captures[i], "1:value,rare", 1, 2),
            *half = deviate(captures[i], "0.5:value,rare", 1);

        assert_int_equal(all->n_logs, all->n_in);
        in += half->n_in;
        logs += half->n_logs;
        clear(all);
        clear(half);
    }
    assert_in_range(in, 90, 10000);
    assert_in_range(logs, in * 23 / 100, in * 43 / 100); /* a third of those that are not rare */
}

/* The field that the log names has the value that it says, as the dissector reads it. */
static bool has(const run *r, const wsp_deviation *d, wsp_packet *p, bool *right)
{
    const wspi_buf *b = &r->bytes[d->packet - 1];
    wsp_frame f = {
        .caplen = (uint32_t)b->len, .wirelen = r->wirelen[d->packet - 1], .data = b->data};
    char value[32];

    wsp_packet_dissect(p, r->linktype, &f);
    for (size_t i = 0; i < p->n_layers; i++)
        for (size_t k = 0; k < wspi_protos[p->layers[i].id]->n_fields; k++) {
            if (strcmp(wspi_protos[p->layers[i].id]->fields[k].name, d->field) != 0)
                continue;
            (void)snprintf(value, sizeof value, "%llu", (unsigned long long)p->layers[i].v[k]);
            *right = p->layers[i].autos >> k & 1;
            if (strcmp(value, d->to) == 0)
                return true;
        }
    return false;
}

/* Of a message of SMB2 in the packet, as it has it. */
static unsigned command_of(const wspi_buf *b)
{
    for (size_t i = 0; i + 14 <= b->len; i++)
        if (memcmp(b->data + i, "\xfeSMB", 4) == 0)
            return b->data[i + 12] | (unsigned)b->data[i + 13] << 8;
    return UINT32_MAX;
}

static void numbers_have_the_byte_order_of_their_protocol(void **state)
{
    run *plain = deviate("smb.pcap", "0", 1);
    size_t found = 0;

    (void)state;
    for (uint64_t seed = 1; seed < 30; seed++) {
        run *r = deviate("smb.pcap", "1:value", seed);
        for (size_t k = 0; k < r->n_logs; k++) {
            size_t at = (size_t)r->log[k].packet - 1;
            char from[16], to[16];
            if (strcmp(r->log[k].field, "smb.command") != 0)
                continue;
            (void)snprintf(from, sizeof from, "%u", command_of(&plain->bytes[at]));
            (void)snprintf(to, sizeof to, "%u", command_of(&r->bytes[at]));
            assert_string_equal(r->log[k].from, from);
            assert_string_equal(r->log[k].to, to);
            found++;
        }
        clear(r);
    }
    assert_true(found > 10);
    clear(plain);
}

static void wrong_checksums_are_as_logged_and_the_only_thing_wrong(void **state)
{
    wsp_packet *p;
    bool right = true;

    (void)state;
    assert_int_equal(wsp_packet_new(&p), WSP_OK);
    for (size_t i = 0; i < WSPI_COUNT(captures); i++) {
        run *r = deviate(captures[i], "1:checksum", 3);
        assert_true(r->n_logs > 0);
        for (size_t k = 0; k < r->n_logs; k++) {
            assert_int_equal(r->log[k].kind, WSP_DEVIATE_CHECKSUM);
            assert_true(has(r, &r->log[k], p, &right));
            assert_false(right);
        }
        clear(r);
    }
    wsp_packet_free(p);
}

static uint32_t word(const uint8_t *b)
{
    return (uint32_t)b[0] << 8 | b[1];
}

static uint32_t sum(const uint8_t *b, size_t n)
{
    uint32_t s = 0;

    for (size_t i = 0; i + 1 < n; i += 2)
        s += word(b + i);
    return n % 2 ? s + ((uint32_t)b[n - 1] << 8) : s;
}

/*
 * Behind an Ethernet header an IPv4 packet of UDP or TCP, whose length has been changed: is the checksum right for who goes
 * by it? false: its header is not left.
 */
static bool sums_as_told(const uint8_t *b, size_t n, uint32_t told)
{
    const uint8_t *ip = b + 14, *up = ip + (size_t)4 * (ip[0] & 15);
    size_t there = n - (size_t)(up - b), header = ip[9] == 17 ? 8 : (size_t)(up[12] >> 4) * 4;
    uint32_t s, len = ip[9] == 17 ? told : told - (uint32_t)(up - ip);

    if (told < (ip[9] == 17 ? header : header + (size_t)(up - ip)))
        return false;
    s = sum(ip + 12, 8) + ip[9] + len + sum(up, WSPI_MIN(len, there));
    s = (s & 0xffff) + (s >> 16);
    s = (s & 0xffff) + (s >> 16);
    assert_int_equal(s, 0xffff);
    return true;
}

/* RFC 768, RFC 9293 3.1: the length is in the pseudo header, and says how much is summed. */
static void checksums_go_by_the_length_that_is_told(void **state)
{
    size_t seen[2] = {0};

    (void)state;
    for (uint64_t seed = 1; seed < 20; seed++)
        for (size_t i = 0; i < WSPI_COUNT(captures); i++) {
            run *r = deviate(captures[i], "1:length", seed);
            for (size_t k = 0; k < r->n_logs; k++) {
                const wspi_buf *b = &r->bytes[r->log[k].packet - 1];
                bool udp = strcmp(r->log[k].field, "udp.len") == 0;
                uint32_t told = (uint32_t)strtoul(r->log[k].to, NULL, 10),
                         was = (uint32_t)strtoul(r->log[k].from, NULL, 10);
                if (b->len < 54 || word(b->data + 12) != 0x0800 || b->data[23] != (udp ? 17 : 6) ||
                    (!udp && (strcmp(r->log[k].field, "ipv4.len") != 0 || told > was)))
                    continue;
                if (!(udp && word(b->data + 40) == 0))
                    seen[udp] += sums_as_told(b->data, 14 + (udp ? word(b->data + 16) : was), told);
            }
            clear(r);
        }
    assert_true(seen[0] > 5 && seen[1] > 20);
}

static void overlapping_segments_and_repeats_are_packets_more(void **state)
{
    run *plain = deviate("tls.pcap", "0", 1), *over = deviate("tls.pcap", "1:overlap", 1),
        *order = deviate("tls.pcap", "1:order", 1);
    size_t moved = 0;

    (void)state;
    assert_true(over->n > plain->n);
    assert_true(over->n - plain->n <= over->n_logs);
    for (size_t i = 0; i < over->n_logs; i++)
        assert_true(strcmp(over->log[i].field, "tcp.seq") == 0 ||
                    strcmp(over->log[i].field, "ipv4.frag") == 0);
    assert_true(order->n_logs > 0);
    for (size_t i = 0; i < order->n_logs; i++)
        moved += strcmp(order->log[i].to, "after it") == 0;
    assert_true(moved > 0 && moved < order->n_logs);
    assert_int_equal(order->n, plain->n + order->n_logs - moved);
    clear(plain);
    clear(over);
    clear(order);
}

static void cut_messages_have_headers_that_fit(void **state)
{
    run *r = deviate("dns.pcap", "1:truncate", 5);
    wsp_packet *p;
    size_t messages = 0, frames = 0, least = SIZE_MAX;

    (void)state;
    assert_int_equal(wsp_packet_new(&p), WSP_OK);
    for (size_t k = 0; k < r->n_logs; k++) {
        const wspi_buf *b = &r->bytes[r->log[k].packet - 1];
        wsp_frame f = {.caplen = (uint32_t)b->len,
                       .wirelen = r->wirelen[r->log[k].packet - 1],
                       .data = b->data};
        wsp_packet_dissect(p, r->linktype, &f);
        if (strcmp(r->log[k].field, "frame") == 0) {
            assert_true(f.caplen < f.wirelen);
            least = WSPI_MIN(least, f.caplen);
            frames++;
            continue;
        }
        messages++;
        assert_int_equal(f.caplen, f.wirelen);
        assert_int_equal(p->payload_len, strtoul(r->log[k].to, NULL, 10));
        for (size_t i = 0; i < p->n_layers; i++)
            if (p->layers[i].id == WSPI_IPV4 || p->layers[i].id == WSPI_UDP)
                for (size_t j = 0; j < wspi_protos[p->layers[i].id]->n_fields; j++)
                    if (wspi_protos[p->layers[i].id]->fields[j].kind == WSPI_K_AUTO &&
                        p->layers[i].v[j])
                        assert_true(p->layers[i].autos >> j & 1);
    }
    assert_true(messages > 0 && frames > 0 && least >= 14);
    wsp_packet_free(p);
    clear(r);
}

/* Later segments of a stream that has grown begin where the last one ended. */
static void sequence_numbers_follow_a_payload_of_another_length(void **state)
{
    run *r = deviate("tls.pcap", "0.3:truncate", 2);
    size_t compared = 0;
    wsp_packet *p;
    uint32_t *next = wspi_new_array(2 * 65536, sizeof *next); /* by client port and direction */
    bool *known = wspi_new_array(2 * 65536, sizeof *known), shorter = false;

    (void)state;
    assert_non_null(next);
    assert_non_null(known);
    assert_int_equal(wsp_packet_new(&p), WSP_OK);
    for (size_t k = 0; k < r->n_logs; k++)
        shorter = shorter || strcmp(r->log[k].field, "payload") == 0;
    assert_true(shorter);
    for (size_t i = 0; i < r->n; i++) {
        wsp_frame f = {.caplen = (uint32_t)r->bytes[i].len,
                       .wirelen = r->wirelen[i],
                       .data = r->bytes[i].data};
        const wspi_layer *l = NULL;
        size_t at;
        wsp_packet_dissect(p, r->linktype, &f);
        for (size_t k = 0; k < p->n_layers; k++)
            if (p->layers[k].id == WSPI_TCP)
                l = &p->layers[k];
        if (!l) { /* the capture has cut a header: what comes next is not known */
            memset(known, 0, 2 * 65536 * sizeof *known);
            continue;
        }
        at = 2 * WSPI_MAX(l->v[WSPI_TCP_SPORT], l->v[WSPI_TCP_DPORT]) +
             (l->v[WSPI_TCP_SPORT] > l->v[WSPI_TCP_DPORT]);
        if (known[at]) {
            assert_int_equal((uint32_t)l->v[WSPI_TCP_SEQ], next[at]);
            compared++;
        }
        next[at] = (uint32_t)(l->v[WSPI_TCP_SEQ] + p->payload_len +
                              !!(l->v[WSPI_TCP_FLAGS] & (WSPI_TH_SYN | WSPI_TH_FIN)));
        known[at] = true;
    }
    assert_true(compared > 20);
    free(next);
    free(known);
    wsp_packet_free(p);
    clear(r);
}

static void options_fill_headers_and_repeat_elements(void **state)
{
    run *r = deviate("dns.pcap", "1:options", 4);
    size_t headers = 0, elements = 0;

    (void)state;
    for (size_t i = 0; i < r->n_logs; i++) {
        headers += strcmp(r->log[i].field, "ipv4.opt.raw") == 0 ||
                   strcmp(r->log[i].field, "tcp.opt.raw") == 0;
        elements += strncmp(r->log[i].field, "dns.", 4) == 0;
    }
    assert_true(headers > 0 && elements > 0);
    clear(r);
}

/* UDP from a port of nobody's to another; 42: where the payload begins. */
static const uint8_t framed[] = "\2\0\0\0\0\1\2\0\0\0\0\2\x08\0"
                                "\x45\0\0\x34\0\1\x40\0\x40\x11\0\0\x0a\0\0\1\x0a\0\0\2"
                                "\x9c\x40\xc3\x50\0\x20\0\0"
                                "\7\0\0\x14" /* of 24 bytes 20 follow */
                                "messages without form";

/* How many of 400 deviations are in the payload: where, and what was there, is counted by its first byte. */
static unsigned in_payload(wsp_deviation_kind kind, unsigned at[24])
{
    enum { BEGINS = 42 };
    const wsp_frame f = {.data = framed, .caplen = 66, .wirelen = 66};
    wspi_draft d;
    unsigned n = 0;
    wspi_rng rng;

    wspi_rng_seed(&rng, 3);
    assert_int_equal(wspi_draft_init(&d), WSP_OK);
    for (int i = 0; i < 400; i++) {
        wsp_deviation log = {.at = 0};
        assert_int_equal(wspi_draft_read(&d, 1, &f), WSP_OK);
        assert_true(wspi_deviate(&d, kind, false, &rng, &log));
        if (strcmp(log.field, "payload") != 0)
            continue;
        assert_in_range(log.at, BEGINS, BEGINS + 23);
        assert_string_not_equal(log.from, log.to);
        assert_memory_not_equal(d.payload.data, framed + BEGINS, 24);
        assert_memory_equal(d.payload.data, framed + BEGINS, log.at - BEGINS);
        at[log.at - BEGINS]++;
        n++;
    }
    wspi_draft_clear(&d);
    return n;
}

static void a_payload_that_no_table_knows_deviates_where_it_begins(void **state)
{
    unsigned values[24] = {0}, lengths[24] = {0};

    (void)state;
    assert_in_range(in_payload(WSP_DEVIATE_VALUE, values), 150, 250);
    assert_in_range(in_payload(WSP_DEVIATE_LENGTH, lengths), 150, 250);
    for (size_t i = 0; i < 24; i++) {
        assert_true(values[i] > 0);
        assert_true((lengths[i] > 0) == (i == 1 || i == 2)); /* 24 bits of it, or 16 */
    }
}

/* No capture without its link header: Ethernet takes no such frame. */
static void cut_frames_have_their_link_header(void **state)
{
    const wsp_frame eth = {.data = framed, .caplen = 66, .wirelen = 66},
                    raw = {.data = framed + 14, .caplen = 52, .wirelen = 52};
    size_t least[2] = {SIZE_MAX, SIZE_MAX};
    wspi_draft d;
    wspi_rng rng;

    (void)state;
    wspi_rng_seed(&rng, 3);
    assert_int_equal(wspi_draft_init(&d), WSP_OK);
    for (int i = 0; i < 4000; i++) {
        wsp_deviation log = {.at = 0};
        assert_int_equal(wspi_draft_read(&d, i % 2 ? 101 : 1, i % 2 ? &raw : &eth), WSP_OK);
        assert_true(wspi_deviate(&d, WSP_DEVIATE_TRUNCATE, false, &rng, &log));
        if (strcmp(log.field, "frame") == 0)
            least[i % 2] = WSPI_MIN(least[i % 2], d.frame.len);
    }
    assert_int_equal(least[0], 14);
    assert_int_equal(least[1], 1);
    wspi_draft_clear(&d);
}

/* Behind these 14 bytes, or 14 and those of a header that says how much follows, an IPv4 packet. */
static size_t overlaps(const uint8_t *head, size_t n)
{
    uint8_t b[128];
    const wsp_frame f = {.data = b, .caplen = (uint32_t)n + 52, .wirelen = (uint32_t)n + 52};
    wspi_draft d;
    wspi_rng rng;
    size_t made = 0;

    memcpy(b, head, n);
    memcpy(b + n, framed + 14, 52);
    wspi_rng_seed(&rng, 3);
    assert_int_equal(wspi_draft_init(&d), WSP_OK);
    for (int i = 0; i < 100; i++) {
        wsp_deviation log = {.at = 0};
        assert_int_equal(wspi_draft_read(&d, 1, &f), WSP_OK);
        made += wspi_deviate(&d, WSP_DEVIATE_OVERLAP, false, &rng, &log);
    }
    wspi_draft_clear(&d);
    return made;
}

static void packets_whose_length_is_told_outside_are_no_fragments(void **state)
{
    static const uint8_t label[] = "\2\0\0\0\0\1\2\0\0\0\0\2\x88\x47\0\0\x11\x40",
                         session[] = "\2\0\0\0\0\1\2\0\0\0\0\2\x88\x64\x11\0\0\1\0\x36\0\x21",
                         tunnel[] =
                             "\2\0\0\0\0\1\2\0\0\0\0\2\x86\xdd\x60\0\0\0\0\x34\4\x40"
                             "\x20\1\0\0\0\0\0\0\0\0\0\0\0\0\0\1\x20\1\0\0\0\0\0\0\0\0\0\0\0\0\0\2",
                         snap[] = "\2\0\0\0\0\1\2\0\0\0\0\2\0\x3c\xaa\xaa\3\0\0\0\x08\0";

    (void)state;
    assert_int_equal(overlaps(framed, 14), 100);
    assert_int_equal(overlaps(label, sizeof label - 1), 100);
    assert_int_equal(overlaps(session, sizeof session - 1), 0);
    assert_int_equal(overlaps(tunnel, sizeof tunnel - 1), 0);
    assert_int_equal(overlaps(snap, sizeof snap - 1), 0);
}

/* A segment of a stream that has shifted, and an acknowledgement with a block behind what it acknowledges. */
static void edges_of_blocks_move_with_what_is_acknowledged(void **state)
{
    static const uint8_t b[] = "\2\0\0\0\0\1\2\0\0\0\0\2\x08\0"
                               "\x45\0\0\x34\0\1\x40\0\x40\6\0\0\x0a\0\0\2\x0a\0\0\1"
                               "\0\x50\x9c\x40\0\0\x10\0\xff\xff\xff\xf0\x80\x10\1\0\0\0\0\0"
                               "\1\1\5\x0a\xff\xff\xff\xf8\0\0\0\x10";
    const wsp_frame f = {.data = b, .caplen = 66, .wirelen = 66};
    wspi_draft d;

    (void)state;
    assert_int_equal(wspi_draft_init(&d), WSP_OK);
    assert_int_equal(wspi_draft_read(&d, 1, &f), WSP_OK);
    wspi_tcp_move(d.p, 3, 9);
    assert_int_equal(wspi_draft_build(&d), WSP_OK);
    assert_memory_equal(d.frame.data + 38, "\0\0\x10\3\xff\xff\xff\xf9", 8);
    assert_memory_equal(d.frame.data + 54, "\1\1\5\x0a\0\0\0\1\0\0\0\x19", 12);
    wspi_draft_clear(&d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rates_and_kinds_are_read),
        cmocka_unit_test(rare_packets_have_an_even_share_of_the_kinds),
        cmocka_unit_test(a_seed_gives_the_same_again),
        cmocka_unit_test(what_is_not_logged_is_unchanged),
        cmocka_unit_test(packets_that_deviate_already_are_logged_and_left_as_they_are),
        cmocka_unit_test(a_rate_is_shared_with_rare_packets),
        cmocka_unit_test(numbers_have_the_byte_order_of_their_protocol),
        cmocka_unit_test(wrong_checksums_are_as_logged_and_the_only_thing_wrong),
        cmocka_unit_test(checksums_go_by_the_length_that_is_told),
        cmocka_unit_test(overlapping_segments_and_repeats_are_packets_more),
        cmocka_unit_test(cut_messages_have_headers_that_fit),
        cmocka_unit_test(sequence_numbers_follow_a_payload_of_another_length),
        cmocka_unit_test(options_fill_headers_and_repeat_elements),
        cmocka_unit_test(a_payload_that_no_table_knows_deviates_where_it_begins),
        cmocka_unit_test(cut_frames_have_their_link_header),
        cmocka_unit_test(packets_whose_length_is_told_outside_are_no_fragments),
        cmocka_unit_test(edges_of_blocks_move_with_what_is_acknowledged),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
