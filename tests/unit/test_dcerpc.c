/* SPDX-License-Identifier: Apache-2.0 */
/* test_dcerpc.c: DCE/RPC over TCP and UDP: round trips, tokens, what stays hidden, samples. */
#include "tests/unit/wire.h"
#include "token/app/dcerpc.h"

/* ---- connections ---- */

#define HEAD(type, flags, len, auth, call) \
    "\x05\0" type flags "\x10\0\0\0" len "\0" auth "\0" call "\0\0\0"
#define NDR       "\x04\x5d\x88\x8a\xeb\x1c\xc9\x11\x9f\xe8\x08\0\x2b\x10\x48\x60\x02\0\0\0"
#define NDR64     "\x33\x05\x71\x71\xba\xbe\x37\x49\x83\x19\xb5\xdb\xef\x9c\xcc\x36\x01\0\0\0"
#define NO_SYNTAX "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"
#define MAPPER    "\x08\x83\xaf\xe1\x1f\x5d\xc9\x11\x91\xa4\x08\0\x2b\x14\xa0\xfa\x03\0\0\0"
#define UNLISTED  "\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0a\x0b\x0c\x0d\x0e\x0f\x10\x01\0\0\0"
#define SIZES     "\xd0\x16\xd0\x16"

static const wire_message stream[] = {
    {BYTES(HEAD("\x0b", "\x03", "\x74", "\0", "\x02") SIZES
           "\0\0\0\0\x02\0\0\0\0\0\x01\0" MAPPER NDR "\x01\0\x01\0" MAPPER NDR64),
     false,
     0,
     {"app=dcerpc", "dcerpc.type=bind", "dcerpc.fragment=5120..6143", "dcerpc.count=2",
      "dcerpc.interface=epmapper", "dcerpc.syntax=ndr", "dcerpc.syntax=ndr64"}},
    {BYTES(HEAD("\x0c", "\x07", "\x54", "\0", "\x02") SIZES "\x11\x22\x33\x44\x04\0"
                                                            "135\0\0\0\x02\0\0\0\0\0\0\0" NDR
                                                            "\x02\0\x02\0" NO_SYNTAX),
     false,
     1,
     {"dcerpc.type=bind-ack", "dcerpc.flags=whole-signed", "dcerpc.result=accepted",
      "dcerpc.result=syntaxes-refused"}},
    {BYTES(HEAD("\0", "\x03", "\x20", "\0", "\x02") "\x08\0\0\0\0\0\x03\0stubstub"),
     false,
     0,
     {"dcerpc.type=request", "dcerpc.operation=3"}},
    {BYTES(HEAD("\x02", "\x03", "\x1c", "\0", "\x02") "\x04\0\0\0\0\0\0\0"
                                                      "stub"),
     false,
     1,
     {"dcerpc.type=response"}},
    /* an object; a verifier, for which four bytes of the body are padding; more than an operation's token has room for */
    {BYTES(HEAD("\0", "\x83", "\x40", "\x08", "\x03") "\x04\0\0\0\x01\0\x99\x01objectobjectobj."
                                                      "stubpadd\x0a\x06\x04\0\0\0\0\0signed!."),
     false,
     0,
     {"dcerpc.flags=whole-object", "dcerpc.authentication=8..11", "dcerpc.context=1",
      "dcerpc.operation=126..127", "dcerpc.auth=ntlm-privacy"}},
    /* a fault, and a response that goes on in the next segment, where another one follows it */
    {BYTES(HEAD("\x03", "\x03", "\x20", "\0", "\x03") "\0\0\0\0\x01\0\0\0\x05\0\0\0\0\0\0\0" HEAD(
         "\x02", "\x01", "\x28", "\0", "\x03") "\x10\0"),
     false,
     1,
     {"dcerpc.type=fault", "dcerpc.status=access-denied", "dcerpc.type=response",
      "dcerpc.flags=first", "dcerpc.length=32..47"}},
    {BYTES("\0\0\0\0\0\0it goes on here." HEAD("\x02", "\x02", "\x18", "\0",
                                               "\x03") "\0\0\0\0\x01\0\0\0"),
     false,
     1,
     {"dcerpc.type=response", "dcerpc.flags=last"}},
    {BYTES("\x05\0\x0e\x03\0\0\0\0\0\x48\0\0\0\0\0\x04"
           "\x16\xd0\x16\xd0\0\0\0\0\x01\0\0\0\0\x03\x01\0"
           "\x12\x34\x57\x78\x12\x34\xab\xcd\xef\0\x01\x23\x45\x67\x89\xac\0\0\0\x01"
           "\x8a\x88\x5d\x04\x1c\xeb\x11\xc9\x9f\xe8\x08\0\x2b\x10\x48\x60\0\0\0\x02"),
     false,
     0,
     {"dcerpc.type=alter-context", "dcerpc.form=big-endian", "dcerpc.interface=samr",
      "dcerpc.context=3"}},
    {BYTES(HEAD("\x0d", "\x03", "\x16", "\0", "\x04") "\x04\0\x01\x05\0\0"),
     false,
     1,
     {"dcerpc.type=bind-nak", "dcerpc.result=nak-version"}},
    {BYTES(HEAD("\x0b", "\x03", "\x48", "\0", "\x05") SIZES
           "\0\0\0\0\x01\0\0\0\0\0\x01\0" UNLISTED UNLISTED),
     false,
     0,
     {"dcerpc.interface=unlisted", "dcerpc.syntax=unlisted"}},
};

