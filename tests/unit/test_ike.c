/* SPDX-License-Identifier: Apache-2.0 */
/* test_ike.c: IKE of both versions and ESP in UDP: round trips, tokens, what stays hidden, samples. */
#include "tests/unit/wire.h"

enum { PORT = 500, NAT_PORT = 4500 };

#define I      "\x11\x22\x33\x44\x55\x66\x77\x88"
#define R      "\x99\xaa\xbb\xcc\xdd\xee\xff\x01"
#define ZERO8  "\0\0\0\0\0\0\0\0"
#define NONCE  "0123456789abcdef"
#define HASH20 "0123456789abcdefghij"
#define PUBLIC NONCE NONCE

#define T2(last, type, id) last "\0\0\x08" type "\0\0" id
#define AES(last, bits)    last "\0\0\x0c\x01\0\0\x0c\x80\x0e" bits
/* Two proposals, the second with the pseudorandom functions and groups of the first. */
#define PRFS         T2("\3", "\2", "\5") T2("\3", "\2", "\2")
#define GROUPS       T2("\3", "\4", "\x1f") T2("\0", "\4", "\x0e")
#define P1           "\2\0\0\x3c\1\1\0\6" AES("\3", "\1\0") PRFS T2("\3", "\3", "\x0c") GROUPS
#define P2           "\0\0\0\x34\2\1\0\5" AES("\3", "\0\x80") PRFS GROUPS
#define SA2          "\x22\0\0\x74" P1 P2
#define KE2          "\x28\0\0\x28\0\x1f\0\0" PUBLIC
#define NO2(next)    next "\0\0\x14" NONCE
#define NAT(next, n) next "\0\0\x1c\0\0\x40" n HASH20
#define INIT_REST    KE2 NO2("\x29") NAT("\x29", "\4") NAT("\x2b", "\5") "\0\0\0\x14" STRONGSWAN
#define STRONGSWAN   "\x88\x2f\xe5\x6d\x6f\xd2\x0d\xbc\x22\x51\x61\x3b\x2e\xbe\x5b\xeb"

/* Request 28 + 116 + 40 + 20 + 28 + 28 + 20 = 280. */
#define INIT   I ZERO8 "\x21\x20\x22\x08\0\0\0\0\0\0\x01\x18" SA2 INIT_REST
#define COOKIE I ZERO8 "\x29\x20\x22\x20\0\0\0\0\0\0\0\x38\0\0\0\x1c\0\0\x40\6" HASH20
/* The same offer behind the cookie: 308. */
#define AGAIN \
    I ZERO8 "\x29\x20\x22\x08\0\0\0\0\0\0\x01\x34\x21\0\0\x1c\0\0\x40\6" HASH20 SA2 INIT_REST
#define CHOSEN \
    "\x22\0\0\x28\0\0\0\x24\2\1\0\3" AES("\3", "\0\x80") T2("\3", "\2", "\5") T2("\0", "\4", "\x1f")
#define ANSWER               I R "\x21\x20\x22\x20\0\0\0\0\0\0\0\x80" CHOSEN KE2 NO2("\0")
#define SEALED(next, length) next "\0" length HASH20 HASH20
#define AUTH1                I R "\x2e\x20\x23\x08\0\0\0\1\0\0\0\x48" SEALED("\x23", "\0\x2c")
#define AUTH2                I R "\x2e\x20\x23\x20\0\0\0\1\0\0\0\x48" SEALED("\x24", "\0\x2c")
#define CHILD                I R "\x2e\x20\x24\x08\0\0\0\2\0\0\0\x48" SEALED("\x21", "\0\x2c")
#define LIVE                 I R "\x2e\x20\x25\0\0\0\0\0\0\0\0\x48" SEALED("\0", "\0\x2c")

