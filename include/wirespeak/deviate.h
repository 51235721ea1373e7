/* SPDX-License-Identifier: Apache-2.0 */
/*
 * deviate.h: packets that break the rules of their protocols, on purpose, where the field tables say that there is
 * something to break; every deviation is told to the caller, so that what it does to a program can be explained.
 */
#ifndef WIRESPEAK_DEVIATE_H
#define WIRESPEAK_DEVIATE_H

#include "wirespeak/base.h"
#include "wirespeak/capture.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef enum wsp_deviation_kind {
    WSP_DEVIATE_VALUE, /* a field outside its range, or at its edge; all that is computed is right */
    WSP_DEVIATE_CHECKSUM, /* a checksum that is wrong */
    WSP_DEVIATE_LENGTH,   /* a length that is wrong, of a header or in a payload */
    WSP_DEVIATE_OVERLAP,  /* a TCP segment or an IPv4 fragment over another one, with other bytes */
    WSP_DEVIATE_ORDER,    /* one of a flow's first packets after the next one, or twice */
    WSP_DEVIATE_TRUNCATE, /* a message that ends too early, or a packet that the capture cut */
    WSP_DEVIATE_OPTIONS,  /* as many options as fit, odd ones; elements of a message many times */
    WSP_DEVIATE_RARE, /* nothing is wrong: a value that the model finds improbable; drawn with the packet (generate.h) */
    WSP_DEVIATIONS
} wsp_deviation_kind;

/* "value", "checksum", ...; NULL after the last. */
WSP_API const char *wsp_deviation_name(size_t kind);

enum { WSP_DEVIATION_TEXT = 160 }; /* room for the longest text, NUL included: none is ever cut */

/* One deviation. Texts end with NUL; numbers are decimal, bytes hexadecimal behind 0x. */
typedef struct wsp_deviation {
    uint64_t packet; /* its number among those that came out, from 1, as in Wireshark */
    uint64_t flow;   /* counts up from 0 in order of first packets */
    wsp_deviation_kind kind;
    char field[48]; /* "tcp.window", "dns.qtype"; "frame" when it is the whole packet */
    char from[WSP_DEVIATION_TEXT], to[WSP_DEVIATION_TEXT];
    uint32_t at, bytes; /* where it is in the packet; of RARE: 0, a token is not at a place */
} wsp_deviation;

typedef struct wsp_deviate_options {
    double rate; /* share of packets that deviate, [0, 1] */
    unsigned
        kinds;     /* bit k: kind k may come; RARE: such packets come in, wsp_deviate_rare of all */
    uint64_t seed; /* the same packets and seed give the same deviations */
    int linktype;  /* of the frames */
    /*
     * clients: only what initiators of flows send deviates. payloads: only what is behind the headers: CHECKSUM and OVERLAP
     * have no place then, and ORDER is what is sent again.
     */
    bool clients, payloads;
    /* Called for every packet that comes out, in order, with its flow and direction (0: from the initiator). */
    wsp_status (*packet)(void *arg, const wsp_frame *frame, uint64_t flow, int dir, wsp_error *err);
    /* Called for every deviation, before its packet comes out; or NULL. */
    wsp_status (*log)(void *arg, const wsp_deviation *d, wsp_error *err);
    void *arg;
} wsp_deviate_options;

/* "0.1", "0.1:checksum", "0.1:length,options" into rate and kinds; all kinds when none is named. ARG for anything else. */
WSP_MUST_USE WSP_API wsp_status wsp_deviate_parse(const char *text, double *rate, unsigned *kinds);

/*
 * How much of a rate is for packets that are drawn with a rare value: its even share of the kinds, 0 without RARE. The
 * deviator leaves so much to them, and none of those get a second deviation.
 */
WSP_API double wsp_deviate_rare(double rate, unsigned kinds);

/*
 * Takes packets in time order and gives them on, some with one deviation each. Sequence numbers of later packets follow
 * when a TCP payload has changed its length. A deviator is for one capture. Its memory grows with open flows.
 * has: the deviation that a packet has already (its packet and flow are not read), or NULL. new: ARG for a rate that is none.
 */
typedef struct wsp_deviator wsp_deviator;
WSP_MUST_USE WSP_API wsp_status wsp_deviator_new(wsp_deviator **out,
                                                 const wsp_deviate_options *opt);
WSP_MUST_USE WSP_API wsp_status wsp_deviator_add(wsp_deviator *d, const wsp_frame *frame,
                                                 const wsp_deviation *has, wsp_error *err);
/* Gives on what was held back. */
WSP_MUST_USE WSP_API wsp_status wsp_deviator_finish(wsp_deviator *d, wsp_error *err);
WSP_API void wsp_deviator_free(wsp_deviator *d);

/* ---- mutators: for fuzzers, inputs that differ where their protocols say that there is something to differ in ---- */

typedef enum wsp_mutator_form {
    WSP_MUTATE_PCAP,    /* an input is a pcap file */
    WSP_MUTATE_FRAME,   /* one frame, from its Ethernet header on */
    WSP_MUTATE_PAYLOAD, /* what is behind TCP or UDP */
} wsp_mutator_form;

typedef struct wsp_mutator_options {
    uint64_t seed; /* the same inputs in the same order and the same seed give the same outputs */
    wsp_mutator_form form;
    uint16_t port; /* of a payload: the server's, which says what it may be */
    bool stream;   /* of a payload: over TCP */
} wsp_mutator_options;

typedef struct wsp_mutator wsp_mutator;
WSP_MUST_USE WSP_API wsp_status wsp_mutator_new(wsp_mutator **out, const wsp_mutator_options *opt);

/*
 * Changes an input: fields, lengths, order, options as deviations do; packets and payloads of `other` (may be NULL); new
 * ends of packets, drawn from the grammar by how often tokens followed each other in the inputs so far. *out is valid
 * until the next call, and has at most `max` bytes. An input that does not parse is changed byte by byte.
 */
WSP_MUST_USE WSP_API wsp_status wsp_mutator_mutate(wsp_mutator *m, const uint8_t *in, size_t len,
                                                   const uint8_t *other, size_t other_len,
                                                   size_t max, const uint8_t **out,
                                                   size_t *out_len);
/* What the last one was, for names of files: "value=dns.qtype+havoc". Words without spaces, at most 127 letters, until the next call. */
WSP_API const char *wsp_mutator_did(const wsp_mutator *m);

/*
 * Smaller inputs, for AFL++ to trim its queue with and for minimising what crashes a program. Begins with this input, of which
 * packets are taken out, then parts of payloads, with lengths and checksums that follow; *steps: how many there are at most.
 * _next has the input as it is after the step at work, in the mutator's bytes until the next call; nothing is longer than
 * what was kept last. _told: whether it is kept; returns how many steps are done: *steps when there are no more.
 */
WSP_MUST_USE WSP_API wsp_status wsp_mutator_trim(wsp_mutator *m, const uint8_t *in, size_t len,
                                                 size_t most, size_t *steps);
WSP_API void wsp_mutator_trim_next(const wsp_mutator *m, const uint8_t **out, size_t *out_len);
WSP_API size_t wsp_mutator_trim_told(wsp_mutator *m, bool kept);

/* Begins its random numbers again. */
WSP_API void wsp_mutator_seed(wsp_mutator *m, uint64_t seed);
WSP_API void wsp_mutator_free(wsp_mutator *m);

#ifdef __cplusplus
}
#endif
#endif
