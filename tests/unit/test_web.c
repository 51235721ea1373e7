/* SPDX-License-Identifier: Apache-2.0 */
/* test_web.c: HTTP messages: round trip of whole, cut, split and damaged ones, their tokens, samples. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <jansson.h>

#include "token/app/http.h"
#include "token/json.h"

#include "tests/unit/wire.h"

static void whole(wire *w, const char *s, int dir)
{
    segment(w, s, strlen(s), strlen(s), dir, false);
}

static const char request[] = "GET /index.html?q=1 HTTP/1.1\r\n"
                              "Host: www.example.org\r\n"
                              "User-Agent: Mozilla/5.0 (X11; Linux x86_64) Gecko/20100101\r\n"
                              "Accept: */*\r\n"
                              "Accept-Encoding: gzip, deflate\r\n"
                              "X-Odd: 1\r\n"
                              "Cookie: id=4711\r\n"
                              "Connection: keep-alive\r\n\r\n";
static const char response[] = "HTTP/1.1 200 OK\r\n"
                               "Date: Sun, 06 Nov 1994 08:49:37 GMT\r\n"
                               "Server: Apache/2.4.1\r\n"
                               "Content-Type: text/html\r\n"
                               "Content-Length: 20\r\n"
                               "Location: http://www.example.org/there\r\n"
                               "\r\n<html>hello</html>\r\n";
static const char post[] = "POST /form HTTP/1.0\nhost:a.example\nContent-length: 3\n\na=b";
static const char chunks[] = "HTTP/1.0 404 Nothing here\r\nTransfer-Encoding: chunked\r\n"
                             "Expires: -1\r\nETag: \"abc\"\r\n\r\n3\r\nabc\r\n0\r\n\r\n";

static void http_messages_have_the_tokens_that_are_expected(void **state)
{
    static const char *const asked[] = {"app=http",           "http.start=GET",
                                        "http.target=10..11", "http.query=3",
                                        "http.header=Host",   "http.header=User-Agent",
                                        "http.header=Cookie", "http.prefix=Mozilla/5.0 (X11; ",
                                        "http.header=other",  "http.header=end"};
    static const char *const answered[] = {
        "http.start=HTTP/1.1",   "http.status=200 OK",         "http.header=Date",
        "http.header=Server",    "http.prefix=Apache/2.4.",    "http.header=Content-Type",
        "http.common=text/html", "http.header=Content-Length", "http.body=text"};
    wire w;

    (void)state;
    wire_open(&w);
    whole(&w, request, 0);
    for (size_t i = 0; i < WSPI_COUNT(asked); i++)
        assert_named(&w, asked[i]);
    whole(&w, response, 1);
    for (size_t i = 0; i < WSPI_COUNT(answered); i++)
        assert_named(&w, answered[i]);
    whole(&w, request, 0); /* what is as in the last request needs no words */
    assert_named(&w, "http.header=Cookie");
    assert_null(strstr(w.names, "http.prefix"));
    assert_null(strstr(w.names, "http.identity=12"));
    whole(&w, post, 0);
    assert_named(&w, "http.version=1.0-lf");
    assert_named(&w, "http.header=host");
    assert_named(&w, "http.body=text");
    whole(&w, chunks, 1);
    assert_named(&w, "http.start=HTTP/1.0");
    assert_named(&w, "http.reason=12..15");
    wire_close(&w);
}

static void http_comes_back_wherever_it_is_cut_or_split(void **state)
{
    static const char *const asks[] = {request, post}, *const answers[] = {response, chunks};
    wire w;

    (void)state;
    wire_open(&w);
    for (size_t i = 0; i < 4; i++) {
        const char *ask = asks[i & 1], *answer = answers[i >> 1];
        for (size_t n = 1, len = strlen(ask); n < len; n++) {
            size_t m = 1 + n % (strlen(answer) - 1), rest = strlen(answer) - m;
            wire_again(&w); /* split */
            segment(&w, ask, n, n, 0, false);
            segment(&w, ask + n, len - n, len - n, 0, false);
            segment(&w, answer, m, m, 1, false);
            segment(&w, answer + m, rest, rest, 1, false);
            whole(&w, ask, 0);
            wire_again(&w); /* cut when it was captured */
            segment(&w, ask, len, n, 0, true);
            segment(&w, answer, m + rest, m, 1, true);
            segment(&w, ask, len, len - n, 0, true);
            segment(&w, ask, n, n / 2, 1, true); /* in the wrong direction */
        }
    }
    wire_close(&w);
}

