/* SPDX-License-Identifier: Apache-2.0 */
/* prefix.c: the tree of beginnings: finding nodes, computing them in batches, and forgetting the least recently used. */
#include "live/prefix_int.h"

#include <math.h>
#include <sys/random.h>

/* So many rows at once are as fast as more are, and packets wait for a few milliseconds only. */
enum { LEVEL = 64, FIRST_SLOTS = 1024 };
/* Nodes of packets of up to so many tokens, which most have, and the others: what share of the bytes is whose. */
enum { SMALL_IDS = 30, NODE_PARTS = 4, SMALL_PART = 3 };

static uint16_t *ids_of(const wspi_prefix *p, wspi_node *n)
{
    return (uint16_t *)(void *)(n->said + 2 * p->rules.n_heads);
}

static size_t node_size(const wspi_prefix *p, size_t n_ids)
{
    return sizeof(wspi_node) + 2 * p->rules.n_heads * sizeof(wsp_tag_answer) +
           n_ids * sizeof(uint16_t);
}

static size_t kind_of(const wspi_node *n)
{
    return n->n_ids > SMALL_IDS;
}

/* ---- lists; `idle` says which link ---- */

static wspi_node_link *link_of(wspi_node *n, bool idle)
{
    return idle ? &n->idle : &n->stated;
}

static void append(wspi_node_list *l, wspi_node *n, bool idle)
{
    *link_of(n, idle) = (wspi_node_link){.older = l->newest};
    if (l->newest)
        link_of(l->newest, idle)->newer = n;
    else
        l->oldest = n;
    l->newest = n;
}

static void take_out(wspi_node_list *l, wspi_node *n, bool idle)
{
    wspi_node_link k = *link_of(n, idle);

    if (k.older)
        link_of(k.older, idle)->newer = k.newer;
    else
        l->oldest = k.newer;
    if (k.newer)
        link_of(k.newer, idle)->older = k.older;
    else
        l->newest = k.older;
}

/* ---- states ---- */

static void state_lose(wspi_prefix *p, wspi_node *n)
{
    if (!n->state)
        return;
    take_out(&p->stated, n, false);
    wspi_pool_give(&p->states, n->state);
    n->state = NULL;
}

static void state_touch(wspi_prefix *p, wspi_node *n)
{
    if (n == p->root || !n->state || p->stated.newest == n)
        return;
    take_out(&p->stated, n, false);
    append(&p->stated, n, false);
}

/* A free state; the node that has not used its own for the longest time loses it. NULL: no memory. */
static float *state_take(wspi_prefix *p)
{
    float *state = wspi_pool_take(&p->states);

    if (state || !p->stated.oldest)
        return state;
    state_lose(p, p->stated.oldest);
    return wspi_pool_take(&p->states);
}

/* ---- nodes ---- */

static wspi_node **slot_of(const wspi_prefix *p, uint64_t hash)
{
    return &p->slots[hash & (p->n_slots - 1)];
}

static void unlink_node(wspi_prefix *p, wspi_node *n)
{
    wspi_node **at = slot_of(p, n->hash);

    while (*at != n)
        at = &(*at)->next;
    *at = n->next;
    p->n_nodes--;
}

/* The node, which nobody needs, and those of its ancestors that nobody needs then stay in the list of idle ones. */
static void forget(wspi_prefix *p, wspi_node *n)
{
    wspi_node *parent = n->parent;

    take_out(&p->idle[kind_of(n)], n, true);
    state_lose(p, n);
    unlink_node(p, n);
    wspi_pool_give(&p->nodes[kind_of(n)], n);
    wspi_prefix_drop(p, parent);
}

void wspi_prefix_hold(wspi_prefix *p, wspi_node *n)
{
    if (n->refs++ == 0)
        take_out(&p->idle[kind_of(n)], n, true);
}

void wspi_prefix_drop(wspi_prefix *p, wspi_node *n)
{
    assert(n->refs > 0);
    if (--n->refs > 0)
        return;
    append(&p->idle[kind_of(n)], n, true);
    if (!n->known) /* nobody waits for it any more */
        forget(p, n);
}

bool wspi_prefix_makes_room(const wspi_node *n, size_t n_ids)
{
    for (; n->parent; n = n->parent) {
        bool fits = kind_of(n) == (n_ids > SMALL_IDS), queued = !n->known;

        if (n->refs != 1 + (uint32_t)queued)
            return false;
        if (fits || n->known)
            return fits;
    }
    return false;
}

