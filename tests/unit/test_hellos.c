/* SPDX-License-Identifier: Apache-2.0 */
/* test_hellos.c: what samples of servers take of what samples of clients offer, in TLS, DTLS and QUIC. */
#include "tests/unit/wire.h"
#include "token/app/tls_flight.h"

enum { FLOWS = 150, MOST = 256 };

/* ---- reading hellos ---- */

typedef struct numbers {
    size_t n;
    uint16_t v[MOST];
} numbers;

typedef struct hello {
    uint16_t record, version;
    uint8_t random[32], session[32], session_len;
    numbers ciphers, extensions, versions, groups, signatures, shares;
    char names[64]; /* of ALPN, as they stand there */
    size_t names_len;
    bool ticket; /* that has something in it */
} hello;

static bool has(const numbers *l, uint16_t v)
{
    for (size_t i = 0; i < l->n; i++)
        if (l->v[i] == v)
            return true;
    return false;
}

static void add(numbers *l, uint64_t v)
{
    assert_true(l->n < MOST);
    l->v[l->n++] = (uint16_t)v;
}

static void read_list(numbers *l, const uint8_t *b, size_t n)
{
    assert_int_equal(n % 2, 0);
    for (size_t i = 0; i < n; i += 2)
        add(l, wspi_load_be(b + i, 2));
}

static void read_shares(numbers *l, const uint8_t *b, size_t n)
{
    size_t at = 0;

    for (; at + 4 <= n; at += 4 + (size_t)wspi_load_be(b + at + 2, 2))
        add(l, wspi_load_be(b + at, 2));
    assert_int_equal(at, n);
}

static void read_body(hello *h, uint16_t type, const uint8_t *b, size_t n, bool client)
{
    add(&h->extensions, type);
    if (type == 10 && client)
        read_list(&h->groups, b + 2, n - 2);
    else if (type == 13 && client)
        read_list(&h->signatures, b + 2, n - 2);
    else if (type == 43)
        read_list(&h->versions, b + client, n - client);
    else if (type == 51)
        read_shares(&h->shares, b + (client ? 2 : 0), n - (client ? 2 : 0));
    else if (type == 35)
        h->ticket = n > 0;
    else if (type == 16) {
        assert_in_range(n, 3, 2 + sizeof h->names);
        memcpy(h->names, b + 2, h->names_len = n - 2);
    }
}

/* The body of a hello: behind its head. */
static void read_hello(hello *h, const uint8_t *b, size_t n, bool client, bool dtls)
{
    size_t at = 34, len;

    memset(h, 0, sizeof *h);
    h->version = (uint16_t)wspi_load_be(b, 2);
    memcpy(h->random, b + 2, 32);
    h->session_len = b[at];
    assert_in_range(h->session_len, 0, 32);
    memcpy(h->session, b + at + 1, h->session_len);
    at += 1u + b[at];
    if (client && dtls)
        at += 1u + b[at];
    len = client ? (size_t)wspi_load_be(b + at, 2) : 2;
    at += client ? 2 : 0;
    read_list(&h->ciphers, b + at, len);
    at += len + (client ? 2 : 1);
    assert_true(at <= n);
    at += at < n ? 2 : 0;
    for (; at < n; at += len) {
        uint16_t type = (uint16_t)wspi_load_be(b + at, 2);
        len = (size_t)wspi_load_be(b + at + 2, 2);
        at += 4;
        assert_true(at + len <= n);
        read_body(h, type, b + at, len, client);
    }
    assert_int_equal(at, n);
}

/* The hello that the sampled payload begins with; false: it begins with another message or record. */
static bool hello_of(const wire *w, hello *h, bool client, bool dtls)
{
    const uint8_t *b = w->packet->data + w->packet->payload_off;
    size_t head = dtls ? 13 : 5, message = dtls ? 12 : 4;

    if (w->packet->payload_len < head + message || b[0] != 22 || b[head] != (client ? 1 : 2))
        return false;
    read_hello(h, b + head + message, (size_t)wspi_load_be(b + head + 1, 3), client, dtls);
    h->record = (uint16_t)wspi_load_be(b + 1, 2);
    return true;
}

