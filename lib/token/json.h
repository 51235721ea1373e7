/* SPDX-License-Identifier: Apache-2.0 */
/*
 * json.h: samples of JSON text (RFC 8259), byte by byte: which byte may come where so many are left, and one that may.
 * Numbers are whole ones, strings have no escapes.
 */
#ifndef WSPI_JSON_H
#define WSPI_JSON_H

#include "base/base.h"

/* Plain data; all zeros: at the start of a text. */
typedef struct wspi_json {
    uint8_t state, depth;
    uint8_t word, at; /* which literal name; letters of it, or digits of a number, that are there */
    uint32_t objects; /* bit k: the k-th nesting is an object, not an array */
} wspi_json;

/* The byte b comes, `left` bytes behind it: false, and nothing changes, if it may not, or the text could not end in so many. */
bool wspi_json_step(wspi_json *j, uint8_t b, size_t left);

/* A byte that may come, one of the last `left` ones, which goes on to the end of the text in time. */
uint8_t wspi_json_fill(const wspi_json *j, size_t left, wspi_rng *r);

#endif
