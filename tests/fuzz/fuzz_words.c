/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_words.c: any text as what options name: header fields and their values, networks, deviations, changes. */
#include "target.h"
#include "wirespeak/deviate.h"
#include "wirespeak/generate.h"
#include "wirespeak/task.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = strndup((const char *)data, size);
    wsp_network net;
    wsp_edit edit;
    wsp_change change;
    unsigned kinds;
    double rate;
    wsp_error err;

    must(text != NULL);
    if (wsp_edit_parse(text, &edit, &err) == WSP_OK)
        must(edit.layer < 128);
    (void)!wsp_edit_field(text, &edit, &err);
    if (wsp_network_parse(text, &net) == WSP_OK)
        must((net.len == 4 || net.len == 16) && net.bits <= net.len * 8u);
    if (wsp_deviate_parse(text, &rate, &kinds) == WSP_OK)
        must(kinds < 1u << WSP_DEVIATIONS && rate >= 0 && rate <= 1);
    (void)!wsp_change_parse(text, &change);
    free(text);
    return 0;
}
