/* SPDX-License-Identifier: Apache-2.0 */
/* classify.c: probabilities of heads for the flows of a set, by worker threads with a runner each. */
#include <math.h>
#include <pthread.h>

#include "task/task_int.h"

enum { BATCH_TOKENS = 32768, MAX_THREADS = 256 };

static size_t meta_number(const wsp_model *m, const char *key, size_t otherwise)
{
    const char *text = wsp_model_meta_get(m, key);
    unsigned long v = text ? strtoul(text, NULL, 10) : 0;

    return v ? v : otherwise;
}

/* What the model was trained to see; defaults where its file does not say. */
static wsp_view_options view_of(const wsp_model *m)
{
    wsp_view_options o = wsp_view_options_default();

    o.policy = wsp_model_meta_get(m, "policy");
    o.max_packets = meta_number(m, "max_packets", o.max_packets);
    o.max_payload = meta_number(m, "max_payload", o.max_payload);
    return o;
}

/* softmax(logits / temperature) */
static void probabilities(float *prob, const float *logits, size_t n, float temperature)
{
    float top = logits[0];
    double sum = 0;

    for (size_t i = 1; i < n; i++)
        top = WSPI_MAX(top, logits[i]);
    for (size_t i = 0; i < n; i++) {
        prob[i] = expf((logits[i] - top) / temperature);
        sum += (double)prob[i];
    }
    for (size_t i = 0; i < n; i++)
        prob[i] = (float)((double)prob[i] / sum);
}

typedef struct scratch {
    wspi_batcher batcher;
    float **logits; /* [heads of the model], NULL for those that nobody wants */
    size_t *cap_logits;
} scratch;

/* What all workers share. Batches are runs of the sorted flows; a worker takes the next one that nobody has. */
typedef struct job {
    const wsp_model *m;
    const wsp_tokens *t;
    const wspi_view *v;
    wsp_dtype dtype;
    uint32_t *order; /* [n_flows] flows that begin alike are neighbours */
    size_t *batch;   /* [n_batches + 1] in order */
    size_t n_batches, next;
    pthread_mutex_t lock;
    float *const *prob;
    uint32_t *packets;
    wsp_runner_stats stats;
    wsp_status st; /* of the first worker that failed, with err */
    wsp_error err;
} job;

static wsp_status scratch_init(scratch *s, size_t n_heads)
{
    *s = (scratch){.logits = wspi_new_array(n_heads, sizeof *s->logits),
                   .cap_logits = wspi_new_array(n_heads, sizeof *s->cap_logits)};
    return s->logits && s->cap_logits ? WSP_OK : WSP_ERR_NOMEM;
}

static void scratch_clear(scratch *s, size_t n_heads)
{
    wspi_batcher_clear(&s->batcher);
    for (size_t h = 0; s->logits && h < n_heads; h++)
        free(s->logits[h]);
    free(s->logits);
    free(s->cap_logits);
}

static wsp_status run_batch(const job *j, wsp_runner *r, scratch *s, wsp_error *err)
{
    const wsp_batch *b = &s->batcher.batch;

    for (size_t h = 0; h < wsp_model_head_count(j->m); h++) {
        size_t n = b->n_packets * wsp_model_head(j->m, h)->n_labels;
        if (j->prob[h] && wspi_grow(&s->logits[h], &s->cap_logits[h], n, sizeof **s->logits) < 0)
            return wspi_nomem(err, "answers of a batch", n * sizeof **s->logits);
    }
    return wsp_runner_classify(r, b, NULL, s->logits, err);
}

/* The probabilities after the last packets of the batch's flows, which are those at `order`. */
static void take_answers(const job *j, const scratch *s, const uint32_t *order, size_t n)
{
    for (size_t i = 0; i < n; i++)
        j->packets[order[i]] = s->batcher.flow_off[i + 1] - s->batcher.flow_off[i];
    for (size_t h = 0; h < wsp_model_head_count(j->m); h++) {
        const wsp_head *head = wsp_model_head(j->m, h);
        size_t L = head->n_labels;

        for (size_t i = 0; j->prob[h] && i < n; i++)
            probabilities(j->prob[h] + order[i] * L,
                          s->logits[h] + (s->batcher.flow_off[i + 1] - 1u) * L, L,
                          head->temperature);
    }
}

/* The next batch that nobody has taken; n_batches when there is none, or when another worker failed. */
static size_t take_batch(job *j)
{
    size_t i = j->n_batches;

    (void)pthread_mutex_lock(&j->lock);
    if (j->st == WSP_OK && j->next < j->n_batches)
        i = j->next++;
    (void)pthread_mutex_unlock(&j->lock);
    return i;
}

static void report(job *j, const wsp_runner_stats *s, wsp_status st, const wsp_error *err)
{
    (void)pthread_mutex_lock(&j->lock);
    j->stats.packets += s->packets;
    j->stats.packets_read += s->packets_read;
    j->stats.rows += s->rows;
    j->stats.rows_run += s->rows_run;
    if (st < 0 && j->st == WSP_OK) {
        j->st = st;
        j->err = *err;
    }
    (void)pthread_mutex_unlock(&j->lock);
}

