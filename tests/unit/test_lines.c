/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_lines.c: SMTP, POP3, IMAP and FTP: dialogues whole, cut and damaged; which protocol a line is of; what stays hidden;
 * samples.
 */
#include "token/app/lines.h"

#include "tests/unit/wire.h"

static const wire_message mail[] = {
    {BYTES("220 mx.example.org ESMTP Postfix (Ubuntu)\r\n"),
     false,
     1,
     {"app=smtp", "smtp.line=220 ", "smtp.name=12..15", "smtp.item=ESMTP Postfix (Ubuntu)"}},
    {BYTES("EHLO a.example\r\n"), false, 0, {"smtp.line=EHLO", "smtp.name=8..11"}},
    {BYTES("250-mx.example.org\r\n250-PIPELINING\r\n250-SIZE 1000\r\n250 STARTTLS\r\n"),
     false,
     1,
     {"smtp.line=250-", "smtp.item=PIPELINING", "smtp.item=SIZE", "smtp.number=512..1023",
      "smtp.item=STARTTLS"}},
    {BYTES("mail from:<ann@a.example> SIZE=310\r\nRCPT TO:<bob@b.example>\r\nDATA\r\n"),
     false,
     0,
     {"smtp.form=lower", "smtp.line=MAIL FROM:<", "smtp.item=SIZE=", "smtp.form=upper",
      "smtp.line=RCPT TO:<", "smtp.line=DATA"}},
    {BYTES("250 2.1.0 Ok\r\n250 2.1.5 Ok\r\n354 Start mail input\r\n"),
     false,
     1,
     {"smtp.item=2.1.0 Ok", "smtp.line=354 "}},
    {BYTES("Subject: x\r\n\r\nUSER text\r\n..\r\n"), false, 0, {NULL}},
    {BYTES(".\r\nQUIT\n"), false, 0, {"smtp.body=ends-before", "smtp.line=QUIT"}},
    {BYTES("250 2.0.0 Ok: queued as 4F1A\r\n"), false, 1, {"smtp.item=2.0.0 Ok: queued"}},
};

static const wire_message chunks[] = {
    {BYTES("220 ESMTP\r\n"), false, 1, {"app=smtp"}},
    {BYTES("BDAT 10\r\n01234"), false, 0, {"smtp.line=BDAT", "smtp.number=8..15"}},
    {BYTES("56789BDAT 3 LAST\r\n\xff\xfe\xfd"), false, 0, {"smtp.line=BDAT", "smtp.item=LAST"}},
    {BYTES("250 x  y \x01 \t \r\n250\r\n299 (a)b\r\n"), false, 1, {"smtp.line=text"}},
};

static const wire_message drop[] = {
    {BYTES("+OK POP3 server ready\r\n"), false, 1, {"app=pop3", "pop3.item=POP3 server ready"}},
    {BYTES("USER ann\r\n"), false, 0, {"pop3.line=USER", "pop3.name=3"}},
    {BYTES("+OK\r\n"), false, 1, {"pop3.line=+OK"}},
    {BYTES("LIST\r\n"), false, 0, {"pop3.line=LIST"}},
    {BYTES("+OK 2 messages\r\n1 120\r\n2 200\r\n.\r\n"),
     false,
     1,
     {"pop3.line=text", "pop3.number=64..127", "pop3.line=."}},
    {BYTES("RETR 1\r\nRETR 2\r\n"), false, 0, {"pop3.line=RETR"}},
    {BYTES("+OK 120 octets\r\nFrom: x\r\n\r\n+OK"), false, 1, {"pop3.item=octets"}},
    {BYTES("\r\n.\r\n+OK\r\nx\r\n.\r\n"), false, 1, {"pop3.body=ends-before", "pop3.body=ends"}},
    {BYTES("QUIT\r\n"), false, 0, {"pop3.line=QUIT"}},
};

static const wire_message box[] = {
    {BYTES("* OK [CAPABILITY IMAP4rev1 IDLE] Dovecot ready.\r\n"),
     false,
     1,
     {"app=imap", "imap.line=* OK", "imap.item=[CAPABILITY", "imap.item=Dovecot ready."}},
    {BYTES("x8 LOGIN ann secret\r\nx9 noop\r\n"),
     false,
     0,
     {"imap.line=LOGIN", "imap.tag=spelled", "imap.line=NOOP", "imap.form=lower"}},
    {BYTES("x9 OK Logged in\r\n"), false, 1, {"imap.line=OK", "imap.item=Logged in"}},
    {BYTES("x10 FETCH 1:* (FLAGS)\r\n"), false, 0, {"imap.line=FETCH", "imap.item=(FLAGS)"}},
    {BYTES("* 1 FETCH (BODY[] {12}\r\nSubject: "), false, 1, {"imap.item=literal"}},
    {BYTES("\r\n\xff)\r\n* 2 EXISTS\r\nx10 OK done\r\n"),
     false,
     1,
     {"imap.item=EXISTS", "imap.line=OK"}},
    {BYTES("x11 APPEND INBOX {4+}\r\n\x00\x01\x02\x03\r\nx12 IDLE\r\n"),
     false,
     0,
     {"imap.item=literal+", "imap.line=IDLE"}},
    {BYTES("+ idling\r\n"), false, 1, {"imap.line=+", "imap.item=idling"}},
    {BYTES("DONE\r\n"), false, 0, {"imap.line=DONE"}},
};

