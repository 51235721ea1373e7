/* SPDX-License-Identifier: Apache-2.0 */
/*
 * kerberos_samples.c: what is opaque in samples of Kerberos, in DER (RFC 4120 5.2.7, 5.2.9, 5.5.1; [MS-KILE] 2.2): written from its end to
 * its beginning, so that lengths are known when they come.
 */
#include "token/app/kerberos_samples.h"

#include <time.h>

enum { MOST = 1600, LONGEST = 1030, AES256 = 18, NAME_LEN = 16 };
enum { SEQUENCE = 0x30, OCTETS = 4, STRING = 0x1b, AP_REQ = 0x6e };

/* ---- who, and when ---- */

/* 4 to 7 letters. */
static size_t word(const wspi_coder *c, enum wspi_kerberos_who who, char first, char *s)
{
    wspi_rng r = wspi_app_of_flow(c, who);
    size_t n = 4 + (size_t)wspi_rng_below(&r, 4);

    for (size_t i = 0; i < n; i++)
        s[i] = (char)(first + (char)wspi_rng_below(&r, 26));
    return n;
}

static size_t add(char *s, size_t at, const char *end)
{
    memcpy(s + at, end, strlen(end));
    return at + strlen(end);
}

size_t wspi_kerberos_who(const wspi_coder *c, enum wspi_kerberos_who who,
                         char s[WSPI_KERBEROS_LONGEST])
{
    static const char *const services[] = {"cifs", "ldap", "host", "HTTP"};
    wspi_rng r = wspi_app_of_flow(c, who);
    size_t n;

    switch (who) {
    case WSPI_KERBEROS_REALM: return add(s, word(c, who, 'A', s), ".EXAMPLE");
    case WSPI_KERBEROS_CLIENT: return word(c, who, 'a', s);
    case WSPI_KERBEROS_TICKETS: return add(s, 0, "krbtgt");
    case WSPI_KERBEROS_SERVICE: return add(s, 0, services[wspi_rng_below(&r, 4)]);
    case WSPI_KERBEROS_HOST: break;
    }
    n = word(c, who, 'a', s);
    s[n++] = '.';
    return add(s, n + word(c, WSPI_KERBEROS_REALM, 'a', s + n), ".example");
}

enum { SECOND = 1000000000, HOUR = 3600, DAY = 24 * HOUR };
enum { OF_CLIENT = WSPI_KERBEROS_HOST + 1, OF_ADDRESS };

static uint64_t digits_of(uint64_t secs)
{
    time_t at = (time_t)secs;
    struct tm tm = {0};

    (void)gmtime_r(&at, &tm);
    return ((((uint64_t)(tm.tm_year + 1900) * 100 + (uint64_t)(tm.tm_mon + 1)) * 100 +
             (uint64_t)tm.tm_mday) *
                100 +
            (uint64_t)tm.tm_hour) *
               10000 +
           (uint64_t)tm.tm_min * 100 + (uint64_t)tm.tm_sec;
}

uint64_t wspi_kerberos_now(const wspi_coder *c)
{
    return digits_of(c->p->time_ns / SECOND);
}

uint64_t wspi_kerberos_micros(const wspi_coder *c)
{
    return c->p->time_ns % SECOND / 1000;
}

/* Windows asks for as long as its clock has seconds, others for some hours or days. */
static uint64_t after(const wspi_coder *c, uint64_t secs)
{
    wspi_rng r = wspi_app_of_flow(c, OF_CLIENT);

    return wspi_rng_below(&r, 2) ? UINT64_C(20370913024805)
                                 : digits_of(c->p->time_ns / SECOND + secs);
}

uint64_t wspi_kerberos_till(const wspi_coder *c)
{
    return after(c, DAY);
}

uint64_t wspi_kerberos_renew(const wspi_coder *c)
{
    return after(c, (uint64_t)7 * DAY);
}

/* ---- what is opaque ---- */

/* Bytes [at, MOST) are written. */
typedef struct der {
    uint8_t b[MOST];
    size_t at;
    wspi_rng *rng;
    const wspi_coder *c;
} der;

static void bytes(der *d, const void *p, size_t n)
{
    d->at -= n;
    memcpy(d->b + d->at, p, n);
}

#define LITERAL(d, s) bytes(d, s, sizeof s - 1)

static void byte(der *d, unsigned v)
{
    d->b[--d->at] = (uint8_t)v;
}

static void noise(der *d, size_t n)
{
    for (; n; n--)
        byte(d, (unsigned)wspi_rng_below(d->rng, 256));
}

static void letters(der *d, size_t n, char first)
{
    for (; n; n--)
        byte(d, (unsigned)first + (unsigned)wspi_rng_below(d->rng, 26));
}

/* Tag and length in front of what was written up to `end`. */
static void wrap(der *d, unsigned tag, size_t end)
{
    size_t len = end - d->at;

    byte(d, (unsigned)len & 255);
    if (len > 255)
        byte(d, (unsigned)(len >> 8));
    if (len > 127)
        byte(d, len > 255 ? 0x82 : 0x81);
    byte(d, tag);
}

/* The same, for an element in an explicit tag. */
static void wrap_in(der *d, unsigned outer, unsigned tag, size_t end)
{
    wrap(d, tag, end);
    wrap(d, outer, end);
}

static void number(der *d, unsigned outer, unsigned v)
{
    size_t end = d->at;

    byte(d, v);
    wrap_in(d, outer, 2, end);
}

/* | etype | cipher |, n bytes of noise in it. */
static void encrypted(der *d, size_t n)
{
    size_t end = d->at;

    noise(d, n);
    wrap_in(d, 0xa2, OCTETS, end);
    number(d, 0xa0, AES256);
}

