/* SPDX-License-Identifier: Apache-2.0 */
/*
 * generate.c: a capture of new flows. Threads take flows from the plan and have their packets drawn; at the end all packets
 * are sorted by time and written.
 */
#include <math.h>
#include <pthread.h>

#include "generate/generate_int.h"

enum { MAX_THREADS = 256, FLOW_PACKETS = 8 /* of a flow, about */, LINK_ETHERNET = 1 };

wsp_generate_options wsp_generate_options_default(void)
{
    return (wsp_generate_options){.flows = 1,
                                  .temperature = 1,
                                  .top_p = 1,
                                  .guide = 1,
                                  .dtype = WSP_DTYPE_AUTO,
                                  .start_ns = UINT64_C(1700000000000000000),
                                  .rate = 10,
                                  .speed = 1,
                                  .from = {.after = SIZE_MAX},
                                  .port_first = 49152,
                                  .port_last = 54271, /* tshark knows none of them */
                                  .max_payload = 24};
}

static wsp_status check(const wsp_model *m, const wsp_generate_options *o, wsp_error *err)
{
    const wsp_model_config *cfg = wsp_model_config_get(m);

    WSP_TRY(wspi_vocab_check(m, err));
    if (cfg->output_layers == 0)
        return wspi_fail(err, WSP_ERR_UNSUPPORTED, 0,
                         "the model has no output stack and cannot generate: take one that was "
                         "trained with a next-token loss, such as generator.safetensors");
    if (!(o->rare >= 0 && o->rare <= 1))
        return wspi_fail(err, WSP_ERR_ARG, 0, "a share of rare packets is not from 0 to 1");
    if (!(o->rate > 0 && o->top_p > 0 && o->speed > 0 && o->temperature >= 0 && o->guide >= 0))
        return wspi_fail(err, WSP_ERR_ARG, 0, "an option is out of its range");
    if (o->from.flows && !o->from.flows->flow[0].packet)
        return wspi_fail(err, WSP_ERR_ARG, 0, "an option is out of its range");
    if (!o->flows && !o->packets && !o->duration_ns && !o->like && !o->from.flows)
        return wspi_fail(err, WSP_ERR_ARG, 0, "neither flows nor packets nor time have a limit");
    for (size_t i = 0; i < o->n_mix; i++)
        if (!(o->mix[i].weight > 0))
            return wspi_fail(err, WSP_ERR_ARG, 0, "a share of flows is not above 0");
    return wspi_pools_check(o, err);
}

/* ---- threads ---- */

/* What all threads share. */
typedef struct job {
    const wsp_generate_options *o;
    wspi_speaker **speakers; /* one for each thread */
    unsigned threads;
    pthread_mutex_t lock;
    wspi_plan plan;
    size_t slots;                   /* of each thread */
    float *usual_gain;              /* [conditions] */
    uint64_t begun, flows, packets; /* flows that were taken, those that have ended; packets */
    wsp_status st;                  /* of the first that failed, with err */
    wsp_error err;
} job;

typedef struct worker {
    job *j;
    wspi_speaker *speaker;
    pthread_t thread;
} worker;

/*
 * The next flow that nobody has taken, in the order of the plan. Where packets have a limit, as many flows run as are about to reach
 * it; whoever ends one asks again, so that there are enough in the end.
 */
static bool next_flow(void *arg, wspi_start *out)
{
    job *j = arg;
    uint64_t all = j->o->packets;
    bool ok;

    (void)pthread_mutex_lock(&j->lock);
    ok = j->st == WSP_OK && (!all || j->packets + FLOW_PACKETS * (j->begun - j->flows) < all) &&
         wspi_plan_next(&j->plan, out);
    j->begun += ok;
    (void)pthread_mutex_unlock(&j->lock);
    return ok;
}

/* Negative: another thread has failed, or the caller wants no more. */
static wsp_status made(void *arg, size_t flows, size_t packets, wsp_error *err)
{
    job *j = arg;
    wsp_status st;

    (void)pthread_mutex_lock(&j->lock);
    j->flows += flows;
    j->packets += packets;
    st = j->st == WSP_OK && j->o->report ? j->o->report(j->o->arg, j->flows, j->packets) : WSP_OK;
    if (st < 0)
        j->st = st;
    st = j->st;
    *err = j->err;
    (void)pthread_mutex_unlock(&j->lock);
    return st;
}

