/* SPDX-License-Identifier: Apache-2.0 */
/* test_dialects.c: SSDP, SIP, RTSP, which are written like HTTP: round trips, what is implied, what stays hidden, samples. */
#include "tests/unit/wire.h"

#define SEARCH                                                                        \
    "M-SEARCH * HTTP/1.1\r\nHOST: 239.255.255.250:1900\r\nMAN: \"ssdp:discover\"\r\n" \
    "MX: 3\r\nST: upnp:rootdevice\r\nUSER-AGENT: Test/1 UPnP/1.1 t/1\r\n\r\n"
#define NOTIFY                                                                                  \
    "NOTIFY * HTTP/1.1\r\nHOST:239.255.255.250:1900\r\nCACHE-CONTROL:max-age=1800\r\n"          \
    "LOCATION:http://10.0.0.9:80/d.xml\r\nNT:uuid:0a1b\r\nNTS:ssdp:byebye\r\nUSN:uuid:0a1b\r\n" \
    "BOOTID.UPNP.ORG:7\r\nX-New:1\r\n\r\n"
#define FOUND                                                                            \
    "HTTP/1.1 200 OK\r\nCACHE-CONTROL: max-age=1800\r\nEXT: \r\nST: upnp:rootdevice\r\n" \
    "LOCATION: http://10.0.0.9:80/d.xml\r\nUSN: uuid:0a1b::upnp:rootdevice\r\n\r\n"

static const wire_message ssdp[] = {
    {BYTES(SEARCH),
     true,
     0,
     {"app=ssdp", "ssdp.start=M-SEARCH", "ssdp.header=HOST", "ssdp.header=MAN", "ssdp.header=MX",
      "ssdp.number=2..3", "ssdp.common=upnp:rootdevice"}},
    {BYTES(FOUND),
     true,
     1,
     {"ssdp.start=HTTP/1.1", "ssdp.status=200 OK", "ssdp.header=EXT", "ssdp.prefix=http://",
      "ssdp.header=USN"}},
    {BYTES(NOTIFY),
     true,
     0,
     {"ssdp.start=NOTIFY", "ssdp.form=no-space", "ssdp.common=ssdp:byebye",
      "ssdp.header=BOOTID.UPNP.ORG", "ssdp.header=other"}},
};

#define VIA  "Via: SIP/2.0/UDP a.example:5060;branch=z9hG4bK776asdhds\r\n"
#define FROM "From: Ann <sip:ann@a.example>;tag=1928301774\r\n"
#define TO   "To: <sip:bob@b.example>"
#define CALL "Call-ID: a84b4c76e66710@a.example\r\n"
#define BODY "v=0\r\no=- 1 1 IN IP4 10.0.0.1\r\ns=-\r\n"
#define ASK                                                                  \
    "INVITE sip:bob@b.example SIP/2.0\r\n" VIA FROM TO "\r\n" CALL           \
    "CSeq: 1 INVITE\r\nMax-Forwards: 70\r\nContact: <sip:ann@a.example>\r\n" \
    "User-Agent: Test/1\r\nContent-Type: application/sdp\r\nContent-Length: 35\r\n\r\n" BODY
#define RINGS                                                                             \
    "SIP/2.0 180 Ringing\r\n" VIA FROM TO ";tag=8321234356\r\n" CALL "CSeq: 1 INVITE\r\n" \
    "Content-Length: 0\r\n\r\n"
#define REFUSED                                                                          \
    "SIP/2.0 401 No way\r\n" VIA FROM TO ";tag=8321234356\r\n" CALL "CSeq: 1 INVITE\r\n" \
    "WWW-Authenticate: Digest realm=\"b.example\", nonce=\"84a4cc6f\"\r\n\r\n"
#define SHORT                                                                               \
    "BYE sip:bob@b.example SIP/2.0\r\nv: SIP/2.0/UDP a.example;branch=z9hG4bK2\r\n"         \
    "f: <sip:ann@a.example>;tag=1\r\nt: <sip:bob@b.example>;tag=2\r\ni: a84b@a.example\r\n" \
    "CSeq: 2 BYE\r\nm: <sip:ann@a.example>\r\nl: 0\r\n\r\n"

