/* SPDX-License-Identifier: Apache-2.0 */
/* options.c: option tables over getopt_long, the help made from the same rows, messages to standard error. */
#include <errno.h>
#include <getopt.h>
#include <limits.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "clash.h"
#include "cli.h"

#define MAX_OPTIONS 64
#define HELP_COLUMN 28
#define MAX_MESSAGE 8192 /* longer than any path */
static const double MOST_SECONDS = 1e9;

static bool quiet;
static bool verbose;

static const cli_option common_options[] = {
    {.name = "quiet",
     .letter = 'q',
     .kind = CLI_FLAG,
     .value = &quiet,
     .help = "errors only on standard error"},
    {.name = "verbose",
     .letter = 'v',
     .kind = CLI_FLAG,
     .value = &verbose,
     .help = "say more on standard error"},
    {.name = "help",
     .letter = 'h',
     .kind = CLI_FLAG,
     .value = NULL,
     .help = "print this help and exit"},
};
#define N_COMMON (sizeof common_options / sizeof common_options[0])

/* ---- memory ---- */

wsp_status cli_grow(void *array, size_t *cap, size_t need, size_t size)
{
    void **items = array, *p;
    size_t n, total;

    if (need <= *cap)
        return WSP_OK;
    if (__builtin_add_overflow(need, need / 2 + 64, &n) || __builtin_mul_overflow(n, size, &total))
        return WSP_ERR_NOMEM;
    p = realloc(*items, total);
    if (!p)
        return WSP_ERR_NOMEM;
    *items = p;
    *cap = n;
    return WSP_OK;
}

/* ---- messages ---- */

/* The one place that writes messages. What is in them, names above all, may be of others: it stays one line of letters. */
static void put_message(const char *prefix, char *text, const char *tail)
{
    wsp_make_printable(text);
    (void)fprintf(stderr, "%s%s%s\n", prefix, text, tail);
}

static void WSP_PRINTF(2, 0) say(const char *prefix, const char *fmt, va_list ap)
{
    char text[MAX_MESSAGE];

    (void)vsnprintf(text, sizeof text, fmt, ap);
    put_message(prefix, text, "");
}

int cli_fail(const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    say("wirespeak: ", fmt, ap);
    va_end(ap);
    return CLI_FAILED;
}

int cli_fail_error(const wsp_error *err)
{
    return cli_fail("%s", err->text[0] ? err->text : wsp_status_name(err->status));
}

wsp_status cli_error(wsp_error *err, wsp_status st, const char *fmt, ...)
{
    int why = st == WSP_ERR_IO ? errno : 0;
    va_list ap;

    if (!err || st >= 0)
        return st;
    *err = (wsp_error){.status = st, .sys_errno = why};
    va_start(ap, fmt);
    (void)vsnprintf(err->text, sizeof err->text, fmt, ap);
    va_end(ap);
    return st;
}

wsp_status cli_no_memory(wsp_error *err)
{
    return cli_error(err, WSP_ERR_NOMEM, "out of memory");
}

void cli_warn(const char *fmt, ...)
{
    va_list ap;

    if (quiet)
        return;
    va_start(ap, fmt);
    say("wirespeak: warning: ", fmt, ap);
    va_end(ap);
}

void cli_note(const char *fmt, ...)
{
    va_list ap;

    if (quiet)
        return;
    va_start(ap, fmt);
    say("", fmt, ap);
    va_end(ap);
}

static void WSP_PRINTF(2, 0) say_usage(const char *command, const char *fmt, va_list ap)
{
    char text[MAX_MESSAGE], prefix[64], tail[64];
    const char *name = command ? command : "";

    (void)vsnprintf(text, sizeof text, fmt, ap);
    (void)snprintf(prefix, sizeof prefix, "wirespeak: %s%s", name, command ? ": " : "");
    (void)snprintf(tail, sizeof tail, " (see wirespeak %s%s--help)", name, command ? " " : "");
    put_message(prefix, text, tail);
}

int cli_usage(const char *command, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    say_usage(command, fmt, ap);
    va_end(ap);
    return CLI_USAGE;
}

void cli_die(const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    say("wirespeak: ", fmt, ap);
    va_end(ap);
    exit(CLI_FAILED);
}

