/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of lib/generate/dialog: whose turn it is, and that a side's messages fit what the other has said. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "generate/dialog/dialog.h"

enum { LONGEST = 1460 };

/* ---- turns of a flow ---- */

/* What a side says, counted as a caller does. */
static wspi_pen say(wspi_dialog *d, int dir, size_t want)
{
    wspi_pen pen = {.n = 0};

    wspi_rng_seed(&pen.rng, d->seed + ((uint64_t)(d->said[0] + d->said[1]) << 20) + want);
    d->kind->say(d, dir, &pen, want);
    assert_false(pen.full);
    if (pen.n > 0) {
        d->said[dir]++;
        d->spoke = (uint8_t)dir;
    }
    return pen;
}

static wspi_dialog dialog_of(const char *label, uint64_t seed, bool tcp)
{
    wspi_dialog d = {.kind = wspi_dialog_of_label(label), .seed = seed, .tcp = tcp};

    assert_non_null(d.kind);
    return d;
}

enum { TURNS = 60, SEEDS = 64 };

typedef void hearer(void *heard, int dir, const wspi_pen *said);

/* Sides in any order, mostly in turns, and lengths that are mostly small. */
static void listen(wspi_dialog d, hearer *hear, void *heard)
{
    wspi_rng rng;
    int dir = 0;

    wspi_rng_seed(&rng, d.seed);
    for (unsigned i = 0; i < TURNS; i++) {
        wspi_pen said =
            say(&d, dir, 1 + (size_t)wspi_rng_below(&rng, wspi_rng_below(&rng, 2) ? LONGEST : 120));
        if (said.n > 0)
            hear(heard, dir, &said);
        dir = wspi_rng_below(&rng, 4) ? !dir : dir;
    }
}

static uint32_t be(const uint8_t *b, size_t n)
{
    uint32_t v = 0;

    for (size_t i = 0; i < n; i++)
        v = v << 8 | b[i];
    return v;
}

static uint32_t le(const uint8_t *b, size_t n)
{
    uint32_t v = 0;

    while (n-- > 0)
        v = v << 8 | b[n];
    return v;
}

/* As a text. */
static const char *text_of(wspi_pen *said)
{
    wspi_pen_zeros(said, 1);
    assert_false(said->full);
    return (const char *)said->bytes;
}

static void when_a_side_waits_over_tcp_the_other_speaks(void **state)
{
    static const size_t wants[] = {1, 40, 300, LONGEST};
    wspi_rng rng;

    (void)state;
    for (size_t i = 0; wspi_dialog_at(i); i++)
        for (uint64_t seed = 0; wspi_dialog_at(i)->over & WSPI_DIALOG_TCP && seed < SEEDS; seed++) {
            wspi_dialog d = dialog_of(wspi_dialog_at(i)->label, seed, true);
            wspi_rng_seed(&rng, seed);
            for (unsigned k = 0; k < TURNS; k++) {
                int dir = (int)wspi_rng_below(&rng, 2);
                wspi_dialog before = d;
                if (say(&d, dir, wants[wspi_rng_below(&rng, WSPI_COUNT(wants))]).n > 0)
                    continue;
                assert_memory_equal(&d, &before, sizeof d);
                for (size_t w = 0; w < WSPI_COUNT(wants); w++) {
                    wspi_dialog other = d;
                    assert_in_range(say(&other, !dir, wants[w]).n, 1, WSPI_PEN_ROOM);
                }
            }
        }
}

