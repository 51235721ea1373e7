/* SPDX-License-Identifier: Apache-2.0 */
/* generate_prompt.c: the flows of a capture: when they start, how long they are, what nDPI names them, their packets. */
#include <stdio.h>

#include "generate/generate_int.h"
#include "wirespeak/task.h"

typedef struct reader {
    wsp_prompt *p;
    const wsp_prompt_options *opt;
    wsp_labeller *labeller;
    wsp_packet *packet;
} reader;

static void release(void *arg, wsp_flow *f)
{
    reader *r = arg;
    wspi_told_flow *told = &r->p->flow[f->id];
    wsp_verdict v;

    if (!f->user)
        return;
    wsp_labeller_verdict(f->user, &v);
    if (strlen(v.protocol) < sizeof told->label && strlen(v.app) < sizeof told->app) {
        memcpy(told->label, v.protocol, strlen(v.protocol) + 1);
        memcpy(told->app, v.app, strlen(v.app) + 1);
    }
    wsp_labeller_flow_free(f->user);
}

static wsp_status keep_packet(reader *r, wspi_told_flow *told, const wsp_frame *frame, int dir)
{
    wsp_prompt *p = r->p;

    if (r->opt->packets) {
        WSP_TRY(wspi_grow(&told->packet, &told->cap, told->n + 1, sizeof *told->packet));
        told->packet[told->n] = (wspi_told_packet){.time_ns = frame->time_ns,
                                                   .at = p->bytes.len,
                                                   .len = frame->caplen,
                                                   .wirelen = frame->wirelen,
                                                   .dir = (uint8_t)dir};
        WSP_TRY(wspi_buf_add(&p->bytes, frame->data, frame->caplen));
    }
    told->n++;
    return WSP_OK;
}

static wsp_status label_packet(reader *r, wsp_flow *f, uint64_t time_ns)
{
    wsp_labeller_flow *ndpi;
    const uint8_t *ip;
    wsp_status st;
    size_t len;

    if (!r->labeller || !wsp_packet_ip(r->packet, &ip, &len))
        return WSP_OK;
    if (!f->user) {
        WSP_TRY(wsp_labeller_flow_new(r->labeller, &ndpi));
        f->user = ndpi;
    }
    st = wsp_labeller_push(f->user, ip, len, time_ns);
    return st < 0 ? st : WSP_OK;
}

static wsp_status add_frame(reader *r, wsp_flow_table *table, const wsp_frame *frame)
{
    wsp_prompt *p = r->p;
    wsp_flow *f;
    int dir;

    wspi_dissect_wraps(r->packet, p->linktype, frame, 0);
    WSP_TRY(wsp_flow_table_add(table, wsp_packet_key(r->packet), frame->time_ns, frame->wirelen,
                               wsp_packet_tcp_flags(r->packet), &f, &dir));
    if (f->id >= p->n) {
        WSP_TRY(wspi_grow(&p->flow, &p->cap, (size_t)f->id + 1, sizeof *p->flow));
        p->n = (size_t)f->id + 1;
        p->flow[f->id] = (wspi_told_flow){
            .first_ns = frame->time_ns, .turned = wspi_server_first(r->packet), .condition = -1};
    }
    dir ^= p->flow[f->id].turned;
    p->last_ns = WSPI_MAX(p->last_ns, frame->time_ns);
    WSP_TRY(keep_packet(r, &p->flow[f->id], frame, dir));
    return label_packet(r, f, frame->time_ns);
}

static wsp_status read_frames(reader *r, wsp_input *in, wsp_error *err)
{
    wsp_flow_table_options opt = wsp_flow_table_options_default();
    wsp_flow_table *table = NULL;
    wsp_frame frame;
    wsp_status st = r->opt->label ? wsp_labeller_new(&r->labeller, NULL, err) : WSP_OK;

    opt.release = release;
    opt.arg = r;
    if (st == WSP_OK && wsp_flow_table_new(&table, &opt) < 0)
        st = wspi_nomem(err, "a flow table", 1);
    while (st == WSP_OK && (st = wsp_input_next(in, &frame, err)) == WSP_OK) {
        st = add_frame(r, table, &frame);
        if (st < 0)
            (void)wspi_fail(err, st, 0, "a packet of the capture could not be kept");
    }
    wsp_flow_table_free(table);
    wsp_labeller_free(r->labeller);
    return st < 0 ? st : WSP_OK;
}

