/* SPDX-License-Identifier: Apache-2.0 */
/*
 * flow.h: which flow a packet belongs to. A flow is bidirectional: same VLANs and tunnel, same two
 * addresses and ports, same protocol; packets that are not IP go by link addresses and ethertype. A
 * flow ends when it is idle, when it has been active too long, when TCP has closed, when the table
 * is full (the least recently used goes), or at the end of the capture.
 */
#ifndef WIRESPEAK_FLOW_H
#define WIRESPEAK_FLOW_H

#include "wirespeak/base.h"
#include "wirespeak/packet.h"

#ifdef __cplusplus
extern "C" {
#endif

/*
 * Puts the smaller (address, port) first; returns 1 if the sides were swapped, so that 0/1 is the
 * packet's direction.
 */
WSP_API int wsp_flow_key_order(wsp_flow_key *key);

/* A number made of the key, the same for both directions, on every machine and in every run: for parting flows. */
WSP_API uint64_t wsp_flow_key_hash(const wsp_flow_key *key);

typedef enum wsp_flow_end {
    WSP_FLOW_OPEN = 0,
    WSP_FLOW_IDLE,   /* no packet for the idle timeout (capture time) */
    WSP_FLOW_ACTIVE, /* open longer than the active timeout; later packets start a new flow */
    /*
     * TCP: FIN in both directions and acknowledged, or RST. `end` says so at once; the release
     * comes later, because late packets of the 4-tuple belong here until idle time or a new SYN.
     */
    WSP_FLOW_CLOSED,
    WSP_FLOW_EVICTED, /* the table was full */
    WSP_FLOW_EOF,     /* the capture ended */
} wsp_flow_end;

#define WSP_MAX_VLANS 4 /* of a flow, that are kept: more tags than that are in its key alone */

/* What the table keeps of every flow; read-only for the caller except `user` and `file`. */
typedef struct wsp_flow {
    /* side 0 is the initiator: sender of the first packet, or receiver if that is a SYN-ACK */
    wsp_flow_key key;
    uint64_t id; /* counts up from 0 in order of first packets */
    uint64_t first_ns,
        last_ns;         /* the earliest and the latest time, in whatever order packets are */
    uint64_t packets[2]; /* [0] from the initiator, [1] to it */
    uint64_t bytes[2];   /* wire bytes of the frames */
    wsp_flow_end end;
    uint8_t tcp_flags[2]; /* TCP flags seen so far, of each direction */
    /* type and code of the first ICMP packet, likewise, where they were read: see wsp_flow_note */
    bool icmp_seen[2];
    uint8_t icmp_type[2], icmp_code[2];
    uint8_t n_vlans;
    uint16_t vlan[WSP_MAX_VLANS]; /* [n_vlans] of the first packet, the outermost first */
    void *user;                   /* the caller's; see wsp_flow_table_options.release */
    const char *file;             /* the caller's, too: the capture that the flow begins in */
} wsp_flow;

typedef struct wsp_flow_table wsp_flow_table;

/*
 * Called once when a flow ends, in the order of ending. The flow is freed after the call: take
 * `user` out of it.
 */
typedef void wsp_flow_release_fn(void *arg, wsp_flow *flow);

typedef struct wsp_flow_table_options {
    size_t max_flows; /* at least 1; default 1,000,000 */
    uint64_t idle_ns; /* default 120 s; 0 = never */
    /* default 0 = never (a labelled flow is one record); live tagging sets 1800 s */
    uint64_t active_ns;
    wsp_flow_release_fn *release;
    void *arg;
} wsp_flow_table_options;

WSP_API wsp_flow_table_options wsp_flow_table_options_default(void);
WSP_MUST_USE WSP_API wsp_status wsp_flow_table_new(wsp_flow_table **out,
                                                   const wsp_flow_table_options *opt);

/*
 * The flow of a packet with this key (as dissected: side 0 = source), time, wire length and TCP
 * flags (0 if not TCP); counts the packet, ends flows whose time is over (calling release). *dir =
 * 0 when the packet comes from the flow's initiator, else 1. The flow stays where it is until it is
 * released, which any later call on the table may do.
 */
WSP_MUST_USE WSP_API wsp_status wsp_flow_table_add(wsp_flow_table *t, const wsp_flow_key *key,
                                                   uint64_t time_ns, uint32_t wirelen,
                                                   uint8_t tcp_flags, wsp_flow **flow, int *dir);

/*
 * Keeps what records of flows need beside the key: the VLANs of the flow's first packet, and type and code of the first ICMP or
 * ICMPv6 packet of each direction (Community IDs have those of the initiator). Call it with every packet after wsp_flow_table_add;
 * of ICMP it looks at no fragment but the first.
 */
WSP_API void wsp_flow_note(wsp_flow *flow, const wsp_packet *p, int dir);

/* Ends the flows that are idle at `now_ns`, as a packet of that time would. For live use, where packets may stay away. */
WSP_API void wsp_flow_table_expire(wsp_flow_table *t, uint64_t now_ns);

/*
 * Ends every flow (WSP_FLOW_EOF), oldest first. The table is empty and usable again; ids go on
 * counting.
 */
WSP_API void wsp_flow_table_flush(wsp_flow_table *t);

/* Ends the least recently used flow (WSP_FLOW_EVICTED); false: there was none. */
WSP_API bool wsp_flow_table_evict(wsp_flow_table *t);

WSP_API size_t wsp_flow_table_count(const wsp_flow_table *t);
WSP_API uint64_t wsp_flow_table_evictions(const wsp_flow_table *t);
WSP_API void wsp_flow_table_free(wsp_flow_table *t); /* flushes first */

#ifdef __cplusplus
}
#endif
#endif
