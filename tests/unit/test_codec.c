/* SPDX-License-Identifier: Apache-2.0 */
/* test_codec.c: field tables, dissecting and building, the codec's round trip, grammar, policies, token files. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <stdio.h>
#include <unistd.h>

#include "token/token_int.h"

static const char *data_dir(void)
{
    static char path[512];
    const char *top = getenv("top_srcdir");

    (void)snprintf(path, sizeof path, "%s/tests/data", top ? top : ".");
    return path;
}

static void every_header_bit_belongs_to_one_field(void **state)
{
    (void)state;
    for (size_t l = 0; l < WSPI_PAYLOAD; l++) {
        const wspi_proto *p = wspi_protos[l];
        uint8_t used[64] = {0};
        unsigned bits = 0;
        bool option = p->option;
        for (size_t f = 0; f < p->n_fields; f++)
            for (unsigned b = p->fields[f].bit; b < p->fields[f].bit + p->fields[f].width; b++) {
                assert_false(used[b / 8] >> (b % 8) & 1);
                used[b / 8] |= (uint8_t)(1u << (b % 8));
                bits++;
            }
        if (option) /* kind and length are implied by the layer */
            assert_int_equal(bits, p->len > 2 ? (p->len - 2) * 8 : 0);
        else
            assert_int_equal(bits, p->len * 8);
        assert_true(p->n_fields <= WSPI_MAX_FIELDS);
    }
}

static void named_fields_are_where_the_code_expects_them(void **state)
{
    (void)state;
    assert_string_equal(wspi_protos[WSPI_ETH]->fields[WSPI_ETH_DST].name, "eth.dst");
    assert_string_equal(wspi_protos[WSPI_ETH]->fields[WSPI_ETH_SRC].name, "eth.src");
    assert_string_equal(wspi_protos[WSPI_IPV4]->fields[WSPI_IPV4_DST].name, "ipv4.dst");
    assert_string_equal(wspi_protos[WSPI_IPV4]->fields[WSPI_IPV4_CKSUM].name, "ipv4.cksum");
    assert_string_equal(wspi_protos[WSPI_IPV6]->fields[WSPI_IPV6_DST_IF].name, "ipv6.dst_if");
    assert_string_equal(wspi_protos[WSPI_TCP]->fields[WSPI_TCP_URG].name, "tcp.urg");
    assert_string_equal(wspi_protos[WSPI_VLAN]->fields[WSPI_VLAN_ID].name, "vlan.id");
    assert_string_equal(wspi_protos[WSPI_TCP]->fields[WSPI_TCP_CKSUM].name, "tcp.cksum");
    assert_string_equal(wspi_protos[WSPI_UDP]->fields[WSPI_UDP_CKSUM].name, "udp.cksum");
    assert_string_equal(wspi_protos[WSPI_ICMP]->fields[WSPI_ICMP_SEQ].name, "icmp.seq");
    assert_string_equal(wspi_protos[WSPI_ICMPV6]->fields[WSPI_ICMP_CKSUM].name, "icmpv6.cksum");
    assert_string_equal(wspi_protos[WSPI_IPV6_FRAG]->fields[WSPI_FRAG_ID].name, "ipv6.frag.id");
    assert_string_equal(wspi_protos[WSPI_IPV6_HOP]->fields[WSPI_IPV6_PART_LEN].name,
                        "ipv6.hop.len");
}

static void bits_go_in_and_out(void **state)
{
    uint8_t b[12];
    wspi_rng r;

    (void)state;
    wspi_rng_seed(&r, 1);
    for (int i = 0; i < 20000; i++) {
        unsigned width = 1 + (unsigned)wspi_rng_below(&r, 57),
                 bit = (unsigned)wspi_rng_below(&r, 8 * sizeof b - width + 1);
        uint64_t v = wspi_rng_u64(&r) >> (64 - width), before, after;
        for (size_t k = 0; k < sizeof b; k++)
            b[k] = (uint8_t)wspi_rng_u64(&r);
        before = bit ? wspi_bits_get(b, 0, WSPI_MIN(bit, 57u)) : 0;
        wspi_bits_put(b, bit, width, v);
        after = bit ? wspi_bits_get(b, 0, WSPI_MIN(bit, 57u)) : 0;
        assert_true(wspi_bits_get(b, bit, width) == v);
        assert_true(before == after);
    }
}

