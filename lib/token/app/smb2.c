/* SPDX-License-Identifier: Apache-2.0 */
/*
 * smb2.c: messages of SMB2 and 3 ([MS-SMB2] 2.2), little-endian:
 * | fe S M B | 64 16 | charge 16 | status 32 | command 16 | credits 16 | flags 32 | next 32 | message 64 | process 32 |
 * tree 32, or of both an asynchronous number 64 | session 64 | signature 128 | size 16 | body |
 */
#include "token/app/dcerpc.h"
#include "token/app/smb.h"

#define MAGIC           UINT32_C(0xfe534d42)
#define BUFFER_OVERFLOW UINT32_C(0x80000005)
enum { RESPONSE = 1, SIGNED = 8, PRIORITY_BIT = 4, SIGNATURE = 16 };
enum {
    NEGOTIATE = 0,
    SETUP = 1,
    LOGOFF = 2,
    TREE = 3,
    LEAVE = 4,
    CREATE = 5,
    CLOSE = 6,
    COMMANDS = 19,
    ENUM_DIR = 0x10c,
    LOGOFF_1 = 0x74, /* of SMB1 */
    ANY_DIALECT = 0x2ff,
    SAMPLED_CREDITS = 20 /* up to 1023 */
};

#define Q(n)                          \
    {                                 \
        WSPI_SMB_QUIET, n, 0, 0, 0, 0 \
    }
#define R(n)                           \
    {                                  \
        WSPI_SMB_RANDOM, n, 0, 0, 0, 0 \
    }
#define W(f, n, want)                              \
    {                                              \
        WSPI_SMB_WANT, n, WSPI_SMB_##f, want, 0, 0 \
    }
#define T(f, n, from, count)                           \
    {                                                  \
        WSPI_SMB_TOLD, n, WSPI_SMB_##f, 0, from, count \
    }
#define A(f, n)                                  \
    {                                            \
        WSPI_SMB_AGAIN, n, WSPI_SMB_##f, 0, 0, 0 \
    }
#define P(n)                          \
    {                                 \
        WSPI_SMB_PLACE, n, 0, 0, 0, 0 \
    }
/* Samples: or one of these. */
#define OR(f, n, want, from, count)                       \
    {                                                     \
        WSPI_SMB_WANT, n, WSPI_SMB_##f, want, from, count \
    }
#define TOKEN(want)                           \
    {                                         \
        WSPI_SMB_TOKEN_SIZE, 2, 0, want, 0, 0 \
    }
#define INFO_CLASS                               \
    {                                            \
        WSPI_SMB_BIG, 2, WSPI_SMB_CLASS, 0, 0, 0 \
    }
#define SAME_SIZE                    \
    {                                \
        WSPI_SMB_COPY, 4, 0, 0, 0, 0 \
    }
#define FILE_ID Q(16)
#define TIMES   Q(32)
/* Samples: of 8 to 511 bytes; of 8 to 23 characters; of 4 to 31. */
#define DATA_SIZE T(SIZE, 4, 6, 12)