static void encrypted_in(der *d, unsigned outer, size_t n)
{
    size_t end = d->at;

    encrypted(d, n);
    wrap_in(d, outer, SEQUENCE, end);
}

static void time_stamp(der *d, size_t n)
{
    size_t end = d->at;

    encrypted(d, n);
    wrap(d, SEQUENCE, end);
}

static void name(der *d, enum wspi_kerberos_who who)
{
    char s[WSPI_KERBEROS_LONGEST];
    size_t end = d->at;

    bytes(d, s, wspi_kerberos_who(d->c, who, s));
    wrap(d, STRING, end);
}

/* A service in two words: [1] SEQUENCE of strings, [0] its type. */
static void service(der *d)
{
    size_t end = d->at;

    name(d, WSPI_KERBEROS_REALM);
    name(d, WSPI_KERBEROS_TICKETS);
    wrap_in(d, 0xa1, SEQUENCE, end);
    number(d, 0xa0, 2);
}

static void ticket(der *d, size_t n)
{
    size_t end = d->at, in;

    encrypted_in(d, 0xa3, n);
    in = d->at;
    service(d);
    wrap_in(d, 0xa2, SEQUENCE, in);
    in = d->at;
    name(d, WSPI_KERBEROS_REALM);
    wrap(d, 0xa1, in);
    number(d, 0xa0, 5);
    wrap_in(d, 0x61, SEQUENCE, end);
    wrap(d, 0xa3, end);
}

/* AP-REQ: a ticket with n bytes of noise, and its user's proof. */
static void ticket_use(der *d, size_t n)
{
    size_t end = d->at;

    encrypted_in(d, 0xa4, 150);
    ticket(d, n);
    LITERAL(d, "\xa2\x07\x03\x05\x00\x00\x00\x00\x00"); /* no options */
    number(d, 0xa1, 14);
    number(d, 0xa0, 5);
    wrap_in(d, AP_REQ, SEQUENCE, end);
}

/* ETYPE-INFO2 of one cipher, with n bytes of salt: realm and client (RFC 4120 4), as far as they go. */
static void salts(der *d, size_t n)
{
    char s[2 * WSPI_KERBEROS_LONGEST];
    size_t end = d->at, len = wspi_kerberos_who(d->c, WSPI_KERBEROS_REALM, s);

    len += wspi_kerberos_who(d->c, WSPI_KERBEROS_CLIENT, s + len);
    letters(d, n > len ? n - len : 0, 'a');
    bytes(d, s, WSPI_MIN(n, len));
    wrap(d, STRING, end);
    wrap(d, 0xa1, end);
    number(d, 0xa0, AES256);
    wrap(d, SEQUENCE, end);
    wrap(d, SEQUENCE, end);
}

/* METHOD-DATA: the salts, and that time stamps and certificates do. */
static void methods(der *d, size_t n)
{
    static const uint8_t others[] = {16, 2};
    size_t end = d->at, in;

    for (size_t k = 0; k < sizeof others; k++) {
        in = d->at;
        LITERAL(d, "\xa2\x02\x04\x00");
        number(d, 0xa1, others[k]);
        wrap(d, SEQUENCE, in);
    }
    in = d->at;
    salts(d, n);
    wrap_in(d, 0xa2, OCTETS, in);
    number(d, 0xa1, 19);
    wrap(d, SEQUENCE, in);
    wrap(d, SEQUENCE, end);
}

/* One address: a name of NetBIOS, filled with spaces. */
static void address(der *d, size_t n)
{
    size_t end = d->at;
    wspi_rng r = wspi_app_of_flow(d->c, OF_ADDRESS), *rng = d->rng;

    byte(d, ' ');
    d->rng = &r;
    letters(d, n - 1, 'A');
    d->rng = rng;
    wrap_in(d, 0xa1, OCTETS, end);
    number(d, 0xa0, 20);
    wrap(d, SEQUENCE, end);
}

/* Writes something that grows with the number it is given, so that it has about n bytes. */
static void made(wspi_coder *c, size_t n, size_t least, void (*make)(der *d, size_t n))
{
    der d = {.rng = &c->rng, .c = c};
    size_t room = WSPI_MIN(n, (size_t)LONGEST);

    for (size_t some = least; some <= room + least; some++) {
        d.at = MOST;
        make(&d, some);
        if (MOST - d.at >= room && wspi_bin(MOST - d.at, 1) == wspi_bin(n, 1))
            break;
        if (MOST - d.at < room)
            some += (room - (MOST - d.at)) * 7 / 8; /* a length that has grown takes bytes, too */
    }
    for (size_t i = d.at; i < MOST; i++)
        wspi_app_put(c, 1, d.b[i]);
}

void wspi_kerberos_padata(wspi_coder *c, uint64_t type, size_t n)
{
    static const uint8_t pac[] = {0x30, 5, 0xa0, 3, 1, 1, 0xff},
                         claims[] = {0x30, 9, 0xa0, 7, 3, 5, 0, 0x40, 0, 0, 0};

    if (type == 1)
        made(c, n, 100, ticket_use);
    else if (type == 2)
        made(c, n, 1, time_stamp);
    else if (type == 19)
        made(c, n, 1, salts);
    for (size_t i = 0; type == 128 && i < sizeof pac; i++)
        wspi_app_put(c, 1, pac[i]);
    for (size_t i = 0; type == 167 && i < sizeof claims; i++)
        wspi_app_put(c, 1, claims[i]);
}

void wspi_kerberos_methods(wspi_coder *c, size_t n)
{
    made(c, n, 1, methods);
}

void wspi_kerberos_encrypted(wspi_coder *c, size_t n)
{
    made(c, n, 16, encrypted);
}

void wspi_kerberos_addresses(wspi_coder *c, size_t n)
{
    (void)n;
    made(c, 27, NAME_LEN, address);
}