static void bins_cover_every_value_once(void **state)
{
    (void)state;
    for (unsigned m = 0; m <= 4; m++)
        for (uint64_t v = 0; v < 100000; v++) {
            unsigned bin = wspi_bin(v, m);
            uint64_t lo = wspi_bin_start(bin, m);
            assert_true(v >= lo && v - lo < UINT64_C(1) << wspi_bin_bits(bin, m));
        }
}

/* Short fields are never cut, and no range is long. */
static void ranges_cover_the_vocabulary(void **state)
{
    enum { MOST = 1024 };
    uint16_t first[MOST], one;
    size_t n = wsp_vocab_ranges(first, MOST), whole = 0;
    wsp_field_info f;

    (void)state;
    assert_in_range(n, 2, MOST - 1);
    assert_int_equal(wsp_vocab_ranges(&one, 1), n);
    assert_int_equal(one, 0);
    assert_int_equal(first[0], 0);
    first[n] = (uint16_t)wsp_vocab_size();
    for (size_t r = 0; r < n; r++)
        assert_in_range(first[r + 1] - first[r], 1, 128);
    for (size_t i = 0; wsp_field_get(i, &f); i++)
        for (size_t r = 0; f.n_tokens <= 96 && r < n; r++) {
            assert_true(first[r] <= f.first_token || first[r] >= f.first_token + f.n_tokens);
            whole++;
        }
    assert_true(whole > 0);
}

static void token_names_are_unique_and_fields_are_found(void **state)
{
    char a[96], b[96];
    uint8_t layer;
    size_t f;

    (void)state;
    assert_true(wsp_vocab_size() <= WSPI_VOCAB_MAX);
    for (unsigned i = 0; i < wsp_vocab_size(); i++) { /* names of a field stand together */
        unsigned last = WSPI_MIN(i + 300, wsp_vocab_size());

        wsp_vocab_name((uint16_t)i, a, sizeof a);
        for (unsigned k = i + 1; k < last; k++)
            assert_string_not_equal(a, wsp_vocab_name((uint16_t)k, b, sizeof b));
    }
    assert_true(wspi_token_field((uint16_t)wspi_field_base(WSPI_TCP, WSPI_TCP_WINDOW), &layer, &f));
    assert_int_equal(layer, WSPI_TCP);
    assert_int_equal(f, WSPI_TCP_WINDOW);
    assert_true(wsp_vocab_deviates(
        (uint16_t)(wspi_field_base(WSPI_IPV4, WSPI_IPV4_CKSUM) + WSPI_AUTO_VALUE)));
}

/* The first thing that a decoder writes may be a word of no letters (found by fuzzing, in IMAP's tag). */
static void no_bytes_have_a_place_in_an_empty_payload(void **state)
{
    wspi_buf out;
    wspi_coder c = {.pay.out = &out};

    (void)state;
    wspi_buf_init(&out, 16);
    assert_non_null(wspi_payload_room(&c, 0));
    assert_int_equal(out.len, 0);
    wspi_buf_clear(&out);
}

/* ---- round trip ---- */

typedef struct pair {
    wsp_context *enc, *dec;
} pair;

static pair pair_new(int linktype)
{
    pair p = {wspi_new_array(1, wsp_context_size()), wspi_new_array(1, wsp_context_size())};

    assert_non_null(p.enc);
    assert_non_null(p.dec);
    wsp_context_init(p.enc, linktype);
    wsp_context_init(p.dec, linktype);
    return p;
}

static void pair_free(pair p)
{
    free(p.enc);
    free(p.dec);
}