static const wire_message files[] = {
    {BYTES("220 (vsFTPd 3.0.3)\r\n"), false, 1, {"app=ftp", "ftp.item=(vsFTPd 3.0.3)"}},
    {BYTES("USER ann\r\n"), false, 0, {"ftp.line=USER"}},
    {BYTES("331 Please specify the password.\r\n"), false, 1, {"ftp.line=331 "}},
    {BYTES("PASV\r\n"), false, 0, {"ftp.line=PASV"}},
    {BYTES("227 Entering Passive Mode (10,0,0,2,195,80).\r\n"),
     false,
     1,
     {"ftp.item=Entering Passive Mode (", "ftp.item=host-port", "ftp.item=)."}},
    {BYTES("PORT 10,9,9,9,4,1\r\nEPSV\r\n"), false, 0, {"ftp.host=changed", "ftp.line=EPSV"}},
    {BYTES("229 Entering Extended Passive Mode (|||50000|)\r\n"), false, 1, {"ftp.item=port"}},
    {BYTES("257 \"/home/ann\" is the current directory\r\n"), false, 1, {"ftp.line=257 "}},
    {BYTES("211-Features:\r\n MDTM\r\n211 End\r\n"), false, 1, {"ftp.line=211-", "ftp.item=MDTM"}},
    {BYTES("rest 100\r\n"), false, 0, {"ftp.line=REST", "ftp.number=64..127"}},
};

static void mails_come_back_whole_cut_and_damaged(void **state)
{
    (void)state;
    all_come_back(mail, WSPI_COUNT(mail));
    all_come_back(chunks, WSPI_COUNT(chunks));
}

static void mail_drops_come_back_whole_cut_and_damaged(void **state)
{
    (void)state;
    all_come_back(drop, WSPI_COUNT(drop));
}

static void mailboxes_come_back_whole_cut_and_damaged(void **state)
{
    (void)state;
    all_come_back(box, WSPI_COUNT(box));
}

static void file_transfers_come_back_whole_cut_and_damaged(void **state)
{
    (void)state;
    all_come_back(files, WSPI_COUNT(files));
}

/* So lists can be looked up by value; and no token has the name of another. */
static void rows_have_the_numbers_of_their_places(void **state)
{
    static const wspi_lines *const all[] = {&wspi_lines_smtp, &wspi_lines_pop3, &wspi_lines_imap,
                                            &wspi_lines_ftp};

    (void)state;
    for (size_t i = 0; i < WSPI_COUNT(all); i++) {
        for (unsigned k = 0; k < all[i]->n_lines; k++) {
            assert_int_equal(all[i]->lines[k].value, k);
            assert_true(strlen(all[i]->lines[k].name) < 40);
            for (unsigned j = 0; j < k; j++)
                assert_string_not_equal(all[i]->lines[j].name, all[i]->lines[k].name);
        }
        for (unsigned k = 0; k < all[i]->n_items; k++) {
            assert_int_equal(all[i]->items[k].value, k);
            for (unsigned j = 0; j < k; j++)
                assert_string_not_equal(all[i]->items[j].name, all[i]->items[k].name);
        }
    }
}

static void put(wire *w, int dir, const char *s)
{
    segment(w, s, strlen(s), strlen(s), dir, true);
}

/* What a greeting does not tell, a command does. */
static void a_greeting_of_either_becomes_what_the_dialogue_is(void **state)
{
    wire w;

    (void)state;
    wire_open(&w);
    put(&w, 1, "220 host.example\r\n");
    assert_named(&w, "app=smtp");
    put(&w, 0, "USER ann\r\n");
    assert_named(&w, "app=ftp");
    put(&w, 1, "331 go on\r\n");
    put(&w, 0, "NOOP\r\n");
    assert_null(strstr(w.names, "app="));
    put(&w, 1, "200 ok\r\n");
    assert_int_equal(w.enc->app.id[1], WSPI_APP_FTP);
    wire_again(&w);
    put(&w, 1, "220 Welcome\r\n");
    assert_named(&w, "app=ftp");
    put(&w, 0, "EHLO a.example\r\n");
    assert_named(&w, "app=smtp");
    put(&w, 1, "250 a\r\n");
    assert_named(&w, "app=smtp");
    wire_again(&w);
    put(&w, 1, "+OK\r\n");
    put(&w, 0, "USER ann\r\n");
    assert_int_equal(w.enc->app.id[0], WSPI_APP_POP3);
    wire_close(&w);
}

