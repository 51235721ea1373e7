/* SPDX-License-Identifier: Apache-2.0 */
/*
 * token_int.h: the vocabulary's groups, the flow context, and the coder. One walk over a packet serves three uses:
 * encoding (fields are given, tokens come out), decoding (tokens are given, fields come out), and the grammar (tokens
 * run out, and what could come next is noted). So the three can never disagree.
 */
#ifndef WSPI_TOKEN_INT_H
#define WSPI_TOKEN_INT_H

#include <stddef.h>

#include "packet/packet_int.h"
#include "wirespeak/token.h"

/* Groups of tokens with consecutive ids. Fields of layers have groups of their own after these. */
enum wspi_group {
    WSPI_T_START, /* direction and time since the flow's last packet; or the end of the flow */
    WSPI_T_LEN,   /* payload bytes on the wire: log bins, "huge" */
    WSPI_T_STACK, /* the stack is the i-th most recent of this flow, or a common one */
    WSPI_T_KEEP, /* the stack keeps the first i layers of the predicted one; the others are listed */
    WSPI_T_LAYER,   /* one layer of that list; "payload" closes it */
    WSPI_T_SNAP,    /* whole, cut */
    WSPI_T_ORIG,    /* the file's wire length is below its captured length */
    WSPI_T_TRAILER, /* none, pad (zeros up to 60 bytes), data */
    WSPI_T_AGAIN,   /* the fields of the second, third layer of one kind follow */
    WSPI_T_APP,     /* application protocol of the payload: none, dns, ... */
    WSPI_T_KIND,    /* payload: text, binary, random, zero */
    WSPI_T_TEXT,    /* a byte, or a learned string of bytes */
    WSPI_T_CHANGED, /* in a model's view only: a field changed whose value is withheld */
    WSPI_T_END,     /* end of the packet */
    WSPI_T_GROUPS,
};

enum { WSPI_GAP_MANTISSA = 1, WSPI_GAP_BITS = 46, WSPI_LEN_MANTISSA = 4, WSPI_LEN_BITS = 18 };
/* Samples have no longer payloads: the one of a full segment on Ethernet, with time stamps. */
enum { WSPI_LEN_SAMPLED = 1448, WSPI_MTU = 1500 };
enum {
    WSPI_GAP_BINS = (WSPI_GAP_BITS - WSPI_GAP_MANTISSA + 1) << WSPI_GAP_MANTISSA,
    WSPI_LEN_BINS = (WSPI_LEN_BITS - WSPI_LEN_MANTISSA + 1) << WSPI_LEN_MANTISSA
};
/* Tokens of WSPI_T_START: for each direction the flow's first packet, the gaps, and two odd ones; then the flow's end. */
enum {
    WSPI_START_FIRST = 0,
    WSPI_START_GAP,
    WSPI_START_BACK = WSPI_START_GAP + WSPI_GAP_BINS,
    WSPI_START_FAR,
    WSPI_STARTS,
    WSPI_START_END = 2 * WSPI_STARTS
};
enum { WSPI_RECALLS = 8, WSPI_KEEPS = 16, WSPI_STACK_MAX = 26 };
enum wspi_trailer { WSPI_TRAILER_NONE, WSPI_TRAILER_PAD, WSPI_TRAILER_DATA };
enum wspi_payload_kind { WSPI_PAY_TEXT, WSPI_PAY_BINARY, WSPI_PAY_RANDOM, WSPI_PAY_ZERO };
enum { WSPI_AUTO_YES, WSPI_AUTO_ZERO, WSPI_AUTO_VALUE };
enum { WSPI_IPID_SAME, WSPI_IPID_NEAR, WSPI_IPID_FREE };
enum {
    WSPI_ADDR_CLASSES = 8,
    WSPI_PORT_SYSTEM = 0,
    WSPI_PORT_REGISTERED,
    WSPI_PORT_DYNAMIC,
    WSPI_PORT_CLASSES
};
enum { WSPI_SEQ_BINS = 32, WSPI_ACK_SAME = 64 };

