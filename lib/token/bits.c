/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bits.c: the sizes of captures: tokens and residuals through adaptive coders of order 0, and the packets as pcap files
 * through gzip, xz and zstd.
 */
#include "token/bits.h"

#include "base/order0.h"
#include "capture/capture_int.h"
#include "token/token_int.h"

struct wspi_bits {
    uint64_t packets, raw;
    wspi_order0 *tokens, *residuals;
    wspi_squeeze *squeeze[WSPI_SQUEEZE_METHODS]; /* NULL when libarchive lacks the method */
};

wsp_status wspi_bits_new(wspi_bits **out)
{
    wspi_bits *b = wspi_new_array(1, sizeof *b);
    wsp_status st = b ? wspi_order0_new(&b->tokens, wsp_vocab_size()) : WSP_ERR_NOMEM;
    wsp_error err;

    *out = NULL;
    if (st == WSP_OK)
        st = wspi_order0_new(&b->residuals, 256);
    for (size_t i = 0; st == WSP_OK && i < WSPI_SQUEEZE_METHODS; i++) {
        st = wspi_squeeze_open(&b->squeeze[i], (wspi_squeeze_method)i, &err);
        if (st == WSP_ERR_UNSUPPORTED) {
            wspi_log(WSP_LOG_WARNING, "no size for one compressor: %s", err.text);
            st = WSP_OK;
        }
    }
    if (st < 0) {
        wspi_bits_free(b);
        return st;
    }
    *out = b;
    return WSP_OK;
}

void wspi_bits_free(wspi_bits *b)
{
    if (!b)
        return;
    wspi_order0_free(b->tokens);
    wspi_order0_free(b->residuals);
    for (size_t i = 0; i < WSPI_SQUEEZE_METHODS; i++)
        wspi_squeeze_free(b->squeeze[i]);
    free(b);
}

static wsp_status squeeze_all(wspi_bits *b, const void *p, size_t len)
{
    b->raw += len;
    for (size_t i = 0; i < WSPI_SQUEEZE_METHODS; i++)
        if (b->squeeze[i])
            WSP_TRY(wspi_squeeze_add(b->squeeze[i], p, len, NULL));
    return WSP_OK;
}

wsp_status wspi_bits_capture(wspi_bits *b, int linktype)
{
    uint8_t head[WSPI_PCAP_FILE_HEAD];

    wspi_pcap_file_head(head, linktype);
    return squeeze_all(b, head, sizeof head);
}

wsp_status wspi_bits_packet(wspi_bits *b, const wsp_frame *frame)
{
    uint8_t head[WSPI_PCAP_PACKET_HEAD];

    b->packets++;
    wspi_pcap_packet_head(head, frame);
    WSP_TRY(squeeze_all(b, head, sizeof head));
    return squeeze_all(b, frame->data, frame->caplen);
}

/* Every flow is closed by flow.end, however it ended: who reads the stream back must see where the next begins. */
wsp_status wspi_bits_flow(wspi_bits *b, const uint16_t *ids, size_t n, const uint8_t *resid,
                          size_t n_resid)
{
    const unsigned end = wspi_group_base(WSPI_T_START) + WSPI_START_END;

    for (size_t i = 0; i < n; i++)
        WSP_TRY(wspi_order0_put(b->tokens, ids[i]));
    if (n == 0 || ids[n - 1] != end)
        WSP_TRY(wspi_order0_put(b->tokens, end));
    for (size_t i = 0; i < n_resid; i++)
        WSP_TRY(wspi_order0_put(b->residuals, resid[i]));
    return WSP_OK;
}

wsp_status wspi_bits_finish(wspi_bits *b, wsp_sizes *out, wsp_error *err)
{
    uint64_t *const to[WSPI_SQUEEZE_METHODS] = {[WSPI_SQUEEZE_GZIP] = &out->gzip,
                                                [WSPI_SQUEEZE_XZ] = &out->xz,
                                                [WSPI_SQUEEZE_ZSTD] = &out->zstd};

    out->packets = b->packets;
    out->raw = b->raw;
    WSP_TRY(wspi_order0_finish(b->tokens));
    WSP_TRY(wspi_order0_finish(b->residuals));
    out->tokens = wspi_order0_size(b->tokens);
    out->residuals = wspi_order0_size(b->residuals);
    for (size_t i = 0; i < WSPI_SQUEEZE_METHODS; i++) {
        *to[i] = WSP_SIZE_UNKNOWN;
        if (b->squeeze[i])
            WSP_TRY(wspi_squeeze_finish(b->squeeze[i], to[i], err));
    }
    return WSP_OK;
}
