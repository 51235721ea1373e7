/* SPDX-License-Identifier: Apache-2.0 */
/* test_grammar.c: what the grammar leaves, whatever a model would say: connections, trailers, ports. */
#include "tests/unit/wire.h"

#include <math.h>

#include "generate/generate_speaker.h"
#include "token/app/app.h"

enum { FIN = 1, SYN = 2, RST = 4, ACK = 16 };

typedef struct connection {
    unsigned sent[2], packets, last[2];
    uint32_t next[2], ack[2];   /* where a direction is, what it has acknowledged */
    uint32_t stamp[2], echo[2]; /* its last time stamp, what it has echoed */
    uint32_t first[2];  /* its first one since the other direction's last packet, if `since` */
    uint32_t window[2]; /* where the last one of a direction ended */
    uint64_t mss[2];    /* what a direction takes; 0: it has not said */
    unsigned scale[2];  /* of its windows, plus one; 0: none */
    bool acked[2], echoed[2], since[2], has_window[2], over;
    size_t behind, late,
        delayed; /* acknowledgements of less than all, echoes of what is not the last, of the first of several */
    size_t kept;                   /* windows that did not end before the last one */
    uint8_t hops[2], fragments[2]; /* time to live or hop limit, flags; 0: no packet yet */
    size_t stayed;
} connection;

static uint32_t big32(const uint8_t *b)
{
    return (uint32_t)b[0] << 24 | (uint32_t)b[1] << 16 | (uint32_t)b[2] << 8 | b[3];
}

/* RFC 9293 3.10.7.4: never back, never beyond what was sent; the same again only with something to say. */
static void check_ack(connection *k, const wsp_packet *p, const uint8_t *h, int dir)
{
    uint32_t seq = big32(h + 4), ack = big32(h + 8);
    unsigned flags = h[13];
    bool known = k->sent[!dir] && flags & ACK, less = known && ack != k->next[!dir];

    if (flags & ACK && k->acked[dir])
        assert_true((int32_t)(ack - k->ack[dir]) >= 0);
    if (known)
        assert_true((int32_t)(k->next[!dir] - ack) >= 0);
    if (less && k->acked[dir] && ack == k->ack[dir])
        assert_true(flags & FIN || p->payload_len);
    k->behind += less;
    k->next[dir] = seq + p->payload_len + (flags & SYN ? 1 : 0) + (flags & FIN ? 1 : 0);
    if (flags & ACK)
        k->ack[dir] = ack;
    k->acked[dir] |= flags & ACK;
}

/* RFC 7323 4.3: the last stamp that was seen, or that of before, or the first one of several segments. */
static void check_echo(connection *k, const wsp_packet *p, const uint8_t *h, int dir)
{
    for (size_t i = 0; i < p->n_layers; i++) {
        uint32_t echo = (uint32_t)p->layers[i].v[1];
        if (p->layers[i].id != WSPI_TCP_TS)
            continue;
        if (k->echoed[!dir] && h[13] & ACK && echo != k->stamp[!dir]) {
            bool same = k->echoed[dir] && echo == k->echo[dir];
            assert_true(same || (k->since[!dir] && echo == k->first[!dir]));
            k->late += same;
            k->delayed += !same;
        }
        if (!k->since[dir])
            k->first[dir] = (uint32_t)p->layers[i].v[0];
        k->since[dir] = true;
        k->stamp[dir] = (uint32_t)p->layers[i].v[0];
        k->echo[dir] = echo;
        k->echoed[dir] = true;
    }
    k->since[!dir] = false;
}

enum { LEAST_SEGMENT = 536, SMALL_SEGMENT = 1300 };

/* Answers have as many records as they have said, and are drawn again where these become too long (generate_draw.c). */
static bool is_of_dns(const wsp_packet *p)
{
    const uint8_t *b = p->data + p->payload_off;

    return p->payload_len > 2 && ((uint32_t)b[0] << 8 | b[1]) == p->payload_len - 2;
}

/* RFC 9293 3.8.6, 3.7.1: no window ends before the last one did, and no segment is longer than the peer takes. */
static void check_window(connection *k, const wsp_packet *p, const uint8_t *h, int dir)
{
    bool scaled = k->scale[0] && k->scale[1] && !(h[13] & SYN);
    uint32_t unit = scaled ? 1u << (k->scale[dir] - 1) : 1;
    uint32_t end = big32(h + 8) + ((uint32_t)h[14] << 8 | h[15]) * unit;

    for (size_t i = 0; i < wspi_own_layers(p); i++) {
        if (p->layers[i].id == WSPI_TCP_MSS)
            k->mss[dir] = p->layers[i].v[0];
        if (p->layers[i].id == WSPI_TCP_WSCALE)
            k->scale[dir] = 1 + (unsigned)WSPI_MIN(p->layers[i].v[0], (uint64_t)14);
    }
    if (k->mss[!dir] >= LEAST_SEGMENT && !is_of_dns(p)) /* messages may be longer than that */
        assert_true(p->payload_len <= k->mss[!dir]);
    if (!(h[13] & ACK) || h[13] & RST)
        return;
    if (k->has_window[dir])
        assert_true((int32_t)(end - k->window[dir]) >= -(int32_t)unit);
    k->kept += k->has_window[dir];
    k->window[dir] = end;
    k->has_window[dir] = true;
}

