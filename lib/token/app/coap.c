/* SPDX-License-Identifier: Apache-2.0 */
/*
 * coap.c: CoAP over UDP, RFC 7252 3 and 5.10, with the options of RFC 7641, 7959, 8613 and others:
 * | version 2 = 1 | type 2 | token length 4 | code 8 | id 16 | token | options | 0xff payload |
 * option: | delta 4 | length 4 | 13: delta - 13 8; 14: delta - 269 16 | the same of the length | value |; its number is
 * that of the last one plus delta. Payloads are opaque; what follows the last option that fits is, too.
 */
#include "token/app/app.h"

enum { TYPE, TOKEN_LENGTH, CODE, ID, TOKEN, OPTION, LENGTH, HOST, PATH, NUMBER, FORMAT };

enum { HEADER = 4, MAX_TOKEN = 8, MAX_OPTIONS = 60, SHOWN = 12 };
enum { NEAR = 13, FAR = 14, NEAR_FROM = 13, FAR_FROM = 269, MARKER = 0xff };
enum { CONFIRMABLE, NON, ACKNOWLEDGEMENT, RESET };
enum { URI_PATH = 11, PAYLOAD = 0x10000 };

static const wspi_value type[] = {
    {CONFIRMABLE, "con"}, {NON, "non"}, {ACKNOWLEDGEMENT, "ack"}, {RESET, "reset"}, {0, NULL}};

/* Class and detail, as 3 and 5 bits. Samples of clients have the first four, of servers the next three. */
enum { BY_CLIENT = 4, BY_SERVER = 3 };
#define CODE_OF(class, detail) ((class) << 5 | (detail))
enum { GET = CODE_OF(0, 1) };
static const wspi_value code[] = {{GET, "get"},
                                  {CODE_OF(0, 2), "post"},
                                  {CODE_OF(0, 3), "put"},
                                  {CODE_OF(0, 4), "delete"},
                                  {CODE_OF(2, 5), "content"},
                                  {CODE_OF(2, 4), "changed"},
                                  {CODE_OF(4, 4), "not-found"},
                                  {0, "empty"},
                                  {CODE_OF(0, 5), "fetch"},
                                  {CODE_OF(0, 6), "patch"},
                                  {CODE_OF(0, 7), "ipatch"},
                                  {CODE_OF(2, 1), "created"},
                                  {CODE_OF(2, 2), "deleted"},
                                  {CODE_OF(2, 3), "valid"},
                                  {CODE_OF(2, 31), "continue"},
                                  {CODE_OF(4, 0), "bad-request"},
                                  {CODE_OF(4, 1), "unauthorized"},
                                  {CODE_OF(4, 2), "bad-option"},
                                  {CODE_OF(4, 3), "forbidden"},
                                  {CODE_OF(4, 5), "not-allowed"},
                                  {CODE_OF(4, 6), "not-acceptable"},
                                  {CODE_OF(4, 8), "incomplete"},
                                  {CODE_OF(4, 9), "conflict"},
                                  {CODE_OF(4, 12), "precondition"},
                                  {CODE_OF(4, 13), "too-large"},
                                  {CODE_OF(4, 15), "format"},
                                  {CODE_OF(4, 22), "unprocessable"},
                                  {CODE_OF(4, 29), "too-many"},
                                  {CODE_OF(5, 0), "internal-error"},
                                  {CODE_OF(5, 1), "not-implemented"},
                                  {CODE_OF(5, 2), "bad-gateway"},
                                  {CODE_OF(5, 3), "unavailable"},
                                  {CODE_OF(5, 4), "gateway-timeout"},
                                  {CODE_OF(5, 5), "no-proxying"},
                                  {CODE_OF(5, 8), "hop-limit"},
                                  {0, NULL}};

/* PAYLOAD is what ends the options. Samples have the first ones, in this order, answers no path. */
enum { SAMPLED = 4 };
static const wspi_value option[] = {{URI_PATH, "uri-path"},
                                    {12, "content-format"},
                                    {14, "max-age"},
                                    {PAYLOAD, "payload"},
                                    {1, "if-match"},
                                    {3, "uri-host"},
                                    {4, "etag"},
                                    {5, "if-none-match"},
                                    {6, "observe"},
                                    {7, "uri-port"},
                                    {15, "uri-query"},
                                    {16, "hop-limit"},
                                    {8, "location-path"},
                                    {9, "oscore"},
                                    {17, "accept"},
                                    {19, "q-block1"},
                                    {20, "location-query"},
                                    {21, "edhoc"},
                                    {23, "block2"},
                                    {27, "block1"},
                                    {28, "size2"},
                                    {31, "q-block2"},
                                    {35, "proxy-uri"},
                                    {39, "proxy-scheme"},
                                    {60, "size1"},
                                    {252, "echo"},
                                    {258, "no-response"},
                                    {292, "request-tag"},
                                    {2049, "ocf-accept-version"},
                                    {2053, "ocf-content-version"},
                                    {0, NULL}};

