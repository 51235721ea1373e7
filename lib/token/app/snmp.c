/* SPDX-License-Identifier: Apache-2.0 */
/*
 * snmp.c: SNMP versions 1, 2c and 3 (RFC 1157, 3416, 3412, 3414):
 *   SEQUENCE { version, community, PDU } or SEQUENCE { version = 3, header, security parameters, scoped PDU };
 *   PDU { request id, error status, error index, SEQUENCE OF { name, value } }.
 */
#include "token/app/snmp_samples.h"

#define ELEMENTS(X)                       \
    X(E_REST, "rest")                     \
    X(E_MESSAGE, "message")               \
    X(E_VERSION, "version")               \
    X(E_COMMUNITY, "community")           \
    X(E_PDU, "pdu")                       \
    X(E_REQUEST, "request")               \
    X(E_STATUS, "status")                 \
    X(E_INDEX, "index")                   \
    X(E_BINDINGS, "bindings")             \
    X(E_BINDINGS_END, "bindings-end")     \
    X(E_PDU_END, "pdu-end")               \
    X(E_BINDING, "binding")               \
    X(E_NAME, "name")                     \
    X(E_VALUE, "value")                   \
    X(E_BINDING_END, "binding-end")       \
    X(E_ENTERPRISE, "enterprise")         \
    X(E_AGENT, "agent")                   \
    X(E_GENERIC, "generic")               \
    X(E_SPECIFIC, "specific")             \
    X(E_UPTIME, "uptime")                 \
    X(E_HEADER, "header")                 \
    X(E_ID, "id")                         \
    X(E_MAX_SIZE, "max-size")             \
    X(E_FLAGS, "flags")                   \
    X(E_MODEL, "model")                   \
    X(E_HEADER_END, "header-end")         \
    X(E_SECURITY, "security")             \
    X(E_PARAMETERS, "parameters")         \
    X(E_PARAMETERS_END, "parameters-end") \
    X(E_ENGINE, "engine")                 \
    X(E_BOOTS, "boots")                   \
    X(E_TIME, "time")                     \
    X(E_USER, "user")                     \
    X(E_AUTHENTICATION, "authentication") \
    X(E_PRIVACY, "privacy")               \
    X(E_USM_END, "usm-end")               \
    X(E_SCOPED, "scoped")                 \
    X(E_CONTEXT_ENGINE, "context-engine") \
    X(E_CONTEXT, "context")               \
    X(E_SCOPED_PDU, "scoped-pdu")         \
    X(E_SCOPED_END, "scoped-end")         \
    X(E_MESSAGE_END, "message-end")
enum { ELEMENTS(WSPI_BER_NUMBER) };

static const wspi_value form[] = {WSPI_BER_FORMS, {0, NULL}};
static const wspi_value elements[] = {ELEMENTS(WSPI_BER_VALUE){0, NULL}};
enum { V3 = 3, TRAP_V1 = 0xa4, BULK = 0xa5, REPORT = 0xa8 };
static const wspi_value version[] = {{0, "1"}, {1, "2c"}, {V3, "3"}, {0, NULL}};
/* What the client sends, what the server sends, what goes where traps go. */
static const wspi_value pdu[] = {{0xa0, "get"},    {0xa1, "get-next"}, {0xa5, "get-bulk"},
                                 {0xa3, "set"},    {0xa2, "response"}, {TRAP_V1, "trap-v1"},
                                 {0xa6, "inform"}, {0xa7, "trap"},     {0xa8, "report"},
                                 {0, NULL}};
static const wspi_value status[] = {
    {0, "no-error"},       {1, "too-big"},        {2, "no-such-name"},       {3, "bad-value"},
    {4, "read-only"},      {5, "gen-err"},        {6, "no-access"},          {7, "wrong-type"},
    {8, "wrong-length"},   {9, "wrong-encoding"}, {10, "wrong-value"},       {11, "no-creation"},
    {12, "inconsistent"},  {13, "no-resource"},   {14, "commit-failed"},     {15, "undo-failed"},
    {16, "authorization"}, {17, "not-writable"},  {18, "inconsistent-name"}, {0, NULL}};