static void damaged_http_comes_back(void **state)
{
    static const char *const all[] = {request, response, post, chunks};
    static const char odd[] = "\r\n \t:/?,;\0A1\xff";
    wspi_rng r;
    wire w;

    (void)state;
    wspi_rng_seed(&r, 5);
    wire_open(&w);
    for (int i = 0; i < 20000; i++) {
        const char *s = all[wspi_rng_below(&r, 4)];
        size_t len = strlen(s), n = 1 + (size_t)wspi_rng_below(&r, len - 1);
        char b[sizeof request + sizeof response];
        int dir = (int)wspi_rng_below(&r, 2);
        memcpy(b, s, len);
        for (int k = 0; k < 3; k++)
            b[wspi_rng_below(&r, len)] = odd[wspi_rng_below(&r, sizeof odd)];
        if (i % 8 == 0)
            wire_again(&w);
        segment(&w, b, n, n, dir, false);
        segment(&w, b + n, len - n, (size_t)wspi_rng_below(&r, len - n), dir, i & 1);
    }
    wire_close(&w);
}

/* ---- TLS ---- */

/* Messages that are longer than their record, or than their segment; what follows them is read. */
static void tls_messages_go_on_in_other_segments_and_records(void **state)
{
    /* a hello request that claims 32 bytes in a record of 14: type 0 is no hello that is cut */
    static const char request_cut[] = "\x16\x03\x00\x00\x0e\x00\x00\x00\x20\0\0\0\0\0\0\0\0\x7b\0";
    static const char hello_cut[] = "\x16\x03\x03\x00\x30\x01\x00\x00\x2c\x03\x03"
                                    "12345678901234567890";
    static const char rest[] = "123456789012345678901";
    /* a certificate of 20 bytes in records of 14 and 18, the end of the server's turn behind it */
    static const char first[] = "\x16\x03\x03\x00\x0e\x0b\x00\x00\x14"
                                "certificat";
    static const char second[] = "\x16\x03\x03\x00\x0e"
                                 "e and more"
                                 "\x0e\x00\x00\x00";
    wire w;

    (void)state;
    wire_open(&w);
    segment(&w, request_cut, sizeof request_cut - 1, sizeof request_cut - 1, 0, true);
    assert_named(&w, "tls.handshake=hello-request");
    wire_again(&w);
    segment(&w, hello_cut, sizeof hello_cut - 1, sizeof hello_cut - 1, 0, true);
    assert_named(&w, "tls.handshake=client-hello-cut");
    segment(&w, rest, sizeof rest - 1, sizeof rest - 1, 0, true);
    segment(&w, first, sizeof first - 1, sizeof first - 1, 1, true);
    assert_named(&w, "tls.handshake=certificate");
    segment(&w, second, sizeof second - 1, sizeof second - 1, 1, true);
    assert_named(&w, "tls.handshake=server-done");
    wire_close(&w);
}

/* ---- samples ---- */

