/* SPDX-License-Identifier: Apache-2.0 */
/*
 * s7comm.c: ISO transport over TCP, and the S7 protocol of Siemens controllers in it. RFC 1006 6:
 * | 3 8 | 0 8 | length 16 | COTP |, one or more in a segment.
 * COTP, ISO 8073 (X.224) 13:   data:  | n 8 | F0 8 | last 1 | number 7 | user data |
 * connection:  | n 8 | type 8 | destination 16 | source 16 | class 8 | { code 8 | n 8 | value } | user data |
 * S7 has no standard; its form is that of public dissectors:
 * | 32 8 | ROSCTR 8 | 0 16 | reference 16 | n 16 | n 16 | of an answer: error 16 | parameters | data |
 * parameters:  | function 8 | ... |, or of user data:  | 0 0x12 24 | n 8 | method 8 | type 4 group 4 | subfunction 8 | ... |
 * What else the transport carries (RDP, MMS, H.323, S7comm-plus) is opaque after its first bytes.
 */
#include "token/app/app.h"

enum {
    LENGTH,
    PDU,
    DESTINATION,
    SOURCE,
    CLASS,
    PARAM,
    VALUELEN,
    SIZE,
    LAST,
    ROSCTR,
    REFERENCE,
    ERROR,
    FUNCTION,
    COUNT,
    ITEM,
    AMOUNT,
    BLOCK,
    AREA,
    PARAMLEN,
    SEQUENCE
};

enum { HEADER = 4, MAX_MESSAGES = 24, MAX_ITEMS = 24, SHOWN = 8, S7_MAGIC = 0x32 };
enum { CR = 0xe0, CC = 0xd0, DR = 0x80, DT = 0xf0 };
enum { JOB = 1, ACK = 2, ANSWER = 3, USERDATA = 7, OTHER = 0 };
enum { SETUP = 0xf0, READ = 4, WRITE = 5, HIDDEN = 0x100 /* no form that we know */ };
enum { SYMBOL = 0x100, ITEM_LEN = 12 };
enum { BIT = 1, WORD = 4, INT = 5, DWORD = 6, DINT = 7, REAL = 8 };
enum { TPDU_SIZE = 0xc0, CALLING = 0xc1, CALLED = 0xc2, RAW = 0x100 };

static const wspi_value pdu[] = {
    {DT, "data"},           {CR, "connect"},     {CC, "confirm"}, {DR, "disconnect"},
    {0xc0, "disconnected"}, {0x10, "expedited"}, {0x60, "ack"},   {0x20, "expedited-ack"},
    {0x50, "reject"},       {0x70, "error"},     {0, NULL}};
static const wspi_value param[] = {{TPDU_SIZE, "tpdu-size"}, {CALLING, "calling"},
                                   {CALLED, "called"},       {RAW, "raw"},
                                   {0xc4, "version"},        {0xc5, "protection"},
                                   {0xc6, "options"},        {0xc7, "classes"},
                                   {0xf0, "preferred-size"}, {0, NULL}};
static const wspi_value last[] = {{0x80, "yes"}, {0x00, "no"}, {0, NULL}};
static const wspi_value rosctr[] = {{JOB, "job"},           {ANSWER, "answer"}, {ACK, "ack"},
                                    {USERDATA, "userdata"}, {OTHER, "none"},    {0, NULL}};

