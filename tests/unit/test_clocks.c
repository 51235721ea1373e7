/* SPDX-License-Identifier: Apache-2.0 */
/* test_clocks.c: times in sampled messages of NTP, RTCP and syslog are those of their packets. */
#include "tests/unit/wire.h"

#include <time.h>

enum { SECOND = 1000000000 };
static const uint64_t begins = UINT64_C(1700000000) * SECOND;
static const uint64_t ntp_epoch = UINT64_C(2208988800);

static uint64_t number(const uint8_t *b, size_t n)
{
    return wspi_load_be(b, n);
}

static const uint8_t *payload(const wire *w)
{
    return w->packet->data + w->packet->payload_off;
}

/* A time of NTP in nanoseconds since 1970. */
static uint64_t nanoseconds(uint64_t v)
{
    return ((v >> 32) - ntp_epoch) * SECOND + ((v & UINT32_MAX) * SECOND >> 32);
}

static void times_of_ntp_are_what_they_say(void **state)
{
    (void)state;
    assert_true(wspi_app_ntp_time(0) == ntp_epoch << 32);
    assert_true(wspi_app_ntp_time(SECOND / 2) == (ntp_epoch << 32 | UINT32_C(1) << 31));
}

/* RFC 5905 7.3: the clock was set before a message came, which was before this one left, now. */
static void ntp_fits(const wire *w, uint64_t heard, uint64_t sent)
{
    enum {
        ACTIVE = 1,
        CLIENT = 3,
        BROADCAST = 5,
        REFERENCE = 16,
        ORIGIN = 24,
        RECEIVE = 32,
        TRANSMIT = 40
    };
    const uint8_t *b = payload(w);
    uint64_t now = w->dec->last_ns, transmit = nanoseconds(number(b + TRANSMIT, 8)),
             reference = number(b + REFERENCE, 8), receive = number(b + RECEIVE, 8);
    unsigned mode = *b & 7;
    bool asks = mode == CLIENT || mode == ACTIVE;

    assert_true(number(b + ORIGIN, 8) == sent);
    assert_true(transmit <= now && receive <= number(b + TRANSMIT, 8));
    assert_true(transmit + 1 >=
                (asks || mode == BROADCAST || !heard ? now - SECOND / 1000 : heard));
    if (mode == BROADCAST || (asks && !heard))
        assert_true(receive == 0);
    else if (heard)
        assert_true(nanoseconds(receive) + 1 >= heard);
    if (reference && !heard)
        assert_true(nanoseconds(reference) < transmit &&
                    nanoseconds(reference) + 1025 * (uint64_t)SECOND > now);
    if (reference && receive)
        assert_true(reference < receive);
}

static void sampled_ntp_has_the_packets_time(void **state)
{
    static const char *const asks[] = {"c2s first",          "c2s gap=1073741824..1610612735",
                                       "stack=eth/ipv4/udp", "udp.sport=dynamic",
                                       "udp.dport=123",      "ntp.mode=v4-client",
                                       "ntp.stratum=2",      "ntp.poll=6",
                                       "len=48..49",         NULL};
    static const char *const answers[] = {"s2c first",          "s2c gap=25165824..33554431",
                                          "stack=eth/ipv4/udp", "udp.sport=123",
                                          "udp.dport=dynamic",  "ntp.mode=v4-server",
                                          "ntp.stratum=2",      "ntp.poll=6",
                                          "len=48..49",         NULL};
    wspi_rng r;
    wire w;

    (void)state;
    wspi_rng_seed(&r, 3);
    wire_open(&w);
    for (uint64_t flow = 0; flow < 40; flow++) {
        wsp_filler fill = filler_of(flow);
        uint64_t heard = 0, sent = 0;
        fill.start_ns = begins;
        wire_again(&w);
        for (int k = 0; k < 6; k++) {
            sample(&w, &fill, k % 2 ? answers : asks, k % 2, WSPI_APP_NTP, &r);
            ntp_fits(&w, heard, sent);
            heard = w.dec->last_ns;
            sent = number(payload(&w) + 40, 8);
        }
    }
    wire_close(&w);
}

/* Does the source's time count on as fast as it does for some rate? */
static bool counts_on(uint32_t by, uint64_t ns)
{
    static const uint32_t rates[] = {8000, 48000, 90000};

    for (size_t i = 0; i < WSPI_COUNT(rates); i++) {
        uint32_t want = (uint32_t)(ns / SECOND * rates[i] + ns % SECOND * rates[i] / SECOND);
        if ((uint32_t)(by - want + 2) <= 4)
            return true;
    }
    return false;
}

/* RFC 3550 6.4.1, of a flow of reports, and of reports among media (`talks`). */
static void reports_count_on(const char *const *talks, const char *const *reports)
{
    wspi_rng r;
    wire w;

    wspi_rng_seed(&r, 4);
    wire_open(&w);
    for (uint64_t flow = 0; flow < 20; flow++) {
        wsp_filler fill = filler_of(flow);
        uint64_t before = 0, packets = 0;
        uint32_t time = 0;
        fill.start_ns = begins;
        wire_again(&w);
        for (int k = 0; k < 12; k++) {
            const uint8_t *b;
            if (talks && k % 4) {
                sample(&w, &fill, talks, 0, WSPI_APP_RTP, &r);
                continue;
            }
            sample(&w, &fill, reports, 0, WSPI_APP_RTP, &r);
            b = payload(&w);
            assert_int_equal(b[1], 200);
            assert_true(number(b + 8, 8) == wspi_app_ntp_time(w.dec->last_ns));
            if (before)
                assert_true(counts_on((uint32_t)number(b + 16, 4) - time, w.dec->last_ns - before));
            assert_true(number(b + 20, 4) >= packets);
            time = (uint32_t)number(b + 16, 4);
            packets = number(b + 20, 4);
            before = w.dec->last_ns;
        }
    }
    wire_close(&w);
}

