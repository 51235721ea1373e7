/* SPDX-License-Identifier: Apache-2.0 */
/*
 * redis.c: Redis over TCP, in RESP (https://redis.io/docs/reference/protocol-spec): values, each with its type in front:
 * | * count CRLF and as many values | $ length CRLF bytes CRLF | + status CRLF | - error CRLF | : number CRLF |
 * A question is an array of strings, the first of which is a command. Keys and values are names; a value that is cut
 * or goes on in the next segment ends the list, and what is left of the segment is opaque.
 */
#include "token/app/app.h"

#include <stdio.h>

enum {
    TYPE,
    COUNT,
    WORD,
    LENGTH,
    STATUS,
    ERROR,
    NUMBER,
    COMMAND /* no field: of the last question */
};

enum { ARRAY, STRING, SIMPLE, INTEGER, FAILURE, NIL_STRING, NIL_ARRAY, NEGATIVE };
enum { MAX_VALUES = 64, MAX_DIGITS = 10, ERROR_SHOWN = 16, MAX_LINE = 255, MAX_SAMPLED = 3 };

static const wspi_value type[] = {
    {ARRAY, "array"},         {STRING, "string"},     {SIMPLE, "status"},
    {INTEGER, "integer"},     {FAILURE, "error"},     {NIL_STRING, "nil-string"},
    {NIL_ARRAY, "nil-array"}, {NEGATIVE, "negative"}, {0, NULL}};
static const char *const marks[] = {"*", "$", "+", ":", "-", "$-1\r\n", "*-1\r\n", ":-"};

/* Samples: commands of one word, of two, of three. */
/* clang-format off */
#define WORDS(X)                                                                          \
    X(PING) X(INFO) X(DBSIZE) X(GET) X(DEL) X(INCR) X(DECR) X(EXISTS) X(TTL) X(LLEN)      \
    X(SCARD) X(SELECT) X(SET) X(LPUSH) X(RPUSH) X(SADD) X(EXPIRE) X(APPEND) X(PUBLISH)    \
    X(AUTH) X(HELLO) X(CLIENT) X(CONFIG) X(COMMAND) X(KEYS) X(SCAN) X(TYPE) X(MGET)       \
    X(MSET) X(SETEX) X(SETNX) X(GETSET) X(HGET) X(HSET) X(HMSET) X(HMGET) X(HGETALL)      \
    X(HDEL) X(LPOP) X(RPOP) X(BLPOP) X(BRPOP) X(LRANGE) X(LREM) X(SMEMBERS) X(SREM)       \
    X(ZADD) X(ZREM) X(ZRANGE) X(ZRANGEBYSCORE) X(ZCARD) X(EVAL) X(EVALSHA) X(SCRIPT)      \
    X(MULTI) X(EXEC) X(WATCH) X(SUBSCRIBE) X(PSUBSCRIBE) X(UNSUBSCRIBE) X(MONITOR)        \
    X(SYNC) X(PSYNC) X(REPLCONF) X(SLAVEOF) X(SAVE) X(BGSAVE) X(FLUSHALL) X(FLUSHDB)      \
    X(QUIT) X(MODULE) X(CLUSTER) X(MEMORY)
/* clang-format on */
#define NUMBER_OF(word) W_##word,
#define VALUE_OF(word)  {W_##word, #word},
enum { W_TEXT, WORDS(NUMBER_OF) W_COUNT };
static const wspi_value word[] = {{W_TEXT, "text"}, WORDS(VALUE_OF){0, NULL}};
static const struct {
    uint8_t from, count;
} sampled_words[MAX_SAMPLED] = {{W_PING, 1}, {W_GET, 9}, {W_SET, 7}};

enum { OK, PONG }; /* of the statuses */

/*
 * Samples: what is answered to them (https://redis.io/docs/latest/commands): types, as bits, and the status where one of them is. All
 * others count something.
 */
static const struct {
    uint8_t command, types, status;
} replies[] = {{W_PING, 1 << SIMPLE, PONG},
               {W_GET, 1 << STRING | 1 << NIL_STRING, OK},
               {W_SELECT, 1 << SIMPLE, OK},
               {W_SET, 1 << SIMPLE, OK},
               {W_COUNT, 1 << INTEGER, OK}};

static const wspi_value status[] = {{0, "OK"},   {1, "PONG"}, {2, "QUEUED"}, {3, "string"},
                                    {4, "list"}, {5, "none"}, {6, "hash"},   {7, "set"},
                                    {8, "zset"}, {0, NULL}};
static const wspi_value error[] = {{0, "ERR"},       {1, "WRONGTYPE"},  {2, "NOAUTH"},
                                   {3, "MOVED"},     {4, "ASK"},        {5, "LOADING"},
                                   {6, "READONLY"},  {7, "NOSCRIPT"},   {8, "BUSY"},
                                   {9, "EXECABORT"}, {10, "WRONGPASS"}, {0, NULL}};