/* Samples: set-up, read, write. Of user data: type and group, then the subfunction. */
static const wspi_value function[] = {{SETUP, "setup"},
                                      {READ, "read"},
                                      {WRITE, "write"},
                                      {0x1a, "download"},
                                      {0x1b, "download-block"},
                                      {0x1c, "download-end"},
                                      {0x1d, "upload"},
                                      {0x1e, "upload-block"},
                                      {0x1f, "upload-end"},
                                      {0x28, "service"},
                                      {0x29, "stop"},
                                      {0x00, "cpu-services"},
                                      {HIDDEN, "hidden"},
                                      {0x4401, "ask-szl"},
                                      {0x8401, "szl"},
                                      {0x4402, "ask-messages"},
                                      {0x8402, "messages"},
                                      {0x0403, "diagnostics"},
                                      {0x4301, "ask-blocks"},
                                      {0x8301, "blocks"},
                                      {0x4302, "ask-blocks-of-type"},
                                      {0x8302, "blocks-of-type"},
                                      {0x4303, "ask-block"},
                                      {0x8303, "block"},
                                      {0x4101, "ask-debug"},
                                      {0x8101, "debug"},
                                      {0x4102, "ask-variables"},
                                      {0x8102, "variables"},
                                      {0x4201, "ask-cyclic"},
                                      {0x8201, "cyclic"},
                                      {0x0201, "cyclic-push"},
                                      {0x4204, "ask-cyclic-end"},
                                      {0x8204, "cyclic-end"},
                                      {0x4501, "ask-password"},
                                      {0x8501, "password"},
                                      {0x4701, "ask-clock"},
                                      {0x8701, "clock"},
                                      {0x4702, "set-clock"},
                                      {0x8702, "clock-set"},
                                      {0, NULL}};
static const wspi_value item[] = {{2, "byte"},     {1, "bit"},    {4, "word"},        {6, "dword"},
                                  {8, "real"},     {3, "char"},   {5, "int"},         {7, "dint"},
                                  {28, "counter"}, {29, "timer"}, {SYMBOL, "symbol"}, {0, NULL}};
static const wspi_value area[] = {{0x84, "db"},      {0x83, "flags"},    {0x81, "inputs"},
                                  {0x82, "outputs"}, {0x1c, "counters"}, {0x1d, "timers"},
                                  {0x80, "direct"},  {0x85, "instance"}, {0x86, "local"},
                                  {0x03, "system"},  {0, NULL}};

static const wspi_field fields[] = {
    [LENGTH] = {WSPI_MAG("tpkt.length", 16, WSPI_R_NONE, 2)},
    [PDU] = {WSPI_ENUM("cotp.type", 8, pdu), .arg = DT},
    [DESTINATION] = {WSPI_FREE("cotp.destination", 16, WSPI_P_MIRROR, WSPI_R_NUMBER),
                     .arg = SOURCE},
    [SOURCE] = {WSPI_FREE("cotp.source", 16, WSPI_P_PREV, WSPI_R_NUMBER)},
    [CLASS] = {WSPI_MAG("cotp.class", 8, WSPI_R_NONE, 1)},
    [PARAM] = {WSPI_ENUM("cotp.parameter", 9, param)},
    [VALUELEN] = {WSPI_MAG("cotp.length", 8, WSPI_R_NONE, 2), .arg = 2},
    [SIZE] = {WSPI_MAG("cotp.size", 8, WSPI_R_NONE, 3), .arg = 10},
    [LAST] = {WSPI_ENUM("cotp.last", 8, last), .arg = 0x80},
    [ROSCTR] = {WSPI_ENUM("s7.rosctr", 8, rosctr)},
    [REFERENCE] = {WSPI_FREE("s7.reference", 16, WSPI_P_MIRROR, WSPI_R_NUMBER), .arg = REFERENCE},
    [ERROR] = {WSPI_MAG("s7.error", 16, WSPI_R_NONE, 1)},
    [FUNCTION] = {WSPI_ENUM("s7.function", 16, function)},
    [COUNT] = {WSPI_MAG("s7.count", 16, WSPI_R_NONE, 2), .arg = 1},
    [ITEM] = {WSPI_ENUM("s7.item", 9, item), .arg = 2},
    [AMOUNT] = {WSPI_MAG("s7.amount", 16, WSPI_R_NONE, 1), .arg = 1},
    [BLOCK] = {WSPI_MAG("s7.block", 16, WSPI_R_NONE, 1), .pred = WSPI_P_PREV},
    [AREA] = {WSPI_ENUM("s7.area", 8, area), .pred = WSPI_P_PREV, .arg = 0x84},
    [PARAMLEN] = {WSPI_MAG("s7.parameters", 16, WSPI_R_NONE, 2)},
    [SEQUENCE] = {WSPI_FREE("s7.sequence", 8, WSPI_P_CONST, WSPI_R_NUMBER)},
};

