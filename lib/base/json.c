/* SPDX-License-Identifier: Apache-2.0 */
/* json.c: JSON of others: how much a text would become is looked at before it does. */
#include "base/json.h"

/* The largest files of ours: a million captures, heads of 65,536 labels; an object for a head or a tensor. */
static const size_t MOST_BYTES = (size_t)1 << 28, MOST_VALUES = (size_t)1 << 22,
                    MOST_NESTS = (size_t)1 << 19;

/* Past a string whose first quote is at text[i - 1], also one that does not end. */
static size_t string_end(const char *text, size_t i, size_t len)
{
    while (i < len && text[i] != '"')
        i += text[i] == '\\' ? 2 : 1;
    return i;
}

static bool is_too_much(const char *text, size_t len)
{
    size_t commas = 0, nests = 0;

    for (size_t i = 0; i < len; i++) {
        if (text[i] == '"')
            i = string_end(text, i + 1, len);
        else if (text[i] == ',')
            commas++;
        else if (text[i] == '[' || text[i] == '{')
            nests++;
    }
    return len > MOST_BYTES || commas > MOST_VALUES || nests > MOST_NESTS;
}

wsp_status wspi_json_read(json_t **out, const char *text, size_t len, const char *what,
                          wsp_error *err)
{
    json_error_t e;

    *out = NULL;
    if (is_too_much(text, len))
        return wspi_fail(err, WSP_ERR_FORMAT, 0, "%s: more values than such a text has", what);
    *out = json_loadb(text, len, JSON_REJECT_DUPLICATES, &e);
    if (*out)
        return WSP_OK;
    if (json_error_code(&e) == json_error_out_of_memory)
        return wspi_nomem(err, what, len);
    return wspi_fail(err, WSP_ERR_FORMAT, (uint64_t)WSPI_MAX(e.position, 0), "%s: %.160s", what,
                     e.text);
}
