/* SPDX-License-Identifier: Apache-2.0 */
/*
 * model.h: the network and its training. The model sees integers only: token ids, packet and flow borders, labels.
 *
 * Three stacks (see ARCHITECTURE.md, "The model"):
 *
 *   tokens of packet t -> [packet stack: causal softmax attention inside the packet] -> packet vector p_t (last row)
 *   p_0, p_1..p_t      -> [flow stack: scalar-gated linear attention over packets]    -> context c_t
 *   c_(t-1), tokens    -> [output stack: causal inside the packet]                    -> next-token logits
 *
 * p_0 is a learned start vector plus, for conditional generation, the embedding of a condition. So c_0 (after p_0) is
 * the context of the first packet. Heads read c_t after every packet t >= 1.
 *
 * Shapes: B flows, P packets, N tokens, C channels, H heads, D head size, V vocabulary. Row-major, float32.
 */
#ifndef WIRESPEAK_MODEL_H
#define WIRESPEAK_MODEL_H

#include "wirespeak/base.h"

#ifdef __cplusplus
extern "C" {
#endif

enum { WSP_MAX_RANGES = 1024 };

/* Sizes. Everything a model is built from; kept in the file's metadata. */
typedef struct wsp_model_config {
    char name[32];  /* "tiny", "small", "base" or the user's */
    uint32_t vocab; /* V: token ids are 0..V-1 */
    uint64_t
        vocab_version; /* wsp_vocab_version() of the tokenizer it was trained with; other versions are refused */
    uint32_t channels;      /* C, a multiple of 64 for speed (any multiple of heads works) */
    uint32_t packet_layers; /* L of the packet stack */
    uint32_t flow_layers;   /* L of the flow stack */
    uint32_t output_layers; /* L of the output stack; 0: no generation */
    uint32_t heads;         /* softmax heads of packet and output stacks; D = C / heads */
    uint32_t flow_heads;    /* heads of the flow stack */
    uint32_t flow_dk;       /* key size per flow head */
    uint32_t flow_dv;       /* value size per flow head */
    uint32_t ff;            /* inner width of the MLPs, usually 4 C */
    uint32_t
        max_tokens; /* tokens of one packet that the model reads (<= 128); further ones are cut */
    uint32_t
        conv; /* width of the causal convolution over packets in the flow stack (4; 1 = none) */
    uint32_t chunk; /* packets per chunk of the chunked scan (64) */
    uint32_t text_first,
        text_count; /* these ids are text: the n-th of a packet also has the n-th text position. 0: none */
    /*
     * The softmax of the next token: in two steps, P(range) P(token | range), over as many ranges of ids, which begin at
     * range_first (ascending, the first one at 0); 0: in one step over the whole vocabulary.
     */
    uint32_t ranges;
    uint16_t range_first[WSP_MAX_RANGES];
} wsp_model_config;

/* The built-in sizes "tiny" (tests), "small" (default), "base". vocab fields are 0: the caller sets them. */
WSP_MUST_USE WSP_API wsp_status wsp_model_config_named(wsp_model_config *cfg, const char *name);

/*
 * A label of this name is what a head says of flows that are none of its others: it is learned like them (a background class; Dhamija,
 * Guenther and Boult, 2018), but is no answer. What it takes from the probabilities of the others makes them less likely.
 */
#define WSP_UNKNOWN "unknown"

/* One classification head: a linear map from c_t to n_labels logits, with a temperature fitted after training. */
typedef struct wsp_head {
    char name[32];
    size_t n_labels;
    const char *const
        *labels;       /* [n_labels], UTF-8, borrowed from the model (or the caller, on creation) */
    float temperature; /* > 0; logits are divided by it */
    float unknown_below; /* a top probability under this is "unknown" */
    size_t background;   /* of a model's head: the label "unknown", n_labels where there is none */
} wsp_head;

typedef struct wsp_model wsp_model;

/*
 * A fresh model with weights drawn from `seed`. Heads are copied. Conditions (rows of the condition embedding) are all
 * (head, label) pairs in order: condition of label l of head h = sum of n_labels of earlier heads + l.
 */
WSP_MUST_USE WSP_API wsp_status wsp_model_new(wsp_model **out, const wsp_model_config *cfg,
                                              const wsp_head *heads, size_t n_heads, uint64_t seed,
                                              wsp_error *err);

/*
 * Loads a .safetensors file (https://github.com/huggingface/safetensors: u64 LE header length, JSON header, data).
 * Trusts nothing in it: lengths, names, shapes, offsets, overlaps and the configuration are checked first.
 * A model of another vocabulary version loads; compare wsp_model_config_get(m)->vocab_version with wsp_vocab_version().
 */
WSP_MUST_USE WSP_API wsp_status wsp_model_load(wsp_model **out, const char *path, wsp_error *err);
WSP_MUST_USE WSP_API wsp_status wsp_model_load_memory(wsp_model **out, const void *data, size_t len,
                                                      wsp_error *err);

/* Writes weights and metadata atomically (temporary file, rename). Same model, same bytes. */
WSP_MUST_USE WSP_API wsp_status wsp_model_save(const wsp_model *m, const char *path,
                                               wsp_error *err);

WSP_API void wsp_model_free(wsp_model *m);

WSP_API const wsp_model_config *wsp_model_config_get(const wsp_model *m);
WSP_API size_t wsp_model_head_count(const wsp_model *m);
WSP_API const wsp_head *wsp_model_head(const wsp_model *m,
                                       size_t i); /* borrowed; NULL after the last */
/* ARG: there is no such head, the temperature is not above 0, or one of both is not finite. */
WSP_MUST_USE WSP_API wsp_status wsp_model_head_calibrate(wsp_model *m, size_t i, float temperature,
                                                         float unknown_below);
WSP_API size_t wsp_model_parameters(const wsp_model *m); /* number of floats */
WSP_API size_t wsp_model_tensor_count(const wsp_model *m);

/* Name, shape and data of tensor i, in file order. data is borrowed and may be written (import, tests). Zeros after the last. */
typedef struct wsp_tensor {
    const char *name; /* "packet.0.attn.qkv.weight" ... */
    size_t rank, dim[4], count;
    float *data;
    float *grad; /* NULL unless a trainer is attached */
} wsp_tensor;
WSP_API wsp_tensor wsp_model_tensor(const wsp_model *m, size_t i);

/*
 * Free-form metadata (strings) kept in the file: training data hashes, card, nDPI version, ... Keys that the library
 * uses itself ("config", "heads", "format") cannot be set. get returns NULL when absent; borrowed until set again.
 */
WSP_MUST_USE WSP_API wsp_status wsp_model_meta_set(wsp_model *m, const char *key,
                                                   const char *value);
WSP_API const char *wsp_model_meta_get(const wsp_model *m, const char *key);
WSP_API size_t wsp_model_meta_count(const wsp_model *m);
WSP_API const char *wsp_model_meta_key(const wsp_model *m, size_t i);

/* ---- growing ---- */

/*
 * A copy of a model that knows one label more, the last one of a head: `weight` [C] and `bias` are its row there, and
 * everything that the model says of other labels stays as it was, but for their share of the probability. Nothing has been
 * learned for conditions of it: its row is zero. ARG when the head has the label already.
 */
WSP_MUST_USE WSP_API wsp_status wsp_model_add_label(wsp_model **out, const wsp_model *m,
                                                    size_t head, const char *label,
                                                    const float *weight, float bias,
                                                    wsp_error *err);

#define WSP_MAX_REFERENCES 65536

/* Contexts of some flows of known labels, which a file carries along to compare others with. */
typedef struct wsp_references {
    size_t n;
    const float *context; /* [n][C] after the last packet */
    const int32_t *label; /* [n][heads], -1 = of no label of this head */
} wsp_references;

/* Borrowed until they are set again; n = 0: none. */
WSP_API wsp_references wsp_model_references(const wsp_model *m);
/* Copies them, instead of those that were there. ARG for labels that no head has. */
WSP_MUST_USE WSP_API wsp_status wsp_model_references_set(wsp_model *m, const wsp_references *r,
                                                         wsp_error *err);

/*
 * A random forest (Breiman, 2001) that votes beside the heads. It sees numbered features of a flow, each as a code:
 * the number of the first of the feature's edges that the value is not above. Trees of a head stand one after the other,
 * nodes of a tree in the order of a walk that goes left first. A node is 32 bits:
 *   a leaf:   WSP_NODE_LEAF | label
 *   a branch: feature << 22 | code << 14 | right; rows whose code is not above `code` go on at the next number, others
 *             `right` numbers further on; where that is more than WSP_NODE_RIGHT, `right` is 0, the next number says it,
 *             and the left side begins behind that
 */
#define WSP_NODE_LEAF    UINT32_C(0xffc00000)
#define WSP_MAX_FEATURES 1023
#define WSP_NODE_RIGHT   16383
#define WSP_MAX_DEPTH    1024 /* branches above a leaf */
#define WSP_MAX_TREES    1000 /* of each head */

/* Where a row goes on behind a branch, by whether its code is above the branch's. */
static inline const uint32_t *wsp_node_next(const uint32_t *branch, bool above)
{
    uint32_t right = *branch & WSP_NODE_RIGHT;

    if (right)
        return branch + (above ? right : 1);
    return branch + (above ? branch[1] : 2);
}

typedef struct wsp_forest {
    size_t features; /* of which the last n_bag count tokens, those of `bag` */
    size_t n_bag;
    const uint16_t *bag; /* [n_bag] token ids */
    const uint32_t
        *edge_end;     /* [features] where a feature's edges end in `edge`, 255 of them at most */
    const float *edge; /* ascending */
    size_t trees;      /* of each head that has any */
    const uint32_t *labels; /* [heads] how many labels its trees know, 0: it has no trees */
    const uint32_t *root;   /* [heads][trees] a tree's first node */
    size_t n_nodes;         /* numbers, those that say a distance among them */
    const uint32_t *node;
} wsp_forest;

/* Borrowed until it is set again; features = 0: none. */
WSP_API wsp_forest wsp_model_forest(const wsp_model *m);
/* Copies it, instead of the one that was there. ARG when a tree would lead astray, or is of labels that no head has. */
WSP_MUST_USE WSP_API wsp_status wsp_model_forest_set(wsp_model *m, const wsp_forest *f,
                                                     wsp_error *err);

/* ---- batches ---- */

/*
 * What a batch of training has of a flow: all of it (a window of zeros), or a run of its packets, one of several that are
 * trained in their order, each from where the one before it ended, so that a flow of any length needs the memory of one
 * (truncated backpropagation through time: gradients stay inside the window). The flow's start and condition belong to
 * its first window. The next-token loss counts in every window. So does the heads': that of a flow is the mean over its
 * packets, and a window counts by its share of them; answers are those of the last window.
 */
typedef struct wsp_window {
    const float *from; /* what the window before left; NULL: the flow begins here */
    float *to;         /* where this one leaves it, may be `from`; NULL: the flow ends here */
    uint32_t packets;  /* of the whole flow; 0: those of the batch are all */
} wsp_window;

/* Bytes of what a window leaves for the next one: c_t after its last packet, and a state. The caller allocates
 * (float-aligned) and may copy, keep or drop it; it depends on the model's weights. */
WSP_API size_t wsp_window_size(const wsp_model *m);

/* Ragged flows, one after the other: no padding. All arrays are borrowed for the call. */
typedef struct wsp_batch {
    size_t n_flows, n_packets, n_tokens;
    const uint16_t *ids; /* [n_tokens], each < V */
    const uint32_t
        *packet_off; /* [n_packets + 1], in tokens; every packet has 1..max_tokens tokens */
    const uint32_t *flow_off; /* [n_flows + 1], in packets; every flow has at least 1 packet */
    const int32_t *condition; /* [n_flows], -1 = none; NULL = none */
    const int32_t *labels; /* [n_flows][n_heads], -1 = not labelled; NULL = none. Training only */
    const wsp_window *windows; /* [n_flows]; NULL = whole flows. Training only */
} wsp_batch;

/* How matrix products are computed. Weights, sums, gates, norms, softmax and losses are float32 in any case. */
typedef enum wsp_dtype {
    WSP_DTYPE_AUTO, /* bfloat16 where the CPU has tiles of it (AMX), else float32 */
    WSP_DTYPE_F32,
    WSP_DTYPE_BF16, /* inputs rounded to bfloat16; WSP_ERR_UNSUPPORTED where the CPU does not multiply it */
    WSP_DTYPE_INT8, /* runners alone: inputs rounded to bytes, a scale a row; UNSUPPORTED without VNNI */
} wsp_dtype;

/*
 * Computes with a model: owns primitives and scratch memory for one thread. Several runners may share one model that
 * nobody is changing; tell each runner when weights changed.
 */
typedef struct wsp_runner wsp_runner;
WSP_MUST_USE WSP_API wsp_status wsp_runner_new(wsp_runner **out, const wsp_model *m,
                                               wsp_dtype dtype, wsp_error *err);
WSP_API void wsp_runner_weights_changed(wsp_runner *r);
WSP_API void wsp_runner_free(wsp_runner *r);

/* What a runner was asked since it was made, and what it had to compute: equal packets and flows that begin alike share. */
typedef struct wsp_runner_stats {
    uint64_t packets, packets_read; /* packets; those that went through the packet stack */
    uint64_t rows, rows_run; /* (flow, packet) pairs; those that went through the flow stack */
} wsp_runner_stats;
WSP_API wsp_runner_stats wsp_runner_stats_get(const wsp_runner *r);

/*
 * Contexts after every packet, c[t] at row t of out: [n_packets][C], caller's memory. logits of head h after every
 * packet into head_logits[h]: [n_packets][n_labels of h], each may be NULL (not scaled by the temperature).
 */
WSP_MUST_USE WSP_API wsp_status wsp_runner_classify(wsp_runner *r, const wsp_batch *b, float *out,
                                                    float *const *head_logits, wsp_error *err);

/* Negative log-likelihood in nats of every token given all before it: nll [n_tokens]. Needs output_layers > 0. */
WSP_MUST_USE WSP_API wsp_status wsp_runner_nll(wsp_runner *r, const wsp_batch *b, float *nll,
                                               wsp_error *err);

/* ---- streaming: one fixed-size state per flow, O(1) a packet ---- */

/* Bytes of one flow's state; the caller allocates (float-aligned) and may copy, keep or drop it. */
WSP_API size_t wsp_state_size(const wsp_model *m);

/* Fresh states of n flows: runs p_0 (start vector and condition) through the flow stack. context: [n][C] or NULL. */
WSP_MUST_USE WSP_API wsp_status wsp_state_start(wsp_runner *r, float *const *states,
                                                const int32_t *condition, size_t n, float *context,
                                                wsp_error *err);

/*
 * The next packets of n flows in lockstep, one or more of each: b's flows go on where their states stand. Updates the
 * states in place and writes c_t (context: [n_packets][C]) and head logits as wsp_runner_classify does. However the
 * packets are handed over, the results equal those of the whole flows: to 1e-4 in float32.
 */
WSP_MUST_USE WSP_API wsp_status wsp_state_step(wsp_runner *r, float *const *states,
                                               const wsp_batch *b, float *context,
                                               float *const *head_logits, wsp_error *err);

/* ---- speaking ---- */

/* Bytes of what a runner remembers of a packet in the making; the caller allocates (float-aligned). */
WSP_API size_t wsp_memory_size(const wsp_model *m);

/* The beginning of a packet. Everything is borrowed for the call. */
typedef struct wsp_prefix {
    const float *context; /* [C] c_(t-1), of the packets before */
    const uint16_t *ids;  /* [len] the packet's tokens so far, less than max_tokens */
    uint32_t len;
    const uint16_t *wanted; /* [n_wanted] the tokens that may come, ascending; NULL: all */
    size_t n_wanted;
    void *
        memory; /* zeroed before its first use and after weights changed. Beginnings that a memory has seen are not computed again; NULL: all are */
} wsp_prefix;

/*
 * Next-token logits inside n packets in lockstep, for sampling: logits [n][V], where wanted; the odds of two tokens of a
 * packet are exp of their difference. A memory only saves time: the same prefix gives the same logits, to 1e-4, whatever
 * it holds.
 */
WSP_MUST_USE WSP_API wsp_status wsp_runner_next_token(wsp_runner *r, const wsp_prefix *p, size_t n,
                                                      float *logits, wsp_error *err);

/*
 * The same, drawn: token [n], each one of the wanted with the probability that its odds among them are (temperature 1, no
 * cut), which takes far fewer products than all logits where the softmax has two steps. unit(arg, i) is asked for random
 * numbers from 0 up to but not 1, of packet i, as often as a draw needs them.
 */
typedef double wsp_unit_fn(void *arg, size_t i);
WSP_MUST_USE WSP_API wsp_status wsp_runner_draw_token(wsp_runner *r, const wsp_prefix *p, size_t n,
                                                      wsp_unit_fn *unit, void *arg, uint16_t *token,
                                                      wsp_error *err);

/* ---- training ---- */

/*
 * Processes that train one model together, each with the same data and options, through MPI. NULL is a process by
 * itself: rank 0 of 1. join: once in a process, before threads; UNSUPPORTED in a build without MPI. Calls that say
 * "everybody" must be made by all processes of a group, in the same order: they wait for one another.
 */
typedef struct wsp_group wsp_group;
WSP_MUST_USE WSP_API wsp_status wsp_group_join(wsp_group **out, wsp_error *err);
WSP_API unsigned wsp_group_rank(const wsp_group *g);
WSP_API unsigned wsp_group_size(const wsp_group *g);
/*
 * Everybody: the worst status of all (the most negative, else the greatest), with the text of the first process that
 * has it. So either all go on or all stop.
 */
WSP_MUST_USE WSP_API wsp_status wsp_group_agree(wsp_group *g, wsp_status st, wsp_error *err);
/* Everybody. Frees g. */
WSP_API void wsp_group_leave(wsp_group *g);

typedef struct wsp_train_options {
    float lr, lr_min;       /* peak and final learning rate: linear warm-up, then cosine */
    float body_lr;          /* of all but the heads, as a share of it; 0: they stay as they are */
    uint64_t warmup, steps; /* in optimiser steps */
    float beta1, beta2, eps,
        weight_decay; /* AdamW (Loshchilov and Hutter, 2019); no decay on norms, gates, biases */
    float clip;       /* global gradient norm, 0 = off */
    float lm_weight,
        head_weight; /* loss = lm_weight * mean NLL per token + head_weight * mean head cross-entropy */
    float label_smoothing;
    float dropout;    /* on residual branches while training */
    unsigned threads; /* workers, each on its own part of the flows; as many: bit-identical runs */
    wsp_dtype dtype;
    uint64_t seed;
    wsp_group *group; /* borrowed, or NULL */
} wsp_train_options;

WSP_API wsp_train_options wsp_train_options_default(void);

#define WSP_MAX_HEADS 32

/* Of one head, or of all together. */
typedef struct wsp_head_stats {
    double loss;        /* mean over its labelled flows */
    double weight;      /* how many they are; of a window, the share of its flow's packets */
    size_t seen, right; /* those that ended, and those whose last packet's argmax is right */
} wsp_head_stats;

/* Of one batch, or of several that were added up. Losses are means: per token, per labelled flow; loss per batch. */
typedef struct wsp_train_stats {
    uint64_t step;
    double loss, lm_nats_per_token, lm_bits_per_packet, grad_norm, lr;
    size_t batches, tokens, packets, flows; /* flows: those that ended */
    wsp_head_stats heads, head[WSP_MAX_HEADS];
} wsp_train_stats;

/* Adds the figures of further batches; step, grad_norm and lr stay. */
WSP_API void wsp_train_stats_add(wsp_train_stats *sum, const wsp_train_stats *more);

/* Owns gradients and moments; the model is borrowed and changed by steps. */
typedef struct wsp_trainer wsp_trainer;
WSP_MUST_USE WSP_API wsp_status wsp_trainer_new(wsp_trainer **out, wsp_model *m,
                                                const wsp_train_options *opt, wsp_error *err);

/*
 * Forward and backward of one batch: gradients are added (accumulation), nothing is updated. stats, of this batch, may
 * be NULL. In a group, everybody, each with a batch of its own, which count in the order of ranks; b NULL: none. Groups
 * of any size get the same sum, bit for bit, from the same batches in the same order (and kind of CPU).
 */
WSP_MUST_USE WSP_API wsp_status wsp_trainer_accumulate(wsp_trainer *t, const wsp_batch *b,
                                                       wsp_train_stats *stats, wsp_error *err);
/*
 * Averages over the accumulated batches, clips, updates the weights, zeroes the gradients. stats, of all those batches,
 * may be NULL. In a group, everybody.
 */
WSP_MUST_USE WSP_API wsp_status wsp_trainer_update(wsp_trainer *t, wsp_train_stats *stats,
                                                   wsp_error *err);

/*
 * How much each label of a head counts in the head's loss: [n_labels], copied, NULL = 1 each. Rare classes are learned
 * better when they count more. Not part of a checkpoint: set it again before going on.
 */
WSP_MUST_USE WSP_API wsp_status wsp_trainer_label_weights(wsp_trainer *t, size_t head,
                                                          const float *weight, wsp_error *err);

/* Loss of a batch without gradients (validation; no dropout), in this process alone. */
WSP_MUST_USE WSP_API wsp_status wsp_trainer_evaluate(wsp_trainer *t, const wsp_batch *b,
                                                     wsp_train_stats *stats, wsp_error *err);
/*
 * What the heads said of the last batch's flows after their last packets: [n_flows][n_heads] numbers of labels, -1
 * where the flow has no label, or goes on. Borrowed until the next batch; NULL when the batch had no labels.
 */
WSP_API const int32_t *wsp_trainer_answers(const wsp_trainer *t);

/* A copy of the weights as they are, which restore puts back (ARG without one). Checkpoints have it too. */
WSP_MUST_USE WSP_API wsp_status wsp_trainer_keep(wsp_trainer *t, wsp_error *err);
WSP_MUST_USE WSP_API wsp_status wsp_trainer_restore(wsp_trainer *t, wsp_error *err);

/*
 * Everything that a later run needs to go on bit-exactly: weights, moments, step, and the caller's own `extra` bytes
 * (position in the data, random numbers). One .safetensors file with a checksum, atomic. load also replaces the model's
 * weights; *extra is a fresh block (free()) with a zero byte behind its end. A failed load changes nothing.
 */
WSP_MUST_USE WSP_API wsp_status wsp_trainer_save(const wsp_trainer *t, const char *path,
                                                 const void *extra, size_t extra_len,
                                                 wsp_error *err);
WSP_MUST_USE WSP_API wsp_status wsp_trainer_load(wsp_trainer *t, const char *path, void **extra,
                                                 size_t *extra_len, wsp_error *err);
WSP_API uint64_t wsp_trainer_step_count(const wsp_trainer *t);
WSP_API void wsp_trainer_free(wsp_trainer *t);

#ifdef __cplusplus
}
#endif
#endif
