/* SPDX-License-Identifier: Apache-2.0 */
/*
 * capture.h: packets in from files, pipes, folders and archives; packets out to a pcap file.
 *
 * An input is a list of paths. A path is a capture (pcap or pcapng), "-" for standard input, a
 * folder (walked in name order), or anything libarchive reads (.gz, .zst, .xz, .zip, .7z, .tar,
 * ...), whose members are read as captures without unpacking to disk. A capture inside an archive
 * is named "archive.zip:folder/member.pcap". A pcapng file with several link types is several captures of one name: the packets
 * of its first interface's type, then those of each other type, which wait in a temporary file until the first one was read to
 * its end.
 */
#ifndef WIRESPEAK_CAPTURE_H
#define WIRESPEAK_CAPTURE_H

#include "wirespeak/base.h"

#ifdef __cplusplus
extern "C" {
#endif

/*
 * One captured packet. `data` is borrowed: valid until the next wsp_input_next on the same input.
 */
typedef struct wsp_frame {
    uint64_t time_ns; /* nanoseconds since 1970-01-01 UTC */
    uint32_t caplen;  /* bytes in `data` */
    /* bytes that were on the wire; usually >= caplen, but outside data may lie */
    uint32_t wirelen;
    const uint8_t *data; /* [caplen] */
} wsp_frame;

/*
 * What an input says of the capture that it is reading. Borrowed until the next
 * wsp_input_open_next.
 */
typedef struct wsp_capture_info {
    /* path as the user gave or found it; "archive:member" inside archives; "-" for a pipe */
    const char *name;
    /* LINKTYPE_ value of the file (https://www.tcpdump.org/linktypes.html), 1 = Ethernet */
    int linktype;
    uint32_t snaplen; /* as the file says, 0 if it does not */
    /* the file's own resolution is nanoseconds (else microseconds or unknown) */
    bool nanosecond;
} wsp_capture_info;

typedef struct wsp_input wsp_input;

typedef struct wsp_input_options {
    /*
     * a path that is no capture is logged as a warning, counted, and skipped, instead of an error
     */
    bool skip_bad;
    /*
     * such a path is logged as an error, counted, and the others are read; what does not exist is refused by wsp_input_new.
     * If not a single capture was opened, wsp_input_open_next says at the end what was wrong instead of EOF.
     */
    bool keep_going;
    /*
     * all captures of all paths are one, as mergecap(1) would make it: their packets in the order of their times, where a
     * capture is opened when its first packet is due. It has the name of the capture that begins first; packets of other link
     * types than that one's are further captures of this name, as in pcapng. A capture that breaks off does not end it, and is
     * told at its end. Memory is taken for each name, and for captures whose times overlap: of these at most 128. Captures are
     * opened twice, so that none can be a pipe (ARG).
     */
    bool join;
    size_t max_depth; /* archives inside archives: how deep (default 3) */
    /* a BPF expression (man pcap-filter), or NULL; packets that do not match are skipped */
    const char *filter;
    /* of encrypted archives (zip, by its old cipher or AES), or NULL; an empty one is refused (ARG). Copied. */
    const char *password;
} wsp_input_options;

WSP_API wsp_input_options wsp_input_options_default(void);

/*
 * Takes the paths (copied). Nothing is opened yet: a missing file is reported by
 * wsp_input_open_next, unless keep_going says otherwise.
 */
WSP_MUST_USE WSP_API wsp_status wsp_input_new(wsp_input **out, const char *const *paths, size_t n,
                                              const wsp_input_options *opt, wsp_error *err);

/*
 * Opens the next capture of the input. WSP_OK: *info is filled; WSP_EOF: no more captures. On an
 * error of one capture (FORMAT, IO) the call may be repeated to go on with the next. Where nothing was a capture and no error has
 * said so (empty folders, or skip_bad has passed over everything), the first EOF is a FORMAT that does.
 */
WSP_MUST_USE WSP_API wsp_status wsp_input_open_next(wsp_input *in, wsp_capture_info *info,
                                                    wsp_error *err);

/*
 * Next packet of the open capture. WSP_EOF at its regular end. WSP_ERR_FORMAT where the file breaks
 * off or lies: the packets before it were good; the capture is closed.
 */
WSP_MUST_USE WSP_API wsp_status wsp_input_next(wsp_input *in, wsp_frame *frame, wsp_error *err);

/*
 * Of a joined capture the name of the one that the last packet came from, valid until wsp_input_free; NULL of others, which have
 * one name.
 */
WSP_API const char *wsp_input_file(const wsp_input *in);
/* How many captures are one; 0 of an input that does not join. */
WSP_API size_t wsp_input_joined(const wsp_input *in);

/* Paths or members skipped by skip_bad. */
WSP_API size_t wsp_input_skipped(const wsp_input *in);
/* Paths or members that keep_going has passed over so far. */
WSP_API size_t wsp_input_unread(const wsp_input *in);

/*
 * Bytes read from files and pipes so far, archives as they are stored; and how many there are in all, 0 when nobody can
 * tell (a pipe). The first call walks over folders.
 */
WSP_API void wsp_input_progress(wsp_input *in, uint64_t *done, uint64_t *all);

/*
 * From now on there are no more packets and no more captures (EOF): a run over the input comes to its regular end,
 * within a fraction of a second also where a pipe is quiet. May be called from a signal handler and from other threads.
 */
WSP_API void wsp_input_stop(wsp_input *in);
WSP_API bool wsp_input_stopped(const wsp_input *in);

WSP_API void wsp_input_free(wsp_input *in);

/* ---- writing ---- */

typedef struct wsp_pcap_writer wsp_pcap_writer;

/*
 * Writes a nanosecond pcap file (https://www.tcpdump.org/manpages/pcap-savefile.5.html). `path` "-"
 * is standard output; else a temporary file beside `path` is written and renamed by
 * wsp_pcap_writer_close, so that `path` is never half-written.
 */
WSP_MUST_USE WSP_API wsp_status wsp_pcap_writer_open(wsp_pcap_writer **out, const char *path,
                                                     int linktype, wsp_error *err);
WSP_MUST_USE WSP_API wsp_status wsp_pcap_writer_add(wsp_pcap_writer *w, const wsp_frame *frame,
                                                    wsp_error *err);

/*
 * Flushes, renames and frees. Every error of writing, closing or renaming is reported here at the
 * latest.
 */
WSP_MUST_USE WSP_API wsp_status wsp_pcap_writer_close(wsp_pcap_writer *w, wsp_error *err);

/* Throws the file away (removes the temporary one) and frees. NULL is fine. */
WSP_API void wsp_pcap_writer_discard(wsp_pcap_writer *w);

/*
 * The same as a pcapng file (https://www.ietf.org/archive/id/draft-ietf-opsawg-pcapng-02.html), with interfaces and
 * comments. An interface has the link type of its packets and a description (UTF-8); *id counts them from 0.
 */
typedef struct wsp_pcapng_writer wsp_pcapng_writer;

WSP_MUST_USE WSP_API wsp_status wsp_pcapng_writer_open(wsp_pcapng_writer **out, const char *path,
                                                       wsp_error *err);
WSP_MUST_USE WSP_API wsp_status wsp_pcapng_writer_interface(wsp_pcapng_writer *w, int linktype,
                                                            const char *name, uint32_t *id,
                                                            wsp_error *err);
/* comments [n]: UTF-8, of at most 65,535 bytes each. */
WSP_MUST_USE WSP_API wsp_status wsp_pcapng_writer_add(wsp_pcapng_writer *w, uint32_t interface,
                                                      const wsp_frame *frame,
                                                      const char *const *comments, size_t n,
                                                      wsp_error *err);
WSP_MUST_USE WSP_API wsp_status wsp_pcapng_writer_close(wsp_pcapng_writer *w, wsp_error *err);
WSP_API void wsp_pcapng_writer_discard(wsp_pcapng_writer *w);

/*
 * A NumPy .npy file (https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html) of rows of float32, row by row;
 * a pipe cannot take one. It appears whole at close.
 */
typedef struct wsp_npy_writer wsp_npy_writer;

WSP_MUST_USE WSP_API wsp_status wsp_npy_writer_open(wsp_npy_writer **out, const char *path,
                                                    size_t columns, wsp_error *err);
/* rows [n][columns] */
WSP_MUST_USE WSP_API wsp_status wsp_npy_writer_add(wsp_npy_writer *w, const float *rows, size_t n,
                                                   wsp_error *err);
WSP_MUST_USE WSP_API wsp_status wsp_npy_writer_close(wsp_npy_writer *w, wsp_error *err);
WSP_API void wsp_npy_writer_discard(wsp_npy_writer *w);

#ifdef __cplusplus
}
#endif
#endif