/* The same words in other protocols. */
static void answers_to_something_else_are_not_taken(void **state)
{
    wire w;

    (void)state;
    wire_open(&w);
    put(&w, 0, "*1\r\n$4\r\nPING\r\n");
    put(&w, 1, "+OK\r\n");
    assert_null(strstr(w.names, "app="));
    wire_again(&w);
    put(&w, 0, "GET / HTTP/1.1\r\n\r\n");
    put(&w, 1, "220 x\r\n");
    assert_int_equal(w.enc->app.id[1], 0);
    wire_again(&w);
    put(&w, 0, "USER a 0 * :b\r\n");
    assert_int_equal(w.enc->app.id[0], 0);
    wire_close(&w);
}

static void tls_takes_over_after_its_command(void **state)
{
    wire w;

    (void)state;
    wire_open(&w);
    put(&w, 1, "220 a.example ESMTP\r\n");
    put(&w, 0, "STARTTLS\r\n");
    assert_named(&w, "smtp.line=STARTTLS");
    put(&w, 1, "220 TLS go ahead\r\n");
    segment(&w, BYTES("\x16\x03\x01\x00\x04\x0e\x00\x00\x00"), 9, 0, true);
    assert_named(&w, "app=tls");
    segment(&w, BYTES("\x16\x03\x03\x00\x04\x0e\x00\x00\x00"), 9, 1, true);
    assert_int_equal(w.enc->app.id[1], WSPI_APP_TLS);
    wire_close(&w);
}

/* What a model sees of a payload by the policy for classifiers. */
static void view(const uint16_t *ids, size_t n, char *out, size_t len)
{
    uint16_t seen[WSP_MAX_PACKET_TOKENS];
    char name[128];
    size_t at = 0;

    n = wsp_policy_apply(wsp_policy_get("identity-free"), ids, n, SIZE_MAX, WSP_MAX_PACKET_TOKENS,
                         NULL, seen);
    out[0] = 0;
    for (size_t i = 0; i < n; i++)
        at +=
            (size_t)snprintf(out + at, len - at, "%s ", wsp_vocab_name(seen[i], name, sizeof name));
}

static void seen_of(int dir, const char *first, const char *s, char *out, size_t len)
{
    uint16_t ids[WSP_MAX_PACKET_TOKENS];
    uint8_t b[ROOM];
    wsp_residual *r;
    size_t n;
    wire w;

    wire_open(&w);
    if (first)
        put(&w, 1, first);
    put_headers(b, 20 + strlen(s), 6, dir);
    put16(b + 38, w.seq[dir] >> 16);
    put16(b + 40, w.seq[dir]);
    put16(b + 46, 0x5018);
    memcpy(b + HEADERS_TCP, s, strlen(s));
    wsp_packet_dissect(w.packet, 1,
                       &(wsp_frame){.caplen = (uint32_t)(HEADERS_TCP + strlen(s)),
                                    .wirelen = (uint32_t)(HEADERS_TCP + strlen(s)),
                                    .data = b});
    assert_int_equal(wsp_residual_new(&r), WSP_OK);
    assert_int_equal(wsp_encode_packet(w.enc, w.packet, dir, w.number, ids, &n, r), WSP_OK);
    view(ids, n, out, len);
    wsp_residual_free(r);
    wire_close(&w);
}

