/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lines.h: the words of SMTP, POP3, IMAP and FTP that have tokens, between lines_words.c (the tables) and lines.c (the
 * walk). A line begins with a command or a reply code, a row of LINES; the rest of it is items: words and phrases that
 * have a token, numbers, and what is withheld from classifiers (names).
 */
#ifndef WSPI_LINES_H
#define WSPI_LINES_H

#include "token/app/text_line.h"

/* Fields of all four; the last ones are of one protocol only. */
enum {
    LINE,
    ITEM,
    FORM,
    NAME,
    NUMBER,
    BODY,
    COMMON_FIELDS,
    TAG = COMMON_FIELDS,
    HOST = TAG,
    PORT,
    MAILS,
    OCTETS /* no fields: what STAT of POP3 has told; 0: unknown */
};

/* The first rows of LINES: a line that begins with none of the words; what is left alone. */
enum { TEXT, REST, FIRST_LINE };

/* The first items. Phrases follow, the first two of which are no space between items, and one more. */
enum {
    I_END,
    I_NAME,
    I_NUMBER,
    I_MAILBOX, /* local-part@domain> */
    I_ADDRESS, /* h1,h2,h3,h4,p1,p2 */
    I_PORT,
    I_REST,
    I_LITERAL, /* {number} and the end of the line: so many bytes follow */
    I_LITERAL_PLUS,
    FIRST_PHRASE,
    I_GLUE = FIRST_PHRASE,
    I_SPACE
};

/* What a line is. */
enum {
    ASKS = 1,       /* samples of the client have it */
    ANSWERS = 2,    /* samples of the server have it */
    FIRST = 4,      /* it may be the first of a sampled flow: no other protocol has it */
    GLUED = 8,      /* no space follows */
    TAGGED = 16,    /* IMAP: behind a tag */
    MORE = 32,      /* samples: the same code again, or the row behind it */
    AND = 64,       /* samples: another line may follow */
    OPENS = 128,    /* a body up to a lone dot follows, if the other side agrees: */
    GOES = 256,     /* its last line is this answer, */
    FETCHES = 512,  /* or this question */
    COUNTED = 1024, /* so many bytes follow as its first number says */
    SECRET = 2048,  /* names are passwords: they have no text */
    WEAK = 4096,    /* alone it does not say which protocol it is */
    PAIRS = 8192,   /* the answer to it is numbers */
    LATER = 16384   /* samples: the server speaks again */
};

/* Sets of items: which ones samples take in which place of a line, and what is predicted where there is but one. */
#define M_END      (UINT64_C(1) << 0)
#define M_NAME     (UINT64_C(1) << 1)
#define M_NUMBER   (UINT64_C(1) << 2)
#define M_MAIL     (UINT64_C(1) << 3)
#define M_ADDR     (UINT64_C(1) << 4)
#define M_PORT     (UINT64_C(1) << 5)
#define M_GREET    (UINT64_C(1) << 6)
#define M_BYE      (UINT64_C(1) << 7)
#define M_MORE     (UINT64_C(1) << 8)
#define M_DONE     (UINT64_C(1) << 9)
#define M_GO       (UINT64_C(1) << 10)
#define M_VERIFY   (UINT64_C(1) << 11)
#define M_HELP     (UINT64_C(1) << 12)
#define M_ERROR    (UINT64_C(1) << 13)
#define M_OPEN     (UINT64_C(1) << 14)
#define M_CLOSED   (UINT64_C(1) << 15)
#define M_CHANGED  (UINT64_C(1) << 16)
#define M_PATH     (UINT64_C(1) << 17)
#define M_ASKS     (UINT64_C(1) << 18)
#define M_LOGIN    (UINT64_C(1) << 19)
#define M_READY    (UINT64_C(1) << 20)
#define M_SYSTEM   (UINT64_C(1) << 21)
#define M_END_OF   (UINT64_C(1) << 22)
#define M_PASSIVE  (UINT64_C(1) << 23)
#define M_TAIL     (UINT64_C(1) << 24)
#define M_EXTENDED (UINT64_C(1) << 25)
#define M_TAIL_2   (UINT64_C(1) << 26)
#define M_NOTE     (UINT64_C(1) << 27)
#define M_CAP      (UINT64_C(1) << 28)
#define M_BOX      (UINT64_C(1) << 29)
#define M_STATUS   (UINT64_C(1) << 30)
#define M_PATTERN  (UINT64_C(1) << 31)
#define M_KEY      (UINT64_C(1) << 32)
#define M_DATA     (UINT64_C(1) << 33)
#define M_FLAGS    (UINT64_C(1) << 34)
#define M_LISTED   (UINT64_C(1) << 35)
#define M_FLAGGED  (UINT64_C(1) << 36)
#define M_COUNT    (UINT64_C(1) << 37)
#define M_OCTETS   (UINT64_C(1) << 38)

/* The form of a line: the case of its word, and whether it ends with a bare line feed. */
enum { LOWER = 1, TITLE, MIXED, CASES, BARE_LF = CASES };

enum { SCRIPT = 3, MAX_TAG = 32 };
typedef struct wspi_line_row {
    uint16_t flags;
    uint64_t script[SCRIPT]; /* sets of its items; 0: the line ends */
} wspi_line_row;