/* Turns: c, s: client and server speak; C, S: they have to wait. */
static void sides_wait_where_they_have_to(void **state)
{
    static const struct {
        const char *label, *turns;
        size_t want;
    } cases[] = {
        {"AMQP", "ScCsScCsSccs", 20},         {"iSCSI", "ScCsc", 200},
        {"PostgreSQL", "ScCsc", 200},         {"PostgreSQL", "ScCsScCscCs", 10},
        {"PostgreSQL", "ScCsScCscCscCs", 24}, {"NATS", "Cscs", 200},
        {"OPC-UA", "ScCsScCsScCsScCs", 50},   {"MsSQL-TDS", "ScCsScCsScs", 200},
        {"MySQL", "CsScCsScCsSc", 50},        {"MySQL", "CsScCsSc", 9},
        {"OpenVPN", "ScCsScscs", 300},
    };

    (void)state;
    for (size_t i = 0; i < WSPI_COUNT(cases); i++) {
        wspi_dialog d = dialog_of(cases[i].label, 5, true);
        for (const char *c = cases[i].turns; *c; c++) {
            bool waits = *c == 'C' || *c == 'S';
            size_t n = say(&d, *c == 's' || *c == 'S', cases[i].want).n;
            if (waits != (n == 0))
                print_error("%s, %s: %zu bytes at turn %td\n", cases[i].label, cases[i].turns, n,
                            c - cases[i].turns);
            assert_int_equal(waits, n == 0);
        }
    }
}

/* ---- single protocols ---- */

/* What either side of OPC UA knows of the other's messages. */
typedef struct opcua_heard {
    bool asked[10 * TURNS];
    uint32_t acks[10 * TURNS], notified, acknowledged, publishes, results;
} opcua_heard;

enum { UA_PUBLISH = 826, UA_PUBLISHED = 829 };

static void opcua_client(opcua_heard *h, const uint8_t *b, size_t request_at)
{
    enum { HANDLE = 23, BODY = 42 }; /* behind the request's number, in a session */
    uint32_t request = le(b + request_at, 4);

    assert_in_range(request, 1, WSPI_COUNT(h->asked) - 1);
    assert_false(h->asked[request]);
    h->asked[request] = true;
    if (le(b + request_at + 6, 2) != UA_PUBLISH)
        return;
    assert_int_equal(le(b + request_at + HANDLE, 4), request);
    h->acks[request] = le(b + request_at + BODY, 4);
    for (uint32_t k = 0; k < h->acks[request]; k++)
        assert_int_equal(le(b + request_at + BODY + 8 + (size_t)8 * k, 4), ++h->acknowledged);
    assert_in_range(h->acknowledged, 0, h->notified);
}

static void opcua_server(opcua_heard *h, const uint8_t *b, size_t n, size_t request_at)
{
    enum { HANDLE = 16, NUMBER = 41, DATA = 53, INSIDE = 66, BOTH = 8 };
    uint32_t request = le(b + request_at, 4), acks;
    size_t at = request_at + DATA + 4;
    bool values;

    assert_in_range(request, 1, WSPI_COUNT(h->asked) - 1);
    assert_true(h->asked[request]);
    h->asked[request] = false;
    assert_int_equal(le(b + request_at + HANDLE, 4), request);
    if (le(b + request_at + 6, 2) != UA_PUBLISHED)
        return;
    h->publishes++;
    values = le(b + request_at + DATA, 4) == 1;
    assert_int_equal(le(b + request_at + NUMBER, 4), h->notified + 1);
    h->notified += values;
    if (values)
        at = request_at + INSIDE + le(b + request_at + INSIDE - 4, 4);
    acks = h->acks[request];
    assert_int_equal(le(b + at, 4), acks ? acks : UINT32_MAX);
    assert_int_equal(at + BOTH + (size_t)4 * acks, n);
    h->results += acks;
}

static void hear_opcua(void *heard, int dir, const wspi_pen *said)
{
    enum { OPEN_REQUEST = 75, REQUEST = 20 };
    size_t at = memcmp(said->bytes, "OPN", 3) == 0 ? OPEN_REQUEST : REQUEST;

    if (memcmp(said->bytes, "HEL", 3) == 0 || memcmp(said->bytes, "ACK", 3) == 0)
        return;
    if (dir == 0)
        opcua_client(heard, said->bytes, at);
    else
        opcua_server(heard, said->bytes, said->n, at);
}

