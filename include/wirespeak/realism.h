/* SPDX-License-Identifier: Apache-2.0 */
/*
 * realism.h: how close generated captures are to real ones: distances of header fields and of flows, validity, what nDPI
 * says, whether trees can tell them apart or learn from them, and what of the training captures comes out again.
 */
#ifndef WIRESPEAK_REALISM_H
#define WIRESPEAK_REALISM_H

#include "wirespeak/base.h"
#include "wirespeak/capture.h"
#include "wirespeak/generate.h"
#include "wirespeak/model.h"
#include "wirespeak/score.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Every 16 bytes in a row of the payloads of some captures, to be looked for in others. */
typedef struct wsp_verbatim wsp_verbatim;

/* ---- captures to be compared ---- */

/* Flows of captures with all that is measured of them. */
typedef struct wsp_traffic wsp_traffic;

typedef struct wsp_traffic_options {
    size_t max_packets; /* of a flow that count, the first ones; default 24 */
    /* what the flows are: those in none of the lists do not count; n_lists 0: all count, and nobody knows what they are */
    const wsp_labels *const *lists;
    size_t n_lists;
    bool ndpi;                 /* ask nDPI of every flow that counts */
    bool payload;              /* keep payloads, for wsp_verbatim_new */
    bool frames;               /* keep the first bytes of flows of Ethernet, for wsp_bytes */
    const char *pcap;          /* or NULL: also write the packets that count (of Ethernet) there */
    wsp_verbatim *const *scan; /* [n_scan] look in the payloads that count for the bytes of these */
    size_t n_scan;
    bool (*want)(void *arg, const char *capture); /* or NULL: captures that are read at all */
    void *arg;
} wsp_traffic_options;

WSP_API wsp_traffic_options wsp_traffic_options_default(void);

/* Reads the input to its end. ARG when no flow counts. */
WSP_MUST_USE WSP_API wsp_status wsp_traffic_read(wsp_traffic **out, wsp_input *in,
                                                 const wsp_traffic_options *opt, wsp_error *err);
WSP_API void wsp_traffic_free(wsp_traffic *t);

/*
 * Of each class as many flows as `like` has, or all if there are fewer: a part of the same traffic, which must live longer.
 * ARG when there are none.
 */
WSP_MUST_USE WSP_API wsp_status wsp_traffic_part(wsp_traffic **out, const wsp_traffic *t,
                                                 const wsp_traffic *like, wsp_error *err);

typedef struct wsp_traffic_counts {
    size_t captures, flows, packets, classes; /* that count; captures with at least one such flow */
    size_t left_out;                          /* flows that are in none of the lists */
    size_t not_ethernet;                      /* packets that are not in the pcap file */
} wsp_traffic_counts;
WSP_API wsp_traffic_counts wsp_traffic_counts_get(const wsp_traffic *t);

/* ---- validity, by our own parser ---- */

typedef enum wsp_fault {
    WSP_FAULT_UNPARSED, /* nothing but payload behind the link header */
    WSP_FAULT_CHECKSUM,
    WSP_FAULT_LENGTH,     /* or another field that can be computed */
    WSP_FAULT_NO_SYN,     /* a TCP flow that begins without */
    WSP_FAULT_GAP,        /* TCP data that nobody sent: the sequence number jumps ahead */
    WSP_FAULT_BACK,       /* data that had been sent before */
    WSP_FAULT_ACK_AHEAD,  /* of what was not sent */
    WSP_FAULT_ACK_BACK,   /* below an earlier one */
    WSP_FAULT_AFTER_FIN,  /* data behind the end */
    WSP_FAULT_TSVAL,      /* a timestamp below an earlier one */
    WSP_FAULT_TSECR,      /* the echo of a timestamp that was not sent */
    WSP_FAULT_SYN_OPTION, /* window scale, MSS or SACK permitted without SYN */
    WSP_FAULTS,
} wsp_fault;

WSP_API const char *wsp_fault_name(wsp_fault fault);
/* Packets with the fault, of those that count; NO_SYN: flows. */
WSP_API size_t wsp_traffic_faults(const wsp_traffic *t, wsp_fault fault);

/* ---- nDPI ---- */

/* Of flows whose class is known. */
typedef struct wsp_agreement {
    const char *name;           /* of the class, lives as long as the traffic */
    size_t flows, right, named; /* named as the class; named by what is in the packets at all */
    size_t guessed;             /* named as the class, guesses by port included */
    const char *other;          /* what flows of it are most often called instead, or NULL */
    size_t n_other;
} wsp_agreement;