/* ---- what goes together ---- */

static bool is_new(uint16_t cipher)
{
    return cipher >> 8 == 0x13;
}

/* RFC 8446 4.2, 9.2 */
static void assert_coherent(const hello *client)
{
    bool offers_13 = has(&client->versions, 0x0304) || has(&client->versions, 0xfefc);

    for (size_t i = 0; i < client->ciphers.n;
         i++) { /* nothing twice, and a cipher of 1.3 with its version only */
        for (size_t k = 0; k < i; k++)
            assert_int_not_equal(client->ciphers.v[i], client->ciphers.v[k]);
        if (client->version != 0x0303 && client->version != 0xfefd)
            assert_false(is_new(client->ciphers.v[i]));
    }
    if (offers_13)
        assert_true(has(&client->extensions, 10) && has(&client->extensions, 13) &&
                    has(&client->extensions, 51));
    if (has(&client->extensions, 51))
        assert_true(offers_13);
    for (size_t i = 0; i < client->shares.n; i++)
        assert_true(has(&client->groups, client->shares.v[i]));
}

static void assert_13(const hello *client, const hello *server)
{
    assert_true(is_new(server->ciphers.v[0]));
    assert_int_equal(server->version, 0x0303);
    assert_true(has(&client->versions, 0x0304));
    assert_int_equal(server->versions.n, 1);
    assert_int_equal(server->versions.v[0], 0x0304);
    assert_int_equal(server->shares.n, 1);
    assert_true(has(&client->shares, server->shares.v[0]));
    assert_int_equal(server->session_len, client->session_len);
    assert_memory_equal(server->session, client->session, client->session_len);
}

/* Of TLS and DTLS alike, whose versions count up and down. */
static void assert_old(const hello *client, const hello *server)
{
    bool gcm = (server->ciphers.v[0] >= 0x9c && server->ciphers.v[0] <= 0x9f) ||
               (server->ciphers.v[0] >= 0xc02b && server->ciphers.v[0] <= 0xc030);

    assert_false(is_new(server->ciphers.v[0]));
    assert_false(has(&server->extensions, 51));
    if (has(&client->extensions, 43))
        assert_true(has(&client->versions, server->version));
    else if (client->version >> 8 == 3)
        assert_true(server->version <= client->version);
    else
        assert_true(server->version >= client->version);
    if (gcm)
        assert_true(server->version == 0x0303 || server->version == 0xfefd);
}

/* RFC 8446 4.1.3, 4.2; RFC 5246 7.4.1.3, 7.4.1.4; RFC 5746 3.6 */
static void assert_taken(const hello *client, const hello *server)
{
    assert_true(has(&client->ciphers, server->ciphers.v[0]));
    assert_int_not_equal(server->ciphers.v[0], 0x00ff);
    assert_int_not_equal(server->ciphers.v[0], 0x5600);
    for (size_t i = 0; i < server->extensions.n; i++)
        if (server->extensions.v[i] != 65281 || !has(&client->ciphers, 0x00ff))
            assert_true(has(&client->extensions, server->extensions.v[i]));
    if (server->names_len)
        assert_non_null(memmem(client->names, client->names_len, server->names, server->names_len));
    if (has(&server->extensions, 43))
        assert_13(client, server);
    else
        assert_old(client, server);
}

/* ---- TLS ---- */

#define ASKS "c2s first", "stack=eth/ipv4/tcp", "tcp.sport=dynamic", "tcp.dport=443", "tcp.flags=PA"
#define ANSWERS                                                                           \
    "s2c first", "s2c gap=0", "stack=eth/ipv4/tcp", "tcp.sport=443", "tcp.dport=dynamic", \
        "len=1408..1471", "tcp.flags=PA", "tls.handshake=server-hello"

