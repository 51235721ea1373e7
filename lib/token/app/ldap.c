/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ldap.c: LDAP and, in datagrams, CLDAP (RFC 4511, MS-ADTS 6.3.3): SEQUENCE { message id, operation, [0] controls }, one or
 * more in a segment; after a bind whose mechanism seals them, buffers of SASL.
 */
#include "token/app/ldap_samples.h"

enum {
    FORM,
    ELEMENT,
    LENGTH,
    ID,
    OPERATION,
    LDAP_VERSION,
    NAMES,
    AUTHENTICATION,
    MECHANISM,
    RESULT,
    MATCHED,
    DIAGNOSTIC,
    SCOPE,
    DEREF,
    SIZE_LIMIT,
    TIME_LIMIT,
    FLAG,
    FILTER,
    ATTRIBUTE,
    OBJECT
};

#define ELEMENTS(X)                                 \
    X(E_REST, "rest")                               \
    X(E_SEALED, "sealed")                           \
    X(E_MESSAGE, "message")                         \
    X(E_ID, "id")                                   \
    X(E_OPERATION, "operation")                     \
    X(E_MESSAGE_END, "message-end")                 \
    X(E_BIND_VERSION, "bind-version")               \
    X(E_BIND_NAME, "bind-name")                     \
    X(E_BIND_AUTH, "bind-auth")                     \
    X(E_BIND_END, "bind-end")                       \
    X(E_MECHANISM, "mechanism")                     \
    X(E_CREDENTIALS, "credentials")                 \
    X(E_SASL_END, "sasl-end")                       \
    X(E_RESULT, "result")                           \
    X(E_MATCHED, "matched")                         \
    X(E_DIAGNOSTIC, "diagnostic")                   \
    X(E_REFERRAL, "referral")                       \
    X(E_REPLY_CREDENTIALS, "reply-credentials")     \
    X(E_REPLY_NAME, "reply-name")                   \
    X(E_REPLY_VALUE, "reply-value")                 \
    X(E_RESULT_END, "result-end")                   \
    X(E_BASE, "base")                               \
    X(E_SCOPE, "scope")                             \
    X(E_DEREF, "deref")                             \
    X(E_SIZE_LIMIT, "size-limit")                   \
    X(E_TIME_LIMIT, "time-limit")                   \
    X(E_TYPES_ONLY, "types-only")                   \
    X(E_FILTER, "filter")                           \
    X(E_ATTRIBUTES, "attributes")                   \
    X(E_SEARCH_END, "search-end")                   \
    X(E_NESTED, "nested")                           \
    X(E_NESTED_END, "nested-end")                   \
    X(E_NESTED_REST, "nested-rest")                 \
    X(E_ASSERTION_ATTRIBUTE, "assertion-attribute") \
    X(E_ASSERTION_VALUE, "assertion-value")         \
    X(E_ASSERTION_END, "assertion-end")             \
    X(E_SELECTED, "selected")                       \
    X(E_SELECTED_END, "selected-end")               \
    X(E_ENTRY_NAME, "entry-name")                   \
    X(E_ENTRY_ATTRIBUTES, "entry-attributes")       \
    X(E_ENTRY_END, "entry-end")                     \
    X(E_ATTRIBUTE, "attribute")                     \
    X(E_ATTRIBUTE_LIST_END, "attribute-list-end")   \
    X(E_TYPE, "type")                               \
    X(E_VALUES, "values")                           \
    X(E_ATTRIBUTE_END, "attribute-end")             \
    X(E_VALUE, "value")                             \
    X(E_VALUES_END, "values-end")                   \
    X(E_OBJECT, "object")                           \
    X(E_OBJECT_END, "object-end")                   \
    X(E_ASSERTION, "assertion")                     \
    X(E_REQUEST_NAME, "request-name")               \
    X(E_REQUEST_VALUE, "request-value")             \
    X(E_REQUEST_END, "request-end")                 \
    X(E_CONTROLS, "controls")                       \
    X(E_CONTROL, "control")                         \
    X(E_CONTROL_LIST_END, "control-list-end")       \
    X(E_CONTROL_TYPE, "control-type")               \
    X(E_CRITICALITY, "criticality")                 \
    X(E_CONTROL_VALUE, "control-value")             \
    X(E_CONTROL_END, "control-end")
enum { ELEMENTS(WSPI_BER_NUMBER) };

