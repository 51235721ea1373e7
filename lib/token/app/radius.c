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
enum { ACCESS = 1, ACCEPT = 2, REJECT = 3, ACCOUNTING = 4, CHALLENGE = 11 };
enum { NAS_ADDRESS = 4 };
enum { USER_PASSWORD = 2, CHAP_PASSWORD = 3, VSA = 26, EAP_MESSAGE = 79, AUTHENTICATOR = 80 };

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

static const wspi_field fields[] = {
    [CODE] = {WSPI_ENUM("radius.code", 8, code)},
    [ID] = {WSPI_FREE("radius.id", 8, WSPI_P_MIRROR, WSPI_R_NUMBER)},
    [ATTRIBUTE] = {WSPI_ENUM("radius.attribute", 8, attribute)},
    [LENGTH] = {WSPI_MAG("radius.length", 8, WSPI_R_NONE, 2)},
    [NAME] = {WSPI_MAG("radius.name", 8, WSPI_R_NAME, 1)},
    [NUMBER] = {WSPI_MAG("radius.number", 32, WSPI_R_NONE, 1)},
    [SERVICE] = {WSPI_ENUM("radius.service", 32, service)},
    [PROTOCOL] = {WSPI_ENUM("radius.protocol", 32, protocol)},
    [STATUS] = {WSPI_ENUM("radius.status", 32, status)},
    [AUTHENTIC] = {WSPI_ENUM("radius.authentic", 32, authentic)},
    [CAUSE] = {WSPI_ENUM("radius.cause", 32, cause)},
    [PORT_TYPE] = {WSPI_ENUM("radius.port_type", 32, port_type)},
    [ERROR] = {WSPI_ENUM("radius.error", 32, error)},
    [VENDOR] = {WSPI_ENUM("radius.vendor", 32, vendor)},
    [SUBTYPE] = {WSPI_MAG("radius.subtype", 8, WSPI_R_NONE, 2)},
    [EAP] = {WSPI_ENUM("radius.eap", 8, eap)},
    [EAP_TYPE] = {WSPI_ENUM("radius.eap_type", 8, eap_type)},
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

/*
 * Samples: in which messages an attribute may be, by bits of their codes (RFC 2865 5.44, RFC 2866 5.13, RFC 3579 3.3; servers tell
 * names and sessions in all of them), and the longest values where they vary: from 4 bytes on, or `least`.
 */
enum {
    REQ = 1 << ACCESS,
    ACC = 1 << ACCEPT,
    REJ = 1 << REJECT,
    CHA = 1 << CHALLENGE,
    ACT = 1 << ACCOUNTING,
    RES = 1 << 5,
    ASKS = REQ | ACT,
    GRANTS = ACC | REQ | ACT
};
static const struct {
    uint16_t in;
    uint8_t least, most;
} sampled[256] = {
    [1] = {ASKS | ACC | REJ | CHA | RES, 4, 63},
    [USER_PASSWORD] = {REQ, 0, 0},
    [CHAP_PASSWORD] = {REQ, 0, 0},
    [4] = {ASKS, 0, 0},
    [5] = {ASKS, 0, 0},
    [6] = {GRANTS, 0, 0},
    [7] = {GRANTS, 0, 0},
    [8] = {GRANTS, 0, 0},
    [9] = {GRANTS, 0, 0},
    [11] = {ACC, 4, 15},
    [12] = {GRANTS, 0, 0},
    [18] = {ACC | REJ | CHA, 4, 95},
    [24] = {REQ | CHA, 4, 47},
    [25] = {ACC | ACT, 4, 47},
    [VSA] = {ASKS | ACC | CHA, 7, 127},
    [27] = {ACC | CHA, 0, 0},
    [28] = {ACC | CHA, 0, 0},
    [30] = {ASKS, 4, 63},
    [31] = {ASKS, 4, 63},
    [32] = {ASKS, 4, 63},
    [40] = {ACT, 0, 0},
    [41] = {ACT, 0, 0},
    [42] = {ACT, 0, 0},
    [43] = {ACT, 0, 0},
    [44] = {ASKS | ACC | REJ | CHA | RES, 4, 63},
    [45] = {ACT, 0, 0},
    [46] = {ACT, 0, 0},
    [47] = {ACT, 0, 0},
    [48] = {ACT, 0, 0},
    [49] = {ACT, 0, 0},
    [55] = {ACT, 0, 0},
    [61] = {ASKS, 0, 0},
    [77] = {ASKS, 4, 47},
    [EAP_MESSAGE] = {REQ | ACC | REJ | CHA, 4, 79},
    [AUTHENTICATOR] = {REQ | ACC | REJ | CHA, 0, 0},
    [87] = {ASKS, 4, 31},
    [89] = {ACC, 4, 31},
};
enum {
    VSA_MOST = 3,
    VENDORS = 3
}; /* of the first vendors, whose values have a type and a length of one byte */

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

static void letters(wspi_coder *c, size_t n)
{
    for (; n && !wspi_app_stopped(c); n--)
        wspi_app_put(c, 1, 'a' + wspi_rng_below(&c->rng, 26));
}

/* Samples: some of the vendors' attributes are text. */
static void vendor_specific(wspi_coder *c, size_t n)
{
    wspi_app_only(c, 0, VENDORS);
    word(c, VENDOR, 4);
    wspi_app_only(c, 1, wspi_bin(63, fields[SUBTYPE].mantissa));
    word(c, SUBTYPE, 1);
    if (c->fill && n > 5) {
        wspi_app_put(c, 1, n - 4);
        letters(c, n - 6);
    } else {
        wspi_app_opaque(c, n - 5);
    }
}

/* ---- samples of EAP: RFC 3748 4 and 5, RFC 4187 8.1 and 9 ---- */

enum { E_REQUEST = 1, E_RESPONSE, E_SUCCESS, E_FAILURE };
enum { IDENTITY = 1, MD5 = 4, AKA = 23, MD5_LEN = 22, AKA_ASKS = 12, AKA_CHALLENGES = 68 };

static uint64_t code_of(const wspi_coder *c)
{
    return c->app.v[c->dir][CODE];
}

/* Lengths of the bin of n that a message has: of success and failure, of an identity, of MD5 and AKA exactly. */
static size_t eap_len(const wspi_coder *c, size_t n)
{
    static const uint8_t exact[] = {MD5_LEN, AKA_ASKS, AKA_CHALLENGES};
    unsigned m = fields[LENGTH].mantissa;

    for (size_t k = 0; k < WSPI_COUNT(exact); k++)
        if (wspi_bin(exact[k], m) == wspi_bin(n, m) && code_of(c) != ACCEPT && code_of(c) != REJECT)
            return exact[k];
    return n;
}

static void only_eap_lengths(wspi_coder *c)
{
    unsigned m = fields[LENGTH].mantissa;
    bool over = code_of(c) == ACCEPT || code_of(c) == REJECT;

    wspi_app_only(c, wspi_bin(over ? 4 : 6, m), over ? 1 : wspi_bin(79, m) - wspi_bin(6, m) + 1);
}

/* Grammar: leaves the value of a list that is one of two. */
static void only_these(wspi_coder *c, unsigned f, uint64_t one, uint64_t other)
{
    for (unsigned k = 0; wspi_asked(c) && fields[f].values[k].name; k++)
        if (fields[f].values[k].value != one && fields[f].values[k].value != other)
            wspi_app_take_back(c, f, k);
}

/* What follows the type. */
static void eap_data(wspi_coder *c, uint64_t is, size_t n)
{
    static const uint8_t parts[] = {1, 2, 11}; /* a random number, its proof, a code of both */
    size_t left = n - 5;

    if (is == MD5 && left > 16) {
        wspi_app_put(c, 1, 16);
        left--;
    } else if (is == AKA && n == AKA_ASKS) {
        wspi_app_put(c, 3, UINT64_C(5) << 16); /* which identity? */
        wspi_app_put(c, 4, 0x0d010000);
        return;
    } else if (is == AKA && n == AKA_CHALLENGES) {
        wspi_app_put(c, 3, UINT64_C(1) << 16);
        for (size_t k = 0; k < WSPI_COUNT(parts); k++) {
            wspi_app_put(c, 4, UINT64_C(0x05) << 16 | (uint64_t)parts[k] << 24);
            wspi_app_opaque(c, 16);
        }
        return;
    } else if (is == IDENTITY) {
        letters(c, left);
        return;
    }
    wspi_app_opaque(c, left);
}

static void sampled_eap(wspi_coder *c, size_t n)
{
    uint64_t said = code_of(c), is = wspi_app_code(c, EAP, false, 0, 0);
    uint64_t fits = said == ACCEPT      ? E_SUCCESS
                    : said == REJECT    ? E_FAILURE
                    : said == CHALLENGE ? E_REQUEST
                                        : E_RESPONSE;

    only_these(c, EAP, fits, fits);
    wspi_app_put(c, 1, is);
    wspi_app_put(c, 1, wspi_rng_u64(&c->rng) & 255);
    wspi_app_put(c, 2, n);
    if (n < 5)
        return;
    is = wspi_app_code(c, EAP_TYPE, false, 0, 0);
    only_these(c, EAP_TYPE, IDENTITY,
               n == MD5_LEN                           ? MD5
               : n == AKA_ASKS || n == AKA_CHALLENGES ? AKA
                                                      : IDENTITY);
    wspi_app_put(c, 1, is);
    if (!wspi_app_stopped(c))
        eap_data(c, is, n);
}

/* The head of the message: further attributes of the kind go on with it. */
static void eap_message(wspi_coder *c, size_t n)
{
    if (c->fill) {
        sampled_eap(c, n);
        return;
    }
    word(c, EAP, 1);
    wspi_app_opaque(c, 3);
    if (n < 5)
        return;
    word(c, EAP_TYPE, 1);
    wspi_app_opaque(c, n - 5);
}

/* ---- samples: a flow is of one server of access, who asks about one user (RFC 2865 5.1, 5.4) ---- */

static void nas_address(wspi_coder *c)
{
    wspi_rng r = wspi_app_of_flow(c, NAS_ADDRESS);
    uint64_t v = 10 << 24 | wspi_rng_below(&r, 1 << 24);

    for (size_t i = 0; i < c->p->n_layers; i++)
        if (c->p->layers[i].id == WSPI_IPV4)
            v = c->p->layers[i].v[c->dir ? WSPI_IPV4_DST : WSPI_IPV4_SRC];
    wspi_app_put(c, 4, v);
}

/* Bytes of a name of the type: few, if it may be that short. */
static size_t name_len(const wspi_coder *c, unsigned type)
{
    wspi_rng r = wspi_app_of_flow(c, type);
    size_t n = 4 + (size_t)wspi_rng_below(&r, 9);

    return WSPI_MIN(WSPI_MAX(n, (size_t)sampled[type].least), (size_t)sampled[type].most);
}

static void name_of_flow(wspi_coder *c, unsigned type, size_t n)
{
    wspi_rng r = wspi_app_of_flow(c, 256 + type);

    for (; n && !wspi_app_stopped(c); n--)
        wspi_app_put(c, 1, 'a' + wspi_rng_below(&r, 26));
}

static void contents(wspi_coder *c, unsigned type, size_t n, bool eap_goes_on)
{
    enum kind kind = (enum kind)forms[type].kind;

    if ((!c->fill && wspi_app_captured(c) < n) || (forms[type].len && forms[type].len != n) ||
        (kind == K_VENDOR && n < 5) || (kind == K_EAP && (n < 4 || eap_goes_on)))
        kind = K_OPAQUE;
    switch (kind) {
    case K_OPAQUE:
        if (c->fill && type == NAS_ADDRESS)
            nas_address(c);
        else
            wspi_app_opaque(c, n);
        break;
    case K_NAME:
        if (c->fill)
            name_of_flow(c, type, n);
        else
            wspi_app_text(c, n, 0, WSPI_TEXT_NAME);
        break;
    case K_TEXT: wspi_app_text(c, n, SHOWN, WSPI_TEXT_LINE); break;
    case K_NUMBER: word(c, NUMBER, n); break;
    case K_WORD: word(c, forms[type].field, n); break;
    case K_VENDOR: vendor_specific(c, n); break;
    case K_EAP: eap_message(c, n); break;
    }
}

static void only_lengths(wspi_coder *c, unsigned type, unsigned f)
{
    unsigned m = fields[f].mantissa, from = wspi_bin(sampled[type].least, m);

    if (type == EAP_MESSAGE)
        only_eap_lengths(c);
    else if (c->fill && f == NAME)
        wspi_app_only(c, wspi_bin(name_len(c, type), m), 1);
    else
        wspi_app_only(c, from, forms[type].len ? 0 : wspi_bin(sampled[type].most, m) - from + 1);
}

static void one_attribute(wspi_coder *c, unsigned type, bool eap_goes_on)
{
    unsigned want = forms[type].len, f = forms[type].kind == K_NAME ? NAME : LENGTH;
    uint64_t n = wspi_app_get(c, 1);

    only_lengths(c, type, f);
    n = wspi_app_code(c, f, want > 0, want, n - 2);
    if (c->fill && type == EAP_MESSAGE)
        n = eap_len(c, (size_t)n);
    if (c->fill && f == NAME &&
        wspi_bin(n, fields[f].mantissa) == wspi_bin(name_len(c, type), fields[f].mantissa))
        n = name_len(c, type);
    wspi_app_require(c, n <= 253);
    wspi_app_put(c, 1, n + 2);
    if (!wspi_app_stopped(c))
        contents(c, type, (size_t)n, eap_goes_on);
}

/* Samples: an attribute once, a vendor's some times; one password, and none beside EAP (RFC 3579 3.3). */
static bool may_have(const wspi_coder *c, const uint8_t *seen, uint64_t type)
{
    bool password = type == USER_PASSWORD || type == CHAP_PASSWORD || type == EAP_MESSAGE;

    if (!(sampled[type].in >> (code_of(c) & 15) & 1) || seen[type] >= (type == VSA ? VSA_MOST : 1))
        return false;
    return !password || !(seen[USER_PASSWORD] | seen[CHAP_PASSWORD] | seen[EAP_MESSAGE]);
}

/* A request has its user, for accounting what it is about; what has EAP is signed. */
static bool has_all(const wspi_coder *c, const uint8_t *seen)
{
    uint64_t is = code_of(c);

    if (seen[EAP_MESSAGE] && !seen[AUTHENTICATOR])
        return false;
    return (is != ACCESS || seen[1]) && (is != ACCOUNTING || (seen[40] && seen[44]));
}

static void only_sampled(wspi_coder *c, const uint8_t *seen)
{
    if (!wspi_asked(c))
        return;
    for (unsigned k = 0; attribute[k].name; k++)
        if (!may_have(c, seen, attribute[k].value))
            wspi_app_take_back(c, ATTRIBUTE, k);
    if (!has_all(c, seen))
        c->need = true;
}

static void attributes(wspi_coder *c, size_t end)
{
    uint8_t seen[256] = {0};
    uint64_t type = 0;

    for (unsigned n = 0; n < MAX_ATTRIBUTES && !wspi_app_stopped(c); n++) {
        bool there = c->enc && wspi_app_captured(c) >= 2 &&
                     attribute_len(c->pay.in + c->pay.at, end - c->pay.at) > 0;
        if (!wspi_app_element(c, ATTRIBUTE, 1, there, &type)) {
            only_sampled(c, seen);
            return;
        }
        one_attribute(c, (unsigned)type, seen[EAP_MESSAGE] > 0);
        seen[type]++;
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
    if (wspi_app_stopped(c))
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
