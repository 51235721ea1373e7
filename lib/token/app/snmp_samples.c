/* SPDX-License-Identifier: Apache-2.0 */
/*
 * snmp_samples.c: what is hidden in samples of SNMP: identifiers of engines, | enterprise 32 | form 8 | text | (RFC 3411 5), and more
 * bindings, | object | value |, whose lengths take one byte.
 */
#include "token/app/snmp_samples.h"

enum {
    SEQUENCE = 0x30,
    OID = 6,
    OCTETS = 4,
    PIECE = 60,
    LEAST = 16,
    HEADS = 6,
    SHORT_NAME = 10,
    EACH = 112 /* bytes, of which all lengths take one */
};
enum { GET_NEXT = 0xa1, RESPONSE = 0xa2, SET = 0xa3, BULK = 0xa5 };

/* ---- what a direction remembers ---- */

enum { MAX_KEY = 32, MAX_NAME = 23, MAX_ARCS = 31 };
enum { NO_KEY = 0, A_COMMUNITY, AN_ENGINE };

typedef struct name {
    uint8_t len, b[MAX_ARCS];
} name;

/* Bytes alone, so that equal ones are equal as bytes. */
typedef struct memory {
    uint8_t kind, key_len, key[MAX_KEY]; /* a community or an engine */
    uint8_t known;                       /* the names of the last message are all here ... */
    uint8_t n, index;                    /* of those that have tokens; the one under way */
    uint8_t hidden[2];                   /* ... or are derived: bytes of the other bindings */
    uint8_t names[WSPI_SNMP_BINDINGS][1 + MAX_NAME]; /* their lengths first */
} memory;

/* In values of fields that there are not. */
enum { SLOTS = WSPI_APP_FIELDS - WSPI_SNMP_FIELDS };
_Static_assert(sizeof(memory) <= SLOTS * sizeof(uint64_t), "room in the values");

static void recall(const wspi_app_state *a, int dir, memory *m)
{
    memcpy(m, &a->v[dir][WSPI_SNMP_FIELDS], sizeof *m);
}

static void remember(wspi_coder *c, const memory *m)
{
    memcpy(&c->app.v[c->dir][WSPI_SNMP_FIELDS], m, sizeof *m);
}

/* Bytes of the payload that were passed, or NULL where they were not captured. */
static const uint8_t *passed(const wspi_coder *c, size_t at)
{
    if (c->enc)
        return c->pay.at <= c->pay.end ? c->pay.in + at : NULL;
    return c->pay.at <= c->pay.out->len ? c->pay.out->data + at : NULL;
}

static name name_of(const memory *m, unsigned k)
{
    name is = {.len = m->names[k][0]};

    memcpy(is.b, m->names[k] + 1, MAX_NAME);
    return is;
}

/* ---- communities and engines ---- */

static void took_key(wspi_coder *c, uint8_t kind, size_t at)
{
    const uint8_t *b = passed(c, at);
    size_t n = c->pay.at - at;
    memory m;

    recall(&c->app, c->dir, &m);
    m.known = 0;
    if (kind == AN_ENGINE && n == 0) {
        remember(c, &m);
        return;
    }
    memset(m.key, 0, sizeof m.key);
    m.kind = b && n <= sizeof m.key ? kind : NO_KEY;
    m.key_len = m.kind ? (uint8_t)n : 0;
    if (m.kind)
        memcpy(m.key, b, n);
    remember(c, &m);
}

/* The direction's own, else the other one's; its length, 0: there is none. */
static size_t key_of(const wspi_coder *c, uint8_t kind, uint8_t *b)
{
    memory m;

    recall(&c->app, c->dir, &m);
    if (m.kind != kind && c->ctx->app.id[!c->dir] == c->pay.app)
        recall(&c->ctx->app, !c->dir, &m);
    if (m.kind != kind)
        return 0;
    memcpy(b, m.key, m.key_len);
    return m.key_len;
}

static void bytes(wspi_coder *c, const uint8_t *b, size_t n)
{
    for (; n && !c->bad; n--)
        wspi_app_put(c, 1, *b++);
}

static void letters(wspi_coder *c, size_t n)
{
    for (; n && !c->bad; n--)
        wspi_app_put(c, 1, 'a' + wspi_rng_below(&c->rng, 26));
}