static const wspi_value form[] = {WSPI_BER_FORMS, {0, NULL}};
static const wspi_value elements[] = {ELEMENTS(WSPI_BER_VALUE){0, NULL}};
static const wspi_value operation[] = {{0x60, "bind"},
                                       {0x63, "search"},
                                       {0x61, "bind-response"},
                                       {0x64, "entry"},
                                       {0x65, "search-done"},
                                       {0x42, "unbind"},
                                       {0x73, "reference"},
                                       {0x66, "modify"},
                                       {0x67, "modify-response"},
                                       {0x68, "add"},
                                       {0x69, "add-response"},
                                       {0x4a, "delete"},
                                       {0x6b, "delete-response"},
                                       {0x6c, "rename"},
                                       {0x6d, "rename-response"},
                                       {0x6e, "compare"},
                                       {0x6f, "compare-response"},
                                       {0x50, "abandon"},
                                       {0x77, "extended"},
                                       {0x78, "extended-response"},
                                       {0x79, "intermediate"},
                                       {0, NULL}};
static const wspi_value authentication[] = {{0x80, "simple"},          {0xa3, "sasl"},
                                            {0x89, "sicily-package"},  {0x8a, "sicily-negotiate"},
                                            {0x8b, "sicily-response"}, {0, NULL}};
static const wspi_value result[] = {{0, "success"},
                                    {1, "operations-error"},
                                    {2, "protocol-error"},
                                    {3, "time-limit"},
                                    {4, "size-limit"},
                                    {5, "compare-false"},
                                    {6, "compare-true"},
                                    {7, "auth-method"},
                                    {8, "stronger-auth"},
                                    {10, "referral"},
                                    {11, "admin-limit"},
                                    {12, "unavailable-extension"},
                                    {13, "confidentiality"},
                                    {14, "sasl-bind"},
                                    {16, "no-attribute"},
                                    {17, "undefined-type"},
                                    {18, "bad-matching"},
                                    {19, "constraint"},
                                    {20, "value-exists"},
                                    {21, "invalid-syntax"},
                                    {32, "no-object"},
                                    {33, "alias"},
                                    {34, "invalid-dn"},
                                    {48, "bad-auth"},
                                    {49, "invalid-credentials"},
                                    {50, "insufficient-rights"},
                                    {51, "busy"},
                                    {52, "unavailable"},
                                    {53, "unwilling"},
                                    {54, "loop"},
                                    {64, "naming"},
                                    {65, "object-class"},
                                    {66, "not-leaf"},
                                    {67, "not-on-rdn"},
                                    {68, "exists"},
                                    {80, "other-error"},
                                    {0, NULL}};
static const wspi_value scope[] = {
    {0, "base"}, {1, "one"}, {2, "subtree"}, {3, "children"}, {0, NULL}};
static const wspi_value deref[] = {
    {0, "never"}, {1, "searching"}, {2, "finding"}, {3, "always"}, {0, NULL}};
static const wspi_value flag[] = {{0, "false"}, {255, "true"}, {1, "one"}, {0, NULL}};
static const wspi_value filter[] = {{0xa3, "equal"},      {0x87, "present"}, {0xa5, "greater"},
                                    {0xa6, "less"},       {0xa8, "approx"},  {0xa0, "and"},
                                    {0xa1, "or"},         {0xa2, "not"},     {0xa4, "substrings"},
                                    {0xa9, "extensible"}, {0, NULL}};
/* Words are told by their numbers. */
static const wspi_value mechanism[] = {
    {0, "GSS-SPNEGO"},  {1, "GSSAPI"},        {2, "EXTERNAL"},       {3, "PLAIN"},
    {4, "DIGEST-MD5"},  {5, "CRAM-MD5"},      {6, "NTLM"},           {7, "ANONYMOUS"},
    {8, "SCRAM-SHA-1"}, {9, "SCRAM-SHA-256"}, {10, "SCRAM-SHA-512"}, {11, "SRP"},
    {0, NULL}};
