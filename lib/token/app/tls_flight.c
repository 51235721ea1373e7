/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tls_flight.c: what samples of TLS up to 1.2 say when, after the hellos (RFC 5246 7.3, RFC 5077 3.1): the server shows
 * its certificates and its share of the keys, the client answers with its own, and both change the cipher. A handshake has stages;
 * messages lead from one to another.
 */
#include "token/app/tls_flight.h"

#include "token/app/tls_cert.h"

#define AT(stage)  (1u << (stage))
#define AT_2(a, b) (AT(a) | AT(b))

static const struct turn {
    uint16_t type;
    bool server;
    uint16_t when; /* stages, as bits */
    uint8_t then;
} turns[] = {
    {WSPI_TLS_CLIENT_HELLO, false, AT(WSPI_TLS_NEW), WSPI_TLS_ASKED},
    {WSPI_TLS_SERVER_HELLO, true, AT(WSPI_TLS_ASKED), WSPI_TLS_ANSWERED},
    {WSPI_TLS_CERTIFICATE, true, AT(WSPI_TLS_ANSWERED), WSPI_TLS_CERTIFIED},
    {WSPI_TLS_STATUS, true, AT(WSPI_TLS_STAPLING), WSPI_TLS_CERTIFIED},
    {WSPI_TLS_SERVER_KEY, true, AT(WSPI_TLS_CERTIFIED), WSPI_TLS_KEYED},
    {WSPI_TLS_SERVER_DONE, true, AT(WSPI_TLS_KEYED), WSPI_TLS_DONE},
    {WSPI_TLS_CLIENT_KEY, false, AT(WSPI_TLS_DONE), WSPI_TLS_CLIENT_KEYED},
    {WSPI_TLS_CHANGE, false, AT(WSPI_TLS_CLIENT_KEYED), WSPI_TLS_CHANGED},
    /* Of a session that goes on (RFC 5077 3.1, figure 2), too. */
    {WSPI_TLS_TICKET, true, AT_2(WSPI_TLS_ANSWERED, WSPI_TLS_CHANGED), WSPI_TLS_TICKETED},
};

enum { NOBODY = -2, ANYBODY, CLIENT, SERVER };
enum {
    DATA = WSPI_TLS_IS_DATA,
    MESSAGE = WSPI_TLS_IS_MESSAGE,
    CHANGE = WSPI_TLS_IS_CHANGE,
    ALERT = WSPI_TLS_IS_ALERT
};

/*
 * By stage: who speaks, and records of that side, or of the server where anybody does. A server refuses a hello, a client
 * a certificate; other alerts are sealed.
 */
static const struct stage {
    int8_t speaker;
    uint8_t records;
} stages[] = {
    [WSPI_TLS_NEW] = {ANYBODY, DATA | MESSAGE | CHANGE | ALERT},
    [WSPI_TLS_ASKED] = {SERVER, MESSAGE | ALERT},
    [WSPI_TLS_ANSWERED] = {SERVER, MESSAGE | CHANGE},
    [WSPI_TLS_CERTIFIED] = {SERVER, MESSAGE},
    [WSPI_TLS_KEYED] = {SERVER, MESSAGE},
    [WSPI_TLS_DONE] = {CLIENT, MESSAGE | ALERT},
    [WSPI_TLS_CLIENT_KEYED] = {CLIENT, CHANGE},
    [WSPI_TLS_CHANGED] = {ANYBODY, MESSAGE | CHANGE},
    [WSPI_TLS_TICKETED] = {SERVER, CHANGE},
    [WSPI_TLS_OPEN] = {ANYBODY, DATA | MESSAGE | CHANGE | ALERT},
    [WSPI_TLS_REFUSED] = {NOBODY, DATA | MESSAGE | CHANGE | ALERT},
    [WSPI_TLS_STAPLING] = {SERVER, MESSAGE},
};

