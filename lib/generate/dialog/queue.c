/* SPDX-License-Identifier: Apache-2.0 */
/* queue.c: dialogs of message queues. */
#include "generate/dialog/dialog.h"

/* ---- AMQP 0-9-1 (specification, sections 2.3.5 and 4.2; its XML has the methods) ---- */

/* kept */
enum { STEP, ASKED, CONSUMES, CONFIRMS, PUBLISHED, DELIVERED, ACKNOWLEDGED };

enum amqp_frame { METHOD = 1, CONTENT_HEADER, CONTENT_BODY, HEARTBEAT = 8 };
enum { FRAME_HEAD = 7, FRAME_END = 0xce, FRAME = FRAME_HEAD + 1 };

/* A method: its class above, its number below. */
#define AMQP(class, number) ((class) << 16 | (number))

enum {
    CONNECTION_START = AMQP(10, 10),
    CONNECTION_START_OK,
    CONNECTION_TUNE = AMQP(10, 30),
    CONNECTION_TUNE_OK,
    CONNECTION_OPEN = AMQP(10, 40),
    CONNECTION_OPEN_OK,
    CHANNEL_OPEN = AMQP(20, 10),
    CHANNEL_OPEN_OK,
    QUEUE_DECLARE = AMQP(50, 10),
    QUEUE_DECLARE_OK,
    BASIC_CONSUME = AMQP(60, 20),
    BASIC_CONSUME_OK,
    BASIC_PUBLISH = AMQP(60, 40),
    BASIC_DELIVER = AMQP(60, 60),
    BASIC_GET = AMQP(60, 70),
    BASIC_GET_OK,
    BASIC_GET_EMPTY,
    BASIC_ACK = AMQP(60, 80),
    CONFIRM_SELECT = AMQP(85, 10),
    CONFIRM_SELECT_OK
};

/* Names of a flow */
enum { QUEUE, USER, PASSWORD, CONSUMER };

/* | type 8 | channel 16 | size 32 | ... | 0xce |; returns where it begins. */
static size_t amqp_begin(wspi_pen *p, enum amqp_frame type, unsigned channel)
{
    wspi_pen_be(p, type, 1);
    wspi_pen_be(p, channel, 2);
    wspi_pen_zeros(p, 4);
    return p->n - FRAME_HEAD;
}

static void amqp_end(wspi_pen *p, size_t at)
{
    wspi_pen_be_at(p, at + 3, p->n - at - FRAME_HEAD, 4);
    wspi_pen_be(p, FRAME_END, 1);
}

/* Methods of connections are on channel 0. */
static size_t method_begin(wspi_pen *p, uint32_t method)
{
    size_t at = amqp_begin(p, METHOD, method >> 16 == 10 ? 0 : 1);

    wspi_pen_be(p, method, 4);
    return at;
}

static void heartbeat(wspi_pen *p)
{
    amqp_end(p, amqp_begin(p, HEARTBEAT, 0));
}

static void short_text(wspi_pen *p, const char *s)
{
    wspi_pen_be(p, strlen(s), 1);
    wspi_pen_text(p, s);
}

static void short_name(const wspi_dialog *d, wspi_pen *p, unsigned k)
{
    char name[WSPI_DIALOG_NAME];

    wspi_dialog_name(d, k, name);
    short_text(p, name);
}

static void long_text(wspi_pen *p, const char *s)
{
    wspi_pen_be(p, strlen(s), 4);
    wspi_pen_text(p, s);
}

/* A row of a table: | name | 'S' | length 32 | text | */
static void property(wspi_pen *p, const char *name, const char *value)
{
    short_text(p, name);
    wspi_pen_text(p, "S");
    long_text(p, value);
}

/* What either side is: a table, whose last row fills what is left but for `behind`. */
static void properties(wspi_pen *p, const char *const rows[][2], size_t n, size_t want,
                       size_t behind)
{
    enum { COMMENT = 1 + 11 + 1 + 4 };
    size_t at = p->n, left;

    wspi_pen_zeros(p, 4);
    for (size_t i = 0; i < n; i++)
        if (i == 0 ||
            wspi_pen_left(p, want, behind + COMMENT) >= 6 + strlen(rows[i][0]) + strlen(rows[i][1]))
            property(p, rows[i][0], rows[i][1]);
    left = wspi_pen_left(p, want, behind);
    if (left > COMMENT) {
        short_text(p, "information");
        wspi_pen_text(p, "S");
        wspi_pen_be(p, left - COMMENT, 4);
        wspi_pen_prose(p, left - COMMENT);
    }
    wspi_pen_be_at(p, at, p->n - at - 4, 4);
}

