/* SPDX-License-Identifier: Apache-2.0 */
/*
 * http.h: the words of HTTP that have tokens, between http_words.c (the tables) and http.c (the walk). Lists that
 * make an enumeration and a table are macros, so that the two cannot differ.
 */
#ifndef WSPI_HTTP_H
#define WSPI_HTTP_H

#include "token/app/app.h"

enum {
    START,
    TARGET,
    QUERY,
    VERSION_OF,
    STATUS,
    REASON,
    HEADER,
    NAME,
    FORM,
    COMMON,
    VALUE,
    IDENTITY,
    NUMBER,
    DATE,
    BODY,
    PREFIX
};

/* Starts of messages: requests, the first ones for samples; then responses by their version. */
enum { GET, POST, PUT, REQUESTS_SAMPLED = 5, HEAD = 5, CONNECT, RESPONSE = 21 };

enum { VERSION_REST = 4, STATUSES_SAMPLED = 9, AGENTS_SAMPLED = 8, PREFIXES = 65 };

/* How a line differs from NAME ": " VALUE CRLF. */
enum {
    USUAL,
    NO_SPACE, /* bit 0 */
    BARE_LF,  /* bit 1 */
    COMPACT,
    RAW,     /* a line without a name */
    CUT,     /* the captured bytes end within a name */
    REST,    /* what is captured of this segment is left alone */
    ANEW,    /* a message starts though the last one has not ended (bytes were lost) */
    NO_SLASH /* the target does not start with one */
};

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

#define COMMON_ID(id, text) C_##id,
enum {
    COMMONS(COMMON_ID) COMMON_COUNT,
    ABSENT = 255 /* no token: the value is text, or implied */
};

enum wspi_http_kind {
    K_TEXT,
    K_WHO,    /* shows an identity */
    K_NUMBER, /* decimal */
    K_LENGTH, /* that of the body */
    K_DATE
};
enum {
    ASKS = 1,    /* samples: in requests */
    ANSWERS = 2, /* samples: in responses */
    STAYS = 4,   /* the flow's last value is remembered */
    KNOWN = 8    /* the common value that comes first is implied */
};

