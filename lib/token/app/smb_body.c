/* SPDX-License-Identifier: Apache-2.0 */
/* smb_body.c: the walk over a body's items, and what stands behind them. */
#include "token/app/dcerpc.h"
#include "token/app/smb.h"

enum { NTLM = 12, PEEK = 16, MAX_LIST = 64, OTHER_NAME = 0, FIRST_NAME = 1 };
enum { BACKSLASH = '\\', LETTERS = 26, PATH_MARKS = 3, SAMPLED_DIALECTS = 4 };

bool wspi_smb_here(const wspi_coder *c, const wspi_smb_message *m, size_t n)
{
    return !wspi_smb_stopped(c) && c->pay.at + n <= m->end &&
           (c->fill || wspi_app_captured(c) >= n);
}

uint64_t wspi_smb_get(wspi_coder *c, size_t n)
{
    return wspi_dce_get(c, n, true);
}

void wspi_smb_put(wspi_coder *c, size_t n, uint64_t v)
{
    wspi_dce_put(c, n, true, v);
}

uint64_t wspi_smb_expect(wspi_coder *c, unsigned f, size_t n, uint64_t want)
{
    wspi_app_only(c, 0, 0);
    return wspi_dce_field(c, f, n, true, true, want);
}

uint64_t wspi_smb_as_before(const wspi_coder *c, unsigned f)
{
    uint64_t v = 0;

    if (!wspi_app_last(c, false, f, &v) || v == 0)
        v = c->app.v[c->dir][f];
    return v;
}

void wspi_smb_quiet(wspi_coder *c, size_t n)
{
    if (!c->fill)
        wspi_app_opaque(c, n);
    for (; c->fill && n; n--)
        wspi_app_put(c, 1, 0);
}

/* ---- tokens of GSS-API ---- */

/* What samples have ([MS-NLMP] 2.2.1): nobody in particular, in Unicode, with a challenge that is random. */
#define SIGNATURE 'N', 'T', 'L', 'M', 'S', 'S', 'P', 0
#define NOTHING   0, 0, 0, 0, 0, 0, 0, 0
#define ABILITIES 0x07, 0x82, 0x08, 0
static const uint8_t negotiate[] = {SIGNATURE, 1, 0, 0, 0, ABILITIES, NOTHING, NOTHING};
static const uint8_t challenge[] = {SIGNATURE, 2,         0,       0,       0,
                                    NOTHING,   ABILITIES, NOTHING, NOTHING, NOTHING};
static const uint8_t authenticate[] = {SIGNATURE, 3,       0,       0,       0,       NOTHING,
                                       NOTHING,   NOTHING, NOTHING, NOTHING, NOTHING, ABILITIES};
enum { CHALLENGE_AT = 24, CHALLENGE = 8 };
static const struct {
    const uint8_t *bytes;
    size_t n;
} ntlm[] = {{NULL, 0},
            {negotiate, sizeof negotiate},
            {challenge, sizeof challenge},
            {authenticate, sizeof authenticate}};

/* Samples: the client's first and second message in setting up a session, and the answer to the first; else none. */
static unsigned sampled_token(const wspi_coder *c)
{
    uint64_t before = 0, status = 0;

    if (c->app.v[c->dir][WSPI_SMB_COMMAND] != 1)
        return 0;
    if (c->dir == 1)
        return c->app.v[1][WSPI_SMB_STATUS] == WSPI_SMB_MORE_PROCESSING ? 2 : 0;
    (void)wspi_app_last(c, true, WSPI_SMB_COMMAND, &before);
    (void)wspi_app_last(c, false, WSPI_SMB_STATUS, &status);
    return before == 1 && status == WSPI_SMB_MORE_PROCESSING ? 3 : 1;
}

/* Encoding: what the n bytes at b begin like. */
static uint64_t token_at(const uint8_t *b, size_t n)
{
    static const uint8_t kerberos[] = {0x2a, 0x86, 0x48, 0x82, 0xf7, 0x12};
    static const uint8_t signature[] = {SIGNATURE};
    uint64_t wrap = b[0] == 0x60 ? 4 : b[0] == 0xa1 ? 8 : 0, is = 0;

    n = WSPI_MIN(n, (size_t)160);
    for (size_t i = 0; i + NTLM <= n && !is; i++)
        if (memcmp(b + i, signature, sizeof signature) == 0 && b[i + 8] >= 1 && b[i + 8] <= 3)
            is = b[i + 8];
    if (is && (wrap || memcmp(b, signature, sizeof signature) == 0))
        return wrap + is;
    /* of what is offered the first is meant: an initial token that has one begins with Kerberos' number */
    for (size_t i = 0; wrap == 4 && i + sizeof kerberos <= WSPI_MIN(n, (size_t)40); i++)
        if (memcmp(b + i, kerberos, sizeof kerberos) == 0)
            return 12;
    return wrap;
}