static wsp_status widen(wspi_prefix *p)
{
    size_t n = p->n_slots * 2;
    wspi_node **slots;

    if (p->n_nodes < p->n_slots)
        return WSP_OK;
    slots = wspi_new_array(n, sizeof *slots);
    if (!slots)
        return WSP_ERR_NOMEM;
    for (size_t i = 0; i < p->n_slots; i++)
        for (wspi_node *k = p->slots[i], *next; k; k = next) {
            next = k->next;
            k->next = slots[k->hash & (n - 1)];
            slots[k->hash & (n - 1)] = k;
        }
    free(p->slots);
    p->slots = slots;
    p->n_slots = n;
    return WSP_OK;
}

/* Room for a node; those of its kind that nobody has needed for the longest time make it. NULL: all are needed. */
static wspi_node *node_take(wspi_prefix *p, size_t kind)
{
    wspi_node *n = NULL;

    if (widen(p) < 0 || wspi_grow(&p->queue, &p->queue_cap, p->n_queue + 1, sizeof *p->queue) < 0)
        return NULL;
    while (!(n = wspi_pool_take(&p->nodes[kind])) && p->idle[kind].oldest)
        forget(p, p->idle[kind].oldest);
    return n;
}

/* With two references: the queue's and the caller's. `at` is held, so that making room does not forget it. */
static wspi_node *node_new(wspi_prefix *p, wspi_node *at, uint64_t hash, const uint16_t *ids,
                           size_t n)
{
    wspi_node *k;

    wspi_prefix_hold(p, at);
    k = node_take(p, n > SMALL_IDS);
    if (!k) {
        wspi_prefix_drop(p, at);
        return NULL;
    }
    *k = (wspi_node){
        .parent = at, .hash = hash, .refs = 2, .depth = at->depth + 1, .n_ids = (uint16_t)n};
    k->last = k->depth == p->rules.max_packets;
    memset(k->said, 0, 2 * p->rules.n_heads * sizeof *k->said);
    k->stack = at->stack;
    wsp_stack_add(&k->stack, ids, n);
    memcpy(ids_of(p, k), ids, n * sizeof *ids);
    k->next = *slot_of(p, hash);
    *slot_of(p, hash) = k;
    p->n_nodes++;
    p->queue[p->n_queue++] = k;
    return k;
}

wspi_node *wspi_prefix_next(wspi_prefix *p, wspi_node *at, const uint16_t *ids, size_t n)
{
    uint64_t hash = wspi_fnv1a(ids, n * sizeof *ids, at->hash);
    wspi_node *k = *slot_of(p, hash);

    state_touch(p, at);
    while (k && (k->hash != hash || k->parent != at || k->n_ids != n ||
                 memcmp(ids_of(p, k), ids, n * sizeof *ids) != 0))
        k = k->next;
    if (k) {
        p->rows_known++;
        wspi_prefix_hold(p, k);
    } else {
        k = node_new(p, at, hash, ids, n);
    }
    p->rows += k != NULL;
    return k;
}

/* ---- what the model says ---- */

static wsp_tag_answer answer_of(const wspi_prefix *p, size_t head, const float *logits,
                                bool outside)
{
    const wsp_head *h = wsp_model_head(p->m, head);
    wsp_early said = wspi_likeliest(logits, h);

    said.outside = outside;
    return (wsp_tag_answer){
        .label = wsp_is_unknown(h, said, p->rules.min_confidence) ? -1 : (int32_t)said.label,
        .confidence = said.confidence,
        .outside = outside};
}

/* The trees' votes come to the row of logits of a node. */
static void add_votes(wspi_prefix *p, wspi_node *n, size_t row)
{
    wspi_node *k = n;

    if (!p->votes)
        return;
    for (size_t i = n->depth; i-- > 0; k = k->parent)
        p->packets[i] = (wspi_said){ids_of(p, k), k->n_ids};
    wspi_votes_flow(p->votes, p->packets, n->depth);
    for (size_t i = 0; i < p->rules.n_heads; i++) {
        size_t h = p->rules.heads[i];
        wspi_votes_add(p->votes, h, p->logits[h] + row * wsp_model_head(p->m, h)->n_labels);
    }
}

