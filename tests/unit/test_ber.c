/* SPDX-License-Identifier: Apache-2.0 */
/* test_ber.c: protocols in BER: round trips, tokens, forms of lengths, what stays hidden, samples. */
#include "tests/unit/wire.h"

#include "token/app/ber.h"

/* sysDescr.0 and sysUpTime.0 */
#define DESCR  "\x06\x08\x2b\x06\x01\x02\x01\x01\x01\x00"
#define UPTIME "\x06\x08\x2b\x06\x01\x02\x01\x01\x03\x00"
#define GET                                                                                      \
    "\x30\x26\x02\x01\x01\x04\x06public\xa0\x19\x02\x01\x2a\x02\x01\x00\x02\x01\x00\x30\x0e\x30" \
    "\x0c" DESCR "\x05\x00"
#define ANSWER                                                                                   \
    "\x30\x2b\x02\x01\x01\x04\x06public\xa2\x1e\x02\x01\x2a\x02\x01\x00\x02\x01\x00\x30\x13\x30" \
    "\x11" DESCR "\x04\x05modem"

static const wire_message snmp[] = {
    {BYTES(GET),
     true,
     0,
     {"app=snmp", "snmp.version=2c", "snmp.community=6..7", "snmp.pdu=get", "snmp.element=binding",
      "snmp.object=sysDescr", "snmp.type=null"}},
    {BYTES(ANSWER), true, 1, {"snmp.pdu=response", "snmp.type=octets", "snmp.length=4..5"}},
    /* two bindings, an error, a value that is not null */
    {BYTES("\x30\x36\x02\x01\x01\x04\x06public\xa0\x29\x02\x01\x2b\x02\x01\x05\x02\x01\x02\x30\x1e"
           "\x30\x0c" DESCR "\x05\x00\x30\x0e" UPTIME "\x43\x02\x01\x00"),
     true,
     0,
     {"snmp.status=gen-err", "snmp.index=2..3", "snmp.object=sysUpTime", "snmp.type=ticks"}},
    /* lengths of three octets, then an integer that is longer than it need be */
    {BYTES("\x30\x82\x00\x2c\x02\x01\x01\x04\x06public\xa0\x82\x00\x1d\x02\x01\x2c\x02\x01\x00\x02"
           "\x01\x00\x30\x82\x00\x10\x30\x82\x00\x0c" DESCR "\x05\x00"),
     true,
     0,
     {"snmp.form=three", "snmp.object=sysDescr"}},
    {BYTES("\x30\x29\x02\x01\x01\x04\x06public\xa0\x1c\x02\x04\x00\x00\x00\x2d\x02\x01\x00\x02"
           "\x01\x00\x30\x0e\x30\x0c" DESCR "\x05\x00"),
     true,
     0,
     {"snmp.form=mixed", "snmp.object=sysDescr"}},
    {BYTES("\x30\x2a\x02\x01\x00\x04\x06public\xa4\x1d\x06\x06\x2b\x06\x01\x04\x01\x09\x40\x04\x0a"
           "\x00\x00\x01\x02\x01\x03\x02\x01\x00\x43\x01\x07\x30\x04\x30\x02\x05\x00"),
     true,
     0,
     {"snmp.version=1", "snmp.pdu=trap-v1", "snmp.object=cisco", "snmp.generic=link-up",
      "snmp.element=name"}},
    {BYTES("\x30\x3e\x02\x01\x03\x30\x11\x02\x04\x0a\x0b\x0c\x0d\x02\x03\x00\xff\xe3\x04\x01\x04"
           "\x02\x01\x03\x04\x10\x30\x0e\x04\x00\x02\x01\x00\x02\x01\x00\x04\x00\x04\x00\x04\x00"
           "\x30\x14\x04\x00\x04\x00\xa0\x0e\x02\x04\x01\x02\x03\x04\x02\x01\x00\x02\x01\x00\x30"
           "\x00"),
     true,
     0,
     {"snmp.version=3", "snmp.security=report", "snmp.scoped=plain", "snmp.pdu=get"}},
    {BYTES("\x30\x44\x02\x01\x03\x30\x11\x02\x04\x0a\x0b\x0c\x0d\x02\x03\x00\xff\xe3\x04\x01\x03"
           "\x02\x01\x03\x04\x1a\x30\x18\x04\x05\x80\x00\x00\x00\x01\x02\x01\x01\x02\x01\x07\x04"
           "\x01u\x04\x02\x01\x02\x04\x02\x03\x04\x04\x10"
           "0123456789abcdef"),
     true,
     1,
     {"snmp.security=auth-priv", "snmp.scoped=encrypted", "snmp.length=16..23"}},
    {BYTES(GET), true, 0, {"snmp.version=2c"}},
};