static const wspi_value attribute[] = {{0, "objectClass"},
                                       {1, "cn"},
                                       {2, "name"},
                                       {3, "sAMAccountName"},
                                       {4, "mail"},
                                       {5, "description"},
                                       {6, "distinguishedName"},
                                       {7, "objectSid"},
                                       {8, "objectGUID"},
                                       {9, "objectCategory"},
                                       {10, "displayName"},
                                       {11, "userAccountControl"},
                                       {12, "memberOf"},
                                       {13, "member"},
                                       {14, "uid"},
                                       {15, "uidNumber"},
                                       {16, "gidNumber"},
                                       {17, "sn"},
                                       {18, "givenName"},
                                       {19, "ou"},
                                       {20, "dc"},
                                       {21, "o"},
                                       {22, "title"},
                                       {23, "telephoneNumber"},
                                       {24, "userPassword"},
                                       {25, "userCertificate"},
                                       {26, "servicePrincipalName"},
                                       {27, "userPrincipalName"},
                                       {28, "dNSHostName"},
                                       {29, "nTSecurityDescriptor"},
                                       {30, "pwdLastSet"},
                                       {31, "lastLogon"},
                                       {32, "badPwdCount"},
                                       {33, "primaryGroupID"},
                                       {34, "sAMAccountType"},
                                       {35, "instanceType"},
                                       {36, "whenCreated"},
                                       {37, "whenChanged"},
                                       {38, "uSNCreated"},
                                       {39, "uSNChanged"},
                                       {40, "modifyTimeStamp"},
                                       {41, "gPLink"},
                                       {42, "gPOptions"},
                                       {43, "gPCFileSysPath"},
                                       {44, "gPCFunctionalityVersion"},
                                       {45, "versionNumber"},
                                       {46, "flags"},
                                       {47, "keywords"},
                                       {48, "*"},
                                       {49, "+"},
                                       {50, "subschemaSubentry"},
                                       {51, "dsServiceName"},
                                       {52, "namingContexts"},
                                       {53, "defaultNamingContext"},
                                       {54, "schemaNamingContext"},
                                       {55, "configurationNamingContext"},
                                       {56, "rootDomainNamingContext"},
                                       {57, "supportedControl"},
                                       {58, "supportedLDAPVersion"},
                                       {59, "supportedLDAPPolicies"},
                                       {60, "supportedSASLMechanisms"},
                                       {61, "supportedExtension"},
                                       {62, "supportedCapabilities"},
                                       {63, "dnsHostName"},
                                       {64, "ldapServiceName"},
                                       {65, "serverName"},
                                       {66, "currentTime"},
                                       {67, "highestCommittedUSN"},
                                       {68, "domainFunctionality"},
                                       {69, "forestFunctionality"},
                                       {70, "domainControllerFunctionality"},
                                       {71, "isGlobalCatalogReady"},
                                       {72, "isSynchronized"},
                                       {73, "msDS-PortLDAP"},
                                       {74, "msDS-PortSSL"},
                                       {75, "invocationId"},
                                       {76, "attributeTypes"},
                                       {77, "objectClasses"},
                                       {78, "ditContentRules"},
                                       {79, "netlogon"},
                                       {80, "Netlogon"},
                                       {81, "NtVer"},
                                       {82, "DnsDomain"},
                                       {83, "Host"},
                                       {84, "DomainSid"},
                                       {85, "DomainGuid"},
                                       {86, "AAC"},
                                       {87, "User"},
                                       {88, "javaClassName"},
                                       {89, "javaCodeBase"},
                                       {90, "javaSerializedData"},
                                       {91, "javaFactory"},
                                       {92, "objectclass"},
                                       {93, "samaccountname"},
                                       {94, "objectcategory"},
                                       {95, "homeDirectory"},
                                       {96, "loginShell"},
                                       {97, "krbPrincipalName"},
                                       {98, "nisNetgroupTriple"},
                                       {99, "sudoUser"},
                                       {100, "createTimestamp"},
                                       {101, "entryUUID"},
                                       {0, NULL}};