/* How keys are agreed on: ECDHE, signed with RSA, if it is not one of these. */
enum {
    ECDHE = WSPI_TLS_ECDHE,
    ECDHE_ECDSA = WSPI_TLS_ECDHE_ECDSA,
    DHE = WSPI_TLS_DHE,
    RSA = WSPI_TLS_RSA,
    UNTOLD = WSPI_TLS_UNTOLD
};
static const struct suite {
    uint16_t cipher;
    uint8_t exchange;
} suites[] = {
    {0xc02b, ECDHE_ECDSA}, {0xc02c, ECDHE_ECDSA}, {0xcca9, ECDHE_ECDSA}, {0xc009, ECDHE_ECDSA},
    {0xc00a, ECDHE_ECDSA}, {0xc023, ECDHE_ECDSA}, {0xc024, ECDHE_ECDSA}, {0xc0ac, ECDHE_ECDSA},
    {0xc0ad, ECDHE_ECDSA}, {0xc0ae, ECDHE_ECDSA}, {0xc0a8, UNTOLD},      {0xc007, ECDHE_ECDSA},
    {0xc008, ECDHE_ECDSA}, {0xcc14, ECDHE_ECDSA}, {0x0033, DHE},         {0x0039, DHE},
    {0x009e, DHE},         {0x009f, DHE},         {0x0067, DHE},         {0x006b, DHE},
    {0xccaa, DHE},         {0x0016, DHE},         {0x009c, RSA},         {0x009d, RSA},
    {0x002f, RSA},         {0x0035, RSA},         {0x000a, RSA},         {0x003c, RSA},
    {0x003d, RSA},         {0x0005, RSA},         {0x0004, RSA},         {0x0041, RSA},
    {0x0084, RSA},         {0xc09c, RSA},         {0xc09d, RSA},         {0x00ff, UNTOLD},
    {0x5600, UNTOLD},      {0x0032, UNTOLD},      {0x0038, UNTOLD},      {0x0013, UNTOLD},
    {0x0040, UNTOLD},      {0x006a, UNTOLD},      {0x1301, UNTOLD},      {0x1302, UNTOLD},
    {0x1303, UNTOLD},      {0x1304, UNTOLD}};

unsigned wspi_tls_exchange(uint16_t cipher)
{
    for (size_t i = 0; i < WSPI_COUNT(suites); i++)
        if (suites[i].cipher == cipher)
            return suites[i].exchange;
    return ECDHE;
}

/* ---- turns ---- */

static const struct turn *find(unsigned stage, bool server, unsigned type)
{
    for (size_t i = 0; i < WSPI_COUNT(turns); i++)
        if (turns[i].type == type && turns[i].server == server && turns[i].when >> stage & 1)
            return &turns[i];
    return NULL;
}

/* A ticket comes where one was promised (RFC 5077 3.3), and instead of certificates only where a session goes on. */
bool wspi_tls_may_say(unsigned stage, const wspi_tls_turn *turn, unsigned type)
{
    if (type == WSPI_TLS_TICKET &&
        (!turn->tickets || (stage == WSPI_TLS_ANSWERED && !turn->resumes)))
        return false;
    return find(stage, turn->server, type) != NULL;
}

bool wspi_tls_has_more(unsigned stage, const wspi_tls_turn *turn)
{
    for (size_t i = 0; i < WSPI_COUNT(turns); i++)
        if (turns[i].type > WSPI_TLS_SERVER_HELLO && turns[i].type < WSPI_TLS_CHANGE &&
            wspi_tls_may_say(stage, turn, turns[i].type))
            return true;
    return false;
}

/* SSL 3, TLS 1.3 by its number, and what has no certificates of RSA or ECDSA: all that follows is sealed. */
static bool is_untold(const wspi_tls_turn *turn)
{
    return turn->secret || turn->version < 0x0301 || turn->version > 0x0303 ||
           wspi_tls_exchange(turn->cipher) == UNTOLD;
}

