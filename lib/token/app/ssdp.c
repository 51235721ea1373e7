/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ssdp.c: SSDP over UDP (UPnP Device Architecture 2.0, 1), one of the dialects of http.c: searches, their answers, and
 * announcements. Who it is (LOCATION, USN, what follows a known beginning of ST and NT) is an identity.
 */
#include "token/app/http.h"

enum { SEARCH, NOTIFY, STARTS_SAMPLED, RESPONSE = 4 };
static const wspi_value starts[] = {
    {SEARCH, "M-SEARCH"}, {NOTIFY, "NOTIFY"}, {2, "SUBSCRIBE"}, {3, "UNSUBSCRIBE"},
    {4, "HTTP/1.1"},      {5, "HTTP/1.0"},    {0, NULL}};

static const wspi_value version[] = {{0, "1.1"},       {1, "1.0"},  {2, "1.1-lf"},
                                     {3, "1.1-space"}, {4, "rest"}, {0, NULL}};
static const char *const versions[] = {" HTTP/1.1\r\n", " HTTP/1.0\r\n", " HTTP/1.1\n",
                                       " HTTP/1.1 \r\n"};

static const wspi_value statuses[] = {{200, "200 OK"},
                                      {400, "400 Bad Request"},
                                      {412, "412 Precondition Failed"},
                                      {500, "500 Internal Server Error"},
                                      {503, "503 Service Unavailable"},
                                      {0, NULL}};

/* Values; those that samples may give to one header stand together. */
#define COMMONS(X)                                                           \
    X(GROUP, "239.255.255.250:1900")                                         \
    X(GROUP_6, "[FF02::C]:1900")                                             \
    X(GROUP_6_LOW, "[ff02::c]:1900")                                         \
    X(GROUP_6_SITE, "[FF05::C]:1900")                                        \
    X(DISCOVER, "\"ssdp:discover\"")                                         \
    X(DISCOVER_BARE, "ssdp:discover")                                        \
    X(ALIVE, "ssdp:alive")                                                   \
    X(BYEBYE, "ssdp:byebye")                                                 \
    X(UPDATE, "ssdp:update")                                                 \
    X(ALL, "ssdp:all")                                                       \
    X(ROOT, "upnp:rootdevice")                                               \
    X(GATEWAY, "urn:schemas-upnp-org:device:InternetGatewayDevice:1")        \
    X(MEDIA_SERVER, "urn:schemas-upnp-org:device:MediaServer:1")             \
    X(MEDIA_RENDERER, "urn:schemas-upnp-org:device:MediaRenderer:1")         \
    X(DIAL, "urn:dial-multiscreen-org:service:dial:1")                       \
    X(GATEWAY_2, "urn:schemas-upnp-org:device:InternetGatewayDevice:2")      \
    X(BASIC, "urn:schemas-upnp-org:device:Basic:1")                          \
    X(WAN_DEVICE, "urn:schemas-upnp-org:device:WANDevice:1")                 \
    X(WAN_CONNECTION, "urn:schemas-upnp-org:device:WANConnectionDevice:1")   \
    X(WAN_IP, "urn:schemas-upnp-org:service:WANIPConnection:1")              \
    X(WAN_PPP, "urn:schemas-upnp-org:service:WANPPPConnection:1")            \
    X(WAN_COMMON, "urn:schemas-upnp-org:service:WANCommonInterfaceConfig:1") \
    X(FORWARDING, "urn:schemas-upnp-org:service:Layer3Forwarding:1")         \
    X(CONTENT, "urn:schemas-upnp-org:service:ContentDirectory:1")            \
    X(CONNECTIONS, "urn:schemas-upnp-org:service:ConnectionManager:1")       \
    X(TRANSPORT, "urn:schemas-upnp-org:service:AVTransport:1")               \
    X(RENDERING, "urn:schemas-upnp-org:service:RenderingControl:1")          \
    X(WFA_DEVICE, "urn:schemas-wifialliance-org:device:WFADevice:1")         \
    X(WFA_CONFIG, "urn:schemas-wifialliance-org:service:WFAWLANConfig:1")    \
    X(RECEIVERS, "urn:microsoft.com:service:X_MS_MediaReceiverRegistrar:1")  \
    X(AGE_1800, "max-age=1800")                                              \
    X(AGE_1801, "max-age=1801")                                              \
    X(AGE_100, "max-age=100")                                                \
    X(AGE_120, "max-age=120")                                                \
    X(AGE_900, "max-age=900")                                                \
    X(AGE_1900, "max-age=1900")                                              \
    X(AGE_3000, "max-age=3000")                                              \
    X(AGE_3600, "max-age=3600")                                              \
    X(AGE_60, "max-age=60")                                                  \
    X(EMPTY, "")                                                             \
    X(OPTION, "\"http://schemas.upnp.org/upnp/1/0/\"; ns=01")                \
    X(ANY, "*")

enum { COMMONS(WSPI_HTTP_COMMON_ID) COMMON_COUNT };
static const wspi_value commons[] = {COMMONS(WSPI_HTTP_COMMON_VALUE){0, NULL}};