/* Addresses and ports are FTP's: a token file that has them elsewhere is refused (found by fuzzing). */
static void items_of_another_protocol_are_refused(void **state)
{
    static const char line[] = "250-SIZE 35882577\r\n";
    static const unsigned items[] = {I_ADDRESS, I_PORT};
    unsigned base = wspi_field_base(WSPI_APP_SMTP, ITEM),
             count = wspi_field_count(WSPI_APP_SMTP, ITEM);
    uint16_t ids[WSP_MAX_PACKET_TOKENS];
    uint8_t b[ROOM];
    wsp_residual *r;
    size_t n, tried = 0;
    wire w;

    (void)state;
    wire_open(&w);
    put(&w, 1, "220 a.example ESMTP\r\n");
    put(&w, 0, "EHLO b.example\r\n");
    put_headers(b, 20 + strlen(line), 6, 1);
    put16(b + 38, w.seq[1] >> 16);
    put16(b + 40, w.seq[1]);
    put16(b + 46, 0x5018);
    memcpy(b + HEADERS_TCP, line, strlen(line));
    wsp_packet_dissect(w.packet, 1,
                       &(wsp_frame){.caplen = (uint32_t)(HEADERS_TCP + strlen(line)),
                                    .wirelen = (uint32_t)(HEADERS_TCP + strlen(line)),
                                    .data = b});
    assert_int_equal(wsp_residual_new(&r), WSP_OK);
    assert_int_equal(wsp_encode_packet(w.enc, w.packet, 1, w.number, ids, &n, r), WSP_OK);
    for (size_t i = 0; i < n; i++)
        for (size_t k = 0; ids[i] >= base && ids[i] < base + count && k < WSPI_COUNT(items); k++) {
            uint16_t was = ids[i];
            wsp_decoded out;
            size_t used, len;
            const uint8_t *at = wsp_residual_data(r, &len), *end = at + len;

            ids[i] = (uint16_t)(base + items[k]);
            assert_int_equal(
                wsp_decode_packet(w.decoder, w.dec, ids, n, &used, &at, end, &out, NULL),
                WSP_ERR_FORMAT);
            assert_int_equal(used, i + 1);
            ids[i] = was;
            tried++;
        }
    assert_true(tried >= WSPI_COUNT(items));
    wsp_residual_free(r);
    wire_close(&w);
}

static void people_hosts_files_and_passwords_are_not_seen(void **state)
{
    static const struct {
        int dir;
        const char *first, *a, *b;
    } same[] = {
        {1, NULL, "220 mx.example.org ESMTP Postfix\r\n", "220 no.example.net ESMTP Postfix\r\n"},
        {0, "220 a.b ESMTP\r\n", "MAIL FROM:<ann@a.example>\r\n", "MAIL FROM:<annabel@b.org>\r\n"},
        {0, "220 FTP\r\n", "PASS abcdef\r\n", "PASS 123456\r\n"},
        {0, "220 FTP\r\n", "RETR mine.txt\r\n", "RETR your.doc\r\n"},
        {0, "220 FTP\r\n", "PORT 10,0,0,1,200,1\r\n", "PORT 10,0,9,1,250,9\r\n"},
        {0, "* OK IMAP\r\n", "a1 LOGIN ann pass\r\n", "b7 LOGIN bob word\r\n"},
        {0, "+OK\r\n", "APOP ann 00112233\r\n", "APOP bob aabbccdd\r\n"},
    };
    char a[4096], b[4096];

    (void)state;
    for (size_t i = 0; i < WSPI_COUNT(same); i++) {
        seen_of(same[i].dir, same[i].first, same[i].a, a, sizeof a);
        seen_of(same[i].dir, same[i].first, same[i].b, b, sizeof b);
        assert_string_equal(a, b);
        assert_null(strstr(a, "text="));
        assert_null(strstr(a, ".name="));
        assert_null(strstr(a, ".host="));
    }
    seen_of(1, NULL, "220 mx.example.org ESMTP Postfix\r\n", a, sizeof a);
    assert_non_null(strstr(a, "smtp.item=ESMTP Postfix"));
}

#define ASKS_ON(port)                                                                           \
    {                                                                                           \
        "c2s first", "c2s gap=0", "stack=eth/ipv4/tcp", "tcp.sport=dynamic", "tcp.dport=" port, \
            "len=28", "tcp.flags=PA", "tcp.window=61440..65535", NULL                           \
    }
#define ANSWERS_ON(port)                                                                        \
    {                                                                                           \
        "s2c first", "s2c gap=0", "stack=eth/ipv4/tcp", "tcp.sport=" port, "tcp.dport=dynamic", \
            "len=80..83", "tcp.flags=PA", "tcp.window=61440..65535", NULL                       \
    }

static void samples_are_read_again_as_what_they_are(void **state)
{
    static const char *const asks[][9] = {ASKS_ON("25"), ASKS_ON("110"), ASKS_ON("143"),
                                          ASKS_ON("21")};
    static const char *const answers[][9] = {ANSWERS_ON("25"), ANSWERS_ON("110"), ANSWERS_ON("143"),
                                             ANSWERS_ON("21")};

    (void)state;
    for (uint8_t i = 0; i < 4; i++)
        sample_flows(asks[i], answers[i], (uint8_t)(WSPI_APP_SMTP + i));
}

