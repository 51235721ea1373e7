/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of lib/task/change.c and rate.c on the recorded captures of tests/data. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/base.h"
#include "wirespeak/task.h"

static wsp_input *open_capture(const char *name)
{
    const char *top = getenv("top_srcdir");
    char path[1024];
    const char *const paths[] = {path};
    wsp_input_options opt = wsp_input_options_default();
    wsp_input *in = NULL;

    (void)snprintf(path, sizeof path, "%s/tests/data/%s.pcap", top ? top : ".", name);
    assert_int_equal(wsp_input_new(&in, paths, 1, &opt, NULL), WSP_OK);
    return in;
}

/* What becomes of a capture: packets that stay, their bytes, flows that they make, flows whose old name is not theirs. */
typedef struct outcome {
    size_t packets, bytes, payload, flows, renamed;
} outcome;

static outcome change_capture(const char *name, const char *how)
{
    wsp_input *in = open_capture(name);
    wsp_capture_info info;
    wsp_changer *c = NULL;
    wsp_change change;
    wsp_packet *p = NULL;
    wsp_flow_table *flows = NULL, *before = NULL;
    wsp_frame frame, out;
    outcome o = {0};

    assert_int_equal(wsp_change_parse(how, &change), WSP_OK);
    assert_int_equal(wsp_changer_new(&c, &change), WSP_OK);
    assert_int_equal(wsp_packet_new(&p), WSP_OK);
    assert_int_equal(wsp_flow_table_new(&flows, NULL), WSP_OK);
    assert_int_equal(wsp_flow_table_new(&before, NULL), WSP_OK);
    assert_int_equal(wsp_input_open_next(in, &info, NULL), WSP_OK);
    while (wsp_input_next(in, &frame, NULL) == WSP_OK) {
        const uint8_t *payload;
        size_t caplen, wirelen, n;
        wsp_status st = wsp_changer_frame(c, 0, info.linktype, &frame, &out);
        wsp_flow_key key;
        wsp_flow *flow;
        int dir;
        if (st == WSP_EOF)
            continue;
        assert_int_equal(st, WSP_OK);
        assert_int_equal(out.wirelen, frame.wirelen);
        wsp_packet_dissect(p, info.linktype, &out);
        wsp_packet_payload(p, &payload, &caplen, &wirelen);
        n = wsp_flow_table_count(flows);
        assert_int_equal(wsp_flow_table_add(flows, wsp_packet_key(p), 0, 1, 0, &flow, &dir),
                         WSP_OK);
        o.flows += wsp_flow_table_count(flows) > n;
        key = wsp_changer_key(c, wsp_packet_key(p));
        o.renamed +=
            wsp_flow_table_count(flows) > n && memcmp(&key, wsp_packet_key(p), sizeof key) != 0;
        wsp_packet_dissect(p, info.linktype,
                           &frame); /* the old name is that of the packet as it was */
        n = wsp_flow_table_count(before);
        assert_int_equal(wsp_flow_table_add(before, wsp_packet_key(p), 0, 1, 0, &flow, &dir),
                         WSP_OK);
        n = wsp_flow_table_count(before);
        assert_int_equal(wsp_flow_table_add(before, &key, 0, 1, 0, &flow, &dir), WSP_OK);
        assert_int_equal(wsp_flow_table_count(before), n);
        o.packets++;
        o.bytes += out.caplen;
        o.payload += caplen;
    }
    wsp_flow_table_free(flows);
    wsp_flow_table_free(before);
    wsp_packet_free(p);
    wsp_changer_free(c);
    wsp_input_free(in);
    return o;
}

static void changes_are_read_from_words_and_nothing_else(void **state)
{
    static const char *const wrong[] = {
        "",        "forge",   "forged=1", "snaplen", "snaplen=", "snaplen=0", "skip=-1",
        "skip=1x", "skip= 1", "lost",     "lost=0",  "lost=100", "client=1"};
    wsp_change c;

    (void)state;
    assert_int_equal(wsp_change_parse("skip=10", &c), WSP_OK);
    assert_int_equal(c.kind, WSP_CHANGE_SKIP);
    assert_int_equal(c.n, 10);
    assert_int_equal(wsp_change_parse("headers", &c), WSP_OK);
    assert_int_equal(c.kind, WSP_CHANGE_HEADERS);
    for (size_t i = 0; i < WSPI_COUNT(wrong); i++)
        assert_int_equal(wsp_change_parse(wrong[i], &c), WSP_ERR_ARG);
}

static void each_change_takes_what_it_says(void **state)
{
    outcome whole = change_capture("http", "none"), cut = change_capture("http", "snaplen=96");
    outcome late = change_capture("http", "skip=3"), later = change_capture("http", "skip=2");
    outcome bare = change_capture("http", "headers");

    (void)state;
    assert_int_equal(whole.renamed, 0);
    assert_in_range(whole.payload, 1, whole.bytes);
    assert_int_equal(cut.packets, whole.packets);
    assert_in_range(cut.bytes, 1, 96 * cut.packets);
    assert_int_equal(late.packets,
                     later.packets - later.flows); /* each that is left lost one more */
    assert_in_range(late.flows, 2,
                    whole.flows - 1); /* the two of HTTP stay, shorter ones are gone */
    assert_int_equal(bare.packets, whole.packets);
    assert_int_equal(bare.payload, 0);
    assert_int_equal(bare.bytes, whole.bytes - whole.payload);
}

