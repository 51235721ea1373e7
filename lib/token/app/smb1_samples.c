/* SPDX-License-Identifier: Apache-2.0 */
/*
 * smb1_samples.c: what samples have of SMB1: a session from dialects to its end, or one that was there before the capture, on a disk
 * with files one after the other ([MS-CIFS] 3.2.4). Strings are Unicode, and there is one message in each.
 */
#include "token/app/smb.h"

#define EXTENDED \
    UINT32_C(0x80000000) /* of a server's capabilities: tokens of GSS-API set the session up */
enum { RESPONSE = 0x800000, REQUESTS = 0x1807c0, SAYS_EXTENDED = 8 };
enum {
    NEGOTIATE = 0x72,
    SETUP = 0x73,
    TREE = 0x75,
    CREATE = 0xa2,
    READ = 0x2e,
    WRITE = 0x2f,
    CLOSE = 0x04,
    LEAVE = 0x71,
    LOGOFF = 0x74,
    ECHO = 0x2b
};
enum { SHORTEST_NAME = 4, LONGEST_NAME = 40, GUID = 16, CHALLENGE = 8, LETTERS = 26 };
enum { BACKSLASH = '\\', ECHO_BYTE = 0xf0, ECHOED = 16 };
/* Where among the words what they say is: the length of a challenge, that of a name, bytes written, where data is. */
enum { CHALLENGE_LENGTH = 33, NAME_LENGTH = 5, WRITTEN = 4, READ_AT = 12, WRITE_AT = 22 };

#define BIT(row) (UINT64_C(1) << (row))

/* ---- commands in turn ---- */

/* Rows of wspi_smb_command_1. */
enum {
    ROW_NEGOTIATE,
    ROW_SETUP,
    ROW_TREE,
    ROW_CREATE,
    ROW_READ = 6,
    ROW_WRITE,
    ROW_CLOSE,
    ROW_LEAVE,
    ROW_LOGOFF,
    ROW_ECHO
};
/* What a client may say behind a command of its own that was granted, and behind one that was not. */
static const struct {
    uint8_t command;
    uint32_t granted, refused;
} turns[] = {
    {NEGOTIATE, BIT(ROW_SETUP), BIT(ROW_SETUP)},
    {SETUP, BIT(ROW_TREE) | BIT(ROW_LOGOFF), BIT(ROW_SETUP)},
    {TREE, BIT(ROW_CREATE) | BIT(ROW_LEAVE) | BIT(ROW_LOGOFF) | BIT(ROW_ECHO),
     BIT(ROW_TREE) | BIT(ROW_LOGOFF)},
    {CREATE, BIT(ROW_READ) | BIT(ROW_WRITE) | BIT(ROW_CLOSE),
     BIT(ROW_CREATE) | BIT(ROW_LEAVE) | BIT(ROW_LOGOFF)},
    {READ, BIT(ROW_READ) | BIT(ROW_WRITE) | BIT(ROW_CLOSE), 0},
    {WRITE, BIT(ROW_READ) | BIT(ROW_WRITE) | BIT(ROW_CLOSE), 0},
    {CLOSE, BIT(ROW_CREATE) | BIT(ROW_LEAVE), 0},
    {LEAVE, BIT(ROW_TREE) | BIT(ROW_LOGOFF), 0},
    {ECHO, BIT(ROW_CREATE) | BIT(ROW_LEAVE) | BIT(ROW_ECHO), 0},
};

/* Did the capture begin after the connection was there? */
static bool is_joined(const wspi_coder *c)
{
    return !((c->ctx->sent[0] | c->ctx->sent[1]) & WSPI_TH_SYN);
}

uint64_t wspi_smb1_commands(const wspi_coder *c)
{
    uint64_t mine = 0, theirs = 0, status = 0, kind = 0;
    bool spoke = wspi_app_last(c, true, WSPI_SMB_KIND, &kind) && kind;

    (void)wspi_app_last(c, true, WSPI_SMB_COMMAND_1, &mine);
    (void)wspi_app_last(c, false, WSPI_SMB_COMMAND_1, &theirs);
    (void)wspi_app_last(c, false, WSPI_SMB_STATUS, &status);
    if (c->dir == 1)
        return BIT(wspi_row_of(wspi_smb_command_1, theirs));
    for (size_t k = 0; spoke && k < WSPI_COUNT(turns); k++)
        if (turns[k].command == mine)
            return status ? turns[k].refused : turns[k].granted;
    return is_joined(c) ? BIT(ROW_NEGOTIATE) | BIT(ROW_SETUP) | BIT(ROW_TREE) | BIT(ROW_CREATE) |
                              BIT(ROW_LEAVE) | BIT(ROW_LOGOFF)
                        : BIT(ROW_NEGOTIATE);
}

