/* SPDX-License-Identifier: Apache-2.0 */
/* test_smb.c: sessions of NetBIOS, messages of SMB1 and SMB2: round trips, tokens, what stays hidden, samples. */
#include "tests/unit/wire.h"

#define OK       "\0\0\0\0"
#define ZEROS_4  "\0\0\0\0"
#define ZEROS_8  ZEROS_4 ZEROS_4
#define ZEROS_16 ZEROS_8 ZEROS_8
#define ZEROS_32 ZEROS_16 ZEROS_16
#define GUID     "0123456789abcdef"
#define HEAD_2(status, command, flags, next, id, session)                           \
    "\xfeSMB\x40\0\x01\0" status command "\0\x01\0" flags "\0\0\0" next "\0\0\0" id \
    "\0\0\0\0\0\0\0\xff\xfe\0\0\x07\0\0\0" session "\0\0\0\0\0\0\0signature.16 by."
#define ASKS(command, id)         HEAD_2(OK, command, "\0", "\0", id, "\x09")
#define SAYS(status, command, id) HEAD_2(status, command, "\x01", "\0", id, "\x09")
#define HEAD_1(command, status, flags) \
    "\xffSMB" command status flags "\x53\xc8pidsignature\0\0\xfe\xff\0\0\x01\0"
#define ECHO "\x04\0\0\0"

static const wire_message stream[] = {
    {BYTES("\0\0\0\x44" ASKS("\x0d", "\x01") ECHO),
     false,
     0,
     {"app=smb", "smb.type=message", "smb.kind=smb2", "smb.command=echo"}},
    {BYTES("\0\0\0\x49" SAYS("\x22\0\0\xc0", "\x0d", "\x01") "\x09\0\0\0\0\0\0\0\0"),
     false,
     1,
     {"smb.command=echo", "smb.status=access-denied"}},
    /* a compound, and a keep-alive behind it */
    {BYTES("\0\0\0\x8c" HEAD_2(OK, "\x0c", "\x08", "\x48", "\x02", "\x09") ECHO
           "pad." HEAD_2(OK, "\x02", "\x0c", "\0", "\x03", "\x09") ECHO "\x85\0\0\0"),
     false,
     0,
     {"smb.command=cancel", "smb.flags=signed", "smb.next=64..95", "smb.command=logoff",
      "smb.type=keep-alive"}},
    /* encrypted, and going on in the next segment */
    {BYTES("\0\0\0\x20\xfdSMB0123456789"), false, 1, {"smb.kind=encrypted", "smb.length=32..47"}},
    {BYTES("the rest, 18 bytes"), false, 1, {NULL}},
};

static const wire_message session[] = {
    {BYTES("\0\0\0\x68" ASKS("\0", "\0") "\x24\0\x02\0\x01\0\0\0\x7f\0\0\0" GUID ZEROS_8
                                         "\x02\x02\x10\x02"),
     false,
     0,
     {"smb.command=negotiate", "smb.size=2", "smb.dialect=2.0.2", "smb.dialect=2.1"}},
    {BYTES("\0\0\0\x80" SAYS(OK, "\0", "\0") "\x41\0\x01\0\x10\x02\0\0" GUID
                                             "\x07\0\0\0\0\0\x10\0\0\0\x10\0\0\0\x10\0" ZEROS_16
                                             "\x80\0\0\0" ZEROS_4),
     false,
     1,
     {"smb.dialect=2.1", "smb.capabilities=dfs-leases-large", "smb.size=1048576..1572863",
      "smb.size=0"}},
    {BYTES("\0\0\0\x78" ASKS("\x01", "\x01") "\x19\0\0\x01\x01\0\0\0" ZEROS_4 "\x58\0\x20\0" ZEROS_8
                                             "NTLMSSP\0\x01\0\0\0\x07\x82\x08\0" ZEROS_16),
     false,
     0,
     {"smb.command=session-setup", "smb.token=ntlm-negotiate"}},
    {BYTES("\0\0\0\x68" SAYS("\x16\0\0\xc0", "\x01", "\x01") "\x09\0\0\0\x48\0\x20\0"
                                                             "\xa1\x1eNTLMSSP\0\x02\0\0\0" ZEROS_16
                                                             "\0\0"),
     false,
     1,
     {"smb.command=session-setup", "smb.token=answer-challenge"}},
    {BYTES("\0\0\0\x58" ASKS("\x03", "\x02") "\x09\0\0\0\x48\0\x10\0"
                                             "\\\0\\\0s\0\\\0I\0P\0C\0$\0"),
     false,
     0,
     {"smb.command=tree-connect", "smb.name=IPC$"}},
    {BYTES("\0\0\0\x50" SAYS(OK, "\x03", "\x02") "\x10\0\x02\0" ZEROS_8 "\xff\x01\x1f\0"),
     false,
     1,
     {"smb.share=pipe"}},
    {BYTES("\0\0\0\x84" ASKS("\x05", "\x03") "\x39\0" ZEROS_16 ZEROS_4 "\0\0\x9f\x01\x12\0" ZEROS_8
                                             "\x01\0\0\0\x40\0\0\0\x78\0\x0c\0" ZEROS_8
                                             "s\0r\0v\0s\0v\0c\0"),
     false,
     0,
     {"smb.command=create", "smb.access=read-write", "smb.disposition=open", "smb.options=file",
      "smb.name=srvsvc"}},
    {BYTES("\0\0\0\x49" SAYS("\x34\0\0\xc0", "\x05", "\x03") "\x09\0\0\0\0\0\0\0\0"),
     false,
     1,
     {"smb.status=name-not-found"}},
    /* what is asked about a file, and data in an answer that goes on in the next segment */
    {BYTES("\0\0\0\x68" ASKS("\x10", "\x04") "\x29\0\x01\x12\xff\xff\0\0" ZEROS_32),
     false,
     0,
     {"smb.command=query-info", "smb.class=all"}},
    {BYTES("\0\0\0\xff" SAYS(OK, "\x10", "\x04") "\x09\0\x48\0\xb7\0\0\0 what is known"),
     false,
     1,
     {"smb.command=query-info", "smb.size=128..191"}},
};

