/* SPDX-License-Identifier: Apache-2.0 */
/*
 * packet_int.h: the dissected packet and the tables of protocols. A packet is a stack of layers; a layer is a row of numbers
 * read from its header by its protocol's table, plus up to 40 bytes of variable part; what follows is payload and a
 * trailer. Options are layers of their own. Every header bit belongs to exactly one field (a test counts them), so
 * dissecting and building are inverse.
 */
#ifndef WSPI_PACKET_INT_H
#define WSPI_PACKET_INT_H

#include "base/base.h"
#include "wirespeak/capture.h"
#include "wirespeak/packet.h"

enum {
    WSPI_MAX_LAYERS = 64,
    WSPI_MAX_FIELDS = 20,
    WSPI_APP_FIELDS = 32,
    WSPI_MAX_EXTRA = 40,
    WSPI_MAX_HEADER = 40
};

/* Wraps: of how many are taken off, and the longest frame that is made for one. */
enum { WSPI_MAX_WRAPS = 4, WSPI_WRAP_VLANS = 4, WSPI_ETH_LEN = 14, WSPI_MADE_FRAME = 1 << 17 };

/* Layers. The order is part of the vocabulary: append only, before PAYLOAD, which ends every stack. */
enum wspi_layer_id {
    WSPI_ETH,
    WSPI_LLC,
    WSPI_SNAP,
    WSPI_VLAN,
    WSPI_SLL,
    WSPI_SLL2,
    WSPI_NULL,
    WSPI_HDLC,
    WSPI_CHDLC,
    WSPI_PPP,
    WSPI_PPPOE,
    WSPI_MPLS,
    WSPI_ARP,
    WSPI_IPV4,
    WSPI_IPV4_EOL, /* options and extension headers follow their header; their order is the order of the bytes */
    WSPI_IPV4_NOP,
    WSPI_IPV4_ALERT,
    WSPI_IPV4_ROUTE,
    WSPI_IPV4_RAWOPT,
    WSPI_IPV6,
    WSPI_IPV6_HOP,
    WSPI_IPV6_DEST,
    WSPI_IPV6_ROUTE,
    WSPI_IPV6_FRAG,
    WSPI_AH,
    WSPI_ESP,
    WSPI_ICMP,
    WSPI_ICMPV6,
    WSPI_IGMP,
    WSPI_UDP,
    WSPI_TCP,
    WSPI_TCP_EOL,
    WSPI_TCP_NOP,
    WSPI_TCP_MSS,
    WSPI_TCP_WSCALE,
    WSPI_TCP_SACKOK,
    WSPI_TCP_SACK,
    WSPI_TCP_TS,
    WSPI_TCP_RAWOPT,
    WSPI_SCTP,
    WSPI_SCTP_DATA,
    WSPI_SCTP_CHUNK,
    WSPI_GRE,
    WSPI_GRE_SUM,
    WSPI_GRE_KEY,
    WSPI_GRE_SEQ,
    WSPI_GRE_ACK,
    WSPI_VXLAN,
    WSPI_GTPU,
    WSPI_GTPU_OPT,
    WSPI_GTPU_EXT,
    WSPI_PAYLOAD,
    WSPI_LAYER_COUNT,
};

/* How a field becomes tokens (token/field.c holds one coder for each). */
enum wspi_kind {
    WSPI_K_AUTO,  /* computed by the builder (type, length, checksum); a token when it is not */
    WSPI_K_ENUM,  /* a token per listed value, else "other" and the value in the residuals */
    WSPI_K_MAG,   /* a log-scale token, the remainder in the residuals */
    WSPI_K_FREE,  /* arbitrary: residuals only; a token when a prediction fails */
    WSPI_K_ADDR,  /* as FREE, with a class token where nothing predicts it */
    WSPI_K_PORT,  /* as ADDR: a token per well-known port, a class for the others */
    WSPI_K_SEQ,   /* TCP sequence number against the next expected one */
    WSPI_K_ACK,   /* TCP acknowledgement against what the peer has sent */
    WSPI_K_IPID,  /* same, counting, or arbitrary */
    WSPI_K_TSVAL, /* TCP timestamp: moves forward */
    WSPI_K_TSECR, /* TCP timestamp echo: the peer's last */
};