/* Anything; a browser, of 1.3; somebody who would go on with a session. */
static const char *const clients[][24] = {
    {ASKS, "len=256..271", "tls.record=handshake", "tls.handshake=client-hello", NULL},
    {ASKS, "len=512..543", "tls.record=handshake", "tls.handshake=client-hello",
     "tls.cipher=AES128-GCM", "tls.ext=versions", "tls.offered=1.3", "tls.ext=alpn", NULL},
    {ASKS, "len=256..271", "tls.record=handshake", "tls.handshake=client-hello",
     "tls.cipher=RSA-AES128-GCM", "tls.cipher=ECDHE-RSA-AES128", "tls.cipher=2f", "tls.ext=ticket",
     "tls.ext=alpn", NULL}};
/* A record that is wanted comes before extensions are: only the first one is. */
static const char *const servers[][20] = {
    {ANSWERS, "tls.record=handshake", NULL},
    {ANSWERS, "tls.cipher=AES128-GCM", "tls.ext=alpn", NULL},
    {ANSWERS, "tls.record=change-cipher", NULL},
    {ANSWERS, "tls.ext=alpn", "tls.ext=ticket", "tls.handshake=ticket", NULL}};

/* Behind the server's hello in its segment: the type of what comes next, a message's or 256 for a change of the cipher; 0: nothing. */
static unsigned what_follows(const wire *w)
{
    const uint8_t *b = w->packet->data + w->packet->payload_off;
    size_t n = w->packet->payload_len, message = 9 + (size_t)wspi_load_be(b + 6, 3),
           record = 5 + (size_t)wspi_load_be(b + 3, 2);

    if (message < record)
        return message < n ? b[message] : 0;
    if (record + 6 > n)
        return 0;
    return b[record] == 20 ? 256 : b[record] == 22 ? b[record + 5] : 0;
}

/* RFC 5246 7.3, RFC 5077 3.3: without certificates goes on a session whose id, or ticket, the client has shown. */
static bool assert_session(const wire *w, const hello *client, const hello *server)
{
    unsigned next = what_follows(w);

    if (next == WSPI_TLS_TICKET)
        assert_true(has(&server->extensions, 35));
    if (is_new(server->ciphers.v[0]) || (next != WSPI_TLS_TICKET && next != 256))
        return false;
    assert_int_equal(server->session_len, client->session_len);
    assert_memory_equal(server->session, client->session, client->session_len);
    assert_true(client->session_len || client->ticket);
    return true;
}

static void servers_take_what_is_offered(void **state)
{
    unsigned new = 0, old = 0, resumed = 0, named = 0;
    hello client, server;
    wspi_rng r;
    wire w;

    (void)state;
    wspi_rng_seed(&r, 21);
    wire_open(&w);
    for (uint64_t flow = 0; flow < 4 * FLOWS; flow++) {
        wsp_filler fill = filler_of(flow);
        wire_again(&w);
        sample(&w, &fill, clients[WSPI_MIN(flow % 4, 2)], 0, WSPI_APP_TLS, &r);
        if (!hello_of(&w, &client, true, false))
            continue;
        assert_coherent(&client);
        sample(&w, &fill, servers[flow % 4], 1, WSPI_APP_TLS, &r);
        if (!hello_of(&w, &server, false, false))
            continue; /* it has refused */
        assert_taken(&client, &server);
        assert_int_equal(server.record, server.version); /* RFC 5246 E.1, RFC 8446 5.1 */
        new += is_new(server.ciphers.v[0]);
        old += !is_new(server.ciphers.v[0]);
        named += server.names_len > 0;
        resumed += assert_session(&w, &client, &server);
    }
    assert_true(new > FLOWS / 4);
    assert_true(old > FLOWS / 2);
    assert_true(named > 5);
    assert_true(resumed > 5);
    wire_close(&w);
}