static void assert_round_trip(pair p, int linktype, const wsp_frame *f, int dir, uint64_t number)
{
    uint16_t ids[WSP_MAX_PACKET_TOKENS];
    wsp_residual *r;
    wsp_packet *pkt;
    wsp_decoder *d;
    wsp_decoded out;
    size_t n, used, len;
    const uint8_t *at, *end;

    assert_int_equal(wsp_residual_new(&r), WSP_OK);
    assert_int_equal(wsp_packet_new(&pkt), WSP_OK);
    assert_int_equal(wsp_decoder_new(&d), WSP_OK);
    wsp_packet_dissect(pkt, linktype, f);
    assert_int_equal(wsp_encode_packet(p.enc, pkt, dir, number, ids, &n, r), WSP_OK);
    at = wsp_residual_data(r, &len);
    end = at + len;
    assert_int_equal(wsp_decode_packet(d, p.dec, ids, n, &used, &at, end, &out, NULL), WSP_OK);
    assert_int_equal(used, n);
    assert_ptr_equal(at, end);
    assert_int_equal(out.dir, dir);
    assert_true(out.number == number && out.frame.time_ns == f->time_ns);
    assert_int_equal(out.frame.caplen, f->caplen);
    assert_int_equal(out.frame.wirelen, f->wirelen);
    if (f->caplen)
        assert_memory_equal(out.frame.data, f->data, f->caplen);
    assert_memory_equal(p.enc, p.dec, wsp_context_size());
    wsp_decoder_free(d);
    wsp_packet_free(pkt);
    wsp_residual_free(r);
}

static void walk_captures(const char *path, size_t *packets)
{
    wsp_input_options opt = wsp_input_options_default();
    wsp_capture_info info;
    wsp_input *in;
    wsp_frame f;

    opt.skip_bad = true;
    assert_int_equal(wsp_input_new(&in, &path, 1, &opt, NULL), WSP_OK);
    while (wsp_input_open_next(in, &info, NULL) == WSP_OK) {
        pair p = pair_new(
            info.linktype); /* one context for all flows: predictions fail often, which is the point */
        for (uint64_t n = 0; wsp_input_next(in, &f, NULL) == WSP_OK; n++, ++*packets)
            assert_round_trip(p, info.linktype, &f, (int)(f.caplen & 1), n);
        pair_free(p);
    }
    wsp_input_free(in);
}

static void every_packet_of_our_captures_comes_back(void **state)
{
    size_t packets = 0;

    (void)state;
    walk_captures(data_dir(), &packets);
    assert_true(packets > 300);
}

/* IPv4 in IPv4, `n` times, none of whose fields is as predicted; 48 bytes behind them. */
static uint32_t put_nest(uint8_t *b, size_t n)
{
    static const uint8_t ttl[] = {1, 77, 200};
    uint32_t at = 14;

    memset(b, 0, 14);
    b[12] = 8;
    for (size_t i = 0; i < n; i++, at += 20) {
        const uint8_t header[20] = {0x45,
                                    (uint8_t)(i + 1),
                                    0xff,
                                    0xf0,
                                    (uint8_t)(i * 77),
                                    (uint8_t)i,
                                    0x80,
                                    0,
                                    ttl[i % sizeof ttl],
                                    4,
                                    0x12,
                                    0x34,
                                    (uint8_t)(i + 3),
                                    1,
                                    2,
                                    3,
                                    10,
                                    (uint8_t)i};
        memcpy(b + at, header, sizeof header);
    }
    for (size_t i = 0; i < 48; i++)
        b[at++] = (uint8_t)(i * 37 % 11);
    return at;
}

static void a_packet_of_more_odd_headers_than_tokens_comes_back(void **state)
{
    uint8_t b[2048];
    pair p = pair_new(1);

    (void)state;
    for (size_t n = 1; n <= 80; n++) {
        uint32_t len = put_nest(b, n);
        assert_round_trip(p, 1, &(wsp_frame){n, len, len, b}, (int)(n & 1), n);
        assert_round_trip(p, 1, &(wsp_frame){n, len - 30, len, b}, (int)(n & 1), n + 1);
    }
    pair_free(p);
}

/* From port 40000 to 80, with options. */
static const uint8_t syn[] = {2,  0,    0,  0,    0,    1,    2, 0,  0, 0, 0, 2,  8,    0, 0x45,
                              0,  0,    60, 0x12, 0x34, 0x40, 0, 64, 6, 0, 0, 10, 0,    0, 1,
                              10, 0,    0,  2,    0x9c, 0x40, 0, 80, 1, 2, 3, 4,  0,    0, 0,
                              0,  0xa0, 2,  0xfa, 0xf0, 0,    0, 0,  0, 2, 4, 5,  0xb4, 4, 2,
                              8,  10,   0,  0,    0,    1,    0, 0,  0, 0, 1, 3,  3,    7};