static const wspi_value type[] = {{0x05, "null"},        {0x02, "integer"},
                                  {0x04, "octets"},      {0x06, "oid"},
                                  {0x40, "address"},     {0x41, "counter"},
                                  {0x42, "gauge"},       {0x43, "ticks"},
                                  {0x46, "counter64"},   {0x80, "no-object"},
                                  {0x81, "no-instance"}, {0x82, "end-of-view"},
                                  {0x44, "opaque"},      {0, NULL}};
static const wspi_value generic[] = {
    {0, "cold-start"},   {1, "warm-start"}, {2, "link-down"},  {3, "link-up"},
    {4, "auth-failure"}, {5, "egp-loss"},   {6, "enterprise"}, {0, NULL}};
static const wspi_value security[] = {{0, "none"},   {1, "auth"},        {3, "auth-priv"},
                                      {4, "report"}, {5, "auth-report"}, {7, "auth-priv-report"},
                                      {0, NULL}};
static const wspi_value scoped[] = {{0x30, "plain"}, {0x04, "encrypted"}, {0, NULL}};

/* Object identifiers: name, octets, how many. What is counted or configured; tables by their entries. */
#define MIB2    "\x2b\x06\x01\x02\x01"
#define PRIVATE "\x2b\x06\x01\x04\x01"
#define OBJECTS(X)                                            \
    X(sysDescr, MIB2 "\x01\x01", 7)                           \
    X(sysObjectID, MIB2 "\x01\x02", 7)                        \
    X(sysUpTime, MIB2 "\x01\x03", 7)                          \
    X(sysContact, MIB2 "\x01\x04", 7)                         \
    X(sysName, MIB2 "\x01\x05", 7)                            \
    X(sysLocation, MIB2 "\x01\x06", 7)                        \
    X(sysServices, MIB2 "\x01\x07", 7)                        \
    X(sysOREntry, MIB2 "\x01\x09\x01", 8)                     \
    X(ifNumber, MIB2 "\x02\x01", 7)                           \
    X(ifIndex, MIB2 "\x02\x02\x01\x01", 9)                    \
    X(ifDescr, MIB2 "\x02\x02\x01\x02", 9)                    \
    X(ifType, MIB2 "\x02\x02\x01\x03", 9)                     \
    X(ifSpeed, MIB2 "\x02\x02\x01\x05", 9)                    \
    X(ifPhysAddress, MIB2 "\x02\x02\x01\x06", 9)              \
    X(ifAdminStatus, MIB2 "\x02\x02\x01\x07", 9)              \
    X(ifOperStatus, MIB2 "\x02\x02\x01\x08", 9)               \
    X(ifInOctets, MIB2 "\x02\x02\x01\x0a", 9)                 \
    X(ifOutOctets, MIB2 "\x02\x02\x01\x10", 9)                \
    X(ifEntry, MIB2 "\x02\x02\x01", 8)                        \
    X(ifXEntry, MIB2 "\x1f\x01\x01\x01", 9)                   \
    X(ipAdEntAddr, MIB2 "\x04\x14\x01\x01", 9)                \
    X(ipRouteEntry, MIB2 "\x04\x15\x01", 8)                   \
    X(ipNetToMedia, MIB2 "\x04\x16\x01", 8)                   \
    X(ip, MIB2 "\x04", 6)                                     \
    X(icmp, MIB2 "\x05", 6)                                   \
    X(tcp, MIB2 "\x06", 6)                                    \
    X(udp, MIB2 "\x07", 6)                                    \
    X(snmp, MIB2 "\x0b", 6)                                   \
    X(bridge, MIB2 "\x11", 6)                                 \
    X(hrSystem, MIB2 "\x19\x01", 7)                           \
    X(hrStorage, MIB2 "\x19\x02", 7)                          \
    X(hrDeviceStatus, MIB2 "\x19\x03\x02\x01\x05", 10)        \
    X(hrDevice, MIB2 "\x19\x03", 7)                           \
    X(hrPrinterStatus, MIB2 "\x19\x03\x05\x01\x01", 10)       \
    X(hrPrinterError, MIB2 "\x19\x03\x05\x01\x02", 10)        \
    X(hrSWRun, MIB2 "\x19\x04", 7)                            \
    X(hostResources, MIB2 "\x19", 6)                          \
    X(printer, MIB2 "\x2b", 6)                                \
    X(entity, MIB2 "\x2f", 6)                                 \
    X(mib2, MIB2, 5)                                          \
    X(cisco, PRIVATE "\x09", 6)                               \
    X(hp, PRIVATE "\x0b", 6)                                  \
    X(ucdavis, PRIVATE "\x8f\x65", 7)                         \
    X(netsnmp, PRIVATE "\xbf\x08", 7)                         \
    X(lanmanager, PRIVATE "\x4d", 6)                          \
    X(microsoft, PRIVATE "\x82\x37", 7)                       \
    X(enterprises, PRIVATE, 5)                                \
    X(usmStats, "\x2b\x06\x01\x06\x03\x0f\x01\x01", 8)        \
    X(snmpTrapOID, "\x2b\x06\x01\x06\x03\x01\x01\x04\x01", 9) \
    X(snmpModules, "\x2b\x06\x01\x06\x03", 5)                 \
    X(internet, "\x2b\x06\x01", 3)                            \
    X(iso, "\x2b", 1)

