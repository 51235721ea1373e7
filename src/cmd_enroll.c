/* SPDX-License-Identifier: Apache-2.0 */
/* cmd_enroll.c: adds a class to a head of a model from a few example flows, without training. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "captures.h"
#include "cli.h"
#include "shipped.h"
#include "wirespeak/task.h"

static const cli_page page = {
    .name = "enroll",
    .operands = "[OPTION]... --label NAME -w MODEL FILE...",
    .summary = "Adds a class to a head of a model from example flows, without training: every flow "
               "of the captures\n"
               "(files, folders, archives, - for standard input) is an example. classify, tag and "
               "eval then know the class.\n"
               "Of a token file with labels of the head, the flows with this label are the "
               "examples.",
    .examples =
        "  wirespeak enroll --label Zoom -w mine.safetensors zoom*.pcap\n"
        "  wirespeak enroll --head device --label kettle -f 'host 10.0.0.7' -m mine.safetensors -w "
        "mine.safetensors lan.pcap\n",
    .min_operands = 1,
    .max_operands = -1,
};

typedef struct arguments {
    const char *model, *to, *head, *label, *filter;
    size_t flows;
    uint64_t draw;
} arguments;

static bool is_token_file(const char *path)
{
    size_t len = strlen(path);

    return len > 4 && strcmp(path + len - 4, ".npz") == 0;
}

static int read_captures(wsp_tokens **out, const arguments *a, char **paths, int n,
                         wsp_tokenize_stats *stats, wsp_error *err)
{
    const wsp_tokenize_options how = {
        .keep = true, .drop_residuals = true, .max_packets = WSP_MAX_READ};
    wsp_input_options opt = wsp_input_options_default();
    wsp_input *in = NULL;
    wsp_status st;

    opt.filter = a->filter;
    if (wsp_input_new(&in, (const char *const *)paths, (size_t)n, &opt, err) < 0)
        return captures_refused(page.name, err);
    st = wsp_tokenize(in, &how, out, stats, err);
    wsp_input_free(in);
    return st < 0 ? cli_fail_error(err) : CLI_OK;
}

static size_t column_of(const wsp_tokens *t, const char *head)
{
    size_t c = 0;

    while (c < t->n_heads && strcmp(t->heads[c], head) != 0)
        c++;
    return c;
}

/* True when nothing in the set says that the flow is something else. */
static bool is_example(const wsp_tokens *t, size_t column, const char *label, size_t flow)
{
    int32_t l = column < t->n_heads ? t->labels[column][flow] : -1;

    return column == t->n_heads || (l >= 0 && strcmp(t->label_names[column][l], label) == 0);
}

/* splitmix64 (Steele, Lea and Flood, 2014): which examples are taken is the same everywhere. */
static uint64_t mix(uint64_t x)
{
    x += 0x9e3779b97f4a7c15;
    x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9;
    x = (x ^ x >> 27) * 0x94d049bb133111eb;
    return x ^ x >> 31;
}

typedef struct drawn {
    uint64_t at;
    uint32_t flow;
} drawn;

static int by_draw(const void *a, const void *b)
{
    const drawn *x = a, *y = b;

    return x->at != y->at ? (x->at < y->at ? -1 : 1) : (x->flow > y->flow) - (x->flow < y->flow);
}

/* At most a->flows of the examples, drawn by the seed. */
static int choose(wsp_tokens **out, const wsp_tokens *t, const arguments *a, const char *head,
                  wsp_error *err)
{
    size_t column = column_of(t, head), n = 0;
    drawn *d = calloc(t->n_flows + 1, sizeof *d);
    uint32_t *flow = calloc(t->n_flows + 1, sizeof *flow);
    int rc = CLI_OK;

    if (!d || !flow)
        rc = cli_fail("no memory for %zu flows", t->n_flows);
    for (size_t i = 0; rc == CLI_OK && i < t->n_flows; i++)
        if (is_example(t, column, a->label, i)) {
            d[n] = (drawn){mix(mix(a->draw) + i), (uint32_t)i};
            n++;
        }
    if (rc == CLI_OK && n == 0)
        rc = cli_fail("there is no flow%s%s to learn from", column < t->n_heads ? " of label " : "",
                      column < t->n_heads ? a->label : "");
    if (rc == CLI_OK) {
        qsort(d, n, sizeof *d, by_draw);
        n = n > a->flows ? a->flows : n;
        for (size_t i = 0; i < n; i++)
            flow[i] = d[i].flow;
        if (wsp_tokens_select(out, t, &(wsp_selection){.flows = flow, .n = n}, err) < 0)
            rc = cli_fail_error(err);
    }
    free(d);
    free(flow);
    return rc;
}

