/* SPDX-License-Identifier: Apache-2.0 */
/* dns_data.h: names and data of DNS records that samples make up. RFC 1035 3.3 and 4.1.4; others with their types. */
#ifndef WSPI_DNS_DATA_H
#define WSPI_DNS_DATA_H

#include "token/app/app.h"

enum {
    WSPI_DNS_MAX_NAME = 255,
    WSPI_DNS_POINTER = 0xc00c, /* to the first question */
    WSPI_DNS_HOST_LEAST = 6,
    WSPI_DNS_OPTION_LEAST = 4,
};

/* IANA's numbers; SRV is also NetBIOS' status of a node. */
enum {
    WSPI_DNS_A = 1,
    WSPI_DNS_NS = 2,
    WSPI_DNS_CNAME = 5,
    WSPI_DNS_SOA = 6,
    WSPI_DNS_NULL = 10,
    WSPI_DNS_PTR = 12,
    WSPI_DNS_HINFO = 13,
    WSPI_DNS_MX = 15,
    WSPI_DNS_TXT = 16,
    WSPI_DNS_KEY = 25,
    WSPI_DNS_AAAA = 28,
    WSPI_DNS_NB = 32,
    WSPI_DNS_SRV = 33,
    WSPI_DNS_NAPTR = 35,
    WSPI_DNS_OPT = 41,
    WSPI_DNS_DS = 43,
    WSPI_DNS_RRSIG = 46,
    WSPI_DNS_NSEC = 47,
    WSPI_DNS_DNSKEY = 48,
    WSPI_DNS_SVCB = 64,
    WSPI_DNS_HTTPS = 65,
    WSPI_DNS_SPF = 99,
    WSPI_DNS_ANY = 255,
    WSPI_DNS_CAA = 257,
};

/* b: a name of n bytes (n > 2, or 1 for the root), labels of at most 15 letters; local: below "local", if it is long enough. */
void wspi_dns_name(wspi_coder *c, uint8_t *b, size_t n, bool local);
/* To the domain that the message's first name is in, or to that name where it is the root. */
uint16_t wspi_dns_parent(const wspi_coder *c);
/* Labels of n - 2 bytes in that domain, n from WSPI_DNS_HOST_LEAST on. */
void wspi_dns_host(wspi_coder *c, size_t n);

/* The least and the most bytes of a type's data that can be made up; least 0: none can. */
size_t wspi_dns_data_least(uint64_t type);
size_t wspi_dns_data_most(uint64_t type);
/* n bytes of data, from the least to the most; local: names are. */
void wspi_dns_data(wspi_coder *c, uint64_t type, size_t n, bool local);
/* An address of 4 or 16 bytes; of samples one of a single host, local: on its link (RFC 1122 3.2.1.3, RFC 4291 2.4). */
void wspi_dns_address(wspi_coder *c, size_t n, bool local);
/* n bytes of options of OPT, from the least to 255. */
void wspi_dns_options(wspi_coder *c, size_t n);
/*
 * Samples: where field f has its token of what has none, by its number, the type is `other` or, where that is 0, one of those that have
 * data; else t, as it was coded.
 */
uint64_t wspi_dns_drawn_type(wspi_coder *c, unsigned f, unsigned token, uint16_t other, uint64_t t);

#endif
