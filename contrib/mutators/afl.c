/* SPDX-License-Identifier: Apache-2.0 */
/*
 * afl.c: a custom mutator of AFL++ (docs/custom_mutators.md there) over wsp_mutator. Set AFL_CUSTOM_MUTATOR_LIBRARY to
 * wirespeak-afl.so, and WIRESPEAK_INPUT when inputs are no pcap files. It may be used beside AFL++'s own mutations.
 */
#include "input.h"

#define EXPORT __attribute__((visibility("default")))

EXPORT void *afl_custom_init(void *afl, unsigned int seed);
EXPORT size_t afl_custom_fuzz(void *data, uint8_t *buf, size_t len, uint8_t **out, uint8_t *other,
                              size_t other_len, size_t max);
EXPORT void afl_custom_deinit(void *data);

void *afl_custom_init(void *afl, unsigned int seed)
{
    (void)afl;
    return input_mutator(seed);
}

size_t afl_custom_fuzz(void *data, uint8_t *buf, size_t len, uint8_t **out, uint8_t *other,
                       size_t other_len, size_t max)
{
    const uint8_t *made = NULL;
    size_t n = 0;

    if (wsp_mutator_mutate(data, buf, len, other, other_len, max, &made, &n) < 0)
        n = 0;
    /* AFL++ does not write into it */
    memcpy(out, &made, sizeof *out);
    return n;
}

void afl_custom_deinit(void *data)
{
    wsp_mutator_free(data);
}
