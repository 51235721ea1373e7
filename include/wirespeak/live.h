/* SPDX-License-Identifier: Apache-2.0 */
/*
 * live.h: labels for flows while they run. A feed brings packets from interfaces (or files) through a bounded ring, a
 * tagger says what the flows are as soon as it is sure.
 *
 *   interfaces -> [capture thread] -> ring -> wsp_feed_next -> wsp_tagger_push -> records
 */
#ifndef WIRESPEAK_LIVE_H
#define WIRESPEAK_LIVE_H

#include "wirespeak/base.h"
#include "wirespeak/capture.h"
#include "wirespeak/flow.h"
#include "wirespeak/model.h"

#ifdef __cplusplus
extern "C" {
#endif

/* ---- feed: packets through a ring ---- */

typedef struct wsp_feed wsp_feed;

typedef struct wsp_feed_options {
    size_t ring;        /* bytes between capture and consumer; default 64 MiB */
    size_t buffer;      /* of the kernel for each interface; default 32 MiB */
    uint32_t snaplen;   /* bytes of a packet that are captured; default 2048 */
    uint32_t retire_ms; /* the kernel hands packets over at least so often; default 2 */
    bool promiscuous;   /* default true */
    /* 1 to 65535: share the interfaces' packets, flow by flow, with other processes of the same group; 0: no */
    uint32_t fanout;
    const char *filter; /* a BPF expression, or NULL */
    bool skip_bad;      /* of files: as in wsp_input_options */
} wsp_feed_options;

WSP_API wsp_feed_options wsp_feed_options_default(void);

/*
 * Opens interfaces ("any" is all of them). IO when the system refuses, with what to do about it. The capture thread starts
 * with wsp_feed_start, so that privileges can be dropped in between.
 */
WSP_MUST_USE WSP_API wsp_status wsp_feed_interfaces(wsp_feed **out, const char *const *names,
                                                    size_t n, const wsp_feed_options *opt,
                                                    wsp_error *err);
/* The same from captures: packets come as fast as they are taken, none is lost but one larger than a quarter of the ring (ring_drops). */
WSP_MUST_USE WSP_API wsp_status wsp_feed_files(wsp_feed **out, const char *const *paths, size_t n,
                                               const wsp_feed_options *opt, wsp_error *err);
/* ARG: it has been started. */
WSP_MUST_USE WSP_API wsp_status wsp_feed_start(wsp_feed *f, wsp_error *err);

typedef struct wsp_feed_packet {
    wsp_frame frame; /* borrowed until the next wsp_feed_next */
    int linktype;
    uint32_t source;  /* number of the interface, or of the capture */
    const char *name; /* of the source; borrowed until the next wsp_feed_next */
} wsp_feed_packet;

/*
 * The next packet; waits up to wait_ms for one. WSP_OK: *p is filled. WSP_EOF: the captures are at their end, or the feed was stopped
 * and is empty. WSP_ERR_LIMIT: no packet in that time, also while all interfaces are away: they are waited for. Any other error: a
 * capture cannot be read or has broken off (err says which); the packets before it were good, and the next call goes on with
 * the next one.
 */
WSP_MUST_USE WSP_API wsp_status wsp_feed_next(wsp_feed *f, wsp_feed_packet *p, unsigned wait_ms,
                                              wsp_error *err);

/* Name of an interface, or NULL; borrowed. */
WSP_API const char *wsp_feed_interface(const wsp_feed *f, uint32_t source);

/* How full the ring is, 0 to 1. Any thread may ask. */
WSP_API double wsp_feed_fill(const wsp_feed *f);

/* What came, and what was lost where. Counters only grow. Any thread may ask. */
typedef struct wsp_feed_stats {
    uint64_t packets;         /* that the capture thread has read */
    uint64_t bytes;           /* of them, as captured */
    uint64_t kernel_drops;    /* no room in the kernel's buffer */
    uint64_t interface_drops; /* by the interface or its driver, where it tells */
    uint64_t ring_drops;      /* no room in the ring, or larger than a quarter of it */
    uint64_t faults;          /* times that an interface went down or away */
    uint64_t opaque;          /* interfaces and captures of link types that are not taken apart */
} wsp_feed_stats;
WSP_API wsp_feed_stats wsp_feed_stats_get(const wsp_feed *f);

/* Ends the capture; wsp_feed_next gives what is left in the ring, then EOF. May be called from a signal handler. */
WSP_API void wsp_feed_stop(wsp_feed *f);
WSP_API void wsp_feed_free(wsp_feed *f); /* stops first */

/* ---- tagger ---- */

typedef enum wsp_tag_kind {
    WSP_TAG_DECISION, /* what the flow is: said once, while it runs */
    WSP_TAG_UPDATE,   /* the mind has changed (with `follow`) */
    WSP_TAG_END,      /* the flow has ended: counters, and what was last said */
} wsp_tag_kind;

/* Why the flow's label is final. */
typedef enum wsp_tag_reason {
    WSP_TAG_SURE,    /* sure for so many packets in a row */
    WSP_TAG_PACKETS, /* the model reads no more packets */
    WSP_TAG_ENDED,   /* the flow ended before */
    WSP_TAG_SHED,    /* given up, for lack of time or memory */
} wsp_tag_reason;

WSP_API const char *wsp_tag_reason_name(wsp_tag_reason r); /* "sure", "packets", "end", "shed" */

typedef struct wsp_tag_answer {
    int32_t label; /* of the head, or -1: unknown */
    float confidence;
    bool outside; /* made of protocols that the head was not trained on (task.h): unknown */
} wsp_tag_answer;

/* Borrowed for the call. */
typedef struct wsp_tag_record {
    wsp_tag_kind kind;
    wsp_tag_reason reason;
    const wsp_flow *flow; /* as it was after that packet */
    uint64_t flow_id;     /* unique within the tagger's life, from 1 */
    uint32_t source;      /* of the first packet */
    uint32_t packets;     /* that the answers are made of; with `follow` more may have been read */
    uint64_t time_ns;     /* of the packet that decided; of END: of the flow's last packet */
    size_t n_answers;
    const wsp_tag_answer *answers; /* [n_answers] for each head that was asked for, in order */
} wsp_tag_record;

typedef void wsp_tag_fn(void *arg, const wsp_tag_record *record);

typedef struct wsp_tag_options {
    const size_t *heads;   /* [n_heads] of the model; the first of them decides when it is sure */
    size_t n_heads;        /* 0: the model's first head */
    double sure;           /* a label of at least this probability, default 0.9 ... */
    uint32_t run;          /* ... in so many packets in a row is a decision, default 2 */
    uint32_t max_packets;  /* the model reads no more of a flow; 0 = as in training */
    double min_confidence; /* below it a label is unknown; negative: the head's own threshold */
    bool follow;           /* read on after a decision, up to max_packets, and say what changes */
    size_t memory;         /* bytes for flows and what is known of them; default 512 MiB */
    uint64_t idle_ns, active_ns; /* as of wsp_flow_table_options; default 120 s and 1800 s */
    wsp_dtype dtype;
    wsp_tag_fn *record;
    void *arg;
} wsp_tag_options;

WSP_API wsp_tag_options wsp_tag_options_default(void);

typedef struct wsp_tagger wsp_tagger;

/* The model is borrowed. UNSUPPORTED for one of another vocabulary, LIMIT when the memory is too little to work with. */
WSP_MUST_USE WSP_API wsp_status wsp_tagger_new(wsp_tagger **out, const wsp_model *m,
                                               const wsp_tag_options *opt, wsp_error *err);

/*
 * Takes a packet. Records come from within the calls on the tagger: flows that begin as others did are decided at once, others
 * wait until they are computed: by push itself, a batch at a time when one is full, by wsp_tagger_step, or all by wsp_tagger_run.
 */
WSP_MUST_USE WSP_API wsp_status wsp_tagger_push(wsp_tagger *t, uint32_t source, int linktype,
                                                const wsp_frame *frame, wsp_error *err);
/* Computes some of what waits: a batch, of a few milliseconds. */
WSP_MUST_USE WSP_API wsp_status wsp_tagger_step(wsp_tagger *t, wsp_error *err);
/* Computes all that waits. */
WSP_MUST_USE WSP_API wsp_status wsp_tagger_run(wsp_tagger *t, wsp_error *err);
WSP_API size_t wsp_tagger_waiting(const wsp_tagger *t);

/* Ends the flows whose idle time is over at `now_ns`, where no packet comes to show that time goes on. */
WSP_MUST_USE WSP_API wsp_status wsp_tagger_expire(wsp_tagger *t, uint64_t now_ns, wsp_error *err);
/* Ends all flows. The tagger goes on with new ones. */
WSP_MUST_USE WSP_API wsp_status wsp_tagger_flush(wsp_tagger *t, wsp_error *err);

/*
 * There is more work than time: gives up a quarter of the flows that are read: first those that began in a crowd (more than one of
 * 16 new flows had a first packet of the same transport, TCP flags and length), of them the oldest first.
 */
WSP_API void wsp_tagger_shed(wsp_tagger *t);
/*
 * false: flows that begin are given up at once and cost no more than a look into the table; where crowds are most of them, those
 * beside the crowds are read on. true (the start): all are read.
 */
WSP_API void wsp_tagger_admit(wsp_tagger *t, bool new_flows);
/*
 * true: packets come first. Nothing is computed unless very much waits, and while a batch waits flows that begin are given up as
 * above; flows that are read wait, and one that ends meanwhile, before it is known what its packets say, is given up: it has the
 * answers that were known. false (the start): batches are computed as they fill.
 */
WSP_API void wsp_tagger_hold(wsp_tagger *t, bool held);

/* Counters but for those that say "now". */
typedef struct wsp_tag_stats {
    uint64_t packets;
    uint64_t flows, flows_now;
    uint64_t undecided_now; /* those that are followed are decided */
    uint64_t by_model;      /* flows decided by a computation of their own */
    uint64_t by_prefix;     /* by what was known of other flows that began alike */
    uint64_t at_end;        /* flows that ended before anything was sure */
    uint64_t updates;
    uint64_t shed_time, shed_memory; /* given up: too much to do, too little memory */
    uint64_t evicted;                /* ended early because the flow table was full */
    uint64_t rows, rows_known; /* packets that models had to know, and those that were known */
    uint64_t rows_again;       /* computed again, because their state had been given away */
    size_t beginnings_now, states_now, memory_now;
} wsp_tag_stats;
WSP_API wsp_tag_stats wsp_tagger_stats(const wsp_tagger *t);
WSP_API void wsp_tagger_free(wsp_tagger *t); /* without records for the flows that are open */

#ifdef __cplusplus
}
#endif
#endif