static const wire_message sip[] = {
    {BYTES(ASK),
     true,
     0,
     {"app=sip", "sip.start=INVITE", "sip.header=Via", "sip.identity=48..63", "sip.header=CSeq",
      "sip.number=64..127", "sip.header=Content-Type", "sip.body=text"}},
    {BYTES(RINGS), true, 1, {"sip.status=180 Ringing", "sip.header=To", "sip.prefix=(asked)"}},
    {BYTES(REFUSED),
     true,
     1,
     {"sip.status=401 Unauthorized", "sip.reason=6..7", "sip.prefix=Digest "}},
    {BYTES(SHORT), true, 0, {"sip.start=BYE", "sip.header=v", "sip.header=i", "sip.header=l"}},
};

static const wire_message sip_tcp[] = {
    {BYTES(ASK), false, 0, {"app=sip", "sip.start=INVITE"}},
    {BYTES(RINGS RINGS), false, 1, {"sip.status=180 Ringing"}},
};

#define WHICH "rtsp://a.example/media"
static const wire_message rtsp[] = {
    {BYTES("DESCRIBE " WHICH " RTSP/1.0\r\nCSeq: 2\r\nAccept: application/sdp\r\n\r\n"),
     false,
     0,
     {"app=rtsp", "rtsp.start=DESCRIBE", "rtsp.header=CSeq", "rtsp.sequence=2..3",
      "rtsp.header=Accept"}},
    {BYTES("RTSP/1.0 200 OK\r\nCSeq: 2\r\nContent-Base: " WHICH "/\r\n"
           "Content-Type: application/sdp\r\nContent-Length: 35\r\n\r\n" BODY),
     false,
     1,
     {"rtsp.status=200 OK", "rtsp.header=Content-Base", "rtsp.body=text"}},
    {BYTES("SETUP " WHICH "/1?x=1 RTSP/1.0\r\nCSeq: 3\r\n"
           "Transport: RTP/AVP;unicast;client_port=5000-5001\r\n\r\n"),
     false,
     0,
     {"rtsp.start=SETUP", "rtsp.query=3", "rtsp.prefix=RTP/AVP;unicast;client_port="}},
    {BYTES("OPTIONS " WHICH " RTSP/2.0\r\nCSeq: 4\r\n\r\n"), false, 0, {"rtsp.version=2.0"}},
    {BYTES("$\0\0\4abcd"), false, 1, {"app=none"}},
};

static void ssdp_comes_back_whole_cut_and_damaged(void **state)
{
    (void)state;
    all_come_back(ssdp, WSPI_COUNT(ssdp));
}

static void sip_comes_back_whole_cut_and_damaged(void **state)
{
    (void)state;
    all_come_back(sip, WSPI_COUNT(sip));
}

static void sip_over_tcp_comes_back_whole_cut_and_damaged(void **state)
{
    (void)state;
    all_come_back(sip_tcp, WSPI_COUNT(sip_tcp));
}

static void rtsp_comes_back_whole_cut_and_damaged(void **state)
{
    (void)state;
    all_come_back(rtsp, WSPI_COUNT(rtsp));
}

/* Split anywhere: the rest is of the message, and what follows it is a message again. */
static void a_message_over_tcp_goes_on_in_the_next_segment(void **state)
{
    static const char two[] = ASK ASK;
    const size_t n = sizeof two - 1, one = sizeof ASK - 1;
    wire w;

    (void)state;
    wire_open(&w);
    for (size_t at = 11; at < one; at++) {
        wire_again(&w);
        segment(&w, two, at, at, 0, true);
        assert_named(&w, "app=sip");
        segment(&w, two + at, n - at, n - at, 0, true);
        assert_null(strstr(w.names, "app="));
        segment(&w, ASK, one, one, 0, true);
        assert_named(&w, "sip.start=INVITE");
    }
    wire_close(&w);
}

static unsigned count_of(const wire *w, const char *s)
{
    unsigned n = 0;

    for (const char *at = w->names; (at = strstr(at, s)) != NULL; at++)
        n++;
    return n;
}