/* Samples have the first two: readers take others apart. */
static const wspi_value format[] = {{0, "text"},         {42, "octets"},       {40, "links"},
                                    {41, "xml"},         {47, "exi"},          {50, "json"},
                                    {60, "cbor"},        {110, "senml-json"},  {112, "senml-cbor"},
                                    {1542, "lwm2m-tlv"}, {1543, "lwm2m-json"}, {10000, "ocf-cbor"},
                                    {11542, "oma-tlv"},  {11543, "oma-json"},  {0, NULL}};

static const wspi_field fields[] = {
    [TYPE] = {WSPI_ENUM("coap.type", 2, type)},
    [TOKEN_LENGTH] = {WSPI_MAG("coap.token_length", 4, WSPI_R_NONE, 3)},
    [CODE] = {WSPI_ENUM("coap.code", 8, code)},
    [ID] = {WSPI_FREE("coap.id", 16, WSPI_P_MIRROR, WSPI_R_NUMBER)},
    [TOKEN] = {WSPI_FREE("coap.token", 64, WSPI_P_MIRROR, WSPI_R_NUMBER)},
    [OPTION] = {WSPI_ENUM("coap.option", 17, option)},
    [LENGTH] = {WSPI_MAG("coap.length", 17, WSPI_R_NONE, 1)},
    [HOST] = {WSPI_MAG("coap.host", 17, WSPI_R_NAME, 0)},
    [PATH] = {WSPI_MAG("coap.path", 17, WSPI_R_NONE, 1)},
    [NUMBER] = {WSPI_MAG("coap.number", 32, WSPI_R_NONE, 1)},
    [FORMAT] = {WSPI_ENUM("coap.format", 32, format)},
};

/* What an option is, and how long it can be. Others are opaque, and no message begins with one. */
enum kind { K_OPAQUE, K_HOST, K_PATH, K_NUMBER, K_FORMAT };
typedef struct form {
    uint16_t number;
    uint8_t kind;
    uint16_t least, most;
} form;
static const form forms[] = {
    {1, K_OPAQUE, 0, 8},    {3, K_HOST, 1, 255},    {4, K_OPAQUE, 1, 8},
    {5, K_OPAQUE, 0, 0},    {6, K_NUMBER, 0, 3},    {7, K_NUMBER, 0, 2},
    {8, K_PATH, 0, 255},    {9, K_OPAQUE, 0, 255},  {URI_PATH, K_PATH, 0, 255},
    {12, K_FORMAT, 0, 2},   {14, K_NUMBER, 0, 4},   {15, K_PATH, 0, 255},
    {16, K_NUMBER, 1, 1},   {17, K_FORMAT, 0, 2},   {19, K_NUMBER, 0, 3},
    {20, K_PATH, 0, 255},   {21, K_OPAQUE, 0, 0},   {23, K_NUMBER, 0, 3},
    {27, K_NUMBER, 0, 3},   {28, K_NUMBER, 0, 4},   {31, K_NUMBER, 0, 3},
    {35, K_HOST, 1, 1034},  {39, K_HOST, 1, 255},   {60, K_NUMBER, 0, 4},
    {252, K_OPAQUE, 1, 40}, {258, K_NUMBER, 0, 1},  {292, K_OPAQUE, 0, 8},
    {2049, K_NUMBER, 0, 2}, {2053, K_NUMBER, 0, 2},
};

static const form *form_of(uint64_t number)
{
    static const form other = {0, K_OPAQUE, 0, UINT16_MAX};

    for (size_t i = 0; i < WSPI_COUNT(forms); i++)
        if (forms[i].number == number)
            return &forms[i];
    return &other;
}

/* ---- the head of an option ---- */

/* A half of the first byte and what extends it at b[*at]; false: reserved, or not all of it is in n bytes. */
static bool extended(const uint8_t *b, size_t n, unsigned half, size_t *at, uint32_t *v)
{
    size_t more = half == NEAR ? 1 : half == FAR ? 2 : 0;

    if (half > FAR || *at + more > n)
        return false;
    *v = half;
    if (more == 1)
        *v = NEAR_FROM + b[*at];
    if (more == 2)
        *v = FAR_FROM + ((uint32_t)b[*at] << 8 | b[*at + 1]);
    *at += more;
    return true;
}

typedef struct head {
    uint32_t delta, len;
    size_t size; /* bytes of the head */
} head;

/* The option at b, which has n bytes of the message: does it fit? */
static bool head_at(const uint8_t *b, size_t n, head *h)
{
    h->size = 1;
    return n > 0 && b[0] != MARKER && extended(b, n, b[0] >> 4, &h->size, &h->delta) &&
           extended(b, n, b[0] & 15, &h->size, &h->len) && h->size + h->len <= n;
}

