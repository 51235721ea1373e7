/* SPDX-License-Identifier: Apache-2.0 */
/* mutate_int.h: an input of a fuzzer as packets, and back. */
#ifndef WSPI_MUTATE_INT_H
#define WSPI_MUTATE_INT_H

#include "generate/deviate_int.h"
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

/* What wsp_mutator_trim is at. */
typedef struct wspi_trim {
    wspi_buf best;       /* the input as it is so far */
    bool packets;        /* whole packets are taken out; else parts of packet k */
    size_t k, chunk, at; /* parts, or packets: `chunk` of them from `at` on */
    size_t steps, most;
} wspi_trim;

struct wsp_mutator {
    wsp_mutator_options opt;
    wspi_rng rng;
    wspi_input in, other;
    wspi_draft draft, theirs;
    wsp_decoder *decoder;
    wsp_context *ctx, *trial; /* before the packet at work; scratch */
    uint8_t *legal;           /* by token, and seven more */
    uint16_t *choices;
    uint32_t *weights; /* sums, up to each choice */
    uint8_t
        *follows; /* how often a token followed another one: [1 << TABLE_BITS], by a hash of both */
    uint64_t learned; /* the input that was counted last */
    wspi_buf out;
    char did[128]; /* what the last mutation was */
    wspi_trim trim;
};

/* Reads packet k into the draft, coded after those before it; its tokens. false: no memory. And the draft back into the input. */
bool wspi_mutator_open(wsp_mutator *m, size_t k, uint16_t *ids, size_t *n, int *dir);
void wspi_mutator_close(wsp_mutator *m, size_t k);

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
