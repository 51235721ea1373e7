/* SPDX-License-Identifier: Apache-2.0 */
/*
 * http.h: HTTP and what is written like it: SSDP, SIP, RTSP. http.c has the walk, http_words.c looks words up. What one
 * of them says is a dialect: a table of words in a file of its own (HTTP's are in http_words.c).
 */
#ifndef WSPI_HTTP_H
#define WSPI_HTTP_H

#include "token/app/text_line.h"

enum {
    START,
    TARGET,
    QUERY,
    VERSION_OF,
    STATUS,
    REASON,
    HEADER,
    NAME,
    FORM,
    COMMON,
    VALUE,
    IDENTITY,
    NUMBER,
    DATE,
    BODY,
    PREFIX,
    AGAIN,   /* not of HTTP: lines that are those of the flow's last request */
    SEQUENCE /* of dialects with a number for each request */
};

/* How a line differs from NAME ": " VALUE CRLF. */
enum {
    USUAL,
    NO_SPACE, /* bit 0 */
    BARE_LF,  /* bit 1 */
    COMPACT,
    RAW,     /* a line without a name */
    CUT,     /* the captured bytes end within a name */
    REST,    /* what is captured of this segment is left alone */
    ANEW,    /* a message starts though the last one has not ended (bytes were lost) */
    NO_SLASH /* the target does not start as most do */
};

enum {
    ABSENT = 255, /* no token: the value is text, or implied; no such word */
    H_OTHER = 255,
    NEVER = 254 /* a number that no word has */
};

enum wspi_http_kind {
    K_TEXT,
    K_TYPE,   /* of the body; text */
    K_LIST,   /* of words; text */
    K_WHO,    /* shows an identity */
    K_NUMBER, /* decimal */
    K_LENGTH, /* that of the body */
    K_DATE,   /* of the message; before it, behind it */
    K_EARLIER,
    K_LATER,
    K_SEQUENCE /* the number of the request, and its method if the dialect tells it */
};
enum {
    ASKS = 1,    /* samples: in requests */
    ANSWERS = 2, /* samples: in responses */
    STAYS = 4,   /* the flow's last value is remembered */
    KNOWN = 8,   /* the common value that comes first is implied */
    ECHO = 16,   /* responses have the value of the request */
    TAGGED = 32, /* and something behind it */
    BARE = 64,   /* how it begins is not told: all begin alike */
    SPELT = 128  /* samples: values that are not among the common ones, too */
};

/*
 * Of a header: its kind, bytes of text that are shown, flags, what samples take: the common values or classes of numbers
 * from `from` on, or text of a shape, in which % is one or more letters, or text that begins with one of the prefixes from
 * `begins` on.
 */
typedef struct wspi_http_row {
    uint8_t kind, shown, flags, from, count;
    const char *shape;
    uint8_t begins, n_begins;
} wspi_http_row;

typedef struct wspi_http_message wspi_http_message;
enum { WSPI_HTTP_DUE = 320 };

/* For looking words up: made with the vocabulary. Hash tables of a list's numbers, with linear probing. */
enum { WSPI_HTTP_SLOTS = 512 };
typedef struct wspi_http_table {
    uint8_t slot[WSPI_HTTP_SLOTS], len[ABSENT];
} wspi_http_table;
typedef struct wspi_http_words {
    wspi_http_table commons, headers;
    uint8_t begins[256]; /* bit 0, 1: the first, the second byte of a start */
    uint64_t alike[WSPI_HTTP_SLOTS / 4]
                  [2]; /* headers of the same name, whatever the case of its letters */
} wspi_http_words;

enum {
    UNTIL_CLOSE = 1, /* an answer without a length goes on to the end; some statuses have no body */
    ORDERED = 2,     /* samples: what an answer needs comes first too */
    ONE_TARGET = 4,  /* targets begin so or it is no message; mostly nothing follows */
    METHOD_TOLD = 8, /* the request's number has its method behind it */
    REPEATS = 16,    /* lines that come again are counted; bodies are not shown */
    OTHERS = 32,     /* samples: headers that are not in the list, too */
    FREELY = 64,     /* samples: needed headers come in any order, with their names in any case */
    APART = 128      /* samples: a status may have a segment of its own */
};

/* Samples: a status asks for a header, which is of no status that is not in the list if `alone`. The last row has status 0. */
typedef struct wspi_http_need {
    uint16_t status;
    uint8_t header;
    bool alone;
} wspi_http_need;

