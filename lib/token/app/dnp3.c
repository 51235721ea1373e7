/* SPDX-License-Identifier: Apache-2.0 */
/*
 * dnp3.c: DNP3 over TCP and UDP. IEEE 1815, little-endian; blocks of 16 bytes have a CRC each, which we compute:
 * | 05 64 | length 8 | control 8 | destination 16 | source 16 | CRC 16 | { up to 16 bytes | CRC 16 } ... |
 * user data of the blocks:  | FIN 1 | FIR 1 | number 6 | in the first segment: application header | objects or the rest |
 * application header:  | FIR 1 | FIN 1 | CON 1 | UNS 1 | number 4 | function 8 | of a response: indications 16 |
 * object:  | group 8 | variation 8 | prefix 4 | range 4 | range | data |
 * The length is that of the contents. A frame that is cut or has a wrong CRC is plain bytes.
 */
#include "token/app/app.h"

enum {
    FRAME,
    CONTROL,
    DESTINATION,
    SOURCE,
    SEGMENT,
    SEGMENTS,
    APPLICATION,
    NUMBER,
    UNSOLICITED_NUMBER,
    FUNCTION,
    EVENTS,
    STATE,
    ERROR,
    GROUP,
    VARIATION,
    QUALIFIER,
    START,
    COUNT,
    DATA
};

enum { HEADER = 10, BLOCK = 16, OUTSIDE = 5 /* bytes that the length counts and no block holds */ };
enum { MAX_USER = 255 - OUTSIDE, MAX_FRAMES = 32, MAX_SAMPLED = 2, MAX_STATION = 1023 };
enum { MAGIC = 0x0564, FIRST = 0x40, WHOLE = 0xc0, RESPONSE = 129, UNSOLICITED = 130 };

static const wspi_value frame[] = {{MAGIC, "next"}, {0, NULL}};
static const wspi_value control[] = {{0xc4, "master-data"},        {0x44, "station-data"},
                                     {0xc0, "master-reset"},       {0x00, "station-ack"},
                                     {0xc9, "master-ask-status"},  {0x0b, "station-status"},
                                     {0xd3, "master-data-c0"},     {0xf3, "master-data-c1"},
                                     {0x53, "station-data-c0"},    {0x73, "station-data-c1"},
                                     {0x80, "master-ack"},         {0x40, "station-reset"},
                                     {0x49, "station-ask-status"}, {0x8b, "master-status"},
                                     {0xd2, "master-test-0"},      {0xf2, "master-test-1"},
                                     {0x01, "station-nack"},       {0x81, "master-nack"},
                                     {0x0f, "station-no-link"},    {0, NULL}};
static const wspi_value segment[] = {
    {WHOLE, "whole"}, {FIRST, "first"}, {0x80, "last"}, {0x00, "middle"}, {0, NULL}};
static const wspi_value application[] = {{0xc0, "whole"},
                                         {0xe0, "whole-confirm"},
                                         {0xf0, "unsolicited-confirm"},
                                         {0xd0, "unsolicited"},
                                         {0x80, "first"},
                                         {0xa0, "first-confirm"},
                                         {0x40, "last"},
                                         {0x60, "last-confirm"},
                                         {0x00, "middle"},
                                         {0x20, "middle-confirm"},
                                         {0, NULL}};
static const wspi_value function[] = {{1, "read"},
                                      {RESPONSE, "response"},
                                      {UNSOLICITED, "unsolicited"},
                                      {0, "confirm"},
                                      {2, "write"},
                                      {3, "select"},
                                      {4, "operate"},
                                      {5, "direct-operate"},
                                      {6, "direct-operate-no-ack"},
                                      {7, "freeze"},
                                      {8, "freeze-no-ack"},
                                      {9, "freeze-clear"},
                                      {10, "freeze-clear-no-ack"},
                                      {11, "freeze-at-time"},
                                      {12, "freeze-at-time-no-ack"},
                                      {13, "cold-restart"},
                                      {14, "warm-restart"},
                                      {15, "initialize-data"},
                                      {16, "initialize-application"},
                                      {17, "start-application"},
                                      {18, "stop-application"},
                                      {19, "save-configuration"},
                                      {20, "enable-unsolicited"},
                                      {21, "disable-unsolicited"},
                                      {22, "assign-class"},
                                      {23, "delay-measure"},
                                      {24, "record-time"},
                                      {25, "file-open"},
                                      {26, "file-close"},
                                      {27, "file-delete"},
                                      {28, "file-info"},
                                      {29, "file-authenticate"},
                                      {30, "file-abort"},
                                      {31, "activate-configuration"},
                                      {32, "authenticate"},
                                      {33, "authenticate-no-ack"},
                                      {131, "authenticate-response"},
                                      {0, NULL}};
