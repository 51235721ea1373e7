/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rtsp.c: RTSP over TCP (RFC 2326, RFC 7826), one of the dialects of http.c. Whom it concerns (targets, sessions,
 * credentials) is an identity. Media between messages (`$`, RFC 2326 10.12) are plain bytes.
 */
#include "token/app/http.h"

enum { STARTS_SAMPLED = 3, RESPONSE = 11 };
static const wspi_value starts[] = {
    {0, "OPTIONS"},   {1, "DESCRIBE"},        {2, "SETUP"},         {3, "PLAY"},     {4, "PAUSE"},
    {5, "TEARDOWN"},  {6, "GET_PARAMETER"},   {7, "SET_PARAMETER"}, {8, "ANNOUNCE"}, {9, "RECORD"},
    {10, "REDIRECT"}, {RESPONSE, "RTSP/1.0"}, {12, "RTSP/2.0"},     {0, NULL}};

static const wspi_value version[] = {{0, "1.0"}, {1, "2.0"}, {2, "1.0-lf"}, {3, "rest"}, {0, NULL}};
static const char *const versions[] = {" RTSP/1.0\r\n", " RTSP/2.0\r\n", " RTSP/1.0\n"};

/* With the usual phrase; the first ones for samples. */
static const wspi_value statuses[] = {{200, "200 OK"},
                                      {404, "404 Not Found"},
                                      {401, "401 Unauthorized"},
                                      {201, "201 Created"},
                                      {250, "250 Low on Storage Space"},
                                      {301, "301 Moved Permanently"},
                                      {302, "302 Moved Temporarily"},
                                      {400, "400 Bad Request"},
                                      {403, "403 Forbidden"},
                                      {405, "405 Method Not Allowed"},
                                      {406, "406 Not Acceptable"},
                                      {408, "408 Request Timeout"},
                                      {415, "415 Unsupported Media Type"},
                                      {451, "451 Parameter Not Understood"},
                                      {453, "453 Not Enough Bandwidth"},
                                      {454, "454 Session Not Found"},
                                      {455, "455 Method Not Valid in This State"},
                                      {457, "457 Invalid Range"},
                                      {459, "459 Aggregate Operation Not Allowed"},
                                      {461, "461 Unsupported Transport"},
                                      {500, "500 Internal Server Error"},
                                      {501, "501 Not Implemented"},
                                      {503, "503 Service Unavailable"},
                                      {505, "505 RTSP Version Not Supported"},
                                      {551, "551 Option not supported"},
                                      {0, NULL}};

#define COMMONS(X)                                                                               \
    X(SDP, "application/sdp")                                                                    \
    X(INTERLEAVED, "RTP/AVP/TCP;unicast;interleaved=0-1")                                        \
    X(INTERLEAVED_2, "RTP/AVP/TCP;unicast;interleaved=2-3")                                      \
    X(FROM_START, "npt=0.000-")                                                                  \
    X(FROM_START_2, "npt=0-")                                                                    \
    X(FROM_NOW, "npt=now-")                                                                      \
    X(NO_CACHE, "no-cache")                                                                      \
    X(REVALIDATE, "must-revalidate")                                                             \
    X(PUBLIC, "OPTIONS, DESCRIBE, SETUP, PLAY, TEARDOWN")                                        \
    X(PUBLIC_2, "OPTIONS, DESCRIBE, SETUP, TEARDOWN, PLAY")                                      \
    X(PUBLIC_3, "OPTIONS, DESCRIBE, SETUP, TEARDOWN, PLAY, PAUSE, GET_PARAMETER, SET_PARAMETER") \
    X(EN_US, "en-US")                                                                            \
    X(TRUE, "true")                                                                              \
    X(PARAMETERS, "text/parameters")

enum { COMMONS(WSPI_HTTP_COMMON_ID) COMMON_COUNT };
static const wspi_value commons[] = {COMMONS(WSPI_HTTP_COMMON_VALUE){0, NULL}};

