/* SPDX-License-Identifier: Apache-2.0 */
/* test_syslog.c: syslog of both forms and of none: round trips, tokens, what stays hidden, samples. */
#include "tests/unit/wire.h"

/* RFC 3164 5.4, RFC 5424 6.5, and what senders make of them. */
static const wire_message logs[] = {
    {BYTES("<34>Oct 11 22:14:15 mymachine su: 'su root' failed for lonvick on /dev/pts/8"),
     true,
     0,
     {"app=syslog", "syslog.facility=auth", "syslog.severity=critical", "syslog.host=8..11",
      "syslog.tag=su", "syslog.ends=colon"}},
    {BYTES("<86>Dec  1 06:25:01 host CRON[31337]: session opened"),
     true,
     0,
     {"syslog.facility=authpriv", "syslog.tag=CRON", "syslog.ends=process"}},
    {BYTES("<13>Feb  5 17:32:18 10.0.0.99 myproc.d[8]:no space"),
     true,
     0,
     {"syslog.tag=other", "syslog.ends=process-tight"}},
    {BYTES("<4>Jan 31 00:00:00 kernel: no host"), true, 0, {"syslog.tag=kernel", "syslog.host=0"}},
    {BYTES("<165>1 2003-10-11T22:14:15.003Z mymachine.example.com evntslog - ID47 - An event"),
     true,
     0,
     {"syslog.form=ietf", "syslog.layout=dddd-dd-ddTdd:dd:dd.dddZ", "syslog.ends=nil"}},
    {BYTES("<165>1 2003-08-24T05:14:15.000003-07:00 192.0.2.1 sshd 8710 - - %% It's time"),
     true,
     0,
     {"syslog.layout=dddd-dd-ddTdd:dd:dd.dddddd-dd:dd", "syslog.tag=sshd", "syslog.ends=process"}},
    {BYTES("<30>snmpd[6956]: Connection"), true, 0, {"syslog.form=tagged", "syslog.tag=snmpd"}},
    {BYTES("<189>29: *Mar  1 00:01:02: %SYS-5-CONFIG_I: Configured"),
     true,
     0,
     {"syslog.ends=colon"}},
};

/* Text behind the priority alone. */
static const wire_message bare[] = {
    {BYTES("<133>date=2021-12-09 time=16:29:06"), true, 0, {"syslog.form=bare", "text=te"}},
};

static void logs_come_back_whole_cut_and_damaged(void **state)
{
    (void)state;
    all_come_back(logs, WSPI_COUNT(logs));
    all_come_back(bare, WSPI_COUNT(bare));
}

/* All of a header but the words that it is made of. */
static void hosts_times_and_processes_change_no_token(void **state)
{
    static const char *const alike[] = {"<34>Oct 11 22:14:15 mymachine sshd[4711]: failed",
                                        "<34>Jan  1 00:00:00 herserver sshd[2]: failed"};
    char names[2][1024];
    wire w;

    (void)state;
    wire_open(&w);
    for (size_t i = 0; i < 2; i++) {
        wire_message m = {alike[i], strlen(alike[i]), true, 0, {NULL}};
        wire_again(&w);
        put_message(&w, &m, m.bytes, m.len);
        (void)snprintf(names[i], sizeof names[i], "%s", strstr(w.names, "syslog.facility"));
    }
    assert_string_equal(names[0], names[1]);
    wire_close(&w);
}

static void other_payloads_are_not_taken(void **state)
{
    (void)state;
    assert_int_equal(app_of_datagram(BYTES("<0>x")), WSPI_APP_SYSLOG);
    assert_int_not_equal(app_of_datagram(BYTES("<192>too much")), WSPI_APP_SYSLOG);
    assert_int_not_equal(app_of_datagram(BYTES("<013>a zero in front")), WSPI_APP_SYSLOG);
    assert_int_not_equal(app_of_datagram(BYTES("<b>bold</b>")), WSPI_APP_SYSLOG);
    assert_int_not_equal(app_of_datagram(BYTES("<13")), WSPI_APP_SYSLOG);
}

