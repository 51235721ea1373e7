/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tls_cert.c: X.509 version 3 certificates of samples (RFC 5280 4.1, X.690):
 *     SEQUENCE { SEQUENCE { [0] 2, serial, algorithm, issuer, validity, subject, key, [3] extensions }, algorithm, signature }
 * Keys and signatures are random. Names are of RFC 6761's "example". The server's other names (subjectAltName) take up
 * whatever length is left; where they cannot, because a length in front of them takes a byte more, the serial number does.
 * And answers of OCSP (RFC 6960 4.2.1):
 *     SEQUENCE { 0, [0] SEQUENCE { basic, OCTET STRING { SEQUENCE { SEQUENCE { [2] responder, time, SEQUENCE { SEQUENCE { SEQUENCE {
 *     SHA-1, name, key, serial }, [0] good, from, [0] until } } }, algorithm, signature, [0] SEQUENCE { certificate } } } } }
 */
#include "token/app/tls_cert.h"

#include <stdio.h>
#include <time.h>

enum {
    BOOLEAN = 0x01,
    INTEGER = 0x02,
    BIT_STRING = 0x03,
    OCTET_STRING = 0x04,
    UTF8 = 0x0c,
    UTC_TIME = 0x17,
    GENERAL_TIME = 0x18,
    SEQUENCE = 0x30,
    SET = 0x31,
    DNS_NAME = 0x82, /* [2] of GeneralName */
    VERSION_TAG = 0xa0,
    EXTENSIONS_TAG = 0xa3,
    FIRST_TAG = 0xa0, /* [0], and of a responder by its key [2] */
    BY_KEY_TAG = 0xa2
};
enum { HASH = 20, DAY = 86400 };
enum { ROOM = WSPI_CERT_MAX + 256, DEPTH = 12 };
enum { SERIAL = 8 }; /* of 20 at most (RFC 5280 4.1.2.2) */
/* A name with its header: "a.example" and a label of 63 bytes; those before the last one are at most MIDDLE. */
enum { NAME_MIN = 11, NAME_MAX = 73, NAME_MIDDLE = 40, SUFFIX = 8 };

/* Bytes of a certificate; what does not fit is left out, and never is: a test holds it. */
typedef struct out {
    uint8_t *b;
    size_t n, depth, at[DEPTH];
    wspi_rng r;
} out;

typedef struct der {
    uint8_t len;
    const char *b;
} der;
#define DER(s)           \
    {                    \
        sizeof(s) - 1, s \
    }

/* Whole AlgorithmIdentifiers: RFC 8017 A.2.4, RFC 3279 2.3.1; RFC 5758 3.2, RFC 5480 2.1.1. By `ec`. */
static const der signed_by[] = {
    DER("\x30\x0d\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0b\x05\x00"),
    DER("\x30\x0a\x06\x08\x2a\x86\x48\xce\x3d\x04\x03\x02"),
};
static const der key_of[] = {
    DER("\x30\x0d\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x01\x05\x00"),
    DER("\x30\x13\x06\x07\x2a\x86\x48\xce\x3d\x02\x01\x06\x08\x2a\x86\x48\xce\x3d\x03\x01\x07"),
};
/* RFC 5280 4.2.1.3, 4.2.1.12, 4.2.1.9: of servers, and of those who sign: use of the key, of the certificate, is it theirs? */
static const der usage[] = {
    DER("\x30\x0e\x06\x03\x55\x1d\x0f\x01\x01\xff\x04\x04\x03\x02\x05\xa0"
        "\x30\x1d\x06\x03\x55\x1d\x25\x04\x16\x30\x14\x06\x08\x2b\x06\x01\x05\x05\x07\x03\x01"
        "\x06\x08\x2b\x06\x01\x05\x05\x07\x03\x02"
        "\x30\x0c\x06\x03\x55\x1d\x13\x01\x01\xff\x04\x02\x30\x00"),
    DER("\x30\x0e\x06\x03\x55\x1d\x0f\x01\x01\xff\x04\x04\x03\x02\x01\x86"
        "\x30\x0f\x06\x03\x55\x1d\x13\x01\x01\xff\x04\x05\x30\x03\x01\x01\xff"),
};
static const der common_name = DER("\x06\x03\x55\x04\x03"),
                 organization = DER("\x06\x03\x55\x04\x0a"),
                 key_identifier = DER("\x06\x03\x55\x1d\x0e"),
                 alt_names = DER("\x06\x03\x55\x1d\x11"), three = DER("\x02\x01\x02"),
                 exponent = DER("\x02\x03\x01\x00\x01");