/* What predicts a field when its kind has no rule of its own. */
enum wspi_pred {
    WSPI_P_CONST,  /* `arg` */
    WSPI_P_PREV,   /* last packet of this direction; `arg` before the first */
    WSPI_P_MIRROR, /* last packet of this direction; else field number `arg` of the last one of the other; else unknown */
    WSPI_P_FLAGS,  /* TCP flags: as the last packet of this direction with (without) payload */
    WSPI_P_ECHO,   /* ICMP sequence: the peer's in a reply, else the last plus one */
    WSPI_P_SELF,   /* last packet of this direction; unknown before the first */
    WSPI_P_COUNT,  /* the last one of this direction plus one; unknown before the first */
    WSPI_P_FRAG,   /* IPv4 fragment offset: where the last fragment ended */
    WSPI_P_NEXT, /* the number of the next layer; where none has one, as MIRROR of the same field, else `arg` */
};

/* Whose identity a field shows: mask policies and fillers go by it. */
enum wspi_role {
    WSPI_R_NONE,
    WSPI_R_MAC_SRC,
    WSPI_R_MAC_DST,
    WSPI_R_IP_SRC,
    WSPI_R_IP_DST,
    WSPI_R_IP_SRC_LOW, /* the interface half of an IPv6 address */
    WSPI_R_IP_DST_LOW,
    WSPI_R_PORT_SRC,
    WSPI_R_PORT_DST,
    WSPI_R_TTL,
    WSPI_R_CHECKSUM,
    WSPI_R_NUMBER, /* absolute counters: sequence numbers, identifiers, clocks */
    WSPI_R_TAG,    /* VLAN */
    WSPI_R_SPELT, /* a list's number; of what is not in it the name follows, so that samples may have "other" */
    WSPI_R_NAME, /* names of hosts, users and things: server name, DNS name, Host, cookie */
    WSPI_R_REGISTERED, /* of a long registry: samples may have numbers that no row names, which the walk makes up */
    WSPI_R_IP_TOLD, /* the address of a host, of which samples tell where the walk knows whose it is */
    WSPI_R_RENEWED, /* the number of an exchange: samples may begin another one where the walk lets them */
};

typedef struct wspi_value {
    uint32_t value;
    const char *name;
} wspi_value;

typedef struct wspi_field {
    const char *name;
    uint16_t bit;  /* offset from the layer's first bit */
    uint8_t width; /* bits, 1..64 */
    uint8_t kind, pred, role;
    uint64_t arg;             /* of pred */
    const wspi_value *values; /* for ENUM: ends with a NULL name */
    unsigned mantissa;        /* for MAG */
} wspi_field;

/*
 * Rows of application protocols: a field of `bits` that the walk predicts. What they leave out is 0, that is WSPI_P_CONST and
 * WSPI_R_NONE, and may follow: {WSPI_ENUM("tls.version", 16, version), .pred = WSPI_P_PREV, .arg = 0x0303}.
 */
#define WSPI_ENUM(label, bits, list) \
    .name = label, .width = bits, .kind = WSPI_K_ENUM, .values = list
#define WSPI_MAG(label, bits, whose, classes) \
    .name = label, .width = bits, .kind = WSPI_K_MAG, .role = whose, .mantissa = classes
#define WSPI_FREE(label, bits, from, whose) \
    .name = label, .width = bits, .kind = WSPI_K_FREE, .pred = from, .role = whose

/* Spaces of numbers by which a header names the next one (the numbers are in protos.c). */
enum wspi_space { WSPI_S_NONE, WSPI_S_ETHERTYPE, WSPI_S_IP, WSPI_S_PPP };

typedef struct wspi_layer wspi_layer;
typedef struct wspi_region wspi_region;

/* One protocol: its table and what it does beyond the table. NULL functions: nothing special. */
typedef struct wspi_proto {
    const char *name;
    const wspi_field *fields;
    uint8_t n_fields;
    uint16_t len;        /* bytes of the fixed header */
    bool has_extra;      /* a variable part follows the fixed header */
    uint8_t space, type; /* field `type` names the next layer by a number of this space */
    uint8_t
        part_of; /* layer that this is an option of, plus one: it counts as its header; 0: none */
    bool option; /* begins with `kind` and, if longer than a byte, its length */
    uint8_t kind;
    bool samples; /* drawn when sampling: what is in it can be made up */
    bool ends;    /* when sampling: payload may follow it directly */
    /* Reads the header at r->off, pushes its layers, narrows r->end; returns the next layer or WSPI_PAYLOAD. */
    uint8_t (*parse)(wspi_region *r);
    /* As wspi_auto_value. */
    bool (*computed)(const wsp_packet *p, const uint8_t *frame, size_t i, size_t f, uint64_t *v);
    void (*key)(wsp_flow_key *k, const wsp_packet *p, const wspi_layer *l);
} wspi_proto;

