/* SPDX-License-Identifier: Apache-2.0 */
/* baseline.h: captures of generators that eval compares others with, and the lists of what their flows were to be. */
#ifndef WSP_BASELINE_H
#define WSP_BASELINE_H

#include "wirespeak/realism.h"

/* Makes the capture and, where `like` has classes, the list. */
wsp_status baseline_markov(const char *pcap, const char *list, const wsp_traffic *train,
                           const wsp_traffic *like, size_t max_packets, wsp_error *err);

#endif