/* What follows a reply's code is for people: any words; names are as long as real ones. */
static void samples_of_replies_have_text_of_their_own(void **state)
{
    static const char *const asks[][13] = {
        {"c2s first", "c2s gap=0", "stack=eth/ipv4/tcp", "tcp.sport=dynamic", "tcp.dport=25",
         "len=28", "tcp.flags=PA", "smtp.line=EHLO", "smtp.name=16..23", "text=x"},
        {"c2s first", "c2s gap=0", "stack=eth/ipv4/tcp", "tcp.sport=dynamic", "tcp.dport=21",
         "len=28", "tcp.flags=PA"}};
    static const char *const answers[][13] = {
        {"s2c first", "s2c gap=0", "stack=eth/ipv4/tcp", "tcp.sport=25", "tcp.dport=dynamic",
         "len=80..83", "tcp.flags=PA", "smtp.line=502 ", "smtp.item=name", "smtp.name=16..23",
         "text=x"},
        {"s2c first", "s2c gap=0", "stack=eth/ipv4/tcp", "tcp.sport=21", "tcp.dport=dynamic",
         "len=80..83", "tcp.flags=PA", "ftp.line=530 ", "ftp.item=name", "ftp.name=3", "text=x"}};

    (void)state;
    sample_has(asks[0], answers[0], WSPI_APP_SMTP, "smtp.name=16..23", "smtp.name=16..23");
    sample_has(asks[1], answers[1], WSPI_APP_FTP, NULL, "ftp.name=3");
}

/* Of TCP, towards a port of no protocol. */
static const char *const to_nobody[] = {
    "c2s first",  "c2s gap=0",    "stack=eth/ipv4/tcp", "tcp.sport=dynamic", "tcp.dport=dynamic",
    "len=80..83", "tcp.flags=PA", "payload=text",       "payload=binary",    NULL};

/* A word of a protocol of lines, its bytes one after the other where text may come. */
static uint16_t pick_word(wishes *how, uint8_t *legal)
{
    static const char *const word[] = {"text=E", "text=H", "text=L", "text=O", "text=\\x20"};

    if (how->at < WSPI_COUNT(word) && legal[token_of(word[how->at])])
        return token_of(word[how->at++]);
    return pick_to_a_host(how, legal);
}

/* The first byte of a login of TDS (MS-TDS 2.2.3.1.1). */
static uint16_t pick_login(wishes *how, uint8_t *legal)
{
    static const char *const login = "text=\\x10";

    if (how->at == 0 && legal[token_of(login)]) {
        how->at++;
        return token_of(login);
    }
    return pick_to_a_host(how, legal);
}

static uint8_t first_byte(wire *w, uint64_t flow, wishes *how)
{
    wsp_filler fill = filler_of(flow);

    wire_again(w);
    sample_by(w, &fill, how, 0, 0);
    return w->packet->data[w->packet->payload_off];
}

/* Else the flow would go on with a protocol that samples have on its own ports only, or readers take it for one. */
static void samples_of_plain_bytes_look_like_nothing(void **state)
{
    wspi_rng r;
    wire w;

    (void)state;
    wspi_rng_seed(&r, 17);
    wire_open(&w);
    for (uint64_t flow = 0; flow < 20; flow++) {
        wishes word = {to_nobody, &r, pick_word, 0}, login = {to_nobody, &r, pick_login, 0};

        (void)first_byte(&w, flow, &word);
        assert_int_equal(word.at, 5);
        assert_int_equal(first_byte(&w, flow, &login), 0x30);
        assert_int_equal(login.at, 1);
    }
    wire_close(&w);
}

/* May the direction say the line that begins so? */
static bool fits(const wire *w, uint8_t app, int dir, const char *word)
{
    const wspi_lines *g = wspi_lines_of(app);
    unsigned row = FIRST_LINE;

    while (row < g->n_lines && strcmp(g->lines[row].name, word) != 0)
        row++;
    assert_true(row < g->n_lines);
    return wspi_dialog_fits(w->enc, app, dir, row);
}

static void samples_say_what_the_dialog_has_come_to(void **state)
{
    wire w;

    (void)state;
    wire_open(&w);
    put(&w, 1, "220 a.example ESMTP\r\n");
    assert_true(fits(&w, WSPI_APP_SMTP, 0, "EHLO"));
    assert_false(fits(&w, WSPI_APP_SMTP, 0, "MAIL FROM:<"));
    assert_false(wspi_lines_may_end(w.enc));
    put(&w, 0, "EHLO b.example\r\n");
    assert_true(fits(&w, WSPI_APP_SMTP, 1, "250-"));
    assert_true(fits(&w, WSPI_APP_SMTP, 1, "502 ")); /* errors answer anything */
    assert_false(fits(&w, WSPI_APP_SMTP, 1, "354 "));
    assert_false(wspi_lines_may_speak(w.enc, 0));
    put(&w, 1, "250-a.example\r\n250 SIZE\r\n");
    assert_true(wspi_lines_may_end(w.enc));
    put(&w, 0, "MAIL FROM:<x@b.example>\r\n");
    put(&w, 1, "250 2.1.0 Ok\r\n");
    assert_true(fits(&w, WSPI_APP_SMTP, 0, "RCPT TO:<"));
    assert_false(fits(&w, WSPI_APP_SMTP, 0, "DATA"));
    put(&w, 0, "QUIT\r\n");
    assert_false(fits(&w, WSPI_APP_SMTP, 1, "503 "));
    put(&w, 1, "221 Bye\r\n");
    assert_false(wspi_lines_may_speak(w.enc, 0));
    assert_false(wspi_lines_may_speak(w.enc, 1));
    wire_close(&w);
}