static void every_prefix_and_every_damage_comes_back(void **state)
{
    uint8_t b[sizeof syn];
    pair p = pair_new(1);
    wspi_rng r;
    uint64_t number = 0;

    (void)state;
    wspi_rng_seed(&r, 7);
    for (uint32_t len = 0; len <= sizeof syn; len++) {
        wsp_frame cut = {.time_ns = len, .caplen = len, .wirelen = sizeof syn, .data = syn};
        wsp_frame shortened = {.time_ns = len, .caplen = len, .wirelen = len, .data = syn};
        assert_round_trip(p, 1, &cut, 0, number++);
        assert_round_trip(p, 1, &shortened, 1, number++);
    }
    for (int i = 0; i < 20000; i++) {
        wsp_frame f = {
            .time_ns = wspi_rng_u64(&r) >> 8, .caplen = sizeof b, .wirelen = sizeof b, .data = b};
        memcpy(b, syn, sizeof b);
        for (int k = 0; k < 3; k++)
            b[wspi_rng_below(&r, sizeof b)] = (uint8_t)wspi_rng_u64(&r);
        assert_round_trip(p, 1, &f, i & 1, number++);
    }
    pair_free(p);
}

/* A snap length that cuts options must not make other flows of the first packets: their ports are there. */
static void a_header_whose_options_are_cut_is_still_of_tcp(void **state)
{
    wsp_packet *p;

    (void)state;
    assert_int_equal(wsp_packet_new(&p), WSP_OK);
    for (uint32_t len = 54; len <= sizeof syn; len++) {
        wsp_frame f = {.caplen = len, .wirelen = sizeof syn, .data = syn};

        wsp_packet_dissect(p, 1, &f);
        assert_int_equal(wsp_packet_key(p)->port[0], 40000);
        assert_int_equal(wsp_packet_key(p)->port[1], 80);
        assert_int_equal(wsp_packet_tcp_flags(p), 2);
    }
    wsp_packet_free(p);
}

/* ---- hostile tokens ---- */

static void random_tokens_never_crash_the_decoder(void **state)
{
    uint16_t ids[40];
    uint8_t resid[64];
    wsp_decoder *d;
    wsp_decoded out;
    wspi_rng r;
    size_t bad = 0;

    (void)state;
    wspi_rng_seed(&r, 3);
    assert_int_equal(wsp_decoder_new(&d), WSP_OK);
    for (int i = 0; i < 20000; i++) {
        pair p = pair_new(1);
        const uint8_t *at = resid;
        size_t used;
        for (size_t k = 0; k < WSPI_COUNT(ids); k++)
            ids[k] = (uint16_t)wspi_rng_below(&r, k < 3 ? 400 : wsp_vocab_size());
        ids[0] = 0;
        for (size_t k = 0; k < sizeof resid; k++)
            resid[k] = (uint8_t)(wspi_rng_u64(&r) & 15);
        bad += wsp_decode_packet(d, p.dec, ids, WSPI_COUNT(ids), &used, &at, resid + sizeof resid,
                                 &out, NULL) < 0;
        pair_free(p);
    }
    assert_true(bad > 19000);
    wsp_decoder_free(d);
}

/* ---- grammar ---- */

/* Is the value of the field not to be as computed: of what an error quotes, which may be the beginning of a packet? */
static bool may_differ(const wsp_packet *p, size_t i, size_t f)
{
    bool header = p->layers[i].id == WSPI_IPV4 && f != WSPI_IPV4_LEN;

    return p->layers[i].id == WSPI_ARP || (i >= wspi_own_layers(p) && !header);
}