/* By command; requests, then responses ([MS-SMB2] 2.2.3 to 2.2.40). What has another size is opaque: breaks of leases, errors. */
static const wspi_smb_body request[COMMANDS] = {
    [NEGOTIATE] = {36,
                   WSPI_SMB_DIALECTS,
                   {T(SIZE, 2, 1, 3), OR(SECURITY, 2, 1, 2, 1), Q(2),
                    OR(CAPABILITIES, 4, 0x7f, 0, 1), R(16), Q(8)}},
    [SETUP] = {25,
               WSPI_SMB_TOKEN,
               {Q(1), OR(SECURITY, 1, 1, 2, 1), W(CAPABILITIES, 4, 1), Q(4), P(2), TOKEN(74),
                Q(8)}},
    [LOGOFF] = {4, WSPI_SMB_REST, {Q(2)}},
    [TREE] = {9, WSPI_SMB_PATH, {Q(2), P(2), T(SIZE, 2, 8, 3)}},
    [LEAVE] = {4, WSPI_SMB_REST, {Q(2)}},
    [CREATE] = {57,
                WSPI_SMB_FILE,
                {Q(22), T(ACCESS, 4, 0, 8), W(ATTRIBUTES, 4, 0), Q(4), T(DISPOSITION, 4, 0, 6),
                 T(OPTIONS, 4, 0, 8), P(2), T(SIZE, 2, 6, 6), Q(8)}},
    [CLOSE] = {24, WSPI_SMB_REST, {Q(6), FILE_ID}},
    [7] = {24, WSPI_SMB_REST, {Q(6), FILE_ID}},
    [8] = {49, WSPI_SMB_ONE, {Q(2), T(SIZE, 4, 6, 24), Q(8), FILE_ID, Q(16)}},
    [9] = {49, WSPI_SMB_DATA, {P(2), DATA_SIZE, Q(8), FILE_ID, Q(16)}},
    [10] = {48, WSPI_SMB_REST, {T(SIZE, 2, 1, 1), Q(4), FILE_ID}},
    [11] = {57, WSPI_SMB_DATA, {Q(2), T(CONTROL, 4, 0, 1), FILE_ID, P(4), DATA_SIZE, Q(24)}},
    [12] = {4, WSPI_SMB_REST, {Q(2)}},
    [13] = {4, WSPI_SMB_REST, {Q(2)}},
    [14] = {33, WSPI_SMB_FILE, {T(CLASS, 1, 0, 6), Q(5), FILE_ID, P(2), T(SIZE, 2, 6, 6), Q(4)}},
    [15] = {32, WSPI_SMB_REST, {Q(6), FILE_ID, Q(8)}},
    [16] = {41, WSPI_SMB_REST, {INFO_CLASS, DATA_SIZE, Q(16), FILE_ID}},
    [17] = {33, WSPI_SMB_DATA, {INFO_CLASS, DATA_SIZE, P(2), Q(6), FILE_ID}},
    [18] = {24, WSPI_SMB_REST, {Q(6), FILE_ID}},
};
static const wspi_smb_body response[COMMANDS] = {
    [NEGOTIATE] = {65,
                   WSPI_SMB_TOKEN,
                   {OR(SECURITY, 2, 1, 3, 1), T(DIALECT, 2, 0, 4), Q(2), R(16),
                    OR(CAPABILITIES, 4, 0x2f, 1, 6), T(SIZE, 4, 32, 15), SAME_SIZE, SAME_SIZE,
                    Q(16), P(2), TOKEN(120), Q(4)}},
    [SETUP] = {9, WSPI_SMB_TOKEN, {W(SECURITY, 2, 0), P(2), TOKEN(9)}},
    [LOGOFF] = {4, WSPI_SMB_REST, {Q(2)}},
    [TREE] = {16,
              WSPI_SMB_REST,
              {T(SHARE, 1, 0, 1), Q(5), W(CAPABILITIES, 4, 0), W(ACCESS, 4, 0x001f01ff)}},
    [LEAVE] = {4, WSPI_SMB_REST, {Q(2)}},
    [CREATE] = {89,
                WSPI_SMB_REST,
                {Q(2), T(DISPOSITION, 4, 0, 4), TIMES, Q(16), T(ATTRIBUTES, 4, 0, 4), Q(4), FILE_ID,
                 Q(8)}},
    [CLOSE] = {60, WSPI_SMB_REST, {Q(6), TIMES, Q(16), W(ATTRIBUTES, 4, 0)}},
    [7] = {4, WSPI_SMB_REST, {Q(2)}},
    [8] = {17, WSPI_SMB_DATA, {P(1), Q(1), DATA_SIZE, Q(8)}},
    [9] = {17, WSPI_SMB_REST, {Q(2), A(SIZE, 4), Q(8)}},
    [10] = {4, WSPI_SMB_REST, {Q(2)}},
    [11] = {49, WSPI_SMB_REST, {Q(2), A(CONTROL, 4), FILE_ID, Q(12), DATA_SIZE, Q(8)}},
    [12] = {4, WSPI_SMB_REST, {Q(2)}},
    [13] = {4, WSPI_SMB_REST, {Q(2)}},
    [14] = {9, WSPI_SMB_DATA, {P(2), DATA_SIZE}},
    [15] = {9, WSPI_SMB_DATA, {P(2), DATA_SIZE}},
    [16] = {9, WSPI_SMB_DATA, {P(2), DATA_SIZE}},
    [17] = {2, WSPI_SMB_REST, {Q(0)}},
    [18] = {24, WSPI_SMB_REST, {Q(6), FILE_ID}},
};
static const wspi_smb_body failure = {9, WSPI_SMB_ONE, {Q(6)}}; /* 2.2.2 */
static const wspi_smb_body unknown;

/* ---- samples ---- */

/* A session from negotiating to logging off, with files one after the other; rows of wspi_smb_command. */
enum { ROW_SETUP = 1, ROW_TREE, ROW_LOGOFF, ROW_LEAVE, ROW_CREATE, ROW_CLOSE };
enum { ON_FILE = 4, ON_SHARE = 2 }; /* close, read, write, flush; leave, create */

