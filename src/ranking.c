/* SPDX-License-Identifier: Apache-2.0 */
/* ranking.c: a heap of printed records. */
#include "ranking.h"

#include <stdlib.h>

static bool lower(const ranking_item *a, const ranking_item *b)
{
    return a->score < b->score || (a->score <= b->score && a->number > b->number);
}

static void swap(ranking_item *a, ranking_item *b)
{
    ranking_item was = *a;

    *a = *b;
    *b = was;
}

static void sift_up(ranking *k, size_t i)
{
    for (; i > 0 && lower(&k->items[i], &k->items[(i - 1) / 2]); i = (i - 1) / 2)
        swap(&k->items[i], &k->items[(i - 1) / 2]);
}

static void sift_down(ranking *k, size_t i)
{
    for (size_t least = i;; i = least) {
        for (size_t c = 2 * i + 1; c <= 2 * i + 2 && c < k->n; c++)
            if (lower(&k->items[c], &k->items[least]))
                least = c;
        if (least == i)
            return;
        swap(&k->items[i], &k->items[least]);
    }
}

static char *print_to_text(const flow_out *o, const flow_record *r)
{
    char *text = NULL;
    size_t len;
    FILE *to = open_memstream(&text, &len);
    int rc;

    if (!to)
        return NULL;
    rc = flow_out_flow(o, r, to);
    if (fclose(to) != 0 || rc != CLI_OK) {
        free(text);
        return NULL;
    }
    return text;
}

int ranking_add(ranking *k, const flow_out *o, const flow_record *r, double score)
{
    ranking_item new = {.score = score, .number = k->seen++};

    if (!k->items && !(k->items = calloc(k->n_max, sizeof *k->items)))
        return cli_fail("no memory for %zu flows", k->n_max);
    if (k->n == k->n_max && lower(&new, &k->items[0]))
        return CLI_OK;
    new.text = print_to_text(o, r);
    if (!new.text)
        return cli_fail("no memory for a record");
    if (k->n == k->n_max) {
        free(k->items[0].text);
        k->items[0] = new;
        sift_down(k, 0);
    } else {
        k->items[k->n] = new;
        sift_up(k, k->n++);
    }
    return CLI_OK;
}

static int highest_first(const void *pa, const void *pb)
{
    const ranking_item *a = pa, *b = pb;

    return lower(a, b) ? 1 : -1;
}

void ranking_print(ranking *k, FILE *to)
{
    if (k->n)
        qsort(k->items, k->n, sizeof *k->items, highest_first);
    for (size_t i = 0; i < k->n && !cli_stdout_lost(); i++)
        (void)fputs(k->items[i].text, to);
    (void)cli_stdout_lost();
    ranking_clear(k);
}

void ranking_clear(ranking *k)
{
    for (size_t i = 0; i < k->n; i++)
        free(k->items[i].text);
    free(k->items);
    k->items = NULL;
    k->n = 0;
}
