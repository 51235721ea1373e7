/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tftp.c: TFTP over UDP, RFC 1350 5, with the options of RFC 2347, 2348, 2349, 7440:
 * | 1, 2: request 16 | file 0 | mode 0 | options |   | 3: data 16 | block 16 | bytes |   | 4: ack 16 | block 16 |
 * | 5: error 16 | code 16 | message 0 |   | 6: options acknowledged 16 | options |   option: | name 0 | number as text 0 |
 * The server answers from a port of its own, so that a flow may begin with an answer. Names of files are names, data
 * is opaque.
 */
#include "token/app/app.h"

enum { OPERATION, FILE_NAME, MODE, OPTION, NUMBER, BLOCK, ERROR, LENGTH };

enum { READ = 1, WRITE, DATA, ACK, FAILED, OPTIONS_ACK };
enum {
    HEADER = 4,
    SHOWN = 16,
    MAX_OPTIONS = 8,
    BLOCK_LEN = 512,
    LAST_ERROR = 8,
    LONGEST_NAME = 255,
    HSRP_LEN = 16,
    STUN_HEADER = 20,
    PORT = 69
};

/* Of a direction's mode: the client's request, and that the last block was sent. */
enum { ASKED = 3, ENDED = 4 };
/* Samples of clients begin with the first two. */
enum { S_REQUESTS = 2, S_DATA = 2, S_ACK = 3 };
static const wspi_value operation[] = {{READ, "read"}, {WRITE, "write"},  {DATA, "data"},
                                       {ACK, "ack"},   {FAILED, "error"}, {OPTIONS_ACK, "options"},
                                       {0, NULL}};
static const wspi_value mode[] = {{0, "octet"},    {1, "netascii"}, {2, "mail"}, {3, "OCTET"},
                                  {4, "NETASCII"}, {5, "Octet"},    {0, NULL}};
static const wspi_value option[] = {{0, "tsize"},      {1, "blksize"},  {2, "timeout"},
                                    {3, "windowsize"}, {4, "rollover"}, {5, "blksize2"},
                                    {6, "utimeout"},   {0, NULL}};
static const wspi_value error[] = {{0, "undefined"}, {1, "no-file"}, {2, "access"},
                                   {3, "full"},      {4, "illegal"}, {5, "unknown-id"},
                                   {6, "exists"},    {7, "no-user"}, {LAST_ERROR, "options"},
                                   {0, NULL}};

static const wspi_field fields[] = {
    [OPERATION] = {WSPI_ENUM("tftp.operation", 16, operation)},
    [FILE_NAME] = {WSPI_MAG("tftp.file", 8, WSPI_R_NAME, 1)},
    [MODE] = {WSPI_ENUM("tftp.mode", 8, mode)},
    [OPTION] = {WSPI_ENUM("tftp.option", 8, option)},
    [NUMBER] = {WSPI_MAG("tftp.number", 32, WSPI_R_NONE, 1)},
    [BLOCK] = {WSPI_FREE("tftp.block", 16, WSPI_P_COUNT, WSPI_R_NUMBER)},
    [ERROR] = {WSPI_ENUM("tftp.error", 16, error)},
    [LENGTH] = {WSPI_MAG("tftp.length", 16, WSPI_R_NONE, 1)},
};

/* ---- what it looks like ---- */

/* Bytes of the printable string at b that a zero ends within n, without the zero; 0 when there is none. */
static size_t string_at(const uint8_t *b, size_t n)
{
    size_t len = 0;

    while (len < n && b[len] >= 0x20 && b[len] < 0x7f)
        len++;
    return len < n && b[len] == 0 ? len : 0;
}

/* The row of the list whose word is the string at b, with its zero; the end of the list when there is none. */
static unsigned word_at(const wspi_value *list, const uint8_t *b, size_t n)
{
    size_t len = string_at(b, n);
    unsigned k = 0;

    while (list[k].name && (strlen(list[k].name) != len || memcmp(list[k].name, b, len) != 0))
        k++;
    return k;
}

