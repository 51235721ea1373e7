/* SPDX-License-Identifier: Apache-2.0 */
/* test_generate.c: drawing tokens, hosts and ports of generated flows. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "generate/generate_speaker.h"
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

/* ---- rare tokens ---- */

static void rare_tokens_are_drawn_evenly_outside_the_likeliest(void **state)
{
    /* odds 0.5, 0.35, 0.09, 0.04, 0.02 (0.94 are expected), and of a token that is not legal */
    const float logits[6] = {3.912F, 3.555F, 2.197F, 1.386F, 0.693F, 9};
    const uint16_t legal[5] = {0, 1, 2, 3, 4};
    const uint8_t none[6] = {0}, fourth[6] = {0, 0, 0, 0, 1, 0};
    wspi_candidate scratch[5];
    unsigned count[6] = {0};
    wspi_rare r = {.wanted = true};

    (void)state;
    wspi_rng_seed(&r.rng, 1);
    for (int i = 0; i < 1000; i++) {
        assert_true(wspi_rare_sample(&r, logits, legal, 5, none, 1, scratch));
        assert_int_equal(r.swap.from, 1);
        assert_float_equal(r.swap.from_odds, 0.35, 1e-3);
        assert_float_equal(r.swap.to_odds, r.swap.to == 3 ? 0.04F : 0.02F, 1e-3);
        count[r.swap.to]++;
    }
    assert_in_range(count[3], 430, 570);
    assert_int_equal(count[3] + count[4], 1000);
    for (int i = 0; i < 100; i++) {
        assert_true(wspi_rare_sample(&r, logits, legal, 5, fourth, 0, scratch));
        assert_int_equal(r.swap.to, 3);
    }
    r.swap = (wspi_swap){.from = 0};
    assert_false(
        wspi_rare_sample(&r, logits, legal, 5, fourth, 3, scratch)); /* it is rare as it is */
    assert_false(wspi_rare_sample(&r, logits, legal, 2, none, 0, scratch)); /* both are expected */
    assert_false(wspi_swapped(&r.swap));
}

static void every_draw_of_a_packet_may_be_the_rare_one(void **state)
{
    enum { TOKENS = 9 };
    const uint16_t first = (uint16_t)wspi_group_base(WSPI_T_START);
    unsigned count[TOKENS] = {0}, wanted = 0;
    wspi_rare r = {.wanted = false};

    (void)state;
    wspi_rng_seed(&r.rng, 2);
    for (int i = 0; i < 4000; i++) {
        uint16_t ids[TOKENS] = {first, 1, 2, 3, 4, 5, 6, 7, 8};
        size_t n = TOKENS;

        wspi_rare_begin(&r, 0.5);
        for (size_t k = 0; k < TOKENS; k += 2)
            wspi_rare_saw(&r, k);
        if (!wspi_rare_again(&r, ids, &n)) {
            assert_int_equal(n, TOKENS);
            assert_false(wspi_rare_looks(&r, 3));
            continue;
        }
        wanted++;
        assert_true(wspi_rare_looks(&r, n));
        count[n]++;
    }
    assert_in_range(wanted, 1900, 2100);
    for (size_t k = 0; k < TOKENS; k++)
        assert_in_range(count[k], k % 2 ? 0 : wanted / 5 - 60, k % 2 ? 0 : wanted / 5 + 60);
}

/* Where a corpus of what clients send, or of payloads, would not show it. */
static void rare_tokens_are_where_they_show(void **state)
{
    const uint16_t client = (uint16_t)wspi_group_base(WSPI_T_START),
                   server = (uint16_t)(client + WSPI_STARTS),
                   app = (uint16_t)wspi_group_base(WSPI_T_APP);
    uint8_t barred[WSPI_VOCAB_MAX];
    wspi_rare r = {.wanted = false};

    (void)state;
    wspi_rng_seed(&r.rng, 2);
    for (int i = 0; i < 400; i++) {
        uint16_t ids[6] = {i & 1 ? server : client, 11, 12, app, 14, 15};
        size_t n = 6;
        bool again;

        r.clients = i & 2;
        r.payloads = i & 4;
        wspi_rare_begin(&r, 1);
        for (size_t k = 0; k < 6; k++)
            wspi_rare_saw(&r, k);
        again = wspi_rare_again(&r, ids, &n);
        assert_int_equal(again, !(r.clients && i & 1));
        assert_in_range(n, again && r.payloads ? 4 : 0, again ? 5 : 6);
    }
    wspi_rare_bar(barred, wsp_vocab_size(), false);
    assert_false(barred[server]);
    wspi_rare_bar(barred, wsp_vocab_size(), true);
    for (size_t k = 0; k < WSPI_STARTS; k++)
        assert_true(barred[server + k]);
    assert_false(barred[client]);
}

