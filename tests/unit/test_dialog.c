/* SPDX-License-Identifier: Apache-2.0 */
/* test_dialog.c: what dialogs say, whoever speaks and however long it shall be. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "generate/dialog/dialog.h"

enum {
    LONGEST = 1460,
    SHORTEST = 900,
    ROUNDS = 4
}; /* SHORTEST: of a message that cannot be shorter */

/* Both sides in any order, with every length. spoken: what they said, one behind the other, or NULL. */
static void talk(const wspi_dialog_kind *kind, uint64_t seed, wspi_buf *spoken)
{
    wspi_dialog d = {.kind = kind,
                     .seed = seed,
                     .tcp = kind->over & WSPI_DIALOG_TCP &&
                            (seed % 2 || !(kind->over & WSPI_DIALOG_UDP))};
    wspi_rng rng;

    wspi_rng_seed(&rng, seed);
    for (size_t want = 1; want <= LONGEST; want++) {
        wspi_pen pen = {.n = 0};
        int dir = (int)wspi_rng_below(&rng, 2);

        wspi_rng_seed(&pen.rng, want);
        kind->say(&d, dir, &pen, want);
        if (pen.n == 0 && d.tcp) { /* it waits for the other, which does not */
            dir = !dir;
            kind->say(&d, dir, &pen, want);
        }
        if (pen.full || pen.n == 0 || pen.n > WSPI_MAX(want, SHORTEST))
            print_error("%s, side %d, %zu bytes\n", kind->label, dir, want);
        assert_false(pen.full);
        assert_in_range(pen.n, 1, WSPI_MAX(want, SHORTEST));
        d.said[dir]++;
        d.spoke = (uint8_t)dir;
        if (spoken)
            assert_int_equal(wspi_buf_add(spoken, pen.bytes, pen.n), WSP_OK);
    }
}

static void every_dialog_says_something_of_any_length(void **state)
{
    (void)state;
    for (size_t i = 0; wspi_dialog_at(i); i++)
        for (uint64_t seed = 0; seed < ROUNDS; seed++)
            talk(wspi_dialog_at(i), seed, NULL);
}

static void the_same_seed_says_the_same(void **state)
{
    wspi_buf said[2];

    (void)state;
    for (size_t i = 0; wspi_dialog_at(i); i++) {
        for (int k = 0; k < 2; k++) {
            wspi_buf_init(&said[k], SIZE_MAX / 2);
            talk(wspi_dialog_at(i), 7, &said[k]);
        }
        assert_int_equal(said[0].len, said[1].len);
        assert_memory_equal(said[0].data, said[1].data, said[0].len);
        wspi_buf_clear(&said[0]);
        wspi_buf_clear(&said[1]);
    }
}

static void the_table_is_found_by_label_and_by_port(void **state)
{
    (void)state;
    assert_ptr_equal(wspi_dialog_of_label("MySQL"), wspi_dialog_of_port(3306, WSPI_DIALOG_TCP));
    assert_null(wspi_dialog_of_port(3306, WSPI_DIALOG_UDP));
    assert_null(wspi_dialog_of_label("TLS"));
    assert_null(wspi_dialog_of_port(5222, WSPI_DIALOG_TCP)); /* XMPP's, too */
    assert_non_null(wspi_dialog_of_label("WhatsApp"));
    for (size_t i = 0; wspi_dialog_at(i); i++)
        assert_ptr_equal(wspi_dialog_of_label(wspi_dialog_at(i)->label), wspi_dialog_at(i));
}

static void prose_has_just_the_length_it_is_asked_for(void **state)
{
    (void)state;
    for (size_t n = 0; n < 300; n++) {
        wspi_pen pen = {.n = 0};

        wspi_rng_seed(&pen.rng, n);
        wspi_pen_prose(&pen, n);
        assert_int_equal(pen.n, n);
        assert_true(n == 0 || pen.bytes[n - 1] != ' ');
    }
}

static void a_pen_without_room_writes_nothing(void **state)
{
    wspi_pen pen = {.n = WSPI_PEN_ROOM - 1};

    (void)state;
    wspi_pen_be(&pen, 1, 2);
    assert_true(pen.full);
    assert_int_equal(pen.n, WSPI_PEN_ROOM - 1);
}