static const wspi_field fields[] = {
    [TYPE] = {WSPI_ENUM("redis.type", 8, type)},
    [COUNT] = {WSPI_MAG("redis.count", 32, WSPI_R_NONE, 1)},
    [WORD] = {WSPI_ENUM("redis.word", 8, word)},
    [LENGTH] = {WSPI_MAG("redis.length", 32, WSPI_R_NAME, 1)},
    [STATUS] = {WSPI_ENUM("redis.status", 8, status)},
    [ERROR] = {WSPI_ENUM("redis.error", 8, error)},
    [NUMBER] = {WSPI_MAG("redis.number", 40, WSPI_R_NONE, 0)},
};

/* ---- what is there: encoding ---- */

/* A value ahead: where its number or text is, and how many bytes it takes with what it counts; the type of none is 255. */
typedef struct ahead {
    unsigned type;
    uint64_t number;
    const uint8_t *at;
    size_t len; /* of a string's bytes, or of a line */
} ahead;

/* The line's number as it would be written, and its digits; false: it is another one. */
static bool digits(const uint8_t *b, size_t n, uint64_t *v)
{
    *v = 0;
    for (size_t i = 0; i < n; i++) {
        if (b[i] < '0' || b[i] > '9')
            return false;
        *v = *v * 10 + (b[i] - '0');
    }
    return n > 0 && n <= MAX_DIGITS && (n == 1 || b[0] != '0');
}

/* Bytes of the line at b without its end, SIZE_MAX when that is not there. */
static size_t line_at(const uint8_t *b, size_t n)
{
    const uint8_t *cr = memchr(b, '\r', n);

    return cr && (size_t)(cr - b) + 1 < n && cr[1] == '\n' ? (size_t)(cr - b) : SIZE_MAX;
}

static ahead value_at(const uint8_t *b, size_t n)
{
    ahead none = {.type = 255}, v = {.type = 255};
    size_t line = n ? line_at(b, n) : SIZE_MAX;

    if (line == SIZE_MAX || line == 0)
        return none;
    for (unsigned k = WSPI_COUNT(marks); k-- > 0 && v.type == 255;) {
        size_t len = strlen(marks[k]);
        if (len <= n && memcmp(b, marks[k], len) == 0)
            v.type = k;
    }
    v.at = b + 1;
    v.len = line - 1;
    switch (v.type) {
    case ARRAY:
    case INTEGER: return digits(v.at, v.len, &v.number) ? v : none;
    case NEGATIVE: return digits(v.at + 1, v.len - 1, &v.number) ? v : none;
    case STRING:
        if (!digits(v.at, v.len, &v.number) || v.number > n || n - v.number < line + 4)
            return none;
        v.at = b + line + 2;
        v.len = (size_t)v.number;
        return v.at[v.len] == '\r' && v.at[v.len + 1] == '\n' ? v : none;
    case SIMPLE:
    case FAILURE: return v.len <= MAX_LINE ? v : none;
    default: return v.type == 255 ? none : v;
    }
}

/* The row of a list from k on that [b, b + n) is, or begins with if a space follows; its end when there is none. */
static unsigned row_of(const wspi_value *list, unsigned k, const uint8_t *b, size_t n, bool begins)
{
    for (; list[k].name; k++) {
        size_t len = strlen(list[k].name);
        if (len <= n && memcmp(list[k].name, b, len) == 0 &&
            (len == n || (begins && b[len] == ' ')))
            break;
    }
    return k;
}

/* A question is sure; the rest is Redis where it was spoken before. */
static bool takes(const wspi_coder *c)
{
    const uint8_t *b = c->pay.in;
    size_t n = c->pay.end, line = n ? line_at(b, n) : SIZE_MAX;
    const wspi_app_state *s = &c->ctx->app;
    uint64_t count;

    if (line == SIZE_MAX || line == 0)
        return false;
    if (s->id[0] == WSPI_APP_REDIS || s->id[1] == WSPI_APP_REDIS)
        return value_at(b, n).type != 255;
    return *b == '*' && digits(b + 1, line - 1, &count) && line + 2 < n && b[line + 2] == '$';
}

/* ---- the walk ---- */

static void decimal(wspi_coder *c, uint64_t v)
{
    char s[24];

    (void)snprintf(s, sizeof s, "%llu\r\n", (unsigned long long)v);
    wspi_app_literal(c, s);
}

static void text(wspi_coder *c, uint64_t n, size_t shown, enum wspi_text_class class)
{
    if (!c->fill)
        wspi_app_require(c, n <= wspi_app_captured(c));
    wspi_app_text(c, (size_t)n, shown, class);
}