static void token(wspi_coder *c, const wspi_smb_message *m, size_t n)
{
    uint64_t is = 0;
    unsigned sampled = c->fill ? sampled_token(c) : 0;

    if (n < PEEK || !wspi_smb_here(c, m, PEEK))
        return;
    if (c->enc)
        is = token_at(c->pay.in + c->pay.at,
                      WSPI_MIN(WSPI_MIN(n, m->end - c->pay.at), wspi_app_captured(c)));
    wspi_app_only(c, sampled, 1);
    (void)wspi_app_code(c, WSPI_SMB_BLOB, false, 0, is);
    for (size_t i = 0; c->fill && i < ntlm[sampled].n; i++) {
        bool random = sampled == 2 && i - CHALLENGE_AT < CHALLENGE;
        wspi_app_put(c, 1, random ? wspi_rng_u64(&c->rng) & 255 : ntlm[sampled].bytes[i]);
    }
}

/* ---- names ---- */

static bool is_wide(const uint8_t *b, const char *name, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (b[2 * i] != (uint8_t)name[i] || b[2 * i + 1])
            return false;
    return true;
}

/* Encoding: the row of what the n bytes at b are, or, of a path, of what stands behind its last backslash. */
static uint64_t name_at(const uint8_t *b, size_t n, bool path)
{
    for (unsigned k = FIRST_NAME; wspi_smb_name[k].name; k++) {
        size_t len = strlen(wspi_smb_name[k].name);
        const uint8_t *at = n >= 2 * len ? b + n - 2 * len : NULL;

        if (!at || !is_wide(at, wspi_smb_name[k].name, len))
            continue;
        if (path ? n >= 2 * len + 2 && is_wide(at - 2, "\\", 1) : n == 2 * len)
            return k;
    }
    return OTHER_NAME;
}

static void wide(wspi_coder *c, const char *name)
{
    for (; *name && !wspi_smb_stopped(c); name++) {
        (void)wspi_app_get(c, 2);
        wspi_smb_put(c, 2, (uint8_t)*name);
    }
}

/* Samples: a file's name of letters, or a path: two backslashes, a server, a backslash, a share. */
static void make_name(wspi_coder *c, size_t chars, bool path)
{
    size_t share = path ? 2 + (chars - PATH_MARKS + 1) / 2 : 0;

    for (size_t i = 0; i < chars && !wspi_smb_stopped(c); i++) {
        bool mark = path && (i < 2 || i == share);
        wspi_smb_put(c, 2, mark ? BACKSLASH : 'a' + wspi_rng_u64(&c->rng) % LETTERS);
    }
}

static void name(wspi_coder *c, const wspi_smb_message *m, size_t n, bool path)
{
    uint64_t row = OTHER_NAME;
    size_t len;

    if (n == 0 || !wspi_smb_here(c, m, n))
        return;
    if (c->enc)
        row = name_at(c->pay.in + c->pay.at, n, path);
    wspi_app_only(c, OTHER_NAME, 1);
    row = wspi_app_code(c, WSPI_SMB_NAME, false, 0, row);
    if (c->fill) {
        make_name(c, n / 2, path);
        return;
    }
    for (len = 0; len < row && wspi_smb_name[len].name; len++)
        ;
    wspi_app_require(c, len == row && wspi_smb_name[row].name);
    if (wspi_smb_stopped(c))
        return;
    len = row == OTHER_NAME ? 0 : 2 * strlen(wspi_smb_name[row].name);
    wspi_app_require(c, len <= n);
    if (wspi_smb_stopped(c))
        return;
    wspi_app_opaque(c, n - len);
    if (row != OTHER_NAME)
        wide(c, wspi_smb_name[row].name);
}

/* ---- lists of dialects ---- */

/* Samples: each one is newer than those before. */
static void dialects(wspi_coder *c, const wspi_smb_message *m, size_t n)
{
    unsigned newest = 0;

    for (size_t i = 0; i < n && i < MAX_LIST && wspi_smb_here(c, m, 2); i++) {
        uint64_t v = wspi_smb_get(c, 2);

        wspi_app_only(c, newest, (unsigned)(i + 1 + SAMPLED_DIALECTS - n) - newest);
        v = wspi_app_code(c, WSPI_SMB_DIALECT, false, 0, v);
        wspi_smb_put(c, 2, v);
        for (unsigned k = 0; c->fill && wspi_smb_dialect[k].name; k++)
            if (wspi_smb_dialect[k].value == v)
                newest = k + 1;
    }
}

/* | 2 | name 0 | ... */
static void texts(wspi_coder *c, const wspi_smb_message *m)
{
    for (int i = 0; i < MAX_LIST && !wspi_smb_stopped(c); i++) {
        size_t n = WSPI_MIN(m->end - WSPI_MIN(m->end, c->pay.at), wspi_app_captured(c)), len = 0;
        const uint8_t *b = c->enc ? c->pay.in + c->pay.at : NULL;
        uint64_t row = 0;
        bool there = false;

        for (unsigned k = 0; b && n && *b == 2 && !there && wspi_smb_dialect_1[k].name; k++) {
            len = strlen(wspi_smb_dialect_1[k].name) + 1;
            there = len + 1 <= n && memcmp(b + 1, wspi_smb_dialect_1[k].name, len) == 0;
            row = k;
        }
        if (!wspi_app_next(c, WSPI_SMB_DIALECT_1, there, &row))
            return;
        wspi_app_require(c, wspi_app_is_listed(wspi_smb_dialect_1, row));
        if (wspi_smb_stopped(c))
            return;
        (void)wspi_app_get(c, 1);
        wspi_app_put(c, 1, 2);
        for (const char *s = wspi_smb_dialect_1[row].name;; s++) {
            (void)wspi_app_get(c, 1);
            wspi_app_put(c, 1, (uint8_t)*s);
            if (!*s)
                break;
        }
    }
}