static const wire_message ldap[] = {
    {BYTES("0%\x02\x01\x01` \x02\x01\x03\x04\x13"
           "cn=admin,dc=example\x80\x06secret"),
     false,
     0,
     {"app=ldap", "ldap.operation=bind", "ldap.authentication=simple", "ldap.name=16..23",
      "ldap.name=6..7"}},
    {BYTES("0\x0c\x02\x01\x01"
           "a\x07\x0a\x01\x00\x04\x00\x04\x00"),
     false,
     1,
     {"ldap.operation=bind-response", "ldap.result=success"}},
    {BYTES("0\x81\x94\x02\x01\x02"
           "cj\x04\x0a"
           "dc=example\x0a\x01\x02\x0a\x01\x00\x02\x01\x00\x02\x01\x05\x01\x01\x00\xa0"
           "A\xa3\x15\x04\x0bobjectClass\x04\x06person\xa1\x18\x87\x04mail\xa2\x10\xa3\x0e\x04\x08s"
           "hoeSize\x04\x02"
           "44\xa5\x0e\x04\x09uidNumber\x04\x01"
           "90\x0a\x04\x02"
           "cn\x04\x04mail\xa0#0!\x04\x16"
           "1.2.840.113556.1.4.319\x04\x07"
           "0\x05\x02\x01\x09\x04\x00"),
     false,
     0,
     {"ldap.operation=search", "ldap.scope=subtree", "ldap.time_limit=4..7", "ldap.filter=not",
      "ldap.element=nested-end", "ldap.attribute=other", "ldap.object=1.2.840.113556.1.4.319",
      "ldap.attribute=uidNumber"}},
    /* two messages in a segment, with the long lengths of Windows; the first one in two segments */
    {BYTES("0\x84\x00\x00\x00"
           "3\x02\x01\x02"
           "d\x84\x00\x00\x00*\x04\x0f"
           "cn=a,dc=example0\x84\x00\x00\x00\x13"
           "0\x84\x00\x00\x00\x0d\x04\x02"
           "cn1\x84\x00\x00\x00\x03\x04\x01"
           "a0\x84\x00\x00\x00\x10\x02\x01\x02"
           "e\x84\x00\x00\x00\x07\x0a\x01\x00\x04\x00\x04\x00"),
     false,
     1,
     {"ldap.form=five", "ldap.operation=entry", "ldap.attribute=cn", "ldap.operation=search-done"}},
    {BYTES("0\x84\x00\x00\x00"
           "3\x02\x01\x02"
           "d\x84\x00\x00\x00*\x04\x0f"
           "cn=a,dc=example0\x84\x00\x00\x00\x13"
           "0\x84"),
     false,
     1,
     {"ldap.form=part", "ldap.length=48..63", "ldap.operation=entry"}},
    {BYTES("\x00\x00\x00\x0d\x04\x02"
           "cn1\x84\x00\x00\x00\x03\x04\x01"
           "a0\x84\x00\x00\x00\x10\x02\x01\x02"
           "e\x84\x00\x00\x00\x07\x0a\x01\x00\x04\x00\x04\x00"),
     false,
     1,
     {"ldap.operation=search-done"}},
    {BYTES("0\x1d\x02\x01\x04w\x18\x80\x16"
           "1.3.6.1.4.1.1466.20037"),
     false,
     0,
     {"ldap.operation=extended", "ldap.object=1.3.6.1.4.1.1466.20037"}},
    {BYTES("0+\x02\x01\x04x&\x0a\x01\x02\x04\x00\x04\x07unknown\x8a\x16"
           "1.3.6.1.4.1.1466.20037"),
     false,
     1,
     {"ldap.result=protocol-error", "ldap.diagnostic=6..7", "ldap.element=reply-name"}},
    {BYTES("0\x1d\x02\x01\x06"
           "f\x18\x04\x04"
           "cn=a0\x10"
           "0\x0e\x0a\x01\x02"
           "0\x09\x04\x02"
           "cn1\x03\x04\x01"
           "b"),
     false,
     0,
     {"ldap.operation=modify", "ldap.element=object-end"}},
    {BYTES("0\x22\x02\x01\x05`\x1d\x02\x01\x03\x04\x00\xa3\x16\x04\x0aGSS-SPNEGO\x04\x08NTLMSSP!"),
     false,
     0,
     {"ldap.authentication=sasl", "ldap.mechanism=GSS-SPNEGO", "ldap.element=credentials"}},
    {BYTES("\x00\x00\x00\x10\x05\x04\x06\xff"
           "0123456789ab\x00\x00\x00\x1c\x05\x04\x06\xff"
           "abcdef"),
     false,
     0,
     {"ldap.element=sealed", "ldap.length=16..23", "ldap.length=24..31"}},
    {BYTES("ghijklmnopqrstuvwx\x00\x00\x00\x05`bcde"),
     false,
     0,
     {"ldap.element=sealed", "ldap.length=4..5"}},
    {BYTES("0\x05\x02\x01\x03"
           "B\x00"),
     false,
     0,
     {"ldap.operation=unbind"}},
};

static void ldap_comes_back_whole_cut_and_damaged(void **state)
{
    (void)state;
    all_come_back(ldap, WSPI_COUNT(ldap));
}

