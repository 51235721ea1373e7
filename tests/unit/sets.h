/* SPDX-License-Identifier: Apache-2.0 */
/* sets.h: a small set of tokens, for tests of what is done with sets. */
#ifndef WSP_TEST_SETS_H
#define WSP_TEST_SETS_H

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "token/token_int.h"
#include "wirespeak/task.h"

enum { FLOWS = 4 };

/* Four flows of 3, 1, 2 and 2 packets; the second head's labels are those of no model here. */
static inline wsp_tokens *make_set(void)
{
    static const uint64_t flow_off[FLOWS + 1] = {0, 3, 4, 6, 8};
    static const char *const names[2][3] = {{"c", "a", "new"}, {"x", "y", "z"}};
    static const int32_t labels[2][FLOWS] = {{0, 1, 2, -1}, {0, 1, 2, 0}};
    wsp_tokens *t = wspi_new_array(1, sizeof *t);

    t->n_flows = FLOWS;
    t->n_packets = flow_off[FLOWS];
    t->n_tokens = 2 * t->n_packets;
    t->ids = wspi_new_array(t->n_tokens, sizeof *t->ids);
    t->packet_off = wspi_new_array(t->n_packets + 1, sizeof *t->packet_off);
    t->flow_off = wspi_new_array(FLOWS + 1, sizeof *t->flow_off);
    t->capture = wspi_new_array(FLOWS, sizeof *t->capture);
    t->flow_end = wspi_new_array(FLOWS, sizeof *t->flow_end);
    memcpy(t->flow_off, flow_off, sizeof flow_off);
    for (size_t i = 0; i < t->n_tokens; i++)
        t->ids[i] = (uint16_t)(i % 2 ? 2 : i / 2);
    for (size_t i = 0; i <= t->n_packets; i++)
        t->packet_off[i] = 2 * i;
    t->n_captures = 3;
    t->captures = wspi_new_array(3, sizeof *t->captures);
    t->linktype = wspi_new_array(3, sizeof *t->linktype);
    for (size_t i = 0; i < 3; i++) {
        t->captures[i] = strdup((const char *[]){"zero", "one", "two"}[i]);
        t->linktype[i] = (int)i;
    }
    t->capture[2] = 2;
    t->n_heads = 2;
    t->heads = wspi_new_array(2, sizeof *t->heads);
    t->n_labels = wspi_new_array(2, sizeof *t->n_labels);
    t->label_names = wspi_new_array(2, sizeof *t->label_names);
    t->labels = wspi_new_array(2, sizeof *t->labels);
    for (size_t h = 0; h < 2; h++) {
        t->heads[h] = strdup(h ? "second" : "first");
        t->n_labels[h] = 3;
        t->label_names[h] = wspi_new_array(3, sizeof **t->label_names);
        for (size_t l = 0; l < 3; l++)
            t->label_names[h][l] = strdup(names[h][l]);
        t->labels[h] = wspi_new_array(FLOWS, sizeof **t->labels);
        memcpy(t->labels[h], labels[h], sizeof labels[h]);
    }
    return t;
}

#endif
