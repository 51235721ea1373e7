/* SPDX-License-Identifier: Apache-2.0 */
/* test_generate.c: drawing tokens, hosts and ports of generated flows. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "task/generate_int.h"
#include "token/app/app.h"

/* ---- sampling ---- */

static void only_legal_and_likely_enough_tokens_are_drawn(void **state)
{
    const float logits[4] = {9, 1, 3, 2};
    const uint16_t legal[3] = {1, 2, 3}; /* the likeliest is not legal */
    wsp_generate_options o = wsp_generate_options_default();
    wspi_candidate scratch[4];
    unsigned count[4] = {0};
    wspi_rng r;

    (void)state;
    wspi_rng_seed(&r, 1);
    for (int i = 0; i < 3000; i++)
        count[wspi_sample(logits, legal, 3, &o, scratch, &r)]++;
    assert_int_equal(count[0], 0); /* odds 0.090, 0.665, 0.245 */
    assert_in_range(count[1], 200, 350);
    assert_in_range(count[2], 1890, 2100);
    assert_in_range(count[3], 640, 830);
    o.top_k = 2;
    for (int i = 0; i < 1000; i++)
        assert_int_not_equal(wspi_sample(logits, legal, 3, &o, scratch, &r), 1);
    o.top_k = 0;
    o.top_p = 0.6;
    for (int i = 0; i < 1000; i++)
        assert_int_equal(wspi_sample(logits, legal, 3, &o, scratch, &r), 2);
    o.top_p = 1;
    o.temperature = 0;
    for (int i = 0; i < 1000; i++)
        assert_int_equal(wspi_sample(logits, legal, 3, &o, scratch, &r), 2);
}

/* ---- hosts ---- */

static void networks_are_read_or_refused(void **state)
{
    static const char *const bad[] = {"",           "10.0.0.0/33", "10.0.0/8",   "10.0.0.0/",
                                      "10.0.0.0/x", "::/129",      "fe80::1/-1", "10.0.0.0/ 8"};
    wsp_network n;

    (void)state;
    assert_int_equal(wsp_network_parse("192.168.7.0/24", &n), WSP_OK);
    assert_int_equal(n.len, 4);
    assert_int_equal(n.bits, 24);
    assert_int_equal(wsp_network_parse("2001:db8:1::/64", &n), WSP_OK);
    assert_int_equal(n.len, 16);
    assert_int_equal(n.addr[5], 1);
    assert_int_equal(wsp_network_parse("10.0.0.1", &n), WSP_OK);
    assert_int_equal(n.bits, 32);
    for (size_t i = 0; i < WSPI_COUNT(bad); i++)
        assert_int_equal(wsp_network_parse(bad[i], &n), WSP_ERR_ARG);
}

static void hosts_are_of_their_networks_and_have_one_identity(void **state)
{
    wsp_network n[3];
    wsp_generate_options o = wsp_generate_options_default();
    uint8_t mac_of[4][6] = {{0}}, v6_of[4][16] = {{0}};
    unsigned seen[4] = {0};
    wspi_rng r;

    (void)state;
    assert_int_equal(wsp_network_parse("10.1.2.4/30", &n[0]), WSP_OK); /* 10.1.2.5 and 10.1.2.6 */
    assert_int_equal(wsp_network_parse("10.1.2.9", &n[1]), WSP_OK);
    assert_int_equal(wsp_network_parse("2001:db8:ffff:ff00::/56", &n[2]), WSP_OK);
    o.clients = (wsp_pool){.networks = n, .n = 3, .mac = {0, 0x1b, 0x21}, .mac_len = 3};
    wspi_rng_seed(&r, 1);
    for (uint64_t i = 0; i < 300; i++) {
        wsp_filler f = {0};
        unsigned k;

        wspi_hosts_draw(&f, &o, i, &r);
        assert_memory_equal(f.client_ip, ((uint8_t[]){10, 1, 2}), 3);
        k = f.client_ip[3] == 9 ? 3 : f.client_ip[3] - 4u;
        assert_in_range(k, 1, 3);
        assert_memory_equal(f.client_ip6, n[2].addr, 7);
        assert_memory_equal(f.client, o.clients.mac, 3);
        if (seen[k]++) {
            assert_memory_equal(f.client, mac_of[k], 6);
            assert_memory_equal(f.client_ip6, v6_of[k], 16);
        }
        memcpy(mac_of[k], f.client, 6);
        memcpy(v6_of[k], f.client_ip6, 16);
        assert_in_range(f.client_port, 49152, 65535);
        assert_int_equal(f.server_ip[0], 198);
    }
    for (unsigned k = 1; k < 4; k++)
        assert_in_range(seen[k], 60, 140);
}