static const wire_message kerberos[] = {
    {BYTES("j\x81\x95"
           "0\x81\x92\xa1\x03\x02\x01\x05\xa2\x03\x02\x01\x0a\xa3\x15"
           "0\x13"
           "0\x11\xa1\x04\x02\x02\x00\x80\xa2\x09\x04\x07"
           "0\x05\xa0\x03\x01\x01\xff\xa4o0m\xa0\x07\x03\x05\x00@\x81\x00\x10\xa1\x12"
           "0\x10\xa0\x03\x02\x01\x01\xa1\x09"
           "0\x07\x1b\x05"
           "alice\xa2\x08\x1b\x06"
           "EX.ORG\xa3\x1b"
           "0\x19\xa0\x03\x02\x01\x02\xa1\x12"
           "0\x10\x1b\x06krbtgt\x1b\x06"
           "EX.ORG\xa5\x11\x18\x0f"
           "20370913024805Z\xa7\x06\x02\x04\x12"
           "4Vx\xa8\x0c"
           "0\x0a\x02\x01\x12\x02\x01\x11\x02\x02\xff{"),
     true,
     0,
     {"app=kerberos", "kerberos.message=as-req", "kerberos.padata=pac-request",
      "kerberos.options=usual", "kerberos.name_type=principal", "kerberos.etype=aes256",
      "kerberos.etype=rc4-old"}},
    {BYTES("~Y0W\xa0\x03\x02\x01\x05\xa1\x03\x02\x01\x1e\xa4\x11\x18\x0f"
           "20370913024805Z\xa5\x04\x02\x02\x01\x02\xa6\x03\x02\x01\x19\xa9\x08\x1b\x06"
           "EX.ORG\xaa\x1b"
           "0\x19\xa0\x03\x02\x01\x02\xa1\x12"
           "0\x10\x1b\x06krbtgt\x1b\x06"
           "EX.ORG\xac\x06\x04\x04"
           "data"),
     true,
     1,
     {"kerberos.message=error", "kerberos.error=preauth-required", "kerberos.element=data"}},
    {BYTES("k\x81\x91"
           "0\x81\x8e\xa0\x03\x02\x01\x05\xa1\x03\x02\x01\x0b\xa3\x08\x1b\x06"
           "EX.ORG\xa4\x12"
           "0\x10\xa0\x03\x02\x01\x01\xa1\x09"
           "0\x07\x1b\x05"
           "alice\xa5LaJ0H\xa0\x03\x02\x01\x05\xa1\x08\x1b\x06"
           "EX.ORG\xa2\x1b"
           "0\x19\xa0\x03\x02\x01\x02\xa1\x12"
           "0\x10\x1b\x06krbtgt\x1b\x06"
           "EX.ORG\xa3\x1a"
           "0\x18\xa0\x03\x02\x01\x12\xa1\x03\x02\x01\x02\xa2\x0c\x04\x0a"
           "0123456789\xa6\x16"
           "0\x14\xa0\x03\x02\x01\x12\xa1\x03\x02\x01\x02\xa2\x08\x04\x06"
           "abcdef"),
     true,
     1,
     {"kerberos.message=as-rep", "kerberos.etype=aes256", "kerberos.key_version=2..3",
      "kerberos.length=8..11"}},
    {BYTES("~&0$\xa0\x03\x02\x01\x05\xa1\x03\x02\x01\x1f\xa4\x13\x18\x11"
           "20370913024805.1Z\xa5\x03\x02\x01\x01"),
     true,
     1,
     {"kerberos.message=error", "kerberos.type=16..31", "kerberos.element=stime"}},
};
/* The second one in two segments. */
static const wire_message kerberos_stream[] = {
    {BYTES("\x00\x00\x00\x98j\x81\x95"
           "0\x81\x92\xa1\x03\x02\x01\x05\xa2\x03\x02\x01\x0a\xa3\x15"
           "0\x13"
           "0\x11\xa1\x04\x02\x02\x00\x80\xa2\x09\x04\x07"
           "0\x05\xa0\x03\x01\x01\xff\xa4o0m\xa0\x07\x03\x05\x00@\x81\x00\x10\xa1\x12"
           "0\x10\xa0\x03\x02\x01\x01\xa1\x09"
           "0\x07\x1b\x05"
           "alice\xa2\x08\x1b\x06"
           "EX.ORG\xa3\x1b"
           "0\x19\xa0\x03\x02\x01\x02\xa1\x12"
           "0\x10\x1b\x06krbtgt\x1b\x06"
           "EX.ORG\xa5\x11\x18\x0f"
           "20370913024805Z\xa7\x06\x02\x04\x12"
           "4Vx\xa8\x0c"
           "0\x0a\x02\x01\x12\x02\x01\x11\x02\x02\xff{"),
     false,
     0,
     {"app=kerberos", "kerberos.message=as-req"}},
    {BYTES("\x00\x00\x00\x94k\x81\x91"
           "0\x81\x8e\xa0\x03\x02\x01\x05\xa1\x03\x02\x01\x0b\xa3\x08\x1b\x06"
           "EX.ORG\xa4\x12"
           "0\x10\xa0\x03\x02\x01\x01\xa1\x09"
           "0\x07\x1b\x05"
           "alice\xa5LaJ0H\xa0\x03\x02\x01"),
     false,
     1,
     {"kerberos.form=part", "kerberos.message=as-rep"}},
    {BYTES("\x05\xa1\x08\x1b\x06"
           "EX.ORG\xa2\x1b"
           "0\x19\xa0\x03\x02\x01\x02\xa1\x12"
           "0\x10\x1b\x06krbtgt\x1b\x06"
           "EX.ORG\xa3\x1a"
           "0\x18\xa0\x03\x02\x01\x12\xa1\x03\x02\x01\x02\xa2\x0c\x04\x0a"
           "0123456789\xa6\x16"
           "0\x14\xa0\x03\x02\x01\x12\xa1\x03\x02\x01\x02\xa2\x08\x04\x06"
           "abcdef"),
     false,
     1,
     {0}},
    {BYTES("\x00\x00\x00[~Y0W\xa0\x03\x02\x01\x05\xa1\x03\x02\x01\x1e\xa4\x11\x18\x0f"
           "20370913024805Z\xa5\x04\x02\x02\x01\x02\xa6\x03\x02\x01\x19\xa9\x08\x1b\x06"
           "EX.ORG\xaa\x1b"
           "0\x19\xa0\x03\x02\x01\x02\xa1\x12"
           "0\x10\x1b\x06krbtgt\x1b\x06"
           "EX.ORG\xac\x06\x04\x04"
           "data"),
     false,
     1,
     {"kerberos.message=error"}},
};

