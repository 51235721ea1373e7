/* SPDX-License-Identifier: Apache-2.0 */
/*
 * kerberos.c: Kerberos 5 (RFC 4120 5.4, 5.9.1), in DER: [APPLICATION n] SEQUENCE { ... }; in a stream behind its length:
 * | length 32 | message |.
 */
#include "token/app/kerberos_samples.h"

enum {
    FORM,
    ELEMENT,
    LENGTH,
    MESSAGE,
    KRB_VERSION,
    TYPE,
    PADATA,
    OPTIONS,
    NAME_TYPE,
    NAMES,
    NUMBER,
    TIME,
    ETYPE,
    KEY_VERSION,
    ERROR
};

#define ELEMENTS(X)                               \
    X(E_REST, "rest")                             \
    X(E_MESSAGE, "message")                       \
    X(E_BODY, "body")                             \
    X(E_BODY_END, "body-end")                     \
    X(E_VERSION, "version")                       \
    X(E_TYPE, "type")                             \
    X(E_PADATA, "padata")                         \
    X(E_PADATA_ELEMENT, "padata-element")         \
    X(E_PADATA_ELEMENT_END, "padata-element-end") \
    X(E_PADATA_TYPE, "padata-type")               \
    X(E_PADATA_VALUE, "padata-value")             \
    X(E_PADATA_END, "padata-end")                 \
    X(E_REQ_BODY, "req-body")                     \
    X(E_REQUEST_END, "request-end")               \
    X(E_OPTIONS, "options")                       \
    X(E_CNAME, "cname")                           \
    X(E_REALM, "realm")                           \
    X(E_SNAME, "sname")                           \
    X(E_FROM, "from")                             \
    X(E_TILL, "till")                             \
    X(E_RENEW, "renew")                           \
    X(E_NONCE, "nonce")                           \
    X(E_ETYPES, "etypes")                         \
    X(E_ETYPE, "etype")                           \
    X(E_ETYPES_END, "etypes-end")                 \
    X(E_ADDRESSES, "addresses")                   \
    X(E_AUTHORIZATION, "authorization")           \
    X(E_TICKETS, "tickets")                       \
    X(E_REQ_BODY_END, "req-body-end")             \
    X(E_NAME_TYPE, "name-type")                   \
    X(E_NAMES, "names")                           \
    X(E_NAME, "name")                             \
    X(E_NAMES_END, "names-end")                   \
    X(E_PRINCIPAL_END, "principal-end")           \
    X(E_CREALM, "crealm")                         \
    X(E_TICKET, "ticket")                         \
    X(E_TICKET_BODY, "ticket-body")               \
    X(E_TICKET_BODY_END, "ticket-body-end")       \
    X(E_TICKET_VERSION, "ticket-version")         \
    X(E_TICKET_REALM, "ticket-realm")             \
    X(E_TICKET_SNAME, "ticket-sname")             \
    X(E_TICKET_ENCRYPTED, "ticket-encrypted")     \
    X(E_TICKET_END, "ticket-end")                 \
    X(E_ENCRYPTED, "encrypted")                   \
    X(E_CIPHER_TYPE, "cipher-type")               \
    X(E_KEY_VERSION, "key-version")               \
    X(E_CIPHER, "cipher")                         \
    X(E_ENCRYPTED_END, "encrypted-end")           \
    X(E_REPLY_END, "reply-end")                   \
    X(E_CTIME, "ctime")                           \
    X(E_CUSEC, "cusec")                           \
    X(E_STIME, "stime")                           \
    X(E_SUSEC, "susec")                           \
    X(E_ERROR, "error")                           \
    X(E_TEXT, "text")                             \
    X(E_DATA, "data")                             \
    X(E_ERROR_END, "error-end")
enum { ELEMENTS(WSPI_BER_NUMBER) };

static const wspi_value form[] = {WSPI_BER_FORMS, {0, NULL}};
static const wspi_value elements[] = {ELEMENTS(WSPI_BER_VALUE){0, NULL}};
enum { AS_REQ = 0x6a, AS_REP = 0x6b, TGS_REQ = 0x6c, TGS_REP = 0x6d, FAILED = 0x7e, MARK = 4 };
static const wspi_value message[] = {{0x6a, "as-req"},  {0x6b, "as-rep"},  {0x7e, "error"},
                                     {0x6c, "tgs-req"}, {0x6d, "tgs-rep"}, {0x6e, "ap-req"},
                                     {0x6f, "ap-rep"},  {0x74, "safe"},    {0x75, "priv"},
                                     {0x76, "cred"},    {0, NULL}};
