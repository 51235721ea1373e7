/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cli.h: what the commands share: option tables that parse and print the help, messages to standard error, exit
 * statuses. Data goes to standard output, everything else to standard error.
 */
#ifndef WIRESPEAK_CLI_H
#define WIRESPEAK_CLI_H

#include <stddef.h>

#include "wirespeak/base.h"
#include "wirespeak/model.h"

/* Exit statuses of every command. */
#define CLI_OK     0 /* done */
#define CLI_FAILED 1 /* the work failed: unreadable file, full disk, bad data */
#define CLI_USAGE  2 /* the command line makes no sense */

/* What an option's argument is, and so the type that `value` points to. */
typedef enum cli_kind {
    CLI_HEADING, /* no option: `help` is a heading over the rows that follow */
    CLI_FLAG,    /* bool *, set to true; takes no argument */
    CLI_TEXT,    /* const char **, borrowed from argv */
    CLI_LIST,    /* cli_list *, may be repeated */
    CLI_SIZE, /* size_t *, decimal, within min and max; suffixes k, M, G (1000) and Ki, Mi, Gi (1024) */
    CLI_U64,     /* uint64_t *, decimal or 0x..., within min and max */
    CLI_REAL,    /* double *, finite, within rmin and rmax */
    CLI_SECONDS, /* uint64_t * in nanoseconds; the argument is in seconds, may have a fraction, within rmin and rmax */
    CLI_CHOICE,  /* const char **, one of the words in `choices` */
} cli_kind;

/*
 * What a command does with the file that an option names. A file that is read (operands are, too) and written is a mistake which
 * cli_parse finds: writing would destroy it.
 */
typedef enum cli_use {
    CLI_NO_FILE, /* or none that could be lost */
    CLI_READS,   /* a file, a folder with all in it, or either after a "NAME=" that `arg` has too */
    CLI_READS_LIST, /* a file, never a folder; after a "NAME=" that `arg` has too */
    CLI_WRITES,     /* a file, or those that `choices` names in a folder */
    CLI_CHANGES,    /* read, and may be named again to be written */
} cli_use;

/* Arguments of a CLI_LIST option in order; items are borrowed from argv, the array is fixed. */
#define CLI_LIST_MAX 64
typedef struct cli_list {
    const char *items[CLI_LIST_MAX];
    size_t n;
} cli_list;

/* One option. Parsing and help are made from the same row. A default is what *value holds before the parse. */
typedef struct cli_option {
    const char *name; /* long name without dashes; NULL for a heading */
    char letter;      /* short form, or 0 */
    cli_kind kind;
    cli_use file;
    void *value;
    const char *arg;   /* name of the argument in the help, such as "FILE"; NULL for flags */
    const char *help;  /* one sentence without a full stop; further lines after '\n' */
    uint64_t min, max; /* CLI_SIZE, CLI_U64; max 0 = no upper bound */
    const char *zero;  /* CLI_SIZE, CLI_U64: 0 is taken, too, and means this ("all CPUs") */
    double rmin, rmax; /* CLI_REAL, CLI_SECONDS; both 0 = no bounds, but of seconds 0 to 1e9 */
    const char *const *choices; /* CLI_CHOICE, CLI_WRITES: NULL-terminated */
} cli_option;

/* What options, by their long names, ask of each other: `option` goes with `other` only, or never. Both are in the table. */
typedef enum cli_bond { CLI_ONLY_WITH, CLI_NEVER_WITH } cli_bond;
typedef struct cli_rule {
    const char *option; /* NULL ends a list */
    cli_bond bond;
    const char *other;
} cli_rule;

/* A command's own page: what `wirespeak NAME --help` prints around the table of options. */
typedef struct cli_page {
    const char *name;     /* "tokenize" */
    const char *operands; /* "[OPTION]... FILE..." */
    const char *summary;  /* one or a few lines: what the command does */
    const char *examples; /* lines to copy, or NULL; each starts with two spaces */
    int min_operands;
    int max_operands;      /* -1 = no limit */
    const cli_rule *rules; /* or NULL */
} cli_page;

/*
 * Parses argv (argv[0] is the command's name) by the table of n rows and by the options every command has: --help,
 * --quiet, --verbose. Sets the level of messages. Returns the index of the first operand; operands are
 * argv[that..argc-1], options may stand among them and are moved to the front. Does not return after --help (exit 0)
 * and after a mistake (one line to standard error, exit 2). Call it before anything is allocated.
 */
