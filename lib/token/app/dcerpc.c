/* SPDX-License-Identifier: Apache-2.0 */
/*
 * dcerpc.c: DCE/RPC over TCP (C706 12.6, [MS-RPCE] 2.2.2), several PDUs in a segment, or one in several:
 * | 5 | minor 8 | type 8 | flags 8 | representation 32 | length 16 | authentication 16 | call 32 | body | verifier |
 * bind, alter-context:  | send 16 | receive 16 | group 32 | n 8 | 0 24 | n x: | context 16 | m 8 | 0 8 | interface 128 |
 *                       version 32 | m x: | syntax 128 | version 32 | |
 * their answers:        | send 16 | receive 16 | group 32 | length 16 | address | to a multiple of 4 | n 8 | 0 24 | n x:
 *                       | result 16 | reason 16 | syntax 128 | version 32 | |
 * request:              | hint 32 | context 16 | operation 16 | object 128, by a flag | stub |
 * response, fault:      | hint 32 | context 16 | cancels 8 | 0 8 | fault: state 32 | 0 32 | stub |
 * verifier, if authentication is not 0:  | type 8 | level 8 | padding 8 | 0 8 | context 32 | authentication bytes |
 * Numbers have the byte order of their representation. Stubs and verifiers are opaque.
 */
#include "token/app/dcerpc.h"

enum {
    TYPE,
    FORM,
    FLAGS,
    LENGTH,
    AUTH_LENGTH,
    CALL,
    FRAGMENT,
    RECEIVE,
    GROUP,
    COUNT,
    INTERFACE,
    VERSION_OF,
    CONTEXT,
    SYNTAX,
    RESULT,
    HINT,
    OPERATION,
    STATUS,
    AUTH,
    PADDING,
    FIELDS,
    ACCEPTED =
        FIELDS /* no field: one more than the first context that this answer to a bind accepted */
};

enum { HEAD = 16, VERIFIER = 8, CONTEXT_HEAD = 4, SYNTAX_LEN = 20, RESULT_LEN = 24 };
enum { FIRST = 1, LAST = 2, WHOLE = FIRST | LAST, OBJECT = 0x80 };
enum {
    FIVE = 5,
    MAX_PDUS = 32,
    MAX_LIST = 64,
    MAX_PORT = 6,
    FIRST_CALL = 2,
    USUAL_FRAGMENT = 5840
};
enum { EPT_MAP = 3, ALIVE_ANSWER = 4, FIRST_PORT = 49664, PORTS = 16 }; /* ServerAlive is 3, too */
enum { REFUSED = 2, REFUSED_SYNTAX = 2 << 16 | 2, FEATURES = 3 << 16 | 3 };
#define NAK UINT64_C(0x80000000) /* beside the reason of a bind-nak */

/* Samples: from the client the first two, from the server what answers them. */
enum { SAMPLED_ACCEPTED, SAMPLED_REFUSED, SAMPLED_FEATURES }; /* rows of results */
enum { SAMPLED_BIND, SAMPLED_REQUEST, SAMPLED_RESPONSE, SAMPLED_FAULT, SAMPLED_ACK };
static const wspi_value type[] = {{WSPI_DCE_BIND, "bind"},
                                  {WSPI_DCE_REQUEST, "request"},
                                  {WSPI_DCE_RESPONSE, "response"},
                                  {WSPI_DCE_FAULT, "fault"},
                                  {WSPI_DCE_BIND_ACK, "bind-ack"},
                                  {WSPI_DCE_ALTER, "alter-context"},
                                  {WSPI_DCE_ALTER_ACK, "alter-ack"},
                                  {WSPI_DCE_AUTH3, "auth3"},
                                  {WSPI_DCE_BIND_NAK, "bind-nak"},
                                  {WSPI_DCE_SHUTDOWN, "shutdown"},
                                  {WSPI_DCE_CO_CANCEL, "cancel"},
                                  {WSPI_DCE_ORPHANED, "orphaned"},
                                  {WSPI_DCE_RTS, "rts"},
                                  {0, NULL}};
static const wspi_value form[] = {{WSPI_DCE_LITTLE, "little-endian"},
                                  {0, "big-endian"},
                                  {0x10000 | WSPI_DCE_LITTLE, "5.1-little-endian"},
                                  {0x10000, "5.1-big-endian"},
                                  {0, NULL}};
