/* SPDX-License-Identifier: Apache-2.0 */
/*
 * classify.c: what a model says of the flows of a set (probabilities, decisions packet by packet, contexts, surprise), by worker
 * threads with a runner each.
 */
#include <math.h>
#include <pthread.h>

#include "task/votes.h"

enum { BATCH_TOKENS = 32768, MAX_THREADS = 256 };

/* Whoever reads so much of a flow makes room for it, so a file's number has a limit. */
static size_t meta_number(const wsp_model *m, const char *key, size_t otherwise)
{
    const char *text = wsp_model_meta_get(m, key);
    unsigned long v = text ? strtoul(text, NULL, 10) : 0;

    return v ? WSPI_MIN(v, (unsigned long)WSP_MAX_READ) : otherwise;
}

/* Defaults where the file does not say. */
wsp_view_options wsp_view_options_of(const wsp_model *m)
{
    wsp_view_options o = wsp_view_options_default();

    o.policy = wsp_model_meta_get(m, "policy");
    o.max_packets = meta_number(m, "max_packets", o.max_packets);
    o.max_payload = meta_number(m, "max_payload", o.max_payload);
    return o;
}

wsp_status wspi_vocab_check(const wsp_model *m, wsp_error *err)
{
    const wsp_model_config *c = wsp_model_config_get(m);

    if (c->vocab_version != wsp_vocab_version())
        return wspi_fail(err, WSP_ERR_UNSUPPORTED, 0,
                         "the model was trained with another vocabulary (%016llx, this program has "
                         "%016llx): train it again",
                         (unsigned long long)c->vocab_version,
                         (unsigned long long)wsp_vocab_version());
    if (c->vocab != wsp_vocab_size()) /* a file may claim any version */
        return wspi_fail(err, WSP_ERR_UNSUPPORTED, 0,
                         "the model has %u tokens, its vocabulary has %u: the file is damaged",
                         c->vocab, wsp_vocab_size());
    return WSP_OK;
}

/* softmax(logits / temperature); zeros where weights are so large that logits are no numbers: the sum is 1 at least else. */
static void probabilities(float *prob, const float *logits, const wsp_head *h)
{
    size_t n = h->n_labels;
    float top = logits[wspi_argmax(logits, n)];
    double sum = 0;

    for (size_t i = 0; i < n; i++) {
        prob[i] = expf((logits[i] - top) / h->temperature);
        sum += (double)prob[i];
    }
    for (size_t i = 0; i < n; i++)
        prob[i] = sum >= 1 && i != h->background ? (float)((double)prob[i] / sum) : 0;
}

wsp_early wspi_likeliest(const float *logits, const wsp_head *h)
{
    size_t n = h->n_labels, top = wspi_argmax(logits, n), best = h->background == 0 && n > 1;
    double sum = 0;

    for (size_t i = best + 1; i < n; i++)
        best = i != h->background && logits[i] > logits[best] ? i : best;
    for (size_t i = 0; i < n; i++)
        sum += (double)expf((logits[i] - logits[top]) / h->temperature);
    if (!(sum >= 1) || best == h->background)
        return (wsp_early){.label = (uint16_t)best};
    return (wsp_early){
        .label = (uint16_t)best,
        .confidence = (float)((double)expf((logits[best] - logits[top]) / h->temperature) / sum)};
}

wsp_early wsp_likeliest(const wsp_head *h, const float *prob, bool outside)
{
    size_t best = wspi_argmax(prob, h->n_labels);

    return (wsp_early){.label = (uint16_t)best, .confidence = prob[best], .outside = outside};
}

bool wsp_is_unknown(const wsp_head *h, wsp_early said, double least)
{
    double threshold = least < 0 ? (double)h->unknown_below : least;

    return said.outside || (double)said.confidence < threshold || said.label == h->background;
}

typedef struct scratch {
    wspi_batcher batcher;
    float **logits; /* [heads of the model], NULL for those that nobody wants */
    size_t *cap_logits;
    float *context, *nll;
    size_t cap_context, cap_nll;
    wspi_votes *votes; /* or NULL */
    wspi_said *said;   /* packets of a flow */
    size_t cap_said;
} scratch;

/* What all workers share. Batches are runs of the sorted flows; a worker takes the next one that nobody has. */
typedef struct job {
    const wsp_model *m;
    const wsp_tokens *t;
    const wspi_view *v;      /* what the heads read */
    const wspi_view *speaks; /* what the output stack foretells, for the surprise */
    const wsp_wanted *want;
    wsp_stacks *stacks;
    size_t max_packets; /* of a flow that are read */
    size_t most;        /* that the model reads: no fewer */
    wsp_dtype dtype;
    uint32_t *order; /* [n_flows] flows that begin alike are neighbours */
    size_t *batch;   /* [n_batches + 1] in order */
    size_t n_batches, next;
    pthread_mutex_t lock;
    wsp_runner_stats stats;
    wsp_status st; /* of the first worker that failed, with err */
    wsp_error err;
} job;