static void sampled_reports_have_the_packets_time(void **state)
{
    static const char *const talks[] = {"c2s first",
                                        "c2s gap=16777216..25165823",
                                        "stack=eth/ipv4/udp",
                                        "udp.sport=dynamic",
                                        "udp.dport=5004",
                                        "len=160..167",
                                        "app=rtp",
                                        "rtp.type=pcmu",
                                        "rtp.step=160..191",
                                        "end",
                                        NULL};
    static const char *const reports[] = {"c2s first",
                                          "c2s gap=402653184..536870911",
                                          "stack=eth/ipv4/udp",
                                          "udp.sport=dynamic",
                                          "udp.dport=5004",
                                          "len=64..67",
                                          "app=rtp",
                                          "rtp.stream=rtcp",
                                          "rtp.rtcp=sr",
                                          "rtp.rtcp=sdes",
                                          "rtp.item=cname",
                                          "rtp.name=8..15",
                                          NULL};

    (void)state;
    reports_count_on(NULL, reports);
    reports_count_on(talks, reports);
}

/* RFC 3164 4.1.2 */
static void sampled_syslog_has_the_packets_time(void **state)
{
    static const char *const wanted[] = {"c2s first",
                                         "c2s gap=1073741824..1610612735",
                                         "stack=eth/ipv4/udp",
                                         "udp.sport=514",
                                         "udp.dport=514",
                                         "len=96..99",
                                         NULL};
    wspi_rng r;
    wire w;

    (void)state;
    wspi_rng_seed(&r, 5);
    wire_open(&w);
    for (uint64_t flow = 0; flow < 40; flow++) {
        wsp_filler fill = filler_of(flow);
        fill.start_ns = begins + flow * 11 * 86400 * (uint64_t)SECOND;
        wire_again(&w);
        for (int k = 0; k < 3; k++) {
            const char *b;
            char s[32];
            struct tm tm;
            time_t at;
            sample(&w, &fill, wanted, 0, WSPI_APP_SYSLOG, &r);
            at = (time_t)(w.dec->last_ns / SECOND);
            assert_non_null(gmtime_r(&at, &tm));
            assert_int_equal(strftime(s, sizeof s, "%b %e %H:%M:%S ", &tm), 16);
            b = memchr(payload(&w), '>', 6);
            assert_non_null(b);
            assert_memory_equal(b + 1, s, 16);
        }
    }
    wire_close(&w);
}

/* RFC 5424 6.2.3: a flow that has begun in such a layout goes on, in any of them, at its time: seconds behind the first one's. */
static void sampled_syslog_goes_on_as_it_began(void **state)
{
    static const wire_message began = {
        BYTES("<34>1 2003-10-11T22:14:15.003Z mymachine su 77 ID47 - 'su root' failed"),
        true,
        0,
        {0}};
    static const char *const layouts[] = {"dddd-dd-ddTdd:dd:ddZ", "dddd-dd-ddTdd:dd:dd.ddddddZ",
                                          "dddd-dd-ddTdd:dd:dd.ddd+dd:dd",
                                          "dddd-dd-ddTdd:dd:dd-dd:dd", "-"};
    wspi_rng r;
    wire w;

    (void)state;
    wspi_rng_seed(&r, 6);
    wire_open(&w);
    w.port = 514;
    for (size_t i = 0; i < 10 * WSPI_COUNT(layouts); i++) {
        char layout[64], s[32];
        const char *const wanted[] = {"c2s gap=4294967296..6442450943", "len=96..99", layout, NULL};
        wsp_filler fill = filler_of(i);
        const uint8_t *b;
        (void)snprintf(layout, sizeof layout, "syslog.layout=%s", layouts[i / 10]);
        wire_again(&w);
        put_message(&w, &began, began.bytes, began.len);
        sample(&w, &fill, wanted, 0, WSPI_APP_SYSLOG, &r);
        assert_named(&w, layout);
        b = memchr(payload(&w), '>', 6);
        assert_non_null(b);
        (void)snprintf(s, sizeof s, "1 1970-01-01T00:00:%02u", (unsigned)(w.dec->last_ns / SECOND));
        if (i / 10 == 4)
            assert_memory_equal(b + 1, "1 - ", 4);
        else
            assert_memory_equal(b + 1, s, strlen(s));
    }
    wire_close(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(times_of_ntp_are_what_they_say),
        cmocka_unit_test(sampled_ntp_has_the_packets_time),
        cmocka_unit_test(sampled_reports_have_the_packets_time),
        cmocka_unit_test(sampled_syslog_has_the_packets_time),
        cmocka_unit_test(sampled_syslog_goes_on_as_it_began),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
