/* SPDX-License-Identifier: Apache-2.0 */
/* baseline.h: captures of generators that eval compares others with, and the lists of what their flows were to be. */
#ifndef WSP_BASELINE_H
#define WSP_BASELINE_H

#include "wirespeak/realism.h"

typedef struct baseline {
    const char *pcap, *list;         /* what is made: the capture, and the list of its flows */
    const wsp_traffic *train, *like; /* what is learned from, and what of each class is drawn */
    size_t max_packets;
} baseline;

wsp_status baseline_markov(const baseline *b, wsp_error *err);
/* Says what it does: it takes its time. */
wsp_status baseline_bytes(const baseline *b, const wsp_bytes_options *o, wsp_error *err);

#endif