/* A TPKT header and the fixed part of a COTP header that is all there. */
static bool looks(const uint8_t *b, size_t n)
{
    size_t len = n >= 7 ? (size_t)b[2] << 8 | b[3] : 0;

    if (len < 7 || b[0] != 3 || b[1] != 0 || b[4] < 2 || b[4] + 5u > WSPI_MIN(len, n))
        return false;
    return wspi_app_is_listed(pdu, b[5]) &&
           (b[5] == DT ? b[4] == 2 : b[4] >= (b[5] == CR || b[5] == CC ? 6 : 2));
}

/* ---- samples: a connection, a set-up, then jobs, each with its answer ---- */

/*
 * Of the items of the direction's last job, a byte each, the last one lowest: bytes of its value, and whether that is a bit. Kept where
 * the packet's length was, which nothing asks for again.
 */
enum { KEPT = LENGTH, A_BIT = 0x80, KEPT_ITEMS = 8 };

/* Rows of the lists. */
enum { R_DATA, R_CONNECT, R_CONFIRM };
enum { R_SIZE, R_CALLING, R_CALLED };
enum { R_DB, R_FLAGS };

/* Whether the last message of a direction was of this type; false if there was none. */
static bool was(const wspi_coder *c, bool mine, uint64_t type)
{
    uint64_t before;

    return wspi_app_last(c, mine, PDU, &before) && before == type;
}

/* The row of the type that comes next. */
static unsigned next_type(const wspi_coder *c)
{
    uint64_t before;

    if (c->dir)
        return was(c, false, CR) ? R_CONFIRM : R_DATA;
    return wspi_app_last(c, true, PDU, &before) ? R_DATA : R_CONNECT;
}

/* A field that has to have the value; f is ENUM or MAG, of which the value has a token to itself. */
static uint64_t due(wspi_coder *c, unsigned f, size_t n, unsigned token, uint64_t usual, uint64_t v)
{
    wspi_app_only(c, token, v != usual);
    return wspi_app_field(c, f, n, v == usual, usual);
}

static void put_item(wspi_coder *c, uint64_t is, bool request, bool ends)
{
    size_t n = (size_t)is & (A_BIT - 1);
    bool bit = is & A_BIT;

    wspi_app_put(c, 1, request ? 0 : 0xff);
    wspi_app_put(c, 1, bit ? 3 : 4);
    wspi_app_put(c, 2, bit ? 1 : 8 * n);
    for (size_t i = 0; i < n; i++)
        wspi_app_put(c, 1, wspi_rng_u64(&c->rng) & (bit ? 1 : 0xff));
    if (n % 2 && !ends)
        wspi_app_put(c, 1, 0);
}

/* Values that are written or were asked for, or whether they were written. */
static void put_data(wspi_coder *c, uint64_t type)
{
    const uint64_t *mine = c->app.v[c->dir];
    uint64_t items = c->app.v[0][KEPT], n = WSPI_MIN(mine[COUNT], (uint64_t)MAX_ITEMS);

    for (uint64_t i = n; i-- > 0 && !wspi_app_stopped(c);) {
        if (type == JOB ? mine[FUNCTION] == WRITE : mine[FUNCTION] == READ)
            put_item(c, i < KEPT_ITEMS ? items >> 8 * i & 0xff : 1, type == JOB, i == 0);
        else if (type == ANSWER && mine[FUNCTION] == WRITE)
            wspi_app_put(c, 1, 0xff);
    }
}

