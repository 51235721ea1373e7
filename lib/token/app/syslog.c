/* SPDX-License-Identifier: Apache-2.0 */
/*
 * syslog.c: syslog over UDP, as BSD has it (RFC 3164) and as the IETF has it (RFC 5424):
 * | <facility * 8 + severity> | Mmm dd hh:mm:ss | host | tag[process]: | message |
 * | <facility * 8 + severity>1 | yyyy-mm-ddThh:mm:ss.ffffffZ | host | application | process | kind | data and message |
 * Some senders leave time and host out. What is written in another way, or cut within that, is text behind the priority. Hosts are names; times and processes numbers.
 */
#include "token/app/app.h"

#include <stdio.h>
#include <time.h>

enum { FACILITY, SEVERITY, FORM, LAYOUT, TIME, FRACTION, HOST, TAG, ENDS, PROCESS, KIND };

enum { BSD, IETF, TAGGED, BARE };
enum {
    SHOWN = 24,
    TAG_SHOWN = 12,
    MAX_PRIORITY = 191,
    MAX_HOST = 255,
    MAX_TAG = 48,
    MAX_KIND = 32,
    STAMP_DIGITS = 14
};

static const wspi_value facility[] = {
    {0, "kern"},      {1, "user"},    {2, "mail"},    {3, "daemon"},  {4, "auth"},
    {5, "syslog"},    {6, "lpr"},     {7, "news"},    {8, "uucp"},    {9, "cron"},
    {10, "authpriv"}, {11, "ftp"},    {12, "ntp"},    {13, "audit"},  {14, "alert"},
    {15, "clock"},    {16, "local0"}, {17, "local1"}, {18, "local2"}, {19, "local3"},
    {20, "local4"},   {21, "local5"}, {22, "local6"}, {23, "local7"}, {0, NULL}};
static const wspi_value severity[] = {{0, "emergency"}, {1, "alert"},   {2, "critical"},
                                      {3, "error"},     {4, "warning"}, {5, "notice"},
                                      {6, "info"},      {7, "debug"},   {0, NULL}};
static const wspi_value form[] = {
    {BSD, "bsd"}, {IETF, "ietf"}, {TAGGED, "tagged"}, {BARE, "bare"}, {0, NULL}};

/* d is a digit. */
static const wspi_value layout[] = {{0, "dddd-dd-ddTdd:dd:ddZ"},
                                    {1, "dddd-dd-ddTdd:dd:dd.dddZ"},
                                    {2, "dddd-dd-ddTdd:dd:dd.ddddddZ"},
                                    {3, "dddd-dd-ddTdd:dd:dd+dd:dd"},
                                    {4, "dddd-dd-ddTdd:dd:dd.ddd+dd:dd"},
                                    {5, "dddd-dd-ddTdd:dd:dd.dddddd+dd:dd"},
                                    {6, "dddd-dd-ddTdd:dd:dd-dd:dd"},
                                    {7, "dddd-dd-ddTdd:dd:dd.ddd-dd:dd"},
                                    {8, "dddd-dd-ddTdd:dd:dd.dddddd-dd:dd"},
                                    {9, "-"},
                                    {0, NULL}};

/* Samples have those behind the first, but for the last one of no program, and others. */
enum { NO_TAG, NIL_TAG = 35 };
static const wspi_value tag[] = {{NO_TAG, "none"},
                                 {1, "kernel"},
                                 {2, "sshd"},
                                 {3, "CRON"},
                                 {4, "systemd"},
                                 {5, "sudo"},
                                 {6, "su"},
                                 {7, "dhcpd"},
                                 {8, "named"},
                                 {9, "ntpd"},
                                 {10, "syslogd"},
                                 {11, "snmpd"},
                                 {12, "crond"},
                                 {13, "rsyslogd"},
                                 {14, "dhclient"},
                                 {15, "postfix/smtpd"},
                                 {16, "postfix/qmgr"},
                                 {17, "postfix/cleanup"},
                                 {18, "snort"},
                                 {19, "suricata"},
                                 {20, "dnsmasq"},
                                 {21, "hostapd"},
                                 {22, "root"},
                                 {23, "login"},
                                 {24, "ftpd"},
                                 {25, "vsftpd"},
                                 {26, "haproxy"},
                                 {27, "nginx"},
                                 {28, "httpd"},
                                 {29, "auditd"},
                                 {30, "systemd-logind"},
                                 {31, "NetworkManager"},
                                 {32, "dropbear"},
                                 {33, "pppd"},
                                 {34, "last"},
                                 {35, "-"},
                                 {0, NULL}};