static void opcua_answers_what_was_asked(void **state)
{
    uint32_t publishes = 0, results = 0;

    (void)state;
    for (uint64_t seed = 0; seed < SEEDS; seed++) {
        opcua_heard h = {.notified = 0};
        listen(dialog_of("OPC-UA", seed, true), hear_opcua, &h);
        publishes += h.publishes;
        results += h.results;
    }
    assert_in_range(publishes, SEEDS, SEEDS * TURNS);
    assert_in_range(results, SEEDS, SEEDS * TURNS);
}

static void tds_cancels_only_what_was_asked(void **state)
{
    enum { HEAD = 8, BATCH = 1, RESPONSE = 4, ATTENTION = 6, LEAST_BATCH = 42, CANCELLED = 0x20 };
    wspi_dialog d = dialog_of("MsSQL-TDS", 3, true);
    wspi_pen said;

    (void)state;
    for (int dir = 0; dir < 4; dir++)
        say(&d, dir % 2, 100);
    for (int k = 0; k < 3; k++) {
        said = say(&d, 0, 4);
        assert_int_equal(said.bytes[0], BATCH);
        assert_int_equal(said.n, LEAST_BATCH);
        said = say(&d, 0, 4);
        assert_int_equal(said.bytes[0], ATTENTION);
        assert_int_equal(said.n, HEAD);
        assert_int_equal(say(&d, 0, 100).n, 0);
        said = say(&d, 1, 100);
        assert_int_equal(said.bytes[0], RESPONSE);
        assert_int_equal(le(said.bytes + HEAD + 1, 2) & CANCELLED, CANCELLED);
        assert_int_equal(say(&d, 1, 100).n, 0);
    }
}

typedef struct openvpn_heard {
    uint32_t controls[2], acknowledged, hellos, data;
} openvpn_heard;

static void hear_openvpn(void *heard, int dir, const wspi_pen *said)
{
    enum { CONTROL = 4, ACK = 5, DATA = 9, HEAD = 9, SESSION = 8, RECORD = 5, HANDSHAKE = 22 };
    openvpn_heard *h = heard;
    unsigned opcode = said->bytes[0] >> 3, acks = said->bytes[HEAD];
    size_t at = HEAD + 1 + (size_t)4 * acks + (acks ? SESSION : 0);
    uint32_t number;

    if (opcode == DATA) {
        assert_true(h->controls[0] > 1 && h->controls[1] > 1);
        h->data++;
        return;
    }
    for (unsigned k = 0; k < acks; k++)
        assert_in_range(be(said->bytes + HEAD + 1 + (size_t)4 * k, 4) + 1, 1, h->controls[!dir]);
    h->acknowledged += acks;
    if (opcode == ACK) {
        assert_int_equal(said->n, at);
        assert_in_range(acks, 1, 4);
        return;
    }
    number = be(said->bytes + at, 4);
    if (opcode != CONTROL) { /* a reset, or one that was sent once more */
        assert_int_equal(number, 0);
        assert_in_range(h->controls[dir], 0, 1);
    } else {
        assert_int_equal(number, h->controls[dir]);
    }
    h->controls[dir] = number + 1;
    if (opcode == CONTROL && number == 1) {
        h->hellos++;
        assert_int_equal(said->bytes[at + 4], HANDSHAKE);
        assert_int_equal(said->bytes[at + 4 + RECORD], dir + 1);
    }
}

static void openvpn_numbers_and_acknowledges_control_packets(void **state)
{
    openvpn_heard sum = {.data = 0};

    (void)state;
    for (uint64_t seed = 0; seed < SEEDS; seed++) {
        openvpn_heard h = {.data = 0};
        listen(dialog_of("OpenVPN", seed, false), hear_openvpn, &h);
        sum.hellos += h.hellos;
        sum.acknowledged += h.acknowledged;
        sum.data += h.data;
    }
    assert_in_range(sum.hellos, SEEDS, 2 * SEEDS);
    assert_in_range(sum.acknowledged, 2 * SEEDS, TURNS * SEEDS);
    assert_in_range(sum.data, SEEDS, TURNS * SEEDS);
}

/* An exchange: the next packet's number, and the ends of a result that were seen; open: it is not over. */
typedef struct mysql_heard {
    uint32_t next, ends, longer, results;
    bool open, result;
} mysql_heard;

