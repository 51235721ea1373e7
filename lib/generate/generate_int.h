/* SPDX-License-Identifier: Apache-2.0 */
/*
 * generate_int.h: the steps of generating: a plan says what each flow shall be (generate_plan.c) and who its hosts are (generate_hosts.c), a
 * speaker draws the packets of flows (generate_draw.c) and has them follow their labels (generate_guide.c) and protocols without a grammar say something (generate_dialog.c), generate.c has the threads
 * and the capture.
 */
#ifndef WSPI_GENERATE_INT_H
#define WSPI_GENERATE_INT_H

#include "base/base.h"
#include "task/task_int.h"
#include "token/token_int.h"
#include "wirespeak/deviate.h"
#include "wirespeak/generate.h"

/* ---- drawing one token ---- */

typedef struct wspi_candidate {
    float logit;
    uint16_t id;
} wspi_candidate;

/* Draws one of the n legal tokens (at least one) by the options' temperature, top_k, top_p. scratch: room for n candidates. */
uint16_t wspi_sample(const float *logits, const uint16_t *legal, size_t n,
                     const wsp_generate_options *o, wspi_candidate *scratch, wspi_rng *rng);

/* ---- guidance: generate_guide.c ---- */

/* The tokens that say what a flow is. */
typedef struct wspi_guide {
    uint8_t *is;     /* [vocab] */
    uint8_t *pushed; /* [vocab] and those whose odds are changed: ports and whose payload it is */
    uint16_t *token; /* [n] in order */
    size_t n;
} wspi_guide;

/* To be cleared even where it fails. */
wsp_status wspi_guide_make(wspi_guide *g, size_t vocab) WSP_MUST_USE;
void wspi_guide_clear(wspi_guide *g);
bool wspi_guide_any(const wspi_guide *g, const uint16_t *tokens, size_t n);
/* The n tokens, which are in order, and all that say what a flow is, in order: into wide, which has room for all. How many. */
size_t wspi_guide_widen(const wspi_guide *g, const uint16_t *tokens, size_t n, uint16_t *wide);
/* Does this token say whose payload it is, so that what follows is the protocol's? */
bool wspi_guide_ends(uint16_t token);
/*
 * pushed: the logits `with` the condition, and of ports and whose payload it is pushed on in the direction in which the condition has
 * moved them (Ho and Salimans, 2022): (1 + weight) conditional - weight unconditional, before temperature. What the condition makes
 * less likely becomes rarer still; what it makes likelier gains where it is likely: a token that is rare with it, and hardly there
 * without, would win, else. Returns what a token gains less than the difference of its logits: the logarithm of how many times as
 * likely the condition makes it is with - without - that.
 */
float wspi_guide_push(const wspi_guide *g, double weight, const float *with, const float *without,
                      const uint16_t *wanted, size_t n, float *pushed);

/* Sorts m candidates, the likeliest first: how many of these have the share (0, 1] of the odds. At least one. */
size_t wspi_nucleus(wspi_candidate *c, size_t m, double temperature, double share);

/* ---- one improbable token ---- */

/* What was drawn first, and the improbable token in its place, with the model's odds; from == to: nothing was. */
typedef struct wspi_swap {
    uint16_t from, to;
    float from_odds, to_odds;
} wspi_swap;

static inline bool wspi_swapped(const wspi_swap *s)
{
    return s->from != s->to;
}

/* Of the packet in the making. Zeroed but for where it may be, and rng seeded, when the flow begins. */
typedef struct wspi_rare {
    wspi_rng rng;
    bool clients, payloads; /* only in what clients send; only behind headers */
    bool wanted;
    unsigned tries;
    uint16_t draft[WSP_MAX_PACKET_TOKENS], place[WSP_MAX_PACKET_TOKENS];
    size_t n, draws; /* tokens as they were first drawn, 0 = not yet; places with a choice */
    wspi_swap swap;
} wspi_rare;

/* A packet begins; share: how likely it is to get a rare token. */
void wspi_rare_begin(wspi_rare *r, double share);
/* A token is drawn among several at this place. */
void wspi_rare_saw(wspi_rare *r, size_t at);
/* The packet is complete. True: it shall be drawn again from place *n on; the tokens are the first ones again. */
bool wspi_rare_again(wspi_rare *r, uint16_t *ids, size_t *n);
/* It is drawn again, and the token at this place may become the rare one. */
bool wspi_rare_looks(const wspi_rare *r, size_t at);
/* The packet is built, and coded again to seen: is its rare token there, if it has one? */
bool wspi_rare_came(const wspi_swap *s, const uint16_t *ids, size_t n, const uint16_t *seen,
                    size_t n_seen, const wsp_frame *frame);
