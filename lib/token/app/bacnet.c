/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bacnet.c: BACnet/IP over UDP, ASHRAE 135 annex J and clauses 6, 20 and 21:
 * | 0x81 8 | function 8 | length 16 | what the function has |       forwarded: | address 32 | port 16 | network layer |
 * network layer: | 1 8 | control 8 | destination: network 16, length 8, address | source: the same | hops 8 |
 * then a message of the network, | type 8 | ..., or an APDU: | type 4, flags 4 | ... | service 8 | tagged values |
 * Of the values, those of I-Am and of reading a property are fields; the others, numbers and addresses are opaque.
 */
#include "token/app/bacnet_samples.h"

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

enum {
    PORT = 47808,
    MAGIC = 0x81,
    HEADER = 4,
    FORWARDED = 4,
    LAST_FUNCTION = 0x0c,
    BROADCAST = 0xffff,
    LONGEST_APDU = 1476
};
enum { RESULT = 0x00, REGISTER = 0x05, DISTRIBUTE = 0x09, UNICAST = 0x0a };
enum { IS_MESSAGE = 0x80, HAS_DESTINATION = 0x20, HAS_SOURCE = 0x08, SEGMENTED = 0x08 };
enum { EXPECTS_REPLY = 0x04 };
enum { REQUEST, ANNOUNCE, SIMPLE_ACK, COMPLEX_ACK, SEGMENT_ACK, ERROR, REJECT, ABORT };
enum { I_AM = 0, WHO_IS = 8, READ_PROPERTY = 12, READ_PROPERTIES = 14 };
enum { OPAQUE, I_AM_VALUES, PROPERTY_VALUES };

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
/* Samples have the first three. */
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
/* The first byte: type and flags. */
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

static const wspi_field fields[] = {
    [FUNCTION] = {WSPI_ENUM("bacnet.function", 8, function)},
    [CONTROL] = {WSPI_ENUM("bacnet.control", 8, control)},
    [NETWORK] = {WSPI_FREE("bacnet.network", 16, WSPI_P_PREV, WSPI_R_NUMBER)},
    [ADDRESS_LENGTH] = {WSPI_MAG("bacnet.address_length", 8, WSPI_R_NONE, 1)},
    [HOPS] = {WSPI_MAG("bacnet.hops", 8, WSPI_R_NONE, 1)},
    [MESSAGE] = {WSPI_ENUM("bacnet.message", 8, message)},
    [APDU] = {WSPI_ENUM("bacnet.apdu", 8, apdu)},
    [SIZE] = {WSPI_ENUM("bacnet.size", 8, size)},
    [INVOKE] = {WSPI_FREE("bacnet.invoke", 8, WSPI_P_PREV, WSPI_R_RENEWED)},
    [WINDOW] = {WSPI_MAG("bacnet.window", 8, WSPI_R_NONE, 1)},
    [CONFIRMED] = {WSPI_ENUM("bacnet.confirmed", 8, confirmed)},
    [UNCONFIRMED] = {WSPI_ENUM("bacnet.unconfirmed", 8, unconfirmed)},
    [REASON] = {WSPI_MAG("bacnet.reason", 8, WSPI_R_NONE, 2)},
    [VALUES] = {WSPI_ENUM("bacnet.values", 8, values)},
    [OBJECT] = {WSPI_ENUM("bacnet.object", 10, object)},
    [INSTANCE] = {WSPI_FREE("bacnet.instance", 22, WSPI_P_PREV, WSPI_R_NUMBER)},
    [PROPERTY] = {WSPI_ENUM("bacnet.property", 8, property)},
    [NUMBER] = {WSPI_MAG("bacnet.number", 16, WSPI_R_NONE, 1)},
    [SEGMENTATION] = {WSPI_ENUM("bacnet.segmentation", 8, segmentation)},
};

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

/* ---- samples ---- */

