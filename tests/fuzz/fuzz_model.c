/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_model.c: the loader of model files on arbitrary bytes. */
#include "wirespeak/model.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    wsp_model *m;
    wsp_error err;

    if (wsp_model_load_memory(&m, data, size, &err) == WSP_OK)
        wsp_model_free(m);
    return 0;
}