/* tshark has no reader for NATS: lines, and behind some as many bytes as they say. */
static void messages_of_nats_have_the_size_that_they_say(void **state)
{
    size_t at = 0, sized = 0;
    wspi_buf said;

    (void)state;
    wspi_buf_init(&said, SIZE_MAX / 2);
    talk(wspi_dialog_of_label("NATS"), 7, &said);
    assert_int_equal(wspi_buf_add(&said, "", 1), WSP_OK);
    while (at + 1 < said.len) {
        const char *line = (const char *)said.data + at, *end = strstr(line, "\r\n");
        assert_non_null(end);
        at += (size_t)(end - line) + 2;
        if (strncmp(line, "PUB ", 4) != 0 && strncmp(line, "MSG ", 4) != 0)
            continue;
        while (end[-1] != ' ')
            end--;
        at += strtoul(end, NULL, 10);
        assert_in_range(at, 1, said.len - 3);
        assert_memory_equal(said.data + at, "\r\n", 2);
        at += 2;
        sized++;
    }
    assert_int_equal(at, said.len - 1);
    assert_in_range(sized, 100, LONGEST * 100);
    wspi_buf_clear(&said);
}

/* A payload of one side, as `talk` has it; false: it waits. */
static bool says(wspi_dialog *d, int dir, size_t want, wspi_pen *pen)
{
    pen->n = 0;
    pen->full = false;
    wspi_rng_seed(&pen->rng, want);
    d->kind->say(d, dir, pen, want);
    if (pen->n == 0)
        return false;
    assert_false(pen->full);
    d->said[dir]++;
    d->spoke = (uint8_t)dir;
    return true;
}

static uint64_t number_be(const uint8_t *b, size_t bytes)
{
    uint64_t v = 0;

    for (size_t i = 0; i < bytes; i++)
        v = v << 8 | b[i];
    return v;
}

/* tshark reads it over TCP alone. */
static void datagrams_of_gnutella_have_the_length_that_they_say(void **state)
{
    enum { HEAD = 23, LENGTH_AT = 19, TYPE_AT = 16, PONG = 1 };
    wspi_dialog d = {.kind = wspi_dialog_of_label("Gnutella"), .seed = 3};
    size_t answers = 0;
    uint8_t asked[TYPE_AT];
    wspi_pen pen;

    (void)state;
    for (size_t want = 1; want < LONGEST; want++) {
        assert_true(says(&d, 0, want, &pen));
        assert_int_equal(pen.bytes[LENGTH_AT] | pen.bytes[LENGTH_AT + 1] << 8, pen.n - HEAD);
        memcpy(asked, pen.bytes, sizeof asked);
        assert_true(says(&d, 1, want, &pen));
        assert_int_equal(pen.bytes[LENGTH_AT] | pen.bytes[LENGTH_AT + 1] << 8, pen.n - HEAD);
        assert_memory_equal(asked, pen.bytes,
                            sizeof asked); /* the answer has the question's GUID */
        answers += pen.bytes[TYPE_AT] & PONG;
    }
    assert_int_equal(answers, LONGEST - 1);
}

/* tshark does not know version 3. */
static void a_test_of_iperf_is_agreed_on_in_order(void **state)
{
    static const int turns[] = {0, 1, 0, 1, 1, 1, 0, 1, 0, 1, 1, 0, 1, 0, 1};
    static const uint8_t says_state[] = {0, 9, 0, 10, 1, 2, 4, 13, 0, 0, 14, 16, 13, 0, 0};
    enum { COOKIE = 37 };
    wspi_dialog d = {.kind = wspi_dialog_of_label("iPerf"), .seed = 3, .tcp = true};
    wspi_pen pen;

    (void)state;
    for (size_t i = 0; i < WSPI_COUNT(turns); i++) {
        if (i != 1)
            assert_false(says(&d, !turns[i], 20, &pen));
        assert_true(says(&d, turns[i], 20, &pen));
        if (i == 0)
            assert_int_equal(pen.n, COOKIE);
        else if (says_state[i])
            assert_true(pen.n == 1 && pen.bytes[0] == says_state[i]);
        else
            assert_true(number_be(pen.bytes, 4) == pen.n - 4 && pen.bytes[4] == '{' &&
                        pen.bytes[pen.n - 1] == '}');
    }
}

