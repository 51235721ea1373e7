/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fuzz_codec.c: bytes -> packets -> tokens -> the same bytes. The input is cut into packets of a length byte, a flag
 * byte and data; anything but an exact round trip, with equal contexts on both sides, is a fault. What is left of the
 * input is also fed to the decoder as tokens.
 */
#include <stdlib.h>

#include "token/token_int.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const int linktypes[] = {1, 101, 113, 228, 229, 105, 127, 192, 119};

static void must(bool ok)
{
    if (!ok)
        __builtin_trap();
}

/* f: what p was taken from. */
static void round_trip(wsp_context *enc, wsp_context *dec, wsp_packet *p, const wsp_frame *f,
                       wsp_decoder *d, int dir, uint64_t number)
{
    uint16_t ids[WSP_MAX_PACKET_TOKENS];
    const uint8_t *at, *end;
    wsp_residual *r;
    wsp_decoded out;
    size_t n, used, len;

    must(wsp_residual_new(&r) == WSP_OK);
    must(wsp_encode_packet(enc, p, dir, number, ids, &n, r) == WSP_OK);
    at = wsp_residual_data(r, &len);
    end = at + len;
    must(wsp_decode_packet(d, dec, ids, n, &used, &at, end, &out, NULL) == WSP_OK);
    must(used == n && at == end && out.dir == dir && out.number == number);
    must(out.frame.caplen == f->caplen && out.frame.wirelen == f->wirelen &&
         out.frame.time_ns == f->time_ns);
    must(f->caplen == 0 || memcmp(out.frame.data, f->data, f->caplen) == 0);
    must(memcmp(enc, dec, wsp_context_size()) == 0);
    wsp_residual_free(r);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    wsp_context *enc = calloc(1, wsp_context_size()), *dec = calloc(1, wsp_context_size());
    wspi_cursor c = wspi_cur(data, size);
    int linktype = linktypes[wspi_cur_u8(&c) % WSPI_COUNT(linktypes)];
    const uint8_t *resid = data, *end = data + size;
    uint16_t ids[64];
    wsp_packet *p;
    wsp_decoder *d;
    wsp_decoded out;
    uint64_t time = 0;
    size_t n = 0, used;

    must(enc && dec && wsp_packet_new(&p) == WSP_OK && wsp_decoder_new(&d) == WSP_OK);
    wsp_context_init(enc, linktype);
    wsp_context_init(dec, linktype);
    for (uint64_t number = 0; number < 16 && wspi_cur_left(&c) > 2; number++) {
        uint32_t len = wspi_cur_u8(&c), flags = wspi_cur_u8(&c);
        wsp_frame f = {.caplen = (uint32_t)WSPI_MIN(len, wspi_cur_left(&c))};
        f.data = wspi_cur_bytes(&c, f.caplen);
        f.wirelen = flags & 2 ? f.caplen + flags : flags & 4 ? f.caplen / 2 : f.caplen;
        time = flags & 8 ? time - flags : time + (uint64_t)flags * flags * 1000;
        f.time_ns = time;
        wsp_packet_dissect(p, linktype, &f);
        round_trip(enc, dec, p, &f, d, (int)(flags & 1), number);
    }
    for (c = wspi_cur(data, size); n < WSPI_COUNT(ids) && wspi_cur_left(&c) >= 2; n++)
        ids[n] = (uint16_t)(wspi_cur_be16(&c) % wsp_vocab_size());
    (void)wsp_decode_packet(d, dec, ids, n, &used, &resid, end, &out, NULL);
    wsp_decoder_free(d);
    wsp_packet_free(p);
    free(enc);
    free(dec);
    return 0;
}