static void *worker_main(void *arg)
{
    const worker *me = arg;
    job *j = me->j;
    wsp_error err = {.status = WSP_OK};
    wspi_supply from = {.next = next_flow, .made = made, .arg = j};
    wsp_status st = wspi_speaker_run(me->speaker, &from, j->slots, &err);

    (void)pthread_mutex_lock(&j->lock);
    if (st < 0 && j->st == WSP_OK) {
        j->st = st;
        j->err = err;
    }
    (void)pthread_mutex_unlock(&j->lock);
    return NULL;
}

static wsp_status job_run(job *j, wsp_error *err)
{
    worker w[MAX_THREADS];
    unsigned n = 0;

    for (unsigned i = 0; i < j->threads; i++)
        w[i] = (worker){.j = j, .speaker = j->speakers[i]};
    /* the caller is a worker too; when the system refuses threads, the others do the work */
    while (n + 1 < j->threads &&
           pthread_create(&w[n + 1].thread, NULL, worker_main, &w[n + 1]) == 0)
        n++;
    (void)worker_main(&w[0]);
    for (; n > 0; n--)
        (void)pthread_join(w[n].thread, NULL);
    if (j->st < 0 && err)
        *err = j->err;
    return j->st;
}

/* ---- the capture ---- */

static int by_flow(const void *a, const void *b)
{
    const wspi_frame_ref *x = a, *y = b;

    if (x->flow != y->flow)
        return x->flow < y->flow ? -1 : 1;
    return x->packet < y->packet ? -1 : 1;
}

static int by_time(const void *a, const void *b)
{
    const wspi_frame_ref *x = a, *y = b;

    if (x->time_ns != y->time_ns)
        return x->time_ns < y->time_ns ? -1 : 1;
    if (x->place != y->place)
        return x->place < y->place ? -1 : 1;
    return by_flow(a, b);
}

/*
 * What is wanted of n frames comes first; how many. Which flows were drawn beyond the number of packets depends on the
 * threads, so that the first flows have to be kept, not the first packets.
 */
static size_t keep_wanted(const wsp_generate_options *o, wspi_frame_ref *all, size_t n)
{
    uint64_t first = o->from.flows ? o->from.flows->first_ns : o->start_ns;
    size_t kept = 0;

    if (o->packets && n > o->packets) {
        qsort(all, n, sizeof *all, by_flow);
        n = (size_t)o->packets;
    }
    if (!o->duration_ns)
        return n;
    for (size_t i = 0; i < n; i++)
        if (all[i].time_ns - first < o->duration_ns)
            all[kept++] = all[i];
    return kept;
}

/* When a packet of time t is written, if the first one's time is `first`. */
static uint64_t at_speed(const wsp_generate_options *o, uint64_t t, uint64_t first)
{
    const uint64_t start = o->from.moved ? o->start_ns : first;

    return start + (o->speed == 1 ? t - first : (uint64_t)((double)(t - first) / o->speed));
}

/* What is to be known before packet `number` is written. */
static wsp_status announce(const wsp_generate_options *o, const wspi_frame_ref *r,
                           const wsp_frame *f, uint64_t number, wsp_error *err)
{
    wsp_deviation d = {.packet = number, .flow = r->flow};

    if (r->packet == 0 && o->begins)
        WSP_TRY(o->begins(o->begins_arg, f, r->condition, err));
    if (!wspi_swapped(&r->swap) || !o->deviates)
        return WSP_OK;
    wspi_rare_say(&r->swap, &d);
    return o->deviates(o->deviates_arg, &d, err);
}

/* ---- connections that meet ---- */

/* When a TCP connection of a flow is there; key 0: it is of another protocol. */
typedef struct span {
    uint64_t key, first_ns, last_ns;
} span;