/* The number at b, in digits that a zero ends, as short as it can be; its bytes without the zero, or 0. */
static size_t digits_at(const uint8_t *b, size_t n, uint64_t *v)
{
    size_t len = 0;

    *v = 0;
    for (; len < n && len < 10 && b[len] >= '0' && b[len] <= '9'; len++)
        *v = *v * 10 + (uint64_t)(b[len] - '0');
    return len < n && b[len] == 0 && *v <= UINT32_MAX && (len == 1 || b[0] != '0') ? len : 0;
}

/* The row of the option at b and its number; false: it is none that is known. */
static bool option_at(const uint8_t *b, size_t n, unsigned *k, uint64_t *v)
{
    size_t name;

    *k = word_at(option, b, n);
    if (!option[*k].name)
        return false;
    name = strlen(option[*k].name) + 1;
    return digits_at(b + name, n - name, v) > 0;
}

static bool is_request(const uint8_t *b, size_t n)
{
    size_t file = string_at(b, n);

    return file > 0 && file <= LONGEST_NAME && mode[word_at(mode, b + file + 1, n - file - 1)].name;
}

/* Every message but data and acknowledgements says enough; those only where a transfer begins. */
static bool looks(const uint8_t *b, size_t n)
{
    uint64_t v;
    unsigned k;

    if (n < HEADER || b[0] != 0)
        return false;
    switch (b[1]) {
    case READ:
    case WRITE: return is_request(b + 2, n - 2);
    case DATA: return true;
    case ACK: return n == HEADER;
    case FAILED:
        return b[2] == 0 && b[3] <= LAST_ERROR && n > HEADER && b[n - 1] == 0 &&
               string_at(b + HEADER, n - HEADER) == n - HEADER - 1;
    case OPTIONS_ACK: return option_at(b + 2, n - 2, &k, &v);
    default: return false;
    }
}

/* Is it of a transfer that is known, or the beginning of one? An advertisement of HSRP begins so, and then has a length. */
static bool is_sure(const wspi_coder *c)
{
    const wspi_app_state *s = &c->ctx->app;
    const uint8_t *b = c->pay.in;

    if (s->id[0] == c->pay.app || s->id[1] == c->pay.app || (b[1] != DATA && b[1] != ACK))
        return true;
    if (b[1] == DATA && c->pay.wire == HSRP_LEN && c->pay.end > 5 && b[4] == 0 && b[5] < HSRP_LEN)
        return false;
    return b[2] == 0 && b[3] == (b[1] == DATA);
}

/* ---- transfers ---- */

/* The last message of a direction, 0: none. */
static uint64_t said(const wsp_context *ctx, int dir)
{
    return ctx->app.id[dir] == WSPI_APP_TFTP ? ctx->app.v[dir][OPERATION] : 0;
}

static unsigned asked(const wsp_context *ctx)
{
    return ctx->app.id[0] == WSPI_APP_TFTP ? ctx->app.mode[0] & ASKED : 0;
}

/* What a direction's blocks have, up to the last one, 0: it is not known. Another size than 512 is agreed on first (RFC 2348). */
static uint64_t block_size(const wsp_context *ctx, int dir)
{
    if (said(ctx, dir) == DATA)
        return ctx->app.v[dir][LENGTH];
    return asked(ctx) && said(ctx, 1) != OPTIONS_ACK ? (uint64_t)BLOCK_LEN : 0;
}

/* A shorter one is the last. */
static void keep_block(wspi_coder *c, size_t n)
{
    uint64_t size = block_size(c->ctx, c->dir);
    unsigned kept = c->app.mode[c->dir] & ~(unsigned)ENDED;

    c->app.mode[c->dir] = (uint8_t)(n < size ? kept | ENDED : kept);
    c->app.v[c->dir][LENGTH] = WSPI_MAX(size, (uint64_t)n);
}

/* Whose transfer it is: the server's after a request to read; behind that it is who has data. */
static int source_of(const wsp_context *ctx)
{
    return asked(ctx) ? asked(ctx) == READ : said(ctx, 0) == ACK;
}

