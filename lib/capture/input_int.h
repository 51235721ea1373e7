/* SPDX-License-Identifier: Apache-2.0 */
/*
 * input_int.h: private to capture/: where bytes come from (bytesource.c), also under gzip (gunzip.c), archives unpacked as a
 * stream (unpack.c), and one capture (savefile.c: pcap by libpcap, pcapng by ourselves). input.c walks over them, merge.c makes
 * one of them all.
 */
#ifndef WSPI_INPUT_INT_H
#define WSPI_INPUT_INT_H

#include <archive.h>
#include <pcap/pcap.h>
#include <stdatomic.h>
#include <stdio.h>

#include "capture/capture_int.h"

#define WSPI_SOURCE_HEAD 4096

typedef struct wspi_gunzip wspi_gunzip;

/*
 * A stream of bytes that can be looked at before it is read: a file descriptor, a block of memory,
 * the current member of an archive, or what another stream unpacks to. A failure of the layer below is kept in `fault`, because
 * stdio and libpcap pass on no text.
 */
typedef struct wspi_source {
    int fd; /* -1: another kind */
    bool own_fd, seekable;
    bool waits;              /* a pipe or the like: a read may take for ever */
    const atomic_bool *stop; /* ends the stream when it is true, also while it waits, or NULL */
    const uint8_t *mem;      /* memory, borrowed */
    size_t mem_len, mem_pos;
    wspi_gunzip *gz;    /* owned */
    struct archive *ar; /* member, borrowed */
    const uint8_t *blk; /* what libarchive gave last, and where in the member it belongs */
    size_t blk_len;
    uint64_t blk_off;
    uint64_t pos;    /* bytes handed out by wspi_source_read */
    uint64_t *meter; /* counts bytes that came from the descriptor, or NULL */
    uint8_t head[WSPI_SOURCE_HEAD];
    size_t head_len, head_pos;
    bool fatal; /* nothing more can come from the archive either */
    wsp_error fault;
} wspi_source;

wspi_source *wspi_source_fd(int fd, bool own) WSP_MUST_USE;
wspi_source *wspi_source_memory(const void *p, size_t len) WSP_MUST_USE;
wspi_source *wspi_source_member(struct archive *ar) WSP_MUST_USE;
/* Takes `from`, which is at its first byte. */
wspi_source *wspi_source_gunzip(wspi_source *from) WSP_MUST_USE;
void wspi_source_free(wspi_source *s);

/*
 * Looks ahead: up to n <= WSPI_SOURCE_HEAD bytes into s->head; returns how many are there. Only
 * before reading.
 */
size_t wspi_source_peek(wspi_source *s, size_t n);
/* Bytes read, 0 at the end, negative with s->fault set. May return less than n. */
ssize_t wspi_source_read(wspi_source *s, void *buf, size_t n);
/* New position or -1. Only when s->seekable. */
int64_t wspi_source_seek(wspi_source *s, int64_t off, int whence);
/* A stdio stream that reads s, or NULL with errno. Closing it leaves s alone. */
FILE *wspi_source_stdio(wspi_source *s) WSP_MUST_USE;

/* NOMEM leaves `from` to the caller; else it is taken. */
wsp_status wspi_gunzip_new(wspi_gunzip **out, wspi_source *from) WSP_MUST_USE;
void wspi_gunzip_free(wspi_gunzip *g);
/* As wspi_source_read, with to->fault and to->fatal set; what came before a fault has been given out when that is told. */
ssize_t wspi_gunzip_pull(wspi_gunzip *g, void *buf, size_t n, wspi_source *to);

typedef struct wspi_unpack wspi_unpack;

/*
 * Takes src on success. zip_only: no other format and no compression around it. password: of members that are encrypted, or
 * NULL.
 */
wsp_status wspi_unpack_open(wspi_unpack **out, wspi_source *src, const char *name, bool zip_only,
                            const char *password, wsp_error *err) WSP_MUST_USE;