static const wspi_value flags[] = {{WHOLE, "whole"},
                                   {WHOLE | 4, "whole-signed"},
                                   {FIRST, "first"},
                                   {0, "middle"},
                                   {LAST, "last"},
                                   {WHOLE | OBJECT, "whole-object"},
                                   {FIRST | OBJECT, "first-object"},
                                   {OBJECT, "middle-object"},
                                   {LAST | OBJECT, "last-object"},
                                   {WHOLE | 0x10, "whole-multiplex"},
                                   {WHOLE | 0x14, "whole-multiplex-signed"},
                                   {WHOLE | 0x20, "whole-unexecuted"},
                                   {WHOLE | 0x40, "whole-maybe"},
                                   {0, NULL}};
static const wspi_value result[] = {{0, "accepted"},
                                    {REFUSED_SYNTAX, "syntaxes-refused"},
                                    {FEATURES, "features"},
                                    {REFUSED << 16 | 1, "interface-refused"},
                                    {3 << 16, "no-features"},
                                    {3 << 16 | 1, "feature-1"},
                                    {3 << 16 | 2, "feature-2"},
                                    {REFUSED << 16, "refused"},
                                    {REFUSED << 16 | 3, "limit"},
                                    {1 << 16, "user-refused"},
                                    {NAK, "nak"},
                                    {NAK | 1, "nak-busy"},
                                    {NAK | 2, "nak-limit"},
                                    {NAK | 4, "nak-version"},
                                    {NAK | 8, "nak-authentication"},
                                    {NAK | 9, "nak-checksum"},
                                    {0, NULL}};
/* Type and level of authentication ([MS-RPCE] 2.2.1.1.7, 2.2.1.1.8). */
static const wspi_value auth[] = {{0x0a02, "ntlm-connect"},        {0x0a04, "ntlm-packet"},
                                  {0x0a05, "ntlm-integrity"},      {0x0a06, "ntlm-privacy"},
                                  {0x0902, "negotiate-connect"},   {0x0904, "negotiate-packet"},
                                  {0x0905, "negotiate-integrity"}, {0x0906, "negotiate-privacy"},
                                  {0x1002, "kerberos-connect"},    {0x1004, "kerberos-packet"},
                                  {0x1005, "kerberos-integrity"},  {0x1006, "kerberos-privacy"},
                                  {0x4405, "netlogon-integrity"},  {0x4406, "netlogon-privacy"},
                                  {0x0e06, "schannel-privacy"},    {0, NULL}};

static const wspi_field fields[FIELDS] = {
    [TYPE] = {WSPI_ENUM("dcerpc.type", 8, type)},
    [FORM] = {WSPI_ENUM("dcerpc.form", 24, form), .pred = WSPI_P_PREV},
    [FLAGS] = {WSPI_ENUM("dcerpc.flags", 8, flags)},
    [LENGTH] = {WSPI_MAG("dcerpc.length", 16, WSPI_R_NONE, 1)},
    [AUTH_LENGTH] = {WSPI_MAG("dcerpc.authentication", 16, WSPI_R_NONE, 1), .pred = WSPI_P_PREV},
    [CALL] = {WSPI_FREE("dcerpc.call", 32, WSPI_P_COUNT, WSPI_R_NUMBER)},
    [FRAGMENT] = {WSPI_MAG("dcerpc.fragment", 16, WSPI_R_NONE, 2)},
    [RECEIVE] = {WSPI_MAG("dcerpc.receive", 16, WSPI_R_NONE, 0)},
    [GROUP] = {WSPI_FREE("dcerpc.group", 32, WSPI_P_PREV, WSPI_R_NUMBER)},
    [COUNT] = {WSPI_MAG("dcerpc.count", 8, WSPI_R_NONE, 2), .arg = 1},
    [INTERFACE] = {WSPI_ENUM("dcerpc.interface", 8, wspi_dce_interface)},
    [VERSION_OF] = {WSPI_MAG("dcerpc.version", 32, WSPI_R_NONE, 0)},
    [CONTEXT] = {WSPI_MAG("dcerpc.context", 16, WSPI_R_NONE, 1), .pred = WSPI_P_PREV},
    [SYNTAX] = {WSPI_ENUM("dcerpc.syntax", 8, wspi_dce_syntax)},
    [RESULT] = {WSPI_ENUM("dcerpc.result", 32, result)},
    [HINT] = {WSPI_MAG("dcerpc.hint", 32, WSPI_R_NONE, 0)},
    [OPERATION] = {WSPI_MAG("dcerpc.operation", 7, WSPI_R_NONE, 5)},
    [STATUS] = {WSPI_ENUM("dcerpc.status", 32, wspi_dce_status)},
    [AUTH] = {WSPI_ENUM("dcerpc.auth", 16, auth), .pred = WSPI_P_PREV},
    [PADDING] = {WSPI_FREE("dcerpc.padding", 8, WSPI_P_CONST, WSPI_R_NUMBER)},
};

