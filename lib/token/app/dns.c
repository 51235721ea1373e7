/* SPDX-License-Identifier: Apache-2.0 */
/*
 * dns.c: DNS, and what has its form (mDNS, LLMNR, NetBIOS names). RFC 1035 4.1; over TCP behind | length 16 |, 4.2.2:
 * | id 16 | flags 16 | questions 16 | answers 16 | authorities 16 | additionals 16 | questions | records |
 * question: | name | type 16 | class 16 |   record: | name | type 16 | class 16 | ttl 32 | length 16 | data |
 */
#include "token/app/app.h"

enum {
    ID,
    FLAGS,
    QUESTIONS,
    ANSWERS,
    AUTHORITIES,
    ADDITIONALS,
    QNAME,
    QTYPE,
    QCLASS,
    NAME,
    TYPE,
    CLASS,
    TTL,
    LENGTH
};

enum { MAX_NAME = 255, MAX_RECORDS = 64, POINTER = 0xc00c /* to the first question */ };
enum { NAME_POINTER, NAME_ROOT, NAME_LABELS };

/* Queries, then answers; samples take the first three and the first five. */
enum { QUERIES = 7 };
static const wspi_value flags[] = {{0x0100, "query"},
                                   {0x0000, "query-iter"},
                                   {0x0120, "query-ad"},
                                   {0x0110, "query-nb"},
                                   {0x0010, "query-cd"},
                                   {0x2910, "register-nb"},
                                   {0x2810, "refresh-nb"},
                                   {0x8180, "answer"},
                                   {0x8183, "no-such-name"},
                                   {0x8580, "answer-aa"},
                                   {0x81a0, "answer-ad"},
                                   {0x8182, "failed"},
                                   {0x8400, "answer-auth"},
                                   {0x8185, "refused"},
                                   {0x8583, "no-name-aa"},
                                   {0x8000, "answer-plain"},
                                   {0x8500, "answer-aa-rd"},
                                   {0x8181, "format"},
                                   {0x8005, "refused-iter"},
                                   {0x8403, "no-name-auth"},
                                   {0x81a3, "no-name-ad"},
                                   {0x8184, "not-implemented"},
                                   {0x3010, "release-nb"},
                                   {0xad80, "registered-nb"},
                                   {0, NULL}};

static const wspi_value type[] = {
    {1, "A"},      {28, "AAAA"}, {5, "CNAME"},   {12, "PTR"},   {2, "NS"},
    {15, "MX"},    {16, "TXT"},  {6, "SOA"},     {33, "SRV"},   {41, "OPT"},
    {65, "HTTPS"}, {255, "ANY"}, {32, "NB"},     {10, "NULL"},  {43, "DS"},
    {46, "RRSIG"}, {47, "NSEC"}, {48, "DNSKEY"}, {35, "NAPTR"}, {25, "KEY"},
    {13, "HINFO"}, {99, "SPF"},  {64, "SVCB"},   {257, "CAA"},  {0, NULL}};

static const wspi_value class[] = {{1, "IN"},      {0x8001, "IN-flush"}, {255, "ANY"}, {3, "CH"},
                                   {4096, "4096"}, {1232, "1232"},       {512, "512"}, {0, NULL}};
static const wspi_value name_form[] = {
    {NAME_POINTER, "pointer"}, {NAME_ROOT, "root"}, {NAME_LABELS, "labels"}, {0, NULL}};

static const wspi_field fields[] = {
    [ID] = {"dns.id", 0, 16, WSPI_K_FREE, WSPI_P_MIRROR, WSPI_R_NUMBER, ID, NULL, 0},
    [FLAGS] = {"dns.flags", 0, 16, WSPI_K_ENUM, WSPI_P_CONST, WSPI_R_NONE, 0, flags, 0},
    [QUESTIONS] = {"dns.questions", 0, 16, WSPI_K_MAG, WSPI_P_CONST, WSPI_R_NONE, 1, NULL, 1},
    [ANSWERS] = {"dns.answers", 0, 16, WSPI_K_MAG, WSPI_P_CONST, WSPI_R_NONE, 0, NULL, 2},
    [AUTHORITIES] = {"dns.authorities", 0, 16, WSPI_K_MAG, WSPI_P_CONST, WSPI_R_NONE, 0, NULL, 2},
    [ADDITIONALS] = {"dns.additionals", 0, 16, WSPI_K_MAG, WSPI_P_CONST, WSPI_R_NONE, 0, NULL, 2},
    [QNAME] = {"dns.qname", 0, 8, WSPI_K_MAG, WSPI_P_MIRROR, WSPI_R_NAME, 0, NULL, 2},
    [QTYPE] = {"dns.qtype", 0, 16, WSPI_K_ENUM, WSPI_P_MIRROR, WSPI_R_NONE, QTYPE, type, 0},
    [QCLASS] = {"dns.qclass", 0, 16, WSPI_K_ENUM, WSPI_P_CONST, WSPI_R_NONE, 1, class, 0},
    [NAME] = {"dns.name", 0, 8, WSPI_K_ENUM, WSPI_P_CONST, WSPI_R_NONE, 0, name_form, 0},
    [TYPE] = {"dns.type", 0, 16, WSPI_K_ENUM, WSPI_P_CONST, WSPI_R_NONE, 0, type, 0},
    [CLASS] = {"dns.class", 0, 16, WSPI_K_ENUM, WSPI_P_CONST, WSPI_R_NONE, 1, class, 0},
    [TTL] = {"dns.ttl", 0, 32, WSPI_K_MAG, WSPI_P_CONST, WSPI_R_NONE, 0, NULL, 0},
    [LENGTH] = {"dns.length", 0, 16, WSPI_K_MAG, WSPI_P_CONST, WSPI_R_NONE, 0, NULL, 2},
};

