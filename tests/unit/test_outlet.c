/* SPDX-License-Identifier: Apache-2.0 */
/* test_outlet.c: a queue of records that nobody empties says so, once, and says when it is over. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "outlet.h"
#include "sink.h"

enum { MORE_THAN_ITS_ROOM = 40000 };

static void put(outlet *o, size_t n)
{
    while (n--)
        outlet_put_line(o, strdup("{}"));
}

static size_t count(const char *text, const char *what)
{
    size_t n = 0;

    for (; (text = strstr(text, what)); text++)
        n++;
    return n;
}

/* What was written to standard error while f ran, for the caller to free. */
static char *said_by(void (*f)(outlet *o), outlet *o)
{
    char path[] = "/tmp/wirespeak-outlet-XXXXXX", *text = calloc(1, 4096);
    int fd = mkstemp(path), was = dup(STDERR_FILENO);

    assert_non_null(text);
    assert_true(fd >= 0 && was >= 0);
    (void)dup2(fd, STDERR_FILENO);
    f(o);
    (void)dup2(was, STDERR_FILENO);
    assert_true(pread(fd, text, 4095, 0) >= 0);
    (void)close(was);
    (void)close(fd);
    (void)unlink(path);
    return text;
}

static void overfill(outlet *o)
{
    put(o, MORE_THAN_ITS_ROOM);
}

static void empty_and_go_on(outlet *o)
{
    assert_int_equal(outlet_start(o), CLI_OK);
    for (int i = 0; i < 1000 && outlet_stats_get(o).written < 1000; i++)
        (void)usleep(10000);
    (void)usleep(100000);
    put(o, 2);
}

static void records_that_the_queue_has_no_room_for_are_told_once(void **state)
{
    static cli_list targets = {.n = 1, .items = {"/dev/null"}};
    const char *top = getenv("top_srcdir");
    char path[4096], *said;
    outlet_options opt = {.targets = &targets, .live = true, .n_heads = 1};
    size_t head = 0;
    outlet_stats last;
    wsp_model *m;
    outlet *o;

    (void)state;
    (void)snprintf(path, sizeof path, "%s/models/flows.safetensors", top ? top : ".");
    assert_int_equal(wsp_model_load(&m, path, NULL), WSP_OK);
    opt.m = m;
    opt.heads = &head;
    assert_int_equal(outlet_open(&o, &opt), CLI_OK);
    said = said_by(overfill, o);
    assert_int_equal(count(said, "records are lost until that is over"), 1);
    assert_int_equal(count(said, "\n"), 1);
    free(said);
    said = said_by(empty_and_go_on, o);
    assert_int_equal(count(said, "the outputs take records again, after"), 1);
    free(said);
    assert_int_equal(outlet_close(o, &last), CLI_FAILED);
    outlet_free(o);
    assert_int_equal(last.records, MORE_THAN_ITS_ROOM + 2);
    assert_int_equal(last.written + last.lost, MORE_THAN_ITS_ROOM + 2);
    wsp_model_free(m);
}

/* A record that nobody took has been on its way for no time at all. */
static void only_what_was_taken_counts_as_latency(void **state)
{
    static const struct {
        const char *target;
        unsigned taken;
    } rows[] = {{"/dev/null", 3}, {"/dev/full", 0}};
    const char *top = getenv("top_srcdir");
    outlet_options opt = {.live = true, .n_heads = 1, .decisions = true};
    const wsp_flow flow = {.key = {.proto = 17}};
    const wsp_tag_answer answer = {.label = -1};
    const wsp_tag_record record = {.flow = &flow, .time_ns = 1, .n_answers = 1, .answers = &answer};
    size_t head = 0;
    char path[4096];
    wsp_model *m;

    (void)state;
    (void)snprintf(path, sizeof path, "%s/models/flows.safetensors", top ? top : ".");
    assert_int_equal(wsp_model_load(&m, path, NULL), WSP_OK);
    opt.m = m;
    opt.heads = &head;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const cli_list targets = {.n = 1, .items = {rows[i].target}};
        outlet_stats last;
        outlet *o;

        opt.targets = &targets;
        assert_int_equal(outlet_open(&o, &opt), CLI_OK);
        assert_int_equal(outlet_source(o, 0, "x"), CLI_OK);
        assert_int_equal(outlet_start(o), CLI_OK);
        for (int k = 0; k < 3; k++)
            outlet_put(o, &record);
        assert_int_equal(outlet_close(o, &last), rows[i].taken ? CLI_OK : CLI_FAILED);
        outlet_free(o);
        assert_int_equal(last.records, 3);
        assert_int_equal(last.written, rows[i].taken);
        assert_int_equal(last.latencies, rows[i].taken);
    }
    wsp_model_free(m);
}

static size_t lose_earlier_ones_too(sink *s, const char *lines, size_t len, size_t n)
{
    (void)s;
    (void)lines;
    (void)len;
    return n + 99;
}

/* A broker tells after half a minute what it did not take of all that was sent. */
static void more_may_be_lost_than_is_written(void **state)
{
    static const sink_kind late = {.write = lose_earlier_ones_too};
    sink s = {.kind = &late, .written = 100, .failing = true};

    (void)state;
    assert_int_equal(sink_write(&s, "{}\n", 3, 1), 0);
    assert_int_equal(s.lost, 100);
    assert_int_equal(s.written, 1);
}

static size_t lose_what_is_long(sink *s, const char *lines, size_t len, size_t n)
{
    s->away = *lines != '{';
    return len > 3 ? n : 0;
}

static void write_to_one_that_comes_back(outlet *o)
{
    static const char *const lines[] = {"long\n", "-\n", "-\n", "long\n", "-\n", "{}\n", "{}\n"};
    static const sink_kind kind = {.write = lose_what_is_long};
    static char target[] = "x";
    sink s = {.kind = &kind, .target = target};

    (void)o;
    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++)
        (void)sink_write(&s, lines[i], strlen(lines[i]), 1);
    assert_int_equal(s.lost, 2);
}

/* What waits for a broker that is away is not lost, but that is no reason to say that it is back. */
static void a_reader_that_is_away_does_not_go_on(void **state)
{
    char *said = said_by(write_to_one_that_comes_back, NULL);

    (void)state;
    assert_int_equal(count(said, "records are lost until that is over"), 1);
    assert_int_equal(count(said, "goes on, after 2 lost records"), 1);
    assert_int_equal(count(said, "\n"), 2);
    free(said);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(more_may_be_lost_than_is_written),
        cmocka_unit_test(a_reader_that_is_away_does_not_go_on),
        cmocka_unit_test(records_that_the_queue_has_no_room_for_are_told_once),
        cmocka_unit_test(only_what_was_taken_counts_as_latency),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