/* A PDU under the walk: what both sides know of it, up to where they are. */
typedef struct pdu {
    uint64_t type, flags, auth; /* auth: bytes of the verifier behind its head */
    size_t start, stop,
        end; /* of the PDU; where its body stops; in samples the last two are far away */
    bool little, padded; /* padded: the verifier is here and has told its padding */
} pdu;
enum { FAR = SIZE_MAX / 2 };

static size_t size_at(const uint8_t *b, bool little)
{
    return little ? (size_t)b[1] << 8 | b[0] : (size_t)b[0] << 8 | b[1];
}

/* The bytes that a PDU of a type has at least, but for its verifier. */
static size_t least_of(uint64_t is)
{
    if (is == WSPI_DCE_BIND || is == WSPI_DCE_ALTER)
        return HEAD + 12;
    if (is == WSPI_DCE_FAULT)
        return HEAD + 16;
    return is == WSPI_DCE_REQUEST || is == WSPI_DCE_RESPONSE ? HEAD + 8 : HEAD;
}

/* A head that is all there. */
static bool looks(const uint8_t *b, size_t n)
{
    size_t len, verifier;
    bool little;

    if (n < HEAD || b[0] != FIVE || b[1] > 1 || !wspi_dce_represents(b + 4) || b[7] ||
        !wspi_app_is_listed(type, b[2]))
        return false;
    little = b[4] >> 4;
    len = size_at(b + 8, little);
    verifier = size_at(b + 10, little);
    return len >= least_of(b[2]) + (verifier ? VERIFIER + verifier : 0);
}

/* ---- samples ---- */

/* Is what a client knows of its bind the interface of a row? */
static bool is_of(const wspi_coder *c, unsigned row)
{
    return c->app.v[0][INTERFACE] == row;
}

/* The context that calls are of: the first one that was accepted. */
static uint64_t accepted(const wspi_coder *c)
{
    uint64_t nth = c->app.v[1][ACCEPTED];

    return nth ? nth - 1 : 0;
}

static uint16_t port_of(const wspi_coder *c, unsigned side)
{
    for (size_t i = c->p->n_layers; i-- > 0;)
        if (c->p->layers[i].id == WSPI_TCP)
            return (uint16_t)c->p->layers[i].v[side];
    return 0;
}

static bool on_mapper_port(const wspi_coder *c)
{
    return port_of(c, 0) == 135 || port_of(c, 1) == 135;
}

/* Samples: a client binds, then calls; a server answers what it was asked. */
static void only_in_turn(wspi_coder *c)
{
    uint64_t mine, theirs;
    bool spoke = wspi_app_last(c, true, TYPE, &mine);
    bool asked = wspi_app_last(c, false, TYPE, &theirs);

    if (c->dir == 0)
        wspi_app_only(c, spoke && asked ? SAMPLED_REQUEST : SAMPLED_BIND, 1);
    else if (asked && theirs == WSPI_DCE_BIND)
        wspi_app_only(c, SAMPLED_ACK, 1);
    else
        wspi_app_only(c, SAMPLED_RESPONSE, 2);
}

/*
 * The stub behind `head` more bytes, of services that are known into b: returns its length. Of others, whose stubs nobody knows, it is
 * as long as was drawn; an answer of the mapper that is long has a port.
 */
static size_t sampled_stub(const wspi_coder *c, size_t head, uint8_t b[WSPI_DCE_MAP_MOST])
{
    size_t left = wspi_app_left(c), room = left > head ? left - head : 0;
    bool wide = accepted(c) == WSPI_DCE_NDR64, answers = c->dir == 1;
    uint16_t port = room < WSPI_DCE_MAP_LONG ? 0 : (uint16_t)(FIRST_PORT + c->fill->seed % PORTS);

    if (is_of(c, WSPI_DCE_MAPPER))
        return wspi_dce_map_stub(b, wide, answers, port);
    if (!is_of(c, WSPI_DCE_OXID))
        return room;
    memset(b, 0, ALIVE_ANSWER);
    return answers ? ALIVE_ANSWER : 0;
}

