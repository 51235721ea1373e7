/* SPDX-License-Identifier: Apache-2.0 */
/*
 * dcerpc_cl.c: DCE/RPC over UDP (C706 12.5), which Profinet's context manager speaks (IEC 61158-6-10), one PDU in a datagram:
 * | 4 | type 8 | flags 8 | flags 8 | representation 24 | serial, high 8 | object 128 | interface 128 | activity 128 |
 * | boot time 32 | version 32 | sequence 32 | operation 16 | hints 2x 16 | length 16 | fragment 16 | authentication 8 |
 * | serial, low 8 | body |
 * Objects of Profinet are DEA00000-6C97-11D1-8271 and | instance 16 | device 16 | vendor 16 |. Bodies are opaque but for states.
 */
#include "token/app/dcerpc.h"

enum {
    TYPE,
    FLAGS,
    MORE_FLAGS,
    FORM,
    SERIAL,
    OBJECT,
    VENDOR,
    INTERFACE,
    ACTIVITY,
    ACTIVITY_LOW,
    BOOT,
    VERSION_OF,
    SEQUENCE,
    OPERATION,
    HINTS,
    LENGTH,
    FRAGMENT,
    AUTH,
    STATUS
};

enum { FOUR = 4, HEAD = 80, AUTH_AT = 78, STATE_LEN = 4 };
enum { NO_OBJECT, PROFINET, OTHER_OBJECT };
#define PROFINET_HIGH UINT64_C(0xdea000006c9711d1)
#define PROFINET_LOW  UINT64_C(0x8271)

static const wspi_value type[] = {{WSPI_DCE_REQUEST, "request"},       {WSPI_DCE_PING, "ping"},
                                  {WSPI_DCE_RESPONSE, "response"},     {WSPI_DCE_FAULT, "fault"},
                                  {WSPI_DCE_WORKING, "working"},       {WSPI_DCE_NOCALL, "nocall"},
                                  {WSPI_DCE_REJECT, "reject"},         {WSPI_DCE_ACK, "ack"},
                                  {WSPI_DCE_CL_CANCEL, "cancel"},      {WSPI_DCE_FACK, "fack"},
                                  {WSPI_DCE_CANCEL_ACK, "cancel-ack"}, {0, NULL}};
static const wspi_value flags[] = {{0x20, "idempotent"},
                                   {0x28, "idempotent-nofack"},
                                   {0x0a, "last-nofack"},
                                   {0x08, "nofack"},
                                   {0x00, "none"},
                                   {0x24, "idempotent-fragment"},
                                   {0x26, "idempotent-last-fragment"},
                                   {0x2c, "idempotent-nofack-fragment"},
                                   {0x2e, "idempotent-nofack-last"},
                                   {0x04, "fragment"},
                                   {0x06, "last-fragment"},
                                   {0x0c, "nofack-fragment"},
                                   {0x0e, "nofack-last-fragment"},
                                   {0x02, "last"},
                                   {0x01, "reserved"},
                                   {0, NULL}};
static const wspi_value form[] = {{WSPI_DCE_LITTLE, "little-endian"}, {0, "big-endian"}, {0, NULL}};
static const wspi_value object[] = {
    {NO_OBJECT, "none"}, {PROFINET, "profinet"}, {OTHER_OBJECT, "unlisted"}, {0, NULL}};
/* The first rows of wspi_dce_interface, which are what datagrams have. */
static const wspi_value interface[] = {{WSPI_DCE_UNLISTED, "unlisted"},
                                       {WSPI_DCE_OXID, "oxid-resolver"},
                                       {WSPI_DCE_MAPPER, "epmapper"},
                                       {WSPI_DCE_PROFINET, "profinet-device"},
                                       {WSPI_DCE_PROFINET + 1, "profinet-controller"},
                                       {WSPI_DCE_PROFINET + 2, "profinet-supervisor"},
                                       {WSPI_DCE_PROFINET + 3, "profinet-parameters"},
                                       {WSPI_DCE_PROFINET + 4, "mgmt"},
                                       {0, NULL}};
