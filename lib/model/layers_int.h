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

#endif
