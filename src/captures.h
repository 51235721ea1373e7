/* SPDX-License-Identifier: Apache-2.0 */
/* captures.h: captures that a command could not read, or not to their end: the others are worked on, and the exit status tells. */
#ifndef WSP_CAPTURES_H
#define WSP_CAPTURES_H

#include "cli.h"
#include "wirespeak/token.h"

/* Of the option --join: the `join` of what captures_options returns. */
#define CAPTURES_JOIN \
    "all files are one capture, by the times of their packets:\nflows go on from file to file"

/* Of the option --password: the `password` of what captures_options returns. */
#define CAPTURES_PASSWORD "of archives that are encrypted (zip), as malware's are:\ninfected"

/* How commands read what they are given: all of it, whatever stands between, with one line about what is no capture. */
wsp_input_options captures_options(const char *filter, bool skip_bad);

/*
 * What wsp_input_new has refused, as an exit status: a filter that is none is a mistake on the command line, the rest is of
 * files.
 */
int captures_refused(const char *command, const wsp_error *err);

/* How many captures were not taken apart, where there was more than the one that a warning has named. */
void captures_opaque(uint64_t opaque, uint64_t all);

/* Says what was not read, and that the rest is `done` ("labelled"). Returns an exit status: CLI_FAILED if there was such. */
int captures_end(const wsp_tokenize_stats *s, const char *done);

#endif