/* A string: a word, or so many bytes. Samples: the first of a question is a command, the others are not. */
static void string(wspi_coder *c, const ahead *v, unsigned place, unsigned count)
{
    uint64_t n = 0, row = W_TEXT;

    if (c->enc) {
        row = row_of(word, W_TEXT + 1, v->at, v->len, false);
        row = row < W_COUNT ? row : W_TEXT;
    }
    if (place == 0 && count > 0 && count <= MAX_SAMPLED)
        wspi_app_only(c, sampled_words[count - 1].from, sampled_words[count - 1].count);
    else
        wspi_app_only(c, W_TEXT, 1);
    row = wspi_app_code(c, WORD, false, 0, row);
    wspi_app_require(c, row < W_COUNT);
    if (wspi_app_stopped(c))
        return;
    if (place == 0 && count > 0)
        c->app.v[c->dir][COMMAND] = row;
    if (row != W_TEXT) {
        decimal(c, strlen(word[row].name));
        wspi_app_literal(c, word[row].name);
    } else {
        wspi_app_only(c, 4, 4); /* 4 to 15 bytes */
        n = wspi_app_code(c, LENGTH, false, 0, v->len);
        decimal(c, n);
        text(c, n, 0, WSPI_TEXT_NAME);
    }
    wspi_app_literal(c, "\r\n");
}

/* Samples: the row of the answer that is due. */
static unsigned due(const wspi_coder *c)
{
    unsigned k = 0;

    while (replies[k].command != c->app.v[0][COMMAND] && replies[k].command != W_COUNT)
        k++;
    return k;
}

/* A line that begins with a word of a list, or not. */
static void line(wspi_coder *c, const ahead *v, unsigned field, const wspi_value *list,
                 unsigned rows)
{
    uint64_t row = rows, n;
    size_t known = 0;

    if (c->enc)
        row = row_of(list, 0, v->at, v->len, field == ERROR);
    wspi_app_only(c, field == STATUS ? replies[due(c)].status : 0, field == STATUS ? 1 : 2);
    row = wspi_app_code(c, field, false, 0, row);
    if (wspi_app_stopped(c))
        return;
    if (row < rows) {
        wspi_app_literal(c, list[row].name);
        known = strlen(list[row].name);
    }
    if (row >= rows || field == ERROR) {
        wspi_app_only(c, 4, 4);
        n = wspi_app_code(c, COUNT, false, 0, v->len - known);
        if (c->fill && n) {
            wspi_app_literal(c, " ");
            n--;
        }
        text(c, n, ERROR_SHOWN, WSPI_TEXT_LINE);
    }
    wspi_app_literal(c, "\r\n");
}

static void number(wspi_coder *c, unsigned field, uint64_t v, unsigned from, unsigned count)
{
    wspi_app_only(c, from, count);
    v = wspi_app_code(c, field, false, 0, v);
    decimal(c, v);
}

static void value(wspi_coder *c, unsigned is, const ahead *v, unsigned place, unsigned *count)
{
    wspi_app_literal(c, marks[is]);
    switch (is) {
    case ARRAY:
        number(c, COUNT, v->number, 1, MAX_SAMPLED);
        *count = (unsigned)WSPI_MIN(c->app.v[c->dir][COUNT], 255);
        break;
    case STRING: string(c, v, place, *count); break;
    case SIMPLE: line(c, v, STATUS, status, WSPI_COUNT(status) - 1); break;
    case FAILURE: line(c, v, ERROR, error, WSPI_COUNT(error) - 1); break;
    case INTEGER:
    case NEGATIVE: number(c, NUMBER, v->number, 0, 8); break;
    default: break;
    }
}

/* Samples: a question, with a string for each of its count; an answer of one value. */
static void only_sampled(wspi_coder *c, unsigned n, unsigned count)
{
    if (c->dir == 0 && n == 0)
        wspi_app_only(c, ARRAY, 1);
    else if (c->dir == 0)
        wspi_app_only(c, STRING, n <= count);
    else
        wspi_app_only(c, 0, n == 0 ? NIL_ARRAY : 0);
}

static void walk(wspi_coder *c)
{
    unsigned count = 0, n = 0;

    for (; n < MAX_VALUES && !wspi_app_stopped(c) && (c->fill || wspi_app_captured(c)); n++) {
        ahead v = {.type = 255};
        uint64_t is;
        bool asked = wspi_asked(c), there;

        if (c->enc)
            v = value_at(c->pay.in + c->pay.at, wspi_app_captured(c));
        is = v.type;
        only_sampled(c, n, count);
        there = wspi_app_next(c, TYPE, v.type != 255, &is);
        if (asked && !there && c->dir == 1 && n == 0)
            wspi_app_keep(c, TYPE, replies[due(c)].types);
        if (asked && !there && (n == 0 || (c->dir == 0 && n <= count)))
            c->need = true; /* there is another one */
        if (!there || wspi_app_stopped(c))
            break;
        wspi_app_require(c, is < WSPI_COUNT(marks));
        if (!wspi_app_stopped(c))
            value(c, (unsigned)is, &v, n ? n - 1 : 0, &count);
    }
    if (!c->fill && !wspi_app_stopped(c))
        wspi_app_opaque(c, wspi_app_left(c));
}

const wspi_app wspi_app_redis = {
    .proto = {.name = "redis", .fields = fields, .n_fields = WSPI_COUNT(fields)},
    .over = WSPI_OVER_TCP,
    .takes = takes,
    .walk = walk,
    .ports = {6379},
    .ports_only = true,
    .turns = WSPI_IN_TURN,
};
