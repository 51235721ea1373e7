/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of lists of labels, of flows and of whole captures: what is read, found and refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "wirespeak/task.h"

static wsp_status load_text(wsp_labels **l, const char *text, size_t len, wsp_error *err)
{
    static const char path[] = "test_labels.tsv";
    FILE *f = fopen(path, "w");
    wsp_status st;

    assert_non_null(f);
    assert_true(fwrite(text, 1, len, f) == len && fclose(f) == 0);
    st = wsp_labels_load(l, path, err);
    (void)remove(path);
    return st;
}

static wsp_status load(wsp_labels **l, const char *text)
{
    return load_text(l, text, strlen(text), NULL);
}

static void a_list_of_captures_has_the_label_of_every_flow(void **state)
{
    const wsp_flow_key any = {.addr_len = 4, .proto = 17, .port = {1, 2}};
    wsp_labels *l = NULL;

    (void)state;
    assert_int_equal(load(&l, "label\tpath\nA\tx/one.pcap\nB\ttwo.pcap\nA\ty/one.pcap\n"), WSP_OK);
    assert_int_equal(wsp_labels_find(l, "dir/x/one.pcap", &any), 0);
    assert_int_equal(wsp_labels_find(l, "dir/x/one.pcap", NULL), 0);
    assert_int_equal(wsp_labels_find(l, "two.pcap", &any), 1);
    assert_int_equal(wsp_labels_find(l, "z/one.pcap", &any), -1);
    assert_int_equal(wsp_labels_find(l, "three.pcap", NULL), -1);
    assert_int_equal(wsp_labels_find(l, "all.zip:two.pcap", NULL), 1);
    assert_int_equal(wsp_labels_find(l, "all.zip:x/one.pcap", NULL), 0);
    wsp_labels_free(l);
    assert_int_equal(load(&l, "path\tlabel\tl4\tip_a\tport_a\tip_b\tport_b\n"
                              "one.pcap\tA\t17\t10.0.0.1\t1\t10.0.0.2\t2\n"),
                     WSP_OK);
    assert_int_equal(wsp_labels_find(l, "one.pcap", NULL), -1); /* of a flow, not of the capture */
    wsp_labels_free(l);
    assert_int_equal(load(&l, "path\tlabel\tl4\tip_a\tport_a\tip_b\tport_b\n"
                              "one.pcap\tA\tUDP\t10.0.0.1\t1\t10.0.0.2\t2\n"),
                     WSP_ERR_FORMAT);
    assert_int_equal(load(&l, "path\tlabel\tl4\tip_a\tport_a\tip_b\tport_b\n"
                              "one.pcap\tA\t1\t10.0.0.1\t\t10.0.0.2\t\n"),
                     WSP_OK); /* without ports */
    wsp_labels_free(l);
}

static void a_list_of_a_spreadsheet_is_read(void **state)
{
    wsp_labels *l = NULL;

    (void)state;
    assert_int_equal(load(&l, "\xef\xbb\xbfpath\tlabel\r\none.pcap\tA\r\ntwo.pcap\tB"), WSP_OK);
    assert_string_equal(wsp_labels_name(l, wsp_labels_find(l, "one.pcap", NULL)), "A");
    assert_string_equal(wsp_labels_name(l, wsp_labels_find(l, "two.pcap", NULL)), "B");
    wsp_labels_free(l);
}

static void the_longest_path_that_fits_counts(void **state)
{
    static const char columns[] = "path\tlabel\tl4\tip_a\tport_a\tip_b\tport_b\n";
    static const char flow[] = "\t17\t10.0.0.1\t1\t10.0.0.2\t2\n";
    static const struct {
        const char *capture;
        int32_t label;
    } want[] = {{"l/x.pcap", 0},        {"l/a/x.pcap", 1},   {"l/z/x.pcap", 2},
                {"z/x.pcap", 2},        {"./z/x.pcap", 3},   {"my.zip:x.pcap", 4},
                {"l/my.zip:x.pcap", 4}, {"o.zip:x.pcap", 0}, {"bz/x.pcap", 0},
                {"o.zip:z/x.pcap", 2},  {"xx.pcap", -1},     {"x.pcap/", -1}};
    static const char *const paths[] = {"x.pcap", "a/x.pcap", "z/x.pcap", "./z/x.pcap",
                                        "my.zip:x.pcap"};
    wsp_flow_key key = {.addr_len = 4, .proto = 17, .port = {1, 2}};
    wsp_labels *whole = NULL, *flows = NULL;
    char text[2][1024] = {"path\tlabel\n"};

    (void)state;
    key.addr[0][0] = key.addr[1][0] = 10;
    key.addr[0][3] = 1;
    key.addr[1][3] = 2;
    (void)snprintf(text[1], sizeof text[1], "%s", columns);
    for (size_t i = 0; i < 5; i++) {
        size_t n[2] = {strlen(text[0]), strlen(text[1])};

        (void)snprintf(text[0] + n[0], sizeof text[0] - n[0], "%s\t%zu\n", paths[i], i);
        (void)snprintf(text[1] + n[1], sizeof text[1] - n[1], "%s\t%zu%s", paths[i], i, flow);
    }
    assert_int_equal(load(&whole, text[0]), WSP_OK);
    assert_int_equal(load(&flows, text[1]), WSP_OK);
    for (size_t i = 0; i < sizeof want / sizeof *want; i++) {
        assert_int_equal(wsp_labels_find(whole, want[i].capture, NULL), want[i].label);
        assert_int_equal(wsp_labels_find(flows, want[i].capture, &key), want[i].label);
    }
    wsp_labels_free(whole);
    wsp_labels_free(flows);
}