static void amqp_header(wspi_dialog *d, wspi_pen *p, size_t want)
{
    (void)d, (void)want;
    wspi_pen_add(p, "AMQP\0\0\011\001", 8);
}

/* | 0 | 9 | what the server is | how to log in | languages | */
static void amqp_start(wspi_dialog *d, wspi_pen *p, size_t want)
{
    static const char *const rows[][2] = {
        {"product", "RabbitMQ"},
        {"platform", "Erlang/OTP 25.2.3"},
        {"version", "3.10.8"},
        {"copyright", "Copyright (c) 2007-2022 VMware, Inc. or its affiliates."},
    };
    enum { BEHIND = 4 + 14 + 4 + 5 + 1 };
    size_t at = method_begin(p, CONNECTION_START);

    (void)d;
    wspi_pen_be(p, 9, 2);
    properties(p, rows, WSPI_COUNT(rows), want, BEHIND);
    long_text(p, "PLAIN AMQPLAIN");
    long_text(p, "en_US");
    amqp_end(p, at);
}

/* | what the client is | how it logs in | 0 user 0 password | language | */
static void amqp_start_ok(wspi_dialog *d, wspi_pen *p, size_t want)
{
    static const char *const rows[][2] = {
        {"product", "pika"}, {"platform", "Python 3.11.2"}, {"version", "1.3.2"}};
    char user[WSPI_DIALOG_NAME], password[WSPI_DIALOG_NAME];
    size_t at = method_begin(p, CONNECTION_START_OK), response;

    wspi_dialog_name(d, USER, user);
    wspi_dialog_name(d, PASSWORD, password);
    response = 2 + strlen(user) + strlen(password);
    properties(p, rows, WSPI_COUNT(rows), want, 6 + 4 + response + 6 + 1);
    short_text(p, "PLAIN");
    wspi_pen_be(p, response, 4);
    wspi_pen_zeros(p, 1);
    wspi_pen_text(p, user);
    wspi_pen_zeros(p, 1);
    wspi_pen_text(p, password);
    short_text(p, "en_US");
    amqp_end(p, at);
}

/* | channels 16 | longest frame 32 | seconds between heartbeats 16 | */
static void amqp_tune(wspi_pen *p, uint32_t method)
{
    size_t at = method_begin(p, method);

    wspi_pen_be(p, 2047, 2);
    wspi_pen_be(p, 131072, 4);
    wspi_pen_be(p, 60, 2);
    amqp_end(p, at);
}

static void amqp_ask_tune(wspi_dialog *d, wspi_pen *p, size_t want)
{
    (void)d, (void)want;
    amqp_tune(p, CONNECTION_TUNE);
}

static void amqp_open(wspi_dialog *d, wspi_pen *p, size_t want)
{
    size_t at = method_begin(p, CONNECTION_OPEN);

    (void)d, (void)want;
    short_text(p, "/");
    wspi_pen_zeros(p, 2);
    amqp_end(p, at);
}

/* What is tuned and what is opened may come together. */
static void amqp_tune_ok(wspi_dialog *d, wspi_pen *p, size_t want)
{
    enum { BOTH = 20 + 16 };

    amqp_tune(p, CONNECTION_TUNE_OK);
    if (want >= BOTH) {
        amqp_open(d, p, want);
        d->kept[STEP]++;
    }
}

/* A method whose arguments are n zeros. */
static void amqp_plain(wspi_pen *p, uint32_t method, size_t n)
{
    size_t at = method_begin(p, method);

    wspi_pen_zeros(p, n);
    amqp_end(p, at);
}

static void amqp_open_ok(wspi_dialog *d, wspi_pen *p, size_t want)
{
    (void)d, (void)want;
    amqp_plain(p, CONNECTION_OPEN_OK, 1);
}

static void amqp_channel(wspi_dialog *d, wspi_pen *p, size_t want)
{
    (void)d, (void)want;
    amqp_plain(p, CHANNEL_OPEN, 1);
}

