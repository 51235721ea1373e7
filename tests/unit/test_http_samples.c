/* SPDX-License-Identifier: Apache-2.0 */
/* test_http_samples.c: samples of HTTP: what messages of a connection owe to each other, and their parts, too. */
#include "tests/unit/wire.h"

#include "token/app/http.h"

static const uint8_t *payload_of(const wire *w, size_t *n)
{
    *n = w->packet->payload_len;
    return w->packet->data + w->packet->payload_off;
}

/* ---- what samples of HTTP owe to each other ---- */

typedef struct http_seen {
    long left[2]; /* bytes of the message that is not over yet */
    bool until_close, closes;
    int owed; /* requests without their answer */
    bool ranged, conditional, first, posted, closed;
    char agent[512];
    unsigned parts, unchanged, agents, bodies, moved, piped, ended, hosts;
    char host[512];
} http_seen;

/* The value of a header, whose name is in any case, in the head at s; false: there is none. */
static bool value_of(const char *s, const char *name, char *value, size_t room)
{
    const char *end = strstr(s, "\r\n\r\n");
    size_t n = strlen(name), k = 0;

    for (s = strstr(s, "\r\n"); s && s < end; s = strstr(s + 2, "\r\n"))
        if (strncasecmp(s + 2, name, n) == 0 && s[2 + n] == ':') {
            s += 3 + n;
            s += strspn(s, " ");
            while (s[k] != '\r' && k + 1 < room) {
                value[k] = s[k];
                k++;
            }
            value[k] = 0;
            return true;
        }
    return false;
}

/* It stays the same, if its line was among those of the last request that are remembered, which give way to its program's name. */
static void asks_a_host(http_seen *h, const char *s)
{
    enum { REMEMBERED = 200 };
    const char *host = strstr(s, "\r\nHost: ");
    size_t n = host ? strcspn(host + 2, "\r") : 0;
    char v[512];

    if (host && *h->host)
        assert_true(strlen(h->host) == n && memcmp(h->host, host + 2, n) == 0);
    h->hosts += host && *h->host;
    *h->host = 0;
    if (host && host + 2 + n - strstr(s, "\r\n") < REMEMBERED &&
        !value_of(host, "User-Agent", v, sizeof v))
        (void)snprintf(h->host, sizeof h->host, "%.*s", (int)n, host + 2);
}

/* RFC 9110 13.1, 14.2: of a client that stays what it is. */
static void sees_a_request(http_seen *h, const char *s)
{
    char v[512] = "", agent[512] = "";

    assert_false(h->closes || h->until_close);
    h->ranged = value_of(s, "Range", v, sizeof v);
    h->conditional =
        value_of(s, "If-None-Match", v, sizeof v) || value_of(s, "If-Modified-Since", v, sizeof v);
    (void)value_of(s, "User-Agent", agent, sizeof agent);
    if (h->first)
        (void)snprintf(h->agent, sizeof h->agent, "%s", agent);
    else if (*agent)
        assert_string_equal(h->agent, agent);
    h->agents += !h->first && *agent;
    h->first = false;
    asks_a_host(h, s);
    h->closed = value_of(s, "Connection", v, sizeof v) && strcasecmp(v, "close") == 0;
    assert_false(h->owed && h->posted); /* RFC 9112 9.3.2 */
    if (strncmp(s, "POST ", 5) == 0)
        assert_true(value_of(s, "Content-Length", v, sizeof v)); /* RFC 9110 8.6 */
    h->posted = strncmp(s, "POST ", 5) == 0;
    h->piped += h->owed > 0;
    h->owed++;
}

/* RFC 9110 8.6, 15.3.7, 15.4; RFC 9112 6.3 */
static void sees_an_answer(http_seen *h, const char *s, bool sized)
{
    unsigned status = (unsigned)strtoul(s + 9, NULL, 10), a, b, all;
    char v[512] = "", alive[16] = "";
    bool bare = status == 204 || status == 304;

    assert_true(h->owed-- > 0);
    if (status == 204)
        assert_false(sized);
    assert_int_equal(status == 301 || status == 302, value_of(s, "Location", v, sizeof v));
    assert_int_equal(status == 401, value_of(s, "WWW-Authenticate", v, sizeof v));
    assert_int_equal(status == 206, value_of(s, "Content-Range", v, sizeof v));
    if (status == 206) {
        assert_true(h->ranged && sized);
        assert_int_equal(sscanf(v, "bytes %u-%u/%u", &a, &b, &all), 3);
        assert_int_equal(b - a + 1, h->left[1]);
        assert_int_equal(b + 1, all);
    }
    h->parts += status == 206;
    h->unchanged += status == 304;
    h->moved += status == 301 || status == 302;
    if (status == 304)
        assert_true(h->conditional);
    if (value_of(s, "Connection", alive, sizeof alive))
        h->closes |= strcasecmp(alive, "close") == 0;
    if (*alive && h->closed && h->owed == 0)
        assert_int_equal(strcasecmp(alive, "close"), 0);
    assert_false(h->closes && (h->owed > 0 || value_of(s, "Keep-Alive", v, sizeof v)));
    h->ended += *alive && h->closed;
    h->until_close = !sized && !bare;
    assert_true(!h->until_close || h->owed == 0); /* others wait behind it */
    if (h->until_close)
        assert_true(strcasecmp(alive, "keep-alive") != 0 &&
                    !value_of(s, "Keep-Alive", v, sizeof v));
    if (bare)
        h->left[1] = 0;
}

