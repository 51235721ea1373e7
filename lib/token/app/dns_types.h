/* SPDX-License-Identifier: Apache-2.0 */
/* dns_types.h: the fields of DNS, the forms of a record's name, and the types of records that have a token. */
#ifndef WSPI_DNS_TYPES_H
#define WSPI_DNS_TYPES_H

#include "token/app/dns_data.h"

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
    LENGTH,
    NB_FLAGS,
    NODES
};

enum { NAME_POINTER, NAME_ROOT, NAME_LABELS };

/* Places of types in the list; the vocabulary has them in this order. */
enum {
    P_MX,
    P_SOA,
    P_NS,
    P_CNAME,
    P_A,
    P_AAAA,
    P_PTR,
    P_TXT,
    P_SRV,
    P_NB,
    P_OPT,
    P_HTTPS,
    P_ANY,
    P_NULL,
    P_DS,
    P_RRSIG,
    P_NSEC,
    P_DNSKEY,
    P_NAPTR,
    P_KEY,
    P_HINFO,
    P_SPF,
    P_SVCB,
    P_CAA,
    N_TYPES
};
static const wspi_value wspi_dns_types[] = {[P_MX] = {WSPI_DNS_MX, "MX"},
                                            [P_SOA] = {WSPI_DNS_SOA, "SOA"},
                                            [P_NS] = {WSPI_DNS_NS, "NS"},
                                            [P_CNAME] = {WSPI_DNS_CNAME, "CNAME"},
                                            [P_A] = {WSPI_DNS_A, "A"},
                                            [P_AAAA] = {WSPI_DNS_AAAA, "AAAA"},
                                            [P_PTR] = {WSPI_DNS_PTR, "PTR"},
                                            [P_TXT] = {WSPI_DNS_TXT, "TXT"},
                                            [P_SRV] = {WSPI_DNS_SRV, "SRV"},
                                            [P_NB] = {WSPI_DNS_NB, "NB"},
                                            [P_OPT] = {WSPI_DNS_OPT, "OPT"},
                                            [P_HTTPS] = {WSPI_DNS_HTTPS, "HTTPS"},
                                            [P_ANY] = {WSPI_DNS_ANY, "ANY"},
                                            [P_NULL] = {WSPI_DNS_NULL, "NULL"},
                                            [P_DS] = {WSPI_DNS_DS, "DS"},
                                            [P_RRSIG] = {WSPI_DNS_RRSIG, "RRSIG"},
                                            [P_NSEC] = {WSPI_DNS_NSEC, "NSEC"},
                                            [P_DNSKEY] = {WSPI_DNS_DNSKEY, "DNSKEY"},
                                            [P_NAPTR] = {WSPI_DNS_NAPTR, "NAPTR"},
                                            [P_KEY] = {WSPI_DNS_KEY, "KEY"},
                                            [P_HINFO] = {WSPI_DNS_HINFO, "HINFO"},
                                            [P_SPF] = {WSPI_DNS_SPF, "SPF"},
                                            [P_SVCB] = {WSPI_DNS_SVCB, "SVCB"},
                                            [P_CAA] = {WSPI_DNS_CAA, "CAA"},
                                            [N_TYPES] = {0, NULL}};

static inline bool wspi_dns_has_token(uint64_t t)
{
    return wspi_app_is_listed(wspi_dns_types, t);
}

#endif