static const wire_message v2[] = {
    {BYTES(INIT),
     true,
     0,
     {"app=ike", "ike.exchange=sa-init", "ike.proposal=ike ike.transform=aes-cbc-128",
      "ike.transform=aes-cbc-256 ike.transform=prf-sha256 ike.transform=prf-sha1",
      "ike.transform=prf-alike ike.transform=group-alike ike.payload=ke",
      "ike.group=curve25519 ike.payload=nonce", "ike.notify=nat-source", "ike.vendor=strongswan"}},
    {BYTES(COOKIE), true, 1, {"ike.exchange=sa-init ike.payload=notify ike.notify=cookie"}},
    {BYTES(AGAIN), true, 0, {"ike.proposal=again ike.payload=ke"}},
    {BYTES(ANSWER),
     true,
     1,
     {"ike.responder=changed ike.payload=sa ike.proposal=ike-second ike.transform=aes-cbc-128"}},
    {BYTES(AUTH1), true, 0, {"ike.exchange=auth ike.payload=encrypted ike.payload=id-initiator"}},
    {BYTES(AUTH2), true, 1, {"ike.exchange=auth ike.payload=encrypted ike.payload=id-responder"}},
    {BYTES(CHILD), true, 0, {"ike.exchange=create-child ike.payload=encrypted ike.payload=sa"}},
    {BYTES(LIVE), true, 1, {"ike.exchange=informational"}},
};

#define ATTR(type, value) "\x80" type value
#define TR1(last, n, hash)                                                                    \
    last "\0\0\x24" n "\1\0\0" ATTR("\x01", "\0\7") ATTR("\x0e", "\0\x80") ATTR("\x02", hash) \
        ATTR("\x03", "\0\1") ATTR("\x04", "\0\2") "\0\x0c\0\4\0\1\x51\x80"
#define SA1 \
    "\x0d\0\0\x5c\0\0\0\1\0\0\0\1\0\0\0\x50\1\1\0\2" TR1("\3", "\1", "\0\2") TR1("\0", "\2", "\0\1")
#define DPD   "\xaf\xca\xd7\x13\x68\xa1\xf1\xc9\x6b\x86\x96\xfc\x77\x57\x01\x00"
#define MAIN1 I ZERO8 "\1\x10\2\0\0\0\0\0\0\0\0\x98" SA1 "\x0d\0\0\x14" DPD "\0\0\0\x0cunheard!"
#define MAIN2                                                                                      \
    I R "\1\x10\2\0\0\0\0\0\0\0\0\x54\0\0\0\x38\0\0\0\1\0\0\0\1\0\0\0\x2c\1\1\0\1" TR1("\0", "\2", \
                                                                                       "\0\1")
#define MAIN3 \
    I R "\4\x10\2\0\0\0\0\0\0\0\0\x6c\x0a\0\0\x24" PUBLIC "\x14\0\0\x14" NONCE "\0\0\0\x18" HASH20
#define MAIN5  I R "\5\x10\2\1\0\0\0\0\0\0\0\x30" HASH20
#define QUICK1 I R "\x08\x10\x20\1\x12\x34\x56\x78\0\0\0\x30" HASH20
#define NOTE   I R "\x0b\x10\5\0\x12\x34\x56\x79\0\0\0\x28\0\0\0\x0c\0\0\0\1\1\0\0\x0e"
#define AGGRESSIVE1                                                                \
    I ZERO8 "\1\x10\4\0\0\0\0\0\0\0\0\xb8\4\0\0\x5c" SA1_REST "\x0a\0\0\x14" NONCE \
            "\5\0\0\x14" NONCE "\0\0\0\x18\2\x11\1\xf4someone.example."
#define SA1_REST \
    "\0\0\0\1\0\0\0\1\0\0\0\x50\1\1\0\2" TR1("\3", "\1", "\0\2") TR1("\0", "\2", "\0\1")