/* Samples: an answer or announcement says where a device is described and who it is. */
#define WHERE "http://%.example:8080/%.xml"
#define WHO   "uuid:%-%-%-%-%"
#define WHAT  "%/1.0 UPnP/1.1 %/1.0"

/* Name, then its row; headers are written in any case. Samples: the last two are the prefixes of what is spelled. */
#define HEADERS(X)                                                                    \
    X(HOST, "HOST", K_WHO, 0, STAYS | KNOWN, C_GROUP, 2, NULL, 0, 0)                  \
    X(MAN, "MAN", K_TEXT, 8, KNOWN, C_DISCOVER, 2, NULL, 0, 0)                        \
    X(MX, "MX", K_NUMBER, 0, 0, 1, 3, NULL, 0, 0)                                     \
    X(ST, "ST", K_WHO, 0, STAYS | ECHO, C_ALL, 21, NULL, 0, 0)                        \
    X(NT, "NT", K_WHO, 0, STAYS, C_ROOT, 20, NULL, 0, 0)                              \
    X(NTS, "NTS", K_TEXT, 8, STAYS | KNOWN, C_ALIVE, 2, NULL, 0, 0)                   \
    X(USN, "USN", K_WHO, 0, STAYS | BARE, 0, 0, WHO, 0, 0)                            \
    X(LOCATION, "LOCATION", K_WHO, 0, STAYS, 0, 0, WHERE, 0, 0)                       \
    X(CACHE, "CACHE-CONTROL", K_TEXT, 12, STAYS | KNOWN, C_AGE_1800, 9, NULL, 0, 0)   \
    X(SERVER, "SERVER", K_TEXT, 12, STAYS, 0, 0, WHAT, 0, 0)                          \
    X(EXT, "EXT", K_TEXT, 0, KNOWN, C_EMPTY, 1, NULL, 0, 0)                           \
    X(USER_AGENT, "USER-AGENT", K_TEXT, 12, STAYS | ASKS, 0, 0, NULL, 7, 7)           \
    X(LENGTH, "Content-Length", K_LENGTH, 0, 0, 0, 1, NULL, 0, 0)                     \
    X(LENGTH_2, "CONTENT-LENGTH", K_LENGTH, 0, 0, 0, 1, NULL, 0, 0)                   \
    X(DATED, "DATE", K_DATE, 0, 0, 0, 0, NULL, 0, 0)                                  \
    X(DATED_2, "Date", K_DATE, 0, 0, 0, 0, NULL, 0, 0)                                \
    X(OPT, "OPT", K_TEXT, 8, STAYS | KNOWN | ASKS, C_OPTION, 1, NULL, 0, 0)           \
    X(NLS, "01-NLS", K_WHO, 0, STAYS | ASKS, 0, 0, NULL, 0, 0)                        \
    X(BOOT, "BOOTID.UPNP.ORG", K_WHO, 0, STAYS, 0, 0, NULL, 0, 0)                     \
    X(CONFIG, "CONFIGID.UPNP.ORG", K_WHO, 0, STAYS, 0, 0, NULL, 0, 0)                 \
    X(NEXT_BOOT, "NEXTBOOTID.UPNP.ORG", K_WHO, 0, STAYS, 0, 0, NULL, 0, 0)            \
    X(SEARCH_PORT, "SEARCHPORT.UPNP.ORG", K_WHO, 0, STAYS, 0, 0, NULL, 0, 0)          \
    X(FRIENDLY, "CPFN.UPNP.ORG", K_WHO, 0, STAYS, 0, 0, NULL, 0, 0)                   \
    X(CONTROL, "CPUUID.UPNP.ORG", K_WHO, 0, STAYS, 0, 0, NULL, 0, 0)                  \
    X(X_AGENT, "X-User-Agent", K_TEXT, 12, STAYS | ASKS, 0, 0, NULL, 7, 7)            \
    X(WAKEUP, "WAKEUP", K_WHO, 0, STAYS, 0, 0, NULL, 0, 0)                            \
    X(HUE, "hue-bridgeid", K_WHO, 0, STAYS, 0, 0, NULL, 0, 0)                         \
    X(HOST_2, "Host", K_WHO, 0, STAYS | KNOWN, C_GROUP, 2, NULL, 0, 0)                \
    X(HOST_3, "host", K_WHO, 0, STAYS | KNOWN, C_GROUP, 2, NULL, 0, 0)                \
    X(MAN_2, "Man", K_TEXT, 8, KNOWN, C_DISCOVER, 2, NULL, 0, 0)                      \
    X(MAN_3, "man", K_TEXT, 8, KNOWN, C_DISCOVER, 2, NULL, 0, 0)                      \
    X(MX_2, "Mx", K_NUMBER, 0, 0, 1, 3, NULL, 0, 0)                                   \
    X(MX_3, "mx", K_NUMBER, 0, 0, 1, 3, NULL, 0, 0)                                   \
    X(ST_2, "St", K_WHO, 0, STAYS | ECHO, C_ALL, 21, NULL, 0, 0)                      \
    X(ST_3, "st", K_WHO, 0, STAYS | ECHO, C_ALL, 21, NULL, 0, 0)                      \
    X(NT_2, "Nt", K_WHO, 0, STAYS, C_ROOT, 20, NULL, 0, 0)                            \
    X(NTS_2, "Nts", K_TEXT, 8, STAYS | KNOWN, C_ALIVE, 2, NULL, 0, 0)                 \
    X(USN_2, "Usn", K_WHO, 0, STAYS | BARE, 0, 0, WHO, 0, 0)                          \
    X(LOCATION_2, "Location", K_WHO, 0, STAYS, 0, 0, WHERE, 0, 0)                     \
    X(LOCATION_3, "location", K_WHO, 0, STAYS, 0, 0, WHERE, 0, 0)                     \
    X(CACHE_2, "Cache-Control", K_TEXT, 12, STAYS | KNOWN, C_AGE_1800, 9, NULL, 0, 0) \
    X(CACHE_3, "Cache-control", K_TEXT, 12, STAYS | KNOWN, C_AGE_1800, 9, NULL, 0, 0) \
    X(SERVER_2, "Server", K_TEXT, 12, STAYS, 0, 0, WHAT, 0, 0)                        \
    X(SERVER_3, "server", K_TEXT, 12, STAYS, 0, 0, WHAT, 0, 0)                        \
    X(EXT_2, "Ext", K_TEXT, 0, KNOWN, C_EMPTY, 1, NULL, 0, 0)                         \
    X(EXT_3, "ext", K_TEXT, 0, KNOWN, C_EMPTY, 1, NULL, 0, 0)                         \
    X(USER_AGENT_2, "User-Agent", K_TEXT, 12, STAYS | ASKS, 0, 0, NULL, 7, 7)