static const wire_message old[] = {
    {BYTES("\0\0\0\x2f" HEAD_1("\x72", OK, "\x18") "\0\x0c\0\x02NT LM 0.12\0"),
     false,
     0,
     {"smb.kind=smb1", "smb.command-1=negotiate", "smb.body=0", "smb.dialect-1=NT LM 0.12"}},
    {BYTES("\0\0\0\x45" HEAD_1("\x72", OK, "\x98") "\x11\0\0\x0f" ZEROS_16
                                                   "\xfc\xe3\x01\x80" ZEROS_8 "\0\0\0\0\0"),
     false,
     1,
     {"smb.body=16..19", "smb.security=15", "smb.capabilities=nt-4"}},
    {BYTES("\0\0\0\x44" HEAD_1("\x32", OK, "\x18") "\x0f" ZEROS_16 ZEROS_8 ZEROS_4
                                                   "\x0e\0\x03\0abc"),
     false,
     0,
     {"smb.command-1=trans2", "smb.sub=session-setup"}},
    {BYTES("\0\0\0\x44" HEAD_1("\x25", OK, "\x18") "\x10" ZEROS_16 ZEROS_8 ZEROS_4
                                                   "\x26\0\x01\x40\0\0x"),
     false,
     0,
     {"smb.command-1=trans", "smb.sub=pipe-transact"}},
};

static void messages_come_back_whole_cut_and_damaged(void **state)
{
    (void)state;
    all_come_back(stream, WSPI_COUNT(stream));
    all_come_back(session, WSPI_COUNT(session));
    all_come_back(old, WSPI_COUNT(old));
}

static void numbers_signatures_and_hosts_are_hidden(void **state)
{
    (void)state;
    assert_hidden(&stream[0], 52, 16);           /* a signature */
    assert_hidden(&session[0], 80, 16);          /* who the client is */
    assert_hidden(&session[4], 4 + 64 + 12, 1);  /* a host */
    assert_hidden(&session[9], 4 + 64 + 12, 10); /* what a file has */
}

static void what_is_no_message_is_not_taken(void **state)
{
    static const wire_message others[] = {
        {BYTES("\0\0\0\x44 no message of SMB"), false, 0, {NULL}},
        {BYTES("\x85\0\0\x01x"), false, 0, {NULL}},
        {BYTES("\xfeSMB"), false, 0, {NULL}},
    };
    wire w;

    (void)state;
    wire_open(&w);
    for (size_t i = 0; i < WSPI_COUNT(others); i++) {
        wire_again(&w);
        put_message(&w, &others[i], others[i].bytes, others[i].len);
        assert_int_not_equal(w.enc->app.id[0], WSPI_APP_SMB);
    }
    wire_close(&w);
}

#define FLOW_OF(dir, from, to)                                                            \
    dir " first", dir " gap=0", "stack=eth/ipv4/tcp", "tcp.sport=" from, "tcp.dport=" to, \
        "tcp.flags=PA"

