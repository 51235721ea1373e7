/* SPDX-License-Identifier: Apache-2.0 */
/* fit_log.c: the log of a training run, one JSON object a row. What depends on the clock is in members of its own. */
#include <jansson.h>
#include <math.h>
#include <time.h>

#include "task/fit_int.h"

static double now(void)
{
    struct timespec t;

    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

/* Without memory the member is left out, and so is one that JSON has no number for. */
static void put_real(json_t *o, const char *key, double v)
{
    if (isfinite(v))
        (void)json_object_set_new(o, key, json_real(v));
}

static void put_count(json_t *o, const char *key, uint64_t v)
{
    (void)json_object_set_new(o, key, json_integer((json_int_t)v));
}

static json_t *new_row(const wspi_fit *f, const char *kind)
{
    json_t *row = json_object();

    (void)json_object_set_new(row, "kind", json_string(kind));
    put_count(row, "step", f->pos.step);
    put_count(row, "steps", f->steps);
    return row;
}

static json_t *head_row(const wsp_head_stats *h)
{
    json_t *o = json_object();

    put_count(o, "flows", h->seen);
    put_real(o, "loss", h->loss);
    put_real(o, "accuracy",
             (double)h->right / (double)h->seen); /* of windows that end no flow: none */
    return o;
}

/* Losses and what they are of: the part that rows of steps and of validations share. */
static void put_losses(json_t *row, const wspi_fit *f, const wsp_train_stats *s)
{
    json_t *heads = json_object();

    put_real(row, "loss", s->loss);
    if (wsp_model_config_get(f->m)->output_layers) {
        put_real(row, "lm_nats_per_token", s->lm_nats_per_token);
        put_real(row, "bits_per_packet", s->lm_bits_per_packet);
    }
    if (s->heads.weight > 0)
        put_real(row, "head_loss", s->heads.loss);
    for (size_t h = 0; h < wsp_model_head_count(f->m); h++)
        if (s->head[h].weight > 0)
            (void)json_object_set_new(heads, wsp_model_head(f->m, h)->name, head_row(&s->head[h]));
    (void)json_object_set_new(row, "heads", heads);
    put_count(row, "flows", s->flows);
    put_count(row, "packets", s->packets);
    put_count(row, "tokens", s->tokens);
}

/* Gives the row to the caller, with what `r` says besides, and frees it. */
static wsp_status send(const wspi_fit *f, json_t *row, wsp_fit_report *r, wsp_error *err)
{
    char *text = f->opt->report ? json_dumps(row, JSON_COMPACT | JSON_REAL_PRECISION(9)) : NULL;
    wsp_status st = WSP_OK;

    json_decref(row);
    if (!f->opt->report)
        return wsp_group_agree(f->opt->train.group, WSP_OK, err);
    r->json = text;
    r->step = f->pos.step;
    r->steps = f->steps;
    r->seconds = f->last - f->started;
    r->tokens_per_second = r->seconds > 0 ? f->tokens_here / r->seconds : 0;
    if (f->steps_here)
        r->seconds_left = r->seconds / (double)f->steps_here * (double)(f->steps - f->pos.step);
    st = text ? f->opt->report(f->opt->arg, r) : WSP_ERR_NOMEM;
    free(text);
    if (st < 0)
        st = wspi_fail(err, st, 0, "step %llu could not be reported",
                       (unsigned long long)f->pos.step);
    return wsp_group_agree(f->opt->train.group, st > 0 ? WSP_EOF : st, err);
}

wsp_status wspi_fit_log_start(wspi_fit *f, wsp_error *err)
{
    json_t *row = new_row(f, "start");

    f->started = f->last = now();
    put_count(row, "parameters", wsp_model_parameters(f->m));
    put_count(row, "flows", f->n_order);
    return send(f, row, &(wsp_fit_report){.step = 0}, err);
}

wsp_status wspi_fit_log_step(wspi_fit *f, const wsp_train_stats *s, wsp_error *err)
{
    json_t *row = new_row(f, "step");
    double was = f->last;

    f->last = now();
    f->steps_here++;
    f->tokens_here += (double)s->tokens;
    put_count(row, "epoch", f->pos.epoch);
    put_losses(row, f, s);
    put_real(row, "grad_norm", s->grad_norm);
    put_real(row, "lr", s->lr);
    put_real(row, "seconds", f->last - f->started);
    put_real(row, "tokens_per_second", (double)s->tokens / (f->last - was));
    return send(f, row, &(wsp_fit_report){.stats = s}, err);
}

/* The heads' rows get their F1. */
wsp_status wspi_fit_log_validation(wspi_fit *f, const wspi_validation *v, bool best, wsp_error *err)
{
    json_t *row = new_row(f, "validation"), *heads;
    double was = f->last;

    f->last = now();
    put_losses(row, f, &v->stats);
    heads = json_object_get(row, "heads");
    for (size_t h = 0; h < wsp_model_head_count(f->m); h++)
        if (v->stats.head[h].seen)
            put_real(json_object_get(heads, wsp_model_head(f->m, h)->name), "macro_f1", v->f1[h]);
    if (v->stats.heads.seen)
        put_real(row, "macro_f1", v->macro_f1);
    (void)json_object_set_new(row, "best", json_boolean(best));
    put_count(row, "best_step", f->pos.best_step);
    put_real(row, "seconds", f->last - f->started);
    put_real(row, "tokens_per_second", (double)v->stats.tokens / (f->last - was));
    return send(f, row,
                &(wsp_fit_report){.validation = &v->stats, .macro_f1 = v->macro_f1, .best = best},
                err);
}

wsp_status wspi_fit_log_end(wspi_fit *f, wsp_error *err)
{
    json_t *row = new_row(f, "end");

    (void)json_object_set_new(row, "reason",
                              json_string(f->pos.step < f->steps ? "patience" : "steps"));
    if (f->pos.best_step)
        put_count(row, "best_step", f->pos.best_step);
    put_real(row, "seconds", f->last - f->started);
    return send(f, row, &(wsp_fit_report){.step = 0}, err);
}
