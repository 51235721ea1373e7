/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_wrap.c: frames inside Geneve, VXLAN-GPE, TZSP, ERSPAN, E-tags, VN-tags and IEEE 802.11: the tokens of the frame inside as if captured by itself,
 * every byte back, keys, forging; cut, damaged and odd wraps.
 */
#include "task/task_int.h"
#include "wirespeak/flow.h"
#include "wraps.h"

static void the_frame_inside_has_the_tokens_that_it_has_alone(void **state)
{
    tokens bare[FRAMES], t;
    uint8_t b[512];
    wsp_frame f;
    wire w;

    (void)state;
    wire_open(&w);
    for (size_t i = 0; i < FRAMES; i++) {
        f = frame_of(b, native(b, i), i);
        code(&w, ETHERNET, &f, (int)(i % 2), &bare[i]);
    }
    for (size_t k = 0; k < WSPI_COUNT(kinds); k++) {
        wsp_context_init(w.enc, kinds[k].linktype);
        wsp_context_init(w.dec, kinds[k].linktype);
        w.number = 0;
        for (size_t i = 0; i < FRAMES; i++) {
            size_t trailer = kinds[k].tail && i < 2, at = 0;
            f = frame_of(b, put_wrapped(&kinds[k], b, i), i);
            code(&w, kinds[k].linktype, &f, (int)(i % 2), &t);
            /* a check sequence is a trailer: each direction says once that there is one */
            if (t.n != bare[i].n + trailer)
                print_message("%s\n", kinds[k].name);
            assert_int_equal(t.n, bare[i].n + trailer);
            for (size_t j = 0; j < bare[i].n; j++, at++) {
                char name[128];
                if (trailer &&
                    strcmp(wsp_vocab_name(t.ids[at], name, sizeof name), "frame.trailer=data") == 0)
                    at++;
                assert_int_equal(t.ids[at], bare[i].ids[j]);
            }
        }
    }
    wire_close(&w);
}

static void the_flow_is_that_of_the_frame_inside(void **state)
{
    wsp_flow_key alone, key;
    uint8_t b[512];
    wsp_packet *p;
    wsp_frame f;

    (void)state;
    assert_int_equal(wsp_packet_new(&p), WSP_OK);
    for (size_t k = 0; k < WSPI_COUNT(kinds); k++) {
        uint32_t scope[2];
        for (size_t i = 0; i < 2; i++) {
            f = frame_of(b, native(b, i), i);
            wsp_packet_dissect(p, ETHERNET, &f);
            alone = *wsp_packet_key(p);
            f = frame_of(b, put_wrapped(&kinds[k], b, i), i);
            wsp_packet_dissect(p, kinds[k].linktype, &f);
            key = *wsp_packet_key(p);
            scope[i] = key.scope;
            key.scope = alone.scope;
            assert_memory_equal(&key, &alone, sizeof key);
        }
        assert_int_equal(scope[0], scope[1]); /* ports of tags differ by direction */
        /* tunnels and VLANs are told from what is outside of them */
        assert_int_equal(scope[0] != 0, k < 9);
    }
    wsp_packet_free(p);
}

static void networks_of_geneve_are_apart_and_its_vlans_are_known(void **state)
{
    wsp_flow_key key;
    uint8_t b[512], tagged[512];
    uint16_t vlan[4];
    wsp_packet *p;
    wsp_frame f;
    size_t n;

    (void)state;
    assert_int_equal(wsp_packet_new(&p), WSP_OK);
    n = put_wrapped(kind_of("Geneve"), b, 0);
    f = frame_of(b, n, 0);
    wsp_packet_dissect(p, ETHERNET, &f);
    key = *wsp_packet_key(p);
    assert_int_equal(wsp_packet_vlans(p, vlan, 4), 0);
    b[48]++;
    wsp_packet_dissect(p, ETHERNET, &f);
    assert_int_not_equal(key.scope, wsp_packet_key(p)->scope);
    memcpy(tagged, b, 12);
    memcpy(tagged + 12, "\x81\0\0\x2a", 4);
    memcpy(tagged + 16, b + 12, n - 12);
    f = frame_of(tagged, n + 4, 0);
    wsp_packet_dissect(p, ETHERNET, &f);
    assert_int_equal(wsp_packet_vlans(p, vlan, 4), 1);
    assert_int_equal(vlan[0], 42);
    assert_int_equal(wsp_packet_key(p)->port[1], 53);
    wsp_packet_free(p);
}

