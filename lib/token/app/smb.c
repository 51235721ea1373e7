/* SPDX-License-Identifier: Apache-2.0 */
/*
 * smb.c: the session service of NetBIOS (RFC 1002 4.3), which is also the direct TCP transport of [MS-SMB2] 2.1, and the
 * heads of SMB2 ([MS-SMB2] 2.2.1), little-endian: | type 8 | length 24 | message |, message:
 * | fe S M B | 64 16 | charge 16 | status 32 | command 16 | credits 16 | flags 32 | next 32 | message 64 | process 32 |
 * tree 32, or of both an asynchronous number 64 | session 64 | signature 128 | body |
 * Of SMB1 the head ([MS-CIFS] 2.2.3.1). Bodies, encrypted messages and names of sessions are opaque; so is DCE/RPC in pipes.
 */
#include "token/app/dcerpc.h"

enum {
    TYPE,
    LENGTH,
    KIND,
    COMMAND,
    CHARGE,
    STATUS,
    CREDITS,
    FLAGS,
    PRIORITY,
    NEXT,
    MESSAGE,
    ASYNC,
    SESSION,
    COMMAND_1,
    FLAGS_1,
    USER,
    MULTIPLEX
};
enum {
    HEAD = 4,
    HEAD_1 = 32,
    HEAD_2 = 64,
    SIGNATURE = 16,
    RESPONSE = 1,
    SIGNED = 8,
    PRIORITY_BIT = 4,
    MAX_MESSAGES = 16,
    MAX_LENGTH = 0xffffff
};

static const wspi_value type[] = {{0x00, "message"},  {0x81, "request"},  {0x82, "positive"},
                                  {0x83, "negative"}, {0x84, "retarget"}, {0x85, "keep-alive"},
                                  {0, NULL}};
enum { OTHER, SMB1, SMB2, ENCRYPTED, COMPRESSED };
static const wspi_value kind[] = {
    {OTHER, "opaque"},          {SMB1, "smb1"}, {SMB2, "smb2"}, {ENCRYPTED, "encrypted"},
    {COMPRESSED, "compressed"}, {0, NULL}};
/* [MS-SMB2] 2.2.1.2 */
static const wspi_value command[] = {{0, "negotiate"},
                                     {1, "session-setup"},
                                     {2, "logoff"},
                                     {3, "tree-connect"},
                                     {4, "tree-disconnect"},
                                     {5, "create"},
                                     {6, "close"},
                                     {7, "flush"},
                                     {8, "read"},
                                     {9, "write"},
                                     {10, "lock"},
                                     {11, "ioctl"},
                                     {12, "cancel"},
                                     {13, "echo"},
                                     {14, "query-dir"},
                                     {15, "change-notify"},
                                     {16, "query-info"},
                                     {17, "set-info"},
                                     {18, "oplock-break"},
                                     {0, NULL}};
/* [MS-ERREF] 2.3.1, those of [MS-SMB2] 3.3.4.4 and what servers say most. */
static const wspi_value status[] = {{0, "success"},
                                    {0x00000103, "pending"},
                                    {0x0000010c, "notify-enum-dir"},
                                    {0x80000005, "buffer-overflow"},
                                    {0x80000006, "no-more-files"},
                                    {0xc000000d, "invalid-parameter"},
                                    {0xc000000f, "no-such-file"},
                                    {0xc0000010, "invalid-request"},
                                    {0xc0000011, "end-of-file"},
                                    {0xc0000016, "more-processing"},
                                    {0xc0000022, "access-denied"},
                                    {0xc0000034, "name-not-found"},
                                    {0xc0000035, "name-collision"},
                                    {0xc000003a, "path-not-found"},
                                    {0xc0000043, "sharing-violation"},
                                    {0xc000006d, "logon-failure"},
                                    {0xc00000bb, "not-supported"},
                                    {0xc00000cc, "bad-share"},
                                    {0xc0000120, "cancelled"},
                                    {0xc0000128, "file-closed"},
                                    {0xc0000203, "session-deleted"},
                                    {0xc0000225, "not-found"},
                                    {0, NULL}};
