/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sink_kafka.c: records to a Kafka topic. librdkafka has a queue and threads of its own; what it cannot deliver in half a minute,
 * or has no room for, is lost.
 */
#include <errno.h>
#include <librdkafka/rdkafka.h>
#include <stdlib.h>
#include <string.h>

#include "cli.h"
#include "sink.h"

enum { FLUSH_MS = 5000 };

typedef struct producer {
    rd_kafka_conf_t *conf; /* until the start, which takes it */
    char *name;            /* of the topic */
    rd_kafka_t *k;
    rd_kafka_topic_t *topic;
    size_t failed; /* deliveries, since they were last told */
} producer;

static void delivered(rd_kafka_t *k, const rd_kafka_message_t *m, void *arg)
{
    producer *p = arg;

    (void)k;
    p->failed += m->err != 0;
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
        return cli_fail("%s: write it kafka:BROKER[:PORT][,BROKER...]/TOPIC", s->target);
    }
    if (p && brokers) {
        p->conf = configure(p, brokers, why, sizeof why);
        p->name = strdup(slash + 1);
    }
    free(brokers);
    return p && p->conf && p->name ? CLI_OK
                                   : cli_fail("%s: %s", s->target, *why ? why : "no memory");
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
    return p->topic ? CLI_OK : cli_fail("%s: no memory for a topic", s->target);
}

static size_t kafka_write(sink *s, const char *lines, size_t len, size_t n)
{
    producer *p = s->own;
    size_t sent = 0, failed;

    for (size_t at = 0; at < len; sent++) {
        const char *end = memchr(lines + at, '\n', len - at);
        size_t line = (size_t)(end - (lines + at));

        /* the payload is copied, and not changed */
        if (rd_kafka_produce(p->topic, RD_KAFKA_PARTITION_UA, RD_KAFKA_MSG_F_COPY,
                             (void *)(uintptr_t)(lines + at), line, NULL, 0, NULL) != 0)
            break;
        at += line + 1;
    }
    errno = ENOBUFS;
    (void)rd_kafka_poll(p->k, 0);
    failed = p->failed;
    p->failed = 0;
    if (failed)
        errno = ECONNREFUSED;
    return n - sent + failed;
}

static void kafka_close(sink *s)
{
    producer *p = s->own;

    if (!p)
        return;
    if (p->k) {
        (void)rd_kafka_flush(p->k, FLUSH_MS);
        s->lost += p->failed + (size_t)rd_kafka_outq_len(p->k);
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