/* The rows of functions: a connection is set up, jobs read and write, and what was asked for is answered. */
static void keep_function(wspi_coder *c, bool job)
{
    uint64_t asked = 0;

    if (job)
        wspi_app_only(c, !was(c, true, CR), was(c, true, CR) ? 1 : 2);
    else
        wspi_app_only(c,
                      wspi_app_last(c, false, FUNCTION, &asked) && asked == READ ? 1
                      : asked == WRITE                                           ? 2
                                                                                 : 0,
                      1);
}

/* Sides of racks and slots (ISO 8073's selectors, as S7 has them). */
static void put_selector(wspi_coder *c, bool called)
{
    static const uint16_t sides[][2] = {
        {0x0100, 0x0102}, {0x0100, 0x0302}, {0x0200, 0x0201}, {0x0300, 0x0300}};
    wspi_rng r = wspi_app_of_flow(c, 0);

    wspi_app_put(c, 2, sides[wspi_rng_below(&r, WSPI_COUNT(sides))][called]);
}

/* n bytes of which the segment may not hold all. */
static void opaque_here(wspi_coder *c, size_t n)
{
    wspi_app_opaque(c, WSPI_MIN(n, c->fill ? n : wspi_app_left(c)));
}

/* ---- connection ---- */

/* Do parameters fill [at, end)? RDP puts other things there. */
static bool are_parameters(const wspi_coder *c, size_t end)
{
    size_t at = c->pay.at;

    while (at + 2 <= end && c->pay.in[at] >= TPDU_SIZE && at + 2u + c->pay.in[at + 1] <= end)
        at += 2u + c->pay.in[at + 1];
    return at == end;
}

static void parameter_size(wspi_coder *c)
{
    uint64_t asked;

    if (c->fill && c->dir && wspi_app_last(c, false, SIZE, &asked)) {
        (void)due(c, SIZE, 1, (unsigned)wspi_bin(asked, 3), 10, asked);
        return;
    }
    wspi_app_only(c, 7, 7); /* 128 bytes to 8 KB */
    (void)wspi_app_field(c, SIZE, 1, true, 10);
}

static void parameters(wspi_coder *c, const wspi_app_span *s)
{
    static const uint8_t order[] = {R_CALLING, R_CALLED, R_SIZE};
    bool tiled = c->enc && !wspi_app_stopped(c) && are_parameters(c, s->end);
    uint64_t v, n;

    for (unsigned i = 0; !wspi_app_stopped(c); i++) {
        bool there = c->enc && c->pay.at < s->end, asked = wspi_asked(c);
        v = !there ? 0 : tiled ? c->pay.in[c->pay.at] : (uint64_t)RAW;
        wspi_app_only(c, i < 3 ? order[i] : 0, i < 3);
        if (!wspi_app_next(c, PARAM, there, &v)) {
            c->need = c->need || (asked && i < 3);
            return;
        }
        if (v == RAW) {
            n = wspi_app_code(c, VALUELEN, false, 0, c->enc ? s->end - c->pay.at : 0);
            wspi_app_opaque(c, (size_t)n);
            return;
        }
        (void)wspi_app_get(c, 1);
        wspi_app_put(c, 1, v);
        wspi_app_only(c, 0, 0);
        n = wspi_app_field(c, VALUELEN, 1, true, v == TPDU_SIZE ? 1 : 2);
        if (v == TPDU_SIZE && n == 1)
            parameter_size(c);
        else if (c->fill && n == 2)
            put_selector(c, v == CALLED);
        else
            wspi_app_opaque(c, (size_t)n);
    }
}

/* After the type: references, class or reason, parameters. An answer is for the reference of the request. */
static void connection(wspi_coder *c, uint64_t type, const wspi_app_span *s)
{
    uint64_t want = 0;
    bool known = wspi_app_last(c, false, SOURCE, &want);

    (void)wspi_app_field(c, DESTINATION, 2, known || type == CR, type == CR ? 0 : want);
    known = type == DR && wspi_app_last(c, true, SOURCE, &want);
    (void)wspi_app_field(c, SOURCE, 2, known, want);
    wspi_app_only(c, 0, 0);
    (void)wspi_app_field(c, CLASS, 1, true, 0);
    parameters(c, s);
}

