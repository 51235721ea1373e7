/* SPDX-License-Identifier: Apache-2.0 */
/*
 * smb1.c: messages of SMB1 ([MS-CIFS] 2.2.3, [MS-SMB] 2.2.4), little-endian:
 * | ff S M B | command 8 | status 32 | flags 8 | flags 16 | process 16 | signature 64 | 0 16 | tree 16 | process 16 | user 16 |
 * multiplex 16 | words 8 | words x 16 | bytes 16 | bytes |
 * Words have fields where the commands below have them; a request that goes with another one (AndX) is opaque. What samples
 * have is in smb1_samples.c.
 */
#include "token/app/dcerpc.h"
#include "token/app/smb.h"

#define MAGIC UINT32_C(0xff534d42)
enum { RESPONSE = 0x800000 };
enum {
    NEGOTIATE = 0x72,
    SETUP = 0x73,
    CREATE = 0xa2,
    TRANS = 0x25,
    TRANS2 = 0x32,
    READ = 0x2e,
    WRITE = 0x2f
};
enum { OF_PIPES = 0x100, SETUP_WORD = 28 };

#define Q(n)                          \
    {                                 \
        WSPI_SMB_QUIET, n, 0, 0, 0, 0 \
    }
#define T(f, n, from, count)                           \
    {                                                  \
        WSPI_SMB_TOLD, n, WSPI_SMB_##f, 0, from, count \
    }
#define KNOWN_SIZE                                \
    {                                             \
        WSPI_SMB_KNOWN, 2, WSPI_SMB_SIZE, 0, 0, 0 \
    }
/* Samples: of 8 to 511 bytes; a request for that many or more. */
#define DATA_SIZE T(SIZE, 2, 6, 12)
#define ROOM_SIZE T(SIZE, 2, 18, 12)
#define W(f, n, want)                              \
    {                                              \
        WSPI_SMB_WANT, n, WSPI_SMB_##f, want, 0, 0 \
    }
static const struct {
    uint8_t command;
    bool answers;
    wspi_smb_body body;
} bodies[] = {
    {NEGOTIATE, false, {0, WSPI_SMB_TEXTS, {Q(0)}}},
    {NEGOTIATE,
     true,
     {17,
      WSPI_SMB_REST,
      {KNOWN_SIZE, W(SECURITY, 1, 3), Q(16), T(CAPABILITIES, 4, 13, 10), Q(11)}}},
    {SETUP, false, {13, WSPI_SMB_REST, {Q(22), T(CAPABILITIES, 4, 11, 2)}}},
    {SETUP, false, {12, WSPI_SMB_TOKEN, {Q(14), KNOWN_SIZE, Q(4), T(CAPABILITIES, 4, 17, 3)}}},
    {SETUP, true, {4, WSPI_SMB_TOKEN, {Q(6), KNOWN_SIZE}}},
    {CREATE,
     false,
     {24,
      WSPI_SMB_REST,
      {Q(15), T(ACCESS, 4, 0, 8), Q(8), W(ATTRIBUTES, 4, 0), Q(4), T(DISPOSITION, 4, 0, 6),
       T(OPTIONS, 4, 0, 8), Q(5)}}},
    {CREATE,
     true,
     {34, WSPI_SMB_REST, {Q(7), T(DISPOSITION, 4, 0, 4), Q(32), T(ATTRIBUTES, 4, 0, 4), Q(21)}}},
    {CREATE,
     true,
     {42, WSPI_SMB_REST, {Q(7), T(DISPOSITION, 4, 0, 4), Q(32), T(ATTRIBUTES, 4, 0, 4), Q(37)}}},
    {TRANS2, false, {15, WSPI_SMB_REST, {Q(SETUP_WORD), T(SUB, 2, 0, 0)}}},
    {READ, false, {12, WSPI_SMB_REST, {Q(10), ROOM_SIZE, Q(12)}}},
    {READ, false, {10, WSPI_SMB_REST, {Q(10), ROOM_SIZE, Q(8)}}},
    {READ, true, {12, WSPI_SMB_REST, {Q(10), DATA_SIZE, Q(12)}}},
    {WRITE, false, {14, WSPI_SMB_REST, {Q(20), DATA_SIZE, Q(6)}}},
    {WRITE, false, {12, WSPI_SMB_REST, {Q(20), DATA_SIZE, Q(2)}}},
};

static const wspi_smb_body *body_of(uint64_t command, bool answers, uint64_t words)
{
    for (size_t k = 0; k < WSPI_COUNT(bodies); k++)
        if (bodies[k].command == command && bodies[k].answers == answers &&
            bodies[k].body.size == words)
            return &bodies[k].body;
    return NULL;
}

/* The subcommand of a transaction on a pipe: the first of its words of setup. */
static void transaction(wspi_coder *c)
{
    uint64_t v;

    wspi_smb_quiet(c, SETUP_WORD);
    v = wspi_app_code(c, WSPI_SMB_SUB, false, 0, OF_PIPES + wspi_smb_get(c, 2));
    wspi_app_require(c, v >= OF_PIPES && v - OF_PIPES <= UINT16_MAX);
    wspi_smb_put(c, 2, v - OF_PIPES);
}