static void mysql_packet(mysql_heard *h, int dir, const uint8_t *b, size_t n)
{
    enum { OK = 0, END = 0xfe, HEAD = 4, OK_SIZE = 7, END_SIZE = 5 };
    bool greets = !h->open && h->results == 0 && h->next == 0 && b[HEAD] == 10;

    if (dir == 0 && !h->open && b[3] == 0) /* a command */
        h->next = 0;
    assert_true(dir == 0 || greets || h->open);
    assert_int_equal(b[3], h->next++ & 0xff);
    if (dir == 0 || greets) {
        assert_false(h->open);
        h->open = dir == 0;
        h->result = false;
        h->ends = 0;
        return;
    }
    if (!h->result && b[HEAD] == OK && n == OK_SIZE)
        h->open = false;
    h->result = true;
    h->ends += b[HEAD] == END && n == END_SIZE;
    h->open = h->open && h->ends < 2;
    h->results += h->ends == 2;
}

static void hear_mysql(void *heard, int dir, const wspi_pen *said)
{
    enum { HEAD = 4 };
    mysql_heard *h = heard;

    for (size_t at = 0; at < said->n;) {
        size_t n = le(said->bytes + at, 3);
        assert_in_range(at + HEAD + n, 1, said->n);
        mysql_packet(h, dir, said->bytes + at, n);
        at += HEAD + n;
    }
    h->longer += dir == 1 && h->open; /* the result goes on in the next segment */
}

static void mysql_answers_each_command_once(void **state)
{
    uint32_t results = 0, longer = 0;

    (void)state;
    for (uint64_t seed = 0; seed < SEEDS; seed++) {
        mysql_heard h = {.next = 0};
        listen(dialog_of("MySQL", seed, true), hear_mysql, &h);
        results += h.results;
        longer += h.longer;
    }
    assert_in_range(results, SEEDS, SEEDS * TURNS);
    assert_in_range(longer, 10, SEEDS * TURNS);
}

static void git_wants_what_there_is(void **state)
{
    enum { NAME = 40 };

    (void)state;
    for (size_t want = 1; want <= LONGEST; want += 100) {
        wspi_dialog d = dialog_of("Git", want, true);
        wspi_pen refs, wants;
        unsigned n = 0;
        char name[NAME + 1];
        say(&d, 0, 100);
        refs = say(&d, 1, want);
        wants = say(&d, 0, LONGEST);
        for (size_t i = 0; i < refs.n; i++) /* so that it is one text */
            refs.bytes[i] = refs.bytes[i] ? refs.bytes[i] : ' ';
        for (const char *s = text_of(&wants); (s = strstr(s, "want ")); n++) {
            memcpy(name, s += strlen("want "), NAME);
            name[NAME] = '\0';
            assert_non_null(strstr(text_of(&refs), name));
            refs.n--;
        }
        assert_in_range(n, 1, 16);
    }
}

static void bittorrent_tells_its_pieces_once_and_first(void **state)
{
    enum { HEAD = 5, BITFIELD = 5 };

    (void)state;
    for (uint64_t seed = 0; seed < SEEDS; seed++) {
        wspi_dialog d = dialog_of("BitTorrent", seed, true);
        wspi_rng rng;
        wspi_rng_seed(&rng, seed);
        for (unsigned i = 0; i < TURNS; i++) {
            int dir = (int)wspi_rng_below(&rng, 2);
            size_t want = HEAD + 1 + (size_t)wspi_rng_below(&rng, LONGEST - HEAD);
            bool second = d.said[dir] == 1, hello = d.said[dir] == 0;
            wspi_pen said = say(&d, dir, want);
            assert_true(hello || (said.bytes[HEAD - 1] == BITFIELD) == second);
        }
    }
}