/* A row for each class that has flows, the largest first: *rows to be freed with free(). */
WSP_MUST_USE WSP_API wsp_status wsp_traffic_agreement(const wsp_traffic *t, wsp_agreement **rows,
                                                      size_t *n);

/* ---- distances ---- */

typedef enum wsp_distance_kind {
    WSP_DISTANCE_HEADER,   /* what every packet has: lengths, gaps, ports, TTL, flags, window */
    WSP_DISTANCE_ADDRESS,  /* of networks: what the user asked for, in no mean */
    WSP_DISTANCE_FIELD,    /* a field of a protocol's table */
    WSP_DISTANCE_IDENTITY, /* of addresses and tags, in no mean */
    WSP_DISTANCE_FLOW,     /* of whole flows */
    WSP_DISTANCE_KINDS,
} wsp_distance_kind;

/* Both sides over the same fixed bins: see wirespeak-eval(1). */
typedef struct wsp_distance {
    const char *name; /* static */
    wsp_distance_kind kind;
    size_t n[2]; /* values of either side */
    double
        jsd; /* Jensen-Shannon divergence in base 2: 0 to 1; 1 where one side has none; NaN: neither has */
    double tvd;   /* total variation distance, 0 to 1 */
    double shift; /* Wasserstein-1 in bins; NaN where bins have no order */
} wsp_distance;

WSP_API size_t wsp_distance_count(void);

/* Of two counts over n bins; NaN when either is empty. */
WSP_API double wsp_jsd(const double *a, const double *b, size_t n);

typedef enum wsp_half {
    WSP_WHOLE,
    WSP_HALF_FLOWS,    /* every flow falls into one of two halves by chance */
    WSP_HALF_CAPTURES, /* every capture does; flows when there is only one */
} wsp_half;

/* Of two sets; or, with b = NULL, of the two halves of one. out [wsp_distance_count()]. */
WSP_MUST_USE WSP_API wsp_status wsp_distances(const wsp_traffic *a, const wsp_traffic *b,
                                              wsp_half half, wsp_distance *out);

/*
 * Mean JSD of the distances of a kind for which `real` has at least `least` values on its first side. Several sets are
 * compared by the same rows in this way.
 */
WSP_API double wsp_distance_mean(const wsp_distance *d, const wsp_distance *real,
                                 wsp_distance_kind kind, size_t least);

/* ---- what trees can tell, and learn ---- */

/* Trees that try to tell two sets of flows apart: five folds, as many flows of either side. */
typedef struct wsp_discrimination {
    size_t flows; /* of both sides together */
    double f1;    /* macro-F1; 0.5: they cannot */
    double accuracy;
    double p; /* how probable an accuracy as high is when there is nothing to tell */
} wsp_discrimination;

typedef struct wsp_discriminate_options {
    size_t most; /* flows of either side at most; default 2000 */
    /*
     * NULL: trees see numbers of the flow and what the mask policy identity-free leaves of its tokens; else they see
     * the contexts of this model after the flow's last packet.
     */
    const wsp_model *encoder;
} wsp_discriminate_options;

WSP_API wsp_discriminate_options wsp_discriminate_options_default(void);

/*
 * Flows of one capture of `real` are never learned from and asked for at once, if it has at least ten captures; of `other`, which
 * all is what one generator says, they are. other = NULL: `real` against itself, split by chance, which is the floor; with flows of
 * other real captures for `other`, it is how much captures differ. ARG with fewer than thirty flows on a side, the half of `real` against itself: trees
 * have twenty rows in a leaf, and would divide nothing.
 */
WSP_MUST_USE WSP_API wsp_status wsp_discriminate(const wsp_traffic *real, const wsp_traffic *other,
                                                 const wsp_discriminate_options *opt,
                                                 wsp_discrimination *out, wsp_error *err);

/* Trees that learn classes from one set and are asked for another's. */
typedef struct wsp_transfer {
    size_t classes, learned, asked; /* classes of both sets, flows learned from, flows asked for */
    double macro_f1, accuracy;
} wsp_transfer;

/*
 * Classes are those that `from`, `to` and `also` (or NULL) have flows of, at least `least` in each. At most `most` flows
 * of a class are learned from, and no more than `also` has, so that two sets can teach as much as each other.
 */
WSP_MUST_USE WSP_API wsp_status wsp_transfer_score(wsp_trees_kind learner, const wsp_traffic *from,
                                                   const wsp_traffic *to, const wsp_traffic *also,
                                                   size_t least, size_t most, wsp_transfer *out,
                                                   wsp_error *err);

