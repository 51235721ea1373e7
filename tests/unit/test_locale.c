/* SPDX-License-Identifier: Apache-2.0 */
/* test_locale.c: programs whose locale has a decimal comma read and write the same numbers. The locale is made here, with localedef. */
#include "models.h"

#include <fcntl.h>
#include <ftw.h>
#include <locale.h>
#include <spawn.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "capture/capture_int.h"
#include "wirespeak/deviate.h"

static char folder[] = "test_locale_XXXXXX";

/* Where there is no localedef, or it fails, the locale is not there later. Its status is 1 for the categories that this one has not. */
static void run_localedef(void)
{
    static char words[][16] = {"localedef", "-c", "-i", "source", "-f", "UTF-8", "./xx_XX.UTF-8"};
    char *const argv[] = {words[0], words[1], words[2], words[3],
                          words[4], words[5], words[6], NULL};
    char *const env[] = {NULL};
    posix_spawn_file_actions_t quiet;
    pid_t pid;

    assert_int_equal(posix_spawn_file_actions_init(&quiet), 0);
    assert_int_equal(
        posix_spawn_file_actions_addopen(&quiet, 2, "messages", O_WRONLY | O_CREAT, 0600), 0);
    if (posix_spawnp(&pid, argv[0], &quiet, NULL, argv, env) == 0)
        assert_int_equal(waitpid(pid, NULL, 0), pid);
    (void)posix_spawn_file_actions_destroy(&quiet);
}

static int remove_one(const char *path, const struct stat *sb, int kind, struct FTW *where)
{
    (void)sb, (void)kind, (void)where;
    return remove(path);
}

static int make_locale(void **state)
{
    FILE *f;

    (void)state;
    if (!mkdtemp(folder) || chdir(folder) != 0 || !(f = fopen("source", "w")))
        return -1;
    fputs("comment_char %\nescape_char /\nLC_NUMERIC\ndecimal_point \",\"\nthousands_sep \".\"\n"
          "grouping 3;3\nEND LC_NUMERIC\n",
          f);
    if (fclose(f) != 0)
        return -1;
    run_localedef();
    return setenv("LOCPATH", ".", 1);
}

static int remove_locale(void **state)
{
    (void)state;
    (void)setlocale(LC_ALL, "C");
    return chdir("..") == 0 && nftw(folder, remove_one, 8, FTW_DEPTH | FTW_PHYS) == 0 ? 0 : -1;
}

static int take_comma(void **state)
{
    (void)state;
    (void)setlocale(LC_NUMERIC, "xx_XX.UTF-8");
    return 0;
}

static void need_comma(void)
{
    if (strcmp(localeconv()->decimal_point, ",") != 0) {
        print_message("no locale with a decimal comma can be made here: localedef\n");
        skip();
    }
}

static void numbers_have_points(void **state)
{
    const char *text = "0.25,5", *end;
    char s[32];
    double v;

    (void)state;
    need_comma();
    assert_true(wspi_number_read(text, &end, &v));
    assert_true(v == 0.25);
    assert_string_equal(end, ",5");
    assert_false(wspi_number_read("x", &end, &v));
    assert_true(wspi_number_write(s, sizeof s, 9, 1.625));
    assert_string_equal(s, "1.625");
    assert_false(wspi_number_write(s, 5, 9, 1.625));
    (void)snprintf(s, sizeof s, "%.3f", 1.625);
    assert_string_equal(s, "1,625"); /* the locale is as it was */
}

static wsp_status load_heads(const char *temperature)
{
    static const char form[] =
        "[{\"name\":\"h\",\"labels\":[\"a\"],\"temperature\":\"%s\",\"unknown_below\":\"0\"}]";
    wsp_model *other = model_make(16, 1), *m;
    char text[200];
    wsp_status st;

    (void)snprintf(text, sizeof text, form, temperature);
    st = wspi_heads_from_json(&m, wsp_model_config_get(other), text, NULL);
    wsp_model_free(m);
    wsp_model_free(other);
    return st;
}

static void models_are_the_same(void **state)
{
    uint8_t *point, *comma;
    size_t n_point, n_comma;
    wsp_model *m, *n;

    (void)state;
    need_comma();
    (void)setlocale(LC_NUMERIC, "C");
    m = model_make(16, 1);
    assert_int_equal(wsp_model_save(m, "point", NULL), WSP_OK);
    wsp_model_free(m);
    (void)setlocale(LC_NUMERIC, "xx_XX.UTF-8");
    assert_int_equal(wsp_model_load(&n, "point", NULL), WSP_OK);
    assert_true(wsp_model_head(n, 0)->temperature == 1.25f);
    assert_true(wsp_model_head(n, 0)->unknown_below == 0.3f);
    assert_int_equal(wsp_model_save(n, "comma", NULL), WSP_OK);
    wsp_model_free(n);
    assert_int_equal(wspi_file_read("point", SIZE_MAX / 2, &point, &n_point, NULL), WSP_OK);
    assert_int_equal(wspi_file_read("comma", SIZE_MAX / 2, &comma, &n_comma, NULL), WSP_OK);
    assert_int_equal(n_point, n_comma);
    assert_memory_equal(point, comma, n_point);
    free(point);
    free(comma);
}

static void what_is_behind_a_number_is_refused(void **state)
{
    (void)state;
    assert_int_equal(load_heads("1.5"), WSP_OK);
    assert_int_equal(load_heads("1,5"), WSP_ERR_FORMAT);
    assert_int_equal(load_heads("1.5x"), WSP_ERR_FORMAT);
    assert_int_equal(load_heads(""), WSP_ERR_FORMAT);
}

static void rates_have_points(void **state)
{
    unsigned kinds;
    double rate;

    (void)state;
    need_comma();
    assert_int_equal(wsp_deviate_parse("0.25", &rate, &kinds), WSP_OK);
    assert_true(rate == 0.25);
    assert_int_equal(wsp_deviate_parse("0,25", &rate, &kinds), WSP_ERR_ARG);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(numbers_have_points, take_comma),
        cmocka_unit_test_setup(models_are_the_same, take_comma),
        cmocka_unit_test_setup(what_is_behind_a_number_is_refused, take_comma),
        cmocka_unit_test_setup(rates_have_points, take_comma),
    };

    return cmocka_run_group_tests(tests, make_locale, remove_locale);
}