static bool is_message(const uint8_t *b, size_t n)
{
    if (n < 12 || (b[2] >> 3 & 15) > 8 || (b[2] >> 3 & 15) == 1)
        return false;
    for (size_t i = 4; i < 12; i += 2)
        if (b[i] || b[i + 1] > MAX_RECORDS)
            return false;
    return b[5] + b[7] + b[9] + b[11] > 0 && b[5] <= 8;
}

/* As over UDP, or as one whole message over TCP: the walk knows which it has to be. */
static bool looks(const uint8_t *b, size_t n)
{
    return is_message(b, n) ||
           (n > 14 && ((size_t)b[0] << 8 | b[1]) == n - 2 && is_message(b + 2, n - 2));
}

/* Bytes of the name at b of at most n, its end included; 0 when it does not fit. Labels only, unless `pointers`. */
static size_t name_len(const uint8_t *b, size_t n, bool pointers)
{
    size_t i = 0;

    while (i < n && i <= MAX_NAME) {
        if (b[i] == 0)
            return i + 1;
        if (b[i] >> 6 == 3)
            return pointers && i + 2 <= n ? i + 2 : 0;
        if (b[i] >> 6)
            return 0;
        i += b[i] + 1u;
    }
    return 0;
}

/* A name of n bytes (n > 2, or 1 for the root) for samples: labels of at most 15 letters. */
static void invent_name(wspi_coder *c, uint8_t *b, size_t n)
{
    size_t i = 0, label;

    while (n - i > 1) {
        label = WSPI_MIN(n - i - 2, 15u);
        if (n - i - 2 == 16)
            label = 8; /* no label of length 0 may be left */
        b[i++] = (uint8_t)label;
        for (; label; label--)
            b[i++] = (uint8_t)('a' + wspi_rng_u64(&c->rng) % 26);
    }
    b[i] = 0;
}

/* n bytes of labels whose values are residuals: a token gives their length. */
static void hidden_name(wspi_coder *c, unsigned f, bool pointers)
{
    uint8_t b[MAX_NAME + 1];
    size_t n = 0;

    if (c->enc)
        n = name_len(c->pay.in + c->pay.at, wspi_app_captured(c), pointers);
    wspi_app_require(c, !c->enc || n > 0);
    wspi_app_only(c, 4, 16); /* 4 to 63 bytes */
    n = (size_t)wspi_app_code(c, f, false, 0, n);
    wspi_app_require(c, n <= MAX_NAME);
    if (c->bad || c->need || c->pay.fail)
        return;
    if (!c->fill) {
        wspi_app_opaque(c, n);
        return;
    }
    invent_name(c, b, n);
    for (size_t i = 0; i < n; i++)
        wspi_app_put(c, 1, b[i]);
}

/* The labels of a question, as on the wire, are text that the flow remembers. */
static void spelled_name(wspi_coder *c, size_t n)
{
    size_t at = c->pay.at;

    wspi_app_text(c, n, n, WSPI_TEXT_LABELS);
    if (c->bad || c->need || c->pay.fail)
        return;
    c->name_at = at;
    c->name_len = (uint16_t)n;
}

/* Samples: names of 4 to 63 bytes. */
static void fitting_names(wspi_coder *c, unsigned base, unsigned count)
{
    for (unsigned i = 0; c->legal && !c->deviations && i < count; i++)
        if (wspi_bin_start(i, 2) < 4 || wspi_bin_start(i, 2) > 48)
            c->legal[base + i] = 0;
}

/* Nothing when it is the only question and has the name of the flow's last one: of several, each is told. */
static void question_name(wspi_coder *c, bool only)
{
    const wsp_context *s = c->ctx;
    size_t at = c->pay.at, n = 0;
    bool known = only && s->name_len && (s->app.id[0] == c->pay.app || s->app.id[1] == c->pay.app),
         same = false;
    unsigned base = wspi_field_base(c->pay.app, QNAME), count = wspi_field_count(c->pay.app, QNAME),
             k = 0;

    if (c->bad || c->need || c->pay.fail)
        return;
    if (c->enc) {
        n = name_len(c->pay.in + at, wspi_app_captured(c), false);
        wspi_app_require(c, n > 0 && n <= MAX_NAME);
        if (c->pay.fail)
            return;
        same = known && n == s->name_len && memcmp(c->pay.in + at, s->name, n) == 0;
        k = wspi_bin(n, 2);
    }
    if (known) {
        same = !wspi_may(c, base, count, !same, false, &k);
        fitting_names(c, base, count);
    }
    if (known && same) {
        for (size_t i = 0; i < s->name_len; i++)
            wspi_app_put(c, 1, s->name[i]);
        c->pay.at += c->enc ? n : 0;
        return;
    }
    if (!known) {
        k = wspi_must(c, base, count, k);
        fitting_names(c, base, count);
    }
    n = (size_t)(wspi_bin_start(k, 2) +
                 wspi_remainder(c, wspi_bin_bits(k, 2), n - (c->enc ? wspi_bin_start(k, 2) : 0)));
    wspi_app_require(c, n <= MAX_NAME);
    spelled_name(c, n);
}

