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

/* Whether the head has the label that the word is, and is the one that the word names, if it names one. */
static bool takes(only *o, const question *q, size_t head, const char *word)
{
    const wsp_head *h = wsp_model_head(q->m, head);
    size_t n = strlen(h->name);
    bool named = strncmp(word, h->name, n) == 0 && word[n] == ':';
    size_t label = label_at(h, named ? word + n + 1 : word);

    if (label == NO_LABEL)
        return false;
    o->of[o->n].head = head;
    o->of[o->n].label = label;
    return true;
}

/* The first head that is asked comes before all that are not; returns how many it may be. */
static size_t find(only *o, const char *word, const question *q)
{
    size_t found = 0;

    for (size_t k = 0; k < q->n; k++)
        if (takes(o, q, q->head[k], word))
            return 1;
    for (size_t i = 0; i < wsp_model_head_count(q->m); i++)
        found += takes(o, q, i, word);
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
            return cli_fail("--only %s: %zu heads have this label: name one, as %s:%s",
                            words->items[o->n], found, wsp_model_head(q->m, o->of[o->n].head)->name,
                            words->items[o->n]);
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