static const wire_message v1[] = {
    {BYTES(MAIN1),
     true,
     0,
     {"ike.exchange=main ike.payload=v1-sa ike.proposal=ike ike.transform=v1-new "
      "ike.transform=v1-aes",
      "ike.transform=v1-changed ike.transform=v1-md5 ike.payload=v1-vendor ike.vendor=dpd",
      "ike.vendor=unlisted ike.size=8..9"}},
    {BYTES(MAIN2), true, 1, {"ike.transform=v1-new-second", "ike.transform=v1-long-life-86400"}},
    {BYTES(MAIN3), true, 0, {"ike.payload=v1-ke", "ike.payload=v1-nonce", "ike.payload=v1-nat-d"}},
    {BYTES(MAIN5), true, 0, {"ike.flags=encrypted ike.payload=v1-id"}},
    {BYTES(QUICK1), true, 0, {"ike.exchange=quick ike.payload=v1-hash"}},
    {BYTES(NOTE), true, 1, {"ike.exchange=v1-informational", "ike.notify=v1-no-proposal"}},
};
static const wire_message aggressive[] = {
    {BYTES(AGGRESSIVE1),
     true,
     0,
     {"ike.exchange=aggressive", "ike.payload=v1-id ike.identity=fqdn ike.name=16..23"}},
};

#define BARE "\0\0\0\0"
static const wire_message nat[] = {
    {BYTES(BARE AUTH1), true, 0, {"ike.exchange=auth"}},
    {BYTES(BARE AUTH2), true, 1, {"ike.exchange=auth"}},
    {BYTES("\x12\x34\x56\x78\0\0\0\1" HASH20), true, 0, {"ike.form=esp"}},
    {BYTES("\x12\x34\x56\x78\0\0\0\2" HASH20), true, 0, {"len=28 end"}},
    {BYTES("\xff"), true, 0, {"ike.form=keepalive"}},
    {BYTES("\x12\x34\x56\x78\0\0\0\5" HASH20), true, 0, {"ike.step=new"}},
    {BYTES(BARE CHILD), true, 0, {"ike.form=marked ike.exchange=create-child"}},
};

/* Payloads that do not fit, an offer of a shape that is none, a number of a message that is far. */
static const wire_message odd[] = {
    {BYTES(I ZERO8 "\x21\x20\x22\x08\0\0\0\0\0\0\0\x30\x22\0\0\x0c\1\2\3\4\5\6\7\x08\xff\0\0\x7f"
                   "abcd"),
     true,
     0,
     {"ike.payload=sa ike.proposal=raw ike.size=8..9", "ike.broken=ke"}},
    {BYTES(I R "\x2e\x20\x23\x28\0\0\x12\x34\0\0\1\0\x23\0\1\0abcd"),
     true,
     1,
     {"ike.step=new", "ike.length=256..511", "ike.broken=encrypted"}},
};

static void messages_of_version_2_come_back_whole_cut_and_damaged(void **state)
{
    (void)state;
    all_come_back_at(PORT, v2, WSPI_COUNT(v2));
}

static void messages_of_version_1_come_back_whole_cut_and_damaged(void **state)
{
    (void)state;
    all_come_back_at(PORT, v1, WSPI_COUNT(v1));
    all_come_back_at(PORT, aggressive, WSPI_COUNT(aggressive));
}

static void messages_and_esp_behind_nat_come_back_whole_cut_and_damaged(void **state)
{
    (void)state;
    all_come_back_at(NAT_PORT, nat, WSPI_COUNT(nat));
}

static void no_port_is_in_the_tokens(void **state)
{
    (void)state;
    assert_no_port_told(PORT, v2, WSPI_COUNT(v2));
    assert_no_port_told(PORT, v1, WSPI_COUNT(v1));
    assert_no_port_told(NAT_PORT, nat, WSPI_COUNT(nat));
}

static void odd_messages_come_back_whole_cut_and_damaged(void **state)
{
    (void)state;
    all_come_back(odd, WSPI_COUNT(odd));
}