/* The layout of the ids: filled once by wsp_vocab_size(), then only read. */
enum { WSPI_VOCAB_MAX = 20480, WSPI_PROTO_MAX = 96 };
typedef struct wspi_vocab {
    uint32_t size;
    uint64_t version;
    uint16_t group_base[WSPI_T_GROUPS], group_count[WSPI_T_GROUPS];
    uint16_t field_base[WSPI_PROTO_MAX]
                       [WSPI_APP_FIELDS]; /* of layers, then application protocols */
    uint16_t field_count[WSPI_PROTO_MAX][WSPI_APP_FIELDS];
    uint8_t group_of[WSPI_VOCAB_MAX]; /* WSPI_T_GROUPS: a field's */
    uint8_t layer_of[WSPI_VOCAB_MAX], field_of[WSPI_VOCAB_MAX];
    uint8_t usual[WSPI_VOCAB_MAX]; /* 1: samples may have it; 0: wsp_vocab_deviates */
} wspi_vocab;
extern wspi_vocab wspi_the_vocab;

/* First id and number of tokens of a group, and of field f of a layer or application protocol. */
static inline unsigned wspi_group_base(enum wspi_group g)
{
    return wspi_the_vocab.group_base[g];
}
static inline unsigned wspi_group_count(enum wspi_group g)
{
    return wspi_the_vocab.group_count[g];
}
static inline unsigned wspi_field_base(uint8_t layer, size_t f)
{
    return wspi_the_vocab.field_base[layer][f];
}
static inline unsigned wspi_field_count(uint8_t layer, size_t f)
{
    return wspi_the_vocab.field_count[layer][f];
}
static inline bool wspi_in_group(uint16_t id, enum wspi_group g)
{
    return (unsigned)id - wspi_group_base(g) < wspi_group_count(g);
}
/* Field of a token: false when it belongs to a group. */
static inline bool wspi_token_field(uint16_t id, uint8_t *layer, size_t *f)
{
    *layer = wspi_the_vocab.layer_of[id];
    *f = wspi_the_vocab.field_of[id];
    return wspi_the_vocab.group_of[id] == WSPI_T_GROUPS;
}

/* Log-scale bins with 2^m steps an octave; remainder bits of a bin. */
unsigned wspi_bin(uint64_t v, unsigned m);
unsigned wspi_bin_bits(unsigned bin, unsigned m);
uint64_t wspi_bin_start(unsigned bin, unsigned m);

/* Well-known ports with a token of their own, ascending. */
size_t wspi_port_count(void);
uint16_t wspi_port_at(size_t i);
unsigned wspi_port_token(uint16_t port); /* index in the field's group */
unsigned wspi_addr_class(uint8_t role, unsigned width, uint64_t v);

/* ---- learned tables (learned.h) ---- */

typedef struct wspi_stack {
    uint8_t n;
    uint8_t id[WSPI_STACK_MAX];
} wspi_stack;

/* Stacks that were common in training captures. */
size_t wspi_common_stacks(void);
const wspi_stack *wspi_common_stack(size_t i);
/* The number of the common stack of these n layers; wspi_common_stacks() when it is none. */
size_t wspi_find_common_stack(const uint8_t *id, size_t n);

/* ---- flow context ---- */

enum { WSPI_SLOTS = 12, WSPI_HEADERS = 160, WSPI_NAME_MAX = 512 };

/* What the last packet of one direction had in one layer: the bytes of its fixed header are headers[dir][at]. */
typedef struct wspi_slot {
    uint8_t id, nth; /* layer and its occurrence in the stack */
    uint8_t at;
    uint16_t autos;
    uint16_t zeros; /* bit f: a computed field that was zero instead */
    uint16_t odd;   /* bit f: a constant field that was not */
} wspi_slot;

/* What the payloads of a flow were, by direction. */
typedef struct wspi_app_state {
    uint8_t id[2]; /* application protocol, 0 none */
    bool seen[2];
    uint8_t mode[2];  /* the protocol's own */
    uint32_t left[2]; /* bytes of its message that are still to come in the next segments */
    uint64_t v[2][WSPI_APP_FIELDS];
} wspi_app_state;

