/* SPDX-License-Identifier: Apache-2.0 */
/* task_int.h: what the model reads of a set of tokens: the view that training and classifying share. */
#ifndef WSPI_TASK_INT_H
#define WSPI_TASK_INT_H

#include "base/base.h"
#include "wirespeak/model.h"
#include "wirespeak/score.h"
#include "wirespeak/token.h"

/* Flows under a mask policy, cut to what the model reads. Flow i is flow i of the set. flow.end is left out unless asked for. */
typedef struct wspi_view {
    size_t n_flows, n_heads;
    uint16_t *ids;
    uint64_t *packet_off; /* [packets + 1] in ids */
    uint64_t *flow_off;   /* [n_flows + 1] in packets */
} wspi_view;

/* Copies of n names, each its own; NULL without memory. */
char **wspi_copy_names(const char *const *names, size_t n) WSP_MUST_USE;
void wspi_free_names(char **names, size_t n); /* NULL is fine */

/* What a packet says: its tokens, as a policy leaves them. */
typedef struct wspi_said {
    const uint16_t *ids;
    size_t n;
} wspi_said;

uint16_t wspi_flow_end_token(void);

/* ---- forging ---- */

/* Maps the IPv6 address at b, or (not whole) its network half alone; a link address of 6 bytes. */
void wspi_forge_ip6(const wsp_forger *f, uint8_t *b, bool whole);
void wspi_forge_link(const wsp_forger *f, uint8_t *b);
/* Maps the addresses in the n bytes behind the header of an ICMPv6 message of this type. */
void wspi_forge_icmpv6(const wsp_forger *f, uint64_t type, uint8_t *b, size_t n);

/*
 * Is this first packet of a flow, of a capture that began later than the flow, the server's? By the ports: the server has the
 * one that says what a service is. Not of TCP that opens, whose direction the flow table knows.
 */
bool wspi_server_first(const wsp_packet *first);

/* UNSUPPORTED for a model of another vocabulary. */
wsp_status wspi_vocab_check(const wsp_model *m, wsp_error *err) WSP_MUST_USE;

wsp_status wspi_view_make(wspi_view *v, const wsp_tokens *t, const wsp_view_options *opt,
                          size_t max_tokens, bool flow_ends, wsp_error *err) WSP_MUST_USE;
void wspi_view_clear(wspi_view *v);

/* Keeps with the model on which protocols its heads are trained: those of the set's labelled flows. */
wsp_status wspi_stacks_learn(wsp_model *m, const wspi_view *v, const wsp_tokens *t) WSP_MUST_USE;
/*
 * Keeps with the model which flows it is trained on, a sample of their hashes: those of the view, and those that the model before it, or
 * NULL, keeps. labelled_only: flows without a label are not read.
 */
wsp_status wspi_seen_learn(wsp_model *m, const wsp_model *before, const wspi_view *v,
                           const wsp_tokens *t, bool labelled_only, wsp_error *err) WSP_MUST_USE;
/* What the set's flows are made of comes into the field of a head, too. */
wsp_status wspi_stacks_extend(wsp_model *m, size_t head, const wsp_tokens *t,
                              wsp_error *err) WSP_MUST_USE;
/* Bit h: the flow is outside of the field of head h. */
uint32_t wspi_stacks_outside(const wsp_stacks *s, const wspi_view *v, size_t flow);

/* What a batch takes of a flow: packets [from, to) of the view. */
typedef struct wspi_piece {
    uint32_t flow;
    uint64_t from, to;
    wsp_window window; /* zeros: the whole flow, or what augmenting leaves of it */
} wspi_piece;

/* A batch of chosen flows; memory grows and is reused. labels: [n][n_heads] when `label` is not NULL. */
typedef struct wspi_batcher {
    wspi_piece *piece;
    size_t n_pieces;
    uint16_t *ids;
    uint32_t *packet_off, *flow_off;
    int32_t *labels, *condition;
    wsp_window *windows;
    size_t cap_pieces, cap_ids, cap_packets, cap_flows, cap_labels, cap_condition, cap_windows;
    wsp_batch batch;
} wspi_batcher;

/* How flows are changed for training: each token is left out with chance `drop`, the first packets with chance `skip`. */
enum { WSPI_SKIP_MOST = 10 }; /* packets */
typedef struct wspi_augment {
    double drop, skip;
    wspi_rng rng;
} wspi_augment;

