/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bacnet.c: BACnet/IP over UDP, ASHRAE 135 annex J and clauses 6, 20 and 21:
 * | 0x81 8 | function 8 | length 16 | what the function has |       forwarded: | address 32 | port 16 | network layer |
 * network layer: | 1 8 | control 8 | destination: network 16, length 8, address | source: the same | hops 8 |
 * then a message of the network, | type 8 | ..., or an APDU: | type 4, flags 4 | ... | service 8 | tagged values |
 * Of the values, those of I-Am and of reading a property are fields; the others, numbers and addresses are opaque.
 */
#include "token/app/app.h"

enum {
    FUNCTION,
    CONTROL,
    NETWORK,
    ADDRESS_LENGTH,
    HOPS,
    MESSAGE,
    APDU,
    SIZE,
    INVOKE,
    WINDOW,
    CONFIRMED,
    UNCONFIRMED,
    REASON,
    VALUES,
    OBJECT,
    INSTANCE,
    PROPERTY,
    NUMBER,
    SEGMENTATION
};

enum { MAGIC = 0x81, HEADER = 4, FORWARDED = 4, LAST_FUNCTION = 0x0c, BROADCAST = 0xffff };
enum { IS_MESSAGE = 0x80, HAS_DESTINATION = 0x20, HAS_SOURCE = 0x08, SEGMENTED = 0x08 };
enum { REQUEST, ANNOUNCE, SIMPLE_ACK, COMPLEX_ACK, SEGMENT_ACK, ERROR, REJECT, ABORT };
enum { I_AM = 0, READ_PROPERTY = 12, WHO_IS = 8 };
enum { OPAQUE, I_AM_VALUES, PROPERTY_VALUES };

/* Samples have the first two. */
static const wspi_value function[] = {{0x0a, "unicast"},
                                      {0x0b, "broadcast"},
                                      {FORWARDED, "forwarded"},
                                      {0x00, "result"},
                                      {0x01, "write-distribution"},
                                      {0x02, "read-distribution"},
                                      {0x03, "read-distribution-ack"},
                                      {0x05, "register"},
                                      {0x06, "read-foreign"},
                                      {0x07, "read-foreign-ack"},
                                      {0x08, "delete-foreign"},
                                      {0x09, "distribute"},
                                      {LAST_FUNCTION, "secure"},
                                      {0, NULL}};
/* Samples have the first one. */
static const wspi_value control[] = {
    {0x00, "local"},   {0x04, "local+reply"}, {0x20, "to"},           {0x24, "to+reply"},
    {0x08, "from"},    {0x0c, "from+reply"},  {0x28, "to+from"},      {0x2c, "to+from+reply"},
    {0x80, "message"}, {0xa0, "message-to"},  {0x88, "message-from"}, {0x01, "urgent"},
    {0, NULL}};
static const wspi_value message[] = {{0, "who-is-router"},
                                     {1, "i-am-router"},
                                     {2, "i-could-be"},
                                     {3, "reject"},
                                     {4, "busy"},
                                     {5, "available"},
                                     {6, "initialize"},
                                     {7, "initialize-ack"},
                                     {8, "establish"},
                                     {9, "disconnect"},
                                     {0x12, "what-is-number"},
                                     {0x13, "number-is"},
                                     {0, NULL}};
/* The first byte: type and flags. Samples of clients have the first two, of servers the next one. */
enum { BY_CLIENT = 2, BY_SERVER = 1 };
static const wspi_value apdu[] = {{0x02, "request"},
                                  {0x10, "announce"},
                                  {0x60, "reject"},
                                  {0x30, "complex-ack"},
                                  {0x20, "simple-ack"},
                                  {0x00, "request-single"},
                                  {0x0e, "request-segmented-more"},
                                  {0x0a, "request-segmented"},
                                  {0x3c, "complex-ack-more"},
                                  {0x38, "complex-ack-last"},
                                  {0x40, "segment-ack"},
                                  {0x41, "segment-ack-server"},
                                  {0x50, "error"},
                                  {0x70, "abort"},
                                  {0x71, "abort-server"},
                                  {0, NULL}};
static const wspi_value size[] = {{0x05, "1476"},     {0x75, "1476-many"}, {0x04, "1024"},
                                  {0x03, "480"},      {0x01, "128"},       {0x00, "50"},
                                  {0x45, "1476-16"},  {0x55, "1476-32"},   {0x65, "1476-64"},
                                  {0x73, "480-many"}, {0x74, "1024-many"}, {0, NULL}};
