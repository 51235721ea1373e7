/* SPDX-License-Identifier: Apache-2.0 */
/*
 * generate.c: a capture of new flows. Threads take waves of flows from the plan and have their packets drawn; at the end
 * all packets are sorted by time and written.
 */
#include <pthread.h>

#include "task/generate_int.h"

enum { MAX_THREADS = 256 };

wsp_generate_options wsp_generate_options_default(void)
{
    return (wsp_generate_options){.flows = 1,
                                  .temperature = 1,
                                  .top_p = 1,
                                  .guide = 1,
                                  .dtype = WSP_DTYPE_F32,
                                  .max_packets = 64,
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
    if (o->rate <= 0 || o->top_p <= 0 || o->max_packets == 0)
        return wspi_fail(err, WSP_ERR_ARG, 0, "an option is out of its range");
    if (o->speed <= 0 || (o->from.flows && !o->from.flows->flow[0].packet))
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
    uint64_t flows, packets; /* made */
    wsp_status st;           /* of the first that failed, with err */
    wsp_error err;
} job;

typedef struct worker {
    job *j;
    wspi_speaker *speaker;
    pthread_t thread;
} worker;

/* The next flows that nobody has taken, in the order of the plan: not many more than the packets that lack. */
static bool take_wave(job *j, wspi_wave *w)
{
    uint64_t want = WSPI_WAVE, all = j->o->packets;

    (void)pthread_mutex_lock(&j->lock);
    if (all)
        want = j->packets < all ? (all - j->packets) / 8 + 32 : 0;
    if (j->st != WSP_OK)
        want = 0;
    w->n = wspi_plan_next(&j->plan, w->start, (size_t)WSPI_MIN(want, (uint64_t)WSPI_WAVE));
    (void)pthread_mutex_unlock(&j->lock);
    return w->n > 0;
}

static void report(job *j, size_t flows, size_t packets, wsp_status st, const wsp_error *err)
{
    (void)pthread_mutex_lock(&j->lock);
    j->flows += flows;
    j->packets += packets;
    if (st == WSP_OK && j->st == WSP_OK && j->o->report)
        st = j->o->report(j->o->arg, j->flows, j->packets);
    if (st < 0 && j->st == WSP_OK) {
        j->st = st;
        j->err = *err;
    }
    (void)pthread_mutex_unlock(&j->lock);
}

static void *worker_main(void *arg)
{
    const worker *me = arg;
    wsp_error err = {.status = WSP_OK};
    wspi_wave *w = wspi_new_array(1, sizeof *w);

    if (!w)
        report(me->j, 0, 0, wspi_nomem(&err, "a wave of flows", WSPI_WAVE), &err);
    while (w && take_wave(me->j, w)) {
        size_t before = wspi_speaker_frames(me->speaker)->n;
        wsp_status st = wspi_speaker_run(me->speaker, w, &err);

        report(me->j, w->n, wspi_speaker_frames(me->speaker)->n - before, st, &err);
    }
    free(w);
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

static uint64_t at_speed(uint64_t t, uint64_t first, double speed)
{
    return speed == 1 ? t : first + (uint64_t)((double)(t - first) / speed);
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

static wsp_status write_frames(job *j, wsp_pcap_writer *w, wsp_error *err)
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
    for (size_t i = 0; i < n && st == WSP_OK; i++) {
        wsp_frame f = {.time_ns = at_speed(all[i].time_ns, all[0].time_ns, j->o->speed),
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

wsp_status wsp_generate(const wsp_model *m, const wsp_generate_options *o, wsp_pcap_writer *w,
                        uint64_t *packets, wsp_error *err)
{
    job j = {.o = o, .threads = wspi_thread_count(o->threads, MAX_THREADS), .st = WSP_OK};
    wsp_status st = WSP_OK;

    *packets = 0;
    WSP_TRY(check(m, o, err));
    if (o->flows)
        j.threads =
            (unsigned)WSPI_MIN((uint64_t)j.threads, (o->flows + WSPI_WAVE - 1) / WSPI_WAVE + 1);
    j.speakers = wspi_new_array(j.threads, sizeof(wspi_speaker *));
    if (!j.speakers)
        return wspi_nomem(err, "threads", j.threads);
    for (unsigned i = 0; i < j.threads && st == WSP_OK; i++)
        st = wspi_speaker_new(&j.speakers[i], m, o, err);
    wspi_plan_init(&j.plan, o);
    (void)pthread_mutex_init(&j.lock, NULL);
    if (st == WSP_OK)
        st = job_run(&j, err);
    if (st == WSP_OK)
        st = write_frames(&j, w, err);
    *packets = j.packets;
    say_undrawn(&j);
    (void)pthread_mutex_destroy(&j.lock);
    for (unsigned i = 0; i < j.threads; i++)
        wspi_speaker_free(j.speakers[i]);
    free(j.speakers);
    return st;
}