static const wspi_value padata[] = {{1, "tgs-req"},        {2, "enc-timestamp"},
                                    {3, "pw-salt"},        {11, "etype-info"},
                                    {16, "pk-as-req"},     {17, "pk-as-rep"},
                                    {19, "etype-info2"},   {128, "pac-request"},
                                    {129, "for-user"},     {130, "for-x509-user"},
                                    {132, "as-checksum"},  {133, "fx-cookie"},
                                    {136, "fx-fast"},      {138, "encrypted-challenge"},
                                    {147, "pkinit-kx"},    {149, "req-enc-pa-rep"},
                                    {150, "as-freshness"}, {165, "supported-etypes"},
                                    {167, "pac-options"},  {0, NULL}};
static const wspi_value options[] = {{0x40810010, "usual"},
                                     {0x40810000, "canonical"},
                                     {0x40800000, "forward-renew"},
                                     {0x60810010, "forwarded"},
                                     {0x50800000, "proxiable-renew"},
                                     {0x50000010, "proxiable"},
                                     {0x50800010, "proxiable-ok"},
                                     {0x00000010, "renewable-ok"},
                                     {0x40000000, "forwardable"},
                                     {0, "none"},
                                     {0x40830000, "cname-in-tkt"},
                                     {0x00010000, "canonicalize"},
                                     {0, NULL}};
static const wspi_value name_type[] = {{1, "principal"},   {2, "service"}, {3, "host"},
                                       {10, "enterprise"}, {0, "unknown"}, {11, "well-known"},
                                       {4, "xhost"},       {6, "smtp"},    {0, NULL}};
static const wspi_value etype[] = {{18, "aes256"},
                                   {17, "aes128"},
                                   {23, "rc4"},
                                   {24, "rc4-exp"},
                                   {3, "des-md5"},
                                   {1, "des-crc"},
                                   {16, "des3"},
                                   {20, "aes256-sha384"},
                                   {19, "aes128-sha256"},
                                   {25, "camellia128"},
                                   {26, "camellia256"},
                                   {2, "des-md4"},
                                   {0xffffff7b, "rc4-old"},
                                   {0xffffff80, "rc4-md4"},
                                   {0xffffff79, "rc4-old-exp"},
                                   {5, "des3-md5"},
                                   {0, "none"},
                                   {0, NULL}};
static const wspi_value error[] = {
    {25, "preauth-required"}, {24, "preauth-failed"}, {6, "client-unknown"},
    {7, "service-unknown"},   {14, "no-etype"},       {18, "revoked"},
    {23, "key-expired"},      {37, "skew"},           {52, "too-big"},
    {68, "wrong-realm"},      {13, "bad-option"},     {12, "policy"},
    {16, "no-padata"},        {29, "unavailable"},    {31, "integrity"},
    {32, "ticket-expired"},   {34, "replay"},         {41, "modified"},
    {60, "generic"},          {63, "no-kdc"},         {0, NULL}};

static const wspi_field fields[] = {
    [FORM] = {WSPI_ENUM("kerberos.form", 8, form), .pred = WSPI_P_PREV},
    [ELEMENT] = {WSPI_ENUM("kerberos.element", 8, elements)},
    [LENGTH] = {WSPI_MAG("kerberos.length", 32, WSPI_R_NONE, 1)},
    [MESSAGE] = {WSPI_ENUM("kerberos.message", 8, message)},
    [KRB_VERSION] = {WSPI_MAG("kerberos.version", 8, WSPI_R_NONE, 0), .arg = 5},
    [TYPE] = {WSPI_MAG("kerberos.type", 8, WSPI_R_NONE, 0)},
    [PADATA] = {WSPI_ENUM("kerberos.padata", 32, padata)},
    [OPTIONS] = {WSPI_ENUM("kerberos.options", 32, options)},
    [NAME_TYPE] = {WSPI_ENUM("kerberos.name_type", 32, name_type)},
    [NAMES] = {WSPI_MAG("kerberos.name", 16, WSPI_R_NAME, 1)},
    [NUMBER] = {WSPI_FREE("kerberos.number", 64, WSPI_P_CONST, WSPI_R_NUMBER)},
    [TIME] = {WSPI_FREE("kerberos.time", 64, WSPI_P_CONST, WSPI_R_NUMBER)},
    [ETYPE] = {WSPI_ENUM("kerberos.etype", 32, etype)},
    [KEY_VERSION] = {WSPI_MAG("kerberos.key_version", 32, WSPI_R_NONE, 0)},
    [ERROR] = {WSPI_ENUM("kerberos.error", 32, error)},
};