/* ---- S7 ---- */

static bool has_error(uint64_t type)
{
    return type == ACK || type == ANSWER;
}

/* Encoding: the kind of S7 message that the user data up to `end` is, or OTHER. */
static uint64_t s7_ahead(const wspi_coder *c, size_t end)
{
    const uint8_t *b = c->pay.in + c->pay.at;
    size_t n = wspi_app_captured(c), head, together;

    if (n < 12 || b[0] != S7_MAGIC || b[2] || b[3])
        return OTHER;
    if (b[1] != JOB && b[1] != USERDATA && !has_error(b[1]))
        return OTHER;
    head = has_error(b[1]) ? 12 : 10;
    together = ((size_t)b[6] << 8 | b[7]) + ((size_t)b[8] << 8 | b[9]);
    return c->pay.at + head + together == end && n >= head + ((size_t)b[6] << 8 | b[7]) ? b[1]
                                                                                        : OTHER;
}

/* Encoding: do the counted items at b, each with its length, fill n bytes? */
static bool are_items(const uint8_t *b, size_t n)
{
    size_t at = 2;

    if (n < 2 || b[1] > MAX_ITEMS)
        return false;
    for (unsigned i = 0; i < b[1]; i++) {
        if (at + 2 > n || b[at] != 0x12 || at + 2u + b[at + 1] > n)
            return false;
        at += 2u + b[at + 1];
    }
    return at == n;
}

/* Encoding: the function of the n bytes of parameters ahead, HIDDEN where they have no form that we know. */
static uint64_t function_ahead(const wspi_coder *c, uint64_t type, size_t n)
{
    const uint8_t *b = c->pay.in + c->pay.at;
    bool brief = n >= 8 && b[5] >> 4 == 4;

    if (n == 0)
        return HIDDEN;
    if (type == USERDATA)
        return n == (brief ? 8u : 12u) && b[0] == 0 && b[1] == 1 && b[2] == 0x12 && b[3] == n - 4 &&
                       b[4] == (brief ? 0x11 : 0x12)
                   ? (uint64_t)b[5] << 8 | b[6]
                   : (uint64_t)HIDDEN;
    if (b[0] == SETUP)
        return n == 8 && b[1] == 0 ? b[0] : (uint64_t)HIDDEN;
    if (b[0] == READ || b[0] == WRITE)
        return n == 2 || (type == JOB && are_items(b, n)) ? b[0] : (uint64_t)HIDDEN;
    return b[0];
}

/* Blocks of data have numbers, other areas none. */
static void item_area(wspi_coder *c)
{
    uint64_t *mine = c->app.v[c->dir], want = mine[AREA] ? mine[AREA] : 0x84;
    bool db = mine[BLOCK], fits = db == (want == 0x84);

    wspi_app_only(c, db ? R_DB : R_FLAGS, db ? 1 : 3);
    (void)wspi_app_field(c, AREA, 1, !c->fill || fits, want);
}

/* A byte, or a bit of it, of the first ones of the area. */
static void item_address(wspi_coder *c, uint64_t kind)
{
    enum { ADDRESSES = 512 };

    if (!c->fill)
        wspi_app_opaque(c, 3);
    else
        wspi_app_put(c, 3,
                     8 * wspi_rng_below(&c->rng, ADDRESSES) +
                         (kind == BIT ? wspi_rng_below(&c->rng, 8) : 0));
}

/* Bytes of a value of a kind of item. */
static uint64_t bytes_of(uint64_t kind)
{
    return kind == DWORD || kind == REAL || kind == DINT ? 4 : kind == WORD || kind == INT ? 2 : 1;
}