/* What tells a number is told: the tokens of samples are those that are read again. */
static void sampled_sessions_are_sessions(void **state)
{
    static const char *const asks[] = {FLOW_OF("c2s", "dynamic", "445"), "len=160..167",
                                       "smb.kind=smb2", NULL};
    static const char *const answers[] = {FLOW_OF("s2c", "445", "dynamic"), "len=160..167", NULL};
    static const char *const starts[] = {"negotiate", "session-setup", "session-setup",
                                         "tree-connect", "create"};
    size_t ended = 0, wrote = 0, refused = 0;
    bool over;
    wspi_rng r;
    wire w;

    (void)state;
    wspi_rng_seed(&r, 14);
    wire_open(&w);
    for (uint64_t flow = 0; flow < 30; flow++) {
        wsp_filler fill = filler_of(flow);
        wire_again(&w);
        over = false;
        for (size_t k = 0; k < 24 && !over; k++) {
            char name[64];
            sample(&w, &fill, asks, 0, WSPI_APP_SMB, &r);
            assert_true(w.same);
            if (k < WSPI_COUNT(starts)) {
                (void)snprintf(name, sizeof name, "smb.command=%s", starts[k]);
                assert_named(&w, name);
            }
            wrote += strstr(w.names, "smb.command=write") != NULL;
            over = strstr(w.names, "smb.command=logoff") != NULL;
            ended += over;
            assert_true(may_speak(&w, &fill, 1));
            sample(&w, &fill, answers, 1, WSPI_APP_SMB, &r);
            assert_true(w.same);
            refused += strstr(w.names, "smb.status=access-denied") ||
                       strstr(w.names, "smb.status=name-not-found");
        }
    }
    assert_true(ended > 3 && wrote > 3 && refused > 3);
    wire_close(&w);
}

/* A session that SMB1 begins, by the packets of TCP before it, or that was there before the capture. */
static void open_connection(wire *w, const wsp_filler *fill, wspi_rng *r)
{
    static const char *const syn[] = {"c2s first",
                                      "stack=eth/ipv4/tcp",
                                      "tcp.sport=dynamic",
                                      "tcp.dport=445",
                                      "tcp.flags=S",
                                      "len=0",
                                      "end",
                                      NULL};
    static const char *const answer[] = {
        "s2c first", "s2c gap=0", "stack=eth/ipv4/tcp", "tcp.flags=SA", "len=0", "end", NULL};
    static const char *const ack[] = {
        "c2s gap=0", "stack=eth/ipv4/tcp", "tcp.flags=A", "len=0", "end", NULL};

    sample(w, fill, syn, 0, 0, r);
    sample(w, fill, answer, 1, 0, r);
    sample(w, fill, ack, 0, 0, r);
}

/* Tokens that samples of SMB1 have, one by one. */
static const char *const of_smb1[] = {"smb.command-1=negotiate",
                                      "smb.command-1=session-setup",
                                      "smb.command-1=tree-connect",
                                      "smb.command-1=nt-create",
                                      "smb.command-1=read",
                                      "smb.command-1=write",
                                      "smb.command-1=close",
                                      "smb.command-1=echo",
                                      "smb.command-1=tree-disconnect",
                                      "smb.command-1=logoff",
                                      "smb.dialect-1=LANMAN2.1",
                                      "smb.body=3",
                                      "smb.body=7",
                                      "smb.capabilities=nt-11",
                                      "smb.capabilities=nt-7",
                                      "smb.token=init-ntlm",
                                      "smb.token=answer-challenge",
                                      "smb.token=answer-authenticate",
                                      "smb.status=more-processing",
                                      "smb.status=access-denied",
                                      "smb.message=changed",
                                      "smb.tree=changed",
                                      "smb.session=changed"};

static void sampled_sessions_of_smb1_are_sessions(void **state)
{
    static const char *const asks[] = {FLOW_OF("c2s", "dynamic", "445"), "len=160..167",
                                       "smb.kind=smb1", NULL};
    static const char *const answers[] = {FLOW_OF("s2c", "445", "dynamic"), "len=160..167", NULL};
    bool seen[WSPI_COUNT(of_smb1)] = {false}, over;
    size_t ended = 0;
    wspi_rng r;
    wire w;

    (void)state;
    wspi_rng_seed(&r, 15);
    wire_open(&w);
    for (uint64_t flow = 0; flow < 160; flow++) {
        wsp_filler fill = filler_of(flow);
        wire_again(&w);
        if (flow % 2)
            open_connection(&w, &fill, &r);
        over = false;
        for (size_t k = 0; k < 40 && !over; k++) {
            sample(&w, &fill, k % 2 ? answers : asks, (int)(k % 2), WSPI_APP_SMB, &r);
            if (flow % 2 && k == 0)
                assert_named(&w, "smb.command-1=negotiate");
            if (k == 0)
                assert_named(&w, "smb.flags-1=changed");
            assert_true(w.same);
            for (size_t i = 0; i < WSPI_COUNT(of_smb1); i++)
                seen[i] |= strstr(w.names, of_smb1[i]) != NULL;
            over = k % 2 && strstr(w.names, "=logoff");
        }
        ended += over;
    }
    assert_true(ended > 3);
    for (size_t i = 0; i < WSPI_COUNT(of_smb1); i++) {
        if (!seen[i])
            print_message("never: %s\n", of_smb1[i]);
        assert_true(seen[i]);
    }
    wire_close(&w);
}

