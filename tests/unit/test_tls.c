/* SPDX-License-Identifier: Apache-2.0 */
/* test_tls.c: what samples of TLS 1.2 say after the hellos: certificates of every length, and whole handshakes, read again. */
#include "tests/unit/wire.h"
#include "token/app/tls_cert.h"
#include "token/app/tls_flight.h"

enum { FLOWS = 150, PACKETS = 40, STREAM = 1 << 17 };
static const uint64_t now = UINT64_C(1780000000) * 1000000000u;

/* ---- DER ---- */

typedef struct element {
    uint8_t tag;
    const uint8_t *b; /* its contents */
    size_t len;
} element;

/* The element that [b, end) begins with, its length in as few bytes as can be; returns where it ends. */
static const uint8_t *read_element(const uint8_t *b, const uint8_t *end, element *e)
{
    size_t bytes, bytes_of_length;

    assert_true(end - b >= 2);
    e->tag = *b++;
    e->len = *b++;
    if (e->len >= 128) {
        bytes_of_length = e->len - 128;
        assert_in_range(bytes_of_length, 1, 2);
        assert_true((size_t)(end - b) >= bytes_of_length);
        for (e->len = 0, bytes = bytes_of_length; bytes; bytes--)
            e->len = e->len << 8 | *b++;
        assert_true(e->len >= (bytes_of_length == 1 ? 128u : 256u));
    }
    assert_true(e->len <= (size_t)(end - b));
    e->b = b;
    return b + e->len;
}

/* Elements fill [b, end), and so do those inside of constructed ones. */
static void read_all(const uint8_t *b, const uint8_t *end)
{
    element e;

    while (b < end) {
        b = read_element(b, end, &e);
        if (e.tag & 0x20)
            read_all(e.b, e.b + e.len);
        if (e.tag == 0x02) {
            assert_true(e.len > 0);
            assert_true(e.len == 1 || e.b[0] || e.b[1] & 0x80);
            assert_false(e.b[0] & 0x80);
        }
    }
}

/* Elements of the part of a certificate that is signed. */
enum { SERIAL = 1, ISSUER = 3, VALIDITY, SUBJECT, EXTENSIONS = 7, PARTS };

static void read_certificate(const uint8_t *b, size_t len, element part[PARTS])
{
    element all, is_signed, e;
    const uint8_t *end = read_element(b, b + len, &all);

    assert_ptr_equal(end, b + len);
    read_all(b, end);
    b = read_element(all.b, end, &is_signed);
    assert_int_equal(is_signed.tag, 0x30);
    b = read_element(b, end, &e);
    assert_int_equal(e.tag, 0x30);
    b = read_element(b, end, &e);
    assert_int_equal(e.tag, 0x03);
    assert_ptr_equal(b, end);
    b = is_signed.b;
    for (size_t i = 0; i < PARTS; i++)
        b = read_element(b, is_signed.b + is_signed.len, &part[i]);
    assert_ptr_equal(b, is_signed.b + is_signed.len);
    assert_int_equal(part[0].tag, 0xa0);
    assert_int_equal(part[SERIAL].tag, 0x02);
    assert_in_range(part[SERIAL].len, 8, 20);
    assert_int_equal(part[EXTENSIONS].tag, 0xa3);
}

static void certificates_have_every_length(void **state)
{
    uint8_t b[WSPI_CERT_MAX];
    element part[PARTS];

    (void)state;
    for (unsigned kind = 0; kind < 6; kind++) {
        wspi_cert cert = {.start_ns = now, .level = kind / 2, .ec = kind & 1};
        size_t least = cert.ec ? WSPI_CERT_MIN_EC : WSPI_CERT_MIN_RSA;
        for (size_t len = least; len <= WSPI_CERT_MAX; len += len < least + 700 ? 1 : 61) {
            cert.seed = len * 31 + kind;
            wspi_cert_make(b, len, &cert);
            read_certificate(b, len, part);
        }
        for (cert.seed = 0; cert.seed < 300; cert.seed++) {
            wspi_cert_make(b, least, &cert);
            read_certificate(b, least, part);
        }
    }
}

