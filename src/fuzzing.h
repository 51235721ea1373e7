/* SPDX-License-Identifier: Apache-2.0 */
/* fuzzing.h: where generated packets go when they shall deviate or become a corpus: capture, log, one file a unit. */
#ifndef WSP_FUZZING_H
#define WSP_FUZZING_H

#include "wirespeak/capture.h"
#include "wirespeak/deviate.h"
#include "wirespeak/generate.h"

typedef struct fuzzing_options {
    const char *fuzz;      /* RATE[:KIND,...], or NULL */
    const char *log;       /* the side file, or NULL: beside the capture or the folder */
    const char *corpus;    /* folder, or NULL */
    const char *unit, *as; /* of files in it: see corpus.h; NULL: packet, and what suits the unit */
    bool novel;            /* units that show nothing new are left out */
    size_t most;           /* and of the others so many that show most; 0: all */
    const char *out;       /* the capture, or NULL */
    bool drawn;            /* there are packets that a model draws: they can be rare */
    int linktype;          /* of the packets; read when it opens */
    uint64_t seed;
    uint64_t packets; /* what comes after so many is left out; 0: nothing is */
} fuzzing_options;

typedef struct fuzzing fuzzing;

/* True when there is something to do beyond writing a capture. */
bool fuzzing_wanted(const fuzzing_options *o);
/* What is wrong with the options, or NULL. */
const char *fuzzing_mistake(const fuzzing_options *o);

/* w may be NULL; it is the caller's. */
wsp_status fuzzing_open(fuzzing **out, const fuzzing_options *o, wsp_pcap_writer *w,
                        wsp_error *err);
/* How much of the packets that are drawn shall be rare, and where. */
void fuzzing_rare(const fuzzing *f, wsp_generate_options *o);
/* The deviation that the next packet has; arg is the fuzzing. */
wsp_status fuzzing_has(void *arg, const wsp_deviation *d, wsp_error *err);
/* The next packet; arg is the fuzzing. */
wsp_status fuzzing_take(void *arg, const wsp_frame *frame, wsp_error *err);
/* Has it all the packets that it shall have? */
bool fuzzing_full(const fuzzing *f);
/* Writes log and folder, says what was made, and frees; *packets = how many came out, those that deviations add among them. */
wsp_status fuzzing_close(fuzzing *f, uint64_t *packets, wsp_error *err);
/* Leaves nothing behind. NULL is fine. */
void fuzzing_discard(fuzzing *f);

#endif