/* ---- heads ---- */

static uint64_t command_of(const wspi_coder *c)
{
    return c->app.v[c->dir][WSPI_SMB_COMMAND_1];
}

/* Are tokens of GSS-API exchanged? Who has heard no server offers it. */
static bool is_extended(const wspi_coder *c)
{
    return c->app.v[1][WSPI_SMB_CAPABILITIES] & EXTENDED;
}

uint64_t wspi_smb1_flags(const wspi_coder *c)
{
    bool offers = c->dir == 0 && command_of(c) == NEGOTIATE;

    return REQUESTS | (c->dir == 1 ? RESPONSE : 0) | (offers || is_extended(c) ? SAYS_EXTENDED : 0);
}

uint64_t wspi_smb1_status(const wspi_coder *c, unsigned *refusals)
{
    uint64_t before = 0;

    (void)wspi_app_last(c, true, WSPI_SMB_COMMAND_1, &before);
    *refusals = c->dir == 0 ? 0 : command_of(c) == TREE ? 1 : command_of(c) == CREATE ? 3 : 0;
    return c->dir == 1 && command_of(c) == SETUP && is_extended(c) && before != SETUP
               ? WSPI_SMB_MORE_PROCESSING
               : 0;
}

/* A tree or a session that is as before, or, if the message `gives` it, a new one. */
static uint64_t identifier(wspi_coder *c, unsigned f, uint64_t had, bool gives)
{
    uint64_t other = wspi_rng_u64(&c->rng) % (UINT16_MAX - 1) + 1;

    return wspi_app_either(c, f, true, had, gives ? other : had);
}

uint64_t wspi_smb1_tree(wspi_coder *c)
{
    uint64_t command = command_of(c), had = wspi_smb_as_before(c, WSPI_SMB_TREE);
    bool on_tree = command == CREATE || command == LEAVE;

    return identifier(c, WSPI_SMB_TREE, had,
                      c->dir == 0 ? on_tree && !had
                                  : command == TREE && !c->app.v[1][WSPI_SMB_STATUS]);
}

uint64_t wspi_smb1_session(wspi_coder *c)
{
    uint64_t command = command_of(c), had = wspi_smb_as_before(c, WSPI_SMB_SESSION);
    bool before = command == NEGOTIATE || (command == SETUP && c->dir == 0);

    return identifier(c, WSPI_SMB_SESSION, had, !before && !had);
}

/* Of requests that wait at once each has a number of its own: a client may count, or not ([MS-CIFS] 2.2.1.6.2). */
uint64_t wspi_smb1_multiplex(wspi_coder *c)
{
    uint64_t had = wspi_smb_as_before(c, WSPI_SMB_MESSAGE);
    uint64_t next = had % 0xff00 + 0x40;

    return wspi_app_either(c, WSPI_SMB_MESSAGE, false, had, c->dir == 0 ? next : had);
}

/* ---- words ---- */