static const wspi_value ends[] = {{0, "process"},     {1, "colon"}, {2, "process-tight"},
                                  {3, "colon-tight"}, {4, "nil"},   {0, NULL}};
enum { E_PROCESS, E_COLON, E_PROCESS_TIGHT, E_COLON_TIGHT, E_NIL };
static const char *const behind[] = {"]: ", ": ", "]:", ":"};

static const wspi_field fields[] = {
    [FACILITY] = {WSPI_ENUM("syslog.facility", 8, facility)},
    [SEVERITY] = {WSPI_ENUM("syslog.severity", 8, severity)},
    [FORM] = {WSPI_ENUM("syslog.form", 8, form), .pred = WSPI_P_PREV},
    [LAYOUT] = {WSPI_ENUM("syslog.layout", 8, layout)},
    [TIME] = {WSPI_FREE("syslog.time", 48, WSPI_P_CONST, WSPI_R_NUMBER)},
    [FRACTION] = {WSPI_FREE("syslog.fraction", 40, WSPI_P_CONST, WSPI_R_NUMBER)},
    [HOST] = {WSPI_MAG("syslog.host", 8, WSPI_R_NAME, 1)},
    [TAG] = {WSPI_ENUM("syslog.tag", 8, tag), .role = WSPI_R_SPELT},
    [ENDS] = {WSPI_ENUM("syslog.ends", 8, ends)},
    [PROCESS] = {WSPI_FREE("syslog.process", 32, WSPI_P_CONST, WSPI_R_NUMBER)},
    [KIND] = {WSPI_MAG("syslog.length", 8, WSPI_R_NONE, 1)},
};

static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";

/* What a header says, when encoding. */
typedef struct header {
    uint64_t form, layout, time, fraction, host, tag, ends, process, kind;
    size_t tag_len;
} header;

/* ---- what is there: encoding ---- */

typedef struct text {
    const uint8_t *b;
    size_t n;
} text;

static bool skip(text *t, const char *s)
{
    size_t len = strlen(s);

    if (t->n < len || memcmp(t->b, s, len) != 0)
        return false;
    t->b += len;
    t->n -= len;
    return true;
}

/* A number as it would be written: no zeros in front. */
static bool number(text *t, uint64_t max, uint64_t *v)
{
    size_t len = 0;

    for (*v = 0; len < t->n && len < 10 && t->b[len] >= '0' && t->b[len] <= '9'; len++)
        *v = *v * 10 + (t->b[len] - '0');
    if (len == 0 || *v > max || (len > 1 && t->b[0] == '0'))
        return false;
    t->b += len;
    t->n -= len;
    return true;
}

/* Bytes up to one of the marks; 0: there is no mark, or something that is no word comes before. */
static size_t word_at(const text *t, const char *marks, size_t max)
{
    size_t len = 0;

    while (len < t->n && len <= max && t->b[len] > ' ' && t->b[len] < 0x7f &&
           !strchr(marks, t->b[len]))
        len++;
    return len < t->n && len <= max && t->b[len] && strchr(marks, t->b[len]) ? len : 0;
}

static void pass(text *t, size_t n)
{
    t->b += n;
    t->n -= n;
}

