/* SPDX-License-Identifier: Apache-2.0 */
/* http_words.c: the words of HTTP that have tokens (RFC 9110, 9112, and what is common), its numbers and dates. */
#include "token/app/http.h"

#include <stdio.h>

const wspi_value wspi_http_starts[] = {
    {0, "GET"},     {1, "POST"},       {2, "PUT"},          {3, "DELETE"},
    {4, "OPTIONS"}, {5, "HEAD"},       {6, "CONNECT"},      {7, "PATCH"},
    {8, "TRACE"},   {9, "PROPFIND"},   {10, "PROPPATCH"},   {11, "MKCOL"},
    {12, "COPY"},   {13, "MOVE"},      {14, "LOCK"},        {15, "UNLOCK"},
    {16, "REPORT"}, {17, "SUBSCRIBE"}, {18, "UNSUBSCRIBE"}, {19, "NOTIFY"},
    {20, "SEARCH"}, {21, "HTTP/1.1"},  {22, "HTTP/1.0"},    {0, NULL}};

/* What ends a request line. */
static const wspi_value version[] = {{0, "1.1"},    {1, "1.0"},  {2, "1.1-lf"},
                                     {3, "1.0-lf"}, {4, "rest"}, {0, NULL}};
const char *const wspi_http_versions[VERSION_REST] = {" HTTP/1.1\r\n", " HTTP/1.0\r\n",
                                                      " HTTP/1.1\n", " HTTP/1.0\n"};

/* With the usual reason phrase; the first ones for samples. */
const wspi_value wspi_http_statuses[] = {{200, "200 OK"},
                                         {404, "404 Not Found"},
                                         {302, "302 Found"},
                                         {301, "301 Moved Permanently"},
                                         {403, "403 Forbidden"},
                                         {400, "400 Bad Request"},
                                         {401, "401 Unauthorized"},
                                         {500, "500 Internal Server Error"},
                                         {503, "503 Service Unavailable"},
                                         {304, "304 Not Modified"},
                                         {206, "206 Partial Content"},
                                         {204, "204 No Content"},
                                         {100, "100 Continue"},
                                         {101, "101 Switching Protocols"},
                                         {201, "201 Created"},
                                         {202, "202 Accepted"},
                                         {207, "207 Multi-Status"},
                                         {300, "300 Multiple Choices"},
                                         {303, "303 See Other"},
                                         {307, "307 Temporary Redirect"},
                                         {308, "308 Permanent Redirect"},
                                         {402, "402 Payment Required"},
                                         {405, "405 Method Not Allowed"},
                                         {406, "406 Not Acceptable"},
                                         {407, "407 Proxy Authentication Required"},
                                         {408, "408 Request Timeout"},
                                         {409, "409 Conflict"},
                                         {410, "410 Gone"},
                                         {411, "411 Length Required"},
                                         {412, "412 Precondition Failed"},
                                         {413, "413 Request Entity Too Large"},
                                         {414, "414 Request-URI Too Long"},
                                         {415, "415 Unsupported Media Type"},
                                         {416, "416 Requested Range Not Satisfiable"},
                                         {417, "417 Expectation Failed"},
                                         {422, "422 Unprocessable Entity"},
                                         {426, "426 Upgrade Required"},
                                         {429, "429 Too Many Requests"},
                                         {501, "501 Not Implemented"},
                                         {502, "502 Bad Gateway"},
                                         {504, "504 Gateway Timeout"},
                                         {505, "505 HTTP Version Not Supported"},
                                         {0, NULL}};

static const wspi_value form[] = {{0, "usual"},    {1, "no-space"}, {2, "bare-lf"}, {3, "compact"},
                                  {4, "raw"},      {5, "cut"},      {6, "rest"},    {7, "anew"},
                                  {8, "no-slash"}, {0, NULL}};

#define COMMON_VALUE(id, text) {C_##id, text},
const wspi_value wspi_http_commons[] = {COMMONS(COMMON_VALUE){0, NULL}};

