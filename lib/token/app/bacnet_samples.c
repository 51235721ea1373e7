/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bacnet_samples.c: values of BACnet's services for samples, ASHRAE 135 clauses 20.2 and 21: each behind a tag,
 * | number 4 | class 1 | length 3 | ..., of the application's types or a number that the service gives it; some between two tags.
 */
#include "token/app/bacnet_samples.h"

enum { OPEN = 6, CLOSE = 7, IN_CONTEXT = 8 }; /* of a tag */
enum { BOOLEAN = 1, UNSIGNED = 2, REAL = 4, STRING = 7, BITS = 8, ENUMERATED = 9, OBJECT_ID = 12 };
enum { DEVICE = 8, OBJECTS = 76, NAME = 77, PRESENT_VALUE = 85 };
enum { LONGEST = 200 }; /* bytes of a string */

/* Properties by the type of their values; of present values it is the object's, of lists of objects a number is that of all. */
static const struct {
    uint8_t property, type;
} properties[] = {{PRESENT_VALUE, REAL}, {NAME, STRING},    {OBJECTS, OBJECT_ID}, {28, STRING},
                  {70, STRING},          {121, STRING},     {120, UNSIGNED},      {44, STRING},
                  {12, STRING},          {58, STRING},      {75, OBJECT_ID},      {79, ENUMERATED},
                  {98, UNSIGNED},        {107, ENUMERATED}, {62, UNSIGNED},       {112, ENUMERATED},
                  {111, BITS},           {117, ENUMERATED}, {81, BOOLEAN},        {36, ENUMERATED},
                  {103, ENUMERATED},     {139, UNSIGNED},   {155, UNSIGNED}};

static size_t row_of(uint64_t property)
{
    size_t k = 0;

    while (k < WSPI_COUNT(properties) && properties[k].property != property)
        k++;
    return k;
}

bool wspi_bacnet_has(uint64_t property)
{
    return row_of(property) < WSPI_COUNT(properties);
}

/* ---- tags ---- */

static void tag(wspi_coder *c, unsigned number, unsigned rest)
{
    wspi_app_put(c, 1, number << 4 | rest);
}

/* A number of n bytes behind its tag. */
static void number(wspi_coder *c, unsigned number, unsigned class, size_t n, uint64_t v)
{
    tag(c, number, class | (unsigned)n);
    wspi_app_put(c, n, v);
}

static uint64_t below(wspi_coder *c, uint64_t n)
{
    return wspi_rng_below(&c->rng, n);
}

/* Of n characters, one byte a character (ANSI X3.4, UTF-8); a tag has lengths to 4, then a byte of them. */
static void string(wspi_coder *c, size_t n)
{
    tag(c, STRING, (unsigned)WSPI_MIN(n + 1, 5u));
    if (n + 1 > 4)
        wspi_app_put(c, 1, n + 1);
    wspi_app_put(c, 1, 0);
    for (; n; n--)
        wspi_app_put(c, 1, 'a' + below(c, 26));
}

/* Bytes of a string that takes n with all that is before it. */
static size_t string_len(size_t n)
{
    size_t len = n > 2 ? n - 2 : 0;

    if (len > 3)
        len--; /* the length's own byte */
    return WSPI_MIN(len, (size_t)LONGEST);
}

/* ---- values ---- */

/* Present values are numbers, states of two or of many. */
static unsigned type_of(uint64_t object, uint64_t property)
{
    if (property != PRESENT_VALUE || object <= 2)
        return properties[row_of(property)].type;
    return object <= 5 ? ENUMERATED : UNSIGNED;
}

