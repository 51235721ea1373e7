/* SPDX-License-Identifier: Apache-2.0 */
/*
 * oncrpc.c: calls and replies of ONC RPC (RFC 5531), which NFS, its mounts and the port mapper speak, over UDP and, behind a
 * record mark, TCP. Words are big-endian, 32 bits:
 * | [last fragment 1 | length 31] | xid | 0: call | 2 | program | version | procedure | credentials | verifier | arguments |
 * | [last fragment 1 | length 31] | xid | 1: reply | 0: accepted | verifier | state | results |   or   | 1: denied | ... |
 * credentials, verifier:  | flavor | length | bytes, to a multiple of 4 |
 * What is in credentials, arguments and results is opaque.
 */
#include "token/app/app.h"

enum {
    MARK,
    KIND,
    XID,
    PROGRAM,
    VERSION_OF,
    PROCEDURE,
    FLAVOR,
    CREDENTIALS,
    VERIFIER,
    VERIFIER_LEN,
    ACCEPTED,
    STATE
};

enum { CALL, REPLY };
enum { AUTH_NONE, AUTH_UNIX };
enum { RPC_VERSION = 2, CALL_LEN = 40, REPLY_LEN = 12, WORD_LEN = 4, MAX_AUTH = 400 };
enum { PORT_MAPPER = 100000, NFS = 100003, PORT_OF_MAPPER = 111, PORT_OF_NFS = 2049 };
#define LAST_FRAGMENT UINT64_C(0x80000000)

static const wspi_value kind[] = {{CALL, "call"}, {REPLY, "reply"}, {0, NULL}};
static const wspi_value program[] = {{PORT_MAPPER, "portmap"}, {NFS, "nfs"},
                                     {100005, "mount"},        {100021, "nlockmgr"},
                                     {100024, "status"},       {100227, "nfs-acl"},
                                     {100011, "rquota"},       {100004, "ypserv"},
                                     {100007, "ypbind"},       {0, NULL}};
static const wspi_value flavor[] = {{0, "none"},  {1, "unix"}, {6, "gss"},
                                    {2, "short"}, {3, "dh"},   {0, NULL}};
static const wspi_value accepted[] = {{0, "accepted"}, {1, "denied"}, {0, NULL}};
static const wspi_value state[] = {
    {0, "success"}, {1, "no-program"}, {2, "no-version"}, {3, "no-procedure"},
    {4, "garbage"}, {5, "system"},     {0, NULL}};

static const wspi_field fields[] = {
    [MARK] = {WSPI_MAG("rpc.mark", 32, WSPI_R_NONE, 0)},
    [KIND] = {WSPI_ENUM("rpc.kind", 32, kind)},
    [XID] = {WSPI_FREE("rpc.xid", 32, WSPI_P_MIRROR, WSPI_R_NUMBER), .arg = XID},
    [PROGRAM] = {WSPI_ENUM("rpc.program", 32, program)},
    [VERSION_OF] = {WSPI_MAG("rpc.version", 32, WSPI_R_NONE, 1), .pred = WSPI_P_PREV},
    [PROCEDURE] = {WSPI_MAG("rpc.procedure", 32, WSPI_R_NONE, 2)},
    [FLAVOR] = {WSPI_ENUM("rpc.flavor", 32, flavor)},
    [CREDENTIALS] = {WSPI_MAG("rpc.credentials", 32, WSPI_R_NONE, 1), .pred = WSPI_P_PREV},
    [VERIFIER] = {WSPI_ENUM("rpc.verifier", 32, flavor)},
    [VERIFIER_LEN] = {WSPI_MAG("rpc.verifier_length", 32, WSPI_R_NONE, 0), .pred = WSPI_P_PREV},
    [ACCEPTED] = {WSPI_ENUM("rpc.accepted", 32, accepted)},
    [STATE] = {WSPI_ENUM("rpc.state", 32, state)},
};

/* ---- samples: a flow is of one user, and about one file ---- */

