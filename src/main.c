/* SPDX-License-Identifier: Apache-2.0 */
/* main.c: the table of commands, the help made from it, and what happens after every command. */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cli.h"

typedef struct command {
    const char *name; /* NULL: `summary` is a heading of the help */
    int (*run)(int argc, char **argv);
    const char *summary;
} command;

static const command commands[] = {
    {NULL, NULL, "Look at traffic"},
    {"classify", cmd_classify, "label every flow of captures with a trained model"},
    {"tag", cmd_tag, "label flows while they run, from network interfaces"},
    {"embed", cmd_embed, "write a vector for every flow of captures"},
    {"forge", cmd_forge, "write captures again as if other hosts had sent them"},
    {"explain", cmd_explain, "print what a model sees of a capture, and what is withheld"},
    {"label", cmd_label, "print what nDPI says of every flow"},
    {NULL, NULL, "Captures and tokens"},
    {"tokenize", cmd_tokenize, "turn captures into token arrays, without loss"},
    {"detokenize", cmd_detokenize, "turn token arrays back into the capture"},
    {"split", cmd_split, "print which captures are for training, validation and test"},
    {NULL, NULL, "Make traffic"},
    {"generate", cmd_generate, "write a capture of new flows, drawn from a model"},
    {NULL, NULL, "Models"},
    {"train", cmd_train, "train a model on token arrays"},
    {"enroll", cmd_enroll, "add a class to a model from a few example flows"},
    {"grow", cmd_grow, "give a model trees that vote beside its heads"},
    {"calibrate", cmd_calibrate, "fit the confidence of a model to labelled token arrays"},
    {"eval", cmd_eval, "score a model on labelled token arrays"},
    {"info", cmd_info, "print what is in a model or a token file"},
};
#define N_COMMANDS (sizeof commands / sizeof commands[0])

static const command *find_command(const char *name)
{
    for (size_t i = 0; i < N_COMMANDS; i++)
        if (commands[i].name && strcmp(commands[i].name, name) == 0)
            return &commands[i];
    return NULL;
}

static void print_help(FILE *out)
{
    (void)fputs("Usage: wirespeak COMMAND [OPTION]... [FILE]...\n"
                "\n"
                "Turns network traffic into tokens for models of traffic, and back.\n",
                out);
    for (size_t i = 0; i < N_COMMANDS; i++) {
        if (commands[i].name)
            (void)fprintf(out, "  %-14s%s\n", commands[i].name, commands[i].summary);
        else
            (void)fprintf(out, "\n%s:\n", commands[i].summary);
    }
    (void)fputs(
        "\n"
        "Help:\n"
        "  help [COMMAND] this page, or the page of a command\n"
        "  version        the version\n"
        "\n"
        "FILE is a capture (pcap, pcapng), an archive or a folder of captures, or - for standard\n"
        "input. Results go to standard output, messages to standard error. The exit status is 0\n"
        "when all is done, 1 when something failed, 2 when the command line makes no sense.\n",
        out);
}

static int print_version(void)
{
    (void)printf("wirespeak %s\n", wsp_version());
    return CLI_OK;
}

static int help(int argc, char **argv)
{
    char flag[] = "--help";
    char *again[] = {argv[1], flag, NULL};
    const command *c;

    if (argc < 2) {
        print_help(stdout);
        return CLI_OK;
    }
    c = find_command(argv[1]);
    if (!c)
        return cli_usage(NULL, "there is no command '%s'", argv[1]);
    return c->run(2, again);
}

static int run(int argc, char **argv)
{
    const command *c;

    if (argc < 2) {
        print_help(stderr);
        return CLI_USAGE;
    }
    if (strcmp(argv[1], "help") == 0 || strcmp(argv[1], "--help") == 0 ||
        strcmp(argv[1], "-h") == 0)
        return help(argc - 1, argv + 1);
    if (strcmp(argv[1], "version") == 0 || strcmp(argv[1], "--version") == 0 ||
        strcmp(argv[1], "-V") == 0)
        return print_version();
    c = find_command(argv[1]);
    if (!c)
        return cli_usage(NULL, "there is no command '%s'", argv[1]);
    return c->run(argc - 1, argv + 1);
}

/*
 * With a standard stream closed the next file that is opened would have its number, and what is printed would be written into it. What is
 * closed stays so to see: nothing comes from the one that is for writing, and nothing can be written to those for reading.
 */
static void hold_streams(void)
{
    for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
        if (fcntl(fd, F_GETFD) < 0)
            (void)open("/dev/null", fd == STDIN_FILENO ? O_WRONLY : O_RDONLY);
}

int main(int argc, char **argv)
{
    hold_streams();
    cli_log_level(WSP_LOG_WARNING);
    return cli_close_stdout(run(argc, argv));
}