/* A response has the request's Via, From, Call-ID and CSeq, and To with something behind; a search's target comes back. */
static void what_is_the_requests_is_not_told_again(void **state)
{
    wire w;

    (void)state;
    wire_open(&w);
    put_message(&w, &sip[0], ASK, sizeof ASK - 1);
    assert_int_equal(count_of(&w, " sip.identity="), 5);
    assert_int_equal(count_of(&w, " sip.sequence="), 0);
    put_message(&w, &sip[1], RINGS, sizeof RINGS - 1);
    assert_int_equal(count_of(&w, " sip.identity="), 1); /* the tag */
    assert_int_equal(count_of(&w, " sip.sequence="), 0);
    wire_again(&w);
    put_message(&w, &sip[1], RINGS, sizeof RINGS - 1); /* without its request */
    assert_int_equal(count_of(&w, " sip.identity="), 4);
    wire_again(&w);
    put_message(&w, &ssdp[0], SEARCH, sizeof SEARCH - 1);
    assert_int_equal(count_of(&w, " ssdp.common="), 1);
    put_message(&w, &ssdp[1], FOUND, sizeof FOUND - 1);
    assert_int_equal(count_of(&w, " ssdp.common="), 0);
    put_message(&w, &ssdp[0], SEARCH, sizeof SEARCH - 1);
    assert_named(&w, "ssdp.again=5");
    assert_int_equal(count_of(&w, " ssdp.header="), 1); /* the end */
    wire_close(&w);
}

/* The tokens of the message do not change with the n bytes where `word` is. */
static void hides(const wire_message *m, const char *word, size_t n)
{
    char other[512], first[sizeof((wire *)0)->names];
    const char *at = strstr(m->bytes, word);
    wire w;

    assert_non_null(at);
    wire_open(&w);
    put_message(&w, m, m->bytes, m->len);
    memcpy(first, w.names, sizeof first);
    memcpy(other, m->bytes, m->len);
    for (size_t i = 0; i < n; i++)
        other[(size_t)(at - m->bytes) + i] = (char)('a' + i % 26);
    wire_again(&w);
    put_message(&w, m, other, m->len);
    assert_string_equal(w.names, first);
    wire_close(&w);
}

static void people_hosts_and_ids_are_in_no_token(void **state)
{
    (void)state;
    hides(&sip[0], "bob@b", 5);
    hides(&sip[0], "a.example:5060", 1);
    hides(&sip[0], "776asdhds", 9);
    hides(&sip[0], "Ann <sip:ann", 3);
    hides(&sip[0], "1928301774", 10);
    hides(&sip[0], "a84b4c76e66710", 14);
    hides(&sip[2], "84a4cc6f", 8);
    hides(&sip[0], "o=- 1 1", 20);
    hides(&sip[3], "ann@", 3);
    hides(&ssdp[1], "10.0.0.9", 8);
    hides(&ssdp[1], "0a1b", 4);
    hides(&ssdp[2], "0a1b", 4);
    hides(&rtsp[0], "a.example", 9);
    hides(&rtsp[1], "a.example", 9);
    hides(&rtsp[2], "x=1", 3);
}

static void sampled_at(const char *transport, const char *port, uint8_t app)
{
    char stack[32], sport[32], dport[32], from[32], to[32];
    const char *const asks_for[] = {"c2s first", "c2s gap=0",  stack,          from,
                                    dport,       "len=60..61", "tcp.flags=PA", NULL};
    const char *const answers_with[] = {"s2c first", "s2c gap=0",  stack,          sport,
                                        to,          "len=60..61", "tcp.flags=PA", NULL};

    (void)snprintf(stack, sizeof stack, "stack=eth/ipv4/%s", transport);
    (void)snprintf(sport, sizeof sport, "%s.sport=%s", transport, port);
    (void)snprintf(dport, sizeof dport, "%s.dport=%s", transport, port);
    (void)snprintf(from, sizeof from, "%s.sport=dynamic", transport);
    (void)snprintf(to, sizeof to, "%s.dport=dynamic", transport);
    sample_flows(asks_for, answers_with, app);
}