/* What a list of dialects has of SMB2 may be taken, and then the client negotiates again. */
static void sampled_sessions_go_on_with_smb2(void **state)
{
    static const char *const asks[] = {FLOW_OF("c2s", "dynamic", "445"),
                                       "len=160..167",
                                       "smb.kind=smb1",
                                       "smb.command-1=negotiate",
                                       "smb.dialect-1=NT LM 0.12",
                                       "smb.dialect-1=SMB 2.\?\?\?",
                                       NULL};
    static const char *const answers[] = {FLOW_OF("s2c", "445", "dynamic"), "len=160..167",
                                          "smb.kind=smb2", NULL};
    wspi_rng r;
    wire w;

    (void)state;
    wspi_rng_seed(&r, 16);
    wire_open(&w);
    for (uint64_t flow = 0; flow < 20; flow++) {
        wsp_filler fill = filler_of(flow);
        wire_again(&w);
        sample(&w, &fill, asks, 0, WSPI_APP_SMB, &r);
        assert_named(&w, "smb.dialect-1=SMB 2.\?\?\?");
        sample(&w, &fill, answers, 1, WSPI_APP_SMB, &r);
        assert_named(&w, "smb.kind=smb2");
        assert_named(&w, "smb.dialect=2.?");
        assert_true(w.same);
        sample(&w, &fill, asks, 0, WSPI_APP_SMB, &r);
        assert_named(&w, "smb.kind=smb2");
        assert_named(&w, "smb.command=negotiate");
        assert_true(w.same);
        sample(&w, &fill, answers, 1, WSPI_APP_SMB, &r);
        assert_true(w.same);
        sample(&w, &fill, asks, 0, WSPI_APP_SMB, &r);
        assert_named(&w, "smb.command=session-setup");
        assert_true(w.same);
    }
    wire_close(&w);
}

/* On the port of NetBIOS a session is asked for, by names, before it has messages. */
static void sampled_sessions_of_netbios_are_asked_for(void **state)
{
    static const char *const asks[] = {FLOW_OF("c2s", "dynamic", "139"), "len=160..167", NULL};
    static const char *const answers[] = {FLOW_OF("s2c", "139", "dynamic"), "len=160..167", NULL};

    (void)state;
    sample_flows(asks, answers, WSPI_APP_SMB);
    sample_has(asks, answers, WSPI_APP_SMB, "smb.type=request", "smb.type=positive");
}

/* The connection ends behind an answer, not with the question. */
static void a_request_is_answered_before_the_end(void **state)
{
    static const char *const asks[] = {FLOW_OF("c2s", "dynamic", "445"), "len=160..167", NULL};
    static const char *const answers[] = {FLOW_OF("s2c", "445", "dynamic"), "len=160..167", NULL};
    wsp_filler fill = filler_of(1);
    wspi_rng r;
    wire w;

    (void)state;
    wspi_rng_seed(&r, 1);
    wire_open(&w);
    for (int k = 0; k < 3; k++) {
        sample(&w, &fill, asks, 0, WSPI_APP_SMB, &r);
        assert_false(wspi_app_may_end(w.enc));
        assert_false(wspi_app_ends_with(w.enc, 0));
        sample(&w, &fill, answers, 1, WSPI_APP_SMB, &r);
        assert_true(wspi_app_may_end(w.enc));
    }
    w.enc->sent[1] |= WSPI_TH_FIN;
    assert_false(wspi_app_may_speak(w.enc, 0));
    wire_close(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(messages_come_back_whole_cut_and_damaged),
        cmocka_unit_test(numbers_signatures_and_hosts_are_hidden),
        cmocka_unit_test(what_is_no_message_is_not_taken),
        cmocka_unit_test(sampled_sessions_are_sessions),
        cmocka_unit_test(sampled_sessions_of_smb1_are_sessions),
        cmocka_unit_test(sampled_sessions_go_on_with_smb2),
        cmocka_unit_test(sampled_sessions_of_netbios_are_asked_for),
        cmocka_unit_test(a_request_is_answered_before_the_end),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
