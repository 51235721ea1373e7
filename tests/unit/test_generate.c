/* SPDX-License-Identifier: Apache-2.0 */
/* test_generate.c: drawing tokens, hosts and ports of generated flows. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "task/generate_int.h"

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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_legal_and_likely_enough_tokens_are_drawn),
        cmocka_unit_test(networks_are_read_or_refused),
        cmocka_unit_test(hosts_are_of_their_networks_and_have_one_identity),
        cmocka_unit_test(ports_go_round_their_range),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