static void sampled_http_has_what_real_messages_have(void **state)
{
    static const struct {
        const char *asks[4], *answers[4];
    } all[] = {
        {{"http.start=GET", "http.header=Connection", "http.common=Keep-Alive"},
         {"http.header=Server", "http.prefix=Apache/2.4."}},
        {{"http.start=GET", "http.header=other", "http.name=16..23"}, {"http.start=HTTP/1.0"}},
        {{"http.start=GET", "http.identity=32..47"},
         {"http.status=200 OK", "http.header=Content-Type",
          "http.common=text/html; charset=UTF-8"}},
        {{"http.start=GET", "http.target=64..79"}, {"http.header=Expires", "http.common=0"}},
        {{"http.start=GET", "http.header=If-None-Match", "http.prefix=W/\""},
         {"http.status=304 Not Modified"}},
        {{"http.start=GET", "http.header=Referer", "http.prefix=http://"},
         {"http.header=Set-Cookie", "http.identity=384..511"}},
        {{"http.start=GET", "http.query=128..191", "http.header=Connection",
          "http.common=Keep-Alive"},
         {"http.header=Keep-Alive", "http.prefix=timeout="}},
    };

    (void)state;
    for (size_t i = 0; i < WSPI_COUNT(all); i++) {
        const char *asks_for[16] = {"c2s first",    "c2s gap=0",         "stack=eth/ipv4/tcp",
                                    "tcp.dport=80", "tcp.sport=dynamic", "len=256..271",
                                    "tcp.flags=PA"};
        const char *answers_with[16] = {"s2c first",    "s2c gap=0",         "stack=eth/ipv4/tcp",
                                        "tcp.sport=80", "tcp.dport=dynamic", "len=256..271",
                                        "tcp.flags=PA"};
        for (size_t k = 0; k < WSPI_COUNT(all[i].asks) && all[i].asks[k]; k++)
            asks_for[7 + k] = all[i].asks[k];
        for (size_t k = 0; k < WSPI_COUNT(all[i].answers) && all[i].answers[k]; k++)
            answers_with[7 + k] = all[i].answers[k];
        for (size_t k = 0; k < WSPI_COUNT(all[i].asks); k++)
            sample_has(asks_for, answers_with, WSPI_APP_HTTP, all[i].asks[k], all[i].answers[k]);
    }
}

/* What is not told ends with the connection: so does the body of a sample that has no length. */
static void a_sampled_answer_without_a_length_has_a_body(void **state)
{
    static const char *const asks_for[] = {
        "c2s first",    "c2s gap=0",         "stack=eth/ipv4/tcp",
        "tcp.dport=80", "tcp.sport=dynamic", "len=256..271",
        "tcp.flags=PA", "http.start=GET",    NULL};
    static const char *const answers_with[] = {"s2c first",
                                               "s2c gap=0",
                                               "stack=eth/ipv4/tcp",
                                               "tcp.sport=80",
                                               "tcp.dport=dynamic",
                                               "len=256..271",
                                               "tcp.flags=PA",
                                               "http.status=200 OK",
                                               "http.header=end",
                                               "http.body=text",
                                               NULL};

    (void)state;
    sample_has(asks_for, answers_with, WSPI_APP_HTTP, NULL, "http.body=text");
}

/* Flows of a request and an answer that have these tokens where they may, and are read again as they were drawn. */
static void draws(const char *const asked[6], const char *const answered[6],
                  void (*check)(const wire *w, int dir))
{
    const char *asks_for[16] = {"c2s first",    "c2s gap=0",         "stack=eth/ipv4/tcp",
                                "tcp.dport=80", "tcp.sport=dynamic", "len=256..271",
                                "tcp.flags=PA"};
    const char *answers_with[16] = {"s2c first",    "s2c gap=0",         "stack=eth/ipv4/tcp",
                                    "tcp.sport=80", "tcp.dport=dynamic", "len=256..271",
                                    "tcp.flags=PA"};
    wspi_rng r;
    wire w;

    for (size_t k = 0; k < 6; k++) {
        asks_for[7 + k] = asked[k];
        answers_with[7 + k] = answered[k];
    }
    wspi_rng_seed(&r, 21);
    wire_open(&w);
    for (uint64_t flow = 0; flow < 40; flow++) {
        wsp_filler fill = filler_of(flow);
        fill.start_ns = UINT64_C(1700000000000000000);
        wire_again(&w);
        /* a request that is longer than a segment is not over */
        for (int dir = 0; dir < 2 && (!dir || wspi_app_may_speak(w.dec, 1)); dir++) {
            sample(&w, &fill, dir ? answers_with : asks_for, dir, WSPI_APP_HTTP, &r);
            assert_seen_as_drawn(&w, dir ? answered : asked, 6);
            if (check)
                check(&w, dir);
        }
    }
    wire_close(&w);
}

static const uint8_t *payload_of(const wire *w, size_t *n)
{
    *n = w->packet->payload_len;
    return w->packet->data + w->packet->payload_off;
}

static void ends_lines(const wire *w, int dir)
{
    size_t n;
    const uint8_t *b = payload_of(w, &n), *body = b;

    if (dir == 0)
        return;
    assert_non_null(strstr(w->drawn, " text=\\x0d\\x0a "));
    while (memcmp(body, "\r\n\r\n", 4) != 0)
        body++;
    for (body += 4; body < b + n; body++) {
        assert_true((*body >= ' ' && *body < 0x7f && *body != '%') || strchr("\t\r\n", *body));
        assert_true(body[0] != '\r' || (body + 1 < b + n && body[1] == '\n'));
    }
}