/* Controls and extended operations. */
static const wspi_value object[] = {{0, "1.2.840.113556.1.4.319"},
                                    {1, "1.2.840.113556.1.4.1339"},
                                    {2, "1.2.840.113556.1.4.801"},
                                    {3, "1.2.840.113556.1.4.473"},
                                    {4, "1.2.840.113556.1.4.474"},
                                    {5, "1.2.840.113556.1.4.417"},
                                    {6, "1.2.840.113556.1.4.528"},
                                    {7, "1.2.840.113556.1.4.529"},
                                    {8, "1.2.840.113556.1.4.841"},
                                    {9, "1.2.840.113556.1.4.619"},
                                    {10, "1.2.840.113556.1.4.1413"},
                                    {11, "2.16.840.1.113730.3.4.2"},
                                    {12, "2.16.840.1.113730.3.4.18"},
                                    {13, "1.3.6.1.4.1.42.2.27.8.5.1"},
                                    {14, "1.3.6.1.1.12"},
                                    {15, "1.3.6.1.1.13.2"},
                                    {16, "1.3.6.1.4.1.1466.20037"},
                                    {17, "1.3.6.1.4.1.4203.1.11.3"},
                                    {18, "1.3.6.1.4.1.4203.1.11.1"},
                                    {19, "1.3.6.1.4.1.1466.20036"},
                                    {0, NULL}};

static const wspi_field fields[] = {
    [FORM] = {WSPI_ENUM("ldap.form", 8, form), .pred = WSPI_P_PREV},
    [ELEMENT] = {WSPI_ENUM("ldap.element", 8, elements)},
    [LENGTH] = {WSPI_MAG("ldap.length", 32, WSPI_R_NONE, 1)},
    [ID] = {WSPI_FREE("ldap.id", 64, WSPI_P_MIRROR, WSPI_R_NUMBER)},
    [OPERATION] = {WSPI_ENUM("ldap.operation", 8, operation)},
    [LDAP_VERSION] = {WSPI_MAG("ldap.version", 8, WSPI_R_NONE, 0), .arg = 3},
    [NAMES] = {WSPI_MAG("ldap.name", 16, WSPI_R_NAME, 1)},
    [AUTHENTICATION] = {WSPI_ENUM("ldap.authentication", 8, authentication)},
    [MECHANISM] = {WSPI_ENUM("ldap.mechanism", 8, mechanism)},
    [RESULT] = {WSPI_ENUM("ldap.result", 32, result)},
    [MATCHED] = {WSPI_MAG("ldap.matched", 16, WSPI_R_NAME, 1)},
    [DIAGNOSTIC] = {WSPI_MAG("ldap.diagnostic", 16, WSPI_R_NONE, 1)},
    [SCOPE] = {WSPI_ENUM("ldap.scope", 32, scope)},
    [DEREF] = {WSPI_ENUM("ldap.deref", 32, deref)},
    [SIZE_LIMIT] = {WSPI_MAG("ldap.size_limit", 32, WSPI_R_NONE, 0)},
    [TIME_LIMIT] = {WSPI_MAG("ldap.time_limit", 32, WSPI_R_NONE, 0)},
    [FLAG] = {WSPI_ENUM("ldap.flag", 8, flag)},
    [FILTER] = {WSPI_ENUM("ldap.filter", 8, filter)},
    [ATTRIBUTE] = {WSPI_ENUM("ldap.attribute", 8, attribute)},
    [OBJECT] = {WSPI_ENUM("ldap.object", 8, object)},
};

/* ---- elements ---- */

enum {
    SHOWN = 6,
    MAX_SELECTED = 4,
    MAX_ATTRIBUTES = 2,
    MAX_VALUES = 1,
    MAX_CONTROLS = 2,
    MAX_NESTED = 4,
    MAX_FIRST_ID = 3 /* clients count from 1 */
};

#define BOTH WSPI_BER_BOTH
#define END(name)                           \
    {                                       \
        .kind = WSPI_BER_END, .token = name \
    }
#define A_NAME(at, name)                                                             \
    {                                                                                \
        .kind = WSPI_BER_NAME, .tag = at, .token = name, .field = NAMES, BOTH(1, 12) \
    }
/* Samples bind as nobody: what a server says to a name that was made up is not what it says to its users. */
#define AN_EMPTY_NAME(at, name)                                                     \
    {                                                                               \
        .kind = WSPI_BER_NAME, .tag = at, .token = name, .field = NAMES, BOTH(0, 1) \
    }
#define HIDDEN(at, name) \
    .kind = WSPI_BER_OPAQUE, .tag = at, .token = name, .field = LENGTH, BOTH(1, 8)
#define A_WORD(at, name, of, n)                                                       \
    {                                                                                 \
        .kind = WSPI_BER_WORD, .tag = at, .token = name, .field = of, .rest = LENGTH, \
        .max = SHOWN, BOTH(0, n)                                                      \
    }