/* ---- DER ---- */

static void put(out *o, uint8_t byte)
{
    if (o->n < ROOM)
        o->b[o->n++] = byte;
}

static void put_der(out *o, der d)
{
    for (size_t i = 0; i < d.len; i++)
        put(o, (uint8_t)d.b[i]);
}

static void put_random(out *o, size_t n)
{
    while (n--)
        put(o, (uint8_t)(wspi_rng_u64(&o->r) >> 32));
}

static void put_letters(out *o, size_t n)
{
    while (n--)
        put(o, (uint8_t)('a' + wspi_rng_below(&o->r, 26)));
}

static void put_text(out *o, const char *s)
{
    while (*s)
        put(o, (uint8_t)*s++);
}

static void open_der(out *o, uint8_t tag)
{
    put(o, tag);
    o->at[o->depth++] = o->n;
}

/* The length comes in front of what was put: as few bytes as it needs. */
static void close_der(out *o)
{
    size_t at = o->at[--o->depth], len = o->n - at, width = len < 128 ? 1 : len < 256 ? 2 : 3;

    if (o->n + width > ROOM)
        return;
    memmove(o->b + at + width, o->b + at, len);
    o->n += width;
    if (width > 1)
        o->b[at] = (uint8_t)(0x80 + width - 1);
    for (size_t i = 0; i < (width > 1 ? width - 1 : 1); i++)
        o->b[at + width - 1 - i] = (uint8_t)(len >> 8 * i);
}

/* A number without a sign whose first bit is set, or not. */
static void put_number(out *o, size_t n, bool high)
{
    open_der(o, INTEGER);
    if (high)
        put(o, 0);
    put(o, (uint8_t)((wspi_rng_u64(&o->r) & 0x3f) | 0x40 | (high ? 0x80 : 0)));
    put_random(o, n - 2);
    put(o, (uint8_t)(wspi_rng_u64(&o->r) | 1));
    close_der(o);
}

/* ---- parts ---- */

static void put_attribute(out *o, der type, size_t letters, const char *suffix)
{
    open_der(o, SET);
    open_der(o, SEQUENCE);
    put_der(o, type);
    open_der(o, UTF8);
    put_letters(o, letters);
    put_text(o, suffix);
    close_der(o);
    close_der(o);
    close_der(o);
}

/* Who has the certificate of this level of a chain: the same words wherever he is named. */
static void put_name(out *o, const wspi_cert *cert, unsigned level)
{
    wspi_rng r = o->r;

    wspi_rng_seed(&o->r, cert->seed + 0x517 * (level + 1u));
    open_der(o, SEQUENCE);
    if (level)
        put_attribute(o, organization, 6, " Example Trust");
    put_attribute(o, common_name, 5 + (size_t)wspi_rng_below(&o->r, 8), ".example");
    close_der(o);
    o->r = r;
}

static void put_time(out *o, unsigned year)
{
    bool general = year >= 2050; /* RFC 5280 4.1.2.5 */
    char s[32];

    (void)snprintf(s, sizeof s, "%0*u%02u%02u%02u%02u%02uZ", general ? 4 : 2,
                   general ? year : year % 100, 1 + (unsigned)wspi_rng_below(&o->r, 12),
                   1 + (unsigned)wspi_rng_below(&o->r, 28), (unsigned)wspi_rng_below(&o->r, 24),
                   (unsigned)wspi_rng_below(&o->r, 60), (unsigned)wspi_rng_below(&o->r, 60));
    open_der(o, general ? GENERAL_TIME : UTC_TIME);
    put_text(o, s);
    close_der(o);
}