/* The date that a header of the payload has; 0: it has none. */
static uint64_t date_in(const uint8_t *b, size_t n, const char *header)
{
    size_t len = strlen(header);
    uint64_t secs = 0;

    for (size_t i = 0; i + len + DATE_LEN <= n; i++)
        if (memcmp(b + i, header, len) == 0 && wspi_http_date_read(b + i + len, &secs))
            return secs;
    return 0;
}

static void is_of_its_time(const wire *w, int dir)
{
    size_t n;
    const uint8_t *b = payload_of(w, &n);
    uint64_t now = w->packet->time_ns / 1000000000;

    if (dir == 0)
        return;
    assert_int_equal(date_in(b, n, "\r\nDate: "), now);
    assert_in_range(date_in(b, n, "\r\nLast-Modified: "), now - (1 << 26), now);
    assert_in_range(date_in(b, n, "\r\nExpires: "), now, now + (1 << 20));
}

/* RFC 9110 6.6.1 */
static void a_sampled_answer_is_of_its_time(void **state)
{
    static const char *const asked[6] = {"http.start=GET"}, *const answered[6] = {
                                                                "http.status=200 OK",
                                                                "http.header=Date",
                                                                "http.header=Last-Modified",
                                                                "http.header=Expires",
                                                                "http.header=end"};

    (void)state;
    draws(asked, answered, is_of_its_time);
}

static void a_sampled_body_of_text_has_lines(void **state)
{
    static const char *const asked[6] = {"http.start=GET"}, *const answered[6] = {
                                                                "http.status=200 OK",
                                                                "http.header=end", "http.body=text",
                                                                "text=\\x0d\\x0a"};

    (void)state;
    draws(asked, answered, ends_lines);
}

static void has_a_phrase(const wire *w, int dir)
{
    size_t n;
    const uint8_t *b = payload_of(w, &n);

    if (dir == 0)
        return;
    assert_named(w, "http.reason=3");
    b += strlen("HTTP/1.1 200");
    assert_true(b[0] == ' ' && b[1] >= ' ' && b[1] < 0x7f && b[2] > ' ' && b[2] < 0x7f);
    assert_memory_equal(b + 3, "\r\n", 2);
}

static void a_sampled_answer_has_a_phrase_of_its_own(void **state)
{
    static const char *const asked[6] = {"http.start=GET"}, *const answered[6] = {
                                                                "http.status=200 OK",
                                                                "http.reason=3", "http.header=end"};

    (void)state;
    draws(asked, answered, has_a_phrase);
}

static void is_json(const wire *w, int dir)
{
    size_t n;
    const uint8_t *b = payload_of(w, &n), *body = b;
    json_error_t err;
    json_t *text;

    if (dir == 0 || strstr(w->names, "http.status=204") || strstr(w->names, "http.status=304"))
        return;
    while (memcmp(body, "\r\n\r\n", 4) != 0)
        body++;
    body += 4;
    if (strstr(w->names, "http.header=Content-Length http.number=0 "))
        return;
    text = json_loadb((const char *)body, (size_t)(b + n - body), JSON_DECODE_ANY, &err);
    if (!text)
        print_message("%s: %.*s\n", err.text, (int)(b + n - body), (const char *)body);
    assert_non_null(text);
    json_decref(text);
    assert_named(w, "http.body=text");
    assert_true(n <= WSPI_LEN_SAMPLED);
}

/* RFC 8259, whether the body has a length or not; the first tokens may be an object's. */
static void a_sampled_body_of_json_is_json(void **state)
{
    static const char *const asked[6] = {"http.start=GET"},
                             *const typed[6] = {"http.status=200 OK", "http.header=Content-Type",
                                                "http.common=application/json", "http.header=end"},
                             *const opens[6] = {"http.status=200 OK",
                                                "http.header=Content-type",
                                                "http.common=application/json",
                                                "http.header=end",
                                                "text={\"",
                                                "text=\":\\x20"},
                             *const sized[6] = {"http.status=200 OK", "http.header=Content-Type",
                                                "http.common=application/json; charset=utf-8",
                                                "http.header=Content-Length"};

    (void)state;
    draws(asked, typed, is_json);
    draws(asked, opens, is_json);
    draws(asked, sized, is_json);
}

