/* SPDX-License-Identifier: Apache-2.0 */
/*
 * trainer.c: loss, and gradients by worker threads and processes, summed in a fixed order. Every worker owns its
 * primitives, its activations and its gradients.
 */
#include <pthread.h>

#include "model/train_int.h"

enum { PART_TOKENS = 1024, MAX_THREADS = 256 };

wsp_train_options wsp_train_options_default(void)
{
    return (wsp_train_options){.lr = 1e-3f,
                               .lr_min = 1e-5f,
                               .body_lr = 1.0f,
                               .warmup = 100,
                               .steps = 10000,
                               .beta1 = 0.9f,
                               .beta2 = 0.95f,
                               .eps = 1e-8f,
                               .weight_decay = 0.05f,
                               .clip = 1.0f,
                               .lm_weight = 1.0f,
                               .head_weight = 1.0f,
                               .threads = 1,
                               .seed = 1};
}

static wsp_status options_check(const wsp_train_options *o, const wsp_model *m, wsp_error *err)
{
    if (o->threads < 1 || o->threads > MAX_THREADS)
        return wspi_fail(err, WSP_ERR_ARG, 0, "%u threads, allowed are 1 to %d", o->threads,
                         MAX_THREADS);
    if (!(o->lr >= 0) || !(o->beta1 >= 0 && o->beta1 < 1) || !(o->beta2 >= 0 && o->beta2 < 1) ||
        !(o->eps > 0) || !(o->dropout >= 0 && o->dropout < 1) ||
        !(o->label_smoothing >= 0 && o->label_smoothing < 1) || !(o->body_lr >= 0))
        return wspi_fail(err, WSP_ERR_ARG, 0, "a training option is out of its range");
    if (o->lm_weight > 0 && !m->cfg.output_layers)
        return wspi_fail(err, WSP_ERR_ARG, 0, "lm_weight needs a model with an output stack");
    if (o->lm_weight > 0 && !(o->body_lr > 0))
        return wspi_fail(
            err, WSP_ERR_ARG, 0,
            "where only the heads learn next tokens are not learned: lm_weight must be 0");
    return WSP_OK;
}

wsp_status wsp_trainer_new(wsp_trainer **out, wsp_model *m, const wsp_train_options *opt,
                           wsp_error *err)
{
    wsp_trainer *t;
    wsp_status st = WSP_OK;

    *out = NULL;
    WSP_TRY(options_check(opt, m, err));
    t = wspi_new_array(1, sizeof *t);
    if (!t)
        return wspi_nomem(err, "a trainer", sizeof *t);
    t->m = m;
    t->opt = *opt;
    t->grad = wspi_new_floats(3 * m->n_params);
    t->worker = wspi_new_array(opt->threads, sizeof *t->worker);
    t->round = wspi_new_array(wsp_group_size(opt->group), sizeof *t->round);
    t->present = wspi_new_array(wsp_group_size(opt->group), sizeof *t->present);
    t->squares = wspi_new_array(wspi_param_parts(t), sizeof *t->squares);
    if (!t->grad || !t->worker || !t->round || !t->present || !t->squares) {
        wsp_trainer_free(t);
        return wspi_nomem(err, "gradients and moments", 3 * m->n_params * sizeof(float));
    }
    t->moment1 = t->grad + m->n_params;
    t->moment2 = t->moment1 + m->n_params;
    for (unsigned i = 0; i < opt->threads && st == WSP_OK; i++) {
        struct worker *w = &t->worker[i];
        t->n_workers = i + 1;
        w->t = t;
        st = wspi_engine_init(&w->e, m, true, opt->dtype, err);
        w->own = i > 0 ? wspi_new_floats(m->n_params) : NULL;
        w->e.grad = i > 0 ? w->own : t->grad;
        if (st == WSP_OK && !w->e.grad)
            st = wspi_nomem(err, "gradients", m->n_params);
    }
    if (st < 0) {
        wsp_trainer_free(t);
        return st;
    }
    m->grad = t->grad;
    *out = t;
    return WSP_OK;
}

