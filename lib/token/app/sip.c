/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sip.c: SIP over UDP and TCP (RFC 3261), one of the dialects of http.c. Whom it concerns (request target, Via, From, To,
 * Call-ID, Contact, credentials) is an identity: its length is told and its bytes are not. A response repeats most of them.
 */
#include "token/app/http.h"

enum { REGISTER, INVITE, OPTIONS, STARTS_SAMPLED, RESPONSE = 14 };
static const wspi_value starts[] = {{REGISTER, "REGISTER"},
                                    {INVITE, "INVITE"},
                                    {OPTIONS, "OPTIONS"},
                                    {3, "ACK"},
                                    {4, "BYE"},
                                    {5, "CANCEL"},
                                    {6, "SUBSCRIBE"},
                                    {7, "NOTIFY"},
                                    {8, "PUBLISH"},
                                    {9, "MESSAGE"},
                                    {10, "INFO"},
                                    {11, "REFER"},
                                    {12, "UPDATE"},
                                    {13, "PRACK"},
                                    {RESPONSE, "SIP/2.0"},
                                    {0, NULL}};

static const wspi_value version[] = {{0, "2.0"}, {1, "2.0-lf"}, {2, "rest"}, {0, NULL}};
static const char *const versions[] = {" SIP/2.0\r\n", " SIP/2.0\n"};

/* With the usual phrase (RFC 3261 21); the first ones for samples. */
static const wspi_value statuses[] = {{200, "200 OK"},
                                      {100, "100 Trying"},
                                      {180, "180 Ringing"},
                                      {401, "401 Unauthorized"},
                                      {404, "404 Not Found"},
                                      {486, "486 Busy Here"},
                                      {183, "183 Session Progress"},
                                      {202, "202 Accepted"},
                                      {407, "407 Proxy Authentication Required"},
                                      {403, "403 Forbidden"},
                                      {487, "487 Request Terminated"},
                                      {481, "481 Call/Transaction Does Not Exist"},
                                      {408, "408 Request Timeout"},
                                      {480, "480 Temporarily Unavailable"},
                                      {488, "488 Not Acceptable Here"},
                                      {489, "489 Bad Event"},
                                      {500, "500 Server Internal Error"},
                                      {503, "503 Service Unavailable"},
                                      {603, "603 Decline"},
                                      {181, "181 Call Is Being Forwarded"},
                                      {182, "182 Queued"},
                                      {300, "300 Multiple Choices"},
                                      {301, "301 Moved Permanently"},
                                      {302, "302 Moved Temporarily"},
                                      {305, "305 Use Proxy"},
                                      {400, "400 Bad Request"},
                                      {402, "402 Payment Required"},
                                      {405, "405 Method Not Allowed"},
                                      {406, "406 Not Acceptable"},
                                      {410, "410 Gone"},
                                      {413, "413 Request Entity Too Large"},
                                      {415, "415 Unsupported Media Type"},
                                      {416, "416 Unsupported URI Scheme"},
                                      {420, "420 Bad Extension"},
                                      {421, "421 Extension Required"},
                                      {422, "422 Session Interval Too Small"},
                                      {423, "423 Interval Too Brief"},
                                      {482, "482 Loop Detected"},
                                      {483, "483 Too Many Hops"},
                                      {484, "484 Address Incomplete"},
                                      {485, "485 Ambiguous"},
                                      {491, "491 Request Pending"},
                                      {501, "501 Not Implemented"},
                                      {502, "502 Bad Gateway"},
                                      {504, "504 Server Time-out"},
                                      {505, "505 Version Not Supported"},
                                      {513, "513 Message Too Large"},
                                      {600, "600 Busy Everywhere"},
                                      {604, "604 Does Not Exist Anywhere"},
                                      {606, "606 Not Acceptable"},
                                      {0, NULL}};