void wspi_snmp_took_community(wspi_coder *c, size_t at)
{
    took_key(c, A_COMMUNITY, at);
}

/* As long as the last one, which needs no token. */
bool wspi_snmp_may_community(const wspi_coder *c, unsigned k)
{
    uint8_t b[MAX_KEY];

    (void)k;
    return key_of(c, A_COMMUNITY, b) == 0;
}

void wspi_snmp_community(wspi_coder *c, size_t n)
{
    uint8_t b[MAX_KEY];

    if (key_of(c, A_COMMUNITY, b) == n)
        bytes(c, b, n);
    else
        letters(c, n);
}

void wspi_snmp_took_engine(wspi_coder *c, size_t at)
{
    took_key(c, AN_ENGINE, at);
}

/* A client that does not know the engine yet asks with empty names (RFC 3414 4). */
void wspi_snmp_which_engine(const wspi_coder *c, uint8_t *from, uint8_t *count)
{
    enum { SIX = 5, LENGTHS = 6, MANTISSA = 1 };
    uint8_t b[MAX_KEY];
    size_t n = key_of(c, AN_ENGINE, b);

    *from = n ? (uint8_t)wspi_bin(n, MANTISSA) : c->dir == 0 ? 0 : SIX;
    *count = c->dir == 0 || n ? 1 : LENGTHS;
}

bool wspi_snmp_knows(const wspi_coder *c)
{
    uint8_t b[MAX_KEY];
    memory m;

    if (c->dir == 0)
        return key_of(c, AN_ENGINE, b) > 0;
    recall(&c->ctx->app, 0, &m);
    return c->ctx->app.id[0] == c->pay.app && m.kind == AN_ENGINE;
}

enum { OF_ENGINE, OF_CLOCK, OF_USER };

static size_t user_len(const wspi_coder *c)
{
    wspi_rng r = wspi_app_of_flow(c, OF_USER);

    return wspi_snmp_knows(c) ? 4 + (size_t)wspi_rng_below(&r, 8) : 0;
}

void wspi_snmp_which_user(const wspi_coder *c, uint8_t *from, uint8_t *count)
{
    *from = c->fill ? (uint8_t)wspi_bin(user_len(c), 1) : 0;
    *count = 1;
}

void wspi_snmp_user(wspi_coder *c, size_t n)
{
    wspi_rng r = wspi_app_of_flow(c, OF_USER + 1);
    size_t len = user_len(c);

    n = wspi_bin(n, 1) == wspi_bin(len, 1) ? len : n;
    for (; n && !c->bad; n--)
        wspi_app_put(c, 1, 'a' + wspi_rng_below(&r, 26));
}

void wspi_snmp_engine(wspi_coder *c, size_t n)
{
    uint8_t b[MAX_KEY];
    size_t has = key_of(c, AN_ENGINE, b);

    if (n && has && wspi_bin(n, 1) == wspi_bin(has, 1)) {
        bytes(c, b, has);
        return;
    }
    if (n < 6)
        return;
    wspi_app_put(c, 5, 0x80001f8804); /* Net-SNMP's, in letters */
    letters(c, WSPI_MIN(n, (size_t)MAX_KEY) - 5);
}

/* ---- clocks ---- */

enum { SECOND = 1000000000, HUNDREDTH = SECOND / 100, DAYS = 1 << 23 /* seconds */ };

uint64_t wspi_snmp_boots(const wspi_coder *c)
{
    wspi_rng r = wspi_app_of_flow(c, OF_ENGINE);

    return c->dir == 0 && !wspi_snmp_knows(c) ? 0 : 1 + wspi_rng_below(&r, 100);
}

/* Units of so many nanoseconds since the host has started. */
static uint64_t runs_for(const wspi_coder *c, uint64_t unit)
{
    wspi_rng r = wspi_app_of_flow(c, OF_CLOCK);
    uint64_t now = c->p->time_ns, before = wspi_rng_below(&r, DAYS) * (SECOND / unit);

    return before + (now - WSPI_MIN(now, c->fill->start_ns)) / unit;
}

uint64_t wspi_snmp_time(const wspi_coder *c)
{
    return c->dir == 0 && !wspi_snmp_knows(c) ? 0 : runs_for(c, SECOND);
}

uint64_t wspi_snmp_uptime(const wspi_coder *c)
{
    return runs_for(c, HUNDREDTH);
}

