/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sink_kafka.c: records to a Kafka topic. librdkafka has a queue and threads of its own; what it cannot deliver in half a minute,
 * or has no room for, is lost. Its queue is part of --memory: 1 GiB, which it takes if not told, is not.
 */
#include <errno.h>
#include <librdkafka/rdkafka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli.h"
#include "sink.h"

enum { FLUSH_MS = 5000, START_MS = 5000, ASK_MS = 400, PAUSE_MS = 100, ROOM_MS = 1000 };

typedef struct producer {
    rd_kafka_conf_t *conf; /* until the start, which takes it */
    char *name;            /* of the topic */
    rd_kafka_t *k;
    rd_kafka_topic_t *topic;
    const char *target;
    size_t failed;      /* deliveries, since they were last told */
    char why[256];      /* what went wrong last */
    bool started, told; /* told: of errors since the last delivery */
} producer;

static void delivered(rd_kafka_t *k, const rd_kafka_message_t *m, void *arg)
{
    producer *p = arg;

    (void)k;
    p->failed += m->err != 0;
    p->told = p->told && m->err;
}

/* Which broker and why. That all are down is said after each by itself, and says less. */
static void on_error(rd_kafka_t *k, int code, const char *reason, void *arg)
{
    producer *p = arg;

    (void)k;
    if (code == RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN && *p->why)
        return;
    (void)snprintf(p->why, sizeof p->why, "%s", reason);
    if (p->started && !p->told)
        cli_warn("%s: %s", p->target, reason);
    p->told = p->started;
}

static void keep_quiet(const rd_kafka_t *k, int level, const char *facility, const char *text)
{
    (void)k;
    (void)facility;
    if (level <= 3 && cli_is_verbose())
        cli_warn("kafka: %s", text);
}

static rd_kafka_conf_t *configure(producer *p, const char *brokers, char *why, size_t size)
{
    static const char *const fixed[][2] = {{"message.timeout.ms", "30000"},
                                           {"queue.buffering.max.kbytes", "32768"},
                                           {"linger.ms", "20"},
                                           {"client.id", "wirespeak"},
                                           {"compression.codec", "lz4"}};
    rd_kafka_conf_t *c = rd_kafka_conf_new();
    bool good = rd_kafka_conf_set(c, "bootstrap.servers", brokers, why, size) == RD_KAFKA_CONF_OK;

    for (size_t i = 0; good && i < sizeof fixed / sizeof fixed[0]; i++)
        good = rd_kafka_conf_set(c, fixed[i][0], fixed[i][1], why, size) == RD_KAFKA_CONF_OK;
    if (!good) {
        rd_kafka_conf_destroy(c);
        return NULL;
    }
    rd_kafka_conf_set_dr_msg_cb(c, delivered);
    rd_kafka_conf_set_log_cb(c, keep_quiet);
    rd_kafka_conf_set_error_cb(c, on_error);
    rd_kafka_conf_set_opaque(c, p);
    return c;
}

static int kafka_open(sink *s, const char *target)
{
    const char *slash = strrchr(target, '/');
    char *brokers = slash ? strndup(target, (size_t)(slash - target)) : NULL, why[256] = "";
    producer *p = calloc(1, sizeof *p);

    s->own = p;
    if (!slash || slash == target || !slash[1]) {
        free(brokers);
        return cli_usage("tag", "%s: write it kafka:BROKER[:PORT][,BROKER...]/TOPIC", s->target);
    }
    if (p && brokers) {
        p->conf = configure(p, brokers, why, sizeof why);
        p->name = strdup(slash + 1);
        p->target = s->target;
    }
    free(brokers);
    return p && p->conf && p->name ? CLI_OK
                                   : cli_fail("%s: %s", s->target, *why ? why : "no memory");
}