static unsigned half_of(uint64_t v)
{
    return v < NEAR_FROM ? (unsigned)v : v < FAR_FROM ? NEAR : FAR;
}

static void put_extended(wspi_coder *c, uint64_t v)
{
    if (half_of(v) == NEAR)
        wspi_app_put(c, 1, v - NEAR_FROM);
    else if (half_of(v) == FAR)
        wspi_app_put(c, 2, v - FAR_FROM);
}

static void put_head(wspi_coder *c, uint64_t delta, uint64_t len)
{
    wspi_app_require(c, c->enc || (delta < FAR_FROM + 0x10000 && len < FAR_FROM + 0x10000));
    wspi_app_put(c, 1, half_of(delta) << 4 | half_of(len));
    put_extended(c, delta);
    put_extended(c, len);
}

/* ---- what it looks like ---- */

/*
 * There is no magic number: a known code, and known options of lengths that they have, up to the end or the payload,
 * which a GET does not have by itself.
 */
static bool looks(const uint8_t *b, size_t n)
{
    size_t at = HEADER + (b[0] & 15u);
    uint32_t number = 0;
    head h;

    if (n < HEADER || b[0] >> 6 != 1 || (b[0] & 15) > MAX_TOKEN ||
        !wspi_app_is_listed(code, b[1]) || at > n)
        return false;
    if (b[1] == 0)
        return n == HEADER && (b[0] & 15) == 0;
    for (; at < n && b[at] != MARKER; at += h.size + h.len) {
        if (!head_at(b + at, n - at, &h))
            return false;
        number += h.delta;
        if (form_of(number)->number == 0 || h.len < form_of(number)->least ||
            h.len > form_of(number)->most)
            return false;
    }
    if (at < n && b[1] == GET && at == HEADER + (b[0] & 15u))
        return false;
    return at != n - 1; /* a marker has a payload */
}

/* ---- options ---- */

static unsigned bytes_of(uint64_t v)
{
    unsigned n = 0;

    while (n < 8 && v >> 8 * n)
        n++;
    return n;
}

/* A number takes as few bytes as it can, mostly. */
static void number_option(wspi_coder *c, const form *is, uint64_t delta, size_t n)
{
    unsigned f = is->kind == K_FORMAT ? FORMAT : NUMBER;
    uint64_t v = wspi_app_get(c, n), len;

    wspi_app_only(c, 0, f == FORMAT ? 2 : 18); /* below 512 */
    if (is->most == 1)
        wspi_app_only(c, 4, 10); /* 4 to 127 */
    v = wspi_app_code(c, f, false, 0, v);
    wspi_app_only(c, 0, 0);
    len = wspi_app_code(c, LENGTH, true, bytes_of(v), n);
    wspi_app_require(c, len <= 4 && len >= bytes_of(v));
    put_head(c, delta, len);
    wspi_app_put(c, (size_t)len, v);
}

static void text_option(wspi_coder *c, const form *is, uint64_t delta, size_t n)
{
    unsigned f = is->kind == K_HOST ? HOST : is->kind == K_PATH ? PATH : LENGTH;
    uint64_t len;

    wspi_app_only(c, 3, f == LENGTH ? 2 : 5);
    len = wspi_app_code(c, f, f == LENGTH && is->least == is->most, is->most, n);
    put_head(c, delta, len);
    if (wspi_app_stopped(c))
        return;
    if (f == LENGTH)
        wspi_app_opaque(c, (size_t)len);
    else
        wspi_app_text(c, (size_t)len, f == PATH ? SHOWN : 0, WSPI_TEXT_NAME);
}

static void one_option(wspi_coder *c, uint64_t number, uint64_t delta, const head *h)
{
    const form *is = form_of(number);
    bool is_number = is->kind == K_NUMBER || is->kind == K_FORMAT;

    (void)wspi_app_get(c, h->size);
    wspi_app_require(c, !c->enc || !is_number || h->len <= 4);
    if (is_number)
        number_option(c, is, delta, h->len);
    else
        text_option(c, is, delta, h->len);
}

static void payload(wspi_coder *c)
{
    size_t n;

    (void)wspi_app_get(c, 1);
    wspi_app_put(c, 1, MARKER);
    n = wspi_app_left(c);
    wspi_app_opaque(c, c->fill && n == 0 ? 1 : n);
}

/* RFC 7252 5.5: of requests only those have a payload that are said to have one. */
static bool may_carry(const wspi_coder *c)
{
    uint64_t asks = c->app.v[0][CODE];

    return c->dir || (asks != GET && asks != CODE_OF(0, 4));
}