/* Names as they are usually written: kind, bytes of text that are shown, flags, common values (first, number). */
#define HEADERS(X)                                                                    \
    X(HOST, "Host", K_WHO, 16, ASKS | STAYS, 0, 0)                                    \
    X(CONNECTION, "Connection", K_TEXT, 8, 3 | KNOWN, C_KEEP_ALIVE, 2)                \
    X(USER_AGENT, "User-Agent", K_TEXT, 8, ASKS | STAYS, 0, 0)                        \
    X(ACCEPT, "Accept", K_TEXT, 8, ASKS | STAYS | KNOWN, C_ANY, 6)                    \
    X(ENCODINGS, "Accept-Encoding", K_TEXT, 4, ASKS | KNOWN, C_GZIP_DEFLATE, 3)       \
    X(LANGUAGES, "Accept-Language", K_TEXT, 4, ASKS | STAYS, C_EN_US, 7)              \
    X(REFERER, "Referer", K_WHO, 8, ASKS | STAYS, 0, 0)                               \
    X(COOKIE, "Cookie", K_WHO, 6, ASKS | STAYS, 0, 0)                                 \
    X(LENGTH, "Content-Length", K_LENGTH, 0, 3, 0, 0)                                 \
    X(TYPE, "Content-Type", K_TEXT, 10, 3 | STAYS, C_HTML, 3)                         \
    X(DATED, "Date", K_DATE, 0, ANSWERS, 0, 0)                                        \
    X(SERVER, "Server", K_TEXT, 8, ANSWERS | STAYS, C_APACHE, 5)                      \
    X(CACHE, "Cache-Control", K_TEXT, 8, 3 | STAYS, C_NO_CACHE, 2)                    \
    X(PRAGMA, "Pragma", K_TEXT, 4, 3 | KNOWN, C_NO_CACHE, 1)                          \
    X(MODIFIED, "Last-Modified", K_DATE, 0, ANSWERS, 0, 0)                            \
    X(EXPIRES, "Expires", K_DATE, 0, ANSWERS, 0, 0)                                   \
    X(ETAG, "ETag", K_TEXT, 0, ANSWERS, 0, 0)                                         \
    X(RANGES, "Accept-Ranges", K_TEXT, 4, ANSWERS | KNOWN, C_BYTES, 2)                \
    X(UPGRADING, "Upgrade-Insecure-Requests", K_TEXT, 2, ASKS | KNOWN, C_ONE, 1)      \
    X(VARIES, "Vary", K_TEXT, 8, ANSWERS | KNOWN, C_VARY, 1)                          \
    X(POWERED, "X-Powered-By", K_TEXT, 8, ANSWERS | STAYS, C_ASP_NET, 1)              \
    X(AGE, "Age", K_NUMBER, 0, ANSWERS, 0, 0)                                         \
    X(TRANSFER, "Transfer-Encoding", K_TEXT, 4, KNOWN, C_CHUNKED, 0)                  \
    X(TRANSFER_2, "Transfer-encoding", K_TEXT, 4, KNOWN, C_CHUNKED, 0)                \
    X(CODED, "Content-Encoding", K_TEXT, 4, KNOWN, C_GZIP, 0)                         \
    X(LOCATION, "Location", K_WHO, 8, 0, 0, 0)                                        \
    X(SET_COOKIE, "Set-Cookie", K_WHO, 6, 0, 0, 0)                                    \
    X(AUTHORIZATION, "Authorization", K_WHO, 6, STAYS, 0, 0)                          \
    X(AUTHENTICATE, "WWW-Authenticate", K_WHO, 6, STAYS, 0, 0)                        \
    X(PROXY, "Proxy-Authorization", K_WHO, 6, STAYS, 0, 0)                            \
    X(PROXY_CONNECTION, "Proxy-Connection", K_TEXT, 4, KNOWN, C_KEEP_ALIVE, 0)        \
    X(ORIGIN, "Origin", K_WHO, 8, STAYS, 0, 0)                                        \
    X(SINCE, "If-Modified-Since", K_DATE, 0, 0, 0, 0)                                 \
    X(UNCHANGED, "If-Unmodified-Since", K_DATE, 0, 0, 0, 0)                           \
    X(IF_NONE, "If-None-Match", K_TEXT, 0, 0, 0, 0)                                   \
    X(IF_RANGE, "If-Range", K_TEXT, 0, 0, 0, 0)                                       \
    X(ALIVE, "Keep-Alive", K_TEXT, 10, STAYS, 0, 0)                                   \
    X(CHARSET, "Accept-Charset", K_TEXT, 4, STAYS | KNOWN, C_CHARSETS, 0)             \
    X(LANGUAGE, "Content-Language", K_TEXT, 4, STAYS, 0, 0)                           \
    X(DISPOSITION, "Content-Disposition", K_TEXT, 8, 0, 0, 0)                         \
    X(RANGE, "Range", K_TEXT, 8, 0, 0, 0)                                             \
    X(PART, "Content-Range", K_TEXT, 8, 0, 0, 0)                                      \
    X(DIGEST, "Content-MD5", K_TEXT, 0, 0, 0, 0)                                      \
    X(PLACE, "Content-Location", K_WHO, 8, 0, 0, 0)                                   \
    X(TRANSFER_CODED, "Content-Transfer-Encoding", K_TEXT, 4, STAYS, 0, 0)            \
    X(MIME, "MIME-Version", K_TEXT, 4, STAYS, 0, 0)                                   \
    X(VIA, "Via", K_WHO, 8, STAYS, 0, 0)                                              \
    X(FORWARDED, "X-Forwarded-For", K_WHO, 8, STAYS, 0, 0)                            \
    X(FROM, "From", K_WHO, 8, STAYS, 0, 0)                                            \
    X(TRACK, "DNT", K_TEXT, 2, KNOWN, C_ONE, 0)                                       \
    X(EXPECT, "Expect", K_TEXT, 4, KNOWN, C_CONTINUE, 0)                              \
    X(UPGRADE, "Upgrade", K_TEXT, 8, STAYS | KNOWN, C_WEBSOCKET, 0)                   \
    X(ALLOW, "Allow", K_TEXT, 8, STAYS, 0, 0)                                         \
    X(PUBLIC, "Public", K_TEXT, 8, STAYS, 0, 0)                                       \
    X(RETRY, "Retry-After", K_NUMBER, 0, 0, 0, 0)                                     \
    X(HOPS, "Max-Forwards", K_NUMBER, 0, 0, 0, 0)                                     \
    X(TE, "TE", K_TEXT, 8, STAYS, 0, 0)                                               \
    X(TRAILER, "Trailer", K_TEXT, 8, STAYS, 0, 0)                                     \
    X(LINK, "Link", K_TEXT, 8, 0, 0, 0)                                               \
    X(REQUESTED, "X-Requested-With", K_TEXT, 8, STAYS | KNOWN, C_XHR, 0)              \
    X(FETCH_SITE, "Sec-Fetch-Site", K_TEXT, 8, STAYS, 0, 0)                           \
    X(FETCH_MODE, "Sec-Fetch-Mode", K_TEXT, 8, STAYS, 0, 0)                           \
    X(FETCH_DEST, "Sec-Fetch-Dest", K_TEXT, 8, STAYS, 0, 0)                           \
    X(SOCKET_KEY, "Sec-WebSocket-Key", K_TEXT, 0, 0, 0, 0)                            \
    X(SOCKET_ACCEPT, "Sec-WebSocket-Accept", K_TEXT, 0, 0, 0, 0)                      \
    X(SOCKET_VERSION, "Sec-WebSocket-Version", K_NUMBER, 0, 0, 0, 0)                  \
    X(CORS_ORIGIN, "Access-Control-Allow-Origin", K_WHO, 8, STAYS | KNOWN, C_STAR, 0) \
    X(CORS_HEADERS, "Access-Control-Allow-Headers", K_TEXT, 8, STAYS, 0, 0)           \
    X(CORS_METHODS, "Access-Control-Allow-Methods", K_TEXT, 8, STAYS, 0, 0)           \
    X(CORS_WHO, "Access-Control-Allow-Credentials", K_TEXT, 4, KNOWN, C_TRUE, 0)      \
    X(CORS_AGE, "Access-Control-Max-Age", K_NUMBER, 0, 0, 0, 0)                       \
    X(FRAMES, "X-Frame-Options", K_TEXT, 4, KNOWN, C_SAMEORIGIN, 0)                   \
    X(SNIFF, "X-Content-Type-Options", K_TEXT, 4, KNOWN, C_NOSNIFF, 0)                \
    X(XSS, "X-XSS-Protection", K_TEXT, 4, KNOWN, C_XSS, 0)                            \
    X(ASP, "X-AspNet-Version", K_TEXT, 8, STAYS, 0, 0)                                \
    X(UA_COMPATIBLE, "X-UA-Compatible", K_TEXT, 8, STAYS, 0, 0)                       \
    X(CACHED, "X-Cache", K_TEXT, 8, STAYS | KNOWN, C_HIT, 0)                          \
    X(STRICT, "Strict-Transport-Security", K_TEXT, 8, STAYS, 0, 0)                    \
    X(POLICY, "P3P", K_TEXT, 8, STAYS, 0, 0)                                          \
    X(SOAP_ACTION, "SOAPAction", K_TEXT, 8, STAYS, 0, 0)                              \
    X(SOAP_ACTION_2, "SOAPACTION", K_TEXT, 8, STAYS, 0, 0)                            \
    X(HOST_2, "HOST", K_WHO, 12, STAYS, 0, 0)                                         \
    X(HOST_3, "host", K_WHO, 12, STAYS, 0, 0)                                         \
    X(LENGTH_2, "Content-length", K_LENGTH, 0, 0, 0, 0)                               \
    X(LENGTH_3, "content-length", K_LENGTH, 0, 0, 0, 0)                               \
    X(LENGTH_4, "CONTENT-LENGTH", K_LENGTH, 0, 0, 0, 0)                               \
    X(TYPE_2, "Content-type", K_TEXT, 10, STAYS, 0, 0)                                \
    X(TYPE_3, "content-type", K_TEXT, 10, STAYS, 0, 0)                                \
    X(TYPE_4, "CONTENT-TYPE", K_TEXT, 10, STAYS, 0, 0)                                \
    X(DISPOSITION_2, "Content-disposition", K_TEXT, 8, 0, 0, 0)                       \
    X(USER_AGENT_2, "User-agent", K_TEXT, 12, STAYS, 0, 0)                            \
    X(USER_AGENT_3, "USER-AGENT", K_TEXT, 12, STAYS, 0, 0)                            \
    X(CACHE_2, "Cache-control", K_TEXT, 8, STAYS, 0, 0)                               \
    X(DATED_2, "date", K_DATE, 0, 0, 0, 0)                                            \
    X(ETAG_2, "Etag", K_TEXT, 0, 0, 0, 0)