/* That it is successful, and what kind of answer it is; then the answer, whose parts end where it does. */
static void read_status(const uint8_t *b, size_t len)
{
    element all, status, answer;
    const uint8_t *end = read_element(b, b + len, &all);

    assert_ptr_equal(end, b + len);
    b = read_element(all.b, end, &status);
    assert_int_equal(status.tag, 0x0a);
    assert_int_equal(status.b[0], 0);
    assert_ptr_equal(read_element(b, end, &answer), end);
    read_element(answer.b, end, &answer);
    assert_ptr_equal(answer.b + answer.len, end);
    b = read_element(answer.b, end, &all);
    assert_int_equal(all.tag, 0x06);
    assert_ptr_equal(read_element(b, end, &answer), end);
    assert_int_equal(answer.tag, 0x04);
    read_all(answer.b, answer.b + answer.len);
}

static void answers_of_ocsp_have_a_certificate_where_there_is_room(void **state)
{
    uint8_t b[WSPI_CERT_MAX];

    (void)state;
    for (unsigned ec = 0; ec < 2; ec++)
        for (size_t want = 0; want <= 2 * WSPI_STATUS_MAX; want += 37) {
            wspi_cert cert = {.start_ns = now, .ec = ec, .seed = want};
            size_t len = wspi_cert_status_len(want, &cert);
            assert_in_range(len, 200, WSPI_STATUS_MAX);
            assert_true(len == want || want < 1400 || want > WSPI_STATUS_MAX);
            wspi_cert_status_make(b, len, &cert);
            read_status(b, len);
        }
}

static void a_certificate_names_who_has_the_next_one_and_is_the_same_again(void **state)
{
    uint8_t b[2][WSPI_CERT_MAX];
    element part[2][PARTS];
    wspi_cert cert = {.seed = 7, .start_ns = now};

    (void)state;
    wspi_cert_make(b[0], 1200, &cert);
    wspi_cert_make(b[1], 1200, &cert);
    assert_memory_equal(b[0], b[1], 1200);
    cert.level = 1;
    wspi_cert_make(b[1], 1431, &cert);
    read_certificate(b[0], 1200, part[0]);
    read_certificate(b[1], 1431, part[1]);
    assert_int_equal(part[0][ISSUER].len, part[1][SUBJECT].len);
    assert_memory_equal(part[0][ISSUER].b, part[1][SUBJECT].b, part[0][ISSUER].len);
    assert_memory_equal(part[0][VALIDITY].b + 2, "25", 2); /* in 2026 */
    assert_memory_equal(part[0][VALIDITY].b + 17, "27", 2);
}

/* ---- handshakes ---- */

typedef struct flow {
    uint8_t b[2][STREAM];
    size_t n[2], longest;
    unsigned split; /* certificates that go on in another segment */
    bool takes;     /* the status of the certificate is asked for and promised */
} flow;

/* The first one only of those who ask for the status of the certificate. */
static const char *const greets[] = {"tls.ext=status",
                                     "c2s first",
                                     "stack=eth/ipv4/tcp",
                                     "tcp.sport=dynamic",
                                     "tcp.dport=443",
                                     "len=256..271",
                                     "tcp.flags=PA",
                                     "tls.record=handshake",
                                     "tls.handshake=client-hello",
                                     NULL};
static const char *const asks[] = {
    "c2s gap=0", "len=256..271", "tcp.flags=PA", "tls.record=handshake", "tls.handshake=client-key",
    NULL};
/* The first one of a server that has been asked, which refuses nothing. */
static const char *const answers[] = {"tls.record=handshake",
                                      "s2c first",
                                      "s2c gap=0",
                                      "stack=eth/ipv4/tcp",
                                      "tcp.sport=443",
                                      "tcp.dport=dynamic",
                                      "len=1408..1471",
                                      "tcp.flags=PA",
                                      "tls.handshake=server-hello",
                                      "tls.handshake=certificate",
                                      "tls.handshake=server-key",
                                      "tls.handshake=server-done",
                                      "tls.handshake=ticket",
                                      NULL};