#define AN_ATTRIBUTE(at, name) A_WORD(at, name, ATTRIBUTE, 102)
/* Of what has a value: */
#define A_TYPE(at, name, others)                                                             \
    {                                                                                        \
        .kind = WSPI_BER_WORD, .tag = at, .token = name, .field = ATTRIBUTE, .rest = LENGTH, \
        .max = SHOWN, BOTH(0, 102), .barred = others                                         \
    }
#define NUMBER(at, name, of, is) \
    .kind = WSPI_BER_INT, .tag = at, .token = name, .field = of, .pred = WSPI_BER_AS, .want = is

/* ---- samples: who says what when ---- */

enum { BIND = 0x60, BIND_RESPONSE = 0x61, UNBIND = 0x42, SEARCH = 0x63, ENTRY = 0x64, DONE = 0x65 };

/* In a datagram the end of a search is behind what was found (MS-ADTS 6.3.3.2). */
static bool is_found(const wspi_coder *c)
{
    return !wspi_app_is_stream(c) && c->dir == 1 && c->app.v[1][OPERATION] == ENTRY;
}

/* A connection begins with a bind and ends with an unbind, a datagram asks at once; an answer is one to its question. */
static bool may_operation(const wspi_coder *c, unsigned k)
{
    uint64_t v = k < WSPI_COUNT(operation) - 1 ? operation[k].value : 0, asked = BIND;
    bool begun = wspi_app_last(c, false, OPERATION, &asked) || c->ctx->app.id[c->dir] == c->pay.app;

    if (c->dir == 0 && wspi_app_is_stream(c))
        return begun ? v == SEARCH || v == UNBIND : v == BIND;
    if (c->dir == 0)
        return v == SEARCH;
    if (is_found(c))
        return v == DONE;
    return asked == SEARCH ? v == ENTRY || v == DONE : v == BIND_RESPONSE;
}

/* Entries go on until the search is done; behind an unbind nothing does. */
static bool may_speak(const wsp_context *ctx, int dir)
{
    const wspi_app_state *s = &ctx->app;
    bool more = ctx->spoke == 1 && s->id[1] == WSPI_APP_LDAP && s->v[1][OPERATION] == ENTRY;

    if (ctx->spoke == 0 && s->id[0] == WSPI_APP_LDAP && s->v[0][OPERATION] == UNBIND)
        return false;
    return dir == 1 ? ctx->spoke == 0 || more : ctx->spoke == 1 && !more;
}

/*
 * Attributes whose values are structures of their own, which readers take apart: SIDs, GUIDs, certificates, NETLOGON's. In a search
 * for a domain controller values of some may be made up, in its answer the controller.
 */
static const uint8_t structured[] = {7, 8, 25, 29, 75, 79, 80, 81, 84, 85, 255},
                     unsearched[] = {7, 8, 25, 29, 75, 79, 80, 255},
                     unanswered[] = {7, 8, 25, 29, 75, 81, 84, 85, 255};

/* Lengths of values: of structures those that they have. */
static void asserted_lengths(const wspi_coder *c, uint8_t *from, uint8_t *count)
{
    size_t n = wspi_ldap_asserted(c->app.v[c->dir][ATTRIBUTE]);

    *from = (uint8_t)(n ? wspi_bin(n, 1) : 1);
    *count = n ? 1 : 9;
}

static void an_assertion_value(wspi_coder *c, size_t n)
{
    wspi_ldap_assertion(c, c->app.v[c->dir][ATTRIBUTE], n);
}

static void more_filters(wspi_coder *c, size_t n)
{
    wspi_ldap_filters(c, c->app.v[c->dir][ATTRIBUTE], n);
}

static void value_lengths(const wspi_coder *c, uint8_t *from, uint8_t *count)
{
    bool controller = wspi_ldap_is_netlogon(c->app.v[c->dir][ATTRIBUTE]);

    *from = (uint8_t)(controller ? wspi_bin(96, 1) : 1);
    *count = controller ? 1 : 16;
}

static void a_value(wspi_coder *c, size_t n)
{
    if (wspi_ldap_is_netlogon(c->app.v[c->dir][ATTRIBUTE]))
        wspi_ldap_controller(c, n);
    else
        wspi_app_opaque(c, n);
}

/* Of filters in filters in filters samples have no more in them. */
static bool may_nested(const wspi_coder *c, unsigned k)
{
    (void)c;
    return k < 5 || k == 8;
}