/* About n bytes long. */
static void value(wspi_coder *c, unsigned type, size_t n)
{
    switch (type) {
    case STRING: string(c, string_len(n)); break;
    case UNSIGNED: number(c, UNSIGNED, 0, n > 2 ? 2 : 1, n > 2 ? 0x100 + below(c, 1024) : 1); break;
    case REAL: number(c, REAL, 0, 4, 0x41a00000 + below(c, 0x100000)); break;
    case BITS: number(c, BITS, 0, 2, 0x0400); break; /* four flags, none set */
    case BOOLEAN: tag(c, BOOLEAN, (unsigned)below(c, 2)); break;
    case ENUMERATED: number(c, ENUMERATED, 0, 1, below(c, 2)); break;
    case OBJECT_ID: number(c, OBJECT_ID, 0, 4, DEVICE << 22 | below(c, 1 << 20)); break;
    default: break;
    }
}

void wspi_bacnet_property(wspi_coder *c, uint64_t object, uint64_t property, bool answer)
{
    size_t left = wspi_app_left(c);
    unsigned type = type_of(object, property);

    if (!wspi_bacnet_has(property))
        return;
    if (property == OBJECTS) { /* the first one, or how many there are */
        bool count = answer ? left < 9 : below(c, 2);
        number(c, 2, IN_CONTEXT, 1, !count);
        type = count ? UNSIGNED : OBJECT_ID;
        left = 0;
    }
    if (!answer)
        return;
    tag(c, 3, IN_CONTEXT | OPEN);
    value(c, type, left > 2 ? left - 2 : 2);
    tag(c, 3, IN_CONTEXT | CLOSE);
}

/* A property and, in an answer, its value: n bytes. */
static void one_of(wspi_coder *c, bool answer, size_t n)
{
    static const uint8_t strings[] = {NAME, 28, 70, 121, 44, 12, 58};
    unsigned context = answer ? 2 : 0;

    number(c, context, IN_CONTEXT, 1, strings[below(c, sizeof strings)]);
    if (!answer)
        return;
    tag(c, 4, IN_CONTEXT | OPEN);
    value(c, STRING, n - 4);
    tag(c, 4, IN_CONTEXT | CLOSE);
}

void wspi_bacnet_properties(wspi_coder *c, bool answer)
{
    const size_t least = answer ? 8 : 2, most = answer ? 40 : 2;
    size_t left;

    number(c, 0, IN_CONTEXT, 4, DEVICE << 22 | below(c, 1 << 20));
    tag(c, 1, IN_CONTEXT | OPEN);
    left = WSPI_MIN(wspi_app_left(c), answer ? 1400u : 40u);
    left = left > least ? left - 1 : least;
    while (left >= least && !c->bad) {
        size_t n = left < most + least ? left : most;
        one_of(c, answer, n);
        left -= n;
    }
    tag(c, 1, IN_CONTEXT | CLOSE);
}

void wspi_bacnet_range(wspi_coder *c)
{
    size_t left = wspi_app_left(c), n = left / 2 > 1 ? WSPI_MIN(left / 2 - 1, 3u) : 0;
    uint64_t most = n ? (UINT64_C(1) << WSPI_MIN(8 * n, 22u)) - 1 : 0, from;

    if (n == 0)
        return;
    from = (most >> 1) + below(c, most >> 2);
    number(c, 0, IN_CONTEXT, n, from);
    number(c, 1, IN_CONTEXT, n, from + below(c, most >> 2));
}

void wspi_bacnet_i_am(wspi_coder *c)
{
    number(c, OBJECT_ID, 0, 4, DEVICE << 22 | below(c, 1 << 20));
    number(c, UNSIGNED, 0, 2, 1476);
    number(c, ENUMERATED, 0, 1, below(c, 4));
    number(c, UNSIGNED, 0, 2, 0x100 + below(c, 512));
}

void wspi_bacnet_error(wspi_coder *c)
{
    static const struct {
        uint8_t class, code;
    } errors[] = {{1, 31}, {2, 32}, {2, 42}}; /* unknown object, unknown property, not an array */
    size_t k = (size_t)below(c, WSPI_COUNT(errors));

    number(c, ENUMERATED, 0, 1, errors[k].class);
    number(c, ENUMERATED, 0, 1, errors[k].code);
}