#define HEADERS(X)                                                              \
    X(SEQUENCE, "CSeq", K_SEQUENCE, 0, 0, 0, 0, NULL)                           \
    X(USER_AGENT, "User-Agent", K_TEXT, 10, STAYS | ASKS, 0, 0, "%/1.0")        \
    X(SESSION, "Session", K_WHO, 0, STAYS | ECHO, 0, 0, "%%%%%%%%")             \
    X(TRANSPORT, "Transport", K_TEXT, 20, 0, C_INTERLEAVED, 1, NULL)            \
    X(ACCEPT, "Accept", K_TEXT, 8, ASKS | KNOWN, C_SDP, 1, NULL)                \
    X(RANGE, "Range", K_TEXT, 12, KNOWN, C_FROM_START, 0, NULL)                 \
    X(PUBLIC, "Public", K_TEXT, 8, ANSWERS | KNOWN, C_PUBLIC, 3, NULL)          \
    X(DATED, "Date", K_DATE, 0, ANSWERS, 0, 0, NULL)                            \
    X(SERVER, "Server", K_TEXT, 10, ANSWERS, 0, 0, "%/1.0")                     \
    X(LENGTH, "Content-Length", K_LENGTH, 0, 0, 0, 1, NULL)                     \
    X(TYPE, "Content-Type", K_TEXT, 8, KNOWN, C_SDP, 0, NULL)                   \
    X(BASE, "Content-Base", K_WHO, 0, 0, 0, 0, NULL)                            \
    X(BASE_2, "ContentBase", K_WHO, 0, 0, 0, 0, NULL)                           \
    X(INFO, "RTP-Info", K_WHO, 0, 0, 0, 0, NULL)                                \
    X(LANGUAGES, "Accept-Language", K_TEXT, 4, STAYS | KNOWN, C_EN_US, 0, NULL) \
    X(CACHE, "Cache-Control", K_TEXT, 8, KNOWN, C_NO_CACHE, 0, NULL)            \
    X(EXPIRES, "Expires", K_LATER, 0, 0, 0, 0, NULL)                            \
    X(MODIFIED, "Last-Modified", K_EARLIER, 0, 0, 0, 0, NULL)                   \
    X(AUTHENTICATE, "WWW-Authenticate", K_WHO, 0, 0, 0, 0, NULL)                \
    X(AUTHORIZATION, "Authorization", K_WHO, 0, 0, 0, 0, NULL)                  \
    X(REQUIRE, "Require", K_TEXT, 8, STAYS, 0, 0, NULL)                         \
    X(SUPPORTED, "Supported", K_TEXT, 8, STAYS, 0, 0, NULL)                     \
    X(BANDWIDTH, "Bandwidth", K_NUMBER, 0, 0, 0, 1, NULL)                       \
    X(BLOCK, "Blocksize", K_NUMBER, 0, 0, 0, 1, NULL)                           \
    X(SCALE, "Scale", K_TEXT, 8, STAYS, 0, 0, NULL)                             \
    X(SPEED, "Speed", K_TEXT, 8, STAYS, 0, 0, NULL)                             \
    X(CONNECTION, "Connection", K_TEXT, 8, STAYS, 0, 0, NULL)                   \
    X(ALIVE, "Keep-Alive", K_TEXT, 8, STAYS | KNOWN, C_TRUE, 0, NULL)           \
    X(TRANSPORT_OPTIONS, "x-Transport-Options", K_TEXT, 8, ECHO, 0, 0, NULL)    \
    X(TRANSPORT_OPTIONS_2, "x-transport-options", K_TEXT, 8, ECHO, 0, 0, NULL)  \
    X(RETRANSMIT, "x-Retransmit", K_TEXT, 8, ECHO, 0, 0, NULL)                  \
    X(DYNAMIC, "x-Dynamic-Rate", K_TEXT, 8, ECHO, 0, 0, NULL)                   \
    X(CHALLENGE, "ClientChallenge", K_WHO, 0, STAYS, 0, 0, NULL)                \
    X(LENGTH_2, "Content-length", K_LENGTH, 0, 0, 0, 1, NULL)                   \
    X(SEQUENCE_2, "Cseq", K_SEQUENCE, 0, 0, 0, 0, NULL)

#define HEADER_ROW(id, name, ...) {__VA_ARGS__, 0, 0},
enum { HEADERS(WSPI_HTTP_HEADER_ID) H_END };
static const wspi_value headers[] = {HEADERS(WSPI_HTTP_HEADER_VALUE){H_END, "end"}, {0, NULL}};
static const wspi_http_row rows[] = {HEADERS(HEADER_ROW){K_WHO, 0, STAYS, 0, 0, NULL, 0, 0}};

static const wspi_value prefixes[] = {{0, "RTP/AVP;unicast;client_port="},
                                      {1, "RTP/AVP/TCP;unicast;interleaved="},
                                      {2, "RTP/AVP/UDP;unicast;client_port="},
                                      {3, "RTP/AVP"},
                                      {4, "Digest "},
                                      {5, "Basic "},
                                      {6, "npt="},
                                      {7, "clock="},
                                      {8, "OPTIONS, "},
                                      {9, "LibVLC/"},
                                      {10, "Lavf"},
                                      {11, "(asked)"},
                                      {0, NULL}};

static const wspi_field fields[] = {
    WSPI_HTTP_FIELDS("rtsp", starts, version, statuses, headers, commons, prefixes, WSPI_R_NAME, 1),
    WSPI_HTTP_MORE("rtsp"),
    [SEQUENCE] = {"rtsp.sequence", 0, 40, WSPI_K_MAG, WSPI_P_CONST, WSPI_R_NONE, 0, NULL, 0}};

/* RFC 2326 12.17, 12.37, 12.39. No sample has a body, or goes on to play. */
static const uint8_t ask[] = {H_SEQUENCE, ABSENT}, set_up[] = {H_SEQUENCE, H_TRANSPORT, ABSENT},
                     is_up[] = {H_SEQUENCE, H_TRANSPORT, H_SESSION, ABSENT};
static const uint8_t *const asks[STARTS_SAMPLED] = {ask, ask, set_up};
static const uint8_t *const answers[STARTS_SAMPLED] = {ask, ask, is_up};

static wspi_http_words words;
const wspi_http_dialect wspi_rtsp = {
    .starts = starts,
    .statuses = statuses,
    .commons = commons,
    .headers = headers,
    .prefixes = prefixes,
    .rows = rows,
    .versions = versions,
    .version = " RTSP/",
    .digits = 3,
    .target = "rtsp://",
    .target_shape = "%.example/%",
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
    .statuses_sampled = 3,
    .answers_sampled = 1,
    .host = NEVER,
    .agent = NEVER,
    .sized = NEVER,
    .typed = NEVER,
    .coded = {NEVER, NEVER},
    .login = NEVER,
    .realm = NEVER,
    .bodyless = {NEVER, NEVER},
    .flags = REPEATS | ORDERED,
    .memory = WSPI_NAME_MAX,
    .words = &words,
};

static bool looks(const uint8_t *b, size_t n)
{
    return wspi_http_begins(&wspi_rtsp, b, n);
}

static void walk(wspi_coder *c)
{
    wspi_http_walk(c, &wspi_rtsp);
}

const wspi_app wspi_app_rtsp = {
    .proto = {.name = "rtsp", .fields = fields, .n_fields = WSPI_COUNT(fields)},
    .over = WSPI_OVER_TCP,
    .looks = looks,
    .walk = walk,
    .ports = {554, 8554},
    .turns = WSPI_IN_TURN,
};
