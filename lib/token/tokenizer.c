/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tokenizer.c: whole inputs: captures into flows into a set of tokens. Open flows are ropes in a store; a flow that ends is
 * appended to the set, and a full set can be drained, so that memory is bounded by the flows that are open.
 */
#include "token/app/app.h"
#include "token/bits.h"
#include "token/store.h"

enum { DRAIN_BYTES = 32 << 20 };

/* What a flow has been coded to so far: for each packet a head, its ids, its residual bytes. */
typedef struct coded_flow {
    struct coded_flow *next; /* in the list of unused ones */
    wspi_rope rope;
    size_t n_ids, n_packets, n_resid;
    uint64_t context[]; /* wsp_context_size() bytes */
} coded_flow;

typedef struct packet_head {
    uint32_t n_resid;
    uint16_t n_ids;
} packet_head;

typedef struct tokenizer {
    wsp_input *in;
    wsp_tokens *t;
    wsp_tokenize_stats *stats;
    wsp_packet *packet;
    wsp_residual *resid; /* of the packet at hand */
    wsp_tokenize_options opt;
    wspi_bits *bits; /* NULL unless sizes are asked for */
    wspi_tally *tally;
    wspi_store store;
    coded_flow *unused;
    uint64_t *seen; /* [vocabulary] tokens so far, by id */
    size_t held;
    size_t cap_ids, cap_packets, cap_flows, cap_flow_cols[4], cap_resid, cap_captures, cap_links;
    wsp_status st; /* first failure inside the flow table's callback */
} tokenizer;

const char *wsp_layer_name(size_t i)
{
    return i < WSPI_APP_END ? wspi_proto_of((uint8_t)i)->name : NULL;
}

/* ---- flows ---- */

static coded_flow *take_flow(tokenizer *k, int linktype)
{
    coded_flow *f = k->unused;

    if (f)
        k->unused = f->next;
    else
        f = wspi_store_take(&k->store, sizeof *f + wsp_context_size());
    if (!f)
        return NULL;
    *f = (coded_flow){.next = NULL};
    wsp_context_init((wsp_context *)(void *)f->context, linktype);
    return f;
}

static void give_flow(tokenizer *k, coded_flow *f)
{
    wspi_rope_clear(&k->store, &f->rope);
    f->next = k->unused;
    k->unused = f;
}

static wsp_status keep_packet(tokenizer *k, coded_flow *f, const uint16_t *ids, size_t n,
                              const uint8_t *resid, size_t n_resid)
{
    packet_head head = {.n_ids = (uint16_t)n, .n_resid = (uint32_t)n_resid};

    if (k->opt.max_tokens && k->held + n > k->opt.max_tokens)
        return WSP_ERR_LIMIT;
    WSP_TRY(wspi_rope_add(&k->store, &f->rope, &head, sizeof head));
    WSP_TRY(wspi_rope_add(&k->store, &f->rope, ids, n * sizeof *ids));
    if (n_resid)
        WSP_TRY(wspi_rope_add(&k->store, &f->rope, resid, n_resid));
    k->held += n;
    f->n_ids += n;
    f->n_resid += n_resid;
    f->n_packets++;
    return WSP_OK;
}

static wsp_status grow_set(tokenizer *k, const coded_flow *f)
{
    wsp_tokens *t = k->t;
    size_t flows = t->n_flows + 1;

    WSP_TRY(wspi_grow(&t->ids, &k->cap_ids, t->n_tokens + f->n_ids + 1, sizeof *t->ids));
    WSP_TRY(wspi_grow(&t->packet_off, &k->cap_packets, t->n_packets + f->n_packets + 2,
                      sizeof *t->packet_off));
    WSP_TRY(wspi_grow(&t->flow_off, &k->cap_flow_cols[0], flows + 1, sizeof *t->flow_off));
    WSP_TRY(wspi_grow(&t->residual_off, &k->cap_flow_cols[1], flows + 1, sizeof *t->residual_off));
    WSP_TRY(wspi_grow(&t->capture, &k->cap_flow_cols[2], flows, sizeof *t->capture));
    WSP_TRY(wspi_grow(&t->flow_end, &k->cap_flow_cols[3], flows, sizeof *t->flow_end));
    return wspi_grow(&t->residuals, &k->cap_resid, t->n_residuals + f->n_resid + 1, 1);
}