uint64_t wspi_snmp_most(const wspi_coder *c)
{
    (void)c;
    return 65507;
}

void wspi_snmp_agent(wspi_coder *c, size_t n)
{
    uint64_t v = 0;

    for (size_t i = 0; i < c->p->n_layers; i++)
        if (c->p->layers[i].id == WSPI_IPV4)
            v = c->p->layers[i].v[WSPI_IPV4_SRC];
    wspi_app_put(c, n, v);
}

/* ---- names ---- */

bool wspi_snmp_asks(uint64_t pdu)
{
    return pdu == 0xa0 || pdu == GET_NEXT || pdu == BULK;
}

/* The longest listed beginning, or wspi_snmp_n_oids. */
static unsigned object_of(const name *is)
{
    unsigned best = wspi_snmp_n_oids;

    for (unsigned k = 0; k < wspi_snmp_n_oids; k++)
        if (wspi_snmp_oids[k].len <= is->len &&
            memcmp(is->b, wspi_snmp_oids[k].bytes, wspi_snmp_oids[k].len) == 0 &&
            (best == wspi_snmp_n_oids || wspi_snmp_oids[k].len > wspi_snmp_oids[best].len))
            best = k;
    return best;
}

/* The next name: its last number one higher, or one more number; behind what is there once, the first interface's, which has a text. */
static void step(name *is)
{
    enum { HIGHEST = 127 };
    static const uint8_t described[] = {0x2b, 6, 1, 2, 1, 2, 2, 1, 2, 1};
    unsigned k = object_of(is);
    bool alone =
        is->len > 1 && is->b[is->len - 2] < 128; /* is the last byte a number of its own? */

    if (k < wspi_snmp_n_oids && wspi_snmp_is_scalar(k) &&
        memcmp(is->b, described, WSPI_MIN(is->len, sizeof described)) < 0) {
        memcpy(is->b, described, sizeof described);
        is->len = sizeof described;
        return;
    }
    if (alone && is->b[is->len - 1] < HIGHEST)
        is->b[is->len - 1]++;
    else if (is->len < MAX_NAME)
        is->b[is->len++] = 1;
}

/* Does every name that begins with k stand behind it? */
static bool stands_behind(unsigned k, const name *is)
{
    const wspi_oid *o = &wspi_snmp_oids[k];
    int order = memcmp(o->bytes, is->b, WSPI_MIN(o->len, is->len));

    return order > 0 || (order == 0 && o->len > is->len);
}

/* The k-th of the request's further names, n bytes in the MIB of interfaces: the same for its response. */
static void derive(const wspi_coder *c, size_t k, size_t n, name *is)
{
    static const uint8_t begins[] = {0x2b, 6, 1, 2, 1, 2, 2, 1};
    wspi_rng r;

    wspi_rng_seed(&r, c->app.v[c->dir][REQUEST] * 0x9e3779b97f4a7c15u + k);
    is->len = (uint8_t)WSPI_MIN(n, (size_t)MAX_ARCS);
    for (size_t i = 0; i < is->len; i++)
        is->b[i] = i < sizeof begins ? begins[i] : (uint8_t)(1 + wspi_rng_below(&r, 100));
}

/* Of n bytes of a request's bindings: how many the next one takes, and its name. What has no value has a longer name. */
static size_t piece_of(size_t n, bool values)
{
    size_t most = values ? PIECE : LEAST;

    return n < most + LEAST ? n : most;
}

static size_t name_len(size_t piece, bool values)
{
    return values ? SHORT_NAME : piece - HEADS;
}

/* ---- requests ---- */

/* Samples: the request that this response answers; false: this is none, or not all of its names are known. */
static bool question(const wspi_coder *c, memory *q, uint64_t *pdu)
{
    if (!c->fill || c->app.v[c->dir][PDU] != RESPONSE || c->ctx->app.id[!c->dir] != c->pay.app)
        return false;
    recall(&c->ctx->app, !c->dir, q);
    *pdu = c->ctx->app.v[!c->dir][PDU];
    return q->known && q->n > 0 && *pdu != RESPONSE;
}

static size_t hidden_of(const memory *m)
{
    return (size_t)m->hidden[0] << 8 | m->hidden[1];
}