static void kerberos_comes_back_whole_cut_and_damaged(void **state)
{
    (void)state;
    all_come_back(kerberos, WSPI_COUNT(kerberos));
}

static void kerberos_in_a_stream_comes_back_whole_cut_and_damaged(void **state)
{
    (void)state;
    all_come_back(kerberos_stream, WSPI_COUNT(kerberos_stream));
}

static void snmp_comes_back_whole_cut_and_damaged(void **state)
{
    (void)state;
    all_come_back(snmp, WSPI_COUNT(snmp));
}

/* What is not as the tables have it costs its own sequence, not the message. */
static void an_odd_element_makes_its_sequence_opaque(void **state)
{
    static const wire_message odd[] = {
        {BYTES("\x30\x26\x02\x01\x01\x04\x06public\xa0\x19\x02\x01\x2a\x04\x01\x00\x02\x01\x00\x30"
               "\x0e\x30\x0c" DESCR "\x05\x00"),
         true,
         0,
         {"app=snmp", "snmp.pdu=get", "snmp.element=status", "snmp.length=16..23"}},
        {BYTES("\x30\x28\x02\x01\x01\x04\x06public\xa0\x1b\x02\x01\x2a\x02\x01\x00\x02\x01\x00\x30"
               "\x10\x30\x0e" DESCR "\x05\x00\x05\x00"),
         true,
         0,
         {"snmp.element=binding", "snmp.type=null", "snmp.element=binding-end", "snmp.length=2"}},
        {BYTES("\x30\x26\x02\x01\x01\x04\x06public\xbd\x19\x02\x01\x2a\x02\x01\x00\x02\x01\x00\x30"
               "\x0e\x30\x0c" DESCR "\x05\x00"),
         true,
         0,
         {"snmp.pdu=other", "snmp.length=24..31"}},
    };

    (void)state;
    all_come_back(odd, WSPI_COUNT(odd));
}

static void what_is_as_predicted_is_not_told(void **state)
{
    wire w;

    (void)state;
    wire_open(&w);
    put_message(&w, &snmp[0], GET, snmp[0].len);
    put_message(&w, &snmp[1], ANSWER, snmp[1].len);
    assert_null(strstr(w.names, "snmp.request"));
    assert_null(strstr(w.names, "snmp.version"));
    assert_null(strstr(w.names, "snmp.community"));
    assert_null(strstr(w.names, "snmp.status"));
    assert_null(strstr(w.names, "snmp.form"));
    put_message(&w, &snmp[1], ANSWER, snmp[1].len);
    put_message(&w, &snmp[0], GET, snmp[0].len); /* not counted up */
    assert_named(&w, "snmp.request=changed");
    wire_close(&w);
}

static void communities_users_and_values_are_in_no_token(void **state)
{
    (void)state;
    assert_hidden(&snmp[0], 7, 6);        /* community */
    assert_hidden(&snmp[0], 17, 1);       /* request */
    assert_hidden(&snmp[1], 40, 5);       /* value */
    assert_hidden(&snmp[5], 25, 4);       /* agent */
    assert_hidden(&snmp[7], 43, 1);       /* user */
    assert_hidden(&ldap[0], 33, 6);       /* password */
    assert_hidden(&ldap[2], 54, 6);       /* what is looked for */
    assert_hidden(&kerberos[0], 67, 5);   /* client */
    assert_hidden(&kerberos[0], 134, 4);  /* nonce */
    assert_hidden(&kerberos[2], 114, 10); /* ticket */
}