static void only_in_turn(wspi_coder *c)
{
    uint64_t mine = 0, theirs = 0, status = 0, kind = 0, dialect = 0;
    bool spoke = wspi_app_last(c, true, WSPI_SMB_KIND, &kind) && kind;

    (void)wspi_app_last(c, true, WSPI_SMB_COMMAND, &mine);
    (void)wspi_app_last(c, false, WSPI_SMB_COMMAND, &theirs);
    (void)wspi_app_last(c, false, WSPI_SMB_STATUS, &status);
    (void)wspi_app_last(c, false, WSPI_SMB_DIALECT, &dialect);
    if (c->dir == 1)
        wspi_app_only(c, wspi_row_of(wspi_smb_command, theirs), 1);
    else if (!spoke || (kind == WSPI_SMB_1 && dialect == ANY_DIALECT))
        wspi_app_only(c, 0, 1);
    else if (mine == NEGOTIATE || (mine == SETUP && status == WSPI_SMB_MORE_PROCESSING))
        wspi_app_only(c, ROW_SETUP, 1);
    else if (mine == SETUP)
        wspi_app_only(c, ROW_TREE, 1);
    else if (mine == LEAVE)
        wspi_app_only(c, ROW_LOGOFF, 1);
    else if (mine == TREE)
        wspi_app_only(c, ROW_CREATE, 1);
    else if (mine == CLOSE || (mine == CREATE && status))
        wspi_app_only(c, ROW_LEAVE, ON_SHARE);
    else
        wspi_app_only(c, ROW_CLOSE, ON_FILE);
}

bool wspi_smb_may_speak(const wsp_context *ctx, int dir)
{
    const wspi_app_state *s = &ctx->app;
    bool over = s->id[1] == WSPI_APP_SMB &&
                (s->v[1][WSPI_SMB_COMMAND] == LOGOFF || s->v[1][WSPI_SMB_COMMAND_1] == LOGOFF_1);

    return ctx->spoke != dir && !(over && dir == 0);
}

/* ---- the head ---- */

/* A request has the number after those that the last one was charged for; a response that of its request. */
static uint64_t next_message(const wspi_coder *c, bool answers, bool first, uint64_t charged)
{
    uint64_t v = 0;

    if (answers && wspi_app_last(c, false, WSPI_SMB_MESSAGE, &v))
        return v;
    return first ? 0 : c->app.v[c->dir][WSPI_SMB_MESSAGE] + (charged ? charged : 1);
}

/* The flags; the priority ([MS-SMB2] 2.2.1.2, of 3.1.1) is apart, as the last one's or that of what was asked. */
static uint64_t head_flags(wspi_coder *c)
{
    uint64_t v = wspi_smb_get(c, 4), *mine = c->app.v[c->dir], had = mine[WSPI_SMB_FLAGS] & SIGNED;
    uint64_t priority = v >> PRIORITY_BIT & 7, want = mine[WSPI_SMB_PRIORITY];

    if (c->dir == 1)
        (void)wspi_app_last(c, false, WSPI_SMB_PRIORITY, &want);
    v &= ~(UINT64_C(7) << PRIORITY_BIT);
    wspi_app_only(c, 0, 0);
    v = wspi_app_code(c, WSPI_SMB_FLAGS, true, had | (c->dir == 1 ? RESPONSE : 0), v);
    wspi_app_only(c, 0, 0);
    priority = wspi_app_code(c, WSPI_SMB_PRIORITY, true, want, priority);
    wspi_app_require(c, priority <= 7 && !(v >> PRIORITY_BIT & 7));
    wspi_smb_put(c, 4, v | priority << PRIORITY_BIT);
    return v;
}

/* Samples: a number in a session that SMB1 began is what it would be else. */
static void message_number(wspi_coder *c, bool answers, uint64_t want)
{
    uint64_t mine = 0, theirs = 0;

    (void)wspi_app_last(c, true, WSPI_SMB_KIND, &mine);
    (void)wspi_app_last(c, false, WSPI_SMB_KIND, &theirs);
    if (c->fill && (mine == WSPI_SMB_1 || (answers && theirs == WSPI_SMB_1)))
        wspi_smb_put(c, 8, wspi_app_either(c, WSPI_SMB_MESSAGE, true, want, !answers));
    else
        (void)wspi_smb_expect(c, WSPI_SMB_MESSAGE, 8, want);
}

/* What a session goes by: as before; a server's answer to `gives` may be the first to say it, samples draw it then. */
static void identifier(wspi_coder *c, unsigned f, uint64_t command, uint64_t gives)
{
    uint64_t had = c->app.v[c->dir][f], want = wspi_smb_as_before(c, f), kind = 0;

    (void)wspi_app_last(c, c->dir == 0, WSPI_SMB_KIND, &kind);
    if (c->fill && c->dir == 1 && command == gives && !had)
        wspi_smb_put(c, 8, wspi_app_either(c, f, true, want, wspi_rng_u64(&c->rng) | 1));
    else if (c->fill && kind == WSPI_SMB_1)
        wspi_smb_put(c, 8, wspi_app_either(c, f, true, want, 0));
    else
        (void)wspi_smb_expect(c, f, 8, want);
}