/* What the words of a message may be in number, and in such words what is not 0, and has no field. */
enum { ANDX = 0xff };
typedef struct word {
    uint8_t at, value;
} word;
typedef struct form {
    uint8_t command, dir, words;
    int8_t extended; /* 1, 0: with such capabilities only */
    word quiet[8];
} form;
static const form forms[] = {
    {NEGOTIATE, 0, 0, -1, {{0, 0}}},
    /* requests at once, circuits, sizes of buffers, of raw ones */
    {NEGOTIATE, 1, 17, -1, {{3, 50}, {5, 1}, {8, 0x41}, {13, 1}}},
    {SETUP, 0, 12, 1, {{0, ANDX}, {5, 0x41}, {6, 50}}},
    {SETUP, 0, 13, 0, {{0, ANDX}, {5, 0x41}, {6, 50}}},
    {SETUP, 1, 4, 1, {{0, ANDX}}},
    {SETUP, 1, 3, 0, {{0, ANDX}}},
    {TREE, 0, 4, -1, {{0, ANDX}, {6, 1}}}, /* a password of one byte */
    {TREE, 1, 3, -1, {{0, ANDX}, {4, 1}}},
    {TREE, 1, 7, -1, {{0, ANDX}, {4, 1}, {6, 0xff}, {7, 1}, {8, 0x1f}}},
    {CREATE, 0, 24, -1, {{0, ANDX}, {31, 7}, {43, 2}}}, /* shared, as who the client is */
    {CREATE, 1, 34, -1, {{0, ANDX}, {6, 0x40}}},
    {READ, 0, 12, -1, {{0, ANDX}, {5, 0x40}}},
    {READ, 0, 10, -1, {{0, ANDX}, {5, 0x40}}},
    {READ, 1, 12, -1, {{0, ANDX}, {READ_AT, 60}}},
    {WRITE, 0, 14, -1, {{0, ANDX}, {5, 0x40}, {WRITE_AT, 64}}},
    {WRITE, 1, 6, -1, {{0, ANDX}}},
    {CLOSE, 0, 3, -1, {{1, 0x40}}},
    {LOGOFF, 0, 2, -1, {{0, ANDX}}},
    {LOGOFF, 1, 2, -1, {{0, ANDX}}},
    {ECHO, 0, 1, -1, {{0, 1}}},
    {ECHO, 1, 1, -1, {{0, 1}}},
};

static bool fits(const wspi_coder *c, const form *f)
{
    return f->command == command_of(c) && f->dir == c->dir &&
           (f->extended < 0 || f->extended == is_extended(c));
}

static bool is_refused(const wspi_coder *c)
{
    uint64_t status = c->app.v[c->dir][WSPI_SMB_STATUS];

    return c->dir == 1 && status && status != WSPI_SMB_MORE_PROCESSING;
}

/* The n-th form of the message, NULL when there are no more. */
static const form *form_of(const wspi_coder *c, unsigned n)
{
    for (size_t k = 0; k < WSPI_COUNT(forms) && !is_refused(c); k++)
        if (fits(c, &forms[k]) && n-- == 0)
            return &forms[k];
    return NULL;
}

static unsigned bin_of(uint64_t words)
{
    return wspi_bin(words, wspi_app_smb.proto.fields[WSPI_SMB_BODY].mantissa);
}

uint64_t wspi_smb1_words(wspi_coder *c)
{
    uint64_t rows = 0, v;
    const form *f;

    for (unsigned n = 0; (f = form_of(c, n)) != NULL; n++)
        rows |= BIT(bin_of(f->words));
    v = wspi_app_code(c, WSPI_SMB_BODY, false, 0, 0);
    wspi_app_keep(c, WSPI_SMB_BODY, rows ? rows : BIT(0));
    for (unsigned n = 0; (f = form_of(c, n)) != NULL && bin_of(f->words) != bin_of(v); n++)
        ;
    v = f ? f->words : 0;
    if (!wspi_app_stopped(c))
        c->app.v[c->dir][WSPI_SMB_BODY] = v;
    wspi_app_put(c, 1, v);
    return v;
}

uint64_t wspi_smb1_size(const wspi_coder *c)
{
    uint64_t list = c->ctx->app.v[0][WSPI_SMB_DIALECT_1] & WSPI_SMB_NT_AT;

    if (command_of(c) == NEGOTIATE)
        return list ? list - 1 : 0;
    return wspi_smb_token_size(c);
}

/* Bytes that are there already become v, the lowest one first. */
static void set(wspi_coder *c, size_t at, size_t n, uint64_t v)
{
    if (wspi_app_stopped(c))
        return;
    if (at + n > c->pay.out->len) {
        c->bad = true;
        return;
    }
    for (size_t i = 0; i < n; i++)
        c->pay.out->data[at + i] = (uint8_t)(v >> 8 * i);
}

static void fill_words(wspi_coder *c, size_t at)
{
    const form *f;
    uint64_t command = command_of(c);

    for (unsigned n = 0; (f = form_of(c, n)) != NULL; n++)
        if (f->words == c->app.v[c->dir][WSPI_SMB_BODY])
            break;
    for (size_t k = 0; f && k < WSPI_COUNT(f->quiet) && f->quiet[k].value; k++)
        set(c, at + f->quiet[k].at, 1, f->quiet[k].value);
    if (f && command == NEGOTIATE && c->dir == 1)
        set(c, at + CHALLENGE_LENGTH, 1, is_extended(c) ? 0 : CHALLENGE);
    if (f && command == WRITE && c->dir == 1)
        set(c, at + WRITTEN, 2, c->app.v[0][WSPI_SMB_SIZE]);
}

