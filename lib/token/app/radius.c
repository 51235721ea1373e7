/* SPDX-License-Identifier: Apache-2.0 */
/*
 * radius.c: RADIUS over UDP, RFC 2865 3 and 5, RFC 2866, with the attributes of RFC 2868, 2869, 3162, 3579 and 5176:
 * | code 8 | id 8 | length 16 | authenticator 128 | attributes |     attribute: | type 8 | length 8, of all of it | value |
 * What follows the last attribute that fits is opaque; so are authenticators, passwords and addresses.
 */
#include "token/app/app.h"

enum {
    CODE,
    ID,
    ATTRIBUTE,
    LENGTH,
    NAME,
    NUMBER,
    SERVICE,
    PROTOCOL,
    STATUS,
    AUTHENTIC,
    CAUSE,
    PORT_TYPE,
    ERROR,
    VENDOR,
    SUBTYPE,
    EAP,
    EAP_TYPE
};

enum { HEADER = 20, LONGEST = 4096, MAX_ATTRIBUTES = 100, SHOWN = 16 };
enum { ACCOUNTING = 4, VSA = 26, EAP_MESSAGE = 79 };

/* Samples of clients have the first two; of servers the next three after a request for access, then the one for accounting. */
enum { BY_CLIENT = 2, ACCESS_ANSWERS = 3, ACCOUNTED = BY_CLIENT + ACCESS_ANSWERS };
static const wspi_value code[] = {{1, "access-request"},
                                  {ACCOUNTING, "accounting-request"},
                                  {2, "access-accept"},
                                  {3, "access-reject"},
                                  {11, "access-challenge"},
                                  {5, "accounting-response"},
                                  {12, "status-server"},
                                  {13, "status-client"},
                                  {40, "disconnect-request"},
                                  {41, "disconnect-ack"},
                                  {42, "disconnect-nak"},
                                  {43, "coa-request"},
                                  {44, "coa-ack"},
                                  {45, "coa-nak"},
                                  {0, NULL}};

/* Samples have them in this order: clients the first ones, servers from the service on. */
enum { OF_CLIENT = 14, OF_SERVER = 10, OF_SERVER_END = 18 };
static const wspi_value attribute[] = {{1, "user-name"},
                                       {2, "user-password"},
                                       {4, "nas-address"},
                                       {5, "nas-port"},
                                       {61, "nas-port-type"},
                                       {30, "called-station"},
                                       {31, "calling-station"},
                                       {32, "nas-identifier"},
                                       {40, "status"},
                                       {44, "session-id"},
                                       {6, "service-type"},
                                       {7, "framed-protocol"},
                                       {12, "framed-mtu"},
                                       {8, "framed-address"},
                                       {25, "class"},
                                       {18, "reply-message"},
                                       {27, "session-timeout"},
                                       {28, "idle-timeout"},
                                       {3, "chap-password"},
                                       {9, "framed-netmask"},
                                       {10, "framed-routing"},
                                       {11, "filter-id"},
                                       {13, "framed-compression"},
                                       {14, "login-host"},
                                       {15, "login-service"},
                                       {16, "login-port"},
                                       {19, "callback-number"},
                                       {20, "callback-id"},
                                       {22, "framed-route"},
                                       {23, "framed-ipx"},
                                       {24, "state"},
                                       {VSA, "vendor-specific"},
                                       {29, "termination-action"},
                                       {33, "proxy-state"},
                                       {34, "login-lat-service"},
                                       {35, "login-lat-node"},
                                       {36, "login-lat-group"},
                                       {41, "delay-time"},
                                       {42, "input-octets"},
                                       {43, "output-octets"},
                                       {45, "authentic"},
                                       {46, "session-time"},
                                       {47, "input-packets"},
                                       {48, "output-packets"},
                                       {49, "terminate-cause"},
                                       {50, "multi-session-id"},
                                       {51, "link-count"},
                                       {52, "input-gigawords"},
                                       {53, "output-gigawords"},
                                       {55, "event-timestamp"},
                                       {56, "egress-vlan"},
                                       {57, "ingress-filters"},
                                       {58, "egress-vlan-name"},
                                       {59, "user-priority"},
                                       {60, "chap-challenge"},
                                       {62, "port-limit"},
                                       {63, "login-lat-port"},
                                       {64, "tunnel-type"},
                                       {65, "tunnel-medium"},
                                       {66, "tunnel-client"},
                                       {67, "tunnel-server"},
                                       {68, "tunnel-connection"},
                                       {69, "tunnel-password"},
                                       {75, "password-retry"},
                                       {76, "prompt"},
                                       {77, "connect-info"},
                                       {78, "configuration-token"},
                                       {EAP_MESSAGE, "eap-message"},
                                       {80, "message-authenticator"},
                                       {81, "tunnel-group"},
                                       {82, "tunnel-assignment"},
                                       {83, "tunnel-preference"},
                                       {85, "interim-interval"},
                                       {86, "tunnel-packets-lost"},
                                       {87, "nas-port-id"},
                                       {88, "framed-pool"},
                                       {89, "chargeable-user"},
                                       {90, "tunnel-client-auth"},
                                       {91, "tunnel-server-auth"},
                                       {92, "nas-filter-rule"},
                                       {95, "nas-ipv6-address"},
                                       {96, "framed-interface"},
                                       {97, "framed-ipv6-prefix"},
                                       {98, "login-ipv6-host"},
                                       {99, "framed-ipv6-route"},
                                       {100, "framed-ipv6-pool"},
                                       {101, "error-cause"},
                                       {102, "eap-key-name"},
                                       {103, "digest-response"},
                                       {104, "digest-realm"},
                                       {105, "digest-nonce"},
                                       {123, "delegated-prefix"},
                                       {124, "mip6-features"},
                                       {125, "mip6-home"},
                                       {126, "operator-name"},
                                       {127, "location-information"},
                                       {128, "location-data"},
                                       {129, "basic-location-rules"},
                                       {130, "extended-location-rules"},
                                       {131, "location-capable"},
                                       {132, "requested-location"},
                                       {168, "framed-ipv6-address"},
                                       {0, NULL}};