static wsp_status append_flow(tokenizer *k, const coded_flow *f, wsp_flow_end end)
{
    wspi_rope_reader r = wspi_rope_read(&f->rope);
    wsp_tokens *t = k->t;
    packet_head head;

    WSP_TRY(grow_set(k, f));
    while (wspi_rope_next(&r, &head, sizeof head)) {
        (void)wspi_rope_next(&r, t->ids + t->n_tokens, head.n_ids * sizeof *t->ids);
        (void)wspi_rope_next(&r, t->residuals + t->n_residuals, head.n_resid);
        t->n_tokens += head.n_ids;
        t->n_residuals += head.n_resid;
        t->packet_off[++t->n_packets] = t->n_tokens;
    }
    t->capture[t->n_flows] = (uint32_t)(t->n_captures - 1);
    t->flow_end[t->n_flows] = (uint8_t)end;
    t->n_flows++;
    t->flow_off[t->n_flows] = t->n_packets;
    t->residual_off[t->n_flows] = t->n_residuals;
    return WSP_OK;
}

/* The flows of the set have been taken over by the caller: they leave it. */
static wsp_status drain(tokenizer *k)
{
    wsp_tokens *t = k->t;

    WSP_TRY(k->opt.drain(k->opt.arg, t));
    k->held -= t->n_tokens;
    t->n_flows = t->n_packets = t->n_tokens = t->n_residuals = 0;
    return WSP_OK;
}

static bool is_large(const tokenizer *k)
{
    return k->opt.drain && (k->t->n_residuals + 2 * k->t->n_tokens > DRAIN_BYTES ||
                            (k->opt.drain_flows && k->t->n_flows >= k->opt.drain_flows));
}

/* flow.end is written for flows that ended by themselves and are whole. */
static bool ended(const tokenizer *k, const coded_flow *f, wsp_flow_end why)
{
    bool whole = !k->opt.max_packets || f->n_packets < k->opt.max_packets;

    return whole && (why == WSP_FLOW_CLOSED || why == WSP_FLOW_IDLE || why == WSP_FLOW_EOF);
}

static wsp_status end_flow(tokenizer *k, const wsp_flow *flow, coded_flow *f)
{
    const uint16_t end = (uint16_t)(wspi_group_base(WSPI_T_START) + WSPI_START_END);
    size_t first;

    if (ended(k, f, flow->end))
        WSP_TRY(keep_packet(k, f, &end, 1, NULL, 0));
    first = k->t->n_tokens;
    WSP_TRY(append_flow(k, f, flow->end));
    if (k->bits)
        WSP_TRY(wspi_bits_flow(k->bits, k->t->ids + first, k->t->n_tokens - first,
                               k->t->residuals + k->t->n_residuals - f->n_resid, f->n_resid));
    if (k->opt.keep && k->opt.on_flow)
        WSP_TRY(k->opt.on_flow(k->opt.arg, flow, k->t, k->t->n_flows - 1));
    if (!k->opt.keep) { /* only the sizes wanted it */
        k->held -= k->t->n_tokens;
        k->t->n_flows = k->t->n_packets = k->t->n_tokens = k->t->n_residuals = 0;
        return WSP_OK;
    }
    return is_large(k) ? drain(k) : WSP_OK;
}

static void release(void *arg, wsp_flow *flow)
{
    tokenizer *k = arg;
    coded_flow *f = flow->user;

    k->stats->flows++;
    if (!f)
        return;
    if (k->st == WSP_OK && (k->opt.keep || k->bits))
        k->st = end_flow(k, flow, f);
    give_flow(k, f);
}

/* ---- packets ---- */

static wsp_status keep_coded(tokenizer *k, coded_flow *f, const wsp_frame *frame,
                             const uint16_t *ids, size_t n)
{
    size_t len;
    const uint8_t *resid = wsp_residual_data(k->resid, &len);

    if (k->bits)
        WSP_TRY(wspi_bits_packet(k->bits, frame));
    if ((!k->opt.keep && !k->bits) || (k->opt.max_packets && f->n_packets == k->opt.max_packets))
        return WSP_OK;
    k->stats->kept += k->opt.keep;
    return keep_packet(k, f, ids, n, resid, k->opt.drop_residuals ? 0 : len);
}

/* What the last packet was in. */
static const char *file_of(const tokenizer *k)
{
    const char *file = wsp_input_file(k->in);

    return file ? file : k->t->captures[k->t->n_captures - 1];
}

