/* SPDX-License-Identifier: Apache-2.0 */
/*
 * share.c: classification of flows that begin alike. A flow's context after packet t depends on packets 0..t alone, so
 * the flows of a batch form a tree whose nodes are beginnings. It is computed level by level: all nodes of a level in one
 * recurrent step, from the states of their parents; the last child takes its parent's state over, the others copy it.
 */
#include "model/runner_int.h"

enum { STATES_A_BLOCK = 64, STEP = 256 };

void wspi_share_clear(wspi_share *s)
{
    void *all[] = {s->packet, s->live,  s->at,   s->parent,  s->node,   s->uses,     s->slot,
                   s->above,  s->state, s->pool, s->context, s->logits, s->condition};

    for (size_t i = 0; i < WSPI_COUNT(all); i++)
        free(all[i]);
    for (size_t i = 0; i < s->n_blocks; i++)
        free(s->block[i]);
    free(s->block);
    *s = (wspi_share){.packet = NULL};
}

/* ---- states ---- */

static wsp_status pool_fill(wspi_share *s, size_t floats)
{
    float *block;

    WSP_TRY(wspi_grow(&s->block, &s->block_cap, s->n_blocks + 1, sizeof *s->block));
    WSP_TRY(wspi_grow(&s->pool, &s->pool_cap, (s->n_blocks + 1) * STATES_A_BLOCK, sizeof *s->pool));
    if (!(block = wspi_new_floats(STATES_A_BLOCK * floats)))
        return WSP_ERR_NOMEM;
    s->block[s->n_blocks++] = block;
    for (size_t i = 0; i < STATES_A_BLOCK; i++)
        s->pool[s->n_pool++] = block + i * floats;
    return WSP_OK;
}

static float *state_take(wspi_share *s, size_t floats)
{
    if (s->n_pool == 0 && pool_fill(s, floats) < 0)
        return NULL;
    return s->pool[--s->n_pool];
}

static void state_give(wspi_share *s, float *state)
{
    if (state)
        s->pool[s->n_pool++] = state;
}

/* ---- nodes ---- */

/* Room for a level of at most n nodes. */
static wsp_status reserve(wspi_share *s, size_t n)
{
    size_t slots = 64;

    while (slots < 2 * n)
        slots *= 2;
    WSP_TRY(wspi_grow(&s->parent, &s->parent_cap, n, sizeof *s->parent));
    WSP_TRY(wspi_grow(&s->node, &s->node_cap, n, sizeof *s->node));
    WSP_TRY(wspi_grow(&s->uses, &s->uses_cap, n, sizeof *s->uses));
    WSP_TRY(wspi_grow(&s->above, &s->above_cap, n, sizeof *s->above));
    WSP_TRY(wspi_grow(&s->state, &s->state_cap, n, sizeof *s->state));
    WSP_TRY(wspi_grow(&s->condition, &s->condition_cap, n, sizeof *s->condition));
    WSP_TRY(wspi_grow(&s->slot, &s->slot_cap, slots, sizeof *s->slot));
    s->slots = slots;
    return WSP_OK;
}

/* The node of (parent, packet) among the first n of the level; n itself when it is new. */
static uint32_t node_find(wspi_share *s, uint32_t parent, uint32_t packet, size_t n)
{
    const uint32_t key[2] = {parent, packet};
    size_t i = (size_t)wspi_fnv1a(key, sizeof key, WSPI_FNV_START) & (s->slots - 1);

    for (; s->slot[i]; i = (i + 1) & (s->slots - 1))
        if (s->parent[s->slot[i] - 1] == parent && s->node[s->slot[i] - 1] == packet)
            return s->slot[i] - 1;
    s->slot[i] = (uint32_t)n + 1;
    s->parent[n] = parent;
    s->node[n] = packet;
    return (uint32_t)n;
}

