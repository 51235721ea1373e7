/* SPDX-License-Identifier: Apache-2.0 */
/* generate_guide.c: the tokens that say what a flow is, and how a flow's condition pushes their odds. */
#include <math.h>

#include "generate/generate_int.h"

/*
 * Layers, ports, and whose payload it is. Guiding them makes flows follow their condition; guiding the others, which say how such a
 * flow goes on, would make sizes and times of a class more alike than they are.
 */
static bool says_what(uint16_t id)
{
    const wspi_vocab *v = &wspi_the_vocab;
    uint8_t layer;
    size_t f;

    if (wspi_token_field(id, &layer, &f))
        return layer < WSPI_LAYER_COUNT && wspi_protos[layer]->fields[f].kind == WSPI_K_PORT;
    switch ((enum wspi_group)v->group_of[id]) {
    case WSPI_T_STACK:
    case WSPI_T_KEEP:
    case WSPI_T_LAYER:
    case WSPI_T_APP:
    case WSPI_T_KIND: return true;
    default: return false;
    }
}

/* Not layers: their odds within a class, as of both versions of IP, would be pushed, too. */
static bool is_pushed(uint16_t id)
{
    enum wspi_group of = (enum wspi_group)wspi_the_vocab.group_of[id];

    return says_what(id) && of != WSPI_T_STACK && of != WSPI_T_KEEP && of != WSPI_T_LAYER;
}

wsp_status wspi_guide_make(wspi_guide *g, size_t vocab)
{
    g->n = 0;
    g->is = wspi_new_array(vocab, sizeof *g->is);
    g->pushed = wspi_new_array(vocab, sizeof *g->pushed);
    g->token = wspi_new_array(vocab, sizeof *g->token);
    if (!g->is || !g->pushed || !g->token)
        return WSP_ERR_NOMEM;
    for (size_t id = 0; id < vocab; id++) {
        g->pushed[id] = is_pushed((uint16_t)id);
        if ((g->is[id] = says_what((uint16_t)id)))
            g->token[g->n++] = (uint16_t)id;
    }
    return WSP_OK;
}

void wspi_guide_clear(wspi_guide *g)
{
    free(g->is);
    free(g->pushed);
    free(g->token);
}

bool wspi_guide_any(const wspi_guide *g, const uint16_t *tokens, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (g->is[tokens[i]])
            return true;
    return false;
}

size_t wspi_guide_widen(const wspi_guide *g, const uint16_t *tokens, size_t n, uint16_t *wide)
{
    size_t m = 0, k = 0;

    for (size_t i = 0; i < g->n || k < n; m++) {
        uint16_t next = i < g->n ? g->token[i] : UINT16_MAX;

        wide[m] = k < n && tokens[k] < next ? tokens[k] : next;
        i += i < g->n && wide[m] == next;
        k += k < n && wide[m] == tokens[k];
    }
    return m;
}

bool wspi_guide_ends(uint16_t token)
{
    enum wspi_group g = (enum wspi_group)wspi_the_vocab.group_of[token];

    return g == WSPI_T_APP || g == WSPI_T_KIND;
}

/* The logarithm of what the odds of the wanted tokens sum up to, and of the greatest ones. */
static float log_sum(const float *logit, const uint16_t *wanted, size_t n, float *most)
{
    float sum = 0;

    *most = -INFINITY;
    for (size_t i = 0; i < n; i++)
        *most = fmaxf(*most, logit[wanted[i]]);
    for (size_t i = 0; i < n; i++)
        sum += expf(logit[wanted[i]] - *most);
    return *most + logf(sum);
}

float wspi_guide_push(const wspi_guide *g, double weight, const float *with, const float *without,
                      const uint16_t *wanted, size_t n, float *pushed)
{
    static const float likely = 0.1f; /* odds, of the likeliest token's */
    float most, other;
    float common = log_sum(with, wanted, n, &most) - log_sum(without, wanted, n, &other);

    for (size_t i = 0; i < n; i++) {
        uint16_t id = wanted[i];
        float moved = with[id] - without[id] - common;

        pushed[id] = with[id];
        if (g->pushed[id] && (moved < 0 || with[id] > most + logf(likely)))
            pushed[id] += (float)weight * moved;
    }
    return common;
}
