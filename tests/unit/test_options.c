/* SPDX-License-Identifier: Apache-2.0 */
/* test_options.c: option tables of the program. A mistake ends the process, so those tests fork. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cli.h"

enum { MAX_WORDS = 32 };

static bool flag;
static const char *text;
static cli_list list;
static size_t size;
static uint64_t seed;
static double real;
static uint64_t wait_ns;
static const char *word;
static const char *const words[] = {"table", "json", NULL};

static const cli_option options[] = {
    {.kind = CLI_HEADING, .help = "Things:"},
    {.name = "flag", .letter = 'f', .kind = CLI_FLAG, .value = &flag, .help = "a flag"},
    {.name = "write",
     .letter = 'w',
     .kind = CLI_TEXT,
     .value = &text,
     .arg = "FILE",
     .help = "text"},
    {.name = "add", .letter = 'a', .kind = CLI_LIST, .value = &list, .arg = "X", .help = "a list"},
    {.name = "size",
     .letter = 's',
     .kind = CLI_SIZE,
     .value = &size,
     .arg = "N",
     .help = "a size",
     .min = 1,
     .max = 5000000000},
    {.name = "seed", .kind = CLI_U64, .value = &seed, .arg = "N", .help = "any number"},
    {.name = "real",
     .kind = CLI_REAL,
     .value = &real,
     .arg = "X",
     .help = "real",
     .rmin = -1,
     .rmax = 1},
    {.name = "memory",
     .kind = CLI_SIZE,
     .value = &size,
     .arg = "SIZE",
     .help = "memory",
     .min = 2 << 20,
     .max = UINT64_C(4) << 30,
     .zero = "all"},
    {.name = "share",
     .kind = CLI_REAL,
     .value = &real,
     .arg = "X",
     .help = "real",
     .rmin = 1e-6,
     .rmax = 1e9},
    {.name = "any", .kind = CLI_REAL, .value = &real, .arg = "X", .help = "real"},
    {.name = "lag",
     .kind = CLI_SECONDS,
     .value = &wait_ns,
     .arg = "SECONDS",
     .help = "time",
     .rmin = 0.001,
     .rmax = 3600},
    {.name = "wait", .kind = CLI_SECONDS, .value = &wait_ns, .arg = "SECONDS", .help = "time"},
    {.name = "output",
     .letter = 'o',
     .kind = CLI_CHOICE,
     .value = &word,
     .arg = "FORM",
     .help = "form",
     .choices = words},
};
static const cli_page page = {.name = "trial",
                              .operands = "[OPTION]... FILE",
                              .summary = "Tries.",
                              .min_operands = 1,
                              .max_operands = 2};
static const cli_rule rules[] = {
    {"real", CLI_ONLY_WITH, "size"}, {"flag", CLI_NEVER_WITH, "size"}, {NULL, CLI_ONLY_WITH, NULL}};
static const cli_page bound = {
    .name = "bound", .operands = "", .summary = "Has rules.", .max_operands = 0, .rules = rules};
static const cli_page no_option = {.name = "wrong",
                                   .operands = "",
                                   .summary = "Has a rule of nothing.",
                                   .max_operands = 0,
                                   .rules = &(const cli_rule){"reel", CLI_ONLY_WITH, "size"}};
static const cli_page *used = &page;

/* Splits `line` at spaces, in place, and parses it; the index of the first operand, operands in argv. */
static int parse(char *line, char **argv)
{
    int argc = 0;

    for (char *p = line; p && argc < MAX_WORDS; argc++) {
        argv[argc] = p;
        p = strchr(p, ' ');
        if (p)
            *p++ = 0;
    }
    argv[argc] = NULL;
    return cli_parse(used, options, sizeof options / sizeof options[0], argc, argv);
}

/* Exit status of a process that parses `line`; 0 when the parse returns, as after --help. */
static int status_of(const char *line)
{
    char copy[256], *argv[MAX_WORDS + 1];
    int status, null;
    pid_t child = fork();

    if (child == 0) {
        null = open("/dev/null", O_WRONLY);
        if (null < 0 || dup2(null, STDOUT_FILENO) < 0 || dup2(null, STDERR_FILENO) < 0)
            _exit(99);
        (void)snprintf(copy, sizeof copy, "%s", line);
        (void)parse(copy, argv);
        _exit(0);
    }
    assert_true(child > 0);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    return WEXITSTATUS(status);
}

static void every_kind_of_option_is_stored(void **state)
{
    char line[] =
        "trial -f --write=out -a x --add y -s 3k --seed 0xff --real -0.5 --wait 1.5 -o json in";
    char *argv[MAX_WORDS + 1];
    int at;

    (void)state;
    at = parse(line, argv);
    assert_string_equal(argv[at], "in");
    assert_null(argv[at + 1]);
    assert_true(flag);
    assert_string_equal(text, "out");
    assert_int_equal(list.n, 2);
    assert_string_equal(list.items[1], "y");
    assert_int_equal(size, 3000);
    assert_int_equal(seed, 255);
    assert_true(real > -0.51 && real < -0.49);
    assert_int_equal(wait_ns, 1500000000);
    assert_string_equal(word, "json");
}

