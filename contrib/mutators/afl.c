/* SPDX-License-Identifier: Apache-2.0 */
/*
 * afl.c: a custom mutator of AFL++ (docs/custom_mutators.md there) over wsp_mutator. Set AFL_CUSTOM_MUTATOR_LIBRARY to
 * wirespeak-afl.so, and WIRESPEAK_INPUT when inputs are no pcap files. It may be used beside AFL++'s own mutations. Files of the
 * queue and crashes are named after what was changed; the queue is trimmed by packets and parts of messages.
 */
#include "input.h"

#define EXPORT __attribute__((visibility("default")))

EXPORT void *afl_custom_init(void *afl, unsigned int seed);
EXPORT size_t afl_custom_fuzz(void *data, uint8_t *buf, size_t len, uint8_t **out, uint8_t *other,
                              size_t other_len, size_t max);
EXPORT const char *afl_custom_describe(void *data, size_t max);
EXPORT int32_t afl_custom_init_trim(void *data, uint8_t *buf, size_t len);
EXPORT size_t afl_custom_trim(void *data, uint8_t **out);
EXPORT int32_t afl_custom_post_trim(void *data, uint8_t success);
EXPORT void afl_custom_deinit(void *data);

enum { TRIM_STEPS = 200 }; /* each is a run of the target; WIRESPEAK_TRIM says another number */

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

/* As many of its words as there is room for. */
const char *afl_custom_describe(void *data, size_t max)
{
    static char text[256];
    size_t n = (size_t)snprintf(text, sizeof text, "%s", wsp_mutator_did(data));

    while (n > max) {
        char *last = strrchr(text, '+');
        n = last ? (size_t)(last - text) : 0;
        text[n] = 0;
    }
    return text;
}

int32_t afl_custom_init_trim(void *data, uint8_t *buf, size_t len)
{
    const char *text = getenv("WIRESPEAK_TRIM");
    unsigned long most = text ? strtoul(text, NULL, 10) : TRIM_STEPS;
    size_t steps;

    if (wsp_mutator_trim(data, buf, len, most < INT32_MAX ? most : INT32_MAX, &steps) < 0)
        return 0;
    return (int32_t)steps;
}

size_t afl_custom_trim(void *data, uint8_t **out)
{
    const uint8_t *made;
    size_t n;

    wsp_mutator_trim_next(data, &made, &n);
    memcpy(out, &made, sizeof *out);
    return n;
}

int32_t afl_custom_post_trim(void *data, uint8_t success)
{
    return (int32_t)wsp_mutator_trim_told(data, success != 0);
}

void afl_custom_deinit(void *data)
{
    wsp_mutator_free(data);
}
