/* SPDX-License-Identifier: Apache-2.0 */
/*
 * windows.c: long flows in windows: what goes from one to the next. A window that goes on has a row before its packets, as
 * a flow has its start: there stands the context after the window before, which the output stack reads. The flow stack
 * leaves that row at zero, so that it has no gradient.
 */
#include "model/layers_int.h"

static size_t size_of(const wsp_model_config *c)
{
    return c->channels + c->flow_layers * wspi_state_layer_size(c);
}

size_t wsp_window_size(const wsp_model *m)
{
    return size_of(&m->cfg) * sizeof(float);
}

static bool is_window(const wspi_engine *e, size_t f)
{
    return e->windows.of && (e->windows.of[f].from || e->windows.of[f].to);
}

bool wspi_window_goes_on(const wspi_engine *e, size_t f)
{
    return e->windows.of && e->windows.of[f].from;
}

/* Window of flow f: what it comes from, kept for backward, and a copy that forward moves on. */
static void begin(wspi_windows *w, size_t f, size_t size)
{
    float *past = w->past + (size_t)w->number[f] * size,
          *now = w->now + (size_t)w->number[f] * size;

    if (w->of[f].from)
        memcpy(past, w->of[f].from, size * sizeof *past);
    else
        memset(past, 0, size * sizeof *past);
    memcpy(now, past, size * sizeof *now);
}

wsp_status wspi_windows_select(wspi_engine *e, const wsp_batch *b, size_t f0, wsp_error *err)
{
    wspi_windows *w = &e->windows;
    size_t size = size_of(&e->m->cfg), n = 0;

    w->of = b->windows ? b->windows + f0 : NULL;
    if (!w->of)
        return WSP_OK;
    if (wspi_grow(&w->number, &w->number_cap, e->F, sizeof *w->number) < 0)
        return wspi_nomem(err, "windows", e->F);
    for (size_t f = 0; f < e->F; f++)
        w->number[f] = is_window(e, f) ? (int32_t)n++ : -1;
    if (wspi_grow(&w->past, &w->past_cap, n * size, sizeof *w->past) < 0 ||
        wspi_grow(&w->now, &w->now_cap, n * size, sizeof *w->now) < 0)
        return wspi_nomem(err, "states of windows", n * size * sizeof *w->now);
    for (size_t f = 0; f < e->F; f++)
        if (w->number[f] >= 0)
            begin(w, f, size);
    return WSP_OK;
}

/* Layer l of the state in a block of windows. */
static float *layer_of(const wspi_engine *e, float *block, size_t f, size_t l)
{
    const wsp_model_config *c = &e->m->cfg;

    return block + (size_t)e->windows.number[f] * size_of(c) + c->channels +
           l * wspi_state_layer_size(c);
}

float *wspi_window_state(const wspi_engine *e, size_t f, size_t l)
{
    return is_window(e, f) ? layer_of(e, e->windows.now, f, l) : NULL;
}

const float *wspi_window_history(const wspi_engine *e, size_t f, size_t l)
{
    const wsp_model_config *c = &e->m->cfg;

    if (!wspi_window_goes_on(e, f))
        return NULL;
    return layer_of(e, e->windows.past, f, l) + (size_t)c->flow_heads * c->flow_dk * c->flow_dv;
}

void wspi_windows_pass(wspi_engine *e)
{
    size_t C = e->m->cfg.channels, size = size_of(&e->m->cfg);

    for (size_t f = 0; f < e->F; f++) {
        float *now;

        if (!is_window(e, f))
            continue;
        now = e->windows.now + (size_t)e->windows.number[f] * size;
        if (wspi_window_goes_on(e, f)) /* now has still the context that came in */
            memcpy(e->c + e->roff[f] * C, now, C * sizeof *now);
        if (!e->windows.of[f].to)
            continue;
        memcpy(now, e->c + (e->roff[f + 1] - 1) * C, C * sizeof *now);
        memcpy(e->windows.of[f].to, now, size * sizeof *now);
    }
}

void wspi_windows_clear(wspi_windows *w)
{
    free(w->number);
    free(w->past);
    free(w->now);
}