/* Values matter where there is a protocol. */
static inline void wspi_app_copy(wspi_app_state *to, const wspi_app_state *from)
{
    memcpy(to, from, from->id[0] | from->id[1] ? sizeof *to : offsetof(wspi_app_state, v));
}

struct wsp_context {
    int linktype;
    bool started;
    uint64_t last_ns, last_number;
    uint32_t snap; /* one more than the bytes kept of a packet; 0: packets are whole */
    uint8_t trailer[2];
    bool seen[2];
    uint8_t ipid_mode[2];
    uint16_t next_frag[2]; /* offset that the next fragment should have, in 8 bytes; 0: none */
    bool have_seq[2], have_flags[2][2];
    uint32_t next_seq[2];
    uint8_t flags[2][2]; /* last TCP flags by direction and payload */
    uint8_t spoke;       /* direction of the last payload */
    uint8_t sent[2];     /* SYN, FIN and RST that a direction has sent, and wspi_tcp_offer */
    uint64_t sent_ns[2]; /* time of the direction's last packet */
    bool has_stamp
        [2]; /* since the other direction's last packet: the first time stamp (RFC 7323) ... */
    uint32_t stamp[2]; /* ... which is what an acknowledgement of several segments echoes */
    uint8_t n_slots[2], n_headers[2];
    wspi_slot slots[2][WSPI_SLOTS];
    wspi_stack last[2];                   /* last stack of each direction */
    uint8_t headers[2][WSPI_HEADERS + 8]; /* fields are read eight bytes at a time */
    uint8_t n_recent;
    wspi_stack recent[WSPI_RECALLS]; /* distinct, most recent first */
    wspi_app_state app;
    uint8_t name
        [WSPI_NAME_MAX]; /* DNS: name of the last question; HTTP: lines of the last request; data of pings */
    uint16_t name_len;
};

/* The slot of a layer in a direction and its header; both are NULL when there is none. */
typedef struct wspi_past {
    const wspi_slot *slot;
    const uint8_t *header;
} wspi_past;
static inline uint64_t wspi_past_value(const wspi_past *past, const wspi_field *d)
{
    return wspi_bits_load(past->header, d->bit, d->width);
}
wspi_past wspi_context_past(const wsp_context *ctx, int dir, uint8_t id, unsigned nth);
/* Moves the context on after packet p of direction dir. */
typedef struct wspi_coder wspi_coder;
void wspi_context_commit(wsp_context *ctx, const wspi_coder *c);

/* Fields of a layer by what predicts them; bits are field numbers. Made with the vocabulary. */
typedef struct wspi_masks {
    uint16_t sticky; /* as in the last packet of the direction, if there was one */
    uint16_t constant;
    uint16_t autos;
    uint16_t next;    /* names the next layer */
    uint16_t special; /* the rest */
    uint16_t usual;   /* has a value that is expected of a direction's first packet */
    uint8_t quiet[WSPI_MAX_HEADER + 8]; /* bits of the header that are sticky, constant or next */
    uint8_t first[WSPI_MAX_HEADER + 8],
        first_bits[WSPI_MAX_HEADER + 8]; /* usual values; their bits */
} wspi_masks;
extern wspi_masks wspi_field_masks[WSPI_LAYER_COUNT];
void wspi_make_masks(void);

/* ---- coder ---- */

/* Bytes of a sample's payload at most: a datagram's. What lengths of deviations say is not made up. */
enum { WSPI_SAMPLE_MOST = UINT16_MAX };

/* The payload under the walk. */
typedef struct wspi_bytes {
    const uint8_t *in; /* encoding: [end] */
    wspi_buf *out;     /* decoding: what is written so far */
    size_t at;         /* bytes passed */
    size_t end, wire;  /* captured bytes, bytes on the wire; a filler's walk may end elsewhere */
    uint8_t app;       /* application protocol that is tried */
    uint8_t within;    /* that has a TLS hello in its messages; 0: TLS over TCP */
    bool only;         /* see wspi_app_only */
    unsigned from, count;
    bool fail; /* encoding: it does not fit the protocol */
    bool more; /* samples: plain bytes follow the message, up to `end` */
} wspi_bytes;

