/* SPDX-License-Identifier: Apache-2.0 */
/* http_lists.c: what HTTP says (RFC 9110, 9112, and what is common), as one of the dialects of http.c. */
#include "token/app/http.h"

#include <inttypes.h>
#include <stdio.h>

/* Starts of messages: requests, the first ones for samples; then responses by their version. */
enum { GET = 0, POST = 1, PUT = 2, REQUESTS_SAMPLED = 5, HEAD = 5, CONNECT, RESPONSE = 21 };
static const wspi_value starts[] = {
    {0, "GET"},     {1, "POST"},       {2, "PUT"},          {3, "DELETE"},
    {4, "OPTIONS"}, {5, "HEAD"},       {6, "CONNECT"},      {7, "PATCH"},
    {8, "TRACE"},   {9, "PROPFIND"},   {10, "PROPPATCH"},   {11, "MKCOL"},
    {12, "COPY"},   {13, "MOVE"},      {14, "LOCK"},        {15, "UNLOCK"},
    {16, "REPORT"}, {17, "SUBSCRIBE"}, {18, "UNSUBSCRIBE"}, {19, "NOTIFY"},
    {20, "SEARCH"}, {21, "HTTP/1.1"},  {22, "HTTP/1.0"},    {0, NULL}};

/* What ends a request line. */
static const wspi_value version[] = {{0, "1.1"},    {1, "1.0"},  {2, "1.1-lf"},
                                     {3, "1.0-lf"}, {4, "rest"}, {0, NULL}};
static const char *const versions[] = {" HTTP/1.1\r\n", " HTTP/1.0\r\n", " HTTP/1.1\n",
                                       " HTTP/1.0\n"};