void wspi_snmp_each(wspi_coder *c, unsigned n, unsigned *least, unsigned *most)
{
    memory m, q;
    uint64_t pdu;

    recall(&c->app, c->dir, &m);
    if (n == 0) {
        m.known = 1;
        m.n = m.hidden[0] = m.hidden[1] = 0;
        memset(m.names, 0, sizeof m.names);
    }
    m.index = (uint8_t)n;
    remember(c, &m);
    *least = 1;
    *most = WSPI_SNMP_BINDINGS + 1;
    if (question(c, &q, &pdu) && pdu != BULK)
        *least = *most = hidden_of(&q) ? WSPI_SNMP_BINDINGS + 1 : q.n;
}

unsigned wspi_snmp_index(const wspi_coder *c)
{
    memory m;

    recall(&c->app, c->dir, &m);
    return m.index;
}

void wspi_snmp_took_name(wspi_coder *c, size_t at)
{
    const uint8_t *b = passed(c, at);
    size_t n = c->pay.at - at;
    memory m;

    recall(&c->app, c->dir, &m);
    if (b && n <= MAX_NAME && m.index < WSPI_SNMP_BINDINGS) {
        m.n = (uint8_t)(m.index + 1);
        m.names[m.index][0] = (uint8_t)n;
        memcpy(m.names[m.index] + 1, b, n);
    } else {
        m.known = 0;
    }
    remember(c, &m);
}

/* Are these the bindings that a sampled request has behind those with tokens? */
static bool derived(const wspi_coder *c, const uint8_t *b, size_t n)
{
    bool values = !wspi_snmp_asks(c->app.v[c->dir][PDU]);
    name is;

    for (size_t k = 0, piece; n; k++, b += piece, n -= piece) {
        if (n < LEAST)
            return false;
        piece = piece_of(n, values);
        derive(c, k, name_len(piece, values), &is);
        if (b[0] != SEQUENCE || b[1] != piece - 2 || b[2] != OID || b[3] != is.len ||
            memcmp(b + 4, is.b, is.len) != 0)
            return false;
    }
    return true;
}

void wspi_snmp_took_bindings(wspi_coder *c, size_t at)
{
    const uint8_t *b = passed(c, at);
    size_t n = c->pay.at - at;
    wspi_ber_head h;
    memory m;

    recall(&c->app, c->dir, &m);
    for (unsigned i = 0; b && i < m.n; i++) {
        if (!wspi_ber_peek(b, n, &h) || h.len > n - 1 - h.width) {
            b = NULL;
            break;
        }
        b += 1 + h.width + h.len;
        n -= 1 + h.width + h.len;
    }
    m.known = m.known && b && n <= UINT16_MAX && derived(c, b, n);
    m.hidden[0] = m.known ? (uint8_t)(n >> 8) : 0;
    m.hidden[1] = m.known ? (uint8_t)n : 0;
    remember(c, &m);
}

/* ---- responses ---- */

/* What the name under way repeats or stands behind; false: it is free. */
static bool base_of(const wspi_coder *c, name *base, bool *behind)
{
    memory q, m;
    uint64_t pdu;

    if (!question(c, &q, &pdu))
        return false;
    recall(&c->app, c->dir, &m);
    *behind = pdu == GET_NEXT || pdu == BULK;
    if (m.index >= WSPI_SNMP_BINDINGS || (m.index >= q.n && pdu != BULK))
        return false;
    /* RFC 3416 4.2.3: repetitions go on behind those before */
    *base = m.index < q.n ? name_of(&q, m.index) : name_of(&m, m.index - q.n);
    return object_of(base) < wspi_snmp_n_oids;
}

void wspi_snmp_which_name(const wspi_coder *c, uint8_t *from, uint8_t *count)
{
    bool behind;
    name base;

    *from = 0;
    *count = (uint8_t)(wspi_snmp_n_oids - 1);
    if (!base_of(c, &base, &behind))
        return;
    if (!behind) {
        *from = (uint8_t)object_of(&base);
        *count = 1;
    } else {
        *count = (uint8_t)wspi_snmp_n_oids;
    }
}

bool wspi_snmp_may_name(const wspi_coder *c, unsigned k)
{
    bool behind;
    name base;

    if (!base_of(c, &base, &behind) || !behind)
        return true;
    if (k == object_of(&base))
        return !wspi_snmp_is_scalar(k) || base.len == wspi_snmp_oids[k].len ||
               k + 4 >= wspi_snmp_n_oids; /* nothing listed is behind these */
    return k + 1 < wspi_snmp_n_oids && stands_behind(k, &base);
}