static void a_packet_without_a_place_for_a_rare_token_stays_as_it_was(void **state)
{
    const uint16_t start = (uint16_t)wspi_group_base(WSPI_T_START),
                   end = (uint16_t)(start + WSPI_START_END);
    uint16_t ids[4] = {start, 11, 12, 13};
    wspi_rare r = {.wanted = false};
    size_t n = 4, tries = 0;
    bool done = false;

    (void)state;
    wspi_rng_seed(&r.rng, 3);
    wspi_rare_begin(&r, 1);
    wspi_rare_saw(&r, 2);
    assert_true(wspi_rare_again(&r, ids, &n));
    for (; !done && tries < 100; tries++) {
        assert_int_equal(n, 2);
        ids[2] = 99; /* drawn, and of no effect */
        ids[3] = 98;
        r.swap = (wspi_swap){.from = 12, .to = 99};
        n = 4;
        assert_false(wspi_rare_again(&r, ids, &n));
        assert_true(wspi_rare_undo(&r, ids, &n, &done));
    }
    assert_true(done);
    assert_in_range(tries, 2, 20);
    assert_false(wspi_rare_again(&r, ids, &n));
    assert_int_equal(n, 4);
    assert_int_equal(ids[2], 12);
    assert_int_equal(ids[3], 13);
    assert_false(wspi_swapped(&r.swap));
    wspi_rare_begin(&r, 1);
    wspi_rare_saw(&r, 0);
    n = 1;
    ids[0] = end; /* the end of a flow is no packet */
    assert_false(wspi_rare_again(&r, ids, &n));
}

static void a_rare_token_has_to_be_in_what_is_written(void **state)
{
    const uint16_t text = (uint16_t)wspi_group_base(WSPI_T_TEXT);
    const uint16_t drawn[3] = {1, 7, 7}, seen[3] = {1, 7, 9};
    const wsp_frame frame = {.data = (const uint8_t *)"xyz", .caplen = 3};

    (void)state;
    assert_true(wspi_rare_came(&(wspi_swap){2, 1, 0, 0}, drawn, 3, seen, 3, &frame));
    assert_false(wspi_rare_came(&(wspi_swap){2, 7, 0, 0}, drawn, 3, seen, 3, &frame));
    assert_true(wspi_rare_came(&(wspi_swap){2, 2, 0, 0}, drawn, 3, seen, 3, &frame)); /* none */
    assert_true(
        wspi_rare_came(&(wspi_swap){2, (uint16_t)(text + 'z'), 0, 0}, drawn, 3, seen, 3, &frame));
    assert_false(
        wspi_rare_came(&(wspi_swap){2, (uint16_t)(text + 'w'), 0, 0}, drawn, 3, seen, 3, &frame));
}

/* Whole, and as another field's, with the longest odds. */
static void every_token_has_room_in_the_log(void **state)
{
    wsp_deviation d;
    char name[WSP_DEVIATION_TEXT], whole[2 * WSP_DEVIATION_TEXT];

    (void)state;
    for (unsigned id = 1; id < wsp_vocab_size(); id++) {
        const char *said = wsp_vocab_name((uint16_t)id, name, sizeof name);
        const char *eq = wspi_in_group((uint16_t)id, WSPI_T_START) ? NULL : strchr(said, '=');

        assert_true(strlen(said) < sizeof name - 1);
        wspi_rare_say(&(wspi_swap){(uint16_t)(id - 1), (uint16_t)id, 1.23e-12F, 1.23e-12F}, &d);
        (void)snprintf(whole, sizeof whole, "%s p=1.2e-12", eq ? eq + 1 : said);
        assert_string_equal(d.to, whole);
        wspi_rare_say(&(wspi_swap){(uint16_t)id, id > 1 ? 1 : 2, 1.23e-12F, 1.23e-12F}, &d);
        assert_non_null(strstr(d.from, whole));
    }
}