#define WSPI_FIELDS(t) .fields = t, .n_fields = WSPI_COUNT(t)

/* The rows of lib/packet/proto, by layer. */
extern const wspi_proto *const wspi_protos[WSPI_LAYER_COUNT];

/* Field numbers that code refers to; they equal the rows of the tables (a test holds it). */
enum { WSPI_ETH_DST, WSPI_ETH_SRC };
enum { WSPI_VLAN_PCP, WSPI_VLAN_DEI, WSPI_VLAN_ID, WSPI_VLAN_TYPE };
enum {
    WSPI_IPV4_VERSION,
    WSPI_IPV4_IHL,
    WSPI_IPV4_TOS,
    WSPI_IPV4_LEN,
    WSPI_IPV4_ID,
    WSPI_IPV4_FLAGS,
    WSPI_IPV4_FRAG,
    WSPI_IPV4_TTL,
    WSPI_IPV4_PROTO,
    WSPI_IPV4_CKSUM,
    WSPI_IPV4_SRC,
    WSPI_IPV4_DST
};
enum {
    WSPI_IPV6_VERSION,
    WSPI_IPV6_CLASS,
    WSPI_IPV6_LABEL,
    WSPI_IPV6_LEN,
    WSPI_IPV6_NEXT,
    WSPI_IPV6_HOPS,
    WSPI_IPV6_SRC,
    WSPI_IPV6_SRC_IF,
    WSPI_IPV6_DST,
    WSPI_IPV6_DST_IF
};
enum { WSPI_IPV6_PART_NEXT, WSPI_IPV6_PART_LEN };
enum {
    WSPI_FRAG_NEXT,
    WSPI_FRAG_RES,
    WSPI_FRAG_OFFSET,
    WSPI_FRAG_RES2,
    WSPI_FRAG_MORE,
    WSPI_FRAG_ID
};
enum { WSPI_ICMP_TYPE, WSPI_ICMP_CODE, WSPI_ICMP_CKSUM, WSPI_ICMP_ID, WSPI_ICMP_SEQ };
enum { WSPI_IGMP_TYPE, WSPI_IGMP_TIME, WSPI_IGMP_CKSUM, WSPI_IGMP_GROUP };
enum { WSPI_UDP_SPORT, WSPI_UDP_DPORT, WSPI_UDP_LEN, WSPI_UDP_CKSUM };
enum {
    WSPI_TCP_SPORT,
    WSPI_TCP_DPORT,
    WSPI_TCP_FLAGS,
    WSPI_TCP_SEQ,
    WSPI_TCP_ACK,
    WSPI_TCP_DOFF,
    WSPI_TCP_RES,
    WSPI_TCP_WINDOW,
    WSPI_TCP_CKSUM,
    WSPI_TCP_URG
};

enum { WSPI_TH_FIN = 1, WSPI_TH_SYN = 2, WSPI_TH_RST = 4, WSPI_TH_PSH = 8, WSPI_TH_ACK = 16 };

struct wspi_layer {
    uint8_t id;
    uint8_t extra_len; /* bytes of the variable part */
    uint16_t autos;    /* bit f: field f equals what the builder computes */
    uint32_t off;      /* in the frame */
    uint64_t v[WSPI_MAX_FIELDS];
    uint8_t extra[WSPI_MAX_EXTRA];
};

/*
 * What a frame came in: bytes before it that are no layers, have no tokens, and no field is told of. All offsets and lengths of the
 * packet are those of the inner frame, as if it had been captured by itself. `made` bytes of this stand for the wrap's
 * last ones (an Ethernet header in the place of another link's): the captured frame is bytes [0, len), then those of `data` from
 * `made` on.
 */