static void sampled_snmp_is_snmp(void **state)
{
    static const char *const asks_for[] = {
        "c2s first",  "c2s gap=0", "stack=eth/ipv4/udp", "udp.sport=dynamic", "udp.dport=161",
        "len=48..49", NULL};
    static const char *const answers_with[] = {
        "s2c first",  "s2c gap=0", "stack=eth/ipv4/udp", "udp.sport=161", "udp.dport=dynamic",
        "len=80..83", NULL};

    (void)state;
    sample_flows(asks_for, answers_with, WSPI_APP_SNMP);
}

/* What is set has a value, an answer has values of any simple type; traps go to their port, each version has its own; version 3. */
static void sampled_snmp_says_what_real_ones_do(void **state)
{
    static const struct {
        const char *port, *version, *pdu, *asked, *answer, *answered;
    } all[] = {
        {"161", "2c", "set", "snmp.type=counter", "snmp.pdu=response", "snmp.type=address"},
        {"161", "1", "get", "snmp.type=null", "snmp.pdu=response", "snmp.type=ticks"},
        {"161", "3", "get", "snmp.security=report", "snmp.pdu=report", "snmp.type=counter"},
        {"161", "2c", "get-next", "snmp.suffix=0", "snmp.pdu=response", "snmp.suffix=1"},
        {"161", "3", "get", "snmp.element=bindings-end", "snmp.pdu=report", "snmp.object=usmStats"},
        {"161", "3", "get", "snmp.element=binding", "snmp.pdu=report", "snmp.type=counter"},
        {"161", "2c", "get", "snmp.element=bindings-end", "snmp.pdu=response",
         "snmp.element=bindings-end"},
        {"162", "1", "trap-v1", "snmp.generic=link-down", "snmp.pdu=response", "snmp.type=gauge"},
        {"162", "2c", "inform", "snmp.type=oid", "snmp.pdu=response", "snmp.type=ticks"},
        {"162", "2c", "trap", "snmp.type=oid", "snmp.pdu=response", "snmp.type=ticks"},
    };

    (void)state;
    for (size_t i = 0; i < WSPI_COUNT(all); i++) {
        char dport[16], sport[16], version[24], pdu[24];
        const char *const asks_for[] = {"c2s first",
                                        "c2s gap=0",
                                        "stack=eth/ipv4/udp",
                                        "udp.sport=dynamic",
                                        dport,
                                        version,
                                        pdu,
                                        all[i].asked,
                                        "snmp.element=binding",
                                        "snmp.object=mib2",
                                        "len=80..83",
                                        NULL};
        const char *const answers_with[] = {"s2c first",
                                            "s2c gap=0",
                                            "stack=eth/ipv4/udp",
                                            sport,
                                            "udp.dport=dynamic",
                                            all[i].answered,
                                            all[i].answer,
                                            "snmp.element=binding",
                                            "snmp.object=mib2",
                                            "len=80..83",
                                            NULL};

        (void)snprintf(dport, sizeof dport, "udp.dport=%s", all[i].port);
        (void)snprintf(sport, sizeof sport, "udp.sport=%s", all[i].port);
        (void)snprintf(version, sizeof version, "snmp.version=%s", all[i].version);
        (void)snprintf(pdu, sizeof pdu, "snmp.pdu=%s", all[i].pdu);
        sample_has(asks_for, answers_with, WSPI_APP_SNMP, pdu, all[i].answered);
        sample_has(asks_for, answers_with, WSPI_APP_SNMP, all[i].asked, all[i].answer);
    }
}

static void sampled_ldap_is_ldap(void **state)
{
    static const char *const asks_for[] = {
        "c2s first",     "c2s gap=0",    "stack=eth/ipv4/tcp", "tcp.sport=dynamic",
        "tcp.dport=389", "tcp.flags=PA", "len=80..83",         NULL};
    static const char *const answers_with[] = {
        "s2c first",    "s2c gap=0",         "stack=eth/ipv4/tcp", "tcp.sport=389",
        "tcp.flags=PA", "tcp.dport=dynamic", "len=80..83",         NULL};

    (void)state;
    sample_flows(asks_for, answers_with, WSPI_APP_LDAP);
}