/* Half a million names: to compare each with those before takes minutes. */
static void every_row_may_have_a_label_of_its_own(void **state)
{
    enum { ROWS = 500000, LINE = 32 };
    char *text = malloc((size_t)(ROWS + 1) * LINE), name[LINE];
    wsp_labels *l = NULL;
    size_t n;

    (void)state;
    assert_non_null(text);
    n = (size_t)snprintf(text, LINE, "path\tlabel\n");
    for (unsigned i = 0; i < ROWS; i++)
        n += (size_t)snprintf(text + n, LINE, "%u.pcap\tlabel %u\n", i, i);
    (void)alarm(60);
    assert_int_equal(load_text(&l, text, n, NULL), WSP_OK);
    (void)alarm(0);
    for (int32_t i = 0; i < ROWS; i += 9973) {
        (void)snprintf(name, sizeof name, "%d.pcap", i);
        assert_int_equal(wsp_labels_find(l, name, NULL), i);
    }
    assert_string_equal(wsp_labels_name(l, ROWS - 1), "label 499999");
    wsp_labels_free(l);
    free(text);
}

static void two_labels_of_one_thing_are_refused(void **state)
{
    static const char columns[] = "path\tlabel\tl4\tip_a\tport_a\tip_b\tport_b\n";
    static const char *const rows[][2] = {{"one.pcap\tA\t17\t10.0.0.1\t1\t10.0.0.2\t2\n",
                                           "one.pcap\tB\t17\t10.0.0.2\t2\t10.0.0.1\t1\n"},
                                          {"one.pcap\tA\t17\t10.0.0.1\t1\t10.0.0.2\t2\n",
                                           "one.pcap\tB\t17\t10.0.0.1\t1\t10.0.0.2\t3\n"}};
    char text[512];
    wsp_labels *l = NULL;

    (void)state;
    assert_int_equal(load(&l, "path\tlabel\none.pcap\tA\ntwo.pcap\tB\none.pcap\tB\n"),
                     WSP_ERR_FORMAT);
    assert_int_equal(load(&l, "path\tlabel\none.pcap\tA\none.pcap\tA\n"), WSP_OK);
    wsp_labels_free(l);
    for (size_t i = 0; i < 2; i++) {
        (void)snprintf(text, sizeof text, "%s%s%s", columns, rows[i][0], rows[i][1]);
        assert_int_equal(load(&l, text), i == 0 ? WSP_ERR_FORMAT : WSP_OK);
    }
    wsp_labels_free(l);
}

static void a_list_with_some_columns_of_flows_is_refused(void **state)
{
    wsp_labels *l = NULL;

    (void)state;
    assert_int_equal(load(&l, "path\tlabel\tl4\none.pcap\tA\t6\n"), WSP_ERR_FORMAT);
    assert_int_equal(load(&l, "path\tl4\none.pcap\t6\n"), WSP_ERR_FORMAT);
    assert_int_equal(load(&l, "label\tpath\tlabel\nA\tone.pcap\tB\n"), WSP_ERR_FORMAT);
    assert_int_equal(load(&l, "path\tlabel\none.pcap\n"), WSP_ERR_FORMAT);
    assert_int_equal(load(&l, ""), WSP_ERR_FORMAT);
    assert_null(l);
}

