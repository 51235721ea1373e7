/* SPDX-License-Identifier: Apache-2.0 */
/* test_ssh.c: SSH up to NEWKEYS: round trips, tokens, lists in two segments, samples. */
#include "tests/unit/wire.h"

#define COOKIE "\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0a\x0b\x0c\x0d\x0e\x0f\x10"
#define PAD4   "\x11\x12\x13\x14"
#define B32    "0123456789abcdef0123456789abcdef"
/* One usual list, one with a name that nobody knows, ciphers that differ between the ways. */
#define LISTS                                     \
    "\x00\x00\x00\x18"                            \
    "curve25519-sha256,foo@ex"                    \
    "\x00\x00\x00\x0f"                            \
    "ssh-rsa,ssh-dss"                             \
    "\x00\x00\x00\x0a"                            \
    "aes256-ctr\x00\x00\x00\x00"                  \
    "\x00\x00\x00\x1b"                            \
    "hmac-sha2-256,hmac-sha2-512\x00\x00\x00\x1b" \
    "hmac-sha2-256,hmac-sha2-512\x00\x00\x00\x04none\x00\x00\x00\x04none"
#define OFFER                               \
    "\x00\x00\x00\xb4\x06\x14" COOKIE LISTS \
    "\x00\x00\x00\x00\x00\x00\x00\x00\x01\x00\x00\x00\x00" PAD4 "\x15\x16"
#define INIT "\x00\x00\x00\x2c\x06\x1e\x00\x00\x00\x20" B32 PAD4 "\x15\x16"
#define REPLY                                                                                 \
    "\x00\x00\x00\xbc\x08\x1f\x00\x00\x00\x33\x00\x00\x00\x0bssh-ed25519\x00\x00\x00\x20" B32 \
    "\x00\x00\x00\x20" B32                                                                    \
    "\x00\x00\x00\x53\x00\x00\x00\x0bssh-ed25519\x00\x00\x00\x40" B32 B32 PAD4 PAD4
#define KEYS "\x00\x00\x00\x0c\x0a\x15" PAD4 PAD4 "\x15\x16"

static const wire_message session[] = {
    {BYTES("SSH-2.0-OpenSSH_9.2p1 Debian-2\r\n"),
     false,
     0,
     {"app=ssh", "ssh.version=2.0", "ssh.software=OpenSSH_", "ssh.text=14..15"}},
    {BYTES("SSH-2.0-nobody\n" OFFER),
     false,
     1,
     {"ssh.software=unknown", "ssh.line-end=lf", "ssh.message=kexinit", "ssh.kex=curve25519-sha256",
      "ssh.kex=unknown", "ssh.host-key=list:rsa-dss", "ssh.cipher=other-way",
      "ssh.mac=list:sha2-256-512"}},
    {BYTES(OFFER), false, 0, {"ssh.kex-follows=yes", "ssh.compression=none"}},
    {BYTES(INIT), false, 0, {"ssh.message=kex-init", "ssh.string=32"}},
    {BYTES(REPLY KEYS "encrypted by now"),
     false,
     1,
     {"ssh.message=kex-reply", "ssh.key=ssh-ed25519", "ssh.string=64", "ssh.message=newkeys"}},
    {BYTES(KEYS), false, 0, {"ssh.message=newkeys"}},
};

/* A version of the old protocol, a group exchange, messages that are of no form. */
static const wire_message others[] = {
    {BYTES("SSH-1.99-Cisco-1.25\n"), false, 1, {"ssh.version=1.99", "ssh.software=Cisco-"}},
    {BYTES("SSH-2.0-libssh2_1.4.3\r\n"
           "\x00\x00\x00\x14\x06\x22\x00\x00\x04\x00\x00\x00\x08\x00\x00\x00\x20\x00" PAD4 "\x15"
           "\x16"),
     false,
     0,
     {"ssh.software=libssh2_", "ssh.message=gex-request", "ssh.number=1024..2047"}},
    {BYTES("\x00\x00\x00\x15\x07\x1f\x00\x00\x00\x03"
           "abc\x00\x00\x00\x01\x05" PAD4 "\x15\x16\x17"),
     false,
     1,
     {"ssh.message=gex-group", "ssh.string=3", "ssh.string=1", "ssh.padding=7"}},
    {BYTES("\x00\x00\x00\x0d\x05\x07\x00\x00\x00\x01\x00\x00" PAD4 "\x15"),
     false,
     0,
     {"ssh.message=other-packet"}},
};

static void a_session_comes_back_whole_cut_and_damaged(void **state)
{
    (void)state;
    all_come_back(session, WSPI_COUNT(session));
}

