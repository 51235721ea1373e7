/* SPDX-License-Identifier: Apache-2.0 */
/*
 * traffic.c: reads captures for comparison. The tokenizer makes the flows' tokens; each frame that it reads is measured on
 * its way, in a flow table of the same options, whose flows end in the same order: so both number flows alike.
 */
#include "realism/realism_int.h"
#include "realism/verbatim.h"

typedef struct reader {
    const wsp_traffic_options *opt;
    wsp_traffic *t;
    wsp_packet *packet;
    wsp_flow_table *table;
    wsp_labeller *labeller;
    wsp_pcap_writer *writer;
    wsp_forger *forger; /* other addresses in each capture, so that flows of two are never one */
    char *capture;      /* name of the open one */
    size_t number;      /* of the open capture, plus one; 0: none yet */
    int linktype;
    wsp_status st; /* of the release callback */
    wsp_error err;
} reader;

wsp_traffic_options wsp_traffic_options_default(void)
{
    return (wsp_traffic_options){.max_packets = 24};
}

/* ---- classes ---- */

static wsp_status find_name(wsp_traffic *t, const char *name, int32_t *index)
{
    for (size_t i = 0; i < t->n_names; i++)
        if (strcmp(t->names[i], name) == 0) {
            *index = (int32_t)i;
            return WSP_OK;
        }
    WSP_TRY(wspi_grow(&t->names, &t->cap_names, t->n_names + 1, sizeof *t->names));
    t->names[t->n_names] = strdup(name);
    if (!t->names[t->n_names])
        return WSP_ERR_NOMEM;
    *index = (int32_t)t->n_names++;
    return WSP_OK;
}

static wsp_status label_flow(reader *r, wspi_notes *f, const wsp_flow_key *key)
{
    f->label = -1;
    for (size_t i = 0; i < r->opt->n_lists && f->label < 0; i++) {
        int32_t label = wsp_labels_find(r->opt->lists[i], r->capture, key);
        if (label >= 0)
            WSP_TRY(find_name(r->t, wsp_labels_name(r->opt->lists[i], label), &f->label));
    }
    f->counts = f->label >= 0 || r->opt->n_lists == 0;
    return WSP_OK;
}

/* ---- flows ---- */

static void notes_free(wspi_notes *f)
{
    if (!f)
        return;
    free(f->obs);
    free(f->step);
    wspi_buf_clear(&f->payload);
    wspi_buf_clear(&f->raw);
    wsp_labeller_flow_free(f->ndpi);
    free(f);
}

static wsp_status new_notes(reader *r, wsp_flow *flow)
{
    wspi_notes *f = wspi_new_array(1, sizeof *f);

    if (!f)
        return WSP_ERR_NOMEM;
    flow->user = f;
    wspi_buf_init(&f->payload, SIZE_MAX / 2);
    wspi_buf_init(&f->raw, SIZE_MAX / 2);
    WSP_TRY(label_flow(r, f, &flow->key));
    if (f->counts && r->labeller)
        WSP_TRY(wsp_labeller_flow_new(r->labeller, &f->ndpi));
    return WSP_OK;
}

static wsp_status grow_flows(wsp_traffic *t)
{
    size_t n = t->n_flows + 1;

    WSP_TRY(wspi_grow(&t->obs_off, &t->cap_flows[0], n + 1, sizeof *t->obs_off));
    WSP_TRY(wspi_grow(&t->features, &t->cap_flows[1], n, WSPI_FLOW_FEATURES * sizeof *t->features));
    WSP_TRY(wspi_grow(&t->payload_off, &t->cap_flows[2], n + 1, sizeof *t->payload_off));
    WSP_TRY(wspi_grow(&t->raw_off, &t->cap_flows[7], n + 1, sizeof *t->raw_off));
    WSP_TRY(wspi_grow(&t->label, &t->cap_flows[3], n, sizeof *t->label));
    WSP_TRY(wspi_grow(&t->said, &t->cap_flows[4], n, sizeof *t->said));
    WSP_TRY(wspi_grow(&t->guessed, &t->cap_flows[5], n, sizeof *t->guessed));
    WSP_TRY(wspi_grow(&t->service, &t->cap_flows[6], n, sizeof *t->service));
    return wspi_grow(&t->counted, &t->cap_counted, n, sizeof *t->counted);
}

/* What nDPI read in the packets, and what it would guess: names that live as long as the program. */
static void take_verdict(wsp_traffic *t, wspi_notes *f)
{
    wsp_verdict v;

    t->said[t->n_flows] = t->guessed[t->n_flows] = t->service[t->n_flows] = NULL;
    if (!f->ndpi)
        return;
    wsp_labeller_verdict(f->ndpi, &v);
    t->guessed[t->n_flows] = v.source == WSP_LABEL_NONE ? NULL : v.protocol;
    if (v.source == WSP_LABEL_DPI) {
        t->said[t->n_flows] = v.protocol;
        t->service[t->n_flows] = v.service[0] ? v.service : NULL;
    }
}

