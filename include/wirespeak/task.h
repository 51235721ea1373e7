/* SPDX-License-Identifier: Apache-2.0 */
/*
 * task.h: what surrounds the model: labels from nDPI (a teacher and a baseline), Community IDs that
 * join our records with those of other tools, the split of captures into training, validation
 * and test, training, classifying and forging. Scores are in score.h, generating is in generate.h.
 */
#ifndef WIRESPEAK_TASK_H
#define WIRESPEAK_TASK_H

#include "wirespeak/base.h"
#include "wirespeak/flow.h"
#include "wirespeak/model.h"
#include "wirespeak/token.h"

#ifdef __cplusplus
extern "C" {
#endif

/* ---- labels from nDPI ---- */

/*
 * One nDPI detection module. nDPI remembers addresses and ports across flows (FTP control tells of
 * FTP data), so the verdict on a flow can depend on the flows before it: use one labeller a capture
 * for results that can be repeated. Creating one costs some 20 ms and must not happen in two
 * threads at once.
 */
typedef struct wsp_labeller wsp_labeller;

typedef struct wsp_labeller_options {
    uint32_t max_packets; /* nDPI sees at most so many packets of a flow; at least 1; default 32 */
    bool guess;           /* nothing recognised: guess from ports and addresses; default true */
} wsp_labeller_options;

WSP_API wsp_labeller_options wsp_labeller_options_default(void);

/* opt = NULL: the defaults. */
WSP_MUST_USE WSP_API wsp_status wsp_labeller_new(wsp_labeller **out,
                                                 const wsp_labeller_options *opt, wsp_error *err);

/* After the last of its flows is freed. */
WSP_API void wsp_labeller_free(wsp_labeller *l);

/* Release of the nDPI that is linked, "4.2.0": label data and model cards record it. */
WSP_API const char *wsp_labeller_version(void);

/* What nDPI knows of one flow: some 700 bytes, freed inside as soon as the flow is decided. */
typedef struct wsp_labeller_flow wsp_labeller_flow;

WSP_MUST_USE WSP_API wsp_status wsp_labeller_flow_new(wsp_labeller *l, wsp_labeller_flow **out);
WSP_API void wsp_labeller_flow_free(wsp_labeller_flow *f);

/*
 * Shows the flow's next packet of either direction: `ip` points at its IPv4 or IPv6 header, `len`
 * bytes are there (64 KiB at most are looked at; what is not IP or shorter than its header is
 * passed over). WSP_OK: more packets can change the verdict; WSP_EOF: the flow is decided and
 * further packets are ignored.
 */
WSP_MUST_USE WSP_API wsp_status wsp_labeller_push(wsp_labeller_flow *f, const uint8_t *ip,
                                                  size_t len, uint64_t time_ns);

typedef enum wsp_label_source {
    WSP_LABEL_NONE = 0,    /* nothing recognised, nothing guessed */
    WSP_LABEL_PORT = 1,    /* guessed from a port or IP protocol number */
    WSP_LABEL_ADDRESS = 2, /* guessed from an address */
    WSP_LABEL_CACHE = 3,   /* inferred from an earlier flow */
    WSP_LABEL_DPI = 4,     /* read in the packets */
} wsp_label_source;

/* The strings are static or live as long as the labeller; none is NULL. */
typedef struct wsp_verdict {
    /*
     * The label: our name of the protocol on the wire ("TLS"), or "unknown", or "other" when nDPI
     * has a name for it that our table does not know.
     */
    const char *protocol;
    const char *service;      /* our name of whose traffic it is ("YouTube"), or "" */
    const char *master, *app; /* nDPI's own names, "Unknown" if none ("TLS", "YouTube") */
    const char *category;     /* nDPI's ("Web"), "Unspecified" if none */
    wsp_label_source source;
    uint32_t packets; /* shown to nDPI until it was decided */
} wsp_verdict;

/*
 * Decides the flow with what it has seen; later packets are ignored and later calls give the same.
 */
WSP_API void wsp_labeller_verdict(wsp_labeller_flow *f, wsp_verdict *out);

/* "none", "port", "address", "cache" or "dpi". */
WSP_API const char *wsp_label_source_name(wsp_label_source source);

/*
 * Our name for nDPI's, or NULL. *service (may be NULL) tells whether it names a service and no
 * protocol.
 */
WSP_API const char *wsp_label_name(const char *ndpi_name, bool *service);

/* Do two labels name the same, each in nDPI's name of any release or in ours, in upper or lower case? ("FTP_CONTROL", "FTP") */
WSP_API bool wsp_label_same(const char *a, const char *b);

/* Does nDPI say of a flow what a label means: the protocol, what it carries, or whose it is? */
WSP_API bool wsp_verdict_is(const wsp_verdict *v, const char *label);

/* ---- Community ID, version 1 (https://github.com/corelight/community-id-spec) ---- */

#define WSP_COMMUNITY_ID_SIZE 31 /* "1:", 28 characters, NUL */

/*
 * The Community ID of a flow, the same for both directions. Ports are taken for TCP, UDP and SCTP;
 * for ICMP and ICMPv6 the type and code of a packet from side 0 of the key stand in (else they are
 * not looked at). WSP_ERR_UNSUPPORTED when the key is not of IP, or where libgcrypt may not compute SHA-1; buf is "" then.
 */
WSP_MUST_USE WSP_API wsp_status wsp_community_id(const wsp_flow_key *key, uint8_t icmp_type,
                                                 uint8_t icmp_code, uint16_t seed,
                                                 char buf[WSP_COMMUNITY_ID_SIZE]);

/* ---- splitting captures ---- */

typedef enum wsp_split {
    WSP_SPLIT_TRAIN = 0,
    WSP_SPLIT_VAL = 1,
    WSP_SPLIT_TEST = 2,
} wsp_split;

/*
 * The part a capture goes to, from its name, the seed and the fractions alone: whole captures, so
 * that no session is both learned and tested; adding or removing other captures moves none. Only
 * the part of the name behind the last '/' counts. val and test are fractions in [0, 1] with a sum
 * of at most 1; else WSP_ERR_ARG.
 */
WSP_MUST_USE WSP_API wsp_status wsp_split_of(const char *capture, uint64_t seed, double val,
                                             double test, wsp_split *out);

/* "train", "val" or "test". */
WSP_API const char *wsp_split_name(wsp_split split);

typedef enum wsp_split_by {
    WSP_BY_CAPTURE,
    WSP_BY_HOST, /* the private side of a flow, else its initiator */
    WSP_BY_TIME, /* train on what was before, test on what came after */
    WSP_BY_FLOW, /* leaks: flows of one session, host and moment are learned and tested */
} wsp_split_by;

typedef struct wsp_split_options {
    wsp_split_by by;
    uint64_t seed;
    double val, test; /* fractions of captures, hosts or flows; together at most 1 */
    /*
     * Cross-validation: of `folds` equal pieces (2 or more; 0: no folds, and `test` counts) piece `fold`, from 1 on, is the test. Every
     * capture, host or flow is in the test of one fold. Not by time.
     */
    size_t folds, fold;
    bool keep_duplicates; /* flows whose tokens stand in an earlier part, too */
    /*
     * So many training flows of each label, drawn by the seed `draw`, and no unlabelled ones; 0: all. Where there are several heads a flow
     * stays if one of its labels wants it, so that its other labels may have more.
     */
    size_t per_class;
    uint64_t draw;
} wsp_split_options;

WSP_API wsp_split_options wsp_split_options_default(void);

/*
 * Parts of n captures. class_of = NULL: each by its name alone, as wsp_split_of. Else class_of [n] (any numbers): every class
 * gives its share of captures, in the order of a hash of their whole names as they are given: at least one to the test if it has two, at
 * least one to validation if it has three, none to a part with fraction 0.
 */
WSP_MUST_USE WSP_API wsp_status wsp_split_captures(const char *const *names,
                                                   const int32_t *class_of, size_t n,
                                                   const wsp_split_options *opt, wsp_split *part);

/*
 * What a split goes by, besides captures: hashes and times. host and peer are the same unless both sides are private; connection is
 * of the flow's key, 0 if that is not known.
 */
typedef struct wsp_split_flow {
    uint64_t host, peer, connection, first_ns, last_ns;
} wsp_split_flow;

WSP_API wsp_split_flow wsp_split_flow_of(const wsp_flow *flow);

typedef struct wsp_split_stats {
    size_t flows[3]; /* of train, val, test */
    size_t
        crossing; /* left out because they belong to two parts: hosts of both, or time over a border */
    size_t duplicates[3]; /* left out of a part because the same tokens stand in an earlier one */
    size_t connected[3]; /* left out because flows of the same connection stand in an earlier one */
    /*
     * Pairs of captures of different parts that have connections in common, duplicates among them: how many pairs, and of the one with
     * most its captures and how many flows of the second one's are of them.
     */
    size_t pairs, most;
    uint32_t pair[2];
} wsp_split_stats;

#define WSP_SPLIT_LEFT_OUT (-1)

/*
 * The part of every flow of a set: a wsp_split or WSP_SPLIT_LEFT_OUT. flows [n_flows] and captures [n_captures] are what
 * the rule goes by. Duplicates are flows with the same tokens, under the policy everything. Flows are of one connection when they would
 * have been one in one capture: with the same key, and no further apart than the idle timeout of a flow table; they are looked for where captures are split.
 */
WSP_MUST_USE WSP_API wsp_status wsp_split_flows(const wsp_tokens *t, const wsp_split_flow *flows,
                                                const wsp_split *captures,
                                                const wsp_split_options *opt, int8_t *part,
                                                wsp_split_stats *stats);

/* ---- lists of labels ---- */

typedef struct wsp_labels wsp_labels;

/*
 * Loads a tab-separated list with a header line that names at least the columns path, label, l4 (IP protocol number),
 * ip_a, port_a, ip_b, port_b; or of these path and label alone: a list of whole captures, whose flows all have the label.
 * Label numbers count the names in the order of the file. FORMAT with the line, also of a label that is empty or not printable, of numbers
 * that are none or too large, and of two labels of the same flow, or capture. Lines may end as those of Windows do.
 */
WSP_MUST_USE WSP_API wsp_status wsp_labels_load(wsp_labels **out, const char *path, wsp_error *err);
WSP_API void wsp_labels_free(wsp_labels *l);

/* Name of label number 0, 1, ...; NULL after the last. Lives as long as the list. */
WSP_API const char *wsp_labels_name(const wsp_labels *l, int32_t label);

/*
 * Label of a flow of a capture whose name ends with the listed path, or -1. A path begins behind a slash, or behind the colon of an
 * archive; of several that fit the longest counts. key = NULL: label of the whole capture, -1 from a
 * list of flows.
 */
WSP_API int32_t wsp_labels_find(const wsp_labels *l, const char *capture, const wsp_flow_key *key);

/*
 * Adds a label column to the set: numbers of the labels, -1 = none. Takes `column` ([n_flows], from malloc), also on failure, which
 * leaves the set as it was. ARG: a head without a name, of one that the set has or of WSP_HEAD_NAME bytes or more, a head or label
 * that is not printable (wsp_is_printable), a number that is none.
 */
WSP_MUST_USE WSP_API wsp_status wsp_tokens_label(wsp_tokens *t, const char *head,
                                                 const char *const *labels, size_t n_labels,
                                                 int32_t *column, wsp_error *err);

/*
 * Gives the label WSP_UNKNOWN of a head to all flows of captures that the head has no label in: traffic of other kinds, from which it
 * learns what it does not know. Captures of the same name are one in several forms (wsp_tokens_join), and have their labels together. *n (may be NULL): how many flows have it now. ARG when the set has no such head, or it no label.
 */
WSP_MUST_USE WSP_API wsp_status wsp_tokens_background(wsp_tokens *t, const char *head, size_t *n,
                                                      wsp_error *err);

/* The same for the heads of a model that have learned such a label, as far as the set has labels of theirs. */
WSP_MUST_USE WSP_API wsp_status wsp_tokens_background_like(wsp_tokens *t, const wsp_model *m,
                                                           wsp_error *err);

/* The same with the labels of a list. */
WSP_MUST_USE WSP_API wsp_status wsp_labels_attach(const wsp_labels *l, wsp_tokens *t,
                                                  const char *head, int32_t *column,
                                                  wsp_error *err);

/* ---- parts of a set ---- */

/* Zeros: everything. */
typedef struct wsp_selection {
    const uint32_t *flows; /* [n] in the order that they shall have; NULL: all */
    size_t n;
    size_t max_packets; /* the first ones of each flow, 0 = all */
    const char *policy; /* what this mask policy leaves of each packet; NULL: everything */
} wsp_selection;

/* A set of the chosen flows, with their captures and labels and without residuals. ARG for a flow or a policy that is not there. */
WSP_MUST_USE WSP_API wsp_status wsp_tokens_select(wsp_tokens **out, const wsp_tokens *t,
                                                  const wsp_selection *s, wsp_error *err);

/* Packets that the set has of a flow, without the token that says that it ended. */
WSP_API size_t wsp_tokens_packets(const wsp_tokens *t, size_t flow);

/* ---- what a model reads of a flow ---- */

typedef struct wsp_view_options {
    const char *policy; /* name of a mask policy; NULL = identity-free */
    size_t max_packets; /* of a flow; default 24 */
    size_t max_payload; /* text tokens of a packet, of up to 16 bytes each; default 24 */
} wsp_view_options;

#define WSP_MAX_READ  4096 /* packets of a flow that a model reads, and text tokens of a packet */
#define WSP_MAX_TRAIN 1048576 /* packets of a flow that are trained, in windows (bptt) */

WSP_API wsp_view_options wsp_view_options_default(void);

/* ---- training ---- */

/* What a run tells of itself: at its start and end, after every step and every validation. */
typedef struct wsp_fit_report {
    const char *json; /* one object, one line, as in wirespeak-train(1). Valid for the call */
    const wsp_train_stats *stats;      /* of the step, else NULL */
    const wsp_train_stats *validation; /* of the validation set, else NULL */
    double macro_f1;                   /* of it, over all heads */
    bool best;                         /* no validation was better so far */
    uint64_t step, steps;
    double seconds, seconds_left; /* of this process */
    double tokens_per_second;     /* on average since it started */
} wsp_fit_report;

typedef struct wsp_fit_options {
    const char *config; /* "tiny", "small", "base"; NULL: the size of `init`, else "small" */
    const wsp_model *
        init; /* start from these weights (heads are the set's), or NULL; ARG if it is of another size */
    wsp_view_options view;
    wsp_train_options
        train;          /* steps and warmup are set from epochs; lm_weight and head_weight count */
    bool labelled_only; /* the next-token loss reads flows with a label only, too */
    double balance;     /* a label counts as the power -balance of its frequency; 0: all the same */
    size_t
        per_capture; /* flows of a capture with the same labels that an epoch reads, drawn anew for each; 0: all */
    size_t
        per_label; /* flows of a label that an epoch reads: those of rarer ones again, at most 16 times; 0: each once */
    double token_drop;   /* the heads' steps leave each token out with this chance */
    double skip;         /* and with this chance a flow's first packets, up to 10 */
    double epochs;       /* passes over the training flows */
    size_t batch_tokens; /* tokens of a batch */
    size_t
        bptt; /* flows of more packets are trained in windows of so many, each from the state that the one before left; 0: whole */
    size_t accumulate;  /* batches of a step; at least as many as the group has processes */
    uint64_t val_every; /* steps between validations, the last step has one; 0: none */
    uint64_t patience;  /* the run ends after so many validations that were no better; 0: never */
    bool
        flat_softmax; /* the softmax of the next token in one step; else in two (wsp_vocab_ranges) */
    bool best_by_f1;  /* the best has the highest mean macro-F1 of the heads; else the least loss */
    const char *checkpoint;    /* file for checkpoints, or NULL */
    uint64_t checkpoint_every; /* steps, 1 or more */
    bool resume;               /* go on from the checkpoint if it is there */
    /* Or NULL. EOF ends the run after a checkpoint, negative ends it at once. */
    wsp_status (*report)(void *arg, const wsp_fit_report *report);
    void *arg;
} wsp_fit_options;

WSP_API wsp_fit_options wsp_fit_options_default(void);

/*
 * Trains a model on a set: next-token loss over all flows, cross-entropy of the set's label columns as heads. The
 * weights are those of the best validation on `val` (of the last step when val is NULL); on it the heads are calibrated
 * (wsp_calibrate) if they are trained. The model is the caller's. In a group (opt->train.group) everybody calls it and gets the same model,
 * which is, bit for bit, that of one process by itself; process 0 writes the checkpoints, all read them. EOF: the report
 * function ended the run; there is no model, but a checkpoint if one was asked for.
 */
WSP_MUST_USE WSP_API wsp_status wsp_fit(wsp_model **out, const wsp_tokens *train,
                                        const wsp_tokens *val, const wsp_fit_options *opt,
                                        wsp_error *err);

/* ---- where a head can answer ---- */

/*
 * What a flow is made of: its innermost protocol with a header and the application protocols in its payloads, as far as the
 * mask policy leaves them; and whether there was a payload, which matters for TCP alone. Zeros before the first packet.
 */
typedef struct wsp_stack {
    uint64_t layers[2];
    bool begun, said;
} wsp_stack;

/* The flow's next packet, as the model reads it. */
WSP_API void wsp_stack_add(wsp_stack *s, const uint16_t *ids, size_t n);

/*
 * The combinations of protocols that each head of a model was trained on (its file has them). A flow of another one is outside
 * of the head's field: whatever the head says of it, it does not know. FORMAT when the file's list is damaged.
 */
typedef struct wsp_stacks wsp_stacks;
WSP_MUST_USE WSP_API wsp_status wsp_stacks_new(wsp_stacks **out, const wsp_model *m,
                                               wsp_error *err);
/* Keeps with a model what the labelled flows of its training set are made of; training does so itself. */
WSP_MUST_USE WSP_API wsp_status wsp_stacks_learn(wsp_model *m, const wsp_tokens *train,
                                                 wsp_error *err);
/* True, too, for a head of a model whose file has no such list. */
WSP_API bool wsp_stacks_know(const wsp_stacks *s, size_t head, const wsp_stack *flow);
WSP_API void wsp_stacks_free(wsp_stacks *s);

/* ---- classifying ---- */

typedef struct wsp_classify_options {
    wsp_dtype dtype;
    unsigned
        threads; /* 0: as many as the machine has CPUs; the answers are the same for any number */
    size_t
        first; /* what is said after so many packets of each flow, when others are yet to come; 0: in the end */
} wsp_classify_options;

/* What a classifier of this model reads of a flow: as it was trained, WSP_MAX_READ at most. The policy is borrowed from the model. */
WSP_API wsp_view_options wsp_view_options_of(const wsp_model *m);

/* What a head says of a flow, after a packet or at its end: its likeliest label, which is an answer or not (wsp_is_unknown). */
typedef struct wsp_early {
    float confidence;
    uint16_t label;
    bool outside; /* of the head's field, so far */
} wsp_early;

/* The likeliest of a head's probabilities [n_labels], the first of equal ones. */
WSP_API wsp_early wsp_likeliest(const wsp_head *h, const float *prob, bool outside);

/*
 * Whether that is "unknown": outside of the head's field, less sure than `least` (below 0: than the head's own threshold), or
 * the head's background, which is the likeliest of probabilities that are all 0.
 */
WSP_API bool wsp_is_unknown(const wsp_head *h, wsp_early said, double least);

/* What is wanted of every flow; the memory is the caller's, and NULL is what nobody wants. P: packets of a flow that are read. */
typedef struct wsp_wanted {
    float *const *
        prob; /* [heads of the model] of [n_flows][n_labels], after the last packet that is read; of "unknown" 0 */
    wsp_early *const *early; /* [heads of the model] of [n_flows][P], after each packet */
    uint32_t *packets;       /* [n_flows] how many were read */
    uint32_t *outside;       /* [n_flows] bit h: outside of the field of head h */
    float *context;          /* [n_flows][C] the context after the last packet: an embedding */
    float *
        surprise; /* [n_flows] bits a packet that the output stack takes to tell all of it (UNSUPPORTED without one) */
} wsp_wanted;

/* Reads every flow of the set once. opt, stats: may be NULL. UNSUPPORTED for a model of another vocabulary. */
WSP_MUST_USE WSP_API wsp_status wsp_ask(const wsp_model *m, const wsp_tokens *t,
                                        const wsp_classify_options *opt, const wsp_wanted *want,
                                        wsp_runner_stats *stats, wsp_error *err);

/* The same for probabilities and packets alone, where no more is wanted: the way in. prob may be NULL for heads that are not wanted. */
WSP_MUST_USE WSP_API wsp_status wsp_classify(const wsp_model *m, const wsp_tokens *t,
                                             const wsp_classify_options *opt, float *const *prob,
                                             uint32_t *packets, wsp_runner_stats *stats,
                                             wsp_error *err);

/* ---- whole captures: their flows vote ---- */

/*
 * What the flows of a capture say of it together with one head: the mean of their probabilities, weighted by how far they are
 * from equal odds (Kullback-Leibler divergence). A flow that is outside of the head's field has no vote, unless all are. Zeros:
 * no flow yet.
 */
typedef struct wsp_poll {
    size_t n_labels, flows, votes; /* votes: flows inside of the field */
    size_t *said;                  /* [n_labels] votes whose likeliest label it is */
    double *sum, weight[2];        /* of the votes, and of the others */
} wsp_poll;

/* The next flow's probabilities [n_labels]. NOMEM, nothing else. */
WSP_MUST_USE WSP_API wsp_status wsp_poll_add(wsp_poll *p, const float *prob, size_t n_labels,
                                             bool outside);
/* prob [n_labels]. Only when there is a flow. */
WSP_API void wsp_poll_answer(const wsp_poll *p, float *prob);
WSP_API void wsp_poll_clear(wsp_poll *p);

/* ---- captures with labels ---- */

/*
 * Writes the packets of a run as a pcapng file with comments on them. Packets wait in a file without a name beside `path` until
 * close, because the label of a flow is known at its end; memory holds eight bytes a flow.
 */
typedef struct wsp_annotator wsp_annotator;
WSP_MUST_USE WSP_API wsp_status wsp_annotator_open(wsp_annotator **out, const char *path,
                                                   bool told_only, wsp_error *err);
/* The packets from now on are of this capture: an interface of the file, with its name as description. */
WSP_MUST_USE WSP_API wsp_status wsp_annotator_capture(wsp_annotator *a, const char *name,
                                                      int linktype, wsp_error *err);
/* The next packet, which is packet 0, 1, ... of a flow; flows have numbers from 0, without great gaps. */
WSP_MUST_USE WSP_API wsp_status wsp_annotator_packet(wsp_annotator *a, const wsp_frame *frame,
                                                     uint64_t flow, uint64_t packet,
                                                     wsp_error *err);
/*
 * Comments of a flow's packets: `first` for the first one alone, each[i] for packet i, the last of the n for all further ones.
 * UTF-8. Packets of a flow that was not told have none; with `told_only` they are left out.
 */
WSP_MUST_USE WSP_API wsp_status wsp_annotator_flow(wsp_annotator *a, uint64_t flow,
                                                   const char *first, const char *const *each,
                                                   size_t n, wsp_error *err);
/* Writes the file and frees. */
WSP_MUST_USE WSP_API wsp_status wsp_annotator_close(wsp_annotator *a, wsp_error *err);
/* Throws everything away and frees. NULL is fine. */
WSP_API void wsp_annotator_discard(wsp_annotator *a);

/* ---- how long flows are to a model ---- */

/* Sizes of what was coded, without the residuals. */
typedef struct wsp_coded {
    uint64_t told,
        rest; /* tokens that the model tells, and the others, with those that say where they end */
    double model_bits; /* that the model's odds take to tell its tokens */
    uint64_t
        rest_bytes; /* of the others, by their own frequencies (order 0), and of how many packets are told */
} wsp_coded;

/*
 * Codes flows token by token as an arithmetic coder would with the odds of the model's output stack, and what the model does not
 * read by frequencies: together all of the tokens, so that with the residuals the packets come back.
 */
typedef struct wsp_coding wsp_coding;
WSP_MUST_USE WSP_API wsp_status wsp_coding_new(wsp_coding **out, const wsp_model *m,
                                               const wsp_classify_options *opt, wsp_error *err);
/* All flows of a set. UNSUPPORTED for a model without an output stack. */
WSP_MUST_USE WSP_API wsp_status wsp_coding_add(wsp_coding *c, const wsp_tokens *t, wsp_error *err);
/* Nothing may be added after it. */
WSP_MUST_USE WSP_API wsp_status wsp_coding_finish(wsp_coding *c, wsp_coded *out);
WSP_API void wsp_coding_free(wsp_coding *c);

/* ---- a forest that votes ---- */

typedef struct wsp_grow_options {
    size_t trees; /* of each head, 1 to WSP_MAX_TREES */
    uint64_t seed;
    unsigned
        threads; /* 0: as many as the machine has CPUs; the trees are the same for any number */
} wsp_grow_options;

/* 64 trees, seed 1, all CPUs. */
WSP_API wsp_grow_options wsp_grow_options_default(void);

/* What a head was given; flows = 0: the set has no label of the head, and it has no trees. */
typedef struct wsp_grown {
    size_t flows, nodes;
} wsp_grown;

/*
 * Gives a model trees that vote beside its heads (see wsp_forest), grown on the labelled flows of its training set as the
 * model reads them; those that it had are gone. grown: [heads], may be NULL. Calibrate afterwards.
 */
WSP_MUST_USE WSP_API wsp_status wsp_grow(wsp_model *m, const wsp_tokens *train,
                                         const wsp_grow_options *opt, wsp_grown *grown,
                                         wsp_error *err);

/* ---- calibrating ---- */

#define WSP_KEEP_DEFAULT 0.95

/* What a head was given; flows = 0: the set has no label of the head, it is as it was. */
typedef struct wsp_calibration {
    size_t flows; /* known flows that it was fitted on */
    double temperature, unknown_below;
} wsp_calibration;

/*
 * Fits the heads that the set has labels for, joined by name: the temperature with the least loss, where every capture
 * counts the same, and the threshold under which an answer is "unknown": the largest one that leaves a share of `keep` of
 * the known flows their answer; of a head that has learned "unknown" the least one that lets 1 in 50 of the flows from outside pass, if that is less.
 * The set must not have been trained on. calibrations [heads of the model], or NULL.
 */
WSP_MUST_USE WSP_API wsp_status wsp_calibrate(wsp_model *m, const wsp_tokens *val, double keep,
                                              wsp_calibration *calibrations, wsp_error *err);

/*
 * The same without a set: temperatures and thresholds of `like`, a model of the same recipe, for one that has learned from what `like`
 * was fitted on, too. Heads are joined by name (flows: 1 for those that are); ARG if there is none, or if one has other labels.
 */
WSP_MUST_USE WSP_API wsp_status wsp_calibrate_like(wsp_model *m, const wsp_model *like,
                                                   wsp_calibration *calibrations, wsp_error *err);

/* ---- new classes without training ---- */

/*
 * Keeps with a model the contexts of up to 16 flows of every label of its training set, which wsp_enroll tells examples
 * from; training does so itself. opt may be NULL.
 */
WSP_MUST_USE WSP_API wsp_status wsp_references_learn(wsp_model *m, const wsp_tokens *train,
                                                     const wsp_classify_options *opt,
                                                     wsp_error *err);

typedef struct wsp_enrollment {
    size_t examples; /* flows that it was fitted on */
    size_t found;    /* of them, those that get the new label when the others teach it */
    size_t known;    /* reference contexts of known labels of the head */
    size_t lost;     /* of them, those that get the new label now */
} wsp_enrollment;

/*
 * A copy of a model whose head has one label more, learned from all flows of a set: a row of the head is fitted that tells
 * their contexts from the model's references. Logits of other labels stay as they are, and so do temperature and threshold:
 * what was "unknown" may become the new label, and known flows lose what it wins of them. ARG when the head has the label,
 * the set no flow, or the model no reference with a label of the head.
 */
WSP_MUST_USE WSP_API wsp_status wsp_enroll(wsp_model **out, const wsp_model *m, size_t head,
                                           const char *label, const wsp_tokens *examples,
                                           wsp_enrollment *e, wsp_error *err);

/* ---- forging: the same capture from other hosts, to test that labels do not follow them ---- */

enum {
    WSP_FORGE_ADDRESSES = 1, /* MAC, IPv4, IPv6, in ARP and ICMPv6 too; VLANs, labels and tunnels */
    WSP_FORGE_PORTS = 2,     /* of TCP and UDP; well-known ones too */
    WSP_FORGE_TTL = 4,       /* and hop limits */
    WSP_FORGE_NUMBERS = 8,   /* of TCP: sequence, acknowledgement, blocks */
    WSP_FORGE_TIMESTAMPS = 16, /* of TCP */
    WSP_FORGE_NAMES = 32,      /* server names in TLS client hellos */
    WSP_FORGE_ALL = 63
};

typedef struct wsp_forge_options {
    uint64_t seed;
    unsigned what; /* WSP_FORGE_... together */
    /*
     * Canaries: the payload of every plant_every-th packet that has room begins with the next of these strings, so that
     * it can be told whether what learns from the capture repeats them. Borrowed; n_plant 0: none.
     */
    const char *const *plant;
    size_t n_plant, plant_every;
} wsp_forge_options;
WSP_API wsp_forge_options wsp_forge_options_default(void); /* seed 1, all */

/*
 * Values are mapped one to one within their class: multicast, broadcast, loopback and zero stay, private addresses stay
 * private; what was equal stays equal, in all captures of one seed. Groups of solicited nodes follow the addresses that they end
 * as. Right checksums are made right, wrong ones stay wrong. One forger a capture; lengths and times do not change.
 */
typedef struct wsp_forger wsp_forger;
WSP_MUST_USE WSP_API wsp_status wsp_forger_new(wsp_forger **out, int linktype,
                                               const wsp_forge_options *opt);
/* out->data is valid until the next call. */
WSP_MUST_USE WSP_API wsp_status wsp_forger_frame(wsp_forger *f, const wsp_frame *in,
                                                 wsp_frame *out);
/* Packets so far that hold what is not taken apart: addresses in it, if there are any, were not mapped. */
WSP_API uint64_t wsp_forger_opaque(const wsp_forger *f);
WSP_API void wsp_forger_free(wsp_forger *f);

/* ---- changed captures: what becomes of answers when captures are worse ---- */

typedef enum wsp_change_kind {
    WSP_CHANGE_NONE,
    WSP_CHANGE_FORGED,  /* other hosts, see above; seed 1 */
    WSP_CHANGE_SNAPLEN, /* no packet has more than n bytes */
    WSP_CHANGE_SKIP,    /* the first n packets of every flow are missing */
    WSP_CHANGE_HEADERS, /* packets are cut where their payload begins */
    WSP_CHANGE_CLIENT,  /* of every flow only what the sender of its first packet sends */
    WSP_CHANGE_SERVER,  /* only what the other one sends */
    WSP_CHANGE_LOST,    /* n of 100 packets, by chance, are missing; seed 1 for each capture */
} wsp_change_kind;

typedef struct wsp_change {
    wsp_change_kind kind;
    uint64_t n;
} wsp_change;

/* "none", "forged", "snaplen=64", "skip=10", "headers", "client", "server", "lost=5"; ARG for anything else. */
WSP_MUST_USE WSP_API wsp_status wsp_change_parse(const char *text, wsp_change *out);

/*
 * Changes one capture after the other: `capture` numbers them in any way that tells one from the next. EOF: this packet is
 * not there. out->data is in->data, or valid until the next call; out may be in.
 */
typedef struct wsp_changer wsp_changer;
WSP_MUST_USE WSP_API wsp_status wsp_changer_new(wsp_changer **out, const wsp_change *change);
WSP_MUST_USE WSP_API wsp_status wsp_changer_frame(wsp_changer *c, size_t capture, int linktype,
                                                  const wsp_frame *in, wsp_frame *out);
/* What a flow of the capture at work was before, so that lists of labels know it. */
WSP_API wsp_flow_key wsp_changer_key(const wsp_changer *c, const wsp_flow_key *key);
WSP_API void wsp_changer_free(wsp_changer *c);

/* How many of the flows that a list knows nDPI reads a protocol out of (no guesses), and how many as the list has it. */
typedef struct wsp_label_rate {
    uint64_t flows, told, right;
} wsp_label_rate;

typedef struct wsp_rate_options {
    const wsp_labels *labels;
    wsp_change change;
    bool (*want)(void *arg, const char *capture); /* or NULL: captures that are read at all */
    void *arg;
} wsp_rate_options;

/* Reads the input to its end. */
WSP_MUST_USE WSP_API wsp_status wsp_label_rate_of(wsp_input *in, const wsp_rate_options *opt,
                                                  wsp_label_rate *rate, wsp_error *err);

#ifdef __cplusplus
}
#endif
#endif
