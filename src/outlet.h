/* SPDX-License-Identifier: Apache-2.0 */
/*
 * outlet.h: records of tag on their way out: a bounded queue, and a thread that makes lines of them and writes these to
 * the sinks. The tagger never waits for a reader: what does not fit into the queue is lost and counted.
 */
#ifndef WSP_OUTLET_H
#define WSP_OUTLET_H

#include "cli.h"
#include "wirespeak/live.h"

typedef struct outlet outlet;

enum { OUTLET_BINS = 96 };

/* From the deciding packet to its record, which some sink took: bin i counts those of up to outlet_bin_us(i) microseconds. */
typedef struct outlet_stats {
    uint64_t records;       /* that were put */
    uint64_t written, lost; /* of all sinks together; lost: in the queue, too */
    uint64_t latency[OUTLET_BINS], latencies, latency_sum_us;
    bool
        failed; /* going on makes no sense: the only sink is dead, or files would go on without a place for records */
} outlet_stats;

uint64_t outlet_bin_us(size_t bin);
/* The latency that a share of the decisions stayed under, in microseconds; 0 without decisions. */
uint64_t outlet_latency_us(const outlet_stats *s, double share);

/* Flows that have ended, by what the first head says of them. */
typedef struct outlet_label {
    const char *name;
    uint64_t flows, bytes;
} outlet_label;

typedef struct outlet_options {
    const wsp_model *m;
    const size_t *heads;
    size_t n_heads;
    const cli_list *targets; /* of sinks; none: standard output */
    bool live; /* records are late or lost rather than waited for; sources are interfaces */
    bool decisions, ends; /* which records become lines */
} outlet_options;

/* Opens the sinks. The thread starts with outlet_start. Exit status. */
int outlet_open(outlet **out, const outlet_options *opt);
int outlet_start(outlet *o);

/* Names the source that records of this number come from. */
int outlet_source(outlet *o, uint32_t number, const char *name);
void outlet_put(outlet *o, const wsp_tag_record *r);
/* A line of the caller's own, without a newline; taken over. */
void outlet_put_line(outlet *o, char *line);

void outlet_wait(outlet *o); /* from now on records wait for room in the queue: packets are over */
void outlet_hurry(
    outlet *
        o); /* readers that take nothing are not waited for any more; likewise from a signal handler */
void outlet_reopen(outlet *o); /* files, soon; may be called from a signal handler */
outlet_stats outlet_stats_get(outlet *o);
/* [*n] all labels and "unknown", as they are now, for the caller to free; names are the model's. NULL: no memory. */
outlet_label *outlet_labels_get(outlet *o, size_t *n);
/* Writes what is there and ends; NULL is fine. *last: the figures then. Exit status: CLI_FAILED when records were lost. */
int outlet_close(outlet *o, outlet_stats *last);
void outlet_free(
    outlet *o); /* closed before, and no signal handler knows it any more; NULL is fine */

#endif
