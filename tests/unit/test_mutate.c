/* SPDX-License-Identifier: Apache-2.0 */
/* test_mutate.c: mutated inputs are other inputs of the same form, mostly with headers that fit, the same for a seed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <stdio.h>

#include "capture/capture_int.h"
#include "generate/mutate_int.h"

enum { TIMES = 400, MOST = 65536 };

static const uint8_t query[] = "\x12\x34\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00\x03www\x07"
                               "example\x03org\x00\x00\x01\x00\x01";

static void read_data(const char *name, uint8_t **data, size_t *len)
{
    char path[512];

    (void)snprintf(path, sizeof path, "%s/tests/data/%s", getenv("srcdir") ? getenv("srcdir") : ".",
                   name);
    assert_int_equal(wspi_file_read(path, 1 << 20, data, len, NULL), WSP_OK);
}

static wsp_mutator *mutator(wsp_mutator_form form, uint64_t seed)
{
    wsp_mutator_options o = {.seed = seed, .form = form, .port = 53};
    wsp_mutator *m;

    assert_int_equal(wsp_mutator_new(&m, &o), WSP_OK);
    return m;
}

static void captures_stay_captures_and_seldom_stay_the_same(void **state)
{
    wsp_mutator *m = mutator(WSP_MUTATE_PCAP, 1);
    uint8_t *data, *other;
    const uint8_t *out;
    size_t len, other_len, n, changed = 0, sums = 0, ip = 0;
    wspi_input in = {.n = 0};
    wsp_packet *p;

    (void)state;
    read_data("dns.pcap", &data, &len);
    read_data("ntp.pcap", &other, &other_len);
    assert_int_equal(wsp_packet_new(&p), WSP_OK);
    for (size_t i = 0; i < TIMES; i++) {
        assert_int_equal(wsp_mutator_mutate(m, data, len, other, other_len, MOST, &out, &n),
                         WSP_OK);
        assert_true(n > 0 && n <= MOST);
        assert_true(wspi_input_read(&in, WSP_MUTATE_PCAP, 0, false, out, n));
        changed += n != len || memcmp(out, data, len) != 0;
        for (size_t k = 0; k < in.n; k++) {
            wsp_frame f = wspi_input_frame(&in, k);
            wsp_packet_dissect(p, 1, &f);
            for (size_t j = 0; j < p->n_layers; j++)
                if (p->layers[j].id == WSPI_IPV4) {
                    ip++;
                    sums += p->layers[j].autos >> WSPI_IPV4_CKSUM & 1;
                }
        }
    }
    assert_true(changed > TIMES * 9 / 10);
    assert_true(ip > TIMES && sums > ip * 9 / 10);
    wspi_buf_clear(&in.bytes);
    wsp_packet_free(p);
    wsp_mutator_free(m);
    free(data);
    free(other);
}

/* What a server of the port would still take for its protocol. */
static void payloads_stay_messages_for_the_most_part(void **state)
{
    wsp_mutator *m = mutator(WSP_MUTATE_PAYLOAD, 2);
    const uint8_t *out;
    size_t n, messages = 0, changed = 0;

    (void)state;
    for (size_t i = 0; i < TIMES; i++) {
        assert_int_equal(wsp_mutator_mutate(m, query, sizeof query - 1, NULL, 0, 512, &out, &n),
                         WSP_OK);
        assert_true(n > 0 && n <= 512);
        changed += n != sizeof query - 1 || memcmp(out, query, n) != 0;
        messages += n >= 12 && out[4] == 0 && out[5] >= 1 && out[5] < 16;
    }
    assert_true(changed > TIMES * 8 / 10);
    assert_true(messages > TIMES / 2);
    wsp_mutator_free(m);
}

static void the_same_inputs_and_seed_give_the_same_outputs(void **state)
{
    wsp_mutator *a = mutator(WSP_MUTATE_PCAP, 3), *b = mutator(WSP_MUTATE_PCAP, 3);
    uint8_t *data;
    const uint8_t *x, *y;
    size_t len, n, k;

    (void)state;
    read_data("tls.pcap", &data, &len);
    for (size_t i = 0; i < 50; i++) {
        assert_int_equal(wsp_mutator_mutate(a, data, len, NULL, 0, MOST, &x, &n), WSP_OK);
        assert_int_equal(wsp_mutator_mutate(b, data, len, NULL, 0, MOST, &y, &k), WSP_OK);
        assert_int_equal(n, k);
        assert_memory_equal(x, y, n);
    }
    wsp_mutator_free(a);
    wsp_mutator_free(b);
    free(data);
}

