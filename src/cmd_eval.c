/* SPDX-License-Identifier: Apache-2.0 */
/* cmd_eval.c: accuracy and macro-F1 of a model's heads on a labelled token file, beside the majority class. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli.h"
#include "wirespeak/task.h"

static const cli_page page = {
    .name = "eval",
    .operands = "[OPTION]... -m MODEL TEST.npz",
    .summary = "Scores the heads of a model on the label columns of a token file: accuracy, "
               "macro-F1 over the classes that\n"
               "occur in it, and the same for always saying the commonest class. Use captures the "
               "model has not seen.",
    .examples = "  wirespeak eval -m model.safetensors test.npz\n",
    .min_operands = 1,
    .max_operands = 1,
};

typedef struct counts {
    size_t right, said, is; /* of one class */
} counts;

/* F1 = 2 TP / (2 TP + FP + FN), averaged over the classes that occur. */
static double macro_f1(const counts *c, size_t L)
{
    double sum = 0;
    size_t n = 0;

    for (size_t l = 0; l < L; l++) {
        if (!c[l].is)
            continue;
        sum += 2 * (double)c[l].right / (double)(c[l].said + c[l].is);
        n++;
    }
    return n ? sum / (double)n : 0;
}

static void print_score(const char *head, const wsp_head *h, const counts *c, bool per_class,
                        bool json)
{
    size_t n = 0, right = 0, top = 0, classes = 0;
    counts *majority = calloc(h->n_labels + 1, sizeof *majority);

    for (size_t l = 0; l < h->n_labels; l++) {
        n += c[l].is;
        right += c[l].right;
        classes += c[l].is > 0;
        if (c[l].is > c[top].is)
            top = l;
    }
    for (size_t l = 0; majority && l < h->n_labels; l++)
        majority[l].is = c[l].is;
    if (majority && n)
        majority[top] = (counts){.right = c[top].is, .said = n, .is = c[top].is};
    if (json)
        printf("{\"head\":\"%s\",\"flows\":%zu,\"classes\":%zu,\"accuracy\":%.6f,\"macro_f1\":%.6f,"
               "\"majority_accuracy\":%.6f,\"majority_macro_f1\":%.6f}\n",
               head, n, classes, n ? (double)right / (double)n : 0, macro_f1(c, h->n_labels),
               n ? (double)c[top].is / (double)n : 0,
               majority ? macro_f1(majority, h->n_labels) : 0);
    else
        printf("%-12s %zu flows of %zu classes: accuracy %.4f, macro-F1 %.4f (always '%s': %.4f, "
               "%.4f)\n",
               head, n, classes, n ? (double)right / (double)n : 0, macro_f1(c, h->n_labels),
               h->labels[top], n ? (double)c[top].is / (double)n : 0,
               majority ? macro_f1(majority, h->n_labels) : 0);
    for (size_t l = 0; per_class && l < h->n_labels; l++)
        if (c[l].is || c[l].said)
            printf("  %-24s %6zu flows  precision %.3f  recall %.3f\n", h->labels[l], c[l].is,
                   c[l].said ? (double)c[l].right / (double)c[l].said : 0,
                   c[l].is ? (double)c[l].right / (double)c[l].is : 0);
    free(majority);
}

/* Column of the set for a head of the model with the same labels in the same order, or -1. */
static int column_of(const wsp_tokens *t, const wsp_head *h)
{
    for (size_t i = 0; i < t->n_heads; i++) {
        bool same = strcmp(t->heads[i], h->name) == 0 && t->n_labels[i] == h->n_labels;
        for (size_t l = 0; same && l < h->n_labels; l++)
            same = strcmp(t->label_names[i][l], h->labels[l]) == 0;
        if (same)
            return (int)i;
    }
    return -1;
}

/* Counts what the head said of the labelled flows, and prints its score. */
static bool score(const wsp_head *h, const wsp_tokens *t, int column, const float *prob,
                  bool per_class, bool json)
{
    counts *c = calloc(h->n_labels + 1, sizeof *c);

    for (size_t i = 0; c && i < t->n_flows; i++) {
        const float *p = prob + i * h->n_labels;
        int32_t is = t->labels[column][i];
        size_t best = 0;
        if (is < 0)
            continue;
        for (size_t l = 1; l < h->n_labels; l++)
            if (p[l] > p[best])
                best = l;
        c[is].is++;
        c[best].said++;
        c[is].right += best == (size_t)is;
    }
    if (c)
        print_score(h->name, h, c, per_class, json);
    free(c);
    return c != NULL;
}

/* Every head that the set has labels of: all in one pass of the model. */
static int eval(const wsp_model *m, const wsp_tokens *t, const char *file, bool per_class,
                bool json)
{
    size_t n = wsp_model_head_count(m), scored = 0;
    float **prob = calloc(n + 1, sizeof *prob);
    uint32_t *packets = calloc(t->n_flows + 1, sizeof *packets);
    bool room = prob && packets;
    wsp_error err;
    int rc = CLI_OK;

    for (size_t h = 0; room && h < n; h++) {
        if (column_of(t, wsp_model_head(m, h)) < 0)
            continue;
        prob[h] = calloc(t->n_flows + 1, wsp_model_head(m, h)->n_labels * sizeof **prob);
        room = prob[h];
        scored++;
    }
    if (!scored && room)
        rc = cli_fail("%s has no label column with a head's labels", file);
    else if (room && wsp_classify(m, t, prob, packets, &err) < 0)
        rc = cli_fail_error(&err);
    for (size_t h = 0; rc == CLI_OK && room && h < n; h++)
        if (prob[h])
            room = score(wsp_model_head(m, h), t, column_of(t, wsp_model_head(m, h)), prob[h],
                         per_class, json);
    if (!room)
        rc = cli_fail("no memory for %zu flows", t->n_flows);
    for (size_t h = 0; prob && h < n; h++)
        free(prob[h]);
    free(prob);
    free(packets);
    return rc;
}

int cmd_eval(int argc, char **argv)
{
    static const char *const formats[] = {"table", "json", NULL};
    const char *model = NULL, *format = "table";
    bool per_class = false;
    const cli_option options[] = {
        {.name = "model",
         .letter = 'm',
         .kind = CLI_TEXT,
         .value = &model,
         .arg = "MODEL",
         .help = "the model, a .safetensors file"},
        {.name = "output",
         .letter = 'o',
         .kind = CLI_CHOICE,
         .value = &format,
         .arg = "FORMAT",
         .choices = formats,
         .help = "table for people, json for programs"},
        {.name = "per-class",
         .kind = CLI_FLAG,
         .value = &per_class,
         .help = "precision and recall of every class"},
    };
    int first = cli_parse(&page, options, sizeof options / sizeof options[0], argc, argv);
    wsp_tokens *t = NULL;
    wsp_model *m = NULL;
    wsp_error err;
    wsp_status st;
    int rc;

    if (!model)
        return cli_usage(page.name, "which model? give -m MODEL.safetensors");
    st = wsp_model_load(&m, model, &err);
    if (st >= 0)
        st = wsp_tokens_load(&t, argv[first], &err);
    rc = st < 0 ? cli_fail_error(&err)
                : eval(m, t, argv[first], per_class && format[0] == 't', format[0] == 'j');
    wsp_tokens_free(t);
    wsp_model_free(m);
    return rc;
}