#define AS_NUMBER(name, bytes, len) O_##name,
#define AS_OID(name, bytes, len)    {bytes, len},
#define AS_VALUE(name, bytes, len)  {O_##name, #name},
enum { OBJECTS(AS_NUMBER) };
const wspi_oid wspi_snmp_oids[] = {OBJECTS(AS_OID)};
const unsigned wspi_snmp_n_oids = WSPI_COUNT(wspi_snmp_oids);
static const wspi_value object[] = {OBJECTS(AS_VALUE){0, NULL}};

static const wspi_field fields[] = {
    [FORM] = {WSPI_ENUM("snmp.form", 8, form), .pred = WSPI_P_PREV},
    [ELEMENT] = {WSPI_ENUM("snmp.element", 8, elements)},
    [LENGTH] = {WSPI_MAG("snmp.length", 32, WSPI_R_NONE, 1)},
    [SNMP_VERSION] = {WSPI_ENUM("snmp.version", 32, version), .pred = WSPI_P_PREV},
    [COMMUNITY] = {WSPI_MAG("snmp.community", 16, WSPI_R_NAME, 1), .pred = WSPI_P_PREV},
    [PDU] = {WSPI_ENUM("snmp.pdu", 8, pdu)},
    [REQUEST] = {WSPI_FREE("snmp.request", 64, WSPI_P_MIRROR, WSPI_R_RENEWED)},
    [STATUS] = {WSPI_ENUM("snmp.status", 32, status)},
    [INDEX] = {WSPI_MAG("snmp.index", 32, WSPI_R_NONE, 0)},
    [OBJECT] = {WSPI_ENUM("snmp.object", 8, object)},
    [SUFFIX] = {WSPI_MAG("snmp.suffix", 16, WSPI_R_NONE, 1)},
    [TYPE] = {WSPI_ENUM("snmp.type", 8, type)},
    [NUMBER] = {WSPI_FREE("snmp.number", 64, WSPI_P_CONST, WSPI_R_NUMBER)},
    [GENERIC] = {WSPI_ENUM("snmp.generic", 32, generic)},
    [MESSAGE] = {WSPI_FREE("snmp.message", 64, WSPI_P_MIRROR, WSPI_R_RENEWED)},
    [SECURITY] = {WSPI_ENUM("snmp.security", 8, security)},
    [SCOPED] = {WSPI_ENUM("snmp.scoped", 8, scoped)},
    [NAMES] = {WSPI_MAG("snmp.name", 16, WSPI_R_NAME, 1)},
};

