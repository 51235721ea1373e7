/* SPDX-License-Identifier: Apache-2.0 */
/*
 * packet.h: one frame taken apart into layers of fields, and the key of the flow that it belongs to.
 */
#ifndef WIRESPEAK_PACKET_H
#define WIRESPEAK_PACKET_H

#include "wirespeak/base.h"
#include "wirespeak/capture.h"

#ifdef __cplusplus
extern "C" {
#endif

/*
 * Identity of a flow as seen by one packet (side 0 = source). Plain data, compared bytewise after wsp_flow_key_order:
 * unused bytes are zero. Addresses are in network order, IPv4 in the first 4 bytes, MAC in the first 6.
 */
typedef struct wsp_flow_key {
    uint8_t addr[2][16];
    uint16_t port[2];   /* ports; for ICMP echo the identifier twice; else 0 */
    uint16_t ethertype; /* 0x0800, 0x86dd; others: keyed by link addresses; 0: unparsed link type */
    uint8_t proto;      /* IP protocol, or 0 */
    uint8_t addr_len;   /* 0, 4, 6 (MAC) or 16 */
    uint32_t
        scope; /* hash of VLAN ids and tunnel identifiers outside the addressed layer, 0 if none */
} wsp_flow_key;

/*
 * Whether packets of a LINKTYPE_ are taken apart. Those of another are one flow without addresses: a warning says so, with the
 * name of the capture or interface. To be asked once for each.
 */
WSP_API bool wsp_packet_link(const char *capture, int linktype);

typedef struct wsp_packet
    wsp_packet; /* fields of one packet and its payload; reused from packet to packet */
WSP_MUST_USE WSP_API wsp_status wsp_packet_new(wsp_packet **out);
WSP_API void wsp_packet_free(wsp_packet *p);

/* Takes a frame apart. Never fails: what does not parse is payload. Borrows frame->data until the packet is reused. */
WSP_API void wsp_packet_dissect(wsp_packet *p, int linktype, const wsp_frame *frame);
/*
 * The same in two steps. After the first, key, TCP flags, IP header and payload are there; the second, which the encoder wants, tells
 * which lengths and checksums are right and reads the whole packet for it. It does nothing where that has been done.
 */
WSP_API void wsp_packet_peek(wsp_packet *p, int linktype, const wsp_frame *frame);
WSP_API void wsp_packet_check(wsp_packet *p);
WSP_API const wsp_flow_key *wsp_packet_key(
    const wsp_packet *p); /* as seen in this packet: side 0 = source */
WSP_API uint8_t wsp_packet_tcp_flags(const wsp_packet *p); /* 0 when not TCP */
/* Type and code of ICMP or ICMPv6, behind whatever headers of IP; false where there are none, as in a later fragment. */
WSP_API bool wsp_packet_icmp(const wsp_packet *p, uint8_t *type, uint8_t *code);
/* Ids of its VLAN tags into vlan, the outermost first, at most `room` of them; returns how many. */
WSP_API size_t wsp_packet_vlans(const wsp_packet *p, uint16_t *vlan, size_t room);
/* The innermost IP packet inside the frame (for nDPI): false when there is none. Borrowed like the frame. */
WSP_API bool wsp_packet_ip(const wsp_packet *p, const uint8_t **ip, size_t *len);
/* Transport (or innermost) payload: captured bytes (borrowed) and length on the wire. */
WSP_API void wsp_packet_payload(const wsp_packet *p, const uint8_t **data, size_t *caplen,
                                size_t *wirelen);

#ifdef __cplusplus
}
#endif
#endif
