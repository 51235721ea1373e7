/* SPDX-License-Identifier: Apache-2.0 */
/* tshark.h: what tshark finds wrong in a capture, where there is a tshark. */
#ifndef WSP_TSHARK_H
#define WSP_TSHARK_H

#include <stdbool.h>
#include <stddef.h>

/* One of its expert's warnings or errors, and in how many packets. */
typedef struct tshark_message {
    char *text;
    size_t packets;
    bool error, tcp; /* its severity; it is about TCP's state */
} tshark_message;

typedef struct tshark_report {
    bool ran;
    size_t packets, malformed, checksums, errors, tcp;
    tshark_message *messages; /* [n] the most frequent first */
    size_t n, cap;
} tshark_report;

/* Is there a tshark to run? */
bool tshark_is_there(void);

/* Reads a capture with it. false: it failed, which is a warning on standard error; the report says that it did not run. */
bool tshark_look(const char *pcap, tshark_report *r);
void tshark_clear(tshark_report *r);

#endif