/* The rare token led to nothing: another is looked for, or the packet is *done as it was first. False: it had none. */
bool wspi_rare_undo(wspi_rare *r, uint16_t *ids, size_t *n, bool *done);
/* Which tokens are never the rare one: the end of a flow, gaps of a minute and more; with `clients` what begins a server's packet. */
void wspi_rare_bar(uint8_t *barred, size_t vocab, bool clients);
/*
 * Draws, with even odds, among the legal tokens outside of the likeliest that have 0.9 of the odds, into r->swap. False:
 * there is none but barred ones and the one that was drawn. scratch: room for m candidates.
 */
bool wspi_rare_sample(wspi_rare *r, const float *logits, const uint16_t *legal, size_t m,
                      const uint8_t *barred, uint16_t drawn, wspi_candidate *scratch);
/* Field, from and to of the log. */
void wspi_rare_say(const wspi_swap *s, wsp_deviation *out);

/* ---- hosts ---- */

wsp_status wspi_pools_check(const wsp_generate_options *o, wsp_error *err);

/* Addresses and ports of flow `number`, all from its random numbers. */
enum { WSPI_HOSTS = 4 }; /* that one side of a flow may be */
void wspi_hosts_draw(wsp_filler *fill, wsp_host hosts[2][WSPI_HOSTS], const wsp_generate_options *o,
                     uint64_t number, wspi_rng *rng);

/* ---- captures that flows are made after or from ---- */

typedef struct wspi_told_packet {
    uint64_t time_ns;
    size_t at; /* in the bytes of all */
    uint32_t len, wirelen;
    uint8_t dir;
} wspi_told_packet;

typedef struct wspi_told_flow {
    uint64_t first_ns;
    bool turned;              /* the flow table takes its server for its initiator */
    size_t n, cap;            /* packets */
    wspi_told_packet *packet; /* [n], or NULL */
    char app[32],
        label
            [32]; /* what nDPI says: the innermost protocol that it has a name for, ours of the outer one */
    int32_t condition;
} wspi_told_flow;

struct wsp_prompt {
    wspi_told_flow *flow; /* in the order of their first packets */
    size_t n, cap;
    uint64_t first_ns, last_ns;
    wspi_buf bytes;
    int linktype;
};

/* ---- edits ---- */

/* Room for one frame that is changed. */
typedef struct wspi_editor {
    wsp_packet *packet, *other;
    uint8_t *bytes;
    size_t cap;
    uint64_t
        set; /* bit i: edit i has set a field of some packet (of the 64th edit on: one of them has) */
} wspi_editor;

/* Changes packet `number` (from 1) of a flow by the edits that are of it; *frame then lends the editor's bytes. */
wsp_status wspi_edit_frame(wspi_editor *e, const wsp_edit *edits, size_t n, int linktype,
                           size_t number, wsp_frame *frame) WSP_MUST_USE;
/* The editor's packet is then that of *frame, whose bytes it has a copy of. */
wsp_status wspi_editor_take(wspi_editor *e, int linktype, wsp_frame *frame) WSP_MUST_USE;
/* Writes the packet's fields, and what is computed from them. */
void wspi_editor_build(wspi_editor *e, const wsp_frame *frame);
void wspi_editor_clear(wspi_editor *e);

/* ---- the plan ---- */