static void one_item(wspi_coder *c)
{
    const uint8_t *b = c->enc ? c->pay.in + c->pay.at : NULL;
    uint64_t *mine = c->app.v[c->dir], kind = 0, n;

    if (wspi_app_stopped(c))
        return;
    if (c->enc) /* are_items has seen the first two bytes, and that the others are there */
        kind = b[1] == ITEM_LEN - 2 && b[2] == 0x10 ? b[3] : (uint64_t)SYMBOL;
    wspi_app_only(c, 0, 5);
    kind = wspi_app_code(c, ITEM, false, 0, kind); /* always told: it separates the items' fields */
    (void)wspi_app_get(c, 1);
    wspi_app_put(c, 1, 0x12);
    if (kind == SYMBOL) {
        mine[KEPT] = mine[KEPT] << 8 | 1;
        wspi_app_opaque(c, (size_t)wspi_app_field(c, VALUELEN, 1, true, ITEM_LEN - 2));
        return;
    }
    (void)wspi_app_get(c, 3);
    wspi_app_put(c, 3, (ITEM_LEN - 2) << 16 | 0x10 << 8 | (kind & 255));
    wspi_app_only(c, 1, kind == BIT ? 0 : 5);
    n = wspi_app_field(c, AMOUNT, 2, true, 1) * bytes_of(kind);
    mine[KEPT] = mine[KEPT] << 8 | WSPI_MIN(n, A_BIT - 1u) | (kind == BIT ? A_BIT : 0);
    (void)wspi_app_field(c, BLOCK, 2, true, mine[BLOCK]);
    item_area(c);
    item_address(c, kind);
}

/* Samples: the usual size of messages in a class of sizes; a server agrees. */
static uint64_t setup_size(wspi_coder *c)
{
    enum { FIRST = 15, CLASSES = 4 }; /* 192 to 767 bytes */
    static const uint16_t usual[CLASSES] = {240, 256, 480, 512};
    uint64_t asked = 0, v = wspi_app_get(c, 2);
    bool agrees = c->fill && c->dir && wspi_app_last(c, false, AMOUNT, &asked);

    wspi_app_only(c, agrees ? wspi_bin(asked, 1) : FIRST, agrees ? 1 : CLASSES);
    v = wspi_app_code(c, AMOUNT, false, 0, v);
    if (agrees && wspi_bin(v, 1) == wspi_bin(asked, 1))
        v = asked;
    else if (c->fill && wspi_bin(v, 1) - FIRST < CLASSES)
        v = usual[wspi_bin(v, 1) - FIRST];
    if (!wspi_app_stopped(c))
        c->app.v[c->dir][AMOUNT] = v;
    wspi_app_put(c, 2, v);
    return v;
}

/* Jobs at a time, of either side: told, or the second would be taken for the first. Samples have as many of both. */
static void setup(wspi_coder *c)
{
    uint64_t asked = 0;
    bool agrees = c->fill && c->dir && wspi_app_last(c, false, COUNT, &asked);

    (void)wspi_app_get(c, 1);
    wspi_app_put(c, 1, 0);
    for (int side = 0; side < 2; side++) {
        wspi_app_only(c, agrees ? wspi_bin(asked, 2) : 1, agrees ? 1 : 4);
        asked = wspi_app_field(c, COUNT, 2, false, 0);
        agrees = c->fill;
    }
    (void)setup_size(c);
}

/* Head, method and what follows in the parameters of user data. */
static void userdata(wspi_coder *c, uint64_t fn)
{
    bool brief = fn >> 12 == 4;

    (void)wspi_app_get(c, 7);
    wspi_app_put(c, 7, (uint64_t)0x000112 << 32 | (brief ? 0x04110000 : 0x08120000) | fn);
    (void)wspi_app_field(c, SEQUENCE, 1, false, 0);
    if (brief)
        return;
    wspi_app_opaque(c, 2);
    (void)wspi_app_field(c, ERROR, 2, true, 0);
}