/* ---- datagrams ---- */

#define OBJECT   "\0\0\xa0\xde\x97\x6c\xd1\x11\x82\x71\0\x01\x03\x13\0\x2a"
#define DEVICE   "\x01\0\xa0\xde\x97\x6c\xd1\x11\x82\x71\0\xa0\x24\x42\xdf\x7d"
#define ACTIVITY "\x01\x02\x03\x04\x05\x06\x07\x08\x11\x12\x13\x14\x15\x16\x17\x18"
#define NO_HINTS "\xff\xff\xff\xff"
#define ASK(sequence, operation)                                                  \
    "\x04\0\x20\0\x10\0\0\0" OBJECT DEVICE ACTIVITY "\0\0\0\0\x01\0\0\0" sequence \
    "\0\0\0" operation "\0" NO_HINTS "\x04\0\0\0\0\0body"

static const wire_message datagrams[] = {
    {BYTES(ASK("\0", "\x05")),
     true,
     0,
     {"app=dcerpc-cl", "dcerpc-cl.type=request", "dcerpc-cl.flags=idempotent",
      "dcerpc-cl.object=profinet", "dcerpc-cl.vendor=32..47", "dcerpc-cl.interface=profinet-device",
      "dcerpc-cl.operation=5"}},
    {BYTES("\x04\x02\x0a\0\0\0\0\0\xde\xa0\0\0\x6c\x97\x11\xd1\x82\x71\0\x01\x03\x13\0\x2a"
           "\xde\xa0\0\x01\x6c\x97\x11\xd1\x82\x71\0\xa0\x24\x42\xdf\x7d"
           "\x04\x03\x02\x01\x06\x05\x08\x07\x11\x12\x13\x14\x15\x16\x17\x18"
           "\0\0\0\x07\0\0\0\x01\0\0\0\0\0\x05" NO_HINTS "\0\x04\0\0\0\0body"),
     true,
     1,
     {"dcerpc-cl.type=response", "dcerpc-cl.form=big-endian", "dcerpc-cl.flags=last-nofack"}},
    {BYTES(ASK("\x01", "\x02")), true, 0, {"dcerpc-cl.type=request", "dcerpc-cl.operation=2"}},
    {BYTES("\x04\x06\x08\0\x10\0\0\x01"
           "objectobjectobj.interfaceinterf." ACTIVITY "\0\0\0\0\x01\0\0\0\0\0\0\0\0\0" NO_HINTS
           "\x04\0\0\0\0\x02\x03\0\x01\x1c"),
     true,
     1,
     {"dcerpc-cl.type=reject", "dcerpc-cl.object=unlisted", "dcerpc-cl.interface=unlisted",
      "dcerpc-cl.serial=changed", "dcerpc-cl.status=unknown-interface"}},
};

static void connections_come_back_whole_cut_and_damaged(void **state)
{
    (void)state;
    all_come_back(stream, WSPI_COUNT(stream));
}

static void datagrams_come_back_whole_cut_and_damaged(void **state)
{
    (void)state;
    all_come_back(datagrams, WSPI_COUNT(datagrams));
}