static void samples_speak_them_on_their_ports(void **state)
{
    (void)state;
    sampled_at("udp", "1900", WSPI_APP_SSDP);
    sampled_at("udp", "5060", WSPI_APP_SIP);
    sampled_at("tcp", "5060", WSPI_APP_SIP);
    sampled_at("tcp", "554", WSPI_APP_RTSP);
}

/* The case of names is free, and so is the order; programs name themselves. */
static void samples_of_ssdp_search_as_real_hosts_do(void **state)
{
    static const char *const asks_for[] = {
        "c2s first",
        "c2s gap=0",
        "stack=eth/ipv4/udp",
        "udp.sport=dynamic",
        "udp.dport=1900",
        "len=128..135",
        "ssdp.start=M-SEARCH",
        "ssdp.header=Host",
        "ssdp.header=Man",
        "ssdp.header=User-Agent",
        "ssdp.prefix=Google Chrome/",
        "ssdp.common=urn:schemas-upnp-org:service:WANIPConnection:1",
        "text=x",
        NULL};
    static const char *const answers_with[] = {
        "s2c first",         "s2c gap=0",    "stack=eth/ipv4/udp",   "udp.sport=1900",
        "udp.dport=dynamic", "len=256..271", "ssdp.header=Location", NULL};
    static const char *const asked[] = {"ssdp.header=Host", "ssdp.header=Man",
                                        "ssdp.prefix=Google Chrome/", "ssdp.header=User-Agent"};

    (void)state;
    for (size_t i = 0; i < WSPI_COUNT(asked); i++)
        sample_has(asks_for, answers_with, WSPI_APP_SSDP, asked[i], "ssdp.header=Location");
}

#define TO_SSDP                                                                            \
    "c2s first", "c2s gap=0", "stack=eth/ipv4/udp", "udp.sport=dynamic", "udp.dport=1900", \
        "len=128..135", "ssdp.start=M-SEARCH"

/* The payload of the last packet as a string. */
static const char *text_of(const wire *w)
{
    static char s[ROOM];

    assert_true(w->packet->payload_len < sizeof s);
    memcpy(s, w->packet->data + w->packet->payload_off, w->packet->payload_len);
    s[w->packet->payload_len] = 0;
    return s;
}

/* Whose lines are those of the flow's last request: some of them, in their order, and then all. */
static void samples_of_ssdp_search_again(void **state)
{
    static const char *const searches[] = {TO_SSDP,
                                           "ssdp.header=HOST",
                                           "ssdp.header=MAN",
                                           "ssdp.header=MX",
                                           "ssdp.header=ST",
                                           "ssdp.header=end",
                                           NULL},
                             *const again[] = {TO_SSDP, "ssdp.again=4", "ssdp.header=end", NULL};
    char first[ROOM];
    wspi_rng r;
    wire w;

    (void)state;
    wspi_rng_seed(&r, 14);
    wire_open(&w);
    for (uint64_t flow = 0; flow < 20; flow++) {
        wsp_filler fill = filler_of(flow);
        wire_again(&w);
        sample(&w, &fill, searches, 0, WSPI_APP_SSDP, &r);
        (void)snprintf(first, sizeof first, "%s", text_of(&w));
        for (int k = 0; k < 2; k++) {
            sample(&w, &fill, again, 0, WSPI_APP_SSDP, &r);
            assert_named(&w, "ssdp.again=4");
            assert_int_equal(count_of(&w, " ssdp.header="), 1);
            assert_string_equal(text_of(&w), first);
        }
    }
    wire_close(&w);
}

/* A program may name itself before it says what it wants, and headers are written with a space behind their colon or without. */
static void samples_of_ssdp_mix_their_lines(void **state)
{
    static const char *const searches[] = {TO_SSDP, "ssdp.form=no-space", "ssdp.header=USER-AGENT",
                                           NULL};
    static const char *const needed[] = {"\r\nhost:", "\r\nman:", "\r\nmx:", "\r\nst:"};
    wspi_rng r;
    wire w;

    (void)state;
    wspi_rng_seed(&r, 15);
    wire_open(&w);
    for (uint64_t flow = 0; flow < 20; flow++) {
        wsp_filler fill = filler_of(flow);
        const char *s;
        wire_again(&w);
        sample(&w, &fill, searches, 0, WSPI_APP_SSDP, &r);
        assert_named(&w, "ssdp.form=no-space");
        s = text_of(&w);
        assert_non_null(strstr(s, "HTTP/1.1\r\nUSER-AGENT:"));
        for (size_t k = 0; k < WSPI_COUNT(needed); k++)
            assert_non_null(strcasestr(s, needed[k]));
    }
    wire_close(&w);
}

