/* SPDX-License-Identifier: Apache-2.0 */
/* source.h: where labelled flows come from: a token file, or captures that are read again as often as they shall be changed. */
#ifndef WSP_SOURCE_H
#define WSP_SOURCE_H

#include "labelling.h"

typedef struct source {
    /* of the command line */
    const char *const *paths;
    size_t n_paths;
    bool captures;              /* else one token file */
    cli_list lists, background; /* background: heads, as of token_sets_background */
    const char *part;           /* or NULL: all captures */
    wsp_split_options split;
    /* while it is open */
    labelling labels;
    wsp_tokenize_stats stats; /* of the captures, read last */
    const char *command;
} source;

/* Takes the operands of a command: one that ends in .npz, or captures. Returns an exit status, and says what is wrong. */
int source_take(source *s, const char *command, char **operands, int n);

wsp_status source_open(source *s, wsp_error *err);
void source_close(source *s);

/* All flows with their labels. A token file is as it is: it cannot be changed. */
wsp_status source_read(source *s, const wsp_change *change, wsp_tokens **out, wsp_error *err);

/* What nDPI names of the flows in the list of head "protocol"; zeros when there is none. */
wsp_status source_ndpi(source *s, const wsp_change *change, wsp_label_rate *rate, wsp_error *err);

#endif
