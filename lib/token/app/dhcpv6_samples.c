/* SPDX-License-Identifier: Apache-2.0 */
/*
 * dhcpv6_samples.c: contents of DHCPv6's options that no token tells, made up for samples: identifiers and classes (RFC 8415 11,
 * 21.15 to 21.17), addresses, names (RFC 1035 3.1) of hosts (RFC 4704 4) and domains (RFC 3646 4), servers (RFC 5908 4, RFC 5970 3.1).
 */
#include "token/app/dhcpv6_samples.h"

#include "token/app/dns_data.h"

enum { IPV6 = 16, SUBOPTION = 4 };

static void letters(wspi_coder *c, uint8_t *b, size_t n)
{
    for (; n; n--)
        *b++ = (uint8_t)('a' + wspi_rng_below(&c->rng, 26));
}

static void bytes(wspi_coder *c, uint8_t *b, size_t n)
{
    for (; n; n--)
        *b++ = (uint8_t)wspi_rng_u64(&c->rng);
}

/* A host or domain below one of three letters, or of one: readers mind names of one label. n is WSPI_DHCPV6_NAME at least, or nothing is told. */
static void name(wspi_coder *c, uint8_t *b, size_t n)
{
    size_t top = n > WSPI_DHCPV6_NAME + 1 ? 3 : 1;

    memset(b, 0, n);
    if (n < WSPI_DHCPV6_NAME)
        return;
    wspi_dns_name(c, b, n - top - 1, false);
    b[n - top - 2] = (uint8_t)top;
    letters(c, b + n - top - 1, top);
    b[n - 1] = 0;
}

/* | flags 8 | name |: the server shall tell the DNS. */
static void fqdn(wspi_coder *c, uint8_t *b, size_t n)
{
    if (n == 0)
        return;
    *b = 0;
    name(c, b + 1, n - 1);
}

/* | length 16 | data | */
static void class_data(wspi_coder *c, uint8_t *b, size_t n)
{
    if (n < 2)
        return;
    b[0] = (uint8_t)((n - 2) >> 8);
    b[1] = (uint8_t)(n - 2);
    letters(c, b + 2, n - 2);
}

/* One option of the vendor: | code 16 | length 16 | data | */
static void vendor_option(wspi_coder *c, uint8_t *b, size_t n)
{
    if (n < SUBOPTION)
        return;
    b[0] = 0;
    b[1] = 1;
    class_data(c, b + 2, n - 2);
}

/* Addresses of documentation (RFC 3849), in subnet 0. */
static void addresses(wspi_coder *c, uint8_t *b, size_t n)
{
    static const uint8_t net[IPV6] = {0x20, 0x01, 0x0d, 0xb8};

    for (; n >= IPV6; n -= IPV6, b += IPV6) {
        memcpy(b, net, sizeof net);
        bytes(c, b + 4, 2);
        bytes(c, b + 8, 8);
    }
    memset(b, 0, n);
}

/* As addresses, without their lower half. */
static void prefix(wspi_coder *c, uint8_t *b, size_t n)
{
    addresses(c, b, n);
    if (n >= IPV6)
        memset(b + 4, 0, IPV6 - 4);
}

/* Times of servers: | 1 16 | length 16 | address 128 | */
static void time_servers(wspi_coder *c, uint8_t *b, size_t n)
{
    static const uint8_t head[SUBOPTION] = {0, 1, 0, IPV6};

    for (; n >= SUBOPTION + IPV6; n -= SUBOPTION + IPV6, b += SUBOPTION + IPV6) {
        memcpy(b, head, sizeof head);
        addresses(c, b + SUBOPTION, IPV6);
    }
    memset(b, 0, n);
}

static void url(wspi_coder *c, uint8_t *b, size_t n)
{
    static const char begins[] = "tftp://";

    letters(c, b, n);
    if (n >= sizeof begins)
        memcpy(b, begins, sizeof begins - 1);
}

void wspi_dhcpv6_fill(wspi_coder *c, uint64_t code, size_t n)
{
    static const struct {
        uint8_t code;
        void (*make)(wspi_coder *c, uint8_t *b, size_t n);
    } makers[] = {{5, addresses}, {15, class_data}, {16, class_data}, {17, vendor_option},
                  {21, name},     {22, addresses},  {23, addresses},  {24, name},
                  {26, prefix},   {31, addresses},  {39, fqdn},       {56, time_servers},
                  {59, url}};
    uint8_t *b = c->bad || c->need ? NULL : wspi_payload_room(c, n);
    wspi_rng own = c->rng;
    size_t k = 0;

    if (!b)
        return;
    wspi_rng_seed(&c->rng, c->fill->seed + code);
    while (k < WSPI_COUNT(makers) && makers[k].code != code)
        k++;
    if (k < WSPI_COUNT(makers))
        makers[k].make(c, b, n);
    else
        bytes(c, b, n);
    c->rng = own;
    c->pay.at += n;
}