static void words_and_bytes(wspi_coder *c, const wspi_smb_message *m, bool answers)
{
    uint64_t command = c->app.v[c->dir][WSPI_SMB_COMMAND_1], words;
    const wspi_smb_body *b;
    size_t start, end;

    if (!wspi_smb_here(c, m, 1))
        return;
    words = c->fill ? wspi_smb1_words(c) : wspi_app_field(c, WSPI_SMB_BODY, 1, false, 0);
    start = c->pay.at;
    end = start + 2 * (size_t)words;
    if (words > UINT8_MAX || !wspi_smb_here(c, m, 2 * (size_t)words + 2))
        return;
    b = body_of(command, answers, words);
    if (b && !wspi_smb_items(c, m, b))
        return;
    if (command == TRANS && !answers && 2 * words > SETUP_WORD)
        transaction(c);
    if (!wspi_app_stopped(c))
        wspi_smb_quiet(c, end - c->pay.at);
    (void)wspi_smb_expect(c, WSPI_SMB_NEXT, 2, m->end - c->pay.at - 2);
    if (b)
        wspi_smb_tail(c, m, b);
    if (c->fill)
        wspi_smb1_bytes(c, m, start, end + 2);
}

/* What a sample is about: the command, and whether an answer has a status that is not success. */
static void sampled_turn(wspi_coder *c)
{
    unsigned refusals;

    (void)wspi_app_code(c, WSPI_SMB_COMMAND_1, false, 0, 0);
    wspi_app_keep(c, WSPI_SMB_COMMAND_1, wspi_smb1_commands(c));
    if (wspi_app_stopped(c))
        return;
    if (wspi_smb1_status(c, &refusals)) {
        wspi_app_only(c, WSPI_SMB_GOES_ON, 1);
        (void)wspi_app_code(c, WSPI_SMB_STATUS, false, 0, 0);
        return;
    }
    wspi_app_only(c, WSPI_SMB_REFUSED, refusals);
    (void)wspi_app_code(c, WSPI_SMB_STATUS, true, 0, 0);
}

static void sampled_message(wspi_coder *c, const wspi_smb_message *m)
{
    uint64_t *v = c->app.v[c->dir];

    sampled_turn(c);
    wspi_app_put(c, 4, MAGIC);
    wspi_app_put(c, 1, v[WSPI_SMB_COMMAND_1]);
    wspi_smb_put(c, 4, v[WSPI_SMB_STATUS]);
    wspi_app_put(
        c, 3, wspi_app_either(c, WSPI_SMB_FLAGS_1, true, v[WSPI_SMB_FLAGS_1], wspi_smb1_flags(c)));
    wspi_smb_quiet(c, 12);
    wspi_smb_put(c, 2, wspi_smb1_tree(c));
    wspi_smb_quiet(c, 2);
    wspi_smb_put(c, 2, wspi_smb1_session(c));
    wspi_smb_put(c, 2, wspi_smb1_multiplex(c));
    if (!wspi_app_stopped(c))
        words_and_bytes(c, m, c->dir == 1);
}

void wspi_smb_message_1(wspi_coder *c, const wspi_smb_message *m)
{
    uint64_t magic, command, status, flags;

    if (c->fill) {
        sampled_message(c, m);
        return;
    }
    wspi_app_require(c, wspi_smb_here(c, m, WSPI_SMB_HEAD_1));
    magic = wspi_app_get(c, 4);
    command = wspi_app_get(c, 1);
    status = wspi_smb_get(c, 4);
    wspi_app_require(c, !c->enc || magic == MAGIC);
    command = wspi_app_code(c, WSPI_SMB_COMMAND_1, false, 0, command);
    status = wspi_app_code(c, WSPI_SMB_STATUS, true, 0, status);
    wspi_app_put(c, 4, MAGIC);
    wspi_app_put(c, 1, command);
    wspi_smb_put(c, 4, status);
    flags = wspi_app_field(c, WSPI_SMB_FLAGS_1, 3, true, c->app.v[c->dir][WSPI_SMB_FLAGS_1]);
    wspi_smb_quiet(c, 12); /* process, signature, reserved */
    (void)wspi_smb_expect(c, WSPI_SMB_TREE, 2, wspi_smb_as_before(c, WSPI_SMB_TREE));
    wspi_smb_quiet(c, 2); /* process */
    (void)wspi_smb_expect(c, WSPI_SMB_SESSION, 2, wspi_smb_as_before(c, WSPI_SMB_SESSION));
    (void)wspi_smb_expect(c, WSPI_SMB_MESSAGE, 2, wspi_smb_as_before(c, WSPI_SMB_MESSAGE));
    if (!wspi_app_stopped(c))
        words_and_bytes(c, m, flags & RESPONSE);
}
