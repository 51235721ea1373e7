/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ber.h: a walk for protocols that are written in ASN.1 and sent in BER or DER (X.690): a protocol is a table of elements.
 *
 * An element of a sequence that is as its row says needs no token but those of its value. One that is not ends the
 * sequence: the token `element=NAME` of its row says so, and what is left of the sequence is opaque with its length told.
 * The same token says of an optional element that it is there. Every row has a token of its own, as an exception of a later
 * row would be taken for one of an earlier row else; a row may be in several tables that never follow each other.
 *
 * Lengths are no tokens: decoding sets them when the contents are there. How they are written (X.690 8.1.3 leaves a choice)
 * is told once for a message, in words of wspi_ber_forms: those of a protocol's field `form` begin with them.
 */
#ifndef WSPI_BER_H
#define WSPI_BER_H

#include "token/app/app.h"

enum wspi_ber_kind {
    WSPI_BER_END, /* of a table; its token says that more follows, which is opaque */
    WSPI_BER_SEQ, /* `in`: what it has, in order */
    WSPI_BER_LIST, /* of at most `max` elements in[0], each with its token; that of the END in[1]: others follow */
    WSPI_BER_NEST, /* the same for lists in themselves: one of three tokens always comes, from that of in[0] on: more, end, others */
    WSPI_BER_CHOICE, /* of the rows of `in`, by their tags; `field` (ENUM) is the tag and always told */
    WSPI_BER_INT,    /* INTEGER, ENUMERATED, Counter32, ...: `field` is its value */
    WSPI_BER_OCTET,  /* a string of one octet: `field` (ENUM) is its value */
    WSPI_BER_BITS,   /* a string of 32 bits: `field` (ENUM) is its value */
    WSPI_BER_OPAQUE, /* `field` (MAG) is its length */
    WSPI_BER_TEXT,   /* the same, with the first `max` bytes as text */
    WSPI_BER_NAME, /* the same, hidden; as long as the last one of the flow; samples have letters, or what is made */
    WSPI_BER_WORD, /* a name of the values of `field` (ENUM), or text with its length in `rest` */
    WSPI_BER_OID, /* begins with one of `oids`, `field` (ENUM) says which; `rest` (MAG) bytes follow, `max` as text */
    WSPI_BER_FIXED, /* `max` bytes, opaque */
    WSPI_BER_TIME, /* GeneralizedTime in seconds and UTC: YYYYMMDDhhmmssZ; `field` (FREE) is the number */
};

/* What an INT is expected to be. */
enum wspi_ber_pred {
    WSPI_BER_NEW,    /* nothing: a token, none for FREE */
    WSPI_BER_AS,     /* `want` */
    WSPI_BER_LAST,   /* as the last one of the flow */
    WSPI_BER_ANSWER, /* the client counts up, the server repeats */
};

enum { WSPI_BER_OPTIONAL = 1, WSPI_BER_SAMPLED = 2, WSPI_BER_USUAL = 4, WSPI_BER_DEPTH = 16 };

typedef struct wspi_ber wspi_ber;
typedef struct wspi_oid {
    const char *bytes;
    uint8_t len;
} wspi_oid;