/* Samples: numbers go up, but paths may follow each other; a request has more than a payload. */
static void only_sampled(wspi_coder *c, uint64_t last)
{
    unsigned from = c->dir ? 1 : 0, end = may_carry(c) && (last || c->dir) ? SAMPLED : SAMPLED - 1;

    if (last && last != URI_PATH)
        from = wspi_row_of(option, last) + 1;
    wspi_app_only(c, from, from < end ? end - from : 0);
}

static void options(wspi_coder *c)
{
    uint64_t last = 0, number = 0;
    head h = {0};

    for (unsigned n = 0; n < MAX_OPTIONS && !wspi_app_stopped(c) && (c->fill || wspi_app_left(c));
         n++) {
        const uint8_t *b = c->enc ? c->pay.in + c->pay.at : NULL;
        bool there = c->enc && head_at(b, wspi_app_captured(c), &h);

        number = last + h.delta;
        if (c->enc && !there && wspi_app_captured(c) > 0 && *b == MARKER) {
            there = true;
            number = PAYLOAD;
        }
        only_sampled(c, last);
        if (!wspi_app_next(c, OPTION, there, &number))
            break;
        if (number == PAYLOAD) {
            payload(c);
            return;
        }
        wspi_app_require(c, number >= last);
        one_option(c, number, number - last, &h);
        last = number;
    }
    if (!c->fill && !wspi_app_stopped(c))
        wspi_app_opaque(c, wspi_app_left(c));
}

/* ---- the message ---- */

static bool is_response(uint64_t v)
{
    return v >> 5 >= 2;
}

/* Samples: RFC 7252 5.8: what is asked for is sent, or is changed or deleted; or it is not there. */
static void keep_answers(const wspi_coder *c)
{
    static const struct {
        uint8_t asked, answer;
    } answers[] = {{GET, CODE_OF(2, 5)},
                   {CODE_OF(0, 2), CODE_OF(2, 4)},
                   {CODE_OF(0, 3), CODE_OF(2, 4)},
                   {CODE_OF(0, 4), CODE_OF(2, 2)}};
    uint64_t asked, rows = 0;

    if (c->dir == 0 || !wspi_asked(c))
        return;
    if (!wspi_app_last(c, false, CODE, &asked))
        asked = GET;
    for (unsigned k = 0; code[k].name; k++)
        for (size_t i = 0; i < WSPI_COUNT(answers); i++)
            if (code[k].value == CODE_OF(4, 4) ||
                (answers[i].asked == asked && code[k].value == answers[i].answer))
                rows |= UINT64_C(1) << k;
    wspi_app_keep(c, CODE, rows);
}

/* An answer has the token of the request; an acknowledgement its number; a sender counts on. */
static void header(wspi_coder *c)
{
    uint64_t first = wspi_app_get(c, 1), is, n, want = 0, want_len = 0, v = wspi_app_get(c, 1), id;
    bool known, back;

    wspi_app_require(c, !c->enc || first >> 6 == 1);
    if (c->dir)
        wspi_app_only(
            c, wspi_app_last(c, false, TYPE, &want) && want == NON ? NON : ACKNOWLEDGEMENT, 1);
    else
        wspi_app_only(c, CONFIRMABLE, 2);
    is = wspi_app_code(c, TYPE, false, 0, first >> 4 & 3);
    back = is == ACKNOWLEDGEMENT || is == RESET;
    if (!c->dir)
        wspi_app_only(c, 0, BY_CLIENT);
    v = wspi_app_code(c, CODE, false, 0, v);
    keep_answers(c);
    known = wspi_app_last(c, !is_response(v), TOKEN_LENGTH, &want_len);
    wspi_app_only(c, 0, known ? 0 : MAX_TOKEN); /* readers doubt the longest ones */
    n = wspi_app_code(c, TOKEN_LENGTH, known || v == 0, v == 0 ? 0 : want_len, first & 15);
    wspi_app_require(c, n <= MAX_TOKEN);
    wspi_app_put(c, 1, 1 << 6 | is << 4 | n);
    wspi_app_put(c, 1, v);
    known = wspi_app_last(c, !back, ID, &want);
    id = back ? want : (want + 1) & 0xffff;
    (void)wspi_app_field(c, ID, 2, known, id);
    if (n == 0 || wspi_app_stopped(c))
        return;
    known = is_response(v) && wspi_app_last(c, false, TOKEN, &want) && want_len == n;
    (void)wspi_app_field(c, TOKEN, (size_t)n, known, want);
}

static void walk(wspi_coder *c)
{
    header(c);
    options(c);
}

const wspi_app wspi_app_coap = {
    .proto = {.name = "coap", .fields = fields, .n_fields = WSPI_COUNT(fields)},
    .over = WSPI_OVER_UDP,
    .looks = looks,
    .walk = walk,
    .ports = {5683},
    .ports_only = true,
};
