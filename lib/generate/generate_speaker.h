/* SPDX-License-Identifier: Apache-2.0 */
/*
 * generate_speaker.h: a speaker and its flows, for those who draw packets (generate_draw.c) and tokens (generate_choose.c).
 */
#ifndef WSPI_GENERATE_SPEAKER_H
#define WSPI_GENERATE_SPEAKER_H

#include "generate/deviate_int.h"
#include "generate/dialog/dialog.h"
#include "generate/generate_int.h"

enum { SLOTS = WSPI_FLOWS_AT_ONCE };

typedef struct wspi_flow_drawn {
    wspi_start start;
    wsp_context *ctx, *trial; /* of the packets so far; scratch of building */
    wspi_walk *walk;          /* of the packet in the making */
    wsp_filler fill;
    wsp_host hosts[2][WSPI_HOSTS]; /* fill's */
    wspi_rng rng;
    float *state;
    void *memory,
        *plain_memory; /* of the packet in the making; the same without a condition, to guide by */
    uint16_t ids[WSP_MAX_PACKET_TOKENS],
        seen[WSP_MAX_PACKET_TOKENS]; /* drawn; as the model reads */
    size_t n, n_seen, packets;
    unsigned starts; /* how often it has begun */
    unsigned longer; /* how often its packet was too long */
    double gain;     /* how much likelier its condition makes what it is so far (logarithm) */
    bool told;       /* it has said what it is: no more is gained */
    bool open, done; /* the flow goes on; its packet is complete */
    wspi_script script;
    wspi_rare rare;
    wspi_dialog dialog, dialog_tried; /* after the packets so far; with that in the making */
    bool says;                        /* whose payload is the dialog's */
} wspi_flow_drawn;

struct wspi_speaker {
    const wsp_model *m;
    const wsp_generate_options *o;
    const wsp_model_config *cfg;
    wsp_runner *runner;
    wsp_decoder *decoder;
    wsp_packet *packet;
    wsp_residual *resid;
    wspi_flow_drawn flows[SLOTS];
    float *context, *gathered; /* [SLOTS][C] */
    float *plain;              /* [C] of a flow without a condition before its first packet */
    float *logits;             /* [2 SLOTS][V] */
    float *pushed;             /* [V] */
    uint8_t *legal;            /* [V] marks of the grammar ... */
    wspi_range marked;         /* ... all in here */
    uint8_t *barred;           /* [V] what is never a rare token */
    wspi_guide guide;
    const float
        *usual_gain; /* [conditions] of a flow that follows its condition, or NULL: not known yet */
    uint16_t *choices; /* [SLOTS][V] the same as lists */
    uint16_t *wide;    /* [SLOTS][V] and with all tokens that say what a flow is */
    uint16_t *prefix;  /* [SLOTS][max_tokens] */
    wspi_candidate *scratch;
    wspi_frames frames;
    wspi_editor editor;
    const wspi_dialog_kind **dialog_of; /* [conditions], NULL: none */
    uint8_t *app_of;  /* [conditions] the layer of the protocol of that name, 0: none */
    wspi_draft draft; /* of the packet that a dialog writes */
    int linktype;
    wspi_infill infill;
    size_t undrawn; /* flows that cannot be gone on with */
};

/* Flows that a token is to be drawn for, with what the model is asked for them. */
typedef struct wspi_asking {
    size_t flow[SLOTS], n;
    size_t legal[SLOTS]; /* how many tokens may come: the first of `choices` of its slot */
    wsp_prefix
        prefix[2 * SLOTS]; /* twice: guided ones are asked for without their condition, too */
} wspi_asking;

/* From its first packet on. */
void wspi_flow_begin(wspi_speaker *g, wspi_flow_drawn *f);

/* ---- generate_dialog.c ---- */

wsp_status wspi_dialogs_find(wspi_speaker *g) WSP_MUST_USE;
void wspi_dialogs_clear(wspi_speaker *g);
/* Is there one at this port? A wsp_filler's `serves`. */
bool wspi_dialog_serves(uint16_t port, bool tcp);
void wspi_dialog_begin(const wspi_speaker *g, wspi_flow_drawn *f);
/* A drawn frame says what the flow's dialog has, if its payload was to be bytes; *frame then lends the draft's. */
wsp_status wspi_dialog_frame(wspi_speaker *g, wspi_flow_drawn *f, enum wspi_content drawn, int dir,
                             wsp_frame *frame) WSP_MUST_USE;
/* The packet is the flow's. message: its payload is of a protocol that has a grammar. */
void wspi_dialog_keep(wspi_flow_drawn *f, bool message, bool payload, int dir);

/* ---- generate_choose.c ---- */

/* Is the flow to follow its condition, and has it not yet said what it is? */
bool wspi_is_guided(const wspi_speaker *g, const wspi_flow_drawn *f);
/* False: the flow that has said what it is does not follow its condition, and has begun again. */
bool wspi_follows(wspi_speaker *g, wspi_flow_drawn *f);
/*
 * A token for each of the flows: by the model's own odds; the same, and what the condition gains; one that is rare, if there
 * is one.
 */
wsp_status wspi_choose(wspi_speaker *g, wspi_asking *r, wsp_error *err) WSP_MUST_USE;
wsp_status wspi_choose_guided(wspi_speaker *g, wspi_asking *r, wsp_error *err) WSP_MUST_USE;
wsp_status wspi_choose_rare(wspi_speaker *g, const wspi_asking *r, wsp_error *err) WSP_MUST_USE;

#endif
