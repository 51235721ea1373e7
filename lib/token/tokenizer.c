/* SPDX-License-Identifier: Apache-2.0 */
/* tokenizer.c: whole inputs: captures into flows into a set of tokens, and a set back into a capture. */
#include "token/app/app.h"
#include "token/bits.h"

/* What a flow has been coded to so far; appended to the set when the flow ends. */
typedef struct coded_flow {
    wsp_context *ctx;
    uint16_t *ids;
    uint32_t *ends; /* end of each packet in ids */
    size_t n_ids, cap_ids, n_packets, cap_packets;
    wsp_residual *resid;
} coded_flow;

typedef struct tokenizer {
    wsp_tokens *t;
    wsp_tokenize_stats *stats;
    wsp_packet *packet;
    wsp_tokenize_options opt;
    wspi_bits *bits; /* NULL unless sizes are asked for */
    size_t held;
    size_t cap_ids, cap_packets, cap_flows, cap_flow_cols[4], cap_resid, cap_captures, cap_links;
    wsp_status st; /* first failure inside the flow table's callback */
} tokenizer;

const char *wsp_layer_name(size_t i)
{
    return i < WSPI_APP_END ? wspi_proto_of((uint8_t)i)->name : NULL;
}

static void coded_flow_free(coded_flow *f)
{
    if (!f)
        return;
    free(f->ctx);
    free(f->ids);
    free(f->ends);
    wsp_residual_free(f->resid);
    free(f);
}

static coded_flow *coded_flow_new(int linktype)
{
    coded_flow *f = wspi_new_array(1, sizeof *f);

    if (!f)
        return NULL;
    f->ctx = wspi_new_array(1, wsp_context_size());
    if (!f->ctx || wsp_residual_new(&f->resid) < 0) {
        coded_flow_free(f);
        return NULL;
    }
    wsp_context_init(f->ctx, linktype);
    return f;
}

static wsp_status append_flow(tokenizer *k, const coded_flow *f, wsp_flow_end end)
{
    wsp_tokens *t = k->t;
    size_t len;
    const uint8_t *resid = wsp_residual_data(f->resid, &len);
    size_t flows = t->n_flows + 1;

    WSP_TRY(wspi_grow(&t->ids, &k->cap_ids, t->n_tokens + f->n_ids + 1, sizeof *t->ids));
    WSP_TRY(wspi_grow(&t->packet_off, &k->cap_packets, t->n_packets + f->n_packets + 2,
                      sizeof *t->packet_off));
    WSP_TRY(wspi_grow(&t->flow_off, &k->cap_flow_cols[0], flows + 1, sizeof *t->flow_off));
    WSP_TRY(wspi_grow(&t->residual_off, &k->cap_flow_cols[1], flows + 1, sizeof *t->residual_off));
    WSP_TRY(wspi_grow(&t->capture, &k->cap_flow_cols[2], flows, sizeof *t->capture));
    WSP_TRY(wspi_grow(&t->flow_end, &k->cap_flow_cols[3], flows, sizeof *t->flow_end));
    WSP_TRY(wspi_grow(&t->residuals, &k->cap_resid, t->n_residuals + len + 1, 1));
    memcpy(t->ids + t->n_tokens, f->ids, f->n_ids * sizeof *f->ids);
    for (size_t i = 0; i < f->n_packets; i++)
        t->packet_off[t->n_packets + i + 1] = t->n_tokens + f->ends[i];
    if (len)
        memcpy(t->residuals + t->n_residuals, resid, len);
    t->n_tokens += f->n_ids;
    t->n_packets += f->n_packets;
    t->n_residuals += len;
    t->capture[t->n_flows] = (uint32_t)(t->n_captures - 1);
    t->flow_end[t->n_flows] = (uint8_t)end;
    t->flow_off[flows] = t->n_packets;
    t->residual_off[flows] = t->n_residuals;
    t->n_flows = flows;
    return WSP_OK;
}

static wsp_status keep_ids(tokenizer *k, coded_flow *f, const uint16_t *ids, size_t n)
{
    WSP_TRY(wspi_grow(&f->ids, &f->cap_ids, f->n_ids + n, sizeof *f->ids));
    WSP_TRY(wspi_grow(&f->ends, &f->cap_packets, f->n_packets + 1, sizeof *f->ends));
    if (f->n_ids + n > UINT32_MAX || (k->opt.max_tokens && k->held + n > k->opt.max_tokens))
        return WSP_ERR_LIMIT;
    memcpy(f->ids + f->n_ids, ids, n * sizeof *ids);
    f->n_ids += n;
    k->held += n;
    f->ends[f->n_packets++] = (uint32_t)f->n_ids;
    return WSP_OK;
}

static wsp_status hold_packet(tokenizer *k, coded_flow *f, const wsp_frame *frame,
                              const uint16_t *ids, size_t n)
{
    if (k->bits)
        WSP_TRY(wspi_bits_packet(k->bits, frame));
    return keep_ids(k, f, ids, n);
}