enum { OF_USER, OF_HANDLE, OF_FILE };
enum { HANDLE_WORDS = 8, SECOND = 1000000000, YEAR = 1 << 25 };
enum { MACHINE = 8, UNIX_LEN = 32 };

static void word(wspi_coder *c, uint64_t v)
{
    wspi_app_put(c, WORD_LEN, v & UINT32_MAX);
}

static void handle(wspi_coder *c)
{
    wspi_rng r = wspi_app_of_flow(c, OF_HANDLE);

    for (int i = 0; i < HANDLE_WORDS; i++)
        word(c, wspi_rng_u64(&r));
}

/* Users and groups begin with the same number. */
static uint64_t user(const wspi_coder *c)
{
    wspi_rng r = wspi_app_of_flow(c, OF_USER);

    return 1000 + wspi_rng_below(&r, 50);
}

/* RFC 5531 appendix A: stamp, machine, user, group, one more group. */
static void unix_credentials(wspi_coder *c)
{
    wspi_rng r = wspi_app_of_flow(c, OF_USER);
    uint64_t id = user(c);

    word(c, wspi_rng_u64(&r));
    word(c, MACHINE);
    for (int i = 0; i < MACHINE; i++)
        wspi_app_put(c, 1, 'a' + wspi_rng_below(&r, 26));
    word(c, id);
    word(c, id);
    word(c, 1);
    word(c, id);
}

/* RFC 1813 2.6, behind the type: a file that was there before the flow, and that nobody changes. */
static void attributes(wspi_coder *c)
{
    static const uint16_t modes[] = {0644, 0600, 0664, 0755};
    wspi_rng r = wspi_app_of_flow(c, OF_FILE);
    uint64_t id = user(c), size = wspi_rng_below(&r, 1 << 20);
    uint64_t then = c->fill->start_ns / SECOND;

    then -= WSPI_MIN(then, wspi_rng_below(&r, YEAR));
    word(c, modes[wspi_rng_below(&r, WSPI_COUNT(modes))]);
    word(c, 1); /* link */
    word(c, id);
    word(c, id);
    wspi_app_put(c, 8, size);
    wspi_app_put(c, 8, (size + 4095) & ~UINT64_C(4095));
    wspi_app_put(c, 8, 0);
    wspi_app_put(c, 8, wspi_rng_u64(&r));            /* file system */
    wspi_app_put(c, 8, wspi_rng_below(&r, 1 << 24)); /* file */
    for (int i = 0; i < 3; i++) {
        word(c, then);
        word(c, 0);
    }
}

/*
 * A program on its port, its version, the procedures that are called (the first one and how many), and what they send and get: words,
 * and what is made up.
 */
enum { MAX_WORDS = 4 };
typedef struct body {
    uint32_t words[MAX_WORDS];
    uint8_t n;
    void (*more)(wspi_coder *c);
} body;
typedef struct service {
    uint16_t port;
    uint8_t program, version, first, count;
    body call[2], reply[2];
} service;
static const service services[] = {
    /* which port has NFS? */
    {PORT_OF_MAPPER, 0, 2, 3, 1, {{{NFS, 3, 17, 0}, 4, NULL}}, {{{PORT_OF_NFS}, 1, NULL}}},
    /* nothing; attributes of a file: its handle; success, a file, its attributes (RFC 1813 3.3.0, 3.3.1) */
    {PORT_OF_NFS,
     1,
     3,
     0,
     2,
     {{{0}, 0, NULL}, {{32}, 1, handle}},
     {{{0}, 0, NULL}, {{0, 1}, 2, attributes}}},
};

static uint32_t word_at(const uint8_t *b, size_t i)
{
    return (uint32_t)wspi_load_be(b + WORD_LEN * i, WORD_LEN);
}