static wsp_status code_frame(tokenizer *k, wsp_flow_table *table, int linktype,
                             const wsp_frame *frame, uint64_t number)
{
    uint16_t ids[WSP_MAX_PACKET_TOKENS];
    size_t n, len;
    coded_flow *f;
    wsp_flow *flow;
    int dir;

    wsp_packet_peek(k->packet, linktype, frame);
    if (k->opt.on_packet)
        wsp_packet_check(k->packet);
    WSP_TRY(wsp_flow_table_add(table, wsp_packet_key(k->packet), frame->time_ns, frame->wirelen,
                               wsp_packet_tcp_flags(k->packet), &flow, &dir));
    wsp_flow_note(flow, k->packet, dir);
    if (!flow->file)
        flow->file = file_of(k);
    k->stats->packets++;
    k->stats->bytes += frame->caplen;
    if (k->opt.on_packet) {
        wsp_status st =
            k->opt.on_packet(k->opt.arg, k->t->n_captures - 1, linktype, frame, k->packet, flow);
        if (st != WSP_OK)
            return st < 0 ? st : k->st;
    }
    if (!flow->user)
        flow->user = take_flow(k, linktype);
    f = flow->user;
    if (!f)
        return WSP_ERR_NOMEM;
    if (k->opt.only_kept && k->opt.max_packets && f->n_packets == k->opt.max_packets)
        return k->st;
    wsp_residual_reset(k->resid);
    wsp_packet_check(k->packet);
    WSP_TRY(wspi_encode_packet((wsp_context *)(void *)f->context, k->packet, dir, number, ids, &n,
                               k->resid, k->tally));
    (void)wsp_residual_data(k->resid, &len);
    k->stats->residual_bytes += len;
    for (size_t i = 0; i < n; i++)
        k->seen[ids[i]]++;
    WSP_TRY(keep_coded(k, f, frame, ids, n));
    while (k->opt.max_open_bytes && k->store.held > k->opt.max_open_bytes &&
           wsp_flow_table_evict(table))
        ;
    return k->st;
}

/* ---- captures ---- */

static wsp_status add_capture(tokenizer *k, const wsp_capture_info *info)
{
    wsp_tokens *t = k->t;

    k->stats->captures++;
    k->stats->opaque += !wsp_packet_link(info->name, info->linktype);
    WSP_TRY(wspi_grow(&t->captures, &k->cap_captures, t->n_captures + 1, sizeof *t->captures));
    WSP_TRY(wspi_grow(&t->linktype, &k->cap_links, t->n_captures + 1, sizeof *t->linktype));
    t->captures[t->n_captures] = strdup(info->name);
    if (!t->captures[t->n_captures])
        return WSP_ERR_NOMEM;
    t->linktype[t->n_captures++] = info->linktype;
    return k->bits ? wspi_bits_capture(k->bits, info->linktype) : WSP_OK;
}

static wsp_status code_capture(tokenizer *k, const wsp_capture_info *info, wsp_error *err)
{
    wsp_flow_table_options opt = wsp_flow_table_options_default();
    wsp_flow_table *table = NULL;
    wsp_frame frame;
    uint64_t number = 0;
    wsp_status st = add_capture(k, info);
    int linktype = info->linktype;

    opt.release = release;
    opt.arg = k;
    if (k->opt.max_flows)
        opt.max_flows = k->opt.max_flows;
    if (st == WSP_OK)
        st = wsp_flow_table_new(&table, &opt);
    if (st < 0)
        (void)wspi_fail(err, st, 0, "%s: its flows: %s", info->name, wsp_status_name(st));
    while (st == WSP_OK) {
        st = wsp_input_next(k->in, &frame, err);
        if (st == WSP_ERR_FORMAT || st == WSP_ERR_IO) {
            wspi_log(WSP_LOG_WARNING, "%s (the %llu packets before it%s are kept)",
                     err ? err->text : info->name, (unsigned long long)number,
                     wsp_input_joined(k->in) ? ", of all files together," : "");
            k->stats->broken++;
            st = WSP_EOF;
        } else if (st == WSP_OK) {
            st = k->opt.change
                     ? k->opt.change(k->opt.arg, k->t->n_captures - 1, linktype, &frame, &frame)
                     : WSP_OK;
            if (st == WSP_EOF) {
                st = WSP_OK;
                continue;
            }
            if (st == WSP_OK)
                st = code_frame(k, table, linktype, &frame, number++);
            if (st < 0)
                (void)wspi_fail(err, st, number, "%s: packet %llu: %s",
                                k->t->captures[k->t->n_captures - 1], (unsigned long long)number,
                                wsp_status_name(st));
        }
    }
    k->stats->evicted += table ? wsp_flow_table_evictions(table) : 0;
    wsp_flow_table_free(table);
    if (st >= 0 && k->st < 0)
        st = wspi_fail(err, k->st, 0, "%s while collecting flows", wsp_status_name(k->st));
    return st;
}

/* ---- runs ---- */