static void *worker_main(void *arg)
{
    job *j = arg;
    wsp_runner *r = NULL;
    wsp_runner_stats stats = {.packets = 0};
    wsp_error err;
    scratch s;
    wsp_status st = scratch_init(&s, wsp_model_head_count(j->m));

    st = st < 0 ? wspi_nomem(&err, "heads", 0) : wsp_runner_new(&r, j->m, j->dtype, &err);
    for (size_t i; st == WSP_OK && (i = take_batch(j)) < j->n_batches;) {
        const uint32_t *order = j->order + j->batch[i];
        size_t taken, n = j->batch[i + 1] - j->batch[i];

        if (wspi_batcher_fill(&s.batcher, j->v, j->t, order, n, SIZE_MAX, NULL, 0, &taken) < 0)
            st = wspi_nomem(&err, "a batch of flows", BATCH_TOKENS);
        else
            st = run_batch(j, r, &s, &err);
        if (st == WSP_OK)
            take_answers(j, &s, order, n);
    }
    if (r)
        stats = wsp_runner_stats_get(r);
    report(j, &stats, st, &err);
    wsp_runner_free(r);
    scratch_clear(&s, wsp_model_head_count(j->m));
    return NULL;
}

typedef struct sortable {
    const uint16_t *ids;
    size_t n;
    uint32_t flow;
} sortable;

/* By tokens, then by number. */
static int compare_flows(const void *pa, const void *pb)
{
    const sortable *a = pa, *b = pb;
    size_t i = 0;

    while (i < a->n && i < b->n && a->ids[i] == b->ids[i])
        i++;
    if (i < a->n && i < b->n)
        return a->ids[i] < b->ids[i] ? -1 : 1;
    if (a->n != b->n)
        return a->n < b->n ? -1 : 1;
    return a->flow < b->flow ? -1 : 1;
}

/* Sorted flows in batches of about BATCH_TOKENS tokens. */
static wsp_status job_plan(job *j)
{
    const wspi_view *v = j->v;
    sortable *s = wspi_new_array(v->n_flows, sizeof *s);
    size_t tokens = 0;

    j->order = wspi_new_array(v->n_flows, sizeof *j->order);
    j->batch = wspi_new_array(v->n_flows + 1, sizeof *j->batch);
    if (!s || !j->order || !j->batch) {
        free(s);
        return WSP_ERR_NOMEM;
    }
    for (size_t i = 0; i < v->n_flows; i++) {
        uint64_t from = v->packet_off[v->flow_off[i]], to = v->packet_off[v->flow_off[i + 1]];
        s[i] = (sortable){.ids = v->ids + from, .n = (size_t)(to - from), .flow = (uint32_t)i};
    }
    qsort(s, v->n_flows, sizeof *s, compare_flows);
    for (size_t i = 0; i < v->n_flows; i++) {
        j->order[i] = s[i].flow;
        tokens += s[i].n;
        if (tokens >= BATCH_TOKENS || i + 1 == v->n_flows) {
            j->batch[++j->n_batches] = i + 1;
            tokens = 0;
        }
    }
    free(s);
    return WSP_OK;
}

static void job_run(job *j, unsigned threads)
{
    pthread_t thread[MAX_THREADS];
    unsigned started = 0;

    /* the caller is a worker too; when the system refuses threads, the others do the work */
    while (started + 1 < threads && started + 1 < j->n_batches &&
           pthread_create(&thread[started], NULL, worker_main, j) == 0)
        started++;
    (void)worker_main(j);
    while (started > 0)
        (void)pthread_join(thread[--started], NULL);
}

wsp_status wsp_classify(const wsp_model *m, const wsp_tokens *t, const wsp_classify_options *opt,
                        float *const *prob, uint32_t *packets, wsp_runner_stats *stats,
                        wsp_error *err)
{
    const wsp_classify_options defaults = {.threads = 0};
    wsp_view_options o = view_of(m);
    wspi_view v;
    job j = {.m = m, .t = t, .v = &v, .prob = prob, .packets = packets, .st = WSP_OK};

    if (!opt)
        opt = &defaults;
    j.dtype = opt->dtype;
    if (wsp_model_config_get(m)->vocab_version != wsp_vocab_version())
        return wspi_fail(err, WSP_ERR_UNSUPPORTED, 0,
                         "the model was trained with another vocabulary (%016llx, this program has "
                         "%016llx): train it again",
                         (unsigned long long)wsp_model_config_get(m)->vocab_version,
                         (unsigned long long)wsp_vocab_version());
    WSP_TRY(wspi_view_make(&v, t, &o, wsp_model_config_get(m)->max_tokens, false, err));
    if (job_plan(&j) < 0) {
        j.st = wspi_nomem(&j.err, "flows", t->n_flows);
    } else {
        (void)pthread_mutex_init(&j.lock, NULL);
        job_run(&j, wspi_thread_count(opt->threads, MAX_THREADS));
        (void)pthread_mutex_destroy(&j.lock);
    }
    if (j.st < 0 && err)
        *err = j.err;
    if (stats)
        *stats = j.stats;
    wspi_view_clear(&v);
    free(j.order);
    free(j.batch);
    return j.st;
}