/* How often fields were told, by layer and field. */
typedef struct wspi_tally {
    uint64_t seen[WSPI_LAYER_COUNT];
    uint64_t told[WSPI_LAYER_COUNT][WSPI_MAX_FIELDS], remainder[WSPI_LAYER_COUNT][WSPI_MAX_FIELDS];
} wspi_tally;
/* How a field becomes tokens, and what predicts it, in a word. */
const char *wspi_kind_name(const wspi_field *d);
const char *wspi_predictor_name(const wspi_field *d);

/* As wsp_encode_packet; tally may be NULL. */
wsp_status wspi_encode_packet(wsp_context *ctx, wsp_packet *p, int dir, uint64_t number,
                              uint16_t *ids, size_t *n, wsp_residual *resid, wspi_tally *tally);

/* Where the walk of an application protocol found its parts, in the order of the walk. */
enum wspi_span_kind {
    WSPI_SPAN_FIELD,
    WSPI_SPAN_MARK,   /* a field that is not a number in the bytes: what it tells of begins here */
    WSPI_SPAN_LENGTH, /* a length of what follows, up to `end` */
    WSPI_SPAN_TEXT,
    WSPI_SPAN_OPAQUE
};
typedef struct wspi_span {
    uint8_t kind, app, field; /* text and opaque bytes have the field that was told last */
    bool little;              /* a number whose lowest byte comes first */
    uint32_t at, len, end;    /* bytes of the payload: [at, at + len) */
} wspi_span;
enum { WSPI_MAX_SPANS = 512, WSPI_SPAN_GETS = 4 };
typedef struct wspi_spans {
    size_t n;
    wspi_span v[WSPI_MAX_SPANS];
    struct {
        uint64_t v;
        uint32_t at, len; /* len 0: it has its field */
        bool little;
    } gets[WSPI_SPAN_GETS]; /* numbers that were read, last one first: their fields come later */
    bool newest; /* of equal numbers the next field is the one that was read last, not first */
    uint8_t field;
} wspi_spans;

/* As wsp_encode_packet, and says where the parts of the payload are. A payload of no protocol has none. */
wsp_status wspi_encode_spans(wsp_context *ctx, wsp_packet *p, int dir, uint64_t number,
                             uint16_t *ids, size_t *n, wsp_residual *resid, wspi_spans *spans);
/* "dns.qtype"; of a length "dns.length"; of text and bytes that are no field the last field's: "dns.additionals:text". */
void wspi_span_name(const wspi_span *s, char *buf, size_t len);

/* Forgets all but the first n. */
void wspi_spans_back(wspi_spans *s, size_t n);
/* For the walk's calls: a number was read; it is a field; a length was opened at the last number; other bytes. */
void wspi_spans_got(wspi_spans *s, size_t at, size_t len, uint64_t v);
/* The number that was read last is little-endian, and so this one. */
void wspi_spans_little(wspi_spans *s, uint64_t v);
void wspi_spans_field(wspi_spans *s, uint8_t app, unsigned field, size_t at, uint64_t v);
void wspi_spans_length(wspi_spans *s, uint8_t app, size_t at, size_t width, size_t end);
void wspi_spans_bytes(wspi_spans *s, enum wspi_span_kind kind, uint8_t app, size_t at, size_t len);

/* Tokens from `from` up to `to`. */
typedef struct wspi_range {
    uint32_t from, to;
} wspi_range;

