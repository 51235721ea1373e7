/* SPDX-License-Identifier: Apache-2.0 */
/* mutate_int.h: an input of a fuzzer as packets, and back. */
#ifndef WSPI_MUTATE_INT_H
#define WSPI_MUTATE_INT_H

#include "task/deviate_int.h"
#include "wirespeak/deviate.h"

enum { WSPI_INPUT_PACKETS = 64, WSPI_INPUT_BYTES = 1 << 20 };

typedef struct wspi_packet_ref {
    uint64_t time_ns;
    uint32_t wirelen, caplen;
    size_t at; /* in the input's bytes */
} wspi_packet_ref;

/* Packets of one input; their bytes are one block, in no order. */
typedef struct wspi_input {
    wsp_mutator_form form;
    int linktype;
    bool big_endian, nano; /* of the pcap file */
    uint32_t snaplen;
    uint32_t headers; /* bytes before what the input is, for payloads */
    size_t n;
    wspi_packet_ref v[WSPI_INPUT_PACKETS];
    wspi_buf bytes;
} wspi_input;

/* Reads bytes of this form; payload becomes a packet to `port`. false: they hold no packet. What is too much is left out. */
bool wspi_input_read(wspi_input *in, wsp_mutator_form form, uint16_t port, bool stream,
                     const uint8_t *data, size_t len);
wsp_frame wspi_input_frame(const wspi_input *in, size_t i);
/* Puts a packet of elsewhere before packet i (n: at the end), over packet i, takes it away. false: no room. */
bool wspi_input_insert(wspi_input *in, size_t i, const wsp_frame *f);
bool wspi_input_repeat(wspi_input *in, size_t i, size_t k); /* packet k again, before packet i */
bool wspi_input_replace(wspi_input *in, size_t i, const wsp_frame *f);
void wspi_input_remove(wspi_input *in, size_t i);
/* The way back, at most `max` bytes: packets that do not fit are left out. */
wsp_status wspi_input_write(const wspi_input *in, size_t max, wspi_buf *out) WSP_MUST_USE;

#endif
