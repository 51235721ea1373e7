/* SPDX-License-Identifier: Apache-2.0 */
/* outlet.c: the queue between the tagger and the sinks, and the thread behind it. */
#include "outlet.h"

#include <math.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

#include "eve.h"
#include "sink.h"

enum { QUEUE = 32768, TAKE = 256 };

/* A copy of a record, or a line. */
typedef struct entry {
    char *line;       /* NULL: a record */
    const char *name; /* of its source */
    wsp_flow flow;
    wsp_tag_record record; /* .flow, .answers are not valid */
    wsp_tag_answer answers[WSP_MAX_HEADS];
} entry;

struct outlet {
    outlet_options opt;
    sink sinks[CLI_LIST_MAX];
    size_t n_sinks;
    pthread_t thread;
    bool started, closing, patient; /* patient: the queue is waited for */
    pthread_mutex_t lock;
    pthread_cond_t data, space;
    entry *queue; /* [QUEUE] a ring */
    size_t first, n;
    uint64_t missed; /* lost for lack of room since that was told */
    char **names;    /* of sources, fit for JSON */
    size_t n_names;
    atomic_bool reopen, hurry;
    uint64_t first_id;    /* flows count from here on */
    outlet_stats stats;   /* with the lock, also below */
    outlet_label *labels; /* [n_labels] the last is "unknown" */
    size_t n_labels;
    /* the thread's own */
    entry taken[TAKE];
    size_t n_taken;
    linebuf text;
};

/* ---- latency ---- */

/* Four bins an octave, from 64 us on. */
uint64_t outlet_bin_us(size_t bin)
{
    return (uint64_t)lround(64 * exp2((double)bin / 4));
}

static void count_latency(outlet_stats *s, uint64_t us)
{
    size_t bin = 0;

    while (bin + 1 < OUTLET_BINS && us > outlet_bin_us(bin))
        bin++;
    s->latency[bin]++;
    s->latencies++;
    s->latency_sum_us += us;
}

uint64_t outlet_latency_us(const outlet_stats *s, double share)
{
    uint64_t seen = 0;

    for (size_t i = 0; i < OUTLET_BINS; i++) {
        seen += s->latency[i];
        if (seen > 0 && (double)seen >= share * (double)s->latencies)
            return outlet_bin_us(i);
    }
    return 0;
}

/* ---- lines ---- */

static void put_answer(linebuf *l, const outlet *o, const entry *e, size_t i)
{
    const wsp_head *h = wsp_model_head(o->opt.m, o->opt.heads[i]);
    int32_t label = e->answers[i].label;

    eve_answer(l, label < 0 ? "unknown" : h->labels[label], (double)e->answers[i].confidence);
    if (e->answers[i].outside)
        LINE(l, ",\"outside\":true");
}

/* The members that classify writes, and what a running flow adds: which record this is and why it is final. */
static void put_ours(linebuf *l, const outlet *o, const entry *e)
{
    static const char *const kinds[] = {"decision", "update", "end"};

    LINE(l, ",\"wirespeak\":");
    put_answer(l, o, e, 0);
    LINE(l, ",\"packets\":");
    line_number(l, e->record.packets);
    LINE(l, ",\"record\":");
    line_text(l, kinds[e->record.kind]);
    LINE(l, ",\"reason\":");
    line_text(l, wsp_tag_reason_name(e->record.reason));
    LINE(l, ",\"heads\":{");
    for (size_t i = 0; i < e->record.n_answers; i++) {
        if (i)
            LINE(l, ",");
        line_text(l, wsp_model_head(o->opt.m, o->opt.heads[i])->name);
        LINE(l, ":");
        put_answer(l, o, e, i);
        LINE(l, "}");
    }
    LINE(l, "}}");
}

