/* SPDX-License-Identifier: Apache-2.0 */
/*
 * smb.c: the session service of NetBIOS (RFC 1002 4.3), which is also the direct TCP transport of [MS-SMB2] 2.1:
 * | type 8 | length 24 | message |, several in a segment, or one in several. Messages are of SMB1 (smb1.c), of SMB2, which may
 * have others behind them (smb2.c), or encrypted or compressed and so opaque, as are names of sessions and what is said in pipes.
 */
#include "token/app/smb.h"

#include "token/app/dcerpc.h"

enum { HEAD = 4, MAX_MESSAGES = 16, MAX_LENGTH = 0xffffff, FAR = SIZE_MAX / 2 };
enum { MESSAGE, REQUEST, POSITIVE }; /* rows of wspi_smb_type */
enum { REQUESTED = 0x81, SESSION_PORT = 139, NAME = 34 };

static const wspi_field fields[WSPI_SMB_FIELDS] = {
    [WSPI_SMB_TYPE] = {WSPI_ENUM("smb.type", 8, wspi_smb_type)},
    [WSPI_SMB_LENGTH] = {WSPI_MAG("smb.length", 24, WSPI_R_NONE, 1)},
    [WSPI_SMB_KIND] = {WSPI_ENUM("smb.kind", 8, wspi_smb_kind)},
    [WSPI_SMB_COMMAND] = {WSPI_ENUM("smb.command", 16, wspi_smb_command)},
    [WSPI_SMB_CHARGE] = {WSPI_MAG("smb.charge", 16, WSPI_R_NONE, 0)},
    [WSPI_SMB_STATUS] = {WSPI_ENUM("smb.status", 32, wspi_smb_status)},
    [WSPI_SMB_CREDITS] = {WSPI_MAG("smb.credits", 16, WSPI_R_NONE, 1)},
    [WSPI_SMB_FLAGS] = {WSPI_ENUM("smb.flags", 32, wspi_smb_flags)},
    [WSPI_SMB_PRIORITY] = {WSPI_MAG("smb.priority", 3, WSPI_R_NONE, 3)},
    [WSPI_SMB_NEXT] = {WSPI_MAG("smb.next", 32, WSPI_R_NONE, 1)},
    [WSPI_SMB_MESSAGE] = {WSPI_FREE("smb.message", 64, WSPI_P_COUNT, WSPI_R_NUMBER)},
    [WSPI_SMB_TREE] = {WSPI_FREE("smb.tree", 64, WSPI_P_PREV, WSPI_R_NUMBER)},
    [WSPI_SMB_SESSION] = {WSPI_FREE("smb.session", 64, WSPI_P_PREV, WSPI_R_NUMBER)},
    [WSPI_SMB_COMMAND_1] = {WSPI_ENUM("smb.command-1", 8, wspi_smb_command_1)},
    [WSPI_SMB_FLAGS_1] = {WSPI_FREE("smb.flags-1", 24, WSPI_P_PREV, WSPI_R_NONE)},
    [WSPI_SMB_BODY] = {WSPI_MAG("smb.body", 16, WSPI_R_NONE, 2)},
    [WSPI_SMB_DIALECT] = {WSPI_ENUM("smb.dialect", 16, wspi_smb_dialect)},
    [WSPI_SMB_DIALECT_1] = {WSPI_ENUM("smb.dialect-1", 8, wspi_smb_dialect_1)},
    [WSPI_SMB_SECURITY] = {WSPI_ENUM("smb.security", 16, wspi_smb_security)},
    [WSPI_SMB_CAPABILITIES] = {WSPI_ENUM("smb.capabilities", 32, wspi_smb_capabilities)},
    [WSPI_SMB_SIZE] = {WSPI_MAG("smb.size", 32, WSPI_R_NONE, 1)},
    [WSPI_SMB_OFFSET] = {WSPI_FREE("smb.offset", 32, WSPI_P_CONST, WSPI_R_NONE)},
    [WSPI_SMB_ACCESS] = {WSPI_ENUM("smb.access", 32, wspi_smb_access)},
    [WSPI_SMB_ATTRIBUTES] = {WSPI_ENUM("smb.attributes", 32, wspi_smb_attributes)},
    [WSPI_SMB_DISPOSITION] = {WSPI_ENUM("smb.disposition", 32, wspi_smb_disposition)},
    [WSPI_SMB_OPTIONS] = {WSPI_ENUM("smb.options", 32, wspi_smb_options)},
    [WSPI_SMB_CLASS] = {WSPI_ENUM("smb.class", 16, wspi_smb_class)},
    [WSPI_SMB_CONTROL] = {WSPI_ENUM("smb.control", 32, wspi_smb_control)},
    [WSPI_SMB_SHARE] = {WSPI_ENUM("smb.share", 8, wspi_smb_share)},
    [WSPI_SMB_NAME] = {WSPI_ENUM("smb.name", 8, wspi_smb_name)},
    [WSPI_SMB_BLOB] = {WSPI_ENUM("smb.token", 8, wspi_smb_blob)},
    [WSPI_SMB_SUB] = {WSPI_ENUM("smb.sub", 17, wspi_smb_sub)},
};