static const wspi_value auth[] = {
    {0, "none"},      {1, "kerberos-dce"}, {9, "negotiate"}, {10, "ntlm"},
    {14, "schannel"}, {16, "kerberos"},    {68, "netlogon"}, {0, NULL}};

static const wspi_field fields[] = {
    [TYPE] = {WSPI_ENUM("dcerpc-cl.type", 8, type)},
    [FLAGS] = {WSPI_ENUM("dcerpc-cl.flags", 8, flags), .pred = WSPI_P_PREV},
    [MORE_FLAGS] = {WSPI_MAG("dcerpc-cl.flags2", 8, WSPI_R_NONE, 0)},
    [FORM] = {WSPI_ENUM("dcerpc-cl.form", 16, form), .pred = WSPI_P_PREV},
    [SERIAL] = {WSPI_FREE("dcerpc-cl.serial", 16, WSPI_P_CONST, WSPI_R_NUMBER)},
    [OBJECT] = {WSPI_ENUM("dcerpc-cl.object", 8, object), .pred = WSPI_P_PREV},
    [VENDOR] = {WSPI_MAG("dcerpc-cl.vendor", 16, WSPI_R_NONE, 1), .pred = WSPI_P_PREV},
    [INTERFACE] = {WSPI_ENUM("dcerpc-cl.interface", 8, interface), .pred = WSPI_P_PREV},
    [ACTIVITY] = {WSPI_FREE("dcerpc-cl.activity", 64, WSPI_P_MIRROR, WSPI_R_NUMBER),
                  .arg = ACTIVITY},
    [ACTIVITY_LOW] = {WSPI_FREE("dcerpc-cl.activity_low", 64, WSPI_P_MIRROR, WSPI_R_NUMBER),
                      .arg = ACTIVITY_LOW},
    [BOOT] = {WSPI_FREE("dcerpc-cl.boot", 32, WSPI_P_PREV, WSPI_R_NUMBER)},
    [VERSION_OF] = {WSPI_MAG("dcerpc-cl.version", 32, WSPI_R_NONE, 0)},
    [SEQUENCE] = {WSPI_FREE("dcerpc-cl.sequence", 32, WSPI_P_COUNT, WSPI_R_NUMBER)},
    [OPERATION] = {WSPI_MAG("dcerpc-cl.operation", 5, WSPI_R_NONE, 4)},
    [HINTS] = {WSPI_FREE("dcerpc-cl.hints", 32, WSPI_P_PREV, WSPI_R_NUMBER)},
    [LENGTH] = {WSPI_MAG("dcerpc-cl.length", 16, WSPI_R_NONE, 1)},
    [FRAGMENT] = {WSPI_MAG("dcerpc-cl.fragment", 16, WSPI_R_NONE, 0)},
    [AUTH] = {WSPI_ENUM("dcerpc-cl.auth", 8, auth)},
    [STATUS] = {WSPI_ENUM("dcerpc-cl.status", 32, wspi_dce_status)},
};

/* A head that is all there; bits that nobody uses are 0. */
static bool looks(const uint8_t *b, size_t n)
{
    return n >= HEAD && b[0] == FOUR && b[1] <= WSPI_DCE_CANCEL_ACK && !(b[2] & 0x80) &&
           !(b[3] & 0xfc) && wspi_dce_represents(b + 4) && wspi_app_is_listed(auth, b[AUTH_AT]);
}

/* ---- samples ---- */

/*
 * Profinet: a record is read without a connection ("read implicit"), little-endian, then a block that is big-endian: type,
 * length, version, sequence; of its other fields only the record's index matters here. The answer has no record.
 */
enum { READ_IMPLICIT = 5, ARGS = 20, BLOCK = 64, MOST = 4096, INDEX_AT = ARGS + 34 };
static const uint16_t records[] = {0xaff0, 0xf840, 0xf830, 0xaff1, 0xf820};