static void rare_tokens_are_told_by_field_and_odds(void **state)
{
    const uint16_t flags = (uint16_t)wspi_field_base(WSPI_TCP, WSPI_TCP_FLAGS),
                   end = (uint16_t)wspi_group_base(WSPI_T_END),
                   start = (uint16_t)wspi_group_base(WSPI_T_START);
    wsp_deviation d;
    char name[96], want[96];

    (void)state;
    wspi_rare_say(&(wspi_swap){flags, (uint16_t)(flags + 1), 0.25F, 1e-5F}, &d);
    assert_int_equal(d.kind, WSP_DEVIATE_RARE);
    assert_string_equal(d.field, "tcp.flags");
    (void)snprintf(want, sizeof want, "%s p=0.25",
                   wsp_vocab_name(flags, name, sizeof name) + strlen("tcp.flags="));
    assert_string_equal(d.from, want);
    assert_non_null(strstr(d.to, " p=1e-05"));
    wspi_rare_say(&(wspi_swap){end, flags, 1, 0.5F}, &d);
    assert_string_equal(d.from, "end p=1");
    wspi_rare_say(&(wspi_swap){flags, end, 1, 0.5F}, &d);
    assert_memory_equal(d.from, "tcp.flags=", 10);
    assert_string_equal(d.field, "end");
    assert_string_equal(d.to, "end p=0.5");
    wspi_rare_say(&(wspi_swap){start, (uint16_t)(start + WSPI_START_GAP), 1, 0.5F}, &d);
    assert_string_equal(d.field, "start");
    assert_string_equal(d.from, "c2s first p=1");
    assert_string_equal(d.to, "c2s gap=0 p=0.5");
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
    wsp_host hosts[2][WSPI_HOSTS];
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

        wspi_hosts_draw(&f, hosts, &o, i, &r);
        assert_memory_equal(f.client.ip, ((uint8_t[]){10, 1, 2}), 3);
        k = f.client.ip[3] == 9 ? 3 : f.client.ip[3] - 4u;
        assert_in_range(k, 1, 3);
        assert_memory_equal(f.client.ip6, n[2].addr, 7);
        assert_memory_equal(f.client.mac, o.clients.mac, 3);
        if (seen[k]++) {
            assert_memory_equal(f.client.mac, mac_of[k], 6);
            assert_memory_equal(f.client.ip6, v6_of[k], 16);
        }
        memcpy(mac_of[k], f.client.mac, 6);
        memcpy(v6_of[k], f.client.ip6, 16);
        assert_in_range(f.client_port, 49152, 65535);
        assert_int_equal(f.n_others[0], 0);
        assert_memory_equal(f.server.ip, ((uint8_t[]){10, 1, 0}), 3);
    }
    for (unsigned k = 1; k < 4; k++)
        assert_in_range(seen[k], 60, 140);
}

/* An IPv6 address ends in the IPv4 one where the network has room for it, and is a host's where it has not. */
static void addresses_of_a_host_go_together(void **state)
{
    static const char *const networks[] = {"2001:db8:1::/64", "2001:db8:1::/126",
                                           "2001:db8:1::/127"};
    wsp_host hosts[2][WSPI_HOSTS];
    wsp_network n[2];
    wspi_rng r;

    (void)state;
    assert_int_equal(wsp_network_parse("10.0.0.0/28", &n[0]), WSP_OK);
    wspi_rng_seed(&r, 1);
    for (size_t k = 0; k < WSPI_COUNT(networks); k++)
        for (uint64_t i = 0; i < 60; i++) {
            wsp_generate_options o = wsp_generate_options_default();
            wsp_filler f = {0};

            assert_int_equal(wsp_network_parse(networks[k], &n[1]), WSP_OK);
            o.clients = (wsp_pool){.networks = n, .n = 2};
            wspi_hosts_draw(&f, hosts, &o, i, &r);
            assert_memory_equal(f.client.ip6, n[1].addr, 12);
            if (k == 0)
                assert_memory_equal(f.client.ip6 + 12, f.client.ip, 4);
            else
                assert_in_range(f.client.ip6[15], k == 1 ? 1 : 0, k == 1 ? 2 : 1);
        }
}

