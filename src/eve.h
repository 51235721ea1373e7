/* SPDX-License-Identifier: Apache-2.0 */
/*
 * eve.h: the record of a flow as Suricata's EVE writes it (https://docs.suricata.io, "EVE JSON Format"): field names,
 * types and the forms of times, addresses and protocols, for every command that prints flows.
 */
#ifndef WIRESPEAK_EVE_H
#define WIRESPEAK_EVE_H

#include <netinet/in.h>
#include <stddef.h>

#include "line.h"
#include "wirespeak/flow.h"

enum {
    EVE_ADDRESS_SIZE = INET6_ADDRSTRLEN,
    EVE_ENDPOINT_SIZE = INET6_ADDRSTRLEN + 8,
    EVE_TIME_SIZE = sizeof "2026-01-01T00:00:00.000000+0000",
    EVE_PROTO_SIZE = 16,
};

/* What a flow's record is, beside the flow. */
typedef struct eve_event {
    const char *type; /* "flow" */
    uint64_t time_ns; /* its time stamp */
    uint64_t flow_id;
    const char *capture; /* made by eve_name, or NULL: no pcap_filename */
    bool goes_on;        /* the flow has not ended: its part has no end and no reason */
} eve_event;

/*
 * The flow event: timestamp, event_type, flow_id, pcap_filename, vlan, addresses ("ether" for what is not IP), ports, proto,
 * icmp_type and icmp_code, community_id, flow. A member whose value was not read from the packets is absent. The object
 * stays open: the caller's own members follow, each after a comma, and "}\n".
 */
void eve_flow(linebuf *l, const wsp_flow *f, const eve_event *e);

/* What a head says: an object with label and confidence, which stays open as well. */
void eve_answer(linebuf *l, const char *label, double confidence);

/* Ports that were read: a packet cut before them, or a later fragment, leaves both 0. */
bool eve_has_ports(const wsp_flow_key *key);

/* "10.0.0.1", a MAC address, or "" when the flow has no address. */
void eve_address(const wsp_flow_key *key, int side, char *buf, size_t size);

/* As eve_address, with the port ("[::1]:53"); "-" when there is no address. */
void eve_endpoint(const wsp_flow_key *key, int side, char *buf, size_t size);

/* Suricata's name of the IP protocol ("IPv6-ICMP"), a name of the ethertype, or the number. */
void eve_proto(const wsp_flow_key *key, char *buf, size_t size);

/* Microseconds, UTC, the zone without a colon. */
void eve_time(uint64_t ns, char buf[EVE_TIME_SIZE]);

/* A copy fit to be shown: what is not UTF-8, and control characters, are '?'. free() it; NULL: no memory. */
char *eve_printable(const char *name);

/*
 * The same of a capture's name, but with `escapes`, for JSON and CSV, as it is where JSON can escape what it has:
 * names that differ stay different. CSV quotes line ends.
 */
char *eve_name(const char *name, bool escapes);

#endif