struct wspi_coder {
    bool enc;
    bool bad;  /* decoding: not a sequence that the coder writes */
    bool need; /* grammar: the tokens ran out at a place where one is needed */
    const wsp_context *ctx;
    wsp_packet *p;
    int dir;
    uint16_t *out;      /* encoding: [WSP_MAX_PACKET_TOKENS] */
    const uint16_t *in; /* decoding: [n] */
    size_t n, pos;
    wspi_buf *res_out;
    const uint8_t *res, *res_end;
    const wsp_filler *fill; /* decoding without recorded residuals */
    wspi_rng rng;
    uint8_t *legal;    /* grammar, or NULL */
    wspi_range marked; /* all marks of legal are in it */
    bool deviations;
    uint64_t number;
    uint32_t snap; /* after this packet */
    uint8_t trailer;
    size_t layer;           /* under the walk */
    wspi_past mine, theirs; /* of it */
    wspi_tally *tally;      /* encoding, or NULL */
    wspi_spans *spans;      /* encoding, or NULL */
    wspi_bytes pay;
    wspi_app_state app; /* after this packet */
    size_t
        name_at; /* in the payload: the name that the context keeps from this packet, if name_len */
    uint16_t name_len;
};

/* A token of [base, base + count) that must come. *v is the index (encoding: in; decoding: out). */
unsigned wspi_must_decode(wspi_coder *c, unsigned base, unsigned count);
static inline unsigned wspi_must(wspi_coder *c, unsigned base, unsigned count, unsigned v)
{
    if (!c->enc)
        return wspi_must_decode(c, base, count);
    if (c->n == WSP_MAX_PACKET_TOKENS || c->bad)
        c->bad = true;
    else
        c->out[c->n++] = (uint16_t)(base + v);
    return v;
}

/* A token that may come: encoding writes it when `present`; decoding says whether it was there. */
bool wspi_may_decode(wspi_coder *c, unsigned base, unsigned count, bool deviates, unsigned *v);
static inline bool wspi_may(wspi_coder *c, unsigned base, unsigned count, bool present,
                            bool deviates, unsigned *v)
{
    if (!c->enc)
        return wspi_may_decode(c, base, count, deviates, v);
    if (present)
        (void)wspi_must(c, base, count, *v);
    return present;
}

/* Encoding: residual bytes; room for WSPI_RESIDUAL_ROOM beyond the frame's bytes was made at the packet's start. */
enum { WSPI_RESIDUAL_ROOM = 16384 };
static inline void wspi_residual_put(wspi_coder *c, const void *p, size_t n)
{
    if (c->res_out->cap - c->res_out->len < n) {
        c->bad = true;
        return;
    }
    memcpy(c->res_out->data + c->res_out->len, p, n);
    c->res_out->len += n;
}

/* n bytes of residual, little-endian, n at most 8. role tells a filler which value is wanted. */
uint64_t wspi_residual_decode(wspi_coder *c, uint8_t role, unsigned n);
static inline uint64_t wspi_residual(wspi_coder *c, uint8_t role, unsigned n, uint64_t v)
{
    uint64_t le = wspi_to_le64(v);

    if (!c->enc)
        return wspi_residual_decode(c, role, n);
    wspi_residual_put(c, &le, n);
    return v;
}
void wspi_residual_bytes(wspi_coder *c, uint8_t *p, size_t n);
/* Remainder of `bits` bits, in whole bytes. */
uint64_t wspi_remainder(wspi_coder *c, unsigned bits, uint64_t v);
/* A number of any size: a length byte and its bytes. A filler gives `usual`. */
uint64_t wspi_residual_varint(wspi_coder *c, uint64_t v, uint64_t usual);

/* Codes field f of layer i (p->layers[i].v[f] and its auto bit); c->mine and c->theirs are the layer's. */
void wspi_code_field(wspi_coder *c, size_t i, unsigned nth, size_t f);
/* Encoding: the fields of layer i that may have something to be told; the others are as predicted. */
uint32_t wspi_fields_to_tell(const wspi_coder *c, size_t i);

/*
 * The next n payload bytes as text: tokens of one or several bytes. Samples are of the class; LABELS are a DNS name as
 * on the wire.
 */