/* RFC 4511 4.2 */
static const wspi_ber sasl[] = {
    A_WORD(4, E_MECHANISM, MECHANISM, 0),
    {HIDDEN(4, E_CREDENTIALS), .flags = WSPI_BER_OPTIONAL},
    END(E_SASL_END),
};
static const wspi_ber authentications[] = {
    AN_EMPTY_NAME(0x80, E_BIND_AUTH),
    {.kind = WSPI_BER_SEQ, .tag = 0xa3, .in = sasl},
    END(E_BIND_AUTH),
};
static const wspi_ber bind[] = {
    {NUMBER(2, E_BIND_VERSION, LDAP_VERSION, 3)},
    AN_EMPTY_NAME(4, E_BIND_NAME),
    {.kind = WSPI_BER_CHOICE,
     .token = E_BIND_AUTH,
     .field = AUTHENTICATION,
     .in = authentications,
     BOTH(0, 1)},
    END(E_BIND_END),
};
/* All that an answer may have: of extended ones and binds, too. */
static const wspi_ber results[] = {
    {.kind = WSPI_BER_INT, .tag = 10, .token = E_RESULT, .field = RESULT, BOTH(0, 6)},
    {.kind = WSPI_BER_NAME, .tag = 4, .token = E_MATCHED, .field = MATCHED, .pred = WSPI_BER_AS},
    {.kind = WSPI_BER_OPAQUE,
     .tag = 4,
     .token = E_DIAGNOSTIC,
     .field = DIAGNOSTIC,
     .pred = WSPI_BER_AS},
    {HIDDEN(0xa3, E_REFERRAL), .flags = WSPI_BER_OPTIONAL},
    {HIDDEN(0x87, E_REPLY_CREDENTIALS), .flags = WSPI_BER_OPTIONAL},
    {.kind = WSPI_BER_WORD,
     .tag = 0x8a,
     .token = E_REPLY_NAME,
     .field = OBJECT,
     .rest = LENGTH,
     .max = SHOWN,
     .flags = WSPI_BER_OPTIONAL},
    {HIDDEN(0x8b, E_REPLY_VALUE), .flags = WSPI_BER_OPTIONAL},
    END(E_RESULT_END),
};

/* RFC 4511 4.5.1 */
static const wspi_ber assertion[] = {
    A_TYPE(4, E_ASSERTION_ATTRIBUTE, unsearched),
    {.kind = WSPI_BER_NAME,
     .tag = 4,
     .token = E_ASSERTION_VALUE,
     .field = NAMES,
     .sampled = asserted_lengths,
     .make = an_assertion_value},
    END(E_ASSERTION_END),
};
static const wspi_ber substrings[] = {
    A_TYPE(4, E_ASSERTION_ATTRIBUTE, structured),
    {.kind = WSPI_BER_OPAQUE,
     .tag = 0x30,
     .token = E_ASSERTION_VALUE,
     .field = LENGTH,
     BOTH(4, 6),
     .make = wspi_ldap_substring},
    END(E_ASSERTION_END),
};
#define AN_ASSERTION(at)                                 \
    {                                                    \
        .kind = WSPI_BER_SEQ, .tag = at, .in = assertion \
    }
#define A_NEST(at, in_it)                                                             \
    {                                                                                 \
        .kind = WSPI_BER_NEST, .tag = at, .max = MAX_NESTED, .in = in_it, BOTH(7, 6), \
        .make = more_filters                                                          \
    }
#define FILTERS(name, in_it)                                         \
    static const wspi_ber name[11] = {                               \
        AN_ASSERTION(0xa3),                                          \
        AN_ASSERTION(0xa5),                                          \
        AN_ASSERTION(0xa6),                                          \
        AN_ASSERTION(0xa8),                                          \
        AN_ATTRIBUTE(0x87, E_FILTER),                                \
        A_NEST(0xa0, in_it),                                         \
        A_NEST(0xa1, in_it),                                         \
        {.kind = WSPI_BER_NEST, .tag = 0xa2, .max = 1, .in = in_it}, \
        {.kind = WSPI_BER_SEQ, .tag = 0xa4, .in = substrings},       \
        {HIDDEN(0xa9, E_FILTER)},                                    \
        END(E_FILTER),                                               \
    }
