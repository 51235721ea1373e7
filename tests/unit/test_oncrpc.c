/* SPDX-License-Identifier: Apache-2.0 */
/* test_oncrpc.c: calls and replies of ONC RPC: round trips, tokens, what stays hidden, samples. */
#include "tests/unit/wire.h"

#define NONE "\0\0\0\0\0\0\0\0"
#define CALL(xid, program, version, procedure) \
    "\x12\x34\x56" xid "\0\0\0\0\0\0\0\x02\0\x01" program "\0\0\0" version "\0\0\0" procedure
#define REPLY(xid) "\x12\x34\x56" xid "\0\0\0\x01\0\0\0\0" NONE "\0\0\0\0"

/* Which port has NFS; a call of nothing, with credentials of a user; the answers. */
static const wire_message datagrams[] = {
    {BYTES(CALL("\x01", "\x86\xa0", "\x02", "\x03") NONE NONE
           "\0\x01\x86\xa3\0\0\0\x03\0\0\0\x11\0\0\0\0"),
     true,
     0,
     {"app=rpc", "rpc.kind=call", "rpc.program=portmap", "rpc.version=2", "rpc.procedure=3"}},
    {BYTES(REPLY("\x01") "\0\0\x08\x01"),
     true,
     1,
     {"rpc.kind=reply", "rpc.accepted=accepted", "rpc.state=success"}},
    {BYTES(CALL("\x02", "\x86\xa3", "\x03",
                "\0") "\0\0\0\x01\0\0\0\x15"
                      "\0\0\0\x07\0\0\0\x01h\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0" NONE),
     true,
     0,
     {"rpc.program=nfs", "rpc.flavor=unix", "rpc.credentials=16..23"}},
    {BYTES("\x12\x34\x56\x09\0\0\0\x01\0\0\0\x01\0\0\0\x01\0\0\0\x01"),
     true,
     1,
     {"rpc.accepted=denied", "rpc.xid=changed"}},
};
static const wire_message stream[] = {
    {BYTES("\x80\0\0\x28" CALL("\x05", "\x86\xa3", "\x03", "\0") NONE NONE),
     false,
     0,
     {"app=rpc", "rpc.procedure=0"}},
    {BYTES("\x80\0\0\x18" REPLY("\x05")), false, 1, {"rpc.state=success"}},
    {BYTES("\x80\0\0\x38" CALL("\x06", "\x86\xa3", "\x03", "\x01") NONE NONE "\0\0\0\x04go"),
     false,
     0,
     {"rpc.mark=2147483648..4294967295"}},
    {BYTES("es on here"), false, 0, {NULL}},
};

static void datagrams_come_back_whole_cut_and_damaged(void **state)
{
    (void)state;
    all_come_back(datagrams, WSPI_COUNT(datagrams));
}

static void records_of_a_stream_come_back_whole_cut_and_damaged(void **state)
{
    (void)state;
    all_come_back(stream, WSPI_COUNT(stream));
}

static void what_is_as_predicted_is_not_told(void **state)
{
    wire w;

    (void)state;
    wire_open(&w);
    for (size_t i = 0; i < 3; i++) {
        put_message(&w, &datagrams[i], datagrams[i].bytes, datagrams[i].len);
        assert_null(strstr(w.names, "rpc.xid"));
        assert_null(strstr(w.names, "payload="));
    }
    wire_close(&w);
}

static void other_payloads_are_not_taken(void **state)
{
    (void)state;
    assert_int_not_equal(app_of_datagram(BYTES(REPLY("\x01"))), WSPI_APP_RPC);
    assert_int_not_equal(app_of_datagram(BYTES(CALL("\x01", "\x86\x01", "\x02", "\x03") NONE NONE)),
                         WSPI_APP_RPC);
}

#define FLOW_OF(dir, proto, from, to) \
    dir " first", dir " gap=0", "stack=eth/ipv4/" proto, proto ".sport=" from, proto ".dport=" to

static void sampled_calls_are_calls(void **state)
{
    static const char *const asks_for[][9] = {
        {FLOW_OF("c2s", "udp", "dynamic", "111"), "len=80..83", NULL},
        {FLOW_OF("c2s", "udp", "dynamic", "2049"), "len=80..83", NULL},
        {FLOW_OF("c2s", "tcp", "dynamic", "2049"), "tcp.flags=PA", "len=80..83", NULL}};
    static const char *const answers_with[][9] = {
        {FLOW_OF("s2c", "udp", "111", "dynamic"), "len=80..83", NULL},
        {FLOW_OF("s2c", "udp", "2049", "dynamic"), "len=80..83", NULL},
        {FLOW_OF("s2c", "tcp", "2049", "dynamic"), "tcp.flags=PA", "len=80..83", NULL}};

    (void)state;
    for (size_t i = 0; i < WSPI_COUNT(asks_for); i++)
        sample_flows(asks_for[i], answers_with[i], WSPI_APP_RPC);
}

/* RFC 5531 appendix A, RFC 1813 2.6: one user, one file, whose attributes stay. */
static void check_file(const wire *w, int dir)
{
    enum { FILE_CALL = 40 + 32 + 36, FILE_REPLY = 24 + 4 + 84 };
    static uint8_t asked[FILE_CALL], answered[FILE_REPLY];
    static bool seen[2];
    const uint8_t *b = w->packet->data + HEADERS_UDP;
    size_t n = w->packet->payload_len;

    if (w->number == 1)
        seen[0] = seen[1] = false;
    if (n != (dir ? (size_t)FILE_REPLY : (size_t)FILE_CALL))
        return;
    if (dir == 0) {
        assert_int_equal(b[27], 1);  /* unix */
        assert_int_equal(b[31], 32); /* bytes of it */
        assert_int_equal(b[39], 8);  /* of the machine's name */
    } else {
        assert_int_equal(b[31], 1); /* a file */
        assert_true((b[34] << 8 | b[35]) <= 0777);
        assert_int_equal(b[39], 1);
    }
    if (seen[dir])
        assert_memory_equal(b + 4, (dir ? answered : asked) + 4, n - 4);
    memcpy(dir ? answered : asked, b, n);
    seen[dir] = true;
}

static void sampled_calls_are_of_one_user_and_file(void **state)
{
    static const char *const asks_for[] = {FLOW_OF("c2s", "udp", "dynamic", "2049"), "len=80..83",
                                           "rpc.procedure=1", NULL};
    static const char *const answers_with[] = {FLOW_OF("s2c", "udp", "2049", "dynamic"),
                                               "len=80..83", NULL};

    (void)state;
    sample_exact(40, 6, asks_for, answers_with, WSPI_APP_RPC, check_file);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(datagrams_come_back_whole_cut_and_damaged),
        cmocka_unit_test(records_of_a_stream_come_back_whole_cut_and_damaged),
        cmocka_unit_test(what_is_as_predicted_is_not_told),
        cmocka_unit_test(other_payloads_are_not_taken),
        cmocka_unit_test(sampled_calls_are_calls),
        cmocka_unit_test(sampled_calls_are_of_one_user_and_file),
    };

    (void)wsp_vocab_size();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
