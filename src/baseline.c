/* SPDX-License-Identifier: Apache-2.0 */
/* baseline.c: captures of generators that eval compares others with. */
#include "baseline.h"

#include <inttypes.h>
#include <math.h>

#include "asked.h"
#include "cli.h"

typedef struct job {
    const wsp_traffic *train;
    asked *list;
} job;

static wsp_status list_flow(void *arg, const wsp_frame *first, int32_t class, wsp_error *err)
{
    const job *j = arg;

    (void)err;
    asked_add(j->list, first, wsp_traffic_class(j->train, class));
    return WSP_OK;
}

typedef wsp_status make_fn(const baseline *b, const wsp_generate_options *o, const void *arg,
                           wsp_pcap_writer *w, wsp_error *err);

static wsp_status make(const baseline *b, make_fn *fn, const void *arg, wsp_error *err)
{
    wsp_generate_options o = wsp_generate_options_default();
    job j = {.train = b->train};
    wsp_pcap_writer *w = NULL;
    wsp_status st = asked_open(&j.list, b->list, b->pcap, 1, err);

    o.max_packets = b->max_packets;
    o.begins = list_flow;
    o.begins_arg = &j;
    if (st == WSP_OK)
        st = wsp_pcap_writer_open(&w, b->pcap, 1, err);
    if (st == WSP_OK)
        st = fn(b, &o, arg, w, err);
    if (st == WSP_OK)
        st = wsp_pcap_writer_close(w, err);
    else
        wsp_pcap_writer_discard(w);
    if (st == WSP_OK)
        return asked_close(j.list, err);
    asked_discard(j.list);
    return st;
}

static wsp_status make_markov(const baseline *b, const wsp_generate_options *o, const void *arg,
                              wsp_pcap_writer *w, wsp_error *err)
{
    (void)arg;
    return wsp_markov(b->train, b->like, o, w, err);
}

wsp_status baseline_markov(const baseline *b, wsp_error *err)
{
    cli_note("drawing flows as tokens follow each other in training flows ...");
    return make(b, make_markov, NULL, err);
}

static wsp_status make_bytes(const baseline *b, const wsp_generate_options *o, const void *arg,
                             wsp_pcap_writer *w, wsp_error *err)
{
    wsp_bytes_stats s;
    wsp_status st = wsp_bytes(b->train, b->like, arg, o, w, &s, err);

    if (st == WSP_OK)
        cli_note(
            "bytes: %zu parameters, %.0f s, %" PRIu64 " steps, %" PRIu64
            " tokens, at last %.3f bits a byte; %zu flows drawn, %zu packets that did not parse",
            s.parameters, s.seconds, s.steps, s.tokens, s.nats_per_token / log(2), s.flows,
            s.discarded);
    return st;
}

wsp_status baseline_bytes(const baseline *b, const wsp_bytes_options *o, wsp_error *err)
{
    cli_note("training a model of bytes for %g s ...", o->seconds);
    return make(b, make_bytes, o, err);
}