static void amqp_channel_ok(wspi_dialog *d, wspi_pen *p, size_t want)
{
    (void)d, (void)want;
    amqp_plain(p, CHANNEL_OPEN_OK, 4);
}

/* | 0 16 | queue | durable | arguments | */
static void amqp_declare(wspi_dialog *d, wspi_pen *p, size_t want)
{
    enum { DURABLE = 2 };
    size_t at = method_begin(p, QUEUE_DECLARE);

    (void)want;
    wspi_pen_zeros(p, 2);
    short_name(d, p, QUEUE);
    wspi_pen_be(p, DURABLE, 1);
    wspi_pen_zeros(p, 4);
    amqp_end(p, at);
}

static void amqp_declare_ok(wspi_dialog *d, wspi_pen *p, size_t want)
{
    size_t at = method_begin(p, QUEUE_DECLARE_OK);

    (void)want;
    short_name(d, p, QUEUE);
    wspi_pen_be(p, wspi_pen_pick(p, 40), 4);
    wspi_pen_be(p, wspi_pen_pick(p, 3), 4);
    amqp_end(p, at);
}

/* Behind a method with a message: | class 16 | 0 16 | size 64 | type and persistence 16 | ... | and a frame with all of it. */
static void amqp_content(wspi_pen *p, size_t want)
{
    enum { BASIC = 60, TYPE_AND_MODE = 0x9000, PERSISTENT = 2, LEAST = 4 };
    size_t at = amqp_begin(p, CONTENT_HEADER, 1), n, size;

    wspi_pen_be(p, BASIC, 2);
    wspi_pen_be(p, 0, 2);
    size = p->n;
    wspi_pen_zeros(p, 8);
    wspi_pen_be(p, TYPE_AND_MODE, 2);
    short_text(p, "text/plain");
    wspi_pen_be(p, PERSISTENT, 1);
    amqp_end(p, at);
    n = wspi_pen_left(p, want, FRAME);
    n = WSPI_MAX(n, (size_t)LEAST);
    wspi_pen_be_at(p, size, n, 8);
    at = amqp_begin(p, CONTENT_BODY, 1);
    wspi_pen_prose(p, n);
    amqp_end(p, at);
}

static void amqp_publish(wspi_dialog *d, wspi_pen *p, size_t want)
{
    size_t at = method_begin(p, BASIC_PUBLISH);

    wspi_pen_zeros(p, 2 + 1); /* the exchange that is there anyway */
    short_name(d, p, QUEUE);
    wspi_pen_zeros(p, 1);
    amqp_end(p, at);
    amqp_content(p, want);
    d->kept[PUBLISHED]++;
}

/* | consumer | number 64 | again 8 | exchange | queue | and the message */
static void amqp_deliver(wspi_dialog *d, wspi_pen *p, size_t want)
{
    size_t at = method_begin(p, BASIC_DELIVER);

    short_name(d, p, CONSUMER);
    wspi_pen_be(p, ++d->kept[DELIVERED], 8);
    wspi_pen_zeros(p, 1 + 1);
    short_name(d, p, QUEUE);
    amqp_end(p, at);
    amqp_content(p, want);
}

static void amqp_ack(wspi_pen *p, uint32_t number)
{
    size_t at = method_begin(p, BASIC_ACK);

    wspi_pen_be(p, number, 8);
    wspi_pen_zeros(p, 1);
    amqp_end(p, at);
}

static void amqp_consume(wspi_dialog *d, wspi_pen *p)
{
    size_t at = method_begin(p, BASIC_CONSUME);

    wspi_pen_zeros(p, 2);
    short_name(d, p, QUEUE);
    short_name(d, p, CONSUMER);
    wspi_pen_zeros(p, 1 + 4);
    amqp_end(p, at);
    d->kept[ASKED] = BASIC_CONSUME;
}

static void amqp_get(wspi_dialog *d, wspi_pen *p)
{
    size_t at = method_begin(p, BASIC_GET);

    wspi_pen_zeros(p, 2);
    short_name(d, p, QUEUE);
    wspi_pen_be(p, 1, 1); /* no acknowledgement */
    amqp_end(p, at);
    d->kept[ASKED] = BASIC_GET;
}