/* A random legal packet; its dissection has every computed field right. */
static bool sample_packet(wsp_decoder *d, wsp_context *ctx, const wsp_filler *fill, wspi_rng *r,
                          uint8_t *legal)
{
    uint16_t ids[WSP_MAX_PACKET_TOKENS];
    wsp_packet *pkt;
    wsp_decoded out;
    size_t n = 0, tokens = wsp_vocab_size();
    bool done = false;

    while (!done) {
        size_t choices = 0, pick;
        assert_int_equal(wsp_grammar_next(d, ctx, ids, n, fill, false, legal, &done, NULL), WSP_OK);
        for (size_t i = 0; i < tokens; i++)
            choices += legal[i];
        if (done) {
            assert_int_equal(choices, 0);
            break;
        }
        assert_true(choices > 0);
        assert_true(n < WSP_MAX_PACKET_TOKENS);
        legal[wspi_group_base(WSPI_T_START) + WSPI_START_END] = 0;
        choices = 0;
        for (size_t i = 0; i < tokens; i++)
            choices += legal[i];
        if (choices == 0) { /* the flow is over */
            assert_int_equal(n, 0);
            return false;
        }
        pick = (size_t)wspi_rng_below(r, choices);
        for (uint16_t i = 0;; i++)
            if (legal[i] && pick-- == 0) {
                ids[n++] = i;
                break;
            }
    }
    assert_int_equal(wsp_grammar_build(d, ctx, ids, n, fill, &out, NULL), WSP_OK);
    assert_int_equal(wsp_packet_new(&pkt), WSP_OK);
    wsp_packet_dissect(pkt, 1, &out.frame);
    assert_true(pkt->n_layers >= 2);
    for (size_t i = 0; i < pkt->n_layers; i++)
        for (size_t f = 0; f < wspi_protos[pkt->layers[i].id]->n_fields; f++)
            if (wspi_protos[pkt->layers[i].id]->fields[f].kind == WSPI_K_AUTO &&
                !may_differ(pkt, i, f))
                assert_true(pkt->layers[i].autos >> f & 1);
    wsp_packet_free(pkt);
    return true;
}

static void every_legal_sequence_is_a_valid_packet(void **state)
{
    uint8_t *legal = wspi_new_array(wsp_vocab_size(), 1);
    wsp_decoder *d;
    wspi_rng r;

    (void)state;
    assert_non_null(legal);
    wspi_rng_seed(&r, 11);
    assert_int_equal(wsp_decoder_new(&d), WSP_OK);
    for (uint64_t flow = 0; flow < 100; flow++) {
        pair p = pair_new(1);
        wsp_filler fill = {.seed = flow,
                           .start_ns = 1,
                           .client.mac = {2, 1},
                           .server.mac = {2, 2},
                           .client.ip = {10, 0, 0, 1},
                           .server.ip = {10, 0, 0, 2},
                           .client_port = 50000};
        for (int k = 0; k < 4 && sample_packet(d, p.dec, &fill, &r, legal); k++)
            ;
        pair_free(p);
    }
    wsp_decoder_free(d);
    free(legal);
}

/* ---- policies ---- */

static void identity_free_withholds_identity_and_keeps_the_rest(void **state)
{
    uint16_t in[] = {(uint16_t)wspi_group_base(WSPI_T_START),
                     (uint16_t)wspi_field_base(WSPI_IPV4, WSPI_IPV4_SRC),
                     (uint16_t)wspi_field_base(WSPI_TCP, WSPI_TCP_DPORT),
                     (uint16_t)wspi_field_base(WSPI_IPV4, WSPI_IPV4_TTL),
                     (uint16_t)wspi_field_base(WSPI_IPV4, WSPI_IPV4_CKSUM),
                     (uint16_t)wspi_field_base(WSPI_TCP, WSPI_TCP_WINDOW),
                     (uint16_t)wspi_group_base(WSPI_T_TEXT),
                     (uint16_t)wspi_group_base(WSPI_T_TEXT),
                     (uint16_t)wspi_group_base(WSPI_T_END)};
    uint16_t out[WSPI_COUNT(in)];

    (void)state;
    assert_int_equal(wsp_policy_apply(wsp_policy_get(NULL), in, WSPI_COUNT(in), 1, 64, NULL, out),
                     4);
    assert_int_equal(out[1], in[5]);
    assert_int_equal(out[3], in[8]);
    assert_int_equal(
        wsp_policy_apply(wsp_policy_get("everything"), in, WSPI_COUNT(in), 9, 64, NULL, out),
        WSPI_COUNT(in));
    assert_int_equal(
        wsp_policy_apply(wsp_policy_get("everything"), in, WSPI_COUNT(in), 9, 3, NULL, out), 3);
    assert_int_equal(out[2], in[8]);
    assert_int_equal(
        wsp_policy_apply(wsp_policy_get("sizes-only"), in, WSPI_COUNT(in), 9, 64, NULL, out), 2);
    assert_null(wsp_policy_get("no such policy"));
}