#define COMMONS(X)                                                                           \
    X(SDP, "application/sdp")                                                                \
    X(SIPFRAG, "message/sipfrag")                                                            \
    X(PIDF, "application/pidf+xml")                                                          \
    X(SUMMARY, "application/simple-message-summary")                                         \
    X(PLAIN, "text/plain")                                                                   \
    X(DTMF, "application/dtmf-relay")                                                        \
    X(WATCHERS, "application/watcherinfo+xml")                                               \
    X(ALLOW, "INVITE, ACK, CANCEL, BYE, NOTIFY, REFER, MESSAGE, OPTIONS, INFO, SUBSCRIBE")   \
    X(ALLOW_2, "INVITE, ACK, CANCEL, OPTIONS, BYE, REFER, SUBSCRIBE, NOTIFY, INFO, PUBLISH") \
    X(ALLOW_3, "INVITE, ACK, CANCEL, OPTIONS, BYE, REFER, NOTIFY, MESSAGE, SUBSCRIBE, INFO") \
    X(ALLOW_4, "INVITE, ACK, CANCEL, OPTIONS, BYE")                                          \
    X(REPLACES_TIMER, "replaces, timer")                                                     \
    X(REPLACES, "replaces")                                                                  \
    X(REPLACES_TIMER_2, "replaces,timer")                                                    \
    X(TIMER, "timer")                                                                        \
    X(REL_100, "100rel")                                                                     \
    X(PRESENCE, "presence")                                                                  \
    X(WAITING, "message-summary")                                                            \
    X(REFER, "refer")                                                                        \
    X(WATCHER, "presence.winfo")                                                             \
    X(REGISTRATION, "reg")                                                                   \
    X(DIALOG, "dialog")                                                                      \
    X(PRESENCE_KPML, "presence, kpml")                                                       \
    X(SCANNER, "friendly-scanner")                                                           \
    X(TEST, "Performance Test")                                                              \
    X(ENGLISH, "en")                                                                         \
    X(NO_PRIVACY, "none")                                                                    \
    X(IDENTITY, "id")

enum { COMMONS(WSPI_HTTP_COMMON_ID) COMMON_COUNT };
static const wspi_value commons[] = {COMMONS(WSPI_HTTP_COMMON_VALUE){0, NULL}};

/* Samples. */
#define VIA       "SIP/2.0/UDP %.example:5060;branch=z9hG4bK%"
#define ADDRESS   "<sip:%@%.example>"
#define CALL      "%@%.example"
#define CHALLENGE "realm=\"%\", nonce=\"%\""
/* RFC 8866 5: sound to an address of documents. */
static const char session[] =
    "v=0\r\no=% 1 1 IN IP4 192.0.2.1\r\ns=%\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\n"
    "m=audio 5004 RTP/AVP 0\r\na=%\r\n";

