/* SPDX-License-Identifier: Apache-2.0 */
/*
 * smb.h: what SMB1 (smb1.c) and SMB2 (smb2.c) share: the fields of both, and bodies as tables. A body is a row of items of
 * fixed lengths and what follows them; a walk over its items serves encoding, decoding and samples. Numbers are little-endian.
 * A field that need not have a token is in a body once, or behind another one only if that always has one: it would be taken
 * for the first else.
 */
#ifndef WSPI_SMB_H
#define WSPI_SMB_H

#include "token/app/app.h"

enum wspi_smb_field {
    WSPI_SMB_TYPE,
    WSPI_SMB_LENGTH,
    WSPI_SMB_KIND,
    WSPI_SMB_COMMAND,
    WSPI_SMB_CHARGE,
    WSPI_SMB_STATUS,
    WSPI_SMB_CREDITS,
    WSPI_SMB_FLAGS,
    WSPI_SMB_PRIORITY,
    WSPI_SMB_NEXT,
    WSPI_SMB_MESSAGE,
    WSPI_SMB_TREE,
    WSPI_SMB_SESSION,
    WSPI_SMB_COMMAND_1,
    WSPI_SMB_FLAGS_1,
    WSPI_SMB_BODY,
    WSPI_SMB_DIALECT,
    WSPI_SMB_DIALECT_1,
    WSPI_SMB_SECURITY,
    WSPI_SMB_CAPABILITIES,
    WSPI_SMB_SIZE,
    WSPI_SMB_OFFSET,
    WSPI_SMB_ACCESS,
    WSPI_SMB_ATTRIBUTES,
    WSPI_SMB_DISPOSITION,
    WSPI_SMB_OPTIONS,
    WSPI_SMB_CLASS,
    WSPI_SMB_CONTROL,
    WSPI_SMB_SHARE,
    WSPI_SMB_NAME,
    WSPI_SMB_BLOB,
    WSPI_SMB_SUB,
    WSPI_SMB_FIELDS
};

/* [MS-ERREF] 2.3.1: what a session setup that goes on has, and an answer that says that another will come. */
#define WSPI_SMB_MORE_PROCESSING UINT32_C(0xc0000016)
#define WSPI_SMB_PENDING         UINT32_C(0x103)

/* Rows of wspi_smb_status: success, more-processing, refusals: access-denied, name-not-found, path-not-found. */
enum { WSPI_SMB_GOES_ON = 1, WSPI_SMB_REFUSED };
/* Values of WSPI_SMB_KIND. */
enum { WSPI_SMB_OPAQUE, WSPI_SMB_1, WSPI_SMB_2, WSPI_SMB_ENCRYPTED, WSPI_SMB_COMPRESSED };

/* What app.v has of WSPI_SMB_DIALECT_1: of the list, one more than where the dialect of Windows NT is, and what else it has. */
enum { WSPI_SMB_NT_AT = 0xff, WSPI_SMB_HAS_2 = 0x100, WSPI_SMB_HAS_ANY_2 = 0x200 };

/* The lists of the fields' values (smb_lists.c). */
extern const wspi_value wspi_smb_type[], wspi_smb_kind[], wspi_smb_command[], wspi_smb_status[],
    wspi_smb_flags[], wspi_smb_command_1[], wspi_smb_dialect[], wspi_smb_dialect_1[],
    wspi_smb_security[], wspi_smb_capabilities[], wspi_smb_access[], wspi_smb_attributes[],
    wspi_smb_disposition[], wspi_smb_options[], wspi_smb_class[], wspi_smb_control[],
    wspi_smb_share[], wspi_smb_name[], wspi_smb_blob[], wspi_smb_sub[];

/* What an item is. */
enum wspi_smb_how {
    WSPI_SMB_QUIET,  /* bytes that nobody learns from; 0 in samples */
    WSPI_SMB_RANDOM, /* the same, random in samples: identifiers */
    WSPI_SMB_WANT, /* a field that is as a rule `want`; samples may draw `count` tokens from number `from` on */
    WSPI_SMB_TOLD,       /* a field that always has a token, of which samples draw it */
    WSPI_SMB_AGAIN,      /* a field that the peer's last message had so, or else this direction's */
    WSPI_SMB_PLACE,      /* where the tail is, from the start of the message */
    WSPI_SMB_COPY,       /* WSPI_SMB_QUIET; in samples the last SIZE */
    WSPI_SMB_TOKEN_SIZE, /* SIZE of a token of GSS-API, as a rule `want` */
    WSPI_SMB_BIG,        /* WSPI_SMB_TOLD, big-endian: two bytes that belong together */
    WSPI_SMB_KNOWN       /* WSPI_SMB_TOLD of SMB1; samples know it */
};
typedef struct wspi_smb_item {
    uint8_t how, bytes, field;
    uint32_t want;
    uint8_t from, count;
} wspi_smb_item;