static const wspi_value service[] = {{2, "framed"},
                                     {1, "login"},
                                     {8, "authenticate-only"},
                                     {5, "outbound"},
                                     {6, "administrative"},
                                     {7, "nas-prompt"},
                                     {3, "callback-login"},
                                     {4, "callback-framed"},
                                     {9, "callback-nas-prompt"},
                                     {10, "call-check"},
                                     {11, "callback-administrative"},
                                     {17, "authorize-only"},
                                     {0, NULL}};
static const wspi_value protocol[] = {{1, "ppp"},      {2, "slip"}, {3, "arap"}, {4, "gandalf"},
                                      {5, "xylogics"}, {6, "x75"},  {7, "gprs"}, {0, NULL}};
static const wspi_value status[] = {
    {1, "start"},         {2, "stop"},           {3, "interim-update"},
    {7, "accounting-on"}, {8, "accounting-off"}, {9, "tunnel-start"},
    {10, "tunnel-stop"},  {15, "failed"},        {0, NULL}};
static const wspi_value authentic[] = {
    {1, "radius"}, {2, "local"}, {3, "remote"}, {4, "diameter"}, {0, NULL}};
static const wspi_value cause[] = {
    {1, "user-request"}, {4, "idle-timeout"}, {5, "session-timeout"}, {2, "lost-carrier"},
    {3, "lost-service"}, {6, "admin-reset"},  {7, "admin-reboot"},    {8, "port-error"},
    {9, "nas-error"},    {10, "nas-request"}, {11, "nas-reboot"},     {15, "service-unavailable"},
    {16, "callback"},    {17, "user-error"},  {18, "host-request"},   {0, NULL}};
static const wspi_value port_type[] = {{15, "ethernet"}, {19, "wireless"}, {5, "virtual"},
                                       {0, "async"},     {1, "sync"},      {2, "isdn"},
                                       {16, "xdsl"},     {17, "cable"},    {18, "wireless-other"},
                                       {14, "adsl"},     {33, "pppoe"},    {0, NULL}};
static const wspi_value error[] = {
    {201, "context-removed"}, {401, "unsupported"}, {402, "missing"},
    {403, "nas-mismatch"},    {404, "invalid"},     {405, "unsupported-service"},
    {406, "extension"},       {501, "prohibited"},  {503, "no-context"},
    {506, "resources"},       {507, "initiated"},   {0, NULL}};
static const wspi_value vendor[] = {{9, "cisco"},      {311, "microsoft"},  {2636, "juniper"},
                                    {10415, "3gpp"},   {14122, "wispr"},    {14988, "mikrotik"},
                                    {529, "ascend"},   {2352, "redback"},   {3561, "adsl-forum"},
                                    {1991, "foundry"}, {14823, "aruba"},    {25506, "h3c"},
                                    {2011, "huawei"},  {429, "usr"},        {11344, "freeradius"},
                                    {4874, "erx"},     {3076, "altiga"},    {14179, "airespace"},
                                    {11, "hp"},        {12356, "fortinet"}, {8744, "colubris"},
                                    {24757, "wimax"},  {4491, "cablelabs"}, {5535, "3gpp2"},
                                    {0, NULL}};
