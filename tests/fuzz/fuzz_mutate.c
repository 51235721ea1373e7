/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_mutate.c: the mutator on any bytes, of any form: it changes what it made a few times over, within its limit. */
#include <stdlib.h>

#include "base/base.h"
#include "wirespeak/deviate.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool ok)
{
    if (!ok)
        __builtin_trap();
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
    free(copy);
    wsp_mutator_free(m);
    return 0;
}