/* Whether a broker answers and has the topic; else p->why. */
static bool ask_for_topic(producer *p)
{
    const struct rd_kafka_metadata *m = NULL;
    rd_kafka_resp_err_t e = rd_kafka_metadata(p->k, 0, p->topic, &m, ASK_MS);
    bool answered = e == RD_KAFKA_RESP_ERR_NO_ERROR;

    if (answered)
        e = m->topic_cnt ? m->topics[0].err : RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART;
    rd_kafka_metadata_destroy(m);
    (void)rd_kafka_poll(p->k, 0); /* errors come through it */
    if (e && (answered || !*p->why))
        (void)snprintf(p->why, sizeof p->why, "%s", rd_kafka_err2str(e));
    return e == RD_KAFKA_RESP_ERR_NO_ERROR;
}

/* A broker that is asked for the first time may make the topic, and a name may lead to several addresses: neither is there at once. */
static bool wait_for_topic(producer *p)
{
    for (int waited = 0; waited < START_MS; waited += ASK_MS + PAUSE_MS) {
        if (ask_for_topic(p))
            return true;
        (void)usleep(PAUSE_MS * 1000);
    }
    return false;
}

/* librdkafka's threads read what a broker says: they begin when nothing is left to be gained. */
static int kafka_start(sink *s)
{
    producer *p = s->own;
    char why[256] = "";

    p->k = rd_kafka_new(RD_KAFKA_PRODUCER, p->conf, why, sizeof why);
    if (!p->k)
        return cli_fail("%s: %s", s->target, *why ? why : "no memory");
    p->conf = NULL;
    p->topic = rd_kafka_topic_new(p->k, p->name, NULL);
    if (!p->topic)
        return cli_fail("%s: no memory for a topic", s->target);
    if (!wait_for_topic(p))
        return cli_fail("%s: %s", s->target, p->why);
    p->started = true;
    p->why[0] = '\0';
    return CLI_OK;
}

/* A broker that takes what comes makes room in librdkafka's queue in less than a second. */
static bool produce(const sink *s, const char *line, size_t len)
{
    producer *p = s->own;

    for (int waited = 0;; waited += PAUSE_MS) {
        /* the payload is copied, and not changed */
        if (rd_kafka_produce(p->topic, RD_KAFKA_PARTITION_UA, RD_KAFKA_MSG_F_COPY,
                             (void *)(uintptr_t)line, len, NULL, 0, NULL) == 0)
            return true;
        if (rd_kafka_last_error() != RD_KAFKA_RESP_ERR__QUEUE_FULL || s->failing ||
            sink_hurries(s) || waited == ROOM_MS)
            return false;
        (void)rd_kafka_poll(p->k, PAUSE_MS);
    }
}

static size_t kafka_write(sink *s, const char *lines, size_t len, size_t n)
{
    producer *p = s->own;
    size_t sent = 0, failed;

    for (size_t at = 0; at < len; sent++) {
        const char *end = memchr(lines + at, '\n', len - at);
        size_t line = (size_t)(end - (lines + at));

        if (!produce(s, lines + at, line))
            break;
        at += line + 1;
    }
    errno = ENOBUFS;
    (void)rd_kafka_poll(p->k, 0);
    failed = p->failed;
    p->failed = 0;
    s->away = p->told;
    if (failed)
        errno = ECONNREFUSED;
    return n - sent + failed;
}

/* The last chance of what is in librdkafka's queue. */
static void flush(sink *s)
{
    producer *p = s->own;
    size_t lost;

    (void)rd_kafka_flush(p->k, FLUSH_MS);
    lost = p->failed + (size_t)rd_kafka_outq_len(p->k);
    s->lost += lost;
    if (lost)
        (void)cli_fail("%s: %zu records could not be delivered: %s", s->target, lost,
                       *p->why ? p->why : "no broker took them in time");
}

static void kafka_close(sink *s)
{
    producer *p = s->own;

    if (!p)
        return;
    if (p->k) {
        if (p->started)
            flush(s);
        (void)rd_kafka_purge(p->k, RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT);
    }
    if (p->topic)
        rd_kafka_topic_destroy(p->topic);
    if (p->k)
        rd_kafka_destroy(p->k);
    if (p->conf)
        rd_kafka_conf_destroy(p->conf);
    free(p->name);
    free(p);
}

const sink_kind sink_kafka = {.prefix = "kafka:",
                              .open = kafka_open,
                              .start = kafka_start,
                              .write = kafka_write,
                              .close = kafka_close};