static void assert_unnamed(const wire *w, const char *const *names, size_t n)
{
    for (size_t i = 0; i < n; i++)
        assert_null(strstr(w->names, names[i]));
}

static void what_is_as_predicted_is_not_told(void **state)
{
    static const char *const never[] = {
        "payload=",         "dcerpc.call",        "dcerpc.length",      "dcerpc.hint",
        "dcerpc.form",      "dcerpc.group",       "dcerpc.version",     "dcerpc.receive",
        "dcerpc.padding",   "dcerpc-cl.activity", "dcerpc-cl.sequence", "dcerpc-cl.version",
        "dcerpc-cl.length", "dcerpc-cl.hints"};
    wire w;

    (void)state;
    wire_open(&w);
    for (size_t i = 0; i < 5; i++) {
        put_message(&w, &stream[i], stream[i].bytes, stream[i].len);
        assert_unnamed(&w, never, WSPI_COUNT(never));
    }
    wire_again(&w);
    for (size_t i = 0; i < 3; i++) {
        put_message(&w, &datagrams[i], datagrams[i].bytes, datagrams[i].len);
        assert_unnamed(&w, never, WSPI_COUNT(never));
    }
    wire_close(&w);
}

static void no_port_is_in_the_tokens(void **state)
{
    (void)state;
    assert_no_port_told(135, stream, WSPI_COUNT(stream));
    assert_no_port_told(34964, datagrams, WSPI_COUNT(datagrams));
}

static void identifiers_and_stubs_are_hidden(void **state)
{
    (void)state;
    assert_hidden(&stream[2], 24, 8);     /* a stub */
    assert_hidden(&stream[4], 24, 16);    /* an object */
    assert_hidden(&stream[4], 56, 8);     /* what a verifier has */
    assert_hidden(&datagrams[0], 40, 16); /* an activity */
    assert_hidden(&datagrams[0], 18, 4);  /* which device of a maker it is */
}

static void other_payloads_are_not_taken(void **state)
{
    static const wire_message others[] = {
        {BYTES("\x05\0\x0b\x03\x10\0\0\0\x10\0\0\0\x02\0\0\0"), false, 0, {NULL}}, /* too short */
        {BYTES("\x05\0\0\x03\x10\0\0\x01\x18\0\0\0\x02\0\0\0\0\0\0\0\0\0\0\0"), false, 0, {NULL}},
        {BYTES("\x05\x02\0\x03\x10\0\0\0\x18\0\0\0\x02\0\0\0\0\0\0\0\0\0\0\0"), false, 0, {NULL}},
        {BYTES("\x05\x01\0"), false, 0, {NULL}}, /* SOCKS */
    };
    wire w;

    (void)state;
    wire_open(&w);
    for (size_t i = 0; i < WSPI_COUNT(others); i++) {
        wire_again(&w);
        put_message(&w, &others[i], others[i].bytes, others[i].len);
        assert_int_not_equal(w.enc->app.id[0], WSPI_APP_DCERPC);
    }
    wire_close(&w);
    assert_int_not_equal(app_of_datagram(datagrams[0].bytes, 79), WSPI_APP_DCERPC_CL);
}

#define FLOW_OF(dir, proto, from, to) \
    dir " first", dir " gap=0", "stack=eth/ipv4/" proto, proto ".sport=" from, proto ".dport=" to

static void sampled_calls_are_calls(void **state)
{
    static const char *const mapper_asks[] = {FLOW_OF("c2s", "tcp", "dynamic", "135"),
                                              "tcp.flags=PA", "len=80..83", NULL};
    static const char *const mapper_answers[] = {FLOW_OF("s2c", "tcp", "135", "dynamic"),
                                                 "tcp.flags=PA", "len=80..83", NULL};
    static const char *const asks[] = {FLOW_OF("c2s", "tcp", "dynamic", "dynamic"), "tcp.flags=PA",
                                       "len=80..83", "app=dcerpc", NULL};
    static const char *const answers[] = {FLOW_OF("s2c", "tcp", "dynamic", "dynamic"),
                                          "tcp.flags=PA", "len=80..83", "app=dcerpc", NULL};

    (void)state;
    sample_flows(mapper_asks, mapper_answers, WSPI_APP_DCERPC);
    sample_flows(asks, answers, WSPI_APP_DCERPC);
    sample_has(asks, answers, WSPI_APP_DCERPC, "dcerpc.type=bind", "dcerpc.type=bind-ack");
}

