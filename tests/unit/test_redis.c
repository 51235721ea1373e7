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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(commands_come_back_whole_cut_and_damaged),
        cmocka_unit_test(keys_and_values_change_no_token),
        cmocka_unit_test(answers_need_a_question),
        cmocka_unit_test(sampled_redis_is_redis),
    };

    (void)wsp_vocab_size();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