static uint16_t stack_token(const uint8_t *id, size_t n)
{
    size_t i = wspi_find_common_stack(id, n);

    assert_true(i < wspi_common_stacks());
    return (uint16_t)(wspi_group_base(WSPI_T_STACK) + WSPI_RECALLS + i);
}

static void identity_free_does_not_tell_where_a_packet_was_captured(void **state)
{
    static const uint8_t cooked[] = {WSPI_SLL, WSPI_IPV4, WSPI_UDP},
                         tagged[] = {WSPI_ETH, WSPI_VLAN, WSPI_IPV4, WSPI_UDP},
                         raw[] = {WSPI_IPV4, WSPI_UDP}, wired[] = {WSPI_ETH, WSPI_IPV4, WSPI_UDP},
                         arp[] = {WSPI_ETH, WSPI_ARP}, nothing[] = {WSPI_ETH};
    const struct {
        uint16_t in, out;
    } stacks[] = {
        {stack_token(cooked, 3), stack_token(wired, 3)},
        {stack_token(tagged, 4), stack_token(wired, 3)},
        {stack_token(raw, 2), stack_token(wired, 3)},
        {stack_token(wired, 3), stack_token(wired, 3)},
        {stack_token(arp, 2), stack_token(arp, 2)},
        {stack_token(nothing, 1), stack_token(nothing, 1)},
        {(uint16_t)wspi_group_base(WSPI_T_STACK), (uint16_t)wspi_group_base(WSPI_T_STACK)}};
    uint16_t out[4], link[] = {(uint16_t)wspi_group_base(WSPI_T_START),
                               (uint16_t)wspi_group_base(WSPI_T_TRAILER),
                               (uint16_t)(wspi_group_base(WSPI_T_LAYER) + WSPI_SLL),
                               (uint16_t)wspi_group_base(WSPI_T_SNAP)};

    (void)state;
    for (size_t i = 0; i < WSPI_COUNT(stacks); i++) {
        uint16_t in[] = {(uint16_t)wspi_group_base(WSPI_T_START), stacks[i].in};
        assert_int_equal(wsp_policy_apply(wsp_policy_get(NULL), in, 2, 0, 64, NULL, out), 2);
        assert_int_equal(out[1], stacks[i].out);
        assert_int_equal(wsp_policy_apply(wsp_policy_get("everything"), in, 2, 0, 64, NULL, out),
                         2);
        assert_int_equal(out[1], stacks[i].in);
    }
    assert_int_equal(wsp_policy_apply(wsp_policy_get(NULL), link, 4, 0, 64, NULL, out), 1);
    assert_int_equal(wsp_policy_apply(wsp_policy_get("everything"), link, 4, 0, 64, NULL, out), 4);
}

/* Of n tokens and a text token behind them, in a flow whose packets before are in *seen: is the text left? */
static bool text_is_kept(uint8_t *seen, bool s2c, const uint16_t *ids, size_t n)
{
    uint16_t in[8] = {(uint16_t)(wspi_group_base(WSPI_T_START) + (s2c ? WSPI_STARTS : 0))}, out[8];

    for (size_t i = 0; i < n; i++)
        in[i + 1] = ids[i];
    in[n + 1] = (uint16_t)wspi_group_base(WSPI_T_KIND);
    in[n + 2] = (uint16_t)wspi_group_base(WSPI_T_TEXT);
    return wsp_policy_apply(wsp_policy_get(NULL), in, n + 3, 9, 64, seen, out) == n + 3;
}

static uint16_t type_token(uint8_t layer, uint32_t type)
{
    const wspi_value *v = wspi_protos[layer]->fields[WSPI_ICMP_TYPE].values;
    unsigned i = 0;

    while (v[i].name && v[i].value != type)
        i++;
    return (uint16_t)(wspi_field_base(layer, WSPI_ICMP_TYPE) + i);
}

