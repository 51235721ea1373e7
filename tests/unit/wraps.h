/* SPDX-License-Identifier: Apache-2.0 */
/* wraps.h: frames inside whatever is taken off, for tests: what makes each kind of wrap, and coding there and back. */
#ifndef WSPI_TEST_WRAPS_H
#define WSPI_TEST_WRAPS_H

#include "wire.h"

enum { ETHERNET = 1, WIFI = 105, PRISM = 119, RADIOTAP = 127, AVS = 163, PPI = 192, FRAMES = 4 };

static const uint8_t dns[] = "\x12\x34\1\0\0\1\0\0\0\0\0\0\7example\3net\0\0\1\0\1";

/* A question and its answer, twice: frame i, of direction i % 2. Returns its length. */
static inline size_t native(uint8_t *b, size_t i)
{
    int dir = (int)(i % 2);
    size_t n = sizeof dns - 1;

    put_headers(b, 8 + n, 17, dir);
    put16(b + (dir ? 34 : 36), 53);
    put16(b + (dir ? 36 : 34), 50000);
    put16(b + 38, 8 + n);
    put16(b + 40, 0);
    memcpy(b + HEADERS_UDP, dns, n);
    b[HEADERS_UDP + 2] = dir ? 0x81 : 1;
    return HEADERS_UDP + n;
}

/* ---- wraps ---- */

/* Bytes before the frame; `from` of the frame's own go. tail: bytes behind it. */
typedef struct kind {
    const char *name;
    int linktype;
    size_t (*put)(uint8_t *b, const uint8_t *frame, size_t len, size_t i);
    size_t from, tail;
} kind;

/* Ethernet and IPv4 around n bytes, as a tunnel from host 3 to host 4. */
static inline size_t put_outer(uint8_t *b, uint8_t protocol, size_t n)
{
    put_headers(b, n, protocol, 0);
    b[29] = 3;
    b[33] = 4;
    return 34;
}

/* UDP to this port, and n bytes of a tunnel's header. */
static inline size_t put_over_udp(uint8_t *b, uint16_t port, const char *head, size_t n, size_t len)
{
    size_t at = put_outer(b, 17, 8 + n + len);

    put16(b + at, 51234);
    put16(b + at + 2, port);
    put16(b + at + 4, 8 + n + len);
    put16(b + at + 6, 0);
    memcpy(b + at + 8, head, n);
    return at + 8 + n;
}

static inline size_t put_geneve_of(uint8_t *b, const char *options, size_t n_options, size_t len,
                                   uint16_t type)
{
    char head[64] = {(char)(n_options / 4), 0, 0, 0, 0, 0, 77};

    put16((uint8_t *)head + 2, type);
    memcpy(head + 8, options, n_options);
    return put_over_udp(b, 6081, head, 8 + n_options, len);
}

static inline size_t put_geneve(uint8_t *b, const uint8_t *frame, size_t len, size_t i)
{
    (void)frame, (void)i;
    return put_geneve_of(b, "", 0, len, 0x6558);
}

static inline size_t put_geneve_options(uint8_t *b, const uint8_t *frame, size_t len, size_t i)
{
    (void)frame, (void)i;
    return put_geneve_of(b, "\1\2\3\1\0\0\0\x2a", 8, len, 0x6558);
}

static inline size_t put_vxlan_gpe(uint8_t *b, const uint8_t *frame, size_t len, size_t i)
{
    (void)frame, (void)i;
    return put_over_udp(b, 4790, BYTES("\x0c\0\0\3\0\0\x4d\0"), len);
}

static inline size_t put_tzsp(uint8_t *b, const uint8_t *frame, size_t len, size_t i)
{
    (void)frame, (void)i;
    return put_over_udp(b, 37008, BYTES("\1\0\0\1\1"), len);
}

/* A signal's strength, padding, a channel. */
static inline size_t put_tzsp_tags(uint8_t *b, const uint8_t *frame, size_t len, size_t i)
{
    (void)frame, (void)i;
    return put_over_udp(b, 37008, BYTES("\1\0\0\1\x0a\1\xc8\0\x12\1\6\1"), len);
}

/* GRE with this type and behind it n bytes of a mirror's header. */
static inline size_t put_mirror(uint8_t *b, const char *gre, size_t n_gre, const char *head,
                                size_t n, size_t len)
{
    size_t at = put_outer(b, 47, n_gre + n + len);

    memcpy(b + at, gre, n_gre);
    memcpy(b + at + n_gre, head, n);
    return at + n_gre + n;
}

static inline size_t put_erspan1(uint8_t *b, const uint8_t *frame, size_t len, size_t i)
{
    (void)frame, (void)i;
    return put_mirror(b, BYTES("\0\0\x88\xbe"), "", 0, len);
}

static inline size_t put_erspan2(uint8_t *b, const uint8_t *frame, size_t len, size_t i)
{
    size_t n = put_mirror(b, BYTES("\x10\0\x88\xbe\0\0\0\0"), BYTES("\x10\x0a\0\x64\0\0\0\3"), len);

    (void)frame;
    b[41] = (uint8_t)i;
    return n;
}

