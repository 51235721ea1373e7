/* SPDX-License-Identifier: Apache-2.0 */
/*
 * token.h: packets <-> tokens. The codec is predictive and lossless: a flow context known to both sides predicts every
 * header field; only what differs is coded. Tokens (uint16) carry what is worth learning, the residual stream (bytes)
 * carries what is arbitrary but needed to give the packet back. Tokens + residuals = the capture, byte for byte.
 *
 * Grammar of one packet:  dir gap length  [stack]  {exceptions in canonical order}  [payload kind, bytes]  end
 * A flow that really ended closes with a pseudo-packet of one token, "flow.end".
 */
#ifndef WIRESPEAK_TOKEN_H
#define WIRESPEAK_TOKEN_H

#include "wirespeak/base.h"
#include "wirespeak/capture.h"
#include "wirespeak/flow.h"
#include "wirespeak/packet.h"

#ifdef __cplusplus
extern "C" {
#endif

/* ---- vocabulary: made from the field tables; the same in every build of one version ---- */

WSP_API uint32_t wsp_vocab_size(void);
WSP_API uint64_t
wsp_vocab_version(void); /* hash of every name in order: changes when any token changes meaning */
/*
 * The vocabulary as ranges of ids, for a softmax in two steps: what belongs together (a field's values, strings that are
 * about as common), of at most 128 tokens each. The first ids of up to `max` of them go to first; returns how many there are.
 */
WSP_API size_t wsp_vocab_ranges(uint16_t *first, size_t max);
WSP_API const char *wsp_vocab_name(uint16_t id, char *buf,
                                   size_t len); /* "tcp.flags=SYN"; buf is returned */
WSP_API bool wsp_vocab_deviates(
    uint16_t id); /* a token that a valid generated packet does not use */

/* A field that has tokens: of a network layer or an application protocol. Strings are static. */
typedef struct wsp_field_info {
    const char *protocol, *field;
    const char *kind;      /* how it becomes tokens: computed, enumerated, magnitude, ... */
    const char *predictor; /* "" where its walk decides */
    const char *subject;   /* what policies call it */
    unsigned bits, n_tokens, first_token;
} wsp_field_info;
/* The i-th field in the order of the vocabulary; false after the last. */
WSP_API bool wsp_field_get(size_t i, wsp_field_info *info);

/* ---- flow context, codec (wsp_packet is in packet.h) ---- */

/* Per-flow memory of the codec. Both sides start from wsp_context_init. Plain memory of wsp_context_size() bytes. */
typedef struct wsp_context wsp_context;
WSP_API size_t wsp_context_size(void);
WSP_API void wsp_context_init(wsp_context *ctx, int linktype);

enum { WSP_MAX_PACKET_TOKENS = 512 }; /* no packet codes to more */

/*
 * Codes the dissected packet of direction `dir` (0 = from the initiator) and moves the context on. `number` counts the
 * packets of the capture (all flows), so that order can be restored. ids: room for WSP_MAX_PACKET_TOKENS; *n set. Of a packet
 * with so many headers that it would have more, only the outer ones are headers, and p keeps only these.
 * Residual bytes are appended to `resid` (an opaque growable buffer, see wsp_residual_*).
 */
typedef struct wsp_residual wsp_residual;
WSP_MUST_USE WSP_API wsp_status wsp_residual_new(wsp_residual **out);
WSP_API void wsp_residual_free(wsp_residual *r);
WSP_API const uint8_t *wsp_residual_data(const wsp_residual *r, size_t *len);
WSP_API void wsp_residual_reset(wsp_residual *r);

WSP_MUST_USE WSP_API wsp_status wsp_encode_packet(wsp_context *ctx, wsp_packet *p, int dir,
                                                  uint64_t number, uint16_t *ids, size_t *n,
                                                  wsp_residual *resid);

/* A decoded packet: frame.data points into the decoder and is valid until its next call. */
typedef struct wsp_decoded {
    wsp_frame frame;
    uint64_t number;
    int dir;
} wsp_decoded;

typedef struct wsp_decoder
    wsp_decoder; /* scratch memory of decoding; use for any number of flows */
WSP_MUST_USE WSP_API wsp_status wsp_decoder_new(wsp_decoder **out);
WSP_API void wsp_decoder_free(wsp_decoder *d);

/*
 * Decodes the packet that starts at ids[0], of at most n tokens, reading residuals from *resid (advanced).
 * *used = tokens of it. WSP_EOF: the token was flow.end. WSP_ERR_FORMAT: not a sequence that the coder writes.
 */
WSP_MUST_USE WSP_API wsp_status wsp_decode_packet(wsp_decoder *d, wsp_context *ctx,
                                                  const uint16_t *ids, size_t n, size_t *used,
                                                  const uint8_t **resid, const uint8_t *resid_end,
                                                  wsp_decoded *out, wsp_error *err);

/* ---- grammar, for sampling ---- */

/* A host of samples, and its addresses. */
typedef struct wsp_host {
    uint8_t mac[6], ip[4], ip6[16];
} wsp_host;

/*
 * Where residual values come from when there is no recorded stream: hosts, random numbers. A model draws of what class an address
 * is (of the host, a private or public one; of its network card, its maker's or one given locally): the flow is of the first of a
 * side's hosts whose addresses are of such classes. With one host on a side there is no choice.
 */
typedef struct wsp_filler {
    uint64_t seed;             /* of this flow */
    uint64_t start_ns;         /* time of the first packet */
    wsp_host client, server;   /* the usual ones */
    const wsp_host *others[2]; /* of the client's side, the server's [n_others], borrowed */
    size_t n_others[2];
    uint16_t client_port;
    bool
        service_ports; /* well-known ports of protocols without a grammar are written, not others in their place */
    /* ... of these, too, whose payloads the caller writes: they speak no protocol that has a grammar; NULL: none */
    bool (*serves)(uint16_t port, bool tcp);
    uint8_t
        app; /* what servers on ports of no protocol speak, as the generator numbers it; 0: anything */
} wsp_filler;

/*
 * What may follow the n tokens of an unfinished packet: legal[] (wsp_vocab_size() bytes) is set to 1 for tokens that
 * continue it, deviations included only if `deviations`. *done = the packet is complete (the last token was "end" or
 * "flow.end"); then nothing is legal. The context is not changed.
 */
WSP_MUST_USE WSP_API wsp_status wsp_grammar_next(wsp_decoder *d, const wsp_context *ctx,
                                                 const uint16_t *ids, size_t n,
                                                 const wsp_filler *fill, bool deviations,
                                                 uint8_t *legal, bool *done, wsp_error *err);

/* The packet that a complete sequence of sampled tokens stands for; residuals come from `fill`. Moves the context on. */
WSP_MUST_USE WSP_API wsp_status wsp_grammar_build(wsp_decoder *d, wsp_context *ctx,
                                                  const uint16_t *ids, size_t n,
                                                  const wsp_filler *fill, wsp_decoded *out,
                                                  wsp_error *err);

/* ---- mask policies: what the model may see ---- */

/* A named policy; the table is in man 7 wirespeak-tokens. NULL name = the default for classification, identity-free. */
typedef struct wsp_policy wsp_policy;
WSP_API const wsp_policy *wsp_policy_get(
    const char *name); /* static, or NULL if there is no such policy */
WSP_API const char *wsp_policy_name(const wsp_policy *p);
WSP_API const wsp_policy *wsp_policy_at(size_t i); /* i-th policy, NULL after the last */
WSP_API const char *wsp_policy_summary(const wsp_policy *p);

/* The table: the i-th subject (NULL after the last), and keep, class, drop or relative for it. Static. */
WSP_API const char *wsp_policy_subject(size_t i);
WSP_API const char *wsp_policy_treatment(const wsp_policy *p, size_t i);

/*
 * What the model reads of a packet: copies the tokens that the policy keeps, text tokens cut to max_payload, all cut to
 * max_tokens (the end token is always kept). Text behind a field goes with the field; bytes that no transport carries (neighbour
 * discovery, routing, bridges) are a subject of their own, as their matter are hosts. *seen belongs to the flow and is 0
 * before its first packet; NULL: both directions have been seen. Returns how many. out may be ids.
 */
WSP_API size_t wsp_policy_apply(const wsp_policy *p, const uint16_t *ids, size_t n,
                                size_t max_payload, size_t max_tokens, uint8_t *seen,
                                uint16_t *out);

/* ---- token files (.npz): see man 5 wirespeak-tokens-file ---- */

#define WSP_HEAD_NAME 32 /* bytes of a head's name at most, its zero byte among them */

/* A set of tokenised flows in memory: columns, all owned by the set. */
typedef struct wsp_tokens {
    size_t n_captures, n_flows, n_packets, n_tokens, n_residuals;
    uint16_t *ids;          /* [n_tokens], under the policy "everything" */
    uint64_t *packet_off;   /* [n_packets + 1] in tokens */
    uint64_t *flow_off;     /* [n_flows + 1] in packets */
    uint8_t *residuals;     /* [n_residuals] */
    uint64_t *residual_off; /* [n_flows + 1] in bytes */
    uint32_t *capture;      /* [n_flows] index into captures: the group id for splits */
    uint8_t *flow_end;      /* [n_flows] wsp_flow_end */
    char **captures;        /* [n_captures] names */
    int *linktype;          /* [n_captures] */
    size_t n_heads;
    char **heads;        /* [n_heads] names of label columns, of less than WSP_HEAD_NAME bytes */
    size_t *n_labels;    /* [n_heads] */
    char ***label_names; /* [n_heads][n_labels] */
    int32_t **labels;    /* [n_heads][n_flows], -1 = not labelled */
} wsp_tokens;

/* drop_residuals: leaves residuals out (anonymous by construction; cannot be turned back into packets). */
WSP_MUST_USE WSP_API wsp_status wsp_tokens_save(const wsp_tokens *t, const char *path,
                                                bool drop_residuals, wsp_error *err);
/*
 * The same from several sets, one after the other, so that a file can be larger than memory: captures are numbered
 * alike in all of them. `finish` takes captures and labels (of all flows) from its set and makes the file appear; before,
 * columns wait in files without a name in its folder. compress: deflated members; else stored ones.
 */
typedef struct wsp_tokens_writer wsp_tokens_writer;
WSP_MUST_USE WSP_API wsp_status wsp_tokens_writer_open(wsp_tokens_writer **out, const char *path,
                                                       bool drop_residuals, bool compress,
                                                       wsp_error *err);
WSP_MUST_USE WSP_API wsp_status wsp_tokens_writer_add(wsp_tokens_writer *w, const wsp_tokens *t,
                                                      wsp_error *err);
WSP_MUST_USE WSP_API wsp_status wsp_tokens_writer_finish(wsp_tokens_writer *w, const wsp_tokens *t,
                                                         wsp_error *err);
WSP_API void wsp_tokens_writer_free(wsp_tokens_writer *w);

/* Checks every length, offset and id; refuses files of another vocabulary version (UNSUPPORTED). */
WSP_MUST_USE WSP_API wsp_status wsp_tokens_load(wsp_tokens **out, const char *path, wsp_error *err);
WSP_API void wsp_tokens_free(wsp_tokens *t);

/*
 * Several sets as one, to train on: their flows one after the other, without residuals. Heads and labels of the same name are one; a
 * flow of a set without a head is not labelled there. Captures stay apart, also those of the same name. NOMEM only.
 */
WSP_MUST_USE WSP_API wsp_status wsp_tokens_join(wsp_tokens **out, const wsp_tokens *const *set,
                                                size_t sets, wsp_error *err);

/* ---- whole inputs ---- */

/*
 * What the packets of a run take in bytes, coded in several ways. All compressors read what a nanosecond pcap file of
 * each capture holds, one file after the other in one stream, whatever container the packets came in.
 */
typedef struct wsp_sizes {
    uint64_t packets;
    uint64_t raw; /* as those pcap files */
    uint64_t tokens,
        residuals; /* coded by their own frequencies (order 0): all flows, one after the other */
    uint64_t gzip, xz,
        zstd; /* levels 9, 6 and 19; WSP_SIZE_UNKNOWN when libarchive lacks the method */
} wsp_sizes;

#define WSP_SIZE_UNKNOWN UINT64_MAX

typedef struct wsp_tokenize_stats {
    uint64_t captures,
        broken; /* captures read; of them cut off or lying somewhere (what came before is kept) */
    uint64_t packets, flows, bytes; /* bytes as captured */
    uint64_t kept;    /* packets that came into the set: the first max_packets of each flow */
    uint64_t unread;  /* paths that were no captures (keep_going of the input) */
    uint64_t joined;  /* files that are one capture, of a joined input */
    uint64_t opaque;  /* captures of link types that are not taken apart (see wsp_packet_link) */
    uint64_t evicted; /* flows that ended because of max_flows or max_open_bytes */
    uint64_t header_tokens, payload_tokens; /* payload: kind and text; header: all others */
    uint64_t residual_bytes;
    uint64_t
        layer_tokens[96];  /* header tokens by layer of their field; names from wsp_layer_name */
    uint64_t frame_tokens; /* of the header tokens: direction, time, length, stack, end */
    uint64_t app_tokens;   /* of the header tokens: fields of application protocols */
    wsp_sizes sizes;       /* zeros unless asked for */
} wsp_tokenize_stats;

WSP_API const char *wsp_layer_name(size_t i); /* NULL after the last */

/* How often a header field was as predicted: seen - told - remainder times it cost nothing. */
typedef struct wsp_prediction {
    const char *field, *predictor; /* static */
    uint64_t seen;                 /* packets that have the field */
    uint64_t told;                 /* a token had to say what it is */
    uint64_t remainder;            /* no token, but bytes of residuals */
} wsp_prediction;
WSP_API size_t wsp_prediction_count(void); /* fields of network layers */

/*
 * Called for every flow when it has ended and is flow `index` of the set; flow is borrowed. flow->file is the capture that it begins
 * in, valid as long as the set and the input: its capture's name, but of a joined input (capture.h) that of one of the files.
 */
typedef wsp_status wsp_flow_tokens_fn(void *arg, const wsp_flow *flow, const wsp_tokens *set,
                                      size_t index);

/*
 * Called for every packet of capture 0, 1, ... when its flow is known; all is borrowed. EOF: the flow is not wanted, and does
 * not come into the set; say so for all of its packets.
 */
typedef wsp_status wsp_packet_fn(void *arg, size_t capture, int linktype, const wsp_frame *frame,
                                 const wsp_packet *packet, const wsp_flow *flow);

/* Takes the flows of a set over: when it returns, they leave the set, and indexes start at 0 again. */
typedef wsp_status wsp_tokens_drain_fn(void *arg, const wsp_tokens *set);

typedef struct wsp_tokenize_options {
    bool keep;             /* false: count only; *out is an empty set, on_flow is not called */
    bool sizes;            /* compress as well, into stats->sizes: slow */
    bool drop_residuals;   /* do not keep them */
    size_t max_tokens;     /* limit of what is held (LIMIT beyond), 0 = none */
    size_t max_packets;    /* of a flow that are kept, 0 = all; fewer cannot be turned back */
    size_t max_flows;      /* open at a time; beyond, the least recently used ends; 0 = 1,000,000 */
    size_t max_open_bytes; /* kept of open flows, likewise; 0 = no limit */
    wsp_prediction *predictions; /* NULL, or [wsp_prediction_count()] to be filled */
    bool (*want)(void *arg, const char *capture); /* or NULL: captures that are read at all */
    /* or NULL; puts another packet in the place of one of capture 0, 1, ...; EOF: none */
    wsp_status (*change)(void *arg, size_t capture, int linktype, const wsp_frame *in,
                         wsp_frame *out);
    wsp_packet_fn *on_packet;    /* or NULL */
    wsp_flow_tokens_fn *on_flow; /* or NULL; a negative status ends the run */
    /* or NULL; called at the end (after a failure, too), and before when the set is large */
    wsp_tokens_drain_fn *drain;
    size_t drain_flows; /* flows that are a large set; 0: only its bytes count */
    bool only_kept;     /* packets beyond max_packets are counted, not coded */
    void *arg;
} wsp_tokenize_options;

/*
 * Reads an input to its end and codes every packet. Flows are those of a flow table with default
 * options but for max_flows. A capture that breaks off is kept up to there, logged as a warning and counted in
 * stats->broken. stats->unread is what the input passed over by keep_going.
 */
WSP_MUST_USE WSP_API wsp_status wsp_tokenize(wsp_input *in, const wsp_tokenize_options *opt,
                                             wsp_tokens **out, wsp_tokenize_stats *stats,
                                             wsp_error *err);

/*
 * Writes capture `i` of the set back, packets in their first order. FORMAT when the set has no residuals, or tokens or residuals that
 * are no packet's.
 */
WSP_MUST_USE WSP_API wsp_status wsp_detokenize(const wsp_tokens *t, size_t i, wsp_pcap_writer *w,
                                               uint64_t *packets, wsp_error *err);

#ifdef __cplusplus
}
#endif
#endif