typedef struct wspi_lines {
    const wspi_value *lines, *items;
    const wspi_line_row *rows;
    const uint64_t *sets; /* that an item is in; 0: samples do not have it */
    unsigned n_lines, n_items;
} wspi_lines;
extern const wspi_lines wspi_lines_smtp, wspi_lines_pop3, wspi_lines_imap, wspi_lines_ftp;
extern const wspi_field wspi_smtp_fields[COMMON_FIELDS], wspi_pop3_fields[COMMON_FIELDS],
    wspi_imap_fields[TAG + 1], wspi_ftp_fields[PORT + 1];

/* The words of an application protocol of the four. */
bool wspi_is_lines(uint8_t app);
const wspi_lines *wspi_lines_of(uint8_t app);

/* Character i of a word in the case of a form: "MAIL FROM", "mail from", "Mail From", "MAIL From". */
uint8_t wspi_lines_cased(const char *s, size_t i, unsigned form);
/* The row that the line [b, b + n) begins with, or TEXT, behind a tag of *tag bytes. *form: the expected case, then its own. */
unsigned wspi_lines_row(const wspi_lines *g, const uint8_t *b, size_t n, size_t *tag,
                        unsigned *form);

/* Samples: is it this direction's turn? May the connection end? */
bool wspi_lines_may_speak(const wsp_context *ctx, int dir);
bool wspi_lines_may_end(const wsp_context *ctx);

/* The protocol of a payload that does not go on with what was before, or 0. */
uint8_t wspi_lines_choose(const wspi_coder *c);
/* Is its first line one that some of the four begin with? */
bool wspi_lines_look(const uint8_t *b, size_t n);

/* Does no space come before, or behind, a phrase? */
bool wspi_joins_before(const char *s);
bool wspi_joins_behind(const char *s);
/* The longest phrase that [b, b + n) begins with and that ends where a word does, or 0. */
unsigned wspi_phrase_at(const wspi_lines *g, const uint8_t *b, size_t n);
/* Bytes of a number at b, or of h1,h2,h3,h4,p1,p2; 0 if there is none. */
size_t wspi_number_at(const uint8_t *b, size_t n, uint64_t *v);
size_t wspi_address_at(const uint8_t *b, size_t n, uint64_t *v);
/* Bytes of a name at b; one that is secret ends at a space only. */
size_t wspi_name_at(const uint8_t *b, size_t n, bool secret);
/* The sender's IPv4 address, or 0. */
uint64_t wspi_own_address(const wsp_packet *p);
/* The item that is predicted where one of a set may come; is item k in the set? */
unsigned wspi_expected_item(uint64_t set);
bool wspi_item_fits(const wspi_lines *g, uint64_t set, unsigned k);
/* Is a line of the row a greeting and nothing else? */
bool wspi_row_greets(const wspi_line_row *r);
/* Samples: of a set, what comes in line `lines` of a list of names and phrases, whose first line is the name. */
uint64_t wspi_list_set(const wspi_lines *g, unsigned row, unsigned lines, uint64_t set);
/* Can a text for people have item k? The first one stands apart from the code. */
bool wspi_item_is_word(const wspi_lines *g, unsigned k, bool first);

/* Bytes of [b, b + n) up to a lone dot and with it, 0 if there is none. start: a line starts at b. */
size_t wspi_body_len(const uint8_t *b, size_t n, bool start);
/*
 * Samples (lines_dialog.c): may a line of this row be said now? The dialog's part of the server's mode when it has answered
 * with this row. Is it over, and was enough said that the connection may end? Has another line to come before an answer of this row?
 * Does a text that names a command name the one that was asked?
 */
bool wspi_dialog_fits(const wsp_context *ctx, uint8_t app, int dir, unsigned row);
uint8_t wspi_dialog_after(const wsp_context *ctx, uint8_t app, uint64_t row);
bool wspi_dialog_lacks(const wsp_context *ctx, uint8_t app, unsigned row);
bool wspi_dialog_names(const wsp_context *ctx, uint8_t app, const char *text);
/* The word of the question that is answered now, or NULL. Does a phrase (lines_text.c) speak of it, in a line of this row? */
const char *wspi_dialog_asked(const wsp_context *ctx, uint8_t app);
bool wspi_dialog_speaks(const wsp_context *ctx, uint8_t app, unsigned row, unsigned item);
/*
 * Samples: the least and the most that the number in this place of a line of this row may be; *most 0: any. A number is
 * there: it is remembered if it says how many mails there are.
 */
void wspi_dialog_range(const wspi_coder *c, unsigned row, unsigned place, uint64_t *least,
                       uint64_t *most);
void wspi_dialog_counted(wspi_coder *c, unsigned row, unsigned place, uint64_t v);
bool wspi_dialog_is_over(const wsp_context *ctx, uint8_t app);
bool wspi_dialog_may_end(const wsp_context *ctx, uint8_t app);

/* IMAP: the client counts: A1, A2; a0009, a0010. */
void wspi_next_tag(uint8_t tag[MAX_TAG], size_t *len);

#endif