/* Of a server that takes that up, if it does not refuse. */
static const char *const takes[] = {"s2c first",          "s2c gap=0",
                                    "stack=eth/ipv4/tcp", "tcp.sport=443",
                                    "tcp.dport=dynamic",  "len=1408..1471",
                                    "tcp.flags=PA",       "tls.handshake=server-hello",
                                    "tls.ext=status",     NULL};

static void speak(wire *w, const wsp_filler *fill, flow *f, wspi_rng *r)
{
    int dir = !wspi_app_may_speak(w->dec, 0);
    bool asked = w->dec->app.mode[0] >> 4 == WSPI_TLS_ASKED;
    const wsp_packet *p = w->packet;

    if (dir == 0)
        sample(w, fill, w->dec->started ? asks : greets + !f->takes, 0, WSPI_APP_TLS, r);
    else
        sample(w, fill, asked && f->takes ? takes : answers + !asked, 1, WSPI_APP_TLS, r);
    assert_true(f->n[dir] + p->payload_len <= STREAM);
    memcpy(f->b[dir] + f->n[dir], p->data + p->payload_off, p->payload_len);
    f->n[dir] += p->payload_len;
    f->longest = WSPI_MAX(f->longest, p->payload_len);
    f->split += dir == 1 && w->dec->app.left[1] > 0;
    assert_int_equal(w->dec->app.left[dir], w->enc->app.left[dir]);
}

/* Packets of a flow until the client has changed its cipher; flows of TLS 1.3, and what was refused, say nothing that could be read. */
static bool converse(wire *w, uint64_t seed, flow *f)
{
    wsp_filler fill = {.seed = seed,
                       .start_ns = now,
                       .client.mac = {2, 1},
                       .server.mac = {2, 2},
                       .client.ip = {10, 0, 0, 1},
                       .server.ip = {10, 0, 0, 2},
                       .client_port = (uint16_t)(50000 + seed)};
    bool mute = false;
    wspi_rng r;

    wspi_rng_seed(&r, seed);
    memset(f, 0, sizeof *f);
    f->takes = seed % 2;
    wire_again(w);
    for (int k = 0; k < PACKETS && !mute && !(w->dec->app.mode[0] & 1); k++) {
        speak(w, &fill, f, &r);
        mute = w->dec->app.mode[0] >> 4 == WSPI_TLS_OPEN ||
               w->dec->app.mode[0] >> 4 == WSPI_TLS_REFUSED;
    }
    return !mute;
}

static uint32_t number(const uint8_t *b, size_t n)
{
    uint32_t v = 0;

    while (n--)
        v = v << 8 | *b++;
    return v;
}

static void read_chain(const uint8_t *b, size_t len)
{
    element part[PARTS];

    assert_int_equal(number(b, 3), len - 3);
    for (size_t at = 3; at < len;) {
        size_t n = number(b + at, 3);
        assert_true(at + 3 + n <= len);
        read_certificate(b + at + 3, n, part);
        at += 3 + n;
    }
}

/* ECDHE: curve, point, signature; otherwise lengths that add up. */
static void read_server_key(const uint8_t *b, size_t len)
{
    size_t at = 0;

    if (b[0] == 3)
        at = 4 + b[3];
    else
        for (int i = 0; i < 3; i++)
            at += 2 + number(b + at, 2);
    at += number(b + at, 2) == len - at - 2 ? 0 : 2;
    assert_int_equal(number(b + at, 2), len - at - 2);
}

/* Messages of a direction up to its change of the cipher: their types, which are in whole records. */
static size_t read_stream(const uint8_t *b, size_t n, uint8_t types[16])
{
    size_t found = 0;

    for (size_t at = 0; at + 5 <= n && b[at] == 22; at += 5 + number(b + at + 3, 2)) {
        size_t end = at + 5 + number(b + at + 3, 2);
        assert_true(end <= n);
        for (size_t m = at + 5; m < end; m += 4 + number(b + m + 1, 3)) {
            size_t len = number(b + m + 1, 3);
            assert_true(m + 4 + len <= end);
            assert_true(found < 16);
            types[found++] = b[m];
            if (b[m] == WSPI_TLS_CERTIFICATE)
                read_chain(b + m + 4, len);
            else if (b[m] == WSPI_TLS_STATUS) {
                assert_int_equal(b[m + 4], 1);
                assert_int_equal(number(b + m + 5, 3), len - 4);
                read_status(b + m + 8, len - 4);
            } else if (b[m] == WSPI_TLS_SERVER_KEY)
                read_server_key(b + m + 4, len);
            else if (b[m] == WSPI_TLS_SERVER_DONE)
                assert_int_equal(len, 0);
        }
    }
    return found;
}