unsigned wspi_tls_after(unsigned stage, const wspi_tls_turn *turn, unsigned type)
{
    const struct turn *t = find(stage, turn->server, type);

    if (type == WSPI_TLS_FATAL)
        return WSPI_TLS_REFUSED;
    if (type == WSPI_TLS_CHANGE && !t)
        return WSPI_TLS_OPEN;
    if (!t)
        return stage;
    if (type == WSPI_TLS_SERVER_HELLO && is_untold(turn))
        return WSPI_TLS_OPEN;
    if (type == WSPI_TLS_CERTIFICATE && turn->staples)
        return WSPI_TLS_STAPLING;
    if ((type == WSPI_TLS_CERTIFICATE || type == WSPI_TLS_STATUS) &&
        wspi_tls_exchange(turn->cipher) == RSA)
        return WSPI_TLS_KEYED; /* by the certificate */
    return t->then;
}

int wspi_tls_speaker(unsigned stage)
{
    return stage < WSPI_COUNT(stages) ? stages[stage].speaker : ANYBODY;
}

/* The server's cipher changes behind the ticket that it has promised, and without certificates only where a session goes on. */
unsigned wspi_tls_records(unsigned stage, const wspi_tls_turn *turn)
{
    const struct stage *s = &stages[stage < WSPI_COUNT(stages) ? stage : WSPI_TLS_OPEN];

    if (s->speaker != (turn->server ? SERVER : CLIENT) && !(s->speaker == ANYBODY && turn->server))
        return stages[WSPI_TLS_OPEN].records;
    if (stage == WSPI_TLS_CHANGED)
        return turn->tickets ? MESSAGE : CHANGE;
    if (stage == WSPI_TLS_ANSWERED && (turn->tickets || !turn->resumes))
        return s->records & ~(unsigned)CHANGE;
    return s->records;
}

bool wspi_tls_may_refuse(unsigned stage, bool server)
{
    return stage == (server ? WSPI_TLS_ASKED : WSPI_TLS_DONE);
}

/* Of a server mostly handshake_failure, else protocol_version or internal_error; of a client bad_certificate or unknown_ca. */
uint16_t wspi_tls_refusal(const wspi_tls_turn *turn)
{
    static const uint8_t of_server[] = {40, 40, 70, 80}, of_client[] = {42, 46, 48, 48};
    wspi_rng r;

    wspi_rng_seed(&r, turn->seed + turn->server);
    return 0x0200 | (turn->server ? of_server : of_client)[wspi_rng_below(&r, 4)];
}

/* ---- bodies ---- */

typedef struct out {
    uint8_t *b;
    size_t n;
    wspi_rng r;
    const wspi_tls_turn *turn;
} out;

static void put(out *o, size_t n, uint64_t v)
{
    for (size_t i = n; i-- > 0 && o->n < WSPI_TLS_BODY_MAX;)
        o->b[o->n++] = (uint8_t)(v >> 8 * i);
}

static void put_random(out *o, size_t n)
{
    while (n--)
        put(o, 1, wspi_rng_u64(&o->r) >> 32);
}

enum { RSA_LEN = 256, DH_LEN = 256, X25519 = 29, P256 = 23, X25519_LEN = 32, P256_LEN = 65 };
enum { ECDSA_HALF = 32, ECDSA_LEN = 6 + 2 * ECDSA_HALF };
enum { TICKET_HEAD = 6, TICKET_MIN = 32, TICKET_MAX = 2048 };
enum { LIST_HEAD = 3, CERT_HEAD = 3, CERT_USUAL = 1300, MAX_CHAIN = 3 };

/* Both sides of a connection use one curve: three of four P-256, as up to TLS 1.2 most do, if the client knows it. */
static bool on_p256(const wspi_tls_turn *turn)
{
    if (turn->not_p256 != turn->not_x25519)
        return turn->not_x25519;
    return (turn->seed * 0x9e3779b97f4a7c15u) >> 62 != 0;
}