enum wspi_text_class {
    WSPI_TEXT_ANY,    /* any byte */
    WSPI_TEXT_LINE,   /* 0x20 to 0x7e */
    WSPI_TEXT_WORD,   /* 0x21 to 0x7e */
    WSPI_TEXT_FIELD,  /* letters, digits and -: of the name of a header */
    WSPI_TEXT_NAME,   /* a to z, 0 to 9, - and . in places where a host name has them */
    WSPI_TEXT_URI,    /* letters, digits and what else a URI has without escapes; not ? or # */
    WSPI_TEXT_BODY,   /* lines of a body: 0x20 to 0x7e but %, tabs, ends of lines; not <? */
    WSPI_TEXT_LIST,   /* words with commas and spaces between them */
    WSPI_TEXT_REASON, /* a space, then 0x20 to 0x7e; the last one is no space */
    WSPI_TEXT_GIVEN,  /* the bytes that are given: wspi_text_given */
    WSPI_TEXT_JSON,   /* wspi_text_json */
    WSPI_TEXT_LABELS,
    WSPI_TEXT_LOCAL,   /* labels, "local" the last one */
    WSPI_TEXT_LABEL,   /* one label */
    WSPI_TEXT_NETBIOS, /* one label of 32 half bytes */
    WSPI_TEXT_FQDN,    /* of a DHCP option: flags and codes, then a name */
    WSPI_TEXT_ARCS     /* of an object identifier: numbers below 128 */
};
void wspi_text_exact(wspi_coder *c, size_t n, enum wspi_text_class class);
/* Samples: n bytes of JSON, of which `shown` have tokens. */
void wspi_text_json(wspi_coder *c, size_t n, size_t shown);
/* Samples: these n bytes, which tokens of the model's choice spell. */
void wspi_text_given(wspi_coder *c, const uint8_t *b, size_t n);
/* Samples: labels of `least` to `most` bytes, which end with their root. Returns how many they were. */
size_t wspi_text_labels(wspi_coder *c, size_t least, size_t most);
/* As many of the next n bytes as there are tokens of (decoding), or the first `head` (encoding). */
void wspi_text_some(wspi_coder *c, size_t n, size_t head);
/* The bytes of a token of WSPI_T_TEXT, by its number in the group. */
const uint8_t *wspi_text_bytes(unsigned k, size_t *len);
size_t wspi_text_count(void);
void wspi_text_prepare(void); /* with the vocabulary */
/* Room for n more bytes of decoded payload, counted in; NULL when there is no memory. */
uint8_t *wspi_payload_room(wspi_coder *c, size_t n);

/* The next n payload bytes, as residuals. */
void wspi_payload_bytes(wspi_coder *c, size_t n);
bool wspi_zeros(const uint8_t *b, size_t n);
void wspi_payload_prepare(void); /* with the vocabulary */
void wspi_app_prepare(void);     /* with the vocabulary */
void wspi_stacks_prepare(void);  /* with the vocabulary, after text */
/* The payload: by its application protocol, and as plain bytes where that ends. */
void wspi_code_payload(wspi_coder *c);

/*
 * A walk that has passed a packet's headers: while its first n tokens, those and one more, stay the same, the next one begins
 * there. n is 0 for a new packet, and whenever context or filler change.
 */
typedef struct wspi_walk {
    size_t n;
    uint16_t ids[WSP_MAX_PACKET_TOKENS];
    wspi_coder coder;
    wsp_packet packet;
} wspi_walk;

/* wsp_grammar_next; legal has no marks before, and then those in *marked only. walk may be NULL. */
wsp_status wspi_grammar_mark(wsp_decoder *d, const wsp_context *ctx, const uint16_t *ids, size_t n,
                             const wsp_filler *fill, bool deviations, wspi_walk *walk,
                             uint8_t *legal, wspi_range *marked, bool *done, wsp_error *err);

/* The whole walk. Decoding: fields, lengths and layer offsets of p are set, and the payload is in pay.out. */
bool wspi_code_packet(wspi_coder *c); /* false: flow.end */
/* Its two halves: up to the payload (false: flow.end), and the payload and the end. */
bool wspi_code_headers(wspi_coder *c);
void wspi_code_rest(wspi_coder *c);

/* Can samples go on from here: have the last packets headers that can be made up? */
bool wspi_context_drawable(const wsp_context *ctx);

/* ---- what samples may have: valid.c ---- */

