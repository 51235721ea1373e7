/* SPDX-License-Identifier: Apache-2.0 */
/* rival.c: joins the answers of two classifiers row by row. */
#include "rival.h"

#include <stdlib.h>
#include <string.h>

#include "cli.h"

enum { DRAWS = 1000, SEED = 1 };

wsp_status rival_spread(const wsp_replies *r, size_t head, const int32_t *said, wsp_spread *out,
                        wsp_error *err)
{
    const wsp_answers *a = wsp_replies_get(r, head);
    int32_t *is = calloc(a->n + 1, sizeof *is), *own = calloc(a->n + 1, sizeof *own);
    wsp_trials t = {.n = a->n,
                    .n_labels = a->n_labels,
                    .is = is,
                    .said = {own, said},
                    .group = wsp_replies_capture(r, head)};
    wsp_status st = is && own ? WSP_OK : WSP_ERR_NOMEM;

    for (size_t i = 0; st == WSP_OK && i < a->n; i++) {
        is[i] = said && said[i] < 0 ? WSP_UNLABELLED : a->label[i];
        own[i] = (int32_t)wsp_answers_said(a, i);
    }
    if (st == WSP_OK)
        st = wsp_spread_of(&t, DRAWS, SEED, out);
    free(is);
    free(own);
    return cli_error(err, st, "no memory for %d draws of captures", DRAWS);
}

/* Its label l, as a number of ours. */
static int32_t number_of(const wsp_head *mine, const char *label)
{
    size_t l = 0;

    while (l < mine->n_labels && strcmp(mine->labels[l], label) != 0)
        l++;
    return (int32_t)l;
}

bool rival_said(const wsp_replies *theirs, const wsp_model *other, const wsp_head *mine,
                int32_t *said)
{
    for (size_t h = 0; h < wsp_model_head_count(other); h++) {
        const wsp_head *head = wsp_model_head(other, h);
        const wsp_answers *a = wsp_replies_get(theirs, h);
        if (strcmp(head->name, mine->name) != 0 || !a)
            continue;
        for (size_t i = 0; i < a->n; i++)
            said[i] = a->label[i] < 0 ? WSP_UNLABELLED
                                      : number_of(mine, head->labels[wsp_answers_said(a, i)]);
        return true;
    }
    return false;
}