/* The packet of [from, to) at which a flow begins for training: as a capture that began late would have it. */
uint64_t wspi_late_start(wspi_augment *a, uint64_t from, uint64_t to);

/* The whole flow. */
wspi_piece wspi_piece_of(const wspi_view *v, uint32_t flow);
size_t wspi_piece_tokens(const wspi_view *v, const wspi_piece *p);

/*
 * A batch of the pieces that are there. map[h] is the set's label column for head h of the model, or -1; NULL: no labels.
 * augment: NULL takes packets as they are.
 */
wsp_status wspi_batcher_push(wspi_batcher *b, const wspi_piece *p) WSP_MUST_USE;
wsp_status wspi_batcher_make(wspi_batcher *b, const wspi_view *v, const wsp_tokens *t,
                             const int *map, size_t n_heads, wspi_augment *augment) WSP_MUST_USE;

/*
 * Takes whole flows order[0..] until `budget` tokens are reached (at least one flow); returns how many in *taken.
 */
wsp_status wspi_batcher_fill(wspi_batcher *b, const wspi_view *v, const wsp_tokens *t,
                             const uint32_t *order, size_t n, size_t budget, const int *map,
                             size_t n_heads, wspi_augment *augment, size_t *taken) WSP_MUST_USE;
/* How many flows that would take, without a batch, if of each no more than the first `packets` counted. */
size_t wspi_batcher_span(const wspi_view *v, const uint32_t *order, size_t n, size_t budget,
                         uint64_t packets);
void wspi_batcher_clear(wspi_batcher *b);

/*
 * The likeliest label that is an answer, the first of equal ones, and its probability: 0 where logits are no numbers. It is what
 * wsp_ask makes of the same logits, to the bit.
 */
wsp_early wspi_likeliest(const float *logits, const wsp_head *h);

/* The number of a head's label "unknown" in a set; its number of labels where it has none. */
size_t wspi_background_of(const wsp_tokens *t, size_t head);

/* Whether the label of this number, counted through all heads, was enrolled: conditions that were trained are not zero. */
bool wspi_is_enrolled(const wsp_model *m, size_t condition);
/*
 * [labels of all heads, one after the other] those that were enrolled and that no flow of the set has: what is learned of the
 * set says nothing of them. The caller's to free; NULL without memory.
 */
bool *wspi_enrolled_apart(const wsp_model *m, const wsp_tokens *t);

/* As wsp_match_labels, but for learning: the label "unknown" has its number, too, if the head has it. */
size_t wspi_match_taught(const wsp_model *m, size_t head, const wsp_tokens *t, int32_t *label);

/* What a model says of a set's flows, and what they are: for each head, NULL where the set has no label of it. */
typedef struct wspi_answers {
    size_t n_heads, n_flows;
    float **prob;      /* [n_heads] of [n_flows][n_labels] */
    int32_t **label;   /* [n_heads] of [n_flows], as of wsp_match_labels */
    uint32_t *outside; /* [n_flows] bit h: outside of the field of head h */
    double seconds;    /* that the model took */
} wspi_answers;

wsp_status wspi_answers_make(wspi_answers *a, const wsp_model *m, const wsp_tokens *t,
                             const wsp_classify_options *opt, wsp_error *err) WSP_MUST_USE;
wsp_answers wspi_answers_of(const wspi_answers *a, const wsp_model *m, size_t head);
void wspi_answers_clear(wspi_answers *a);

/* What the flows of each capture of a set say of it together. */
typedef struct wspi_polled {
    size_t n;          /* captures with flows */
    float *prob;       /* [n][n_labels] */
    int32_t *label;    /* [n] WSP_UNLABELLED, too, where the flows have different ones */
    uint32_t *capture; /* [n] which they are */
    uint32_t *outside; /* [n] 1: every flow is outside of the head's field, 0 else */
    wsp_captures captures;
} wspi_polled;

/* a: of all flows of the set. outside: [n_flows], bit `head` counts; NULL: every flow votes. Clear it in any case. */
wsp_status wspi_polled_make(wspi_polled *out, const wsp_answers *a, const wsp_tokens *t,
                            const uint32_t *outside, size_t head) WSP_MUST_USE;
wsp_answers wspi_polled_answers(const wspi_polled *p, const wsp_answers *flows);
void wspi_polled_clear(wspi_polled *p);

#endif