static const wspi_value confirmed[] = {{READ_PROPERTY, "read-property"},
                                       {14, "read-properties"},
                                       {15, "write-property"},
                                       {16, "write-properties"},
                                       {26, "read-range"},
                                       {5, "subscribe"},
                                       {1, "cov"},
                                       {2, "event"},
                                       {0, "acknowledge-alarm"},
                                       {3, "alarm-summary"},
                                       {4, "enrollment-summary"},
                                       {29, "event-information"},
                                       {6, "read-file"},
                                       {7, "write-file"},
                                       {8, "add-element"},
                                       {9, "remove-element"},
                                       {10, "create-object"},
                                       {11, "delete-object"},
                                       {17, "communication-control"},
                                       {18, "private-transfer"},
                                       {19, "text-message"},
                                       {20, "reinitialize"},
                                       {21, "vt-open"},
                                       {27, "life-safety"},
                                       {28, "subscribe-property"},
                                       {0, NULL}};
static const wspi_value unconfirmed[] = {
    {WHO_IS, "who-is"}, {I_AM, "i-am"},          {1, "i-have"},       {2, "cov"},
    {3, "event"},       {4, "private-transfer"}, {5, "text-message"}, {6, "time"},
    {7, "who-has"},     {9, "utc-time"},         {10, "write-group"}, {0, NULL}};
static const wspi_value values[] = {
    {OPAQUE, "opaque"}, {I_AM_VALUES, "i-am"}, {PROPERTY_VALUES, "property"}, {0, NULL}};
static const wspi_value object[] = {
    {8, "device"},          {0, "analog-input"},  {1, "analog-output"},
    {2, "analog-value"},    {3, "binary-input"},  {4, "binary-output"},
    {5, "binary-value"},    {13, "multi-input"},  {14, "multi-output"},
    {19, "multi-value"},    {6, "calendar"},      {7, "command"},
    {9, "event-enrolment"}, {10, "file"},         {11, "group"},
    {12, "loop"},           {15, "notification"}, {16, "program"},
    {17, "schedule"},       {20, "trend-log"},    {0, NULL}};
static const wspi_value property[] = {{85, "present-value"},
                                      {77, "name"},
                                      {76, "objects"},
                                      {28, "description"},
                                      {70, "model"},
                                      {121, "vendor"},
                                      {120, "vendor-id"},
                                      {44, "firmware"},
                                      {12, "application"},
                                      {58, "location"},
                                      {75, "identifier"},
                                      {79, "type"},
                                      {97, "services"},
                                      {96, "object-types"},
                                      {98, "version"},
                                      {107, "segmentation"},
                                      {62, "apdu-length"},
                                      {112, "status"},
                                      {111, "flags"},
                                      {117, "units"},
                                      {81, "out-of-service"},
                                      {87, "priority"},
                                      {36, "event-state"},
                                      {103, "reliability"},
                                      {139, "revision"},
                                      {155, "database"},
                                      {8, "all"},
                                      {123, "weekly"},
                                      {38, "exceptions"},
                                      {131, "log-buffer"},
                                      {0, NULL}};
static const wspi_value segmentation[] = {
    {3, "none"}, {0, "both"}, {1, "transmit"}, {2, "receive"}, {0, NULL}};

#define ENUM(name, width, list)                                            \
    {                                                                      \
        name, 0, width, WSPI_K_ENUM, WSPI_P_CONST, WSPI_R_NONE, 0, list, 0 \
    }
#define MAG(name, width, mantissa)                                               \
    {                                                                            \
        name, 0, width, WSPI_K_MAG, WSPI_P_CONST, WSPI_R_NONE, 0, NULL, mantissa \
    }
#define FREE(name, width)                                                   \
    {                                                                       \
        name, 0, width, WSPI_K_FREE, WSPI_P_PREV, WSPI_R_NUMBER, 0, NULL, 0 \
    }
static const wspi_field fields[] = {
    [FUNCTION] = ENUM("bacnet.function", 8, function),
    [CONTROL] = ENUM("bacnet.control", 8, control),
    [NETWORK] = FREE("bacnet.network", 16),
    [ADDRESS_LENGTH] = MAG("bacnet.address_length", 8, 1),
    [HOPS] = MAG("bacnet.hops", 8, 1),
    [MESSAGE] = ENUM("bacnet.message", 8, message),
    [APDU] = ENUM("bacnet.apdu", 8, apdu),
    [SIZE] = ENUM("bacnet.size", 8, size),
    [INVOKE] = FREE("bacnet.invoke", 8),
    [WINDOW] = MAG("bacnet.window", 8, 1),
    [CONFIRMED] = ENUM("bacnet.confirmed", 8, confirmed),
    [UNCONFIRMED] = ENUM("bacnet.unconfirmed", 8, unconfirmed),
    [REASON] = MAG("bacnet.reason", 8, 2),
    [VALUES] = ENUM("bacnet.values", 8, values),
    [OBJECT] = ENUM("bacnet.object", 10, object),
    [INSTANCE] = FREE("bacnet.instance", 22),
    [PROPERTY] = ENUM("bacnet.property", 8, property),
    [NUMBER] = MAG("bacnet.number", 16, 1),
    [SEGMENTATION] = ENUM("bacnet.segmentation", 8, segmentation),
};

