/* SPDX-License-Identifier: Apache-2.0 */
/* iperf.c: the dialog of iPerf 3 (iperf_api.h and iperf_udp.c of 3.12): a connection that agrees on a test, and streams that are measured. */
#include "generate/dialog/dialog.h"

/*
 * The agreement: what each says in its turn. A state is a byte; parameters and results are | length 32 | JSON |.
 */
enum iperf_state {
    TEST_START = 1,
    TEST_RUNNING = 2,
    TEST_END = 4,
    PARAM_EXCHANGE = 9,
    CREATE_STREAMS = 10,
    EXCHANGE_RESULTS = 13,
    DISPLAY_RESULTS = 14,
    DONE = 16,
    COOKIE = 256, /* no states: */
    PARAMETERS,
    RESULTS
};

static const struct iperf_step {
    int dir;
    enum iperf_state says;
} steps[] = {
    {0, COOKIE},     {1, PARAM_EXCHANGE}, {0, PARAMETERS},      {1, CREATE_STREAMS},
    {1, TEST_START}, {1, TEST_RUNNING},   {0, TEST_END},        {1, EXCHANGE_RESULTS},
    {0, RESULTS},    {1, RESULTS},        {1, DISPLAY_RESULTS}, {0, DONE},
};

/* A connection that goes on after the end exchanges results again. */
enum { AGAIN = 7 };

/* Kept. STREAM: one more than the side that sends in this connection, which then is measured; 0: it is the one that agrees. */
enum { STEP, STREAM, SENT };

/* Of a test, in all of its connections: 36 characters and a zero. */
static void cookie(const wspi_dialog *d, wspi_pen *p)
{
    static const char of[] = "abcdefghijklmnopqrstuvwxyz234567";
    enum { LENGTH = 36 };

    for (unsigned i = 0; i < LENGTH; i++)
        wspi_pen_add(p, of + wspi_dialog_number(d, 10 + i) % 32, 1);
    wspi_pen_zeros(p, 1);
}

static size_t json_begin(wspi_pen *p)
{
    wspi_pen_zeros(p, 4);
    return p->n - 4;
}

static void json_end(wspi_pen *p, size_t at)
{
    wspi_pen_text(p, "}");
    wspi_pen_be_at(p, at, p->n - at - 4, 4);
}

static unsigned seconds_of(const wspi_dialog *d)
{
    return 1 + wspi_dialog_number(d, 3) % 10;
}

/* A title, if there is room for one. */
static void parameters(const wspi_dialog *d, wspi_pen *p, size_t want)
{
    static const char title[] = ",\"title\":\"", version[] = ",\"client_version\":\"3.12\"";
    enum { LEAST_TITLE = 4, LONGEST_TITLE = 600 };
    size_t at = json_begin(p), left;

    wspi_pen_format(p,
                    "{\"%s\":true,\"omit\":0,\"time\":%u,\"num\":0,\"blockcount\":0,\"parallel\":1,"
                    "\"len\":%u,\"pacing_timer\":1000",
                    wspi_dialog_number(d, 2) % 2 ? "udp" : "tcp", seconds_of(d),
                    wspi_dialog_number(d, 2) % 2 ? 1448 : 131072);
    left = wspi_pen_left(p, want, strlen(title) + strlen("\"") + strlen(version) + strlen("}"));
    if (left >= LEAST_TITLE) {
        wspi_pen_text(p, title);
        wspi_pen_prose(p, WSPI_MIN(left, (size_t)LONGEST_TITLE));
        wspi_pen_text(p, "\"");
    }
    wspi_pen_text(p, version);
    json_end(p, at);
}

/* Of one stream, or of as many as there is room for; a stream's numbers have few digits more or less. */
static void results(const wspi_dialog *d, wspi_pen *p, size_t want)
{
    enum { STREAM_SIZE = 150, MOST = 8, END = 2 };
    size_t at = json_begin(p);

    wspi_pen_format(p, "{\"cpu_util_total\":%u.%06u,\"cpu_util_user\":%u.%06u,",
                    wspi_pen_pick(p, 60), wspi_pen_pick(p, 1000000), wspi_pen_pick(p, 20),
                    wspi_pen_pick(p, 1000000));
    wspi_pen_format(p, "\"cpu_util_system\":%u.%06u,\"sender_has_retransmits\":%d,\"streams\":[",
                    wspi_pen_pick(p, 40), wspi_pen_pick(p, 1000000),
                    wspi_dialog_number(d, 2) % 2 ? 0 : 1);
    for (unsigned k = 0; k < MOST && (k == 0 || wspi_pen_left(p, want, END) > STREAM_SIZE); k++)
        wspi_pen_format(p,
                        "%s{\"id\":%u,\"bytes\":%u,\"retransmits\":%u,\"jitter\":0,\"errors\":0,"
                        "\"packets\":0,\"start_time\":0,\"end_time\":%u.%06u}",
                        k ? "," : "", k ? k + 2 : 1, 1000000 + wspi_pen_pick(p, 900000000),
                        wspi_pen_pick(p, 9), seconds_of(d), wspi_pen_pick(p, 1000));
    wspi_pen_text(p, "]");
    json_end(p, at);
}

static void agree(wspi_dialog *d, int dir, wspi_pen *p, size_t want)
{
    const struct iperf_step *step = &steps[d->kept[STEP]];

    if (step->dir != dir)
        return;
    switch (step->says) {
    case COOKIE: cookie(d, p); break;
    case PARAMETERS: parameters(d, p, want); break;
    case RESULTS: results(d, p, want); break;
    default: wspi_pen_be(p, step->says, 1); break;
    }
    d->kept[STEP] = d->kept[STEP] + 1 < WSPI_COUNT(steps) ? d->kept[STEP] + 1 : AGAIN;
}

/* Behind the cookie a connection is measured if the client goes on at once, or (-R) the server with more than a state. */
static void over_tcp(wspi_dialog *d, int dir, wspi_pen *p, size_t want)
{
    enum { LEAST_BLOCK = 100 };

    if (d->kept[STEP] == 1 && !d->kept[STREAM] && (dir == 0 || want >= LEAST_BLOCK))
        d->kept[STREAM] = 1 + (unsigned)dir;
    if (!d->kept[STREAM])
        agree(d, dir, p, want);
    else if (d->kept[STREAM] == 1 + (unsigned)dir)
        wspi_pen_random(p, want);
}

/* Each side's first datagram says that it is there, in the order of bytes of its processor; then | seconds 32 | microseconds 32 | number 32 | anything |. */
static void over_udp(wspi_dialog *d, int dir, wspi_pen *p, size_t want)
{
    enum { HEAD = 12, LEAST = 16, CONNECT = 0x36373839, REPLY = 0x39383736 };
    uint32_t k, us;

    if (d->said[dir] == 0) {
        wspi_pen_le(p, dir ? REPLY : CONNECT, 4);
        return;
    }
    k = d->kept[SENT + dir]++;
    us = wspi_dialog_number(d, 4) % 1000000 + 1000 * (k % 1000000);
    wspi_pen_be(p, 1600000000 + wspi_dialog_number(d, 5) % 100000000 + us / 1000000, 4);
    wspi_pen_be(p, us % 1000000, 4);
    wspi_pen_be(p, k + 1, 4);
    wspi_pen_random(p, WSPI_MAX(want, (size_t)LEAST) - HEAD);
}

void wspi_say_iperf(wspi_dialog *d, int dir, wspi_pen *p, size_t want)
{
    if (d->tcp)
        over_tcp(d, dir, p, want);
    else
        over_udp(d, dir, p, want);
}