static const wspi_value eap[] = {
    {1, "request"}, {2, "response"}, {3, "success"}, {4, "failure"}, {0, NULL}};
static const wspi_value eap_type[] = {{1, "identity"}, {3, "nak"},   {4, "md5"},       {25, "peap"},
                                      {13, "tls"},     {21, "ttls"}, {26, "mschapv2"}, {17, "leap"},
                                      {43, "fast"},    {18, "sim"},  {23, "aka"},      {50, "aka2"},
                                      {2, "notify"},   {6, "gtc"},   {52, "pwd"},      {0, NULL}};

#define ENUM(name, width, list)                                            \
    {                                                                      \
        name, 0, width, WSPI_K_ENUM, WSPI_P_CONST, WSPI_R_NONE, 0, list, 0 \
    }
#define MAG(name, width, role, mantissa)                                  \
    {                                                                     \
        name, 0, width, WSPI_K_MAG, WSPI_P_CONST, role, 0, NULL, mantissa \
    }
static const wspi_field fields[] = {
    [CODE] = ENUM("radius.code", 8, code),
    [ID] = {"radius.id", 0, 8, WSPI_K_FREE, WSPI_P_MIRROR, WSPI_R_NUMBER, 0, NULL, 0},
    [ATTRIBUTE] = ENUM("radius.attribute", 8, attribute),
    [LENGTH] = MAG("radius.length", 8, WSPI_R_NONE, 2),
    [NAME] = MAG("radius.name", 8, WSPI_R_NAME, 1),
    [NUMBER] = MAG("radius.number", 32, WSPI_R_NONE, 1),
    [SERVICE] = ENUM("radius.service", 32, service),
    [PROTOCOL] = ENUM("radius.protocol", 32, protocol),
    [STATUS] = ENUM("radius.status", 32, status),
    [AUTHENTIC] = ENUM("radius.authentic", 32, authentic),
    [CAUSE] = ENUM("radius.cause", 32, cause),
    [PORT_TYPE] = ENUM("radius.port_type", 32, port_type),
    [ERROR] = ENUM("radius.error", 32, error),
    [VENDOR] = ENUM("radius.vendor", 32, vendor),
    [SUBTYPE] = MAG("radius.subtype", 8, WSPI_R_NONE, 2),
    [EAP] = ENUM("radius.eap", 8, eap),
    [EAP_TYPE] = ENUM("radius.eap_type", 8, eap_type),
};

/*
 * What is in an attribute, and how long it is (0: that varies). Others, and those of another length, are opaque. WORD:
 * one of a list, which is the field.
 */