/* ---- elements; the first number is the explicit tag around them ---- */

enum { MAX_PADATA = 4, MAX_ETYPES = 4, MAX_STRINGS = 2 };

/* Samples: a client asks, and is answered what it has asked for, or told why not. */
static bool may_message(const wspi_coder *c, unsigned k)
{
    uint64_t v = k < WSPI_COUNT(message) - 1 ? message[k].value : 0, asked;

    if (c->dir == 0)
        return v == AS_REQ || v == TGS_REQ;
    if (!wspi_app_last(c, false, MESSAGE, &asked))
        return v == FAILED;
    return v == FAILED || (v == AS_REP && asked == AS_REQ) || (v == TGS_REP && asked == TGS_REQ);
}

/* Is it about a ticket for a service, not about the first one? */
static bool is_of_service(const wspi_coder *c)
{
    uint64_t asked = c->app.v[0][MESSAGE];

    return asked == TGS_REQ;
}

/* Beside the fields: the string at hand of a name; has the request a time stamp by the client's key? Ciphers of its list, a bit each. */
enum { PART = ERROR + 1, STAMPED, CIPHERS, SLOTS };
_Static_assert((int)SLOTS <= (int)WSPI_APP_FIELDS, "there is room for what messages have said");

/*
 * Samples: who has a ticket authenticates by it (RFC 4120 3.3.1), so that nothing is said of passwords and keys of clients; others are told
 * to authenticate first if they have not, and that it failed if they have (3.1.3).
 */
static bool may_error(const wspi_coder *c, unsigned k)
{
    enum { AUTHENTICATION_FAILED = 24, AUTHENTICATE = 25 };
    static const uint8_t of_as[] = {AUTHENTICATION_FAILED, AUTHENTICATE, 6, 18, 23};
    uint64_t v = k < WSPI_COUNT(error) - 1 ? error[k].value : 0;

    if (!is_of_service(c) && v == (c->app.v[0][STAMPED] ? AUTHENTICATE : AUTHENTICATION_FAILED))
        return false;
    return !is_of_service(c) || !v || v > UINT8_MAX || !memchr(of_as, (int)v, sizeof of_as);
}

static void of_client(wspi_coder *c, unsigned n, unsigned *least, unsigned *most)
{
    (void)n;
    c->app.v[c->dir][PART] = WSPI_KERBEROS_CLIENT;
    *least = *most = 1;
}

static void of_service(wspi_coder *c, unsigned n, unsigned *least, unsigned *most)
{
    bool service = is_of_service(c);

    c->app.v[c->dir][PART] = n == 0    ? (service ? WSPI_KERBEROS_SERVICE : WSPI_KERBEROS_TICKETS)
                             : service ? WSPI_KERBEROS_HOST
                                       : WSPI_KERBEROS_REALM;
    *least = *most = 2;
}

static void lengths_of(const wspi_coder *c, enum wspi_kerberos_who who, uint8_t *from,
                       uint8_t *count)
{
    char s[WSPI_KERBEROS_LONGEST];

    *from = 0;
    *count = 1;
    if (c->fill)
        *from = (uint8_t)wspi_bin(wspi_kerberos_who(c, who, s), 1);
}

static void realm_lengths(const wspi_coder *c, uint8_t *from, uint8_t *count)
{
    lengths_of(c, WSPI_KERBEROS_REALM, from, count);
}

static void name_lengths(const wspi_coder *c, uint8_t *from, uint8_t *count)
{
    lengths_of(c, (enum wspi_kerberos_who)c->app.v[c->dir][PART], from, count);
}

/* The name, unless the length that was drawn deviates. */
static void put_name(wspi_coder *c, enum wspi_kerberos_who who, size_t n)
{
    char s[WSPI_KERBEROS_LONGEST];
    size_t len = wspi_kerberos_who(c, who, s);

    if (wspi_bin(len, 1) != wspi_bin(n, 1))
        wspi_app_text(c, n, 0, WSPI_TEXT_NAME);
    else
        wspi_app_put_bytes(c, s, len);
}