static wsp_status keep_flow(reader *r, wspi_notes *f)
{
    wsp_traffic *t = r->t;

    WSP_TRY(grow_flows(t));
    if (f->counts && f->n_steps > 0) {
        WSP_TRY(wspi_measure_flow(&t->measures, f, t->features + t->n_flows * WSPI_FLOW_FEATURES));
        WSP_TRY(wspi_grow(&t->obs, &t->cap_obs, t->obs_off[t->n_flows] + f->n_obs, sizeof *t->obs));
        memcpy(t->obs + t->obs_off[t->n_flows], f->obs, f->n_obs * sizeof *t->obs);
        WSP_TRY(wspi_buf_add(&t->payload, f->payload.data, f->payload.len));
        WSP_TRY(wspi_buf_add(&t->raw, f->raw.data, f->raw.len));
        t->counted[t->n_counted++] = (uint32_t)t->n_flows;
        t->n_packets += f->n_steps;
    } else {
        f->n_obs = 0;
    }
    take_verdict(t, f);
    t->label[t->n_flows] = f->label;
    t->obs_off[t->n_flows + 1] = t->obs_off[t->n_flows] + f->n_obs;
    t->payload_off[t->n_flows + 1] = t->payload.len;
    t->raw_off[t->n_flows + 1] = t->raw.len;
    t->n_flows++;
    return WSP_OK;
}

static void release(void *arg, wsp_flow *flow)
{
    reader *r = arg;

    if (r->st == WSP_OK)
        r->st = flow->user ? keep_flow(r, flow->user) : WSP_ERR_NOMEM;
    notes_free(flow->user);
}

/* ---- captures ---- */

static void close_capture(reader *r)
{
    wsp_flow_table_free(r->table);
    wsp_labeller_free(r->labeller);
    wsp_forger_free(r->forger);
    r->table = NULL;
    r->labeller = NULL;
    r->forger = NULL;
}

static wsp_status open_capture(reader *r, size_t number, int linktype)
{
    wsp_flow_table_options opt = wsp_flow_table_options_default();
    wsp_forge_options forge = {.seed = number + 1, .what = WSP_FORGE_ADDRESSES};

    close_capture(r);
    WSP_TRY(r->st);
    r->number = number + 1;
    r->linktype = linktype;
    opt.release = release;
    opt.arg = r;
    WSP_TRY(wsp_flow_table_new(&r->table, &opt));
    if (r->opt->ndpi)
        WSP_TRY(wsp_labeller_new(&r->labeller, NULL, &r->err));
    return r->writer && linktype == 1 ? wsp_forger_new(&r->forger, linktype, &forge) : WSP_OK;
}

static bool wanted(void *arg, const char *capture)
{
    reader *r = arg;

    free(r->capture);
    r->capture = strdup(capture);
    if (!r->capture)
        r->st = WSP_ERR_NOMEM; /* seen at the next frame or the end */
    return r->capture && (!r->opt->want || r->opt->want(r->opt->arg, capture));
}

/* ---- packets ---- */

static wsp_status take_payload(reader *r, wspi_notes *f)
{
    const uint8_t *data;
    size_t len, wire;
    uint32_t n;

    wsp_packet_payload(r->packet, &data, &len, &wire);
    for (size_t i = 0; i < r->opt->n_scan && len > 0; i++)
        WSP_TRY(wspi_verbatim_scan(r->opt->scan[i], r->number, data, len));
    if (!r->opt->payload || len == 0)
        return WSP_OK;
    n = (uint32_t)len;
    WSP_TRY(wspi_buf_add(&f->payload, &n, sizeof n));
    return wspi_buf_add(&f->payload, data, len);
}

static wsp_status take_frame(reader *r, wspi_notes *f, const wsp_frame *frame)
{
    const wspi_step *s = &f->step[f->n_steps - 1];
    uint64_t gap = f->n_steps > 1 && s->time_ns > s[-1].time_ns ? s->time_ns - s[-1].time_ns : 0;

    if (!r->opt->frames || r->linktype != 1 || f->raw.len >= WSPI_RAW_BYTES)
        return WSP_OK;
    WSP_TRY(wspi_buf_add(&f->raw, &gap, sizeof gap));
    WSP_TRY(wspi_buf_add(&f->raw, &frame->caplen, sizeof frame->caplen));
    return wspi_buf_add(&f->raw, frame->data, frame->caplen);
}

