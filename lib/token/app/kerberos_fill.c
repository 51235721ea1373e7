/* SPDX-License-Identifier: Apache-2.0 */
/*
 * kerberos_fill.c: what is opaque in samples of Kerberos, in DER (RFC 4120 5.2.7, 5.2.9, 5.5.1; [MS-KILE] 2.2): written from its end to
 * its beginning, so that lengths are known when they come.
 */
#include "token/app/kerberos_fill.h"

enum { MOST = 1600, LONGEST = 1030, AES256 = 18, NAME_LEN = 16 };
enum { SEQUENCE = 0x30, OCTETS = 4, STRING = 0x1b, AP_REQ = 0x6e };

/* Bytes [at, MOST) are written. */
typedef struct der {
    uint8_t b[MOST];
    size_t at;
    wspi_rng *rng;
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

static void string(der *d, size_t n, char first)
{
    size_t end = d->at;

    letters(d, n, first);
    wrap(d, STRING, end);
}

/* A service in two words: [1] SEQUENCE of strings, [0] its type. */
static void service(der *d)
{
    size_t end = d->at;

    string(d, 12, 'A');
    LITERAL(d, "\x1b\x06krbtgt");
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
    string(d, 12, 'A');
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

/* ETYPE-INFO2 of one cipher, with n bytes of salt. */
static void salts(der *d, size_t n)
{
    size_t end = d->at;

    string(d, n, 'A');
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

    byte(d, ' ');
    letters(d, n - 1, 'A');
    wrap_in(d, 0xa1, OCTETS, end);
    number(d, 0xa0, 20);
    wrap(d, SEQUENCE, end);
}

/* Writes something that grows with the number it is given, so that it has about n bytes. */
static void made(wspi_coder *c, size_t n, size_t least, void (*make)(der *d, size_t n))
{
    der d = {.rng = &c->rng};
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

static void one_string(der *d, size_t n)
{
    string(d, n, 'a');
}

void wspi_kerberos_name(wspi_coder *c, size_t n)
{
    made(c, n, 1, one_string);
}

/* Numbers of one byte, or one of two. */
void wspi_kerberos_etypes(wspi_coder *c, size_t n)
{
    static const uint8_t small[] = {24, 23, 3, 1};

    if (wspi_bin(n, 1) == wspi_bin(4, 1)) {
        wspi_app_put(c, 4, 0x0202ff7b);
        return;
    }
    n = (size_t)wspi_bin_start(wspi_bin(WSPI_MIN(n, (size_t)LONGEST), 1), 1);
    for (size_t k = 0; k < (n + 2) / 3; k++) {
        wspi_app_put(c, 2, 0x0201);
        wspi_app_put(c, 1, small[k % sizeof small]);
    }
}