static void put_stub(wspi_coder *c, const uint8_t *bytes, size_t n)
{
    for (size_t i = 0; i < n; i++)
        wspi_app_put(c, 1, bytes[i]);
}

/* ---- parts ---- */

/* Are the next n bytes in the body, and captured? Both sides know. */
static bool are_here(const wspi_coder *c, const pdu *p, size_t n)
{
    return !wspi_app_stopped(c) && c->pay.at + n <= p->stop &&
           (c->fill || wspi_app_captured(c) >= n);
}

static uint64_t field(wspi_coder *c, const pdu *p, unsigned f, size_t n, bool known, uint64_t want)
{
    return wspi_dce_field(c, f, n, p->little, known, want);
}

/* As predicted; samples have nothing else. */
static uint64_t expected(wspi_coder *c, const pdu *p, unsigned f, size_t n, uint64_t want)
{
    wspi_app_only(c, 0, 0);
    return field(c, p, f, n, true, want);
}

/* Sizes of fragments, and the association: an answer's is new, or that of the bind before. */
static void sizes(wspi_coder *c, const pdu *p)
{
    unsigned least = wspi_bin(4280, fields[FRAGMENT].mantissa);
    bool answer = p->type == WSPI_DCE_BIND_ACK || p->type == WSPI_DCE_ALTER_ACK;
    uint64_t size, mine;

    wspi_app_only(c, least,
                  wspi_bin(USUAL_FRAGMENT, fields[FRAGMENT].mantissa) - least +
                      1); /* always told */
    size = field(c, p, FRAGMENT, 2, false, 0);
    (void)expected(c, p, RECEIVE, 2, size);
    (void)wspi_app_last(c, true, GROUP, &mine);
    wspi_app_only(c, 0, 0);
    (void)field(c, p, GROUP, 4, !answer || mine, mine);
}

/* ---- bind ---- */

/* Encoding: is all of a context there? */
static bool context_ahead(const wspi_coder *c, const pdu *p)
{
    return are_here(c, p, CONTEXT_HEAD + SYNTAX_LEN) && c->pay.in[c->pay.at + 2] <= MAX_LIST &&
           are_here(c, p, CONTEXT_HEAD + SYNTAX_LEN * (1u + c->pay.in[c->pay.at + 2]));
}

static void syntax(wspi_coder *c, const pdu *p, bool known, uint64_t want)
{
    uint64_t row =
        c->enc && !wspi_app_stopped(c) ? wspi_dce_syntax_at(c->pay.in + c->pay.at, p->little) : 0;

    row = wspi_app_code(c, SYNTAX, known, want, row);
    wspi_dce_syntax_bytes(c, p->little, row);
    (void)expected(c, p, VERSION_OF, 4, wspi_dce_syntax_version(row));
}

/* Samples: of their port's interfaces one, elsewhere one that nobody knows; for NDR, then NDR64, then features. */
static void only_interface(wspi_coder *c, unsigned nth)
{
    if (nth)
        wspi_app_only(c, (unsigned)c->app.v[c->dir][INTERFACE], 1);
    else if (on_mapper_port(c))
        wspi_app_only(c, WSPI_DCE_OXID, 2);
    else
        wspi_app_only(c, WSPI_DCE_UNLISTED, 1);
}

static bool one_context(wspi_coder *c, const pdu *p, unsigned nth)
{
    bool there = c->enc && context_ahead(c, p);
    uint64_t row = 0, n, id = nth ? c->app.v[c->dir][CONTEXT] + 1 : 0;

    if (there)
        row = wspi_dce_interface_at(c->pay.in + c->pay.at + CONTEXT_HEAD, p->little);
    only_interface(c, nth);
    if (c->fill)
        row = wspi_app_code(c, INTERFACE, false, 0, row);
    else if (!wspi_app_next(c, INTERFACE, there, &row))
        return false;
    c->app.v[c->dir][INTERFACE] = row;
    (void)expected(c, p, CONTEXT, 2, id & 0xffff);
    n = expected(c, p, COUNT, 1, 1);
    wspi_dce_quiet(c, 1);
    wspi_dce_interface_bytes(c, p->little, row);
    (void)expected(c, p, VERSION_OF, 4, wspi_dce_interface_version(row));
    wspi_app_require(c, n <= MAX_LIST);
    for (uint64_t i = 0; i < n && !wspi_app_stopped(c); i++) {
        wspi_app_only(c, WSPI_MIN(nth, (unsigned)WSPI_DCE_FEATURES), 1);
        syntax(c, p, false, 0);
    }
    return !wspi_app_stopped(c);
}

