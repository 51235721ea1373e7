/* SPDX-License-Identifier: Apache-2.0 */
/* json.h: JSON of others, read with jansson as far as it is worth the memory. */
#ifndef WSPI_BASE_JSON_H
#define WSPI_BASE_JSON_H

#include <jansson.h>

#include "base/base.h"

/*
 * What a value of two bytes becomes is a hundred bytes, and more for an object: so values and what has values in it are counted
 * before, and a text of more than any file of ours has is refused. FORMAT (what, with the reason) or NOMEM; no key may come twice.
 */
wsp_status wspi_json_read(json_t **out, const char *text, size_t len, const char *what,
                          wsp_error *err) WSP_MUST_USE;

#endif