/* Samples: the types of what these objects are, by number in `type` (RFC 1213 6, 3418 2); they are there once but for tables' columns. */
enum { AN_INTEGER = 1, OCTETS, AN_OID_VALUE, AN_ADDRESS, A_COUNTER, A_GAUGE, TICKS };
static const uint8_t types[] = {
    [O_sysDescr] = OCTETS,        [O_sysObjectID] = AN_OID_VALUE, [O_sysUpTime] = TICKS,
    [O_sysContact] = OCTETS,      [O_sysName] = OCTETS,           [O_sysLocation] = OCTETS,
    [O_sysServices] = AN_INTEGER, [O_ifNumber] = AN_INTEGER,      [O_ifIndex] = AN_INTEGER,
    [O_ifDescr] = OCTETS,         [O_ifType] = AN_INTEGER,        [O_ifSpeed] = A_GAUGE,
    [O_ifPhysAddress] = OCTETS,   [O_ifAdminStatus] = AN_INTEGER, [O_ifOperStatus] = AN_INTEGER,
    [O_ifInOctets] = A_COUNTER,   [O_ifOutOctets] = A_COUNTER,    [O_ipAdEntAddr] = AN_ADDRESS,
    [O_usmStats] = A_COUNTER,     [O_snmpTrapOID] = AN_OID_VALUE, [O_iso] = 0,
};

bool wspi_snmp_is_scalar(uint64_t k)
{
    return k <= O_sysServices || k == O_ifNumber || k == O_snmpTrapOID;
}

/* ---- elements ---- */

enum { SHOWN_SUFFIX = 3 };

#define BOTH WSPI_BER_BOTH
#define END(name)                           \
    {                                       \
        .kind = WSPI_BER_END, .token = name \
    }
#define AN_OID(name)                                                                \
    .kind = WSPI_BER_OID, .tag = 6, .token = name, .field = OBJECT, .rest = SUFFIX, \
    .max = SHOWN_SUFFIX, .oids = wspi_snmp_oids
#define OID(name)                                       \
    {                                                   \
        AN_OID(name), BOTH(0, O_iso), .may = may_object \
    }
#define COUNTED(type)                                      \
    {                                                      \
        .kind = WSPI_BER_INT, .tag = type, .field = NUMBER \
    }
#define EMPTY(type)                         \
    {                                       \
        .kind = WSPI_BER_FIXED, .tag = type \
    }

/* Samples: a report has a counter of what was wrong with a message (RFC 3414 3.2). */
static bool is_report(const wspi_coder *c)
{
    return c->app.v[c->dir][PDU] == REPORT;
}

static bool may_object(const wspi_coder *c, unsigned k)
{
    return !is_report(c) || k == O_usmStats;
}

/* What is told unasked has the time and its own name first (RFC 3416 4.2.6). */
static bool is_notice(const wspi_coder *c)
{
    uint64_t is = c->app.v[c->dir][PDU];

    return is == 0xa6 || is == 0xa7;
}

static bool may_name(const wspi_coder *c, unsigned k)
{
    unsigned n = wspi_snmp_index(c);

    if (is_notice(c) && n < 2)
        return k == (n ? O_snmpTrapOID : O_sysUpTime);
    return may_object(c, k) && wspi_snmp_may_name(c, k);
}

static void each_binding(wspi_coder *c, unsigned n, unsigned *least, unsigned *most)
{
    wspi_snmp_each(c, n, least, most);
    if (is_notice(c))
        *least = 2;
}