/* Where they come from by default: near and far, from a maker or not, and always the same. */
static void hosts_have_one_card_in_two_networks(void **state)
{
    wsp_generate_options o = wsp_generate_options_default();
    wsp_host hosts[2][WSPI_HOSTS];
    uint8_t mac_of[256][6] = {{0}};
    wsp_network one;
    wspi_rng r;

    (void)state;
    wspi_rng_seed(&r, 2);
    for (uint64_t i = 0; i < 1000; i++) {
        wsp_filler f = {0};

        wspi_hosts_draw(&f, hosts, &o, i, &r);
        assert_int_equal(f.n_others[1], 3);
        for (size_t k = 0; k < 4; k++) {
            const wsp_host *h = k ? &f.others[1][k - 1] : &f.server;
            uint8_t last = h->ip[3];
            assert_memory_equal(h->ip,
                                k % 2 ? ((uint8_t[]){198, 51, 100}) : ((uint8_t[]){10, 1, 0}), 3);
            assert_int_equal(h->ip6[0], k % 2 ? 0x20 : 0xfe);
            assert_int_equal(h->mac[0] & 2, last & 1 ? 2 : 0);
            if (mac_of[last][5] | mac_of[last][0])
                assert_memory_equal(h->mac, mac_of[last], 6);
            memcpy(mac_of[last], h->mac, 6);
        }
        assert_int_not_equal(f.server.ip[3] & 1, f.others[1][1].ip[3] & 1);
    }
    assert_int_equal(wsp_network_parse("10.1.2.9", &one), WSP_OK); /* has no neighbour */
    o.servers = (wsp_pool){.networks = &one, .n = 1};
    wsp_filler f = {0};
    wspi_hosts_draw(&f, hosts, &o, 1, &r);
    assert_int_equal(f.n_others[1], 0);
    assert_memory_equal(f.server.mac, ((uint8_t[]){2, 0, 10, 1, 2, 9}), 6);
}

static void ports_go_round_their_range(void **state)
{
    wsp_generate_options o = wsp_generate_options_default();
    wsp_host hosts[2][WSPI_HOSTS];
    bool used[10] = {false};
    wspi_rng r;

    (void)state;
    o.port_first = 2000;
    o.port_last = 2009;
    o.seed = 77;
    wspi_rng_seed(&r, 1);
    for (uint64_t i = 0; i < 10; i++) {
        wsp_filler f = {0};

        wspi_hosts_draw(&f, hosts, &o, i, &r);
        assert_in_range(f.client_port, 2000, 2009);
        assert_false(used[f.client_port - 2000]);
        used[f.client_port - 2000] = true;
    }
}

/* What a flow is asked for is drawn from the legal tokens and from all that say what a flow is, each once and in order. */
static void a_list_is_widened_by_what_says_what_a_flow_is(void **state)
{
    const size_t v = wsp_vocab_size();
    const uint16_t some[] = {0, (uint16_t)(v / 3), (uint16_t)(v - 1)};
    uint16_t *wide = calloc(v, sizeof *wide);
    size_t n, found = 0;
    wspi_guide g;

    (void)state;
    assert_non_null(wide);
    assert_int_equal(wspi_guide_make(&g, v), WSP_OK);
    assert_true(g.n > 100 && g.n < v / 2);
    assert_true(g.is[wspi_group_base(WSPI_T_APP)] &&
                g.is[wspi_field_base(WSPI_UDP, WSPI_UDP_SPORT)]);
    assert_false(wspi_guide_any(&g, some, 1)); /* a gap */
    n = wspi_guide_widen(&g, some, WSPI_COUNT(some), wide);
    for (size_t i = 0; i < n; i++) {
        assert_true(i == 0 || wide[i] > wide[i - 1]);
        for (size_t k = 0; k < WSPI_COUNT(some); k++)
            found += wide[i] == some[k];
        assert_true(g.is[wide[i]] || wide[i] == some[0] || wide[i] == some[1] ||
                    wide[i] == some[2]);
    }
    assert_int_equal(found, WSPI_COUNT(some));
    assert_int_equal(n, g.n + WSPI_COUNT(some) - g.is[some[0]] - g.is[some[1]] - g.is[some[2]]);
    assert_int_equal(wspi_guide_widen(&g, NULL, 0, wide), g.n);
    wspi_guide_clear(&g);
    free(wide);
}

