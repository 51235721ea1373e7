/* SPDX-License-Identifier: Apache-2.0 */
/* json.c: samples of JSON text, as an automaton over bytes with the nestings that are open. */
#include "token/json.h"

#include <string.h>

enum { DEEPEST = 6, DIGITS = 15 }; /* RFC 8259 6: more digits not all readers keep */

/* What comes next, or goes on. */
enum {
    VALUE,
    FIRST,  /* a value of an array, or its end */
    MEMBER, /* a name of an object, or its end */
    NAME,   /* a name of an object */
    IN_NAME,
    COLON,
    IN_STRING,
    IN_NUMBER,
    IN_WORD,
    AFTER /* a comma, or the end of what is open */
};

static const char *const words[] = {"true", "false", "null"};

/* Bytes that the text needs at least to end. */
static size_t needs(const wspi_json *j)
{
    static const uint8_t more[] = {
        [VALUE] = 1, [NAME] = 4, [IN_NAME] = 3, [COLON] = 2, [IN_STRING] = 1};

    if (j->state == IN_WORD)
        return j->depth + strlen(words[j->word]) - j->at;
    return j->depth + (j->state < WSPI_COUNT(more) ? more[j->state] : 0u);
}

static bool in_object(const wspi_json *j)
{
    return j->depth && j->objects >> (j->depth - 1) & 1;
}

static bool open_nesting(wspi_json *j, bool object)
{
    if (j->depth == DEEPEST)
        return false;
    j->objects = (j->objects & ~(UINT32_C(1) << j->depth)) | (uint32_t)object << j->depth;
    j->depth++;
    j->state = object ? MEMBER : FIRST;
    return true;
}

static bool close_nesting(wspi_json *j, uint8_t b)
{
    if (j->depth == 0 || b != (in_object(j) ? '}' : ']'))
        return false;
    j->depth--;
    j->state = AFTER;
    return true;
}

static bool begin_value(wspi_json *j, uint8_t b)
{
    if (b == '{' || b == '[')
        return open_nesting(j, b == '{');
    j->at = 1;
    j->state = b == '"' ? IN_STRING : b == '0' ? AFTER : b > '0' && b <= '9' ? IN_NUMBER : IN_WORD;
    for (j->word = 0; j->state == IN_WORD && j->word < WSPI_COUNT(words); j->word++)
        if ((uint8_t)words[j->word][0] == b)
            return true;
    return j->state != IN_WORD;
}

static bool go_on(wspi_json *j, uint8_t b)
{
    if (b == ',' && j->depth) {
        j->state = in_object(j) ? NAME : VALUE;
        return true;
    }
    return close_nesting(j, b);
}

static bool in_word(wspi_json *j, uint8_t b)
{
    if (b != (uint8_t)words[j->word][j->at])
        return false;
    j->at++;
    if (words[j->word][j->at] == 0)
        j->state = AFTER;
    return true;
}

static bool in_number(wspi_json *j, uint8_t b)
{
    return b >= '0' && b <= '9' ? j->at++ < DIGITS : go_on(j, b);
}

static bool in_string(wspi_json *j, uint8_t b)
{
    if (b == '"')
        j->state = j->state == IN_NAME ? COLON : AFTER;
    return b >= 0x20 && b <= 0x7e && b != '\\';
}

static bool between(const wspi_json *j, uint8_t b)
{
    return (b == ' ' || b == '\t' || b == '\r' || b == '\n') && j->state != IN_NAME &&
           j->state != IN_STRING && j->state != IN_WORD;
}

static bool step(wspi_json *j, uint8_t b)
{
    if (between(j, b)) {
        j->state = j->state == IN_NUMBER ? AFTER : j->state;
        return true;
    }
    switch (j->state) {
    case VALUE: return begin_value(j, b);
    case FIRST: return b == ']' ? close_nesting(j, b) : begin_value(j, b);
    case MEMBER:
    case NAME:
        if (b == '}' && j->state == MEMBER)
            return close_nesting(j, b);
        j->state = IN_NAME;
        return b == '"';
    case COLON: j->state = VALUE; return b == ':';
    case IN_NAME:
    case IN_STRING: return in_string(j, b);
    case IN_WORD: return in_word(j, b);
    case IN_NUMBER: return in_number(j, b);
    default: return go_on(j, b);
    }
}

/* A text is an object or an array where there is room for one. */
static bool may_begin(uint8_t b, size_t left)
{
    return left ? b == '{' || b == '[' : b >= '0' && b <= '9';
}

bool wspi_json_step(wspi_json *j, uint8_t b, size_t left)
{
    wspi_json next = *j;

    if (j->state == VALUE && j->depth == 0 && !may_begin(b, left))
        return false;
    if (!step(&next, b) || needs(&next) > left)
        return false;
    *j = next;
    return true;
}

/* Room for so many bytes more than the end needs? */
static bool room(const wspi_json *j, size_t left, size_t more)
{
    return left >= needs(j) + more;
}

uint8_t wspi_json_fill(const wspi_json *j, size_t left, wspi_rng *r)
{
    uint8_t close = j->depth == 0 ? ' ' : in_object(j) ? '}' : ']';

    switch (j->state) {
    case VALUE:
        if (j->depth == 0)
            return left > 1 ? '{' : '0';
        return room(j, left, 1) ? '"' : '0';
    case FIRST: return room(j, left, 2) ? '"' : room(j, left, 1) ? '0' : close;
    case MEMBER: return room(j, left, 4) ? '"' : room(j, left, 1) ? ' ' : close;
    case NAME: return '"';
    case COLON: return ':';
    case IN_NAME:
        return room(j, left, 1) && wspi_rng_below(r, 6) ? (uint8_t)('a' + wspi_rng_below(r, 26))
                                                        : '"';
    case IN_STRING: return room(j, left, 1) ? (uint8_t)('a' + wspi_rng_below(r, 26)) : '"';
    case IN_WORD: return (uint8_t)words[j->word][j->at];
    default:
        if (j->depth == 0 || !room(j, left, 1))
            return close;
        return room(j, left, in_object(j) ? 5 : 2) ? ',' : ' ';
    }
}