static const wspi_ber values[] = {
    COUNTED(0x02),
    COUNTED(0x41),
    COUNTED(0x42),
    {.kind = WSPI_BER_INT, .tag = 0x43, .field = NUMBER, .is = wspi_snmp_uptime},
    EMPTY(0x05),
    EMPTY(0x80),
    EMPTY(0x81),
    EMPTY(0x82),
    OID(E_VALUE),
    {.kind = WSPI_BER_OPAQUE, .tag = 0x04, .field = LENGTH, BOTH(1, 8)},
    {.kind = WSPI_BER_FIXED, .tag = 0x40, .max = 4},
    END(E_VALUE),
};

static void which_value(const wspi_coder *c, uint8_t *from, uint8_t *count)
{
    enum { NONE, FIRST, OF_SIMPLE_FORM = 7 };
    uint64_t of = c->app.v[c->dir][PDU], object_is = c->app.v[c->dir][OBJECT];
    uint8_t is = object_is < WSPI_COUNT(types) ? types[object_is] : 0;
    bool asks = wspi_snmp_asks(of);

    *from = asks ? NONE : is ? is : FIRST;
    *count = asks || is ? 1 : OF_SIMPLE_FORM;
}

static const wspi_ber binding[] = {
    {AN_OID(E_NAME), .sampled = wspi_snmp_which_name, .may = may_name, .given = wspi_snmp_given,
     .took = wspi_snmp_took_name},
    {.kind = WSPI_BER_CHOICE,
     .token = E_VALUE,
     .field = TYPE,
     .in = values,
     .sampled = which_value},
    END(E_BINDING_END),
};
static const wspi_ber bindings[] = {
    {.kind = WSPI_BER_SEQ, .tag = 0x30, .token = E_BINDING, .in = binding},
    {.kind = WSPI_BER_END,
     .token = E_BINDINGS_END,
     .flags = WSPI_BER_SAMPLED,
     .sampled = wspi_snmp_which_rest,
     .make = wspi_snmp_bindings}};

#define BINDINGS                                                                         \
    {                                                                                    \
        .kind = WSPI_BER_LIST, .tag = 0x30, .token = E_BINDINGS, .in = bindings,         \
        .max = WSPI_SNMP_BINDINGS, .each = each_binding, .took = wspi_snmp_took_bindings \
    }

static const wspi_ber request[] = {
    {.kind = WSPI_BER_INT,
     .tag = 2,
     .token = E_REQUEST,
     .field = REQUEST,
     .pred = WSPI_BER_ANSWER,
     .count = {1, 0}},
    {.kind = WSPI_BER_INT, .tag = 2, .token = E_STATUS, .field = STATUS, .pred = WSPI_BER_AS},
    {.kind = WSPI_BER_INT, .tag = 2, .token = E_INDEX, .field = INDEX, .pred = WSPI_BER_AS},
    BINDINGS,
    END(E_PDU_END),
};
static const wspi_ber trap[] = {
    OID(E_ENTERPRISE),
    {.kind = WSPI_BER_FIXED, .tag = 0x40, .token = E_AGENT, .max = 4, .make = wspi_snmp_agent},
    {.kind = WSPI_BER_INT, .tag = 2, .token = E_GENERIC, .field = GENERIC, BOTH(0, 5)},
    {.kind = WSPI_BER_INT, .tag = 2, .token = E_SPECIFIC, .field = NUMBER},
    {.kind = WSPI_BER_INT, .tag = 0x43, .token = E_UPTIME, .field = NUMBER, .is = wspi_snmp_uptime},
    BINDINGS,
    END(E_PDU_END),
};

#define A_PDU(type)                                      \
    {                                                    \
        .kind = WSPI_BER_SEQ, .tag = type, .in = request \
    }
