/* SPDX-License-Identifier: Apache-2.0 */
/* detokenize.c: a capture of a set written back: flows are decoded one by one, packets put into their first order. */
#include "token/token_int.h"

typedef struct kept_frame {
    uint64_t number;
    wsp_frame frame;
    size_t at;
} kept_frame;

typedef struct keeper {
    kept_frame *frames;
    size_t n, cap;
    wspi_buf bytes;
} keeper;

static int by_number(const void *a, const void *b)
{
    const kept_frame *x = a, *y = b;
    return x->number < y->number ? -1 : x->number > y->number;
}

/* The next packet of the flow, which has all n tokens for itself; WSP_EOF: its end. */
static wsp_status decode_packet(const wsp_tokens *t, uint64_t p, wsp_decoder *d, wsp_context *ctx,
                                const uint8_t **resid, const uint8_t *end, wsp_decoded *out,
                                wsp_error *err)
{
    size_t n = (size_t)(t->packet_off[p + 1] - t->packet_off[p]), used;
    wsp_error why;
    wsp_status st =
        wsp_decode_packet(d, ctx, t->ids + t->packet_off[p], n, &used, resid, end, out, &why);

    if (st < 0)
        return wspi_fail(err, st, p, "packet %llu of the set: %s", (unsigned long long)p, why.text);
    if (used != n)
        return wspi_fail(err, WSP_ERR_FORMAT, p, "packet %llu of the set has %zu tokens too many",
                         (unsigned long long)p, n - used);
    return st;
}

/* Nothing of a flow is left out: its end is its last token, and packets take all of its residuals. */
static wsp_status decode_flow(const wsp_tokens *t, size_t flow, wsp_decoder *d, wsp_context *ctx,
                              keeper *k, wsp_error *err)
{
    const uint8_t *resid = t->residuals + t->residual_off[flow];
    const uint8_t *end = t->residuals + t->residual_off[flow + 1];
    wsp_decoded out;

    for (uint64_t p = t->flow_off[flow]; p < t->flow_off[flow + 1]; p++) {
        wsp_status st = decode_packet(t, p, d, ctx, &resid, end, &out, err);
        if (st < 0)
            return st;
        if (st == WSP_EOF && p + 1 < t->flow_off[flow + 1])
            return wspi_fail(err, WSP_ERR_FORMAT, p,
                             "packet %llu of the set comes behind the end of its flow",
                             (unsigned long long)p + 1);
        if (st == WSP_EOF)
            break;
        if (wspi_grow(&k->frames, &k->cap, k->n + 1, sizeof *k->frames) < 0)
            return wspi_nomem(err, "packets", k->n);
        k->frames[k->n++] =
            (kept_frame){.number = out.number, .frame = out.frame, .at = k->bytes.len};
        if (wspi_buf_add(&k->bytes, out.frame.data, out.frame.caplen) < 0)
            return wspi_nomem(err, "packets", k->bytes.len);
    }
    if (resid != end)
        return wspi_fail(err, WSP_ERR_FORMAT, flow,
                         "flow %zu of the set has %zu residual bytes too many", flow,
                         (size_t)(end - resid));
    return WSP_OK;
}

wsp_status wsp_detokenize(const wsp_tokens *t, size_t i, wsp_pcap_writer *w, uint64_t *packets,
                          wsp_error *err)
{
    keeper k = {.n = 0};
    wsp_decoder *d = NULL;
    wsp_context *ctx = wspi_new_array(1, wsp_context_size());
    wsp_status st = WSP_OK;

    *packets = 0;
    wspi_buf_init(&k.bytes, SIZE_MAX / 2);
    if (!t->residual_off)
        st = wspi_fail(
            err, WSP_ERR_FORMAT, 0,
            "the set was written without residuals: it cannot be turned back into packets");
    else if (i >= t->n_captures)
        st = wspi_fail(err, WSP_ERR_ARG, 0, "the set has %zu captures, there is no number %zu",
                       t->n_captures, i);
    else if (!ctx || wsp_decoder_new(&d) < 0)
        st = wspi_nomem(err, "a decoder", wsp_context_size());
    for (size_t f = 0; st == WSP_OK && f < t->n_flows; f++) {
        if (t->capture[f] != i)
            continue;
        wsp_context_init(ctx, t->linktype[i]);
        st = decode_flow(t, f, d, ctx, &k, err);
    }
    if (st == WSP_OK && k.n)
        qsort(k.frames, k.n, sizeof *k.frames, by_number);
    for (size_t f = 0; st == WSP_OK && f < k.n; f++) {
        k.frames[f].frame.data = k.bytes.data ? k.bytes.data + k.frames[f].at : NULL;
        st = wsp_pcap_writer_add(w, &k.frames[f].frame, err);
        *packets += st == WSP_OK;
    }
    free(k.frames);
    wspi_buf_clear(&k.bytes);
    wsp_decoder_free(d);
    free(ctx);
    return st;
}