static void vlans_before_a_port_tag_are_known(void **state)
{
    uint8_t b[512];
    uint16_t vlan[4];
    wsp_packet *p;
    wsp_frame f;

    (void)state;
    assert_int_equal(wsp_packet_new(&p), WSP_OK);
    f = frame_of(b, put_wrapped(kind_of("VN-tag behind two"), b, 0), 0);
    wsp_packet_dissect(p, ETHERNET, &f);
    assert_int_equal(wsp_packet_vlans(p, vlan, 4), 2);
    assert_int_equal(vlan[0], 7);
    assert_int_equal(vlan[1], 9);
    wsp_packet_free(p);
}

/* A protocol field of one byte, with the framing of HDLC or without, before a packet that is coded as raw IP is. */
static void compressed_ppp_has_the_tokens_of_the_packet(void **state)
{
    static const struct {
        const char *head;
        size_t n;
    } heads[] = {{BYTES("\x21")}, {BYTES("\xff\3\x21")}};
    enum { PPP = 9, RAW = 101 };
    tokens bare[FRAMES], t;
    uint8_t b[512], frame[256];
    wsp_frame f;
    wire w;

    (void)state;
    wire_open(&w);
    wsp_context_init(w.enc, RAW);
    wsp_context_init(w.dec, RAW);
    for (size_t i = 0; i < FRAMES; i++) {
        f = frame_of(frame + 14, native(frame, i) - 14, i);
        code(&w, RAW, &f, (int)(i % 2), &bare[i]);
    }
    for (size_t h = 0; h < WSPI_COUNT(heads); h++) {
        wsp_context_init(w.enc, PPP);
        wsp_context_init(w.dec, PPP);
        w.number = 0;
        for (size_t i = 0; i < FRAMES; i++) {
            size_t n = native(frame, i) - 14;
            memcpy(b, heads[h].head, heads[h].n);
            memcpy(b + heads[h].n, frame + 14, n);
            f = frame_of(b, heads[h].n + n, i);
            code(&w, PPP, &f, (int)(i % 2), &t);
            assert_int_equal(t.n, bare[i].n);
            assert_memory_equal(t.ids, bare[i].ids, t.n * sizeof *t.ids);
            assert_int_equal(wsp_packet_key(w.packet)->port[i % 2 == 0], 53);
        }
        for (size_t cut = 0; cut < f.wirelen; cut++) {
            wsp_context_init(w.enc, PPP);
            wsp_context_init(w.dec, PPP);
            f.caplen = (uint32_t)cut;
            code(&w, PPP, &f, 0, &t);
        }
    }
    wire_close(&w);
}

static void compressed_ppp_that_holds_something_else_is_opaque(void **state)
{
    uint8_t b[] = {0x21, 0x60, 0, 0, 0, 0, 0, 0};
    wsp_frame f = frame_of(b, sizeof b, 0);
    wsp_packet *p;

    (void)state;
    assert_int_equal(wsp_packet_new(&p), WSP_OK);
    wsp_packet_dissect(p, 9, &f); /* IPv4 by its number, not by its version */
    assert_int_equal(p->wrap.n, 0);
    b[0] = 0x2d; /* compressed TCP */
    wsp_packet_dissect(p, 9, &f);
    assert_int_equal(p->wrap.n, 0);
    assert_int_equal(p->payload_len, sizeof b);
    b[0] = 0x57;
    wsp_packet_dissect(p, 9, &f);
    assert_int_equal(p->wrap.n, 1);
    wsp_packet_free(p);
}