size_t wspi_snmp_given(const wspi_coder *c, uint64_t k, uint8_t *b)
{
    bool behind;
    name base;
    size_t at;

    if (!base_of(c, &base, &behind) || k != object_of(&base)) {
        *b = 0;
        return wspi_snmp_is_scalar(k) ? 1 : SIZE_MAX;
    }
    at = wspi_snmp_oids[k].len;
    if (behind && base.len > at)
        step(&base);
    else if (
        behind) /* the first instance: of what there is once 0, of a table's a number (RFC 3416 4.2.2) */
        base.b[base.len++] = wspi_snmp_is_scalar(k) ? 0 : (uint8_t)(c->app.v[c->dir][REQUEST] % 4);
    memcpy(b, base.b + at, base.len - at);
    return base.len - at;
}

/* Bytes that n bytes of a request's bindings take at least in its response, and how many they are. */
static size_t least_of(size_t n, bool values, size_t *count)
{
    size_t sum = 0;

    for (size_t piece; n >= LEAST; n -= piece, ++*count) {
        piece = piece_of(n, values);
        sum += HEADS + name_len(piece, values);
    }
    return sum;
}

void wspi_snmp_which_rest(const wspi_coder *c, uint8_t *from, uint8_t *count)
{
    enum { FIRST = 8, BINS = 12 };
    size_t bindings = 0, least;
    unsigned end;
    uint64_t pdu;
    memory q;

    *from = FIRST;
    *count = BINS;
    if (!question(c, &q, &pdu) || pdu == BULK || !hidden_of(&q))
        return;
    least = least_of(hidden_of(&q), !wspi_snmp_asks(pdu), &bindings);
    end = WSPI_MIN(wspi_bin(bindings * EACH, 1),
                   (unsigned)(FIRST + BINS)); /* that one has more bytes */
    *from = (uint8_t)wspi_bin(least, 1);
    *count = (uint8_t)(end > *from ? end - *from : 1);
}

/* A binding of n bytes. */
static void binding(wspi_coder *c, size_t n, const name *is, bool value)
{
    wspi_app_put(c, 1, SEQUENCE);
    wspi_app_put(c, 1, n - 2);
    wspi_app_put(c, 1, OID);
    wspi_app_put(c, 1, is->len);
    bytes(c, is->b, is->len);
    wspi_app_put(c, 1, value ? OCTETS : 5);
    wspi_app_put(c, 1, n - HEADS - is->len);
    letters(c, n - HEADS - is->len);
}

/* The request's names, or those behind them; values share what is left of n bytes. */
static void answers(wspi_coder *c, size_t n, const memory *q, uint64_t pdu)
{
    bool values = !wspi_snmp_asks(pdu);
    size_t asked = hidden_of(q), count = 0, least = least_of(asked, values, &count), spare;
    name is;

    spare = WSPI_MIN(n, count * EACH);
    spare -= WSPI_MIN(least, spare);
    for (size_t k = 0, piece, share; k < count && !c->bad; k++, asked -= piece) {
        piece = piece_of(asked, values);
        derive(c, k, name_len(piece, values), &is);
        if (pdu == GET_NEXT)
            step(&is);
        share = spare / (count - k);
        spare -= share;
        binding(c, HEADS + is.len + share, &is, true);
    }
}

void wspi_snmp_bindings(wspi_coder *c, size_t n)
{
    bool values = !wspi_snmp_asks(c->app.v[c->dir][PDU]), repeated;
    memory q, m;
    uint64_t pdu;
    name is;

    repeated = question(c, &q, &pdu);
    if (repeated && pdu != BULK && hidden_of(&q)) {
        answers(c, n, &q, pdu);
        return;
    }
    recall(&c->app, c->dir, &m);
    is = name_of(&m, WSPI_SNMP_BINDINGS - 1);
    for (size_t k = 0, piece; n >= LEAST && !c->bad; k++, n -= piece) {
        piece = piece_of(n, values);
        step(&is);
        if (!repeated || (size_t)HEADS + is.len > piece)
            derive(c, k, name_len(piece, values), &is);
        binding(c, piece, &is, values);
    }
}
