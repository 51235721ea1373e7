/* SPDX-License-Identifier: Apache-2.0 */
/*
 * mutate_input.c: inputs of fuzzers: pcap files of either byte order (https://www.tcpdump.org/manpages/pcap-savefile.5.html),
 * frames, and payloads, which get headers so that the codec knows their protocol. A file that lies is read as far as it goes.
 */
#include "generate/mutate_int.h"

enum { FILE_HEAD = 24, PACKET_HEAD = 16, HEADERS_UDP = 42, HEADERS_TCP = 54 };

static uint32_t get32(wspi_cursor *c, bool big_endian)
{
    return big_endian ? wspi_cur_be32(c) : wspi_cur_le32(c);
}

static bool add(wspi_input *in, uint64_t time_ns, uint32_t caplen, uint32_t wirelen,
                const uint8_t *data)
{
    if (in->n == WSPI_INPUT_PACKETS || in->bytes.len + caplen > WSPI_INPUT_BYTES)
        return false;
    in->v[in->n++] = (wspi_packet_ref){
        .time_ns = time_ns, .caplen = caplen, .wirelen = wirelen, .at = in->bytes.len};
    return wspi_buf_add(&in->bytes, data, caplen) == WSP_OK;
}

static bool read_pcap(wspi_input *in, const uint8_t *data, size_t len)
{
    static const uint32_t magic[] = {0xa1b2c3d4, 0xa1b23c4d};
    wspi_cursor c = wspi_cur(data, len);
    uint32_t first = wspi_cur_le32(&c), turned = __builtin_bswap32(first);

    in->big_endian = turned == magic[0] || turned == magic[1];
    in->nano = (in->big_endian ? turned : first) == magic[1];
    if (len < FILE_HEAD || (!in->big_endian && first != magic[0] && first != magic[1]))
        return false;
    (void)wspi_cur_bytes(&c, 12);
    in->snaplen = get32(&c, in->big_endian);
    in->linktype = (int)(get32(&c, in->big_endian) & 0xffff);
    while (wspi_cur_left(&c) > PACKET_HEAD) {
        uint64_t time = get32(&c, in->big_endian) * UINT64_C(1000000000);
        uint32_t caplen, wirelen;

        time += get32(&c, in->big_endian) * (in->nano ? UINT64_C(1) : UINT64_C(1000));
        caplen = get32(&c, in->big_endian);
        wirelen = get32(&c, in->big_endian);
        caplen = (uint32_t)WSPI_MIN(caplen, wspi_cur_left(&c));
        if (!add(in, time, caplen, wirelen, wspi_cur_bytes(&c, caplen)))
            break;
    }
    return in->n > 0;
}

/* From an invented client's port to `port`, behind Ethernet and IPv4: as the codec expects a flow's first packet. */
static bool read_payload(wspi_input *in, uint16_t port, bool stream, const uint8_t *data,
                         size_t len)
{
    static const uint8_t eth[] = {2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1, 8, 0};
    static const uint8_t addresses[] = {10, 0, 0, 1, 10, 0, 0, 2};
    uint32_t headers = stream ? HEADERS_TCP : HEADERS_UDP, all = headers + (uint32_t)len;
    uint8_t h[HEADERS_TCP] = {0}, *ip = h + sizeof eth, *l4 = ip + 20;

    if (len == 0 || len > WSPI_DRAFT_MAX - headers)
        return false;
    memcpy(h, eth, sizeof eth);
    ip[0] = 0x45;
    wspi_bits_put(ip, 16, 16, all - sizeof eth);
    ip[8] = 64;
    ip[9] = stream ? 6 : 17;
    memcpy(ip + 12, addresses, sizeof addresses);
    wspi_bits_put(ip, 80, 16, wspi_fold(wspi_sum16(ip, 20, 10)));
    wspi_bits_put(l4, 0, 16, 40000);
    wspi_bits_put(l4, 16, 16, port);
    if (stream) {
        l4[12] = 0x50;
        l4[13] = WSPI_TH_PSH | WSPI_TH_ACK;
    } else {
        wspi_bits_put(l4, 32, 16, len + 8);
    }
    if (wspi_buf_add(&in->bytes, h, headers) < 0 || wspi_buf_add(&in->bytes, data, len) < 0)
        return false;
    in->v[in->n++] = (wspi_packet_ref){.caplen = all, .wirelen = all};
    in->headers = headers;
    return true;
}