int cli_parse(const cli_page *page, const cli_option *options, size_t n, int argc, char **argv);

/* True after --quiet: progress and summaries on standard error are left out. */
bool cli_is_quiet(void);

/* True after --verbose. */
bool cli_is_verbose(void);

/* Words of --dtype, those to train with, and what they mean. */
extern const char *const cli_dtypes[];
extern const char *const cli_train_dtypes[];
wsp_dtype cli_dtype(const char *word);

/*
 * The heads of a model that are named, each once, in the order of the names; "all"; without a name the first. heads has
 * room for WSP_MAX_HEADS. Exit status.
 */
int cli_find_heads(const wsp_model *m, const cli_list *names, size_t *heads, size_t *n_heads);

/* One warning if one of these heads of the model answers nothing but "unknown": train says so of those that learned nothing. */
void cli_warn_untrained(const char *path, const wsp_model *m, const size_t *heads, size_t n);

/* Can files be made there ([n], NULL: not asked for)? It is said before hours of work and not after them. Exit status. */
int cli_can_write(const char *const *path, size_t n);

/* "wirespeak: ..." on standard error, one line. Returns CLI_FAILED, so that failing is one statement. */
int cli_fail(const char *fmt, ...) WSP_PRINTF(1, 2);

/* The same for a failed library call: the text of err. */
int cli_fail_error(const wsp_error *err);

/*
 * Fills *err, if there is one, with a line of why, where st is negative (of WSP_ERR_IO with errno, too). Returns st, so that failing is one
 * statement here as well.
 */
wsp_status cli_error(wsp_error *err, wsp_status st, const char *fmt, ...) WSP_PRINTF(3, 4);

/* The same for WSP_ERR_NOMEM: "out of memory". */
wsp_status cli_no_memory(wsp_error *err);

/*
 * Grows *array, of *cap items of `size` bytes, so that it has `need` or more; what is new is not set. NOMEM, also when so much cannot be
 * counted: nothing has changed then.
 */
WSP_MUST_USE wsp_status cli_grow(void *array, size_t *cap, size_t need, size_t size);

/* "wirespeak: warning: ..." on standard error. */
void cli_warn(const char *fmt, ...) WSP_PRINTF(1, 2);

/* A line for people on standard error (summaries, progress); left out by --quiet. */
void cli_note(const char *fmt, ...) WSP_PRINTF(1, 2);

/* A mistake on the command line: one line and where the help is. Returns CLI_USAGE. */
int cli_usage(const char *command, const char *fmt, ...) WSP_PRINTF(2, 3);

/* cli_fail and exit 1, cli_usage and exit 2: for places that hold nothing. */
_Noreturn void cli_die(const char *fmt, ...) WSP_PRINTF(1, 2);
_Noreturn void cli_die_usage(const char *command, const char *fmt, ...) WSP_PRINTF(2, 3);

/* Sends the library's messages to standard error up to `level`; main does it once with WSP_LOG_WARNING. */
void cli_log_level(wsp_log_level level);

/*
 * Whether standard output has lost something. Asked right after something was printed, so that the reason can be told at the
 * end: a command that prints much, or long lines, asks.
 */
bool cli_stdout_lost(void);

/*
 * Flushes and closes standard output. Returns `status`, or CLI_FAILED with a message when anything written to it was
 * lost (a full disk). main does it after every command.
 */
int cli_close_stdout(int status);

/* The commands. argv[0] is the command's name; each returns an exit status. */
int cmd_calibrate(int argc, char **argv);
int cmd_grow(int argc, char **argv);
int cmd_enroll(int argc, char **argv);
int cmd_eval(int argc, char **argv);
int cmd_classify(int argc, char **argv);
int cmd_embed(int argc, char **argv);
int cmd_train(int argc, char **argv);
int cmd_tokenize(int argc, char **argv);
int cmd_detokenize(int argc, char **argv);
int cmd_forge(int argc, char **argv);
int cmd_explain(int argc, char **argv);
int cmd_label(int argc, char **argv);
int cmd_generate(int argc, char **argv);
int cmd_info(int argc, char **argv);
int cmd_split(int argc, char **argv);
int cmd_tag(int argc, char **argv);

#endif
