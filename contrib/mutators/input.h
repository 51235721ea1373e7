/* SPDX-License-Identifier: Apache-2.0 */
/* input.h: what the inputs of a fuzzer are, from the environment variable WIRESPEAK_INPUT: pcap, frame, udp:PORT, tcp:PORT. */
#ifndef WSP_MUTATORS_INPUT_H
#define WSP_MUTATORS_INPUT_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "wirespeak/deviate.h"

static bool input_read(const char *text, wsp_mutator_options *o)
{
    char *end = NULL;
    unsigned long port;

    o->form = WSP_MUTATE_PCAP;
    if (!text || strcmp(text, "pcap") == 0)
        return true;
    o->form = WSP_MUTATE_FRAME;
    if (strcmp(text, "frame") == 0)
        return true;
    o->form = WSP_MUTATE_PAYLOAD;
    o->stream = strncmp(text, "tcp:", 4) == 0;
    if (!o->stream && strncmp(text, "udp:", 4) != 0)
        return false;
    port = strtoul(text + 4, &end, 10);
    o->port = (uint16_t)port;
    return end != text + 4 && *end == 0 && port > 0 && port < 65536;
}

/* Ends the fuzzer when there is nothing to go on with: it would go on without us. */
static wsp_mutator *input_mutator(uint64_t seed)
{
    wsp_mutator_options o = {.seed = seed};
    wsp_mutator *m = NULL;
    const char *text = getenv("WIRESPEAK_INPUT");

    if (!input_read(text, &o)) {
        (void)fprintf(
            stderr, "wirespeak: WIRESPEAK_INPUT is '%s': give pcap, frame, udp:PORT or tcp:PORT\n",
            text);
        exit(1);
    }
    if (wsp_mutator_new(&m, &o) < 0) {
        (void)fprintf(stderr, "wirespeak: no memory for a mutator\n");
        exit(1);
    }
    return m;
}

#endif
