/* SPDX-License-Identifier: Apache-2.0 */
/* dns_data.c: a row of a table for each type of records whose data samples make up: from how many bytes on, and how. */
#include "token/app/dns_data.h"

/* ---- names ---- */

static uint8_t letter(wspi_coder *c)
{
    return (uint8_t)('a' + wspi_rng_u64(&c->rng) % 26);
}

void wspi_dns_name(wspi_coder *c, uint8_t *b, size_t n, bool local)
{
    static const uint8_t below[] = "\5local";
    size_t i = 0, label, tail = local && n > sizeof below + 1 ? 6 : 0;

    n -= tail;
    while (n - i > 1) {
        label = WSPI_MIN(n - i - 2, 15u);
        if (n - i - 2 == 16)
            label = 8; /* no label of length 0 may be left */
        b[i++] = (uint8_t)label;
        for (; label; label--)
            b[i++] = letter(c);
    }
    memcpy(b + i, below, tail);
    b[i + tail] = 0;
}

uint16_t wspi_dns_parent(const wspi_coder *c)
{
    size_t start = wspi_app_is_stream(c) ? 2 : 0;
    uint8_t label = c->pay.out->data[start + 12];

    return (uint16_t)(WSPI_DNS_POINTER + (label && label < 64 ? label + 1 : 0));
}

void wspi_dns_host(wspi_coder *c, size_t n)
{
    uint8_t b[WSPI_DNS_MAX_NAME + 1];

    wspi_dns_name(c, b, n - 1, false);
    for (size_t i = 0; i < n - 2; i++)
        wspi_app_put(c, 1, b[i]);
    wspi_app_put(c, 2, wspi_dns_parent(c));
}

/* As data of newer types have it: without a pointer (RFC 2782, RFC 4034 6.2). */
static void whole_name(wspi_coder *c, size_t n, bool local)
{
    uint8_t b[WSPI_DNS_MAX_NAME + 1];

    wspi_dns_name(c, b, n, local);
    for (size_t i = 0; i < n; i++)
        wspi_app_put(c, 1, b[i]);
}

/* ---- data ---- */

static void letters(wspi_coder *c, size_t n)
{
    for (; n; n--)
        wspi_app_put(c, 1, letter(c));
}

/* RFC 1035 3.3: a string behind its length, n bytes in all. */
static void string(wspi_coder *c, size_t n)
{
    wspi_app_put(c, 1, n - 1);
    letters(c, n - 1);
}

static void make_strings(wspi_coder *c, size_t n, bool local)
{
    (void)local;
    string(c, n);
}

/* RFC 1035 3.3.2: a machine, its system. */
static void make_hinfo(wspi_coder *c, size_t n, bool local)
{
    (void)local;
    string(c, n / 2);
    string(c, n - n / 2);
}

/* RFC 1035 3.3.13: a server, a mailbox, a serial number, times. */
static void make_soa(wspi_coder *c, size_t n, bool local)
{
    enum { DAY = 86400, SERIAL = 2020010100, NUMBERS = 20 };
    size_t server = (n - NUMBERS) / 2;

    (void)local;
    wspi_dns_host(c, server);
    wspi_dns_host(c, n - NUMBERS - server);
    wspi_app_put(c, 4, SERIAL + wspi_rng_u64(&c->rng) % 100);
    wspi_app_put(c, 4, DAY / 12);
    wspi_app_put(c, 4, DAY / 24);
    wspi_app_put(c, 4, UINT64_C(14) * DAY);
    wspi_app_put(c, 4, DAY / 24);
}

/* RFC 1035 3.3.9 */
static void make_mx(wspi_coder *c, size_t n, bool local)
{
    (void)local;
    wspi_app_put(c, 2, 10 * (1 + wspi_rng_u64(&c->rng) % 3));
    wspi_dns_host(c, n - 2);
}

/* RFC 2782: priority, weight, port, target. */
static void make_srv(wspi_coder *c, size_t n, bool local)
{
    wspi_app_put(c, 4, 0);
    wspi_app_put(c, 2, 1024 + wspi_rng_u64(&c->rng) % 60000);
    whole_name(c, n - 6, local);
}

/* RFC 9460 2.2, 7.1: priority, this name itself, one protocol above TLS. */
static void make_svcb(wspi_coder *c, size_t n, bool local)
{
    enum { HEAD = 7, ALPN = 1 };

    (void)local;
    wspi_app_put(c, 2, 1);
    wspi_app_put(c, 1, 0);
    wspi_app_put(c, 2, ALPN);
    wspi_app_put(c, 2, n - HEAD);
    string(c, n - HEAD);
}