static const wspi_value error[] = {{0, "none"},           {1, "no-function"}, {2, "no-object"},
                                   {4, "parameter"},      {8, "overflow"},    {16, "executing"},
                                   {32, "configuration"}, {0, NULL}};

/* Requests in samples take the first group, responses the next four. */
static const wspi_value group[] = {{60, "class"},
                                   {1, "binary-in"},
                                   {10, "binary-out"},
                                   {20, "counter"},
                                   {30, "analog-in"},
                                   {2, "binary-event"},
                                   {3, "double-in"},
                                   {4, "double-event"},
                                   {11, "binary-out-event"},
                                   {12, "control"},
                                   {13, "control-event"},
                                   {21, "frozen-counter"},
                                   {22, "counter-event"},
                                   {23, "frozen-counter-event"},
                                   {31, "frozen-analog"},
                                   {32, "analog-event"},
                                   {33, "frozen-analog-event"},
                                   {34, "deadband"},
                                   {40, "analog-out"},
                                   {41, "analog-command"},
                                   {42, "analog-out-event"},
                                   {43, "analog-command-event"},
                                   {50, "time"},
                                   {51, "common-time"},
                                   {52, "delay"},
                                   {70, "file"},
                                   {80, "indications"},
                                   {0, "attributes"},
                                   {110, "string"},
                                   {111, "string-event"},
                                   {112, "terminal-out"},
                                   {113, "terminal-event"},
                                   {120, "authentication"},
                                   {90, "application"},
                                   {85, "data-set-prototype"},
                                   {87, "data-set"},
                                   {0, NULL}};

static const wspi_value qualifier[] = {{0x06, "all"},       {0x00, "range8"},  {0x01, "range16"},
                                       {0x17, "index8"},    {0x28, "index16"}, {0x07, "count8"},
                                       {0x08, "count16"},   {0x5b, "sized"},   {0x18, "index8-16"},
                                       {0x27, "index16-8"}, {0, NULL}};

static const wspi_field fields[] = {
    [FRAME] = {WSPI_ENUM("dnp3.frame", 16, frame)},
    [CONTROL] = {WSPI_ENUM("dnp3.control", 8, control), .pred = WSPI_P_PREV},
    [DESTINATION] = {WSPI_FREE("dnp3.destination", 16, WSPI_P_MIRROR, WSPI_R_NUMBER),
                     .arg = SOURCE},
    [SOURCE] = {WSPI_FREE("dnp3.source", 16, WSPI_P_MIRROR, WSPI_R_NUMBER), .arg = DESTINATION},
    [SEGMENT] = {WSPI_ENUM("dnp3.segment", 8, segment), .arg = WHOLE},
    [SEGMENTS] = {WSPI_FREE("dnp3.segments", 6, WSPI_P_PREV, WSPI_R_NUMBER)},
    [APPLICATION] = {WSPI_ENUM("dnp3.application", 8, application), .arg = 0xc0},
    [NUMBER] = {WSPI_FREE("dnp3.number", 4, WSPI_P_MIRROR, WSPI_R_NUMBER), .arg = NUMBER},
    [UNSOLICITED_NUMBER] = {WSPI_FREE("dnp3.unsolicited_number", 4, WSPI_P_MIRROR, WSPI_R_NUMBER),
                            .arg = UNSOLICITED_NUMBER},
    [FUNCTION] = {WSPI_ENUM("dnp3.function", 8, function)},
    [EVENTS] = {WSPI_MAG("dnp3.events", 4, WSPI_R_NONE, 3), .pred = WSPI_P_PREV},
    [STATE] = {WSPI_MAG("dnp3.state", 4, WSPI_R_NONE, 3), .pred = WSPI_P_PREV},
    [ERROR] = {WSPI_ENUM("dnp3.error", 8, error)},
    [GROUP] = {WSPI_ENUM("dnp3.group", 8, group)},
    [VARIATION] = {WSPI_MAG("dnp3.variation", 8, WSPI_R_NONE, 3)},
    [QUALIFIER] = {WSPI_ENUM("dnp3.qualifier", 8, qualifier)},
    [START] = {WSPI_MAG("dnp3.start", 16, WSPI_R_NONE, 1)},
    [COUNT] = {WSPI_MAG("dnp3.count", 17, WSPI_R_NONE, 2), .arg = 1},
    [DATA] = {WSPI_MAG("dnp3.data", 8, WSPI_R_NONE, 2)},
};