/* RFC 8422 5.4, RFC 5246 7.4.3: a server's key is of a curve, and signed as, the client knows. Of TLS 1.2. */
static bool assert_key(const wire *w, const hello *client)
{
    const uint8_t *b = w->packet->data + w->packet->payload_off;
    size_t n = w->packet->payload_len;

    for (size_t at = 0; at + 9 <= n && b[at] == 22; at += 5 + (size_t)wspi_load_be(b + at + 3, 2)) {
        size_t len = 0;
        for (size_t m = at + 5; m + 8 <= n && m < at + 5 + wspi_load_be(b + at + 3, 2);
             m += 4 + len) {
            size_t point = m + 8 + b[m + 7];
            len = (size_t)wspi_load_be(b + m + 1, 3);
            if (b[m] != WSPI_TLS_SERVER_KEY || b[m + 4] != 3 || point + 2 > n)
                continue;
            if (client->groups.n)
                assert_true(has(&client->groups, (uint16_t)wspi_load_be(b + m + 5, 2)));
            if (client->signatures.n)
                assert_true(has(&client->signatures, (uint16_t)wspi_load_be(b + point, 2)));
            return true;
        }
    }
    return false;
}

static void keys_are_of_a_curve_and_signed_as_the_client_knows(void **state)
{
    static const char *const asks[] = {ASKS,
                                       "len=256..271",
                                       "tls.record=handshake",
                                       "tls.handshake=client-hello",
                                       "tls.cipher=RSA-AES128-GCM",
                                       "tls.ext=groups",
                                       "tls.ext=sigalgs",
                                       NULL};
    static const char *const answers[] = {ANSWERS,
                                          "tls.record=handshake",
                                          "tls.cipher=RSA-AES128-GCM",
                                          "tls.handshake=certificate",
                                          "tls.body=768..1023",
                                          "tls.handshake=server-key",
                                          NULL};
    unsigned keys = 0;
    hello client, server;
    wspi_rng r;
    wire w;

    (void)state;
    wspi_rng_seed(&r, 22);
    wire_open(&w);
    for (uint64_t flow = 0; flow < FLOWS; flow++) {
        wsp_filler fill = filler_of(flow);
        wire_again(&w);
        sample(&w, &fill, asks, 0, WSPI_APP_TLS, &r);
        if (!hello_of(&w, &client, true, false))
            continue;
        sample(&w, &fill, answers, 1, WSPI_APP_TLS, &r);
        if (hello_of(&w, &server, false, false) && server.version == 0x0303)
            keys += assert_key(&w, &client);
    }
    assert_true(keys > FLOWS / 6);
    wire_close(&w);
}

/* RFC 5246 7.4.9: of a session that goes on the client's cipher changes as the server's has, and Finished comes before data. */
static void the_cipher_changes_before_data_come(void **state)
{
    static const char *const talks[] = {"c2s gap=0", "len=512..543", "tcp.flags=PA",
                                        "tls.record=data", NULL};
    hello client, server;
    unsigned resumed = 0;
    wspi_rng r;
    wire w;

    (void)state;
    wspi_rng_seed(&r, 25);
    wire_open(&w);
    for (uint64_t flow = 0; flow < FLOWS; flow++) {
        wsp_filler fill = filler_of(flow);
        const char *change, *message, *data;
        wire_again(&w);
        sample(&w, &fill, clients[2], 0, WSPI_APP_TLS, &r);
        if (!hello_of(&w, &client, true, false))
            continue;
        sample(&w, &fill, servers[2], 1, WSPI_APP_TLS, &r);
        if (!hello_of(&w, &server, false, false) || !assert_session(&w, &client, &server) ||
            what_follows(&w) != 256 || !wspi_app_may_speak(w.dec, 0))
            continue;
        sample(&w, &fill, talks, 0, WSPI_APP_TLS, &r);
        change = strstr(w.drawn, "tls.record=change-cipher");
        message = strstr(w.drawn, "tls.record=handshake");
        data = strstr(w.drawn, "tls.record=data");
        assert_non_null(change);
        assert_true(!message || message > change);
        assert_true(!data || (message && message < data));
        resumed++;
    }
    assert_true(resumed > 5);
    wire_close(&w);
}