static uint64_t item_count(wspi_coder *c, bool job)
{
    uint64_t asked;

    if (c->fill && !job && wspi_app_last(c, false, COUNT, &asked))
        return due(c, COUNT, 1, wspi_bin(asked, 2), 1, asked);
    wspi_app_only(c, 1, 4);
    return wspi_app_field(c, COUNT, 1, true, 1);
}

/* The parameters, `n` bytes when encoding. */
static void s7_parameters(wspi_coder *c, uint64_t type, size_t n)
{
    size_t end = c->pay.at + n, rest;
    uint64_t fn = c->enc && !wspi_app_stopped(c) ? function_ahead(c, type, n) : 0, items;
    bool job = type == JOB;

    if (c->fill)
        keep_function(c, job);
    fn = wspi_app_code(c, FUNCTION, false, 0, fn);
    if (type == USERDATA && fn != HIDDEN) {
        userdata(c, fn);
    } else if (fn != HIDDEN) {
        wspi_app_require(c, fn < 256);
        (void)wspi_app_get(c, 1);
        wspi_app_put(c, 1, fn);
    }
    if (type != USERDATA && fn == SETUP) {
        setup(c);
    } else if (type != USERDATA && (fn == READ || fn == WRITE)) {
        items = item_count(c, job);
        wspi_app_require(c, !job || items <= MAX_ITEMS);
        if (job && c->enc && c->pay.at == end)
            wspi_app_require(c, items == 0);
        if (job && !wspi_app_stopped(c))
            c->app.v[c->dir][KEPT] = 0;
        for (; job && items && !wspi_app_stopped(c); items--)
            one_item(c);
    }
    rest = c->enc && c->pay.at < end ? end - c->pay.at : 0;
    wspi_app_only(c, 0, 0);
    wspi_app_opaque(c, (size_t)wspi_app_code(c, PARAMLEN, true, 0, rest));
    wspi_app_require(c, !c->enc || c->pay.at == end);
}

/* Writes v into the two bytes at `at` of a decoded payload. */
static void patch(wspi_coder *c, size_t at, size_t v)
{
    if (c->enc || wspi_app_stopped(c))
        return;
    if (at + 2 > c->pay.out->len || v > 0xffff) {
        c->bad = true;
        return;
    }
    c->pay.out->data[at] = (uint8_t)(v >> 8);
    c->pay.out->data[at + 1] = (uint8_t)v;
}

/* A job counts on; what the server sends repeats, and so does what answers it. */
static void reference(wspi_coder *c, uint64_t type)
{
    uint64_t want = 0;
    bool answer = has_error(type) || (type == USERDATA && c->dir == 1);
    bool known = wspi_app_last(c, !answer, REFERENCE, &want);

    (void)wspi_app_field(c, REFERENCE, 2, known, answer ? want : (want + 1) & 0xffff);
}

static void s7_message(wspi_coder *c, uint64_t type, size_t end)
{
    uint64_t n;
    size_t lengths, start;

    (void)wspi_app_get(c, 4);
    wspi_app_put(c, 4, (uint64_t)S7_MAGIC << 24 | type << 16);
    reference(c, type);
    lengths = c->pay.at;
    n = wspi_app_get(c, 2);
    (void)wspi_app_get(c, 2);
    wspi_app_put(c, 4, 0);
    wspi_app_only(c, 0, 0);
    if (has_error(type))
        (void)wspi_app_field(c, ERROR, 2, true, 0);
    start = c->pay.at;
    s7_parameters(c, type, (size_t)n);
    patch(c, lengths, c->pay.at - start);
    if (c->fill) {
        start = c->pay.at;
        put_data(c, type);
        patch(c, lengths + 2, c->pay.at - start);
        return;
    }
    wspi_app_require(c, c->pay.at <= end);
    if (wspi_app_stopped(c))
        return;
    patch(c, lengths + 2, end - c->pay.at);
    opaque_here(c, end - c->pay.at);
}

/* ---- TPKT, COTP ---- */