/* Lengths as Windows writes them, filters in filters, longer values; none of what has a structure of its own. */
static void sampled_ldap_asks_as_real_clients_do(void **state)
{
    static const char *const asks_for[] = {"c2s first",          "c2s gap=0",
                                           "stack=eth/ipv4/udp", "udp.sport=dynamic",
                                           "udp.dport=389",      "ldap.form=five",
                                           "ldap.filter=and",    "ldap.attribute=DnsDomain",
                                           "len=80..83",         NULL};
    static const char *const answers_with[] = {
        "s2c first",           "s2c gap=0",         "stack=eth/ipv4/udp",
        "udp.sport=389",       "udp.dport=dynamic", "ldap.operation=entry",
        "ldap.length=96..127", "len=80..83",        NULL};
    static const char *const asked[] = {"ldap.form=five", "ldap.filter=and",
                                        "ldap.element=nested-end", "ldap.attribute=DnsDomain"};

    (void)state;
    for (size_t i = 0; i < WSPI_COUNT(asked); i++)
        sample_has(asks_for, answers_with, WSPI_APP_LDAP, asked[i], "ldap.length=96..127");
    /* what is found and that it is all are in one datagram */
    sample_has(asks_for, answers_with, WSPI_APP_LDAP, "ldap.filter=and",
               "ldap.operation=search-done");
}

/* Elements fill n bytes, and what is constructed. */
static void assert_elements(const uint8_t *b, size_t n)
{
    wspi_ber_head h;

    while (n) {
        assert_true(wspi_ber_peek(b, n, &h) && h.len <= n - 1 - h.width);
        if (h.tag & 0x20)
            assert_elements(b + 1 + h.width, h.len);
        b += 1 + h.width + h.len;
        n -= 1 + h.width + h.len;
    }
}

/* RFC 4514: what is searched and what is found is of one domain. */
static void check_domain(const wire *w, int dir)
{
    static const char end[] = ",dc=example";
    static char domain[32];
    const char *s = (const char *)w->packet->data + w->packet->payload_off, *at = s, *to = NULL;
    size_t n = w->packet->payload_len;

    (void)dir;
    for (; !to && (size_t)(at - s) + 3 < n; at++)
        if (memcmp(at, "dc=", 3) == 0 && (size_t)(at - s) + 21 <= n)
            for (size_t k = 7; k <= 10 && !to; k++)
                to = memcmp(at + k, end, sizeof end - 1) == 0 ? at + k : NULL;
    if (!to) {
        assert_null(strstr(w->names, "ldap.operation=search"));
        assert_null(strstr(w->names, "ldap.operation=entry"));
        return;
    }
    at--;
    if (w->number == 1)
        (void)snprintf(domain, sizeof domain, "%.*s", (int)(to - at), at);
    assert_int_equal(to - at, strlen(domain));
    assert_memory_equal(at, domain, (size_t)(to - at));
}

static void sampled_ldap_is_of_one_domain(void **state)
{
    static const char *const asks_for[] = {"c2s first",
                                           "c2s gap=0",
                                           "stack=eth/ipv4/tcp",
                                           "tcp.sport=dynamic",
                                           "tcp.dport=389",
                                           "tcp.flags=PA",
                                           "ldap.operation=search",
                                           "len=80..83",
                                           NULL};
    static const char *const answers_with[] = {"s2c first",
                                               "s2c gap=0",
                                               "stack=eth/ipv4/tcp",
                                               "tcp.sport=389",
                                               "tcp.flags=PA",
                                               "tcp.dport=dynamic",
                                               "ldap.operation=entry",
                                               "len=80..83",
                                               NULL};

    (void)state;
    sample_exact(60, 2, asks_for, answers_with, WSPI_APP_LDAP, check_domain);
}

static const char *const asks_directory[] = {
    "c2s first",  "c2s gap=0", "stack=eth/ipv4/udp", "udp.sport=dynamic", "udp.dport=389",
    "len=80..83", NULL};
static const char *const directory_answers[] = {
    "s2c first",  "s2c gap=0", "stack=eth/ipv4/udp", "udp.sport=389", "udp.dport=dynamic",
    "len=80..83", NULL};

/* The names of a packet's first tokens, and more. */
static void join(const char *out[24], const char *const *first, const char *const *more)
{
    while (*first)
        *out++ = *first++;
    do
        *out++ = *more;
    while (*more++);
}

/* Values are short here: lengths from 256 on are the same in two forms. */
static void assert_ldap(const wire *w, int dir)
{
    (void)dir;
    assert_elements(w->packet->data + HEADERS_UDP, w->packet->payload_len);
}

static void sampled_ldap_is_whole_and_read_as_drawn(void **state)
{
    static const char *const values[] = {"ldap.length=16..23", NULL};
    const char *asks[24], *answers[24];

    (void)state;
    join(asks, asks_directory, values);
    join(answers, directory_answers, values);
    sample_exact(300, 4, asks, answers, WSPI_APP_LDAP, assert_ldap);
}