/* Grammar: leaves those tokens of a list that `may` says of. */
static void only_if(wspi_coder *c, unsigned f, bool (*may)(const wspi_coder *c, uint64_t v))
{
    const wspi_value *list = fields[f].values;

    for (unsigned k = 0; wspi_asked(c) && list[k].name; k++)
        if (!may(c, list[k].value))
            wspi_app_take_back(c, f, k);
}

/* As wspi_app_field of a field that is always told. */
static uint64_t told(wspi_coder *c, unsigned f, size_t n,
                     bool (*may)(const wspi_coder *c, uint64_t v))
{
    uint64_t v = wspi_app_code(c, f, false, 0, wspi_app_get(c, n));

    only_if(c, f, may);
    wspi_app_put(c, n, v);
    return v;
}

/* Is what the other side has said last a request, of this service if it is not 0? */
static bool was_asked(const wspi_coder *c, uint64_t service)
{
    uint64_t is, of;

    return wspi_app_last(c, false, APDU, &is) && is >> 4 == REQUEST &&
           wspi_app_last(c, false, CONFIRMED, &of) && of && (!service || of == service);
}

static bool may_function(const wspi_coder *c, uint64_t v)
{
    uint64_t asked;

    if (c->dir == 0)
        return v == UNICAST || v == 0x0b || v == FORWARDED || v == REGISTER || v == DISTRIBUTE;
    return v == UNICAST || (v == RESULT && wspi_app_last(c, false, FUNCTION, &asked) &&
                            (asked == REGISTER || asked == DISTRIBUTE));
}

/* What is for all expects no reply; what is for all networks is an announcement, and so no answer. */
static bool may_control(const wspi_coder *c, uint64_t v)
{
    bool one = c->app.v[c->dir][FUNCTION] == UNICAST;

    return v == 0 || (v == EXPECTS_REPLY && one && c->dir == 0) ||
           (v == HAS_DESTINATION && !(c->dir && was_asked(c, 0)));
}

/* A request is answered, if it is one of reading, or turned down; a question is answered by an announcement. */
static bool may_apdu(const wspi_coder *c, uint64_t v)
{
    uint64_t with = c->app.v[c->dir][CONTROL];

    if (with & EXPECTS_REPLY)
        return v == 0x02 || v == 0x00;
    if (c->dir == 0 || !was_asked(c, 0))
        return v >> 4 == ANNOUNCE;
    return v == 0x30 || v == 0x50 || v == 0x60 || v == 0x71;
}

static bool may_confirmed(const wspi_coder *c, uint64_t v)
{
    return (v == READ_PROPERTY || v == READ_PROPERTIES) && (c->dir == 0 || was_asked(c, v));
}

static bool may_unconfirmed(const wspi_coder *c, uint64_t v)
{
    return v == I_AM || (v == WHO_IS && c->dir == 0);
}

/* An answer is of the object and the property that were asked for. */
static bool may_object(const wspi_coder *c, uint64_t v)
{
    uint64_t want;

    return !c->dir || !wspi_app_last(c, false, OBJECT, &want) || v == want;
}

static bool may_property(const wspi_coder *c, uint64_t v)
{
    uint64_t want;

    return wspi_bacnet_has(v) &&
           (!c->dir || !wspi_app_last(c, false, PROPERTY, &want) || v == want);
}

static bool is_device(const wspi_coder *c, uint64_t v)
{
    (void)c;
    return v == 8;
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

    is = wspi_app_code(c, OBJECT, false, 0, v >> 22);
    only_if(c, OBJECT, device ? is_device : may_object);
    known = wspi_app_last(c, true, INSTANCE, &want) && want;
    if (c->fill && !known && wspi_app_last(c, false, INSTANCE, &want) && want)
        c->app.v[c->dir][INSTANCE] = v = want; /* the one that was asked for */
    else
        v = wspi_app_code(c, INSTANCE, known, want, v & 0x3fffff);
    wspi_app_put(c, 4, is << 22 | v);
}