static const uint8_t *tcp_header(const wsp_packet *p, bool *syn_options)
{
    const uint8_t *h = NULL;

    *syn_options = false;
    for (size_t i = 0; i < wspi_own_layers(p); i++) { /* less those that an error quotes */
        uint8_t id = p->layers[i].id;
        h = id == WSPI_TCP ? p->data + p->layers[i].off : h;
        *syn_options |= id == WSPI_TCP_MSS || id == WSPI_TCP_WSCALE || id == WSPI_TCP_SACKOK;
    }
    return h;
}

/* A host has one number of hops, and lets its packets be cut or not. */
static void check_host(connection *k, const wsp_packet *p, int dir)
{
    const wspi_layer *ip = p->layers;
    uint8_t hops, flags;
    size_t i = 0;

    while (i < p->n_layers && ip[i].id != WSPI_IPV4 && ip[i].id != WSPI_IPV6)
        i++;
    if (i == p->n_layers)
        return;
    hops = (uint8_t)ip[i].v[ip[i].id == WSPI_IPV4 ? WSPI_IPV4_TTL : WSPI_IPV6_HOPS];
    flags = ip[i].id == WSPI_IPV4 ? (uint8_t)ip[i].v[WSPI_IPV4_FLAGS] : 0;
    if (k->hops[dir]) {
        assert_int_equal(hops, k->hops[dir]);
        assert_int_equal(flags, k->fragments[dir]);
        k->stayed++;
    }
    k->hops[dir] = hops;
    k->fragments[dir] = flags;
}

static void check_packet(connection *k, const wsp_packet *p, int dir)
{
    bool syn_options;
    const uint8_t *h = tcp_header(p, &syn_options);
    unsigned flags;

    if (p->layers[p->n_layers - 1].id == WSPI_ARP) /* padded, perhaps */
        assert_true(wspi_zeros(p->data + p->payload_off, p->payload_len) && p->caplen <= 60);
    if (!h)
        return;
    flags = h[13];
    assert_false(k->over);
    assert_true(h[14] || h[15] || flags & RST); /* the window */
    assert_true(flags & SYN || !syn_options);
    assert_true(flags & ACK || flags == SYN || flags == RST);
    if (flags & SYN) {
        assert_int_equal(p->payload_len, 0);
        assert_int_equal(flags, k->packets ? SYN | ACK : SYN);
        assert_false(k->sent[dir] & SYN);
    }
    if (k->last[!dir] == SYN && !k->last[dir])
        assert_true(flags == (SYN | ACK) || flags == (RST | ACK));
    assert_false(k->last[dir] & SYN && !k->last[!dir]); /* who has said SYN waits */
    if (k->sent[dir] & FIN) {
        assert_int_equal(p->payload_len, 0);
        assert_false(flags & FIN);
    }
    check_echo(k, p, h, dir);
    check_ack(k, p, h, dir);
    check_window(k, p, h, dir);
    k->over = flags & RST;
    k->sent[dir] |= flags;
    k->last[dir] = flags;
    k->packets++;
}

/* Draws a packet by even odds among what is legal; false: the flow ends. */
static bool draw_packet(wsp_decoder *d, wsp_context *ctx, const wsp_filler *fill, wspi_rng *r,
                        wsp_decoded *out)
{
    static uint8_t legal[WSPI_VOCAB_MAX];
    uint16_t ids[WSP_MAX_PACKET_TOKENS], choice[WSPI_VOCAB_MAX];
    const unsigned small = wspi_field_base(WSPI_TCP_MSS, 0) + wspi_bin(SMALL_SEGMENT, 3);
    size_t n = 0, m, tokens = wsp_vocab_size();
    bool done;
    wsp_status st;

    for (;;) {
        assert_int_equal(wsp_grammar_next(d, ctx, ids, n, fill, false, legal, &done, NULL), WSP_OK);
        if (done)
            break;
        m = 0;
        for (size_t id = next_legal(legal, 0, tokens); id < tokens;
             id = next_legal(legal, id + 1, tokens))
            choice[m++] = (uint16_t)id;
        assert_in_range(m, 1, WSPI_VOCAB_MAX);
        assert_in_range(n, 0, WSP_MAX_PACKET_TOKENS - 1);
        if (legal[wspi_group_base(WSPI_T_END)] && n > 100)
            choice[0] = (uint16_t)wspi_group_base(WSPI_T_END), m = 1;
        if (legal
                [small]) /* even odds would have few that are below a full segment, and none of use */
            choice[0] = (uint16_t)small, m = 1;
        ids[n++] = choice[wspi_rng_below(r, m)];
    }
    st = wsp_grammar_build(d, ctx, ids, n, fill, out, NULL);
    assert_true(st == WSP_OK || st == WSP_EOF);
    return st == WSP_OK;
}