/* ---- items ---- */

static size_t items_len(const wspi_smb_body *b)
{
    size_t n = 0;

    for (size_t i = 0; i < WSPI_SMB_ITEMS && b->item[i].bytes; i++)
        n += b->item[i].bytes;
    return n;
}

/* A field that always has a token; samples have whole characters. */
static void told(wspi_coder *c, const wspi_smb_body *b, const wspi_smb_item *t)
{
    uint64_t v = t->how == WSPI_SMB_BIG ? wspi_app_get(c, t->bytes) : wspi_smb_get(c, t->bytes);

    wspi_app_only(c, t->from, t->count);
    v = wspi_app_code(c, t->field, false, 0, v);
    if (c->fill && t->field == WSPI_SMB_SIZE &&
        (b->tail == WSPI_SMB_PATH || b->tail == WSPI_SMB_FILE))
        c->app.v[c->dir][WSPI_SMB_SIZE] = v &= ~UINT64_C(1);
    if (t->how == WSPI_SMB_BIG)
        wspi_app_put(c, t->bytes, v);
    else
        wspi_smb_put(c, t->bytes, v);
}

static void one_item(wspi_coder *c, const wspi_smb_body *b, const wspi_smb_item *t, size_t place)
{
    switch ((enum wspi_smb_how)t->how) {
    case WSPI_SMB_QUIET: wspi_smb_quiet(c, t->bytes); break;
    case WSPI_SMB_RANDOM: wspi_app_opaque(c, t->bytes); break;
    case WSPI_SMB_COPY:
        if (c->fill)
            wspi_smb_put(c, t->bytes, c->app.v[c->dir][WSPI_SMB_SIZE]);
        else
            wspi_app_opaque(c, t->bytes);
        break;
    case WSPI_SMB_WANT: (void)wspi_smb_expect(c, t->field, t->bytes, t->want); break;
    case WSPI_SMB_AGAIN:
        (void)wspi_smb_expect(c, t->field, t->bytes, wspi_smb_as_before(c, t->field));
        break;
    case WSPI_SMB_PLACE: (void)wspi_smb_expect(c, WSPI_SMB_OFFSET, t->bytes, place); break;
    case WSPI_SMB_TOKEN_SIZE:
        (void)wspi_smb_expect(c, WSPI_SMB_SIZE, t->bytes,
                              c->fill ? ntlm[sampled_token(c)].n : t->want);
        break;
    case WSPI_SMB_TOLD:
    case WSPI_SMB_BIG: told(c, b, t); break;
    }
}

bool wspi_smb_items(wspi_coder *c, const wspi_smb_message *m, const wspi_smb_body *b)
{
    size_t place = c->pay.at + items_len(b) - m->start;

    if (!wspi_smb_here(c, m, items_len(b)))
        return false;
    for (size_t i = 0; i < WSPI_SMB_ITEMS && b->item[i].bytes; i++)
        one_item(c, b, &b->item[i], place);
    return !wspi_smb_stopped(c);
}

/* Is the tail where the items say? */
static bool is_in_place(const wspi_coder *c, const wspi_smb_message *m, const wspi_smb_body *b)
{
    for (size_t i = 0; i < WSPI_SMB_ITEMS && b->item[i].bytes; i++)
        if (b->item[i].how == WSPI_SMB_PLACE)
            return c->app.v[c->dir][WSPI_SMB_OFFSET] == c->pay.at - m->start;
    return true;
}

void wspi_smb_tail(wspi_coder *c, const wspi_smb_message *m, const wspi_smb_body *b)
{
    size_t n = (size_t)c->app.v[c->dir][WSPI_SMB_SIZE];

    if (wspi_smb_stopped(c) || !is_in_place(c, m, b))
        return;
    switch ((enum wspi_smb_tail)b->tail) {
    case WSPI_SMB_REST: break;
    case WSPI_SMB_ONE: wspi_smb_quiet(c, c->fill ? 1 : 0); break;
    case WSPI_SMB_DATA: wspi_app_opaque(c, c->fill ? n : 0); break;
    case WSPI_SMB_TOKEN: token(c, m, n); break;
    case WSPI_SMB_PATH:
    case WSPI_SMB_FILE: name(c, m, n, b->tail == WSPI_SMB_PATH); break;
    case WSPI_SMB_DIALECTS: dialects(c, m, n); break;
    case WSPI_SMB_TEXTS: texts(c, m); break;
    }
}