/* The device, its longest APDU, segmentation, vendor, each behind its tag. */
static const uint8_t i_am_tags[] = {0xc4, 0x22, 0x91, 0x21};

/* Samples: 512 bytes, and no more than a datagram of BACnet/IP has. */
static void longest_apdu(wspi_coder *c)
{
    uint64_t v = wspi_app_get(c, 2);

    wspi_app_only(c, 18, 3);
    v = wspi_app_code(c, NUMBER, false, 0, v);
    wspi_app_put(c, 2, c->fill ? WSPI_MIN(v, (uint64_t)LONGEST_APDU) : v);
}

static void i_am(wspi_coder *c)
{
    constant(c, i_am_tags[0]);
    object_id(c, true);
    constant(c, i_am_tags[1]);
    longest_apdu(c);
    constant(c, i_am_tags[2]);
    wspi_app_only(c, 0, 4);
    (void)wspi_app_field(c, SEGMENTATION, 1, false, 0);
    constant(c, i_am_tags[3]);
    wspi_app_only(c, 0, 16);
    (void)wspi_app_field(c, NUMBER, 1, false, 0);
}

static void read_property(wspi_coder *c)
{
    bool is_answer = c->app.v[c->dir][APDU] >> 4 == COMPLEX_ACK;
    uint64_t is;

    constant(c, 0x0c);
    object_id(c, false);
    constant(c, 0x19);
    is = told(c, PROPERTY, 1, may_property);
    if (c->fill && !wspi_app_stopped(c))
        wspi_bacnet_property(c, c->app.v[c->dir][OBJECT], is, is_answer);
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

/* Samples: values that no token tells, of a service. */
static void other_values(wspi_coder *c, uint64_t is)
{
    uint64_t first = c->app.v[c->dir][APDU];

    if (first >> 4 == ANNOUNCE && is == I_AM)
        wspi_bacnet_i_am(c);
    else if (first >> 4 == ANNOUNCE && is == WHO_IS)
        wspi_bacnet_range(c);
    else if (first >> 4 != ANNOUNCE && is == READ_PROPERTIES)
        wspi_bacnet_properties(c, first >> 4 == COMPLEX_ACK);
}

/* What a service has: `usual` is told only if it is something else. Samples: I-Am has other sizes of numbers, too. */
static void service_values(wspi_coder *c, uint64_t service, uint64_t usual)
{
    uint64_t is = c->enc && !wspi_app_stopped(c) ? values_ahead(c) : OPAQUE;

    wspi_app_only(c, OPAQUE, usual == I_AM_VALUES);
    is = wspi_app_code(c, VALUES, true, usual, is);
    if (wspi_app_stopped(c))
        return;
    if (is == I_AM_VALUES)
        i_am(c);
    else if (is == PROPERTY_VALUES)
        read_property(c);
    else if (c->fill)
        other_values(c, service);
}

/* ---- the application layer ---- */

/* A request counts on, an answer has its number. */
static void invoke(wspi_coder *c, bool answer)
{
    uint64_t want;
    bool known = wspi_app_last(c, !answer, INVOKE, &want) && (answer || want);

    wspi_app_only(c, 0, !answer);
    (void)wspi_app_field(c, INVOKE, 1, known, answer ? want : (want + 1) & 255);
}

static void segment(wspi_coder *c)
{
    wspi_app_opaque(c, 1);
    (void)wspi_app_field(c, WINDOW, 1, false, 0);
}

static void announce(wspi_coder *c)
{
    uint64_t is = told(c, UNCONFIRMED, 1, may_unconfirmed);

    service_values(c, is, is == I_AM ? I_AM_VALUES : OPAQUE);
}

static void request(wspi_coder *c, uint64_t first)
{
    uint64_t is;

    wspi_app_only(c, 0, 4);
    (void)wspi_app_field(c, SIZE, 1, false, 0);
    invoke(c, false);
    if (first & SEGMENTED)
        segment(c);
    is = told(c, CONFIRMED, 1, may_confirmed);
    service_values(c, is, is == READ_PROPERTY ? PROPERTY_VALUES : OPAQUE);
}

static void answer(wspi_coder *c, uint64_t first)
{
    uint64_t is;

    invoke(c, true);
    if (first >> 4 == COMPLEX_ACK && first & SEGMENTED)
        segment(c);
    is = told(c, CONFIRMED, 1, may_confirmed);
    if (first >> 4 == COMPLEX_ACK)
        service_values(c, is, is == READ_PROPERTY ? PROPERTY_VALUES : OPAQUE);
    else if (c->fill && first >> 4 == ERROR)
        wspi_bacnet_error(c);
}

static void application(wspi_coder *c)
{
    uint64_t first = told(c, APDU, 1, may_apdu);

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

/* A network and an address in it, whose length is always told; none for all networks. */
static void address(wspi_coder *c, bool destination)
{
    uint64_t want;
    bool known = wspi_app_last(c, true, NETWORK, &want) && want && !destination;

    (void)wspi_app_field(c, NETWORK, 2, destination || known, destination ? BROADCAST : want);
    wspi_app_only(c, 0, 1);
    wspi_app_opaque(c, (size_t)wspi_app_field(c, ADDRESS_LENGTH, 1, false, 0));
}

static void network(wspi_coder *c)
{
    uint64_t is;

    constant(c, 1);
    is = told(c, CONTROL, 1, may_control);
    if (is & HAS_DESTINATION)
        address(c, true);
    if (is & HAS_SOURCE)
        address(c, false);
    if (is & HAS_DESTINATION) {
        wspi_app_only(c, 1, 14); /* below 192: 255 is not told */
        (void)wspi_app_field(c, HOPS, 1, true, 255);
    }
    if (is & IS_MESSAGE)
        (void)wspi_app_field(c, MESSAGE, 1, false, 0);
    else
        application(c);
}

/* Where a forwarded message came from: address and port. */
static void origin(wspi_coder *c)
{
    if (!c->fill) {
        wspi_app_opaque(c, 6);
        return;
    }
    wspi_app_put(c, 1, 10);
    wspi_app_put(c, 3, wspi_rng_u64(&c->rng) & 0xfffffe);
    wspi_app_put(c, 2, PORT);
}

static void walk(wspi_coder *c)
{
    uint64_t is, len;

    constant(c, MAGIC);
    is = told(c, FUNCTION, 1, may_function);
    len = wspi_app_get(c, 2);
    wspi_app_require(c, !c->enc || len == c->pay.wire);
    wspi_app_put(c, 2, c->fill ? 0 : c->pay.wire);
    if (is == FORWARDED)
        origin(c);
    if (has_network(is))
        network(c);
    else if (c->fill) /* seconds that a registration holds, or: done */
        wspi_app_put(c, 2, is == REGISTER ? 60 + wspi_rng_below(&c->rng, 3600) : 0);
    if (wspi_app_stopped(c))
        return;
    if (c->fill) {
        c->pay.out->data[2] = (uint8_t)(c->pay.at >> 8);
        c->pay.out->data[3] = (uint8_t)c->pay.at;
    } else {
        wspi_app_opaque(c, wspi_app_left(c));
    }
}

/* Samples: what is announced may be followed by more. */
static bool answers(const wsp_context *ctx)
{
    const uint64_t *v = ctx->app.v[1];

    return v[FUNCTION] == RESULT || (v[FUNCTION] == UNICAST && v[APDU] >> 4 > ANNOUNCE);
}

const wspi_app wspi_app_bacnet = {
    .proto = {.name = "bacnet", .fields = fields, .n_fields = WSPI_COUNT(fields)},
    .over = WSPI_OVER_UDP,
    .looks = looks,
    .walk = walk,
    .ports = {PORT},
    .clients = {{PORT, PORT}},
    .ports_only = true,
    .once = true,
    .answers = answers,
};