/* A call to a program that is known, or a reply where there were calls. */
static bool is_message(const wspi_coder *c, const uint8_t *b, size_t n)
{
    const wspi_app_state *s = &c->ctx->app;

    if (n < REPLY_LEN)
        return false;
    if (word_at(b, 1) == REPLY)
        return (s->id[0] == WSPI_APP_RPC || s->id[1] == WSPI_APP_RPC) && word_at(b, 2) <= 1;
    if (n < CALL_LEN || word_at(b, 1) != CALL || word_at(b, 2) != RPC_VERSION)
        return false;
    return wspi_app_is_listed(program, word_at(b, 3));
}

static bool takes(const wspi_coder *c)
{
    size_t mark = wspi_app_is_stream(c) ? WORD_LEN : 0;

    return c->pay.end > mark && is_message(c, c->pay.in + mark, c->pay.end - mark);
}

/* ---- samples ---- */

static const service *service_of(const wspi_coder *c)
{
    const wspi_layer *l = &c->p->layers[c->p->n_layers - 1];

    for (size_t i = 0; i < c->p->n_layers; i++)
        if (c->p->layers[i].id == WSPI_TCP || c->p->layers[i].id == WSPI_UDP)
            l = &c->p->layers[i];
    return l->v[0] == PORT_OF_MAPPER || l->v[1] == PORT_OF_MAPPER ? &services[0] : &services[1];
}

static void sampled_body(wspi_coder *c, bool reply, uint64_t procedure)
{
    const service *s = service_of(c);
    const body *b;

    if (wspi_app_stopped(c))
        return;
    procedure = procedure >= s->first && procedure - s->first < s->count ? procedure - s->first : 0;
    b = reply ? &s->reply[procedure] : &s->call[procedure];
    for (size_t i = 0; i < b->n; i++)
        wspi_app_put(c, WORD_LEN, b->words[i]);
    if (b->more)
        b->more(c);
}

/* ---- the walk ---- */

/* A word that both sides know. */
static void fixed(wspi_coder *c, uint64_t is)
{
    uint64_t v = wspi_app_get(c, WORD_LEN);

    wspi_app_require(c, !c->enc || v == is);
    wspi_app_put(c, WORD_LEN, is);
}

static uint64_t told(wspi_coder *c, unsigned f, unsigned from, unsigned count)
{
    wspi_app_only(c, from, count);
    return wspi_app_field(c, f, WORD_LEN, false, 0);
}

/* As the direction's last one was; samples have `due`, the least of its class. */
static uint64_t as_before(wspi_coder *c, unsigned f, uint64_t due)
{
    unsigned m = fields[f].mantissa;
    uint64_t want, v = wspi_app_get(c, WORD_LEN);
    bool known;

    (void)wspi_app_last(c, true, f, &want);
    known = !c->fill || want == due;
    wspi_app_only(c, wspi_bin(due, m), !known);
    v = wspi_app_code(c, f, known, want, v);
    if (c->fill && !wspi_app_stopped(c) && wspi_bin(v, m) == wspi_bin(due, m))
        c->app.v[c->dir][f] = v = due;
    wspi_app_put(c, WORD_LEN, v);
    return v;
}

/* Samples: who asks about a file says who he is, nobody else does. */
static void authentication(wspi_coder *c, unsigned is, unsigned length)
{
    bool says = is == FLAVOR && c->app.v[c->dir][PROGRAM] == NFS && c->app.v[c->dir][PROCEDURE];
    uint64_t n;

    (void)told(c, is, says ? AUTH_UNIX : AUTH_NONE, 1);
    n = as_before(c, length, says ? UNIX_LEN : 0);
    wspi_app_require(c, n <= MAX_AUTH);
    if (c->fill && says && n == UNIX_LEN)
        unix_credentials(c);
    else if (!wspi_app_stopped(c))
        wspi_app_opaque(c, (size_t)((n + 3) & ~UINT64_C(3)));
}

/* What there is of the message behind its head: its end may come in the next segments. */
static void rest(wspi_coder *c, size_t end)
{
    size_t left = wspi_app_left(c), n = end > c->pay.at ? end - c->pay.at : 0;

    if (wspi_app_stopped(c))
        return;
    wspi_app_opaque(c, WSPI_MIN(n, left));
    if (n > left)
        c->app.left[c->dir] = (uint32_t)WSPI_MIN(n - left, UINT32_MAX);
    else
        wspi_app_opaque(c, left - n); /* other messages */
}