bool wspi_raw_next(const wsp_traffic *t, uint32_t flow, size_t *at, wspi_raw *out)
{
    const uint8_t *p = t->raw.data + *at;
    uint32_t len;

    if (*at >= t->raw_off[flow + 1])
        return false;
    memcpy(&out->gap_ns, p, sizeof out->gap_ns);
    memcpy(&len, p + sizeof out->gap_ns, sizeof len);
    out->data = p + sizeof out->gap_ns + sizeof len;
    out->len = len;
    *at += sizeof out->gap_ns + sizeof len + len;
    return true;
}

static wsp_status write_frame(reader *r, const wsp_frame *frame)
{
    wsp_frame out;

    if (!r->writer)
        return WSP_OK;
    if (!r->forger) {
        r->t->not_ethernet++;
        return WSP_OK;
    }
    WSP_TRY(wsp_forger_frame(r->forger, frame, &out));
    return wsp_pcap_writer_add(r->writer, &out, &r->err);
}

static wsp_status ask_ndpi(reader *r, wspi_notes *f, uint64_t time_ns)
{
    const uint8_t *ip;
    size_t len;

    if (!f->ndpi || !wsp_packet_ip(r->packet, &ip, &len))
        return WSP_OK;
    return wsp_labeller_push(f->ndpi, ip, len, time_ns);
}

/* One of the packets of a flow that count. */
static wsp_status note_packet(reader *r, wspi_notes *f, const wsp_frame *frame, int dir)
{
    const uint8_t *data;
    size_t len, wire;
    wsp_status st;

    WSP_TRY(wspi_grow(&f->step, &f->cap_steps, f->n_steps + 1, sizeof *f->step));
    wsp_packet_payload(r->packet, &data, &len, &wire);
    f->step[f->n_steps++] = (wspi_step){.time_ns = frame->time_ns,
                                        .size = frame->wirelen,
                                        .data = (uint32_t)wire,
                                        .dir = (uint8_t)dir,
                                        .flags = wsp_packet_tcp_flags(r->packet)};
    wspi_check_packet(f, r->packet, r->t->fault);
    WSP_TRY(wspi_measure_packet(&r->t->measures, f, r->packet));
    WSP_TRY(take_payload(r, f));
    WSP_TRY(take_frame(r, f, frame));
    st = ask_ndpi(r, f, frame->time_ns);
    WSP_TRY(st);
    return write_frame(r, frame);
}

static wsp_status see_frame(void *arg, size_t capture, int linktype, const wsp_frame *in,
                            wsp_frame *out)
{
    reader *r = arg;
    wspi_notes *f;
    wsp_flow *flow;
    int dir;

    *out = *in;
    WSP_TRY(r->st);
    if (r->number != capture + 1)
        WSP_TRY(open_capture(r, capture, linktype));
    wsp_packet_dissect(r->packet, linktype, in);
    WSP_TRY(wsp_flow_table_add(r->table, wsp_packet_key(r->packet), in->time_ns, in->wirelen,
                               wsp_packet_tcp_flags(r->packet), &flow, &dir));
    WSP_TRY(r->st);
    if (!flow->user)
        WSP_TRY(new_notes(r, flow));
    f = flow->user;
    if (!f->counts || f->n_steps >= r->opt->max_packets)
        return WSP_OK;
    return note_packet(r, f, in, dir);
}

/* ---- whole inputs ---- */

static wsp_status tokenize(reader *r, wsp_input *in, wsp_error *err)
{
    wsp_tokenize_options how = {.keep = true,
                                .drop_residuals = true,
                                .max_packets = r->opt->max_packets,
                                .want = wanted,
                                .change = see_frame,
                                .arg = r};
    wsp_tokenize_stats stats;

    WSP_TRY(wsp_tokenize(in, &how, &r->t->tokens, &stats, err));
    close_capture(r);
    if (r->st < 0)
        return wspi_fail(err, r->st, 0, "%s while measuring flows", wsp_status_name(r->st));
    if (r->t->tokens->n_flows != r->t->n_flows)
        return wspi_fail(err, WSP_ERR_FORMAT, 0, "%zu flows were measured, %zu coded",
                         r->t->n_flows, r->t->tokens->n_flows);
    if (r->t->n_counted == 0)
        return wspi_fail(err, WSP_ERR_ARG, 0, "%s",
                         r->opt->n_lists ? "no flow of these captures is in the lists of labels"
                                         : "there is no packet in these captures");
    r->t->n_captures = wspi_captures_of(r->t);
    return WSP_OK;
}

static wsp_status start(reader *r, wsp_error *err)
{
    wsp_traffic *t = r->t;

    if (!t || wsp_packet_new(&r->packet) < 0 || grow_flows(t) < 0)
        return wspi_nomem(err, "captures", 0);
    wspi_measures_make(&t->measures);
    wspi_buf_init(&t->payload, SIZE_MAX / 2);
    wspi_buf_init(&t->raw, SIZE_MAX / 2);
    t->obs_off[0] = t->payload_off[0] = t->raw_off[0] = 0;
    return r->opt->pcap ? wsp_pcap_writer_open(&r->writer, r->opt->pcap, 1, err) : WSP_OK;
}