static void sampled_handshakes_can_be_read_whole_and_in_order(void **state)
{
    static const uint8_t with_key[] = {2, 11, 12, 14}, without[] = {2, 11, 14};
    flow *f = wspi_new_array(1, sizeof *f);
    unsigned whole = 0, split = 0, full = 0, stapled = 0;
    uint8_t types[16];
    wire w;

    (void)state;
    assert_non_null(f);
    wire_open(&w);
    for (uint64_t seed = 0; seed < FLOWS; seed++) {
        size_t n;
        if (!converse(&w, seed, f))
            continue;
        n = read_stream(f->b[1], f->n[1], types);
        if (n == 2)
            continue;                      /* a ticket: the session goes on */
        if (types[2] == WSPI_TLS_STATUS) { /* behind the certificate */
            memmove(types + 2, types + 3, --n - 2);
            stapled++;
        }
        assert_in_range(n, 3, 4);
        assert_memory_equal(types, n == 4 ? with_key : without, n);
        assert_int_equal(read_stream(f->b[0], f->n[0], types), 2);
        assert_int_equal(types[0], WSPI_TLS_CLIENT_HELLO);
        assert_int_equal(types[1], WSPI_TLS_CLIENT_KEY);
        whole++;
        split += f->split > 0;
        full += f->longest >= 1408;
    }
    assert_true(whole > FLOWS / 3);
    assert_true(split > 10);
    assert_true(full > 10);
    assert_in_range(stapled, 5, whole - 5);
    wire_close(&w);
    free(f);
}

static void the_same_seed_gives_the_same_handshake(void **state)
{
    flow *f = wspi_new_array(2, sizeof *f);
    wire w;

    (void)state;
    assert_non_null(f);
    wire_open(&w);
    for (uint64_t seed = 0; seed < 20; seed++) {
        (void)converse(&w, seed, &f[0]);
        (void)converse(&w, seed, &f[1]);
        assert_memory_equal(&f[0], &f[1], sizeof *f);
    }
    wire_close(&w);
    free(f);
}

static void sampled_messages_are_fields_when_they_are_read_again(void **state)
{
    static const char *const names[] = {"tls.handshake=client-hello", "tls.handshake=server-hello",
                                        "tls.handshake=certificate", "tls.handshake=server-done",
                                        "tls.handshake=client-key"};
    wsp_filler fill = {.start_ns = now, .client_port = 50000, .client.ip = {10}, .server.ip = {11}};
    flow *f = wspi_new_array(1, sizeof *f);
    bool seen[WSPI_COUNT(names)] = {false};
    wspi_rng r;
    wire w;

    (void)state;
    assert_non_null(f);
    wspi_rng_seed(&r, 3);
    wire_open(&w);
    for (fill.seed = 0; fill.seed < 10; fill.seed++) {
        wire_again(&w);
        f->n[0] = f->n[1] = 0;
        for (int k = 0; k < 8; k++) {
            speak(&w, &fill, f, &r);
            for (size_t i = 0; i < WSPI_COUNT(names); i++)
                seen[i] |= strstr(w.names, names[i]) != NULL;
        }
    }
    for (size_t i = 0; i < WSPI_COUNT(names); i++)
        assert_true(seen[i]);
    wire_close(&w);
    free(f);
}

/* ---- what is drawn token by token ---- */

/* Draws these tokens, all of which are legal; returns their number. */
static size_t draw(wire *w, const wsp_filler *fill, const char *const *names, uint16_t *ids)
{
    size_t n = 0;

    for (; names[n]; n++) {
        uint16_t id = token_of(names[n]);
        if (!may_go_on(w, fill, ids, n, id))
            fail_msg("%s is not legal as token %zu", names[n], n);
        ids[n] = id;
    }
    return n;
}