typedef struct wspi_wrap {
    const uint8_t *frame; /* as captured, borrowed */
    uint32_t len;         /* 0: not wrapped */
    uint8_t made;         /* 0, or WSPI_ETH_LEN */
    uint8_t n;            /* wraps in wraps */
    uint8_t most;         /* of them that are taken off */
    uint8_t n_vlans;
    uint16_t vlan[WSPI_WRAP_VLANS]; /* of tags in the wrap, the outermost first */
    uint32_t scope;                 /* of the key, likewise */
} wspi_wrap;

struct wsp_packet {
    int linktype;
    uint64_t time_ns;
    uint32_t caplen, wirelen;
    uint32_t wire;   /* length that the layers are fitted into: max(caplen, wirelen) */
    size_t n_layers; /* without PAYLOAD */
    uint32_t payload_off, payload_len; /* on the wire; the captured part may be shorter */
    uint32_t trailer_len;              /* wire bytes after the first IP packet's end */
    const uint8_t *data;               /* [caplen] borrowed */
    bool fragment;                     /* of an IP packet: its key has no ports */
    bool checked;                      /* the layers' autos are true */
    bool too_long;           /* a header has more than a layer takes: there the stack ends */
    bool passes;             /* for the key alone: it goes on behind that header */
    uint8_t far_flags;       /* TCP's, behind such a header */
    const uint8_t *far_icmp; /* type and code likewise, borrowed, or NULL */
    wsp_flow_key key;
    wspi_wrap wrap;
    uint8_t *room; /* [WSPI_MADE_FRAME], or NULL */
    wspi_layer layers[WSPI_MAX_LAYERS];
};

/* Bits [bit, bit + width) of p, most significant first. */
uint64_t wspi_bits_get(const uint8_t *p, unsigned bit, unsigned width);
void wspi_bits_put(uint8_t *p, unsigned bit, unsigned width, uint64_t v);

/* The same as wspi_bits_get where the 8 bytes from the field's first on may be read: width + bit % 8 is at most 64. */
static inline uint64_t wspi_bits_load(const uint8_t *p, unsigned bit, unsigned width)
{
    uint64_t v;

    memcpy(&v, p + bit / 8, 8);
    return wspi_from_be64(v) << (bit & 7) >> (64 - width);
}

/* First layer of a link type, or WSPI_PAYLOAD when it is not known. */
uint8_t wspi_link_layer(int linktype);

/* ---- for the functions of protocols: parsing ---- */

/* What is still to be parsed: [off, end) on the wire, of which the bytes below caplen are known. */
struct wspi_region {
    wsp_packet *p;
    uint32_t off, end;
};

/* Next n bytes if they are captured and inside the region, else NULL. */
const uint8_t *wspi_peek(const wspi_region *r, uint32_t n);
/*
 * Appends a layer of fixed header plus `extra` bytes (the caller has seen that they are there), reads its fields and
 * moves on. NULL when the stack is full or `extra` too long.
 */
const wspi_layer *wspi_push(wspi_region *r, uint8_t id, uint32_t extra);
/* Options up to `end`, each a layer by its kind (layers[kind], 0: none); from an odd or repeated one on all is `raw`. */
void wspi_push_options(wspi_region *r, uint32_t end, const uint8_t *layers, size_t n, uint8_t raw);
/* The region ends `len` bytes after `start`, if that is inside it. */
void wspi_narrow(wspi_region *r, uint32_t start, uint64_t len);
/* Layer that a number stands for in a space, or PAYLOAD. */
uint8_t wspi_next_by_number(enum wspi_space space, uint64_t number);
/* Innermost layer of the stack, or PAYLOAD. */
uint8_t wspi_last_layer(const wspi_region *r);

/* ---- wraps: what is coded as the frame inside ---- */

/* As wsp_packet_dissect, with `most` wraps taken off, of WSPI_MAX_WRAPS: with 0 the layers are those of the captured frame itself. */
void wspi_dissect_wraps(wsp_packet *p, int linktype, const wsp_frame *frame, uint8_t most);

/*
 * The next `head` bytes, which are there, end the wrap of an inner frame. header: its Ethernet header, where it has none of its
 * own: [WSPI_ETH_LEN] addresses and type. scope: what it adds to the key, or 0. Returns whether it was taken off: the region is the
 * inner frame then, without a layer.
 */
bool wspi_unwrap(wspi_region *r, uint32_t head, const uint8_t *header, uint64_t scope);
/* The captured frame's offset of one in the packet that is not among the `made` bytes. */
static inline uint32_t wspi_frame_at(const wsp_packet *p, uint32_t off)
{
    return off + p->wrap.len - p->wrap.made;
}