/* Are the lengths that the direction's next packet may have those that the peer takes? false: it cannot be asked. */
static bool lengths_fit(wsp_decoder *d, const wsp_context *ctx, const wsp_filler *fill, int dir,
                        uint64_t mss)
{
    static uint8_t legal[WSPI_VOCAB_MAX];
    unsigned starts = wspi_group_base(WSPI_T_START) + (unsigned)dir * WSPI_STARTS,
             lengths = wspi_group_base(WSPI_T_LEN), n = 0;
    uint16_t start = 0;
    bool done;

    assert_int_equal(wsp_grammar_next(d, ctx, NULL, 0, fill, false, legal, &done, NULL), WSP_OK);
    for (unsigned i = 0; i < WSPI_STARTS; i++)
        if (legal[starts + i])
            start = (uint16_t)(starts + i);
    if (!start || mss < LEAST_SEGMENT)
        return false;
    assert_int_equal(wsp_grammar_next(d, ctx, &start, 1, fill, false, legal, &done, NULL), WSP_OK);
    for (unsigned k = 1; k < WSPI_LEN_BINS; k++) {
        n += legal[lengths + k];
        assert_true(!legal[lengths + k] || wspi_bin_start(k, WSPI_LEN_MANTISSA) <= mss);
    }
    return n > 0 && mss < WSPI_LEN_SAMPLED;
}

static void any_draw_keeps_to_the_state_of_its_connection(void **state)
{
    wsp_context *ctx = malloc(wsp_context_size());
    wsp_decoder *d = NULL;
    wsp_packet *p = NULL;
    size_t tcp = 0, behind = 0, late = 0, delayed = 0, kept = 0, asked = 0, stayed = 0;
    wspi_rng r;

    (void)state;
    assert_non_null(ctx);
    assert_int_equal(wsp_decoder_new(&d), WSP_OK);
    assert_int_equal(wsp_packet_new(&p), WSP_OK);
    wspi_rng_seed(&r, 5);
    for (uint64_t f = 0; f < 1000; f++) {
        wsp_filler fill = {.seed = f, .client.mac = {2}, .server.mac = {4}, .client_port = 50000};
        connection k = {.packets = 0};
        wsp_decoded out;

        wsp_context_init(ctx, 1);
        for (int i = 0; i < 12 && draw_packet(d, ctx, &fill, &r, &out); i++) {
            wsp_packet_dissect(p, 1, &out.frame);
            check_packet(&k, p, out.dir);
            check_host(&k, p, out.dir);
            for (int dir = 0; dir < 2; dir++)
                asked += lengths_fit(d, ctx, &fill, dir, k.mss[!dir]);
        }
        tcp += k.packets > 2;
        behind += k.behind;
        late += k.late;
        delayed += k.delayed;
        kept += k.kept;
        stayed += k.stayed;
    }
    assert_in_range(stayed, 100, 100000);
    assert_in_range(tcp, 20, 1000);
    assert_in_range(behind, 5, 1000);
    assert_in_range(late, 1, 1000);
    assert_in_range(delayed, 1, 1000);
    assert_in_range(kept, 20, 10000);
    assert_in_range(asked, 5, 10000);
    wsp_packet_free(p);
    wsp_decoder_free(d);
    free(ctx);
}

/* A recorded datagram with four bytes behind its IP packet, as of a frame check sequence, and no checksums. */
static void record_datagram(wsp_context *ctx, wsp_packet *p)
{
    static const uint8_t datagram[] = {
        2,   0, 0,   0,  0, 2,  2, 0, 0,   0,   0,   1,   8,   0, /* Ethernet */
        69,  0, 0,   36, 0, 1,  0, 0, 64,  17,  0,   0,   10,  0,   0,   1,
        10,  0, 0,   2,                                                       /* IPv4 */
        200, 1, 200, 2,  0, 16, 0, 0, 'a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', /* UDP */
        1,   2, 3,   4};
    const wsp_frame f = {.caplen = sizeof datagram, .wirelen = sizeof datagram, .data = datagram};
    uint16_t ids[WSP_MAX_PACKET_TOKENS];
    wsp_residual *resid;
    size_t n;

    assert_int_equal(wsp_residual_new(&resid), WSP_OK);
    wsp_packet_dissect(p, 1, &f);
    assert_int_equal(p->trailer_len, 4);
    assert_int_equal(wsp_encode_packet(ctx, p, 0, 0, ids, &n, resid), WSP_OK);
    wsp_residual_free(resid);
}