/* The packet of these tokens, of which all is read again as it was drawn, but for the length. */
static void say(wire *w, const wsp_filler *fill, const char *const *names, int dir)
{
    uint16_t ids[WSP_MAX_PACKET_TOKENS];
    size_t n = draw(w, fill, names, ids), read = 0;
    const char *at = w->names;
    wsp_residual *resid;
    wsp_decoded out;

    assert_int_equal(wsp_grammar_build(w->decoder, w->dec, ids, n, fill, &out, NULL), WSP_OK);
    assert_int_equal(out.dir, dir);
    wsp_packet_dissect(w->packet, 1, &out.frame);
    assert_int_equal(wsp_residual_new(&resid), WSP_OK);
    assert_int_equal(wsp_encode_packet(w->enc, w->packet, dir, w->number++, ids, &read, resid),
                     WSP_OK);
    keep_names(w, ids, read);
    for (size_t i = 0; i < n; i++)
        if (strncmp(names[i], "tls.", 4) == 0) {
            at = strstr(at, names[i]);
            if (!at)
                fail_msg("%s was not read again:%s", names[i], w->names);
        }
    wsp_residual_free(resid);
}

static const wsp_filler anybody = {.seed = 5,
                                   .start_ns = now,
                                   .client_port = 50000,
                                   .client = {.mac = {2, 1}, .ip = {10}},
                                   .server = {.mac = {2, 2}, .ip = {11}}};

#define TO_SERVER(len)                                                                            \
    "c2s first", len, "stack=eth/ipv4/tcp", "eth.dst=local", "eth.src=local", "ipv4.src=private", \
        "ipv4.dst=public", "tcp.sport=dynamic", "tcp.dport=443", "tcp.flags=PA",                  \
        "tcp.window=512..575", "app=tls"

/* As a browser says it: GREASE in all lists, two extensions of it, and padding up to 512 bytes. */
static const char *const browser[] = {TO_SERVER("len=512..543"),
                                      "tls.record=handshake",
                                      "tls.version=1.0",
                                      "tls.handshake=client-hello",
                                      "tls.cipher=other",
                                      "tls.cipher=AES128-GCM",
                                      "tls.cipher=AES256-GCM",
                                      "tls.cipher=CHACHA20",
                                      "tls.cipher=2f",
                                      "tls.ext=other",
                                      "tls.extlen=0",
                                      "tls.ext=renegotiation",
                                      "tls.extlen=1",
                                      "tls.ext=groups",
                                      "tls.group=other",
                                      "tls.group=x25519",
                                      "tls.ext=sigalgs",
                                      "tls.sigalg=ecdsa-256",
                                      "tls.ext=key-share",
                                      "tls.extlen=32..47",
                                      "tls.ext=versions",
                                      "tls.offered=other",
                                      "tls.offered=1.3",
                                      "tls.offered=1.2",
                                      "tls.ext=other",
                                      "tls.extlen=1",
                                      "tls.ext=padding",
                                      "tls.extlen=256..383",
                                      "end",
                                      NULL};

static void samples_have_grease_and_padding(void **state)
{
    wire w;

    (void)state;
    wire_open(&w);
    say(&w, &anybody, browser, 0);
    assert_int_equal(w.packet->payload_len, 517);
    wire_close(&w);
}

/* ---- hellos that are longer than what models read of a packet ---- */

static size_t count_of(const wire *w, const char *name)
{
    size_t n = 0;

    for (const char *at = strstr(w->names, name); at; at = strstr(at + 1, name))
        n++;
    return n;
}