/* ---- diversity and memory ---- */

typedef struct wsp_diversity {
    double distinct; /* share of flows whose tokens no earlier flow has */
    size_t patterns; /* different sequences of TCP flags with directions */
    double
        coverage; /* share of real flows that have one of these near: within their fifth neighbour */
    double precision; /* share of these that lie as near to a real flow */
} wsp_diversity;

/* other = NULL: of one half of `real` against the other half. */
WSP_MUST_USE WSP_API wsp_status wsp_diversity_of(const wsp_traffic *real, const wsp_traffic *other,
                                                 wsp_diversity *out);

/* How far flows are from the nearest training flow: edits of tokens (of the first 256, identity-free) over the longer length. */
typedef struct wsp_nearness {
    size_t flows;  /* looked at: 1000 at most */
    double equal;  /* share whose tokens are those of a training flow */
    double low;    /* the 5 % quantile of distances */
    double median; /* and the median */
} wsp_nearness;

WSP_MUST_USE WSP_API wsp_status wsp_nearness_of(const wsp_traffic *t, const wsp_traffic *train,
                                                wsp_nearness *out);

enum { WSP_VERBATIM_BYTES = 16 };

/*
 * Of the payloads of a set that was read with `payload`, which lives longer. Then captures are read with this in their
 * `scan`; then ask.
 */
WSP_MUST_USE WSP_API wsp_status wsp_verbatim_new(wsp_verbatim **out, const wsp_traffic *of,
                                                 wsp_error *err);
WSP_API void wsp_verbatim_free(wsp_verbatim *v);

/* A string of 16 bytes or more that stands in the scanned captures, too. Borrowed from the traffic. */
typedef struct wsp_copy {
    const uint8_t *data;
    size_t len, times; /* how often it is in the payloads */
    size_t captures;   /* that each 16 bytes of it stand in, at least */
} wsp_copy;

typedef struct wsp_verbatim_found {
    size_t packets, bytes;               /* with payload, and of it */
    size_t copied_packets, copied_bytes; /* that have copies; in them */
    size_t rare_packets;                 /* that have a rare one */
    size_t copies, rare; /* different ones; of them, in fewer than `common` captures */
} wsp_verbatim_found;

/* *copies [found->copies], the rarest first, to be freed with free(). */
WSP_MUST_USE WSP_API wsp_status wsp_verbatim_result(const wsp_verbatim *v, size_t common,
                                                    wsp_verbatim_found *found, wsp_copy **copies);

/* Packets with these bytes in their payload. */
WSP_API size_t wsp_traffic_find(const wsp_traffic *t, const void *bytes, size_t len);

/* ---- generators to be compared with ---- */

/* Name of a class of the flows, by number; NULL: there is none. */
WSP_API const char *wsp_traffic_class(const wsp_traffic *t, int32_t number);

/*
 * Draws as many flows of each class as `like` has from how often tokens followed two others in the training flows of the
 * class (flows of classes that training lacks are left out). Of the options count seed, max_packets, max_payload,
 * start_ns, rate, hosts and begins, whose condition is a class of `train`, or -1 when `like` has no classes.
 */
WSP_MUST_USE WSP_API wsp_status wsp_markov(const wsp_traffic *train, const wsp_traffic *like,
                                           const wsp_generate_options *o, wsp_pcap_writer *w,
                                           wsp_error *err);

typedef struct wsp_bytes_options {
    double seconds; /* to train, about: of processor time, in each thread */
    size_t flows;   /* to draw, spread over those of `like` */
    uint64_t seed;
    unsigned threads; /* of training */
} wsp_bytes_options;

typedef struct wsp_bytes_stats {
    uint64_t steps, tokens; /* of training */
    double seconds, nats_per_token;
    size_t parameters, flows, discarded; /* of the model; drawn; packets that did not parse */
} wsp_bytes_stats;

/*
 * A model of bytes in the way of TrafficGPT: 260 tokens, softmax attention inside blocks of 128, linear attention
 * without gates between them, no grammar; trained on `train` (read with `frames`) for a time, so that two runs are not alike. Else as
 * wsp_markov, but that hosts and ports are what the bytes say.
 */
WSP_MUST_USE WSP_API wsp_status wsp_bytes(const wsp_traffic *train, const wsp_traffic *like,
                                          const wsp_bytes_options *o,
                                          const wsp_generate_options *how, wsp_pcap_writer *w,
                                          wsp_bytes_stats *stats, wsp_error *err);

#ifdef __cplusplus
}
#endif
#endif
