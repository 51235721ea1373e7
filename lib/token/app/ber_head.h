/* SPDX-License-Identifier: Apache-2.0 */
/* ber_head.h: identifiers and lengths of BER, for the walk. */
#ifndef WSPI_BER_HEAD_H
#define WSPI_BER_HEAD_H

#include "token/app/ber.h"

/* Does width have room for the length? */
bool wspi_ber_width_fits(unsigned width, size_t len);
/* Octets of a length in a form, and what they are as one number. */
unsigned wspi_ber_width(unsigned form, uint8_t tag, size_t len);
uint64_t wspi_ber_octets(unsigned width, size_t len);
/* Is an integer written in as few octets as it can be? */
bool wspi_ber_minimal(const uint8_t *b, size_t n);
/* The forms, as bits, in which all lengths and integers of [0, n) can be. */
unsigned wspi_ber_survey(const uint8_t *b, size_t n, unsigned depth);

#endif