/* Requests will be for the first of the contexts. */
static void bind(wspi_coder *c, const pdu *p)
{
    uint64_t n, first = 0, *mine = c->app.v[c->dir];

    sizes(c, p);
    wspi_app_only(c, 1, 3);
    n = field(c, p, COUNT, 1, false, 0);
    wspi_dce_quiet(c, 3);
    for (unsigned i = 0; i < n && i < MAX_LIST && one_context(c, p, i); i++)
        first = i ? first : mine[CONTEXT];
    if (wspi_app_stopped(c))
        return;
    mine[CONTEXT] = first;
    mine[COUNT] = n;
}

/* ---- answers to a bind ---- */

/* Digits of the port that the server speaks from, and a zero. */
static size_t port_text(const wspi_coder *c, uint8_t text[MAX_PORT])
{
    unsigned port = port_of(c, 0);
    size_t n = 1;

    for (unsigned v = port; v >= 10; v /= 10)
        n++;
    text[n] = 0;
    for (size_t i = n; i-- > 0; port /= 10)
        text[i] = (uint8_t)('0' + port % 10);
    return n + 1;
}

/* What a server's address has: samples its port; what is recorded is told the same way on every port, as if that were 135. */
static size_t address_text(const wspi_coder *c, const pdu *p, uint8_t text[MAX_PORT])
{
    if (p->type == WSPI_DCE_ALTER_ACK)
        return 0;
    return c->fill ? port_text(c, text) : sizeof "135";
}

/* The address, its length in front, up to a multiple of 4 bytes. false: it is not all here. */
static bool address(wspi_coder *c, const pdu *p)
{
    uint8_t text[MAX_PORT] = {0};
    size_t n = address_text(c, p, text), pad;
    uint64_t len = expected(c, p, LENGTH, 2, n);

    pad = (size_t)(0 - (c->pay.at + len - p->start)) & 3;
    if (!are_here(c, p, (size_t)len + pad))
        return false;
    if (c->fill)
        put_stub(c, text, n);
    else
        wspi_app_opaque(c, (size_t)len);
    wspi_dce_quiet(c, pad);
    return true;
}

/* Samples: NDR is accepted, or NDR64 that was offered beside it, not both; then what is said of features. */
static void only_result(wspi_coder *c, unsigned nth)
{
    const uint64_t *mine = c->app.v[c->dir];

    if (nth == WSPI_DCE_NDR)
        wspi_app_only(c, SAMPLED_ACCEPTED, mine[COUNT] > WSPI_DCE_NDR64 ? 2 : 1);
    else if (nth == WSPI_DCE_NDR64)
        wspi_app_only(c, mine[ACCEPTED] ? SAMPLED_REFUSED : SAMPLED_ACCEPTED, 1);
    else
        wspi_app_only(c, SAMPLED_FEATURES, 1);
}

static bool one_result(wspi_coder *c, const pdu *p, unsigned nth)
{
    bool there = c->enc && are_here(c, p, RESULT_LEN), wide;
    uint64_t v = 0;

    if (there) {
        const uint8_t *b = c->pay.in + c->pay.at;
        v = (uint64_t)size_at(b, p->little) << 16 | size_at(b + 2, p->little);
    }
    only_result(c, nth);
    if (c->fill)
        v = wspi_app_code(c, RESULT, false, 0, v);
    else if (!wspi_app_next(c, RESULT, there, &v))
        return false;
    (void)wspi_app_get(c, 4);
    wspi_dce_put(c, 2, p->little, v >> 16);
    wspi_dce_put(c, 2, p->little, v & 0xffff);
    wspi_app_require(c, v <= UINT32_MAX);
    if (v == 0 && !c->app.v[c->dir][ACCEPTED])
        c->app.v[c->dir][ACCEPTED] = nth + 1;
    wide = c->fill && v == 0 && nth == WSPI_DCE_NDR64;
    wspi_app_only(c, WSPI_DCE_NDR64, wide);
    syntax(c, p, !wide, v == 0 ? WSPI_DCE_NDR : WSPI_DCE_NO_SYNTAX);
    return !wspi_app_stopped(c);
}