static void peers_are_got_with_a_token(void **state)
{
    unsigned got = 0;

    (void)state;
    for (uint64_t seed = 0; seed < SEEDS; seed++) {
        wspi_dialog d = dialog_of("BitTorrent", seed, false);
        wspi_pen asked = say(&d, 0, 100), told = say(&d, 1, 150);
        bool peers = memmem(asked.bytes, asked.n, "1:q9:get_peers", 14) != NULL;
        assert_int_equal(peers, memmem(told.bytes, told.n, "5:token4:", 9) != NULL);
        got += peers;
    }
    assert_in_range(got, 1, SEEDS - 1);
}

/* A response's number of messages: of data, and of what the server was ready for. */
static void iscsi_counts_what_it_has_sent(void **state)
{
    enum { COMMAND = 1, RESPONSE = 0x21, DATA_IN = 0x25, READY = 0x31, READ = 0x28, WRITE = 0x2a };
    enum { HEADER = 48, BLOCK = 512, STATUS = 3, CHECK = 2, TRANSFER = 20, CDB = 32, SENT = 36 };
    unsigned reads = 0, writes = 0;

    (void)state;
    for (uint64_t seed = 0; seed < SEEDS; seed++) {
        wspi_dialog d = dialog_of("iSCSI", seed, true);
        wspi_pen said;
        say(&d, 0, 200);
        say(&d, 1, 200);
        said = say(&d, 0, seed % 2 ? HEADER : 300);
        assert_int_equal(said.bytes[0], COMMAND);
        if (said.bytes[CDB] == READ && be(said.bytes + TRANSFER, 4) > BLOCK) {
            said = say(&d, 1, HEADER + BLOCK);
            assert_int_equal(said.bytes[0], DATA_IN);
            said = say(&d, 1, HEADER);
            assert_int_equal(said.bytes[STATUS], CHECK);
            reads++;
        } else if (said.bytes[CDB] == WRITE) {
            said = say(&d, 1, HEADER);
            assert_int_equal(said.bytes[0], READY);
            while (say(&d, 0, LONGEST).bytes[1] == 0) /* not the last */
                ;
            said = say(&d, 1, HEADER);
            writes++;
        } else {
            continue;
        }
        assert_int_equal(said.bytes[0], RESPONSE);
        assert_int_equal(be(said.bytes + SENT, 4), 1);
    }
    assert_in_range(reads, 1, SEEDS);
    assert_in_range(writes, 1, SEEDS);
}

/* Copies what stands behind `before`, up to the next '<'. */
static void wsd_field(const char *text, const char *before, char to[64])
{
    const char *s = strstr(text, before), *end;

    assert_non_null(s);
    s += strlen(before);
    end = strchr(s, '<');
    assert_in_range(end - s, 1, 63);
    memcpy(to, s, (size_t)(end - s));
    to[end - s] = '\0';
}

static void wsd_answers_questions_and_no_hello(void **state)
{
    static const char *const actions[][2] = {{"discovery/Probe<", "discovery/ProbeMatches<"},
                                             {"discovery/Resolve<", "discovery/ResolveMatches<"},
                                             {"discovery/Hello<", "discovery/Resolve<"}};
    char of[64], to[64];
    unsigned seen[3] = {0};

    (void)state;
    for (uint64_t seed = 0; seed < SEEDS; seed++) {
        wspi_dialog d = dialog_of("WSD", seed, false);
        wspi_pen pen[2] = {say(&d, 0, 300), say(&d, 1, 300)};
        const char *asked = text_of(&pen[0]), *told = text_of(&pen[1]);
        size_t k = 0;
        while (k < WSPI_COUNT(actions) && !strstr(asked, actions[k][0]))
            k++;
        assert_in_range(k, 0, WSPI_COUNT(actions) - 1);
        seen[k]++;
        assert_non_null(strstr(told, actions[k][1]));
        assert_int_equal(strstr(told, "<a:RelatesTo>") != NULL, k < 2);
        if (k > 0) { /* of the same device */
            wsd_field(asked, "<a:Address>", of);
            wsd_field(told, "<a:Address>", to);
            assert_string_equal(of, to);
        }
        if (k == 2) { /* whose answer is to the question */
            pen[0] = pen[1];
            pen[1] = say(&d, 0, 300);
            assert_non_null(strstr(text_of(&pen[1]), "discovery/ResolveMatches<"));
        }
        wsd_field(asked, "<a:MessageID>", of);
        wsd_field(told, "<a:RelatesTo>", to);
        assert_string_equal(of, to);
    }
    assert_true(seen[0] && seen[1] && seen[2]);
}

