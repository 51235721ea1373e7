/* SPDX-License-Identifier: Apache-2.0 */
/* test_tftp.c: TFTP requests, options, blocks and errors: round trips, tokens, what stays hidden, samples. */
#include "tests/unit/wire.h"

#define READ                   \
    "\x00\x01"                 \
    "boot.img\0octet\0tsize\0" \
    "0\0blksize\0"             \
    "1428"

static const wire_message transfer[] = {
    {READ,
     sizeof READ,
     true,
     0,
     {"app=tftp", "tftp.operation=read", "tftp.file=8..11", "tftp.mode=octet", "tftp.option=tsize",
      "tftp.number=0", "tftp.option=blksize", "tftp.number=1024..1535"}},
    {"\x00\x06tsize\0"
     "12345",
     14,
     true,
     1,
     {"tftp.operation=options", "tftp.number=12288..16383"}},
    {BYTES("\x00\x04\x00\x00"), true, 0, {"tftp.operation=ack"}},
    {BYTES("\x00\x03\x00\x01the bytes of a file"), true, 1, {"tftp.operation=data"}},
    {BYTES("\x00\x04\x00\x01"), true, 0, {"tftp.operation=ack"}},
    {"\x00\x05\x00\x03"
     "Disk full",
     14,
     true,
     1,
     {"tftp.error=full", "text=k"}},
};

/* A flow that begins with the server's answer; upper case; what is no option. */
static const wire_message odd[] = {
    {BYTES("\x00\x03\x00\x01"
           "first"),
     true,
     0,
     {"app=tftp", "tftp.operation=data"}},
    {BYTES("\x00\x04\x00\x01"), true, 1, {"tftp.operation=ack"}},
    {BYTES("\x00\x03\x00\x03third"), true, 0, {"tftp.block=changed"}},
    {"\x00\x02up.cfg\0NETASCII\0blksize\0"
     "08",
     28,
     true,
     1,
     {"tftp.operation=write", "tftp.mode=NETASCII"}},
};

static void a_transfer_comes_back_whole_cut_and_damaged(void **state)
{
    (void)state;
    all_come_back(transfer, WSPI_COUNT(transfer));
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
    for (size_t i = 0; i < WSPI_COUNT(transfer); i++) {
        put_message(&w, &transfer[i], transfer[i].bytes, transfer[i].len);
        assert_null(strstr(w.names, "tftp.block"));
        assert_null(strstr(w.names, "tftp.length"));
        assert_null(strstr(w.names, "payload="));
    }
    wire_close(&w);
}

static void other_payloads_are_not_taken(void **state)
{
    (void)state;
    assert_int_equal(app_of_datagram(READ, sizeof READ), WSPI_APP_TFTP);
    assert_int_equal(app_of_datagram(BYTES("\x00\x04\x00\x00")), WSPI_APP_TFTP);
    assert_int_not_equal(app_of_datagram(BYTES("\x00\x04\x00\x07")), WSPI_APP_TFTP);
    assert_int_not_equal(app_of_datagram(BYTES("\x00\x04\x00\x00more")), WSPI_APP_TFTP);
    assert_int_not_equal(app_of_datagram(BYTES("\x00\x03\x00\x02"
                                               "block")),
                         WSPI_APP_TFTP);
    assert_int_not_equal(
        app_of_datagram(BYTES("\x00\x03\x00\x01\x00\x0a\x02\x00\x00\x00\x00\x01\x00\x00\x00\x00")),
        WSPI_APP_TFTP); /* HSRP */
    assert_int_not_equal(app_of_datagram("\x00\x01"
                                         "boot.img\0other",
                                         17),
                         WSPI_APP_TFTP);
    assert_int_not_equal(app_of_datagram("\x00\x05\x00\x09"
                                         "Error",
                                         10),
                         WSPI_APP_TFTP);
    assert_int_not_equal(app_of_datagram("\x00\x06nothing\0"
                                         "1",
                                         12),
                         WSPI_APP_TFTP);
}

static void sampled_tftp_is_tftp(void **state)
{
    static const char *const asks_for[] = {
        "c2s first",  "c2s gap=0", "stack=eth/ipv4/udp", "udp.sport=dynamic", "udp.dport=69",
        "len=80..83", NULL};
    static const char *const answers_with[] = {
        "s2c first",  "s2c gap=0", "stack=eth/ipv4/udp", "udp.sport=69", "udp.dport=dynamic",
        "len=80..83", NULL};

    (void)state;
    sample_flows(asks_for, answers_with, WSPI_APP_TFTP);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_transfer_comes_back_whole_cut_and_damaged),
        cmocka_unit_test(odd_messages_come_back_whole_cut_and_damaged),
        cmocka_unit_test(what_is_as_predicted_is_not_told),
        cmocka_unit_test(other_payloads_are_not_taken),
        cmocka_unit_test(sampled_tftp_is_tftp),
    };

    (void)wsp_vocab_size();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