/* Is there a packet with a right UDP checksum and these bytes? */
static bool has(wsp_packet *p, const uint8_t *data, size_t len, const char *bytes, size_t n)
{
    wspi_input in = {.n = 0};
    bool found = false;

    assert_true(wspi_input_read(&in, WSP_MUTATE_PCAP, 0, false, data, len));
    for (size_t i = 0; i < in.n && !found; i++) {
        wsp_frame f = wspi_input_frame(&in, i);
        wsp_packet_dissect(p, 1, &f);
        for (size_t j = 0; j < p->n_layers; j++)
            if (p->layers[j].id == WSPI_UDP && p->layers[j].autos >> WSPI_UDP_CKSUM & 1 &&
                p->layers[j].autos >> WSPI_UDP_LEN & 1)
                found = memmem(f.data, f.caplen, bytes, n) != NULL;
    }
    wspi_buf_clear(&in.bytes);
    return found;
}

static void trimming_leaves_what_is_asked_for_in_whole_packets(void **state)
{
    static const char name[] = "\7example\3org"; /* of a name in dns.pcap */
    wsp_mutator *m = mutator(WSP_MUTATE_PCAP, 5);
    size_t len, steps, n, best, done = 0, runs = 0;
    const uint8_t *out;
    uint8_t *data;
    wsp_packet *p;

    (void)state;
    read_data("dns.pcap", &data, &len);
    assert_int_equal(wsp_packet_new(&p), WSP_OK);
    assert_true(has(p, data, len, name, sizeof name - 1));
    best = len;
    assert_int_equal(wsp_mutator_trim(m, data, len, 10000, &steps), WSP_OK);
    assert_int_equal(steps, 10000);
    for (; done < steps; runs++) {
        bool kept;

        wsp_mutator_trim_next(m, &out, &n);
        assert_true(n > 0 && n < best);
        kept = has(p, out, n, name, sizeof name - 1);
        best = kept ? n : best;
        done = wsp_mutator_trim_told(m, kept);
    }
    assert_true(runs > 10 && runs < 200);
    /* the file's header, the packet's, Ethernet, IPv6, UDP, the name */
    assert_int_equal(best, 24 + 16 + 14 + 40 + 8 + sizeof name - 1);
    wsp_packet_free(p);
    wsp_mutator_free(m);
    free(data);
}

/* A payload of more bytes than a mutation may make: what is not wanted in its middle goes first. */
static void trimming_makes_long_payloads_short(void **state)
{
    enum { LONG = 60000 };
    wsp_mutator *m = mutator(WSP_MUTATE_PAYLOAD, 5);
    uint8_t *data = wspi_new_array(LONG, 1);
    size_t steps, n, best = LONG, done = 0;
    const uint8_t *out;

    (void)state;
    assert_non_null(data);
    data[10] = data[LONG - 10] = 0xc3;
    assert_int_equal(wsp_mutator_trim(m, data, LONG, 10000, &steps), WSP_OK);
    while (done < steps) {
        size_t found = 0;

        wsp_mutator_trim_next(m, &out, &n);
        for (size_t i = 0; i < n; i++)
            found += out[i] == 0xc3;
        best = found == 2 ? n : best;
        done = wsp_mutator_trim_told(m, found == 2);
    }
    assert_in_range(best, 2, 200);
    wsp_mutator_free(m);
    free(data);
}

static void trimming_takes_no_more_steps_than_it_may(void **state)
{
    wsp_mutator *m = mutator(WSP_MUTATE_PAYLOAD, 6);
    size_t steps, done = 0, runs = 0;

    (void)state;
    assert_int_equal(wsp_mutator_trim(m, query, sizeof query - 1, 3, &steps), WSP_OK);
    for (; done < steps; runs++)
        done = wsp_mutator_trim_told(m, false);
    assert_int_equal(runs, 3);
    assert_int_equal(wsp_mutator_trim(m, query, 0, 3, &steps), WSP_OK);
    assert_int_equal(steps, 0);
    wsp_mutator_free(m);
}