/* All is computed but a checksum that UDP goes without. */
static void check_computed(const wsp_packet *p)
{
    for (size_t i = 0; i < p->n_layers; i++) {
        const wspi_layer *l = &p->layers[i];
        for (size_t f = 0; f < wspi_protos[l->id]->n_fields; f++)
            if (wspi_protos[l->id]->fields[f].kind == WSPI_K_AUTO)
                assert_true(l->autos >> f & 1 ||
                            (l->id == WSPI_UDP && f == WSPI_UDP_CKSUM && l->v[f] == 0));
    }
}

static void a_sample_after_odd_packets_is_padded_at_most_and_computed(void **state)
{
    wsp_context *ctx = malloc(wsp_context_size());
    wsp_decoder *d = NULL;
    wsp_packet *p = NULL;
    size_t drawn = 0;
    wspi_rng r;

    (void)state;
    assert_non_null(ctx);
    assert_int_equal(wsp_decoder_new(&d), WSP_OK);
    assert_int_equal(wsp_packet_new(&p), WSP_OK);
    wspi_rng_seed(&r, 6);
    for (uint64_t f = 0; f < 50; f++) {
        wsp_filler fill = {.seed = f, .client.mac = {2}, .server.mac = {4}, .client_port = 50000};
        wsp_decoded out;

        wsp_context_init(ctx, 1);
        record_datagram(ctx, p);
        for (int i = 0; i < 3 && draw_packet(d, ctx, &fill, &r, &out); i++) {
            wsp_packet_dissect(p, 1, &out.frame);
            assert_true(p->trailer_len == 0 || out.frame.caplen == 60);
            check_computed(p);
            drawn++;
        }
    }
    assert_in_range(drawn, 50, 150);
    wsp_packet_free(p);
    wsp_decoder_free(d);
    free(ctx);
}

/* The server's port of a flow's first packet, 0 where it has none; *layer is its protocol. */
static uint16_t server_port(const wsp_packet *p, int dir, uint8_t *layer)
{
    for (size_t i = 0; i < p->n_layers; i++)
        if (p->layers[i].id == WSPI_TCP || p->layers[i].id == WSPI_UDP) {
            const uint8_t *h = p->data + p->layers[i].off + (dir ? 0 : 2);
            *layer = p->layers[i].id;
            return (uint16_t)(h[0] << 8 | h[1]);
        }
    return 0;
}

/* Flows of 400 seeds that begin towards a port, below the dynamic ones, of a protocol that samples do not speak. */
static size_t count_strange_ports(bool service_ports)
{
    wsp_context *ctx = malloc(wsp_context_size());
    wsp_decoder *d = NULL;
    wsp_packet *p = NULL;
    size_t strange = 0;
    wspi_rng r;

    assert_non_null(ctx);
    assert_int_equal(wsp_decoder_new(&d), WSP_OK);
    assert_int_equal(wsp_packet_new(&p), WSP_OK);
    wspi_rng_seed(&r, 7);
    for (uint64_t f = 0; f < 400; f++) {
        wsp_filler fill = {.seed = f,
                           .client.mac = {2},
                           .server.mac = {4},
                           .client_port = 50000,
                           .service_ports = service_ports};
        wsp_decoded out;
        uint8_t layer;
        uint16_t port;

        wsp_context_init(ctx, 1);
        if (!draw_packet(d, ctx, &fill, &r, &out))
            continue;
        wsp_packet_dissect(p, 1, &out.frame);
        port = server_port(p, out.dir, &layer);
        strange += port && port < 49152 && !wspi_app_serves(port, layer);
    }
    wsp_packet_free(p);
    wsp_decoder_free(d);
    free(ctx);
    return strange;
}

static void servers_without_a_grammar_listen_elsewhere(void **state)
{
    (void)state;
    assert_int_equal(count_strange_ports(false), 0);
    assert_in_range(count_strange_ports(true), 1, 400);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(any_draw_keeps_to_the_state_of_its_connection),
        cmocka_unit_test(a_sample_after_odd_packets_is_padded_at_most_and_computed),
        cmocka_unit_test(servers_without_a_grammar_listen_elsewhere),
    };

    (void)wsp_vocab_size();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