/* "Mmm dd hh:mm:ss ": months, days, ... as one number. */
static bool bsd_time(text *t, uint64_t *v)
{
    static const struct {
        uint8_t at, limit;
    } parts[] = {{4, 32}, {7, 24}, {10, 60}, {13, 60}};
    const uint8_t *b = t->b;
    unsigned month = 0;

    if (t->n < 16 || b[3] != ' ' || b[6] != ' ' || b[9] != ':' || b[12] != ':' || b[15] != ' ')
        return false;
    while (month < 12 && memcmp(months + (size_t)3 * month, b, 3) != 0)
        month++;
    *v = month;
    for (size_t i = 0; i < WSPI_COUNT(parts) && month < 12; i++) {
        unsigned ten = b[parts[i].at], one = b[parts[i].at + 1], n = (ten & 15) * 10 + (one & 15);
        if (ten == ' ' && i == 0)
            n = one & 15;
        if ((ten != ' ' || i) && (ten < '0' + (i == 0) || ten > '9'))
            return false;
        if (one < '0' || one > '9' || n >= parts[i].limit)
            return false;
        *v = *v * parts[i].limit + n;
    }
    pass(t, 16);
    return month < 12;
}

static bool ietf_time(text *t, header *h)
{
    for (h->layout = 0; layout[h->layout].name; h->layout++) {
        const char *s = layout[h->layout].name;
        size_t i = 0, digits = 0;

        h->time = h->fraction = 0;
        for (; s[i] && i < t->n; i++) {
            if (s[i] != 'd' ? t->b[i] != (uint8_t)s[i] : t->b[i] < '0' || t->b[i] > '9')
                break;
            if (s[i] == 'd' && digits++ < STAMP_DIGITS)
                h->time = h->time * 10 + (t->b[i] - '0');
            else if (s[i] == 'd')
                h->fraction = h->fraction * 10 + (t->b[i] - '0');
        }
        if (!s[i] && i < t->n && t->b[i] == ' ') {
            pass(t, i + 1);
            return true;
        }
    }
    return false;
}

static unsigned tag_row(const uint8_t *b, size_t n)
{
    unsigned k = NO_TAG + 1;

    while (tag[k].name && (strlen(tag[k].name) != n || memcmp(tag[k].name, b, n) != 0))
        k++;
    return k;
}

/* "tag[process]: " or "tag: ", or neither. */
static void bsd_tag(text t, header *h)
{
    size_t n = word_at(&t, "[:", MAX_TAG);
    unsigned from = E_COLON;

    h->tag = NO_TAG;
    if (n == 0)
        return;
    h->tag_len = n;
    h->tag = tag_row(t.b, n);
    pass(&t, n);
    if (*t.b == '[') {
        pass(&t, 1);
        from = E_PROCESS;
        if (!number(&t, UINT32_MAX, &h->process)) {
            h->tag = NO_TAG;
            return;
        }
    }
    h->ends = skip(&t, behind[from]) ? from : from + 2;
    if (h->ends == from + 2 && !skip(&t, behind[from + 2]))
        h->tag = NO_TAG;
}

static bool bsd_header(text t, header *h)
{
    size_t n;

    if (!bsd_time(&t, &h->time))
        return false;
    n = word_at(&t, " ", MAX_HOST);
    if (n && (t.b[n - 1] == ':' || memchr(t.b, '[', n)))
        n = 0; /* no host: a tag and a message */
    h->host = n;
    pass(&t, n ? n + 1 : 0);
    bsd_tag(t, h);
    return true;
}

static bool ietf_header(text t, header *h)
{
    if (!skip(&t, "1 ") || !ietf_time(&t, h))
        return false;
    h->host = word_at(&t, " ", MAX_HOST);
    pass(&t, h->host ? h->host + 1 : 0);
    h->tag_len = h->host ? word_at(&t, " ", MAX_TAG) : 0;
    h->tag = tag_row(t.b, h->tag_len);
    pass(&t, h->tag_len ? h->tag_len + 1 : 0);
    h->ends = skip(&t, "- ") ? E_NIL : E_PROCESS;
    if (!h->tag_len ||
        (h->ends == E_PROCESS && (!number(&t, UINT32_MAX, &h->process) || !skip(&t, " "))))
        return false;
    h->kind = word_at(&t, " ", MAX_KIND);
    return h->kind > 0;
}

/* "<priority>" */
static bool priority(text *t, uint64_t *v)
{
    return skip(t, "<") && number(t, MAX_PRIORITY, v) && skip(t, ">");
}

