/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sink.h: where records of tag go. A sink never blocks for good: what it cannot take is lost, counted, and told once. One
 * thread uses it.
 */
#ifndef WSP_SINK_H
#define WSP_SINK_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct sink sink;

/* A kind of sink. */
typedef struct sink_kind {
    const char *prefix; /* of targets, "unix:"; "" takes what no other takes */
    /* Exit status, with a message. Before privileges are dropped, which is done for the thread that does it: no thread starts here. */
    int (*open)(sink *s, const char *target);
    int (*start)(sink *s); /* after that; NULL: nothing to do */
    /*
     * Takes n whole lines of together `len` bytes. How many records were lost, those among them that were thought to be written before:
     * that may be more than n. With fewer than n, some were kept back.
     */
    size_t (*write)(sink *s, const char *lines, size_t len, size_t n);
    void (*reopen)(sink *s); /* NULL: nothing to do on SIGHUP */
    void (*close)(sink *s);
} sink_kind;

struct sink {
    const sink_kind *kind;
    char *target; /* as the user wrote it */
    int fd;
    void *own;  /* the kind's */
    char *rest; /* of a line that was cut in the middle: it comes first, so that no line is torn */
    size_t n_rest;
    uint64_t written, lost; /* records; who adds them up sets lost to 0 */
    uint64_t missed;        /* lost since the first write that failed */
    int64_t next_ms;        /* when a reader that has gone is looked for again */
    const char
        *why;     /* what the last write says of its loss, where errno cannot; NULL: errno does */
    bool waits;   /* fd is a pipe or a terminal, where write would wait for its reader for good */
    bool failing; /* the last write lost something, which was told, or it has been away since */
    bool away;    /* what it takes waits for a reader that has gone, and may be lost yet */
    bool dead;    /* its reader has gone, for good or until SIGHUP */
    bool shared;  /* packets go on, and other sinks wait for this one: its reader gets a second */
    const atomic_bool *hurry; /* the program is to end: nobody is waited for any more, or NULL */
};

extern const sink_kind sink_file, sink_unix, sink_syslog, sink_redis, sink_kafka;

/* False for "kafak:host/topic": a word and a colon are a kind of sink; a file of such a name has "./" before it. */
bool sink_is_known(const char *target);
/* "-": standard output; else by the prefix of the target. Exit status. */
int sink_open(sink *s, const char *target);
int sink_start(sink *s);
/* Takes n whole lines of together `len` bytes; returns how many were not lost. */
size_t sink_write(sink *s, const char *lines, size_t len, size_t n);
void sink_reopen(sink *s);
/* Ends; returns how many records are lost that were thought to be written. */
uint64_t sink_close(sink *s);

/* Milliseconds by the clock that nobody sets. */
int64_t sink_now_ms(void);
/* Whether the program is to end. */
bool sink_hurries(const sink *s);
/* Whether a reader that has gone is to be looked for again: a second after the last write that failed, and after as long as that one took. */
bool sink_due(const sink *s);
/* Whether the other end of an idle connection has ended it, as POLLHUP or `how` (POLLRDHUP or 0) tells: then the next one is looked for
 * before records are lost to this one. */
bool sink_hung_up(int fd, short how);
/* Waits a little until s->fd can be written to, and where it waits until the end is near; false: it cannot. */
bool sink_wait(const sink *s);
/* The rest of a line that was cut cannot come any more: a record that was thought to be written is lost. */
void sink_drop_rest(sink *s);
/* Writes to s->fd, for kinds that have one. Returns the lines that were lost; errno says why. */
size_t sink_write_fd(sink *s, const char *lines, size_t len, size_t n);

#endif