static void rows_that_say_nothing_sound_are_refused_with_their_line(void **state)
{
    static const char columns[] = "path\tlabel\tl4\tip_a\tport_a\tip_b\tport_b\n"
                                  "a.pcap\tA\t255\t10.0.0.1\t65535\t::1\t\n";
    static const char *const rows[][2] = {
        {"a.pcap\tA\t17\t10.0.0.1\t65536\t10.0.0.2\t2", "port"},
        {"a.pcap\tA\t17\t10.0.0.1\t1\t10.0.0.2\t4294967297", "port"},
        {"a.pcap\tA\t17\t10.0.0.1\tfoo\t10.0.0.2\t2", "port"},
        {"a.pcap\tA\t17\t10.0.0.1\t-1\t10.0.0.2\t2", "port"},
        {"a.pcap\tA\tudp\t10.0.0.1\t1\t10.0.0.2\t2", "l4"},
        {"a.pcap\tA\t256\t10.0.0.1\t1\t10.0.0.2\t2", "l4"},
        {"a.pcap\tA\t17\t10.0.0\t1\t10.0.0.2\t2", "address"},
        {"a.pcap\t\t17\t10.0.0.1\t1\t10.0.0.2\t2", "label is empty"},
        {"\tA\t17\t10.0.0.1\t1\t10.0.0.2\t2", "path is empty"},
        {"a.pcap\tA\t17\t10.0.0.1\t1\t10.0.0.2", "a flow"}};
    char text[512];
    wsp_labels *l = NULL;
    wsp_error err;

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        (void)snprintf(text, sizeof text, "%s%s\n", columns, rows[i][0]);
        assert_int_equal(load_text(&l, text, strlen(text), &err), WSP_ERR_FORMAT);
        assert_non_null(strstr(err.text, "line 3: "));
        assert_non_null(strstr(err.text, rows[i][1]));
    }
    assert_int_equal(load_text(&l, "path\tlabel\na.pcap\tA\0\nb.pcap\tB\n", 31, &err),
                     WSP_ERR_FORMAT);
    assert_non_null(strstr(err.text, "line 2: a zero byte"));
}

static wsp_status add_head(wsp_tokens *t, const char *head, const char *label, int32_t number)
{
    int32_t *column = malloc(sizeof *column);

    *column = number;
    return wsp_tokens_label(t, head, &label, 1, column, NULL);
}

static void heads_that_no_file_would_give_back_are_refused(void **state)
{
    static const char path[] = "test_labels.npz", longest[] = "thirty-one bytes, not one more!",
                      longer[] = "thirty-two bytes are one too many";
    uint64_t none[] = {0, 0};
    uint32_t capture = 0;
    uint8_t end = 0;
    wsp_tokens t = {.n_flows = 1, .packet_off = none, .flow_off = none, .capture = &capture};

    (void)state;
    t.flow_end = &end;
    assert_int_equal(add_head(&t, "", "x", 0), WSP_ERR_ARG);
    assert_int_equal(add_head(&t, longer, "x", 0), WSP_ERR_ARG);
    assert_int_equal(add_head(&t, "\xff", "x", 0), WSP_ERR_ARG);
    assert_int_equal(add_head(&t, "one", "\xff", 0), WSP_ERR_ARG);
    assert_int_equal(add_head(&t, "one", "x", 1), WSP_ERR_ARG);
    assert_int_equal(add_head(&t, "one", "x", -2), WSP_ERR_ARG);
    assert_int_equal(t.n_heads, 0);
    assert_int_equal(add_head(&t, longest, "x", 0), WSP_OK);
    assert_int_equal(add_head(&t, longest, "x", 0), WSP_ERR_ARG);
    assert_int_equal(t.n_heads, 1);
    assert_int_equal(wsp_tokens_save(&t, path, true, NULL), WSP_OK);
    assert_int_equal(remove(path), 0);

    t.label_names[0][0][0] = '\xff'; /* sets are put together by hand, too */
    assert_int_equal(wsp_tokens_save(&t, path, true, NULL), WSP_ERR_ARG);
    assert_int_equal(remove(path), -1);
    free(t.label_names[0][0]);
    free(t.label_names[0]);
    free(t.labels[0]);
    free(t.heads[0]);
    free(t.label_names);
    free(t.labels);
    free(t.heads);
    free(t.n_labels);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_list_of_captures_has_the_label_of_every_flow),
        cmocka_unit_test(a_list_of_a_spreadsheet_is_read),
        cmocka_unit_test(the_longest_path_that_fits_counts),
        cmocka_unit_test(every_row_may_have_a_label_of_its_own),
        cmocka_unit_test(two_labels_of_one_thing_are_refused),
        cmocka_unit_test(rows_that_say_nothing_sound_are_refused_with_their_line),
        cmocka_unit_test(a_list_with_some_columns_of_flows_is_refused),
        cmocka_unit_test(heads_that_no_file_would_give_back_are_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