enum kind { K_OPAQUE, K_NAME, K_TEXT, K_NUMBER, K_WORD, K_VENDOR, K_EAP };
static const struct {
    uint8_t kind, len, field;
} forms[256] = {
    [1] = {K_NAME, 0, 0},        [2] = {K_OPAQUE, 16, 0},       [3] = {K_OPAQUE, 17, 0},
    [4] = {K_OPAQUE, 4, 0},      [5] = {K_NUMBER, 4, 0},        [6] = {K_WORD, 4, SERVICE},
    [7] = {K_WORD, 4, PROTOCOL}, [8] = {K_OPAQUE, 4, 0},        [9] = {K_OPAQUE, 4, 0},
    [10] = {K_NUMBER, 4, 0},     [11] = {K_TEXT, 0, 0},         [12] = {K_NUMBER, 4, 0},
    [13] = {K_NUMBER, 4, 0},     [14] = {K_OPAQUE, 4, 0},       [15] = {K_NUMBER, 4, 0},
    [16] = {K_NUMBER, 4, 0},     [18] = {K_TEXT, 0, 0},         [19] = {K_NAME, 0, 0},
    [20] = {K_NAME, 0, 0},       [22] = {K_NAME, 0, 0},         [23] = {K_OPAQUE, 4, 0},
    [VSA] = {K_VENDOR, 0, 0},    [27] = {K_NUMBER, 4, 0},       [28] = {K_NUMBER, 4, 0},
    [29] = {K_NUMBER, 4, 0},     [30] = {K_NAME, 0, 0},         [31] = {K_NAME, 0, 0},
    [32] = {K_NAME, 0, 0},       [34] = {K_NAME, 0, 0},         [35] = {K_NAME, 0, 0},
    [40] = {K_WORD, 4, STATUS},  [41] = {K_NUMBER, 4, 0},       [42] = {K_NUMBER, 4, 0},
    [43] = {K_NUMBER, 4, 0},     [44] = {K_NAME, 0, 0},         [45] = {K_WORD, 4, AUTHENTIC},
    [46] = {K_NUMBER, 4, 0},     [47] = {K_NUMBER, 4, 0},       [48] = {K_NUMBER, 4, 0},
    [49] = {K_WORD, 4, CAUSE},   [50] = {K_NAME, 0, 0},         [51] = {K_NUMBER, 4, 0},
    [52] = {K_NUMBER, 4, 0},     [53] = {K_NUMBER, 4, 0},       [55] = {K_OPAQUE, 4, 0},
    [56] = {K_OPAQUE, 4, 0},     [57] = {K_NUMBER, 4, 0},       [58] = {K_NAME, 0, 0},
    [59] = {K_OPAQUE, 8, 0},     [60] = {K_OPAQUE, 16, 0},      [61] = {K_WORD, 4, PORT_TYPE},
    [62] = {K_NUMBER, 4, 0},     [63] = {K_NAME, 0, 0},         [64] = {K_NUMBER, 4, 0},
    [65] = {K_NUMBER, 4, 0},     [66] = {K_NAME, 0, 0},         [67] = {K_NAME, 0, 0},
    [68] = {K_NAME, 0, 0},       [75] = {K_NUMBER, 4, 0},       [76] = {K_NUMBER, 4, 0},
    [77] = {K_TEXT, 0, 0},       [EAP_MESSAGE] = {K_EAP, 0, 0}, [80] = {K_OPAQUE, 16, 0},
    [81] = {K_NAME, 0, 0},       [82] = {K_NAME, 0, 0},         [83] = {K_NUMBER, 4, 0},
    [85] = {K_NUMBER, 4, 0},     [86] = {K_NUMBER, 4, 0},       [87] = {K_NAME, 0, 0},
    [88] = {K_NAME, 0, 0},       [89] = {K_NAME, 0, 0},         [90] = {K_NAME, 0, 0},
    [91] = {K_NAME, 0, 0},       [95] = {K_OPAQUE, 16, 0},      [96] = {K_OPAQUE, 8, 0},
    [98] = {K_OPAQUE, 16, 0},    [100] = {K_NAME, 0, 0},        [101] = {K_WORD, 4, ERROR},
    [104] = {K_NAME, 0, 0},      [126] = {K_NAME, 0, 0},        [168] = {K_OPAQUE, 16, 0},
};

static bool stopped(const wspi_coder *c)
{
    return c->bad || c->need || c->pay.fail;
}

/* ---- what it looks like ---- */

/* Bytes of the attribute at b, which has n bytes of the message, or 0 when it does not fit. */
static size_t attribute_len(const uint8_t *b, size_t n)
{
    return n >= 2 && b[1] >= 2 && b[1] <= n ? b[1] : 0;
}

/*
 * There is no magic number: the length is the datagram's, and attributes fill it, or at least two that are known are in
 * front of what does not fit; or known ones go on to where the capture cuts it.
 */
static bool looks(const uint8_t *b, size_t n)
{
    size_t len = n >= HEADER ? (size_t)b[2] << 8 | b[3] : 0, at = HEADER, step = 1, known = 0;

    if (len < HEADER || len > LONGEST || !wspi_app_is_listed(code, b[0]))
        return false;
    for (; at < len && at + 1 < n && step; at += step) {
        step = attribute_len(b + at, len - at);
        known += step && wspi_app_is_listed(attribute, b[at]);
    }
    return len == n ? at == len || known >= 2 : step && len > n && known > 0;
}

/* ---- attributes ---- */

static void word(wspi_coder *c, unsigned f, size_t n)
{
    (void)wspi_app_field(c, f, n, false, 0);
}

static void vendor_specific(wspi_coder *c, size_t n)
{
    word(c, VENDOR, 4);
    word(c, SUBTYPE, 1);
    wspi_app_opaque(c, n - 5);
}

/* The head of the message: further attributes of the kind go on with it. */
static void eap_message(wspi_coder *c, size_t n)
{
    word(c, EAP, 1);
    wspi_app_opaque(c, 3);
    if (n < 5)
        return;
    word(c, EAP_TYPE, 1);
    wspi_app_opaque(c, n - 5);
}