/* A server may take the second syntax, and clients count their calls as they like: what is drawn is what is read again. */
static void sampled_calls_are_of_the_context_that_was_accepted(void **state)
{
    static const char *const asks[] = {FLOW_OF("c2s", "tcp", "dynamic", "135"),
                                       "tcp.flags=PA",
                                       "len=168..175",
                                       "dcerpc.count=3",
                                       "dcerpc.call=changed",
                                       "dcerpc.interface=epmapper",
                                       NULL};
    static const char *const answers[] = {FLOW_OF("s2c", "tcp", "135", "dynamic"),
                                          "tcp.flags=PA",
                                          "len=168..175",
                                          "dcerpc.type=response",
                                          "dcerpc.result=syntaxes-refused",
                                          NULL};
    static const char *const of_call[4][2] = {{"dcerpc.count=3", "dcerpc.call=changed"},
                                              {"dcerpc.result=accepted", "dcerpc.syntax=ndr64"},
                                              {"dcerpc.context=1", "dcerpc.call=changed"},
                                              {"dcerpc.type=response", "len=168..175"}};
    wspi_rng r;
    wire w;

    (void)state;
    wspi_rng_seed(&r, 17);
    wire_open(&w);
    for (uint64_t flow = 0; flow < 20; flow++) {
        wsp_filler fill = filler_of(flow);
        wire_again(&w);
        for (size_t k = 0; k < 6; k++) {
            sample(&w, &fill, k % 2 ? answers : asks, (int)(k % 2), WSPI_APP_DCERPC, &r);
            assert_true(w.same);
            for (size_t i = 0; i < 2 && k < 4; i++)
                assert_named(&w, of_call[k][i]);
        }
    }
    wire_close(&w);
}

/* NDR64 has eight bytes where NDR has four, of pointers and counts. */
static void stubs_of_the_mapper_are_as_long_as_their_syntax_makes_them(void **state)
{
    uint8_t b[WSPI_DCE_MAP_MOST];

    (void)state;
    assert_int_equal(wspi_dce_map_stub(b, false, false, 0), 132);
    assert_int_equal(wspi_dce_map_stub(b, true, false, 0), 144);
    assert_int_equal(wspi_dce_map_stub(b, false, true, 0), 40);
    assert_int_equal(wspi_dce_map_stub(b, true, true, 0), 52);
    assert_int_equal(wspi_dce_map_stub(b, false, true, 49666), 128);
    assert_memory_equal(b + 48 + 61, "\x07\x02\0\xc2\x02", 5); /* over TCP, on that port */
    assert_int_equal(wspi_dce_map_stub(b, true, true, 49666), 148);
    assert_memory_equal(b + 68 + 61, "\x07\x02\0\xc2\x02", 5);
}

static void sampled_datagrams_read_records(void **state)
{
    static const char *const asks[] = {FLOW_OF("c2s", "udp", "dynamic", "34964"), "len=160..167",
                                       NULL};
    static const char *const answers[] = {FLOW_OF("s2c", "udp", "34964", "dynamic"), "len=160..167",
                                          NULL};

    (void)state;
    sample_flows(asks, answers, WSPI_APP_DCERPC_CL);
    sample_has(asks, answers, WSPI_APP_DCERPC_CL, "dcerpc-cl.type=request",
               "dcerpc-cl.type=response");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(connections_come_back_whole_cut_and_damaged),
        cmocka_unit_test(datagrams_come_back_whole_cut_and_damaged),
        cmocka_unit_test(what_is_as_predicted_is_not_told),
        cmocka_unit_test(no_port_is_in_the_tokens),
        cmocka_unit_test(identifiers_and_stubs_are_hidden),
        cmocka_unit_test(other_payloads_are_not_taken),
        cmocka_unit_test(sampled_calls_are_calls),
        cmocka_unit_test(sampled_calls_are_of_the_context_that_was_accepted),
        cmocka_unit_test(stubs_of_the_mapper_are_as_long_as_their_syntax_makes_them),
        cmocka_unit_test(sampled_datagrams_read_records),
    };

    (void)wsp_vocab_size();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