static void sees(http_seen *h, const wire *w, int dir)
{
    char s[ROOM], v[64];
    const char *body;
    size_t n;
    const uint8_t *b = payload_of(w, &n);

    assert_true(n < sizeof s);
    memcpy(s, b, n);
    s[n] = 0;
    assert_int_equal(h->left[!dir], 0); /* nobody speaks in between */
    if (h->left[dir] || (dir && h->until_close)) {
        assert_true(h->until_close || (long)n <= h->left[dir]);
        h->left[dir] -= h->left[dir] ? (long)n : 0;
        h->bodies++;
        return;
    }
    body = strstr(s, "\r\n\r\n");
    assert_non_null(body);
    n -= (size_t)(body + 4 - s);
    h->left[dir] = value_of(s, "Content-Length", v, sizeof v) ? strtol(v, NULL, 10) : 0;
    if (dir == 0)
        sees_a_request(h, s);
    else
        sees_an_answer(h, s, value_of(s, "Content-Length", v, sizeof v));
    assert_in_range(h->left[dir], 0, 1 << 15);
    if (h->left[dir])
        h->left[dir] -= (long)n;
    assert_true(h->left[dir] >= 0);
}

/* Flows in which one that may speak does; they may end where nothing is left to say. */
static void http_flows(const char *const *asks_for, const char *const *answers_with)
{
    http_seen all = {.owed = 0};
    wspi_rng r;
    wire w;

    wspi_rng_seed(&r, 12);
    wire_open(&w);
    for (uint64_t flow = 0; flow < 200; flow++) {
        http_seen h = {.first = true};
        wsp_filler fill = filler_of(flow);
        wire_again(&w);
        sample(&w, &fill, asks_for, 0, WSPI_APP_HTTP, &r);
        sees(&h, &w, 0);
        for (int k = 0; k < 8; k++) {
            int dir = k % 4 == 1 || k % 4 == 2;
            if (!wspi_app_may_speak(w.dec, dir))
                dir = !dir;
            if (!wspi_app_may_speak(w.dec, dir))
                break;
            sample(&w, &fill, dir ? answers_with : asks_for, dir, WSPI_APP_HTTP, &r);
            sees(&h, &w, dir);
            if (w.dec->app.seen[1])
                assert_int_equal(wspi_app_may_end(w.dec),
                                 !h.left[0] &&
                                     (h.until_close || (!h.left[1] && (!h.owed || h.closes))));
            assert_true(!wspi_app_may_end(w.dec) || wspi_app_owes(w.dec) < 0);
        }
        all.parts += h.parts;
        all.unchanged += h.unchanged;
        all.agents += h.agents;
        all.bodies += h.bodies;
        all.moved += h.moved;
        all.piped += h.piped;
        all.ended += h.ended;
        all.hosts += h.hosts;
    }
    wire_close(&w);
    assert_true(all.bodies && all.agents && all.piped && all.ended && all.hosts &&
                (all.moved || all.parts));
}

static void sampled_http_is_http(void **state)
{
    static const char *const asks_for[] = {
        "c2s first",    "c2s gap=0",    "stack=eth/ipv4/tcp", "tcp.sport=dynamic",
        "tcp.dport=80", "len=256..271", "tcp.flags=PA",       NULL};
    static const char *const answers_with[] = {
        "s2c first",         "s2c gap=0",    "stack=eth/ipv4/tcp", "tcp.sport=80",
        "tcp.dport=dynamic", "len=256..271", "tcp.flags=PA",       NULL};

    (void)state;
    http_flows(asks_for, answers_with);
}

