/* SPDX-License-Identifier: Apache-2.0 */
/* smb_body.c: the walk over a body's items, and what stands behind them. */
#include "token/app/dcerpc.h"
#include "token/app/smb.h"

enum { MAX_LIST = 64, OTHER_NAME = 0, FIRST_NAME = 1 };
enum { ROW_NT = 5, ROW_SMB2, ROW_ANY_SMB2 }; /* of wspi_smb_dialect_1 */
enum { BACKSLASH = '\\', LETTERS = 26, PATH_MARKS = 3, SAMPLED_DIALECTS = 4, ROW_ANY_DIALECT = 5 };

bool wspi_smb_here(const wspi_coder *c, const wspi_smb_message *m, size_t n)
{
    return !wspi_app_stopped(c) && c->pay.at + n <= m->end &&
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

void wspi_smb_exact(wspi_coder *c, unsigned f, size_t n, bool known, uint64_t want, uint64_t v)
{
    if (known && v == want) {
        (void)wspi_smb_expect(c, f, n, want);
        return;
    }
    wspi_app_only(c, wspi_bin(v, wspi_app_smb.proto.fields[f].mantissa), 1);
    (void)wspi_app_code(c, f, false, 0, v);
    if (!wspi_app_stopped(c))
        c->app.v[c->dir][f] = v;
    wspi_smb_put(c, n, v);
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
    for (; *name && !wspi_app_stopped(c); name++) {
        (void)wspi_app_get(c, 2);
        wspi_smb_put(c, 2, (uint8_t)*name);
    }
}

/* Samples: a file's name of letters, or a path: two backslashes, a server, a backslash, a share. */
static void make_name(wspi_coder *c, size_t chars, bool path)
{
    size_t share = path ? 2 + (chars - PATH_MARKS + 1) / 2 : 0;

    for (size_t i = 0; i < chars && !wspi_app_stopped(c); i++) {
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
    if (wspi_app_stopped(c))
        return;
    len = row == OTHER_NAME ? 0 : 2 * strlen(wspi_smb_name[row].name);
    wspi_app_require(c, len <= n);
    if (wspi_app_stopped(c))
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

/*
 * Samples: none comes twice. That of Windows NT ends the list, which always has it, but for the two that stand for SMB2
 * ([MS-SMB2] 3.2.4.2.2.1).
 */
static uint64_t rows_behind(uint64_t seen)
{
    uint64_t smb2 = UINT64_C(3) << ROW_SMB2;

    if (!(seen >> ROW_NT & 1))
        return ~(seen | smb2);
    return seen >> ROW_ANY_SMB2 & 1 ? 0 : smb2 & ~seen;
}

/* The row of the dialect at b, of which there are n bytes; its text's length is *len. false: none. */
static bool text_at(const uint8_t *b, size_t n, uint64_t *row, size_t *len)
{
    for (unsigned k = 0; n && *b == 2 && wspi_smb_dialect_1[k].name; k++) {
        *len = strlen(wspi_smb_dialect_1[k].name) + 1;
        *row = k;
        if (*len + 1 <= n && memcmp(b + 1, wspi_smb_dialect_1[k].name, *len) == 0)
            return true;
    }
    return false;
}

static void one_text(wspi_coder *c, const char *s)
{
    (void)wspi_app_get(c, 1);
    wspi_app_put(c, 1, 2);
    for (;; s++) {
        (void)wspi_app_get(c, 1);
        wspi_app_put(c, 1, (uint8_t)*s);
        if (!*s)
            break;
    }
}

/* What the peer has to know of the list: where NT's dialect is, and whether it has those of SMB2. */
static uint64_t note_text(uint64_t list, uint64_t nth, uint64_t row)
{
    if (row == ROW_NT && !(list & WSPI_SMB_NT_AT))
        list |= nth + 1;
    if (row == ROW_SMB2 || row == ROW_ANY_SMB2)
        list |= row == ROW_SMB2 ? WSPI_SMB_HAS_2 : WSPI_SMB_HAS_ANY_2;
    return list;
}

/* | 2 | name 0 | ... */
static void texts(wspi_coder *c, const wspi_smb_message *m)
{
    uint64_t seen = 0, row = 0, *list = &c->app.v[c->dir][WSPI_SMB_DIALECT_1];

    *list = 0;
    for (unsigned i = 0; i < MAX_LIST && !wspi_app_stopped(c); i++) {
        size_t n = WSPI_MIN(m->end - WSPI_MIN(m->end, c->pay.at), wspi_app_captured(c)), len;
        bool there = c->enc && text_at(c->pay.in + c->pay.at, n, &row, &len);
        bool asked = wspi_asked(c), more = wspi_app_next(c, WSPI_SMB_DIALECT_1, there, &row);

        wspi_app_keep(c, WSPI_SMB_DIALECT_1, rows_behind(seen));
        c->need = c->need || (asked && !more && !(seen >> ROW_NT & 1));
        if (!more)
            return;
        wspi_app_require(c, wspi_app_is_listed(wspi_smb_dialect_1, row));
        if (wspi_app_stopped(c))
            return;
        one_text(c, wspi_smb_dialect_1[row].name);
        seen |= UINT64_C(1) << row;
        *list = note_text(*list, i, row);
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

/* Samples: what a list of SMB1's dialects is answered with, if that is a dialect of SMB2 ([MS-SMB2] 3.3.5.3). */
static bool answers_smb1(const wspi_coder *c, unsigned *row)
{
    uint64_t kind = 0, list = c->ctx->app.v[0][WSPI_SMB_DIALECT_1];

    (void)wspi_app_last(c, false, WSPI_SMB_KIND, &kind);
    *row = list & WSPI_SMB_HAS_ANY_2 ? ROW_ANY_DIALECT : 0;
    return c->dir == 1 && kind == WSPI_SMB_1;
}

/* A field that always has a token; samples have whole characters. */
static void told(wspi_coder *c, const wspi_smb_body *b, const wspi_smb_item *t)
{
    unsigned only;
    uint64_t v = t->how == WSPI_SMB_BIG ? wspi_app_get(c, t->bytes) : wspi_smb_get(c, t->bytes);

    if (c->fill && t->field == WSPI_SMB_DIALECT && answers_smb1(c, &only))
        wspi_app_only(c, only, 1);
    else
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
    case WSPI_SMB_WANT:
        wspi_app_only(c, t->from, t->count);
        (void)wspi_dce_field(c, t->field, t->bytes, true, true, t->want);
        break;
    case WSPI_SMB_AGAIN:
        (void)wspi_smb_expect(c, t->field, t->bytes, wspi_smb_as_before(c, t->field));
        break;
    case WSPI_SMB_PLACE: (void)wspi_smb_expect(c, WSPI_SMB_OFFSET, t->bytes, place); break;
    case WSPI_SMB_TOKEN_SIZE:
        if (c->fill)
            wspi_smb_exact(c, WSPI_SMB_SIZE, t->bytes, true, t->want, wspi_smb_token_size(c));
        else
            (void)wspi_smb_expect(c, WSPI_SMB_SIZE, t->bytes, t->want);
        break;
    case WSPI_SMB_KNOWN:
        if (c->fill)
            wspi_smb_exact(c, t->field, t->bytes, false, 0, wspi_smb1_size(c));
        else
            told(c, b, t);
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
    return !wspi_app_stopped(c);
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

    if (wspi_app_stopped(c) || !is_in_place(c, m, b))
        return;
    switch ((enum wspi_smb_tail)b->tail) {
    case WSPI_SMB_REST: break;
    case WSPI_SMB_ONE: wspi_smb_quiet(c, c->fill ? 1 : 0); break;
    case WSPI_SMB_DATA: wspi_app_opaque(c, c->fill ? n : 0); break;
    case WSPI_SMB_TOKEN: wspi_smb_token(c, m, n); break;
    case WSPI_SMB_PATH:
    case WSPI_SMB_FILE: name(c, m, n, b->tail == WSPI_SMB_PATH); break;
    case WSPI_SMB_DIALECTS: dialects(c, m, n); break;
    case WSPI_SMB_TEXTS: texts(c, m); break;
    }
}