/* Bits of one object of a group, by variation from 1 on; 0 where it depends. IEEE 1815 annex A. */
static const struct {
    uint8_t group;
    uint8_t bits[8];
} sizes[] = {
    {1, {1, 8}},
    {2, {8, 56, 24}},
    {3, {2, 8}},
    {4, {8, 56, 24}},
    {10, {1, 8}},
    {11, {8, 56}},
    {12, {88, 88, 1}},
    {13, {8, 56}},
    {20, {40, 24, 40, 24, 32, 16, 32, 16}},
    {21, {40, 24, 40, 24, 88, 72, 88, 72}},
    {22, {40, 24, 40, 24, 88, 72, 88, 72}},
    {23, {40, 24, 40, 24, 88, 72, 88, 72}},
    {30, {40, 24, 32, 16, 40, 72}},
    {31, {40, 24, 88, 72, 32, 16, 40, 72}},
    {32, {40, 24, 88, 72, 40, 72, 88, 120}},
    {33, {40, 24, 88, 72, 40, 72, 88, 120}},
    {34, {16, 32, 32}},
    {40, {40, 24, 40, 72}},
    {41, {40, 24, 40, 72}},
    {42, {40, 24, 88, 72, 40, 72, 88, 120}},
    {43, {40, 24, 88, 72, 40, 72, 88, 120}},
    {50, {48, 80, 48}},
    {51, {48, 48}},
    {52, {16, 16}},
    {80, {1}},
};

/* The frame under the walk: user data passed and, when encoding, still to come. */
typedef struct blocks {
    size_t at;   /* where the frame starts in the payload */
    size_t done; /* user bytes passed */
    size_t left;
} blocks;

/* ---- CRC, blocks ---- */

/* IEEE 1815 9.2.4.3: polynomial 0x3d65, reflected, complemented. */
static uint16_t crc_of(const uint8_t *b, size_t n)
{
    uint16_t r = 0;

    for (size_t i = 0; i < n; i++) {
        r ^= b[i];
        for (int k = 0; k < 8; k++)
            r = (uint16_t)(r & 1 ? r >> 1 ^ 0xa6bc : r >> 1);
    }
    return (uint16_t)~r;
}

static bool crc_fits(const uint8_t *b, size_t n)
{
    uint16_t r = crc_of(b, n);

    return b[n] == (r & 255) && b[n + 1] == r >> 8;
}

static size_t frame_len(size_t user)
{
    return HEADER + user + 2 * ((user + BLOCK - 1) / BLOCK);
}

static bool looks(const uint8_t *b, size_t n)
{
    return n >= HEADER && b[0] == 0x05 && b[1] == 0x64 && b[2] >= OUTSIDE && crc_fits(b, 8);
}

/* Frames of these control bytes, and no others, have user data. */
static bool has_user(uint64_t ctl)
{
    return ctl & 0x40 && ((ctl & 15) == 3 || (ctl & 15) == 4);
}

/* Is all of a frame there, and right? */
static bool is_frame(const uint8_t *b, size_t n)
{
    size_t user = n > 2 ? b[2] - (size_t)OUTSIDE : 0, at = HEADER;

    if (!looks(b, n) || n < frame_len(user) || (user > 0) != has_user(b[3]))
        return false;
    for (; user; user -= WSPI_MIN(user, (size_t)BLOCK)) {
        size_t k = WSPI_MIN(user, (size_t)BLOCK);
        if (!crc_fits(b + at, k))
            return false;
        at += k + 2;
    }
    return true;
}

/* The CRC of the n bytes before, when decoding; is_frame has checked it when encoding. */
static void put_crc(wspi_coder *c, size_t n)
{
    uint16_t r;

    (void)wspi_app_get(c, 2);
    if (c->enc || wspi_app_stopped(c))
        return;
    if (c->pay.out->len < n) {
        c->bad = true;
        return;
    }
    r = crc_of(c->pay.out->data + c->pay.out->len - n, n);
    wspi_app_put(c, 2, (uint64_t)(r & 255) << 8 | r >> 8);
}