static bool looks(const uint8_t *b, size_t n)
{
    text t = {b, n};
    uint64_t v;

    return priority(&t, &v) && (t.n == 0 || (*t.b >= ' ' && *t.b < 0x7f));
}

static header read_header(const wspi_coder *c)
{
    text t = {c->pay.in + c->pay.at, wspi_app_captured(c)};
    header h = {.form = BSD};

    if (bsd_header(t, &h))
        return h;
    h = (header){.form = IETF};
    if (ietf_header(t, &h))
        return h;
    h = (header){.form = TAGGED};
    bsd_tag(t, &h);
    if (h.tag == NO_TAG)
        h.form = BARE;
    return h;
}

/* ---- the walk ---- */

static void decimal(wspi_coder *c, uint64_t v)
{
    char s[24];

    (void)snprintf(s, sizeof s, "%llu", (unsigned long long)v);
    wspi_app_literal(c, s);
}

static void coded_priority(wspi_coder *c)
{
    text t = {c->pay.in, c->pay.end};
    uint64_t v = 0;

    if (c->enc)
        wspi_app_require(c, priority(&t, &v));
    wspi_app_only(c, 0, WSPI_COUNT(facility) - 1);
    v = wspi_app_code(c, FACILITY, false, 0, v >> 3) << 3 | (v & 7);
    wspi_app_only(c, 0, WSPI_COUNT(severity) - 1);
    v = (v & ~UINT64_C(7)) | wspi_app_code(c, SEVERITY, false, 0, v & 7);
    wspi_app_require(c, v <= MAX_PRIORITY);
    wspi_app_literal(c, "<");
    decimal(c, v);
    wspi_app_literal(c, ">");
}

/* ---- clocks of samples ---- */

enum { SECOND = 1000000000 };

/* The packet's time (RFC 3164 4.1.2, RFC 5424 6.2.3), in UTC. */
static struct tm now_of(const wspi_coder *c)
{
    time_t at = (time_t)(c->p->time_ns / SECOND);
    struct tm tm = {0};

    (void)gmtime_r(&at, &tm);
    return tm;
}

static uint64_t bsd_now(const wspi_coder *c)
{
    struct tm tm = now_of(c);

    return (((uint64_t)tm.tm_mon * 32 + (unsigned)tm.tm_mday) * 24 + (unsigned)tm.tm_hour) * 3600 +
           (uint64_t)tm.tm_min * 60 + (unsigned)tm.tm_sec;
}

/* The digits of a layout: date and time of day, then `rest` ones: of the second, and two zones of two where there is a sign. */
static void ietf_now(const wspi_coder *c, const char *digits, size_t rest, uint64_t v[2])
{
    struct tm tm = now_of(c);
    const int parts[] = {tm.tm_mon + 1, tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec};
    size_t zone = digits[0] && digits[strlen(digits) - 1] == 'd' ? 4 : 0;
    uint64_t fraction = c->p->time_ns % SECOND;

    v[0] = v[1] = 0;
    if (!strchr(digits, 'd'))
        return;
    v[0] = (uint64_t)tm.tm_year + 1900;
    for (size_t i = 0; i < WSPI_COUNT(parts); i++)
        v[0] = v[0] * 100 + (unsigned)parts[i];
    for (size_t i = rest - zone; i < 9; i++)
        fraction /= 10;
    v[1] = rest > zone ? fraction * (zone ? 10000 : 1) : 0;
}

static void coded_bsd_time(wspi_coder *c, uint64_t v)
{
    unsigned day, month;
    char s[48];

    v = wspi_app_code(c, TIME, false, 0, v);
    if (c->fill && !wspi_app_stopped(c))
        v = bsd_now(c);
    day = (unsigned)(v / 86400 % 32);
    month = (unsigned)WSPI_MIN(v / 86400 / 32, 12);
    wspi_app_require(c, month < 12);
    if (wspi_app_stopped(c))
        return;
    (void)snprintf(s, sizeof s, "%.3s %2u %02u:%02u:%02u ", months + (size_t)3 * month, day,
                   (unsigned)(v / 3600 % 24), (unsigned)(v / 60 % 60), (unsigned)(v % 60));
    wspi_app_literal(c, s);
}