/* Flows of a request and its answer at 5060 that have these tokens where they may. */
static void draws_sip(const char *const asked[6], const char *const answered[6],
                      void (*check)(const wire *w, int dir))
{
    const char *wanted[2][16] = {{"c2s first", "c2s gap=0", "stack=eth/ipv4/udp",
                                  "udp.sport=dynamic", "udp.dport=5060", "len=512..543"},
                                 {"s2c first", "s2c gap=0", "stack=eth/ipv4/udp", "udp.sport=5060",
                                  "udp.dport=dynamic", "len=512..543"}};
    wspi_rng r;
    wire w;

    for (size_t k = 0; k < 6; k++) {
        wanted[0][6 + k] = asked[k];
        wanted[1][6 + k] = answered[k];
    }
    wspi_rng_seed(&r, 16);
    wire_open(&w);
    for (uint64_t flow = 0; flow < 30; flow++) {
        wsp_filler fill = filler_of(flow);
        wire_again(&w);
        for (int dir = 0; dir < 2; dir++) {
            sample(&w, &fill, wanted[dir], dir, WSPI_APP_SIP, &r);
            assert_seen_as_drawn(&w, dir ? answered : asked, 6);
            check(&w, dir);
        }
    }
    wire_close(&w);
}

static unsigned sessions[2];

/* RFC 8866 5, RFC 3264 4: as long as its header says, both in the offer and in the answer. */
static void describes_a_session(const wire *w, int dir)
{
    static const char *const lines[] = {"\r\no=", "\r\ns=", "\r\nc=IN IP4 ",
                                        "\r\nt=0 0\r\nm=audio "};
    const char *s = text_of(w), *body = strstr(s, "\r\n\r\n"), *length = strstr(s, "\r\nContent-");
    size_t n;

    if (!strstr(w->names, "sip.header=Content-Type")) { /* it had said that there is no body */
        assert_null(strstr(w->names, "sip.body="));
        return;
    }
    sessions[dir]++;
    assert_named(w, "sip.body=text");
    assert_non_null(body);
    body += 4;
    n = strlen(body);
    assert_memory_equal(body, "v=0\r\n", 5);
    for (size_t k = 0; k < WSPI_COUNT(lines); k++)
        assert_non_null(strstr(body, lines[k]));
    assert_memory_equal(body + n - 2, "\r\n", 2);
    while (length && strncasecmp(length + 2, "Content-Length: ", 16) != 0)
        length = strstr(length + 2, "\r\nContent-");
    assert_non_null(length);
    assert_int_equal(strtoul(length + 18, NULL, 10), n);
}

static void samples_of_sip_describe_sessions(void **state)
{
    static const char *const asked[6] = {"sip.start=INVITE", "sip.header=Content-Type"},
                             *const answered[6] = {"sip.status=200 OK", "sip.header=Content-Type"};

    (void)state;
    draws_sip(asked, answered, describes_a_session);
    assert_true(sessions[0] && sessions[1]);
}

/* RFC 3261 22.1: who refuses says what he wants; and a program names itself and what it can before the end. */
static void tells_and_refuses(const wire *w, int dir)
{
    if (dir) {
        assert_named(w, "sip.prefix=Digest");
        assert_non_null(strstr(text_of(w), "\r\nWWW-Authenticate: Digest realm=\""));
        return;
    }
    assert_named(w, "sip.header=User-Agent");
    assert_named(w, "sip.prefix=INVITE,");
}