static int find_head(const wsp_model *m, const char *name, size_t *head)
{
    size_t n = wsp_model_head_count(m);

    if (n == 0)
        return cli_fail("the model has no head that could learn a class");
    for (*head = 0; name && *head < n; ++*head)
        if (strcmp(wsp_model_head(m, *head)->name, name) == 0)
            break;
    return *head < n ? CLI_OK
                     : cli_fail("the model has no head '%s': wirespeak info lists them", name);
}

static void tell(const wsp_enrollment *e, const arguments *a, const char *head)
{
    printf("%-28s %s\n", "head", head);
    printf("%-28s %s\n", "label", a->label);
    printf("%-28s %zu\n", "examples", e->examples);
    if (e->examples > 1)
        printf("%-28s %zu\n", "found by the other examples", e->found);
    printf("%-28s %zu\n", "known flows", e->known);
    printf("%-28s %zu\n", "lost to the new label", e->lost);
}

static int enroll(const wsp_model *m, size_t head, const wsp_tokens *t, const arguments *a)
{
    const char *name = wsp_model_head(m, head)->name;
    wsp_enrollment e;
    wsp_model *larger = NULL;
    wsp_tokens *examples = NULL;
    wsp_error err;
    int rc = choose(&examples, t, a, name, &err);

    if (rc == CLI_OK && wsp_enroll(&larger, m, head, a->label, examples, &e, &err) < 0)
        rc = cli_fail_error(&err);
    if (rc == CLI_OK && wsp_model_save(larger, a->to, &err) < 0)
        rc = cli_fail_error(&err);
    if (rc == CLI_OK)
        tell(&e, a, name);
    wsp_model_free(larger);
    wsp_tokens_free(examples);
    return rc;
}

static int run(const arguments *a, char **paths, int n)
{
    wsp_model *m = NULL;
    wsp_tokens *t = NULL;
    wsp_tokenize_stats stats = {.captures = 0};
    wsp_error err;
    size_t head = 0;
    int rc = wsp_model_load(&m, a->model, &err) < 0 ? cli_fail_error(&err) : CLI_OK;

    if (rc == CLI_OK)
        rc = find_head(m, a->head, &head);
    if (rc == CLI_OK && !is_token_file(paths[0]))
        rc = read_captures(&t, a, paths, n, &stats, &err);
    else if (rc == CLI_OK && wsp_tokens_load(&t, paths[0], &err) < 0)
        rc = cli_fail_error(&err);
    if (rc == CLI_OK)
        rc = enroll(m, head, t, a);
    if (rc == CLI_OK)
        rc = captures_end(&stats, "learned from");
    wsp_tokens_free(t);
    wsp_model_free(m);
    return rc;
}

/* one option a line or two */
/* clang-format off */
int cmd_enroll(int argc, char **argv)
{
    arguments a = {.flows = 500, .draw = 1};
    const cli_option options[] = {
        {.name = "label", .letter = 'l', .kind = CLI_TEXT, .value = &a.label, .arg = "NAME", .help = "name of the new class"},
        {.name = "head", .kind = CLI_TEXT, .value = &a.head, .arg = "NAME", .help = "head that learns it (default the first)"},
        {.name = "model", .letter = 'm', .kind = CLI_TEXT, .value = &a.model, .arg = "MODEL", .file = CLI_CHANGES, .help = "the model, a .safetensors file (default the one that is\ninstalled)"},
        {.name = "write", .letter = 'w', .kind = CLI_TEXT, .value = &a.to, .arg = "MODEL", .file = CLI_WRITES, .help = "the model with the class; may be the same file"},
        {.name = "filter", .letter = 'f', .kind = CLI_TEXT, .value = &a.filter, .arg = "BPF", .help = "only packets of captures that match this pcap filter"},
        {.name = "flows", .kind = CLI_SIZE, .value = &a.flows, .arg = "N", .min = 1, .max = 100000,
         .help = "learn from at most N of the flows (default 500)"},
        {.name = "draw", .kind = CLI_U64, .value = &a.draw, .arg = "N", .help = "seed that draws them (default 1)"},
    };
    int first = cli_parse(&page, options, sizeof options / sizeof options[0], argc, argv);
    /* clang-format on */

    if (!a.label || !a.label[0])
        return cli_usage(page.name, "which class? give --label NAME");
    if (!wsp_is_printable(a.label))
        return cli_usage(page.name, "the label '%s' has control characters, or is not UTF-8",
                         a.label);
    if (strcmp(a.label, "unknown") == 0)
        return cli_usage(page.name, "\"unknown\" is what flows of no class are called");
    if (shipped_model(&a.model, page.name, "flows") != CLI_OK)
        return CLI_USAGE;
    if (!a.to)
        return cli_usage(page.name, "where to? give -w MODEL.safetensors");
    if (is_token_file(argv[first]) && (argc - first > 1 || a.filter))
        return cli_usage(page.name, "one token file without --filter, or captures");
    return cli_can_write(&a.to, 1) == CLI_OK ? run(&a, argv + first, argc - first) : CLI_FAILED;
}