/* RFC 9051 6.1.1: the capabilities come before the end of the answer, whose text is about what was asked. */
static void samples_of_imap_answer_what_was_asked(void **state)
{
    static const char *const plain[] = {
        "s2c first",         "s2c gap=0",    "stack=eth/ipv4/tcp", "tcp.sport=143",
        "tcp.dport=dynamic", "tcp.flags=PA", "len=48..49",         NULL};
    wspi_rng r;
    wire w;

    (void)state;
    wspi_rng_seed(&r, 23);
    wire_open(&w);
    for (uint64_t flow = 0; flow < 30; flow++) {
        wsp_filler fill = filler_of(flow);
        const char *s;

        wire_again(&w);
        w.port = 143;
        put(&w, 1, "* OK Dovecot ready.\r\n");
        put(&w, 0, "a1 CAPABILITY\r\n");
        assert_true(wspi_dialog_names(w.enc, WSPI_APP_IMAP, "Capability completed."));
        assert_true(wspi_dialog_names(w.enc, WSPI_APP_IMAP, "Success"));
        assert_false(wspi_dialog_names(w.enc, WSPI_APP_IMAP, "[READ-WRITE] SELECT completed"));
        sample(&w, &fill, plain, 1, WSPI_APP_IMAP, &r);
        s = (const char *)w.packet->data + w.packet->payload_off;
        assert_int_not_equal(strncmp(s, "a1 OK", 5), 0);
    }
    wire_again(&w);
    put(&w, 1, "* OK Dovecot ready.\r\n");
    put(&w, 0, "a1 LOGOUT\r\n");
    put(&w, 1, "* BYE Logging out\r\n");
    assert_false(wspi_lines_may_end(w.enc));
    assert_true(wspi_lines_may_speak(w.enc, 1));
    put(&w, 1, "a1 OK Logout completed.\r\n");
    assert_true(wspi_lines_may_end(w.enc));
    wire_close(&w);
}

/* May the server say the phrase in a line that begins so? */
static bool speaks(const wire *w, uint8_t app, const char *word, const char *text)
{
    const wspi_lines *g = wspi_lines_of(app);
    unsigned row = FIRST_LINE, item = FIRST_PHRASE;

    while (row < g->n_lines && strcmp(g->lines[row].name, word) != 0)
        row++;
    while (item < g->n_items && strcmp(g->items[item].name, text) != 0)
        item++;
    assert_true(row < g->n_lines && item < g->n_items);
    return wspi_dialog_speaks(w->enc, app, row, item);
}

/* Text is for people, but says nothing that is no answer: no goodbye to a password, no status of another code. */
static void texts_of_samples_speak_of_what_was_asked(void **state)
{
    wire w;

    (void)state;
    wire_open(&w);
    put(&w, 1, "+OK POP3 server ready\r\n");
    put(&w, 0, "USER ann\r\n");
    assert_true(speaks(&w, WSPI_APP_POP3, "+OK", "Send your password"));
    assert_true(speaks(&w, WSPI_APP_POP3, "+OK", "Server"));
    assert_false(speaks(&w, WSPI_APP_POP3, "+OK", "Begin TLS negotiation now."));
    assert_false(speaks(&w, WSPI_APP_POP3, "+OK", "Logged in."));
    assert_false(speaks(&w, WSPI_APP_POP3, "+OK", "POP3 ready"));       /* it has greeted */
    assert_false(speaks(&w, WSPI_APP_POP3, "+OK", "Unknown command.")); /* no error */
    wire_again(&w);
    put(&w, 1, "220 a.example ESMTP\r\n");
    put(&w, 0, "HELO b.example\r\n");
    assert_false(speaks(&w, WSPI_APP_SMTP, "250 ", "2.0.0 Ok"));
    assert_false(speaks(&w, WSPI_APP_SMTP, "250 ", "PIPELINING"));
    put(&w, 1, "250 a.example\r\n");
    put(&w, 0, "MAIL FROM:<x@b.example>\r\n");
    assert_true(speaks(&w, WSPI_APP_SMTP, "250 ", "2.1.0 Ok"));
    assert_false(speaks(&w, WSPI_APP_SMTP, "250 ", "2.1.5 Ok"));
    assert_false(speaks(&w, WSPI_APP_SMTP, "250 ", "Ok: queued as"));
    assert_true(speaks(&w, WSPI_APP_SMTP, "550 ", "5.7.1"));
    assert_false(speaks(&w, WSPI_APP_SMTP, "550 ", "4.7.1"));
    put(&w, 1, "250 2.1.0 Ok\r\n");
    put(&w, 0, "RCPT TO:<y@a.example>\r\n");
    put(&w, 1, "250 2.1.5 Ok\r\n");
    assert_true(wspi_lines_may_end(w.enc));
    put(&w, 0, "DATA\r\n");
    put(&w, 1, "354 Go ahead\r\n");
    assert_false(wspi_lines_may_end(w.enc)); /* the mail has to come */
    wire_close(&w);
}