struct wspi_ber {
    uint8_t kind, tag;
    uint8_t outer; /* an explicit tag around it, or 0 */
    uint8_t token; /* number in the field `element` */
    uint8_t field, rest;
    uint8_t
        flags; /* SAMPLED: optional, and samples may have it; USUAL: and all of them have; of a list's END: it may go on */
    uint8_t pred;
    uint8_t from[2], count[2]; /* tokens of `field` that samples may have, by direction */
    uint16_t max;              /* of a FREE number: samples begin with one up to it */
    uint16_t min;              /* of a list: samples have as many at least */
    uint8_t most;              /* and no more; 0: three */
    uint32_t want;
    const wspi_ber *in;
    const uint8_t
        *barred; /* NULL, or: of a word, values that samples do not have all the same, then 255 */
    const wspi_oid *oids; /* in the order of the values of `field`, which are 0, 1, ... */
    bool (*when)(const wspi_coder *c); /* NULL, or: both sides know that it is not there */
    /* NULL, or: tokens of `field` that samples may have here, in the place of from and count. */
    void (*sampled)(const wspi_coder *c, uint8_t *from, uint8_t *count);
    bool (*may)(const wspi_coder *c, unsigned k); /* NULL, or: may they have token k of it? */
    /* NULL, or: samples of what is opaque, hidden, or the rest of a list; n bytes, or others whose number has the same token. */
    void (*make)(wspi_coder *c, size_t n);
    void (*took)(wspi_coder *c, size_t at); /* NULL, or: its contents are passed, from `at` on */
    /* Of a list, NULL, or: the n-th element begins, or the list ends there; how many samples have: above `max`, the END's. */
    void (*each)(wspi_coder *c, unsigned n, unsigned *least, unsigned *most);
    uint64_t (*is)(const wspi_coder *c); /* NULL, or: samples of a FREE number, or of a time */
    /* Of an OID, NULL, or: what samples have behind beginning k, at most WSPI_BER_ARCS bytes; SIZE_MAX: anything. */
    size_t (*given)(const wspi_coder *c, uint64_t k, uint8_t *b);
};
enum { WSPI_BER_ARCS = 32 };

#define WSPI_BER_BOTH(first, n) .from = {first, first}, .count = {n, n}

/* How lengths are written. MIXED: as the residuals say for each. PART: the message ends in another payload. */
enum { WSPI_FORM_MINIMAL, WSPI_FORM_3, WSPI_FORM_5, WSPI_FORM_MIXED, WSPI_FORM_PART };
#define WSPI_BER_FORMS                                                             \
    {WSPI_FORM_MINIMAL, "minimal"}, {WSPI_FORM_3, "three"}, {WSPI_FORM_5, "five"}, \
        {WSPI_FORM_MIXED, "mixed"},                                                \
    {                                                                              \
        WSPI_FORM_PART, "part"                                                     \
    }

/* The tokens of rows, X(number, "name"), as an enumeration and as the values of the field `element`. */
#define WSPI_BER_NUMBER(number, name) number,
#define WSPI_BER_VALUE(number, name)  {number, name},

/* A protocol: the row of a message, and its fields that the walk uses itself. */
typedef struct wspi_ber_message {
    const wspi_ber *row;
    uint8_t form;    /* ENUM, of WSPI_BER_FORMS */
    uint8_t forms;   /* how many of them samples have */
    uint8_t element; /* ENUM, in the order of the rows' tokens */
    uint8_t length;  /* MAG, 32 bits: of what is opaque */
    uint8_t rest;    /* of `element`: what follows is no message (streams) */
    uint8_t
        sealed; /* of `element`, or 0: a buffer of SASL (RFC 4422 3.7) comes in the place of a message */
    bool (*goes_on)(
        const wspi_coder *c); /* samples: is another message in the same payload? NULL: never */
} wspi_ber_message;

/* The first octets of an element of single-octet tag and definite length. */
typedef struct wspi_ber_head {
    uint8_t tag, width; /* octets of the length */
    size_t len;
} wspi_ber_head;
/* false: it is none, or n bytes are too few. The contents need not be there. */
bool wspi_ber_peek(const uint8_t *b, size_t n, wspi_ber_head *h);

/* Could it be a buffer of SASL, sealed by Kerberos, SPNEGO or NTLM? */
bool wspi_ber_sealed(const uint8_t *b, size_t n);

/* One message, or what is here of it; the rest is in c->app.left. */
void wspi_ber_one(wspi_coder *c, const wspi_ber_message *m);
/* Messages to the payload's end. */
void wspi_ber_all(wspi_coder *c, const wspi_ber_message *m);
/* What is left of the last segment's message; false: it goes on in the next one. */
bool wspi_ber_continued(wspi_coder *c);

#endif
