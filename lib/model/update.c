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

wsp_status wsp_trainer_update(wsp_trainer *t, wsp_train_stats *stats, wsp_error *err)
{
    const wsp_train_options *o = &t->opt;
    double sum = 0, norm, n = (double)t->step + 1;
    float lr = rate_at(o, t->step), mean = 1.0f / (float)WSPI_MAX(t->accumulated, 1), scale;
    float fix1 = (float)(1.0 - pow((double)o->beta1, n)),
          fix2 = (float)(1.0 - pow((double)o->beta2, n));

    if (t->accumulated == 0)
        return wspi_fail(err, WSP_ERR_ARG, 0, "an update without gradients");
    wspi_group_collect(o->group, t->grad, t->m->n_params);
    for (size_t i = 0; i < t->m->n_params; i++)
        sum += (double)t->grad[i] * (double)t->grad[i];
    norm = sqrt(sum) * (double)mean;
    if (!isfinite(norm))
        return wspi_fail(err, WSP_ERR_ARG, 0, "the gradient is not finite at step %llu",
                         (unsigned long long)t->step);
    scale = o->clip > 0 && norm > (double)o->clip ? mean * o->clip / (float)norm : mean;
    for (size_t k = 0; k < t->m->n_entries; k++) {
        const wspi_entry *e = &t->m->entry[k];
        float rate = e->head ? lr : lr * o->body_lr;
        float decay = e->decay ? rate * o->weight_decay : 0;
        float *w = t->m->w + e->at, *g = t->grad + e->at, *a = t->moment1 + e->at,
              *b = t->moment2 + e->at;

        for (size_t i = 0; i < e->count; i++) {
            float gi = g[i] * scale;
            a[i] += (1.0f - o->beta1) * (gi - a[i]);
            b[i] += (1.0f - o->beta2) * (gi * gi - b[i]);
            w[i] -= decay * w[i] + rate * (a[i] / fix1) / (sqrtf(b[i] / fix2) + o->eps);
            g[i] = 0;
        }
    }
    t->step++;
    t->accumulated = 0;
    t->sum.grad_norm = norm;
    t->sum.lr = (double)lr;
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