/* Name, then its row; the compact forms of RFC 3261 7.3.3 are names of their own. */
#define HEADERS(X)                                                                                \
    X(VIA, "Via", K_WHO, 0, ECHO, 0, 0, VIA, 0, 0)                                                \
    X(FROM, "From", K_WHO, 0, STAYS | ECHO, 0, 0, ADDRESS ";tag=%", 0, 0)                         \
    X(TO, "To", K_WHO, 0, STAYS | ECHO | TAGGED, 0, 0, ADDRESS, 0, 0)                             \
    X(CALL, "Call-ID", K_WHO, 0, STAYS | ECHO, 0, 0, CALL, 0, 0)                                  \
    X(SEQUENCE, "CSeq", K_SEQUENCE, 0, 0, 0, 0, NULL, 0, 0)                                       \
    X(HOPS, "Max-Forwards", K_NUMBER, 0, 0, 7, 1, NULL, 0, 0)                                     \
    X(CONTACT, "Contact", K_WHO, 0, STAYS | ANSWERS, 0, 0, ADDRESS, 0, 0)                         \
    X(LENGTH, "Content-Length", K_LENGTH, 0, 0, 0, 1, NULL, 0, 0)                                 \
    X(USER_AGENT, "User-Agent", K_TEXT, 10, STAYS | ASKS | ANSWERS, 0, 0, "%/1.0", 3, 5)          \
    X(SERVER, "Server", K_TEXT, 10, ANSWERS, 0, 0, "%/1.0", 0, 0)                                 \
    X(ALLOW, "Allow", K_LIST, 8, STAYS | ECHO | ASKS | ANSWERS | SPELT, C_ALLOW, 4, NULL, 8, 1)   \
    X(SUPPORTED, "Supported", K_LIST, 8, STAYS | ECHO | ASKS | ANSWERS | SPELT, C_REPLACES_TIMER, \
      3, NULL, 0, 0)                                                                              \
    X(EXPIRES, "Expires", K_NUMBER, 0, ASKS, 7, 6, NULL, 0, 0)                                    \
    X(ACCEPT, "Accept", K_TEXT, 8, STAYS | KNOWN | ASKS | ANSWERS, C_SDP, 1, NULL, 0, 0)          \
    X(TYPE, "Content-Type", K_TEXT, 8, KNOWN | ASKS | ANSWERS, C_SDP, 1, NULL, 0, 0)              \
    X(EVENTS, "Allow-Events", K_LIST, 8, STAYS | ECHO | ASKS | ANSWERS | SPELT, C_PRESENCE, 7,    \
      NULL, 0, 0)                                                                                 \
    X(EVENT, "Event", K_TEXT, 8, STAYS | ECHO, 0, 0, NULL, 0, 0)                                  \
    X(SUBJECT, "Subject", K_WHO, 0, STAYS | ASKS, C_TEST, 1, NULL, 0, 0)                          \
    X(AUTHENTICATE, "WWW-Authenticate", K_WHO, 0, ANSWERS, 0, 0, CHALLENGE, 2, 1)                 \
    X(AUTHORIZATION, "Authorization", K_WHO, 0, 0, 0, 0, NULL, 0, 0)                              \
    X(PROXY_AUTHENTICATE, "Proxy-Authenticate", K_WHO, 0, 0, 0, 0, NULL, 0, 0)                    \
    X(PROXY_AUTHORIZATION, "Proxy-Authorization", K_WHO, 0, 0, 0, 0, NULL, 0, 0)                  \
    X(RECORD_ROUTE, "Record-Route", K_WHO, 0, ECHO, 0, 0, NULL, 0, 0)                             \
    X(ROUTE, "Route", K_WHO, 0, STAYS, 0, 0, NULL, 0, 0)                                          \
    X(DATED, "Date", K_DATE, 0, ASKS | ANSWERS, 0, 0, NULL, 0, 0)                                 \
    X(SESSION, "Session-Expires", K_TEXT, 8, 0, 0, 0, NULL, 0, 0)                                 \
    X(LEAST_SESSION, "Min-SE", K_NUMBER, 0, ASKS, 7, 5, NULL, 0, 0)                               \
    X(LEAST_EXPIRES, "Min-Expires", K_NUMBER, 0, 0, 0, 1, NULL, 0, 0)                             \
    X(REASON, "Reason", K_TEXT, 12, 0, 0, 0, NULL, 0, 0)                                          \
    X(WARNING, "Warning", K_WHO, 0, 0, 0, 0, NULL, 0, 0)                                          \
    X(REQUIRE, "Require", K_TEXT, 8, STAYS, 0, 0, NULL, 0, 0)                                     \
    X(UNSUPPORTED, "Unsupported", K_TEXT, 8, STAYS, 0, 0, NULL, 0, 0)                             \
    X(STATE, "Subscription-State", K_TEXT, 8, 0, 0, 0, NULL, 0, 0)                                \
    X(RETRY, "Retry-After", K_NUMBER, 0, 0, 0, 1, NULL, 0, 0)                                     \
    X(RELIABLE, "RSeq", K_NUMBER, 0, 0, 0, 1, NULL, 0, 0)                                         \
    X(RELIABLE_ACK, "RAck", K_WHO, 0, 0, 0, 0, NULL, 0, 0)                                        \
    X(REFER_TO, "Refer-To", K_WHO, 0, 0, 0, 0, NULL, 0, 0)                                        \
    X(REFERRED, "Referred-By", K_WHO, 0, 0, 0, 0, NULL, 0, 0)                                     \
    X(ASSERTED, "P-Asserted-Identity", K_WHO, 0, STAYS, 0, 0, NULL, 0, 0)                         \
    X(PREFERRED, "P-Preferred-Identity", K_WHO, 0, STAYS, 0, 0, NULL, 0, 0)                       \
    X(ASSOCIATED, "P-Associated-URI", K_WHO, 0, STAYS, 0, 0, NULL, 0, 0)                          \
    X(HISTORY, "History-Info", K_WHO, 0, STAYS, 0, 0, NULL, 0, 0)                                 \
    X(REMOTE, "Remote-Party-ID", K_WHO, 0, STAYS, 0, 0, NULL, 0, 0)                               \
    X(PRIVACY, "Privacy", K_TEXT, 8, STAYS, 0, 0, NULL, 0, 0)                                     \
    X(LANGUAGES, "Accept-Language", K_TEXT, 4, STAYS | KNOWN, C_ENGLISH, 0, NULL, 0, 0)           \
    X(ENCODINGS, "Accept-Encoding", K_TEXT, 4, STAYS, 0, 0, NULL, 0, 0)                           \
    X(DISPOSITION, "Content-Disposition", K_TEXT, 8, 0, 0, 0, NULL, 0, 0)                         \
    X(ALERT, "Alert-Info", K_WHO, 0, 0, 0, 0, NULL, 0, 0)                                         \
    X(PATH, "Path", K_WHO, 0, STAYS, 0, 0, NULL, 0, 0)                                            \
    X(MIME, "MIME-Version", K_TEXT, 4, STAYS, 0, 0, NULL, 0, 0)                                   \
    X(ETAG, "SIP-ETag", K_WHO, 0, 0, 0, 0, NULL, 0, 0)                                            \
    X(IF_MATCH, "SIP-If-Match", K_WHO, 0, 0, 0, 0, NULL, 0, 0)                                    \
    X(V, "v", K_WHO, 0, ECHO, 0, 0, NULL, 0, 0)                                                   \
    X(F, "f", K_WHO, 0, STAYS | ECHO, 0, 0, NULL, 0, 0)                                           \
    X(T, "t", K_WHO, 0, STAYS | ECHO, 0, 0, NULL, 0, 0)                                           \
    X(I, "i", K_WHO, 0, STAYS | ECHO, 0, 0, NULL, 0, 0)                                           \
    X(M, "m", K_WHO, 0, STAYS, 0, 0, NULL, 0, 0)                                                  \
    X(L, "l", K_LENGTH, 0, 0, 0, 1, NULL, 0, 0)                                                   \
    X(C, "c", K_TEXT, 8, KNOWN, C_SDP, 0, NULL, 0, 0)                                             \
    X(K, "k", K_TEXT, 8, STAYS | ECHO, 0, 0, NULL, 0, 0)                                          \
    X(S, "s", K_WHO, 0, STAYS, 0, 0, NULL, 0, 0)                                                  \
    X(E, "e", K_TEXT, 4, 0, 0, 0, NULL, 0, 0)                                                     \
    X(O, "o", K_TEXT, 8, STAYS | ECHO, 0, 0, NULL, 0, 0)                                          \
    X(U, "u", K_TEXT, 8, STAYS | ECHO, 0, 0, NULL, 0, 0)                                          \
    X(R, "r", K_WHO, 0, 0, 0, 0, NULL, 0, 0)                                                      \
    X(CALL_2, "Call-Id", K_WHO, 0, STAYS | ECHO, 0, 0, CALL, 0, 0)                                \
    X(SEQUENCE_2, "Cseq", K_SEQUENCE, 0, 0, 0, 0, NULL, 0, 0)                                     \
    X(SEQUENCE_3, "CSEQ", K_SEQUENCE, 0, 0, 0, 0, NULL, 0, 0)                                     \
    X(VIA_2, "VIA", K_WHO, 0, ECHO, 0, 0, VIA, 0, 0)                                              \
    X(LENGTH_2, "Content-length", K_LENGTH, 0, 0, 0, 1, NULL, 0, 0)                               \
    X(REFER_TO_2, "Refer-to", K_WHO, 0, 0, 0, 0, NULL, 0, 0)

