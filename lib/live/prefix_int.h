/* SPDX-License-Identifier: Apache-2.0 */
/*
 * prefix_int.h: what is known of beginnings of flows: a tree of packets, each node with what the model says after it. A
 * flow stands on a node; flows that begin alike stand on the same one, so that it is computed once. States, which are
 * large, belong to the nodes that were used last; a lost one is computed again from the nearest ancestor that has one.
 */
#ifndef WSPI_PREFIX_INT_H
#define WSPI_PREFIX_INT_H

#include "live/pool_int.h"
#include "task/votes.h"
#include "wirespeak/live.h"
#include "wirespeak/task.h"

typedef struct wspi_node wspi_node;

typedef struct wspi_node_link {
    wspi_node *older, *newer;
} wspi_node_link;

/* A tagger's flow that wants to hear what a node says. */
typedef struct wspi_wait wspi_wait;

struct wspi_node {
    wspi_node *parent, *next; /* next: in its slot of the hash table */
    wspi_node_link idle, stated;
    float *state;     /* or NULL */
    wspi_wait *waits; /* the tagger's: the oldest one */
    wsp_stack stack;  /* the protocols so far */
    uint64_t hash;
    uint32_t refs;         /* flows that stand here, children, and one while it is in the queue */
    uint32_t depth;        /* packets; 0: the root */
    uint32_t run;          /* packets in a row, up to this one, that are sure of its label */
    uint16_t n_ids;        /* of the packet */
    bool known;            /* computed: what follows is valid */
    bool decided;          /* by `run`, or because no more packets are read */
    bool last;             /* no packet is read after it */
    wsp_tag_answer said[]; /* [heads], [heads] if the flow ends here, then uint16_t ids[n_ids] */
};

typedef struct wspi_node_list {
    wspi_node *oldest, *newest;
} wspi_node_list;

/* The rules of decisions, and which heads are asked. */
typedef struct wspi_prefix_rules {
    const size_t *heads;
    size_t n_heads;
    double sure, min_confidence;
    uint32_t run, max_packets;
    bool follow;
} wspi_prefix_rules;

typedef void wspi_known_fn(void *arg, wspi_node *n);

typedef struct wspi_prefix {
    const wsp_model *m;
    wsp_runner *runner;
    wsp_stacks *stacks;
    wspi_votes *votes;  /* or NULL */
    wspi_said *packets; /* [max_packets] of the beginning at hand */
    wspi_prefix_rules rules;
    /* called for each node of the queue: when it has been computed, or (not known) when it leaves the queue without */
    wspi_known_fn *on_known;
    void *arg;
    wspi_node *root;
    wspi_node **slots; /* [n_slots], a power of two */
    size_t n_slots, n_nodes;
    /* Nodes of short and of long packets: in blocks, so that memory is as it was when they come and go for weeks. */
    wspi_pool nodes[2];
    wspi_node_list idle[2], stated; /* nodes that nobody needs, by pool; nodes with a state */
    wspi_pool states;
    wspi_node **queue; /* nodes to compute, parents before children */
    size_t n_queue, queue_cap;
    /* a batch in the making */
    uint16_t *ids;
    uint32_t *packet_off, *flow_off;
    wspi_node **level;
    float **level_state;
    float **logits; /* [heads of the model], NULL for those not asked */
    size_t ids_cap, packet_cap, logits_cap[WSP_MAX_HEADS];
    uint64_t rows, rows_known, rows_again;
} wspi_prefix;

wsp_status wspi_prefix_init(wspi_prefix *p, const wsp_model *m, wsp_dtype dtype, size_t max_bytes,
                            size_t max_states, wsp_error *err) WSP_MUST_USE;
void wspi_prefix_clear(wspi_prefix *p);

/*
 * The node after one more packet, with a reference for the caller: an old one, or a new one that is in the queue until
 * wspi_prefix_run. NULL: no room; what can be done about it is to sweep, and to drop nodes.
 */
wspi_node *wspi_prefix_next(wspi_prefix *p, wspi_node *at, const uint16_t *ids, size_t n);
void wspi_prefix_hold(wspi_prefix *p, wspi_node *n);
void wspi_prefix_drop(wspi_prefix *p, wspi_node *n);

/* Whether a node of a packet of so many tokens finds room when one of the references to n is dropped, and the queue swept. */
bool wspi_prefix_makes_room(const wspi_node *n, size_t n_ids) WSP_MUST_USE;

/* Takes out of the queue what nobody but the queue refers to. */
void wspi_prefix_sweep(wspi_prefix *p);
/* Sweeps, then computes the next nodes of the queue whose parents are known, at most 64. */
wsp_status wspi_prefix_step(wspi_prefix *p, wsp_error *err) WSP_MUST_USE;
/* The whole queue, step by step. */
wsp_status wspi_prefix_run(wspi_prefix *p, wsp_error *err) WSP_MUST_USE;

#endif