static void a_realm(wspi_coder *c, size_t n)
{
    put_name(c, WSPI_KERBEROS_REALM, n);
}

static void a_name(wspi_coder *c, size_t n)
{
    put_name(c, (enum wspi_kerberos_who)c->app.v[c->dir][PART], n);
}

/*
 * Samples: data for authentication in ascending order, at most two; that of a ticket begins with the ticket. The last one of
 * all is none that comes first.
 */
static bool may_padata(const wspi_coder *c, unsigned k)
{
    static const uint8_t of_as[] = {2, 128, 149, 150, 167};
    uint64_t v = k < WSPI_COUNT(padata) - 1 ? padata[k].value : 0, last = c->app.v[c->dir][PADATA],
             in = c->app.v[c->dir][MESSAGE];

    if (in == TGS_REQ)
        return v == (last ? 167 : 1);
    if (in == AS_REP)
        return v == 19;
    return v > last && v < 256 && memchr(of_as, (int)v, sizeof of_as) && (last || v != 167);
}

/* What is in front of the n-th. */
static void each_padata(wspi_coder *c, unsigned n, unsigned *least, unsigned *most)
{
    enum { TIME_STAMP = 2 };

    (void)n;
    (void)least;
    (void)most;
    if (c->app.v[c->dir][PADATA] == TIME_STAMP)
        c->app.v[c->dir][STAMPED] = 1;
}

/* Lengths of its values. */
static void padata_lengths(const wspi_coder *c, uint8_t *from, uint8_t *count)
{
    static const struct {
        uint8_t type;
        uint16_t least, most;
    } lengths[] = {{1, 512, 1535}, {2, 64, 95}, {19, 24, 63}, {128, 6, 7}, {167, 8, 11}};

    *from = 0;
    *count = 1;
    for (size_t k = 0; k < WSPI_COUNT(lengths); k++)
        if (lengths[k].type == c->app.v[c->dir][PADATA]) {
            *from = (uint8_t)wspi_bin(lengths[k].least, 1);
            *count = (uint8_t)(wspi_bin(lengths[k].most, 1) - *from + 1);
        }
}

static void a_padata_value(wspi_coder *c, size_t n)
{
    wspi_kerberos_padata(c, c->app.v[c->dir][PADATA], n);
}

/* What is encrypted: of a ticket much, of the rest what a segment has room for. */
static size_t cipher_room(const wspi_coder *c)
{
    enum { OF_TICKET = 850, OF_MESSAGE = 1340 };

    return c->pay.at < OF_MESSAGE - OF_TICKET - 100 ? OF_TICKET
           : c->pay.at < OF_MESSAGE - 100           ? OF_MESSAGE - c->pay.at
                                                    : 100;
}

static void cipher_lengths(const wspi_coder *c, uint8_t *from, uint8_t *count)
{
    *from = 8;
    *count = (uint8_t)(wspi_bin(cipher_room(c), 1) - *from + 1);
}

/* Samples: no cipher is twice in the list of those that a client has. */
static void each_etype(wspi_coder *c, unsigned n, unsigned *least, unsigned *most)
{
    uint64_t *said = &c->app.v[c->dir][CIPHERS];

    (void)least;
    *said = n ? *said | UINT64_C(1) << wspi_row_of(etype, c->app.v[c->dir][ETYPE]) : 0;
    *most = MAX_ETYPES + 1; /* more may follow them */
}

static bool may_etype(const wspi_coder *c, unsigned k)
{
    return !(c->app.v[c->dir][CIPHERS] >> k & 1);
}

/* The rest of it: numbers of one byte, or one of two. */
static void more_etypes(wspi_coder *c, size_t n)
{
    enum { LONGEST = 12 };
    static const uint8_t small[] = {24, 23, 3, 1, 16, 20, 19, 25};
    uint64_t last = c->app.v[c->dir][ETYPE];

    if (wspi_bin(n, 1) == wspi_bin(4, 1)) {
        wspi_app_put(c, 4, 0x0202ff7b);
        return;
    }
    n = (size_t)wspi_bin_start(wspi_bin(WSPI_MIN(n, (size_t)LONGEST), 1), 1);
    n = (n + 2) / 3;
    for (size_t k = 0; k < sizeof small && n > 0; k++)
        if (small[k] != last && may_etype(c, wspi_row_of(etype, small[k]))) {
            wspi_app_put(c, 2, 0x0201);
            wspi_app_put(c, 1, small[k]);
            n--;
        }
}