/* A hello of so many ciphers that its tokens, with those that come then, are 64 or more; and the end. */
static void cut_hello(wire *w, const char *len, size_t ciphers, const char *const *then)
{
    static const char *const begin[] = {"tls.record=handshake", "tls.version=1.0",
                                        "tls.handshake=client-hello", "tls.session=0"};
    uint16_t first = token_of("tls.cipher=ECDSA-AES128-GCM");
    const char *all[80] = {TO_SERVER(len)};
    char names[64][32];
    size_t n = 12;

    for (size_t i = 0; i < WSPI_COUNT(begin); i++)
        all[n++] = begin[i];
    for (size_t i = 0; i < ciphers; i++)
        all[n++] = wsp_vocab_name((uint16_t)(first + i), names[i], sizeof names[i]);
    while (*then)
        all[n++] = *then++;
    assert_true(n >= 64);
    all[n] = "end";
    say(w, &anybody, all, 0);
}

static void lists_have_nothing_twice(void **state)
{
    static const char *const begin[] = {
        TO_SERVER("len=192..199"), "tls.record=handshake", "tls.handshake=client-hello",
        "tls.cipher=other",        "tls.cipher=9c",        NULL};
    uint16_t ids[32];
    size_t n;
    wire w;

    (void)state;
    wire_open(&w);
    n = draw(&w, &anybody, begin, ids);
    assert_true(may_go_on(&w, &anybody, ids, n - 2, token_of("tls.cipher=AES128-GCM")));
    assert_false(may_go_on(&w, &anybody, ids, n, token_of("tls.cipher=9c")));
    assert_true(may_go_on(&w, &anybody, ids, n, token_of("tls.cipher=9d")));
    assert_true(may_go_on(&w, &anybody, ids, n, token_of("tls.cipher=other")));
    wire_close(&w);
}

static void long_hellos_go_on_as_long_as_was_drawn(void **state)
{
    static const char *const none[] = {NULL};
    static const char *const curves[] = {"tls.ext=point-formats",
                                         "tls.extlen=4..5",
                                         "tls.ext=groups",
                                         "tls.group=k571",
                                         "tls.group=b571",
                                         "tls.group=p256",
                                         NULL};
    wire w;

    (void)state;
    wire_open(&w);
    cut_hello(&w, "len=288..303", 48, none);
    assert_in_range(w.packet->payload_len, 288, 303);
    assert_int_equal(count_of(&w, "tls.ext=heartbeat"), 1);
    assert_int_equal(count_of(&w, "tls.group="), 25);
    assert_in_range(count_of(&w, "tls.cipher="), 49, 70);
    wire_again(&w);
    cut_hello(&w, "len=512..543", 48, none);
    assert_int_equal(w.packet->payload_len, 517);
    assert_int_equal(count_of(&w, "tls.ext=padding"), 1);
    wire_again(&w);
    cut_hello(&w, "len=192..199", 42, curves);
    assert_in_range(w.packet->payload_len, 192, 199);
    assert_in_range(count_of(&w, "tls.group="), 20, 25);
    wire_again(&w);
    cut_hello(&w, "len=96..99", 48, none); /* there was no more to say */
    assert_int_equal(count_of(&w, "tls.ext="), 0);
    wire_close(&w);
}

/* ---- alerts ---- */

static const char *const refuses[] = {
    "s2c gap=0", "len=7", "tcp.flags=PA", "tcp.window=512..575", "tls.record=alert", "end", NULL};

static void servers_refuse_hellos_and_nobody_says_more(void **state)
{
    wire w;

    (void)state;
    wire_open(&w);
    say(&w, &anybody, browser, 0);
    assert_false(wspi_app_may_speak(w.dec, 0));
    say(&w, &anybody, refuses, 1);
    assert_int_equal(w.packet->payload_len, 7);
    assert_int_equal(w.packet->data[w.packet->payload_off + 5], 2); /* fatal */
    for (int dir = 0; dir < 2; dir++) {
        assert_false(wspi_app_may_speak(w.dec, dir));
        assert_false(wspi_app_may_speak(w.enc, dir));
    }
    assert_true(wspi_app_may_end(w.dec));
    wire_close(&w);
}