/* Of `sent`, beside the flags: options of a SYN. */
enum wspi_tcp_offer { WSPI_OFFERS_TS = 0x40, WSPI_OFFERS_SCALE = 0x80, WSPI_OFFERS_SACK = 0x20 };
uint8_t wspi_tcp_offers(const wsp_packet *p);

/* The next token of a sample without deviations is asked for. */
static inline bool wspi_asked(const wspi_coder *c)
{
    return c->legal && !c->deviations && c->pos == c->n && !c->bad;
}
/* As wspi_may; a sample that may not have the predicted value must have a token. */
bool wspi_may_unless(wspi_coder *c, bool unfit, unsigned base, unsigned count, bool present,
                     bool deviates, unsigned *v);
/* Take back what TCP's state does not allow: sender and end of the flow, length, stacks (whole, or the beginning). */
void wspi_valid_starts(wspi_coder *c, unsigned base);
void wspi_valid_lengths(wspi_coder *c, unsigned base);
bool wspi_valid_stack(const wspi_coder *c, const wspi_stack *st, bool whole);
/* May IGMP's type follow what the direction has sent? Reports of version 3 go to a group of their own. */
bool wspi_valid_igmp(const wspi_coder *c, uint64_t type);
/* May the type of ICMPv6 follow what the flow has had? Echo has an identifier, which is part of the flow. */
bool wspi_valid_icmpv6(const wspi_coder *c, uint64_t type);
/* May the flags be these, of the i-th layer? */
bool wspi_valid_flags(const wspi_coder *c, size_t i, uint8_t flags);
/* Has a bare acknowledgement of the i-th layer nothing to tell but its window? */
bool wspi_tells_window(const wspi_coder *c, size_t i);
/* The least window that the i-th layer may tell. */
uint64_t wspi_valid_window(const wspi_coder *c, size_t i);
/* The longest segment of a direction, 0 if nobody has said. */
uint32_t wspi_valid_segment(const wsp_context *ctx, int dir);

/* Acknowledgements that do not cover all that the peer has sent: valid.c. */
/* Bytes at the end that may be left out, a power of two 2^e or up to twice as many; 0: none. */
uint32_t wspi_valid_unacked(const wspi_coder *c, unsigned e);
/* May the i-th layer acknowledge what the direction's last packet did, though there is more? */
bool wspi_valid_same_ack(const wspi_coder *c, size_t i);
/* May it echo the time stamp of the direction's last packet, though there is a later one? */
bool wspi_valid_same_echo(const wspi_coder *c);
bool wspi_valid_first_echo(const wspi_coder *c, uint32_t *stamp);

/* ---- hosts of samples: host.c ---- */

void wspi_hosts_begin(wspi_coder *c); /* before the layers' fields */
/* Of `width` bits, the host's that the packet's addresses are of so far; of this class (wspi_addr_class), -1: of any. */
uint64_t wspi_host_address(const wspi_coder *c, uint8_t role, unsigned width, int class);
/* Grammar: leaves of the marks from base on those of classes of which there is a host, or a group. */
void wspi_host_classes(wspi_coder *c, uint8_t role, unsigned width, unsigned base);
bool wspi_host_is_nobody(const wspi_coder *c); /* is it sent from 0.0.0.0? */

/* ---- destinations of samples that are groups: multicast.c ---- */

/* May this sample go to a group: is it of the initiator, and not of a connection? */
bool wspi_cast_may(const wspi_coder *c);
/* An address of `width` bits of this class (wspi_addr_class), made of a host's: multicast and broadcast ones, else v. */
uint64_t wspi_cast_addr(unsigned class, unsigned width, uint64_t v);
/* All layers are drawn: a multicast destination becomes that of its protocol, and the link address follows. */
void wspi_cast_fit(wspi_coder *c);
/* A datagram that is sent to a group, and to a port that has its own, is sent to that one. */
void wspi_cast_settle(wsp_packet *p);
/* Is the packet's destination a group? Does a port stand for a protocol that two hosts speak with each other alone? */
bool wspi_cast_of(const wsp_packet *p);
bool wspi_cast_lacks(uint16_t port);
/* Bodies of samples of IGMP's version 3; false: it is none. Is the direction's last message one? */
enum { WSPI_IGMP_REPORT3 = 0x22 };
bool wspi_cast_body(wspi_coder *c);
bool wspi_igmp_reports(const wsp_context *ctx, int dir);
/* Does the initiator of the flow send to a group, from which nothing comes back? */
bool wspi_cast_asked(const wsp_context *ctx);