static void ports_go_round_their_range(void **state)
{
    wsp_generate_options o = wsp_generate_options_default();
    bool used[10] = {false};
    wspi_rng r;

    (void)state;
    o.port_first = 2000;
    o.port_last = 2009;
    o.seed = 77;
    wspi_rng_seed(&r, 1);
    for (uint64_t i = 0; i < 10; i++) {
        wsp_filler f = {0};

        wspi_hosts_draw(&f, &o, i, &r);
        assert_in_range(f.client_port, 2000, 2009);
        assert_false(used[f.client_port - 2000]);
        used[f.client_port - 2000] = true;
    }
}

/* ---- what the grammar leaves, whatever a model would say ---- */

enum { FIN = 1, SYN = 2, RST = 4, ACK = 16 };

typedef struct connection {
    unsigned sent[2], packets, last[2];
    bool over;
} connection;

static const uint8_t *tcp_header(const wsp_packet *p, bool *syn_options)
{
    const uint8_t *h = NULL;

    *syn_options = false;
    for (size_t i = 0; i < p->n_layers; i++) {
        uint8_t id = p->layers[i].id;
        h = id == WSPI_TCP ? p->data + p->layers[i].off : h;
        *syn_options |= id == WSPI_TCP_MSS || id == WSPI_TCP_WSCALE || id == WSPI_TCP_SACKOK;
    }
    return h;
}

static void check_packet(connection *k, const wsp_packet *p, int dir)
{
    bool syn_options;
    const uint8_t *h = tcp_header(p, &syn_options);
    unsigned flags;

    if (p->layers[p->n_layers - 1].id == WSPI_ARP)
        assert_int_equal(p->payload_len, 0);
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
    size_t n = 0, m;
    bool done;
    wsp_status st;

    for (;;) {
        assert_int_equal(wsp_grammar_next(d, ctx, ids, n, fill, false, legal, &done, NULL), WSP_OK);
        if (done)
            break;
        m = 0;
        for (uint16_t id = 0; id < wsp_vocab_size(); id++)
            if (legal[id])
                choice[m++] = id;
        assert_in_range(m, 1, WSPI_VOCAB_MAX);
        assert_in_range(n, 0, WSP_MAX_PACKET_TOKENS - 1);
        if (legal[wspi_group_base(WSPI_T_END)] && n > 100)
            choice[0] = (uint16_t)wspi_group_base(WSPI_T_END), m = 1;
        ids[n++] = choice[wspi_rng_below(r, m)];
    }
    st = wsp_grammar_build(d, ctx, ids, n, fill, out, NULL);
    assert_true(st == WSP_OK || st == WSP_EOF);
    return st == WSP_OK;
}

static void any_draw_keeps_to_the_state_of_its_connection(void **state)
{
    wsp_context *ctx = malloc(wsp_context_size());
    wsp_decoder *d = NULL;
    wsp_packet *p = NULL;
    size_t tcp = 0;
    wspi_rng r;

    (void)state;
    assert_non_null(ctx);
    assert_int_equal(wsp_decoder_new(&d), WSP_OK);
    assert_int_equal(wsp_packet_new(&p), WSP_OK);
    wspi_rng_seed(&r, 5);
    for (uint64_t f = 0; f < 400; f++) {
        wsp_filler fill = {.seed = f, .client = {2}, .server = {4}, .client_port = 50000};
        connection k = {.packets = 0};
        wsp_decoded out;

        wsp_context_init(ctx, 1);
        for (int i = 0; i < 12 && draw_packet(d, ctx, &fill, &r, &out); i++) {
            wsp_packet_dissect(p, 1, &out.frame);
            check_packet(&k, p, out.dir);
        }
        tcp += k.packets > 2;
    }
    assert_in_range(tcp, 20, 400);
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

/* Flows of 400 seeds that begin towards a port, below the dynamic ones, of a protocol that has no grammar. */
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
                           .client = {2},
                           .server = {4},
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
        strange += port && port < 49152 && !wspi_app_of_port(port, layer);
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
        cmocka_unit_test(only_legal_and_likely_enough_tokens_are_drawn),
        cmocka_unit_test(networks_are_read_or_refused),
        cmocka_unit_test(hosts_are_of_their_networks_and_have_one_identity),
        cmocka_unit_test(ports_go_round_their_range),
        cmocka_unit_test(any_draw_keeps_to_the_state_of_its_connection),
        cmocka_unit_test(servers_without_a_grammar_listen_elsewhere),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
