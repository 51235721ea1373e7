/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_checkpoint.c: any bytes as a checkpoint of a training run. What is refused changes nothing. */
#include "model/train_int.h"
#include "target.h"

enum { TOKENS = 8 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static wsp_trainer *t;
    wsp_train_options opt = wsp_train_options_default();
    wsp_error err = {.text = ""};
    void *extra = NULL;
    size_t len = 0;
    uint64_t step;
    float first;

    opt.threads = 1;
    if (!t)
        must(wsp_trainer_new(&t, small_model(TOKENS), &opt, NULL) == WSP_OK);
    step = t->step;
    first = t->m->w[0];
    if (wsp_trainer_load(t, path_of(data, size), &extra, &len, &err) < 0)
        must(!extra && len == 0 && err.text[0] && step == t->step && first == t->m->w[0]);
    free(extra);
    return 0;
}