/* RFC 1939 5, 7: who asks about a message is told about this one. */
static void a_sampled_mail_drop_tells_of_the_message_that_was_asked_for(void **state)
{
    static const char *const asks[] = {"LIST 4711\r\n", "UIDL 4711\r\n"};
    static const char *const plain[] = {"s2c first",     "s2c gap=0",         "stack=eth/ipv4/tcp",
                                        "tcp.sport=110", "tcp.dport=dynamic", "tcp.flags=PA",
                                        "len=48..49",    "pop3.line=+OK",     NULL};
    wspi_rng r;
    wire w;

    (void)state;
    wspi_rng_seed(&r, 29);
    wire_open(&w);
    for (uint64_t flow = 0; flow < 20; flow++) {
        wsp_filler fill = filler_of(flow);
        const char *s;

        wire_again(&w);
        w.port = 110;
        put(&w, 1, "+OK POP3 server ready\r\n");
        put(&w, 0, asks[flow % 2]);
        sample(&w, &fill, plain, 1, WSPI_APP_POP3, &r);
        s = (const char *)w.packet->data + w.packet->payload_off;
        assert_memory_equal(s, "+OK 4711 ", 9);
        assert_int_not_equal(s[9], '\r');
        assert_ptr_equal(memchr(s, '\n', w.packet->payload_len), s + w.packet->payload_len - 1);
    }
    wire_close(&w);
}

/* RFC 1939 5: what STAT has said is so in what follows, and no other mails are asked for. */
static void a_sampled_mail_drop_has_the_mails_it_has_told_of(void **state)
{
    static const struct {
        const char *ask, *answer;
    } all[] = {{"STAT\r\n", "+OK 1 320\r\n"},
               {"RETR 1\r\n", "+OK 320 octets\r\n"},
               {"LIST 1\r\n", "+OK 1 320\r\n"}};
    static const char *const answers[] = {
        "s2c first",     "s2c gap=0",         "stack=eth/ipv4/tcp",
        "tcp.sport=110", "tcp.dport=dynamic", "tcp.flags=PA",
        "len=48..49",    "pop3.line=+OK",     NULL};
    static const char *const asks[] = {"c2s first",         "c2s gap=0",      "stack=eth/ipv4/tcp",
                                       "tcp.sport=dynamic", "tcp.dport=110",  "tcp.flags=PA",
                                       "len=48..49",        "pop3.line=DELE", NULL};
    wspi_rng r;
    wire w;

    (void)state;
    wspi_rng_seed(&r, 37);
    wire_open(&w);
    for (uint64_t flow = 0; flow < 12; flow++) {
        wsp_filler fill = filler_of(flow);
        size_t k = flow % 3;

        wire_again(&w);
        w.port = 110;
        put(&w, 1, "+OK POP3 server ready\r\n");
        put(&w, 0, "USER ann\r\n");
        put(&w, 1, "+OK\r\n");
        put(&w, 0, "PASS secret\r\n");
        put(&w, 1, "+OK\r\n");
        put(&w, 0, "STAT\r\n");
        put(&w, 1, "+OK 1 320\r\n");
        put(&w, 0, all[k].ask);
        sample(&w, &fill, answers, 1, WSPI_APP_POP3, &r);
        assert_memory_equal(w.packet->data + w.packet->payload_off, all[k].answer,
                            strlen(all[k].answer));
        sample(&w, &fill, asks, 0, WSPI_APP_POP3, &r);
        assert_memory_equal(w.packet->data + w.packet->payload_off + 4, " 1\r\n", 4);
    }
    wire_close(&w);
}