static void options_may_stand_after_operands(void **state)
{
    char line[] = "trial one -w there two";
    char *argv[MAX_WORDS + 1];
    int at;

    (void)state;
    at = parse(line, argv);
    assert_string_equal(argv[at], "one");
    assert_string_equal(argv[at + 1], "two");
    assert_string_equal(text, "there");
}

static void two_dashes_end_the_options(void **state)
{
    char line[] = "trial -- -w";
    char *argv[MAX_WORDS + 1];
    int at;

    (void)state;
    at = parse(line, argv);
    assert_string_equal(argv[at], "-w");
}

static void sizes_have_suffixes_and_bounds(void **state)
{
    static const char *const good[] = {"1", "1Ki", "4Gi", "5G", "5000000000"};
    static const char *const bad[] = {
        "0",   "-1", "+1",  "6G",   "5000000001",           "1K",
        "1kk", "k",  "1.5", "0x10", "99999999999999999999", "18446744073709551615G"};
    char line[64];

    (void)state;
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        (void)snprintf(line, sizeof line, "trial --size=%s in", good[i]);
        assert_int_equal(status_of(line), 0);
    }
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        (void)snprintf(line, sizeof line, "trial --size=%s in", bad[i]);
        assert_int_equal(status_of(line), CLI_USAGE);
    }
}

static void mistakes_exit_with_usage(void **state)
{
    static const char *const bad[] = {"trial",
                                      "trial a b c",
                                      "trial --nothing in",
                                      "trial -z in",
                                      "trial --write",
                                      "trial -w",
                                      "trial --flag=1 in",
                                      "trial --s in",
                                      "trial -o xml in",
                                      "trial --real 1.01 in",
                                      "trial --real nan in",
                                      "trial --real inf in",
                                      "trial --real= in",
                                      "trial --wait -1 in",
                                      "trial --wait 1s in",
                                      "trial --seed 0x in",
                                      "trial --seed 1k in"};

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_int_equal(status_of(bad[i]), CLI_USAGE);
}

static void a_list_has_an_end(void **state)
{
    char **argv = calloc(2 * CLI_LIST_MAX + 8, sizeof *argv);
    char name[] = "trial", dash[] = "-a", in[] = "in";
    int argc = 0;

    (void)state;
    assert_non_null(argv);
    list.n = 0;
    argv[argc++] = name;
    for (int i = 0; i < CLI_LIST_MAX; i++) {
        argv[argc++] = dash;
        argv[argc++] = in;
    }
    argv[argc++] = in;
    (void)cli_parse(&page, options, sizeof options / sizeof options[0], argc, argv);
    assert_int_equal(list.n, CLI_LIST_MAX);
    assert_int_equal(status_of("trial -a one-too-many in"), CLI_USAGE);
    free(argv);
}

/* What a process that parses `line` says on standard error. */
static void said(const char *line, char *buf, size_t room)
{
    char copy[256], *argv[MAX_WORDS + 1];
    int ends[2];
    ssize_t n;
    pid_t child;

    assert_int_equal(pipe(ends), 0);
    child = fork();
    if (child == 0) {
        if (dup2(ends[1], STDERR_FILENO) < 0)
            _exit(99);
        (void)snprintf(copy, sizeof copy, "%s", line);
        (void)parse(copy, argv);
        _exit(0);
    }
    assert_true(child > 0);
    (void)close(ends[1]);
    n = read(ends[0], buf, room - 1);
    assert_true(n > 0);
    buf[n] = '\0';
    (void)close(ends[0]);
    assert_int_equal(waitpid(child, NULL, 0), child);
}

static void what_is_taken_is_said(void **state)
{
    static const struct {
        const char *line, *what;
    } rows[] = {
        {"trial -s 0 in", "--size takes 1 to 5000000000; not '0'"},
        {"trial -s 6G in", "--size takes 1 to 5000000000; not '6G'"},
        {"trial --memory 16Ei in", "--memory takes 2Mi to 4Gi, or 0 for all; not '16Ei'"},
        {"trial --memory 1 in", "--memory takes 2Mi to 4Gi, or 0 for all; not '1'"},
        {"trial --seed -1 in", "--seed takes whole numbers from 0 on, below 2^64; not '-1'"},
        {"trial --real 1.01 in", "--real takes -1 to 1; not '1.01'"},
        {"trial --share 0 in", "--share takes 0.000001 to 1000000000; not '0'"},
        {"trial --any x in", "--any takes a number; not 'x'"},
        {"trial --wait -1 in", "--wait takes 0 to 1000000000 seconds; not '-1'"},
        {"trial --lag 0 in", "--lag takes 0.001 to 3600 seconds; not '0'"},
        {"trial -o xml in", "--output takes table or json; not 'xml'"},
    };
    char told[512], want[512];

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        said(rows[i].line, told, sizeof told);
        (void)snprintf(want, sizeof want, "wirespeak: trial: %s (see wirespeak trial --help)\n",
                       rows[i].what);
        assert_string_equal(told, want);
    }
    assert_int_equal(status_of("trial --memory 0 in"), 0);
    assert_int_equal(status_of("trial --memory 3Mi --lag 0.001 --any -7e30 in"), 0);
}

