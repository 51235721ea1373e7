/* SPDX-License-Identifier: Apache-2.0 */
/* test_radius.c: RADIUS messages, those of RFC 2865 7 among them: round trips, tokens, what stays hidden, samples. */
#include "tests/unit/wire.h"

#define AUTHENTICATOR "\x0f\x40\x3f\x94\x73\x97\x80\x57\xbd\x83\xd5\xcb\x98\xf4\x22\x7a"

/* RFC 2865 7.1. */
#define REQUEST                                                    \
    "\x01\x00\x00\x38" AUTHENTICATOR                               \
    "\x01\x06nemo\x02\x12\x0d\xbe\x70\x8d\x93\xd4\x13\xce\x31\x96" \
    "\xe4\x3f\x78\x2a\x0a\xee\x04\x06\xc0\xa8\x01\x10\x05\x06\x00\x00\x00\x03"
#define ACCEPT                                                                         \
    "\x02\x00\x00\x26\x86\xfe\x22\x0e\x76\x24\xba\x2a\x10\x05\xf6\xbf\x9b\x55\xe0\xb2" \
    "\x06\x06\x00\x00\x00\x01\x0f\x06\x00\x00\x00\x00\x0e\x06\xc0\xa8\x01\x03"

static const wire_message access[] = {
    {BYTES(REQUEST),
     true,
     0,
     {"app=radius", "radius.code=access-request", "radius.attribute=user-name", "radius.name=4..5",
      "radius.attribute=user-password", "radius.attribute=nas-port", "radius.number=3"}},
    {BYTES(ACCEPT),
     true,
     1,
     {"radius.code=access-accept", "radius.service=login", "radius.attribute=login-service",
      "radius.number=0", "radius.attribute=login-host"}},
    /* the next request; a challenge with an EAP message in two parts */
    {BYTES("\x01\x01\x00\x24" AUTHENTICATOR "\x4f\x08\x02\x07\x00\x06\x19\x80\x4f\x08\x01\x02\x03"
           "\x04\x05\x06"),
     true,
     0,
     {"radius.eap=response", "radius.eap_type=peap", "radius.length=6"}},
    {BYTES("\x0b\x01\x00\x2e" AUTHENTICATOR "\x12\x05Hi!\x1a\x0c\x00\x00\x01\x37\x0b\x06"
           "abcd\x4f\x06\x03\x07\x00\x04zzz"),
     true,
     1,
     {"radius.code=access-challenge", "radius.attribute=reply-message", "text=H",
      "radius.vendor=microsoft", "radius.subtype=10..11", "radius.eap=success"}},
};

/* An attribute that is too long for its message, a type that nobody knows, a value of a length that is not usual. */
static const wire_message odd[] = {
    {BYTES("\x04\x05\x00\x27" AUTHENTICATOR "\x28\x06\x00\x00\x00\x02\xfe\x04hm\x29\x05"
           "abc\x2c\x0c"
           "ab"),
     true,
     0,
     {"radius.code=accounting-request", "radius.status=stop", "radius.attribute=other",
      "radius.length=3"}},
    {BYTES("\x05\x06\x00\x14" AUTHENTICATOR),
     true,
     1,
     {"radius.code=accounting-response", "radius.id=changed"}},
};

static void messages_come_back_whole_cut_and_damaged(void **state)
{
    (void)state;
    all_come_back(access, WSPI_COUNT(access));
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
    for (size_t i = 0; i < WSPI_COUNT(access) - 1; i++) {
        put_message(&w, &access[i], access[i].bytes, access[i].len);
        assert_null(strstr(w.names, "radius.id"));
    }
    put_message(&w, &access[0], access[0].bytes, access[0].len);
    assert_named(&w, "radius.id=changed");
    wire_close(&w);
}

static void ids_users_keys_and_addresses_are_in_no_token(void **state)
{
    (void)state;
    assert_hidden(&access[0], 1, 1);   /* id */
    assert_hidden(&access[0], 4, 16);  /* authenticator */
    assert_hidden(&access[0], 22, 4);  /* user */
    assert_hidden(&access[0], 28, 16); /* password */
    assert_hidden(&access[0], 46, 4);  /* address */
}

static void other_payloads_are_not_taken(void **state)
{
    (void)state;
    assert_int_equal(app_of_datagram(BYTES(REQUEST)), WSPI_APP_RADIUS);
    assert_int_not_equal(app_of_datagram(BYTES("\x06\x00\x00\x14" AUTHENTICATOR)), WSPI_APP_RADIUS);
    assert_int_not_equal(app_of_datagram(BYTES("\x01\x00\x00\x13" AUTHENTICATOR)), WSPI_APP_RADIUS);
    assert_int_not_equal(app_of_datagram(BYTES("\x01\x00\x00\x18" AUTHENTICATOR "\x01\x00..")),
                         WSPI_APP_RADIUS);
    assert_int_not_equal(app_of_datagram(BYTES("\x01\x00\x00\x18" AUTHENTICATOR "\x01\x04..more")),
                         WSPI_APP_RADIUS);
}

static const char *const asks_for[] = {
    "c2s first",  "c2s gap=0", "stack=eth/ipv4/udp", "udp.sport=dynamic", "udp.dport=1812",
    "len=80..83", NULL};