/*
 * Goes to the next regular member. *member is its name, or NULL for a bare compressed file;
 * borrowed until the next call. WSP_EOF after the last. After an error only WSP_EOF follows.
 */
wsp_status wspi_unpack_next(wspi_unpack *u, const char **member, wsp_error *err) WSP_MUST_USE;
struct archive *wspi_unpack_archive(wspi_unpack *u);
void wspi_unpack_stop(wspi_unpack *u); /* the next call gives WSP_EOF */
void wspi_unpack_free(wspi_unpack *u);

/* ---- pcapng ---- */

typedef struct wspi_pcapng wspi_pcapng;

/* Reads up to the first interface, of which it tells in info. The stream is borrowed. After a failure wspi_pcapng_why says more; free it. */
wsp_status wspi_pcapng_open(wspi_pcapng **out, FILE *fp, wsp_capture_info *info) WSP_MUST_USE;
/* *of: the packet's interface. The frame is valid until the next call. */
wsp_status wspi_pcapng_next(wspi_pcapng *r, wsp_capture_info *of, wsp_frame *frame) WSP_MUST_USE;
const char *wspi_pcapng_why(const wspi_pcapng *r);
void wspi_pcapng_free(wspi_pcapng *r);

/* ---- packets of other link types than their capture's ---- */

typedef struct wspi_aside {
    wsp_capture_info info; /* without a name */
    FILE *fp;
    uint8_t *data; /* [cap] of the packet read last */
    size_t cap;
    const char *file; /* of that packet, as it was given to wspi_aside_add */
} wspi_aside;

/* Zeros: none. */
typedef struct wspi_asides {
    wspi_aside *items;
    size_t n, cap;
} wspi_asides;

/* `file` is kept, not copied. */
wsp_status wspi_aside_add(wspi_asides *a, const char *name, const wsp_capture_info *of,
                          const wsp_frame *f, const char *file, wsp_error *err) WSP_MUST_USE;
wsp_status wspi_aside_rewind(wspi_aside *a) WSP_MUST_USE;
wsp_status wspi_aside_next(wspi_aside *a, wsp_frame *f) WSP_MUST_USE;
void wspi_aside_close(wspi_aside *a);
void wspi_asides_clear(wspi_asides *a);

/* ---- captures of archives that are read before it is their turn ---- */

/* Zeros: none. */
typedef struct wspi_shelf {
    FILE *fp;
    uint64_t end; /* of what is in use */
    size_t n;     /* captures that are there */
    bool full;    /* until none is */
} wspi_shelf;

typedef struct wspi_shelved {
    bool there;
    uint64_t at, end; /* in the shelf's file: the next packet, the end */
    uint8_t *data;    /* [cap] of the packet read last */
    size_t cap;
    wsp_error fault; /* what the capture ends with, if its status is negative */
} wspi_shelved;

/* Puts the packets of the open capture of `in` there. EOF: there is no room. NOMEM. What else breaks it off is kept. */
wsp_status wspi_shelf_put(wspi_shelf *s, wspi_shelved *to, wsp_input *in) WSP_MUST_USE;
/* As wsp_input_next; *of: the packet's interface, without a name. */
wsp_status wspi_shelf_next(const wspi_shelf *s, wspi_shelved *c, const char *name,
                           wsp_capture_info *of, wsp_frame *f, wsp_error *err) WSP_MUST_USE;
/* Of one that was never there, too. */
void wspi_shelf_done(wspi_shelf *s, wspi_shelved *c);
void wspi_shelf_clear(wspi_shelf *s);

/* ---- all captures of an input as one, by the times of their packets ---- */

typedef struct wspi_join wspi_join;

/*
 * Looks at the first packet of every capture of `in`, which was not begun and is borrowed, and tells of the earliest; info->name
 * is the join's. What the walk has skipped, or left unread, is counted in `in`.
 */
