/* SPDX-License-Identifier: Apache-2.0 */
/* generate_plan.c: what each flow shall be, one after the other: its condition, when it starts, how long it may get. */
#include <math.h>

#include "generate/generate_int.h"

enum { USUAL_MOST = 64 }; /* packets of a flow, when nothing says how many it may get */

/* Whether the label is named by the text: "DNS", or "protocol:DNS", or "protocol:*" with `every`. */
static bool is_named(const wsp_head *head, size_t l, const char *text, bool every)
{
    size_t n = strlen(head->name);
    bool ours = strncmp(text, head->name, n) == 0 && text[n] == ':';

    if (every)
        return ours && strcmp(text + n, ":*") == 0;
    return strcmp(head->labels[l], text) == 0 ||
           (ours && strcmp(head->labels[l], text + n + 1) == 0);
}

/* The conditions of the labels that are named, no more than room. How many are named. */
static size_t find(const wsp_model *m, const char *text, bool every, int32_t *condition,
                   size_t room)
{
    int32_t first = 0;
    size_t found = 0;

    for (size_t h = 0; h < wsp_model_head_count(m); h++) {
        const wsp_head *head = wsp_model_head(m, h);

        for (size_t l = 0; l < head->n_labels; l++) {
            if (!is_named(head, l, text, every) ||
                (every && wspi_is_enrolled(m, (size_t)first + l)))
                continue;
            if (found < room)
                condition[found] = first + (int32_t)l;
            found++;
        }
        first += (int32_t)head->n_labels;
    }
    return found;
}

wsp_status wsp_find_condition(const wsp_model *m, const char *label, int32_t *condition,
                              wsp_error *err)
{
    size_t found = find(m, label, false, condition, 1);

    if (found == 1 && wspi_is_enrolled(m, (size_t)*condition))
        return wspi_fail(err, WSP_ERR_UNSUPPORTED, 0,
                         "'%s' was enrolled: the model has not learned to generate it", label);
    if (found == 1)
        return WSP_OK;
    return wspi_fail(err, WSP_ERR_ARG, 0,
                     found ? "%zu heads have a label '%s': name one, as HEAD:LABEL"
                           : "%zu heads have a label '%s'",
                     found, label);
}

wsp_status wsp_find_conditions(const wsp_model *m, const char *label, int32_t *condition,
                               size_t room, size_t *n, wsp_error *err)
{
    const char *colon = strrchr(label, ':');

    *n = 1;
    if (!colon || strcmp(colon, ":*") != 0)
        return wsp_find_condition(m, label, condition, err);
    *n = find(m, label, true, condition, room);
    if (*n > room)
        return wspi_fail(err, WSP_ERR_ARG, 0, "'%s' are %zu labels, there is room for %zu", label,
                         *n, room);
    if (*n == 0)
        return wspi_fail(err, WSP_ERR_ARG, 0, "no head '%.*s' has labels to generate",
                         (int)(colon - label), label);
    return WSP_OK;
}

void wspi_plan_init(wspi_plan *p, const wsp_generate_options *o)
{
    *p = (wspi_plan){.o = o, .clock_ns = o->start_ns};
    wspi_rng_seed(&p->rng, o->seed);
    for (size_t i = 0; i < o->n_mix; i++)
        p->weights += o->mix[i].weight;
}

static int32_t draw_condition(wspi_plan *p)
{
    double at;

    if (p->o->n_mix < 2)
        return p->o->n_mix ? p->o->mix[0].condition : -1;
    at = wspi_rng_unit(&p->rng) * p->weights;
    for (size_t i = 0; i + 1 < p->o->n_mix; i++) {
        if (at < p->o->mix[i].weight)
            return p->o->mix[i].condition;
        at -= p->o->mix[i].weight;
    }
    return p->o->mix[p->o->n_mix - 1].condition;
}

/* Flow k is the next of the capture that it shall be like, which is gone through again and again. */
static void plan_like(const wspi_plan *p, wspi_start *s)
{
    const wsp_prompt *like = p->o->like;
    const wspi_told_flow *told = &like->flow[s->number % like->n];
    uint64_t round = s->number / like->n, span = like->last_ns - like->first_ns + 1;

    s->start_ns = p->o->start_ns + round * span + (told->first_ns - like->first_ns);
    s->condition = p->o->n_mix ? s->condition : told->condition;
    s->min_packets = s->max_packets =
        p->o->max_packets ? WSPI_MIN(told->n, p->o->max_packets) : told->n;
}

static void plan_from(const wspi_plan *p, wspi_start *s)
{
    const wsp_from *from = &p->o->from;

    s->from = &from->flows->flow[s->number];
    s->start_ns = s->from->first_ns;
    s->max_packets = p->o->max_packets
                         ? WSPI_MAX(p->o->max_packets, WSPI_MIN(from->after, s->from->n))
                         : WSPI_MAX((size_t)USUAL_MOST, s->from->n);
}

uint64_t wspi_plan_limit(const wsp_generate_options *o)
{
    uint64_t n = o->flows ? o->flows : UINT64_MAX;

    if (o->from.flows)
        return WSPI_MIN(n, (uint64_t)o->from.flows->n);
    return o->like && !o->flows && !o->packets && !o->duration_ns ? o->like->n : n;
}

bool wspi_plan_next(wspi_plan *p, wspi_start *out)
{
    const wsp_generate_options *o = p->o;

    if (p->next >= wspi_plan_limit(o))
        return false;
    p->clock_ns += (uint64_t)(-log(1 - wspi_rng_unit(&p->rng)) / o->rate * 1e9);
    *out = (wspi_start){.number = p->next,
                        .start_ns = p->clock_ns,
                        .condition = draw_condition(p),
                        .max_packets = o->max_packets ? o->max_packets : USUAL_MOST};
    if (o->from.flows)
        plan_from(p, out);
    else if (o->like)
        plan_like(p, out);
    if (o->duration_ns && !o->from.flows && out->start_ns - o->start_ns >= o->duration_ns) {
        p->next = UINT64_MAX; /* the others begin later yet */
        return false;
    }
    p->next++;
    return true;
}
