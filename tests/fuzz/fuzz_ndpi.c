/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fuzz_ndpi.c: any IP packets, of a TCP and a UDP flow, to the labeller: each a byte of length, with a bit for the flow, and the
 * packet. A flow has one protocol, as from a flow table: nDPI keeps memory by it.
 */
#include "target.h"
#include "wirespeak/task.h"

static void set_protocol(uint8_t *ip, size_t len, bool udp)
{
    size_t at = len > 0 && ip[0] >> 4 == 6 ? 6 : 9;

    if (at < len)
        ip[at] = udp ? 17 : 6;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static wsp_labeller *l;
    wspi_cursor c = wspi_cur(data, size);
    wsp_labeller_flow *flow[2];
    wsp_verdict v;
    uint64_t now = 1;

    if (!l)
        must(wsp_labeller_new(&l, NULL, NULL) == WSP_OK);
    must(wsp_labeller_flow_new(l, &flow[0]) == WSP_OK);
    must(wsp_labeller_flow_new(l, &flow[1]) == WSP_OK);
    while (wspi_cur_left(&c) > 1) {
        uint8_t how = wspi_cur_u8(&c);
        size_t len = WSPI_MIN((size_t)how * 2, wspi_cur_left(&c));
        uint8_t *copy = malloc(len ? len : 1); /* of its own, so that a byte too many is seen */

        must(copy != NULL);
        if (len)
            memcpy(copy, wspi_cur_bytes(&c, len), len);
        set_protocol(copy, len, how & 1);
        (void)!wsp_labeller_push(flow[how & 1], copy, len, now += 1000000);
        free(copy);
    }
    for (size_t i = 0; i < 2; i++) {
        wsp_labeller_verdict(flow[i], &v);
        must(v.protocol && v.service && v.master && v.app && v.category);
        wsp_labeller_flow_free(flow[i]);
    }
    return 0;
}