/* [MS-SMB2] 2.2.1.2: response 1, asynchronous 2, related 4, signed 8. */
static const wspi_value flags[] = {{0, "request"},
                                   {1, "response"},
                                   {3, "response-async"},
                                   {4, "related"},
                                   {5, "response-related"},
                                   {8, "signed"},
                                   {9, "response-signed"},
                                   {11, "response-async-signed"},
                                   {12, "related-signed"},
                                   {13, "response-related-signed"},
                                   {2, "async"},
                                   {10, "async-signed"},
                                   {0, NULL}};

/* [MS-CIFS] 2.2.2.1 */
static const wspi_value command_1[] = {{0x72, "negotiate"},    {0x73, "session-setup"},
                                       {0x75, "tree-connect"}, {0xa2, "nt-create"},
                                       {0x25, "trans"},        {0x32, "trans2"},
                                       {0x2e, "read"},         {0x2f, "write"},
                                       {0x04, "close"},        {0x71, "tree-disconnect"},
                                       {0x74, "logoff"},       {0x2b, "echo"},
                                       {0xa0, "nt-trans"},     {0x26, "trans-more"},
                                       {0x33, "trans2-more"},  {0xa1, "nt-trans-more"},
                                       {0x24, "lock"},         {0x34, "find-close"},
                                       {0xa4, "nt-cancel"},    {0x06, "delete"},
                                       {0x07, "rename"},       {0, NULL}};

#define ENUM(name, width, list)                                            \
    {                                                                      \
        name, 0, width, WSPI_K_ENUM, WSPI_P_CONST, WSPI_R_NONE, 0, list, 0 \
    }
#define MAG(name, width, mantissa)                                               \
    {                                                                            \
        name, 0, width, WSPI_K_MAG, WSPI_P_CONST, WSPI_R_NONE, 0, NULL, mantissa \
    }
#define FREE(name, predictor)                                          \
    {                                                                  \
        name, 0, 64, WSPI_K_FREE, predictor, WSPI_R_NUMBER, 0, NULL, 0 \
    }
static const wspi_field fields[] = {
    [TYPE] = ENUM("smb.type", 8, type),
    [LENGTH] = MAG("smb.length", 24, 1),
    [KIND] = ENUM("smb.kind", 8, kind),
    [COMMAND] = ENUM("smb.command", 16, command),
    [CHARGE] = MAG("smb.charge", 16, 0),
    [STATUS] = ENUM("smb.status", 32, status),
    [CREDITS] = MAG("smb.credits", 16, 1),
    [FLAGS] = ENUM("smb.flags", 32, flags),
    [PRIORITY] = MAG("smb.priority", 3, 3),
    [NEXT] = MAG("smb.next", 32, 1),
    [MESSAGE] = FREE("smb.message", WSPI_P_COUNT),
    [ASYNC] = FREE("smb.tree", WSPI_P_PREV),
    [SESSION] = FREE("smb.session", WSPI_P_PREV),
    [COMMAND_1] = ENUM("smb.command-1", 8, command_1),
    [FLAGS_1] = {"smb.flags-1", 0, 24, WSPI_K_FREE, WSPI_P_PREV, WSPI_R_NONE, 0, NULL, 0},
    [USER] = FREE("smb.user", WSPI_P_PREV),
    [MULTIPLEX] = FREE("smb.multiplex", WSPI_P_COUNT),
};

static bool stopped(const wspi_coder *c)
{
    return c->bad || c->need || c->pay.fail;
}

static bool is_smb(const uint8_t *b)
{
    return b[0] >= 0xfc && b[1] == 'S' && b[2] == 'M' && b[3] == 'B';
}

/* A message of SMB, or a control message of a session with the length that it has. */
static bool looks(const uint8_t *b, size_t n)
{
    if (n < HEAD)
        return false;
    if (b[0] == 0)
        return n >= HEAD + 4 && is_smb(b + HEAD);
    if (b[1])
        return false;
    return (b[0] == 0x81 && b[2] == 0 && b[3] == 68) ||
           ((b[0] == 0x82 || b[0] == 0x85) && b[2] == 0 && b[3] == 0 && n == HEAD) ||
           (b[0] == 0x83 && b[2] == 0 && b[3] == 1 && n == HEAD + 1);
}

