/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fuzz_traffic.c: any bytes as a capture that task code reads whole: what is measured of flows (eval --generated), flows that
 * others are generated from (generate --from), and forging.
 */
#include "capture/capture_int.h"
#include "target.h"
#include "wirespeak/generate.h"
#include "wirespeak/realism.h"

static void measure(const uint8_t *data, size_t size)
{
    wsp_traffic_options o = wsp_traffic_options_default();
    wsp_distance *d = calloc(wsp_distance_count(), sizeof *d);
    wsp_verbatim *v = NULL;
    wsp_traffic *t = NULL;
    wsp_diversity diversity;
    wsp_nearness near;
    wsp_input *in = NULL;

    o.payload = o.frames = true;
    must(d && wspi_input_from_memory(&in, "input", data, size, NULL, NULL) == WSP_OK);
    if (wsp_traffic_read(&t, in, &o, NULL) < 0) {
        must(!t);
    } else {
        if (size % 8 == 0) /* slow, and of bins, whatever filled them */
            must(wsp_distances(t, NULL, WSP_HALF_FLOWS, d) == WSP_OK);
        must(wsp_nearness_of(t, t, &near) == WSP_OK);
        must(near.equal >= 1 && near.low <= 0);
        (void)!wsp_diversity_of(t, t, &diversity);
        must(wsp_verbatim_new(&v, t, NULL) == WSP_OK);
        (void)wsp_traffic_find(t, "GET / HTTP", 10);
    }
    wsp_verbatim_free(v);
    wsp_traffic_free(t);
    wsp_input_free(in);
    free(d);
}

static void prompt(const uint8_t *data, size_t size)
{
    wsp_prompt_options o = {.packets = true};
    wsp_error err = {.text = ""};
    wsp_prompt *p = NULL;

    if (wsp_prompt_read(&p, path_of(data, size), &o, &err) < 0)
        must(!p && err.text[0]);
    wsp_prompt_free(p);
}

static void forge(const uint8_t *data, size_t size)
{
    wsp_forge_options o = wsp_forge_options_default();
    wsp_capture_info info;
    wsp_frame f, forged;
    wsp_forger *forger;
    wsp_input *in;

    must(wspi_input_from_memory(&in, "input", data, size, NULL, NULL) == WSP_OK);
    if (wsp_input_open_next(in, &info, NULL) == WSP_OK) {
        must(wsp_forger_new(&forger, info.linktype, &o) == WSP_OK);
        while (wsp_input_next(in, &f, NULL) == WSP_OK) {
            must(wsp_forger_frame(forger, &f, &forged) == WSP_OK);
            must(forged.caplen == f.caplen && forged.wirelen == f.wirelen);
        }
        wsp_forger_free(forger);
    }
    wsp_input_free(in);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 24 || size > 1u << 14 || memcmp(data, "PK", 2) == 0) /* archives: fuzz_capture */
        return 0;
    measure(data, size);
    prompt(data, size);
    forge(data, size);
    return 0;
}