wsp_status wspi_join_new(wspi_join **out, wsp_input *in, wsp_capture_info *info,
                         wsp_error *err) WSP_MUST_USE;
/*
 * The next packet, its capture's link type in *of. A file that breaks off ends, and others go on; at the end, in the place of
 * EOF, it is told.
 */
wsp_status wspi_join_next(wspi_join *j, wsp_capture_info *of, wsp_frame *frame,
                          wsp_error *err) WSP_MUST_USE;
/* The name of the capture that the last packet came from. */
const char *wspi_join_file(const wspi_join *j);
/* Captures that are joined. */
size_t wspi_join_count(const wspi_join *j);
void wspi_join_free(wspi_join *j);

/* ---- one capture ---- */

/* Open is one of pc, ng, aside.fp and join. */
typedef struct wspi_savefile {
    pcap_t *pc;
    wspi_pcapng *ng;
    wspi_aside aside;
    wspi_join *join; /* borrowed */
    FILE *fp;        /* of pc, which closes it, or ng */
    char *iobuf;
    wspi_source *src;
    struct bpf_program prog;
    bool has_prog, classic;
    bool any_type; /* packets of other link types are not put aside */
    int linktype;
    wsp_capture_info of; /* of the interface of the last packet, without a name */
    uint64_t packets;    /* read, before the filter */
    wspi_asides others;  /* packets of other link types: to be taken before closing */
} wspi_savefile;

/* Whether the bytes begin like pcap or pcapng. */
bool wspi_savefile_magic(const uint8_t *p, size_t len);
/* Takes src on success. info->name is left alone. */
wsp_status wspi_savefile_open(wspi_savefile *sf, wspi_source *src, const char *name,
                              const char *filter, wsp_capture_info *info,
                              wsp_error *err) WSP_MUST_USE;
/* Takes packets that were put aside, in any case. */
wsp_status wspi_savefile_open_aside(wspi_savefile *sf, wspi_aside *a, const char *name,
                                    const char *filter, wsp_capture_info *info,
                                    wsp_error *err) WSP_MUST_USE;
/* info: of the join. */
wsp_status wspi_savefile_open_join(wspi_savefile *sf, wspi_join *j, const char *filter,
                                   const wsp_capture_info *info, wsp_error *err) WSP_MUST_USE;
bool wspi_savefile_is_open(const wspi_savefile *sf);
/* The file of a joined capture that the last packet was in; NULL of other captures. */
const char *wspi_savefile_file(const wspi_savefile *sf);
wsp_status wspi_savefile_next(wspi_savefile *sf, const char *name, wsp_frame *frame,
                              wsp_error *err) WSP_MUST_USE;
void wspi_savefile_close(wspi_savefile *sf);
/* The LINKTYPE_ of files for what libpcap calls a link type on this system. */
int wspi_linktype_of_dlt(int dlt);
/* WSP_ERR_ARG when the expression is wrong for every usual link type. */
wsp_status wspi_filter_check(const char *filter, wsp_error *err) WSP_MUST_USE;

/* ---- inputs that an input reads ---- */

/*
 * An input over some of another's paths, which it outlives: as deep into archives, but for packets of all link types and without
 * a filter. It ends with the other. A quiet one is silent about what is no capture, and counts the bytes that it reads for the
 * other.
 */
wsp_status wspi_input_part(wsp_input **out, wsp_input *of, const char *const *paths, size_t n,
                           bool quiet, wsp_error *err) WSP_MUST_USE;
/* The file on disk that the open capture is in, until the next one is opened, and how many captures of it came before. */
const char *wspi_input_place(const wsp_input *in, size_t *nth);
/* The interface of the last packet. */
const wsp_capture_info *wspi_input_interface(const wsp_input *in);
/* All paths as wsp_input_new had them. */
const char *const *wspi_input_paths(const wsp_input *in, size_t *n);
/* Counts what a part has passed over. */
void wspi_input_count(wsp_input *in, const wsp_input *part);

#endif