static int by_key_and_time(const void *a, const void *b)
{
    const span *x = a, *y = b;

    if (x->key != y->key)
        return x->key < y->key ? -1 : 1;
    return x->first_ns < y->first_ns ? -1 : x->first_ns > y->first_ns;
}

static void fill_spans(span *of, const wspi_frame_ref *all, size_t n, wsp_packet *p)
{
    for (size_t i = 0; i < n; i++) {
        span *s = &of[all[i].flow];
        wsp_frame f = {
            .caplen = all[i].len, .wirelen = all[i].wirelen, .data = all[i].in->data + all[i].at};

        s->last_ns = all[i].time_ns;
        if (all[i].packet > 0)
            continue;
        wsp_packet_dissect(p, LINK_ETHERNET, &f);
        s->first_ns = all[i].time_ns;
        s->key = wsp_packet_tcp_flags(p) ? wsp_flow_key_hash(wsp_packet_key(p)) | 1 : 0;
    }
}

/* Connections that begin between the addresses and ports of an open one: readers take both for one, with segments that are lost and sent again. */
static size_t count_met(span *of, size_t n)
{
    size_t met = 0;
    uint64_t open_ns = 0;

    qsort(of, n, sizeof *of, by_key_and_time);
    for (size_t i = 0; i < n; i++) {
        bool same = i > 0 && of[i].key == of[i - 1].key;
        met += of[i].key && same && of[i].first_ns <= open_ns;
        open_ns = same ? WSPI_MAX(open_ns, of[i].last_ns) : of[i].last_ns;
    }
    return met;
}

/* all [n] in the order of time. Pools of few addresses and ports are the asker's, and may be what he wants. */
static wsp_status say_met(const wspi_frame_ref *all, size_t n, wsp_error *err)
{
    uint64_t flows = 0;
    wsp_packet *p = NULL;
    span *of;
    size_t met;

    for (size_t i = 0; i < n; i++)
        flows = WSPI_MAX(flows, all[i].flow + 1);
    of = wspi_new_array((size_t)flows, sizeof *of);
    if (!of || wsp_packet_new(&p) < 0) {
        free(of);
        return wspi_nomem(err, "flows", (size_t)flows);
    }
    fill_spans(of, all, n, p);
    met = count_met(of, (size_t)flows);
    if (met)
        wspi_log(WSP_LOG_WARNING,
                 "%zu TCP connections begin while one between the same addresses and ports is "
                 "open: more "
                 "addresses, more ports of clients or fewer flows a second keep them apart",
                 met);
    wsp_packet_free(p);
    free(of);
    return WSP_OK;
}

/* Packets of the flows of a condition, by what they carry. */
typedef struct told_of {
    size_t packets[WSPI_CONTENTS];
} told_of;

static bool is_mostly_bytes(const told_of *of)
{
    enum { MOSTLY = 3 };

    return of->packets[WSPI_CONTENT_BYTES] > MOSTLY * of->packets[WSPI_CONTENT_MESSAGE];
}

/* Whoever asks for a protocol shall not take bytes at an odd port for it. of: [conditions] */
static void say_labels(const wsp_model *m, const told_of *of)
{
    char list[80] = "";
    size_t len = 0;
    bool full = false;

    for (size_t h = 0; h < wsp_model_head_count(m) && !full; h++) {
        const wsp_head *head = wsp_model_head(m, h);
        for (size_t l = 0; l < head->n_labels && !full; l++, of++)
            if (is_mostly_bytes(of)) {
                size_t n = (size_t)snprintf(list + len, sizeof list - len, "%s%s", len ? ", " : "",
                                            head->labels[l]);
                full = n >= sizeof list - len;
                len += full ? 0 : n;
            }
    }
    list[len] = '\0';
    if (len)
        wspi_log(WSP_LOG_WARNING,
                 "most payloads of %s%s are no messages but likely bytes: over the transport that "
                 "was drawn they have neither a grammar here nor a dialog (wirespeak-generate(1))",
                 list, full ? " and others" : "");
}