void wsp_trainer_free(wsp_trainer *t)
{
    if (!t)
        return;
    for (unsigned i = 0; i < t->n_workers; i++) {
        wspi_engine_clear(&t->worker[i].e);
        free(t->worker[i].own);
        free(t->worker[i].row);
        free(t->worker[i].pick);
    }
    if (t->m->grad == t->grad)
        t->m->grad = NULL;
    for (size_t h = 0; h < WSPI_MAX_HEADS; h++)
        free(t->label_weight[h]);
    free(t->said);
    free(t->round);
    free(t->present);
    free(t->kept);
    free(t->squares);
    free(t->worker);
    free(t->grad);
    free(t);
}

wsp_status wsp_trainer_label_weights(wsp_trainer *t, size_t head, const float *weight,
                                     wsp_error *err)
{
    size_t n = head < t->m->n_heads ? t->m->head[head].n_labels : 0;
    float *copy = weight && n ? wspi_new_floats(n) : NULL;

    if (!n)
        return wspi_fail(err, WSP_ERR_ARG, 0, "the model has no head number %zu", head);
    if (weight && !copy)
        return wspi_nomem(err, "weights of labels", n * sizeof *copy);
    if (weight)
        memcpy(copy, weight, n * sizeof *copy);
    free(t->label_weight[head]);
    t->label_weight[head] = copy;
    return WSP_OK;
}

/* Next-token loss of the part; with gradients also dn. */
static void lm_loss(struct worker *w)
{
    wspi_engine *e = &w->e;

    wspi_next_loss(e, e->nll, w->backward ? w->lm_scale : 0);
    for (size_t i = 0; i < e->N; i++)
        w->lm_nats += (double)e->nll[i];
}

/* Packets of flow f of a batch, those of its other windows too. */
static double packets_of(const wsp_batch *b, size_t f)
{
    uint32_t packets = b->windows ? b->windows[f].packets : 0;

    return packets ? packets : b->flow_off[f + 1] - b->flow_off[f];
}

/* How much of flow f the batch has: 1, or a window's share. */
static double share_of(const wsp_batch *b, size_t f)
{
    return (double)(b->flow_off[f + 1] - b->flow_off[f]) / packets_of(b, f);
}

static bool ends(const wsp_batch *b, size_t f)
{
    return !b->windows || !b->windows[f].to;
}

/* The rows of the part that head h learns from: those of the packets of its labelled flows. */
static size_t head_rows(struct worker *w, size_t h, size_t f0)
{
    const wspi_engine *e = &w->e;
    size_t n = 0;

    for (size_t f = 0; f < e->F; f++) {
        w->t->said[(f0 + f) * e->m->n_heads + h] = -1;
        if (w->b->labels[(f0 + f) * e->m->n_heads + h] < 0)
            continue;
        for (uint32_t r = e->roff[f] + 1; r < e->roff[f + 1]; r++)
            w->pick[n++] = (picked){.row = r, .flow = (uint32_t)f};
    }
    return n;
}

/* Contexts, biases, targets and scales of k picked rows, gathered; a flow's rows share its weight. */
static void head_gather(struct worker *w, size_t h, size_t f0, const picked *pick, size_t k)
{
    wspi_engine *e = &w->e;
    const wsp_model *m = e->m;
    size_t C = m->cfg.channels, L = m->head[h].n_labels;
    const float *weight = w->t->label_weight[h];

    for (size_t j = 0; j < k; j++) {
        size_t f = pick[j].flow;
        uint32_t label = (uint32_t)w->b->labels[(f0 + f) * m->n_heads + h];

        memcpy(e->branch + j * C, e->c + pick[j].row * C, C * sizeof(float));
        memcpy(e->logits + j * L, m->w + m->at.head_b[h], L * sizeof(float));
        e->target[j] = label;
        e->scale[j] = (weight ? weight[label] : 1.0f) / (float)packets_of(w->b, f0 + f);
    }
}

/* What the head says after the flows' last packets among the picked rows. */
static void head_said(struct worker *w, size_t h, size_t f0, const picked *pick, size_t k)
{
    const wspi_engine *e = &w->e;
    size_t L = e->m->head[h].n_labels;

    for (size_t j = 0; j < k; j++)
        if (pick[j].row + 1 == e->roff[pick[j].flow + 1] && ends(w->b, f0 + pick[j].flow)) {
            size_t said = wspi_argmax(e->logits + j * L, L);
            w->t->said[(f0 + pick[j].flow) * e->m->n_heads + h] = (int32_t)said;
            w->head[h].right += said == e->target[j];
        }
}

