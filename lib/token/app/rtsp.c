/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rtsp.c: RTSP over TCP (RFC 2326, RFC 7826), one of the dialects of http.c. Whom it concerns (targets, sessions,
 * credentials) is an identity. Media between messages (`$`, RFC 2326 10.12) are plain bytes.
 */
#include "token/app/http.h"

#include <inttypes.h>
#include <stdio.h>

enum {
    OPTIONS,
    DESCRIBE,
    SETUP,
    PLAY,
    PAUSE,
    TEARDOWN,
    GET_PARAMETER,
    STARTS_SAMPLED,
    RESPONSE = 11
};
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
    X(RANGE, "Range", K_TEXT, 12, ASKS | KNOWN, C_FROM_START, 1, NULL)          \
    X(PUBLIC, "Public", K_TEXT, 8, ANSWERS | KNOWN, C_PUBLIC, 3, NULL)          \
    X(DATED, "Date", K_DATE, 0, ANSWERS, 0, 0, NULL)                            \
    X(SERVER, "Server", K_TEXT, 10, ANSWERS, 0, 0, "%/1.0")                     \
    X(LENGTH, "Content-Length", K_LENGTH, 0, ANSWERS, 0, 1, NULL)               \
    X(TYPE, "Content-Type", K_TEXT, 8, ANSWERS | KNOWN, C_SDP, 1, NULL)         \
    X(BASE, "Content-Base", K_WHO, 0, ANSWERS, 0, 0, NULL)                      \
    X(BASE_2, "ContentBase", K_WHO, 0, 0, 0, 0, NULL)                           \
    X(INFO, "RTP-Info", K_WHO, 0, ANSWERS, 0, 0, NULL)                          \
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
    WSPI_HTTP_MORE("rtsp"), [SEQUENCE] = {WSPI_MAG("rtsp.sequence", 40, WSPI_R_NONE, 0)}};

/* RFC 2326 12.17, 12.37, 12.39. */
static const uint8_t ask[] = {H_SEQUENCE, ABSENT}, set_up[] = {H_SEQUENCE, H_TRANSPORT, ABSENT},
                     of_session[] = {H_SEQUENCE, H_SESSION, ABSENT},
                     is_up[] = {H_SEQUENCE, H_TRANSPORT, H_SESSION, ABSENT},
                     described[] = {H_SEQUENCE, H_TYPE, H_LENGTH, ABSENT};
static const uint8_t *const asks[STARTS_SAMPLED] = {ask,        ask,        set_up,    of_session,
                                                    of_session, of_session, of_session};
static const uint8_t *const answers[STARTS_SAMPLED] = {
    ask, described, is_up, of_session, of_session, of_session, of_session};

/* ---- samples: one client looks at one stream of one server (RFC 2326 14.2) ---- */

/* Not shorter than the least length that bodies of sessions have. */
static const char session[] =
    "v=0\r\no=- 1 1 IN IP4 0.0.0.0\r\ns=%\r\nc=IN IP4 0.0.0.0\r\nt=0 0\r\n"
    "m=video 0 RTP/AVP 96\r\na=rtpmap:96 H264/90000\r\na=control:trackID=1\r\n";

/* What may be asked for next, a bit each, by what was asked for last of the first four, or that the session is over. */
static const uint8_t next[] = {
    [0] = 1 << OPTIONS | 1 << DESCRIBE,
    [1 + OPTIONS] = 1 << DESCRIBE,
    [1 + DESCRIBE] = 1 << SETUP,
    [1 + SETUP] = 1 << PLAY | 1 << TEARDOWN,
    [1 + PLAY] = 1 << OPTIONS | 1 << GET_PARAMETER | 1 << TEARDOWN, /* keep it alive */
    [1 + PAUSE] = 1 << PLAY | 1 << TEARDOWN,
    [1 + TEARDOWN] = 0,
};