/* These take a wrap off and return the layer that the inner frame begins with; PAYLOAD: there is none. */
uint8_t wspi_overlay(wspi_region *r);
uint8_t wspi_erspan(wspi_region *r, uint16_t type, bool numbered);
uint8_t wspi_port_tag(wspi_region *r, uint64_t type);
uint8_t wspi_wifi(wspi_region *r, int linktype);
/* Is it one of IEEE 802.11, bare or behind a receiver's header? */
bool wspi_is_wifi(int linktype);
/* Offsets in the captured frame of the link addresses of an IEEE 802.11 wrap; returns how many. */
size_t wspi_wifi_addresses(const wsp_packet *p, uint32_t at[4]);

/* ---- computed values ---- */

/*
 * What the builder would write into field f of layer i, given the frame bytes (whose own checksum field is ignored).
 * false: it cannot be computed (bytes missing). Used by dissecting to compare, by building to fill.
 */
bool wspi_auto_value(const wsp_packet *p, const uint8_t *frame, size_t i, size_t f, uint64_t *v);
/* Bytes from the start of layer i to the end of the innermost payload; of layer i with its options. */
uint32_t wspi_rest(const wsp_packet *p, size_t i);
uint32_t wspi_header_with_parts(const wsp_packet *p, size_t i);
/* The layer after layer i and its options, or PAYLOAD. */
uint8_t wspi_next_layer(const wsp_packet *p, size_t i);
/* Is a layer of this kind among the options of layer i? */
bool wspi_has_part(const wsp_packet *p, size_t i, uint8_t id);
/* What the type field of layer i should be, by the layer that follows (or, IEEE 802.3, the length); false: unknown. */
bool wspi_next_value(const wsp_packet *p, size_t i, uint64_t *v);
/* RFC 1071 sum over bytes without the 16-bit field at even offset `skip`, and the checksum that it makes. */
uint32_t wspi_sum16(const uint8_t *p, size_t len, size_t skip);
uint16_t wspi_fold(uint32_t sum);
/* Checksum of layer i over a pseudo header (if `pseudo`) and all that follows, with its field at offset `at`. */
bool wspi_transport_sum(const wsp_packet *p, const uint8_t *frame, size_t i, size_t at, bool pseudo,
                        uint64_t *v);

/* The number that stands for a layer in a space. */
bool wspi_next_number(enum wspi_space space, uint8_t next, uint64_t *number);
/* For sampling: may `next` (PAYLOAD too) come after layer id? */
bool wspi_may_follow(uint8_t id, uint8_t next);
/* Is `id` an option of layer `of`? */
bool wspi_is_part(uint8_t id, uint8_t of);
/* Layers of the packet itself: what an ICMP error quotes comes behind them. */
size_t wspi_own_layers(const wsp_packet *p);
/* From layer n on, or the one that it is an option of, all is payload. Key and flags stay. */
void wspi_packet_cut(wsp_packet *p, size_t n);

/* Moves the numbers of the packet's own TCP: of its stream, and those that it acknowledges, which are edges of SACK blocks, too. */
void wspi_tcp_move(wsp_packet *p, uint32_t seq, uint32_t ack);
/* Of a layer tcp.opt.sack the edges alone. */
void wspi_sack_move(wspi_layer *l, uint32_t ack);

/* Bytes of layer headers together. */
uint32_t wspi_headers_len(const wsp_packet *p);

/* Writes the headers of p into out (payload and trailer are already in place): values, then computed fields. */
void wspi_build(wsp_packet *p, uint8_t *out);

/* Fills p->key from the layers; for rows: addresses of len bytes at these offsets of the header. */
void wspi_key_fill(wsp_packet *p);
void wspi_key_addr(wsp_flow_key *k, const uint8_t *header, size_t src, size_t dst, uint8_t len);
void wspi_key_ports(wsp_flow_key *k, const wsp_packet *p, const wspi_layer *l); /* fields 0 and 1 */
/* Is this layer a part of what is fragmented? Later fragments do not have it, so that it says nothing of the flow. */
bool wspi_in_fragment(const wsp_packet *p, const wspi_layer *l);
void wspi_key_scope(wsp_flow_key *k, uint64_t id);

#endif