/* Empty offset columns still have their first 0. */
static wsp_status tokens_start(tokenizer *k)
{
    const coded_flow nothing = {.n_ids = 0};
    wsp_tokens *t = k->t;

    WSP_TRY(grow_set(k, &nothing));
    WSP_TRY(wspi_grow(&t->linktype, &k->cap_links, 1, sizeof *t->linktype));
    t->packet_off[0] = t->flow_off[0] = t->residual_off[0] = 0;
    return WSP_OK;
}

static wsp_status start(tokenizer *k)
{
    k->t = wspi_new_array(1, sizeof *k->t);
    k->seen = wspi_new_array(wsp_vocab_size(), sizeof *k->seen);
    if (k->opt.predictions)
        k->tally = wspi_new_array(1, sizeof *k->tally);
    if (!k->t || !k->seen || (k->opt.predictions && !k->tally))
        return WSP_ERR_NOMEM;
    WSP_TRY(wsp_packet_new(&k->packet));
    WSP_TRY(wsp_residual_new(&k->resid));
    WSP_TRY(tokens_start(k));
    return k->opt.sizes ? wspi_bits_new(&k->bits) : WSP_OK;
}

static void count_tokens(tokenizer *k)
{
    wsp_tokenize_stats *s = k->stats;
    uint8_t layer;
    size_t f;

    for (uint32_t id = 0; id < wsp_vocab_size(); id++) {
        uint64_t n = k->seen[id];
        if (wspi_in_group((uint16_t)id, WSPI_T_KIND) || wspi_in_group((uint16_t)id, WSPI_T_TEXT)) {
            s->payload_tokens += n;
            continue;
        }
        s->header_tokens += n;
        if (!wspi_token_field((uint16_t)id, &layer, &f)) {
            s->frame_tokens += n;
            continue;
        }
        s->layer_tokens[layer] += n;
        s->app_tokens += layer >= WSPI_LAYER_COUNT ? n : 0;
    }
}

size_t wsp_prediction_count(void)
{
    size_t n = 0;

    for (uint8_t l = 0; l < WSPI_LAYER_COUNT; l++)
        n += wspi_protos[l]->n_fields;
    return n;
}

static void count_predictions(const tokenizer *k)
{
    wsp_prediction *p = k->opt.predictions;

    for (uint8_t l = 0; p && l < WSPI_LAYER_COUNT; l++)
        for (size_t f = 0; f < wspi_protos[l]->n_fields; f++, p++)
            *p = (wsp_prediction){.field = wspi_protos[l]->fields[f].name,
                                  .predictor = wspi_predictor_name(&wspi_protos[l]->fields[f]),
                                  .seen = k->tally->seen[l],
                                  .told = k->tally->told[l][f],
                                  .remainder = k->tally->remainder[l][f]};
}

static void clear(tokenizer *k)
{
    wspi_store_clear(&k->store);
    wspi_bits_free(k->bits);
    wsp_packet_free(k->packet);
    wsp_residual_free(k->resid);
    free(k->seen);
    free(k->tally);
}

static wsp_status run(tokenizer *k, wsp_error *err)
{
    wsp_capture_info info;
    wsp_status st;

    while ((st = wsp_input_open_next(k->in, &info, err)) == WSP_OK) {
        if (k->opt.want && !k->opt.want(k->opt.arg, info.name))
            continue;
        st = code_capture(k, &info, err);
        if (st < 0)
            break;
    }
    if (st < 0) {
        if (k->opt.drain && k->st == WSP_OK)
            (void)drain(k); /* what was read before is the caller's; the first failure is told */
        return st;
    }
    k->stats->unread = wsp_input_unread(k->in);
    k->stats->joined = wsp_input_joined(k->in);
    if (k->bits)
        WSP_TRY(wspi_bits_finish(k->bits, &k->stats->sizes, err));
    count_tokens(k);
    count_predictions(k);
    if (k->opt.drain && drain(k) < 0)
        return wspi_fail(err, WSP_ERR_IO, 0, "the flows could not be written");
    return WSP_OK;
}

wsp_status wsp_tokenize(wsp_input *in, const wsp_tokenize_options *opt, wsp_tokens **out,
                        wsp_tokenize_stats *stats, wsp_error *err)
{
    wsp_error local = {.status = WSP_OK};
    tokenizer k = {.in = in, .stats = stats, .opt = *opt};
    wsp_status st;

    *out = NULL;
    memset(stats, 0, sizeof *stats);
    err = err ? err : &local;
    st = start(&k);
    if (st < 0)
        (void)wspi_nomem(err, "a token set", sizeof *k.t);
    else
        st = run(&k, err);
    clear(&k);
    if (st < 0) {
        wsp_tokens_free(k.t);
        return st;
    }
    *out = k.t;
    return WSP_OK;
}