static bool is_rtsp(const wsp_context *ctx, int dir)
{
    return ctx->app.id[dir] == WSPI_APP_RTSP;
}

/* How far the session has come: an index of `next`. */
static size_t stage(const wspi_app_state *s)
{
    return (size_t)WSPI_MIN(s->v[0][KEPT], WSPI_COUNT(next) - 1);
}

static void noted(wspi_http_message *w, unsigned k, size_t at, bool again)
{
    uint64_t *v = &w->c->app.v[0][KEPT];

    (void)at;
    (void)again;
    if (k == H_END && w->c->dir == 0 && w->method <= TEARDOWN && w->method >= *v)
        *v = w->method + 1;
}

static bool may_start(const wspi_http_message *w, unsigned k)
{
    const wsp_context *ctx = w->c->ctx;

    return w->c->dir || next[is_rtsp(ctx, 0) ? stage(&ctx->app) : 0] >> k & 1;
}

/* What is refused has data that is not made up: where else it is, how one logs in. */
static bool may_answer(const wspi_http_message *w, unsigned status)
{
    (void)w;
    return status == 200;
}

/* The request that is told, or answered. */
static uint64_t about(const wspi_http_message *w)
{
    uint64_t k = w->method;

    if (w->c->dir && !wspi_app_last(w->c, false, START, &k))
        k = NEVER;
    return k;
}

/* RFC 2326 12: headers of one request, or of its answer. */
static bool may_have(const wspi_http_message *w, unsigned k)
{
    static const struct {
        uint8_t header, request;
    } of[] = {{H_ACCEPT, DESCRIBE},
              {H_RANGE, PLAY},
              {H_PUBLIC, OPTIONS},
              {H_BASE, DESCRIBE},
              {H_INFO, PLAY}};

    for (size_t i = 0; i < WSPI_COUNT(of); i++)
        if (of[i].header == k)
            return about(w) == of[i].request;
    return true;
}

static bool may_repeat(const wspi_http_message *w, unsigned k)
{
    return wspi_http_is_alike(w->d, k, H_USER_AGENT) && may_have(w, k);
}

static unsigned has_to_have(const wspi_http_message *w)
{
    (void)w;
    return ABSENT;
}

enum { OF_HOST, OF_PATH, OF_SESSION, OF_AGENT, OF_SERVER, OF_STREAM };

/* n letters of the flow's. */
static size_t word(const wspi_coder *c, uint64_t what, size_t n, char *b)
{
    wspi_rng r = wspi_app_of_flow(c, what);

    for (size_t i = 0; i < n; i++)
        b[i] = (char)('a' + wspi_rng_below(&r, 26));
    return n;
}

/* Behind "rtsp://". */
static size_t where(const wspi_coder *c, char *b, const char *end)
{
    wspi_rng r = wspi_app_of_flow(c, OF_HOST);
    char host[16] = {0}, path[16] = {0};

    (void)word(c, OF_HOST + 16, 4 + (size_t)wspi_rng_below(&r, 8), host);
    (void)word(c, OF_PATH, 4 + (size_t)wspi_rng_below(&r, 8), path);
    return (size_t)snprintf(b, WSPI_HTTP_DUE, "%s.example/%s%s", host, path, end);
}

static size_t target(wspi_http_message *w, char b[WSPI_HTTP_DUE], bool *must)
{
    *must = true;
    return where(w->c, b, w->method == SETUP ? "/trackID=1" : "");
}

static size_t one_of(const wspi_coder *c, uint64_t what, const char *const *words, size_t n,
                     char *b)
{
    wspi_rng r = wspi_app_of_flow(c, what);

    return (size_t)snprintf(b, WSPI_HTTP_DUE, "%s", words[wspi_rng_below(&r, n)]);
}

