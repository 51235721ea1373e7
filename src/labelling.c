/* SPDX-License-Identifier: Apache-2.0 */
/* labelling.c: label lists of a command line joined with flows. */
#include "labelling.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void labelling_check_head(const char *command, const char *name)
{
    if (!*name || strlen(name) >= WSP_HEAD_NAME || !wsp_is_printable(name))
        cli_die_usage(command, "'%s': the name of a head has 1 to %d bytes, all printable", name,
                      WSP_HEAD_NAME - 1);
}

wsp_status labelling_load(labelling *l, const char *command, const cli_list *list, wsp_error *err)
{
    for (size_t i = 0; i < list->n; i++) {
        const char *equals = strchr(list->items[i], '=');
        char name[WSP_HEAD_NAME + 1]; /* one byte too many is seen */
        wsp_status st;

        if (!equals || equals == list->items[i])
            cli_die_usage(command, "'%s' is not HEAD=FILE", list->items[i]);
        (void)snprintf(name, sizeof name, "%.*s", (int)(equals - list->items[i]), list->items[i]);
        labelling_check_head(command, name);
        memcpy(l->head[i], name, sizeof l->head[i]);
        for (size_t k = 0; k < i; k++)
            if (strcmp(l->head[k], l->head[i]) == 0)
                cli_die_usage(command, "two lists of one head '%s': join them", l->head[i]);
        st = wsp_labels_load(&l->lists[i], equals + 1, err);
        if (st < 0)
            return st;
        l->n = i + 1;
    }
    return WSP_OK;
}

wsp_status labelling_flow(labelling *l, const char *capture, const wsp_flow_key *key)
{
    size_t index = l->flows, cap = l->cap;

    for (size_t i = 0; i < l->n; i++) { /* all of them have room for as many */
        cap = l->cap;
        if (cli_grow(&l->columns[i], &cap, index + 1, sizeof **l->columns) < 0)
            return WSP_ERR_NOMEM;
    }
    l->cap = cap;
    l->flows++;
    l->all++;
    for (size_t i = 0; i < l->n; i++) {
        l->columns[i][index] = wsp_labels_find(l->lists[i], capture, key);
        l->joined[i] += l->columns[i][index] >= 0;
    }
    return WSP_OK;
}

void labelling_tell(const labelling *l, const cli_list *list)
{
    for (size_t i = 0; l->all && i < l->n; i++)
        if (l->joined[i] == 0)
            cli_warn("%s: none of the %zu flows is in this list", list->items[i], l->all);
}

wsp_status labelling_attach(labelling *l, wsp_tokens *t, wsp_error *err)
{
    for (size_t i = 0; i < l->n; i++) {
        int32_t *column = l->columns[i] ? l->columns[i] : calloc(1, sizeof *column);
        wsp_status st = wsp_labels_attach(l->lists[i], t, l->head[i], column, err);
        l->columns[i] = NULL;
        if (st < 0)
            return st;
    }
    l->flows = l->cap = 0;
    return WSP_OK;
}

void labelling_clear(labelling *l)
{
    for (size_t i = 0; i < l->n; i++) {
        wsp_labels_free(l->lists[i]);
        free(l->columns[i]);
    }
    l->n = 0;
}
