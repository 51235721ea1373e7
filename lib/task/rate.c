/* SPDX-License-Identifier: Apache-2.0 */
/* rate.c: how many flows of a list nDPI can name, in captures as they are or changed. */
#include "task/task_int.h"

typedef struct rating {
    const wsp_rate_options *opt;
    wsp_label_rate *rate;
    wsp_labeller *labeller;
    wsp_changer *changer;
    wsp_packet *packet;
    const char *capture;
    size_t captures;
} rating;

static void release(void *arg, wsp_flow *f)
{
    rating *r = arg;
    wsp_flow_key key = wsp_changer_key(r->changer, &f->key);
    int32_t label = wsp_labels_find(r->opt->labels, r->capture, &key);
    wsp_verdict v;

    if (f->user && label >= 0) {
        wsp_labeller_verdict(f->user, &v);
        r->rate->flows++;
        if (v.source == WSP_LABEL_DPI) {
            r->rate->told++;
            r->rate->right += wsp_verdict_is(&v, wsp_labels_name(r->opt->labels, label));
        }
    }
    wsp_labeller_flow_free(f->user);
}

static wsp_status add_frame(rating *r, wsp_flow_table *table, int linktype, const wsp_frame *frame)
{
    wsp_labeller_flow *ndpi;
    const uint8_t *ip;
    wsp_frame changed;
    wsp_flow *f;
    wsp_status st;
    size_t len;
    int dir;

    st = wsp_changer_frame(r->changer, r->captures, linktype, frame, &changed);
    if (st != WSP_OK)
        return st == WSP_EOF ? WSP_OK : st;
    wsp_packet_dissect(r->packet, linktype, &changed);
    WSP_TRY(wsp_flow_table_add(table, wsp_packet_key(r->packet), changed.time_ns, changed.wirelen,
                               wsp_packet_tcp_flags(r->packet), &f, &dir));
    if (!wsp_packet_ip(r->packet, &ip, &len))
        return WSP_OK;
    if (!f->user) {
        WSP_TRY(wsp_labeller_flow_new(r->labeller, &ndpi));
        f->user = ndpi;
    }
    st = wsp_labeller_push(f->user, ip, len, changed.time_ns);
    return st < 0 ? st : WSP_OK;
}

/* One labeller and one table a capture: no verdict depends on other captures. */
static wsp_status rate_capture(rating *r, wsp_input *in, int linktype, wsp_error *err)
{
    wsp_flow_table_options opt = wsp_flow_table_options_default();
    wsp_flow_table *table = NULL;
    wsp_frame frame;
    wsp_status st = wsp_labeller_new(&r->labeller, NULL, err);

    opt.release = release;
    opt.arg = r;
    if (st == WSP_OK)
        st = wsp_flow_table_new(&table, &opt);
    while (st == WSP_OK && (st = wsp_input_next(in, &frame, err)) == WSP_OK)
        st = add_frame(r, table, linktype, &frame);
    if (st == WSP_ERR_FORMAT || st == WSP_ERR_IO)
        st = WSP_OK; /* broken off: what came before counts */
    wsp_flow_table_free(table);
    wsp_labeller_free(r->labeller);
    r->labeller = NULL;
    r->captures++;
    return st < 0 ? st : WSP_OK;
}

wsp_status wsp_label_rate_of(wsp_input *in, const wsp_rate_options *opt, wsp_label_rate *rate,
                             wsp_error *err)
{
    rating r = {.opt = opt, .rate = rate};
    wsp_capture_info info;
    wsp_status st = wsp_packet_new(&r.packet);

    *rate = (wsp_label_rate){.flows = 0};
    if (st == WSP_OK)
        st = wsp_changer_new(&r.changer, &opt->change);
    if (st < 0)
        (void)wspi_nomem(err, "nDPI's label rate", 0);
    while (st == WSP_OK && (st = wsp_input_open_next(in, &info, err)) == WSP_OK) {
        if (opt->want && !opt->want(opt->arg, info.name))
            continue;
        r.capture = info.name;
        st = rate_capture(&r, in, info.linktype, err);
    }
    wsp_changer_free(r.changer);
    wsp_packet_free(r.packet);
    return st < 0 ? st : WSP_OK;
}