/* Where a part is asked for, and what has not changed. */
static void samples_of_http_answer_what_was_asked(void **state)
{
    static const char *const asks_for[] = {"c2s first",
                                           "c2s gap=0",
                                           "stack=eth/ipv4/tcp",
                                           "tcp.sport=dynamic",
                                           "tcp.dport=80",
                                           "len=256..271",
                                           "tcp.flags=PA",
                                           "http.start=GET",
                                           "http.header=Range",
                                           "http.header=User-Agent",
                                           "http.identity=16..23",
                                           "http.header=end",
                                           NULL};
    static const char *const answers_with[] = {"s2c first",
                                               "s2c gap=0",
                                               "stack=eth/ipv4/tcp",
                                               "tcp.sport=80",
                                               "tcp.dport=dynamic",
                                               "len=256..271",
                                               "tcp.flags=PA",
                                               "http.status=206 Partial Content",
                                               NULL};

    (void)state;
    http_flows(asks_for, answers_with);
}

/* May a packet that begins with these tokens go on with this one? */
static bool may_follow(wire *w, const wsp_filler *fill, const char *start, const char *len,
                       const char *name)
{
    uint16_t ids[2] = {token_of(start), len ? token_of(len) : (uint16_t)0};

    return may_go_on(w, fill, ids, len ? 2 : 1, token_of(name));
}

static const char *const to_80[] = {"c2s first",          "c2s gap=0",
                                    "stack=eth/ipv4/tcp", "tcp.sport=dynamic",
                                    "tcp.dport=80",       "len=256..271",
                                    "tcp.flags=PA",       "http.start=GET",
                                    "http.header=end",    NULL},
                         *const from_80[] = {"s2c first",
                                             "s2c gap=0",
                                             "stack=eth/ipv4/tcp",
                                             "tcp.sport=80",
                                             "tcp.dport=dynamic",
                                             "len=256..271",
                                             "tcp.flags=PA",
                                             "http.start=HTTP/1.1",
                                             "http.status=200 OK",
                                             "http.header=Content-Length",
                                             "http.number=4096..6143",
                                             "http.header=end",
                                             NULL};

/* RFC 9293 3.8.6.2.1, RFC 9112 9.5: what does not go into a segment goes on in full ones, and nobody ends the connection within. */
static void a_sampled_body_goes_on_in_full_segments(void **state)
{
    wspi_rng r;
    wire w;

    (void)state;
    wspi_rng_seed(&r, 24);
    wire_open(&w);
    for (uint64_t flow = 0; flow < 10; flow++) {
        wsp_filler fill = filler_of(flow);
        wire_again(&w);
        sample(&w, &fill, to_80, 0, WSPI_APP_HTTP, &r);
        assert_false(may_follow(&w, &fill, "c2s gap=0", "len=256..271", "tcp.flags=FPA"));
        sample(&w, &fill, from_80, 1, WSPI_APP_HTTP, &r);
        assert_named(&w, "http.number=4096..6143");
        assert_true(w.dec->app.left[1] > 2000);
        assert_false(may_follow(&w, &fill, "s2c gap=0", NULL, "len=1"));
        assert_false(may_follow(&w, &fill, "s2c gap=0", NULL, "len=256..271"));
        assert_true(may_follow(&w, &fill, "s2c gap=0", NULL, "len=1024..1087"));
        assert_false(may_follow(&w, &fill, "s2c gap=0", "len=1024..1087", "tcp.flags=FPA"));
        assert_false(may_follow(&w, &fill, "c2s gap=0", "len=0", "tcp.flags=FA"));
    }
    wire_close(&w);
}

/* RFC 9110 9.3.1: a request that comes with the end would have no answer; a connection of whole messages may end. */
static void a_sampled_request_does_not_come_with_the_end(void **state)
{
    const char *whole[WSPI_COUNT(from_80)];
    wspi_rng r;
    wire w;

    (void)state;
    memcpy(whole, from_80, sizeof whole);
    whole[10] = "http.number=0";
    wspi_rng_seed(&r, 25);
    wire_open(&w);
    for (uint64_t flow = 0; flow < 10; flow++) {
        wsp_filler fill = filler_of(flow);
        wire_again(&w);
        sample(&w, &fill, to_80, 0, WSPI_APP_HTTP, &r);
        sample(&w, &fill, whole, 1, WSPI_APP_HTTP, &r);
        assert_false(may_follow(&w, &fill, "c2s gap=0", "len=256..271", "tcp.flags=FPA"));
        assert_true(may_follow(&w, &fill, "c2s gap=0", "len=0", "tcp.flags=FA"));
        assert_true(may_follow(&w, &fill, "s2c gap=0", "len=0", "tcp.flags=FA"));
        assert_false(may_follow(&w, &fill, "s2c gap=0", NULL, "len=256..271"));
    }
    wire_close(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sampled_http_is_http),
        cmocka_unit_test(samples_of_http_answer_what_was_asked),
        cmocka_unit_test(a_sampled_body_goes_on_in_full_segments),
        cmocka_unit_test(a_sampled_request_does_not_come_with_the_end),
    };

    (void)wsp_vocab_size();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