static void geneve_may_wrap_ip_packets(void **state)
{
    uint8_t frame[256], b[512];
    wsp_packet *p;
    wsp_frame f;
    tokens t;
    wire w;
    size_t len = native(frame, 0) - 14, n;

    (void)state;
    wire_open(&w);
    assert_int_equal(wsp_packet_new(&p), WSP_OK);
    n = put_geneve_of(b, "", 0, len, 0x0800);
    memcpy(b + n, frame + 14, len);
    f = frame_of(b, n + len, 0);
    wsp_packet_dissect(p, ETHERNET, &f);
    assert_int_equal(wsp_packet_key(p)->port[1], 53);
    code(&w, ETHERNET, &f, 0, &t);
    b[n + 3]++; /* its length is not the datagram's */
    wsp_packet_dissect(p, ETHERNET, &f);
    assert_int_equal(wsp_packet_key(p)->port[1], 6081);
    wsp_packet_free(p);
    wire_close(&w);
}

/* ---- what is no wrap ---- */

static void tunnels_over_udp_that_say_something_else_are_not_taken_off(void **state)
{
    static const struct {
        const char *head;
        size_t n;
    } heads[] = {{BYTES("\x08\0\0\3\0\0\x4d\0")}, /* VXLAN has no next protocol */
                 {BYTES("\x0d\0\0\3\0\0\x4d\0")}, /* operations */
                 {BYTES("\x0c\0\0\4\0\0\x4d\0")}, /* a service header */
                 {BYTES("\x0c\0\0\3\0\0\x4d\1")}, {BYTES("\2\0\0\1\1")}, /* version */
                 {BYTES("\1\1\0\1\1")},                                  /* to be sent */
                 {BYTES("\1\0\0\x12\1")},                                /* IEEE 802.11 */
                 {BYTES("\1\0\0\1\x0a\xff\xc8")}};                       /* no last tag */
    uint8_t frame[256], b[512];
    size_t len = native(frame, 0);
    wsp_packet *p;
    wsp_frame f;

    (void)state;
    assert_int_equal(wsp_packet_new(&p), WSP_OK);
    for (size_t i = 0; i < WSPI_COUNT(heads); i++) {
        size_t n = put_over_udp(b, 9999, heads[i].head, heads[i].n, len);
        memcpy(b + n, frame, len);
        f = frame_of(b, n + len, 0);
        wsp_packet_dissect(p, ETHERNET, &f);
        assert_int_equal(wsp_packet_key(p)->port[1], 9999);
    }
    wsp_packet_free(p);
}

static void cut_and_damaged_frames_come_back(void **state)
{
    uint8_t b[512];
    wsp_frame f;
    tokens t;
    wire w;

    (void)state;
    wire_open(&w);
    for (size_t k = 0; k < WSPI_COUNT(kinds); k++) {
        size_t n = put_wrapped(&kinds[k], b, 0);
        for (size_t cut = 0; cut <= n; cut++) {
            for (size_t told = 0; told <= n; told += cut ? cut : n) { /* also less than captured */
                wsp_context_init(w.enc, kinds[k].linktype);
                wsp_context_init(w.dec, kinds[k].linktype);
                f = frame_of(b, cut, 0);
                f.wirelen = (uint32_t)told;
                code(&w, kinds[k].linktype, &f, 0, &t);
            }
        }
        for (size_t bit = 0; bit < 8 * n; bit++) {
            b[bit / 8] ^= (uint8_t)(1 << bit % 8);
            wsp_context_init(w.enc, kinds[k].linktype);
            wsp_context_init(w.dec, kinds[k].linktype);
            f = frame_of(b, n, 0);
            code(&w, kinds[k].linktype, &f, 0, &t);
            b[bit / 8] ^= (uint8_t)(1 << bit % 8);
        }
    }
    wire_close(&w);
}