/*
 * RFC 1350 2, 4: a block waits for the acknowledgement of the one before, a block or a request to write is acknowledged once, and a short
 * one is the last. An acknowledgement of options is one of block 0, or has one (RFC 2347).
 */
static bool may_speak(const wsp_context *ctx, int dir)
{
    int source = source_of(ctx);
    uint64_t sent = said(ctx, source), got = said(ctx, !source);
    bool acked = got == ACK && ctx->app.v[!source][BLOCK] == ctx->app.v[source][BLOCK];

    if (sent == FAILED || got == FAILED)
        return false;
    if (sent == DATA)
        return dir == source ? acked && !(ctx->app.mode[source] & ENDED) : !acked;
    if (source == 1) /* to a request to read: data; to options: an acknowledgement */
        return sent == OPTIONS_ACK ? (got == ACK) == (dir == 1) : dir == 1;
    return dir == source ? got == ACK || got == OPTIONS_ACK : got == 0;
}

/* Who gets no answer gives up. */
static bool may_end(const wsp_context *ctx)
{
    (void)ctx;
    return true;
}

/* ---- messages ---- */

/* A word of a list and its zero; encoding knows its row. */
static void word(wspi_coder *c, const char *s)
{
    for (size_t i = 0; i <= strlen(s); i++) {
        (void)wspi_app_get(c, 1);
        wspi_app_put(c, 1, (uint8_t)s[i]);
    }
}

static void zero(wspi_coder *c)
{
    uint64_t v = wspi_app_get(c, 1);

    wspi_app_require(c, !c->enc || v == 0);
    wspi_app_put(c, 1, 0);
}

static void number(wspi_coder *c, uint64_t v)
{
    char s[24];
    size_t n = 0;

    wspi_app_only(c, 14, 6); /* 128 to 1023 */
    v = wspi_app_code(c, NUMBER, false, 0, v);
    do {
        s[n++] = (char)('0' + v % 10);
        v /= 10;
    } while (v);
    while (n > 0) {
        (void)wspi_app_get(c, 1);
        wspi_app_put(c, 1, (uint8_t)s[--n]);
    }
    zero(c);
}

/* Those that are known, each with its number; samples have none. What follows them is opaque. */
static void options(wspi_coder *c)
{
    uint64_t v = 0, row;
    unsigned k = 0;

    for (unsigned n = 0; n < MAX_OPTIONS && !wspi_app_stopped(c) && (c->fill || wspi_app_left(c));
         n++) {
        bool there = c->enc && option_at(c->pay.in + c->pay.at, wspi_app_captured(c), &k, &v);

        row = k;
        wspi_app_only(c, 0, 0);
        if (!wspi_app_next(c, OPTION, there, &row))
            break;
        wspi_app_require(c, row < WSPI_COUNT(option) - 1);
        if (wspi_app_stopped(c))
            return;
        word(c, option[row].name);
        number(c, v);
    }
    if (!c->fill && !wspi_app_stopped(c))
        wspi_app_opaque(c, wspi_app_left(c));
}

static void request(wspi_coder *c)
{
    const uint8_t *b = c->enc ? c->pay.in + c->pay.at : NULL;
    uint64_t n = c->enc ? string_at(b, wspi_app_captured(c)) : 0, row = 0;

    if (c->enc) {
        wspi_app_require(c, is_request(b, wspi_app_captured(c)));
        row = wspi_app_stopped(c) ? 0 : word_at(mode, b + n + 1, wspi_app_captured(c) - n - 1);
    }
    wspi_app_only(c, 4, 4); /* 4 to 15 characters */
    n = wspi_app_code(c, FILE_NAME, false, 0, n);
    wspi_app_text(c, (size_t)n, SHOWN, WSPI_TEXT_NAME);
    zero(c);
    wspi_app_only(c, 0, 1);
    row = wspi_app_code(c, MODE, false, 0, row);
    wspi_app_require(c, row < WSPI_COUNT(mode) - 1);
    if (wspi_app_stopped(c))
        return;
    word(c, mode[row].name);
    options(c);
}