/* Of bridges, routing and neighbour discovery the bytes are addresses. */
static void identity_free_withholds_what_no_transport_carries(void **state)
{
    static const uint8_t discovery[] = {WSPI_ETH, WSPI_IPV6, WSPI_ICMPV6},
                         routing[] = {WSPI_ETH, WSPI_IPV4}, bridge[] = {WSPI_ETH},
                         wired[] = {WSPI_ETH, WSPI_IPV4, WSPI_UDP};
    const uint16_t solicit[] = {stack_token(discovery, 3), type_token(WSPI_ICMPV6, 135)},
                   advert = type_token(WSPI_ICMPV6, 136), ping = type_token(WSPI_ICMPV6, 129),
                   unknown = type_token(WSPI_ICMPV6, 200), echo = stack_token(discovery, 3),
                   ospf = stack_token(routing, 2), lldp = stack_token(bridge, 1),
                   udp = stack_token(wired, 3),
                   listed[] = {(uint16_t)wspi_group_base(WSPI_T_KEEP),
                               (uint16_t)(wspi_group_base(WSPI_T_LAYER) + WSPI_AH),
                               (uint16_t)(wspi_group_base(WSPI_T_LAYER) + WSPI_PAYLOAD)};
    uint8_t seen = 0;

    (void)state;
    assert_false(text_is_kept(&seen, false, solicit, 2));
    assert_false(text_is_kept(&seen, false, NULL, 0)); /* as the last packet of its direction */
    assert_false(text_is_kept(&seen, true, NULL, 0));  /* as the first one of the other */
    assert_false(text_is_kept(&seen, true, &advert, 1));
    assert_true(text_is_kept(&seen, true, &ping, 1));
    assert_false(text_is_kept(&seen, false, NULL, 0));
    assert_false(text_is_kept(&seen, true, &unknown, 1));
    seen = 0;
    assert_true(
        text_is_kept(&seen, false, &echo, 1)); /* a type that is not told is the usual one */
    seen = 0;
    assert_true(text_is_kept(&seen, false, &udp, 1));
    assert_true(text_is_kept(&seen, true, NULL, 0));
    assert_false(text_is_kept(&seen, false, listed, 3));
    seen = 0;
    assert_false(text_is_kept(&seen, false, &ospf, 1));
    seen = 0;
    assert_false(text_is_kept(&seen, false, &lldp, 1));
    assert_true(text_is_kept(NULL, false, &udp, 1));
}

/* ---- token files ---- */

static void a_token_file_is_read_back_and_damage_is_refused(void **state)
{
    char path[] = "codec-test-XXXXXX", capture[600];
    const char *paths[] = {capture};
    wsp_tokenize_options how = {.keep = true};
    wsp_tokenize_stats s;
    wsp_tokens *t, *u;
    wsp_input *in;
    wsp_error err;
    int fd = mkstemp(path);
    FILE *fp;

    (void)state;
    assert_true(fd >= 0);
    (void)close(fd);
    (void)snprintf(capture, sizeof capture, "%s/tls.pcap", data_dir());
    assert_int_equal(wsp_input_new(&in, paths, 1, NULL, &err), WSP_OK);
    assert_int_equal(wsp_tokenize(in, &how, &t, &s, &err), WSP_OK);
    wsp_input_free(in);
    assert_int_equal(wsp_tokens_save(t, path, false, &err), WSP_OK);
    assert_int_equal(wsp_tokens_load(&u, path, &err), WSP_OK);
    assert_int_equal(u->n_tokens, t->n_tokens);
    assert_int_equal(u->n_residuals, t->n_residuals);
    assert_memory_equal(u->ids, t->ids, t->n_tokens * sizeof *t->ids);
    assert_memory_equal(u->residuals, t->residuals, t->n_residuals);
    wsp_tokens_free(u);
    t->ids[0] = 65535;
    assert_int_equal(wsp_tokens_save(t, path, true, &err), WSP_OK);
    assert_int_equal(wsp_tokens_load(&u, path, &err), WSP_ERR_FORMAT);
    assert_null(u);
    fp = fopen(path, "w");
    assert_non_null(fp);
    (void)fputs("not a zip", fp);
    (void)fclose(fp);
    assert_int_equal(wsp_tokens_load(&u, path, &err), WSP_ERR_FORMAT);
    assert_null(u);
    assert_non_null(strstr(err.text, "not a token file")); /* and what makes one */
    assert_non_null(strstr(err.text, "tokenize"));
    (void)unlink(path);
    wsp_tokens_free(t);
}