/* One root per condition: s->at[flow] and the states of the roots. */
static wsp_status roots_make(wsp_runner *r, const wsp_batch *b, size_t f0, size_t n_flows,
                             size_t *n_roots, wsp_error *err)
{
    wspi_share *s = &r->share;
    size_t floats = wsp_state_size(r->e.m) / sizeof(float), n = 0;

    memset(s->slot, 0, s->slots * sizeof *s->slot);
    for (size_t f = 0; f < n_flows; f++) {
        int32_t condition = b->condition ? b->condition[f0 + f] : -1;

        s->at[f] = node_find(s, 0, (uint32_t)(condition + 1), n);
        if (s->at[f] == n)
            s->condition[n++] = condition;
    }
    for (size_t i = 0; i < n; i++)
        if (!(s->above[i] = state_take(s, floats))) {
            while (i-- > 0)
                state_give(s, s->above[i]);
            return wspi_nomem(err, "states of flows", n * floats * sizeof(float));
        }
    *n_roots = n;
    return wsp_state_start(r, s->above, s->condition, n, NULL, err);
}

/* The nodes of a level; live flows move on to them. */
static size_t level_make(wspi_share *s, const wsp_batch *b, size_t f0, size_t level, size_t n_live,
                         size_t n_above)
{
    size_t first = b->flow_off[f0], n = 0;

    memset(s->slot, 0, s->slots * sizeof *s->slot);
    memset(s->uses, 0, n_above * sizeof *s->uses);
    for (size_t i = 0; i < n_live; i++) {
        uint32_t f = s->live[i];
        uint32_t node = node_find(s, s->at[f], s->packet[b->flow_off[f0 + f] - first + level], n);

        if (node == n)
            s->uses[s->parent[n++]]++;
        s->at[f] = node;
    }
    return n;
}

/* States of the level's n nodes from those above, which are gone afterwards. */
static wsp_status states_hand_down(wspi_share *s, size_t n, size_t n_above, size_t floats)
{
    wsp_status st = WSP_OK;

    for (size_t i = 0; i < n_above; i++)
        if (s->uses[i] == 0) {
            state_give(s, s->above[i]);
            s->above[i] = NULL;
        }
    for (size_t i = 0; i < n; i++) {
        uint32_t p = s->parent[i];

        if (--s->uses[p] == 0) {
            s->state[i] = s->above[p];
            s->above[p] = NULL;
        } else if ((s->state[i] = state_take(s, floats))) {
            memcpy(s->state[i], s->above[p], floats * sizeof(float));
        } else {
            st = WSP_ERR_NOMEM;
        }
    }
    return st;
}

/* One step of the flow stack for all nodes, whose states are `above` for the next level: contexts into s->context. */
static wsp_status level_run(wsp_runner *r, size_t n, wsp_error *err)
{
    wspi_share *s = &r->share;
    wspi_engine *e = &r->e;
    size_t C = e->m->cfg.channels;
    wsp_status st = wspi_grow(&s->context, &s->context_cap, n * C, sizeof *s->context);

    if (st < 0)
        return wspi_nomem(err, "contexts", n * C * sizeof *s->context);
    for (size_t i = 0; i < n && st == WSP_OK; i += STEP) {
        e->state = s->above + i;
        st = wspi_engine_select_rows(e, s->node + i, WSPI_MIN(n - i, (size_t)STEP), err);
        if (st < 0)
            break;
        wspi_rows_fwd(e);
        wspi_flow_fwd(e);
        memcpy(s->context + i * C, e->c, e->R * C * sizeof *e->c);
    }
    e->state = NULL;
    r->stats.rows_run += n;
    return st;
}

