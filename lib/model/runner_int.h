/* SPDX-License-Identifier: Apache-2.0 */
/* runner_int.h: the inside of a runner. */
#ifndef WSPI_RUNNER_INT_H
#define WSPI_RUNNER_INT_H

#include "model/model_int.h"

/* Flows of a batch that begin alike, level by level; see share.c. Arrays that only grow. */
typedef struct wspi_share {
    uint32_t *packet;        /* [packets] by number */
    uint32_t *live, *at;     /* flows that go on; [flows] their nodes in the level above */
    uint32_t *parent, *node; /* [nodes] of this level: the node above, the packet's number */
    uint32_t *uses;          /* [nodes above] children that still need the state */
    uint32_t *slot;          /* hash table of nodes + 1 */
    float **above, **state;  /* [nodes] states of the level above and of this one */
    float **pool, **block;   /* free states, and the blocks that they come from */
    float *context, *logits; /* [nodes][C], [nodes][labels] */
    int32_t *condition;      /* [roots] */
    size_t packet_cap, live_cap, at_cap, parent_cap, node_cap, uses_cap, slot_cap, above_cap,
        state_cap, pool_cap, block_cap, context_cap, logits_cap, condition_cap;
    size_t n_pool, n_blocks, slots;
} wspi_share;

/* The wanted tokens of one range: wanted[from..to) of n in all. */
typedef struct wspi_wanted_range {
    uint32_t range, first, n, from, to; /* first, n: the tokens of the range */
    float odds;                         /* of the range among those that hold wanted tokens */
    bool
        known; /* the odds of its tokens have been computed; its own are those of its wanted tokens */
} wspi_wanted_range;

struct wsp_runner {
    wspi_engine e;
    /* the fresh unconditional state and its context, the same for every flow */
    bool start_known;
    float *start, *start_context;
    float *long_state; /* of a flow too long for the tree */
    uint32_t *row;     /* context row of each packet */
    size_t row_cap;
    /* packets in the making: parts of the callers' memories, memories of callers without, logits of whole rows */
    wspi_speech *speech;
    wspi_memory *memory;
    uint8_t *own;
    float *dense, *row_logits; /* [rows][V] of products, [V] of one row at work */
    wspi_wanted_range *span;   /* of the row at work */
    uint16_t *half_embed; /* [V][C] in bfloat16; NULL for a runner whose products do not round */
    size_t speech_cap, memory_cap, own_cap, dense_cap, row_logits_cap, span_cap;
    wspi_share share;
    wsp_runner_stats stats;
};

/* Flows of at most so many packets go through the tree; longer ones alone, in pieces. */
enum { WSPI_TREE_DEPTH = 64 };

/* Contexts and logits (as wsp_runner_classify) of flows [f0, f1), none deeper than WSPI_TREE_DEPTH. */
wsp_status wspi_share_classify(wsp_runner *r, const wsp_batch *b, size_t f0, size_t f1, float *out,
                               float *const *head_logits, wsp_error *err);
void wspi_share_clear(wspi_share *s);

/* Whether all products of a call went well. */
wsp_status wspi_runner_done(wsp_runner *r, wsp_error *err);

/* Reads the packets that have no vector yet. */
wsp_status wspi_read_packets(wsp_runner *r, wsp_error *err);
/* y[n][labels] = logits of head h for contexts c[n][C] */
void wspi_head_fwd(wspi_engine *e, size_t h, float *y, const float *c, size_t n);

#endif