/* From the year before to one of the next ones: those who sign have theirs for longer. */
static void put_validity(out *o, const wspi_cert *cert)
{
    unsigned year = 1970 + (unsigned)(cert->start_ns / 1000000000u / 31556952u);

    open_der(o, SEQUENCE);
    put_time(o, year - 1);
    put_time(o, year + 1 + 5 * cert->level);
    close_der(o);
}

static void put_key(out *o, bool ec)
{
    open_der(o, SEQUENCE);
    put_der(o, key_of[ec]);
    open_der(o, BIT_STRING);
    put(o, 0);
    if (ec) {
        put(o, 4); /* a point, uncompressed (RFC 5480 2.2) */
        put_random(o, 64);
    } else {
        open_der(o, SEQUENCE);
        put_number(o, 256, true);
        put_der(o, exponent);
        close_der(o);
    }
    close_der(o);
    close_der(o);
}

static void put_signature(out *o, bool ec)
{
    put_der(o, signed_by[ec]);
    open_der(o, BIT_STRING);
    put(o, 0);
    if (ec) {
        open_der(o, SEQUENCE);
        put_number(o, 32, false);
        put_number(o, 32, false);
        close_der(o);
    } else {
        put_random(o, 256);
    }
    close_der(o);
}

/* n bytes of names, NAME_MIN or more: each leaves room for a last one. */
static void put_alt_names(out *o, size_t n)
{
    while (n > 0) {
        size_t most = WSPI_MIN((size_t)NAME_MIDDLE, n - NAME_MIN), take = n;

        if (n > NAME_MAX)
            take = NAME_MIN + (size_t)wspi_rng_below(&o->r, most - NAME_MIN + 1);
        open_der(o, DNS_NAME);
        put_letters(o, take - 2 - SUFFIX);
        put_text(o, ".example");
        close_der(o);
        n -= take;
    }
}

static void put_extensions(out *o, const wspi_cert *cert, size_t names)
{
    open_der(o, EXTENSIONS_TAG);
    open_der(o, SEQUENCE);
    put_der(o, usage[cert->level > 0]);
    open_der(o, SEQUENCE);
    put_der(o, key_identifier);
    open_der(o, OCTET_STRING);
    open_der(o, OCTET_STRING);
    put_random(o, 20);
    close_der(o);
    close_der(o);
    close_der(o);
    open_der(o, SEQUENCE);
    put_der(o, alt_names);
    open_der(o, OCTET_STRING);
    open_der(o, SEQUENCE);
    put_alt_names(o, names);
    close_der(o);
    close_der(o);
    close_der(o);
    close_der(o);
    close_der(o);
}

/* ---- certificates ---- */

/* With `names` bytes of other names and `more` bytes of serial number; returns its length. */
static size_t build(uint8_t *b, const wspi_cert *cert, size_t names, size_t more)
{
    out o = {.b = b};

    wspi_rng_seed(&o.r, cert->seed + 0x9e37 * (cert->level + 1u));
    open_der(&o, SEQUENCE);
    open_der(&o, SEQUENCE);
    open_der(&o, VERSION_TAG);
    put_der(&o, three);
    close_der(&o);
    put_number(&o, SERIAL + more, false);
    put_der(&o, signed_by[cert->ec]);
    put_name(&o, cert, cert->level + 1);
    put_validity(&o, cert);
    put_name(&o, cert, cert->level);
    put_key(&o, cert->ec);
    put_extensions(&o, cert, names);
    close_der(&o);
    put_signature(&o, cert->ec);
    close_der(&o);
    return o.n;
}

void wspi_cert_make(uint8_t *b, size_t len, const wspi_cert *cert)
{
    uint8_t room[ROOM];
    size_t names = NAME_MIN + len - build(room, cert, NAME_MIN, 0);
    size_t over = build(room, cert, names, 0);

    /* Every byte less of names is one less of the certificate, or more where a length becomes shorter, too. */
    if (over > len) {
        names -= over - len;
        over = build(room, cert, names, 0);
    }
    if (over < len)
        (void)build(room, cert, names, len - over);
    memcpy(b, room, len);
}