static void each_way_and_what_is_lost_add_up(void **state)
{
    outcome whole = change_capture("http", "none");
    outcome client = change_capture("http", "client"), server = change_capture("http", "server");
    outcome lost = change_capture("http", "lost=50"), again = change_capture("http", "lost=50");

    (void)state;
    assert_int_equal(client.packets + server.packets, whole.packets);
    assert_int_equal(client.bytes + server.bytes, whole.bytes);
    assert_int_equal(client.flows, whole.flows); /* all have a first packet */
    assert_in_range(server.flows, 1, client.flows);
    assert_in_range(client.payload, 1,
                    server.payload); /* pages are longer than what asks for them */
    assert_in_range(lost.packets, whole.packets / 4, whole.packets * 3 / 4);
    assert_int_equal(lost.bytes, again.bytes);
    assert_in_range(change_capture("http", "lost=5").packets, whole.packets * 4 / 5, whole.packets);
}

static void forged_flows_are_known_by_their_old_names(void **state)
{
    outcome whole = change_capture("dns", "none"), forged = change_capture("dns", "forged");

    (void)state;
    assert_int_equal(forged.packets, whole.packets);
    assert_int_equal(forged.flows, whole.flows);
    assert_in_range(forged.renamed, 1, forged.flows);
    assert_int_equal(forged.bytes, whole.bytes);
}

/* A list of one flow of the capture, written beside the test. */
static wsp_labels *list_first_flow(const char *name, const char *label)
{
    wsp_input *in = open_capture(name);
    wsp_capture_info info;
    wsp_packet *p = NULL;
    wsp_labels *l = NULL;
    wsp_frame frame;
    const wsp_flow_key *k;
    FILE *f = fopen("test_change.tsv", "w");

    assert_non_null(f);
    assert_int_equal(wsp_packet_new(&p), WSP_OK);
    assert_int_equal(wsp_input_open_next(in, &info, NULL), WSP_OK);
    do {
        assert_int_equal(wsp_input_next(in, &frame, NULL), WSP_OK);
        wsp_packet_dissect(p, info.linktype, &frame);
        k = wsp_packet_key(p);
    } while (k->proto != 6 || k->addr_len != 4);
    (void)fprintf(f, "path\tlabel\tl4\tip_a\tport_a\tip_b\tport_b\n%s.pcap\t%s\t6", name, label);
    for (size_t side = 0; side < 2; side++)
        (void)fprintf(f, "\t%d.%d.%d.%d\t%u", k->addr[side][0], k->addr[side][1], k->addr[side][2],
                      k->addr[side][3], k->port[side]);
    (void)fputs("\n", f);
    assert_int_equal(fclose(f), 0);
    wsp_packet_free(p);
    wsp_input_free(in);
    assert_int_equal(wsp_labels_load(&l, "test_change.tsv", NULL), WSP_OK);
    (void)remove("test_change.tsv");
    return l;
}

static wsp_label_rate rate_of(const wsp_labels *l, const char *name, const char *how)
{
    wsp_rate_options opt = {.labels = l};
    wsp_input *in = open_capture(name);
    wsp_label_rate rate;

    assert_int_equal(wsp_change_parse(how, &opt.change), WSP_OK);
    assert_int_equal(wsp_label_rate_of(in, &opt, &rate, NULL), WSP_OK);
    wsp_input_free(in);
    return rate;
}

static void the_label_rate_falls_when_payload_is_missing(void **state)
{
    wsp_labels *l = list_first_flow("http", "HTTP"), *other = list_first_flow("http", "SSH"),
               *smb = list_first_flow("smb", "SMBv1");
    wsp_label_rate rate = rate_of(l, "http", "none");

    (void)state;
    assert_int_equal(rate.flows, 1);
    assert_int_equal(rate.told, 1);
    assert_int_equal(rate.right, 1);
    assert_int_equal(rate_of(other, "http", "none").told, 1);
    assert_int_equal(rate_of(other, "http", "none").right, 0);
    assert_int_equal(rate_of(l, "http", "forged").flows, 1);
    assert_int_equal(rate_of(smb, "smb", "none").right,
                     1); /* nDPI: NetBIOS, which carries SMBv23 */
    rate = rate_of(l, "http", "headers");
    assert_int_equal(rate.flows, 1);
    assert_int_equal(rate.told, 0);
    wsp_labels_free(l);
    wsp_labels_free(other);
    wsp_labels_free(smb);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(changes_are_read_from_words_and_nothing_else),
        cmocka_unit_test(each_change_takes_what_it_says),
        cmocka_unit_test(each_way_and_what_is_lost_add_up),
        cmocka_unit_test(forged_flows_are_known_by_their_old_names),
        cmocka_unit_test(the_label_rate_falls_when_payload_is_missing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
