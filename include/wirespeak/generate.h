/* SPDX-License-Identifier: Apache-2.0 */
/* generate.h: new flows drawn from a model: what they shall be, who their hosts are, and the capture of them. */
#ifndef WIRESPEAK_GENERATE_H
#define WIRESPEAK_GENERATE_H

#include "wirespeak/base.h"
#include "wirespeak/capture.h"
#include "wirespeak/deviate.h"
#include "wirespeak/model.h"
#include "wirespeak/token.h"

#ifdef __cplusplus
extern "C" {
#endif

/* ---- hosts ---- */

/* A network of IPv4 (len 4) or IPv6 (len 16) addresses, and the length of its prefix. */
typedef struct wsp_network {
    uint8_t addr[16];
    uint8_t len;
    unsigned bits;
} wsp_network;

/* "10.0.0.0/24", "2001:db8::/64", or one address; ARG for anything else. */
WSP_MUST_USE WSP_API wsp_status wsp_network_parse(const char *text, wsp_network *out);

/*
 * Where hosts come from. A host has one IPv4, one IPv6 and one MAC address whatever flows it takes part in. Of n
 * networks those of IPv4 are drawn from by their sizes; the IPv6 address is the host's in one of the IPv6 networks, or
 * 2001:db8::a.b.c.d where there is none; so it is the other way round when all are of IPv6 (IPv4 is 10.0.0.0/8 then).
 * By default the model draws whether a host is near or far (wsp_filler).
 */
typedef struct wsp_pool {
    const wsp_network *networks; /* borrowed */
    size_t n;                    /* 0: the default of its side */
    uint8_t mac[6];              /* MAC addresses begin with these ... */
    size_t
        mac_len; /* ... so many bytes, 0 to 6; 0: 02:00 and the IPv4 address, or 00:16:3e where that is even */
} wsp_pool;

/* ---- what to generate ---- */

/* ---- flows of a capture, to make others like them or to change them ---- */

typedef struct wsp_prompt wsp_prompt;

typedef struct wsp_prompt_options {
    bool packets; /* keep the packets, for `from`; else only times and lengths, for `like` */
    bool label;   /* and what nDPI says of the flows */
} wsp_prompt_options;

/* Reads one capture (FORMAT when it breaks off). Flows are those of a flow table with default options. */
WSP_MUST_USE WSP_API wsp_status wsp_prompt_read(wsp_prompt **out, const char *path,
                                                const wsp_prompt_options *opt, wsp_error *err);
WSP_API size_t wsp_prompt_flows(const wsp_prompt *p);
WSP_API int wsp_prompt_linktype(const wsp_prompt *p);
/*
 * The flows' conditions: the labels of the model's head `head` that are what nDPI said, -1 where the head has no such
 * label. Returns how many are known.
 */
WSP_API size_t wsp_prompt_conditions(wsp_prompt *p, const wsp_model *m, const char *head);
WSP_API void wsp_prompt_free(wsp_prompt *p);

/* A header field of a packet that is set to a value. */
typedef struct wsp_edit {
    size_t packet; /* of each flow, from 1; 0: of all packets */
    uint8_t layer, field;
    uint64_t value;
} wsp_edit;

/*
 * "ipv4.ttl=64", "3:tcp.flags=RA", "tcp.dport=0x1bb", "ipv4.src=10.0.0.1", "eth.src=02:00:00:00:00:01": decimal,
 * hexadecimal, a name that explain prints, or an address. ARG: no such header field, or no value of it.
 */
WSP_MUST_USE WSP_API wsp_status wsp_edit_parse(const char *text, wsp_edit *out, wsp_error *err);

/* The number of the header field "ipv4.ttl" as layer and field of *out. */
WSP_MUST_USE WSP_API wsp_status wsp_edit_field(const char *name, wsp_edit *out, wsp_error *err);

/* What becomes of the flows of a capture. Packets are counted from 1 in each flow. */
typedef struct wsp_from {
    const wsp_prompt *flows; /* borrowed, with packets; NULL: new flows */
    size_t after;      /* after so many packets of a flow new ones are drawn; SIZE_MAX: none are */
    size_t infill;     /* this packet is drawn anew, 0 = none; its time and direction stay ... */
    bool infill_field; /* ... and so do its tokens before this field */
    wsp_edit field;
    bool times; /* gaps are drawn anew */
    bool moved; /* the first packet is sent at start_ns, the others as much later as they were */
} wsp_from;

/* Flows of one condition: the offset of the head's labels + label (model.h), -1 = whatever; and its share. */
typedef struct wsp_share {
    int32_t condition;
    double weight; /* above 0 */
} wsp_share;

typedef struct wsp_generate_options {
    uint64_t flows;       /* how many; 0: as many as the next two want */
    uint64_t packets;     /* how many in all, 0 = as the flows have */
    uint64_t duration_ns; /* flows arrive and packets are sent for so long, 0 = until flows end */
    const wsp_share *mix; /* borrowed; every flow is one of these, drawn by weight */
    size_t n_mix;         /* 0: of no condition */
    uint64_t seed;        /* the same model, options and seed give the same packets */
    double temperature;   /* of the odds of tokens; 0 = always the likeliest */
    size_t top_k;         /* draw among so many likeliest tokens, 0 = all */
    double top_p;         /* and among the likeliest that have this share of the odds, (0, 1] */
    /*
     * How closely flows follow their conditions: by how much more than the model says counts what a condition changes of the first
     * packet's ports and of whose payload it has; and one whose headers gain a share of what is usual by its condition stays with the
     * chance of that share to this power. 0: flows are as they come.
     */
    double guide;
    double
        rare; /* share of the drawn packets, [0, 1], that get one token the model finds improbable, where there is one */
    bool rare_clients,
        rare_payloads; /* these are among what clients send alone; their tokens behind the headers alone */
    /* of a flow: what is told of a capture stays, if it is more. 0: 64, or as many as the flow of the capture has */
    size_t max_packets;
    uint64_t start_ns; /* flows arrive from here on ... */
    double rate;       /* ... so many a second on average, as a Poisson process */
    double speed;      /* all times from the first on are divided by it */
    const wsp_prompt *
        like; /* or NULL: borrowed; flows start when these do, are of their conditions unless there is a mix, and as long */
    wsp_from from;         /* flows of a capture in the place of new ones */
    const wsp_edit *edits; /* borrowed; of all flows */
    size_t n_edits;
    wsp_pool clients, servers;
    uint16_t port_first, port_last; /* of clients, both included */
    bool
        service_ports; /* of servers, also of protocols without a grammar: what readers go by, and then find malformed */
    size_t max_payload; /* text tokens of a packet, as in training */
    unsigned
        threads; /* 0: as many as the machine has CPUs; the packets are the same for any number, but for bfloat16 */
    wsp_dtype
        dtype; /* AUTO: int8 where the CPU has it, else float32, which has the same packets for a seed on either */
    /* or NULL: the first packet of every flow, when it is written, and what the flow was to be (-1: whatever) */
    wsp_status (*begins)(void *arg, const wsp_frame *first, int32_t condition, wsp_error *err);
    void *begins_arg;
    /* or NULL: before a packet with such a token is written; flow: its number in the order of the plan */
    wsp_status (*deviates)(void *arg, const wsp_deviation *d, wsp_error *err);
    void *deviates_arg;
    /* or NULL; from any thread, one at a time: flows and packets so far; negative ends the run */
    wsp_status (*report)(void *arg, uint64_t flows, uint64_t packets);
    void *arg;
    /* or NULL: takes the packets in the place of the writer, in time order; a negative status ends the run */
    wsp_status (*take)(void *arg, const wsp_frame *frame, wsp_error *err);
    void *take_arg;
} wsp_generate_options;

/* 1 flow of at most 64 packets, 10 a second, clients of 10.0.0.0/16 or 198.18.0.0/16, servers of
   10.1.0.0/24 or 198.51.100.0/24, ports from 49152 on. */
WSP_API wsp_generate_options wsp_generate_options_default(void);

/*
 * The condition of a label: "DNS", or "protocol:DNS" where several heads have it. ARG when no head has it, or several
 * have and none is named; UNSUPPORTED for one that was enrolled, which no training has told how to generate.
 */
WSP_MUST_USE WSP_API wsp_status wsp_find_condition(const wsp_model *m, const char *label,
                                                   int32_t *condition, wsp_error *err);

/*
 * The same, and of "protocol:*" the conditions of all labels of a head that the model has learned to generate: *n of at
 * most `room`, which is at least 1. ARG when there is no such head, or more labels.
 */
WSP_MUST_USE WSP_API wsp_status wsp_find_conditions(const wsp_model *m, const char *label,
                                                    int32_t *condition, size_t room, size_t *n,
                                                    wsp_error *err);

/*
 * Draws whole flows and writes their packets in time order (Ethernet, or as the capture that flows come from). Every packet is valid, whatever the model:
 * lengths, checksums, sequence numbers and what the grammar of its protocols fixes are computed, addresses and ports come
 * from the pools, opaque bytes are random. All packets are held in memory until they are sorted. Packets of a capture
 * that follow changed ones have their numbers told against those (FORMAT where they cannot follow), and edits write
 * what they are told to. The writer is the caller's to close; *packets = how many were written. UNSUPPORTED for a model of another vocabulary or without an
 * output stack.
 */
WSP_MUST_USE WSP_API wsp_status wsp_generate(const wsp_model *m, const wsp_generate_options *opt,
                                             wsp_pcap_writer *w, uint64_t *packets, wsp_error *err);

#ifdef __cplusplus
}
#endif
#endif