static void samples_of_sip_tell_what_they_can_and_want(void **state)
{
    static const char *const asked[6] = {"sip.start=REGISTER", "sip.header=User-Agent",
                                         "sip.header=Allow", "sip.prefix=INVITE, ACK, ",
                                         "sip.sequence=64..127"},
                             *const answered[6] = {"sip.status=401 Unauthorized"};

    (void)state;
    draws_sip(asked, answered, tells_and_refuses);
}

/* The bytes behind `name` in the message up to the end of the line, NULL if there are none. */
static const char *line_behind(const char *s, const char *name, size_t *n)
{
    const char *at = strstr(s, name);

    if (!at)
        return NULL;
    at += strlen(name);
    *n = strcspn(at, "\r ");
    return at;
}

/* RFC 2326 14.2: one stream of one server, step by step, in one session. */
static void samples_of_rtsp_look_at_one_stream(void **state)
{
    static const char *const asks_for[] = {
        "c2s first",     "c2s gap=0",    "stack=eth/ipv4/tcp", "tcp.sport=dynamic",
        "tcp.dport=554", "tcp.flags=PA", "len=80..83",         NULL};
    static const char *const answers_with[] = {"s2c first",    "s2c gap=0",    "stack=eth/ipv4/tcp",
                                               "len=448..479", "tcp.flags=PA", NULL};
    static const char *const steps = "ODSPT";
    unsigned plays = 0, described = 0;
    wspi_rng r;
    wire w;

    (void)state;
    wspi_rng_seed(&r, 31);
    wire_open(&w);
    for (uint64_t flow = 0; flow < 60; flow++) {
        wsp_filler fill = filler_of(flow);
        char first[64] = "", session[32] = "", last = 'O';

        wire_again(&w);
        for (int k = 0; k < 12 && may_speak(&w, &fill, (size_t)k % 2); k++) {
            const char *s, *at;
            size_t n = 0;
            sample(&w, &fill, k % 2 ? answers_with : asks_for, k % 2, WSPI_APP_RTSP, &r);
            if (w.packet->payload_len == 0) /* an acknowledgement, or the end */
                break;
            s = text_of(&w);
            if (k % 2 == 0) {
                at = line_behind(s, "rtsp://", &n);
                assert_true(at && n < sizeof first);
                if (!*first)
                    (void)snprintf(first, sizeof first, "%.*s", (int)n, at);
                assert_memory_equal(at, first, strlen(first));
                if (*s != 'G' && !(*s == 'O' && last == 'P')) { /* what keeps it alive */
                    assert_true(k == 0 || strchr(steps, *s) > strchr(steps, last));
                    last = *s;
                }
                assert_true(*s != 'S' || strstr(at, "/trackID=1 RTSP"));
                plays += *s == 'P';
            } else if (last == 'D') {
                assert_non_null(strstr(s, "\r\n\r\nv=0\r\n"));
                described++;
            }
            at = line_behind(s, "\r\nSession: ", &n);
            if (at && !*session)
                (void)snprintf(session, sizeof session, "%.*s", (int)n, at);
            if (at)
                assert_memory_equal(at, session, n);
        }
    }
    assert_true(plays > 5 && described > 5);
    wire_close(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ssdp_comes_back_whole_cut_and_damaged),
        cmocka_unit_test(sip_comes_back_whole_cut_and_damaged),
        cmocka_unit_test(sip_over_tcp_comes_back_whole_cut_and_damaged),
        cmocka_unit_test(rtsp_comes_back_whole_cut_and_damaged),
        cmocka_unit_test(a_message_over_tcp_goes_on_in_the_next_segment),
        cmocka_unit_test(what_is_the_requests_is_not_told_again),
        cmocka_unit_test(people_hosts_and_ids_are_in_no_token),
        cmocka_unit_test(samples_speak_them_on_their_ports),
        cmocka_unit_test(samples_of_ssdp_search_as_real_hosts_do),
        cmocka_unit_test(samples_of_ssdp_search_again),
        cmocka_unit_test(samples_of_ssdp_mix_their_lines),
        cmocka_unit_test(samples_of_sip_describe_sessions),
        cmocka_unit_test(samples_of_rtsp_look_at_one_stream),
        cmocka_unit_test(samples_of_sip_tell_what_they_can_and_want),
    };

    (void)wsp_vocab_size();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