#define HEADER_VALUE(id, name, ...) {H_##id, name},
#define HEADER_ROW(id, name, ...)   {__VA_ARGS__},
const wspi_value wspi_http_headers[] = {HEADERS(HEADER_VALUE){H_END, "end"}, {0, NULL}};
const wspi_http_row wspi_http_rows[] = {HEADERS(HEADER_ROW){K_WHO, 6, 0, 0, 0}};

/* How values begin that are spelled; the first ones for samples. Of two that fit the first is taken. */
const wspi_value wspi_http_prefixes[] = {{0, "Mozilla/5.0 (Windows NT "},
                                         {1, "Mozilla/5.0 (X11; "},
                                         {2, "Mozilla/5.0 (Macintosh; Intel Mac OS X "},
                                         {3, "Mozilla/5.0 (iPhone; CPU iPhone OS "},
                                         {4, "Mozilla/5.0 (Linux; "},
                                         {5, "Mozilla/4.0 (compatible; "},
                                         {6, "curl/"},
                                         {7, "Wget/"},
                                         {8, "Mozilla/5.0 (Windows; U; "},
                                         {9, "Mozilla/5.0 (compatible; "},
                                         {10, "Mozilla/5.0 ("},
                                         {11, "Mozilla/4.0 ("},
                                         {12, "Mozilla/"},
                                         {13, "Dalvik/2.1.0 (Linux; U; Android "},
                                         {14, "Dalvik/"},
                                         {15, "Microsoft-CryptoAPI/"},
                                         {16, "Microsoft-IIS/"},
                                         {17, "Microsoft-HTTPAPI/"},
                                         {18, "Microsoft "},
                                         {19, "Python-urllib/"},
                                         {20, "python-requests/"},
                                         {21, "Java/"},
                                         {22, "Go-http-client/"},
                                         {23, "Opera/9.80 ("},
                                         {24, "Apache/2.4."},
                                         {25, "Apache/2.2."},
                                         {26, "Apache/"},
                                         {27, "nginx/1."},
                                         {28, "lighttpd/1.4."},
                                         {29, "PHP/5."},
                                         {30, "PHP/7."},
                                         {31, "http://www."},
                                         {32, "http://"},
                                         {33, "https://www."},
                                         {34, "https://"},
                                         {35, "max-age="},
                                         {36, "public, max-age="},
                                         {37, "private, max-age="},
                                         {38, "no-cache, no-store, "},
                                         {39, "private, "},
                                         {40, "public, "},
                                         {41, "timeout="},
                                         {42, "bytes="},
                                         {43, "bytes "},
                                         {44, "text/html; charset="},
                                         {45, "text/plain; charset="},
                                         {46, "application/json; charset="},
                                         {47, "multipart/form-data; boundary="},
                                         {48, "application/x-"},
                                         {49, "application/"},
                                         {50, "text/html,application/xhtml+xml,"},
                                         {51, "text/html, "},
                                         {52, "image/webp,"},
                                         {53, "image/"},
                                         {54, "text/"},
                                         {55, "attachment; filename="},
                                         {56, "Basic "},
                                         {57, "Bearer "},
                                         {58, "Digest "},
                                         {59, "NTLM "},
                                         {60, "Negotiate "},
                                         {61, "W/\""},
                                         {62, "CP=\""},
                                         {63, "\""},
                                         {64, "Accept-Encoding"},
                                         {0, NULL}};

static const wspi_value body[] = {{1, "text"}, {0, NULL}};