void cli_die_usage(const char *command, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    say_usage(command, fmt, ap);
    va_end(ap);
    exit(CLI_USAGE);
}

static void log_to_stderr(void *arg, wsp_log_level level, const char *text)
{
    static const char *const prefixes[] = {
        "wirespeak: error: ", "wirespeak: warning: ", "wirespeak: ", "wirespeak: debug: "};
    char line[MAX_MESSAGE];

    (void)arg;
    (void)snprintf(line, sizeof line, "%s", text);
    put_message(prefixes[level], line, "");
}

void cli_log_level(wsp_log_level level)
{
    wsp_log_set(log_to_stderr, NULL, level);
}

bool cli_is_verbose(void)
{
    return verbose;
}

const char *const cli_dtypes[] = {"auto", "f32", "bf16", "int8", NULL};
const char *const cli_train_dtypes[] = {"auto", "f32", "bf16", NULL};

wsp_dtype cli_dtype(const char *word)
{
    static const wsp_dtype meaning[] = {WSP_DTYPE_AUTO, WSP_DTYPE_F32, WSP_DTYPE_BF16,
                                        WSP_DTYPE_INT8};
    size_t i = 0;

    while (strcmp(cli_dtypes[i], word) != 0)
        i++;
    return meaning[i];
}

bool cli_is_quiet(void)
{
    return quiet;
}

/* A stream remembers that a write failed, but not why; closing it tells only if there is more to be written. */
static int stdout_errno;

bool cli_stdout_lost(void)
{
    if (ferror(stdout) && !stdout_errno)
        stdout_errno = errno;
    return ferror(stdout) != 0;
}

int cli_close_stdout(int status)
{
    bool lost = ferror(stdout) != 0;

    errno = 0;
    if (fclose(stdout) != 0) {
        lost = true;
        stdout_errno = stdout_errno ? stdout_errno : errno;
    }
    if (!lost)
        return status;
    (void)cli_fail("standard output: %s", stdout_errno ? strerror(stdout_errno) : "a write failed");
    return status == CLI_OK ? CLI_FAILED : status;
}

/* ---- help ---- */

static void print_option(const cli_option *o)
{
    char left[128];
    const char *line = o->help;
    int n;

    if (o->kind == CLI_HEADING) {
        (void)printf("\n%s\n", o->help);
        return;
    }
    n = snprintf(left, sizeof left, "  %c%c%s --%s%s%s", o->letter ? '-' : ' ',
                 o->letter ? o->letter : ' ', o->letter ? "," : " ", o->name, o->arg ? "=" : "",
                 o->arg ? o->arg : "");
    (void)printf("%-*s", HELP_COLUMN, left);
    if (n >= HELP_COLUMN)
        (void)printf("\n%*s", HELP_COLUMN, "");
    for (const char *end; (end = strchr(line, '\n')) != NULL; line = end + 1)
        (void)printf("%.*s\n%*s", (int)(end - line), line, HELP_COLUMN, "");
    (void)printf("%s", line);
    if (o->kind == CLI_CHOICE) {
        for (size_t i = 0; o->choices[i]; i++)
            (void)printf("%s%s", i ? ", " : ": ", o->choices[i]);
    }
    (void)printf("\n");
}

static _Noreturn void print_help(const cli_page *page, const cli_option *options, size_t n)
{
    (void)printf("Usage: wirespeak %s %s\n\n%s\n", page->name, page->operands, page->summary);
    if (n == 0 || options[0].kind != CLI_HEADING)
        (void)printf("\nOptions:\n");
    for (size_t i = 0; i < n; i++)
        print_option(&options[i]);
    (void)printf("\nCommon options:\n");
    for (size_t i = 0; i < N_COMMON; i++)
        print_option(&common_options[i]);
    if (page->examples)
        (void)printf("\nExamples:\n%s\n", page->examples);
    (void)printf("\nManual: man wirespeak-%s\n", page->name);
    exit(cli_close_stdout(CLI_OK));
}

/* ---- arguments ---- */

