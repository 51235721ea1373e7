/* SPDX-License-Identifier: Apache-2.0 */
/* said.c: asks a model for labels and keeps nothing else of its answers. */
#include "said.h"

#include <stdlib.h>
#include <string.h>

#include "cli.h"

typedef struct odds {
    float **prob; /* [heads] */
    uint32_t *outside;
} odds;

static bool make_room(odds *a, const wsp_model *m, size_t n_flows)
{
    size_t n = wsp_model_head_count(m);
    bool room;

    *a = (odds){.prob = calloc(n + 1, sizeof *a->prob),
                .outside = calloc(n_flows + 1, sizeof *a->outside)};
    room = a->prob && a->outside;
    for (size_t h = 0; room && h < n; h++) {
        a->prob[h] = calloc(n_flows + 1, wsp_model_head(m, h)->n_labels * sizeof **a->prob);
        room = a->prob[h] != NULL;
    }
    return room;
}

static void odds_clear(odds *a, size_t n_heads)
{
    for (size_t h = 0; a->prob && h < n_heads; h++)
        free(a->prob[h]);
    free(a->prob);
    free(a->outside);
}

static int32_t label_of(const wsp_head *h, const float *prob, bool outside)
{
    wsp_early top = wsp_likeliest(h, prob, outside);

    return wsp_is_unknown(h, top, -1) ? -1 : (int32_t)top.label;
}

wsp_status said_make(said *s, const wsp_model *m, const wsp_tokens *t,
                     const wsp_classify_options *opt, wsp_error *err)
{
    size_t n = wsp_model_head_count(m);
    odds a;
    wsp_status st;

    *s = (said){
        .n_heads = n, .n_flows = t->n_flows, .label = calloc(n * t->n_flows + 1, sizeof *s->label)};
    st = make_room(&a, m, t->n_flows) && s->label ? WSP_OK : cli_no_memory(err);
    if (st == WSP_OK)
        st = wsp_ask(m, t, opt, &(wsp_wanted){.prob = a.prob, .outside = a.outside}, NULL, err);
    for (size_t h = 0; st == WSP_OK && h < n; h++)
        for (size_t i = 0; i < t->n_flows; i++) {
            const wsp_head *head = wsp_model_head(m, h);
            s->label[h * t->n_flows + i] =
                label_of(head, a.prob[h] + i * head->n_labels, a.outside[i] >> h & 1);
        }
    odds_clear(&a, n);
    return st;
}

void said_clear(said *s)
{
    free(s->label);
    *s = (said){.n_heads = 0};
}

size_t said_moved(const said *a, const said *b, size_t head, const int32_t *is)
{
    size_t moved = 0;

    for (size_t i = 0; i < a->n_flows; i++)
        moved += is[i] >= 0 && a->label[head * a->n_flows + i] != b->label[head * b->n_flows + i];
    return moved;
}