/* flow.end is written for flows that ended by themselves and are whole. */
static bool ended(const tokenizer *k, const coded_flow *f, wsp_flow_end why)
{
    bool whole = !k->opt.max_packets || f->n_packets < k->opt.max_packets;

    return whole && (why == WSP_FLOW_CLOSED || why == WSP_FLOW_IDLE || why == WSP_FLOW_EOF);
}

static void release(void *arg, wsp_flow *flow)
{
    const uint16_t end = (uint16_t)(wspi_group_base(WSPI_T_START) + WSPI_START_END);
    tokenizer *k = arg;
    coded_flow *f = flow->user;

    k->stats->flows++;
    if (f && k->bits && k->st == WSP_OK)
        k->st = wspi_bits_flow(k->bits, f->ids, f->n_ids, f->resid);
    if (f && !k->opt.keep)
        k->held -= f->n_ids;
    if (f && k->opt.keep && k->st == WSP_OK && ended(k, f, flow->end))
        k->st = keep_ids(k, f, &end, 1);
    if (f && k->opt.keep && k->st == WSP_OK)
        k->st = append_flow(k, f, flow->end);
    if (f && k->opt.keep && k->st == WSP_OK && k->opt.on_flow)
        k->st = k->opt.on_flow(k->opt.arg, flow, k->t, k->t->n_flows - 1);
    coded_flow_free(f);
}

static void count_tokens(wsp_tokenize_stats *s, const uint16_t *ids, size_t n)
{
    unsigned kind = wspi_group_base(WSPI_T_KIND), end = wspi_group_base(WSPI_T_END);
    uint8_t layer;
    size_t f;

    for (size_t i = 0; i < n; i++) {
        if (ids[i] >= kind && ids[i] < end) {
            s->payload_tokens++;
            continue;
        }
        s->header_tokens++;
        if (wspi_token_field(ids[i], &layer, &f))
            s->layer_tokens[layer]++;
        else
            s->frame_tokens++;
    }
}

static wsp_status code_frame(tokenizer *k, wsp_flow_table *table, int linktype,
                             const wsp_frame *frame, uint64_t number)
{
    uint16_t ids[WSP_MAX_PACKET_TOKENS];
    size_t n, before, after;
    coded_flow *f;
    wsp_flow *flow;
    int dir;

    wsp_packet_dissect(k->packet, linktype, frame);
    WSP_TRY(wsp_flow_table_add(table, wsp_packet_key(k->packet), frame->time_ns, frame->wirelen,
                               wsp_packet_tcp_flags(k->packet), &flow, &dir));
    wsp_flow_note_icmp(flow, k->packet, dir);
    if (!flow->user)
        flow->user = coded_flow_new(linktype);
    f = flow->user;
    if (!f)
        return WSP_ERR_NOMEM;
    (void)wsp_residual_data(f->resid, &before);
    WSP_TRY(wsp_encode_packet(f->ctx, k->packet, dir, number, ids, &n, f->resid));
    (void)wsp_residual_data(f->resid, &after);
    k->stats->packets++;
    k->stats->bytes += frame->caplen;
    k->stats->residual_bytes += after - before;
    count_tokens(k->stats, ids, n);
    if (k->opt.max_packets && f->n_packets == k->opt.max_packets)
        wspi_residual_cut(f->resid, before);
    else if (k->opt.keep || k->bits)
        return hold_packet(k, f, frame, ids, n);
    else
        wsp_residual_reset(f->resid);
    return WSP_OK;
}

static wsp_status add_capture(tokenizer *k, const wsp_capture_info *info)
{
    wsp_tokens *t = k->t;

    k->stats->captures++;
    WSP_TRY(wspi_grow(&t->captures, &k->cap_captures, t->n_captures + 1, sizeof *t->captures));
    WSP_TRY(wspi_grow(&t->linktype, &k->cap_links, t->n_captures + 1, sizeof *t->linktype));
    t->captures[t->n_captures] = strdup(info->name);
    if (!t->captures[t->n_captures])
        return WSP_ERR_NOMEM;
    t->linktype[t->n_captures++] = info->linktype;
    return WSP_OK;
}

static wsp_status code_capture(tokenizer *k, wsp_input *in, const wsp_capture_info *info,
                               wsp_error *err)
{
    wsp_flow_table_options opt = wsp_flow_table_options_default();
    wsp_flow_table *table = NULL;
    wsp_frame frame;
    uint64_t number = 0;
    wsp_status st = add_capture(k, info);
    int linktype = info->linktype;

    opt.release = release;
    opt.arg = k;
    if (st == WSP_OK && k->bits)
        st = wspi_bits_capture(k->bits, linktype);
    if (st == WSP_OK)
        st = wsp_flow_table_new(&table, &opt);
    while (st == WSP_OK) {
        st = wsp_input_next(in, &frame, err);
        if (st == WSP_ERR_FORMAT || st == WSP_ERR_IO) {
            wspi_log(WSP_LOG_WARNING, "%s (the %llu packets before it are kept)",
                     err ? err->text : info->name, (unsigned long long)number);
            k->stats->broken++;
            st = WSP_EOF;
        } else if (st == WSP_OK) {
            st = code_frame(k, table, linktype, &frame, number++);
            if (st < 0)
                (void)wspi_fail(err, st, number, "%s: packet %llu: %s",
                                k->t->captures[k->t->n_captures - 1], (unsigned long long)number,
                                wsp_status_name(st));
        }
    }
    wsp_flow_table_free(table);
    if (st >= 0 && k->st < 0)
        st = wspi_fail(err, k->st, 0, "%s while collecting flows", wsp_status_name(k->st));
    return st;
}