static void help_is_no_mistake(void **state)
{
    (void)state;
    assert_int_equal(status_of("trial --help"), 0);
    assert_int_equal(status_of("trial -h --size=0"), 0);
}

static void options_that_do_nothing_together_are_mistakes(void **state)
{
    static const struct {
        const char *line;
        int status;
    } rows[] = {
        {"bound", 0},
        {"bound --flag", 0},
        {"bound --size 3 --real 0.5", 0},
        {"bound --real 0.5 -s 3", 0},
        {"bound --real 0.5", 2},
        {"bound --flag --size 3", 2},
        {"bound -s 3 -f", 2},
        {"bound --help --flag --size 3", 0},
    };

    (void)state;
    used = &bound;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        assert_int_equal(status_of(rows[i].line), rows[i].status);
    used = &page;
}

/* Also where nobody gives it. */
static void a_rule_of_no_option_is_a_bug(void **state)
{
    char line[] = "wrong", *argv[MAX_WORDS + 1];
    pid_t child = fork();
    int status;

    (void)state;
    if (child == 0) {
        used = &no_option;
        (void)parse(line, argv);
        _exit(0);
    }
    assert_true(child > 0);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFSIGNALED(status));
}

static void an_array_grows_or_stays_as_it_is(void **state)
{
    size_t cap = 0, before;
    uint32_t *x = NULL, *kept;

    (void)state;
    for (uint32_t i = 0; i < 1000; i++) {
        assert_int_equal(cli_grow(&x, &cap, i + 1, sizeof *x), WSP_OK);
        assert_true(cap > i);
        x[i] = i;
    }
    for (uint32_t i = 0; i < 1000; i++)
        assert_int_equal(x[i], i);
    kept = x;
    before = cap;
    assert_int_equal(cli_grow(&x, &cap, cap, sizeof *x), WSP_OK);
    assert_ptr_equal(x, kept);
    assert_int_equal(cap, before);
    assert_int_equal(cli_grow(&x, &cap, SIZE_MAX / sizeof *x + 1, sizeof *x), WSP_ERR_NOMEM);
    assert_int_equal(cli_grow(&x, &cap, SIZE_MAX - 1, 1), WSP_ERR_NOMEM);
    assert_ptr_equal(x, kept);
    assert_int_equal(cap, before);
    free(x);
}

static void an_error_says_why_and_gives_its_status(void **state)
{
    wsp_error err = {.text = "before"};

    (void)state;
    assert_int_equal(cli_error(&err, WSP_EOF, "no error"), WSP_EOF);
    assert_string_equal(err.text, "before");
    errno = ENOENT;
    assert_int_equal(cli_error(&err, WSP_ERR_IO, "%s: %d", "x", 7), WSP_ERR_IO);
    assert_int_equal(err.status, WSP_ERR_IO);
    assert_int_equal(err.sys_errno, ENOENT);
    assert_string_equal(err.text, "x: 7");
    assert_int_equal(cli_no_memory(&err), WSP_ERR_NOMEM);
    assert_int_equal(err.status, WSP_ERR_NOMEM);
    assert_int_equal(err.sys_errno, 0);
    assert_string_equal(err.text, "out of memory");
    assert_int_equal(cli_error(NULL, WSP_ERR_ARG, "nobody reads it"), WSP_ERR_ARG);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_kind_of_option_is_stored),
        cmocka_unit_test(options_may_stand_after_operands),
        cmocka_unit_test(two_dashes_end_the_options),
        cmocka_unit_test(sizes_have_suffixes_and_bounds),
        cmocka_unit_test(mistakes_exit_with_usage),
        cmocka_unit_test(a_list_has_an_end),
        cmocka_unit_test(what_is_taken_is_said),
        cmocka_unit_test(help_is_no_mistake),
        cmocka_unit_test(options_that_do_nothing_together_are_mistakes),
        cmocka_unit_test(a_rule_of_no_option_is_a_bug),
        cmocka_unit_test(an_array_grows_or_stays_as_it_is),
        cmocka_unit_test(an_error_says_why_and_gives_its_status),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