#define CHANGES(f) UINT64_C(1) << WSPI_SMB_##f

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

/* Up to `end`, as far as the segment goes. */
static void opaque_to(wspi_coder *c, size_t end)
{
    if (!wspi_app_stopped(c) && end > c->pay.at)
        wspi_app_opaque(c, WSPI_MIN(end - c->pay.at, wspi_app_left(c)));
}

/* Encoding: what is next, if its head is all there. */
static uint64_t kind_ahead(const wspi_coder *c, size_t end)
{
    static const uint8_t kinds[] = {WSPI_SMB_COMPRESSED, WSPI_SMB_ENCRYPTED, WSPI_SMB_2,
                                    WSPI_SMB_1};
    const uint8_t *b = c->pay.in + c->pay.at;
    size_t n = WSPI_MIN(end - c->pay.at, wspi_app_captured(c));

    if (n < 4 || !is_smb(b))
        return WSPI_SMB_OPAQUE;
    if (b[0] == 0xfe && (n < WSPI_SMB_HEAD_2 || b[4] != WSPI_SMB_HEAD_2 || b[5]))
        return WSPI_SMB_OPAQUE;
    if (b[0] == 0xff && n < WSPI_SMB_HEAD_1)
        return WSPI_SMB_OPAQUE;
    return kinds[b[0] - 0xfc];
}

/*
 * Samples: a client begins with SMB1 or SMB2; a server answers SMB1 with SMB2 if that was among the dialects ([MS-SMB2] 3.3.5.3),
 * and the client goes on with it. A server that was asked nothing has SMB2. `had`: what is predicted, if that is `known`.
 */
static uint64_t sampled_kind(wspi_coder *c, bool known, uint64_t had)
{
    uint64_t mine, theirs, is;
    unsigned others = 0;

    mine = wspi_app_last(c, true, WSPI_SMB_KIND, &mine) ? mine : 0;
    theirs = wspi_app_last(c, false, WSPI_SMB_KIND, &theirs) ? theirs : 0;
    is = theirs ? theirs : mine ? mine : c->dir == 0 ? WSPI_SMB_1 : WSPI_SMB_2;
    if (!theirs && !mine)
        others = c->dir == 0;
    else if (c->dir == 1 && !mine && theirs == WSPI_SMB_1)
        others = c->ctx->app.v[0][WSPI_SMB_DIALECT_1] >= WSPI_SMB_HAS_2;
    known = known && had == is;
    wspi_app_only(c, (unsigned)is + known, 1 + others - known);
    return wspi_app_code(c, WSPI_SMB_KIND, known, had, 0);
}

/* As the direction's last one was, or else the peer's. */
static uint64_t kind(wspi_coder *c, size_t end)
{
    uint64_t is = WSPI_SMB_OPAQUE, had = 0;
    bool known =
        wspi_app_last(c, true, WSPI_SMB_KIND, &had) || wspi_app_last(c, false, WSPI_SMB_KIND, &had);

    if (c->fill)
        return sampled_kind(c, known, had);
    if (c->enc && !wspi_app_stopped(c) && end > c->pay.at)
        is = kind_ahead(c, end);
    return wspi_app_code(c, WSPI_SMB_KIND, known, had, is);
}

/* One message, or several in a compound, up to `end`. */
static void messages(wspi_coder *c, size_t end)
{
    uint64_t next = 1;

    for (int i = 0; i < MAX_MESSAGES && next && !wspi_app_stopped(c); i++) {
        wspi_smb_message m = {.start = c->pay.at, .end = end};
        uint64_t is = kind(c, end);

        next = 0;
        if (is == WSPI_SMB_1)
            wspi_smb_message_1(c, &m);
        else if (is == WSPI_SMB_2)
            next = wspi_smb_message_2(c, &m);
        if (next)
            opaque_to(c, m.start + (size_t)next);
    }
}

