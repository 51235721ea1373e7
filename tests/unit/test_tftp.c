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

enum { BLOCK = 3, ACKED, SIZE = 512, MOST = 8 };

/* How a transfer begins, who has data, how long blocks are; len of a shorter one that is the last. */
static const struct transfer {
    const char *begins[7], *goes_on, *ends;
    bool server; /* it is the server who has data */
    bool block;  /* it begins with a block */
    size_t least, most;
} transfers[] = {
    {{"c2s first", "len=80..83", "stack=eth/ipv4/udp", "udp.sport=dynamic", "udp.dport=69",
      "tftp.operation=read"},
     "len=512..543",
     "len=80..83",
     true,
     false,
     SIZE,
     SIZE},
    {{"c2s first", "len=80..83", "stack=eth/ipv4/udp", "udp.sport=dynamic", "udp.dport=69",
      "tftp.operation=write"},
     "len=512..543",
     "len=80..83",
     false,
     false,
     SIZE,
     SIZE},
    /* ports that a request has agreed on, in another flow */
    {{"c2s first", "len=512..543", "stack=eth/ipv4/udp", "udp.sport=dynamic", "udp.dport=dynamic",
      "app=tftp"},
     "len=512..543",
     "len=80..83",
     false,
     true,
     SIZE,
     SIZE},
    {{"c2s first", "len=1408..1471", "stack=eth/ipv4/udp", "udp.sport=dynamic", "udp.dport=dynamic",
      "app=tftp"},
     "len=1408..1471",
     "len=80..83",
     false,
     true,
     SIZE,
     SIZE},
    {{"c2s first", "len=104..107", "stack=eth/ipv4/udp", "udp.sport=dynamic", "udp.dport=dynamic",
      "app=tftp"},
     "len=104..107",
     "len=80..83",
     false,
     true,
     100,
     103},
};

/* Draws the next packet, which is the only one that may come: whose it is, and what it is. */
static size_t draw_next(wire *w, const wsp_filler *fill, const struct transfer *t, const char *len,
                        bool acks, unsigned number, wspi_rng *r)
{
    const char *const wanted[] = {t->server == acks ? "c2s gap=0" : "s2c gap=0", len,
                                  "stack=eth/ipv4/udp", NULL};
    int dir = t->server != acks;
    const uint8_t *b;

    assert_true(may_speak(w, fill, (size_t)dir));
    assert_false(may_speak(w, fill, !dir));
    sample(w, fill, wanted, dir, WSPI_APP_TFTP, r);
    b = w->packet->data + w->packet->payload_off;
    assert_int_equal(b[1], acks ? ACKED : BLOCK);
    assert_int_equal(b[2] << 8 | b[3], number);
    return w->packet->payload_len - 4;
}

/* RFC 1350 2, 4: blocks of one size that are acknowledged one by one, up to a shorter one; a request to write is, with number 0. */
static void check_transfer(wire *w, const wsp_filler *fill, const struct transfer *t, wspi_rng *r)
{
    size_t size = 0, n;

    wire_again(w);
    sample(w, fill, t->begins, 0, WSPI_APP_TFTP, r);
    if (t->block)
        size = w->packet->payload_len - 4;
    if (t->block || !t->server)
        (void)draw_next(w, fill, t, t->goes_on, true, t->block, r);
    for (unsigned k = 1 + t->block; k <= MOST; k++) {
        n = draw_next(w, fill, t, k == MOST ? t->ends : t->goes_on, false, k, r);
        size = size ? size : n;
        assert_in_range(size, t->least, t->most);
        assert_true(k == MOST ? n < size : n == size);
        (void)draw_next(w, fill, t, t->goes_on, true, k, r);
    }
    assert_false(may_speak(w, fill, 0) || may_speak(w, fill, 1));
}

/* Nobody says nothing. */
static void check_empty(wire *w, const wsp_filler *fill, const struct transfer *t, wspi_rng *r)
{
    wire_again(w);
    sample(w, fill, t->begins, 0, WSPI_APP_TFTP, r);
    (void)draw_next(w, fill, t, "len=0", t->block || !t->server, t->block || t->server, r);
}

static void sampled_transfers_go_block_by_block(void **state)
{
    wspi_rng r;
    wire w;

    (void)state;
    wspi_rng_seed(&r, 14);
    wire_open(&w);
    for (uint64_t flow = 0; flow < 20; flow++)
        for (size_t i = 0; i < WSPI_COUNT(transfers); i++) {
            wsp_filler fill = filler_of(flow);
            check_transfer(&w, &fill, &transfers[i], &r);
            check_empty(&w, &fill, &transfers[i], &r);
        }
    wire_close(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_transfer_comes_back_whole_cut_and_damaged),
        cmocka_unit_test(odd_messages_come_back_whole_cut_and_damaged),
        cmocka_unit_test(what_is_as_predicted_is_not_told),
        cmocka_unit_test(other_payloads_are_not_taken),
        cmocka_unit_test(sampled_tftp_is_tftp),
        cmocka_unit_test(sampled_transfers_go_block_by_block),
    };

    (void)wsp_vocab_size();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