static void passed(wspi_coder *c, blocks *f)
{
    f->done++;
    f->left -= c->enc ? 1 : 0;
    if (f->done % BLOCK == 0)
        put_crc(c, BLOCK);
    wspi_app_require(c, f->done <= MAX_USER);
}

/* n bytes of user data as a little-endian number, when encoding; written, when decoding. */
static uint64_t take(wspi_coder *c, blocks *f, size_t n)
{
    uint64_t v = 0;

    if (c->enc && f->left < n)
        wspi_app_fail(c);
    for (size_t i = 0; c->enc && i < n && !wspi_app_stopped(c); i++) {
        v |= wspi_app_get(c, 1) << 8 * i;
        passed(c, f);
    }
    return v;
}

static void give(wspi_coder *c, blocks *f, size_t n, uint64_t v)
{
    for (size_t i = 0; !c->enc && i < n && !wspi_app_stopped(c); i++) {
        wspi_app_put(c, 1, v >> 8 * i & 255);
        passed(c, f);
    }
}

/* User byte i from here, when encoding and it is there. */
static uint8_t ahead(const wspi_coder *c, const blocks *f, size_t i)
{
    return c->pay.in[c->pay.at + i + 2 * ((f->done % BLOCK + i) / BLOCK)];
}

static uint64_t user_field(wspi_coder *c, blocks *f, unsigned field, size_t n, bool known,
                           uint64_t want)
{
    uint64_t v = wspi_app_code(c, field, known, want, take(c, f, n));

    give(c, f, n, v);
    return v;
}

static void user_opaque(wspi_coder *c, blocks *f, size_t n)
{
    wspi_app_require(c, n <= MAX_USER - f->done);
    while (n && !wspi_app_stopped(c)) {
        size_t k = WSPI_MIN(n, BLOCK - f->done % BLOCK);
        wspi_app_opaque(c, k);
        f->done += k - 1;
        f->left -= c->enc ? k - 1 : 0;
        passed(c, f);
        n -= k;
    }
}

/* ---- objects ---- */

static unsigned prefix_len(uint64_t q)
{
    unsigned code = (unsigned)q >> 4;

    return code == 1 || code == 2 ? code : 0;
}

/* Bytes of the range that a qualifier says, or -1 for one that we do not know. */
static int range_len(uint64_t q)
{
    switch (q) {
    case 0x06: return 0;
    case 0x07:
    case 0x17:
    case 0x27:
    case 0x5b: return 1;
    case 0x00:
    case 0x08:
    case 0x18:
    case 0x28: return 2;
    case 0x01: return 4;
    default: return -1;
    }
}

static unsigned object_bits(uint64_t g, uint64_t variation)
{
    for (size_t i = 0; i < WSPI_COUNT(sizes); i++)
        if (sizes[i].group == g && variation >= 1 && variation <= 8)
            return sizes[i].bits[variation - 1];
    return 0;
}

/* Do the objects of this function have values? A read and its like only say which. */
static bool has_values(uint64_t fn)
{
    return (fn >= 2 && fn <= 6) || fn == 11 || fn == 12 || fn == RESPONSE || fn == UNSOLICITED;
}

/* Is an object's header next? */
static bool object_ahead(const wspi_coder *c, const blocks *f, size_t skip)
{
    int range;

    if (!c->enc || wspi_app_stopped(c) || f->left < skip + 3)
        return false;
    range = range_len(ahead(c, f, skip + 2));
    return range >= 0 && f->left >= skip + 3 + (size_t)range;
}

/* The number of objects: of a range, from its start to its stop. */
static uint64_t range(wspi_coder *c, blocks *f, uint64_t q)
{
    bool span = q <= 1;
    size_t n = (size_t)range_len(q) / (span ? 2 : 1);
    uint64_t top = UINT64_C(1) << 8 * n, first = 0, v;

    if (n == 0)
        return 0;
    if (span) {
        wspi_app_only(c, 0, 0);
        first = user_field(c, f, START, n, true, 0);
        wspi_app_require(c, first < top);
    }
    v = take(c, f, n);
    if (span)
        v = ((v - first) & (top - 1)) + 1;
    wspi_app_only(c, 1, 10);
    v = wspi_app_code(c, COUNT, true, 1, v);
    wspi_app_require(c, span ? v >= 1 && v <= top : v < top);
    give(c, f, n, span ? (first + v - 1) & (top - 1) : v);
    return v;
}