static void judge(wspi_prefix *p, wspi_node *n, size_t row)
{
    const wsp_tag_answer *before = n->parent->said;

    add_votes(p, n, row);

    for (size_t i = 0; i < p->rules.n_heads; i++) {
        size_t h = p->rules.heads[i];
        float *logits = p->logits[h] + row * wsp_model_head(p->m, h)->n_labels;
        bool outside = !wsp_stacks_know(p->stacks, h, &n->stack);

        if (n->last)
            wspi_votes_end(p->votes, h, logits);
        n->said[i] = answer_of(p, h, logits, outside);
        if (!n->last)
            wspi_votes_end(p->votes, h, logits);
        n->said[p->rules.n_heads + i] = answer_of(p, h, logits, outside);
    }
    if (n->said->label >= 0 && (double)n->said->confidence >= p->rules.sure)
        n->run = 1 + (before->label == n->said->label ? n->parent->run : 0);
    n->decided = n->last || n->run >= p->rules.run;
    n->known = true;
}

/* ---- computing ---- */

/* Nodes that nobody waits for leave the queue; children stand behind their parents, so from the end. */
void wspi_prefix_sweep(wspi_prefix *p)
{
    size_t kept = p->n_queue;

    if (kept == 0)
        return;
    for (size_t i = p->n_queue; i-- > 0;) {
        wspi_node *n = p->queue[i];
        if (n->refs == 1) {
            p->on_known(p->arg, n);
            wspi_prefix_drop(p, n);
        } else {
            p->queue[--kept] = n;
        }
    }
    p->n_queue -= kept;
    memmove(p->queue, p->queue + kept, p->n_queue * sizeof *p->queue);
}

/* Takes up to LEVEL nodes whose parents are known out of the queue. */
static size_t take_level(wspi_prefix *p)
{
    size_t n = 0, kept = 0;

    for (size_t i = 0; i < p->n_queue; i++) {
        wspi_node *k = p->queue[i];
        if (n < LEVEL && k->parent->known)
            p->level[n++] = k;
        else
            p->queue[kept++] = k;
    }
    p->n_queue = kept;
    return n;
}

/* The packets from the nearest ancestor with a state to the node, as flow i of the batch; its state is copied. */
static wsp_status add_flow(wspi_prefix *p, size_t i, wsp_batch *b)
{
    wspi_node *n = p->level[i], *from = n->parent;
    float *state = state_take(p);

    if (!state)
        return WSP_ERR_NOMEM;
    p->level_state[i] = state;
    while (!from->state)
        from = from->parent;
    memcpy(state, from->state, wsp_state_size(p->m));
    for (uint32_t depth = from->depth + 1; depth <= n->depth; depth++) {
        wspi_node *k = n;

        while (k->depth > depth)
            k = k->parent;
        WSP_TRY(wspi_grow(&p->ids, &p->ids_cap, b->n_tokens + k->n_ids, sizeof *p->ids));
        WSP_TRY(wspi_grow(&p->packet_off, &p->packet_cap, b->n_packets + 2, sizeof *p->packet_off));
        memcpy(p->ids + b->n_tokens, ids_of(p, k), k->n_ids * sizeof *p->ids);
        b->n_tokens += k->n_ids;
        p->packet_off[0] = 0;
        p->packet_off[++b->n_packets] = (uint32_t)b->n_tokens;
    }
    p->rows_again += n->depth - from->depth - 1;
    p->flow_off[i] = i ? p->flow_off[i] : 0;
    p->flow_off[i + 1] = (uint32_t)b->n_packets;
    b->n_flows = i + 1;
    return WSP_OK;
}

static wsp_status compute(wspi_prefix *p, wsp_batch *b, wsp_error *err)
{
    b->ids = p->ids;
    b->packet_off = p->packet_off;
    b->flow_off = p->flow_off;
    for (size_t i = 0; i < p->rules.n_heads; i++) {
        size_t h = p->rules.heads[i];
        if (wspi_grow(&p->logits[h], &p->logits_cap[h],
                      b->n_packets * wsp_model_head(p->m, h)->n_labels, sizeof(float)) < 0)
            return wspi_nomem(err, "answers of a batch", b->n_packets);
    }
    return wsp_state_step(p->runner, p->level_state, b, NULL, p->logits, err);
}

/* A state is kept where packets may follow that are read. */
static void keep_state(wspi_prefix *p, wspi_node *n, float *state)
{
    if (n->last || (n->decided && !p->rules.follow)) {
        wspi_pool_give(&p->states, state);
        return;
    }
    n->state = state;
    append(&p->stated, n, false);
}