static void contents(wspi_coder *c, unsigned type, size_t n, bool eap_goes_on)
{
    enum kind kind = (enum kind)forms[type].kind;

    if ((!c->fill && wspi_app_captured(c) < n) || (forms[type].len && forms[type].len != n) ||
        (kind == K_VENDOR && n < 5) || (kind == K_EAP && (n < 4 || eap_goes_on)))
        kind = K_OPAQUE;
    switch (kind) {
    case K_OPAQUE: wspi_app_opaque(c, n); break;
    case K_NAME: wspi_app_text(c, n, 0, WSPI_TEXT_NAME); break;
    case K_TEXT: wspi_app_text(c, n, SHOWN, WSPI_TEXT_LINE); break;
    case K_NUMBER: word(c, NUMBER, n); break;
    case K_WORD: word(c, forms[type].field, n); break;
    case K_VENDOR: vendor_specific(c, n); break;
    case K_EAP: eap_message(c, n); break;
    }
}

static void one_attribute(wspi_coder *c, unsigned type, bool eap_goes_on)
{
    unsigned want = forms[type].len;
    uint64_t n = wspi_app_get(c, 1);

    wspi_app_only(c, want ? 0 : 4, want ? 0 : 8); /* 4 to 15 bytes */
    n = wspi_app_code(c, forms[type].kind == K_NAME ? NAME : LENGTH, want > 0, want, n - 2);
    wspi_app_require(c, n <= 253);
    wspi_app_put(c, 1, n + 2);
    if (!stopped(c))
        contents(c, type, (size_t)n, eap_goes_on);
}

static unsigned index_of(uint64_t type)
{
    unsigned k = 0;

    while (attribute[k].name && attribute[k].value != type)
        k++;
    return k;
}

/* Samples: in the order of the list; a request begins with the user. */
static void only_sampled(wspi_coder *c, unsigned n, unsigned from)
{
    unsigned end = c->dir ? OF_SERVER_END : OF_CLIENT;

    if (n == 0)
        from = c->dir ? OF_SERVER : 0;
    wspi_app_only(c, from, n == 0 && c->dir == 0 ? 1 : from < end ? end - from : 0);
}

static void attributes(wspi_coder *c, size_t end)
{
    bool eap_seen = false;
    uint64_t type = 0;

    for (unsigned n = 0; n < MAX_ATTRIBUTES && !stopped(c); n++) {
        bool there = c->enc && wspi_app_captured(c) >= 2 &&
                     attribute_len(c->pay.in + c->pay.at, end - c->pay.at) > 0;
        only_sampled(c, n, index_of(type) + 1);
        if (!wspi_app_element(c, ATTRIBUTE, 1, there, &type)) {
            if (n == 0 && c->dir == 0 && wspi_asked(c))
                c->need = true; /* a request has its user */
            return;
        }
        one_attribute(c, (unsigned)type, eap_seen);
        eap_seen = eap_seen || type == EAP_MESSAGE;
    }
}

/* ---- the message ---- */

static bool is_request(uint64_t v)
{
    return v == 1 || v == ACCOUNTING || v == 12 || v == 40 || v == 43;
}

/* An answer has the number of the request; a client counts on. The length is that of the datagram. */
static void header(wspi_coder *c)
{
    uint64_t want = 0, asked = 0, v, len;
    bool known;

    if (c->dir == 0)
        wspi_app_only(c, 0, BY_CLIENT);
    else if (wspi_app_last(c, false, CODE, &asked) && asked == ACCOUNTING)
        wspi_app_only(c, ACCOUNTED, 1);
    else
        wspi_app_only(c, BY_CLIENT, ACCESS_ANSWERS);
    v = wspi_app_field(c, CODE, 1, false, 0);
    known = wspi_app_last(c, is_request(v), ID, &want);
    (void)wspi_app_field(c, ID, 1, known, is_request(v) ? (want + 1) & 255 : want);
    len = wspi_app_get(c, 2);
    wspi_app_require(c, !c->enc || len == c->pay.wire);
    wspi_app_put(c, 2, c->fill ? 0 : c->pay.wire);
    wspi_app_opaque(c, 16);
}

static void walk(wspi_coder *c)
{
    header(c);
    attributes(c, c->pay.wire);
    if (stopped(c))
        return;
    if (c->fill) {
        c->pay.out->data[2] = (uint8_t)(c->pay.at >> 8);
        c->pay.out->data[3] = (uint8_t)c->pay.at;
    } else {
        wspi_app_opaque(c, wspi_app_left(c));
    }
}

const wspi_app wspi_app_radius = {
    .proto = {.name = "radius", .fields = fields, .n_fields = WSPI_COUNT(fields)},
    .over = WSPI_OVER_UDP,
    .looks = looks,
    .walk = walk,
    .ports = {1812, 1813, 1645, 1646},
    .ports_only = true,
};
