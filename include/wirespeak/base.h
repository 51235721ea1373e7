/* SPDX-License-Identifier: Apache-2.0 */
/*
 * base.h: what every other header of wirespeak uses: status codes, errors, logging, files that are written.
 *
 * Conventions of the whole library:
 *   - a function that can fail returns a wsp_status: negative is an error, WSP_OK (0) is success,
 *     WSP_EOF (1) is a regular end; test with `if (st < 0)`;
 *   - calls that open, load or parse a file take a last argument `wsp_error *err` (may be NULL);
 *   - who makes an object frees it; every *_free(NULL) is fine; out-pointers are NULL on failure;
 *   - a handle is used by one thread at a time; different handles are independent;
 *   - the library never prints, exits or reads the environment, and leaves the process as it is: signals, the locale, how many
 *     threads OpenMP has. libgcrypt is set up if nobody has done so.
 */
#ifndef WIRESPEAK_BASE_H
#define WIRESPEAK_BASE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#ifdef __cplusplus
extern "C" {
#endif

#if defined(__GNUC__)
#define WSP_API          __attribute__((visibility("default")))
#define WSP_MUST_USE     __attribute__((warn_unused_result))
#define WSP_PRINTF(f, a) __attribute__((format(printf, f, a)))
#else
#define WSP_API
#define WSP_MUST_USE
#define WSP_PRINTF(f, a)
#endif

/* Result of a call. The values never change. */
typedef enum wsp_status {
    WSP_EOF = 1,              /* regular end of a file, a flow or an iteration */
    WSP_OK = 0,               /* done */
    WSP_ERR_ARG = -1,         /* the caller's argument makes no sense */
    WSP_ERR_NOMEM = -2,       /* no memory */
    WSP_ERR_IO = -3,          /* the system refused: open, read, write, close, rename */
    WSP_ERR_FORMAT = -4,      /* the bytes are not what they claim to be */
    WSP_ERR_LIMIT = -5,       /* a limit given at creation is reached */
    WSP_ERR_UNSUPPORTED = -6, /* well-formed, but this build or version cannot do it */
} wsp_status;

/*
 * Details of a failure, in the caller's memory. `text` is one line that says what, where, and the numbers, fit to be
 * shown to a user after "wirespeak: ". Only meaningful after a negative status.
 */
typedef struct wsp_error {
    wsp_status status;
    int sys_errno;   /* errno of the failed system call, or 0 */
    uint64_t offset; /* byte offset in the file where it matters, or 0 */
    char text[512];
} wsp_error;

/* Short English name of a status, never NULL. */
WSP_API const char *wsp_status_name(wsp_status st);

/* Version of the library, "0.1.0". */
WSP_API const char *wsp_version(void);

/*
 * Text of others in what is shown: names of files, labels. Printable is UTF-8 without control characters, and so one line that
 * a terminal takes for letters. The second puts '?' in the place of every other byte. Texts of errors and of the log are so.
 */
WSP_API bool wsp_is_printable(const char *text);
WSP_API void wsp_make_printable(char *text);

typedef enum wsp_log_level {
    WSP_LOG_ERROR = 0,
    WSP_LOG_WARNING = 1,
    WSP_LOG_INFO = 2,
    WSP_LOG_DEBUG = 3,
} wsp_log_level;

typedef void wsp_log_fn(void *arg, wsp_log_level level, const char *text);

/*
 * Where the library's messages go: `fn` is called with one line without a newline for every message up to `level`.
 * NULL (the start) drops them. Call it before other threads use the library.
 */
WSP_API void wsp_log_set(wsp_log_fn *fn, void *arg, wsp_log_level level);

/*
 * A file that appears whole or not at all: written to `fp` (the caller may) in the same folder, without a name (or, where the file
 * system has no such files, under a temporary one, which stays if the process is killed), synced and renamed by commit; discard
 * removes it, and does nothing after commit or a failed open. It has the permissions of the file that it
 * replaces, or what the umask leaves; of a link it replaces what the link names, and refuses one that names
 * nothing. stream: standard output ("-"), devices and
 * pipes are written to as they are; they are refused else. IO with the reason. commit: IO for any write that failed before, too.
 */
typedef struct wsp_outfile {
    FILE *fp;
    char *path, *tmp; /* tmp: NULL for a stream, or while the file has no name */
    bool nameless;    /* it gets one when it is complete */
} wsp_outfile;
WSP_MUST_USE WSP_API wsp_status wsp_outfile_open(wsp_outfile *f, const char *path, bool stream,
                                                 wsp_error *err);
WSP_MUST_USE WSP_API wsp_status wsp_outfile_commit(wsp_outfile *f, wsp_error *err);
WSP_API void wsp_outfile_discard(wsp_outfile *f);

#ifdef __cplusplus
}
#endif
#endif