static void coded_ietf_time(wspi_coder *c, const header *h)
{
    static const uint64_t tens[] = {1,       10,       100,       1000,       10000,      100000,
                                    1000000, 10000000, 100000000, 1000000000, 10000000000};
    uint64_t row, v[2];
    size_t digits = 0, i = 0, n;
    char s[48];

    wspi_app_only(
        c, 0, WSPI_COUNT(layout) - 1); /* samples are as BSD has it, but go on as a flow began */
    row = wspi_app_code(c, LAYOUT, false, 0, h->layout);
    wspi_app_require(c, row < WSPI_COUNT(layout) - 1);
    v[0] = wspi_app_code(c, TIME, false, 0, h->time);
    v[1] = wspi_app_code(c, FRACTION, false, 0, h->fraction);
    if (wspi_app_stopped(c))
        return;
    for (const char *p = layout[row].name; *p; p++)
        digits += *p == 'd';
    n = digits > STAMP_DIGITS ? digits - STAMP_DIGITS : 0;
    if (c->fill)
        ietf_now(c, layout[row].name, n, v);
    wspi_app_require(c, v[0] < 10000 * tens[10] && v[1] < tens[n] && (digits || v[0] == 0));
    for (const char *p = layout[row].name; *p && !wspi_app_stopped(c); p++, i++) {
        s[i] = *p;
        if (*p != 'd')
            continue;
        digits--;
        s[i] =
            (char)('0' + (digits >= n ? v[0] / (digits - n > 10 ? tens[10] * tens[digits - n - 10]
                                                                : tens[digits - n])
                                      : v[1] / tens[digits]) %
                             10);
    }
    s[i] = 0;
    wspi_app_literal(c, s);
    wspi_app_literal(c, " ");
}

/* ---- samples: a flow is of one host, whose programs go on (RFC 3164 4.1.2, RFC 5424 6.2.4, 6.2.6) ---- */

enum { OF_HOST = 256, LONGEST_HOST = 11 };

static size_t host_of(const wspi_coder *c, char s[LONGEST_HOST])
{
    wspi_rng r = wspi_app_of_flow(c, OF_HOST);
    size_t n = 4 + (size_t)wspi_rng_below(&r, LONGEST_HOST - 3);

    for (size_t i = 0; i < n; i++)
        s[i] = (char)('a' + wspi_rng_below(&r, 26));
    return n;
}

static void coded_host(wspi_coder *c, uint64_t n, bool may_lack)
{
    char s[LONGEST_HOST];
    size_t len = c->fill ? host_of(c, s) : 0;

    wspi_app_only(c, wspi_bin(len, 1), 1);
    n = wspi_app_code(c, HOST, false, 0, n);
    wspi_app_require(c, n > 0 || may_lack);
    if (!c->fill)
        wspi_app_require(c, n <= wspi_app_captured(c));
    if (c->fill && wspi_bin(n, 1) == wspi_bin(len, 1))
        wspi_app_put_bytes(c, s, len);
    else
        wspi_app_text(c, (size_t)n, 0, WSPI_TEXT_NAME);
    if (n)
        wspi_app_literal(c, " ");
}

/* false: there is no tag. */
static bool coded_tag(wspi_coder *c, const header *h)
{
    uint64_t row, n;

    wspi_app_only(c, NO_TAG + 1, WSPI_COUNT(tag) - 1);
    row = wspi_app_code(c, TAG, false, 0, h->tag);
    wspi_app_take_back(c, TAG, NIL_TAG);
    if (wspi_app_stopped(c) || row == NO_TAG)
        return false;
    if (row < WSPI_COUNT(tag) - 1) {
        wspi_app_literal(c, tag[row].name);
        return true;
    }
    wspi_app_only(c, 2, 7); /* 2 to 15 bytes */
    n = wspi_app_code(c, KIND, false, 0, h->tag_len);
    if (!c->fill)
        wspi_app_require(c, n <= wspi_app_captured(c));
    wspi_app_text(c, (size_t)n, TAG_SHOWN, WSPI_TEXT_FIELD);
    return true;
}