/* Whatever comes in between, what is refused changes nothing, and the text ends in time: for fuzzing, whose tokens keep to no class. */
static void json_goes_on_behind_what_it_refuses(void **state)
{
    wspi_rng r;

    (void)state;
    wspi_rng_seed(&r, 23);
    for (int i = 0; i < 2000; i++) {
        char text[64];
        wspi_json j = {0};
        json_error_t err;
        json_t *read;

        for (size_t n = 0; n < sizeof text;) {
            size_t left = sizeof text - 1 - n;
            uint8_t b = (uint8_t)wspi_rng_below(&r, 128);
            wspi_json before = j;
            if (wspi_json_step(&j, b, left)) {
                text[n++] = (char)b;
                continue;
            }
            assert_memory_equal(&j, &before, sizeof j);
            b = wspi_json_fill(&j, left + 1, &r);
            assert_true(wspi_json_step(&j, b, left));
            text[n++] = (char)b;
        }
        read = json_loadb(text, sizeof text, JSON_DECODE_ANY, &err);
        assert_non_null(read);
        json_decref(read);
    }
}

/* The value of a header, up to the end of its line. */
static const char *value_of(const wire *w, const char *name, size_t *n)
{
    static char text[ROOM];
    const uint8_t *b = payload_of(w, n);
    char *at;

    assert_true(*n < sizeof text);
    memcpy(text, b, *n);
    text[*n] = 0;
    at = strstr(text, name);
    assert_non_null(at);
    at += strlen(name);
    *n = strcspn(at, "\r");
    return at;
}

/* RFC 7617 2, RFC 4648 4: groups of four digits, which stand for a user, a colon and a password. */
static void logs_in(const wire *w, int dir)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    size_t n, colons = 0;
    const char *s;

    if (dir) { /* RFC 9110 15.5.2: it has */
        assert_null(strstr(w->names, "http.status=401"));
        return;
    }
    s = value_of(w, "\r\nAuthorization: Basic ", &n);
    assert_true(n >= 12 && n % 4 == 0);
    for (size_t i = 0, v = 0; i < n; i++) {
        assert_non_null(strchr(digits, s[i]));
        v = v << 6 | (size_t)(strchr(digits, s[i]) - digits);
        for (size_t k = 0; i % 4 == 3 && k < 3; k++) {
            uint8_t b = (uint8_t)(v >> (16 - 8 * k));
            assert_true(b == ':' || (b >= 'a' && b <= 'z'));
            colons += b == ':';
        }
    }
    assert_int_equal(colons, 1);
}

static void asks_for_a_login(const wire *w, int dir)
{
    size_t n;
    const char *s = dir ? value_of(w, "\r\nWWW-Authenticate: Basic ", &n) : NULL;

    if (!s)
        return;
    assert_memory_equal(s, "realm=\"", 7);
    assert_true(n >= 8 && s[n - 1] == '"' && strcspn(s + 7, "\"") == n - 8);
}

static void samples_log_in_and_ask_for_it(void **state)
{
    static const char *const in[6] = {"http.start=GET", "http.header=Authorization",
                                      "http.prefix=Basic "},
                             *const plain[6] = {"http.start=GET", "http.header=Host",
                                                "http.header=end"},
                             *const any[6] = {"http.start=HTTP/1.1"},
                             *const refused[6] = {"http.status=401 Unauthorized",
                                                  "http.header=WWW-Authenticate",
                                                  "http.prefix=Basic "};

    (void)state;
    draws(in, any, logs_in);
    draws(plain, refused, asks_for_a_login);
}

static void wants_a_login(const wire *w, int dir)
{
    if (dir)
        assert_named(w, "http.header=WWW-Authenticate");
}

/* RFC 9110 15.5.2 */
static void a_sampled_answer_that_refuses_says_what_it_wants(void **state)
{
    static const char *const asked[6] = {"http.start=GET", "http.header=Host", "http.header=end"},
                             *const answered[6] = {"http.status=401 Unauthorized",
                                                   "http.header=end"};

    (void)state;
    draws(asked, answered, wants_a_login);
}