bool wspi_input_read(wspi_input *in, wsp_mutator_form form, uint16_t port, bool stream,
                     const uint8_t *data, size_t len)
{
    in->form = form;
    in->linktype = 1;
    in->n = in->bytes.len = 0;
    in->headers = 0;
    in->bytes.max = 2 * WSPI_INPUT_BYTES + WSPI_DRAFT_MAX;
    len = WSPI_MIN(len, (size_t)WSPI_INPUT_BYTES);
    if (wspi_buf_reserve(&in->bytes, 1) < 0) /* packets of no bytes have an address too */
        return false;
    switch (form) {
    case WSP_MUTATE_PCAP: return read_pcap(in, data, len);
    case WSP_MUTATE_FRAME: return len > 0 && add(in, 0, (uint32_t)len, (uint32_t)len, data);
    case WSP_MUTATE_PAYLOAD: return read_payload(in, port, stream, data, len);
    }
    return false;
}

wsp_frame wspi_input_frame(const wspi_input *in, size_t i)
{
    const wspi_packet_ref *r = &in->v[i];

    return (wsp_frame){.time_ns = r->time_ns,
                       .caplen = r->caplen,
                       .wirelen = r->wirelen,
                       .data = in->bytes.data + r->at};
}

bool wspi_input_replace(wspi_input *in, size_t i, const wsp_frame *f)
{
    size_t at = in->bytes.len;

    if (wspi_buf_add(&in->bytes, f->data, f->caplen) < 0)
        return false;
    in->v[i] = (wspi_packet_ref){
        .time_ns = f->time_ns, .caplen = f->caplen, .wirelen = f->wirelen, .at = at};
    return true;
}

bool wspi_input_repeat(wspi_input *in, size_t i, size_t k)
{
    wspi_packet_ref r = in->v[k];

    if (in->n == WSPI_INPUT_PACKETS)
        return false;
    memmove(in->v + i + 1, in->v + i, (in->n - i) * sizeof *in->v);
    in->v[i] = r;
    in->n++;
    return true;
}

bool wspi_input_insert(wspi_input *in, size_t i, const wsp_frame *f)
{
    if (in->n == 0 || !wspi_input_repeat(in, i, 0))
        return false;
    if (wspi_input_replace(in, i, f))
        return true;
    wspi_input_remove(in, i);
    return false;
}

void wspi_input_remove(wspi_input *in, size_t i)
{
    in->n--;
    memmove(in->v + i, in->v + i + 1, (in->n - i) * sizeof *in->v);
}

/* ---- the way back ---- */

static wsp_status put32(wspi_buf *out, uint32_t v, bool big_endian)
{
    uint8_t b[4];

    for (size_t i = 0; i < 4; i++)
        b[i] = (uint8_t)(v >> 8 * (big_endian ? 3 - i : i));
    return wspi_buf_add(out, b, sizeof b);
}

static wsp_status write_pcap(const wspi_input *in, size_t max, wspi_buf *out)
{
    const uint32_t magic = in->nano ? 0xa1b23c4d : 0xa1b2c3d4;
    const uint32_t head[] = {magic,       in->big_endian ? 2u << 16 | 4 : 2 | 4u << 16,
                             0,           0,
                             in->snaplen, (uint32_t)in->linktype};

    if (max < FILE_HEAD)
        return WSP_OK;
    for (size_t i = 0; i < WSPI_COUNT(head); i++)
        WSP_TRY(put32(out, head[i], in->big_endian));
    for (size_t i = 0; i < in->n; i++) {
        const wspi_packet_ref *r = &in->v[i];
        const uint32_t packet[] = {(uint32_t)(r->time_ns / 1000000000),
                                   (uint32_t)(r->time_ns % 1000000000 / (in->nano ? 1u : 1000u)),
                                   r->caplen, r->wirelen};

        if (out->len + PACKET_HEAD + r->caplen > max)
            continue;
        for (size_t k = 0; k < WSPI_COUNT(packet); k++)
            WSP_TRY(put32(out, packet[k], in->big_endian));
        WSP_TRY(wspi_buf_add(out, in->bytes.data + r->at, r->caplen));
    }
    return WSP_OK;
}

wsp_status wspi_input_write(const wspi_input *in, size_t max, wspi_buf *out)
{
    wsp_frame f;

    out->len = 0;
    if (in->form == WSP_MUTATE_PCAP)
        return write_pcap(in, max, out);
    if (in->n == 0)
        return WSP_OK;
    f = wspi_input_frame(in, 0);
    if (f.caplen <= in->headers)
        return WSP_OK;
    return wspi_buf_add(out, f.data + in->headers, WSPI_MIN(f.caplen - in->headers, max));
}