/* What one flow shall be; the rest is drawn. */
typedef struct wspi_start {
    uint64_t number, start_ns;
    int32_t condition;
    size_t min_packets, max_packets;
    const wspi_told_flow *from; /* or NULL */
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
bool wspi_plan_next(wspi_plan *p, wspi_start *out);      /* false: there are no more */
uint64_t wspi_plan_limit(const wsp_generate_options *o); /* flows at most */

/* ---- packets of a capture in a flow ---- */

/* What becomes of the next packet: drawn, told as recorded, drawn in the place of a recorded one, none. */
enum wspi_doing { WSPI_DRAW, WSPI_TELL, WSPI_INFILL, WSPI_STOP };

/* The recorded packet at work, coded against the recorded ones before it. */
typedef struct wspi_script {
    wsp_context *before;
    enum wspi_doing step;
    bool begun;
    uint16_t ids[WSP_MAX_PACKET_TOKENS];
    size_t n;
    wspi_buf resid;
    uint32_t next_seq[2]; /* in the recorded flow before it */
    uint64_t gap_ns;      /* since the recorded packet before it, 0 when it was sent before that */
    unsigned from, count; /* infill: the token at `at` is one of these; count 0: any */
    size_t at;
} wspi_script;

/*
 * A recorded packet as it is, its sequence and acknowledgement numbers moved by as much as the new flow is ahead of the
 * recorded one; one that was told anew, edges of its SACK blocks, which have no tokens, moved by as much as what it acknowledges; and: a
 * new packet with the addresses and ports of a recorded one. *frame lends the editor's bytes.
 */
wsp_status wspi_move_frame(wspi_editor *e, const wsp_prompt *p, const wspi_told_packet *told,
                           const wsp_context *now, const wspi_script *s,
                           wsp_frame *frame) WSP_MUST_USE;
wsp_status wspi_move_sack(wspi_editor *e, const wsp_prompt *p, const wspi_told_packet *told,
                          wsp_frame *frame) WSP_MUST_USE;
wsp_status wspi_keep_ends(wspi_editor *e, const wsp_prompt *p, const wspi_told_packet *told,
                          wsp_frame *frame) WSP_MUST_USE;

enum wspi_doing wspi_script_step(const wsp_from *from, const wspi_told_flow *told, size_t packets);
/* Hosts and start as in the recorded flow. */
void wspi_script_hosts(wsp_filler *fill, const wsp_prompt *p, const wspi_told_flow *told,
                       wsp_packet *scratch);
/* Codes recorded packet `number` (from 0). */
wsp_status wspi_script_read(wspi_script *s, const wsp_prompt *p, const wspi_told_flow *told,
                            size_t number, wsp_packet *scratch, wsp_residual *resid,
                            wsp_error *err) WSP_MUST_USE;
/* Infill: the tokens that stay, in front of the field if one is asked for; how many. */
void wspi_script_prefix(wspi_script *s, const wsp_from *from, wsp_decoder *d,
                        const wsp_context *ctx, const wsp_filler *fill, uint8_t *legal,
                        uint16_t *ids, size_t *n);

/* ---- packets ---- */

/* Where a speaker has its flows from, and whom it tells how far it is, both under the lock of the run. */
typedef struct wspi_supply {
    bool (*next)(void *arg, wspi_start *out); /* false: none for now */
    /* so many flows more have ended, so many packets more are drawn; negative: no more are wanted */
    wsp_status (*made)(void *arg, size_t flows, size_t packets, wsp_error *err);
    void *arg;
} wspi_supply;

/* One generated frame, before all are sorted. */
/* No payload; one that no grammar has; a message of a protocol. */
enum wspi_content { WSPI_CONTENT_NONE, WSPI_CONTENT_BYTES, WSPI_CONTENT_MESSAGE, WSPI_CONTENTS };

typedef struct wspi_frame_ref {
    uint64_t time_ns;
    const wspi_buf *in; /* the bytes are at in->data + at */
    size_t at;
    uint32_t len, packet; /* of the flow */
    uint32_t wirelen;
    size_t place;              /* in the capture that it is of, or comes behind; of new flows 0 */
    uint64_t flow;             /* place, then this decides between equal times, then packet does */
    int32_t condition;         /* of the flow */
    enum wspi_content content; /* of a packet that was drawn */
    wspi_swap swap;
} wspi_frame_ref;

typedef struct wspi_frames {
    wspi_buf bytes; /* one behind the other */
    wspi_frame_ref *ref;
    size_t n, cap;
} wspi_frames;

/* Draws flows for one thread, up to `slots` of them side by side, until there are none. */
enum { WSPI_FLOWS_AT_ONCE = 128 };
typedef struct wspi_speaker wspi_speaker;
wsp_status wspi_speaker_new(wspi_speaker **out, const wsp_model *m, const wsp_generate_options *o,
                            wsp_error *err) WSP_MUST_USE;
wsp_status wspi_speaker_run(wspi_speaker *s, const wspi_supply *from, size_t slots,
                            wsp_error *err) WSP_MUST_USE;
/*
 * Before it runs: what a condition gains in flows that follow it. Flows that say what it is are as likely to be of it, whatever else they
 * are, so they gain about the same: the upper quarter of some trials do. -INFINITY: none came to an end.
 */
wsp_status wspi_speaker_try(wspi_speaker *s, int32_t condition, float *gain,
                            wsp_error *err) WSP_MUST_USE;
/* [conditions], borrowed: flows that gain less than is usual begin again. */
void wspi_speaker_guide(wspi_speaker *s, const float *usual_gain);
/* Did some flow have the packet to draw anew, and was some drawn? */
typedef struct wspi_infill {
    bool met, drawn;
} wspi_infill;
const wspi_frames *wspi_speaker_frames(const wspi_speaker *s);
/* Flows of a capture that it could not go on with; a wspi_editor's `set`. */
size_t wspi_speaker_undrawn(const wspi_speaker *s);
uint64_t wspi_speaker_edited(const wspi_speaker *s);
wspi_infill wspi_speaker_infill(const wspi_speaker *s);
void wspi_speaker_free(wspi_speaker *s);

#endif