static void bind_ack(wspi_coder *c, const pdu *p)
{
    uint64_t n;

    if (!are_here(c, p, 10))
        return;
    sizes(c, p);
    if (!address(c, p) || !are_here(c, p, 4))
        return;
    (void)wspi_app_last(c, false, COUNT, &n);
    c->app.v[c->dir][ACCEPTED] = 0;
    n = expected(c, p, COUNT, 1, n);
    wspi_dce_quiet(c, 3);
    for (unsigned i = 0; i < n && i < MAX_LIST && one_result(c, p, i); i++)
        ;
}

static void bind_nak(wspi_coder *c, const pdu *p)
{
    uint64_t v;

    if (!are_here(c, p, 2))
        return;
    v = wspi_app_code(c, RESULT, false, 0, NAK | wspi_dce_get(c, 2, p->little));
    wspi_app_require(c, v >> 16 == NAK >> 16);
    wspi_dce_put(c, 2, p->little, v & 0xffff);
}

/* ---- calls ---- */

/* Bytes of the stub behind `head` more bytes, or in samples will be. */
static uint64_t stub_len(const wspi_coder *c, const pdu *p, size_t head)
{
    uint8_t bytes[WSPI_DCE_MAP_MOST];
    uint64_t at = c->pay.at + head, pad = p->padded ? c->app.v[c->dir][PADDING] : 0;

    if (c->fill)
        return sampled_stub(c, head, bytes);
    return at + pad < p->stop ? p->stop - at - pad : 0;
}

static void stub(wspi_coder *c)
{
    uint8_t bytes[WSPI_DCE_MAP_MOST];
    size_t n;

    if (!c->fill)
        return; /* the rest of the body, whatever it is */
    n = sampled_stub(c, 0, bytes);
    if (is_of(c, WSPI_DCE_MAPPER) || is_of(c, WSPI_DCE_OXID))
        put_stub(c, bytes, n);
    else
        wspi_app_opaque(c, n);
}

/* Samples ask for the context that was accepted, which a token tells where that is another one than before. */
static void asked_context(wspi_coder *c, const pdu *p, uint64_t last)
{
    uint64_t v = accepted(c);

    if (!c->fill || v == last) {
        (void)expected(c, p, CONTEXT, 2, last);
        return;
    }
    wspi_app_only(c, wspi_bin(v, fields[CONTEXT].mantissa), 1);
    (void)wspi_app_code(c, CONTEXT, false, 0, v);
    wspi_dce_put(c, 2, p->little, v);
}

/* The operation comes last in a request, but says most. */
static void request(wspi_coder *c, const pdu *p)
{
    size_t object = p->flags & OBJECT ? WSPI_DCE_UUID : 0;
    bool known = is_of(c, WSPI_DCE_MAPPER) || is_of(c, WSPI_DCE_OXID);
    uint64_t last;

    (void)expected(c, p, HINT, 4, stub_len(c, p, 8 + object));
    (void)wspi_app_last(c, true, CONTEXT, &last);
    asked_context(c, p, last);
    wspi_app_only(c, known ? EPT_MAP : 0, known ? 1 : 32);
    wspi_dce_operation(c, OPERATION, fields[OPERATION].width, p->little, false, 0);
    if (are_here(c, p, object))
        wspi_app_opaque(c, object);
    stub(c);
}

static void response(wspi_coder *c, const pdu *p)
{
    bool fault = p->type == WSPI_DCE_FAULT;
    uint64_t asked;

    (void)expected(c, p, HINT, 4, fault && c->fill ? 0 : stub_len(c, p, fault ? 16 : 8));
    (void)wspi_app_last(c, false, CONTEXT, &asked);
    (void)expected(c, p, CONTEXT, 2, asked);
    wspi_dce_quiet(c, 2);
    if (fault) {
        wspi_app_only(c, 0, 6);
        (void)field(c, p, STATUS, 4, false, 0);
        wspi_dce_quiet(c, 4);
    } else {
        stub(c);
    }
}

/* ---- PDUs ---- */

typedef void body_fn(wspi_coder *c, const pdu *p);
static body_fn *const bodies[WSPI_DCE_RTS + 1] = {
    [WSPI_DCE_REQUEST] = request,    [WSPI_DCE_RESPONSE] = response, [WSPI_DCE_FAULT] = response,
    [WSPI_DCE_BIND] = bind,          [WSPI_DCE_ALTER] = bind,        [WSPI_DCE_BIND_ACK] = bind_ack,
    [WSPI_DCE_ALTER_ACK] = bind_ack, [WSPI_DCE_BIND_NAK] = bind_nak,
};