wsp_status wsp_traffic_read(wsp_traffic **out, wsp_input *in, const wsp_traffic_options *opt,
                            wsp_error *err)
{
    reader r = {.opt = opt, .t = wspi_new_array(1, sizeof *r.t)};
    wsp_status st = start(&r, err);

    *out = NULL;
    if (st == WSP_OK)
        st = tokenize(&r, in, err);
    if (st == WSP_OK && r.writer)
        st = wsp_pcap_writer_close(r.writer, err);
    else
        wsp_pcap_writer_discard(r.writer);
    r.st = WSP_ERR_ARG; /* flows that are still open after a failure are not kept */
    close_capture(&r);
    wsp_packet_free(r.packet);
    free(r.capture);
    if (st < 0) {
        wsp_traffic_free(r.t);
        return st;
    }
    *out = r.t;
    return WSP_OK;
}

void wsp_traffic_free(wsp_traffic *t)
{
    if (!t)
        return;
    free(t->counted);
    if (t->borrowed) {
        free(t);
        return;
    }
    wsp_tokens_free(t->tokens);
    free(t->obs);
    free(t->obs_off);
    free(t->features);
    wspi_buf_clear(&t->payload);
    free(t->payload_off);
    wspi_buf_clear(&t->raw);
    free(t->raw_off);
    free(t->label);
    free(t->said);
    free(t->guessed);
    free(t->service);
    for (size_t i = 0; i < t->n_names; i++)
        free(t->names[i]);
    free(t->names);
    free(t);
}

wsp_traffic_counts wsp_traffic_counts_get(const wsp_traffic *t)
{
    return (wsp_traffic_counts){.captures = t->n_captures,
                                .flows = t->n_counted,
                                .packets = t->n_packets,
                                .classes = t->n_names,
                                .left_out = t->n_flows - t->n_counted,
                                .not_ethernet = t->not_ethernet};
}

size_t wsp_traffic_faults(const wsp_traffic *t, wsp_fault fault)
{
    return t->fault[fault];
}

/* ---- classes of a set ---- */

int32_t wspi_class_in(const wsp_traffic *t, const char *name)
{
    for (size_t i = 0; i < t->n_names; i++)
        if (strcmp(t->names[i], name) == 0)
            return (int32_t)i;
    return -1;
}

size_t wspi_flows_of(const wsp_traffic *t, int32_t class)
{
    size_t n = 0;

    for (size_t i = 0; i < t->n_counted; i++)
        n += t->label[t->counted[i]] == class;
    return n;
}

void wspi_take_class(const wsp_traffic *t, int32_t class, size_t most, uint32_t *flow, size_t *n)
{
    size_t all = wspi_flows_of(t, class), seen = 0;

    most = WSPI_MIN(most, all);
    for (size_t i = 0; i < t->n_counted; i++) {
        if (t->label[t->counted[i]] != class)
            continue;
        seen++;
        if (seen * most / all != (seen - 1) * most / all)
            flow[(*n)++] = t->counted[i];
    }
}

static int by_flow(const void *a, const void *b)
{
    const uint32_t *x = a, *y = b;
    return *x < *y ? -1 : *x > *y;
}

wsp_status wsp_traffic_part(wsp_traffic **out, const wsp_traffic *t, const wsp_traffic *like,
                            wsp_error *err)
{
    wsp_traffic *part = wspi_new_array(1, sizeof *part);

    *out = NULL;
    if (!part)
        return wspi_nomem(err, "flows", t->n_counted);
    *part = *t;
    part->borrowed = true;
    part->n_counted = 0;
    part->counted = wspi_new_array(t->n_counted, sizeof *part->counted);
    if (!part->counted) {
        free(part);
        return wspi_nomem(err, "flows", t->n_counted);
    }
    for (size_t k = 0; k < like->n_names; k++) {
        int32_t class = wspi_class_in(t, like->names[k]);
        if (class >= 0)
            wspi_take_class(t, class, wspi_flows_of(like, (int32_t)k), part->counted,
                            &part->n_counted);
    }
    if (part->n_counted == 0) {
        wsp_traffic_free(part);
        return wspi_fail(err, WSP_ERR_ARG, 0, "no class is in both sets");
    }
    qsort(part->counted, part->n_counted, sizeof *part->counted, by_flow);
    part->n_captures = wspi_captures_of(part);
    part->n_packets = 0;
    for (size_t i = 0; i < part->n_counted; i++)
        part->n_packets += wsp_tokens_packets(part->tokens, part->counted[i]);
    *out = part;
    return WSP_OK;
}