static inline size_t put_erspan3(uint8_t *b, const uint8_t *frame, size_t len, size_t i)
{
    (void)frame, (void)i;
    return put_mirror(b, BYTES("\x10\0\x22\xeb\0\0\0\7"), BYTES("\x20\x0a\0\x64\1\2\3\4\0\0\0\0"),
                      len);
}

static inline size_t put_erspan3_more(uint8_t *b, const uint8_t *frame, size_t len, size_t i)
{
    (void)frame, (void)i;
    return put_mirror(b, BYTES("\x10\0\x22\xeb\0\0\0\7"),
                      BYTES("\x20\x0a\0\x64\1\2\3\4\0\0\0\1\x0c\0\0\0\0\0\0\0"), len);
}

static inline size_t put_tag(uint8_t *b, const uint8_t *frame, const char *tag, size_t n)
{
    memcpy(b, frame, 12);
    memcpy(b + 12, tag, n);
    memcpy(b + 12 + n, frame + 12, 2);
    return 14 + n;
}

static inline size_t put_etag(uint8_t *b, const uint8_t *frame, size_t len, size_t i)
{
    (void)len;
    return i % 2 ? put_tag(b, frame, BYTES("\x89\x3f\0\1\0\2\0\0"))
                 : put_tag(b, frame, BYTES("\x89\x3f\0\2\0\1\0\0"));
}

static inline size_t put_vntag(uint8_t *b, const uint8_t *frame, size_t len, size_t i)
{
    (void)len;
    return i % 2 ? put_tag(b, frame, BYTES("\x89\x26\x80\1\0\2"))
                 : put_tag(b, frame, BYTES("\x89\x26\0\2\0\1"));
}

/* Behind a VLAN tag. */
static inline size_t put_vlan_etag(uint8_t *b, const uint8_t *frame, size_t len, size_t i)
{
    (void)len;
    return i % 2 ? put_tag(b, frame, BYTES("\x81\0\0\x09\x89\x3f\0\1\0\2\0\0"))
                 : put_tag(b, frame, BYTES("\x81\0\0\x09\x89\x3f\0\2\0\1\0\0"));
}

static inline size_t put_vlans_vntag(uint8_t *b, const uint8_t *frame, size_t len, size_t i)
{
    (void)len, (void)i;
    return put_tag(b, frame, BYTES("\x88\xa8\0\7\x81\0\0\x09\x89\x26\0\2\0\1"));
}

/* A data frame's header and SNAP, to or from the DS, of a quality or not. */
static inline size_t put_data(uint8_t *b, const uint8_t *frame, unsigned way, bool qos,
                              size_t number)
{
    static const uint8_t cell[6] = {2, 0, 0, 0, 0, 9};
    const uint8_t *address[4][4] = {{frame, frame + 6, cell, NULL},
                                    {cell, frame + 6, frame, NULL},
                                    {frame, cell, frame + 6, NULL},
                                    {cell, cell, frame, frame + 6}};
    size_t at = 24;

    memset(b, 0, 48);
    b[0] = qos ? 0x88 : 0x08;
    b[1] = (uint8_t)way;
    for (size_t i = 0; i < 3; i++)
        memcpy(b + 4 + i * 6, address[way][i], 6);
    b[22] = (uint8_t)(number << 4);
    if (way == 3) {
        memcpy(b + at, address[way][3], 6);
        at += 6;
    }
    at += qos ? 2 : 0;
    memcpy(b + at, "\xaa\xaa\3\0\0\0", 6);
    memcpy(b + at + 6, frame + 12, 2);
    return at + 8;
}

static inline size_t put_wifi(uint8_t *b, const uint8_t *frame, size_t len, size_t i)
{
    (void)len;
    return put_data(b, frame, i % 2 ? 2 : 1, false, i);
}

static inline size_t put_wifi_relayed(uint8_t *b, const uint8_t *frame, size_t len, size_t i)
{
    (void)len;
    return put_data(b, frame, 3, true, i);
}

static inline size_t put_wifi_direct(uint8_t *b, const uint8_t *frame, size_t len, size_t i)
{
    (void)len;
    return put_data(b, frame, 0, i % 2, i);
}

/* A clock, then flags: a check sequence, and padding of the 26 bytes of a header with quality. */
static inline size_t put_radiotap(uint8_t *b, const uint8_t *frame, size_t len, size_t i)
{
    size_t n;
    uint8_t snap[8];

    (void)len;
    memcpy(b, "\0\0\x1a\0\3\0\0\x80\0\0\0\0\0\0\0\0\1\2\3\4\5\6\7\x08\x30\0", 26);
    b[16] = (uint8_t)(i * 50);
    n = put_data(b + 26, frame, i % 2 ? 2 : 1, true, i);
    memcpy(snap, b + 26 + n - 8, 8);
    memset(b + 26 + n - 8, 0, 2);
    memcpy(b + 26 + n - 6, snap, 8);
    return 26 + n + 2;
}