/* What is left belongs to an object whose end we do not see: its size is as expected, or what there is. */
static void object_data(wspi_coder *c, blocks *f, uint64_t want)
{
    uint64_t n = f->left;

    if (want > MAX_USER)
        want = 0;
    if (c->enc && want <= f->left && (want == f->left || object_ahead(c, f, (size_t)want)))
        n = want;
    wspi_app_only(c, 0, 0);
    user_opaque(c, f, (size_t)wspi_app_code(c, DATA, true, want, n));
}

static void object(wspi_coder *c, blocks *f, uint64_t fn, uint64_t g)
{
    bool request = fn < RESPONSE;
    uint64_t variation, q, count, bits;

    give(c, f, 1, g);
    wspi_app_only(c, 1, request ? 4 : 2);
    variation = user_field(c, f, VARIATION, 1, false, 0);
    wspi_app_only(c, request ? 0 : 1, 1);
    q = user_field(c, f, QUALIFIER, 1, false, 0);
    wspi_app_require(c, range_len(q) >= 0);
    if (wspi_app_stopped(c))
        return;
    count = range(c, f, q);
    bits = has_values(fn) ? object_bits(g, variation) : 0;
    object_data(c, f, count * prefix_len(q) + (count * bits + 7) / 8);
}

static void objects(wspi_coder *c, blocks *f, uint64_t fn)
{
    unsigned n = 0;
    bool asked;

    for (; !wspi_app_stopped(c); n++) {
        bool there = object_ahead(c, f, 0);
        uint64_t g = there ? ahead(c, f, 0) : 0;
        wspi_app_only(c, fn < RESPONSE ? 0 : 1, n >= MAX_SAMPLED ? 0 : fn < RESPONSE ? 1 : 4);
        asked = wspi_asked(c);
        if (!wspi_app_next(c, GROUP, there, &g)) {
            c->need =
                c->need || (asked && n == 0 && fn < RESPONSE); /* nothing is read of nothing */
            break;
        }
        (void)take(c, f, 1);
        object(c, f, fn, g);
    }
    if (n == 0)
        object_data(c, f, 0);
}

/* ---- headers ---- */

/* The last value, of a frame before in this payload too: the mode says that this direction has had one. */
static bool last_of(const wspi_coder *c, bool mine, unsigned f, uint64_t *v)
{
    if (!mine)
        return wspi_app_last(c, false, f, v);
    *v = c->app.v[c->dir][f];
    return c->app.mode[c->dir];
}

static void indications(wspi_coder *c, blocks *f)
{
    uint64_t want, b = take(c, f, 1), low, high;
    bool known = last_of(c, true, EVENTS, &want);

    low = wspi_app_code(c, EVENTS, true, known ? want : 0, b & 15);
    known = last_of(c, true, STATE, &want);
    wspi_app_only(c, 0, 0); /* nothing is wrong with a sample's station */
    high = wspi_app_code(c, STATE, true, known ? want : 0, b >> 4);
    give(c, f, 1, high << 4 | (low & 15));
    wspi_app_only(c, 0, 4);
    (void)user_field(c, f, ERROR, 1, true, 0);
}

/* An answer and a confirmation repeat the number; a request counts on. What is unsolicited counts by itself. */
static void application_layer(wspi_coder *c, blocks *f)
{
    bool known, repeated, from_server = c->dir == 1;
    unsigned field;
    uint64_t b = take(c, f, 1), want = 0, fn, bits, number;

    wspi_app_only(c, 0, 0);
    bits = wspi_app_code(c, APPLICATION, true, 0xc0, b & 0xf0);
    fn = take(c, f, 1);
    wspi_app_only(c, from_server ? 1 : 0, 1);
    fn = wspi_app_code(c, FUNCTION, false, 0, fn);
    field = bits & 0x10 ? UNSOLICITED_NUMBER : NUMBER;
    repeated = fn == RESPONSE || fn == 0;
    known = last_of(c, !repeated, field, &want);
    number = wspi_app_code(c, field, known, repeated ? want : (want + 1) & 15, b & 15);
    give(c, f, 1, (bits & 0xf0) | (number & 15));
    give(c, f, 1, fn);
    if (fn == RESPONSE || fn == UNSOLICITED)
        indications(c, f);
    objects(c, f, fn);
}