static void set_little(uint8_t *b, uint32_t v)
{
    for (int i = 0; i < 4; i++)
        b[i] = (uint8_t)(v >> 8 * i);
}

static void read_implicit(wspi_coder *c)
{
    uint8_t b[ARGS + BLOCK] = {0};
    uint16_t index = records[c->fill->seed % WSPI_COUNT(records)];

    if (wspi_app_stopped(c))
        return;
    set_little(b, c->dir ? 0 : MOST); /* how much the answer may have; no error */
    set_little(b + 4, BLOCK);
    set_little(b + 8, c->dir ? BLOCK : MOST);
    set_little(b + 16, BLOCK);
    b[ARGS] = c->dir ? 0x80 : 0;
    b[ARGS + 1] = 9;
    b[ARGS + 3] = BLOCK - 4;
    b[ARGS + 4] = 1;
    b[INDEX_AT] = (uint8_t)(index >> 8);
    b[INDEX_AT + 1] = (uint8_t)index;
    for (size_t i = 0; i < sizeof b; i++)
        wspi_app_put(c, 1, b[i]);
}

/* ---- parts ---- */

/* The direction's last value, or else the peer's. */
static bool last_of_flow(const wspi_coder *c, unsigned f, uint64_t *v)
{
    return wspi_app_last(c, true, f, v) || wspi_app_last(c, false, f, v);
}

static bool is_answer(uint64_t is)
{
    return is >= WSPI_DCE_RESPONSE && is <= WSPI_DCE_REJECT;
}

/* As predicted; samples have nothing else. */
static uint64_t expected(wspi_coder *c, unsigned f, size_t n, bool little, bool known,
                         uint64_t want)
{
    wspi_app_only(c, 0, 0);
    return wspi_dce_field(c, f, n, little, known, want);
}

/* Encoding: which object the 16 bytes ahead are. */
static unsigned object_ahead(const wspi_coder *c, bool little)
{
    static const uint8_t none[WSPI_DCE_UUID];
    static const uint8_t big[] = {0xde, 0xa0, 0, 0, 0x6c, 0x97, 0x11, 0xd1, 0x82, 0x71};
    static const uint8_t small[] = {0, 0, 0xa0, 0xde, 0x97, 0x6c, 0xd1, 0x11, 0x82, 0x71};
    const uint8_t *b = c->pay.in + c->pay.at;

    if (memcmp(b, none, sizeof none) == 0)
        return NO_OBJECT;
    return memcmp(b, little ? small : big, sizeof big) == 0 ? PROFINET : OTHER_OBJECT;
}

/* Samples: a device of Profinet. */
static void object_of(wspi_coder *c, bool little)
{
    uint64_t want = NO_OBJECT, v, vendor = 0;
    bool known = last_of_flow(c, OBJECT, &want);

    v = c->enc && !wspi_app_stopped(c) ? object_ahead(c, little) : 0;
    wspi_app_only(c, known ? 0 : PROFINET, known ? 0 : 1);
    v = wspi_app_code(c, OBJECT, known, want, v);
    wspi_app_require(c, v <= OTHER_OBJECT);
    if (v != PROFINET) {
        if (v == NO_OBJECT) {
            (void)wspi_app_get(c, 8);
            (void)wspi_app_get(c, 8);
            wspi_app_put(c, 8, 0);
            wspi_app_put(c, 8, 0);
        } else {
            wspi_app_opaque(c, WSPI_DCE_UUID);
        }
        return;
    }
    (void)wspi_app_get(c, 8);
    (void)wspi_app_get(c, 2);
    wspi_dce_put(c, 4, little, PROFINET_HIGH >> 32);
    wspi_dce_put(c, 2, little, PROFINET_HIGH >> 16 & 0xffff);
    wspi_dce_put(c, 2, little, PROFINET_HIGH & 0xffff);
    wspi_app_put(c, 2, PROFINET_LOW);
    wspi_app_opaque(c, 4);
    known = last_of_flow(c, VENDOR, &vendor) && vendor;
    if (known)
        wspi_app_only(c, 0, 0);
    (void)wspi_app_field(c, VENDOR, 2, known, vendor);
}

