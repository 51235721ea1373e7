/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_labels.c: any bytes as a list of labels; what was read is asked for. */
#include "target.h"
#include "wirespeak/task.h"

static void ask(const wsp_labels *l)
{
    wsp_flow_key key = {.ethertype = 0x0800, .proto = 17, .addr_len = 4, .port = {53, 1024}};
    int32_t n = 0, found;

    while (wsp_labels_name(l, n))
        n++;
    must(!wsp_labels_name(l, -1));
    for (uint8_t i = 0; i < 8; i++) {
        key.addr[0][3] = i & 3;
        key.addr[1][3] = i >> 2;
        found = wsp_labels_find(l, "folder/a.pcap", &key);
        must(found >= -1 && found < n);
    }
    found = wsp_labels_find(l, "folder/a.pcap", NULL); /* the whole capture's */
    must(found >= -1 && found < n);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    wsp_error err = {.text = ""};
    wsp_labels *l = NULL;

    if (wsp_labels_load(&l, path_of(data, size), &err) == WSP_OK)
        ask(l);
    else
        must(!l && err.text[0]);
    wsp_labels_free(l);
    return 0;
}