static bool wants_head(const job *j, size_t h)
{
    return (j->want->prob && j->want->prob[h]) || (j->want->early && j->want->early[h]);
}

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
    free(s->context);
    free(s->nll);
    free(s->said);
    wspi_votes_free(s->votes);
}

static wsp_status run_batch(const job *j, wsp_runner *r, scratch *s, wsp_error *err)
{
    const wsp_batch *b = &s->batcher.batch;
    size_t C = wsp_model_config_get(j->m)->channels;

    for (size_t h = 0; h < wsp_model_head_count(j->m); h++) {
        size_t n = b->n_packets * wsp_model_head(j->m, h)->n_labels;
        if (wants_head(j, h) &&
            wspi_grow(&s->logits[h], &s->cap_logits[h], n, sizeof **s->logits) < 0)
            return wspi_nomem(err, "answers of a batch", n * sizeof **s->logits);
    }
    if (j->want->context &&
        wspi_grow(&s->context, &s->cap_context, b->n_packets * C, sizeof *s->context) < 0)
        return wspi_nomem(err, "contexts of a batch", b->n_packets * C);
    return wsp_runner_classify(r, b, s->context, s->logits, err);
}

/* The trees' votes come to what the heads say of flow i of the batch, of its packets `from` and on. */
static wsp_status add_votes(const job *j, scratch *s, size_t i, size_t from)
{
    const wspi_batcher *b = &s->batcher;
    size_t n = b->flow_off[i + 1] - b->flow_off[i];

    if (!s->votes)
        return WSP_OK;
    WSP_TRY(wspi_grow(&s->said, &s->cap_said, n, sizeof *s->said));
    for (size_t k = 0; k < n; k++) {
        const uint32_t *at = b->packet_off + b->flow_off[i] + k;
        s->said[k] = (wspi_said){b->ids + at[0], at[1] - at[0]};
    }
    for (size_t k = from; k < n; k++) {
        wspi_votes_flow(s->votes, s->said, k + 1);
        for (size_t h = 0; h < wsp_model_head_count(j->m); h++)
            if (wants_head(j, h))
                wspi_votes_add(s->votes, h,
                               s->logits[h] +
                                   (b->flow_off[i] + k) * wsp_model_head(j->m, h)->n_labels);
    }
    return WSP_OK;
}

static void take_early(const job *j, const wspi_batcher *b, const float *logits, size_t head,
                       size_t i, size_t flow)
{
    const wsp_head *h = wsp_model_head(j->m, head);
    wsp_early *out = j->want->early[head] + flow * j->max_packets;
    wsp_stack stack = {.begun = false};

    for (size_t p = b->flow_off[i]; p < b->flow_off[i + 1]; p++, out++) {
        *out = wspi_likeliest(logits + p * h->n_labels, h);
        wsp_stack_add(&stack, b->ids + b->packet_off[p], b->packet_off[p + 1] - b->packet_off[p]);
        out->outside = !wsp_stacks_know(j->stacks, head, &stack);
    }
}

/* Of one flow of the batch, whose votes were added last. */
static void take_flow(const job *j, const scratch *s, size_t i, size_t flow)
{
    const wspi_batcher *b = &s->batcher;
    const wsp_wanted *w = j->want;
    size_t last = b->flow_off[i + 1] - 1u, n = b->flow_off[i + 1] - b->flow_off[i],
           C = wsp_model_config_get(j->m)->channels;
    bool full = n == j->most, open = !full && wsp_tokens_packets(j->t, flow) > n;

    if (w->packets)
        w->packets[flow] = (uint32_t)n;
    if (w->outside)
        w->outside[flow] = wspi_stacks_outside(j->stacks, j->v, flow);
    if (w->context)
        memcpy(w->context + flow * C, s->context + last * C, C * sizeof *w->context);
    for (size_t h = 0; h < wsp_model_head_count(j->m); h++) {
        const wsp_head *head = wsp_model_head(j->m, h);
        size_t L = head->n_labels;

        if (!wants_head(j, h))
            continue;
        if (full) /* the model reads no further packet: this answer is the last one */
            wspi_votes_end(s->votes, h, s->logits[h] + last * L);
        if (w->early && w->early[h])
            take_early(j, b, s->logits[h], h, i, flow);
        if (!w->prob || !w->prob[h])
            continue;
        if (!full && !open)
            wspi_votes_end(s->votes, h, s->logits[h] + last * L);
        probabilities(w->prob[h] + flow * L, s->logits[h] + last * L, head);
    }
}