static uint64_t suffix_factor(const char *s)
{
    static const struct {
        const char *suffix;
        uint64_t factor;
    } table[] = {{"", 1},         {"k", 1000},     {"M", 1000000}, {"G", 1000000000},
                 {"Ki", 1 << 10}, {"Mi", 1 << 20}, {"Gi", 1 << 30}};

    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++)
        if (strcmp(s, table[i].suffix) == 0)
            return table[i].factor;
    return 0;
}

static bool parse_number(const cli_option *o, const char *s, uint64_t *out)
{
    uint64_t factor = 1;
    uint64_t max = o->max ? o->max : o->kind == CLI_SIZE ? SIZE_MAX : UINT64_MAX;
    char *end;

    if (*s < '0' || *s > '9') /* strtoull takes signs and spaces */
        return false;
    errno = 0;
    *out = strtoull(s, &end, o->kind == CLI_U64 && s[0] == '0' && s[1] == 'x' ? 16 : 10);
    if (errno)
        return false;
    if (o->kind == CLI_SIZE)
        factor = suffix_factor(end);
    else if (*end)
        return false;
    if (factor == 0 || *out > UINT64_MAX / factor)
        return false;
    *out *= factor;
    return (*out >= o->min && *out <= max) || (o->zero && *out == 0);
}

static bool parse_real(const char *s, double *out)
{
    char *end;

    errno = 0;
    *out = strtod(s, &end);
    return end != s && *end == 0 && errno == 0 && isfinite(*out);
}

static bool parse_choice(const cli_option *o, const char *s)
{
    for (size_t i = 0; o->choices[i]; i++)
        if (strcmp(s, o->choices[i]) == 0)
            return true;
    return false;
}

static bool parse_seconds(const cli_option *o, const char *s, uint64_t *out)
{
    double v;

    if (!parse_real(s, &v) || v < o->rmin || v > (o->rmax > 0 ? o->rmax : MOST_SECONDS))
        return false;
    *out = (uint64_t)(v * 1e9 + 0.5);
    return true;
}

static bool add_to_list(cli_list *list, const char *s)
{
    if (list->n == CLI_LIST_MAX)
        return false;
    list->items[list->n++] = s;
    return true;
}

/* Stores the argument s (NULL for flags); false if it does not fit the row. */
static bool store(const cli_option *o, const char *s)
{
    uint64_t u;
    double d;

    switch (o->kind) {
    case CLI_HEADING: return false;
    case CLI_FLAG: *(bool *)o->value = true; return true;
    case CLI_LIST: return add_to_list(o->value, s);
    case CLI_TEXT: *(const char **)o->value = s; return true;
    case CLI_CHOICE: *(const char **)o->value = s; return parse_choice(o, s);
    case CLI_SIZE:
        if (!parse_number(o, s, &u))
            return false;
        *(size_t *)o->value = (size_t)u;
        return true;
    case CLI_U64: return parse_number(o, s, o->value);
    case CLI_SECONDS: return parse_seconds(o, s, o->value);
    case CLI_REAL:
        if (!parse_real(s, &d) || ((o->rmin != 0 || o->rmax != 0) && (d < o->rmin || d > o->rmax)))
            return false;
        *(double *)o->value = d;
        return true;
    }
    return false;
}

/* ---- what is taken in the place of an argument that is not ---- */

/* Sizes of memory with a suffix, where they have no more digits. */
static void put_whole(const cli_option *o, uint64_t v, char buf[24])
{
    static const char *const suffixes[] = {"", "Ki", "Mi", "Gi"};
    size_t i = 0;

    if (o->kind == CLI_SIZE && strcmp(o->arg, "SIZE") == 0)
        for (; i < 3 && v && v % 1024 == 0; i++)
            v /= 1024;
    (void)snprintf(buf, 24, "%llu%s", (unsigned long long)v, suffixes[i]);
}

static void whole_taken(const cli_option *o, char *buf, size_t size)
{
    char least[24], most[24];
    size_t n;

    put_whole(o, o->min, least);
    put_whole(o, o->max, most);
    if (o->max)
        n = (size_t)snprintf(buf, size, "%s to %s", least, most);
    else
        n = (size_t)snprintf(buf, size, "whole numbers from %s on, below 2^64%s", least,
                             o->kind != CLI_SIZE ? "" : ", also with k, M, G, Ki, Mi or Gi");
    if (o->zero && n < size)
        (void)snprintf(buf + n, size - n, ", or 0 for %s", o->zero);
}