static size_t point_len(const wspi_tls_turn *turn)
{
    return on_p256(turn) ? P256_LEN : X25519_LEN;
}

/* RFC 8422 5.4: points of P-256 are uncompressed */
static void put_point(out *o)
{
    put(o, 1, point_len(o->turn));
    if (on_p256(o->turn))
        put(o, 1, 4);
    put_random(o, on_p256(o->turn) ? P256_LEN - 1 : X25519_LEN);
}

/* Its algorithm in TLS 1.2 only (RFC 5246 4.7); ECDSA's is a SEQUENCE of two INTEGERs. */
static void put_signature(out *o, bool ecdsa)
{
    uint16_t agreed = ecdsa ? o->turn->ecdsa : o->turn->rsa;

    if (o->turn->version == 0x0303)
        put(o, 2, agreed ? agreed : ecdsa ? 0x0403 : on_p256(o->turn) ? 0x0401 : 0x0804);
    put(o, 2, ecdsa ? ECDSA_LEN : RSA_LEN);
    if (!ecdsa) {
        put_random(o, RSA_LEN);
        return;
    }
    put(o, 2, 0x3000 + ECDSA_LEN - 2);
    for (int half = 0; half < 2; half++) {
        put(o, 3, 0x022040 | (wspi_rng_u64(&o->r) & 0x3f));
        put_random(o, ECDSA_HALF - 1);
    }
}

static size_t signature_len(const wspi_tls_turn *turn, bool ecdsa)
{
    return (turn->version == 0x0303 ? 2u : 0u) + 2 + (ecdsa ? ECDSA_LEN : RSA_LEN);
}

/* RFC 5246 7.4.3: prime, generator, public value */
static void put_dh(out *o)
{
    put(o, 3, DH_LEN << 8 | 0xff);
    put_random(o, DH_LEN - 2);
    put(o, 1, wspi_rng_u64(&o->r) | 1);
    put(o, 3, 0x000102);
    put(o, 3, DH_LEN << 8 | 0x7f);
    put_random(o, DH_LEN - 1);
}

static void server_key(out *o, size_t len)
{
    unsigned exchange = wspi_tls_exchange(o->turn->cipher);

    (void)len;
    if (exchange == DHE) {
        put_dh(o);
    } else {
        put(o, 1, 3); /* a named curve */
        put(o, 2, on_p256(o->turn) ? P256 : X25519);
        put_point(o);
    }
    put_signature(o, exchange == ECDHE_ECDSA);
}

static size_t server_key_len(const wspi_tls_turn *turn, size_t want)
{
    unsigned exchange = wspi_tls_exchange(turn->cipher);

    (void)want;
    return (exchange == DHE ? 2 + DH_LEN + 3 + 2 + DH_LEN : 4 + point_len(turn)) +
           signature_len(turn, exchange == ECDHE_ECDSA);
}

/* RFC 8422 5.7; RFC 5246 7.4.7.1 and 7.4.7.2, whose lengths are alike */
static void client_key(out *o, size_t len)
{
    unsigned exchange = wspi_tls_exchange(o->turn->cipher);

    if (exchange == ECDHE || exchange == ECDHE_ECDSA) {
        put_point(o);
        return;
    }
    put(o, 2, len - 2);
    put_random(o, len - 2);
}

static size_t client_key_len(const wspi_tls_turn *turn, size_t want)
{
    unsigned exchange = wspi_tls_exchange(turn->cipher);

    (void)want;
    return exchange == DHE || exchange == RSA ? 2 + RSA_LEN : 1 + point_len(turn);
}

/* RFC 5077 3.3: for how long, and what only the server reads */
static void ticket(out *o, size_t len)
{
    static const uint32_t seconds[] = {300, 7200, 64800, 86400};

    put(o, 4, seconds[wspi_rng_below(&o->r, WSPI_COUNT(seconds))]);
    put(o, 2, len - TICKET_HEAD);
    put_random(o, len - TICKET_HEAD);
}