/* What a client says has the length for it: it publishes, consumes, gets, acknowledges, or lives. */
static void amqp_ask(wspi_dialog *d, wspi_pen *p, size_t want)
{
    enum {
        CONFIRM = FRAME + 4 + 1,
        ACK = FRAME + 4 + 9,
        GET = FRAME + 4 + 4 + 9,
        CONSUME = FRAME + 4 + 9 + 2 * 9,
        PUBLISH = 90
    };
    bool waits = d->kept[ASKED] != 0;

    if (want >= PUBLISH) {
        amqp_publish(d, p, want);
    } else if (!waits && want >= CONSUME && !d->kept[CONSUMES]) {
        amqp_consume(d, p);
    } else if (want >= ACK && d->kept[ACKNOWLEDGED] < d->kept[DELIVERED]) {
        while (wspi_pen_left(p, want, 0) >= ACK && d->kept[ACKNOWLEDGED] < d->kept[DELIVERED])
            amqp_ack(p, ++d->kept[ACKNOWLEDGED]);
    } else if (!waits && want >= GET) {
        amqp_get(d, p);
    } else if (!waits && want >= CONFIRM && !d->kept[CONFIRMS]) {
        amqp_plain(p, CONFIRM_SELECT, 1);
        d->kept[ASKED] = CONFIRM_SELECT;
    } else {
        heartbeat(p);
    }
}

static void amqp_got(wspi_dialog *d, wspi_pen *p, size_t want)
{
    enum { LEAST = 90 };
    size_t at;

    if (want < LEAST) {
        amqp_plain(p, BASIC_GET_EMPTY, 1);
        return;
    }
    at = method_begin(p, BASIC_GET_OK);
    wspi_pen_be(p, 1 + wspi_pen_pick(p, 50), 8);
    wspi_pen_zeros(p, 1 + 1);
    short_name(d, p, QUEUE);
    wspi_pen_be(p, wspi_pen_pick(p, 20), 4);
    amqp_end(p, at);
    amqp_content(p, want);
}

static void amqp_answer(wspi_dialog *d, wspi_pen *p, size_t want)
{
    enum { LEAST_DELIVERY = 100 };
    uint32_t asked = d->kept[ASKED];
    size_t at;

    d->kept[ASKED] = 0;
    if (asked == BASIC_CONSUME) {
        at = method_begin(p, BASIC_CONSUME_OK);
        short_name(d, p, CONSUMER);
        amqp_end(p, at);
        d->kept[CONSUMES] = 1;
        if (wspi_pen_left(p, want, 0) >= LEAST_DELIVERY)
            amqp_deliver(d, p, want);
    } else if (asked == BASIC_GET) {
        amqp_got(d, p, want);
    } else if (asked == CONFIRM_SELECT) {
        amqp_plain(p, CONFIRM_SELECT_OK, 0);
        d->kept[CONFIRMS] = 1;
        d->kept[PUBLISHED] = 0;
    } else if (d->kept[CONSUMES] && want >= LEAST_DELIVERY) {
        amqp_deliver(d, p, want);
    } else if (d->kept[CONFIRMS] && d->kept[PUBLISHED] > 0) {
        amqp_ack(p, d->kept[CONFIRMS]++);
        d->kept[PUBLISHED]--;
    } else {
        heartbeat(p);
    }
}

/* From the first message to the queue everything has its order; who is not in turn waits until it is agreed how often one lives. */
void wspi_say_amqp(wspi_dialog *d, int dir, wspi_pen *p, size_t want)
{
    static const struct {
        int dir;
        void (*say)(wspi_dialog *d, wspi_pen *p, size_t want);
    } steps[] = {
        {0, amqp_header},     {1, amqp_start},   {0, amqp_start_ok},   {1, amqp_ask_tune},
        {0, amqp_tune_ok},    {0, amqp_open},    {1, amqp_open_ok},    {0, amqp_channel},
        {1, amqp_channel_ok}, {0, amqp_declare}, {1, amqp_declare_ok},
    };
    enum { TUNED = 5 };
    uint32_t step = d->kept[STEP];

    if (step >= WSPI_COUNT(steps)) {
        (dir == 0 ? amqp_ask : amqp_answer)(d, p, want);
    } else if (steps[step].dir == dir) {
        d->kept[STEP]++;
        steps[step].say(d, p, want);
    } else if (step >= TUNED) {
        heartbeat(p);
    }
}