static const wspi_ber pdus[] = {
    A_PDU(0xa0), A_PDU(0xa1), A_PDU(0xa2),
    A_PDU(0xa3), A_PDU(0xa5), A_PDU(0xa6),
    A_PDU(0xa7), A_PDU(0xa8), {.kind = WSPI_BER_SEQ, .tag = TRAP_V1, .in = trap},
    END(E_PDU),
};
/* Samples: requests and responses, or reports to who does not know the engine; where traps go (port 162), those that the version has. */
static void which_pdu(const wspi_coder *c, uint8_t *from, uint8_t *count)
{
    enum { GET, RESPONSE = 4, TRAP_1, TRAP_2, REPORTED = 8, TRAPS_2 = 2, TRAP_PORT = 162 };
    bool traps = c->p->layers[c->p->n_layers - 1].v[1] == TRAP_PORT,
         first = c->app.v[c->dir][SNMP_VERSION] == version[0].value;

    *count = 1;
    if (c->dir == 1) {
        *from = RESPONSE;
        *count = REPORTED - RESPONSE + 1;
    } else if (traps) {
        *from = first ? TRAP_1 : TRAP_2;
        *count = first ? 1 : TRAPS_2;
    } else {
        *from = GET;
        *count = RESPONSE;
    }
}

/* The first version has no request for many (RFC 1157 4.1). */
static bool may_pdu(const wspi_coder *c, unsigned k)
{
    enum { GET_BULK = 0xa5 };
    uint64_t v = k < WSPI_COUNT(pdu) - 1 ? pdu[k].value : 0;

    if (c->dir == 0)
        return v != GET_BULK || c->app.v[0][SNMP_VERSION] != version[0].value;
    return v == (c->app.v[1][SNMP_VERSION] == V3 && !wspi_snmp_knows(c) ? REPORT : 0xa2);
}

#define A_CHOICE_OF_PDUS(name)                                                              \
    .kind = WSPI_BER_CHOICE, .token = name, .field = PDU, .in = pdus, .sampled = which_pdu, \
    .may = may_pdu

/* Samples: of nobody; a client would be told what is wrong. */
static void which_security(const wspi_coder *c, uint8_t *from, uint8_t *count)
{
    enum { OF_NOBODY, OF_NOBODY_REPORTED = 3 };

    *from = c->dir == 0 ? OF_NOBODY_REPORTED : OF_NOBODY;
    *count = 1;
}

static const wspi_ber header[] = {
    {.kind = WSPI_BER_INT,
     .tag = 2,
     .token = E_ID,
     .field = MESSAGE,
     .pred = WSPI_BER_ANSWER,
     .count = {1, 0}},
    {.kind = WSPI_BER_INT, .tag = 2, .token = E_MAX_SIZE, .field = NUMBER, .is = wspi_snmp_most},
    {.kind = WSPI_BER_OCTET,
     .tag = 4,
     .token = E_FLAGS,
     .field = SECURITY,
     .sampled = which_security},
    {.kind = WSPI_BER_INT,
     .tag = 2,
     .token = E_MODEL,
     .field = INDEX,
     .pred = WSPI_BER_AS,
     .want = 3},
    END(E_HEADER_END),
};
#define AN_ENGINE(name)                                             \
    .kind = WSPI_BER_NAME, .tag = 4, .token = name, .field = NAMES, \
    .sampled = wspi_snmp_which_engine, .make = wspi_snmp_engine