#define A_FILTER(has) \
    .kind = WSPI_BER_CHOICE, .token = E_NESTED, .field = FILTER, .in = has, BOTH(0, 9)
/* Filters in filters, and those in these, in turns: the tables are the same but for what samples have. */
static const wspi_ber filters[11];
static const wspi_ber inmost = {A_FILTER(filters), .may = may_nested};
FILTERS(inner, &inmost);
static const wspi_ber nested = {A_FILTER(inner)};
FILTERS(filters, &nested);
static const wspi_ber selected[] = {AN_ATTRIBUTE(4, E_SELECTED),
                                    {.kind = WSPI_BER_END,
                                     .token = E_SELECTED_END,
                                     .flags = WSPI_BER_SAMPLED,
                                     BOTH(7, 9),
                                     .make = wspi_ldap_words}};
static const wspi_ber search[] = {
    {.kind = WSPI_BER_NAME,
     .tag = 4,
     .token = E_BASE,
     .field = NAMES,
     .sampled = wspi_ldap_which_base,
     .make = wspi_ldap_base},
    {.kind = WSPI_BER_INT, .tag = 10, .token = E_SCOPE, .field = SCOPE, BOTH(0, 3)},
    {NUMBER(10, E_DEREF, DEREF, 0)},
    {NUMBER(2, E_SIZE_LIMIT, SIZE_LIMIT, 0)},
    {NUMBER(2, E_TIME_LIMIT, TIME_LIMIT, 0), BOTH(1, 9)}, /* up to 511 seconds */
    {.kind = WSPI_BER_OCTET, .tag = 1, .token = E_TYPES_ONLY, .field = FLAG, .pred = WSPI_BER_AS},
    {.kind = WSPI_BER_CHOICE, .token = E_FILTER, .field = FILTER, .in = filters, BOTH(0, 9)},
    {.kind = WSPI_BER_LIST,
     .tag = 0x30,
     .token = E_ATTRIBUTES,
     .max = MAX_SELECTED,
     .most = MAX_SELECTED,
     .in = selected},
    END(E_SEARCH_END),
};

/* RFC 4511 4.1.7, 4.5.2, 4.7 */
static const wspi_ber values[] = {
    {.kind = WSPI_BER_OPAQUE,
     .tag = 4,
     .token = E_VALUE,
     .field = LENGTH,
     .sampled = value_lengths,
     .make = a_value},
    {.kind = WSPI_BER_END,
     .token = E_VALUES_END,
     .flags = WSPI_BER_SAMPLED,
     BOTH(7, 10),
     .make = wspi_ldap_words},
};
static const wspi_ber pair[] = {
    A_TYPE(4, E_TYPE, unanswered),
    {.kind = WSPI_BER_LIST, .tag = 0x31, .token = E_VALUES, .max = MAX_VALUES, .in = values},
    END(E_ATTRIBUTE_END),
};
static const wspi_ber pairs[] = {
    {.kind = WSPI_BER_SEQ, .tag = 0x30, .token = E_ATTRIBUTE, .in = pair},
    {.kind = WSPI_BER_END,
     .token = E_ATTRIBUTE_LIST_END,
     .flags = WSPI_BER_SAMPLED,
     BOTH(10, 9),
     .make = wspi_ldap_attributes},
};
static const wspi_ber entry[] = {
    {.kind = WSPI_BER_NAME,
     .tag = 4,
     .token = E_ENTRY_NAME,
     .field = NAMES,
     .sampled = wspi_ldap_which_entry,
     .make = wspi_ldap_entry},
    {.kind = WSPI_BER_LIST,
     .tag = 0x30,
     .token = E_ENTRY_ATTRIBUTES,
     .max = MAX_ATTRIBUTES,
     .in = pairs},
    END(E_ENTRY_END),
};

static const wspi_ber object_only[] = {A_NAME(4, E_OBJECT), END(E_OBJECT_END)};
static const wspi_ber comparison[] = {
    A_NAME(4, E_OBJECT),
    {.kind = WSPI_BER_SEQ, .tag = 0x30, .token = E_ASSERTION, .in = assertion},
    END(E_OBJECT_END),
};
static const wspi_ber extended[] = {
    A_WORD(0x80, E_REQUEST_NAME, OBJECT, 0),
    {HIDDEN(0x81, E_REQUEST_VALUE), .flags = WSPI_BER_OPTIONAL},
    END(E_REQUEST_END),
};