/* Head h on all flows of the part that have a label: for each flow the mean cross-entropy over its packets. */
static void head_loss(struct worker *w, size_t h, size_t f0)
{
    wspi_engine *e = &w->e;
    const wsp_model *m = e->m;
    size_t C = m->cfg.channels, L = m->head[h].n_labels, hw = m->at.head_w[h], hb = m->at.head_b[h],
           n = head_rows(w, h, f0);

    for (size_t i = 0; i < n; i += WSPI_LM_ROWS) {
        size_t k = WSPI_MIN(n - i, (size_t)WSPI_LM_ROWS);
        const picked *pick = w->pick + i;
        float scale[WSPI_LM_ROWS];

        head_gather(w, h, f0, pick, k);
        for (size_t j = 0; j < k; j++)
            scale[j] = e->scale[j] * w->head_scale;
        wspi_gemm(e->nn, e->logits, e->branch, m->w + hw, k, L, C,
                  WSPI_TB | WSPI_ADD | WSPI_WEIGHT);
        head_said(w, h, f0, pick, k);
        wspi_xent(e->logits, e->loss, e->target, w->backward ? scale : NULL,
                  w->t->opt.label_smoothing, k, L);
        for (size_t j = 0; j < k; j++)
            w->head[h].loss += (double)(e->scale[j] * e->loss[j]);
        if (!w->backward)
            continue;
        wspi_linear_bwd(e->nn, e->grad + hw, e->wc, e->logits, e->branch, m->w + hw, k, L, C);
        for (size_t j = 0; j < k; j++) {
            wspi_add(e->grad + hb, e->logits + j * L, L);
            wspi_add(e->dc + pick[j].row * C, e->wc + j * C, C);
        }
    }
}

static wsp_status run_part(struct worker *w, size_t f0, size_t f1)
{
    wspi_engine *e = &w->e;
    const wsp_batch *b = w->b;
    size_t p = 0;
    bool lm = e->m->cfg.output_layers && (w->t->opt.lm_weight > 0 || !w->backward);

    WSP_TRY(wspi_engine_select(e, b, f0, f1, lm, NULL));
    WSP_TRY(wspi_grow(&w->row, &w->row_cap, e->P, sizeof *w->row));
    WSP_TRY(wspi_grow(&w->pick, &w->pick_cap, e->P, sizeof *w->pick));
    for (size_t f = 0; f < e->F; f++)
        for (size_t r = e->roff[f]; r + 1 < e->roff[f + 1]; r++)
            w->row[p++] = (uint32_t)r;
    e->key = wspi_fnv1a(&f0, sizeof f0, w->key);
    wspi_packet_fwd(e);
    wspi_rows_fwd(e);
    wspi_flow_fwd(e);
    memset(e->dc, 0, e->R * e->m->cfg.channels * sizeof *e->dc);
    if (lm) {
        wspi_output_fwd(e, w->row);
        lm_loss(w);
        if (w->backward)
            wspi_output_bwd(e, w->row);
    }
    for (size_t h = 0; b->labels && h < e->m->n_heads; h++)
        head_loss(w, h, f0);
    if (w->backward && w->t->opt.body_lr > 0) {
        wspi_flow_bwd(e);
        wspi_packet_bwd(e);
    }
    return wspi_nn_status(e->nn);
}

static void run_flows(struct worker *w)
{
    w->lm_nats = 0;
    memset(w->head, 0, sizeof w->head);
    w->st = WSP_OK;
    for (size_t f = w->f0, end; f < w->f1 && w->st == WSP_OK; f = end) {
        end = wspi_part_end(w->b, f, w->f1, PART_TOKENS);
        w->st = run_part(w, f, end);
    }
}

/* Flows in runs of about equal numbers of tokens. */
static void share_out(wsp_trainer *t, const wsp_batch *b)
{
    size_t f = 0;

    for (unsigned i = 0; i < t->n_workers; i++) {
        uint64_t until = (uint64_t)b->n_tokens * (i + 1) / t->n_workers;
        t->worker[i].f0 = f;
        while (f < b->n_flows &&
               (b->packet_off[b->flow_off[f + 1]] <= until || i + 1 == t->n_workers))
            f++;
        t->worker[i].f1 = f;
    }
}

