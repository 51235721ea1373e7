/* SPDX-License-Identifier: Apache-2.0 */
/* cmd_grow.c: trees that vote beside a model's heads, grown on its training set. */
#include <stdio.h>
#include <stdlib.h>

#include "cli.h"
#include "token_sets.h"
#include "wirespeak/task.h"

static const cli_page page = {
    .name = "grow",
    .operands = "[OPTION]... -m MODEL -w MODEL TRAIN.npz...",
    .summary = "Gives a model a random forest that votes beside its heads, grown on the labelled "
               "flows that the "
               "model was\n"
               "trained on. Network and trees go wrong in different flows, so that together they "
               "are right more "
               "often.\n"
               "Calibrate the model afterwards.",
    .examples = "  wirespeak grow -m model.safetensors -w model.safetensors train.npz\n"
                "  wirespeak calibrate -m model.safetensors -w model.safetensors val.npz\n",
    .min_operands = 1,
    .max_operands = -1,
};

static void print(const wsp_model *m, const wsp_grow_options *o, const wsp_grown *g)
{
    printf("%-20s %8s %8s %10s\n", "head", "flows", "trees", "nodes");
    for (size_t h = 0; h < wsp_model_head_count(m); h++)
        printf("%-20s %8zu %8zu %10zu\n", wsp_model_head(m, h)->name, g[h].flows,
               g[h].flows ? o->trees : 0, g[h].nodes);
}

static int grow(const char *from, const char *to, char *const *sets, int n,
                const wsp_grow_options *o)
{
    wsp_grown *g = NULL;
    wsp_model *m = NULL;
    wsp_tokens *t = NULL;
    wsp_error err;
    wsp_status st = wsp_model_load(&m, from, &err);
    int rc = CLI_OK;

    if (st == WSP_OK)
        st = token_sets_load(&t, (const char *const *)sets, (size_t)n, &err);
    if (st == WSP_OK)
        st = wsp_tokens_background_like(t, m, &err);
    if (st == WSP_OK && !(g = calloc(wsp_model_head_count(m) + 1, sizeof *g)))
        rc = cli_fail("out of memory");
    if (st == WSP_OK && rc == CLI_OK)
        st = wsp_grow(m, t, o, g, &err);
    if (st == WSP_OK && rc == CLI_OK)
        st = wsp_model_save(m, to, &err);
    if (st < 0)
        rc = cli_fail_error(&err);
    else if (rc == CLI_OK)
        print(m, o, g);
    free(g);
    wsp_tokens_free(t);
    wsp_model_free(m);
    return rc;
}

int cmd_grow(int argc, char **argv)
{
    const char *from = NULL, *to = NULL;
    wsp_grow_options o = wsp_grow_options_default();
    size_t threads = 0;
    const cli_option options[] = {
        {.name = "model",
         .letter = 'm',
         .kind = CLI_TEXT,
         .value = &from,
         .arg = "MODEL",
         .file = CLI_CHANGES,
         .help = "the model, a .safetensors file"},
        {.name = "write",
         .letter = 'w',
         .kind = CLI_TEXT,
         .value = &to,
         .arg = "MODEL",
         .file = CLI_WRITES,
         .help = "the model with trees; may be the same file"},
        {.name = "trees",
         .kind = CLI_SIZE,
         .value = &o.trees,
         .arg = "N",
         .min = 1,
         .max = WSP_MAX_TREES,
         .help = "trees of each head (default 64)"},
        {.name = "seed",
         .kind = CLI_U64,
         .value = &o.seed,
         .arg = "N",
         .help = "of the flows and features that trees try (default 1)"},
        {.name = "threads",
         .kind = CLI_SIZE,
         .value = &threads,
         .arg = "N",
         .min = 1,
         .max = 256,
         .zero = "all CPUs",
         .help = "grow N trees at a time (default 0: as many as there are CPUs)"},
    };
    int first = cli_parse(&page, options, sizeof options / sizeof options[0], argc, argv);

    if (!from)
        return cli_usage(page.name, "which model? give -m MODEL.safetensors");
    if (!to)
        return cli_usage(page.name, "where to? give -w MODEL.safetensors");
    o.threads = (unsigned)threads;
    return cli_can_write(&to, 1) == CLI_OK ? grow(from, to, argv + first, argc - first, &o)
                                           : CLI_FAILED;
}