const wspi_field wspi_http_fields[PREFIX + 1] = {
    [START] = {"http.start", 0, 8, WSPI_K_ENUM, WSPI_P_CONST, WSPI_R_NONE, 0, wspi_http_starts, 0},
    [TARGET] = {"http.target", 0, 16, WSPI_K_MAG, WSPI_P_CONST, WSPI_R_NONE, 0, NULL, 2},
    [QUERY] = {"http.query", 0, 16, WSPI_K_MAG, WSPI_P_CONST, WSPI_R_NONE, 0, NULL, 1},
    [VERSION_OF] = {"http.version", 0, 8, WSPI_K_ENUM, WSPI_P_PREV, WSPI_R_NONE, 0, version, 0},
    [STATUS] = {"http.status", 0, 16, WSPI_K_ENUM, WSPI_P_CONST, WSPI_R_NONE, 0, wspi_http_statuses,
                0},
    [REASON] = {"http.reason", 0, 8, WSPI_K_MAG, WSPI_P_CONST, WSPI_R_NONE, 0, NULL, 1},
    [HEADER] = {"http.header", 0, 8, WSPI_K_ENUM, WSPI_P_CONST, WSPI_R_NONE, 0, wspi_http_headers,
                0},
    [NAME] = {"http.name", 0, 16, WSPI_K_MAG, WSPI_P_CONST, WSPI_R_NONE, 0, NULL, 1},
    [FORM] = {"http.form", 0, 8, WSPI_K_ENUM, WSPI_P_PREV, WSPI_R_NONE, 0, form, 0},
    [COMMON] = {"http.common", 0, 8, WSPI_K_ENUM, WSPI_P_CONST, WSPI_R_NONE, 0, wspi_http_commons,
                0},
    [VALUE] = {"http.value", 0, 16, WSPI_K_MAG, WSPI_P_PREV, WSPI_R_NONE, 0, NULL, 2},
    [IDENTITY] = {"http.identity", 0, 16, WSPI_K_MAG, WSPI_P_PREV, WSPI_R_NAME, 0, NULL, 1},
    [NUMBER] = {"http.number", 0, 40, WSPI_K_MAG, WSPI_P_CONST, WSPI_R_NONE, 0, NULL, 1},
    [DATE] = {"http.date", 0, 32, WSPI_K_FREE, WSPI_P_CONST, WSPI_R_NUMBER, 0, NULL, 0},
    [BODY] = {"http.body", 0, 8, WSPI_K_ENUM, WSPI_P_CONST, WSPI_R_NONE, 0, body, 0},
    [PREFIX] = {"http.prefix", 0, 8, WSPI_K_ENUM, WSPI_P_CONST, WSPI_R_NONE, 0, wspi_http_prefixes,
                0},
};

/* ---- looking up ---- */

enum { SLOTS = 512, NOTHING = 255 };

/* A hash table of a list's numbers, with linear probing. */
typedef struct words {
    uint8_t slot[SLOTS], len[NOTHING];
} words;
static words commons, headers;

static size_t slot_of(const uint8_t *b, size_t n)
{
    uint32_t h = (uint32_t)n << 24 | (uint32_t)b[0] << 16 | (uint32_t)b[n / 2] << 8 | b[n - 1];

    return (size_t)(h * 0x9e3779b1u >> 23);
}

static void add_words(words *w, const wspi_value *list, unsigned count)
{
    memset(w->slot, NOTHING, sizeof w->slot);
    for (unsigned k = 0; k < count; k++) {
        size_t n = strlen(list[k].name), i = slot_of((const uint8_t *)list[k].name, n);
        while (w->slot[i] != NOTHING)
            i = (i + 1) % SLOTS;
        w->slot[i] = (uint8_t)k;
        w->len[k] = (uint8_t)n;
    }
}

static unsigned find_word(const words *w, const wspi_value *list, const uint8_t *b, size_t n)
{
    size_t i = n ? slot_of(b, n) : 0;
    unsigned k = n ? w->slot[i] : NOTHING;

    while (k != NOTHING && (w->len[k] != n || memcmp(list[k].name, b, n) != 0)) {
        i = (i + 1) % SLOTS;
        k = w->slot[i];
    }
    return k;
}

