/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fuzz_mutate.c: the mutator on any bytes, of any form: it changes what it made a few times over, within its limit, then trims
 * it, whatever is kept: each step is shorter than what was kept last.
 */
#include <stdlib.h>

#include "base/base.h"
#include "wirespeak/deviate.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool ok)
{
    if (!ok)
        __builtin_trap();
}

static void trim(wsp_mutator *m, const uint8_t *in, size_t n, unsigned keep)
{
    size_t steps, done = 0, shortest = n;
    const uint8_t *out;

    must(wsp_mutator_trim(m, in, n, 40, &steps) == WSP_OK && steps <= 40);
    for (unsigned i = 0; done < steps; i++) {
        bool kept = keep >> i % 16 & 1;

        wsp_mutator_trim_next(m, &out, &n);
        must(n > 0 && n < shortest);
        shortest = kept ? n : shortest;
        done = wsp_mutator_trim_told(m, kept);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const uint16_t ports[] = {53, 80, 443, 123, 67, 502, 20000, 102, 3478, 9};
    wspi_cursor c = wspi_cur(data, size);
    wsp_mutator_options o = {.seed = wspi_cur_u8(&c)};
    uint8_t how = wspi_cur_u8(&c);
    size_t n = wspi_cur_left(&c), max = 2048;
    const uint8_t *in = c.p, *out;
    wsp_mutator *m;
    uint8_t *copy;

    o.form = (wsp_mutator_form)(how % 3);
    o.stream = how & 64;
    o.port = ports[how / 3 % WSPI_COUNT(ports)];
    must(wsp_mutator_new(&m, &o) == WSP_OK);
    copy = malloc(max);
    must(copy != NULL);
    for (int i = 0; i < 4; i++) {
        must(wsp_mutator_mutate(m, in, n, data, size, max, &out, &n) == WSP_OK && n <= max);
        if (n)
            memcpy(copy, out, n);
        in = copy;
    }
    trim(m, in, n, (unsigned)size * 40503u);
    free(copy);
    wsp_mutator_free(m);
    return 0;
}
