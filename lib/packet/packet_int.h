/* SPDX-License-Identifier: Apache-2.0 */
/*
 * packet_int.h: the dissected packet and the field tables. A packet is a stack of layers; a layer is a row of numbers
 * read from its header by its protocol's table, plus up to 40 bytes of variable part; what follows is payload and a
 * trailer. Options are layers of their own. Every header bit belongs to exactly one field (a test counts them), so
 * dissecting and building are inverse.
 */
#ifndef WSPI_PACKET_INT_H
#define WSPI_PACKET_INT_H

#include "base/base.h"
#include "wirespeak/capture.h"
#include "wirespeak/packet.h"

enum { WSPI_MAX_LAYERS = 64, WSPI_MAX_FIELDS = 14, WSPI_MAX_EXTRA = 40 };

/* Layers. The order is part of the vocabulary: append only. PAYLOAD ends every stack. */
enum wspi_layer_id {
    WSPI_ETH,
    WSPI_VLAN,
    WSPI_SLL,
    WSPI_ARP,
    WSPI_IPV4,
    WSPI_IPV4_OPTIONS,
    WSPI_IPV6,
    WSPI_ICMP,
    WSPI_ICMPV6,
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
    WSPI_R_NAME,   /* names of hosts, users and things: server name, DNS name, Host, cookie */
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

typedef struct wspi_proto {
    const char *name;
    uint16_t len;   /* bytes of the fixed header */
    bool has_extra; /* a variable part follows the fixed header */
    const wspi_field *fields;
    uint8_t n_fields;
} wspi_proto;

extern const wspi_proto wspi_protos[WSPI_LAYER_COUNT];

/* Field numbers that code refers to; they equal the rows of the tables (a test holds it). */
enum { WSPI_ETH_DST, WSPI_ETH_SRC, WSPI_ETH_TYPE };
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
enum { WSPI_ICMP_TYPE, WSPI_ICMP_CODE, WSPI_ICMP_CKSUM, WSPI_ICMP_ID, WSPI_ICMP_SEQ };
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
enum { WSPI_SLL_TYPE, WSPI_SLL_ARPHRD, WSPI_SLL_HALEN, WSPI_SLL_ADDR, WSPI_SLL_PROTO };

enum { WSPI_TH_FIN = 1, WSPI_TH_SYN = 2, WSPI_TH_RST = 4, WSPI_TH_PSH = 8, WSPI_TH_ACK = 16 };

typedef struct wspi_layer {
    uint8_t id;
    uint8_t extra_len; /* bytes of the variable part */
    uint16_t autos;    /* bit f: field f equals what the builder computes */
    uint32_t off;      /* in the frame */
    uint64_t v[WSPI_MAX_FIELDS];
    uint8_t extra[WSPI_MAX_EXTRA];
} wspi_layer;

struct wsp_packet {
    int linktype;
    uint64_t time_ns;
    uint32_t caplen, wirelen;
    uint32_t wire;   /* length that the layers are fitted into: max(caplen, wirelen) */
    size_t n_layers; /* without PAYLOAD */
    uint32_t payload_off, payload_len; /* on the wire; the captured part may be shorter */
    uint32_t trailer_len;              /* wire bytes after the first IP packet's end */
    const uint8_t *data;               /* [caplen] borrowed */
    wsp_flow_key key;
    wspi_layer layers[WSPI_MAX_LAYERS];
};

/* Bits [bit, bit + width) of p, most significant first. */
uint64_t wspi_bits_get(const uint8_t *p, unsigned bit, unsigned width);
void wspi_bits_put(uint8_t *p, unsigned bit, unsigned width, uint64_t v);

/* First layer of a link type, or WSPI_PAYLOAD when it is not known. */
uint8_t wspi_link_layer(int linktype);

/*
 * What the builder would write into field f of layer i, given the frame bytes (whose own checksum field is ignored).
 * false: it cannot be computed (bytes missing, no next layer). Used by dissecting to compare, by building to fill.
 */
bool wspi_auto_value(const wsp_packet *p, const uint8_t *frame, size_t i, size_t f, uint64_t *v);

/* Next layers that one may be followed by: the number that the type field takes, in *number. */
bool wspi_next_number(uint8_t id, uint8_t next, uint64_t *number);
bool wspi_may_follow(uint8_t id,
                     uint8_t next); /* for sampling: PAYLOAD, options and typed layers */

/* Bytes of layer headers together. */
uint32_t wspi_headers_len(const wsp_packet *p);

/* Writes the headers of p into out (payload and trailer are already in place): values, then computed fields. */
void wspi_build(wsp_packet *p, uint8_t *out);

/* Fills p->key from the layers. */
void wspi_key_fill(wsp_packet *p);

#endif