static void names_of_another_message_come_with_their_lengths(void **state)
{
    static const uint8_t other[] = "\x12\x34\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00\x04mail\x03"
                                   "net\x00\x00\x01\x00\x01";
    wsp_mutator *m = mutator(WSP_MUTATE_PAYLOAD, 7);
    const uint8_t *out;
    size_t n, parts = 0, whole = 0;

    (void)state;
    for (size_t i = 0; i < 20 * TIMES; i++) {
        const char *did;

        assert_int_equal(
            wsp_mutator_mutate(m, query, sizeof query - 1, other, sizeof other - 1, 512, &out, &n),
            WSP_OK);
        did = wsp_mutator_did(m);
        assert_true(*did && strlen(did) < 128 && !strpbrk(did, " /\n"));
        if (strcmp(did, "part=dns.additionals:text") != 0)
            continue;
        parts++;
        whole += n >= 20 && memmem(out, n, "\4mail\3net", 9) && out[0] == 0x12 && out[5] == 1;
    }
    assert_true(parts > 10);
    assert_int_equal(whole, parts);
    wsp_mutator_free(m);
}

/* A length that no sample has, before what is drawn: once a division by zero. */
static void messages_are_drawn_after_lengths_that_samples_have_not(void **state)
{
    static const uint8_t solicit[] = {1, 0x12, 0x34, 0x56, 0, 1, 0, 10, 0, 3,  0, 1, 2, 0, 0, 0,
                                      0, 1,    0,    6,    0, 4, 0, 23, 0, 24, 0, 8, 0, 2, 0, 0,
                                      0, 3,    0,    12,   0, 0, 0, 1,  0, 0,  0, 0, 0, 0, 0, 0};
    wsp_mutator_options o = {.form = WSP_MUTATE_PAYLOAD, .port = 547};
    const uint8_t *out;
    size_t n;

    (void)state;
    for (o.seed = 0; o.seed < 8; o.seed++) {
        wsp_mutator *m;

        assert_int_equal(wsp_mutator_new(&m, &o), WSP_OK);
        for (size_t i = 0; i < 1000; i++)
            assert_int_equal(
                wsp_mutator_mutate(m, solicit, sizeof solicit, NULL, 0, 4096, &out, &n), WSP_OK);
        wsp_mutator_free(m);
    }
}

static void every_prefix_and_no_bytes_are_safe(void **state)
{
    wsp_mutator *m[] = {mutator(WSP_MUTATE_PCAP, 4), mutator(WSP_MUTATE_FRAME, 4),
                        mutator(WSP_MUTATE_PAYLOAD, 4)};
    uint8_t *data;
    const uint8_t *out;
    size_t len, n;

    (void)state;
    read_data("edge-options.pcap", &data, &len);
    len = WSPI_MIN(len, (size_t)600);
    for (size_t i = 0; i <= len; i++)
        for (size_t k = 0; k < WSPI_COUNT(m); k++) {
            assert_int_equal(wsp_mutator_mutate(m[k], data, i, data, i / 2, 256, &out, &n), WSP_OK);
            assert_true(n <= 256);
        }
    for (size_t k = 0; k < WSPI_COUNT(m); k++)
        wsp_mutator_free(m[k]);
    free(data);
}

static void no_output_is_longer_than_it_may_be(void **state)
{
    static const size_t most[] = {0, 1, 10, 23, 24, 25, 39, 40, 41, 60, 100, 200};
    wsp_mutator *m[] = {mutator(WSP_MUTATE_PCAP, 5), mutator(WSP_MUTATE_FRAME, 5),
                        mutator(WSP_MUTATE_PAYLOAD, 5)};
    uint8_t *data;
    const uint8_t *out;
    size_t len, n;

    (void)state;
    read_data("ntp.pcap", &data, &len);
    for (size_t i = 0; i < WSPI_COUNT(most) * 50; i++)
        for (size_t k = 0; k < WSPI_COUNT(m); k++) {
            size_t max = most[i % WSPI_COUNT(most)];

            assert_int_equal(wsp_mutator_mutate(m[k], data, len, data, len, max, &out, &n), WSP_OK);
            assert_true(n <= max && (n > 0 || max == 0));
        }
    for (size_t k = 0; k < WSPI_COUNT(m); k++)
        wsp_mutator_free(m[k]);
    free(data);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(captures_stay_captures_and_seldom_stay_the_same),
        cmocka_unit_test(payloads_stay_messages_for_the_most_part),
        cmocka_unit_test(the_same_inputs_and_seed_give_the_same_outputs),
        cmocka_unit_test(trimming_leaves_what_is_asked_for_in_whole_packets),
        cmocka_unit_test(trimming_makes_long_payloads_short),
        cmocka_unit_test(trimming_takes_no_more_steps_than_it_may),
        cmocka_unit_test(names_of_another_message_come_with_their_lengths),
        cmocka_unit_test(messages_are_drawn_after_lengths_that_samples_have_not),
        cmocka_unit_test(no_output_is_longer_than_it_may_be),
        cmocka_unit_test(every_prefix_and_no_bytes_are_safe),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