#define HEADER_ROW(id, name, ...) {__VA_ARGS__},
enum { HEADERS(WSPI_HTTP_HEADER_ID) H_END };
static const wspi_value headers[] = {HEADERS(WSPI_HTTP_HEADER_VALUE){H_END, "end"}, {0, NULL}};
static const wspi_http_row rows[] = {HEADERS(HEADER_ROW){K_WHO, 0, 0, 0, 0, NULL, 0, 0}};

/* How values begin that are spelled, and that of the request. */
static const wspi_value prefixes[] = {
    {0, "SIP/2.0/TCP "},  {1, "SIP/2.0/TLS "}, {2, "Digest "},  {3, "Asterisk PBX "},
    {4, "FPBX-"},         {5, "Cisco-"},       {6, "Linphone"}, {7, "Zoiper "},
    {8, "INVITE, ACK, "}, {9, "application/"}, {10, "Q.850"},   {11, "active"},
    {12, "terminated"},   {13, "(asked)"},     {0, NULL}};

static const wspi_field fields[] = {
    WSPI_HTTP_FIELDS("sip", starts, version, statuses, headers, commons, prefixes, WSPI_R_NAME, 1),
    WSPI_HTTP_MORE("sip"),
    [SEQUENCE] = {"sip.sequence", 0, 40, WSPI_K_MAG, WSPI_P_CONST, WSPI_R_NONE, 0, NULL, 0}};