static void question(wspi_coder *c, bool only)
{
    uint64_t want;
    bool known;

    question_name(c, only);
    known = wspi_app_last(c, false, QTYPE, &want);
    if (!known)
        known = wspi_app_last(c, true, QTYPE, &want);
    wspi_app_only(c, 0, 9);
    (void)wspi_app_field(c, QTYPE, 2, known, want);
    wspi_app_only(c, 0, 1);
    (void)wspi_app_field(c, QCLASS, 2, true, 1);
}

static void record_name(wspi_coder *c)
{
    uint64_t form = NAME_LABELS;

    if (c->enc && wspi_app_captured(c) >= 1) {
        form = c->pay.in[c->pay.at] == 0 ? NAME_ROOT : NAME_LABELS;
        if (wspi_app_captured(c) >= 2 && c->pay.in[c->pay.at] == POINTER >> 8 &&
            c->pay.in[c->pay.at + 1] == (POINTER & 0xff))
            form = NAME_POINTER;
    }
    wspi_app_only(c, 0, 1);
    form = wspi_app_code(c, NAME, true, NAME_POINTER, form);
    if (form == NAME_POINTER) {
        (void)wspi_app_get(c, 2);
        wspi_app_put(c, 2, POINTER);
    } else if (form == NAME_ROOT) {
        (void)wspi_app_get(c, 1);
        wspi_app_put(c, 1, 0);
    } else {
        wspi_app_require(c, form == NAME_LABELS);
        hidden_name(c, LENGTH, true);
    }
}

static void record(wspi_coder *c)
{
    wspi_app_span s;
    uint64_t t;

    record_name(c);
    wspi_app_only(c, 0, 5); /* A, AAAA, CNAME, PTR, NS: their data can be made up */
    t = wspi_app_field(c, TYPE, 2, false, 0);
    wspi_app_only(c, 0, 1);
    (void)wspi_app_field(c, CLASS, 2, true, 1);
    wspi_app_only(c, 0, wspi_field_count(c->pay.app, TTL) - 1u); /* 31 bits: RFC 2181 8 */
    (void)wspi_app_field(c, TTL, 4, false, 0);
    s = wspi_app_open(c, 2);
    if (t == 1)
        wspi_app_opaque(c, 4);
    else if (t == 28)
        wspi_app_opaque(c, 16);
    else if (t == 5 || t == 12 || t == 2)
        hidden_name(c, LENGTH, true);
    else
        wspi_app_opaque(c, (size_t)wspi_app_code(c, LENGTH, false, 0, c->enc ? s.end - s.at : 0));
    wspi_app_close(c, s);
}

static void message(wspi_coder *c)
{
    uint64_t id = wspi_app_get(c, 2), bits = wspi_app_get(c, 2), want, count[4];
    bool response, known;

    wspi_app_only(c, c->dir ? QUERIES : 0, c->dir ? 5 : 3);
    bits = wspi_app_code(c, FLAGS, false, 0, bits);
    response = bits >> 15;
    known = wspi_app_last(c, !response, ID, &want);
    wspi_app_put(c, 2, wspi_app_code(c, ID, known && response, want, id));
    wspi_app_put(c, 2, bits);
    for (unsigned i = 0; i < 4; i++) {
        wspi_app_only(c, 0, i == 1 && response ? 5 : 0);
        count[i] = wspi_app_field(c, QUESTIONS + i, 2, true, i == 0);
        wspi_app_require(c, count[i] <= MAX_RECORDS);
    }
    for (uint64_t i = 0; i < count[0] && !c->bad && !c->need && !c->pay.fail; i++)
        question(c, count[0] == 1);
    for (uint64_t i = 0; i < count[1] + count[2] + count[3] && !c->bad && !c->need && !c->pay.fail;
         i++)
        record(c);
}

static void walk(wspi_coder *c)
{
    wspi_app_span s;

    if (!wspi_app_is_stream(c)) {
        message(c);
        return;
    }
    s = wspi_app_open(c, 2);
    message(c);
    wspi_app_close(c, s);
}

const wspi_app wspi_app_dns = {
    .proto = {.name = "dns", .fields = fields, .n_fields = WSPI_COUNT(fields)},
    .over = WSPI_OVER_UDP | WSPI_OVER_TCP,
    .looks = looks,
    .walk = walk,
    .ports = {53},
};