static void samples_fetch_files_behind_a_login(void **state)
{
    wire w;

    (void)state;
    wire_open(&w);
    put(&w, 1, "220 (vsFTPd 3.0.3)\r\n");
    put(&w, 0, "USER ann\r\n");
    assert_false(fits(&w, WSPI_APP_FTP, 1, "530 "));
    put(&w, 1, "331 Please specify the password.\r\n");
    assert_true(fits(&w, WSPI_APP_FTP, 0, "PASS"));
    assert_false(fits(&w, WSPI_APP_FTP, 0, "LIST"));
    put(&w, 0, "PASS secret\r\n");
    put(&w, 1, "530 Login incorrect.\r\n");
    assert_true(fits(&w, WSPI_APP_FTP, 0, "USER")); /* once more */
    put(&w, 0, "USER ann\r\n");
    put(&w, 1, "331 Please specify the password.\r\n");
    put(&w, 0, "PASS right\r\n");
    put(&w, 1, "230 Login successful.\r\n");
    put(&w, 0, "LIST\r\n");
    put(&w, 1, "150 Here comes the directory listing.\r\n");
    assert_true(wspi_lines_may_speak(w.enc, 1));     /* again */
    assert_false(fits(&w, WSPI_APP_FTP, 1, "530 ")); /* who has logged in */
    assert_true(fits(&w, WSPI_APP_FTP, 1, "226 "));
    assert_false(fits(&w, WSPI_APP_FTP, 1, "150 "));
    wire_close(&w);
}

/* The lines of the last payload: how many, and whether two are the same behind their code. */
static size_t lines_of(const wire *w, bool *twice)
{
    const char *at[32], *s = (const char *)w->packet->data + w->packet->payload_off,
                        *end = s + w->packet->payload_len;
    size_t n = 0;

    for (*twice = false; s < end && n < WSPI_COUNT(at); n++) {
        size_t len = (size_t)((const char *)memchr(s, '\n', (size_t)(end - s)) + 1 - s);
        for (size_t k = 0; k < n; k++)
            *twice |= memcmp(at[k] + 4, s + 4, len - 4) == 0;
        at[n] = s;
        s += len;
    }
    return n;
}

/* RFC 5321 4.1.1.1: a server's name, then what it can, nothing twice; commands in small letters are the same ones. */
static void a_sampled_server_lists_what_it_can(void **state)
{
    static const char *const says[] = {"c2s first",          "c2s gap=0",
                                       "stack=eth/ipv4/tcp", "tcp.dport=25",
                                       "tcp.sport=dynamic",  "len=20",
                                       "tcp.flags=PA",       "smtp.line=EHLO",
                                       "smtp.form=lower",    NULL},
                             *const lists[] = {"s2c first",          "s2c gap=0",
                                               "stack=eth/ipv4/tcp", "tcp.sport=25",
                                               "tcp.dport=dynamic",  "len=152..159",
                                               "tcp.flags=PA",       "smtp.line=250-",
                                               "smtp.item=STARTTLS", NULL};
    wspi_rng r;
    wire w;

    (void)state;
    wspi_rng_seed(&r, 31);
    wire_open(&w);
    for (uint64_t flow = 0; flow < 20; flow++) {
        wsp_filler fill = filler_of(flow);
        bool twice;
        wire_again(&w);
        sample(&w, &fill, says, 0, WSPI_APP_SMTP, &r);
        assert_named(&w, "smtp.form=lower");
        assert_memory_equal(w.packet->data + w.packet->payload_off, "ehlo ", 5);
        sample(&w, &fill, lists, 1, WSPI_APP_SMTP, &r);
        assert_named(&w, "smtp.item=STARTTLS");
        assert_true(lines_of(&w, &twice) > 6);
        assert_false(twice);
    }
    wire_close(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_have_the_numbers_of_their_places),
        cmocka_unit_test(mails_come_back_whole_cut_and_damaged),
        cmocka_unit_test(mail_drops_come_back_whole_cut_and_damaged),
        cmocka_unit_test(mailboxes_come_back_whole_cut_and_damaged),
        cmocka_unit_test(file_transfers_come_back_whole_cut_and_damaged),
        cmocka_unit_test(a_greeting_of_either_becomes_what_the_dialogue_is),
        cmocka_unit_test(answers_to_something_else_are_not_taken),
        cmocka_unit_test(tls_takes_over_after_its_command),
        cmocka_unit_test(items_of_another_protocol_are_refused),
        cmocka_unit_test(people_hosts_files_and_passwords_are_not_seen),
        cmocka_unit_test(samples_are_read_again_as_what_they_are),
        cmocka_unit_test(samples_of_plain_bytes_look_like_nothing),
        cmocka_unit_test(samples_of_replies_have_text_of_their_own),
        cmocka_unit_test(samples_say_what_the_dialog_has_come_to),
        cmocka_unit_test(samples_of_imap_answer_what_was_asked),
        cmocka_unit_test(texts_of_samples_speak_of_what_was_asked),
        cmocka_unit_test(a_sampled_mail_drop_tells_of_the_message_that_was_asked_for),
        cmocka_unit_test(a_sampled_mail_drop_has_the_mails_it_has_told_of),
        cmocka_unit_test(samples_fetch_files_behind_a_login),
        cmocka_unit_test(a_sampled_server_lists_what_it_can),
    };

    (void)wsp_vocab_size();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