/* What stands behind the items. The last SIZE of them says how long it is (data, blob, path, name) or how many there are. */
enum wspi_smb_tail {
    WSPI_SMB_REST, /* whatever it is; nothing in samples */
    WSPI_SMB_ONE,  /* the same; a byte in samples: structures count one byte of what may follow */
    WSPI_SMB_DATA,
    WSPI_SMB_TOKEN,    /* of GSS-API: its kind is a field */
    WSPI_SMB_PATH,     /* of a share: \\server\share, in UTF-16 */
    WSPI_SMB_FILE,     /* the name of a file, in UTF-16 */
    WSPI_SMB_DIALECTS, /* numbers of SMB2 */
    WSPI_SMB_TEXTS     /* names of dialects of SMB1 */
};
enum { WSPI_SMB_ITEMS = 24 };
typedef struct wspi_smb_body {
    uint8_t size; /* SMB2: as it says; SMB1: words */
    uint8_t tail;
    wspi_smb_item item[WSPI_SMB_ITEMS]; /* up to the first of no bytes */
} wspi_smb_body;

/* A message under the walk. In samples its end is far away. */
typedef struct wspi_smb_message {
    size_t start, end;
} wspi_smb_message;

/* Are the next n bytes of the message here? Both sides know. */
bool wspi_smb_here(const wspi_coder *c, const wspi_smb_message *m, size_t n);

uint64_t wspi_smb_get(wspi_coder *c, size_t n);
void wspi_smb_put(wspi_coder *c, size_t n, uint64_t v);
/* A number of n bytes that is predicted; samples have it so. */
uint64_t wspi_smb_expect(wspi_coder *c, unsigned f, size_t n, uint64_t want);
/* Samples: a number that the walk knows, against a prediction or none. */
void wspi_smb_exact(wspi_coder *c, unsigned f, size_t n, bool known, uint64_t want, uint64_t v);
/* What the peer had last, or else this direction. */
uint64_t wspi_smb_as_before(const wspi_coder *c, unsigned f);
/* n bytes, zeros in samples. */
void wspi_smb_quiet(wspi_coder *c, size_t n);

/* The items, if they are all here. false: they are not, and nothing has happened. */
bool wspi_smb_items(wspi_coder *c, const wspi_smb_message *m, const wspi_smb_body *b);
/* What is behind them, as far as fields tell it; the caller takes what is left. */
void wspi_smb_tail(wspi_coder *c, const wspi_smb_message *m, const wspi_smb_body *b);

/* A token of GSS-API, of n bytes; the caller takes what is left of it. Samples have as many as the second says, or none. */
void wspi_smb_token(wspi_coder *c, const wspi_smb_message *m, size_t n);
size_t wspi_smb_token_size(const wspi_coder *c);
void wspi_smb_put_token(wspi_coder *c);

/* Heads and bodies. SMB2: how far it is to the next message of a compound, 0 when there is none. */
enum { WSPI_SMB_HEAD_1 = 32, WSPI_SMB_HEAD_2 = 64 };
void wspi_smb_message_1(wspi_coder *c, const wspi_smb_message *m);
uint64_t wspi_smb_message_2(wspi_coder *c, const wspi_smb_message *m);

/* ---- samples of SMB1: smb1_samples.c ---- */

/* Commands that may come next, as rows. */
uint64_t wspi_smb1_commands(const wspi_coder *c);
/* The status of an answer to go on with, and how many there are of those that refuse, from WSPI_SMB_REFUSED on. */
uint64_t wspi_smb1_status(const wspi_coder *c, unsigned *refusals);
/* The head's flags; fields of the head that are coded: tree, session, and the number of the request. */
uint64_t wspi_smb1_flags(const wspi_coder *c);
uint64_t wspi_smb1_tree(wspi_coder *c);
uint64_t wspi_smb1_session(wspi_coder *c);
uint64_t wspi_smb1_multiplex(wspi_coder *c);
/* How many words there are, coded; what their size (WSPI_SMB_KNOWN) is. */
uint64_t wspi_smb1_words(wspi_coder *c);
uint64_t wspi_smb1_size(const wspi_coder *c);
/* What stands in the words, which are at `words`, and is no field; the other bytes, with their number in front of `start`. */
void wspi_smb1_bytes(wspi_coder *c, const wspi_smb_message *m, size_t words, size_t start);

/* Samples: may this direction speak? */
bool wspi_smb_may_speak(const wsp_context *ctx, int dir);

#endif