static void user_data(wspi_coder *c, size_t end)
{
    uint64_t type = c->enc && !wspi_app_stopped(c) ? s7_ahead(c, end) : 0;
    size_t n;

    wspi_app_only(c, c->dir == 1, 1);
    type = wspi_app_code(c, ROSCTR, false, 0, type);
    if (wspi_app_stopped(c))
        return;
    if (type != OTHER) {
        wspi_app_require(c, type == JOB || type == USERDATA || has_error(type));
        s7_message(c, type, end);
        return;
    }
    n = c->fill ? SHOWN : WSPI_MIN(end - c->pay.at, wspi_app_left(c));
    wspi_app_text(c, n, c->fill ? n : WSPI_MIN((size_t)SHOWN, wspi_app_captured(c)), WSPI_TEXT_ANY);
}

/* A packet whose type has been coded. */
static void message(wspi_coder *c, uint64_t type)
{
    size_t start = c->pay.at, end, room = c->pay.wire > start ? c->pay.wire - start : 0;
    wspi_app_span s;
    uint64_t len;

    (void)wspi_app_get(c, 2);
    wspi_app_put(c, 2, 3 << 8);
    len = wspi_app_get(c, 2);
    wspi_app_only(c, 0, 0);
    len = wspi_app_code(c, LENGTH, true, room & 0xffff, len);
    wspi_app_put(c, 2, len);
    end = start + (size_t)len;
    s = wspi_app_open(c, 1);
    (void)wspi_app_get(c, 1);
    wspi_app_put(c, 1, type);
    if (type == CR || type == CC || type == DR) {
        connection(c, type, &s);
    } else if (type == DT) {
        wspi_app_only(c, 0, 0);
        (void)wspi_app_field(c, LAST, 1, true, 0x80);
    } else {
        len = wspi_app_code(c, VALUELEN, false, 0, c->enc ? s.end - c->pay.at : 0);
        wspi_app_opaque(c, (size_t)len);
    }
    wspi_app_close(c, s);
    wspi_app_require(c, c->fill || c->pay.at <= end);
    if (wspi_app_stopped(c))
        return;
    if (type == DT)
        user_data(c, end);
    else if (!c->fill)
        opaque_here(c, end - c->pay.at);
    if (c->fill)
        patch(c, start + 2, c->pay.at - start);
    else if (!wspi_app_stopped(c) && end > c->pay.at)
        c->app.left[c->dir] = (uint32_t)(end - c->pay.at);
}

static uint64_t type_ahead(const wspi_coder *c, bool *there)
{
    *there = c->enc && !wspi_app_stopped(c) && looks(c->pay.in + c->pay.at, wspi_app_captured(c));
    return *there ? c->pay.in[c->pay.at + 5] : 0;
}

static void walk(wspi_coder *c)
{
    uint32_t *left = &c->app.left[c->dir];
    uint32_t n = (uint32_t)WSPI_MIN(*left, wspi_app_left(c));
    uint64_t type;
    bool there;

    *left -= n;
    wspi_app_opaque(c, n);
    if (n == 0) {
        type = type_ahead(c, &there);
        wspi_app_require(c, !c->enc || there);
        wspi_app_only(c, c->fill ? next_type(c) : 0, c->fill && next_type(c) != R_DATA);
        message(c, wspi_app_code(c, PDU, !c->fill || next_type(c) == R_DATA, DT, type));
    }
    for (int i = 0; i < MAX_MESSAGES && !wspi_app_stopped(c) && *left == 0; i++) {
        type = type_ahead(c, &there);
        wspi_app_only(c, 0, 0);
        if (!wspi_app_next(c, PDU, there, &type))
            return;
        message(c, type);
    }
}

const wspi_app wspi_app_s7comm = {
    .proto = {.name = "s7comm", .fields = fields, .n_fields = WSPI_COUNT(fields)},
    .over = WSPI_OVER_TCP,
    .looks = looks,
    .walk = walk,
    .ports = {102},
    .turns = WSPI_IN_TURN,
};