static void what_is_as_predicted_is_not_told(void **state)
{
    wire w;

    (void)state;
    wire_open(&w);
    w.port = NAT_PORT;
    put_message(&w, &nat[0], nat[0].bytes, nat[0].len);
    put_message(&w, &nat[1], nat[1].bytes, nat[1].len);
    assert_null(strstr(w.names, "ike.flags"));
    assert_null(strstr(w.names, "ike.step"));
    assert_null(strstr(w.names, "ike.form"));
    assert_null(strstr(w.names, "ike.length"));
    put_message(&w, &nat[2], nat[2].bytes, nat[2].len);
    put_message(&w, &nat[3], nat[3].bytes, nat[3].len);
    assert_null(strstr(w.names, "ike."));
    wire_close(&w);
}

static void spis_keys_nonces_and_names_are_in_no_token(void **state)
{
    (void)state;
    assert_hidden(&v2[0], 0, 8);              /* SPI */
    assert_hidden(&v2[0], 28 + 116 + 8, 32);  /* key */
    assert_hidden(&v2[0], 28 + 116 + 44, 16); /* nonce */
    assert_hidden(&aggressive[0], 168, 16);   /* identity */
}

static void other_payloads_are_not_taken(void **state)
{
    (void)state;
    assert_int_equal(app_of_datagram(BYTES(INIT)), WSPI_APP_IKE);
    assert_int_equal(app_of_datagram(BYTES(BARE AUTH1)), WSPI_APP_IKE);
    assert_int_not_equal(app_of_datagram(BYTES("\xff")), WSPI_APP_IKE);
    assert_int_not_equal(app_of_datagram(BYTES("\x12\x34\x56\x78\0\0\0\1" HASH20)), WSPI_APP_IKE);
    assert_int_not_equal(app_of_datagram(BYTES(AUTH1 "more")), WSPI_APP_IKE);
    assert_int_not_equal(
        app_of_datagram(BYTES(I R "\x2e\x30\x23\x08\0\0\0\1\0\0\0\x48" SEALED("\x23", "\0\x2c"))),
        WSPI_APP_IKE);
    assert_int_not_equal(
        app_of_datagram(BYTES(ZERO8 R "\x2e\x20\x23\x08\0\0\0\1\0\0\0\x48" HASH20 HASH20)),
        WSPI_APP_IKE);
}

static const char *const asks_for[] = {
    "c2s first",    "c2s gap=0", "stack=eth/ipv4/udp", "udp.sport=dynamic", "udp.dport=500",
    "len=320..335", NULL};
static const char *const answers_with[] = {
    "s2c first",    "s2c gap=0", "stack=eth/ipv4/udp", "udp.sport=500", "udp.dport=dynamic",
    "len=320..335", NULL};
static const char *const asks_nat[] = {
    "c2s first",    "c2s gap=0", "stack=eth/ipv4/udp", "udp.sport=dynamic", "udp.dport=4500",
    "len=320..335", NULL};
static const char *const answers_nat[] = {
    "s2c first",    "s2c gap=0", "stack=eth/ipv4/udp", "udp.sport=4500", "udp.dport=dynamic",
    "len=320..335", NULL};

static void sampled_ike_is_ike(void **state)
{
    (void)state;
    sample_flows(asks_for, answers_with, WSPI_APP_IKE);
    sample_flows(asks_nat, answers_nat, WSPI_APP_IKE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(messages_of_version_2_come_back_whole_cut_and_damaged),
        cmocka_unit_test(messages_of_version_1_come_back_whole_cut_and_damaged),
        cmocka_unit_test(no_port_is_in_the_tokens),
        cmocka_unit_test(messages_and_esp_behind_nat_come_back_whole_cut_and_damaged),
        cmocka_unit_test(odd_messages_come_back_whole_cut_and_damaged),
        cmocka_unit_test(what_is_as_predicted_is_not_told),
        cmocka_unit_test(spis_keys_nonces_and_names_are_in_no_token),
        cmocka_unit_test(other_payloads_are_not_taken),
        cmocka_unit_test(sampled_ike_is_ike),
    };

    (void)wsp_vocab_size();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