/* ---- samples ---- */

static bool is_on_session_port(const wspi_coder *c)
{
    for (size_t i = c->p->n_layers; i-- > 0;) {
        const wspi_layer *l = &c->p->layers[i];
        if (l->id == WSPI_TCP) /* options stand behind it */
            return l->v[0] == SESSION_PORT || l->v[1] == SESSION_PORT;
    }
    return false;
}

/* On the port of NetBIOS a session is asked for first. */
static unsigned sampled_type(const wspi_coder *c)
{
    uint64_t v;

    if (!c->fill || !is_on_session_port(c))
        return MESSAGE;
    if (c->dir == 0)
        return wspi_app_last(c, true, WSPI_SMB_TYPE, &v) ? MESSAGE : REQUEST;
    return wspi_app_last(c, false, WSPI_SMB_TYPE, &v) && v == REQUESTED ? POSITIVE : MESSAGE;
}

/* Of whom it is asked, and who asks. */
static void put_names(wspi_coder *c)
{
    uint8_t b[NAME];

    for (int k = 0; k < 2; k++) {
        wspi_netbios_name(c, b);
        for (size_t i = 0; i < sizeof b; i++)
            wspi_app_put(c, 1, b[i]);
    }
}

/* The length of a sample, now that it is known. */
static void set_length(wspi_coder *c, size_t start)
{
    size_t len = c->pay.at - start;

    if (wspi_app_stopped(c))
        return;
    if (start > c->pay.out->len || start < 3) {
        c->bad = true;
        return;
    }
    for (size_t i = 0; i < 3; i++)
        c->pay.out->data[start - 1 - i] = (uint8_t)(len >> 8 * i);
}

/* A message whose type has been coded. */
static void one(wspi_coder *c, uint64_t is)
{
    size_t left, start;
    uint64_t len;

    wspi_app_require(c, is <= UINT8_MAX && (!c->enc || wspi_app_captured(c) >= HEAD));
    (void)wspi_app_get(c, 1);
    wspi_app_put(c, 1, is);
    left = wspi_app_left(c);
    left = left > 3 ? WSPI_MIN(left - 3, (size_t)MAX_LENGTH) : 0;
    wspi_app_only(c, 0, 0);
    len = wspi_app_field(c, WSPI_SMB_LENGTH, 3, true, left);
    start = c->pay.at;
    if (wspi_app_stopped(c))
        return;
    if (is == 0)
        messages(c, c->fill ? FAR : start + (size_t)len);
    if (c->fill) {
        if (is == REQUESTED)
            put_names(c);
        set_length(c, start);
        return;
    }
    opaque_to(c, start + (size_t)len);
    if (!wspi_app_stopped(c) && start + len > c->pay.at)
        c->app.left[c->dir] = (uint32_t)(start + len - c->pay.at);
}

static void walk(wspi_coder *c)
{
    uint32_t *left = &c->app.left[c->dir];
    uint32_t n = (uint32_t)WSPI_MIN(*left, wspi_app_left(c));

    if (c->fill)
        *left = n = 0;
    *left -= n;
    wspi_app_opaque(c, n);
    for (int i = 0; i < MAX_MESSAGES && !wspi_app_stopped(c) && *left == 0 && !(c->fill && i);
         i++) {
        bool there = c->enc && looks(c->pay.in + c->pay.at, wspi_app_captured(c));
        uint64_t is = there ? c->pay.in[c->pay.at] : 0;

        if (n == 0 && i == 0) {
            wspi_app_require(c, !c->enc || there);
            wspi_app_only(c, sampled_type(c), 1);
            is = wspi_app_code(c, WSPI_SMB_TYPE, false, 0, is);
        } else if (!wspi_app_next(c, WSPI_SMB_TYPE, there, &is)) {
            return;
        }
        one(c, is);
    }
}

const wspi_app wspi_app_smb = {
    .proto = {.name = "smb", .fields = fields, .n_fields = WSPI_COUNT(fields)},
    .over = WSPI_OVER_TCP,
    .looks = looks,
    .walk = walk,
    .ports = {445, SESSION_PORT},
    .turns = WSPI_CLIENT_FIRST,
    .may_speak = wspi_smb_may_speak,
    .rests = true,
    .changes = CHANGES(MESSAGE) | CHANGES(TREE) | CHANGES(SESSION) | CHANGES(FLAGS_1),
};