/* "0.000001" and "1000000000" rather than with an exponent. */
static void put_real(double v, char buf[40])
{
    size_t n;

    (void)snprintf(buf, 40, fabs(v) >= 1e-6 || v == 0 ? "%.6f" : "%g", v);
    n = strlen(buf);
    if (strchr(buf, '.') && !strchr(buf, 'e')) {
        n = strspn(buf, "-0123456789.");
        while (buf[n - 1] == '0')
            n--;
        n -= buf[n - 1] == '.';
    }
    buf[n] = '\0';
}

static void real_taken(const cli_option *o, char *buf, size_t size)
{
    bool seconds = o->kind == CLI_SECONDS;
    double highest = seconds && o->rmax <= 0 ? MOST_SECONDS : o->rmax;
    char least[40], most[40];

    put_real(o->rmin, least);
    put_real(highest, most);
    if (o->rmin == highest)
        (void)snprintf(buf, size, "a number");
    else
        (void)snprintf(buf, size, "%s to %s%s", least, most, seconds ? " seconds" : "");
}

static void words_taken(const cli_option *o, char *buf, size_t size)
{
    size_t at = 0;

    for (size_t i = 0; o->choices[i] && at < size; i++)
        at += (size_t)snprintf(buf + at, size - at, "%s%s",
                               i == 0              ? ""
                               : o->choices[i + 1] ? ", "
                                                   : " or ",
                               o->choices[i]);
}

static _Noreturn void die_not_taken(const cli_page *page, const cli_option *o, const char *s)
{
    static void (*const taken[])(const cli_option *, char *, size_t) = {
        [CLI_SIZE] = whole_taken,   [CLI_U64] = whole_taken,    [CLI_REAL] = real_taken,
        [CLI_SECONDS] = real_taken, [CLI_CHOICE] = words_taken,
    };
    char what[512];

    if (o->kind == CLI_LIST)
        cli_die_usage(page->name, "--%s may be given %d times, no more", o->name, CLI_LIST_MAX);
    taken[o->kind](o, what, sizeof what);
    cli_die_usage(page->name, "--%s takes %s; not '%s'", o->name, what, s);
}

/* ---- parsing ---- */

/* getopt's view of the rows, and which were given: struct option values are 256 + row, so that they never meet a letter. */
typedef struct parser {
    const cli_option *rows[MAX_OPTIONS + N_COMMON];
    bool given[MAX_OPTIONS + N_COMMON];
    size_t n;
    struct option longs[MAX_OPTIONS + N_COMMON + 1];
    char letters[2 * (MAX_OPTIONS + N_COMMON) + 2];
} parser;

static void add_row(parser *p, const cli_option *o)
{
    size_t len = strlen(p->letters);
    size_t at = p->n;

    if (o->kind == CLI_HEADING)
        return;
    p->longs[at] = (struct option){.name = o->name,
                                   .has_arg = o->kind == CLI_FLAG ? no_argument : required_argument,
                                   .val = 256 + (int)at};
    if (o->letter) {
        p->letters[len] = o->letter;
        p->letters[len + 1] = o->kind == CLI_FLAG ? 0 : ':';
    }
    p->rows[p->n++] = o;
}

/* The number of the row that getopt means. */
static size_t find_row(const parser *p, int c)
{
    size_t i = 0;

    if (c >= 256)
        return (size_t)c - 256;
    while (p->rows[i]->letter != c)
        i++;
    return i;
}

/* An option that would do nothing is a mistake about what the command does: it is said, not passed over. */
static bool was_given(const parser *p, const char *name)
{
    for (size_t i = 0; i < p->n; i++)
        if (strcmp(p->rows[i]->name, name) == 0)
            return p->given[i];
    abort(); /* a rule of this program names no option: a bug, not a user's mistake */
}

static void check_rules(const cli_page *page, const parser *p)
{
    for (const cli_rule *r = page->rules; r && r->option; r++) {
        bool other = was_given(p, r->other);

        if (!was_given(p, r->option) || other == (r->bond == CLI_ONLY_WITH))
            continue;
        if (other)
            cli_die_usage(page->name, "--%s and --%s exclude each other", r->option, r->other);
        cli_die_usage(page->name, "--%s is for --%s", r->option, r->other);
    }
}