static size_t ticket_len(const wspi_tls_turn *turn, size_t want)
{
    (void)turn;
    return WSPI_MIN(WSPI_MAX(want, (size_t)TICKET_HEAD + TICKET_MIN), (size_t)TICKET_MAX);
}

static wspi_cert chain_of(const wspi_tls_turn *turn)
{
    return (wspi_cert){.seed = turn->seed,
                       .start_ns = turn->start_ns,
                       .ec = wspi_tls_exchange(turn->cipher) == ECDHE_ECDSA};
}

/* As many as share the length well; the server's own is the longest. */
static size_t certificate_len(const wspi_tls_turn *turn, size_t want)
{
    size_t least =
        wspi_tls_exchange(turn->cipher) == ECDHE_ECDSA ? WSPI_CERT_MIN_EC : WSPI_CERT_MIN_RSA;

    return WSPI_MIN(WSPI_MAX(want, LIST_HEAD + CERT_HEAD + least), (size_t)WSPI_TLS_BODY_MAX);
}

static void certificate(out *o, size_t len)
{
    wspi_cert cert = chain_of(o->turn);
    size_t all = len - LIST_HEAD, n = WSPI_MIN(WSPI_MAX(all / CERT_USUAL, (size_t)1), MAX_CHAIN);

    put(o, LIST_HEAD, all);
    for (; cert.level < n; cert.level++) {
        size_t take = all / n + (cert.level ? 0 : all % n) - CERT_HEAD;

        put(o, CERT_HEAD, take);
        wspi_cert_make(o->b + o->n, take, &cert);
        o->n += take;
    }
}

enum { STATUS_HEAD = 4, OCSP = 1 };

/* RFC 6066 8: | type 8 | length 24 | OCSP's answer | */
static size_t status_len(const wspi_tls_turn *turn, size_t want)
{
    wspi_cert cert = chain_of(turn);

    return STATUS_HEAD + wspi_cert_status_len(want > STATUS_HEAD ? want - STATUS_HEAD : 0, &cert);
}

static void status(out *o, size_t len)
{
    wspi_cert cert = chain_of(o->turn);

    put(o, 1, OCSP);
    put(o, 3, len - STATUS_HEAD);
    wspi_cert_status_make(o->b + o->n, len - STATUS_HEAD, &cert);
    o->n = len;
}

static size_t nothing_len(const wspi_tls_turn *turn, size_t want)
{
    (void)turn;
    (void)want;
    return 0;
}

static void nothing(out *o, size_t len)
{
    (void)o;
    (void)len;
}

static const struct body {
    uint8_t type;
    size_t (*len)(const wspi_tls_turn *turn, size_t want);
    void (*put)(out *o, size_t len);
} bodies[] = {{WSPI_TLS_CERTIFICATE, certificate_len, certificate},
              {WSPI_TLS_SERVER_KEY, server_key_len, server_key},
              {WSPI_TLS_SERVER_DONE, nothing_len, nothing},
              {WSPI_TLS_CLIENT_KEY, client_key_len, client_key},
              {WSPI_TLS_STATUS, status_len, status},
              {WSPI_TLS_TICKET, ticket_len, ticket}};

bool wspi_tls_body_len(const wspi_tls_turn *turn, unsigned type, size_t want, size_t *len)
{
    for (size_t i = 0; i < WSPI_COUNT(bodies); i++)
        if (bodies[i].type == type) {
            *len = bodies[i].len(turn, want);
            return true;
        }
    return false;
}

void wspi_tls_body(uint8_t b[WSPI_TLS_BODY_MAX], const wspi_tls_turn *turn, unsigned type,
                   size_t len)
{
    out o = {.b = b, .turn = turn};

    wspi_rng_seed(&o.r, turn->seed + type * 4 + turn->server);
    for (size_t i = 0; i < WSPI_COUNT(bodies); i++)
        if (bodies[i].type == type)
            bodies[i].put(&o, len);
}