static bool is_call(uint64_t is)
{
    return is == WSPI_DCE_REQUEST || is == WSPI_DCE_RESPONSE || is == WSPI_DCE_FAULT;
}

/* What the direction's last PDU had, or else the peer's; true if there was one. */
static bool last_of_flow(const wspi_coder *c, unsigned f, uint64_t *v)
{
    return wspi_app_last(c, true, f, v) || wspi_app_last(c, false, f, v);
}

/*
 * An answer has the number of its call; a client's first request that of its bind, then each call the next one. Samples may
 * count from 1, and leave one out.
 */
static void call_number(wspi_coder *c, const pdu *p, uint64_t was, uint64_t had)
{
    uint64_t want = FIRST_CALL, last = c->app.v[c->dir][CALL], v;
    bool asks = p->type == WSPI_DCE_REQUEST || p->type == WSPI_DCE_BIND ||
                p->type == WSPI_DCE_ALTER || p->type == WSPI_DCE_AUTH3;

    if (!asks)
        (void)(wspi_app_last(c, false, CALL, &want) || wspi_app_last(c, true, CALL, &want));
    else if (last)
        want = was == WSPI_DCE_REQUEST && had & LAST && p->type != WSPI_DCE_AUTH3 ? last + 1 : last;
    want &= UINT32_MAX;
    if (!c->fill || c->dir == 1) {
        (void)expected(c, p, CALL, 4, want);
        return;
    }
    v = wspi_app_either(c, CALL, false, want,
                        p->type == WSPI_DCE_BIND ? 1 : (want + 1) & UINT32_MAX);
    wspi_dce_put(c, 4, p->little, v);
}

/*
 * The head. `was` and `had`: type and flags of the direction's last PDU. Only requests and responses go on with a length of
 * their verifiers, which c->app.mode remembers.
 */
static void head(wspi_coder *c, pdu *p, uint64_t was, uint64_t had)
{
    uint64_t v = wspi_app_get(c, 8), want = WSPI_DCE_LITTLE, room, len;

    if (!last_of_flow(c, FORM, &want))
        want = WSPI_DCE_LITTLE;
    if (c->app.v[c->dir][CALL])
        want = c->app.v[c->dir][FORM];
    wspi_app_only(c, 0, 0);
    v = wspi_app_code(c, FORM, true, want, (v >> 48 & 255) << 16 | (v >> 16 & 0xffff)) |
        (v >> 32 & 255) << 32;
    wspi_app_require(c, (v >> 16 & 0xffff) <= 1);
    p->little = wspi_dce_little(v);
    if (is_call(p->type))
        wspi_app_only(c, 0, 0);
    else
        wspi_app_only(c, 1, 1);
    p->flags = wspi_app_code(c, FLAGS, true,
                             is_call(p->type) ? WHOLE | (was == p->type ? had & OBJECT : 0) : WHOLE,
                             v >> 32);
    wspi_app_put(c, 8,
                 (uint64_t)FIVE << 56 | (v >> 16 & 1) << 48 | p->type << 40 | p->flags << 32 |
                     (v & 0xffff) << 16);
    room = p->start + HEAD - 8 <= c->pay.wire ? c->pay.wire - p->start : 0;
    len = expected(c, p, LENGTH, 2, WSPI_MIN(room, (uint64_t)UINT16_MAX));
    p->auth = expected(c, p, AUTH_LENGTH, 2, is_call(p->type) ? c->app.mode[c->dir] : 0);
    p->end = p->start + (size_t)len;
    p->stop = p->end - (p->auth ? VERIFIER + (size_t)p->auth : 0);
    wspi_app_require(c, c->fill || len >= least_of(p->type) + (p->end - p->stop));
    if (is_call(p->type))
        c->app.mode[c->dir] = (uint8_t)WSPI_MIN(p->auth, (uint64_t)UINT8_MAX);
    call_number(c, p, was, had);
}

/* The verifier is all here, and it tells how much of the body is padding before the body is told. */
static void padding(wspi_coder *c, pdu *p)
{
    size_t need = p->stop - c->pay.at + VERIFIER;

    p->padded = p->auth && !c->fill && !wspi_app_stopped(c) && wspi_app_captured(c) >= need;
    if (p->padded)
        (void)wspi_app_code(c, PADDING, false, 0, c->enc ? c->pay.in[p->stop + 2] : 0);
}