#define AN_OPERATION(at, has)                      \
    {                                              \
        .kind = WSPI_BER_SEQ, .tag = at, .in = has \
    }
static const wspi_ber operations[] = {
    AN_OPERATION(0x60, bind),
    AN_OPERATION(0x61, results),
    AN_OPERATION(0x63, search),
    AN_OPERATION(0x64, entry),
    AN_OPERATION(0x65, results),
    AN_OPERATION(0x66, object_only),
    AN_OPERATION(0x67, results),
    AN_OPERATION(0x68, entry),
    AN_OPERATION(0x69, results),
    AN_OPERATION(0x6b, results),
    AN_OPERATION(0x6c, object_only),
    AN_OPERATION(0x6d, results),
    AN_OPERATION(0x6e, comparison),
    AN_OPERATION(0x6f, results),
    AN_OPERATION(0x77, extended),
    AN_OPERATION(0x78, results),
    {.kind = WSPI_BER_FIXED, .tag = 0x42},
    A_NAME(0x4a, E_OPERATION),
    END(E_OPERATION),
};

/* RFC 4511 4.1.11 */
static const wspi_ber control[] = {
    A_WORD(4, E_CONTROL_TYPE, OBJECT, 0),
    {.kind = WSPI_BER_OCTET,
     .tag = 1,
     .token = E_CRITICALITY,
     .field = FLAG,
     .pred = WSPI_BER_AS,
     .want = 255,
     .flags = WSPI_BER_OPTIONAL},
    {HIDDEN(4, E_CONTROL_VALUE), .flags = WSPI_BER_OPTIONAL},
    END(E_CONTROL_END),
};
static const wspi_ber controls[] = {
    {.kind = WSPI_BER_SEQ, .tag = 0x30, .token = E_CONTROL, .in = control},
    END(E_CONTROL_LIST_END),
};
static const wspi_ber contents[] = {
    {.kind = WSPI_BER_INT,
     .tag = 2,
     .token = E_ID,
     .field = ID,
     .pred = WSPI_BER_ANSWER,
     .max = MAX_FIRST_ID},
    {.kind = WSPI_BER_CHOICE,
     .token = E_OPERATION,
     .field = OPERATION,
     .in = operations,
     BOTH(0, 6),
     .may = may_operation},
    {.kind = WSPI_BER_LIST,
     .tag = 0xa0,
     .token = E_CONTROLS,
     .max = MAX_CONTROLS,
     .in = controls,
     .flags = WSPI_BER_OPTIONAL},
    END(E_MESSAGE_END),
};
static const wspi_ber row = {.kind = WSPI_BER_SEQ, .tag = 0x30, .token = E_MESSAGE, .in = contents};
static const wspi_ber_message message = {.row = &row,
                                         .form = FORM,
                                         .forms = WSPI_FORM_MIXED,
                                         .element = ELEMENT,
                                         .length = LENGTH,
                                         .rest = E_REST,
                                         .sealed = E_SEALED,
                                         .goes_on = is_found};

/* A sequence, a message id, and an operation that is no longer than the sequence. */
static bool looks(const uint8_t *b, size_t n)
{
    wspi_ber_head h, id, op;
    size_t at;

    if (wspi_ber_sealed(b, n))
        return true;
    if (b[0] != 0x30 || !wspi_ber_peek(b, n, &h))
        return false;
    at = 1u + h.width;
    if (!wspi_ber_peek(b + at, n - at, &id) || id.tag != 2 || id.len == 0 || id.len > 5 ||
        n - at < 4 + id.len)
        return false;
    at += 2 + id.len;
    return wspi_ber_peek(b + at, n - at, &op) && wspi_app_is_listed(operation, op.tag) &&
           3 + id.len + op.width + op.len <= h.len;
}

static void walk(wspi_coder *c)
{
    wspi_ber_all(c, &message);
}

const wspi_app wspi_app_ldap = {
    .proto = {.name = "ldap", .fields = fields, .n_fields = WSPI_COUNT(fields)},
    .over = WSPI_OVER_TCP | WSPI_OVER_UDP,
    .looks = looks,
    .walk = walk,
    .ports = {389, 3268},
    .ports_only = true,
    .turns = WSPI_CLIENT_FIRST,
    .may_speak = may_speak,
    .once = true,
};
