/* SPDX-License-Identifier: Apache-2.0 */
/* only.c: finds labels of a model by name, and flows that are called so. */
#include "only.h"

#include <string.h>

enum { NO_LABEL = 65536 };

/* The label's number as of verdicts, where "unknown" is n_labels, also of a head whose background is a label of this name. */
static size_t label_at(const wsp_head *h, const char *label)
{
    if (strcmp(label, "unknown") == 0)
        return h->n_labels;
    for (size_t i = 0; i < h->n_labels; i++)
        if (strcmp(h->labels[i], label) == 0)
            return i;
    return NO_LABEL;
}

/* In the heads that the word names, or in all; returns how many have it. */
static size_t find(only *o, const char *word, const question *q)
{
    size_t found = 0;

    for (size_t i = 0; i < wsp_model_head_count(q->m); i++) {
        const wsp_head *h = wsp_model_head(q->m, i);
        size_t n = strlen(h->name), label;
        bool named = strncmp(word, h->name, n) == 0 && word[n] == ':';

        if (!named && strcmp(word, "unknown") == 0 && i != q->head[0])
            continue;
        label = label_at(h, named ? word + n + 1 : word);
        if (label == NO_LABEL)
            continue;
        o->of[o->n].head = i;
        o->of[o->n].label = label;
        found++;
    }
    return found;
}

static void ask(question *q, size_t head)
{
    for (size_t k = 0; k < q->n; k++)
        if (q->head[k] == head)
            return;
    q->head[q->n++] = head;
}

int only_find(only *o, const cli_list *words, question *q)
{
    for (o->n = 0; o->n < words->n; o->n++) {
        size_t found = find(o, words->items[o->n], q);

        if (found == 0)
            return cli_fail("--only %s: no head has this label: wirespeak info lists them",
                            words->items[o->n]);
        if (found > 1)
            return cli_fail("--only %s: %zu heads have this label: name one, as HEAD:LABEL",
                            words->items[o->n], found);
    }
    for (size_t i = 0; i < o->n; i++)
        ask(q, o->of[i].head);
    return CLI_OK;
}

bool only_wants(const only *o, const question *q, const answers *a, size_t flow)
{
    for (size_t i = 0; i < o->n; i++)
        if (answers_verdict(q, a, o->of[i].head, flow).number == o->of[i].label)
            return true;
    return o->n == 0;
}
