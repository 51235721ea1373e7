/* SPDX-License-Identifier: Apache-2.0 */
/*
 * generate_int.h: the steps of generating: a plan says what each flow shall be (generate_plan.c) and who its hosts are
 * (generate_hosts.c), a speaker draws the packets of a wave of flows (generate_draw.c), generate.c has the threads and
 * the capture.
 */
#ifndef WSPI_GENERATE_INT_H
#define WSPI_GENERATE_INT_H

#include "base/base.h"
#include "token/token_int.h"
#include "wirespeak/generate.h"

/* ---- drawing one token ---- */

typedef struct wspi_candidate {
    float logit;
    uint16_t id;
} wspi_candidate;

/* Draws one of the n legal tokens (at least one) by the options' temperature, top_k, top_p. scratch: room for n candidates. */
uint16_t wspi_sample(const float *logits, const uint16_t *legal, size_t n,
                     const wsp_generate_options *o, wspi_candidate *scratch, wspi_rng *rng);

/* ---- hosts ---- */

wsp_status wspi_pools_check(const wsp_generate_options *o, wsp_error *err);

/* Addresses and ports of flow `number`, all from its random numbers. */
void wspi_hosts_draw(wsp_filler *fill, const wsp_generate_options *o, uint64_t number,
                     wspi_rng *rng);

/* ---- the plan ---- */

/* What one flow shall be; the rest is drawn. */
typedef struct wspi_start {
    uint64_t number, start_ns;
    int32_t condition;
    size_t max_packets;
} wspi_start;

/* Says it of one flow after the other, always the same for the same options. */
typedef struct wspi_plan {
    const wsp_generate_options *o;
    wspi_rng rng; /* of arrivals and conditions */
    uint64_t next, clock_ns;
    double weights; /* sum of the mix */
} wspi_plan;

void wspi_plan_init(wspi_plan *p, const wsp_generate_options *o);
/* The next n flows at most; fewer, or 0, at the end of the plan. */
size_t wspi_plan_next(wspi_plan *p, wspi_start *out, size_t n);

/* ---- packets ---- */

enum { WSPI_WAVE = 512 };

/* A run of flows that one thread draws. */
typedef struct wspi_wave {
    size_t n;
    wspi_start start[WSPI_WAVE];
} wspi_wave;

/* One generated frame, before all are sorted. */
typedef struct wspi_frame_ref {
    uint64_t time_ns;
    const wspi_buf *in; /* the bytes are at in->data + at */
    size_t at;
    uint32_t len, packet; /* of the flow */
    uint64_t flow;        /* decides between equal times, then packet does */
    int32_t condition;    /* of the flow */
} wspi_frame_ref;

typedef struct wspi_frames {
    wspi_buf bytes; /* one behind the other */
    wspi_frame_ref *ref;
    size_t n, cap;
} wspi_frames;

/* Draws waves, one at a time, for one thread. */
typedef struct wspi_speaker wspi_speaker;
wsp_status wspi_speaker_new(wspi_speaker **out, const wsp_model *m, const wsp_generate_options *o,
                            wsp_error *err) WSP_MUST_USE;
wsp_status wspi_speaker_run(wspi_speaker *s, const wspi_wave *w, wsp_error *err) WSP_MUST_USE;
const wspi_frames *wspi_speaker_frames(const wspi_speaker *s); /* of all waves so far */
void wspi_speaker_free(wspi_speaker *s);

#endif