/* Lengths of payloads that a model does not tell apart. */
static unsigned length_bin(uint64_t data)
{
    return wspi_bin(HEADER + data, WSPI_LEN_MANTISSA);
}

/* Samples: blocks are all of one size but the last, 512 bytes or less, and none is as long as a message of STUN that begins so. */
static size_t sampled_block(const wspi_coder *c, uint64_t number)
{
    uint64_t size = block_size(c->ctx, c->dir);
    size_t left = wspi_app_left(c), n = left;

    if (said(c->ctx, c->dir) != DATA && left > BLOCK_LEN / 2)
        n = BLOCK_LEN;
    else if (said(c->ctx, c->dir) == DATA && length_bin(left) >= length_bin(size))
        n = (size_t)size;
    return HEADER + n == STUN_HEADER + number ? n - 1 : n;
}

/* Blocks count; an acknowledgement has the number of the block. */
static void block(wspi_coder *c, bool ack)
{
    uint64_t want;
    size_t n;

    (void)wspi_app_last(c, !ack, BLOCK, &want);
    want = wspi_app_field(c, BLOCK, 2, true, ack ? want : (want + 1) & 0xffff);
    if (wspi_app_stopped(c) || (c->fill && ack))
        return;
    n = c->fill ? sampled_block(c, want) : wspi_app_left(c);
    if (!ack)
        keep_block(c, n);
    wspi_app_opaque(c, n);
}

static void failed(wspi_coder *c)
{
    size_t n = wspi_app_left(c);

    n = n > 2 ? n - 3 : 0;
    wspi_app_only(c, 0, 8);
    (void)wspi_app_field(c, ERROR, 2, false, 0);
    if (!c->fill)
        wspi_app_require(c, wspi_app_captured(c) == n + 1);
    wspi_app_text(c, n, SHOWN, WSPI_TEXT_LINE);
    zero(c);
}

/* Is the flow one of the server's port? The rest of a transfer has another one. */
static bool is_asking(const wspi_coder *c)
{
    const wspi_layer *l = &c->p->layers[c->p->n_layers - 1];

    return l->v[0] == PORT || l->v[1] == PORT;
}

/*
 * Samples: a request, then blocks of whose transfer that is; c->app.mode is the client's request. Between other ports it is
 * the server who begins, with the first block of a file.
 */
static void only_sampled(wspi_coder *c)
{
    unsigned request = asked(c->ctx);

    if (!is_asking(c))
        wspi_app_only(c, c->dir == 0 ? S_DATA : S_ACK, 1);
    else if (c->dir == 0 && !request)
        wspi_app_only(c, 0, S_REQUESTS);
    else
        wspi_app_only(c, (request == WRITE) == (c->dir == 0) ? S_DATA : S_ACK, 1);
}

static void walk(wspi_coder *c)
{
    uint64_t is;

    wspi_app_require(c, !c->enc || is_sure(c));
    only_sampled(c);
    is = wspi_app_field(c, OPERATION, 2, false, 0);
    if (wspi_app_stopped(c))
        return;
    switch (is) {
    case READ:
    case WRITE:
        c->app.mode[c->dir] = (uint8_t)is;
        request(c);
        break;
    case DATA: block(c, false); break;
    case ACK: block(c, true); break;
    case FAILED: failed(c); break;
    case OPTIONS_ACK: options(c); break;
    default: wspi_app_fail(c);
    }
}

const wspi_app wspi_app_tftp = {
    .proto = {.name = "tftp", .fields = fields, .n_fields = WSPI_COUNT(fields)},
    .over = WSPI_OVER_UDP,
    .looks = looks,
    .walk = walk,
    .turns = WSPI_CLIENT_FIRST,
    .strict = true,
    .may_speak = may_speak,
    .may_end = may_end,
    .ports = {PORT},
};