static wsp_status say_bytes(const wsp_model *m, const wspi_frame_ref *all, size_t n, wsp_error *err)
{
    size_t conditions = 0;
    told_of *of;

    for (size_t h = 0; h < wsp_model_head_count(m); h++)
        conditions += wsp_model_head(m, h)->n_labels;
    of = wspi_new_array(conditions + 1, sizeof *of);
    if (!of)
        return wspi_nomem(err, "conditions", conditions);
    for (size_t i = 0; i < n; i++)
        if (all[i].condition >= 0)
            of[all[i].condition].packets[all[i].content]++;
    say_labels(m, of);
    free(of);
    return WSP_OK;
}

static wsp_status write_frames(job *j, const wsp_model *m, wsp_pcap_writer *w, wsp_error *err)
{
    wspi_frame_ref *all = wspi_new_array((size_t)j->packets + 1, sizeof *all);
    wsp_status st = WSP_OK;
    size_t n = 0;

    if (!all)
        return wspi_nomem(err, "the packets", (size_t)j->packets);
    for (unsigned i = 0; i < j->threads; i++) {
        const wspi_frames *made = wspi_speaker_frames(j->speakers[i]);

        if (made->n > 0)
            memcpy(all + n, made->ref, made->n * sizeof *all);
        n += made->n;
    }
    n = keep_wanted(j->o, all, n);
    qsort(all, n, sizeof *all, by_time);
    if (!j->o->from.flows)
        st = say_met(all, n, err);
    if (st == WSP_OK)
        st = say_bytes(m, all, n, err);
    for (size_t i = 0; i < n && st == WSP_OK; i++) {
        wsp_frame f = {.time_ns = at_speed(j->o, all[i].time_ns, all[0].time_ns),
                       .caplen = all[i].len,
                       .wirelen = all[i].wirelen,
                       .data = all[i].in->data + all[i].at};
        st = announce(j->o, &all[i], &f, i + 1, err);
        if (st == WSP_OK)
            st = j->o->take ? j->o->take(j->o->take_arg, &f, err) : wsp_pcap_writer_add(w, &f, err);
    }
    j->packets = n;
    free(all);
    return st;
}

static void say_undrawn(const job *j)
{
    size_t n = 0;

    for (unsigned i = 0; i < j->threads; i++)
        n += j->speakers[i] ? wspi_speaker_undrawn(j->speakers[i]) : 0;
    if (n)
        wspi_log(WSP_LOG_WARNING,
                 "%zu flows end early: nothing can be drawn after the packets they have", n);
}

/* An edit of a field that no packet has is a mistake of whoever asked for it, or an unlucky seed. */
static void say_unset(const job *j)
{
    uint64_t set = 0;

    for (unsigned i = 0; i < j->threads; i++)
        set |= j->speakers[i] ? wspi_speaker_edited(j->speakers[i]) : 0;
    for (size_t i = 0; i < WSPI_MIN(j->o->n_edits, 63u); i++) {
        const wsp_edit *e = &j->o->edits[i];
        if (!(set >> i & 1))
            wspi_log(WSP_LOG_WARNING,
                     "no packet that was to be edited has the field %s: nothing is set",
                     wspi_protos[e->layer]->fields[e->field].name);
    }
}

/* So is a packet to draw anew that no flow has, or in which there is nothing to draw. */
static void say_unfilled(const job *j)
{
    const wsp_from *from = &j->o->from;
    wspi_infill all = {.met = false};

    for (unsigned i = 0; i < j->threads; i++) {
        wspi_infill one = wspi_speaker_infill(j->speakers[i]);
        all.met |= one.met;
        all.drawn |= one.drawn;
    }
    if (from->infill == 0 || all.drawn)
        return;
    if (!all.met)
        wspi_log(WSP_LOG_WARNING, "no flow has a packet %zu: nothing is drawn anew", from->infill);
    else if (from->infill_field)
        wspi_log(WSP_LOG_WARNING,
                 "the field %s has no token in any packet %zu: nothing is drawn anew (what follows "
                 "from packets before has none)",
                 wspi_protos[from->field.layer]->fields[from->field.field].name, from->infill);
    else
        wspi_log(WSP_LOG_WARNING,
                 "packet %zu can be drawn in no flow, since samples do not have what is before it: "
                 "nothing is drawn anew",
                 from->infill);
}