static void verifier(wspi_coder *c)
{
    uint64_t want = 0, v;

    (void)last_of_flow(c, AUTH, &want);
    if (c->app.v[c->dir][AUTH])
        want = c->app.v[c->dir][AUTH];
    v = wspi_app_code(c, AUTH, true, want, wspi_app_get(c, 2));
    wspi_app_put(c, 2, v);
    (void)wspi_app_get(c, 1);
    wspi_app_put(c, 1, c->app.v[c->dir][PADDING]);
    wspi_app_opaque(c, 5);
}

/* Up to `end`, as far as the segment goes. */
static void opaque_to(wspi_coder *c, size_t end)
{
    if (!wspi_app_stopped(c) && end > c->pay.at)
        wspi_app_opaque(c, WSPI_MIN(end - c->pay.at, wspi_app_left(c)));
}

/* The length of a sample, now that it is known. */
static void set_length(wspi_coder *c, const pdu *p)
{
    size_t len = c->pay.at - p->start;

    if (wspi_app_stopped(c))
        return;
    if (p->start + 10 > c->pay.out->len || len > UINT16_MAX) {
        c->bad = true;
        return;
    }
    c->pay.out->data[p->start + 8] = (uint8_t)(p->little ? len : len >> 8);
    c->pay.out->data[p->start + 9] = (uint8_t)(p->little ? len >> 8 : len);
}

/* A PDU whose type has been coded. */
static void one_pdu(wspi_coder *c, uint64_t is, uint64_t was, uint64_t had)
{
    pdu p = {.type = is, .start = c->pay.at};

    wspi_app_require(c, is <= WSPI_DCE_RTS);
    head(c, &p, was, had);
    if (wspi_app_stopped(c))
        return;
    if (c->fill) {
        p.end = p.stop = FAR;
        p.auth = 0;
    }
    padding(c, &p);
    if (bodies[is] && are_here(c, &p, least_of(is) - HEAD))
        bodies[is](c, &p);
    if (c->fill) {
        set_length(c, &p);
        return;
    }
    opaque_to(c, p.stop);
    if (p.padded && !wspi_app_stopped(c))
        verifier(c);
    opaque_to(c, p.end);
    if (!wspi_app_stopped(c) && p.end > c->pay.at)
        c->app.left[c->dir] = (uint32_t)(p.end - c->pay.at);
}

static bool is_ahead(const wspi_coder *c)
{
    return c->enc && !wspi_app_stopped(c) && looks(c->pay.in + c->pay.at, wspi_app_captured(c));
}

/* Type and flags of the direction's PDU before the next one. */
static void next_pdu(wspi_coder *c, uint64_t was, uint64_t is)
{
    one_pdu(c, is, was, c->app.v[c->dir][FLAGS]);
}

static void walk(wspi_coder *c)
{
    uint32_t *left = &c->app.left[c->dir];
    uint32_t n = (uint32_t)WSPI_MIN(*left, wspi_app_left(c));
    uint64_t is = 0, was = c->app.v[c->dir][TYPE];
    bool there;

    if (c->fill)
        *left = n = 0;
    *left -= n;
    wspi_app_opaque(c, n);
    if (n == 0) {
        there = is_ahead(c);
        wspi_app_require(c, !c->enc || there);
        only_in_turn(c);
        next_pdu(c, was, wspi_app_code(c, TYPE, false, 0, there ? c->pay.in[2] : 0));
    }
    for (int i = 0; i < MAX_PDUS && !wspi_app_stopped(c) && *left == 0 && !c->fill; i++) {
        was = c->app.v[c->dir][TYPE];
        there = is_ahead(c);
        is = there ? c->pay.in[c->pay.at + 2] : 0;
        if (!wspi_app_next(c, TYPE, there, &is))
            return;
        c->app.v[c->dir][TYPE] = is;
        next_pdu(c, was, is);
    }
}

const wspi_app wspi_app_dcerpc = {
    .proto = {.name = "dcerpc", .fields = fields, .n_fields = WSPI_COUNT(fields)},
    .over = WSPI_OVER_TCP,
    .looks = looks,
    .walk = walk,
    .ports = {135},
    .turns = WSPI_IN_TURN,
    .changes = UINT64_C(1) << CALL,
};