static void call(wspi_coder *c)
{
    const service *s = c->fill ? service_of(c) : &services[0];

    fixed(c, RPC_VERSION);
    (void)told(c, PROGRAM, s->program, 1);
    (void)told(c, VERSION_OF, s->version, 1);
    (void)told(c, PROCEDURE, s->first, s->count);
    authentication(c, FLAVOR, CREDENTIALS);
    authentication(c, VERIFIER, VERIFIER_LEN);
    if (c->fill)
        sampled_body(c, false, c->app.v[c->dir][PROCEDURE]);
}

static void reply(wspi_coder *c)
{
    uint64_t asked;

    if (told(c, ACCEPTED, 0, 1) == 0) {
        authentication(c, VERIFIER, VERIFIER_LEN);
        (void)told(c, STATE, 0, 1);
    }
    (void)wspi_app_last(c, false, PROCEDURE, &asked);
    if (c->fill)
        sampled_body(c, true, asked);
}

/* A reply has the number of its call; a call counts up. */
static void message(wspi_coder *c)
{
    uint64_t xid = wspi_app_get(c, WORD_LEN), is = wspi_app_get(c, WORD_LEN), want = 0;
    bool known;

    wspi_app_only(c, c->dir ? REPLY : CALL, 1);
    is = wspi_app_code(c, KIND, false, 0, is);
    wspi_app_require(c, is <= REPLY);
    known = wspi_app_last(c, is == CALL, XID, &want);
    xid = wspi_app_code(c, XID, known, is == CALL ? (want + 1) & UINT32_MAX : want, xid);
    wspi_app_put(c, WORD_LEN, xid);
    wspi_app_put(c, WORD_LEN, is);
    if (is == CALL)
        call(c);
    else
        reply(c);
}

/* The record mark of a sample, whose length is known at its end. */
static void set_mark(wspi_coder *c, size_t at)
{
    uint64_t v = LAST_FRAGMENT | (c->pay.at - at - WORD_LEN);

    if (wspi_app_stopped(c) || c->pay.out->len < at + WORD_LEN)
        return;
    for (size_t i = 0; i < WORD_LEN; i++)
        c->pay.out->data[at + i] = (uint8_t)(v >> 8 * (WORD_LEN - 1 - i));
}

static void walk(wspi_coder *c)
{
    uint32_t *left = &c->app.left[c->dir];
    size_t at = c->pay.at, end = at + wspi_app_left(c);
    uint64_t v;

    if (*left && !c->fill) {
        size_t n = WSPI_MIN(*left, wspi_app_left(c));
        *left -= (uint32_t)n;
        wspi_app_opaque(c, wspi_app_left(c));
        return;
    }
    *left = 0;
    if (wspi_app_is_stream(c)) {
        v = wspi_app_get(c, WORD_LEN);
        wspi_app_only(c, 0, 0);
        v = wspi_app_code(c, MARK, true,
                          LAST_FRAGMENT | (wspi_app_left(c) - (c->enc ? 0 : WORD_LEN)), v);
        wspi_app_put(c, WORD_LEN, v);
        end = at + WORD_LEN + (size_t)(v & ~LAST_FRAGMENT);
    }
    wspi_app_require(c, !c->enc || is_message(c, c->pay.in + c->pay.at, wspi_app_captured(c)));
    message(c);
    if (!c->fill)
        rest(c, end);
    else if (wspi_app_is_stream(c))
        set_mark(c, at);
}

const wspi_app wspi_app_rpc = {
    .proto = {.name = "rpc", .fields = fields, .n_fields = WSPI_COUNT(fields)},
    .over = WSPI_OVER_TCP | WSPI_OVER_UDP,
    .takes = takes,
    .walk = walk,
    .ports = {PORT_OF_MAPPER, PORT_OF_NFS},
    .ports_only = true,
    .turns = WSPI_IN_TURN,
};