/* ---- what OCSP says of them ---- */

static const der ocsp_basic = DER("\x06\x09\x2b\x06\x01\x05\x05\x07\x30\x01\x01"),
                 sha1 = DER("\x30\x09\x06\x05\x2b\x0e\x03\x02\x1a\x05\x00"),
                 successful = DER("\x0a\x01\x00"), good = DER("\x80\x00");

static void put_hash(out *o)
{
    open_der(o, OCTET_STRING);
    put_random(o, HASH);
    close_der(o);
}

/* So many days after the flow's. */
static void put_day(out *o, const wspi_cert *cert, int days)
{
    time_t at = (time_t)(cert->start_ns / 1000000000u) + (time_t)days * DAY;
    struct tm tm = {0};
    char s[40];

    (void)gmtime_r(&at, &tm);
    (void)snprintf(s, sizeof s, "%04d%02d%02d060000Z", (tm.tm_year + 1900) % 10000, tm.tm_mon + 1,
                   tm.tm_mday);
    open_der(o, GENERAL_TIME);
    put_text(o, s);
    close_der(o);
}

static void put_answer(out *o, const wspi_cert *cert)
{
    open_der(o, SEQUENCE);
    open_der(o, SEQUENCE);
    put_der(o, sha1);
    put_hash(o);
    put_hash(o);
    put_number(o, SERIAL, false);
    close_der(o);
    put_der(o, good);
    put_day(o, cert, -1);
    open_der(o, FIRST_TAG);
    put_day(o, cert, 6);
    close_der(o);
    close_der(o);
}

static void put_answers(out *o, const wspi_cert *cert)
{
    open_der(o, SEQUENCE);
    open_der(o, BY_KEY_TAG);
    put_hash(o);
    close_der(o);
    put_day(o, cert, -1);
    open_der(o, SEQUENCE);
    put_answer(o, cert);
    close_der(o);
    close_der(o);
}

/* The certificate of who signs it, if it has bytes. */
static void put_responder(out *o, const wspi_cert *cert, size_t len)
{
    wspi_cert responder = *cert;

    responder.level++;
    open_der(o, FIRST_TAG);
    open_der(o, SEQUENCE);
    if (o->n + len <= ROOM) {
        wspi_cert_make(o->b + o->n, len, &responder);
        o->n += len;
    }
    close_der(o);
    close_der(o);
}

/* With `len` bytes of the responder's certificate, or without one; returns its length. */
static size_t build_status(uint8_t *b, const wspi_cert *cert, size_t len)
{
    out o = {.b = b};

    wspi_rng_seed(&o.r, cert->seed + 0xa3b1);
    open_der(&o, SEQUENCE);
    put_der(&o, successful);
    open_der(&o, FIRST_TAG);
    open_der(&o, SEQUENCE);
    put_der(&o, ocsp_basic);
    open_der(&o, OCTET_STRING);
    open_der(&o, SEQUENCE);
    put_answers(&o, cert);
    put_signature(&o, cert->ec);
    if (len)
        put_responder(&o, cert, len);
    close_der(&o);
    close_der(&o);
    close_der(&o);
    close_der(&o);
    close_der(&o);
    return o.n;
}

static size_t least_certificate(const wspi_cert *cert)
{
    return cert->ec ? WSPI_CERT_MIN_EC : WSPI_CERT_MIN_RSA;
}

/* One length without a certificate, any from `least` on with one. */
size_t wspi_cert_status_len(size_t want, const wspi_cert *cert)
{
    uint8_t room[ROOM];
    size_t bare = build_status(room, cert, 0);
    size_t least = build_status(room, cert, least_certificate(cert));

    return want < least ? bare : WSPI_MIN(want, (size_t)WSPI_STATUS_MAX);
}

void wspi_cert_status_make(uint8_t *b, size_t len, const wspi_cert *cert)
{
    uint8_t room[ROOM];
    size_t own = least_certificate(cert), least = build_status(room, cert, own);

    (void)build_status(room, cert, len < least ? 0 : own + len - least);
    memcpy(b, room, len);
}