static void other_messages_come_back_whole_cut_and_damaged(void **state)
{
    (void)state;
    all_come_back(others, WSPI_COUNT(others));
}

/* Same ciphers both ways, usual padding, a length that adds up; and of all that is encrypted nothing at all. */
static void what_follows_is_not_told(void **state)
{
    wire w;

    (void)state;
    wire_open(&w);
    for (size_t i = 0; i < WSPI_COUNT(session); i++) {
        put_message(&w, &session[i], session[i].bytes, session[i].len);
        assert_null(strstr(w.names, "ssh.padding"));
        assert_null(strstr(w.names, "ssh.length"));
        assert_null(strstr(w.names, "ssh.mac=other-way"));
        assert_null(strstr(w.names, "payload="));
    }
    segment(&w, BYTES("what a shell says, under a key"), 30, 0, true);
    assert_null(strstr(w.names, "ssh."));
    assert_null(strstr(w.names, "text="));
    wire_close(&w);
}

/* The lists that the first segment has are told; the rest of the packet costs nothing, and the next one is read. */
static void an_offer_in_two_segments_is_told_as_far_as_it_goes(void **state)
{
    size_t all = sizeof OFFER - 1;
    wire w;

    (void)state;
    for (size_t cut = 22; cut < all; cut++) {
        wire_open(&w);
        segment(&w, BYTES("SSH-2.0-Go\r\n"), sizeof "SSH-2.0-Go\r\n" - 1, 0, true);
        segment(&w, OFFER, cut, cut, 0, true);
        assert_named(&w, "ssh.message=kexinit-cut");
        if (cut > 80)
            assert_named(&w, "ssh.host-key=list:rsa-dss");
        segment(&w, &(OFFER INIT)[cut], all - cut + sizeof INIT - 1, all - cut + sizeof INIT - 1, 0,
                true);
        assert_named(&w, "ssh.message=kex-init");
        assert_null(strstr(w.names, "text="));
        wire_close(&w);
    }
}

/* What is no packet stays plain bytes, and so does SSH whose beginning was not seen. */
static void foreign_bytes_are_plain(void **state)
{
    wire w;

    (void)state;
    wire_open(&w);
    segment(&w, OFFER, sizeof OFFER - 1, sizeof OFFER - 1, 0, true);
    assert_null(strstr(w.names, "ssh."));
    segment(&w, BYTES("SSH-2.0-Go\r\n"), sizeof "SSH-2.0-Go\r\n" - 1, 0, true);
    assert_named(&w, "ssh.software=Go");
    segment(&w, BYTES("\xff\xff\xff\xff\x06\x14 what is this"), 19, 0, true);
    assert_null(strstr(w.names, "ssh."));
    wire_close(&w);
}

static void sampled_ssh_is_ssh(void **state)
{
    static const char *const asks_for[] = {
        "c2s first",    "c2s gap=0",    "stack=eth/ipv4/tcp", "tcp.sport=dynamic",
        "tcp.dport=22", "len=256..271", "tcp.flags=PA",       NULL};
    static const char *const answers_with[] = {
        "s2c first",         "s2c gap=0",    "stack=eth/ipv4/tcp", "tcp.sport=22",
        "tcp.dport=dynamic", "len=256..271", "tcp.flags=PA",       NULL};

    (void)state;
    sample_flows(asks_for, answers_with, WSPI_APP_SSH);
}

/* Parts of the offer that a direction's last packet has: the names of its lists. */
enum { KEX_LIST, HOST_LIST, CIPHER_LIST, MAC_LIST = 4, COMPRESSION_LIST = 6, OFFER_LISTS = 8 };
static void read_offer(const wsp_packet *p, char list[OFFER_LISTS][1500])
{
    const uint8_t *b = p->data + p->payload_off, *end = b + p->payload_len;

    if (memcmp(b, "SSH-", 4) == 0)
        b = (const uint8_t *)memchr(b, '\n', (size_t)(end - b)) + 1;
    assert_true(b + 6 + 16 < end);
    assert_int_equal(b[5], 20);
    b += 6 + 16;
    for (size_t i = 0; i < OFFER_LISTS; i++) {
        size_t n = (size_t)b[2] << 8 | b[3];
        assert_true(n > 0 && b + 4 + n <= end);
        memcpy(list[i], b + 4, n);
        list[i][n] = 0;
        b += 4 + n;
    }
}

static bool has_name(const char *list, const char *name)
{
    size_t n = strlen(name);

    for (const char *s = list; (s = strstr(s, name)) != NULL; s += n)
        if ((s == list || s[-1] == ',') && (s[n] == ',' || s[n] == 0))
            return true;
    return false;
}