/* Which frame of IEC 104 lies at `at`: its type and cause, 0: no I frame; returns where the next is. */
static size_t iec104_frame(const wspi_pen *p, size_t at, unsigned *type, unsigned *cause)
{
    bool informs = at + 1 < p->n && (p->bytes[at + 2] & 1) == 0;

    assert_in_range(at + 2 + p->bytes[at + 1], 1, p->n);
    *type = informs ? p->bytes[at + 6] : 0;
    *cause = informs ? p->bytes[at + 8] : 0;
    return at + 2 + p->bytes[at + 1];
}

static void iec104_ends_an_interrogation(void **state)
{
    enum { C_IC = 100, ACTIVATED = 6, CONFIRMED = 7, ENDED = 10, INTERROGATED = 20 };
    enum { ONE = 16, SPLIT = 2 };
    unsigned type, cause, ends = 0;

    (void)state;
    for (uint64_t seed = 0; seed < SEEDS; seed++) {
        wspi_dialog d = dialog_of("IEC60870", seed, true);
        wspi_pen said;
        say(&d, 0, 6);
        say(&d, 1, 6);
        said = say(&d, 0, ONE);
        (void)iec104_frame(&said, 0, &type, &cause);
        if (type != C_IC)
            continue;
        assert_int_equal(cause, ACTIVATED);
        said = say(&d, 1, seed % SPLIT ? 200 : ONE);
        (void)iec104_frame(&said, 0, &type, &cause);
        assert_true(type == C_IC && cause == CONFIRMED);
        if (seed % SPLIT == 0) {
            assert_int_equal(said.n, ONE);
            said = say(&d, 1, 200);
        }
        for (size_t at = seed % SPLIT ? ONE : 0; at < said.n;) {
            at = iec104_frame(&said, at, &type, &cause);
            assert_int_equal(cause, at < said.n ? INTERROGATED : ENDED);
        }
        assert_int_equal(type, C_IC);
        assert_in_range(said.n, 3 * ONE, 200);
        ends |= 1u << seed % SPLIT;
    }
    assert_int_equal(ends, 3);
}

static void iec104_bits_have_an_address(void **state)
{
    enum { C_BO = 51, LENGTH = 19, ADDRESS = 12 };
    unsigned n = 0, type, cause;

    (void)state;
    for (uint64_t seed = 0; seed < SEEDS; seed++) {
        wspi_dialog d = dialog_of("IEC60870", seed, true);
        wspi_pen said;
        say(&d, 0, 6);
        said = say(&d, 0, LENGTH);
        (void)iec104_frame(&said, 0, &type, &cause);
        if (type != C_BO)
            continue;
        assert_int_equal(said.n, LENGTH);
        assert_in_range(le(said.bytes + ADDRESS, 3), 1, 0xffffff);
        n++;
    }
    assert_in_range(n, 1, SEEDS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(when_a_side_waits_over_tcp_the_other_speaks),
        cmocka_unit_test(sides_wait_where_they_have_to),
        cmocka_unit_test(opcua_answers_what_was_asked),
        cmocka_unit_test(tds_cancels_only_what_was_asked),
        cmocka_unit_test(openvpn_numbers_and_acknowledges_control_packets),
        cmocka_unit_test(mysql_answers_each_command_once),
        cmocka_unit_test(git_wants_what_there_is),
        cmocka_unit_test(bittorrent_tells_its_pieces_once_and_first),
        cmocka_unit_test(peers_are_got_with_a_token),
        cmocka_unit_test(iscsi_counts_what_it_has_sent),
        cmocka_unit_test(wsd_answers_questions_and_no_hello),
        cmocka_unit_test(iec104_ends_an_interrogation),
        cmocka_unit_test(iec104_bits_have_an_address),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