static inline size_t put_radiotap_bare(uint8_t *b, const uint8_t *frame, size_t len, size_t i)
{
    memcpy(b, "\0\0\x08\0\0\0\0\0", 8);
    return 8 + put_wifi(b + 8, frame, len, i);
}

static inline size_t put_ppi(uint8_t *b, const uint8_t *frame, size_t len, size_t i)
{
    memset(b, 0, 64);
    memcpy(b, "\0\0\x24\0\x69\0\0\0\5\0\4\0\0\0\0\0\2\0\x10\0", 20);
    b[28] = 1; /* a check sequence */
    return 36 + put_wifi(b + 36, frame, len, i);
}

static inline size_t put_prism(uint8_t *b, const uint8_t *frame, size_t len, size_t i)
{
    memset(b, 0, 144);
    b[0] = 0x44;
    b[4] = 144;
    return 144 + put_wifi(b + 144, frame, len, i);
}

static inline size_t put_avs(uint8_t *b, const uint8_t *frame, size_t len, size_t i)
{
    memset(b, 0, 64);
    memcpy(b, "\x80\x21\x10\1\0\0\0\x40", 8);
    return 64 + put_wifi(b + 64, frame, len, i);
}

static const kind kinds[] = {{"Geneve", ETHERNET, put_geneve, 0, 0},
                             {"Geneve with options", ETHERNET, put_geneve_options, 0, 0},
                             {"VXLAN-GPE", ETHERNET, put_vxlan_gpe, 0, 0},
                             {"ERSPAN I", ETHERNET, put_erspan1, 0, 0},
                             {"ERSPAN II", ETHERNET, put_erspan2, 0, 0},
                             {"ERSPAN III", ETHERNET, put_erspan3, 0, 0},
                             {"ERSPAN III with more", ETHERNET, put_erspan3_more, 0, 0},
                             {"E-tag behind a VLAN", ETHERNET, put_vlan_etag, 14, 0},
                             {"VN-tag behind two", ETHERNET, put_vlans_vntag, 14, 0},
                             {"TZSP", ETHERNET, put_tzsp, 0, 0},
                             {"TZSP with tags", ETHERNET, put_tzsp_tags, 0, 0},
                             {"E-tag", ETHERNET, put_etag, 14, 0},
                             {"VN-tag", ETHERNET, put_vntag, 14, 0},
                             {"802.11", WIFI, put_wifi, 14, 0},
                             {"802.11 relayed", WIFI, put_wifi_relayed, 14, 0},
                             {"802.11 direct", WIFI, put_wifi_direct, 14, 0},
                             {"radiotap", RADIOTAP, put_radiotap, 14, 4},
                             {"radiotap without fields", RADIOTAP, put_radiotap_bare, 14, 0},
                             {"PPI", PPI, put_ppi, 14, 4},
                             {"Prism", PRISM, put_prism, 14, 0},
                             {"AVS", PRISM, put_avs, 14, 0},
                             {"AVS by its own type", AVS, put_avs, 14, 0}};

static inline const kind *kind_of(const char *name)
{
    size_t i = 0;

    while (strcmp(kinds[i].name, name) != 0)
        i++;
    return &kinds[i];
}

static inline size_t put_wrapped(const kind *k, uint8_t *b, size_t i)
{
    uint8_t frame[256];
    size_t len = native(frame, i), n = k->put(b, frame, len, i);

    memcpy(b + n, frame + k->from, len - k->from);
    memset(b + n + len - k->from, 0xfc, k->tail);
    return n + len - k->from + k->tail;
}

/* ---- coding ---- */

typedef struct tokens {
    uint16_t ids[WSP_MAX_PACKET_TOKENS];
    size_t n;
} tokens;

/* There and back, with the tokens. */
static inline void code(wire *w, int linktype, const wsp_frame *f, int dir, tokens *t)
{
    wsp_residual *r;
    wsp_decoded out;
    size_t used, len;
    const uint8_t *at, *end;

    assert_int_equal(wsp_residual_new(&r), WSP_OK);
    wsp_packet_dissect(w->packet, linktype, f);
    assert_int_equal(wsp_encode_packet(w->enc, w->packet, dir, w->number, t->ids, &t->n, r),
                     WSP_OK);
    at = wsp_residual_data(r, &len);
    end = at + len;
    assert_int_equal(
        wsp_decode_packet(w->decoder, w->dec, t->ids, t->n, &used, &at, end, &out, NULL), WSP_OK);
    assert_int_equal(used, t->n);
    assert_ptr_equal(at, end);
    assert_int_equal(out.frame.caplen, f->caplen);
    assert_int_equal(out.frame.wirelen, f->wirelen);
    assert_int_equal(out.number, w->number);
    if (f->caplen)
        assert_memory_equal(out.frame.data, f->data, f->caplen);
    assert_memory_equal(w->enc, w->dec, wsp_context_size());
    wsp_residual_free(r);
    w->number++;
}

static inline wsp_frame frame_of(const uint8_t *b, size_t len, size_t i)
{
    return (wsp_frame){
        .time_ns = 1000 + 7 * i * i, .caplen = (uint32_t)len, .wirelen = (uint32_t)len, .data = b};
}

#endif
