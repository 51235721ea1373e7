/* SPDX-License-Identifier: Apache-2.0 */
/*
 * device_int.h: packets of an interface, through libpcap's TPACKET_V3 ring. One thread reads; nothing here waits: the file
 * descriptor says when there is something.
 */
#ifndef WSPI_DEVICE_INT_H
#define WSPI_DEVICE_INT_H

#include "base/base.h"
#include "wirespeak/capture.h"

typedef struct wspi_device wspi_device;

typedef struct wspi_device_options {
    size_t buffer;      /* bytes of the kernel's ring */
    uint32_t snaplen;   /* bytes of a packet */
    uint32_t retire_ms; /* a block of the ring that is not full is handed over after so long */
    bool promiscuous;
    uint32_t fanout;    /* PACKET_FANOUT group, 0 = none */
    const char *filter; /* or NULL */
} wspi_device_options;

wsp_status wspi_device_open(wspi_device **out, const char *name, const wspi_device_options *opt,
                            wsp_error *err) WSP_MUST_USE;
void wspi_device_close(wspi_device *d); /* NULL is fine */

int wspi_device_fd(const wspi_device *d); /* readable when there are packets */
int wspi_device_linktype(const wspi_device *d);

typedef void wspi_device_fn(void *arg, const wsp_frame *frame);
/* Calls fn for up to `max` packets that are there. IO when the interface went down or away; it may be tried again. */
wsp_status wspi_device_read(wspi_device *d, int max, wspi_device_fn *fn, void *arg,
                            wsp_error *err) WSP_MUST_USE;

/*
 * The interface is there no more. One that goes down and then away tells a reader once, at the first: of the second nothing is
 * heard, nor of another one that gets its name.
 */
bool wspi_device_gone(const wspi_device *d);

/* Packets that the kernel had no room for, and that the interface lost, since the last call. */
void wspi_device_drops(wspi_device *d, uint64_t *kernel, uint64_t *interface);

#endif
