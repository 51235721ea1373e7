/* SPDX-License-Identifier: Apache-2.0 */
/* asked.h: a list of generated flows and of what each was to be, in the form of label lists. */
#ifndef WSP_ASKED_H
#define WSP_ASKED_H

#include "wirespeak/base.h"
#include "wirespeak/capture.h"

typedef struct asked asked;

/* `capture`: the file that the flows stand in; lists know it by the last part of its name. */
wsp_status asked_open(asked **out, const char *path, const char *capture, int linktype,
                      wsp_error *err);
/*
 * A flow that begins with this packet, of the capture's link type. Flows that are not of IP have no place in lists, nor have those without a label, nor
 * one that has the addresses, ports and protocol of an earlier one.
 */
void asked_add(asked *a, const wsp_frame *first, const char *label);
/* The list appears; frees it in any case. */
wsp_status asked_close(asked *a, wsp_error *err);
void asked_discard(asked *a);

#endif