static void a_stream_of_iperf_is_one_sided(void **state)
{
    wspi_dialog d = {.kind = wspi_dialog_of_label("iPerf"), .seed = 3, .tcp = true};
    wspi_pen pen;

    (void)state;
    for (size_t i = 0; i < 10; i++) {
        assert_true(says(&d, 0, 1000, &pen));
        assert_int_equal(pen.n, i ? 1000 : 37);
        if (i)
            assert_false(says(&d, 1, 1000, &pen));
    }
}

/* Behind the client's first bytes: messages with their length before them. The client's key waits for the server's. */
static void messages_of_whatsapp_have_the_length_that_they_say(void **state)
{
    enum { OPENING = 15, LENGTH = 3 };

    (void)state;
    for (size_t want = 1; want <= LONGEST; want += 7) {
        wspi_dialog d = {.kind = wspi_dialog_of_label("WhatsApp"), .seed = want, .tcp = true};
        wspi_pen pen;

        assert_false(says(&d, 1, want, &pen));
        for (size_t i = 0; i < 6; i++) {
            size_t at = i ? 0 : OPENING;
            assert_true(says(&d, i % 2, want, &pen));
            assert_int_equal(number_be(pen.bytes + at, LENGTH), pen.n - at - LENGTH);
            if (i == 0)
                assert_memory_equal(pen.bytes + OPENING - 4, "WA\5\2", 4);
            if (i % 2 == 0 && i < 2)
                assert_false(says(&d, 0, want, &pen));
        }
    }
}

/* tshark does not know it. */
static void discord_asks_for_its_address_then_talks(void **state)
{
    enum { DISCOVERY = 74, RTP = 12, ALIVE = 8 };
    wspi_dialog d = {.kind = wspi_dialog_of_label("Discord"), .seed = 3};
    uint8_t before[RTP];
    wspi_pen pen;

    (void)state;
    for (int dir = 0; dir < 2; dir++) {
        assert_true(says(&d, dir, DISCOVERY, &pen));
        assert_int_equal(pen.n, DISCOVERY);
        assert_int_equal(number_be(pen.bytes, 2), 1 + dir);
        assert_int_equal(number_be(pen.bytes + 2, 2), DISCOVERY - 4);
    }
    assert_memory_equal(pen.bytes + 8, "198.51.100.", 11);
    assert_true(says(&d, 0, 200, &pen));
    memcpy(before, pen.bytes, RTP);
    assert_true(says(&d, 0, 300, &pen));
    assert_int_equal(pen.n, 300);
    assert_int_equal((number_be(pen.bytes + 2, 2) - number_be(before + 2, 2)) & 0xffff, 1);
    assert_int_equal((number_be(pen.bytes + 4, 4) - number_be(before + 4, 4)) & UINT32_MAX, 960);
    assert_memory_equal(pen.bytes + 8, before + 8, 4);
    assert_true(says(&d, 0, 1, &pen));
    memcpy(before, pen.bytes, ALIVE);
    assert_true(says(&d, 1, 1, &pen)); /* the same back */
    assert_int_equal(pen.n, ALIVE);
    assert_memory_equal(pen.bytes, before, ALIVE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_dialog_says_something_of_any_length),
        cmocka_unit_test(the_same_seed_says_the_same),
        cmocka_unit_test(the_table_is_found_by_label_and_by_port),
        cmocka_unit_test(prose_has_just_the_length_it_is_asked_for),
        cmocka_unit_test(a_pen_without_room_writes_nothing),
        cmocka_unit_test(messages_of_nats_have_the_size_that_they_say),
        cmocka_unit_test(datagrams_of_gnutella_have_the_length_that_they_say),
        cmocka_unit_test(a_test_of_iperf_is_agreed_on_in_order),
        cmocka_unit_test(a_stream_of_iperf_is_one_sided),
        cmocka_unit_test(messages_of_whatsapp_have_the_length_that_they_say),
        cmocka_unit_test(discord_asks_for_its_address_then_talks),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
