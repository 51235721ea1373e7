/* SPDX-License-Identifier: Apache-2.0 */
/* layers_int.h: what forward and backward share: the places of residual branches, for dropout. */
#ifndef WSPI_LAYERS_INT_H
#define WSPI_LAYERS_INT_H

#include "model/model_int.h"

enum { WSPI_AT_PACKET = 0, WSPI_AT_FLOW = 1000, WSPI_AT_OUTPUT = 2000, WSPI_AT_MLP = 500 };

/* Key of the mask of branch `place` (stack + layer + WSPI_AT_MLP for the MLP). */
static inline uint64_t wspi_mask_key(const wspi_engine *e, size_t place)
{
    uint64_t v[2] = {e->key, place};

    return wspi_fnv1a(v, sizeof v, WSPI_FNV_START);
}

/* Where the recurrence of flow f begins: the row of a window's past only holds a context. */
static inline size_t wspi_first_row(const wspi_engine *e, size_t f)
{
    return e->roff[f] + (e->row_packet[e->roff[f]] == WSPI_ROW_PAST);
}

static inline bool wspi_is_text(const wsp_model_config *cfg, uint16_t id)
{
    return id - cfg->text_first < cfg->text_count;
}

/* Which of the packet's text ids ids[i] is; it is one. Packets are short: counted anew each time. */
static inline size_t wspi_text_place(const wsp_model_config *cfg, const uint16_t *ids, size_t i)
{
    size_t n = 0;

    for (size_t k = 0; k < i; k++)
        n += wspi_is_text(cfg, ids[k]);
    return n;
}

#endif