/* The frame inside has fewer bytes than the captured one, but for a header that is made for it. */
static void frames_of_any_length_on_the_wire_come_back(void **state)
{
    static const uint32_t lengths[] = {0x7fffffff, 0xffffff00, 0xfffffff1, UINT32_MAX};
    uint8_t b[512];
    tokens t;
    wire w;

    (void)state;
    wire_open(&w);
    for (size_t k = 0; k < WSPI_COUNT(kinds); k++)
        for (size_t i = 0; i < WSPI_COUNT(lengths); i++) {
            wsp_frame f = frame_of(b, put_wrapped(&kinds[k], b, 0), 0);

            wsp_context_init(w.enc, kinds[k].linktype);
            wsp_context_init(w.dec, kinds[k].linktype);
            f.wirelen = lengths[i];
            code(&w, kinds[k].linktype, &f, 0, &t);
        }
    wire_close(&w);
}

static void frames_of_radio_that_are_not_plain_data_are_opaque(void **state)
{
    static const struct {
        const char *what;
        uint8_t at, and, or ;
    } changes[] = {{"protected", 1, 0xff, 0x40},
                   {"more fragments", 1, 0xff, 4},
                   {"a later fragment", 22, 0xff, 1},
                   {"management", 0, 0xf3, 0},
                   {"control", 0, 0xf3, 4},
                   {"no data", 0, 0xff, 0x40},
                   {"version", 0, 0xff, 1},
                   {"no SNAP", 24, 0, 0x42},
                   {"another organisation", 29, 0, 7},
                   {"a length", 30, 0, 4}};
    uint8_t b[512];
    wsp_packet *p;
    wsp_frame f;

    (void)state;
    assert_int_equal(wsp_packet_new(&p), WSP_OK);
    for (size_t i = 0; i < WSPI_COUNT(changes); i++) {
        f = frame_of(b, put_wrapped(kind_of("802.11"), b, 0), 0);
        wsp_packet_dissect(p, WIFI, &f);
        assert_int_equal(p->n_layers, 3);
        b[changes[i].at] = (uint8_t)((b[changes[i].at] & changes[i].and) | changes[i].or);
        wsp_packet_dissect(p, WIFI, &f);
        if (p->n_layers)
            print_message("%s\n", changes[i].what);
        assert_int_equal(p->n_layers, 0);
        assert_int_equal(p->payload_len, f.caplen);
        assert_int_equal(wsp_packet_key(p)->addr_len, 0);
    }
    f = frame_of(b, put_wrapped(kind_of("802.11 relayed"), b, 0), 0);
    b[30] |= 0x80; /* several frames in one */
    wsp_packet_dissect(p, WIFI, &f);
    assert_int_equal(p->n_layers, 0);
    wsp_packet_free(p);
}

static void only_so_many_wraps_are_taken_off(void **state)
{
    static uint8_t b[2048];
    wsp_packet *p;
    wsp_frame f;
    tokens t;
    wire w;
    size_t n = 0;

    (void)state;
    wire_open(&w);
    assert_int_equal(wsp_packet_new(&p), WSP_OK);
    memset(b, 2, 12);
    for (n = 12; n < 12 + 6 * 8; n += 8)
        memcpy(b + n, "\x89\x3f\0\1\0\2\0\0", 8);
    n += native(b + n - 12, 0) - 12; /* over the last of its addresses: any will do */
    f = frame_of(b, n, 0);
    wsp_packet_dissect(p, ETHERNET, &f);
    assert_int_equal(p->wrap.n, WSPI_MAX_WRAPS);
    assert_int_equal(p->layers[0].v[2], 0x893f);
    code(&w, ETHERNET, &f, 0, &t);
    wsp_packet_free(p);
    wire_close(&w);
}