/* What stands between the time and the next space, "Mmm dd hh:mm:ss " behind the priority. */
static void assert_same_host(const wire *w, char host[24])
{
    const char *at = memchr(w->packet->data + HEADERS_UDP, '>', 5);
    size_t n;

    assert_non_null(at);
    at += 1 + 16;
    n = strcspn(at, " ");
    assert_in_range(n, 4, 11);
    if (!*host)
        (void)snprintf(host, 24, "%.*s", (int)n, at);
    assert_int_equal(n, strlen(host));
    assert_memory_equal(at, host, n);
}

/* Nobody answers a log. */
static void sampled_syslog_is_syslog(void **state)
{
    static const char *const first[] = {"c2s first",
                                        "c2s gap=0",
                                        "stack=eth/ipv4/udp",
                                        "udp.sport=dynamic",
                                        "udp.dport=514",
                                        "len=80..83",
                                        NULL,
                                        NULL};
    const char *wanted[WSPI_COUNT(first)];
    wspi_rng r;
    wire w;

    (void)state;
    wspi_rng_seed(&r, 12);
    memcpy(wanted, first, sizeof first);
    wire_open(&w);
    w.exact = true;
    for (uint64_t flow = 0; flow < 60; flow++) {
        wsp_filler fill = {.seed = flow,
                           .start_ns = 1,
                           .client.mac = {2, 1},
                           .server.mac = {2, 2},
                           .client.ip = {10, 0, 0, 1},
                           .server.ip = {10, 0, 0, 2},
                           .client_port = (uint16_t)(50000 + flow)};
        char host[24] = "";
        wire_again(&w);
        wanted[6] = flow % 2 ? "syslog.tag=other" : NULL;
        for (int k = 0; k < 3; k++) {
            sample(&w, &fill, wanted, 0, WSPI_APP_SYSLOG, &r);
            if (flow % 2)
                assert_named(&w, "syslog.tag=other");
            assert_same_host(&w, host);
        }
    }
    wire_close(&w);
}

/* RFC 6587 3.4.2: lines, which are plain bytes when they are read. The server is silent. */
static void sampled_syslog_over_tcp_is_lines(void **state)
{
    static const char *const wanted[] = {
        "c2s first",     "c2s gap=0",    "stack=eth/ipv4/tcp", "tcp.sport=dynamic",
        "tcp.dport=514", "tcp.flags=PA", "len=80..83",         NULL};
    wspi_rng r;
    wire w;

    (void)state;
    wspi_rng_seed(&r, 17);
    wire_open(&w);
    for (uint64_t flow = 0; flow < 40; flow++) {
        wsp_filler fill = filler_of(flow);
        wire_again(&w);
        for (int k = 0; k < 3; k++) {
            const uint8_t *b;
            size_t n;
            sample(&w, &fill, wanted, 0, 0, &r);
            b = w.packet->data + w.packet->payload_off;
            n = w.packet->payload_len;
            assert_int_equal(b[0], '<');
            assert_ptr_equal(memchr(b, '\n', n), b + n - 1);
            memcpy(w.dec, w.enc, wsp_context_size()); /* as it is read */
            assert_true(wspi_app_may_speak(w.dec, 0) && !wspi_app_may_speak(w.dec, 1));
            assert_true(wspi_app_may_end(w.dec));
        }
    }
    wire_close(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(logs_come_back_whole_cut_and_damaged),
        cmocka_unit_test(hosts_times_and_processes_change_no_token),
        cmocka_unit_test(other_payloads_are_not_taken),
        cmocka_unit_test(sampled_syslog_is_syslog),
        cmocka_unit_test(sampled_syslog_over_tcp_is_lines),
    };

    (void)wsp_vocab_size();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
