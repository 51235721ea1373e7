/* SPDX-License-Identifier: Apache-2.0 */
/* draft.c: frames to drafts and back. What the dissector calls computed stays computed, whatever else is changed. */
#include "generate/deviate_int.h"

wsp_status wspi_draft_init(wspi_draft *d)
{
    *d = (wspi_draft){.wirelen = 0};
    wspi_buf_init(&d->payload, SIZE_MAX / 2);
    wspi_buf_init(&d->trailer, SIZE_MAX / 2);
    wspi_buf_init(&d->frame, SIZE_MAX / 2);
    wspi_buf_init(&d->second, SIZE_MAX / 2);
    WSP_TRY(wsp_packet_new(&d->p));
    return wsp_residual_new(&d->resid);
}

void wspi_draft_clear(wspi_draft *d)
{
    wspi_buf_clear(&d->payload);
    wspi_buf_clear(&d->trailer);
    wspi_buf_clear(&d->frame);
    wspi_buf_clear(&d->second);
    wsp_packet_free(d->p);
    wsp_residual_free(d->resid);
}

wsp_status wspi_draft_read(wspi_draft *d, int linktype, const wsp_frame *frame)
{
    const wsp_packet *p = d->p;
    uint32_t begin, end;

    wspi_dissect_wraps(d->p, linktype, frame, 0);
    begin = WSPI_MIN(p->payload_off, p->caplen);
    end = WSPI_MIN(p->payload_off + p->payload_len, p->caplen);
    d->payload.len = d->trailer.len = d->frame.len = d->second.len = 0;
    d->built = d->hold = d->lies = false;
    d->cut = p->payload_len - (end - begin);
    d->trailer_cut = p->wire - p->caplen - d->cut;
    wspi_spans_back(&d->spans, 0);
    WSP_TRY(wspi_buf_add(&d->payload, frame->data + begin, end - begin));
    return wspi_buf_add(&d->trailer, frame->data + end, p->caplen - end);
}

wsp_status wspi_draft_find(wspi_draft *d, wsp_context *ctx, int dir, uint64_t number)
{
    uint16_t ids[WSP_MAX_PACKET_TOKENS];
    size_t n;

    wsp_residual_reset(d->resid);
    return wspi_encode_spans(ctx, d->p, dir, number, ids, &n, d->resid, &d->spans);
}

/* Where the layers and the payload come to lie. */
static void lay_out(wspi_draft *d)
{
    wsp_packet *p = d->p;
    uint32_t at = 0;

    for (size_t i = 0; i < p->n_layers; i++) {
        p->layers[i].off = at;
        at += wspi_protos[p->layers[i].id]->len + (uint32_t)p->layers[i].extra_len;
    }
    p->payload_off = at;
    p->payload_len = (uint32_t)d->payload.len + d->cut;
    p->trailer_len = (uint32_t)d->trailer.len + d->trailer_cut;
    p->caplen = at + (uint32_t)(d->payload.len + d->trailer.len);
    p->wire = p->wirelen = p->caplen + d->cut + d->trailer_cut;
}

/* Bytes at the end of the packet that are behind layer i by its length, or that of its IP header; negative: there are less. */
static int64_t left_out(const wsp_packet *p, size_t i)
{
    static const struct {
        uint8_t layer, field, from;
    } lengths[] = {
        {WSPI_UDP, WSPI_UDP_LEN, 0}, {WSPI_IPV4, WSPI_IPV4_LEN, 0}, {WSPI_IPV6, WSPI_IPV6_LEN, 40}};

    for (size_t k = i + 1; k-- > 0;)
        for (size_t n = 0; n < WSPI_COUNT(lengths); n++) {
            const wspi_layer *l = &p->layers[k];
            uint8_t f = lengths[n].field;
            if (l->id == lengths[n].layer) /* 0 tells nothing */
                return l->autos >> f & 1 || l->v[f] == 0
                           ? 0
                           : (int64_t)wspi_rest(p, k) - lengths[n].from - (int64_t)l->v[f];
        }
    return 0;
}

/* Field f of layer i, a checksum, over as much as the length says (RFC 768, RFC 9293 3.1: so does the pseudo header). */
static void sum_told(wsp_packet *p, uint8_t *frame, size_t i, size_t f, int64_t left)
{
    wspi_layer *l = &p->layers[i];
    const wspi_field *d = &wspi_protos[l->id]->fields[f];
    uint32_t whole = p->payload_len;
    uint64_t v;
    bool ok;

    if (left > (int64_t)whole) /* not even its header is left */
        return;
    p->payload_len -= left > 0 ? (uint32_t)left : 0;
    ok = wspi_auto_value(p, frame, i, f, &v);
    p->payload_len = whole;
    if (!ok)
        return;
    if (left < 0 && l->id == WSPI_UDP) { /* what is not there cannot be summed, but it is counted */
        v = wspi_fold((uint32_t)(0xffff ^ v) + (uint32_t)-left);
        v = v ? v : 0xffff;
    }
    l->v[f] = v;
    wspi_bits_put(frame + l->off, d->bit, d->width, v);
}

/* Innermost first: outer checksums cover inner ones. */
void wspi_sum_as_told(wsp_packet *p, uint8_t *frame)
{
    for (size_t i = p->n_layers; i-- > 0;) {
        const wspi_proto *proto = wspi_protos[p->layers[i].id];
        for (size_t f = 0; f < proto->n_fields; f++)
            if (proto->fields[f].role == WSPI_R_CHECKSUM && p->layers[i].autos >> f & 1)
                sum_told(p, frame, i, f, left_out(p, i));
    }
}

wsp_status wspi_draft_build(wspi_draft *d)
{
    wsp_packet *p = d->p;

    lay_out(d);
    d->frame.len = 0;
    WSP_TRY(wspi_buf_reserve(&d->frame, (size_t)p->caplen + 8));
    memset(d->frame.data, 0, p->payload_off);
    d->frame.len = p->payload_off;
    WSP_TRY(wspi_buf_add(&d->frame, d->payload.data, d->payload.len));
    WSP_TRY(wspi_buf_add(&d->frame, d->trailer.data, d->trailer.len));
    p->data = d->frame.data;
    wspi_build(p, d->frame.data);
    if (d->lies)
        wspi_sum_as_told(p, d->frame.data);
    d->wirelen = p->wire;
    return WSP_OK;
}

wspi_layer *wspi_draft_layer(const wspi_draft *d, uint8_t id)
{
    for (size_t i = wspi_own_layers(d->p); i-- > 0;)
        if (d->p->layers[i].id == id)
            return &d->p->layers[i];
    return NULL;
}
