/* SPDX-License-Identifier: Apache-2.0 */
/* test_redis.c: Redis questions and answers: round trips, tokens, what stays hidden, samples. */
#include "tests/unit/wire.h"

static const wire_message commands[] = {
    {BYTES("*1\r\n$4\r\nPING\r\n"),
     false,
     0,
     {"app=redis", "redis.type=array", "redis.count=1", "redis.word=PING"}},
    {BYTES("+PONG\r\n"), false, 1, {"redis.type=status", "redis.status=PONG"}},
    {BYTES("*3\r\n$3\r\nSET\r\n$5\r\nmykey\r\n$7\r\nmyvalue\r\n"),
     false,
     0,
     {"redis.word=SET", "redis.word=text", "redis.length=4..5", "redis.length=6..7"}},
    {BYTES("+OK\r\n"), false, 1, {"redis.status=OK"}},
    {BYTES("*2\r\n$3\r\nGET\r\n$5\r\nmykey\r\n*2\r\n$4\r\nINCR\r\n$1\r\nn\r\n"),
     false,
     0,
     {"redis.word=GET", "redis.word=INCR"}},
    {BYTES("$7\r\nmyvalue\r\n:1000\r\n"),
     false,
     1,
     {"redis.type=string", "redis.type=integer", "redis.number=512..1023"}},
    {BYTES("*2\r\n$3\r\nTTL\r\n$1\r\nx\r\n"), false, 0, {"redis.word=TTL"}},
    {BYTES(":-2\r\n$-1\r\n*-1\r\n-WRONGTYPE Operation\r\n+a status\r\n"),
     false,
     1,
     {"redis.type=negative", "redis.type=nil-string", "redis.type=nil-array",
      "redis.error=WRONGTYPE"}},
    {BYTES("*2\r\n$3\r\nGET\r\n$100\r\nthe rest comes later"), false, 0, {"redis.word=GET"}},
};

static void commands_come_back_whole_cut_and_damaged(void **state)
{
    (void)state;
    all_come_back(commands, WSPI_COUNT(commands));
}

static void keys_and_values_change_no_token(void **state)
{
    static const char *const alike[] = {"*3\r\n$3\r\nSET\r\n$2\r\nme\r\n$4\r\nbold\r\n",
                                        "*3\r\n$3\r\nSET\r\n$2\r\nyo\r\n$4\r\nkind\r\n"};
    char names[2][1024];
    wire w;

    (void)state;
    wire_open(&w);
    for (size_t i = 0; i < 2; i++) {
        wire_message m = {alike[i], strlen(alike[i]), false, 0, {NULL}};
        wire_again(&w);
        put_message(&w, &m, m.bytes, m.len);
        (void)snprintf(names[i], sizeof names[i], "%s", strstr(w.names, "redis.type"));
    }
    assert_string_equal(names[0], names[1]);
    wire_close(&w);
}

/* An answer alone could be of POP3. */
static void answers_need_a_question(void **state)
{
    wire w;

    (void)state;
    wire_open(&w);
    segment(&w, BYTES(":1\r\n"), 4, 1, true);
    assert_int_not_equal(w.enc->app.id[1], WSPI_APP_REDIS);
    wire_again(&w);
    segment(&w, BYTES("+OK\r\n"), 5, 1, true);
    assert_int_not_equal(w.enc->app.id[1], WSPI_APP_REDIS);
    wire_close(&w);
}

static void sampled_redis_is_redis(void **state)
{
    static const char *const asks_for[] = {"c2s first",
                                           "c2s gap=0",
                                           "stack=eth/ipv4/tcp",
                                           "tcp.sport=dynamic",
                                           "tcp.dport=6379",
                                           "tcp.flags=PA",
                                           "len=28",
                                           NULL};
    static const char *const answers_with[] = {"s2c first",
                                               "s2c gap=0",
                                               "stack=eth/ipv4/tcp",
                                               "tcp.sport=6379",
                                               "tcp.flags=PA",
                                               "tcp.dport=dynamic",
                                               "len=28",
                                               NULL};

    (void)state;
    sample_flows(asks_for, answers_with, WSPI_APP_REDIS);
}