static wsp_status read_capture(reader *r, const char *path, wsp_error *err)
{
    const wsp_input_options defaults = wsp_input_options_default();
    wsp_input *in = NULL;
    wsp_capture_info info;
    wsp_status st = wsp_input_new(&in, &path, 1, &defaults, err);

    if (st == WSP_OK)
        st = wsp_input_open_next(in, &info, err);
    if (st == WSP_EOF)
        st = wspi_fail(err, WSP_ERR_FORMAT, 0, "%s: no capture", path);
    if (st == WSP_OK) {
        r->p->linktype = info.linktype;
        st = read_frames(r, in, err);
    }
    if (st == WSP_OK && wsp_input_open_next(in, &info, err) == WSP_OK)
        st = wspi_fail(err, WSP_ERR_ARG, 0, "%s: more than one capture", path);
    wsp_input_free(in);
    return st;
}

wsp_status wsp_prompt_read(wsp_prompt **out, const char *path, const wsp_prompt_options *opt,
                           wsp_error *err)
{
    wsp_prompt *p = wspi_new_array(1, sizeof *p);
    reader r = {.p = p, .opt = opt};
    wsp_status st;

    *out = NULL;
    if (!p || wsp_packet_new(&r.packet) < 0) {
        free(p);
        return wspi_nomem(err, "the flows of a capture", 1);
    }
    wspi_buf_init(&p->bytes, SIZE_MAX / 2);
    st = read_capture(&r, path, err);
    if (st == WSP_OK && p->n == 0)
        st = wspi_fail(err, WSP_ERR_FORMAT, 0, "%s: no packets", path);
    wsp_packet_free(r.packet);
    if (st < 0) {
        wsp_prompt_free(p);
        return st;
    }
    p->first_ns = p->flow[0].first_ns;
    for (size_t i = 0; i < p->n; i++)
        p->first_ns = WSPI_MIN(p->first_ns, p->flow[i].first_ns);
    *out = p;
    return WSP_OK;
}

size_t wsp_prompt_flows(const wsp_prompt *p)
{
    return p->n;
}

int wsp_prompt_linktype(const wsp_prompt *p)
{
    return p->linktype;
}

/* The condition of the head's label that is this name, in the head's own words or in others; -1: it has none. */
static int32_t condition_of(const wsp_model *m, const wsp_head *head, const char *name)
{
    char label[256];
    int32_t condition;

    (void)snprintf(label, sizeof label, "%s:%s", head->name, name);
    if (wsp_find_condition(m, label, &condition, NULL) == WSP_OK)
        return condition;
    for (size_t l = 0; l < head->n_labels; l++) {
        (void)snprintf(label, sizeof label, "%s:%s", head->name, head->labels[l]);
        if (wsp_label_same(head->labels[l], name) &&
            wsp_find_condition(m, label, &condition, NULL) == WSP_OK)
            return condition;
    }
    return -1;
}

size_t wsp_prompt_conditions(wsp_prompt *p, const wsp_model *m, const char *head)
{
    const wsp_head *h = NULL;
    size_t known = 0;

    for (size_t i = 0; i < wsp_model_head_count(m) && !h; i++)
        if (strcmp(wsp_model_head(m, i)->name, head) == 0)
            h = wsp_model_head(m, i);

    for (size_t i = 0; i < p->n; i++) {
        wspi_told_flow *f = &p->flow[i];

        f->condition = h ? condition_of(m, h, f->app) : -1;
        if (h && f->condition < 0)
            f->condition = condition_of(m, h, f->label);
        known += f->condition >= 0;
    }
    return known;
}

void wsp_prompt_free(wsp_prompt *p)
{
    if (!p)
        return;
    for (size_t i = 0; i < p->n; i++)
        free(p->flow[i].packet);
    free(p->flow);
    wspi_buf_clear(&p->bytes);
    free(p);
}