/* The first name of a client's list that the server's has, too. */
static void agree(const char *mine, const char *theirs, char name[128])
{
    for (const char *s = mine;; s++) {
        size_t n = strcspn(s, ",");
        assert_true(n > 0 && n < 128);
        memcpy(name, s, n);
        name[n] = 0;
        if (has_name(theirs, name))
            return;
        s += n;
        assert_true(*s == ',');
    }
}

static void names_come_once(const char *list)
{
    char name[128];

    for (const char *s = list;; s++) {
        size_t n = strcspn(s, ",");
        assert_true(n > 0 && n < sizeof name);
        memcpy(name, s, n);
        name[n] = 0;
        s += n;
        if (!*s)
            return;
        assert_false(has_name(s + 1, name));
    }
}

static void assert_agreement(char offer[2][OFFER_LISTS][1500])
{
    char name[128];

    for (int dir = 0; dir < 2; dir++)
        for (size_t i = 0; i < OFFER_LISTS; i++)
            names_come_once(offer[dir][i]);
    agree(offer[0][KEX_LIST], offer[1][KEX_LIST], name);
    assert_non_null(strstr(name, "curve25519-sha256"));
    assert_ptr_equal(strstr(name, "curve25519-sha256"), name);
    agree(offer[0][CIPHER_LIST], offer[1][CIPHER_LIST], name);
    assert_null(strstr(name, "gcm"));
    agree(offer[0][MAC_LIST], offer[1][MAC_LIST], name);
    assert_string_not_equal(name, "hmac-sha2-512");
    assert_string_not_equal(name, "hmac-sha2-512-etm@openssh.com");
    agree(offer[0][COMPRESSION_LIST], offer[1][COMPRESSION_LIST], name);
}

/* Programs, versions with comments, lists of names: whatever is drawn, both sides can go on with it. */
static void sampled_offers_have_something_in_common(void **state)
{
    static const char *const sends[2][9] = {
        {"c2s first", "c2s gap=0", "stack=eth/ipv4/tcp", "tcp.sport=dynamic", "tcp.dport=22",
         "len=256..271", "tcp.flags=PA", "ssh.kex=ext-info-c", NULL},
        {"s2c first", "s2c gap=0", "stack=eth/ipv4/tcp", "tcp.sport=22", "tcp.dport=dynamic",
         "len=256..271", "tcp.flags=PA", NULL}};
    static const char *const has[] = {"ssh.software=PuTTY_Release_",
                                      "ssh.text=20..23",
                                      "ssh.kex=ext-info-c",
                                      "ssh.kex=list:openssh-9.2",
                                      "ssh.host-key=rsa-sha2-512",
                                      "ssh.cipher=aes192-ctr",
                                      "ssh.mac=hmac-sha1",
                                      "ssh.compression=zlib",
                                      "ssh.key=ecdsa-sha2-nistp256 ssh.string=8"};
    static char offer[2][OFFER_LISTS][1500];
    bool seen[WSPI_COUNT(has)] = {false};
    wspi_rng r;
    wire w;

    (void)state;
    wspi_rng_seed(&r, 18);
    wire_open(&w);
    for (uint64_t flow = 0; flow < 150; flow++) {
        wsp_filler fill = filler_of(flow);
        bool offered[2] = {false};
        wire_again(&w);
        for (int k = 0; k < 8; k++) {
            sample(&w, &fill, sends[k % 2], k % 2, WSPI_APP_SSH, &r);
            assert_true(w.packet->payload_len <= 1448);
            if (strstr(w.names, "ssh.message=kexinit")) {
                read_offer(w.packet, offer[k % 2]);
                offered[k % 2] = true;
            }
            for (size_t i = 0; i < WSPI_COUNT(has); i++)
                seen[i] |= strstr(w.names, has[i]) != NULL;
        }
        assert_true(offered[0] && offered[1]);
        assert_agreement(offer);
    }
    for (size_t i = 0; i < WSPI_COUNT(has); i++) {
        if (!seen[i])
            print_message("never: %s\n", has[i]);
        assert_true(seen[i]);
    }
    wire_close(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_session_comes_back_whole_cut_and_damaged),
        cmocka_unit_test(other_messages_come_back_whole_cut_and_damaged),
        cmocka_unit_test(what_follows_is_not_told),
        cmocka_unit_test(an_offer_in_two_segments_is_told_as_far_as_it_goes),
        cmocka_unit_test(foreign_bytes_are_plain),
        cmocka_unit_test(sampled_ssh_is_ssh),
        cmocka_unit_test(sampled_offers_have_something_in_common),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
