/* SPDX-License-Identifier: Apache-2.0 */
/* host_out.h: one answer for each host of a run, by the votes of the flows that it opened. */
#ifndef WSP_HOST_OUT_H
#define WSP_HOST_OUT_H

#include "capture_out.h"

enum { HOST_OUT_MOST = 65536 }; /* hosts; addresses of a flood have no end */

/* Zeros: no host yet. */
typedef struct host_out {
    capture_out rows;
    void *tree;        /* of hosts, by address */
    uint64_t left_out; /* flows of hosts beyond the most */
} host_out;

/* Both return an exit status. Prints all hosts, those with the most flows first, once. */
int host_out_flow(host_out *h, const flow_out *o, const flow_record *r);
int host_out_print(host_out *h, const flow_out *o, FILE *to);
void host_out_clear(host_out *h, const flow_out *o);

#endif