static void coded_process(wspi_coder *c, uint64_t v)
{
    wspi_rng r;

    v = wspi_app_code(c, PROCESS, false, 0, v);
    if (c->fill) {
        r = wspi_app_of_flow(c, c->app.v[c->dir][TAG]);
        v = 1 + wspi_rng_below(&r, 32767);
    }
    decimal(c, v);
}

static void tagged(wspi_coder *c, const header *h)
{
    uint64_t row;

    if (!coded_tag(c, h))
        return;
    wspi_app_only(c, 0, 2);
    row = wspi_app_code(c, ENDS, false, 0, h->ends);
    wspi_app_require(c, row < WSPI_COUNT(behind));
    if (wspi_app_stopped(c))
        return;
    if (row == E_PROCESS || row == E_PROCESS_TIGHT) {
        wspi_app_literal(c, "[");
        coded_process(c, h->process);
    }
    wspi_app_literal(c, behind[row]);
}

static void ietf(wspi_coder *c, const header *h)
{
    uint64_t row, n;

    wspi_app_literal(c, "1 ");
    coded_ietf_time(c, h);
    coded_host(c, h->host, false);
    wspi_app_require(c, coded_tag(c, h));
    wspi_app_literal(c, " ");
    row = wspi_app_code(c, ENDS, false, 0, h->ends);
    wspi_app_keep(c, ENDS, 1u << E_PROCESS | 1u << E_NIL);
    wspi_app_require(c, row == E_PROCESS || row == E_NIL);
    if (row == E_NIL)
        wspi_app_literal(c, "-");
    else
        coded_process(c, h->process);
    wspi_app_literal(c, " ");
    wspi_app_only(c, 2, 7); /* 2 to 15 bytes */
    n = wspi_app_code(c, KIND, false, 0, h->kind);
    if (!c->fill)
        wspi_app_require(c, n <= wspi_app_captured(c));
    wspi_app_text(c, (size_t)n, TAG_SHOWN, WSPI_TEXT_WORD);
    wspi_app_literal(c, " ");
}

/* Samples over TCP: lines (RFC 6587 3.4.2). */
static bool ends_line(const wspi_coder *c)
{
    return c->fill && wspi_app_is_stream(c);
}

static void walk(wspi_coder *c)
{
    header h = {.form = BARE};
    uint64_t want, is;
    size_t left;

    coded_priority(c);
    if (c->enc && !wspi_app_stopped(c))
        h = read_header(c);
    (void)wspi_app_last(c, true, FORM, &want);
    wspi_app_only(c, 0, 0);
    is = wspi_app_code(c, FORM, true, want, h.form);
    wspi_app_require(c, is <= BARE);
    if (is == BSD) {
        coded_bsd_time(c, h.time);
        coded_host(c, h.host, true);
    }
    if (is == IETF)
        ietf(c, &h);
    else if (is != BARE)
        tagged(c, &h);
    left = wspi_app_left(c);
    left -= left > 0 && ends_line(c);
    wspi_app_text(c, left, c->fill ? SHOWN : WSPI_MIN((size_t)SHOWN, wspi_app_captured(c)),
                  WSPI_TEXT_LINE);
    if (ends_line(c))
        wspi_app_put(c, 1, '\n');
}

/* Nobody answers a log. */
static bool may_speak(const wsp_context *ctx, int dir)
{
    (void)ctx;
    return dir == 0;
}

static bool may_end(const wsp_context *ctx)
{
    return ctx->app.seen[0];
}

const wspi_app wspi_app_syslog = {
    .proto = {.name = "syslog", .fields = fields, .n_fields = WSPI_COUNT(fields)},
    .over = WSPI_OVER_UDP,
    .drawn_over = WSPI_OVER_TCP,
    .looks = looks,
    .walk = walk,
    .ports = {514},
    .clients = {{514, 514}},
    .ports_only = true,
    .turns = WSPI_CLIENT_FIRST,
    .may_speak = may_speak,
    .may_end = may_end,
};
