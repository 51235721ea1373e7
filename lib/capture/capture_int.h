/* SPDX-License-Identifier: Apache-2.0 */
/*
 * capture_int.h: what the folders to the right may use of capture/ beyond the public header: small files
 * read whole, and .npz containers (a ZIP of .npy members) through libarchive.
 */
#ifndef WSPI_CAPTURE_INT_H
#define WSPI_CAPTURE_INT_H

#include <stdio.h>

#include "base/base.h"
#include "wirespeak/capture.h"

/* A file without a name, to write and then read, in the folder of `beside`; NULL and errno. fclose() removes it. */
FILE *wspi_spool_open(const char *beside) WSP_MUST_USE;

/*
 * An input over one block of memory (borrowed until wsp_input_free) instead of paths: for fuzzing
 * and tests.
 */
wsp_status wspi_input_from_memory(wsp_input **out, const char *name, const void *p, size_t len,
                                  const wsp_input_options *opt, wsp_error *err) WSP_MUST_USE;

/* libpcap's name of a LINKTYPE_ value ("EN10MB"), static; NULL where it has none. */
const char *wspi_linktype_name(int linktype);

/*
 * Reads a whole file of at most `max` bytes into a fresh block (*data, free() it). "-" is standard
 * input.
 */
wsp_status wspi_file_read(const char *path, size_t max, uint8_t **data, size_t *len,
                          wsp_error *err) WSP_MUST_USE;

/* ---- the bytes of a pcap file, beside the packets' own ---- */

enum { WSPI_PCAP_FILE_HEAD = 24, WSPI_PCAP_PACKET_HEAD = 16 };

/* How many bytes libpcap reads back of a packet of this link type (a LINKTYPE_ value), in pcap and pcapng: some have long messages. */
uint32_t wspi_linktype_most(int linktype);

/* What a nanosecond pcap file begins with, and what it has before each packet. Times after 2106 wrap. */
void wspi_pcap_file_head(uint8_t head[WSPI_PCAP_FILE_HEAD], int linktype);
void wspi_pcap_packet_head(uint8_t head[WSPI_PCAP_PACKET_HEAD], const wsp_frame *frame);

/* ---- how small a general compressor makes a stream of bytes; the result is counted, not kept ---- */

typedef enum wspi_squeeze_method {
    WSPI_SQUEEZE_GZIP, /* level 9 */
    WSPI_SQUEEZE_XZ,   /* level 6 */
    WSPI_SQUEEZE_ZSTD, /* level 19 */
    WSPI_SQUEEZE_METHODS,
} wspi_squeeze_method;

typedef struct wspi_squeeze wspi_squeeze;

/* UNSUPPORTED when this build of libarchive has not got the method; it starts no outside program for it. */
wsp_status wspi_squeeze_open(wspi_squeeze **out, wspi_squeeze_method how,
                             wsp_error *err) WSP_MUST_USE;
wsp_status wspi_squeeze_add(wspi_squeeze *s, const void *p, size_t len,
                            wsp_error *err) WSP_MUST_USE;
/* Ends the stream: *size = bytes of the compressed file. Nothing may be added after it. */
wsp_status wspi_squeeze_finish(wspi_squeeze *s, uint64_t *size, wsp_error *err) WSP_MUST_USE;
void wspi_squeeze_free(wspi_squeeze *s);

/* ---- .npz ---- */

typedef struct wspi_zip_writer wspi_zip_writer;

/*
 * A ZIP file whose members are stored or deflated so that numpy.load reads it. Atomic like
 * wsp_outfile.
 */
wsp_status wspi_zip_writer_open(wspi_zip_writer **out, const char *path, bool deflate,
                                wsp_error *err) WSP_MUST_USE;
/*
 * One member of `len` bytes in one or two pieces (header, body); body may be NULL when body_len is
 * 0.
 */
wsp_status wspi_zip_writer_add(wspi_zip_writer *w, const char *name, const void *head,
                               size_t head_len, const void *body, size_t body_len,
                               wsp_error *err) WSP_MUST_USE;
/* The same with the next body_len bytes of a file as the body. */
wsp_status wspi_zip_writer_add_file(wspi_zip_writer *w, const char *name, const void *head,
                                    size_t head_len, FILE *body, uint64_t body_len,
                                    wsp_error *err) WSP_MUST_USE;
wsp_status wspi_zip_writer_close(wspi_zip_writer *w, wsp_error *err) WSP_MUST_USE;
void wspi_zip_writer_discard(wspi_zip_writer *w);

typedef wsp_status wspi_zip_member_fn(void *arg, const char *name, uint8_t *data, size_t len,
                                      wsp_error *err);

/*
 * Calls fn for every member of the ZIP at `path`, in file order, with the member's bytes in a fresh
 * block that fn owns (free()). Members that have together more than `plain` bytes, and much more than what was read
 * of the file, are a LIMIT error when they have come so far. Stops at the first negative status. ARG: the file is no ZIP.
 */
wsp_status wspi_zip_read(const char *path, size_t plain, wspi_zip_member_fn *fn, void *arg,
                         wsp_error *err) WSP_MUST_USE;

#endif