/* ---- samples of Neighbor Discovery: ndp.c ---- */

/* Is a type of ICMPv6 one of those that samples have beside echo? */
bool wspi_ndp_is(uint64_t type);
bool wspi_mld_is(uint64_t type); /* reports of groups: behind a router alert */
/* All layers are drawn: what the type asks of them. Before wspi_cast_fit. */
void wspi_ndp_fit(wspi_coder *c);
/* The variable part of hop-by-hop options: a router alert. */
void wspi_ndp_alert(wspi_layer *l);
/* The message behind its header; false: it is none. */
bool wspi_ndp_body(wspi_coder *c);

/* ---- samples of echo: ping.c ---- */

/* Of a flow of echo: may a direction say something? May the packet be of this type? */
bool wspi_ping_may_speak(const wsp_context *ctx, int dir);
bool wspi_ping_fits(const wspi_coder *c, uint8_t layer, uint64_t type);
/* The payload is coded: that of a request is the flow's. And: what a reply returns; false: it is none. */
void wspi_ping_keep(wspi_coder *c);
bool wspi_ping_body(wspi_coder *c);

/* ---- samples of ICMP's errors: quote.c ---- */

/* Of ICMP or ICMPv6: have samples this type, and a code of this bin? */
bool wspi_icmp_sampled(uint8_t layer, uint64_t type);
bool wspi_icmp_code_sampled(uint8_t layer, unsigned bin);
/* Is a type one of a header that quotes a packet, or not, and that stands behind layer `before`? */
bool wspi_icmp_belongs(uint8_t layer, uint8_t before, bool quotes, uint64_t type);
/* May the i-th layer have the type, and a code of this bin? */
bool wspi_icmp_fits(const wspi_coder *c, size_t i, uint64_t type);
bool wspi_icmp_code_fits(const wspi_coder *c, size_t i, unsigned bin);
/* May `next` be a layer of what is quoted behind the layers so far? */
bool wspi_quote_may(const wsp_packet *p, uint8_t next);
/* Was the quoted packet sent to the one that speaks, and not to another host behind it? */
bool wspi_quote_to_sender(const wspi_coder *c);
/* All layers are drawn: what is quoted becomes a packet, or the beginning of one. */
void wspi_quote_fit(wspi_coder *c);

/* ---- token files ---- */

#define WSPI_TOKENS_FORMAT "wirespeak-tokens-1"
enum {
    WSPI_C_IDS,
    WSPI_C_PACKET_OFF,
    WSPI_C_FLOW_OFF,
    WSPI_C_CAPTURE,
    WSPI_C_FLOW_END,
    WSPI_C_LINKTYPE,
    WSPI_C_RESIDUALS,
    WSPI_C_RESIDUAL_OFF,
    WSPI_COLUMNS
};
/* One column of a set: name, numpy type, bytes of an item, where the pointer is, items. */
typedef struct wspi_column {
    const char *name, *descr;
    size_t size;
    void **data;
    size_t count;
} wspi_column;
void wspi_columns_of(wsp_tokens *t, wspi_column c[WSPI_COLUMNS]);

/* Gives fn(arg, name, fresh block, length) each member of a token file, until one of them fails. */
typedef wsp_status wspi_member_fn(void *arg, const char *name, uint8_t *data, size_t len,
                                  wsp_error *err);
typedef wsp_status wspi_members_fn(void *from, wspi_member_fn *fn, void *arg, wsp_error *err);
/* wsp_tokens_load from anything that has members; `path` is what errors call it. */
wsp_status wspi_tokens_take(wsp_tokens **out, const char *path, wspi_members_fn *members,
                            void *from, wsp_error *err) WSP_MUST_USE;

#endif