static wsp_status run_level(wspi_prefix *p, size_t n, wsp_error *err)
{
    wsp_batch b = {.n_flows = 0};
    size_t made = 0;
    wsp_status st = WSP_OK;

    for (; made < n && st == WSP_OK; made++)
        if (add_flow(p, made, &b) < 0)
            st = wspi_nomem(err, "states of flows", wsp_state_size(p->m));
    if (st == WSP_OK)
        st = compute(p, &b, err);
    for (size_t i = 0; i < n; i++) {
        wspi_node *k = p->level[i];

        if (st == WSP_OK) {
            judge(p, k, p->flow_off[i + 1] - 1);
            keep_state(p, k, p->level_state[i]);
            p->on_known(p->arg, k);
        }
        wspi_prefix_drop(p, k);
    }
    return st;
}

wsp_status wspi_prefix_step(wspi_prefix *p, wsp_error *err)
{
    wspi_prefix_sweep(p);
    return p->n_queue > 0 ? run_level(p, take_level(p), err) : WSP_OK;
}

wsp_status wspi_prefix_run(wspi_prefix *p, wsp_error *err)
{
    while (p->n_queue > 0)
        WSP_TRY(wspi_prefix_step(p, err));
    return WSP_OK;
}

/* ---- making ---- */

static wsp_status buffers_make(wspi_prefix *p)
{
    p->level = wspi_new_array(LEVEL, sizeof(*p->level));
    p->level_state = wspi_new_array(LEVEL, sizeof(*p->level_state));
    p->flow_off = wspi_new_array(LEVEL + 1, sizeof *p->flow_off);
    p->logits = wspi_new_array(WSP_MAX_HEADS, sizeof(*p->logits));
    p->n_slots = FIRST_SLOTS;
    p->slots = wspi_new_array(p->n_slots, sizeof(*p->slots));
    p->packets = wspi_new_array(p->rules.max_packets, sizeof *p->packets);
    p->root = calloc(1, node_size(p, 0));
    return p->level && p->level_state && p->flow_off && p->logits && p->slots && p->packets &&
                   p->root
               ? WSP_OK
               : WSP_ERR_NOMEM;
}

wsp_status wspi_prefix_init(wspi_prefix *p, const wsp_model *m, wsp_dtype dtype, size_t max_bytes,
                            size_t max_states, wsp_error *err)
{
    const size_t size[] = {node_size(p, SMALL_IDS),
                           node_size(p, wsp_model_config_get(m)->max_tokens)},
                 part = max_bytes / NODE_PARTS,
                 bytes[] = {SMALL_PART * part, (NODE_PARTS - SMALL_PART) * part};
    uint64_t seed = 0;

    p->m = m;
    for (size_t k = 0; k < WSPI_COUNT(p->nodes); k++) {
        wspi_pool_init(&p->nodes[k], size[k], 0);
        p->nodes[k].max = bytes[k] / p->nodes[k].size;
    }
    wspi_pool_init(&p->states, wsp_state_size(m), max_states);
    if (buffers_make(p) < 0)
        return wspi_nomem(err, "a tree of beginnings", FIRST_SLOTS);
    /* where a packet's hash falls is nobody's to choose outside */
    if (getrandom(&seed, sizeof seed, GRND_NONBLOCK) != (ssize_t)sizeof seed)
        seed = (uint64_t)(uintptr_t)p;
    *p->root = (wspi_node){.hash = seed, .refs = 1, .known = true};
    for (size_t i = 0; i < p->rules.n_heads; i++)
        p->root->said[i].label = p->root->said[p->rules.n_heads + i].label = -1;
    WSP_TRY(wsp_stacks_new(&p->stacks, m, err));
    WSP_TRY(wspi_votes_new(&p->votes, m, err));
    WSP_TRY(wsp_runner_new(&p->runner, m, dtype, err));
    p->root->state = wspi_new_floats(wsp_state_size(m) / sizeof(float));
    if (!p->root->state)
        return wspi_nomem(err, "a state", wsp_state_size(m));
    return wsp_state_start(p->runner, &p->root->state, NULL, 1, NULL, err);
}

void wspi_prefix_clear(wspi_prefix *p)
{
    for (size_t h = 0; p->logits && h < WSP_MAX_HEADS; h++)
        free(p->logits[h]);
    if (p->root)
        free(p->root->state);
    free(p->root);
    free(p->slots);
    free(p->queue);
    free(p->ids);
    free(p->packet_off);
    free(p->flow_off);
    free(p->level);
    free(p->level_state);
    free(p->logits);
    for (size_t k = 0; k < WSPI_COUNT(p->nodes); k++)
        wspi_pool_clear(&p->nodes[k]);
    wspi_pool_clear(&p->states);
    wsp_stacks_free(p->stacks);
    wspi_votes_free(p->votes);
    free(p->packets);
    wsp_runner_free(p->runner);
}
