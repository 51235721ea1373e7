/* SPDX-License-Identifier: Apache-2.0 */
/*
 * libfuzzer.c: custom mutator and crossover of libFuzzer over wsp_mutator. Compile it with the target, as C or as C++:
 *   clang -fsanitize=fuzzer target.c libfuzzer.c $(pkg-config --cflags --libs libwirespeak)
 * WIRESPEAK_INPUT says what inputs are when they are no pcap files. One mutation of four is libFuzzer's own.
 */
#include "input.h"

enum { OWN = 4 };

#ifdef __cplusplus
extern "C" {
#endif
size_t LLVMFuzzerMutate(uint8_t *data, size_t len, size_t max); /* libFuzzer's */
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t len, size_t max, unsigned int seed);
size_t LLVMFuzzerCustomCrossOver(const uint8_t *a, size_t a_len, const uint8_t *b, size_t b_len,
                                 uint8_t *out, size_t max, unsigned int seed);
#ifdef __cplusplus
}
#endif

static size_t mutate(const uint8_t *in, size_t len, const uint8_t *other, size_t other_len,
                     uint8_t *out, size_t max, unsigned int seed)
{
    static wsp_mutator *m;
    const uint8_t *made;
    size_t n;

    if (!m)
        m = input_mutator(0);
    wsp_mutator_seed(m, seed);
    if (wsp_mutator_mutate(m, in, len, other, other_len, max, &made, &n) < 0)
        return 0;
    memcpy(out, made, n);
    return n;
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t len, size_t max, unsigned int seed)
{
    if (seed % OWN == 0)
        return LLVMFuzzerMutate(data, len, max);
    return mutate(data, len, NULL, 0, data, max, seed);
}

size_t LLVMFuzzerCustomCrossOver(const uint8_t *a, size_t a_len, const uint8_t *b, size_t b_len,
                                 uint8_t *out, size_t max, unsigned int seed)
{
    return mutate(a, a_len, b, b_len, out, max, seed);
}