/* Samples: what messages owe to those before them, and their parts to each other. */
typedef struct wspi_http_rules {
    const wspi_http_need *by_status;
    const uint8_t
        *marked;   /* headers of which the next message knows that they were there, then ABSENT */
    uint8_t range; /* a header that asks for a part */
    uint8_t lasts, alive; /* headers that say whether the connection lasts */
    uint8_t confirms;     /* a request that has the number of the one before */
    /* May the message start so, have this status, and this header? */
    bool (*may_start)(const wspi_http_message *w, unsigned k);
    bool (*may_answer)(const wspi_http_message *w, unsigned status);
    bool (*may_have)(const wspi_http_message *w, unsigned k);
    /* A header that the message has to have beside those of its kind, or ABSENT. */
    unsigned (*has_to_have)(const wspi_http_message *w);
    /* The value that header k has to have: its bytes at b; 0: any. */
    size_t (*due)(wspi_http_message *w, unsigned k, char b[WSPI_HTTP_DUE]);
    /* Is header k's value not the one of the last request? May its line be that of the last request, with others? */
    bool (*is_fresh)(const wspi_http_message *w, unsigned k);
    bool (*may_repeat)(const wspi_http_message *w, unsigned k);
    /* The target that a request has, if its length is of the same class, which it has to be where it must. */
    size_t (*target)(wspi_http_message *w, char b[WSPI_HTTP_DUE], bool *must);
    /* Of anything that is coded: header k is complete, n_headers: the target. Its bytes begin at `at`, or are as before. */
    void (*noted)(wspi_http_message *w, unsigned k, size_t at, bool again);
} wspi_http_rules;

typedef struct wspi_http_dialect {
    /* Lists: starts of messages (requests, then responses by version), the usual phrase behind a status, ... */
    const wspi_value *starts, *statuses, *commons, *headers, *prefixes;
    const wspi_http_row *rows;   /* of the headers; behind them: of those without a name here */
    const char *const *versions; /* what ends a request line */
    const char *version;         /* how they begin */
    const char *target;          /* how targets begin usually */
    const char *target_shape;    /* samples: of the rest; NULL: text */
    const char *session; /* samples: the shape of bodies that have a type; NULL: as the type says */
    const uint8_t *const *asks,
        *const
            *answers; /* samples: headers that a request and the answer to it need, then ABSENT */
    uint8_t response, n_starts; /* the first start of a response; all */
    uint8_t n_versions, n_commons, n_headers, n_prefixes;
    uint8_t starts_sampled, versions_sampled, statuses_sampled, answers_sampled;
    uint8_t host, agent, sized, typed, coded[2]; /* numbers of headers that mean something here */
    uint8_t login, realm;                        /* samples: of Basic authentication */
    uint8_t bodyless[2];                         /* requests whose answer has no body */
    uint8_t bodies[2]; /* samples: requests that may have one: first, how many */
    uint8_t flags;
    uint8_t mixed;   /* samples: other headers come when at most so many are missing */
    uint8_t digits;  /* bytes of a version behind how they begin */
    uint16_t memory; /* bytes of a request's lines that are remembered */
    wspi_http_words *words;
    const wspi_http_rules *rules; /* or NULL */
} wspi_http_dialect;

extern const wspi_http_dialect wspi_http, wspi_ssdp, wspi_sip, wspi_rtsp;
extern const wspi_value wspi_http_forms[], wspi_http_bodies[];