static bool stopped(const wspi_coder *c)
{
    return c->bad || c->need || c->pay.fail;
}

/* ---- what it looks like ---- */

static bool has_network(uint64_t f)
{
    return f == 0x0a || f == 0x0b || f == 0x09 || f == FORWARDED;
}

/* The length is the datagram's, or more where the capture cuts it; the network layer is of version 1. */
static bool looks(const uint8_t *b, size_t n)
{
    size_t len = n >= HEADER ? (size_t)b[2] << 8 | b[3] : 0, at;

    if (len < HEADER || len < n || b[0] != MAGIC || b[1] > LAST_FUNCTION)
        return false;
    at = b[1] == FORWARDED ? HEADER + 6 : HEADER;
    return !has_network(b[1]) || (len > at + 2 && (n <= at || b[at] == 1));
}

/* ---- values ---- */

/* A byte that is what it has to be. */
static void constant(wspi_coder *c, uint64_t want)
{
    uint64_t v = wspi_app_get(c, 1);

    wspi_app_require(c, !c->enc || v == want);
    wspi_app_put(c, 1, want);
}

/* An identifier of an object: what it is, and its number. */
static void object_id(wspi_coder *c, bool device)
{
    uint64_t v = wspi_app_get(c, 4), is, want;
    bool known;

    wspi_app_only(c, 0, device ? 1 : 10);
    is = wspi_app_code(c, OBJECT, false, 0, v >> 22);
    known = wspi_app_last(c, true, INSTANCE, &want) && want;
    v = wspi_app_code(c, INSTANCE, known, want, v & 0x3fffff);
    wspi_app_put(c, 4, is << 22 | v);
}

/* The device, its longest APDU, segmentation, vendor, each behind its tag. */
static const uint8_t i_am_tags[] = {0xc4, 0x22, 0x91, 0x21};

static void i_am(wspi_coder *c)
{
    constant(c, i_am_tags[0]);
    object_id(c, true);
    constant(c, i_am_tags[1]);
    wspi_app_only(c, 18, 2); /* 512 to 1023 bytes */
    (void)wspi_app_field(c, NUMBER, 2, false, 0);
    constant(c, i_am_tags[2]);
    wspi_app_only(c, 0, 4);
    (void)wspi_app_field(c, SEGMENTATION, 1, false, 0);
    constant(c, i_am_tags[3]);
    wspi_app_only(c, 0, 16);
    (void)wspi_app_field(c, NUMBER, 1, false, 0);
}

static void read_property(wspi_coder *c)
{
    constant(c, 0x0c);
    object_id(c, false);
    constant(c, 0x19);
    wspi_app_only(c, 0, 4);
    (void)wspi_app_field(c, PROPERTY, 1, false, 0);
}

/* Encoding: which of the two the values ahead are. */
static uint64_t values_ahead(const wspi_coder *c)
{
    const uint8_t *b = c->pay.in + c->pay.at;
    size_t n = wspi_app_captured(c);

    if (n >= 12 && b[0] == i_am_tags[0] && b[5] == i_am_tags[1] && b[8] == i_am_tags[2] &&
        b[10] == i_am_tags[3])
        return I_AM_VALUES;
    return n >= 7 && b[0] == 0x0c && b[5] == 0x19 ? PROPERTY_VALUES : OPAQUE;
}

/* What a service has: `usual` is told only if it is something else. */
static void service_values(wspi_coder *c, uint64_t usual)
{
    uint64_t is = c->enc && !stopped(c) ? values_ahead(c) : OPAQUE;

    wspi_app_only(c, 0, 0);
    is = wspi_app_code(c, VALUES, true, usual, is);
    if (is == I_AM_VALUES)
        i_am(c);
    else if (is == PROPERTY_VALUES)
        read_property(c);
}

/* ---- the application layer ---- */

/* A request counts on, an answer has its number. */
static void invoke(wspi_coder *c, bool answer)
{
    uint64_t want;
    bool known = wspi_app_last(c, !answer, INVOKE, &want) && (answer || want);

    (void)wspi_app_field(c, INVOKE, 1, known, answer ? want : (want + 1) & 255);
}

static void segment(wspi_coder *c)
{
    wspi_app_opaque(c, 1);
    (void)wspi_app_field(c, WINDOW, 1, false, 0);
}