/* Clients look for a domain controller with four filters and more, and are told of it. */
static void sampled_ldap_finds_domain_controllers(void **state)
{
    static const char *const controller[] = {"ldap.form=five",
                                             "ldap.filter=and",
                                             "ldap.element=nested",
                                             "ldap.element=nested-rest",
                                             "ldap.attribute=Netlogon",
                                             "ldap.length=32..47",
                                             NULL};
    static const char *const version[] = {"ldap.filter=equal", "ldap.attribute=NtVer", NULL};
    static const char *const answer[] = {"ldap.operation=entry", "ldap.attribute=Netlogon",
                                         "ldap.length=96..127", NULL};
    static const char *const deep[] = {"ldap.filter=or", "ldap.filter=substrings",
                                       "ldap.length=12..15", NULL};
    const char *asks[24], *answers[24];

    (void)state;
    join(asks, asks_directory, controller);
    join(answers, directory_answers, answer);
    for (size_t i = 0; controller[i]; i++)
        sample_has(asks, answers, WSPI_APP_LDAP, controller[i], answer[i % 3]);
    join(asks, asks_directory, version);
    sample_has(asks, answers, WSPI_APP_LDAP, "ldap.attribute=NtVer", "ldap.operation=entry");
    join(asks, asks_directory, deep);
    for (size_t i = 1; deep[i]; i++)
        sample_has(asks, answers, WSPI_APP_LDAP, "ldap.filter=or", answer[i % 3]);
}

static const char *const asks_kdc[] = {
    "c2s first",  "c2s gap=0", "stack=eth/ipv4/udp", "udp.sport=dynamic", "udp.dport=88",
    "len=80..83", NULL};
static const char *const kdc_answers[] = {
    "s2c first",  "s2c gap=0", "stack=eth/ipv4/udp", "udp.sport=88", "udp.dport=dynamic",
    "len=80..83", NULL};

static void sampled_kerberos_is_kerberos(void **state)
{
    (void)state;
    sample_flows(asks_kdc, kdc_answers, WSPI_APP_KERBEROS);
}

static void assert_kerberos(const wire *w, int dir)
{
    const uint8_t *b = w->packet->data + HEADERS_UDP;

    assert_elements(b, w->packet->payload_len);
    assert_true(w->packet->payload_len <= 1472);
    if (dir) /* of what was asked for, or an error */
        assert_true(*b == 0x7e || *b == w->enc->app.v[0][3] + 1);
}

static void sampled_kerberos_is_whole_and_read_as_drawn(void **state)
{
    (void)state;
    sample_exact(200, 4, asks_kdc, kdc_answers, WSPI_APP_KERBEROS, assert_kerberos);
}

/* The element of this tag and of the bytes that end with `end`, from `at` on; NULL: there is none. */
static const uint8_t *find_string(const wire *w, size_t *at, uint8_t tag, const char *end)
{
    const uint8_t *b = w->packet->data + HEADERS_UDP;
    size_t n = w->packet->payload_len, len = strlen(end);

    for (; *at + 2 < n; ++*at) {
        size_t k = *at + 2u + b[*at + 1];
        if (b[*at] == tag && b[*at + 1] < 64 && b[*at + 1] >= len && k <= n &&
            memcmp(b + k - len, end, len) == 0)
            return b + (*at)++;
    }
    return NULL;
}

/* One realm and one host in all messages; times are those of the packets, or the last that is asked for. */
static void assert_same_names(const wire *w, int dir)
{
    static const struct {
        uint8_t tag;
        const char *end;
    } kinds[] = {{0x1b, ".EXAMPLE"}, {0x1b, ".example"}};
    static uint8_t seen[WSPI_COUNT(kinds)][32];
    const uint8_t *s;
    size_t at = 0, found = 0;

    (void)dir;
    if (w->number == 1)
        memset(seen, 0, sizeof seen);
    for (size_t k = 0; k < WSPI_COUNT(kinds); k++)
        for (at = 0; (s = find_string(w, &at, kinds[k].tag, kinds[k].end)); found++) {
            if (!seen[k][1])
                memcpy(seen[k], s, s[1] + 2u);
            assert_memory_equal(s, seen[k], s[1] + 2u);
        }
    assert_true(found > 0);
    for (at = 0; (s = find_string(w, &at, 0x18, "Z"));)
        assert_true(s[1] != 15 || memcmp(s + 2, "1970", 4) == 0 ||
                    memcmp(s + 2, "20370913024805Z", 15) == 0);
}

static void sampled_kerberos_is_of_one_client_and_realm(void **state)
{
    (void)state;
    sample_exact(100, 6, asks_kdc, kdc_answers, WSPI_APP_KERBEROS, assert_same_names);
}

