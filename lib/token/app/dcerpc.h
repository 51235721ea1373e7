/* SPDX-License-Identifier: Apache-2.0 */
/*
 * dcerpc.h: what the two protocols of DCE/RPC share, that of connections (dcerpc.c) and that of datagrams (dcerpc_cl.c):
 * numbers in the byte order of the sender, interfaces and transfer syntaxes by their UUIDs, and the states of faults.
 */
#ifndef WSPI_DCERPC_H
#define WSPI_DCERPC_H

#include "token/app/app.h"

/* Types of PDUs (C706 12.1); both protocols count them in one space. */
enum wspi_dce_type {
    WSPI_DCE_REQUEST,
    WSPI_DCE_PING,
    WSPI_DCE_RESPONSE,
    WSPI_DCE_FAULT,
    WSPI_DCE_WORKING,
    WSPI_DCE_NOCALL,
    WSPI_DCE_REJECT,
    WSPI_DCE_ACK,
    WSPI_DCE_CL_CANCEL,
    WSPI_DCE_FACK,
    WSPI_DCE_CANCEL_ACK,
    WSPI_DCE_BIND,
    WSPI_DCE_BIND_ACK,
    WSPI_DCE_BIND_NAK,
    WSPI_DCE_ALTER,
    WSPI_DCE_ALTER_ACK,
    WSPI_DCE_AUTH3,
    WSPI_DCE_SHUTDOWN,
    WSPI_DCE_CO_CANCEL,
    WSPI_DCE_ORPHANED,
    WSPI_DCE_RTS
};

/*
 * Data representation (C706 14.1), in the fields' values with that of characters and of floating point: | integers 4 |
 * characters 4 | floating point 8 |.
 */
enum { WSPI_DCE_LITTLE = 0x1000, WSPI_DCE_UUID = 16 };
static inline bool wspi_dce_little(uint64_t representation)
{
    return representation & WSPI_DCE_LITTLE;
}
/* Of the three bytes at b: integers little- or big-endian, ASCII or EBCDIC, a floating point format that there is. */
static inline bool wspi_dce_represents(const uint8_t *b)
{
    return (b[0] & 0xee) == 0 && b[1] <= 3 && b[2] == 0;
}

/* An identifier: its first three parts have the sender's byte order, its last is bytes. `version` is what is usual with it. */
typedef struct wspi_dce_id {
    uint64_t high, low;
    uint32_t version;
} wspi_dce_id;

/* Rows of the two lists; a value is its row. The rows of `unlisted` identifiers have the bytes in the residuals. */
enum { WSPI_DCE_UNLISTED, WSPI_DCE_OXID, WSPI_DCE_MAPPER, WSPI_DCE_PROFINET };
enum {
    WSPI_DCE_NDR,
    WSPI_DCE_NDR64,
    WSPI_DCE_FEATURES,
    WSPI_DCE_NO_SYNTAX,
    WSPI_DCE_OTHER_SYNTAX = 5
};
extern const wspi_value wspi_dce_interface[], wspi_dce_syntax[], wspi_dce_status[];
extern const wspi_dce_id wspi_dce_interfaces[], wspi_dce_syntaxes[];

/* The next n bytes as a number in the byte order, when encoding; written, when decoding. */
uint64_t wspi_dce_get(wspi_coder *c, size_t n, bool little);
void wspi_dce_put(wspi_coder *c, size_t n, bool little, uint64_t v);
uint64_t wspi_dce_field(wspi_coder *c, unsigned f, size_t n, bool little, bool known,
                        uint64_t want);

/* A number of 16 bits as a field of `width` bits: the largest of the field stands for those that have no room there. */
void wspi_dce_operation(wspi_coder *c, unsigned f, unsigned width, bool little, bool known,
                        uint64_t want);

/* Encoding: the row of the identifier at b. */
unsigned wspi_dce_interface_at(const uint8_t *b, bool little);
unsigned wspi_dce_syntax_at(const uint8_t *b, bool little);
/* The 16 bytes of the identifier whose row has been coded. */
void wspi_dce_interface_bytes(wspi_coder *c, bool little, uint64_t row);
void wspi_dce_syntax_bytes(wspi_coder *c, bool little, uint64_t row);
/* What version an interface or a syntax has, as a rule. */
uint64_t wspi_dce_interface_version(uint64_t row);
uint64_t wspi_dce_syntax_version(uint64_t row);

/*
 * The stub of ept_map, or its answer, in NDR or NDR64 (`wide`): where SAMR is, over TCP. An answer has the port, or, if that is 0, says
 * that there is none. Returns its length. As long as WSPI_DCE_MAP_LONG are answers that have one.
 */
enum { WSPI_DCE_MAP_MOST = 160, WSPI_DCE_MAP_LONG = 100 };
size_t wspi_dce_map_stub(uint8_t b[WSPI_DCE_MAP_MOST], bool wide, bool answers, uint16_t port);

/* n bytes that are 0 in samples; in what is recorded nobody learns from them. */
void wspi_dce_quiet(wspi_coder *c, size_t n);

#endif