/* Samples: that of a device. */
static void interface_of(wspi_coder *c, bool little)
{
    uint64_t want = 0, row = 0;
    bool known = last_of_flow(c, INTERFACE, &want);

    if (c->enc && !wspi_app_stopped(c))
        row = wspi_dce_interface_at(c->pay.in + c->pay.at, little);
    if (!wspi_app_is_listed(interface, row))
        row = WSPI_DCE_UNLISTED;
    wspi_app_only(c, known ? 0 : WSPI_DCE_PROFINET, known ? 0 : 1);
    row = wspi_app_code(c, INTERFACE, known, want, row);
    wspi_dce_interface_bytes(c, little, row);
}

/*
 * An activity is a caller's, and an answer has that of its call. What a direction last called is kept beyond its answers to
 * calls of the other one. Of its identifier the first half has the parts with a byte order.
 */
static bool activity(wspi_coder *c, bool answer, bool little)
{
    const uint64_t *last = c->ctx->app.v[answer ? !c->dir : c->dir];
    uint64_t high = last[ACTIVITY], low = last[ACTIVITY_LOW], v;
    bool known = wspi_app_last(c, !answer, ACTIVITY, &v) && (high || low);

    v = wspi_dce_get(c, 4, little) << 32;
    v |= wspi_dce_get(c, 2, little) << 16;
    v |= wspi_dce_get(c, 2, little);
    wspi_app_only(c, 0, 0);
    v = wspi_app_code(c, ACTIVITY, known, high, v);
    wspi_dce_put(c, 4, little, v >> 32);
    wspi_dce_put(c, 2, little, v >> 16 & 0xffff);
    wspi_dce_put(c, 2, little, v & 0xffff);
    return expected(c, ACTIVITY_LOW, 8, false, known, low) == low && v == high && known;
}

/* When the server began: the client says 0 until it was told. */
static void boot(wspi_coder *c, uint64_t is, bool little)
{
    uint64_t mine, theirs;
    bool known = wspi_app_last(c, true, BOOT, &mine) || !is_answer(is);

    if (wspi_app_last(c, false, BOOT, &theirs) && theirs && !is_answer(is))
        mine = theirs;
    (void)expected(c, BOOT, 4, little, known, mine);
}

/* A call counts on, from 0 in a new activity; all else about it has its number and its operation. */
static void call(wspi_coder *c, uint64_t is, bool same, bool little)
{
    bool answer = is_answer(is), asks = is == WSPI_DCE_REQUEST;
    uint64_t seq = 0, op = 0;

    if (same)
        (void)wspi_app_last(c, !answer, SEQUENCE, &seq);
    if (same && asks)
        seq = (seq + 1) & UINT32_MAX;
    (void)expected(c, SEQUENCE, 4, little, same || !answer, seq);
    same = same && !asks;
    if (same)
        (void)wspi_app_last(c, !answer, OPERATION, &op);
    wspi_app_only(c, same ? 0 : READ_IMPLICIT, same ? 0 : 1);
    wspi_dce_operation(c, OPERATION, fields[OPERATION].width, little, same, op);
}

/* The activity and the call; what the direction called before stays its memory when it answers. */
static void identity(wspi_coder *c, uint64_t is, bool little)
{
    static const uint8_t kept[] = {ACTIVITY, ACTIVITY_LOW, SEQUENCE, OPERATION};
    bool answer = is_answer(is), same;
    uint64_t *mine = c->app.v[c->dir], before[WSPI_COUNT(kept)];

    for (size_t i = 0; i < WSPI_COUNT(kept); i++)
        before[i] = mine[kept[i]];
    same = activity(c, answer, little);
    boot(c, is, little);
    (void)expected(c, VERSION_OF, 4, little, true, wspi_dce_interface_version(mine[INTERFACE]));
    call(c, is, same, little);
    for (size_t i = 0; answer && !wspi_app_stopped(c) && i < WSPI_COUNT(kept); i++)
        mine[kept[i]] = before[i];
}

