/* SPDX-License-Identifier: Apache-2.0 */
/* corpus.h: a folder of inputs for fuzzers: one file for each packet, flow, or client's side of a flow. */
#ifndef WSP_CORPUS_H
#define WSP_CORPUS_H

#include "wirespeak/capture.h"

typedef struct corpus corpus;

/* Words of --unit and --as, NULL-terminated. */
extern const char *const corpus_units[], *const corpus_forms[];

/* What is wrong with the pair, or NULL. NULL: packet; pcap, and payload for client. */
const char *corpus_mistake(const char *unit, const char *as);
/* What the files show of packets. */
typedef struct corpus_view {
    bool single;   /* a file is of one packet */
    bool clients;  /* only what initiators of flows send */
    bool payloads; /* only what is behind the headers */
} corpus_view;
corpus_view corpus_shows(const char *unit, const char *as);

typedef struct corpus_options {
    const char
        *folder; /* must not be there, or be empty: it appears whole when the corpus is closed */
    const char *unit, *as; /* or NULL */
    bool novel;  /* leaves units out that have nothing that those before have not (unseen.h) */
    size_t most; /* of novel ones, so many that have most together; 0: all */
    int linktype;
} corpus_options;

wsp_status corpus_open(corpus **out, const corpus_options *o, wsp_error *err);
/* A packet, by its number from 1; dir 0: from the initiator. */
wsp_status corpus_add(corpus *c, const wsp_frame *frame, uint64_t packet, uint64_t flow, int dir,
                      wsp_error *err);
/* *files: how many there are; what came twice is there once. Frees, also when it fails. */
wsp_status corpus_close(corpus *c, uint64_t *files, wsp_error *err);
/* Leaves nothing behind. NULL is fine. */
void corpus_discard(corpus *c);

#endif