/* Empty offset columns still have their first 0. */
static wsp_status tokens_start(tokenizer *k)
{
    wsp_tokens *t = k->t;

    WSP_TRY(wspi_grow(&t->ids, &k->cap_ids, 1, sizeof *t->ids));
    WSP_TRY(wspi_grow(&t->packet_off, &k->cap_packets, 1, sizeof *t->packet_off));
    WSP_TRY(wspi_grow(&t->flow_off, &k->cap_flow_cols[0], 1, sizeof *t->flow_off));
    WSP_TRY(wspi_grow(&t->residual_off, &k->cap_flow_cols[1], 1, sizeof *t->residual_off));
    WSP_TRY(wspi_grow(&t->capture, &k->cap_flow_cols[2], 1, sizeof *t->capture));
    WSP_TRY(wspi_grow(&t->flow_end, &k->cap_flow_cols[3], 1, sizeof *t->flow_end));
    WSP_TRY(wspi_grow(&t->residuals, &k->cap_resid, 1, 1));
    WSP_TRY(wspi_grow(&t->linktype, &k->cap_links, 1, sizeof *t->linktype));
    t->packet_off[0] = t->flow_off[0] = t->residual_off[0] = 0;
    return WSP_OK;
}

wsp_status wsp_tokenize(wsp_input *in, const wsp_tokenize_options *opt, wsp_tokens **out,
                        wsp_tokenize_stats *stats, wsp_error *err)
{
    wsp_error local = {.status = WSP_OK};
    tokenizer k = {.stats = stats, .opt = *opt};
    wsp_capture_info info;
    wsp_status st;

    *out = NULL;
    memset(stats, 0, sizeof *stats);
    err = err ? err : &local;
    k.t = wspi_new_array(1, sizeof *k.t);
    st = k.t ? wsp_packet_new(&k.packet) : WSP_ERR_NOMEM;
    if (st == WSP_OK)
        st = tokens_start(&k);
    if (st == WSP_OK && opt->sizes)
        st = wspi_bits_new(&k.bits);
    if (st < 0)
        (void)wspi_nomem(err, "a token set", sizeof *k.t);
    while (st >= 0) {
        st = wsp_input_open_next(in, &info, err);
        if (st != WSP_OK)
            break;
        if (opt->want && !opt->want(opt->arg, info.name))
            continue;
        st = code_capture(&k, in, &info, err);
    }
    if (st >= 0 && k.bits)
        st = wspi_bits_finish(k.bits, &stats->sizes, err);
    wspi_bits_free(k.bits);
    wsp_packet_free(k.packet);
    if (st < 0) {
        wsp_tokens_free(k.t);
        return st;
    }
    *out = k.t;
    return WSP_OK;
}

/* ---- back ---- */

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

static wsp_status decode_flow(const wsp_tokens *t, size_t flow, wsp_decoder *d, wsp_context *ctx,
                              keeper *k, wsp_error *err)
{
    const uint8_t *resid = t->residuals + t->residual_off[flow];
    const uint8_t *end = t->residuals + t->residual_off[flow + 1];
    wsp_decoded out;
    size_t used;

    for (uint64_t p = t->flow_off[flow]; p < t->flow_off[flow + 1]; p++) {
        size_t n = (size_t)(t->packet_off[p + 1] - t->packet_off[p]);
        wsp_status st =
            wsp_decode_packet(d, ctx, t->ids + t->packet_off[p], n, &used, &resid, end, &out, err);
        if (st == WSP_EOF)
            return WSP_OK;
        WSP_TRY(st);
        if (used != n)
            return wspi_fail(err, WSP_ERR_FORMAT, p,
                             "packet %llu of the set has %zu tokens too many",
                             (unsigned long long)p, n - used);
        if (wspi_grow(&k->frames, &k->cap, k->n + 1, sizeof *k->frames) < 0)
            return wspi_nomem(err, "packets", k->n);
        k->frames[k->n++] =
            (kept_frame){.number = out.number, .frame = out.frame, .at = k->bytes.len};
        if (wspi_buf_add(&k->bytes, out.frame.data, out.frame.caplen) < 0)
            return wspi_nomem(err, "packets", k->bytes.len);
    }
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