/* With the usual reason phrase; the first ones for samples. */
static const wspi_value statuses[] = {{200, "200 OK"},
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

/* How values begin that are spelled; the first ones for samples. Of two that fit the first is taken. */
static const wspi_value prefixes[] = {{0, "Mozilla/5.0 (Windows NT "},
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

/* Values that need no spelling. Those that samples may give to one header stand together. */
#define COMMONS(X)                                                                             \
    X(KEEP_ALIVE, "keep-alive")                                                                \
    X(CLOSE, "close")                                                                          \
    X(KEEP_ALIVE_2, "Keep-Alive")                                                              \
    X(CLOSE_2, "Close")                                                                        \
    X(UPGRADE, "Upgrade")                                                                      \
    X(TE_CLOSE, "TE, close")                                                                   \
    X(ANY, "*/*")                                                                              \
    X(BROWSER, "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8")              \
    X(BROWSER_2, "text/html,application/xhtml+xml,application/xml;q=0.9,image/webp,*/*;q=0.8") \
    X(IMAGE, "image/png,image/*;q=0.8,*/*;q=0.5")                                              \
    X(STYLE, "text/css,*/*;q=0.1")                                                             \
    X(HTML_XML, "text/html, application/xhtml+xml, */*")                                       \
    X(GZIP_DEFLATE, "gzip, deflate")                                                           \
    X(GZIP, "gzip")                                                                            \
    X(IDENTITY, "identity")                                                                    \
    X(GZIP_DEFLATE_2, "gzip,deflate")                                                          \
    X(GZIP_BR, "gzip, deflate, br")                                                            \
    X(GZIP_SDCH, "gzip, deflate, sdch")                                                        \
    X(GZIP_SDCH_2, "gzip,deflate,sdch")                                                        \
    X(DEFLATE, "deflate")                                                                      \
    X(CHUNKED, "chunked")                                                                      \
    X(EN_US, "en-US,en;q=0.5")                                                                 \
    X(EN_US_2, "en-us,en;q=0.5")                                                               \
    X(EN_US_3, "en-US,en;q=0.8")                                                               \
    X(EN_US_4, "en-US,en;q=0.9")                                                               \
    X(EN_US_5, "en-US")                                                                        \
    X(EN_US_6, "en-us")                                                                        \
    X(EN, "en")                                                                                \
    X(NO_CACHE, "no-cache")                                                                    \
    X(AGE_0, "max-age=0")                                                                      \
    X(NO_STORE, "no-store")                                                                    \
    X(PRIVATE, "private")                                                                      \
    X(PUBLIC, "public")                                                                        \
    X(NO_CACHE_2, "no-cache, no-store, must-revalidate")                                       \
    X(NO_CACHE_3, "no-cache, must-revalidate")                                                 \
    X(NO_CACHE_4, "no-store, no-cache, must-revalidate, post-check=0, pre-check=0")            \
    X(NO_CACHE_5, "no-store, no-cache, must-revalidate")                                       \
    X(PRIVATE_0, "private, max-age=0")                                                         \
    X(HTML, "text/html")                                                                       \
    X(PLAIN, "text/plain")                                                                     \
    X(OCTETS, "application/octet-stream")                                                      \
    X(HTML_UTF8, "text/html; charset=UTF-8")                                                   \
    X(HTML_UTF8_2, "text/html; charset=utf-8")                                                 \
    X(HTML_UTF8_3, "text/html;charset=utf-8")                                                  \
    X(HTML_LATIN, "text/html; charset=iso-8859-1")                                             \
    X(PLAIN_UTF8, "text/plain; charset=utf-8")                                                 \
    X(PLAIN_UTF8_2, "text/plain;charset=UTF-8")                                                \
    X(FORM, "application/x-www-form-urlencoded")                                               \
    X(FORM_UTF8, "application/x-www-form-urlencoded; charset=UTF-8")                           \
    X(JSON, "application/json")                                                                \
    X(JSON_UTF8, "application/json; charset=utf-8")                                            \
    X(JSON_UTF8_2, "application/json;charset=utf-8")                                           \
    X(XML, "text/xml")                                                                         \
    X(XML_UTF8, "text/xml; charset=utf-8")                                                     \
    X(XML_UTF8_2, "text/xml; charset=\"utf-8\"")                                               \
    X(XML_UTF8_3, "text/xml;charset=utf-8")                                                    \
    X(SOAP, "application/soap+xml;charset=UTF-8")                                              \
    X(XML_APP, "application/xml")                                                              \
    X(PNG, "image/png")                                                                        \
    X(JPEG, "image/jpeg")                                                                      \
    X(GIF, "image/gif")                                                                        \
    X(ICON, "image/x-icon")                                                                    \
    X(WEBP, "image/webp")                                                                      \
    X(SVG, "image/svg+xml")                                                                    \
    X(CSS, "text/css")                                                                         \
    X(SCRIPT, "application/javascript")                                                        \
    X(SCRIPT_2, "application/x-javascript")                                                    \
    X(SCRIPT_3, "text/javascript")                                                             \
    X(OCSP, "application/ocsp-response")                                                       \
    X(OCSP_ASK, "application/ocsp-request")                                                    \
    X(IPP, "application/ipp")                                                                  \
    X(MP4, "video/mp4")                                                                        \
    X(ZIP, "application/zip")                                                                  \
    X(PROGRAM, "application/x-msdownload")                                                     \
    X(FLASH, "application/x-shockwave-flash")                                                  \
    X(PDF, "application/pdf")                                                                  \
    X(BYTES, "bytes")                                                                          \
    X(NONE, "none")                                                                            \
    X(ONE, "1")                                                                                \
    X(ZERO, "0")                                                                               \
    X(MINUS_ONE, "-1")                                                                         \
    X(EPOCH, "Mon, 01 Jan 1990 00:00:00 GMT")                                                  \
    X(VARY, "Accept-Encoding")                                                                 \
    X(VARY_2, "Accept-Encoding,User-Agent")                                                    \
    X(VARY_3, "Origin")                                                                        \
    X(STAR, "*")                                                                               \
    X(TRUE, "true")                                                                            \
    X(XHR, "XMLHttpRequest")                                                                   \
    X(NOSNIFF, "nosniff")                                                                      \
    X(SAMEORIGIN, "SAMEORIGIN")                                                                \
    X(DENY, "DENY")                                                                            \
    X(XSS, "1; mode=block")                                                                    \
    X(CONTINUE, "100-continue")                                                                \
    X(CHARSETS, "ISO-8859-1,utf-8;q=0.7,*;q=0.7")                                              \
    X(WEBSOCKET, "websocket")                                                                  \
    X(HIT, "HIT")                                                                              \
    X(MISS, "MISS")                                                                            \
    X(APACHE, "Apache")                                                                        \
    X(NGINX, "nginx")                                                                          \
    X(IIS_7, "Microsoft-IIS/7.5")                                                              \
    X(IIS_10, "Microsoft-IIS/10.0")                                                            \
    X(CLOUDFLARE, "cloudflare")                                                                \
    X(ASP_NET, "ASP.NET")

enum { COMMONS(WSPI_HTTP_COMMON_ID) COMMON_COUNT };
static const wspi_value commons[] = {COMMONS(WSPI_HTTP_COMMON_VALUE){0, NULL}};

/*
 * Names as they are usually written: kind, bytes of text that are shown, flags; of samples common values and prefixes (first,
 * number). Samples have no credentials but Basic ones, no coded bodies (readers take them apart), no other protocols to go on with.
 */
#define HEADERS(X)                                                                                 \
    X(HOST, "Host", K_WHO, 16, ASKS | STAYS, 0, 0, 0, 0)                                           \
    X(CONNECTION, "Connection", K_TEXT, 8, 3 | KNOWN, C_KEEP_ALIVE, 4, 0, 0)                       \
    X(USER_AGENT, "User-Agent", K_TEXT, 8, ASKS | STAYS, 0, 0, 0, 24)                              \
    X(ACCEPT, "Accept", K_TEXT, 8, ASKS | STAYS | KNOWN | SPELT, C_ANY, 6, 49, 6)                  \
    X(ENCODINGS, "Accept-Encoding", K_TEXT, 4, ASKS | KNOWN, C_GZIP_DEFLATE, 8, 0, 0)              \
    X(LANGUAGES, "Accept-Language", K_TEXT, 4, ASKS | STAYS, C_EN_US, 7, 0, 0)                     \
    X(REFERER, "Referer", K_WHO, 8, ASKS | STAYS, 0, 0, 31, 4)                                     \
    X(COOKIE, "Cookie", K_WHO, 6, ASKS | STAYS, 0, 0, 0, 0)                                        \
    X(LENGTH, "Content-Length", K_LENGTH, 0, 3, 0, 0, 0, 0)                                        \
    X(TYPE, "Content-Type", K_TYPE, 10, 3 | STAYS, C_HTML, 14, 0, 0)                               \
    X(DATED, "Date", K_DATE, 0, ANSWERS, 0, 0, 0, 0)                                               \
    X(SERVER, "Server", K_TEXT, 8, ANSWERS | STAYS | SPELT, C_APACHE, 5, 16, 13)                   \
    X(CACHE, "Cache-Control", K_TEXT, 8, 3 | STAYS | SPELT, C_NO_CACHE, 10, 35, 6)                 \
    X(PRAGMA, "Pragma", K_TEXT, 4, 3 | KNOWN, C_NO_CACHE, 1, 0, 0)                                 \
    X(MODIFIED, "Last-Modified", K_EARLIER, 0, ANSWERS, 0, 0, 0, 0)                                \
    X(EXPIRES, "Expires", K_LATER, 0, ANSWERS, C_ZERO, 3, 0, 0)                                    \
    X(ETAG, "ETag", K_TEXT, 0, ANSWERS, 0, 0, 61, 3)                                               \
    X(RANGES, "Accept-Ranges", K_TEXT, 4, ANSWERS | KNOWN, C_BYTES, 2, 0, 0)                       \
    X(UPGRADING, "Upgrade-Insecure-Requests", K_TEXT, 2, ASKS | KNOWN, C_ONE, 1, 0, 0)             \
    X(VARIES, "Vary", K_TEXT, 8, ANSWERS | KNOWN, C_VARY, 3, 0, 0)                                 \
    X(POWERED, "X-Powered-By", K_TEXT, 8, ANSWERS | STAYS | SPELT, C_ASP_NET, 1, 29, 2)            \
    X(AGE, "Age", K_NUMBER, 0, ANSWERS, 0, 0, 0, 0)                                                \
    X(TRANSFER, "Transfer-Encoding", K_TEXT, 4, KNOWN, C_CHUNKED, 0, 0, 0)                         \
    X(TRANSFER_2, "Transfer-encoding", K_TEXT, 4, KNOWN, C_CHUNKED, 0, 0, 0)                       \
    X(CODED, "Content-Encoding", K_TEXT, 4, KNOWN, C_GZIP, 0, 0, 0)                                \
    X(LOCATION, "Location", K_WHO, 8, ANSWERS, 0, 0, 31, 4)                                        \
    X(SET_COOKIE, "Set-Cookie", K_WHO, 6, ANSWERS, 0, 0, 0, 0)                                     \
    X(AUTHORIZATION, "Authorization", K_WHO, 6, ASKS | STAYS, 0, 0, 56, 1)                         \
    X(AUTHENTICATE, "WWW-Authenticate", K_WHO, 6, ANSWERS | STAYS, 0, 0, 56, 1)                    \
    X(PROXY, "Proxy-Authorization", K_WHO, 6, STAYS, 0, 0, 0, 0)                                   \
    X(PROXY_CONNECTION, "Proxy-Connection", K_TEXT, 4, ASKS | KNOWN, C_KEEP_ALIVE, 4, 0, 0)        \
    X(ORIGIN, "Origin", K_WHO, 8, STAYS, 0, 0, 0, 0)                                               \
    X(SINCE, "If-Modified-Since", K_EARLIER, 0, ASKS, 0, 0, 0, 0)                                  \
    X(UNCHANGED, "If-Unmodified-Since", K_EARLIER, 0, ASKS, 0, 0, 0, 0)                            \
    X(IF_NONE, "If-None-Match", K_TEXT, 0, ASKS, 0, 0, 61, 3)                                      \
    X(IF_RANGE, "If-Range", K_TEXT, 0, 0, 0, 0, 0, 0)                                              \
    X(ALIVE, "Keep-Alive", K_TEXT, 10, 3 | STAYS, 0, 0, 41, 1)                                     \
    X(CHARSET, "Accept-Charset", K_TEXT, 4, ASKS | STAYS | KNOWN, C_CHARSETS, 1, 0, 0)             \
    X(LANGUAGE, "Content-Language", K_TEXT, 4, ANSWERS | STAYS, 0, 0, 0, 0)                        \
    X(DISPOSITION, "Content-Disposition", K_TEXT, 8, ANSWERS, 0, 0, 55, 1)                         \
    X(RANGE, "Range", K_TEXT, 8, ASKS, 0, 0, 42, 1)                                                \
    X(PART, "Content-Range", K_TEXT, 8, ANSWERS, 0, 0, 43, 1)                                      \
    X(DIGEST, "Content-MD5", K_TEXT, 0, 0, 0, 0, 0, 0)                                             \
    X(PLACE, "Content-Location", K_WHO, 8, 0, 0, 0, 0, 0)                                          \
    X(TRANSFER_CODED, "Content-Transfer-Encoding", K_TEXT, 4, STAYS, 0, 0, 0, 0)                   \
    X(MIME, "MIME-Version", K_TEXT, 4, STAYS, 0, 0, 0, 0)                                          \
    X(VIA, "Via", K_WHO, 8, STAYS, 0, 0, 0, 0)                                                     \
    X(FORWARDED, "X-Forwarded-For", K_WHO, 8, STAYS, 0, 0, 0, 0)                                   \
    X(FROM, "From", K_WHO, 8, STAYS, 0, 0, 0, 0)                                                   \
    X(TRACK, "DNT", K_TEXT, 2, ASKS | KNOWN, C_ONE, 1, 0, 0)                                       \
    X(EXPECT, "Expect", K_TEXT, 4, KNOWN, C_CONTINUE, 0, 0, 0)                                     \
    X(UPGRADE, "Upgrade", K_TEXT, 8, STAYS | KNOWN, C_WEBSOCKET, 0, 0, 0)                          \
    X(ALLOW, "Allow", K_TEXT, 8, STAYS, 0, 0, 0, 0)                                                \
    X(PUBLIC, "Public", K_TEXT, 8, STAYS, 0, 0, 0, 0)                                              \
    X(RETRY, "Retry-After", K_NUMBER, 0, ANSWERS, 0, 0, 0, 0)                                      \
    X(HOPS, "Max-Forwards", K_NUMBER, 0, 0, 0, 0, 0, 0)                                            \
    X(TE, "TE", K_TEXT, 8, STAYS, 0, 0, 0, 0)                                                      \
    X(TRAILER, "Trailer", K_TEXT, 8, STAYS, 0, 0, 0, 0)                                            \
    X(LINK, "Link", K_TEXT, 8, 0, 0, 0, 0, 0)                                                      \
    X(REQUESTED, "X-Requested-With", K_TEXT, 8, ASKS | STAYS | KNOWN, C_XHR, 1, 0, 0)              \
    X(FETCH_SITE, "Sec-Fetch-Site", K_TEXT, 8, STAYS, 0, 0, 0, 0)                                  \
    X(FETCH_MODE, "Sec-Fetch-Mode", K_TEXT, 8, STAYS, 0, 0, 0, 0)                                  \
    X(FETCH_DEST, "Sec-Fetch-Dest", K_TEXT, 8, STAYS, 0, 0, 0, 0)                                  \
    X(SOCKET_KEY, "Sec-WebSocket-Key", K_TEXT, 0, 0, 0, 0, 0, 0)                                   \
    X(SOCKET_ACCEPT, "Sec-WebSocket-Accept", K_TEXT, 0, 0, 0, 0, 0, 0)                             \
    X(SOCKET_VERSION, "Sec-WebSocket-Version", K_NUMBER, 0, 0, 0, 0, 0, 0)                         \
    X(CORS_ORIGIN, "Access-Control-Allow-Origin", K_WHO, 8, ANSWERS | STAYS | KNOWN, C_STAR, 1, 0, \
      0)                                                                                           \
    X(CORS_HEADERS, "Access-Control-Allow-Headers", K_TEXT, 8, ANSWERS | STAYS, 0, 0, 0, 0)        \
    X(CORS_METHODS, "Access-Control-Allow-Methods", K_TEXT, 8, ANSWERS | STAYS, 0, 0, 0, 0)        \
    X(CORS_WHO, "Access-Control-Allow-Credentials", K_TEXT, 4, ANSWERS | KNOWN, C_TRUE, 1, 0, 0)   \
    X(CORS_AGE, "Access-Control-Max-Age", K_NUMBER, 0, ANSWERS, 0, 0, 0, 0)                        \
    X(FRAMES, "X-Frame-Options", K_TEXT, 4, ANSWERS | KNOWN, C_SAMEORIGIN, 2, 0, 0)                \
    X(SNIFF, "X-Content-Type-Options", K_TEXT, 4, ANSWERS | KNOWN, C_NOSNIFF, 1, 0, 0)             \
    X(XSS, "X-XSS-Protection", K_TEXT, 4, ANSWERS | KNOWN, C_XSS, 1, 0, 0)                         \
    X(ASP, "X-AspNet-Version", K_TEXT, 8, ANSWERS | STAYS, 0, 0, 0, 0)                             \
    X(UA_COMPATIBLE, "X-UA-Compatible", K_TEXT, 8, ANSWERS | STAYS, 0, 0, 0, 0)                    \
    X(CACHED, "X-Cache", K_TEXT, 8, ANSWERS | STAYS | KNOWN | SPELT, C_HIT, 2, 0, 0)               \
    X(STRICT, "Strict-Transport-Security", K_TEXT, 8, ANSWERS | STAYS, 0, 0, 35, 1)                \
    X(POLICY, "P3P", K_TEXT, 8, ANSWERS | STAYS, 0, 0, 62, 1)                                      \
    X(SOAP_ACTION, "SOAPAction", K_TEXT, 8, STAYS, 0, 0, 0, 0)                                     \
    X(SOAP_ACTION_2, "SOAPACTION", K_TEXT, 8, STAYS, 0, 0, 0, 0)                                   \
    X(HOST_2, "HOST", K_WHO, 12, STAYS, 0, 0, 0, 0)                                                \
    X(HOST_3, "host", K_WHO, 12, STAYS, 0, 0, 0, 0)                                                \
    X(LENGTH_2, "Content-length", K_LENGTH, 0, ANSWERS, 0, 0, 0, 0)                                \
    X(LENGTH_3, "content-length", K_LENGTH, 0, ANSWERS, 0, 0, 0, 0)                                \
    X(LENGTH_4, "CONTENT-LENGTH", K_LENGTH, 0, ANSWERS, 0, 0, 0, 0)                                \
    X(TYPE_2, "Content-type", K_TYPE, 10, ANSWERS | STAYS, C_HTML, 14, 0, 0)                       \
    X(TYPE_3, "content-type", K_TYPE, 10, ANSWERS | STAYS, C_HTML, 14, 0, 0)                       \
    X(TYPE_4, "CONTENT-TYPE", K_TYPE, 10, ANSWERS | STAYS, C_HTML, 14, 0, 0)                       \
    X(DISPOSITION_2, "Content-disposition", K_TEXT, 8, ANSWERS, 0, 0, 55, 1)                       \
    X(USER_AGENT_2, "User-agent", K_TEXT, 12, ASKS | STAYS, 0, 0, 0, 24)                           \
    X(USER_AGENT_3, "USER-AGENT", K_TEXT, 12, ASKS | STAYS, 0, 0, 0, 24)                           \
    X(CACHE_2, "Cache-control", K_TEXT, 8, 3 | STAYS | SPELT, C_NO_CACHE, 10, 35, 6)               \
    X(DATED_2, "date", K_DATE, 0, ANSWERS, 0, 0, 0, 0)                                             \
    X(ETAG_2, "Etag", K_TEXT, 0, ANSWERS, 0, 0, 61, 3)

#define HEADER_ROW(id, name, kind, shown, flags, from, count, ...) \
    {kind, shown, flags, from, count, NULL, __VA_ARGS__},
enum { HEADERS(WSPI_HTTP_HEADER_ID) H_END };
static const wspi_value headers[] = {HEADERS(WSPI_HTTP_HEADER_VALUE){H_END, "end"}, {0, NULL}};
static const wspi_http_row rows[] = {HEADERS(HEADER_ROW){K_WHO, 6, 0, 0, 0, NULL, 0, 0}};

static const wspi_field fields[] = {WSPI_HTTP_FIELDS("http", starts, version, statuses, headers,
                                                     commons, prefixes, WSPI_R_NONE, 2)};

/* A request has a host. A response without the length of its body goes on until the connection ends (RFC 9112 6.3). */
static const uint8_t with_host[] = {H_HOST, ABSENT}, with_nothing[] = {ABSENT};
static const uint8_t *const asks[REQUESTS_SAMPLED] = {with_host, with_host, with_host, with_host,
                                                      with_host};
static const uint8_t *const answers[REQUESTS_SAMPLED] = {with_nothing, with_nothing, with_nothing,
                                                         with_nothing, with_nothing};

/* RFC 9110 15.3.7, 15.4, 15.5.2. Of a part the length comes first: it says where the part ends. */
static const wspi_http_need by_status[] = {{401, H_AUTHENTICATE, true}, {301, H_LOCATION, true},
                                           {302, H_LOCATION, true},     {206, H_LENGTH, false},
                                           {206, H_PART, true},         {0, 0, false}};

/* RFC 9110 13.1, 14.2, 11.6.2: headers that make a request conditional, that of ranges, and that of who has logged in. */
static const uint8_t marked[] = {H_SINCE, H_IF_NONE, H_RANGE, H_AUTHORIZATION, ABSENT};
enum { CONDITIONAL = 3, RANGED = 4, AUTHORIZED = 8 };

/* Where the range begins that the last request asks for, if it was remembered. */
static bool asked_from(const wspi_http_message *w, uint64_t *from)
{
    static const char unit[] = "bytes=";
    size_t n, len = sizeof unit - 1, digits = 0;
    const uint8_t *b = wspi_http_recall(w, headers[H_RANGE].name, &n);

    if (!(w->c->ctx->app.v[0][MARKS] & RANGED) || !b || n <= len || memcmp(b, unit, len) != 0)
        return false;
    while (len + digits < n && b[len + digits] != '-')
        digits++;
    *from = wspi_http_decimal(b + len, digits);
    return *from < UINT32_MAX;
}

/* Requests that have no answer yet. */
static uint64_t outstanding(const wsp_context *ctx)
{
    const wspi_app_state *s = &ctx->app;
    uint64_t asked = s->id[0] == WSPI_APP_HTTP ? s->v[0][MESSAGES] : 0,
             answered = s->id[1] == WSPI_APP_HTTP ? s->v[1][MESSAGES] : 0;

    return asked > answered ? asked - answered : 0;
}

/*
 * RFC 9110 15.3.7, 15.4.5: a part is for who asks for one, and what has not changed for who knows it. Both ask for it to be sent. 15.5.2: to
 * log in is asked who has not.
 */
static bool may_answer(const wspi_http_message *w, unsigned status)
{
    const wspi_app_state *s = &w->c->ctx->app;
    uint64_t from;

    if (status == 401)
        return !(s->v[0][MARKS] & AUTHORIZED);
    if (status != 206 && status != 304)
        return true;
    return outstanding(w->c->ctx) == 1 && s->v[0][START] == GET &&
           (status == 206 ? asked_from(w, &from) : (s->v[0][MARKS] & CONDITIONAL) != 0);
}

/*
 * Others wait for their answer behind this one: it has to end. RFC 9110 8.6, 8.3: a request that sends something says how much, and of
 * what type.
 */
static unsigned has_to_have(const wspi_http_message *w)
{
    bool ends = w->mode & (NO_BODY | HAS_LENGTH) || wspi_http_has(w, H_LENGTH), sends, must;

    sends = !(w->mode & ANSWER) && (w->method == POST || w->method == PUT);
    must = sends || (w->mode & ANSWER && outstanding(w->c->ctx) > 1);
    if (must && !ends)
        return H_LENGTH;
    return sends && !wspi_http_has(w, H_TYPE) ? (unsigned)H_TYPE : (unsigned)ABSENT;
}

/* RFC 9110 8.8, 14.3: what is said of a file that is sent. */
static bool is_of_files(unsigned k)
{
    return k == H_ETAG || k == H_MODIFIED || k == H_RANGES;
}

static bool may_have(const wspi_http_message *w, unsigned k)
{
    enum { ERRORS = 400 };

    if (is_of_files(k) && w->mode & ANSWER && w->c->app.v[w->c->dir][STATUS] >= ERRORS)
        return false;
    if (k == H_ALIVE && w->mode & ANSWER && (w->c->ctx->app.v[0][MARKS] | w->marks) & CLOSES)
        return false;
    return k == H_PART ? w->mode & HAS_LENGTH : k != H_RANGE || w->method == GET;
}

/* A client stays the same program, and asks the same host. RFC 9110 14.4: a part ends with the file, which is not as long as was asked for. */
static size_t due(wspi_http_message *w, unsigned k, char b[WSPI_HTTP_DUE])
{
    const uint8_t *last;
    uint64_t from;
    size_t n = 0;

    if (k == w->agent || (!w->c->dir && wspi_http_is_alike(w->d, k, H_HOST))) {
        last = wspi_http_recall(w, headers[k].name, &n);
        n = last && n <= WSPI_HTTP_DUE ? n : 0;
        if (n)
            memcpy(b, last, n);
    } else if (k == H_PART && w->mode & HAS_LENGTH && w->length && asked_from(w, &from)) {
        n = (size_t)snprintf(b, WSPI_HTTP_DUE, "bytes %" PRIu64 "-%" PRIu64 "/%" PRIu64, from,
                             from + w->length - 1, from + w->length);
    }
    return n;
}

static const wspi_http_rules rules = {.by_status = by_status,
                                      .marked = marked,
                                      .range = H_RANGE,
                                      .lasts = H_CONNECTION,
                                      .alive = H_ALIVE,
                                      .confirms = NEVER,
                                      .may_answer = may_answer,
                                      .may_have = may_have,
                                      .has_to_have = has_to_have,
                                      .due = due};

static wspi_http_words words;
const wspi_http_dialect wspi_http = {
    .starts = starts,
    .statuses = statuses,
    .commons = commons,
    .headers = headers,
    .prefixes = prefixes,
    .rows = rows,
    .versions = versions,
    .version = " HTTP/1.",
    .digits = 1,
    .target = "/",
    .asks = asks,
    .answers = answers,
    .response = RESPONSE,
    .n_starts = WSPI_COUNT(starts) - 1,
    .n_versions = WSPI_COUNT(versions),
    .n_commons = COMMON_COUNT,
    .n_headers = H_END,
    .n_prefixes = WSPI_COUNT(prefixes) - 1,
    .starts_sampled = REQUESTS_SAMPLED,
    .versions_sampled = 2,
    .statuses_sampled = 12,
    .answers_sampled = 2,
    .host = H_HOST,
    .agent = H_USER_AGENT,
    .sized = H_LENGTH,
    .typed = H_TYPE,
    .coded = {H_TRANSFER, H_TRANSFER_2},
    .login = H_AUTHORIZATION,
    .realm = H_AUTHENTICATE,
    .bodyless = {HEAD, CONNECT},
    .bodies = {POST, PUT},
    .flags = UNTIL_CLOSE | OTHERS | APART | FREELY,
    .mixed = 2,
    .memory = 256,
    .words = &words,
    .rules = &rules,
};

bool wspi_http_looks(const uint8_t *b, size_t n)
{
    return wspi_http_begins(&wspi_http, b, n);
}

static void walk(wspi_coder *c)
{
    wspi_http_walk(c, &wspi_http);
}

/* ---- samples: turns ---- */

static bool is_http(const wsp_context *ctx, int dir)
{
    return ctx->app.id[dir] == WSPI_APP_HTTP;
}

/* In the middle of a message that has an end (RFC 9112 6.3). */
static bool goes_on(const wsp_context *ctx, int dir)
{
    return is_http(ctx, dir) && ctx->app.left[dir] && ctx->app.left[dir] != UINT32_MAX;
}

static uint32_t left(const wsp_context *ctx, int dir)
{
    return goes_on(ctx, dir) && !(ctx->app.mode[dir] & IN_HEAD) ? ctx->app.left[dir] : 0;
}

/* RFC 9112 9.6: nothing follows an answer that ends with the connection, or says that it is the last one. */
static bool is_last(const wsp_context *ctx)
{
    return is_http(ctx, 1) && (ctx->app.left[1] == UINT32_MAX || ctx->app.v[1][MARKS] & CLOSES);
}

/* RFC 9112 9.3.2: no request comes before the answer to one that must not be done twice. */
static bool may_ask(const wsp_context *ctx)
{
    const wspi_app_state *s = &ctx->app;

    if (!is_http(ctx, 0))
        return true;
    return !(s->v[0][MARKS] & CLOSES) && (s->v[0][START] != POST || outstanding(ctx) == 0);
}

/* Who has not ended a message goes on; each request has an answer (RFC 9110 6.4.1), and none comes behind one that is the last. */
static bool may_speak(const wsp_context *ctx, int dir)
{
    if (goes_on(ctx, 0) || goes_on(ctx, 1))
        return goes_on(ctx, dir);
    if (is_last(ctx))
        return dir == 1 && ctx->app.left[1] == UINT32_MAX;
    if (dir == 0)
        return may_ask(ctx);
    return outstanding(ctx) > 0;
}

/* RFC 9112 8: a message is whole where its length says so. */
static bool may_end(const wsp_context *ctx)
{
    return ctx->app.seen[0] && ctx->app.seen[1] && !goes_on(ctx, 0) && !goes_on(ctx, 1) &&
           (is_last(ctx) || outstanding(ctx) == 0);
}

const wspi_app wspi_app_http = {
    .proto = {.name = "http", .fields = fields, .n_fields = WSPI_COUNT(fields)},
    .over = WSPI_OVER_TCP,
    .looks = wspi_http_looks,
    .walk = walk,
    .ports = {80, 8080, 8000, 3128},
    .turns = WSPI_CLIENT_FIRST,
    .may_speak = may_speak,
    .may_end = may_end,
    .goes_on = left,
    .rests = true,
    .ports_only =
        true, /* on other ports: readers take what follows on the connection for HTTP too */
};