/* An ICMP error about a packet of a tunnel is a packet of its own. */
static void what_an_error_quotes_is_no_wrap(void **state)
{
    uint8_t quoted[512], b[600];
    size_t n = put_wrapped(kind_of("Geneve"), quoted, 0) - 14;
    wsp_packet *p;
    wsp_frame f;

    (void)state;
    assert_int_equal(wsp_packet_new(&p), WSP_OK);
    put_headers(b, 8 + n, 1, 1);
    memcpy(b + 34, "\3\3\0\0\0\0\0\0", 8);
    memcpy(b + 42, quoted + 14, n);
    f = frame_of(b, 42 + n, 0);
    wsp_packet_dissect(p, ETHERNET, &f);
    assert_int_equal(p->wrap.n, 0);
    assert_int_equal(wsp_packet_key(p)->proto, 1);
    wsp_packet_free(p);
}

static void residuals_that_lie_about_a_wrap_are_refused(void **state)
{
    uint8_t b[512], changed[1024];
    const uint8_t *at, *bytes;
    wsp_residual *r;
    wsp_decoded out;
    wsp_error err;
    wsp_frame f;
    tokens t;
    size_t used, len;
    wire w;

    (void)state;
    wire_open(&w);
    wsp_context_init(w.enc, WIFI);
    assert_int_equal(wsp_residual_new(&r), WSP_OK);
    f = frame_of(b, put_wrapped(kind_of("802.11"), b, 0), 0);
    wsp_packet_dissect(w.packet, WIFI, &f);
    assert_int_equal(wsp_encode_packet(w.enc, w.packet, 0, 0, t.ids, &t.n, r), WSP_OK);
    bytes = wsp_residual_data(r, &len);
    assert_int_equal(bytes[8], 0x81); /* behind the time */
    for (size_t i = 0; i < 3; i++) {
        memcpy(changed, bytes, len);
        if (i == 0)
            changed[8] = 0x83; /* no such wrap */
        else if (i == 1)
            changed[9] = 13; /* shorter than the header that was made for it */
        else
            put16(changed + 9, 0xffff); /* longer than what is there */
        wsp_context_init(w.dec, WIFI);
        at = changed;
        assert_int_equal(
            wsp_decode_packet(w.decoder, w.dec, t.ids, t.n, &used, &at, changed + len, &out, &err),
            WSP_ERR_FORMAT);
    }
    wsp_residual_free(r);
    wire_close(&w);
}

/* ---- who works on frames ---- */

static void forged_frames_have_forged_wraps(void **state)
{
    for (size_t k = 0; k < WSPI_COUNT(kinds); k++) {
        uint8_t b[512], frame[256];
        wsp_forger *alone, *f;
        wsp_frame in, out, bare;
        wsp_packet *p, *q;
        uint32_t at;

        (void)state;
        assert_int_equal(wsp_forger_new(&f, kinds[k].linktype, NULL), WSP_OK);
        assert_int_equal(wsp_forger_new(&alone, ETHERNET, NULL), WSP_OK);
        assert_int_equal(wsp_packet_new(&p), WSP_OK);
        assert_int_equal(wsp_packet_new(&q), WSP_OK);
        in = frame_of(frame, native(frame, 0), 0);
        assert_int_equal(wsp_forger_frame(alone, &in, &bare), WSP_OK);
        wsp_packet_dissect(q, ETHERNET, &bare);
        in = frame_of(b, put_wrapped(&kinds[k], b, 0), 0);
        assert_int_equal(wsp_forger_frame(f, &in, &out), WSP_OK);
        assert_int_equal(out.caplen, in.caplen);
        wsp_packet_dissect(p, kinds[k].linktype, &out);
        assert_true(p->wrap.n > 0);
        assert_int_equal(p->n_layers, q->n_layers);
        assert_memory_equal(p->data, q->data, q->payload_off);
        at = wspi_frame_at(p, p->payload_off);
        assert_memory_equal(out.data + at, in.data + at, in.caplen - at);
        /* no host of before is in the wrap */
        for (size_t i = 0; i + 6 <= p->wrap.len; i++)
            assert_false(memcmp(out.data + i, "\2\0\0\0\0", 5) == 0 && out.data[i + 5]);
        for (size_t i = 0; i < p->n_layers; i++)
            assert_int_equal(p->layers[i].autos, q->layers[i].autos);
        wsp_forger_free(f);
        wsp_forger_free(alone);
        wsp_packet_free(p);
        wsp_packet_free(q);
    }
}

