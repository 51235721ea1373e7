/* SPDX-License-Identifier: Apache-2.0 */
/* packets.c: the different packets among many: equal ones (handshakes, keep-alives, acknowledgements) get one number. */
#include "model/model_int.h"

static uint32_t *find(wspi_packets *p, const uint16_t *ids, size_t len)
{
    size_t i = (size_t)wspi_fnv1a(ids, len * sizeof *ids, WSPI_FNV_START) & (p->slots - 1);

    for (; p->slot[i]; i = (i + 1) & (p->slots - 1)) {
        const uint32_t *off = p->off + p->slot[i] - 1;
        if (off[1] - off[0] == len && memcmp(p->ids + off[0], ids, len * sizeof *ids) == 0)
            break;
    }
    return &p->slot[i];
}

/* Twice the slots; all packets are entered again. */
static wsp_status widen(wspi_packets *p)
{
    size_t slots = p->slots ? 2 * p->slots : 256;
    uint32_t *slot = wspi_new_array(slots, sizeof *slot);

    if (!slot)
        return WSP_ERR_NOMEM;
    free(p->slot);
    p->slot = slot;
    p->slots = slots;
    for (uint32_t i = 0; i < p->n; i++)
        *find(p, p->ids + p->off[i], p->off[i + 1] - p->off[i]) = i + 1;
    return WSP_OK;
}

wsp_status wspi_packets_number(wspi_packets *p, const uint16_t *ids, size_t len, uint32_t *number)
{
    uint32_t *slot;

    if (2 * p->n >= p->slots)
        WSP_TRY(widen(p));
    slot = find(p, ids, len);
    if (!*slot) {
        WSP_TRY(wspi_grow(&p->ids, &p->ids_cap, p->n_tokens + len, sizeof *p->ids));
        WSP_TRY(wspi_grow(&p->off, &p->off_cap, p->n + 2, sizeof *p->off));
        memcpy(p->ids + p->n_tokens, ids, len * sizeof *ids);
        p->off[p->n] = (uint32_t)p->n_tokens;
        p->n_tokens += len;
        p->off[++p->n] = (uint32_t)p->n_tokens;
        *slot = (uint32_t)p->n;
    }
    *number = *slot - 1;
    return WSP_OK;
}

void wspi_packets_forget(wspi_packets *p)
{
    if (p->n > 0)
        memset(p->slot, 0, p->slots * sizeof *p->slot);
    p->n = p->n_tokens = p->n_vectors = 0;
}

void wspi_packets_clear(wspi_packets *p)
{
    free(p->ids);
    free(p->off);
    free(p->slot);
    free(p->vector);
    *p = (wspi_packets){.n = 0};
}