static void a_cipher(wspi_coder *c, size_t n)
{
    size_t least = (size_t)wspi_bin_start(wspi_bin(n, 1), 1);

    wspi_app_opaque(c, WSPI_MIN(n, WSPI_MAX(least, cipher_room(c))));
}

#define BOTH WSPI_BER_BOTH
#define END(name)                           \
    {                                       \
        .kind = WSPI_BER_END, .token = name \
    }
#define FIXED_INT(at, name, of, is)                                              \
    {                                                                            \
        .kind = WSPI_BER_INT, .outer = at, .tag = 2, .token = name, .field = of, \
        .pred = WSPI_BER_AS, .want = is                                          \
    }
#define INT(at, name, of) .kind = WSPI_BER_INT, .outer = at, .tag = 2, .token = name, .field = of
#define HIDDEN(at, of, name) \
    .kind = WSPI_BER_OPAQUE, .outer = at, .tag = of, .token = name, .field = LENGTH
#define STRING(at, name, n, of)                                                                   \
    .kind = WSPI_BER_NAME, .outer = at, .tag = 0x1b, .token = name, .field = NAMES, .sampled = n, \
    .make = of
#define REALM(at, name) STRING(at, name, realm_lengths, a_realm)
#define A_TIME(at, name, now) \
    .kind = WSPI_BER_TIME, .outer = at, .tag = 0x18, .token = name, .field = TIME, .is = now
#define SEQUENCE(at, name, has) \
    .kind = WSPI_BER_SEQ, .outer = at, .tag = 0x30, .token = name, .in = has
#define LIST(at, name, n, has) \
    .kind = WSPI_BER_LIST, .outer = at, .tag = 0x30, .token = name, .max = n, .in = has
#define CLIENT(at, name)  SEQUENCE(at, name, client)
#define SERVICE(at, name) SEQUENCE(at, name, service)
#define ENCRYPTED(at, name)           \
    {                                 \
        SEQUENCE(at, name, encrypted) \
    }
#define OPTIONAL .flags = WSPI_BER_OPTIONAL
#define SAMPLED  .flags = WSPI_BER_SAMPLED
#define USUAL    .flags = WSPI_BER_USUAL

/* RFC 4120 5.2 */
static const wspi_ber strings[] = {{STRING(0, E_NAME, name_lengths, a_name)}, END(E_NAMES_END)};
#define A_PRINCIPAL(type, of)                                                              \
    {                                                                                      \
        {INT(0xa0, E_NAME_TYPE, NAME_TYPE), BOTH(type, 1)},                                \
            {LIST(0xa1, E_NAMES, MAX_STRINGS, strings), .each = of}, END(E_PRINCIPAL_END), \
    }
static const wspi_ber client[] = A_PRINCIPAL(0, of_client), service[] = A_PRINCIPAL(1, of_service);
static const wspi_ber encrypted[] = {
    {INT(0xa0, E_CIPHER_TYPE, ETYPE), BOTH(0, 3)},
    {INT(0xa1, E_KEY_VERSION, KEY_VERSION), SAMPLED, BOTH(1, 3)},
    {HIDDEN(0xa2, 4, E_CIPHER), .sampled = cipher_lengths, .make = a_cipher},
    END(E_ENCRYPTED_END),
};
static const wspi_ber a_padata[] = {
    {INT(0xa1, E_PADATA_TYPE, PADATA), BOTH(0, 19), .may = may_padata},
    {HIDDEN(0xa2, 4, E_PADATA_VALUE), .sampled = padata_lengths, .make = a_padata_value},
    END(E_PADATA_ELEMENT_END),
};
static const wspi_ber padatas[] = {{SEQUENCE(0, E_PADATA_ELEMENT, a_padata)}, END(E_PADATA_END)};
/* Samples: those of a request for a ticket by a ticket have it (RFC 4120 5.4.1), others may. */
#define PADATAS(at, n, has)                                                          \
    {                                                                                \
        LIST(at, E_PADATA, MAX_PADATA, padatas), has, .most = n, .each = each_padata \
    }