/* Few flows are shared evenly, and not among more threads than have enough of them to be drawn side by side. */
static void share_flows(job *j)
{
    enum { ENOUGH = WSPI_FLOWS_AT_ONCE / 4 };
    uint64_t flows = wspi_plan_limit(j->o);

    if (j->o->packets)
        flows = WSPI_MIN(flows, j->o->packets / FLOW_PACKETS + 1);
    j->threads = (unsigned)WSPI_MIN((uint64_t)j->threads, (flows - 1) / ENOUGH + 1);
    j->slots = (size_t)WSPI_MIN((flows - 1) / j->threads + 1, (uint64_t)WSPI_FLOWS_AT_ONCE);
}

/* ---- guidance ---- */

static wsp_status try_condition(job *j, int32_t condition, wsp_error *err)
{
    if (condition < 0 || !isnan(j->usual_gain[condition]))
        return WSP_OK;
    if (j->o->report)
        WSP_TRY(j->o->report(j->o->arg, 0, 0));
    return wspi_speaker_try(j->speakers[0], condition, &j->usual_gain[condition], err);
}

/* What each condition that the plan has gains in flows that follow it; of very many flows the first ones are looked at, and then all labels. */
static wsp_status try_conditions(job *j, const wsp_model *m, wsp_error *err)
{
    enum { LOOKED_AT = 1 << 16 };
    const wsp_generate_options *o = j->o;
    size_t n = 0, looked = 0;
    wspi_start start;
    wspi_plan plan;

    for (size_t h = 0; h < wsp_model_head_count(m); h++)
        n += wsp_model_head(m, h)->n_labels;
    j->usual_gain = wspi_new_array(n + 1, sizeof *j->usual_gain);
    if (!j->usual_gain)
        return wspi_nomem(err, "conditions", n);
    for (size_t i = 0; i < n; i++)
        j->usual_gain[i] = NAN;
    for (wspi_plan_init(&plan, o); looked < LOOKED_AT && wspi_plan_next(&plan, &start); looked++)
        WSP_TRY(try_condition(j, start.condition, err));
    for (size_t i = 0; looked == LOOKED_AT && i < o->n_mix; i++)
        WSP_TRY(try_condition(j, o->mix[i].condition, err));
    for (unsigned i = 0; i < j->threads; i++)
        wspi_speaker_guide(j->speakers[i], j->usual_gain);
    return WSP_OK;
}

wsp_status wsp_generate(const wsp_model *m, const wsp_generate_options *o, wsp_pcap_writer *w,
                        uint64_t *packets, wsp_error *err)
{
    job j = {.o = o, .threads = wspi_thread_count(o->threads, MAX_THREADS), .st = WSP_OK};
    wsp_status st = WSP_OK;

    *packets = 0;
    WSP_TRY(check(m, o, err));
    share_flows(&j);
    j.speakers = wspi_new_array(j.threads, sizeof(wspi_speaker *));
    if (!j.speakers)
        return wspi_nomem(err, "threads", j.threads);
    for (unsigned i = 0; i < j.threads && st == WSP_OK; i++)
        st = wspi_speaker_new(&j.speakers[i], m, o, err);
    if (st == WSP_OK && o->guide > 0)
        st = try_conditions(&j, m, err);
    wspi_plan_init(&j.plan, o);
    (void)pthread_mutex_init(&j.lock, NULL);
    if (st == WSP_OK)
        st = job_run(&j, err);
    if (st == WSP_OK)
        st = write_frames(&j, m, w, err);
    *packets = j.packets;
    say_undrawn(&j);
    if (st == WSP_OK) {
        say_unset(&j);
        say_unfilled(&j);
    }
    (void)pthread_mutex_destroy(&j.lock);
    for (unsigned i = 0; i < j.threads; i++)
        wspi_speaker_free(j.speakers[i]);
    free(j.speakers);
    free(j.usual_gain);
    return st;
}
