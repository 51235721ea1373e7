/* SPDX-License-Identifier: Apache-2.0 */
/* ldap_samples.h: parts of LDAP's messages that no token tells, made up for samples: about n bytes, so that the length has the same token. */
#ifndef WSPI_LDAP_SAMPLES_H
#define WSPI_LDAP_SAMPLES_H

#include "token/app/ber.h"

/* Bytes of the value of an attribute (by its number among the words) that is a structure; 0: it is none. */
size_t wspi_ldap_asserted(uint64_t attribute);
/* A value that is searched for. */
void wspi_ldap_assertion(wspi_coder *c, uint64_t attribute, size_t n);
/* What a domain controller is asked for is an attribute of its own: its answer is n bytes long, from 96 on. */
bool wspi_ldap_is_netlogon(uint64_t attribute);
void wspi_ldap_controller(wspi_coder *c, size_t n);

/*
 * Where a flow searches, and what it finds there (RFC 4514): entries of one domain; over UDP, where clients look for domain controllers, the
 * root, which has no name (MS-ADTS 6.3.3).
 */
void wspi_ldap_which_base(const wspi_coder *c, uint8_t *from, uint8_t *count);
void wspi_ldap_base(wspi_coder *c, size_t n);
void wspi_ldap_which_entry(const wspi_coder *c, uint8_t *from, uint8_t *count);
void wspi_ldap_entry(wspi_coder *c, size_t n);

/* More filters behind one of an attribute; a part of a string; more words; more attributes with values. */
void wspi_ldap_filters(wspi_coder *c, uint64_t attribute, size_t n);
void wspi_ldap_substring(wspi_coder *c, size_t n);
void wspi_ldap_words(wspi_coder *c, size_t n);
void wspi_ldap_attributes(wspi_coder *c, size_t n);

#endif