/* Of four tokens the condition doubles the odds of a port and halves those of another; what others there are does not matter. */
static void what_a_condition_changes_of_ports_is_pushed_on(void **state)
{
    const size_t v = wsp_vocab_size();
    const uint16_t port = (uint16_t)wspi_field_base(WSPI_UDP, WSPI_UDP_SPORT),
                   stack = (uint16_t)wspi_group_base(WSPI_T_STACK);
    const uint16_t wanted[] = {port, (uint16_t)(port + 1), stack, (uint16_t)(stack + 1)};
    const double factor[] = {2, 0.5, 2, 0.5};
    float *with = wspi_new_array(v, sizeof *with), *without = wspi_new_array(v, sizeof *without),
          *pushed = wspi_new_array(v, sizeof *pushed), common;
    double sum[2] = {0};
    wspi_guide g;

    (void)state;
    assert_int_equal(wspi_guide_make(&g, v), WSP_OK);
    assert_true(with && without && pushed);
    with[stack + 2] = 50; /* not wanted */
    for (size_t i = 0; i < 4; i++) {
        without[wanted[i]] = (float)i / 4;
        with[wanted[i]] = without[wanted[i]] + (float)log(factor[i]);
        sum[0] += exp(without[wanted[i]]);
        sum[1] += exp(with[wanted[i]]);
    }
    common = wspi_guide_push(&g, 2, with, without, wanted, 4, pushed);
    assert_true(fabs(common - log(sum[1] / sum[0])) < 1e-5);
    for (size_t i = 0; i < 4; i++) {
        double push = i < 2 ? 2 * (log(factor[i]) - common) : 0; /* not of layers */
        assert_true(fabs(pushed[wanted[i]] - with[wanted[i]] - push) < 1e-5);
    }
    assert_true(wspi_guide_ends((uint16_t)wspi_group_base(WSPI_T_APP)));
    assert_false(wspi_guide_ends((uint16_t)wspi_group_base(WSPI_T_START)));
    wspi_guide_clear(&g);
    free(with);
    free(without);
    free(pushed);
}

/* A flow that gains a quarter of what is usual stays in a quarter of all cases; with --guide 2 in a sixteenth. */
static void a_flow_that_gains_less_than_usual_begins_again(void **state)
{
    enum { FLOWS = 4000 };
    const float usual = 3;
    wsp_generate_options o = wsp_generate_options_default();
    const wspi_dialog_kind *no_dialog = NULL;
    uint8_t no_app = 0;
    wspi_speaker *g = wspi_new_array(1, sizeof *g);
    wspi_flow_drawn *f = g ? &g->flows[0] : NULL;

    (void)state;
    assert_non_null(g);
    g->dialog_of = &no_dialog;
    g->app_of = &no_app;
    f->ctx = wspi_new_array(1, wsp_context_size());
    assert_non_null(f->ctx);
    wspi_rng_seed(&f->rng, 3);
    g->o = &o;
    g->linktype = 1;
    for (int weight = 1; weight <= 2; weight++) {
        size_t kept = 0;
        o.guide = weight;
        g->usual_gain = &usual;
        for (size_t i = 0; i < FLOWS; i++) {
            f->starts = 1;
            f->gain = (double)usual - log(4);
            kept += wspi_follows(g, f);
            assert_true(f->starts == 1 || f->gain == 0);
        }
        assert_in_range(kept, FLOWS / (weight == 1 ? 5 : 20), FLOWS / (weight == 1 ? 3 : 12));
        f->gain = (double)usual + 1;
        assert_true(wspi_follows(g, f));
        g->usual_gain = NULL; /* a trial */
        f->gain = -100;
        assert_true(wspi_follows(g, f));
    }
    free(f->ctx);
    free(g);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_flow_that_gains_less_than_usual_begins_again),
        cmocka_unit_test(what_a_condition_changes_of_ports_is_pushed_on),
        cmocka_unit_test(only_legal_and_likely_enough_tokens_are_drawn),
        cmocka_unit_test(rare_tokens_are_drawn_evenly_outside_the_likeliest),
        cmocka_unit_test(every_draw_of_a_packet_may_be_the_rare_one),
        cmocka_unit_test(rare_tokens_are_where_they_show),
        cmocka_unit_test(a_packet_without_a_place_for_a_rare_token_stays_as_it_was),
        cmocka_unit_test(a_rare_token_has_to_be_in_what_is_written),
        cmocka_unit_test(every_token_has_room_in_the_log),
        cmocka_unit_test(rare_tokens_are_told_by_field_and_odds),
        cmocka_unit_test(networks_are_read_or_refused),
        cmocka_unit_test(hosts_are_of_their_networks_and_have_one_identity),
        cmocka_unit_test(addresses_of_a_host_go_together),
        cmocka_unit_test(hosts_have_one_card_in_two_networks),
        cmocka_unit_test(ports_go_round_their_range),
        cmocka_unit_test(a_list_is_widened_by_what_says_what_a_flow_is),
    };

    (void)wsp_vocab_size(); /* lays out the ids */
    return cmocka_run_group_tests(tests, NULL, NULL);
}