/* ---- bytes ---- */

static void align(wspi_coder *c, const wspi_smb_message *m)
{
    if ((c->pay.at - m->start) & 1)
        wspi_app_put(c, 1, 0);
}

/* In Unicode, with its end. */
static void put_wide(wspi_coder *c, const char *s)
{
    for (;; s++) {
        wspi_smb_put(c, 2, (uint8_t)*s);
        if (!*s)
            return;
    }
}

static void put_text(wspi_coder *c, const char *s)
{
    for (;; s++) {
        wspi_app_put(c, 1, (uint8_t)*s);
        if (!*s)
            return;
    }
}

/* Letters that make the sample as long as was drawn, more or less. */
static size_t letters_left(const wspi_coder *c)
{
    return WSPI_MIN(WSPI_MAX(wspi_app_left(c) / 2, (size_t)SHORTEST_NAME), (size_t)LONGEST_NAME);
}

static void put_letters(wspi_coder *c, size_t n)
{
    for (; n && !wspi_app_stopped(c); n--)
        wspi_smb_put(c, 2, 'a' + wspi_rng_u64(&c->rng) % LETTERS);
}

static void offer(wspi_coder *c)
{
    wspi_app_opaque(c, is_extended(c) ? GUID : CHALLENGE);
    if (is_extended(c)) {
        wspi_smb_put_token(c);
        return;
    }
    put_wide(c, "WORKGROUP");
    put_wide(c, "SERVER");
}

/* Behind the token, if there is one: who it is and where, what system it has. */
static void set_up(wspi_coder *c, const wspi_smb_message *m)
{
    align(c, m);
    if (c->dir == 0 && !is_extended(c)) {
        put_wide(c, ""); /* nobody */
        put_wide(c, "WORKGROUP");
    }
    put_wide(c, "Unix");
    put_wide(c, "Samba");
    if (c->dir == 1)
        put_wide(c, "WORKGROUP");
}

/* A password of no letters, the path of a share, any service; and which it is. */
static void connect(wspi_coder *c, const wspi_smb_message *m)
{
    size_t n = letters_left(c);

    if (c->dir == 1) {
        put_text(c, "A:");
        align(c, m);
        put_wide(c, "NTFS");
        return;
    }
    wspi_app_put(c, 1, 0);
    align(c, m);
    wspi_smb_put(c, 2, BACKSLASH);
    wspi_smb_put(c, 2, BACKSLASH);
    put_letters(c, n / 2);
    wspi_smb_put(c, 2, BACKSLASH);
    put_letters(c, n - n / 2);
    put_wide(c, "");
    put_text(c, "?????");
}

/* The name of a file, and its length among the words. */
static void name(wspi_coder *c, const wspi_smb_message *m, size_t words)
{
    size_t n = letters_left(c);

    align(c, m);
    put_letters(c, n);
    set(c, words + NAME_LENGTH, 2, 2 * n);
}

/* What a server says back ([MS-CIFS] 2.2.4.39). */
static void echo(wspi_coder *c)
{
    for (int i = 0; i < ECHOED; i++)
        wspi_app_put(c, 1, ECHO_BYTE);
}

static void bytes(wspi_coder *c, const wspi_smb_message *m, size_t words)
{
    bool server = c->dir == 1;

    switch (command_of(c)) {
    case NEGOTIATE:
        if (server)
            offer(c);
        break;
    case SETUP: set_up(c, m); break;
    case TREE: connect(c, m); break;
    case CREATE:
        if (!server)
            name(c, m, words);
        break;
    case READ:
    case WRITE:
        if (server != (command_of(c) == WRITE)) {
            align(c, m);
            wspi_app_opaque(c, (size_t)c->app.v[c->dir][WSPI_SMB_SIZE]);
        }
        break;
    case ECHO: echo(c); break;
    default: break;
    }
}

void wspi_smb1_bytes(wspi_coder *c, const wspi_smb_message *m, size_t words, size_t start)
{
    uint64_t n;

    if (wspi_app_stopped(c))
        return;
    fill_words(c, words);
    if (!is_refused(c))
        bytes(c, m, words);
    n = c->pay.at - start;
    set(c, start - 2, 2, n);
    c->app.v[c->dir][WSPI_SMB_NEXT] = n;
}
