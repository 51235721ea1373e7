/* SPDX-License-Identifier: Apache-2.0 */
/*
 * modbus.c: Modbus/TCP (Modbus Messaging on TCP/IP V1.0b 3.1.3, Modbus Application Protocol V1.1b3 6):
 * | transaction 16 | protocol 16 = 0 | length 16 | unit 8 | function 8 | data |, one or more in a segment.
 */
#include "token/app/app.h"

enum { TRANSACTION, UNIT, FUNCTION, ADDRESS, QUANTITY, BYTES, EXCEPTION };

static const wspi_value function[] = {{1, "read-coils"},
                                      {2, "read-inputs"},
                                      {3, "read-holding"},
                                      {4, "read-input-regs"},
                                      {5, "write-coil"},
                                      {6, "write-register"},
                                      {15, "write-coils"},
                                      {16, "write-registers"},
                                      {0x81, "err-coils"},
                                      {0x82, "err-inputs"},
                                      {0x83, "err-holding"},
                                      {0x84, "err-input-regs"},
                                      {0x85, "err-coil"},
                                      {0x86, "err-register"},
                                      {0x8f, "err-coils-w"},
                                      {0x90, "err-registers-w"},
                                      {0, NULL}};

static const wspi_field fields[] = {
    [TRANSACTION] = {WSPI_FREE("modbus.transaction", 16, WSPI_P_MIRROR, WSPI_R_NUMBER)},
    [UNIT] = {WSPI_FREE("modbus.unit", 8, WSPI_P_MIRROR, WSPI_R_NUMBER), .arg = UNIT},
    [FUNCTION] = {WSPI_ENUM("modbus.function", 8, function)},
    [ADDRESS] = {WSPI_MAG("modbus.address", 16, WSPI_R_NONE, 1), .pred = WSPI_P_PREV},
    [QUANTITY] = {WSPI_MAG("modbus.quantity", 16, WSPI_R_NONE, 2), .pred = WSPI_P_PREV},
    [BYTES] = {WSPI_MAG("modbus.bytes", 8, WSPI_R_NONE, 2), .pred = WSPI_P_PREV},
    [EXCEPTION] = {WSPI_MAG("modbus.exception", 8, WSPI_R_NONE, 2), .pred = WSPI_P_PREV, .arg = 2},
};

static bool looks(const uint8_t *b, size_t n)
{
    unsigned len = n >= 8 ? (unsigned)b[4] << 8 | b[5] : 0;

    return len >= 3 && len <= 254 && b[2] == 0 && b[3] == 0;
}

static uint64_t same_as(wspi_coder *c, unsigned f, size_t n, uint64_t or)
{
    uint64_t want;
    bool known = wspi_app_last(c, true, f, &want);

    return wspi_app_field(c, f, n, true, known ? want : or);
}

/* A count of bytes and the bytes: register and coil values. */
static void counted(wspi_coder *c)
{
    wspi_app_opaque(c, (size_t)same_as(c, BYTES, 1, 2));
}

static void data(wspi_coder *c, uint64_t fn, bool response)
{
    if (fn & 0x80) {
        (void)same_as(c, EXCEPTION, 1, 2);
    } else if (fn <= 4 && response) {
        counted(c);
    } else {
        (void)same_as(c, ADDRESS, 2, 0);
        (void)same_as(c, QUANTITY, 2, 1);
        if (fn >= 15 && !response)
            counted(c);
    }
}

/* ---- samples ---- */

enum { READS = 4, WRITE_COIL, WRITE_REGISTER, WRITE_COILS = 15, WRITE_REGISTERS, FAILED = 0x80 };
enum {
    ROWS = 8,
    COIL_ON = 0xff00,
    MOST_COILS = 1791,
    MOST_REGISTERS = 111,
    MOST_EXCEPTION = 4
}; /* whole bins */

static bool is_of_coils(uint64_t fn)
{
    return fn <= 2 || fn == WRITE_COILS;
}

/* The rows that may come: a client's any, a server's that of what was asked, granted or not. */
static uint64_t sampled_functions(const wspi_coder *c, bool response)
{
    uint64_t asked, all = (UINT64_C(1) << ROWS) - 1;

    if (!response)
        return all;
    (void)wspi_app_last(c, false, FUNCTION, &asked);
    for (unsigned k = 0; k < ROWS; k++)
        if (function[k].value == asked)
            return UINT64_C(1) << k | UINT64_C(1) << (k + ROWS);
    return 3; /* it was asked nothing */
}

static uint64_t predicted(const wspi_coder *c, unsigned f, uint64_t or)
{
    uint64_t want;

    return wspi_app_last(c, true, f, &want) ? want : or ;
}

/* A number that the walk knows. */
static void exactly(wspi_coder *c, unsigned f, size_t n, uint64_t or, uint64_t v)
{
    bool known = predicted(c, f, or) == v;

    wspi_app_only(c, wspi_bin(v, fields[f].mantissa), !known);
    (void)wspi_app_code(c, f, known, v, v);
    c->app.v[c->dir][f] = v;
    wspi_app_put(c, n, v);
}