void wspi_http_prepare(void)
{
    _Static_assert(COMMON_COUNT < SLOTS / 4 && H_END < SLOTS / 4,
                   "the hash tables are large enough");
    _Static_assert((int)ABSENT == NOTHING && (int)H_OTHER == NOTHING, "what is not found");
    add_words(&commons, wspi_http_commons, COMMON_COUNT);
    add_words(&headers, wspi_http_headers, H_END);
}

unsigned wspi_http_common(const uint8_t *b, size_t n)
{
    return find_word(&commons, wspi_http_commons, b, n);
}

unsigned wspi_http_header(const uint8_t *b, size_t n)
{
    return find_word(&headers, wspi_http_headers, b, n);
}

unsigned wspi_http_prefix(const uint8_t *b, size_t n)
{
    for (const wspi_value *p = wspi_http_prefixes; n > 2 && p->name; p++)
        if (p->name[0] == (char)b[0] && p->name[1] == (char)b[1]) {
            size_t len = strlen(p->name);
            if (len <= n && memcmp(b, p->name, len) == 0)
                return p->value;
        }
    return ABSENT;
}

/* ---- numbers and dates ---- */

uint64_t wspi_http_decimal(const uint8_t *b, size_t n)
{
    uint64_t v = 0;

    if (n == 0 || n > 12 || (n > 1 && b[0] == '0'))
        return NO_NUMBER;
    for (size_t i = 0; i < n; i++) {
        if (b[i] < '0' || b[i] > '9')
            return NO_NUMBER;
        v = v * 10 + (b[i] - '0');
    }
    return WSPI_MIN(v, NO_NUMBER);
}

enum { DAY = 86400 };
static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";

static unsigned month_days(unsigned year, unsigned m)
{
    static const uint8_t days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};

    return days[m] + (unsigned)(m == 1 && year % 4 == 0 && (year % 100 != 0 || year % 400 == 0));
}

void wspi_http_date_write(char s[DATE_LEN + 1], uint32_t secs)
{
    static const char names[] = "ThuFriSatSunMonTueWed";
    unsigned day = secs / DAY, week = day % 7, year = 1970, m = 0, t = secs % DAY;

    for (; day >= 365u + (month_days(year, 1) == 29); year++)
        day -= 365u + (month_days(year, 1) == 29);
    for (; day >= month_days(year, m); m++)
        day -= month_days(year, m);
    (void)snprintf(s, DATE_LEN + 1, "%.3s, %02u %.3s %04u %02u:%02u:%02u GMT", names + 3 * week,
                   (day + 1) % 100, months + 3 * m, year % 10000, t / 3600 % 100, t / 60 % 60,
                   t % 60);
}

bool wspi_http_date_read(const uint8_t b[DATE_LEN], uint64_t *secs)
{
    uint64_t day = b[5] == '0' ? wspi_http_decimal(b + 6, 1) : wspi_http_decimal(b + 5, 2),
             year = wspi_http_decimal(b + 12, 4);
    unsigned m = 0;
    char s[DATE_LEN + 1];

    if (day == 0 || day > 31 || year < 1970 || year > 2105)
        return false;
    while (m < 12 && memcmp(months + (size_t)3 * m, b + 8, 3) != 0)
        m++;
    if (m == 12)
        return false;
    day--;
    for (unsigned y = 1970; y < year; y++)
        day += 365u + (month_days(y, 1) == 29);
    while (m-- > 0)
        day += month_days((unsigned)year, m);
    *secs = day * DAY + ((b[17] - 48u) * 10 + b[18] - 48u) % 24 * 3600 +
            ((b[20] - 48u) * 10 + b[21] - 48u) % 60 * 60 + ((b[23] - 48u) * 10 + b[24] - 48u) % 60;
    wspi_http_date_write(s, (uint32_t)*secs);
    return *secs <= UINT32_MAX && memcmp(s, b, DATE_LEN) == 0;
}
