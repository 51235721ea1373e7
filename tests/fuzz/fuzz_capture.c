/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fuzz_capture.c: any bytes as an input: captures, archives, archives in archives. Bounded work a
 * run.
 */
#include "capture/capture_int.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void drain(wsp_input *in)
{
    wsp_capture_info info;
    wsp_frame f;
    wsp_error err;
    wsp_status st;
    uint32_t sum = 0;

    for (unsigned visits = 0; visits < 64; visits++) {
        st = wsp_input_open_next(in, &info, &err);
        if (st == WSP_EOF)
            return;
        if (st < 0) {
            assert(err.status == st && err.text[0] != '\0');
            continue;
        }
        assert(info.name);
        for (unsigned n = 0; n < 1000; n++) {
            if (wsp_input_next(in, &f, &err) != WSP_OK)
                break;
            for (uint32_t i = 0; i < f.caplen; i++)
                sum += f.data[i];
        }
    }
    (void)sum;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    wsp_input_options opt = wsp_input_options_default();
    wsp_input *in;

    if (size > 1u << 16)
        return 0;
    if (size > 0 && data[size - 1] == 'f')
        opt.filter = "tcp port 80";
    opt.skip_bad = size > 0 && data[size - 1] == 's';
    opt.keep_going = size > 0 && data[size - 1] == 'k';
    if (wspi_input_from_memory(&in, "input", data, size, &opt, NULL) < 0)
        return 0;
    drain(in);
    wsp_input_free(in);
    return 0;
}