static void says_what_it_sends(const wire *w, int dir)
{
    static const char *const of_files[] = {"ETag", "Last-Modified", "Accept-Ranges"};
    char name[64];

    if (!dir) {
        assert_named(w, "http.header=Content-Type");
        assert_named(w, "http.header=Content-Length");
    }
    for (size_t i = 0; dir && i < WSPI_COUNT(of_files); i++) {
        (void)snprintf(name, sizeof name, " http.header=%s ", of_files[i]);
        assert_null(strstr(w->names, name));
    }
}

/* RFC 9110 8.3, 8.6; 8.8: an error is not the file. */
static void samples_say_of_what_type_they_send_and_of_errors_less(void **state)
{
    static const char *const asked[6] = {"http.start=POST"}, *const answered[6] = {
                                                                 "http.status=404 Not Found"};

    (void)state;
    draws(asked, answered, says_what_it_sends);
}

/* The segment is drawn as long as the line; then the server goes on, and nobody else speaks. */
static void a_sampled_status_may_stand_alone(void **state)
{
    static const char *const asks_for[] = {
        "c2s first",    "c2s gap=0",         "stack=eth/ipv4/tcp",
        "tcp.dport=80", "tcp.sport=dynamic", "len=256..271",
        "tcp.flags=PA", "http.start=GET",    NULL};
    static const char *const says[] = {
        "s2c first",          "s2c gap=0", "stack=eth/ipv4/tcp", "tcp.sport=80",
        "tcp.dport=dynamic",  "len=17",    "tcp.flags=PA",       "http.start=HTTP/1.1",
        "http.status=200 OK", NULL};
    static const char *const goes_on[] = {"s2c gap=0",       "len=256..271",
                                          "tcp.flags=PA",    "http.header=Content-Type",
                                          "http.header=end", NULL};
    wspi_rng r;
    wire w;

    (void)state;
    wspi_rng_seed(&r, 22);
    wire_open(&w);
    for (uint64_t flow = 0, alone = 0; flow < 20 || alone == 0; flow++) {
        wsp_filler fill = filler_of(flow);
        size_t n;
        wire_again(&w);
        sample(&w, &fill, asks_for, 0, WSPI_APP_HTTP, &r);
        assert_true(wspi_app_may_speak(w.dec, 1));
        sample(&w, &fill, says, 1, WSPI_APP_HTTP, &r);
        (void)payload_of(&w, &n);
        if (n != 17) /* it had a phrase of its own */
            continue;
        alone++;
        assert_null(strstr(w.names, "http.header="));
        assert_null(strstr(w.drawn, "http.header="));
        assert_false(wspi_app_may_speak(w.dec, 0));
        sample(&w, &fill, goes_on, 1, WSPI_APP_HTTP, &r);
        assert_null(strstr(w.names, "http.start="));
        assert_named(&w, "http.header=Content-Type");
        assert_named(&w, "http.header=end");
        assert_true(wspi_app_may_speak(w.dec, 1) != wspi_app_may_end(w.dec) ||
                    w.dec->app.left[1] == UINT32_MAX);
    }
    wire_close(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(http_messages_have_the_tokens_that_are_expected),
        cmocka_unit_test(http_comes_back_wherever_it_is_cut_or_split),
        cmocka_unit_test(damaged_http_comes_back),
        cmocka_unit_test(tls_messages_go_on_in_other_segments_and_records),
        cmocka_unit_test(sampled_http_has_what_real_messages_have),
        cmocka_unit_test(a_sampled_answer_without_a_length_has_a_body),
        cmocka_unit_test(a_sampled_answer_is_of_its_time),
        cmocka_unit_test(a_sampled_body_of_text_has_lines),
        cmocka_unit_test(a_sampled_answer_has_a_phrase_of_its_own),
        cmocka_unit_test(a_sampled_body_of_json_is_json),
        cmocka_unit_test(json_goes_on_behind_what_it_refuses),
        cmocka_unit_test(a_sampled_status_may_stand_alone),
        cmocka_unit_test(samples_log_in_and_ask_for_it),
        cmocka_unit_test(samples_say_of_what_type_they_send_and_of_errors_less),
        cmocka_unit_test(a_sampled_answer_that_refuses_says_what_it_wants),
    };

    (void)wsp_vocab_size();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