/* RFC 3414 2.4 */
static const wspi_ber usm[] = {
    {AN_ENGINE(E_ENGINE), .took = wspi_snmp_took_engine},
    {.kind = WSPI_BER_INT, .tag = 2, .token = E_BOOTS, .field = NUMBER, .is = wspi_snmp_boots},
    {.kind = WSPI_BER_INT, .tag = 2, .token = E_TIME, .field = NUMBER, .is = wspi_snmp_time},
    {.kind = WSPI_BER_NAME,
     .tag = 4,
     .token = E_USER,
     .field = NAMES,
     .sampled = wspi_snmp_which_user,
     .make = wspi_snmp_user},
    {.kind = WSPI_BER_OPAQUE, .tag = 4, .token = E_AUTHENTICATION, .field = LENGTH, BOTH(0, 1)},
    {.kind = WSPI_BER_OPAQUE, .tag = 4, .token = E_PRIVACY, .field = LENGTH, BOTH(0, 1)},
    END(E_USM_END),
};
static const wspi_ber parameters[] = {
    {.kind = WSPI_BER_SEQ, .tag = 0x30, .token = E_PARAMETERS, .in = usm},
    END(E_PARAMETERS_END),
};
static const wspi_ber scoped_pdu[] = {
    {AN_ENGINE(E_CONTEXT_ENGINE)},
    {.kind = WSPI_BER_NAME, .tag = 4, .token = E_CONTEXT, .field = NAMES, BOTH(0, 1)},
    {A_CHOICE_OF_PDUS(E_SCOPED_PDU)},
    END(E_SCOPED_END),
};
static const wspi_ber scopeds[] = {
    {.kind = WSPI_BER_SEQ, .tag = 0x30, .in = scoped_pdu},
    {.kind = WSPI_BER_OPAQUE, .tag = 0x04, .field = LENGTH, BOTH(8, 8)},
    END(E_SCOPED),
};

static bool is_v3(const wspi_coder *c)
{
    return c->app.v[c->dir][SNMP_VERSION] == V3;
}

static bool is_older(const wspi_coder *c)
{
    return !is_v3(c);
}

/* Samples: a flow keeps its version. */
static bool may_version(const wspi_coder *c, unsigned k)
{
    uint64_t v;

    (void)k;
    return !wspi_app_last(c, false, SNMP_VERSION, &v) && !wspi_app_last(c, true, SNMP_VERSION, &v);
}

/* Samples of version 3 are not encrypted. */
static const wspi_ber contents[] = {
    {.kind = WSPI_BER_INT,
     .tag = 2,
     .token = E_VERSION,
     .field = SNMP_VERSION,
     .pred = WSPI_BER_LAST,
     BOTH(0, 3),
     .may = may_version},
    {.kind = WSPI_BER_NAME,
     .tag = 4,
     .token = E_COMMUNITY,
     .field = COMMUNITY,
     .pred = WSPI_BER_LAST,
     .when = is_older,
     BOTH(3, 5),
     .may = wspi_snmp_may_community,
     .make = wspi_snmp_community,
     .took = wspi_snmp_took_community},
    {A_CHOICE_OF_PDUS(E_PDU), .when = is_older},
    {.kind = WSPI_BER_SEQ, .tag = 0x30, .token = E_HEADER, .in = header, .when = is_v3},
    {.kind = WSPI_BER_SEQ, .tag = 0x04, .token = E_SECURITY, .in = parameters, .when = is_v3},
    {.kind = WSPI_BER_CHOICE,
     .token = E_SCOPED,
     .field = SCOPED,
     .in = scopeds,
     .when = is_v3,
     BOTH(0, 1)},
    END(E_MESSAGE_END),
};
static const wspi_ber row = {.kind = WSPI_BER_SEQ, .tag = 0x30, .token = E_MESSAGE, .in = contents};
static const wspi_ber_message message = {
    .row = &row, .form = FORM, .element = ELEMENT, .length = LENGTH, .rest = E_REST};

/* A sequence, a version, and what follows it. */
static bool looks(const uint8_t *b, size_t n)
{
    wspi_ber_head h;
    size_t at;

    if (b[0] != 0x30 || !wspi_ber_peek(b, n, &h))
        return false;
    at = 1u + h.width;
    return n >= at + 4 && b[at] == 2 && b[at + 1] == 1 &&
           (b[at + 2] < 2 ? b[at + 3] == 4 : b[at + 2] == V3 && b[at + 3] == 0x30);
}

static void walk(wspi_coder *c)
{
    wspi_ber_one(c, &message);
}

const wspi_app wspi_app_snmp = {
    .proto = {.name = "snmp", .fields = fields, .n_fields = WSPI_COUNT(fields)},
    .over = WSPI_OVER_UDP,
    .looks = looks,
    .walk = walk,
    .ports = {161, 162},
    .ports_only = true,
};