static void user_data(wspi_coder *c, blocks *f)
{
    uint64_t b = take(c, f, 1), want = 0, bits, number;
    bool known = last_of(c, true, SEGMENTS, &want);

    wspi_app_only(c, 0, 0);
    bits = wspi_app_code(c, SEGMENT, true, WHOLE, b & 0xc0);
    number = wspi_app_code(c, SEGMENTS, known, (want + 1) & 63, b & 63);
    give(c, f, 1, (bits & 0xc0) | (number & 63));
    if (bits & FIRST)
        application_layer(c, f);
    else
        object_data(c, f, MAX_USER - 1);
}

/* Samples: stations have small numbers; the last ones of all are reserved. */
static void address(wspi_coder *c, unsigned field, unsigned theirs, uint64_t v)
{
    uint64_t want = 0;
    bool known = last_of(c, true, field, &want) || last_of(c, false, theirs, &want);

    v = wspi_app_code(c, field, known, want, v);
    if (c->fill && !known)
        v &= MAX_STATION;
    c->app.v[c->dir][field] = v;
    wspi_app_put(c, 2, (v & 255) << 8 | v >> 8);
}

static void addresses(wspi_coder *c, uint64_t dst, uint64_t src)
{
    address(c, DESTINATION, SOURCE, dst);
    address(c, SOURCE, DESTINATION, src);
}

/* The length and the CRC of a decoded frame's header. */
static void finish_header(wspi_coder *c, const blocks *f)
{
    uint8_t *b;
    uint16_t r;

    if (c->enc || wspi_app_stopped(c))
        return;
    if (c->pay.out->len < f->at + HEADER) {
        c->bad = true;
        return;
    }
    b = c->pay.out->data + f->at;
    b[2] = (uint8_t)(OUTSIDE + f->done);
    r = crc_of(b, 8);
    b[8] = (uint8_t)r;
    b[9] = (uint8_t)(r >> 8);
}

/* After the two bytes that every frame begins with. */
static void link_frame(wspi_coder *c)
{
    blocks f = {.at = c->pay.at - 2};
    uint64_t len = wspi_app_get(c, 1), ctl = wspi_app_get(c, 1), want = 0;
    uint64_t dst = wspi_app_get(c, 2), src = wspi_app_get(c, 2);
    bool known = last_of(c, true, CONTROL, &want);

    f.left = len >= OUTSIDE ? (size_t)len - OUTSIDE : 0;
    wspi_app_put(c, 1, 0);
    wspi_app_only(c, c->dir ? 1 : 0, known ? 0 : 1);
    ctl = wspi_app_code(c, CONTROL, known, want, ctl);
    wspi_app_put(c, 1, ctl);
    addresses(c, (dst & 255) << 8 | dst >> 8, (src & 255) << 8 | src >> 8);
    (void)wspi_app_get(c, 2);
    wspi_app_put(c, 2, 0);
    if (!wspi_app_stopped(c) && has_user(ctl))
        user_data(c, &f);
    if (f.done % BLOCK)
        put_crc(c, f.done % BLOCK);
    wspi_app_require(c, f.left == 0);
    finish_header(c, &f);
    c->app.mode[c->dir] = 1;
}

static void walk(wspi_coder *c)
{
    uint64_t magic = MAGIC;

    wspi_app_require(c, !c->enc || is_frame(c->pay.in, c->pay.end));
    (void)wspi_app_get(c, 2);
    wspi_app_put(c, 2, MAGIC);
    for (int i = 0; i < MAX_FRAMES && !wspi_app_stopped(c); i++) {
        bool there;
        link_frame(c);
        there =
            c->enc && !wspi_app_stopped(c) && is_frame(c->pay.in + c->pay.at, wspi_app_captured(c));
        wspi_app_only(c, 0, 0);
        if (!wspi_app_element(c, FRAME, 2, there && i + 1 < MAX_FRAMES, &magic))
            return;
        wspi_app_require(c, magic == MAGIC);
    }
}

const wspi_app wspi_app_dnp3 = {
    .proto = {.name = "dnp3", .fields = fields, .n_fields = WSPI_COUNT(fields)},
    .over = WSPI_OVER_TCP | WSPI_OVER_UDP,
    .looks = looks,
    .walk = walk,
    .ports = {20000},
    .ports_only = true,
    .turns = WSPI_IN_TURN,
};