#define HEADER_ID(id, ...) H_##id,
enum { HEADERS(HEADER_ID) H_END, H_OTHER = 255 };

typedef struct wspi_http_row {
    uint8_t kind, shown, flags, from, count;
} wspi_http_row;

extern const wspi_value wspi_http_starts[], wspi_http_statuses[], wspi_http_commons[],
    wspi_http_headers[], wspi_http_prefixes[];
extern const wspi_http_row
    wspi_http_rows[]; /* of the headers; H_END: of those without a name here */
extern const char *const wspi_http_versions[VERSION_REST];
extern const wspi_field wspi_http_fields[PREFIX + 1];

enum { NO_LEN = 0xffff, NO_REASON = 255 }; /* values of fields whose token is missing */
#define NO_NUMBER ((UINT64_C(1) << 40) - 1)

/* The common value (ABSENT) or header name (H_OTHER when there is none) of n bytes. */
unsigned wspi_http_common(const uint8_t *b, size_t n);
unsigned wspi_http_header(const uint8_t *b, size_t n);

/* What a value of n bytes begins with, or ABSENT. */
unsigned wspi_http_prefix(const uint8_t *b, size_t n);

/* The decimal number of n digits, or NO_NUMBER when it would not be written like this. */
uint64_t wspi_http_decimal(const uint8_t *b, size_t n);

/* RFC 9110 5.6.7: Sun, 06 Nov 1994 08:49:37 GMT; seconds since 1970. Reading takes what writing gives. */
enum { DATE_LEN = 29 };
void wspi_http_date_write(char s[DATE_LEN + 1], uint32_t secs);
bool wspi_http_date_read(const uint8_t b[DATE_LEN], uint64_t *secs);

#endif