/* An answer to a first session setup asks for another one. */
static uint64_t usual_status(const wspi_coder *c, uint64_t command)
{
    uint64_t before = NEGOTIATE;

    (void)wspi_app_last(c, true, WSPI_SMB_COMMAND, &before);
    return c->dir == 1 && command == SETUP && before != SETUP ? WSPI_SMB_MORE_PROCESSING : 0;
}

/* Samples: any number but that of before; a server grants one at least. */
static void code_credits(wspi_coder *c, uint64_t want)
{
    unsigned least = c->dir == 1,
             had = wspi_bin(want, wspi_app_smb.proto.fields[WSPI_SMB_CREDITS].mantissa);

    wspi_app_only(c, least, SAMPLED_CREDITS - least);
    (void)wspi_dce_field(c, WSPI_SMB_CREDITS, 2, true, true, want);
    wspi_app_keep(c, WSPI_SMB_CREDITS, ~(UINT64_C(1) << had));
}

static uint64_t head(wspi_coder *c, uint64_t *flags)
{
    uint64_t magic = wspi_app_get(c, 4), size = wspi_smb_get(c, 2), charge = wspi_smb_get(c, 2);
    uint64_t status = wspi_smb_get(c, 4), command = wspi_smb_get(c, 2), next, v;
    uint64_t charged = c->app.v[c->dir][WSPI_SMB_CHARGE], credits;
    bool first = !wspi_app_last(c, true, WSPI_SMB_MESSAGE, &v);

    wspi_app_require(c, !c->enc || (magic == MAGIC && size == WSPI_SMB_HEAD_2));
    only_in_turn(c);
    if (c->spans)
        c->spans->newest = true; /* the command says most and so comes first */
    command = wspi_app_code(c, WSPI_SMB_COMMAND, false, 0, command);
    wspi_app_only(c, 1, charged || command == NEGOTIATE ? 0 : 1);
    charge = wspi_app_code(c, WSPI_SMB_CHARGE, true, charged, charge);
    wspi_app_only(c, 2, c->dir == 1 && command == CREATE ? 2 : 0);
    status = wspi_app_code(c, WSPI_SMB_STATUS, true, usual_status(c, command), status);
    wspi_app_put(c, 4, MAGIC);
    wspi_smb_put(c, 2, WSPI_SMB_HEAD_2);
    wspi_smb_put(c, 2, charge);
    wspi_smb_put(c, 4, status);
    wspi_smb_put(c, 2, command);
    credits = c->app.v[c->dir][WSPI_SMB_CREDITS];
    code_credits(c, credits ? credits : 1);
    *flags = head_flags(c);
    next = wspi_smb_expect(c, WSPI_SMB_NEXT, 4, 0);
    message_number(c, *flags & RESPONSE, next_message(c, *flags & RESPONSE, first, charged));
    identifier(c, WSPI_SMB_TREE, command, TREE);
    identifier(c, WSPI_SMB_SESSION, command, SETUP);
    wspi_smb_quiet(c, SIGNATURE);
    return next;
}

/* ---- bodies ---- */

static bool has_failed(uint64_t status)
{
    return status && status != WSPI_SMB_MORE_PROCESSING && status != BUFFER_OVERFLOW &&
           status != ENUM_DIR;
}

/* Of a size that is told: the expected body, or what it is else. */
static void body(wspi_coder *c, const wspi_smb_message *m, bool answers)
{
    uint64_t command = c->app.v[c->dir][WSPI_SMB_COMMAND], size;
    const wspi_smb_body *usual = command >= COMMANDS ? &unknown
                                 : answers           ? &response[command]
                                                     : &request[command];
    bool failed = answers && has_failed(c->app.v[c->dir][WSPI_SMB_STATUS]);
    const wspi_smb_body *b = failed ? &failure : usual;

    if (!wspi_smb_here(c, m, 2))
        return;
    size = wspi_smb_expect(c, WSPI_SMB_BODY, 2, b->size);
    if (size != b->size)
        b = failed ? usual : &failure;
    if (size == b->size && (b != &failure || answers) && wspi_smb_items(c, m, b))
        wspi_smb_tail(c, m, b);
}

uint64_t wspi_smb_message_2(wspi_coder *c, const wspi_smb_message *m)
{
    wspi_smb_message own = *m;
    uint64_t flags = 0, next;

    wspi_app_require(c, wspi_smb_here(c, m, WSPI_SMB_HEAD_2));
    if (wspi_app_stopped(c))
        return 0;
    next = head(c, &flags);
    if (next < WSPI_SMB_HEAD_2 || next >= m->end - m->start)
        next = 0;
    else
        own.end = m->start + (size_t)next;
    body(c, &own, flags & RESPONSE);
    return next;
}