/* RFC 3403 4.1: order, preference, flags, services, no expression, the name to look up. */
static void make_naptr(wspi_coder *c, size_t n, bool local)
{
    static const uint8_t head[] = "\0\12\0\12\1s\7SIP+D2U";

    for (size_t i = 0; i < sizeof head; i++) /* its end is the expression's length */
        wspi_app_put(c, 1, head[i]);
    whole_name(c, n - sizeof head, local);
}

/* RFC 8659 4.1: flags, tag, value. */
static void make_caa(wspi_coder *c, size_t n, bool local)
{
    static const uint8_t head[] = {0, 5, 'i', 's', 's', 'u', 'e'};

    (void)local;
    for (size_t i = 0; i < sizeof head; i++)
        wspi_app_put(c, 1, head[i]);
    letters(c, n - sizeof head);
}

/* RFC 4034 5.1: tag of the key, algorithm, kind of the digest, digest. */
enum { RSA_SHA256 = 8 };
static void make_ds(wspi_coder *c, size_t n, bool local)
{
    enum { SHA256 = 2 };

    (void)local;
    wspi_app_opaque(c, 2);
    wspi_app_put(c, 1, RSA_SHA256);
    wspi_app_put(c, 1, SHA256);
    wspi_app_opaque(c, n - 4);
}

/* RFC 4034 2.1: flags (a key of the zone), 3, algorithm; an exponent of 65537, the modulus. */
static void make_key(wspi_coder *c, size_t n, bool local)
{
    enum { ZONE = 0x0100, DNSSEC = 3, EXPONENT = 65537 };

    (void)local;
    wspi_app_put(c, 2, ZONE);
    wspi_app_put(c, 1, DNSSEC);
    wspi_app_put(c, 1, RSA_SHA256);
    wspi_app_put(c, 1, 3);
    wspi_app_put(c, 3, EXPONENT);
    wspi_app_opaque(c, n - 8);
}

/* RFC 4034 3.1: what is signed, algorithm, labels, time to live, from when to when, tag, who signs: the root. */
static void make_rrsig(wspi_coder *c, size_t n, bool local)
{
    enum { HEAD = 19, SECOND_2026 = 1767225600, WEEK = 604800 };

    (void)local;
    wspi_app_put(c, 2, WSPI_DNS_A);
    wspi_app_put(c, 1, RSA_SHA256);
    wspi_app_put(c, 1, 2);
    wspi_app_put(c, 4, 3600);
    wspi_app_put(c, 4, SECOND_2026 + 2 * WEEK);
    wspi_app_put(c, 4, SECOND_2026);
    wspi_app_opaque(c, 2);
    wspi_app_put(c, 1, 0);
    wspi_app_opaque(c, n - HEAD);
}

/* RFC 4034 4.1: the next name, and types that this one has: A, RRSIG, NSEC. */
static void make_nsec(wspi_coder *c, size_t n, bool local)
{
    static const uint8_t types[] = {0, 6, 0x40, 0, 0, 0, 0, 0x03};

    whole_name(c, n - sizeof types, local);
    for (size_t i = 0; i < sizeof types; i++)
        wspi_app_put(c, 1, types[i]);
}

static void make_any(wspi_coder *c, size_t n, bool local)
{
    (void)local;
    wspi_app_opaque(c, n);
}

static const struct data {
    uint16_t type;
    uint8_t least;
    void (*make)(wspi_coder *c, size_t n, bool local);
} data[] = {
    {WSPI_DNS_TXT, 2, make_strings},  {WSPI_DNS_SPF, 2, make_strings},
    {WSPI_DNS_HINFO, 4, make_hinfo},  {WSPI_DNS_SOA, 32, make_soa},
    {WSPI_DNS_MX, 8, make_mx},        {WSPI_DNS_SRV, 10, make_srv},
    {WSPI_DNS_SVCB, 10, make_svcb},   {WSPI_DNS_HTTPS, 10, make_svcb},
    {WSPI_DNS_NAPTR, 20, make_naptr}, {WSPI_DNS_CAA, 12, make_caa},
    {WSPI_DNS_DS, 24, make_ds},       {WSPI_DNS_KEY, 80, make_key},
    {WSPI_DNS_DNSKEY, 80, make_key},  {WSPI_DNS_RRSIG, 80, make_rrsig},
    {WSPI_DNS_NSEC, 12, make_nsec},   {WSPI_DNS_NULL, 2, make_any},
};

static const struct data *data_of(uint64_t type)
{
    for (size_t i = 0; i < WSPI_COUNT(data); i++)
        if (data[i].type == type)
            return &data[i];
    return NULL;
}

size_t wspi_dns_data_least(uint64_t type)
{
    const struct data *d = data_of(type);

    return d ? d->least : 0;
}

void wspi_dns_data(wspi_coder *c, uint64_t type, size_t n, bool local)
{
    data_of(type)->make(c, n, local);
}