/* A decision is an event of its own kind, at the time of the packet that decided; the end is Suricata's flow event. */
static void put_record(linebuf *l, const outlet *o, const entry *e)
{
    bool end = e->record.kind == WSP_TAG_END;
    const eve_event event = {.type = end ? "flow" : "tag",
                             .time_ns = end ? e->flow.last_ns : e->record.time_ns,
                             .flow_id = o->first_id + e->record.flow_id,
                             .capture = o->opt.live ? NULL : e->name,
                             .goes_on = !end};

    eve_flow(l, &e->flow, &event);
    if (o->opt.live) {
        LINE(l, ",\"in_iface\":");
        line_text(l, e->name);
    }
    put_ours(l, o, e);
    LINE(l, "}");
}

/* False: no memory, and nothing was added. */
static bool add_entry(outlet *o, entry *e)
{
    size_t before = o->text.len;

    o->text.failed = false;
    if (e->line)
        line_raw(&o->text, e->line, strlen(e->line));
    else
        put_record(&o->text, o, e);
    LINE(&o->text, "\n");
    free(e->line);
    e->line = NULL;
    if (o->text.failed)
        o->text.len = before;
    return !o->text.failed;
}

/* ---- the thread ---- */

static uint64_t now_ns(void)
{
    struct timespec t;

    (void)clock_gettime(CLOCK_REALTIME, &t);
    return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

/* With the lock: what became of the entries taken; a sink took `most` of them, where it could not take all the first ones. */
static void account(outlet *o, size_t lines, size_t most)
{
    uint64_t written = 0, lost = o->n_taken - lines, now = now_ns();
    bool dead = true;

    o->stats.lost += lost;
    for (size_t i = 0; i < o->n_sinks; i++) {
        written += o->sinks[i].written;
        o->stats.lost += o->sinks[i].lost;
        o->sinks[i].lost = 0;
        dead = dead && o->sinks[i].dead;
    }
    o->stats.written = written;
    o->stats.failed = dead || (!o->opt.live && o->stats.lost);
    for (size_t i = 0; o->opt.live && i < most; i++)
        if (o->taken[i].record.kind != WSP_TAG_END && now > o->taken[i].record.time_ns)
            count_latency(&o->stats, (now - o->taken[i].record.time_ns) / 1000);
}

static void write_taken(outlet *o)
{
    size_t lines = 0, most = 0;

    o->text.len = 0;
    for (size_t i = 0; i < o->n_taken; i++)
        lines += add_entry(o, &o->taken[i]);
    for (size_t i = 0; lines && i < o->n_sinks; i++) {
        size_t took = sink_write(&o->sinks[i], o->text.text, o->text.len, lines);
        most = took > most ? took : most;
    }
    (void)pthread_mutex_lock(&o->lock);
    account(o, lines, most);
    (void)pthread_mutex_unlock(&o->lock);
}

/* Up to TAKE entries; waits for one. False: the end. */
static bool take(outlet *o)
{
    bool more;

    (void)pthread_mutex_lock(&o->lock);
    while (o->n == 0 && !o->closing && !atomic_load(&o->reopen)) {
        struct timespec t;
        (void)clock_gettime(CLOCK_MONOTONIC, &t);
        t.tv_sec++; /* a signal handler cannot wake us */
        (void)pthread_cond_timedwait(&o->data, &o->lock, &t);
    }
    for (o->n_taken = 0; o->n > 0 && o->n_taken < TAKE; o->n--) {
        o->taken[o->n_taken++] = o->queue[o->first];
        o->first = (o->first + 1) % QUEUE;
    }
    more = o->n_taken > 0 || !o->closing;
    (void)pthread_cond_signal(&o->space);
    (void)pthread_mutex_unlock(&o->lock);
    return more;
}

static void *outlet_main(void *arg)
{
    outlet *o = arg;

    while (take(o)) {
        if (atomic_exchange(&o->reopen, false))
            for (size_t i = 0; i < o->n_sinks; i++)
                sink_reopen(&o->sinks[i]);
        if (o->n_taken)
            write_taken(o);
    }
    return NULL;
}

/* ---- the tagger's side ---- */

/*
 * With the lock. Outputs that fall behind, or wait for a reader that hangs, say nothing by themselves: it is said once here, and once that it
 * is over, which is when half of the queue is free.
 */
static void watch_room(outlet *o, bool lost)
{
    if (lost && o->missed++ == 0)
        (void)cli_fail("the outputs take too few records; records are lost until that is over");
    else if (!lost && o->missed && o->n < QUEUE / 2) {
        cli_warn("the outputs take records again, after %llu lost ones",
                 (unsigned long long)o->missed);
        o->missed = 0;
    }
}

/* With the lock: a place for one entry among the first `room` ones, or NULL. */
static entry *place(outlet *o, size_t room)
{
    while (o->n == QUEUE && o->patient)
        (void)pthread_cond_wait(&o->space, &o->lock);
    o->stats.records++;
    if (!o->patient)
        watch_room(o, o->n >= room);
    if (o->n >= room && !o->patient) {
        o->stats.lost++;
        return NULL;
    }
    if (o->n++ == 0)
        (void)pthread_cond_signal(&o->data);
    return &o->queue[(o->first + o->n - 1) % QUEUE];
}

/* With the lock. */
static void count_label(outlet *o, const wsp_tag_record *r)
{
    int32_t label = r->answers[0].label;
    outlet_label *l = &o->labels[label < 0 ? o->n_labels - 1 : (size_t)label];

    l->flows++;
    l->bytes += r->flow->bytes[0] + r->flow->bytes[1];
}

void outlet_put(outlet *o, const wsp_tag_record *r)
{
    bool end = r->kind == WSP_TAG_END;
    entry *e = NULL;

    (void)pthread_mutex_lock(&o->lock);
    if (end)
        count_label(o, r);
    /* the end of a flow that was given up says little: it goes first, so that a flood leaves room for the others */
    if (end ? o->opt.ends : o->opt.decisions)
        e = place(o, end && r->reason == WSP_TAG_SHED ? QUEUE / 4 * 3 : QUEUE);
    if (e) {
        e->line = NULL;
        e->name = r->source < o->n_names ? o->names[r->source] : "";
        e->flow = *r->flow;
        e->record = *r;
        memcpy(e->answers, r->answers, r->n_answers * sizeof *e->answers);
    }
    (void)pthread_mutex_unlock(&o->lock);
}

void outlet_put_line(outlet *o, char *line)
{
    entry *e;

    (void)pthread_mutex_lock(&o->lock);
    e = place(o, QUEUE);
    if (e) {
        e->line = line;
        e->record.kind = WSP_TAG_END;
    }
    (void)pthread_mutex_unlock(&o->lock);
    if (!e)
        free(line);
}

int outlet_source(outlet *o, uint32_t number, const char *name)
{
    int rc = CLI_OK;

    (void)pthread_mutex_lock(&o->lock);
    if (number >= o->n_names) {
        char **names = realloc(o->names, ((size_t)number + 1) * sizeof *names);

        if (names) {
            o->names = names;
            while (o->n_names <= number)
                names[o->n_names++] = NULL;
        }
    }
    if (number < o->n_names) {
        free(o->names[number]);
        o->names[number] = eve_name(name, true);
    }
    if (number >= o->n_names || !o->names[number])
        rc = cli_fail("no memory for a name");
    (void)pthread_mutex_unlock(&o->lock);
    return rc;
}

void outlet_wait(outlet *o)
{
    o->patient = true;
}

void outlet_hurry(outlet *o)
{
    atomic_store(&o->hurry, true);
}

void outlet_reopen(outlet *o)
{
    atomic_store(&o->reopen, true);
}

outlet_stats outlet_stats_get(outlet *o)
{
    outlet_stats s;

    (void)pthread_mutex_lock(&o->lock);
    s = o->stats;
    (void)pthread_mutex_unlock(&o->lock);
    return s;
}

outlet_label *outlet_labels_get(outlet *o, size_t *n)
{
    outlet_label *copy = calloc(o->n_labels, sizeof *copy);

    *n = copy ? o->n_labels : 0;
    (void)pthread_mutex_lock(&o->lock);
    for (size_t i = 0; i < *n; i++)
        copy[i] = o->labels[i];
    (void)pthread_mutex_unlock(&o->lock);
    return copy;
}

/* ---- making and ending ---- */

/* Logs are gone on with after a restart, and those of several interfaces meet: as Suricata's, ids of live flows begin anywhere in what JSON's numbers hold. */
static uint64_t draw_first_id(void)
{
    uint64_t r;

    if (getrandom(&r, sizeof r, GRND_NONBLOCK) != sizeof r)
        r = (uint64_t)time(NULL) << 20;
    return r & ((UINT64_C(1) << 52) - 1);
}

static bool name_labels(outlet *o)
{
    const wsp_head *h = wsp_model_head(o->opt.m, o->opt.heads[0]);

    o->n_labels = h->n_labels + 1;
    o->labels = calloc(o->n_labels, sizeof *o->labels);
    for (size_t i = 0; o->labels && i < h->n_labels; i++)
        o->labels[i].name = h->labels[i];
    if (o->labels)
        o->labels[h->n_labels].name = "unknown";
    return o->labels != NULL;
}

/* As of the ring: a clock that is put back makes no wait longer. */
static void init_data(pthread_cond_t *c)
{
    pthread_condattr_t a;

    (void)pthread_condattr_init(&a);
    (void)pthread_condattr_setclock(&a, CLOCK_MONOTONIC);
    (void)pthread_cond_init(c, &a);
    (void)pthread_condattr_destroy(&a);
}

int outlet_open(outlet **out, const outlet_options *opt)
{
    outlet *o = calloc(1, sizeof *o);
    const char *none = "-";
    size_t n = opt->targets->n;

    *out = NULL;
    if (o)
        o->opt = *opt;
    if (!o || !name_labels(o) || !(o->queue = calloc(QUEUE, sizeof *o->queue))) {
        if (o)
            free(o->labels);
        free(o);
        return cli_fail("no memory for a queue of records");
    }
    o->patient = !opt->live;
    o->first_id = opt->live ? draw_first_id() : 0;
    (void)pthread_mutex_init(&o->lock, NULL);
    init_data(&o->data);
    (void)pthread_cond_init(&o->space, NULL);
    *out = o;
    for (size_t i = 0; i < (n ? n : 1); i++) {
        sink *s = &o->sinks[o->n_sinks++];
        int rc = sink_open(s, n ? opt->targets->items[i] : none);

        s->hurry = &o->hurry;
        s->shared = opt->live && n > 1;
        if (rc != CLI_OK)
            return rc;
    }
    return CLI_OK;
}

int outlet_start(outlet *o)
{
    for (size_t i = 0; i < o->n_sinks; i++) {
        int rc = sink_start(&o->sinks[i]);
        if (rc != CLI_OK)
            return rc;
    }
    if (pthread_create(&o->thread, NULL, outlet_main, o) != 0)
        return cli_fail("cannot start the thread that writes");
    o->started = true;
    return CLI_OK;
}

int outlet_close(outlet *o, outlet_stats *last)
{
    *last = (outlet_stats){.records = 0};
    if (!o)
        return CLI_OK;
    (void)pthread_mutex_lock(&o->lock);
    o->closing = true;
    (void)pthread_cond_signal(&o->data);
    (void)pthread_mutex_unlock(&o->lock);
    if (o->started)
        (void)pthread_join(o->thread, NULL);
    for (size_t i = 0; i < o->n_sinks; i++)
        o->stats.lost += sink_close(&o->sinks[i]);
    *last = o->stats;
    return last->lost ? cli_fail("%llu records were lost", (unsigned long long)last->lost) : CLI_OK;
}

void outlet_free(outlet *o)
{
    if (!o)
        return;
    for (size_t i = 0; i < o->n_names; i++)
        free(o->names[i]);
    (void)pthread_cond_destroy(&o->space);
    (void)pthread_cond_destroy(&o->data);
    (void)pthread_mutex_destroy(&o->lock);
    free(o->names);
    free(o->labels);
    free(o->queue);
    line_clear(&o->text);
    free(o);
}