/* The fields of a dialect; `role` is that of targets, `fine` how fine lengths are told (classes an octave, as a power of two). */
#define WSPI_HTTP_FIELDS(p, starts, versions, statuses, headers, commons, prefixes, whose, fine) \
    [START] = {WSPI_ENUM(p ".start", 8, starts)},                                                \
    [TARGET] = {WSPI_MAG(p ".target", 16, whose, fine)},                                         \
    [QUERY] = {WSPI_MAG(p ".query", 16, whose, 1)},                                              \
    [VERSION_OF] = {WSPI_ENUM(p ".version", 8, versions), .pred = WSPI_P_PREV},                  \
    [STATUS] = {WSPI_ENUM(p ".status", 16, statuses)},                                           \
    [REASON] = {WSPI_MAG(p ".reason", 8, WSPI_R_NONE, 1)},                                       \
    [HEADER] = {WSPI_ENUM(p ".header", 8, headers), .role = WSPI_R_SPELT},                       \
    [NAME] = {WSPI_MAG(p ".name", 16, WSPI_R_NONE, 1)},                                          \
    [FORM] = {WSPI_ENUM(p ".form", 8, wspi_http_forms), .pred = WSPI_P_PREV},                    \
    [COMMON] = {WSPI_ENUM(p ".common", 8, commons)},                                             \
    [VALUE] = {WSPI_MAG(p ".value", 16, WSPI_R_NONE, fine), .pred = WSPI_P_PREV},                \
    [IDENTITY] = {WSPI_MAG(p ".identity", 16, WSPI_R_NAME, 1), .pred = WSPI_P_PREV},             \
    [NUMBER] = {WSPI_MAG(p ".number", 40, WSPI_R_NONE, fine - 1)},                               \
    [DATE] = {WSPI_FREE(p ".date", 32, WSPI_P_CONST, WSPI_R_NUMBER)},                            \
    [BODY] = {WSPI_ENUM(p ".body", 8, wspi_http_bodies)},                                        \
    [PREFIX] = {WSPI_ENUM(p ".prefix", 8, prefixes)}

/* And those of dialects that repeat lines. */
#define WSPI_HTTP_MORE(p) [AGAIN] = {WSPI_MAG(p ".again", 8, WSPI_R_NONE, 2)}

/* A dialect's lists from one list X(id, text) or X(id, name, row ...), so that they cannot differ. */
#define WSPI_HTTP_COMMON_ID(id, text)         C_##id,
#define WSPI_HTTP_COMMON_VALUE(id, text)      {C_##id, text},
#define WSPI_HTTP_HEADER_ID(id, ...)          H_##id,
#define WSPI_HTTP_HEADER_VALUE(id, name, ...) {H_##id, name},

enum { NO_LEN = 0xffff, NO_REASON = 255 }; /* values of fields whose token is missing */
#define NO_NUMBER ((UINT64_C(1) << 40) - 1)

/* The walk, and whether [0, n) begins like a message. */
void wspi_http_walk(wspi_coder *c, const wspi_http_dialect *d);
bool wspi_http_begins(const wspi_http_dialect *d, const uint8_t *b, size_t n);

/* The common value (ABSENT) or header name (H_OTHER when there is none) of n bytes. */
unsigned wspi_http_common(const wspi_http_dialect *d, const uint8_t *b, size_t n);
unsigned wspi_http_header(const wspi_http_dialect *d, const uint8_t *b, size_t n);

/* What a value of n bytes begins with, or ABSENT. */
unsigned wspi_http_prefix(const wspi_http_dialect *d, const uint8_t *b, size_t n);

/* The decimal number of n digits, or NO_NUMBER when it would not be written like this. */
uint64_t wspi_http_decimal(const uint8_t *b, size_t n);

/* RFC 9110 5.6.7: Sun, 06 Nov 1994 08:49:37 GMT; seconds since 1970. Reading takes what writing gives. */
enum { DATE_LEN = 29 };
void wspi_http_date_write(char s[DATE_LEN + 1], uint32_t secs);
bool wspi_http_date_read(const uint8_t b[DATE_LEN], uint64_t *secs);

/* ---- the walk's state, and the calls between its two files ---- */

/*
 * Kept in `v` beside the fields: of a direction the requests, or the requests that were answered; the marks of its last message; bytes of
 * the dialect.
 */
enum { MESSAGES = SEQUENCE + 1, MARKS, KEPT };
enum { LASTS = 1 << 14, CLOSES = 1 << 15 }; /* the connection, behind the message */

enum { IN_HEAD = 1, IN_LINE = 2, OPEN = 4, NO_BODY = 8, HAS_LENGTH = 16, ANSWER = 32, JSON = 64 };

struct wspi_http_message {
    wspi_coder *c;
    const wspi_http_dialect *d;
    unsigned mode;    /* of the message: IN_HEAD ... */
    uint32_t length;  /* of its body */
    unsigned form;    /* of the last line */
    size_t budget;    /* bytes of text that still get tokens */
    uint64_t method;  /* start of the message */
    uint64_t seen[2]; /* samples: headers that are there */
    unsigned lines;   /* samples */
    bool
        turned; /* samples: the line is written in another form than the one before, so that it is none that ends the head */
    size_t head; /* where the lines after a request's first one start, or 0 */
    size_t past; /* in the remembered lines: behind the last one that was used */
    wspi_text_line line;
    unsigned
        marks; /* what the next message knows of this one: headers that are marked, LASTS, CLOSES */
    unsigned agent; /* samples: see wspi_http_agent */
    uint8_t call;   /* samples of SIP: its own */
};