/* What is drawn for an answer to a question. */
static void answer_to(wire *w, const char *question, uint64_t flow, char *answer, size_t len)
{
    static const char *const how[] = {"s2c first",
                                      "s2c gap=0",
                                      "stack=eth/ipv4/tcp",
                                      "tcp.sport=6379",
                                      "tcp.dport=dynamic",
                                      "tcp.flags=PA",
                                      "len=12",
                                      NULL};
    wsp_filler fill = filler_of(flow);
    wspi_rng r;

    wspi_rng_seed(&r, flow);
    wire_again(w);
    w->port = 6379;
    segment(w, question, strlen(question), strlen(question), 0, true);
    sample(w, &fill, how, 1, WSPI_APP_REDIS, &r);
    assert_true(w->packet->payload_len < len);
    memcpy(answer, w->packet->data + w->packet->payload_off, w->packet->payload_len);
    answer[w->packet->payload_len] = '\0';
}

/* https://redis.io/docs/latest/commands: what each command returns. */
static void sampled_answers_are_of_the_type_of_the_command(void **state)
{
    static const struct {
        const char *question, *begins[2];
    } of[] = {{"*1\r\n$4\r\nPING\r\n", {"+PONG\r\n", "+PONG\r\n"}},
              {"*2\r\n$3\r\nGET\r\n$4\r\nname\r\n", {"$-1\r\n", "$"}},
              {"*2\r\n$6\r\nSELECT\r\n$1\r\n1\r\n", {"+OK\r\n", "+OK\r\n"}},
              {"*3\r\n$3\r\nSET\r\n$3\r\nGET\r\n$1\r\n1\r\n", {"+OK\r\n", "+OK\r\n"}},
              {"*3\r\n$5\r\nLPUSH\r\n$4\r\nname\r\n$1\r\n1\r\n", {":", ":"}},
              {"*2\r\n$4\r\nINCR\r\n$4\r\nname\r\n", {":", ":"}}};
    char answer[256];
    wire w;

    (void)state;
    wire_open(&w);
    for (size_t i = 0; i < 10 * WSPI_COUNT(of); i++) {
        size_t k = i % WSPI_COUNT(of);
        answer_to(&w, of[k].question, i, answer, sizeof answer);
        assert_true(strncmp(answer, of[k].begins[0], strlen(of[k].begins[0])) == 0 ||
                    strncmp(answer, of[k].begins[1], strlen(of[k].begins[1])) == 0);
    }
    wire_close(&w);
}

/* Who asks waits for the answer, and asks nobody who has ended. */
static void each_question_is_answered_before_the_end(void **state)
{
    wire w;

    (void)state;
    wire_open(&w);
    segment(&w, BYTES("*1\r\n$4\r\nPING\r\n"), 14, 0, true);
    segment(&w, BYTES("+PONG\r\n"), 7, 1, true);
    assert_true(wspi_app_may_end(w.enc));
    assert_true(wspi_app_may_speak(w.enc, 0));
    assert_true(wspi_app_ends_with(w.enc, 1));
    assert_false(wspi_app_ends_with(w.enc, 0));
    w.enc->sent[1] |= WSPI_TH_FIN;
    assert_false(wspi_app_may_speak(w.enc, 0));
    w.enc->sent[1] = 0;
    segment(&w, BYTES("*1\r\n$4\r\nPING\r\n"), 14, 0, true);
    assert_false(wspi_app_may_end(w.enc));
    assert_int_equal(wspi_app_owes(w.enc), 1);
    wire_close(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(commands_come_back_whole_cut_and_damaged),
        cmocka_unit_test(keys_and_values_change_no_token),
        cmocka_unit_test(answers_need_a_question),
        cmocka_unit_test(sampled_redis_is_redis),
        cmocka_unit_test(sampled_answers_are_of_the_type_of_the_command),
        cmocka_unit_test(each_question_is_answered_before_the_end),
    };

    (void)wsp_vocab_size();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