/* What the first capture of the set is written back as. */
static wsp_status written_back(const wsp_tokens *t, wsp_error *err)
{
    char path[] = "codec-test-XXXXXX";
    wsp_pcap_writer *w;
    uint64_t packets;
    wsp_status st;
    int fd = mkstemp(path);

    assert_true(fd >= 0);
    (void)close(fd);
    assert_int_equal(wsp_pcap_writer_open(&w, path, t->linktype[0], err), WSP_OK);
    st = wsp_detokenize(t, 0, w, &packets, err);
    wsp_pcap_writer_discard(w);
    (void)unlink(path);
    return st;
}

static void no_packet_of_a_set_is_lost_without_a_word(void **state)
{
    char capture[600];
    const char *paths[] = {capture};
    wsp_tokenize_options how = {.keep = true};
    wsp_tokenize_stats s;
    uint64_t last, before;
    wsp_tokens *t;
    wsp_input *in;
    wsp_error err;

    (void)state;
    (void)snprintf(capture, sizeof capture, "%s/dns.pcap", data_dir());
    assert_int_equal(wsp_input_new(&in, paths, 1, NULL, &err), WSP_OK);
    assert_int_equal(wsp_tokenize(in, &how, &t, &s, &err), WSP_OK);
    wsp_input_free(in);
    assert_int_equal(written_back(t, &err), WSP_OK);
    last = t->flow_off[t->n_flows];
    t->flow_off[t->n_flows] -= 2; /* without its last packet and its end */
    assert_int_equal(written_back(t, &err), WSP_ERR_FORMAT);
    assert_non_null(strstr(err.text, "residual bytes too many"));
    t->flow_off[t->n_flows] = last;
    before = t->residual_off[1];
    t->residual_off[1]--;
    assert_int_equal(written_back(t, &err), WSP_ERR_FORMAT);
    assert_non_null(strstr(err.text, "packet ")); /* which one it is */
    t->residual_off[1] = before;
    t->packet_off[t->flow_off[1]]++; /* the end of the first flow takes a token of the second */
    assert_int_equal(written_back(t, &err), WSP_ERR_FORMAT);
    assert_non_null(strstr(err.text, "1 tokens too many"));
    t->packet_off[t->flow_off[1]]--;
    t->flow_off[1] = t->flow_off[2]; /* the second flow behind the end of the first */
    assert_int_equal(written_back(t, &err), WSP_ERR_FORMAT);
    assert_non_null(strstr(err.text, "behind the end of its flow"));
    wsp_tokens_free(t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_header_bit_belongs_to_one_field),
        cmocka_unit_test(named_fields_are_where_the_code_expects_them),
        cmocka_unit_test(bits_go_in_and_out),
        cmocka_unit_test(bins_cover_every_value_once),
        cmocka_unit_test(ranges_cover_the_vocabulary),
        cmocka_unit_test(token_names_are_unique_and_fields_are_found),
        cmocka_unit_test(no_bytes_have_a_place_in_an_empty_payload),
        cmocka_unit_test(every_packet_of_our_captures_comes_back),
        cmocka_unit_test(every_prefix_and_every_damage_comes_back),
        cmocka_unit_test(a_packet_of_more_odd_headers_than_tokens_comes_back),
        cmocka_unit_test(a_header_whose_options_are_cut_is_still_of_tcp),
        cmocka_unit_test(random_tokens_never_crash_the_decoder),
        cmocka_unit_test(every_legal_sequence_is_a_valid_packet),
        cmocka_unit_test(identity_free_withholds_identity_and_keeps_the_rest),
        cmocka_unit_test(identity_free_does_not_tell_where_a_packet_was_captured),
        cmocka_unit_test(identity_free_withholds_what_no_transport_carries),
        cmocka_unit_test(a_token_file_is_read_back_and_damage_is_refused),
        cmocka_unit_test(no_packet_of_a_set_is_lost_without_a_word),
    };

    (void)wsp_vocab_size();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