/* getopt has met an unknown option ('?') or a missing argument (':'). */
static _Noreturn void die_bad_option(const cli_page *page, int c, char **argv)
{
    const char *word = argv[optind - 1];

    if (c == ':')
        cli_die_usage(page->name, "%s needs an argument", word);
    if (optopt > 0 && optopt < 256)
        cli_die_usage(page->name, "unknown option -%c", optopt);
    if (optopt >= 256)
        cli_die_usage(page->name, "%s takes no argument", word);
    cli_die_usage(page->name, "unknown or ambiguous option %s", word);
}

static void check_operands(const cli_page *page, int n)
{
    if (n < page->min_operands)
        cli_die_usage(page->name, n ? "more operands are needed: %s" : "operands are missing: %s",
                      page->operands);
    if (page->max_operands >= 0 && n > page->max_operands)
        cli_die_usage(page->name, "too many operands: %s", page->operands);
}

/* ---- files that are read and written ---- */

/* The arguments of a row, as a list. */
static cli_list values(const cli_option *o)
{
    cli_list one = {.n = 0};

    if (o->kind == CLI_LIST)
        return *(const cli_list *)o->value;
    if (o->kind == CLI_TEXT && *(const char **)o->value)
        (void)add_to_list(&one, *(const char **)o->value);
    return one;
}

static void note_written(clash *c, const cli_option *o)
{
    cli_list v = values(o);
    char path[PATH_MAX];

    for (size_t i = 0; i < v.n && !o->choices; i++)
        clash_write(c, v.items[i], v.items[i]);
    for (size_t i = 0; v.n && o->choices && o->choices[i]; i++) {
        (void)snprintf(path, sizeof path, "%s/%s", v.items[0], o->choices[i]);
        clash_write(c, path, v.items[0]);
    }
}

/* Two outputs that are one file: the later would take the place of the other. */
static void check_written(const cli_page *page, const parser *p, size_t at)
{
    const cli_option *o = p->rows[at];
    cli_list mine = values(o);

    for (size_t i = 0; i < at; i++) {
        cli_list other = p->rows[i]->file == CLI_WRITES ? values(p->rows[i]) : (cli_list){.n = 0};
        bool standard = mine.n && strcmp(mine.items[0], "-") == 0;
        if (mine.n && other.n && !(standard && strcmp(other.items[0], "-") == 0) &&
            clash_same(mine.items[0], other.items[0]))
            cli_die_usage(page->name, "%s: --%s and --%s would be one file",
                          (standard ? other : mine).items[0], p->rows[i]->name, o->name);
    }
}

static bool is_folder(const char *path)
{
    struct stat sb;

    return stat(path, &sb) == 0 && S_ISDIR(sb.st_mode);
}

/* A list that is a folder would be walked like one of captures, and something in it taken for the fault. */
static void check_list(const cli_page *page, const cli_option *o, const char *item)
{
    const char *eq = strchr(o->arg, '=') ? strchr(item, '=') : NULL;
    const char *path = eq ? eq + 1 : item;

    if (is_folder(path))
        cli_die_usage(page->name, "--%s takes a file; %s is a folder", o->name, path);
}

static void check_read(const cli_page *page, const clash *c, const char *path, bool named)
{
    const char *both = clash_read(c, path), *eq = named ? strchr(path, '=') : NULL;

    if (!both && eq)
        both = clash_read(c, eq + 1);
    if (both)
        cli_die_usage(page->name, "%s is read and written: write to another file", both);
}

/* What is not there is said before anything is read or computed. */
static void check_there(const char *path, bool named)
{
    const char *eq = named ? strchr(path, '=') : NULL;
    struct stat sb;

    if (strcmp(path, "-") != 0 && stat(path, &sb) != 0 && (!eq || stat(eq + 1, &sb) != 0))
        cli_die("%s: %s", eq ? eq + 1 : path, strerror(errno));
}