/* 5.3 */
static const wspi_ber ticket[] = {
    FIXED_INT(0xa0, E_TICKET_VERSION, KRB_VERSION, 5),
    {REALM(0xa1, E_TICKET_REALM)},
    {SERVICE(0xa2, E_TICKET_SNAME)},
    ENCRYPTED(0xa3, E_TICKET_ENCRYPTED),
    END(E_TICKET_END),
};
static const wspi_ber ticket_body[] = {{SEQUENCE(0, E_TICKET_BODY, ticket)},
                                       END(E_TICKET_BODY_END)};

/* 5.4.1 */
static const wspi_ber etypes[] = {
    {INT(0, E_ETYPE, ETYPE), BOTH(0, 9), .may = may_etype},
    {.kind = WSPI_BER_END, .token = E_ETYPES_END, SAMPLED, BOTH(4, 4), .make = more_etypes}};
/* Samples have what a client asks with: who, or whose ticket, for which service, until when, with its list of ciphers. */
#define REQ_BODY(name, who, where, what)                                                           \
    static const wspi_ber name[] = {                                                               \
        {.kind = WSPI_BER_BITS,                                                                    \
         .outer = 0xa0,                                                                            \
         .tag = 3,                                                                                 \
         .token = E_OPTIONS,                                                                       \
         .field = OPTIONS,                                                                         \
         BOTH(0, 9)},                                                                              \
        {CLIENT(0xa1, E_CNAME), who},                                                              \
        {REALM(0xa2, E_REALM)},                                                                    \
        {SERVICE(0xa3, E_SNAME), USUAL},                                                           \
        {A_TIME(0xa4, E_FROM, wspi_kerberos_now), OPTIONAL},                                       \
        {A_TIME(0xa5, E_TILL, wspi_kerberos_till)},                                                \
        {A_TIME(0xa6, E_RENEW, wspi_kerberos_renew), SAMPLED},                                     \
        {INT(0xa7, E_NONCE, NUMBER)},                                                              \
        {LIST(0xa8, E_ETYPES, MAX_ETYPES, etypes), .each = each_etype},                            \
        {HIDDEN(0xa9, 0x30, E_ADDRESSES), where, BOTH(9, 1), .make = wspi_kerberos_addresses},     \
        {HIDDEN(0xaa, 0x30, E_AUTHORIZATION), what, BOTH(12, 3), .make = wspi_kerberos_encrypted}, \
        {HIDDEN(0xab, 0x30, E_TICKETS), OPTIONAL},                                                 \
        END(E_REQ_BODY_END),                                                                       \
    }
REQ_BODY(as_req_of, USUAL, SAMPLED, OPTIONAL);
REQ_BODY(tgs_req_of, OPTIONAL, OPTIONAL, SAMPLED);
#define A_REQUEST(number, has, of)                                                         \
    {                                                                                      \
        FIXED_INT(0xa1, E_VERSION, KRB_VERSION, 5), FIXED_INT(0xa2, E_TYPE, TYPE, number), \
            PADATAS(0xa3, 2, has), {SEQUENCE(0xa4, E_REQ_BODY, of)}, END(E_REQUEST_END)    \
    }
static const wspi_ber as_req[] = A_REQUEST(10, SAMPLED, as_req_of),
                      tgs_req[] = A_REQUEST(12, USUAL, tgs_req_of);

/* 5.4.2 */
#define A_REPLY(number, has)                                                               \
    {                                                                                      \
        FIXED_INT(0xa0, E_VERSION, KRB_VERSION, 5), FIXED_INT(0xa1, E_TYPE, TYPE, number), \
            PADATAS(0xa2, 1, has), {REALM(0xa3, E_CREALM)}, {CLIENT(0xa4, E_CNAME)},       \
            {.kind = WSPI_BER_SEQ,                                                         \
             .outer = 0xa5,                                                                \
             .tag = 0x61,                                                                  \
             .token = E_TICKET,                                                            \
             .in = ticket_body},                                                           \
            ENCRYPTED(0xa6, E_ENCRYPTED), END(E_REPLY_END)                                 \
    }
static const wspi_ber as_rep[] = A_REPLY(11, SAMPLED), tgs_rep[] = A_REPLY(13, OPTIONAL);