/* RFC 3261 8.1.1; a response has those of the request (8.2.6.2). Bodies of samples are offers and answers of sessions. */
static const uint8_t ask[] = {H_VIA,  H_FROM,    H_TO,     H_CALL, H_SEQUENCE,
                              H_HOPS, H_CONTACT, H_LENGTH, ABSENT};
static const uint8_t answer[] = {H_VIA, H_FROM, H_TO, H_CALL, H_SEQUENCE, H_LENGTH, ABSENT};
static const uint8_t *const asks[STARTS_SAMPLED] = {ask, ask, ask};
static const uint8_t *const answers[STARTS_SAMPLED] = {answer, answer, answer};

static wspi_http_words words;
const wspi_http_dialect wspi_sip = {
    .starts = starts,
    .statuses = statuses,
    .commons = commons,
    .headers = headers,
    .prefixes = prefixes,
    .rows = rows,
    .versions = versions,
    .version = " SIP/2.",
    .digits = 1,
    .target = "sip:",
    .target_shape = "%.example",
    .asks = asks,
    .answers = answers,
    .response = RESPONSE,
    .n_starts = WSPI_COUNT(starts) - 1,
    .n_versions = WSPI_COUNT(versions),
    .n_commons = COMMON_COUNT,
    .n_headers = H_END,
    .n_prefixes = WSPI_COUNT(prefixes) - 2,
    .starts_sampled = STARTS_SAMPLED,
    .versions_sampled = 1,
    .statuses_sampled = 8,
    .answers_sampled = 1,
    .host = NEVER,
    .agent = NEVER,
    .sized = H_LENGTH,
    .typed = H_TYPE,
    .session = session,
    .coded = {NEVER, NEVER},
    .login = NEVER,
    .realm = H_AUTHENTICATE,
    .bodyless = {NEVER, NEVER},
    .bodies = {INVITE, 1},
    .flags = REPEATS | ORDERED | METHOD_TOLD | FREELY,
    .mixed = 3, /* where to, how far and how long */
    .memory = WSPI_NAME_MAX,
    .words = &words,
};

static bool looks(const uint8_t *b, size_t n)
{
    return wspi_http_begins(&wspi_sip, b, n);
}

static void walk(wspi_coder *c)
{
    wspi_http_walk(c, &wspi_sip);
}

const wspi_app wspi_app_sip = {
    .proto = {.name = "sip", .fields = fields, .n_fields = WSPI_COUNT(fields)},
    .over = WSPI_OVER_UDP | WSPI_OVER_TCP,
    .looks = looks,
    .walk = walk,
    .ports = {5060},
    .clients = {{5060, 5060}},
    .ports_only = true,
};