static void who_is_left_alone_says_goodbye(void **state)
{
    static const char *const says[] = {"c2s gap=0", "len=7", "tls.record=alert", "end", NULL};
    uint16_t ids[4];
    size_t n;
    wire w;

    (void)state;
    wire_open(&w);
    say(&w, &anybody, browser, 0);
    w.dec->sent[1] |= WSPI_TH_FIN; /* of a server that should have answered */
    n = draw(&w, &anybody, says, ids);
    assert_false(may_go_on(&w, &anybody, ids, n - 2, token_of("tls.record=handshake")));
    say(&w, &anybody, says, 0);
    assert_int_equal(w.packet->payload_len, 7);
    assert_memory_equal(w.packet->data + w.packet->payload_off + 3, "\0\2\1\0", 4);
    assert_false(wspi_app_may_speak(w.dec, 0));
    wire_close(&w);
}

/* A record of data, of a flow seen from its middle, and an alert behind it. */
static void sealed_alerts_are_as_long_as_their_segment(void **state)
{
    static const char *const says[] = {TO_SERVER("len=31"), "tls.record=alert", "tls.length=24..27",
                                       "end", NULL};
    static const char *const more[] = {"c2s gap=0",         "len=36..37", "tls.record=alert",
                                       "tls.length=32..39", "end",        NULL};
    static const char *const untold[] = {"c2s gap=0", "len=56..57", "tls.record=alert", "end",
                                         NULL};
    wire w;

    (void)state;
    wire_open(&w);
    say(&w, &anybody, says, 0);
    assert_int_equal(w.packet->payload_len, 31);
    say(&w, &anybody, more, 0);
    assert_int_equal(w.packet->payload_len, 37);
    say(&w, &anybody, untold, 0);
    assert_int_equal(w.packet->payload_len, 31);
    wire_close(&w);
}

/* A record of data that is longer than its segment. */
static void sampled_records_go_on_in_the_next_segments(void **state)
{
    static const char *const begins[] = {"c2s first",
                                         "stack=eth/ipv4/tcp",
                                         "tcp.sport=dynamic",
                                         "tcp.dport=443",
                                         "len=1408..1471",
                                         "tcp.flags=PA",
                                         "app=tls",
                                         "tls.record=data",
                                         "tls.length=4096..5119",
                                         NULL};
    static const char *const more[] = {"c2s gap=0", "len=1408..1471", "tcp.flags=PA", "end", NULL};
    wsp_filler fill = {.start_ns = now, .client_port = 50000, .client.ip = {10}, .server.ip = {11}};
    uint32_t left;
    wspi_rng r;
    wire w;

    (void)state;
    wspi_rng_seed(&r, 4);
    wire_open(&w);
    sample(&w, &fill, begins, 0, WSPI_APP_TLS, &r);
    left = w.dec->app.left[0];
    assert_in_range(left, 2600, 3800);
    for (int k = 0; k < 3; k++) {
        sample(&w, &fill, more, 0, WSPI_APP_TLS, &r);
        assert_in_range(w.packet->payload_len, WSPI_MIN(left, 1408), 1460);
        assert_int_equal(w.dec->app.left[0], w.enc->app.left[0]);
        left -= WSPI_MIN(left, w.packet->payload_len);
        assert_true(left == 0 || w.dec->app.left[0] == left);
    }
    assert_int_equal(left, 0);
    wire_close(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(certificates_have_every_length),
        cmocka_unit_test(answers_of_ocsp_have_a_certificate_where_there_is_room),
        cmocka_unit_test(a_certificate_names_who_has_the_next_one_and_is_the_same_again),
        cmocka_unit_test(sampled_handshakes_can_be_read_whole_and_in_order),
        cmocka_unit_test(the_same_seed_gives_the_same_handshake),
        cmocka_unit_test(sampled_messages_are_fields_when_they_are_read_again),
        cmocka_unit_test(samples_have_grease_and_padding),
        cmocka_unit_test(lists_have_nothing_twice),
        cmocka_unit_test(long_hellos_go_on_as_long_as_was_drawn),
        cmocka_unit_test(servers_refuse_hellos_and_nobody_says_more),
        cmocka_unit_test(who_is_left_alone_says_goodbye),
        cmocka_unit_test(sealed_alerts_are_as_long_as_their_segment),
        cmocka_unit_test(sampled_records_go_on_in_the_next_segments),
    };

    (void)wsp_vocab_size();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