static void sampled_kerberos_has_what_real_messages_have(void **state)
{
    static const char *const asks[][8] = {
        {"kerberos.message=as-req", "kerberos.element=padata", "kerberos.padata=enc-timestamp",
         "kerberos.length=64..95"},
        {"kerberos.message=as-req", "kerberos.element=padata", "kerberos.padata=pac-request",
         "kerberos.element=addresses", "kerberos.length=24..31"},
        {"kerberos.message=tgs-req", "kerberos.padata=tgs-req", "kerberos.length=1024..1535"},
        {"kerberos.message=tgs-req", "kerberos.element=padata-element",
         "kerberos.padata=pac-options", "kerberos.length=8..11"},
        {"kerberos.message=tgs-req", "kerberos.element=authorization", "kerberos.length=128..191"},
        {"kerberos.message=as-req", "kerberos.element=etype", "kerberos.element=etypes-end",
         "kerberos.etype=rc4-exp"},
    };
    static const char *const answers[][8] = {
        {"kerberos.message=error", "kerberos.element=data", "kerberos.length=64..95"},
        {"kerberos.message=as-rep", "kerberos.padata=etype-info2", "kerberos.element=padata"},
        {"kerberos.message=tgs-rep", "kerberos.length=768..1023"},
    };
    static const uint8_t answer_to[] = {0, 1, 2, 2, 0, 0, 0};
    const char *ask[24], *answer[24];

    (void)state;
    for (size_t k = 0; k < WSPI_COUNT(asks); k++) {
        const char *const *other = answers[answer_to[k]];
        join(ask, asks_kdc, asks[k]);
        join(answer, kdc_answers, other);
        for (size_t i = 0; asks[k][i]; i++)
            sample_has(ask, answer, WSPI_APP_KERBEROS, asks[k][i], other[i % 2]);
    }
}

/* The numbers of ciphers that a client has in its request: none is there twice. */
static void assert_distinct_etypes(const uint8_t *b, size_t n)
{
    size_t at = 0;

    while (at + 4 < n && !(b[at] == 0xa8 && b[at + 2] == 0x30 && b[at + 1] == b[at + 3] + 2))
        at++;
    assert_true(at + 4 < n);
    n = at + 4u + b[at + 3];
    for (at += 4; at < n; at += 2u + b[at + 1])
        for (size_t k = at + 2u + b[at + 1]; k < n; k += 2u + b[k + 1])
            assert_false(b[k + 1] == b[at + 1] && memcmp(b + k, b + at, 2u + b[at + 1]) == 0);
}

/* RFC 4120 3.1.3: who has authenticated is told that it failed, not to do it, and the other way round. */
static void sampled_kerberos_refuses_what_was_asked(void **state)
{
    static const struct {
        const char *first, *second, *not ;
    } all[] = {{"kerberos.padata=enc-timestamp", "kerberos.element=padata",
                "kerberos.error=preauth-required"},
               {"kerberos.padata=pac-request", "kerberos.element=padata",
                "kerberos.error=preauth-failed"}};
    char s[64];
    wspi_rng r;
    wire w;

    (void)state;
    wspi_rng_seed(&r, 20);
    wire_open(&w);
    for (size_t i = 0; i < WSPI_COUNT(all); i++)
        for (uint64_t flow = 0; flow < 20; flow++) {
            const char *const more[] = {"kerberos.message=as-req",
                                        all[i].first,
                                        all[i].second,
                                        "kerberos.etype=rc4-exp",
                                        "kerberos.element=etype",
                                        NULL},
                              *const refused[] = {"kerberos.message=error", all[i].not, NULL};
            const char *asks_for[24], *answers_with[24];
            wsp_filler fill = filler_of(flow);

            join(asks_for, asks_kdc, more);
            join(answers_with, kdc_answers, refused);
            wire_again(&w);
            sample(&w, &fill, asks_for, 0, WSPI_APP_KERBEROS, &r);
            assert_named(&w, all[i].first);
            assert_distinct_etypes(w.packet->data + w.packet->payload_off, w.packet->payload_len);
            sample(&w, &fill, answers_with, 1, WSPI_APP_KERBEROS, &r);
            assert_named(&w, "kerberos.message=error");
            (void)snprintf(s, sizeof s, " %s ", all[i].not );
            assert_null(strstr(w.names, s));
        }
    wire_close(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(snmp_comes_back_whole_cut_and_damaged),
        cmocka_unit_test(ldap_comes_back_whole_cut_and_damaged),
        cmocka_unit_test(kerberos_comes_back_whole_cut_and_damaged),
        cmocka_unit_test(kerberos_in_a_stream_comes_back_whole_cut_and_damaged),
        cmocka_unit_test(an_odd_element_makes_its_sequence_opaque),
        cmocka_unit_test(what_is_as_predicted_is_not_told),
        cmocka_unit_test(communities_users_and_values_are_in_no_token),
        cmocka_unit_test(sampled_snmp_is_snmp),
        cmocka_unit_test(sampled_snmp_says_what_real_ones_do),
        cmocka_unit_test(sampled_ldap_is_ldap),
        cmocka_unit_test(sampled_ldap_asks_as_real_clients_do),
        cmocka_unit_test(sampled_ldap_is_of_one_domain),
        cmocka_unit_test(sampled_ldap_is_whole_and_read_as_drawn),
        cmocka_unit_test(sampled_ldap_finds_domain_controllers),
        cmocka_unit_test(sampled_kerberos_is_kerberos),
        cmocka_unit_test(sampled_kerberos_is_whole_and_read_as_drawn),
        cmocka_unit_test(sampled_kerberos_is_of_one_client_and_realm),
        cmocka_unit_test(sampled_kerberos_has_what_real_messages_have),
        cmocka_unit_test(sampled_kerberos_refuses_what_was_asked),
    };

    (void)wsp_vocab_size();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