/* What the peer had last, or else this direction. */
static uint64_t as_before(const wspi_coder *c, unsigned f)
{
    uint64_t v = 0;

    if (!wspi_app_last(c, false, f, &v) || v == 0)
        v = c->app.v[c->dir][f];
    return v;
}

static uint64_t number(wspi_coder *c, unsigned f, size_t n, uint64_t want)
{
    return wspi_dce_field(c, f, n, true, true, want);
}

/* A request has the number after those that the last one was charged for; a response that of its request. */
static uint64_t next_message(const wspi_coder *c, bool response, bool first, uint64_t charged)
{
    uint64_t v = 0;

    if (response && wspi_app_last(c, false, MESSAGE, &v))
        return v;
    return first ? 0 : c->app.v[c->dir][MESSAGE] + (charged ? charged : 1);
}

/* The flags; the priority ([MS-SMB2] 2.2.1.2, of 3.1.1) is apart, as the last one's or that of what was asked. */
static uint64_t head_flags(wspi_coder *c)
{
    uint64_t v = wspi_dce_get(c, 4, true), had = c->app.v[c->dir][FLAGS] & SIGNED;
    uint64_t priority = v >> PRIORITY_BIT & 7, want = c->app.v[c->dir][PRIORITY];

    if (c->dir == 1)
        (void)wspi_app_last(c, false, PRIORITY, &want);
    v &= ~(UINT64_C(7) << PRIORITY_BIT);
    v = wspi_app_code(c, FLAGS, true, had | (c->dir == 1 ? RESPONSE : 0), v);
    priority = wspi_app_code(c, PRIORITY, true, want, priority);
    wspi_app_require(c, priority <= 7 && !(v >> PRIORITY_BIT & 7));
    wspi_dce_put(c, 4, true, v | priority << PRIORITY_BIT);
    return v;
}

/* The head of SMB2; returns how far it is to the next one of a compound. */
static uint64_t head_2(wspi_coder *c)
{
    uint64_t magic = wspi_app_get(c, 4), size = wspi_dce_get(c, 2, true);
    uint64_t charge = wspi_dce_get(c, 2, true), state = wspi_dce_get(c, 4, true);
    uint64_t is = wspi_dce_get(c, 2, true), charged = c->app.v[c->dir][CHARGE], next, v;
    bool first = !wspi_app_last(c, true, MESSAGE, &v);

    wspi_app_require(c, !c->enc || (magic == 0xfe534d42 && size == HEAD_2));
    is = wspi_app_code(c, COMMAND, false, 0, is);
    charge = wspi_app_code(c, CHARGE, true, charged, charge);
    state = wspi_app_code(c, STATUS, true, 0, state);
    wspi_app_put(c, 4, 0xfe534d42);
    wspi_dce_put(c, 2, true, HEAD_2);
    wspi_dce_put(c, 2, true, charge);
    wspi_dce_put(c, 4, true, state);
    wspi_dce_put(c, 2, true, is);
    (void)number(c, CREDITS, 2, c->app.v[c->dir][CREDITS]);
    v = head_flags(c);
    next = number(c, NEXT, 4, 0);
    (void)number(c, MESSAGE, 8, next_message(c, v & RESPONSE, first, charged));
    (void)number(c, ASYNC, 8, as_before(c, ASYNC));
    (void)number(c, SESSION, 8, as_before(c, SESSION));
    wspi_app_opaque(c, SIGNATURE);
    return next;
}

/* The head of SMB1 ([MS-CIFS] 2.2.3.1). */
static void head_1(wspi_coder *c)
{
    uint64_t magic = wspi_app_get(c, 4), is = wspi_app_get(c, 1), state = wspi_dce_get(c, 4, true);

    wspi_app_require(c, !c->enc || magic == 0xff534d42);
    is = wspi_app_code(c, COMMAND_1, false, 0, is);
    state = wspi_app_code(c, STATUS, true, 0, state);
    wspi_app_put(c, 4, 0xff534d42);
    wspi_app_put(c, 1, is);
    wspi_dce_put(c, 4, true, state);
    (void)wspi_app_field(c, FLAGS_1, 3, true, c->app.v[c->dir][FLAGS_1]);
    wspi_app_opaque(c, 12); /* process, signature, reserved */
    (void)number(c, ASYNC, 2, as_before(c, ASYNC));
    wspi_app_opaque(c, 2); /* process */
    (void)number(c, USER, 2, as_before(c, USER));
    (void)number(c, MULTIPLEX, 2, as_before(c, MULTIPLEX));
}