static uint64_t service(wspi_coder *c)
{
    wspi_app_only(c, 0, 1);
    return wspi_app_field(c, CONFIRMED, 1, false, 0);
}

static void announce(wspi_coder *c)
{
    uint64_t is;

    wspi_app_only(c, c->dir ? 1 : 0, 1);
    is = wspi_app_field(c, UNCONFIRMED, 1, false, 0);
    service_values(c, is == I_AM ? I_AM_VALUES : OPAQUE);
}

static void request(wspi_coder *c, uint64_t first)
{
    uint64_t is;

    wspi_app_only(c, 0, 4);
    (void)wspi_app_field(c, SIZE, 1, false, 0);
    invoke(c, false);
    if (first & SEGMENTED)
        segment(c);
    is = service(c);
    service_values(c, is == READ_PROPERTY ? PROPERTY_VALUES : OPAQUE);
}

static void answer(wspi_coder *c, uint64_t first)
{
    uint64_t is;

    invoke(c, true);
    if (first >> 4 == COMPLEX_ACK && first & SEGMENTED)
        segment(c);
    is = service(c);
    if (first >> 4 == COMPLEX_ACK)
        service_values(c, is == READ_PROPERTY ? PROPERTY_VALUES : OPAQUE);
}

/* Samples: a question gets its announcement, a request is turned down. */
static void only_sampled(wspi_coder *c)
{
    uint64_t last;

    if (c->dir == 0)
        wspi_app_only(c, 0, BY_CLIENT);
    else if (wspi_app_last(c, false, APDU, &last) && last == apdu[0].value)
        wspi_app_only(c, BY_CLIENT, BY_SERVER);
    else
        wspi_app_only(c, 1, 1);
}

static void application(wspi_coder *c)
{
    uint64_t first;

    only_sampled(c);
    first = wspi_app_field(c, APDU, 1, false, 0);
    switch (first >> 4) {
    case REQUEST: request(c, first); break;
    case ANNOUNCE: announce(c); break;
    case SIMPLE_ACK:
    case COMPLEX_ACK:
    case ERROR: answer(c, first); break;
    case SEGMENT_ACK:
        invoke(c, true);
        segment(c);
        break;
    case REJECT:
    case ABORT:
        invoke(c, true);
        wspi_app_only(c, 0, 9);
        (void)wspi_app_field(c, REASON, 1, false, 0);
        break;
    default: break;
    }
}

/* ---- network and link ---- */

/* A network and an address in it, whose length is always told. */
static void address(wspi_coder *c, bool destination)
{
    uint64_t want;
    bool known = wspi_app_last(c, true, NETWORK, &want) && want && !destination;

    (void)wspi_app_field(c, NETWORK, 2, destination || known, destination ? BROADCAST : want);
    wspi_app_opaque(c, (size_t)wspi_app_field(c, ADDRESS_LENGTH, 1, false, 0));
}

static void network(wspi_coder *c)
{
    uint64_t is;

    constant(c, 1);
    wspi_app_only(c, 0, 1);
    is = wspi_app_field(c, CONTROL, 1, false, 0);
    if (is & HAS_DESTINATION)
        address(c, true);
    if (is & HAS_SOURCE)
        address(c, false);
    if (is & HAS_DESTINATION)
        (void)wspi_app_field(c, HOPS, 1, true, 255);
    if (is & IS_MESSAGE)
        (void)wspi_app_field(c, MESSAGE, 1, false, 0);
    else
        application(c);
}

static void walk(wspi_coder *c)
{
    uint64_t is, len;

    constant(c, MAGIC);
    wspi_app_only(c, 0, c->dir ? 1 : 2);
    is = wspi_app_field(c, FUNCTION, 1, false, 0);
    len = wspi_app_get(c, 2);
    wspi_app_require(c, !c->enc || len == c->pay.wire);
    wspi_app_put(c, 2, c->fill ? 0 : c->pay.wire);
    if (is == FORWARDED)
        wspi_app_opaque(c, 6);
    if (has_network(is))
        network(c);
    if (stopped(c))
        return;
    if (c->fill) {
        c->pay.out->data[2] = (uint8_t)(c->pay.at >> 8);
        c->pay.out->data[3] = (uint8_t)c->pay.at;
    } else {
        wspi_app_opaque(c, wspi_app_left(c));
    }
}

const wspi_app wspi_app_bacnet = {
    .proto = {.name = "bacnet", .fields = fields, .n_fields = WSPI_COUNT(fields)},
    .over = WSPI_OVER_UDP,
    .looks = looks,
    .walk = walk,
    .ports = {47808},
    .clients = {{47808, 47808}},
    .ports_only = true,
};