static inline bool wspi_http_is(const uint8_t *b, size_t n, const char *s)
{
    return strlen(s) == n && memcmp(b, s, n) == 0;
}

/* A length field; its token may be missing if `may_miss`: NO_LEN, NO_REASON. Samples: classes [from, from + count). */
size_t wspi_http_length(wspi_http_message *w, unsigned f, bool may_miss, size_t n, unsigned from,
                        unsigned count);
/* n bytes of text, of which `shown` have tokens; n bytes without tokens that samples have of a shape. */
void wspi_http_text(wspi_http_message *w, size_t n, size_t shown, enum wspi_text_class class);
void wspi_http_shaped(wspi_http_message *w, size_t n, const char *shape);
/* Samples: of lengths that the shape can have, the first class; how many are taken. */
unsigned wspi_http_shortest(const wspi_http_message *w, unsigned f, const char *shape);
enum { LENGTHS_SAMPLED = 3, VALUES_SAMPLED = 6 };
/* The value of header k, of n bytes when encoding. */
void wspi_http_value(wspi_http_message *w, unsigned k, size_t n);
/* Samples: has the message a body of the shape of sessions? */
static inline bool wspi_http_has_session(const wspi_http_message *w)
{
    unsigned k = w->d->typed;

    return w->c->fill && w->d->session && w->seen[k / 64] >> k % 64 & 1;
}
/* Samples: header k is there. */
static inline void wspi_http_note(wspi_http_message *w, unsigned k)
{
    if (k < w->d->n_headers)
        w->seen[k / 64] |= UINT64_C(1) << k % 64;
    w->lines++;
}
/* The value of n bytes that the header had in the last request, as far as that is remembered, or NULL. */
const uint8_t *wspi_http_recall(const wspi_http_message *w, const char *name, size_t *n);
/* Samples: may header k come next? The end of the head is header n_headers. */
bool wspi_http_sampled(const wspi_http_message *w, unsigned k);
/* Are headers k and i of one name, whatever the case of its letters? */
static inline bool wspi_http_is_alike(const wspi_http_dialect *d, unsigned k, unsigned i)
{
    return k < d->n_headers && i < d->n_headers && d->words->alike[k][i / 64] >> i % 64 & 1;
}
/* Samples: is a header of this name there? */
static inline bool wspi_http_has(const wspi_http_message *w, unsigned k)
{
    const uint64_t *alike = w->d->words->alike[k];

    return (w->seen[0] & alike[0]) | (w->seen[1] & alike[1]);
}
/*
 * Samples: a request's program is that of the flow's first one: the header that names it, ABSENT if nothing was asked yet, NEVER if
 * it had no name, or a forgotten one.
 */
unsigned wspi_http_agent(const wspi_http_message *w);
/* Samples: what cannot be chosen any more, of the start and the status that were asked for last. */
void wspi_http_keep_starts(const wspi_http_message *w);
void wspi_http_keep_statuses(const wspi_http_message *w);
/*
 * Of the common value of header k, which was asked for last: the connection ends behind the answer to a request that closes it, and
 * goes on before other answers (RFC 9112 9.3.2, 9.6).
 */
void wspi_http_keep_commons(const wspi_http_message *w, unsigned k);
/* The start line is complete: it is a request, or answers one. */
void wspi_http_count(const wspi_http_message *w);
/* Header k is complete, its value begins at `at`, or its line is that of the last request: what the next message knows of it. */
void wspi_http_mark(wspi_http_message *w, unsigned k, size_t at, bool again);
/* Samples: does a request have to have the number of the one before? */
static inline bool wspi_http_confirms(const wspi_http_message *w)
{
    return w->c->fill && w->d->rules && !w->c->dir && w->method == w->d->rules->confirms;
}
/* Lines that are those of the last request: how many, and they are passed. Samples: at most so many. */
unsigned wspi_http_again(wspi_http_message *w, unsigned most);
/* The header of the remembered line at *at, which is moved past it; H_OTHER if it cannot come again, or samples do not know it. */
unsigned wspi_http_past(const wspi_http_message *w, size_t *at);
/* The line of header k, which starts at `line`, is complete: it may be remembered. */
void wspi_http_remember(wspi_http_message *w, unsigned k, size_t line);

#endif