/*
 * Type, flags, representation: integers are little-endian if true is returned. The high half of the serial number is kept for
 * its low half, which ends the head.
 */
static bool beginning(wspi_coder *c, uint64_t *is)
{
    uint64_t v = wspi_app_get(c, 8), mine = 0, want = WSPI_DCE_LITTLE, more, known;
    bool little;

    wspi_app_only(c, c->dir ? WSPI_DCE_RESPONSE : WSPI_DCE_REQUEST, 1);
    *is = wspi_app_code(c, TYPE, false, 0, v >> 48 & 255);
    known = wspi_app_last(c, true, FLAGS, &mine);
    wspi_app_only(c, c->dir ? 1 : 0, known ? 0 : 2);
    mine = wspi_app_code(c, FLAGS, known, mine, v >> 40 & 255);
    wspi_app_only(c, 0, 0);
    more = wspi_app_code(c, MORE_FLAGS, true, 0, v >> 32 & 255);
    if (!last_of_flow(c, FORM, &want))
        want = WSPI_DCE_LITTLE;
    wspi_app_only(c, 0, 0);
    want = wspi_app_code(c, FORM, true, want, v >> 16 & 0xffff);
    little = wspi_dce_little(want);
    c->app.v[c->dir][SERIAL] = v & 255; /* encoding; the low half comes last */
    wspi_app_require(c, !c->enc || !(v >> 8 & 255));
    wspi_app_put(c, 8, (uint64_t)FOUR << 56 | *is << 48 | mine << 40 | more << 32 | want << 16);
    return little;
}

/* Both halves of the serial number, of which the first goes back to where it stands. */
static void serial(wspi_coder *c)
{
    uint64_t v = c->app.v[c->dir][SERIAL] << 8 | wspi_app_get(c, 1);

    wspi_app_only(c, 0, 0);
    v = wspi_app_code(c, SERIAL, true, 0, v);
    wspi_app_put(c, 1, v & 255);
    if (!c->enc && !wspi_app_stopped(c) && c->pay.out->len >= 8)
        c->pay.out->data[7] = (uint8_t)(v >> 8);
}

static void body(wspi_coder *c, uint64_t is, bool little)
{
    bool state = is == WSPI_DCE_FAULT || is == WSPI_DCE_REJECT;

    if (wspi_app_stopped(c))
        return;
    if (c->fill)
        read_implicit(c);
    else if (state && wspi_app_captured(c) >= STATE_LEN)
        (void)wspi_dce_field(c, STATUS, STATE_LEN, little, false, 0);
    wspi_app_opaque(c, c->fill ? 0 : wspi_app_left(c));
}

static void walk(wspi_coder *c)
{
    uint64_t is = 0, hints = 0, left;
    bool little = beginning(c, &is);

    object_of(c, little);
    interface_of(c, little);
    identity(c, is, little);
    if (!last_of_flow(c, HINTS, &hints))
        hints = UINT32_MAX;
    (void)expected(c, HINTS, 4, little, true, hints);
    left = c->fill ? ARGS + BLOCK : c->pay.wire > HEAD ? c->pay.wire - HEAD : 0;
    (void)expected(c, LENGTH, 2, little, true, WSPI_MIN(left, (uint64_t)UINT16_MAX));
    (void)expected(c, FRAGMENT, 2, little, true, 0);
    (void)expected(c, AUTH, 1, false, true, 0);
    serial(c);
    body(c, is, little);
}

const wspi_app wspi_app_dcerpc_cl = {
    .proto = {.name = "dcerpc-cl", .fields = fields, .n_fields = WSPI_COUNT(fields)},
    .over = WSPI_OVER_UDP,
    .looks = looks,
    .walk = walk,
    .ports = {34964},
    .ports_only = true,
    .turns = WSPI_IN_TURN,
};