static void check_files(const cli_page *page, const parser *p, char **operands, int n)
{
    clash c = {.n = 0};
    bool may_lack = false;

    for (size_t i = 0; i < p->n; i++)
        may_lack |= p->given[i] && strcmp(p->rows[i]->name, "skip-bad") == 0;
    for (size_t i = 0; i < p->n; i++)
        if (p->rows[i]->file == CLI_WRITES) {
            check_written(page, p, i);
            note_written(&c, p->rows[i]);
        }
    for (size_t i = 0; i < p->n; i++) {
        const cli_option *o = p->rows[i];
        bool list = o->file == CLI_READS_LIST;
        cli_list v = o->file == CLI_READS || list ? values(o) : (cli_list){.n = 0};

        for (size_t k = 0; k < v.n; k++) {
            if (list)
                check_list(page, o, v.items[k]);
            check_read(page, &c, v.items[k], strchr(o->arg, '='));
            if (!may_lack)
                check_there(v.items[k], strchr(o->arg, '='));
        }
    }
    for (int i = 0; i < n; i++)
        check_read(page, &c, operands[i], false);
}

int cli_parse(const cli_page *page, const cli_option *options, size_t n, int argc, char **argv)
{
    parser p = {.letters = ":"};
    int c;

    if (n > MAX_OPTIONS)
        abort(); /* a table in this program is longer than the parser: a bug, not a user's mistake */
    for (size_t i = 0; i < n; i++)
        add_row(&p, &options[i]);
    for (size_t i = 0; i < N_COMMON; i++)
        add_row(&p, &common_options[i]);
    optind = 0; /* glibc: start afresh, argv is another one than main's */
    opterr = 0;
    while ((c = getopt_long(argc, argv, p.letters, p.longs, NULL)) != -1) {
        const cli_option *o;
        size_t row;

        if (c == '?' || c == ':')
            die_bad_option(page, c, argv);
        row = find_row(&p, c);
        o = p.rows[row];
        p.given[row] = true;
        if (!o->value)
            print_help(page, options, n);
        if (!store(o, optarg))
            die_not_taken(page, o, optarg);
    }
    cli_log_level(quiet ? WSP_LOG_ERROR : verbose ? WSP_LOG_INFO : WSP_LOG_WARNING);
    check_rules(page, &p);
    check_operands(page, argc - optind);
    check_files(page, &p, argv + optind, argc - optind);
    return optind;
}

int cli_can_write(const char *const *path, size_t n)
{
    wsp_outfile f;
    wsp_error err;

    for (size_t i = 0; i < n; i++)
        if (path[i] && wsp_outfile_open(&f, path[i], false, &err) < 0)
            return cli_fail_error(&err);
        else if (path[i])
            wsp_outfile_discard(&f);
    return CLI_OK;
}

int cli_find_heads(const wsp_model *m, const cli_list *names, size_t *heads, size_t *n_heads)
{
    size_t n = wsp_model_head_count(m);

    if (n == 0)
        return cli_fail("the model has no head to classify with");
    heads[0] = 0;
    *n_heads = names->n == 0;
    for (size_t i = 0; i < names->n; i++) {
        bool all = strcmp(names->items[i], "all") == 0, found = false;

        for (size_t h = 0; h < n; h++) {
            bool had = false;

            if (!all && strcmp(wsp_model_head(m, h)->name, names->items[i]) != 0)
                continue;
            found = true;
            for (size_t k = 0; k < *n_heads; k++)
                had = had || heads[k] == h;
            if (!had)
                heads[(*n_heads)++] = h;
        }
        if (!found)
            return cli_fail("the model has no head '%s': wirespeak info lists them",
                            names->items[i]);
    }
    return CLI_OK;
}

void cli_warn_untrained(const char *path, const wsp_model *m, const size_t *heads, size_t n)
{
    const char *first = NULL;
    size_t others = 0;

    for (size_t i = 0; i < n; i++) {
        const wsp_head *h = wsp_model_head(m, heads[i]);
        if (h->unknown_below <= 1) /* some probability reaches it */
            continue;
        others += first != NULL;
        first = first ? first : h->name;
    }
    if (first && others)
        cli_warn("%s: head %s and %zu others were not trained: they call every flow \"unknown\"",
                 path, first, others);
    else if (first)
        cli_warn("%s: head %s was not trained: it calls every flow \"unknown\"", path, first);
}
