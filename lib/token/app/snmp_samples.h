/* SPDX-License-Identifier: Apache-2.0 */
/*
 * snmp_samples.h: parts of SNMP's messages that no token tells, made up for samples, and what they owe to messages before: a flow keeps its
 * community (RFC 1157 4.1) and a speaker its engine (RFC 3411 5), a response has the names of its request, or goes on behind them
 * (RFC 3416 4.2).
 */
#ifndef WSPI_SNMP_SAMPLES_H
#define WSPI_SNMP_SAMPLES_H

#include "token/app/ber.h"

enum {
    FORM,
    ELEMENT,
    LENGTH,
    SNMP_VERSION,
    COMMUNITY,
    PDU,
    REQUEST,
    STATUS,
    INDEX,
    OBJECT,
    SUFFIX,
    TYPE,
    NUMBER,
    GENERIC,
    MESSAGE,
    SECURITY,
    SCOPED,
    NAMES,
    WSPI_SNMP_FIELDS
};

enum { WSPI_SNMP_BINDINGS = 3 /* that have tokens */ };

/* The listed beginnings of names, in the order of their tokens; samples have those up to the last but one. */
extern const wspi_oid wspi_snmp_oids[];
extern const unsigned wspi_snmp_n_oids;

/* Is there one of the object, with the number 0, and not a table (RFC 2578 7.7)? */
bool wspi_snmp_is_scalar(uint64_t k);

/* For the rows of communities and engines: what was passed is remembered, and samples have it again. */
void wspi_snmp_took_community(wspi_coder *c, size_t at);
bool wspi_snmp_may_community(const wspi_coder *c, unsigned k);
void wspi_snmp_community(wspi_coder *c, size_t n);
void wspi_snmp_took_engine(wspi_coder *c, size_t at);
void wspi_snmp_which_engine(const wspi_coder *c, uint8_t *from, uint8_t *count);
/* Does the client know the engine, or has it asked as one that does? Who asks so says for whom (RFC 3414 4). */
bool wspi_snmp_knows(const wspi_coder *c);
void wspi_snmp_which_user(const wspi_coder *c, uint8_t *from, uint8_t *count);
void wspi_snmp_user(wspi_coder *c, size_t n);
/* An engine's identifier of n bytes, from 6 on, or none. */
void wspi_snmp_engine(wspi_coder *c, size_t n);

/*
 * Clocks: how often an engine has started, 0 if it is not known; since when it runs (RFC 3414 2.2.2); hundredths of a second; bytes that
 * everybody takes (RFC 3412 6). The address of who sends a trap (RFC 1157 4.1.6).
 */
uint64_t wspi_snmp_boots(const wspi_coder *c);
uint64_t wspi_snmp_time(const wspi_coder *c);
uint64_t wspi_snmp_uptime(const wspi_coder *c);
uint64_t wspi_snmp_most(const wspi_coder *c);
void wspi_snmp_agent(wspi_coder *c, size_t n);

/* For the list of bindings and their names, in the same way. */
void wspi_snmp_each(wspi_coder *c, unsigned n, unsigned *least, unsigned *most);
unsigned wspi_snmp_index(const wspi_coder *c); /* of the binding under way */
void wspi_snmp_took_bindings(wspi_coder *c, size_t at);
void wspi_snmp_took_name(wspi_coder *c, size_t at);
void wspi_snmp_which_name(const wspi_coder *c, uint8_t *from, uint8_t *count);
bool wspi_snmp_may_name(const wspi_coder *c, unsigned k);
size_t wspi_snmp_given(const wspi_coder *c, uint64_t k, uint8_t *b);
/* Further bindings: lengths of all of them, and n bytes, from 16 on. */
void wspi_snmp_which_rest(const wspi_coder *c, uint8_t *from, uint8_t *count);
void wspi_snmp_bindings(wspi_coder *c, size_t n);

/* Samples: a request has no values, but the one that sets them. */
bool wspi_snmp_asks(uint64_t pdu);

#endif