/* To every live flow what its node says. */
static wsp_status level_answer(wsp_runner *r, const wsp_batch *b, size_t f0, size_t level,
                               size_t n_live, size_t n, float *out, float *const *head_logits)
{
    wspi_share *s = &r->share;
    size_t C = r->e.m->cfg.channels;

    for (size_t i = 0; out && i < n_live; i++)
        memcpy(out + (b->flow_off[f0 + s->live[i]] + level) * C, s->context + s->at[s->live[i]] * C,
               C * sizeof *out);
    for (size_t h = 0; head_logits && h < r->e.m->n_heads; h++) {
        size_t L = r->e.m->head[h].n_labels;

        if (!head_logits[h])
            continue;
        WSP_TRY(wspi_grow(&s->logits, &s->logits_cap, n * L, sizeof *s->logits));
        wspi_head_fwd(&r->e, h, s->logits, s->context, n);
        for (size_t i = 0; i < n_live; i++)
            memcpy(head_logits[h] + (b->flow_off[f0 + s->live[i]] + level) * L,
                   s->logits + s->at[s->live[i]] * L, L * sizeof **head_logits);
    }
    return WSP_OK;
}

/* Keeps the flows that have a packet at this level. */
static size_t still_live(wspi_share *s, const wsp_batch *b, size_t f0, size_t level, size_t n_live)
{
    size_t n = 0;

    for (size_t i = 0; i < n_live; i++) {
        size_t f = f0 + s->live[i];
        if (b->flow_off[f + 1] - b->flow_off[f] > level)
            s->live[n++] = s->live[i];
    }
    return n;
}

static wsp_status levels_run(wsp_runner *r, const wsp_batch *b, size_t f0, size_t n_flows,
                             float *out, float *const *head_logits, wsp_error *err)
{
    wspi_share *s = &r->share;
    size_t floats = wsp_state_size(r->e.m) / sizeof(float), n_live = n_flows, above = 0;
    wsp_status st = roots_make(r, b, f0, n_flows, &above, err);

    for (size_t level = 0; st == WSP_OK && (n_live = still_live(s, b, f0, level, n_live)) > 0;
         level++) {
        size_t n = level_make(s, b, f0, level, n_live, above);
        float **swap = s->above;
        size_t swap_cap = s->above_cap;

        st = states_hand_down(s, n, above, floats);
        s->above = s->state;
        s->above_cap = s->state_cap;
        s->state = swap;
        s->state_cap = swap_cap;
        above = n;
        r->stats.rows += n_live;
        if (st == WSP_OK)
            st = level_run(r, n, err);
        if (st == WSP_OK)
            st = level_answer(r, b, f0, level, n_live, n, out, head_logits);
        if (st == WSP_ERR_NOMEM)
            (void)wspi_nomem(err, "states of flows", n * floats * sizeof(float));
    }
    for (size_t i = 0; i < above; i++)
        state_give(s, s->above[i]);
    return st;
}

wsp_status wspi_share_classify(wsp_runner *r, const wsp_batch *b, size_t f0, size_t f1, float *out,
                               float *const *head_logits, wsp_error *err)
{
    wspi_share *s = &r->share;
    size_t p0 = b->flow_off[f0], n_packets = b->flow_off[f1] - p0, n_flows = f1 - f0;

    if (wspi_grow(&s->packet, &s->packet_cap, n_packets, sizeof *s->packet) < 0 ||
        wspi_grow(&s->live, &s->live_cap, n_flows, sizeof *s->live) < 0 ||
        wspi_grow(&s->at, &s->at_cap, n_flows, sizeof *s->at) < 0 || reserve(s, n_flows) < 0)
        return wspi_nomem(err, "a tree of flows", n_packets);
    WSP_TRY(wspi_engine_number_packets(&r->e, b, p0, n_packets, s->packet, err));
    WSP_TRY(wspi_engine_select_rows(&r->e, s->packet, 0, err)); /* room for the packet stack */
    WSP_TRY(wspi_read_packets(r, err));
    for (size_t f = 0; f < n_flows; f++)
        s->live[f] = (uint32_t)f;
    r->stats.packets += n_packets;
    return levels_run(r, b, f0, n_flows, out, head_logits, err);
}
