/* SPDX-License-Identifier: Apache-2.0 */
/*
 * snmp_fill.c: what is hidden in samples of SNMP: identifiers of engines, | enterprise 32 | form 8 | text | (RFC 3411 5), and more
 * bindings, | object | value |, whose lengths take one byte.
 */
#include "token/app/snmp_fill.h"

enum { SEQUENCE = 0x30, OBJECT = 6, OCTETS = 4, PIECE = 60, LEAST = 16 };

static void letters(wspi_coder *c, size_t n)
{
    for (; n && !c->bad; n--)
        wspi_app_put(c, 1, 'a' + wspi_rng_below(&c->rng, 26));
}

void wspi_snmp_engine(wspi_coder *c, size_t n)
{
    if (n < 6)
        return;
    wspi_app_put(c, 5, 0x80001f8804); /* Net-SNMP's, in letters */
    letters(c, n - 5);
}

/* A name in the MIB of interfaces, of n bytes. */
static void object(wspi_coder *c, size_t n)
{
    static const uint8_t begins[] = {0x2b, 6, 1, 2, 1, 2, 2, 1};

    wspi_app_put(c, 1, OBJECT);
    wspi_app_put(c, 1, n);
    for (size_t i = 0; i < n && !c->bad; i++)
        wspi_app_put(c, 1, i < sizeof begins ? begins[i] : 1 + wspi_rng_below(&c->rng, 100));
}

/* n bytes; what has no value has a longer name. */
static void binding(wspi_coder *c, size_t n, bool value)
{
    size_t name = value ? 10 : n - 6;

    wspi_app_put(c, 1, SEQUENCE);
    wspi_app_put(c, 1, n - 2);
    object(c, name);
    wspi_app_put(c, 1, value ? OCTETS : 5);
    wspi_app_put(c, 1, n - 6 - name);
    letters(c, n - 6 - name);
}

void wspi_snmp_bindings(wspi_coder *c, size_t n, bool values)
{
    const size_t most = values ? PIECE : LEAST;

    for (size_t k; n >= LEAST && !c->bad; n -= k) {
        k = n < most + LEAST ? n : most;
        binding(c, k, values);
    }
}