/* A forger has no buffer then: there is no address to count from. */
static void empty_frames_come_back_and_are_forged(void **state)
{
    const uint8_t behind = 0;
    const wsp_frame empty = {.time_ns = 1, .wirelen = 60, .data = &behind};
    wsp_forger *f;
    wsp_frame out;
    tokens t;
    wire w;

    (void)state;
    wire_open(&w);
    for (size_t k = 0; k < WSPI_COUNT(kinds); k++) {
        wsp_context_init(w.enc, kinds[k].linktype);
        wsp_context_init(w.dec, kinds[k].linktype);
        code(&w, kinds[k].linktype, &empty, 0, &t);
        assert_int_equal(wsp_forger_new(&f, kinds[k].linktype, NULL), WSP_OK);
        assert_int_equal(wsp_forger_frame(f, &empty, &out), WSP_OK);
        assert_int_equal(out.caplen, 0);
        wsp_forger_free(f);
    }
    wire_close(&w);
}

static void headers_are_what_is_left_without_the_payload_inside(void **state)
{
    wsp_change change;
    wsp_changer *c;
    uint8_t b[512];
    wsp_frame in, out;

    (void)state;
    assert_int_equal(wsp_change_parse("headers", &change), WSP_OK);
    for (size_t k = 0; k < WSPI_COUNT(kinds); k++) {
        assert_int_equal(wsp_changer_new(&c, &change), WSP_OK);
        in = frame_of(b, put_wrapped(&kinds[k], b, 0), 0);
        assert_int_equal(wsp_changer_frame(c, 0, kinds[k].linktype, &in, &out), WSP_OK);
        assert_int_equal(in.caplen - out.caplen, sizeof dns - 1 + kinds[k].tail);
        assert_memory_equal(out.data, in.data, out.caplen);
        wsp_changer_free(c);
    }
}

static void link_types_of_radio_are_known(void **state)
{
    static const int types[] = {WIFI, PRISM, RADIOTAP, AVS, PPI};

    (void)state;
    for (size_t i = 0; i < WSPI_COUNT(types); i++)
        assert_true(wsp_packet_link("x", types[i]));
    assert_false(wsp_packet_link("x", 195));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_frame_inside_has_the_tokens_that_it_has_alone),
        cmocka_unit_test(the_flow_is_that_of_the_frame_inside),
        cmocka_unit_test(networks_of_geneve_are_apart_and_its_vlans_are_known),
        cmocka_unit_test(vlans_before_a_port_tag_are_known),
        cmocka_unit_test(compressed_ppp_has_the_tokens_of_the_packet),
        cmocka_unit_test(compressed_ppp_that_holds_something_else_is_opaque),
        cmocka_unit_test(geneve_may_wrap_ip_packets),
        cmocka_unit_test(tunnels_over_udp_that_say_something_else_are_not_taken_off),
        cmocka_unit_test(cut_and_damaged_frames_come_back),
        cmocka_unit_test(frames_of_any_length_on_the_wire_come_back),
        cmocka_unit_test(frames_of_radio_that_are_not_plain_data_are_opaque),
        cmocka_unit_test(only_so_many_wraps_are_taken_off),
        cmocka_unit_test(what_an_error_quotes_is_no_wrap),
        cmocka_unit_test(residuals_that_lie_about_a_wrap_are_refused),
        cmocka_unit_test(forged_frames_have_forged_wraps),
        cmocka_unit_test(empty_frames_come_back_and_are_forged),
        cmocka_unit_test(headers_are_what_is_left_without_the_payload_inside),
        cmocka_unit_test(link_types_of_radio_are_known),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
