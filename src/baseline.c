/* SPDX-License-Identifier: Apache-2.0 */
/* baseline.c: captures of generators that eval compares others with. */
#include "baseline.h"

#include "asked.h"

typedef struct job {
    const wsp_traffic *train;
    asked *list;
} job;

static wsp_status list_flow(void *arg, const wsp_frame *first, int32_t class, wsp_error *err)
{
    const job *j = arg;

    return asked_add(j->list, first, wsp_traffic_class(j->train, class), err);
}

wsp_status baseline_markov(const char *pcap, const char *list, const wsp_traffic *train,
                           const wsp_traffic *like, size_t max_packets, wsp_error *err)
{
    wsp_generate_options o = wsp_generate_options_default();
    job j = {.train = train};
    wsp_pcap_writer *w = NULL;
    wsp_status st = asked_open(&j.list, list, pcap, err);

    o.max_packets = max_packets;
    o.begins = list_flow;
    o.begins_arg = &j;
    if (st == WSP_OK)
        st = wsp_pcap_writer_open(&w, pcap, 1, err);
    if (st == WSP_OK)
        st = wsp_markov(train, like, &o, w, err);
    if (st == WSP_OK)
        st = wsp_pcap_writer_close(w, err);
    else
        wsp_pcap_writer_discard(w);
    if (st == WSP_OK)
        return asked_close(j.list, err);
    asked_discard(j.list);
    return st;
}