static const char *const answers_with[] = {
    "s2c first",  "s2c gap=0", "stack=eth/ipv4/udp", "udp.sport=1812", "udp.dport=dynamic",
    "len=80..83", NULL};

static void sampled_radius_is_radius(void **state)
{
    (void)state;
    sample_flows(asks_for, answers_with, WSPI_APP_RADIUS);
}

/* Attributes fill the message; requests have what they need, and what has EAP is signed: RFC 2865 5.44, RFC 3579 3.3. */
static void assert_is_message(const uint8_t *b, size_t n)
{
    uint8_t had[256] = {0};
    size_t at = 20;

    assert_int_equal(b[2] << 8 | b[3], n);
    while (at < n) {
        assert_true(n - at >= 2 && b[at + 1] >= 2 && (b[at] == 26 || !had[b[at]]));
        had[b[at]]++;
        if (b[at] == 26)
            assert_int_equal(b[at + 7], b[at + 1] - 6);
        if (b[at] == 79)
            assert_int_equal(b[at + 4] << 8 | b[at + 5], b[at + 1] - 2);
        at += b[at + 1];
    }
    assert_int_equal(at, n);
    assert_true(*b != 1 || had[1]);
    assert_true(*b != 4 || (had[40] && had[44]));
    assert_true(!had[79] || had[80]);
    assert_true(had[2] + had[3] + had[79] <= 1);
}

/* RFC 2865 5.1, 5.4: one user, asked for by the client. */
static void assert_sampled(const wire *w, int dir)
{
    static const uint8_t client[] = {10, 0, 0, 1};
    static uint8_t user[256];
    const uint8_t *b = w->packet->data + HEADERS_UDP;

    (void)dir;
    assert_is_message(b, w->packet->payload_len);
    if (w->number == 1)
        user[1] = 0;
    for (size_t at = 20; at < w->packet->payload_len; at += b[at + 1]) {
        if (b[at] == 4)
            assert_memory_equal(b + at + 2, client, 4);
        if (b[at] == 1 && user[1])
            assert_memory_equal(b + at, user, user[1]);
        if (b[at] == 1)
            memcpy(user, b + at, b[at + 1]);
    }
}

static void sampled_messages_have_what_their_code_needs_and_are_read_as_drawn(void **state)
{
    (void)state;
    sample_exact(300, 4, asks_for, answers_with, WSPI_APP_RADIUS, assert_sampled);
}

static void sampled_messages_may_have_what_recorded_ones_have(void **state)
{
    static const char *const eap[] = {"c2s first",
                                      "c2s gap=0",
                                      "stack=eth/ipv4/udp",
                                      "udp.sport=dynamic",
                                      "udp.dport=1812",
                                      "len=80..83",
                                      "radius.code=access-request",
                                      "radius.attribute=user-name",
                                      "radius.attribute=eap-message",
                                      "radius.length=64..79",
                                      "radius.eap_type=aka",
                                      NULL};
    static const char *const challenge[] = {"s2c first",
                                            "s2c gap=0",
                                            "stack=eth/ipv4/udp",
                                            "udp.sport=1812",
                                            "udp.dport=dynamic",
                                            "len=80..83",
                                            "radius.code=access-challenge",
                                            "radius.attribute=eap-message",
                                            "radius.length=12..13",
                                            NULL};
    static const char *const vendor[] = {"c2s first",
                                         "c2s gap=0",
                                         "stack=eth/ipv4/udp",
                                         "udp.sport=dynamic",
                                         "udp.dport=1812",
                                         "len=80..83",
                                         "radius.code=access-request",
                                         "radius.attribute=vendor-specific",
                                         "radius.length=56..63",
                                         "radius.vendor=microsoft",
                                         "radius.subtype=1",
                                         NULL};
    static const char *const accept[] = {"s2c first",
                                         "s2c gap=0",
                                         "stack=eth/ipv4/udp",
                                         "udp.sport=1812",
                                         "udp.dport=dynamic",
                                         "len=80..83",
                                         "radius.code=access-accept",
                                         "radius.attribute=reply-message",
                                         "radius.length=80..95",
                                         NULL};

    (void)state;
    for (size_t k = 6; eap[k]; k++)
        sample_has(eap, challenge, WSPI_APP_RADIUS, eap[k], challenge[6 + k % 3]);
    for (size_t k = 6; vendor[k]; k++)
        sample_has(vendor, accept, WSPI_APP_RADIUS, vendor[k], accept[6 + k % 3]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(messages_come_back_whole_cut_and_damaged),
        cmocka_unit_test(odd_messages_come_back_whole_cut_and_damaged),
        cmocka_unit_test(what_is_as_predicted_is_not_told),
        cmocka_unit_test(ids_users_keys_and_addresses_are_in_no_token),
        cmocka_unit_test(other_payloads_are_not_taken),
        cmocka_unit_test(sampled_radius_is_radius),
        cmocka_unit_test(sampled_messages_have_what_their_code_needs_and_are_read_as_drawn),
        cmocka_unit_test(sampled_messages_may_have_what_recorded_ones_have),
    };

    (void)wsp_vocab_size();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