/* The output stack was trained on all tokens of a packet, not on what the heads may see of them. */
static wsp_status take_surprise(const job *j, wsp_runner *r, scratch *s, const uint32_t *order,
                                size_t n, wsp_error *err)
{
    const wsp_batch *b = &s->batcher.batch;
    size_t taken;

    if (wspi_batcher_fill(&s->batcher, j->speaks, j->t, order, n, SIZE_MAX, NULL, 0, NULL, &taken) <
            0 ||
        wspi_grow(&s->nll, &s->cap_nll, b->n_tokens, sizeof *s->nll) < 0)
        return wspi_nomem(err, "a batch of flows", BATCH_TOKENS);
    WSP_TRY(wsp_runner_nll(r, b, s->nll, err));
    for (size_t i = 0; i < n; i++) {
        size_t from = b->flow_off[i], to = b->flow_off[i + 1];
        double nats = 0;

        for (size_t k = b->packet_off[from]; k < b->packet_off[to]; k++)
            nats += (double)s->nll[k];
        j->want->surprise[order[i]] = (float)(nats / log(2) / (double)(to - from));
    }
    return WSP_OK;
}

static wsp_status answer_batch(const job *j, wsp_runner *r, scratch *s, size_t i, wsp_error *err)
{
    const uint32_t *order = j->order + j->batch[i];
    size_t taken, n = j->batch[i + 1] - j->batch[i];

    if (wspi_batcher_fill(&s->batcher, j->v, j->t, order, n, SIZE_MAX, NULL, 0, NULL, &taken) < 0)
        return wspi_nomem(err, "a batch of flows", BATCH_TOKENS);
    WSP_TRY(run_batch(j, r, s, err));
    for (size_t k = 0; k < n; k++) {
        size_t last = s->batcher.flow_off[k + 1] - s->batcher.flow_off[k] - 1u;
        if (add_votes(j, s, k, j->want->early ? 0 : last) < 0)
            return wspi_nomem(err, "packets of a flow", last);
        take_flow(j, s, k, order[k]);
    }
    return j->want->surprise ? take_surprise(j, r, s, order, n, err) : WSP_OK;
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
    if (st == WSP_OK)
        st = wspi_votes_new(&s.votes, j->m, &err);
    for (size_t i; st == WSP_OK && (i = take_batch(j)) < j->n_batches;)
        st = answer_batch(j, r, &s, i, &err);
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

/* The views that are wanted, and the plan of batches; what is made is the caller's to clear, also on failure. */
static wsp_status job_start(job *j, size_t first, wspi_view views[2], wsp_error *err)
{
    const wsp_model_config *c = wsp_model_config_get(j->m);
    wsp_view_options o = wsp_view_options_of(j->m);

    j->most = o.max_packets;
    if (first)
        o.max_packets = WSPI_MIN(first, j->most);
    j->max_packets = o.max_packets;
    WSP_TRY(wsp_stacks_new(&j->stacks, j->m, err));
    WSP_TRY(wspi_view_make(&views[0], j->t, &o, c->max_tokens, false, err));
    o.policy = "everything";
    if (j->want->surprise)
        WSP_TRY(wspi_view_make(&views[1], j->t, &o, c->max_tokens, false, err));
    return job_plan(j) < 0 ? wspi_nomem(err, "flows", j->t->n_flows) : WSP_OK;
}

wsp_status wsp_ask(const wsp_model *m, const wsp_tokens *t, const wsp_classify_options *opt,
                   const wsp_wanted *want, wsp_runner_stats *stats, wsp_error *err)
{
    const wsp_classify_options defaults = {.threads = 0};
    wspi_view views[2] = {{.n_flows = 0}};
    job j = {.m = m, .t = t, .v = &views[0], .speaks = &views[1], .want = want, .st = WSP_OK};

    if (!opt)
        opt = &defaults;
    j.dtype = opt->dtype;
    WSP_TRY(wspi_vocab_check(m, err));
    j.st = job_start(&j, opt->first, views, &j.err);
    if (j.st == WSP_OK) {
        (void)pthread_mutex_init(&j.lock, NULL);
        job_run(&j, wspi_thread_count(opt->threads, MAX_THREADS));
        (void)pthread_mutex_destroy(&j.lock);
    }
    if (j.st < 0 && err)
        *err = j.err;
    if (stats)
        *stats = j.stats;
    wspi_view_clear(&views[0]);
    wspi_view_clear(&views[1]);
    wsp_stacks_free(j.stacks);
    free(j.order);
    free(j.batch);
    return j.st;
}

wsp_status wsp_classify(const wsp_model *m, const wsp_tokens *t, const wsp_classify_options *opt,
                        float *const *prob, uint32_t *packets, wsp_runner_stats *stats,
                        wsp_error *err)
{
    const wsp_wanted want = {.prob = prob, .packets = packets};

    return wsp_ask(m, t, opt, &want, stats, err);
}
