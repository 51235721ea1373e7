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
    [TRANSACTION] = {"modbus.transaction", 0, 16, WSPI_K_FREE, WSPI_P_MIRROR, WSPI_R_NUMBER, 0,
                     NULL, 0},
    [UNIT] = {"modbus.unit", 0, 8, WSPI_K_FREE, WSPI_P_MIRROR, WSPI_R_NUMBER, UNIT, NULL, 0},
    [FUNCTION] = {"modbus.function", 0, 8, WSPI_K_ENUM, WSPI_P_CONST, WSPI_R_NONE, 0, function, 0},
    [ADDRESS] = {"modbus.address", 0, 16, WSPI_K_MAG, WSPI_P_PREV, WSPI_R_NONE, 0, NULL, 1},
    [QUANTITY] = {"modbus.quantity", 0, 16, WSPI_K_MAG, WSPI_P_PREV, WSPI_R_NONE, 0, NULL, 2},
    [BYTES] = {"modbus.bytes", 0, 8, WSPI_K_MAG, WSPI_P_PREV, WSPI_R_NONE, 0, NULL, 2},
    [EXCEPTION] = {"modbus.exception", 0, 8, WSPI_K_MAG, WSPI_P_PREV, WSPI_R_NONE, 2, NULL, 2},
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
    wspi_app_only(c, 0, 2); /* any bytes are valid coils */
    fn = wspi_app_field(c, FUNCTION, 1, false, 0);
    wspi_app_require(c, fn < 0x91);
    data(c, fn, response);
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
