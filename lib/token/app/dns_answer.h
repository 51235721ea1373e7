/* SPDX-License-Identifier: Apache-2.0 */
/*
 * dns_answer.h: what an answer of samples owes to its question: it repeats it (RFC 1035 7.3), its records are of what was asked for or lead
 * there by aliases (RFC 1034 3.6.2 and 4.3.2), and behind them stand the servers of a domain that the name is in, and addresses of hosts
 * that were named. What is recorded has none of these rules.
 */
#ifndef WSPI_DNS_ANSWER_H
#define WSPI_DNS_ANSWER_H

#include "token/app/dns_types.h"

/* Sections of records. */
enum { WSPI_DNS_ANSWERS, WSPI_DNS_AUTHORITY, WSPI_DNS_ADDITIONAL };

enum { WSPI_DNS_HOSTS = 8 };
typedef struct wspi_dns_answer {
    bool on;           /* a sampled answer to a question that is known */
    bool edns, dnssec; /* of the question: RFC 6891 6.1.1, RFC 3225 3 */
    bool leads;        /* the question is one that an alias leads on from */
    bool aliased;      /* the chain has left the question's name */
    bool ends;         /* what was asked for has come: no alias behind it */
    uint8_t code;      /* RFC 1035 4.1.1 */
    uint8_t n_hosts, section;
    uint16_t type;                  /* asked for */
    uint16_t before;                /* the type of the section's last record, or 0 */
    uint16_t owner;                 /* a pointer to where the chain is */
    uint16_t hosts[WSPI_DNS_HOSTS]; /* pointers to those that records have named */
    uint32_t types;                 /* that the service has, by their places */
    uint64_t count[4], left; /* numbers of the header; records of the section that are to come */
} wspi_dns_answer;

/* All are for samples; where `on` is not set, nothing is forbidden. `repeats`: the service's answers repeat their questions. */
void wspi_dns_answer_begin(const wspi_coder *c, wspi_dns_answer *a, uint64_t flags, bool repeats,
                           uint32_t types);
/* The i-th number of the header is n: if it is asked for, only what records can be found for. */
void wspi_dns_answer_count(wspi_coder *c, wspi_dns_answer *a, unsigned i, uint64_t n);
/* A record of the section begins, `left` of them with it. */
void wspi_dns_answer_record(wspi_dns_answer *a, unsigned section, uint64_t left);
/* Forms that its name may have, a bit each: those of `others`, and pointers or labels. Never none. */
uint32_t wspi_dns_answer_forms(const wspi_coder *c, const wspi_dns_answer *a, uint32_t others);
/* Its name where it is no pointer to the question: a pointer elsewhere or labels, as the token of its length says. */
void wspi_dns_answer_owner(wspi_coder *c, const wspi_dns_answer *a);
/* Types that it may have, a bit for the place of each. */
uint32_t wspi_dns_answer_types(const wspi_dns_answer *a);
/* The type of the question if it has no token, but data that can be made up; else 0. */
uint16_t wspi_dns_answer_other(const wspi_dns_answer *a);
/* May the name that it gives be a pointer to the domain of the question? It is neither the root nor an alias of itself. */
bool wspi_dns_answer_points(const wspi_coder *c, const wspi_dns_answer *a);
/* The record is written; its data begins in the payload at `at`. */
void wspi_dns_answer_took(wspi_coder *c, wspi_dns_answer *a, uint64_t type, size_t at);
/* A whole record, behind what has tokens. */
void wspi_dns_answer_untold(wspi_coder *c, wspi_dns_answer *a, uint64_t ttl);

#endif