static void stats_fill(const wsp_trainer *t, const wsp_batch *b, wsp_train_stats *s)
{
    size_t H = t->m->n_heads;
    double lm = 0;

    *s = (wsp_train_stats){
        .step = t->step, .batches = 1, .tokens = b->n_tokens, .packets = b->n_packets};
    for (size_t f = 0; f < b->n_flows; f++)
        s->flows += ends(b, f);
    for (size_t i = 0; b->labels && i < b->n_flows * H; i++) {
        s->head[i % H].seen += b->labels[i] >= 0 && ends(b, i / H);
        s->head[i % H].weight += b->labels[i] >= 0 ? share_of(b, i / H) : 0;
    }
    for (unsigned i = 0; i < t->n_workers; i++)
        lm += t->worker[i].lm_nats;
    for (size_t h = 0; h < H; h++) {
        for (unsigned i = 0; i < t->n_workers; i++) {
            s->head[h].loss += t->worker[i].head[h].loss;
            s->head[h].right += t->worker[i].head[h].right;
        }
        if (s->head[h].weight > 0)
            s->head[h].loss /= s->head[h].weight;
        wspi_head_stats_add(&s->heads, &s->head[h]);
    }
    s->lm_nats_per_token = lm / (double)b->n_tokens;
    s->lm_bits_per_packet = lm / (double)b->n_packets / 0.6931471805599453;
    s->loss = (double)t->opt.lm_weight * s->lm_nats_per_token +
              (double)t->opt.head_weight * s->heads.loss;
}

/*
 * Every process and every batch has a gradient of its own before it is added to the sum: so the sum is the same, bit
 * for bit, whoever computed what. Only the first batch of a process by itself needs no memory for that.
 */
static wsp_status place_gradient(wsp_trainer *t, wsp_error *err)
{
    struct worker *w = &t->worker[0];

    if (!t->opt.group && t->accumulated == 0) {
        w->e.grad = t->grad;
        return WSP_OK;
    }
    if (!w->own)
        w->own = wspi_new_floats(t->m->n_params);
    if (!w->own)
        return wspi_nomem(err, "gradients of a batch", t->m->n_params * sizeof *w->own);
    w->e.grad = w->own;
    return WSP_OK;
}

static void *worker_main(void *arg)
{
    struct worker *w = arg;

    w->work(w);
    return NULL;
}

void wspi_all_workers(wsp_trainer *t, void (*work)(struct worker *))
{
    for (unsigned i = 0; i < t->n_workers; i++)
        t->worker[i].work = work;
    for (unsigned i = 1; i < t->n_workers; i++) {
        struct worker *w = &t->worker[i];
        w->started = pthread_create(&w->thread, NULL, worker_main, w) == 0;
    }
    for (unsigned i = 0; i < t->n_workers; i++)
        if (!t->worker[i].started) /* the first always; others when the system refused a thread */
            (void)worker_main(&t->worker[i]);
    for (unsigned i = 0; i < t->n_workers; i++)
        if (t->worker[i].started)
            (void)pthread_join(t->worker[i].thread, NULL);
}

size_t wspi_param_parts(const wsp_trainer *t)
{
    return (t->m->n_params + WSPI_PART - 1) / WSPI_PART;
}

void wspi_param_parts_of(const struct worker *w, size_t *from, size_t *to)
{
    size_t all = wspi_param_parts(w->t), i = (size_t)(w - w->t->worker);

    *from = all * i / w->t->n_workers;
    *to = all * (i + 1) / w->t->n_workers;
}

/* Some weights' gradients of all workers together, in the workers' order, in the first one's place. */
static void join_gradients(struct worker *w)
{
    wsp_trainer *t = w->t;
    size_t from, to;

    wspi_param_parts_of(w, &from, &to);
    from *= WSPI_PART;
    to = WSPI_MIN(to * WSPI_PART, t->m->n_params);
    for (unsigned i = 1; i < t->n_workers; i++) {
        wspi_add(t->worker[0].e.grad + from, t->worker[i].own + from, to - from);
        memset(t->worker[i].own + from, 0, (to - from) * sizeof *w->own);
    }
}

static wsp_status join_workers(wsp_trainer *t, bool backward, wsp_error *err)
{
    for (unsigned i = 0; i < t->n_workers; i++)
        if (t->worker[i].st < 0)
            return wspi_fail(err, t->worker[i].st, 0, "a part of a training batch failed: %s",
                             wsp_status_name(t->worker[i].st));
    if (backward && t->n_workers > 1)
        wspi_all_workers(t, join_gradients);
    return WSP_OK;
}