/* What nobody can take is refused: a client that has one cipher, which is none of those that have a token. */
static void servers_refuse_what_they_cannot_take(void **state)
{
    static const char *const answers[] = {ANSWERS, "tls.record=handshake", NULL};
    static const char ask[] = "\x16\x03\x01\x00\x2d\x01\x00\x00\x29\x03\x03"
                              "0123456789abcdefghijklmnopqrstuv"
                              "\x00\x00\x02\xc0\xff\x01\x00";
    wsp_filler fill = filler_of(1);
    wspi_rng r;
    wire w;

    (void)state;
    wspi_rng_seed(&r, 23);
    wire_open(&w);
    w.port = 443;
    segment(&w, BYTES(ask), sizeof ask - 1, 0, true);
    assert_named(&w, "tls.handshake=client-hello");
    sample(&w, &fill, answers, 1, WSPI_APP_TLS, &r);
    assert_named(&w, "tls.record=alert");
    wire_close(&w);
}

/* ---- DTLS ---- */

#define ASKS_DTLS                                                                          \
    "c2s first", "c2s gap=0", "stack=eth/ipv4/udp", "udp.sport=dynamic", "udp.dport=5684", \
        "len=256..271", "dtls.record=handshake", "dtls.message=client-hello"
#define ANSWERS_DTLS                                                                       \
    "s2c first", "s2c gap=0", "stack=eth/ipv4/udp", "udp.sport=5684", "udp.dport=dynamic", \
        "len=256..271", "dtls.record=handshake"

static void assert_repeated(const hello *first, const hello *second)
{
    assert_int_equal(first->version, second->version);
    assert_memory_equal(first->random, second->random, 32);
    assert_int_equal(first->ciphers.n, second->ciphers.n);
    assert_memory_equal(first->ciphers.v, second->ciphers.v,
                        first->ciphers.n * sizeof first->ciphers.v[0]);
    assert_int_equal(first->extensions.n, second->extensions.n);
    for (size_t i = 0; i < first->extensions.n; i++)
        assert_true(has(&second->extensions, first->extensions.v[i]));
}

/* RFC 6347 4.2.1: the client that has got a cookie says the same again, with it. */
static void clients_of_dtls_say_the_same_again_and_servers_take_of_it(void **state)
{
    static const char *const asks[] = {ASKS_DTLS, NULL};
    static const char *const asks_long[] = {ASKS_DTLS, "tls.cipher=other", NULL};
    static const char *const asks_briefly[] = {ASKS_DTLS, "tls.cipher=2f", "end", NULL};
    static const char *const *const all[] = {asks, asks_long, asks_briefly};
    static const char *const verifies[] = {ANSWERS_DTLS, "dtls.message=hello-verify", NULL};
    static const char *const answers[] = {ANSWERS_DTLS, "dtls.version=1.0",
                                          "dtls.message=server-hello", NULL};
    hello first, second, server;
    unsigned old = 0, taken = 0;
    wspi_rng r;
    wire w;

    (void)state;
    wspi_rng_seed(&r, 24);
    wire_open(&w);
    for (uint64_t flow = 0; flow < FLOWS; flow++) {
        wsp_filler fill = filler_of(flow);
        wire_again(&w);
        sample(&w, &fill, all[flow % 3], 0, WSPI_APP_DTLS, &r);
        assert_true(hello_of(&w, &first, true, true));
        assert_coherent(&first);
        sample(&w, &fill, verifies, 1, WSPI_APP_DTLS, &r);
        sample(&w, &fill, asks, 0, WSPI_APP_DTLS, &r);
        assert_true(hello_of(&w, &second, true, true));
        assert_repeated(&first, &second);
        sample(&w, &fill, answers, 1, WSPI_APP_DTLS, &r);
        if (!hello_of(&w, &server, false, true))
            continue;
        assert_taken(&second, &server);
        assert_int_equal(server.record, server.version);
        taken++;
        old += server.version == 0xfeff;
    }
    assert_true(taken > FLOWS / 2);
    assert_true(old > 5);
    wire_close(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(servers_take_what_is_offered),
        cmocka_unit_test(keys_are_of_a_curve_and_signed_as_the_client_knows),
        cmocka_unit_test(the_cipher_changes_before_data_come),
        cmocka_unit_test(servers_refuse_what_they_cannot_take),
        cmocka_unit_test(clients_of_dtls_say_the_same_again_and_servers_take_of_it),
    };

    (void)wsp_vocab_size();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
