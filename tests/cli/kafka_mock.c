/* SPDX-License-Identifier: Apache-2.0 */
/*
 * kafka_mock.c: a Kafka broker of librdkafka's own, for the tests: prints its address, then every message of a topic.
 * usage: kafka_mock TOPIC MESSAGES SECONDS
 */
#include <librdkafka/rdkafka.h>
#include <librdkafka/rdkafka_mock.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static rd_kafka_t *client(rd_kafka_type_t type, const char *brokers, char *why, size_t size)
{
    rd_kafka_conf_t *c = rd_kafka_conf_new();

    if (brokers) {
        (void)rd_kafka_conf_set(c, "bootstrap.servers", brokers, why, size);
        (void)rd_kafka_conf_set(c, "group.id", "test", why, size);
        (void)rd_kafka_conf_set(c, "auto.offset.reset", "earliest", why, size);
    }
    return rd_kafka_new(type, c, why, size);
}

static int print_messages(rd_kafka_t *k, const char *topic, long want, time_t until)
{
    rd_kafka_topic_partition_list_t *l = rd_kafka_topic_partition_list_new(1);
    long seen = 0;

    (void)rd_kafka_topic_partition_list_add(l, topic, RD_KAFKA_PARTITION_UA);
    if (rd_kafka_subscribe(k, l) != RD_KAFKA_RESP_ERR_NO_ERROR)
        return 1;
    rd_kafka_topic_partition_list_destroy(l);
    while (seen < want && time(NULL) < until) {
        rd_kafka_message_t *m = rd_kafka_consumer_poll(k, 200);

        if (m && !m->err) {
            printf("%.*s\n", (int)m->len, (const char *)m->payload);
            seen++;
        }
        if (m)
            rd_kafka_message_destroy(m);
    }
    (void)rd_kafka_consumer_close(k);
    return seen == want ? 0 : 1;
}

int main(int argc, char **argv)
{
    char why[256] = "";
    rd_kafka_mock_cluster_t *cluster;
    rd_kafka_t *owner, *consumer;
    int rc;

    if (argc != 4) {
        (void)fputs("usage: kafka_mock TOPIC MESSAGES SECONDS\n", stderr);
        return 2;
    }
    owner = client(RD_KAFKA_PRODUCER, NULL, why, sizeof why);
    cluster = owner ? rd_kafka_mock_cluster_new(owner, 1) : NULL;
    if (!cluster) {
        (void)fprintf(stderr, "kafka_mock: no cluster: %s\n", why);
        return 1;
    }
    (void)rd_kafka_mock_topic_create(cluster, argv[1], 1, 1);
    printf("%s\n", rd_kafka_mock_cluster_bootstraps(cluster));
    (void)fflush(stdout);
    consumer =
        client(RD_KAFKA_CONSUMER, rd_kafka_mock_cluster_bootstraps(cluster), why, sizeof why);
    if (!consumer)
        return 1;
    (void)rd_kafka_poll_set_consumer(consumer);
    rc = print_messages(consumer, argv[1], strtol(argv[2], NULL, 10),
                        time(NULL) + strtol(argv[3], NULL, 10));
    rd_kafka_destroy(consumer);
    rd_kafka_mock_cluster_destroy(cluster);
    rd_kafka_destroy(owner);
    return rc;
}