/* number: of the batch in its step */
static wsp_status run_batch(wsp_trainer *t, const wsp_batch *b, uint64_t number, bool backward,
                            wsp_train_stats *stats, wsp_error *err)
{
    double labelled = 0;
    uint64_t where[3] = {t->opt.seed, t->step, number};

    WSP_TRY(wspi_batch_check(t->m, b, err));
    if (wspi_grow(&t->said, &t->said_cap, b->n_flows * t->m->n_heads + 1, sizeof *t->said) < 0)
        return wspi_nomem(err, "answers", b->n_flows * t->m->n_heads * sizeof *t->said);
    t->answered = b->labels != NULL;
    for (size_t i = 0; b->labels && i < b->n_flows * t->m->n_heads; i++)
        labelled += b->labels[i] >= 0 ? share_of(b, i / t->m->n_heads) : 0;
    share_out(t, b);
    for (unsigned i = 0; i < t->n_workers; i++) {
        struct worker *w = &t->worker[i];
        w->b = b;
        w->backward = backward;
        w->e.dropout = backward ? t->opt.dropout : 0;
        w->key = wspi_fnv1a(where, sizeof where, WSPI_FNV_START);
        w->lm_scale = t->opt.lm_weight / (float)b->n_tokens;
        w->head_scale = labelled > 0 ? t->opt.head_weight / (float)labelled : 0;
        wspi_nn_weights_changed(w->e.nn); /* by an update, or from outside */
    }
    wspi_all_workers(t, run_flows);
    WSP_TRY(join_workers(t, backward, err));
    if (stats)
        stats_fill(t, b, stats);
    return WSP_OK;
}

/* Alone: the batch's gradient, which stands in the first worker's place, goes to the sum. */
static void add_alone(wsp_trainer *t, const wsp_train_stats *s)
{
    float *g = t->worker[0].e.grad;

    if (g != t->grad) {
        wspi_add(t->grad, g, t->m->n_params);
        memset(g, 0, t->m->n_params * sizeof *g);
    }
    wsp_train_stats_add(&t->sum, s);
    t->accumulated++;
}

/* In a group: everybody's batch, in the order of processes; those without one are left out. */
static wsp_status add_group(wsp_trainer *t, const wsp_train_stats *mine, wsp_error *err)
{
    unsigned n = wsp_group_size(t->opt.group);
    float *g = t->worker[0].own;

    wspi_group_gather(t->opt.group, t->round, mine, sizeof *mine);
    for (unsigned i = 0; i < n; i++)
        t->present[i] = t->round[i].batches > 0;
    WSP_TRY(wspi_group_add(t->opt.group, t->grad, g, t->present, t->accumulated == 0,
                           t->m->n_params, err));
    for (unsigned i = 0; i < n; i++) {
        wsp_train_stats_add(&t->sum, &t->round[i]);
        t->accumulated += t->present[i];
    }
    memset(g, 0, t->m->n_params * sizeof *g);
    return WSP_OK;
}

wsp_status wsp_trainer_accumulate(wsp_trainer *t, const wsp_batch *b, wsp_train_stats *stats,
                                  wsp_error *err)
{
    wsp_group *group = t->opt.group;
    wsp_train_stats s = {.step = t->step};
    wsp_status st = place_gradient(t, err);

    if (st == WSP_OK && b)
        st = run_batch(t, b, t->accumulated + wsp_group_rank(group), true, &s, err);
    else if (st == WSP_OK && !group)
        st = wspi_fail(err, WSP_ERR_ARG, 0, "no batch");
    st = wsp_group_agree(group, st, err);
    if (st < 0)
        return st;
    if (group)
        WSP_TRY(add_group(t, &s, err));
    else
        add_alone(t, &s);
    if (stats)
        *stats = s;
    return WSP_OK;
}

wsp_status wsp_trainer_evaluate(wsp_trainer *t, const wsp_batch *b, wsp_train_stats *stats,
                                wsp_error *err)
{
    return run_batch(t, b, 0, false, stats, err);
}

const int32_t *wsp_trainer_answers(const wsp_trainer *t)
{
    return t->answered ? t->said : NULL;
}