#define HEADER_ROW(id, name, ...) {__VA_ARGS__},
enum { HEADERS(WSPI_HTTP_HEADER_ID) H_END };
static const wspi_value headers[] = {HEADERS(WSPI_HTTP_HEADER_VALUE){H_END, "end"}, {0, NULL}};
static const wspi_http_row rows[] = {HEADERS(HEADER_ROW){K_WHO, 0, STAYS, 0, 0, NULL, 0, 0}};

/* How values begin that are spelled, and that of the request. */
static const wspi_value prefixes[] = {{0, "http://"},
                                      {1, "https://"},
                                      {2, "uuid:"},
                                      {3, "urn:schemas-upnp-org:device:"},
                                      {4, "urn:schemas-upnp-org:service:"},
                                      {5, "urn:"},
                                      {6, "max-age="},
                                      {7, "Linux/"},
                                      {8, "Linux"},
                                      {9, "Microsoft-Windows"},
                                      {10, "Google Chrome/"},
                                      {11, "Chromium/"},
                                      {12, "Microsoft Edge/"},
                                      {13, "UPnP/1."},
                                      {14, "upnp:"},
                                      {15, "(asked)"},
                                      {0, NULL}};

static const wspi_field fields[] = {
    WSPI_HTTP_FIELDS("ssdp", starts, version, statuses, headers, commons, prefixes, WSPI_R_NONE, 1),
    WSPI_HTTP_MORE("ssdp")};

enum { MOST_NEEDED = 7 };
static const uint8_t search[] = {H_HOST, H_MAN, H_MX, H_ST, ABSENT};
static const uint8_t announcement[] = {H_HOST, H_CACHE,  H_LOCATION, H_NT,
                                       H_NTS,  H_SERVER, H_USN,      ABSENT};
static const uint8_t answer[] = {H_CACHE, H_EXT, H_LOCATION, H_SERVER, H_ST, H_USN, ABSENT};
static const uint8_t *const asks[STARTS_SAMPLED] = {search, announcement};
static const uint8_t *const answers[STARTS_SAMPLED] = {answer, answer};

static wspi_http_words words;
const wspi_http_dialect wspi_ssdp = {
    .starts = starts,
    .statuses = statuses,
    .commons = commons,
    .headers = headers,
    .prefixes = prefixes,
    .rows = rows,
    .versions = versions,
    .version = " HTTP/1.",
    .digits = 1,
    .target = "*",
    .target_shape = "",
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
    .statuses_sampled = 1,
    .answers_sampled = 1,
    .host = NEVER,
    .agent = NEVER,
    .sized = NEVER,
    .typed = NEVER,
    .coded = {NEVER, NEVER},
    .login = NEVER,
    .realm = NEVER,
    .bodyless = {NEVER, NEVER},
    .flags = REPEATS | ORDERED | ONE_TARGET | FREELY,
    .mixed = MOST_NEEDED,
    .memory = WSPI_NAME_MAX,
    .words = &words,
};

static bool looks(const uint8_t *b, size_t n)
{
    return wspi_http_begins(&wspi_ssdp, b, n);
}

static void walk(wspi_coder *c)
{
    wspi_http_walk(c, &wspi_ssdp);
}

const wspi_app wspi_app_ssdp = {
    .proto = {.name = "ssdp", .fields = fields, .n_fields = WSPI_COUNT(fields)},
    .over = WSPI_OVER_UDP,
    .looks = looks,
    .walk = walk,
    .ports = {1900},
    .clients = {{1900, 1900}},
    .ports_only = true,
};