/* A number from 1 to `most`, with which a bin ends, that is drawn if it is not as before. */
static uint64_t drawn(wspi_coder *c, unsigned f, size_t n, uint64_t or, uint64_t most)
{
    uint64_t want = predicted(c, f, or);
    unsigned m = fields[f].mantissa;
    bool fits = want >= 1 && want <= most;
    uint64_t v;

    wspi_app_only(c, 1, wspi_bin(most, m));
    v = wspi_app_code(c, f, fits, want, 0);
    if (fits)
        wspi_app_keep(c, f, ~(UINT64_C(1) << wspi_bin(want, m)));
    wspi_app_put(c, n, v);
    return v;
}

/* A coil is on or off. */
static void coil(wspi_coder *c)
{
    uint64_t want = predicted(c, QUANTITY, 1), v;
    unsigned on = wspi_bin(COIL_ON, fields[QUANTITY].mantissa);
    bool fits = want == 0 || want == COIL_ON;

    v = wspi_app_code(c, QUANTITY, fits, want, 0);
    wspi_app_keep(c, QUANTITY,
                  (fits && want == 0 ? 0 : 1) | (fits && want == COIL_ON ? 0 : UINT64_C(1) << on));
    c->app.v[c->dir][QUANTITY] = v = v ? COIL_ON : 0;
    wspi_app_put(c, 2, v);
}

/* One bit for a coil, two bytes for a register. */
static uint64_t bytes_of(uint64_t fn, uint64_t quantity)
{
    return is_of_coils(fn) ? (quantity + 7) / 8 : 2 * quantity;
}

static void sampled_values(wspi_coder *c, uint64_t fn, uint64_t quantity)
{
    uint64_t n = bytes_of(fn, quantity);

    exactly(c, BYTES, 1, 2, n);
    wspi_app_opaque(c, (size_t)n);
}

/* Any number: as before, or of another bin. */
static void any(wspi_coder *c, unsigned f, uint64_t or)
{
    uint64_t want = predicted(c, f, or);

    (void)wspi_app_field(c, f, 2, true, want);
    wspi_app_keep(c, f, ~(UINT64_C(1) << wspi_bin(want, fields[f].mantissa)));
}

static void sampled_request(wspi_coder *c, uint64_t fn)
{
    uint64_t n;

    any(c, ADDRESS, 0);
    if (fn == WRITE_COIL) {
        coil(c);
    } else if (fn == WRITE_REGISTER) {
        any(c, QUANTITY, 1);
    } else {
        n = drawn(c, QUANTITY, 2, 1, is_of_coils(fn) ? MOST_COILS : MOST_REGISTERS);
        if (fn >= WRITE_COILS)
            sampled_values(c, fn, n);
    }
}

static void sampled_response(wspi_coder *c, uint64_t fn)
{
    uint64_t address = 0, quantity = 0;

    if (!wspi_app_last(c, false, ADDRESS, &address) ||
        !wspi_app_last(c, false, QUANTITY, &quantity))
        quantity = 1;
    if (fn <= READS) /* more was asked for by none of samples */
        quantity = WSPI_MIN(quantity, (uint64_t)(is_of_coils(fn) ? MOST_COILS : MOST_REGISTERS));
    if (fn & FAILED) {
        (void)drawn(c, EXCEPTION, 1, 2, MOST_EXCEPTION);
    } else if (fn <= READS) {
        sampled_values(c, fn, quantity);
    } else {
        exactly(c, ADDRESS, 2, 0, address);
        exactly(c, QUANTITY, 2, 1, quantity);
    }
}

/* The server repeats transaction and unit; the client counts transactions up. */
static void message(wspi_coder *c, bool response)
{
    uint64_t want = 0, id = wspi_app_get(c, 2), protocol = wspi_app_get(c, 2), fn;
    bool known = wspi_app_last(c, !response, TRANSACTION, &want);
    wspi_app_span s;

    wspi_app_require(c, protocol == 0);
    id = wspi_app_code(c, TRANSACTION, known, response ? want : (want + 1) & 0xffff, id);
    wspi_app_put(c, 2, id);
    wspi_app_put(c, 2, 0);
    s = wspi_app_open(c, 2);
    known = wspi_app_last(c, !response, UNIT, &want);
    (void)wspi_app_field(c, UNIT, 1, known, want);
    fn = wspi_app_field(c, FUNCTION, 1, false, 0);
    wspi_app_keep(c, FUNCTION, c->fill ? sampled_functions(c, response) : 0);
    wspi_app_require(c, fn < 0x91);
    if (!c->fill)
        data(c, fn, response);
    else if (response)
        sampled_response(c, fn);
    else
        sampled_request(c, fn);
    wspi_app_close(c, s);
}

static void walk(wspi_coder *c)
{
    message(c, c->dir == 1);
}

const wspi_app wspi_app_modbus = {
    .proto = {.name = "modbus", .fields = fields, .n_fields = WSPI_COUNT(fields)},
    .over = WSPI_OVER_TCP,
    .looks = looks,
    .walk = walk,
    .ports = {502},
    .turns = WSPI_IN_TURN,
};
