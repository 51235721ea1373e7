/* SPDX-License-Identifier: Apache-2.0 */
/* update.c: what becomes of a step's batches: figures added up, AdamW, weights put aside. */
#include <math.h>

#include "model/train_int.h"

void wspi_head_stats_add(wsp_head_stats *sum, const wsp_head_stats *more)
{
    double n = sum->weight + more->weight;

    if (n > 0)
        sum->loss = (sum->loss * sum->weight + more->loss * more->weight) / n;
    sum->weight = n;
    sum->seen += more->seen;
    sum->right += more->right;
}

void wsp_train_stats_add(wsp_train_stats *sum, const wsp_train_stats *more)
{
    double batches = (double)(sum->batches + more->batches),
           tokens = (double)(sum->tokens + more->tokens),
           packets = (double)(sum->packets + more->packets);

    if (!more->batches)
        return;
    sum->loss = (sum->loss * (double)sum->batches + more->loss * (double)more->batches) / batches;
    sum->lm_nats_per_token = (sum->lm_nats_per_token * (double)sum->tokens +
                              more->lm_nats_per_token * (double)more->tokens) /
                             tokens;
    sum->lm_bits_per_packet = (sum->lm_bits_per_packet * (double)sum->packets +
                               more->lm_bits_per_packet * (double)more->packets) /
                              packets;
    sum->batches += more->batches;
    sum->tokens += more->tokens;
    sum->packets += more->packets;
    sum->flows += more->flows;
    wspi_head_stats_add(&sum->heads, &more->heads);
    for (size_t h = 0; h < WSP_MAX_HEADS; h++)
        wspi_head_stats_add(&sum->head[h], &more->head[h]);
}

wsp_status wsp_trainer_keep(wsp_trainer *t, wsp_error *err)
{
    if (!t->kept)
        t->kept = wspi_new_floats(t->m->n_params);
    if (!t->kept)
        return wspi_nomem(err, "weights to keep", t->m->n_params * sizeof *t->kept);
    memcpy(t->kept, t->m->w, t->m->n_params * sizeof *t->kept);
    return WSP_OK;
}

wsp_status wsp_trainer_restore(wsp_trainer *t, wsp_error *err)
{
    if (!t->kept)
        return wspi_fail(err, WSP_ERR_ARG, 0, "no weights were kept");
    memcpy(t->m->w, t->kept, t->m->n_params * sizeof *t->kept);
    return WSP_OK;
}

static float rate_at(const wsp_train_options *o, uint64_t step)
{
    double x;

    if (step < o->warmup)
        return o->lr * (float)(step + 1) / (float)o->warmup;
    if (step >= o->steps || o->steps <= o->warmup)
        return o->lr_min;
    x = (double)(step - o->warmup) / (double)(o->steps - o->warmup);
    return o->lr_min + (o->lr - o->lr_min) * (float)(0.5 * (1.0 + cos(3.141592653589793 * x)));
}

static void add_squares(struct worker *w)
{
    const wsp_trainer *t = w->t;
    size_t from, to;

    wspi_param_parts_of(w, &from, &to);
    for (size_t k = from, at = k * WSPI_PART; k < to; k++, at += WSPI_PART)
        t->squares[k] =
            wspi_squares(t->grad + at, WSPI_MIN((size_t)WSPI_PART, t->m->n_params - at));
}

/* Length of the mean gradient. */
static double gradient_norm(wsp_trainer *t, float mean)
{
    double sum = 0;

    wspi_all_workers(t, add_squares);
    for (size_t k = 0; k < wspi_param_parts(t); k++)
        sum += t->squares[k];
    return sqrt(sum) * (double)mean;
}

/* A step of those of the worker's weights that are of one tensor. */
static void step_entry(const wsp_trainer *t, const wspi_entry *e, size_t from, size_t to)
{
    float rate = e->head ? t->lr : t->lr * t->opt.body_lr;

    from = WSPI_MAX(from, e->at);
    to = WSPI_MIN(to, e->at + e->count);
    if (from < to)
        wspi_adamw_step(t->m->w + from, t->grad + from, t->moment1 + from, t->moment2 + from,
                        to - from, &t->adamw, rate, e->decay ? rate * t->opt.weight_decay : 0);
}

static void step_weights(struct worker *w)
{
    const wsp_trainer *t = w->t;
    size_t from, to;

    wspi_param_parts_of(w, &from, &to);
    for (size_t k = 0; k < t->m->n_entries; k++)
        step_entry(t, &t->m->entry[k], from * WSPI_PART, to * WSPI_PART);
}

wsp_status wsp_trainer_update(wsp_trainer *t, wsp_train_stats *stats, wsp_error *err)
{
    const wsp_train_options *o = &t->opt;
    double norm, n = (double)t->step + 1;
    float mean = 1.0f / (float)WSPI_MAX(t->accumulated, 1);

    if (t->accumulated == 0)
        return wspi_fail(err, WSP_ERR_ARG, 0, "an update without gradients");
    wspi_group_collect(o->group, t->grad, t->m->n_params);
    norm = gradient_norm(t, mean);
    if (!isfinite(norm))
        return wspi_fail(err, WSP_ERR_ARG, 0, "the gradient is not finite at step %llu",
                         (unsigned long long)t->step);
    t->lr = rate_at(o, t->step);
    t->adamw = (wspi_adamw){
        .beta1 = o->beta1,
        .beta2 = o->beta2,
        .eps = o->eps,
        .unbias1 = (float)(1.0 / (1.0 - pow((double)o->beta1, n))),
        .unbias2 = (float)(1.0 / (1.0 - pow((double)o->beta2, n))),
        .scale = o->clip > 0 && norm > (double)o->clip ? mean * o->clip / (float)norm : mean};
    wspi_all_workers(t, step_weights);
    t->step++;
    t->accumulated = 0;
    t->sum.grad_norm = norm;
    t->sum.lr = (double)t->lr;
    t->sum.step = t->step;
    if (stats)
        *stats = t->sum;
    memset(&t->sum, 0, sizeof t->sum);
    return WSP_OK;
}

uint64_t wsp_trainer_step_count(const wsp_trainer *t)
{
    return t->step;
}