/* Up to `end`, as far as the segment goes. */
static void opaque_to(wspi_coder *c, size_t end)
{
    if (!stopped(c) && end > c->pay.at)
        wspi_app_opaque(c, WSPI_MIN(end - c->pay.at, wspi_app_left(c)));
}

/* Encoding: what is next, if its head is all there. */
static uint64_t kind_ahead(const wspi_coder *c, size_t end)
{
    const uint8_t *b = c->pay.in + c->pay.at;
    size_t n = end - c->pay.at;
    static const uint8_t kinds[] = {COMPRESSED, ENCRYPTED, SMB2, SMB1};

    n = WSPI_MIN(n, wspi_app_captured(c));
    if (n < 4 || !is_smb(b))
        return OTHER;
    if (b[0] == 0xfe && (n < HEAD_2 || b[4] != HEAD_2 || b[5]))
        return OTHER;
    if (b[0] == 0xff && n < HEAD_1)
        return OTHER;
    return kinds[b[0] - 0xfc];
}

/* One message, or several in a compound, up to `end`. */
static void messages(wspi_coder *c, size_t end)
{
    uint64_t next = HEAD_2;

    for (int i = 0; i < MAX_MESSAGES && next >= HEAD_2 && !stopped(c); i++) {
        size_t start = c->pay.at;
        uint64_t is =
            wspi_app_code(c, KIND, false, 0, c->enc && end > start ? kind_ahead(c, end) : OTHER);

        if (is == SMB1 && !stopped(c)) {
            wspi_app_require(c, end >= start + HEAD_1 && wspi_app_captured(c) >= HEAD_1);
            if (!stopped(c))
                head_1(c);
        }
        if (is != SMB2 || stopped(c))
            return;
        wspi_app_require(c, end >= start + HEAD_2 && wspi_app_captured(c) >= HEAD_2);
        if (stopped(c))
            return;
        next = head_2(c);
        if (next >= HEAD_2 && next < end - start)
            opaque_to(c, start + (size_t)next);
        else
            return;
    }
}

/* A message whose type has been coded. */
static void one(wspi_coder *c, uint64_t is)
{
    size_t left, end;

    wspi_app_require(c, is <= UINT8_MAX && (!c->enc || wspi_app_captured(c) >= HEAD));
    (void)wspi_app_get(c, 1);
    wspi_app_put(c, 1, is);
    left = wspi_app_left(c);
    left = left > 3 ? WSPI_MIN(left - 3, (size_t)MAX_LENGTH) : 0;
    end = (size_t)wspi_app_field(c, LENGTH, 3, true, left);
    if (stopped(c))
        return;
    end += c->pay.at;
    if (is == 0)
        messages(c, end);
    opaque_to(c, end);
    if (!stopped(c) && end > c->pay.at)
        c->app.left[c->dir] = (uint32_t)(end - c->pay.at);
}

static void walk(wspi_coder *c)
{
    uint32_t *left = &c->app.left[c->dir];
    uint32_t n = (uint32_t)WSPI_MIN(*left, wspi_app_left(c));

    *left -= n;
    wspi_app_opaque(c, n);
    for (int i = 0; i < MAX_MESSAGES && !stopped(c) && *left == 0; i++) {
        bool there = c->enc && looks(c->pay.in + c->pay.at, wspi_app_captured(c));
        uint64_t is = there ? c->pay.in[c->pay.at] : 0;

        if (n == 0 && i == 0) {
            wspi_app_require(c, !c->enc || there);
            is = wspi_app_code(c, TYPE, false, 0, is);
        } else if (!wspi_app_next(c, TYPE, there, &is)) {
            return;
        }
        one(c, is);
    }
}

/* Samples have none: bodies are not made up yet. */
const wspi_app wspi_app_smb = {
    .proto = {.name = "smb", .fields = fields, .n_fields = WSPI_COUNT(fields)},
    .over = WSPI_OVER_TCP,
    .looks = looks,
    .walk = walk,
    .ports_only = true,
};