/* 5.9.1. What data these two have is not what is made up: [MS-KILE] 2.2.1. */
static const uint8_t other_data[] = {5, 6, 255};
static const wspi_ber errors[] = {
    FIXED_INT(0xa0, E_VERSION, KRB_VERSION, 5),
    FIXED_INT(0xa1, E_TYPE, TYPE, 30),
    {A_TIME(0xa2, E_CTIME, wspi_kerberos_now), OPTIONAL},
    {INT(0xa3, E_CUSEC, NUMBER), OPTIONAL, .is = wspi_kerberos_micros},
    {A_TIME(0xa4, E_STIME, wspi_kerberos_now)},
    {INT(0xa5, E_SUSEC, NUMBER), .is = wspi_kerberos_micros},
    {INT(0xa6, E_ERROR, ERROR), BOTH(0, 10), .barred = other_data, .may = may_error},
    {REALM(0xa7, E_CREALM), OPTIONAL},
    {CLIENT(0xa8, E_CNAME), OPTIONAL},
    {REALM(0xa9, E_REALM)},
    {SERVICE(0xaa, E_SNAME)},
    {HIDDEN(0xab, 0x1b, E_TEXT), OPTIONAL},
    {HIDDEN(0xac, 4, E_DATA), SAMPLED, BOTH(12, 2), .make = wspi_kerberos_methods},
    END(E_ERROR_END),
};

#define BODY(name, has) static const wspi_ber name[] = {{SEQUENCE(0, E_BODY, has)}, END(E_BODY_END)}
BODY(as_req_body, as_req);
BODY(as_rep_body, as_rep);
BODY(tgs_req_body, tgs_req);
BODY(tgs_rep_body, tgs_rep);
BODY(error_body, errors);
#define A_MESSAGE(at, has)                         \
    {                                              \
        .kind = WSPI_BER_SEQ, .tag = at, .in = has \
    }
static const wspi_ber messages[] = {
    A_MESSAGE(0x6a, as_req_body),  A_MESSAGE(0x6b, as_rep_body), A_MESSAGE(0x6c, tgs_req_body),
    A_MESSAGE(0x6d, tgs_rep_body), A_MESSAGE(0x7e, error_body),  END(E_MESSAGE),
};
static const wspi_ber row = {.kind = WSPI_BER_CHOICE,
                             .token = E_MESSAGE,
                             .field = MESSAGE,
                             .in = messages,
                             BOTH(0, 5),
                             .may = may_message};
static const wspi_ber_message of_messages = {
    .row = &row, .form = FORM, .element = ELEMENT, .length = LENGTH, .rest = E_REST};

/* ---- messages ---- */

/* A known tag, and a sequence that fills it. */
static bool is_message(const uint8_t *b, size_t n)
{
    wspi_ber_head h, in;

    if (!wspi_ber_peek(b, n, &h))
        return false;
    return wspi_app_is_listed(message, h.tag) &&
           wspi_ber_peek(b + 1 + h.width, n - 1 - h.width, &in) && in.tag == 0x30 &&
           1 + in.width + in.len == h.len;
}

static bool looks(const uint8_t *b, size_t n)
{
    return is_message(b, n) || (n > MARK && b[0] == 0 && is_message(b + MARK, n - MARK));
}

static void walk(wspi_coder *c)
{
    size_t start = c->pay.at, mark = wspi_app_is_stream(c) ? MARK : 0, len;
    uint64_t told;

    if (wspi_ber_continued(c))
        return;
    c->app.v[c->dir][PADATA] = c->app.v[c->dir][STAMPED] = 0; /* of a message before */
    told = wspi_app_get(c, mark);
    wspi_app_put(c, mark, 0);
    wspi_app_require(c, !c->enc || is_message(c->pay.in + c->pay.at, wspi_app_captured(c)));
    wspi_ber_one(c, &of_messages);
    if (wspi_app_stopped(c) || !mark)
        return;
    len = c->pay.at - start - mark + c->app.left[c->dir];
    wspi_app_require(c, !c->enc || told == len);
    for (size_t i = 0; i < mark && !c->enc; i++)
        c->pay.out->data[start + i] = (uint8_t)(len >> 8 * (mark - 1 - i));
}

const wspi_app wspi_app_kerberos = {
    .proto = {.name = "kerberos", .fields = fields, .n_fields = WSPI_COUNT(fields)},
    .over = WSPI_OVER_TCP | WSPI_OVER_UDP,
    .looks = looks,
    .walk = walk,
    .ports = {88},
    .ports_only = true,
    .turns = WSPI_IN_TURN,
};