/* RFC 2326 12.33: where the stream is, and its first numbers. */
static size_t info(const wspi_coder *c, char *b)
{
    wspi_rng r = wspi_app_of_flow(c, OF_STREAM);
    char at[64];
    uint64_t first = wspi_rng_u64(&r);

    (void)where(c, b, "/trackID=1");
    (void)snprintf(at, sizeof at, "%s", b);
    return (size_t)snprintf(b, WSPI_HTTP_DUE, "url=rtsp://%s;seq=%" PRIu64 ";rtptime=%" PRIu64, at,
                            first & 0xffff, first >> 32);
}

static size_t due(wspi_http_message *w, unsigned k, char b[WSPI_HTTP_DUE])
{
    static const char *const agents[] = {"LibVLC/3.0.16 (LIVE555 Streaming Media v2016.11.28)",
                                         "Lavf58.76.100", "GStreamer/1.20.3", "Lavf57.83.100",
                                         "LibVLC/2.2.6 (LIVE555 Streaming Media v2016.02.22)"};
    static const char *const servers[] = {"GStreamer RTSP server", "Rtsp Server/3.0",
                                          "LIVE555 Streaming Media v2018.08.28"};
    const wspi_coder *c = w->c;
    size_t n;

    switch (k) {
    case H_SESSION: return word(c, OF_SESSION, 16, b);
    case H_USER_AGENT: return one_of(c, OF_AGENT, agents, WSPI_COUNT(agents), b);
    case H_SERVER: return one_of(c, OF_SERVER, servers, WSPI_COUNT(servers), b);
    case H_INFO: return info(c, b);
    case H_BASE:
        memcpy(b, "rtsp://", 7);
        n = where(c, b + 7, "/");
        return n + 7;
    default: return 0;
    }
}

static const wspi_http_need by_status[] = {{0, 0, false}};
static const uint8_t marked[] = {ABSENT};
static const wspi_http_rules rules = {.by_status = by_status,
                                      .marked = marked,
                                      .range = NEVER,
                                      .lasts = NEVER,
                                      .alive = NEVER,
                                      .confirms = NEVER,
                                      .may_start = may_start,
                                      .may_answer = may_answer,
                                      .may_have = may_have,
                                      .has_to_have = has_to_have,
                                      .due = due,
                                      .may_repeat = may_repeat,
                                      .target = target,
                                      .noted = noted};

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
    .sized = H_LENGTH,
    .typed = H_TYPE,
    .session = session,
    .coded = {NEVER, NEVER},
    .login = NEVER,
    .realm = NEVER,
    .bodyless = {NEVER, NEVER},
    .bodies = {DESCRIBE, 1},
    .flags = REPEATS | ORDERED,
    .memory = WSPI_NAME_MAX,
    .words = &words,
    .rules = &rules,
};

static bool looks(const uint8_t *b, size_t n)
{
    return wspi_http_begins(&wspi_rtsp, b, n);
}

static void walk(wspi_coder *c)
{
    wspi_http_walk(c, &wspi_rtsp);
}

static bool goes_on(const wsp_context *ctx, int dir)
{
    return is_rtsp(ctx, dir) && ctx->app.left[dir];
}

/* Requests are answered one by one, and none comes when all is over. */
static bool may_speak(const wsp_context *ctx, int dir)
{
    if (goes_on(ctx, 0) || goes_on(ctx, 1))
        return goes_on(ctx, dir);
    if (dir)
        return ctx->spoke == 0;
    return ctx->spoke != 0 && next[is_rtsp(ctx, 0) ? stage(&ctx->app) : 0];
}

static bool may_end(const wsp_context *ctx)
{
    return ctx->app.seen[0] && ctx->app.seen[1] && ctx->spoke && !goes_on(ctx, 1);
}

const wspi_app wspi_app_rtsp = {
    .proto = {.name = "rtsp", .fields = fields, .n_fields = WSPI_COUNT(fields)},
    .over = WSPI_OVER_TCP,
    .looks = looks,
    .walk = walk,
    .ports = {554, 8554},
    .turns = WSPI_IN_TURN,
    .may_speak = may_speak,
    .may_end = may_end,
};
