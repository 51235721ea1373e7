/* SPDX-License-Identifier: Apache-2.0 */
/* sip_lists.h: statuses and values of headers of SIP that are listed, for sip.c. */
#ifndef WSPI_SIP_LISTS_H
#define WSPI_SIP_LISTS_H

#include "token/app/http.h"

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

#endif
